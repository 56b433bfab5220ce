//! What people build most, each as a program that runs: a page to copy from.
//!
//! # A button that bounces, and one that is held down
//!
//! The interrupt triggers an event at each edge and says nothing of its direction: contacts bounce in
//! both. A delay makes one run of a burst of edges; then the pin is steady and is asked. Edges that
//! come after that are the next burst, so the last run sees what the button came to.
//!
//! ```
//! use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
//! use ensue::{App, Cx, Error, ExtU64, Inbox, Task, TaskId, Work, clock::{Interrupt, Virtual}};
//!
//! ensue::events! { pub enum Signal { Edge } }
//! static INBOX: Inbox<Signal, (), 0> = Inbox::new();
//!
//! static PIN: AtomicBool = AtomicBool::new(false); // on a chip, the pin
//! fn edge(level: bool) {
//!     PIN.store(level, Relaxed);
//!     INBOX.trigger_event(Signal::Edge); // all that the interrupt does
//! }
//!
//! #[derive(Default)]
//! struct Panel { is_down: bool, hold: Option<TaskId>, clicks: u32, holds: u32 }
//! impl App for Panel {
//!     type Event = Signal;
//!     type Params = ();
//!     type Outcome = Result<(), Error>;
//! }
//!
//! fn steady(panel: &mut Panel, cx: &mut Cx<Panel>) -> Result<(), Error> {
//!     let is_down = PIN.load(Relaxed);
//!     if is_down == panel.is_down {
//!         return Ok(()); // shorter than the bouncing
//!     }
//!     panel.is_down = is_down;
//!     if is_down {
//!         panel.hold = Some(cx.at(2.secs(), held)?);
//!     } else if panel.hold.is_some_and(|hold| cx.cancel(hold).is_ok()) {
//!         panel.clicks += 1; // released before it counted as held
//!     }
//!     Ok(())
//! }
//! fn held(panel: &mut Panel, _: &mut Cx<Panel>) -> Result<(), Error> {
//!     panel.holds += 1;
//!     Ok(())
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let (down, up) = (|_: &Virtual| edge(true), |_: &Virtual| edge(false));
//! let script = [
//!     Interrupt { at: 1_000.millis(), run: &down }, // a click that bounces
//!     Interrupt { at: 1_002.millis(), run: &up },
//!     Interrupt { at: 1_003.millis(), run: &down },
//!     Interrupt { at: 1_200.millis(), run: &up },
//!     Interrupt { at: 1_202.millis(), run: &down },
//!     Interrupt { at: 1_203.millis(), run: &up },
//!     Interrupt { at: 5_000.millis(), run: &down }, // held, and a release that bounces
//!     Interrupt { at: 9_000.millis(), run: &up },
//!     Interrupt { at: 9_001.millis(), run: &down },
//!     Interrupt { at: 9_028.millis(), run: &up },
//! ];
//! let mut work = Work::<Panel, _, 4>::new(Virtual::with_script(&script)).listen(&INBOX);
//! work.schedule(Task::on(Signal::Edge, steady).again().delay(30.millis()))?;
//! let mut panel = Panel::default();
//! let _why = work.start(&mut panel);
//! assert_eq!((panel.clicks, panel.holds, panel.is_down), (1, 1, false));
//! # Ok(())
//! # }
//! ```
//!
//! # Lines from a serial port
//!
//! Events are merged, so bytes do not travel with them. They go through a
//! [`SplitRing`](crate::ring::SplitRing), whose writer belongs to the interrupt; the event says
//! that there is something in it.
//!
//! ```
//! use ensue::{App, Cx, Inbox, Task, Work, clock::Virtual, ring::{RingReader, SplitRing}};
//!
//! ensue::events! { pub enum Signal { Line } }
//! static INBOX: Inbox<Signal, (), 0> = Inbox::new();
//! static LINES: SplitRing<256> = SplitRing::new();
//!
//! /// What a line is about.
//! const COMMAND: u16 = 1;
//! const DATA: u16 = 2;
//!
//! struct Node { lines: RingReader<'static>, commands: u32 }
//! impl App for Node { type Event = Signal; type Params = (); type Outcome = (); }
//!
//! fn read(node: &mut Node, _: &mut Cx<Node>) {
//!     // Commands first, whatever lies before them. The data is left for another day.
//!     while let Some(line) = node.lines.pull(COMMAND) {
//!         node.commands += u32::from(line == b"go");
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut writer, lines) = LINES.split().ok_or("split before")?;
//! // In the interrupt, which owns the writer:
//! writer.put(DATA, b"21.5C")?;
//! writer.put(COMMAND, b"go")?;
//! INBOX.trigger_event(Signal::Line);
//!
//! let mut work = Work::<Node, _, 4>::new(Virtual::new()).listen(&INBOX);
//! work.schedule(Task::on(Signal::Line, read).again())?;
//! let mut node = Node { lines, commands: 0 };
//! let _why = work.start(&mut node);
//! assert_eq!(node.commands, 1);
//! assert_eq!(node.lines.message_count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Something has to come at least every five seconds
//!
//! A timeout on a task that keeps listening is a watchdog: it counts from each of its runs.
//!
//! ```
//! use ensue::{App, Cause, Cx, ExtU64, Task, Work, clock::Virtual};
//!
//! ensue::events! { pub enum Signal { Heard } }
//! struct Link { silent: u32 }
//! impl App for Link { type Event = Signal; type Params = (); type Outcome = (); }
//!
//! fn watch(link: &mut Link, cx: &mut Cx<Link>) {
//!     if cx.cause() == Cause::Timeout {
//!         link.silent += 1;
//!     }
//! }
//! fn hear(_: &mut Link, cx: &mut Cx<Link>) {
//!     cx.trigger_event(Signal::Heard);
//! }
//!
//! let mut work = Work::<Link, _, 4>::new(Virtual::new().until(16.secs()));
//! work.schedule(Task::on(Signal::Heard, watch).again().timeout(5.secs()))?;
//! work.at(4.secs(), hear)?; // complaints at 9 s and at 14 s
//! let mut link = Link { silent: 0 };
//! let _why = work.start(&mut link);
//! assert_eq!(link.silent, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Try again, a little later each time
//!
//! A job that reschedules its task, and a [`Backoff`](crate::pattern::Backoff) that says when.
//!
//! ```
//! use ensue::{App, Cx, Error, ExtU64, Work, clock::Virtual, pattern::Backoff, time};
//!
//! struct Modem { pause: Backoff, tries: u32, joined: bool }
//! impl App for Modem {
//!     type Event = ();
//!     type Params = ();
//!     type Outcome = Result<(), Error>;
//! }
//! # impl Modem { fn try_to_join(&mut self) -> bool { self.tries += 1; self.tries == 4 } }
//!
//! fn join(modem: &mut Modem, cx: &mut Cx<Modem>) -> Result<(), Error> {
//!     if modem.try_to_join() {
//!         modem.pause.succeeded();
//!         modem.joined = true;
//!     } else if let Some(again) = modem.pause.failed(cx.now()) {
//!         cx.reschedule(cx.id(), time::since(again, cx.now()))?;
//!     }
//!     Ok(())
//! }
//!
//! let mut work = Work::<Modem, _, 4>::new(Virtual::new());
//! work.do_now(join)?;
//! let pause = Backoff::new(1.secs(), 1.minutes()).give_up_after(8);
//! let mut modem = Modem { pause, tries: 0, joined: false };
//! let _why = work.start(&mut modem);
//! assert!(modem.joined);
//! assert_eq!(work.now().as_ticks(), 7_000_000); // after 1, 2 and 4 s
//! # Ok::<(), Error>(())
//! ```
//!
//! # One step after the other
//!
//! Each step arms the next one; in between, everything else runs. What takes long is cut in the
//! same way: a job that does a part and calls `cx.do_now` with itself lets the others in.
//!
//! ```
//! use ensue::{App, Cx, ExtU64, ScheduleError, Work, clock::Virtual};
//!
//! #[derive(Default)]
//! struct Radio { powered: bool, ready: bool }
//! impl App for Radio {
//!     type Event = ();
//!     type Params = ();
//!     type Outcome = Result<(), ScheduleError>;
//! }
//!
//! fn power_up(radio: &mut Radio, cx: &mut Cx<Radio>) -> Result<(), ScheduleError> {
//!     radio.powered = true;
//!     cx.at(50.millis(), calibrate).map(|_| ())
//! }
//! fn calibrate(_: &mut Radio, cx: &mut Cx<Radio>) -> Result<(), ScheduleError> {
//!     cx.at(200.millis(), announce).map(|_| ())
//! }
//! fn announce(radio: &mut Radio, _: &mut Cx<Radio>) -> Result<(), ScheduleError> {
//!     radio.ready = true;
//!     Ok(())
//! }
//!
//! let mut work = Work::<Radio, _, 4>::new(Virtual::new());
//! work.do_now(power_up)?;
//! let mut radio = Radio::default();
//! let _why = work.start(&mut radio);
//! assert!(radio.ready);
//! # Ok::<(), ScheduleError>(())
//! ```
//!
//! # Pause a task, and change its pace at once
//!
//! A task that awaits an event is paused; it goes on in its old phase. A new period begins after
//! the run that is armed already, unless that is moved as well.
//!
//! ```
//! use ensue::{App, Cx, Error, ExtU64, TaskId, Work, clock::Virtual};
//!
//! ensue::events! { pub enum Signal { Resume } }
//! struct Meter { sampling: TaskId, samples: u32 }
//! impl App for Meter {
//!     type Event = Signal;
//!     type Params = ();
//!     type Outcome = Result<(), Error>;
//! }
//!
//! fn sample(meter: &mut Meter, _: &mut Cx<Meter>) -> Result<(), Error> {
//!     meter.samples += 1;
//!     Ok(())
//! }
//! fn pause(meter: &mut Meter, cx: &mut Cx<Meter>) -> Result<(), Error> {
//!     Ok(cx.await_event_of(meter.sampling, Signal::Resume)?)
//! }
//! fn resume(_: &mut Meter, cx: &mut Cx<Meter>) -> Result<(), Error> {
//!     cx.trigger_event(Signal::Resume);
//!     Ok(())
//! }
//! fn faster(meter: &mut Meter, cx: &mut Cx<Meter>) -> Result<(), Error> {
//!     cx.set_repeat(meter.sampling, 100.millis())?;
//!     Ok(cx.reschedule(meter.sampling, 0.millis())?)
//! }
//!
//! let mut work = Work::<Meter, _, 4>::new(Virtual::new().until(5_950.millis()));
//! let sampling = work.repeat(1.secs(), sample)?; // at 0 and 1 s
//! work.at(1_500.millis(), pause)?;
//! work.at(4_500.millis(), resume)?; // at 4.5 s, and back in phase at 5 s
//! work.at(5_500.millis(), faster)?; // from here on ten a second
//! let mut meter = Meter { sampling, samples: 0 };
//! let _why = work.start(&mut meter);
//! assert_eq!(meter.samples, 2 + 2 + 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A log that outlives a reset
//!
//! A [`Retained`](crate::ring::Retained) ring in memory that start-up leaves alone. When it is full
//! the oldest go, and are counted. How a panic handler writes to it is told there.
//!
//! ```
//! use ensue::ring::{Boot, Retained};
//!
//! const BOOTED: u16 = 1;
//! const CELSIUS: u16 = 2;
//!
//! // On a chip a `static` in `.uninit`, taken with `Retained::adopt`.
//! let mut memory = Retained::<64>::new();
//! let mut lost = 0;
//! for life in 1..=3 {
//!     let (mut log, boot) = memory.open();
//!     match boot {
//!         Boot::Again(report) => assert!(report.messages > 0 && report.flaw.is_none()),
//!         first => assert_eq!((life, first), (1, Boot::First)),
//!     }
//!     for message in log.iter() {
//!         println!("before: {} {}", message.id(), message.text());
//!     }
//!     for tenths in [215, 216] {
//!         lost += log.make_room(16)?.messages;
//!         log.put_fmt(CELSIUS, 16, format_args!("{}.{} C", tenths / 10, tenths % 10))?;
//!     }
//!     lost += log.put_evicting(BOOTED, &[life])?.messages;
//! }
//! assert_eq!(lost, 2);
//! # Ok::<(), ensue::PutError>(())
//! ```
//!
//! # An hour in a test
//!
//! With [`Virtual`](crate::clock::Virtual) a sleep takes no time, and interrupts come at the times
//! that are written down. See the first recipe for a script; `until` ends what would run for ever.
//!
//! ```
//! use ensue::{App, Cx, Ended, ExtU64, Work, clock::Virtual};
//!
//! struct Node { beats: u32 }
//! impl App for Node { type Event = (); type Params = (); type Outcome = (); }
//! fn beat(node: &mut Node, _: &mut Cx<Node>) {
//!     node.beats += 1;
//! }
//!
//! let mut work = Work::<Node, _, 4>::new(Virtual::new().until(1.hours()));
//! work.repeat(500.millis(), beat)?;
//! let mut node = Node { beats: 0 };
//! assert_eq!(work.start(&mut node), Ended::ClockEnded);
//! assert_eq!(node.beats, 7_201); // the one at the hour included
//! # Ok::<(), ensue::ScheduleError>(())
//! ```
//!
//! # In a loop of your own
//!
//! [`poll`](crate::Work::poll) makes one pass and says what comes next; whatever else your loop has
//! to do fits in between.
//!
//! ```
//! use ensue::{App, Cx, ExtU64, Next, Work, clock::Virtual};
//!
//! struct Node { beats: u32 }
//! impl App for Node { type Event = (); type Params = (); type Outcome = (); }
//! fn beat(node: &mut Node, _: &mut Cx<Node>) {
//!     node.beats += 1;
//! }
//!
//! let clock = Virtual::new();
//! let mut work = Work::<Node, _, 4>::new(&clock); // a reference to a clock is a clock
//! work.repeat(500.millis(), beat)?;
//! let mut node = Node { beats: 0 };
//! for _ in 0..2_000 {
//!     match work.poll(&mut node) {
//!         Next::Ended(_) => break,
//!         Next::Now => {}
//!         Next::At(_) | Next::Event => clock.advance(1.millis()), // your own work
//!     }
//! }
//! assert_eq!(node.beats, 4);
//! # Ok::<(), ensue::ScheduleError>(())
//! ```
