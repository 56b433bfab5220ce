//! Logging with [defmt]: all that this crate knows of it is here and below.
//!
//! A line is written where something has gone wrong or got lost, and nowhere else: nothing is said
//! of what goes well. The functions that write them are called like any other, and [`off.rs`] has
//! the same ones without a body, for when the feature `defmt` is off.
//!
//! What an app's own error is like is not known here, since nobody asks of it that it can be
//! logged; `App::on_fault` knows, and may log it.
//!
//! A line takes defmt's critical section, so none is written where that is not allowed: in the
//! inbox's first tier.
//!
//! [`off.rs`]: https://docs.rs/crate/ensue/latest/source/src/log/off.rs

#[cfg(feature = "bus")]
mod bus;
mod clock;
mod ring;
mod scheduler;

use defmt::{Format, Formatter};

use crate::{
    fault::{Fault, FaultKind},
    task::TaskId,
    view::View,
    work::App,
};

/// A task has had a fault.
pub(crate) fn fault<A: App>(fault: &Fault<'_, A>) {
    let task = Called { id: fault.task, name: fault.name };
    match fault.kind {
        FaultKind::Failed(_) => defmt::error!("{}: failed, fault {=u16}", task, fault.count),
    }
}

/// Deadlines of a repeating task have passed without a run.
pub(crate) fn missed<A: App>(view: View<'_, A>, task: TaskId, skipped: u32) {
    if let (1.., Ok(status)) = (skipped, view.status(task)) {
        let task = Called { id: status.id, name: status.name };
        defmt::warn!("{}: deadlines missed: {=u32}", task, skipped);
    }
}

/// An inbox was full: the event with this number arrives without the params that came with it.
pub(crate) fn refused(event: usize) {
    defmt::warn!("the inbox is full: event {=usize} has lost its params", event);
}

/// A task as a line speaks of it: by its name if it has one.
struct Called {
    id: TaskId,
    name: Option<&'static str>,
}

impl Format for Called {
    fn format(&self, f: Formatter<'_>) {
        let (index, generation) = (self.id.index(), self.id.generation());
        match self.name {
            Some(name) => defmt::write!(f, "{=str} ({}.{})", name, index, generation),
            None => defmt::write!(f, "task {}.{}", index, generation),
        }
    }
}
