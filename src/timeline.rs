//! The timeline: which of the armed slots falls due first.
//!
//! A tournament over the table. Every armed slot is a player at a fixed place at the bottom, in
//! every match above the one that falls due earlier wins and goes on, and each match remembers its
//! loser. The one who wins them all is written down as the loser of match 0, which nobody plays.
//!
//! When a player falls due later or drops out, the one who goes on in its stead is found on its
//! way up among those it had beaten, and stops where it had lost. A new player is seated from the
//! top: it meets the first of all, then the one who won the part of the drawing that both come
//! from, and so on down; from the first that it beats, everyone moves down one meeting. Both are
//! walks of at most log2(places) steps, mostly of two or three; nothing is left behind to be
//! skipped later, and no slot needs to know where it is.
//!
//! There is one match for each player, match 0 included, so match *m* is kept in slot *m*, with
//! which it has nothing else to do. Match 1 is the last one; in match *m* meet those who come from
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
    /// Who lost the match that is kept here; nobody when fewer than two came to it.
    loser: Link,
    armed: bool,
}

impl Node {
    pub(crate) const LOOSE: Self =
        Self { deadline: Instant::from_ticks(0), sequence: 0, loser: Link::NONE, armed: false };

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

/// Puts a slot in. It must not be in already.
///
/// Cost: O(log places).
#[inline]
pub(crate) fn arm<S: Timed>(slots: &mut [S], index: usize, deadline: Instant, sequence: u32) {
    let Some(slot) = slots.get_mut(index) else { return };
    let node = slot.node_mut();
    node.deadline = deadline;
    node.sequence = sequence;
    node.armed = true;
    enter(slots, index);
}

/// Gives a slot that is in a later deadline.
///
/// Cost: O(log places).
#[inline]
pub(crate) fn postpone<S: Timed>(slots: &mut [S], index: usize, deadline: Instant, sequence: u32) {
    let Some(slot) = slots.get_mut(index) else { return };
    let node = slot.node_mut();
    node.deadline = deadline;
    node.sequence = sequence;
    give_way(slots, index);
}

/// Takes a slot out. It must be in.
///
/// Cost: O(log places).
#[inline]
pub(crate) fn disarm<S: Timed>(slots: &mut [S], index: usize) {
    let Some(slot) = slots.get_mut(index) else { return };
    slot.node_mut().armed = false;
    give_way(slots, index);
}

/// The slot that falls due first; an index that no slot has when none is armed.
///
/// Cost: O(1).
#[inline]
pub(crate) fn first<S: Timed>(slots: &[S]) -> usize {
    slots.first().map_or(usize::MAX, |slot| slot.node().loser.index())
}

/// Plays the matches that a slot had won again, now that it falls due later or not at all.
///
/// Never inlined: the walk needs all registers of a small core, and there is one of it this way.
#[inline(never)]
fn give_way<S: Timed>(slots: &mut [S], place: usize) {
    let Some(slot) = slots.get(place) else { return };
    let (mut comes, mut due) = (Link::NONE.index(), u64::MAX);
    if slot.node().armed {
        (comes, due) = (place, slot.node().deadline.as_ticks());
    }
    let mut at = slots.len().wrapping_add(place) / 2;
    while at > 0 {
        let Some(slot) = slots.get(at) else { return };
        let rival = slot.node().loser.index();
        if rival == place {
            break;
        }
        if let Some(slot) = slots.get(rival) {
            let deadline = slot.node().deadline.as_ticks();
            let goes_on = deadline < due || (deadline == due && wins_tie(slots, rival, comes));
            if goes_on {
                if let Some(slot) = slots.get_mut(at) {
                    slot.node_mut().loser = Link::to(comes);
                }
                (comes, due) = (rival, deadline);
            }
        }
        at /= 2;
    }
    if let Some(slot) = slots.get_mut(at) {
        slot.node_mut().loser = Link::to(comes);
    }
}

/// Of two with the same deadline, the one that was armed first wins; anybody wins against nobody.
#[cold]
fn wins_tie<S: Timed>(slots: &[S], one: usize, other: usize) -> bool {
    match (slots.get(one), slots.get(other)) {
        (Some(one), Some(other)) => one.node().sequence < other.node().sequence,
        _ => true,
    }
}

/// Seats a new player, which wins no tie: it was armed last.
#[inline(never)]
fn enter<S: Timed>(slots: &mut [S], place: usize) {
    let Some(slot) = slots.get(place) else { return };
    let deadline = slot.node().deadline;
    let mut moving = Link::to(place);
    let mut at = 0;
    loop {
        let Some(slot) = slots.get(at) else { return };
        let rival = slot.node().loser;
        if slots.get(rival.index()).is_none_or(|slot| deadline < slot.node().deadline) {
            if let Some(slot) = slots.get_mut(at) {
                slot.node_mut().loser = moving;
            }
            moving = rival;
        }
        // Further down each time, so it ends.
        let below = meeting(slots.len(), place, rival.index());
        if rival.is_none() || below <= at {
            return;
        }
        at = below;
    }
}

/// The match in which two players would meet: as many steps down as their ways from the top have
/// in common.
#[inline]
fn meeting(places: usize, one: usize, other: usize) -> usize {
    let (one, other) = (places.wrapping_add(one) as u32, places.wrapping_add(other) as u32);
    let depth = one.leading_zeros();
    let apart = one.wrapping_shl(depth) ^ other.wrapping_shl(other.leading_zeros());
    let common = apart.leading_zeros();
    one.wrapping_shr(32u32.wrapping_sub(depth).wrapping_sub(common)) as usize
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

    /// Who wins the match at a place of the drawing, and that all below it have the right loser.
    fn play(slots: &[Node], at: usize) -> Link {
        if let Some(index) = at.checked_sub(slots.len()) {
            return if slots[index].armed { Link::to(index) } else { Link::NONE };
        }
        let (a, b) = (play(slots, 2 * at), play(slots, 2 * at + 1));
        let (winner, loser) = match (slots.get(a.index()), slots.get(b.index())) {
            (Some(one), Some(other)) if other.before(one) => (b, a),
            (None, _) => (b, a),
            _ => (a, b),
        };
        assert_eq!(slots[at].loser, loser, "match {at}");
        winner
    }

    fn check(slots: &[Node]) {
        assert_eq!(slots[0].loser, play(slots, 1), "the first");
    }

    proptest! {
        #[test]
        fn the_timeline_is_a_sorted_vec(
            size in 1usize..40,
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0u64..8, 0u8..3), 1..300)
        ) {
            let mut slots = vec![Node::LOOSE; size];
            let mut model: Vec<(u64, u32, usize)> = Vec::new();
            for (number, (which, deadline, leave)) in (0u32..).zip(steps) {
                let index = which.index(size);
                let deadline = Instant::from_ticks(deadline);
                let node = slots[index];
                model.retain(|entry| entry.2 != index);
                if node.is_armed() && leave > 0 && deadline >= node.deadline {
                    postpone(&mut slots, index, deadline, number);
                    model.push((deadline.as_ticks(), number, index));
                } else {
                    if node.is_armed() {
                        disarm(&mut slots, index);
                    }
                    if leave > 0 {
                        arm(&mut slots, index, deadline, number);
                        model.push((deadline.as_ticks(), number, index));
                    }
                }
                model.sort();
                check(&slots);
                let first = slots.get(first(&slots)).map(|node| (node.deadline.as_ticks(), node.sequence));
                prop_assert_eq!(first, model.first().map(|&(at, number, _)| (at, number)));
            }
            for (_, _, index) in model {
                prop_assert_eq!(first(&slots), index);
                disarm(&mut slots, index);
                check(&slots);
            }
            prop_assert!(slots.get(first(&slots)).is_none());
        }
    }

    #[test]
    fn equal_deadlines_come_out_first_in_first_out() {
        let mut slots = [Node::LOOSE; 100];
        for number in 0..100u32 {
            let index = (number as usize * 7) % 100;
            arm(&mut slots, index, Instant::from_ticks(5), number);
        }
        for index in 0..100 {
            assert_eq!(first(&slots), (index * 7) % 100);
            disarm(&mut slots, (index * 7) % 100);
        }
    }

    #[test]
    fn the_largest_table_works() {
        let mut slots = vec![Node::LOOSE; 65_534];
        for number in 0..65_534u32 {
            // A number that has no divisor in common with the size: everybody's turn comes.
            let index = (number * 40_503 % 65_534) as usize;
            arm(&mut slots, index, Instant::from_ticks(1), number);
        }
        check(&slots);
        let mut last = None;
        while let Some(node) = slots.get(first(&slots)) {
            assert!(last < Some(node.sequence));
            last = Some(node.sequence);
            let index = first(&slots);
            disarm(&mut slots, index);
        }
        assert!(last.is_some());
    }
}
