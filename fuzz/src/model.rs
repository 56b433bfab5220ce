//! What a ring promises, said once more and slowly: a list of records, and every byte of storage.
//!
//! It is written from the layout and from the table of when the tail moves, without a look at how
//! the library does it: `%`, one byte at a time, everything counted anew whenever it is asked for.

use std::collections::VecDeque;
use std::fmt::Debug;

use ensue::ring::{BadImage, Evicted, Flaw, TooShort, Track};
use ensue::{PutError, Ring};

use crate::op::{End, Op, Outcome, Owned, Step, kept, payload, text};

#[derive(Clone, Debug)]
pub struct Model {
    pub bytes: Vec<u8>,
    pub tail: usize,
    /// Oldest first; the id 0 is a hole.
    pub records: VecDeque<Owned>,
    pub high_water: usize,
    pub kind: Kind,
    /// Of a split ring: bytes that were taken and not yet given back.
    pub pending: usize,
    /// Of a split ring: how many messages its writer could not put.
    pub refused: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Whole,
    Split,
    Retained,
}

fn len(record: &Owned) -> usize {
    4 + record.1.len()
}

impl Model {
    pub fn new(size: usize, kind: Kind) -> Self {
        let (bytes, records) = (vec![0; size], VecDeque::new());
        Self { bytes, tail: 0, records, high_water: 0, kind, pending: 0, refused: 0 }
    }

    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    pub fn used(&self) -> usize {
        self.records.iter().map(len).sum()
    }

    pub fn head(&self) -> usize {
        (self.tail + self.used()) % self.size()
    }

    pub fn free(&self) -> usize {
        self.size() - self.used() - self.pending
    }

    pub fn holes(&self) -> usize {
        self.records.iter().filter(|record| record.0 == 0).map(len).sum()
    }

    pub fn messages(&self) -> impl Iterator<Item = &Owned> {
        self.records.iter().filter(|record| record.0 != 0)
    }

    fn store(&mut self, at: usize, bytes: &[u8]) {
        let size = self.size();
        for (offset, byte) in bytes.iter().enumerate() {
            self.bytes[(at + offset) % size] = *byte;
        }
    }

    fn load(&self, at: usize, len: usize) -> Vec<u8> {
        (0..len).map(|offset| self.bytes[(at + offset) % self.size()]).collect()
    }

    /// Why this cannot be put now, if it cannot.
    fn refuse(&self, id: u16, len: usize) -> Result<(), PutError> {
        let (needed, size, free) = (4 + len, self.size(), self.free());
        if id == 0 {
            Err(PutError::ReservedId)
        } else if len > 65_535 {
            Err(PutError::TooLong)
        } else if needed > size {
            Err(PutError::NeverFits { needed, size })
        } else if needed > free {
            let reclaimable = if self.kind == Kind::Split { 0 } else { self.holes() };
            Err(PutError::Full { needed, free, reclaimable })
        } else {
            Ok(())
        }
    }

    pub fn put(&mut self, id: u16, payload: Vec<u8>) -> Result<(), PutError> {
        self.refuse(id, payload.len())?;
        let head = self.head();
        self.store(head, &id.to_be_bytes());
        self.store(head + 2, &(payload.len() as u16).to_be_bytes());
        self.store(head + 4, &payload);
        self.records.push_back((id, payload));
        self.high_water = self.high_water.max(self.used());
        Ok(())
    }

    fn reserve(&mut self, id: u16, max: usize, steps: &[Step], end: End, count: usize) -> Outcome {
        if let Err(error) = self.refuse(id, max) {
            return Outcome::Put(Err(error));
        }
        let (size, start) = (self.size(), self.head() + 4);
        let (mut written, mut overrun, mut done) = (0, false, Vec::new());
        for step in steps {
            let bytes = match *step {
                Step::Push(len) | Step::Io(len) => Some(payload(len.of(size), count)),
                Step::Text(len) => Some(text(len.of(size), count).into_bytes()),
                Step::Fill(_) | Step::SetLen(_) => None,
            };
            let taken = match (step, bytes) {
                (_, Some(bytes)) if !overrun && written + bytes.len() <= max => {
                    self.store(start + written, &bytes);
                    written += bytes.len();
                    true
                }
                (Step::Fill(len) | Step::SetLen(len), _) => {
                    let len = len.of(size);
                    if let Step::Fill(_) = step {
                        // The slices are there whatever was said before.
                        self.store(start, &payload(len.min(max), count));
                    }
                    let taken = !overrun && len <= max;
                    written = if taken { len } else { written };
                    taken
                }
                _ => false,
            };
            overrun |= !taken;
            done.push((taken, written));
        }
        let result = match end {
            End::Commit if overrun => Some(Err(PutError::Overrun { max })),
            End::Commit => Some(self.put(id, self.load(start, written))),
            End::Drop | End::Forget => None,
        };
        Outcome::Written(done, result)
    }

    fn put_fmt(&mut self, id: u16, max: usize, texts: [String; 2]) -> Result<(), PutError> {
        self.refuse(id, max)?;
        let (start, mut written) = (self.head() + 4, 0);
        for text in texts {
            if written + text.len() > max {
                return Err(PutError::Overrun { max });
            }
            self.store(start + written, text.as_bytes());
            written += text.len();
        }
        self.put(id, self.load(start, written))
    }

    /// The tail passes the oldest record.
    fn pass(&mut self) -> Option<Owned> {
        let record = self.records.pop_front()?;
        self.tail = (self.tail + len(&record)) % self.size();
        if self.kind == Kind::Split {
            self.pending += len(&record);
        }
        Some(record)
    }

    pub fn trim(&mut self) -> usize {
        let before = self.used();
        while self.records.front().is_some_and(|record| record.0 == 0) {
            self.pass();
        }
        before - self.used()
    }

    fn get(&mut self) -> Option<Owned> {
        self.trim();
        self.pass()
    }

    /// The oldest go until there is room.
    fn make_room(&mut self, id: u16, len: usize) -> (Result<Evicted, PutError>, Vec<Owned>) {
        let (mut gone, mut report) = (Vec::new(), Evicted { messages: 0, bytes: 0 });
        let result = loop {
            match self.refuse(id, len) {
                Ok(()) => break Ok(report),
                Err(PutError::Full { .. }) => {}
                Err(error) => break Err(error),
            }
            if let Some(message) = self.get() {
                report.messages += 1;
                report.bytes += self::len(&message);
                gone.push(message);
            }
        };
        // A retained ring tells how many, and not which.
        (result, if self.kind == Kind::Retained { Vec::new() } else { gone })
    }

    fn offset(&self, at: usize) -> usize {
        self.records.iter().take(at).map(len).sum()
    }

    fn make_hole(&mut self, at: usize) -> Owned {
        let found = self.records[at].clone();
        self.store(self.tail + self.offset(at), &[0, 0]);
        self.records[at].0 = 0;
        found
    }

    fn find(&self, id: u16) -> Option<usize> {
        self.records.iter().position(|record| id != 0 && record.0 == id)
    }

    fn pull(&mut self, id: u16) -> Option<Owned> {
        let at = self.find(id)?;
        let found = self.make_hole(at);
        if at == 0 {
            self.pass();
        } else {
            self.trim();
        }
        Some(found)
    }

    fn retain(&mut self, keep: impl Fn(u16) -> bool) -> (usize, Vec<Owned>) {
        let (seen, mut gone) = (self.messages().cloned().collect(), 0);
        for at in 0..self.records.len() {
            let id = self.records[at].0;
            if id != 0 && !keep(id) {
                self.make_hole(at);
                gone += 1;
            }
        }
        if gone != 0 {
            self.trim();
        }
        (gone, seen)
    }

    /// All messages together, in their order; what becomes of the free bytes is not promised.
    fn compact(&mut self, after: &[u8]) -> usize {
        let before = self.used();
        self.trim();
        self.records.retain(|record| record.0 != 0);
        self.bytes.copy_from_slice(after);
        before - self.used()
    }

    /// How far a step comes is its own affair, but for this: messages and their order stay, no more
    /// of them move than the budget allows, what is reclaimed was in holes, and something happens
    /// as long as there are any.
    fn compact_step(&mut self, budget: usize, after: &[u8], used: usize) -> usize {
        self.trim();
        let before: Vec<_> = self.messages().cloned().collect();
        let places = self.places();
        let (first_hole, holes) = (self.find_hole(), self.holes());
        let reclaimed = self.used() - used;
        assert!(reclaimed == 0 || reclaimed == holes, "one gap");

        self.bytes.copy_from_slice(after);
        self.records = parse(after, self.tail, used).0;
        assert!(self.messages().eq(&before), "messages were lost, changed or mixed up");
        assert_eq!((self.used(), self.holes()), (used, holes - reclaimed));
        let moved: Vec<usize> = (places.iter().zip(self.places()).zip(&before))
            .filter(|((from, to), _)| *from != to)
            .map(|(_, message)| len(message))
            .collect();
        assert!(moved.iter().sum::<usize>() <= budget || moved.len() <= 1, "{moved:?}");
        if let Some(first_hole) = first_hole {
            let further = self.find_hole().is_none_or(|now| now > first_hole);
            assert!(further, "nothing was done");
        }
        self.holes()
    }

    fn find_hole(&self) -> Option<usize> {
        self.records.iter().position(|record| record.0 == 0)
    }

    /// How far behind the tail each message lies.
    fn places(&self) -> Vec<usize> {
        let all = 0..self.records.len();
        all.filter(|at| self.records[*at].0 != 0).map(|at| self.offset(at)).collect()
    }

    /// What an operation answers. Where bytes are moved, `after` is what became of them, and `used`
    /// how many are in records.
    pub fn apply(&mut self, op: &Op, count: usize, after: &[u8], used: usize) -> Outcome {
        let size = self.size();
        let payload = |len: usize| payload(len, count);
        if self.kind == Kind::Split && !op.is_writing() {
            self.pending = 0;
        }
        match *op {
            Op::Put(id, len) | Op::PutParts(id, len, _) => {
                Outcome::Put(self.put(id.value(), payload(len.of(size))))
            }
            Op::PutFmt(id, max, lens) => {
                let texts = lens.map(|len| text(len.of(size), count));
                Outcome::Put(self.put_fmt(id.value(), max.of(size), texts))
            }
            Op::Reserve(id, max, ref steps, end) => {
                self.reserve(id.value(), max.of(size), steps, end, count)
            }
            Op::Get => Outcome::Taken(self.get()),
            Op::Peek => Outcome::Taken(self.messages().next().cloned()),
            Op::Pull(id) => Outcome::Taken(self.pull(id.value())),
            Op::GetInto(room) => {
                let first = self.messages().next().map(|message| message.1.len());
                Outcome::Into(match first {
                    Some(needed) if needed > room.of(size) => Err(TooShort { needed }),
                    _ => Ok(self.get()),
                })
            }
            Op::PullInto(id, room) => Outcome::Into(match self.find(id.value()) {
                Some(at) if self.records[at].1.len() > room.of(size) => {
                    Err(TooShort { needed: self.records[at].1.len() })
                }
                _ => Ok(self.pull(id.value())),
            }),
            Op::Skip => Outcome::Was(self.get().is_some()),
            Op::Discard(id) => {
                let was = self.pull(id.value()).is_some();
                self.pending = 0;
                Outcome::Was(was)
            }
            Op::Retain(bits) => {
                let (gone, seen) = self.retain(|id| kept(bits, id));
                Outcome::Messages(gone, seen)
            }
            Op::PullAll(id) => {
                let (gone, seen) = self.retain(|known| known != id.value());
                let of_id = seen.into_iter().filter(|message| message.0 == id.value());
                Outcome::Messages(gone, of_id.collect())
            }
            Op::Clear => {
                self.tail = if self.kind == Kind::Retained { self.head() } else { 0 };
                self.records.clear();
                Outcome::Done
            }
            Op::Trim => {
                let bytes = self.trim();
                self.pending = 0;
                if self.kind == Kind::Whole { Outcome::Bytes(bytes) } else { Outcome::Done }
            }
            Op::Compact => Outcome::Bytes(self.compact(after)),
            Op::CompactStep(budget) => {
                Outcome::Bytes(self.compact_step(budget.into(), after, used))
            }
            Op::PutCompacting(id, len) => {
                let payload = payload(len.of(size));
                let needed = 4 + payload.len();
                let refused = self.refuse(id.value(), payload.len());
                let helps = matches!(refused, Err(PutError::Full { free, reclaimable, .. })
                    if free + reclaimable >= needed);
                if helps {
                    self.compact(after);
                }
                Outcome::Put(self.put(id.value(), payload))
            }
            Op::PutEvicting(id, len) => {
                let payload = payload(len.of(size));
                let (result, gone) = self.make_room(id.value(), payload.len());
                let result = result.inspect(|_| {
                    self.put(id.value(), payload).expect("there is room now");
                });
                Outcome::Evicted(result, gone)
            }
            Op::MakeRoom(len) => {
                let (result, gone) = self.make_room(1, len.of(size));
                Outcome::Evicted(result, gone)
            }
            Op::Release => Outcome::Done,
            Op::Reopen => {
                self.trim();
                Outcome::Done
            }
        }
    }

    /// The ring is what this says it is, to the byte.
    pub fn expect<S, T>(&self, ring: &Ring<S, T>, what: &dyn Debug)
    where
        S: AsRef<[u8]> + ?Sized,
        T: Track,
    {
        let live = self.messages().count();
        assert_eq!(ring.bytes(), self.bytes, "{what:?}");
        assert_eq!((ring.head(), ring.tail()), (self.head(), self.tail), "{what:?}");
        let figures = (ring.used(), ring.free(), ring.size());
        assert_eq!(figures, (self.used(), self.free(), self.size()), "{what:?}");
        assert_eq!((ring.message_count(), ring.is_empty()), (live, live == 0), "{what:?}");
        assert_eq!(ring.is_full(), self.free() < 4, "{what:?}");
        for len in [0, self.free().saturating_sub(4), self.free().saturating_sub(3), 65_536] {
            assert_eq!(ring.fits(len), self.refuse(1, len).is_ok(), "{len} {what:?}");
        }
        let holes = self.records.len() - live;
        assert_eq!((ring.reclaimable(), ring.hole_count()), (self.holes(), holes), "{what:?}");
        assert!(ring.ids().eq(self.messages().map(|message| message.0)), "{what:?}");
        let (mut iter, mut messages) = (ring.iter(), self.messages());
        for left in (0..=live).rev() {
            assert_eq!((iter.len(), iter.size_hint()), (left, (left, Some(left))), "{what:?}");
            match (iter.next(), messages.next()) {
                (None, None) => {}
                (Some(found), Some((id, payload))) => {
                    assert!(found.id() == *id && found == payload[..], "{found:?}, {what:?}");
                }
                different => panic!("{different:?}, {what:?}"),
            }
        }
    }

    /// The ring, taken in from its own image.
    pub fn expect_image(&self, what: &dyn Debug) {
        let mut bytes = self.bytes.clone();
        let image = Ring::from_parts(&mut bytes[..], self.head(), self.tail, self.used());
        self.expect(&image.expect("our own image"), what);
        let recovered = Ring::recover(&mut bytes[..], self.head(), self.tail, self.used());
        let (ring, report) = recovered.expect("enough bytes");
        assert_eq!((report.messages, report.dropped), (self.messages().count(), 0), "{what:?}");
        assert_eq!(report.flaw, None, "{what:?}");
        self.expect(&ring, what);
    }

    /// Judges an image as the documentation says it; `Err` with what was kept of it otherwise, and
    /// how many bytes were dropped.
    pub fn examine(
        bytes: &[u8],
        head: usize,
        tail: usize,
        used: usize,
    ) -> Result<Self, (Self, usize, BadImage)> {
        let size = bytes.len();
        let flaw = |offset, reason| Some(BadImage { offset, reason });
        let (believed, mut bad) = if tail >= size {
            (0, flaw(tail, Flaw::TailOutside))
        } else if head >= size {
            (used.min(size), flaw(head, Flaw::HeadOutside))
        } else if used > size {
            ((head + size - tail) % size, flaw(tail, Flaw::UsedTooLarge))
        } else if (tail + used) % size != head {
            (used.min((head + size - tail) % size), flaw(head, Flaw::HeadElsewhere))
        } else {
            (used, None)
        };
        let mut model = Self::new(size, Kind::Whole);
        model.bytes.copy_from_slice(bytes);
        if tail < size {
            model.tail = tail;
            let (records, broken) = parse(bytes, tail, believed);
            model.records = records;
            bad = bad.or(broken);
        }
        let dropped = used.min(size) - model.used().min(used);
        // A tail comes to a hole when a message went in front of it, and since then no pull has left
        // another: as the last hole was made, that message was still there.
        let up_to_last_hole = model.records.iter().rposition(|record| record.0 == 0);
        let is_hole_in_front = model.records.front().is_some_and(|record| record.0 == 0);
        let between = up_to_last_hole.map_or(0, |last| model.offset(last + 1));
        if is_hole_in_front && between + 4 > size {
            bad = bad.or(flaw(tail, Flaw::HoleInFront));
        }
        if bad.is_some() {
            model.trim();
        }
        match bad {
            None => Ok(model),
            Some(bad) => Err((model, dropped, bad)),
        }
    }
}

/// The sound records in `used` bytes from `tail` on, and what is wrong with the next.
fn parse(bytes: &[u8], tail: usize, used: usize) -> (VecDeque<Owned>, Option<BadImage>) {
    let at = |offset: usize| bytes[(tail + offset) % bytes.len()];
    let (mut records, mut offset) = (VecDeque::new(), 0);
    while offset < used {
        let place = (tail + offset) % bytes.len();
        if used - offset < 4 {
            return (records, Some(BadImage { offset: place, reason: Flaw::HeaderCut }));
        }
        let word = |offset| usize::from(at(offset)) << 8 | usize::from(at(offset + 1));
        let (id, len) = (word(offset), word(offset + 2));
        if offset + 4 + len > used {
            return (records, Some(BadImage { offset: place, reason: Flaw::RecordTooLong }));
        }
        records.push_back((id as u16, (0..len).map(|byte| at(offset + 4 + byte)).collect()));
        offset += 4 + len;
    }
    (records, None)
}

impl Op {
    /// Whether it is the writing half's.
    pub fn is_writing(&self) -> bool {
        matches!(self, Op::Put(..) | Op::PutParts(..) | Op::PutFmt(..) | Op::Reserve(..))
    }

    /// Whether the free bytes are as the operation leaves them, which is not promised.
    pub fn moves(&self) -> bool {
        matches!(self, Op::Compact | Op::CompactStep(_) | Op::PutCompacting(..))
    }
}
