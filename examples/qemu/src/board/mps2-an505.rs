//! Arm's MPS2 board with image AN505: a Cortex-M33, in the secure state.

use crate::alarm::Alarm;
use crate::uart::Uart;
use crate::vectors::{Handler, enable, vectors};
use crate::{alarm, input, software};

/// The board's name.
pub const NAME: &str = "mps2-an505";

/// The board's system clock.
pub(crate) const HZ: u32 = 20_000_000;

// SAFETY: the board's memory map has this UART there.
pub(crate) const UART: Uart = unsafe { Uart::at(0x5020_0000) };

// SAFETY: the board's memory map has this timer there.
pub(crate) const ALARM: Alarm = unsafe { Alarm::at(0x5000_0000) };

/// Ticks of the alarm in a second.
pub const ALARM_HZ: u32 = HZ;

const UART_INTERRUPT: u16 = 32;
const ALARM_INTERRUPT: u16 = 3;

/// Interrupts of devices that are not used here, to be raised by the program: low, high.
pub(crate) const SOFTWARE_INTERRUPTS: [u16; 2] = [100, 101];

#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [Handler; 128] = vectors(&[
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
