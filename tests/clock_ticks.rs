//! The arithmetic of a port, `examples/qemu/src/ticks.rs`, against a division.

#[path = "../examples/qemu/src/ticks.rs"]
mod ticks;

use proptest::prelude::*;
use ticks::micros;

/// A year, in microseconds.
const YEAR: u64 = 365 * 86_400 * 1_000_000;

fn is_exact<const TICKS: u64>(ticks: u64) {
    assert_eq!(micros::<TICKS>(ticks), ticks / TICKS, "{ticks} ticks, {TICKS} in a microsecond");
}

/// Both sides of an edge between two microseconds, where a rounding error shows first.
fn is_exact_at<const TICKS: u64>(microsecond: u64) {
    let edge = microsecond * TICKS;
    is_exact::<TICKS>(edge.saturating_sub(1));
    is_exact::<TICKS>(edge);
}

#[test]
fn the_beginning_is_exact() {
    for ticks in 0..100_000 {
        is_exact::<10>(ticks);
        is_exact::<7>(ticks);
    }
}

#[test]
fn a_carry_out_of_the_lower_half_is_exact() {
    for upper in 1..1_000 {
        for ticks in (upper << 32) - 100..(upper << 32) + 100 {
            is_exact::<10>(ticks);
        }
    }
}

#[test]
fn at_ten_ticks_it_is_exact_for_14_600_years_and_no_longer() {
    let last = (1 << 62) - 1;
    (last - 100_000..=last).for_each(is_exact::<10>);
    assert_eq!(last / 10 / YEAR, 14_623);

    let end = (1 << 62) + 5;
    assert_eq!(end % 10, 9);
    assert_eq!(micros::<10>(end), end / 10 + 1, "the limit is where it is said to be");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn ten_years_are_exact_at_any_speed(microsecond in 0..10 * YEAR) {
        is_exact_at::<2>(microsecond);
        is_exact_at::<3>(microsecond);
        is_exact_at::<10>(microsecond);
        is_exact_at::<12>(microsecond);
        is_exact_at::<16>(microsecond);
        is_exact_at::<25>(microsecond);
        is_exact_at::<100>(microsecond);
        is_exact_at::<240>(microsecond);
    }
}
