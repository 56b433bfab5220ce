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

    pub(super) fn put(
        &mut self,
        storage: &mut [u8],
        id: u16,
        payload: &[u8],
    ) -> Result<(), PutError> {
        let size = storage.len();
        let needed = HEADER + payload.len();
        if id == HOLE || payload.len() > MAX_PAYLOAD || needed > self.free(size) {
            return Err(self.refusal(size, id, payload.len()));
        }
        record::write(storage, self.head(size), id, payload);
        self.used += needed;
        self.live += 1;
        Ok(())
    }

    /// Why a `put` was refused. What can never succeed is told before what cannot succeed now.
    #[cold]
    fn refusal(&self, size: usize, id: u16, len: usize) -> PutError {
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

    pub(super) fn get<'a>(&mut self, storage: &'a [u8]) -> Option<Message<'a>> {
        if self.holes != 0 {
            self.pass_holes(storage);
        }
        if self.live == 0 {
            return None;
        }
        let at = self.tail;
        let header = record::header(storage, at);
        self.pass(header, storage.len());
        self.live -= 1;
        Some(message(storage, at, header))
    }

    pub(super) fn pull<'a>(&mut self, storage: &'a mut [u8], id: u16) -> Option<Message<'a>> {
        if id == HOLE {
            return None;
        }
        let (at, header) = self.records(storage).find(|(_, header)| header.id == id)?;
        record::make_hole(storage, at);
        self.live -= 1;
        if at == self.tail {
            self.pass(header, storage.len());
        } else {
            self.holes += header.record_len();
            self.pass_holes(storage);
        }
        Some(message(storage, at, header))
    }

    /// Moves the tail past the holes in front of the oldest message, or of nothing.
    fn pass_holes(&mut self, storage: &[u8]) {
        let size = storage.len();
        if self.live == 0 {
            // Nothing but holes: the tail would walk to the head.
            *self = Self { tail: self.head(size), ..Self::new() };
            return;
        }
        loop {
            let header = record::header(storage, self.tail);
            if header.id != HOLE {
                return;
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
        Records { storage, at: self.tail, left: self.used }
    }
}

fn message(storage: &[u8], at: usize, header: Header) -> Message<'_> {
    let payload = advance(at, HEADER, storage.len());
    Message::new(header.id, record::slices(storage, payload, usize::from(header.len)))
}

/// Every record from the tail on, holes included, with its position.
#[derive(Clone)]
struct Records<'a> {
    storage: &'a [u8],
    at: usize,
    /// Bytes of records not yet walked.
    left: usize,
}

impl Iterator for Records<'_> {
    type Item = (usize, Header);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let at = self.at;
        let header = record::header(self.storage, at);
        self.at = advance(at, header.record_len(), self.storage.len());
        self.left -= header.record_len();
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
        self.records.find(|(_, header)| header.id != HOLE)
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let (at, header) = self.next_header()?;
        Some(message(self.records.storage, at, header))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.live, Some(self.live))
    }
}

impl ExactSizeIterator for Iter<'_> {}

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
        self.0.next_header().map(|(_, header)| header.id)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Ids<'_> {}

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
