//! What a program needs of an ESP32-C3: a clock that sleeps, a serial port and a button whose input
//! comes by interrupt.
//!
//! A program calls [`start`] once and has the rest. `system_timer.rs` is meant to be copied into a
//! program of your own.
//!
//! The names are those of `examples/qemu`, so that the same program can run on either.
//!
//! All of it has been built and linked, and has run in the model of the chip in `model/`, which is
//! no evidence of how silicon behaves. It has not been on a board yet.

#![no_std]

mod button;
mod serial;
mod system_timer;

pub use button::on_press;
pub use esp_hal::main as entry;
pub use esp_println::{Printer as Console, println};
pub use serial::{lost, read};
pub use system_timer::{LONGEST_SLEEP, SystemTimer as Timer};

// What the boot loader wants to know of a program.
esp_bootloader_esp_idf::esp_app_desc!();

/// The chip.
pub const NAME: &str = "ESP32-C3";

/// Starts the clock, the serial port and the button. Call it once, first.
///
/// `when_typed` is called from the serial port's interrupt when [`read`] has something new: there
/// a program triggers an event.
pub fn start(when_typed: fn()) -> Timer {
    let chip = esp_hal::init(esp_hal::Config::default());
    serial::start(chip.UART0, chip.GPIO21, chip.GPIO20, when_typed);
    button::start(chip.IO_MUX, chip.GPIO9);
    Timer::start(chip.SYSTIMER)
}

/// Ends the program, as far as there is an end: the chip sleeps.
pub fn exit(code: u8) -> ! {
    println!("exit code {code}");
    loop {
        esp_hal::interrupt::wait_for_interrupt();
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    println!("{info}");
    exit(101)
}
