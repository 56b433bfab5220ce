//! The scheduler: the loop where everything meets, and what a job sees of it.
//!
//! [`Work`] owns the arrays and the clock. A pass reads the clock, takes what interrupts have left,
//! moves what is due into the ready queues and runs it, one job after the other, each to its end.
//! What a job arms while the pass runs is for the next pass, so a task that feeds itself cannot
//! keep the others from their turn. Between passes the clock's [`wait`](Clock::wait) sleeps.
//!
//! Inside a job the same verbs hang on [`Cx`]. It does not know how many tasks there are, so a job
//! is a plain function of the app's type and nothing else.

use core::fmt;

use crate::{
    error::{AwaitError, NoSuchTask, Rejected, ScheduleError, SetRepeatError},
    event::Event,
    fault::{Fault, FaultKind, Outcome},
    inbox::Inbox,
    log,
    pass::{Batch, Run},
    table::{Head, Order, Slot, Step, Table, Unusual},
    task::{Cause, Options, Status, Task, TaskId, When},
    time::{Clock, Duration, Instant, Sleep, since},
    view::View,
};

/// The user's own state, and the types that go with it.
///
/// ```
/// use ensue::{App, Cx, Fault};
///
/// ensue::events! { pub enum Signal { Button, Sampled } }
///
/// #[derive(Clone, Default)]
/// enum Msg {
///     #[default]
///     Nothing,
///     Celsius(i16),
/// }
///
/// struct Node { broken_sensor: bool }
///
/// impl App for Node {
///     type Event = Signal;
///     type Params = Msg;
///     type Outcome = Result<(), &'static str>;
///
///     fn on_fault(&mut self, _: &Fault<'_, Self>, _: &mut Cx<'_, Self>) {
///         self.broken_sensor = true;
///     }
/// }
/// ```
///
/// An event of another app does not compile, nor do params of another type:
///
/// ```compile_fail,E0308
/// # use ensue::{App, Work, clock::Virtual};
/// # ensue::events! { pub enum Signal { Button } }
/// # ensue::events! { pub enum Other { Button } }
/// # struct Node;
/// # impl App for Node { type Event = Signal; type Params = u8; type Outcome = (); }
/// let mut work = Work::<Node, _, 4>::new(Virtual::new());
/// work.trigger_event(Other::Button);
/// ```
///
/// ```compile_fail,E0308
/// # use ensue::{App, Work, clock::Virtual};
/// # ensue::events! { pub enum Signal { Button } }
/// # struct Node;
/// # impl App for Node { type Event = Signal; type Params = u8; type Outcome = (); }
/// let mut work = Work::<Node, _, 4>::new(Virtual::new());
/// work.trigger_event_with(Signal::Button, "21.5 C");
/// ```
///
/// An app may borrow, such as a buffer or a peripheral: `struct Node<'a>`, `impl App for Node<'_>`. A
/// function that is given one takes it as `&mut Node<'_>`.
pub trait App: Sized {
    /// What can happen: an enum made by [`events!`](crate::events), or `()`.
    type Event: Event;

    /// What a task is run with; events can bring new ones. `()` when there is nothing to bring.
    type Params: Clone + Default + 'static;

    /// What jobs return: `()` or `Result<(), E>`.
    type Outcome: Outcome;

    /// A job has failed. Nothing else stops, and a repeating task goes on.
    ///
    /// Called right after the run, before the task is armed again; `cx` is still that of the run.
    /// The default does nothing: the fault is only counted.
    fn on_fault(&mut self, fault: &Fault<'_, Self>, cx: &mut Cx<'_, Self>) {
        let _ = (fault, cx);
    }
}

/// A plain function that does one thing and returns.
pub type Job<A> = fn(&mut A, &mut Cx<'_, A>) -> <A as App>::Outcome;

/// What can be asked of a scheduler from outside and from inside a job alike, written once.
///
/// The one who uses it has `table()` for changing, `view()` for asking, and `clock()`.
macro_rules! verbs {
    () => {
        /// Runs a job once, in the next pass.
        ///
        /// Errors: [`ScheduleError::TableFull`].
        /// Cost: O(1). Callable from: main.
        ///
        /// ```
        /// # use ensue::{App, Cx, Next, Ended, Work, clock::Virtual};
        /// # struct Node;
        /// # impl App for Node { type Event = (); type Params = (); type Outcome = (); }
        /// # fn hello(_: &mut Node, _: &mut Cx<Node>) {}
        /// let mut work = Work::<Node, _, 4>::new(Virtual::new());
        /// work.do_now(hello)?;
        /// assert_eq!(work.poll(&mut Node), Next::Ended(Ended::NoTasks));
        /// # Ok::<(), ensue::ScheduleError>(())
        /// ```
        #[doc(alias = "do")]
        pub fn do_now(&mut self, job: Job<A>) -> Result<TaskId, ScheduleError> {
            self.settle_timed(Duration::from_ticks(0), Duration::from_ticks(0), job)
        }

        /// Runs a job once, `delay` from now.
        ///
        /// Errors: [`ScheduleError::TableFull`].
        /// Cost: O(log tasks). Callable from: main.
        ///
        /// ```
        /// # use ensue::{App, Cx, ExtU64, Instant, Next, Work, clock::Virtual};
        /// # struct Node;
        /// # impl App for Node { type Event = (); type Params = (); type Outcome = (); }
        /// # fn blink(_: &mut Node, _: &mut Cx<Node>) {}
        /// let mut work = Work::<Node, _, 4>::new(Virtual::new());
        /// work.at(5.secs(), blink)?;
        /// assert_eq!(work.poll(&mut Node), Next::At(Instant::from_ticks(5_000_000)));
        /// # Ok::<(), ensue::ScheduleError>(())
        /// ```
        pub fn at(&mut self, delay: Duration, job: Job<A>) -> Result<TaskId, ScheduleError> {
            self.settle_timed(delay, Duration::from_ticks(0), job)
        }

        /// Runs a job now and then every `period`, without drift.
        ///
        /// Errors: [`ScheduleError::TableFull`], [`ScheduleError::ZeroPeriod`].
        /// Cost: O(1). Callable from: main.
        ///
        /// ```
        /// # use ensue::{App, Cx, Duration, ExtU64, ScheduleError, Work, clock::Virtual};
        /// # struct Node;
        /// # impl App for Node { type Event = (); type Params = (); type Outcome = (); }
        /// # fn heartbeat(_: &mut Node, _: &mut Cx<Node>) {}
        /// let mut work = Work::<Node, _, 4>::new(Virtual::new());
        /// work.repeat(500.millis(), heartbeat)?;
        /// assert_eq!(work.repeat(0.millis(), heartbeat), Err(ScheduleError::ZeroPeriod));
        /// # Ok::<(), ensue::ScheduleError>(())
        /// ```
        pub fn repeat(&mut self, period: Duration, job: Job<A>) -> Result<TaskId, ScheduleError> {
            if period.is_zero() {
                return Err(ScheduleError::ZeroPeriod);
            }
            self.settle_timed(Duration::from_ticks(0), period, job)
        }

        /// Runs a job once, when `event` is triggered.
        ///
        /// Errors: [`ScheduleError::TableFull`].
        /// Cost: O(1). Callable from: main.
        ///
        /// ```
        /// # use ensue::{App, Cx, Work, clock::Virtual};
        /// # ensue::events! { pub enum Signal { Button } }
        /// # struct Node;
        /// # impl App for Node { type Event = Signal; type Params = (); type Outcome = (); }
        /// # fn pressed(_: &mut Node, _: &mut Cx<Node>) {}
        /// let mut work = Work::<Node, _, 4>::new(Virtual::new());
        /// work.on(Signal::Button, pressed)?;
        /// assert_eq!(work.trigger_event(Signal::Button), 1);
        /// assert_eq!(work.trigger_event(Signal::Button), 0);
        /// # Ok::<(), ensue::ScheduleError>(())
        /// ```
        pub fn on(&mut self, event: A::Event, job: Job<A>) -> Result<TaskId, ScheduleError> {
            let now = self.now();
            let order = Order::plain(job, When::On(event));
            self.table().settle(order, now)
        }

        /// Schedules a [`Task`], with whatever it says.
        ///
        /// Errors: [`Rejected`] gives the task back and says why; nothing else has changed.
        /// Cost: O(log tasks), and O(tasks) when it has a tag. Callable from: main.
        ///
        /// ```
        /// # use ensue::{App, Cx, ExtU64, ScheduleError, Task, Work, clock::Virtual};
        /// # struct Node;
        /// # impl App for Node { type Event = (); type Params = u8; type Outcome = (); }
        /// # fn report(_: &mut Node, _: &mut Cx<Node>) {}
        /// let mut work = Work::<Node, _, 1>::new(Virtual::new());
        /// work.schedule(Task::at(1.secs(), report).params(1))?;
        /// let rejected = work.schedule(Task::at(1.secs(), report).params(2)).unwrap_err();
        /// assert_eq!(rejected.reason, ScheduleError::TableFull);
        /// let _again_later: Task<Node> = rejected.task;
        /// # Ok::<(), ensue::ScheduleError>(())
        /// ```
        ///
        /// `?` makes a [`ScheduleError`] or an [`Error`](crate::Error) of it. For an error type of
        /// your own leave the task behind, `.map_err(|rejected| rejected.reason)?`; that also helps
        /// where an app that borrows something keeps [`Rejected`] out of a `Box<dyn Error>`.
        pub fn schedule(&mut self, task: Task<A>) -> Result<TaskId, Rejected<A>> {
            let now = self.now();
            match task.order().and_then(|order| self.table().settle(order, now)) {
                Ok(id) => Ok(id),
                Err(reason) => Err(Rejected { task, reason }),
            }
        }

        fn settle_timed(
            &mut self,
            delay: Duration,
            period: Duration,
            job: Job<A>,
        ) -> Result<TaskId, ScheduleError> {
            let now = self.now();
            self.table().settle_timed(job, delay, period, now).ok_or(ScheduleError::TableFull)
        }

        /// Triggers an event: what listens to it is ready now. Returns how many that were, those
        /// included that were ready already.
        ///
        /// Cost: O(listeners). Callable from: main; interrupts have [`Inbox::trigger_event`].
        pub fn trigger_event(&mut self, event: A::Event) -> usize {
            let now = self.now();
            self.table().trigger(event.index(), None, now)
        }

        /// Triggers an event that brings params.
        ///
        /// Each listener keeps a copy, not only for this run but until something newer comes: a
        /// later trigger without params, or a timeout, runs it with these again.
        ///
        /// Cost: O(listeners). Callable from: main; interrupts have
        /// [`Inbox::trigger_event_with`].
        ///
        /// ```
        /// # use ensue::{App, Cx, ExtU64, Task, Work, clock::Virtual};
        /// # ensue::events! { pub enum Signal { Sampled } }
        /// struct Node { celsius: i16 }
        /// impl App for Node { type Event = Signal; type Params = i16; type Outcome = (); }
        /// fn sampled(node: &mut Node, cx: &mut Cx<Node>) {
        ///     node.celsius = *cx.params();
        /// }
        /// let mut work = Work::<Node, _, 4>::new(Virtual::new());
        /// work.schedule(Task::on(Signal::Sampled, sampled).again())?;
        /// assert_eq!(work.trigger_event_with(Signal::Sampled, 21), 1);
        /// let mut node = Node { celsius: 0 };
        /// let _ = work.poll(&mut node);
        /// assert_eq!(node.celsius, 21);
        /// # Ok::<(), ensue::ScheduleError>(())
        /// ```
        pub fn trigger_event_with(&mut self, event: A::Event, params: A::Params) -> usize {
            let now = self.now();
            self.table().trigger(event.index(), Some(&params), now)
        }

        /// Ends a task; its place is free at once. A running task keeps its place until it
        /// returns.
        ///
        /// Errors: [`NoSuchTask`], also when it has been cancelled before.
        /// Cost: O(log tasks). Callable from: main.
        pub fn cancel(&mut self, id: TaskId) -> Result<(), NoSuchTask> {
            self.table().cancel(id)
        }

        /// Changes how often a task repeats; a one-shot becomes a repeating task.
        ///
        /// The run that is armed stays where it is, and the new period counts from it. Zero: no
        /// further run after the armed one; inside the task's own run, none after this one. So a
        /// shorter period shows only after the next run; to have that sooner,
        /// [`reschedule`](Self::reschedule) the task as well. On a task that listens, zero ends the
        /// listening after its next run.
        ///
        /// Errors: [`SetRepeatError`]. Cost: O(1). Callable from: main.
        pub fn set_repeat(&mut self, id: TaskId, period: Duration) -> Result<(), SetRepeatError> {
            self.table().set_repeat(id, period)
        }

        /// Moves the next run of a task that runs by time: it is `delay` from now. A repeating task
        /// goes on from there, with a new phase. Inside its own run, also a one-shot runs again.
        ///
        /// Errors: [`SetRepeatError`]; a task whose next run an event brings is left alone.
        /// Cost: O(log tasks). Callable from: main.
        ///
        /// ```
        /// # use ensue::{App, Cx, ExtU64, Instant, Next, Work, clock::Virtual};
        /// # struct Node;
        /// # impl App for Node { type Event = (); type Params = (); type Outcome = (); }
        /// # fn sample(_: &mut Node, _: &mut Cx<Node>) {}
        /// # fn light_off(_: &mut Node, _: &mut Cx<Node>) {}
        /// let mut work = Work::<Node, _, 4>::new(Virtual::new());
        /// let off = work.at(30.secs(), light_off)?;
        /// work.reschedule(off, 60.secs())?; // somebody moved
        /// # let _ = work.poll(&mut Node);
        ///
        /// let sampling = work.repeat(10.secs(), sample)?;
        /// work.set_repeat(sampling, 1.secs())?;
        /// work.reschedule(sampling, 1.secs())?; // from now on, not after the next ten seconds
        /// assert_eq!(work.poll(&mut Node), Next::At(Instant::from_ticks(1_000_000)));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        pub fn reschedule(&mut self, id: TaskId, delay: Duration) -> Result<(), SetRepeatError> {
            let now = self.now();
            self.table().reschedule(id, delay, now)
        }

        /// Replaces what a task is run with, from its next run on.
        ///
        /// Errors: [`NoSuchTask`]. Cost: O(1). Callable from: main.
        pub fn send(&mut self, id: TaskId, params: A::Params) -> Result<(), NoSuchTask> {
            self.table().send(id, params)
        }

        /// Ends all tasks there are, skips the rest of the pass, empties the inbox, and lets
        /// [`start`](Work::start) return. Runs that were due and triggers not yet answered are gone
        /// with the tasks. What is scheduled after this call stays.
        ///
        /// Cost: O(tasks log tasks). Callable from: main.
        pub fn stop(&mut self) {
            self.table().stop();
        }

        /// Where a task stands.
        ///
        /// Errors: [`NoSuchTask`]. Cost: O(1); of a listener between a trigger and its run,
        /// O(listeners). Callable from: main.
        pub fn status(&self, id: TaskId) -> Result<Status<A::Event>, NoSuchTask> {
            self.view().status(id)
        }

        /// All tasks, by their places in the table: in no order that means anything.
        ///
        /// Callable from: main.
        pub fn tasks(&self) -> impl Iterator<Item = Status<A::Event>> {
            self.view().tasks()
        }

        /// The task with this tag. Cost: O(tasks). Callable from: main.
        pub fn find(&self, tag: u32) -> Option<TaskId> {
            self.view().find(tag)
        }

        /// The first task with this name. Cost: O(tasks). Callable from: main.
        pub fn named(&self, name: &str) -> Option<TaskId> {
            self.view().named(name)
        }

        /// How many tasks there are, the running one included.
        pub fn task_count(&self) -> usize {
            self.view().task_count()
        }

        /// How many tasks are queued: scheduled, delayed or ready. Those that listen are not, nor
        /// is the one that runs. Cost: O(tasks).
        pub fn pending_count(&self) -> usize {
            self.view().pending_count()
        }

        /// The task that runs; `None` outside of jobs.
        pub fn current_task_id(&self) -> Option<TaskId> {
            self.view().running()
        }

        /// How many faults there have been since the beginning; it stays at `u32::MAX`.
        pub fn fault_count(&self) -> u32 {
            self.view().head.faults
        }

        /// The time now, from the clock. It never goes back.
        pub fn now(&self) -> Instant {
            self.view().head.read(self.clock())
        }
    };
}

/// A scheduler of at most `TASKS` tasks, on one timeline, without a heap.
///
/// `OPTIONS` is how many of them may have [options](Task); as many as tasks unless told otherwise.
/// A task takes 56 bytes on a 32-bit chip when the params take four, a record of options 48.
///
/// ```
/// use ensue::{App, Cx, Ended, ExtU64, Work, clock::Virtual};
///
/// struct Lamp { on: bool, changes: u32 }
/// impl App for Lamp { type Event = (); type Params = (); type Outcome = (); }
///
/// fn toggle(lamp: &mut Lamp, _: &mut Cx<Lamp>) {
///     lamp.on = !lamp.on;
///     lamp.changes += 1;
/// }
/// fn enough(_: &mut Lamp, cx: &mut Cx<Lamp>) {
///     cx.stop();
/// }
///
/// let mut work = Work::<Lamp, _, 4>::new(Virtual::new());
/// work.repeat(500.millis(), toggle)?;
/// work.at(3.secs(), enough)?;
/// let mut lamp = Lamp { on: false, changes: 0 };
/// assert_eq!(work.start(&mut lamp), Ended::Stopped);
/// assert_eq!(lamp.changes, 6); // at 0, 0.5, .. 2.5 s: at 3 s `enough` was armed first
/// # Ok::<(), ensue::ScheduleError>(())
/// ```
///
/// A first job is the handiest place to set up the others: it has the app and all verbs, and needs
/// no type but `Cx<Lamp>`. Should one of them not fit into the table, that is a fault of the first
/// job and stops nothing: look at [`fault_count`](Self::fault_count), or stop in
/// [`on_fault`](App::on_fault).
///
/// ```
/// # use ensue::{App, Cx, Ended, ExtU64, ScheduleError, Task, Work, clock::Virtual};
/// struct Lamp;
/// impl App for Lamp {
///     type Event = ();
///     type Params = ();
///     type Outcome = Result<(), ScheduleError>;
/// }
///
/// fn begin(_: &mut Lamp, cx: &mut Cx<Lamp>) -> Result<(), ScheduleError> {
///     cx.repeat(500.millis(), toggle)?;
///     cx.schedule(Task::on((), toggle).again().latched())?; // a press from before counts, too
///     Ok(())
/// }
/// # fn toggle(_: &mut Lamp, cx: &mut Cx<Lamp>) -> Result<(), ScheduleError> { cx.stop(); Ok(()) }
///
/// let mut work = Work::<Lamp, _, 4>::new(Virtual::new());
/// work.do_now(begin)?;
/// # assert_eq!(work.start(&mut Lamp), Ended::Stopped);
/// # Ok::<(), ScheduleError>(())
/// ```
///
/// A table without a place does not compile:
///
/// ```compile_fail,E0080
/// # use ensue::{App, Work, clock::Virtual};
/// # struct Lamp;
/// # impl App for Lamp { type Event = (); type Params = (); type Outcome = (); }
/// let work = Work::<Lamp, _, 0>::new(Virtual::new());
/// ```
pub struct Work<A: App, C, const TASKS: usize, const OPTIONS: usize = TASKS> {
    clock: C,
    head: Head<A>,
    slots: [Slot<A>; TASKS],
    options: [Options; OPTIONS],
}

/// What comes next, as [`poll`](Work::poll) sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Something is ready: poll again at once.
    Now,
    /// Nothing is ready before this time, unless an event comes.
    At(Instant),
    /// Only an event from the inbox can bring the next run.
    Event,
    /// There is nothing left to do.
    Ended(Ended),
}

/// Why [`start`](Work::start) has returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// `stop` was called, in a job or in an interrupt.
    Stopped,
    /// No task is left.
    NoTasks,
    /// All tasks wait for events, and there is no inbox from which one could come.
    NothingToWaitFor,
    /// The clock said that nothing will come any more; see [`Sleep::end`].
    ClockEnded,
}

impl<A: App, C: Clock, const TASKS: usize, const OPTIONS: usize> Work<A, C, TASKS, OPTIONS> {
    /// An empty table.
    pub const fn new(clock: C) -> Self {
        const {
            assert!(TASKS > 0, "a table needs at least one place");
            assert!(TASKS < 65_535, "a table has at most 65,534 places");
            assert!(OPTIONS <= TASKS, "a task has at most one record of options");
        }
        Self {
            clock,
            head: Head::new(),
            slots: [const { Slot::FREE }; TASKS],
            options: [Options::NONE; OPTIONS],
        }
    }

    /// Takes events from this inbox, at the start of each pass, and obeys its
    /// [`stop`](Inbox::stop) after each run.
    ///
    /// There is one inbox, for any number of interrupts; a second call replaces the first.
    ///
    /// An app that has no events at all does not compile with it; if `stop` is all that is wanted,
    /// let its `Event` be `()`.
    pub fn listen<const N: usize, W>(
        mut self,
        inbox: &'static Inbox<A::Event, A::Params, N, W>,
    ) -> Self
    where
        A::Params: Send,
    {
        const {
            assert!(
                Table::<A>::HAS_EVENTS,
                "an app without events listens to no inbox: let Event be () if it is to be stopped"
            );
        }
        self.head.mail = Some(inbox.mailbox());
        self
    }

    /// Runs until [`stop`](Cx::stop), or until nothing can ever happen again; says which.
    ///
    /// Returns at once when there is no task. It can be called again later.
    pub fn start(&mut self, app: &mut A) -> Ended {
        loop {
            let until = match self.poll(app) {
                Next::Now => continue,
                Next::At(deadline) => Some(deadline),
                Next::Event => None,
                Next::Ended(ended) => return ended,
            };
            let mail = self.head.mail.filter(|_| Table::<A>::HAS_EVENTS);
            let sleep = Sleep::with_bells(until, mail.map(|mail| mail.bells()));
            self.clock.wait(&sleep);
            if sleep.has_ended() {
                return Ended::ClockEnded;
            }
        }
    }

    /// One pass, for a loop of your own: runs what is due and armed now, never more.
    pub fn poll(&mut self, app: &mut A) -> Next {
        let Self { clock, head, slots, options } = self;
        pass(Table { head, slots, options }, app, clock)
    }

    /// The task's next run is when `event` comes, instead of when it had been due next, or when the
    /// event that it listens to comes.
    ///
    /// After that run its own plan goes on: a repeating task in its old phase, and what passed
    /// while it waited is not missed; a listener with its own event; a one-shot ends.
    ///
    /// Errors: [`AwaitError`]. Callable from: main; in a job see
    /// [`Cx::await_event`] and [`Cx::await_event_of`].
    ///
    /// ```
    /// # use ensue::{App, Cx, Duration, Ended, ExtU64, Work, clock::Virtual};
    /// # ensue::events! { pub enum Signal { Button } }
    /// # struct Node(u32);
    /// # impl App for Node { type Event = Signal; type Params = (); type Outcome = (); }
    /// # fn beat(node: &mut Node, _: &mut Cx<Node>) { node.0 += 1; }
    /// # fn press(_: &mut Node, cx: &mut Cx<Node>) { cx.trigger_event(Signal::Button); }
    /// let mut work = Work::<Node, _, 4>::new(Virtual::new());
    /// let id = work.repeat(100.millis(), beat)?;
    /// work.await_event(id, Signal::Button)?;
    /// work.at(350.millis(), press)?; // beats at 350, 400, 500, ...
    /// # work.at(510.millis(), |_, cx| cx.stop())?;
    /// # let mut node = Node(0);
    /// # assert_eq!(work.start(&mut node), Ended::Stopped);
    /// # assert_eq!(node.0, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn await_event(&mut self, id: TaskId, event: A::Event) -> Result<(), AwaitError> {
        let now = self.now();
        self.table().await_event(id, event, None, now)
    }

    /// As [`await_event`](Self::await_event); when the event has not come for `timeout`, the task
    /// runs with [`Cause::Timeout`].
    pub fn await_event_for(
        &mut self,
        id: TaskId,
        event: A::Event,
        timeout: Duration,
    ) -> Result<(), AwaitError> {
        let now = self.now();
        self.table().await_event(id, event, Some(timeout), now)
    }

    verbs!();

    fn table(&mut self) -> Table<'_, A> {
        Table { head: &mut self.head, slots: &mut self.slots, options: &mut self.options }
    }

    fn view(&self) -> View<'_, A> {
        View { head: &self.head, slots: &self.slots, options: &self.options }
    }

    fn clock(&self) -> &dyn Clock {
        &self.clock
    }
}

impl<A: App, C, const TASKS: usize, const OPTIONS: usize> fmt::Debug
    for Work<A, C, TASKS, OPTIONS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("tasks", &self.head.live)
            .field("capacity", &TASKS)
            .finish_non_exhaustive()
    }
}

/// One pass: the whole of it. In [`Work::poll`], where the capacity is known; what is not usual is
/// called with a table of its own, so that this one need not be in memory.
#[inline(always)]
fn pass<A: App, C: Clock>(mut table: Table<'_, A>, app: &mut A, clock: &C) -> Next {
    let now = table.head.read(clock);
    let mut batch = Batch::InOrder;
    if table.has_mail() || !table.open_pass() {
        batch = if Table::<A>::HAS_EVENTS {
            match answer(table.reborrow(), app, clock, now) {
                Ok(rest) => rest,
                Err(next) => return next,
            }
        } else {
            table.reborrow().open_queues(now)
        };
    }
    while let Some((next, begun)) = table.begin_next(batch, clock, now) {
        call(&next, &mut table, app, clock);
        if batch == Batch::InOrder {
            match table.finish_first(&next, begun, clock) {
                // How most passes end.
                Some(first)
                    if first > now
                        && table.head.unusual == Unusual::NOTHING
                        && !table.interrupt_asks() =>
                {
                    return Next::At(first);
                }
                _ => {}
            }
        } else {
            table.reborrow().finish(&next, begun, clock);
        }
        if table.obey_interrupt() {
            return Next::Ended(Ended::Stopped);
        }
    }
    what_next(table.reborrow())
}

/// The beginning of a pass that may have events to answer: what interrupts have left is taken, and
/// if only listeners are ready, they run. From where it goes on as any other; an error when it has
/// ended.
#[inline(never)]
fn answer<A: App, C: Clock>(
    mut table: Table<'_, A>,
    app: &mut A,
    clock: &C,
    now: Instant,
) -> Result<Batch, Next> {
    if !table.read_mail(now) {
        return Err(Next::Ended(Ended::Stopped));
    }
    if !table.open_called(now) {
        return Ok(table.open_queues(now));
    }
    while let Some((next, begun)) = table.begin_called() {
        call(&next, &mut table, app, clock);
        table.finish_called(&next, begun, clock);
        if table.obey_interrupt() {
            table.end_called();
            return Err(Next::Ended(Ended::Stopped));
        }
    }
    table.end_called();
    if table.head.unusual.includes(Unusual::QUEUED) {
        return Ok(Batch::Queued);
    }
    Err(what_next(table))
}

#[inline(never)]
fn what_next<A: App>(mut table: Table<'_, A>) -> Next {
    if table.take_stopped() {
        Next::Ended(Ended::Stopped)
    } else if table.has_ready() {
        Next::Now
    } else if let Some(deadline) = table.view().wake_at() {
        Next::At(deadline)
    } else if table.head.live == 0 {
        Next::Ended(Ended::NoTasks)
    } else if table.head.mail.is_some() {
        Next::Event
    } else {
        Next::Ended(Ended::NothingToWaitFor)
    }
}

/// The only place where a job is called.
#[inline(always)]
fn call<A: App, C: Clock>(run: &Run<A>, table: &mut Table<'_, A>, app: &mut A, clock: &C) {
    let mut cx = Cx { table: table.reborrow(), clock, run };
    if let Err(error) = (run.job)(app, &mut cx).into_result() {
        let (name, count) = cx.table.count_fault(run.index);
        let fault = Fault { task: run.id(), name, kind: FaultKind::Failed(&error), count };
        log::fault(&fault);
        app.on_fault(&fault, &mut cx);
    }
}

/// What a job sees of the scheduler: the verbs, and what there is to know about this run.
pub struct Cx<'a, A: App> {
    table: Table<'a, A>,
    clock: &'a dyn Clock,
    run: &'a Run<A>,
}

/// This run, and the task it is a run of.
impl<'a, A: App> Cx<'a, A> {
    /// What this run was given. It is a copy: a [`send`](Self::send) to the task itself counts from
    /// the next run on.
    pub fn params(&self) -> &'a A::Params {
        &self.run.params
    }

    /// The same, if they are new: if an event or a [`send`](Self::send) has brought them since the
    /// last run. `None` when this run has the params of an earlier one, or those that the task was
    /// scheduled with.
    ///
    /// ```
    /// # use ensue::{App, Cx, Task, Work, clock::Virtual};
    /// # ensue::events! { pub enum Signal { Sampled } }
    /// struct Node { sum: i16, unknown: u32 }
    /// impl App for Node { type Event = Signal; type Params = i16; type Outcome = (); }
    /// fn sampled(node: &mut Node, cx: &mut Cx<Node>) {
    ///     match cx.new_params() {
    ///         Some(celsius) => node.sum += celsius,
    ///         None => node.unknown += 1, // an inbox was full, for instance
    ///     }
    /// }
    /// let mut work = Work::<Node, _, 4>::new(Virtual::new());
    /// work.schedule(Task::on(Signal::Sampled, sampled).again())?;
    /// let mut node = Node { sum: 0, unknown: 0 };
    /// work.trigger_event_with(Signal::Sampled, 21);
    /// let _ = work.poll(&mut node);
    /// work.trigger_event(Signal::Sampled);
    /// let _ = work.poll(&mut node);
    /// assert_eq!((node.sum, node.unknown), (21, 1));
    /// # Ok::<(), ensue::ScheduleError>(())
    /// ```
    pub fn new_params(&self) -> Option<&'a A::Params> {
        self.run.unserved.has_brought().then_some(&self.run.params)
    }

    /// The task that runs.
    pub fn id(&self) -> TaskId {
        self.run.id()
    }

    /// What made it run.
    pub fn cause(&self) -> Cause<A::Event> {
        match (self.run.cause, A::Event::from_index(usize::from(self.run.event))) {
            (Step::Called, Some(event)) => Cause::Event(event),
            (Step::TimedOut, _) => Cause::Timeout,
            _ => Cause::Time,
        }
    }

    /// What it was due at: its deadline, or the time of the trigger; of one from an interrupt, the time
    /// at which a pass took it out of the inbox.
    pub fn scheduled_at(&self) -> Instant {
        self.run.scheduled_at
    }

    /// How long after [`scheduled_at`](Self::scheduled_at) it is now.
    pub fn late_by(&self) -> Duration {
        since(self.now(), self.run.scheduled_at)
    }

    /// How many deadlines were skipped since the last run; it stays at 65,535.
    pub fn missed(&self) -> u16 {
        self.run.unserved.missed
    }

    /// How many triggers this run answers besides the one that made the task ready; it stays at
    /// 32,767.
    ///
    /// Triggers that have met in the inbox are one: without params, and as far as it was full, they
    /// cannot be counted any more. Where each one counts, let the interrupt count them.
    pub fn merged(&self) -> u16 {
        self.run.unserved.merged()
    }

    /// Ends the task that runs: this is its last run.
    pub fn abort_current_task(&mut self) {
        // A task that has cancelled itself before is as good as aborted.
        let _ = self.table.cancel(self.run.id());
    }

    /// The task's next run is when `event` comes, instead of when it had been due next.
    ///
    /// After that run its own plan goes on: a repeating task in its old phase, a listener with its
    /// own event; a one-shot ends, unless it awaits again.
    ///
    /// Errors: [`AwaitError::NoSuchTask`] when the task has been cancelled meanwhile.
    pub fn await_event(&mut self, event: A::Event) -> Result<(), AwaitError> {
        self.await_event_of(self.run.id(), event)
    }

    /// As [`await_event`](Self::await_event); when the event has not come for `timeout`, the task
    /// runs with [`Cause::Timeout`].
    pub fn await_event_for(
        &mut self,
        event: A::Event,
        timeout: Duration,
    ) -> Result<(), AwaitError> {
        let now = self.now();
        self.table.await_event(self.run.id(), event, Some(timeout), now)
    }

    /// Makes any task await an event; [`Work::await_event`] says how.
    pub fn await_event_of(&mut self, id: TaskId, event: A::Event) -> Result<(), AwaitError> {
        let now = self.now();
        self.table.await_event(id, event, None, now)
    }

    verbs!();

    fn table(&mut self) -> Table<'_, A> {
        self.table.reborrow()
    }

    fn view(&self) -> View<'_, A> {
        self.table.view()
    }

    fn clock(&self) -> &dyn Clock {
        self.clock
    }
}

impl<A: App> fmt::Debug for Cx<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx").field("id", &self.run.id()).finish_non_exhaustive()
    }
}
