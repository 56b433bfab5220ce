//! A general-purpose timer of the Stellaris chips, as one of 32 bits that stops at zero.

use crate::register::Register;

const CONFIGURATION: usize = 0x00;
const MODE: usize = 0x04;
const CONTROL: usize = 0x0c;
const INTERRUPT_MASK: usize = 0x18;
const INTERRUPT_CLEAR: usize = 0x24;
const INTERVAL: usize = 0x28;

const BITS_32: u32 = 0;
const ONCE: u32 = 1;
const RUN: u32 = 1;
const TIMED_OUT: u32 = 1;

/// The chip's clock gates: the timers'.
const TIMERS_ON: usize = 0x400f_e104;
const TIMER_0: u32 = 1 << 16;

/// A Stellaris timer.
pub(crate) struct Alarm {
    base: usize,
}

impl Alarm {
    /// # Safety
    ///
    /// A Stellaris chip's timer 0 lies at `base`.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    pub(crate) fn set(&self, ticks: u32) {
        // SAFETY: the chip has its clock gates there; no other timer is in use.
        unsafe { Register::at(TIMERS_ON) }.write(TIMER_0);
        self.stop();
        self.register(CONFIGURATION).write(BITS_32);
        self.register(MODE).write(ONCE);
        self.register(INTERVAL).write(ticks);
        self.register(INTERRUPT_MASK).write(TIMED_OUT);
        self.register(CONTROL).write(RUN);
    }

    pub(crate) fn stop(&self) {
        self.register(CONTROL).write(0);
        self.register(INTERRUPT_CLEAR).write(TIMED_OUT);
    }

    fn register(&self, offset: usize) -> Register<u32> {
        // SAFETY: `at` was promised a Stellaris timer, and the offsets are its.
        unsafe { Register::at(self.base + offset) }
    }
}
