//! What the reference implementation did in 377 scenarios, and what this crate does in them.
//!
//! Every scenario is replayed twice over: by a model of the reference, which has to produce the
//! recorded log to the letter, and by the crate. Where the design decides otherwise the log to be
//! expected is not taken down from the crate: the model has a switch for every [`Decision`], and
//! with all of them on it says what the design wants. The crate has to produce that, entry by
//! entry.
//!
//! Which decisions a scenario needs is found by leaving out one after the other; the table in
//! `tests/data/work_deviations.txt` names them, with the first entry that is another one.
//!
//! So that they are no deviations, the replay says what the crate has options for: a late repeat
//! shifts the phase (`Missed::Delay`), the first params win (`keep_first`). A number that the
//! reference gives a task is its tag; when the tag is taken a new number is tried, as the reference
//! does by itself. A negative number is a tag as well, `repeat=500` of a listener is `again()`, and
//! what is not a tuple makes a list of one.

use std::collections::BTreeMap;

#[path = "work_reference/decision.rs"]
mod decision;
#[path = "work_reference/model.rs"]
mod model;
#[path = "work_reference/ours.rs"]
mod ours;
#[path = "work_reference/scenario.rs"]
mod scenario;
#[path = "work_reference/world.rs"]
mod world;

use decision::{Decision, Rules};
use scenario::Scenario;

#[test]
fn the_model_does_what_the_reference_did() {
    for scenario in scenario::all() {
        assert_same(&scenario, &scenario.log, &model::log(&scenario, Rules::REFERENCE));
    }
}

#[test]
fn the_crate_does_what_the_design_says() {
    for scenario in scenario::all() {
        assert_same(&scenario, &model::log(&scenario, Rules::DESIGN), &ours::log(&scenario));
    }
}

/// In the others interrupts do what a real one could not, or what comes to the same only sometimes.
#[test]
fn interrupts_that_leave_their_events_in_the_inbox_bring_the_same_runs() {
    let mut compared = 0;
    for scenario in scenario::all() {
        let Some(log) = ours::log_with_inbox(&scenario) else { continue };
        let mut expected = model::log(&scenario, Rules::DESIGN);
        expected.retain(|entry| !entry.contains(" ext."));
        assert_same(&scenario, &expected, &log);
        compared += 1;
    }
    assert_eq!(compared, 35);
}

/// "Strict" leaves out the end, and what cannot be written is not there to be compared.
#[test]
fn a_strict_scenario_goes_as_it_went_in_the_reference() {
    let written = Rules::REFERENCE.with(Decision::TypedParameters);
    let before_the_end = |mut log: Vec<String>| {
        log.retain(|entry| !entry.contains(" end "));
        log
    };
    let strict = scenario::all().into_iter().filter(|scenario| scenario.strict);
    for scenario in strict {
        let expected = match scenario.all_ops().all(world::can_be_written) {
            true => scenario.log.clone(),
            false => model::log(&scenario, written),
        };
        assert_same(&scenario, &before_the_end(expected), &before_the_end(ours::log(&scenario)));
    }
}

#[test]
fn every_deviation_is_a_decision_with_a_name() {
    let scenarios = scenario::all();
    let mut deviations = Vec::new();
    let mut counts = BTreeMap::new();
    for scenario in &scenarios {
        let expected = model::log(scenario, Rules::DESIGN);
        if expected == scenario.log {
            continue;
        }
        let needed = needed(scenario, &expected);
        for decision in needed.decisions() {
            *counts.entry(decision).or_insert(0) += 1;
        }
        deviations.push(deviation(scenario, &expected, needed));
    }

    println!(
        "{} scenarios, of which {} replay to the letter and {} deviate by decision:",
        scenarios.len(),
        scenarios.len() - deviations.len(),
        deviations.len()
    );
    for (decision, count) in &counts {
        println!("{count:4} {decision:?}: {}", decision.says());
    }
    let ops: Vec<_> = scenarios.iter().flat_map(Scenario::all_ops).collect();
    let unwritten = ops.iter().filter(|op| !world::can_be_written(op)).count();
    println!("{unwritten:4} operations cannot be written in the crate's types");
    let own = ops.iter().filter(|op| matches!(op.name.as_str(), "print" | "run")).count();
    println!("{own:4} operations print or run, which the jobs of the replay do themselves");

    let found = deviations.join("\n") + "\n";
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/work_deviations.txt");
    std::fs::write(path, &found).expect("the target directory can be written to");
    let table = include_str!("data/work_deviations.txt");
    let other = found.lines().zip(table.lines()).find(|(found, table)| found != table);
    assert!(found == table, "another table of deviations, now in {path}; it begins with {other:?}");
    assert_eq!((scenarios.len(), deviations.len()), (377, 191));
    assert_eq!((unwritten, own), (20, 15));
    let unused = Decision::ALL.into_iter().find(|decision| !counts.contains_key(decision));
    assert_eq!(unused, None, "a decision that no scenario shows");
}

/// The line of the table: the decisions, and the first entry that is another one.
fn deviation(scenario: &Scenario, expected: &[String], needed: Rules) -> String {
    let names: Vec<_> = needed.decisions().map(|decision| format!("{decision:?}")).collect();
    let at = expected.iter().zip(&scenario.log).take_while(|(a, b)| a == b).count();
    let entry = |log: &[String]| log.get(at).map_or("nothing".into(), String::clone);
    let (theirs, ours) = (entry(&scenario.log), entry(expected));
    format!("{} {}: {}: {theirs} -> {ours}", scenario.id, scenario.name, names.join(", "))
}

/// The decisions without which the log would not be this one.
fn needed(scenario: &Scenario, expected: &[String]) -> Rules {
    Decision::ALL.into_iter().fold(Rules::DESIGN, |rules, decision| {
        let without = rules.without(decision);
        if model::log(scenario, without) == expected { without } else { rules }
    })
}

/// Compares two logs, and shows where they part.
fn assert_same(scenario: &Scenario, expected: &[String], log: &[String]) {
    let at = expected.iter().zip(log).take_while(|(a, b)| a == b).count();
    let (from, id) = (at.saturating_sub(10), &scenario.id);
    let ways = (log.get(at), expected.get(at));
    assert_eq!(ways.0, ways.1, "{id}, after {:#?}", &expected[from..at]);
}
