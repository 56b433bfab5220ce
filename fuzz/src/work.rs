//! Programs for the scheduler against the plain model of what its verbs mean. The model, and what is
//! compared, are those of the property test, `tests/work_model.rs`; the programs are the engine's.

use arbitrary::{Result, Unstructured};
use ensue::{Missed, Priority};

use model::{Op, Order, Program, SIGNALS, Signal, Step, When, Which};

#[allow(dead_code, unused_imports, reason = "as a test it makes its own programs")]
#[path = "../../tests/work_model.rs"]
mod model;

pub fn run(input: &[u8]) {
    if let Ok(program) = program(&mut Unstructured::new(input)) {
        model::compare(&program);
    }
}

fn program(input: &mut Unstructured<'_>) -> Result<Program> {
    let places = input.int_in_range(0..=4)?;
    let jobs = input.int_in_range(0..=12)?;
    let jobs = (0..jobs).map(|_| {
        let ops = input.int_in_range(0..=3)?;
        (0..ops).map(|_| op(input)).collect()
    });
    let jobs = jobs.collect::<Result<_>>()?;
    let mut steps = Vec::new();
    while !input.is_empty() && steps.len() < 60 {
        steps.push(match input.int_in_range(0..=12)? {
            0..=7 => Step::Do(op(input)?),
            8..=10 => Step::Poll,
            _ => Step::Rest(input.int_in_range(1..=4)?),
        });
    }
    Ok(Program { places, steps, jobs })
}

fn op(input: &mut Unstructured<'_>) -> Result<Op> {
    let which = |input: &mut Unstructured<'_>| Ok(Which(input.arbitrary::<u8>()?.into()));
    let params = |input: &mut Unstructured<'_>| Ok(input.arbitrary::<Option<u8>>()?.map(i32::from));
    Ok(match input.int_in_range(0..=15)? {
        0..=3 => Op::Schedule(order(input)?),
        4 | 5 => Op::Trigger(signal(input)?, params(input)?),
        6 => Op::Interrupt(signal(input)?, params(input)?),
        7 => Op::Cancel(which(input)?),
        8 => Op::Abort,
        9 => match input.arbitrary()? {
            true => Op::SetRepeat(which(input)?, input.int_in_range(0..=4)?),
            false => Op::Reschedule(which(input)?, input.int_in_range(0..=5)?),
        },
        10 => Op::Send(which(input)?, input.arbitrary::<u8>()?.into()),
        11 => Op::Await(which(input)?, signal(input)?),
        12 => Op::AwaitFor(which(input)?, signal(input)?, input.int_in_range(0..=5)?),
        13 => Op::Stop,
        14 => Op::Busy(input.int_in_range(1..=11)?),
        _ => Op::Fail,
    })
}

/// Any combination of options, also those that are refused.
fn order(input: &mut Unstructured<'_>) -> Result<Order> {
    let when = match input.int_in_range(0..=2)? {
        0 => When::At(input.int_in_range(0..=5)?),
        1 => When::Every(input.int_in_range(0..=5)?),
        _ => When::On(signal(input)?),
    };
    let missed = [Missed::Skip, Missed::Burst(1), Missed::Burst(3), Missed::Delay];
    let [rare, flags, tag]: [u8; 3] = input.arbitrary()?;
    // One byte says which of the rarer options there are at all.
    let mut option = |bit: u8, most: u64| match rare >> bit & 1 {
        0 => Ok(0),
        _ => input.int_in_range(0..=most),
    };
    let (delay, timeout, slack) = (option(0, 4)?, option(1, 5)?, option(2, 4)?);
    let first_at = option(3, 6)?;
    let first_at = (rare >> 3 & 1 == 1).then_some(first_at);
    Ok(Order {
        when,
        params: input.arbitrary::<u8>()?.into(),
        priority: *input.choose(&[Priority::Low, Priority::Normal, Priority::High])?,
        missed: if rare >> 4 & 1 == 1 { Some(*input.choose(&missed)?) } else { None },
        first_at,
        again: flags & 1 == 1,
        delay,
        timeout,
        slack,
        tag: (tag < 64).then_some(u32::from(tag % 3)),
        latched: flags & 2 == 2,
        keep_first: flags & 4 == 4,
    })
}

fn signal(input: &mut Unstructured<'_>) -> Result<Signal> {
    input.choose(&SIGNALS).copied()
}
