//! What each verb of the scheduler means, sentence by sentence, told as stories on a virtual clock.
//!
//! A [`Story`] is an app that writes down who ran when and why: `(milliseconds, name, cause)`.

use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use ensue::clock::{Interrupt, Virtual};
use ensue::time::since;
use ensue::{
    App, AwaitError, Cause, Clock, Cx, Duration, Ended, Event, Events, ExtU64, Fault, FaultKind,
    Inbox, Instant, Missed, Next, NoSuchTask, Priority, ScheduleError, SetRepeatError, Sleep,
    State, Task, TaskId, Work, WrongOption,
};

ensue::events! { enum Signal { Button, Sampled, Alarm } }
use Signal::{Alarm, Button, Sampled};

const TIME: Cause<Signal> = Cause::Time;
const TIMEOUT: Cause<Signal> = Cause::Timeout;
const BUTTON: Cause<Signal> = Cause::Event(Button);
const SAMPLED: Cause<Signal> = Cause::Event(Sampled);

type Told = Result<(), &'static str>;
type Entry = (u64, &'static str, Cause<Signal>);
type Working<'c, const TASKS: usize> = Work<Story<'c>, &'c Virtual<'c>, TASKS>;

/// The app: it writes down what happens, and lends jobs the clock and the ids of other tasks.
struct Story<'c> {
    clock: &'c Virtual<'c>,
    log: Vec<Entry>,
    /// What each run was given.
    params: Vec<i32>,
    missed: Vec<u16>,
    merged: Vec<u16>,
    faults: Vec<(Option<&'static str>, &'static str, u16)>,
    on_fault: Option<fn(&mut Cx<'_, Story<'c>>)>,
    ids: Vec<TaskId>,
}

impl App for Story<'_> {
    type Event = Signal;
    type Params = i32;
    type Outcome = Told;

    fn on_fault(&mut self, fault: &Fault<'_, Self>, cx: &mut Cx<'_, Self>) {
        let FaultKind::Failed(reason) = fault.kind else { panic!("another kind of fault") };
        self.faults.push((fault.name, reason, fault.count));
        if let Some(act) = self.on_fault {
            act(cx);
        }
    }
}

impl Story<'_> {
    fn tell(&mut self, name: &'static str, cx: &Cx<'_, Story<'_>>) -> Told {
        self.log.push((cx.now().as_ticks() / 1_000, name, cx.cause()));
        self.params.push(*cx.params());
        self.missed.push(cx.missed());
        self.merged.push(cx.merged());
        Ok(())
    }

    fn names(&self) -> Vec<&'static str> {
        self.log.iter().map(|entry| entry.1).collect()
    }

    fn times(&self) -> Vec<u64> {
        self.log.iter().map(|entry| entry.0).collect()
    }
}

fn stage<'c, const TASKS: usize>(clock: &'c Virtual<'c>) -> (Working<'c, TASKS>, Story<'c>) {
    let story = Story {
        clock,
        log: vec![],
        params: vec![],
        missed: vec![],
        merged: vec![],
        faults: vec![],
        on_fault: None,
        ids: vec![],
    };
    (Work::new(clock), story)
}

/// Lets the story go on until this many milliseconds, with nobody there as well; what is due then
/// still runs.
fn play<'c, const TASKS: usize, const OPTIONS: usize>(
    work: &mut Work<Story<'c>, &'c Virtual<'c>, TASKS, OPTIONS>,
    story: &mut Story<'c>,
    until: u64,
) {
    let _ = ending(work, story, until);
}

/// The same, and why `start` returned.
fn ending<'c, const TASKS: usize, const OPTIONS: usize>(
    work: &mut Work<Story<'c>, &'c Virtual<'c>, TASKS, OPTIONS>,
    story: &mut Story<'c>,
    until: u64,
) -> Ended {
    story.clock.set_until(until.millis());
    let ended = work.start(story);
    story.clock.advance(since(millis(until), story.clock.now()));
    ended
}

fn millis(millis: u64) -> Instant {
    Instant::from_ticks(millis * 1_000)
}

macro_rules! jobs {
    ($($name:ident)*) => {
        $(fn $name(story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>) -> Told {
            story.tell(stringify!($name), cx)
        })*
    };
}

jobs! { a b c d beat pressed }

// Ids, places, tags.

#[test]
fn an_id_is_stale_for_every_verb_once_its_task_has_ended() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<2>(&clock);
    let cancelled = work.at(1.secs(), a).unwrap();
    let finished = work.do_now(b).unwrap();
    let _ = work.poll(&mut story);
    work.cancel(cancelled).unwrap();
    // Both places have new tenants, which must not be taken for the old ones.
    work.at(1.secs(), c).unwrap();
    work.at(1.secs(), d).unwrap();

    for id in [cancelled, finished] {
        assert_eq!(work.cancel(id), Err(NoSuchTask), "cancelling twice");
        assert_eq!(work.status(id), Err(NoSuchTask));
        assert_eq!(work.send(id, 1), Err(NoSuchTask));
        assert_eq!(work.set_repeat(id, 1.secs()), Err(SetRepeatError::NoSuchTask));
        assert_eq!(work.reschedule(id, 1.secs()), Err(SetRepeatError::NoSuchTask));
        assert_eq!(work.await_event(id, Button), Err(AwaitError::NoSuchTask));
        assert_eq!(work.await_event_for(id, Button, 1.secs()), Err(AwaitError::NoSuchTask));
    }
    assert_eq!(work.task_count(), 2);
    assert_eq!(ending(&mut work, &mut story, 2_000), Ended::NoTasks);
    assert_eq!(story.log, [(0, "b", TIME), (1_000, "c", TIME), (1_000, "d", TIME)]);
    assert_eq!(story.params, [0, 0, 0]);
}

#[test]
fn freed_places_are_reused_oldest_first() {
    let clock = Virtual::new();
    let (mut work, _) = stage::<3>(&clock);
    let ids = [1, 2, 3].map(|delay: u64| work.at(delay.secs(), a).unwrap());
    assert_eq!(ids.map(|id| id.to_string()), ["0.0", "1.0", "2.0"]);
    for which in [1, 2, 0] {
        work.cancel(ids[which]).unwrap();
    }
    let again = [1, 2, 3].map(|delay: u64| work.at(delay.secs(), a).unwrap());
    assert_eq!(again.map(|id| id.to_string()), ["1.1", "2.1", "0.1"]);
}

#[test]
fn an_id_comes_round_again_after_65536_tenants_of_its_place() {
    let clock = Virtual::new();
    let (mut work, _) = stage::<1>(&clock);
    let first = work.at(1.secs(), a).unwrap();
    let mut current = first;
    for _ in 0..65_535 {
        work.cancel(current).unwrap();
        current = work.at(1.secs(), a).unwrap();
        assert_ne!(current, first);
        assert_eq!(work.cancel(first), Err(NoSuchTask));
    }
    work.cancel(current).unwrap();
    // From here on the oldest id names this task: whoever kept it that long cannot tell.
    assert_eq!(work.at(1.secs(), a), Ok(first));
    assert_eq!(work.cancel(first), Ok(()));
    assert_eq!(work.task_count(), 0);
}

#[test]
fn a_tag_finds_its_task_and_is_free_again_when_it_ends() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<3>(&clock);
    let tagged = work.schedule(Task::at(1.millis(), a).tag(7)).unwrap();
    assert_eq!(work.find(7), Some(tagged));
    assert_eq!(work.find(0), None);
    let rejected = work.schedule(Task::at(1.secs(), b).tag(7)).unwrap_err();
    assert_eq!(rejected.reason, ScheduleError::TagTaken);
    assert_eq!(work.task_count(), 1);

    play(&mut work, &mut story, 10);
    assert_eq!(work.find(7), None);
    let next = work.schedule(rejected.task).unwrap();
    assert_eq!(work.find(7), Some(next));
    assert_eq!(work.status(next).unwrap().tag, Some(7));
    work.cancel(next).unwrap();
    assert_eq!(work.find(7), None);
    work.schedule(Task::at(1.secs(), b).tag(7)).unwrap();
}

#[test]
fn a_tag_is_taken_while_its_task_runs_and_free_once_the_run_has_cancelled_itself() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<3>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        let taken = cx.schedule(Task::now(a).tag(7)).unwrap_err();
        assert_eq!(taken.reason, ScheduleError::TagTaken);
        cx.abort_current_task();
        assert_eq!(cx.find(7), None);
        cx.schedule(taken.task).unwrap();
        story.tell("self", cx)
    };
    work.schedule(Task::repeat(1.secs(), job).tag(7)).unwrap();
    assert_eq!(ending(&mut work, &mut story, 5_000), Ended::NoTasks);
    assert_eq!(story.log, [(0, "self", TIME), (0, "a", TIME)]);
}

#[test]
fn a_name_finds_the_first_task_that_has_it() {
    let clock = Virtual::new();
    let (mut work, _) = stage::<3>(&clock);
    let first = work.schedule(Task::at(1.secs(), a).named("pump")).unwrap();
    let second = work.schedule(Task::at(1.secs(), a).named("pump")).unwrap();
    assert_eq!(work.named("pump"), Some(first));
    work.cancel(first).unwrap();
    assert_eq!(work.named("pump"), Some(second));
    assert_eq!(work.named("fan"), None);
}

#[test]
fn a_full_table_gives_the_task_back_and_changes_nothing() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<1>(&clock);
    let only = work.at(1.millis(), a).unwrap();
    let before = work.status(only).unwrap();

    let rejected = work.schedule(Task::on(Button, b).tag(7).named("b").params(42)).unwrap_err();
    assert_eq!(rejected.reason, ScheduleError::TableFull);
    assert_eq!(work.do_now(b), Err(ScheduleError::TableFull));
    assert_eq!(work.at(1.secs(), b), Err(ScheduleError::TableFull));
    assert_eq!(work.repeat(1.secs(), b), Err(ScheduleError::TableFull));
    assert_eq!(work.on(Button, b), Err(ScheduleError::TableFull));
    assert_eq!((work.task_count(), work.find(7), work.named("b")), (1, None, None));
    assert_eq!(work.status(only).unwrap(), before);
    assert_eq!(work.trigger_event(Button), 0);

    play(&mut work, &mut story, 2);
    let id = work.schedule(rejected.task).unwrap();
    assert_eq!((work.find(7), work.named("b")), (Some(id), Some(id)));
    work.trigger_event(Button);
    play(&mut work, &mut story, 3);
    assert_eq!(story.log, [(1, "a", TIME), (2, "b", BUTTON)]);
    assert_eq!(story.params, [0, 42]);
}

#[test]
fn a_running_task_keeps_its_place_until_it_returns() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<1>(&clock);
    work.do_now(|story, cx| {
        assert_eq!(cx.do_now(a), Err(ScheduleError::TableFull));
        cx.abort_current_task();
        assert_eq!(cx.do_now(a), Err(ScheduleError::TableFull));
        assert_eq!(cx.task_count(), 0);
        story.tell("self", cx)
    })
    .unwrap();
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NoTasks));
    work.do_now(b).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["self", "b"]);
}

#[test]
fn without_a_free_record_of_options_a_plain_task_still_finds_room() {
    let clock = Virtual::new();
    let (_, mut story) = stage::<1>(&clock);
    let mut work = Work::<Story<'_>, _, 3, 1>::new(&clock);
    let named = work.schedule(Task::at(5.millis(), a).named("a")).unwrap();
    let rejected = work.schedule(Task::at(5.millis(), b).slack(1.millis())).unwrap_err();
    assert_eq!(rejected.reason, ScheduleError::OptionsFull);
    assert_eq!(work.task_count(), 1);

    let beat = work.schedule(Task::repeat(5.millis(), beat).priority(Priority::High)).unwrap();
    let before = work.status(beat).unwrap();
    assert_eq!(work.await_event(beat, Button), Err(AwaitError::OptionsFull));
    assert_eq!(work.status(beat).unwrap(), before, "it waits for nothing");

    work.cancel(named).unwrap();
    work.schedule(rejected.task).unwrap();
    play(&mut work, &mut story, 6);
    assert_eq!(story.log, [(0, "beat", TIME), (5, "beat", TIME), (5, "b", TIME)]);
    assert_eq!(work.await_event(beat, Button), Ok(()), "the record of `b` is free again");
}

#[test]
fn a_period_of_zero_and_options_that_mean_nothing_are_refused() {
    let clock = Virtual::new();
    let (mut work, _) = stage::<1>(&clock);
    let (zero, some) = (Duration::from_ticks(0), 1.secs());
    assert_eq!(work.repeat(zero, a), Err(ScheduleError::ZeroPeriod));
    let wrong = [
        (Task::now(a).again(), WrongOption::Again),
        (Task::at(some, a).delay(some), WrongOption::Delay),
        (Task::at(some, a).timeout(some), WrongOption::Timeout),
        (Task::at(some, a).first_at(some), WrongOption::FirstAt),
        (Task::repeat(some, a).again(), WrongOption::Again),
        (Task::repeat(some, a).delay(some), WrongOption::Delay),
        (Task::repeat(some, a).timeout(some), WrongOption::Timeout),
        (Task::on(Button, a).first_at(some), WrongOption::FirstAt),
        (Task::on(Button, a).missed(Missed::Delay), WrongOption::Missed),
    ];
    for (task, option) in wrong {
        let reason = work.schedule(task).unwrap_err().reason;
        assert_eq!(reason, ScheduleError::WrongOption(option));
    }
    assert_eq!(work.task_count(), 0);
    work.schedule(Task::on(Button, a).again().delay(some).timeout(some).latched()).unwrap();
}

// Order, and what a pass is.

#[test]
fn a_pass_goes_by_priority_then_deadline_then_the_order_of_arming() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    work.schedule(Task::at(1.millis(), a).priority(Priority::Low)).unwrap();
    work.at(3.millis(), b).unwrap();
    work.at(2.millis(), c).unwrap();
    work.at(2.millis(), d).unwrap();
    work.schedule(Task::at(4.millis(), beat).priority(Priority::High)).unwrap();
    clock.advance(9.millis());
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NoTasks));
    assert_eq!(story.names(), ["beat", "c", "d", "b", "a"]);
}

#[test]
fn what_is_ready_and_what_falls_due_are_one_order() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    work.at(3.millis(), a).unwrap();
    work.at(7.millis(), d).unwrap();
    work.at(5.millis(), b).unwrap(); // at the time of `c`, armed before it
    clock.advance(5.millis());
    work.do_now(c).unwrap();
    clock.advance(5.millis());
    work.do_now(beat).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a", "b", "c", "d", "beat"]);
}

#[test]
fn equal_deadlines_are_first_in_first_out_whatever_the_kind() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    work.schedule(Task::on(Button, pressed).delay(5.millis())).unwrap();
    work.at(5.millis(), a).unwrap();
    work.schedule(Task::repeat(5.millis(), b).first_at(5.millis())).unwrap();
    work.schedule(Task::on(Sampled, c).timeout(5.millis())).unwrap();
    work.trigger_event(Button); // arms `pressed` last
    play(&mut work, &mut story, 6);
    let expected = [(5, "a", TIME), (5, "b", TIME), (5, "c", TIMEOUT), (5, "pressed", BUTTON)];
    assert_eq!(story.log, expected);
}

#[test]
fn what_a_job_schedules_for_now_runs_in_the_next_pass() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.do_now(|story, cx| {
        cx.schedule(Task::now(b).priority(Priority::High)).unwrap();
        story.tell("a", cx)
    })
    .unwrap();
    work.do_now(c).unwrap();
    assert_eq!(work.poll(&mut story), Next::Now);
    assert_eq!(story.names(), ["a", "c"]);
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NoTasks));
    assert_eq!(story.names(), ["a", "c", "b"]);
}

#[test]
fn a_task_that_feeds_itself_does_not_starve_a_timer() {
    fn greedy(story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>) -> Told {
        story.clock.advance(1.millis());
        cx.schedule(Task::now(greedy).priority(Priority::High)).unwrap();
        story.tell("greedy", cx)
    }
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.do_now(greedy).unwrap();
    work.at(2.millis(), a).unwrap();
    for _ in 0..4 {
        assert_eq!(work.poll(&mut story), Next::Now);
    }
    assert_eq!(story.names(), ["greedy", "greedy", "greedy", "a", "greedy"]);
    assert_eq!(story.log[3].0, 3);
}

#[test]
fn what_falls_due_while_a_pass_runs_waits_for_the_next() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.do_now(|story, cx| {
        story.clock.advance(10.millis());
        story.tell("long", cx)
    })
    .unwrap();
    work.schedule(Task::at(5.millis(), a).priority(Priority::High)).unwrap();
    work.do_now(b).unwrap();
    assert_eq!(work.poll(&mut story), Next::At(millis(5)));
    assert_eq!(story.log, [(10, "long", TIME), (10, "b", TIME)]);
    let _ = work.poll(&mut story);
    assert_eq!(story.log[2], (10, "a", TIME));
}

#[test]
fn what_a_job_cancels_does_not_run_any_more_in_the_same_pass() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.do_now(|story, cx| {
        cx.cancel(story.ids[0]).unwrap();
        story.tell("a", cx)
    })
    .unwrap();
    story.ids = vec![work.do_now(b).unwrap()];
    work.do_now(c).unwrap();
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NoTasks));
    assert_eq!(story.names(), ["a", "c"]);
}

#[test]
fn delays_count_from_when_the_verb_is_called() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.do_now(|story, cx| {
        cx.at(10.millis(), a).unwrap();
        story.clock.advance(4.millis());
        cx.at(10.millis(), b).unwrap();
        cx.schedule(Task::on(Button, c).delay(10.millis())).unwrap();
        story.clock.advance(4.millis());
        cx.trigger_event(Button);
        story.tell("long", cx)
    })
    .unwrap();
    play(&mut work, &mut story, 100);
    let expected = [(8, "long", TIME), (10, "a", TIME), (14, "b", TIME), (18, "c", BUTTON)];
    assert_eq!(story.log, expected);
}

#[test]
fn a_run_knows_when_it_was_due_and_how_late_it_is() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.at(5.millis(), |story, cx| {
        assert_eq!(cx.scheduled_at(), millis(5));
        assert_eq!(cx.late_by(), Duration::from_millis(2));
        story.clock.advance(1.millis());
        assert_eq!(cx.late_by(), Duration::from_millis(3));
        assert_eq!(cx.current_task_id(), Some(cx.id()));
        let status = cx.status(cx.id()).unwrap();
        assert_eq!((status.state, status.next_run), (State::Running, Some(millis(5))));
        story.tell("a", cx)
    })
    .unwrap();
    clock.advance(7.millis());
    let _ = work.poll(&mut story);
    assert_eq!(story.log, [(8, "a", TIME)]);
    assert_eq!(work.current_task_id(), None);
}

// Repeating.

#[test]
fn a_repeating_task_runs_at_once_and_keeps_its_phase_however_long_its_job_takes() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.repeat(10.millis(), |story, cx| {
        let told = story.tell("beat", cx);
        story.clock.advance(7.millis());
        told
    })
    .unwrap();
    play(&mut work, &mut story, 40);
    assert_eq!(story.times(), [0, 10, 20, 30, 40]);
}

#[test]
fn the_first_run_can_be_set_apart_from_the_period() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    clock.advance(1.millis());
    work.schedule(Task::repeat(10.millis(), beat).first_at(3.millis())).unwrap();
    work.schedule(Task::repeat(20.millis(), a).first_at(0.millis())).unwrap();
    play(&mut work, &mut story, 25);
    let expected = [(1, "a"), (4, "beat"), (14, "beat"), (21, "a"), (24, "beat")];
    assert_eq!(story.log, expected.map(|(at, name)| (at, name, TIME)));
}

/// Period 100; the run due at 100 is held up until 450.
fn held_up(missed: Missed) -> (Vec<u64>, Vec<u16>) {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(
        Task::repeat(100.millis(), |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
            let told = story.tell("beat", cx);
            if story.log.len() == 2 {
                story.clock.advance(350.millis());
            }
            told
        })
        .missed(missed),
    )
    .unwrap();
    play(&mut work, &mut story, 700);
    (story.times(), story.missed)
}

#[test]
fn skip_goes_on_in_phase_and_says_how_many_it_skipped() {
    let expected = (vec![0, 100, 500, 600, 700], vec![0, 0, 3, 0, 0]);
    assert_eq!(held_up(Missed::Skip), expected);
}

#[test]
fn burst_makes_up_for_at_most_so_many_and_skips_the_rest() {
    let one = (vec![0, 100, 450, 500, 600, 700], vec![0, 0, 2, 0, 0, 0]);
    assert_eq!(held_up(Missed::Burst(1)), one);
    let all = (vec![0, 100, 450, 450, 450, 500, 600, 700], vec![0; 8]);
    assert_eq!(held_up(Missed::Burst(9)), all);
    assert_eq!(held_up(Missed::Burst(0)), held_up(Missed::Skip));
}

#[test]
fn delay_counts_the_period_from_the_start_of_the_run_and_misses_nothing() {
    // The run began at 100, so 200 is past when it returns at 450.
    let expected = (vec![0, 100, 450, 550, 650], vec![0; 5]);
    assert_eq!(held_up(Missed::Delay), expected);
}

#[test]
fn late_runs_of_a_burst_come_one_a_pass() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::repeat(10.millis(), beat).missed(Missed::Burst(5))).unwrap();
    work.repeat(10.millis(), a).unwrap();
    let _ = work.poll(&mut story);
    clock.advance(35.millis());
    for _ in 0..3 {
        let _ = work.poll(&mut story);
    }
    assert_eq!(story.names(), ["beat", "a", "beat", "a", "beat", "beat"]);
    assert_eq!(work.poll(&mut story), Next::At(millis(40)));
}

#[test]
fn a_repeating_task_whose_deadline_is_this_very_moment_is_not_late() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.repeat(10.millis(), |story, cx| {
        story.clock.advance(10.millis());
        story.tell("beat", cx)
    })
    .unwrap();
    for _ in 0..3 {
        let _ = work.poll(&mut story);
    }
    assert_eq!((story.times(), story.missed), (vec![10, 20, 30], vec![0, 0, 0]));
}

// set_repeat.

#[test]
fn a_new_period_counts_from_the_armed_run_which_stays() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.repeat(10.millis(), beat).unwrap();
    play(&mut work, &mut story, 5);
    work.set_repeat(id, 4.millis()).unwrap();
    assert_eq!(work.status(id).unwrap().period, Some(4.millis()));
    play(&mut work, &mut story, 20);
    assert_eq!(story.times(), [0, 10, 14, 18]);
}

#[test]
fn a_period_set_in_the_own_run_counts_from_this_runs_deadline() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.repeat(10.millis(), |story, cx| {
        story.clock.advance(1.millis());
        cx.set_repeat(cx.id(), 4.millis()).unwrap();
        story.tell("beat", cx)
    })
    .unwrap();
    play(&mut work, &mut story, 10);
    assert_eq!(story.times(), [1, 5, 9]);
}

#[test]
fn a_one_shot_that_is_given_a_period_repeats_from_its_deadline() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let waiting = work.at(5.millis(), a).unwrap();
    work.set_repeat(waiting, 10.millis()).unwrap();
    let ready = work.do_now(b).unwrap();
    work.set_repeat(ready, 20.millis()).unwrap();
    work.at(1.millis(), |story, cx| {
        cx.set_repeat(cx.id(), 12.millis()).unwrap();
        story.tell("c", cx)
    })
    .unwrap();
    play(&mut work, &mut story, 20);
    let expected = [(0, "b"), (1, "c"), (5, "a"), (13, "c"), (15, "a"), (20, "b")];
    assert_eq!(story.log, expected.map(|(at, name)| (at, name, TIME)));
}

#[test]
fn a_one_shot_can_say_what_becomes_of_missed_deadlines_should_it_repeat() {
    for (missed, next_run) in [(Missed::Skip, 45), (Missed::Burst(2), 25), (Missed::Delay, 17)] {
        let clock = Virtual::new();
        let (mut work, mut story) = stage::<1>(&clock);
        let task = Task::at(5.millis(), |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
            cx.set_repeat(cx.id(), 10.millis()).unwrap();
            story.clock.advance(32.millis());
            story.tell("held up", cx)
        });
        let id = work.schedule(task.missed(missed)).unwrap();
        // To take the period away and to give one again changes nothing of it.
        work.set_repeat(id, 10.millis()).unwrap();
        work.set_repeat(id, 0.millis()).unwrap();
        clock.advance(7.millis());
        let _ = work.poll(&mut story);
        assert_eq!(work.status(id).unwrap().next_run, Some(millis(next_run)), "{missed:?}");
    }
}

#[test]
fn a_period_of_zero_leaves_only_the_armed_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.repeat(10.millis(), beat).unwrap();
    play(&mut work, &mut story, 15);
    work.set_repeat(id, 0.millis()).unwrap();
    assert_eq!(work.status(id).unwrap().period, None);
    assert_eq!(ending(&mut work, &mut story, 100), Ended::NoTasks);
    assert_eq!(story.times(), [0, 10, 20]);
}

#[test]
fn a_period_of_zero_set_in_the_own_run_makes_it_the_last() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.repeat(10.millis(), |story, cx| {
        if story.log.len() == 2 {
            cx.set_repeat(cx.id(), 0.millis()).unwrap();
        }
        story.tell("beat", cx)
    })
    .unwrap();
    assert_eq!(ending(&mut work, &mut story, 100), Ended::NoTasks);
    assert_eq!(story.times(), [0, 10, 20]);
}

#[test]
fn a_period_of_zero_leaves_a_ready_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.repeat(10.millis(), beat).unwrap();
    work.set_repeat(id, 0.millis()).unwrap();
    assert_eq!(ending(&mut work, &mut story, 100), Ended::NoTasks);
    assert_eq!(story.times(), [0]);
    assert_eq!(work.set_repeat(id, 0.millis()), Err(SetRepeatError::NoSuchTask));
}

// Rescheduling.

#[test]
fn a_rescheduled_run_moves_either_way_and_the_phase_with_it() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let once = work.at(20.millis(), a).unwrap();
    let sooner = work.schedule(Task::repeat(50.millis(), b).first_at(50.millis())).unwrap();
    play(&mut work, &mut story, 5);
    work.reschedule(once, 30.millis()).unwrap();
    work.reschedule(sooner, 2.millis()).unwrap();
    assert_eq!(work.status(once).unwrap().next_run, Some(millis(35)));
    play(&mut work, &mut story, 60);
    assert_eq!(story.log, [(7, "b", TIME), (35, "a", TIME), (57, "b", TIME)]);
    assert_eq!(story.missed, [0, 0, 0]);
}

#[test]
fn a_watchdog_that_is_kept_from_its_run_again_and_again_bites_at_last() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let watchdog = work.at(10.millis(), a).unwrap();
    for until in [9, 18, 27] {
        play(&mut work, &mut story, until);
        work.reschedule(watchdog, 10.millis()).unwrap();
    }
    play(&mut work, &mut story, 100);
    assert_eq!(story.times(), [37]);
    assert_eq!(work.reschedule(watchdog, 1.millis()), Err(SetRepeatError::NoSuchTask));
}

#[test]
fn a_job_that_reschedules_its_task_keeps_it_though_it_runs_once() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<1>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        story.clock.advance(1.millis());
        story.ids.push(cx.id());
        if story.ids.len() < 4 {
            cx.reschedule(cx.id(), Duration::from_millis(1 << story.ids.len())).unwrap();
        }
        story.tell("try", cx)
    };
    let id = work.schedule(Task::now(job).params(5).named("joining")).unwrap();
    play(&mut work, &mut story, 100);
    assert_eq!(story.times(), [1, 4, 9, 18], "after 2, 4 and 8 ms");
    assert_eq!((&story.ids, &story.params), (&vec![id; 4], &vec![5; 4]));
    assert_eq!(work.task_count(), 0);
}

#[test]
fn a_repeating_task_rescheduled_in_its_own_run_goes_on_from_there() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.repeat(10.millis(), |story, cx| {
        if story.log.is_empty() {
            cx.reschedule(cx.id(), 0.millis()).unwrap();
        } else if story.log.len() == 2 {
            cx.reschedule(cx.id(), 3.millis()).unwrap();
        }
        story.tell("beat", cx)
    })
    .unwrap();
    play(&mut work, &mut story, 30);
    assert_eq!(story.times(), [0, 0, 10, 13, 23]);
}

#[test]
fn a_job_may_reschedule_its_task_and_cancel_it_all_the_same() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<2>(&clock);
    for delay in [0, 5] {
        work.schedule(Task::now(a).params(delay)).unwrap();
        let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
            cx.reschedule(cx.id(), Duration::from_millis(*cx.params() as u64)).unwrap();
            cx.cancel(cx.id()).unwrap();
            assert_eq!(cx.reschedule(cx.id(), 1.millis()), Err(SetRepeatError::NoSuchTask));
            assert_eq!(cx.do_now(c), Err(ScheduleError::TableFull), "its place is not yet free");
            story.tell("b", cx)
        };
        // The other place is taken throughout.
        work.stop();
        work.at(1.secs(), d).unwrap();
        work.schedule(Task::now(job).params(delay)).unwrap();
        let _ = work.poll(&mut story);
        assert_eq!(work.task_count(), 1);
    }
    assert_eq!(story.names(), ["b", "b"]);
}

#[test]
fn what_is_due_in_this_pass_can_be_moved_out_of_it() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        cx.reschedule(story.ids[0], 4.millis()).unwrap();
        cx.reschedule(story.ids[1], 0.millis()).unwrap();
        story.tell("d", cx)
    };
    work.schedule(Task::now(job).priority(Priority::High)).unwrap();
    story.ids = vec![work.do_now(a).unwrap(), work.do_now(b).unwrap()];
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["d"]);
    play(&mut work, &mut story, 10);
    assert_eq!(story.log[1..], [(0, "b", TIME), (4, "a", TIME)]);
}

#[test]
fn what_an_event_brings_cannot_be_rescheduled() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let listens = work.on(Button, a).unwrap();
    let delayed = Task::on(Button, b).again().delay(5.millis());
    let delayed = work.schedule(delayed).unwrap();
    let awaits = work.repeat(10.millis(), c).unwrap();
    work.await_event_for(awaits, Button, 50.millis()).unwrap();
    for id in [listens, delayed, awaits] {
        assert_eq!(work.reschedule(id, 1.millis()), Err(SetRepeatError::WaitsForEvent));
    }
    work.trigger_event(Button);
    for id in [listens, delayed, awaits] {
        assert_eq!(work.reschedule(id, 1.millis()), Err(SetRepeatError::WaitsForEvent));
    }
    play(&mut work, &mut story, 5);
    assert_eq!(story.names(), ["a", "c", "b"], "they run as they would have");
}

#[test]
fn a_task_that_waited_for_an_event_and_is_rescheduled_forgets_its_old_phase() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work
        .repeat(100.millis(), |story, cx| {
            if cx.cause() == Cause::Event(Button) {
                cx.reschedule(cx.id(), 7.millis()).unwrap();
            }
            story.tell("beat", cx)
        })
        .unwrap();
    play(&mut work, &mut story, 10);
    work.await_event(id, Button).unwrap();
    play(&mut work, &mut story, 130);
    work.trigger_event(Button);
    play(&mut work, &mut story, 140);
    work.await_event(id, Sampled).unwrap();
    work.trigger_event(Sampled);
    play(&mut work, &mut story, 340);
    assert_eq!(story.times(), [0, 130, 137, 140, 237, 337]);
}

// A period for what listens.

#[test]
fn a_listener_cannot_be_given_a_period() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let refused = Err(SetRepeatError::WaitsForEvent);
    let once = work.on(Button, a).unwrap();
    let again = work.schedule(Task::on(Sampled, b).again().delay(5.millis())).unwrap();
    for id in [once, again] {
        assert_eq!(work.set_repeat(id, 1.secs()), refused);
    }
    work.trigger_event(Button);
    work.trigger_event(Sampled);
    for id in [once, again] {
        assert_eq!(work.set_repeat(id, 1.secs()), refused, "ready, and delayed");
    }
    assert_eq!(work.set_repeat(once, 0.millis()), Ok(()), "a one-shot anyway");
    play(&mut work, &mut story, 10);
    assert_eq!(story.names(), ["a", "b"]);
}

#[test]
fn zero_ends_the_listening_after_the_next_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    // While it listens, while it is delayed, while it is ready, and while it runs.
    let listening = work.schedule(Task::on(Button, a).again()).unwrap();
    work.set_repeat(listening, 0.millis()).unwrap();
    let delayed = work.schedule(Task::on(Button, b).again().delay(5.millis())).unwrap();
    let ready = work.schedule(Task::on(Button, c).again()).unwrap();
    let in_its_run = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        cx.set_repeat(cx.id(), 0.millis()).unwrap();
        assert_eq!(cx.trigger_event(Button), 0, "nobody listens any more");
        story.tell("d", cx)
    };
    work.schedule(Task::on(Button, in_its_run).again()).unwrap();
    assert_eq!(work.trigger_event(Button), 4);
    work.set_repeat(delayed, 0.millis()).unwrap();
    work.set_repeat(ready, 0.millis()).unwrap();
    assert_eq!(ending(&mut work, &mut story, 20), Ended::NoTasks);
    let expected = [(0, "a"), (0, "c"), (0, "d"), (5, "b")];
    assert_eq!(story.log, expected.map(|(at, name)| (at, name, BUTTON)));
    assert_eq!(story.merged, [0; 4]);
}

#[test]
fn a_listener_that_was_triggered_in_its_run_has_that_run_left_when_it_is_set_to_zero() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        if story.log.is_empty() {
            assert_eq!(cx.trigger_event(Button), 1);
            cx.set_repeat(cx.id(), 0.millis()).unwrap();
        }
        story.tell("a", cx)
    };
    work.schedule(Task::on(Button, job).again()).unwrap();
    work.trigger_event(Button);
    assert_eq!(ending(&mut work, &mut story, 20), Ended::NoTasks);
    assert_eq!(story.names(), ["a", "a"]);
}

// send.

#[test]
fn sent_params_count_from_the_next_run_on() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.schedule(Task::repeat(10.millis(), beat).params(1)).unwrap();
    work.send(id, 2).unwrap(); // it is ready
    play(&mut work, &mut story, 15);
    work.send(id, 3).unwrap(); // it waits for its time
    work.send(id, 4).unwrap();
    play(&mut work, &mut story, 30);
    assert_eq!(story.params, [2, 2, 4, 4]);
}

#[test]
fn params_that_a_run_sends_to_its_own_task_are_for_the_next_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(
        Task::repeat(10.millis(), |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
            let mine = cx.params();
            cx.send(cx.id(), mine + 1).unwrap();
            assert_eq!(cx.params(), mine);
            story.tell("beat", cx)
        })
        .params(5),
    )
    .unwrap();
    play(&mut work, &mut story, 30);
    assert_eq!(story.params, [5, 6, 7, 8]);
}

#[test]
fn params_of_an_event_stay_and_a_trigger_without_params_changes_none() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.schedule(Task::on(Sampled, a).again().params(1)).unwrap();
    for params in [None, Some(2), None, Some(3)] {
        let reached = match params {
            Some(params) => work.trigger_event_with(Sampled, params),
            None => work.trigger_event(Sampled),
        };
        assert_eq!(reached, 1);
        let _ = work.poll(&mut story);
    }
    work.send(id, 9).unwrap();
    work.trigger_event(Sampled);
    let _ = work.poll(&mut story);
    assert_eq!(story.params, [1, 2, 2, 3, 9]);
}

#[test]
fn what_is_sent_after_a_trigger_with_params_wins() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.on(Sampled, a).unwrap();
    work.trigger_event_with(Sampled, 1);
    work.send(id, 2).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!(story.params, [2]);
}

// cancel.

#[test]
fn a_cancelled_task_runs_no_more_whatever_it_was_waiting_for() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    let timed = work.at(5.millis(), a).unwrap();
    let repeating = work.schedule(Task::repeat(5.millis(), a).first_at(5.millis())).unwrap();
    let listening = work.on(Button, a).unwrap();
    let with_timeout = work.schedule(Task::on(Button, a).timeout(5.millis())).unwrap();
    let again = work.schedule(Task::on(Button, a).again().timeout(5.millis())).unwrap();
    let delayed = work.schedule(Task::on(Sampled, a).delay(5.millis())).unwrap();
    let delayed_again = work.schedule(Task::on(Sampled, a).again().delay(5.millis())).unwrap();
    let ready = work.do_now(a).unwrap();
    assert_eq!(work.trigger_event(Sampled), 2);
    assert_eq!((work.task_count(), work.pending_count()), (8, 5));
    for id in [timed, repeating, listening, with_timeout, again, delayed, delayed_again, ready] {
        assert_eq!(work.cancel(id), Ok(()));
        assert_eq!(work.cancel(id), Err(NoSuchTask));
    }
    assert_eq!((work.task_count(), work.pending_count()), (0, 0));
    assert_eq!((work.trigger_event(Button), work.trigger_event(Sampled)), (0, 0));
    assert_eq!(ending(&mut work, &mut story, 20), Ended::NoTasks);
    assert_eq!(story.log, []);

    for _ in 0..8 {
        work.on(Button, b).unwrap();
    }
    assert_eq!(work.trigger_event(Button), 8, "all places are free again, and sound");
}

#[test]
fn a_task_that_cancels_itself_ends_when_it_returns() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<2>(&clock);
    work.repeat(10.millis(), |story, cx| {
        let id = cx.id();
        assert_eq!(cx.cancel(id), Ok(()));
        assert_eq!(cx.cancel(id), Err(NoSuchTask));
        assert_eq!(cx.status(id), Err(NoSuchTask));
        assert_eq!(cx.send(id, 1), Err(NoSuchTask));
        assert_eq!(cx.await_event(Button), Err(AwaitError::NoSuchTask));
        assert_eq!(cx.set_repeat(id, 1.secs()), Err(SetRepeatError::NoSuchTask));
        cx.abort_current_task();
        assert_eq!((cx.task_count(), cx.pending_count(), cx.tasks().count()), (0, 0, 0));
        story.tell("self", cx)
    })
    .unwrap();
    assert_eq!(ending(&mut work, &mut story, 20), Ended::NoTasks);
    assert_eq!(story.names(), ["self"]);
}

#[test]
fn a_listener_that_leaves_in_its_run_and_triggers_another_event_makes_work_for_the_next_pass() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let leaves = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        cx.abort_current_task();
        assert_eq!(cx.trigger_event(Sampled), 2);
        story.tell("leaves", cx)
    };
    work.schedule(Task::on(Button, leaves).again()).unwrap();
    work.schedule(Task::on(Sampled, a).again()).unwrap();
    work.schedule(Task::on(Sampled, b).again()).unwrap();
    assert_eq!(work.trigger_event(Button), 1);
    assert_eq!(work.poll(&mut story), Next::Now);
    assert_eq!(story.names(), ["leaves"]);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["leaves", "a", "b"]);
}

#[test]
fn listeners_are_ready_from_the_trigger_on_and_each_until_its_own_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let looks = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        let states = story.ids.iter().map(|&id| cx.status(id).map(|status| status.state));
        let expected = [State::Listening(Button), State::Running, State::Ready, State::Ready];
        assert!(states.eq(expected.map(Ok)));
        assert_eq!((cx.pending_count(), cx.task_count()), (2, 4));
        story.tell("looks", cx)
    };
    story.ids =
        [a, looks, b, c].map(|job| work.schedule(Task::on(Button, job).again()).unwrap()).to_vec();
    clock.advance(5.millis());
    work.trigger_event(Button);
    for &id in &story.ids {
        let status = work.status(id).unwrap();
        assert_eq!((status.state, status.next_run), (State::Ready, Some(millis(5))));
    }
    assert_eq!(work.pending_count(), 4);
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NothingToWaitFor));
    assert_eq!(story.names(), ["a", "looks", "b", "c"]);
    assert_eq!(work.pending_count(), 0);
}

#[test]
fn what_becomes_ready_after_a_trigger_still_runs_by_priority_and_then_by_age() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    for job in [a, b] {
        work.schedule(Task::on(Button, job).again()).unwrap();
    }
    work.trigger_event(Button);
    work.do_now(c).unwrap();
    work.schedule(Task::now(d).priority(Priority::High)).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["d", "a", "b", "c"]);
}

#[test]
fn listeners_and_tasks_that_are_due_run_in_the_order_of_their_times() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    for job in [a, b] {
        work.schedule(Task::on(Button, job).again()).unwrap();
    }
    work.at(10.millis(), c).unwrap();
    work.at(3.millis(), d).unwrap();
    clock.advance(5.millis());
    work.trigger_event(Button);
    clock.advance(7.millis());
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NothingToWaitFor));
    assert_eq!(story.names(), ["d", "a", "b", "c"]);
}

#[test]
fn a_late_run_comes_before_the_listeners_of_an_event_that_was_triggered_later() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    let late = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        if story.log.is_empty() {
            story.clock.advance(25.millis());
            assert_eq!(cx.trigger_event(Button), 2);
        }
        story.tell("late", cx)
    };
    for job in [a, b] {
        work.schedule(Task::on(Button, job).again()).unwrap();
    }
    let task = Task::repeat(10.millis(), late).first_at(10.millis()).missed(Missed::Burst(1));
    work.schedule(task).unwrap();
    clock.advance(10.millis());
    assert_eq!(work.poll(&mut story), Next::Now);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["late", "late", "a", "b"]);
}

#[test]
fn a_listener_that_comes_after_the_trigger_is_not_reached() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    work.schedule(Task::on(Button, a).again()).unwrap();
    assert_eq!(work.trigger_event(Button), 1);
    work.schedule(Task::on(Button, b).again()).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a"]);
}

#[test]
fn a_listener_whose_last_run_is_certain_listens_no_more() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    let first = work.schedule(Task::on(Button, a).again()).unwrap();
    assert_eq!(work.trigger_event(Button), 1);
    work.set_repeat(first, 0.millis()).unwrap(); // one run more: the one that is due
    assert_eq!(work.trigger_event(Button), 0);
    work.schedule(Task::on(Button, b).again()).unwrap();
    assert_eq!(work.trigger_event(Button), 1);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a", "b"]);
    assert_eq!((work.status(first), work.task_count()), (Err(NoSuchTask), 1));
}

#[test]
fn what_is_done_to_listeners_between_their_trigger_and_their_runs_counts() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    let meddles = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        cx.cancel(story.ids[0]).unwrap();
        cx.send(story.ids[1], 7).unwrap();
        cx.schedule(Task::on(Button, d).again()).unwrap(); // not for the trigger that was
        assert_eq!(cx.trigger_event_with(Button, 8), 4, "itself, two who are ready, the new one");
        cx.send(story.ids[2], 9).unwrap();
        cx.abort_current_task();
        story.tell("meddles", cx)
    };
    work.schedule(Task::on(Button, meddles).again()).unwrap();
    story.ids = [a, b, c].map(|job| work.schedule(Task::on(Button, job).again()).unwrap()).to_vec();
    work.trigger_event(Button);
    assert_eq!(work.poll(&mut story), Next::Now);
    assert_eq!(story.names(), ["meddles", "b", "c"]);
    assert_eq!(story.params, [0, 8, 9]);
    assert_eq!(story.merged, [0, 1, 1]);
}

#[test]
fn a_run_that_has_cancelled_itself_still_knows_who_it_is() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<2>(&clock);
    work.do_now(|story, cx| {
        cx.abort_current_task();
        let current = cx.current_task_id().unwrap();
        assert_eq!(current, cx.id());
        assert_eq!(cx.cancel(current), Err(NoSuchTask));
        assert_eq!(cx.task_count(), 1);
        story.tell("self", cx)
    })
    .unwrap();
    let waits = work.on(Button, a).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!((work.task_count(), work.status(waits).is_ok()), (1, true));
}

#[test]
fn a_listener_that_cancels_itself_does_not_hear_its_own_trigger() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<2>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        assert_eq!(cx.trigger_event(Button), 1, "ready for another run");
        cx.abort_current_task();
        assert_eq!(cx.trigger_event(Button), 0);
        story.tell("self", cx)
    };
    work.schedule(Task::on(Button, job).again()).unwrap();
    work.trigger_event(Button);
    assert_eq!(ending(&mut work, &mut story, 20), Ended::NoTasks);
    assert_eq!(story.names(), ["self"]);
}

// Listening.

#[test]
fn a_one_shot_listener_leaves_when_it_is_triggered() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.on(Button, pressed).unwrap();
    assert_eq!(work.status(id).unwrap().state, State::Listening(Button));
    assert_eq!(work.pending_count(), 0);
    assert_eq!(work.trigger_event(Sampled), 0);
    assert_eq!(work.trigger_event(Button), 1);
    assert_eq!(work.status(id).unwrap().state, State::Ready);
    assert_eq!(work.trigger_event(Button), 0);
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NoTasks));
    assert_eq!(story.log, [(0, "pressed", BUTTON)]);
}

#[test]
fn listeners_run_in_the_order_in_which_they_subscribed() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    work.schedule(Task::on(Button, a).again()).unwrap();
    work.on(Button, b).unwrap();
    work.schedule(Task::on(Button, c).again()).unwrap();
    assert_eq!(work.trigger_event(Button), 3);
    let _ = work.poll(&mut story);
    work.on(Button, d).unwrap();
    assert_eq!(work.trigger_event(Button), 3);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a", "b", "c", "a", "c", "d"]);
}

#[test]
fn a_listener_that_keeps_listening_keeps_its_place_while_it_is_pending_and_while_it_runs() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    let first = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        if story.log.is_empty() {
            cx.schedule(Task::on(Button, b).again()).unwrap();
            assert_eq!(cx.trigger_event(Button), 2, "the one that runs, and the new one");
        }
        story.tell("a", cx)
    };
    work.schedule(Task::on(Button, first).again()).unwrap();
    work.trigger_event(Button);
    let _ = work.poll(&mut story);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a", "a", "b"]);
}

#[test]
fn a_delayed_listener_runs_so_long_after_the_first_trigger() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.schedule(Task::on(Button, a).again().delay(10.millis())).unwrap();
    play(&mut work, &mut story, 3);
    assert_eq!(work.trigger_event_with(Button, 1), 1);
    let status = work.status(id).unwrap();
    assert_eq!((status.state, status.next_run), (State::Delayed(Button), Some(millis(13))));
    play(&mut work, &mut story, 7);
    assert_eq!(work.trigger_event_with(Button, 2), 1);
    assert_eq!(work.status(id).unwrap().next_run, Some(millis(13)), "the first deadline stays");
    play(&mut work, &mut story, 50);
    assert_eq!(story.log, [(13, "a", BUTTON)]);
    assert_eq!((story.params, story.merged), (vec![2], vec![1]));
}

#[test]
fn a_timeout_counts_from_each_subscription() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    clock.advance(1.millis());
    work.schedule(
        Task::on(Button, |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
            let told = story.tell("again", cx);
            story.clock.advance(2.millis());
            told
        })
        .again()
        .timeout(10.millis()),
    )
    .unwrap();
    work.schedule(Task::on(Button, b).timeout(20.millis())).unwrap();
    play(&mut work, &mut story, 15);
    assert_eq!(work.trigger_event(Button), 2);
    play(&mut work, &mut story, 30);
    let expected =
        [(11, "again", TIMEOUT), (15, "again", BUTTON), (17, "b", BUTTON), (27, "again", TIMEOUT)];
    assert_eq!(story.log, expected);
}

#[test]
fn a_listener_whose_timeout_has_run_out_is_gone() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::on(Button, a).timeout(10.millis())).unwrap();
    assert_eq!(ending(&mut work, &mut story, 50), Ended::NoTasks);
    assert_eq!(story.log, [(10, "a", TIMEOUT)]);
    assert_eq!(work.trigger_event(Button), 0);
}

#[test]
fn a_trigger_before_the_timeout_cancels_the_timeout() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::on(Button, a).timeout(10.millis()).delay(30.millis())).unwrap();
    play(&mut work, &mut story, 5);
    work.trigger_event(Button);
    assert_eq!(ending(&mut work, &mut story, 50), Ended::NoTasks);
    assert_eq!(story.log, [(35, "a", BUTTON)]);
}

#[test]
fn an_event_that_comes_between_the_timeout_and_its_run_is_answered_by_that_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let trigger = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        assert_eq!(cx.trigger_event_with(Button, 7), 1);
        story.tell("press", cx)
    };
    work.schedule(Task::at(10.millis(), trigger).priority(Priority::High)).unwrap();
    work.schedule(Task::on(Button, a).again().timeout(10.millis()).keep_first()).unwrap();
    play(&mut work, &mut story, 15);
    assert_eq!(story.log, [(10, "press", TIME), (10, "a", BUTTON)]);
    assert_eq!((story.params, story.merged), (vec![0, 7], vec![0, 0]));
}

#[test]
fn a_timeout_that_is_due_when_a_pass_begins_has_run_out_whoever_else_is_there() {
    for somebody_has_priority in [false, true] {
        let clock = Virtual::new();
        let (mut work, mut story) = stage::<4>(&clock);
        if somebody_has_priority {
            work.schedule(Task::at(1.secs(), d).priority(Priority::High)).unwrap();
        }
        work.at(10.millis(), |story, cx| {
            assert_eq!(cx.trigger_event(Button), 1, "the one that keeps listening");
            story.tell("press", cx)
        })
        .unwrap();
        work.schedule(Task::on(Button, a).timeout(10.millis())).unwrap();
        work.schedule(Task::on(Button, b).again().timeout(10.millis())).unwrap();
        play(&mut work, &mut story, 15);
        assert_eq!(story.log, [(10, "press", TIME), (10, "a", TIMEOUT), (10, "b", BUTTON)]);
    }
}

#[test]
fn an_event_remembers_one_trigger_that_reached_nobody_for_the_next_latched_listener() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    assert_eq!(work.trigger_event_with(Button, 7), 0);
    assert_eq!(work.trigger_event(Button), 0);
    work.on(Button, a).unwrap(); // not latched: it waits
    work.schedule(Task::on(Sampled, b).latched()).unwrap(); // another event: it waits
    work.schedule(Task::on(Button, c).latched().params(1)).unwrap();
    work.schedule(Task::on(Button, d).latched()).unwrap(); // only one trigger was remembered
    let _ = work.poll(&mut story);
    assert_eq!(story.log, [(0, "c", BUTTON)]);
    assert_eq!(story.params, [1], "params are not remembered");
    assert_eq!(work.trigger_event(Button), 2);
}

#[test]
fn a_latched_listener_takes_what_came_while_it_ran_and_did_not_listen() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        assert_eq!(cx.trigger_event(Button), 0, "a one-shot has left");
        if story.log.len() < 2 {
            cx.schedule(Task::on(Button, b).latched().delay(5.millis())).unwrap();
        }
        story.tell("a", cx)
    };
    work.on(Button, job).unwrap();
    work.trigger_event(Button);
    assert_eq!(ending(&mut work, &mut story, 50), Ended::NoTasks);
    assert_eq!(story.log, [(0, "a", BUTTON), (5, "b", BUTTON)]);
}

#[test]
fn a_trigger_that_reached_a_pending_listener_is_not_remembered() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::on(Button, a).again()).unwrap();
    assert_eq!((work.trigger_event(Button), work.trigger_event(Button)), (1, 1));
    work.schedule(Task::on(Button, b).latched()).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a"]);
}

// Triggers that meet.

#[test]
fn triggers_before_the_run_are_one_run_with_the_newest_params() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::on(Sampled, a).again()).unwrap();
    work.schedule(Task::on(Sampled, b).again().keep_first()).unwrap();
    for params in 1..=3 {
        assert_eq!(work.trigger_event_with(Sampled, params), 2, "merged ones are reached as well");
    }
    assert_eq!(work.trigger_event(Sampled), 2);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a", "b"]);
    assert_eq!((&story.params, &story.merged), (&vec![3, 1], &vec![3, 3]));

    work.trigger_event(Sampled);
    let _ = work.poll(&mut story);
    assert_eq!((story.params[2..].to_vec(), story.merged[2..].to_vec()), (vec![3, 1], vec![0, 0]));
}

#[test]
fn params_are_new_once_and_only_when_something_brought_them() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        story.merged.push(cx.new_params().is_some().into());
        cx.send(cx.id(), 9).unwrap();
        assert_eq!(cx.new_params().is_some(), *story.merged.last().unwrap() == 1);
        story.params.push(*cx.params());
        Ok(())
    };
    let listener = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        story.params.push(cx.new_params().copied().unwrap_or(-1));
        Ok(())
    };
    // What it was scheduled with is what it has, not news; what it sends itself is for the next run.
    work.schedule(Task::repeat(10.millis(), job).params(1)).unwrap();
    play(&mut work, &mut story, 10);
    assert_eq!((&story.params, &story.merged), (&vec![1, 9], &vec![0, 1]));

    // Of several triggers one is enough, in whatever order; plain listeners and others alike.
    for task in [
        Task::on(Sampled, listener).again(),
        Task::on(Sampled, listener).again().priority(Priority::High),
        Task::on(Sampled, listener).again().delay(1.millis()),
    ] {
        work.stop();
        (story.params, story.merged) = (vec![], vec![]);
        let id = work.schedule(task.params(1)).unwrap();
        let mut now = clock.now().as_ticks() / 1_000;
        for triggers in [&[None][..], &[Some(3), None], &[None], &[None, Some(4)], &[None]] {
            for params in triggers {
                match params {
                    Some(params) => work.trigger_event_with(Sampled, *params),
                    None => work.trigger_event(Sampled),
                };
            }
            now += 2;
            play(&mut work, &mut story, now);
        }
        work.send(id, 5).unwrap();
        work.trigger_event(Sampled);
        play(&mut work, &mut story, now + 2);
        assert_eq!(story.params, [-1, 3, -1, 4, -1, 5]);
    }
}

#[test]
fn when_the_first_trigger_decides_its_lack_of_params_does_too() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        story.params.push(cx.new_params().copied().unwrap_or(-1));
        Ok(())
    };
    work.schedule(Task::on(Sampled, job).again().keep_first()).unwrap();
    for triggers in [[Some(1), Some(2)], [None, Some(3)]] {
        for params in triggers {
            match params {
                Some(params) => work.trigger_event_with(Sampled, params),
                None => work.trigger_event(Sampled),
            };
        }
        let _ = work.poll(&mut story);
    }
    assert_eq!(story.params, [1, -1]);
}

#[test]
fn a_trigger_during_the_own_run_counts_for_the_next_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        if story.log.is_empty() {
            assert_eq!(cx.trigger_event_with(Sampled, 8), 1);
            assert_eq!(cx.trigger_event_with(Sampled, 9), 1);
            assert_eq!(cx.params(), &7);
        }
        story.tell("a", cx)
    };
    work.schedule(Task::on(Sampled, job).again()).unwrap();
    work.trigger_event_with(Sampled, 7);
    assert_eq!(work.poll(&mut story), Next::Now);
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NothingToWaitFor));
    assert_eq!((story.params, story.merged), (vec![7, 9], vec![0, 1]));
}

#[test]
fn a_trigger_during_the_own_run_of_a_delayed_listener_starts_its_delay() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        if story.log.is_empty() {
            cx.trigger_event(Sampled);
        }
        story.tell("a", cx)
    };
    work.schedule(Task::on(Sampled, job).again().delay(10.millis())).unwrap();
    work.trigger_event(Sampled);
    play(&mut work, &mut story, 100);
    assert_eq!(story.log, [(10, "a", SAMPLED), (20, "a", SAMPLED)]);
}

#[test]
fn a_trigger_in_a_job_reaches_the_ready_in_this_pass_and_arms_the_others_for_the_next() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::on(Button, a).again()).unwrap();
    work.trigger_event_with(Button, 1);
    work.schedule(
        Task::now(|story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
            assert_eq!(cx.trigger_event_with(Button, 2), 2);
            story.tell("press", cx)
        })
        .priority(Priority::High),
    )
    .unwrap();
    work.on(Button, b).unwrap();
    assert_eq!(work.poll(&mut story), Next::Now);
    assert_eq!(story.names(), ["press", "a"]);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["press", "a", "b"]);
    assert_eq!((story.params, story.merged), (vec![0, 2, 2], vec![0, 1, 0]));
}

// await_event.

#[test]
fn a_one_shot_that_awaits_runs_when_the_event_comes_and_ends() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.at(10.millis(), a).unwrap();
    work.await_event(id, Button).unwrap();
    assert_eq!(work.status(id).unwrap().state, State::Listening(Button));
    assert_eq!(work.status(id).unwrap().next_run, None);
    assert_eq!(ending(&mut work, &mut story, 30), Ended::NothingToWaitFor);
    assert_eq!(work.trigger_event_with(Button, 4), 1);
    assert_eq!(ending(&mut work, &mut story, 60), Ended::NoTasks);
    assert_eq!((story.log, story.params), (vec![(30, "a", BUTTON)], vec![4]));
}

#[test]
fn a_one_shot_that_awaits_in_its_run_runs_once_more() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.do_now(|story, cx| {
        if cx.cause() == TIME {
            cx.await_event(Button).unwrap();
        }
        story.tell("a", cx)
    })
    .unwrap();
    work.at(5.millis(), |_, cx| {
        cx.trigger_event(Button);
        Ok(())
    })
    .unwrap();
    assert_eq!(ending(&mut work, &mut story, 60), Ended::NoTasks);
    assert_eq!(story.log, [(0, "a", TIME), (5, "a", BUTTON)]);
}

#[test]
fn a_repeating_task_that_awaits_goes_on_in_its_old_phase_and_has_missed_nothing() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.schedule(Task::repeat(10.millis(), beat).first_at(3.millis())).unwrap();
    play(&mut work, &mut story, 5);
    work.await_event(id, Button).unwrap();
    clock.advance(42.millis());
    work.trigger_event(Button);
    play(&mut work, &mut story, 63);
    let expected = [(3, "beat", TIME), (47, "beat", BUTTON), (53, "beat", TIME)];
    assert_eq!(story.log[..3], expected);
    assert_eq!((story.times(), story.missed), (vec![3, 47, 53, 63], vec![0; 4]));
}

#[test]
fn an_event_that_comes_before_the_deadline_does_not_move_the_deadline() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.schedule(Task::repeat(10.millis(), beat).first_at(50.millis())).unwrap();
    work.await_event(id, Button).unwrap();
    clock.advance(7.millis());
    work.trigger_event(Button);
    play(&mut work, &mut story, 60);
    assert_eq!(story.times(), [7, 50, 60]);
}

#[test]
fn a_repeating_task_may_await_in_each_of_its_runs() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.repeat(10.millis(), |story, cx| {
        if story.log.len() < 3 {
            cx.await_event(Button).unwrap();
        }
        story.tell("beat", cx)
    })
    .unwrap();
    for at in [4, 17, 26] {
        story.clock.set_until(at.millis());
        let _ = work.poll(&mut story);
        clock.set(at.millis());
        work.trigger_event(Button);
    }
    play(&mut work, &mut story, 45);
    let expected = [(0, TIME), (4, BUTTON), (17, BUTTON), (26, BUTTON), (30, TIME), (40, TIME)];
    assert_eq!(story.log, expected.map(|(at, cause)| (at, "beat", cause)));
    assert_eq!(story.missed, [0; 6]);
}

#[test]
fn an_awaited_run_that_is_held_up_beyond_deadlines_goes_on_in_phase() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.repeat(10.millis(), |story, cx| {
        let told = story.tell("beat", cx);
        if cx.cause() == BUTTON {
            story.clock.advance(25.millis());
        }
        told
    });
    let id = id.unwrap();
    let _ = work.poll(&mut story);
    work.await_event(id, Button).unwrap();
    clock.advance(12.millis());
    work.trigger_event(Button);
    play(&mut work, &mut story, 50);
    assert_eq!(story.times(), [0, 12, 40, 50]);
}

#[test]
fn with_missed_delay_the_period_counts_from_the_awaited_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.schedule(Task::repeat(10.millis(), beat).missed(Missed::Delay)).unwrap();
    let _ = work.poll(&mut story);
    work.await_event(id, Button).unwrap();
    clock.advance(13.millis());
    work.trigger_event(Button);
    play(&mut work, &mut story, 35);
    assert_eq!(story.times(), [0, 13, 23, 33]);
}

#[test]
fn a_late_deadline_after_an_awaited_run_is_ready_at_once() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        story.clock.advance(25.millis());
        story.tell("beat", cx)
    };
    let id = work.schedule(Task::repeat(10.millis(), job).missed(Missed::Delay)).unwrap();
    work.await_event(id, Button).unwrap();
    work.trigger_event(Button);
    assert_eq!(work.poll(&mut story), Next::Now);
    assert_eq!(work.status(id).unwrap().next_run, Some(millis(10)));
    assert_eq!(work.poll(&mut story), Next::Now);
    assert_eq!(story.log, [(25, "beat", BUTTON), (50, "beat", TIME)]);
}

#[test]
fn each_wait_goes_on_in_the_phase_of_its_own_time() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.schedule(Task::repeat(10.millis(), beat).first_at(10.millis())).unwrap();
    work.await_event(id, Button).unwrap();
    clock.advance(5.millis());
    work.trigger_event(Button);
    play(&mut work, &mut story, 15);
    work.set_repeat(id, 4.millis()).unwrap(); // 20, 24, 28, ...
    play(&mut work, &mut story, 21);
    work.await_event(id, Button).unwrap();
    clock.advance(8.millis());
    work.trigger_event(Button);
    play(&mut work, &mut story, 36);
    assert_eq!(story.times(), [5, 10, 20, 29, 32, 36], "not 30, in the phase of 10");
}

#[test]
fn a_listener_that_awaits_goes_back_to_its_own_event() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.schedule(Task::on(Button, a).again().delay(5.millis())).unwrap();
    work.schedule(Task::on(Button, b).again()).unwrap();
    work.await_event(id, Sampled).unwrap();
    assert_eq!(work.trigger_event(Button), 1, "it waits for something else");
    assert_eq!(work.trigger_event(Sampled), 1);
    assert_eq!(work.trigger_event(Sampled), 0, "awaiting is for one time");
    let _ = work.poll(&mut story);
    assert_eq!(work.trigger_event(Button), 2);
    play(&mut work, &mut story, 20);
    let expected = [(0, "b", BUTTON), (0, "a", SAMPLED), (0, "b", BUTTON), (5, "a", BUTTON)];
    assert_eq!(story.log, expected, "the delay belongs to its own event");
}

#[test]
fn a_one_shot_listener_that_awaits_another_event_ends_after_it() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.on(Button, a).unwrap();
    work.await_event(id, Sampled).unwrap();
    work.trigger_event(Sampled);
    assert_eq!(ending(&mut work, &mut story, 5), Ended::NoTasks);
    assert_eq!(story.log, [(0, "a", SAMPLED)]);
}

#[test]
fn awaiting_with_a_timeout_runs_in_any_case() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.repeat(10.millis(), |story, cx| {
        if cx.cause() == TIME {
            cx.await_event_for(Button, 25.millis()).unwrap();
        }
        story.tell("beat", cx)
    });
    let id = id.unwrap();
    play(&mut work, &mut story, 35);
    assert_eq!(work.status(id).unwrap().next_run, Some(millis(55)));
    assert_eq!(work.trigger_event(Button), 1);
    play(&mut work, &mut story, 45);
    let expected = [(0, TIME), (25, TIMEOUT), (30, TIME), (35, BUTTON), (40, TIME)]
        .map(|(at, cause)| (at, "beat", cause));
    assert_eq!(story.log, expected);
}

#[test]
fn awaiting_again_forgets_the_event_and_the_timeout_awaited_before() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.at(1.millis(), a).unwrap();
    work.await_event_for(id, Button, 5.millis()).unwrap();
    work.await_event(id, Sampled).unwrap();
    clock.advance(20.millis());
    assert_eq!((work.trigger_event(Button), work.trigger_event(Sampled)), (0, 1));
    play(&mut work, &mut story, 30);
    assert_eq!(story.log, [(20, "a", SAMPLED)]);
}

#[test]
fn a_ready_task_that_is_made_to_await_does_not_run_in_this_pass() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.do_now(|story, cx| {
        cx.await_event_of(story.ids[0], Button).unwrap();
        story.tell("a", cx)
    })
    .unwrap();
    story.ids = vec![work.repeat(10.millis(), beat).unwrap()];
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NothingToWaitFor));
    clock.advance(4.millis());
    work.trigger_event(Button);
    play(&mut work, &mut story, 10);
    assert_eq!(story.log, [(0, "a", TIME), (4, "beat", BUTTON), (10, "beat", TIME)]);
}

#[test]
fn an_event_awaited_and_triggered_in_the_same_run_brings_the_next_run() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.repeat(10.millis(), |story, cx| {
        if cx.cause() == TIME {
            cx.await_event(Button).unwrap();
            assert_eq!(cx.trigger_event(Button), 1);
        }
        story.tell("beat", cx)
    })
    .unwrap();
    assert_eq!(work.poll(&mut story), Next::Now);
    assert_eq!(work.poll(&mut story), Next::At(millis(10)));
    assert_eq!(story.log, [(0, "beat", TIME), (0, "beat", BUTTON)]);
}

#[test]
fn a_task_that_awaits_can_be_cancelled() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let plain = work.at(1.millis(), a).unwrap();
    let timed = work.repeat(1.millis(), a).unwrap();
    work.await_event(plain, Button).unwrap();
    work.await_event_for(timed, Button, 5.millis()).unwrap();
    for id in [plain, timed] {
        work.cancel(id).unwrap();
    }
    assert_eq!(work.trigger_event(Button), 0);
    assert_eq!(ending(&mut work, &mut story, 10), Ended::NoTasks);
    assert_eq!(story.log, []);
}

#[test]
fn a_one_shot_that_is_given_a_period_while_it_awaits_repeats_from_the_run_that_the_event_brings() {
    for awaits_twice in [false, true] {
        let clock = Virtual::new();
        let (mut work, mut story) = stage::<4>(&clock);
        let id = work.at(1.millis(), a).unwrap();
        work.await_event_for(id, Button, 3.millis()).unwrap();
        work.set_repeat(id, 10.millis()).unwrap();
        if awaits_twice {
            work.await_event(id, Button).unwrap();
        }
        clock.advance(2.millis());
        work.trigger_event(Button);
        play(&mut work, &mut story, 25);
        assert_eq!(story.times(), [2, 12, 22]);
    }
}

#[test]
fn a_period_set_while_awaiting_holds_after_the_event() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let id = work.repeat(10.millis(), beat).unwrap();
    let _ = work.poll(&mut story);
    work.await_event(id, Button).unwrap();
    work.set_repeat(id, 4.millis()).unwrap();
    clock.advance(15.millis());
    work.trigger_event(Button);
    play(&mut work, &mut story, 22);
    // The armed run was that at 10: 14, 18, 22.
    assert_eq!(story.times(), [0, 15, 18, 22]);
    work.await_event(id, Button).unwrap();
    work.set_repeat(id, 0.millis()).unwrap();
    work.trigger_event(Button);
    assert_eq!(ending(&mut work, &mut story, 30), Ended::NoTasks);
    assert_eq!(story.times(), [0, 15, 18, 22, 22]);
}

// Slack, clocks, the end of time.

#[test]
fn a_task_with_slack_runs_with_what_comes_soon_after_it() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::at(10.millis(), a).slack(5.millis())).unwrap();
    work.schedule(Task::at(14.millis(), b).slack(20.millis())).unwrap();
    work.at(16.millis(), c).unwrap();
    assert_eq!(work.poll(&mut story), Next::At(millis(15)), "the earliest deadline plus slack");
    play(&mut work, &mut story, 100);
    assert_eq!(story.log, [(15, "a", TIME), (15, "b", TIME), (16, "c", TIME)]);
}

#[test]
fn a_task_without_slack_ends_the_sleep_for_all_that_is_due() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::at(10.millis(), a).slack(50.millis())).unwrap();
    work.at(12.millis(), b).unwrap();
    work.schedule(Task::at(13.millis(), c).slack(1.millis())).unwrap();
    play(&mut work, &mut story, 100);
    assert_eq!(story.log, [(12, "a", TIME), (12, "b", TIME), (14, "c", TIME)]);
}

#[test]
fn slack_shifts_no_phase() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::repeat(10.millis(), beat).slack(3.millis())).unwrap();
    play(&mut work, &mut story, 33);
    assert_eq!(story.times(), [0, 13, 23, 33]);
}

#[test]
fn a_clock_that_steps_back_stands_still() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    clock.advance(10.millis());
    work.repeat(5.millis(), beat).unwrap();
    let _ = work.poll(&mut story);
    clock.set(2.millis());
    assert_eq!(work.now(), millis(10));
    work.at(1.millis(), a).unwrap();
    assert_eq!(work.poll(&mut story), Next::At(millis(11)));
    play(&mut work, &mut story, 20);
    let expected = [(10, "beat"), (11, "a"), (15, "beat"), (20, "beat")];
    assert_eq!(story.log, expected.map(|(at, name)| (at, name, TIME)));
}

#[test]
fn deadlines_end_at_the_largest_instant_which_is_a_time_like_any_other() {
    let (end, longest) = (Instant::from_ticks(u64::MAX), Duration::from_ticks(u64::MAX));
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    clock.advance(10.millis());
    work.at(longest, a).unwrap();
    work.schedule(Task::repeat(longest, b).slack(1.secs())).unwrap();
    work.schedule(Task::on(Button, c).again().timeout(longest).delay(longest)).unwrap();
    assert_eq!(work.poll(&mut story), Next::At(end));
    clock.set(longest);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["b", "a", "c", "b"]);
    assert_eq!(story.missed, [0; 4]);
    assert_eq!(work.poll(&mut story), Next::At(end), "there the time stands");
}

#[test]
fn poll_serves_a_loop_of_ones_own() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    assert_eq!(work.poll(&mut story), Next::Ended(Ended::NoTasks));
    work.repeat(10.millis(), beat).unwrap();
    while story.log.len() < 4 {
        match work.poll(&mut story) {
            Next::Now => {}
            Next::At(at) if at > clock.now() => clock.advance(1.millis()),
            Next::At(_) => {}
            next => panic!("{next:?}"),
        }
    }
    assert_eq!(story.times(), [0, 10, 20, 30]);
}

// stop and the end of start.

#[test]
fn start_says_why_it_has_returned() {
    static INBOX: Inbox<Signal, i32, 2> = Inbox::new();
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    assert_eq!(work.start(&mut story), Ended::NoTasks);
    work.do_now(a).unwrap();
    assert_eq!(work.start(&mut story), Ended::NoTasks);
    work.on(Button, a).unwrap();
    assert_eq!(work.start(&mut story), Ended::NothingToWaitFor);
    work.do_now(|_, cx| {
        cx.stop();
        Ok(())
    })
    .unwrap();
    assert_eq!(work.start(&mut story), Ended::Stopped);
    work.at(1.secs(), a).unwrap();
    assert_eq!(ending(&mut work, &mut story, 500), Ended::ClockEnded);
    assert_eq!(work.start(&mut story), Ended::ClockEnded, "the limit stands");
    assert_eq!(ending(&mut work, &mut story, 1_500), Ended::NoTasks);

    let mut work = work.listen(&INBOX);
    work.on(Button, a).unwrap();
    assert_eq!(work.poll(&mut story), Next::Event, "an interrupt may bring it");
}

#[test]
fn stop_in_a_job_cancels_what_there_was_and_skips_the_rest_of_the_pass() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<8>(&clock);
    work.repeat(10.millis(), |story, cx| {
        cx.do_now(b).unwrap();
        cx.stop();
        assert_eq!((cx.task_count(), cx.status(cx.id())), (0, Err(NoSuchTask)));
        assert_eq!(cx.trigger_event(Button), 0);
        cx.schedule(Task::at(5.millis(), c).tag(1)).unwrap();
        cx.do_now(d).unwrap();
        story.tell("a", cx)
    })
    .unwrap();
    let same_pass = work.schedule(Task::now(b).tag(1)).unwrap();
    work.on(Button, b).unwrap();
    work.schedule(Task::on(Button, b).again().timeout(1.millis())).unwrap();
    assert_eq!(work.start(&mut story), Ended::Stopped);
    assert_eq!(story.names(), ["a"]);
    assert_eq!((work.task_count(), work.status(same_pass)), (2, Err(NoSuchTask)));

    assert_eq!(work.start(&mut story), Ended::NoTasks);
    assert_eq!(story.log[1..], [(0, "d", TIME), (5, "c", TIME)]);
}

#[test]
fn the_second_stop_of_a_job_cancels_what_came_after_the_first() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.do_now(|_, cx| {
        cx.stop();
        cx.do_now(a).unwrap();
        cx.stop();
        cx.do_now(b).unwrap();
        Ok(())
    })
    .unwrap();
    assert_eq!(work.start(&mut story), Ended::Stopped);
    assert_eq!(work.task_count(), 1);
    assert_eq!(work.start(&mut story), Ended::NoTasks);
    assert_eq!(story.names(), ["b"]);
}

#[test]
fn stop_outside_of_a_job_empties_the_table_and_start_works_again() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.repeat(1.millis(), a).unwrap();
    work.on(Button, a).unwrap();
    work.trigger_event(Sampled);
    work.stop();
    assert_eq!(work.task_count(), 0);
    work.do_now(b).unwrap();
    work.schedule(Task::on(Sampled, c).latched()).unwrap();
    assert_eq!(work.start(&mut story), Ended::NothingToWaitFor, "no trigger is remembered");
    assert_eq!(story.names(), ["b"]);
}

#[test]
fn stop_empties_the_inbox() {
    static INBOX: Inbox<Signal, i32, 2> = Inbox::new();
    let clock = Virtual::new();
    let (work, mut story) = stage::<4>(&clock);
    let mut work = work.listen(&INBOX);
    work.do_now(|_, cx| {
        INBOX.trigger_event(Button);
        INBOX.trigger_event_with(Sampled, 3).unwrap();
        cx.stop();
        cx.on(Button, a).unwrap();
        cx.on(Sampled, a).unwrap();
        Ok(())
    })
    .unwrap();
    assert_eq!(work.start(&mut story), Ended::Stopped);
    assert_eq!(work.poll(&mut story), Next::Event);
    assert_eq!(story.log, []);
}

// Faults.

#[test]
fn a_failing_repeating_task_is_reported_and_goes_on() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    let job = |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        story.tell("beat", cx)?;
        if story.log.len() == 2 { Ok(()) } else { Err("broken") }
    };
    let id = work.schedule(Task::repeat(10.millis(), job).named("beat")).unwrap();
    work.at(15.millis(), |_, _| Err("once")).unwrap();
    play(&mut work, &mut story, 20);
    assert_eq!(story.times(), [0, 10, 20]);
    let expected = [(Some("beat"), "broken", 1), (None, "once", 1), (Some("beat"), "broken", 2)];
    assert_eq!(story.faults, expected);
    assert_eq!((work.fault_count(), work.status(id).unwrap().faults), (3, 2));
    assert_eq!(work.task_count(), 1, "a one-shot ends all the same");
}

#[test]
fn a_failing_listener_keeps_listening() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    work.schedule(Task::on(Button, |_, _| Err("no")).again()).unwrap();
    for _ in 0..3 {
        assert_eq!(work.trigger_event(Button), 1);
        let _ = work.poll(&mut story);
    }
    assert_eq!(story.faults.len(), 3);
}

#[test]
fn on_fault_may_end_the_task_or_all_of_them() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    story.on_fault = Some(|cx| cx.abort_current_task());
    work.repeat(10.millis(), |_, _| Err("no")).unwrap();
    work.at(5.millis(), a).unwrap();
    assert_eq!(ending(&mut work, &mut story, 100), Ended::NoTasks);
    assert_eq!((story.faults.len(), story.names()), (1, vec!["a"]));

    story.on_fault = Some(|cx| {
        cx.stop();
        cx.do_now(b).unwrap();
    });
    work.repeat(10.millis(), |_, _| Err("no")).unwrap();
    work.do_now(a).unwrap();
    assert_eq!(ending(&mut work, &mut story, 200), Ended::Stopped);
    assert_eq!(ending(&mut work, &mut story, 200), Ended::NoTasks);
    assert_eq!((story.faults.len(), story.names()), (2, vec!["a", "b"]));
}

#[test]
fn a_run_that_cancels_itself_and_fails_is_reported_with_its_name() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    story.on_fault = Some(|cx| cx.abort_current_task());
    let job = |_: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
        cx.abort_current_task();
        Err("gone")
    };
    work.schedule(Task::repeat(1.millis(), job).named("short")).unwrap();
    assert_eq!(ending(&mut work, &mut story, 100), Ended::NoTasks);
    assert_eq!(story.faults, [(Some("short"), "gone", 1)]);
}

#[test]
fn on_fault_may_make_a_one_shot_wait_for_another_try() {
    let clock = Virtual::new();
    let (mut work, mut story) = stage::<4>(&clock);
    story.on_fault = Some(|cx| cx.await_event_for(Button, 10.millis()).unwrap());
    work.do_now(|story, cx| {
        story.tell("try", cx)?;
        if story.log.len() < 3 { Err("not yet") } else { Ok(()) }
    })
    .unwrap();
    assert_eq!(ending(&mut work, &mut story, 100), Ended::NoTasks);
    assert_eq!(story.log, [(0, "try", TIME), (10, "try", TIMEOUT), (20, "try", TIMEOUT)]);
}

// Params that own something.

struct Owner;

impl App for Owner {
    type Event = Signal;
    type Params = Option<Rc<()>>;
    type Outcome = ();
}

fn keep(_: &mut Owner, cx: &mut Cx<'_, Owner>) {
    assert!(cx.params().is_some());
}

#[test]
fn params_are_dropped_once_and_at_once() {
    let clock = Virtual::new();
    let mut work = Work::<Owner, _, 4>::new(&clock);
    let thing = Rc::new(());
    let held = |thing: &Rc<()>| Rc::strong_count(thing) - 1;
    let some = || Some(thing.clone());

    let id = work.schedule(Task::at(1.secs(), keep).params(some())).unwrap();
    assert_eq!(held(&thing), 1);
    work.send(id, some()).unwrap();
    assert_eq!(held(&thing), 1, "replaced");
    work.cancel(id).unwrap();
    assert_eq!(held(&thing), 0, "cancelled");

    work.schedule(Task::now(keep).params(some())).unwrap();
    let _ = work.poll(&mut Owner);
    assert_eq!(held(&thing), 0, "finished");

    work.schedule(Task::repeat(1.millis(), keep).params(some())).unwrap();
    let _ = work.poll(&mut Owner);
    assert_eq!(held(&thing), 1, "goes on");
    work.stop();
    assert_eq!(held(&thing), 0, "stopped");

    work.schedule(Task::on(Button, keep).again().params(some())).unwrap();
    work.schedule(Task::on(Button, keep)).unwrap();
    assert_eq!(work.trigger_event_with(Button, some()), 2);
    assert_eq!(held(&thing), 2, "a copy for each listener");
    let _ = work.poll(&mut Owner);
    assert_eq!(held(&thing), 1);

    for _ in 0..3 {
        work.schedule(Task::at(1.secs(), keep).params(some())).unwrap();
    }
    let rejected = work.schedule(Task::at(1.secs(), keep).params(some())).unwrap_err();
    assert_eq!(held(&thing), 5, "the refused one is in the task that came back");
    drop(rejected);
    assert_eq!(held(&thing), 4);
    drop(work);
    assert_eq!(held(&thing), 0);
}

#[test]
fn params_of_a_run_that_cancels_itself_live_until_it_returns() {
    struct Holder(Rc<()>);
    impl App for Holder {
        type Event = ();
        type Params = Option<Rc<()>>;
        type Outcome = ();
    }
    let clock = Virtual::new();
    let mut work = Work::<Holder, _, 4>::new(&clock);
    let mut app = Holder(Rc::new(()));
    let job = |app: &mut Holder, cx: &mut Cx<'_, Holder>| {
        cx.abort_current_task();
        assert!(cx.params().as_ref().is_some_and(|mine| Rc::ptr_eq(mine, &app.0)));
    };
    let params = Some(app.0.clone());
    work.schedule(Task::repeat(1.secs(), job).params(params)).unwrap();
    let _ = work.poll(&mut app);
    assert_eq!(Rc::strong_count(&app.0), 1);
}

// The inbox, first tier.

#[test]
fn triggers_from_interrupts_come_in_the_next_pass_params_first_then_in_the_order_of_the_enum() {
    static INBOX: Inbox<Signal, i32, 4> = Inbox::new();
    let clock = Virtual::new();
    let (work, mut story) = stage::<8>(&clock);
    let mut work = work.listen(&INBOX);
    work.schedule(Task::on(Alarm, a).again()).unwrap();
    work.schedule(Task::on(Button, b).again()).unwrap();
    work.schedule(Task::on(Sampled, c).again()).unwrap();
    for _ in 0..3 {
        INBOX.trigger_event(Alarm);
    }
    INBOX.trigger_event(Button);
    INBOX.trigger_event_with(Sampled, 1).unwrap();
    INBOX.trigger_event_with(Sampled, 2).unwrap();
    assert_eq!(work.poll(&mut story), Next::Event);
    assert_eq!(story.names(), ["c", "b", "a"]);
    assert_eq!(story.params, [2, 0, 0]);
    assert_eq!(story.merged, [1, 0, 0], "the queue counts, the flags do not");
    assert_eq!(work.poll(&mut story), Next::Event);
    assert_eq!(story.log.len(), 3);
}

#[test]
fn an_interrupt_ends_the_sleep_and_comes_before_what_is_due_at_its_time() {
    static INBOX: Inbox<Signal, i32, 4> = Inbox::new();
    let press = |_: &Virtual<'_>| INBOX.trigger_event(Button);
    let script = [
        Interrupt { at: 4.millis(), run: &press },
        Interrupt { at: 10.millis(), run: &press },
        Interrupt { at: 25.millis(), run: &press },
    ];
    let clock = Virtual::with_script(&script);
    let (work, mut story) = stage::<4>(&clock);
    let mut work = work.listen(&INBOX);
    work.schedule(Task::on(Button, pressed).again().timeout(10.millis())).unwrap();
    play(&mut work, &mut story, 30);
    let expected = [(4, BUTTON), (10, BUTTON), (20, TIMEOUT), (25, BUTTON)];
    assert_eq!(story.log, expected.map(|(at, cause)| (at, "pressed", cause)));
}

#[test]
fn an_interrupt_during_a_pass_is_for_the_next_pass() {
    static INBOX: Inbox<Signal, i32, 4> = Inbox::new();
    let clock = Virtual::new();
    let (work, mut story) = stage::<4>(&clock);
    let mut work = work.listen(&INBOX);
    work.schedule(Task::on(Button, pressed).again()).unwrap();
    work.do_now(|story, cx| {
        INBOX.trigger_event(Button);
        story.tell("a", cx)
    })
    .unwrap();
    work.do_now(b).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a", "b"]);
    let _ = work.poll(&mut story);
    assert_eq!(story.names(), ["a", "b", "pressed"]);
}

#[test]
fn a_sleep_is_over_as_soon_as_something_has_arrived() {
    static INBOX: Inbox<Signal, i32, 4> = Inbox::new();
    /// A clock that triggers in the gap between the pass and the sleep.
    struct Gap<'c>(&'c Virtual<'c>, std::cell::Cell<u32>);
    impl Clock for Gap<'_> {
        fn now(&self) -> Instant {
            self.0.now()
        }
        fn wait(&self, sleep: &Sleep<'_>) {
            self.1.set(self.1.get() + 1);
            assert!(!sleep.is_over());
            assert_eq!(sleep.until(), (self.1.get() == 1).then_some(millis(5)));
            if self.1.get() > 2 {
                return sleep.end();
            }
            INBOX.trigger_event(Button);
            assert!(sleep.is_over());
        }
    }
    let clock = Virtual::new();
    let (_, mut story) = stage::<1>(&clock);
    let mut work =
        Work::<Story<'_>, _, 4>::new(Gap(&clock, std::cell::Cell::new(0))).listen(&INBOX);
    work.schedule(
        Task::on(Button, |story: &mut Story<'_>, cx: &mut Cx<'_, Story<'_>>| {
            if let Ok(()) = cx.cancel(story.ids[0]) {
                story.tell("first", cx)?;
            }
            story.tell("pressed", cx)
        })
        .again(),
    )
    .unwrap();
    story.ids = vec![work.at(5.millis(), a).unwrap()];
    assert_eq!(work.start(&mut story), Ended::ClockEnded);
    assert_eq!(story.log, [(0, "first", BUTTON), (0, "pressed", BUTTON), (0, "pressed", BUTTON)]);
}

#[test]
fn the_wake_hook_is_called_after_each_trigger() {
    static WOKEN: AtomicU32 = AtomicU32::new(0);
    static INBOX: Inbox<Signal, i32, 1, fn()> = Inbox::new().wake_with(|| {
        WOKEN.fetch_add(1, Ordering::Relaxed);
    });
    INBOX.trigger_event(Button);
    INBOX.trigger_event(Button);
    assert_eq!(WOKEN.load(Ordering::Relaxed), 2);
    INBOX.trigger_event_with(Button, 1).unwrap();
    assert_eq!(WOKEN.load(Ordering::Relaxed), 3);
    assert_eq!(INBOX.trigger_event_with(Sampled, 2).unwrap_err().0, 2);
    assert_eq!(WOKEN.load(Ordering::Relaxed), 4, "the event arrives without its params");
    assert_eq!(INBOX.refused(), 1);

    let clock = Virtual::new();
    let (work, mut story) = stage::<4>(&clock);
    let mut work = work.listen(&INBOX);
    work.schedule(Task::on(Button, a).again().params(9)).unwrap();
    work.schedule(Task::on(Sampled, b).again().params(9)).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!((story.params, story.merged), (vec![1, 9], vec![1, 0]));
}

#[test]
fn a_trigger_from_an_interrupt_that_reaches_nobody_is_remembered_like_any_other() {
    static INBOX: Inbox<Signal, i32, 4> = Inbox::new();
    let clock = Virtual::new();
    let (work, mut story) = stage::<4>(&clock);
    let mut work = work.listen(&INBOX);
    INBOX.trigger_event(Button);
    let _ = work.poll(&mut story);
    work.schedule(Task::on(Button, a).latched()).unwrap();
    let _ = work.poll(&mut story);
    assert_eq!(story.log, [(0, "a", BUTTON)]);
}

// Events that number themselves wrongly.

#[derive(Clone, Copy, PartialEq, Debug)]
struct Liar(usize);

impl Event for Liar {
    type Count = Events<2>;
    fn index(self) -> usize {
        self.0
    }
    fn from_index(index: usize) -> Option<Self> {
        (index == 0).then_some(Liar(0))
    }
}

struct Deceived(u32);

impl App for Deceived {
    type Event = Liar;
    type Params = ();
    type Outcome = ();
}

#[test]
fn an_event_whose_number_is_out_of_range_is_heard_by_nobody_and_does_no_harm() {
    static INBOX: Inbox<Liar, (), 2> = Inbox::new();
    fn heard(app: &mut Deceived, _: &mut Cx<'_, Deceived>) {
        app.0 += 1;
    }
    let clock = Virtual::new();
    let mut work = Work::<Deceived, _, 8>::new(&clock).listen(&INBOX);
    let mut app = Deceived(0);
    for number in [2, 255, 256, 257, usize::MAX] {
        let id = work.schedule(Task::on(Liar(number), heard).again().latched()).unwrap();
        assert_eq!(work.trigger_event(Liar(number)), 0);
        INBOX.trigger_event(Liar(number));
        INBOX.trigger_event_with(Liar(number), ()).unwrap();
        for right in [0, 1] {
            assert_eq!(work.trigger_event(Liar(right)), 0, "{number} is not {right}");
        }
        assert_eq!(work.poll(&mut app), Next::Event);
        assert_eq!(work.cancel(id), Ok(()));
    }
    // Number 1 is in range, but has no event: its flag is dropped.
    let id = work.schedule(Task::on(Liar(1), heard)).unwrap();
    INBOX.trigger_event(Liar(1));
    let _ = work.poll(&mut app);
    assert!(work.status(id).is_ok());
    assert_eq!(work.trigger_event(Liar(1)), 1);
    let _ = work.poll(&mut app);
    assert_eq!((app.0, work.task_count()), (1, 0));
}

#[test]
fn a_wrong_number_still_times_out() {
    fn heard(app: &mut Deceived, cx: &mut Cx<'_, Deceived>) {
        assert_eq!(cx.cause(), Cause::Timeout);
        app.0 += 1;
    }
    let clock = Virtual::new().until(1.secs());
    let mut work = Work::<Deceived, _, 2>::new(&clock);
    let mut app = Deceived(0);
    work.schedule(Task::on(Liar(9), heard).timeout(5.millis())).unwrap();
    assert_eq!(work.start(&mut app), Ended::NoTasks);
    assert_eq!(app.0, 1);
}
