//! The timeline: what is armed, in the order in which it falls due.
//!
//! An indexed binary heap over the table. The heap is an array of slot indices, kept in the slots
//! themselves (`heap` of slot *p* is the entry at position *p* and has nothing else to do with that
//! slot); each armed slot knows its position, so that it can be taken out of the middle at once.
//! Nothing is ever left behind to be skipped later, and the key of a slot never changes while it
//! is in.
//!
//! Order: deadline, then the number it was given when it was armed. No two numbers are equal, so
//! equal deadlines come out first in, first out.
//!
//! Taking one out moves the hole down to a leaf along the earlier children and then lifts the last
//! entry into place: one comparison a level instead of two, as the last entry nearly always
//! belongs near the bottom.

use crate::time::Instant;

/// A slot's share of the timeline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// When it falls due. Also kept while it is ready and while it runs.
    pub(crate) deadline: Instant,
    /// Which arming this is; numbers grow, and no two armed slots have the same.
    pub(crate) sequence: u32,
    /// Its position in the heap plus one; zero when it is not in.
    place: u16,
    /// The heap's entry at the position that has this slot's index.
    heap: u16,
}

impl Node {
    pub(crate) const LOOSE: Self =
        Self { deadline: Instant::from_ticks(0), sequence: 0, place: 0, heap: 0 };

    pub(crate) const fn is_armed(&self) -> bool {
        self.place != 0
    }

    /// Whether this one comes first.
    #[inline]
    pub(crate) const fn before(&self, other: &Self) -> bool {
        let (a, b) = (self.deadline.as_ticks(), other.deadline.as_ticks());
        a < b || (a == b && self.sequence < other.sequence)
    }
}

/// What can be armed.
pub(crate) trait Timed {
    fn node(&self) -> &Node;
    fn node_mut(&mut self) -> &mut Node;
}

/// How many slots are armed; the rest of the heap is in the slots.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeline {
    len: u16,
}

impl Timeline {
    pub(crate) const EMPTY: Self = Self { len: 0 };

    /// Puts a slot in. It must not be in already.
    ///
    /// Cost: O(log armed).
    pub(crate) fn arm<S: Timed>(&mut self, slots: &mut [S], index: u16) {
        let last = self.len;
        self.len = last.wrapping_add(1);
        lift(slots, usize::from(last), index);
    }

    /// Takes a slot out. It must be in.
    ///
    /// Cost: O(log armed).
    pub(crate) fn disarm<S: Timed>(&mut self, slots: &mut [S], index: u16) {
        let Some(slot) = slots.get_mut(usize::from(index)) else { return };
        let position = core::mem::take(&mut slot.node_mut().place).wrapping_sub(1);
        let last = self.len.wrapping_sub(1);
        self.len = last;
        if position == last {
            return;
        }
        let Some(moved) = slots.get(usize::from(last)).map(|slot| slot.node().heap) else { return };
        let hole = sink_hole(slots, usize::from(last), usize::from(position));
        lift(slots, hole, moved);
    }

    /// Gives a slot that is in a new deadline, anywhere in the timeline.
    ///
    /// Cost: O(log armed), half of taking it out and putting it in again.
    pub(crate) fn postpone<S: Timed>(
        &mut self,
        slots: &mut [S],
        index: u16,
        deadline: Instant,
        sequence: u32,
    ) {
        let Some(slot) = slots.get_mut(usize::from(index)) else { return };
        let node = slot.node_mut();
        node.deadline = deadline;
        node.sequence = sequence;
        let position = usize::from(node.place.wrapping_sub(1));
        let hole = sink_hole(slots, usize::from(self.len), position);
        lift(slots, hole, index);
    }

    /// The slot that falls due first.
    #[inline]
    pub(crate) fn first<'s, S: Timed>(&self, slots: &'s [S]) -> Option<(u16, &'s Node)> {
        if self.len == 0 {
            return None;
        }
        entry(slots, 0)
    }

    /// All armed slots, the first one first, the rest in no order.
    pub(crate) fn iter<S: Timed>(&self, slots: &[S]) -> impl Iterator<Item = u16> {
        slots.iter().take(usize::from(self.len)).map(|slot| slot.node().heap)
    }
}

/// Moves the hole at `hole` down to a leaf of a heap of `len` and returns where it came to rest.
#[inline]
fn sink_hole<S: Timed>(slots: &mut [S], len: usize, mut hole: usize) -> usize {
    loop {
        // Positions are below 65,535, so this cannot overflow where `usize` has 32 bits.
        let left = hole.wrapping_mul(2).wrapping_add(1);
        if left >= len {
            return hole;
        }
        let Some((mut child, earlier)) = entry(slots, left) else { return hole };
        let mut at = left;
        let right = left.wrapping_add(1);
        if right < len {
            let Some((other, node)) = entry(slots, right) else { return hole };
            if node.before(earlier) {
                child = other;
                at = right;
            }
        }
        place(slots, hole, child);
        hole = at;
    }
}

/// Moves the hole up to where `index` belongs, and puts it there.
#[inline]
fn lift<S: Timed>(slots: &mut [S], mut hole: usize, index: u16) {
    let Some(node) = slots.get(usize::from(index)).map(|slot| *slot.node()) else { return };
    while hole > 0 {
        let above = hole.wrapping_sub(1) / 2;
        let Some((parent, later)) = entry(slots, above) else { return };
        if later.before(&node) {
            break;
        }
        place(slots, hole, parent);
        hole = above;
    }
    place(slots, hole, index);
}

/// Who is at a position of the heap.
#[inline]
fn entry<S: Timed>(slots: &[S], position: usize) -> Option<(u16, &Node)> {
    let index = slots.get(position)?.node().heap;
    Some((index, slots.get(usize::from(index))?.node()))
}

#[inline]
fn place<S: Timed>(slots: &mut [S], position: usize, index: u16) {
    if let Some(slot) = slots.get_mut(position) {
        slot.node_mut().heap = index;
    }
    if let Some(slot) = slots.get_mut(usize::from(index)) {
        slot.node_mut().place = (position as u16).wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    impl Timed for Node {
        fn node(&self) -> &Node {
            self
        }
        fn node_mut(&mut self) -> &mut Node {
            self
        }
    }

    fn check(timeline: &Timeline, slots: &[Node]) {
        for position in 0..timeline.len {
            let index = slots[usize::from(position)].heap;
            assert_eq!(slots[usize::from(index)].place, position + 1);
            if position > 0 {
                let parent = slots[usize::from((position - 1) / 2)].heap;
                assert!(slots[usize::from(parent)].before(&slots[usize::from(index)]));
            }
        }
        let armed = slots.iter().filter(|slot| slot.is_armed()).count();
        assert_eq!(armed, usize::from(timeline.len), "a slot was lost or is in twice");
    }

    proptest! {
        #[test]
        fn the_timeline_is_a_sorted_vec(
            size in 1usize..40,
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0u64..8), 1..300)
        ) {
            let mut slots = vec![Node::LOOSE; size];
            let mut timeline = Timeline::EMPTY;
            let mut model: Vec<(u64, u32, u16)> = Vec::new();
            for (number, (which, deadline)) in (0u32..).zip(steps) {
                let index = which.index(size) as u16;
                let slot = &mut slots[usize::from(index)];
                if slot.is_armed() {
                    timeline.disarm(&mut slots, index);
                    model.retain(|entry| entry.2 != index);
                } else {
                    slot.deadline = Instant::from_ticks(deadline);
                    slot.sequence = number;
                    timeline.arm(&mut slots, index);
                    model.push((deadline, number, index));
                    model.sort();
                }
                check(&timeline, &slots);
                let first = timeline.first(&slots);
                prop_assert_eq!(first.map(|(index, node)| (node.deadline.as_ticks(), index)),
                    model.first().map(|&(at, _, index)| (at, index)));
            }
            for (deadline, _, index) in model {
                let (first, node) = timeline.first(&slots).unwrap();
                prop_assert_eq!((first, node.deadline.as_ticks()), (index, deadline));
                timeline.disarm(&mut slots, first);
                check(&timeline, &slots);
            }
        }
    }

    #[test]
    fn equal_deadlines_come_out_first_in_first_out() {
        let mut slots = [Node::LOOSE; 100];
        let mut timeline = Timeline::EMPTY;
        for index in 0..100 {
            slots[usize::from(index)].sequence = u32::from(index);
            timeline.arm(&mut slots, index);
        }
        for index in 0..100 {
            assert_eq!(timeline.first(&slots).map(|first| first.0), Some(index));
            timeline.disarm(&mut slots, index);
        }
    }

    #[test]
    fn the_largest_table_works() {
        let mut slots = vec![Node::LOOSE; 65_534];
        let mut timeline = Timeline::EMPTY;
        for index in 0..65_534u16 {
            slots[usize::from(index)].sequence = u32::from(index.wrapping_mul(40_503));
            timeline.arm(&mut slots, index);
        }
        check(&timeline, &slots);
        let mut last = 0;
        while let Some((index, _)) = timeline.first(&slots) {
            timeline.disarm(&mut slots, index);
            assert!(slots[usize::from(index)].sequence >= last);
            last = slots[usize::from(index)].sequence;
        }
    }
}
