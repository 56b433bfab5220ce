//! What the scheduler's verbs answer when they cannot do what they are asked.
//!
//! Each verb has an error of its own that lists what can come back from it, and nothing else.
//! [`Error`] is all of them together, for a job that uses several.

use core::fmt;

use crate::{task::Task, work::App};

/// The task does not exist, or not any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuchTask;

/// Why a task could not be scheduled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ScheduleError {
    /// Every place of the table is taken.
    TableFull,
    /// The task needs a record of [options](Task), and every one is taken.
    OptionsFull,
    /// Another task has this tag.
    TagTaken,
    /// A period of zero.
    ZeroPeriod,
    /// The [task](Task) says something that its kind has no use for, such as `again` with `repeat`.
    WrongOption(WrongOption),
}

/// What a task says though its kind has no use for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WrongOption {
    /// [`again`](Task::again), without listening.
    Again,
    /// [`delay`](Task::delay), without listening.
    Delay,
    /// [`timeout`](Task::timeout), without listening.
    Timeout,
    /// [`missed`](Task::missed) of a task that listens.
    Missed,
    /// [`first_at`](Task::first_at), without repeating.
    FirstAt,
}

/// A task that could not be scheduled, and why; nothing else has changed.
pub struct Rejected<A: App> {
    /// The task, as it was given.
    pub task: Task<A>,
    /// Why.
    pub reason: ScheduleError,
}

impl<A: App> fmt::Debug for Rejected<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<A: App> From<Rejected<A>> for ScheduleError {
    fn from(rejected: Rejected<A>) -> Self {
        rejected.reason
    }
}

/// Why a period could not be set, or a run not be moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SetRepeatError {
    /// The task does not exist, or not any more.
    NoSuchTask,
    /// An event brings the task's next run, not a time.
    WaitsForEvent,
}

/// Why a task could not be made to await an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AwaitError {
    /// The task does not exist, or not any more.
    NoSuchTask,
    /// A repeating task needs a record of [options](Task) to remember its phase, and every one is
    /// taken.
    OptionsFull,
}

impl From<NoSuchTask> for SetRepeatError {
    fn from(_: NoSuchTask) -> Self {
        Self::NoSuchTask
    }
}

impl From<NoSuchTask> for AwaitError {
    fn from(_: NoSuchTask) -> Self {
        Self::NoSuchTask
    }
}

impl fmt::Display for NoSuchTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such task")
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TableFull => "the table of tasks is full",
            Self::OptionsFull => "no record for the task's options is free",
            Self::TagTaken => "another task has this tag",
            Self::ZeroPeriod => "a period of zero",
            Self::WrongOption(WrongOption::Again) => "`again` is for tasks that listen",
            Self::WrongOption(WrongOption::Delay) => "`delay` is for tasks that listen",
            Self::WrongOption(WrongOption::Timeout) => "`timeout` is for tasks that listen",
            Self::WrongOption(WrongOption::Missed) => "`missed` is not for tasks that listen",
            Self::WrongOption(WrongOption::FirstAt) => "`first_at` is for tasks that repeat",
        })
    }
}

impl<A: App> fmt::Display for Rejected<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Display for SetRepeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchTask => "no such task",
            Self::WaitsForEvent => "the task waits for an event",
        })
    }
}

impl fmt::Display for AwaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchTask => "no such task",
            Self::OptionsFull => "no record for the task's phase is free",
        })
    }
}

impl core::error::Error for NoSuchTask {}
impl core::error::Error for ScheduleError {}
impl<A: App> core::error::Error for Rejected<A> {}
impl core::error::Error for SetRepeatError {}
impl core::error::Error for AwaitError {}

/// Any of these errors, for a job that calls several verbs: `?` makes it of each.
///
/// ```
/// use ensue::{App, Cx, Error, ExtU64, Task, TaskId, Work, clock::Virtual};
///
/// struct Lamp { blinking: TaskId }
/// impl App for Lamp { type Event = (); type Params = u8; type Outcome = Result<(), Error>; }
///
/// fn hurry(lamp: &mut Lamp, cx: &mut Cx<Lamp>) -> Result<(), Error> {
///     cx.send(lamp.blinking, 7)?;
///     cx.set_repeat(lamp.blinking, 100.millis())?;
///     cx.schedule(Task::at(5.secs(), calm_down).named("calm down"))?;
///     Ok(())
/// }
/// # fn blink(_: &mut Lamp, _: &mut Cx<Lamp>) -> Result<(), Error> { Ok(()) }
/// # fn calm_down(_: &mut Lamp, cx: &mut Cx<Lamp>) -> Result<(), Error> { cx.stop(); Ok(()) }
/// # let mut work = Work::<Lamp, _, 4>::new(Virtual::new());
/// # let blinking = work.repeat(1.secs(), blink)?;
/// # work.do_now(hurry)?;
/// # let _ = work.start(&mut Lamp { blinking });
/// # assert_eq!(work.fault_count(), 0);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A task could not be scheduled.
    Schedule(ScheduleError),
    /// A period could not be set, or a run not be moved.
    SetRepeat(SetRepeatError),
    /// A task could not be made to await an event.
    Await(AwaitError),
    /// The task does not exist, or not any more.
    NoSuchTask,
}

impl From<ScheduleError> for Error {
    fn from(error: ScheduleError) -> Self {
        Self::Schedule(error)
    }
}

impl<A: App> From<Rejected<A>> for Error {
    fn from(rejected: Rejected<A>) -> Self {
        Self::Schedule(rejected.reason)
    }
}

impl From<SetRepeatError> for Error {
    fn from(error: SetRepeatError) -> Self {
        match error {
            SetRepeatError::NoSuchTask => Self::NoSuchTask,
            error => Self::SetRepeat(error),
        }
    }
}

impl From<AwaitError> for Error {
    fn from(error: AwaitError) -> Self {
        match error {
            AwaitError::NoSuchTask => Self::NoSuchTask,
            error => Self::Await(error),
        }
    }
}

impl From<NoSuchTask> for Error {
    fn from(_: NoSuchTask) -> Self {
        Self::NoSuchTask
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schedule(error) => error.fmt(f),
            Self::SetRepeat(error) => error.fmt(f),
            Self::Await(error) => error.fmt(f),
            Self::NoSuchTask => NoSuchTask.fmt(f),
        }
    }
}

impl core::error::Error for Error {}
