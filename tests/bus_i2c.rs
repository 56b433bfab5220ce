//! I2C devices on a shared bus, over a controller that writes down what it is asked to do.
#![cfg(feature = "bus")]

use std::cell::RefCell;
use std::collections::VecDeque;

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{
    Error as _, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation, SevenBitAddress,
    TenBitAddress,
};
use ensue::bus::i2c::{Address, Bus, Config, Error};
use ensue::bus::{AttachError, Counters, NoSuchDevice, RateExtU32, ReleaseError, Speed, Wish};
use ensue::pattern::Backoff;
use ensue::{Duration, ExtU64};

/// What happened on the wires and around them, in order.
#[derive(Default)]
struct Log(RefCell<Vec<String>>);

impl Log {
    fn add(&self, what: String) {
        self.0.borrow_mut().push(what);
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// A controller: it answers what is in `answers`, or else that all is well.
struct Hal<'a> {
    log: &'a Log,
    answers: VecDeque<ErrorKind>,
}

impl<'a> Hal<'a> {
    fn new(log: &'a Log) -> Self {
        Self { log, answers: VecDeque::new() }
    }

    fn failing(log: &'a Log, answers: impl IntoIterator<Item = ErrorKind>) -> Self {
        Self { log, answers: answers.into_iter().collect() }
    }

    fn did(&mut self, what: String) -> Result<(), ErrorKind> {
        self.log.add(what);
        self.answers.pop_front().map_or(Ok(()), Err)
    }

    fn set_speed(&mut self, speed: Speed) {
        self.log.add(format!("speed {}", speed.to_Hz()));
    }
}

impl ErrorType for Hal<'_> {
    type Error = ErrorKind;
}

impl I2c<SevenBitAddress> for Hal<'_> {
    fn read(&mut self, address: u8, read: &mut [u8]) -> Result<(), ErrorKind> {
        read.fill(0xA5);
        self.did(format!("{address:02x} read {}", read.len()))
    }

    fn write(&mut self, address: u8, write: &[u8]) -> Result<(), ErrorKind> {
        self.did(format!("{address:02x} write {write:02x?}"))
    }

    fn write_read(&mut self, address: u8, write: &[u8], read: &mut [u8]) -> Result<(), ErrorKind> {
        read.fill(0xA5);
        self.did(format!("{address:02x} write {write:02x?} read {}", read.len()))
    }

    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        self.did(format!("{address:02x} transaction of {}", operations.len()))
    }
}

impl I2c<TenBitAddress> for Hal<'_> {
    fn transaction(
        &mut self,
        address: u16,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        self.did(format!("ten bit {address:03x} transaction of {}", operations.len()))
    }
}

/// A delay that takes no time and is written down.
struct Pauses<'a>(&'a Log);

impl DelayNs for Pauses<'_> {
    fn delay_ns(&mut self, ns: u32) {
        self.0.add(format!("pause {ns} ns"));
    }

    fn delay_us(&mut self, us: u32) {
        self.0.add(format!("pause {us} us"));
    }
}

const NACK: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
const DATA_NACK: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data);
const SOME_NACK: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown);

type Failure = Box<dyn std::error::Error>;

fn counters(device: &ensue::bus::i2c::Device<'_, Hal<'_>>) -> Counters {
    device.info().map_or_else(Counters::default, |info| info.counters)
}

#[test]
fn each_kind_of_transfer_is_the_controllers_own() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    let mut two = [0; 2];
    imu.read(0x68_u8, &mut two)?;
    assert_eq!(two, [0xA5; 2]);
    imu.write(0x68_u8, &[1, 2, 3])?;
    imu.write_read(0x68_u8, &[0x75], &mut two)?;
    imu.transaction(0x68_u8, &mut [Operation::Write(&[1]), Operation::Read(&mut two)])?;
    assert_eq!(
        log.take(),
        ["68 read 2", "68 write [01, 02, 03]", "68 write [75] read 2", "68 transaction of 2"]
    );
    assert_eq!(
        counters(&imu),
        Counters { transfers: 4, bytes: 2 + 3 + 3 + 3, ..Counters::default() }
    );
    Ok(())
}

#[test]
fn another_address_through_the_same_device_is_an_error_and_nothing_is_sent() -> Result<(), Failure>
{
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    let wrong = Error::WrongAddress { bound: Address::Seven(0x68), used: Address::Seven(0x69) };
    assert_eq!(imu.write(0x69_u8, &[0]), Err(wrong));
    assert_eq!(imu.session()?.write(0x69_u8, &[0]), Err(wrong));
    assert_eq!(wrong.to_string(), "the device is at 0x68, its driver uses 0x69");
    assert_eq!(wrong.kind(), ErrorKind::Other);
    assert!(log.take().is_empty());
    Ok(())
}

#[test]
fn a_second_device_on_an_address_is_refused_and_told_whose_it_is() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    bus.attach("imu", Config::at(0x68))?;
    let config = Config::at(0x68).speed(400.kHz());
    let refused = bus.attach("clock", config).err().ok_or("it was attached")?;
    assert_eq!(refused.reason, AttachError::AddressTaken { by: "imu" });
    assert_eq!(refused.config, config);
    assert_eq!(refused.to_string(), "imu has this address");
    assert_eq!(bus.info().count(), 1);
    Ok(())
}

#[test]
fn a_second_device_of_a_name_is_refused() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    bus.attach("imu", Config::at(0x68))?;
    let refused = bus.attach("imu", Config::at(0x69)).err().ok_or("it was attached")?;
    assert_eq!(refused.reason, AttachError::NameTaken);
    Ok(())
}

#[test]
fn seven_and_ten_bits_are_different_places_and_different_traits() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    let mut seven = bus.attach("seven", Config::at(0x50))?;
    let mut ten = bus.attach("ten", Config::at_ten_bit(0x50))?;
    seven.write(0x50_u8, &[1])?;
    ten.write(0x50_u16, &[1])?;
    assert_eq!(log.take(), ["50 write [01]", "ten bit 050 transaction of 1"]);
    let wrong = Error::WrongAddress { bound: Address::Ten(0x50), used: Address::Seven(0x50) };
    assert_eq!(ten.write(0x50_u8, &[1]), Err(wrong));
    let wrong = Error::WrongAddress { bound: Address::Seven(0x50), used: Address::Ten(0x50) };
    assert_eq!(seven.write(0x50_u16, &[1]), Err(wrong));
    let wrong = Error::WrongAddress { bound: Address::Ten(0x50), used: Address::Ten(0x150) };
    assert_eq!(ten.read(0x150_u16, &mut [0]), Err(wrong));
    assert_eq!(
        wrong.to_string(),
        "the device is at 0x050 (10 bit), its driver uses 0x150 (10 bit)"
    );
    assert!(log.take().is_empty());

    let refused = bus.attach("too", Config::at_ten_bit(0x50)).err().ok_or("attached")?;
    assert_eq!(refused.reason, AttachError::AddressTaken { by: "ten" });
    Ok(())
}

/// As one that was written for the whole bus: it takes it by value and wants nothing but the trait.
struct ByValue<I>(I);

impl<I: I2c> ByValue<I> {
    fn identify(&mut self) -> Result<u8, I::Error> {
        let mut id = [0];
        self.0.write_read(0x68, &[0x75], &mut id)?;
        Ok(id[0])
    }
}

/// As one that borrows the bus for each call, with its type or without.
fn identify(i2c: &mut impl I2c) -> Option<u8> {
    ByValue(i2c).identify().ok()
}

fn identify_dyn(i2c: &mut dyn I2c<Error = Error<ErrorKind>>) -> Result<u8, Error<ErrorKind>> {
    ByValue(i2c).identify()
}

#[test]
fn a_driver_takes_a_device_by_value_or_by_reference() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    assert_eq!(identify(&mut imu), Some(0xA5));
    assert_eq!(identify(&mut imu.session()?), Some(0xA5));
    assert_eq!(identify_dyn(&mut imu)?, 0xA5);
    // Its clones are the same device, so two drivers for one chip can have it by value.
    let mut drivers = [ByValue(imu.clone()), ByValue(imu)];
    assert_eq!((drivers[0].identify()?, drivers[1].identify()?), (0xA5, 0xA5));
    assert_eq!(log.take(), ["68 write [75] read 1"; 5]);
    Ok(())
}

#[test]
fn what_is_no_address_is_refused() {
    let log = Log::default();
    let bus = Bus::with_room::<9>(Hal::new(&log));
    let refused = |config| bus.attach("x", config).err().map(|refused| refused.reason);
    // 0xD0 is 0x68 with the direction bit counted in, as some data sheets print it.
    assert_eq!(refused(Config::at(0xD0)), Some(AttachError::NoAddress));
    assert_eq!(refused(Config::at(0x80)), Some(AttachError::NoAddress));
    assert_eq!(refused(Config::at_ten_bit(0x400)), Some(AttachError::NoAddress));
    assert!(bus.attach("call", Config::at(0)).is_ok());
    assert!(bus.attach("last", Config::at(0x7F)).is_ok());
    assert!(bus.attach("far", Config::at_ten_bit(0x3FF)).is_ok());
}

#[test]
fn the_speed_is_set_only_when_the_last_transfer_had_another() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log)).tuned(100.kHz(), |hal, speed| {
        hal.set_speed(speed);
        Ok::<(), ()>(())
    });
    let mut usual = bus.attach("usual", Config::at(0x10))?;
    let mut fast = bus.attach("fast", Config::at(0x11).speed(400.kHz()))?;
    let mut slow = bus.attach("slow", Config::at(0x12).speed(100.kHz()))?;
    usual.write(0x10_u8, &[])?;
    slow.write(0x12_u8, &[])?;
    fast.write(0x11_u8, &[])?;
    fast.write(0x11_u8, &[])?;
    usual.write(0x10_u8, &[])?;
    slow.write(0x12_u8, &[])?;
    assert_eq!(
        log.take(),
        [
            "speed 100000", // nobody knows what the controller was set to at first
            "10 write []",
            "12 write []",
            "speed 400000",
            "11 write []",
            "11 write []",
            "speed 100000",
            "10 write []",
            "12 write []",
        ]
    );
    let reconfigurations: Vec<_> = bus.info().map(|it| it.counters.reconfigurations).collect();
    assert_eq!(reconfigurations, [2, 1, 0]);
    Ok(())
}

#[test]
fn a_speed_that_could_not_be_set_is_an_error_and_is_set_the_next_time() -> Result<(), Failure> {
    #[derive(Clone, Copy, PartialEq, Debug)]
    struct TooFast;
    let log = Log::default();
    let mut broken = [false, true].into_iter();
    let bus = Bus::new(Hal::new(&log)).tuned(100.kHz(), |hal, speed| {
        hal.set_speed(speed);
        if broken.next() == Some(true) { Err(TooFast) } else { Ok(()) }
    });
    let mut fast = bus.attach("fast", Config::at(0x11).speed(400.kHz()))?;
    let mut usual = bus.attach("usual", Config::at(0x10))?;
    usual.write(0x10_u8, &[])?;
    assert_eq!(log.take(), ["speed 100000", "10 write []"]);
    assert_eq!(fast.write(0x11_u8, &[]), Err(Error::Settings(TooFast)));
    // What the bus is set to is not known now, so even the usual speed is set.
    usual.write(0x10_u8, &[])?;
    assert_eq!(log.take(), ["speed 400000", "speed 100000", "10 write []"]);
    let info = fast.info().ok_or("released")?;
    assert_eq!(info.counters, Counters { errors: 1, ..Counters::default() });
    Ok(())
}

#[test]
fn a_bus_that_cannot_change_has_one_speed_that_of_the_first_who_asks() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    bus.attach("any", Config::at(0x10))?;
    bus.attach("fast", Config::at(0x11).speed(400.kHz()))?;
    bus.attach("fast too", Config::at(0x12).speed(400.kHz()))?;
    let refused = bus.attach("slow", Config::at(0x13).speed(100.kHz())).err().ok_or("attached")?;
    assert_eq!(
        refused.reason,
        AttachError::ConfigConflict {
            wants: Wish { name: "slow", settings: 100.kHz() },
            against: Wish { name: "fast", settings: 400.kHz() },
        }
    );
    Ok(())
}

#[test]
fn a_bus_with_a_fixed_speed_stands_against_other_speeds() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log)).fixed(100.kHz());
    bus.attach("slow", Config::at(0x10).speed(100.kHz()))?;
    let refused = bus.attach("fast", Config::at(0x11).speed(400.kHz())).err().ok_or("attached")?;
    assert_eq!(
        refused.reason,
        AttachError::ConfigConflict {
            wants: Wish { name: "fast", settings: 400.kHz() },
            against: Wish { name: "bus", settings: 100.kHz() },
        }
    );
    Ok(())
}

#[test]
fn a_device_with_a_fixed_speed_stands_against_others_whoever_comes_first() -> Result<(), Failure> {
    let log = Log::default();
    let tune = |hal: &mut Hal<'_>, speed| {
        hal.set_speed(speed);
        Ok::<(), ()>(())
    };
    let old = Config::at(0x10).speed(100.kHz()).fixed();
    let fast = Config::at(0x11).speed(400.kHz());

    let bus = Bus::new(Hal::new(&log)).tuned(100.kHz(), tune);
    bus.attach("old", old)?;
    let refused = bus.attach("fast", fast).err().ok_or("attached")?;
    assert_eq!(refused.to_string(), "fast wants 400000 Hz, but old wants 100000 Hz");

    let bus = Bus::new(Hal::new(&log)).tuned(100.kHz(), tune);
    bus.attach("fast", fast)?;
    let refused = bus.attach("old", old).err().ok_or("attached")?;
    assert_eq!(refused.to_string(), "old wants 100000 Hz, but fast wants 400000 Hz");
    bus.release("fast")?;
    bus.attach("old", old)?;
    Ok(())
}

#[test]
fn a_fixed_speed_stands_against_the_usual_one_that_others_rely_on() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log)).tuned(100.kHz(), |hal, speed| {
        hal.set_speed(speed);
        Ok::<(), ()>(())
    });
    bus.attach("any", Config::at(0x10))?;
    let fast = Config::at(0x11).speed(400.kHz()).fixed();
    let refused = bus.attach("fast", fast).err().ok_or("attached")?;
    assert_eq!(
        refused.reason,
        AttachError::ConfigConflict {
            wants: Wish { name: "fast", settings: 400.kHz() },
            against: Wish { name: "any", settings: 100.kHz() },
        }
    );
    bus.release("any")?;
    bus.attach("fast", fast)?;
    let refused = bus.attach("any", Config::at(0x10)).err().ok_or("attached")?;
    assert_eq!(refused.to_string(), "any wants 100000 Hz, but fast wants 400000 Hz");
    Ok(())
}

#[test]
fn an_address_that_is_not_acknowledged_is_tried_again_after_growing_pauses() -> Result<(), Failure>
{
    let log = Log::default();
    let hal = Hal::failing(&log, [NACK, NACK, NACK]);
    let bus = Bus::new(hal).with_delay(Pauses(&log));
    let retry = Backoff::new(1.millis(), 3.millis());
    let mut eeprom = bus.attach("eeprom", Config::at(0x50).retry(retry))?;
    eeprom.write(0x50_u8, &[7])?;
    let once = "50 write [07]";
    assert_eq!(
        log.take(),
        [once, "pause 1000 us", once, "pause 2000 us", once, "pause 3000 us", once]
    );
    let info = eeprom.info().ok_or("released")?;
    let expected = Counters { transfers: 1, bytes: 1, nacks: 3, retries: 3, ..Counters::default() };
    assert_eq!(info.counters, expected);

    // The next transfer has its own patience, whatever this one has used up.
    bus.with(|hal| hal.answers.push_back(NACK))?;
    eeprom.write(0x50_u8, &[7])?;
    assert_eq!(log.take(), [once, "pause 1000 us", once]);
    Ok(())
}

#[test]
fn a_pause_may_be_longer_than_a_delay_can_be_asked_for() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::failing(&log, [NACK])).with_delay(Pauses(&log));
    let retry = Backoff::new(2.hours(), 2.hours());
    bus.attach("eeprom", Config::at(0x50).retry(retry))?.write(0x50_u8, &[])?;
    let once = "50 write []";
    assert_eq!(log.take(), [once, "pause 4294967295 us", "pause 2905032705 us", once]);
    Ok(())
}

#[test]
fn tries_end_and_the_error_is_the_last_ones() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::failing(&log, [NACK; 9])).with_delay(Pauses(&log));
    let retry = Backoff::new(1.millis(), 1.millis()).give_up_after(3);
    let mut eeprom = bus.attach("eeprom", Config::at(0x50).retry(retry))?;
    let error = eeprom.write(0x50_u8, &[7]).err().ok_or("it succeeded")?;
    assert_eq!(error, Error::Bus(NACK));
    assert_eq!(error.kind(), NACK);
    let info = eeprom.info().ok_or("released")?;
    assert_eq!(info.counters, Counters { nacks: 3, retries: 2, ..Counters::default() });
    Ok(())
}

#[test]
fn what_may_have_happened_already_is_never_tried_again() -> Result<(), Failure> {
    for answer in [DATA_NACK, SOME_NACK, ErrorKind::Bus, ErrorKind::ArbitrationLoss] {
        let log = Log::default();
        let bus = Bus::new(Hal::failing(&log, [NACK, answer])).with_delay(Pauses(&log));
        let retry = Backoff::new(1.millis(), 1.millis());
        let mut eeprom = bus.attach("eeprom", Config::at(0x50).retry(retry))?;
        assert_eq!(eeprom.write(0x50_u8, &[7]), Err(Error::Bus(answer)));
        assert_eq!(log.take().len(), 3, "a try, a pause, a try");
    }
    Ok(())
}

#[test]
fn without_a_retry_there_is_one_try() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::failing(&log, [NACK, ErrorKind::Overrun]));
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    assert_eq!(imu.write(0x68_u8, &[7]), Err(Error::Bus(NACK)));
    assert_eq!(imu.write(0x68_u8, &[7]), Err(Error::Bus(ErrorKind::Overrun)));
    imu.write(0x68_u8, &[7])?;
    assert_eq!(log.take().len(), 3);
    assert_eq!(
        counters(&imu),
        Counters { transfers: 1, bytes: 1, nacks: 1, errors: 1, ..Counters::default() }
    );
    Ok(())
}

#[test]
fn pauses_need_somebody_who_waits() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::failing(&log, [NACK]));
    let patient = Config::at(0x50).retry(Backoff::new(1.millis(), 1.millis()));
    let refused = bus.attach("eeprom", patient).err().ok_or("attached")?;
    assert_eq!(refused.reason, AttachError::NoDelay);
    // A retry without a pause does not.
    let at_once = Backoff::new(Duration::from_ticks(0), Duration::from_ticks(0)).give_up_after(2);
    let mut eager = bus.attach("eager", Config::at(0x51).retry(at_once))?;
    eager.write(0x51_u8, &[])?;
    assert_eq!(log.take(), ["51 write []", "51 write []"]);
    Ok(())
}

#[test]
fn info_is_an_iterator_and_a_text() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::failing(&log, [NACK])).fixed(400.kHz());
    let mut imu = bus.attach("imu", Config::at(0x68).speed(400.kHz()))?;
    bus.attach("far", Config::at_ten_bit(0x168))?;
    assert!(imu.write(0x68_u8, &[0]).is_err());
    imu.write(0x68_u8, &[0, 1])?;
    let names: Vec<_> = bus.info().map(|info| info.name).collect();
    assert_eq!(names, ["imu", "far"]);
    assert!(format!("{bus:?}").starts_with("Bus { devices: [Info { name: \"imu\", "), "{bus:?}");
    let mut text = String::new();
    core::fmt::Write::write_fmt(&mut text, format_args!("{}", bus.info()))?;
    assert_eq!(
        text,
        "imu, 0x68 at 400000 Hz: 1 transfers, 2 bytes, 1 nacks\n\
         far, 0x168 (10 bit): 0 transfers, 0 bytes\n"
    );
    Ok(())
}

#[test]
fn a_device_is_found_again_by_its_name_and_is_the_same_one() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    let clock = bus.attach("clock", Config::at(0x51))?;
    let mut found = bus.device("imu")?;
    assert!(found == imu && found != clock);
    found.write(0x68_u8, &[1])?;
    imu.write(0x68_u8, &[2])?;
    assert_eq!(counters(&imu).transfers, 2);
    assert_eq!(bus.device("gyro"), Err(NoSuchDevice));
    assert_eq!(format!("{found:?}"), r#"Device { name: Some("imu"), .. }"#);
    Ok(())
}

#[test]
fn after_its_release_a_device_is_gone_and_its_name_and_address_are_free() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    let mut old = bus.attach("imu", Config::at(0x68))?;
    old.write(0x68_u8, &[1])?;
    bus.release("imu")?;
    assert_eq!(bus.release("imu"), Err(ReleaseError::NoSuchDevice));
    assert_eq!(bus.device("imu"), Err(NoSuchDevice));
    assert_eq!(bus.info().count(), 0);

    let new = bus.attach("imu", Config::at(0x68))?;
    assert_eq!(old.write(0x68_u8, &[1]), Err(Error::Released));
    assert!(old.info().is_none() && old != new);
    assert_eq!(counters(&new), Counters::default());
    assert_eq!(log.take(), ["68 write [01]"]);
    Ok(())
}

#[test]
fn a_full_bus_gives_the_config_back() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::with_room::<1>(Hal::new(&log));
    bus.attach("imu", Config::at(0x68))?;
    let refused = bus.attach("clock", Config::at(0x51)).err().ok_or("attached")?;
    assert_eq!((refused.reason, refused.config), (AttachError::Full, Config::at(0x51)));
    bus.release("imu")?;
    bus.attach("clock", refused.config)?;
    Ok(())
}

#[test]
fn while_a_session_lasts_nobody_else_has_the_bus() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log));
    let imu = bus.attach("imu", Config::at(0x68))?;
    let mut clock = bus.attach("clock", Config::at(0x51))?;
    let mut session = imu.session()?;
    session.write(0x68_u8, &[1])?;
    assert_eq!(clock.write(0x51_u8, &[9]), Err(Error::Busy));
    assert!(clock.session().is_err() && imu.session().is_err());
    let refused = bus.attach("late", Config::at(0x52)).err().ok_or("attached")?;
    assert_eq!(refused.reason, AttachError::Busy);
    assert_eq!(bus.release("clock"), Err(ReleaseError::Busy));
    assert!(bus.with(|_| ()).is_err());
    // What needs no wires works: names and numbers.
    assert_eq!(bus.device("clock")?, clock);
    assert_eq!(counters(&clock).refused, 2);
    session.write(0x68_u8, &[2])?;
    drop(session);
    clock.write(0x51_u8, &[9])?;
    assert_eq!(log.take(), ["68 write [01]", "68 write [02]", "51 write [09]"]);
    assert_eq!(counters(&imu).transfers, 2);
    Ok(())
}

#[test]
fn the_controller_itself_can_be_borrowed_and_given_back() -> Result<(), Failure> {
    let log = Log::default();
    let bus = Bus::new(Hal::new(&log)).tuned(100.kHz(), |hal, speed| {
        hal.set_speed(speed);
        Ok::<(), ()>(())
    });
    let mut imu = bus.attach("imu", Config::at(0x68))?;
    imu.write(0x68_u8, &[])?;
    assert_eq!(log.take(), ["speed 100000", "68 write []"]);
    bus.with(|hal| hal.answers.extend([NACK, NACK]))?;
    let found = bus.with(|hal| (0x08..0x78_u8).find(|address| hal.write(*address, &[]).is_ok()))?;
    assert_eq!(found, Some(0x0A));
    log.take();
    // Whoever borrowed it may have set anything, so the speed is set.
    imu.write(0x68_u8, &[])?;
    assert_eq!(log.take(), ["speed 100000", "68 write []"]);
    let mut hal = bus.into_inner();
    assert_eq!(hal.write(0x68_u8, &[]), Ok(()));
    Ok(())
}
