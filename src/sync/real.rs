//! The atomics of the chip, also where `core` has none, and its critical section.

pub(crate) use critical_section::with;
pub(crate) use portable_atomic::{AtomicBool, Ordering};

use super::Fence;

/// One of the four.
#[inline(always)]
pub(crate) fn fence(_: Fence) {
    portable_atomic::fence(Ordering::SeqCst);
}
