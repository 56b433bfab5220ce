//! The inbox: the only thing that the scheduler shares with interrupts.
//!
//! An interrupt leaves events here and goes its way; the next pass picks them up. There are two
//! tiers. An event without params is one byte store and a fence: no masking, no compare-and-swap,
//! so it is allowed where critical sections are not (an interrupt above the mask, the other core)
//! and it cannot fail. It coalesces: what is promised is a run after the last trigger, not a count.
//! An event with params goes through a queue of fixed length in a short critical section, and is
//! counted exactly: accepted plus refused is sent.
//!
//! What arrived first within a tier comes first (flags: in the order of the enum); a pass takes
//! the params before the flags.

use core::{cell::RefCell, fmt};

use critical_section::Mutex;
use heapless::Deque;
use portable_atomic::{AtomicBool, Ordering, fence};

use crate::event::{Event, FlagsOf, sealed::PerEvent};

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
/// Params that may not cross to another thread cannot go through an inbox:
///
/// ```compile_fail,E0277
/// # use ensue::Inbox;
/// static INBOX: Inbox<(), std::rc::Rc<u8>, 8> = Inbox::new();
/// ```
pub struct Inbox<E: Event, P, const N: usize> {
    /// Set after anything has arrived; what a sleeping loop tests.
    arrived: AtomicBool,
    flags: FlagsOf<E>,
    queue: Mutex<RefCell<Queue<E, P, N>>>,
    wake: Option<fn()>,
}

struct Queue<E, P, const N: usize> {
    sent: Deque<(E, P), N>,
    refused: u32,
}

/// The inbox was full; here are the params. The event itself has been triggered, without them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full<P>(pub P);

impl<E: Event, P, const N: usize> Inbox<E, P, N> {
    /// An empty inbox.
    pub const fn new() -> Self {
        Self {
            arrived: AtomicBool::new(false),
            flags: <E::Count as PerEvent>::NO_FLAGS,
            queue: Mutex::new(RefCell::new(Queue { sent: Deque::new(), refused: 0 })),
            wake: None,
        }
    }

    /// Calls `wake` after each trigger, in the context that triggered: to unpark a thread, or to
    /// wake the other core with `sev`. An interrupt on the sleeping core is its own wake-up and
    /// needs none.
    pub const fn wake_with(mut self, wake: fn()) -> Self {
        self.wake = Some(wake);
        self
    }

    /// Triggers an event.
    ///
    /// Callable from: main, any interrupt, either core. Cost: two byte stores and a fence, then
    /// the wake hook. It cannot fail, and triggers that come before the next pass are one.
    #[inline]
    pub fn trigger_event(&self, event: E) {
        if let Some(flag) = self.flags.as_ref().get(event.index()) {
            flag.store(true, Ordering::Release);
        }
        self.announce();
    }

    /// Triggers an event that brings params.
    ///
    /// Callable from: main, any interrupt that critical sections mask, either core. Cost: a
    /// critical section of a fixed number of steps, then the wake hook.
    ///
    /// Errors: [`Full`] gives the params back; it is counted, and the event still arrives.
    pub fn trigger_event_with(&self, event: E, params: P) -> Result<(), Full<P>> {
        let refused = critical_section::with(|token| {
            let Ok(mut queue) = self.queue.borrow(token).try_borrow_mut() else {
                return Some(params);
            };
            match queue.sent.push_back((event, params)) {
                Ok(()) => None,
                Err((_, params)) => {
                    queue.refused = queue.refused.saturating_add(1);
                    Some(params)
                }
            }
        });
        match refused {
            None => {
                self.announce();
                Ok(())
            }
            Some(params) => {
                self.trigger_event(event);
                Err(Full(params))
            }
        }
    }

    /// How many triggers have been refused their params since the beginning.
    ///
    /// Callable from: anywhere that critical sections are. It stays at `u32::MAX`.
    pub fn refused(&self) -> u32 {
        critical_section::with(|token| {
            self.queue.borrow(token).try_borrow().map_or(0, |queue| queue.refused)
        })
    }

    #[inline]
    fn announce(&self) {
        // Orders the event before the announcement, against the fence in `begin`.
        fence(Ordering::SeqCst);
        self.arrived.store(true, Ordering::Release);
        if let Some(wake) = self.wake {
            wake();
        }
    }
}

impl<E: Event, P, const N: usize> fmt::Debug for Inbox<E, P, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("arrived", &self.arrived).finish_non_exhaustive()
    }
}

impl<E: Event, P, const N: usize> Default for Inbox<E, P, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// An inbox as the table sees it: whatever its capacity.
pub(crate) trait Mail<E, P>: Sync {
    /// What a sleeping loop tests.
    fn arrived(&self) -> &AtomicBool;

    /// Begins a reading; false when nothing has arrived.
    fn begin(&self) -> bool;

    /// How many events with params there are.
    fn waiting(&self) -> usize;

    /// The oldest event with params.
    fn take(&self) -> Option<(E, P)>;

    /// The first event from this number on that was triggered without params; it is no longer then.
    fn take_flag(&self, from: usize) -> Option<usize>;

    /// Ends a reading: what the interrupts wrote before their triggers is visible from here on.
    fn end(&self);

    /// Throws everything away.
    fn clear(&self);
}

impl<E: Event + Send, P: Send, const N: usize> Mail<E, P> for Inbox<E, P, N> {
    fn arrived(&self) -> &AtomicBool {
        &self.arrived
    }

    fn begin(&self) -> bool {
        if !self.arrived.load(Ordering::Acquire) {
            return false;
        }
        self.arrived.store(false, Ordering::Relaxed);
        // What announces itself after this store will be read next time; what announced itself
        // before it must be seen now.
        fence(Ordering::SeqCst);
        true
    }

    fn waiting(&self) -> usize {
        critical_section::with(|token| {
            self.queue.borrow(token).try_borrow().map_or(0, |queue| queue.sent.len())
        })
    }

    fn take(&self) -> Option<(E, P)> {
        critical_section::with(|token| {
            self.queue.borrow(token).try_borrow_mut().ok()?.sent.pop_front()
        })
    }

    fn take_flag(&self, from: usize) -> Option<usize> {
        for (number, flag) in self.flags.as_ref().iter().enumerate().skip(from) {
            // The fence in `end` orders what was written before the trigger.
            if flag.load(Ordering::Relaxed) {
                flag.store(false, Ordering::Relaxed);
                return Some(number);
            }
        }
        None
    }

    fn end(&self) {
        fence(Ordering::SeqCst);
    }

    fn clear(&self) {
        self.begin();
        for _ in 0..self.waiting() {
            self.take();
        }
        for flag in self.flags.as_ref() {
            flag.store(false, Ordering::Relaxed);
        }
        self.end();
    }
}
