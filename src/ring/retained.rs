//! A ring that is still there after a reset: in RAM that start-up does not clear.
//!
//! A reset comes between any two stores. So every operation becomes true with a single one, and
//! whatever it stores before lies in bytes that nobody reads yet:
//!
//! | | is true when | and before that |
//! |---|---|---|
//! | `put` | the head is stored | the record is written to free bytes |
//! | `get` | the tail is stored | nothing |
//! | `pull` | the intent to delete is complete | nothing: the two bytes of the id follow |
//!
//! Two bytes are two stores, and 0x0105 must not come back as 0x0005. Hence the intent: where an id is
//! to be zeroed is written down first, and who finds it after a reset does it again.
//!
//! In front of the bytes lie eight words, little as the processor has them:
//!
//! ```text
//!   +-------+------+------+-------+------+-------+----------+-----------+-- ~ --+
//!   | magic | size | tail | !tail | head | !head | deleting | !deleting | bytes |
//!   +-------+------+------+-------+------+-------+----------+-----------+-- ~ --+
//! ```
//!
//! The magic holds the version of this layout. Positions run over `0..2 * size`, so that head and
//! tail alone say how much is used, and each is stored as it is and then complemented: when the two
//! disagree, a reset came between them, the first is the new one, and both are good. The bytes are
//! the ring's, as documented there.
//!
//! What takes more than one such step is missing here: `compact`.

mod ram;

use core::fmt;

use super::image::{self, BadImage, Flaw, Recovered};
use super::message::Message;
use super::queue::{Ids, Iter, Queue};
use super::record::{ANY, Bytes, HEADER, HOLE, Header, MIN_SIZE, advance, apart, index, moved};
use super::reserve::total_len;
use super::room::Evicted;
use super::track::Plain;
use super::{PutError, TooSmall};

pub use ram::Retained;

/// `ENS`, and the version of the layout.
const MAGIC: u32 = 0x454E_5300 | VERSION;
const VERSION: u32 = 1;

/// What `deleting` holds when nothing is being deleted: no position.
const NOTHING: u32 = u32::MAX;

/// Where which word is. The complement of one that has one is the next.
const MAGIC_AT: usize = 0;
const SIZE_AT: usize = 1;
const TAIL_AT: usize = 2;
const HEAD_AT: usize = 4;
const DELETING_AT: usize = 6;

/// How many words there are in front of the bytes.
pub const WORDS: usize = 8;

/// Memory that keeps what was stored in it when the power goes or a reset comes.
///
/// [`Retained`] is one, in RAM. Write your own for a battery-backed chip, an FRAM, or a test that
/// cuts the power.
///
/// What is promised: stores happen in the order of the calls, and the bytes of one in their order;
/// a word is stored whole or not at all; a byte likewise.
pub trait Memory {
    /// The word at this index, `0..WORDS`.
    fn word(&self, index: usize) -> u32;

    /// Stores a word.
    fn store_word(&mut self, index: usize, word: u32);

    /// All bytes behind the words.
    fn bytes(&self) -> &[u8];

    /// Stores bytes from `at` on; what goes beyond the end is not stored.
    fn store_bytes(&mut self, at: usize, bytes: &[u8]);
}

/// What was found in the memory when a [`RetainedRing`] was opened.
#[must_use = "the log may not be the one you left"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Boot {
    /// No ring: the memory has just got its power, or held something else. The ring is empty now.
    First,
    /// A ring laid out by another version of this crate. The ring is empty now.
    Foreign {
        /// The version of its layout.
        version: u8,
    },
    /// A ring of another size, left by another firmware. The ring is empty now.
    OtherSize {
        /// Bytes that it had.
        size: usize,
    },
    /// The ring, with its messages; whatever a reset interrupted is done or undone. When the memory
    /// was damaged beyond that, the messages before the first flaw were kept: with a length that is
    /// wrong, where the next one begins is not known any more. Damage to an id or a payload cannot
    /// be told from what was put; put a checksum there, if that matters.
    Again(Recovered),
}

/// A ring in memory that outlives a reset: see [`Retained::open`].
///
/// After a reset at any instruction each message is there whole or gone, as before or after the
/// operation that was interrupted.
///
/// Having it tells you that the memory is a sound ring, whatever it held before: whole records, one
/// behind the other. What is in them it cannot know.
///
/// Which memory it is, the type tells only where it has to; that of a [`Retained`] does not say how
/// many bytes there are. It can be sent if the memory can, so that one to which an interrupt logs
/// as well may lie behind a lock.
pub struct RetainedRing<'m, M: Memory + ?Sized = dyn Memory + Send + 'm> {
    queue: Queue,
    memory: Kept<'m, M>,
}

impl<'m, M: Memory + ?Sized> RetainedRing<'m, M> {
    /// Finds the ring in any memory, or makes one there.
    ///
    /// Errors: [`TooSmall`] when there are fewer than [`MIN_SIZE`] bytes.
    /// Cost: one header for each record; when there is no ring, one store for each byte.
    pub fn over(memory: &'m mut M) -> Result<(Self, Boot), TooSmall> {
        if memory.bytes().len() < MIN_SIZE {
            return Err(TooSmall);
        }
        Ok(Self::open(memory))
    }

    fn open(memory: &'m mut M) -> (Self, Boot) {
        let mut memory = Kept(memory);
        let magic = memory.0.word(MAGIC_AT);
        let size = memory.0.word(SIZE_AT) as usize;
        let boot = if magic == MAGIC && size == memory.size() {
            match memory.settle() {
                Ok((queue, report)) => return (Self { queue, memory }, Boot::Again(report)),
                Err(report) => Boot::Again(report),
            }
        } else if magic == MAGIC {
            Boot::OtherSize { size }
        } else if magic & !0xFF == MAGIC & !0xFF {
            Boot::Foreign { version: magic as u8 }
        } else {
            Boot::First
        };
        memory.format();
        (Self { queue: Queue::new(Plain::NEW), memory }, boot)
    }

    /// Appends a message.
    ///
    /// Errors: [`PutError`]; the ring is then as it was.
    /// Cost: one store for each byte.
    pub fn put(&mut self, id: u16, payload: &[u8]) -> Result<(), PutError> {
        self.append(id, payload.len(), |draft| draft.push(payload).is_ok())
    }

    /// Appends a message that lies in parts elsewhere, one behind the other.
    ///
    /// Errors: [`PutError`]; the ring is then as it was.
    /// Cost: one store for each byte.
    pub fn put_parts(&mut self, id: u16, parts: &[&[u8]]) -> Result<(), PutError> {
        self.append(id, total_len(parts), |draft| parts.iter().all(|part| draft.push(part).is_ok()))
    }

    /// Appends a message of text of at most `max` bytes, formatted where it will lie.
    ///
    /// `max` bytes must be free beside the header; what the text does not need of them stays free.
    ///
    /// Errors: [`PutError`]; [`Overrun`](PutError::Overrun) when the text is longer than `max`. The
    /// messages in the ring are then as they were.
    ///
    /// ```
    /// # let mut memory = ensue::ring::Retained::<64>::new();
    /// # let (mut log, _) = memory.open();
    /// let lost = log.make_room(16)?.messages; // the oldest go, if they must
    /// log.put_fmt(7, 16, format_args!("{} C", 21))?;
    /// assert_eq!(log.peek().unwrap(), b"21 C");
    /// # assert_eq!(lost, 0);
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn put_fmt(
        &mut self,
        id: u16,
        max: usize,
        text: fmt::Arguments<'_>,
    ) -> Result<(), PutError> {
        self.append(id, max, |draft| fmt::write(draft, text).is_ok())
    }

    /// [`put`](Self::put), which [makes room](Self::make_room) first.
    ///
    /// Errors: [`PutError`], but never Full; nothing has been taken out then.
    pub fn put_evicting(&mut self, id: u16, payload: &[u8]) -> Result<Evicted, PutError> {
        if id == HOLE {
            return Err(PutError::ReservedId);
        }
        let evicted = self.make_room(payload.len())?;
        self.put(id, payload)?;
        Ok(evicted)
    }

    /// Takes out the oldest messages, as many as it takes until a message of `len` bytes fits. Each
    /// of them is a step of its own: after a reset some may be gone and others not.
    ///
    /// Errors: [`TooLong`](PutError::TooLong), [`NeverFits`](PutError::NeverFits); nothing has been
    /// taken out then.
    /// Cost: one header for each record that goes.
    pub fn make_room(&mut self, len: usize) -> Result<Evicted, PutError> {
        let mut evicted = Evicted { messages: 0, bytes: 0 };
        while let Err(refusal) = self.queue.check(self.size(), ANY, len) {
            let PutError::Full { .. } = refusal else { return Err(refusal) };
            // Without a message left this passes the last holes: what fits the ring fits then.
            if let Some(message) = self.get() {
                evicted.messages += 1;
                evicted.bytes += HEADER + message.len();
            }
        }
        Ok(evicted)
    }

    /// Appends a message of up to `max` bytes, which `write` writes; it says whether it could.
    fn append(
        &mut self,
        id: u16,
        max: usize,
        write: impl FnOnce(&mut Draft<'_, 'm, M>) -> bool,
    ) -> Result<(), PutError> {
        let size = self.size();
        self.queue.check(size, id, max)?;
        let head = self.queue.head(size);
        let at = advance(head, HEADER, size);
        let mut draft = Draft { memory: &mut self.memory, at, len: 0, max, overrun: false };
        let is_written = write(&mut draft);
        let Draft { len, overrun, .. } = draft;
        if overrun {
            return Err(PutError::Overrun { max });
        }
        if !is_written {
            return Err(PutError::Unformatted);
        }
        let header = Header::new(id, len);
        self.memory.store_around(head, &header.to_bytes());
        self.memory.advance_position(HEAD_AT, header.record_len());
        self.queue.find_record(header);
        Ok(())
    }

    /// Takes the oldest message. `None`: there is none.
    ///
    /// Cost: one header, and one for each hole in front.
    pub fn get(&mut self) -> Option<Message<'_>> {
        let before = self.queue.used();
        let found = self.queue.get(&self.memory);
        self.store_tail(before);
        found.message(&self.memory)
    }

    /// Takes the oldest message with this id, wherever it is. `None`: there is none.
    ///
    /// Cost: one header for each record, message or hole, in front of it.
    pub fn pull(&mut self, id: u16) -> Option<Message<'_>> {
        let before = self.queue.used();
        let found = self.queue.pull(&mut self.memory, id);
        self.store_tail(before);
        found.message(&self.memory)
    }

    /// The oldest message, left where it is. `None`: there is none.
    pub fn peek(&self) -> Option<Message<'_>> {
        self.queue.peek(&self.memory).message(&self.memory)
    }

    /// The ids of the messages, oldest first.
    pub fn ids(&self) -> Ids<'_> {
        Ids::new(self.iter())
    }

    /// The messages, oldest first, left where they are.
    pub fn iter(&self) -> Iter<'_> {
        self.queue.iter(&self.memory)
    }

    /// Frees the holes in front of the oldest message.
    pub fn trim(&mut self) {
        let before = self.queue.used();
        self.queue.pass_holes(&self.memory);
        self.store_tail(before);
    }

    /// Forgets all messages. The head stays where it is.
    pub fn clear(&mut self) {
        let head = self.queue.head(self.size());
        self.memory.advance_position(TAIL_AT, self.queue.used());
        self.queue = Queue::at(head, Plain::NEW);
    }

    /// How many messages there are, holes not counted.
    pub fn message_count(&self) -> usize {
        self.queue.live()
    }

    /// Whether there is no message to get.
    pub fn is_empty(&self) -> bool {
        self.queue.live() == 0
    }

    /// Bytes taken by messages, their headers and holes.
    pub fn used(&self) -> usize {
        self.queue.used()
    }

    /// Bytes not taken: the next message may have up to `free() - 4`.
    pub fn free(&self) -> usize {
        self.queue.free(self.size())
    }

    /// Whether a message with a payload of `len` bytes can be put now.
    pub fn fits(&self, len: usize) -> bool {
        self.queue.takes(self.size(), ANY, len)
    }

    /// Bytes in all.
    pub fn size(&self) -> usize {
        self.memory.size()
    }

    /// Stores the tail, when it has moved since so many bytes were used.
    fn store_tail(&mut self, used_before: usize) {
        let passed = used_before - self.queue.used();
        if passed != 0 {
            self.memory.advance_position(TAIL_AT, passed);
        }
    }
}

impl<M: Memory + ?Sized> fmt::Debug for RetainedRing<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetainedRing")
            .field("size", &self.size())
            .field("used", &self.used())
            .field("messages", &self.iter())
            .finish()
    }
}

/// A payload that is being written behind the head, to bytes that nobody reads yet.
struct Draft<'r, 'm, M: ?Sized> {
    memory: &'r mut Kept<'m, M>,
    /// Where the next byte goes.
    at: usize,
    len: usize,
    max: usize,
    overrun: bool,
}

impl<M: Memory + ?Sized> Draft<'_, '_, M> {
    fn push(&mut self, bytes: &[u8]) -> fmt::Result {
        if self.overrun || bytes.len() > self.max - self.len {
            self.overrun = true;
            return Err(fmt::Error);
        }
        self.memory.store_around(self.at, bytes);
        self.at = advance(self.at, bytes.len(), self.memory.size());
        self.len += bytes.len();
        Ok(())
    }
}

impl<M: Memory + ?Sized> fmt::Write for Draft<'_, '_, M> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes())
    }
}

/// The memory, and in which order things are stored in it.
struct Kept<'m, M: ?Sized>(&'m mut M);

impl<M: Memory + ?Sized> Bytes for Kept<'_, M> {
    fn size(&self) -> usize {
        // Positions up to twice the size have to be told from `NOTHING`.
        self.0.bytes().len().min(1 << 30)
    }

    fn slice(&self, at: usize, len: usize) -> Option<&[u8]> {
        let bytes = self.0.bytes();
        bytes.get(..self.size())?.get(at..at + len)
    }

    fn make_hole(&mut self, at: usize) {
        self.store_pair(DELETING_AT, at as u32);
        self.store_around(at, &HOLE.to_be_bytes());
        self.store_pair(DELETING_AT, NOTHING);
    }
}

impl<M: Memory + ?Sized> Kept<'_, M> {
    /// Makes an empty ring of whatever this is.
    ///
    /// The magic goes first and comes last: an interrupted one is a first boot again.
    fn format(&mut self) {
        self.0.store_word(MAGIC_AT, 0);
        self.0.store_word(SIZE_AT, self.size() as u32);
        self.store_pair(TAIL_AT, 0);
        self.store_pair(HEAD_AT, 0);
        self.store_pair(DELETING_AT, NOTHING);
        for at in 0..self.size() {
            self.0.store_bytes(at, &[0]);
        }
        self.0.store_word(MAGIC_AT, MAGIC);
    }

    /// Finishes what a reset interrupted; or says why nothing can be made of it.
    fn settle(&mut self) -> Result<(Queue, Recovered), Recovered> {
        let found = self.read_positions()?;
        let Positions { tail, claimed, mut queue, flaw } = found;
        self.settle_pair(TAIL_AT, tail as u32);
        self.settle_pair(HEAD_AT, moved(tail, queue.used(), self.size()) as u32);

        let is_whole = queue.used() == claimed;
        let dropped = claimed - queue.used();
        let deleting = self.0.word(DELETING_AT);
        let was_deleting = deleting == !self.0.word(DELETING_AT + 1) && deleting != NOTHING;
        if was_deleting && queue.begins_at(self, deleting as usize) {
            self.make_hole(deleting as usize);
            queue = image::walk(self, queue.tail(), queue.used()).0;
        }
        self.settle_pair(DELETING_AT, NOTHING);
        // The reset may have come before a pull passed the holes in front of it.
        let before = queue.used();
        queue.pass_holes(self);
        if queue.used() != before {
            self.advance_position(TAIL_AT, before - queue.used());
        }
        let flaw = if is_whole { None } else { flaw };
        let report = Recovered { messages: queue.live(), dropped, flaw };
        Ok((queue, report))
    }

    /// Where head and tail are. Where one of them disagrees with its complement, the first of the two
    /// with which there are whole records from the tail up to the head; without such, as many records
    /// as are sound.
    fn read_positions(&self) -> Result<Positions, Recovered> {
        let size = self.size();
        let readings = |at| [self.0.word(at) as usize, !self.0.word(at + 1) as usize];
        let mut best = None;
        for tail in readings(TAIL_AT) {
            for head in readings(HEAD_AT) {
                if tail >= 2 * size || head >= 2 * size || apart(tail, head, size) > size {
                    continue;
                }
                let claimed = apart(tail, head, size);
                let (queue, flaw) = image::walk(self, index(tail, size), claimed);
                if queue.used() == claimed {
                    return Ok(Positions { tail, claimed, queue, flaw });
                }
                best = best.or(Some(Positions { tail, claimed, queue, flaw }));
            }
        }
        let offset = self.0.word(TAIL_AT) as usize;
        let reason = if offset < 2 * size { Flaw::HeadOutside } else { Flaw::TailOutside };
        let flaw = Some(BadImage { offset, reason });
        best.ok_or(Recovered { messages: 0, dropped: size, flaw })
    }

    /// Stores a word and its complement, if they are not there.
    fn settle_pair(&mut self, at: usize, word: u32) {
        if (self.0.word(at), self.0.word(at + 1)) != (word, !word) {
            self.store_pair(at, word);
        }
    }

    fn store_pair(&mut self, at: usize, word: u32) {
        self.0.store_word(at, word);
        self.0.store_word(at + 1, !word);
    }

    /// Moves the head or the tail, which is the moment when an operation becomes true.
    fn advance_position(&mut self, at: usize, by: usize) {
        let position = moved(self.0.word(at) as usize, by, self.size());
        self.store_pair(at, position as u32);
    }

    /// Stores bytes from `at` on, around the end.
    fn store_around(&mut self, at: usize, bytes: &[u8]) {
        let before_end = self.size() - at;
        let (fits, wraps) = bytes.split_at_checked(before_end).unwrap_or((bytes, &[]));
        self.0.store_bytes(at, fits);
        if !wraps.is_empty() {
            self.0.store_bytes(0, wraps);
        }
    }
}

/// What head and tail say, and what lies between them.
struct Positions {
    /// In `0..2 * size`.
    tail: usize,
    /// Bytes from the tail up to the head.
    claimed: usize,
    /// As many of them as are sound records.
    queue: Queue,
    /// Why not all of them are.
    flaw: Option<BadImage>,
}
