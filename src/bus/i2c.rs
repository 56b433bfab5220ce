//! I2C: devices bound to an address, on a [`Bus`](super::Bus) over any `embedded_hal::i2c::I2c`.

use core::convert::Infallible;
use core::fmt;

use embedded_hal::i2c::{
    self, AddressMode, Error as _, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation,
};

use super::{Core, Counts, Fixed, NoDelay, Seat, Speed, Tune, Wait, Wiring, sealed};
use crate::pattern::Backoff;
use crate::time::{Duration, Instant, since};

/// A bus of I2C devices. Its methods are those of [`bus::Bus`](super::Bus).
pub type Bus<B, const DEVICES: usize = 4, F = Fixed, D = NoDelay> =
    super::Bus<Config, B, DEVICES, F, D>;
/// An I2C device. Its methods are those of [`bus::Device`](super::Device).
pub type Device<'a, B, F = Fixed, D = NoDelay> = super::Device<'a, Config, B, F, D>;
/// Several transfers in a row with one I2C device; see [`bus::Session`](super::Session).
pub type Session<'a, B, F = Fixed, D = NoDelay> = super::Session<'a, Config, B, F, D>;

/// How an I2C device is reached.
///
/// ```
/// use ensue::{ExtU64, bus::{RateExtU32, i2c::Config}, pattern::Backoff};
///
/// // An EEPROM, which does not answer for some milliseconds after each write.
/// const PATIENT: Backoff = Backoff::new(ensue::Duration::from_millis(1), ensue::Duration::from_millis(4));
/// let eeprom = Config::at(0x50).speed(400.kHz()).retry(PATIENT.give_up_after(5));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    pub(crate) address: Address,
    pub(crate) speed: Option<Speed>,
    pub(crate) fixed: bool,
    pub(crate) retry: Backoff,
}

/// An address of either length, as it stands in a data sheet without the direction bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Address {
    /// 7 bits: 0 to 0x7F.
    Seven(u8),
    /// 10 bits: 0 to 0x3FF.
    Ten(u16),
}

/// What [`info`](super::Bus::info) tells of an I2C device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label {
    /// Where it answers.
    pub address: Address,
    /// The speed it asked for, if it did.
    pub speed: Option<Speed>,
}

/// Why a transfer failed: `E` is the bus's own error, `X` that of the closure which sets the speed.
///
/// To a driver it is an `embedded_hal::i2c::Error`; only errors of the bus have a kind other than
/// `Other`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error<E, X = Infallible> {
    /// Somebody else is using the bus; nothing was done. Try later, from where you came: trying
    /// again in a loop, in an interrupt, would wait for what it interrupted.
    Busy,
    /// The device has been [released](super::Bus::release); nothing was done.
    Released,
    /// The driver talks to another address than the device's; nothing was done.
    WrongAddress {
        /// The device's address.
        bound: Address,
        /// The one that was used.
        used: Address,
    },
    /// The speed could not be set; nothing was transferred.
    Settings(X),
    /// The bus reports an error.
    Bus(E),
}

impl Config {
    /// A device at a 7-bit address, at whatever speed the bus has, without retries.
    ///
    /// The address is without the direction bit, so 0x7F is the largest; what is larger is refused
    /// when it is attached, as it is most likely twice what was meant.
    pub const fn at(address: u8) -> Self {
        Self::new(Address::Seven(address))
    }

    /// A device at a 10-bit address; 0x3FF is the largest.
    pub const fn at_ten_bit(address: u16) -> Self {
        Self::new(Address::Ten(address))
    }

    const fn new(address: Address) -> Self {
        const ONCE: Backoff =
            Backoff::new(Duration::from_ticks(0), Duration::from_ticks(0)).give_up_after(1);
        Self { address, speed: None, fixed: false, retry: ONCE }
    }

    /// The speed of the clock in transfers with this device.
    pub const fn speed(mut self, speed: Speed) -> Self {
        self.speed = Some(speed);
        self
    }

    /// The same speed for everybody on this bus: a device that asks for another one is refused. For
    /// devices that are disturbed by faster traffic which is not for them.
    pub const fn fixed(mut self) -> Self {
        self.fixed = true;
        self
    }

    /// Tries again, after a pause, when the device does not acknowledge its *address*: then nothing
    /// has happened yet, so doing it again does it once. Other errors are never retried, and a
    /// missing acknowledgement of which the HAL cannot say whether it was the address's is an other
    /// error.
    ///
    /// Each transfer begins with this `backoff` afresh. The bus stays claimed through the pauses, so
    /// keep them short; for long ones return the error and come back later. Pauses need a
    /// [delay](super::Bus::with_delay).
    pub const fn retry(mut self, backoff: Backoff) -> Self {
        self.retry = backoff;
        self
    }
}

impl sealed::Sealed for Config {}

impl Wiring for Config {
    type Settings = Speed;
    type Label = Label;
    type Pin = ();
    type PinError = Infallible;
    type Plan = Self;

    fn plan(&self) -> Self {
        *self
    }

    fn pin(self) {}

    fn idle(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn is_possible(plan: &Self) -> bool {
        match plan.address {
            Address::Seven(address) => address <= 0x7F,
            Address::Ten(address) => address <= 0x3FF,
        }
    }

    fn is_same_place(plan: &Self, other: &Self) -> bool {
        plan.address == other.address
    }

    fn pauses(plan: &Self) -> bool {
        let start = Instant::from_ticks(0);
        { plan.retry }.failed(start).is_some_and(|next| next > start)
    }

    fn settings(plan: &Self) -> Option<Speed> {
        plan.speed
    }

    fn is_fixed(plan: &Self) -> bool {
        plan.fixed
    }

    fn label(plan: &Self) -> Label {
        Label { address: plan.address, speed: plan.speed }
    }
}

/// One transfer, whoever holds the claim: the order of what can go wrong is the order of `Error`.
///
/// This is in each kind of transfer; what comes before and after a failure is there once.
#[inline]
fn transfer<B, F, D>(
    held: &mut Core<Config, B, F, D>,
    seat: Seat,
    counts: &Counts,
    used: Address,
    bytes: usize,
    mut run: impl FnMut(&mut B) -> Result<(), B::Error>,
) -> Result<(), Error<B::Error, F::Error>>
where
    B: ErrorType,
    F: Tune<B, Speed>,
    D: Wait,
{
    if !is_ready(held, seat, used) {
        make_ready(held, seat, counts, used)?;
    }
    match run(&mut held.bus).or_else(|error| again(held, seat, counts, error, &mut run)) {
        Ok(()) => {
            counts.transferred(bytes);
            Ok(())
        }
        Err(error) => Err(Error::Bus(error)),
    }
}

/// Whether the transfer can begin as things are, which is the usual case.
#[inline]
fn is_ready<B, F, D>(held: &mut Core<Config, B, F, D>, seat: Seat, used: Address) -> bool
where
    F: Tune<B, Speed>,
{
    let Some(slot) = held.seated(seat) else { return false };
    let speed = slot.plan.speed;
    slot.plan.address == used && held.is_settled(speed)
}

/// Sees to what is missing, or says why there can be no transfer.
#[cold]
fn make_ready<B, F, D>(
    held: &mut Core<Config, B, F, D>,
    seat: Seat,
    counts: &Counts,
    used: Address,
) -> Result<(), Error<B::Error, F::Error>>
where
    B: ErrorType,
    F: Tune<B, Speed>,
{
    let plan = &held.seated(seat).ok_or(Error::Released)?.plan;
    let (bound, speed) = (plan.address, plan.speed);
    if used != bound {
        return Err(Error::WrongAddress { bound, used });
    }
    held.settle(speed, counts).map_err(Error::Settings)
}

/// What is done about an error: try again while it says that nothing has happened yet.
#[cold]
fn again<B, F, D>(
    held: &mut Core<Config, B, F, D>,
    seat: Seat,
    counts: &Counts,
    mut error: B::Error,
    run: &mut dyn FnMut(&mut B) -> Result<(), B::Error>,
) -> Result<(), B::Error>
where
    B: ErrorType,
    D: Wait,
{
    let mut backoff = held.seated(seat).map(|slot| slot.plan.retry);
    // For the backoff time stands still: nothing is forgotten between two tries of one transfer.
    let now = Instant::from_ticks(0);
    loop {
        let retry = match error.kind() {
            ErrorKind::NoAcknowledge(source) => {
                counts.not_acknowledged();
                source == NoAcknowledgeSource::Address
            }
            _ => {
                counts.failed();
                false
            }
        };
        let Some(next) = backoff.as_mut().filter(|_| retry).and_then(|it| it.failed(now)) else {
            return Err(error);
        };
        held.delay.wait(since(next, now));
        counts.retried();
        match run(&mut held.bus) {
            Ok(()) => return Ok(()),
            Err(next) => error = next,
        }
    }
}

impl<B, F, D> ErrorType for Device<'_, B, F, D>
where
    B: ErrorType,
    F: Tune<B, Speed>,
{
    type Error = Error<B::Error, F::Error>;
}

impl<B, F, D> ErrorType for Session<'_, B, F, D>
where
    B: ErrorType,
    F: Tune<B, Speed>,
{
    type Error = Error<B::Error, F::Error>;
}

impl<B, F, D> Device<'_, B, F, D>
where
    B: ErrorType,
    F: Tune<B, Speed>,
    D: Wait,
{
    #[inline]
    fn transfer(
        &self,
        address: Address,
        bytes: usize,
        run: impl FnMut(&mut B) -> Result<(), B::Error>,
    ) -> Result<(), Error<B::Error, F::Error>> {
        let mut held = self.claim().ok_or(Error::Busy)?;
        transfer(&mut held, self.seat, &self.record.counts, address, bytes, run)
    }
}

impl<B, F, D> Session<'_, B, F, D>
where
    B: ErrorType,
    F: Tune<B, Speed>,
    D: Wait,
{
    #[inline]
    fn transfer(
        &mut self,
        address: Address,
        bytes: usize,
        run: impl FnMut(&mut B) -> Result<(), B::Error>,
    ) -> Result<(), Error<B::Error, F::Error>> {
        transfer(&mut self.held, self.seat, &self.record.counts, address, bytes, run)
    }
}

/// For both lengths of address, as far as the bus knows them. Each method calls the bus's own, for
/// a HAL may do a plain write better than a transaction of one.
impl<A, B, F, D> I2c<A> for Device<'_, B, F, D>
where
    A: AddressMode + Copy + Into<Address>,
    B: I2c<A>,
    F: Tune<B, Speed>,
    D: Wait,
{
    #[inline]
    fn read(&mut self, address: A, read: &mut [u8]) -> Result<(), Self::Error> {
        self.transfer(address.into(), read.len(), |bus| bus.read(address, read))
    }

    #[inline]
    fn write(&mut self, address: A, write: &[u8]) -> Result<(), Self::Error> {
        self.transfer(address.into(), write.len(), |bus| bus.write(address, write))
    }

    #[inline]
    fn write_read(&mut self, address: A, write: &[u8], read: &mut [u8]) -> Result<(), Self::Error> {
        let bytes = write.len().saturating_add(read.len());
        self.transfer(address.into(), bytes, |bus| bus.write_read(address, write, read))
    }

    #[inline]
    fn transaction(
        &mut self,
        address: A,
        operations: &mut [Operation<'_>],
    ) -> Result<(), Self::Error> {
        let bytes = total(operations);
        self.transfer(address.into(), bytes, |bus| bus.transaction(address, operations))
    }
}

/// As for the device, the claim being held already.
impl<A, B, F, D> I2c<A> for Session<'_, B, F, D>
where
    A: AddressMode + Copy + Into<Address>,
    B: I2c<A>,
    F: Tune<B, Speed>,
    D: Wait,
{
    #[inline]
    fn read(&mut self, address: A, read: &mut [u8]) -> Result<(), Self::Error> {
        self.transfer(address.into(), read.len(), |bus| bus.read(address, read))
    }

    #[inline]
    fn write(&mut self, address: A, write: &[u8]) -> Result<(), Self::Error> {
        self.transfer(address.into(), write.len(), |bus| bus.write(address, write))
    }

    #[inline]
    fn write_read(&mut self, address: A, write: &[u8], read: &mut [u8]) -> Result<(), Self::Error> {
        let bytes = write.len().saturating_add(read.len());
        self.transfer(address.into(), bytes, |bus| bus.write_read(address, write, read))
    }

    #[inline]
    fn transaction(
        &mut self,
        address: A,
        operations: &mut [Operation<'_>],
    ) -> Result<(), Self::Error> {
        let bytes = total(operations);
        self.transfer(address.into(), bytes, |bus| bus.transaction(address, operations))
    }
}

fn total(operations: &[Operation<'_>]) -> usize {
    let sizes = operations.iter().map(|operation| match operation {
        Operation::Read(read) => read.len(),
        Operation::Write(write) => write.len(),
    });
    sizes.fold(0, usize::saturating_add)
}

impl From<u8> for Address {
    fn from(address: u8) -> Self {
        Self::Seven(address)
    }
}

impl From<u16> for Address {
    fn from(address: u16) -> Self {
        Self::Ten(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seven(address) => write!(f, "{address:#04x}"),
            Self::Ten(address) => write!(f, "{address:#05x} (10 bit)"),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        self.speed.map_or(Ok(()), |speed| write!(f, " at {speed}"))
    }
}

impl<E: i2c::Error, X: fmt::Debug> i2c::Error for Error<E, X> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Bus(error) => error.kind(),
            _ => ErrorKind::Other,
        }
    }
}

impl<E: fmt::Debug, X: fmt::Debug> fmt::Display for Error<E, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the bus is busy"),
            Self::Released => f.write_str("the device has been released"),
            Self::WrongAddress { bound, used } => {
                write!(f, "the device is at {bound}, its driver uses {used}")
            }
            Self::Settings(error) => write!(f, "the speed could not be set: {error:?}"),
            Self::Bus(error) => write!(f, "the bus: {error:?}"),
        }
    }
}

impl<E: fmt::Debug, X: fmt::Debug> core::error::Error for Error<E, X> {}
