//! Buses of both kinds, over a HAL that may say anything.

use core::fmt::{self, Write};

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, InputPin, OutputPin};
use embedded_hal::i2c::{self, I2c, TenBitAddress};
use embedded_hal::spi::{self, MODE_3, SpiBus, SpiDevice};
use ensue::bus::i2c as two_wires;
use ensue::bus::spi as four_wires;
use ensue::bus::{Speed, recover_bus};
use ensue::pattern::Backoff;
use ensue::{Duration, Instant};

use crate::{seen, unknown};

struct Hal;

/// Well or not, for a reason that nobody knows.
fn any<E: Copy>(errors: &[E]) -> Result<(), E> {
    errors.get(usize::from(unknown::<u8>())).map_or(Ok(()), |error| Err(*error))
}

impl i2c::ErrorType for Hal {
    type Error = i2c::ErrorKind;
}

impl<A: i2c::AddressMode> I2c<A> for Hal {
    fn transaction(&mut self, _: A, _: &mut [i2c::Operation<'_>]) -> Result<(), i2c::ErrorKind> {
        let nobody = i2c::NoAcknowledgeSource::Address;
        any(&[i2c::ErrorKind::Bus, i2c::ErrorKind::NoAcknowledge(nobody)])
    }
}

impl spi::ErrorType for Hal {
    type Error = spi::ErrorKind;
}

impl SpiBus for Hal {
    fn read(&mut self, _: &mut [u8]) -> Result<(), spi::ErrorKind> {
        any(&[spi::ErrorKind::Overrun])
    }

    fn write(&mut self, _: &[u8]) -> Result<(), spi::ErrorKind> {
        any(&[spi::ErrorKind::Overrun])
    }

    fn transfer(&mut self, _: &mut [u8], _: &[u8]) -> Result<(), spi::ErrorKind> {
        any(&[spi::ErrorKind::Overrun])
    }

    fn transfer_in_place(&mut self, _: &mut [u8]) -> Result<(), spi::ErrorKind> {
        any(&[spi::ErrorKind::Overrun])
    }

    fn flush(&mut self) -> Result<(), spi::ErrorKind> {
        any(&[spi::ErrorKind::Overrun])
    }
}

struct Pin;

impl digital::ErrorType for Pin {
    type Error = digital::ErrorKind;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), digital::ErrorKind> {
        any(&[digital::ErrorKind::Other])
    }

    fn set_high(&mut self) -> Result<(), digital::ErrorKind> {
        any(&[digital::ErrorKind::Other])
    }
}

impl InputPin for Pin {
    fn is_high(&mut self) -> Result<bool, digital::ErrorKind> {
        any(&[digital::ErrorKind::Other]).map(|()| unknown::<u8>() == 0)
    }

    fn is_low(&mut self) -> Result<bool, digital::ErrorKind> {
        self.is_high()
    }
}

struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        seen(ns);
    }
}

/// Text that goes nowhere.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        seen(text.len());
        any(&[fmt::Error])
    }
}

fn speed() -> Speed {
    Speed::from_raw(unknown())
}

fn tune<S>(_: &mut Hal, _: S) -> Result<(), i2c::ErrorKind> {
    any(&[i2c::ErrorKind::Other])
}

pub fn call() {
    i2c_devices();
    spi_devices();
    seen(recover_bus(&mut Pin, &mut Pin, &mut Delay));
    let mut backoff = patience();
    seen((backoff.failed(now()), backoff.is_ready(now()), backoff.failures()));
    backoff.succeeded();
}

fn patience() -> Backoff {
    let pause = || Duration::from_ticks(unknown());
    Backoff::new(pause(), pause()).give_up_after(unknown())
}

fn now() -> Instant {
    Instant::from_ticks(unknown())
}

fn i2c_devices() {
    let bus = two_wires::Bus::new(Hal).with_delay(Delay).tuned(speed(), tune);
    let config = two_wires::Config::at(unknown()).speed(speed()).fixed().retry(patience());
    let refused = bus.attach("seven", config).is_err();
    seen((refused, bus.attach("ten", two_wires::Config::at_ten_bit(unknown())).is_err()));
    if let Ok(mut device) = bus.device("seven") {
        let address: u8 = unknown();
        seen(device.write(address, &[unknown()]));
        seen(device.write_read(address, &[unknown()], &mut [0; 2]));
        seen(device.info());
        if let Ok(mut session) = device.session() {
            seen(session.read(address, &mut [0; 2]));
            let mut operations = [i2c::Operation::Write(&[1])];
            seen(session.transaction(address, &mut operations));
        }
    }
    if let Ok(mut device) = bus.device("ten") {
        seen(I2c::<TenBitAddress>::read(&mut device, unknown(), &mut [0; 2]));
    }
    seen(write!(Nowhere, "{}", bus.info()).is_ok());
    seen(bus.with(|_| ()));
    seen(bus.release("seven"));
    seen(bus.device("seven").is_ok());
    seen(bus.into_inner());
}

fn spi_devices() {
    let bus = four_wires::Bus::new(Hal).with_delay(Delay);
    let config = four_wires::Config::new(Pin).settings(MODE_3, speed());
    let config = config.select_delays(unknown(), unknown());
    let refused = match bus.attach("flash", config) {
        Ok(_) => false,
        Err(refused) => write!(Nowhere, "{refused}").is_ok(),
    };
    seen(refused);
    if let Ok(mut device) = bus.device("flash") {
        let result = device.transaction(&mut [
            spi::Operation::Write(&[unknown()]),
            spi::Operation::DelayNs(unknown()),
            spi::Operation::Read(&mut [0; 2]),
            spi::Operation::Transfer(&mut [0; 2], &[1]),
            spi::Operation::TransferInPlace(&mut [0; 2]),
        ]);
        if let Err(error) = result {
            seen(write!(Nowhere, "{error}").is_ok());
        }
        if let Ok(mut session) = device.session() {
            seen(session.write(&[unknown()]));
        }
    }
    seen(write!(Nowhere, "{}", bus.info()).is_ok());
    seen(bus.release("flash").is_ok());
}
