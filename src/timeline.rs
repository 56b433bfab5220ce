//! The timeline: which of the armed slots falls due first.
//!
//! A tournament over the table. Every armed slot is a player at a fixed place at the bottom, and in
//! every match above the one that falls due earlier wins and goes on. Each match remembers who won
//! it and who lost it. The one who wins them all is also the winner of match 0, which nobody plays.
//!
//! A new player goes up as long as it wins, and stops where it loses: who had won there goes on as
//! before. When a player falls due later or drops out, the one who goes on in its stead is found on
//! its way up among those it had beaten, and stops where it had lost. Both are walks of at most
//! log2(places) steps, and of one or two for whatever does not fall due soon; nothing is left behind
//! to be skipped later, and no slot needs to know where it is.
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
    /// Who won the match that is kept here; nobody when no one came to it.
    winner: Link,
    /// Who lost it; nobody when fewer than two came.
    loser: Link,
}

impl Node {
    pub(crate) const LOOSE: Self = Self {
        deadline: Instant::from_ticks(0),
        sequence: 0,
        winner: Link::NONE,
        loser: Link::NONE,
    };

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

/// Puts a slot in, whose deadline and number are set; no number is larger. It must not be in already.
///
/// Cost: O(log places).
#[inline(never)]
pub(crate) fn arm<S: Timed>(slots: &mut [S], place: usize, deadline: Instant) {
    // Who came from this side before, and had won so far.
    let mut beaten = Link::NONE;
    let mut at = slots.len().wrapping_add(place);
    while at > 0 {
        at /= 2;
        let Some(slot) = slots.get(at) else { return };
        let winner = slot.node().winner;
        // Armed last, it wins no tie.
        let wins = winner == beaten
            || slots.get(winner.index()).is_none_or(|slot| deadline < slot.node().deadline);
        let Some(slot) = slots.get_mut(at) else { return };
        let node = slot.node_mut();
        if !wins {
            node.loser = Link::to(place);
            return;
        }
        node.winner = Link::to(place);
        if winner != beaten {
            node.loser = winner;
            beaten = winner;
        }
    }
}

/// Takes a slot out. It must be in.
///
/// Cost: O(log places).
#[inline]
pub(crate) fn disarm<S: Timed>(slots: &mut [S], place: usize) {
    give_way(slots, place, Link::NONE, Instant::from_ticks(u64::MAX));
}

/// The slot that was the first has been given a later deadline: what the first deadline is now.
///
/// Cost: O(log places).
#[inline]
pub(crate) fn postpone<S: Timed>(slots: &mut [S], place: usize, deadline: Instant) -> Instant {
    give_way(slots, place, Link::to(place), deadline)
}

/// The slot that falls due first; an index that no slot has when none is armed.
///
/// Cost: O(1).
#[inline]
pub(crate) fn first<S: Timed>(slots: &[S]) -> usize {
    slots.first().map_or(usize::MAX, |slot| slot.node().winner.index())
}

/// Plays the matches that a slot had won again, now that it falls due later or not at all: `comes`
/// is itself or nobody. The deadline of the last who goes on.
///
/// Never inlined: the walk needs all registers of a small core, and there is one of it this way.
#[inline(never)]
fn give_way<S: Timed>(slots: &mut [S], place: usize, mut comes: Link, mut due: Instant) -> Instant {
    let mut at = slots.len().wrapping_add(place) / 2;
    while at > 0 {
        let Some(slot) = slots.get(at) else { return due };
        let rival = slot.node().loser;
        if rival.index() == place {
            // Here it had lost.
            if let Some(slot) = slots.get_mut(at) {
                slot.node_mut().loser = comes;
            }
            return due;
        }
        if let Some(slot) = slots.get(rival.index()) {
            let deadline = slot.node().deadline;
            if deadline < due || (deadline == due && wins_tie(slots, rival, comes)) {
                if let Some(slot) = slots.get_mut(at) {
                    slot.node_mut().loser = comes;
                }
                (comes, due) = (rival, deadline);
            }
        }
        if let Some(slot) = slots.get_mut(at) {
            slot.node_mut().winner = comes;
        }
        at /= 2;
    }
    if let Some(slot) = slots.first_mut() {
        slot.node_mut().winner = comes;
    }
    due
}

/// Of two with the same deadline, the one that was armed first wins; anybody wins against nobody.
#[cold]
#[inline(never)]
fn wins_tie<S: Timed>(slots: &[S], one: Link, other: Link) -> bool {
    match (slots.get(one.index()), slots.get(other.index())) {
        (Some(one), Some(other)) => one.node().sequence < other.node().sequence,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    #[derive(Clone, Copy)]
    struct Player {
        node: Node,
        armed: bool,
    }

    const LOOSE: Player = Player { node: Node::LOOSE, armed: false };

    impl Timed for Player {
        fn node(&self) -> &Node {
            &self.node
        }
        fn node_mut(&mut self) -> &mut Node {
            &mut self.node
        }
    }

    /// Who wins the match at a place of the drawing, and that the right ones came to all below it.
    fn play(slots: &[Player], at: usize) -> Link {
        if let Some(index) = at.checked_sub(slots.len()) {
            return if slots[index].armed { Link::to(index) } else { Link::NONE };
        }
        let [a, b] = [play(slots, 2 * at), play(slots, 2 * at + 1)];
        let (winner, loser) = match (slots.get(a.index()), slots.get(b.index())) {
            (Some(one), Some(other)) if other.node.before(&one.node) => (b, a),
            (None, _) => (b, a),
            _ => (a, b),
        };
        assert_eq!((slots[at].node.winner, slots[at].node.loser), (winner, loser), "match {at}");
        winner
    }

    fn check(slots: &[Player]) {
        assert_eq!(slots[0].node.winner, play(slots, 1), "the first");
    }

    fn set(slots: &mut [Player], index: usize, deadline: Instant, sequence: u32) {
        slots[index].node.deadline = deadline;
        slots[index].node.sequence = sequence;
    }

    fn join(slots: &mut [Player], index: usize, deadline: Instant, sequence: u32) {
        set(slots, index, deadline, sequence);
        slots[index].armed = true;
        arm(slots, index, deadline);
    }

    fn drop_out(slots: &mut [Player], index: usize) {
        slots[index].armed = false;
        disarm(slots, index);
    }

    fn first_node(slots: &[Player]) -> Option<&Node> {
        slots.get(first(slots)).map(|player| &player.node)
    }

    proptest! {
        #[test]
        fn the_timeline_is_a_sorted_vec(
            size in 1usize..40,
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0u64..8, 0u8..3), 1..300)
        ) {
            let mut slots = vec![LOOSE; size];
            let mut model: Vec<(u64, u32, usize)> = Vec::new();
            for (number, (which, deadline, leave)) in (0u32..).zip(steps) {
                let index = which.index(size);
                let deadline = Instant::from_ticks(deadline);
                let player = slots[index];
                model.retain(|entry| entry.2 != index);
                let mut told = None;
                if player.armed && leave > 0 && deadline >= player.node.deadline {
                    let was_first = first(&slots) == index;
                    set(&mut slots, index, deadline, number);
                    let now_first = postpone(&mut slots, index, deadline);
                    told = was_first.then_some(now_first);
                    model.push((deadline.as_ticks(), number, index));
                } else {
                    if player.armed {
                        drop_out(&mut slots, index);
                    }
                    if leave > 0 {
                        join(&mut slots, index, deadline, number);
                        model.push((deadline.as_ticks(), number, index));
                    }
                }
                model.sort();
                check(&slots);
                let first = first_node(&slots).map(|node| (node.deadline.as_ticks(), node.sequence));
                prop_assert_eq!(first, model.first().map(|&(at, number, _)| (at, number)));
                if let Some(told) = told {
                    prop_assert_eq!(told.as_ticks(), model[0].0);
                }
            }
            for (_, _, index) in model {
                prop_assert_eq!(first(&slots), index);
                drop_out(&mut slots, index);
                check(&slots);
            }
            prop_assert!(slots.get(first(&slots)).is_none());
        }
    }

    #[test]
    fn equal_deadlines_come_out_first_in_first_out() {
        let mut slots = [LOOSE; 100];
        for number in 0..100u32 {
            let index = (number as usize * 7) % 100;
            join(&mut slots, index, Instant::from_ticks(5), number);
        }
        for index in 0..100 {
            assert_eq!(first(&slots), (index * 7) % 100);
            drop_out(&mut slots, (index * 7) % 100);
        }
    }

    #[test]
    fn the_largest_table_works() {
        let mut slots = vec![LOOSE; 65_534];
        for number in 0..65_534u32 {
            // A number that has no divisor in common with the size: everybody's turn comes.
            let index = (number * 40_503 % 65_534) as usize;
            join(&mut slots, index, Instant::from_ticks(1), number);
        }
        check(&slots);
        let mut last = None;
        while let Some(node) = first_node(&slots) {
            assert!(last < Some(node.sequence));
            last = Some(node.sequence);
            let index = first(&slots);
            drop_out(&mut slots, index);
        }
        assert!(last.is_some());
    }
}
