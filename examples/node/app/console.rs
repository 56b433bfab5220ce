//! The console: bytes become a line, a line a command, and a command gets an answer in plain words.

use core::{fmt, str};

use ensue::{Cx, Duration, State, Status};

use super::{
    LAST_WORDS, Node, Outcome, Reading, Signal, alarm_is_up, quit,
    text::{Margin, MaybeStamp, Period, Stamp},
    typed::{SPOILT, Typed},
};

pub(super) const COMMANDS: &str =
    "help, status, sensors, log [all], pull <reading>, period <ms>, press, cancel <task>, quit";

const HELP: [(&str, &str); 9] = [
    ("help", "this list"),
    ("status", "the readings, the log and the tasks"),
    ("sensors", "how the sensors have answered"),
    ("log [all]", "the newest readings, or all that there are"),
    ("pull <reading>", "take one reading out of the log, by its number"),
    ("period <ms>", "how often the sensor indoors is read, 10 to 30000"),
    ("press", "press the button"),
    ("cancel <task>", "end a task, by its name"),
    ("quit", "end everything"),
];

const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;

/// `log` lists this many.
const NEWEST: usize = 6;

/// A sampling that is slower than the alarm's quiet time would end an alarm between two readings.
const PERIODS: core::ops::RangeInclusive<u32> = 10..=30_000;

/// Reads what was typed, up to the end of one command. What comes after it is for the next pass,
/// so that a long paste does not keep the others from their turn.
pub(super) fn read(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    while let Some(byte) = node.typed.pop() {
        match byte {
            b'\n' | b'\r' => {
                // For the rest. It counts for the run after this one.
                cx.trigger_event(Signal::Typed);
                let line = core::mem::replace(&mut node.line, Line::new());
                return answer(node, cx, &line);
            }
            Typed::END_OF_INPUT => _ = cx.at(LAST_WORDS, quit)?,
            SPOILT => {
                node.line = Line::new();
                node.say(cx, format_args!("console: a line was cut short, say it again"))?;
            }
            BACKSPACE | DELETE => node.line.remove(),
            byte => node.line.add(byte),
        }
    }
    Ok(())
}

fn answer(node: &mut Node, cx: &mut Cx<Node>, line: &Line) -> Outcome {
    let command = match line.text().map(Command::parse) {
        Ok(Ok(None)) => return Ok(()),
        Ok(Ok(Some(command))) => Ok(command),
        Ok(Err(mistake)) | Err(mistake) => Err(mistake),
    };
    node.counts.commands += 1;
    if node.echo {
        node.say(cx, format_args!("> {}", line.text().unwrap_or("...").trim()))?;
    }
    match command {
        Ok(Command::Help) => help(node),
        Ok(Command::Status) => status(node, cx),
        Ok(Command::Sensors) => sensors(node),
        Ok(Command::Log { newest }) => list(node, newest),
        Ok(Command::Pull(number)) => pull(node, number),
        Ok(Command::Period(period)) => set_period(node, cx, period),
        Ok(Command::Press) => press(node, cx),
        Ok(Command::Cancel(name)) => cancel(node, cx, name),
        Ok(Command::Quit) => quit(node, cx),
        Err(mistake) => Ok(node.reply(format_args!("{mistake}"))?),
    }
}

fn help(node: &mut Node) -> Outcome {
    for (command, what) in HELP {
        node.reply(format_args!("{command:<14}  {what}"))?;
    }
    Ok(())
}

fn status(node: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    let alarm = if alarm_is_up(node, cx) { "on" } else { "off" };
    let Node { out, typed, log, counts, latest, latest_at, outdoors, .. } = node;

    writeln!(out, "{Margin}time      {}", Stamp(cx.now()))?;
    match *latest {
        Reading { number: 0, .. } => writeln!(out, "{Margin}indoors   no reading yet")?,
        Reading { celsius, .. } => {
            writeln!(out, "{Margin}indoors   {celsius} at {}, alarm {alarm}", Stamp(*latest_at))?;
        }
    }
    match *outdoors {
        None => writeln!(out, "{Margin}outdoors  no reading yet")?,
        Some((celsius, at)) => writeln!(out, "{Margin}outdoors  {celsius} at {}", Stamp(at))?,
    }
    writeln!(
        out,
        "{Margin}counts    readings {}, faults {}, missed {}, alarms {}, presses {}",
        counts.readings,
        cx.fault_count(),
        counts.missed,
        counts.alarms,
        counts.presses
    )?;
    let (used, in_holes, size) = log.bytes();
    writeln!(
        out,
        "{Margin}log       kept {}, dropped to make room {}, bytes {used} of {size}, in holes {in_holes}",
        log.len(),
        log.made_room()
    )?;
    writeln!(out, "{Margin}console   commands {}, bytes lost {}", counts.commands, typed.lost())?;

    writeln!(out, "{Margin}task      next run      faults  state")?;
    for task in cx.tasks() {
        let (name, next, faults) = (task.name.unwrap_or("-"), task.next_run, task.faults);
        writeln!(out, "{Margin}{name:<8}  {}  {faults:>6}  {}", MaybeStamp(next), Standing(&task))?;
    }
    Ok(())
}

fn sensors(node: &mut Node) -> Outcome {
    let Node { out, sensors, .. } = node;
    sensors.tell(&mut |line| writeln!(out, "{Margin}{line}"))?;
    Ok(())
}

fn list(node: &mut Node, newest: usize) -> Outcome {
    let Node { out, log, .. } = node;
    if log.len() == 0 {
        writeln!(out, "{Margin}the log is empty")?;
    }
    for entry in log.newest(newest) {
        writeln!(out, "{Margin}{:>5}  {}  {}", entry.number, Stamp(entry.at), entry.celsius)?;
    }
    Ok(())
}

fn pull(node: &mut Node, number: u16) -> Outcome {
    let Some(entry) = node.log.take(number) else {
        match node.log.range() {
            Some((oldest, newest)) => {
                node.reply(format_args!(
                    "no reading {number}: the log goes from {oldest} to {newest}"
                ))?;
            }
            None => node.reply(format_args!("no reading {number}: the log is empty"))?,
        }
        return Ok(());
    };
    node.reply(format_args!("{} at {}, taken out of the log", entry.celsius, Stamp(entry.at)))?;
    Ok(())
}

fn set_period(node: &mut Node, cx: &mut Cx<Node>, period: Duration) -> Outcome {
    let done = cx.named("sample").ok_or(ensue::SetRepeatError::NoSuchTask);
    match done.and_then(|sample| cx.set_repeat(sample, period)) {
        Ok(()) => {
            node.reply(format_args!("every {}, once the next reading is taken", Period(period)))?
        }
        Err(error) => node.reply(format_args!("sample: {error}"))?,
    }
    Ok(())
}

/// What the button's interrupt does. A real contact bounces, so this one does.
fn press(_: &mut Node, cx: &mut Cx<Node>) -> Outcome {
    for _ in 0..3 {
        cx.trigger_event(Signal::Button);
    }
    Ok(())
}

fn cancel(node: &mut Node, cx: &mut Cx<Node>, name: &str) -> Outcome {
    match cx.named(name) {
        // Nobody would be left to tell it anything.
        Some(task) if task == cx.id() => {
            node.reply(format_args!("not the console; `quit` ends everything"))?;
        }
        Some(task) if cx.cancel(task).is_ok() => node.reply(format_args!("{name} is cancelled"))?,
        _ => node.reply(format_args!("no such task: {name}"))?,
    }
    Ok(())
}

/// What can be asked for.
enum Command<'a> {
    Help,
    Status,
    Sensors,
    Log { newest: usize },
    Pull(u16),
    Period(Duration),
    Press,
    Cancel(&'a str),
    Quit,
}

/// Why a line is no command.
enum Mistake<'a> {
    NotACommand(&'a str),
    OneWordTooMany(&'a str),
    NotThisNumber(&'a str, &'static str),
    Needs(&'static str),
    TooLong,
    NotText,
}

impl<'a> Command<'a> {
    /// `None` for an empty line.
    fn parse(line: &'a str) -> Result<Option<Self>, Mistake<'a>> {
        let mut words = line.split_ascii_whitespace();
        let Some(verb) = words.next() else { return Ok(None) };
        let mut object = words.next();

        let command = match verb {
            "help" => Self::Help,
            "status" => Self::Status,
            "sensors" => Self::Sensors,
            "press" => Self::Press,
            "quit" => Self::Quit,
            "log" => match object.take_if(|word| *word == "all") {
                Some(_) => Self::Log { newest: usize::MAX },
                None => Self::Log { newest: NEWEST },
            },
            "pull" => {
                let word = object.take().ok_or(Mistake::Needs("a reading's number: pull 17"))?;
                let number = word.parse().ok();
                Self::Pull(number.ok_or(Mistake::NotThisNumber(word, "a reading's number"))?)
            }
            "period" => {
                let word =
                    object.take().ok_or(Mistake::Needs("a number of milliseconds: period 5000"))?;
                let period = word.parse().ok().filter(|millis| PERIODS.contains(millis));
                let period =
                    period.ok_or(Mistake::NotThisNumber(word, "10 to 30000 milliseconds"))?;
                Self::Period(Duration::from_millis(u64::from(period)))
            }
            "cancel" => {
                Self::Cancel(object.take().ok_or(Mistake::Needs("a task's name: cancel report"))?)
            }
            _ => return Err(Mistake::NotACommand(verb)),
        };
        match object.or_else(|| words.next()) {
            None => Ok(Some(command)),
            Some(word) => Err(Mistake::OneWordTooMany(word)),
        }
    }
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACommand(word) => write!(f, "no such command: {word}; `help` lists them"),
            Self::OneWordTooMany(word) => write!(f, "one word too many: {word}"),
            Self::NotThisNumber(word, wanted) => write!(f, "it needs {wanted}, not {word}"),
            Self::Needs(what) => write!(f, "it needs {what}"),
            Self::TooLong => f.write_str("no command is that long; `help` lists them"),
            Self::NotText => f.write_str("that is not text"),
        }
    }
}

/// Where a task stands, in words.
struct Standing<'a>(&'a Status<Signal>);

impl fmt::Display for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.state, self.0.period) {
            (State::Scheduled, Some(period)) => write!(f, "every {}", Period(period)),
            (State::Scheduled, None) => f.write_str("once"),
            (State::Listening(event), _) if self.0.next_run.is_some() => {
                write!(f, "waits for {event:?} until then")
            }
            (State::Listening(event), _) => write!(f, "waits for {event:?}"),
            (State::Delayed(event), _) => write!(f, "{event:?} came, and it waits a little"),
            (State::Ready, _) => f.write_str("ready"),
            (State::Running, _) => f.write_str("runs"),
            _ => Ok(()),
        }
    }
}

/// The line that is being typed.
pub(super) struct Line {
    bytes: [u8; 40],
    /// May be more than there is room for: the line is too long then.
    len: u8,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; 40], len: 0 }
    }

    fn add(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.len)) {
            *place = byte;
        }
        self.len = self.len.saturating_add(1);
    }

    fn remove(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    fn text(&self) -> Result<&str, Mistake<'_>> {
        let bytes = self.bytes.get(..usize::from(self.len)).ok_or(Mistake::TooLong)?;
        str::from_utf8(bytes).map_err(|_| Mistake::NotText)
    }
}
