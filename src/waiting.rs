//! Waiting: for a time, for an event.
//!
//! Each event has a chain of the tasks that listen, in the order in which they subscribed, and one
//! bit that remembers a trigger which reached nobody. A task is in at most one of these chains, so
//! one pair of links in its slot serves all events: subscribing and leaving take a fixed number
//! of steps, and a trigger walks past the listeners and nobody else.
//!
//! What a trigger makes ready is due at that moment, so it goes to the end of a ready queue and
//! never through the timeline. When all listeners are [plain](Place::PLAIN_LISTENER) and nothing
//! else is ready, not even that is done: the event is *called*, and its listeners run where they
//! are, one after the other along the chain. Whatever looks at the table or changes it meanwhile
//! first has the others queued ([`queue_called`](Table::queue_called)), so that nobody else need
//! know of it.

use crate::{
    error::{AwaitError, SetRepeatError},
    list::{Chain, Link, Linked},
    table::{Place, Plan, QUEUE, Step, Table, Unusual, WAITING, number},
    task::{Options, Priority, TaskId},
    time::{Duration, Instant, later},
    timeline,
    work::App,
};

/// What is kept for one event.
#[derive(Clone, Copy, Debug)]
pub struct Listeners {
    pub(crate) chain: Chain,
    /// How many they are.
    pub(crate) count: u16,
    /// How many of them are not plain.
    pub(crate) special: u16,
    /// The event was triggered and nobody listened; the next latched listener takes it.
    pub(crate) latched: bool,
}

impl Listeners {
    pub(crate) const NONE: Self =
        Self { chain: Chain::EMPTY, count: 0, special: 0, latched: false };
}

/// An event that has been triggered while its listeners have not been told one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called {
    /// The listener that runs next; none when all have.
    pub(crate) next: Link,
    pub(crate) at: Instant,
    /// The number of the one that runs next. As many as there are listeners are reserved.
    pub(crate) sequence: u32,
}

impl Called {
    pub(crate) const NONE: Self =
        Self { next: Link::NONE, at: Instant::from_ticks(0), sequence: 0 };
}

impl<A: App> Table<'_, A> {
    #[inline(always)]
    pub(crate) fn arm_or_ready(&mut self, index: usize, delay: Duration, now: Instant) {
        if delay.is_zero() {
            self.make_ready(index, Step::Due, now);
        } else {
            self.arm(index, Step::Timed, later(now, delay));
        }
    }

    #[inline]
    pub(crate) fn arm(&mut self, index: usize, step: Step, deadline: Instant) {
        let sequence = self.head.next_sequence();
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.step = step;
        if step.waits_for_event() {
            self.head.rank();
        }
        slot.node.deadline = deadline;
        slot.node.sequence = sequence;
        if slot.place.is_armed() {
            // It has run where it was, and nothing is due before now.
            timeline::postpone(self.slots, index, deadline);
        } else {
            slot.place.arm();
            timeline::arm(self.slots, index, deadline);
        }
    }

    /// Due this very moment: the end of the ready queue is where it belongs.
    #[inline(never)]
    fn make_ready(&mut self, index: usize, step: Step, now: Instant) {
        self.queue_called();
        self.head.unusual.set(Unusual::QUEUED, true);
        let sequence = self.head.next_sequence();
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
        self.queue_called();
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
            listeners.count = listeners.count.wrapping_add(1);
            listeners.special = listeners.special.wrapping_add(u16::from(!plainly));
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
        let plainly = slot.place == Place::PLAIN_LISTENER;
        slot.place.unlist();
        let event = usize::from(slot.event);
        if let Some(listeners) = self.head.listeners.as_mut().get_mut(event) {
            listeners.count = listeners.count.wrapping_sub(1);
            listeners.special = listeners.special.wrapping_sub(u16::from(!plainly));
            Chain::remove::<WAITING, _>(&mut listeners.chain, self.slots, index);
        }
    }

    /// Tells every listener of an event, in the order in which they subscribed; how many there were.
    ///
    /// An event is named by its number.
    #[inline(never)]
    pub(crate) fn trigger(
        &mut self,
        number: usize,
        params: Option<&A::Params>,
        now: Instant,
    ) -> usize {
        self.queue_called();
        let Some(listeners) = self.head.listeners.as_mut().get_mut(number) else { return 0 };
        let reached = listeners.count;
        let (next, last) = (listeners.chain.first(), listeners.chain.last());
        if reached == 0 {
            listeners.latched = true;
        } else if listeners.special == 0 && self.may_call() {
            self.call(next, reached, now);
            if let Some(params) = params {
                self.hand_out(next, params);
            }
        } else {
            self.tell(next, last, params, now);
        }
        reached.into()
    }

    /// The same between two passes, without params: mostly all that is to be done is to call it.
    #[inline(always)]
    pub(crate) fn trigger_between_passes(&mut self, number: usize, now: Instant) {
        match self.head.listeners.as_ref().get(number) {
            Some(listeners)
                if listeners.count > 0
                    && listeners.special == 0
                    && !self.head.unusual.includes(Unusual::NO_FIRST_CALL) =>
            {
                self.call(listeners.chain.first(), listeners.count, now);
            }
            _ => {
                self.trigger(number, None, now);
            }
        }
    }

    /// Whether no plain listener can be ready or running, so that they all listen; and whether no
    /// other event is answered just now.
    fn may_call(&self) -> bool {
        let runs = self.slots.get(self.head.running.index());
        !self.head.unusual.includes(Unusual::NO_CALL)
            && runs.is_none_or(|slot| !slot.place.is_listed())
    }

    /// The listeners from this one on, of which there are so many, will run where they are.
    #[inline(always)]
    fn call(&mut self, next: Link, reached: u16, now: Instant) {
        self.head.called = Called { next, at: now, sequence: self.head.sequence };
        self.head.sequence = self.head.sequence.saturating_add(reached.into());
        self.head.unusual.set(Unusual::CALLED, true);
    }

    /// Tells listeners one by one.
    #[inline(never)]
    fn tell(&mut self, mut link: Link, last: Link, params: Option<&A::Params>, now: Instant) {
        loop {
            let index = link.index();
            let Some(slot) = self.slots.get(index) else { return };
            let is_last = link == last;
            link = Linked::<WAITING>::links(slot).next();
            self.hear(index, params, now);
            if is_last {
                return;
            }
        }
    }

    /// Gives new params to listeners, all of them plain.
    fn hand_out(&mut self, mut link: Link, params: &A::Params) {
        while let Some(slot) = self.slots.get_mut(link.index()) {
            if let Some((_, kept)) = &mut slot.work {
                kept.clone_from(params);
                slot.unserved.bring();
            }
            link = Linked::<WAITING>::links(slot).next();
        }
    }

    /// The listeners of a called event that have not run yet are told now, as if that had been done
    /// at once: they come before anything that is queued, as all of that is younger.
    #[inline]
    pub(crate) fn queue_called(&mut self) {
        if Self::HAS_EVENTS && self.head.unusual.includes(Unusual::CALLED) {
            self.queue_rest();
        }
    }

    #[inline(never)]
    fn queue_rest(&mut self) {
        let Called { mut next, at, mut sequence } = self.head.called;
        self.head.called.next = Link::NONE;
        self.head.unusual.set(Unusual::CALLED, false);
        self.head.unusual.set(Unusual::QUEUED, !next.is_none());
        let [_, queue, _] = &mut self.head.ready;
        while let Some(slot) = self.slots.get_mut(next.index()) {
            slot.step = Step::Called;
            slot.node.deadline = at;
            slot.node.sequence = sequence;
            sequence = sequence.saturating_add(1);
            let index = next.index();
            next = Linked::<WAITING>::links(slot).next();
            Chain::push::<QUEUE, _>(queue, self.slots, index);
        }
    }

    /// Steps 3 and 6: the event that a listener waits for has come.
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
                slot.unserved.count_merged();
                newest = !options.is_some_and(|options| options.keep_first);
            }
            Step::Listening | Step::Running => {}
        }
        if let (true, Some(params), Some((_, kept))) = (newest, params, &mut slot.work) {
            kept.clone_from(params);
            slot.unserved.bring();
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

    /// Step 11: the task's next run is `delay` from now.
    pub(crate) fn reschedule(
        &mut self,
        id: TaskId,
        delay: Duration,
        now: Instant,
    ) -> Result<(), SetRepeatError> {
        let index = self.view().place_of(id)?;
        let Some(slot) = self.slots.get(index) else { return Err(SetRepeatError::NoSuchTask) };
        let by_time = matches!(slot.plan, Plan::Every(_))
            && matches!(slot.step, Step::Timed | Step::Due | Step::Running);
        if !by_time {
            return Err(SetRepeatError::WaitsForEvent);
        }
        let options = slot.options;
        if let Some(record) = self.options_at(options) {
            // It has waited for an event; from now on it has another phase.
            record.has_phase = false;
        }
        self.withdraw(index);
        self.arm_or_ready(index, delay, now);
        Ok(())
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
