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
//!     0    1    2    3    4                                 13   14   15
//!   +----+----+----+----+----+-- ~ -----------------------+----+----+----+
//!   |len | payload      |    |                            | id      |len |
//!   | lo |              |    |                            | hi   lo | hi |
//!   +----+----+----+----+----+-- ~ -----------------------+----+----+----+
//!                       ^ head                              ^ tail
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

/// What the first four bytes of a record say.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) len: u16,
}

impl Header {
    /// Bytes of the whole record, `HEADER..=HEADER + MAX_PAYLOAD`.
    pub(super) fn record_len(self) -> usize {
        HEADER + usize::from(self.len)
    }

    fn from_bytes(bytes: [u8; HEADER]) -> Self {
        // One load and one byte swap where the core has them.
        let word = u32::from_be_bytes(bytes);
        Self { id: (word >> 16) as u16, len: word as u16 }
    }

    fn to_bytes(self) -> [u8; HEADER] {
        ((u32::from(self.id) << 16) | u32::from(self.len)).to_be_bytes()
    }
}

/// The position `by` bytes after `at`.
pub(super) fn advance(at: usize, by: usize, size: usize) -> usize {
    let next = at + by;
    if next >= size { next - size } else { next }
}

/// Reads the header at `at`.
pub(super) fn header(storage: &[u8], at: usize) -> Header {
    match storage.get(at..).and_then(<[u8]>::first_chunk) {
        Some(bytes) => Header::from_bytes(*bytes),
        None => header_over_the_end(storage, at),
    }
}

#[cold]
#[inline(never)]
fn header_over_the_end(storage: &[u8], at: usize) -> Header {
    let mut bytes = [0; HEADER];
    let (before_end, from_start) = slices(storage, at, HEADER);
    for (to, from) in bytes.iter_mut().zip(before_end.iter().chain(from_start)) {
        *to = *from;
    }
    Header::from_bytes(bytes)
}

/// The `len` bytes at `at`, in one piece or, around the end, in two.
///
/// The second piece is empty when one is enough.
pub(super) fn slices(storage: &[u8], at: usize, len: usize) -> (&[u8], &[u8]) {
    match storage.get(at..at + len) {
        Some(whole) => (whole, &[]),
        None => slices_over_the_end(storage, at, len),
    }
}

#[cold]
#[inline(never)]
fn slices_over_the_end(storage: &[u8], at: usize, len: usize) -> (&[u8], &[u8]) {
    let before_end = storage.get(at..).unwrap_or(&[]);
    let from_start = storage.get(..len - before_end.len()).unwrap_or(&[]);
    (before_end, from_start)
}

/// Writes a record at `at`. The caller has made sure that `payload` is no longer than
/// [`MAX_PAYLOAD`] and that the record takes no bytes that are in use.
pub(super) fn write(storage: &mut [u8], at: usize, id: u16, payload: &[u8]) {
    let header = Header { id, len: payload.len() as u16 }.to_bytes();
    let record = storage.get_mut(at..at + HEADER + payload.len());
    match record.and_then(<[u8]>::split_first_chunk_mut) {
        Some((front, body)) => {
            *front = header;
            copy(body, payload);
        }
        None => {
            let body = advance(at, HEADER, storage.len());
            copy_around(storage, at, &header);
            copy_around(storage, body, payload);
        }
    }
}

/// Makes a hole of the record at `at`: zero in the two bytes of its id, nothing else.
pub(super) fn make_hole(storage: &mut [u8], at: usize) {
    match storage.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        Some(id) => *id = HOLE.to_be_bytes(),
        None => copy_around(storage, at, &HOLE.to_be_bytes()),
    }
}

#[cold]
#[inline(never)]
fn copy_around(storage: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some((from_start, before_end)) = storage.split_at_mut_checked(at) {
        copy(before_end, bytes);
        copy(from_start, bytes.get(before_end.len()..).unwrap_or(&[]));
    }
}

/// Copies as many bytes as both have.
///
/// Written as a loop because `copy_from_slice` keeps its panic at `opt-level = "z"`. This keeps
/// none, and becomes a `memcpy` at "s" and 3.
#[inline]
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
