//! Operations as the fuzzing engine makes them up, and what came of one.
//!
//! An [`Op`] is done by a ring, by the halves of a split one, by a retained one, and by the
//! [`Model`](crate::model::Model); what they answer is an [`Outcome`], to be compared.

use std::fmt::Write as _;

use arbitrary::Arbitrary;
use embedded_io::{BufRead, Read, Write as _};
use ensue::ring::{
    Evicted, Memory, Reservation, RetainedRing, RingReader, RingWriter, TooShort, Track,
};
use ensue::{Message, PutError, Ring};

#[derive(Arbitrary, Clone, Debug)]
pub enum Op {
    Put(Id, Len),
    PutParts(Id, Len, u8),
    PutFmt(Id, Len, [Len; 2]),
    Reserve(Id, Len, Vec<Step>, End),
    Get,
    Peek,
    Pull(Id),
    GetInto(Len),
    PullInto(Id, Len),
    Skip,
    Discard(Id),
    Retain(u8),
    PullAll(Id),
    Clear,
    Trim,
    Compact,
    CompactStep(u8),
    PutCompacting(Id, Len),
    PutEvicting(Id, Len),
    MakeRoom(Len),
    /// Of a split ring's reader.
    Release,
    /// Of a retained ring: it is opened again.
    Reopen,
}

/// What is done with a reservation.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Step {
    Push(Len),
    /// As text, through `core::fmt::Write`.
    Text(Len),
    /// Through `embedded_io::Write`.
    Io(Len),
    /// Through the slices, and then as many are said to be the payload.
    Fill(Len),
    SetLen(Len),
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub enum End {
    Commit,
    Drop,
    Forget,
}

/// Few ids, so that most pulls find something, and such whose bytes could be mixed up.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Id(u8);

impl Id {
    pub fn value(self) -> u16 {
        const IDS: [u16; 12] = [1, 2, 3, 4, 5, 0x0105, 0x0500, 0x0501, 0xFF00, 0x00FF, 0xFFFF, 0];
        IDS[usize::from(self.0) % IDS.len()]
    }
}

/// A length: mostly one that leaves room for others, sometimes one at a limit.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Len(u8);

impl Len {
    /// In a ring of `size` bytes.
    pub fn of(self, size: usize) -> usize {
        let len = usize::from(self.0);
        match self.0 {
            255 => 65_536,
            254 => 65_535,
            253 => size - 4,
            252 => size - 3,
            200.. => (len - 200) * size / 50,
            _ => len % (size / 3 + 1),
        }
    }
}

/// Bytes that tell which operation put them.
pub fn payload(len: usize, count: usize) -> Vec<u8> {
    (0..len).map(|at| (at + 37 * count) as u8).collect()
}

/// The same as text.
pub fn text(len: usize, count: usize) -> String {
    (0..len).map(|at| char::from(b'a' + ((at + count) % 26) as u8)).collect()
}

pub fn kept(bits: u8, id: u16) -> bool {
    bits >> (id % 8) & 1 == 1
}

pub type Owned = (u16, Vec<u8>);

/// What an operation answered.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Done,
    Put(Result<(), PutError>),
    /// Whether each step was taken and how long the payload was then, and what the end was.
    Written(Vec<(bool, usize)>, Option<Result<(), PutError>>),
    Evicted(Result<Evicted, PutError>, Vec<Owned>),
    Taken(Option<Owned>),
    Into(Result<Option<Owned>, TooShort>),
    Was(bool),
    Bytes(usize),
    Messages(usize, Vec<Owned>),
}

/// A message read in every way there is.
pub fn look(message: Message<'_>) -> Owned {
    let bytes: Vec<u8> = message.bytes().collect();
    let (first, second) = message.as_slices();
    assert_eq!([first, second].concat(), bytes);
    assert_eq!((message.len(), message.is_empty()), (bytes.len(), bytes.is_empty()));
    assert_eq!(message.as_contiguous(), second.is_empty().then_some(&bytes[..]));
    assert!(message.bytes().rev().eq(bytes.iter().rev().copied()));
    let (slice, same) = (&bytes[..], message);
    assert!(message == *slice && message == slice && message == same);
    let longer = [&bytes[..], b"x"].concat();
    assert!(message != longer[..]);

    let mut buffer = longer;
    assert_eq!(message.copy_to(&mut buffer), Ok(&mut bytes.clone()[..]));
    assert_eq!(buffer.last(), Some(&b'x'), "nothing behind it is touched");
    if let Some(short) = bytes.len().checked_sub(1) {
        let error = message.copy_to(&mut buffer[..short]).unwrap_err();
        assert_eq!(error, TooShort { needed: bytes.len() });
    }

    assert_eq!(message.text().to_string(), String::from_utf8_lossy(&bytes));

    let step = 1 + bytes.len() / 3;
    let (mut reader, mut pieces, mut io) = (message.reader(), message.reader(), message.reader());
    let mut read: Vec<u8> = Vec::new();
    let mut piece = vec![0; step];
    loop {
        assert_eq!((reader.len(), reader.is_empty()), (bytes.len() - read.len(), read == bytes));
        assert_eq!(pieces.len(), reader.len());
        assert!(bytes[read.len()..].starts_with(pieces.next_piece()));
        assert_eq!(io.fill_buf(), Ok(pieces.next_piece()));
        assert_eq!(pieces.next_piece().is_empty(), read == bytes);
        pieces.skip(step);
        let count = reader.copy_next(&mut piece);
        read.extend(&piece[..count]);
        if read.len().is_multiple_of(2) {
            io.consume(step);
        } else {
            assert_eq!(io.read(&mut piece), Ok(count));
        }
        if count == 0 {
            break;
        }
    }
    assert_eq!(read, bytes);
    (message.id(), bytes)
}

fn write(
    reserved: Result<Reservation<'_>, PutError>,
    op: &Op,
    size: usize,
    count: usize,
) -> Outcome {
    let Op::Reserve(id, max, steps, end) = op else { unreachable!() };
    let mut message = match reserved {
        Ok(message) => message,
        Err(error) => return Outcome::Put(Err(error)),
    };
    assert_eq!((message.id(), message.max()), (id.value(), max.of(size)));
    let mut done = Vec::new();
    for step in steps {
        let taken = match step {
            Step::Push(len) => message.push(&payload(len.of(size), count)).is_ok(),
            Step::Text(len) => message.write_str(&text(len.of(size), count)).is_ok(),
            Step::Io(len) => {
                let bytes = payload(len.of(size), count);
                let result = message.write(&bytes);
                assert!(result.is_err() || result == Ok(bytes.len()));
                result.is_ok()
            }
            Step::Fill(len) => {
                let len = len.of(size);
                let (first, second) = message.as_mut_slices();
                for (to, from) in first.iter_mut().chain(second).zip(payload(len, count)) {
                    *to = from;
                }
                message.set_len(len).is_ok()
            }
            Step::SetLen(len) => message.set_len(len.of(size)).is_ok(),
        };
        let len = message.len();
        assert_eq!(message.is_empty(), len == 0);
        done.push((taken, len));
    }
    let result = match end {
        End::Commit => Some(message.commit()),
        End::Drop => {
            drop(message);
            None
        }
        End::Forget => {
            let _forgotten = std::mem::ManuallyDrop::new(message);
            None
        }
    };
    Outcome::Written(done, result)
}

fn parts(len: usize, cut: u8, count: usize) -> [Vec<u8>; 3] {
    let mut first = payload(len, count);
    let mut second = first.split_off(usize::from(cut) * len / 256);
    let third = second.split_off(second.len() / 2);
    [first, second, third]
}

/// What a ring answers; `None` where it has no such operation.
pub fn apply<S, T>(ring: &mut Ring<S, T>, op: &Op, count: usize) -> Option<Outcome>
where
    S: AsRef<[u8]> + AsMut<[u8]> + ?Sized,
    T: Track,
{
    let size = ring.size();
    Some(match *op {
        Op::Put(id, len) => Outcome::Put(ring.put(id.value(), &payload(len.of(size), count))),
        Op::PutParts(id, len, cut) => {
            let [first, second, third] = parts(len.of(size), cut, count);
            Outcome::Put(ring.put_parts(id.value(), &[&first, &second, &third]))
        }
        Op::PutFmt(id, max, lens) => {
            let [first, second] = lens.map(|len| text(len.of(size), count));
            let text = format_args!("{first}{second}");
            Outcome::Put(ring.put_fmt(id.value(), max.of(size), text))
        }
        Op::Reserve(id, max, ..) => write(ring.reserve(id.value(), max.of(size)), op, size, count),
        Op::Get => Outcome::Taken(ring.get().map(look)),
        Op::Peek => Outcome::Taken(ring.peek().map(look)),
        Op::Pull(id) => Outcome::Taken(ring.pull(id.value()).map(look)),
        Op::GetInto(room) => {
            let mut buffer = vec![0; room.of(size)];
            let taken = ring.get_into(&mut buffer);
            Outcome::Into(taken.map(|taken| taken.map(|(id, bytes)| (id, bytes.to_vec()))))
        }
        Op::PullInto(id, room) => {
            let mut buffer = vec![0; room.of(size)];
            let taken = ring.pull_into(id.value(), &mut buffer);
            Outcome::Into(taken.map(|taken| taken.map(|bytes| (id.value(), bytes.to_vec()))))
        }
        Op::Skip => Outcome::Was(ring.skip()),
        Op::Discard(id) => Outcome::Was(ring.discard(id.value())),
        Op::Retain(bits) => {
            let mut seen = Vec::new();
            let gone = ring.retain(|message| {
                seen.push(look(message));
                kept(bits, message.id())
            });
            Outcome::Messages(gone, seen)
        }
        Op::PullAll(id) => {
            let mut taken = Vec::new();
            let count = ring.pull_all(id.value(), |message| taken.push(look(message)));
            Outcome::Messages(count, taken)
        }
        Op::Clear => {
            ring.clear();
            Outcome::Done
        }
        Op::Trim => Outcome::Bytes(ring.trim()),
        Op::Compact => Outcome::Bytes(ring.compact()),
        Op::CompactStep(budget) => Outcome::Bytes(ring.compact_step(budget.into())),
        Op::PutCompacting(id, len) => {
            Outcome::Put(ring.put_compacting(id.value(), &payload(len.of(size), count)))
        }
        Op::PutEvicting(id, len) => {
            let mut gone = Vec::new();
            let payload = payload(len.of(size), count);
            let result =
                ring.put_evicting(id.value(), &payload, |message| gone.push(look(message)));
            Outcome::Evicted(result, gone)
        }
        Op::MakeRoom(len) => {
            let mut gone = Vec::new();
            let result = ring.make_room(len.of(size), |message| gone.push(look(message)));
            Outcome::Evicted(result, gone)
        }
        Op::Release | Op::Reopen => return None,
    })
}

/// What the writing half answers.
pub fn apply_to_writer(writer: &mut RingWriter<'_>, op: &Op, count: usize) -> Option<Outcome> {
    let size = writer.size();
    Some(match *op {
        Op::Put(id, len) => Outcome::Put(writer.put(id.value(), &payload(len.of(size), count))),
        Op::PutParts(id, len, cut) => {
            let [first, second, third] = parts(len.of(size), cut, count);
            Outcome::Put(writer.put_parts(id.value(), &[&first, &second, &third]))
        }
        Op::PutFmt(id, max, lens) => {
            let [first, second] = lens.map(|len| text(len.of(size), count));
            let text = format_args!("{first}{second}");
            Outcome::Put(writer.put_fmt(id.value(), max.of(size), text))
        }
        Op::Reserve(id, max, ..) => {
            write(writer.reserve(id.value(), max.of(size)), op, size, count)
        }
        _ => return None,
    })
}

/// What the reading half answers. A message is looked at before and after `meanwhile`.
pub fn apply_to_reader(
    reader: &mut RingReader<'_>,
    op: &Op,
    meanwhile: impl FnOnce(),
) -> Option<Outcome> {
    let seen = |message: Option<Message<'_>>| {
        let before = message.map(look);
        meanwhile();
        assert_eq!(message.map(look), before, "somebody wrote over it");
        Outcome::Taken(before)
    };
    Some(match *op {
        Op::Get => seen(reader.get()),
        Op::Peek => seen(reader.peek()),
        Op::Pull(id) => seen(reader.pull(id.value())),
        Op::Discard(id) => Outcome::Was(reader.discard(id.value())),
        Op::Trim => {
            reader.trim();
            Outcome::Done
        }
        Op::Release => {
            reader.release();
            Outcome::Done
        }
        _ => return None,
    })
}

/// What a retained ring answers.
pub fn apply_to_retained<M: Memory + ?Sized>(
    ring: &mut RetainedRing<'_, M>,
    op: &Op,
    count: usize,
) -> Option<Outcome> {
    let size = ring.size();
    Some(match *op {
        Op::Put(id, len) => Outcome::Put(ring.put(id.value(), &payload(len.of(size), count))),
        Op::PutParts(id, len, cut) => {
            let [first, second, third] = parts(len.of(size), cut, count);
            Outcome::Put(ring.put_parts(id.value(), &[&first, &second, &third]))
        }
        Op::PutFmt(id, max, lens) => {
            let [first, second] = lens.map(|len| text(len.of(size), count));
            let text = format_args!("{first}{second}");
            Outcome::Put(ring.put_fmt(id.value(), max.of(size), text))
        }
        Op::MakeRoom(len) => Outcome::Evicted(ring.make_room(len.of(size)), Vec::new()),
        Op::PutEvicting(id, len) => {
            let result = ring.put_evicting(id.value(), &payload(len.of(size), count));
            Outcome::Evicted(result, Vec::new())
        }
        Op::Get => Outcome::Taken(ring.get().map(look)),
        Op::Peek => Outcome::Taken(ring.peek().map(look)),
        Op::Pull(id) => Outcome::Taken(ring.pull(id.value()).map(look)),
        Op::Trim => {
            ring.trim();
            Outcome::Done
        }
        Op::Clear => {
            ring.clear();
            Outcome::Done
        }
        _ => return None,
    })
}
