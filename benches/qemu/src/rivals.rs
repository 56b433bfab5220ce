//! The async rivals: embassy's executor and timer queue, rtic-time's queue, embassy-sync's signals.
//!
//! All of them run on one embassy executor. What interrupts would call is called by hand: the
//! alarm, when the time has been set to what it was armed for.

use core::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    hint::black_box,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    task::{Poll, Waker},
};

use critical_section::Mutex;
use embassy_executor::{Spawner, raw::Executor};
use embassy_sync::{
    blocking_mutex::raw::CriticalSectionRawMutex, pubsub::PubSubChannel, signal::Signal,
};
use embassy_time::{Duration, Instant, Ticker, Timer};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;
use rtic_time::timer_queue::{TimerQueue, TimerQueueBackend};

use crate::{Counter, NOW, Tally, period, phase};

static RUNS: AtomicU32 = AtomicU32::new(0);
static SUM: AtomicU32 = AtomicU32::new(0);

fn note() {
    let mut tally = tally();
    tally.note();
    RUNS.store(tally.runs, Relaxed);
    SUM.store(tally.sum, Relaxed);
}

/// What the tasks have noted since the last [`Async::end`].
pub fn tally() -> Tally {
    Tally { runs: RUNS.load(Relaxed), sum: SUM.load(Relaxed) }
}

/// Tells all tasks to end.
static STOP: AtomicBool = AtomicBool::new(false);

/// Whether no task has been told to end.
pub fn goes_on() -> bool {
    !STOP.load(Relaxed)
}

// ---- Embassy's time --------------------------------------------------------------------------

/// As the drivers in its HALs: the queue and the alarm behind a critical section.
struct EmbassyTime {
    queue: Mutex<RefCell<Queue>>,
    alarm: Mutex<Cell<u64>>,
}

embassy_time_driver::time_driver_impl!(static EMBASSY_TIME: EmbassyTime = EmbassyTime {
    queue: Mutex::new(RefCell::new(Queue::new())),
    alarm: Mutex::new(Cell::new(u64::MAX)),
});

impl Driver for EmbassyTime {
    fn now(&self) -> u64 {
        NOW.get()
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|token| {
            let mut queue = self.queue.borrow(token).borrow_mut();
            if queue.schedule_wake(at, waker) {
                let mut next = queue.next_expiration(self.now());
                while !self.set_alarm(token, next) {
                    next = queue.next_expiration(self.now());
                }
            }
        });
    }
}

impl EmbassyTime {
    /// False when it is past already.
    fn set_alarm(&self, token: critical_section::CriticalSection<'_>, at: u64) -> bool {
        self.alarm.borrow(token).set(at);
        at > self.now()
    }

    fn alarm(&self) -> u64 {
        critical_section::with(|token| self.alarm.borrow(token).get())
    }

    fn on_alarm(&self) {
        critical_section::with(|token| {
            let mut queue = self.queue.borrow(token).borrow_mut();
            let mut next = queue.next_expiration(self.now());
            while !self.set_alarm(token, next) {
                next = queue.next_expiration(self.now());
            }
        });
    }
}

// ---- RTIC's time -----------------------------------------------------------------------------

struct RticTime;

static RTIC_QUEUE: TimerQueue<RticTime> = TimerQueue::new();
static RTIC_PENDED: AtomicBool = AtomicBool::new(false);
/// The alarm, in the same two words as the time.
static RTIC_COMPARE: crate::Now = crate::Now::at(u64::MAX);

impl TimerQueueBackend for RticTime {
    type Ticks = u64;

    fn now() -> u64 {
        NOW.get()
    }
    fn set_compare(instant: u64) {
        RTIC_COMPARE.set(instant);
    }
    fn clear_compare_flag() {}
    fn pend_interrupt() {
        RTIC_PENDED.store(true, Relaxed);
    }
    fn disable_timer() {
        RTIC_COMPARE.set(u64::MAX);
    }
    fn timer_queue() -> &'static TimerQueue<Self> {
        &RTIC_QUEUE
    }
}

fn rtic_interrupt() {
    RTIC_PENDED.store(false, Relaxed);
    // SAFETY: nothing interrupts here, so this is as good as the timer's interrupt.
    unsafe { RTIC_QUEUE.on_monotonic_interrupt() };
}

// ---- The executor ----------------------------------------------------------------------------

#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {}

/// One executor, and the tasks of one rival at a time.
pub struct Async {
    executor: &'static Executor,
    spawner: Spawner,
}

impl Async {
    /// Once.
    pub fn new() -> Self {
        static EXECUTOR: static_cell::StaticCell<Executor> = static_cell::StaticCell::new();
        let executor: &'static Executor = EXECUTOR.init(Executor::new(core::ptr::null_mut()));
        RTIC_QUEUE.initialize(RticTime);
        Self { executor, spawner: executor.spawner() }
    }

    fn poll(&self) {
        // SAFETY: the pender does nothing, so this is not called from itself.
        unsafe { self.executor.poll() };
    }

    /// Ends all tasks, and starts the time and the tally again.
    pub fn end(&self) {
        STOP.store(true, Relaxed);
        NOW.set(1 << 40);
        EMBASSY_TIME.on_alarm();
        rtic_interrupt();
        for signal in &SIGNALS {
            signal.signal(());
        }
        PUBSUB.immediate_publisher().publish_immediate(());
        self.poll();
        for signal in &SIGNALS {
            signal.reset();
        }
        STOP.store(false, Relaxed);
        NOW.set(0);
        RUNS.store(0, Relaxed);
        SUM.store(0, Relaxed);
    }

    /// Starts a task of somebody else's.
    pub fn spawn<S>(&self, token: embassy_executor::SpawnToken<S>) {
        self.spawner.spawn(token);
        self.poll();
    }

    // ---- Periodic expiries ----

    pub fn embassy_periodic(&self, tasks: usize) {
        for task in 0..tasks {
            let token = embassy_periodic(phase(task).into(), period(task).into()).unwrap();
            self.spawner.spawn(token);
        }
        self.poll();
    }

    pub fn embassy_run_until(&self, end: u64) {
        loop {
            self.poll();
            let next = EMBASSY_TIME.alarm();
            if next > end {
                return;
            }
            NOW.set(next);
            EMBASSY_TIME.on_alarm();
        }
    }

    pub fn rtic_periodic(&self, tasks: usize) {
        for task in 0..tasks {
            let token = rtic_periodic(phase(task).into(), period(task).into()).unwrap();
            self.spawner.spawn(token);
        }
        self.poll();
        rtic_interrupt();
    }

    pub fn rtic_run_until(&self, end: u64) {
        loop {
            self.poll();
            if RTIC_PENDED.load(Relaxed) {
                rtic_interrupt();
            }
            let next = RTIC_COMPARE.get();
            if next > end {
                return;
            }
            NOW.set(next);
            rtic_interrupt();
        }
    }

    // ---- Arm and cancel: the ticks of all rounds, as the tasks count them themselves ----

    pub fn embassy_cancel(&self, counter: Counter, others: impl Iterator<Item = u32>) -> u64 {
        for deadline in others {
            self.spawner.spawn(embassy_periodic(deadline.into(), 1).unwrap());
        }
        self.poll();
        self.spawner.spawn(embassy_cancel(counter).unwrap());
        self.poll();
        TICKS.load(Relaxed).into()
    }

    pub fn rtic_cancel(&self, counter: Counter, others: impl Iterator<Item = u32>) -> u64 {
        for deadline in others {
            self.spawner.spawn(rtic_periodic(deadline.into(), 1).unwrap());
        }
        self.poll();
        self.spawner.spawn(rtic_cancel(counter).unwrap());
        self.poll();
        TICKS.load(Relaxed).into()
    }

    // ---- Events ----

    pub fn signal_listeners(&self, listeners: usize) {
        for signal in SIGNALS.iter().take(listeners) {
            self.spawner.spawn(signal_listener(signal).unwrap());
        }
        self.poll();
    }

    pub fn signal_all(&self, listeners: usize) {
        for signal in SIGNALS.iter().take(listeners) {
            signal.signal(());
        }
        self.poll();
    }

    pub fn pubsub_listeners(&self, listeners: usize) {
        for _ in 0..listeners {
            self.spawner.spawn(pubsub_listener().unwrap());
        }
        self.poll();
    }

    pub fn publish(&self) {
        PUBSUB.immediate_publisher().publish_immediate(());
        self.poll();
    }
}

impl Default for Async {
    fn default() -> Self {
        Self::new()
    }
}

// ---- The tasks -------------------------------------------------------------------------------

/// What the listeners wait for.
pub static SIGNALS: [Signal<CriticalSectionRawMutex, ()>; 32] = [const { Signal::new() }; 32];
static PUBSUB: PubSubChannel<CriticalSectionRawMutex, (), 4, 32, 1> = PubSubChannel::new();
static TICKS: AtomicU32 = AtomicU32::new(0);

#[embassy_executor::task(pool_size = 256)]
async fn embassy_periodic(first: u64, period: u64) {
    Timer::at(Instant::from_ticks(first)).await;
    let mut ticker = Ticker::every(Duration::from_ticks(period));
    while goes_on() {
        note();
        ticker.next().await;
    }
}

#[embassy_executor::task(pool_size = 256)]
async fn rtic_periodic(first: u64, period: u64) {
    let mut next = first;
    RTIC_QUEUE.delay_until(next).await;
    while goes_on() {
        note();
        next += period;
        RTIC_QUEUE.delay_until(next).await;
    }
}

#[embassy_executor::task]
async fn embassy_cancel(counter: Counter) {
    poll_fn(|cx| {
        let ticks = crate::delays().map(|delay| {
            counter.ticks(|| {
                let timer = pin!(Timer::after(Duration::from_ticks(black_box(delay).into())));
                let _ = black_box(timer.poll(cx));
            })
        });
        TICKS.store(ticks.sum::<u64>() as u32, Relaxed);
        Poll::Ready(())
    })
    .await
}

#[embassy_executor::task]
async fn rtic_cancel(counter: Counter) {
    poll_fn(|cx| {
        let ticks = crate::delays().map(|delay| {
            counter.ticks(|| {
                let timer = pin!(RTIC_QUEUE.delay(black_box(delay).into()));
                let _ = black_box(timer.poll(cx));
            })
        });
        TICKS.store(ticks.sum::<u64>() as u32, Relaxed);
        Poll::Ready(())
    })
    .await
}

#[embassy_executor::task(pool_size = 32)]
async fn signal_listener(signal: &'static Signal<CriticalSectionRawMutex, ()>) {
    loop {
        signal.wait().await;
        if !goes_on() {
            return;
        }
        note();
    }
}

#[embassy_executor::task(pool_size = 32)]
async fn pubsub_listener() {
    let mut subscriber = PUBSUB.subscriber().unwrap();
    loop {
        subscriber.next_message_pure().await;
        if !goes_on() {
            return;
        }
        note();
    }
}
