//! When a repeating task runs next: arithmetic on deadlines, without a division.

use crate::{
    task::Missed,
    time::{Duration, Instant, later},
};

/// The next deadline, and how many were skipped on the way there.
pub(crate) struct Next {
    pub(crate) deadline: Instant,
    pub(crate) skipped: u64,
}

/// The deadline after the run that was due at `deadline`, began at `started` and has just returned.
#[inline]
pub(crate) fn after_run(
    deadline: Instant,
    period: Duration,
    missed: Missed,
    started: Instant,
    now: Instant,
) -> Next {
    if let Missed::Delay = missed {
        return Next { deadline: later(started, period), skipped: 0 };
    }
    let next = later(deadline, period);
    if next >= now {
        return Next { deadline: next, skipped: 0 };
    }
    catch_up(next, period, missed, now)
}

/// `next` lies before `now`: what is skipped, and what is still to be run late.
#[cold]
fn catch_up(next: Instant, period: Duration, missed: Missed, now: Instant) -> Next {
    let made_up = match missed {
        Missed::Burst(runs) => runs,
        Missed::Skip | Missed::Delay => 0,
    };
    let mut skipped = periods_before(next, period, now);
    let mut deadline = Instant::from_ticks(next.as_ticks().saturating_add(skipped.ticks));
    for _ in 0..made_up {
        if skipped.count == 0 {
            break;
        }
        skipped.count -= 1;
        deadline = Instant::from_ticks(deadline.as_ticks().saturating_sub(period.as_ticks()));
    }
    Next { deadline, skipped: skipped.count }
}

/// The first deadline in phase with `deadline` that is later than `now`.
pub(crate) fn in_phase_after(deadline: Instant, period: Duration, now: Instant) -> Instant {
    let Some(past) = now.as_ticks().checked_add(1) else { return now };
    let skipped = periods_before(deadline, period, Instant::from_ticks(past));
    Instant::from_ticks(deadline.as_ticks().saturating_add(skipped.ticks))
}

struct Periods {
    count: u64,
    ticks: u64,
}

/// How many of `first`, `first + period`, … lie before `now`.
///
/// By shifting and subtracting: a 64-bit division would cost a kilobyte of flash on small cores,
/// and this runs only when a task is late. Cost: at most 128 steps.
fn periods_before(first: Instant, period: Duration, now: Instant) -> Periods {
    let period = period.as_ticks().max(1);
    let mut behind = now.as_ticks().saturating_sub(first.as_ticks());
    let (mut step, mut steps) = (period, 1u64);
    while step <= behind / 2 {
        step <<= 1;
        steps <<= 1;
    }
    let mut periods = Periods { count: 0, ticks: 0 };
    while steps > 0 {
        if step <= behind {
            behind -= step;
            periods.count += steps;
            periods.ticks += step;
        }
        step >>= 1;
        steps >>= 1;
    }
    if behind > 0 {
        periods.count = periods.count.saturating_add(1);
        periods.ticks = periods.ticks.saturating_add(period);
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ticks: u64) -> Instant {
        Instant::from_ticks(ticks)
    }

    fn run(deadline: u64, missed: Missed, started: u64, now: u64) -> (u64, u64) {
        let next = after_run(at(deadline), Duration::from_ticks(100), missed, at(started), at(now));
        (next.deadline.as_ticks(), next.skipped)
    }

    #[test]
    fn a_run_in_time_is_followed_by_the_next_deadline() {
        assert_eq!(run(100, Missed::Skip, 100, 130), (200, 0));
        assert_eq!(run(100, Missed::Burst(3), 100, 130), (200, 0));
        assert_eq!(run(100, Missed::Skip, 150, 200), (200, 0), "due this very moment is not past");
    }

    #[test]
    fn skip_goes_on_in_phase_and_counts() {
        assert_eq!(run(100, Missed::Skip, 100, 201), (300, 1));
        assert_eq!(run(100, Missed::Skip, 100, 450), (500, 3));
        assert_eq!(run(100, Missed::Skip, 100, 500), (500, 3));
    }

    #[test]
    fn burst_owes_at_most_its_number() {
        assert_eq!(run(100, Missed::Burst(0), 100, 450), (500, 3));
        assert_eq!(run(100, Missed::Burst(1), 100, 450), (400, 2));
        assert_eq!(run(100, Missed::Burst(3), 100, 450), (200, 0));
        assert_eq!(run(100, Missed::Burst(200), 100, 450), (200, 0));
    }

    #[test]
    fn delay_counts_from_the_start() {
        assert_eq!(run(100, Missed::Delay, 130, 140), (230, 0));
        assert_eq!(run(100, Missed::Delay, 130, 999), (230, 0));
    }

    #[test]
    fn the_end_of_time_is_a_deadline_like_any_other() {
        let end = u64::MAX;
        let next = after_run(
            at(end - 5),
            Duration::from_ticks(100),
            Missed::Skip,
            at(end - 5),
            at(end - 5),
        );
        assert_eq!(next.deadline, at(end));
    }

    proptest! {
        #[test]
        fn counting_periods_is_a_division_rounded_up(
            first in any::<u64>(), period in 1u64.., behind in any::<u64>(), small in 1u64..1_000,
        ) {
            for period in [period, small, period >> 32 | 1] {
                let now = first.saturating_add(behind);
                let periods = periods_before(at(first), Duration::from_ticks(period), at(now));
                prop_assert_eq!(periods.count, (now - first).div_ceil(period));
                prop_assert_eq!(periods.ticks, periods.count.saturating_mul(period));
            }
        }

        #[test]
        fn a_phase_is_kept(first in 0u64..10_000, period in 1u64..500, now in 0u64..20_000) {
            let next = in_phase_after(at(first), Duration::from_ticks(period), at(now)).as_ticks();
            prop_assert!(next > now || next == first);
            prop_assert!(next >= first);
            prop_assert_eq!((next - first) % period, 0);
            prop_assert!(next == first || next - period <= now);
        }
    }
}
