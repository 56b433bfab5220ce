//! The serial port as a place to write text.

use core::fmt;

use crate::board::UART;

/// The serial port, for `write!`. It cannot fail.
#[derive(Clone, Copy, Debug)]
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| UART.send(byte));
        Ok(())
    }
}

/// Prints a line on the serial port.
#[macro_export]
macro_rules! println {
    ($($line:tt)*) => {{
        use ::core::fmt::Write as _;
        // The console cannot fail; a value that fails to print itself leaves its line short.
        _ = ::core::writeln!($crate::Console, $($line)*);
    }};
}
