//! What a bus can tell about its devices: names, wiring and counters, readable at any time.
//!
//! None of this is behind the claim, so that a console can ask while a transfer is on its way, even
//! from an interrupt. The counters are written by the holder of the claim alone, with plain loads
//! and stores (of `core`'s atomics, see `claim.rs`); only refusals come from elsewhere, and they are counted inside the critical section
//! that refuses. What was fixed when the device was attached is copied out in a critical section of
//! a few words.

use core::cell::Cell;
use core::fmt;
use core::slice;
use core::sync::atomic::{AtomicU32, Ordering};

use critical_section::Mutex;

use super::Wiring;

/// What has happened on the bus for one device. Each count wraps after `u32::MAX`, so differences
/// stay right.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// Transfers that came to a good end.
    pub transfers: u32,
    /// The bytes that they moved, in either direction.
    pub bytes: u32,
    /// Times that the device did not acknowledge, its address or data; each try counts.
    pub nacks: u32,
    /// Transfers that failed for any other reason: on the bus, at a pin, while changing settings.
    pub errors: u32,
    /// Times that a transfer was tried again.
    pub retries: u32,
    /// Times that the bus had to be set up anew for this device, because the last transfer had
    /// used other settings.
    pub reconfigurations: u32,
    /// Transfers and sessions refused because the bus was busy.
    pub refused: u32,
}

/// A device as [`Bus::info`](super::Bus::info) shows it. Its text is one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info<L> {
    /// The name under which it was attached.
    pub name: &'static str,
    /// How it is reached: address and speed, or mode and frequency.
    pub label: L,
    /// What has happened so far.
    pub counters: Counters,
}

/// The devices of a bus, in the order of their places; also text, one line for each.
pub struct Infos<'a, W: Wiring> {
    records: slice::Iter<'a, Record<W>>,
}

/// What is known of a place without the claim.
pub(super) struct Record<W: Wiring> {
    tag: Mutex<Cell<Tag<W::Label>>>,
    pub(super) counts: Counts,
}

#[derive(Clone, Copy)]
struct Tag<L> {
    /// Counts the devices that have had this place, so that an old handle is known as such.
    generation: u32,
    who: Option<(&'static str, L)>,
}

/// [`Counters`] as they are kept. Only the holder of the claim writes, save `refused`.
pub(super) struct Counts {
    transfers: AtomicU32,
    bytes: AtomicU32,
    nacks: AtomicU32,
    errors: AtomicU32,
    retries: AtomicU32,
    reconfigurations: AtomicU32,
    refused: AtomicU32,
}

/// A step of a count that nobody else writes meanwhile.
#[inline]
fn add(count: &AtomicU32, more: u32) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

impl Counts {
    const fn new() -> Self {
        Self {
            transfers: AtomicU32::new(0),
            bytes: AtomicU32::new(0),
            nacks: AtomicU32::new(0),
            errors: AtomicU32::new(0),
            retries: AtomicU32::new(0),
            reconfigurations: AtomicU32::new(0),
            refused: AtomicU32::new(0),
        }
    }

    #[inline]
    pub(super) fn transferred(&self, bytes: usize) {
        add(&self.transfers, 1);
        add(&self.bytes, bytes as u32);
    }

    pub(super) fn not_acknowledged(&self) {
        add(&self.nacks, 1);
    }

    pub(super) fn failed(&self) {
        add(&self.errors, 1);
    }

    pub(super) fn retried(&self) {
        add(&self.retries, 1);
    }

    pub(super) fn reconfigured(&self) {
        add(&self.reconfigurations, 1);
    }

    /// To be called inside the critical section that refuses.
    pub(super) fn refused(&self) {
        add(&self.refused, 1);
    }

    fn clear(&self) {
        let Self { transfers, bytes, nacks, errors, retries, reconfigurations, refused } = self;
        for count in [transfers, bytes, nacks, errors, retries, reconfigurations, refused] {
            count.store(0, Ordering::Relaxed);
        }
    }

    fn read(&self) -> Counters {
        let of = |count: &AtomicU32| count.load(Ordering::Relaxed);
        Counters {
            transfers: of(&self.transfers),
            bytes: of(&self.bytes),
            nacks: of(&self.nacks),
            errors: of(&self.errors),
            retries: of(&self.retries),
            reconfigurations: of(&self.reconfigurations),
            refused: of(&self.refused),
        }
    }
}

impl<W: Wiring> Record<W> {
    pub(super) const fn new() -> Self {
        Self { tag: Mutex::new(Cell::new(Tag { generation: 0, who: None })), counts: Counts::new() }
    }

    /// Gives the place to a device, and says which generation it is. For the claim's holder.
    pub(super) fn open(&self, name: &'static str, label: W::Label) -> u32 {
        self.counts.clear();
        let generation = self.read().generation.wrapping_add(1);
        self.write(Tag { generation, who: Some((name, label)) });
        generation
    }

    /// Frees the place. For the claim's holder.
    pub(super) fn close(&self) {
        self.write(Tag { who: None, ..self.read() });
    }

    /// The generation of the device of this name, if it is here.
    pub(super) fn named(&self, name: &str) -> Option<u32> {
        let tag = self.read();
        tag.who.filter(|(its, _)| *its == name).map(|_| tag.generation)
    }

    /// What there is to tell, if a device is here.
    pub(super) fn info(&self) -> Option<Info<W::Label>> {
        let (name, label) = self.read().who?;
        Some(Info { name, label, counters: self.counts.read() })
    }

    /// The same, if the device is of this generation.
    pub(super) fn info_of(&self, generation: u32) -> Option<Info<W::Label>> {
        self.info().filter(|_| self.read().generation == generation)
    }

    /// A critical section of a few words, and so is the next.
    fn read(&self) -> Tag<W::Label> {
        critical_section::with(|token| self.tag.borrow(token).get())
    }

    fn write(&self, tag: Tag<W::Label>) {
        critical_section::with(|token| self.tag.borrow(token).set(tag));
    }
}

impl<'a, W: Wiring> Infos<'a, W> {
    pub(super) fn new(records: &'a [Record<W>]) -> Self {
        Self { records: records.iter() }
    }
}

impl<W: Wiring> Clone for Infos<'_, W> {
    fn clone(&self) -> Self {
        Self { records: self.records.clone() }
    }
}

impl<W: Wiring> Iterator for Infos<'_, W> {
    type Item = Info<W::Label>;

    fn next(&mut self) -> Option<Self::Item> {
        self.records.find_map(Record::info)
    }
}

impl<W: Wiring> fmt::Debug for Infos<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<W: Wiring> fmt::Display for Infos<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().try_for_each(|info| writeln!(f, "{info}"))
    }
}

impl<L: fmt::Display> fmt::Display for Info<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.name, self.label, self.counters)
    }
}

/// What never happened is left out.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} transfers, {} bytes", self.transfers, self.bytes)?;
        let rest = [
            (self.nacks, "nacks"),
            (self.errors, "errors"),
            (self.retries, "retries"),
            (self.reconfigurations, "reconfigurations"),
            (self.refused, "refused"),
        ];
        let mut happened = rest.iter().filter(|(count, _)| *count != 0);
        happened.try_for_each(|(count, what)| write!(f, ", {count} {what}"))
    }
}
