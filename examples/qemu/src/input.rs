//! Bytes that were typed: taken from the UART by its interrupt, read by the program when it likes.

use core::cell::{Cell, RefCell};

use critical_section::Mutex;
use heapless::Deque;

use crate::board::{self, UART};

static TYPED: Mutex<RefCell<Deque<u8, 128>>> = Mutex::new(RefCell::new(Deque::new()));
static LOST: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
static WHEN_TYPED: Mutex<Cell<fn()>> = Mutex::new(Cell::new(nothing));

/// Listens to the serial port. `when_typed` is called by the interrupt, after [`read`] has what
/// it brought.
pub(crate) fn start(when_typed: fn()) {
    critical_section::with(|cs| WHEN_TYPED.borrow(cs).set(when_typed));
    board::start();
}

/// The next byte that was typed.
pub fn read() -> Option<u8> {
    critical_section::with(|cs| TYPED.borrow_ref_mut(cs).pop_front())
}

/// How many bytes were dropped because the program did not read them in time.
pub fn lost() -> u32 {
    critical_section::with(|cs| LOST.borrow(cs).get())
}

/// The serial port's interrupt.
pub(crate) extern "C" fn interrupt() {
    while let Some(byte) = UART.receive() {
        critical_section::with(|cs| {
            if TYPED.borrow_ref_mut(cs).push_back(byte).is_err() {
                LOST.borrow(cs).set(LOST.borrow(cs).get().saturating_add(1));
            }
        });
    }
    let when_typed = critical_section::with(|cs| WHEN_TYPED.borrow(cs).get());
    when_typed();
}

fn nothing() {}
