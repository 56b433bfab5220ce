//! The RISC-V machine timer as a clock that sleeps: a 64-bit counter and one comparison.
//!
//! The counter never wraps and the alarm reaches as far, so any deadline is one sleep.
//!
//! To copy this file, and `ticks.rs` and `register.rs` with it: set the addresses, and [`TICKS`] to
//! the counter's speed.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use ensue::{Clock, Instant, Sleep};
use riscv::interrupt::Interrupt;
use riscv::register::mie;
use riscv_rt::core_interrupt;

use crate::register::Register;
use crate::ticks::micros;

/// Ticks of the counter in a microsecond.
const TICKS: u64 = 10;

/// Lower halves; the upper ones lie four bytes behind.
const COUNTER: usize = 0x0200_bff8;
const ALARM: usize = 0x0200_4000;

/// The longest sleep, in microseconds: all of them.
pub const LONGEST_SLEEP: u64 = u64::MAX / TICKS;

static WAKE_UPS: AtomicU32 = AtomicU32::new(0);

/// The clock. Having one tells that the alarm's interrupt is on.
#[derive(Debug)]
pub struct MachineTimer {
    _runs: (),
}

impl MachineTimer {
    /// Switches the alarm on, set to never.
    pub fn start() -> Self {
        set_alarm(u64::MAX);
        // SAFETY: the handler is below, and touches nothing but the alarm.
        unsafe { mie::set_mtimer() };
        Self { _runs: () }
    }

    /// How often a sleep has ended, whatever ended it.
    pub fn wake_ups(&self) -> u32 {
        WAKE_UPS.load(Relaxed)
    }
}

impl Clock for MachineTimer {
    /// Callable from: main, interrupt. Cost: two loads and one more, four multiplications.
    fn now(&self) -> Instant {
        Instant::from_ticks(micros::<TICKS>(counter()))
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        riscv::interrupt::free(|| {
            let alarm =
                sleep.until().map_or(u64::MAX, |until| until.as_ticks().saturating_mul(TICKS));
            set_alarm(alarm);
            // An alarm that is already past is pending at once, and so is any interrupt that came
            // since interrupts were masked: neither is slept through, for a pending interrupt ends
            // `wfi`. What came before has set what `is_over` reads.
            if counter() < alarm && !sleep.is_over() {
                riscv::asm::wfi();
                WAKE_UPS.store(WAKE_UPS.load(Relaxed).wrapping_add(1), Relaxed);
            }
        });
    }
}

/// The alarm has gone off. It would go on ringing: the comparison stays true.
#[core_interrupt(Interrupt::MachineTimer)]
fn alarm() {
    set_alarm(u64::MAX);
}

/// The counter, whose halves are read one after the other: twice the same upper half frames a
/// lower half that belongs to it.
fn counter() -> u64 {
    loop {
        let upper = register(COUNTER + 4).read();
        let lower = register(COUNTER).read();
        if register(COUNTER + 4).read() == upper {
            return u64::from(upper) << 32 | u64::from(lower);
        }
    }
}

/// Sets the alarm by halves, in an order that never lets it be earlier than both the old and the
/// new time.
fn set_alarm(ticks: u64) {
    register(ALARM + 4).write(u32::MAX);
    register(ALARM).write(ticks as u32);
    register(ALARM + 4).write((ticks >> 32) as u32);
}

fn register(address: usize) -> Register<u32> {
    // SAFETY: every caller names half of the timer's counter or alarm.
    unsafe { Register::at(address) }
}
