//! What the reference implementation did in 377 scenarios, and what this crate does in them.
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

use decision::Rules;

#[test]
fn the_model_does_what_the_reference_does() {
    let mut wrong = 0;
    for scenario in scenario::all() {
        let log = model::log(&scenario, Rules::REFERENCE);
        if log != scenario.log {
            wrong += 1;
            if wrong < 30 {
                let at = log.iter().zip(&scenario.log).take_while(|(a, b)| a == b).count();
                println!(
                    "{} at {at}: reference {:?}\n     model {:?}",
                    scenario.id,
                    scenario.log.get(at),
                    log.get(at)
                );
            }
        }
    }
    assert_eq!(wrong, 0);
}

#[test]
fn the_crate_does_what_the_design_says() {
    let mut wrong = 0;
    for scenario in scenario::all() {
        let log = ours::log(&scenario);
        let expected = model::log(&scenario, Rules::DESIGN);
        if log != expected {
            wrong += 1;
            if wrong < 30 {
                let at = log.iter().zip(&expected).take_while(|(a, b)| a == b).count();
                println!(
                    "{} at {at}: design {:?}\n     ours {:?}",
                    scenario.id,
                    expected.get(at),
                    log.get(at)
                );
            }
        }
    }
    assert_eq!(wrong, 0);
}

#[test]
#[ignore]
fn show() {
    let id = std::env::var("ID").unwrap();
    let all = scenario::all();
    let scenario = all.iter().find(|s| s.id == id).unwrap();
    let (a, b) = (ours::log(scenario), model::log(scenario, Rules::DESIGN));
    for i in 0..a.len().max(b.len()) {
        let (a, b) = (a.get(i).map_or("", |s| s), b.get(i).map_or("", |s| s));
        println!("{} {a:50} {b}", if a == b { ' ' } else { '*' });
    }
}
