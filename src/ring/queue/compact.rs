//! Moving messages together, so that holes become free bytes.
//!
//! Messages move towards the tail, and the holes between them gather to one gap, which travels
//! towards the head and ends there. A gap that has not arrived when the work is cut short is written
//! down as what it is, a hole: the queue is sound after every step.
//!
//! ```text
//!   tail                                              head
//!   | message |....| message | message |..| message |         before
//!   | message | message | message |.......| message |         cut short
//!   | message | message | message | message |                 done
//! ```

use super::Queue;
use crate::ring::record::{self, HEADER, HOLE, Header, MAX_PAYLOAD, advance};
use crate::ring::track::Notes;

impl<T: Notes> Queue<T> {
    /// Moves messages of at most `budget` bytes, headers included, but one at least if one is to be
    /// moved. All holes are gone when no budget cuts it short.
    pub(in crate::ring) fn compact(&mut self, storage: &mut [u8], budget: usize) {
        self.pass_holes(storage);
        if self.holes == 0 {
            return;
        }
        let size = storage.len();
        // Offsets from the tail. In front of `to` all is done; the gap reaches from there to `run`;
        // from `run` to `from` there are messages, to be moved as one; behind, nothing is known.
        let (mut to, mut run, mut from) = (0, 0, 0);
        let mut moved = 0;
        while from < self.used {
            let gap = run - to;
            let waiting = if gap == 0 { 0 } else { moved + (from - run) };
            if gap == self.holes && self.used - run <= budget.saturating_sub(moved) {
                // No hole ahead, and room in the budget for all that is left.
                from = self.used;
                break;
            }
            let header = record::header(storage, advance(self.tail, from, size));
            let len = header.record_len();
            if header.is_hole() {
                self.close(storage, (to, run, from));
                (moved, to) = (waiting, to + (from - run));
                from += len;
                run = from;
            } else if waiting != 0 && waiting + len > budget {
                break;
            } else {
                from += len;
            }
        }
        self.close(storage, (to, run, from));
        let to = to + (from - run);
        if from == self.used {
            self.holes -= from - to;
            self.used = to;
        } else {
            self.write_holes(storage, to, from - to);
        }
        self.notes.moved();
    }

    /// Moves the messages between `run` and `from` back to `to`.
    fn close(&self, storage: &mut [u8], (to, run, from): (usize, usize, usize)) {
        let at = |offset| advance(self.tail, offset, storage.len());
        let places = (at(run), at(to));
        if run != to {
            record::move_back(storage, places, from - run, run - to);
        }
    }

    /// Writes holes that take `len` bytes together. One is enough, but for the longest gaps.
    fn write_holes(&self, storage: &mut [u8], mut offset: usize, mut len: usize) {
        let size = storage.len();
        while len >= HEADER {
            // What is left over must be able to be a hole too.
            let hole = if len <= HEADER + MAX_PAYLOAD { len } else { len.min(MAX_PAYLOAD) };
            let header = Header::new(HOLE, hole - HEADER);
            record::copy_around(storage, advance(self.tail, offset, size), &header.to_bytes());
            offset += hole;
            len -= hole;
        }
    }
}
