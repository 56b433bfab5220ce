//! The timeline: which of the armed slots falls due first.
//!
//! A tournament over the table. Every slot is a player at a fixed place at the bottom; every match
//! above remembers which of two players falls due earlier, and the winner of the last match is the
//! first of all. When a player's deadline changes, or it joins or leaves, only the matches on its
//! way up are played again, and as soon as one ends as before the rest stand. So arming, cancelling
//! and re-arming are one and the same walk of at most log2(places) steps with one comparison each,
//! typically two; nothing is ever left behind to be skipped later, and no slot needs to know where
//! it is.
//!
//! There is one match fewer than there are players, so match *m* is kept in slot *m*, with which it
//! has nothing else to do. Match 1 is the last one; match *m* is between the players or winners at
//! 2*m* and 2*m* + 1; slot *i* plays at *places* + *i*. With five places:
//!
//! ```text
//!              1
//!         ┌────┴────┐
//!         2         3
//!       ┌─┴─┐     ┌─┴─┐
//!       4   5     6   7      5 to 9 are the slots 0 to 4
//!      ┌┴┐
//!      8 9
//! ```
//!
//! Order: deadline, then the number it was given when it was armed. No two numbers are equal, so
//! equal deadlines come out first in, first out.

use crate::{list::Link, time::Instant};

/// A slot's share of the timeline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// When it falls due. Also kept while it is ready and while it runs.
    pub(crate) deadline: Instant,
    /// Which arming this is; numbers grow, and no two armed slots have the same.
    pub(crate) sequence: u32,
    /// Who won the match that is kept here.
    winner: Link,
    armed: bool,
}

impl Node {
    pub(crate) const LOOSE: Self =
        Self { deadline: Instant::from_ticks(0), sequence: 0, winner: Link::NONE, armed: false };

    /// Nobody comes after this one.
    const LAST: Self =
        Self { deadline: Instant::from_ticks(u64::MAX), sequence: u32::MAX, ..Self::LOOSE };

    pub(crate) const fn is_armed(&self) -> bool {
        self.armed
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

/// Puts a slot in, or moves it when it is in.
///
/// Cost: O(log places).
#[inline]
pub(crate) fn arm<S: Timed>(slots: &mut [S], index: u16, deadline: Instant, sequence: u32) {
    let Some(slot) = slots.get_mut(usize::from(index)) else { return };
    let node = slot.node_mut();
    node.deadline = deadline;
    node.sequence = sequence;
    node.armed = true;
    replay(slots, index);
}

/// Takes a slot out.
///
/// Cost: O(log places).
#[inline]
pub(crate) fn disarm<S: Timed>(slots: &mut [S], index: u16) {
    let Some(slot) = slots.get_mut(usize::from(index)) else { return };
    slot.node_mut().armed = false;
    replay(slots, index);
}

/// The slot that falls due first; an index that no slot has when none is armed.
///
/// Cost: O(1).
#[inline]
pub(crate) fn first<S: Timed>(slots: &[S]) -> usize {
    match slots {
        [_, last_match, ..] => last_match.node().winner.place(),
        _ => player(slots, slots.len()),
    }
}

/// Plays the matches of a slot again, from the bottom up.
///
/// Never inlined: the walk needs all registers of a small core, and there is one of it this way.
#[inline(never)]
fn replay<S: Timed>(slots: &mut [S], index: u16) {
    let places = slots.len();
    let own = usize::from(index);
    let mut at = places.wrapping_add(own);
    let mut winner = player(slots, at);
    let mut best = slots.get(winner).map_or(Node::LAST, |slot| *slot.node());
    while at > 1 {
        let rival = player(slots, at ^ 1);
        if let Some(slot) = slots.get(rival) {
            if slot.node().before(&best) {
                winner = rival;
                best = *slot.node();
            }
        }
        at /= 2;
        let Some(slot) = slots.get_mut(at) else { return };
        let decided = &mut slot.node_mut().winner;
        if winner != own && decided.place() == winner {
            return;
        }
        *decided = Link::to(winner as u16);
    }
}

/// Who comes from a place of the drawing: a slot if it is armed, or the winner of a match. Nobody
/// is an index that no slot has.
#[inline]
fn player<S: Timed>(slots: &[S], at: usize) -> usize {
    if let Some(slot) = slots.get(at) {
        return slot.node().winner.place();
    }
    let index = at.wrapping_sub(slots.len());
    match slots.get(index) {
        Some(slot) if slot.node().armed => index,
        _ => Link::NONE.place(),
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

    /// Every match has been won by the better of its two.
    fn check(slots: &[Node]) {
        for at in 1..slots.len() {
            let (a, b) = (player(slots, 2 * at), player(slots, 2 * at + 1));
            let winner = match (slots.get(a), slots.get(b)) {
                (Some(one), Some(other)) if other.before(one) => b,
                (None, _) => b,
                _ => a,
            };
            assert_eq!(slots[at].winner.place(), winner, "match {at}");
        }
    }

    proptest! {
        #[test]
        fn the_timeline_is_a_sorted_vec(
            size in 1usize..40,
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0u64..8, 0u8..3), 1..300)
        ) {
            let mut slots = vec![Node::LOOSE; size];
            let mut model: Vec<(u64, u32, u16)> = Vec::new();
            for (number, (which, deadline, leave)) in (0u32..).zip(steps) {
                let index = which.index(size) as u16;
                model.retain(|entry| entry.2 != index);
                if leave == 0 {
                    disarm(&mut slots, index);
                } else {
                    arm(&mut slots, index, Instant::from_ticks(deadline), number);
                    model.push((deadline, number, index));
                    model.sort();
                }
                check(&slots);
                let first = slots.get(first(&slots)).map(|node| (node.deadline.as_ticks(), node.sequence));
                prop_assert_eq!(first, model.first().map(|&(at, number, _)| (at, number)));
            }
            for (_, _, index) in model {
                prop_assert_eq!(first(&slots), usize::from(index));
                disarm(&mut slots, index);
                check(&slots);
            }
            prop_assert!(slots.get(first(&slots)).is_none());
        }
    }

    #[test]
    fn equal_deadlines_come_out_first_in_first_out() {
        let mut slots = [Node::LOOSE; 100];
        for index in 0..100 {
            arm(&mut slots, (index * 7) % 100, Instant::from_ticks(5), u32::from(index));
        }
        for index in 0..100 {
            assert_eq!(first(&slots), usize::from((index * 7) % 100));
            disarm(&mut slots, (index * 7) % 100);
        }
    }

    #[test]
    fn the_largest_table_works() {
        let mut slots = vec![Node::LOOSE; 65_534];
        for index in 0..65_534u16 {
            let number = u32::from(index.wrapping_mul(40_503));
            arm(&mut slots, index, Instant::from_ticks(1), number);
        }
        check(&slots);
        let mut last = None;
        while let Some(node) = slots.get(first(&slots)) {
            assert!(last < Some(node.sequence));
            last = Some(node.sequence);
            let index = first(&slots) as u16;
            disarm(&mut slots, index);
        }
        assert!(last.is_some());
    }
}
