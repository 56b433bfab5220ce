//! The shared ring: both halves.

use core::hint::black_box;

use ensue::ring::SplitRing;

use crate::ring::{fill, read};
use crate::{seen, some_bytes, some_len, text, unknown};

static SHARED: SplitRing<61> = SplitRing::new();
static SMALLEST: SplitRing<8> = SplitRing::new();

pub fn call() {
    drive(&SHARED);
    drive(&SMALLEST);
}

fn drive<const N: usize>(ring: &SplitRing<N>) {
    let Some((mut writer, mut reader)) = black_box(ring).split() else { return };
    for _ in 0..unknown::<u32>() {
        seen(writer.put(unknown(), some_bytes()));
        seen(writer.put_parts(unknown(), black_box(&[some_bytes(), some_bytes()])));
        seen(writer.put_fmt(unknown(), some_len(), format_args!("{}", unknown::<u32>())));
        if let Ok(message) = writer.reserve(unknown(), some_len()) {
            fill(message);
        }
        seen((writer.free(), writer.size()));
    }

    reader.pull(unknown()).iter().for_each(read);
    reader.peek().iter().for_each(read);
    reader.get().iter().for_each(read);
    seen(reader.discard(unknown()));
    reader.ids().for_each(seen);
    reader.iter().for_each(|message| read(&message));
    text::debug((ring, &writer, &reader));
    reader.trim();
    reader.release();
    seen((reader.message_count(), reader.is_empty(), reader.used(), reader.size()));
    seen(reader.refused());
}
