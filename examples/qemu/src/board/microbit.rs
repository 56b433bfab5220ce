//! The first BBC micro:bit, nRF51822: a Cortex-M0.

use crate::alarm::Alarm;
use crate::uart::Uart;
use crate::vectors::{Handler, enable, vectors};
use crate::{alarm, input, software};

/// The board's name.
pub const NAME: &str = "microbit";

/// The 16 MHz crystal.
pub(crate) const HZ: u32 = 16_000_000;

// SAFETY: the board's memory map has this UART there.
pub(crate) const UART: Uart = unsafe { Uart::at(0x4000_2000) };

// SAFETY: the board's memory map has this timer there.
pub(crate) const ALARM: Alarm = unsafe { Alarm::at(0x4000_8000) };

/// Ticks of the alarm in a second.
pub const ALARM_HZ: u32 = HZ;

const UART_INTERRUPT: u16 = 2;
const ALARM_INTERRUPT: u16 = 8;

/// Interrupts of devices that are not used here, to be raised by the program: low, high.
pub(crate) const SOFTWARE_INTERRUPTS: [u16; 2] = [20, 21];

#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [Handler; 32] = vectors(&[
    (UART_INTERRUPT, input::interrupt),
    (ALARM_INTERRUPT, alarm::interrupt),
    (SOFTWARE_INTERRUPTS[0], software::low),
    (SOFTWARE_INTERRUPTS[1], software::high),
]);

pub(crate) fn start() {
    UART.start();
    enable(UART_INTERRUPT);
    enable(ALARM_INTERRUPT);
}
