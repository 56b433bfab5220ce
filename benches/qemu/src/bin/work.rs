//! The scheduler beside its rivals: a periodic expiry, arming and cancelling, one event to many.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{
    debug::{self, EXIT_SUCCESS},
    hprintln,
};
use ensue::{App, Clock, Cx, Duration, Inbox, Instant, Next, Task, Work};
use ensue_bench_qemu::{Counter, NOW, Tally, instructions, known_loop, period, phase};
use heapless::{BinaryHeap, Vec, binary_heap::Min};
use panic_semihosting as _;

#[entry]
fn main() -> ! {
    let counter = Counter::new(cortex_m::Peripherals::take().unwrap().SYST);
    hprintln!("A loop of 2, 200, 20000 instructions, and its call:");
    for turns in [1, 100, 10_000] {
        hprintln!("{:8}", counter.instructions(|| known_loop(turns)));
    }
    hprintln!("\nOne periodic expiry with its dispatch and re-arming");
    hprintln!("{:36}{:>7}{:>7}{:>7}{:>7}{:>7}", "instructions, N =", 1, 8, 32, 128, 256);
    let reference = expiry::row(&counter, "ensue", None, &expiry::ENSUE);
    expiry::row(&counter, "ensue, with an inbox", Some(reference), &expiry::ENSUE_INBOX);
    expiry::row(&counter, "bare heap of fn pointers", Some(reference), &expiry::HEAP);
    expiry::row(&counter, "table scan", Some(reference), &expiry::SCAN);

    hprintln!("\nArm a one-shot and cancel it");
    hprintln!("{:36}{:>7}{:>7}{:>7}", "instructions, others armed =", 0, 32, 250);
    cancel::rows(&counter);

    hprintln!("\nOne event, and the runs of all who listen");
    hprintln!("{:36}{:>7}{:>7}{:>7}", "instructions, listeners =", 1, 8, 32);
    event::rows(&counter);

    hprintln!("\nRAM, bytes, params of four");
    memory();

    debug::exit(EXIT_SUCCESS);
    loop {}
}

/// The benchmark's app: four bytes of params, eight events.
struct Bench {
    tally: Tally,
}

ensue::events! { pub enum Signal { A, B, C, D, E, F, G, H } }

impl App for Bench {
    type Event = Signal;
    type Params = u32;
    type Outcome = ();
}

/// The time that the benchmark sets.
struct Set;

impl Clock for Set {
    fn now(&self) -> Instant {
        Instant::from_ticks(NOW.get())
    }
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

    pub type Rival = fn(&Counter) -> (u64, Tally);
    pub const ENSUE: [Rival; 5] = [
        ensue::<1, false>,
        ensue::<8, false>,
        ensue::<32, false>,
        ensue::<128, false>,
        ensue::<256, false>,
    ];
    pub const ENSUE_INBOX: [Rival; 5] = [
        ensue::<1, true>,
        ensue::<8, true>,
        ensue::<32, true>,
        ensue::<128, true>,
        ensue::<256, true>,
    ];
    pub const HEAP: [Rival; 5] = [heap::<1>, heap::<8>, heap::<32>, heap::<128>, heap::<256>];
    pub const SCAN: [Rival; 5] = [scan::<1>, scan::<8>, scan::<32>, scan::<128>, scan::<256>];

    pub fn row(
        counter: &Counter,
        name: &str,
        reference: Option<[Tally; 5]>,
        rivals: &[Rival; 5],
    ) -> [Tally; 5] {
        let results = rivals.map(|rival| rival(counter));
        let tallies = results.map(|(_, tally)| tally);
        if let Some(reference) = reference {
            assert_eq!(tallies, reference, "{name} did other work");
        }
        let [a, b, c, d, e] = results
            .map(|(ticks, tally)| (instructions(ticks * 10 / u64::from(tally.runs)) + 5) / 10);
        hprintln!("{:36}{:7}{:7}{:7}{:7}{:7}", name, a, b, c, d, e);
        tallies
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

    const ROUNDS: u32 = 500;

    pub fn rows(counter: &Counter) {
        let row = |name, rivals: [fn(&Counter) -> u64; 3]| {
            let [a, b, c] = rivals.map(|rival| rival(counter));
            hprintln!("{:36}{:7}{:7}{:7}", name, a, b, c);
        };
        row("ensue", [ensue::<1>, ensue::<33>, ensue::<251>]);
        row("bare heap, rebuilt to cancel", [heap::<1>, heap::<33>, heap::<251>]);
        row("table scan", [scan::<1>, scan::<33>, scan::<251>]);
    }

    /// The same delays for everyone, in no order.
    fn delays() -> impl Iterator<Item = u32> {
        (0..ROUNDS).map(|round| 10_000 + round.wrapping_mul(7_919) % 100_000)
    }

    /// Deadlines of the others, in no order either.
    fn other(number: usize) -> u32 {
        10_000 + (number as u32).wrapping_mul(48_271) % 100_000
    }

    fn per_round(ticks: u64) -> u64 {
        instructions(ticks / u64::from(ROUNDS))
    }

    /// `N` is one more than the others.
    #[inline(never)]
    fn ensue<const N: usize>(counter: &Counter) -> u64 {
        NOW.set(0);
        let mut work = Work::<Bench, _, N, 0>::new(Set);
        for number in 1..N {
            work.at(Duration::from_ticks(other(number).into()), note).unwrap();
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
        for number in 1..N {
            let _ =
                heap.push(Entry { deadline: other(number).into(), id: number as u32, job: plain });
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
        for number in 1..N {
            let entry = Entry { deadline: other(number).into(), id: number as u32, job: plain };
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

    const ROUNDS: u32 = 100;

    pub fn rows(counter: &Counter) {
        let row = |name, rivals: [fn(&Counter) -> u64; 3]| {
            let [a, b, c] = rivals.map(|rival| rival(counter));
            hprintln!("{:36}{:7}{:7}{:7}", name, a, b, c);
        };
        row("ensue", [ensue::<1, false>, ensue::<8, false>, ensue::<32, false>]);
        row("ensue, from the inbox", [ensue::<1, true>, ensue::<8, true>, ensue::<32, true>]);
        row("direct calls", [direct::<1>, direct::<8>, direct::<32>]);
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
