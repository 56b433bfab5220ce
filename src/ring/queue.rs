//! What the ring does, over any slice, once in the binary.
//!
//! A [`Queue`] is four numbers; the bytes they speak of are passed in. It never moves a message.
//! What makes it a faithful copy of the reference implementation is *when the tail moves*:
//!
//! | operation | the tail |
//! |---|---|
//! | `get` | passes the holes in front, then the message |
//! | `peek`, walking, a `pull` that finds nothing | stays |
//! | `pull` of the record at the tail | passes that record, not the holes behind it |
//! | `pull` of any other | passes the holes in front, which may have become the whole queue |
//!
//! **Invariants**, true between any two calls:
//!
//! - *In range*: `tail < size` and `used <= size`.
//! - *Packed*: the `used` bytes from `tail` on are whole records, end to end.
//! - *Counted*: `live` of them are messages; the others are holes and take `holes` bytes.
//!
//! There is no head: it is `tail + used`, brought round the end. A count of messages and one of the
//! bytes in holes cost two words, and make `message_count`, `is_empty` and a refused `put` take
//! the same short time whatever is in the ring.

use core::fmt;
use core::iter::FusedIterator;

use super::PutError;
use super::message::Message;
use super::record::{self, HEADER, HOLE, Header, MAX_PAYLOAD, advance};

pub(super) struct Queue {
    /// Where the oldest record begins, in `0..size`.
    tail: usize,
    /// Bytes of all records, in `0..=size`.
    used: usize,
    /// Records that are messages.
    live: usize,
    /// Bytes of the records that are holes, in `0..=used`.
    holes: usize,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { tail: 0, used: 0, live: 0, holes: 0 }
    }

    pub(super) fn tail(&self) -> usize {
        self.tail
    }

    pub(super) fn head(&self, size: usize) -> usize {
        advance(self.tail, self.used, size)
    }

    pub(super) fn used(&self) -> usize {
        self.used
    }

    pub(super) fn live(&self) -> usize {
        self.live
    }

    pub(super) fn free(&self, size: usize) -> usize {
        size - self.used
    }

    /// Whether there was room and the id and the length are allowed; if not, nothing has changed and
    /// [`refusal`](Self::refusal) says why.
    pub(super) fn put(&mut self, storage: &mut [u8], id: u16, payload: &[u8]) -> bool {
        let size = storage.len();
        let needed = HEADER + payload.len();
        if id == HOLE || payload.len() > MAX_PAYLOAD || needed > self.free(size) {
            return false;
        }
        let head = self.head(size);
        self.used += needed;
        self.live += 1;
        record::write(storage, head, id, payload);
        true
    }

    /// Why a `put` was refused. What can never succeed is told before what cannot succeed now.
    #[cold]
    pub(super) fn refusal(&self, size: usize, id: u16, len: usize) -> PutError {
        let needed = HEADER + len;
        if id == HOLE {
            PutError::ReservedId
        } else if len > MAX_PAYLOAD {
            PutError::TooLong
        } else if needed > size {
            PutError::NeverFits { needed, size }
        } else {
            PutError::Full { needed, free: self.free(size), reclaimable: self.holes }
        }
    }

    pub(super) fn get(&mut self, storage: &[u8]) -> Found {
        let mut header = record::header(storage, self.tail);
        if self.live == 0 || header.is_hole() {
            header = self.pass_holes(storage);
            if header.is_hole() {
                return Found::NOTHING;
            }
        }
        let at = self.tail;
        self.live -= 1;
        self.pass(header, storage.len());
        Found { at, header }
    }

    pub(super) fn peek(&self, storage: &[u8]) -> Found {
        let header = record::header(storage, self.tail);
        if self.live == 0 || header.is_hole() {
            return self.peek_behind_holes(storage);
        }
        Found { at: self.tail, header }
    }

    #[cold]
    fn peek_behind_holes(&self, storage: &[u8]) -> Found {
        match self.iter(storage).next_header() {
            Some((at, header)) => Found { at, header },
            None => Found::NOTHING,
        }
    }

    pub(super) fn pull(&mut self, storage: &mut [u8], id: u16) -> Found {
        if self.live == 0 {
            return Found::NOTHING;
        }
        let Found { at, header } = self.find(storage, id);
        if header.is_hole() {
            return Found::NOTHING;
        }
        record::make_hole(storage, at);
        self.live -= 1;
        if at == self.tail {
            self.pass(header, storage.len());
        } else {
            self.holes += header.record_len();
            self.pass_holes(storage);
        }
        Found { at, header }
    }

    /// The oldest record with this id.
    ///
    /// A function of its own, for the registers: inlined into `pull`, thumbv6m needs a third more
    /// instructions for each record.
    #[inline(never)]
    fn find(&self, storage: &[u8], id: u16) -> Found {
        let mut records = self.records(storage);
        while records.left != 0 {
            let header = records.header();
            if header.id() == id {
                return Found { at: records.at(), header };
            }
            records.step(header);
        }
        Found::NOTHING
    }

    /// Moves the tail past the holes in front, and returns the header it comes to: a message's, or a
    /// hole's when there is no message.
    #[cold]
    #[inline(never)]
    fn pass_holes(&mut self, storage: &[u8]) -> Header {
        let size = storage.len();
        if self.live == 0 {
            // Nothing but holes: the tail would walk to the head.
            *self = Self { tail: self.head(size), ..Self::new() };
            return Header::NONE;
        }
        loop {
            let header = record::header(storage, self.tail);
            if !header.is_hole() {
                return header;
            }
            self.pass(header, size);
            self.holes -= header.record_len();
        }
    }

    /// Moves the tail past the record it stands on.
    fn pass(&mut self, header: Header, size: usize) {
        let len = header.record_len();
        self.tail = advance(self.tail, len, size);
        self.used -= len;
    }

    pub(super) fn iter<'a>(&self, storage: &'a [u8]) -> Iter<'a> {
        Iter { records: self.records(storage), live: self.live }
    }

    fn records<'a>(&self, storage: &'a [u8]) -> Records<'a> {
        let rest = storage.get(self.tail..).unwrap_or_default();
        Records { storage, rest, left: self.used }
    }
}

/// Where a message was found and what its header said; a hole's header if none was.
///
/// Two words, so that it comes back in registers. The view is made where it is used, and often
/// never put together at all.
#[derive(Clone, Copy)]
pub(super) struct Found {
    at: usize,
    header: Header,
}

impl Found {
    const NOTHING: Self = Self { at: 0, header: Header::NONE };

    #[inline]
    pub(super) fn message(self, storage: &[u8]) -> Option<Message<'_>> {
        if self.header.is_hole() {
            return None;
        }
        let payload = record::payload(storage, self.at, self.header.len());
        Some(Message::new(self.header.id(), payload))
    }
}

/// Every record from the tail on, holes included, with its position.
#[derive(Clone)]
struct Records<'a> {
    storage: &'a [u8],
    /// From the next record on to the end of the storage, never empty.
    rest: &'a [u8],
    /// Bytes of records not yet walked.
    left: usize,
}

impl Records<'_> {
    fn at(&self) -> usize {
        self.storage.len() - self.rest.len()
    }

    fn header(&self) -> Header {
        match self.rest.first_chunk() {
            Some(bytes) => Header::from_bytes(*bytes),
            None => record::header_over_the_end(self.storage, self.at()),
        }
    }

    fn step(&mut self, header: Header) {
        let len = header.record_len();
        self.left -= len;
        self.rest = if len < self.rest.len() {
            self.rest.get(len..).unwrap_or_default()
        } else {
            self.storage.get(len - self.rest.len()..).unwrap_or_default()
        };
    }
}

impl Iterator for Records<'_> {
    type Item = (usize, Header);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let (at, header) = (self.at(), self.header());
        self.step(header);
        Some((at, header))
    }
}

/// The messages of a ring, oldest first: see [`Ring::iter`](super::Ring::iter).
#[derive(Clone)]
pub struct Iter<'a> {
    records: Records<'a>,
    /// Messages not yet walked. What lies behind the last one is not looked at.
    live: usize,
}

impl<'a> Iter<'a> {
    fn next_header(&mut self) -> Option<(usize, Header)> {
        self.live = self.live.checked_sub(1)?;
        self.records.find(|(_, header)| !header.is_hole())
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let (at, header) = self.next_header()?;
        Found { at, header }.message(self.records.storage)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.live, Some(self.live))
    }
}

impl ExactSizeIterator for Iter<'_> {
    // The provided one asserts, and keeps its panic where `size_hint` is not inlined.
    fn len(&self) -> usize {
        self.live
    }
}

impl FusedIterator for Iter<'_> {}

/// The ids in a ring, oldest first: see [`Ring::ids`](super::Ring::ids).
#[derive(Clone)]
pub struct Ids<'a>(Iter<'a>);

impl<'a> Ids<'a> {
    pub(super) fn new(messages: Iter<'a>) -> Self {
        Self(messages)
    }
}

impl Iterator for Ids<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        self.0.next_header().map(|(_, header)| header.id())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Ids<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl FusedIterator for Ids<'_> {}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl fmt::Debug for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
