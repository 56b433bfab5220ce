//! The verbs, one by one, with a hardware timer for a clock.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use ensue::{
    Cause, Clock, Cx, Duration, Ended, ExtU64, Missed, Next, NoSuchTask, Priority, ScheduleError,
    SetRepeatError, State, Task, time,
};
use port::{Timer, println};

use crate::{Notes, ON_TIME, Outcome, Signal, bench, note, spin, stop};

pub(crate) fn what_is_done_now_runs_in_the_next_pass(clock: &Timer) {
    fn twice(notes: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        cx.do_now(note).map_err(|_| "no place")?;
        note(notes, cx)
    }
    let (mut work, mut notes) = (bench(clock), Notes::default());
    work.do_now(twice).unwrap();

    assert_eq!(work.poll(&mut notes), Next::Now);
    assert_eq!(notes.runs.len(), 1);
    assert_eq!(work.poll(&mut notes), Next::Ended(Ended::NoTasks));
    assert_eq!(notes.runs.len(), 2);
}

pub(crate) fn delays_are_kept(clock: &Timer) {
    let (mut work, mut notes) = (bench(clock), Notes::default());
    let begun = clock.now();
    for millis in [30, 10, 20_u32] {
        work.schedule(Task::at(u64::from(millis).millis(), note).params(millis)).unwrap();
    }
    work.at(40.millis(), note).unwrap();

    assert_eq!(work.start(&mut notes), Ended::NoTasks);
    assert_eq!(notes.labels(), [10, 20, 30, 0]);
    assert!(notes.were_on_time());
    for run in notes.runs.iter().take(3) {
        let (took, delay) = (time::since(run.at, begun), Duration::from_millis(run.label.into()));
        assert!(took >= delay && took < delay + ON_TIME * 2, "{delay} took {took}");
    }
}

/// A job that takes another time at each run, against arithmetic and against the timer.
pub(crate) fn a_period_does_not_drift(clock: &Timer) {
    const PERIOD: Duration = Duration::from_millis(10);
    const RUNS: u32 = 500;
    static RUN: AtomicU32 = AtomicU32::new(0);
    static LATEST: AtomicU32 = AtomicU32::new(0);

    fn beat(notes: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        let run = RUN.load(Relaxed);
        if run == 0 {
            note(notes, cx)?;
        }
        let first = notes.runs[0].due;
        assert_eq!(cx.scheduled_at(), time::later(first, PERIOD * run), "run {run}");
        LATEST.store(LATEST.load(Relaxed).max(cx.late_by().as_ticks() as u32), Relaxed);
        RUN.store(run + 1, Relaxed);
        if run == RUNS {
            cx.abort_current_task();
        }
        spin(cx, Duration::from_micros(700) * (run % 13));
        Ok(())
    }
    let (mut work, mut notes) = (bench(clock), Notes::default());
    let begun = clock.now();
    work.repeat(PERIOD, beat).unwrap();
    assert_eq!(work.start(&mut notes), Ended::NoTasks);

    let took = time::since(clock.now(), begun);
    let last_spin = Duration::from_micros(700) * (RUNS % 13);
    assert!(took >= PERIOD * RUNS && took < PERIOD * RUNS + last_spin + ON_TIME, "{took}");
    let latest = Duration::from_ticks(LATEST.load(Relaxed).into());
    assert!(latest < ON_TIME, "a run was {latest} late");
    println!("  {RUNS} periods of {PERIOD} took {took}; no run began later than {latest}");
}

/// Period 10 ms; the first run is held up for 35 ms.
pub(crate) fn missed_deadlines_are_skipped_made_up_for_or_shifted(clock: &Timer) {
    fn held_up(notes: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        if notes.runs.is_empty() {
            spin(cx, 35.millis());
        }
        note(notes, cx)
    }
    let expected: [(Missed, &[(u64, u16)]); 3] = [
        (Missed::Skip, &[(0, 0), (40, 3), (50, 0)]),
        (Missed::Burst(1), &[(0, 0), (30, 2), (40, 0), (50, 0)]),
        (Missed::Delay, &[(0, 0), (10, 0), (45, 0), (55, 0)]),
    ];
    for (missed, expected) in expected {
        let (mut work, mut notes) = (bench(clock), Notes::default());
        work.schedule(Task::repeat(10.millis(), held_up).missed(missed)).unwrap();
        work.at(58.millis(), stop).unwrap();
        assert_eq!(work.start(&mut notes), Ended::Stopped);

        let seen = notes.millis().into_iter().zip(notes.runs.iter().map(|run| run.missed));
        assert!(
            seen.clone().eq(expected.iter().copied()),
            "{missed:?}: {:?}",
            seen.collect::<heapless::Vec<_, 64>>()
        );
    }
}

pub(crate) fn an_event_runs_those_that_listen(clock: &Timer) {
    let (mut work, mut notes) = (bench(clock), Notes::default());
    work.on(Signal::Button, note).unwrap();
    work.schedule(Task::on(Signal::Button, note).again().params(1)).unwrap();
    work.schedule(Task::on(Signal::Button, note).again().keep_first().params(2)).unwrap();
    work.schedule(Task::on(Signal::Low, note).params(3)).unwrap();

    assert_eq!(work.trigger_event(Signal::Button), 3);
    assert_eq!(work.poll(&mut notes), Next::Event);
    assert_eq!(notes.labels(), [0, 1, 2]);
    assert!(notes.runs.iter().all(|run| run.cause == Cause::Event(Signal::Button)));

    notes.runs.clear();
    assert_eq!(work.trigger_event_with(Signal::Button, 10), 2);
    assert_eq!(work.trigger_event_with(Signal::Button, 11), 2);
    assert_eq!(work.trigger_event(Signal::Button), 2);
    assert_eq!(work.poll(&mut notes), Next::Event);
    assert_eq!(notes.labels(), [11, 10]);
    assert!(notes.runs.iter().all(|run| run.merged == 2));
    assert_eq!(work.trigger_event(Signal::High), 0);
}

pub(crate) fn an_event_is_waited_for_no_longer_than_the_timeout(clock: &Timer) {
    fn press(_: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        cx.trigger_event(Signal::Button);
        Ok(())
    }
    let (mut work, mut notes) = (bench(clock), Notes::default());
    work.schedule(Task::on(Signal::Button, note).again().timeout(20.millis())).unwrap();
    work.schedule(Task::on(Signal::Button, note).again().delay(3.millis()).params(1)).unwrap();
    work.at(15.millis(), press).unwrap();
    work.at(16.millis(), press).unwrap();
    work.at(40.millis(), stop).unwrap();
    assert_eq!(work.start(&mut notes), Ended::Stopped);

    let heard = Cause::Event(Signal::Button);
    let seen = notes.runs.iter().map(|run| (run.label, run.cause, run.merged));
    assert!(seen.eq([(0, heard, 0), (0, heard, 0), (1, heard, 1), (0, Cause::Timeout, 0)]));
    assert_eq!(notes.millis(), [0, 1, 3, 21]);
    assert!(notes.were_on_time());
}

pub(crate) fn a_cancelled_task_does_not_run(clock: &Timer) {
    fn once(notes: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        let (me, other) = (cx.id(), cx.find(7).ok_or("no other task")?);
        assert_eq!(cx.cancel(other), Ok(()));
        assert_eq!(cx.cancel(me), Ok(()));
        assert_eq!(cx.cancel(me), Err(NoSuchTask));
        note(notes, cx)
    }
    let (mut work, mut notes) = (bench(clock), Notes::default());
    let timed = work.at(10.millis(), note).unwrap();
    let listening = work.on(Signal::Button, note).unwrap();
    work.repeat(1.millis(), once).unwrap();
    // Due in the same pass, behind the one that cancels it.
    work.schedule(Task::now(note).params(1).tag(7)).unwrap();
    assert_eq!(work.task_count(), 4);

    for id in [timed, listening] {
        assert_eq!(work.cancel(id), Ok(()));
        assert_eq!(work.cancel(id), Err(NoSuchTask));
        assert_eq!(work.status(id), Err(NoSuchTask));
    }
    assert_eq!(work.trigger_event(Signal::Button), 0);
    assert_eq!(work.start(&mut notes), Ended::NoTasks);
    assert_eq!(notes.labels(), [0]);

    // The places are used again, under other names.
    for _ in 0..8 {
        let id = work.do_now(note).unwrap();
        assert!(id != timed && id != listening);
    }
    assert_eq!(work.send(timed, 0), Err(NoSuchTask));
}

pub(crate) fn a_new_period_counts_from_the_armed_run(clock: &Timer) {
    fn faster(_: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        let id = cx.find(7).ok_or("no such tag")?;
        cx.set_repeat(id, 5.millis()).map_err(|_| "no such task")
    }
    fn no_more(_: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        let id = cx.find(7).ok_or("no such tag")?;
        cx.set_repeat(id, 0.millis()).map_err(|_| "no such task")
    }
    let (mut work, mut notes) = (bench(clock), Notes::default());
    work.schedule(Task::repeat(10.millis(), note).tag(7)).unwrap();
    work.at(25.millis(), faster).unwrap();
    work.at(42.millis(), no_more).unwrap();
    assert_eq!(work.start(&mut notes), Ended::NoTasks);
    assert_eq!(notes.millis(), [0, 10, 20, 30, 35, 40, 45]);
    assert!(notes.were_on_time());
    assert!(notes.faults.is_empty());

    let listener = work.schedule(Task::on(Signal::Button, note).again()).unwrap();
    assert_eq!(work.set_repeat(listener, 1.millis()), Err(SetRepeatError::WaitsForEvent));
}

pub(crate) fn what_is_sent_counts_from_the_next_run(clock: &Timer) {
    fn changes(notes: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        if *cx.params() == 2 {
            cx.send(cx.id(), 3).map_err(|_| "no such task")?;
        }
        note(notes, cx)
    }
    let (mut work, mut notes) = (bench(clock), Notes::default());
    let id = work.schedule(Task::repeat(10.millis(), changes).params(1)).unwrap();
    while notes.runs.len() < 4 {
        if notes.runs.len() == 1 {
            work.send(id, 2).unwrap();
        }
        if let Next::At(deadline) = work.poll(&mut notes) {
            while clock.now() < deadline {}
        }
    }
    assert_eq!(notes.labels(), [1, 2, 3, 3]);
    assert!(notes.were_on_time());
}

pub(crate) fn a_repeating_task_awaits_an_event_and_keeps_its_phase(clock: &Timer) {
    fn press(_: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        cx.trigger_event(Signal::Button);
        Ok(())
    }
    fn patient(notes: &mut Notes, cx: &mut Cx<Notes>) -> Outcome {
        if notes.runs.len() == 3 {
            cx.await_event_for(Signal::High, 7.millis()).map_err(|_| "cannot wait")?;
        }
        note(notes, cx)
    }
    let (mut work, mut notes) = (bench(clock), Notes::default());
    work.at(0.millis(), note).unwrap(); // for the time when it began
    let id = work.repeat(10.millis(), patient).unwrap();
    work.await_event(id, Signal::Button).unwrap();
    assert_eq!(work.status(id).unwrap().state, State::Listening(Signal::Button));
    work.at(35.millis(), press).unwrap();
    work.at(75.millis(), stop).unwrap();
    assert_eq!(work.start(&mut notes), Ended::Stopped);

    assert_eq!(notes.millis(), [0, 35, 40, 50, 57, 60, 70]);
    assert_eq!(notes.runs[1].cause, Cause::Event(Signal::Button));
    assert_eq!(notes.runs[4].cause, Cause::Timeout);
    assert!(notes.runs.iter().all(|run| run.missed == 0));
    assert!(notes.were_on_time());
}

pub(crate) fn priority_goes_before_order(clock: &Timer) {
    let (mut work, mut notes) = (bench(clock), Notes::default());
    for (label, priority) in [
        (1, Priority::Low),
        (2, Priority::Normal),
        (3, Priority::High),
        (4, Priority::Normal),
        (5, Priority::High),
    ] {
        work.schedule(Task::now(note).priority(priority).params(label)).unwrap();
    }
    assert_eq!(work.start(&mut notes), Ended::NoTasks);
    assert_eq!(notes.labels(), [3, 5, 2, 4, 1]);
}

pub(crate) fn a_full_table_gives_the_task_back(clock: &Timer) {
    let (mut work, mut notes) = (bench(clock), Notes::default());
    for label in 0..8 {
        work.schedule(Task::now(note).params(label)).unwrap();
    }
    assert_eq!(work.do_now(note), Err(ScheduleError::TableFull));
    let rejected = work.schedule(Task::now(note).params(9)).unwrap_err();
    assert_eq!(rejected.reason, ScheduleError::TableFull);
    assert_eq!(work.poll(&mut notes), Next::Ended(Ended::NoTasks));

    work.schedule(rejected.task).unwrap();
    assert_eq!(work.start(&mut notes), Ended::NoTasks);
    assert_eq!(notes.labels(), [0, 1, 2, 3, 4, 5, 6, 7, 9]);
}

pub(crate) fn a_fault_stops_nobody(clock: &Timer) {
    fn fails(_: &mut Notes, _: &mut Cx<Notes>) -> Outcome {
        Err("as it should")
    }
    let (mut work, mut notes) = (bench(clock), Notes::default());
    let id = work.repeat(10.millis(), fails).unwrap();
    work.schedule(Task::repeat(10.millis(), note).first_at(5.millis())).unwrap();
    work.at(28.millis(), stop).unwrap();
    let faults = |work: &mut crate::Bench<_>| work.status(id).map(|status| status.faults);
    assert_eq!(faults(&mut work), Ok(0));
    assert_eq!(work.start(&mut notes), Ended::Stopped);
    assert_eq!(notes.faults, [1, 2, 3]);
    assert_eq!(work.fault_count(), 3);
    assert_eq!(notes.millis(), [0, 10, 20]);
}
