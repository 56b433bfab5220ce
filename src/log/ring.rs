//! What rings and messages look like in a log: as with `Debug`.

use defmt::{Format, Formatter};

use crate::ring::{Ids, Iter, Message, PutError, Ring, TooShort, TooSmall, Track};

impl<S: AsRef<[u8]> + ?Sized, T: Track> Format for Ring<S, T> {
    fn format(&self, f: Formatter<'_>) {
        let (size, tail, used) = (self.size(), self.tail(), self.used());
        defmt::write!(f, "Ring {{ size: {=usize}, tail: {=usize}, ", size, tail);
        defmt::write!(f, "used: {=usize}, messages: {} }}", used, self.iter());
    }
}

impl Format for Message<'_> {
    fn format(&self, f: Formatter<'_>) {
        let (first, second) = self.as_slices();
        match second {
            [] => defmt::write!(f, "Message({=u16}, {=[u8]:a})", self.id(), first),
            _ => defmt::write!(f, "Message({=u16}, {=[u8]:a} {=[u8]:a})", self.id(), first, second),
        }
    }
}

impl Format for Iter<'_> {
    fn format(&self, f: Formatter<'_>) {
        list(f, self.clone());
    }
}

impl Format for Ids<'_> {
    fn format(&self, f: Formatter<'_>) {
        list(f, self.clone());
    }
}

impl Format for PutError {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::ReservedId => defmt::write!(f, "ReservedId"),
            Self::TooLong => defmt::write!(f, "TooLong"),
            Self::NeverFits { needed, size } => {
                defmt::write!(f, "NeverFits {{ needed: {=usize}, size: {=usize} }}", needed, size);
            }
            Self::Full { needed, free, reclaimable } => {
                defmt::write!(f, "Full {{ needed: {=usize}, free: {=usize}, ", needed, free);
                defmt::write!(f, "reclaimable: {=usize} }}", reclaimable);
            }
            Self::Overrun { max } => defmt::write!(f, "Overrun {{ max: {=usize} }}", max),
            Self::Unformatted => defmt::write!(f, "Unformatted"),
        }
    }
}

impl Format for TooShort {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "TooShort {{ needed: {=usize} }}", self.needed);
    }
}

impl Format for TooSmall {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "TooSmall");
    }
}

/// Each element of a list whose length nobody knows beforehand.
pub(super) fn list(f: Formatter<'_>, elements: impl Iterator<Item: Format>) {
    defmt::write!(f, "[");
    for (place, element) in elements.enumerate() {
        match place {
            0 => defmt::write!(f, "{}", element),
            _ => defmt::write!(f, ", {}", element),
        }
    }
    defmt::write!(f, "]");
}
