//! The rivals of the ring, and what each must do: the host's benchmark and the chips' share them.
//!
//! A rival gets the form that suits it best. heapless' queues of items hold arrays of just the right
//! length, so they keep no length, cannot wrap and never ask how long a message is, with ids of four
//! bytes, so that copies are aligned; the byte queues get an id and a length in front of each message,
//! as ours has, and bbqueue an id in its frame.

use bbqueue::BBQueue;
use bbqueue::prod_cons::framed::FramedGrantR;
use bbqueue::traits::coordination::Coord;
use bbqueue::traits::notifier::polling::Polling;
use bbqueue::traits::storage::Inline;
use ensue::Ring;
use ringbuf::LocalRb;
use ringbuf::storage::Array;

/// Bytes that each byte queue has.
pub(super) const BYTES: usize = 4096;

/// A queue of messages with an id and at most `N` bytes.
pub(super) trait Fifo<const N: usize> {
    fn new() -> Self;
    fn put(&mut self, id: u16, payload: &[u8]);
    /// Takes the oldest; copies it to the front of `out`.
    fn get(&mut self, out: &mut [u8]) -> (u16, usize);
    /// Takes the oldest; looks at it where it is.
    fn get_in_place(&mut self) -> u32;
    /// Looks at the oldest and leaves it.
    fn peek(&mut self) -> u32;
}

/// A queue of 64 messages of 32 bytes from which any is taken by its id and put back last.
pub(super) trait Turn {
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

/// What is looked at in a message: its id, its length, its ends.
pub(super) fn seen(id: u16, payload: &[u8]) -> u32 {
    let ends = [payload[0], payload[payload.len() - 1]];
    u32::from(id) + payload.len() as u32 + u32::from(ends[0]) + u32::from(ends[1])
}

/// [`seen`] for a payload in two pieces, the second of which may be empty.
fn seen_in_pieces(id: u16, first: &[u8], second: &[u8]) -> u32 {
    let len = first.len() + second.len();
    let last = second.last().unwrap_or(&first[first.len() - 1]);
    u32::from(id) + len as u32 + u32::from(first[0]) + u32::from(*last)
}

pub(super) fn payload<const N: usize>() -> [u8; N] {
    core::array::from_fn(|at| (at as u8).wrapping_add(1))
}

// ---- ensue ------------------------------------------------------------------------------------

pub(super) struct Ensue(Ring<[u8; BYTES]>);

impl<const N: usize> Fifo<N> for Ensue {
    fn new() -> Self {
        Self(Ring::new())
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        self.0.put(id, payload).unwrap();
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        let message = self.0.get().unwrap();
        message.copy_to(out).unwrap();
        (message.id(), message.len())
    }

    fn get_in_place(&mut self) -> u32 {
        let message = self.0.get().unwrap();
        let (first, second) = message.as_slices();
        seen_in_pieces(message.id(), first, second)
    }

    fn peek(&mut self) -> u32 {
        let message = self.0.peek().unwrap();
        let (first, second) = message.as_slices();
        seen_in_pieces(message.id(), first, second)
    }
}

/// When the holes have eaten the room, they are closed: that is part of the work.
impl Turn for Ensue {
    fn new() -> Self {
        <Self as Fifo<32>>::new()
    }

    fn push(&mut self, id: u16, payload: &[u8; 32]) {
        self.0.put_compacting(id, payload).unwrap();
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

// ---- bbqueue ----------------------------------------------------------------------------------

/// Frames of an id and a payload, in one piece each.
pub(super) struct Bbqueue<C: Coord>(BBQueue<Inline<BYTES>, C, Polling>);

impl<C: Coord> Bbqueue<C> {
    fn write(&self, id: u16, payload: &[u8]) {
        let len = 2 + payload.len() as u16;
        let mut grant = self.0.framed_producer().grant(len).unwrap();
        let (header, body) = grant.split_at_mut(2);
        header.copy_from_slice(&id.to_be_bytes());
        body[..payload.len()].copy_from_slice(payload);
        grant.commit(len);
    }

    fn read(&self) -> FramedGrantR<&BBQueue<Inline<BYTES>, C, Polling>, u16> {
        self.0.framed_consumer().read().unwrap()
    }
}

fn frame(frame: &[u8]) -> (u16, &[u8]) {
    let (id, payload) = frame.split_first_chunk().unwrap();
    (u16::from_be_bytes(*id), payload)
}

impl<C: Coord, const N: usize> Fifo<N> for Bbqueue<C> {
    fn new() -> Self {
        Self(BBQueue::new())
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

    fn get_in_place(&mut self) -> u32 {
        let grant = self.read();
        let (id, payload) = frame(&grant);
        let sum = seen(id, payload);
        grant.release();
        sum
    }

    fn peek(&mut self) -> u32 {
        // Not released: it stays where it is.
        let grant = self.read();
        let (id, payload) = frame(&grant);
        seen(id, payload)
    }
}

impl<C: Coord> Turn for Bbqueue<C> {
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

// ---- heapless ---------------------------------------------------------------------------------

/// Arrays of one length, moved as wholes.
pub(super) struct Spsc<const N: usize>(heapless::spsc::Queue<(u32, [u8; N]), 4>);

impl<const N: usize> Fifo<N> for Spsc<N> {
    fn new() -> Self {
        Self(heapless::spsc::Queue::new())
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        self.0.enqueue((id.into(), payload.try_into().unwrap())).unwrap();
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        let (id, payload) = self.0.dequeue().unwrap();
        out[..N].copy_from_slice(&payload);
        (id as u16, N)
    }

    fn get_in_place(&mut self) -> u32 {
        let sum = self.peek();
        self.0.dequeue();
        sum
    }

    fn peek(&mut self) -> u32 {
        let (id, payload) = self.0.peek().unwrap();
        seen(*id as u16, payload)
    }
}

/// Byte by byte, header first.
pub(super) struct ByteDeque(heapless::Deque<u8, BYTES>);

impl ByteDeque {
    fn at(&self, at: usize) -> u8 {
        *self.0.get(at).unwrap()
    }

    fn header(&self) -> (u16, usize) {
        let [a, b, c, d] = core::array::from_fn(|at| self.at(at));
        (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])))
    }
}

impl<const N: usize> Fifo<N> for ByteDeque {
    fn new() -> Self {
        Self(heapless::Deque::new())
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

    fn get_in_place(&mut self) -> u32 {
        let sum = Fifo::<N>::peek(self);
        for _ in 0..4 + N {
            self.0.pop_front();
        }
        sum
    }

    fn peek(&mut self) -> u32 {
        let (id, len) = self.header();
        u32::from(id) + len as u32 + u32::from(self.at(4)) + u32::from(self.at(3 + len))
    }
}

fn header(id: u16, payload: &[u8]) -> [u8; 4] {
    (u32::from(id) << 16 | payload.len() as u32).to_be_bytes()
}

/// Fixed slots in order: found by searching, taken out by moving the ones behind.
pub(super) struct Slots(heapless::Vec<(u32, [u8; 32]), 64>);

impl Turn for Slots {
    fn new() -> Self {
        Self(heapless::Vec::new())
    }

    fn push(&mut self, id: u16, payload: &[u8; 32]) {
        self.0.push((id.into(), *payload)).unwrap();
    }

    fn pull(&mut self, id: u16) -> [u8; 32] {
        let at = self.0.iter().position(|message| message.0 == id.into()).unwrap();
        self.0.remove(at).1
    }

    fn pop(&mut self) -> (u16, [u8; 32]) {
        let (id, payload) = self.0.remove(0);
        (id as u16, payload)
    }
}

// ---- ringbuf ----------------------------------------------------------------------------------

/// Bytes in slices, header by hand.
pub(super) struct Ringbuf(LocalRb<Array<u8, BYTES>>);

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
        Self(LocalRb::default())
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        self.write(id, payload);
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        self.read(out)
    }

    fn get_in_place(&mut self) -> u32 {
        let sum = Fifo::<N>::peek(self);
        self.0.skip(4 + N);
        sum
    }

    fn peek(&mut self) -> u32 {
        let mut header = [0; 4];
        self.0.peek_slice(&mut header);
        let [a, b, c, d] = header;
        let (id, len) = (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])));
        let (first, second) = self.0.as_slices();
        let byte = |at: usize| first.get(at).unwrap_or_else(|| &second[at - first.len()]);
        u32::from(id) + len as u32 + u32::from(*byte(4)) + u32::from(*byte(3 + len))
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

// ---- No queue at all --------------------------------------------------------------------------

/// A place for one message: the two copies, which nothing that copies can do without.
pub(super) struct Copies<const N: usize> {
    id: u16,
    len: usize,
    payload: [u8; N],
}

impl<const N: usize> Fifo<N> for Copies<N> {
    fn new() -> Self {
        Self { id: 0, len: 0, payload: [0; N] }
    }

    fn put(&mut self, id: u16, payload: &[u8]) {
        (self.id, self.len) = (id, payload.len());
        self.payload[..payload.len()].copy_from_slice(payload);
    }

    fn get(&mut self, out: &mut [u8]) -> (u16, usize) {
        out[..self.len].copy_from_slice(&self.payload[..self.len]);
        (self.id, self.len)
    }

    fn get_in_place(&mut self) -> u32 {
        seen(self.id, &self.payload[..self.len])
    }

    fn peek(&mut self) -> u32 {
        seen(self.id, &self.payload[..self.len])
    }
}
