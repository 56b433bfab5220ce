//! Random programs, run by the scheduler and by a plain model of what the verbs mean.
//!
//! The model is a `Vec` of tasks that is looked through and sorted in each pass: no heap, no
//! chains, no numbers that could run out. Both write a trace of everything that can be seen: runs
//! with all that a job is told, what each verb returned, and after each step every task's status.
//! Tables are small, so that full tables, stale ids and reused places happen all the time.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use ensue::{
    App, AwaitError, Cause, Clock, Cx, Duration, Ended, Fault, Inbox, Instant, Missed, Next,
    NoSuchTask, Priority, ScheduleError, SetRepeatError, State, Status, Task, TaskId, Work,
    WrongOption,
};
use proptest::prelude::*;
use proptest::sample::select;

ensue::events! { pub(crate) enum Signal { Zero, One, Two } }

pub(crate) const SIGNALS: [Signal; 3] = [Signal::Zero, Signal::One, Signal::Two];
const ROOM: usize = 2;

/// One of the tasks that there have been, in the order in which they came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Which(pub(crate) usize);

impl Which {
    fn index(self, count: usize) -> usize {
        self.0 % count
    }
}

/// What is done, outside of jobs or in one.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Schedule(Order),
    Trigger(Signal, Option<i32>),
    Interrupt(Signal, Option<i32>),
    Cancel(Which),
    Abort,
    SetRepeat(Which, u64),
    Reschedule(Which, u64),
    Send(Which, i32),
    Await(Which, Signal),
    AwaitFor(Which, Signal, u64),
    Stop,
    /// Time passes.
    Busy(u64),
    /// The job will return `Err`; outside of jobs this is nothing.
    Fail,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    At(u64),
    Every(u64),
    On(Signal),
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) when: When,
    pub(crate) params: i32,
    pub(crate) priority: Priority,
    pub(crate) missed: Option<Missed>,
    pub(crate) first_at: Option<u64>,
    pub(crate) again: bool,
    pub(crate) delay: u64,
    pub(crate) timeout: u64,
    pub(crate) slack: u64,
    pub(crate) tag: Option<u32>,
    pub(crate) latched: bool,
    pub(crate) keep_first: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Do(Op),
    Poll,
    /// Polls, and sleeps until the next run, so many times.
    Rest(u8),
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) places: usize,
    pub(crate) steps: Vec<Step>,
    /// What the n-th run does.
    pub(crate) jobs: Vec<Vec<Op>>,
}

/// What can be seen.
#[derive(Clone, PartialEq, Debug)]
enum Entry {
    Run {
        at: u64,
        who: usize,
        cause: Cause<Signal>,
        params: i32,
        new: bool,
        due: u64,
        missed: u16,
        merged: u16,
    },
    Scheduled(Result<String, ScheduleError>),
    Reached(usize),
    Sent(Result<(), NoSuchTask>),
    Refused(bool),
    Repeats(Result<(), SetRepeatError>),
    Awaits(Result<(), AwaitError>),
    Failed {
        who: usize,
        count: u16,
    },
    Polled(Next),
    Seen(Vec<Line>),
    Counts {
        tasks: usize,
        pending: usize,
        faults: u32,
        current: Option<usize>,
        tags: Vec<bool>,
    },
}

/// A status, with the task's number for its id. What is due counts as ready, whether or not a pass
/// has moved it.
#[derive(Clone, PartialEq, Debug)]
struct Line {
    who: usize,
    tag: Option<u32>,
    state: State<Signal>,
    priority: Priority,
    period: Option<u64>,
    next_run: Option<u64>,
    faults: u16,
    missed: u16,
    merged: u16,
}

// The scheduler's side.

#[derive(Clone)]
struct Hand(Rc<Cell<u64>>);

impl Clock for Hand {
    fn now(&self) -> Instant {
        Instant::from_ticks(self.0.get())
    }
}

struct Real {
    now: Rc<Cell<u64>>,
    inbox: &'static Inbox<Signal, i32, ROOM>,
    jobs: std::vec::IntoIter<Vec<Op>>,
    ids: Vec<TaskId>,
    trace: Vec<Entry>,
}

impl App for Real {
    type Event = Signal;
    type Params = i32;
    type Outcome = Result<(), ()>;

    fn on_fault(&mut self, fault: &Fault<'_, Self>, _: &mut Cx<'_, Self>) {
        let who = self.who(fault.task);
        self.trace.push(Entry::Failed { who, count: fault.count });
    }
}

impl Real {
    fn instant(&self) -> Instant {
        Instant::from_ticks(self.now.get())
    }

    fn who(&self, id: TaskId) -> usize {
        self.ids.iter().position(|&known| known == id).expect("an id that nobody was given")
    }

    fn line(&self, status: &Status<Signal>) -> Line {
        Line {
            who: self.who(status.id),
            tag: status.tag,
            state: match status.state {
                State::Scheduled if status.next_run <= Some(self.instant()) => State::Ready,
                state => state,
            },
            priority: status.priority,
            period: status.period.map(|period| period.as_ticks()),
            next_run: status.next_run.map(|next| next.as_ticks()),
            faults: status.faults,
            missed: status.missed,
            merged: status.merged,
        }
    }
}

fn task(order: &Order) -> Task<Real> {
    let micros = Duration::from_ticks;
    let mut task = match order.when {
        When::At(delay) => Task::at(micros(delay), job),
        When::Every(period) => Task::repeat(micros(period), job),
        When::On(event) => Task::on(event, job),
    };
    task = task.params(order.params).priority(order.priority).slack(micros(order.slack));
    task = task.delay(micros(order.delay)).timeout(micros(order.timeout));
    if let Some(missed) = order.missed {
        task = task.missed(missed);
    }
    if let Some(delay) = order.first_at {
        task = task.first_at(micros(delay));
    }
    if let Some(tag) = order.tag {
        task = task.tag(tag);
    }
    for (wanted, option) in [
        (order.again, Task::again as fn(Task<Real>) -> Task<Real>),
        (order.latched, Task::latched),
        (order.keep_first, Task::keep_first),
    ] {
        if wanted {
            task = option(task);
        }
    }
    task
}

/// `Work` and `Cx` have the same verbs; the two ways to await are handed in.
macro_rules! act {
    ($real:ident, $work:ident, $op:ident, $await:expr, $await_for:expr) => {{
        let id = |which: &Which| {
            (!$real.ids.is_empty()).then(|| $real.ids[which.index($real.ids.len())])
        };
        match $op {
            Op::Schedule(order) => {
                let result = $work.schedule(task(order));
                $real.ids.extend(result.as_ref().ok());
                Some(Entry::Scheduled(match result {
                    Ok(id) => Ok(id.to_string()),
                    Err(rejected) => Err(rejected.reason),
                }))
            }
            Op::Trigger(event, None) => Some(Entry::Reached($work.trigger_event(*event))),
            Op::Trigger(event, Some(params)) => {
                Some(Entry::Reached($work.trigger_event_with(*event, *params)))
            }
            Op::Interrupt(event, None) => {
                $real.inbox.trigger_event(*event);
                None
            }
            Op::Interrupt(event, Some(params)) => {
                let result = $real.inbox.trigger_event_with(*event, *params);
                Some(Entry::Refused(result.is_err()))
            }
            Op::Cancel(which) => id(which).map(|id| Entry::Sent($work.cancel(id))),
            Op::SetRepeat(which, period) => id(which)
                .map(|id| Entry::Repeats($work.set_repeat(id, Duration::from_ticks(*period)))),
            Op::Reschedule(which, delay) => id(which)
                .map(|id| Entry::Repeats($work.reschedule(id, Duration::from_ticks(*delay)))),
            Op::Send(which, params) => id(which).map(|id| Entry::Sent($work.send(id, *params))),
            Op::Await(which, event) => {
                id(which).map(|id| Entry::Awaits($await(&mut *$work, id, *event)))
            }
            Op::AwaitFor(which, event, timeout) => id(which).map(|id| {
                let timeout = Duration::from_ticks(*timeout);
                Entry::Awaits($await_for(&mut *$work, id, *event, timeout))
            }),
            Op::Stop => {
                $work.stop();
                None
            }
            Op::Busy(time) => {
                $real.now.set($real.now.get() + time);
                None
            }
            Op::Abort | Op::Fail => None,
        }
    }};
}

macro_rules! look {
    ($real:ident, $work:ident) => {{
        let lines = $work.tasks().map(|status| $real.line(&status)).collect();
        let current = $work.current_task_id().map(|id| $real.who(id));
        let counts = Entry::Counts {
            tasks: $work.task_count(),
            pending: $work.pending_count(),
            faults: $work.fault_count(),
            current,
            tags: (0..3).map(|tag| $work.find(tag).is_some()).collect(),
        };
        for (number, &id) in $real.ids.iter().enumerate() {
            if let Ok(status) = $work.status(id) {
                assert_eq!($real.who(status.id), number);
            }
        }
        $real.trace.push(Entry::Seen(lines));
        $real.trace.push(counts);
    }};
}

fn job(real: &mut Real, cx: &mut Cx<'_, Real>) -> Result<(), ()> {
    real.trace.push(Entry::Run {
        at: cx.now().as_ticks(),
        who: real.who(cx.id()),
        cause: cx.cause(),
        params: *cx.params(),
        new: cx.new_params().is_some(),
        due: cx.scheduled_at().as_ticks(),
        missed: cx.missed(),
        merged: cx.merged(),
    });
    let mut outcome = Ok(());
    for op in &real.jobs.next().unwrap_or_default() {
        match op {
            Op::Abort => cx.abort_current_task(),
            Op::Fail => outcome = Err(()),
            _ => {}
        }
        let own = |cx: &mut Cx<'_, Real>, _, event, timeout| cx.await_event_for(event, timeout);
        let entry = act!(real, cx, op, Cx::await_event_of, own);
        real.trace.extend(entry);
        look!(real, cx);
    }
    outcome
}

fn run_it<const TASKS: usize, const OPTIONS: usize>(program: &Program) -> Vec<Entry> {
    /// Leaked but not lost, for the sake of those who look for leaks.
    static INBOXES: Mutex<Vec<&Inbox<Signal, i32, ROOM>>> = Mutex::new(Vec::new());
    let inbox: &'static Inbox<Signal, i32, ROOM> = Box::leak(Box::new(Inbox::new()));
    let now = Rc::new(Cell::new(0));
    INBOXES.lock().unwrap_or_else(PoisonError::into_inner).push(inbox);
    let mut work = Work::<Real, _, TASKS, OPTIONS>::new(Hand(now.clone())).listen(inbox);
    let work = &mut work;
    let jobs = program.jobs.clone().into_iter();
    let mut app = Real { now: now.clone(), inbox, jobs, ids: vec![], trace: vec![] };
    let real = &mut app;
    for step in &program.steps {
        match step {
            Step::Do(op) => {
                let entry = act!(real, work, op, Work::await_event, Work::await_event_for);
                real.trace.extend(entry);
            }
            Step::Poll => {
                let next = work.poll(real);
                real.trace.push(Entry::Polled(next));
            }
            Step::Rest(times) => {
                for _ in 0..*times {
                    let next = work.poll(real);
                    real.trace.push(Entry::Polled(next));
                    if let Next::At(until) = next {
                        now.set(now.get().max(until.as_ticks()));
                    }
                }
            }
        }
        look!(real, work);
    }
    app.trace
}

// The model.

struct Model {
    now: u64,
    records: usize,
    tasks: Vec<Tenant>,
    /// Place and generation of every task that there has been.
    ids: Vec<(usize, u16)>,
    free: VecDeque<usize>,
    generations: Vec<u16>,
    remembered: [bool; 3],
    queue: VecDeque<(Signal, i32)>,
    flags: [bool; 3],
    /// Counts everything that has an order: armings and subscriptions.
    count: u64,
    faults: u32,
    running: Option<usize>,
    stopped: bool,
    jobs: std::vec::IntoIter<Vec<Op>>,
    trace: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Tenant {
    who: usize,
    place: usize,
    order: Order,
    params: i32,
    /// Whether an event or a `send` has brought them since the last run.
    new: bool,
    plan: Plan,
    has_record: bool,
    mode: Mode,
    /// When it falls due or fell due, and the number of that arming.
    due: u64,
    armed: u64,
    /// The event in whose list it is, and since when.
    listens: Option<(Signal, u64)>,
    /// The event it waits for or that made it ready.
    event: Signal,
    /// A repeating task that awaits: the deadline it goes on from.
    phase: Option<u64>,
    missed: u16,
    merged: u16,
    faults: u16,
    /// Cancelled in its own run.
    leaving: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Plan {
    Once(Missed),
    Every(u64, Missed),
    On(Signal),
    Again(Signal),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Mode {
    Timed,
    Listening,
    ListeningFor,
    Delayed,
    Ready(Cause<Signal>),
    Running,
}

impl Tenant {
    fn ready(&self) -> bool {
        matches!(self.mode, Mode::Ready(_))
    }

    fn waits_for_time(&self) -> bool {
        matches!(self.mode, Mode::Timed | Mode::Delayed | Mode::ListeningFor)
    }

    /// Whether it is triggered by the event that it listens to by its own plan.
    fn own(&self) -> bool {
        matches!(self.plan, Plan::On(event) | Plan::Again(event) if event == self.event)
    }

    fn stays(&self) -> bool {
        self.own() && matches!(self.plan, Plan::Again(_))
    }
}

impl Model {
    fn new(program: &Program, places: usize, records: usize) -> Self {
        Self {
            now: 0,
            records,
            tasks: vec![],
            ids: vec![],
            free: (0..places).collect(),
            generations: vec![0; places],
            remembered: [false; 3],
            queue: VecDeque::new(),
            flags: [false; 3],
            count: 0,
            faults: 0,
            running: None,
            stopped: false,
            jobs: program.jobs.clone().into_iter(),
            trace: vec![],
        }
    }

    fn tick(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn alive(&mut self, who: usize) -> Option<&mut Tenant> {
        self.tasks.iter_mut().find(|task| task.who == who && !task.leaving)
    }

    fn records_left(&self) -> bool {
        self.tasks.iter().filter(|task| task.has_record).count() < self.records
    }

    fn arm(&mut self, who: usize, mode: Mode, due: u64) {
        let armed = self.tick();
        let task = self.alive(who).unwrap();
        (task.mode, task.due, task.armed) = (mode, due, armed);
    }

    fn schedule(&mut self, order: &Order) -> Result<String, ScheduleError> {
        let listens = matches!(order.when, When::On(_));
        let repeats = matches!(order.when, When::Every(_));
        let wrong = [
            (order.again && !listens, WrongOption::Again),
            (order.delay > 0 && !listens, WrongOption::Delay),
            (order.timeout > 0 && !listens, WrongOption::Timeout),
            (order.missed.is_some() && listens, WrongOption::Missed),
            (order.first_at.is_some() && !repeats, WrongOption::FirstAt),
        ];
        if let Some((_, option)) = wrong.into_iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(ScheduleError::WrongOption(option));
        }
        if let When::Every(0) = order.when {
            return Err(ScheduleError::ZeroPeriod);
        }
        if self.free.is_empty() {
            return Err(ScheduleError::TableFull);
        }
        if order.tag.is_some() && self.tagged(order.tag) {
            return Err(ScheduleError::TagTaken);
        }
        let has_record = order.delay + order.timeout + order.slack > 0
            || order.tag.is_some()
            || order.latched
            || order.keep_first;
        if has_record && !self.records_left() {
            return Err(ScheduleError::OptionsFull);
        }
        let place = self.free.pop_front().unwrap();
        let who = self.ids.len();
        self.ids.push((place, self.generations[place]));
        self.tasks.push(Tenant {
            who,
            place,
            order: order.clone(),
            params: order.params,
            new: false,
            plan: match order.when {
                When::At(_) => Plan::Once(order.missed.unwrap_or_default()),
                When::Every(period) => Plan::Every(period, order.missed.unwrap_or_default()),
                When::On(event) if order.again => Plan::Again(event),
                When::On(event) => Plan::On(event),
            },
            has_record,
            mode: Mode::Timed,
            due: 0,
            armed: 0,
            listens: None,
            event: Signal::Zero,
            phase: None,
            missed: 0,
            merged: 0,
            faults: 0,
            leaving: false,
        });
        match order.when {
            When::On(event) => {
                self.listen(who, event, (order.timeout > 0).then_some(order.timeout))
            }
            When::At(delay) => self.arm_in(who, delay),
            When::Every(_) => self.arm_in(who, order.first_at.unwrap_or(0)),
        }
        Ok(format!("{place}.{}", self.generations[place]))
    }

    fn arm_in(&mut self, who: usize, delay: u64) {
        let mode = if delay == 0 { Mode::Ready(Cause::Time) } else { Mode::Timed };
        self.arm(who, mode, self.now + delay);
    }

    fn arm_next(&mut self, who: usize, due: u64) {
        let mode = if due < self.now { Mode::Ready(Cause::Time) } else { Mode::Timed };
        self.arm(who, mode, due);
    }

    fn listen(&mut self, who: usize, event: Signal, timeout: Option<u64>) {
        let since = self.tick();
        let task = self.alive(who).unwrap();
        task.listens = Some((event, since));
        task.event = event;
        task.mode = Mode::Listening;
        if task.order.latched && self.remembered[event as usize] {
            self.remembered[event as usize] = false;
            self.hear(who, None);
        } else if let Some(timeout) = timeout {
            self.arm(who, Mode::ListeningFor, self.now + timeout);
        }
    }

    fn trigger(&mut self, event: Signal, params: Option<i32>) -> usize {
        let mut listeners: Vec<_> = (self.tasks.iter())
            .filter_map(|task| task.listens.map(|(heard, since)| (since, heard, task.who)))
            .filter(|(_, heard, _)| *heard == event)
            .collect();
        listeners.sort_by_key(|(since, ..)| *since);
        if listeners.is_empty() {
            self.remembered[event as usize] = true;
        }
        for (.., who) in &listeners {
            self.hear(*who, params);
        }
        listeners.len()
    }

    fn hear(&mut self, who: usize, params: Option<i32>) {
        let now = self.now;
        let task = self.alive(who).unwrap();
        match task.mode {
            Mode::Ready(Cause::Timeout) => task.mode = Mode::Ready(Cause::Event(task.event)),
            Mode::Ready(_) | Mode::Delayed => {
                task.merged += 1;
                if task.order.keep_first {
                    return;
                }
            }
            _ => {
                if !task.stays() {
                    task.listens = None;
                }
                let (event, delay) = (task.event, if task.own() { task.order.delay } else { 0 });
                let ready = Mode::Ready(Cause::Event(event));
                self.arm(who, if delay > 0 { Mode::Delayed } else { ready }, now + delay);
            }
        }
        if let Some(params) = params {
            let task = self.alive(who).unwrap();
            (task.params, task.new) = (params, true);
        }
    }

    fn awaits(
        &mut self,
        who: usize,
        event: Signal,
        timeout: Option<u64>,
    ) -> Result<(), AwaitError> {
        let left = self.records_left();
        let task = self.alive(who).ok_or(AwaitError::NoSuchTask)?;
        // While it waits for an event it has no deadline to go on from.
        let waits = matches!(task.mode, Mode::Listening | Mode::ListeningFor);
        if matches!(task.plan, Plan::Every(..)) && !waits {
            if !task.has_record && !left {
                return Err(AwaitError::OptionsFull);
            }
            task.has_record = true;
            task.phase = task.phase.or(Some(task.due));
        }
        self.listen(who, event, timeout);
        Ok(())
    }

    fn set_repeat(&mut self, who: usize, period: u64) -> Result<(), SetRepeatError> {
        let task = self.alive(who).ok_or(SetRepeatError::NoSuchTask)?;
        task.plan = match task.plan {
            Plan::On(_) | Plan::Again(_) if period > 0 => {
                return Err(SetRepeatError::WaitsForEvent);
            }
            Plan::Again(event) => {
                let waits = matches!(task.mode, Mode::Listening | Mode::ListeningFor);
                if task.own() && !waits {
                    task.listens = None;
                }
                Plan::On(event)
            }
            Plan::Every(_, missed) if period == 0 => Plan::Once(missed),
            Plan::Every(_, missed) => Plan::Every(period, missed),
            Plan::Once(missed) if period > 0 => Plan::Every(period, missed),
            plan => plan,
        };
        Ok(())
    }

    fn reschedule(&mut self, who: usize, delay: u64) -> Result<(), SetRepeatError> {
        let task = self.alive(who).ok_or(SetRepeatError::NoSuchTask)?;
        let timed = matches!(task.mode, Mode::Timed | Mode::Ready(Cause::Time) | Mode::Running);
        if !timed || matches!(task.plan, Plan::On(_) | Plan::Again(_)) {
            return Err(SetRepeatError::WaitsForEvent);
        }
        task.phase = None;
        self.arm_in(who, delay);
        Ok(())
    }

    fn cancel(&mut self, who: usize) -> Result<(), NoSuchTask> {
        let running = self.running == Some(who);
        let task = self.alive(who).ok_or(NoSuchTask)?;
        let place = task.place;
        (task.leaving, task.listens, task.mode) = (true, None, Mode::Running);
        self.generations[place] += 1;
        if !running {
            self.remove(who);
        }
        Ok(())
    }

    fn remove(&mut self, who: usize) {
        let at = self.tasks.iter().position(|task| task.who == who).unwrap();
        self.free.push_back(self.tasks.remove(at).place);
    }

    fn stop(&mut self) {
        let mut all: Vec<_> = self.tasks.iter().map(|task| (task.place, task.who)).collect();
        all.sort();
        for (_, who) in all {
            let _ = self.cancel(who);
        }
        self.remembered = [false; 3];
        self.flags = [false; 3];
        self.queue.clear();
        self.stopped = self.running.is_some();
    }

    fn poll(&mut self) -> Next {
        for (event, params) in std::mem::take(&mut self.queue) {
            self.trigger(event, Some(params));
        }
        for event in SIGNALS {
            if std::mem::take(&mut self.flags[event as usize]) {
                self.trigger(event, None);
            }
        }
        for task in
            self.tasks.iter_mut().filter(|task| task.waits_for_time() && task.due <= self.now)
        {
            task.mode = Mode::Ready(match task.mode {
                Mode::Delayed => Cause::Event(task.event),
                Mode::ListeningFor => Cause::Timeout,
                _ => Cause::Time,
            });
            if !task.stays() {
                task.listens = None;
            }
        }
        let mut batch: Vec<_> = self.tasks.iter().filter(|task| task.ready()).cloned().collect();
        batch.sort_by_key(|task| (Reverse(task.order.priority), task.due, task.armed));
        for planned in batch {
            let still = self
                .alive(planned.who)
                .is_some_and(|task| task.ready() && task.armed == planned.armed);
            if still {
                self.run(planned.who);
            }
            if self.stopped {
                break;
            }
        }
        self.what_next()
    }

    fn what_next(&mut self) -> Next {
        let sleep_end = (self.tasks.iter().filter(|task| task.waits_for_time()))
            .map(|task| task.due + task.order.slack)
            .min();
        if std::mem::take(&mut self.stopped) {
            Next::Ended(Ended::Stopped)
        } else if self.tasks.iter().any(Tenant::ready) {
            Next::Now
        } else if let Some(end) = sleep_end {
            Next::At(Instant::from_ticks(end))
        } else if self.tasks.is_empty() {
            Next::Ended(Ended::NoTasks)
        } else {
            Next::Event
        }
    }

    fn run(&mut self, who: usize) {
        let started = self.now;
        self.running = Some(who);
        let task = self.alive(who).unwrap();
        let Mode::Ready(cause) = task.mode else { unreachable!() };
        task.mode = Mode::Running;
        let due = task.due;
        let (missed, merged) = (std::mem::take(&mut task.missed), std::mem::take(&mut task.merged));
        let (params, new) = (task.params, std::mem::take(&mut task.new));
        self.trace.push(Entry::Run { at: started, who, cause, params, new, due, missed, merged });

        let mut fails = false;
        for op in self.jobs.next().unwrap_or_default() {
            match op {
                Op::Abort => drop(self.cancel(who)),
                Op::Fail => fails = true,
                Op::AwaitFor(_, event, timeout) if !self.ids.is_empty() => {
                    let result = self.awaits(who, event, Some(timeout));
                    self.trace.push(Entry::Awaits(result));
                }
                _ => self.act(&op),
            }
            self.look();
        }
        if fails {
            self.faults += 1;
            let task = self.tasks.iter_mut().find(|task| task.who == who).unwrap();
            task.faults += 1;
            let count = task.faults;
            self.trace.push(Entry::Failed { who, count });
        }
        self.running = None;
        self.finish(who, cause, due, started);
    }

    fn finish(&mut self, who: usize, cause: Cause<Signal>, due: u64, started: u64) {
        let now = self.now;
        let Some(task) = self.alive(who) else { return self.remove(who) };
        if task.mode != Mode::Running {
            return; // It has been armed again during the run.
        }
        match task.plan {
            Plan::Once(_) | Plan::On(_) => self.cancel(who).unwrap(),
            Plan::Every(period, Missed::Delay) => {
                if cause != Cause::Time {
                    task.phase = None;
                }
                self.arm_next(who, started + period);
            }
            Plan::Every(period, missed) if cause == Cause::Time => {
                let mut next = due + period;
                let late = if next < now { (now - next).div_ceil(period) } else { 0 };
                let made_up =
                    late.min(if let Missed::Burst(most) = missed { most.into() } else { 0 });
                task.missed += (late - made_up) as u16;
                next += (late - made_up) * period;
                self.arm_next(who, next);
            }
            Plan::Every(period, _) => {
                let mut next = task.phase.take().unwrap_or(due);
                while next <= due || next < now {
                    next += period;
                }
                self.arm_next(who, next);
            }
            Plan::Again(event) => {
                let timeout = (task.order.timeout > 0).then_some(task.order.timeout);
                if task.listens.is_none() {
                    return self.listen(who, event, timeout);
                }
                task.mode = Mode::Listening;
                if let Some(timeout) = timeout {
                    self.arm(who, Mode::ListeningFor, now + timeout);
                }
            }
        }
    }

    fn act(&mut self, op: &Op) {
        let who = |which: &Which| (!self.ids.is_empty()).then(|| which.index(self.ids.len()));
        let entry = match op {
            Op::Schedule(order) => Some(Entry::Scheduled(self.schedule(order))),
            Op::Trigger(event, params) => Some(Entry::Reached(self.trigger(*event, *params))),
            Op::Interrupt(event, Some(params)) if self.queue.len() < ROOM => {
                self.queue.push_back((*event, *params));
                Some(Entry::Refused(false))
            }
            Op::Interrupt(event, params) => {
                self.flags[*event as usize] = true;
                params.map(|_| Entry::Refused(true))
            }
            Op::Cancel(which) => who(which).map(|who| Entry::Sent(self.cancel(who))),
            Op::SetRepeat(which, period) => {
                who(which).map(|who| Entry::Repeats(self.set_repeat(who, *period)))
            }
            Op::Reschedule(which, delay) => {
                who(which).map(|who| Entry::Repeats(self.reschedule(who, *delay)))
            }
            Op::Send(which, params) => who(which).map(|who| {
                let sent = self.alive(who).map(|task| (task.params, task.new) = (*params, true));
                Entry::Sent(sent.ok_or(NoSuchTask))
            }),
            Op::Await(which, event) => {
                who(which).map(|who| Entry::Awaits(self.awaits(who, *event, None)))
            }
            Op::AwaitFor(which, event, timeout) => {
                who(which).map(|who| Entry::Awaits(self.awaits(who, *event, Some(*timeout))))
            }
            Op::Stop => {
                self.stop();
                None
            }
            Op::Busy(time) => {
                self.now += time;
                None
            }
            Op::Abort | Op::Fail => None,
        };
        self.trace.extend(entry);
    }

    fn tagged(&self, tag: Option<u32>) -> bool {
        self.tasks.iter().any(|task| task.order.tag == tag && !task.leaving)
    }

    fn look(&mut self) {
        let mut live: Vec<_> = self.tasks.iter().filter(|task| !task.leaving).collect();
        live.sort_by_key(|task| task.place);
        let lines: Vec<_> = live
            .iter()
            .map(|task| Line {
                who: task.who,
                tag: task.order.tag,
                state: match task.mode {
                    _ if self.running == Some(task.who) => State::Running,
                    Mode::Timed if task.due <= self.now => State::Ready,
                    Mode::Timed => State::Scheduled,
                    Mode::Listening | Mode::ListeningFor => State::Listening(task.event),
                    Mode::Delayed => State::Delayed(task.event),
                    Mode::Ready(_) => State::Ready,
                    Mode::Running => unreachable!(),
                },
                priority: task.order.priority,
                period: match task.plan {
                    Plan::Every(period, _) => Some(period),
                    _ => None,
                },
                next_run: (task.mode != Mode::Listening).then_some(task.due),
                faults: task.faults,
                missed: task.missed,
                merged: task.merged,
            })
            .collect();
        let counts = Entry::Counts {
            tasks: lines.len(),
            pending: (lines.iter())
                .filter(|line| !matches!(line.state, State::Running | State::Listening(_)))
                .count(),
            faults: self.faults,
            current: self.running,
            tags: (0..3).map(|tag| self.tagged(Some(tag))).collect(),
        };
        self.trace.push(Entry::Seen(lines));
        self.trace.push(counts);
    }

    fn run_it(mut self, program: &Program) -> Vec<Entry> {
        for step in &program.steps {
            match step {
                Step::Do(op) => self.act(op),
                Step::Poll => {
                    let next = self.poll();
                    self.trace.push(Entry::Polled(next));
                }
                Step::Rest(times) => {
                    for _ in 0..*times {
                        let next = self.poll();
                        self.trace.push(Entry::Polled(next));
                        if let Next::At(until) = next {
                            self.now = self.now.max(until.as_ticks());
                        }
                    }
                }
            }
            self.look();
        }
        self.trace
    }
}

// Programs.

fn signals() -> impl Strategy<Value = Signal> {
    select(SIGNALS.to_vec())
}

fn seldom(most: u64) -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 1 => 1..most]
}

fn orders() -> impl Strategy<Value = Order> {
    let missed = select(vec![Missed::Skip, Missed::Burst(1), Missed::Burst(3), Missed::Delay]);
    let when = prop_oneof![
        3 => (0u64..6).prop_map(When::At),
        4 => (0u64..6).prop_map(When::Every),
        6 => signals().prop_map(When::On),
    ];
    let priority = select(vec![Priority::Low, Priority::Normal, Priority::High]);
    let wrong = prop::bool::weighted(0.05);
    let rest = (seldom(5), seldom(6), seldom(5), prop::option::weighted(0.2, 0u32..3));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (when, priority, prop::option::of(missed), prop::option::of(0u64..7), rest, flags, 0..99, wrong)
        .prop_map(|(when, priority, missed, first_at, rest, flags, params, wrong)| {
            let (delay, timeout, slack, tag) = rest;
            let (again, latched, keep_first) = flags;
            let listens = matches!(when, When::On(_)) || wrong;
            let repeats = matches!(when, When::Every(_)) || wrong;
            Order {
                when,
                params,
                priority,
                missed: missed.filter(|_| !matches!(when, When::On(_)) || wrong),
                first_at: first_at.filter(|_| repeats),
                again: again && listens,
                delay: if listens { delay } else { 0 },
                timeout: if listens { timeout } else { 0 },
                slack,
                tag,
                latched: latched && listens,
                keep_first: keep_first && listens,
            }
        })
}

fn ops() -> impl Strategy<Value = Op> {
    let which = || any::<usize>().prop_map(Which);
    let params = || prop::option::of(100..200);
    prop_oneof![
        9 => orders().prop_map(Op::Schedule),
        8 => (signals(), params()).prop_map(|(event, params)| Op::Trigger(event, params)),
        2 => (signals(), params()).prop_map(|(event, params)| Op::Interrupt(event, params)),
        3 => which().prop_map(Op::Cancel),
        1 => Just(Op::Abort),
        4 => (which(), 0u64..5).prop_map(|(which, period)| Op::SetRepeat(which, period)),
        3 => (which(), 0u64..6).prop_map(|(which, delay)| Op::Reschedule(which, delay)),
        2 => (which(), 200..300).prop_map(|(which, params)| Op::Send(which, params)),
        4 => (which(), signals()).prop_map(|(which, event)| Op::Await(which, event)),
        3 => (which(), signals(), 0u64..6)
            .prop_map(|(which, event, timeout)| Op::AwaitFor(which, event, timeout)),
        1 => Just(Op::Stop),
        5 => (1u64..12).prop_map(Op::Busy),
        1 => Just(Op::Fail),
    ]
}

fn programs() -> impl Strategy<Value = Program> {
    let step = prop_oneof![
        8 => ops().prop_map(Step::Do),
        3 => Just(Step::Poll),
        2 => (1u8..5).prop_map(Step::Rest),
    ];
    let jobs = prop::collection::vec(prop::collection::vec(ops(), 0..4), 0..30);
    (0usize..5, prop::collection::vec(step, 1..60), jobs)
        .prop_map(|(places, steps, jobs)| Program { places, steps, jobs })
}

proptest! {
    #![proptest_config({
        let default = ProptestConfig::default();
        let cases = default.cases.max(1_000);
        ProptestConfig { cases, failure_persistence: None, ..default }
    })]

    #[test]
    fn the_scheduler_does_what_the_model_does(program in programs()) {
        compare(&program);
    }
}

/// Runs a program on both sides: all that can be seen is the same. A fuzz target makes programs of
/// its own.
pub(crate) fn compare(program: &Program) {
    let (real, places, records) = match program.places {
        0 => (run_it::<1, 1>(program), 1, 1),
        1 => (run_it::<2, 1>(program), 2, 1),
        2 => (run_it::<3, 3>(program), 3, 3),
        3 => (run_it::<4, 2>(program), 4, 2),
        _ => (run_it::<6, 6>(program), 6, 6),
    };
    let model = Model::new(program, places, records).run_it(program);
    for (at, (real, model)) in real.iter().zip(&model).enumerate() {
        assert_eq!(real, model, "entry {at}");
    }
    assert_eq!(real.len(), model.len());
}
