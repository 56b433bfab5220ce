//! The scheduler beside its rivals: a periodic expiry, arming and cancelling, one event to many.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{
    debug::{self, EXIT_SUCCESS},
    hprintln,
};
use ensue::{App, Cx, Duration, Inbox, Next, Task, Work};
use ensue_bench_qemu::{
    Counter, NOW, ROUNDS, Set, Signal, Tally, delays, instructions, known_loop, others, period,
    phase,
    rivals::{self, Async},
};
use heapless::{BinaryHeap, Vec, binary_heap::Min};
use panic_semihosting as _;

#[entry]
fn main() -> ! {
    let counter = Counter::new(cortex_m::Peripherals::take().unwrap().SYST);
    let rivals = Async::new();
    hprintln!("A loop of 2, 200, 20000 instructions, and its call:");
    for turns in [1, 100, 10_000] {
        hprintln!("{:8}", counter.instructions(|| known_loop(turns)));
    }
    hprintln!("\nOne periodic expiry with its dispatch and re-arming");
    hprintln!("{:36}{:>7}{:>7}{:>7}{:>7}{:>7}", "instructions, N =", 1, 8, 32, 128, 256);
    expiry::rows(&counter, &rivals);

    hprintln!("\nArm a one-shot and cancel it");
    hprintln!("{:36}{:>7}{:>7}{:>7}", "instructions, others armed =", 0, 32, 250);
    cancel::rows(&counter, &rivals);

    hprintln!("\nOne event, and the runs of all who listen");
    hprintln!("{:36}{:>7}{:>7}{:>7}", "instructions, listeners =", 1, 8, 32);
    event::rows(&counter, &rivals);

    hprintln!("\nRAM, bytes, params of four");
    memory();

    debug::exit(EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

/// The benchmark's app: four bytes of params, eight events.
struct Bench {
    tally: Tally,
}

impl App for Bench {
    type Event = Signal;
    type Params = u32;
    type Outcome = ();
}

fn note(bench: &mut Bench, _: &mut Cx<Bench>) {
    bench.tally.note();
}

static INBOX: Inbox<Signal, u32, 8> = Inbox::new();

/// A job as the rivals call it.
type Plain = fn(&mut Tally);

fn plain(tally: &mut Tally) {
    tally.note();
}

/// Entries of a heap are in the order of their deadlines.
macro_rules! by_deadline {
    ($entry:ty) => {
        impl PartialEq for $entry {
            fn eq(&self, other: &Self) -> bool {
                self.deadline == other.deadline
            }
        }
        impl Eq for $entry {}
        impl PartialOrd for $entry {
            fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $entry {
            fn cmp(&self, other: &Self) -> core::cmp::Ordering {
                self.deadline.cmp(&other.deadline)
            }
        }
    };
}

/// Periodic tasks. All rivals make the same activations, step by step of simulated time: count and
/// checksum must agree.
mod expiry {
    use super::*;

    const ACTIVATIONS: u64 = 20_000;
    /// They are counted in as many pieces, as SysTick is 24 bits wide.
    const PIECES: u64 = 50;

    pub fn rows(counter: &Counter, rivals: &Async) {
        let c = counter;
        let ours = [
            ensue::<1, false>(c),
            ensue::<8, false>(c),
            ensue::<32, false>(c),
            ensue::<128, false>(c),
            ensue::<256, false>(c),
        ];
        let reference = ours.map(|(_, tally)| tally);
        let row = |name, results: [(u64, Tally); 5]| {
            assert_eq!(results.map(|(_, tally)| tally), reference, "{name} did other work");
            let [a, b, c, d, e] = results.map(|(ticks, tally)| {
                let runs = u64::from(tally.runs);
                (instructions(ticks) + runs / 2) / runs
            });
            hprintln!("{:36}{:7}{:7}{:7}{:7}{:7}", name, a, b, c, d, e);
        };
        row("ensue", ours);
        row(
            "ensue, with an inbox",
            [
                ensue::<1, true>(c),
                ensue::<8, true>(c),
                ensue::<32, true>(c),
                ensue::<128, true>(c),
                ensue::<256, true>(c),
            ],
        );
        row("embassy, integrated queue", TASKS.map(|tasks| embassy(c, rivals, tasks)));
        row("rtic-time's queue, embassy's executor", TASKS.map(|tasks| rtic(c, rivals, tasks)));
        row(
            "bare heap of fn pointers",
            [heap::<1>(c), heap::<8>(c), heap::<32>(c), heap::<128>(c), heap::<256>(c)],
        );
        row(
            "table scan",
            [scan::<1>(c), scan::<8>(c), scan::<32>(c), scan::<128>(c), scan::<256>(c)],
        );
    }

    const TASKS: [usize; 5] = [1, 8, 32, 128, 256];

    fn embassy(counter: &Counter, rivals: &Async, tasks: usize) -> (u64, Tally) {
        rivals.end();
        rivals.embassy_periodic(tasks);
        let ticks = measure(counter, tasks, |end| rivals.embassy_run_until(end));
        (ticks, rivals::tally())
    }

    fn rtic(counter: &Counter, rivals: &Async, tasks: usize) -> (u64, Tally) {
        rivals.end();
        rivals.rtic_periodic(tasks);
        let ticks = measure(counter, tasks, |end| rivals.rtic_run_until(end));
        (ticks, rivals::tally())
    }

    /// Runs everything that is due up to the end of each piece, and adds up what it took.
    fn measure(counter: &Counter, tasks: usize, mut run_until: impl FnMut(u64)) -> u64 {
        let rate: u64 = (0..tasks).map(|task| (1 << 40) / u64::from(period(task))).sum();
        let piece = (ACTIVATIONS << 40) / rate / PIECES;
        NOW.set(0);
        (1..=PIECES).map(|number| counter.ticks(|| run_until(black_box(number * piece)))).sum()
    }

    #[inline(never)]
    fn ensue<const N: usize, const INBOXED: bool>(counter: &Counter) -> (u64, Tally) {
        NOW.set(0);
        let mut work = Work::<Bench, _, N, 0>::new(Set);
        if INBOXED {
            work = work.listen(&INBOX);
        }
        for task in 0..N {
            let (period, phase) = (period(task).into(), phase(task).into());
            let task = Task::repeat(Duration::from_ticks(period), black_box(note))
                .first_at(Duration::from_ticks(phase));
            work.schedule(task).unwrap();
        }
        let mut bench = Bench { tally: Tally::default() };
        let ticks = measure(counter, N, |end| {
            loop {
                match work.poll(&mut bench) {
                    Next::At(next) if next.as_ticks() > end => break,
                    Next::At(next) => NOW.set(next.as_ticks()),
                    Next::Now => {}
                    _ => break,
                }
            }
        });
        (ticks, bench.tally)
    }

    #[derive(Clone, Copy)]
    struct Entry {
        deadline: u64,
        period: u32,
        job: Plain,
    }

    impl Entry {
        fn of(task: usize) -> Self {
            Self { deadline: phase(task).into(), period: period(task), job: black_box(plain) }
        }
    }

    by_deadline!(Entry);

    /// No cancelling, no events, no order among equals.
    #[inline(never)]
    fn heap<const N: usize>(counter: &Counter) -> (u64, Tally) {
        let mut heap = BinaryHeap::<Entry, Min, N>::new();
        for task in 0..N {
            let _ = heap.push(Entry::of(task));
        }
        let mut tally = Tally::default();
        let ticks = measure(counter, N, |end| {
            while let Some(next) = heap.peek() {
                if next.deadline > NOW.get() {
                    if next.deadline > end {
                        break;
                    }
                    NOW.set(next.deadline);
                }
                let Some(mut entry) = heap.pop() else { break };
                (entry.job)(&mut tally);
                entry.deadline += u64::from(entry.period);
                let _ = heap.push(entry);
            }
        });
        (ticks, tally)
    }

    #[inline(never)]
    fn scan<const N: usize>(counter: &Counter) -> (u64, Tally) {
        let mut table: [Entry; N] = core::array::from_fn(Entry::of);
        let mut tally = Tally::default();
        let ticks = measure(counter, N, |end| {
            loop {
                let now = NOW.get();
                let mut next = u64::MAX;
                for entry in &mut table {
                    if entry.deadline <= now {
                        (entry.job)(&mut tally);
                        entry.deadline += u64::from(entry.period);
                    }
                    next = next.min(entry.deadline);
                }
                if next > end {
                    break;
                }
                NOW.set(next);
            }
        });
        (ticks, tally)
    }
}

/// A timeout that is set and does not happen: its deadline lies anywhere among the others'.
mod cancel {
    use super::*;

    pub fn rows(counter: &Counter, rivals: &Async) {
        let c = counter;
        let row = |name, [a, b, c]: [u64; 3]| hprintln!("{:36}{:7}{:7}{:7}", name, a, b, c);
        row("ensue", [ensue::<1>(c), ensue::<33>(c), ensue::<251>(c)]);
        row("embassy, which never removes it", OTHERS.map(|number| embassy(c, rivals, number)));
        row("rtic-time's queue", OTHERS.map(|number| rtic(c, rivals, number)));
        row("bare heap, rebuilt to cancel", [heap::<1>(c), heap::<33>(c), heap::<251>(c)]);
        row("table scan", [scan::<1>(c), scan::<33>(c), scan::<251>(c)]);
    }

    const OTHERS: [usize; 3] = [0, 32, 250];

    fn embassy(counter: &Counter, rivals: &Async, number: usize) -> u64 {
        rivals.end();
        per_round(rivals.embassy_cancel(*counter, others(number)))
    }

    fn rtic(counter: &Counter, rivals: &Async, number: usize) -> u64 {
        rivals.end();
        per_round(rivals.rtic_cancel(*counter, others(number)))
    }

    fn per_round(ticks: u64) -> u64 {
        instructions(ticks / u64::from(ROUNDS))
    }

    /// `N` is one more than the others.
    #[inline(never)]
    fn ensue<const N: usize>(counter: &Counter) -> u64 {
        NOW.set(0);
        let mut work = Work::<Bench, _, N, 0>::new(Set);
        for delay in others(N - 1) {
            work.at(Duration::from_ticks(delay.into()), note).unwrap();
        }
        let ticks = delays()
            .map(|delay| {
                let delay = Duration::from_ticks(delay.into());
                counter.ticks(|| {
                    let id = work.at(black_box(delay), black_box(note)).unwrap();
                    work.cancel(black_box(id)).unwrap();
                })
            })
            .sum();
        assert_eq!(work.task_count(), N - 1);
        per_round(ticks)
    }

    #[derive(Clone, Copy)]
    struct Entry {
        deadline: u64,
        id: u32,
        #[expect(dead_code, reason = "it is cancelled before it runs")]
        job: Plain,
    }

    by_deadline!(Entry);

    #[inline(never)]
    fn heap<const N: usize>(counter: &Counter) -> u64 {
        let mut heap = BinaryHeap::<Entry, Min, N>::new();
        for (id, delay) in (1..).zip(others(N - 1)) {
            let _ = heap.push(Entry { deadline: delay.into(), id, job: plain });
        }
        let ticks = delays()
            .map(|delay| {
                counter.ticks(|| {
                    let deadline = NOW.get() + u64::from(black_box(delay));
                    let _ = heap.push(Entry { deadline, id: 0, job: black_box(plain) });
                    let mut entries = core::mem::take(&mut heap).into_vec();
                    if let Some(place) = entries.iter().position(|entry| entry.id == black_box(0)) {
                        entries.swap_remove(place);
                    }
                    for entry in entries {
                        let _ = heap.push(entry);
                    }
                })
            })
            .sum();
        assert_eq!(heap.len(), N - 1);
        per_round(ticks)
    }

    #[inline(never)]
    fn scan<const N: usize>(counter: &Counter) -> u64 {
        let mut table: Vec<Option<Entry>, N> = Vec::new();
        for (id, delay) in (1..).zip(others(N - 1)) {
            let entry = Entry { deadline: delay.into(), id, job: plain };
            let _ = table.push(Some(entry));
        }
        let _ = table.push(None);
        let ticks = delays()
            .map(|delay| {
                counter.ticks(|| {
                    let deadline = NOW.get() + u64::from(black_box(delay));
                    let place = table.iter().position(Option::is_none).unwrap();
                    table[place] = Some(Entry { deadline, id: 0, job: black_box(plain) });
                    table[black_box(place)] = None;
                })
            })
            .sum();
        per_round(ticks)
    }
}

/// One cause, many effects.
mod event {
    use super::*;

    pub fn rows(counter: &Counter, rivals: &Async) {
        let c = counter;
        let row = |name, [a, b, c]: [u64; 3]| hprintln!("{:36}{:7}{:7}{:7}", name, a, b, c);
        row("ensue", [ensue::<1, false>(c), ensue::<8, false>(c), ensue::<32, false>(c)]);
        row(
            "ensue, from the inbox",
            [ensue::<1, true>(c), ensue::<8, true>(c), ensue::<32, true>(c)],
        );
        row("embassy-sync, a Signal each", LISTENERS.map(|number| signals(c, rivals, number)));
        row("embassy-sync, PubSubChannel", LISTENERS.map(|number| pubsub(c, rivals, number)));
        row("direct calls", [direct::<1>(c), direct::<8>(c), direct::<32>(c)]);
    }

    const LISTENERS: [usize; 3] = [1, 8, 32];

    fn signals(counter: &Counter, rivals: &Async, listeners: usize) -> u64 {
        rivals.end();
        rivals.signal_listeners(listeners);
        let ticks = (0..ROUNDS).map(|_| counter.ticks(|| rivals.signal_all(black_box(listeners))));
        per_round(ticks.sum(), rivals::tally(), listeners)
    }

    fn pubsub(counter: &Counter, rivals: &Async, listeners: usize) -> u64 {
        rivals.end();
        rivals.pubsub_listeners(listeners);
        let ticks = (0..ROUNDS).map(|_| counter.ticks(|| rivals.publish()));
        per_round(ticks.sum(), rivals::tally(), listeners)
    }

    fn per_round(ticks: u64, tally: Tally, listeners: usize) -> u64 {
        assert_eq!(tally.runs, ROUNDS * listeners as u32);
        instructions(ticks / u64::from(ROUNDS))
    }

    #[inline(never)]
    fn ensue<const N: usize, const INBOXED: bool>(counter: &Counter) -> u64 {
        let mut work = Work::<Bench, _, N, 0>::new(Set);
        if INBOXED {
            work = work.listen(&INBOX);
        }
        for _ in 0..N {
            work.schedule(Task::on(Signal::C, black_box(note)).again()).unwrap();
        }
        let mut bench = Bench { tally: Tally::default() };
        let ticks = (0..ROUNDS)
            .map(|_| {
                counter.ticks(|| {
                    if INBOXED {
                        INBOX.trigger_event(black_box(Signal::C));
                    } else {
                        work.trigger_event(black_box(Signal::C));
                    }
                    let _ = black_box(work.poll(&mut bench));
                })
            })
            .sum();
        per_round(ticks, bench.tally, N)
    }

    #[inline(never)]
    fn direct<const N: usize>(counter: &Counter) -> u64 {
        let jobs: [Plain; N] = core::array::from_fn(|_| black_box(plain as Plain));
        let mut tally = Tally::default();
        let ticks = (0..ROUNDS)
            .map(|_| {
                counter.ticks(|| {
                    for job in black_box(&jobs) {
                        job(&mut tally);
                    }
                })
            })
            .sum();
        per_round(ticks, tally, N)
    }
}

fn memory() {
    let work = |tasks: &[usize; 2], sizes: [usize; 2]| {
        let per_task = (sizes[1] - sizes[0]) / (tasks[1] - tasks[0]);
        (per_task, sizes[0] - per_task * tasks[0])
    };
    let plain =
        work(&[1, 9], [size_of::<Work<Bench, (), 1, 0>>(), size_of::<Work<Bench, (), 9, 0>>()]);
    let full = work(&[1, 9], [size_of::<Work<Bench, (), 1>>(), size_of::<Work<Bench, (), 9>>()]);
    hprintln!("a task without options              {:7}", plain.0);
    hprintln!("a task with a record of options     {:7}", full.0);
    hprintln!("besides, with eight events          {:7}", plain.1);
    hprintln!("an inbox, eight events, room for 8  {:7}", size_of::<Inbox<Signal, u32, 8>>());
}
