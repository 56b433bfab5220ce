//! Any bytes and positions: `from_parts` and `recover` take them in or refuse them, and what they
//! take in does everything a ring does.
#![no_main]

use critical_section as _;
use ensue::Ring;
use ensue::ring::{BadImage, Boot, Memory, RetainedRing, WORDS};
use libfuzzer_sys::fuzz_target;

/// Head, tail and used, two bytes each; whether to correct the head; the image.
fuzz_target!(|input: &[u8]| {
    let Some((positions, image)) = input.split_first_chunk::<7>() else { return };
    let [h0, h1, t0, t1, u0, u1, agree] = *positions;
    let head = u16::from_le_bytes([h0, h1]);
    let (tail, used) = (u16::from_le_bytes([t0, t1]), u16::from_le_bytes([u0, u1]));
    let (tail, used, agree) = (usize::from(tail), usize::from(used), agree % 2 == 1);
    let mut bytes = image.to_vec();
    // Positions that agree reach further in; those that do not are tried as well.
    let head = if agree && !bytes.is_empty() { (tail + used) % bytes.len() } else { head.into() };
    let refused = match Ring::from_parts(&mut bytes[..], head, tail, used) {
        Ok(ring) => {
            assert_eq!((ring.head(), ring.tail(), ring.used()), (head, tail, used));
            use_it(ring);
            None
        }
        Err(BadImage { offset, reason }) => Some((offset, reason)),
    };
    bytes.copy_from_slice(image);
    if let Ok((ring, report)) = Ring::recover(&mut bytes[..], head, tail, used) {
        assert_eq!(report.flaw.map(|flaw| (flaw.offset, flaw.reason)), refused);
        assert_eq!(report.messages, ring.message_count());
        assert!(refused.is_some() || report.dropped == 0);
        use_it(ring);
    }
    retained(image);
});

fn use_it(mut ring: Ring<&mut [u8]>) {
    let ids: Vec<u16> = ring.ids().collect();
    let live: usize = ring.iter().map(|message| 4 + message.len()).sum();
    assert_eq!(live + ring.reclaimable(), ring.used());
    assert_eq!(ring.peek().map(|message| message.id()), ids.first().copied());
    for id in ids.iter().rev().take(3) {
        assert_eq!(ring.pull(*id).map(|message| message.id()), Some(*id));
    }
    ring.compact_step(9);
    ring.put(1, b"ab").ok();
    ring.put_parts(2, &[b"a", b"b"]).ok();
    ring.put_fmt(3, 9, format_args!("{}", ids.len())).ok();
    ring.put_compacting(4, b"cdef").ok();
    ring.retain(|message| message.id() % 2 == 0);
    ring.trim();
    let evicted = ring.put_evicting(5, b"", |_| ()).expect("it fits an empty ring");
    assert!(evicted.bytes <= ring.size());
    ring.compact();
    assert_eq!(ring.reclaimable(), 0);
    while ring.get().is_some() {}
    assert_eq!(ring.free(), ring.size());
}

/// The same bytes as memory that a reset left: words first.
fn retained(image: &[u8]) {
    let Some((words, bytes)) = image.split_at_checked(4 * (WORDS - 2)) else { return };
    if bytes.len() < 8 {
        return;
    }
    let mut memory = Plain { words: [0; WORDS], bytes: bytes.to_vec() };
    _ = RetainedRing::over(&mut memory).expect("enough bytes").1;
    memory.bytes.copy_from_slice(bytes);
    let words = words.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    for (pair, word) in words.enumerate() {
        memory.words[2 + pair] = word;
    }
    let (mut ring, boot) = RetainedRing::over(&mut memory).expect("enough bytes");
    let Boot::Again(report) = boot else { panic!("{boot:?}") };
    assert_eq!(report.messages, ring.message_count());
    let evicted = ring.put_evicting(9, b"abc").expect("it fits");
    assert!(evicted.messages <= report.messages);
    let ids: Vec<u16> = ring.ids().collect();
    let (ring, boot) = RetainedRing::over(&mut memory).expect("enough bytes");
    assert!(matches!(boot, Boot::Again(report) if report.flaw.is_none()));
    assert!(ring.ids().eq(ids));
}

struct Plain {
    words: [u32; WORDS],
    bytes: Vec<u8>,
}

impl Memory for Plain {
    fn word(&self, index: usize) -> u32 {
        self.words[index]
    }

    fn store_word(&mut self, index: usize, word: u32) {
        self.words[index] = word;
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn store_bytes(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
