//! How deep the stack has been: what lies below it is filled with a pattern, and whatever has
//! changed when somebody looks was used in between.

use core::ops::RangeInclusive;

use crate::chip;
use crate::register::Register;

/// Nothing that a program would compute.
const PATTERN: u32 = 0x5eed_57ac;

/// Which words are watched, counted down from where the stack is. Those above are for the functions
/// below, which must not fill what they stand on.
const WATCHED: RangeInclusive<usize> = 64..=1_536;

/// The stack, watched from some function on.
#[derive(Debug)]
pub struct Stack {
    /// The address of the last word that was in use.
    below: usize,
}

impl Stack {
    /// Begins to watch. Call it first, in the program's main function.
    #[inline(always)]
    pub fn watch() -> Self {
        let stack = Self { below: chip::stack_pointer() };
        WATCHED.for_each(|depth| stack.word(depth).write(PATTERN));
        stack
    }

    /// How many bytes the stack has taken at most: from its start, interrupts included.
    pub fn deepest(&self) -> usize {
        unsafe extern "C" {
            /// Where the stack starts, from the linker script.
            static _stack_start: u32;
        }
        let used = WATCHED.rev().find(|depth| self.word(*depth).read() != PATTERN);
        (&raw const _stack_start).addr() - self.below
            + used.unwrap_or(*WATCHED.start()) * size_of::<u32>()
    }

    /// The word that lies so deep below.
    fn word(&self, depth: usize) -> Register<u32> {
        // SAFETY: the stack grows down from where it was, and this far there is RAM for it: the
        // smallest board has 16 KiB, of which variables take one.
        unsafe { Register::at(self.below - depth * size_of::<u32>()) }
    }
}
