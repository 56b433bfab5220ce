//! A pass: what is ready when it begins is run, each to its end, and nothing else.
//!
//! First everything that is due moves from the timeline into the ready queues, one for each
//! priority, each in the order of deadline and arming. A number drawn at that moment separates
//! what belongs to this pass from what its jobs arm: that queues up behind, for the next one.

use crate::{
    event::Event,
    list::{Chain, Link, Linked},
    repeat,
    table::{Plan, QUEUE, Step, Table},
    task::{Missed, Options, Priority, TaskId},
    time::{Instant, later},
    work::{App, Job},
};

/// What a pass has to do, as [`Table::gather`] finds it.
pub(crate) enum Batch {
    Nothing,
    /// One task is due and nothing else is ready: it can be run where it is, in the timeline.
    Alone(u16),
    /// What is in the ready queues and has a sequence number below this.
    Queued(u32),
}

/// A run that is being made: everything the job may ask about it.
pub(crate) struct Run<A: App> {
    pub(crate) job: Job<A>,
    pub(crate) params: A::Params,
    pub(crate) scheduled_at: Instant,
    pub(crate) index: u16,
    pub(crate) generation: u16,
    pub(crate) missed: u16,
    pub(crate) merged: u16,
    /// Which of the ready states led to it.
    pub(crate) cause: Step,
    pub(crate) event: u8,
}

impl<A: App> Run<A> {
    pub(crate) fn id(&self) -> TaskId {
        TaskId::new(self.generation, self.index)
    }
}

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

    /// What is ready now. Everything it names has been armed before this call, so what the jobs of
    /// the pass arm is not among it.
    #[inline]
    pub(crate) fn gather(&mut self, now: Instant) -> Batch {
        if self.head.sequence > u32::MAX / 2 {
            self.renumber();
        }
        let queued = self.has_ready();
        match self.head.timeline.first(self.slots) {
            Some((index, deadline)) if deadline <= now => {
                let timed = self.slot(index).is_some_and(|slot| slot.step == Step::Timed);
                if timed && !queued && !self.head.timeline.has_second(self.slots, now) {
                    return Batch::Alone(index);
                }
                self.queue_due(now);
            }
            _ if queued => {}
            _ => return Batch::Nothing,
        }
        Batch::Queued(self.head.sequence)
    }

    /// Steps 2, 4 and 5: moves what is due from the timeline into the ready queues.
    fn queue_due(&mut self, now: Instant) {
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
    }

    /// The next of this pass in the queue of a priority; it is in no queue then.
    #[inline]
    pub(crate) fn take_ready(&mut self, priority: Priority, limit: u32) -> Option<u16> {
        let queue = self.head.ready.get_mut(priority as usize)?;
        let first = queue.first();
        if self.slots.get(first.place())?.node.sequence >= limit {
            return None;
        }
        Chain::pop::<QUEUE, _>(queue, self.slots);
        Some(first.index())
    }

    /// Step 7: a run begins. A task that is alone is still in the timeline, at its old deadline.
    #[inline]
    pub(crate) fn begin(&mut self, index: u16) -> Option<Run<A>> {
        let slot = self.slots.get_mut(usize::from(index))?;
        let (job, params) = slot.work.as_ref()?;
        let run = Run {
            job: *job,
            params: params.clone(),
            scheduled_at: slot.node.deadline,
            index,
            generation: slot.generation,
            missed: core::mem::take(&mut slot.missed),
            merged: core::mem::take(&mut slot.merged),
            cause: slot.step,
            event: slot.event,
        };
        slot.step = Step::Running;
        self.head.running = Link::to(index);
        Some(run)
    }

    /// Counts a fault of the running task: its name and how many it has had.
    pub(crate) fn count_fault(&mut self, index: u16) -> (Option<&'static str>, u16) {
        self.head.faults = self.head.faults.saturating_add(1);
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return (None, 0) };
        slot.faults = slot.faults.saturating_add(1);
        let (count, options) = (slot.faults, slot.options);
        (self.options_at(options).and_then(|options| options.name), count)
    }

    /// Step 8: the job has returned; the task goes on as planned, unless it has been armed already.
    pub(crate) fn finish(&mut self, run: &Run<A>, started: Instant, now: Instant) {
        let index = run.index;
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
                if slot.node.is_armed() {
                    self.head.timeline.disarm(self.slots, index);
                }
                self.release(index);
            }
            Plan::Every(missed) => {
                let period = slot.period;
                let deadline = if run.cause == Step::Called || run.cause == Step::TimedOut {
                    self.phase_after_waiting(index, run.scheduled_at, started, now)
                } else {
                    let next = repeat::after_run(run.scheduled_at, period, missed, started, now);
                    if next.skipped > 0 {
                        let skipped = u16::try_from(next.skipped).unwrap_or(u16::MAX);
                        slot.missed = slot.missed.saturating_add(skipped);
                    }
                    next.deadline
                };
                self.arm(index, Step::Timed, deadline);
            }
            Plan::Again(event) => {
                let options = self.options.get(slot.options.place());
                let timeout = options.and_then(Options::timeout);
                if !slot.listed {
                    return self.listen(index, event, timeout, now);
                }
                slot.step = Step::Listening;
                if let Some(timeout) = timeout {
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

    pub(crate) fn has_ready(&self) -> bool {
        self.head.ready.iter().any(|queue| !queue.is_empty())
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.head.stopped
    }

    pub(crate) fn take_stopped(&mut self) -> bool {
        core::mem::take(&mut self.head.stopped)
    }
}
