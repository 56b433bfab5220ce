//! How times look.

use core::fmt;

use ensue::{Duration, Instant};

/// Hours, minutes, seconds and milliseconds since the start: `00:12:05.000`.
pub(super) struct Stamp(pub(super) Instant);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_ticks() / 1_000;
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}.{millis:03}")
    }
}

/// A time that may not be known, as wide as a [`Stamp`].
pub(super) struct MaybeStamp(pub(super) Option<Instant>);

impl fmt::Display for MaybeStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(instant) => Stamp(instant).fmt(f),
            None => f.write_str("-           "),
        }
    }
}

/// A period: `120 s`, or `1500 ms`.
pub(super) struct Period(pub(super) Duration);

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        match millis % 1_000 {
            0 => write!(f, "{} s", millis / 1_000),
            _ => write!(f, "{millis} ms"),
        }
    }
}

/// As wide as a stamp in its brackets, and empty.
pub(super) struct Margin;

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("               ")
    }
}
