//! Tasks: what is to be done, when, and what has become of it.
//!
//! A [`Task`] is the order form; [`schedule`](crate::Work::schedule) puts it into a slot of the
//! table and names it by a [`TaskId`]. From then on the slot is in one of these states, and every
//! change of state is one of these steps, named after the function that makes it:
//!
//! ```text
//!             ┌──────┐  1 settle                                       10 release
//!             │ Free ├──────────┬───────────────┬──────────────┐  ◄──── from any state
//!             └──────┘          ▼               ▼              ▼
//!                          ┌─────────┐    ┌───────────┐   ┌─────────┐
//!                          │  Timed  │    │ Listening │   │  Ready  │
//!                          └────┬────┘    └──┬──┬──┬──┘   └────┬────┘
//!        2 fall_due             │  ┌─────────┘  │  └──────►    │
//!                               │  │ 3 hear     │ 5 fall_due:  │ 7 begin
//!                               │  │ with delay │ timeout      ▼
//!                               │  ▼            ▼         ┌─────────┐
//!                               │ ┌─────────┐  Ready      │ Running │
//!                               │ │ Delayed │             └────┬────┘
//!                               ▼ └────┬────┘                  │ 8 finish: back to Timed,
//!                            Ready ◄───┘ 4 fall_due            │   Listening or Free
//!                                                              ▼
//!      6 hear, without delay: Ready            9 await_event: Listening, from any but Free
//!                                              11 reschedule: Timed, from Timed, Ready and Running
//! ```
//!
//! Where a slot is follows from its state: Timed and Delayed are in the timeline, Ready is in a
//! ready queue, Listening is in the chain of an event (and in the timeline as well while a timeout
//! runs), Running is in none, but still in the timeline when it came from there. An `.again()` task
//! stays in its event's chain throughout. A slot's `place` says which of them hold it. The listeners
//! of a called event (`waiting.rs`) are Ready for everybody who asks, and Listening in the table.

use core::{fmt, num::NonZeroU32};

use crate::{
    error::{ScheduleError, WrongOption},
    event::Event,
    table::{Order, Plan, number},
    time::{Duration, Instant},
    work::{App, Job},
};

/// A task's name while it lives: where it is in the table, and which tenant of that place it is.
///
/// A `TaskId` that is out of date does no harm: every call with it returns
/// [`NoSuchTask`](crate::NoSuchTask). Places are reused oldest first, and the same id comes round
/// again only after a place has had 65,536 tenants. Another `Work` cannot tell that an id is not its
/// own: there it names whatever lives at that place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(NonZeroU32);

impl TaskId {
    /// `index` below 65,535.
    pub(crate) fn new(generation: u16, index: usize) -> Self {
        // The index is stored plus one, which also keeps the whole from being zero.
        let low = NonZeroU32::MIN.saturating_add(index as u32);
        Self(low | (u32::from(generation) << 16))
    }

    pub(crate) const fn index(self) -> usize {
        (self.0.get() as u16 as usize).wrapping_sub(1)
    }

    pub(crate) const fn generation(self) -> u16 {
        (self.0.get() >> 16) as u16
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({}.{})", self.index(), self.generation())
    }
}

impl fmt::Display for TaskId {
    /// The place in the table and the generation, such as `3.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index(), self.generation())
    }
}

/// What to do, when, and how: handed to [`schedule`](crate::Work::schedule).
///
/// ```
/// # use ensue::{App, Cx, ExtU64, Missed, Priority, ScheduleError, Task, Work, clock::Virtual};
/// # struct Node;
/// # impl App for Node { type Event = (); type Params = u8; type Outcome = (); }
/// fn report(_: &mut Node, _: &mut Cx<Node>) {}
///
/// let mut work = Work::<Node, _, 4>::new(Virtual::new());
/// let id = work.schedule(
///     Task::repeat(1.secs(), report)
///         .first_at(100.millis())
///         .params(3)
///         .named("report")
///         .tag(7)
///         .priority(Priority::Low)
///         .missed(Missed::Burst(2))
///         .slack(20.millis()),
/// )?;
/// assert_eq!(work.find(7), Some(id));
/// # Ok::<(), ScheduleError>(())
/// ```
///
/// What there is to say, and of what; the rest is for all:
///
/// | | [`now`](Self::now), [`at`](Self::at) | [`repeat`](Self::repeat) | [`on`](Self::on) |
/// |---|---|---|---|
/// | [`first_at`](Self::first_at) | | yes | |
/// | [`missed`](Self::missed) | yes | yes | |
/// | [`again`](Self::again), [`delay`](Self::delay), [`timeout`](Self::timeout) | | | yes |
///
/// What [`named`](Self::named), [`tag`](Self::tag), [`slack`](Self::slack),
/// [`delay`](Self::delay), [`timeout`](Self::timeout), [`latched`](Self::latched) and
/// [`keep_first`](Self::keep_first) say is kept in a record of options. A `Work` has as many
/// records as tasks unless told otherwise; a task that says none of these takes none.
#[must_use = "a task does nothing until it is scheduled"]
pub struct Task<A: App> {
    pub(crate) job: Job<A>,
    pub(crate) when: When<A::Event>,
    pub(crate) params: Option<A::Params>,
    pub(crate) priority: Priority,
    pub(crate) missed: Option<Missed>,
    pub(crate) first_at: Option<Duration>,
    pub(crate) again: bool,
    pub(crate) options: Options,
}

/// When a task runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When<E> {
    At(Duration),
    Every(Duration),
    On(E),
}

impl<E: Event> When<E> {
    pub(crate) fn plan(&self, missed: Option<Missed>, again: bool) -> Plan {
        match *self {
            Self::At(_) | Self::Every(_) => Plan::Every(missed.unwrap_or_default()),
            Self::On(event) if again => Plan::Again(number(event)),
            Self::On(event) => Plan::On(number(event)),
        }
    }
}

/// What few tasks need, kept beside the slots in a record of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) name: Option<&'static str>,
    pub(crate) delay: Duration,
    pub(crate) timeout: Duration,
    /// The deadline a repeating task goes on from when it has waited for an event.
    pub(crate) phase: Instant,
    pub(crate) tag: u32,
    pub(crate) slack_micros: u32,
    /// The next free record, while this one is free.
    pub(crate) next: crate::list::Link,
    pub(crate) has_tag: bool,
    pub(crate) has_phase: bool,
    pub(crate) latched: bool,
    pub(crate) keep_first: bool,
}

impl Options {
    pub(crate) const NONE: Self = Self {
        name: None,
        delay: Duration::from_ticks(0),
        timeout: Duration::from_ticks(0),
        phase: Instant::from_ticks(0),
        tag: 0,
        slack_micros: 0,
        next: crate::list::Link::NONE,
        has_tag: false,
        has_phase: false,
        latched: false,
        keep_first: false,
    };

    pub(crate) const fn timeout(&self) -> Option<Duration> {
        if self.timeout.is_zero() { None } else { Some(self.timeout) }
    }

    /// Whether a record is needed to keep these.
    pub(crate) const fn say_something(&self) -> bool {
        self.name.is_some()
            || !self.delay.is_zero()
            || !self.timeout.is_zero()
            || self.slack_micros != 0
            || self.has_tag
            || self.latched
            || self.keep_first
    }
}

impl<A: App> Task<A> {
    const fn new(job: Job<A>, when: When<A::Event>) -> Self {
        Self {
            job,
            when,
            params: None,
            priority: Priority::Normal,
            missed: None,
            first_at: None,
            again: false,
            options: Options::NONE,
        }
    }

    /// Once, now: in the next pass.
    #[doc(alias = "do")]
    pub const fn now(job: Job<A>) -> Self {
        Self::new(job, When::At(Duration::from_ticks(0)))
    }

    /// Once, `delay` after it is scheduled.
    pub const fn at(delay: Duration, job: Job<A>) -> Self {
        Self::new(job, When::At(delay))
    }

    /// Every `period`, without drift; the first run is at once.
    pub const fn repeat(period: Duration, job: Job<A>) -> Self {
        Self::new(job, When::Every(period))
    }

    /// When `event` is triggered, once; with [`again`](Self::again) each time.
    ///
    /// A trigger from before reaches nobody, unless the task is [`latched`](Self::latched). One from
    /// an interrupt comes when a pass takes it out of the inbox: a task that was scheduled meanwhile
    /// hears it.
    pub const fn on(event: A::Event, job: Job<A>) -> Self {
        Self::new(job, When::On(event))
    }

    /// What the job is run with, until an event or a [`send`](crate::Work::send) brings something
    /// newer. Without it: the default of the app's params.
    pub fn params(mut self, params: A::Params) -> Self {
        self.params = Some(params);
        self
    }

    /// `repeat` only: the first run is this long after scheduling instead of at once.
    pub const fn first_at(mut self, delay: Duration) -> Self {
        self.first_at = Some(delay);
        self
    }

    /// A name, for people: in the [`Status`], and for [`named`](crate::Work::named).
    pub const fn named(mut self, name: &'static str) -> Self {
        self.options.name = Some(name);
        self
    }

    /// A number of your own, by which [`find`](crate::Work::find) finds the task.
    pub const fn tag(mut self, tag: u32) -> Self {
        self.options.tag = tag;
        self.options.has_tag = true;
        self
    }

    /// Which goes first when several are ready.
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// What becomes of deadlines that have passed when the job returns: of a task that repeats, or
    /// that a [`set_repeat`](crate::Work::set_repeat) may make repeat. Not for `on`.
    pub const fn missed(mut self, missed: Missed) -> Self {
        self.missed = Some(missed);
        self
    }

    /// The task may run up to this much late, so that one awakening serves several.
    ///
    /// When nothing else wakes the program before, it runs at the end of its slack, each time. So let
    /// it be much less than a period: a run that is late by a whole one has missed a deadline. At
    /// most 71 minutes; more counts as that.
    pub const fn slack(mut self, slack: Duration) -> Self {
        let micros = slack.as_ticks();
        self.options.slack_micros = if micros < u32::MAX as u64 { micros as u32 } else { u32::MAX };
        self
    }

    /// `on` only: keep listening. The task runs once for all triggers that come before its run,
    /// and keeps its place among the listeners for life.
    pub const fn again(mut self) -> Self {
        self.again = true;
        self
    }

    /// `on` only: run this long after the trigger. A further trigger meanwhile moves nothing.
    ///
    /// Of a trigger from an interrupt it counts from when a pass has taken it out of the inbox.
    ///
    /// With [`again`](Self::again) and some 30 ms this debounces a contact: a burst of edges is one
    /// run; [the recipes](crate::recipes) have a button. Where edges bring params, add
    /// [`keep_first`](Self::keep_first): the last bounce would win.
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.options.delay = delay;
        self
    }

    /// `on` only: run with [`Cause::Timeout`] when the event has not come for this long, counted
    /// from each subscription, and for an [`again`](Self::again) task from each of its runs. Zero
    /// is no timeout.
    ///
    /// With [`again`](Self::again) this is a watchdog: the event has to come at least this often.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// The task takes, when it begins to listen, a trigger that had reached nobody.
    ///
    /// Each event remembers one such trigger, without its params.
    pub const fn latched(mut self) -> Self {
        self.options.latched = true;
        self
    }

    /// When triggers merge, the first decides instead of the last: its params count, and if it has
    /// brought none, none are [new](crate::Cx::new_params).
    pub const fn keep_first(mut self) -> Self {
        self.options.keep_first = true;
        self
    }

    /// What the table is to do, if what the task says makes sense together.
    pub(crate) fn order(&self) -> Result<Order<'_, A>, ScheduleError> {
        let listens = matches!(self.when, When::On(_));
        let repeats = matches!(self.when, When::Every(_));
        for (is_said, has_use, option) in [
            (self.again, listens, WrongOption::Again),
            (!self.options.delay.is_zero(), listens, WrongOption::Delay),
            (!self.options.timeout.is_zero(), listens, WrongOption::Timeout),
            (self.missed.is_some(), !listens, WrongOption::Missed),
            (self.first_at.is_some(), repeats, WrongOption::FirstAt),
        ] {
            if is_said && !has_use {
                return Err(ScheduleError::WrongOption(option));
            }
        }
        Ok(Order {
            job: self.job,
            params: self.params.clone().unwrap_or_default(),
            when: self.when,
            first_at: self.first_at.unwrap_or(Duration::from_ticks(0)),
            plan: self.when.plan(self.missed, self.again),
            priority: self.priority,
            options: self.options.say_something().then_some(&self.options),
        })
    }
}

impl<A: App> Clone for Task<A> {
    fn clone(&self) -> Self {
        Self { params: self.params.clone(), ..*self }
    }
}

impl<A: App> fmt::Debug for Task<A>
where
    A::Event: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("when", &self.when)
            .field("name", &self.options.name)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

/// Which goes first when several tasks are ready in the same pass.
///
/// No priority interrupts anything: what becomes ready while a pass runs waits for its end, behind
/// everything that the pass began with. What cannot wait for that belongs into an interrupt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Priority {
    /// After the others.
    Low,
    /// What a task has unless it says otherwise.
    #[default]
    Normal,
    /// Before the others.
    High,
}

/// What becomes of the deadlines of a repeating task that have passed when its job returns.
///
/// ```text
/// period 100, the run due at 100 was held up and returned at 450
///            100   200   300   400   500   600
/// Skip        ├──────────────────┤   ■     ■      3 missed, back in phase
/// Burst(1)    ├──────────────────┤■  ■     ■      2 missed, the run due at 400 is late
/// Delay       ├──────────────────┤   ■ from its start, not from its deadline
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Missed {
    /// They are skipped, and counted; the next run is the next one in phase.
    #[default]
    Skip,
    /// At most this many are made up for, one a pass; those before them are skipped, and counted.
    Burst(u8),
    /// The next run is always one period after the start of this one; the phase shifts.
    Delay,
}

/// What made a task run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause<E> {
    /// Its time had come.
    Time,
    /// The event was triggered.
    Event(E),
    /// The event it waited for did not come in time.
    Timeout,
}

/// Where a task stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum State<E> {
    /// It waits for its time.
    Scheduled,
    /// It waits for the event.
    Listening(E),
    /// The event came and its delay runs.
    Delayed(E),
    /// It runs in the next pass, or later in this one.
    Ready,
    /// It runs.
    Running,
}

/// What there is to say of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Status<E> {
    /// Its id.
    pub id: TaskId,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
    /// Its tag, if it has one.
    pub tag: Option<u32>,
    /// Where it stands.
    pub state: State<E>,
    /// Its priority.
    pub priority: Priority,
    /// How often it repeats by time, if it does.
    pub period: Option<Duration>,
    /// When it will run, as far as that is known: its deadline, the end of its delay or of its
    /// timeout. Of a running task: what it was due at.
    pub next_run: Option<Instant>,
    /// How many faults it has had; it stays at 65,535.
    pub faults: u16,
    /// Deadlines skipped since its last run.
    pub missed: u16,
    /// Triggers merged since its last run; it stays at 32,767.
    pub merged: u16,
}

impl<E: Event> Status<E> {
    /// Whether it is in the queue: scheduled, delayed or ready.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, State::Scheduled | State::Delayed(_) | State::Ready)
    }
}
