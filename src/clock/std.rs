//! The host's clock: a thread that sleeps until its deadline or until another thread wakes it.
//!
//! A wake hook is a plain `fn()`, which knows no particular clock. So all clocks of a process sleep
//! on one condition variable, one wake wakes them all, and each looks whether it was meant.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant as HostInstant;

use crate::time::{self, Clock, Instant, Sleep};

/// Held between the test and the sleep, and by [`Std::wake`]: so a wake comes before the test,
/// which then sees what has arrived, or during the sleep, which it ends.
static ASLEEP: Mutex<()> = Mutex::new(());
static WAKE: Condvar = Condvar::new();

/// The computer's monotonic time since this clock was made.
///
/// Needs the feature `std`. Several may exist; copies share their zero.
///
/// ```
/// use ensue::{Clock, ExtU64, Sleep, clock, time};
///
/// let clock = clock::Std::new();
/// let deadline = time::later(clock.now(), 2.millis());
/// clock.wait(&Sleep::new(Some(deadline), None));
/// assert!(clock.now() >= deadline);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Std {
    zero: HostInstant,
}

impl Std {
    /// A clock that stands at zero now.
    pub fn new() -> Self {
        Self { zero: HostInstant::now() }
    }

    /// Makes every sleeping clock of the process look whether its sleep is over.
    ///
    /// Call it after leaving something in the inbox, or make it the inbox's wake hook. It ends no
    /// sleep by itself, so one too many does no harm.
    ///
    /// Callable from: any thread, not from a signal handler.
    ///
    /// ```
    /// use ensue::{Clock, Sleep, clock::Std};
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// static ARRIVED: AtomicBool = AtomicBool::new(false);
    ///
    /// std::thread::spawn(|| {
    ///     ARRIVED.store(true, Ordering::Release);
    ///     Std::wake();
    /// });
    /// Std::new().wait(&Sleep::new(None, Some(&ARRIVED))); // for ever, but for the thread
    /// assert!(ARRIVED.load(Ordering::Acquire));
    /// ```
    pub fn wake() {
        drop(lock());
        WAKE.notify_all();
    }
}

impl Default for Std {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Std {
    fn now(&self) -> Instant {
        Instant::from_ticks(u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Blocks the thread until the deadline, or until [`wake`](Self::wake) finds the sleep over.
    fn wait(&self, sleep: &Sleep<'_>) {
        let mut asleep = lock();
        while !sleep.is_over() {
            let Some(until) = sleep.until() else {
                asleep = WAKE.wait(asleep).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = time::since(until, self.now());
            if left.is_zero() {
                return;
            }
            let left = core::time::Duration::from_micros(left.as_ticks());
            (asleep, _) = WAKE.wait_timeout(asleep, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The lock guards no data, so there is nothing that a panicking holder could have left half done.
fn lock() -> MutexGuard<'static, ()> {
    ASLEEP.lock().unwrap_or_else(PoisonError::into_inner)
}
