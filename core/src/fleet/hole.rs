//! Who is left out: a class of guilds that nobody serves.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::id::ShardId;

use super::cover::CoverError;
use super::residue::{Residue, inverse};
use super::sum::{Counts, is_one};

/// A class, narrowed down: which numbers of all, and the classes among them, in the numbering of those.
struct Narrowed {
    class: Residue,
    /// Remainder and modulus of each class that has some of these numbers.
    parts: Vec<(u32, u32)>,
}

/// A class that nobody has, given disjoint classes that do not cover everything.
///
/// The class of all is split by a prime that divides most moduli. One part at least is not wholly covered; that one
/// is split again, until a part has nobody. Each split takes a factor out of moduli, so it ends.
pub(crate) fn hole(classes: &[ShardId], largest: u64) -> CoverError {
    let mut here = Narrowed {
        class: Residue::ALL,
        parts: classes
            .iter()
            .map(|class| (class.index(), class.total()))
            .collect(),
    };
    while let Some(prime) = dividing_most(&here.parts) {
        match narrower(&here, prime, largest) {
            Some(next) => here = next,
            None => return CoverError::Gap { within: here.class },
        }
    }
    let class = widened(here.class, classes);
    CoverError::Unserved { class }
}

/// The class, as wide as it can be made without meeting anybody: the missing shard itself, where one is missing.
fn widened(mut class: Residue, classes: &[ShardId]) -> Residue {
    let mut prime = 2;
    let mut rest = class.modulus();
    while rest > 1 {
        if !rest.is_multiple_of(prime) {
            // No prime above 2^16 divides a total.
            prime += 1;
            continue;
        }
        rest /= prime;
        let modulus = class.modulus() / prime;
        let wider = Residue::new(class.remainder() % modulus, modulus);
        let free = |wider: &Residue| classes.iter().all(|shard| !shard.residue().meets(*wider));
        class = wider.filter(free).unwrap_or(class);
    }
    class
}

/// The part of the numbers, modulo the prime, that is not wholly covered and has the fewest classes.
fn narrower(here: &Narrowed, prime: u32, largest: u64) -> Option<Narrowed> {
    let modulus = here.class.modulus().checked_mul(prime.into())?;
    if modulus > largest {
        return None;
    }
    let mut split: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    let mut everywhere = Vec::new();
    for &(remainder, modulus) in &here.parts {
        if modulus.is_multiple_of(prime) {
            let part = (remainder / prime, modulus / prime);
            split.entry(remainder % prime).or_default().push(part);
        } else {
            everywhere.push((remainder, modulus));
        }
    }
    // Parts that no class of a multiple of the prime reaches are alike: the first stands for all.
    if let Some(free) = (0..prime).find(|digit| !split.contains_key(digit)) {
        split.insert(free, Vec::new());
    }
    let mut by_size: Vec<_> = split.into_iter().collect();
    by_size.sort_by_key(|(digit, parts)| (parts.len(), *digit));
    let (digit, mut parts) = by_size
        .into_iter()
        .find(|(_, parts)| !is_covered(parts, &everywhere))?;
    parts.extend(everywhere.iter().map(|&part| inside(part, digit, prime)));
    let remainder = here.class.remainder() + here.class.modulus() * u64::from(digit);
    let class = Residue::new(remainder, modulus)?;
    Some(Narrowed { class, parts })
}

fn is_covered(parts: &[(u32, u32)], everywhere: &[(u32, u32)]) -> bool {
    let mut counts = Counts::new();
    for (_, modulus) in parts.iter().chain(everywhere) {
        *counts.entry(*modulus).or_default() += 1;
    }
    is_one(&counts)
}

/// The class among the numbers `digit + prime * n`, in terms of n; the prime does not divide its modulus.
fn inside((remainder, modulus): (u32, u32), digit: u32, prime: u32) -> (u32, u32) {
    let distance = i128::from(remainder) - i128::from(digit);
    let scale = inverse(prime.into(), modulus.into());
    let n = (distance * scale).rem_euclid(modulus.into());
    (u32::try_from(n).unwrap_or_default(), modulus)
}

/// The prime that divides the moduli of most classes, the smallest of several; `None` if there is no class.
fn dividing_most(parts: &[(u32, u32)]) -> Option<u32> {
    let mut counts = Counts::new();
    for (_, modulus) in parts {
        *counts.entry(*modulus).or_default() += 1;
    }
    let mut votes: BTreeMap<u32, u32> = BTreeMap::new();
    for (&modulus, &count) in &counts {
        let mut rest = modulus;
        let mut factor = 2;
        while rest > 1 {
            if factor * factor > rest {
                factor = rest;
            }
            if rest.is_multiple_of(factor) {
                *votes.entry(factor).or_default() += count;
                while rest.is_multiple_of(factor) {
                    rest /= factor;
                }
            }
            factor += 1;
        }
    }
    votes
        .into_iter()
        .rev()
        .max_by_key(|&(_, count)| count)
        .map(|(prime, _)| prime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_too_fine_for_its_number_is_bounded() {
        let shards: Vec<_> = (0..30)
            .filter_map(|index| ShardId::new(index, 31))
            .collect();
        let unserved = CoverError::Unserved {
            class: Residue::new(30, 31).expect("below"),
        };
        assert_eq!(hole(&shards, 31), unserved);
        let gap = CoverError::Gap {
            within: Residue::ALL,
        };
        assert_eq!(hole(&shards, 30), gap);
    }
}
