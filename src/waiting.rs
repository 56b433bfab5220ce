//! Who waits for which event.
//!
//! Each event has a chain of the tasks that listen, in the order in which they subscribed, and one
//! bit that remembers a trigger which reached nobody. A task is in at most one of these chains, so
//! one pair of links in its slot serves all events: subscribing and leaving take a fixed number
//! of steps, and a trigger walks past the listeners and nobody else.

use crate::list::Chain;

/// What is kept for one event.
#[derive(Clone, Copy, Debug)]
pub struct Listeners {
    pub(crate) chain: Chain,
    /// The event was triggered and nobody listened; the next latched listener takes it.
    pub(crate) latched: bool,
}

impl Listeners {
    pub(crate) const NONE: Self = Self { chain: Chain::EMPTY, latched: false };
}
