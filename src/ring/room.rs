//! Making room: what the plain operations never do by themselves.
//!
//! | | frees | costs |
//! |---|---|---|
//! | [`trim`](Ring::trim) | holes in front of the oldest message | a header for each |
//! | [`compact`](Ring::compact) | all holes | a header for each record, one copy of the messages behind the first hole |
//! | [`compact_step`](Ring::compact_step) | all holes, in the end | the same in pieces, between which the ring is as good as ever |
//! | [`put_compacting`](Ring::put_compacting) | all holes, when they are needed | |
//! | [`put_evicting`](Ring::put_evicting), [`make_room`](Ring::make_room) | the oldest messages, as many as are needed | a header for each |
//!
//! A byte ring without holes cannot fragment: after `compact`, every byte that no message takes can
//! be used by the next one.

use super::message::Message;
use super::queue::Queue;
use super::record::{ANY, HEADER, HOLE};
use super::track::{Track, Tracked};
use super::{PutError, Ring};

/// Making room.
///
/// Callable from: wherever you hold the `&mut`.
impl<S: AsRef<[u8]> + AsMut<[u8]> + ?Sized, T: Track> Ring<S, T> {
    /// Frees the holes in front of the oldest message; returns how many bytes that were.
    ///
    /// Cost: one header for each hole in front.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// ring.put(1, b"one")?;
    /// ring.put(2, b"two")?;
    /// ring.put(3, b"three")?;
    /// ring.pull(2);
    /// ring.get(); // the oldest; the hole behind it is in front now
    /// assert_eq!(ring.used(), 7 + 9);
    /// assert_eq!(ring.trim(), 7);
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn trim(&mut self) -> usize {
        let before = self.queue.used();
        self.queue.pass_holes(self.storage.as_ref());
        before - self.queue.used()
    }

    /// Moves the messages together, in their order, so that no hole is left; returns how many bytes
    /// became free: all that were [`reclaimable`](Self::reclaimable).
    ///
    /// Cost: one header for each record up to the last hole, and one copy of the messages behind the
    /// first one.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// ring.put(1, b"one")?;
    /// ring.put(2, b"two")?;
    /// ring.put(3, b"three")?;
    /// ring.pull(2);
    /// assert_eq!(ring.compact(), 7);
    /// assert!(ring.ids().eq([1, 3]));
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn compact(&mut self) -> usize {
        let before = self.queue.used();
        self.queue.compact(self.storage.as_mut(), usize::MAX);
        before - self.queue.used()
    }

    /// Does a part of [`compact`](Self::compact): moves messages of at most `budget` bytes, headers
    /// included, or a single one that is longer. Returns how many bytes in holes are left: call it
    /// until that is 0.
    ///
    /// The ring is whole in between: put, get and pull as you like.
    ///
    /// Cost: `budget` bytes copied, or the longest message; one header for each record up to the
    /// last one moved.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 64]>::new();
    /// # ring.put(1, b"one")?;
    /// # ring.put(2, b"two")?;
    /// # ring.put(3, b"three")?;
    /// # ring.pull(2);
    /// while ring.compact_step(32) != 0 {
    ///     // look after something else
    /// }
    /// assert_eq!(ring.used(), 7 + 9);
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn compact_step(&mut self, budget: usize) -> usize {
        self.queue.compact(self.storage.as_mut(), budget);
        self.queue.holes()
    }

    /// [`put`](Self::put), which [`compact`](Self::compact)s first when that is what it takes, and
    /// only then.
    ///
    /// Errors: [`PutError`]; the ring is then as it was. Full means that holes would not be enough.
    /// Cost: that of `put`, and that of `compact` when there was no room.
    pub fn put_compacting(&mut self, id: u16, payload: &[u8]) -> Result<(), PutError> {
        let result = self.put(id, payload);
        if let Err(PutError::Full { needed, free, reclaimable }) = result {
            if free + reclaimable >= needed {
                self.compact();
                return self.put(id, payload);
            }
        }
        result
    }

    /// [`put`](Self::put), which takes out the oldest messages first, as many as it takes: each is
    /// shown to `evicted` before it goes.
    ///
    /// No message moves, so holes are freed only where they come to lie in front. To keep messages
    /// as long as holes can make room, try [`put_compacting`](Self::put_compacting) before.
    ///
    /// Errors: [`PutError`], but never Full; nothing has been taken out then.
    /// Cost: that of `put`, and one header for each record that goes.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 16]>::new();
    /// ring.put(1, b"oldest")?;
    /// let mut lost = 0;
    /// let evicted = ring.put_evicting(2, b"newest", |message| lost = message.id())?;
    /// assert_eq!((evicted.messages, evicted.bytes, lost), (1, 10, 1));
    /// assert!(ring.ids().eq([2]));
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn put_evicting(
        &mut self,
        id: u16,
        payload: &[u8],
        evicted: impl FnMut(Message<'_>),
    ) -> Result<Evicted, PutError> {
        if id == HOLE {
            return Err(PutError::ReservedId);
        }
        let report = self.make_room(payload.len(), evicted)?;
        self.put(id, payload)?;
        Ok(report)
    }

    /// Takes out the oldest messages, as many as it takes until one of `len` bytes
    /// [fits](Self::fits): each is shown to `evicted` before it goes. For what is written in place.
    ///
    /// Errors: [`TooLong`](PutError::TooLong), [`NeverFits`](PutError::NeverFits); nothing has been
    /// taken out then.
    /// Cost: one header for each record that goes.
    ///
    /// ```
    /// # let mut ring = ensue::Ring::<[u8; 16]>::new();
    /// ring.put(1, b"oldest")?;
    /// let lost = ring.make_room(8, |_| ())?.messages;
    /// ring.put_fmt(2, 8, format_args!("{} C", 21))?;
    /// assert_eq!(lost, 1);
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    pub fn make_room(
        &mut self,
        len: usize,
        mut evicted: impl FnMut(Message<'_>),
    ) -> Result<Evicted, PutError> {
        evict(&mut self.queue, self.storage.as_mut(), len, &mut evicted)
    }
}

fn evict<T: Track>(
    queue: &mut Queue<T>,
    storage: &[u8],
    len: usize,
    evicted: &mut dyn FnMut(Message<'_>),
) -> Result<Evicted, PutError> {
    let size = storage.len();
    let mut report = Evicted { messages: 0, bytes: 0 };
    while let Err(refusal) = queue.check(size, ANY, len) {
        let PutError::Full { .. } = refusal else { return Err(refusal) };
        // Without a message left this passes the last holes: what fits the ring fits then.
        if let Some(message) = queue.get(storage).message(storage) {
            report.messages += 1;
            report.bytes += HEADER + message.len();
            evicted(message);
        }
    }
    Ok(report)
}

/// What had to go for a message to fit: see [`Ring::put_evicting`], [`Ring::make_room`].
#[must_use = "messages may have been lost"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evicted {
    /// How many messages.
    pub messages: usize,
    /// How many bytes they took, their headers included.
    pub bytes: usize,
}

/// Figures.
///
/// Callable from: wherever you hold the `&`.
impl<S: AsRef<[u8]> + ?Sized, T: Track> Ring<S, T> {
    /// Bytes in holes: used, but holding no message any more. [`compact`](Self::compact) frees them.
    #[inline]
    pub fn reclaimable(&self) -> usize {
        self.queue.holes()
    }

    /// How many holes there are.
    ///
    /// Cost: one header for each record.
    pub fn hole_count(&self) -> usize {
        self.queue.hole_count(self.storage.as_ref())
    }
}

impl<S: AsRef<[u8]> + ?Sized> Ring<S, Tracked> {
    /// The most bytes that were ever [`used`](Self::used) at once, also before a `clear`.
    ///
    /// ```
    /// let mut ring = ensue::Ring::<[u8; 64], _>::tracked();
    /// ring.put(1, b"21.5C")?;
    /// ring.get();
    /// ring.put(2, b"")?;
    /// assert_eq!(ring.high_water(), 9);
    /// # Ok::<(), ensue::PutError>(())
    /// ```
    #[inline]
    pub fn high_water(&self) -> usize {
        self.queue.high_water()
    }
}
