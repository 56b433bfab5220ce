//! A narrow hardware counter made wide, without a race and without a lock.
//!
//! The counter turns over every few milliseconds or seconds, and an interrupt counts the turns. The
//! problem is the reader that comes between the two: the counter shows a small value again, but the
//! turn is not counted yet, and time jumps back by a whole turn. Masking interrupts would not help,
//! because the counter does not stop for that, and would cost latency.
//!
//! The reader looks instead: at the turn, at the counter, at the pending wrap, and at counter and
//! turn again; if one of them moved in the wrong way, it looks once more. If a wrap is pending and
//! the count is small, the turn is one ahead of what was counted.
//!
//! What the interrupt counts is not turns but the microseconds at which the turn began, kept twice:
//! it writes one copy while the other is read, and then swaps them with a single store. So a read
//! multiplies nothing but the count, and no number of turns is the last one: 2^32 turns of a 16-bit
//! counter at 64 MHz would have been over after 51 days.

use core::sync::atomic::Ordering::{self, Relaxed};
use core::sync::atomic::compiler_fence;

use crate::time::{Clock, Instant, Sleep};

#[cfg(not(test))]
use core::sync::atomic::AtomicU32;
#[cfg(test)]
use tests::Watched as AtomicU32;

/// A hardware counter that counts up, turns over, and has an interrupt for it.
///
/// A port describes the counter with two numbers and three accesses to its registers; [`Extended`]
/// makes a clock of it. The promises that a port makes:
///
/// - The flag rises when the count becomes 0: not later, and no earlier than what the core needs to
///   enter the interrupt.
/// - [`Extended::on_wrap`] is called once for each wrap, within half a turn of it.
/// - The flag is taken back by [`acknowledge`](Self::acknowledge) and by nothing else. Where the
///   hardware takes it back by itself when the interrupt is entered, as SysTick does, no interrupt
///   that could preempt the wrap interrupt may read the clock: leave the wrap interrupt at the
///   highest priority.
///
/// ```
/// use ensue::Clock;
/// use ensue::clock::{Counter, Extended};
/// # mod systick { pub fn current() -> u32 { 16_000_000 - 320 } pub fn is_pending() -> bool { false } }
///
/// /// SysTick at 16 MHz, with a reload value of 15,999,999.
/// struct Ticks;
///
/// impl Counter for Ticks {
///     const HZ: u32 = 16_000_000;
///     const TURN: u64 = 16_000_000; // reload + 1
///
///     fn count(&self) -> u32 {
///         // It counts down and its interrupt comes at 0, so 0 is where the turn begins.
///         match systick::current() {
///             0 => 0,
///             current => 16_000_000 - current,
///         }
///     }
///
///     fn has_wrapped(&self) -> bool {
///         systick::is_pending() // PENDSTSET, taken back when the interrupt is entered
///     }
/// }
///
/// static CLOCK: Extended<Ticks> = Extended::new(Ticks);
///
/// // #[exception]
/// # #[expect(non_snake_case)]
/// fn SysTick() {
///     CLOCK.on_wrap();
/// }
/// # SysTick();
/// # assert_eq!(CLOCK.now().as_ticks(), 1_000_020);
/// ```
pub trait Counter {
    /// Ticks in a second.
    const HZ: u32;

    /// Ticks in one turn, 2 to 2^32: `1 << 16` for a free-running 16-bit counter, or the reload
    /// value plus one. A turn must be a whole number of microseconds; otherwise it does not
    /// compile.
    const TURN: u64;

    /// The ticks since the turn began, `0..TURN`.
    fn count(&self) -> u32;

    /// Whether the counter has wrapped and this has not been acknowledged: the interrupt's flag.
    ///
    /// It must not change anything; a flag that is cleared by reading it cannot be used.
    fn has_wrapped(&self) -> bool;

    /// Takes back the flag of [`has_wrapped`](Self::has_wrapped). Called by [`Extended::on_wrap`].
    ///
    /// The default does nothing, for hardware that takes it back by itself.
    fn acknowledge(&self) {}

    /// Sleeps on behalf of the clock: [`Clock::wait`] with the same promises and recipes.
    ///
    /// The default spins.
    fn wait(&self, clock: &Extended<Self>, sleep: &Sleep<'_>)
    where
        Self: Sized,
    {
        while !sleep.is_over() && sleep.until().is_none_or(|until| clock.now() < until) {
            core::hint::spin_loop();
        }
    }
}

/// A clock made of a [`Counter`]: microseconds since it began, in 64 bits.
///
/// Put it in a `static`, call [`on_wrap`](Self::on_wrap) from the wrap interrupt, and give the
/// scheduler a reference to it. It begins at the microsecond that the counter shows then.
///
/// `now` never goes back, and lies between the time when the call began and the time when it
/// returned. It masks nothing.
///
/// Callable from: main and interrupts of the core that serves the wrap, also with that interrupt
/// masked, as long as it is served within half a turn.
///
/// A turn that is not a whole number of microseconds would make the time drift, so it does not
/// compile:
///
/// ```compile_fail,E0080
/// # use ensue::clock::{Counter, Extended};
/// struct Odd;
///
/// impl Counter for Odd {
///     const HZ: u32 = 12_500_000;
///     const TURN: u64 = 1 << 24; // 1,342,177.28 us: 12_500_000 would do
/// #   fn count(&self) -> u32 { 0 }
/// #   fn has_wrapped(&self) -> bool { false }
/// }
/// static CLOCK: Extended<Odd> = Extended::new(Odd);
/// ```
///
/// Nor does a turn that a 32-bit count cannot hold, or a counter that stands still:
///
/// ```compile_fail,E0080
/// # use ensue::clock::{Counter, Extended};
/// # struct Wide;
/// # impl Counter for Wide {
/// const HZ: u32 = 1_000_000;
/// const TURN: u64 = 1 << 33;
/// #   fn count(&self) -> u32 { 0 }
/// #   fn has_wrapped(&self) -> bool { false }
/// # }
/// # static CLOCK: Extended<Wide> = Extended::new(Wide);
/// ```
///
/// ```compile_fail,E0080
/// # use ensue::clock::{Counter, Extended};
/// # struct Stopped;
/// # impl Counter for Stopped {
/// const HZ: u32 = 0;
/// const TURN: u64 = 1 << 16;
/// #   fn count(&self) -> u32 { 0 }
/// #   fn has_wrapped(&self) -> bool { false }
/// # }
/// # static CLOCK: Extended<Stopped> = Extended::new(Stopped);
/// ```
pub struct Extended<C> {
    counter: C,
    /// Twice the number of turns served, plus one while `on_wrap` is at work. Only compared, so it
    /// may wrap. Its second bit says which of `begins` is valid.
    step: AtomicU32,
    /// The microsecond at which the turn began: the valid copy and the one being written.
    begins: [Micros; 2],
}

impl<C: Counter> Extended<C> {
    const SCALE: Scale = Scale::new(C::HZ, C::TURN);

    /// A clock in its first turn.
    pub const fn new(counter: C) -> Self {
        // Refuses an impossible counter here, where it is made.
        let _ = Self::SCALE;
        Self {
            counter,
            step: AtomicU32::new(0),
            begins: [const { Micros { low: AtomicU32::new(0), high: AtomicU32::new(0) } }; 2],
        }
    }

    /// The counter it was made of.
    pub const fn counter(&self) -> &C {
        &self.counter
    }

    /// Counts a turn and acknowledges the wrap.
    ///
    /// Callable from: the wrap interrupt, once for each wrap. Where other events share the
    /// interrupt, ask [`Counter::has_wrapped`] first.
    pub fn on_wrap(&self) {
        let step = self.step.load(Relaxed);
        // From here on the turn counts as over, whatever the flag says to an interrupt that
        // preempts this one before or after it is taken back.
        self.step.store(step | 1, Relaxed);
        compiler_fence(Ordering::SeqCst);
        self.counter.acknowledge();
        let next = step.wrapping_add(2);
        self.begin(next).store(self.begin(step).load().wrapping_add(Self::SCALE.turn));
        compiler_fence(Ordering::SeqCst);
        self.step.store(next, Relaxed);
    }

    fn begin(&self, step: u32) -> &Micros {
        // One bit cannot be out of the range of two.
        &self.begins[(step >> 1 & 1) as usize]
    }
}

impl<C: Counter> Clock for Extended<C> {
    /// The time now. Cost: two loads of the counter, no division; once more if a wrap comes between.
    fn now(&self) -> Instant {
        loop {
            let step = self.step.load(Relaxed);
            // One core runs the reader and the interrupt: to keep the compiler's hands off is enough.
            compiler_fence(Ordering::SeqCst);
            let begin = self.begin(step).load();
            let count = self.counter.count();
            let pending = self.counter.has_wrapped();
            let again = self.counter.count();
            compiler_fence(Ordering::SeqCst);
            if again < count || self.step.load(Relaxed) != step {
                continue;
            }
            // Beside a large count, a flag that rises early speaks of the turn to come.
            let ahead = step & 1 != 0 || (pending && u64::from(count) < C::TURN / 2);
            let turn = if ahead { Self::SCALE.turn } else { 0 };
            return Instant::from_ticks(begin.wrapping_add(turn + Self::SCALE.micros(count)));
        }
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        self.counter.wait(self, sleep);
    }
}

/// A `u64` in two halves, since these chips load no more at once. Whoever reads it must know that
/// nobody writes it, or find out afterwards.
struct Micros {
    low: AtomicU32,
    high: AtomicU32,
}

impl Micros {
    fn load(&self) -> u64 {
        u64::from(self.high.load(Relaxed)) << 32 | u64::from(self.low.load(Relaxed))
    }

    fn store(&self, micros: u64) {
        self.low.store(micros as u32, Relaxed);
        self.high.store((micros >> 32) as u32, Relaxed);
    }
}

/// From ticks to microseconds by `count * factor >> shift`, which is exact for every count of a turn.
///
/// With 10^6 / HZ = a / b in lowest terms, and `factor` = 2^shift * a / b rounded up by
/// `excess` / b: count * factor / 2^shift = count * a / b + count * excess / (b * 2^shift). The
/// fraction of the first term is at most 1 - 1/b, so the second does no harm as long as it is
/// smaller than 1/b, that is, count * excess < 2^shift. The smallest such shift is at most 64, and
/// the factor has at most 53 bits.
#[derive(Clone, Copy)]
struct Scale {
    factor: u64,
    shift: u32,
    /// Microseconds in a turn.
    turn: u64,
}

impl Scale {
    const fn new(hz: u32, turn: u64) -> Self {
        assert!(hz > 0, "a counter that stands still is no clock: HZ must be positive");
        assert!(turn >= 2 && turn <= 1 << 32, "TURN must be 2 to 2^32");
        let micros = turn as u128 * 1_000_000;
        assert!(
            micros.is_multiple_of(hz as u128),
            "a turn must be a whole number of microseconds: choose another reload value"
        );

        let common = greatest_common_divisor(1_000_000, hz);
        let (a, b) = ((1_000_000 / common) as u128, (hz / common) as u128);
        let mut shift = 0;
        loop {
            let factor = (a << shift).div_ceil(b);
            let excess = factor * b - (a << shift);
            let exact = (turn as u128 - 1) * excess < 1 << shift;
            // `micros` takes a factor of more than one word apart, which needs a word of shift.
            if exact && (factor >> 32 == 0 || shift >= 32) {
                return Self { factor: factor as u64, shift, turn: (micros / hz as u128) as u64 };
            }
            shift += 1;
        }
    }

    /// The whole microseconds in `count` ticks, less than a turn.
    #[inline(always)]
    const fn micros(self, count: u32) -> u64 {
        let (high, low) = (self.factor >> 32, self.factor & 0xFFFF_FFFF);
        let count = count as u64;
        if high == 0 {
            (count * low) >> self.shift
        } else {
            (count * high + ((count * low) >> 32)) >> (self.shift - 32)
        }
    }
}

const fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests;
