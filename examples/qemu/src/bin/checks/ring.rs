//! The ring, byte for byte, and against a queue that takes no care of bytes.

use ensue::{PutError, Ring};
use heapless::{Deque, Vec};
use port::{Timer, println};

pub(crate) fn every_byte_is_where_it_is_documented(_: &Timer) {
    let mut ring = Ring::<[u8; 16]>::new();
    ring.put(0x0102, b"abc").unwrap();
    ring.put(0x0304, b"").unwrap();
    assert_eq!(ring.bytes(), b"\x01\x02\0\x03abc\x03\x04\0\0\0\0\0\0\0");
    assert_eq!((ring.head(), ring.tail(), ring.used()), (11, 0, 11));

    assert!(ring.get().is_some_and(|message| message.id() == 0x0102 && message == b"abc"));
    // Its header lies before the end of the storage, its payload over it.
    ring.put(0x0506, b"defg").unwrap();
    assert_eq!(ring.bytes(), b"efg\x03abc\x03\x04\0\0\x05\x06\0\x04d");
    assert_eq!((ring.head(), ring.tail(), ring.used()), (3, 7, 12));
    assert!(ring.peek().is_some_and(|message| message.id() == 0x0304 && message.is_empty()));
    assert!(ring.ids().eq([0x0304, 0x0506]));

    // Out of the middle: a hole stays, and is passed over.
    ring.put(0x0708, b"").unwrap();
    assert!(ring.is_full());
    assert_eq!(ring.put(9, b""), Err(PutError::Full { needed: 4, free: 0, reclaimable: 0 }));
    assert!(ring.pull(0x0506).is_some_and(|message| message == b"defg"));
    assert!(ring.pull(0x0506).is_none());
    assert_eq!(ring.bytes(), b"efg\x07\x08\0\0\x03\x04\0\0\0\0\0\x04d");
    assert!(ring.ids().eq([0x0304, 0x0708]));
    assert_eq!(ring.get().map(|message| message.id()), Some(0x0304));
    assert_eq!(ring.get().map(|message| message.id()), Some(0x0708));
    assert!(ring.get().is_none() && ring.is_empty());
}

/// Ten thousand steps of an arbitrary program.
pub(crate) fn it_does_what_a_queue_of_vectors_does(_: &Timer) {
    let mut ring = Ring::<[u8; 61]>::new();
    let mut model = Deque::<(u16, Vec<u8, 32>), 16>::new();
    let (mut seed, mut taken) = (1_u32, 0_u32);
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % below
    };
    for step in 0..10_000 {
        let id = random(9) as u16;
        match random(8) {
            0..4 => {
                let payload: Vec<u8, 32> = (0..random(30)).map(|n| (step + n) as u8).collect();
                let fits = ring.free() >= 4 + payload.len() && id != 0;
                assert_eq!(ring.put(id, &payload).is_ok(), fits, "step {step}");
                if fits {
                    model.push_back((id, payload)).expect("61 bytes hold 15 messages");
                }
            }
            4..6 => {
                let (message, expected) = (ring.get(), model.pop_front());
                assert_eq!(message.is_some(), expected.is_some(), "step {step}");
                if let (Some(message), Some((id, payload))) = (message, expected) {
                    assert!(message.id() == id && message == payload[..], "step {step}");
                    taken += 1;
                }
            }
            _ => {
                let at = model.iter().position(|(other, _)| *other == id);
                let expected = at.map(|at| remove(&mut model, at));
                let message = ring.pull(id);
                assert_eq!(message.is_some(), expected.is_some(), "step {step}");
                if let (Some(message), Some(payload)) = (message, expected) {
                    assert!(message == payload[..], "step {step}");
                    taken += 1;
                }
            }
        }
        assert!(ring.ids().eq(model.iter().map(|(id, _)| *id)), "step {step}");
    }
    println!("  {taken} messages went through");
}

fn remove(model: &mut Deque<(u16, Vec<u8, 32>), 16>, at: usize) -> Vec<u8, 32> {
    let mut removed = Vec::new();
    for place in 0..model.len() {
        let Some((id, payload)) = model.pop_front() else { break };
        if place == at {
            removed = payload;
        } else {
            _ = model.push_back((id, payload));
        }
    }
    removed
}
