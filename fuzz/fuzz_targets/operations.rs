//! Every operation against a model, on a plain ring, on one that remembers, and on a split one as
//! far as it has them; after each the invariants.
#![no_main]

use std::collections::VecDeque;

use arbitrary::Arbitrary;
use critical_section as _;
use ensue::Ring;
use ensue::ring::{SplitRing, Track};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op {
    Put(u8, u8),
    PutParts(u8, u8),
    PutFmt(u8, u8),
    Abandon(u8, u8),
    Get,
    Peek,
    Pull(u8),
    Discard(u8),
    Trim,
    GetInto(u8),
    PullInto(u8, u8),
    PullAll(u8),
    Retain(u8),
    PutCompacting(u8, u8),
    PutEvicting(u8, u8),
    Compact,
    CompactStep(u8),
    Clear,
}

/// The size of the split ring, which is a constant.
const SPLIT: usize = 61;

fuzz_target!(|input: (u8, Vec<Op>)| {
    let (size, ops) = input;
    whole_rings(8 + usize::from(size), &ops);
    split_ring(&ops);
});

/// Messages, oldest first.
type Messages = VecDeque<(u16, Vec<u8>)>;

fn whole_rings(size: usize, ops: &[Op]) {
    let (mut plain, mut tracked) = (vec![0; size], vec![0; size]);
    let mut plain = Ring::over(&mut plain).unwrap();
    let mut tracked = Ring::tracked_over(&mut tracked).unwrap();
    let mut model = Messages::new();
    let mut high_water = 0;
    for (count, op) in ops.iter().enumerate() {
        let result = apply(&mut plain, *op, count);
        assert_eq!(result, apply(&mut tracked, *op, count));
        expect(&mut model, *op, count, &plain, &result);
        check(&plain, &model);
        let state = (plain.tail(), plain.used(), plain.message_count(), plain.reclaimable());
        let same = (tracked.tail(), tracked.used(), tracked.message_count(), tracked.reclaimable());
        assert_eq!((state, plain.bytes()), (same, tracked.bytes()));
        high_water = high_water.max(plain.used());
        assert_eq!(tracked.high_water(), high_water);
    }
}

fn payload(len: u8, count: usize) -> Vec<u8> {
    (0..len).map(|at| at.wrapping_add(count as u8)).collect()
}

fn apply<T: Track>(ring: &mut Ring<&mut [u8], T>, op: Op, count: usize) -> String {
    match op {
        Op::Put(id, len) => format!("{:?}", ring.put(id.into(), &payload(len, count))),
        Op::PutParts(id, len) => {
            let payload = payload(len, count);
            let (first, second) = payload.split_at(usize::from(len) / 3);
            format!("{:?}", ring.put_parts(id.into(), &[first, second]))
        }
        Op::PutFmt(id, len) => {
            let result = ring.put_fmt(id.into(), len.into(), format_args!("{count}"));
            format!("{result:?}")
        }
        Op::Abandon(id, len) => {
            let Ok(mut message) = ring.reserve(id.into(), len.into()) else { return String::new() };
            message.push(&payload(len, count)).unwrap();
            if count % 2 == 0 {
                let _forgotten = std::mem::ManuallyDrop::new(message);
            }
            String::new()
        }
        Op::Get => format!("{:?}", ring.get()),
        Op::Peek => format!("{:?}", ring.peek()),
        Op::Pull(id) => format!("{:?}", ring.pull(id.into())),
        Op::Discard(id) => format!("{:?}", ring.discard(id.into())),
        Op::Trim => format!("{:?}", ring.trim()),
        Op::GetInto(room) => format!("{:?}", ring.get_into(&mut vec![0; room.into()])),
        Op::PullInto(id, room) => {
            format!("{:?}", ring.pull_into(id.into(), &mut vec![0; room.into()]))
        }
        Op::PullAll(id) => format!("{:?}", ring.pull_all(id.into(), |_| ())),
        Op::Retain(bits) => format!("{:?}", ring.retain(|message| kept(bits, message.id()))),
        Op::PutCompacting(id, len) => {
            format!("{:?}", ring.put_compacting(id.into(), &payload(len, count)))
        }
        Op::PutEvicting(id, len) => {
            format!("{:?}", ring.put_evicting(id.into(), &payload(len, count), |_| ()))
        }
        Op::Compact => format!("{:?}", ring.compact()),
        Op::CompactStep(budget) => format!("{:?}", ring.compact_step(budget.into())),
        Op::Clear => {
            ring.clear();
            String::new()
        }
    }
}

fn kept(bits: u8, id: u16) -> bool {
    bits >> (id % 8) & 1 == 1
}

/// What became of the messages. Whether there was room is the ring's to say, and checked for
/// sense by [`check`]; what it said must be what it did.
fn expect(model: &mut Messages, op: Op, count: usize, ring: &Ring<&mut [u8]>, result: &str) {
    let pull = |model: &mut Messages, id: u8, room: usize| {
        let at = model.iter().position(|message| message.0 == u16::from(id));
        if let Some(at) = at.filter(|&at| model[at].1.len() <= room) {
            model.remove(at);
        }
    };
    match op {
        Op::Put(id, len) | Op::PutParts(id, len) | Op::PutCompacting(id, len) => {
            if result.starts_with("Ok") {
                model.push_back((id.into(), payload(len, count)));
            } else if matches!(op, Op::PutCompacting(..)) && id != 0 {
                let live: usize = model.iter().map(|message| 4 + message.1.len()).sum();
                assert!(ring.size() - live < 4 + usize::from(len), "there was room");
            }
        }
        Op::PutFmt(id, _) => {
            if result.starts_with("Ok") {
                model.push_back((id.into(), count.to_string().into_bytes()));
            }
        }
        Op::PutEvicting(id, len) => {
            if result.starts_with("Ok") {
                model.push_back((id.into(), payload(len, count)));
                while model.len() > ring.message_count() {
                    model.pop_front();
                }
            } else {
                assert!(id == 0 || 4 + usize::from(len) > ring.size());
            }
        }
        Op::Get => _ = model.pop_front(),
        Op::GetInto(room) => {
            if model.front().is_some_and(|message| message.1.len() <= room.into()) {
                model.pop_front();
            }
        }
        Op::Pull(id) | Op::Discard(id) => pull(model, id, usize::MAX),
        Op::PullInto(id, room) => pull(model, id, room.into()),
        Op::PullAll(id) => model.retain(|message| message.0 != id.into()),
        Op::Retain(bits) => model.retain(|message| kept(bits, message.0)),
        Op::Clear => model.clear(),
        Op::Compact => assert_eq!(ring.reclaimable(), 0),
        Op::Abandon(..) | Op::Peek | Op::Trim | Op::CompactStep(_) => {}
    }
}

/// The messages are the model's; records fill the used bytes, and the counts are theirs.
fn check(ring: &Ring<&mut [u8]>, model: &Messages) {
    assert!(ring.iter().map(|message| message.id()).eq(model.iter().map(|message| message.0)));
    for (message, expected) in ring.iter().zip(model) {
        assert!(message == expected.1[..]);
    }
    let live: usize = model.iter().map(|message| 4 + message.1.len()).sum();
    assert_eq!(live + ring.reclaimable(), ring.used());
    assert_eq!(ring.message_count(), model.len());
    let mut image = ring.bytes().to_vec();
    let again = Ring::from_parts(&mut image[..], ring.head(), ring.tail(), ring.used());
    let again = again.expect("our own image");
    assert_eq!((again.reclaimable(), again.hole_count()), (ring.reclaimable(), ring.hole_count()));
}

fn split_ring(ops: &[Op]) {
    let split = SplitRing::<SPLIT>::new();
    let (mut writer, mut reader) = split.split().unwrap();
    let mut ring = Ring::<[u8; SPLIT]>::new();
    for (count, op) in ops.iter().enumerate() {
        match *op {
            Op::Put(id, len) => {
                let payload = payload(len, count);
                let result = writer.put(id.into(), &payload);
                assert_eq!(result.is_ok(), ring.put(id.into(), &payload).is_ok());
            }
            Op::PutFmt(id, len) => {
                let result = writer.put_fmt(id.into(), len.into(), format_args!("{count}"));
                let same = ring.put_fmt(id.into(), len.into(), format_args!("{count}"));
                assert_eq!(result.is_ok(), same.is_ok());
            }
            Op::Abandon(id, len) => _ = writer.reserve(id.into(), len.into()).map(drop),
            Op::Get => assert_eq!(reader.get(), ring.get()),
            Op::Peek => assert_eq!(reader.peek(), ring.peek()),
            Op::Pull(id) => assert_eq!(reader.pull(id.into()), ring.pull(id.into())),
            Op::Discard(id) => assert_eq!(reader.discard(id.into()), ring.discard(id.into())),
            Op::Trim => {
                reader.trim();
                ring.trim();
            }
            _ => continue,
        }
        assert!(reader.iter().eq(ring.iter()));
        assert_eq!((reader.used(), writer.free()), (ring.used(), ring.free()));
    }
}
