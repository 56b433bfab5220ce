//! Writing where the message will lie, and taking without a detour.

use std::fmt::{self, Write};
use std::mem;

use ensue::ring::{Reservation, TooShort};
use ensue::{PutError, Ring};

/// A ring of 16 bytes whose head and tail stand at `at`.
fn ring_at(at: usize) -> Ring<[u8; 16]> {
    let mut ring = Ring::new();
    if let Some(len) = at.checked_sub(4) {
        ring.put(1, &[0; 16][..len]).unwrap();
        ring.get().unwrap();
    }
    assert_eq!((ring.head(), ring.tail()), (at, at));
    ring
}

type State = (usize, usize, usize, usize, Vec<u16>);

fn state(ring: &Ring) -> State {
    (ring.head(), ring.tail(), ring.used(), ring.message_count(), ring.ids().collect())
}

#[test]
fn what_is_written_in_place_is_to_the_byte_what_put_would_write() {
    for at in [0].into_iter().chain(4..16) {
        let (mut put, mut parts) = (ring_at(at), ring_at(at));
        let (mut text, mut pushed, mut sliced) = (ring_at(at), ring_at(at), ring_at(at));
        put.put(0x0708, b"abcdefg").unwrap();
        parts.put_parts(0x0708, &[b"ab", b"", b"cdef", b"g"]).unwrap();
        text.put_fmt(0x0708, 7, format_args!("{}{}", "abc", "defg")).unwrap();

        let mut message = pushed.reserve(0x0708, 10).unwrap();
        message.push(b"abc").unwrap();
        message.write_str("defg").unwrap();
        assert_eq!((message.id(), message.len(), message.max()), (0x0708, 7, 10));
        message.commit().unwrap();

        let mut message = sliced.reserve(0x0708, 10).unwrap();
        let (first, second) = message.as_mut_slices();
        assert_eq!(first.len() + second.len(), 10);
        for (to, from) in first.iter_mut().chain(second).zip(b"abcdefg") {
            *to = *from;
        }
        message.set_len(7).unwrap();
        message.commit().unwrap();

        for mut ring in [parts, text, pushed, sliced] {
            assert_eq!(state(&ring), state(&put), "at {at}");
            let used = |ring: &Ring<_>| {
                let bytes: &[u8] = ring.bytes();
                bytes.iter().cycle().skip(at).take(11).copied().collect::<Vec<_>>()
            };
            assert_eq!(used(&ring), used(&put), "at {at}");
            assert_eq!(ring.get().unwrap(), b"abcdefg", "at {at}");
        }
    }
}

/// Does something with a reservation of 8 bytes, and looks at what is left of it.
fn changes_nothing_but_free_bytes(end: impl Fn(Reservation<'_>)) {
    for at in [0, 5, 9, 12, 14] {
        let mut ring = ring_at(at);
        ring.put(3, b"ab").unwrap();
        let before = state(&ring);
        let mut message = ring.reserve(4, 6).unwrap();
        message.push(b"hidden").unwrap();
        end(message);
        assert_eq!(state(&ring), before);
        assert_eq!(ring.peek().unwrap(), b"ab");
        ring.put(5, b"later").unwrap();
        assert_eq!(ring.get().unwrap(), b"ab");
        assert_eq!(ring.get().unwrap(), b"later");
        assert!(ring.get().is_none());
    }
}

#[test]
fn a_reservation_that_is_dropped_changes_nothing_but_free_bytes() {
    changes_nothing_but_free_bytes(|message| drop(message));
}

#[test]
#[expect(clippy::forget_non_drop, reason = "it has no destructor today, and must not need one")]
fn a_reservation_that_is_forgotten_changes_nothing_but_free_bytes() {
    changes_nothing_but_free_bytes(|message| mem::forget(message));
}

#[test]
fn only_what_was_written_is_taken() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    ring.reserve(1, 28)?.commit()?;
    ring.put_fmt(2, 20, format_args!("{}", 7))?;
    assert_eq!(ring.used(), 4 + 5);
    assert!(ring.get().unwrap().is_empty());
    assert_eq!(ring.get().unwrap(), b"7");
    Ok(())
}

#[test]
fn a_message_that_lost_its_end_is_never_put() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    let overrun = Err(PutError::Overrun { max: 4 });
    assert_eq!(ring.put_fmt(1, 4, format_args!("{}", 12_345)), overrun);
    assert_eq!(ring.put_fmt(1, 4, format_args!("{}{}", 123, 45)), overrun);

    let mut message = ring.reserve(1, 4)?;
    message.push(b"123")?;
    assert_eq!(message.push(b"45"), overrun);
    assert_eq!(message.push(b"4"), overrun, "it would fit, but behind a gap");
    assert_eq!(message.set_len(1), overrun);
    assert_eq!(message.commit(), overrun);

    let mut message = ring.reserve(1, 4)?;
    // Whoever ignores the error is stopped at the commit.
    write!(message, "12345").unwrap_err();
    assert_eq!(message.commit(), overrun);

    let mut message = ring.reserve(1, 4)?;
    assert_eq!(message.set_len(5), overrun);
    assert_eq!(message.commit(), overrun);
    assert_eq!((ring.used(), ring.head()), (0, 0));
    Ok(())
}

#[test]
fn a_value_that_cannot_be_formatted_is_not_put() {
    struct Broken;
    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let mut ring = Ring::<[u8; 32]>::new();
    let result = ring.put_fmt(1, 20, format_args!("so far {Broken}"));
    assert_eq!(result, Err(PutError::Unformatted));
    assert!(ring.is_empty() && ring.used() == 0);
}

#[test]
fn what_cannot_be_put_cannot_be_reserved_and_for_the_same_reason() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    ring.put(1, &[0; 4])?;
    ring.put(2, &[0; 4])?;
    ring.pull(2);
    ring.put(3, &[0; 4])?;
    let (big, huge) = (vec![0; 65_536], &[&[0_u8; 65_535][..]; 3]);
    for (id, len) in [(0, 3), (0, 65_536), (4, 65_536), (4, 29), (4, 5), (4, 65_535)] {
        let error = ring.put(id, &big[..len]).unwrap_err();
        assert_eq!(ring.reserve(id, len).map(drop), Err(error));
        assert_eq!(ring.put_parts(id, &[&big[..len / 2], &big[len / 2..len]]), Err(error));
        assert_eq!(ring.put_fmt(id, len, format_args!("x")), Err(error));
    }
    assert_eq!(ring.reserve(4, usize::MAX).map(drop), Err(PutError::TooLong));
    assert_eq!(ring.put_parts(4, huge), Err(PutError::TooLong));
    assert_eq!(ring.put_parts(4, &[]), Ok(()));
    assert!(ring.pull(4).unwrap().is_empty());
    Ok(())
}

#[test]
fn a_message_is_read_piece_by_piece() -> Result<(), PutError> {
    let mut ring = ring_at(9);
    ring.put(5, b"abcdef")?;
    let message = ring.get().unwrap();
    let mut reader = message.reader();
    assert_eq!((reader.len(), reader.next_piece()), (6, &b"abc"[..]));
    let mut buffer = [0; 4];
    assert_eq!(reader.copy_next(&mut buffer[..2]), 2);
    assert_eq!(reader.copy_next(&mut buffer[2..3]), 1);
    assert_eq!((&buffer[..3], reader.next_piece()), (&b"abc"[..], &b"def"[..]));
    assert_eq!(reader.copy_next(&mut buffer), 3);
    assert_eq!(buffer, *b"def\0");
    assert!(reader.is_empty());
    assert_eq!(reader.copy_next(&mut buffer), 0);

    for skipped in 0..=7 {
        let mut reader = message.reader();
        reader.skip(skipped);
        assert_eq!(reader.len(), 6_usize.saturating_sub(skipped));
        let mut rest = [0; 9];
        let len = reader.copy_next(&mut rest);
        assert_eq!(rest[..len], b"abcdef"[skipped.min(6)..]);
    }
    Ok(())
}

#[test]
fn a_message_too_long_for_the_buffer_stays_where_it_is() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    ring.put(1, b"hole")?;
    ring.put(2, b"second")?;
    ring.put(3, b"third")?;
    ring.pull(2);
    ring.get();
    let before = (state(&ring), ring.bytes().to_vec());
    let mut buffer = [0; 5];
    assert_eq!(ring.get_into(&mut buffer[..4]), Err(TooShort { needed: 5 }));
    assert_eq!(ring.pull_into(3, &mut buffer[..4]), Err(TooShort { needed: 5 }));
    assert_eq!((state(&ring), ring.bytes().to_vec()), before);
    assert_eq!(ring.pull_into(2, &mut buffer), Ok(None));
    assert_eq!(ring.pull_into(0, &mut buffer), Ok(None));
    assert_eq!(ring.get_into(&mut buffer), Ok(Some((3, &mut { *b"third" }[..]))));
    assert_eq!(ring.get_into(&mut buffer), Ok(None));
    assert_eq!(ring.used(), 0);
    Ok(())
}

#[test]
fn what_is_dropped_unread_is_taken_as_ever() -> Result<(), PutError> {
    let (mut read, mut dropped) = (Ring::<[u8; 64]>::new(), Ring::<[u8; 64]>::new());
    for ring in [&mut read, &mut dropped] {
        for id in [1, 2, 3, 2, 4] {
            ring.put(id, b"abc")?;
        }
    }
    assert_eq!(read.pull(2).is_some(), dropped.discard(2));
    assert_eq!(read.get().is_some(), dropped.skip());
    assert_eq!(read.pull(9).is_some(), dropped.discard(9));
    assert_eq!((state(&read), read.bytes()), (state(&dropped), dropped.bytes()));
    assert!(dropped.skip() && dropped.skip() && dropped.skip() && !dropped.skip());
    Ok(())
}

#[test]
fn all_messages_of_one_id_are_taken_in_one_pass() -> Result<(), PutError> {
    let mut ring = ring_at(11);
    for (id, payload) in [(7, b"a"), (8, b"b"), (7, b"c")] {
        ring.put(id, payload)?;
    }
    let mut taken = Vec::new();
    assert_eq!(ring.pull_all(7, |message| taken.extend(message.bytes())), 2);
    assert_eq!(taken, b"ac");
    assert!(ring.ids().eq([8]));
    assert_eq!((ring.used(), ring.reclaimable()), (10, 5), "the hole in front is gone");
    assert_eq!(ring.pull_all(7, |_| unreachable!()), 0);
    assert_eq!(ring.pull_all(0, |_| unreachable!()), 0);
    assert_eq!(ring.retain(|_| false), 1);
    assert_eq!((ring.used(), ring.message_count()), (0, 0));
    Ok(())
}

#[test]
fn retaining_everything_changes_nothing() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    for id in 1..=3 {
        ring.put(id, b"x")?;
    }
    ring.pull(2);
    ring.pull(1);
    let before = (state(&ring), ring.bytes().to_vec());
    assert_eq!(ring.retain(|message| message.id() == 3), 0);
    assert_eq!((state(&ring), ring.bytes().to_vec()), before);
    Ok(())
}
