//! An interrupt at a chosen moment, from a timer that is not the clock: what a test needs to have
//! one come at each instruction in turn.

use core::cell::Cell;

use critical_section::Mutex;

use crate::board::ALARM;

#[cfg_attr(any(board = "mps2-an386", board = "mps2-an505"), path = "alarm/cmsdk.rs")]
#[cfg_attr(board = "lm3s6965evb", path = "alarm/gptm.rs")]
#[cfg_attr(board = "microbit", path = "alarm/nrf51.rs")]
#[cfg_attr(board = "virt", path = "alarm/sstc.rs")]
mod timer;

pub(crate) use timer::Alarm;

static HANDLER: Mutex<Cell<fn()>> = Mutex::new(Cell::new(|| ()));

/// Says what the alarm's interrupt does. It is the most urgent one, except on RISC-V.
pub fn on_alarm(handler: fn()) {
    critical_section::with(|cs| HANDLER.borrow(cs).set(handler));
}

/// Has the alarm's interrupt come once, in so many ticks of [`ALARM_HZ`](crate::ALARM_HZ), at
/// least one. An alarm that was set before is forgotten.
///
/// Callable from: main, interrupt.
pub fn set_alarm(ticks: u32) {
    ALARM.set(ticks.max(1));
}

pub(crate) extern "C" fn interrupt() {
    ALARM.stop();
    critical_section::with(|cs| HANDLER.borrow(cs).get())();
}
