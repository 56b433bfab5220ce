//! Waiting: for a time, for an event.
//!
//! Each event has a chain of the tasks that listen, in the order in which they subscribed, and one
//! bit that remembers a trigger which reached nobody. A task is in at most one of these chains, so
//! one pair of links in its slot serves all events: subscribing and leaving take a fixed number
//! of steps, and a trigger walks past the listeners and nobody else.
//!
//! What a trigger makes ready is due at that moment, so it goes to the end of a ready queue and
//! never through the timeline.

use crate::{
    event::Event,
    list::{Chain, Link, Linked},
    table::{Place, Plan, QUEUE, Step, Table, Unusual, WAITING, number},
    task::{AwaitError, Options, Priority, TaskId},
    time::{Duration, Instant, later},
    timeline,
    work::App,
};

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

impl<A: App> Table<'_, A> {
    pub(crate) fn arm_or_ready(&mut self, index: usize, delay: Duration, now: Instant) {
        if delay.is_zero() {
            self.make_ready(index, Step::Due, now);
        } else {
            self.arm(index, Step::Timed, later(now, delay));
        }
    }

    /// What the first deadline is now, if the task was the first and still is in the timeline.
    #[inline]
    pub(crate) fn arm(&mut self, index: usize, step: Step, deadline: Instant) -> Option<Instant> {
        let sequence = self.next_sequence();
        let slot = self.slots.get_mut(index)?;
        slot.step = step;
        if step.waits_for_event() {
            self.head.ranked = self.head.ranked.wrapping_add(1);
        }
        slot.node.deadline = deadline;
        slot.node.sequence = sequence;
        if slot.place.is_armed() {
            // It has run where it was, and nothing is due before now.
            return Some(timeline::postpone(self.slots, index, deadline));
        }
        slot.place.arm();
        timeline::arm(self.slots, index, deadline);
        None
    }

    /// Due this very moment: the end of the ready queue is where it belongs.
    fn make_ready(&mut self, index: usize, step: Step, now: Instant) {
        self.head.unusual.set(Unusual::QUEUED, true);
        let sequence = self.next_sequence();
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.step = step;
        slot.node.deadline = now;
        slot.node.sequence = sequence;
        if let Some(queue) = self.head.ready.get_mut(slot.priority as usize) {
            Chain::push::<QUEUE, _>(queue, self.slots, index);
        }
    }

    /// Joins the listeners of an event, at the end.
    pub(crate) fn listen(
        &mut self,
        index: usize,
        event: u8,
        timeout: Option<Duration>,
        now: Instant,
    ) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.step = Step::Listening;
        slot.event = event;
        let options = slot.options;
        if let Some(listeners) = self.head.listeners.as_mut().get_mut(usize::from(event)) {
            let plainly = options.is_none()
                && timeout.is_none()
                && slot.priority == Priority::Normal
                && slot.plan == Plan::Again(event);
            slot.place.list(plainly);
            Chain::push::<WAITING, _>(&mut listeners.chain, self.slots, index);
            let latched = listeners.latched;
            if latched && self.options_at(options).is_some_and(|options| options.latched) {
                if let Some(listeners) = self.head.listeners.as_mut().get_mut(usize::from(event)) {
                    listeners.latched = false;
                }
                return self.hear(index, None, now);
            }
        }
        if let Some(timeout) = timeout {
            self.arm(index, Step::Listening, later(now, timeout));
        }
    }

    /// Leaves the listeners.
    pub(crate) fn leave(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.place.unlist();
        let event = usize::from(slot.event);
        if let Some(listeners) = self.head.listeners.as_mut().get_mut(event) {
            Chain::remove::<WAITING, _>(&mut listeners.chain, self.slots, index);
        }
    }

    /// Tells every listener of an event, in the order in which they subscribed; how many there were.
    pub(crate) fn trigger(
        &mut self,
        event: A::Event,
        params: Option<&A::Params>,
        now: Instant,
    ) -> usize {
        let number = event.index();
        let Some(listeners) = self.head.listeners.as_mut().get_mut(number) else { return 0 };
        let (mut link, last) = (listeners.chain.first(), listeners.chain.last());
        if link.is_none() {
            listeners.latched = true;
            return 0;
        }
        let mut reached = 0;
        loop {
            let (plainly, next) = self.call_plainly(link, last, params, now);
            reached += plainly;
            if next.is_none() {
                return reached;
            }
            let Some(slot) = self.slots.get(next.index()) else { return reached };
            link = Linked::<WAITING>::links(slot).next();
            self.hear(next.index(), params, now);
            reached += 1;
            if next == last {
                return reached;
            }
        }
    }

    /// Makes plain listeners ready, from this one up to the first that is not plain or does not wait
    /// for the event just now: which one that is, and how many before it.
    #[inline]
    fn call_plainly(
        &mut self,
        mut link: Link,
        last: Link,
        params: Option<&A::Params>,
        now: Instant,
    ) -> (usize, Link) {
        let mut sequence = self.head.sequence;
        let [_, queue, _] = &mut self.head.ready;
        let mut called = 0;
        while let Some(slot) = self.slots.get_mut(link.index()) {
            if slot.place != Place::PLAIN_LISTENER || slot.step != Step::Listening {
                break;
            }
            if let (Some(params), Some((_, kept))) = (params, &mut slot.work) {
                kept.clone_from(params);
            }
            slot.step = Step::Called;
            slot.node.deadline = now;
            slot.node.sequence = sequence;
            sequence = sequence.saturating_add(1);
            let next = Linked::<WAITING>::links(slot).next();
            Chain::push::<QUEUE, _>(queue, self.slots, link.index());
            called += 1;
            let was_last = link == last;
            link = if was_last { Link::NONE } else { next };
        }
        self.head.sequence = sequence;
        self.head.unusual.set(Unusual::QUEUED, true);
        (called, link)
    }

    /// Steps 3 and 6: the event that a listener waits for has come.
    #[inline(never)]
    fn hear(&mut self, index: usize, params: Option<&A::Params>, now: Instant) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        let options = self.options.get(slot.options.index());
        let mut newest = true;
        match slot.step {
            Step::Free | Step::Timed => return,
            Step::TimedOut => {
                // It came after all: this run answers the event.
                slot.step = Step::Called;
            }
            Step::Due | Step::Called | Step::Delayed => {
                slot.unserved.merged = slot.unserved.merged.saturating_add(1);
                newest = !options.is_some_and(|options| options.keep_first);
            }
            Step::Listening | Step::Running => {}
        }
        if let (true, Some(params), Some((_, kept))) = (newest, params, &mut slot.work) {
            kept.clone_from(params);
        }
        if !matches!(slot.step, Step::Listening | Step::Running) {
            return;
        }
        let own = slot.plan.event() == Some(slot.event);
        let stays = own && matches!(slot.plan, Plan::Again(_));
        let delay = match options {
            Some(options) if own => options.delay,
            _ => Duration::from_ticks(0),
        };
        if slot.place.is_armed() {
            // Its timeout.
            slot.place.disarm();
            self.head.ranked = self.head.ranked.wrapping_sub(1);
            timeline::disarm(self.slots, index);
        }
        if !stays {
            self.leave(index);
        }
        if delay.is_zero() {
            self.make_ready(index, Step::Called, now);
        } else {
            self.arm(index, Step::Delayed, later(now, delay));
        }
    }

    /// Step 9: the task's next run is when `event` comes.
    pub(crate) fn await_event(
        &mut self,
        id: TaskId,
        event: A::Event,
        timeout: Option<Duration>,
        now: Instant,
    ) -> Result<(), AwaitError> {
        let index = self.view().place_of(id)?;
        let Some(slot) = self.slots.get(index) else {
            return Err(AwaitError::NoSuchTask);
        };
        let (mut options, deadline) = (slot.options, slot.node.deadline);
        // A task that waits for an event already has its phase kept, or none to keep: its deadline
        // is a timeout's, or long past.
        let repeats = matches!(slot.plan, Plan::Every(_)) && !slot.period.is_zero();
        if repeats && slot.step != Step::Listening {
            if options.is_none() {
                options = self.take_options(&Options::NONE).ok_or(AwaitError::OptionsFull)?;
            }
            if let Some(record) = self.options_at(options) {
                if !record.has_phase {
                    record.has_phase = true;
                    record.phase = deadline;
                }
            }
        }
        self.withdraw(index);
        if let Some(slot) = self.slot_mut(index) {
            slot.options = options;
        }
        self.listen(index, number(event), timeout, now);
        Ok(())
    }
}
