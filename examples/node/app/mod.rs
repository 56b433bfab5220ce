//! The application: sensors, a button, an alarm, a log and a console. The same on every platform.
//!
//! A platform brings four things and knows nothing else of what happens here: a clock, two
//! thermometers ([`Sensors`]), somewhere to write text, and an interrupt (or a thread) that does
//! this with each byte that comes in:
//!
//! ```ignore
//! TYPED.push(byte);
//! INBOX.trigger_event(Signal::Typed);
//! ```
//!
//! Its main function makes a [`Node`] and a `Work` with [`TASKS`] places, and starts it:
//!
//! ```ignore
//! let mut work = Work::<Node, _, TASKS>::new(clock).listen(&INBOX);
//! work.do_now(app::begin)?;
//! let why = work.start(&mut node);
//! ```
//!
//! Who causes what:
//!
//! ```text
//!  time, 1 s ──> sample ──Sampled──┬──> log      keeps the reading, the oldest make room
//!                  │               └──> watch    is it too warm?
//!                  └ Err: a fault                  │ Hot, again and again
//!                                                  ├──> alarm    ends when no Hot came for 60 s
//!                                                  └──> horn     beeps until Pressed
//!  contact ──Button──> button, 30 ms later ──Pressed──────────────^
//!  time, 10 s ─> outdoors
//!  bytes ───Typed────> console
//!  time, 2 min ──────> report
//! ```

mod console;
mod log;
mod sensor;
mod text;
mod typed;

use core::fmt;

use ensue::{
    App, AwaitError, Cause, Cx, Duration, ExtU64, Fault, FaultKind, Instant, Missed, Priority,
    PutError, Rejected, ScheduleError, Task, TaskId, time,
};

use self::{
    console::Line,
    log::Log,
    text::{Margin, Stamp},
};

pub(crate) use self::{
    sensor::{Celsius, NoAnswer, Sensors},
    typed::Typed,
};

/// Places in the table: seven tasks that are always there, those of an alarm, the end, and a spare.
pub(crate) const TASKS: usize = 11;

/// What the platform's interrupts leave their events in. Nothing here comes with params from an
/// interrupt, so the least room will do.
pub(crate) type Inbox<W = ()> = ensue::Inbox<Signal, Reading, 1, W>;

/// The alarm is raised at this temperature...
const HIGH: Celsius = Celsius::tenths(280);
/// ...and is over when it has been below this one...
const LOW: Celsius = Celsius::tenths(270);
/// ...for this long.
const QUIET: Duration = Duration::from_secs(60);
/// How often the horn sounds until somebody presses the button.
const HORN: Duration = Duration::from_secs(30);
/// A contact bounces for a few milliseconds when it closes.
const DEBOUNCE: Duration = Duration::from_millis(30);
const SAMPLE: Duration = Duration::from_secs(1);
/// The weather changes slowly.
const OUTDOORS: Duration = Duration::from_secs(10);
const REPORT: Duration = Duration::from_secs(120);
/// How long the last commands have for what they began, when the input ends.
const LAST_WORDS: Duration = Duration::from_millis(100);

ensue::events! {
    /// What can happen here.
    pub(crate) enum Signal {
        /// From the interrupt: bytes have come in.
        Typed,
        /// From the interrupt: the button's contact has closed. It bounces.
        Button,
        /// The button was pressed, once.
        Pressed,
        /// A reading was taken; it comes with it.
        Sampled,
        /// A reading was warm enough to keep the alarm up.
        Hot,
    }
}

/// A reading as it travels with [`Signal::Sampled`].
///
/// These are the params of every task here, and each place of the table has room for them: four
/// bytes. Numbers go from 1 to 65,535 and round; 0 is no reading.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    number: u16,
    celsius: Celsius,
}

/// The whole state of the application. Every job gets it as `&mut`.
pub(crate) struct Node<'a> {
    out: &'a mut dyn fmt::Write,
    typed: &'a Typed,
    line: Line,
    /// Repeats each command in front of its answer, where no terminal has shown it.
    pub(crate) echo: bool,
    sensors: &'a mut dyn Sensors,
    latest: Reading,
    latest_at: Instant,
    /// The last one outdoors, and when that was.
    outdoors: Option<(Celsius, Instant)>,
    /// Lowest and highest since the last report.
    range: Option<(Celsius, Celsius)>,
    log: Log,
    /// The alarm is up as long as its task exists; so nothing has to be kept in step with it.
    alarm: Option<TaskId>,
    alarm_since: Instant,
    horn: Option<TaskId>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    readings: u32,
    /// Readings that were not taken in time, and those that the log did not get.
    missed: u32,
    alarms: u32,
    presses: u32,
    commands: u32,
}

/// Why a job of this application can fail.
pub(crate) enum Trouble {
    /// A sensor did not answer.
    NoAnswer,
    /// A task could not be scheduled.
    Schedule(ScheduleError),
    /// A task could not wait.
    Await(AwaitError),
    /// A reading did not go into the log.
    Log(PutError),
    /// The text went nowhere.
    Output,
}

type Outcome = Result<(), Trouble>;

impl App for Node<'_> {
    type Event = Signal;
    type Params = Reading;
    type Outcome = Outcome;

    /// A failing task is counted by the scheduler and goes on; this only tells of it.
    fn on_fault(&mut self, fault: &Fault<'_, Self>, cx: &mut Cx<'_, Self>) {
        let FaultKind::Failed(trouble) = fault.kind else { return };
        let name = fault.name.unwrap_or("a task");
        let said = self.say(cx, format_args!("{name}: {trouble} (fault {})", fault.count));
        if said.is_err() {
            cx.stop(); // nobody is there to read
        }
    }
}

impl<'a> Node<'a> {
    /// A node that measures with `sensors`, writes to `out` and reads what an interrupt leaves in
    /// `typed`.
    pub(crate) fn new(
        sensors: &'a mut dyn Sensors,
        out: &'a mut dyn fmt::Write,
        typed: &'a Typed,
    ) -> Self {
        Self {
            out,
            typed,
            line: Line::new(),
            echo: false,
            sensors,
            latest: Reading::default(),
            latest_at: Instant::from_ticks(0),
            outdoors: None,
            range: None,
            log: Log::new(),
            alarm: None,
            alarm_since: Instant::from_ticks(0),
            horn: None,
            counts: Counts::default(),
        }
    }

    /// A line of its own accord, with the time.
    fn say(&mut self, cx: &Cx<Node>, what: fmt::Arguments<'_>) -> fmt::Result {
        writeln!(self.out, "[{}] {what}", Stamp(cx.now()))
    }

    /// A line of an answer, below the others.
    fn reply(&mut self, what: fmt::Arguments<'_>) -> fmt::Result {
        writeln!(self.out, "{Margin}{what}")
    }
}

/// The first task: says hello and schedules the others.
///
/// As a job it sees neither the clock nor the size of the table, which each platform chooses.
pub(crate) fn begin(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    node.say(
        cx,
        format_args!("node: sensors indoors and out, a button, a log, and an alarm over {HIGH}"),
    )?;
    node.reply(format_args!("commands: {}", console::COMMANDS))?;

    // A reading that was not taken in time is gone: none is made up for, and the count shows it.
    cx.schedule(
        Task::repeat(SAMPLE, sample).missed(Missed::Skip).priority(Priority::High).named("sample"),
    )?;
    cx.schedule(Task::repeat(OUTDOORS, outdoors).named("outdoors"))?;
    cx.schedule(Task::on(Signal::Sampled, log).again().named("log"))?;
    cx.schedule(Task::on(Signal::Sampled, watch).again().timeout(QUIET).named("watch"))?;
    cx.schedule(Task::on(Signal::Button, button).again().delay(DEBOUNCE).named("button"))?;
    cx.schedule(
        Task::repeat(REPORT, report).first_at(10.secs()).priority(Priority::Low).named("report"),
    )?;
    // Bytes may have come before anybody listened: a latched task hears of that as well.
    let console = Task::on(Signal::Typed, console::read).again().latched();
    cx.schedule(console.priority(Priority::Low).named("console"))?;
    Ok(())
}

/// Reads the sensor indoors, and lets everybody know.
fn sample(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    node.counts.missed += u32::from(cx.missed());
    let now = cx.now();
    let celsius = node.sensors.indoors(now)?;

    node.counts.readings += 1;
    let (lowest, highest) = node.range.unwrap_or((celsius, celsius));
    node.range = Some((lowest.min(celsius), highest.max(celsius)));
    node.latest = Reading { number: node.latest.number.checked_add(1).unwrap_or(1), celsius };
    node.latest_at = now;
    cx.trigger_event_with(Signal::Sampled, node.latest);
    Ok(())
}

/// Reads the sensor outdoors, for whoever asks; nothing else depends on it.
fn outdoors(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    let now = cx.now();
    node.outdoors = Some((node.sensors.outdoors(now)?, now));
    Ok(())
}

/// Keeps the reading.
fn log(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    node.counts.missed += u32::from(cx.merged());
    let Reading { number, celsius } = *cx.params();
    node.log.keep(number, cx.scheduled_at(), celsius)?;
    Ok(())
}

/// Is it too warm? And is there anything to judge by?
fn watch(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    if cx.cause() == Cause::Timeout {
        node.say(cx, format_args!("watch: no reading for {} s", QUIET.as_secs()))?;
        return Ok(());
    }
    let celsius = cx.params().celsius;
    if celsius >= LOW {
        cx.trigger_event(Signal::Hot);
    }
    if celsius >= HIGH && !alarm_is_up(node, cx) {
        raise_alarm(node, cx, celsius)?;
    }
    Ok(())
}

fn alarm_is_up(node: &Node, cx: &Cx<Node>) -> bool {
    node.alarm.is_some_and(|alarm| cx.status(alarm).is_ok())
}

fn raise_alarm(node: &mut Node, cx: &mut Cx<Node>, celsius: Celsius) -> Outcome {
    node.counts.alarms += 1;
    node.alarm_since = cx.now();
    node.say(cx, format_args!("alarm: {celsius} is too warm"))?;
    node.alarm =
        Some(cx.schedule(Task::on(Signal::Hot, alarm).again().timeout(QUIET).named("alarm"))?);
    silence(node, cx);
    node.horn = Some(cx.schedule(Task::now(horn).named("horn"))?);
    Ok(())
}

/// Each warm reading puts the end of the alarm off: the timeout counts from this run.
fn alarm(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    if cx.cause() != Cause::Timeout {
        return Ok(());
    }
    silence(node, cx);
    cx.abort_current_task();
    let lasted = time::since(cx.now(), node.alarm_since);
    node.say(cx, format_args!("alarm: over, after {} s", lasted.as_secs()))?;
    Ok(())
}

/// The horn may have ended by itself; then there is none to cancel, which is as good.
fn silence(node: &mut Node, cx: &mut Cx<Node>) {
    if let Some(horn) = node.horn.take() {
        let _ = cx.cancel(horn);
    }
}

/// Sounds, and waits for the button; not for ever.
fn horn(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    if cx.cause() == Cause::Event(Signal::Pressed) {
        node.say(cx, format_args!("horn: silenced"))?;
        return Ok(()); // it was a one-shot, and it did not ask to wait again
    }
    if !alarm_is_up(node, cx) {
        return Ok(()); // somebody has cancelled it
    }
    cx.await_event_for(Signal::Pressed, HORN)?;
    node.say(cx, format_args!("horn: beep (the button silences it)"))?;
    Ok(())
}

/// The contact has come to rest: however often it bounced, that was one press.
fn button(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    node.counts.presses += 1;
    let Reading { celsius, .. } = node.latest;
    node.say(cx, format_args!("button: pressed, {} bounces ignored; {celsius}", cx.merged()))?;
    cx.trigger_event(Signal::Pressed);
    Ok(())
}

/// A word on how it went. It may wait until the others have run.
fn report(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    let Reading { celsius, .. } = node.latest;
    match node.range.take() {
        Some((lowest, highest)) => {
            node.say(cx, format_args!("report: {celsius}, was {lowest} to {highest}"))?;
        }
        None => node.say(cx, format_args!("report: no reading since the last one"))?,
    }
    Ok(())
}

/// Ends everything.
fn quit(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    cx.stop();
    node.say(cx, format_args!("bye"))?;
    Ok(())
}

impl From<NoAnswer> for Trouble {
    fn from(_: NoAnswer) -> Self {
        Self::NoAnswer
    }
}

impl From<ScheduleError> for Trouble {
    fn from(error: ScheduleError) -> Self {
        Self::Schedule(error)
    }
}

impl From<Rejected<Node<'_>>> for Trouble {
    fn from(rejected: Rejected<Node<'_>>) -> Self {
        Self::Schedule(rejected.reason)
    }
}

impl From<AwaitError> for Trouble {
    fn from(error: AwaitError) -> Self {
        Self::Await(error)
    }
}

impl From<PutError> for Trouble {
    fn from(error: PutError) -> Self {
        Self::Log(error)
    }
}

impl From<fmt::Error> for Trouble {
    fn from(_: fmt::Error) -> Self {
        Self::Output
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => f.write_str("the sensor did not answer"),
            Self::Schedule(error) => error.fmt(f),
            Self::Await(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Output => f.write_str("the output is closed"),
        }
    }
}
