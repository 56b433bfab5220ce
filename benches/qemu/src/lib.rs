//! Counting instructions in QEMU, and the time that all rivals share.
//!
//! QEMU runs with `-icount shift=6`: an instruction takes 64 ns of virtual time, and SysTick, which
//! runs at 25 MHz, counts 1.6 for each. So the counts are exact and the same in every run. They
//! are instructions, not cycles: no wait states, no pipeline.
#![no_std]

use core::{
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use cortex_m::peripheral::{SYST, syst::SystClkSource};

pub mod leds;
pub mod rivals;

/// Counts instructions with SysTick.
#[derive(Clone, Copy)]
pub struct Counter {
    empty: u32,
}

impl Counter {
    /// Starts SysTick and finds out what an empty measurement takes.
    pub fn new(mut syst: SYST) -> Self {
        syst.set_clock_source(SystClkSource::Core);
        syst.set_reload(0x00ff_ffff);
        syst.clear_current();
        syst.enable_counter();
        while SYST::get_current() == 0 {}
        let empty = ticks(|| ());
        Self { empty }
    }

    /// How many SysTick ticks `f` takes: 1.6 for each instruction, ten million at most.
    pub fn ticks(&self, f: impl FnOnce()) -> u64 {
        u64::from(ticks(f).saturating_sub(self.empty))
    }

    /// How many ticks pass in `f` until it calls [`mark`](Self::mark).
    pub fn ticks_until(&self, f: impl FnOnce()) -> u64 {
        let before = SYST::get_current();
        f();
        let passed = before.wrapping_sub(MARK.load(Relaxed)) & 0x00ff_ffff;
        u64::from(passed.saturating_sub(self.empty))
    }

    /// Writes down when it is called.
    #[inline]
    pub fn mark() {
        MARK.store(SYST::get_current(), Relaxed);
    }

    /// How many instructions `f` takes.
    pub fn instructions(&self, f: impl FnOnce()) -> u64 {
        instructions(self.ticks(f))
    }
}

static MARK: AtomicU32 = AtomicU32::new(0);

/// Ticks as instructions, rounded.
pub fn instructions(ticks: u64) -> u64 {
    (ticks * 5 + 4) / 8
}

#[inline(never)]
fn ticks(f: impl FnOnce()) -> u32 {
    let before = SYST::get_current();
    f();
    let after = SYST::get_current();
    before.wrapping_sub(after) & 0x00ff_ffff
}

/// A loop whose length is known: two instructions a turn.
#[inline(never)]
pub fn known_loop(turns: u32) {
    // SAFETY: counts a register down to zero; touches nothing else.
    unsafe {
        core::arch::asm!("2: subs {0}, #1", "bne 2b", inout(reg) black_box(turns) => _);
    }
}

/// The time that all rivals read: a number that the benchmark sets.
pub static NOW: Now = Now::at(0);

/// The same, as ensue asks for it.
pub struct Set;

impl ensue::Clock for Set {
    #[inline]
    fn now(&self) -> ensue::Instant {
        ensue::Instant::from_ticks(NOW.get())
    }
}

ensue::events! { pub enum Signal { A, B, C, D, E, F, G, H } }

/// Two plain words; nothing here runs in an interrupt.
pub struct Now {
    low: AtomicU32,
    high: AtomicU32,
}

impl Now {
    pub const fn at(now: u64) -> Self {
        Self { low: AtomicU32::new(now as u32), high: AtomicU32::new((now >> 32) as u32) }
    }

    #[inline]
    pub fn get(&self) -> u64 {
        u64::from(self.high.load(Relaxed)) << 32 | u64::from(self.low.load(Relaxed))
    }

    #[inline]
    pub fn set(&self, now: u64) {
        self.low.store(now as u32, Relaxed);
        self.high.store((now >> 32) as u32, Relaxed);
    }
}

/// What every job does, whoever calls it: counts, and folds the time into a checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    pub runs: u32,
    pub sum: u32,
}

impl Tally {
    #[inline]
    pub fn note(&mut self) {
        self.runs = self.runs.wrapping_add(1);
        self.sum = self.sum.rotate_left(5) ^ NOW.get() as u32;
    }
}

/// The period of the task with this number: odd, and no two are equal.
pub const fn period(task: usize) -> u32 {
    1_001 + 74 * task as u32
}

/// When it is first due.
pub const fn phase(task: usize) -> u32 {
    1_000 + 137 * task as u32
}

/// How often arming and cancelling is counted.
pub const ROUNDS: u32 = 500;

/// The delays that are armed and cancelled, in no order.
pub fn delays() -> impl Iterator<Item = u32> {
    (0..ROUNDS).map(|round| 10_000 + round.wrapping_mul(7_919) % 100_000)
}

/// The delays of the others, in no order either.
pub fn others(number: usize) -> impl Iterator<Item = u32> {
    (1..=number as u32).map(|number| 10_000 + number.wrapping_mul(48_271) % 100_000)
}
