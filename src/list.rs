//! Chains of slots: first in, first out, and out of the middle at once.
//!
//! A chain does not own its members, it threads through them: each slot carries its two
//! neighbours, the chain only its ends. So a chain costs four bytes whatever its length, and
//! joining it, leaving it and taking its first are a fixed number of steps.
//!
//! What a [`Chain`] does not know is who is in it. Its user must: removing a slot that is not a
//! member, or adding one that is, mixes up two chains. The state of a slot says where it is
//! (`task.rs`), and every call here stands beside a change of that state.

/// A place in the table, or none: zero is none, so that fresh memory is all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Link(u16);

impl Link {
    pub(crate) const NONE: Self = Self(0);

    /// To an index below 65,535.
    pub(crate) const fn to(index: usize) -> Self {
        Self((index as u16).wrapping_add(1))
    }

    /// The index; a link to none gives one that no slice has.
    pub(crate) const fn index(self) -> usize {
        (self.0 as usize).wrapping_sub(1)
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// The two neighbours of a slot in a chain. `prev` of the first means nothing: taking out the first
/// touches no other slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    prev: Link,
    next: Link,
}

impl Links {
    pub(crate) const LOOSE: Self = Self { prev: Link::NONE, next: Link::NONE };

    pub(crate) const fn next(&self) -> Link {
        self.next
    }
}

/// What can be chained. `CHAIN` tells apart the links of one slot.
pub(crate) trait Linked<const CHAIN: usize> {
    fn links(&self) -> &Links;
    fn links_mut(&mut self) -> &mut Links;
}

/// The two ends of a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    first: Link,
    last: Link,
}

impl Chain {
    pub(crate) const EMPTY: Self = Self { first: Link::NONE, last: Link::NONE };

    pub(crate) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) const fn first(&self) -> Link {
        self.first
    }

    pub(crate) const fn last(&self) -> Link {
        self.last
    }

    /// Adds a slot at the end.
    #[inline]
    pub(crate) fn push<const CHAIN: usize, S: Linked<CHAIN>>(
        &mut self,
        slots: &mut [S],
        index: usize,
    ) {
        let last = self.last;
        let Some(slot) = slots.get_mut(index) else { return };
        *slot.links_mut() = Links { prev: last, next: Link::NONE };
        match slots.get_mut(last.index()) {
            Some(slot) => slot.links_mut().next = Link::to(index),
            None => self.first = Link::to(index),
        }
        self.last = Link::to(index);
    }

    /// Adds a slot behind `prev`; behind none is at the front.
    pub(crate) fn insert_after<const CHAIN: usize, S: Linked<CHAIN>>(
        &mut self,
        slots: &mut [S],
        prev: Link,
        index: usize,
    ) {
        let next = match slots.get_mut(prev.index()) {
            Some(slot) => core::mem::replace(&mut slot.links_mut().next, Link::to(index)),
            None => core::mem::replace(&mut self.first, Link::to(index)),
        };
        match slots.get_mut(next.index()) {
            Some(slot) => slot.links_mut().prev = Link::to(index),
            None => self.last = Link::to(index),
        }
        if let Some(slot) = slots.get_mut(index) {
            *slot.links_mut() = Links { prev, next };
        }
    }

    /// Takes the first member out.
    #[inline]
    pub(crate) fn pop<const CHAIN: usize, S: Linked<CHAIN>>(&mut self, slots: &[S]) {
        let Some(slot) = slots.get(self.first.index()) else { return };
        self.first = slot.links().next;
        if self.first.is_none() {
            self.last = Link::NONE;
        }
    }

    /// Takes a member out.
    #[inline]
    pub(crate) fn remove<const CHAIN: usize, S: Linked<CHAIN>>(
        &mut self,
        slots: &mut [S],
        index: usize,
    ) {
        if self.first == Link::to(index) {
            return self.pop(slots);
        }
        let Some(slot) = slots.get_mut(index) else { return };
        let Links { prev, next } = *slot.links_mut();
        if let Some(slot) = slots.get_mut(prev.index()) {
            slot.links_mut().next = next;
        }
        match slots.get_mut(next.index()) {
            Some(slot) => slot.links_mut().prev = prev,
            None => self.last = prev,
        }
    }

    /// The member behind `link`; behind none is the first.
    #[inline]
    pub(crate) fn after<const CHAIN: usize, S: Linked<CHAIN>>(
        &self,
        slots: &[S],
        link: Link,
    ) -> Link {
        slots.get(link.index()).map_or(self.first, |slot| slot.links().next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    impl Linked<0> for Links {
        fn links(&self) -> &Links {
            self
        }
        fn links_mut(&mut self) -> &mut Links {
            self
        }
    }

    fn members(chain: &Chain, slots: &[Links]) -> Vec<usize> {
        let mut members = Vec::new();
        let mut link = chain.first();
        let mut prev = Link::NONE;
        while !link.is_none() {
            assert!(members.len() < slots.len(), "the chain runs in a circle");
            assert!(prev.is_none() || slots[link.index()].prev == prev);
            members.push(link.index());
            prev = link;
            link = chain.after(slots, link);
        }
        assert_eq!(chain.last(), prev);
        members
    }

    proptest! {
        #[test]
        fn a_chain_is_a_vec_whose_members_know_their_place(
            steps in prop::collection::vec((0u8..3, 0usize..6, any::<prop::sample::Index>()), 1..80)
        ) {
            let mut slots = [Links::LOOSE; 6];
            let mut chain = Chain::EMPTY;
            let mut model: Vec<usize> = Vec::new();
            for (step, index, at) in steps {
                match model.iter().position(|&member| member == index) {
                    Some(place) => {
                        chain.remove(&mut slots, index);
                        model.remove(place);
                    }
                    None if step == 0 && !model.is_empty() => {
                        let place = at.index(model.len());
                        chain.insert_after(&mut slots, Link::to(model[place]), index);
                        model.insert(place + 1, index);
                    }
                    None if step == 1 => {
                        chain.insert_after(&mut slots, Link::NONE, index);
                        model.insert(0, index);
                    }
                    None => {
                        chain.push(&mut slots, index);
                        model.push(index);
                    }
                }
                prop_assert_eq!(members(&chain, &slots), &model[..]);
                prop_assert_eq!(chain.is_empty(), model.is_empty());
            }
        }
    }
}
