//! The scheduler on the host, beside what one would write by hand: `cargo bench --bench work`.
//!
//! Times on a computer vary, ratios within a round hardly do. So every round times all rivals, in an
//! order that rotates, and what is printed is the median over the rounds of *ours divided by
//! theirs*: below 1 we are faster. All do the same work; counts and checksums are compared.

use std::{
    cell::Cell,
    cmp::Reverse,
    collections::BinaryHeap,
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time,
};

use embassy_sync::{
    blocking_mutex::raw::CriticalSectionRawMutex,
    pubsub::{PubSubBehavior, PubSubChannel},
    signal::Signal,
};
use ensue::{App, Clock, Cx, Duration, Instant, Next, Task, Work};

fn main() {
    // Cargo says `--bench` when it benchmarks; as a test, one short round shows that it works.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { 41 } else { 1 };

    println!("One periodic expiry with its dispatch and re-arming");
    expiry::<1>(rounds);
    expiry::<8>(rounds);
    expiry::<32>(rounds);
    expiry::<128>(rounds);
    expiry::<256>(rounds);

    println!("\nArm a one-shot and cancel it, among others that are armed");
    cancel::<1>(rounds);
    cancel::<33>(rounds);
    cancel::<251>(rounds);

    println!("\nOne event, and the runs of all who listen");
    event::<1>(rounds);
    event::<8>(rounds);
    event::<32>(rounds);
    event::<128>(rounds);
}

/// A rival: what it is called, and a batch of its work. The batch takes the number of the round and
/// returns what it has done.
struct Rival<'a> {
    name: &'static str,
    batch: Box<dyn FnMut(u64) -> Tally + 'a>,
}

fn rival<'a>(name: &'static str, batch: impl FnMut(u64) -> Tally + 'a) -> Rival<'a> {
    Rival { name, batch: Box::new(batch) }
}

/// Times the rivals, the first of which is ours, and prints the ratios.
fn contest(what: &str, operations: u64, rounds: u64, mut rivals: Vec<Rival<'_>>) {
    let count = rivals.len();
    let mut nanos = vec![Vec::new(); count];
    for round in 0..=rounds {
        let mut tallies = vec![None; count];
        for place in 0..count {
            let turn = (place + round as usize) % count;
            let start = time::Instant::now();
            let tally = (rivals[turn].batch)(black_box(round));
            let taken = start.elapsed().as_nanos() as f64;
            tallies[turn] = Some(tally);
            // The first round warms up.
            if round > 0 {
                nanos[turn].push(taken);
            }
        }
        for (rival, tally) in rivals.iter().zip(&tallies) {
            assert_eq!(*tally, tallies[0], "{} did other work", rival.name);
        }
    }
    let ours = median(nanos[0].clone()) / operations as f64;
    print!("{what:>14}  ensue {ours:7.1} ns");
    for (rival, theirs) in rivals.iter().zip(&nanos).skip(1) {
        let ratios = nanos[0].iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        print!("   / {} {:.2}", rival.name, median(ratios));
    }
    println!();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What every job does, whoever calls it: counts, and folds a number into a checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Tally {
    runs: u64,
    sum: u64,
}

impl Tally {
    fn note(&mut self, number: u64) {
        self.runs += 1;
        self.sum = self.sum.rotate_left(5) ^ number;
    }
}

/// The time that all rivals read.
#[derive(Default)]
struct Time(Cell<u64>);

impl Clock for Time {
    fn now(&self) -> Instant {
        Instant::from_ticks(self.0.get())
    }
}

ensue::events! { enum Signals { A, B, C, D } }

struct Bench<'a> {
    time: &'a Time,
    tally: Tally,
}

impl App for Bench<'_> {
    type Event = Signals;
    type Params = u32;
    type Outcome = ();
}

fn note<'a>(bench: &mut Bench<'a>, _: &mut Cx<Bench<'a>>) {
    bench.tally.note(bench.time.0.get());
}

/// A job as it is by hand.
type Plain = fn(&Time, &mut Tally);

fn plain(time: &Time, tally: &mut Tally) {
    tally.note(time.0.get());
}

// ---- One periodic expiry -----------------------------------------------------------------------

/// Odd periods, no two of which are equal.
fn period(task: usize) -> u64 {
    1_001 + 74 * task as u64
}

fn phase(task: usize) -> u64 {
    1_000 + 137 * task as u64
}

#[derive(Clone, Copy)]
struct Entry {
    deadline: u64,
    /// Makes equal deadlines first in, first out, as they are with us.
    sequence: u64,
    period: u64,
    job: Plain,
}

impl Entry {
    fn of(task: usize) -> Self {
        let sequence = task as u64;
        Self { deadline: phase(task), sequence, period: period(task), job: black_box(plain) }
    }

    fn key(&self) -> (u64, u64) {
        (self.deadline, self.sequence)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

fn expiry<const N: usize>(rounds: u64) {
    const ACTIVATIONS: f64 = 20_000.0;
    let rate: f64 = (0..N).map(|task| 1.0 / period(task) as f64).sum();
    let span = (ACTIVATIONS / rate) as u64;

    let our_time = Time::default();
    let mut bench = Bench { time: &our_time, tally: Tally::default() };
    let mut work = Work::<Bench<'_>, _, N, 0>::new(&our_time);
    for task in 0..N {
        let task = Task::repeat(Duration::from_ticks(period(task)), black_box(note))
            .first_at(Duration::from_ticks(phase(task)));
        work.schedule(task).unwrap();
    }
    let ours = move |round| {
        loop {
            match work.poll(&mut bench) {
                Next::At(next) if next.as_ticks() > (round + 1) * span => return bench.tally,
                Next::At(next) => bench.time.0.set(next.as_ticks()),
                Next::Now => {}
                Next::Event | Next::Ended(_) => panic!("the tasks repeat for ever"),
            }
        }
    };

    let mut heap: BinaryHeap<_> = (0..N).map(|task| Reverse(Entry::of(task))).collect();
    let (time, mut tally, mut sequence) = (Time::default(), Tally::default(), N as u64);
    let by_heap = move |round| {
        while let Some(&Reverse(next)) = heap.peek() {
            if next.deadline > time.0.get() {
                if next.deadline > (round + 1) * span {
                    break;
                }
                time.0.set(next.deadline);
            }
            let Some(Reverse(mut entry)) = heap.pop() else { break };
            (entry.job)(&time, &mut tally);
            entry.deadline += entry.period;
            entry.sequence = sequence;
            sequence += 1;
            heap.push(Reverse(entry));
        }
        tally
    };

    let mut table: [Entry; N] = std::array::from_fn(Entry::of);
    let (time, mut tally) = (Time::default(), Tally::default());
    let by_scan = move |round| {
        loop {
            let now = time.0.get();
            let mut next = u64::MAX;
            for entry in &mut table {
                if entry.deadline <= now {
                    (entry.job)(&time, &mut tally);
                    entry.deadline += entry.period;
                }
                next = next.min(entry.deadline);
            }
            if next > (round + 1) * span {
                return tally;
            }
            time.0.set(next);
        }
    };

    let rivals =
        vec![rival("ensue", ours), rival("std BinaryHeap", by_heap), rival("table scan", by_scan)];
    contest(&format!("{N} tasks"), ACTIVATIONS as u64, rounds, rivals);
}

// ---- Arm and cancel ----------------------------------------------------------------------------

/// A delay between those of the others, in no order.
fn delay(number: u64) -> u64 {
    10_000 + number * 7_919 % 100_000
}

/// `N` is one more than the others.
fn cancel<const N: usize>(rounds: u64) {
    const TIMES: u64 = 1_000;
    let others = || (1..N as u64).map(|number| 10_000 + number * 48_271 % 100_000);

    let time = Time::default();
    let mut work = Work::<Bench<'_>, _, N, 0>::new(&time);
    for delay in others() {
        work.at(Duration::from_ticks(delay), note).unwrap();
    }
    let mut tally = Tally::default();
    let ours = move |round| {
        for number in 0..TIMES {
            let delay = Duration::from_ticks(delay(round + number));
            let id = work.at(black_box(delay), black_box(note)).unwrap();
            work.cancel(black_box(id)).unwrap();
            tally.note(work.task_count() as u64);
        }
        tally
    };

    let entry =
        |delay, sequence| Reverse(Entry { deadline: delay, sequence, period: 0, job: plain });
    let mut heap: BinaryHeap<_> = others().map(|delay| entry(delay, 0)).collect();
    let mut tally = Tally::default();
    let by_heap = move |round| {
        for number in 0..TIMES {
            heap.push(entry(black_box(delay(round + number)), 1));
            let id = black_box(1);
            heap.retain(|entry| entry.0.sequence != id);
            tally.note(heap.len() as u64);
        }
        tally
    };

    let mut table: [Option<Entry>; N] = [None; N];
    for (place, delay) in table.iter_mut().zip(others()) {
        *place = Some(entry(delay, 0).0);
    }
    let mut tally = Tally::default();
    let by_scan = move |round| {
        for number in 0..TIMES {
            let new = entry(black_box(delay(round + number)), 1).0;
            let place = table.iter().position(Option::is_none).unwrap();
            table[place] = Some(new);
            black_box(&mut table)[black_box(place)] = None;
            tally.note(N as u64 - 1);
        }
        tally
    };

    let rivals = vec![
        rival("ensue", ours),
        rival("std BinaryHeap with retain", by_heap),
        rival("table scan", by_scan),
    ];
    contest(&format!("{} others", N - 1), TIMES, rounds, rivals);
}

// ---- One event to many -------------------------------------------------------------------------

fn event<const N: usize>(rounds: u64) {
    const TIMES: u64 = 500;

    let time = Time::default();
    let mut bench = Bench { time: &time, tally: Tally::default() };
    let mut work = Work::<Bench<'_>, _, N, 0>::new(&time);
    for _ in 0..N {
        work.schedule(Task::on(Signals::C, black_box(note)).again()).unwrap();
    }
    let ours = move |_| {
        for _ in 0..TIMES {
            work.trigger_event(black_box(Signals::C));
            let _ = black_box(work.poll(&mut bench));
        }
        bench.tally
    };

    // Embassy's listeners are polled by hand, each time after the trigger: no executor finds out
    // first who was woken, and nothing is queued.
    let mut context = Context::from_waker(Waker::noop());
    let signals: [Signal<CriticalSectionRawMutex, ()>; N] = [const { Signal::new() }; N];
    let (time, tally) = (Time::default(), Cell::new(Tally::default()));
    let heard = || {
        let mut sum = tally.get();
        sum.note(time.0.get());
        tally.set(sum);
    };
    let mut listeners: Vec<Pin<Box<dyn Future<Output = ()>>>> = signals
        .iter()
        .map(|signal| {
            let listener = async || {
                // For ever, which the compiler must not know: it returns nothing, not never.
                while black_box(true) {
                    signal.wait().await;
                    heard();
                }
            };
            Box::pin(listener()) as Pin<Box<dyn Future<Output = ()>>>
        })
        .collect();
    let by_signals = |_| {
        for _ in 0..TIMES {
            for signal in &signals {
                signal.signal(());
            }
            for listener in &mut listeners {
                assert_eq!(listener.as_mut().poll(&mut context), Poll::Pending);
            }
        }
        tally.get()
    };

    let channel = PubSubChannel::<CriticalSectionRawMutex, (), 4, N, 1>::new();
    let mut subscribers: [_; N] = std::array::from_fn(|_| channel.subscriber().unwrap());
    let (time, mut pubsub_tally) = (Time::default(), Tally::default());
    let by_pubsub = |_| {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..TIMES {
            channel.publish_immediate(());
            for subscriber in &mut subscribers {
                let message = pin!(subscriber.next_message_pure());
                assert_eq!(message.poll(&mut context), Poll::Ready(()));
                pubsub_tally.note(time.0.get());
            }
        }
        pubsub_tally
    };

    let jobs = [black_box(plain as Plain); N];
    let (time, mut direct_tally) = (Time::default(), Tally::default());
    let by_calls = move |_| {
        for _ in 0..TIMES {
            for job in black_box(&jobs) {
                job(&time, &mut direct_tally);
            }
        }
        direct_tally
    };

    let rivals = vec![
        rival("ensue", ours),
        rival("embassy Signals", by_signals),
        rival("embassy PubSub", by_pubsub),
        rival("direct calls", by_calls),
    ];
    contest(&format!("{N} listeners"), TIMES, rounds, rivals);
}
