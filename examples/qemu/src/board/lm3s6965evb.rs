//! Stellaris LM3S6965: a Cortex-M3.

use crate::uart::Uart;
use crate::vectors::{Handler, enable, vectors};

/// The board's name.
pub const NAME: &str = "lm3s6965evb";

/// After reset the internal oscillator runs the core.
pub(crate) const HZ: u32 = 12_500_000;

// SAFETY: the board's memory map has this UART there.
pub(crate) const UART: Uart = unsafe { Uart::at(0x4000_c000) };

const UART_INTERRUPT: u16 = 5;

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
