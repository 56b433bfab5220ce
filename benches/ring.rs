//! The ring against its rivals on a host: `cargo bench --bench ring`.
//!
//! Two tables. The first is the one to trust: **ratios**, ours to the rival's, taken within one run.
//! In each round every contender does the same work, in an order that rotates from round to round,
//! and ours is divided by the rival's of the same round; printed is the median of the rounds, so that
//! a machine that slows down for a while slows all of them. Below 1 we are faster. All must come to
//! the same checksum. The second are divan's times, for orders of magnitude.
//!
//! Rivals get the form that suits them best: `heapless::spsc` holds arrays of just the right length
//! and needs no header, bbqueue has its atomics, faster here than critical sections; the byte queues
//! get an id and a length in front of each message, as ours has.

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;

use bbqueue::nicknames::Churrasco;
use bbqueue::prod_cons::framed::FramedGrantR;
use ensue::Ring;
use ringbuf::LocalRb;
use ringbuf::storage::Array;

const BYTES: usize = 4096;
const PER_ROUND: u16 = 1000;

fn main() {
    // `cargo test --benches` runs this as well, without the flag: a round to see that all agree.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { 101 } else { 1 };
    println!("ensue's time / the rival's, median of {rounds} rounds; below 1 ensue is faster\n");
    for (name, work) in [
        ("put and get, copied in and out", Work::Copied),
        ("put and get, read in place", Work::InPlace),
        ("peek", Work::Peeked),
    ] {
        head(name, &["bbqueue", "heapless spsc", "heapless Deque", "VecDeque<Vec>", "ringbuf"]);
        row(rounds, "4 bytes", fifos::<4>(work));
        row(rounds, "32 bytes", fifos::<32>(work));
        row(rounds, "128 bytes", fifos::<128>(work));
        row(rounds, "1024 bytes", fifos::<1024>(work));
    }
    let name = "pull one of 64 by id, put it back last";
    head(name, &["VecDeque<Vec>", "heapless Vec", "bbqueue turned", "ringbuf turned"]);
    row(rounds, "32 bytes", pulls());
    divan::main();
}

/// Runs [`PER_ROUND`] operations and returns their checksum.
type Contender = Box<dyn FnMut() -> u64>;

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
            checksums[at] = contenders[at]();
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

/// A queue of messages with an id and at most `N` bytes.
trait Fifo<const N: usize> {
    fn new() -> Self;
    fn put(&mut self, id: u16, payload: &[u8]);
    /// Takes the oldest; copies it to the front of `out`.
    fn get(&mut self, out: &mut [u8]) -> (u16, usize);
    /// Takes the oldest; looks at it where it is.
    fn get_in_place(&mut self) -> u64;
    /// Looks at the oldest and leaves it.
    fn peek(&mut self) -> u64;
}

#[derive(Clone, Copy)]
enum Work {
    Copied,
    InPlace,
    Peeked,
}

/// [`PER_ROUND`] operations and their checksum.
fn run<F: Fifo<N>, const N: usize>(work: Work, queue: &mut F, payload: &[u8; N]) -> u64 {
    let mut out = [0; N];
    let ids = 1..=PER_ROUND;
    match work {
        Work::Copied => ids
            .map(|id| {
                queue.put(black_box(id), black_box(payload));
                let (id, len) = queue.get(black_box(&mut out));
                seen(id, &out[..len])
            })
            .sum(),
        Work::InPlace => ids
            .map(|id| {
                queue.put(black_box(id), black_box(payload));
                queue.get_in_place()
            })
            .sum(),
        Work::Peeked => ids.map(|_| black_box(&mut *queue).peek()).sum(),
    }
}

/// What is looked at in a message: its id, its length, its ends.
fn seen(id: u16, payload: &[u8]) -> u64 {
    let ends = [payload[0], payload[payload.len() - 1]];
    u64::from(id) + payload.len() as u64 + u64::from(ends[0]) + u64::from(ends[1])
}

fn fifos<const N: usize>(work: Work) -> Vec<Contender> {
    fn contender<F: Fifo<N> + 'static, const N: usize>(work: Work) -> Contender {
        let mut queue = with_one::<F, N>();
        Box::new(move || run(work, &mut queue, &payload()))
    }
    vec![
        contender::<Ensue, N>(work),
        contender::<Bbqueue, N>(work),
        contender::<Spsc<N>, N>(work),
        contender::<ByteDeque, N>(work),
        contender::<Heap, N>(work),
        contender::<Ringbuf, N>(work),
    ]
}

/// A queue in which one more message always waits.
fn with_one<F: Fifo<N>, const N: usize>() -> F {
    let mut queue = F::new();
    queue.put(PER_ROUND, &payload::<N>());
    queue
}

fn payload<const N: usize>() -> [u8; N] {
    std::array::from_fn(|at| (at as u8).wrapping_add(1))
}

struct Ensue(Box<Ring<[u8; BYTES]>>);

impl<const N: usize> Fifo<N> for Ensue {
    fn new() -> Self {
        Self(Box::new(Ring::new()))
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        self.0.put(id, payload).unwrap();
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        let message = self.0.get().unwrap();
        message.copy_to(out).unwrap();
        (message.id(), message.len())
    }

    fn get_in_place(&mut self) -> u64 {
        let message = self.0.get().unwrap();
        let (first, second) = message.as_slices();
        ends(message.id(), first, second)
    }

    fn peek(&mut self) -> u64 {
        let message = self.0.peek().unwrap();
        let (first, second) = message.as_slices();
        ends(message.id(), first, second)
    }
}

/// [`seen`] for a payload in two pieces, the second of which may be empty.
fn ends(id: u16, first: &[u8], second: &[u8]) -> u64 {
    let len = first.len() + second.len();
    let last = second.last().unwrap_or(&first[first.len() - 1]);
    u64::from(id) + len as u64 + u64::from(first[0]) + u64::from(*last)
}

/// Frames of an id and a payload, in one piece each.
struct Bbqueue(Box<Churrasco<BYTES>>);

impl Bbqueue {
    fn write(&self, id: u16, payload: &[u8]) {
        let len = 2 + payload.len() as u16;
        let mut grant = self.0.framed_producer().grant(len).unwrap();
        let (header, body) = grant.split_at_mut(2);
        header.copy_from_slice(&id.to_be_bytes());
        body[..payload.len()].copy_from_slice(payload);
        grant.commit(len);
    }

    fn read(&self) -> FramedGrantR<&Churrasco<BYTES>, u16> {
        self.0.framed_consumer().read().unwrap()
    }
}

fn frame(frame: &[u8]) -> (u16, &[u8]) {
    let (id, payload) = frame.split_first_chunk().unwrap();
    (u16::from_be_bytes(*id), payload)
}

impl<const N: usize> Fifo<N> for Bbqueue {
    fn new() -> Self {
        Self(Box::new(Churrasco::new()))
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        self.write(id, payload);
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        let grant = self.read();
        let (id, payload) = frame(&grant);
        let len = payload.len();
        out[..len].copy_from_slice(payload);
        grant.release();
        (id, len)
    }

    fn get_in_place(&mut self) -> u64 {
        let grant = self.read();
        let (id, payload) = frame(&grant);
        let sum = seen(id, payload);
        grant.release();
        sum
    }

    fn peek(&mut self) -> u64 {
        // Not released: it stays where it is.
        let grant = self.read();
        let (id, payload) = frame(&grant);
        seen(id, payload)
    }
}

/// Arrays of one length, moved as wholes.
struct Spsc<const N: usize>(Box<heapless::spsc::Queue<(u16, [u8; N]), 4>>);

impl<const N: usize> Fifo<N> for Spsc<N> {
    fn new() -> Self {
        Self(Box::new(heapless::spsc::Queue::new()))
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        self.0.enqueue((id, payload.try_into().unwrap())).unwrap();
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        let (id, payload) = self.0.dequeue().unwrap();
        out[..N].copy_from_slice(&payload);
        (id, N)
    }

    fn get_in_place(&mut self) -> u64 {
        let (id, payload) = self.0.peek().unwrap();
        let sum = seen(*id, payload);
        self.0.dequeue();
        sum
    }

    fn peek(&mut self) -> u64 {
        let (id, payload) = self.0.peek().unwrap();
        seen(*id, payload)
    }
}

/// Byte by byte, header first.
struct ByteDeque(Box<heapless::Deque<u8, BYTES>>);

impl ByteDeque {
    fn at(&self, at: usize) -> u8 {
        *self.0.get(at).unwrap()
    }

    fn header(&self) -> (u16, usize) {
        let [a, b, c, d] = std::array::from_fn(|at| self.at(at));
        (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])))
    }
}

impl<const N: usize> Fifo<N> for ByteDeque {
    fn new() -> Self {
        Self(Box::new(heapless::Deque::new()))
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        for byte in header(id, payload).iter().chain(payload) {
            self.0.push_back(*byte).unwrap();
        }
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        let (id, len) = self.header();
        for _ in 0..4 {
            self.0.pop_front();
        }
        for byte in &mut out[..len] {
            *byte = self.0.pop_front().unwrap();
        }
        (id, len)
    }

    fn get_in_place(&mut self) -> u64 {
        let sum = Fifo::<N>::peek(self);
        for _ in 0..4 + N {
            self.0.pop_front();
        }
        sum
    }

    fn peek(&mut self) -> u64 {
        let (id, len) = self.header();
        u64::from(id) + len as u64 + u64::from(self.at(4)) + u64::from(self.at(3 + len))
    }
}

fn header(id: u16, payload: &[u8]) -> [u8; 4] {
    (u32::from(id) << 16 | payload.len() as u32).to_be_bytes()
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

    fn get_in_place(&mut self) -> u64 {
        let (id, payload) = self.0.pop_front().unwrap();
        seen(id, &payload)
    }

    fn peek(&mut self) -> u64 {
        let (id, payload) = self.0.front().unwrap();
        seen(*id, payload)
    }
}

/// Bytes in slices, header by hand.
struct Ringbuf(Box<LocalRb<Array<u8, BYTES>>>);

impl Ringbuf {
    fn write(&mut self, id: u16, payload: &[u8]) {
        let written = self.0.push_slice(&header(id, payload)) + self.0.push_slice(payload);
        assert_eq!(written, 4 + payload.len());
    }

    fn read(&mut self, out: &mut [u8]) -> (u16, usize) {
        let mut header = [0; 4];
        self.0.pop_slice(&mut header);
        let [a, b, c, d] = header;
        let (id, len) = (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])));
        (id, self.0.pop_slice(&mut out[..len]))
    }
}

impl<const N: usize> Fifo<N> for Ringbuf {
    fn new() -> Self {
        Self(Box::default())
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        self.write(id, payload);
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        self.read(out)
    }

    fn get_in_place(&mut self) -> u64 {
        let sum = Fifo::<N>::peek(self);
        self.0.skip(4 + N);
        sum
    }

    fn peek(&mut self) -> u64 {
        let mut header = [0; 4];
        self.0.peek_slice(&mut header);
        let [a, b, c, d] = header;
        let (id, len) = (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])));
        let (first, second) = self.0.as_slices();
        let byte = |at: usize| first.get(at).unwrap_or_else(|| &second[at - first.len()]);
        u64::from(id) + len as u64 + u64::from(*byte(4)) + u64::from(*byte(3 + len))
    }
}

/// A queue of 64 messages of 32 bytes from which any is taken by its id and put back last.
trait Turn {
    fn new() -> Self;
    fn push(&mut self, id: u16, payload: &[u8; 32]);
    /// Takes the oldest.
    fn pop(&mut self) -> (u16, [u8; 32]);
    /// Takes the one with this id. A plain byte queue has to turn once around for it.
    fn pull(&mut self, id: u16) -> [u8; 32] {
        let mut found = [0; 32];
        for _ in 0..64 {
            let (other, payload) = self.pop();
            if other == id { found = payload } else { self.push(other, &payload) }
        }
        found
    }
}

fn pulls() -> Vec<Contender> {
    fn contender<T: Turn + 'static>() -> Contender {
        let mut queue = T::new();
        for id in 1..=64 {
            queue.push(id, &[id as u8; 32]);
        }
        let mut random = 12_345;
        Box::new(move || pull_round(&mut queue, &mut random))
    }
    vec![
        contender::<Ensue>(),
        contender::<Heap>(),
        contender::<Slots>(),
        contender::<Bbqueue>(),
        contender::<Ringbuf>(),
    ]
}

fn pull_round<T: Turn>(queue: &mut T, random: &mut u32) -> u64 {
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
        sum += place * u64::from(id);
        queue.push(id, &payload);
    }
    sum
}

impl Turn for Ensue {
    fn new() -> Self {
        <Self as Fifo<32>>::new()
    }

    /// When the holes have eaten the room, one turn of the queue closes them.
    fn push(&mut self, id: u16, payload: &[u8; 32]) {
        if !self.0.fits(32) {
            let mut buffer = [0; 32];
            for _ in 0..self.0.message_count() {
                let message = self.0.get().unwrap();
                let id = message.id();
                message.copy_to(&mut buffer).unwrap();
                self.0.put(id, &buffer).unwrap();
            }
        }
        self.0.put(id, payload).unwrap();
    }

    fn pull(&mut self, id: u16) -> [u8; 32] {
        let mut payload = [0; 32];
        self.0.pull(id).unwrap().copy_to(&mut payload).unwrap();
        payload
    }

    fn pop(&mut self) -> (u16, [u8; 32]) {
        let mut payload = [0; 32];
        let (id, _) = Fifo::<32>::get(self, &mut payload);
        (id, payload)
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

/// Fixed slots in order: found by searching, taken out by moving the ones behind.
struct Slots(Box<heapless::Vec<(u16, [u8; 32]), 64>>);

impl Turn for Slots {
    fn new() -> Self {
        Self(Box::default())
    }

    fn push(&mut self, id: u16, payload: &[u8; 32]) {
        self.0.push((id, *payload)).unwrap();
    }

    fn pull(&mut self, id: u16) -> [u8; 32] {
        let at = self.0.iter().position(|message| message.0 == id).unwrap();
        self.0.remove(at).1
    }

    fn pop(&mut self) -> (u16, [u8; 32]) {
        self.0.remove(0)
    }
}

impl Turn for Bbqueue {
    fn new() -> Self {
        <Self as Fifo<32>>::new()
    }

    fn push(&mut self, id: u16, payload: &[u8; 32]) {
        self.write(id, payload);
    }

    fn pop(&mut self) -> (u16, [u8; 32]) {
        let mut payload = [0; 32];
        let (id, _) = Fifo::<32>::get(self, &mut payload);
        (id, payload)
    }
}

impl Turn for Ringbuf {
    fn new() -> Self {
        <Self as Fifo<32>>::new()
    }

    fn push(&mut self, id: u16, payload: &[u8; 32]) {
        self.write(id, payload);
    }

    fn pop(&mut self) -> (u16, [u8; 32]) {
        let mut payload = [0; 32];
        let (id, _) = self.read(&mut payload);
        (id, payload)
    }
}

/// divan's times: one call is [`PER_ROUND`] operations.
mod times {
    use divan::Bencher;
    use divan::counter::ItemsCount;

    use super::*;

    #[divan::bench(types = [Ensue, Bbqueue, Heap, Ringbuf], consts = [4, 32, 128, 1024])]
    fn put_and_get<F: Fifo<N>, const N: usize>(bencher: Bencher) {
        let mut queue = with_one::<F, N>();
        bencher
            .counter(ItemsCount::new(PER_ROUND))
            .bench_local(|| run(Work::Copied, &mut queue, &payload()));
    }

    #[divan::bench(types = [Ensue, Heap, Slots])]
    fn pull_one_of_64<T: Turn>(bencher: Bencher) {
        let mut queue = T::new();
        for id in 1..=64 {
            queue.push(id, &[id as u8; 32]);
        }
        let mut random = 12_345;
        bencher
            .counter(ItemsCount::new(PER_ROUND))
            .bench_local(|| pull_round(&mut queue, &mut random));
    }
}
