//! Ten years of virtual time, checked against arithmetic.
//!
//! A task with period p and first deadline f has by time t had (t - f) / p + 1 runs, the last one
//! due at f + ((t - f) / p) * p, whatever else went on in those years.

use std::collections::BTreeMap;

use ensue::clock::Virtual;
use ensue::time::later;
use ensue::{
    App, Cx, Duration, Ended, ExtU64, Instant, Missed, NoSuchTask, Priority, Task, TaskId, Work,
};

const YEAR: u64 = 365 * 24 * 3_600_000_000;
const HOUR: u64 = 3_600_000_000;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A repeating task and what it should have done.
struct Repeating {
    id: TaskId,
    first: u64,
    period: u64,
    runs: u64,
    last: u64,
}

impl Repeating {
    fn check(&self, now: u64) {
        let (runs, last) = match now.checked_sub(self.first) {
            None => (0, 0),
            Some(time) => (time / self.period + 1, self.first + time / self.period * self.period),
        };
        assert_eq!((self.runs, self.last), (runs, last), "period {}", self.period);
    }
}

struct Decade {
    dice: Dice,
    repeating: Vec<Repeating>,
    /// The one-shots that are to run, by number: id and deadline.
    waiting: BTreeMap<usize, (TaskId, u64)>,
    stale: Vec<TaskId>,
    one_shots: usize,
    fired: usize,
    cancelled: usize,
    replaced: usize,
    full: usize,
}

impl App for Decade {
    type Event = ();
    type Params = usize;
    type Outcome = ();
}

fn micros(instant: Instant) -> u64 {
    instant.as_ticks()
}

fn tick(decade: &mut Decade, cx: &mut Cx<'_, Decade>) {
    let task = &mut decade.repeating[*cx.params()];
    assert_eq!(cx.id(), task.id);
    assert_eq!((cx.now(), cx.missed()), (cx.scheduled_at(), 0));
    task.runs += 1;
    task.last = micros(cx.scheduled_at());
}

fn fire(decade: &mut Decade, cx: &mut Cx<'_, Decade>) {
    let (id, due) = decade.waiting.remove(cx.params()).expect("cancelled, and yet it runs");
    assert_eq!((id, due), (cx.id(), micros(cx.now())));
    decade.stale.push(id);
    decade.fired += 1;
}

/// Comes at odd microseconds; all others are due at even ones, so nothing depends on who is first.
fn meddle(decade: &mut Decade, cx: &mut Cx<'_, Decade>) {
    let now = micros(cx.now());
    let dice = &mut decade.dice;
    match dice.below(4) {
        0 | 1 => {
            let delay = Duration::from_ticks(dice.below(400 * HOUR) | 1);
            let number = decade.one_shots;
            match cx.schedule(Task::at(delay, fire).params(number)) {
                Ok(id) => {
                    decade.waiting.insert(number, (id, micros(later(cx.now(), delay))));
                    decade.one_shots += 1;
                }
                Err(_) => decade.full += 1,
            }
        }
        2 => {
            let which = dice.below(decade.one_shots as u64 + 1) as usize;
            if let Some((&number, &(id, _))) = decade.waiting.range(which..).next() {
                assert_eq!(cx.cancel(id), Ok(()));
                decade.waiting.remove(&number);
                decade.stale.push(id);
                decade.cancelled += 1;
            }
            if !decade.stale.is_empty() {
                // Of the last thousand, none can have come round again.
                let recent = decade.stale.len().saturating_sub(1_000);
                let which = recent + dice.below((decade.stale.len() - recent) as u64) as usize;
                assert_eq!(cx.cancel(decade.stale[which]), Err(NoSuchTask));
            }
        }
        _ => {
            let which = dice.below(decade.repeating.len() as u64) as usize;
            decade.repeating[which].check(now);
            let old = decade.repeating[which].id;
            assert_eq!(cx.cancel(old), Ok(()));
            decade.stale.push(old);
            let period = (dice.below(12 * HOUR) + HOUR / 4) & !1;
            let first_at = dice.below(100 * HOUR) | 1;
            let id = cx.schedule(repeating(period, first_at, which)).expect("one has left");
            let first = now + first_at;
            decade.repeating[which] = Repeating { id, first, period, runs: 0, last: 0 };
            decade.replaced += 1;
        }
    }
}

fn repeating(period: u64, first_at: u64, which: usize) -> Task<Decade> {
    let priority = [Priority::Low, Priority::Normal, Priority::High][which % 3];
    Task::repeat(Duration::from_ticks(period), tick)
        .first_at(Duration::from_ticks(first_at))
        .priority(priority)
        .params(which)
}

#[test]
fn ten_years_of_odd_periods_one_shots_and_random_cancels_are_arithmetic() {
    let end = 10 * YEAR + 3 * 24 * HOUR;
    let clock = Virtual::new().until(Duration::from_ticks(end));
    let mut work = Work::<Decade, _, 64>::new(&clock);
    let mut decade = Decade {
        dice: Dice(0x9E37_79B9_7F4A_7C15),
        repeating: vec![],
        waiting: BTreeMap::new(),
        stale: vec![],
        one_shots: 0,
        fired: 0,
        cancelled: 0,
        replaced: 0,
        full: 0,
    };
    // Seconds, all prime but two; the last is longer than ten years.
    for (which, seconds) in
        [601, 3_607, 3_607, 7_919, 86_413, 90_001, 604_801, 2_629_800, 31_556_953, 320_000_003]
            .into_iter()
            .enumerate()
    {
        let (first, period) = (which as u64 * 1_000_000, seconds * 1_000_000);
        let id = work.schedule(repeating(period, first, which)).unwrap();
        decade.repeating.push(Repeating { id, first, period, runs: 0, last: 0 });
    }
    let first_meddling = Duration::from_ticks(1);
    work.schedule(Task::repeat(3_600.secs(), meddle).first_at(first_meddling)).unwrap();

    assert_eq!(work.start(&mut decade), Ended::ClockEnded);
    assert_eq!(micros(work.now()), end);
    for task in &decade.repeating {
        task.check(end);
        let next = work.status(task.id).unwrap().next_run.map(micros);
        assert_eq!(
            next,
            Some(task.first.max(task.last + if task.runs > 0 { task.period } else { 0 }))
        );
    }
    let never = decade.waiting.values().filter(|(_, due)| *due <= end).count();
    assert_eq!(never, 0, "due and not run");
    assert_eq!(decade.one_shots, decade.fired + decade.cancelled + decade.waiting.len());
    assert_eq!(work.task_count(), decade.repeating.len() + 1 + decade.waiting.len());
    // It was not a quiet decade.
    assert!(decade.fired > 10_000 && decade.cancelled > 10_000 && decade.replaced > 10_000);
    assert!(decade.full > 0, "the table was full at times");
}

#[test]
fn ten_years_undisturbed_are_counted_exactly() {
    struct Counter([(u64, u64); 4]);
    impl App for Counter {
        type Event = ();
        type Params = usize;
        type Outcome = ();
    }
    const PERIODS: [u64; 4] = [599_999_999, 3_600_000_001, 86_399_999_999, 777_777_777_777];
    let end = 10 * YEAR;
    let clock = Virtual::new().until(Duration::from_ticks(end));
    let mut work = Work::<Counter, _, 4>::new(&clock);
    for (which, period) in PERIODS.into_iter().enumerate() {
        let task = Task::repeat(Duration::from_ticks(period), |app: &mut Counter, cx| {
            let (runs, last) = &mut app.0[*cx.params()];
            *runs += 1;
            *last = micros(cx.now());
        });
        work.schedule(task.params(which)).unwrap();
    }
    let mut counter = Counter([(0, 0); 4]);
    assert_eq!(work.start(&mut counter), Ended::ClockEnded);
    for (period, (runs, last)) in PERIODS.into_iter().zip(counter.0) {
        assert_eq!((runs, last), (end / period + 1, end / period * period));
    }
}

#[test]
fn a_year_with_jobs_that_take_too_long_loses_no_deadline_uncounted() {
    const PERIODS: [u64; 3] = [7_000_003 * 60, 11_000_009 * 60, 13_000_027 * 60];

    /// For each task its runs, and the deadlines that it says it missed.
    struct Busy<'c> {
        clock: &'c Virtual<'c>,
        dice: Dice,
        runs: [u64; 3],
        missed: [u64; 3],
    }
    impl App for Busy<'_> {
        type Event = ();
        type Params = usize;
        type Outcome = ();
    }
    fn work_hard(busy: &mut Busy<'_>, cx: &mut Cx<'_, Busy<'_>>) {
        let which = *cx.params();
        busy.missed[which] += u64::from(cx.missed());
        let deadline = (busy.runs[which] + busy.missed[which]) * PERIODS[which];
        assert_eq!(micros(cx.scheduled_at()), deadline, "in phase, and every deadline counted");
        busy.runs[which] += 1;
        // Mostly quick; now and then it takes hours.
        let most = if busy.dice.below(20) == 0 { 2 * HOUR } else { HOUR / 60 };
        let time = busy.dice.below(most);
        busy.clock.advance(Duration::from_ticks(time));
    }

    let clock = Virtual::new().until(Duration::from_ticks(YEAR));
    let mut work = Work::<Busy<'_>, _, 3>::new(&clock);
    let policies = [Missed::Skip, Missed::Burst(3), Missed::Burst(200)];
    for (which, missed) in policies.into_iter().enumerate() {
        let period = Duration::from_ticks(PERIODS[which]);
        work.schedule(Task::repeat(period, work_hard).missed(missed).params(which)).unwrap();
    }
    let dice = Dice(0x2545_F491_4F6C_DD1D);
    let mut busy = Busy { clock: &clock, dice, runs: [0; 3], missed: [0; 3] };
    assert_eq!(work.start(&mut busy), Ended::ClockEnded);
    let now = micros(work.now());
    for (which, task) in work.tasks().enumerate() {
        let deadlines = busy.runs[which] + busy.missed[which] + u64::from(task.missed);
        assert_eq!(task.next_run.map(micros), Some(deadlines * PERIODS[which]));
        assert_eq!(deadlines, now / PERIODS[which] + 1, "all that were due");
    }
    assert!(busy.missed[0] > busy.missed[1] && busy.missed[1] > 0);
    assert_eq!(busy.missed[2], 0, "two hundred late runs are never owed");
}
