//! The ring, one promise at a time.

use ensue::{PutError, Ring, TooShort, TooSmall};

#[test]
fn messages_come_back_in_order() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    ring.put(3, b"one")?;
    ring.put(1, b"two")?;
    assert_eq!(ring.peek().unwrap(), b"one");
    assert_eq!(ring.get().unwrap(), b"one");
    assert_eq!(ring.get().unwrap().id(), 1);
    assert!(ring.get().is_none());
    Ok(())
}

#[test]
fn the_bytes_are_id_length_payload_big_endian_and_packed() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 16]>::new();
    ring.put(0x1234, &[0xAA, 0xBB])?;
    ring.put(0xFFFE, &[])?;
    assert_eq!(ring.bytes()[..10], [0x12, 0x34, 0, 2, 0xAA, 0xBB, 0xFF, 0xFE, 0, 0]);
    assert_eq!((ring.tail(), ring.head(), ring.used()), (0, 10, 10));
    Ok(())
}

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

#[test]
fn a_header_is_split_over_the_end_at_any_byte() {
    // 1 byte before the end and 3 after it; 2 and 2; 3 and 1.
    for at in [15, 14, 13] {
        let mut ring = ring_at(at);
        let payload = [at as u8; 5];
        ring.put(0x0789, &payload).unwrap();
        let bytes = ring.bytes().iter().cycle().skip(at).take(9).copied().collect::<Vec<_>>();
        assert_eq!(bytes, [&[0x07, 0x89, 0x00, 0x05], &payload[..]].concat());

        assert!(ring.ids().eq([0x0789]));
        assert_eq!(ring.peek().unwrap(), payload);
        assert_eq!(ring.pull(0x0789).unwrap(), payload);
        assert_eq!(ring.bytes()[at], 0, "both bytes of the id are zero, wherever they are");
        assert_eq!(ring.bytes()[(at + 1) % 16], 0);
        assert!(ring.is_empty());
        assert_eq!(ring.tail(), (at + 9) % 16);
    }
}

#[test]
fn a_payload_that_wraps_comes_in_two_pieces() -> Result<(), PutError> {
    let mut ring = ring_at(9);
    ring.put(5, b"abcdef")?;
    let message = ring.get().unwrap();
    assert_eq!(message.as_slices(), (&b"abc"[..], &b"def"[..]));
    assert_eq!(message.as_contiguous(), None);
    assert_eq!(message, b"abcdef");
    assert!(message != b"abcdeX" && message != b"abXdef" && message != b"abc");
    assert_eq!(format!("{message:?}"), r#"Message(5, "abcdef")"#);

    let mut buffer = [b'.'; 8];
    assert_eq!(message.copy_to(&mut buffer[..5]), Err(TooShort { needed: 6 }));
    assert_eq!(message.copy_to(&mut buffer).unwrap(), b"abcdef");
    assert_eq!(&buffer, b"abcdef..");
    Ok(())
}

#[test]
fn a_payload_that_begins_exactly_at_the_end_is_one_piece() -> Result<(), PutError> {
    let mut ring = ring_at(12);
    ring.put(5, b"abc")?;
    assert_eq!(ring.get().unwrap().as_contiguous(), Some(&b"abc"[..]));
    Ok(())
}

#[test]
fn equal_messages_have_the_same_id_and_bytes_wherever_they_lie() -> Result<(), PutError> {
    let (mut whole, mut split) = (Ring::<[u8; 16]>::new(), ring_at(10));
    whole.put(5, b"abcdef")?;
    split.put(5, b"abcdef")?;
    assert_eq!(whole.peek(), split.peek());
    split.pull(5);
    split.put(6, b"abcdef")?;
    assert_ne!(whole.peek(), split.peek());
    Ok(())
}

#[test]
fn an_empty_message_is_a_message() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 8]>::new();
    ring.put(1, &[])?;
    ring.put(2, &[])?;
    assert!(ring.is_full());
    assert_eq!(ring.message_count(), 2);
    let message = ring.pull(2).unwrap();
    assert!(message.is_empty());
    assert_eq!(message, []);
    assert_eq!(message.copy_to(&mut []).unwrap(), []);
    assert_eq!(ring.get().unwrap().as_slices(), (&[][..], &[][..]));
    Ok(())
}

#[test]
fn every_byte_can_be_used() -> Result<(), PutError> {
    let mut ring = ring_at(7);
    ring.put(1, b"123456789012")?;
    assert_eq!((ring.free(), ring.used(), ring.size()), (0, 16, 16));
    assert_eq!((ring.head(), ring.tail()), (7, 7));
    assert_eq!(ring.get().unwrap(), b"123456789012");
    Ok(())
}

#[test]
fn full_is_when_not_even_an_empty_message_fits() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 16]>::new();
    ring.put(1, &[0; 8])?;
    assert!(ring.fits(0) && !ring.fits(1) && !ring.is_full());
    let mut ring = Ring::<[u8; 16]>::new();
    ring.put(1, &[0; 9])?;
    assert_eq!(ring.free(), 3);
    assert!(!ring.fits(0) && ring.is_full());
    Ok(())
}

#[test]
fn a_pulled_message_leaves_a_hole() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    ring.put(1, b"first")?;
    ring.put(2, b"second")?;
    ring.put(3, b"third")?;
    assert_eq!(ring.pull(2).unwrap(), b"second");
    assert!(ring.ids().eq([1, 3]));
    assert_eq!((ring.message_count(), ring.used()), (2, 28));
    assert_eq!(ring.bytes()[9..19], *b"\0\0\0\x06second");

    assert_eq!(ring.get().unwrap(), b"first");
    assert_eq!(ring.used(), 19, "the hole is at the tail, and stays until the tail moves");
    assert_eq!(ring.get().unwrap(), b"third");
    assert_eq!(ring.used(), 0);
    Ok(())
}

#[test]
fn pulling_the_oldest_leaves_no_hole_but_does_not_pass_the_next_one() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    for id in 1..=3 {
        ring.put(id, &[])?;
    }
    ring.pull(2);
    ring.pull(1);
    assert_eq!((ring.tail(), ring.used()), (4, 8));
    ring.pull(3);
    assert_eq!((ring.tail(), ring.used()), (12, 0), "all holes, and the last message with them");
    Ok(())
}

#[test]
fn pull_takes_the_oldest_of_equal_ids() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 64]>::new();
    for payload in [b"a", b"b", b"c"] {
        ring.put(7, payload)?;
    }
    ring.put(8, b"d")?;
    assert_eq!(ring.pull(7).unwrap(), b"a");
    assert_eq!(ring.pull(7).unwrap(), b"b");
    assert!(ring.ids().eq([7, 8]));
    Ok(())
}

#[test]
fn what_is_not_there_cannot_be_pulled_and_changes_nothing() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    assert!(ring.pull(1).is_none());
    ring.put(1, b"a")?;
    ring.put(2, b"b")?;
    ring.pull(1);
    ring.put(3, b"c")?;
    ring.pull(2);
    let before = (ring.tail(), ring.head(), ring.used(), ring.bytes().to_vec());
    assert!(ring.pull(2).is_none());
    assert!(ring.pull(0).is_none(), "a hole is no message");
    assert_eq!((ring.tail(), ring.head(), ring.used(), ring.bytes().to_vec()), before);
    Ok(())
}

/// Three holes and nothing else: pulled from behind, so that the tail stays in front of them.
fn only_holes() -> Ring<[u8; 16]> {
    let mut ring = ring_at(12);
    for id in 1..=4 {
        ring.put(id, &[]).unwrap();
    }
    for id in [4, 3, 2, 1] {
        ring.pull(id).unwrap();
    }
    assert_eq!((ring.used(), ring.message_count()), (12, 0));
    ring
}

#[test]
fn a_ring_of_nothing_but_holes_is_empty() {
    let ring = only_holes();
    assert!(ring.is_empty());
    assert!(ring.peek().is_none());
    assert_eq!(ring.ids().next(), None);
    assert_eq!(ring.used(), 12, "looking does not move the tail");
}

#[test]
fn a_drain_loop_ends_at_the_last_message() {
    let mut ring = only_holes();
    ring.put(9, &[]).unwrap();
    let mut taken = 0;
    while !ring.is_empty() {
        assert_eq!(ring.get().unwrap().id(), 9);
        taken += 1;
    }
    assert_eq!(taken, 1);
}

#[test]
fn getting_nothing_frees_the_holes() {
    let mut ring = only_holes();
    assert!(!ring.is_full() && !ring.fits(1));
    assert_eq!(
        ring.put(5, b"12345678"),
        Err(PutError::Full { needed: 12, free: 4, reclaimable: 12 })
    );
    assert!(ring.get().is_none());
    assert_eq!((ring.used(), ring.tail()), (0, 12));
    assert_eq!(ring.put(5, b"12345678"), Ok(()));
}

#[test]
fn what_never_fits_is_told_from_what_does_not_fit_now() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 16]>::new();
    assert_eq!(ring.put(1, &[0; 13]), Err(PutError::NeverFits { needed: 17, size: 16 }));
    ring.put(1, &[0; 8])?;
    let full = PutError::Full { needed: 5, free: 4, reclaimable: 0 };
    assert_eq!(ring.put(2, &[0]), Err(full));
    assert_eq!(full.to_string(), "the message needs 5 bytes, 4 are free and 0 are in holes");
    Ok(())
}

#[test]
fn the_id_is_tested_before_the_length_and_the_length_before_the_space() {
    let mut ring = Ring::<[u8; 16]>::new();
    assert_eq!(ring.put(0, &[0; 65_536]), Err(PutError::ReservedId));
    assert_eq!(ring.put(1, &[0; 65_536]), Err(PutError::TooLong));
    assert_eq!(ring.put(1, &[0; 65_535]), Err(PutError::NeverFits { needed: 65_539, size: 16 }));
    assert!(!ring.fits(65_536) && !ring.fits(usize::MAX));
}

#[test]
fn the_longest_message_fits_a_ring_of_its_size() -> Result<(), PutError> {
    let mut buffer = vec![0; 65_539];
    let mut ring = Ring::over(&mut buffer).unwrap();
    let payload = (0..65_535).map(|at| at as u8).collect::<Vec<_>>();
    ring.put(65_535, &payload)?;
    assert_eq!(ring.free(), 0);
    assert_eq!(ring.get().unwrap(), payload[..]);
    Ok(())
}

#[test]
fn more_than_65_536_bytes_are_used_to_the_last() -> Result<(), PutError> {
    let mut buffer = vec![0; 70_000];
    let mut ring = Ring::over(&mut buffer).unwrap();
    assert!(ring.fits(65_535) && !ring.fits(65_536), "a message ends at 65,535, the ring does not");
    ring.put(1, &[1; 60_000])?;
    ring.put(2, &[2; 9_992])?;
    assert_eq!((ring.free(), ring.head()), (0, 0));
    ring.get();
    ring.put(3, &[3; 50_000])?;
    assert!(ring.ids().eq([2, 3]));
    assert_eq!(ring.pull(3).unwrap(), [3; 50_000]);
    Ok(())
}

#[test]
fn a_message_taken_stays_as_it_is_while_it_is_looked_at() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 16]>::new();
    ring.put(1, b"still here")?;
    let message = ring.get().unwrap();
    let copy = message;
    assert_eq!(copy, b"still here");
    assert_eq!(message, copy);
    assert_eq!(ring.free(), 16, "its room has been free since the get");
    Ok(())
}

#[test]
fn clear_forgets_and_begins_at_zero_and_wipes_nothing() -> Result<(), PutError> {
    let mut ring = ring_at(6);
    ring.put(1, b"abc")?;
    ring.put(2, &[])?;
    ring.pull(2);
    let bytes = ring.bytes().to_vec();
    ring.clear();
    assert_eq!((ring.head(), ring.tail(), ring.used(), ring.message_count()), (0, 0, 0, 0));
    assert_eq!(ring.bytes(), bytes);
    let refused = ring.put(1, &[0; 12]).and_then(|()| ring.put(2, &[]));
    assert_eq!(refused, Err(PutError::Full { needed: 4, free: 0, reclaimable: 0 }));
    Ok(())
}

#[test]
fn one_function_takes_rings_of_every_size() -> Result<(), PutError> {
    fn exchange(ring: &mut Ring, id: u16) -> Result<usize, PutError> {
        ring.put(id, b"in")?;
        assert!(ring.fits(0) && !ring.is_full() && !ring.is_empty());
        assert_eq!(ring.peek().unwrap(), b"in");
        assert!(ring.ids().eq([id]) && ring.iter().all(|message| message == b"in"));
        assert_eq!(ring.pull(id).unwrap(), b"in");
        assert!(ring.get().is_none());
        let state = (ring.head(), ring.tail(), ring.used(), ring.message_count());
        assert_eq!(state, (6, 6, 0, 0));
        ring.clear();
        Ok(ring.bytes().len() - ring.free())
    }
    let (mut small, mut large) = (Ring::<[u8; 10]>::new(), Ring::<[u8; 999]>::default());
    assert_eq!(exchange(&mut small, 1)?, 0);
    assert_eq!(exchange(&mut large, 2)?, 0);
    Ok(())
}

#[test]
fn a_ring_borrows_its_bytes_and_gives_them_back() -> Result<(), PutError> {
    let mut buffer = [0xFF; 12];
    let mut ring = Ring::over(&mut buffer).unwrap();
    assert_eq!(ring.bytes(), [0; 12], "as in every new ring");
    ring.put(1, b"abc")?;
    assert_eq!(buffer, *b"\0\x01\0\x03abc\0\0\0\0\0");
    Ok(())
}

#[test]
fn fewer_than_eight_bytes_are_refused_and_left_alone() {
    for len in 0..8 {
        let mut buffer = vec![0xFF; len];
        assert_eq!(Ring::over(&mut buffer).err(), Some(TooSmall));
        assert!(buffer.iter().all(|&byte| byte == 0xFF));
    }
    assert!(Ring::over(&mut [0; 8]).is_ok());
}

#[test]
fn the_iterators_know_how_many_are_left() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 64]>::new();
    for id in 1..=5 {
        ring.put(id, &[id as u8])?;
    }
    ring.pull(5);
    ring.pull(2);
    let mut messages = ring.iter();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages.next().unwrap(), [1]);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages.clone().count(), 2);
    assert_eq!(messages.by_ref().count(), 2);
    assert!(messages.next().is_none() && messages.next().is_none());
    assert_eq!(messages.len(), 0);
    assert_eq!(ring.ids().len(), 3);
    let mut sum = 0;
    for message in &ring {
        sum += u32::from(message.id());
    }
    assert_eq!(sum, 8);
    Ok(())
}

#[test]
fn a_ring_shows_its_messages() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    ring.put(7, b"21.5C")?;
    ring.put(8, b"\n\"\xFF")?;
    assert_eq!(
        format!("{ring:?}"),
        r#"Ring { size: 32, tail: 0, used: 16, messages: [Message(7, "21.5C"), Message(8, "\n\"\xff")] }"#
    );
    Ok(())
}

/// A ring can be a `static`: `new` is const.
static IN_A_STATIC: std::sync::Mutex<Ring<[u8; 16]>> = std::sync::Mutex::new(Ring::new());

#[test]
fn a_ring_lives_in_a_static_and_costs_four_words_beside_its_bytes() {
    IN_A_STATIC.lock().unwrap().put(1, b"x").unwrap();
    assert_eq!(size_of::<Ring<[u8; 16]>>(), 16 + 4 * size_of::<usize>());
}
