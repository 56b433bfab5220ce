//! Room reclaimed: against a model that knows messages and their sizes, and a ring that remembers
//! beside one that does not.

use std::collections::VecDeque;

use ensue::ring::{Evicted, Track};
use ensue::{PutError, Ring};
use proptest::prelude::*;

#[test]
fn trimming_frees_the_holes_in_front_and_no_others() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 64]>::new();
    for id in 1..=6 {
        ring.put(id, b"x")?;
    }
    for id in [5, 3, 2, 1] {
        ring.pull(id);
    }
    assert_eq!((ring.tail(), ring.reclaimable(), ring.hole_count()), (5, 15, 3));
    assert_eq!(ring.trim(), 10);
    assert_eq!((ring.tail(), ring.reclaimable(), ring.hole_count()), (15, 5, 1));
    assert_eq!(ring.trim(), 0);
    assert!(ring.ids().eq([4, 6]));
    Ok(())
}

#[test]
fn compacting_moves_messages_around_the_end() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    ring.put(9, &[9; 12])?;
    ring.put(1, b"abc")?;
    ring.get();
    ring.put(2, b"hole")?;
    ring.put(3, b"defghijk")?;
    ring.put(4, b"")?;
    ring.pull(2);
    assert_eq!((ring.tail(), ring.head()), (16, 15));
    assert_eq!(ring.put(5, b"12345"), Err(PutError::Full { needed: 9, free: 1, reclaimable: 8 }));
    assert_eq!(ring.put_compacting(5, b"12345"), Ok(()));
    assert_eq!((ring.tail(), ring.head(), ring.free()), (16, 16, 0));
    assert_eq!(ring.get().unwrap(), b"abc");
    assert_eq!(ring.get().unwrap(), b"defghijk");
    assert_eq!(ring.get().unwrap(), b"");
    assert_eq!(ring.get().unwrap(), b"12345");
    Ok(())
}

#[test]
fn a_put_that_compacting_does_not_help_moves_nothing() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 16]>::new();
    for id in 1..=4 {
        ring.put(id, b"")?;
    }
    ring.pull(2);
    let before = ring.bytes().to_vec();
    let full = PutError::Full { needed: 5, free: 0, reclaimable: 4 };
    assert_eq!(ring.put_compacting(5, b"x"), Err(full));
    assert_eq!(ring.put_compacting(0, b""), Err(PutError::ReservedId));
    let never = PutError::NeverFits { needed: 17, size: 16 };
    assert_eq!(ring.put_compacting(5, &[0; 13]), Err(never));
    assert_eq!((ring.bytes(), ring.reclaimable()), (&before[..], 4));
    assert_eq!(ring.put_compacting(5, b""), Ok(()));
    assert!(ring.ids().eq([1, 3, 4, 5]));
    Ok(())
}

#[test]
fn a_message_longer_than_the_budget_is_moved_alone() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 64]>::new();
    ring.put(1, b"")?;
    ring.put(2, b"ab")?;
    ring.put(3, &[3; 20])?;
    ring.put(4, b"cd")?;
    ring.pull(2);
    assert_eq!(ring.compact_step(1), 6);
    assert_eq!(ring.bytes()[28..32], [0, 0, 0, 2], "the hole is behind the long message now");
    assert!(ring.ids().eq([1, 3, 4]));
    assert_eq!(ring.compact_step(1), 0);
    assert_eq!((ring.used(), ring.head()), (34, 34));
    Ok(())
}

#[test]
fn a_gap_longer_than_a_hole_can_be_is_several_holes() -> Result<(), PutError> {
    let mut buffer = vec![0; 150_000];
    let mut ring = Ring::over(&mut buffer).unwrap();
    ring.put(1, b"first")?;
    for (id, len) in [(2, 65_535), (3, 1), (4, 65_535)] {
        ring.put(id, &vec![0; len])?;
    }
    ring.put(5, b"last but one")?;
    ring.put(6, b"last")?;
    for id in 2..=4 {
        ring.pull(id);
    }
    let holes = 65_539 + 5 + 65_539;
    assert_eq!(ring.compact_step(1), holes);
    assert!(ring.ids().eq([1, 5, 6]));
    assert_eq!(ring.hole_count(), 3);
    assert_eq!(ring.compact(), holes);
    assert_eq!(ring.get().unwrap(), b"first");
    assert_eq!(ring.get().unwrap(), b"last but one");
    assert_eq!(ring.get().unwrap(), b"last");
    Ok(())
}

#[test]
fn the_oldest_are_evicted_and_told_about() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 32]>::new();
    for (id, payload) in [(1, b"aaaa"), (2, b"bbbb"), (3, b"cccc"), (4, b"dddd")] {
        ring.put(id, payload)?;
    }
    ring.pull(2);
    let mut gone = Vec::new();
    let mut note = |message: ensue::Message<'_>| gone.push((message.id(), message.len()));
    assert_eq!(ring.put_evicting(5, b"eeee", &mut note)?, Evicted { messages: 1, bytes: 8 });
    assert_eq!(ring.put_evicting(6, b"12345678", &mut note)?, Evicted { messages: 1, bytes: 8 });
    assert_eq!(gone, [(1, 4), (3, 4)]);
    assert!(ring.ids().eq([4, 5, 6]));
    Ok(())
}

#[test]
fn what_never_fits_evicts_nothing() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 16]>::new();
    ring.put(1, &[0; 12])?;
    for (id, len) in [(0, 0), (1, 13), (1, 65_536)] {
        let error = ring.put(id, &vec![0; len]).unwrap_err();
        assert_eq!(ring.put_evicting(id, &vec![0; len], |_| unreachable!()), Err(error));
    }
    assert!(ring.ids().eq([1]));
    Ok(())
}

#[test]
fn evicting_frees_holes_when_no_message_is_left() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 16]>::new();
    for id in 1..=4 {
        ring.put(id, b"")?;
    }
    for id in [4, 3, 2, 1] {
        ring.pull(id);
    }
    assert_eq!((ring.used(), ring.message_count()), (12, 0));
    let nothing = Evicted { messages: 0, bytes: 0 };
    assert_eq!(ring.put_evicting(5, &[5; 12], |_| unreachable!())?, nothing);
    Ok(())
}

#[test]
fn the_high_water_mark_stays() -> Result<(), PutError> {
    let mut ring = Ring::<[u8; 64], _>::tracked();
    ring.put_parts(1, &[b"12", b"345678"])?;
    ring.put_fmt(2, 20, format_args!("{}", 1))?;
    ring.clear();
    ring.put(3, b"")?;
    assert_eq!((ring.used(), ring.high_water()), (4, 17));
    Ok(())
}

#[test]
fn everything_remembered_takes_seven_words_and_nothing_four() {
    let word = size_of::<usize>();
    assert_eq!(size_of_val(&Ring::<[u8; 16]>::new()), 16 + 4 * word);
    assert_eq!(size_of_val(&Ring::<[u8; 16], _>::tracked()), 16 + 7 * word);
}

/// The ring with messages and without bytes: what compacting, evicting and the rest promise.
struct Model {
    size: usize,
    /// Oldest first; the id 0 is a hole.
    records: VecDeque<(u16, Vec<u8>)>,
}

impl Model {
    fn messages(&self) -> impl Iterator<Item = &(u16, Vec<u8>)> {
        self.records.iter().filter(|record| record.0 != 0)
    }

    fn used(&self) -> usize {
        self.records.iter().map(len).sum()
    }

    fn holes(&self) -> usize {
        self.records.iter().filter(|record| record.0 == 0).map(len).sum()
    }

    fn trim(&mut self) {
        while self.records.front().is_some_and(|record| record.0 == 0) {
            self.records.pop_front();
        }
    }

    fn pull(&mut self, id: u16) -> Option<Vec<u8>> {
        let at = self.records.iter().position(|record| id != 0 && record.0 == id)?;
        let payload = self.records[at].1.clone();
        if at == 0 {
            self.records.pop_front();
        } else {
            self.records[at].0 = 0;
            self.trim();
        }
        Some(payload)
    }
}

fn len(record: &(u16, Vec<u8>)) -> usize {
    4 + record.1.len()
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Put(u16, usize),
    PutCompacting(u16, usize),
    PutEvicting(u16, usize),
    PutParts(u16, usize),
    Get,
    Pull(u16),
    PullInto(u16, usize),
    PullAll(u16),
    Retain(u8),
    Trim,
    Compact,
    CompactStep(usize),
    Clear,
}

fn op(size: usize) -> impl Strategy<Value = Op> {
    // Few ids, so that most are there and some are not; some are polled for again and again.
    let id = || prop_oneof![8 => 1..6_u16, 1 => 0..=u16::MAX];
    let len = move || prop_oneof![8 => 0..=(size / 5).min(40), 1 => 0..=size + 1];
    prop_oneof![
        8 => (id(), len()).prop_map(|(id, len)| Op::Put(id, len)),
        3 => (id(), len()).prop_map(|(id, len)| Op::PutCompacting(id, len)),
        2 => (id(), len()).prop_map(|(id, len)| Op::PutEvicting(id, len)),
        1 => (id(), len()).prop_map(|(id, len)| Op::PutParts(id, len)),
        4 => Just(Op::Get),
        8 => id().prop_map(Op::Pull),
        2 => (id(), 0..20_usize).prop_map(|(id, room)| Op::PullInto(id, room)),
        1 => id().prop_map(Op::PullAll),
        1 => any::<u8>().prop_map(Op::Retain),
        1 => Just(Op::Trim),
        1 => Just(Op::Compact),
        4 => (0..60_usize).prop_map(Op::CompactStep),
        1 => prop_oneof![9 => Just(Op::Get), 1 => Just(Op::Clear)],
    ]
}

/// Does it and says what came of it, so that two rings can be compared.
fn apply<T: Track>(ring: &mut Ring<&mut [u8], T>, op: Op, payload: &[u8]) -> String {
    match op {
        Op::Put(id, _) => format!("{:?}", ring.put(id, payload)),
        Op::PutCompacting(id, _) => format!("{:?}", ring.put_compacting(id, payload)),
        Op::PutEvicting(id, _) => {
            let mut gone = Vec::new();
            let result = ring.put_evicting(id, payload, |message| gone.push(message.id()));
            format!("{result:?} {gone:?}")
        }
        Op::PutParts(id, len) => {
            let (first, second) = payload.split_at(len / 3);
            format!("{:?}", ring.put_parts(id, &[first, second]))
        }
        Op::Get => format!("{:?}", ring.get()),
        Op::Pull(id) => format!("{:?}", ring.pull(id)),
        Op::PullInto(id, room) => format!("{:?}", ring.pull_into(id, &mut vec![0; room])),
        Op::PullAll(id) => {
            let mut taken = Vec::new();
            let count =
                ring.pull_all(id, |message| taken.push(message.bytes().collect::<Vec<_>>()));
            format!("{count} {taken:?}")
        }
        Op::Retain(bits) => format!("{}", ring.retain(|message| kept(bits, message.id()))),
        Op::Trim => format!("{}", ring.trim()),
        Op::Compact => format!("{}", ring.compact()),
        Op::CompactStep(budget) => format!("{}", ring.compact_step(budget)),
        Op::Clear => {
            ring.clear();
            String::new()
        }
    }
}

fn kept(bits: u8, id: u16) -> bool {
    bits >> (id % 8) & 1 == 1
}

/// What it must have done, told by the messages alone.
fn expect(model: &mut Model, op: Op, payload: &[u8], ring: &Ring<&mut [u8]>) {
    let needed = 4 + payload.len();
    let fits = |id, room| id != 0 && needed <= room;
    let free = model.size - model.used();
    match op {
        Op::Put(id, _) | Op::PutParts(id, _) => {
            if fits(id, free) {
                model.records.push_back((id, payload.to_vec()));
            }
        }
        Op::PutCompacting(id, _) => {
            if fits(id, free + model.holes()) {
                if !fits(id, free) {
                    model.records.retain(|record| record.0 != 0);
                }
                model.records.push_back((id, payload.to_vec()));
            }
        }
        Op::PutEvicting(id, _) => {
            if fits(id, model.size) {
                while !fits(id, model.size - model.used()) {
                    model.trim();
                    model.records.pop_front();
                }
                model.records.push_back((id, payload.to_vec()));
            }
        }
        Op::Get => {
            model.trim();
            model.records.pop_front();
        }
        Op::Pull(id) => _ = model.pull(id),
        Op::PullInto(id, room) => {
            if model.messages().find(|record| record.0 == id).is_some_and(|it| it.1.len() <= room) {
                model.pull(id);
            }
        }
        Op::PullAll(id) => retain(model, |known| known != id),
        Op::Retain(bits) => retain(model, |id| kept(bits, id)),
        Op::Trim => model.trim(),
        Op::Compact => {
            model.records.retain(|record| record.0 != 0);
            assert_eq!((ring.reclaimable(), ring.hole_count()), (0, 0));
        }
        Op::CompactStep(budget) => {
            compact_step(model, budget, ring);
        }
        Op::Clear => model.records.clear(),
    }
}

fn retain(model: &mut Model, keep: impl Fn(u16) -> bool) {
    let before = model.messages().count();
    for record in &mut model.records {
        if record.0 != 0 && !keep(record.0) {
            record.0 = 0;
        }
    }
    if model.messages().count() != before {
        model.trim();
    }
}

/// How far a step comes is its own affair, but for this: messages and their order stay, what is
/// reclaimed was in holes, and something happens as long as there are any.
fn compact_step(model: &mut Model, budget: usize, ring: &Ring<&mut [u8]>) {
    model.trim();
    let first_hole = model.records.iter().position(|record| record.0 == 0);
    let holes = model.holes();
    assert!(ring.reclaimable() == holes || ring.reclaimable() == 0, "one gap");
    assert_eq!(model.used() - ring.used(), holes - ring.reclaimable());
    let Some(first_hole) = first_hole else { return };
    let moved_back = model.records.iter().skip(first_hole).filter(|record| record.0 != 0);
    let to_move: usize = moved_back.map(len).sum();
    if to_move <= budget {
        assert_eq!(ring.reclaimable(), 0, "the budget was enough");
    }
    // What the ring looks like now is what the model goes on with.
    let records = records(ring);
    assert!(records.iter().filter(|record| record.0 != 0).eq(model.messages()));
    let moved = places(&model.records)
        .zip(places(&records))
        .filter(|(from, to)| from != to)
        .map(|((_, len), _)| len)
        .collect::<Vec<_>>();
    assert!(moved.iter().sum::<usize>() <= budget || moved.len() == 1, "{moved:?} at once");
    let first_now = records.iter().position(|record| record.0 == 0).unwrap_or(records.len());
    assert!(first_now > first_hole || ring.reclaimable() == 0, "nothing moved");
    model.records = records;
}

/// How far behind the tail each message lies, and how long it is.
fn places(records: &VecDeque<(u16, Vec<u8>)>) -> impl Iterator<Item = (usize, usize)> {
    let mut place = 0;
    records.iter().filter_map(move |record| {
        let here = (place, len(record));
        place += len(record);
        (record.0 != 0).then_some(here)
    })
}

/// All records, holes included, read as anybody would who knows the layout.
fn records(ring: &Ring<&mut [u8]>) -> VecDeque<(u16, Vec<u8>)> {
    let mut bytes =
        ring.bytes().iter().copied().cycle().skip(ring.tail()).take(ring.used()).peekable();
    let mut records = VecDeque::new();
    while bytes.peek().is_some() {
        let mut word = || u16::from_be_bytes([bytes.next().unwrap(), bytes.next().unwrap()]);
        let (id, len) = (word(), word());
        records.push_back((id, bytes.by_ref().take(len.into()).collect()));
    }
    records
}

fn without_payload_of_holes(records: &VecDeque<(u16, Vec<u8>)>) -> Vec<(u16, usize, &[u8])> {
    let mut shown = Vec::new();
    for (id, payload) in records {
        shown.push((*id, payload.len(), if *id == 0 { &[][..] } else { &payload[..] }));
    }
    shown
}

proptest! {
    #[test]
    fn room_is_reclaimed_as_the_model_says_and_memory_changes_no_result(
        (size, ops) in (8..=200_usize)
            .prop_flat_map(|size| (Just(size), prop::collection::vec(op(size), 1..200))),
    ) {
        let (mut plain_bytes, mut tracked_bytes) = (vec![0; size], vec![0; size]);
        let mut plain = Ring::over(&mut plain_bytes).unwrap();
        let mut tracked = Ring::tracked_over(&mut tracked_bytes).unwrap();
        let mut model = Model { size, records: VecDeque::new() };
        let mut high_water = 0;
        for (count, op) in ops.into_iter().enumerate() {
            let len = match op {
                Op::Put(_, len) | Op::PutCompacting(_, len) | Op::PutEvicting(_, len) => len,
                Op::PutParts(_, len) => len,
                _ => 0,
            };
            let payload = (0..len).map(|at| (at + count) as u8).collect::<Vec<_>>();
            let result = apply(&mut plain, op, &payload);
            assert_eq!(result, apply(&mut tracked, op, &payload), "{op:?}");
            let state = (plain.head(), plain.tail(), plain.used(), plain.message_count());
            let tracked_state =
                (tracked.head(), tracked.tail(), tracked.used(), tracked.message_count());
            assert_eq!(state, tracked_state, "{op:?}");
            assert_eq!(plain.bytes(), tracked.bytes(), "{op:?}");
            high_water = high_water.max(plain.used());
            assert_eq!(tracked.high_water(), high_water, "{op:?}");

            expect(&mut model, op, &payload, &plain);
            let records = records(&plain);
            assert_eq!(
                without_payload_of_holes(&records),
                without_payload_of_holes(&model.records),
                "{op:?}"
            );
            assert_eq!(plain.message_count(), model.messages().count());
            assert_eq!((plain.used(), plain.reclaimable()), (model.used(), model.holes()));
            let holes = model.records.iter().filter(|record| record.0 == 0).count();
            assert_eq!(plain.hole_count(), holes);
        }
        // Nothing here can fragment: without its holes, a ring has all the room that its messages
        // do not take, in one message.
        let live = model.messages().map(len).sum::<usize>();
        plain.compact();
        assert_eq!(plain.free(), size - live);
        if let Some(room) = (size - live).checked_sub(4) {
            assert_eq!(plain.put(1, &vec![0; room]), Ok(()));
        }
    }
}
