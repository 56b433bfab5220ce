//! The ring: every call, on bytes of its own, on borrowed ones, and on a ring of no known size.

use core::hint::black_box;

use ensue::{Message, Ring};

use crate::{seen, unknown};

pub fn call() {
    let mut own = Ring::<[u8; 61]>::new();
    drive(black_box(&mut own));
    drive_any(black_box(&mut own));

    let mut buffer = [0; 40];
    let length = usize::from(unknown::<u8>());
    if let Some(storage) = buffer.get_mut(..length) {
        match Ring::over(storage) {
            Ok(mut ring) => drive(black_box(&mut ring)),
            Err(error) => seen(error),
        }
    }
    seen(Ring::<[u8; 8]>::default().size());
}

fn drive_any(ring: &mut Ring) {
    drive(ring);
}

fn drive<S: AsRef<[u8]> + AsMut<[u8]> + ?Sized>(ring: &mut Ring<S>) {
    let payload = [1; 32];
    for _ in 0..unknown::<u32>() {
        let length = usize::from(unknown::<u8>());
        seen(ring.put(unknown(), black_box(&payload[..]).get(..length).unwrap_or_default()));
    }
    ring.pull(unknown()).iter().for_each(read);
    ring.peek().iter().for_each(read);
    ring.get().iter().for_each(read);
    ring.ids().for_each(seen);
    seen(ring.ids().len());
    ring.iter().for_each(|message| read(&message));
    seen(ring.iter().last().is_some());
    seen((ring.message_count(), ring.used(), ring.free(), ring.size()));
    seen((ring.is_empty(), ring.is_full(), ring.fits(usize::from(unknown::<u8>()))));
    seen((ring.head(), ring.tail(), ring.bytes().len()));
    ring.clear();
}

fn read(message: &Message<'_>) {
    seen((message.id(), message.len(), message.is_empty()));
    seen((message.as_slices(), message.as_contiguous()));
    message.bytes().for_each(seen);
    message.bytes().rev().for_each(seen);
    seen((
        message == b"payload",
        *message == black_box(&[1_u8; 3][..]),
        *message == black_box(*message),
    ));

    let mut buffer = [0; 16];
    let length = usize::from(unknown::<u8>());
    if let Some(buffer) = buffer.get_mut(..length) {
        seen(message.copy_to(buffer).is_ok());
    }
}
