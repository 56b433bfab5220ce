//! A history of operations on a retained ring, and the power gone after every store of the last one:
//! each message is there whole or gone, and none is one that was never put.
//!
//! The fuzzing engine ends at a panic, so a program that lost its power cannot unwind here. Instead
//! what it stores is written down, and then stored again as far as the power reaches.
#![no_main]

use arbitrary::Arbitrary;
use critical_section as _;
use ensue::ring::{Boot, Memory, RetainedRing, WORDS};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op {
    Put(u8, u8),
    PutEvicting(u8, u8),
    Get,
    Pull(u8),
    Trim,
    Clear,
}

fuzz_target!(|input: (u8, Vec<Op>)| {
    let (size, ops) = input;
    let mut memory = Fake::new(8 + usize::from(size) % 64);
    _ = RetainedRing::over(&mut memory).expect("enough bytes").1;
    let Some((last, before)) = ops.split_last() else { return };
    let mut ring = open(&mut memory);
    for op in before {
        apply(&mut ring, *op);
    }
    memory.log.clear();
    let start = memory.clone();

    // From here on every store is written down, those of the opening as well.
    let mut states = Vec::new();
    apply_and_tell(&mut open(&mut memory), *last, &mut states);
    for power in 0..=memory.log.len() {
        let mut left = start.clone();
        for store in &memory.log[..power] {
            left.repeat(*store);
        }
        left.log.clear();
        let (ring, boot) = RetainedRing::over(&mut left).expect("enough bytes");
        assert!(
            matches!(boot, Boot::Again(report) if report.flaw.is_none() && report.dropped == 0)
        );
        let found = messages(&ring);
        assert!(states.contains(&found), "{power} stores: {found:?} is none of {states:?}");
    }
});

fn open(memory: &mut Fake) -> RetainedRing<'_> {
    RetainedRing::over(memory).expect("enough bytes").0
}

/// An id both of whose bytes count.
fn id(number: u8) -> u16 {
    0x0101 * u16::from(number % 7)
}

fn payload(len: u8) -> Vec<u8> {
    vec![len; usize::from(len % 32)]
}

fn apply(ring: &mut RetainedRing<'_>, op: Op) {
    match op {
        Op::Put(number, len) => _ = ring.put(id(number), &payload(len)),
        Op::PutEvicting(number, len) => _ = ring.put_evicting(id(number), &payload(len)),
        Op::Get => _ = ring.get(),
        Op::Pull(number) => _ = ring.pull(id(number)),
        Op::Trim => ring.trim(),
        Op::Clear => ring.clear(),
    }
}

type Messages = Vec<(u16, Vec<u8>)>;

fn messages(ring: &RetainedRing<'_>) -> Messages {
    ring.iter().map(|message| (message.id(), message.bytes().collect())).collect()
}

/// Does it, and tells what there was on the way.
fn apply_and_tell(ring: &mut RetainedRing<'_>, op: Op, states: &mut Vec<Messages>) {
    let before = messages(ring);
    apply(ring, op);
    let after = messages(ring);
    if matches!(op, Op::PutEvicting(..)) {
        // One by one from the front, and then the new one behind.
        states.extend((0..=before.len()).map(|gone| before[gone..].to_vec()));
    }
    states.extend([before, after]);
}

#[derive(Clone, Copy)]
enum Store {
    Word(usize, u32),
    Byte(usize, u8),
}

#[derive(Clone)]
struct Fake {
    words: [u32; WORDS],
    bytes: Vec<u8>,
    log: Vec<Store>,
}

impl Fake {
    fn new(size: usize) -> Self {
        Self { words: [0; WORDS], bytes: vec![0; size], log: Vec::new() }
    }

    fn repeat(&mut self, store: Store) {
        match store {
            Store::Word(index, word) => self.words[index] = word,
            Store::Byte(at, byte) => self.bytes[at] = byte,
        }
        self.log.push(store);
    }
}

impl Memory for Fake {
    fn word(&self, index: usize) -> u32 {
        self.words[index]
    }

    fn store_word(&mut self, index: usize, word: u32) {
        self.repeat(Store::Word(index, word));
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn store_bytes(&mut self, at: usize, bytes: &[u8]) {
        for (at, byte) in (at..).zip(bytes) {
            self.repeat(Store::Byte(at, *byte));
        }
    }
}
