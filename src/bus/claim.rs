//! A value that one context at a time may use: the claim of a bus, and the only unsafe code there.
//!
//! A flag says whether the value is claimed. Taking the claim is a load and a store inside a
//! critical section, a handful of instructions with interrupts masked, however long the claim is
//! then held; giving it back is one store. Nobody ever waits: who comes second is told so at once,
//! which is what makes it harmless to come from an interrupt in the middle of somebody else's use.
//!
//! **The claim rule**: the value is touched only through a [`Claim`], and while one exists the flag
//! is set and no second one can be made.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};

/// A value behind a claim.
pub(super) struct Claimed<T: ?Sized> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: by the claim rule a shared reference gives out the value to one context at a time, and
// the release store before one claim's end is seen by the acquire load at the next one's begin.
// So sharing `Claimed<T>` does no more than sending `T` to and fro, which `T: Send` allows. It says
// nothing about `T: Sync`, because no two contexts ever see the value at once.
unsafe impl<T: ?Sized + Send> Sync for Claimed<T> {}

/// The proof that its holder has the value for itself. Dropping it gives the value back, also when
/// a panic unwinds; leaking it leaves the value claimed for good, and does no other harm.
pub(super) struct Claim<'a, T: ?Sized> {
    of: &'a Claimed<T>,
    /// It behaves as the `&mut T` it stands for: `Send` and `Sync` only if `T` is.
    as_if: PhantomData<&'a mut T>,
}

impl<T> Claimed<T> {
    pub(super) const fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    pub(super) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Claimed<T> {
    /// Takes the value, or runs `refused` inside the critical section and returns `None`.
    ///
    /// The section is there because a chip without compare-and-swap cannot test and set in one
    /// step; `refused` runs in it so that two contexts which are refused at once are both counted.
    #[inline]
    pub(super) fn claim_or(&self, refused: impl FnOnce()) -> Option<Claim<'_, T>> {
        critical_section::with(|_| {
            if self.taken.load(Ordering::Acquire) {
                refused();
                None
            } else {
                self.taken.store(true, Ordering::Relaxed);
                Some(Claim { of: self, as_if: PhantomData })
            }
        })
    }

    /// Takes the value, unless it is taken.
    #[inline]
    pub(super) fn claim(&self) -> Option<Claim<'_, T>> {
        self.claim_or(|| {})
    }
}

impl<T: ?Sized> Deref for Claim<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the claim rule: this claim is the only one, and it is borrowed.
        unsafe { &*self.of.value.get() }
    }
}

impl<T: ?Sized> DerefMut for Claim<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the claim rule: this claim is the only one, and it is borrowed exclusively.
        unsafe { &mut *self.of.value.get() }
    }
}

impl<T: ?Sized> Drop for Claim<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.of.taken.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use std::thread;

    #[test]
    fn the_second_claim_is_refused_until_the_first_is_given_back() {
        let value = Claimed::new(7);
        let first = value.claim();
        assert!(first.is_some() && value.claim().is_none());
        drop(first);
        assert_eq!(value.claim().as_deref(), Some(&7));
    }

    #[test]
    fn a_leaked_claim_is_never_given_out_again() {
        let value = Claimed::new(7);
        core::mem::forget(value.claim());
        assert!(value.claim().is_none());
    }

    #[test]
    fn threads_that_fight_for_a_claim_never_hold_it_together() {
        const ROUNDS: u32 = if cfg!(miri) { 50 } else { 20_000 };
        // Not atomic: two holders at once would lose counts.
        let value = Claimed::new(0_u32);
        let refused = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let count =
                            || _ = refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        if let Some(mut claim) = value.claim_or(count) {
                            *claim += 1;
                        }
                    }
                });
            }
        });
        assert_eq!(value.into_inner() + refused.into_inner(), 3 * ROUNDS);
    }
}
