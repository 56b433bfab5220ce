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
    error::{NoSuchTask, ScheduleError, SetRepeatError},
    event::{self, Event, ListenersOf},
    inbox::Mailbox,
    list::{Chain, Link, Linked, Links},
    task::{Missed, Options, Priority, TaskId, When},
    time::{Clock, Duration, Instant},
    timeline::{self, Node, Timed},
    view::View,
    waiting::Called,
    work::{App, Job},
};

/// The links that make up the ready queues and the free list: a slot is in one of them or none.
pub(crate) const QUEUE: usize = 0;
/// The links that make up the chains of listeners.
pub(crate) const WAITING: usize = 1;

/// A place for one task.
#[repr(C)]
pub(crate) struct Slot<A: App> {
    pub(crate) node: Node,
    pub(crate) queue: Links,
    pub(crate) waiting: Links,
    pub(crate) period: Duration,
    /// What to run, and with what; `None` while the slot is free.
    pub(crate) work: Option<(Job<A>, A::Params)>,
    pub(crate) unserved: Unserved,
    pub(crate) generation: u16,
    /// The number of the event it listens to, or that made it ready.
    pub(crate) event: u8,
    pub(crate) step: Step,
    pub(crate) options: Link,
    pub(crate) faults: u16,
    pub(crate) plan: Plan,
    pub(crate) priority: Priority,
    pub(crate) place: Place,
}

/// What has come to a task since its last run: what gets no run of its own, and whether there were
/// params with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unserved {
    pub(crate) missed: u16,
    /// Triggers merged, and a bit for the params.
    rest: u16,
}

impl Unserved {
    pub(crate) const NONE: Self = Self { missed: 0, rest: 0 };

    const BROUGHT: u16 = 1 << 15;

    /// How many triggers were merged.
    pub(crate) const fn merged(self) -> u16 {
        self.rest & !Self::BROUGHT
    }

    pub(crate) const fn count_merged(&mut self) {
        if self.merged() < Self::BROUGHT - 1 {
            self.rest += 1;
        }
    }

    /// Whether a trigger or a `send` has brought params.
    pub(crate) const fn has_brought(self) -> bool {
        self.rest & Self::BROUGHT != 0
    }

    pub(crate) const fn bring(&mut self) {
        self.rest |= Self::BROUGHT;
    }
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

    /// Whether it is in the timeline for a timeout or a delay, if it is there.
    pub(crate) const fn waits_for_event(self) -> bool {
        matches!(self, Self::Listening | Self::Delayed)
    }
}

/// Where a slot is, besides the ready queues: in the timeline, in the chain of its event, in both or
/// in neither.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place(u8);

impl Place {
    pub(crate) const NONE: Self = Self(0);
    /// In the chain of its event for life, with no option or timeout to think of. Most listeners are
    /// like that, and for them a trigger and the end of a run are short.
    pub(crate) const PLAIN_LISTENER: Self = Self(Self::LISTED | Self::PLAINLY);

    const ARMED: u8 = 1;
    const LISTED: u8 = 2;
    const PLAINLY: u8 = 4;

    pub(crate) const fn is_armed(self) -> bool {
        self.0 & Self::ARMED != 0
    }

    pub(crate) const fn is_listed(self) -> bool {
        self.0 & Self::LISTED != 0
    }

    pub(crate) const fn arm(&mut self) {
        self.0 |= Self::ARMED;
    }

    pub(crate) const fn disarm(&mut self) {
        self.0 &= !Self::ARMED;
    }

    pub(crate) const fn list(&mut self, plainly: bool) {
        self.0 |= if plainly { Self::PLAIN_LISTENER.0 } else { Self::LISTED };
    }

    pub(crate) const fn unlist(&mut self) {
        self.0 &= Self::ARMED;
    }

    /// It is no plain listener any more.
    pub(crate) const fn mark_for_leaving(&mut self) {
        self.0 &= !Self::PLAINLY;
    }
}

/// What a task does after its run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// It runs again a period later; when the period is zero it ends.
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
        unserved: Unserved::NONE,
        step: Step::Free,
        plan: Plan::Every(Missed::Skip),
        priority: Priority::Low,
        event: 0,
        place: Place::NONE,
    };
}

impl<A: App> Slot<A> {
    /// Whether it is in the timeline or in a ready queue.
    pub(crate) fn is_pending(&self) -> bool {
        self.place.is_armed() || self.step.is_ready()
    }
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

/// What a pass usually need not think of, so that one test rules it all out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unusual(u8);

impl Unusual {
    pub(crate) const NOTHING: Self = Self(0);
    /// Something may be in a ready queue.
    pub(crate) const QUEUED: Self = Self(1);
    /// A job has called `stop`.
    pub(crate) const STOPPED: Self = Self(2);
    /// There has been a task with slack.
    pub(crate) const SLACK: Self = Self(4);
    /// The listeners of an event run where they are.
    pub(crate) const CALLED: Self = Self(8);
    /// They are running.
    pub(crate) const CALLING: Self = Self(32);
    /// There may be priorities, timeouts or delays; see [`Head::ranked`].
    pub(crate) const RANKED: Self = Self(16);
    /// Listeners must be told one by one.
    pub(crate) const NO_CALL: Self = Self(Self::QUEUED.0 | Self::CALLING.0);
    /// Listeners must be told one by one, or there are some already who have not been told.
    pub(crate) const NO_FIRST_CALL: Self = Self(Self::NO_CALL.0 | Self::CALLED.0);
    /// The order of the timeline may not be that of the pass.
    pub(crate) const ANY_ORDER: Self = Self(Self::QUEUED.0 | Self::CALLED.0 | Self::RANKED.0);

    pub(crate) const fn includes(self, what: Self) -> bool {
        self.0 & what.0 != 0
    }

    pub(crate) const fn set(&mut self, what: Self, is_so: bool) {
        self.0 = if is_so { self.0 | what.0 } else { self.0 & !what.0 };
    }
}

/// What there is once, however many tasks.
pub(crate) struct Head<A: App> {
    /// One ready queue for each priority, in the order of the enum.
    pub(crate) ready: [Chain; 3],
    /// Slots that were in use and are free again, oldest first.
    pub(crate) freed: Chain,
    /// Slots below this have been in use; those above are fresh.
    pub(crate) used: u16,
    /// The records of options, likewise.
    pub(crate) options_freed: Link,
    pub(crate) options_used: u16,
    pub(crate) live: u16,
    /// Why a pass may have another order than the timeline: how many live tasks have another
    /// priority than the normal one, and how many timeouts and delays run. These must all have run
    /// out before the first job of the pass can trigger their events.
    pub(crate) ranked: u32,
    /// Who runs. When it is cancelled its slot is free at once for everybody who looks, but it is
    /// handed out again only after the run.
    pub(crate) running: Link,
    pub(crate) unusual: Unusual,
    /// The number that the next arming gets.
    pub(crate) sequence: u32,
    /// The number at which the pass began.
    pub(crate) limit: u32,
    pub(crate) faults: u32,
    /// The latest time that the clock has shown.
    pub(crate) seen: Cell<Instant>,
    pub(crate) called: Called,
    pub(crate) listeners: ListenersOf<A::Event>,
    pub(crate) mail: Option<Mailbox<A::Event, A::Params>>,
}

impl<A: App> Head<A> {
    pub(crate) const fn new() -> Self {
        Self {
            ready: [Chain::EMPTY; 3],
            freed: Chain::EMPTY,
            used: 0,
            options_freed: Link::NONE,
            options_used: 0,
            live: 0,
            ranked: 0,
            running: Link::NONE,
            unusual: Unusual::NOTHING,
            sequence: 0,
            limit: 0,
            faults: 0,
            seen: Cell::new(Instant::from_ticks(0)),
            called: Called::NONE,
            listeners: <<A::Event as Event>::Count as event::sealed::PerEvent>::NO_LISTENERS,
            mail: None,
        }
    }

    /// Numbers begin anew between passes, so they can run out only within one; what is armed with
    /// the last of them still waits for the next pass.
    pub(crate) fn next_sequence(&mut self) -> u32 {
        let sequence = self.sequence;
        self.sequence = sequence.saturating_add(1);
        sequence
    }

    /// A reason more for another order than that of the timeline.
    pub(crate) fn rank(&mut self) {
        self.ranked = self.ranked.wrapping_add(1);
        self.unusual.set(Unusual::RANKED, true);
    }

    /// The time; a clock that steps back is read as standing still.
    #[inline]
    pub(crate) fn read<C: Clock + ?Sized>(&self, clock: &C) -> Instant {
        let now = clock.now();
        if now < self.seen.get() {
            return self.seen.get();
        }
        self.seen.set(now);
        now
    }

    /// The same where it is rarely done: out of the way of what is done always.
    #[cold]
    #[inline(never)]
    pub(crate) fn read_again<C: Clock + ?Sized>(&self, clock: &C) -> Instant {
        self.read(clock)
    }
}

/// A task as the table takes it: [`Task`](crate::Task) without what few tasks say.
pub(crate) struct Order<'a, A: App> {
    pub(crate) job: Job<A>,
    pub(crate) params: A::Params,
    pub(crate) when: When<A::Event>,
    pub(crate) first_at: Duration,
    pub(crate) plan: Plan,
    pub(crate) priority: Priority,
    pub(crate) options: Option<&'a Options>,
}

impl<A: App> Order<'_, A> {
    /// Nothing said beyond what to do and when.
    #[inline(always)]
    pub(crate) fn plain(job: Job<A>, when: When<A::Event>) -> Self {
        Self {
            job,
            params: A::Params::default(),
            when,
            first_at: Duration::from_ticks(0),
            plan: when.plan(None, false),
            priority: Priority::Normal,
            options: None,
        }
    }
}

/// The whole table, borrowed.
pub(crate) struct Table<'a, A: App> {
    pub(crate) head: &'a mut Head<A>,
    pub(crate) slots: &'a mut [Slot<A>],
    pub(crate) options: &'a mut [Options],
}

impl<A: App> Table<'_, A> {
    /// Known when compiling, so that an app without events does not pay for them.
    pub(crate) const HAS_EVENTS: bool =
        <<A::Event as Event>::Count as event::sealed::PerEvent>::ANY;

    pub(crate) fn reborrow(&mut self) -> Table<'_, A> {
        Table { head: self.head, slots: self.slots, options: self.options }
    }

    pub(crate) fn slot(&self, index: usize) -> Option<&Slot<A>> {
        self.slots.get(index)
    }

    pub(crate) fn slot_mut(&mut self, index: usize) -> Option<&mut Slot<A>> {
        self.slots.get_mut(index)
    }

    pub(crate) fn options_at(&mut self, link: Link) -> Option<&mut Options> {
        self.options.get_mut(link.index())
    }

    pub(crate) fn view(&self) -> View<'_, A> {
        View { head: self.head, slots: self.slots, options: self.options }
    }
}

/// Scheduling and ending.
impl<A: App> Table<'_, A> {
    /// Step 1 for what most tasks are: they run by time, and nothing is said of them beyond.
    ///
    /// Here `None` means that the table is full.
    #[inline(never)]
    pub(crate) fn settle_timed(
        &mut self,
        job: Job<A>,
        delay: Duration,
        period: Duration,
        now: Instant,
    ) -> Option<TaskId> {
        let index = self.free_place()?;
        let id = self.seat(index, Order::plain(job, When::Every(period)), Link::NONE)?;
        self.arm_or_ready(index, delay, now);
        Some(id)
    }

    /// Step 1: gives a task a slot.
    #[inline(never)]
    pub(crate) fn settle(
        &mut self,
        order: Order<'_, A>,
        now: Instant,
    ) -> Result<TaskId, ScheduleError> {
        if matches!(order.when, When::Every(period) if period.is_zero()) {
            return Err(ScheduleError::ZeroPeriod);
        }
        let index = self.free_place().ok_or(ScheduleError::TableFull)?;
        let mut options = Link::NONE;
        if let Some(wanted) = order.options {
            if wanted.has_tag && self.view().find(wanted.tag).is_some() {
                return Err(ScheduleError::TagTaken);
            }
            options = self.take_options(wanted).ok_or(ScheduleError::OptionsFull)?;
        }
        let (when, first_at) = (order.when, order.first_at);
        let timeout = order.options.and_then(Options::timeout);
        let id = self.seat(index, order, options).ok_or(ScheduleError::TableFull)?;
        match when {
            When::At(delay) => self.arm_or_ready(index, delay, now),
            When::Every(_) => self.arm_or_ready(index, first_at, now),
            When::On(event) => self.listen(index, number(event), timeout, now),
        }
        Ok(id)
    }

    /// Where the next task will be: a fresh place, or the one that has been free for the longest.
    #[inline]
    fn free_place(&self) -> Option<usize> {
        let used = usize::from(self.head.used);
        if used < self.slots.len() {
            return Some(used);
        }
        let freed = self.head.freed.first().index();
        (freed < self.slots.len()).then_some(freed)
    }

    /// Takes the free place for a task, which then is in it but waits for nothing yet.
    #[inline(always)]
    fn seat(&mut self, index: usize, order: Order<'_, A>, options: Link) -> Option<TaskId> {
        if index == usize::from(self.head.used) {
            self.head.used = self.head.used.wrapping_add(1);
        } else {
            Chain::pop::<QUEUE, _>(&mut self.head.freed, self.slots);
        }
        self.head.live = self.head.live.wrapping_add(1);
        if order.priority != Priority::Normal {
            self.head.rank();
        }
        let slot = self.slots.get_mut(index)?;
        slot.work = Some((order.job, order.params));
        slot.plan = order.plan;
        slot.period = match order.when {
            When::Every(period) => period,
            _ => Duration::from_ticks(0),
        };
        slot.priority = order.priority;
        slot.options = options;
        slot.faults = 0;
        slot.unserved = Unserved::NONE;
        slot.place = Place::NONE;
        Some(TaskId::new(slot.generation, index))
    }

    pub(crate) fn take_options(&mut self, options: &Options) -> Option<Link> {
        let link = if self.head.options_freed.is_none() {
            Link::to(self.head.options_used.into())
        } else {
            self.head.options_freed
        };
        let record = self.options.get_mut(link.index())?;
        if self.head.options_freed.is_none() {
            self.head.options_used = self.head.options_used.wrapping_add(1);
        } else {
            self.head.options_freed = record.next;
        }
        *record = *options;
        if options.slack_micros != 0 {
            self.head.unusual.set(Unusual::SLACK, true);
        }
        Some(link)
    }

    /// Step 10: gives the slot back.
    #[inline]
    pub(crate) fn release(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.work = None;
        slot.step = Step::Free;
        if slot.priority != Priority::Normal {
            self.head.ranked = self.head.ranked.wrapping_sub(1);
        }
        if !slot.options.is_none() {
            let options = core::mem::replace(&mut slot.options, Link::NONE);
            if let Some(record) = self.options.get_mut(options.index()) {
                record.next = self.head.options_freed;
                self.head.options_freed = options;
            }
        }
        Chain::push::<QUEUE, _>(&mut self.head.freed, self.slots, index);
    }

    /// Takes a task out of whatever it waits in.
    pub(crate) fn withdraw(&mut self, index: usize) {
        self.queue_called();
        let Some(slot) = self.slots.get(index) else { return };
        if slot.step.is_ready() {
            if let Some(queue) = self.head.ready.get_mut(slot.priority as usize) {
                Chain::remove::<QUEUE, _>(queue, self.slots, index);
            }
        }
        self.withdraw_unqueued(index);
    }

    /// The same for one that is in no ready queue, such as the one that runs.
    pub(crate) fn withdraw_unqueued(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        let listed = slot.place.is_listed();
        if slot.place.is_armed() {
            slot.place.disarm();
            if slot.step.waits_for_event() {
                self.head.ranked = self.head.ranked.wrapping_sub(1);
            }
            timeline::disarm(self.slots, index);
        }
        if listed {
            self.leave(index);
        }
    }

    /// Ends a task; the running one keeps its slot until it returns.
    #[inline(never)]
    pub(crate) fn cancel(&mut self, id: TaskId) -> Result<(), NoSuchTask> {
        let index = self.view().place_of(id)?;
        let slot = self.slots.get_mut(index).ok_or(NoSuchTask)?;
        // The running one may have been rescheduled.
        if slot.step != Step::Timed || self.head.running == Link::to(index) {
            self.end(index);
            return Ok(());
        }
        // What is cancelled is mostly a timeout that was not needed: it waits for its time alone.
        slot.place = Place::NONE;
        slot.generation = slot.generation.wrapping_add(1);
        self.head.live = self.head.live.wrapping_sub(1);
        self.release(index);
        timeline::disarm(self.slots, index);
        Ok(())
    }

    pub(crate) fn end(&mut self, index: usize) {
        self.withdraw(index);
        self.head.live = self.head.live.wrapping_sub(1);
        if let Some(slot) = self.slot_mut(index) {
            slot.generation = slot.generation.wrapping_add(1);
            slot.step = Step::Free;
        }
        if self.head.running != Link::to(index) {
            self.release(index);
        }
    }

    /// Ends every task there is; what is scheduled later stays.
    ///
    /// Never inlined: it is asked for after each run, and nearly never done.
    #[inline(never)]
    pub(crate) fn stop(&mut self) {
        for index in 0..usize::from(self.head.used) {
            if self.slot(index).is_some_and(|slot| slot.step != Step::Free) {
                self.end(index);
            }
        }
        for listeners in self.head.listeners.as_mut() {
            listeners.latched = false;
        }
        if let Some(mail) = self.head.mail {
            mail.clear();
        }
        self.head.unusual.set(Unusual::STOPPED, !self.head.running.is_none());
        // Nothing that is ready belongs to this pass any more.
        self.head.limit = 0;
    }
}

/// Changing what a task does next.
impl<A: App> Table<'_, A> {
    pub(crate) fn set_repeat(
        &mut self,
        id: TaskId,
        period: Duration,
    ) -> Result<(), SetRepeatError> {
        self.queue_called();
        let index = self.view().place_of(id)?;
        let Some(slot) = self.slots.get_mut(index) else {
            return Err(SetRepeatError::NoSuchTask);
        };
        match slot.plan {
            Plan::On(_) | Plan::Again(_) if !period.is_zero() => {
                return Err(SetRepeatError::WaitsForEvent);
            }
            Plan::Again(event) => {
                slot.plan = Plan::On(event);
                // A listener for one more run leaves when that run is certain.
                if slot.place.is_listed() && slot.event == event {
                    if slot.place == Place::PLAIN_LISTENER {
                        slot.place.mark_for_leaving();
                        let listeners = self.head.listeners.as_mut().get_mut(usize::from(event));
                        if let Some(listeners) = listeners {
                            listeners.special = listeners.special.wrapping_add(1);
                        }
                    }
                    if slot.step != Step::Listening {
                        self.leave(index);
                    }
                }
            }
            Plan::Every(_) => slot.period = period,
            Plan::On(_) => {}
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, id: TaskId, params: A::Params) -> Result<(), NoSuchTask> {
        let index = self.view().place_of(id)?;
        if let Some(Slot { work: Some((_, kept)), unserved, .. }) = self.slot_mut(index) {
            *kept = params;
            unserved.bring();
        }
        Ok(())
    }
}

impl Plan {
    pub(crate) const fn event(self) -> Option<u8> {
        match self {
            Self::On(event) | Self::Again(event) => Some(event),
            Self::Every(_) => None,
        }
    }
}

/// Events are counted up to 256, so their numbers fit. One that does not must not be taken for
/// another: the largest number is nobody's, unless there are 256 events.
pub(crate) fn number<E: Event>(event: E) -> u8 {
    u8::try_from(event.index()).unwrap_or(u8::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Task,
        pass::{Batch, Begun, Run},
    };
    use proptest::prelude::*;
    use std::{collections::BTreeSet, vec, vec::Vec};

    crate::events! { enum Signal { Zero, One, Two } }

    struct Node;

    impl App for Node {
        type Event = Signal;
        type Params = u8;
        type Outcome = ();
    }

    fn job(_: &mut Node, _: &mut crate::Cx<'_, Node>) {}

    /// A clock that shows one time.
    struct Stopped(Instant);

    impl Clock for Stopped {
        fn now(&self) -> Instant {
            self.0
        }
    }

    /// A table that is driven step by step: what is done between the beginning of a run and its
    /// end is what its job does.
    struct Bench {
        head: Head<Node>,
        slots: Vec<Slot<Node>>,
        options: Vec<Options>,
        now: Instant,
        /// The pass and when it began, without a batch while listeners of a called event run;
        /// `None` between passes.
        pass: Option<(Option<Batch>, Instant)>,
        run: Option<(Run<Node>, Begun)>,
    }

    impl Bench {
        fn new(places: usize, records: usize) -> Self {
            Self {
                head: Head::new(),
                slots: (0..places).map(|_| Slot::FREE).collect(),
                options: vec![Options::NONE; records],
                now: Instant::from_ticks(0),
                pass: None,
                run: None,
            }
        }

        fn table(&mut self) -> Table<'_, Node> {
            Table { head: &mut self.head, slots: &mut self.slots, options: &mut self.options }
        }

        fn schedule(&mut self, task: Task<Node>) -> Result<TaskId, ScheduleError> {
            let now = self.now;
            self.table().settle(task.order()?, now)
        }

        /// The run that is being made returns, and the next one begins, of this pass or of another;
        /// whether there was one.
        fn go_on(&mut self) -> Option<TaskId> {
            let now = self.now;
            match self.run.take() {
                Some((run, begun)) => match self.pass {
                    Some((Some(Batch::InOrder), ..)) => {
                        let told = self.table().finish_first(&run, begun, &Stopped(now));
                        let first = self.slots.get(timeline::first(&self.slots));
                        assert!(told.is_none() || told == first.map(|slot| slot.node.deadline));
                    }
                    Some((None, ..)) => {
                        self.table().finish_called(&run, begun, &Stopped(now));
                    }
                    _ => self.table().finish(&run, begun, &Stopped(now)),
                },
                None => {
                    let batch = if self.table().open_pass() {
                        Some(Batch::InOrder)
                    } else {
                        let called = self.table().open_called(now);
                        (!called).then(|| self.table().open_queues(now))
                    };
                    self.pass = Some((batch, now));
                }
            }
            if self.table().take_stopped() {
                self.pass = None;
            }
            let (mut batch, began) = self.pass.take()?;
            let mut run = None;
            if batch.is_none() {
                run = self.table().begin_called();
            }
            if run.is_none() {
                if batch.is_none() {
                    self.table().end_called();
                }
                let rest = *batch.get_or_insert(Batch::Queued);
                run = self.table().begin_next(rest, &Stopped(now), began);
            }
            let run = run?;
            self.pass = Some((batch, began));
            let id = run.0.id();
            self.run = Some(run);
            Some(id)
        }

        /// One pass, of jobs that do nothing; who ran.
        fn pass(&mut self) -> Vec<TaskId> {
            core::iter::from_fn(|| self.go_on()).collect()
        }

        fn queue(&self, chain: &Chain) -> Vec<usize> {
            let mut members = vec![];
            let mut link = chain.first();
            while !link.is_none() {
                assert!(members.len() < self.slots.len(), "a queue runs in a circle");
                members.push(link.index());
                link = Linked::<QUEUE>::links(&self.slots[link.index()]).next();
            }
            assert_eq!(members.last().copied(), last_of(chain));
            members
        }

        fn listeners(&self, chain: &Chain) -> Vec<usize> {
            let mut members = vec![];
            let mut link = chain.first();
            while !link.is_none() {
                assert!(members.len() < self.slots.len(), "listeners stand in a circle");
                members.push(link.index());
                link = Linked::<WAITING>::links(&self.slots[link.index()]).next();
            }
            assert_eq!(members.last().copied(), last_of(chain));
            members
        }

        /// Every promise that the table's files make to each other.
        fn check(&self) {
            self.check_places();
            self.check_timeline();
            self.check_ready();
            self.check_listeners();
            self.check_records();
            for slot in &self.slots {
                self.check_membership(slot);
            }
        }

        /// No place is lost: free ones, fresh ones, tenants, and one whose tenant was cancelled
        /// in its run.
        fn check_places(&self) {
            let freed = self.queue(&self.head.freed);
            for &index in &freed {
                assert!(index < usize::from(self.head.used), "a fresh place is in the free list");
                assert_eq!(self.slots[index].step, Step::Free);
                assert_ne!(Some(index), self.running());
            }
            let live = self.slots.iter().filter(|slot| slot.step != Step::Free).count();
            assert_eq!(live, usize::from(self.head.live));
            let leaving = self.running().filter(|&index| self.slots[index].step == Step::Free);
            let fresh = self.slots.len() - usize::from(self.head.used);
            let known = freed.len() + fresh + live + usize::from(leaving.is_some());
            assert_eq!(known, self.slots.len(), "a place was lost");
            for (index, slot) in self.slots.iter().enumerate() {
                let occupied = slot.step != Step::Free || leaving == Some(index);
                assert_eq!(slot.work.is_some(), occupied, "params outlive their task, or do not");
                assert!(occupied || slot.options.is_none(), "a record was not given back");
            }
        }

        fn running(&self) -> Option<usize> {
            (!self.head.running.is_none()).then(|| self.head.running.index())
        }

        /// The first in the timeline is the first of the armed ones, and all numbers are different.
        fn check_timeline(&self) {
            let first = timeline::first(&self.slots);
            let first = self.slots.get(first).map(|_| first);
            let mut reasons = 0;
            for slot in self.slots.iter().filter(|slot| slot.work.is_some()) {
                reasons += u32::from(slot.priority != Priority::Normal);
                reasons += u32::from(slot.place.is_armed() && slot.step.waits_for_event());
            }
            assert_eq!(self.head.ranked, reasons);
            let armed = self.slots.iter().enumerate().filter(|(_, slot)| slot.place.is_armed());
            let expected = armed.min_by_key(|(_, slot)| (slot.node.deadline, slot.node.sequence));
            assert_eq!(first, expected.map(|(index, _)| index));
            let numbers: Vec<u32> = (self.slots.iter())
                .filter(|slot| slot.place.is_armed() || slot.step.is_ready())
                .map(|slot| slot.node.sequence)
                .collect();
            assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
            assert!(numbers.iter().all(|&number| number < self.head.sequence));
        }

        /// Each ready slot is in the queue of its priority, in the order of deadline and arming,
        /// what belongs to the next pass behind what belongs to this one.
        fn check_ready(&self) {
            let mut ready = 0;
            for (rank, queue) in self.head.ready.iter().enumerate() {
                let members = self.queue(queue);
                ready += members.len();
                for &index in &members {
                    assert!(self.slots[index].step.is_ready());
                    assert_eq!(self.slots[index].priority as usize, rank);
                }
                assert!(members.is_sorted_by_key(|&index| {
                    let node = self.slots[index].node;
                    (node.sequence >= self.head.limit, node.deadline, node.sequence)
                }));
            }
            assert_eq!(ready, self.slots.iter().filter(|slot| slot.step.is_ready()).count());
        }

        /// Each listed slot is in the chain of its event and in no other.
        fn check_listeners(&self) {
            let mut listed = 0;
            for (event, listeners) in self.head.listeners.iter().enumerate() {
                let members = self.listeners(&listeners.chain);
                listed += members.len();
                for &index in &members {
                    assert!(self.slots[index].place.is_listed());
                    assert_eq!(usize::from(self.slots[index].event), event);
                }
            }
            assert_eq!(listed, self.slots.iter().filter(|slot| slot.place.is_listed()).count());
        }

        /// The membership rule: what a slot's state says about where it is.
        fn check_membership(&self, slot: &Slot<Node>) {
            let (armed, listed) = (slot.place.is_armed(), slot.place.is_listed());
            let stays = slot.plan == Plan::Again(slot.event);
            if slot.place == Place::PLAIN_LISTENER {
                assert!(stays && !armed && slot.options.is_none());
            }
            match slot.step {
                Step::Free => assert!(!armed && !listed),
                Step::Timed => assert!(armed && !listed),
                // In the timeline as well only while a timeout runs.
                Step::Listening => assert!(listed),
                Step::Delayed => assert!(armed && (!listed || stays)),
                Step::Due => assert!(!armed && !listed),
                Step::Called | Step::TimedOut => assert!(!armed && (!listed || stays)),
                // One that has come from the timeline is still where it was; it listens to nothing.
                Step::Running => assert!(!listed || (stays && !armed)),
            }
        }

        /// No record is lost, and none has two owners.
        fn check_records(&self) {
            let mut seen = BTreeSet::new();
            let mut free = self.head.options_freed;
            while !free.is_none() {
                assert!(seen.insert(free.index()), "free records run in a circle");
                free = self.options[free.index()].next;
            }
            for slot in self.slots.iter().filter(|slot| !slot.options.is_none()) {
                assert!(seen.insert(slot.options.index()), "two slots share a record");
            }
            assert_eq!(seen.len(), usize::from(self.head.options_used), "a record was lost");
            assert!(seen.iter().all(|&place| place < usize::from(self.head.options_used)));
        }
    }

    fn last_of(chain: &Chain) -> Option<usize> {
        (!chain.is_empty()).then(|| chain.last().index())
    }

    #[derive(Clone, Debug)]
    enum Act {
        At(u64, Priority, bool),
        Every(u64, u64, Missed),
        On { event: Signal, again: bool, delay: u64, timeout: u64, latched: bool },
        Trigger(Signal, Option<u8>),
        Cancel(prop::sample::Index),
        SetRepeat(prop::sample::Index, u64),
        Reschedule(prop::sample::Index, u64),
        Send(prop::sample::Index, u8),
        Await(prop::sample::Index, Signal, Option<u64>),
        Stop,
        Sleep(u64),
        GoOn,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let which = any::<prop::sample::Index>;
        let signal = || prop::sample::select(vec![Signal::Zero, Signal::One, Signal::Two]);
        let rank = prop::sample::select(vec![Priority::Low, Priority::Normal, Priority::High]);
        let missed = prop::sample::select(vec![Missed::Skip, Missed::Burst(2), Missed::Delay]);
        let act = prop_oneof![
            4 => (0u64..4, rank, any::<bool>()).prop_map(|(delay, rank, tag)| Act::At(delay, rank, tag)),
            4 => (1u64..5, 0u64..4, missed).prop_map(|(period, first, missed)| Act::Every(period, first, missed)),
            6 => (signal(), any::<bool>(), 0u64..3, 0u64..3, any::<bool>()).prop_map(
                |(event, again, delay, timeout, latched)| Act::On { event, again, delay, timeout, latched }),
            8 => (signal(), any::<Option<u8>>()).prop_map(|(event, params)| Act::Trigger(event, params)),
            4 => which().prop_map(Act::Cancel),
            3 => (which(), 0u64..4).prop_map(|(which, period)| Act::SetRepeat(which, period)),
            3 => (which(), 0u64..4).prop_map(|(which, delay)| Act::Reschedule(which, delay)),
            1 => (which(), any::<u8>()).prop_map(|(which, params)| Act::Send(which, params)),
            6 => (which(), signal(), prop::option::of(0u64..4)).prop_map(
                |(which, event, timeout)| Act::Await(which, event, timeout)),
            1 => Just(Act::Stop),
            5 => (1u64..6).prop_map(Act::Sleep),
            16 => Just(Act::GoOn),
        ];
        prop::collection::vec(act, 1..120)
    }

    /// Does it all, checking after each act, and returns who ran when and why.
    fn act_out(bench: &mut Bench, acts: &[Act]) -> Vec<(u64, TaskId, Step)> {
        let micros = Duration::from_ticks;
        let mut ids = vec![TaskId::new(9, 9)];
        let mut runs = vec![];
        for act in acts {
            let now = bench.now;
            let mut scheduled = None;
            match act.clone() {
                Act::At(delay, rank, tag) => {
                    let task = Task::at(micros(delay), job).priority(rank);
                    scheduled = Some(if tag { task.tag(7) } else { task });
                }
                Act::Every(period, first, missed) => {
                    let task = Task::repeat(micros(period), job).missed(missed);
                    scheduled = Some(task.first_at(micros(first)));
                }
                Act::On { event, again, delay, timeout, latched } => {
                    let mut task =
                        Task::on(event, job).delay(micros(delay)).timeout(micros(timeout));
                    task.again = again;
                    task.options.latched = latched;
                    scheduled = Some(task);
                }
                Act::Trigger(event, params) => {
                    bench.table().trigger(event.index(), params.as_ref(), now);
                }
                Act::Cancel(which) => {
                    let _ = bench.table().cancel(*which.get(&ids));
                }
                Act::SetRepeat(which, period) => {
                    let _ = bench.table().set_repeat(*which.get(&ids), micros(period));
                }
                Act::Reschedule(which, delay) => {
                    let _ = bench.table().reschedule(*which.get(&ids), micros(delay), now);
                }
                Act::Send(which, params) => {
                    let _ = bench.table().send(*which.get(&ids), params);
                }
                Act::Await(which, event, timeout) => {
                    let (id, timeout) = (*which.get(&ids), timeout.map(micros));
                    let _ = bench.table().await_event(id, event, timeout, now);
                }
                Act::Stop => bench.table().stop(),
                Act::Sleep(time) => bench.now = crate::time::later(now, micros(time)),
                Act::GoOn => {
                    if let Some(id) = bench.go_on() {
                        let cause = bench.run.as_ref().map(|(run, _)| run.cause);
                        runs.push((now.as_ticks(), id, cause.unwrap_or(Step::Free)));
                    }
                }
            }
            if let Some(id) = scheduled.and_then(|task| bench.schedule(task).ok()) {
                ids.push(id);
            }
            bench.check();
        }
        runs
    }

    proptest! {
        #[test]
        fn whatever_is_done_the_table_is_sound(
            places in 1usize..7, records in 0usize..7, acts in acts(),
        ) {
            let mut bench = Bench::new(places, records.min(places));
            act_out(&mut bench, &acts);
            // Nothing is left behind when all is over.
            while bench.go_on().is_some() {}
            bench.table().stop();
            bench.check();
            prop_assert_eq!((bench.head.live, bench.table().has_ready()), (0, false));
            prop_assert!(bench.slots.get(timeline::first(&bench.slots)).is_none());
        }

        #[test]
        fn nobody_notices_that_the_numbers_begin_anew(
            places in 1usize..7, before in 0u32..40, acts in acts(),
        ) {
            let mut fresh = Bench::new(places, places);
            let mut old = Bench::new(places, places);
            old.head.sequence = u32::MAX / 2 - before;
            prop_assert_eq!(act_out(&mut old, &acts), act_out(&mut fresh, &acts));
        }
    }

    #[test]
    fn the_numbers_begin_anew_in_the_order_of_arming() {
        let mut bench = Bench::new(40, 0);
        bench.head.sequence = u32::MAX / 2 - 20;
        let second = Duration::from_secs(1);
        // Places and numbers in opposite orders.
        let old: Vec<_> = (0..20).map(|_| bench.schedule(Task::at(second, job)).unwrap()).collect();
        for &id in old.iter().rev() {
            bench.table().cancel(id).unwrap();
        }
        let ids: Vec<_> = (0..40).map(|_| bench.schedule(Task::at(second, job)).unwrap()).collect();
        assert!(bench.head.sequence > u32::MAX / 2);
        bench.now = Instant::from_ticks(999_999);
        assert_eq!(bench.pass(), []);
        assert_eq!(bench.head.sequence, 40);
        bench.check();
        bench.now = Instant::from_ticks(1_000_000);
        assert_eq!(bench.pass(), ids);
    }

    #[test]
    fn a_pass_that_arms_beyond_the_limit_ends_where_it_should() {
        let mut bench = Bench::new(4, 0);
        bench.head.sequence = u32::MAX / 2 - 1;
        let first = bench.schedule(Task::now(job)).unwrap();
        assert_eq!(bench.go_on(), Some(first));
        assert_eq!(bench.head.sequence, u32::MAX / 2, "not yet");
        for _ in 0..10_000 {
            let id = bench.schedule(Task::now(job)).unwrap();
            bench.table().cancel(id).unwrap();
        }
        let a = bench.schedule(Task::now(job).priority(Priority::High)).unwrap();
        let b = bench.schedule(Task::now(job)).unwrap();
        bench.check();
        assert_eq!(bench.go_on(), None);
        let c = bench.schedule(Task::now(job).priority(Priority::High)).unwrap();
        assert_eq!(bench.pass(), [a, c, b]);
        assert!(bench.head.sequence < 10);
        bench.check();
    }

    #[test]
    fn after_two_billion_armings_in_one_pass_nothing_stands_still() {
        let mut bench = Bench::new(6, 0);
        let first = bench.schedule(Task::now(job)).unwrap();
        assert_eq!(bench.go_on(), Some(first));
        bench.head.sequence = u32::MAX - 1;
        let normal: Vec<_> = (0..3).map(|_| bench.schedule(Task::now(job)).unwrap()).collect();
        let high = bench.schedule(Task::now(job).priority(Priority::High)).unwrap();
        let timed = bench.schedule(Task::at(Duration::from_secs(1), job)).unwrap();
        assert_eq!(bench.go_on(), None, "all of it is for the next pass");
        assert_eq!(bench.pass(), [&[high], &normal[..]].concat());
        bench.now = Instant::from_ticks(1_000_000);
        let late = bench.schedule(Task::now(job)).unwrap();
        assert_eq!(bench.pass(), [timed, late]);
        bench.check();
    }

    #[test]
    fn listeners_of_a_called_event_keep_their_turn_when_the_numbers_begin_anew() {
        let mut bench = Bench::new(4, 0);
        bench.head.sequence = u32::MAX / 2 - 1;
        let listens = || Task::on(Signal::One, job).again();
        let ids = [listens(), listens(), listens()].map(|task| bench.schedule(task).unwrap());
        assert_eq!(bench.table().trigger(Signal::One.index(), None, Instant::from_ticks(0)), 3);
        assert_eq!(bench.go_on(), Some(ids[0]));
        assert!(bench.head.sequence < 10);
        // Its job has the others queued.
        bench.schedule(Task::now(job)).unwrap();
        bench.check();
        assert_eq!(
            [bench.go_on(), bench.go_on(), bench.go_on()],
            [Some(ids[1]), Some(ids[2]), None]
        );
    }

    #[test]
    fn counts_of_faults_stay_at_their_largest() {
        let mut bench = Bench::new(1, 0);
        let id = bench.schedule(Task::repeat(Duration::from_secs(1), job)).unwrap();
        bench.go_on();
        bench.head.faults = u32::MAX - 1;
        bench.slots[0].faults = u16::MAX - 1;
        for _ in 0..3 {
            bench.table().count_fault(id.index());
        }
        assert_eq!((bench.head.faults, bench.slots[0].faults), (u32::MAX, u16::MAX));
    }
}
