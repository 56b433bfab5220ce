//! The world that a scheduler is tried in: it does what the scenario says and writes the log.
//!
//! It knows schedulers by the trait [`Scheduler`] only, so the model of the reference and the crate
//! itself are given the very same operations, at the same times, by the same code.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    decision::{Decision, Rules},
    scenario::{Interrupt, Op, Scenario},
};

/// What a task is run with. Nobody looks inside.
pub(crate) type Params = Vec<Value>;

/// A scheduler, in the words of the scenarios. Times are milliseconds on the clock; tasks are named
/// by the reference's numbers, `None` being "the current one".
pub(crate) trait Scheduler {
    fn now(&self) -> u64;
    fn time_passes(&mut self, to: u64);
    fn schedule(&mut self, order: Order) -> Result<i64, Refusal>;
    fn trigger(&mut self, flag: &str, params: Option<Params>) -> usize;
    fn await_event(&mut self, id: Option<i64>, flag: &str) -> bool;
    fn cancel(&mut self, id: i64) -> bool;
    fn abort(&mut self) -> bool;
    fn set_repeat(&mut self, id: Option<i64>, period: u64) -> bool;
    fn send(&mut self, id: Option<i64>, params: Params) -> bool;
    /// As it stands in the log.
    fn status(&self, id: Option<i64>) -> Option<String>;
    fn task_count(&self) -> usize;
    fn pending_count(&self) -> usize;
    fn current(&self) -> Option<i64>;
    fn stop(&mut self);
    /// `start` called where a job runs.
    fn start_inside(&mut self, world: &mut World<'_>);
}

pub(crate) struct Order {
    pub(crate) job: String,
    pub(crate) params: Params,
    pub(crate) id: i64,
    pub(crate) when: When,
}

pub(crate) enum When {
    At { delay: u64 },
    Every { period: u64, first_at: u64 },
    On { flag: String, delay: u64, repeat: i64 },
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Refusal {
    Full,
    ZeroPeriod,
    NoNumber,
}

/// Why a run was over.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Ending {
    Returned,
    TimeLimit,
    LogLimit,
}

pub(crate) struct World<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(crate) rules: Rules,
    pub(crate) log: Vec<String>,
    runs: BTreeMap<&'s str, u32>,
    names: BTreeMap<&'s str, i64>,
    interrupts: &'s [Interrupt],
    /// When a run ends at the latest; before the first, nothing limits.
    limit: Option<u64>,
    /// Set when a run was cut off inside a job: nothing that the job does counts any more.
    cut: Option<Ending>,
    /// What `print` has put off, while a function called by `run` is at work.
    put_off: Option<Vec<String>>,
}

impl<'s> World<'s> {
    pub(crate) fn new(scenario: &'s Scenario, rules: Rules) -> Self {
        Self {
            scenario,
            rules,
            log: Vec::new(),
            runs: BTreeMap::new(),
            names: BTreeMap::new(),
            interrupts: &scenario.interrupts,
            limit: None,
            cut: None,
            put_off: None,
        }
    }

    /// Somebody else brings the interrupts.
    pub(crate) fn leave_out_interrupts(&mut self) {
        self.interrupts = &[];
    }

    pub(crate) fn cut(&self) -> Option<Ending> {
        self.cut
    }

    /// When the next interrupt comes, on the clock.
    pub(crate) fn next_interrupt(&self) -> Option<u64> {
        self.interrupts.first().map(|interrupt| interrupt.at + self.scenario.ticks_start)
    }

    /// Sleeps until the next interrupt, if there is one that comes by `until`, and lets it and those
    /// of the same time do what they do.
    pub(crate) fn interrupt(&mut self, scheduler: &mut dyn Scheduler, until: u64) -> bool {
        let Some(at) = self.next_interrupt().filter(|at| *at <= until) else { return false };
        while self.next_interrupt() == Some(at) {
            scheduler.time_passes(at);
            if let Some((interrupt, rest)) = self.interrupts.split_first() {
                self.interrupts = rest;
                let _ = self.execute(scheduler, "ext", &interrupt.ops);
            }
        }
        true
    }

    pub(crate) fn started(&mut self, now: u64, limit: u64) {
        self.limit = Some(limit);
        self.cut = None;
        self.log.push(format!("{now} start"));
    }

    pub(crate) fn ended(&mut self, now: u64, ending: Ending, live: usize) {
        let ending = match ending {
            Ending::Returned => "returned",
            Ending::TimeLimit => "time_limit",
            Ending::LogLimit => "log_limit",
        };
        self.log.push(format!("{now} end {ending} {live}"));
    }

    /// A task's run, or a job called by `run`.
    pub(crate) fn run_job(
        &mut self,
        scheduler: &mut dyn Scheduler,
        job: &str,
        id: i64,
        params: &Params,
    ) -> Result<(), &'static str> {
        if self.cut.is_some() {
            return Ok(());
        }
        let scenario = self.scenario;
        let (name, script) = scenario.jobs.get_key_value(job).expect("a job of the scenario");
        let number = self.runs.entry(name).or_default();
        *number += 1;
        let number = *number;
        let shown = serde_json::to_string(params).expect("params can be shown");
        self.log.push(format!("{} run {name}#{number} {id} {shown}", scheduler.now()));
        if self.log.len() > scenario.max_log {
            self.cut = Some(Ending::LogLimit);
            return Ok(());
        }
        if script.argc.is_some_and(|argc| argc != params.len()) {
            return Err("argc");
        }
        self.execute(scheduler, name, script.run(number))
    }

    /// The scheduler tells of a failed run.
    pub(crate) fn fault(&mut self, now: u64, id: i64, error: &str) {
        self.log.push(format!("{now} out Task {id} execution error: {error}"));
    }

    pub(crate) fn execute(
        &mut self,
        scheduler: &mut dyn Scheduler,
        who: &str,
        ops: &'s [Op],
    ) -> Result<(), &'static str> {
        for op in ops {
            if self.cut.is_some() {
                break;
            }
            let began = scheduler.now();
            match op.name.as_str() {
                "busy" => self.busy(scheduler, op),
                "raise" => {
                    self.log.push(format!("{began} raise {who}"));
                    return Err("boom");
                }
                "start" => scheduler.start_inside(self),
                _ => {
                    if let Some(answer) = self.answer(scheduler, op) {
                        self.log.push(format!("{began} {who}.{} {answer}", op.name));
                    }
                }
            }
        }
        Ok(())
    }

    fn busy(&mut self, scheduler: &mut dyn Scheduler, op: &Op) {
        let end = scheduler.now() + op.number("ms").expect("a time").unsigned_abs();
        let cut = self.limit.filter(|limit| *limit < end);
        let end = cut.unwrap_or(end);
        while self.interrupt(scheduler, end) {}
        scheduler.time_passes(end);
        self.cut = self.cut.or(cut.map(|_| Ending::TimeLimit));
    }

    /// What an operation returns; `None` when it cannot be written in the crate's terms.
    fn answer(&mut self, scheduler: &mut dyn Scheduler, op: &'s Op) -> Option<String> {
        if self.rules.has(Decision::TypedParameters) && !can_be_written(op) {
            return None;
        }
        let id = self.task_id(op);
        let answer = match op.name.as_str() {
            "do" | "at" | "repeat" | "on" => return Some(self.schedule(scheduler, op)),
            "trigger" => match flag(op, "flag") {
                Some(flag) => scheduler.trigger(&flag, package(op)).to_string(),
                None => "0".into(),
            },
            "await" => match flag(op, "flag") {
                Some(flag) => scheduler.await_event(id, &flag).to_string(),
                None => "false".into(),
            },
            "cancel" => scheduler.cancel(id.unwrap_or(0)).to_string(),
            "abort" => scheduler.abort().to_string(),
            "set_repeat" => match op.get("interval").map_or(Some(100), natural) {
                Some(period) => scheduler.set_repeat(id, period).to_string(),
                None => "false".into(),
            },
            "send" => match package(op) {
                Some(params) => scheduler.send(id, params).to_string(),
                None => "false".into(),
            },
            "status" => scheduler.status(id).unwrap_or("null".into()),
            "task_count" => scheduler.task_count().to_string(),
            "pending_count" => scheduler.pending_count().to_string(),
            "current" => scheduler.current().map_or("null".into(), |id| id.to_string()),
            "stop" => {
                scheduler.stop();
                "null".into()
            }
            // The scheduler that the scenario is about has been made with this capacity already.
            "new" => match op.get("max_tasks").and_then(natural) {
                Some(1..) => "true".into(),
                _ => "ValueError".into(),
            },
            "print" => {
                self.print(scheduler, op);
                "null".into()
            }
            "run" => {
                self.call(scheduler, op);
                "null".into()
            }
            other => panic!("an unknown operation: {other}"),
        };
        Some(answer)
    }

    fn task_id(&self, op: &Op) -> Option<i64> {
        match op.text("task_id") {
            Some(name) => self.names.get(name.trim_start_matches('$')).copied(),
            None => op.number("task_id"),
        }
    }

    fn schedule(&mut self, scheduler: &mut dyn Scheduler, op: &'s Op) -> String {
        let now = scheduler.now();
        let full = scheduler.task_count() >= self.scenario.capacity;
        let message = match order(op, self.rules) {
            Ok(order) => match scheduler.schedule(order) {
                Ok(id) => {
                    if let Some(name) = op.text("as") {
                        self.names.insert(name, id);
                    }
                    return id.to_string();
                }
                Err(Refusal::NoNumber) => return "OSError".into(),
                Err(Refusal::Full) => "Maximum task limit reached",
                Err(Refusal::ZeroPeriod) => "repeat interval must be positive",
            },
            Err(_) if full && op.name == "do" => "Maximum task limit reached",
            Err(message) => message,
        };
        self.log.push(format!("{now} out {message}"));
        "null".into()
    }

    /// The reference's `print`. While a function called by `run` is at work it puts off three
    /// texts and complains about those that follow.
    fn print(&mut self, scheduler: &dyn Scheduler, op: &Op) {
        let now = scheduler.now();
        let words = op.get("txt").and_then(Value::as_array).expect("words");
        let text = words.iter().map(shown).collect::<Vec<_>>().join(" ");
        match &mut self.put_off {
            Some(texts) if texts.len() < 3 => texts.push(text),
            Some(_) => {
                let id = scheduler.current().unwrap_or(0);
                let complaint = format!("ERROR in scheduler print for task {id}: {text}");
                self.log.push(format!("{now} out {complaint}"));
            }
            None => self.log.push(format!("{now} out {text}")),
        }
    }

    /// The reference's `run`: a function is called at once, by way of the interpreter's queue.
    fn call(&mut self, scheduler: &mut dyn Scheduler, op: &'s Op) {
        let Some(job) = op.text("job") else { return };
        let id = scheduler.current().unwrap_or(0);
        let directly = self.rules.has(Decision::NoPrintNoRun);
        if !directly {
            self.put_off = Some(Vec::new());
        }
        let result = self.run_job(scheduler, job, id, &params(op));
        if result.is_err() && !directly {
            self.log.push(format!("{} callback error", scheduler.now()));
        }
        for text in self.put_off.take().unwrap_or_default() {
            self.log.push(format!("{} out {text}", scheduler.now()));
        }
    }
}

/// Whether an operation can be written with the crate's types; those that cannot are bare mistakes.
pub(crate) fn can_be_written(op: &Op) -> bool {
    match op.name.as_str() {
        "do" | "at" | "repeat" | "on" => {
            let every =
                op.get("every").map_or(op.name != "repeat", |every| natural(every).is_some());
            let when = op.name != "on" || flag(op, "when").is_some();
            let at = op.get("at").is_none_or(|at| natural(at).is_some());
            op.text("job").is_some() && every && when && at
        }
        "trigger" | "await" => flag(op, "flag").is_some(),
        "set_repeat" => op.get("interval").is_none_or(|interval| natural(interval).is_some()),
        "send" => package(op).is_some(),
        "new" => matches!(op.get("max_tasks").and_then(natural), Some(1..)),
        _ => true,
    }
}

fn order(op: &Op, rules: Rules) -> Result<Order, &'static str> {
    let invalid = "Invalid schedule_task parameters";
    let amount = |name: &str| op.get(name).map_or(Ok(0), |value| natural(value).ok_or(invalid));
    if op.name == "repeat" && op.number("every").is_none_or(|every| every <= 0) {
        match op.get("every") {
            Some(Value::Bool(true)) => {}
            Some(Value::Number(every)) if every.is_f64() => return Err(invalid),
            // A plain zero is for the scheduler itself to refuse.
            Some(Value::Number(every)) if every.as_i64() == Some(0) => {}
            _ => return Err("repeat interval must be positive"),
        }
    }
    if op.name == "on" && op.get("when").is_none() {
        return Err("event flag 'when' cannot be None");
    }
    let delay = amount("at")?;
    let when = match op.name.as_str() {
        "repeat" => When::Every { period: amount("every")?, first_at: delay },
        "on" => {
            let repeat = match op.get("repeat") {
                Some(Value::Bool(repeat)) => i64::from(*repeat),
                Some(number) => number.as_i64().ok_or(invalid)?,
                None => 0,
            };
            let flag = flag(op, "when").ok_or(invalid)?;
            // A flag that counts as false is none at all for the reference.
            let is_flag = rules.has(Decision::EventsAreEvents) || !(flag.is_empty() || flag == "0");
            match repeat {
                _ if is_flag => When::On { flag, delay, repeat },
                1.. => When::Every { period: repeat.unsigned_abs(), first_at: delay },
                _ => When::At { delay },
            }
        }
        _ => When::At { delay },
    };
    let job = op.text("job").ok_or(invalid)?.to_owned();
    let id = op.number("task_id").unwrap_or(0);
    Ok(Order { job, params: params(op), id, when })
}

pub(crate) fn flag(op: &Op, argument: &str) -> Option<String> {
    match op.get(argument)? {
        Value::String(flag) => Some(flag.clone()),
        Value::Number(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A value that is a plain number of at least zero; `True` is 1.
fn natural(value: &Value) -> Option<u64> {
    match value {
        Value::Bool(value) => Some(u64::from(*value)),
        value => value.as_u64(),
    }
}

fn params(op: &Op) -> Params {
    match (op.get("params"), op.get("params_raw")) {
        (Some(Value::Array(params)), _) => params.clone(),
        (_, Some(value)) => vec![value.clone()],
        _ => Params::new(),
    }
}

/// What a trigger or a `send` brings; an empty package is none.
pub(crate) fn package(op: &Op) -> Option<Params> {
    match (op.get("pkg"), op.get("pkg_raw")) {
        (Some(Value::Array(params)), _) if !params.is_empty() => Some(params.clone()),
        (_, Some(value)) => Some(vec![value.clone()]),
        _ => None,
    }
}

/// As Python prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
