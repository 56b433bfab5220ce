//! What a program needs of a board: a clock that sleeps, a serial port whose input comes by
//! interrupt, interrupts to try things with, and an end with an exit code.
//!
//! A program calls [`start`] once and has the rest. The same names exist for every board; which
//! board it is, the target decides (`build.rs`), and each differs by a line below:
//!
//! | board | core | clock | serial port | alarm |
//! |---|---|---|---|---|
//! | microbit | Cortex-M0 | `systick` | `uart/nrf51` | `alarm/nrf51` |
//! | lm3s6965evb | Cortex-M3 | `systick` | `uart/pl011` | `alarm/gptm` |
//! | mps2-an386 | Cortex-M4F | `systick` | `uart/cmsdk` | `alarm/cmsdk` |
//! | mps2-an505 | Cortex-M33 | `systick` | `uart/cmsdk` | `alarm/cmsdk` |
//! | virt | RV32IMC, RV32IMAC | `machine_timer` | `uart/ns16550` | `alarm/sstc` |
//!
//! The files of the clocks are meant to be copied into a program of your own. SysTick's lies in
//! `examples/minimal`, a whole firmware to copy as a folder and begin with.

#![no_std]

#[cfg(board = "lm3s6965evb")]
#[path = "board/lm3s6965evb.rs"]
mod board;
#[cfg(board = "microbit")]
#[path = "board/microbit.rs"]
mod board;
#[cfg(board = "mps2-an386")]
#[path = "board/mps2-an386.rs"]
mod board;
#[cfg(board = "mps2-an505")]
#[path = "board/mps2-an505.rs"]
mod board;
#[cfg(board = "virt")]
#[path = "board/virt.rs"]
mod board;

#[cfg(any(board = "mps2-an386", board = "mps2-an505"))]
#[path = "uart/cmsdk.rs"]
mod uart;
#[cfg(board = "microbit")]
#[path = "uart/nrf51.rs"]
mod uart;
#[cfg(board = "virt")]
#[path = "uart/ns16550.rs"]
mod uart;
#[cfg(board = "lm3s6965evb")]
#[path = "uart/pl011.rs"]
mod uart;

#[cfg(target_arch = "arm")]
#[path = "chip/cortex_m.rs"]
mod chip;
#[cfg(target_arch = "riscv32")]
#[path = "chip/riscv.rs"]
mod chip;

#[cfg(target_arch = "riscv32")]
mod machine_timer;
#[cfg(target_arch = "arm")]
#[path = "../../minimal/src/systick.rs"]
mod systick;
#[cfg(target_arch = "riscv32")]
mod ticks;
#[cfg(target_arch = "arm")]
mod vectors;

mod alarm;
mod console;
mod input;
mod register;
mod software;
mod stack;

pub use alarm::{on_alarm, set_alarm};
pub use board::{ALARM_HZ, NAME};
pub use chip::{LONGEST_SLEEP, Timer, entry, exit};
pub use console::Console;
pub use input::{lost, read};
pub use software::{Level, interrupt, on_interrupt};
pub use stack::Stack;

/// Starts the clock and the serial port. Call it once, first.
///
/// `when_typed` is called from the serial port's interrupt when [`read`] has something new: there
/// a program triggers an event, or sets what ends its sleep.
pub fn start(when_typed: fn()) -> Timer {
    let timer = chip::start();
    input::start(when_typed);
    timer
}

/// A panic ends the program with this exit code, and says why on the serial port.
pub const PANICKED: u8 = 101;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    println!("{info}");
    exit(PANICKED)
}
