//! Every operation against the model, answers and bytes: on a ring that remembers nothing, on one
//! that does, on a split one and on a retained one, as far as each has them.

use arbitrary::{Arbitrary, Unstructured};
use ensue::Ring;
use ensue::ring::{Boot, Memory, Recovered, Retained, RetainedRing, RingReader, SplitRing};

use crate::model::{Kind, Model};
use crate::op::{Op, Outcome, apply, apply_to_reader, apply_to_retained, apply_to_writer, look};

#[derive(Arbitrary, Debug)]
struct Input {
    size: u8,
    ops: Vec<Op>,
}

pub fn run(input: &[u8]) {
    let Ok(Input { size, ops }) = Input::arbitrary_take_rest(Unstructured::new(input)) else {
        return;
    };
    whole(ring_size(size), &ops);
    match size % 4 {
        0 => halves::<8>(&ops),
        1 => halves::<61>(&ops),
        2 => halves::<200>(&ops),
        _ => {}
    }
    match size % 4 {
        0 => kept::<61>(&ops),
        1 => kept::<8>(&ops),
        _ => {}
    }
}

/// Mostly small, so that a ring is full and empty again; sometimes so large that a gap is longer
/// than a hole can be.
fn ring_size(size: u8) -> usize {
    if size == 255 { 150_000 } else { 8 + usize::from(size) }
}

fn whole(size: usize, ops: &[Op]) {
    let (mut plain, mut tracked) = (vec![0xEE; size], vec![0xEE; size]);
    let mut plain = Ring::over(&mut plain).expect("enough bytes");
    let mut tracked = Ring::tracked_over(&mut tracked).expect("enough bytes");
    let mut model = Model::new(size, Kind::Whole);
    model.expect(&plain, &"new");
    for (count, op) in ops.iter().enumerate().take(if size > 1_000 { 40 } else { 200 }) {
        let outcome = apply(&mut tracked, op, count);
        assert_eq!(outcome, step(&mut plain, &mut model, op, count), "{op:?}");
        assert_eq!(tracked.high_water(), model.high_water, "{op:?}");
        assert_eq!((tracked.head(), tracked.bytes()), (plain.head(), plain.bytes()), "{op:?}");
        if count % 4 == 1 {
            model.expect(&tracked, op);
        }
    }
    let shown = format!("{plain:?}");
    assert!(shown.matches("Message(").count() == model.messages().count(), "{shown}");
}

/// Does it and compares: the answer, and the ring down to the bytes.
pub fn step(
    ring: &mut Ring<&mut [u8]>,
    model: &mut Model,
    op: &Op,
    count: usize,
) -> Option<Outcome> {
    let outcome = apply(ring, op, count)?;
    assert_eq!(outcome, model.apply(op, count, ring.bytes(), ring.used()), "{op:?}");
    model.expect(ring, op);
    if count % 4 == 3 {
        model.expect_image(op);
    }
    Some(outcome)
}

/// The two halves of a split ring. While a message of one is looked at, the other writes.
fn halves<const N: usize>(ops: &[Op]) {
    let split = SplitRing::<N>::new();
    let (mut writer, mut reader) = split.split().expect("the first time");
    assert!(split.split().is_none(), "a second pair");
    let mut model = Model::new(N, Kind::Split);
    let mut ops = ops.iter().enumerate().peekable();
    while let Some((count, op)) = ops.next() {
        if op.is_writing() {
            let outcome = apply_to_writer(&mut writer, op, count);
            expect_written(outcome, &mut model, op, count);
        } else {
            let mut meanwhile = None;
            let outcome = apply_to_reader(&mut reader, op, || {
                let Some((count, op)) = ops.next_if(|(_, op)| op.is_writing()) else { return };
                meanwhile = Some((op, count, apply_to_writer(&mut writer, op, count)));
            });
            let Some(outcome) = outcome else { continue };
            assert_eq!(outcome, model.apply(op, count, &[], 0), "{op:?}");
            if let Some((op, count, outcome)) = meanwhile {
                expect_written(outcome, &mut model, op, count);
            }
        }
        assert_eq!(writer.free(), model.free(), "{op:?}");
        assert_eq!((writer.size(), reader.size()), (N, N));
        assert_eq!(reader.refused(), model.refused, "{op:?}");
        if count % 3 == 0 {
            look_at_all(&mut reader, &mut model);
            assert_eq!(writer.free(), model.free(), "released");
        }
    }
    look_at_all(&mut reader, &mut model);
}

fn expect_written(outcome: Option<Outcome>, model: &mut Model, op: &Op, count: usize) {
    assert_eq!(outcome, Some(model.apply(op, count, &[], 0)), "{op:?}");
    model.refused += usize::from(matches!(outcome, Some(Outcome::Put(Err(_)))));
}

fn look_at_all(reader: &mut RingReader<'_>, model: &mut Model) {
    model.pending = 0;
    let live = model.messages().count();
    assert_eq!((reader.message_count(), reader.is_empty()), (live, live == 0));
    assert_eq!(reader.used(), model.used());
    assert!(reader.ids().eq(model.messages().map(|message| message.0)));
    assert!(reader.iter().map(look).eq(model.messages().cloned()));
}

/// A retained ring that is opened again now and then, and never interrupted.
fn kept<const N: usize>(ops: &[Op]) {
    let mut memory = Retained::<N>::new();
    assert_eq!(memory.open().1, Boot::First);
    let mut model = Model::new(N, Kind::Retained);
    let mut count = 0;
    for session in ops.split(|op| matches!(op, Op::Reopen)) {
        let (mut ring, boot) = memory.open();
        model.trim();
        let messages = model.messages().count();
        assert_eq!(boot, Boot::Again(Recovered { messages, dropped: 0, flaw: None }));
        for op in session {
            count += 1;
            step_retained(&mut ring, &mut model, op, count);
        }
        assert_eq!(memory.bytes(), model.bytes);
    }
}

/// Does it and compares.
pub fn step_retained<M: Memory + ?Sized>(
    ring: &mut RetainedRing<'_, M>,
    model: &mut Model,
    op: &Op,
    count: usize,
) {
    let Some(outcome) = apply_to_retained(ring, op, count) else { return };
    assert_eq!(outcome, model.apply(op, count, &[], 0), "{op:?}");
    let live = model.messages().count();
    assert_eq!((ring.message_count(), ring.is_empty()), (live, live == 0), "{op:?}");
    let figures = (ring.used(), ring.free(), ring.size());
    assert_eq!(figures, (model.used(), model.free(), model.size()), "{op:?}");
    for len in [0, model.free().saturating_sub(4), model.free().saturating_sub(3), 65_536] {
        assert_eq!(ring.fits(len), len <= 65_535 && model.free() >= 4 + len, "{len} {op:?}");
    }
    assert!(ring.ids().eq(model.messages().map(|message| message.0)), "{op:?}");
    assert!(ring.iter().map(look).eq(model.messages().cloned()), "{op:?}");
}
