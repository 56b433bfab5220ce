//! The nRF51's timer: it counts up and says when it meets a number.

use crate::register::Register;

const START: usize = 0x000;
const STOP: usize = 0x004;
const CLEAR: usize = 0x00c;
const MET: usize = 0x140;
const INTERRUPTS_ON: usize = 0x304;
const WIDTH: usize = 0x508;
const PRESCALER: usize = 0x510;
const NUMBER: usize = 0x540;

const ON_MET: u32 = 1 << 16;
const BITS_32: u32 = 3;

/// An nRF51 timer.
pub(crate) struct Alarm {
    base: usize,
}

impl Alarm {
    /// # Safety
    ///
    /// An nRF51 timer lies at `base`.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    pub(crate) fn set(&self, ticks: u32) {
        self.stop();
        self.register(WIDTH).write(BITS_32);
        self.register(PRESCALER).write(0);
        self.register(INTERRUPTS_ON).write(ON_MET);
        self.register(NUMBER).write(ticks);
        self.register(START).write(1);
    }

    pub(crate) fn stop(&self) {
        self.register(STOP).write(1);
        self.register(CLEAR).write(1);
        self.register(MET).write(0);
    }

    fn register(&self, offset: usize) -> Register<u32> {
        // SAFETY: `at` was promised an nRF51 timer, and the offsets are its.
        unsafe { Register::at(self.base + offset) }
    }
}
