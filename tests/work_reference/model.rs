//! A model of the reference, in which each decision of the design can be switched on by itself.
//!
//! With none in force it does what the reference does, its mistakes included; that it reproduces
//! every log is tested. With all of them it does what the design says. In between it shows which
//! decision a difference comes from. Nothing in it is clever: lists are searched from end to end.

use std::collections::BTreeMap;

use crate::{
    decision::{Decision::*, Rules},
    scenario::{Op, Scenario},
    world::{Ending, Order, Params, Refusal, Scheduler, When, World},
};

/// How long the reference sleeps at most.
const NAP: u64 = 100;
/// How often the reference forgets cancelled tasks.
const CLEANUP: u64 = 10_000;
/// How often it takes them out of the queue.
const COMPACTION: u64 = 60_000;
/// How many numbers the reference tries for a new task.
const NUMBERS_TRIED: usize = 100;

/// A task's place in `Model::tasks`, where all that ever were stay.
type Index = usize;

struct Task {
    id: i64,
    job: String,
    params: Params,
    delay: u64,
    /// A period in ms, or whether a listener stays.
    repeat: i64,
    /// The event that it was made for.
    made_for: Option<String>,
    /// The event that it waits for, as the reference has it.
    flag: Option<String>,
    /// The event that its next run has to wait for, as the design has it.
    awaited: Option<String>,
    triggered: bool,
    next_run: u64,
    /// Its place among those that are due at the same time.
    turn: u64,
    cancelled: bool,
}

pub(crate) struct Model {
    rules: Rules,
    now: u64,
    tasks: Vec<Task>,
    table: BTreeMap<i64, Index>,
    /// Who is queued; in the reference a task may be so twice.
    queue: Vec<Index>,
    listeners: BTreeMap<String, Vec<Index>>,
    capacity: usize,
    last_number: i64,
    last_turn: u64,
    running: Option<Index>,
    /// The running task was cancelled and keeps its slot until it returns.
    holds_its_slot: bool,
    current: Option<Index>,
    goes_on: bool,
    limit: u64,
    over: Option<Ending>,
    has_inbox: bool,
    cleaned_at: u64,
    compacted_at: u64,
}

/// The log of a scenario under these rules.
pub(crate) fn log(scenario: &Scenario, rules: Rules) -> Vec<String> {
    let mut world = World::new(scenario, rules);
    let mut model = Model::new(scenario, rules);
    // What a mistake outside of a task leads to is not of interest.
    let _ = world.execute(&mut model, "setup", &scenario.setup);
    if scenario.starts {
        model.start(&mut world, scenario.ticks_start + scenario.until);
    }
    for op in &scenario.after {
        match start_for(op) {
            Some(time) => {
                let until = model.now + time;
                model.start(&mut world, until);
            }
            None => {
                let _ = world.execute(&mut model, "after", std::slice::from_ref(op));
            }
        }
    }
    world.log
}

/// For how long a `start` among the operations afterwards is let run.
pub(crate) fn start_for(op: &Op) -> Option<u64> {
    let time = op.number("for").map(i64::unsigned_abs);
    (op.name == "start").then(|| time.expect("a start afterwards is limited"))
}

impl Model {
    fn new(scenario: &Scenario, rules: Rules) -> Self {
        Self {
            rules,
            now: scenario.ticks_start,
            tasks: Vec::new(),
            table: BTreeMap::new(),
            queue: Vec::new(),
            listeners: BTreeMap::new(),
            capacity: scenario.capacity,
            last_number: 0,
            last_turn: 0,
            running: None,
            holds_its_slot: false,
            current: None,
            goes_on: false,
            limit: 0,
            over: None,
            has_inbox: !scenario.interrupts.is_empty(),
            cleaned_at: scenario.ticks_start,
            compacted_at: scenario.ticks_start,
        }
    }

    fn start(&mut self, world: &mut World<'_>, until: u64) {
        world.started(self.now, until);
        self.limit = until;
        self.over = None;
        self.run(world);
        world.ended(self.now, self.over.unwrap_or(Ending::Returned), self.live());
    }

    fn live(&self) -> usize {
        self.table.values().filter(|index| !self.tasks[**index].cancelled).count()
    }

    /// The loop. It returns when it is stopped or at its end; if it was cut, `over` is set.
    fn run(&mut self, world: &mut World<'_>) {
        self.goes_on = true;
        while self.goes_on && self.over.is_none() {
            self.clean();
            let nothing = self.table.is_empty() && !self.has_zombies();
            if nothing && self.rules.has(StartEndsWithoutTasks) {
                return;
            }
            let Some(position) = self.first() else {
                let ends = self.rules.has(StartEndsWithOnlyListeners);
                if ends && !self.has_inbox && self.live() > 0 {
                    return;
                }
                self.sleep(world, self.now + NAP);
                continue;
            };
            let index = self.queue[position];
            let task = &self.tasks[index];
            if task.cancelled || (task.flag.is_some() && !task.triggered) {
                self.queue.remove(position);
            } else if task.next_run > self.now {
                let next_run = task.next_run;
                self.sleep(world, next_run.min(self.now + NAP));
            } else {
                self.queue.remove(position);
                self.run_task(world, index);
                // The reference looks when a task has ended, not when none is left.
                if self.table.is_empty() && !self.queue.contains(&index) {
                    return;
                }
            }
        }
    }

    /// Whether something is queued that is in the table no more.
    fn has_zombies(&self) -> bool {
        self.queue.iter().any(|index| !self.is_in_table(*index))
    }

    fn is_in_table(&self, index: Index) -> bool {
        self.table.get(&self.tasks[index].id) == Some(&index)
    }

    /// Where the one that is due first stands in the queue; of equal ones the one queued first.
    fn first(&self) -> Option<usize> {
        (0..self.queue.len()).min_by_key(|position| {
            let task = &self.tasks[self.queue[*position]];
            (task.next_run, task.turn)
        })
    }

    fn enqueue(&mut self, index: Index) {
        self.last_turn += 1;
        self.tasks[index].turn = self.last_turn;
        self.queue.push(index);
    }

    fn sleep(&mut self, world: &mut World<'_>, until: u64) {
        let limit = until.min(self.limit);
        if world.interrupt(self, limit) {
            return;
        }
        if until > self.limit {
            self.now = self.now.max(self.limit);
            self.over = Some(Ending::TimeLimit);
        } else {
            self.now = until;
        }
    }

    fn run_task(&mut self, world: &mut World<'_>, index: Index) {
        let started = self.now;
        if self.rules.has(TriggerDuringRunCounts) {
            self.tasks[index].triggered = false;
        }
        self.running = Some(index);
        self.current = Some(index);
        let (job, id) = (self.tasks[index].job.clone(), self.tasks[index].id);
        let params = self.tasks[index].params.clone();
        if let Err(error) = world.run_job(self, &job, id, &params) {
            world.fault(self.now, id, error);
        }
        self.running = None;
        self.over = self.over.or(world.cut());
        if self.over.is_none() {
            self.after_run(index, started);
        }
        self.holds_its_slot = false;
    }

    fn after_run(&mut self, index: Index, started: u64) {
        let gone = !self.is_in_table(index);
        let (cancels, stops) = (self.rules.has(CancelFreesAtOnce), self.rules.has(StopIsFinal));
        if gone && (stops || (cancels && self.tasks[index].cancelled)) {
            return;
        }
        let called_again = self.rules.has(TriggerDuringRunCounts) && self.queue.contains(&index);
        if self.tasks[index].awaited.is_some() || called_again {
            return;
        }
        let task = &mut self.tasks[index];
        if task.cancelled || task.repeat <= 0 {
            if !gone {
                self.table.remove(&task.id);
            }
            return;
        }
        task.triggered = false;
        task.next_run = started + task.repeat.unsigned_abs();
        let Some(flag) = task.flag.clone() else { return self.enqueue(index) };
        if !self.rules.has(OneEntryPerTask) {
            // The reference queues listeners as well, and drops them when they come to the top.
            self.enqueue(index);
        }
        // A listener that awaited something else listens to its own event again.
        let listeners = self.listeners.entry(flag).or_default();
        if self.rules.has(AwaitIsForOneRun) && !listeners.contains(&index) {
            listeners.push(index);
        }
    }

    fn clean(&mut self) {
        let tasks = &self.tasks;
        if self.now - self.cleaned_at >= CLEANUP {
            self.cleaned_at = self.now;
            self.table.retain(|_, index| !tasks[*index].cancelled);
        }
        if self.now - self.compacted_at >= COMPACTION {
            self.compacted_at = self.now;
            self.queue.retain(|index| !tasks[*index].cancelled);
        }
    }

    /// The task of this number, or the current one.
    fn find(&self, id: Option<i64>) -> Option<Index> {
        let current = match self.running {
            None if self.rules.has(NoTaskOutsideOfJobs) => None,
            _ => self.current.map(|index| self.tasks[index].id),
        };
        self.table.get(&id.or(current)?).copied()
    }

    fn new_number(&mut self) -> Option<i64> {
        for _ in 0..NUMBERS_TRIED {
            self.last_number += 1;
            if !self.table.contains_key(&self.last_number) {
                return Some(self.last_number);
            }
        }
        if self.rules.has(IdsDoNotRunOut) { self.new_number() } else { None }
    }

    /// Out of whatever it waits in.
    fn withdraw(&mut self, index: Index) {
        self.queue.retain(|queued| *queued != index);
        for listeners in self.listeners.values_mut() {
            listeners.retain(|listener| *listener != index);
        }
    }

    /// Whether a listener is reached by a trigger, and what becomes of it.
    fn hear(&mut self, index: Index, flag: &str, params: Option<&Params>) -> bool {
        let is_waiting = self.is_in_table(index) && !self.tasks[index].cancelled;
        if !is_waiting {
            return false;
        }
        if self.tasks[index].triggered {
            return self.rules.has(MergedTriggersCount);
        }
        if self.rules.has(OneEntryPerTask) {
            self.queue.retain(|queued| *queued != index);
        }
        let task = &mut self.tasks[index];
        if let Some(params) = params {
            task.params = params.clone();
        }
        task.triggered = true;
        task.next_run = self.now;
        // To await one's own event is to listen to it, after the same delay.
        let awaited = task.awaited.take();
        let is_own = awaited.is_none() || awaited == task.made_for;
        if is_own && self.rules.has(DelayAfterTheTrigger) {
            task.next_run += task.delay;
        }
        if is_own && task.repeat <= 0 {
            task.flag = None;
        }
        let leaves = !is_own || task.flag.as_deref() != Some(flag);
        if leaves {
            if let Some(listeners) = self.listeners.get_mut(flag) {
                listeners.retain(|listener| *listener != index);
            }
        }
        self.enqueue(index);
        true
    }

    fn reference_status(&self, task: &Task) -> String {
        let text = |value: &Option<String>| serde_json::to_string(value).expect("a string");
        format!(
            r#"{{"id":{},"job":"{}","params":{},"delay":{},"repeat":{},"flag":{},"event_triggered":{},"next_run":{},"cancelled":{}}}"#,
            task.id,
            task.job,
            serde_json::to_string(&task.params).expect("a list"),
            task.delay,
            task.repeat,
            text(&task.flag),
            task.triggered,
            task.next_run,
            task.cancelled
        )
    }

    fn design_status(&self, index: Index) -> String {
        let task = &self.tasks[index];
        let is_pending = self.queue.contains(&index);
        let waits_for = task.awaited.as_ref().or(task.flag.as_ref());
        let state = match waits_for {
            _ if self.running == Some(index) => "running".into(),
            Some(flag) if !is_pending => format!("listening {flag}"),
            _ => "pending".into(),
        };
        let period = (task.made_for.is_none() && task.repeat > 0).then_some(task.repeat);
        let waits = task.awaited.is_some() || state.starts_with("listening");
        let next_run = (!waits).then_some(task.next_run);
        shown_status(task.id, &state, period, next_run)
    }
}

/// A status in the terms of the design, for both sides of the comparison.
pub(crate) fn shown_status(
    id: i64,
    state: &str,
    period: Option<i64>,
    next_run: Option<u64>,
) -> String {
    format!("{id} {state} {period:?} {next_run:?}")
}

impl Scheduler for Model {
    fn now(&self) -> u64 {
        self.now
    }

    fn time_passes(&mut self, to: u64) {
        self.now = self.now.max(to);
    }

    fn schedule(&mut self, order: Order) -> Result<i64, Refusal> {
        if matches!(order.when, When::Every { period: 0, .. }) {
            return Err(Refusal::ZeroPeriod);
        }
        if self.table.len() + usize::from(self.holds_its_slot) >= self.capacity {
            return Err(Refusal::Full);
        }
        let is_free = order.id != 0 && !self.table.contains_key(&order.id);
        let id = if is_free { Some(order.id) } else { self.new_number() };
        let id = id.ok_or(Refusal::NoNumber)?;
        let (delay, repeat, flag) = match order.when {
            When::At { delay } => (delay, 0, None),
            When::Every { period, first_at } => (first_at, period as i64, None),
            When::On { flag, delay, repeat } => (delay, repeat, Some(flag)),
        };
        let index = self.tasks.len();
        let listens_to = flag.clone();
        self.tasks.push(Task {
            id,
            job: order.job,
            params: order.params,
            delay,
            repeat,
            made_for: flag.clone(),
            flag,
            awaited: None,
            triggered: false,
            next_run: self.now + delay,
            turn: 0,
            cancelled: false,
        });
        self.table.insert(id, index);
        match listens_to {
            Some(flag) => self.listeners.entry(flag).or_default().push(index),
            None => self.enqueue(index),
        }
        Ok(id)
    }

    fn trigger(&mut self, flag: &str, params: Option<Params>) -> usize {
        let mut listeners = self.listeners.get(flag).cloned().unwrap_or_default();
        // The reference may have a task in the list more than once.
        let mut seen = Vec::new();
        listeners.retain(|index| {
            !seen.contains(index) && {
                seen.push(*index);
                true
            }
        });
        listeners.into_iter().filter(|index| self.hear(*index, flag, params.as_ref())).count()
    }

    fn await_event(&mut self, id: Option<i64>, flag: &str) -> bool {
        let Some(index) = self.find(id) else { return false };
        if self.rules.has(OneEntryPerTask) {
            self.queue.retain(|queued| *queued != index);
        }
        if self.rules.has(AwaitIsForOneRun) {
            self.withdraw(index);
            self.tasks[index].awaited = Some(flag.into());
        } else {
            self.tasks[index].flag = Some(flag.into());
            self.tasks[index].repeat = 1;
        }
        self.tasks[index].triggered = false;
        self.listeners.entry(flag.into()).or_default().push(index);
        true
    }

    fn cancel(&mut self, id: i64) -> bool {
        let Some(index) = self.find(Some(id)) else { return false };
        self.tasks[index].cancelled = true;
        let flag = self.tasks[index].flag.clone().unwrap_or_default();
        if let Some(listeners) = self.listeners.get_mut(&flag) {
            if let Some(position) = listeners.iter().position(|listener| *listener == index) {
                listeners.remove(position);
            }
        }
        if self.rules.has(CancelFreesAtOnce) {
            self.withdraw(index);
            self.table.remove(&id);
            self.holds_its_slot |= self.running == Some(index);
        }
        true
    }

    fn abort(&mut self) -> bool {
        let current = self.find(None).map(|index| self.tasks[index].id);
        current.is_some_and(|id| self.cancel(id))
    }

    fn set_repeat(&mut self, id: Option<i64>, period: u64) -> bool {
        let Some(index) = self.find(id) else { return false };
        if self.rules.has(ListenersHaveNoPeriod) && self.tasks[index].made_for.is_some() {
            if period > 0 {
                return false;
            }
            // A listener for one more run leaves when that run is certain.
            let task = &self.tasks[index];
            if task.awaited.is_none() && (task.triggered || self.running == Some(index)) {
                for listeners in self.listeners.values_mut() {
                    listeners.retain(|listener| *listener != index);
                }
            }
        }
        self.tasks[index].repeat = period as i64;
        true
    }

    fn send(&mut self, id: Option<i64>, params: Params) -> bool {
        let Some(index) = self.find(id) else { return false };
        self.tasks[index].params = params;
        true
    }

    fn status(&self, id: Option<i64>) -> Option<String> {
        let index = self.find(id)?;
        Some(match self.rules.has(StatusIsTheState) {
            true => self.design_status(index),
            false => self.reference_status(&self.tasks[index]),
        })
    }

    fn task_count(&self) -> usize {
        self.table.len()
    }

    fn pending_count(&self) -> usize {
        self.queue.len()
    }

    fn current(&self) -> Option<i64> {
        let hidden = self.running.is_none() && self.rules.has(NoTaskOutsideOfJobs);
        self.current.filter(|_| !hidden).map(|index| self.tasks[index].id)
    }

    fn stop(&mut self) {
        self.goes_on = false;
        self.table.clear();
        self.queue.clear();
        self.listeners.clear();
        self.holds_its_slot = self.running.is_some() && self.rules.has(StopIsFinal);
    }

    fn start_inside(&mut self, world: &mut World<'_>) {
        if !self.rules.has(NoStartInsideAJob) {
            let outer = self.running;
            self.run(world);
            self.running = outer;
        }
    }
}
