//! The scheduler: every verb, from outside and from inside a job.

use core::hint::black_box;

use ensue::{
    App, Cx, Duration, Ended, Event, Events, Fault, FaultKind, Inbox, Missed, Next, Priority, Task,
    Work,
};

use crate::time::Counter;
use crate::{seen, unknown};

/// Three events, and numbers that need not be theirs.
#[derive(Clone, Copy)]
struct Signal;

impl Event for Signal {
    type Count = Events<3>;

    fn index(self) -> usize {
        usize::from(unknown::<u8>())
    }

    fn from_index(index: usize) -> Option<Self> {
        black_box((index < 3).then_some(Self))
    }
}

#[derive(Clone, Default)]
struct Params(u32);

struct Node;

impl App for Node {
    type Event = Signal;
    type Params = Params;
    type Outcome = Result<(), u32>;

    fn on_fault(&mut self, fault: &Fault<'_, Self>, cx: &mut Cx<'_, Self>) {
        let FaultKind::Failed(error) = fault.kind else { return };
        seen((fault.task, fault.name, fault.count, *error));
        seen(cx.cancel(fault.task));
    }
}

static INBOX: Inbox<Signal, Params, 4, fn()> = Inbox::new().wake_with(woken);

fn woken() {
    seen(());
}

pub fn call() {
    interrupt();
    // With fewer places for options than tasks, and with none; with one place for a task.
    drive::<8, 3>();
    drive::<5, 0>();
    drive::<1, 1>();
}

/// What interrupts may do.
fn interrupt() {
    INBOX.trigger_event(Signal);
    seen(INBOX.trigger_event_with(Signal, params()).is_err());
    seen(INBOX.refused());
    INBOX.stop();
}

/// The verbs that a scheduler and a job have in common.
macro_rules! verbs {
    ($on:expr) => {{
        let id = match $on.do_now(job()) {
            Ok(id) => black_box(id),
            Err(_) => return,
        };
        seen($on.at(delay(), job()));
        seen($on.repeat(delay(), job()));
        seen($on.on(Signal, job()));
        for task in tasks() {
            match $on.schedule(task) {
                Ok(id) => seen(id),
                Err(rejected) => seen((rejected.reason, rejected.task.clone())),
            }
        }
        seen($on.trigger_event(Signal));
        seen($on.trigger_event_with(Signal, params()));
        seen($on.set_repeat(id, delay()));
        seen($on.reschedule(id, delay()));
        seen($on.send(id, params()));
        if let Ok(status) = $on.status(id) {
            seen(status.is_pending());
            seen(status);
        }
        $on.tasks().for_each(seen);
        seen(($on.find(unknown()), $on.named(black_box("name"))));
        seen(($on.task_count(), $on.pending_count(), $on.current_task_id()));
        seen(($on.fault_count(), $on.now()));
        crate::text::call(id);
        seen($on.cancel(id));
    }};
}

fn drive<const TASKS: usize, const OPTIONS: usize>() {
    let mut node = Node;
    let mut work = Work::<Node, _, TASKS, OPTIONS>::new(Counter).listen(&INBOX);
    let work = black_box(&mut work);
    use_all(work);
    use_all(work);
    loop {
        match work.poll(&mut node) {
            Next::Now | Next::Event => work.stop(),
            Next::At(instant) => seen(instant),
            Next::Ended(ended) => {
                seen(ended);
                break;
            }
        }
    }
    match work.start(&mut node) {
        Ended::ClockEnded => seen(1),
        ended => seen(ended),
    }
}

fn use_all<const TASKS: usize, const OPTIONS: usize>(
    work: &mut Work<Node, Counter, TASKS, OPTIONS>,
) {
    verbs!(work);
    if let Some(id) = black_box(work.find(unknown())) {
        seen(work.await_event(id, Signal));
        seen(work.await_event_for(id, Signal, delay()));
    }
}

fn run(_: &mut Node, cx: &mut Cx<Node>) -> Result<(), u32> {
    seen(cx.new_params().is_some());
    seen((cx.params().0, cx.id(), cx.scheduled_at(), cx.late_by()));
    seen((cx.cause(), cx.missed(), cx.merged()));
    use_all_inside(cx);
    seen((cx.await_event(Signal), cx.await_event_for(Signal, delay())));
    seen(cx.await_event_of(black_box(cx.id()), Signal));
    if black_box(false) {
        cx.abort_current_task();
    }
    if black_box(false) {
        cx.stop();
    }
    black_box(Err(1))
}

fn use_all_inside(cx: &mut Cx<Node>) {
    verbs!(cx);
}

/// Every option, and each kind of task with it.
fn tasks() -> [Task<Node>; 4] {
    let missed = black_box([Missed::Skip, Missed::Burst(unknown()), Missed::Delay]);
    let priority = black_box([Priority::Low, Priority::Normal, Priority::High]);
    [
        Task::now(job()),
        Task::at(delay(), job()).priority(priority[0]).slack(delay()),
        Task::repeat(delay(), job()).first_at(delay()).missed(missed[1]).tag(unknown()),
        Task::on(Signal, job()).again().delay(delay()).timeout(delay()).latched().keep_first(),
    ]
    .map(|task| black_box(task.params(params()).named(black_box("name"))))
}

fn job() -> ensue::Job<Node> {
    black_box(run)
}

fn delay() -> Duration {
    Duration::from_ticks(unknown())
}

fn params() -> Params {
    Params(unknown())
}
