//! Asking: what a table can tell without being changed.

use crate::{
    error::NoSuchTask,
    event::Event,
    list::{Link, Linked},
    table::{Head, Place, Slot, Step, Unusual, WAITING},
    task::{Options, State, Status, TaskId},
    time::{Duration, Instant, later},
    timeline,
    work::App,
};

/// A table, borrowed for reading.
pub(crate) struct View<'a, A: App> {
    pub(crate) head: &'a Head<A>,
    pub(crate) slots: &'a [Slot<A>],
    pub(crate) options: &'a [Options],
}

impl<'a, A: App> View<'a, A> {
    fn slot(&self, index: usize) -> Option<&'a Slot<A>> {
        self.slots.get(index)
    }

    fn options_of(&self, slot: &Slot<A>) -> Option<&'a Options> {
        self.options.get(slot.options.index())
    }

    /// The place of a live task.
    pub(crate) fn place_of(&self, id: TaskId) -> Result<usize, NoSuchTask> {
        match self.slot(id.index()) {
            Some(slot) if slot.generation == id.generation() && slot.step != Step::Free => {
                Ok(id.index())
            }
            _ => Err(NoSuchTask),
        }
    }

    /// When the next sleep must end: the earliest deadline plus slack.
    ///
    /// Cost: O(1) when the task that is due first has no slack, else O(tasks).
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let first = self.slots.get(timeline::first(self.slots))?;
        if self.slack_of(first).is_zero() {
            return Some(first.node.deadline);
        }
        let armed = self.slots.iter().filter(|slot| slot.place.is_armed());
        let latest = armed.map(|slot| later(slot.node.deadline, self.slack_of(slot)));
        Some(latest.fold(Instant::from_ticks(u64::MAX), Instant::min))
    }

    fn slack_of(&self, slot: &Slot<A>) -> Duration {
        let options = self.options_of(slot);
        Duration::from_ticks(options.map_or(0, |options| u64::from(options.slack_micros)))
    }

    pub(crate) fn status(&self, id: TaskId) -> Result<Status<A::Event>, NoSuchTask> {
        self.place_of(id).and_then(|index| self.status_at(index).ok_or(NoSuchTask))
    }

    /// The task at a place, if there is a live one.
    pub(crate) fn status_at(&self, index: usize) -> Option<Status<A::Event>> {
        let slot = self.slot(index)?;
        let is_running = self.head.running == Link::to(index);
        if slot.step == Step::Free {
            return None;
        }
        let options = self.options_of(slot);
        let event = A::Event::from_index(usize::from(slot.event));
        let is_called = slot.place == Place::PLAIN_LISTENER && self.is_called(index);
        Some(Status {
            id: TaskId::new(slot.generation, index),
            name: options.and_then(|options| options.name),
            tag: options.and_then(|options| options.has_tag.then_some(options.tag)),
            state: match (slot.step, event) {
                _ if is_running => State::Running,
                _ if is_called => State::Ready,
                (Step::Listening, Some(event)) => State::Listening(event),
                (Step::Delayed, Some(event)) => State::Delayed(event),
                (Step::Timed, _) => State::Scheduled,
                _ => State::Ready,
            },
            priority: slot.priority,
            period: Some(slot.period).filter(|period| !period.is_zero()),
            next_run: match slot.step {
                Step::Listening if is_called => Some(self.head.called.at),
                Step::Listening if !slot.place.is_armed() => None,
                _ => Some(slot.node.deadline),
            },
            faults: slot.faults,
            missed: slot.unserved.missed,
            merged: slot.unserved.merged(),
        })
    }

    /// Whether it is one of the listeners of a called event that have not run yet.
    fn is_called(&self, index: usize) -> bool {
        if !self.head.unusual.includes(Unusual::CALLED) {
            return false;
        }
        let mut next = self.head.called.next;
        while let Some(slot) = self.slots.get(next.index()) {
            if next.index() == index {
                return true;
            }
            next = Linked::<WAITING>::links(slot).next();
        }
        false
    }

    pub(crate) fn tasks(self) -> impl Iterator<Item = Status<A::Event>> + 'a {
        (0..usize::from(self.head.used)).filter_map(move |index| self.status_at(index))
    }

    pub(crate) fn find(self, tag: u32) -> Option<TaskId> {
        self.tasks().find(|task| task.tag == Some(tag)).map(|task| task.id)
    }

    pub(crate) fn named(self, name: &str) -> Option<TaskId> {
        self.tasks().find(|task| task.name == Some(name)).map(|task| task.id)
    }

    pub(crate) fn task_count(&self) -> usize {
        usize::from(self.head.live)
    }

    /// What is scheduled, delayed or ready; listeners and the running task are not.
    pub(crate) fn pending_count(self) -> usize {
        self.tasks().filter(Status::is_pending).count()
    }

    /// Who runs; one that has been cancelled meanwhile is still called by its own id.
    pub(crate) fn running(&self) -> Option<TaskId> {
        let index = self.head.running.index();
        let slot = self.slot(index)?;
        let ended = u16::from(slot.step == Step::Free);
        Some(TaskId::new(slot.generation.wrapping_sub(ended), index))
    }
}
