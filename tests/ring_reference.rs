//! The ring beside the reference implementation: each recorded call replayed, and after it the
//! result, head, tail, bytes used, every byte of storage and the ids compared.
//!
//! `data/ring.trace` is the recording, and says at its head how to read it.

use ensue::{Message, PutError, Ring};

const TRACE: &str = include_str!("data/ring.trace");

#[test]
fn all_20_185_calls_leave_the_ring_as_the_reference_was() {
    let mut replayed = 0;
    let mut replay = None;
    for (number, line) in (1..).zip(TRACE.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (call, state) = line.split_once(" ; ").unwrap_or((line, ""));
        let mut words = call.split(' ');
        let name = words.next().unwrap();
        let what = format!("line {number}: {line}");
        if name == "new" {
            replay = new_ring(&mut words, &what);
        } else {
            replay.as_mut().expect("a ring").call(name, &mut words, &what);
        }
        if let Some(replay) = &mut replay {
            replay.expect(state, &what);
        }
        assert_eq!(words.next(), None, "{what}");
        replayed += 1;
    }
    assert_eq!(replayed, 20_185);
}

type Words<'a> = std::str::Split<'a, char>;

/// A ring, and what the trace says it must look like.
struct Replay {
    ring: Ring<&'static mut [u8]>,
    expected: State,
    /// The id that the last call put or found.
    id: u16,
}

#[derive(Clone, Default)]
struct State {
    head: usize,
    tail: usize,
    used: usize,
    storage: Storage,
    ids: Ids,
}

#[derive(Clone, PartialEq, Debug)]
enum Storage {
    Bytes(Vec<u8>),
    Crc(u32),
}

#[derive(Clone, PartialEq, Debug)]
enum Ids {
    All(Vec<u16>),
    Crc { count: usize, crc: u32 },
}

fn new_ring(words: &mut Words, what: &str) -> Option<Replay> {
    let size = words.next().unwrap();
    if words.next() == Some("refused") {
        // A negative size, which the reference was asked for as well, is no size here.
        let refused = size.parse().is_ok_and(|size| Ring::over(&mut vec![0; size]).is_ok());
        assert!(!refused, "{what}");
        return None;
    }
    // What a buffer held before must not matter: the reference starts with zeros.
    let buffer = vec![0xEE; size.parse().unwrap()].leak();
    let ring = Ring::over(buffer).expect(what);
    Some(Replay { ring, expected: State::default(), id: 0 })
}

impl Replay {
    fn call(&mut self, name: &str, words: &mut Words, what: &str) {
        match name {
            "put" => {
                let id = words.next().unwrap().parse::<u32>().unwrap();
                let payload = payload(words.next().unwrap());
                assert_eq!(self.put(id, &payload), words.next().unwrap(), "{what}");
            }
            "get" => {
                let found = self.ring.get();
                self.id = compare_found(found, words, what);
            }
            "peek" => {
                let found = self.ring.peek();
                compare_found(found, words, what);
            }
            "pull" => {
                // The reference looks for larger ids as well, and finds none.
                let id = words.next().unwrap().parse::<u32>().unwrap();
                let found = u16::try_from(id).ok().and_then(|id| self.ring.pull(id));
                self.id = compare_found(found, words, what);
            }
            "is_empty" => self.is_empty(words.next().unwrap() == "true", what),
            "is_full" => self.is_full(words.next().unwrap() == "true", what),
            "len" => assert_eq!(self.ring.used(), words.next().unwrap().parse().unwrap(), "{what}"),
            "list" => {}
            "clear" => self.ring.clear(),
            _ => panic!("{what}"),
        }
    }

    fn put(&mut self, id: u32, payload: &[u8]) -> &'static str {
        // Ids over 65,535 cannot be written down here; the reference refuses them when called.
        let Ok(id) = u16::try_from(id) else { return "id" };
        self.id = id;
        let (free, size) = (self.ring.free(), self.ring.size());
        let needed = 4 + payload.len();
        match self.ring.put(id, payload) {
            Ok(()) => "ok",
            Err(PutError::ReservedId) => "id",
            Err(PutError::TooLong) => "too_long",
            Err(error) => {
                // The reference has one word for both; which one it is follows from the sizes.
                if needed > size {
                    assert_eq!(error, PutError::NeverFits { needed, size });
                } else {
                    let reclaimable = self.ring.used() - live_bytes(&self.ring);
                    assert_eq!(error, PutError::Full { needed, free, reclaimable });
                }
                "full"
            }
        }
    }

    /// Decided otherwise: the reference answers for bytes, holes included, and so sends a loop that
    /// drains it into a message that is not there. Ours answers for messages.
    fn is_empty(&self, reference: bool, what: &str) {
        assert_eq!(self.ring.used() == 0, reference, "{what}");
        assert_eq!(self.ring.is_empty(), self.ring.peek().is_none(), "{what}");
    }

    /// Decided otherwise: the reference means that no byte is free, which does not protect a put.
    /// Ours means that not even an empty message fits.
    fn is_full(&self, reference: bool, what: &str) {
        assert_eq!(self.ring.used() == self.ring.size(), reference, "{what}");
        assert_eq!(self.ring.is_full(), self.ring.free() < 4, "{what}");
    }

    fn expect(&mut self, state: &str, what: &str) {
        if let [head, tail, used, storage, ids] = state.split(' ').collect::<Vec<_>>()[..] {
            let before = &self.expected;
            self.expected = State {
                head: head.parse().unwrap(),
                tail: tail.parse().unwrap(),
                used: used.parse().unwrap(),
                storage: Storage::parse(storage, &before.storage),
                ids: Ids::parse(ids, &before.ids, self.id),
            };
        } else {
            assert_eq!(state, "", "{what}");
        }
        let (ring, expected) = (&self.ring, &self.expected);
        assert_eq!(ring.head(), expected.head, "head, {what}");
        assert_eq!(ring.tail(), expected.tail, "tail, {what}");
        assert_eq!(ring.used(), expected.used, "used, {what}");
        let storage = match expected.storage {
            Storage::Bytes(_) => Storage::Bytes(ring.bytes().to_vec()),
            Storage::Crc(_) => Storage::Crc(crc32(ring.bytes())),
        };
        assert_eq!(storage, expected.storage, "storage, {what}");
        let all = ring.ids().collect::<Vec<_>>();
        assert_eq!(ring.message_count(), all.len(), "{what}");
        let ids = match expected.ids {
            Ids::All(_) => Ids::All(all),
            Ids::Crc { .. } => {
                let bytes = all.iter().flat_map(|id| id.to_be_bytes()).collect::<Vec<_>>();
                Ids::Crc { count: all.len(), crc: crc32(&bytes) }
            }
        };
        assert_eq!(ids, expected.ids, "ids, {what}");
        self.is_taken_in(what);
    }

    /// Each state that the reference was in is an image that is accepted.
    fn is_taken_in(&self, what: &str) {
        let ring = &self.ring;
        let mut image = ring.bytes().to_vec();
        let again = Ring::from_parts(&mut image[..], ring.head(), ring.tail(), ring.used());
        let again = again.expect(what);
        assert!(again.ids().eq(ring.ids()), "{what}");
        assert_eq!(again.reclaimable(), ring.reclaimable(), "{what}");
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self::Crc(0)
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl Storage {
    fn parse(word: &str, before: &Self) -> Self {
        match word.strip_prefix('=') {
            Some(bytes) => Self::Bytes(hex(bytes)),
            None if word == "^" => before.clone(),
            None => Self::Crc(u32::from_str_radix(word, 16).unwrap()),
        }
    }
}

impl Ids {
    fn parse(word: &str, before: &Self, id: u16) -> Self {
        if let Some((count, crc)) = word.split_once('/') {
            let crc = u32::from_str_radix(crc, 16).unwrap();
            return Self::Crc { count: count.parse().unwrap(), crc };
        }
        let ids = match (word, before) {
            (".", _) => Vec::new(),
            ("+", Self::All(before)) => [&before[..], &[id]].concat(),
            ("-", Self::All(before)) => {
                let mut ids = before.clone();
                ids.remove(ids.iter().position(|&known| known == id).unwrap());
                ids
            }
            _ => word.split(',').map(|id| id.parse().unwrap()).collect(),
        };
        Self::All(ids)
    }
}

/// Compares what a call found with the trace; returns its id, 0 for nothing.
fn compare_found(found: Option<Message>, words: &mut Words, what: &str) -> u16 {
    match (found, words.next().unwrap()) {
        (None, "-") => 0,
        (Some(message), id) => {
            assert_eq!(message.id(), id.parse().unwrap(), "{what}");
            let bytes = message.bytes().collect::<Vec<_>>();
            let expected = words.next().unwrap();
            match expected.split_once('/') {
                Some((len, crc)) => {
                    assert_eq!(bytes.len(), len.parse().unwrap(), "{what}");
                    assert_eq!(format!("{:08x}", crc32(&bytes)), crc, "{what}");
                }
                None => assert_eq!(bytes, payload(expected), "{what}"),
            }
            message.id()
        }
        (None, _) => panic!("nothing found, {what}"),
    }
}

fn live_bytes(ring: &Ring<&mut [u8]>) -> usize {
    ring.iter().map(|message| 4 + message.len()).sum()
}

fn payload(word: &str) -> Vec<u8> {
    if word == "." {
        Vec::new()
    } else if let Some((start, len)) = word.split_once('*') {
        let start = start.parse::<usize>().unwrap();
        let byte = |i: usize| (start + 7 * i + 13 * (i >> 8)) as u8;
        (0..len.parse().unwrap()).map(byte).collect()
    } else if let Some((byte, len)) = word.split_once('x') {
        vec![u8::from_str_radix(byte, 16).unwrap(); len.parse().unwrap()]
    } else {
        hex(word)
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| CRC[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

static CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut crc = at as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};
