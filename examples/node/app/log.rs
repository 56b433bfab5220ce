//! The log: the newest readings, in a ring of a few bytes.
//!
//! A reading is one message: its number is the id, so that it can be taken out by it; the payload
//! is the time in microseconds (8 bytes) and the temperature in tenths of a degree (2), big-endian.

use ensue::{Instant, Message, PutError, Ring};

use super::sensor::Celsius;

const PAYLOAD: usize = 10;
const HEADER: usize = ensue::ring::HEADER;

/// Room for 18 readings.
const SIZE: usize = 256;

pub(super) struct Log {
    ring: Ring<[u8; SIZE]>,
    made_room: u32,
}

/// A reading that was kept.
pub(super) struct Entry {
    pub(super) number: u16,
    pub(super) at: Instant,
    pub(super) celsius: Celsius,
}

impl Log {
    pub(super) const fn new() -> Self {
        Self { ring: Ring::new(), made_room: 0 }
    }

    /// Keeps a reading; as many of the oldest as it takes make room for it.
    pub(super) fn keep(
        &mut self,
        number: u16,
        at: Instant,
        celsius: Celsius,
    ) -> Result<(), PutError> {
        while !self.ring.fits(PAYLOAD) && self.ring.get().is_some() {
            self.made_room = self.made_room.saturating_add(1);
        }
        let mut payload = [0; PAYLOAD];
        let bytes = at.as_ticks().to_be_bytes().into_iter().chain(celsius.to_be_bytes());
        payload.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        self.ring.put(number, &payload)
    }

    /// Takes a reading out, wherever it is.
    pub(super) fn take(&mut self, number: u16) -> Option<Entry> {
        self.ring.pull(number).as_ref().and_then(entry)
    }

    /// The newest readings, at most so many, oldest first.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = Entry> {
        let older = self.len().saturating_sub(count);
        self.ring.iter().skip(older).filter_map(|message| entry(&message))
    }

    /// The numbers of the oldest and the newest reading.
    pub(super) fn range(&self) -> Option<(u16, u16)> {
        let mut numbers = self.ring.ids();
        let oldest = numbers.next()?;
        Some((oldest, numbers.last().unwrap_or(oldest)))
    }

    pub(super) fn len(&self) -> usize {
        self.ring.message_count()
    }

    /// Bytes in use, those in holes, and bytes in all.
    pub(super) fn bytes(&self) -> (usize, usize, usize) {
        let used = self.ring.used();
        (used, used.saturating_sub(self.len() * (HEADER + PAYLOAD)), self.ring.size())
    }

    /// How many readings were dropped to make room.
    pub(super) fn made_room(&self) -> u32 {
        self.made_room
    }
}

fn entry(message: &Message<'_>) -> Option<Entry> {
    let mut payload = [0; PAYLOAD];
    message.copy_to(&mut payload).ok()?;
    Some(Entry {
        number: message.id(),
        at: Instant::from_ticks(u64::from_be_bytes(*payload.first_chunk()?)),
        celsius: Celsius::from_be_bytes(*payload.last_chunk()?),
    })
}
