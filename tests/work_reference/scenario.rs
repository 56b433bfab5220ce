//! The scenarios, as they lie in `tests/data/work.jsonl`: one JSON object a line.
//!
//! Each is what the reference implementation was given and the log of what it did: `log` as it
//! is, `log_stable` with equal due times in FIFO order, `log_ideal` with a correct heap, ticks that
//! never wrap, and sleeps that an interrupt ends (`log_is` says which of them the file has).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(crate) struct Scenario {
    pub(crate) id: String,
    /// What it shows; the random ones have no name.
    pub(crate) name: String,
    /// Every sane implementation reproduces the log.
    pub(crate) strict: bool,
    pub(crate) capacity: usize,
    /// Milliseconds on the clock when the scheduler is made. The times below count from there.
    pub(crate) ticks_start: u64,
    pub(crate) starts: bool,
    pub(crate) until: u64,
    pub(crate) max_log: usize,
    pub(crate) jobs: BTreeMap<String, JobScript>,
    pub(crate) setup: Vec<Op>,
    pub(crate) interrupts: Vec<Interrupt>,
    pub(crate) after: Vec<Op>,
    pub(crate) log: Vec<String>,
}

/// What a job does, by the number of its run.
pub(crate) struct JobScript {
    pub(crate) argc: Option<usize>,
    each: Vec<Op>,
    nth: BTreeMap<u32, Vec<Op>>,
}

pub(crate) struct Interrupt {
    pub(crate) at: u64,
    pub(crate) ops: Vec<Op>,
}

/// One operation with its arguments.
pub(crate) struct Op {
    pub(crate) name: String,
    arguments: Map<String, Value>,
}

impl JobScript {
    pub(crate) fn run(&self, number: u32) -> &[Op] {
        self.nth.get(&number).unwrap_or(&self.each)
    }

    pub(crate) fn all_ops(&self) -> impl Iterator<Item = &Op> {
        self.each.iter().chain(self.nth.values().flatten())
    }
}

impl Op {
    pub(crate) fn get(&self, argument: &str) -> Option<&Value> {
        self.arguments.get(argument)
    }

    pub(crate) fn text(&self, argument: &str) -> Option<&str> {
        self.get(argument)?.as_str()
    }

    pub(crate) fn number(&self, argument: &str) -> Option<i64> {
        self.get(argument)?.as_i64()
    }
}

impl Scenario {
    pub(crate) fn all_ops(&self) -> impl Iterator<Item = &Op> {
        self.setup
            .iter()
            .chain(&self.after)
            .chain(self.interrupts.iter().flat_map(|interrupt| &interrupt.ops))
            .chain(self.jobs.values().flat_map(JobScript::all_ops))
    }
}

/// All of them, in the order of the file.
pub(crate) fn all() -> Vec<Scenario> {
    include_str!("../data/work.jsonl").lines().map(scenario).collect()
}

fn scenario(line: &str) -> Scenario {
    let mut value: Value = serde_json::from_str(line).expect("a scenario a line");
    let mut take = |key: &str| value.get_mut(key).map_or(Value::Null, Value::take);
    let jobs = match take("jobs") {
        Value::Object(jobs) => jobs.into_iter().map(|(name, script)| (name, job(script))).collect(),
        _ => panic!("jobs by name"),
    };
    let interrupts = list(take("ext")).into_iter().map(|mut interrupt| Interrupt {
        at: interrupt["t"].as_u64().expect("a time"),
        ops: ops(interrupt["ops"].take()),
    });
    let setup = ops(take("setup"));
    // A scenario that makes its own scheduler does so first of all.
    let made = setup.iter().filter(|op| op.name == "new").filter_map(|op| op.number("max_tasks"));
    let made = made.filter_map(|capacity| u64::try_from(capacity).ok()).max();
    let capacity = made.or_else(|| take("max_tasks").as_u64()).unwrap_or(256) as usize;
    Scenario {
        id: take("id").as_str().expect("an id").to_owned(),
        name: take("name").as_str().unwrap_or("random").to_owned(),
        strict: take("strict").as_bool().expect("strict or not"),
        capacity,
        ticks_start: take("ticks_start").as_u64().unwrap_or(0),
        starts: take("start").as_bool().unwrap_or(true),
        until: take("until").as_u64().expect("an end"),
        max_log: take("maxlog").as_u64().unwrap_or(u64::MAX) as usize,
        jobs,
        setup,
        interrupts: interrupts.collect(),
        after: ops(take("after")),
        log: list(take("log")).iter().map(|line| line.as_str().expect("a line").into()).collect(),
    }
}

fn job(mut script: Value) -> JobScript {
    let nth = match script["n"].take() {
        Value::Object(nth) => nth,
        _ => Map::new(),
    };
    JobScript {
        argc: script["argc"].as_u64().map(|argc| argc as usize),
        each: ops(script["each"].take()),
        nth: nth.into_iter().map(|(n, list)| (n.parse().expect("a number"), ops(list))).collect(),
    }
}

fn ops(value: Value) -> Vec<Op> {
    list(value).into_iter().map(op).collect()
}

fn op(value: Value) -> Op {
    let Value::Object(mut arguments) = value else { panic!("an operation") };
    let name = arguments.remove("op").and_then(|name| name.as_str().map(str::to_owned));
    Op { name: name.expect("an operation's name"), arguments }
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        Value::Null => Vec::new(),
        _ => panic!("a list"),
    }
}
