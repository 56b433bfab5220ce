//! What every Cortex-M has: SysTick, interrupts with priorities, and QEMU's way out of it.

pub use cortex_m_rt::entry;

use crate::board::{HZ, SOFTWARE_INTERRUPTS};
use crate::software::Level;
use crate::systick::SysTick;
use crate::vectors;

/// The clock.
pub type Timer = SysTick<HZ>;

/// The longest sleep, in microseconds; a later deadline takes several.
pub const LONGEST_SLEEP: u64 = Timer::LONGEST_SLEEP;

pub(crate) fn start() -> Timer {
    let mut core = cortex_m::Peripherals::take().expect("`start` is called once");
    for (number, priority) in SOFTWARE_INTERRUPTS.into_iter().zip([0x80, 0x40]) {
        vectors::prioritise(&mut core.NVIC, number, priority);
        vectors::enable(number);
    }
    Timer::start(core.SYST)
}

pub(crate) fn raise(level: Level) {
    vectors::raise(SOFTWARE_INTERRUPTS[level as usize]);
}

/// Everything below is free for the taking.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    cortex_m::register::msp::read() as usize
}

/// Ends the program; the emulator ends with this exit code.
pub fn exit(code: u8) -> ! {
    const EXIT_EXTENDED: usize = 0x20;
    const APPLICATION_EXIT: u32 = 0x2_0026;
    let how = [APPLICATION_EXIT, code.into()];
    // SAFETY: the semihosting call of that number reads two words, and does not return.
    unsafe { cortex_m::asm::semihosting_syscall(EXIT_EXTENDED as u32, &raw const how as u32) };
    loop {
        cortex_m::asm::wfi();
    }
}
