//! When a repeating task runs next: arithmetic on deadlines, without a division.

use crate::{
    task::Missed,
    time::{Duration, Instant, later},
};

/// The next deadline, and how many were skipped on the way there; that stays at `u32::MAX`.
pub(crate) struct Next {
    pub(crate) deadline: Instant,
    pub(crate) skipped: u32,
}

/// The deadline after the run that was due at `deadline`, began at `started` and has just returned.
pub(crate) fn after_run(
    deadline: Instant,
    period: Duration,
    missed: Missed,
    started: Instant,
    now: Instant,
) -> Next {
    let late_runs = match missed {
        Missed::Delay => return Next { deadline: later(started, period), skipped: 0 },
        Missed::Skip => 0,
        Missed::Burst(runs) => runs,
    };
    let mut next = first_from(later(deadline, period), period, now);
    let owed = next.skipped.min(late_runs.into());
    next.skipped = next.skipped.wrapping_sub(owed);
    // No overflow: they lie between the first deadline and the next.
    let back = period.as_ticks().wrapping_mul(owed.into());
    next.deadline = Instant::from_ticks(next.deadline.as_ticks().wrapping_sub(back));
    next
}

/// The first deadline in phase with `deadline` that is later than `now`.
pub(crate) fn in_phase_after(deadline: Instant, period: Duration, now: Instant) -> Instant {
    first_from(deadline, period, later(now, Duration::from_ticks(1))).deadline
}

/// The first of `first`, `first + period`, … that does not lie before `now`.
///
/// By shifting and subtracting: a 64-bit division would cost a kilobyte of flash on small cores,
/// and this runs only when a task is late. Cost: at most 128 steps.
fn first_from(first: Instant, period: Duration, now: Instant) -> Next {
    let Some(mut behind) = now.as_ticks().checked_sub(first.as_ticks()) else {
        return Next { deadline: first, skipped: 0 };
    };
    let period = period.as_ticks().max(1);
    let mut step = period;
    while step <= behind / 2 {
        step <<= 1;
    }
    let mut skipped = 0u32;
    while step >= period {
        skipped = skipped.saturating_add(skipped);
        if step <= behind {
            behind -= step;
            skipped = skipped.saturating_add(1);
        }
        step >>= 1;
    }
    let mut deadline = now;
    if behind > 0 {
        skipped = skipped.saturating_add(1);
        deadline = later(now, Duration::from_ticks(period - behind));
    }
    Next { deadline, skipped }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ticks: u64) -> Instant {
        Instant::from_ticks(ticks)
    }

    fn run(deadline: u64, missed: Missed, started: u64, now: u64) -> (u64, u32) {
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
                let next = first_from(at(first), Duration::from_ticks(period), at(now));
                let periods = (now - first).div_ceil(period);
                let end = first.saturating_add(periods.saturating_mul(period));
                prop_assert_eq!(next.deadline, at(end));
                prop_assert_eq!(next.skipped, u32::try_from(periods).unwrap_or(u32::MAX));
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
