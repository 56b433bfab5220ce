//! Stellaris LM3S6965: a Cortex-M3.

use crate::alarm::Alarm;
use crate::uart::Uart;
use crate::vectors::{Handler, enable, vectors};
use crate::{alarm, input, software};

/// The board's name.
pub const NAME: &str = "lm3s6965evb";

/// After reset the internal oscillator runs the core.
pub(crate) const HZ: u32 = 12_500_000;

// SAFETY: the board's memory map has this UART there.
pub(crate) const UART: Uart = unsafe { Uart::at(0x4000_c000) };

// SAFETY: the board's memory map has this timer there.
pub(crate) const ALARM: Alarm = unsafe { Alarm::at(0x4003_0000) };

/// Ticks of the alarm in a second.
pub const ALARM_HZ: u32 = HZ;

const UART_INTERRUPT: u16 = 5;
const ALARM_INTERRUPT: u16 = 19;

/// Interrupts of devices that are not used here, to be raised by the program: low, high.
pub(crate) const SOFTWARE_INTERRUPTS: [u16; 2] = [40, 41];

#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [Handler; 64] = vectors(&[
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
