//! The ring that outlives a reset: in the crate's own memory, and in one that says what it likes.

use core::hint::black_box;
use core::mem::MaybeUninit;

use ensue::ring::{Boot, Memory, Retained, RetainedRing};

use crate::ring::read;
use crate::{seen, some_bytes, some_len, text, unknown};

/// Memory that holds anything, another thing each time it is asked.
struct Anything;

impl Memory for Anything {
    fn word(&self, index: usize) -> u32 {
        seen(index);
        unknown()
    }

    fn store_word(&mut self, index: usize, word: u32) {
        seen((index, word));
    }

    fn bytes(&self) -> &[u8] {
        some_bytes()
    }

    fn store_bytes(&mut self, at: usize, bytes: &[u8]) {
        seen((at, bytes));
    }
}

pub fn call() {
    let mut memory = MaybeUninit::<Retained<61>>::uninit();
    let (ring, boot) = Retained::adopt(black_box(&mut memory)).open();
    drive(ring, boot);

    let mut memory = Retained::<61>::new();
    let (ring, boot) = black_box(&mut memory).open();
    drive(ring, boot);

    let mut anything = Anything;
    if let Ok((ring, boot)) = RetainedRing::over(black_box(&mut anything)) {
        drive(ring, boot);
    }
}

fn drive<M: Memory + ?Sized>(mut ring: RetainedRing<'_, M>, boot: Boot) {
    text::debug(boot);
    for _ in 0..unknown::<u32>() {
        seen(ring.put(unknown(), some_bytes()));
        seen(ring.put_parts(unknown(), black_box(&[some_bytes(), some_bytes()])));
        seen(ring.put_fmt(unknown(), some_len(), format_args!("{}", unknown::<u32>())));
        seen(ring.put_evicting(unknown(), some_bytes()));
        seen(ring.make_room(some_len()));
    }
    ring.pull(unknown()).iter().for_each(read);
    ring.peek().iter().for_each(read);
    ring.get().iter().for_each(read);
    ring.ids().for_each(seen);
    ring.iter().for_each(|message| read(&message));
    text::debug(&ring);
    ring.trim();
    seen((ring.message_count(), ring.is_empty(), ring.fits(some_len())));
    seen((ring.used(), ring.free(), ring.size()));
    ring.clear();
}
