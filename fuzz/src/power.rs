//! A history of operations on a retained ring, and the power gone after every store of the last
//! one, and again after every store of the opening that follows: each message is there whole or
//! gone, none is one that was never put, and the ring goes on from there.

use arbitrary::{Arbitrary, Unstructured};
use ensue::ring::{Boot, Recovered, RetainedRing};

use crate::memory::Fake;
use crate::model::{Kind, Model};
use crate::op::{Id, Len, Op, Outcome, Owned, apply_to_retained};
use crate::operations::step_retained;

#[derive(Arbitrary, Debug)]
struct Input {
    size: u8,
    /// What the memory held before it was a ring.
    before: Before,
    ops: Vec<Kept>,
    /// What is done after the power came back.
    after: Vec<Kept>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Before {
    Anything,
    Zeros,
    OtherSize(u8),
    OtherVersion(u8),
}

/// What a retained ring can do.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kept {
    Put(Id, Len),
    PutParts(Id, Len, u8),
    PutFmt(Id, Len, [Len; 2]),
    PutEvicting(Id, Len),
    MakeRoom(Len),
    Get,
    Pull(Id),
    Trim,
    Clear,
    Reopen,
}

impl Kept {
    fn op(self) -> Op {
        match self {
            Self::Put(id, len) => Op::Put(id, len),
            Self::PutParts(id, len, cut) => Op::PutParts(id, len, cut),
            Self::PutFmt(id, max, lens) => Op::PutFmt(id, max, lens),
            Self::PutEvicting(id, len) => Op::PutEvicting(id, len),
            Self::MakeRoom(len) => Op::MakeRoom(len),
            Self::Get => Op::Get,
            Self::Pull(id) => Op::Pull(id),
            Self::Trim => Op::Trim,
            Self::Clear => Op::Clear,
            Self::Reopen => Op::Reopen,
        }
    }
}

pub fn run(input: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(input)) else { return };
    let size = 8 + usize::from(input.size) % 72;
    let mut memory = prepared(size, input.before);
    let mut model = Model::new(size, Kind::Retained);
    let Some((last, history)) = input.ops.split_last() else { return };
    for (number, session) in history.split(|op| matches!(op, Kept::Reopen)).enumerate() {
        let (mut ring, boot) = memory.open();
        model.trim();
        assert_eq!(boot, again(model.messages().count()));
        for (count, op) in session.iter().enumerate() {
            step_retained(&mut ring, &mut model, &op.op(), 100 * number + count);
        }
    }
    assert_eq!(memory.bytes, model.bytes, "to the byte");

    // Opening it passes the holes in front.
    model.trim();
    // What there is on the way, from before the last operation to after it.
    let states = states(&model, last.op());
    let cuts = memory.cut(|memory| {
        let (mut ring, _) = memory.open();
        apply_to_retained(&mut ring, &last.op(), COUNT);
    });
    for (power, left) in cuts {
        let found = expect_one_of(&mut left.clone(), &states, &power);
        for (power_again, mut left) in left.cut(|memory| _ = memory.open().1) {
            let what = (power, power_again);
            // The opening itself has decided: it does not become another state.
            expect_one_of(&mut left, std::slice::from_ref(&found), &what);
        }
        go_on(left, found, &input.after[..input.after.len().min(8)]);
    }
}

/// Tells the payload of the last operation from all others.
const COUNT: usize = 9_999;

/// A ring of this size, made of what was there before; the power may go while it is made.
fn prepared(size: usize, before: Before) -> Fake {
    let mut memory = Fake::new(size);
    let old = match before {
        Before::Anything => Boot::First,
        Before::Zeros => {
            memory.words.fill(0);
            Boot::First
        }
        Before::OtherSize(by) => {
            _ = memory.open().1;
            memory.words[1] += 1 + u32::from(by);
            Boot::OtherSize { size: memory.words[1] as usize }
        }
        Before::OtherVersion(by) => {
            _ = memory.open().1;
            let version = (memory.words[0] as u8).wrapping_add(by.max(1));
            memory.words[0] = memory.words[0] & !0xFF | u32::from(version);
            Boot::Foreign { version }
        }
    };
    let cuts: Vec<_> = memory.cut(|memory| _ = memory.open().1).collect();
    let all = cuts.len() - 1;
    for (power, mut left) in cuts {
        let (ring, boot) = left.open();
        assert!(ring.is_empty());
        let expected = match power {
            0 => old,
            power if power == all => again(0),
            _ => Boot::First,
        };
        assert_eq!(boot, expected, "{power} of {all} stores");
        memory = left;
    }
    memory
}

fn again(messages: usize) -> Boot {
    Boot::Again(Recovered { messages, dropped: 0, flaw: None })
}

fn states(model: &Model, op: Op) -> Vec<Vec<Owned>> {
    let messages = |model: &Model| model.messages().cloned().collect::<Vec<_>>();
    let before = messages(model);
    let mut after = model.clone();
    let outcome = after.apply(&op, COUNT, &[], 0);
    let mut states = vec![before.clone(), messages(&after)];
    // Each that goes is a step of its own, and the new one comes when they have gone.
    let evicted = match outcome {
        Outcome::Evicted(Ok(evicted), _) => evicted.messages,
        _ => 0,
    };
    states.extend((1..=evicted).map(|gone| before[gone..].to_vec()));
    states
}

/// The ring is there, in one of these states, and nothing is said to be damaged.
fn expect_one_of(
    memory: &mut Fake,
    states: &[Vec<Owned>],
    what: &dyn std::fmt::Debug,
) -> Vec<Owned> {
    let (ring, boot) = memory.open();
    let found = messages(&ring);
    assert!(states.contains(&found), "{what:?} stores: {found:?} is none of {states:?}");
    assert_eq!(boot, again(found.len()), "{what:?} stores");
    found
}

fn messages(ring: &RetainedRing<'_, Fake>) -> Vec<Owned> {
    ring.iter().map(|message| (message.id(), message.bytes().collect())).collect()
}

/// What was found works as a ring with these messages does.
fn go_on(mut memory: Fake, found: Vec<Owned>, ops: &[Kept]) {
    let (ring, _) = memory.open();
    assert_eq!(messages(&ring), found);
    let size = memory.bytes.len();
    let [tail, head] = [memory.words[2] as usize, memory.words[4] as usize];
    let used = (head + 2 * size - tail) % (2 * size);
    let model = Model::examine(&memory.bytes, head % size, tail % size, used);
    let mut model = model.expect("what was opened is a sound ring");
    model.kind = Kind::Retained;
    let (mut ring, _) = memory.open();
    for (count, op) in ops.iter().enumerate() {
        step_retained(&mut ring, &mut model, &op.op(), count);
    }
}
