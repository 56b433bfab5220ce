//! Bytes from elsewhere made a ring again: from a dump, a file, another program's memory.
//!
//! Whatever they are, nothing panics; and what the reference implementation could never have
//! produced does not become a ring. That is, in this order:
//!
//! - positions outside the storage, more bytes used than there are, or a head that is not `used`
//!   bytes behind the tail;
//! - records that do not end exactly at the head;
//! - a hole at the tail when not even an empty message fits beside it and all up to the last hole. A
//!   tail comes to stand on a hole only because a message went in front of it, and none pulled
//!   since has left one: a pull from behind passes the holes in front.
//!
//! What bytes the messages have, and what lies in the free bytes, is nobody's business.

use core::fmt;

use super::queue::Queue;
use super::record::{self, Bytes, HEADER, MIN_SIZE, advance};
use super::track::Plain;
use super::{Ring, TooSmall};

/// What a ring can be made over with what is in it: `[u8; N]`, `&mut [u8; N]` and `&mut [u8]`, which
/// all keep their length.
#[expect(private_bounds, reason = "there are three of them")]
pub trait Storage: AsRef<[u8]> + AsMut<[u8]> + Sealed {}

trait Sealed {}

impl<const N: usize> Sealed for [u8; N] {}
impl<const N: usize> Storage for [u8; N] {}
impl<const N: usize> Sealed for &mut [u8; N] {}
impl<const N: usize> Storage for &mut [u8; N] {}
impl Sealed for &mut [u8] {}
impl Storage for &mut [u8] {}

impl<S: Storage> Ring<S> {
    /// The ring that had this [`head`](Self::head), this [`tail`](Self::tail), so many bytes
    /// [`used`](Self::used), and these [`bytes`](Self::bytes), ours or the reference
    /// implementation's. None of it is trusted.
    ///
    /// Errors: [`BadImage`] says what is wrong and where.
    /// Cost: one header for each record.
    ///
    /// ```
    /// use ensue::Ring;
    ///
    /// let mut buffer = *b"\0\x07\0\x0521.5C\0\x09\0\x03abc";
    /// let mut ring = Ring::from_parts(&mut buffer, 0, 0, 16)?;
    /// assert_eq!(ring.pull(9).unwrap(), b"abc");
    ///
    /// buffer[3] = 200; // no longer five bytes
    /// let error = Ring::from_parts(&mut buffer, 0, 0, 16).unwrap_err();
    /// assert_eq!(error.to_string(), "at 0: the record goes beyond the head");
    /// # Ok::<(), ensue::ring::BadImage>(())
    /// ```
    pub fn from_parts(storage: S, head: usize, tail: usize, used: usize) -> Result<Self, BadImage> {
        if storage.as_ref().len() < MIN_SIZE {
            return Err(BadImage { offset: 0, reason: Flaw::TooSmall });
        }
        match examine(storage.as_ref(), head, tail, used) {
            (_, Some(flaw)) => Err(flaw),
            (queue, None) => Ok(Self { queue, storage }),
        }
    }

    /// As [`from_parts`](Self::from_parts), but keeps what is sound from the tail on, and says what
    /// it dropped. When head and `used` contradict each other, the shorter is believed. Holes in
    /// front of what is kept are freed then.
    ///
    /// A message that is kept has its own bytes, or other bytes that happen to be as good: nothing
    /// here can tell whether a payload was damaged.
    ///
    /// Errors: [`TooSmall`] when there are fewer than [`MIN_SIZE`] bytes.
    /// Cost: one header for each record.
    ///
    /// ```
    /// # use ensue::Ring;
    /// let mut buffer = *b"\0\x07\0\x0521.5C\0\x09\xFF\xFFabc";
    /// let (ring, report) = Ring::recover(&mut buffer, 0, 0, 16)?;
    /// assert!(ring.ids().eq([7]));
    /// assert_eq!((report.messages, report.dropped), (1, 7));
    /// assert_eq!(report.flaw.unwrap().offset, 9);
    /// # Ok::<(), ensue::TooSmall>(())
    /// ```
    pub fn recover(
        storage: S,
        head: usize,
        tail: usize,
        used: usize,
    ) -> Result<(Self, Recovered), TooSmall> {
        let bytes = storage.as_ref();
        if bytes.len() < MIN_SIZE {
            return Err(TooSmall);
        }
        let (mut queue, flaw) = examine(bytes, head, tail, used);
        let dropped = used.min(bytes.len()).saturating_sub(queue.used());
        if flaw.is_some() {
            // What follows them may be what was wrong; without them it is a ring in any case.
            queue.pass_holes(bytes);
        }
        let report = Recovered { messages: queue.live(), dropped, flaw };
        Ok((Self { queue, storage }, report))
    }
}

/// The queue of what is sound, and the first thing that is not.
pub(super) fn examine<B: Bytes + ?Sized>(
    bytes: &B,
    head: usize,
    tail: usize,
    used: usize,
) -> (Queue, Option<BadImage>) {
    let size = bytes.size();
    let flaw = |offset, reason| Some(BadImage { offset, reason });
    if tail >= size {
        return (Queue::new(Plain::NEW), flaw(tail, Flaw::TailOutside));
    }
    let apart = match head.checked_sub(tail) {
        Some(apart) => apart,
        None => head + size - tail,
    };
    let (believed, wrong) = if head >= size {
        (used.min(size), flaw(head, Flaw::HeadOutside))
    } else if used > size {
        (apart, flaw(tail, Flaw::UsedTooLarge))
    } else if advance(tail, used, size) != head {
        (used.min(apart), flaw(head, Flaw::HeadElsewhere))
    } else {
        (used, None)
    };
    let (queue, broken) = walk(bytes, tail, believed);
    (queue, wrong.or(broken))
}

/// The records in the `claimed` bytes from `tail` on, as far as they are sound.
pub(super) fn walk<B: Bytes + ?Sized>(
    bytes: &B,
    tail: usize,
    claimed: usize,
) -> (Queue, Option<BadImage>) {
    let size = bytes.size();
    let mut queue = Queue::at(tail, Plain::NEW);
    // Bytes up to the end of the last hole, if the first record is one.
    let mut behind_hole_in_front = 0;
    while queue.used() < claimed {
        let (offset, left) = (queue.head(size), claimed - queue.used());
        if left < HEADER {
            return (queue, Some(BadImage { offset, reason: Flaw::HeaderCut }));
        }
        let header = record::header(bytes, offset);
        if header.record_len() > left {
            return (queue, Some(BadImage { offset, reason: Flaw::RecordTooLong }));
        }
        let is_first = queue.used() == 0;
        queue.find_record(header);
        if header.is_hole() && (is_first || behind_hole_in_front != 0) {
            behind_hole_in_front = queue.used();
        }
    }
    let too_far = behind_hole_in_front + HEADER > size;
    (queue, too_far.then_some(BadImage { offset: tail, reason: Flaw::HoleInFront }))
}

/// Why bytes are no ring, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadImage {
    /// Of a record, where it begins; of a position, what it was said to be.
    pub offset: usize,
    /// What is wrong there.
    pub reason: Flaw,
}

/// What is wrong with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// There are fewer than [`MIN_SIZE`] bytes.
    TooSmall,
    /// The tail is not in the storage.
    TailOutside,
    /// The head is not in the storage.
    HeadOutside,
    /// More bytes are said to be used than there are.
    UsedTooLarge,
    /// The head is not where the used bytes end.
    HeadElsewhere,
    /// Fewer bytes are left before the head than a header has.
    HeaderCut,
    /// The record goes beyond the head.
    RecordTooLong,
    /// There are holes in front that no sequence of operations leaves there.
    HoleInFront,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSmall => "a ring needs at least 8 bytes",
            Self::TailOutside => "the tail is outside the storage",
            Self::HeadOutside => "the head is outside the storage",
            Self::UsedTooLarge => "more bytes are used than there are",
            Self::HeadElsewhere => "the head is not where the used bytes end",
            Self::HeaderCut => "the header goes beyond the head",
            Self::RecordTooLong => "the record goes beyond the head",
            Self::HoleInFront => "a hole in front that a pull would have passed",
        })
    }
}

impl fmt::Display for BadImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.offset, self.reason)
    }
}

impl core::error::Error for BadImage {}

/// What [`Ring::recover`] kept and dropped.
#[must_use = "messages may have been lost"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Messages that are there.
    pub messages: usize,
    /// Bytes that were said to be used and were given up, messages or not.
    pub dropped: usize,
    /// The first thing that was wrong; `None`: nothing, and nothing was dropped.
    pub flaw: Option<BadImage>,
}
