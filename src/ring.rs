//! The message ring: messages of any length, packed into exactly N bytes.
//!
//! Each message lies behind a header of four bytes, directly behind the message before it, and may
//! wrap around the end at any byte. So nothing is lost to fragmentation: **[`put`](Ring::put)
//! succeeds if and only if [`free()`](Ring::free)` >= 4 + len`**. Messages leave in order
//! ([`get`](Ring::get)), or by id from anywhere in the queue ([`pull`](Ring::pull)). Reading is by
//! views; nothing is copied unless you ask for it.
//!
//! A message pulled from the middle leaves a **hole**: its id becomes zero and its bytes are free
//! again when the messages before it have gone. What happens when is fixed to the byte: head, tail
//! and storage are after every operation what the reference implementation has, a ring buffer for
//! MicroPython. The two can read each other's memory.
//!
//! | cost | |
//! |---|---|
//! | `put`, `get` | a few dozen instructions and one copy; at most two pieces each |
//! | `get` behind holes | one header more for each hole passed, once |
//! | `peek` | one header for each hole in front |
//! | `pull` | one header for each record in front of the one it finds; at most `size / 4` |
//! | all questions but `ids` and `iter` | O(1) |
//! | memory | four words beside the bytes; seven in a ring that is [tracked](Ring::tracked) |
//!
//! Not for sharing between an interrupt and the main loop as it is: every writing operation takes
//! `&mut`. Not for single bytes, where four of header are too many.
//!
//! The files: `record` is the layout, drawn; `queue` is what the ring does, over any bytes, and
//! `track` what it may remember; `message` is the view, and `reserve` its counterpart for writing;
//! `room` reclaims; `image` takes in what somebody else wrote; `split`
//! shares, and `retained` outlives a reset. Here is the type that holds the bytes, thin and generic.

mod image;
#[cfg(feature = "io")]
mod io;
mod message;
mod queue;
mod record;
mod reserve;
mod retained;
mod room;
mod split;
mod text;
mod track;

use core::fmt;

pub use image::{BadImage, Flaw, Recovered, Storage};
pub use message::{Message, Reader, TooShort};
use queue::Queue;
pub use queue::{Ids, Iter};
pub use record::{HEADER, MAX_PAYLOAD, MIN_SIZE};
pub use reserve::Reservation;
pub use retained::{Boot, Memory, Retained, RetainedRing, WORDS};
pub use room::Evicted;
#[cfg(loom)]
#[doc(hidden)]
pub use split::weaken;
pub use split::{RingReader, RingWriter, SplitRing};
pub use text::Text;
pub use track::{Plain, Track, Tracked};

/// A queue of messages in exactly `N` bytes, first in, first out, or by id.
///
/// `S` is where the bytes are: `[u8; N]` for a ring that owns them, `&mut [u8]` for one that borrows
/// them. A `&mut Ring<[u8; N]>` coerces to `&mut Ring`, whatever `N` is, so that functions take
/// rings of every size without being generic. All have the same methods.
///
/// ```
/// use ensue::Ring;
///
/// let mut ring = Ring::<[u8; 64]>::new();
/// ring.put(1, b"first")?;
/// ring.put(2, b"second")?;
/// ring.put(3, b"third")?;
///
/// assert_eq!(ring.pull(2).unwrap(), b"second"); // from the middle, by its id
/// assert_eq!(ring.get().unwrap(), b"first"); // in order
/// assert!(ring.ids().eq([3]));
///
/// fn drain(ring: &mut Ring) -> usize {
///     let mut bytes = 0;
///     while let Some(message) = ring.get() {
///         bytes += message.len();
///     }
///     bytes
/// }
/// assert_eq!(drain(&mut ring), 5);
/// # Ok::<(), ensue::PutError>(())
/// ```
pub struct Ring<S: ?Sized = [u8], T = Plain> {
    queue: Queue<T>,
    /// At least [`MIN_SIZE`] bytes, always the same number: only the constructors below make one.
    storage: S,
}

impl<const N: usize> Ring<[u8; N]> {
    /// An empty ring of `N` bytes, all zero; in a `static` it takes no flash.
    ///
    /// Fewer than [`MIN_SIZE`] bytes do not compile:
    ///
    /// ```compile_fail,E0080
    /// let ring = ensue::Ring::<[u8; 7]>::new();
    /// ```
    pub const fn new() -> Self {
        const { assert!(N >= MIN_SIZE, "a ring needs at least 8 bytes") }
        Self { queue: Queue::new(Plain::NEW), storage: [0; N] }
    }
}

impl<const N: usize> Ring<[u8; N], Tracked> {
    /// An empty ring as by [`new`](Ring::new), which remembers the last search, so that polling for
    /// an id costs only the messages that are new, and its high-water mark. It takes three words
    /// more; no operation gives another result.
    ///
    /// ```
    /// let mut ring = ensue::Ring::<[u8; 64], _>::tracked();
    /// ring.put(1, b"21.5C")?;
    /// assert!(ring.pull(2).is_none()); // looks at one message
    /// assert!(ring.pull(2).is_none()); // looks at none
    /// assert_eq!(ring.high_water(), 9);
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub const fn tracked() -> Self {
        const { assert!(N >= MIN_SIZE, "a ring needs at least 8 bytes") }
        Self { queue: Queue::new(Tracked::NEW), storage: [0; N] }
    }
}

impl<const N: usize> Default for Ring<[u8; N]> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'s> Ring<&'s mut [u8]> {
    /// An empty ring over borrowed bytes, which are set to zero first, as in every new ring.
    ///
    /// Errors: [`TooSmall`] when there are fewer than [`MIN_SIZE`] bytes; they stay as they are.
    ///
    /// ```
    /// use ensue::Ring;
    ///
    /// let mut buffer = [0; 100];
    /// let mut ring = Ring::over(&mut buffer)?;
    /// ring.put(7, b"21.5C")?;
    /// assert_eq!(ring.size(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn over(storage: &'s mut [u8]) -> Result<Self, TooSmall> {
        if storage.len() < MIN_SIZE {
            return Err(TooSmall);
        }
        storage.fill(0);
        Ok(Self { queue: Queue::new(Plain::NEW), storage })
    }
}

impl<'s> Ring<&'s mut [u8], Tracked> {
    /// An empty ring as by [`over`](Ring::over), which remembers what one made by
    /// [`tracked`](Ring::tracked) does.
    ///
    /// Errors: [`TooSmall`] when there are fewer than [`MIN_SIZE`] bytes; they stay as they are.
    pub fn tracked_over(storage: &'s mut [u8]) -> Result<Self, TooSmall> {
        let Ring { storage, .. } = Ring::over(storage)?;
        Ok(Self { queue: Queue::new(Tracked::NEW), storage })
    }
}

/// Writing and taking.
///
/// Callable from: wherever you hold the `&mut`.
impl<S: AsRef<[u8]> + AsMut<[u8]> + ?Sized, T: Track> Ring<S, T> {
    /// Appends a message.
    ///
    /// Ids are yours to choose, `1..=65_535`, and need not be unique: [`pull`](Self::pull) takes the
    /// oldest with its id.
    ///
    /// Errors: [`PutError`]; the ring is then as it was.
    /// Cost: one copy, in at most two pieces. A refusal takes no longer, whatever is in the ring.
    #[inline]
    pub fn put(&mut self, id: u16, payload: &[u8]) -> Result<(), PutError> {
        let storage = self.storage.as_mut();
        if self.queue.put(storage, id, payload) {
            Ok(())
        } else {
            Err(self.queue.refusal(storage.len(), id, payload.len()))
        }
    }

    /// Takes the oldest message. `None`: there is none.
    ///
    /// Its room and that of the holes in front of it are free again at once; the returned view
    /// borrows the ring, which keeps its bytes intact while it is looked at.
    ///
    /// Cost: one header, and one for each hole in front.
    #[inline]
    pub fn get(&mut self) -> Option<Message<'_>> {
        let storage = self.storage.as_ref();
        self.queue.get(storage).message(storage)
    }

    /// Takes the oldest message with this id, wherever it is. `None`: there is none; no message has
    /// the id 0.
    ///
    /// Unless it was the oldest of all, it leaves a hole, whose bytes count as used until the tail
    /// has passed them.
    ///
    /// Cost: one header for each record, message or hole, in front of it.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// ring.put(1, b"routine")?;
    /// ring.put(9, b"urgent")?;
    /// assert_eq!(ring.pull(9).unwrap(), b"urgent");
    /// assert!(ring.pull(9).is_none());
    /// assert_eq!((ring.message_count(), ring.used()), (1, 21)); // a hole of 10 bytes
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    #[inline]
    pub fn pull(&mut self, id: u16) -> Option<Message<'_>> {
        let storage = self.storage.as_mut();
        self.queue.pull(storage, id).message(storage)
    }

    /// Takes the oldest message into `buffer`: its id and the part of `buffer` it fills. `None`: there
    /// is none.
    ///
    /// Errors: [`TooShort`] says how many bytes are needed; the message stays where it is.
    /// Cost: that of [`get`](Self::get), of looking first, and of one copy.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// ring.put(7, b"21.5C")?;
    /// let mut buffer = [0; 8];
    /// assert_eq!(ring.get_into(&mut buffer[..2]).unwrap_err().needed, 5);
    /// let (id, payload) = ring.get_into(&mut buffer).unwrap().unwrap();
    /// assert_eq!((id, &payload[..]), (7, &b"21.5C"[..]));
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn get_into<'b>(
        &mut self,
        buffer: &'b mut [u8],
    ) -> Result<Option<(u16, &'b mut [u8])>, TooShort> {
        let storage = self.storage.as_ref();
        if let Some(needed) = self.queue.peek(storage).len().filter(|len| *len > buffer.len()) {
            return Err(TooShort { needed });
        }
        match self.queue.get(storage).message(storage) {
            Some(message) => Ok(Some((message.id(), message.copy_to(buffer)?))),
            None => Ok(None),
        }
    }

    /// Takes the oldest message with this id into `buffer`; returns the part of it that it fills.
    /// `None`: there is none.
    ///
    /// Errors: [`TooShort`] says how many bytes are needed; the message stays where it is.
    /// Cost: that of [`pull`](Self::pull) and of one copy.
    pub fn pull_into<'b>(
        &mut self,
        id: u16,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b mut [u8]>, TooShort> {
        let storage = self.storage.as_mut();
        let found = self.queue.locate(storage, id);
        let Some(message) = found.message(storage) else { return Ok(None) };
        let payload = message.copy_to(buffer)?;
        self.queue.remove(storage, found);
        Ok(Some(payload))
    }

    /// Drops the oldest message unread; returns whether there was one.
    ///
    /// Cost: that of [`get`](Self::get).
    pub fn skip(&mut self) -> bool {
        self.get().is_some()
    }

    /// Drops the oldest message with this id unread; returns whether there was one.
    ///
    /// Cost: that of [`pull`](Self::pull).
    pub fn discard(&mut self, id: u16) -> bool {
        self.pull(id).is_some()
    }

    /// Keeps the messages for which `keep` says so, and pulls the others; returns how many these
    /// were.
    ///
    /// Cost: one header for each record, and one call for each message.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// ring.put(1, b"draft")?;
    /// ring.put(2, b"")?;
    /// ring.put(3, b"letter")?;
    /// assert_eq!(ring.retain(|message| !message.is_empty()), 1);
    /// assert!(ring.ids().eq([1, 3]));
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(Message<'_>) -> bool) -> usize {
        self.queue.retain(self.storage.as_mut(), &mut keep)
    }

    /// Takes all messages with this id in one pass, oldest first, and shows each to `take`; returns
    /// how many there were.
    ///
    /// Cost: one header for each record, however many are taken.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// for reading in [19, 21, 20] {
    ///     ring.put(7, &[reading])?;
    /// }
    /// let mut sum = 0;
    /// let count = ring.pull_all(7, |message| sum += message.bytes().map(u32::from).sum::<u32>());
    /// assert_eq!((count, sum), (3, 60));
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn pull_all(&mut self, id: u16, mut take: impl FnMut(Message<'_>)) -> usize {
        self.retain(|message| {
            let wanted = message.id() == id;
            if wanted {
                take(message);
            }
            !wanted
        })
    }

    /// Forgets all messages and begins again at position 0. The bytes stay as they are.
    #[inline]
    pub fn clear(&mut self) {
        self.queue.clear();
    }
}

/// Looking.
///
/// Callable from: wherever you hold the `&`.
impl<S: AsRef<[u8]> + ?Sized, T: Track> Ring<S, T> {
    /// The oldest message, left where it is. `None`: there is none.
    ///
    /// Cost: one header, and one for each hole in front. Nothing moves, so holes cost again.
    #[inline]
    pub fn peek(&self) -> Option<Message<'_>> {
        let storage = self.storage.as_ref();
        self.queue.peek(storage).message(storage)
    }

    /// The ids of the messages, oldest first.
    ///
    /// Cost: one header for each record walked.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// ring.put(5, b"")?;
    /// ring.put(8, b"")?;
    /// assert!(ring.ids().eq([5, 8]));
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    #[inline]
    #[doc(alias = "list")]
    pub fn ids(&self) -> Ids<'_> {
        Ids::new(self.iter())
    }

    /// The messages, oldest first, left where they are. `&ring` in a `for` loop does the same.
    ///
    /// Cost: one header for each record walked.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        self.queue.iter(self.storage.as_ref())
    }

    /// How many messages there are, holes not counted.
    #[inline]
    pub fn message_count(&self) -> usize {
        self.queue.live()
    }

    /// Whether there is no message to get. Holes may still take room: that is [`used`](Self::used).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queue.live() == 0
    }

    /// Whether not even an empty message fits.
    #[inline]
    pub fn is_full(&self) -> bool {
        !self.fits(0)
    }

    /// Whether a message with a payload of `len` bytes can be put now.
    #[inline]
    pub fn fits(&self, len: usize) -> bool {
        self.queue.takes(self.size(), record::ANY, len)
    }

    /// Bytes taken by messages, their headers and holes.
    #[inline]
    pub fn used(&self) -> usize {
        self.queue.used()
    }

    /// Bytes not taken: the next message may have up to `free() - 4`.
    #[inline]
    pub fn free(&self) -> usize {
        self.queue.free(self.size())
    }

    /// Bytes in all.
    #[inline]
    pub fn size(&self) -> usize {
        self.storage.as_ref().len()
    }

    /// Where the next message will begin, `0..size`.
    ///
    /// With [`tail`](Self::tail), [`used`](Self::used) and [`bytes`](Self::bytes) this is the exact
    /// state, for tests and dumps.
    #[inline]
    pub fn head(&self) -> usize {
        self.queue.head(self.size())
    }

    /// Where the oldest record begins, `0..size`. It may be a hole.
    #[inline]
    pub fn tail(&self) -> usize {
        self.queue.tail()
    }

    /// The whole storage, free bytes included, which keep what was there last.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.storage.as_ref()
    }
}

impl<'a, S: AsRef<[u8]> + ?Sized, T: Track> IntoIterator for &'a Ring<S, T> {
    type Item = Message<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<S: AsRef<[u8]> + ?Sized, T: Track> fmt::Debug for Ring<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("size", &self.size())
            .field("tail", &self.tail())
            .field("used", &self.used())
            .field("messages", &self.iter())
            .finish()
    }
}

/// Why a message was not put. The ring is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutError {
    /// The id 0 marks holes.
    ReservedId,
    /// The payload is longer than [`MAX_PAYLOAD`].
    TooLong,
    /// The message needs more bytes than the ring has in all: do not try again.
    NeverFits {
        /// Bytes it needs, header included.
        needed: usize,
        /// Bytes the ring has.
        size: usize,
    },
    /// There is no room now.
    Full {
        /// Bytes it needs, header included.
        needed: usize,
        /// Bytes that are free.
        free: usize,
        /// Bytes in holes, which are used but hold no message any more.
        reclaimable: usize,
    },
    /// More was written than was asked for room: only of messages written in place.
    Overrun {
        /// Bytes of payload that were asked for.
        max: usize,
    },
    /// A value that was to be formatted reported an error: only of text.
    Unformatted,
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ReservedId => f.write_str("the id 0 is reserved"),
            Self::TooLong => f.write_str("the payload is longer than 65,535 bytes"),
            Self::NeverFits { needed, size } => {
                write!(f, "the message needs {needed} bytes and the ring has {size} in all")
            }
            Self::Full { needed, free, reclaimable } => write!(
                f,
                "the message needs {needed} bytes, {free} are free and {reclaimable} are in holes"
            ),
            Self::Overrun { max } => {
                write!(f, "the message is longer than the {max} bytes of room")
            }
            Self::Unformatted => f.write_str("a value could not be formatted"),
        }
    }
}

impl core::error::Error for PutError {}

/// Fewer than [`MIN_SIZE`] bytes are no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall;

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ring needs at least 8 bytes")
    }
}

impl core::error::Error for TooSmall {}
