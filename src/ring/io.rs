//! The feature `io`: messages as streams of bytes, for code written against embedded-io.

use core::convert::Infallible;

use embedded_io::{BufRead, ErrorKind, ErrorType, Read, Write};

use super::PutError;
use super::message::Reader;
use super::reserve::Reservation;

impl ErrorType for Reader<'_> {
    type Error = Infallible;
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.copy_next(buffer))
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> Result<&[u8], Infallible> {
        Ok(self.next_piece())
    }

    fn consume(&mut self, amount: usize) {
        self.skip(amount);
    }
}

impl embedded_io::Error for PutError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::ReservedId | Self::TooLong | Self::NeverFits { .. } => ErrorKind::InvalidInput,
            Self::Full { .. } | Self::Overrun { .. } => ErrorKind::OutOfMemory,
            Self::Unformatted => ErrorKind::Other,
        }
    }
}

impl ErrorType for Reservation<'_> {
    type Error = PutError;
}

/// All of it or, when it does not fit, nothing and an error.
impl Write for Reservation<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, PutError> {
        self.push(bytes)?;
        Ok(bytes.len())
    }

    /// There is nothing to flush; the message appears at `commit`.
    fn flush(&mut self) -> Result<(), PutError> {
        Ok(())
    }
}
