//! A sensor that is not there: a temperature that is the same every time.
//!
//! It goes up and down between 16 and 30 degrees in twelve minutes, with a ripple on it so that it
//! crosses each threshold more than once, and every 250th time the sensor does not answer.

use core::fmt;

use ensue::Instant;

/// A temperature in tenths of a degree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Celsius(i16);

impl Celsius {
    pub(super) const fn tenths(tenths: i16) -> Self {
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

/// The sensor did not answer.
pub(super) struct NoAnswer;

pub(super) struct Sensor {
    conversions: u8,
}

impl Sensor {
    pub(super) const fn new() -> Self {
        Self { conversions: 0 }
    }

    /// The temperature at a time.
    pub(super) fn read(&mut self, now: Instant) -> Result<Celsius, NoAnswer> {
        self.conversions = (self.conversions + 1) % 250;
        if self.conversions == 25 {
            return Err(NoAnswer);
        }
        // It starts on the way up, not far from being too warm.
        let seconds = (now.as_ticks() / 1_000_000 % 720) as u16 + 255;
        let wave = triangle(seconds, 720) * 7 / 18; // 0..=140
        let ripple = triangle(seconds, 10); // 0..=5
        Ok(Celsius((158 + wave + ripple) as i16))
    }
}

/// Up from 0 to half the period, and down again.
fn triangle(seconds: u16, period: u16) -> u16 {
    let phase = seconds % period;
    phase.min(period - phase)
}
