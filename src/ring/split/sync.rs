//! The atomics of a split ring. Under loom, `sync_loom.rs` stands in its place.

pub(super) use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering;

/// The record is written before the head says so.
pub(super) fn publish_head() -> Ordering {
    Ordering::Release
}

/// Pairs with [`publish_head`]: the record is read after the head has said so.
pub(super) fn see_head() -> Ordering {
    Ordering::Acquire
}

/// The message has been read before the tail gives its bytes away.
pub(super) fn publish_tail() -> Ordering {
    Ordering::Release
}

/// Pairs with [`publish_tail`]: the bytes are written after the tail has given them away.
pub(super) fn see_tail() -> Ordering {
    Ordering::Acquire
}

/// Where loom is told who touches which byte; elsewhere nothing.
pub(super) struct Touched;

impl Touched {
    pub(super) const fn new(_size: usize) -> Self {
        Self
    }

    #[inline]
    pub(super) fn read(&self, _at: usize, _len: usize) {}

    #[inline]
    pub(super) fn write(&self, _at: usize, _len: usize) {}
}
