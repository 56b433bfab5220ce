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

    /// The design's words.
    pub(crate) const fn says(self) -> &'static str {
        match self {
            CancelFreesAtOnce => {
                "cancel: frees the slot at once; of the running task: when it returns. Cancelling \
                 twice is Err(NoSuchTask)"
            }
            StartEndsWithoutTasks => "start ends: on stop, when no task is left, ..",
            StartEndsWithOnlyListeners => {
                "start ends: .. or when nothing can ever happen again (only listeners, no inbox, \
                 no pending future)"
            }
            StopIsFinal => {
                "stop: cancels everything that existed when it was called, skips the rest of the pass"
            }
            OneEntryPerTask => {
                "membership: at most one event list, and at most once in the timeline"
            }
            MergedTriggersCount => {
                "trigger: reaches the listeners in the order in which they subscribed and returns \
                 how many, merged ones included"
            }
            TriggerDuringRunCounts => {
                "triggered again before it ran: .. A trigger during its own run counts for the next \
                 one"
            }
            AwaitIsForOneRun => {
                "await_event: the task's next run is when the event comes, instead of its next \
                 deadline or its own event; after that its own plan goes on"
            }
            DelayAfterTheTrigger => {
                "on: .. delay(d) runs it d after the trigger (triggered again meanwhile: the first \
                 deadline stays)"
            }
            ListenersHaveNoPeriod => {
                "set_repeat: .. On a task that listens: Err(WaitsForEvent), zero ends the listening \
                 after its next run"
            }
            NoTaskOutsideOfJobs => "the current task id: none outside jobs",
            EventsAreEvents => "event: one of the values of the app's own event enum; a cause",
            IdsDoNotRunOut => "ids: TaskId is a generation and an index in a NonZeroU32",
            StatusIsTheState => "gives for each task its name, state, next run, ..",
            TypedParameters => {
                "events are an enum, params a type, jobs plain functions, times durations: what has \
                 no such type is not written"
            }
            NoPrintNoRun => {
                "the reference's print and run have no counterpart: a job may print, and do_now \
                 schedules"
            }
            NoStartInsideAJob => {
                "only the main context touches the task table: &mut Work is the proof"
            }
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

    pub(crate) const fn with(self, decision: Decision) -> Self {
        Self(self.0 | (1 << decision as u32))
    }

    pub(crate) const fn without(self, decision: Decision) -> Self {
        Self(self.0 & !(1 << decision as u32))
    }

    pub(crate) fn decisions(self) -> impl Iterator<Item = Decision> {
        Decision::ALL.into_iter().filter(move |decision| self.has(*decision))
    }
}
