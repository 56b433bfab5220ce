//! SPI devices on a shared bus: what happens on the wires, in which order, whatever fails.
#![cfg(feature = "bus")]

use std::cell::RefCell;
use std::convert::Infallible;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, ErrorType as PinErrorType, OutputPin};
use embedded_hal::spi::{
    self, Error as _, ErrorKind, ErrorType, MODE_0, MODE_3, Operation, SpiBus, SpiDevice,
};
use ensue::bus::spi::{Bus, Config, Error, Settings};
use ensue::bus::{AttachError, Counters, RateExtU32, ReleaseError, Wish};

type Failure = Box<dyn std::error::Error>;

/// The wires: what happened on them, and where they break: at a word, or at a step.
#[derive(Default)]
struct Wires {
    log: RefCell<Vec<String>>,
    broken: RefCell<Vec<&'static str>>,
    broken_steps: RefCell<Vec<usize>>,
}

impl Wires {
    fn breaking(at: &[&'static str]) -> Self {
        Self { broken: RefCell::new(at.to_vec()), ..Self::default() }
    }

    fn take(&self) -> Vec<String> {
        self.log.take()
    }

    /// Something happens, unless it is what breaks, and that only once.
    fn did(&self, what: String) -> Result<(), ()> {
        let mut broken = self.broken.borrow_mut();
        let breaks = broken.iter().position(|it| what.starts_with(it));
        let step = self.log.borrow().len();
        self.log.borrow_mut().push(what);
        match breaks {
            Some(place) => {
                broken.remove(place);
                Err(())
            }
            None if self.broken_steps.borrow().contains(&step) => Err(()),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct BusBroke;
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct PinBroke;

impl spi::Error for BusBroke {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Overrun
    }
}

impl digital::Error for PinBroke {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

struct Hal<'a>(&'a Wires);

impl Hal<'_> {
    fn did(&self, what: String) -> Result<(), BusBroke> {
        self.0.did(what).map_err(|()| BusBroke)
    }
}

impl ErrorType for Hal<'_> {
    type Error = BusBroke;
}

impl<Word: Copy + 'static> SpiBus<Word> for Hal<'_> {
    fn read(&mut self, words: &mut [Word]) -> Result<(), BusBroke> {
        self.did(format!("read {}", words.len()))
    }

    fn write(&mut self, words: &[Word]) -> Result<(), BusBroke> {
        self.did(format!("write {}", words.len()))
    }

    fn transfer(&mut self, read: &mut [Word], write: &[Word]) -> Result<(), BusBroke> {
        self.did(format!("transfer {} {}", read.len(), write.len()))
    }

    fn transfer_in_place(&mut self, words: &mut [Word]) -> Result<(), BusBroke> {
        self.did(format!("in place {}", words.len()))
    }

    fn flush(&mut self) -> Result<(), BusBroke> {
        self.did("flush".into())
    }
}

/// A chip select with a name.
struct Select<'a>(&'a Wires, &'static str);

impl PinErrorType for Select<'_> {
    type Error = PinBroke;
}

impl OutputPin for Select<'_> {
    fn set_low(&mut self) -> Result<(), PinBroke> {
        self.0.did(format!("{} low", self.1)).map_err(|()| PinBroke)
    }

    fn set_high(&mut self) -> Result<(), PinBroke> {
        self.0.did(format!("{} high", self.1)).map_err(|()| PinBroke)
    }
}

struct Pauses<'a>(&'a Wires);

impl DelayNs for Pauses<'_> {
    fn delay_ns(&mut self, ns: u32) {
        assert!(self.0.did(format!("wait {ns}")).is_ok());
    }
}

#[test]
fn a_transaction_selects_works_flushes_and_deselects() -> Result<(), Failure> {
    let wires = Wires::default();
    let bus = Bus::new(Hal(&wires)).with_delay(Pauses(&wires));
    let config = Config::new(Select(&wires, "flash")).select_delays(100, 50);
    let mut flash = bus.attach("flash", config).map_err(AttachError::from)?;
    assert_eq!(wires.take(), ["flash high"], "it is deselected when it is attached");
    let (mut two, mut three) = ([0; 2], [0; 3]);
    flash.transaction(&mut [
        Operation::Write(&[1_u8]),
        Operation::Read(&mut two),
        Operation::DelayNs(7),
        Operation::Transfer(&mut three, &[1]),
        Operation::TransferInPlace(&mut [1, 2, 3, 4]),
    ])?;
    assert_eq!(
        wires.take(),
        [
            "flash low",
            "wait 100",
            "write 1",
            "read 2",
            "flush",
            "wait 7",
            "transfer 3 1",
            "in place 4",
            "flush",
            "wait 50",
            "flash high",
        ]
    );
    let info = flash.info().ok_or("released")?;
    assert_eq!(
        info.counters,
        Counters { transfers: 1, bytes: 1 + 2 + 3 + 4, ..Counters::default() }
    );
    Ok(())
}

#[test]
fn what_the_bus_says_is_reported_and_the_chip_is_deselected() -> Result<(), Failure> {
    for (breaks, happens) in [
        ("write", &["cs low", "write 1", "flush", "cs high"][..]),
        ("flush", &["cs low", "write 1", "read 1", "flush", "cs high"]),
    ] {
        let wires = Wires::breaking(&[breaks]);
        let bus = Bus::new(Hal(&wires));
        let cs = Config::new(Select(&wires, "cs"));
        let mut chip = bus.attach("chip", cs).map_err(AttachError::from)?;
        wires.take();
        let result = chip.transaction(&mut [Operation::Write(&[1_u8]), Operation::Read(&mut [0])]);
        assert_eq!(result, Err(Error::Bus(BusBroke)));
        assert_eq!(wires.take(), happens);
        assert_eq!(chip.write(&[1_u8]), Ok(()), "the claim has ended");
        let info = chip.info().ok_or("released")?;
        assert_eq!((info.counters.transfers, info.counters.errors), (1, 1));
    }
    Ok(())
}

/// A transaction with every kind of operation, in which these steps fail: what it says, what
/// happened, and whether the device works afterwards.
fn failing_at(steps: &[usize]) -> (Result<(), Error<BusBroke, PinBroke>>, Vec<String>, bool) {
    let wires = Wires::default();
    let bus = Bus::new(Hal(&wires)).with_delay(Pauses(&wires));
    let config = Config::new(Select(&wires, "cs")).select_delays(100, 50);
    let mut chip = bus.attach("chip", config).expect("there is room");
    wires.take();
    wires.broken_steps.borrow_mut().extend(steps);
    let result = chip.transaction(&mut [
        Operation::Write(&[1_u8]),
        Operation::Read(&mut [0; 2]),
        Operation::DelayNs(7),
        Operation::Transfer(&mut [0; 3], &[1]),
        Operation::TransferInPlace(&mut [0; 4]),
    ]);
    let log = wires.take();
    wires.broken_steps.borrow_mut().clear();
    let works = chip.write(&[1_u8]).is_ok();
    (result, log, works)
}

/// On every path: what comes after the failing step is left out, but never the flush, the pause
/// and the pin.
#[test]
fn wherever_a_transaction_fails_it_is_flushed_and_the_chip_is_deselected() {
    let (well, steps, _) = failing_at(&[]);
    let waits = |step: &usize| steps[*step].starts_with("wait"); // a delay cannot fail
    let (select, deselect) = (0, steps.len() - 1);
    let end = &steps[steps.len() - 3..];
    assert_eq!((well, end), (Ok(()), &["flush", "wait 50", "cs high"].map(String::from)[..]));

    for step in (0..steps.len()).filter(|step| !waits(step)) {
        let (result, happened, works) = failing_at(&[step]);
        let mut expected = steps[..=step].to_vec();
        let error = if step == select {
            expected.push("cs high".into()); // it may have moved all the same
            Error::Select(PinBroke)
        } else if step == deselect {
            Error::Deselect(PinBroke)
        } else {
            let flushed = step == deselect - 2;
            expected.extend_from_slice(if flushed { &end[1..] } else { end });
            Error::Bus(BusBroke)
        };
        assert_eq!((result, happened, works), (Err(error), expected.clone(), true), "step {step}");

        // And then the pin, or the flush that follows, fails as well.
        for second in (step + 1..expected.len()).filter(|it| !expected[*it].starts_with("wait")) {
            let (result, happened, works) = failing_at(&[step, second]);
            let both = Error::BusAndDeselect { bus: BusBroke, pin: PinBroke };
            let is_pin = second == expected.len() - 1;
            let expected_error = if is_pin && step != select { both } else { error };
            assert_eq!(
                (result, happened),
                (Err(expected_error), expected.clone()),
                "{step}, {second}"
            );
            assert!(works, "the claim has ended");
        }
    }
}

#[test]
fn what_the_pin_says_is_reported_as_well() -> Result<(), Failure> {
    let failure = |breaks: &[&'static str]| {
        let wires = Wires::breaking(breaks);
        let bus = Bus::new(Hal(&wires));
        let mut chip = bus.attach("chip", Config::new(Select(&wires, "cs"))).ok()?;
        wires.broken.borrow_mut().extend(breaks.contains(&"late").then_some("cs high"));
        wires.take();
        let error = chip.write(&[1_u8]).err()?;
        Some((error, error.kind(), wires.take()))
    };
    let all = ["cs low", "write 1", "flush", "cs high"].map(String::from);
    assert_eq!(
        failure(&["late"]),
        Some((Error::Deselect(PinBroke), ErrorKind::ChipSelectFault, all.to_vec()))
    );
    // embedded-hal: the bus's error has the first word. The other one is not lost.
    let both = Error::BusAndDeselect { bus: BusBroke, pin: PinBroke };
    assert_eq!(failure(&["late", "write"]), Some((both, ErrorKind::Overrun, all.to_vec())));
    let none = ["cs low", "cs high"].map(String::from);
    assert_eq!(
        failure(&["cs low"]),
        Some((Error::Select(PinBroke), ErrorKind::ChipSelectFault, none.to_vec()))
    );
    Ok(())
}

#[test]
fn a_pin_that_cannot_be_set_when_attached_comes_back() -> Result<(), Failure> {
    let wires = Wires::breaking(&["cs high"]);
    let bus = Bus::new(Hal(&wires));
    let refused = bus.attach("chip", Config::new(Select(&wires, "cs"))).err().ok_or("attached")?;
    assert_eq!(refused.reason, AttachError::Pin(PinBroke));
    let again = Config::new(refused.config.into_cs());
    bus.attach("chip", again).map_err(AttachError::from)?;
    Ok(())
}

#[test]
fn a_delay_within_a_transaction_needs_somebody_who_waits() -> Result<(), Failure> {
    let wires = Wires::default();
    let bus = Bus::new(Hal(&wires));
    let delays = Config::new(Select(&wires, "cs")).select_delays(0, 1);
    let refused = bus.attach("chip", delays).err().ok_or("attached")?;
    assert_eq!(refused.reason, AttachError::NoDelay);
    let cs = Config::new(refused.config.into_cs());
    let mut chip = bus.attach("chip", cs).map_err(AttachError::from)?;
    wires.take();
    let result = chip.transaction(&mut [Operation::Write(&[1_u8]), Operation::DelayNs(1)]);
    assert_eq!(result, Err(Error::NoDelay));
    assert!(wires.take().is_empty(), "not even selected");
    Ok(())
}

#[test]
fn settings_are_applied_before_the_chip_is_selected_and_only_when_they_differ()
-> Result<(), Failure> {
    let wires = Wires::default();
    let usual = Settings { mode: MODE_0, frequency: 1.MHz() };
    let bus = Bus::new(Hal(&wires)).tuned(usual, |hal, settings| hal.did(settings.to_string()));
    let a = Config::new(Select(&wires, "a")).settings(MODE_0, 8.MHz());
    let b = Config::new(Select(&wires, "b")).settings(MODE_3, 8.MHz());
    let mut a = bus.attach("a", a).map_err(AttachError::from)?;
    let mut b = bus.attach("b", b).map_err(AttachError::from)?;
    let c = Config::new(Select(&wires, "c"));
    let mut c = bus.attach("c", c).map_err(AttachError::from)?;
    wires.take();
    c.write(&[0_u8])?;
    a.write(&[0_u8])?;
    a.write(&[0_u8])?;
    b.write(&[0_u8])?;
    let log = wires.take();
    let log: Vec<_> = log.iter().filter(|it| it.contains("mode") || it.contains("low")).collect();
    assert_eq!(
        log,
        [
            "mode 0 at 1000000 Hz",
            "c low",
            "mode 0 at 8000000 Hz",
            "a low",
            "a low",
            "mode 3 at 8000000 Hz",
            "b low"
        ]
    );

    wires.broken.borrow_mut().push("mode");
    assert_eq!(c.write(&[0_u8]), Err(Error::Settings(BusBroke)));
    assert_eq!(wires.take(), ["mode 0 at 1000000 Hz"], "nothing is selected");
    assert_eq!(
        bus.info().to_string(),
        "a, mode 0 at 8000000 Hz: 2 transfers, 2 bytes, 1 reconfigurations\n\
         b, mode 3 at 8000000 Hz: 1 transfers, 1 bytes, 1 reconfigurations\n\
         c, as the bus is: 1 transfers, 1 bytes, 1 errors, 1 reconfigurations\n"
    );
    Ok(())
}

#[test]
fn settings_that_exclude_each_other_are_refused_with_both_sides_named() -> Result<(), Failure> {
    let wires = Wires::default();
    let bus = Bus::new(Hal(&wires));
    let flash = Config::new(Select(&wires, "flash")).settings(MODE_0, 8.MHz());
    bus.attach("flash", flash).map_err(AttachError::from)?;
    let probe = Config::new(Select(&wires, "probe")).settings(MODE_3, 8.MHz());
    let refused = bus.attach("probe", probe).err().ok_or("attached")?;
    assert_eq!(
        refused.reason,
        AttachError::ConfigConflict {
            wants: Wish { name: "probe", settings: Settings { mode: MODE_3, frequency: 8.MHz() } },
            against: Wish {
                name: "flash",
                settings: Settings { mode: MODE_0, frequency: 8.MHz() }
            },
        }
    );
    assert_eq!(
        refused.to_string(),
        "probe wants mode 3 at 8000000 Hz, but flash wants mode 0 at 8000000 Hz"
    );
    Ok(())
}

#[test]
fn a_session_keeps_the_bus_and_selects_for_each_transaction() -> Result<(), Failure> {
    let wires = Wires::default();
    let bus = Bus::new(Hal(&wires));
    let a = bus.attach("a", Config::new(Select(&wires, "a"))).map_err(AttachError::from)?;
    let mut b = bus.attach("b", Config::new(Select(&wires, "b"))).map_err(AttachError::from)?;
    wires.take();
    let mut session = a.session()?;
    session.write(&[1_u8])?;
    assert_eq!(b.write(&[1_u8]), Err(Error::Busy));
    session.read(&mut [0_u8; 2])?;
    drop(session);
    b.write(&[1_u8])?;
    assert_eq!(
        wires.take(),
        [
            "a low", "write 1", "flush", "a high", "a low", "read 2", "flush", "a high", "b low",
            "write 1", "flush", "b high"
        ]
    );
    Ok(())
}

#[test]
fn the_same_device_found_by_name_uses_the_same_pin_and_its_release_gives_it_back()
-> Result<(), Failure> {
    let wires = Wires::default();
    let bus = Bus::new(Hal(&wires));
    let mut chip =
        bus.attach("chip", Config::new(Select(&wires, "cs"))).map_err(AttachError::from)?;
    let mut found = bus.device("chip")?;
    wires.take();
    found.write(&[1_u8])?;
    assert_eq!(wires.take(), ["cs low", "write 1", "flush", "cs high"]);
    let pin = bus.release("chip")?;
    assert_eq!(pin.1, "cs");
    assert_eq!(chip.write(&[1_u8]), Err(Error::Released));
    assert_eq!(bus.release("chip").err(), Some(ReleaseError::NoSuchDevice));
    assert!(wires.take().is_empty());
    Ok(())
}

#[test]
fn words_of_any_size_are_counted_in_bytes() -> Result<(), Failure> {
    let wires = Wires::default();
    let bus = Bus::new(Hal(&wires));
    let mut chip =
        bus.attach("chip", Config::new(Select(&wires, "cs"))).map_err(AttachError::from)?;
    chip.write(&[1_u16, 2, 3])?;
    chip.read(&mut [0_u32; 2])?;
    assert_eq!(chip.info().map(|info| info.counters.bytes), Some(3 * 2 + 2 * 4));
    // Of a transfer the longer side: so many are clocked.
    chip.transfer(&mut [0_u8; 1], &[1, 2, 3, 4])?;
    assert_eq!(chip.info().map(|info| info.counters.bytes), Some(14 + 4));
    Ok(())
}

/// Another port, another type of pin.
struct OtherPin<'a>(&'a Wires);

impl PinErrorType for OtherPin<'_> {
    type Error = PinBroke;
}

impl OutputPin for OtherPin<'_> {
    fn set_low(&mut self) -> Result<(), PinBroke> {
        self.0.did("other low".into()).map_err(|()| PinBroke)
    }

    fn set_high(&mut self) -> Result<(), PinBroke> {
        self.0.did("other high".into()).map_err(|()| PinBroke)
    }
}

#[test]
fn pins_of_different_types_share_a_bus_as_dyn_pins() -> Result<(), Failure> {
    let wires = Wires::default();
    let (mut one, mut two) = (Select(&wires, "one"), OtherPin(&wires));
    let bus = Bus::<_, &mut dyn OutputPin<Error = PinBroke>>::new(Hal(&wires));
    let mut a = bus.attach("a", Config::new(&mut one)).map_err(AttachError::from)?;
    let mut b = bus.attach("b", Config::new(&mut two)).map_err(AttachError::from)?;
    wires.take();
    a.write(&[1_u8])?;
    b.write(&[1_u8])?;
    assert_eq!(wires.take()[3..5], ["one high", "other low"]);
    Ok(())
}

#[test]
fn an_error_needs_no_bus_to_be_named_and_read() {
    let error: Error<Infallible, Infallible> = Error::Busy;
    assert_eq!(error.kind(), ErrorKind::Other);
    assert_eq!(error.to_string(), "the bus is busy");
}
