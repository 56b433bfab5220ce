//! A clock as an `embedded_hal` delay, for drivers and buses that wait a little.

use embedded_hal::delay::DelayNs;

use crate::time::{Clock, Duration, Sleep, later};

/// Waits by a [`Clock`], as `embedded_hal::delay::DelayNs`. Needs the feature `bus`.
///
/// It waits in the clock's own [`wait`](Clock::wait), so a port that sleeps there sleeps here as
/// well, and simulated time jumps. A delay lasts at least as long as it says, and up to a
/// microsecond more.
///
/// ```
/// use embedded_hal::delay::DelayNs;
/// use ensue::{Clock, clock::{Delay, Virtual}};
///
/// let clock = Virtual::new();
/// let mut delay = Delay::new(&clock); // for `Bus::with_delay`, for a driver
/// delay.delay_ms(50);
/// assert!(clock.now().as_ticks() >= 50_000);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Delay<C> {
    clock: C,
}

impl<C: Clock> Delay<C> {
    /// A delay by this clock, or by a reference to it.
    pub const fn new(clock: C) -> Self {
        Self { clock }
    }

    fn wait(&self, micros: u64) {
        // A part of the microsecond that is shown has gone by.
        let micros = micros.saturating_add(u64::from(micros != 0));
        let until = later(self.clock.now(), Duration::from_ticks(micros));
        let sleep = Sleep::new(Some(until), None);
        while self.clock.now() < until && !sleep.has_ended() {
            self.clock.wait(&sleep);
        }
    }
}

impl<C: Clock> DelayNs for Delay<C> {
    fn delay_ns(&mut self, ns: u32) {
        self.wait(ns.div_ceil(1_000).into());
    }

    fn delay_us(&mut self, us: u32) {
        self.wait(us.into());
    }

    fn delay_ms(&mut self, ms: u32) {
        self.wait(u64::from(ms) * 1_000);
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;
    use crate::{ExtU64, clock::Virtual, time::Instant};

    fn micros(delay: impl FnOnce(&mut Delay<&Virtual<'_>>)) -> u64 {
        let clock = Virtual::new();
        delay(&mut Delay::new(&clock));
        clock.now().as_ticks()
    }

    #[test]
    fn a_delay_is_never_short_and_at_most_a_microsecond_long() {
        assert_eq!(micros(|delay| delay.delay_ns(0)), 0);
        assert_eq!(micros(|delay| delay.delay_ns(1)), 2);
        assert_eq!(micros(|delay| delay.delay_ns(1_000)), 2);
        assert_eq!(micros(|delay| delay.delay_ns(1_001)), 3);
        assert_eq!(micros(|delay| delay.delay_us(10)), 11);
        assert_eq!(micros(|delay| delay.delay_ms(u32::MAX)), 4_294_967_295_001);
    }

    /// Wakes every 100 µs, as a port does whose alarm reaches no further.
    struct Hops<'a>(&'a Cell<u64>);

    impl Clock for Hops<'_> {
        fn now(&self) -> Instant {
            Instant::from_ticks(self.0.get())
        }

        fn wait(&self, _: &Sleep<'_>) {
            self.0.set(self.0.get() + 100);
        }
    }

    #[test]
    fn a_sleep_that_ends_early_is_gone_on_with() {
        let now = Cell::new(0);
        Delay::new(Hops(&now)).delay_us(250);
        assert_eq!(now.get(), 300);
    }

    #[test]
    fn simulated_time_that_ends_in_the_middle_ends_the_delay() {
        let clock = Virtual::new().until(1.secs());
        Delay::new(&clock).delay_ms(2_000);
        assert_eq!(clock.now().as_ticks(), 1_000_000);
    }
}
