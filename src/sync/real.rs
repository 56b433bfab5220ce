//! The atomics of `core`, and the chip's critical section.

pub(crate) use core::sync::atomic::{AtomicBool, Ordering};

pub(crate) use critical_section::with;

use super::Fence;

/// One of the four.
#[inline(always)]
pub(crate) fn fence(_: Fence) {
    core::sync::atomic::fence(Ordering::SeqCst);
}
