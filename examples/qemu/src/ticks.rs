//! Ticks of a counter as microseconds, without a division.
//!
//! A core of 32 bits divides 64 of them in software, which takes as long as everything else that
//! reads a clock. Here the ticks are multiplied by 2^64 / TICKS, rounded up, and the upper half of
//! the product is the answer: four multiplications.
//!
//! Rounding up makes the factor too large by excess / TICKS, and the answer by less than
//! `ticks * excess / 2^64` parts of TICKS. As long as that is less than one part, it never
//! reaches the next microsecond: the answer is exact while `ticks * excess < 2^64`, at 10 ticks a
//! microsecond for 14,600 years.

/// The whole microseconds in `ticks`, of which `TICKS` make one, 2 or more.
///
/// A counter so fast that this is not exact for ten years does not compile.
#[inline(always)]
pub(crate) const fn micros<const TICKS: u64>(ticks: u64) -> u64 {
    const { assert!(lasts(TICKS), "too fast, or no division at all") };
    let (high, low) = (ticks >> 32, ticks & 0xFFFF_FFFF);
    let (factor_high, factor_low) = (factor(TICKS) >> 32, factor(TICKS) & 0xFFFF_FFFF);
    // Halves are below 2^32, so a product and two halves fit into 64 bits.
    let carried = high * factor_low + ((low * factor_low) >> 32);
    let middle = low * factor_high + (carried & 0xFFFF_FFFF);
    high * factor_high + (carried >> 32) + (middle >> 32)
}

const fn factor(ticks: u64) -> u64 {
    u64::MAX / ticks + 1
}

const fn lasts(ticks: u64) -> bool {
    const TEN_YEARS: u128 = 10 * 365 * 86_400 * 1_000_000;
    if ticks < 2 {
        return false;
    }
    let excess = factor(ticks) as u128 * ticks as u128 - (1 << 64);
    TEN_YEARS * ticks as u128 * excess < 1 << 64
}
