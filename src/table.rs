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
mod tests;
