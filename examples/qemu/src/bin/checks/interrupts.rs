//! Events from real interrupts, of several priorities, at any moment.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use ensue::{Cause, Cx, Ended, ExtU64, Full, Next, Task};
use port::{Level, Timer, interrupt, on_alarm, on_interrupt, println, set_alarm};

use crate::{INBOX, Notes, Outcome, ROOM, Signal, bench, note, spin, stop};

/// One interrupt, and what becomes of what it sends. Only that interrupt writes `sent`.
struct Source {
    event: Signal,
    sent: AtomicU32,
    runs: AtomicU32,
    /// The runs, and what was merged into them.
    answered: AtomicU32,
    latest: AtomicU32,
}

impl Source {
    const fn of(event: Signal) -> Self {
        Self {
            event,
            sent: AtomicU32::new(0),
            runs: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            latest: AtomicU32::new(0),
        }
    }

    /// In the interrupt: sends the next number.
    fn send(&self) {
        let number = self.sent.load(Relaxed) + 1;
        self.sent.store(number, Relaxed);
        INBOX.trigger_event_with(self.event, number).expect("there is room for all");
        if BUSY.load(Relaxed) {
            WHILE_BUSY.store(WHILE_BUSY.load(Relaxed) + 1, Relaxed);
        }
    }

    /// In the job: the newest number has come, and those merged with it.
    fn hear(&self, cx: &Cx<Notes>) {
        let (number, count) = (*cx.params(), 1 + u32::from(cx.merged()));
        let latest = self.latest.load(Relaxed);
        assert_eq!(number, latest + count, "{:?} sent what did not arrive in order", self.event);
        self.latest.store(number, Relaxed);
        self.answered.store(self.answered.load(Relaxed) + count, Relaxed);
        self.runs.store(self.runs.load(Relaxed) + 1, Relaxed);
    }
}

static HIGH: Source = Source::of(Signal::High);
static LOW: Source = Source::of(Signal::Low);
static ALARM: Source = Source::of(Signal::Alarm);
/// What comes without params: how often it was triggered, and what the last run saw of that.
static FLAGGED: AtomicU32 = AtomicU32::new(0);
static FLAG_SEEN: AtomicU32 = AtomicU32::new(0);
static OVER: AtomicBool = AtomicBool::new(false);
static BUSY: AtomicBool = AtomicBool::new(false);
static WHILE_BUSY: AtomicU32 = AtomicU32::new(0);

/// The alarm comes at odd moments and sets itself again; now and then it raises the low interrupt,
/// which sends a number, raises the high one in its midst, and sends another.
pub(crate) fn what_interrupts_trigger_while_jobs_run_arrives(clock: &Timer) {
    fn busy(_: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        BUSY.store(true, Relaxed);
        interrupt(Level::Low);
        spin(cx, 600.micros());
        interrupt(Level::High);
        BUSY.store(false, Relaxed);
        Ok(())
    }
    fn over(_: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        OVER.store(true, Relaxed);
        let busy = cx.find(1).ok_or("nobody is busy")?;
        cx.cancel(busy).map_err(|_| "nobody is busy")
    }
    fn flag(_: &mut Notes, _: &mut Cx<Notes>) -> Outcome {
        FLAG_SEEN.store(FLAGGED.load(Relaxed), Relaxed);
        Ok(())
    }
    fn hear(_: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        let mut sources = [&HIGH, &LOW, &ALARM].into_iter();
        let source = sources.find(|source| cx.cause() == Cause::Event(source.event));
        source.ok_or("nobody sent that")?.hear(cx);
        Ok(())
    }

    on_interrupt(Level::High, || {
        HIGH.send();
        FLAGGED.store(FLAGGED.load(Relaxed) + 1, Relaxed);
        INBOX.trigger_event(Signal::Flag);
    });
    on_interrupt(Level::Low, || {
        LOW.send();
        interrupt(Level::High);
        LOW.send();
    });
    on_alarm(|| {
        ALARM.send();
        let number = ALARM.sent.load(Relaxed);
        if number.is_multiple_of(3) {
            interrupt(Level::Low);
        }
        if !OVER.load(Relaxed) {
            set_alarm(port::ALARM_HZ / 10_000 + number.wrapping_mul(2_654_435_761) % 5_003);
        }
    });

    let refused = INBOX.refused();
    let (mut work, mut notes) = (bench(clock), Notes::default());
    work.schedule(Task::repeat(1.millis(), busy).tag(1)).unwrap();
    for source in [&HIGH, &LOW, &ALARM] {
        work.schedule(Task::on(source.event, hear).again()).unwrap();
    }
    work.schedule(Task::on(Signal::Flag, flag).again()).unwrap();
    work.at(300.millis(), over).unwrap();
    work.at(310.millis(), stop).unwrap();
    set_alarm(1_000);
    assert_eq!(work.start(&mut notes), Ended::Stopped);

    assert!(notes.faults.is_empty());
    for source in [&HIGH, &LOW, &ALARM] {
        let [sent, answered, runs] =
            [&source.sent, &source.answered, &source.runs].map(|count| count.load(Relaxed));
        assert!(sent > 100, "{:?} was sent {sent} times only", source.event);
        assert_eq!(sent, answered, "{:?} was lost, or doubled", source.event);
        println!("  {:?}: {sent} sent, {answered} answered in {runs} runs", source.event);
    }
    assert!(FLAGGED.load(Relaxed) > 100);
    assert_eq!(FLAG_SEEN.load(Relaxed), FLAGGED.load(Relaxed), "no run followed the last trigger");
    assert_eq!(INBOX.refused(), refused);
    let while_busy = WHILE_BUSY.load(Relaxed);
    assert!(while_busy > 100, "only {while_busy} came while a job ran");
    println!("  {while_busy} of them were sent while a job was busy");
}

/// More than there is room for: the params come back, the event arrives without them.
pub(crate) fn what_the_inbox_refuses_is_counted(clock: &Timer) {
    on_interrupt(Level::Low, || {
        for label in 0..ROOM as u32 {
            assert_eq!(INBOX.trigger_event_with(Signal::Low, label), Ok(()));
        }
        assert_eq!(INBOX.trigger_event_with(Signal::Low, 98), Err(Full(98)));
        assert_eq!(INBOX.trigger_event_with(Signal::Button, 99), Err(Full(99)));
    });
    let refused = INBOX.refused();
    let (mut work, mut notes) = (bench(clock), Notes::default());
    work.schedule(Task::on(Signal::Low, note).again()).unwrap();
    work.schedule(Task::on(Signal::Button, note).params(77)).unwrap();
    interrupt(Level::Low);
    assert_eq!(work.poll(&mut notes), Next::Event);

    assert_eq!(INBOX.refused(), refused + 2);
    // All that were accepted and the event of the one refused, in one run with the last params.
    assert_eq!(notes.labels(), [ROOM as u32 - 1, 77]);
    assert_eq!(notes.runs[0].merged, ROOM as u16);
}
