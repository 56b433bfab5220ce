//! One time base: microseconds in a `u64`, and the clock that counts them.
//!
//! A `u64` of microseconds lasts 584,000 years, so nothing here wraps, and the whole crate needs
//! no type parameter for time. Deadlines saturate at the largest [`Instant`], which is a time like
//! any other; "never" is `None`.
//!
//! Below the loop nothing asks what time it is: the loop reads the [`Clock`] and passes `now` down.

use core::cell::Cell;

use crate::sync::{AtomicBool, Ordering};

/// A point in time: microseconds since the clock began.
///
/// `instant.as_ticks()` are those microseconds, `instant.duration_since_epoch().as_secs()` whole
/// seconds.
///
/// Its `+` panics in debug builds and wraps in release when it overflows; [`later`] saturates.
pub type Instant = fugit::MonotonicTimerInstantU64<1_000_000>;

/// A length of time in microseconds.
///
/// Write one as `5.secs()` or `20.millis()` with [`fugit::ExtU64`] in scope; in a `const`, or from a
/// variable, as `Duration::from_millis(20)`. `as_millis()` and its like give it back as a number.
/// Both panic on numbers beyond 584,000 years.
pub type Duration = fugit::TimerDurationU64<1_000_000>;

/// What tells the time, and where a program sleeps.
///
/// Implement it for your chip's timer; the examples have ports to copy, and `examples/minimal` is a
/// whole firmware with one. A clock that steps back is read as standing still. A reference to a
/// clock is a clock as well.
///
/// ```
/// use ensue::{Clock, Instant};
///
/// /// A chip whose timer counts microseconds in hardware.
/// struct Timer;
/// # fn read_timer() -> u64 { 42 }
///
/// impl Clock for Timer {
///     fn now(&self) -> Instant {
///         Instant::from_ticks(read_timer())
///     }
///     // `wait` is left as it is: it spins. A port that saves power sleeps there.
/// }
/// assert_eq!(Timer.now().as_ticks(), 42);
/// ```
pub trait Clock {
    /// The time now.
    ///
    /// Cost: it is read once a pass, once after each run, and whenever a job asks for the time or
    /// arms something, so keep it short.
    fn now(&self) -> Instant;

    /// Called when nothing is due: sleep here.
    ///
    /// Return at or before [`Sleep::until`], and at once when [`Sleep::is_over`] is true. Returning
    /// early is always allowed: the loop looks again and comes back.
    ///
    /// The default spins. A port that sleeps must not sleep through an interrupt that comes between
    /// the test and the sleep. On one core: arm the alarm, mask interrupts, test `is_over` and the
    /// deadline, `wfi`, unmask; an interrupt that is pending, though masked, ends `wfi` on Cortex-M
    /// and RISC-V. On Cortex-M, also when another core triggers and sends `sev`: arm the alarm, the
    /// same test, `wfe`; the return from an interrupt sets the event register, and so does an
    /// exclusive access, of which there must be none in between. The test comes after the arming:
    /// an alarm that is past when it is armed never comes.
    fn wait(&self, sleep: &Sleep<'_>) {
        while !sleep.is_over() && sleep.until().is_none_or(|until| self.now() < until) {
            core::hint::spin_loop();
        }
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Instant {
        (**self).now()
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        (**self).wait(sleep);
    }
}

/// What a [`Clock::wait`] needs to know: until when, and whether something came in between.
#[derive(Debug)]
pub struct Sleep<'a> {
    until: Option<Instant>,
    /// Either of them ends it.
    bells: Option<[&'a AtomicBool; 2]>,
    ended: Cell<bool>,
}

impl<'a> Sleep<'a> {
    /// A sleep until a deadline (`None`: until something arrives), ended early when `arrived`
    /// becomes true.
    ///
    /// The scheduler makes these; the constructor is public so that a port can be tested alone.
    pub const fn new(until: Option<Instant>, arrived: Option<&'a AtomicBool>) -> Self {
        let bells = match arrived {
            Some(arrived) => Some([arrived; 2]),
            None => None,
        };
        Self { until, bells, ended: Cell::new(false) }
    }

    /// A sleep that either of two ends.
    pub(crate) const fn with_bells(
        until: Option<Instant>,
        bells: Option<[&'a AtomicBool; 2]>,
    ) -> Self {
        Self { until, bells, ended: Cell::new(false) }
    }

    /// The deadline, or `None` when only an event can end the sleep.
    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether something has arrived in the inbox, so that there is no reason to sleep.
    ///
    /// Callable from: main, interrupt, with interrupts masked.
    /// Cost: two loads, without a fence and without an exclusive access (which would wake a `wfe`).
    pub fn is_over(&self) -> bool {
        // What was written before the trigger is for the pass to see, which has its own fences.
        self.bells.is_some_and(|[a, b]| a.load(Ordering::Relaxed) | b.load(Ordering::Relaxed))
    }

    /// Says that nothing will come any more: this clock's time is at its end.
    ///
    /// For simulated clocks and closed inputs. `Work::start` returns then.
    pub fn end(&self) {
        self.ended.set(true);
    }

    /// Whether the clock has called [`end`](Self::end).
    pub fn has_ended(&self) -> bool {
        self.ended.get()
    }
}

/// `instant + delay`, at most the largest instant.
///
/// ```
/// use ensue::{Duration, Instant, time};
/// let end = Instant::from_ticks(u64::MAX);
/// assert_eq!(time::later(end, Duration::from_secs(1)), end);
/// ```
pub const fn later(instant: Instant, delay: Duration) -> Instant {
    Instant::from_ticks(instant.as_ticks().saturating_add(delay.as_ticks()))
}

/// How long after `earlier` this `instant` is; zero when it is before it.
pub const fn since(instant: Instant, earlier: Instant) -> Duration {
    Duration::from_ticks(instant.as_ticks().saturating_sub(earlier.as_ticks()))
}
