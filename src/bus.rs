//! One bus, several drivers: I2C and SPI adapters that say when something is wrong.
//!
//! A driver wants the bus for itself, and there are several drivers. [`Bus`] takes the HAL's I2C or
//! SPI, and for each chip [`Bus::attach`] gives a [`Device`] that a driver crate takes for the real
//! thing. Behind that it knows who is there, so it can refuse what cannot be right *before* the
//! first transfer: two drivers on one address, two settings that exclude each other, an address
//! that is no address, a pause nobody can wait for. And it counts.
//!
//! ```
//! # use core::convert::Infallible;
//! # use embedded_hal::i2c::{ErrorType, I2c, Operation};
//! # struct Hal { speed: u32 }
//! # impl ErrorType for Hal { type Error = embedded_hal::i2c::ErrorKind; }
//! # impl I2c for Hal {
//! #     fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), Self::Error> { Ok(()) }
//! # }
//! # impl Hal { fn set_speed(&mut self, hertz: u32) { self.speed = hertz } }
//! # let i2c = Hal { speed: 0 };
//! use ensue::bus::{AttachError, RateExtU32, i2c::{Bus, Config}};
//!
//! let bus = Bus::new(i2c).tuned(100.kHz(), |i2c, speed| {
//!     i2c.set_speed(speed.to_Hz()); // however your HAL does it
//!     Ok::<(), Infallible>(())
//! });
//! let mut imu = bus.attach("imu", Config::at(0x68).speed(400.kHz()))?;
//! let mut clock = bus.attach("clock", Config::at(0x51))?;
//!
//! imu.write(0x68, &[0x6B, 0])?; // or `SomeDriver::new(imu, 0x68)`
//! clock.write(0x51, &[0x02])?;
//! assert!(imu.write(0x69, &[0]).is_err()); // not its address
//! assert!(bus.attach("other", Config::at(0x68)).is_err_and(|refused| {
//!     refused.reason == AttachError::AddressTaken { by: "imu" }
//! }));
//!
//! let imu_again = bus.device("imu")?;
//! assert_eq!(imu_again, imu);
//! assert_eq!(
//!     bus.info().to_string(),
//!     "imu, 0x68 at 400000 Hz: 1 transfers, 2 bytes, 1 reconfigurations\n\
//!      clock, 0x51: 1 transfers, 1 bytes, 1 reconfigurations\n"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is shared
//!
//! The bus is *claimed* for the time of one transfer, or of a [`Session`]. Claiming is a few
//! instructions in a critical section; the transfer itself runs with interrupts on. Who comes while
//! it is claimed, from an interrupt or from the other core, gets `Busy` at once, and nothing is
//! harmed. The claim ends with the transfer however it ends: well, in an error or, on a host, in a
//! panic. A session that is leaked (`core::mem::forget`) keeps it for good.
//!
//! A [`Bus`] may be shared between interrupts, cores and threads if what it holds may be sent there,
//! and not otherwise:
//!
//! ```compile_fail,E0277
//! # use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
//! # struct Hal(std::rc::Rc<u8>); // for one thread only
//! # impl ErrorType for Hal { type Error = ErrorKind; }
//! # impl I2c for Hal {
//! #     fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), ErrorKind> { Ok(()) }
//! # }
//! use ensue::bus::i2c::{Bus, Config};
//!
//! fn must_be_send<T: Send>(_: T) {}
//! let bus = Bus::new(Hal(std::rc::Rc::new(0)));
//! if let Ok(device) = bus.attach("imu", Config::at(0x68)) {
//!     must_be_send(device);
//! }
//! ```
//!
//! # Settings
//!
//! A device may ask for a speed (SPI: mode and frequency). Where the bus was given a closure that
//! sets them ([`Bus::tuned`]), it is called when the last transfer had others, and only then. Where
//! it was not, the bus cannot change, so two devices that ask for different ones are refused
//! ([`AttachError::ConfigConflict`], which names both); so they are where one of them says that its
//! settings hold for everybody (`fixed`).
//!
//! # What it costs
//!
//! Instructions on a Cortex-M3 for a plain write, over the bare call of the HAL, at `opt-level` 3 /
//! "s", beside others in the same run (`cargo run --release --bin bus` in `benches/qemu`):
//!
//! | | I2C | SPI | interrupts masked |
//! |---|--:|--:|--:|
//! | this | 47 / 62 | 41 / 72 | 8 |
//! | in a session | 34 / 33 | 29 / 61 | never |
//! | refused, all in all | 40 / 55 | | 8 |
//! | embedded-hal-bus, `AtomicDevice` | 21 / 20 | 23 / 22 | never |
//! | embedded-hal-bus, `RefCellDevice` | 16 / 15 | 16 / 15 | never |
//! | embedded-hal-bus, `CriticalSectionDevice` | 20 / 19 | 20 / 19 | for the whole transfer |
//!
//! The difference is looking up the device, comparing the address and counting; one byte at 400 kHz
//! lasts 2,800 cycles of a chip at 125 MHz. The longest time with interrupts masked is 12
//! instructions, in `attach` and `release`. RAM on a 32-bit chip: 144 bytes for an I2C bus with room
//! for one device, 488 for four; a handle has 20.
//!
//! # Beside others
//!
//! Each "yes" in the first column is held by the tests on the right, in the file of that name below
//! `tests/`. The other columns are from their sources: embedded-hal-bus 0.3.0, embassy-embedded-hal
//! 0.6.0 (its blocking half, unless it says async), shared-bus 0.3.1, `i2c_master` of ESP-IDF 5.
//!
//! | | this | e-h-bus | embassy | shared-bus | ESP-IDF | shown in |
//! |---|---|---|---|---|---|---|
//! | drivers for embedded-hal 1.0 as they are | yes | yes | yes | no, 0.2 | no, C | `bus_drivers`; `bus_i2c`: a driver takes .. |
//! | a device is bound to its address | yes | no | no | no | yes | `bus_i2c`: another address .. |
//! | a second device at an address is refused | yes | no | no | no | no | `bus_i2c`: a second device on an address .. |
//! | what is no address is refused when attached | yes | no | no | no | no | `bus_i2c`: what is no address .. |
//! | 10-bit addresses | yes | no | no | no | yes | `bus_i2c`: seven and ten bits .. |
//! | settings for each device | yes | no | yes, if the HAL implements its trait | no | speed | `bus_i2c`: the speed is set .., `bus_spi`: settings are applied .. |
//! | they are applied only when the last ones differed | yes | | no | | no | the same |
//! | settings that exclude each other are refused, both sides named | yes | no | no | no | no | `bus_i2c`: .. stands against .., `bus_spi`: settings that exclude .. |
//! | may be used in interrupts, which stay on during a transfer | yes | `AtomicDevice` | no: masked, or not in interrupts | its atomic check, Cortex-M | not in interrupts | `bus_claim`: interrupts are on ..; on chips `examples/qemu`, `checks`: an interrupt finds .. |
//! | who comes second gets an error | yes | `AtomicDevice`; `RefCellDevice` panics | panics | panics | waits, to a limit | `bus_claim`: an interrupt during .. |
//! | the claim ends when a panic unwinds | yes | not of `AtomicDevice`, `MutexDevice` | yes | not with `std` | | `bus_claim`: a panic .. |
//! | and the chip is deselected then | yes | no | no | no | | `bus_claim`: a panic in a transaction .. |
//! | `Send` only if the HAL's bus is | yes | not `i2c::AtomicDevice` | yes | not the atomic check | | `compile_fail` above, `bus_claim`: a bus may be shared .. |
//! | SPI: select, work, flush, deselect, on every path | yes | yes | yes | no SPI devices | | `bus_spi`: a transaction .., wherever a transaction fails .. |
//! | errors of bus and pin both reported | yes | one | one | | | `bus_spi`: what the pin says .., wherever .. |
//! | delays between select and clock | yes | no | no | | | `bus_spi`: a transaction .. |
//! | a delay that nobody can wait for | refused | panics | refused | | | `bus_spi`: a delay within .. |
//! | several transfers in a row | yes | no | no | no | no | `bus_i2c`, `bus_spi`: .. session .. |
//! | retry with growing pauses | yes | no | no | no | no | `bus_i2c`: an address that is not acknowledged .. |
//! | counters for each device | yes | no | no | no | no | `bus_i2c`: each kind .., tries end .. |
//! | a list of devices, as values and as text | yes | no | no | no | no | `bus_i2c`: info .. |
//! | a device found by its name | yes | no | no | no | no | `bus_i2c`: a device is found .. |
//! | a device released, its pin given back | yes | dropped | dropped | dropped | yes | `bus_i2c`: after its release .., `bus_spi`: the same device .. |
//! | a stuck bus freed, and told whether it worked | yes | no | no | no | freed; told on some chips | `bus_recover` |
//! | async | not yet | no | yes | no | callbacks | |
//! | waiting for one's turn | no | `MutexDevice`, with `std` | async | with `std` | yes | |
//!
//! A chip that is alone on its SPI needs no bus: take `embedded-hal-bus`'s `ExclusiveDevice`. And
//! where threads should wait for each other, its `MutexDevice`: nothing here waits, as a wait in an
//! interrupt for what it interrupted would never end.
//!
//! # Not yet
//!
//! Async devices, over `embedded-hal-async`: they will wait for their turn instead of being told
//! `Busy`.

use core::convert::Infallible;
use core::fmt;

use embedded_hal::delay::DelayNs;

mod claim;
mod device;
mod info;
mod recover;

pub mod i2c;
pub mod spi;

use claim::{Claim, Claimed};
use info::{Counts, Record};

pub use device::{Device, Session};
pub use fugit::RateExtU32;
pub use info::{Counters, Info, Infos};
pub use recover::{RecoverError, Recovered, recover_bus};

use crate::time::Duration;

/// The frequency of a bus's clock, written as `400.kHz()` with [`RateExtU32`] in scope, or in a
/// `const` as `Speed::kHz(400)`.
pub type Speed = fugit::HertzU32;

/// A bus that several drivers share: `B` is the HAL's, `W` how devices are wired to it.
///
/// Name it as [`i2c::Bus`] or [`spi::Bus`], which say `W` for you. `DEVICES` is how many can be
/// attached. `F` applies settings, `D` waits.
///
/// It has no `static` constructor to speak of, since hardware is handed out at run time: keep it
/// on the stack of `main`, or in a `StaticCell` when devices are to be `'static`.
pub struct Bus<W: Wiring, B, const DEVICES: usize = 4, F = Fixed, D = NoDelay> {
    held: Claimed<Held<W, B, F, D, Places<W, DEVICES>>>,
    records: [Record<W>; DEVICES],
}

impl<W: Wiring, B> Bus<W, B> {
    /// A bus with room for four devices, whose settings stay as they are.
    pub const fn new(bus: B) -> Self {
        Self::with_room(bus)
    }

    /// The same with room for as many devices as you say: `Bus::with_room::<9>(i2c)`.
    pub const fn with_room<const DEVICES: usize>(bus: B) -> Bus<W, B, DEVICES> {
        let slots = [const { None }; DEVICES];
        let held = Held { bus, tune: Fixed, delay: NoDelay, usual: None, current: None, slots };
        Bus { held: Claimed::new(held), records: [const { Record::new() }; DEVICES] }
    }
}

impl<W: Wiring, B, const DEVICES: usize, D> Bus<W, B, DEVICES, Fixed, D> {
    /// Says which settings the bus has, where it cannot change them: a device that asks for others
    /// is refused. Without this the first device that asks for any says it.
    pub fn fixed(mut self, settings: W::Settings) -> Self {
        self.held.get_mut().usual = Some(settings);
        self
    }

    /// Gives the bus a closure that applies settings, and says which ones serve devices that ask
    /// for none.
    ///
    /// The closure runs before the first transfer, and before each whose settings are not those of
    /// the last one, with the bus claimed. When it fails, the transfer fails, and the next one
    /// calls it again.
    ///
    /// A closure's type has no name. Where you must write the bus's or a device's type, in a struct
    /// or a `static`, give a function as a pointer:
    ///
    /// ```
    /// # struct Hal { speed: u32 }
    /// use core::convert::Infallible;
    /// use ensue::bus::{RateExtU32, Speed, i2c};
    ///
    /// type SetSpeed = fn(&mut Hal, Speed) -> Result<(), Infallible>;
    /// struct Imu<'a> {
    ///     device: i2c::Device<'a, Hal, SetSpeed>,
    /// }
    ///
    /// let set_speed: SetSpeed = |hal, speed| Ok(hal.speed = speed.to_Hz());
    /// let bus = i2c::Bus::new(Hal { speed: 0 }).tuned(100.kHz(), set_speed);
    /// let imu = Imu { device: bus.attach("imu", i2c::Config::at(0x68))? };
    /// # drop(imu);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tuned<G, X>(self, usual: W::Settings, tune: G) -> Bus<W, B, DEVICES, G, D>
    where
        G: FnMut(&mut B, W::Settings) -> Result<(), X>,
    {
        let Held { bus, delay, slots, .. } = self.held.into_inner();
        let held = Held { bus, tune, delay, usual: Some(usual), current: None, slots };
        Bus { held: Claimed::new(held), records: self.records }
    }
}

impl<W: Wiring, B, const DEVICES: usize, F> Bus<W, B, DEVICES, F, NoDelay> {
    /// Gives the bus something to wait with, once for all its devices: for pauses between tries,
    /// for chip-select delays, and for delays that SPI drivers ask for within a transaction. A
    /// [`Clock`](crate::Clock) becomes one with [`clock::Delay`](crate::clock::Delay).
    pub fn with_delay<T: DelayNs>(self, delay: T) -> Bus<W, B, DEVICES, F, T> {
        let Held { bus, tune, usual, current, slots, .. } = self.held.into_inner();
        let held = Held { bus, tune, delay, usual, current, slots };
        Bus { held: Claimed::new(held), records: self.records }
    }
}

impl<W: Wiring, B, const DEVICES: usize, F, D> Bus<W, B, DEVICES, F, D> {
    /// Attaches a device under a name, which must be its own.
    ///
    /// An SPI device is deselected first. Transfers start when its driver does: nothing here asks
    /// whether the chip is there.
    ///
    /// Errors: [`Refused`] gives the config back and says why; nothing else has changed.
    ///
    /// Callable from: anywhere that critical sections are. Cost: O(devices), with interrupts on
    /// except for a few words.
    pub fn attach(
        &self,
        name: &'static str,
        mut config: W,
    ) -> Result<Device<'_, W, B, F, D>, RefusedBy<W>>
    where
        F: Tune<B, W::Settings>,
        D: Wait,
    {
        let Some(mut held) = self.core().claim() else {
            return Err(Refused { config, reason: AttachError::Busy });
        };
        let plan = config.plan();
        if let Err(reason) = held.admit(name, &plan) {
            return Err(Refused { config, reason });
        }
        let mut places = held.slots.iter_mut().zip(&self.records).enumerate();
        let Some((place, (slot, record))) = places.find(|(_, (slot, _))| slot.is_none()) else {
            return Err(Refused { config, reason: AttachError::Full });
        };
        if let Err(error) = config.idle() {
            return Err(Refused { config, reason: AttachError::Pin(error) });
        }
        let generation = record.open(name, W::label(&plan));
        *slot = Some(Slot { generation, name, plan, pin: config.pin() });
        Ok(Device { held: self.core(), record, seat: Seat { place, generation } })
    }

    /// Finds the device of this name: the same one, so it shares address, settings and counters
    /// with every other handle to it.
    ///
    /// Errors: [`NoSuchDevice`].
    ///
    /// Callable from: anywhere that critical sections are, also during a transfer. Cost:
    /// O(devices).
    pub fn device(&self, name: &str) -> Result<Device<'_, W, B, F, D>, NoSuchDevice> {
        let places = self.records.iter().enumerate();
        let mut found = places.filter_map(|(place, record)| {
            let generation = record.named(name)?;
            Some(Device { held: self.core(), record, seat: Seat { place, generation } })
        });
        found.next().ok_or(NoSuchDevice)
    }

    /// What there is to tell about each device: an iterator, and a text with a line for each
    /// (`write!(console, "{}", bus.info())`).
    ///
    /// Callable from: anywhere that critical sections are, also during a transfer; counters may
    /// then be of different moments.
    pub fn info(&self) -> Infos<'_, W> {
        Infos::new(&self.records)
    }

    /// Detaches a device and gives its chip select back, for I2C nothing. Its name, its address and
    /// its place are free; handles to it say `Released` from now on.
    ///
    /// Errors: [`ReleaseError`]; nothing has changed then.
    pub fn release(&self, name: &str) -> Result<W::Pin, ReleaseError> {
        let mut held = self.core().claim().ok_or(ReleaseError::Busy)?;
        let mut places = held.slots.iter_mut().zip(&self.records);
        let found = places.find(|(slot, _)| slot.as_ref().is_some_and(|slot| slot.name == name));
        let (slot, record) = found.ok_or(ReleaseError::NoSuchDevice)?;
        let pin = slot.take().ok_or(ReleaseError::NoSuchDevice)?.pin;
        record.close();
        Ok(pin)
    }

    /// Lends out the HAL's bus itself, claimed, for what no device can do: to look for addresses
    /// that answer, to wake everybody by a general call. What settings it has is forgotten, so the
    /// next transfer that wants any sets them.
    ///
    /// Errors: [`Busy`].
    pub fn with<R>(&self, job: impl FnOnce(&mut B) -> R) -> Result<R, Busy> {
        let mut held = self.core().claim().ok_or(Busy)?;
        held.current = None;
        Ok(job(&mut held.bus))
    }

    fn core(&self) -> &Claimed<Core<W, B, F, D>> {
        &self.held
    }

    /// The HAL's bus back. Chip selects that were not released are dropped.
    pub fn into_inner(self) -> B {
        self.held.into_inner().bus
    }
}

/// What only the holder of the claim touches.
struct Held<W: Wiring, B, F, D, S: ?Sized> {
    bus: B,
    tune: F,
    delay: D,
    /// For devices that ask for no settings of their own; where the bus is `Fixed`, for all.
    usual: Option<W::Settings>,
    /// What the bus is set to, if that is known.
    current: Option<W::Settings>,
    slots: S,
}

/// The places of devices.
type Places<W, const DEVICES: usize> = [Option<Slot<W>>; DEVICES];
/// The same where it does not matter how many: everywhere but in `Bus`.
type Slots<W> = [Option<Slot<W>>];
type Core<W, B, F, D> = Held<W, B, F, D, Slots<W>>;

/// A device, as its bus knows it.
struct Slot<W: Wiring> {
    generation: u32,
    name: &'static str,
    plan: W::Plan,
    pin: W::Pin,
}

/// Where a handle finds its device, if it is still there.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seat {
    place: usize,
    generation: u32,
}

impl Seat {
    fn slot<W: Wiring>(self, slots: &mut Slots<W>) -> Option<&mut Slot<W>> {
        slots.get_mut(self.place)?.as_mut().filter(|slot| slot.generation == self.generation)
    }
}

impl<W: Wiring, B, F, D> Core<W, B, F, D> {
    fn seated(&mut self, seat: Seat) -> Option<&Slot<W>> {
        seat.slot(&mut self.slots).map(|slot| &*slot)
    }

    /// Whether the bus has the settings that a transfer wants.
    #[inline]
    fn is_settled(&self, wanted: Option<W::Settings>) -> bool
    where
        F: Tune<B, W::Settings>,
    {
        !F::CAN_TUNE || wanted.or(self.usual).is_none_or(|wanted| self.current == Some(wanted))
    }

    /// Sees to it that it has.
    #[inline]
    fn settle(&mut self, wanted: Option<W::Settings>, counts: &Counts) -> Result<(), F::Error>
    where
        F: Tune<B, W::Settings>,
    {
        match wanted.or(self.usual) {
            Some(settings) if !self.is_settled(wanted) => self.apply(settings, counts),
            _ => Ok(()),
        }
    }

    /// Until it has come to a good end nobody knows what the bus is set to.
    fn apply(&mut self, settings: W::Settings, counts: &Counts) -> Result<(), F::Error>
    where
        F: Tune<B, W::Settings>,
    {
        self.current = None;
        self.tune.tune(&mut self.bus, settings).inspect_err(|_| counts.failed())?;
        self.current = Some(settings);
        counts.reconfigured();
        Ok(())
    }
}

impl<W: Wiring, B, F, D> Core<W, B, F, D> {
    /// Whether a device may be attached beside those that are.
    fn admit(&self, name: &'static str, plan: &W::Plan) -> Result<(), AttachErrorOf<W>>
    where
        F: Tune<B, W::Settings>,
        D: Wait,
    {
        if !W::is_possible(plan) {
            return Err(AttachError::NoAddress);
        }
        if W::pauses(plan) && !D::CAN_WAIT {
            return Err(AttachError::NoDelay);
        }
        let wants = W::settings(plan).or(self.usual);
        let conflict = |with: &'static str, its: Option<W::Settings>, fixed: bool| {
            let wants = Wish { name, settings: wants? };
            let against = Wish { name: with, settings: its? };
            let differ = (fixed || !F::CAN_TUNE) && wants.settings != against.settings;
            differ.then_some(AttachError::ConfigConflict { wants, against })
        };
        if let Some(error) = conflict("bus", self.usual, false) {
            return Err(error);
        }
        for other in self.slots.iter().flatten() {
            if other.name == name {
                return Err(AttachError::NameTaken);
            }
            if W::is_same_place(plan, &other.plan) {
                return Err(AttachError::AddressTaken { by: other.name });
            }
            let its = W::settings(&other.plan).or(self.usual);
            let fixed = W::is_fixed(plan) || W::is_fixed(&other.plan);
            if let Some(error) = conflict(other.name, its, fixed) {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// How devices are wired to a bus: implemented by [`i2c::Config`] and [`spi::Config`], and by
/// nothing else. Its methods are what a bus needs to know of a config.
pub trait Wiring: sealed::Sealed + Sized {
    /// What can be set for each device.
    type Settings: Copy + PartialEq + fmt::Debug + fmt::Display;
    /// What [`Bus::info`] tells of a device.
    type Label: Copy + fmt::Debug + fmt::Display;
    /// The chip select, where there is one.
    type Pin;
    /// Its error.
    type PinError: fmt::Debug;
    /// The config without the pin.
    type Plan: Copy;

    /// The config without the pin.
    fn plan(&self) -> Self::Plan;
    /// The pin.
    fn pin(self) -> Self::Pin;
    /// Puts the pin where it is between transfers.
    fn idle(&mut self) -> Result<(), Self::PinError>;
    /// Whether there can be such an address.
    fn is_possible(plan: &Self::Plan) -> bool;
    /// Whether two devices would answer to the same.
    fn is_same_place(plan: &Self::Plan, other: &Self::Plan) -> bool;
    /// Whether it has pauses that somebody must wait for.
    fn pauses(plan: &Self::Plan) -> bool;
    /// What it asks for.
    fn settings(plan: &Self::Plan) -> Option<Self::Settings>;
    /// Whether it asks for it on behalf of everybody.
    fn is_fixed(plan: &Self::Plan) -> bool;
    /// What there is to tell of it.
    fn label(plan: &Self::Plan) -> Self::Label;
}

mod sealed {
    pub trait Sealed {}
}

/// What applies settings to a bus: a closure `FnMut(&mut B, S) -> Result<(), X>`, or [`Fixed`].
pub trait Tune<B, S> {
    /// Why settings could not be applied.
    type Error: fmt::Debug;
    /// Whether there is anything that applies them.
    const CAN_TUNE: bool;
    /// Applies them.
    fn tune(&mut self, bus: &mut B, settings: S) -> Result<(), Self::Error>;
}

/// Nothing applies settings: the bus keeps those that it has.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Fixed;

impl<B, S> Tune<B, S> for Fixed {
    type Error = Infallible;
    const CAN_TUNE: bool = false;

    fn tune(&mut self, _: &mut B, _: S) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<B, S, X, G> Tune<B, S> for G
where
    G: FnMut(&mut B, S) -> Result<(), X>,
    X: fmt::Debug,
{
    type Error = X;
    const CAN_TUNE: bool = true;

    fn tune(&mut self, bus: &mut B, settings: S) -> Result<(), X> {
        self(bus, settings)
    }
}

/// What waits: any `embedded_hal::delay::DelayNs`, or [`NoDelay`].
pub trait Wait {
    /// Whether it can.
    const CAN_WAIT: bool;
    /// Waits at least so many nanoseconds; zero is not to wait.
    fn wait_ns(&mut self, ns: u32);
    /// Waits at least so long.
    fn wait(&mut self, pause: Duration);
}

/// Nothing waits. What would need it is refused.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct NoDelay;

impl Wait for NoDelay {
    const CAN_WAIT: bool = false;

    fn wait_ns(&mut self, _: u32) {}

    fn wait(&mut self, _: Duration) {}
}

impl<D: DelayNs> Wait for D {
    const CAN_WAIT: bool = true;

    fn wait_ns(&mut self, ns: u32) {
        if ns != 0 {
            self.delay_ns(ns);
        }
    }

    fn wait(&mut self, pause: Duration) {
        let mut left = pause.as_ticks();
        while left != 0 {
            let step = u32::try_from(left).unwrap_or(u32::MAX);
            self.delay_us(step);
            left = left.saturating_sub(u64::from(step));
        }
    }
}

/// A device was not attached. Here is its config, with the pin in it.
///
/// Where an error type has no room for a pin (`?` wants one that lives for ever, say), leave the
/// config behind: `bus.attach(name, config).map_err(AttachError::from)?`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused<W, S, E> {
    /// The config, as it was given.
    pub config: W,
    /// Why.
    pub reason: AttachError<S, E>,
}

/// [`Refused`] for this wiring.
pub type RefusedBy<W> = Refused<W, <W as Wiring>::Settings, <W as Wiring>::PinError>;
/// [`AttachError`] for this wiring.
pub type AttachErrorOf<W> = AttachError<<W as Wiring>::Settings, <W as Wiring>::PinError>;

/// Why a device was not attached. `S` is what can be set, `E` the error of a chip select.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AttachError<S, E = Infallible> {
    /// Another device has this name.
    NameTaken,
    /// Another device has this address. Two drivers for one chip share its device:
    /// [`Bus::device`].
    AddressTaken {
        /// The name of the other.
        by: &'static str,
    },
    /// It is no address: more than 0x7F, or 0x3FF where it has 10 bits. Data sheets that count the
    /// direction bit as part of the address give twice the number.
    NoAddress,
    /// Two settings that cannot both be: the bus cannot change them, or one of the two is fixed.
    ConfigConflict {
        /// The device that was refused, and what it asks for.
        wants: Wish<S>,
        /// Who stands against it: a device, or `"bus"` for [`Bus::fixed`].
        against: Wish<S>,
    },
    /// The config has pauses, and the bus has nothing to wait with: [`Bus::with_delay`].
    NoDelay,
    /// Every place is taken: [`Bus::with_room`].
    Full,
    /// A transfer or a session is going on.
    Busy,
    /// The chip select could not be set high.
    Pin(E),
}

/// Who asks for which settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish<S> {
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub settings: S,
}

/// No device of this name is attached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuchDevice;

/// Somebody else is using the bus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

/// Why a device was not released.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ReleaseError {
    /// No device of this name is attached.
    NoSuchDevice,
    /// A transfer or a session is going on.
    Busy,
}

impl<W, S, E> From<Refused<W, S, E>> for AttachError<S, E> {
    fn from(refused: Refused<W, S, E>) -> Self {
        refused.reason
    }
}

impl<W: Wiring, B, const DEVICES: usize, F, D> fmt::Debug for Bus<W, B, DEVICES, F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("devices", &self.info()).finish_non_exhaustive()
    }
}

impl<W, S: fmt::Debug, E: fmt::Debug> fmt::Debug for Refused<W, S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<W, S: fmt::Display, E: fmt::Debug> fmt::Display for Refused<W, S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<S: fmt::Display, E: fmt::Debug> fmt::Display for AttachError<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken => f.write_str("another device has this name"),
            Self::AddressTaken { by } => write!(f, "{by} has this address"),
            Self::NoAddress => {
                f.write_str("more than an address can be; some data sheets give twice the number")
            }
            Self::ConfigConflict { wants, against } => write!(f, "{wants}, but {against}"),
            Self::NoDelay => f.write_str("it has pauses, and the bus has no `with_delay`"),
            Self::Full => f.write_str("every place is taken; `with_room` makes more"),
            Self::Busy => f.write_str("the bus is busy"),
            Self::Pin(error) => write!(f, "the chip select could not be set high: {error:?}"),
        }
    }
}

impl<S: fmt::Display> fmt::Display for Wish<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} wants {}", self.name, self.settings)
    }
}

impl fmt::Display for NoSuchDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such device")
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bus is busy")
    }
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchDevice => NoSuchDevice.fmt(f),
            Self::Busy => Busy.fmt(f),
        }
    }
}

impl<W, S, E> core::error::Error for Refused<W, S, E>
where
    S: fmt::Debug + fmt::Display,
    E: fmt::Debug,
{
}
impl<S: fmt::Debug + fmt::Display, E: fmt::Debug> core::error::Error for AttachError<S, E> {}
impl core::error::Error for NoSuchDevice {}
impl core::error::Error for Busy {}
impl core::error::Error for ReleaseError {}
