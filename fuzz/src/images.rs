//! Any bytes and positions as an image. What is taken in, a ring could have produced: it is
//! produced here, by operations alone. What is refused is refused for the documented reason and
//! place, and what `recover` keeps of it is a ring. All of them then do every operation.

use arbitrary::{Arbitrary, Unstructured};
use ensue::Ring;
use ensue::ring::{Boot, Memory};

use crate::memory::Fake;
use crate::model::{Kind, Model};
use crate::op::{Op, look};
use crate::operations::{step, step_retained};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// Positions, which are brought into the storage or not.
    head: Position,
    tail: Position,
    used: Position,
    /// Whether the head is put where it belongs.
    agree: bool,
    /// What stands in front of a retained ring.
    words: [Word; 5],
    ops: Vec<Op>,
    image: &'a [u8],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Position {
    /// In the storage, or just outside.
    Near(u16),
    Any(usize),
}

impl Position {
    fn of(self, size: usize) -> usize {
        match self {
            Self::Near(at) => usize::from(at) % (size + 2),
            Self::Any(at) => at,
        }
    }
}

/// A word of a retained ring that has something to say, and its complement.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Word {
    Sound(u16),
    /// A reset came between the two stores, or something worse.
    Torn(u16, u16),
    Any(u32, u32),
}

impl Word {
    fn pair(self, size: usize) -> [u32; 2] {
        let near = |at| u32::from(at) % (2 * size as u32 + 1);
        match self {
            Self::Sound(at) => [near(at), !near(at)],
            Self::Torn(at, before) => [near(at), !near(before)],
            Self::Any(word, complement) => [word, complement],
        }
    }
}

pub fn run(input: &[u8]) {
    let Ok(mut input) = Input::arbitrary_take_rest(Unstructured::new(input)) else { return };
    // Longer ones take longer, and show nothing that these do not.
    input.image = &input.image[..input.image.len().min(400)];
    input.ops.truncate(40);
    let size = input.image.len();
    let (tail, used) = (input.tail.of(size), input.used.of(size));
    let head = match tail.checked_add(used) {
        Some(end) if input.agree && size != 0 => end % size,
        _ => input.head.of(size),
    };
    taken_in(&input, head, tail, used);
    recovered(&input, head, tail, used);
    retained(&input);
}

fn taken_in(input: &Input<'_>, head: usize, tail: usize, used: usize) {
    let mut bytes = input.image.to_vec();
    let result = Ring::from_parts(&mut bytes[..], head, tail, used);
    if input.image.len() < 8 {
        let bad = result.map(drop).unwrap_err();
        assert_eq!((bad.offset, bad.reason), (0, ensue::ring::Flaw::TooSmall));
        return;
    }
    match (result, Model::examine(input.image, head, tail, used)) {
        (Ok(mut ring), Ok(mut model)) => {
            model.expect(&ring, &"taken in");
            produce(&model);
            for (count, op) in input.ops.iter().enumerate() {
                step(&mut ring, &mut model, op, count);
            }
        }
        (Err(found), Err((_, _, bad))) => assert_eq!(found, bad),
        (Ok(_), Err(bad)) => panic!("taken in, and it should not: {bad:?}"),
        (Err(bad), Ok(_)) => panic!("refused, and it should not: {bad}"),
    }
}

fn recovered(input: &Input<'_>, head: usize, tail: usize, used: usize) {
    let mut bytes = input.image.to_vec();
    let result = Ring::recover(&mut bytes[..], head, tail, used);
    let Ok((mut ring, report)) = result else {
        assert!(input.image.len() < 8);
        return;
    };
    let (mut model, dropped, flaw) = match Model::examine(input.image, head, tail, used) {
        Ok(model) => (model, 0, None),
        Err((model, dropped, flaw)) => (model, dropped, Some(flaw)),
    };
    assert_eq!((report.flaw, report.dropped), (flaw, dropped));
    assert_eq!(report.messages, model.messages().count());
    model.expect(&ring, &"recovered");
    model.expect_image(&"recovered");
    produce(&model);
    for (count, op) in input.ops.iter().enumerate() {
        step(&mut ring, &mut model, op, count);
    }
}

/// Brings a new ring, by `put`, `get` and `pull` alone, to have these records at these places: what
/// was taken in is something that the reference could have produced.
fn produce(model: &Model) {
    let size = model.size();
    let mut bytes = vec![0; size];
    let mut ring = Ring::over(&mut bytes).expect("enough bytes");
    let mut unused = (1..).filter(|id| model.messages().all(|message| message.0 != *id));
    let (first, doomed) =
        (unused.next().expect("one of many"), unused.next().expect("and another"));

    // Holes at the tail had a message in front of them, up to the pull that made the last one.
    let is_hole_in_front = model.records.front().is_some_and(|record| record.0 == 0);
    let in_front = if is_hole_in_front { 4 } else { 0 };
    move_to(&mut ring, (model.tail + size - in_front) % size);
    if is_hole_in_front {
        ring.put(first, b"").expect("room in front");
    }
    let holes = model.records.iter().filter(|record| record.0 == 0).count();
    let up_to_last_hole = model.records.iter().rposition(|record| record.0 == 0);
    let (before, after) = model.records.as_slices();
    let records = [before, after].concat();
    let (before, after) = records.split_at(up_to_last_hole.map_or(0, |last| last + 1));
    for (id, payload) in before {
        let id = if *id == 0 { doomed } else { *id };
        ring.put(id, payload).expect("room up to the last hole");
    }
    for _ in 0..holes {
        assert!(ring.pull(doomed).is_some());
    }
    if is_hole_in_front {
        assert_eq!(ring.get().map(|message| message.id()), Some(first));
    }
    for (id, payload) in after {
        ring.put(*id, payload).expect("room behind the last hole");
    }
    assert_eq!((ring.tail(), ring.head(), ring.used()), (model.tail, model.head(), model.used()));
    for at in (model.tail..).take(model.used()).map(|at| at % size) {
        assert_eq!(ring.bytes()[at], model.bytes[at], "at {at}");
    }
}

/// Brings head and tail of a new ring here.
fn move_to(ring: &mut Ring<&mut [u8]>, at: usize) {
    let size = ring.size();
    let lens = match at {
        0 => [None, None],
        1..4 => [Some(size - 8), Some(at)],
        _ => [Some(at - 4), None],
    };
    for len in lens.into_iter().flatten() {
        ring.put(1, &vec![0; len]).expect("an empty ring");
        ring.get().expect("put just now");
    }
    assert_eq!((ring.tail(), ring.used()), (at, 0));
}

/// The same bytes as what a retained ring may have left, words in front.
fn retained(input: &Input<'_>) {
    if input.image.len() < 8 {
        return;
    }
    let mut memory = Fake::new(input.image.len());
    assert_eq!(memory.open().1, Boot::First);
    let size = input.image.len();
    let [magic, own_size] = [memory.words[0], memory.words[1]];
    memory.bytes.copy_from_slice(input.image);
    for (pair, word) in memory.words[2..].as_chunks_mut().0.iter_mut().zip(input.words) {
        *pair = word.pair(size);
    }
    match input.words[3] {
        Word::Sound(_) => {}
        Word::Torn(version, _) => memory.words[0] = magic & !0xFF | u32::from(version) & 0xFF,
        Word::Any(magic, _) => memory.words[0] = magic,
    }
    match input.words[4] {
        Word::Sound(_) | Word::Torn(..) => {}
        Word::Any(size, _) => memory.words[1] = size,
    }
    let found = memory.clone();
    let (ring, boot) = memory.open();
    let messages: Vec<_> = ring.iter().map(look).collect();
    match boot {
        Boot::Again(report) => {
            assert_eq!(report.messages, messages.len());
            assert!(report.dropped == 0 || report.flaw.is_some(), "{report:?}");
            assert_eq!(found.words[..2], [magic, own_size]);
        }
        Boot::OtherSize { size } => {
            assert!(found.words[0] == magic && size != own_size as usize && messages.is_empty());
            assert_eq!(found.words[1], size as u32);
        }
        Boot::Foreign { version } => {
            assert!(messages.is_empty() && u32::from(version) != magic & 0xFF);
            assert_eq!(found.words[0], magic & !0xFF | u32::from(version));
        }
        Boot::First => assert!(messages.is_empty() && found.words[0] >> 8 != magic >> 8),
        other => panic!("{other:?}"),
    }

    // It is told once, and the opening may be interrupted as well.
    // Preparing a new ring is one store after the other: some of them are enough.
    let cuts = found.cut(|memory| _ = memory.open().1);
    for (power, mut left) in cuts.filter(|(power, _)| *power < 20 || power % 16 == 0) {
        let (ring, again) = left.open();
        let same = ring.iter().map(look).eq(messages.iter().cloned());
        assert!(same, "{power} stores of the opening: {ring:?} is not {messages:?}");
        let is_told = power == 0 || matches!(again, Boot::First | Boot::Again(_));
        assert!(is_told, "{power} stores of the opening: {again:?} after {boot:?}");
    }

    let position = |word: u32| word as usize % size;
    let (tail, head) = (memory.words[2] as usize, memory.words[4] as usize);
    let used = (head + 2 * size - tail) % (2 * size);
    let (bytes, tail) = (memory.bytes.clone(), position(memory.words[2]));
    let model = Model::examine(&bytes, position(memory.words[4]), tail, used);
    let mut model = model.expect("what was opened is a sound ring");
    model.kind = Kind::Retained;
    assert!(model.messages().eq(&messages));
    let (mut ring, boot) = memory.open();
    assert!(matches!(boot, Boot::Again(report) if report.flaw.is_none() && report.dropped == 0));
    for (count, op) in input.ops.iter().enumerate() {
        step_retained(&mut ring, &mut model, op, count);
    }
    assert_eq!(memory.bytes(), model.bytes);
    // Nothing that stood in front of it comes back later.
    let (ring, boot) = memory.open();
    assert!(matches!(boot, Boot::Again(report) if report.flaw.is_none() && report.dropped == 0));
    assert!(ring.iter().map(look).eq(model.messages().cloned()), "{ring:?}");
}
