//! The ring against its rivals on a host: `cargo bench --bench ring`.
//!
//! What it prints are **ratios**, ours to the rival's, taken within one run. In each round every
//! contender does the same work, in an order that rotates from round to round, and ours is divided by
//! the rival's of the same round; printed is the median of the rounds, so that a machine that slows
//! down for a while slows all of them. Below 1 we are faster. All must come to the same checksum.
//! The buffer that is copied to moves from round to round, since how fast a copy is depends on where
//! it goes, in relation to where it comes from.
//!
//! The rivals are in `rivals.rs`, which `benches/qemu` runs too; the ones that need a heap are here.
//! bbqueue has its atomics, which are faster here than critical sections.

mod rivals;

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;

use bbqueue::traits::coordination::cas::AtomicCoord;
use rivals::{ByteDeque, Copies, Ensue, Fifo, Ringbuf, Slots, Spsc, Turn, payload, seen};

type Bbqueue = rivals::Bbqueue<AtomicCoord>;

const PER_ROUND: u16 = 1000;
const PAGE: usize = 4096;

fn main() {
    // `cargo test --benches` runs this as well, without the flag: a round to see that all agree.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { 101 } else { 1 };
    println!("ensue's time / the rival's, median of {rounds} rounds; below 1 ensue is faster\n");
    for (name, work) in [
        ("put and get, copied in and out", Work::Copied),
        ("put and get, read in place", Work::InPlace),
        ("peek", Work::Peeked),
    ] {
        head(
            name,
            &[
                "bbqueue",
                "heapless spsc",
                "heapless Deque",
                "VecDeque<Vec>",
                "ringbuf",
                "copies alone",
            ],
        );
        row(rounds, "4 bytes", fifos::<4>(work));
        row(rounds, "32 bytes", fifos::<32>(work));
        row(rounds, "128 bytes", fifos::<128>(work));
        row(rounds, "1024 bytes", fifos::<1024>(work));
    }
    let name = "pull one of 64 by id, put it back last";
    head(name, &["VecDeque<Vec>", "heapless Vec", "bbqueue turned", "ringbuf turned"]);
    row(rounds, "32 bytes", pulls());
    println!("\n{NOTES}");
}

/// Why some are ahead.
const NOTES: &str = "\
\"copies alone\" is no queue: one place, two calls of `memcpy`.
heapless spsc moves arrays of one length, known when it is compiled: it keeps no lengths, nothing
wraps, and short copies need no call. heapless Vec has slots of one length, VecDeque entries of one length
with their bytes on the heap: where the next one begins is known before this one has been read, so
a processor that runs ahead looks at several at once. In the ring each header says where the next is.";

/// Runs [`PER_ROUND`] operations, in the round with this number, and returns their checksum.
type Contender = Box<dyn FnMut(usize) -> u32>;

fn head(name: &str, rivals: &[&str]) {
    print!("{name:<40}{:>10}", "ensue");
    for rival in rivals {
        print!("{rival:>16}");
    }
    println!();
}

/// Ours first.
fn row(rounds: usize, name: &str, mut contenders: Vec<Contender>) {
    let count = contenders.len();
    let mut times = vec![Vec::new(); count];
    for round in 0..rounds {
        let mut checksums = vec![0; count];
        for turn in 0..count {
            let at = (round + turn) % count;
            let begin = Instant::now();
            checksums[at] = contenders[at](round);
            times[at].push(begin.elapsed().as_nanos() as f64);
        }
        assert!(checksums.iter().all(|sum| *sum == checksums[0]), "{name}: {checksums:?}");
    }
    let ours = median(times[0].clone()) / f64::from(PER_ROUND);
    print!("  {name:<38}{ours:>7.1} ns");
    for rival in &times[1..] {
        print!("{:>16.2}", median(times[0].iter().zip(rival).map(|(a, b)| a / b).collect()));
    }
    println!();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[derive(Clone, Copy)]
enum Work {
    Copied,
    InPlace,
    Peeked,
}

/// [`PER_ROUND`] operations and their checksum.
fn run<F: Fifo<N>, const N: usize>(
    work: Work,
    queue: &mut F,
    payload: &[u8; N],
    round: usize,
) -> u32 {
    let mut anywhere = [0; 2 * PAGE];
    let out = &mut anywhere[round * 200 % PAGE..][..N];
    let ids = 1..=PER_ROUND;
    match work {
        Work::Copied => ids
            .map(|id| {
                queue.put(black_box(id), black_box(&payload[..]));
                let (id, len) = queue.get(black_box(out));
                seen(id, &out[..len])
            })
            .sum(),
        Work::InPlace => ids
            .map(|id| {
                queue.put(black_box(id), black_box(&payload[..]));
                queue.get_in_place()
            })
            .sum(),
        Work::Peeked => ids.map(|_| black_box(&mut *queue).peek()).sum(),
    }
}

fn fifos<const N: usize>(work: Work) -> Vec<Contender> {
    fn contender<F: Fifo<N> + 'static, const N: usize>(work: Work) -> Contender {
        let mut queue = with_one::<F, N>();
        Box::new(move |round| run(work, &mut queue, &payload(), round))
    }
    vec![
        contender::<Ensue, N>(work),
        contender::<Bbqueue, N>(work),
        contender::<Spsc<N>, N>(work),
        contender::<ByteDeque, N>(work),
        contender::<Heap, N>(work),
        contender::<Ringbuf, N>(work),
        contender::<Copies<N>, N>(work),
    ]
}

/// A queue in which one more message always waits.
fn with_one<F: Fifo<N>, const N: usize>() -> F {
    let mut queue = F::new();
    queue.put(PER_ROUND, &payload::<N>());
    queue
}

fn pulls() -> Vec<Contender> {
    fn contender<T: Turn + 'static>() -> Contender {
        let mut queue = T::new();
        for id in 1..=64 {
            queue.push(id, &[id as u8; 32]);
        }
        let mut random = 12_345;
        Box::new(move |_| pull_round(&mut queue, &mut random))
    }
    vec![
        contender::<Ensue>(),
        contender::<Heap>(),
        contender::<Slots>(),
        contender::<Bbqueue>(),
        contender::<Ringbuf>(),
    ]
}

fn pull_round<T: Turn>(queue: &mut T, random: &mut u32) -> u32 {
    let mut sum = 0;
    for _ in 0..PER_ROUND {
        *random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let id = black_box((*random >> 16) as u16 % 64 + 1);
        let payload = queue.pull(id);
        sum += seen(id, &payload);
        queue.push(id, &payload);
    }
    // The order is part of the work, so it is part of the checksum.
    for place in 1..=64 {
        let (id, payload) = queue.pop();
        sum += place * u32::from(id);
        queue.push(id, &payload);
    }
    sum
}

/// What one writes where there is a heap.
struct Heap(VecDeque<(u16, Vec<u8>)>);

impl<const N: usize> Fifo<N> for Heap {
    fn new() -> Self {
        Self(VecDeque::with_capacity(4))
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        self.0.push_back((id, payload.to_vec()));
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        let (id, payload) = self.0.pop_front().unwrap();
        out[..payload.len()].copy_from_slice(&payload);
        (id, payload.len())
    }

    fn get_in_place(&mut self) -> u32 {
        let (id, payload) = self.0.pop_front().unwrap();
        seen(id, &payload)
    }

    fn peek(&mut self) -> u32 {
        let (id, payload) = self.0.front().unwrap();
        seen(*id, payload)
    }
}

impl Turn for Heap {
    fn new() -> Self {
        Self(VecDeque::with_capacity(64))
    }

    fn push(&mut self, id: u16, payload: &[u8; 32]) {
        self.0.push_back((id, payload.to_vec()));
    }

    fn pull(&mut self, id: u16) -> [u8; 32] {
        let at = self.0.iter().position(|message| message.0 == id).unwrap();
        self.0.remove(at).unwrap().1.try_into().unwrap()
    }

    fn pop(&mut self) -> (u16, [u8; 32]) {
        let (id, payload) = self.0.pop_front().unwrap();
        (id, payload.try_into().unwrap())
    }
}
