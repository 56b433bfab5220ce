//! The table: every task's slot, and the steps by which a slot changes its state.
//!
//! A [`Table`] is lent for the time of one call by the [`Work`](crate::Work) that owns the arrays,
//! so nothing here depends on a capacity. Nothing here reads a clock either: `now` is an argument.
//!
//! One slot takes 56 bytes on a 32-bit chip when the params take four. What every task needs is in
//! the slot, what few tasks need is in a record of [`Options`] that the slot points to, and the
//! timeline, the ready queues and the chains of listeners are threaded through the slots, so that
//! there is no second place that could disagree with the first.

use core::cell::Cell;

use crate::{
    event::{self, Event, ListenersOf},
    inbox::Mail,
    list::{Chain, Link, Linked, Links},
    repeat,
    task::{
        AwaitError, Missed, NoSuchTask, Options, Priority, ScheduleError, SetRepeatError, Task,
        TaskId, When,
    },
    time::{Clock, Duration, Instant, later},
    timeline::{Node, Timed, Timeline},
    view::View,
    work::{App, Job},
};

/// The links that make up the ready queues and the free list: a slot is in one of them or none.
const QUEUE: usize = 0;
/// The links that make up the chains of listeners.
const WAITING: usize = 1;

/// A place for one task.
pub(crate) struct Slot<A: App> {
    pub(crate) node: Node,
    queue: Links,
    waiting: Links,
    pub(crate) period: Duration,
    /// What to run, and with what; `None` while the slot is free.
    work: Option<(Job<A>, A::Params)>,
    pub(crate) generation: u16,
    pub(crate) options: Link,
    pub(crate) faults: u16,
    pub(crate) missed: u16,
    pub(crate) merged: u16,
    pub(crate) step: Step,
    pub(crate) plan: Plan,
    pub(crate) priority: Priority,
    /// The number of the event it listens to, or that made it ready.
    pub(crate) event: u8,
    /// Whether it is in the chain of that event.
    listed: bool,
}

/// The state of a slot; `task.rs` has the drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Free,
    Timed,
    Listening,
    Delayed,
    /// Ready, as its time has come.
    Due,
    /// Ready, as its event has come.
    Called,
    /// Ready, as its event has not come in time.
    TimedOut,
    Running,
}

impl Step {
    pub(crate) const fn is_ready(self) -> bool {
        matches!(self, Self::Due | Self::Called | Self::TimedOut)
    }
}

/// What a task does after its run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// It ends.
    Once,
    /// It runs again a period later.
    Every(Missed),
    /// It listens to this event; then it ends.
    On(u8),
    /// It listens to this event for life.
    Again(u8),
}

impl<A: App> Slot<A> {
    /// All zeros, so that a table in a `static` takes no flash.
    pub(crate) const FREE: Self = Self {
        node: Node::LOOSE,
        queue: Links::LOOSE,
        waiting: Links::LOOSE,
        period: Duration::from_ticks(0),
        work: None,
        generation: 0,
        options: Link::NONE,
        faults: 0,
        missed: 0,
        merged: 0,
        step: Step::Free,
        plan: Plan::Every(Missed::Skip),
        priority: Priority::Low,
        event: 0,
        listed: false,
    };
}

impl<A: App> Timed for Slot<A> {
    fn node(&self) -> &Node {
        &self.node
    }
    fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }
}

impl<A: App> Linked<QUEUE> for Slot<A> {
    fn links(&self) -> &Links {
        &self.queue
    }
    fn links_mut(&mut self) -> &mut Links {
        &mut self.queue
    }
}

impl<A: App> Linked<WAITING> for Slot<A> {
    fn links(&self) -> &Links {
        &self.waiting
    }
    fn links_mut(&mut self) -> &mut Links {
        &mut self.waiting
    }
}

/// What there is once, however many tasks.
pub(crate) struct Head<A: App> {
    pub(crate) timeline: Timeline,
    /// One ready queue for each priority, in the order of the enum.
    pub(crate) ready: [Chain; 3],
    /// Slots that were in use and are free again, oldest first.
    freed: Chain,
    /// Slots below this have been in use; those above are fresh.
    pub(crate) used: u16,
    /// The records of options, likewise.
    options_freed: Link,
    options_used: u16,
    pub(crate) live: u16,
    /// Who runs, and whether it was cancelled meanwhile.
    pub(crate) running: Link,
    pub(crate) condemned: bool,
    stopped: bool,
    /// The number that the next arming gets.
    sequence: u32,
    pub(crate) faults: u32,
    /// The latest time that the clock has shown.
    seen: Cell<Instant>,
    listeners: ListenersOf<A::Event>,
    pub(crate) mail: Option<&'static dyn Mail<A::Event, A::Params>>,
}

impl<A: App> Head<A> {
    pub(crate) const fn new() -> Self {
        Self {
            timeline: Timeline::EMPTY,
            ready: [Chain::EMPTY; 3],
            freed: Chain::EMPTY,
            used: 0,
            options_freed: Link::NONE,
            options_used: 0,
            live: 0,
            running: Link::NONE,
            condemned: false,
            stopped: false,
            sequence: 0,
            faults: 0,
            seen: Cell::new(Instant::from_ticks(0)),
            listeners: <<A::Event as Event>::Count as event::sealed::PerEvent>::NO_LISTENERS,
            mail: None,
        }
    }

    /// The time; a clock that steps back is read as standing still.
    #[inline]
    pub(crate) fn read(&self, clock: &dyn Clock) -> Instant {
        let now = clock.now().max(self.seen.get());
        self.seen.set(now);
        now
    }
}

/// The whole table, borrowed.
pub(crate) struct Table<'a, A: App> {
    pub(crate) head: &'a mut Head<A>,
    pub(crate) slots: &'a mut [Slot<A>],
    pub(crate) options: &'a mut [Options],
}

/// A run that is to be made: everything the job may ask about it.
pub(crate) struct Run<A: App> {
    pub(crate) id: TaskId,
    pub(crate) job: Job<A>,
    pub(crate) params: A::Params,
    /// Which of the ready states led to it.
    pub(crate) cause: Step,
    pub(crate) event: u8,
    pub(crate) scheduled_at: Instant,
    pub(crate) missed: u16,
    pub(crate) merged: u16,
}

impl<A: App> Table<'_, A> {
    pub(crate) fn reborrow(&mut self) -> Table<'_, A> {
        Table { head: self.head, slots: self.slots, options: self.options }
    }

    fn slot(&self, index: u16) -> Option<&Slot<A>> {
        self.slots.get(usize::from(index))
    }

    fn slot_mut(&mut self, index: u16) -> Option<&mut Slot<A>> {
        self.slots.get_mut(usize::from(index))
    }

    fn options_at(&mut self, link: Link) -> Option<&mut Options> {
        self.options.get_mut(link.place())
    }

    pub(crate) fn view(&self) -> View<'_, A> {
        View { head: self.head, slots: self.slots, options: self.options }
    }

    fn next_sequence(&mut self) -> u32 {
        let sequence = self.head.sequence;
        self.head.sequence = sequence.saturating_add(1);
        sequence
    }
}

/// Scheduling and ending.
impl<A: App> Table<'_, A> {
    /// Step 1: gives a task a slot.
    pub(crate) fn settle(&mut self, task: &Task<A>, now: Instant) -> Result<TaskId, ScheduleError> {
        task.check()?;
        if task.options.has_tag && self.view().find(task.options.tag).is_some() {
            return Err(ScheduleError::TagTaken);
        }
        let index = match self.head.freed.first() {
            link if !link.is_none() => link.index(),
            _ if usize::from(self.head.used) < self.slots.len() => self.head.used,
            _ => return Err(ScheduleError::TableFull),
        };
        let options = if task.options.say_something() {
            self.take_options(task.options).ok_or(ScheduleError::OptionsFull)?
        } else {
            Link::NONE
        };
        if index == self.head.used {
            self.head.used = index.wrapping_add(1);
        } else {
            Chain::remove::<QUEUE, _>(&mut self.head.freed, self.slots, index);
        }
        self.head.live = self.head.live.wrapping_add(1);

        let (plan, period) = match task.when {
            When::At(_) => (Plan::Once, Duration::from_ticks(0)),
            When::Every(period) => (Plan::Every(task.missed.unwrap_or_default()), period),
            When::On(event) if task.again => (Plan::Again(number(event)), Duration::from_ticks(0)),
            When::On(event) => (Plan::On(number(event)), Duration::from_ticks(0)),
        };
        let Some(slot) = self.slots.get_mut(usize::from(index)) else {
            return Err(ScheduleError::TableFull);
        };
        slot.work = Some((task.job, task.params.clone().unwrap_or_default()));
        slot.plan = plan;
        slot.period = period;
        slot.priority = task.priority;
        slot.options = options;
        slot.faults = 0;
        slot.missed = 0;
        slot.merged = 0;
        slot.listed = false;
        let id = TaskId::new(slot.generation, index);
        match task.when {
            When::At(delay) => self.arm_or_ready(index, delay, now),
            When::Every(_) => {
                self.arm_or_ready(index, task.first_at.unwrap_or(Duration::from_ticks(0)), now)
            }
            When::On(event) => self.listen(index, number(event), task.options.timeout, now),
        }
        Ok(id)
    }

    fn take_options(&mut self, options: Options) -> Option<Link> {
        let link = if self.head.options_freed.is_none() {
            Link::to(self.head.options_used)
        } else {
            self.head.options_freed
        };
        let record = self.options.get_mut(link.place())?;
        if self.head.options_freed.is_none() {
            self.head.options_used = self.head.options_used.wrapping_add(1);
        } else {
            self.head.options_freed = record.next;
        }
        *record = options;
        Some(link)
    }

    /// Step 10: gives the slot back.
    fn release(&mut self, index: u16) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        slot.work = None;
        slot.step = Step::Free;
        let options = core::mem::replace(&mut slot.options, Link::NONE);
        let freed = self.head.options_freed;
        if let Some(record) = self.options_at(options) {
            record.next = freed;
            self.head.options_freed = options;
        }
        Chain::push::<QUEUE, _>(&mut self.head.freed, self.slots, index);
    }

    /// Takes a task out of whatever it waits in.
    fn withdraw(&mut self, index: u16) {
        let Some(slot) = self.slots.get(usize::from(index)) else { return };
        let listed = slot.listed;
        if slot.node.is_armed() {
            self.head.timeline.disarm(self.slots, index);
        } else if slot.step.is_ready() {
            if let Some(queue) = self.head.ready.get_mut(slot.priority as usize) {
                Chain::remove::<QUEUE, _>(queue, self.slots, index);
            }
        }
        if listed {
            self.leave(index);
        }
    }

    /// Ends a task; the running one keeps its slot until it returns.
    pub(crate) fn cancel(&mut self, id: TaskId) -> Result<(), NoSuchTask> {
        let index = self.view().place_of(id)?;
        self.end(index);
        Ok(())
    }

    fn end(&mut self, index: u16) {
        self.withdraw(index);
        self.head.live = self.head.live.wrapping_sub(1);
        let running = self.head.running == Link::to(index);
        if let Some(slot) = self.slot_mut(index) {
            slot.generation = slot.generation.wrapping_add(1);
            slot.step = Step::Running;
        }
        if running {
            self.head.condemned = true;
        } else {
            self.release(index);
        }
    }

    /// Ends every task there is; what is scheduled later stays.
    pub(crate) fn stop(&mut self) {
        for index in 0..self.head.used {
            let live = self.slot(index).is_some_and(|slot| slot.step != Step::Free);
            let already = self.head.condemned && self.head.running == Link::to(index);
            if live && !already {
                self.end(index);
            }
        }
        for listeners in self.head.listeners.as_mut() {
            listeners.latched = false;
        }
        if let Some(mail) = self.head.mail {
            mail.clear();
        }
        self.head.stopped = !self.head.running.is_none();
    }
}

/// Waiting: for a time, for an event.
impl<A: App> Table<'_, A> {
    fn arm_or_ready(&mut self, index: u16, delay: Duration, now: Instant) {
        if delay.is_zero() {
            self.make_ready(index, Step::Due, now);
        } else {
            self.arm(index, Step::Timed, later(now, delay));
        }
    }

    #[inline]
    fn arm(&mut self, index: u16, step: Step, deadline: Instant) {
        let sequence = self.next_sequence();
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        slot.step = step;
        slot.node.deadline = deadline;
        slot.node.sequence = sequence;
        self.head.timeline.arm(self.slots, index);
    }

    /// Due this very moment: the end of the ready queue is where it belongs.
    #[inline]
    fn make_ready(&mut self, index: u16, step: Step, now: Instant) {
        let sequence = self.next_sequence();
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        slot.step = step;
        slot.node.deadline = now;
        slot.node.sequence = sequence;
        if let Some(queue) = self.head.ready.get_mut(slot.priority as usize) {
            Chain::push::<QUEUE, _>(queue, self.slots, index);
        }
    }

    /// Joins the listeners of an event, at the end.
    fn listen(&mut self, index: u16, event: u8, timeout: Duration, now: Instant) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        slot.step = Step::Listening;
        slot.event = event;
        let options = slot.options;
        if let Some(listeners) = self.head.listeners.as_mut().get_mut(usize::from(event)) {
            slot.listed = true;
            Chain::push::<WAITING, _>(&mut listeners.chain, self.slots, index);
            let latched = listeners.latched;
            if latched && self.options_at(options).is_some_and(|options| options.latched) {
                if let Some(listeners) = self.head.listeners.as_mut().get_mut(usize::from(event)) {
                    listeners.latched = false;
                }
                return self.hear(index, None, now);
            }
        }
        if !timeout.is_zero() {
            self.arm(index, Step::Listening, later(now, timeout));
        }
    }

    /// Leaves the listeners.
    fn leave(&mut self, index: u16) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        slot.listed = false;
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
            let index = link.index();
            let Some(slot) = self.slots.get(usize::from(index)) else { return reached };
            let is_last = link == last;
            link = Linked::<WAITING>::links(slot).next();
            self.hear(index, params, now);
            reached += 1;
            if is_last {
                return reached;
            }
        }
    }

    /// Steps 3 and 6: the event that a listener waits for has come.
    #[inline]
    fn hear(&mut self, index: u16, params: Option<&A::Params>, now: Instant) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        let options = self.options.get(slot.options.place());
        match slot.step {
            Step::Listening | Step::Running => {
                if let (Some(params), Some((_, kept))) = (params, &mut slot.work) {
                    kept.clone_from(params);
                }
                let own = slot.plan.event() == Some(slot.event);
                let delay = match options {
                    Some(options) if own => options.delay,
                    _ => Duration::from_ticks(0),
                };
                let stays = own && matches!(slot.plan, Plan::Again(_));
                if slot.node.is_armed() {
                    self.head.timeline.disarm(self.slots, index);
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
            Step::Due | Step::Called | Step::TimedOut | Step::Delayed => {
                if slot.step == Step::TimedOut {
                    // It came after all: this run answers the event.
                    slot.step = Step::Called;
                } else {
                    slot.merged = slot.merged.saturating_add(1);
                    if options.is_some_and(|options| options.keep_first) {
                        return;
                    }
                }
                if let (Some(params), Some((_, kept))) = (params, &mut slot.work) {
                    kept.clone_from(params);
                }
            }
            Step::Free | Step::Timed => {}
        }
    }

    /// Step 9: the task's next run is when `event` comes.
    pub(crate) fn await_event(
        &mut self,
        id: TaskId,
        event: A::Event,
        timeout: Duration,
        now: Instant,
    ) -> Result<(), AwaitError> {
        let index = self.view().place_of(id)?;
        let Some(slot) = self.slots.get(usize::from(index)) else {
            return Err(AwaitError::NoSuchTask);
        };
        let (mut options, deadline) = (slot.options, slot.node.deadline);
        if let Plan::Every(_) = slot.plan {
            if options.is_none() {
                options = self.take_options(Options::NONE).ok_or(AwaitError::OptionsFull)?;
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

/// The pass.
impl<A: App> Table<'_, A> {
    /// Takes what interrupts have left: events with params first, then the flags.
    pub(crate) fn read_mail(&mut self, now: Instant) {
        let Some(mail) = self.head.mail else { return };
        if !mail.begin() {
            return;
        }
        for _ in 0..mail.waiting() {
            let Some((event, params)) = mail.take() else { break };
            self.trigger(event, Some(&params), now);
        }
        for number in 0..self.head.listeners.as_ref().len() {
            if mail.take_flag(number) {
                if let Some(event) = A::Event::from_index(number) {
                    self.trigger(event, None, now);
                }
            }
        }
        mail.end();
    }

    /// Steps 2, 4 and 5: moves what is due from the timeline into the ready queues, and returns the
    /// number below which everything armed belongs to this pass.
    pub(crate) fn gather(&mut self, now: Instant) -> u32 {
        if self.head.sequence > u32::MAX / 2 {
            self.renumber();
        }
        // What is in a queue already and what comes out of the timeline are both in order: merge
        // them, with a finger on the last one put into each queue.
        let mut fingers = [Link::NONE; 3];
        while let Some((index, deadline)) = self.head.timeline.first(self.slots) {
            if deadline > now {
                break;
            }
            self.head.timeline.disarm(self.slots, index);
            let Some(slot) = self.slots.get_mut(usize::from(index)) else { break };
            slot.step = match slot.step {
                Step::Delayed => Step::Called,
                Step::Listening => Step::TimedOut,
                _ => Step::Due,
            };
            let node = slot.node;
            let rank = slot.priority as usize;
            let leaves = slot.listed && slot.plan != Plan::Again(slot.event);
            if let (Some(queue), Some(finger)) =
                (self.head.ready.get_mut(rank), fingers.get_mut(rank))
            {
                let mut next = Chain::after::<QUEUE, _>(queue, self.slots, *finger);
                while let Some(slot) = self.slots.get(next.place()) {
                    if node.before(&slot.node) {
                        break;
                    }
                    *finger = next;
                    next = Linked::<QUEUE>::links(slot).next();
                }
                Chain::insert_after::<QUEUE, _>(queue, self.slots, *finger, index);
                *finger = Link::to(index);
            }
            if leaves {
                self.leave(index);
            }
        }
        self.head.sequence
    }

    /// Step 7: the next run of this pass, highest priority first.
    pub(crate) fn next_run(&mut self, limit: u32) -> Option<Run<A>> {
        for queue in self.head.ready.iter_mut().rev() {
            let link = queue.first();
            let Some(slot) = self.slots.get_mut(link.place()) else { continue };
            if slot.node.sequence >= limit {
                continue;
            }
            let Some((job, params)) = &slot.work else { continue };
            let run = Run {
                id: TaskId::new(slot.generation, link.index()),
                job: *job,
                params: params.clone(),
                cause: slot.step,
                event: slot.event,
                scheduled_at: slot.node.deadline,
                missed: core::mem::take(&mut slot.missed),
                merged: core::mem::take(&mut slot.merged),
            };
            slot.step = Step::Running;
            self.head.running = link;
            Chain::remove::<QUEUE, _>(queue, self.slots, link.index());
            return Some(run);
        }
        None
    }

    /// Counts a fault of the running task: its name and how many it has had.
    pub(crate) fn count_fault(&mut self, id: TaskId) -> (Option<&'static str>, u16) {
        self.head.faults = self.head.faults.saturating_add(1);
        let Some(slot) = self.slots.get_mut(usize::from(id.index())) else { return (None, 0) };
        slot.faults = slot.faults.saturating_add(1);
        let (count, options) = (slot.faults, slot.options);
        (self.options_at(options).and_then(|options| options.name), count)
    }

    /// Step 8: the job has returned; the task goes on as planned, unless it has been armed already.
    pub(crate) fn finish(&mut self, run: &Run<A>, started: Instant, now: Instant) {
        let index = run.id.index();
        self.head.running = Link::NONE;
        if core::mem::take(&mut self.head.condemned) {
            return self.release(index);
        }
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        let Step::Running = slot.step else { return };
        match slot.plan {
            Plan::Once | Plan::On(_) => {
                self.head.live = self.head.live.wrapping_sub(1);
                slot.generation = slot.generation.wrapping_add(1);
                self.release(index);
            }
            Plan::Every(missed) => {
                let period = slot.period;
                let deadline = if run.cause == Step::Due {
                    let next = repeat::after_run(run.scheduled_at, period, missed, started, now);
                    slot.missed =
                        slot.missed.saturating_add(u16::try_from(next.skipped).unwrap_or(u16::MAX));
                    next.deadline
                } else {
                    self.phase_after_waiting(index, run.scheduled_at, started, now)
                };
                self.arm(index, Step::Timed, deadline);
            }
            Plan::Again(event) => {
                let timeout = match self.options.get(slot.options.place()) {
                    Some(options) => options.timeout,
                    None => Duration::from_ticks(0),
                };
                if !slot.listed {
                    return self.listen(index, event, timeout, now);
                }
                slot.step = Step::Listening;
                if !timeout.is_zero() {
                    self.arm(index, Step::Listening, later(now, timeout));
                }
            }
        }
    }

    /// Where a repeating task goes on after it has waited for an event: in its old phase, later
    /// than this run began. What passed while it waited was not missed.
    #[cold]
    fn phase_after_waiting(
        &mut self,
        index: u16,
        scheduled_at: Instant,
        started: Instant,
        now: Instant,
    ) -> Instant {
        let Some(slot) = self.slots.get(usize::from(index)) else { return now };
        let (period, plan, options) = (slot.period, slot.plan, slot.options);
        let mut phase = scheduled_at;
        if let Some(record) = self.options_at(options) {
            if core::mem::take(&mut record.has_phase) {
                phase = record.phase;
            }
        }
        if plan == Plan::Every(Missed::Delay) {
            return later(started, period);
        }
        // Later than the start, so that no deadline is served twice; and not past.
        let past = Instant::from_ticks(now.as_ticks().saturating_sub(1));
        repeat::in_phase_after(phase, period, started.max(past))
    }

    /// Gives what is armed the smallest numbers that keep its order. Every two billion armings.
    ///
    /// Cost: O(tasks²).
    #[cold]
    fn renumber(&mut self) {
        let mut next = 0;
        let mut floor = 0;
        loop {
            let lowest = self
                .slots
                .iter_mut()
                .filter(|slot| slot.node.is_armed() || slot.step.is_ready())
                .filter(|slot| slot.node.sequence >= floor)
                .min_by_key(|slot| slot.node.sequence);
            let Some(slot) = lowest else { break };
            floor = slot.node.sequence.saturating_add(1);
            slot.node.sequence = next;
            next += 1;
        }
        self.head.sequence = next;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.head.stopped
    }

    pub(crate) fn take_stopped(&mut self) -> bool {
        core::mem::take(&mut self.head.stopped)
    }
}

/// Changing what a task does next.
impl<A: App> Table<'_, A> {
    pub(crate) fn set_repeat(
        &mut self,
        id: TaskId,
        period: Duration,
    ) -> Result<(), SetRepeatError> {
        let index = self.view().place_of(id)?;
        let Some(slot) = self.slots.get_mut(usize::from(index)) else {
            return Err(SetRepeatError::NoSuchTask);
        };
        match slot.plan {
            Plan::On(_) | Plan::Again(_) if !period.is_zero() => {
                return Err(SetRepeatError::WaitsForEvent);
            }
            Plan::Again(event) => {
                slot.plan = Plan::On(event);
                // A listener for one more run leaves when that run is certain.
                if slot.listed && slot.event == event && slot.step != Step::Listening {
                    self.leave(index);
                }
            }
            Plan::Once if !period.is_zero() => {
                slot.plan = Plan::Every(Missed::Skip);
                slot.period = period;
            }
            Plan::Every(_) if period.is_zero() => slot.plan = Plan::Once,
            Plan::Every(_) => slot.period = period,
            Plan::Once | Plan::On(_) => {}
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, id: TaskId, params: A::Params) -> Result<(), NoSuchTask> {
        let index = self.view().place_of(id)?;
        if let Some(Slot { work: Some((_, kept)), .. }) = self.slot_mut(index) {
            *kept = params;
        }
        Ok(())
    }
}

impl Plan {
    const fn event(self) -> Option<u8> {
        match self {
            Self::On(event) | Self::Again(event) => Some(event),
            Self::Once | Self::Every(_) => None,
        }
    }
}

/// Events are counted up to 256, so their numbers fit; one that does not belong to the type is
/// heard by nobody.
fn number<E: Event>(event: E) -> u8 {
    event.index() as u8
}

#[cfg(target_pointer_width = "32")]
const _: () = {
    struct Four;
    impl App for Four {
        type Event = ();
        type Params = u32;
        type Outcome = ();
    }
    assert!(size_of::<Slot<Four>>() == 56);
    assert!(size_of::<Options>() == 48);
};
