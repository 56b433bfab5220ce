//! What the application asks of a platform's sensors: two thermometers.
//!
//! Boards have them on a bus (`examples/rp2040`); where there are none, `simulated.rs` stands in.

use core::fmt;

use ensue::Instant;

/// The thermometers that a platform brings.
pub(crate) trait Sensors {
    /// The temperature indoors, which is logged and may raise the alarm. A simulation asks for the
    /// time, since nature knows it.
    fn indoors(&mut self, now: Instant) -> Result<Celsius, NoAnswer>;

    /// The temperature outdoors.
    fn outdoors(&mut self, now: Instant) -> Result<Celsius, NoAnswer>;

    /// Tells how they have answered so far, a line for each.
    fn tell(&self, line: &mut dyn FnMut(fmt::Arguments<'_>) -> fmt::Result) -> fmt::Result;
}

/// A sensor did not answer.
pub(crate) struct NoAnswer;

/// A temperature in tenths of a degree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Celsius(i16);

impl Celsius {
    pub(crate) const fn tenths(tenths: i16) -> Self {
        Self(tenths)
    }

    pub(super) const fn from_be_bytes(bytes: [u8; 2]) -> Self {
        Self(i16::from_be_bytes(bytes))
    }

    pub(super) const fn to_be_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Celsius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let tenths = self.0.unsigned_abs();
        write!(f, "{sign}{}.{} C", tenths / 10, tenths % 10)
    }
}
