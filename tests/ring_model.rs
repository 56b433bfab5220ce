//! The ring against a model: a `VecDeque` of records, holes included, and a few lines that say when
//! the tail moves. After every operation the two are compared down to the bytes.

use std::collections::VecDeque;

use ensue::{Message, PutError, Ring};
use proptest::prelude::*;

/// What the ring promises, without a byte of layout.
struct Model {
    size: usize,
    tail: usize,
    /// Oldest first; the id 0 is a hole.
    records: VecDeque<(u16, Vec<u8>)>,
}

impl Model {
    fn put(&mut self, id: u16, payload: &[u8]) -> Result<(), PutError> {
        let (size, needed, free) = (self.size, 4 + payload.len(), self.size - self.used());
        match payload.len() {
            _ if id == 0 => Err(PutError::ReservedId),
            65_536.. => Err(PutError::TooLong),
            _ if needed > size => Err(PutError::NeverFits { needed, size }),
            _ if needed > free => {
                let holes = self.records.iter().filter(|(id, _)| *id == 0);
                let reclaimable = holes.map(|(_, payload)| 4 + payload.len()).sum();
                Err(PutError::Full { needed, free, reclaimable })
            }
            _ => {
                self.records.push_back((id, payload.to_vec()));
                Ok(())
            }
        }
    }

    fn get(&mut self) -> Option<(u16, Vec<u8>)> {
        self.drop_holes();
        self.drop_first()
    }

    fn pull(&mut self, id: u16) -> Option<(u16, Vec<u8>)> {
        let at = self.records.iter().position(|record| id != 0 && record.0 == id)?;
        let found = self.records[at].clone();
        self.records[at].0 = 0;
        if at == 0 {
            self.drop_first();
        } else {
            self.drop_holes();
        }
        Some(found)
    }

    fn drop_holes(&mut self) {
        while self.records.front().is_some_and(|record| record.0 == 0) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) -> Option<(u16, Vec<u8>)> {
        let record = self.records.pop_front()?;
        self.tail = (self.tail + 4 + record.1.len()) % self.size;
        Some(record)
    }

    fn used(&self) -> usize {
        self.records.iter().map(|record| 4 + record.1.len()).sum()
    }

    fn messages(&self) -> Vec<(u16, Vec<u8>)> {
        self.records.iter().filter(|record| record.0 != 0).cloned().collect()
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// Puts so many bytes that begin with one of this value.
    Put(u16, usize, u8),
    Get,
    Peek,
    Pull(u16),
    Clear,
}

/// Few ids, so that most pulls find something, and the ones whose two bytes could be mixed up.
fn id() -> impl Strategy<Value = u16> {
    prop_oneof![8 => 1..6_u16, 1 => Just(0), 1 => prop_oneof![Just(256), Just(65_535)]]
}

fn op(size: usize) -> impl Strategy<Value = Op> {
    let len = prop_oneof![
        6 => 0..=(size / 4).min(40),
        2 => 0..=size / 2,
        1 => size.saturating_sub(8)..=size + 1,
        1 => Just(0),
    ];
    prop_oneof![
        10 => (id(), len, any::<u8>()).prop_map(|(id, len, first)| Op::Put(id, len, first)),
        5 => Just(Op::Get),
        1 => Just(Op::Peek),
        6 => id().prop_map(Op::Pull),
        1 => prop_oneof![9 => Just(Op::Get), 1 => Just(Op::Clear)],
    ]
}

fn payload(len: usize, first: u8) -> Vec<u8> {
    (0..len).map(|at| first.wrapping_add((at * 7 + at / 256) as u8)).collect()
}

fn run(size: usize, ops: Vec<Op>) {
    let mut buffer = vec![0; size];
    let mut ring = Ring::over(&mut buffer).unwrap();
    let mut model = Model { size, tail: 0, records: VecDeque::new() };
    for op in ops {
        match op {
            Op::Put(id, len, first) => {
                let payload = payload(len, first);
                let has_room = ring.free() >= 4 + len;
                let fits = ring.fits(len);
                let result = ring.put(id, &payload);
                assert_eq!(result, model.put(id, &payload), "{op:?}");
                assert_eq!(fits, has_room && len <= 65_535, "{op:?}");
                assert_eq!(result.is_ok(), fits && id != 0, "{op:?}");
            }
            Op::Get => compare(ring.get(), model.get()),
            Op::Peek => compare(ring.peek(), model.messages().first().cloned()),
            Op::Pull(id) => compare(ring.pull(id), model.pull(id)),
            Op::Clear => {
                ring.clear();
                model = Model { size, tail: 0, records: VecDeque::new() };
            }
        }
        check(&ring, &model);
    }
}

fn compare(found: Option<Message>, expected: Option<(u16, Vec<u8>)>) {
    let (Some(message), Some((id, payload))) = (found, expected.clone()) else {
        assert!(found.is_none() && expected.is_none(), "{found:?}, and the model {expected:?}");
        return;
    };
    assert_eq!(message.id(), id);
    assert_eq!(message, payload[..]);
    assert_eq!((message.len(), message.is_empty()), (payload.len(), payload.is_empty()));
    let (first, second) = message.as_slices();
    assert_eq!([first, second].concat(), payload);
    assert_eq!(message.as_contiguous(), second.is_empty().then_some(&payload[..]));
    assert!(message.bytes().eq(payload.iter().copied()));
    let mut buffer = vec![0; payload.len() + 1];
    assert_eq!(message.copy_to(&mut buffer).unwrap(), payload);
    let short = payload.len().saturating_sub(1);
    assert_eq!(message.copy_to(&mut buffer[..short]).is_err(), !payload.is_empty());
}

fn check(ring: &Ring<&mut [u8]>, model: &Model) {
    let (size, used, messages) = (model.size, model.used(), model.messages());
    assert_eq!((ring.size(), ring.used(), ring.free()), (size, used, size - used));
    assert_eq!((ring.tail(), ring.head()), (model.tail, (model.tail + used) % size));
    assert_eq!(ring.message_count(), messages.len());
    assert_eq!(ring.is_empty(), messages.is_empty());
    assert_eq!(ring.is_full(), size - used < 4);
    assert!(ring.ids().eq(messages.iter().map(|message| message.0)));
    assert_eq!((ring.ids().len(), ring.iter().len()), (messages.len(), messages.len()));
    for (message, expected) in ring.iter().zip(&messages) {
        assert_eq!((message.id(), message == expected.1[..]), (expected.0, true));
    }
    // The promise to everybody who reads the same memory: the records, packed, from the tail on.
    let mut bytes = ring.bytes().iter().cycle().skip(ring.tail());
    for (id, payload) in &model.records {
        let header = [id.to_be_bytes(), (payload.len() as u16).to_be_bytes()].concat();
        assert!(header.iter().chain(payload).all(|byte| bytes.next() == Some(byte)));
    }
}

proptest! {
    #[test]
    fn a_small_ring_does_what_the_model_does(
        (size, ops) in (8..=257_usize)
            .prop_flat_map(|size| (Just(size), prop::collection::vec(op(size), 1..150))),
    ) {
        run(size, ops);
    }

    #[test]
    fn the_smallest_rings_do_what_the_model_does(
        (size, ops) in (8..=24_usize)
            .prop_flat_map(|size| (Just(size), prop::collection::vec(op(size), 1..150))),
    ) {
        run(size, ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_large_ring_does_what_the_model_does(
        (size, ops) in prop_oneof![Just(4096_usize), Just(65_535), Just(65_543), Just(70_000)]
            .prop_flat_map(|size| (Just(size), prop::collection::vec(op(size), 1..60))),
    ) {
        run(size, ops);
    }
}
