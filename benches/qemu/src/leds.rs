//! What both three-LED programs have: a millisecond tick, a port, and a table of interrupts.
//!
//! The programs toggle three pins of a port, every 100, 250 and 1,000 ms, and sleep in between.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cortex_m::peripheral::{SYST, syst::SystClkSource};

/// SysTick's frequency on this board.
const HERTZ: u32 = 25_000_000;

pub const PERIODS_MS: [u32; 3] = [100, 250, 1_000];

static TICKS: AtomicU32 = AtomicU32::new(0);

/// Starts the millisecond tick.
pub fn start_ticking(mut syst: SYST) {
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(HERTZ / 1_000 - 1);
    syst.clear_current();
    syst.enable_counter();
    syst.enable_interrupt();
}

/// To be called by the interrupt.
pub fn tick() {
    TICKS.store(TICKS.load(Relaxed).wrapping_add(1), Relaxed);
}

/// Milliseconds since the start.
pub fn millis() -> u32 {
    TICKS.load(Relaxed)
}

/// The output register of the board's first GPIO port.
const PORT: *mut u32 = 0x4001_0004 as *mut u32;

pub fn write_port(pins: u32) {
    // SAFETY: a register of the board that nothing else uses.
    unsafe { PORT.write_volatile(pins) };
}

/// The board has 32 interrupts; none is used.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [usize; 32] = [0; 32];
