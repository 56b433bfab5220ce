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

mod compact;

use core::fmt;
use core::iter::FusedIterator;

use super::PutError;
use super::message::Message;
use super::record::{self, Bytes, HEADER, HOLE, Header, MAX_PAYLOAD, advance};
use super::track::{Notes, Plain};

pub(super) struct Queue<T = Plain> {
    /// Where the oldest record begins, in `0..size`.
    tail: usize,
    /// Bytes of all records, in `0..=size`.
    used: usize,
    /// Records that are messages.
    live: usize,
    /// Bytes of the records that are holes, in `0..=used`.
    holes: usize,
    notes: T,
}

impl<T> Queue<T> {
    pub(super) const fn new(notes: T) -> Self {
        Self::at(0, notes)
    }

    /// An empty queue whose head and tail stand at `tail`.
    pub(super) const fn at(tail: usize, notes: T) -> Self {
        Self { tail, used: 0, live: 0, holes: 0, notes }
    }

    /// Takes in the record that somebody else has written at the head.
    pub(super) fn find_record(&mut self, header: Header) {
        self.used += header.record_len();
        if header.is_hole() {
            self.holes += header.record_len();
        } else {
            self.live += 1;
        }
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

    pub(super) fn holes(&self) -> usize {
        self.holes
    }

    pub(super) fn free(&self, size: usize) -> usize {
        size - self.used
    }

    pub(super) fn notes(&self) -> &T {
        &self.notes
    }
}

/// Writing.
impl<T: Notes> Queue<T> {
    /// Whether there was room and the id and the length are allowed; if not, nothing has changed and
    /// [`refusal`](Self::refusal) says why.
    pub(super) fn put(&mut self, storage: &mut [u8], id: u16, payload: &[u8]) -> bool {
        let size = storage.len();
        if !self.takes(size, id, payload.len()) {
            return false;
        }
        let head = self.head(size);
        self.grow(HEADER + payload.len());
        record::write(storage, head, id, payload);
        true
    }

    /// A message of so many bytes, header included, has been written at the head.
    #[inline]
    pub(super) fn grow(&mut self, record_len: usize) {
        self.used += record_len;
        self.live += 1;
        self.notes.grown(self.used);
    }

    /// Whether a message of this id and length can be put now.
    #[inline]
    pub(super) fn takes(&self, size: usize, id: u16, len: usize) -> bool {
        takes(self.free(size), id, len)
    }

    /// The same, and why not.
    #[inline]
    pub(super) fn check(&self, size: usize, id: u16, len: usize) -> Result<(), PutError> {
        if self.takes(size, id, len) { Ok(()) } else { Err(self.refusal(size, id, len)) }
    }

    /// Why a `put` was refused.
    #[cold]
    pub(super) fn refusal(&self, size: usize, id: u16, len: usize) -> PutError {
        refusal(size, self.free(size), self.holes, id, len)
    }
}

/// Whether a message of this id and length can be put where so many bytes are free.
#[inline]
pub(super) fn takes(free: usize, id: u16, len: usize) -> bool {
    id != HOLE && len <= MAX_PAYLOAD && HEADER + len <= free
}

/// Why it cannot. What can never succeed is told before what cannot succeed now.
#[cold]
pub(super) fn refusal(
    size: usize,
    free: usize,
    reclaimable: usize,
    id: u16,
    len: usize,
) -> PutError {
    let needed = len.saturating_add(HEADER);
    if id == HOLE {
        PutError::ReservedId
    } else if len > MAX_PAYLOAD {
        PutError::TooLong
    } else if needed > size {
        PutError::NeverFits { needed, size }
    } else {
        PutError::Full { needed, free, reclaimable }
    }
}

/// Taking and looking.
impl<T: Notes> Queue<T> {
    pub(super) fn get<B: Bytes + ?Sized>(&mut self, bytes: &B) -> Found {
        let mut header = record::header(bytes, self.tail);
        if self.live == 0 || header.is_hole() {
            header = self.pass_holes(bytes);
            if header.is_hole() {
                return Found::NOTHING;
            }
        }
        let at = self.tail;
        self.live -= 1;
        self.pass(header, bytes.size());
        Found { at, header }
    }

    pub(super) fn peek<B: Bytes + ?Sized>(&self, bytes: &B) -> Found {
        let header = record::header(bytes, self.tail);
        if self.live == 0 || header.is_hole() {
            return self.peek_behind_holes(bytes);
        }
        Found { at: self.tail, header }
    }

    #[cold]
    fn peek_behind_holes<B: Bytes + ?Sized>(&self, bytes: &B) -> Found {
        let mut messages = self.iter(bytes);
        match messages.next_header() {
            Some(header) => messages.records.found(self, header, bytes.size()),
            None => Found::NOTHING,
        }
    }

    pub(super) fn pull<B: Bytes + ?Sized>(&mut self, bytes: &mut B, id: u16) -> Found {
        let found = self.locate(bytes, id);
        if !found.header.is_hole() {
            self.remove(bytes, found);
        }
        found
    }

    /// The oldest message with this id; none has the id 0.
    pub(super) fn locate<B: Bytes + ?Sized>(&mut self, bytes: &B, id: u16) -> Found {
        if self.live == 0 || id == HOLE {
            return Found::NOTHING;
        }
        let found = self.find(bytes, id, self.notes.known(id));
        let searched =
            if found.header.is_hole() { self.used } else { self.offset_of(found.at, bytes.size()) };
        self.notes.searched(id, searched);
        found
    }

    /// Takes out what [`locate`](Self::locate) found, as nothing has changed since.
    pub(super) fn remove<B: Bytes + ?Sized>(&mut self, bytes: &mut B, found: Found) {
        let Found { at, header } = found;
        bytes.make_hole(at);
        self.live -= 1;
        if at == self.tail {
            self.pass(header, bytes.size());
        } else {
            self.holes += header.record_len();
            self.pass_holes(bytes);
        }
    }

    /// The oldest record with this id, those in the first `known` bytes left out.
    #[inline(never)]
    fn find<B: Bytes + ?Sized>(&self, bytes: &B, id: u16, known: usize) -> Found {
        let mut records = self.records(bytes, known);
        while !records.is_empty() {
            records.rest = pass_others(records.rest, id);
            let header = records.header();
            if header.id() == id {
                return records.found(self, header, bytes.size());
            }
            records.step(header);
        }
        Found::NOTHING
    }

    /// How far behind the tail a position is.
    fn offset_of(&self, at: usize, size: usize) -> usize {
        if at >= self.tail { at - self.tail } else { at + (size - self.tail) }
    }

    /// Moves the tail past the holes in front, and returns the header it comes to: a message's, or a
    /// hole's when there is no message.
    #[cold]
    #[inline(never)]
    pub(super) fn pass_holes<B: Bytes + ?Sized>(&mut self, bytes: &B) -> Header {
        let size = bytes.size();
        if self.live == 0 {
            // Nothing but holes: the tail would walk to the head.
            self.tail = self.head(size);
            self.notes.passed(self.used);
            (self.used, self.holes) = (0, 0);
            return Header::NONE;
        }
        loop {
            let header = record::header(bytes, self.tail);
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
        self.notes.passed(len);
    }

    /// Forgets all records and begins again at position 0.
    pub(super) fn clear(&mut self) {
        self.notes.passed(self.used);
        (self.tail, self.used, self.live, self.holes) = (0, 0, 0, 0);
    }

    /// Makes a hole of each message that `keep` refuses, and then passes the holes in front.
    pub(super) fn retain<B: Bytes + ?Sized>(
        &mut self,
        bytes: &mut B,
        keep: &mut dyn FnMut(Message<'_>) -> bool,
    ) -> usize {
        let before = self.live;
        let (mut at, mut left, mut unseen) = (self.tail, self.used, self.live);
        while left != 0 && unseen != 0 {
            let header = record::header(bytes, at);
            if let Some(message) = (Found { at, header }).message(bytes) {
                unseen -= 1;
                if !keep(message) {
                    bytes.make_hole(at);
                    self.live -= 1;
                    self.holes += header.record_len();
                }
            }
            left -= header.record_len();
            at = advance(at, header.record_len(), bytes.size());
        }
        if self.live != before {
            self.pass_holes(bytes);
        }
        before - self.live
    }

    pub(super) fn iter<'a, B: Bytes + ?Sized>(&self, bytes: &'a B) -> Iter<'a> {
        Iter { records: self.records(bytes, 0), live: self.live }
    }

    /// Whether a record begins at this position.
    pub(super) fn begins_at<B: Bytes + ?Sized>(&self, bytes: &B, at: usize) -> bool {
        let mut records = self.records(bytes, 0);
        while !records.is_empty() {
            let header = records.header();
            if records.found(self, header, bytes.size()).at == at {
                return true;
            }
            records.step(header);
        }
        false
    }

    pub(super) fn hole_count<B: Bytes + ?Sized>(&self, bytes: &B) -> usize {
        let (mut records, mut holes) = (self.records(bytes, 0), 0);
        while !records.is_empty() {
            let header = records.header();
            holes += usize::from(header.is_hole());
            records.step(header);
        }
        holes
    }

    /// Every record from `offset` bytes behind the tail on; one begins there.
    fn records<'a, B: Bytes + ?Sized>(&self, bytes: &'a B, offset: usize) -> Records<'a> {
        let (at, left) = (advance(self.tail, offset, bytes.size()), self.used - offset);
        let before_end = left.min(bytes.size() - at);
        Records {
            rest: bytes.slice(at, before_end).unwrap_or_default(),
            wrapped: bytes.slice(0, left - before_end).unwrap_or_default(),
        }
    }
}

/// Passes the records in front that have another id, but for one that reaches the end.
///
/// A function of its own, for the registers: this is the loop that makes `pull` cheap or dear.
#[inline(never)]
fn pass_others(mut rest: &[u8], id: u16) -> &[u8] {
    // A header put together by hand: as bytes it is what a Cortex-M0 can load from anywhere.
    while let Some([a, b, c, d]) = rest.first_chunk() {
        let its = u32::from(*a) << 8 | u32::from(*b);
        let len = HEADER + (usize::from(*c) << 8 | usize::from(*d));
        if its == u32::from(id) || len >= rest.len() {
            break;
        }
        rest = rest.get(len..).unwrap_or_default();
    }
    rest
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

    /// Bytes of the payload, when one was found.
    pub(super) fn len(self) -> Option<usize> {
        if self.header.is_hole() { None } else { Some(self.header.len()) }
    }

    #[inline]
    pub(super) fn message<B: Bytes + ?Sized>(self, bytes: &B) -> Option<Message<'_>> {
        if self.header.is_hole() {
            return None;
        }
        let payload = record::payload(bytes, self.at, self.header.len());
        Some(Message::new(self.header.id(), payload))
    }
}

/// Records one after the other, holes included, where they lie.
#[derive(Clone)]
struct Records<'a> {
    /// From the next record on, up to the end of the storage or of the last record. Empty only when
    /// all have been walked.
    rest: &'a [u8],
    /// What continues at the start of the storage.
    wrapped: &'a [u8],
}

impl<'a> Records<'a> {
    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn header(&self) -> Header {
        match self.rest.first_chunk() {
            Some(bytes) => Header::from_bytes(*bytes),
            None => record::header_in_pieces(self.rest, self.wrapped),
        }
    }

    /// The message whose header this is, and which comes next.
    fn message(&self, header: Header) -> Message<'a> {
        let (start, end) = (HEADER, header.record_len());
        let payload = match self.rest.get(start..end) {
            Some(whole) => (whole, &[][..]),
            None => {
                let first = self.rest.get(start..).unwrap_or_default();
                let skipped = start.saturating_sub(self.rest.len());
                let second = self.wrapped.get(skipped..end - self.rest.len()).unwrap_or_default();
                if first.is_empty() { (second, first) } else { (first, second) }
            }
        };
        Message::new(header.id(), payload)
    }

    /// Where the next record lies, whose header this is; `queue` is the one that is walked.
    fn found<T>(&self, queue: &Queue<T>, header: Header, size: usize) -> Found {
        let left = self.rest.len() + self.wrapped.len();
        Found { at: advance(queue.tail, queue.used - left, size), header }
    }

    fn step(&mut self, header: Header) {
        let len = header.record_len();
        if len < self.rest.len() {
            self.rest = self.rest.get(len..).unwrap_or_default();
        } else {
            self.rest = self.wrapped.get(len - self.rest.len()..).unwrap_or_default();
            self.wrapped = &[];
        }
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
    /// The next message, still to be stepped over.
    fn next_header(&mut self) -> Option<Header> {
        self.live = self.live.checked_sub(1)?;
        while !self.records.is_empty() {
            let header = self.records.header();
            if !header.is_hole() {
                return Some(header);
            }
            self.records.step(header);
        }
        None
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let header = self.next_header()?;
        let message = self.records.message(header);
        self.records.step(header);
        Some(message)
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
        let header = self.0.next_header()?;
        self.0.records.step(header);
        Some(header.id())
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
