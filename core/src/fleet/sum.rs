//! Whether shares of guilds add up to the whole, in exact arithmetic.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::residue::gcd;

/// How many classes there are of each modulus.
pub(crate) type Counts = BTreeMap<u32, u32>;

/// Whether `count / modulus`, summed over all moduli, is exactly 1.
///
/// The least common multiple of the moduli, and with it every share as a whole number of its parts, may have thousands
/// of digits: hence numbers of any length, as limbs of 32 bits, the lowest first.
pub(crate) fn is_one(counts: &Counts) -> bool {
    let mut whole = vec![1];
    for &modulus in counts.keys() {
        let missing = u64::from(modulus) / gcd(u64::from(modulus), remainder(&whole, modulus));
        multiply(&mut whole, missing);
    }
    let mut sum = Vec::new();
    for (&modulus, &count) in counts {
        let mut part = whole.clone();
        divide(&mut part, modulus);
        multiply(&mut part, count.into());
        add(&mut sum, &part);
    }
    trim(&mut sum);
    sum == whole
}

/// `number % divisor`, 0 to `divisor - 1`.
fn remainder(number: &[u32], divisor: u32) -> u64 {
    number.iter().rev().fold(0, |rest, &limb| {
        ((rest << 32) | u64::from(limb)) % u64::from(divisor)
    })
}

/// Divides by a divisor that leaves no rest.
fn divide(number: &mut Vec<u32>, divisor: u32) {
    let mut rest = 0;
    for limb in number.iter_mut().rev() {
        let dividend = (rest << 32) | u64::from(*limb);
        *limb = low(dividend / u64::from(divisor));
        rest = dividend % u64::from(divisor);
    }
    trim(number);
}

/// Multiplies by a factor below 2^32.
fn multiply(number: &mut Vec<u32>, factor: u64) {
    let mut carry = 0;
    for limb in number.iter_mut() {
        carry += u64::from(*limb) * factor;
        *limb = low(carry);
        carry >>= 32;
    }
    if carry > 0 {
        number.push(low(carry));
    }
    trim(number);
}

fn add(sum: &mut Vec<u32>, other: &[u32]) {
    sum.resize(sum.len().max(other.len()) + 1, 0);
    let mut carry = 0;
    for (index, limb) in sum.iter_mut().enumerate() {
        carry += u64::from(*limb) + u64::from(other.get(index).copied().unwrap_or_default());
        *limb = low(carry);
        carry >>= 32;
    }
}

fn trim(number: &mut Vec<u32>) {
    while number.last() == Some(&0) {
        number.pop();
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lowest 32 bits are what is asked for"
)]
const fn low(number: u64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_exactly() {
        for (counts, whole) in [
            (&[(1, 1)][..], true),
            (&[(2, 1), (3, 1), (6, 1)], true),
            (&[(2, 1), (3, 1), (7, 1), (42, 1)], true),
            (&[(2, 1), (3, 1), (7, 1), (43, 1), (1806, 1)], true),
            (&[(2, 1), (3, 1), (7, 1), (43, 1), (1807, 1)], false),
            (&[(65_535, 65_535)], true),
            (&[(65_535, 65_534)], false),
            (&[(2, 1), (4, 3)], false),
            (&[(65_521, 65_520), (65_519, 1)], false),
            (&[], false),
        ] {
            assert_eq!(
                is_one(&counts.iter().copied().collect()),
                whole,
                "{counts:?}"
            );
        }
    }

    /// 1/2 + 1/4 + ... + 1/2^15 + 1/2^15, and the same for chains of other primes: the whole has hundreds of digits.
    #[test]
    fn long_numbers_carry() {
        let primes = [
            65_521, 65_519, 65_497, 65_479, 65_449, 65_447, 65_437, 65_423,
        ];
        // Of each prime all classes but one, so that the sum is the number of primes less their shares.
        let counts: Counts = primes.iter().map(|&prime| (prime, prime)).collect();
        assert!(!is_one(&counts), "it is 8");
        let mut counts: Counts = (1..=15).map(|power| (1 << power, 1)).collect();
        counts.insert(1 << 15, 2);
        assert!(is_one(&counts));
    }
}
