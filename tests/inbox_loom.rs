//! Interrupts and main in every order that the memory model allows.
//!
//! An interrupt is a thread here, which is more than any interrupt can do: it runs beside main, as
//! on another core, and main may see its stores late and out of order. Run it with
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --release --test inbox_loom
//! ```
//!
//! (two minutes of computing; `LOOM_MAX_PREEMPTIONS=3` makes it shorter and less thorough).
//!
//! A model that holds proves little unless it fails when it should. So each of the four fences of
//! `src/sync.rs` is made weaker in turn, from sequentially consistent to acquire-release, and a
//! model has to notice; what is not a fence is relaxed already and cannot be weaker. Likewise a wake
//! hook that is missing, and a critical section that lets everybody in, must be noticed.
//!
//! What loom cannot tell:
//!
//! - Sequentially consistent *accesses* it takes for acquire-release ones, and would not see the
//!   difference. There are none, for that reason; its fences are the real ones.
//! - Between two of its sequentially consistent fences everything is ordered. The memory model
//!   promises that of atomics alone; `src/sync.rs` says what it means for other memory.
//! - The cells inside the critical section are no concern of its: that only one is in there at a
//!   time is the promise of the lock.
#![cfg(loom)]

use std::cell::Cell;

use ensue::{App, Clock, Cx, Ended, Inbox, Instant, Next, Sleep, Task, Wake, Work};
use loom::sync::Notify;
use loom::sync::atomic::{AtomicU8, Ordering::Relaxed};
use loom::thread;

ensue::events! { enum Signal { Left, Right } }
use Signal::{Left, Right};

#[test]
fn no_trigger_is_lost() {
    loom::model(two_events);
}

#[test]
#[should_panic(expected = "lost")]
fn without_the_fence_between_the_flag_and_arrived_a_trigger_is_lost() {
    ensue::weaken("Raised");
    loom::model(two_events);
}

#[test]
#[should_panic(expected = "lost")]
fn without_the_fence_between_arrived_and_the_flags_a_trigger_is_lost() {
    ensue::weaken("Asked");
    loom::model(two_events);
}

#[test]
fn the_last_run_sees_what_was_written_before_every_trigger() {
    loom::model(one_event_twice);
}

#[test]
#[should_panic(expected = "stale")]
fn without_the_fence_before_the_flag_a_run_sees_what_is_stale() {
    ensue::weaken("Said");
    loom::model(one_event_twice);
}

#[test]
#[should_panic(expected = "stale")]
fn without_the_fence_after_the_flags_a_run_sees_what_is_stale() {
    ensue::weaken("Taken");
    loom::model(one_event_twice);
}

#[test]
fn no_params_are_lost_or_doubled_and_what_was_written_before_them_is_seen() {
    loom::model(params);
}

#[test]
#[should_panic(expected = "lost")]
fn without_the_lock_params_are_lost() {
    ensue::weaken("Lock");
    loom::model(params);
}

#[test]
fn no_sleep_outlasts_a_trigger() {
    loom::model(|| asleep(&[Left, Right], |inbox| inbox.wake_with(wake), Inbox::trigger_event));
}

#[test]
fn no_sleep_outlasts_a_trigger_with_params() {
    loom::model(|| {
        asleep(
            &[Left],
            |inbox| inbox.wake_with(wake),
            |inbox, event| assert_eq!(inbox.trigger_event_with(event, 1), Ok(())),
        );
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_a_wake_hook_a_thread_sleeps_on() {
    loom::model(|| asleep(&[Left], |inbox| inbox, Inbox::trigger_event));
}

#[test]
fn a_stop_ends_the_loop_once() {
    loom::model(stop);
}

#[test]
#[should_panic(expected = "lost")]
fn without_the_fence_between_the_flag_and_arrived_a_stop_is_lost() {
    ensue::weaken("Raised");
    loom::model(stop);
}

#[test]
fn a_stop_wakes_the_loop() {
    loom::model(|| {
        let inbox = leak(Inbox::<Signal, u8, 1>::new().wake_with(wake));
        let mut main = Main::listening_to(inbox);
        main.hear(Left);
        let interrupt = thread::spawn(move || inbox.stop());
        assert_eq!(main.work.start(&mut main.app), Ended::Stopped);
        interrupt.join().unwrap();
    });
}

// The models. Each polls twice while the interrupts run and once after them: what they left must
// have been taken by then, and what a run has not seen by then, no run will.

/// Two interrupts trigger an event each.
fn two_events() {
    let mut main = Main::listening_to(leak(Inbox::<Signal, u8, 0>::new()));
    main.hear(Left);
    main.hear(Right);
    let interrupts = [Left, Right].map(|event| main.interrupt(event, Inbox::trigger_event));
    main.poll();
    main.poll();
    interrupts.into_iter().for_each(|interrupt| interrupt.join().unwrap());
    main.poll();
    assert_eq!(main.app.runs, [0, 0], "lost: who ran, and with which params");
}

/// Two interrupts trigger the same event.
fn one_event_twice() {
    let mut main = Main::listening_to(leak(Inbox::<Signal, u8, 0>::new()));
    main.hear(Left);
    let interrupts =
        [Left, Right].map(|who| main.interrupt(who, |inbox, _| inbox.trigger_event(Left)));
    main.poll();
    main.poll();
    interrupts.into_iter().for_each(|interrupt| interrupt.join().unwrap());
    main.poll();
    assert_eq!(main.app.heard, [1, 1], "stale: what the last run has seen of what was said");
}

/// Two interrupts send params, of an inbox with room for one.
fn params() {
    let inbox = leak(Inbox::<Signal, u8, 1>::new());
    let mut main = Main::listening_to(inbox);
    main.hear(Left);
    let interrupts = [Left, Right].map(|who| {
        main.interrupt(who, |inbox, who| inbox.trigger_event_with(Left, 1 + who as u8).ok())
    });
    main.poll();
    main.poll();
    let accepted = interrupts.map(|interrupt| interrupt.join().unwrap().is_some());
    main.poll();
    for (params, accepted) in [1, 2].into_iter().zip(accepted) {
        let runs = main.app.runs.iter().filter(|run| **run == params).count();
        assert_eq!(runs, usize::from(accepted), "lost or doubled: {params}");
    }
    let refused = accepted.iter().filter(|accepted| !**accepted).count();
    assert_eq!(inbox.refused(), refused.try_into().unwrap());
    assert_eq!(main.app.heard, [1, 1], "stale: what the last run has seen of what was said");
}

/// Interrupts, one for each event, come while main goes to sleep, or comes back from it.
fn asleep<W: Wake + Sync + 'static>(
    events: &[Signal],
    hook: fn(Room1) -> Room1<W>,
    trigger: fn(&Room1<W>, Signal),
) {
    let inbox = leak(hook(Inbox::new()));
    let mut main = Main::listening_to(inbox);
    let interrupts: Vec<_> = events
        .iter()
        .map(|event| {
            main.work.on(*event, |_, _| ()).unwrap();
            main.interrupt(*event, trigger)
        })
        .collect();
    assert_eq!(main.work.start(&mut main.app), Ended::NoTasks);
    interrupts.into_iter().for_each(|interrupt| interrupt.join().unwrap());
}

/// One interrupt triggers an event and another one stops the loop, between two runs or two passes.
fn stop() {
    let mut main = Main::listening_to(leak(Inbox::<Signal, u8, 0>::new()));
    main.work.do_now(|_, _| ()).unwrap();
    main.hear(Left);
    let interrupts = [
        main.interrupt(Left, Inbox::trigger_event),
        main.interrupt(Right, |inbox, _| inbox.stop()),
    ];
    let mut stops = 0;
    let mut poll = |main: &mut Main<_>| {
        if main.work.poll(&mut main.app) == Next::Ended(Ended::Stopped) {
            stops += 1;
            let seen = main.app.said[1].load(Relaxed);
            assert_eq!((seen, main.work.task_count()), (1, 0), "stale: what is seen after a stop");
        }
    };
    poll(&mut main);
    poll(&mut main);
    interrupts.into_iter().for_each(|interrupt| interrupt.join().unwrap());
    poll(&mut main);
    assert_eq!(stops, 1, "lost or doubled: a stop");
}

// The stage.

type Room1<W = ()> = Inbox<Signal, u8, 1, W>;

/// What the interrupts have written before their triggers.
type Said = &'static [AtomicU8; 2];

struct Ear {
    said: Said,
    /// What the last run has seen of it.
    heard: [u8; 2],
    /// The params of each run.
    runs: Vec<u8>,
}

impl App for Ear {
    type Event = Signal;
    type Params = u8;
    type Outcome = ();
}

/// Listens anew after each run, so that params come with their event or not at all.
fn hear(ear: &mut Ear, cx: &mut Cx<'_, Ear>) {
    ear.heard = [ear.said[0].load(Relaxed), ear.said[1].load(Relaxed)];
    ear.runs.push(*cx.params());
    if let ensue::Cause::Event(event) = cx.cause() {
        cx.schedule(Task::on(event, hear)).unwrap();
    }
}

struct Main<I: 'static> {
    inbox: &'static I,
    work: Work<Ear, Parking, 4>,
    app: Ear,
}

impl<const N: usize, W: Wake + Sync> Main<Inbox<Signal, u8, N, W>> {
    fn listening_to(inbox: &'static Inbox<Signal, u8, N, W>) -> Self {
        let mut work = Work::new(Parking).listen(inbox);
        BELL.set(Some(leak(Notify::new())));
        // Loom's atomics are set up by their first use, and this uses all of them.
        work.stop();
        let said = leak([AtomicU8::new(0), AtomicU8::new(0)]);
        Self { inbox, work, app: Ear { said, heard: [0, 0], runs: Vec::new() } }
    }

    fn hear(&mut self, event: Signal) {
        self.work.on(event, hear).unwrap();
    }

    /// Says something, and then triggers.
    fn interrupt<T: 'static>(
        &self,
        who: Signal,
        trigger: fn(&Inbox<Signal, u8, N, W>, Signal) -> T,
    ) -> thread::JoinHandle<T> {
        let (inbox, said) = (self.inbox, self.app.said);
        thread::spawn(move || {
            said[who as usize].store(1, Relaxed);
            trigger(inbox, who)
        })
    }

    fn poll(&mut self) {
        let _ = self.work.poll(&mut self.app);
    }
}

/// For the length of one execution, of which there are thousands; each leaves a few bytes.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// A clock that stands still, and sleeps until the wake hook rings.
struct Parking;

impl Clock for Parking {
    fn now(&self) -> Instant {
        Instant::from_ticks(0)
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        while !sleep.is_over() {
            BELL.get().expect("a bell").wait();
        }
    }
}

fn wake() {
    BELL.get().expect("a bell").notify();
}

// Loom's threads all run on one of the host's.
thread_local! {
    static BELL: Cell<Option<&'static Notify>> = const { Cell::new(None) };
}
