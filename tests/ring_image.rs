//! Images: every state a ring can be in is taken in, and nothing else is; nothing panics.

use std::collections::{BTreeSet, VecDeque};

use ensue::Ring;
use ensue::ring::{BadImage, Flaw, Recovered};
use proptest::prelude::*;

#[test]
fn an_image_of_a_ring_is_the_ring() {
    let mut ring = Ring::<[u8; 32]>::new();
    for id in 1..=3 {
        ring.put(id, b"abcd").unwrap();
    }
    ring.get();
    ring.put(4, b"efgh").unwrap();
    ring.pull(3);
    ring.put(5, b"ijkl").unwrap();
    let (head, tail, used) = (ring.head(), ring.tail(), ring.used());
    let mut again = Ring::from_parts(*ring.bytes().first_chunk::<32>().unwrap(), head, tail, used)
        .expect("our own");
    assert_eq!((again.head(), again.tail(), again.used()), (head, tail, used));
    assert_eq!((again.message_count(), again.reclaimable()), (3, 8));
    assert_eq!(again.pull(4), ring.pull(4));
    assert!(again.ids().eq(ring.ids()));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let sound = *b"\0\x01\0\x01a\0\0\0\x02bc\0\x03\0\0....";
    let refused = |bytes: [u8; 19], head, tail, used| {
        Ring::from_parts(bytes, head, tail, used).map(drop).unwrap_err()
    };
    let bad = |offset, reason| BadImage { offset, reason };
    assert!(Ring::from_parts(sound, 15, 0, 15).is_ok());
    assert_eq!(refused(sound, 0, 19, 0), bad(19, Flaw::TailOutside));
    assert_eq!(refused(sound, 0, usize::MAX, 0), bad(usize::MAX, Flaw::TailOutside));
    assert_eq!(refused(sound, 19, 0, 15), bad(19, Flaw::HeadOutside));
    assert_eq!(refused(sound, usize::MAX, 18, usize::MAX), bad(usize::MAX, Flaw::HeadOutside));
    assert_eq!(refused(sound, 1, 0, 20), bad(0, Flaw::UsedTooLarge));
    assert_eq!(refused(sound, 15, 0, usize::MAX), bad(0, Flaw::UsedTooLarge));
    assert_eq!(refused(sound, 14, 0, 15), bad(14, Flaw::HeadElsewhere));
    assert_eq!(refused(sound, 14, 0, 14), bad(11, Flaw::HeaderCut));
    assert_eq!(refused(sound, 10, 0, 10), bad(5, Flaw::RecordTooLong));
    let mut longer = sound;
    longer[13] = 0xFF;
    assert_eq!(refused(longer, 15, 0, 15), bad(11, Flaw::RecordTooLong));
    assert_eq!(refused([0; 19], 0, 0, 19), bad(16, Flaw::HeaderCut));
    let mut all_hole = [0; 19];
    all_hole[3] = 15;
    assert_eq!(refused(all_hole, 0, 0, 19), bad(0, Flaw::HoleInFront));
    assert_eq!(Ring::from_parts([0; 7], 0, 0, 0).map(drop).unwrap_err(), bad(0, Flaw::TooSmall));
}

/// A state without its bytes: the tail, and for each record whether it is a message, and its length.
type Shape = (usize, VecDeque<(bool, usize)>);

/// Every shape that `put`, `get` and `pull` can lead to, from a new ring on.
fn reachable(size: usize) -> BTreeSet<Shape> {
    let mut known = BTreeSet::from([(0, VecDeque::new())]);
    let mut open = vec![(0, VecDeque::new())];
    while let Some(shape) = open.pop() {
        for next in successors(size, &shape) {
            if known.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    known
}

fn successors(size: usize, (tail, records): &Shape) -> Vec<Shape> {
    let used: usize = records.iter().map(|record| record.1).sum();
    let mut all = Vec::new();
    for len in 4..=size - used {
        let mut more = records.clone();
        more.push_back((true, len));
        all.push((*tail, more));
    }
    let mut got = (*tail, records.clone());
    trim(size, &mut got);
    pop(size, &mut got);
    all.push(got);
    for at in (0..records.len()).filter(|&at| records[at].0) {
        let mut pulled = (*tail, records.clone());
        if at == 0 {
            pop(size, &mut pulled);
        } else {
            pulled.1[at].0 = false;
            trim(size, &mut pulled);
        }
        all.push(pulled);
    }
    all
}

fn pop(size: usize, (tail, records): &mut Shape) {
    if let Some((_, len)) = records.pop_front() {
        *tail = (*tail + len) % size;
    }
}

fn trim(size: usize, shape: &mut Shape) {
    while shape.1.front().is_some_and(|record| !record.0) {
        pop(size, shape);
    }
}

/// Every way in which records can lie in `used` bytes.
fn divisions(used: usize) -> Vec<VecDeque<(bool, usize)>> {
    if used == 0 {
        return vec![VecDeque::new()];
    }
    let mut all = Vec::new();
    for len in 4..=used {
        for rest in divisions(used - len) {
            for live in [true, false] {
                let mut records = rest.clone();
                records.push_front((live, len));
                all.push(records);
            }
        }
    }
    all
}

/// The bytes of a shape.
fn image(size: usize, (tail, records): &Shape) -> Vec<u8> {
    let mut bytes = vec![0xEE; size];
    let mut at = *tail;
    for (live, len) in records {
        for byte in [0, u8::from(*live), 0, (len - 4) as u8] {
            bytes[at % size] = byte;
            at += 1;
        }
        at += len - 4;
    }
    bytes
}

#[test]
fn exactly_what_operations_can_lead_to_is_taken_in() {
    for size in 8..=18 {
        let reachable = reachable(size);
        let mut taken_in = 0;
        for used in 0..=size {
            for records in divisions(used) {
                for tail in 0..size {
                    let shape = (tail, records.clone());
                    let head = (tail + used) % size;
                    let mut bytes = image(size, &shape);
                    let result = Ring::from_parts(&mut bytes[..], head, tail, used);
                    assert_eq!(result.is_ok(), reachable.contains(&shape), "{size}: {shape:?}");
                    taken_in += usize::from(result.is_ok());
                    let (ring, report) =
                        Ring::recover(&mut bytes[..], head, tail, used).expect("enough bytes");
                    assert_eq!(report.dropped, 0);
                    assert_eq!(report.messages, ring.ids().count());
                    assert_eq!(report.messages, records.iter().filter(|record| record.0).count());
                }
            }
        }
        assert_eq!(taken_in, reachable.len(), "size {size}");
    }
}

#[test]
fn what_is_sound_is_kept_and_what_is_not_is_reported() {
    let bytes = *b"\0\x01\0\x01a\0\0\0\x02bc\0\x03\xFF\0....";
    let (ring, report) = Ring::recover(bytes, 18, 0, 18).unwrap();
    assert!(ring.ids().eq([1]));
    let flaw = Some(BadImage { offset: 11, reason: Flaw::RecordTooLong });
    assert_eq!(report, Recovered { messages: 1, dropped: 7, flaw });
    assert_eq!((ring.used(), ring.head()), (11, 11));

    let flaw = Some(BadImage { offset: 5, reason: Flaw::HeadElsewhere });
    let (ring, report) = Ring::recover(bytes, 5, 0, 11).unwrap();
    assert_eq!((report, ring.used()), (Recovered { messages: 1, dropped: 6, flaw }, 5));

    let flaw = Some(BadImage { offset: 0, reason: Flaw::UsedTooLarge });
    let (ring, report) = Ring::recover(bytes, 11, 0, 9_999).unwrap();
    assert_eq!((report, ring.used()), (Recovered { messages: 1, dropped: 8, flaw }, 11));

    let flaw = Some(BadImage { offset: 20, reason: Flaw::TailOutside });
    let (ring, report) = Ring::recover(bytes, 11, 20, 11).unwrap();
    assert_eq!((report, ring.used()), (Recovered { messages: 0, dropped: 11, flaw }, 0));
    assert!(Ring::recover([0; 7], 0, 0, 0).is_err());
}

#[test]
fn what_was_recovered_could_have_been_produced() {
    // A hole of seven bytes, in front of which no message can have been, and positions that
    // contradict each other on top.
    let bytes = *b"\0\0\0\x03....";
    for (head, used) in [(7, 7), (7, 8), (6, 7), (9, 7), (3, 9)] {
        let (ring, report) = Ring::recover(bytes, head, 0, used).unwrap();
        assert!(report.flaw.is_some() && report.messages == 0);
        let image = Ring::from_parts(bytes, ring.head(), ring.tail(), ring.used());
        assert!(image.is_ok(), "head {head}, used {used}: {image:?}");
    }
    // The same with a record behind it that is none.
    let bytes = *b"\0\0\0\x01.\0\x01\0\xFF";
    let (ring, report) = Ring::recover(bytes, 0, 0, 9).unwrap();
    let flaw = BadImage { offset: 5, reason: Flaw::RecordTooLong };
    assert_eq!(report, Recovered { messages: 0, dropped: 4, flaw: Some(flaw) });
    assert!(Ring::from_parts(bytes, ring.head(), ring.tail(), ring.used()).is_ok());
}

/// Positions as they might be: near the truth, at the limits, or anything.
fn position(size: usize) -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..size, 1 => size..=size + 2, 1 => any::<usize>()]
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        (mut bytes, head, tail, used) in (0..80_usize).prop_flat_map(|size| {
            let position = || position(size.max(1));
            // Bytes that are small as often as not: lengths that fit.
            let byte = prop_oneof![3 => 0..6_u8, 1 => any::<u8>()];
            (prop::collection::vec(byte, size), position(), position(), position())
        }),
        agree in any::<bool>(),
    ) {
        let size = bytes.len();
        let head = if agree && size != 0 { (tail % size + used % (size + 1)) % size } else { head };
        let image = bytes.clone();
        let accepted = match Ring::from_parts(&mut bytes[..], head, tail, used) {
            Ok(ring) => {
                assert_eq!((ring.head(), ring.tail(), ring.used()), (head, tail, used));
                use_it(ring);
                true
            }
            Err(BadImage { reason, .. }) => {
                assert_eq!(reason == Flaw::TooSmall, size < 8);
                false
            }
        };
        bytes.copy_from_slice(&image);
        if let Ok((ring, report)) = Ring::recover(&mut bytes[..], head, tail, used) {
            assert_eq!(report.flaw.is_none(), accepted);
            assert_eq!(report.messages, ring.message_count());
            if accepted {
                assert_eq!(report.dropped, 0);
            }
            use_it(ring);
        }
    }
}

/// Every operation, on whatever this is.
fn use_it(mut ring: Ring<&mut [u8]>) {
    let ids = ring.ids().collect::<Vec<_>>();
    assert_eq!(ring.iter().count(), ring.message_count());
    assert_eq!(ring.peek().map(|message| message.id()), ids.first().copied());
    assert!(ring.reclaimable() <= ring.used());
    let live: usize = ring.iter().map(|message| 4 + message.len()).sum();
    assert_eq!(live + ring.reclaimable(), ring.used());
    if let Some(id) = ids.get(ids.len() / 2) {
        assert_eq!(ring.pull(*id).map(|message| message.id()), Some(*id));
    }
    ring.put(1, b"ab").ok();
    ring.compact_step(5);
    ring.put_compacting(2, b"cdef").ok();
    ring.trim();
    let evicted = ring.put_evicting(3, b"", |_| ()).expect("it fits an empty ring");
    assert!(evicted.bytes <= ring.size());
    ring.compact();
    assert_eq!(ring.reclaimable(), 0);
    while ring.get().is_some() {}
    assert_eq!(ring.free(), ring.size());
}
