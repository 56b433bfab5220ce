//! Where the design decides otherwise than the reference does, each decision by its name.

/// A decision, with the line of the design that makes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Decision {
    CancelFreesAtOnce,
    StartEndsWithoutTasks,
    StartEndsWithOnlyListeners,
    StopIsFinal,
    OneEntryPerTask,
    MergedTriggersCount,
    TriggerDuringRunCounts,
    AwaitIsForOneRun,
    DelayAfterTheTrigger,
    ListenersHaveNoPeriod,
    NoTaskOutsideOfJobs,
    EventsAreEvents,
    IdsDoNotRunOut,
    StatusIsTheState,
    TypedParameters,
    NoPrintNoRun,
    NoStartInsideAJob,
}

use Decision::*;

impl Decision {
    pub(crate) const ALL: [Self; 17] = [
        CancelFreesAtOnce,
        StartEndsWithoutTasks,
        StartEndsWithOnlyListeners,
        StopIsFinal,
        OneEntryPerTask,
        MergedTriggersCount,
        TriggerDuringRunCounts,
        AwaitIsForOneRun,
        DelayAfterTheTrigger,
        ListenersHaveNoPeriod,
        NoTaskOutsideOfJobs,
        EventsAreEvents,
        IdsDoNotRunOut,
        StatusIsTheState,
        TypedParameters,
        NoPrintNoRun,
        NoStartInsideAJob,
    ];

    /// The line that decides it.
    pub(crate) const fn says(self) -> &'static str {
        match self {
            CancelFreesAtOnce => {
                "cancel frees the slot at once; of the running task: when it returns; cancelling \
                 twice is Err(NoSuchTask)"
            }
            StartEndsWithoutTasks => "start ends when no task is left",
            StartEndsWithOnlyListeners => {
                "start ends when nothing can ever happen again (only listeners, no inbox)"
            }
            StopIsFinal => "stop cancels everything that existed when it was called",
            OneEntryPerTask => {
                "membership: at most once in the timeline; who waits for an event is not pending"
            }
            MergedTriggersCount => {
                "a trigger returns how many listeners it reached, merged ones included"
            }
            TriggerDuringRunCounts => "a trigger during its own run counts for the next one",
            AwaitIsForOneRun => {
                "await_event: the task's next run is when the event comes; after that its own plan \
                 goes on"
            }
            DelayAfterTheTrigger => "delay(d) runs it d after the trigger",
            ListenersHaveNoPeriod => {
                "set_repeat on a task that listens: Err(WaitsForEvent), zero ends the listening \
                 after its next run"
            }
            NoTaskOutsideOfJobs => "the current task: none outside jobs",
            EventsAreEvents => "an event is one of the values of the app's own event enum",
            IdsDoNotRunOut => "a TaskId is a generation and an index: a free slot has an id",
            StatusIsTheState => "the status gives name, state and next run",
            TypedParameters => {
                "parameters have types: a call that has none of the right type is not written"
            }
            NoPrintNoRun => "print and run have no counterpart: a job may print, do_now schedules",
            NoStartInsideAJob => "start takes &mut Work, which no job has",
        }
    }
}

/// The decisions that are in force; the others are left as the reference has them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules(u32);

impl Rules {
    pub(crate) const REFERENCE: Self = Self(0);
    pub(crate) const DESIGN: Self = Self((1 << Decision::ALL.len()) - 1);

    pub(crate) const fn has(self, decision: Decision) -> bool {
        self.0 & (1 << decision as u32) != 0
    }

    pub(crate) const fn without(self, decision: Decision) -> Self {
        Self(self.0 & !(1 << decision as u32))
    }

    pub(crate) fn decisions(self) -> impl Iterator<Item = Decision> {
        Decision::ALL.into_iter().filter(move |decision| self.has(*decision))
    }
}
