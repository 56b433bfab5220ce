//! What the scheduler's types look like in a log: as with `Debug`.

use defmt::{Format, Formatter};

use crate::{
    error::{AwaitError, Error, NoSuchTask, Rejected, ScheduleError, SetRepeatError, WrongOption},
    event::{Event, Events},
    fault::{ErrorOf, Fault, FaultKind},
    inbox::{Full, Inbox},
    pattern::Backoff,
    task::{Cause, Missed, Priority, State, Status, Task, TaskId, When},
    time::{Clock, Sleep},
    work::{App, Cx, Ended, Next, Work},
};

impl Format for TaskId {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "TaskId({}.{})", self.index(), self.generation());
    }
}

impl<A: App> Format for Task<A>
where
    A::Event: Format,
{
    fn format(&self, f: Formatter<'_>) {
        let (name, priority) = (self.options.name, self.priority);
        defmt::write!(
            f,
            "Task {{ when: {}, name: {:?}, priority: {} }}",
            self.when,
            name,
            priority
        );
    }
}

impl<E: Format> Format for When<E> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::At(delay) => defmt::write!(f, "At({})", delay),
            Self::Every(period) => defmt::write!(f, "Every({})", period),
            Self::On(event) => defmt::write!(f, "On({})", event),
        }
    }
}

impl Format for Priority {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Low => defmt::write!(f, "Low"),
            Self::Normal => defmt::write!(f, "Normal"),
            Self::High => defmt::write!(f, "High"),
        }
    }
}

impl Format for Missed {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Skip => defmt::write!(f, "Skip"),
            Self::Burst(most) => defmt::write!(f, "Burst({=u8})", most),
            Self::Delay => defmt::write!(f, "Delay"),
        }
    }
}

impl<E: Format> Format for Cause<E> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Time => defmt::write!(f, "Time"),
            Self::Event(event) => defmt::write!(f, "Event({})", event),
            Self::Timeout => defmt::write!(f, "Timeout"),
        }
    }
}

impl<E: Format> Format for State<E> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Scheduled => defmt::write!(f, "Scheduled"),
            Self::Listening(event) => defmt::write!(f, "Listening({})", event),
            Self::Delayed(event) => defmt::write!(f, "Delayed({})", event),
            Self::Ready => defmt::write!(f, "Ready"),
            Self::Running => defmt::write!(f, "Running"),
        }
    }
}

impl<E: Format> Format for Status<E> {
    fn format(&self, f: Formatter<'_>) {
        let Self { id, name, tag, state, priority, period, next_run, faults, missed, merged } =
            self;
        defmt::write!(f, "Status {{ id: {}, name: {:?}, tag: {}, ", id, name, tag);
        defmt::write!(f, "state: {}, priority: {}, ", state, priority);
        defmt::write!(f, "period: {}, next_run: {}, ", period, next_run);
        defmt::write!(f, "faults: {}, missed: {}, merged: {} }}", faults, missed, merged);
    }
}

impl Format for NoSuchTask {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "NoSuchTask");
    }
}

impl Format for WrongOption {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Again => defmt::write!(f, "Again"),
            Self::Delay => defmt::write!(f, "Delay"),
            Self::Timeout => defmt::write!(f, "Timeout"),
            Self::Missed => defmt::write!(f, "Missed"),
            Self::FirstAt => defmt::write!(f, "FirstAt"),
        }
    }
}

impl Format for Error {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Schedule(error) => defmt::write!(f, "Schedule({})", error),
            Self::SetRepeat(error) => defmt::write!(f, "SetRepeat({})", error),
            Self::Await(error) => defmt::write!(f, "Await({})", error),
            Self::NoSuchTask => defmt::write!(f, "NoSuchTask"),
        }
    }
}

impl Format for ScheduleError {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::TableFull => defmt::write!(f, "TableFull"),
            Self::OptionsFull => defmt::write!(f, "OptionsFull"),
            Self::TagTaken => defmt::write!(f, "TagTaken"),
            Self::ZeroPeriod => defmt::write!(f, "ZeroPeriod"),
            Self::WrongOption(option) => defmt::write!(f, "WrongOption({})", option),
        }
    }
}

impl<A: App> Format for Rejected<A> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Rejected {{ reason: {}, .. }}", self.reason);
    }
}

impl Format for SetRepeatError {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::NoSuchTask => defmt::write!(f, "NoSuchTask"),
            Self::WaitsForEvent => defmt::write!(f, "WaitsForEvent"),
        }
    }
}

impl Format for AwaitError {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::NoSuchTask => defmt::write!(f, "NoSuchTask"),
            Self::OptionsFull => defmt::write!(f, "OptionsFull"),
        }
    }
}

impl<A: App> Format for Fault<'_, A>
where
    ErrorOf<A>: Format,
{
    fn format(&self, f: Formatter<'_>) {
        let Self { task, name, kind, count } = self;
        defmt::write!(f, "Fault {{ task: {}, name: {:?}, ", task, name);
        defmt::write!(f, "kind: {}, count: {=u16} }}", kind, count);
    }
}

impl<E: Format> Format for FaultKind<'_, E> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Failed(error) => defmt::write!(f, "Failed({})", error),
        }
    }
}

impl<const N: usize> Format for Events<N> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Events<{=usize}>", N);
    }
}

impl<E: Event, P, const N: usize, W> Format for Inbox<E, P, N, W> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Inbox {{ refused: {=u32}, .. }}", self.refused());
    }
}

impl<P: Format> Format for Full<P> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Full({})", self.0);
    }
}

impl Format for Sleep<'_> {
    fn format(&self, f: Formatter<'_>) {
        let (until, is_over) = (self.until(), self.is_over());
        defmt::write!(f, "Sleep {{ until: {}, is_over: {=bool}, .. }}", until, is_over);
    }
}

impl<A: App, C: Clock, const TASKS: usize, const OPTIONS: usize> Format
    for Work<A, C, TASKS, OPTIONS>
{
    fn format(&self, f: Formatter<'_>) {
        let tasks = self.task_count();
        defmt::write!(f, "Work {{ tasks: {=usize}, capacity: {=usize}, .. }}", tasks, TASKS);
    }
}

impl<A: App> Format for Cx<'_, A> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Cx {{ id: {}, .. }}", self.id());
    }
}

impl Format for Next {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Now => defmt::write!(f, "Now"),
            Self::At(instant) => defmt::write!(f, "At({})", instant),
            Self::Event => defmt::write!(f, "Event"),
            Self::Ended(ended) => defmt::write!(f, "Ended({})", ended),
        }
    }
}

impl Format for Ended {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Stopped => defmt::write!(f, "Stopped"),
            Self::NoTasks => defmt::write!(f, "NoTasks"),
            Self::NothingToWaitFor => defmt::write!(f, "NothingToWaitFor"),
            Self::ClockEnded => defmt::write!(f, "ClockEnded"),
        }
    }
}

impl Format for Backoff {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "Backoff {{ failures: {=u32}, .. }}", self.failures());
    }
}
