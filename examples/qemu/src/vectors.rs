//! The interrupt table of a Cortex-M chip, of which a program uses two or three places.

/// What the hardware calls.
pub(crate) type Handler = unsafe extern "C" fn();

unsafe extern "C" {
    /// cortex-m-rt's: it stops the program where a debugger finds it.
    fn DefaultHandler();
}

/// A table of `N` interrupts with the given handlers at the given numbers.
pub(crate) const fn vectors<const N: usize>(used: &[(usize, Handler)]) -> [Handler; N] {
    let mut table = [DefaultHandler as Handler; N];
    let mut next = 0;
    while next < used.len() {
        let (number, handler) = used[next];
        table[number] = handler;
        next += 1;
    }
    table
}

/// Lets interrupt `number` through.
pub(crate) fn enable(number: u16) {
    // SAFETY: the handlers of this crate share their data through critical sections only.
    unsafe { cortex_m::peripheral::NVIC::unmask(Number(number)) }
}

#[derive(Clone, Copy)]
struct Number(u16);

// SAFETY: a number is the number it says.
unsafe impl cortex_m::interrupt::InterruptNumber for Number {
    fn number(self) -> u16 {
        self.0
    }
}
