//! Interrupts that the program raises itself, at two priorities: what a test needs to have one
//! come at a chosen moment, and to have one come while another runs.

use core::cell::Cell;

use critical_section::Mutex;

use crate::chip;

/// How urgent an interrupt is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// Interrupts the program.
    Low,
    /// Interrupts the program, and the other one.
    High,
}

static LOW: Mutex<Cell<fn()>> = Mutex::new(Cell::new(nothing));
static HIGH: Mutex<Cell<fn()>> = Mutex::new(Cell::new(nothing));

/// Says what an interrupt does.
pub fn on_interrupt(level: Level, handler: fn()) {
    critical_section::with(|cs| match level {
        Level::Low => LOW.borrow(cs).set(handler),
        Level::High => HIGH.borrow(cs).set(handler),
    });
}

/// Makes an interrupt happen: before this returns, unless something holds it back.
///
/// Callable from: main, interrupt, with interrupts masked.
pub fn interrupt(level: Level) {
    chip::raise(level);
}

pub(crate) extern "C" fn low() {
    critical_section::with(|cs| LOW.borrow(cs).get())();
}

pub(crate) extern "C" fn high() {
    critical_section::with(|cs| HIGH.borrow(cs).get())();
}

fn nothing() {}
