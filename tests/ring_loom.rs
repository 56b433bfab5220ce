//! The split ring under loom, which runs a model in every interleaving, and with every value that a
//! load may see: `RUSTFLAGS="--cfg loom" cargo test --release --test ring_loom -- --nocapture`.
//!
//! Loom keeps track of who touched which byte and when (`sync_loom.rs`): two sides at one byte
//! without an order between them are a failure, whatever was read.
#![cfg(loom)]

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ensue::ring::{RingReader, RingWriter, SplitRing, weaken};
use loom::thread;

/// A weakened ordering is weakened for all: one model at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs two sides against each other in every interleaving; returns how many there were.
fn model<const N: usize>(
    before: fn(&mut RingWriter<'static>, &mut RingReader<'static>),
    write: fn(&mut RingWriter<'static>),
    read: fn(&mut RingReader<'static>),
    after: fn(&mut RingWriter<'static>, &mut RingReader<'static>),
) -> usize {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    RUNS.store(0, Ordering::SeqCst);
    loom::model(move || {
        RUNS.fetch_add(1, Ordering::SeqCst);
        let ring: &'static SplitRing<N> = Box::leak(Box::new(SplitRing::new()));
        let (mut writer, mut reader) = ring.split().unwrap();
        before(&mut writer, &mut reader);
        let writing = thread::spawn(move || {
            write(&mut writer);
            writer
        });
        read(&mut reader);
        let mut writer = writing.join().unwrap();
        after(&mut writer, &mut reader);
    });
    RUNS.load(Ordering::SeqCst)
}

/// Puts against pulls from the middle and gets, in a ring that is too small for all of it: the
/// writer writes over what the reader has given away.
fn put_against_pull_and_get() -> usize {
    model::<16>(
        |writer, _| {
            writer.put(1, b"a").unwrap();
            writer.put(2, b"bc").unwrap();
        },
        |writer| {
            for (id, payload) in [(3, &b"def"[..]), (4, b"g")] {
                for _ in 0..2 {
                    if writer.put(id, payload).is_ok() {
                        break;
                    }
                    thread::yield_now();
                }
            }
        },
        |reader| {
            let message = reader.pull(2).expect("put before");
            thread::yield_now();
            assert_eq!(message, b"bc");
            let message = reader.get().expect("put before");
            thread::yield_now();
            assert_eq!(message, b"a");
            if let Some(message) = reader.get() {
                thread::yield_now();
                match message.id() {
                    3 => assert_eq!(message, b"def"),
                    4 => assert_eq!(message, b"g"),
                    id => panic!("nobody put {id}"),
                }
            }
            reader.release();
        },
        |writer, reader| {
            let mut left = reader.iter().map(|message| message.id()).collect::<Vec<_>>();
            left.dedup();
            assert!([&[][..], &[3], &[4], &[3, 4]].contains(&&left[..]), "{left:?}");
            while reader.get().is_some() {}
            assert_eq!(writer.free(), 16);
        },
    )
}

/// Puts against pulls of what is being put, out of the middle, and of an id that is there already.
fn put_against_pull_of_what_comes() -> usize {
    model::<24>(
        |writer, _| {
            writer.put(1, b"a").unwrap();
            writer.put(2, b"b").unwrap();
        },
        |writer| {
            writer.put(3, b"cd").unwrap();
            writer.put(1, b"e").unwrap();
        },
        |reader| {
            let early = reader.pull(3).map(|message| assert_eq!(message, b"cd")).is_some();
            assert_eq!(reader.pull(1).unwrap(), b"a");
            let newest = reader.pull(1).map(|message| assert_eq!(message, b"e")).is_some();
            if newest && !early {
                assert_eq!(reader.pull(3).unwrap(), b"cd");
            }
            assert_eq!(reader.get().unwrap(), b"b");
            reader.release();
        },
        |writer, reader| {
            let left = reader.ids().collect::<Vec<_>>();
            assert!([&[][..], &[1], &[3, 1]].contains(&&left[..]), "{left:?}");
            while reader.get().is_some() {}
            reader.release();
            assert_eq!(writer.free(), 24);
        },
    )
}

/// A reservation, committed or not, against peeking and walking.
fn reserve_against_ids() -> usize {
    model::<16>(
        |_, _| (),
        |writer| {
            drop(writer.reserve(9, 12).unwrap());
            let mut message = writer.reserve(1, 4).unwrap();
            message.push(b"xy").unwrap();
            message.commit().unwrap();
            writer.put_parts(2, &[b"z"]).unwrap();
        },
        |reader| {
            let ids = reader.ids().collect::<Vec<_>>();
            assert!([&[][..], &[1], &[1, 2]].contains(&&ids[..]), "{ids:?}");
            if let Some(message) = reader.peek() {
                assert_eq!(message, b"xy");
            }
            if reader.discard(2) {
                assert!(reader.ids().eq([1]));
            }
            reader.trim();
        },
        |_, reader| assert_eq!(reader.get().unwrap(), b"xy"),
    )
}

#[test]
fn the_halves_never_meet_at_a_byte() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    weaken(0);
    let runs = put_against_pull_and_get();
    println!("put against pull and get: {runs} interleavings");
    let runs = put_against_pull_of_what_comes();
    println!("put against pull of what comes: {runs} interleavings");
    let runs = reserve_against_ids();
    println!("reserve against ids: {runs} interleavings");
}

#[test]
fn each_ordering_is_needed() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let names = ["publish the head", "see the head", "publish the tail", "see the tail"];
    for (number, name) in (1..).zip(names) {
        weaken(number);
        let result = panic::catch_unwind(AssertUnwindSafe(put_against_pull_and_get));
        weaken(0);
        assert!(result.is_err(), "relaxed and not noticed: {name}");
        println!("relaxed and noticed: {name}");
    }
}
