//! The two halves of a split ring: together they are a ring, and apart nothing is lost.
#![cfg(not(loom))]

use std::thread;

use ensue::ring::SplitRing;
use ensue::{PutError, Ring};
use proptest::prelude::*;

#[test]
fn a_static_hands_out_its_halves_once() {
    static RING: SplitRing<16> = SplitRing::new();
    let (mut writer, mut reader) = RING.split().unwrap();
    assert!(RING.split().is_none());
    writer.put(1, b"x").unwrap();
    assert_eq!(reader.get().unwrap(), b"x");
    let _ = (writer, reader);
    assert!(RING.split().is_none(), "not even when they are gone");
}

#[test]
fn what_was_taken_keeps_its_bytes_while_it_is_looked_at() -> Result<(), PutError> {
    let ring = SplitRing::<16>::new();
    let (mut writer, mut reader) = ring.split().unwrap();
    writer.put(1, b"12345678")?;
    let message = reader.get().unwrap();
    let full = PutError::Full { needed: 8, free: 4, reclaimable: 0 };
    assert_eq!(writer.put(2, b"long"), Err(full));
    writer.put(2, b"")?;
    assert_eq!(message, b"12345678");
    assert_eq!(reader.message_count(), 1);
    assert_eq!(writer.free(), 12, "the reader was called, and let go of it");
    Ok(())
}

#[test]
fn a_dropped_or_forgotten_reservation_is_never_seen() -> Result<(), PutError> {
    let ring = SplitRing::<16>::new();
    let (mut writer, mut reader) = ring.split().unwrap();
    for forget in [false, true] {
        let mut message = writer.reserve(1, 12)?;
        message.push(b"hidden")?;
        if forget {
            _ = std::mem::ManuallyDrop::new(message);
        }
        assert!(reader.is_empty() && reader.used() == 0);
    }
    writer.put_parts(2, &[b"a", b"b"])?;
    writer.put_fmt(3, 6, format_args!("{}", 12))?;
    let overrun = PutError::Overrun { max: 1 };
    reader.get();
    reader.release();
    assert_eq!(writer.put_fmt(4, 1, format_args!("12")), Err(overrun));
    assert!(reader.ids().eq([3]));
    assert_eq!(
        reader.refused(),
        1,
        "a text that does not fit is not put; a dropped draft is no loss"
    );
    assert_eq!(reader.peek().unwrap(), b"12");
    Ok(())
}

#[test]
fn refusals_are_those_of_a_ring() {
    let ring = SplitRing::<16>::new();
    let (mut writer, reader) = ring.split().unwrap();
    assert_eq!(writer.put(0, &[0; 65_536]), Err(PutError::ReservedId));
    assert_eq!(writer.put(1, &[0; 65_536]), Err(PutError::TooLong));
    assert_eq!(writer.put(1, &[0; 13]), Err(PutError::NeverFits { needed: 17, size: 16 }));
    assert_eq!(writer.put(1, &[0; 12]), Ok(()));
    assert_eq!(writer.put(1, &[]), Err(PutError::Full { needed: 4, free: 0, reclaimable: 0 }));
    assert_eq!(reader.refused(), 4, "each is counted, where the reader can see it");
    assert!(writer.reserve(1, 1).is_err() && writer.put_parts(1, &[&[], &[7]]).is_err());
    assert_eq!(reader.refused(), 6);
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Put(u16, usize),
    PutParts(u16, usize),
    Get,
    Peek,
    Pull(u16),
    Discard(u16),
    Trim,
    Ids,
}

fn op() -> impl Strategy<Value = Op> {
    let (id, len) = (|| 0..6_u16, || 0..14_usize);
    prop_oneof![
        6 => (id(), len()).prop_map(|(id, len)| Op::Put(id, len)),
        2 => (id(), len()).prop_map(|(id, len)| Op::PutParts(id, len)),
        3 => Just(Op::Get),
        1 => Just(Op::Peek),
        4 => id().prop_map(Op::Pull),
        1 => id().prop_map(Op::Discard),
        1 => Just(Op::Trim),
        1 => Just(Op::Ids),
    ]
}

const SIZE: usize = 41;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 3 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_halves_together_do_what_a_ring_does(ops in prop::collection::vec(op(), 1..if cfg!(miri) { 40 } else { 120 })) {
        let split = SplitRing::<SIZE>::new();
        let (mut writer, mut reader) = split.split().unwrap();
        let mut ring = Ring::<[u8; SIZE]>::new();
        for (count, op) in ops.into_iter().enumerate() {
            let payload: Vec<u8> = (0..14).map(|at| (at + 16 * count) as u8).collect();
            match op {
                Op::Put(id, len) => {
                    let result = writer.put(id, &payload[..len]);
                    assert_eq!(result.is_ok(), ring.put(id, &payload[..len]).is_ok());
                }
                Op::PutParts(id, len) => {
                    let (first, second) = payload[..len].split_at(len / 2);
                    let result = writer.put_parts(id, &[first, second]);
                    assert_eq!(result.is_ok(), ring.put(id, &payload[..len]).is_ok());
                }
                Op::Get => assert_eq!(reader.get(), ring.get()),
                Op::Peek => assert_eq!(reader.peek(), ring.peek()),
                Op::Pull(id) => assert_eq!(reader.pull(id), ring.pull(id)),
                Op::Discard(id) => assert_eq!(reader.discard(id), ring.discard(id)),
                Op::Trim => {
                    reader.trim();
                    ring.trim();
                }
                Op::Ids => assert!(reader.ids().eq(ring.ids())),
            }
            assert!(reader.iter().eq(ring.iter()));
            assert_eq!((reader.used(), reader.message_count()), (ring.used(), ring.message_count()));
            assert_eq!(writer.free(), ring.free());
        }
    }
}

/// One thread writes numbered messages of all lengths, the other gets and pulls them.
#[test]
fn nothing_is_lost_and_nothing_invented_between_two_threads() {
    static RING: SplitRing<67> = SplitRing::new();
    let count: u32 = if cfg!(miri) { 40 } else { 4_000 };
    let (mut writer, mut reader) = RING.split().unwrap();
    let writing = thread::spawn(move || {
        let mut refused = 0;
        for number in 0..count {
            let payload = payload(number);
            while writer.put(1 + (number % 3) as u16, &payload).is_err() {
                refused += 1;
                thread::yield_now();
            }
        }
        refused
    });
    // What comes next of each id: they stay in order among themselves.
    let mut next = [0, 1, 2];
    let (mut pulled, mut got) = (0, 0);
    for poll in 0_u32.. {
        if pulled + got == count {
            break;
        }
        let (message, counter) = match poll % 4 {
            3 => (reader.get(), &mut got),
            id => (reader.pull(1 + id as u16), &mut pulled),
        };
        match message {
            Some(message) => {
                check(message, &mut next);
                *counter += 1;
            }
            None => thread::yield_now(),
        }
    }
    assert!(pulled > 0 && got > 0);
    assert_eq!(writing.join().unwrap(), reader.refused());
    assert!(reader.is_empty());
}

fn payload(number: u32) -> Vec<u8> {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(4 + (number % 13) as usize, number as u8);
    payload
}

fn check(message: ensue::Message<'_>, next: &mut [u32; 3]) {
    let at = usize::from(message.id() - 1);
    assert_eq!(message, payload(next[at])[..]);
    next[at] += 3;
}
