//! How long to wait before trying again: each pause twice the last, up to a longest, and after so
//! many failures in a row no more.
//!
//! What is usually forgotten is the way back. A thing that fails, works for a day and fails again
//! should not pay for yesterday; a thing that works for one second between two failures should.
//! So failures are forgotten when the owner says that all is well ([`Backoff::succeeded`]), and, if
//! that is wanted, after a time without any ([`Backoff::forget_after`]). How long a try takes is the
//! owner's to know: one that fails after a minute is no minute of quiet.

use crate::time::{Duration, Instant, later, since};

/// When to try again after a failure.
///
/// A plain value: copy it to have a second one with the same rules and the same past.
///
/// ```
/// use ensue::{ExtU64, Instant, pattern::Backoff, time::later};
///
/// let mut link = Backoff::new(100.millis(), 1.secs()).give_up_after(6);
/// let mut now = Instant::from_ticks(0);
/// let mut pauses = vec![];
/// while let Some(next) = link.failed(now) {
///     pauses.push((next.as_ticks() - now.as_ticks()) / 1_000);
///     now = next; // tried then, and failed again
/// }
/// assert_eq!(pauses, [100, 200, 400, 800, 1_000]);
/// assert_eq!(link.failures(), 6);
///
/// link.succeeded();
/// assert_eq!(link.failed(now), Some(later(now, 100.millis())));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    /// Failures in a row after which there is no next try; zero: there always is one.
    limit: u32,
    /// Time without a failure after which all is well; zero: it is not forgotten.
    quiet: Duration,
    failures: u32,
    /// When the last pause ends.
    next: Instant,
}

impl Backoff {
    /// Pauses `first` after the first failure, then twice as long each time, up to `longest`; it
    /// never gives up. A `longest` below `first` makes every pause `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        const ZERO: Duration = Duration::from_ticks(0);
        Self { first, longest, limit: 0, quiet: ZERO, failures: 0, next: Instant::from_ticks(0) }
    }

    /// Gives up at the `failures`th failure in a row: with 3 there are three tries in all. Zero
    /// never gives up.
    pub const fn give_up_after(mut self, failures: u32) -> Self {
        self.limit = failures;
        self
    }

    /// Forgets the failures so far when the next one comes `quiet` or later after the end of the last
    /// pause: then it is a first one. Zero: they are forgotten only by [`succeeded`](Self::succeeded).
    ///
    /// Let it be longer than a try may take, or what fails slowly looks as if it had worked.
    ///
    /// ```
    /// # use ensue::{ExtU64, Instant, pattern::Backoff, time::later};
    /// let mut link = Backoff::new(1.secs(), 8.secs()).forget_after(1.minutes());
    /// let first = Instant::from_ticks(0);
    /// let again = link.failed(first).ok_or("gave up")?;
    /// let _ = link.failed(later(again, 59.secs()));
    /// assert_eq!(link.failures(), 2);
    /// let _ = link.failed(later(first, 1.hours()));
    /// assert_eq!(link.failures(), 1);
    /// # Ok::<(), &str>(())
    /// ```
    pub const fn forget_after(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Notes a failure at `now` and says when to try again; `None`: give up. A time beyond the largest
    /// instant is that instant.
    ///
    /// Cost: a few steps, no division.
    #[must_use = "it says when to try again, or that there is no use"]
    pub fn failed(&mut self, now: Instant) -> Option<Instant> {
        if self.quiet.as_ticks() != 0 && since(now, self.next) >= self.quiet {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        if self.limit != 0 && self.failures >= self.limit {
            return None;
        }
        self.next = later(now, self.pause());
        Some(self.next)
    }

    /// Notes that all is well: the next failure is a first one.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Whether a try is in order at `now`: nothing has failed, or the pause is over. It does not
    /// know of giving up; who gave up does not ask.
    ///
    /// ```
    /// # use ensue::{ExtU64, Instant, pattern::Backoff};
    /// let mut link = Backoff::new(100.millis(), 1.secs());
    /// let start = Instant::from_ticks(0);
    /// assert!(link.is_ready(start));
    /// let again = link.failed(start).ok_or("gave up")?;
    /// assert!(!link.is_ready(start) && link.is_ready(again));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn is_ready(&self, now: Instant) -> bool {
        self.failures == 0 || now >= self.next
    }

    /// How many failures in a row there were. It stays at `u32::MAX`.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// The pause after this many failures: the first, doubled for each failure but one.
    fn pause(&self) -> Duration {
        let first = self.first.as_ticks();
        let doublings = self.failures.saturating_sub(1).min(u64::BITS - 1);
        // With fewer leading zeros than doublings, bits would fall off at the top.
        let lost = doublings > first.leading_zeros();
        let ticks = if lost { u64::MAX } else { first << doublings };
        Duration::from_ticks(ticks).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExtU64;
    use std::vec::Vec;

    const START: Instant = Instant::from_ticks(1_000_000);

    /// The pauses in milliseconds of a thing that fails whenever it is tried.
    fn pauses(mut backoff: Backoff, count: usize) -> Vec<u64> {
        let mut now = START;
        core::iter::from_fn(|| {
            let next = backoff.failed(now)?;
            let pause = since(next, now);
            now = next;
            Some(pause.as_millis())
        })
        .take(count)
        .collect()
    }

    #[test]
    fn each_pause_is_twice_the_last_up_to_the_longest() {
        let backoff = Backoff::new(10.millis(), 55.millis());
        assert_eq!(pauses(backoff, 6), [10, 20, 40, 55, 55, 55]);
    }

    #[test]
    fn a_longest_below_the_first_is_every_pause() {
        assert_eq!(pauses(Backoff::new(10.millis(), 4.millis()), 3), [4, 4, 4]);
    }

    #[test]
    fn three_tries_have_two_pauses() {
        assert_eq!(pauses(Backoff::new(5.millis(), 1.secs()).give_up_after(3), 9), [5, 10]);
        assert!(pauses(Backoff::new(5.millis(), 1.secs()).give_up_after(1), 9).is_empty());
    }

    #[test]
    fn it_stays_given_up_until_it_is_told_that_all_is_well() {
        let mut backoff = Backoff::new(5.millis(), 1.secs()).give_up_after(1);
        assert_eq!(backoff.failed(START), None);
        assert_eq!(backoff.failed(START), None);
        backoff.succeeded();
        assert_eq!(backoff.failures(), 0);
    }

    #[test]
    fn no_pause_is_no_pause_however_often() {
        let mut backoff = Backoff::new(Duration::from_ticks(0), 1.secs());
        for _ in 0..200 {
            assert_eq!(backoff.failed(START), Some(START));
        }
    }

    #[test]
    fn tries_that_take_longer_than_any_pause_come_to_an_end_all_the_same() {
        let mut backoff = Backoff::new(500.millis(), 2.secs()).give_up_after(4);
        let mut now = START;
        let mut pauses = std::vec![];
        while let Some(next) = backoff.failed(now) {
            pauses.push(since(next, now).as_millis());
            now = later(next, 3_200.millis());
        }
        assert_eq!(pauses, [500, 1_000, 2_000]);
    }

    #[test]
    fn two_hundred_doublings_do_not_overflow() {
        let mut backoff = Backoff::new(3.micros(), Duration::from_ticks(u64::MAX));
        let mut last = Duration::from_ticks(0);
        for _ in 0..200 {
            let next = backoff.failed(START);
            assert!(next.is_some_and(|next| since(next, START) >= last));
            last = since(backoff.next, START);
        }
        assert_eq!(last, since(Instant::from_ticks(u64::MAX), START));
    }

    #[test]
    fn failures_are_forgotten_after_a_quiet_time_if_there_is_one() {
        let mut backoff = Backoff::new(1.secs(), 8.secs()).forget_after(8.secs());
        let mut now = START;
        for _ in 0..3 {
            now = backoff.failed(now).unwrap_or(now);
        }
        let flapping = later(now, 7.secs());
        let mut copy = backoff;
        assert_eq!(copy.failed(flapping), Some(later(flapping, 8.secs())));
        let calm = later(now, 8.secs());
        assert_eq!(backoff.failed(calm), Some(later(calm, 1.secs())));
        assert_eq!(backoff.failures(), 1);

        let mut for_ever = Backoff::new(1.secs(), 8.secs());
        let _ = for_ever.failed(START);
        assert_eq!(for_ever.failed(later(START, 24.hours())), Some(later(START, 86_402.secs())));
    }

    #[test]
    fn a_first_failure_long_after_the_start_is_a_first_failure() {
        let mut backoff = Backoff::new(1.secs(), 8.secs()).give_up_after(2).forget_after(1.secs());
        let now = later(START, 3_600.secs());
        assert_eq!(backoff.failed(now), Some(later(now, 1.secs())));
    }

    #[test]
    fn a_clock_that_steps_back_forgets_nothing() {
        let mut backoff = Backoff::new(1.secs(), 8.secs());
        let _ = backoff.failed(later(START, 100.secs()));
        assert_eq!(backoff.failed(START), Some(later(START, 2.secs())));
    }
}
