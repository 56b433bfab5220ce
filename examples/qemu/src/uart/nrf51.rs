//! The nRF51's UART: tasks to start things, events that say what happened.

use crate::register::Register;

const START_RECEIVING: usize = 0x000;
const START_SENDING: usize = 0x008;
const RECEIVED: usize = 0x108;
const SENT: usize = 0x11c;
const INTERRUPTS_ON: usize = 0x304;
const ENABLE: usize = 0x500;
const RECEIVE_DATA: usize = 0x518;
const SEND_DATA: usize = 0x51c;

const ON_RECEIVED: u32 = 1 << 2;
const ENABLED: u32 = 4;

/// An nRF51 UART.
pub(crate) struct Uart {
    base: usize,
}

impl Uart {
    /// # Safety
    ///
    /// An nRF51 UART lies at `base`.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    /// Switches it on, with the interrupt that says a byte has come.
    ///
    /// A real board also chooses its pins and its speed here; the emulated one has neither.
    pub(crate) fn start(&self) {
        self.register(ENABLE).write(ENABLED);
        self.register(INTERRUPTS_ON).write(ON_RECEIVED);
        self.register(START_RECEIVING).write(1);
        self.register(START_SENDING).write(1);
    }

    /// Sends one byte and waits until it has gone.
    pub(crate) fn send(&self, byte: u8) {
        self.register(SENT).write(0);
        self.register(SEND_DATA).write(byte.into());
        while self.register(SENT).read() == 0 {}
    }

    /// The next byte that has come.
    pub(crate) fn receive(&self) -> Option<u8> {
        let received = self.register(RECEIVED).read() != 0;
        received.then(|| {
            // Cleared before the byte is taken: taking it lets the next one raise the event again.
            self.register(RECEIVED).write(0);
            self.register(RECEIVE_DATA).read() as u8
        })
    }

    fn register(&self, offset: usize) -> Register<u32> {
        // SAFETY: `at` was promised an nRF51 UART, and the offsets are its.
        unsafe { Register::at(self.base + offset) }
    }
}
