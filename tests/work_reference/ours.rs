//! The crate in the place of the reference: an app whose jobs do what the scenario says.

use std::{cell::Cell, collections::BTreeMap};

use ensue::{
    App, Clock, Cx, Duration, Ended, Event, Events, Fault, FaultKind, Inbox, Instant, Missed, Next,
    ScheduleError, State, Status, Task, TaskId, Work,
    clock::{Interrupt, Virtual},
};

use crate::{
    decision::Rules,
    model::{shown_status, start_for},
    scenario::{Op, Scenario},
    world::{Ending, Order, Params, Refusal, Scheduler, When, World, flag, package},
};

const MILLI: u64 = 1_000;

/// Calls `replay` for a table of as many places as the scenario has.
macro_rules! with_capacity {
    ($replay:ident($scenario:ident, $($rest:expr),*)) => {
        match $scenario.capacity {
            1 => $replay::<1>($scenario, $($rest),*),
            2 => $replay::<2>($scenario, $($rest),*),
            3 => $replay::<3>($scenario, $($rest),*),
            4 => $replay::<4>($scenario, $($rest),*),
            5 => $replay::<5>($scenario, $($rest),*),
            6 => $replay::<6>($scenario, $($rest),*),
            7 => $replay::<7>($scenario, $($rest),*),
            8 => $replay::<8>($scenario, $($rest),*),
            10 => $replay::<10>($scenario, $($rest),*),
            256 => $replay::<256>($scenario, $($rest),*),
            other => panic!("{}: no table of {other} places is made", $scenario.id),
        }
    };
}

/// The log of a scenario. Its interrupts call the scheduler where it sleeps or a job takes its time;
/// a real one could not.
pub(crate) fn log(scenario: &Scenario) -> Vec<String> {
    let inbox = leaked_inbox();
    with_capacity!(replay(scenario, &[], inbox, &Watch::default()))
}

/// The same with real interrupts, which leave their events in the inbox; `None` when that is not
/// the same: when they do something else, when they come while a job runs (the events wait for the
/// next pass then), and when several come at once of which one has no params (it comes last then).
pub(crate) fn log_with_inbox(scenario: &Scenario) -> Option<Vec<String>> {
    let triggers = scenario.interrupts.iter().flat_map(|interrupt| &interrupt.ops);
    if triggers.clone().any(|op| op.name != "trigger") || triggers.count() == 0 {
        return None;
    }
    let are_in_order = scenario.interrupts.iter().all(|interrupt| {
        let at_once = scenario.interrupts.iter().filter(|other| other.at == interrupt.at);
        let all_have_params = interrupt.ops.iter().all(|op| package(op).is_some());
        at_once.count() == 1 && (interrupt.ops.len() == 1 || all_have_params)
    });
    if !are_in_order {
        return None;
    }

    let inbox = leaked_inbox();
    let watch = Watch::default();
    let mut names = Names::new(scenario);
    let mut arrivals: Vec<(Duration, Arrival<'_>)> = Vec::new();
    for interrupt in &scenario.interrupts {
        let mut events = Vec::new();
        for op in &interrupt.ops {
            events.push((names.flag(&flag(op, "flag")?), package(op)));
        }
        let watch = &watch;
        let arrival = move |_: &Virtual<'_>| {
            watch.came_in_job.set(watch.came_in_job.get() | watch.in_job.get());
            for (flag, package) in &events {
                match package.clone() {
                    Some(params) => inbox.trigger_event_with(*flag, params).expect("room for it"),
                    None => inbox.trigger_event(*flag),
                }
            }
        };
        let at = duration(scenario.ticks_start + interrupt.at);
        arrivals.push((at, Box::new(arrival)));
    }
    let script: Vec<_> =
        arrivals.iter().map(|(at, run)| Interrupt { at: *at, run: &**run }).collect();
    let log = with_capacity!(replay(scenario, &script, inbox, &watch));
    (!watch.came_in_job.get()).then_some(log)
}

type Arrival<'a> = Box<dyn Fn(&Virtual<'_>) + 'a>;
type Mailbox = Inbox<Flag, Params, 8>;

fn leaked_inbox() -> &'static Mailbox {
    Box::leak(Box::new(Inbox::new()))
}

/// An event: the scenario's flags, numbered as they come.
#[derive(Clone, Copy)]
struct Flag(u8);

impl Event for Flag {
    type Count = Events<256>;

    fn index(self) -> usize {
        usize::from(self.0)
    }

    fn from_index(index: usize) -> Option<Self> {
        u8::try_from(index).ok().map(Self)
    }
}

struct Node<'s> {
    world: World<'s>,
    names: Names,
    clock: &'s Virtual<'s>,
    /// How many tasks there were when a run was cut off.
    live_at_the_cut: Option<usize>,
    watch: &'s Watch,
}

/// Whether an interrupt came while a job ran.
#[derive(Default)]
struct Watch {
    in_job: Cell<bool>,
    came_in_job: Cell<bool>,
}

impl App for Node<'_> {
    type Event = Flag;
    type Params = Params;
    type Outcome = Result<(), &'static str>;

    fn on_fault(&mut self, fault: &Fault<'_, Self>, cx: &mut Cx<'_, Self>) {
        let FaultKind::Failed(error) = fault.kind else { return };
        let now = millis(cx.now());
        self.world.fault(now, self.names.number(fault.task), error);
    }
}

/// Every task's job.
fn perform<'s>(node: &mut Node<'s>, cx: &mut Cx<'_, Node<'s>>) -> Result<(), &'static str> {
    let Node { world, names, clock, live_at_the_cut, watch } = node;
    watch.in_job.set(true);
    let (number, job) = names.task(cx.id());
    let params = cx.params();
    let outcome = world.run_job(&mut Inside { verbs: cx, names, clock }, &job, number, params);
    if world.cut().is_some() {
        live_at_the_cut.get_or_insert(cx.task_count());
        cx.stop();
    }
    watch.in_job.set(false);
    outcome
}

/// The reference's numbers and names for what the crate has types for.
struct Names {
    ids: BTreeMap<i64, TaskId>,
    tasks: BTreeMap<TaskId, (i64, String)>,
    flags: Vec<String>,
    last_number: i64,
}

impl Names {
    fn new(scenario: &Scenario) -> Self {
        let mut names = Self {
            ids: BTreeMap::new(),
            tasks: BTreeMap::new(),
            flags: Vec::new(),
            last_number: 0,
        };
        for op in scenario.all_ops() {
            for name in ["when", "flag"].into_iter().filter_map(|argument| flag(op, argument)) {
                names.flag(&name);
            }
        }
        names
    }

    fn task(&self, id: TaskId) -> (i64, String) {
        self.tasks.get(&id).cloned().expect("every task was given a number")
    }

    fn number(&self, id: TaskId) -> i64 {
        self.task(id).0
    }

    fn flag(&mut self, name: &str) -> Flag {
        let known = self.flags.iter().position(|flag| flag == name);
        let index = known.unwrap_or_else(|| {
            self.flags.push(name.into());
            self.flags.len() - 1
        });
        Flag::from_index(index).expect("at most 256 flags")
    }

    fn flag_name(&self, flag: Flag) -> &str {
        self.flags.get(flag.index()).map_or("?", |name| name)
    }
}

fn tag(number: i64) -> u32 {
    number as u32
}

/// The crate seen from the main program.
struct Outside<'a, 's, const N: usize> {
    verbs: &'a mut Work<Node<'s>, &'s Virtual<'s>, N>,
    names: &'a mut Names,
    clock: &'s Virtual<'s>,
}

/// The crate seen from a job.
struct Inside<'a, 'c, 's> {
    verbs: &'a mut Cx<'c, Node<'s>>,
    names: &'a mut Names,
    clock: &'s Virtual<'s>,
}

/// The verbs are the same inside and outside; what differs is in these four functions.
trait Place {
    fn own_id(&self) -> Option<TaskId>;
    fn await_event_of(&mut self, id: TaskId, flag: Flag) -> bool;
    fn abort(&mut self) -> bool;
}

impl<const N: usize> Place for Outside<'_, '_, N> {
    fn own_id(&self) -> Option<TaskId> {
        self.verbs.current_task_id()
    }

    fn await_event_of(&mut self, id: TaskId, flag: Flag) -> bool {
        self.verbs.await_event(id, flag).is_ok()
    }

    /// There is no such call here: what would it end?
    fn abort(&mut self) -> bool {
        self.own_id().is_some()
    }
}

impl Place for Inside<'_, '_, '_> {
    fn own_id(&self) -> Option<TaskId> {
        assert_eq!(self.verbs.current_task_id(), Some(self.verbs.id()), "the one that runs");
        Some(self.verbs.id())
    }

    fn await_event_of(&mut self, id: TaskId, flag: Flag) -> bool {
        if id == self.verbs.id() {
            self.verbs.await_event(flag).is_ok()
        } else {
            self.verbs.await_event_of(id, flag).is_ok()
        }
    }

    fn abort(&mut self) -> bool {
        let lives = self.verbs.status(self.verbs.id()).is_ok();
        self.verbs.abort_current_task();
        lives
    }
}

macro_rules! scheduler {
    ([$($generics:tt)*] $place:ty) => {
        impl<$($generics)*> $place {
            /// The task that a number names, alive or not; `None` is the one that runs.
            fn id(&self, number: Option<i64>) -> Option<TaskId> {
                let Some(number) = number else { return self.own_id() };
                let found = self.verbs.find(tag(number));
                let known = self.names.ids.get(&number).copied();
                let alive = known.filter(|id| self.verbs.status(*id).is_ok());
                assert_eq!(found, alive, "the tag {number} and its id name the same task");
                known
            }

            fn new_number(&mut self) -> i64 {
                loop {
                    self.names.last_number += 1;
                    if self.verbs.find(tag(self.names.last_number)).is_none() {
                        return self.names.last_number;
                    }
                }
            }
        }

        impl<$($generics)*> Scheduler for $place {
            fn now(&self) -> u64 {
                millis(self.verbs.now())
            }

            fn time_passes(&mut self, to: u64) {
                advance_to(self.clock, to);
            }

            fn schedule(&mut self, order: Order) -> Result<i64, Refusal> {
                let flag = match &order.when {
                    When::On { flag, .. } => self.names.flag(flag),
                    _ => Flag(0),
                };
                let task = task(&order, flag).params(order.params);
                // A number that is taken is replaced by a new one, as the reference does.
                let mut number = order.id;
                let mut result = Err(ScheduleError::TagTaken);
                if number != 0 {
                    result = self.verbs.schedule(task.clone().tag(tag(number))).map_err(Into::into);
                }
                if result == Err(ScheduleError::TagTaken) {
                    // A number that was not used is free for the next task.
                    let last_number = self.names.last_number;
                    number = self.new_number();
                    result = self.verbs.schedule(task.tag(tag(number))).map_err(Into::into);
                    if result.is_err() {
                        self.names.last_number = last_number;
                    }
                }
                match result {
                    Ok(id) => {
                        self.names.ids.insert(number, id);
                        self.names.tasks.insert(id, (number, order.job));
                        Ok(number)
                    }
                    Err(ScheduleError::TableFull) => Err(Refusal::Full),
                    Err(ScheduleError::ZeroPeriod) => Err(Refusal::ZeroPeriod),
                    Err(other) => panic!("refused: {other}"),
                }
            }

            fn trigger(&mut self, flag: &str, params: Option<Params>) -> usize {
                let flag = self.names.flag(flag);
                match params {
                    Some(params) => self.verbs.trigger_event_with(flag, params),
                    None => self.verbs.trigger_event(flag),
                }
            }

            fn await_event(&mut self, id: Option<i64>, flag: &str) -> bool {
                let flag = self.names.flag(flag);
                self.id(id).is_some_and(|id| self.await_event_of(id, flag))
            }

            fn cancel(&mut self, id: i64) -> bool {
                self.id(Some(id)).is_some_and(|id| self.verbs.cancel(id).is_ok())
            }

            fn abort(&mut self) -> bool {
                Place::abort(self)
            }

            fn set_repeat(&mut self, id: Option<i64>, period: u64) -> bool {
                self.id(id).is_some_and(|id| self.verbs.set_repeat(id, duration(period)).is_ok())
            }

            fn send(&mut self, id: Option<i64>, params: Params) -> bool {
                self.id(id).is_some_and(|id| self.verbs.send(id, params).is_ok())
            }

            fn status(&self, id: Option<i64>) -> Option<String> {
                let status = self.verbs.status(self.id(id)?).ok()?;
                Some(shown(&status, self.names))
            }

            fn task_count(&self) -> usize {
                assert_eq!(self.verbs.tasks().count(), self.verbs.task_count());
                self.verbs.task_count()
            }

            fn pending_count(&self) -> usize {
                self.verbs.pending_count()
            }

            fn current(&self) -> Option<i64> {
                self.verbs.current_task_id().map(|id| self.names.number(id))
            }

            fn stop(&mut self) {
                self.verbs.stop();
            }

            /// It cannot be written: `start` takes the `Work` that a job does not have.
            fn start_inside(&mut self, _: &mut World<'_>) {}
        }
    };
}

scheduler!(['s, const N: usize] Outside<'_, 's, N>);
scheduler!(['s] Inside<'_, '_, 's>);

/// The task that an order asks for, under the reference's rules where the crate has them as
/// options: a late repeat shifts the phase, and the first params win.
fn task<'s>(order: &Order, flag: Flag) -> Task<Node<'s>> {
    match order.when {
        When::At { delay: 0 } => Task::now(perform).missed(Missed::Delay),
        When::At { delay } => Task::at(duration(delay), perform).missed(Missed::Delay),
        When::Every { period, first_at } => {
            let task = Task::repeat(duration(period), perform).missed(Missed::Delay);
            if first_at == 0 { task } else { task.first_at(duration(first_at)) }
        }
        When::On { delay, repeat, .. } => {
            let task = Task::on(flag, perform).delay(duration(delay)).keep_first();
            if repeat > 0 { task.again() } else { task }
        }
    }
}

/// A status, less what only a pass can tell apart: whether what is due has been gathered yet.
fn shown(status: &Status<Flag>, names: &Names) -> String {
    let state = match status.state {
        State::Running => "running".into(),
        State::Listening(flag) => format!("listening {}", names.flag_name(flag)),
        _ => "pending".into(),
    };
    let period = status.period.map(|period| (period.as_ticks() / MILLI) as i64);
    shown_status(names.number(status.id), &state, period, status.next_run.map(millis))
}

fn millis(instant: Instant) -> u64 {
    let ticks = instant.as_ticks();
    assert_eq!(ticks % MILLI, 0, "whole milliseconds");
    ticks / MILLI
}

fn duration(millis: u64) -> Duration {
    Duration::from_ticks(millis * MILLI)
}

fn advance_to(clock: &Virtual<'_>, to: u64) {
    clock.advance(duration(to.saturating_sub(millis(clock.now()))));
}

/// A scheduler, its app and its clock, and the scenario that they are in.
struct Stage<'s, const N: usize> {
    scenario: &'s Scenario,
    work: Work<Node<'s>, &'s Virtual<'s>, N>,
    node: Node<'s>,
    clock: &'s Virtual<'s>,
    must_poll: bool,
}

/// Interrupts come by the script of the clock, or else from the scenario itself.
fn replay<const N: usize>(
    scenario: &Scenario,
    script: &[Interrupt<'_>],
    inbox: &'static Mailbox,
    watch: &Watch,
) -> Vec<String> {
    let clock = Virtual::with_script(script);
    clock.set(duration(scenario.ticks_start));
    // Where there are interrupts, there is an inbox: `Work` waits for what may come.
    let work = Work::new(&clock);
    let work = if scenario.interrupts.is_empty() { work } else { work.listen(inbox) };
    let mut world = World::new(scenario, Rules::DESIGN);
    if !script.is_empty() {
        world.leave_out_interrupts();
    }
    let must_poll = world.next_interrupt().is_some();
    let names = Names::new(scenario);
    let node = Node { world, names, clock: &clock, live_at_the_cut: None, watch };
    Stage::<N> { scenario, work, node, clock: &clock, must_poll }.play()
}

impl<'s, const N: usize> Stage<'s, N> {
    fn play(mut self) -> Vec<String> {
        let scenario = self.scenario;
        self.outside("setup", &scenario.setup);
        if scenario.starts {
            self.start(scenario.ticks_start + scenario.until);
        }
        for op in &scenario.after {
            match start_for(op) {
                Some(time) => self.start(self.now() + time),
                None => self.outside("after", std::slice::from_ref(op)),
            }
        }
        self.node.world.log
    }

    fn now(&self) -> u64 {
        millis(self.work.now())
    }

    fn outside(&mut self, who: &str, ops: &'s [Op]) {
        let Self { work: verbs, node, clock, .. } = self;
        let mut outside = Outside { verbs, names: &mut node.names, clock };
        let outcome = node.world.execute(&mut outside, who, ops);
        assert_eq!(outcome, Ok(()), "only jobs fail");
    }

    fn start(&mut self, limit: u64) {
        self.node.world.started(self.now(), limit);
        self.node.live_at_the_cut = None;
        let ended = if self.must_poll {
            self.poll_until(limit)
        } else {
            self.clock.set_until(duration(limit));
            self.work.start(&mut self.node)
        };
        let ending = match ended {
            Ended::ClockEnded => Ending::TimeLimit,
            _ => self.node.world.cut().unwrap_or(Ending::Returned),
        };
        let live = self.node.live_at_the_cut.unwrap_or(self.work.task_count());
        self.node.world.ended(self.now(), ending, live);
    }

    /// A loop of its own, in which interrupts may call whatever the main program may.
    fn poll_until(&mut self, limit: u64) -> Ended {
        loop {
            let until = match self.work.poll(&mut self.node) {
                Next::Now => continue,
                Next::At(deadline) => millis(deadline),
                Next::Event => u64::MAX,
                Next::Ended(ended) => return ended,
            };
            let Self { work: verbs, node, clock, .. } = self;
            let mut outside = Outside { verbs, names: &mut node.names, clock };
            if node.world.interrupt(&mut outside, until.min(limit)) {
                continue;
            }
            advance_to(clock, until.min(limit));
            if until > limit {
                return Ended::ClockEnded;
            }
        }
    }
}
