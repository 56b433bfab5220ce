//! RAM that keeps its contents over a reset: stores that the compiler may neither drop nor reorder.
#![allow(unsafe_code)]

use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;

use super::{Boot, Memory, RetainedRing, WORDS};
use crate::ring::record::MIN_SIZE;

/// Memory for a ring of `N` bytes in a section that start-up does not clear, such as `.uninit` of
/// cortex-m-rt and riscv-rt. It takes 32 bytes beside them.
///
/// ```
/// use core::mem::MaybeUninit;
/// use ensue::ring::{Boot, Retained};
///
/// # #[cfg(any())]
/// #[unsafe(link_section = ".uninit.LOG")]
/// static mut LOG: MaybeUninit<Retained<1024>> = MaybeUninit::uninit();
///
/// # static mut LOG: MaybeUninit<Retained<1024>> = MaybeUninit::new(Retained::new());
/// let log = &raw mut LOG;
/// // SAFETY: this is passed once, and nobody else names it but the panic handler.
/// let memory = Retained::adopt(unsafe { &mut *log });
/// let (mut log, boot) = memory.open();
/// if let Boot::Again(report) = boot {
///     // a reset, and `report.messages` messages to tell of what was before
/// }
/// let lost = log.put_evicting(1, b"started")?.messages;
/// # assert_eq!(boot, Boot::First);
/// # assert_eq!(lost, 0);
/// # Ok::<(), ensue::PutError>(())
/// ```
///
/// # Last words
///
/// A panic or a hard fault may come in the middle of an operation on the ring, which is no other
/// case than a reset there. So its handler opens the memory once more, with interrupts masked and
/// the other core, if there is one, halted:
///
/// ```
/// # use core::mem::MaybeUninit;
/// # use ensue::ring::Retained;
/// # static mut LOG: MaybeUninit<Retained<1024>> = MaybeUninit::new(Retained::new());
/// # fn reset() {}
/// const PANIC: u16 = 2;
///
/// fn last_words(line: u32) {
///     let log = &raw mut LOG;
///     // SAFETY: whoever had it never comes back, as this ends in a reset.
///     let (mut log, _) = Retained::adopt(unsafe { &mut *log }).open();
///     let _ = log.make_room(24);
///     let _ = log.put_fmt(PANIC, 24, format_args!("panic in line {line}"));
///     reset()
/// }
/// # last_words(7);
/// # let (log, _) = Retained::adopt(unsafe { &mut *(&raw mut LOG) }).open();
/// # assert_eq!(log.peek().unwrap().text().to_string(), "panic in line 7");
/// ```
///
/// A processor with a data cache has to write it back before a reset; stores alone do not reach the
/// RAM then.
#[repr(C)]
pub struct Retained<const N: usize> {
    words: [u32; WORDS],
    bytes: [u8; N],
}

impl<const N: usize> Retained<N> {
    /// Memory without a ring, all zero. Fewer than [`MIN_SIZE`] bytes do not compile.
    pub const fn new() -> Self {
        const { assert!(N >= MIN_SIZE, "a ring needs at least 8 bytes") }
        const { assert!(N <= 1 << 30, "a retained ring has at most 2^30 bytes") }
        Self { words: [0; WORDS], bytes: [0; N] }
    }

    /// Takes memory as it is: what no start-up code has written holds what was there before a reset,
    /// or, after power-up, anything.
    ///
    /// Cost: one load and one store for each byte.
    pub fn adopt(memory: &mut MaybeUninit<Self>) -> &mut Self {
        let start = memory.as_mut_ptr().cast::<u8>();
        for at in 0..size_of::<Self>() {
            // SAFETY: `at` is inside of what `memory` borrows exclusively. That the memory was not
            // initialised by this program is the point: a volatile load asks the hardware, and the
            // compiler can assume nothing about the answer. Stored back, it is the program's own.
            unsafe { start.add(at).write_volatile(start.add(at).read_volatile()) };
        }
        // SAFETY: every byte was written just now, and all patterns are values of integers.
        unsafe { memory.assume_init_mut() }
    }

    /// Finds the ring, or makes one; says which.
    ///
    /// Where no ring of this size and layout is found, everything is overwritten. What was there can
    /// be looked at before, by [`word`](Memory::word) and [`bytes`](Memory::bytes).
    ///
    /// Cost: one header for each record; when there is no ring, one store for each byte.
    pub fn open(&mut self) -> (RetainedRing<'_>, Boot) {
        const { assert!(N >= MIN_SIZE, "a ring needs at least 8 bytes") }
        const { assert!(N <= 1 << 30, "a retained ring has at most 2^30 bytes") }
        RetainedRing::open(self)
    }
}

impl<const N: usize> Default for Retained<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Memory for Retained<N> {
    fn word(&self, index: usize) -> u32 {
        self.words.get(index).copied().unwrap_or_default()
    }

    fn store_word(&mut self, index: usize, word: u32) {
        if let Some(place) = self.words.get_mut(index) {
            // SAFETY: a reference is valid and aligned. Volatile, because the next to read it may be
            // the program after a reset.
            unsafe { ptr::write_volatile(place, word) };
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn store_bytes(&mut self, at: usize, bytes: &[u8]) {
        for (place, byte) in self.bytes.iter_mut().skip(at).zip(bytes) {
            // SAFETY: as for words.
            unsafe { ptr::write_volatile(place, *byte) };
        }
    }
}

impl<const N: usize> fmt::Debug for Retained<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retained").field("size", &N).finish_non_exhaustive()
    }
}
