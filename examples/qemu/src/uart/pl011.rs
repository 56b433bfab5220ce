//! Arm's PL011 UART.

use crate::register::Register;

const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const CONTROL: usize = 0x30;
const INTERRUPT_MASK: usize = 0x38;

const RECEIVE_EMPTY: u32 = 1 << 4;
const TRANSMIT_FULL: u32 = 1 << 5;
const ENABLE_BOTH_WAYS: u32 = 1 << 9 | 1 << 8 | 1;
/// Bytes up to the FIFO's mark, and bytes that lie in it for a while.
const RECEIVE_AND_TIMEOUT: u32 = 1 << 4 | 1 << 6;

/// A PL011.
pub(crate) struct Uart {
    base: usize,
}

impl Uart {
    /// # Safety
    ///
    /// A PL011 lies at `base`.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    /// Switches it on, with the interrupt that says a byte has come.
    pub(crate) fn start(&self) {
        self.register(CONTROL).write(ENABLE_BOTH_WAYS);
        self.register(INTERRUPT_MASK).write(RECEIVE_AND_TIMEOUT);
    }

    /// Sends one byte; waits while there is no room.
    pub(crate) fn send(&self, byte: u8) {
        while self.register(FLAGS).read() & TRANSMIT_FULL != 0 {}
        self.register(DATA).write(byte.into());
    }

    /// The next byte that has come. Reading the last one ends the interrupt.
    pub(crate) fn receive(&self) -> Option<u8> {
        let empty = self.register(FLAGS).read() & RECEIVE_EMPTY != 0;
        (!empty).then(|| self.register(DATA).read() as u8)
    }

    fn register(&self, offset: usize) -> Register<u32> {
        // SAFETY: `at` was promised a PL011, and the offsets are its.
        unsafe { Register::at(self.base + offset) }
    }
}
