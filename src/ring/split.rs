//! A ring in two halves: one for an interrupt that writes, one for the main loop that reads.
//!
//! The layout is the ring's, and so is what the reader does: the same code, over the part of the
//! bytes that is the reader's own. Nothing waits, nothing is masked, and there is no
//! compare-and-swap: each half has one position that it alone stores.
//!
//! ```text
//!            tail, stored by the reader          head, stored by the writer
//!              v                                   v
//!   +----------+-----------------------------------+-----------+
//!   |  free    |  records: the reader's            |   free: the writer's
//!   +----------+-----------------------------------+-----------+
//! ```
//!
//! Positions run over `0..2 * N`, so that a full ring is told from an empty one and every byte is
//! used. A message belongs to the reader from the moment when the head is stored behind it, and its
//! bytes are the writer's again when the tail is: not before the view of it is gone, for the reader
//! stores the tail only when it is called the next time.
//!
//! What needs both ends is missing here: `compact`, `put_evicting`, `clear`, and how many bytes could
//! be reclaimed when a `put` is refused.
//!
//! The files: `shared` is all the unsafe code there is, `sync` the atomics. Here are the halves.

mod shared;
#[cfg(not(loom))]
mod sync;
#[cfg(loom)]
#[path = "split/sync_loom.rs"]
mod sync;

use core::fmt;

use shared::{Head, Shared, Tail};
#[cfg(loom)]
pub use sync::weaken;

use super::PutError;
use super::message::Message;
use super::queue::{self, Ids, Iter, Queue};
use super::record::{self, Bytes, HEADER, Header, MIN_SIZE};
use super::reserve::{Reservation, total_len};
use super::track::Plain;

/// A ring of `N` bytes that is written by one context and read by another: a `static`, split once.
///
/// ```
/// use ensue::ring::SplitRing;
///
/// static RING: SplitRing<256> = SplitRing::new();
///
/// let (mut writer, mut reader) = RING.split().unwrap();
/// writer.put(7, b"21.5C")?; // in an interrupt, for instance
/// writer.put(9, b"door")?;
///
/// assert_eq!(reader.pull(9).unwrap(), b"door"); // in the main loop
/// assert_eq!(reader.get().unwrap(), b"21.5C");
/// assert!(RING.split().is_none()); // there is one of each
/// # Ok::<(), ensue::PutError>(())
/// ```
pub struct SplitRing<const N: usize>(Shared<N>);

impl<const N: usize> SplitRing<N> {
    /// An empty ring. Fewer than [`MIN_SIZE`] bytes do not compile.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        const { assert!(N >= MIN_SIZE, "a ring needs at least 8 bytes") }
        Self(Shared::new())
    }

    /// An empty ring, not `const` under loom.
    #[cfg(loom)]
    pub fn new() -> Self {
        const { assert!(N >= MIN_SIZE, "a ring needs at least 8 bytes") }
        Self(Shared::new())
    }

    /// The two halves, the first time; `None` ever after.
    ///
    /// Callable from: main, interrupt. It takes a critical section of a few instructions.
    pub fn split(&self) -> Option<(RingWriter<'_>, RingReader<'_>)> {
        let (head, tail) = self.0.ends()?;
        Some((RingWriter(head), RingReader { queue: Queue::new(Plain::NEW), tail }))
    }
}

impl<const N: usize> Default for SplitRing<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for SplitRing<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SplitRing").field("size", &N).finish_non_exhaustive()
    }
}

/// The half that writes: see [`SplitRing`].
///
/// Having it tells you that nobody else puts anything into the ring. What the reader takes
/// meanwhile can only make more room.
pub struct RingWriter<'a>(Head<'a>);

/// Callable from: wherever you hold the `&mut`; an interrupt is what it is for.
impl RingWriter<'_> {
    /// Appends a message.
    ///
    /// Errors: [`PutError`]; the ring is then as it was. How much could be reclaimed is known to the
    /// reader alone: `reclaimable` is 0.
    /// Cost: one copy, in at most two pieces, whatever the reader is doing.
    pub fn put(&mut self, id: u16, payload: &[u8]) -> Result<(), PutError> {
        let record_len = self.check(id, payload.len())?;
        let ((first, second), position) = self.0.room(record_len);
        let header = Header::new(id, payload.len());
        record::place((first, second), 0, &header.to_bytes());
        record::place((first, second), HEADER, payload);
        position.grow(record_len);
        Ok(())
    }

    /// Appends a message that lies in parts elsewhere, one behind the other.
    ///
    /// Errors: as [`put`](Self::put).
    pub fn put_parts(&mut self, id: u16, parts: &[&[u8]]) -> Result<(), PutError> {
        self.reserve(id, total_len(parts))?.commit_parts(parts)
    }

    /// Appends a message of text of at most `max` bytes, formatted where it will lie.
    ///
    /// Errors: as [`put`](Self::put), and [`Overrun`](PutError::Overrun) when the text is longer.
    pub fn put_fmt(
        &mut self,
        id: u16,
        max: usize,
        text: fmt::Arguments<'_>,
    ) -> Result<(), PutError> {
        let result = self.reserve(id, max)?.commit_fmt(text);
        if result.is_err() {
            self.0.count_refused();
        }
        result
    }

    /// Reserves room for a message of at most `max` bytes, to be written in place. The reader sees
    /// it when it is committed.
    ///
    /// Errors: as [`put`](Self::put).
    ///
    /// ```
    /// # use ensue::ring::SplitRing;
    /// # let ring = SplitRing::<64>::new();
    /// # let (mut writer, mut reader) = ring.split().unwrap();
    /// let mut message = writer.reserve(7, 16)?;
    /// message.push(b"21.5C")?;
    /// assert!(reader.is_empty());
    /// message.commit()?;
    /// assert_eq!(reader.get().unwrap(), b"21.5C");
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn reserve(&mut self, id: u16, max: usize) -> Result<Reservation<'_>, PutError> {
        let record_len = self.check(id, max)?;
        let (room, position) = self.0.room(record_len);
        Ok(Reservation::new(id, room, position))
    }

    /// Bytes that are free now: at least so many are when you put.
    pub fn free(&mut self) -> usize {
        self.0.free()
    }

    /// Bytes in all.
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// The length of a record with `len` bytes of payload, for which there is room; counts when there
    /// is not.
    fn check(&mut self, id: u16, len: usize) -> Result<usize, PutError> {
        let free = self.0.free();
        if !queue::takes(free, id, len) {
            self.0.count_refused();
            return Err(queue::refusal(self.0.size(), free, 0, id, len));
        }
        Ok(HEADER + len)
    }
}

impl fmt::Debug for RingWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingWriter").field("size", &self.size()).finish_non_exhaustive()
    }
}

/// The half that reads: see [`SplitRing`].
///
/// Having it tells you that nobody else takes anything from the ring. Every call begins with a look
/// at what has come, one header for each new message, and frees the room of what was taken before.
///
/// ```
/// # use ensue::ring::SplitRing;
/// # let ring = SplitRing::<16>::new();
/// # let (mut writer, mut reader) = ring.split().unwrap();
/// writer.put(1, b"123456789012")?;
/// let message = reader.get().unwrap();
/// assert!(writer.put(2, b"").is_err()); // the bytes are still looked at
/// assert_eq!(message, b"123456789012");
/// reader.release();
/// assert_eq!(writer.free(), 16);
/// # Ok::<(), ensue::PutError>(())
/// ```
pub struct RingReader<'a> {
    /// Its `used` are the bytes not yet taken; what `tail` owns beyond them waits to be released.
    queue: Queue,
    tail: Tail<'a>,
}

/// Callable from: wherever you hold the `&mut`; the main loop is what it is for.
impl RingReader<'_> {
    /// Takes the oldest message. `None`: there is none.
    ///
    /// Its room is free when the reader is called the next time, by whichever method.
    ///
    /// Cost: one header, and one for each hole in front.
    pub fn get(&mut self) -> Option<Message<'_>> {
        self.look();
        self.queue.get(&self.tail).message(&self.tail)
    }

    /// The oldest message, left where it is. `None`: there is none.
    ///
    /// Cost: one header, and one for each hole in front.
    pub fn peek(&mut self) -> Option<Message<'_>> {
        self.look();
        self.queue.peek(&self.tail).message(&self.tail)
    }

    /// Takes the oldest message with this id, wherever it is. `None`: there is none.
    ///
    /// Cost: one header for each record, message or hole, in front of it.
    pub fn pull(&mut self, id: u16) -> Option<Message<'_>> {
        self.look();
        self.queue.pull(&mut self.tail, id).message(&self.tail)
    }

    /// Drops the oldest message with this id unread; returns whether there was one.
    pub fn discard(&mut self, id: u16) -> bool {
        let there_was = self.pull(id).is_some();
        self.release();
        there_was
    }

    /// The ids of the messages, oldest first.
    ///
    /// Cost: one header for each record walked.
    pub fn ids(&mut self) -> Ids<'_> {
        Ids::new(self.iter())
    }

    /// The messages, oldest first, left where they are.
    ///
    /// Cost: one header for each record walked.
    pub fn iter(&mut self) -> Iter<'_> {
        self.look();
        self.queue.iter(&self.tail)
    }

    /// Frees the holes in front of the oldest message, and what was taken before.
    ///
    /// Cost: one header for each hole in front.
    pub fn trim(&mut self) {
        self.look();
        self.queue.pass_holes(&self.tail);
        self.release();
    }

    /// Frees the room of what was taken, at once instead of at the next call.
    ///
    /// Cost: O(1).
    pub fn release(&mut self) {
        self.tail.release(self.tail.owned().saturating_sub(self.queue.used()));
    }

    /// How many messages there are.
    pub fn message_count(&mut self) -> usize {
        self.look();
        self.queue.live()
    }

    /// Whether there is no message to get.
    pub fn is_empty(&mut self) -> bool {
        self.message_count() == 0
    }

    /// How many messages the writer could not put since the beginning, for whatever reason: each
    /// [`PutError`] that it was given by a `put` or a `reserve` counts as one. It stays at
    /// `usize::MAX`.
    ///
    /// ```
    /// # let ring = ensue::ring::SplitRing::<8>::new();
    /// # let (mut writer, reader) = ring.split().unwrap();
    /// assert!(writer.put(1, b"too long for it").is_err()); // in an interrupt, which may not care
    /// assert_eq!(reader.refused(), 1);
    /// ```
    pub fn refused(&self) -> usize {
        self.tail.refused()
    }

    /// Bytes taken by messages, their headers and holes.
    pub fn used(&mut self) -> usize {
        self.look();
        self.queue.used()
    }

    /// Bytes in all.
    pub fn size(&self) -> usize {
        self.tail.size()
    }

    /// Lets go of what was taken, and counts what has come.
    fn look(&mut self) {
        self.release();
        self.tail.look();
        while self.queue.used() < self.tail.owned() {
            let header = record::header(&self.tail, self.queue.head(self.tail.size()));
            self.queue.find_record(header);
        }
    }
}

impl fmt::Debug for RingReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingReader")
            .field("size", &self.size())
            .field("messages", &self.queue.iter(&self.tail))
            .finish_non_exhaustive()
    }
}
