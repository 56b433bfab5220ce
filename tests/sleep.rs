//! The sleep race: an interrupt between the test and the sleep, and an alarm that is past when it
//! is armed.
//!
//! A core is modelled by what counts for sleeping: a time, an alarm that fires when the time equals
//! it and never afterwards, one interrupt line for a button, the mask, and the event register. Each
//! instruction of a port takes a microsecond, and an interrupt can come before each of them. The
//! two recipes of [`Clock::wait`] are written on it as ports write them and tried with the button at
//! every point and with every deadline. Recipes that are known to be wrong are tried as well: the
//! model is worth something only if they fail.

use std::cell::Cell;

use ensue::{App, Clock, Cx, Duration, Ended, Inbox, Instant, Sleep, Work};

ensue::events! { enum Signal { Button } }

/// Longer than any way through the loop, shorter than any sleep that goes wrong.
const PROMPT: u64 = 40;
/// When the timed job is due, when it is not tried at every point; far from the button.
const LATER: u64 = 1_000;
/// The button is tried at each of this many points: more than the loop has before it sleeps.
const POINTS: u64 = 80;

#[test]
fn masked_wfi_sleeps_through_nothing() {
    assert_eq!(misses(masked_wfi, Button::Interrupt), []);
}

#[test]
fn wfe_sleeps_through_nothing() {
    assert_eq!(misses(wfe, Button::Interrupt), []);
}

#[test]
fn wfe_sleeps_through_nothing_from_the_other_core() {
    for delay in 0..20 {
        assert_eq!(misses(wfe, Button::OtherCore { delay }), []);
    }
}

#[test]
fn both_recipes_sleep_when_there_is_nothing_to_do() {
    for recipe in [masked_wfi, wfe] {
        let night = night(recipe, Button::Interrupt, Some(LATER), None);
        assert_eq!(night.ended, Ended::NoTasks);
        assert!(night.asleep > LATER - 2 * PROMPT, "{night:?}");
    }
}

#[test]
fn unmasked_wfi_sleeps_through_an_interrupt_after_the_test() {
    fn unmasked_wfi(core: &Core, sleep: &Sleep<'_>) {
        core.arm(sleep.until());
        if core.may_sleep(sleep) {
            core.wfi();
        }
    }
    let misses = misses(unmasked_wfi, Button::Interrupt);
    assert!(misses.iter().any(|miss| miss.deadline.is_none() && miss.button.is_some()));
    assert!(misses.iter().any(|miss| miss.deadline == Some(LATER)));
    assert!(misses.iter().any(|miss| miss.button.is_none()), "the alarm is an interrupt as well");
}

#[test]
fn a_test_before_the_mask_is_no_better() {
    fn late_mask(core: &Core, sleep: &Sleep<'_>) {
        core.arm(sleep.until());
        if core.may_sleep(sleep) {
            core.mask();
            core.wfi();
            core.unmask();
        }
    }
    let misses = misses(late_mask, Button::Interrupt);
    assert!(misses.iter().any(|miss| miss.deadline.is_none()));
}

#[test]
fn an_alarm_armed_after_the_test_may_be_past_and_never_comes() {
    fn late_alarm(core: &Core, sleep: &Sleep<'_>) {
        core.mask();
        if core.may_sleep(sleep) {
            core.arm(sleep.until());
            core.wfi();
        }
        core.unmask();
    }
    let misses = misses(late_alarm, Button::Interrupt);
    assert!(misses.iter().any(|miss| miss.button.is_none()));
    assert!(misses.iter().all(|miss| miss.deadline.is_some_and(|at| at < PROMPT)), "{misses:?}");
}

#[test]
fn wfi_does_not_hear_the_other_core() {
    let misses = misses(masked_wfi, Button::OtherCore { delay: 0 });
    assert!(!misses.is_empty());
}

#[test]
fn an_exclusive_access_between_the_test_and_wfe_keeps_the_core_awake() {
    fn exclusive(core: &Core, sleep: &Sleep<'_>) {
        core.arm(sleep.until());
        if core.may_sleep(sleep) {
            core.exclusive_access();
            core.wfe();
        }
    }
    let night = night(exclusive, Button::Interrupt, Some(LATER), None);
    assert_eq!((night.ended, night.asleep), (Ended::NoTasks, 0));
}

// The two recipes.

/// On one core: arm, mask, test, sleep, unmask. A pending interrupt ends `wfi` though it is masked.
fn masked_wfi(core: &Core, sleep: &Sleep<'_>) {
    core.arm(sleep.until());
    core.mask();
    if core.may_sleep(sleep) {
        core.wfi();
    }
    core.unmask();
}

/// On Cortex-M, also with two cores: arm, test, sleep. The return from an interrupt, and `sev` of
/// the other core, set the event register, and then `wfe` does not sleep.
fn wfe(core: &Core, sleep: &Sleep<'_>) {
    core.arm(sleep.until());
    if core.may_sleep(sleep) {
        core.wfe();
    }
}

type Recipe = fn(&Core, &Sleep<'_>);

// The core.

#[derive(Clone, Copy, PartialEq, Debug)]
enum Button {
    /// An interrupt of this core, whose handler triggers the event.
    Interrupt,
    /// The other core triggers the event, and sends `sev` that much later.
    OtherCore { delay: u64 },
}

/// A core, and the world around it.
struct Core {
    now: Cell<u64>,
    alarm: Cell<Option<u64>>,
    /// The interrupts that have come and have not been served.
    alarm_pending: Cell<bool>,
    button_pending: Cell<bool>,
    masked: Cell<bool>,
    /// How many interrupts have been taken.
    taken: Cell<u32>,
    event_register: Cell<bool>,
    button: Button,
    /// When it is pressed, and when `sev` follows, as long as they are to come.
    press: Cell<Option<u64>>,
    sev: Cell<Option<u64>>,
    /// How long the core has slept.
    asleep: Cell<u64>,
    /// It sleeps, and nothing is left that could wake it.
    dead: Cell<bool>,
    inbox: &'static Inbox<Signal, (), 0>,
}

impl Core {
    /// Time for one instruction: what can happen before the next one does.
    fn step(&self) {
        let now = self.now.get() + 1;
        self.now.set(now);
        if self.alarm.get() == Some(now) {
            self.alarm_pending.set(true);
        }
        if self.press.get() == Some(now) {
            self.press.set(None);
            match self.button {
                Button::Interrupt => self.button_pending.set(true),
                Button::OtherCore { delay } => {
                    self.inbox.trigger_event(Signal::Button);
                    self.sev.set(Some(now + delay));
                }
            }
        }
        if self.sev.get() == Some(now) {
            self.sev.set(None);
            self.event_register.set(true);
        }
        self.serve();
    }

    /// Takes the pending interrupts, unless they are masked.
    fn serve(&self) {
        if self.masked.get() {
            return;
        }
        if self.button_pending.take() {
            self.inbox.trigger_event(Signal::Button);
            self.return_from_interrupt();
        }
        if self.alarm_pending.take() {
            self.return_from_interrupt();
        }
    }

    fn return_from_interrupt(&self) {
        self.taken.set(self.taken.get() + 1);
        self.event_register.set(true);
    }

    fn read_timer(&self) -> u64 {
        self.step();
        self.now.get()
    }

    fn arm(&self, until: Option<Instant>) {
        self.step();
        self.alarm.set(until.map(|until| until.as_ticks()));
    }

    /// The test of a port: nothing has arrived, and the deadline is not past.
    fn may_sleep(&self, sleep: &Sleep<'_>) -> bool {
        self.step();
        let over = sleep.is_over();
        self.step();
        !over && sleep.until().is_none_or(|until| self.read_timer() < until.as_ticks())
    }

    fn mask(&self) {
        self.step();
        self.masked.set(true);
    }

    fn unmask(&self) {
        self.step();
        self.masked.set(false);
        self.serve();
    }

    /// Wakes when an interrupt is taken, or is pending though it is masked.
    fn wfi(&self) {
        // One that is taken right before it is none of its business.
        self.step();
        let taken = self.taken.get();
        self.sleep_until(|| {
            self.alarm_pending.get() | self.button_pending.get() | (self.taken.get() != taken)
        });
    }

    /// Wakes when the event register is set, and clears it.
    fn wfe(&self) {
        self.step();
        self.sleep_until(|| self.event_register.take());
    }

    fn exclusive_access(&self) {
        self.step();
        self.event_register.set(true);
    }

    fn sleep_until(&self, woken: impl Fn() -> bool) {
        while !woken() {
            let alarm_to_come = self.alarm.get().is_some_and(|alarm| alarm > self.now.get());
            if !alarm_to_come && self.press.get().is_none() && self.sev.get().is_none() {
                self.dead.set(true);
                return;
            }
            self.asleep.set(self.asleep.get() + 1);
            self.step();
        }
    }
}

// The program on it: one job waits for the button, another one for its time.

struct Port<'c> {
    core: &'c Core,
    recipe: Recipe,
}

impl Clock for Port<'_> {
    fn now(&self) -> Instant {
        Instant::from_ticks(self.core.read_timer())
    }

    fn wait(&self, sleep: &Sleep<'_>) {
        (self.recipe)(self.core, sleep);
        if self.core.dead.get() {
            sleep.end();
        }
    }
}

#[derive(Default)]
struct Program {
    pressed_at: Option<u64>,
    timed_at: Option<u64>,
}

impl App for Program {
    type Event = Signal;
    type Params = ();
    type Outcome = ();
}

fn pressed(program: &mut Program, cx: &mut Cx<'_, Program>) {
    program.pressed_at = Some(cx.now().as_ticks());
}

fn timed(program: &mut Program, cx: &mut Cx<'_, Program>) {
    program.timed_at = Some(cx.now().as_ticks());
}

/// How it went.
#[derive(Debug)]
struct Night {
    ended: Ended,
    asleep: u64,
    program_was_late: bool,
}

/// Runs the program with a deadline and a press, or without.
fn night(recipe: Recipe, button: Button, deadline: Option<u64>, press: Option<u64>) -> Night {
    let core = Core {
        now: Cell::new(0),
        alarm: Cell::new(None),
        alarm_pending: Cell::new(false),
        button_pending: Cell::new(false),
        masked: Cell::new(false),
        taken: Cell::new(0),
        event_register: Cell::new(false),
        button,
        press: Cell::new(press),
        sev: Cell::new(None),
        asleep: Cell::new(0),
        dead: Cell::new(false),
        inbox: Box::leak(Box::new(Inbox::new())),
    };
    let mut work = Work::<Program, _, 2>::new(Port { core: &core, recipe }).listen(core.inbox);
    if press.is_some() {
        work.on(Signal::Button, pressed).unwrap();
    }
    let due = deadline.map(|delay| {
        let due = core.now.get() + 1 + delay;
        work.at(Duration::from_micros(delay), timed).unwrap();
        due
    });
    let mut program = Program::default();
    let ended = work.start(&mut program);
    let late = |wanted: Option<u64>, at: Option<u64>| match (wanted, at) {
        (Some(wanted), Some(at)) => at > wanted + PROMPT,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let sev = if let Button::OtherCore { delay } = button { delay } else { 0 };
    let program_was_late =
        late(press.map(|press| press + sev), program.pressed_at) || late(due, program.timed_at);
    Night { ended, asleep: core.asleep.get(), program_was_late }
}

/// A case in which a job did not run promptly.
#[derive(PartialEq, Debug)]
struct Miss {
    deadline: Option<u64>,
    button: Option<u64>,
}

/// Every deadline and every point for the button.
fn misses(recipe: Recipe, button: Button) -> Vec<Miss> {
    let deadlines = (0..POINTS).map(Some).chain([None, Some(LATER)]);
    let mut misses = Vec::new();
    for deadline in deadlines {
        for press in (1..=POINTS).map(Some).chain([None]) {
            let night = night(recipe, button, deadline, press);
            if night.program_was_late || night.ended != Ended::NoTasks {
                misses.push(Miss { deadline, button: press });
            }
        }
    }
    misses
}
