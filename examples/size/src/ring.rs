//! The ring: every call, on bytes of its own, on borrowed ones, on a ring of no known size, on a
//! tracked one, and on bytes that somebody else has written.

use core::fmt;
use core::hint::black_box;

use embedded_io::{BufRead, Error as _, Read, Write};
use ensue::ring::{Reservation, Track};
use ensue::{Message, PutError, Ring};

use crate::{seen, some_bytes, some_len, text, unknown};

pub fn call() {
    let mut own = Ring::<[u8; 61]>::new();
    drive(black_box(&mut own));
    drive_any(black_box(&mut own));
    let mut tracked = Ring::<[u8; 61], _>::tracked();
    drive(black_box(&mut tracked));
    seen(tracked.high_water());

    let mut buffer = [0; 40];
    if let Some(storage) = buffer.get_mut(..some_len()) {
        match Ring::over(storage) {
            Ok(mut ring) => drive(black_box(&mut ring)),
            Err(error) => seen(error),
        }
    }
    if let Some(Ok(mut ring)) = buffer.get_mut(..some_len()).map(Ring::tracked_over) {
        drive(black_box(&mut ring));
    }
    seen(Ring::<[u8; 8]>::default().size());
    images();
}

/// Bytes and positions that nobody has checked.
fn images() {
    let bytes = black_box([1; 61]);
    match Ring::from_parts(bytes, some_len(), some_len(), some_len()) {
        Ok(mut ring) => drive(black_box(&mut ring)),
        Err(error) => text::print(error),
    }
    match Ring::recover(bytes, some_len(), some_len(), some_len()) {
        Ok((mut ring, report)) => {
            seen(report);
            drive(black_box(&mut ring));
        }
        Err(error) => text::print(error),
    }

    let mut buffer = bytes;
    if let Some(storage) = buffer.get_mut(..some_len()) {
        match Ring::from_parts(storage, some_len(), some_len(), some_len()) {
            Ok(mut ring) => drive(black_box(&mut ring)),
            Err(error) => seen(error),
        }
    }
    if let Some(storage) = buffer.get_mut(..some_len()) {
        match Ring::recover(storage, some_len(), some_len(), some_len()) {
            Ok((mut ring, _)) => drive(black_box(&mut ring)),
            Err(error) => seen(error),
        }
    }
}

fn drive_any(ring: &mut Ring) {
    drive(ring);
}

fn drive<S: AsRef<[u8]> + AsMut<[u8]> + ?Sized, T: Track>(ring: &mut Ring<S, T>) {
    for _ in 0..unknown::<u32>() {
        write(ring);
    }

    ring.pull(unknown()).iter().for_each(read);
    ring.peek().iter().for_each(read);
    ring.get().iter().for_each(read);
    let mut buffer = [0; 16];
    if let Some(buffer) = buffer.get_mut(..some_len()) {
        seen(ring.get_into(buffer).is_ok());
        seen(ring.pull_into(unknown(), buffer).is_ok());
    }
    seen((ring.skip(), ring.discard(unknown())));
    seen(ring.retain(|message| black_box(message.id()) > unknown()));
    seen(ring.pull_all(unknown(), |message| read(&message)));

    ring.ids().for_each(seen);
    seen(ring.ids().len());
    ring.iter().for_each(|message| read(&message));
    seen((ring.iter().last().is_some(), ring.iter().len()));
    seen((ring.message_count(), ring.used(), ring.free(), ring.size()));
    seen((ring.is_empty(), ring.is_full(), ring.fits(some_len())));
    seen((ring.head(), ring.tail(), ring.bytes().len()));
    seen((ring.reclaimable(), ring.hole_count()));

    text::debug(&*ring);
    text::debug((ring.iter(), ring.ids()));

    seen(ring.trim());
    seen(ring.compact_step(some_len()));
    seen(ring.compact());
    ring.clear();
}

fn write<S: AsRef<[u8]> + AsMut<[u8]> + ?Sized, T: Track>(ring: &mut Ring<S, T>) {
    seen(ring.put(unknown(), some_bytes()));
    seen(ring.put_parts(unknown(), black_box(&[some_bytes(), some_bytes()])));
    seen(ring.put_fmt(unknown(), some_len(), format_args!("{}", unknown::<u32>())));
    seen(ring.put_compacting(unknown(), some_bytes()));
    seen(ring.put_evicting(unknown(), some_bytes(), |message| read(&message)));
    seen(ring.make_room(some_len(), |message| read(&message)));
    match ring.reserve(unknown(), some_len()) {
        Ok(message) => fill(message),
        Err(error) => explain(error),
    }
}

/// Every way to write into a message before it is one.
pub fn fill(mut message: Reservation<'_>) {
    seen((message.id(), message.len(), message.is_empty(), message.max()));
    seen(message.push(some_bytes()));
    seen(fmt::write(&mut message, format_args!("{}", unknown::<u32>())));
    seen(Write::write(&mut message, some_bytes()));
    seen(message.flush());
    text::debug(&message);
    let (first, second) = message.as_mut_slices();
    seen((first.first_mut(), second.first_mut()));
    seen(message.set_len(some_len()));
    if black_box(true) {
        seen(message.commit());
    }
}

fn explain(error: PutError) {
    seen(error.kind());
    text::debug(error);
    text::print(error);
}

pub fn read(message: &Message<'_>) {
    seen((message.id(), message.len(), message.is_empty()));
    seen((message.as_slices(), message.as_contiguous()));
    message.bytes().for_each(seen);
    message.bytes().rev().for_each(seen);
    seen((
        message == b"payload",
        *message == black_box(&[1_u8; 3][..]),
        *message == black_box(*message),
    ));
    text::print(message.text());
    text::debug(message);

    let mut buffer = [0; 16];
    if let Some(buffer) = buffer.get_mut(..some_len()) {
        seen(message.copy_to(buffer).is_ok());
        stream(message, buffer);
    }
}

fn stream(message: &Message<'_>, buffer: &mut [u8]) {
    let mut reader = message.reader();
    seen(Read::read(&mut reader, buffer));
    seen(reader.copy_next(buffer));
    seen(reader.fill_buf().is_ok());
    reader.consume(some_len());
    reader.skip(some_len());
    text::debug(&reader);
    seen((reader.next_piece(), reader.len(), reader.is_empty()));
}
