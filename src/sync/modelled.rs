//! The atomics and the lock of loom, which tries every order and every stale value that the memory
//! model allows.

use std::{cell::Cell, format, sync::OnceLock, thread_local};

use critical_section::CriticalSection;
pub(crate) use loom::sync::atomic::Ordering;

use super::Fence;

/// An atomic that can be made in a `const`, as loom's cannot.
///
/// It is set up by its first access, which must therefore come before anything is concurrent: loom
/// complains otherwise.
#[derive(Debug)]
pub struct AtomicBool {
    initial: bool,
    atomic: OnceLock<loom::sync::atomic::AtomicBool>,
}

impl AtomicBool {
    pub(crate) const fn new(initial: bool) -> Self {
        Self { initial, atomic: OnceLock::new() }
    }

    pub(crate) fn load(&self, order: Ordering) -> bool {
        self.atomic().load(order)
    }

    pub(crate) fn store(&self, value: bool, order: Ordering) {
        self.atomic().store(value, order);
    }

    fn atomic(&self) -> &loom::sync::atomic::AtomicBool {
        self.atomic.get_or_init(|| loom::sync::atomic::AtomicBool::new(self.initial))
    }
}

// Loom's threads all run on one of the host's.
thread_local! {
    static WEAKENED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Takes away the lock, or makes the fence of this name the next weaker one, to see whether a model
/// notices.
pub fn weaken(what: &'static str) {
    WEAKENED.set(Some(what));
}

fn is_weakened(what: &str) -> bool {
    WEAKENED.get() == Some(what)
}

/// One of the four.
pub(crate) fn fence(which: Fence) {
    let weakened = is_weakened(&format!("{which:?}"));
    loom::sync::atomic::fence(if weakened { Ordering::AcqRel } else { Ordering::SeqCst });
}

loom::lazy_static! {
    static ref LOCK: loom::sync::Mutex<()> = loom::sync::Mutex::new(());
}

/// A critical section that loom knows of.
pub(crate) fn with<R>(f: impl FnOnce(CriticalSection<'_>) -> R) -> R {
    let _held = (!is_weakened("Lock")).then(|| LOCK.lock());
    critical_section::with(f)
}
