//! Bytes on their way from an interrupt to the console.
//!
//! The inbox says *that* bytes have come, and says it once however many there were; the bytes
//! themselves wait here. One interrupt writes, the main loop reads, and each position has a single
//! owner, so plain loads and stores are enough: no masking, and it works on every chip.
//!
//! A queue can be full. Half a command must not be taken for a whole one (`period 5` for
//! `period 5000`), so once a byte is lost the rest of its line goes as well, and a mark in the queue
//! tells the reader that the line it has begun is spoilt.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

/// A power of two, so that positions may run on and wrap.
const ROOM: u32 = 64;

/// What stands for a lost rest of a line: the control character "cancel", Ctrl-X.
pub(super) const SPOILT: u8 = 0x18;

/// A queue of 64 bytes between one interrupt and the main loop.
pub(crate) struct Typed {
    bytes: [AtomicU8; ROOM as usize],
    /// Owned by the interrupt: bytes written, ever.
    written: AtomicU32,
    /// Owned by the main loop: bytes read, ever.
    read: AtomicU32,
    /// Owned by the interrupt: this line has lost bytes already.
    spoilt: AtomicBool,
    /// Owned by the interrupt.
    lost: AtomicU32,
}

impl Typed {
    /// The byte that says that no more will come: Ctrl-D on a serial line.
    pub(crate) const END_OF_INPUT: u8 = 0x04;

    /// An empty queue.
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [const { AtomicU8::new(0) }; ROOM as usize],
            written: AtomicU32::new(0),
            read: AtomicU32::new(0),
            spoilt: AtomicBool::new(false),
            lost: AtomicU32::new(0),
        }
    }

    /// Takes a byte that came in. Trigger `Signal::Typed` after it.
    ///
    /// Callable from: one interrupt, and only that one.
    pub(crate) fn push(&self, byte: u8) {
        let room = self.room();
        if room > 1 && !self.spoilt.load(Ordering::Relaxed) {
            self.write(byte);
            return;
        }
        // The last place is kept for the mark. If that is in use, the queue ends with a mark.
        if room == 1 && !self.spoilt.load(Ordering::Relaxed) {
            self.write(SPOILT);
        }
        self.spoilt.store(!matches!(byte, b'\n' | b'\r'), Ordering::Relaxed);
        let lost = self.lost.load(Ordering::Relaxed);
        self.lost.store(lost.saturating_add(1), Ordering::Relaxed);
    }

    /// Whether the next byte will find a place. For a writer that can wait; an interrupt cannot.
    #[allow(dead_code, reason = "not every platform can wait")]
    pub(crate) fn has_room(&self) -> bool {
        self.room() > 1
    }

    /// The oldest byte. Callable from: main.
    pub(super) fn pop(&self) -> Option<u8> {
        let read = self.read.load(Ordering::Relaxed);
        if read == self.written.load(Ordering::Acquire) {
            return None;
        }
        let byte = self.place(read)?.load(Ordering::Relaxed);
        self.read.store(read.wrapping_add(1), Ordering::Release);
        Some(byte)
    }

    /// How many bytes have been lost.
    pub(super) fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }

    fn write(&self, byte: u8) {
        let written = self.written.load(Ordering::Relaxed);
        if let Some(place) = self.place(written) {
            place.store(byte, Ordering::Relaxed);
        }
        self.written.store(written.wrapping_add(1), Ordering::Release);
    }

    fn room(&self) -> u32 {
        let written = self.written.load(Ordering::Relaxed);
        ROOM.saturating_sub(written.wrapping_sub(self.read.load(Ordering::Acquire)))
    }

    fn place(&self, position: u32) -> Option<&AtomicU8> {
        self.bytes.get((position & (ROOM - 1)) as usize)
    }
}
