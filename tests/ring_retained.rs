//! The ring that outlives a reset: the power goes after every single store of long histories.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;

use ensue::PutError;
use ensue::ring::{
    BadImage, Boot, Evicted, Flaw, Memory, Recovered, Retained, RetainedRing, WORDS,
};
use proptest::prelude::*;

/// Memory with power for so many stores. At the next one the program ends, as it does when a reset
/// comes: it unwinds to [`cut`].
#[derive(Clone)]
struct Fake {
    words: [u32; WORDS],
    bytes: Vec<u8>,
    /// How many more stores reach it.
    power: usize,
    /// How many did; shared with whoever watches.
    stores: Rc<Cell<usize>>,
}

impl Fake {
    fn new(size: usize) -> Self {
        let (words, bytes) = ([0xA5A5_A5A5; WORDS], vec![0xA5; size]);
        Self { words, bytes, power: usize::MAX, stores: Rc::default() }
    }

    /// The same contents, and power for so many stores.
    fn with_power(&self, power: usize) -> Self {
        Self { power, stores: Rc::default(), ..self.clone() }
    }

    fn open(&mut self) -> (RetainedRing<'_, Fake>, Boot) {
        RetainedRing::over(self).expect("enough bytes")
    }

    fn store(&mut self) {
        let stores = self.stores.get();
        if stores == self.power {
            panic::resume_unwind(Box::new("the power went"));
        }
        self.stores.set(stores + 1);
    }
}

impl Memory for Fake {
    fn word(&self, index: usize) -> u32 {
        self.words[index]
    }

    fn store_word(&mut self, index: usize, word: u32) {
        self.store();
        self.words[index] = word;
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn store_bytes(&mut self, at: usize, bytes: &[u8]) {
        for (at, byte) in (at..).zip(bytes) {
            self.store();
            self.bytes[at] = *byte;
        }
    }
}

/// The memory after a program that lost its power at some store.
fn cut(memory: &Fake, power: usize, program: impl FnOnce(&mut Fake)) -> Fake {
    let mut memory = memory.with_power(power);
    let result = panic::catch_unwind(AssertUnwindSafe(|| program(&mut memory)));
    assert!(result.is_err(), "it needed no more than {power} stores");
    assert!(result.unwrap_err().is::<&str>());
    memory
}

type Messages = VecDeque<(u16, Vec<u8>)>;

fn messages(ring: &RetainedRing<'_, Fake>) -> Messages {
    ring.iter().map(|message| (message.id(), message.bytes().collect())).collect()
}

#[derive(Clone, Debug)]
enum Op {
    Put(u16, Vec<u8>),
    PutParts(u16, Vec<u8>),
    /// A number of so many digits, and how many there may be.
    PutFmt(u16, usize, usize),
    PutEvicting(u16, Vec<u8>),
    Get,
    Pull(u16),
    Trim,
    Clear,
}

/// Does it; returns what there was on the way, from before to after.
fn apply(ring: &mut RetainedRing<'_, Fake>, op: &Op) -> Vec<Messages> {
    let before = messages(ring);
    match op {
        Op::Put(id, payload) => _ = ring.put(*id, payload),
        Op::PutParts(id, payload) => {
            let (first, second) = payload.split_at(payload.len() / 3);
            _ = ring.put_parts(*id, &[first, &[], second]);
        }
        Op::PutFmt(id, digits, max) => {
            _ = ring.put_fmt(*id, *max, format_args!("{:01$}-", 7, digits));
        }
        Op::PutEvicting(id, payload) => {
            let evicted = ring.put_evicting(*id, payload).map_or(0, |evicted| evicted.messages);
            let one_by_one = (0..=evicted).map(|gone| before.iter().skip(gone).cloned().collect());
            return one_by_one.chain([messages(ring)]).collect();
        }
        Op::Get => _ = ring.get(),
        Op::Pull(id) => _ = ring.pull(*id),
        Op::Trim => ring.trim(),
        Op::Clear => ring.clear(),
    }
    vec![before, messages(ring)]
}

/// Numbers without an end, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) as usize % sides
    }

    fn op(&mut self, size: usize) -> Op {
        // Ids that differ in both bytes: one half zeroed is another one, and was never put.
        let id = 0x0101 * (1 + self.roll(5)) as u16;
        let longest = [size / 6, size / 3, size - 3][self.roll(3)];
        let payload = vec![self.roll(256) as u8; self.roll(longest + 1)];
        match self.roll(24) {
            0..5 => Op::Put(id, payload),
            5..7 => Op::PutParts(id, payload),
            7..9 => Op::PutFmt(id, payload.len(), payload.len() + self.roll(4)),
            9..11 => Op::PutEvicting(id, payload),
            11..15 => Op::Get,
            15..22 => Op::Pull(id),
            22 => Op::Trim,
            _ if self.roll(8) == 0 => Op::Clear,
            _ => Op::Get,
        }
    }
}

/// Several operations after one start, and what may be found when the power went during each.
struct Session {
    ops: Vec<Op>,
    /// Stores made up to the end of the opening and of each operation, and the states on the way.
    steps: Vec<(usize, Vec<Messages>)>,
}

impl Session {
    fn new(memory: &mut Fake, ops: Vec<Op>) -> Self {
        let stores = memory.stores.clone();
        let (mut ring, _) = memory.open();
        let mut steps = vec![(stores.get(), vec![messages(&ring)])];
        for op in &ops {
            let states = apply(&mut ring, op);
            steps.push((stores.get(), states));
        }
        Self { ops, steps }
    }

    fn run(&self, memory: &mut Fake) {
        let (mut ring, _) = memory.open();
        for op in &self.ops {
            apply(&mut ring, op);
        }
    }

    /// What may be found when the power went after so many stores.
    fn states(&self, power: usize) -> &[Messages] {
        &self.steps.iter().find(|(stores, _)| power < *stores).expect("a store there was").1
    }
}

#[test]
fn after_a_reset_at_any_store_each_message_is_whole_or_gone() {
    let (mut cuts, mut cuts_while_opening) = (0, 0);
    // Miri takes a thousand times as long.
    let (step, sessions) = if cfg!(miri) { (31, 2) } else { (3, 60) };
    for size in (8..80).step_by(step) {
        let mut dice = Dice(size as u64);
        let mut memory = Fake::new(size);
        assert_eq!(memory.open().1, Boot::First);
        for number in 0..sessions {
            let mut whole = memory.with_power(usize::MAX);
            let ops = (0..10).map(|_| dice.op(size)).collect();
            let session = Session::new(&mut whole, ops);
            for power in 0..whole.stores.get() {
                let what = format!("size {size}, session {number}, {power} stores");
                let left = cut(&memory, power, |memory| session.run(memory));
                cuts += 1;
                let mut again = left.with_power(usize::MAX);
                expect_one_of(&mut again, session.states(power), &what);
                for again_at in 0..again.stores.get() {
                    let left = cut(&left, again_at, |memory| _ = memory.open().1);
                    cuts_while_opening += 1;
                    let what = format!("{what}, {again_at} while opening");
                    let mut again = left.with_power(usize::MAX);
                    expect_one_of(&mut again, session.states(power), &what);
                }
            }
            memory = whole;
        }
    }
    println!("{cuts} cuts in operations, {cuts_while_opening} more while opening after one");
    assert!(cfg!(miri) || cuts > 50_000 && cuts_while_opening > 5_000);
}

/// The ring is there, in one of these states, and works.
fn expect_one_of(memory: &mut Fake, states: &[Messages], what: &str) {
    let (ring, boot) = memory.open();
    let found = messages(&ring);
    assert!(states.contains(&found), "{what}: {found:?} is none of {states:?}");
    let nothing_lost = Recovered { messages: found.len(), dropped: 0, flaw: None };
    assert_eq!(boot, Boot::Again(nothing_lost), "{what}");
    // Used on a copy: what it stores is not the opening's.
    let mut copy = memory.with_power(usize::MAX);
    let (mut ring, _) = copy.open();
    let evicted = ring.put_evicting(0x7777, b"abcd").expect(what);
    assert_eq!(messages(&ring).back(), Some(&(0x7777, b"abcd".to_vec())), "{what}");
    assert_eq!(ring.message_count(), found.len() + 1 - evicted.messages, "{what}");
    while ring.get().is_some() {}
    assert_eq!(ring.free(), ring.size(), "{what}");
}

#[test]
fn the_power_goes_while_the_memory_is_prepared() {
    let memory = Fake::new(16);
    let mut whole = memory.clone();
    assert_eq!(whole.open().1, Boot::First);
    for power in 0..whole.stores.get() {
        let left = cut(&memory, power, |memory| _ = memory.open().1);
        assert_eq!(left.with_power(usize::MAX).open().1, Boot::First);
    }
}

#[test]
fn first_boot_another_layout_and_another_size_are_told_apart() {
    let mut memory = Retained::<32>::new();
    assert_eq!(memory.open().1, Boot::First);
    memory.open().0.put(7, b"kept").unwrap();
    let report = Recovered { messages: 1, dropped: 0, flaw: None };
    assert_eq!(memory.open().1, Boot::Again(report));

    let mut fake = Fake::new(32);
    _ = fake.open().1;
    fake.open().0.put(7, b"kept").unwrap();
    let mut smaller = Fake { bytes: fake.bytes[..24].to_vec(), ..fake.clone() };
    assert_eq!(smaller.open().1, Boot::OtherSize { size: 32 });
    assert!(smaller.open().0.is_empty());
    fake.words[0] += 1;
    assert_eq!(fake.open().1, Boot::Foreign { version: 2 });
    assert!(fake.open().0.is_empty());
    assert!(RetainedRing::over(&mut Fake::new(7)).is_err());
}

#[test]
fn damage_is_told_from_a_reset_and_what_is_sound_is_kept() {
    let mut memory = Fake::new(32);
    let (mut ring, _) = memory.open();
    ring.put(1, b"first").unwrap();
    ring.put(2, b"second").unwrap();
    let mut damaged = memory.clone();
    damaged.bytes[11] = 0xFF;
    let (ring, boot) = damaged.open();
    let flaw = Some(BadImage { offset: 9, reason: Flaw::RecordTooLong });
    assert_eq!(boot, Boot::Again(Recovered { messages: 1, dropped: 10, flaw }));
    assert!(ring.ids().eq([1]));
    let report = Recovered { messages: 1, dropped: 0, flaw: None };
    assert_eq!(damaged.open().1, Boot::Again(report), "told once");

    // A reset between a head and its complement: the new one holds, and the two agree again.
    let head = memory.words[4];
    memory.words[5] = !9;
    let report = Recovered { messages: 2, dropped: 0, flaw: None };
    assert_eq!(memory.open().1, Boot::Again(report));
    assert_eq!(memory.words[4..6], [head, !head]);

    memory.words[2] = 1_000_000;
    let (ring, boot) = memory.open();
    assert!(matches!(boot, Boot::Again(Recovered { messages: 2, dropped: 0, .. })));
    assert!(ring.ids().eq([1, 2]), "the complement still knew");

    memory.words[2..6].fill(1_000_000);
    let (ring, boot) = memory.open();
    let flaw = Some(BadImage { offset: 1_000_000, reason: Flaw::TailOutside });
    assert_eq!(boot, Boot::Again(Recovered { messages: 0, dropped: 32, flaw }));
    assert!(ring.is_empty());
}

#[test]
fn it_does_what_a_ring_does() {
    let mut dice = Dice(1);
    let mut memory = Retained::<61>::new();
    let (mut kept, _) = memory.open();
    let mut ring = ensue::Ring::<[u8; 61]>::new();
    for _ in 0..if cfg!(miri) { 150 } else { 5_000 } {
        match dice.op(61) {
            Op::Put(id, payload) => assert_eq!(kept.put(id, &payload), ring.put(id, &payload)),
            Op::PutParts(id, payload) => {
                let (first, second) = payload.split_at(payload.len() / 2);
                let parts = [first, &[], second];
                assert_eq!(kept.put_parts(id, &parts), ring.put_parts(id, &parts));
            }
            Op::PutFmt(id, digits, max) => {
                let kept = kept.put_fmt(id, max, format_args!("{:01$}-", 7, digits));
                assert_eq!(kept, ring.put_fmt(id, max, format_args!("{:01$}-", 7, digits)));
            }
            Op::PutEvicting(id, payload) => {
                assert_eq!(kept.put_evicting(id, &payload), ring.put_evicting(id, &payload, |_| ()))
            }
            Op::Get => assert_eq!(kept.get(), ring.get()),
            Op::Pull(id) => assert_eq!(kept.pull(id), ring.pull(id)),
            Op::Trim | Op::Clear => {
                kept.trim();
                ring.trim();
            }
        }
        assert!(kept.iter().eq(ring.iter()) && kept.ids().eq(ring.ids()));
        assert_eq!(kept.peek(), ring.peek());
        assert_eq!((kept.used(), kept.free(), kept.size()), (ring.used(), ring.free(), 61));
        assert_eq!(kept.is_empty(), ring.is_empty());
    }
    let (used, fits) = (kept.used(), kept.fits(50));
    assert_eq!(kept.make_room(58), Err(PutError::NeverFits { needed: 62, size: 61 }));
    assert_eq!(kept.put_evicting(0, b"any"), Err(PutError::ReservedId));
    assert_eq!((kept.used(), fits), (used, false), "nothing is taken out for what never fits");
    let evicted = kept.make_room(50).expect("it fits the ring");
    assert!(evicted.messages > 0 && kept.fits(50));
    assert_eq!(kept.make_room(50), Ok(Evicted { messages: 0, bytes: 0 }), "there is room already");
    (0..evicted.messages).for_each(|_| assert!(ring.get().is_some()));
    assert!(kept.iter().eq(ring.iter()));

    assert_eq!(kept.put(0, b""), Err(PutError::ReservedId));
    assert_eq!(kept.put(1, &[0; 58]), Err(PutError::NeverFits { needed: 62, size: 61 }));
    let _ = kept;
    assert_eq!(memory.bytes(), ring.bytes(), "to the byte");
    assert_eq!(size_of::<Retained<64>>(), 64 + 32);
}

#[test]
fn one_in_ram_may_lie_behind_a_lock_to_which_an_interrupt_comes() {
    fn can_be_sent<T: Send>() {}
    can_be_sent::<RetainedRing<'static>>();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 8 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_memory_makes_it_panic(
        (bytes, positions, sound) in (8..64_usize).prop_flat_map(|size| {
            let byte = prop_oneof![3 => 0..6_u8, 1 => any::<u8>()];
            let word = prop_oneof![3 => 0..2 * size as u32, 1 => any::<u32>()];
            let sound = prop::collection::vec(any::<bool>(), 3);
            (prop::collection::vec(byte, size), prop::collection::vec(word, 6), sound)
        }),
    ) {
        let mut memory = Fake::new(bytes.len());
        _ = memory.open().1;
        memory.bytes = bytes;
        memory.words[2..].copy_from_slice(&positions);
        for (pair, sound) in sound.into_iter().enumerate() {
            if sound {
                memory.words[3 + 2 * pair] = !memory.words[2 + 2 * pair];
            }
        }
        let (mut ring, boot) = memory.open();
        let Boot::Again(report) = boot else { panic!("{boot:?}") };
        let found = messages(&ring);
        assert_eq!(report.messages, found.len());
        let evicted = ring.put_evicting(9, b"abc").unwrap();
        assert_eq!(ring.message_count(), found.len() + 1 - evicted.messages);
        let found = messages(&ring);
        let report = Recovered { messages: found.len(), dropped: 0, flaw: None };
        assert_eq!(memory.open().1, Boot::Again(report));
        assert_eq!(messages(&memory.open().0), found);
    }
}
