//! A table driven step by step, and its invariants after each.

use super::*;
use crate::{
    Task,
    pass::{Batch, Begun, Run},
};
use proptest::prelude::*;
use std::{collections::BTreeSet, vec, vec::Vec};

crate::events! { enum Signal { Zero, One, Two } }

struct Node;

impl App for Node {
    type Event = Signal;
    type Params = u8;
    type Outcome = ();
}

fn job(_: &mut Node, _: &mut crate::Cx<'_, Node>) {}

/// A clock that shows one time.
struct Stopped(Instant);

impl Clock for Stopped {
    fn now(&self) -> Instant {
        self.0
    }
}

/// A table that is driven step by step: what is done between the beginning of a run and its
/// end is what its job does.
struct Bench {
    head: Head<Node>,
    slots: Vec<Slot<Node>>,
    options: Vec<Options>,
    now: Instant,
    /// The pass and when it began, without a batch while listeners of a called event run;
    /// `None` between passes.
    pass: Option<(Option<Batch>, Instant)>,
    run: Option<(Run<Node>, Begun)>,
}

impl Bench {
    fn new(places: usize, records: usize) -> Self {
        Self {
            head: Head::new(),
            slots: (0..places).map(|_| Slot::FREE).collect(),
            options: vec![Options::NONE; records],
            now: Instant::from_ticks(0),
            pass: None,
            run: None,
        }
    }

    fn table(&mut self) -> Table<'_, Node> {
        Table { head: &mut self.head, slots: &mut self.slots, options: &mut self.options }
    }

    fn schedule(&mut self, task: Task<Node>) -> Result<TaskId, ScheduleError> {
        let now = self.now;
        self.table().settle(task.order()?, now)
    }

    /// The run that is being made returns, and the next one begins, of this pass or of another;
    /// whether there was one.
    fn go_on(&mut self) -> Option<TaskId> {
        let now = self.now;
        match self.run.take() {
            Some((run, begun)) => match self.pass {
                Some((Some(Batch::InOrder), ..)) => {
                    let told = self.table().finish_first(&run, begun, &Stopped(now));
                    let first = self.slots.get(timeline::first(&self.slots));
                    assert!(told.is_none() || told == first.map(|slot| slot.node.deadline));
                }
                Some((None, ..)) => {
                    self.table().finish_called(&run, begun, &Stopped(now));
                }
                _ => self.table().finish(&run, begun, &Stopped(now)),
            },
            None => {
                let batch = if self.table().open_pass() {
                    Some(Batch::InOrder)
                } else {
                    let called = self.table().open_called(now);
                    (!called).then(|| self.table().open_queues(now))
                };
                self.pass = Some((batch, now));
            }
        }
        if self.table().take_stopped() {
            self.pass = None;
        }
        let (mut batch, began) = self.pass.take()?;
        let mut run = None;
        if batch.is_none() {
            run = self.table().begin_called();
        }
        if run.is_none() {
            if batch.is_none() {
                self.table().end_called();
            }
            let rest = *batch.get_or_insert(Batch::Queued);
            run = self.table().begin_next(rest, &Stopped(now), began);
        }
        let run = run?;
        self.pass = Some((batch, began));
        let id = run.0.id();
        self.run = Some(run);
        Some(id)
    }

    /// One pass, of jobs that do nothing; who ran.
    fn pass(&mut self) -> Vec<TaskId> {
        core::iter::from_fn(|| self.go_on()).collect()
    }

    fn queue(&self, chain: &Chain) -> Vec<usize> {
        let mut members = vec![];
        let mut link = chain.first();
        while !link.is_none() {
            assert!(members.len() < self.slots.len(), "a queue runs in a circle");
            members.push(link.index());
            link = Linked::<QUEUE>::links(&self.slots[link.index()]).next();
        }
        assert_eq!(members.last().copied(), last_of(chain));
        members
    }

    fn listeners(&self, chain: &Chain) -> Vec<usize> {
        let mut members = vec![];
        let mut link = chain.first();
        while !link.is_none() {
            assert!(members.len() < self.slots.len(), "listeners stand in a circle");
            members.push(link.index());
            link = Linked::<WAITING>::links(&self.slots[link.index()]).next();
        }
        assert_eq!(members.last().copied(), last_of(chain));
        members
    }

    /// Every promise that the table's files make to each other.
    fn check(&self) {
        self.check_places();
        self.check_timeline();
        self.check_ready();
        self.check_listeners();
        self.check_records();
        for slot in &self.slots {
            self.check_membership(slot);
        }
    }

    /// No place is lost: free ones, fresh ones, tenants, and one whose tenant was cancelled
    /// in its run.
    fn check_places(&self) {
        let freed = self.queue(&self.head.freed);
        for &index in &freed {
            assert!(index < usize::from(self.head.used), "a fresh place is in the free list");
            assert_eq!(self.slots[index].step, Step::Free);
            assert_ne!(Some(index), self.running());
        }
        let live = self.slots.iter().filter(|slot| slot.step != Step::Free).count();
        assert_eq!(live, usize::from(self.head.live));
        let leaving = self.running().filter(|&index| self.slots[index].step == Step::Free);
        let fresh = self.slots.len() - usize::from(self.head.used);
        let known = freed.len() + fresh + live + usize::from(leaving.is_some());
        assert_eq!(known, self.slots.len(), "a place was lost");
        for (index, slot) in self.slots.iter().enumerate() {
            let occupied = slot.step != Step::Free || leaving == Some(index);
            assert_eq!(slot.work.is_some(), occupied, "params outlive their task, or do not");
            assert!(occupied || slot.options.is_none(), "a record was not given back");
        }
    }

    fn running(&self) -> Option<usize> {
        (!self.head.running.is_none()).then(|| self.head.running.index())
    }

    /// The first in the timeline is the first of the armed ones, and all numbers are different.
    fn check_timeline(&self) {
        let first = timeline::first(&self.slots);
        let first = self.slots.get(first).map(|_| first);
        let mut reasons = 0;
        for slot in self.slots.iter().filter(|slot| slot.work.is_some()) {
            reasons += u32::from(slot.priority != Priority::Normal);
            reasons += u32::from(slot.place.is_armed() && slot.step.waits_for_event());
        }
        assert_eq!(self.head.ranked, reasons);
        let armed = self.slots.iter().enumerate().filter(|(_, slot)| slot.place.is_armed());
        let expected = armed.min_by_key(|(_, slot)| (slot.node.deadline, slot.node.sequence));
        assert_eq!(first, expected.map(|(index, _)| index));
        let numbers: Vec<u32> = (self.slots.iter())
            .filter(|slot| slot.place.is_armed() || slot.step.is_ready())
            .map(|slot| slot.node.sequence)
            .collect();
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
        assert!(numbers.iter().all(|&number| number < self.head.sequence));
    }

    /// Each ready slot is in the queue of its priority, in the order of deadline and arming,
    /// what belongs to the next pass behind what belongs to this one.
    fn check_ready(&self) {
        let mut ready = 0;
        for (rank, queue) in self.head.ready.iter().enumerate() {
            let members = self.queue(queue);
            ready += members.len();
            for &index in &members {
                assert!(self.slots[index].step.is_ready());
                assert_eq!(self.slots[index].priority as usize, rank);
            }
            assert!(members.is_sorted_by_key(|&index| {
                let node = self.slots[index].node;
                (node.sequence >= self.head.limit, node.deadline, node.sequence)
            }));
        }
        assert_eq!(ready, self.slots.iter().filter(|slot| slot.step.is_ready()).count());
    }

    /// Each listed slot is in the chain of its event and in no other.
    fn check_listeners(&self) {
        let mut listed = 0;
        for (event, listeners) in self.head.listeners.iter().enumerate() {
            let members = self.listeners(&listeners.chain);
            listed += members.len();
            for &index in &members {
                assert!(self.slots[index].place.is_listed());
                assert_eq!(usize::from(self.slots[index].event), event);
            }
        }
        assert_eq!(listed, self.slots.iter().filter(|slot| slot.place.is_listed()).count());
    }

    /// The membership rule: what a slot's state says about where it is.
    fn check_membership(&self, slot: &Slot<Node>) {
        let (armed, listed) = (slot.place.is_armed(), slot.place.is_listed());
        let stays = slot.plan == Plan::Again(slot.event);
        if slot.place == Place::PLAIN_LISTENER {
            assert!(stays && !armed && slot.options.is_none());
        }
        match slot.step {
            Step::Free => assert!(!armed && !listed),
            Step::Timed => assert!(armed && !listed),
            // In the timeline as well only while a timeout runs.
            Step::Listening => assert!(listed),
            Step::Delayed => assert!(armed && (!listed || stays)),
            Step::Due => assert!(!armed && !listed),
            Step::Called | Step::TimedOut => assert!(!armed && (!listed || stays)),
            // One that has come from the timeline is still where it was; it listens to nothing.
            Step::Running => assert!(!listed || (stays && !armed)),
        }
    }

    /// No record is lost, and none has two owners.
    fn check_records(&self) {
        let mut seen = BTreeSet::new();
        let mut free = self.head.options_freed;
        while !free.is_none() {
            assert!(seen.insert(free.index()), "free records run in a circle");
            free = self.options[free.index()].next;
        }
        for slot in self.slots.iter().filter(|slot| !slot.options.is_none()) {
            assert!(seen.insert(slot.options.index()), "two slots share a record");
        }
        assert_eq!(seen.len(), usize::from(self.head.options_used), "a record was lost");
        assert!(seen.iter().all(|&place| place < usize::from(self.head.options_used)));
    }
}

fn last_of(chain: &Chain) -> Option<usize> {
    (!chain.is_empty()).then(|| chain.last().index())
}

#[derive(Clone, Debug)]
enum Act {
    At(u64, Priority, bool),
    Every(u64, u64, Missed),
    On { event: Signal, again: bool, delay: u64, timeout: u64, latched: bool },
    Trigger(Signal, Option<u8>),
    Cancel(prop::sample::Index),
    SetRepeat(prop::sample::Index, u64),
    Reschedule(prop::sample::Index, u64),
    Send(prop::sample::Index, u8),
    Await(prop::sample::Index, Signal, Option<u64>),
    Stop,
    Sleep(u64),
    GoOn,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let which = any::<prop::sample::Index>;
    let signal = || prop::sample::select(vec![Signal::Zero, Signal::One, Signal::Two]);
    let rank = prop::sample::select(vec![Priority::Low, Priority::Normal, Priority::High]);
    let missed = prop::sample::select(vec![Missed::Skip, Missed::Burst(2), Missed::Delay]);
    let act = prop_oneof![
        4 => (0u64..4, rank, any::<bool>()).prop_map(|(delay, rank, tag)| Act::At(delay, rank, tag)),
        4 => (1u64..5, 0u64..4, missed).prop_map(|(period, first, missed)| Act::Every(period, first, missed)),
        6 => (signal(), any::<bool>(), 0u64..3, 0u64..3, any::<bool>()).prop_map(
            |(event, again, delay, timeout, latched)| Act::On { event, again, delay, timeout, latched }),
        8 => (signal(), any::<Option<u8>>()).prop_map(|(event, params)| Act::Trigger(event, params)),
        4 => which().prop_map(Act::Cancel),
        3 => (which(), 0u64..4).prop_map(|(which, period)| Act::SetRepeat(which, period)),
        3 => (which(), 0u64..4).prop_map(|(which, delay)| Act::Reschedule(which, delay)),
        1 => (which(), any::<u8>()).prop_map(|(which, params)| Act::Send(which, params)),
        6 => (which(), signal(), prop::option::of(0u64..4)).prop_map(
            |(which, event, timeout)| Act::Await(which, event, timeout)),
        1 => Just(Act::Stop),
        5 => (1u64..6).prop_map(Act::Sleep),
        16 => Just(Act::GoOn),
    ];
    prop::collection::vec(act, 1..120)
}

/// Does it all, checking after each act, and returns who ran when and why.
fn act_out(bench: &mut Bench, acts: &[Act]) -> Vec<(u64, TaskId, Step)> {
    let micros = Duration::from_ticks;
    let mut ids = vec![TaskId::new(9, 9)];
    let mut runs = vec![];
    for act in acts {
        let now = bench.now;
        let mut scheduled = None;
        match act.clone() {
            Act::At(delay, rank, tag) => {
                let task = Task::at(micros(delay), job).priority(rank);
                scheduled = Some(if tag { task.tag(7) } else { task });
            }
            Act::Every(period, first, missed) => {
                let task = Task::repeat(micros(period), job).missed(missed);
                scheduled = Some(task.first_at(micros(first)));
            }
            Act::On { event, again, delay, timeout, latched } => {
                let mut task = Task::on(event, job).delay(micros(delay)).timeout(micros(timeout));
                task.again = again;
                task.options.latched = latched;
                scheduled = Some(task);
            }
            Act::Trigger(event, params) => {
                bench.table().trigger(event.index(), params.as_ref(), now);
            }
            Act::Cancel(which) => {
                let _ = bench.table().cancel(*which.get(&ids));
            }
            Act::SetRepeat(which, period) => {
                let _ = bench.table().set_repeat(*which.get(&ids), micros(period));
            }
            Act::Reschedule(which, delay) => {
                let _ = bench.table().reschedule(*which.get(&ids), micros(delay), now);
            }
            Act::Send(which, params) => {
                let _ = bench.table().send(*which.get(&ids), params);
            }
            Act::Await(which, event, timeout) => {
                let (id, timeout) = (*which.get(&ids), timeout.map(micros));
                let _ = bench.table().await_event(id, event, timeout, now);
            }
            Act::Stop => bench.table().stop(),
            Act::Sleep(time) => bench.now = crate::time::later(now, micros(time)),
            Act::GoOn => {
                if let Some(id) = bench.go_on() {
                    let cause = bench.run.as_ref().map(|(run, _)| run.cause);
                    runs.push((now.as_ticks(), id, cause.unwrap_or(Step::Free)));
                }
            }
        }
        if let Some(id) = scheduled.and_then(|task| bench.schedule(task).ok()) {
            ids.push(id);
        }
        bench.check();
    }
    runs
}

proptest! {
    #[test]
    fn whatever_is_done_the_table_is_sound(
        places in 1usize..7, records in 0usize..7, acts in acts(),
    ) {
        let mut bench = Bench::new(places, records.min(places));
        act_out(&mut bench, &acts);
        // Nothing is left behind when all is over.
        while bench.go_on().is_some() {}
        bench.table().stop();
        bench.check();
        prop_assert_eq!((bench.head.live, bench.table().has_ready()), (0, false));
        prop_assert!(bench.slots.get(timeline::first(&bench.slots)).is_none());
    }

    #[test]
    fn nobody_notices_that_the_numbers_begin_anew(
        places in 1usize..7, before in 0u32..40, acts in acts(),
    ) {
        let mut fresh = Bench::new(places, places);
        let mut old = Bench::new(places, places);
        old.head.sequence = u32::MAX / 2 - before;
        prop_assert_eq!(act_out(&mut old, &acts), act_out(&mut fresh, &acts));
    }
}

#[test]
fn the_numbers_begin_anew_in_the_order_of_arming() {
    let mut bench = Bench::new(40, 0);
    bench.head.sequence = u32::MAX / 2 - 20;
    let second = Duration::from_secs(1);
    // Places and numbers in opposite orders.
    let old: Vec<_> = (0..20).map(|_| bench.schedule(Task::at(second, job)).unwrap()).collect();
    for &id in old.iter().rev() {
        bench.table().cancel(id).unwrap();
    }
    let ids: Vec<_> = (0..40).map(|_| bench.schedule(Task::at(second, job)).unwrap()).collect();
    assert!(bench.head.sequence > u32::MAX / 2);
    bench.now = Instant::from_ticks(999_999);
    assert_eq!(bench.pass(), []);
    assert_eq!(bench.head.sequence, 40);
    bench.check();
    bench.now = Instant::from_ticks(1_000_000);
    assert_eq!(bench.pass(), ids);
}

#[test]
fn a_pass_that_arms_beyond_the_limit_ends_where_it_should() {
    let mut bench = Bench::new(4, 0);
    bench.head.sequence = u32::MAX / 2 - 1;
    let first = bench.schedule(Task::now(job)).unwrap();
    assert_eq!(bench.go_on(), Some(first));
    assert_eq!(bench.head.sequence, u32::MAX / 2, "not yet");
    for _ in 0..10_000 {
        let id = bench.schedule(Task::now(job)).unwrap();
        bench.table().cancel(id).unwrap();
    }
    let a = bench.schedule(Task::now(job).priority(Priority::High)).unwrap();
    let b = bench.schedule(Task::now(job)).unwrap();
    bench.check();
    assert_eq!(bench.go_on(), None);
    let c = bench.schedule(Task::now(job).priority(Priority::High)).unwrap();
    assert_eq!(bench.pass(), [a, c, b]);
    assert!(bench.head.sequence < 10);
    bench.check();
}

#[test]
fn after_two_billion_armings_in_one_pass_nothing_stands_still() {
    let mut bench = Bench::new(6, 0);
    let first = bench.schedule(Task::now(job)).unwrap();
    assert_eq!(bench.go_on(), Some(first));
    bench.head.sequence = u32::MAX - 1;
    let normal: Vec<_> = (0..3).map(|_| bench.schedule(Task::now(job)).unwrap()).collect();
    let high = bench.schedule(Task::now(job).priority(Priority::High)).unwrap();
    let timed = bench.schedule(Task::at(Duration::from_secs(1), job)).unwrap();
    assert_eq!(bench.go_on(), None, "all of it is for the next pass");
    assert_eq!(bench.pass(), [&[high], &normal[..]].concat());
    bench.now = Instant::from_ticks(1_000_000);
    let late = bench.schedule(Task::now(job)).unwrap();
    assert_eq!(bench.pass(), [timed, late]);
    bench.check();
}

#[test]
fn listeners_of_a_called_event_keep_their_turn_when_the_numbers_begin_anew() {
    let mut bench = Bench::new(4, 0);
    bench.head.sequence = u32::MAX / 2 - 1;
    let listens = || Task::on(Signal::One, job).again();
    let ids = [listens(), listens(), listens()].map(|task| bench.schedule(task).unwrap());
    assert_eq!(bench.table().trigger(Signal::One.index(), None, Instant::from_ticks(0)), 3);
    assert_eq!(bench.go_on(), Some(ids[0]));
    assert!(bench.head.sequence < 10);
    // Its job has the others queued.
    bench.schedule(Task::now(job)).unwrap();
    bench.check();
    assert_eq!([bench.go_on(), bench.go_on(), bench.go_on()], [Some(ids[1]), Some(ids[2]), None]);
}

#[test]
fn counts_of_faults_stay_at_their_largest() {
    let mut bench = Bench::new(1, 0);
    let id = bench.schedule(Task::repeat(Duration::from_secs(1), job)).unwrap();
    bench.go_on();
    bench.head.faults = u32::MAX - 1;
    bench.slots[0].faults = u16::MAX - 1;
    for _ in 0..3 {
        bench.table().count_fault(id.index());
    }
    assert_eq!((bench.head.faults, bench.slots[0].faults), (u32::MAX, u16::MAX));
}
