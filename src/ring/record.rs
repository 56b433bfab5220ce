//! The bytes of a record: a promise, and all the arithmetic there is.
//!
//! A message lies in the ring as one record, packed without padding behind the one before it:
//!
//! ```text
//!          0        1        2        3        4                        4 + len
//!          +--------+--------+--------+--------+---  ~  ---+
//!          |   id, big-endian|  len, big-endian|  payload  |  next record
//!          +--------+--------+--------+--------+---  ~  ---+
//!
//!   id      1 ..= 65,535: a message     0: a hole, the message was pulled
//!   len     0 ..= 65,535: bytes of payload; a hole keeps it, so that walking still works
//! ```
//!
//! A record wraps at any byte, its header included. Here one of 7 bytes starts 3 bytes before the
//! end of a ring of 16:
//!
//! ```text
//!     0    1    2    3    4    5                        13   14   15
//!   +----+----+----+----+----+--  ~  -----------------+----+----+----+
//!   |len |   payload    |                             |   id    |len |
//!   | lo |              |                             | hi | lo | hi |
//!   +----+----+----+----+----+--  ~  -----------------+----+----+----+
//!                        ^ head                        ^ tail
//! ```
//!
//! Everything here is a pure function over a slice. A position is in `0..size`, and a length that is
//! added to one is at most `size`, so that one compare and one subtraction bring it round.

/// Bytes in front of each payload: the id and the length.
pub const HEADER: usize = 4;

/// The longest payload, in bytes: what the length field can say.
pub const MAX_PAYLOAD: usize = u16::MAX as usize;

/// The smallest ring, in bytes: room for one message of four bytes.
pub const MIN_SIZE: usize = 8;

/// The id of a hole, which no message can have.
pub(super) const HOLE: u16 = 0;

/// The id of a message of which only the length matters.
pub(super) const ANY: u16 = 1;

/// What the first four bytes of a record say, as they are read: one big-endian word.
#[derive(Clone, Copy)]
pub(super) struct Header(u32);

impl Header {
    /// A hole of no bytes, for where there is no record.
    pub(super) const NONE: Self = Self(0);

    /// `id`, and a length of at most [`MAX_PAYLOAD`].
    pub(super) fn new(id: u16, len: usize) -> Self {
        Self(u32::from(id) << 16 | len as u32)
    }

    pub(super) fn id(self) -> u16 {
        (self.0 >> 16) as u16
    }

    pub(super) fn is_hole(self) -> bool {
        self.id() == HOLE
    }

    /// Bytes of the payload, `0..=MAX_PAYLOAD`.
    pub(super) fn len(self) -> usize {
        usize::from(self.0 as u16)
    }

    /// Bytes of the whole record.
    pub(super) fn record_len(self) -> usize {
        HEADER + self.len()
    }

    pub(super) fn from_bytes(bytes: [u8; HEADER]) -> Self {
        Self(u32::from_be_bytes(bytes))
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        self.0.to_be_bytes()
    }
}

/// The position `by` bytes after `at`.
pub(super) fn advance(at: usize, by: usize, size: usize) -> usize {
    let next = at + by;
    if next >= size { next - size } else { next }
}

/// How many bytes lie from `tail` to `head`, both in `0..2 * size`; at most `size` when they are
/// sound. In this range, unlike in `0..size`, a full ring differs from an empty one.
pub(super) fn apart(tail: usize, head: usize, size: usize) -> usize {
    if head >= tail { head - tail } else { head + (2 * size - tail) }
}

/// The position in `0..2 * size` that is `by` bytes, at most `size`, behind this one.
pub(super) fn moved(position: usize, by: usize, size: usize) -> usize {
    let position = position + by;
    if position >= 2 * size { position - 2 * size } else { position }
}

/// Where in the bytes a position in `0..2 * size` is.
pub(super) fn index(position: usize, size: usize) -> usize {
    if position >= size { position - size } else { position }
}

/// Bytes that records lie in, positions `0..size`: what the ring's algorithms ask of them.
///
/// A plain slice is one; the others are the part of a shared ring that one side owns, and memory
/// that outlives a reset.
pub(super) trait Bytes {
    /// How many positions there are, the ones that may not be looked at included.
    fn size(&self) -> usize;

    /// `len` bytes from `at` on; `None` when they go over the end.
    fn slice(&self, at: usize, len: usize) -> Option<&[u8]>;

    /// Makes a hole of the record at `at`: zero in the two bytes of its id, nothing else.
    fn make_hole(&mut self, at: usize);
}

impl Bytes for [u8] {
    #[inline]
    fn size(&self) -> usize {
        self.len()
    }

    #[inline]
    fn slice(&self, at: usize, len: usize) -> Option<&[u8]> {
        self.get(at..at + len)
    }

    fn make_hole(&mut self, at: usize) {
        match self.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            Some(id) => *id = HOLE.to_be_bytes(),
            None => copy_around(self, at, &HOLE.to_be_bytes()),
        }
    }
}

/// Reads the header at `at`.
#[inline]
pub(super) fn header<B: Bytes + ?Sized>(bytes: &B, at: usize) -> Header {
    match bytes.slice(at, HEADER).and_then(<[u8]>::first_chunk) {
        Some(bytes) => Header::from_bytes(*bytes),
        None => header_over_the_end(bytes, at),
    }
}

#[cold]
#[inline(never)]
fn header_over_the_end<B: Bytes + ?Sized>(bytes: &B, at: usize) -> Header {
    let (before_end, from_start) = slices(bytes, at, HEADER);
    header_in_pieces(before_end, from_start)
}

/// Reads a header of which `from_start` continues what `before_end` begins.
#[cold]
#[inline(never)]
pub(super) fn header_in_pieces(before_end: &[u8], from_start: &[u8]) -> Header {
    let mut bytes = [0; HEADER];
    for (to, from) in bytes.iter_mut().zip(before_end.iter().chain(from_start)) {
        *to = *from;
    }
    Header::from_bytes(bytes)
}

/// The payload of the record at `at`, `len` bytes: in one piece or, around the end, in two.
///
/// The second piece is empty when one is enough.
#[inline]
pub(super) fn payload<B: Bytes + ?Sized>(bytes: &B, at: usize, len: usize) -> (&[u8], &[u8]) {
    slices(bytes, advance(at, HEADER, bytes.size()), len)
}

/// `len` bytes from `at` on, `at < size` and `len <= size`.
#[inline]
fn slices<B: Bytes + ?Sized>(bytes: &B, at: usize, len: usize) -> (&[u8], &[u8]) {
    if let Some(whole) = bytes.slice(at, len) {
        return (whole, &[]);
    }
    let before_end = bytes.size() - at;
    (
        bytes.slice(at, before_end).unwrap_or_default(),
        bytes.slice(0, len.saturating_sub(before_end)).unwrap_or_default(),
    )
}

/// Writes a record at `at`. The caller has made sure that `payload` is no longer than
/// [`MAX_PAYLOAD`] and that the record takes no bytes that are in use.
pub(super) fn write(storage: &mut [u8], at: usize, id: u16, payload: &[u8]) {
    let header = Header::new(id, payload.len()).to_bytes();
    let Some((from_start, before_end)) = storage.split_at_mut_checked(at) else { return };
    match before_end.split_first_chunk_mut() {
        Some((front, rest)) => {
            *front = header;
            match payload.split_at_checked(rest.len()) {
                Some((fits, wraps)) => {
                    copy(rest, fits);
                    copy(from_start, wraps);
                }
                None => copy(rest, payload),
            }
        }
        None => {
            copy_around(storage, at, &header);
            copy_around(storage, advance(at, HEADER, storage.len()), payload);
        }
    }
}

/// `len` bytes from `at` on, `at < size` and `len <= size`, to be written: in one piece or in two.
pub(super) fn pieces_mut(storage: &mut [u8], at: usize, len: usize) -> (&mut [u8], &mut [u8]) {
    let (from_start, before_end) = storage.split_at_mut_checked(at).unwrap_or_default();
    match len.checked_sub(before_end.len()) {
        Some(wrapped) => (before_end, from_start.get_mut(..wrapped).unwrap_or_default()),
        None => (before_end.get_mut(..len).unwrap_or_default(), &mut []),
    }
}

/// Copies `bytes` into what the two pieces are together, `offset` bytes from its beginning, as far
/// as there is room.
pub(super) fn place((first, second): (&mut [u8], &mut [u8]), offset: usize, bytes: &[u8]) {
    match first.get_mut(offset..) {
        Some(room) => match bytes.split_at_checked(room.len()) {
            Some((fits, continues)) => {
                copy(room, fits);
                copy(second, continues);
            }
            None => copy(room, bytes),
        },
        None => copy(second.get_mut(offset - first.len()..).unwrap_or_default(), bytes),
    }
}

/// Moves `len` bytes back from `from` to `to`, both in `0..size`, around the end.
///
/// `to` lies before `from`, `gap` bytes in between: no piece moved at once is longer, so that none
/// overlaps the place it goes to. `len + gap <= size`.
pub(super) fn move_back(
    storage: &mut [u8],
    (mut from, mut to): (usize, usize),
    mut len: usize,
    gap: usize,
) {
    let size = storage.len();
    while len != 0 {
        let piece = len.min(gap).min(size - from).min(size - to);
        let (low, high) = (from.min(to), from.max(to));
        let Some((below, above)) = storage.split_at_mut_checked(high) else { return };
        let below = below.get_mut(low..low + piece).unwrap_or_default();
        let above = above.get_mut(..piece).unwrap_or_default();
        if to < from {
            copy(below, above);
        } else {
            copy(above, below);
        }
        from = advance(from, piece, size);
        to = advance(to, piece, size);
        len -= piece;
    }
}

/// `at <= size`, and from there on as many bytes to be overwritten, around the end.
#[inline(never)]
pub(super) fn copy_around(storage: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some((from_start, before_end)) = storage.split_at_mut_checked(at) {
        place((before_end, from_start), 0, bytes);
    }
}

/// Copies two pieces, one behind the other, as far as there is room.
#[inline]
pub(super) fn copy_both(to: &mut [u8], first: &[u8], second: &[u8]) {
    if let Some((front, back)) = to.split_at_mut_checked(first.len()) {
        copy(front, first);
        copy(back, second);
    }
}

/// Copies as many bytes as both have.
///
/// A loop, because `copy_from_slice` keeps its panic at `opt-level = "z"`; this loop, because it is
/// a `memcpy` at "s" and 3, also where `core` is built along, which a `zip` is not.
#[inline]
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    let len = to.len().min(from.len());
    let (Some(mut to), Some(mut from)) = (to.get_mut(..len), from.get(..len)) else { return };
    while let ([to_byte, to_rest @ ..], [from_byte, from_rest @ ..]) = (to, from) {
        *to_byte = *from_byte;
        (to, from) = (to_rest, from_rest);
    }
}
