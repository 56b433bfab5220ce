//! The UART of Arm's Cortex-M System Design Kit, which its MPS2 boards have. One byte each way.

use crate::register::Register;

const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const INTERRUPTS: usize = 0x0c;
const BAUD_DIVIDER: usize = 0x10;

const TRANSMIT_FULL: u32 = 1;
const RECEIVE_FULL: u32 = 1 << 1;
const ENABLE_BOTH_WAYS_AND_RECEIVE_INTERRUPT: u32 = 1 | 1 << 1 | 1 << 3;
const RECEIVED: u32 = 1 << 1;
/// The smallest that the device takes; an emulated line has no speed.
const FASTEST: u32 = 16;

/// A CMSDK UART.
pub(crate) struct Uart {
    base: usize,
}

impl Uart {
    /// # Safety
    ///
    /// A CMSDK UART lies at `base`.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    /// Switches it on, with the interrupt that says a byte has come.
    pub(crate) fn start(&self) {
        self.register(BAUD_DIVIDER).write(FASTEST);
        self.register(CONTROL).write(ENABLE_BOTH_WAYS_AND_RECEIVE_INTERRUPT);
    }

    /// Sends one byte; waits while there is no room.
    pub(crate) fn send(&self, byte: u8) {
        while self.register(STATE).read() & TRANSMIT_FULL != 0 {}
        self.register(DATA).write(byte.into());
    }

    /// The next byte that has come.
    pub(crate) fn receive(&self) -> Option<u8> {
        // The interrupt is cleared first: a byte that comes after the test raises it again.
        self.register(INTERRUPTS).write(RECEIVED);
        let full = self.register(STATE).read() & RECEIVE_FULL != 0;
        full.then(|| self.register(DATA).read() as u8)
    }

    fn register(&self, offset: usize) -> Register<u32> {
        // SAFETY: `at` was promised a CMSDK UART, and the offsets are its.
        unsafe { Register::at(self.base + offset) }
    }
}
