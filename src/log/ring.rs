//! What rings and messages look like in a log: as with `Debug`.

use defmt::{Format, Formatter};

use crate::ring::{
    BadImage, Boot, Evicted, Flaw, Ids, Iter, Memory, Message, Plain, PutError, Reader, Recovered,
    Reservation, Retained, RetainedRing, Ring, RingReader, RingWriter, SplitRing, Text, TooShort,
    TooSmall, Track, Tracked,
};

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

impl Format for Text<'_> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "{}", defmt::Display2Format(self));
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

impl Format for Reader<'_> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Reader {{ len: {=usize}, .. }}", self.len());
    }
}

impl Format for Plain {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Plain");
    }
}

impl Format for Tracked {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Tracked");
    }
}

impl Format for Reservation<'_> {
    fn format(&self, f: Formatter<'_>) {
        let (id, len, max) = (self.id(), self.len(), self.max());
        defmt::write!(
            f,
            "Reservation {{ id: {=u16}, len: {=usize}, max: {=usize}, .. }}",
            id,
            len,
            max
        );
    }
}

impl Format for Evicted {
    fn format(&self, f: Formatter<'_>) {
        let Self { messages, bytes } = self;
        defmt::write!(f, "Evicted {{ messages: {=usize}, bytes: {=usize} }}", messages, bytes);
    }
}

impl Format for BadImage {
    fn format(&self, f: Formatter<'_>) {
        let Self { offset, reason } = self;
        defmt::write!(f, "BadImage {{ offset: {=usize}, reason: {} }}", offset, reason);
    }
}

impl Format for Flaw {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::TooSmall => defmt::write!(f, "TooSmall"),
            Self::TailOutside => defmt::write!(f, "TailOutside"),
            Self::HeadOutside => defmt::write!(f, "HeadOutside"),
            Self::UsedTooLarge => defmt::write!(f, "UsedTooLarge"),
            Self::HeadElsewhere => defmt::write!(f, "HeadElsewhere"),
            Self::HeaderCut => defmt::write!(f, "HeaderCut"),
            Self::RecordTooLong => defmt::write!(f, "RecordTooLong"),
            Self::HoleInFront => defmt::write!(f, "HoleInFront"),
        }
    }
}

impl Format for Recovered {
    fn format(&self, f: Formatter<'_>) {
        let Self { messages, dropped, flaw } = self;
        defmt::write!(f, "Recovered {{ messages: {=usize}, dropped: {=usize}, ", messages, dropped);
        defmt::write!(f, "flaw: {} }}", flaw);
    }
}

impl<const N: usize> Format for Retained<N> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Retained {{ size: {=usize}, .. }}", N);
    }
}

impl<M: Memory + ?Sized> Format for RetainedRing<'_, M> {
    fn format(&self, f: Formatter<'_>) {
        let (size, used) = (self.size(), self.used());
        defmt::write!(f, "RetainedRing {{ size: {=usize}, used: {=usize}, ", size, used);
        defmt::write!(f, "messages: {} }}", self.iter());
    }
}

impl Format for Boot {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::First => defmt::write!(f, "First"),
            Self::Foreign { version } => defmt::write!(f, "Foreign {{ version: {=u8} }}", version),
            Self::OtherSize { size } => defmt::write!(f, "OtherSize {{ size: {=usize} }}", size),
            Self::Again(recovered) => defmt::write!(f, "Again({})", recovered),
        }
    }
}

impl<const N: usize> Format for SplitRing<N> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "SplitRing {{ size: {=usize}, .. }}", N);
    }
}

impl Format for RingWriter<'_> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "RingWriter {{ size: {=usize}, .. }}", self.size());
    }
}

impl Format for RingReader<'_> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "RingReader {{ size: {=usize}, .. }}", self.size());
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
