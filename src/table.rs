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
    task::{Missed, NoSuchTask, Options, Priority, ScheduleError, SetRepeatError, TaskId, When},
    time::{Clock, Duration, Instant},
    timeline::{self, Node, Timed},
    view::View,
    work::{App, Job},
};

/// The links that make up the ready queues and the free list: a slot is in one of them or none.
pub(crate) const QUEUE: usize = 0;
/// The links that make up the chains of listeners.
pub(crate) const WAITING: usize = 1;

/// A place for one task.
pub(crate) struct Slot<A: App> {
    pub(crate) node: Node,
    pub(crate) queue: Links,
    pub(crate) waiting: Links,
    pub(crate) period: Duration,
    /// What to run, and with what; `None` while the slot is free.
    pub(crate) work: Option<(Job<A>, A::Params)>,
    pub(crate) generation: u16,
    pub(crate) options: Link,
    pub(crate) faults: u16,
    pub(crate) unserved: Unserved,
    pub(crate) step: Step,
    pub(crate) plan: Plan,
    pub(crate) priority: Priority,
    /// The number of the event it listens to, or that made it ready.
    pub(crate) event: u8,
    /// Whether it is in the chain of that event.
    pub(crate) listed: bool,
}

/// What has come to a task since its last run and gets no run of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unserved {
    pub(crate) missed: u16,
    pub(crate) merged: u16,
}

impl Unserved {
    pub(crate) const NONE: Self = Self { missed: 0, merged: 0 };
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
        unserved: Unserved::NONE,
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
    /// How many live tasks have another priority than the normal one.
    pub(crate) ranked: u16,
    /// Who runs. When it is cancelled its slot is free at once for everybody who looks, but it is
    /// handed out again only after the run.
    pub(crate) running: Link,
    pub(crate) stopped: bool,
    /// The number that the next arming gets.
    pub(crate) sequence: u32,
    /// The number at which the pass began.
    pub(crate) limit: u32,
    pub(crate) faults: u32,
    /// The latest time that the clock has shown.
    pub(crate) seen: Cell<Instant>,
    pub(crate) listeners: ListenersOf<A::Event>,
    pub(crate) mail: Option<&'static dyn Mail<A::Event, A::Params>>,
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
            stopped: false,
            sequence: 0,
            limit: 0,
            faults: 0,
            seen: Cell::new(Instant::from_ticks(0)),
            listeners: <<A::Event as Event>::Count as event::sealed::PerEvent>::NO_LISTENERS,
            mail: None,
        }
    }

    /// The time; a clock that steps back is read as standing still.
    #[inline]
    pub(crate) fn read<C: Clock + ?Sized>(&self, clock: &C) -> Instant {
        let now = clock.now().max(self.seen.get());
        self.seen.set(now);
        now
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

/// The whole table, borrowed.
pub(crate) struct Table<'a, A: App> {
    pub(crate) head: &'a mut Head<A>,
    pub(crate) slots: &'a mut [Slot<A>],
    pub(crate) options: &'a mut [Options],
}

impl<A: App> Table<'_, A> {
    pub(crate) fn reborrow(&mut self) -> Table<'_, A> {
        Table { head: self.head, slots: self.slots, options: self.options }
    }

    pub(crate) fn slot(&self, index: u16) -> Option<&Slot<A>> {
        self.slots.get(usize::from(index))
    }

    pub(crate) fn slot_mut(&mut self, index: u16) -> Option<&mut Slot<A>> {
        self.slots.get_mut(usize::from(index))
    }

    pub(crate) fn options_at(&mut self, link: Link) -> Option<&mut Options> {
        self.options.get_mut(link.place())
    }

    pub(crate) fn view(&self) -> View<'_, A> {
        View { head: self.head, slots: self.slots, options: self.options }
    }

    pub(crate) fn next_sequence(&mut self) -> u32 {
        let sequence = self.head.sequence;
        self.head.sequence = sequence.wrapping_add(1);
        sequence
    }
}

/// Scheduling and ending.
impl<A: App> Table<'_, A> {
    /// Step 1: gives a task a slot.
    #[inline]
    pub(crate) fn settle(
        &mut self,
        order: Order<'_, A>,
        now: Instant,
    ) -> Result<TaskId, ScheduleError> {
        if matches!(order.when, When::Every(period) if period.is_zero()) {
            return Err(ScheduleError::ZeroPeriod);
        }
        let fresh = usize::from(self.head.used) < self.slots.len();
        let index = if fresh { self.head.used } else { self.head.freed.first().index() };
        if usize::from(index) >= self.slots.len() {
            return Err(ScheduleError::TableFull);
        }
        let mut options = Link::NONE;
        if let Some(wanted) = order.options {
            if wanted.has_tag && self.view().find(wanted.tag).is_some() {
                return Err(ScheduleError::TagTaken);
            }
            options = self.take_options(wanted).ok_or(ScheduleError::OptionsFull)?;
        }
        if fresh {
            self.head.used = index.wrapping_add(1);
        } else {
            Chain::pop::<QUEUE, _>(&mut self.head.freed, self.slots);
        }
        self.head.live = self.head.live.wrapping_add(1);
        if order.priority != Priority::Normal {
            self.head.ranked = self.head.ranked.wrapping_add(1);
        }
        let Some(slot) = self.slots.get_mut(usize::from(index)) else {
            return Err(ScheduleError::TableFull);
        };
        slot.work = Some((order.job, order.params));
        slot.plan = order.plan;
        slot.priority = order.priority;
        slot.options = options;
        slot.faults = 0;
        slot.unserved = Unserved::NONE;
        slot.listed = false;
        let id = TaskId::new(slot.generation, index);
        match order.when {
            When::At(delay) => self.arm_or_ready(index, delay, now),
            When::Every(period) => {
                slot.period = period;
                self.arm_or_ready(index, order.first_at, now);
            }
            When::On(event) => {
                let timeout = order.options.and_then(Options::timeout);
                self.listen(index, number(event), timeout, now);
            }
        }
        Ok(id)
    }

    pub(crate) fn take_options(&mut self, options: &Options) -> Option<Link> {
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
        *record = *options;
        Some(link)
    }

    /// Step 10: gives the slot back.
    pub(crate) fn release(&mut self, index: u16) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        slot.work = None;
        slot.step = Step::Free;
        if slot.priority != Priority::Normal {
            self.head.ranked = self.head.ranked.wrapping_sub(1);
        }
        if !slot.options.is_none() {
            let options = core::mem::replace(&mut slot.options, Link::NONE);
            if let Some(record) = self.options.get_mut(options.place()) {
                record.next = self.head.options_freed;
                self.head.options_freed = options;
            }
        }
        Chain::push::<QUEUE, _>(&mut self.head.freed, self.slots, index);
    }

    /// Takes a task out of whatever it waits in.
    pub(crate) fn withdraw(&mut self, index: u16) {
        let Some(slot) = self.slots.get(usize::from(index)) else { return };
        let listed = slot.listed;
        if slot.node.is_armed() {
            timeline::disarm(self.slots, index);
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

    pub(crate) fn end(&mut self, index: u16) {
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
    pub(crate) fn stop(&mut self) {
        for index in 0..self.head.used {
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
        self.head.stopped = !self.head.running.is_none();
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
    pub(crate) const fn event(self) -> Option<u8> {
        match self {
            Self::On(event) | Self::Again(event) => Some(event),
            Self::Once | Self::Every(_) => None,
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
