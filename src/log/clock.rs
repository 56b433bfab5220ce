//! What clocks look like in a log: as the time that they show.

use defmt::{Format, Formatter};

use crate::{
    clock::{Counter, Extended, Interrupt, Virtual},
    time::Clock,
};

impl<C: Counter> Format for Extended<C> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Extended({})", self.now());
    }
}

impl Format for Virtual<'_> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Virtual({})", self.now());
    }
}

impl Format for Interrupt<'_> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Interrupt {{ at: {}, .. }}", self.at);
    }
}

#[cfg(feature = "std")]
impl Format for crate::clock::Std {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Std({})", self.now());
    }
}
