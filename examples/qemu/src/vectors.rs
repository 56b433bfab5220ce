//! The interrupt table of a Cortex-M chip, of which a program uses two or three places.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

/// What the hardware calls.
pub(crate) type Handler = unsafe extern "C" fn();

unsafe extern "C" {
    /// cortex-m-rt's: it stops the program where a debugger finds it.
    fn DefaultHandler();
}

/// A table of `N` interrupts with the given handlers at the given numbers.
pub(crate) const fn vectors<const N: usize>(used: &[(u16, Handler)]) -> [Handler; N] {
    let mut table = [DefaultHandler as Handler; N];
    let mut next = 0;
    while next < used.len() {
        let (number, handler) = used[next];
        table[number as usize] = handler;
        next += 1;
    }
    table
}

/// Lets interrupt `number` through.
pub(crate) fn enable(number: u16) {
    // SAFETY: the handlers of this crate share their data through critical sections only.
    unsafe { NVIC::unmask(Number(number)) }
}

/// Gives interrupt `number` a priority: the smaller, the more urgent. A Cortex-M0 has the upper
/// two bits of it.
pub(crate) fn prioritise(nvic: &mut NVIC, number: u16, priority: u8) {
    // SAFETY: a critical section masks all interrupts, whatever their priority.
    unsafe { nvic.set_priority(Number(number), priority) }
}

/// Makes interrupt `number` happen, if it is let through, before this returns.
pub(crate) fn raise(number: u16) {
    NVIC::pend(Number(number));
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
}

#[derive(Clone, Copy)]
struct Number(u16);

// SAFETY: a number is the number it says.
unsafe impl InterruptNumber for Number {
    fn number(self) -> u16 {
        self.0
    }
}
