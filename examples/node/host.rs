//! What a computer brings to the application: a clock, an output, and a thread for an interrupt.
//!
//! The crate has a ready-made clock for computers, `clock::Std`, behind the feature `std`. The one
//! here does the same in a few lines, because it shows what any port has to do.

use std::fmt;
use std::io::{BufReader, Read, Write};
use std::sync::OnceLock;
use std::thread::{self, Thread};
use std::time;

use ensue::{Clock, Ended, Instant, ScheduleError, Sleep, Work};

use crate::app::{self, Inbox, Node, Signal, TASKS, Typed};
use crate::simulated::Simulated;

static TYPED: Typed = Typed::new();
static INBOX: Inbox<fn()> = Inbox::new().wake_with(wake);

/// Runs the node in real time until it is told to quit, or until the input has ended and what it
/// said is done. Once in a process.
pub(crate) fn run(
    input: impl Read + Send + 'static,
    echo: bool,
    out: &mut dyn fmt::Write,
) -> Result<Ended, ScheduleError> {
    let clock = HostClock::new();
    let mut work = Work::<Node, _, TASKS>::new(clock).listen(&INBOX);
    work.do_now(app::begin)?;
    thread::spawn(|| interrupt(input));

    let mut sensors = Simulated::default();
    let mut node = Node::new(&mut sensors, out, &TYPED);
    node.echo = echo;
    Ok(work.start(&mut node))
}

/// Stands for the interrupt of a serial port: it cannot touch the scheduler, only leave word.
fn interrupt(input: impl Read) {
    let typed = BufReader::new(input).bytes().map_while(Result::ok);
    for byte in typed.chain([b'\n', Typed::END_OF_INPUT]) {
        // What an interrupt cannot do: ask the sender to wait.
        while !TYPED.has_room() {
            thread::sleep(time::Duration::from_millis(1));
        }
        TYPED.push(byte);
        INBOX.trigger_event(Signal::Typed);
    }
}

/// The thread that sleeps in [`HostClock::wait`].
static SLEEPER: OnceLock<Thread> = OnceLock::new();

fn wake() {
    if let Some(sleeper) = SLEEPER.get() {
        sleeper.unpark();
    }
}

/// Microseconds since it was made, and a thread that sleeps in between.
struct HostClock {
    zero: time::Instant,
}

impl HostClock {
    fn new() -> Self {
        SLEEPER.get_or_init(thread::current);
        Self { zero: time::Instant::now() }
    }
}

impl Clock for HostClock {
    fn now(&self) -> Instant {
        Instant::from_ticks(self.zero.elapsed().as_micros() as u64)
    }

    /// A wake between the test and the sleep is not lost: a thread that was unparked before it
    /// parks does not park. Returning early is allowed, so one round is enough.
    fn wait(&self, sleep: &Sleep<'_>) {
        if sleep.is_over() {
            return;
        }
        match sleep.until() {
            None => thread::park(),
            Some(until) => {
                let left = ensue::time::since(until, self.now());
                thread::park_timeout(time::Duration::from_micros(left.as_ticks()));
            }
        }
    }
}

/// The standard output. It fails when nobody reads any more, and then the node ends.
pub(crate) struct Stdout;

impl fmt::Write for Stdout {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        std::io::stdout().write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
