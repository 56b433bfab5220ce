//! SPI: devices with a chip select, on a [`Bus`](super::Bus) over any `embedded_hal::spi::SpiBus`.

use core::convert::Infallible;
use core::fmt;

use embedded_hal::digital::{self, OutputPin};
use embedded_hal::spi::{self, ErrorKind, ErrorType, Mode, Operation, Phase, Polarity, SpiBus};

use super::{Core, Counts, Fixed, Held, NoDelay, Seat, Speed, Tune, Wait, Wiring, sealed};

/// A bus of SPI devices with chip selects of type `P`. Its methods are those of
/// [`bus::Bus`](super::Bus).
///
/// Where the pins are of different types, make them one: most HALs have a type for any pin, and
/// `&mut dyn OutputPin<Error = ..>` is one everywhere.
pub type Bus<B, P, const DEVICES: usize = 4, F = Fixed, D = NoDelay> =
    super::Bus<Config<P>, B, DEVICES, F, D>;
/// An SPI device. Its methods are those of [`bus::Device`](super::Device).
pub type Device<'a, B, P, F = Fixed, D = NoDelay> = super::Device<'a, Config<P>, B, F, D>;
/// Several transactions in a row with one SPI device; see [`bus::Session`](super::Session).
pub type Session<'a, B, P, F = Fixed, D = NoDelay> = super::Session<'a, Config<P>, B, F, D>;

/// How an SPI device is reached: its chip select, and what else it wants.
///
/// ```
/// use embedded_hal::spi::MODE_3;
/// use ensue::bus::{RateExtU32, spi::Config};
/// # let cs = ();
///
/// let thermocouple = Config::new(cs).settings(MODE_3, 4.MHz()).select_delays(100, 50);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config<P> {
    cs: P,
    pub(crate) plan: Plan,
}

/// The part of a config that is not the pin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    pub(crate) settings: Option<Settings>,
    pub(crate) fixed: bool,
    /// From selecting to the first clock, and from the last clock to deselecting.
    pub(crate) select_ns: (u32, u32),
}

/// Mode and frequency of the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Polarity and phase.
    pub mode: Mode,
    /// The frequency.
    pub frequency: Speed,
}

/// What [`info`](super::Bus::info) tells of an SPI device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label {
    /// What it asked for, if it did.
    pub settings: Option<Settings>,
}

/// Why a transaction failed: `E` is the bus's own error, `P` the pin's, `X` that of the closure
/// which applies the settings.
///
/// To a driver it is an `embedded_hal::spi::Error`. Whatever happened, the chip is deselected
/// afterwards, unless that failed as well, which is said here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error<E, P, X = Infallible> {
    /// Somebody else is using the bus; nothing was done. Try later, from where you came.
    Busy,
    /// The device has been [released](super::Bus::release); nothing was done.
    Released,
    /// The driver asks for a delay within the transaction, and the bus has
    /// [none](super::Bus::with_delay); nothing was done.
    NoDelay,
    /// The settings could not be applied; nothing was transferred.
    Settings(X),
    /// The chip could not be selected; nothing was transferred.
    Select(P),
    /// The bus reports an error.
    Bus(E),
    /// All was transferred, but the chip could not be deselected.
    Deselect(P),
    /// The bus reports an error, and then the chip could not be deselected either.
    BusAndDeselect {
        /// What the bus said.
        bus: E,
        /// What the pin said.
        pin: P,
    },
}

impl<P> Config<P> {
    /// A device selected by this pin, low while selected, with whatever settings the bus has.
    pub const fn new(cs: P) -> Self {
        Self { cs, plan: Plan { settings: None, fixed: false, select_ns: (0, 0) } }
    }

    /// Mode and frequency in transactions with this device.
    pub const fn settings(mut self, mode: Mode, frequency: Speed) -> Self {
        self.plan.settings = Some(Settings { mode, frequency });
        self
    }

    /// The same settings for everybody on this bus: a device that asks for others is refused.
    pub const fn fixed(mut self) -> Self {
        self.plan.fixed = true;
        self
    }

    /// Waits at least so many nanoseconds between selecting and the first clock, and between the
    /// last clock and deselecting. It needs a [delay](super::Bus::with_delay).
    pub const fn select_delays(mut self, before_ns: u32, after_ns: u32) -> Self {
        self.plan.select_ns = (before_ns, after_ns);
        self
    }

    /// The pin back, of a config that was refused.
    pub fn into_cs(self) -> P {
        self.cs
    }
}

impl<P: OutputPin> sealed::Sealed for Config<P> {}

impl<P: OutputPin> Wiring for Config<P> {
    type Settings = Settings;
    type Label = Label;
    type Pin = P;
    type PinError = P::Error;
    type Plan = Plan;

    fn plan(&self) -> Plan {
        self.plan
    }

    fn pin(self) -> P {
        self.cs
    }

    fn idle(&mut self) -> Result<(), P::Error> {
        self.cs.set_high()
    }

    fn is_possible(_: &Plan) -> bool {
        true
    }

    /// Whoever owns a pin is alone on it.
    fn is_same_place(_: &Plan, _: &Plan) -> bool {
        false
    }

    fn pauses(plan: &Plan) -> bool {
        plan.select_ns != (0, 0)
    }

    fn settings(plan: &Plan) -> Option<Settings> {
        plan.settings
    }

    fn is_fixed(plan: &Plan) -> bool {
        plan.fixed
    }

    fn label(plan: &Plan) -> Label {
        Label { settings: plan.settings }
    }
}

/// A selected chip. On the way out by a panic it is deselected here, otherwise by `deselect`.
struct Selected<'a, P: OutputPin> {
    cs: Option<&'a mut P>,
}

impl<'a, P: OutputPin> Selected<'a, P> {
    /// A pin that fails may have moved all the same, so it is put back.
    fn select(cs: &'a mut P) -> Result<Self, P::Error> {
        match cs.set_low() {
            Ok(()) => Ok(Self { cs: Some(cs) }),
            Err(error) => {
                let _first_error_counts = cs.set_high();
                Err(error)
            }
        }
    }

    fn deselect(mut self) -> Result<(), P::Error> {
        self.cs.take().map_or(Ok(()), OutputPin::set_high)
    }
}

impl<P: OutputPin> Drop for Selected<'_, P> {
    fn drop(&mut self) {
        if let Some(cs) = &mut self.cs {
            let _unwinding = cs.set_high();
        }
    }
}

type Outcome<B, P, F> = Result<
    (),
    Error<
        <B as ErrorType>::Error,
        <P as digital::ErrorType>::Error,
        <F as Tune<B, Settings>>::Error,
    >,
>;

/// One transaction, whoever holds the claim, in the order of embedded-hal's contract: select,
/// operations, flush, deselect.
fn transact<Word, B, P, F, D>(
    held: &mut Core<Config<P>, B, F, D>,
    seat: Seat,
    counts: &Counts,
    operations: &mut [Operation<'_, Word>],
) -> Outcome<B, P, F>
where
    Word: Copy + 'static,
    B: SpiBus<Word>,
    P: OutputPin,
    F: Tune<B, Settings>,
    D: Wait,
{
    let plan = held.seated(seat).ok_or(Error::Released)?.plan;
    if !D::CAN_WAIT && operations.iter().any(|it| matches!(it, Operation::DelayNs(_))) {
        return Err(Error::NoDelay);
    }
    held.settle(plan.settings, counts).map_err(Error::Settings)?;
    let Held { bus, delay, slots, .. } = held;
    let cs = &mut seat.slot(slots).ok_or(Error::Released)?.pin;
    let result = selected(bus, cs, delay, plan.select_ns, operations);
    match &result {
        Ok(()) => counts.transferred(total(operations)),
        Err(_) => counts.failed(),
    }
    result
}

fn selected<Word, B, P, X>(
    bus: &mut B,
    cs: &mut P,
    delay: &mut impl Wait,
    (before_ns, after_ns): (u32, u32),
    operations: &mut [Operation<'_, Word>],
) -> Result<(), Error<B::Error, P::Error, X>>
where
    Word: Copy + 'static,
    B: SpiBus<Word>,
    P: OutputPin,
{
    let chip = Selected::select(cs).map_err(Error::Select)?;
    delay.wait_ns(before_ns);
    let moved = operations.iter_mut().try_for_each(|operation| match operation {
        Operation::Read(read) => bus.read(read),
        Operation::Write(write) => bus.write(write),
        Operation::Transfer(read, write) => bus.transfer(read, write),
        Operation::TransferInPlace(words) => bus.transfer_in_place(words),
        Operation::DelayNs(ns) => {
            // The delay counts from the last clock, not from the last byte in a FIFO.
            bus.flush()?;
            delay.wait_ns(*ns);
            Ok(())
        }
    });
    // After an error too: what is still in the FIFO must not reach the next chip.
    let flushed = bus.flush();
    delay.wait_ns(after_ns);
    let deselected = chip.deselect();
    match (moved.and(flushed), deselected) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(bus), Ok(())) => Err(Error::Bus(bus)),
        (Ok(()), Err(pin)) => Err(Error::Deselect(pin)),
        (Err(bus), Err(pin)) => Err(Error::BusAndDeselect { bus, pin }),
    }
}

fn total<Word>(operations: &[Operation<'_, Word>]) -> usize {
    let words = operations.iter().map(|operation| match operation {
        Operation::Read(words) => words.len(),
        Operation::Write(words) => words.len(),
        Operation::Transfer(read, write) => read.len().max(write.len()),
        Operation::TransferInPlace(words) => words.len(),
        Operation::DelayNs(_) => 0,
    });
    words.fold(0, usize::saturating_add).saturating_mul(size_of::<Word>())
}

impl<B, P, F, D> ErrorType for Device<'_, B, P, F, D>
where
    B: ErrorType,
    P: OutputPin,
    F: Tune<B, Settings>,
{
    type Error = Error<B::Error, P::Error, F::Error>;
}

impl<B, P, F, D> ErrorType for Session<'_, B, P, F, D>
where
    B: ErrorType,
    P: OutputPin,
    F: Tune<B, Settings>,
{
    type Error = Error<B::Error, P::Error, F::Error>;
}

impl<Word, B, P, F, D> spi::SpiDevice<Word> for Device<'_, B, P, F, D>
where
    Word: Copy + 'static,
    B: SpiBus<Word>,
    P: OutputPin,
    F: Tune<B, Settings>,
    D: Wait,
{
    fn transaction(&mut self, operations: &mut [Operation<'_, Word>]) -> Result<(), Self::Error> {
        let mut held = self.claim().ok_or(Error::Busy)?;
        transact(&mut held, self.seat, &self.record.counts, operations)
    }
}

/// The chip is selected anew for each transaction, as drivers expect; the bus stays claimed.
impl<Word, B, P, F, D> spi::SpiDevice<Word> for Session<'_, B, P, F, D>
where
    Word: Copy + 'static,
    B: SpiBus<Word>,
    P: OutputPin,
    F: Tune<B, Settings>,
    D: Wait,
{
    fn transaction(&mut self, operations: &mut [Operation<'_, Word>]) -> Result<(), Self::Error> {
        transact(&mut self.held, self.seat, &self.record.counts, operations)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let polarity = u8::from(self.mode.polarity == Polarity::IdleHigh);
        let phase = u8::from(self.mode.phase == Phase::CaptureOnSecondTransition);
        write!(f, "mode {} at {}", 2 * polarity + phase, self.frequency)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.settings {
            Some(settings) => settings.fmt(f),
            None => f.write_str("as the bus is"),
        }
    }
}

impl<E, P, X> spi::Error for Error<E, P, X>
where
    E: spi::Error,
    P: fmt::Debug,
    X: fmt::Debug,
{
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Bus(bus) | Self::BusAndDeselect { bus, .. } => bus.kind(),
            Self::Select(_) | Self::Deselect(_) => ErrorKind::ChipSelectFault,
            _ => ErrorKind::Other,
        }
    }
}

impl<E: fmt::Debug, P: fmt::Debug, X: fmt::Debug> fmt::Display for Error<E, P, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the bus is busy"),
            Self::Released => f.write_str("the device has been released"),
            Self::NoDelay => f.write_str("a delay is asked for, and the bus has none"),
            Self::Settings(error) => write!(f, "the settings could not be applied: {error:?}"),
            Self::Select(pin) => write!(f, "the chip could not be selected: {pin:?}"),
            Self::Bus(bus) => write!(f, "the bus: {bus:?}"),
            Self::Deselect(pin) => write!(f, "the chip could not be deselected: {pin:?}"),
            Self::BusAndDeselect { bus, pin } => {
                write!(f, "the bus: {bus:?}; and the chip could not be deselected: {pin:?}")
            }
        }
    }
}

impl<E: fmt::Debug, P: fmt::Debug, X: fmt::Debug> core::error::Error for Error<E, P, X> {}
