//! The inbox: the only thing that the scheduler shares with interrupts.
//!
//! An interrupt leaves events here and goes its way; the next pass picks them up. There are two
//! tiers. An event without params is a flag: two byte stores and their fences, no masking, no
//! compare-and-swap, so it is allowed where critical sections are not (an interrupt above the mask,
//! the other core) and it cannot fail. It coalesces: what is promised is a run after the last
//! trigger, not a count. An event with params goes through a queue of fixed length in a short
//! critical section, and is counted exactly: accepted plus refused is sent.
//!
//! A pass takes the queue first, in the order of arrival, then the flags, in the order of the enum.
//! What must come before what, and why it does, is in `sync.rs`.

use core::{cell::Cell, fmt, mem::ManuallyDrop};

use critical_section::Mutex;

use crate::{
    event::{Event, FlagsOf, sealed::PerEvent},
    log,
    sync::{AtomicBool, Fence, Ordering::Relaxed, fence, with},
};

/// Where interrupts leave events, with room for `N` that bring params.
///
/// Make it a `static` and give it to [`Work::listen`](crate::Work::listen).
///
/// ```
/// use ensue::{App, Cx, Ended, Inbox, Work, clock::Virtual};
///
/// ensue::events! { pub enum Signal { Button } }
/// static INBOX: Inbox<Signal, (), 8> = Inbox::new();
///
/// struct Door { opened: u32 }
/// impl App for Door { type Event = Signal; type Params = (); type Outcome = (); }
///
/// fn open(door: &mut Door, _: &mut Cx<Door>) {
///     door.opened += 1;
/// }
///
/// let mut work = Work::<Door, _, 4>::new(Virtual::new()).listen(&INBOX);
/// work.on(Signal::Button, open)?;
/// INBOX.trigger_event(Signal::Button); // from an interrupt
/// let mut door = Door { opened: 0 };
/// assert_eq!(work.start(&mut door), Ended::NoTasks);
/// assert_eq!(door.opened, 1);
/// # Ok::<(), ensue::ScheduleError>(())
/// ```
///
/// # What arrives, and in which order
///
/// A pass looks here once, when it begins. It takes the events with params in the order in which
/// they came, up to what was there at that moment, then those without, in the order of the enum.
/// What comes later is for the next pass.
///
/// Triggers that come before a pass has taken the first of them are merged on the way:
///
/// - Without params they are one. The task runs after the last of them, and it sees all that the
///   interrupts had written before they triggered.
/// - With params each is taken, but a listener that has not run yet keeps only the newest (with
///   [`keep_first`](crate::Task::keep_first) the oldest), and runs once. So an inbox is no stream
///   of bytes: let the interrupt put those into a queue of its own, and trigger an event without
///   params that says that there is something in it.
///
/// An event that nobody listens to when the pass takes it reaches nobody, as any trigger does;
/// unless the next to listen is [`latched`](crate::Task::latched).
///
/// # What fits
///
/// `N` from 0: with 0 every event loses its params, and the queue takes no room. Memory on a 32-bit
/// chip: 15 bytes, one for each event, and for each of the `N` one byte, and the params with a tag as
/// large as their alignment. In a `static` it takes no flash, as it begins with zeros; with a
/// function to [wake](Self::wake_with) it begins with that.
///
/// # Who may reach it
///
/// Params that may not cross to another thread cannot go through an inbox. An `Arc` may, an `Rc`
/// does not compile:
///
/// ```
/// # use ensue::Inbox;
/// static INBOX: Inbox<(), std::sync::Arc<u8>, 8> = Inbox::new();
/// ```
///
/// ```compile_fail,E0277
/// # use ensue::Inbox;
/// static INBOX: Inbox<(), std::rc::Rc<u8>, 8> = Inbox::new();
/// ```
///
/// The inbox is all that an interrupt can reach. A [`Work`](crate::Work) is a value of main's, and
/// as a `static` it does not compile, even if its clock and its app can be shared:
///
/// ```compile_fail,E0277
/// # use ensue::{App, Clock, Instant, Work};
/// # struct Door;
/// # impl App for Door { type Event = (); type Params = (); type Outcome = (); }
/// # struct Timer;
/// # impl Clock for Timer { fn now(&self) -> Instant { Instant::from_ticks(0) } }
/// static TIMER: Timer = Timer; // this compiles
/// static WORK: Work<Door, &Timer, 4> = Work::new(&TIMER);
/// ```
///
/// Nor can a thread borrow it:
///
/// ```compile_fail,E0277
/// # use ensue::{App, Clock, Instant, Work};
/// # struct Door;
/// # impl App for Door { type Event = (); type Params = (); type Outcome = (); }
/// # struct Timer;
/// # impl Clock for Timer { fn now(&self) -> Instant { Instant::from_ticks(0) } }
/// let work = Work::<Door, _, 4>::new(Timer);
/// std::thread::scope(|scope| {
///     scope.spawn(|| work.task_count());
/// });
/// ```
///
/// # Who is woken
///
/// `W` is what a trigger does at its end: nothing, unless [`wake_with`](Self::wake_with) says
/// otherwise. An inbox without it does not even ask.
pub struct Inbox<E: Event, P, const N: usize, W = ()> {
    // No drop glue, or `wake_with` could not be a `const fn`. Only an inbox that nobody ever
    // listened to can be dropped: the others are borrowed for good.
    tray: ManuallyDrop<Tray<E, P, N>>,
    wake: W,
}

/// The inbox was full; here are the params. The event itself has been triggered, without them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full<P>(pub P);

/// What a trigger does at its end, for [`Inbox::wake_with`]: a function, or a type of your own.
///
/// A function in a `static` is a pointer, which is loaded and called. A type of no size is called
/// as if it stood there itself, and an inbox with it still takes no flash:
///
/// ```
/// use ensue::{Inbox, Wake};
///
/// ensue::events! { pub enum Signal { Button } }
///
/// struct OtherCore;
/// impl Wake for OtherCore {
///     fn wake(&self) {
///         // dsb, then sev
///     }
/// }
/// static INBOX: Inbox<Signal, (), 8, OtherCore> = Inbox::new().wake_with(OtherCore);
/// INBOX.trigger_event(Signal::Button);
/// ```
pub trait Wake {
    /// Called after each trigger, in the context that triggered.
    fn wake(&self);
}

/// Nobody has to be woken: an interrupt on the core that sleeps is its own wake-up.
impl Wake for () {
    #[inline]
    fn wake(&self) {}
}

impl<F: Fn()> Wake for F {
    #[inline]
    fn wake(&self) {
        self();
    }
}

impl<E: Event, P, const N: usize> Inbox<E, P, N> {
    /// An empty inbox.
    pub const fn new() -> Self {
        Self { tray: ManuallyDrop::new(Tray::EMPTY), wake: () }
    }

    /// Calls `wake` after each trigger, in the context that triggered.
    ///
    /// An interrupt on the core that sleeps is its own wake-up and needs none. Others do: a thread
    /// unparks the one that sleeps; the other core sends an event (`dsb`, then `sev`: what it wrote
    /// must be out first).
    ///
    /// Cost: a call. A [type of your own](Wake) saves the pointer.
    ///
    /// ```
    /// use std::sync::OnceLock;
    /// use std::thread::{self, Thread};
    ///
    /// use ensue::Inbox;
    ///
    /// ensue::events! { pub enum Signal { Button } }
    /// static INBOX: Inbox<Signal, (), 8, fn()> = Inbox::new().wake_with(unpark);
    /// static MAIN: OnceLock<Thread> = OnceLock::new();
    ///
    /// fn unpark() {
    ///     if let Some(main) = MAIN.get() {
    ///         main.unpark();
    ///     }
    /// }
    ///
    /// MAIN.set(thread::current()).unwrap();
    /// thread::spawn(|| INBOX.trigger_event(Signal::Button));
    /// thread::park(); // as a clock's `wait` does
    /// ```
    pub const fn wake_with<W: Wake>(self, wake: W) -> Inbox<E, P, N, W> {
        let Self { tray, wake: () } = self;
        Inbox { tray, wake }
    }
}

impl<E: Event, P, const N: usize, W: Wake> Inbox<E, P, N, W> {
    /// Triggers an event.
    ///
    /// It cannot fail, and triggers that come before the next pass are one.
    ///
    /// Callable from: main, any interrupt whatever its priority, either core.
    /// Cost: two byte stores, each after a fence, then the wake hook.
    #[inline]
    pub fn trigger_event(&self, event: E) {
        if let Some(flag) = self.tray.front.flags.as_ref().get(event.index()) {
            self.tray.front.bell.raise(flag);
        }
        self.wake.wake();
    }

    /// Triggers an event that brings params.
    ///
    /// Callable from: main, any interrupt that critical sections mask, either core if they cover
    /// both. Cost: a critical section of a fixed number of steps and one copy of the params, a byte
    /// store, then the wake hook. Pass large params by an index or a reference instead.
    ///
    /// Errors: [`Full`] gives the params back; it is counted, and the event still arrives.
    ///
    /// ```
    /// use ensue::{Full, Inbox};
    ///
    /// ensue::events! { pub enum Signal { Sampled } }
    /// static INBOX: Inbox<Signal, i16, 1> = Inbox::new();
    ///
    /// assert_eq!(INBOX.trigger_event_with(Signal::Sampled, 21), Ok(()));
    /// assert_eq!(INBOX.trigger_event_with(Signal::Sampled, 22), Err(Full(22)));
    /// assert_eq!(INBOX.refused(), 1);
    /// ```
    pub fn trigger_event_with(&self, event: E, params: P) -> Result<(), Full<P>> {
        let number = event.index();
        if number >= self.tray.front.flags.as_ref().len() {
            return Ok(()); // nobody hears of it
        }
        // There are at most 256 events.
        match with(|token| self.tray.queue.borrow(token).push(number as u8, params)) {
            Ok(()) => {
                self.tray.front.bell.queued.store(true, Relaxed);
                self.wake.wake();
                Ok(())
            }
            Err(params) => {
                self.trigger_event(event);
                log::refused(event.index());
                Err(Full(params))
            }
        }
    }

    /// Ends the loop: after the job that runs, the rest of the pass is skipped, every task that
    /// exists is cancelled, the inbox is emptied, and [`start`](crate::Work::start) returns
    /// [`Stopped`](crate::Ended::Stopped).
    ///
    /// It is remembered until then: of a loop that has not been started yet, the first pass ends.
    ///
    /// Callable from: main, any interrupt whatever its priority, either core.
    /// Cost: as [`trigger_event`](Self::trigger_event).
    ///
    /// ```
    /// use ensue::clock::{Interrupt, Virtual};
    /// use ensue::{App, Cx, Ended, ExtU64, Inbox, Work};
    ///
    /// struct Lamp { changes: u32 }
    /// impl App for Lamp { type Event = (); type Params = (); type Outcome = (); }
    /// fn toggle(lamp: &mut Lamp, _: &mut Cx<Lamp>) {
    ///     lamp.changes += 1;
    /// }
    ///
    /// static INBOX: Inbox<(), (), 0> = Inbox::new();
    /// let script = [Interrupt { at: 2_200.millis(), run: &|_| INBOX.stop() }];
    /// let mut work = Work::<Lamp, _, 4>::new(Virtual::with_script(&script)).listen(&INBOX);
    /// work.repeat(500.millis(), toggle)?;
    /// let mut lamp = Lamp { changes: 0 };
    /// assert_eq!(work.start(&mut lamp), Ended::Stopped);
    /// assert_eq!((lamp.changes, work.task_count()), (5, 0)); // at 0, 0.5, .. 2 s
    /// # Ok::<(), ensue::ScheduleError>(())
    /// ```
    #[inline]
    pub fn stop(&self) {
        self.tray.front.bell.raise(&self.tray.front.bell.stop);
        self.wake.wake();
    }
}

impl<E: Event, P, const N: usize, W> Inbox<E, P, N, W> {
    /// How many triggers have been refused their params since the beginning; it stays at
    /// `u32::MAX`.
    ///
    /// Callable from: anywhere that critical sections are. Cost: O(1).
    pub fn refused(&self) -> u32 {
        with(|token| self.tray.queue.borrow(token).refused.get())
    }
}

impl<E: Event, P, const N: usize, W> fmt::Debug for Inbox<E, P, N, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("arrived", &self.tray.front.bell.has_rung())
            .field("refused", &self.refused())
            .finish_non_exhaustive()
    }
}

impl<E: Event, P, const N: usize> Default for Inbox<E, P, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// What is left here, whoever is woken.
#[repr(C)] // What an interrupt stores to comes first: a Cortex-M0 reaches 31 bytes at no cost.
struct Tray<E: Event, P, const N: usize> {
    front: Front<E>,
    queue: Mutex<Queue<P, N>>,
}

/// What is stored to and looked at without a lock.
#[repr(C)]
struct Front<E: Event> {
    bell: Bell,
    flags: FlagsOf<E>,
}

impl<E: Event, P, const N: usize> Tray<E, P, N> {
    // Each use makes a tray of its own, which is the point.
    #[allow(clippy::declare_interior_mutable_const)]
    const EMPTY: Self = Self {
        front: Front {
            bell: Bell {
                arrived: AtomicBool::new(false),
                queued: AtomicBool::new(false),
                stop: AtomicBool::new(false),
            },
            flags: <E::Count as PerEvent>::NO_FLAGS,
        },
        queue: Mutex::new(Queue::EMPTY),
    };
}

/// What the loop looks at all the time.
#[repr(C)]
struct Bell {
    /// Set after a flag has been raised.
    arrived: AtomicBool,
    /// Set after params have been queued. A byte of its own, as the lock around the queue already
    /// orders what has to do with it: one byte for both would take a fence more.
    queued: AtomicBool,
    /// A flag like that of an event, looked at after each run.
    stop: AtomicBool,
}

impl Bell {
    /// Raises a flag and tells of it.
    #[inline]
    fn raise(&self, flag: &AtomicBool) {
        fence(Fence::Said);
        flag.store(true, Relaxed);
        fence(Fence::Raised);
        self.arrived.store(true, Relaxed);
    }

    /// Whether anything has arrived.
    #[inline]
    fn has_rung(&self) -> bool {
        self.arrived.load(Relaxed) | self.queued.load(Relaxed)
    }
}

/// The events that bring params, oldest first.
///
/// It lives inside a critical section, and therefore in cells: there is nothing to borrow, and so
/// nothing that could fail.
struct Queue<P, const N: usize> {
    /// In range 0 .. N; the oldest.
    first: Cell<usize>,
    /// In range 0 ..= N.
    length: Cell<usize>,
    refused: Cell<u32>,
    /// Their numbers.
    events: [Cell<u8>; N],
    /// Apart from the numbers: what has one in front of it is copied byte by byte, and twice, while
    /// interrupts are masked (64 bytes on a Cortex-M0: 940 instructions instead of 40).
    params: [Cell<Place<P>>; N],
}

/// A cell has no values to spare, so the tag lies before the params and not among their values:
/// an empty place is zero whatever they are.
enum Place<P> {
    Empty,
    Taken(Cell<P>),
}

impl<P, const N: usize> Queue<P, N> {
    // Each use makes a queue of its own, which is the point.
    #[allow(clippy::declare_interior_mutable_const)]
    const EMPTY: Self = Self {
        first: Cell::new(0),
        length: Cell::new(0),
        refused: Cell::new(0),
        events: [const { Cell::new(0) }; N],
        params: [const { Cell::new(Place::Empty) }; N],
    };

    fn push(&self, event: u8, params: P) -> Result<(), P> {
        let length = self.length.get();
        let end = Self::wrapped(self.first.get().wrapping_add(length));
        match (self.events.get(end), self.params.get(end)) {
            (Some(event_place), Some(place)) if length < N => {
                event_place.set(event);
                place.set(Place::Taken(Cell::new(params)));
                self.length.set(length.wrapping_add(1));
                Ok(())
            }
            _ => {
                self.refused.set(self.refused.get().saturating_add(1));
                Err(params)
            }
        }
    }

    /// The number of the event goes into the argument, apart from the params for the same reason.
    fn pop(&self, event: &mut u8) -> Option<P> {
        let first = self.first.get();
        let length = self.length.get().checked_sub(1)?;
        let (event_place, place) = (self.events.get(first)?, self.params.get(first)?);
        *event = event_place.get();
        self.first.set(Self::wrapped(first.wrapping_add(1)));
        self.length.set(length);
        match place.replace(Place::Empty) {
            Place::Taken(params) => Some(params.into_inner()),
            Place::Empty => None,
        }
    }

    /// Range: below 2 N.
    fn wrapped(place: usize) -> usize {
        if place < N { place } else { place.wrapping_sub(N) }
    }
}

/// An inbox as the table sees it, whatever its capacity: what is looked at all the time lies open,
/// the rest is behind a table of functions.
pub(crate) struct Mailbox<E: Event, P: 'static> {
    front: &'static Front<E>,
    mail: &'static dyn Mail<P>,
}

impl<E: Event, P> Clone for Mailbox<E, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: Event, P> Copy for Mailbox<E, P> {}

impl<E: Event, P: Send, const N: usize, W> Inbox<E, P, N, W> {
    pub(crate) fn mailbox(&'static self) -> Mailbox<E, P> {
        let tray: &Tray<E, P, N> = &self.tray;
        Mailbox { front: &tray.front, mail: tray }
    }
}

impl<E: Event, P> Mailbox<E, P> {
    /// What a sleeping loop tests: either of them.
    pub(crate) fn bells(&self) -> [&'static AtomicBool; 2] {
        [&self.front.bell.arrived, &self.front.bell.queued]
    }

    /// Whether anything has arrived.
    #[inline]
    pub(crate) fn has_arrived(&self) -> bool {
        self.front.bell.has_rung()
    }

    /// Whether an interrupt has called `stop`.
    #[inline]
    pub(crate) fn asks_to_stop(&self) -> bool {
        self.front.bell.stop.load(Relaxed)
    }

    /// Begins a reading.
    #[inline]
    pub(crate) fn begin(&self) {
        self.front.bell.arrived.store(false, Relaxed);
        fence(Fence::Asked);
    }

    /// Whether events with params have come since this was last asked.
    #[inline]
    pub(crate) fn has_queued(&self) -> bool {
        lower(&self.front.bell.queued)
    }

    /// How many events with params there are.
    pub(crate) fn waiting(&self) -> usize {
        self.mail.waiting()
    }

    /// The oldest event with params, by its number.
    pub(crate) fn take(&self) -> Option<(u8, P)> {
        let mut event = 0;
        let params = self.mail.take(&mut event)?;
        Some((event, params))
    }

    /// The flags, in the order of the enum.
    #[inline]
    pub(crate) fn flags(&self) -> &'static [AtomicBool] {
        self.front.flags.as_ref()
    }

    /// Throws everything away.
    pub(crate) fn clear(&self) {
        self.begin();
        self.has_queued();
        for _ in 0..self.waiting() {
            self.take();
        }
        self.flags().iter().for_each(|flag| flag.store(false, Relaxed));
        self.front.bell.stop.store(false, Relaxed);
        fence(Fence::Taken);
    }
}

/// Lowers a flag; whether it was raised.
#[inline]
fn lower(flag: &AtomicBool) -> bool {
    let raised = flag.load(Relaxed);
    if raised {
        flag.store(false, Relaxed);
    }
    raised
}

/// Lowers the flag of an event. When it was raised, what the interrupts wrote before that is visible
/// from here on.
#[inline(always)]
pub(crate) fn take(flag: &AtomicBool) -> bool {
    let raised = lower(flag);
    if raised {
        fence(Fence::Taken);
    }
    raised
}

/// What depends on an inbox's capacity.
trait Mail<P>: Sync {
    fn waiting(&self) -> usize;
    fn take(&self, event: &mut u8) -> Option<P>;
}

impl<E: Event, P: Send, const N: usize> Mail<P> for Tray<E, P, N> {
    fn waiting(&self) -> usize {
        with(|token| self.queue.borrow(token).length.get())
    }

    fn take(&self, event: &mut u8) -> Option<P> {
        with(|token| self.queue.borrow(token).pop(event))
    }
}
