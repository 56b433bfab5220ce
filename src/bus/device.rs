//! A device: what a driver is given in place of the bus. And a session: a device that keeps the bus
//! for more than one transfer.
//!
//! Neither knows how many places the bus has. What they do when a driver calls is in `i2c.rs` and
//! `spi.rs`.

use core::fmt;
use core::ptr;

use super::{Busy, Claim, Claimed, Core, Info, Record, Seat, Wiring};

/// A handle to one device on a [`Bus`](super::Bus): give it to the driver.
///
/// Having one tells that the device was attached, not that it still is; that it answers is told by
/// the first transfer. Clones are handles to the same device.
///
/// It is an `embedded_hal::i2c::I2c` if it was attached with [`i2c::Config`](super::i2c::Config),
/// and an `embedded_hal::spi::SpiDevice` with [`spi::Config`](super::spi::Config).
pub struct Device<'a, W: Wiring, B, F = super::Fixed, D = super::NoDelay> {
    pub(super) held: &'a Claimed<Core<W, B, F, D>>,
    pub(super) record: &'a Record<W>,
    pub(super) seat: Seat,
}

/// A device that keeps the bus claimed, so that nobody comes between its transfers.
///
/// It is what the device is, so a driver takes it, or a `&mut` to it, in the device's place. As
/// long as it lives everybody else gets `Busy`, other handles to the same device too; dropping it
/// ends the claim.
pub struct Session<'a, W: Wiring, B, F = super::Fixed, D = super::NoDelay> {
    pub(super) held: Claim<'a, Core<W, B, F, D>>,
    pub(super) record: &'a Record<W>,
    pub(super) seat: Seat,
}

impl<'a, W: Wiring, B, F, D> Device<'a, W, B, F, D> {
    /// Claims the bus for several transfers in a row.
    ///
    /// Errors: [`Busy`], which is counted.
    ///
    /// Callable from: anywhere that critical sections are.
    ///
    /// ```
    /// # use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
    /// # struct Hal;
    /// # impl ErrorType for Hal { type Error = ErrorKind; }
    /// # impl I2c for Hal {
    /// #     fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), ErrorKind> { Ok(()) }
    /// # }
    /// use ensue::bus::i2c::{Bus, Config, Error};
    ///
    /// let bus = Bus::new(Hal);
    /// let eeprom = bus.attach("eeprom", Config::at(0x50))?;
    /// let mut clock = bus.attach("clock", Config::at(0x51))?;
    ///
    /// let mut session = eeprom.session()?;
    /// session.write(0x50, &[0, 0])?;
    /// assert_eq!(clock.write(0x51, &[2]), Err(Error::Busy));
    /// session.write(0x50, &[1])?;
    /// drop(session);
    /// clock.write(0x51, &[2])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn session(&self) -> Result<Session<'a, W, B, F, D>, Busy> {
        let held = self.claim().ok_or(Busy)?;
        Ok(Session { held, record: self.record, seat: self.seat })
    }

    /// Name, wiring and counters; `None` if the device has been released.
    ///
    /// Callable from: anywhere that critical sections are, also during a transfer.
    pub fn info(&self) -> Option<Info<W::Label>> {
        self.record.info_of(self.seat.generation)
    }

    #[inline]
    pub(super) fn claim(&self) -> Option<Claim<'a, Core<W, B, F, D>>> {
        self.held.claim_or(|| self.record.counts.refused())
    }
}

impl<W: Wiring, B, F, D> Clone for Device<'_, W, B, F, D> {
    fn clone(&self) -> Self {
        Self { held: self.held, record: self.record, seat: self.seat }
    }
}

/// Two handles are equal if they are to the same device.
impl<W: Wiring, B, F, D> PartialEq for Device<'_, W, B, F, D> {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.record, other.record) && self.seat == other.seat
    }
}

impl<W: Wiring, B, F, D> Eq for Device<'_, W, B, F, D> {}

impl<W: Wiring, B, F, D> fmt::Debug for Device<'_, W, B, F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.info().map(|info| info.name);
        f.debug_struct("Device").field("name", &name).finish_non_exhaustive()
    }
}

impl<W: Wiring, B, F, D> fmt::Debug for Session<'_, W, B, F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.record.info_of(self.seat.generation).map(|info| info.name);
        f.debug_struct("Session").field("name", &name).finish_non_exhaustive()
    }
}
