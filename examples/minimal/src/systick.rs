//! SysTick as a clock that sleeps: one 24-bit counter is both the time and the alarm.
//!
//! The counter runs down to zero, raises its interrupt and begins again: one *lap*. The time is
//! when the lap began plus what has run off it. Going to sleep cuts the running lap short and
//! begins one that ends at the deadline; its end makes the laps long again.
//!
//! Cutting is where such clocks lose time. Here what ran off the cut lap is taken over to the
//! tick: the counter is read and restarted by neighbouring instructions, [`RESTART`] is the time
//! between them, and ticks that do not fill a microsecond are carried along.
//!
//! The reach of 24 bits is the longest sleep; a deadline beyond it is slept in hops. Interrupts
//! must never be masked for as long as a lap, or one goes uncounted: [`SysTick::SHORTEST_SLEEP`]
//! gives them that long.
//!
//! To copy this file: there is nothing to set in it. `SysTick::<12_500_000>::start` says how fast the
//! core runs. It needs cortex-m, cortex-m-rt and critical-section, with critical sections that mask
//! interrupts: cortex-m's feature `critical-section-single-core`.

use core::arch::asm;
use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cortex_m::interrupt;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::exception;
use critical_section::Mutex;
use ensue::{Clock, Instant, Sleep, time};

/// The longest lap, in ticks.
const REACH: u32 = 1 << 24;

/// What passes between reading the counter and its restart, in ticks.
const RESTART: u32 = 3;

static LAP: Mutex<Cell<Lap>> = Mutex::new(Cell::new(Lap { began: 0, carry: 0, length: REACH }));
/// What the interrupt does: how long a lap is in microseconds, only the clock knows.
static LAP_ENDED: Mutex<Cell<fn()>> = Mutex::new(Cell::new(|| ()));
static WAKE_UPS: AtomicU32 = AtomicU32::new(0);

/// The clock of a core that runs at `HZ`. Having one tells that SysTick runs.
#[derive(Debug)]
pub struct SysTick<const HZ: u32> {
    _runs: (),
}

impl<const HZ: u32> SysTick<HZ> {
    /// The longest sleep, in microseconds; a later deadline takes several.
    pub const LONGEST_SLEEP: u64 = (REACH / Self::TICKS * Self::MICROS) as u64;

    /// The shortest sleep, in microseconds; an earlier deadline is not slept for.
    pub const SHORTEST_SLEEP: u64 = 50;

    /// `TICKS` ticks are `MICROS` microseconds, in lowest terms.
    const TICKS: u32 = HZ / gcd(HZ, 1_000_000);
    const MICROS: u32 = {
        let micros = 1_000_000 / gcd(HZ, 1_000_000);
        assert!(
            2 * REACH as u64 * micros as u64 + Self::TICKS as u64 <= u32::MAX as u64,
            "choose an HZ that has a larger common divisor with a million: two laps must fit 32 bits"
        );
        micros
    };

    /// Starts the counter.
    pub fn start(mut syst: SYST) -> Self {
        critical_section::with(|cs| LAP_ENDED.borrow(cs).set(|| change_lap(Lap::ended::<HZ>)));
        syst.set_clock_source(SystClkSource::Core);
        syst.set_reload(REACH - 1);
        syst.clear_current();
        syst.enable_interrupt();
        syst.enable_counter();
        Self { _runs: () }
    }

    /// How often a sleep has ended, whatever ended it.
    pub fn wake_ups(&self) -> u32 {
        WAKE_UPS.load(Relaxed)
    }
}

impl<const HZ: u32> Clock for SysTick<HZ> {
    /// Callable from: main, interrupt.
    fn now(&self) -> Instant {
        change_lap(Lap::now::<HZ>)
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        interrupt::free(|_| {
            let ahead = match sleep.until() {
                Some(until) => time::since(until, self.now()).as_ticks().min(Self::LONGEST_SLEEP),
                None => Self::LONGEST_SLEEP,
            };
            if ahead < Self::SHORTEST_SLEEP || sleep.is_over() {
                return;
            }
            let ticks = (ahead as u32 * Self::TICKS).div_ceil(Self::MICROS);
            change_lap(|lap| lap.cut_short::<HZ>(ticks));
            // From the test above to here interrupts were masked. One that came in between is
            // pending, and a pending interrupt ends `wfi`; its handler runs when the mask goes.
            cortex_m::asm::wfi();
            WAKE_UPS.store(WAKE_UPS.load(Relaxed).wrapping_add(1), Relaxed);
        });
    }
}

/// The end of a lap. Counting it here means that no lap is missed while a job runs for long.
#[exception]
fn SysTick() {
    critical_section::with(|cs| LAP_ENDED.borrow(cs).get())();
}

/// One way of the counter to zero.
#[derive(Clone, Copy)]
struct Lap {
    /// When it began, in microseconds.
    began: u64,
    /// What `began` leaves out: ticks times `MICROS`, in the range `0..TICKS`.
    carry: u32,
    /// In ticks, at most `REACH`; always one more than what the counter reloads.
    length: u32,
}

impl Lap {
    fn now<const HZ: u32>(&mut self) -> Instant {
        let left = self.left::<HZ>();
        let mut now = *self;
        now.advance::<HZ>(self.length - left);
        Instant::from_ticks(now.began)
    }

    /// What is left of the running lap, in ticks, in the range `1..length`.
    fn left<const HZ: u32>(&mut self) -> u32 {
        loop {
            let left = SYST::get_current();
            if has_ended() {
                // Which lap `left` was read from is not known: count the lap, and read again.
                self.advance::<HZ>(self.length);
            } else if left != 0 {
                return left;
            }
            // Zero lasts for one tick, between two laps.
        }
    }

    /// The counter has come to zero, and laps are long from here on.
    fn ended<const HZ: u32>(&mut self) {
        self.left::<HZ>();
        if self.length < REACH {
            self.cut_short::<HZ>(REACH);
        }
    }

    /// Ends the running lap now and begins one of this length, in ticks, at most `REACH`.
    fn cut_short<const HZ: u32>(&mut self, length: u32) {
        let before = self.left::<HZ>();

        let left = restart(length - 1);
        // More left than before: it was another lap already.
        let ended = if left > before { self.length } else { 0 };
        self.advance::<HZ>(ended + (self.length - left) + RESTART);
        self.length = length;
        SCB::clear_pendst();
    }

    fn advance<const HZ: u32>(&mut self, ticks: u32) {
        let micros = ticks * SysTick::<HZ>::MICROS + self.carry;
        self.began += u64::from(micros / SysTick::<HZ>::TICKS);
        self.carry = micros % SysTick::<HZ>::TICKS;
    }
}

fn change_lap<R>(change: impl FnOnce(&mut Lap) -> R) -> R {
    critical_section::with(|cs| {
        let mut lap = LAP.borrow(cs).get();
        let result = change(&mut lap);
        LAP.borrow(cs).set(lap);
        result
    })
}

/// Whether a lap has ended since the last call or restart: the hardware tells it once.
fn has_ended() -> bool {
    const COUNTED_TO_ZERO: u32 = 1 << 16;
    // SAFETY: a read of SysTick's control register, whose only effect is on the flag read here;
    // `SysTick::start` took the peripheral, so this file alone uses it.
    unsafe { (*SYST::PTR).csr.read() & COUNTED_TO_ZERO != 0 }
}

/// Ends the running lap, without its interrupt and without its flag, and returns what was left of
/// it. The laps from here on begin with `value`.
fn restart(value: u32) -> u32 {
    let left;
    // Three instructions which the compiler may not push apart: the time from the first to the
    // last is `RESTART`. SAFETY: as for `has_ended`; every caller is inside `change_lap`, thus alone.
    unsafe {
        asm!(
            "ldr {left}, [{syst}, #8]",
            "str {value}, [{syst}, #4]",
            "str {zero}, [{syst}, #8]",
            syst = in(reg) SYST::PTR,
            value = in(reg) value,
            zero = in(reg) 0,
            left = out(reg) left,
            options(nostack, preserves_flags),
        )
    }
    left
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
