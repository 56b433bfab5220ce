//! What buses and their devices look like in a log: as with `Debug`.

use defmt::{Format, Formatter};

use super::ring::list;
use crate::bus::{
    AttachError, Bus, Busy, Counters, Device, Fixed, Info, Infos, NoDelay, NoSuchDevice,
    RecoverError, Recovered, Refused, ReleaseError, Session, Wiring, Wish, i2c, spi,
};

impl<W: Wiring<Label: Format>, B, const DEVICES: usize, F, D> Format for Bus<W, B, DEVICES, F, D> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Bus {{ devices: {}, .. }}", self.info());
    }
}

impl<W: Wiring, B, F, D> Format for Device<'_, W, B, F, D> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Device {{ name: {:?}, .. }}", self.info().map(|info| info.name));
    }
}

impl<W: Wiring, B, F, D> Format for Session<'_, W, B, F, D> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Session");
    }
}

impl Format for Fixed {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Fixed");
    }
}

impl<C> Format for crate::clock::Delay<C> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Delay");
    }
}

impl Format for NoDelay {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "NoDelay");
    }
}

impl<W, S: Format, E: Format> Format for Refused<W, S, E> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Refused {{ reason: {}, .. }}", self.reason);
    }
}

impl<S: Format, E: Format> Format for AttachError<S, E> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::NameTaken => defmt::write!(f, "NameTaken"),
            Self::AddressTaken { by } => defmt::write!(f, "AddressTaken {{ by: {=str:?} }}", by),
            Self::NoAddress => defmt::write!(f, "NoAddress"),
            Self::ConfigConflict { wants, against } => {
                defmt::write!(f, "ConfigConflict {{ wants: {}, against: {} }}", wants, against);
            }
            Self::NoDelay => defmt::write!(f, "NoDelay"),
            Self::Full => defmt::write!(f, "Full"),
            Self::Busy => defmt::write!(f, "Busy"),
            Self::Pin(error) => defmt::write!(f, "Pin({})", error),
        }
    }
}

impl<S: Format> Format for Wish<S> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Wish {{ name: {=str:?}, settings: {} }}", self.name, self.settings);
    }
}

impl Format for NoSuchDevice {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "NoSuchDevice");
    }
}

impl Format for Busy {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Busy");
    }
}

impl Format for ReleaseError {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::NoSuchDevice => defmt::write!(f, "NoSuchDevice"),
            Self::Busy => defmt::write!(f, "Busy"),
        }
    }
}

impl Format for Counters {
    fn format(&self, f: Formatter<'_>) {
        let Self { transfers, bytes, nacks, errors, retries, reconfigurations, refused } = self;
        defmt::write!(f, "Counters {{ transfers: {=u32}, bytes: {=u32}, ", transfers, bytes);
        defmt::write!(
            f,
            "nacks: {=u32}, errors: {=u32}, retries: {=u32}, ",
            nacks,
            errors,
            retries
        );
        defmt::write!(f, "reconfigurations: {=u32}, refused: {=u32} }}", reconfigurations, refused);
    }
}

impl<L: Format> Format for Info<L> {
    fn format(&self, f: Formatter<'_>) {
        let Self { name, label, counters } = self;
        defmt::write!(
            f,
            "Info {{ name: {=str:?}, label: {}, counters: {} }}",
            name,
            label,
            counters
        );
    }
}

impl<W: Wiring<Label: Format>> Format for Infos<'_, W> {
    fn format(&self, f: Formatter<'_>) {
        list(f, self.clone());
    }
}

impl Format for Recovered {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::WasFree => defmt::write!(f, "WasFree"),
            Self::After { clocks } => defmt::write!(f, "After {{ clocks: {=u8} }}", clocks),
        }
    }
}

impl<E: Format> Format for RecoverError<E> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::SclStuck => defmt::write!(f, "SclStuck"),
            Self::SdaStuck => defmt::write!(f, "SdaStuck"),
            Self::Pin(error) => defmt::write!(f, "Pin({})", error),
        }
    }
}

impl Format for i2c::Config {
    fn format(&self, f: Formatter<'_>) {
        let Self { address, speed, fixed, retry } = self;
        defmt::write!(f, "Config {{ address: {}, speed: {}, ", address, speed);
        defmt::write!(f, "fixed: {=bool}, retry: {} }}", fixed, retry);
    }
}

impl Format for i2c::Address {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Seven(bits) => defmt::write!(f, "Seven({=u8:#x})", bits),
            Self::Ten(bits) => defmt::write!(f, "Ten({=u16:#x})", bits),
        }
    }
}

impl Format for i2c::Label {
    fn format(&self, f: Formatter<'_>) {
        let Self { address, speed } = self;
        defmt::write!(f, "Label {{ address: {}, speed: {} }}", address, speed);
    }
}

impl<E: Format, X: Format> Format for i2c::Error<E, X> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Busy => defmt::write!(f, "Busy"),
            Self::Released => defmt::write!(f, "Released"),
            Self::WrongAddress { bound, used } => {
                defmt::write!(f, "WrongAddress {{ bound: {}, used: {} }}", bound, used);
            }
            Self::Settings(error) => defmt::write!(f, "Settings({})", error),
            Self::Bus(error) => defmt::write!(f, "Bus({})", error),
        }
    }
}

impl<P> Format for spi::Config<P> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Config {{ plan: {}, .. }}", self.plan);
    }
}

impl Format for spi::Plan {
    fn format(&self, f: Formatter<'_>) {
        let Self { settings, fixed, select_ns } = self;
        defmt::write!(f, "Plan {{ settings: {}, fixed: {=bool}, ", settings, fixed);
        defmt::write!(f, "select_ns: {} }}", select_ns);
    }
}

impl Format for spi::Settings {
    fn format(&self, f: Formatter<'_>) {
        let Self { mode, frequency } = self;
        defmt::write!(f, "Settings {{ mode: {}, frequency: {} }}", mode, frequency);
    }
}

impl Format for spi::Label {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Label {{ settings: {} }}", self.settings);
    }
}

impl<E: Format, P: Format, X: Format> Format for spi::Error<E, P, X> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Busy => defmt::write!(f, "Busy"),
            Self::Released => defmt::write!(f, "Released"),
            Self::NoDelay => defmt::write!(f, "NoDelay"),
            Self::Settings(error) => defmt::write!(f, "Settings({})", error),
            Self::Select(error) => defmt::write!(f, "Select({})", error),
            Self::Bus(error) => defmt::write!(f, "Bus({})", error),
            Self::Deselect(error) => defmt::write!(f, "Deselect({})", error),
            Self::BusAndDeselect { bus, pin } => {
                defmt::write!(f, "BusAndDeselect {{ bus: {}, pin: {} }}", bus, pin);
            }
        }
    }
}
