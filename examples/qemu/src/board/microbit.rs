//! The first BBC micro:bit, nRF51822: a Cortex-M0.

use crate::uart::Uart;
use crate::vectors::{Handler, enable, vectors};

/// The board's name.
pub const NAME: &str = "microbit";

/// The 16 MHz crystal.
pub(crate) const HZ: u32 = 16_000_000;

// SAFETY: the board's memory map has this UART there.
pub(crate) const UART: Uart = unsafe { Uart::at(0x4000_2000) };

const UART_INTERRUPT: u16 = 2;

#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [Handler; 32] = vectors(&[(UART_INTERRUPT as usize, uart)]);

pub(crate) fn start() {
    UART.start();
    enable(UART_INTERRUPT);
}

extern "C" fn uart() {
    crate::input::take_all();
}
