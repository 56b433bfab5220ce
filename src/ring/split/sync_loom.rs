//! The atomics of a split ring as loom explores them: each ordering can be weakened, to see that
//! the models notice, and each byte has a cell that knows who touched it when.

use std::vec::Vec;

use core::sync::atomic::AtomicUsize as Plain;

use loom::cell::UnsafeCell;
pub(super) use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering;

/// Which ordering is weakened, 0 for none. Not loom's: it stays the same in all interleavings.
static WEAKENED: Plain = Plain::new(0);

/// From now on the ordering with this number, 1 to 4 in the order of this file, is `Relaxed`.
#[doc(hidden)]
pub fn weaken(number: usize) {
    WEAKENED.store(number, core::sync::atomic::Ordering::SeqCst);
}

fn unless_weakened(number: usize, ordering: Ordering) -> Ordering {
    let weakened = WEAKENED.load(core::sync::atomic::Ordering::SeqCst);
    if weakened == number { Ordering::Relaxed } else { ordering }
}

pub(super) fn publish_head() -> Ordering {
    unless_weakened(1, Ordering::Release)
}

pub(super) fn see_head() -> Ordering {
    unless_weakened(2, Ordering::Acquire)
}

pub(super) fn publish_tail() -> Ordering {
    unless_weakened(3, Ordering::Release)
}

pub(super) fn see_tail() -> Ordering {
    unless_weakened(4, Ordering::Acquire)
}

pub(super) struct Touched(Vec<UnsafeCell<()>>);

impl Touched {
    pub(super) fn new(size: usize) -> Self {
        Self((0..size).map(|_| UnsafeCell::new(())).collect())
    }

    pub(super) fn read(&self, at: usize, len: usize) {
        for cell in self.0.iter().skip(at).take(len) {
            cell.with(|_| ());
        }
    }

    pub(super) fn write(&self, at: usize, len: usize) {
        for cell in self.0.iter().skip(at).take(len) {
            cell.with_mut(|_| ());
        }
    }
}
