//! Simulated time: a sleep takes no time at all, it only moves the clock.
//!
//! Nothing here runs by itself. Time passes in two places: in [`wait`](Clock::wait), which jumps to
//! the deadline, and in [`advance`](Virtual::advance), by which a job says how long it takes. What
//! happens on the way is written down beforehand as a script of [`Interrupt`]s, so a run is the
//! same every time. A clock is a plain value: each test makes its own, and tests stay parallel.
//!
//! Times are written as durations since the clock's zero, because `5.secs()` reads better than an
//! instant.

use core::cell::Cell;

use crate::time::{self, Clock, Duration, Instant, Sleep};

/// A simulated clock.
///
/// It starts at zero. Sleeping jumps to the deadline, so that a year of it passes at once:
///
/// ```
/// use ensue::{Clock, ExtU64, Sleep, clock::Virtual, time};
///
/// let clock = Virtual::new();
/// clock.advance(250.micros()); // a job that takes its time
///
/// let deadline = time::later(clock.now(), 8_760.hours());
/// clock.wait(&Sleep::new(Some(deadline), None));
/// assert_eq!(clock.now(), deadline);
/// ```
///
/// A script plays the outside world:
///
/// ```
/// use ensue::clock::{Interrupt, Virtual};
/// use ensue::{Clock, ExtU64, Sleep, time};
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// let arrived = AtomicBool::new(false);
/// let script = [Interrupt { at: 2.secs(), run: &|_| arrived.store(true, Ordering::Release) }];
/// let clock = Virtual::with_script(&script);
///
/// // A sleep of five seconds ends after two, because something has arrived.
/// let deadline = time::later(clock.now(), 5.secs());
/// clock.wait(&Sleep::new(Some(deadline), Some(&arrived)));
/// assert_eq!(clock.now().as_ticks(), 2_000_000);
/// ```
///
/// # The end of time
///
/// A simulation must come to an end, so this clock calls [`Sleep::end`], which ends the loop,
///
/// - when a sleep would go beyond the limit set with [`until`](Self::until), after time has gone to
///   the limit and what is scripted up to it has run; what is due exactly at the limit still runs;
/// - when a sleep has no deadline and the script is at its end: nothing could ever come.
pub struct Virtual<'s> {
    now: Cell<Instant>,
    limit: Cell<Option<Instant>>,
    script: &'s [Interrupt<'s>],
    /// Time and place of the last interrupt that was taken: those up to here are done.
    taken: Cell<Option<(Duration, usize)>>,
    /// The next one, while it is known.
    next: Cell<Option<Next<'s>>>,
    in_interrupt: Cell<bool>,
}

/// Something that happens at a set time: an interrupt, a key press, a byte that comes in.
///
/// Write it as a literal, then its closure may borrow from the test:
///
/// ```
/// use ensue::clock::{Interrupt, Virtual};
/// use ensue::{Clock, ExtU64};
/// use core::cell::Cell;
///
/// let seen = Cell::new(0);
/// let script = [Interrupt { at: 30.millis(), run: &|clock| seen.set(clock.now().as_ticks()) }];
/// let clock = Virtual::with_script(&script);
/// clock.advance(1.secs());
/// assert_eq!(seen.get(), 30_000);
/// ```
#[derive(Clone, Copy)]
pub struct Interrupt<'s> {
    /// When it happens, counted from the clock's zero.
    pub at: Duration,
    /// What it does.
    ///
    /// The clock it is given shows [`at`](Self::at), or the time at which it was its turn if that
    /// was later. It may [`advance`](Virtual::advance) the clock by the time it takes.
    pub run: &'s dyn Fn(&Virtual<'_>),
}

/// What a look through the script has found: a place and what is there, or that nothing is left.
type Next<'s> = Option<(usize, &'s Interrupt<'s>)>;

impl<'s> Virtual<'s> {
    /// A clock that stands at zero, in a world where nothing happens by itself.
    pub const fn new() -> Self {
        Self::with_script(&[])
    }

    /// A clock that stands at zero, and what happens while it goes.
    ///
    /// Interrupts are taken in the order of their times, those of one time in the order given, and
    /// each of them once. They are taken while time passes, so one at zero comes with the first
    /// [`wait`](Clock::wait) or [`advance`](Self::advance), be it by zero. One at time t comes
    /// before the tasks that are due at t. As on one core without nesting, none interrupts
    /// another: what comes while one runs is taken after it.
    ///
    /// What comes again and again needs no script: schedule a task that does it. And a long one is
    /// better played from outside, in pieces: do what happens, [`set_until`](Self::set_until) the
    /// time at which the next thing does, start the loop again.
    ///
    /// Cost: after each interrupt, one look through the whole script for the next.
    pub const fn with_script(script: &'s [Interrupt<'s>]) -> Self {
        Self {
            now: Cell::new(Instant::from_ticks(0)),
            limit: Cell::new(None),
            script,
            taken: Cell::new(None),
            next: Cell::new(None),
            in_interrupt: Cell::new(false),
        }
    }

    /// The same clock, with an end of time. See [above](Self#the-end-of-time).
    ///
    /// ```
    /// use ensue::{Clock, ExtU64, Sleep, clock::Virtual};
    ///
    /// let clock = Virtual::new().until(1.hours());
    /// clock.wait(&Sleep::new(None, None));
    /// assert_eq!(clock.now().as_ticks(), 3_600_000_000);
    /// ```
    #[must_use]
    pub fn until(self, limit: Duration) -> Self {
        self.set_until(limit);
        self
    }

    /// Moves the end of time, so that a loop that ended there can be started again.
    pub fn set_until(&self, limit: Duration) {
        self.limit.set(Some(from_zero(limit)));
    }

    /// Lets time pass: what calls this takes that long.
    ///
    /// Interrupts that come meanwhile are taken at their times, also beyond the limit, which ends
    /// sleeps and not work. The time that they take themselves is part of `by`, not added to it.
    pub fn advance(&self, by: Duration) {
        let end = time::later(self.now.get(), by);
        while self.take_interrupt(Some(end)) {}
        self.reach(end);
    }

    /// Puts the clock to another time, forward or back, without any time passing.
    ///
    /// For tests of what a program does when its clock steps. An interrupt whose time is jumped
    /// over is late: it is taken when time passes next. One that was taken does not come again.
    ///
    /// ```
    /// use ensue::{Clock, ExtU64, clock::Virtual};
    ///
    /// let clock = Virtual::new();
    /// clock.advance(5.secs());
    /// clock.set(3.secs());
    /// assert_eq!(clock.now().as_ticks(), 3_000_000);
    /// ```
    pub fn set(&self, since_zero: Duration) {
        self.now.set(from_zero(since_zero));
    }

    /// Runs the next interrupt if its time comes no later than `end` (`None`: whenever it comes).
    fn take_interrupt(&self, end: Option<Instant>) -> bool {
        if self.in_interrupt.get() {
            return false;
        }
        let Some((place, interrupt)) = self.next_interrupt() else { return false };
        let at = from_zero(interrupt.at);
        if at > self.now.get() && end.is_some_and(|end| at > end) {
            return false;
        }
        self.taken.set(Some((interrupt.at, place)));
        self.next.set(None);
        self.reach(at);
        self.in_interrupt.set(true);
        (interrupt.run)(self);
        self.in_interrupt.set(false);
        true
    }

    fn next_interrupt(&self) -> Next<'s> {
        if let Some(known) = self.next.get() {
            return known;
        }
        let open = |(place, interrupt): &(usize, &Interrupt<'_>)| {
            self.taken.get().is_none_or(|taken| (interrupt.at, *place) > taken)
        };
        // Of several that are equal, `min_by_key` takes the first.
        let next = self.script.iter().enumerate().filter(open).min_by_key(|(_, next)| next.at);
        self.next.set(Some(next));
        next
    }

    /// Time goes on to `instant`, or stays where it is when that is in the past.
    fn reach(&self, instant: Instant) {
        self.now.set(self.now.get().max(instant));
    }
}

impl Default for Virtual<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Virtual<'_> {
    fn now(&self) -> Instant {
        self.now.get()
    }

    /// Goes from interrupt to interrupt and to the deadline, without waiting.
    fn wait(&self, sleep: &Sleep<'_>) {
        let limit = self.limit.get();
        let deadline = sleep.until().filter(|until| limit.is_none_or(|limit| *until <= limit));
        let end = deadline.or(limit);

        while !sleep.is_over() {
            if self.take_interrupt(end) {
                continue;
            }
            if let Some(end) = end {
                self.reach(end);
            }
            if deadline.is_none() {
                sleep.end();
            }
            return;
        }
    }
}

const fn from_zero(duration: Duration) -> Instant {
    Instant::from_ticks(duration.as_ticks())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::boxed::Box;
    use std::cell::{Cell, RefCell};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::ExtU64;

    fn seconds(clock: &Virtual<'_>) -> u64 {
        clock.now().duration_since_epoch().as_secs()
    }

    fn at_second(seconds: u64) -> Option<Instant> {
        Some(from_zero(seconds.secs()))
    }

    #[test]
    fn a_sleep_jumps_to_its_deadline() {
        let clock = Virtual::new();
        clock.wait(&Sleep::new(at_second(7), None));
        assert_eq!(seconds(&clock), 7);
    }

    #[test]
    fn a_deadline_in_the_past_moves_nothing() {
        let clock = Virtual::new();
        clock.advance(9.secs());
        let sleep = Sleep::new(at_second(7), None);
        clock.wait(&sleep);
        assert_eq!(seconds(&clock), 9);
        assert!(!sleep.has_ended());
    }

    #[test]
    fn a_sleep_that_is_over_before_it_begins_takes_no_time_and_no_interrupt() {
        let arrived = AtomicBool::new(true);
        let script = [Interrupt { at: 0.secs(), run: &|_| panic!("nobody slept") }];
        let clock = Virtual::with_script(&script).until(5.secs());
        let sleep = Sleep::new(None, Some(&arrived));
        clock.wait(&sleep);
        assert_eq!(seconds(&clock), 0);
        assert!(!sleep.has_ended());
    }

    #[test]
    fn interrupts_come_in_the_order_of_time_and_equal_ones_in_the_order_given() {
        let log = RefCell::new(Vec::new());
        let note = |name: &'static str| {
            let log = &log;
            move |clock: &Virtual<'_>| log.borrow_mut().push((seconds(clock), name))
        };
        let (a, b, c, d) = (note("a"), note("b"), note("c"), note("d"));
        let script = [
            Interrupt { at: 3.secs(), run: &a },
            Interrupt { at: 1.secs(), run: &b },
            Interrupt { at: 3.secs(), run: &c },
            Interrupt { at: 2.secs(), run: &d },
        ];
        let clock = Virtual::with_script(&script);
        clock.wait(&Sleep::new(at_second(3), None));
        assert_eq!(*log.borrow(), [(1, "b"), (2, "d"), (3, "a"), (3, "c")]);
    }

    #[test]
    fn only_what_arrives_ends_a_sleep_early() {
        let arrived = AtomicBool::new(false);
        let script = [
            Interrupt { at: 1.secs(), run: &|_| {} },
            Interrupt { at: 2.secs(), run: &|_| arrived.store(true, Ordering::Release) },
            Interrupt { at: 3.secs(), run: &|_| panic!("slept on") },
        ];
        let clock = Virtual::with_script(&script);
        clock.wait(&Sleep::new(at_second(10), Some(&arrived)));
        assert_eq!(seconds(&clock), 2);
    }

    #[test]
    fn an_interrupt_at_the_deadline_comes_first() {
        let arrived = AtomicBool::new(false);
        let script = [Interrupt { at: 4.secs(), run: &|_| arrived.store(true, Ordering::Release) }];
        let clock = Virtual::with_script(&script);
        clock.wait(&Sleep::new(at_second(4), Some(&arrived)));
        assert!(arrived.load(Ordering::Acquire));
        assert_eq!(seconds(&clock), 4);
    }

    #[test]
    fn interrupts_come_while_a_job_takes_its_time() {
        let log = RefCell::new(Vec::new());
        let note = |clock: &Virtual<'_>| log.borrow_mut().push(seconds(clock));
        let script = [1, 2, 3].map(|at: u64| Interrupt { at: at.secs(), run: &note });
        let clock = Virtual::with_script(&script);
        clock.advance(2.secs());
        assert_eq!(*log.borrow(), [1, 2]);
        assert_eq!(seconds(&clock), 2);
    }

    #[test]
    fn an_interrupt_at_zero_comes_as_soon_as_time_may_pass() {
        let count = Cell::new(0);
        let script = [Interrupt { at: 0.secs(), run: &|_| count.set(count.get() + 1) }];
        let clock = Virtual::with_script(&script);
        assert_eq!(count.get(), 0);
        clock.advance(0.secs());
        clock.advance(0.secs());
        assert_eq!(count.get(), 1);
    }

    #[test]
    fn what_comes_while_an_interrupt_runs_is_taken_after_it() {
        let log = RefCell::new(Vec::new());
        let script = [
            Interrupt {
                at: 1.secs(),
                run: &|clock| {
                    clock.advance(5.secs());
                    log.borrow_mut().push(("long", seconds(clock)));
                },
            },
            Interrupt {
                at: 2.secs(),
                run: &|clock| log.borrow_mut().push(("short", seconds(clock))),
            },
        ];
        let clock = Virtual::with_script(&script);
        clock.wait(&Sleep::new(at_second(3), None));
        assert_eq!(*log.borrow(), [("long", 6), ("short", 6)]);
        assert_eq!(seconds(&clock), 6, "time does not go back to a deadline that has passed");
    }

    #[test]
    fn a_sleep_within_an_interrupt_reaches_its_deadline() {
        let script =
            [Interrupt { at: 1.secs(), run: &|clock| clock.wait(&Sleep::new(at_second(2), None)) }];
        let clock = Virtual::with_script(&script);
        clock.advance(1.secs());
        assert_eq!(seconds(&clock), 2);
    }

    #[test]
    fn what_is_due_at_the_limit_still_runs_and_nothing_later() {
        let clock = Virtual::new().until(10.secs());
        let last = Sleep::new(at_second(10), None);
        clock.wait(&last);
        assert!(!last.has_ended());

        let beyond = Sleep::new(at_second(11), None);
        clock.wait(&beyond);
        assert!(beyond.has_ended());
        assert_eq!(seconds(&clock), 10);
    }

    #[test]
    fn the_script_runs_up_to_the_limit_and_not_beyond() {
        let log = RefCell::new(Vec::new());
        let note = |clock: &Virtual<'_>| log.borrow_mut().push(seconds(clock));
        let script = [9, 10, 11].map(|at: u64| Interrupt { at: at.secs(), run: &note });
        let clock = Virtual::with_script(&script).until(10.secs());
        let sleep = Sleep::new(at_second(20), None);
        clock.wait(&sleep);
        assert!(sleep.has_ended());
        assert_eq!(*log.borrow(), [9, 10]);
    }

    #[test]
    fn an_event_before_the_limit_is_handled_before_time_ends() {
        let arrived = AtomicBool::new(false);
        let script =
            [Interrupt { at: 10.secs(), run: &|_| arrived.store(true, Ordering::Release) }];
        let clock = Virtual::with_script(&script).until(10.secs());
        let sleep = Sleep::new(None, Some(&arrived));
        clock.wait(&sleep);
        assert!(!sleep.has_ended());

        arrived.store(false, Ordering::Release);
        clock.wait(&sleep);
        assert!(sleep.has_ended());
    }

    #[test]
    fn a_job_may_run_past_the_limit_and_the_next_sleep_ends_time() {
        let clock = Virtual::new().until(10.secs());
        clock.advance(12.secs());
        let sleep = Sleep::new(at_second(13), None);
        clock.wait(&sleep);
        assert!(sleep.has_ended());
        assert_eq!(seconds(&clock), 12);
    }

    #[test]
    fn time_goes_on_when_the_limit_is_moved() {
        let clock = Virtual::new().until(10.secs());
        clock.wait(&Sleep::new(None, None));
        clock.set_until(20.secs());
        let sleep = Sleep::new(at_second(15), None);
        clock.wait(&sleep);
        assert!(!sleep.has_ended());
        assert_eq!(seconds(&clock), 15);
    }

    #[test]
    fn without_a_deadline_time_ends_when_the_script_does() {
        let log = RefCell::new(Vec::new());
        let note = |clock: &Virtual<'_>| log.borrow_mut().push(seconds(clock));
        let script = [3, 8].map(|at: u64| Interrupt { at: at.secs(), run: &note });
        let clock = Virtual::with_script(&script);
        let sleep = Sleep::new(None, None);
        clock.wait(&sleep);
        assert!(sleep.has_ended());
        assert_eq!(*log.borrow(), [3, 8]);
        assert_eq!(seconds(&clock), 8);
    }

    #[test]
    fn a_clock_set_back_takes_no_interrupt_twice() {
        let count = Cell::new(0);
        let script = [Interrupt { at: 2.secs(), run: &|_| count.set(count.get() + 1) }];
        let clock = Virtual::with_script(&script);
        clock.advance(3.secs());
        clock.set(1.secs());
        assert_eq!(seconds(&clock), 1);
        clock.advance(5.secs());
        assert_eq!(count.get(), 1);
        assert_eq!(seconds(&clock), 6);
    }

    #[test]
    fn an_interrupt_that_was_jumped_over_comes_late_and_time_stays() {
        let seen = Cell::new(0);
        let script = [Interrupt { at: 2.secs(), run: &|clock| seen.set(seconds(clock)) }];
        let clock = Virtual::with_script(&script);
        clock.set(5.secs());
        assert_eq!(seen.get(), 0);
        clock.wait(&Sleep::new(at_second(1), None));
        assert_eq!(seen.get(), 5);
        assert_eq!(seconds(&clock), 5);
    }

    #[test]
    fn the_largest_instant_is_a_time_like_any_other() {
        let clock = Virtual::new();
        let end = Instant::from_ticks(u64::MAX);
        let sleep = Sleep::new(Some(end), None);
        clock.wait(&sleep);
        assert_eq!(clock.now(), end);
        assert!(!sleep.has_ended());
        clock.advance(1.secs());
        assert_eq!(clock.now(), end);
    }

    #[test]
    fn a_script_can_be_made_at_run_time() {
        let log = RefCell::new(Vec::new());
        type Action<'a> = Box<dyn Fn(&Virtual<'_>) + 'a>;
        let mut actions: Vec<(u64, Action<'_>)> = vec![];
        for at in [5_u64, 4] {
            let log = &log;
            actions.push((at, Box::new(move |_| log.borrow_mut().push(at))));
        }
        let script: Vec<_> =
            actions.iter().map(|(at, run)| Interrupt { at: at.secs(), run }).collect();
        let clock = Virtual::with_script(&script);
        clock.advance(10.secs());
        assert_eq!(*log.borrow(), [4, 5]);
    }
}
