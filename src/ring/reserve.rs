//! Writing where the message will lie.
//!
//! A [`Reservation`] is a piece of the free bytes, and writing into it changes nothing else. Only
//! [`commit`](Reservation::commit) puts a header in front and moves the head. So a reservation that
//! is dropped or forgotten leaves the ring as it was: there is nothing to undo.
//!
//! What does not fit is an error, and stays one: a message that lost its end cannot be committed.

use core::fmt;

use super::queue::Queue;
use super::record::{self, HEADER, Header};
use super::track::{Notes, Track};
use super::{PutError, Ring};

/// Writing in place.
///
/// Callable from: wherever you hold the `&mut`.
impl<S: AsRef<[u8]> + AsMut<[u8]> + ?Sized, T: Track> Ring<S, T> {
    /// Appends a message that lies in parts elsewhere, one behind the other.
    ///
    /// Errors: [`PutError`]; the ring is then as it was.
    /// Cost: that of [`put`](Self::put), and a few instructions for each part.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// ring.put_parts(7, &[b"21.5", b"C"])?;
    /// assert_eq!(ring.get().unwrap(), b"21.5C");
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn put_parts(&mut self, id: u16, parts: &[&[u8]]) -> Result<(), PutError> {
        self.queue.reserve(self.storage.as_mut(), id, total_len(parts))?.commit_parts(parts)
    }

    /// Appends a message of text, formatted where it will lie: the shortest way to log.
    ///
    /// `max` bytes must be free beside the header; what the text does not need of them stays free.
    ///
    /// Errors: [`PutError`]; [`Overrun`](PutError::Overrun) when the text is longer than `max`. The
    /// messages in the ring are then as they were.
    /// Cost: that of formatting.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// let celsius = 21.5;
    /// ring.put_fmt(7, 16, format_args!("{celsius} C"))?;
    /// assert_eq!(ring.get().unwrap(), b"21.5 C");
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn put_fmt(
        &mut self,
        id: u16,
        max: usize,
        text: fmt::Arguments<'_>,
    ) -> Result<(), PutError> {
        self.reserve(id, max)?.commit_fmt(text)
    }

    /// Reserves room for a message of at most `max` bytes, to be written in place.
    ///
    /// Errors: [`PutError`], as if `max` bytes were put; the ring is then as it was.
    /// Cost: O(1).
    ///
    /// ```
    /// use core::fmt::Write;
    ///
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// let mut message = ring.reserve(7, 20)?;
    /// write!(message, "{}", 21)?;
    /// message.push(b" C")?;
    /// message.commit()?;
    /// assert_eq!(ring.get().unwrap(), b"21 C");
    ///
    /// let mut message = ring.reserve(7, 20)?;
    /// message.push(b"never mind")?;
    /// drop(message);
    /// assert!(ring.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reserve(&mut self, id: u16, max: usize) -> Result<Reservation<'_>, PutError> {
        self.queue.reserve(self.storage.as_mut(), id, max)
    }
}

impl<T: Notes> Queue<T> {
    fn reserve<'r>(
        &'r mut self,
        storage: &'r mut [u8],
        id: u16,
        max: usize,
    ) -> Result<Reservation<'r>, PutError> {
        let size = storage.len();
        self.check(size, id, max)?;
        let room = record::pieces_mut(storage, self.head(size), HEADER + max);
        Ok(Reservation::new(id, room, self))
    }
}

/// Bytes of all parts together; more than there are is as good as too many.
pub(super) fn total_len(parts: &[&[u8]]) -> usize {
    parts.iter().fold(0, |len, part| len.saturating_add(part.len()))
}

/// Where a reservation came from: what has to know that a message is complete.
pub(super) trait Grow {
    /// A message of so many bytes, header included, has been written at the head.
    fn grow(&mut self, record_len: usize);
}

impl<T: Notes> Grow for Queue<T> {
    fn grow(&mut self, record_len: usize) {
        Queue::grow(self, record_len);
    }
}

/// A message that is being written where it will lie: see [`Ring::reserve`].
///
/// Having one tells you that `max` bytes are free and stay so. There is no message yet:
/// [`commit`](Self::commit) makes it one, with what was [pushed](Self::push). Dropped or forgotten,
/// it changes nothing but free bytes.
///
/// It is also a [`fmt::Write`] and, with the feature `io`, an `embedded_io::Write`.
#[must_use = "nothing is put before `commit`"]
pub struct Reservation<'r> {
    /// Where the record will lie, header included: `HEADER + max` bytes, in one piece or in two.
    first: &'r mut [u8],
    second: &'r mut [u8],
    owner: &'r mut dyn Grow,
    id: u16,
    /// Bytes of payload written, in `0..=max`.
    len: usize,
    /// Something was written that had no room.
    overrun: bool,
}

impl<'r> Reservation<'r> {
    pub(super) fn new(
        id: u16,
        (first, second): (&'r mut [u8], &'r mut [u8]),
        owner: &'r mut dyn Grow,
    ) -> Self {
        Self { first, second, owner, id, len: 0, overrun: false }
    }

    /// The id the message will have.
    pub fn id(&self) -> u16 {
        self.id
    }

    /// Bytes of payload written so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The most bytes of payload there can be.
    pub fn max(&self) -> usize {
        (self.first.len() + self.second.len()).saturating_sub(HEADER)
    }

    /// Appends bytes to the payload.
    ///
    /// Errors: [`Overrun`](PutError::Overrun) when they do not fit; none of them is written then,
    /// and the message cannot be committed any more.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), PutError> {
        if self.overrun || bytes.len() > self.max() - self.len {
            self.overrun = true;
            return Err(PutError::Overrun { max: self.max() });
        }
        record::place((self.first, self.second), HEADER + self.len, bytes);
        self.len += bytes.len();
        Ok(())
    }

    /// All `max` bytes of the payload where they will lie, for a driver or DMA to fill; the second
    /// slice is empty unless they wrap around the end. What is in them now is of no meaning.
    ///
    /// Say with [`set_len`](Self::set_len) how many are to be kept.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// let mut message = ring.reserve(7, 16)?;
    /// let (first, _) = message.as_mut_slices();
    /// first[..3].copy_from_slice(b"abc");
    /// message.set_len(3)?;
    /// message.commit()?;
    /// assert_eq!(ring.get().unwrap(), b"abc");
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn as_mut_slices(&mut self) -> (&mut [u8], &mut [u8]) {
        match self.first.len().checked_sub(HEADER) {
            Some(0) | None => {
                let skipped = HEADER - self.first.len();
                (self.second.get_mut(skipped..).unwrap_or_default(), &mut [])
            }
            Some(_) => (self.first.get_mut(HEADER..).unwrap_or_default(), self.second),
        }
    }

    /// Says that the payload is the first `len` bytes of the room.
    ///
    /// Errors: [`Overrun`](PutError::Overrun) when the room is shorter; the message cannot be
    /// committed then.
    pub fn set_len(&mut self, len: usize) -> Result<(), PutError> {
        if self.overrun || len > self.max() {
            self.overrun = true;
            return Err(PutError::Overrun { max: self.max() });
        }
        self.len = len;
        Ok(())
    }

    /// Makes it a message, the newest in the ring.
    ///
    /// Errors: [`Overrun`](PutError::Overrun) when something written before had no room; there is no
    /// message then.
    /// Cost: O(1).
    pub fn commit(self) -> Result<(), PutError> {
        if self.overrun {
            return Err(PutError::Overrun { max: self.max() });
        }
        let header = Header::new(self.id, self.len);
        record::place((self.first, self.second), 0, &header.to_bytes());
        self.owner.grow(header.record_len());
        Ok(())
    }

    pub(super) fn commit_parts(mut self, parts: &[&[u8]]) -> Result<(), PutError> {
        for part in parts {
            self.push(part)?;
        }
        self.commit()
    }

    pub(super) fn commit_fmt(mut self, text: fmt::Arguments<'_>) -> Result<(), PutError> {
        match fmt::write(&mut self, text) {
            Err(fmt::Error) if !self.overrun => Err(PutError::Unformatted),
            _ => self.commit(),
        }
    }
}

impl fmt::Write for Reservation<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Reservation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, len, .. } = self;
        f.debug_struct("Reservation")
            .field("id", id)
            .field("len", len)
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}
