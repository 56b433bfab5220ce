//! Buses: devices of both kinds, with all that can be set, on hardware that answers as it likes.

use core::fmt::Display;
use core::hint::black_box;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{self, InputPin, OutputPin};
use embedded_hal::i2c::{
    self, AddressMode, ErrorKind as I2cErrorKind, I2c, NoAcknowledgeSource, Operation,
    SevenBitAddress, TenBitAddress,
};
use embedded_hal::spi::{
    self, ErrorKind as SpiErrorKind, Mode, Phase, Polarity, SpiBus, SpiDevice,
};
use ensue::bus::{Speed, recover_bus};
use ensue::pattern::Backoff;

use crate::patterns::duration;
use crate::{seen, some_bytes, text, unknown};

pub fn call() {
    i2c_devices();
    spi_devices();
    match recover_bus(&mut Wire, &mut Wire, &mut Pause) {
        Ok(recovered) => seen(recovered),
        Err(error) => text::print(error),
    }
}

/// A HAL for I2C.
struct TwoWires;

impl i2c::ErrorType for TwoWires {
    type Error = I2cErrorKind;
}

impl I2c for TwoWires {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), I2cErrorKind> {
        seen((address, operations.len()));
        black_box(Err(I2cErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)))
    }
}

impl I2c<TenBitAddress> for TwoWires {
    fn transaction(
        &mut self,
        address: u16,
        operations: &mut [Operation<'_>],
    ) -> Result<(), I2cErrorKind> {
        seen((address, operations.len()));
        black_box(Ok(()))
    }
}

fn i2c_devices() {
    use ensue::bus::i2c::{Bus, Config};

    let bus = Bus::with_room::<3>(TwoWires)
        .tuned(Speed::from_raw(unknown()), |_, speed| black_box(Err::<(), Speed>(speed)))
        .with_delay(Pause);
    let retry = Backoff::new(duration(), duration()).give_up_after(unknown());
    let imu = Config::at(unknown()).speed(Speed::from_raw(unknown())).retry(retry);
    for config in [imu, imu.fixed(), Config::at_ten_bit(unknown())] {
        match bus.attach(black_box("imu"), config) {
            Ok(mut device) => {
                i2c_transfers(&mut device);
                match device.session() {
                    Ok(mut session) => i2c_transfers(&mut session),
                    Err(busy) => text::print(busy),
                }
                seen(device.clone() == device);
                seen(device.info());
            }
            Err(refused) => text::print(refused),
        }
    }
    match bus.device(black_box("imu")) {
        Ok(device) => seen(device.info()),
        Err(missing) => text::print(missing),
    }
    text::print(bus.info());
    seen(bus.with(|bus| seen(bus)).is_ok());
    match bus.release(black_box("imu")) {
        Ok(()) => seen(0),
        Err(error) => text::print(error),
    }
    seen(bus.into_inner());

    // Where nothing can be set and nothing waits.
    let plain = Bus::new(TwoWires).fixed(Speed::from_raw(unknown()));
    if let Ok(mut device) = plain.attach("clock", Config::at(unknown()).retry(retry)) {
        i2c_transfers(&mut device);
    }
}

/// With addresses of either length.
fn i2c_transfers<E: i2c::Error + Display>(
    device: &mut (impl I2c<Error = E> + I2c<TenBitAddress, Error = E>),
) {
    transfers::<SevenBitAddress, E>(device);
    transfers::<TenBitAddress, E>(device);
}

fn transfers<A: AddressMode + Copy + From<u8>, E: i2c::Error + Display>(
    device: &mut impl I2c<A, Error = E>,
) {
    let mut buffer = [0; 4];
    let results = [
        device.write(unknown(), some_bytes()),
        device.read(unknown(), &mut buffer),
        device.write_read(unknown(), some_bytes(), &mut buffer),
        device.transaction(unknown(), &mut [Operation::Write(some_bytes())]),
    ];
    for error in results.into_iter().filter_map(Result::err) {
        seen(error.kind());
        text::print(error);
    }
}

/// A HAL for SPI.
struct FourWires;

impl spi::ErrorType for FourWires {
    type Error = SpiErrorKind;
}

impl SpiBus for FourWires {
    fn read(&mut self, words: &mut [u8]) -> Result<(), SpiErrorKind> {
        seen(words);
        black_box(Err(SpiErrorKind::Overrun))
    }

    fn write(&mut self, words: &[u8]) -> Result<(), SpiErrorKind> {
        seen(words);
        black_box(Ok(()))
    }

    fn transfer(&mut self, read: &mut [u8], write: &[u8]) -> Result<(), SpiErrorKind> {
        seen((read, write));
        black_box(Ok(()))
    }

    fn transfer_in_place(&mut self, words: &mut [u8]) -> Result<(), SpiErrorKind> {
        seen(words);
        black_box(Ok(()))
    }

    fn flush(&mut self) -> Result<(), SpiErrorKind> {
        black_box(Err(SpiErrorKind::Other))
    }
}

fn spi_devices() {
    use ensue::bus::spi::{Bus, Config, Settings};

    let mode = Mode { polarity: Polarity::IdleLow, phase: Phase::CaptureOnFirstTransition };
    let settings = Settings { mode, frequency: Speed::from_raw(unknown()) };
    let bus = Bus::with_room::<2>(FourWires)
        .tuned(settings, |_, settings| black_box(Err::<(), Settings>(settings)))
        .with_delay(Pause);
    let flash = Config::new(Wire)
        .settings(mode, Speed::from_raw(unknown()))
        .select_delays(unknown(), unknown());
    let display = Config::new(Wire).fixed();
    for (name, config) in [("flash", flash), ("display", display)] {
        match bus.attach(black_box(name), config) {
            Ok(mut device) => {
                spi_transfers(&mut device);
                match device.session() {
                    Ok(mut session) => spi_transfers(&mut session),
                    Err(busy) => text::print(busy),
                }
            }
            Err(refused) => {
                text::print(&refused);
                seen(refused.config.into_cs());
            }
        }
    }
    text::print(bus.info());
    seen(bus.release(black_box("flash")));
    if let Ok(mut device) = bus.device(black_box("flash")) {
        spi_transfers(&mut device);
    }

    let plain = Bus::new(FourWires);
    if let Ok(mut device) = plain.attach("flash", Config::new(Wire)) {
        spi_transfers(&mut device);
    }
}

fn spi_transfers<D: SpiDevice>(device: &mut D)
where
    D::Error: Display,
{
    let (mut buffer, mut other) = ([0; 4], [0; 4]);
    let results = [
        device.write(some_bytes()),
        device.read(&mut buffer),
        device.transfer_in_place(&mut buffer),
        device.transaction(&mut [
            spi::Operation::Write(some_bytes()),
            spi::Operation::Transfer(&mut buffer, some_bytes()),
            spi::Operation::DelayNs(unknown()),
            spi::Operation::TransferInPlace(&mut other),
        ]),
    ];
    for error in results.into_iter().filter_map(Result::err) {
        seen(spi::Error::kind(&error));
        text::print(error);
    }
}

/// A pin that is high or low as it likes, and may fail.
struct Wire;

#[derive(Debug)]
struct Broken;

impl digital::Error for Broken {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl digital::ErrorType for Wire {
    type Error = Broken;
}

impl OutputPin for Wire {
    fn set_low(&mut self) -> Result<(), Broken> {
        black_box(Ok(()))
    }

    fn set_high(&mut self) -> Result<(), Broken> {
        black_box(Err(Broken))
    }
}

impl InputPin for Wire {
    fn is_high(&mut self) -> Result<bool, Broken> {
        black_box(Ok(true))
    }

    fn is_low(&mut self) -> Result<bool, Broken> {
        black_box(Ok(false))
    }
}

struct Pause;

impl DelayNs for Pause {
    fn delay_ns(&mut self, ns: u32) {
        seen(ns);
    }
}
