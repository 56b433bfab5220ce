//! What QEMU's RISC-V board has: the machine timer, software interrupts for two modes of the core,
//! and a device that ends the program.
//!
//! The core has no priorities that let one interrupt come while another runs. The supervisor's
//! software interrupt, which this program does not give away, is made the less urgent one: it lets
//! the others through while it runs.

use core::arch::asm;

pub use riscv_rt::entry;

use riscv::interrupt::{Interrupt, nested};
use riscv::register::{mie, mip};
use riscv_rt::core_interrupt;

use crate::register::Register;
use crate::software::{self, Level};

pub use crate::machine_timer::{LONGEST_SLEEP, MachineTimer as Timer};

pub(crate) fn start() -> Timer {
    // SAFETY: the handlers are below.
    unsafe {
        mie::set_msoft();
        mie::set_ssoft();
    }
    Timer::start()
}

pub(crate) fn raise(level: Level) {
    match level {
        // SAFETY: its handler is below.
        Level::Low => unsafe { mip::set_ssoft() },
        Level::High => machine_software().write(1),
    }
}

#[core_interrupt(Interrupt::MachineSoft)]
fn high() {
    machine_software().write(0);
    software::high();
}

#[core_interrupt(Interrupt::SupervisorSoft)]
fn low() {
    // SAFETY: the pending bit is this handler's own. While it lets other interrupts through it
    // keeps itself out, so they nest once at most.
    unsafe {
        mip::clear_ssoft();
        mie::clear_ssoft();
        nested(|| software::low());
        mie::set_ssoft();
    }
}

fn machine_software() -> Register<u32> {
    // SAFETY: the board's memory map has core 0's software interrupt there.
    unsafe { Register::at(0x0200_0000) }
}

/// Everything below is free for the taking.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: it reads a register.
    unsafe { asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// Ends the program; the emulator ends with this exit code.
pub fn exit(code: u8) -> ! {
    const FINISHER: usize = 0x0010_0000;
    const FAIL: u32 = 0x3333;
    const PASS: u32 = 0x5555;
    // SAFETY: the board's memory map has the test finisher there.
    let finisher = unsafe { Register::at(FINISHER) };
    finisher.write(if code == 0 { PASS } else { u32::from(code) << 16 | FAIL });
    loop {
        riscv::asm::wfi();
    }
}
