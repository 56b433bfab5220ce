//! Memory that writes down what is stored in it, so that it can be stored again as far as the power
//! reaches. (The engine ends at a panic: a program that lost its power cannot unwind here.)

use ensue::ring::{Boot, Memory, RetainedRing, WORDS};

#[derive(Clone, Debug)]
pub struct Fake {
    pub words: [u32; WORDS],
    pub bytes: Vec<u8>,
    pub log: Vec<Store>,
}

#[derive(Clone, Copy, Debug)]
pub enum Store {
    Word(usize, u32),
    Byte(usize, u8),
}

impl Fake {
    /// Bytes that were never anything, at least as many as a ring needs.
    pub fn new(size: usize) -> Self {
        Self { words: [0xA5A5_A5A5; WORDS], bytes: vec![0xA5; size.max(8)], log: Vec::new() }
    }

    pub fn open(&mut self) -> (RetainedRing<'_, Self>, Boot) {
        RetainedRing::over(self).expect("enough bytes")
    }

    /// This memory and each one that is left of it when the power goes after so many of the stores
    /// that `program` makes. The last is the one that has them all.
    pub fn cut(&self, program: impl FnOnce(&mut Self)) -> impl Iterator<Item = (usize, Self)> {
        let mut whole = self.clone();
        whole.log.clear();
        program(&mut whole);
        let mut left = self.clone();
        left.log.clear();
        let mut stores = whole.log.into_iter();
        let mut next = Some(left);
        (0..).map_while(move |power| {
            let left = next.take()?;
            next = stores.next().map(|store| {
                let mut one_more = left.clone();
                one_more.store(store);
                one_more
            });
            Some((power, left))
        })
    }

    fn store(&mut self, store: Store) {
        match store {
            Store::Word(index, word) => self.words[index] = word,
            Store::Byte(at, byte) => self.bytes[at] = byte,
        }
    }
}

impl Memory for Fake {
    fn word(&self, index: usize) -> u32 {
        self.words[index]
    }

    fn store_word(&mut self, index: usize, word: u32) {
        self.log.push(Store::Word(index, word));
        self.words[index] = word;
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn store_bytes(&mut self, at: usize, bytes: &[u8]) {
        for (at, byte) in (at..).zip(bytes) {
            self.log.push(Store::Byte(at, *byte));
            self.bytes[at] = *byte;
        }
    }
}
