//! A pass: what is ready when it begins is run, each to its end, and nothing else.
//!
//! Usually the order of the timeline is the order of the pass, or only the listeners of one event are
//! ready: then they run where they are. Otherwise everything that is due first moves from the
//! timeline into the ready queues, one for each priority, each in the order of deadline and arming. A
//! number drawn when the pass begins separates what belongs to it from what its jobs arm: that is for
//! the next one.

use crate::{
    event::Event,
    inbox::{self, Mailbox},
    list::{Chain, Link, Linked},
    log, repeat,
    table::{Head, Place, Plan, QUEUE, Slot, Step, Table, Unserved, Unusual, WAITING},
    task::{Missed, Options, TaskId},
    time::{Clock, Instant, later},
    timeline::{self, Node},
    waiting::Called,
    work::{App, Job},
};

/// Where the runs of a pass come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Batch {
    /// The timeline, from the front: everything has the same priority and nothing is queued.
    InOrder,
    /// The ready queues.
    Queued,
}

/// A run that is being made: everything the job may ask about it.
#[repr(C)]
pub(crate) struct Run<A: App> {
    pub(crate) scheduled_at: Instant,
    pub(crate) job: Job<A>,
    pub(crate) params: A::Params,
    pub(crate) unserved: Unserved,
    pub(crate) generation: u16,
    pub(crate) event: u8,
    /// Which of the ready states led to it.
    pub(crate) cause: Step,
    pub(crate) index: usize,
}

/// What is remembered of the beginning of a run until its end: apart from the [`Run`], which the job
/// has a reference to, so that the compiler sees that it stays as it is.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) index: usize,
    /// What its next deadline counts from: its deadline, or its beginning.
    pub(crate) counts_from: Instant,
}

impl<A: App> Run<A> {
    pub(crate) fn id(&self) -> TaskId {
        TaskId::new(self.generation, self.index)
    }
}

impl<A: App> Table<'_, A> {
    /// Takes what interrupts have left: events with params first, then the flags. Whether the pass
    /// goes on.
    #[inline(always)]
    pub(crate) fn read_mail(&mut self, now: Instant) -> bool {
        let Some(mail) = self.head.mail.filter(Mailbox::has_arrived) else { return true };
        mail.begin();
        if mail.has_queued() {
            self.take_queued_mail(mail, now);
        }
        for (number, flag) in mail.flags().iter().enumerate() {
            if inbox::take(flag) && A::Event::from_index(number).is_some() {
                self.trigger_between_passes(number, now);
            }
        }
        let asked = mail.asks_to_stop();
        if asked {
            self.stop();
        }
        !asked
    }

    /// The events with params, as many as there are now.
    #[inline(never)]
    fn take_queued_mail(&mut self, mail: Mailbox<A::Event, A::Params>, now: Instant) {
        for _ in 0..mail.waiting() {
            let Some((number, params)) = mail.take() else { break };
            if A::Event::from_index(number.into()).is_some() {
                self.trigger(number.into(), Some(&params), now);
            }
        }
    }

    /// Draws the line for a pass through the listeners of a called event; false when there is none,
    /// or when more is ready than they.
    #[inline(always)]
    pub(crate) fn open_called(&mut self, now: Instant) -> bool {
        let sequence = self.head.sequence;
        if !self.head.unusual.includes(Unusual::CALLED) || sequence > u32::MAX / 2 {
            return false;
        }
        let first = self.slots.get(timeline::first(self.slots));
        if first.is_some_and(|slot| slot.node.deadline <= now) {
            return false;
        }
        self.head.limit = sequence;
        self.head.unusual.set(Unusual::CALLING, true);
        true
    }

    /// Whether interrupts have left something.
    #[inline(always)]
    pub(crate) fn has_mail(&self) -> bool {
        Self::HAS_EVENTS && self.head.mail.is_some_and(|mail| mail.has_arrived())
    }

    /// Draws the line: what has a number below the limit belongs to the pass. Whether the order of
    /// the timeline is the order of the pass, as usual; if not, nothing has begun.
    #[inline(always)]
    pub(crate) fn open_pass(&mut self) -> bool {
        self.head.limit = self.head.sequence;
        !self.head.unusual.includes(Unusual::ANY_ORDER) && self.head.sequence <= u32::MAX / 2
    }

    /// The queues are needed when something is in them already, or when priorities, timeouts or
    /// delays have a say.
    #[inline(never)]
    pub(crate) fn open_queues(&mut self, now: Instant) -> Batch {
        self.head.limit = self.head.sequence;
        self.queue_called();
        if self.head.sequence > u32::MAX / 2 {
            self.renumber();
            self.head.limit = self.head.sequence;
        }
        self.head.unusual.set(Unusual::RANKED, self.head.ranked > 0);
        if self.head.ranked == 0 && !self.has_ready() {
            return Batch::InOrder;
        }
        self.queue_due(now);
        Batch::Queued
    }

    /// The next run of a pass, in the order of the timeline or through the ready queues.
    ///
    /// A task that comes from the timeline stays there for its run: nothing comes to stand before
    /// it, as what a job arms is due later or goes to a queue.
    #[inline(always)]
    pub(crate) fn begin_next(
        &mut self,
        batch: Batch,
        clock: &impl Clock,
        now: Instant,
    ) -> Option<(Run<A>, Begun)> {
        let (index, slot) = if batch == Batch::InOrder {
            let index = timeline::first(self.slots);
            let slot = self.slots.get_mut(index)?;
            if slot.node.deadline > now || slot.node.sequence >= self.head.limit {
                return None;
            }
            slot.step = Step::Due;
            (index, slot)
        } else {
            let index = self.reborrow().take_queued();
            let slot = self.slots.get_mut(index)?;
            (index, slot)
        };
        let from = Self::counts_from(self.head, slot, clock);
        Self::begin(self.head, slot, index, from)
    }

    /// The next run of a pass through the listeners of a called event; none when they have all
    /// run, or when a job had the others queued.
    #[inline(always)]
    pub(crate) fn begin_called(&mut self) -> Option<(Run<A>, Begun)> {
        let Called { next, at, .. } = self.head.called;
        let slot = self.slots.get_mut(next.index())?;
        self.head.called.next = Linked::<WAITING>::links(slot).next();
        slot.node.deadline = at;
        slot.step = Step::Called;
        Self::begin(self.head, slot, next.index(), at)
    }

    /// All listeners of the event have run, or have been queued by a job.
    pub(crate) fn end_called(&mut self) {
        self.head.unusual.set(Unusual::CALLED, false);
        self.head.unusual.set(Unusual::CALLING, false);
    }

    /// Takes the next one of the pass out of the ready queues; an index that no slot has when there
    /// is none.
    #[inline(never)]
    fn take_queued(&mut self) -> usize {
        for queue in self.head.ready.iter_mut().rev() {
            let index = queue.first().index();
            match self.slots.get(index) {
                Some(slot) if slot.node.sequence < self.head.limit => {
                    queue.pop::<QUEUE, _>(self.slots);
                    return index;
                }
                _ => {}
            }
        }
        usize::MAX
    }

    /// What the deadline after this run counts from: its own, or the beginning of the run.
    #[inline(always)]
    fn counts_from(head: &Head<A>, slot: &Slot<A>, clock: &impl Clock) -> Instant {
        match slot.plan {
            Plan::Every(Missed::Delay) => head.read_again(clock),
            _ => slot.node.deadline,
        }
    }

    /// Step 7: a run begins.
    #[inline(always)]
    fn begin(
        head: &mut Head<A>,
        slot: &mut Slot<A>,
        index: usize,
        counts_from: Instant,
    ) -> Option<(Run<A>, Begun)> {
        let (job, params) = slot.work.as_ref()?;
        let run = Run {
            job: *job,
            params: params.clone(),
            scheduled_at: slot.node.deadline,
            index,
            generation: slot.generation,
            unserved: core::mem::replace(&mut slot.unserved, Unserved::NONE),
            cause: slot.step,
            event: slot.event,
        };
        slot.step = Step::Running;
        head.running = Link::to(index);
        Some((run, Begun { index, counts_from }))
    }

    /// Steps 2, 4 and 5: the task's deadline has come, be it of its plan, delay or timeout.
    #[inline]
    fn fall_due(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.place.disarm();
        if slot.step == Step::Timed || !Self::HAS_EVENTS {
            slot.step = Step::Due;
        } else {
            self.head.ranked = self.head.ranked.wrapping_sub(1);
            let stays = slot.plan == Plan::Again(slot.event);
            slot.step = if slot.step == Step::Delayed { Step::Called } else { Step::TimedOut };
            if slot.place.is_listed() && !stays {
                self.leave(index);
            }
        }
    }

    /// Moves what is due from the timeline into the ready queues.
    #[inline(never)]
    fn queue_due(&mut self, now: Instant) {
        // What is in a queue already and what comes out of the timeline are both in order: merge
        // them, with a finger on the last one put into each queue.
        let mut fingers = [Link::NONE; 3];
        loop {
            let index = timeline::first(self.slots);
            match self.slots.get(index) {
                Some(slot) if slot.node.deadline <= now => {}
                _ => return,
            }
            timeline::disarm(self.slots, index);
            self.fall_due(index);
            self.queue_in_order(index, &mut fingers);
        }
    }

    /// Puts a ready task into its queue, where its deadline and number say, but behind what belongs
    /// to this pass if it does not. It is looked for from the finger on, which then points at it.
    #[inline(never)]
    fn queue_in_order(&mut self, index: usize, fingers: &mut [Link; 3]) {
        self.head.unusual.set(Unusual::QUEUED, true);
        let Some(slot) = self.slots.get(index) else { return };
        let (node, rank) = (slot.node, slot.priority as usize);
        let (Some(queue), Some(finger)) = (self.head.ready.get_mut(rank), fingers.get_mut(rank))
        else {
            return;
        };
        let limit = self.head.limit;
        let comes_later = node.sequence >= limit;
        let mut next = Chain::after::<QUEUE, _>(queue, self.slots, *finger);
        while let Some(slot) = self.slots.get(next.index()) {
            let is_of_the_pass = slot.node.sequence < limit;
            if node.before(&slot.node) && !(is_of_the_pass && comes_later) {
                break;
            }
            *finger = next;
            next = Linked::<QUEUE>::links(slot).next();
        }
        Chain::insert_after::<QUEUE, _>(queue, self.slots, *finger, index);
        *finger = Link::to(index);
    }

    /// Counts a fault of the running task: its name and how many it has had.
    pub(crate) fn count_fault(&mut self, index: usize) -> (Option<&'static str>, u16) {
        self.head.faults = self.head.faults.saturating_add(1);
        let Some(slot) = self.slots.get_mut(index) else { return (None, 0) };
        slot.faults = slot.faults.saturating_add(1);
        let (count, options) = (slot.faults, slot.options);
        (self.options_at(options).and_then(|options| options.name), count)
    }

    /// Step 8 for a task from the timeline: mostly it goes back there, and in time. What the first
    /// deadline is then.
    #[inline(always)]
    pub(crate) fn finish_first(
        &mut self,
        run: &Run<A>,
        begun: Begun,
        clock: &impl Clock,
    ) -> Option<Instant> {
        let slot = self.slots.get_mut(begun.index)?;
        if slot.step == Step::Running {
            let next = later(begun.counts_from, slot.period);
            // Later than now, so the period is not zero.
            if next > self.head.read(clock) {
                self.head.running = Link::NONE;
                slot.step = Step::Timed;
                slot.node.deadline = next;
                slot.node.sequence = self.head.next_sequence();
                return Some(timeline::postpone(self.slots, begun.index, next));
            }
        }
        self.reborrow().finish(run, begun, clock);
        None
    }

    /// Step 8 for a listener that ran in its chain: mostly it goes on listening.
    #[inline(always)]
    pub(crate) fn finish_called(&mut self, run: &Run<A>, begun: Begun, clock: &impl Clock) {
        match self.slots.get_mut(begun.index) {
            Some(slot) if slot.step == Step::Running && slot.place == Place::PLAIN_LISTENER => {
                self.head.running = Link::NONE;
                slot.step = Step::Listening;
            }
            _ => self.reborrow().finish(run, begun, clock),
        }
    }

    /// Step 8: the job has returned. The task goes on as planned, unless it was armed meanwhile.
    #[inline(never)]
    pub(crate) fn finish(&mut self, run: &Run<A>, begun: Begun, clock: &impl Clock) {
        self.head.running = Link::NONE;
        let index = begun.index;
        let Some(slot) = self.slots.get_mut(index) else { return };
        if slot.step != Step::Running {
            if slot.step == Step::Free {
                // It was cancelled in its run.
                self.release(index);
            }
            return;
        }
        match slot.plan {
            Plan::Every(missed) if !slot.period.is_zero() => {
                let now = self.head.read(clock);
                let deadline = self.next_deadline(run, begun.counts_from, missed, now);
                if deadline < now {
                    self.queue_late(index, deadline);
                } else {
                    self.arm(index, Step::Timed, deadline);
                }
            }
            Plan::Again(event) if Self::HAS_EVENTS => {
                let now = self.head.read(clock);
                self.listen_again(index, event, now);
            }
            Plan::Every(_) | Plan::On(_) | Plan::Again(_) => {
                slot.generation = slot.generation.wrapping_add(1);
                self.head.live = self.head.live.wrapping_sub(1);
                self.withdraw_unqueued(index);
                self.release(index);
            }
        }
    }

    /// When a repeating task runs next, which may be late, count from the start of its run, or have
    /// waited for an event.
    #[inline(never)]
    fn next_deadline(
        &mut self,
        run: &Run<A>,
        counts_from: Instant,
        missed: Missed,
        now: Instant,
    ) -> Instant {
        if run.cause != Step::Due && Self::HAS_EVENTS {
            return self.after_waiting(run, counts_from, missed, now);
        }
        let Some(slot) = self.slots.get_mut(run.index) else { return now };
        let next = repeat::after_run(run.scheduled_at, slot.period, missed, counts_from, now);
        let skipped = u16::try_from(next.skipped).unwrap_or(u16::MAX);
        slot.unserved.missed = slot.unserved.missed.saturating_add(skipped);
        log::missed(self.view(), run.id(), next.skipped);
        next.deadline
    }

    /// A listener for life goes back to its event, with its timeout if it has one.
    fn listen_again(&mut self, index: usize, event: u8, now: Instant) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.step = Step::Listening;
        let listed = slot.place.is_listed();
        let timeout = self.options.get(slot.options.index()).and_then(Options::timeout);
        if slot.place.is_armed() {
            slot.place.disarm();
            timeline::disarm(self.slots, index);
        }
        if !listed {
            self.listen(index, event, timeout, now);
        } else if let Some(timeout) = timeout {
            self.arm(index, Step::Listening, later(now, timeout));
        }
    }

    /// Arms a task for a deadline that has passed already, in the next pass: it is ready, and stands
    /// in its queue where its deadline says, but behind what belongs to this pass.
    #[cold]
    fn queue_late(&mut self, index: usize, deadline: Instant) {
        self.queue_called();
        self.withdraw_unqueued(index);
        let sequence = self.head.next_sequence();
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.step = Step::Due;
        slot.node.deadline = deadline;
        slot.node.sequence = sequence;
        self.queue_in_order(index, &mut [Link::NONE; 3]);
    }

    /// Where a repeating task goes on after it has waited for an event: in its old phase, later
    /// than the event and not in the past. What passed while it waited was not missed.
    fn after_waiting(
        &mut self,
        run: &Run<A>,
        counts_from: Instant,
        missed: Missed,
        now: Instant,
    ) -> Instant {
        let Some(slot) = self.slots.get(run.index) else { return now };
        let (period, options) = (slot.period, slot.options);
        let mut phase = run.scheduled_at;
        if let Some(record) = self.options_at(options) {
            if core::mem::take(&mut record.has_phase) {
                phase = record.phase;
            }
        }
        if missed == Missed::Delay {
            return later(counts_from, period);
        }
        let past = Instant::from_ticks(now.as_ticks().saturating_sub(1));
        repeat::in_phase_after(phase, period, run.scheduled_at.max(past))
    }

    /// Gives what is armed the smallest numbers that keep its order. Every two billion armings.
    ///
    /// Cost: O(tasks²).
    #[cold]
    fn renumber(&mut self) {
        let mut next = 0;
        let mut floor = 0;
        loop {
            let mut lowest = None;
            for node in self.slots.iter_mut().filter(|slot| slot.is_pending()).map(|s| &mut s.node)
            {
                let above =
                    lowest.as_ref().is_none_or(|low: &&mut Node| node.sequence < low.sequence);
                if node.sequence >= floor && above {
                    lowest = Some(node);
                }
            }
            let Some(node) = lowest else { break };
            floor = node.sequence.saturating_add(1);
            node.sequence = next;
            next += 1;
        }
        self.head.sequence = next;
    }

    pub(crate) fn has_ready(&mut self) -> bool {
        if self.head.unusual.includes(Unusual::CALLED) {
            return true;
        }
        if !self.head.unusual.includes(Unusual::QUEUED) {
            return false;
        }
        let [low, normal, high] = &self.head.ready;
        let has_ready = !(low.is_empty() & normal.is_empty() & high.is_empty());
        self.head.unusual.set(Unusual::QUEUED, has_ready);
        has_ready
    }

    /// Whether a job has called `stop` in its run, or an interrupt has since it was last asked.
    #[inline]
    pub(crate) fn take_stopped(&mut self) -> bool {
        let stopped = self.head.unusual.includes(Unusual::STOPPED);
        self.head.unusual.set(Unusual::STOPPED, false);
        stopped
    }

    /// What `stop` in an interrupt asks for is done between two runs.
    #[inline]
    pub(crate) fn obey_interrupt(&mut self) -> bool {
        let asked = self.interrupt_asks();
        if asked {
            self.reborrow().stop();
        }
        asked
    }

    /// Whether an interrupt has called `stop`.
    #[inline]
    pub(crate) fn interrupt_asks(&self) -> bool {
        Self::HAS_EVENTS && self.head.mail.is_some_and(|mail| mail.asks_to_stop())
    }
}
