//! The inbox: what it holds, how it is stopped, and four threads at once.
//!
//! The threads stand in for interrupts of any priority and for the other core: they come at any
//! moment, even in the middle of a pass. `inbox_loom.rs` goes through the moments one by one; here
//! there are a million of them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration as HostDuration, Instant as HostInstant};

use ensue::clock::{Interrupt, Virtual};
use ensue::{
    App, Clock, Cx, Ended, Event, Events, ExtU64, Full, Inbox, Instant, Next, Sleep, Task, Wake,
    Work,
};

ensue::events! { enum Signal { North, East, South, West } }
use Signal::{East, North, South, West};

const WINDS: [Signal; 4] = [North, East, South, West];

// What fits.

#[test]
fn an_inbox_without_room_hands_the_params_back_and_the_event_still_arrives() {
    static INBOX: Inbox<Signal, Letter, 0> = Inbox::new();
    let mut work = Work::<Reader, _, 2>::new(Virtual::new()).listen(&INBOX);
    work.schedule(Task::on(East, read).params(letter("old"))).unwrap();
    assert_eq!(INBOX.trigger_event_with(East, letter("new")), Err(Full(letter("new"))));
    assert_eq!(INBOX.refused(), 1);
    let mut reader = Reader::default();
    assert_eq!(work.start(&mut reader), Ended::NoTasks);
    assert_eq!(reader.0, ["old"]);
}

#[test]
fn the_queue_keeps_its_order_while_it_goes_round() {
    static INBOX: Inbox<Signal, Letter, 3> = Inbox::new();
    let mut work = Work::<Reader, _, 4>::new(Virtual::new()).listen(&INBOX);
    for wind in WINDS {
        work.schedule(Task::on(wind, read).again()).unwrap();
    }
    let mut reader = Reader::default();
    let mut expected = Vec::new();
    for round in 0..50 {
        let room = round % 4;
        for wind in WINDS.into_iter().take(room) {
            let text = format!("{wind:?} {round}");
            assert_eq!(INBOX.trigger_event_with(wind, letter(&text)), Ok(()));
            expected.push(text);
        }
        if room == 3 {
            let too_much = letter("too much");
            assert_eq!(INBOX.trigger_event_with(North, too_much.clone()), Err(Full(too_much)));
        }
        let _ = work.poll(&mut reader);
    }
    assert_eq!(reader.0, expected);
    assert_eq!(INBOX.refused(), 12);
}

#[test]
fn params_that_are_not_taken_are_dropped_once() {
    static INBOX: Inbox<Signal, Letter, 3> = Inbox::new();
    let mut work = Work::<Reader, _, 4>::new(Virtual::new()).listen(&INBOX);
    let original = letter("dear all");
    for wind in WINDS {
        let _ = INBOX.trigger_event_with(wind, original.clone());
    }
    assert_eq!(Arc::strong_count(original.0.as_ref().unwrap()), 4);
    work.stop();
    assert_eq!(Arc::strong_count(original.0.as_ref().unwrap()), 1);

    let _ = INBOX.trigger_event_with(North, original.clone());
    let _ = work.poll(&mut Reader::default());
    assert_eq!(Arc::strong_count(original.0.as_ref().unwrap()), 1, "it reached nobody");
}

#[test]
fn an_event_before_its_listener_reaches_nobody_unless_it_is_latched() {
    static INBOX: Inbox<Signal, Letter, 3> = Inbox::new();
    let mut work = Work::<Reader, _, 4>::new(Virtual::new()).listen(&INBOX);
    let mut reader = Reader::default();
    INBOX.trigger_event(North);
    assert_eq!(INBOX.trigger_event_with(South, letter("first")), Ok(()));
    let _ = work.poll(&mut reader);
    work.schedule(Task::on(North, read).params(letter("unlatched"))).unwrap();
    work.schedule(Task::on(South, read).params(letter("latched")).latched()).unwrap();
    let _ = work.poll(&mut reader);
    assert_eq!(reader.0, ["latched"], "what is remembered has no params");
}

/// Events whose numbers are looked up while the inbox is read: a moment for an interrupt to come.
#[derive(Clone, Copy)]
enum Door {
    Front,
    Back,
}

static DOORS: Inbox<Door, (), 0> = Inbox::new();

impl Event for Door {
    type Count = Events<2>;

    fn index(self) -> usize {
        self as usize
    }

    fn from_index(index: usize) -> Option<Self> {
        let door = [Door::Front, Door::Back].get(index).copied();
        if let Some(Door::Back) = door {
            DOORS.trigger_event(Door::Front);
        }
        door
    }
}

#[test]
fn a_trigger_while_the_inbox_is_read_comes_in_the_next_pass() {
    struct House(Vec<Door>);
    impl App for House {
        type Event = Door;
        type Params = ();
        type Outcome = ();
    }
    let mut work = Work::<House, _, 2>::new(Virtual::new()).listen(&DOORS);
    work.on(Door::Front, |house, _| house.0.push(Door::Front)).unwrap();
    work.on(Door::Back, |house, _| house.0.push(Door::Back)).unwrap();
    let mut house = House(Vec::new());
    DOORS.trigger_event(Door::Back);
    let _ = work.poll(&mut house);
    assert!(matches!(house.0[..], [Door::Back]), "the front door's flag had been read");
    let _ = work.poll(&mut house);
    assert!(matches!(house.0[..], [Door::Back, Door::Front]));
}

// Stop from an interrupt.

#[test]
fn stop_from_an_interrupt_during_a_job_ends_the_pass_and_everything_that_exists() {
    static INBOX: Inbox<Signal, Letter, 3> = Inbox::new();
    let mut work = Work::<Reader, _, 8>::new(Virtual::new()).listen(&INBOX);
    let first = work
        .do_now(|reader: &mut Reader, cx| {
            reader.note("first");
            INBOX.trigger_event(North);
            assert_eq!(INBOX.trigger_event_with(South, letter("first")), Ok(()));
            INBOX.stop();
            INBOX.trigger_event(East);
            cx.do_now(read).unwrap();
        })
        .unwrap();
    work.do_now(|reader: &mut Reader, _| reader.note("second")).unwrap();
    work.repeat(1.secs(), read).unwrap();
    work.on(West, read).unwrap();
    let mut reader = Reader::default();
    assert_eq!(work.start(&mut reader), Ended::Stopped);
    assert_eq!((reader.0.as_slice(), work.task_count()), (["first".to_string()].as_slice(), 0));
    assert!(work.status(first).is_err());

    for wind in WINDS {
        work.schedule(Task::on(wind, read).latched()).unwrap();
    }
    assert_eq!(work.poll(&mut reader), Next::Event, "the inbox was emptied, and start works again");
    assert_eq!(reader.0, ["first"]);
}

#[test]
fn stop_ends_a_sleep_and_a_poll() {
    static INBOX: Inbox<Signal, Letter, 0> = Inbox::new();
    let script = [Interrupt { at: 1_500.millis(), run: &|_| INBOX.stop() }];
    let mut work = Work::<Reader, _, 2>::new(Virtual::with_script(&script)).listen(&INBOX);
    work.repeat(1.secs(), read).unwrap();
    let mut reader = Reader::default();
    assert_eq!(work.start(&mut reader), Ended::Stopped);
    assert_eq!((reader.0.len(), work.now().as_ticks()), (2, 1_500_000));

    work.do_now(read).unwrap();
    INBOX.stop();
    assert_eq!(work.poll(&mut reader), Next::Ended(Ended::Stopped));
    assert_eq!(work.poll(&mut reader), Next::Ended(Ended::NoTasks), "it is obeyed once");
    assert_eq!(reader.0.len(), 2);
}

#[test]
fn stop_in_a_job_answers_an_interrupt_that_has_called_it_as_well() {
    static INBOX: Inbox<Signal, Letter, 0> = Inbox::new();
    let mut work = Work::<Reader, _, 2>::new(Virtual::new()).listen(&INBOX);
    work.do_now(|_: &mut Reader, cx| {
        INBOX.stop();
        cx.stop();
        cx.do_now(read).unwrap();
    })
    .unwrap();
    let mut reader = Reader::default();
    assert_eq!(work.start(&mut reader), Ended::Stopped);
    assert_eq!(work.start(&mut reader), Ended::NoTasks);
    assert_eq!(reader.0.len(), 1, "what was scheduled after the stop stays");
}

/// What a job is given to read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Letter(Option<Arc<str>>);

fn letter(text: &str) -> Letter {
    Letter(Some(text.into()))
}

#[derive(Default)]
struct Reader(Vec<String>);

impl Reader {
    fn note(&mut self, text: &str) {
        self.0.push(text.to_string());
    }
}

impl App for Reader {
    type Event = Signal;
    type Params = Letter;
    type Outcome = ();
}

fn read(reader: &mut Reader, cx: &mut Cx<'_, Reader>) {
    reader.note(cx.params().0.as_deref().unwrap_or("nothing"));
}

// Four threads at once.

/// How many events each of the four threads sends.
const EACH: u32 = 250_000;

/// Who sends, and which of his it is.
type Numbered = Option<(usize, u32)>;

/// Hears of numbered events.
#[derive(Default)]
struct Log {
    /// The params of each run, by sender; one without is not noted.
    runs: [Vec<u32>; 4],
    merged: u32,
}

impl App for Log {
    type Event = Signal;
    type Params = Numbered;
    type Outcome = ();
}

fn log(log: &mut Log, cx: &mut Cx<'_, Log>) {
    if let Some((who, number)) = *cx.params() {
        log.runs[who].push(number);
    }
    log.merged += u32::from(cx.merged());
    // The next run has params only if its event brings some.
    cx.send(cx.id(), None).unwrap();
}

#[test]
fn a_million_events_are_accepted_or_refused_and_each_accepted_one_runs_once_in_order() {
    // With room for one, no two come in the same pass, where they would be merged.
    static INBOX: Inbox<Signal, Numbered, 1> = Inbox::new();
    let mut work = Work::<Log, _, 1>::new(Virtual::new()).listen(&INBOX);
    work.schedule(Task::on(North, log).again()).unwrap();
    let mut app = Log::default();

    let accepted = thread::scope(|scope| {
        let send = |who| {
            let mut accepted = Vec::new();
            for number in 0..EACH {
                match INBOX.trigger_event_with(North, Some((who, number))) {
                    Ok(()) => accepted.push(number),
                    Err(Full(params)) => assert_eq!(params, Some((who, number))),
                }
                if number % 8 == 0 {
                    thread::yield_now();
                }
            }
            accepted
        };
        let senders = [0, 1, 2, 3].map(|who| scope.spawn(move || send(who)));
        while !senders.iter().all(|sender| sender.is_finished()) {
            let _ = work.poll(&mut app);
        }
        senders.map(|sender| sender.join().unwrap())
    });
    let _ = work.poll(&mut app);

    assert!(accepted == app.runs, "each accepted one ran once, in order");
    let count: usize = accepted.iter().map(Vec::len).sum();
    assert_eq!(count as u32 + INBOX.refused(), 4 * EACH);
    assert!(count > 1_000, "only {count} were accepted: this was no test");
}

#[test]
fn a_million_events_are_merged_in_order_when_several_come_in_one_pass() {
    const ROOM: usize = 64;
    static INBOX: Inbox<Signal, Numbered, ROOM> = Inbox::new();
    static RUN: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];
    let mut work = Work::<Log, _, 4>::new(Virtual::new()).listen(&INBOX);
    for wind in WINDS {
        work.schedule(Task::on(wind, log).again()).unwrap();
    }
    let mut app = Log::default();

    thread::scope(|scope| {
        let send = |who: usize| {
            for number in 0..EACH {
                // Nobody takes more than his share of the room, so nothing is refused.
                while number - RUN[who].load(Ordering::Relaxed) >= (ROOM / 4) as u32 {
                    thread::yield_now();
                }
                let sent = INBOX.trigger_event_with(WINDS[who], Some((who, number)));
                assert_eq!(sent, Ok(()));
            }
        };
        let senders = [0, 1, 2, 3].map(|who| scope.spawn(move || send(who)));
        while !senders.iter().all(|sender| sender.is_finished()) {
            let _ = work.poll(&mut app);
            for (run, runs) in RUN.iter().zip(&app.runs) {
                run.store(runs.last().map_or(0, |last| last + 1), Ordering::Relaxed);
            }
            thread::yield_now();
        }
    });
    let _ = work.poll(&mut app);

    for runs in &app.runs {
        assert!(runs.is_sorted_by(|earlier, later| earlier < later), "the newest params win");
        assert_eq!(runs.last(), Some(&(EACH - 1)));
    }
    let runs: usize = app.runs.iter().map(Vec::len).sum();
    assert_eq!(runs as u32 + app.merged, 4 * EACH, "each was a run or was merged into one");
    assert_eq!(INBOX.refused(), 0);
}

/// Hears of events without params, and looks at what was written before them.
struct Heard<'s> {
    said: &'s [AtomicU32; 4],
    heard: &'s [AtomicU32; 4],
    runs: u32,
}

impl App for Heard<'_> {
    type Event = Signal;
    type Params = ();
    type Outcome = ();
}

fn hear(app: &mut Heard<'_>, _: &mut Cx<'_, Heard<'_>>) {
    app.runs += 1;
    for (said, heard) in app.said.iter().zip(app.heard) {
        heard.store(said.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Says the numbers up to `last` and triggers after each. Every so often it waits until it was
/// heard: the trigger before the wait is the last for that long, and a run must follow it.
fn say(
    number: impl IntoIterator<Item = u32>,
    said: &AtomicU32,
    heard: &AtomicU32,
    wait_every: u32,
    trigger: impl Fn(),
) {
    for number in number {
        said.store(number, Ordering::Relaxed);
        trigger();
        let patience = HostInstant::now() + HostDuration::from_secs(30);
        while number % wait_every == 0 && heard.load(Ordering::Relaxed) < number {
            assert!(HostInstant::now() < patience, "no run has followed the trigger of {number}");
            thread::yield_now();
        }
    }
}

#[test]
fn a_run_always_follows_the_last_trigger() {
    static INBOX: Inbox<Signal, (), 0> = Inbox::new();
    const LAST: u32 = 100_000;
    const WAIT_EVERY: u32 = 250;
    // All four trigger the same event; all four events.
    let ways: [fn(usize) -> Signal; 2] = [|_| North, |who| WINDS[who]];
    for event in ways {
        let said = [const { AtomicU32::new(0) }; 4];
        let heard = [const { AtomicU32::new(0) }; 4];
        let mut work = Work::<Heard<'_>, _, 4>::new(Virtual::new()).listen(&INBOX);
        for wind in WINDS {
            work.schedule(Task::on(wind, hear).again()).unwrap();
        }
        let mut app = Heard { said: &said, heard: &heard, runs: 0 };
        thread::scope(|scope| {
            let threads = [0, 1, 2, 3].map(|who| {
                let (said, heard) = (&said[who], &heard[who]);
                let trigger = move || INBOX.trigger_event(event(who));
                scope.spawn(move || say(1..=LAST, said, heard, WAIT_EVERY, trigger))
            });
            while !threads.iter().all(|thread| thread.is_finished()) {
                let _ = work.poll(&mut app);
                thread::yield_now();
            }
        });
        assert_eq!(heard.each_ref().map(|heard| heard.load(Ordering::Relaxed)), [LAST; 4]);
        assert!(app.runs >= LAST / WAIT_EVERY, "{}", app.runs);
        work.stop();
    }
}

#[test]
fn a_wake_hook_takes_room_only_if_it_is_a_pointer() {
    struct Unpark;
    impl Wake for Unpark {
        fn wake(&self) {
            panic!("nobody triggers");
        }
    }
    let plain = size_of::<Inbox<Signal, u32, 4>>();
    assert_eq!(size_of_val(&Inbox::<Signal, u32, 4>::new().wake_with(Unpark)), plain);
    assert_eq!(size_of::<Inbox<Signal, u32, 4, fn()>>(), plain + size_of::<fn()>());
}

#[test]
fn a_run_always_follows_the_last_trigger_of_a_loop_that_sleeps() {
    static SLEEPER: OnceLock<Thread> = OnceLock::new();
    static INBOX: Inbox<Signal, (), 0, fn()> = Inbox::new().wake_with(|| {
        if let Some(sleeper) = SLEEPER.get() {
            sleeper.unpark();
        }
    });
    static SLEPT: AtomicBool = AtomicBool::new(false);

    /// Sleeps until the wake hook unparks the thread.
    struct Parking;
    impl Clock for Parking {
        fn now(&self) -> Instant {
            Instant::from_ticks(0)
        }
        fn wait(&self, sleep: &Sleep<'_>) {
            while !sleep.is_over() {
                SLEPT.store(true, Ordering::Relaxed);
                thread::park();
            }
        }
    }

    SLEEPER.set(thread::current()).unwrap();
    let said = [const { AtomicU32::new(0) }; 4];
    let heard = [const { AtomicU32::new(0) }; 4];
    let mut work = Work::<Heard<'_>, _, 4>::new(Parking).listen(&INBOX);
    for wind in WINDS {
        work.schedule(Task::on(wind, hear).again()).unwrap();
    }
    let mut app = Heard { said: &said, heard: &heard, runs: 0 };
    thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|who| {
            let (said, heard) = (&said[who], &heard[who]);
            scope.spawn(move || {
                say(1..=2_000, said, heard, 1, || INBOX.trigger_event(WINDS[who]));
            })
        });
        scope.spawn(move || {
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            INBOX.stop();
        });
        assert_eq!(work.start(&mut app), Ended::Stopped);
    });
    assert_eq!(heard.each_ref().map(|heard| heard.load(Ordering::Relaxed)), [2_000; 4]);
    assert!(SLEPT.load(Ordering::Relaxed));
}
