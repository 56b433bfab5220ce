//! QEMU's RISC-V board: one core, a platform interrupt controller and a 16550.

use riscv::interrupt::Interrupt;
use riscv_rt::core_interrupt;

use crate::alarm::Alarm;
use crate::register::Register;
use crate::uart::Uart;

/// The board's name.
pub const NAME: &str = "virt";

// SAFETY: the board's memory map has this UART there.
pub(crate) const UART: Uart = unsafe { Uart::at(0x1000_0000) };

pub(crate) const ALARM: Alarm = Alarm;

/// Ticks of the alarm in a second.
pub const ALARM_HZ: u32 = 10_000_000;

const UART_INTERRUPT: usize = 10;

/// The platform interrupt controller, seen from core 0 in machine mode.
const PRIORITIES: usize = 0x0c00_0000;
const ENABLES: usize = 0x0c00_2000;
const CLAIM: usize = 0x0c20_0004;

pub(crate) fn start() {
    UART.start();
    plic(PRIORITIES + 4 * UART_INTERRUPT).write(1);
    plic(ENABLES).write(1 << UART_INTERRUPT);
    // SAFETY: the handlers of this crate share their data through critical sections only.
    unsafe {
        riscv::register::mie::set_mext();
        riscv::interrupt::enable();
    }
}

/// Everything that comes through the platform interrupt controller: here, only the UART.
#[core_interrupt(Interrupt::MachineExternal)]
fn external() {
    let claimed = plic(CLAIM).read();
    crate::input::interrupt();
    plic(CLAIM).write(claimed);
}

fn plic(address: usize) -> Register<u32> {
    // SAFETY: every caller names a register of the controller.
    unsafe { Register::at(address) }
}
