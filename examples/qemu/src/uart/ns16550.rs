//! The 16550 UART of personal computers, which the RISC-V virtual board has. Registers are bytes.

use crate::register::Register;

const DATA: usize = 0;
const INTERRUPTS: usize = 1;
const LINE_STATUS: usize = 5;

const ON_RECEIVED: u8 = 1;
const RECEIVED: u8 = 1;
const ROOM_TO_SEND: u8 = 1 << 5;

/// A 16550.
pub(crate) struct Uart {
    base: usize,
}

impl Uart {
    /// # Safety
    ///
    /// A 16550 with byte-wide registers lies at `base`.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    /// Switches on the interrupt that says a byte has come.
    pub(crate) fn start(&self) {
        self.register(INTERRUPTS).write(ON_RECEIVED);
    }

    /// Sends one byte; waits while there is no room.
    pub(crate) fn send(&self, byte: u8) {
        while self.register(LINE_STATUS).read() & ROOM_TO_SEND == 0 {}
        self.register(DATA).write(byte);
    }

    /// The next byte that has come. Reading the last one ends the interrupt.
    pub(crate) fn receive(&self) -> Option<u8> {
        let received = self.register(LINE_STATUS).read() & RECEIVED != 0;
        received.then(|| self.register(DATA).read())
    }

    fn register(&self, offset: usize) -> Register<u8> {
        // SAFETY: `at` was promised a 16550, and the offsets are its.
        unsafe { Register::at(self.base + offset) }
    }
}
