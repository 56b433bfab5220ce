//! One message, seen where it lies: an id and its bytes, in one piece or in two.
//!
//! A view borrows the ring, so the bytes stay as they are while it lives, even when the ring has
//! already let go of them: [`Ring::get`](super::Ring::get) returns a message whose room is free
//! again, and the borrow keeps the next `put` away from it.

use core::fmt;

use super::record;

/// A message in a [`Ring`](super::Ring): its id and a view of its payload.
///
/// Nothing has been copied. Copy the view itself freely: it is two slices and an id.
///
/// ```
/// use ensue::Ring;
///
/// let mut ring = Ring::<[u8; 64]>::new();
/// ring.put(7, b"21.5C")?;
///
/// let message = ring.get().unwrap();
/// assert_eq!(message.id(), 7);
/// assert_eq!(message, b"21.5C");
/// assert_eq!(message.bytes().filter(u8::is_ascii_digit).count(), 3);
/// # Ok::<(), ensue::PutError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Message<'a> {
    id: u16,
    /// Empty only when the payload is.
    first: &'a [u8],
    /// What continues at the start of the storage; mostly nothing.
    second: &'a [u8],
}

impl<'a> Message<'a> {
    #[inline]
    pub(super) fn new(id: u16, (first, second): (&'a [u8], &'a [u8])) -> Self {
        Self { id, first, second }
    }

    /// The message's id, `1..=65_535`.
    #[inline]
    pub fn id(&self) -> u16 {
        self.id
    }

    /// Bytes of payload, `0..=65_535`.
    #[inline]
    pub fn len(&self) -> usize {
        self.first.len() + self.second.len()
    }

    /// Whether the payload has no bytes. That is a message too.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The payload where it lies; the second slice is empty unless it wraps around the end.
    #[inline]
    pub fn as_slices(&self) -> (&'a [u8], &'a [u8]) {
        (self.first, self.second)
    }

    /// The payload as one slice, or `None` when it wraps around the end.
    ///
    /// At most one message in the ring wraps. [`copy_to`](Self::copy_to) takes any.
    #[inline]
    pub fn as_contiguous(&self) -> Option<&'a [u8]> {
        if self.second.is_empty() { Some(self.first) } else { None }
    }

    /// The payload, byte by byte.
    pub fn bytes(&self) -> impl DoubleEndedIterator<Item = u8> + Clone + use<'a> {
        self.first.iter().chain(self.second).copied()
    }

    /// Reads the payload piece by piece, from its beginning.
    ///
    /// With the feature `io`, a [`Reader`] is an `embedded_io::Read` and `BufRead`.
    #[inline]
    pub fn reader(&self) -> Reader<'a> {
        Reader { first: self.first, second: self.second }
    }

    /// Copies the payload to the front of `buffer` and returns that part of it.
    ///
    /// Errors: [`TooShort`] when the payload is longer than `buffer`, which is then as it was.
    /// Cost: at most two copies.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// ring.put(7, b"21.5C")?;
    /// let mut buffer = [0; 16];
    /// assert_eq!(ring.get().unwrap().copy_to(&mut buffer).unwrap(), b"21.5C");
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    #[inline]
    pub fn copy_to<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], TooShort> {
        let needed = self.len();
        let Some(target) = buffer.get_mut(..needed) else { return Err(TooShort { needed }) };
        if self.second.is_empty() {
            record::copy(target, self.first);
        } else {
            record::copy_both(target, self.first, self.second);
        }
        Ok(target)
    }
}

impl fmt::Debug for Message<'_> {
    /// Writes `Message(7, "21.5C")`, escaping what is not printable ASCII.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, first, second } = self;
        write!(f, "Message({id}, \"{}{}\")", first.escape_ascii(), second.escape_ascii())
    }
}

/// Two messages are equal when their ids and their payloads are.
impl PartialEq for Message<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.len() == other.len() && self.bytes().eq(other.bytes())
    }
}

impl Eq for Message<'_> {}

/// A message is equal to a slice when its payload is.
impl PartialEq<[u8]> for Message<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        other
            .split_at_checked(self.first.len())
            .is_some_and(|(first, second)| first == self.first && second == self.second)
    }
}

impl PartialEq<&[u8]> for Message<'_> {
    fn eq(&self, other: &&[u8]) -> bool {
        *self == **other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Message<'_> {
    fn eq(&self, other: &[u8; N]) -> bool {
        *self == other[..]
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Message<'_> {
    fn eq(&self, other: &&[u8; N]) -> bool {
        *self == other[..]
    }
}

/// What is left to be read of a message: see [`Message::reader`].
///
/// ```
/// # let mut ring = ensue::Ring::<[u8; 64]>::new();
/// ring.put(7, b"temperature")?;
/// let message = ring.get().unwrap();
/// let mut reader = message.reader();
/// let mut buffer = [0; 8];
/// assert_eq!(reader.copy_next(&mut buffer), 8);
/// assert_eq!(reader.next_piece(), b"ure");
/// # Ok::<(), ensue::PutError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// Empty only when nothing is left.
    first: &'a [u8],
    second: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Bytes not yet read.
    pub fn len(&self) -> usize {
        self.first.len() + self.second.len()
    }

    /// Whether all has been read.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// What comes next and lies in one piece; empty at the end. It is not read before it is
    /// [skipped](Self::skip).
    pub fn next_piece(&self) -> &'a [u8] {
        self.first
    }

    /// Passes so many bytes, or all that are left.
    pub fn skip(&mut self, len: usize) {
        match self.first.get(len..) {
            Some(rest) if !rest.is_empty() => self.first = rest,
            _ => {
                let from_second = len.saturating_sub(self.first.len());
                self.first = self.second.get(from_second..).unwrap_or_default();
                self.second = &[];
            }
        }
    }

    /// Copies as many bytes as there are and as `buffer` has room for, and passes them; returns how
    /// many that were, 0 at the end.
    pub fn copy_next(&mut self, buffer: &mut [u8]) -> usize {
        let len = self.len().min(buffer.len());
        let mut left = buffer;
        while !left.is_empty() && !self.is_empty() {
            let piece = self.first.len().min(left.len());
            let Some((to, rest)) = left.split_at_mut_checked(piece) else { break };
            record::copy(to, self.first);
            self.skip(piece);
            left = rest;
        }
        len
    }
}

/// The buffer is too short for the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort {
    /// Bytes the message has.
    pub needed: usize,
}

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the buffer is too short for a message of {} bytes", self.needed)
    }
}

impl core::error::Error for TooShort {}
