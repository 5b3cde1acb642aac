//! Longest-prefix lookup over packed digits.

use alloc::{vec, vec::Vec};

/// Sorted prefixes, each with the longest of the others that it begins with.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes {
    /// Digits from the highest bits on, their number in the lowest four; sorted.
    keys: Vec<u64>,
    /// The place of the longest shorter prefix of each, or `NONE`.
    parents: Vec<u32>,
    /// For every value of the highest bits, where its keys begin; empty for few keys.
    index: Vec<u32>,
    /// How far to shift a key to look it up in the index.
    shift: u32,
}

const NONE: u32 = u32::MAX;
/// The lowest bits of a key hold its length.
const LENGTH: u64 = 0xF;

impl Prefixes {
    /// Takes sorted, distinct keys; fewer than 2^32 - 1 of them.
    pub(super) fn of(keys: Vec<u64>) -> Self {
        let mut parents = Vec::with_capacity(keys.len());
        let mut open: Vec<(u64, u32)> = Vec::new();
        for (place, key) in (0_u32..).zip(&keys) {
            while open.last().is_some_and(|(parent, _)| !begins_with(*key, *parent)) {
                let _closed: Option<(u64, u32)> = open.pop();
            }
            parents.push(open.last().map_or(NONE, |(_, place)| *place));
            open.push((*key, place));
        }
        let bits = match keys.len() {
            0..512 => 0_u32,
            512..16_384 => 12,
            16_384.. => 16,
        };
        let shift = u64::BITS.saturating_sub(bits);
        let index = if bits == 0 { Vec::new() } else { index(&keys, bits, shift) };
        Self { keys, parents, index, shift }
    }

    /// The places of the prefixes of a number, longest first.
    pub(super) fn of_number(&self, number: u64) -> impl Iterator<Item = (usize, u64)> {
        let mut place = self.last_at_most(number);
        core::iter::from_fn(move || {
            loop {
                let here = place?;
                let key = *self.keys.get(here)?;
                place = self.parent(here);
                if begins_with(number, key) {
                    return Some((here, key));
                }
            }
        })
    }

    fn parent(&self, place: usize) -> Option<usize> {
        let parent = *self.parents.get(place)?;
        if parent == NONE { None } else { usize::try_from(parent).ok() }
    }

    /// The last key that is not above a number taken as a key of full length.
    fn last_at_most(&self, number: u64) -> Option<usize> {
        let target = number | LENGTH;
        let (from, until) = self.bounds(target);
        let keys = self.keys.get(from..until)?;
        let within = keys.partition_point(|key| *key <= target);
        from.checked_add(within)?.checked_sub(1)
    }

    fn bounds(&self, target: u64) -> (usize, usize) {
        let all = (0, self.keys.len());
        let bound = |place: usize| {
            let start = self.index.get(place)?;
            usize::try_from(*start).ok()
        };
        if self.index.is_empty() {
            return all;
        }
        let first = target.checked_shr(self.shift).and_then(|slot| usize::try_from(slot).ok());
        let bounds = first.and_then(|slot| Some((bound(slot)?, bound(slot.checked_add(1)?)?)));
        bounds.unwrap_or(all)
    }

    /// How many prefixes there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let keys = self.keys.len().saturating_mul(12);
        keys.saturating_add(self.index.len().saturating_mul(4))
    }
}

fn index(keys: &[u64], bits: u32, shift: u32) -> Vec<u32> {
    let slots = 1_usize.checked_shl(bits).unwrap_or(1);
    let mut index = vec![0_u32; slots.saturating_add(1)];
    let mut at = 0_usize;
    for (slot, start) in index.iter_mut().enumerate() {
        let first = u64::try_from(slot).ok().and_then(|slot| slot.checked_shl(shift));
        let before = |key: &u64| slot >= slots || first.is_some_and(|first| *key < first);
        while keys.get(at).is_some_and(before) {
            at = at.saturating_add(1);
        }
        *start = u32::try_from(at).unwrap_or(NONE);
    }
    index
}

/// Whether the digits of `number` begin with those of `prefix`.
pub(super) fn begins_with(number: u64, prefix: u64) -> bool {
    let length = prefix & LENGTH;
    if number & LENGTH < length {
        return false;
    }
    let bits = u32::try_from(length).unwrap_or(0).saturating_mul(4);
    let rest = u64::BITS.saturating_sub(bits);
    (number ^ prefix).checked_shr(rest).unwrap_or(0) == 0
}
