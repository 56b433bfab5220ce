//! Arm's MPS2 board with image AN386: a Cortex-M4F.

use crate::uart::Uart;
use crate::vectors::{Handler, enable, vectors};

/// The board's name.
pub const NAME: &str = "mps2-an386";

/// The board's system clock.
pub(crate) const HZ: u32 = 25_000_000;

// SAFETY: the board's memory map has this UART there.
pub(crate) const UART: Uart = unsafe { Uart::at(0x4000_4000) };

const UART_INTERRUPT: u16 = 0;

#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [Handler; 64] = vectors(&[(UART_INTERRUPT as usize, uart)]);

pub(crate) fn start() {
    UART.start();
    enable(UART_INTERRUPT);
}

extern "C" fn uart() {
    crate::input::take_all();
}
