//! The timer of Arm's Cortex-M System Design Kit, which its MPS2 boards have. It counts down and
//! goes on for ever, so its interrupt stops it.

use crate::register::Register;

const CONTROL: usize = 0x0;
const VALUE: usize = 0x4;
const RELOAD: usize = 0x8;
const INTERRUPT: usize = 0xc;

const RUN_WITH_INTERRUPT: u32 = 1 | 1 << 3;

/// A CMSDK timer.
pub(crate) struct Alarm {
    base: usize,
}

impl Alarm {
    /// # Safety
    ///
    /// A CMSDK timer lies at `base`.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    pub(crate) fn set(&self, ticks: u32) {
        self.stop();
        self.register(RELOAD).write(ticks);
        self.register(VALUE).write(ticks);
        self.register(CONTROL).write(RUN_WITH_INTERRUPT);
    }

    pub(crate) fn stop(&self) {
        self.register(CONTROL).write(0);
        self.register(INTERRUPT).write(1);
    }

    fn register(&self, offset: usize) -> Register<u32> {
        // SAFETY: `at` was promised a CMSDK timer, and the offsets are its.
        unsafe { Register::at(self.base + offset) }
    }
}
