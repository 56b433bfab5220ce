//! The race is proven absent by trying every interleaving: each access of a read, to a register or
//! to a word of memory, may be preceded by any number of ticks and by the wrap interrupt.

extern crate std;

use std::thread_local;
use std::vec::Vec;

use core::cell::{Cell, RefCell};
use core::sync::atomic;

use super::*;
use crate::clock::Virtual;

/// A word of memory that lets the world move before each access.
pub(super) struct Watched(atomic::AtomicU32);

impl Watched {
    pub(super) const fn new(value: u32) -> Self {
        Self(atomic::AtomicU32::new(value))
    }

    pub(super) fn load(&self, order: Ordering) -> u32 {
        WORLD.with(World::moves);
        self.0.load(order)
    }

    pub(super) fn store(&self, value: u32, order: Ordering) {
        WORLD.with(World::moves);
        self.0.store(value, order);
    }
}

/// A counter of six ticks, one a microsecond.
struct Small;

const TURN: u64 = 6;

impl Counter for Small {
    const HZ: u32 = 1_000_000;
    const TURN: u64 = TURN;

    fn count(&self) -> u32 {
        WORLD.with(|world| {
            world.moves();
            (world.time.get() % TURN) as u32
        })
    }

    fn has_wrapped(&self) -> bool {
        WORLD.with(|world| {
            world.moves();
            world.flag.get()
        })
    }

    fn acknowledge(&self) {
        WORLD.with(|world| {
            world.moves();
            world.flag.set(false);
        });
    }
}

thread_local! {
    static WORLD: World = const { World::new() };
}

/// The hardware, the interrupt controller, and whoever decides what happens next.
struct World {
    clock: Extended<Small>,
    /// The true time.
    time: Cell<u64>,
    flag: Cell<bool>,
    /// How many ticks before the wrap the flag rises.
    lead: Cell<u64>,
    /// The wrap interrupt is running.
    serving: Cell<bool>,
    /// The wrap interrupt has not counted the last wrap yet.
    owed: Cell<bool>,
    ticks_left: Cell<u32>,
    reads_left: Cell<u32>,
    /// The choices of this run: what was chosen, of how many.
    path: RefCell<Vec<(usize, usize)>>,
    place: Cell<usize>,
    exploring: Cell<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Move {
    /// The access happens now.
    Go,
    /// A microsecond passes.
    Tick,
    /// The wrap interrupt is served.
    Serve,
    /// An interrupt of a higher priority than the running wrap interrupt reads the clock.
    Read,
}

impl World {
    const fn new() -> Self {
        Self {
            clock: Extended::new(Small),
            time: Cell::new(0),
            flag: Cell::new(false),
            lead: Cell::new(0),
            serving: Cell::new(false),
            owed: Cell::new(false),
            ticks_left: Cell::new(0),
            reads_left: Cell::new(0),
            path: RefCell::new(Vec::new()),
            place: Cell::new(0),
            exploring: Cell::new(false),
        }
    }

    /// Runs `scene` once for each way in which the world can move during it; gives how many.
    ///
    /// Each run begins at the true time `start`, all turns counted.
    fn explore(&self, start: u64, ticks: u32, reads: u32, scene: impl Fn(&Self)) -> u64 {
        let mut runs = 0;
        self.path.borrow_mut().clear();
        loop {
            self.begin(start);
            self.ticks_left.set(ticks);
            self.reads_left.set(reads);
            self.place.set(0);
            self.exploring.set(true);
            scene(self);
            self.exploring.set(false);
            runs += 1;

            let mut path = self.path.borrow_mut();
            while path.last().is_some_and(|(chosen, of)| chosen + 1 == *of) {
                path.pop();
            }
            match path.last_mut() {
                Some((chosen, _)) => *chosen += 1,
                None => return runs,
            }
        }
    }

    fn begin(&self, start: u64) {
        self.clock.step.store(0, Relaxed);
        self.clock.begins.iter().for_each(|begin| begin.store(0));
        for state in [&self.flag, &self.serving, &self.owed] {
            state.set(false);
        }
        self.time.set(0);
        while self.time.get() < start {
            self.tick();
            if self.owed.get() {
                self.serve();
            }
        }
    }

    /// What may happen before an access does.
    fn moves(&self) {
        if !self.exploring.get() {
            return;
        }
        loop {
            match self.choose() {
                Move::Go => return,
                Move::Tick => {
                    self.ticks_left.set(self.ticks_left.get() - 1);
                    self.tick();
                }
                Move::Serve => self.serve(),
                Move::Read => {
                    self.reads_left.set(self.reads_left.get() - 1);
                    self.read();
                }
            }
        }
    }

    fn choose(&self) -> Move {
        // The port promises that a wrap is served before half a turn has passed.
        let late = self.owed.get() && self.time.get() % TURN + 1 == TURN / 2;
        let possible = [
            Some(Move::Go),
            (self.ticks_left.get() > 0 && !late).then_some(Move::Tick),
            (self.owed.get() && !self.serving.get()).then_some(Move::Serve),
            (self.reads_left.get() > 0 && self.serving.get()).then_some(Move::Read),
        ];
        let possible: Vec<Move> = possible.into_iter().flatten().collect();

        let place = self.place.replace(self.place.get() + 1);
        let mut path = self.path.borrow_mut();
        if place == path.len() {
            path.push((0, possible.len()));
        }
        possible[path[place].0]
    }

    fn tick(&self) {
        self.time.set(self.time.get() + 1);
        if self.time.get().is_multiple_of(TURN) {
            assert!(!self.owed.replace(true), "the scene broke the port's promise");
        }
        if (self.time.get() + self.lead.get()).is_multiple_of(TURN) {
            self.flag.set(true);
        }
    }

    fn serve(&self) {
        self.serving.set(true);
        // Within the interrupt only another reader could see a difference.
        let exploring = self.exploring.replace(self.exploring.get() && self.reads_left.get() > 0);
        self.clock.on_wrap();
        self.exploring.set(exploring);
        self.serving.set(false);
        self.owed.set(false);
    }

    /// Reads the clock with everything that comes between, and holds it to its promise.
    fn read(&self) -> u64 {
        let before = self.time.get();
        let now = self.clock.now().as_ticks();
        let after = self.time.get();
        assert!(
            before <= now && now <= after,
            "{now} is not in {before}..={after}, after {:?}",
            self.path.borrow()
        );
        now
    }
}

#[test]
fn a_read_is_right_whatever_comes_between_its_accesses() {
    WORLD.with(|world| {
        // From every count, and slow enough to be overtaken by the whole rest of the turn.
        let runs: u64 = (TURN..2 * TURN)
            .map(|start| {
                world.explore(start, TURN as u32 - 1, 0, |world| {
                    let first = world.read();
                    world.exploring.set(false);
                    assert!(world.read() >= first, "time went back");
                })
            })
            .sum();
        assert!(runs > 100_000, "only {runs} interleavings were tried");
    });
}

#[test]
fn a_read_that_preempts_the_wrap_interrupt_is_right() {
    WORLD.with(|world| {
        let runs = world.explore(2 * TURN - 1, 4, 2, |world| {
            world.exploring.set(false);
            world.tick();
            world.exploring.set(true);
            world.serve();
            world.exploring.set(false);
            world.read();
        });
        assert!(runs > 10_000, "only {runs} interleavings were tried");
    });
}

#[test]
fn a_read_during_which_the_interrupt_is_itself_preempted_is_right() {
    WORLD.with(|world| {
        for start in [2 * TURN - 2, 2 * TURN - 1] {
            world.explore(start, 3, 1, |world| {
                world.read();
            });
        }
    });
}

#[test]
fn a_flag_may_rise_a_little_before_the_wrap() {
    WORLD.with(|world| {
        world.lead.set(1);
        for start in [2 * TURN - 2, 2 * TURN - 1] {
            world.explore(start, 4, 0, |world| {
                world.read();
            });
        }
    });
}

/// The model must be able to find a race, or the tests above would say nothing.
#[test]
fn the_model_finds_the_race_of_a_careless_read() {
    let wrong = Cell::new(0);
    WORLD.with(|world| {
        world.explore(2 * TURN - 1, 2, 0, |world| {
            let before = world.time.get();
            let clock = &world.clock;
            let begin = clock.begin(clock.step.load(Relaxed)).load();
            let now = begin + u64::from(clock.counter.count());
            if now < before || now > world.time.get() {
                wrong.set(wrong.get() + 1);
            }
        });
    });
    assert!(wrong.get() > 0);
}

#[test]
fn turns_carry_into_the_upper_half() {
    WORLD.with(|world| {
        world.begin(0);
        let begin = u64::from(u32::MAX) - 3;
        world.clock.begins.iter().for_each(|copy| copy.store(begin));
        for turn in 1..4 {
            for _ in 0..TURN {
                world.tick();
            }
            world.serve();
            assert_eq!(world.clock.now().as_ticks(), begin + turn * TURN);
        }
    });
}

#[test]
fn steps_may_wrap() {
    WORLD.with(|world| {
        world.begin(TURN - 1);
        world.clock.step.store(u32::MAX - 3, Relaxed);
        for turn in 1..6 {
            for _ in 0..TURN {
                world.tick();
                world.read();
                if world.owed.get() {
                    world.serve();
                }
            }
            assert_eq!(world.clock.now().as_ticks(), TURN - 1 + turn * TURN);
        }
    });
}

/// Counts on by a tick whenever somebody looks.
struct Running(Cell<u32>);

impl Counter for Running {
    const HZ: u32 = 1_000_000;
    const TURN: u64 = 1 << 32;

    fn count(&self) -> u32 {
        self.0.replace(self.0.get() + 1)
    }

    fn has_wrapped(&self) -> bool {
        false
    }
}

#[test]
fn without_a_port_for_it_sleeping_spins_until_the_deadline() {
    let clock = Extended::new(Running(Cell::new(0)));
    let deadline = Instant::from_ticks(100);
    clock.wait(&Sleep::new(Some(deadline), None));
    assert!((100..104).contains(&clock.now().as_ticks()));
}

/// Sleeps as its port says.
struct Sleeping<'v>(&'v Virtual<'v>);

impl Counter for Sleeping<'_> {
    const HZ: u32 = 1_000_000;
    const TURN: u64 = 1 << 32;

    fn count(&self) -> u32 {
        self.0.now().as_ticks() as u32
    }

    fn has_wrapped(&self) -> bool {
        false
    }

    fn wait(&self, clock: &Extended<Self>, sleep: &Sleep<'_>) {
        assert!(sleep.until().is_some_and(|until| clock.now() < until));
        self.0.wait(sleep);
    }
}

#[test]
fn a_port_may_bring_its_own_sleep() {
    let simulated = Virtual::new();
    let clock = Extended::new(Sleeping(&simulated));
    clock.wait(&Sleep::new(Some(Instant::from_ticks(500)), None));
    assert_eq!(clock.now().as_ticks(), 500);
    assert_eq!(clock.counter().0.now().as_ticks(), 500);
}

/// Compares the scale with a division, for the counts given, at compile-time constants as on a chip.
macro_rules! assert_exact {
    ($hz:expr, $turn:expr, $counts:expr) => {{
        const HZ: u32 = $hz;
        const TURN: u64 = $turn;
        const SCALE: Scale = Scale::new(HZ, TURN);
        for count in $counts {
            let exact = u64::from(count) * 1_000_000 / u64::from(HZ);
            assert_eq!(SCALE.micros(count), exact, "{count} ticks at {HZ} Hz");
        }
        assert_eq!(SCALE.turn, TURN * 1_000_000 / u64::from(HZ));
    }};
}

#[test]
fn every_count_of_sixteen_bits_is_exact() {
    assert_exact!(32_768, 1 << 16, 0..=0xFFFF);
    assert_exact!(1_000_000, 1 << 16, 0..=0xFFFF);
    assert_exact!(16_000_000, 1 << 16, 0..=0xFFFF);
    assert_exact!(64_000_000, 1 << 16, 0..=0xFFFF);
    assert_exact!(84_000_000, 63_000, 0..63_000);
    assert_exact!(12_500_000, 62_500, 0..62_500);
    assert_exact!(7_372_800, 36_864, 0..36_864);
    assert_exact!(1, 1 << 16, 0..=0xFFFF);
    assert_exact!(7, 49_000, 0..49_000);
    assert_exact!(59_999, 59_999, 0..59_999);
}

#[test]
fn every_count_of_twenty_four_bits_is_exact() {
    assert_exact!(32_768, 1 << 24, 0..1 << 24);
    assert_exact!(16_000_000, 1 << 24, 0..1 << 24);
    assert_exact!(12_500_000, 12_500_000, 0..12_500_000);
    assert_exact!(25_000_000, 16_777_200, 0..16_777_200);
    assert_exact!(999_983, 999_983 * 16, 0..999_983 * 16);
}

/// Every edge of a microsecond in a sample, where a rounding error would show first, and both ends.
fn sample(turn: u64) -> impl Iterator<Item = u32> {
    let ends = (0..1_000).chain(turn - 1_000..turn);
    let spread = (0..turn).step_by(104_729); // a prime, so that all remainders come
    ends.chain(spread).map(|count| u32::try_from(count).unwrap())
}

#[test]
fn counts_of_thirty_two_bits_are_exact_where_they_were_tried() {
    assert_exact!(32_768, 1 << 32, sample(1 << 32));
    assert_exact!(1_000_000, 1 << 32, sample(1 << 32));
    assert_exact!(16_000_000, 1 << 32, sample(1 << 32));
    assert_exact!(25_000_000, 4_000_000_000, sample(4_000_000_000));
    assert_exact!(84_000_000, 4_200_000_000, sample(4_200_000_000));
    assert_exact!(7_372_800, 4_246_732_800, sample(4_246_732_800));
    assert_exact!(1, 1 << 32, sample(1 << 32));
    assert_exact!(4_294_967_291, 4_294_967_291, sample(4_294_967_291));
}
