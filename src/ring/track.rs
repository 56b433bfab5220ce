//! What a ring may remember beside its four words: nothing, or what makes polling cheap and shows
//! how full it ever was.
//!
//! The ring tells a [`Track`] what happens; it never gets back more than where a search may begin.
//! So what it remembers cannot change a result, only how long it takes to come to it.

use super::queue::Queue;

/// What a ring remembers: [`Plain`] or [`Tracked`].
#[expect(private_bounds, reason = "there are two of them, and their methods are the ring's own")]
pub trait Track: Notes {}

/// What the queue tells, and the one thing it asks. Doing nothing is right everywhere.
pub(super) trait Notes {
    /// There are `used` bytes now, after a message came.
    fn grown(&mut self, used: usize) {
        let _ = used;
    }

    /// The tail passed `len` bytes.
    fn passed(&mut self, len: usize) {
        let _ = len;
    }

    /// No message with this id lies in the first `bytes` bytes from the tail on.
    fn searched(&mut self, id: u16, bytes: usize) {
        let _ = (id, bytes);
    }

    /// How many bytes from the tail on need not be searched for `id`.
    fn known(&self, id: u16) -> usize {
        let _ = id;
        0
    }

    /// Records were moved: what was searched is where it was no longer.
    fn moved(&mut self) {}
}

/// Remembers nothing and takes no room: what [`Ring::new`](super::Ring::new) makes.
#[derive(Clone, Copy, Debug)]
pub struct Plain(());

impl Plain {
    pub(super) const NEW: Self = Self(());
}

impl Notes for Plain {}
impl Track for Plain {}

/// Remembers the last search and the high-water mark, in three words: what
/// [`Ring::tracked`](super::Ring::tracked) makes.
#[derive(Clone, Copy, Debug)]
pub struct Tracked {
    /// Bytes used at most so far.
    high_water: usize,
    /// In so many bytes from the tail on there is no message with the id `id`.
    searched: usize,
    /// The id last searched for, 0 before the first search.
    id: u16,
}

impl Tracked {
    pub(super) const NEW: Self = Self { high_water: 0, searched: 0, id: 0 };
}

impl Notes for Tracked {
    #[inline]
    fn grown(&mut self, used: usize) {
        self.high_water = self.high_water.max(used);
    }

    #[inline]
    fn passed(&mut self, len: usize) {
        self.searched = self.searched.saturating_sub(len);
    }

    fn searched(&mut self, id: u16, bytes: usize) {
        (self.id, self.searched) = (id, bytes);
    }

    fn known(&self, id: u16) -> usize {
        if id == self.id { self.searched } else { 0 }
    }

    fn moved(&mut self) {
        self.searched = 0;
    }
}

impl Track for Tracked {}

impl Queue<Tracked> {
    pub(super) fn high_water(&self) -> usize {
        self.notes().high_water
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::{Notes, Plain, Tracked};
    use crate::ring::queue::Queue;
    use crate::ring::record::Bytes;

    /// Bytes that count how many of them were shown.
    struct Watched {
        bytes: [u8; 64],
        shown: Cell<usize>,
    }

    impl Bytes for Watched {
        fn size(&self) -> usize {
            self.bytes.len()
        }

        fn slice(&self, at: usize, len: usize) -> Option<&[u8]> {
            self.shown.set(self.shown.get() + len);
            self.bytes.get(at..at + len)
        }

        fn make_hole(&mut self, at: usize) {
            self.bytes.make_hole(at);
        }
    }

    /// How many bytes are shown in polls for what is not there: two, and a third when one message of
    /// seven bytes has come.
    fn shown_in_polls<T: Notes>(notes: T) -> [usize; 3] {
        let mut watched = Watched { bytes: [0; 64], shown: Cell::new(0) };
        let mut queue = Queue::new(notes);
        for id in 1..=5 {
            assert!(queue.put(&mut watched.bytes, id, b"ab"));
        }
        let poll = |queue: &mut Queue<T>, watched: &mut Watched| {
            assert!(queue.pull(watched, 9).len().is_none());
            watched.shown.take()
        };
        let [first, second] = [poll(&mut queue, &mut watched), poll(&mut queue, &mut watched)];
        assert!(queue.put(&mut watched.bytes, 6, b"new"));
        [first, second, poll(&mut queue, &mut watched)]
    }

    #[test]
    fn polling_for_what_has_not_come_looks_at_the_new_messages_only() {
        assert_eq!(shown_in_polls(Plain::NEW), [30, 30, 37]);
        assert_eq!(shown_in_polls(Tracked::NEW), [30, 0, 7]);
    }
}
