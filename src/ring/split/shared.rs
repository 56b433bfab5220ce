//! The bytes of a split ring, and whose they are: all of its unsafe code.
//!
//! - *Two ends*: of each [`Shared`] there is at most one [`Head`] and one [`Tail`].
//! - *Owned*: the bytes from the tail on up to the head belong to the [`Tail`], the others to the
//!   [`Head`]. The head's owner may move it only over bytes of its own, and the tail's the tail:
//!   so what one of them has seen to be its own stays so until it gives it away itself.
//! - *Handed over*: who stores a position is done with the bytes it gives away, and who loads it
//!   begins with them after that: release and acquire.
//!
//! From these follows that no byte is ever reached from both ends at once.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::slice;
use core::sync::atomic::{AtomicBool, Ordering};

use super::sync::{self, AtomicUsize, Touched};
use crate::ring::record::{Bytes, HOLE, apart, index, moved};
use crate::ring::reserve::Grow;

pub(super) struct Shared<const N: usize> {
    ends: Ends,
    /// Whether the ends were handed out.
    taken: AtomicBool,
    bytes: UnsafeCell<[u8; N]>,
}

/// What both sides load and one stores each; in `0..2 * N`, so that a full ring differs from an
/// empty one.
struct Ends {
    head: AtomicUsize,
    tail: AtomicUsize,
    /// How many messages the head's owner could not put.
    refused: AtomicUsize,
    touched: Touched,
}

// SAFETY: the bytes are reached only through `Head` and `Tail`, and by *Owned* and *Handed over*
// never through both at once.
unsafe impl<const N: usize> Sync for Shared<N> {}

macro_rules! new {
    ($($const:ident)?) => {
        pub(super) $($const)? fn new() -> Self {
            Self {
                ends: Ends {
                    head: AtomicUsize::new(0),
                    tail: AtomicUsize::new(0),
                    refused: AtomicUsize::new(0),
                    touched: Touched::new(N),
                },
                taken: AtomicBool::new(false),
                bytes: UnsafeCell::new([0; N]),
            }
        }
    };
}

impl<const N: usize> Shared<N> {
    #[cfg(not(loom))]
    new!(const);
    #[cfg(loom)]
    new!();

    /// The first time, the two ends.
    pub(super) fn ends(&self) -> Option<(Head<'_>, Tail<'_>)> {
        let was_taken = critical_section::with(|_| {
            let was_taken = self.taken.load(Ordering::Relaxed);
            self.taken.store(true, Ordering::Relaxed);
            was_taken
        });
        if was_taken {
            return None;
        }
        let position = Position { ends: &self.ends, head: 0, free: N, size: N };
        let head = Head { position, bytes: &self.bytes };
        Some((head, Tail { ends: &self.ends, bytes: &self.bytes, tail: 0, owned: 0 }))
    }
}

/// The end that is written at.
pub(super) struct Head<'a> {
    position: Position<'a>,
    bytes: &'a UnsafeCell<[u8]>,
}

// SAFETY: by *Two ends* it is the only one, and what it shares with the `Tail` is `Sync`.
unsafe impl Send for Head<'_> {}

impl Head<'_> {
    pub(super) fn size(&self) -> usize {
        self.position.size
    }

    /// How many bytes from the head on are its own, now; the reader can only make it more.
    pub(super) fn free(&mut self) -> usize {
        let Position { ends, head, size, .. } = self.position;
        let tail = ends.tail.load(sync::see_tail());
        self.position.free = size.saturating_sub(apart(tail, head, size));
        self.position.free
    }

    /// Counts a message that is not put. There is one head, so nobody counts at the same time.
    #[cold]
    pub(super) fn count_refused(&mut self) {
        let refused = &self.position.ends.refused;
        let count = refused.load(Ordering::Relaxed).saturating_add(1);
        refused.store(count, Ordering::Relaxed);
    }

    /// `len` bytes from the head on, in one piece or in two, and what moves the head past them; fewer
    /// if fewer were [`free`](Self::free) when last looked at.
    pub(super) fn room(&mut self, len: usize) -> ((&mut [u8], &mut [u8]), &mut dyn Grow) {
        let size = self.size();
        let len = len.min(self.position.free);
        let at = index(self.position.head, size);
        let before_end = len.min(size - at);
        self.position.ends.touched.write(at, before_end);
        self.position.ends.touched.write(0, len - before_end);
        let start = self.bytes.get().cast::<u8>();
        // SAFETY: `at + before_end <= size`, and by *Owned* these bytes are the head's, of which
        // `&mut self` is the only one, until the returned borrow ends.
        let first = unsafe { slice::from_raw_parts_mut(start.add(at), before_end) };
        // SAFETY: the same; and `len <= size`, so that the pieces do not overlap.
        let second = unsafe { slice::from_raw_parts_mut(start, len - before_end) };
        ((first, second), &mut self.position)
    }
}

/// Where the head is, known to its owner without a load.
#[derive(Clone, Copy)]
struct Position<'a> {
    ends: &'a Ends,
    head: usize,
    /// How many bytes from the head on are its own, as far as it has looked.
    free: usize,
    size: usize,
}

impl Grow for Position<'_> {
    /// Gives the bytes of a record, which are written, to the reader.
    fn grow(&mut self, record_len: usize) {
        let len = record_len.min(self.free);
        self.free -= len;
        self.head = moved(self.head, len, self.size);
        self.ends.head.store(self.head, sync::publish_head());
    }
}

/// The end that is read at; the bytes it owns are what the ring's algorithms see.
pub(super) struct Tail<'a> {
    ends: &'a Ends,
    bytes: &'a UnsafeCell<[u8]>,
    tail: usize,
    /// How many bytes from the tail on are its own, as far as it has looked.
    owned: usize,
}

// SAFETY: by *Two ends* it is the only one, and what it shares with the `Head` is `Sync`.
unsafe impl Send for Tail<'_> {}

impl Tail<'_> {
    pub(super) fn owned(&self) -> usize {
        self.owned
    }

    /// Looks where the head is now.
    pub(super) fn look(&mut self) {
        let head = self.ends.head.load(sync::see_head());
        self.owned = apart(self.tail, head, self.size()).min(self.size());
    }

    /// Gives the first `len` bytes, or all it owns, to the writer.
    pub(super) fn release(&mut self, len: usize) {
        let len = len.min(self.owned);
        if len != 0 {
            self.owned -= len;
            self.tail = moved(self.tail, len, self.size());
            self.ends.tail.store(self.tail, sync::publish_tail());
        }
    }

    pub(super) fn refused(&self) -> usize {
        self.ends.refused.load(Ordering::Relaxed)
    }

    /// Whether `len` bytes from `at` on are in one piece and the tail's.
    fn owns(&self, at: usize, len: usize) -> bool {
        let size = self.size();
        let tail = index(self.tail, size);
        let behind_tail = if at >= tail { at - tail } else { at + (size - tail) };
        at <= size
            && len <= size - at
            && behind_tail <= self.owned
            && len <= self.owned - behind_tail
    }
}

impl Bytes for Tail<'_> {
    fn size(&self) -> usize {
        self.bytes.get().len()
    }

    fn slice(&self, at: usize, len: usize) -> Option<&[u8]> {
        if !self.owns(at, len) {
            return None;
        }
        self.ends.touched.read(at, len);
        let start = self.bytes.get().cast::<u8>();
        // SAFETY: by the test above the bytes are inside and, by *Owned*, the tail's, of which
        // `&self` is the only one; it writes and gives away only through `&mut self`.
        Some(unsafe { slice::from_raw_parts(start.add(at), len) })
    }

    fn make_hole(&mut self, at: usize) {
        let size = self.size();
        let next = if at + 1 < size { at + 1 } else { 0 };
        for (at, byte) in [at, next].into_iter().zip(HOLE.to_be_bytes()) {
            if self.owns(at, 1) {
                self.ends.touched.write(at, 1);
                // SAFETY: by the test above the byte is inside and the tail's, of which `&mut self`
                // is the only one.
                unsafe { self.bytes.get().cast::<u8>().add(at).write(byte) };
            }
        }
    }
}
