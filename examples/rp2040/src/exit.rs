//! How a program ends: with an exit code for the debugger, and with words when it panics.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use rp2040_hal::arch;
use rp2040_hal::pac::{self, UART0};

/// A panic ends the program with this exit code, and says why on the serial port.
pub const PANICKED: u8 = 101;

/// Ends the program; `probe-rs run` and the emulator end with this exit code.
///
/// Where nothing is attached that could hear of it, the core stops here all the same.
pub fn exit(code: u8) -> ! {
    const EXIT_EXTENDED: u32 = 0x20;
    const APPLICATION_EXIT: u32 = 0x2_0026;
    let how = [APPLICATION_EXIT, code.into()];
    while LastWords.port().uartfr().read().busy().bit_is_set() {}
    // SAFETY: the semihosting call of that number reads two words, and does not return.
    unsafe { cortex_m::asm::semihosting_syscall(EXIT_EXTENDED, &raw const how as u32) };
    loop {
        arch::wfi();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    cortex_m::interrupt::disable();
    // It cannot fail; a value that fails to print itself leaves its line short.
    _ = writeln!(LastWords, "{info}");
    exit(PANICKED)
}

/// The serial port, without asking who has it.
struct LastWords;

impl LastWords {
    fn port(&self) -> &'static pac::uart0::RegisterBlock {
        // SAFETY: only sending and the state of it are used here, on behalf of a program that has
        // come to its end.
        unsafe { &*UART0::PTR }
    }
}

impl Write for LastWords {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while self.port().uartfr().read().txff().bit_is_set() {}
            // SAFETY: any byte can be sent.
            self.port().uartdr().write(|w| unsafe { w.data().bits(byte) });
        }
        Ok(())
    }
}
