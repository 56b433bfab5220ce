//! What the fuzz targets do with the bytes that the engine hands them: see README.md.
//!
//! A target is a function over bytes and panics at a finding. `fuzz_targets` hands them to
//! libFuzzer; the test below to the seeds, so that they are run wherever everything else is.

pub mod images;
pub mod memory;
pub mod model;
pub mod op;
pub mod operations;
pub mod power;
pub mod work;

use critical_section as _;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Each seed, and what is left of it when it is cut short or turned around.
    fn replay(target: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut seeds = 0;
        for file in fs::read_dir(&folder).expect("the seeds") {
            let seed = fs::read(file.expect("a file").path()).expect("a seed");
            run(&seed);
            run(&seed[..seed.len() / 2]);
            run(&seed.iter().rev().copied().collect::<Vec<_>>());
            seeds += 1;
        }
        assert!(seeds > 0, "no seeds in {}", folder.display());
    }

    #[test]
    fn no_seed_finds_anything_in_operations() {
        replay("operations", crate::operations::run);
    }

    #[test]
    fn no_seed_finds_anything_in_images() {
        replay("images", crate::images::run);
    }

    #[test]
    fn no_seed_finds_anything_when_the_power_goes() {
        replay("power", crate::power::run);
    }

    #[test]
    fn no_seed_finds_anything_in_the_scheduler() {
        replay("work", crate::work::run);
    }
}
