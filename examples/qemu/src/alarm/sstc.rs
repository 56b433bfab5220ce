//! The RISC-V supervisor's own comparison with the time (the extension Sstc). There is no
//! supervisor here, so machine mode takes its interrupt.

use core::arch::asm;

use riscv::interrupt::Interrupt;
use riscv::register::{mie, time};
use riscv_rt::core_interrupt;

/// The supervisor's timer.
pub(crate) struct Alarm;

impl Alarm {
    pub(crate) fn set(&self, ticks: u32) {
        // SAFETY: bit 63 of `menvcfg` lets the comparison be used; the handler is below.
        unsafe {
            asm!("csrs 0x31a, {bit}", bit = in(reg) 1 << 31, options(nomem, nostack));
            mie::set_stimer();
        }
        compare_with(time::read64().saturating_add(u64::from(ticks)));
    }

    pub(crate) fn stop(&self) {
        compare_with(u64::MAX);
    }
}

/// The upper half is at its largest in between, so that no moment is earlier than both times.
fn compare_with(ticks: u64) {
    // SAFETY: the registers `stimecmp` and `stimecmph`, whose only effect is the interrupt.
    unsafe {
        asm!(
            "csrw 0x15d, {never}",
            "csrw 0x14d, {low}",
            "csrw 0x15d, {high}",
            never = in(reg) u32::MAX,
            low = in(reg) ticks as u32,
            high = in(reg) (ticks >> 32) as u32,
            options(nomem, nostack),
        );
    }
}

#[core_interrupt(Interrupt::SupervisorTimer)]
fn supervisor_timer() {
    super::interrupt();
}
