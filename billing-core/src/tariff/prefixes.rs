//! Longest-prefix lookup over packed digits.

use alloc::{vec, vec::Vec};

/// The lowest bits of a key hold its length.
pub(super) const LENGTH: u64 = 0xF;

/// A tree over digits that leads a number to the one prefix that may be its longest.
///
/// Its root is a table over the first digits. A branch is cut where a single prefix is left, so whoever looks one up checks whether the
/// number begins with it, and goes on to the next shorter one if not.
#[derive(Clone, Debug)]
pub(super) struct Prefixes {
    root: Vec<Slot>,
    /// How far to shift a number to look it up in the root.
    root_shift: u32,
    nodes: Vec<[Slot; 10]>,
}

/// A node if the highest bit is set, else the value of a prefix, or `NOTHING`.
type Slot = u32;

const NODE: Slot = 1 << 31;
const NOTHING: Slot = NODE - 1;

/// A prefix and what it leads to: below 2^31 - 1.
pub(super) type Entry = (u64, u32);

impl Prefixes {
    /// Takes entries with sorted, distinct keys.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let digits = match entries.len() {
            0..64 => 1_u32,
            64..1_024 => 2,
            1_024..16_384 => 3,
            16_384.. => 4,
        };
        let slots = 16_usize.checked_pow(digits).unwrap_or(16);
        let mut tree = Self {
            root: vec![NOTHING; slots],
            root_shift: u64::BITS.saturating_sub(digits.saturating_mul(4)),
            nodes: Vec::new(),
        };
        tree.fill_root(entries, 0, 0, digits, NOTHING);
        tree
    }

    /// What the one prefix leads to that a number may begin with, if any may. It may also be longer than the number.
    pub(super) fn find(&self, number: u64) -> Option<u32> {
        let place = number.checked_shr(self.root_shift)?;
        let mut slot = *self.root.get(usize::try_from(place).ok()?)?;
        let mut shift = self.root_shift;
        while slot & NODE != 0 {
            shift = shift.saturating_sub(4);
            let digit = usize::try_from(number.checked_shr(shift)? & 0xF).ok()?;
            slot = *self.nodes.get(usize::try_from(slot & !NODE).ok()?)?.get(digit)?;
        }
        (slot != NOTHING).then_some(slot)
    }

    /// The bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.root).saturating_add(size_of_val(&*self.nodes))
    }

    /// Fills the root's slots from `place` on, which stand for the digits that all these entries begin with.
    fn fill_root(
        &mut self,
        entries: &[Entry],
        place: usize,
        depth: u32,
        digits: u32,
        shorter: Slot,
    ) {
        if depth == digits {
            let slot = self.slot(entries, depth, shorter);
            if let Some(of_root) = self.root.get_mut(place) {
                *of_root = slot;
            }
            return;
        }
        let (shorter, longer) = own(entries, depth, shorter);
        for (digit, entries) in by_digit(longer, depth) {
            let place = place.saturating_mul(16).saturating_add(digit);
            self.fill_root(entries, place, depth.saturating_add(1), digits, shorter);
        }
    }

    /// What stands for so many digits that all these entries begin with.
    fn slot(&mut self, entries: &[Entry], depth: u32, shorter: Slot) -> Slot {
        match entries {
            [] => shorter,
            [(_, only)] => *only,
            _ => {
                let (shorter, longer) = own(entries, depth, shorter);
                let node = self.nodes.len();
                self.nodes.push([shorter; 10]);
                for (digit, entries) in by_digit(longer, depth) {
                    let slot = self.slot(entries, depth.saturating_add(1), shorter);
                    let of_node = self.nodes.get_mut(node).and_then(|node| node.get_mut(digit));
                    if let Some(of_node) = of_node {
                        *of_node = slot;
                    }
                }
                // There are fewer nodes than entries.
                u32::try_from(node).unwrap_or(NOTHING) | NODE
            }
        }
    }
}

/// The prefix that has just these digits, if there is one, else the next shorter one; and the entries that are longer.
fn own(entries: &[Entry], depth: u32, shorter: Slot) -> (Slot, &[Entry]) {
    match entries.split_first() {
        Some(((key, own), longer)) if key & LENGTH == u64::from(depth) => (*own, longer),
        _ => (shorter, entries),
    }
}

/// The entries by their next digit, all ten.
fn by_digit(entries: &[Entry], depth: u32) -> impl Iterator<Item = (usize, &[Entry])> {
    let shift = u64::BITS.saturating_sub(depth.saturating_add(1).saturating_mul(4));
    let mut rest = entries;
    (0_usize..10).zip(0_u64..).map(move |(digit, value)| {
        let has = |key: u64| key.checked_shr(shift).unwrap_or(0) & 0xF == value;
        let count = rest.partition_point(|(key, _)| has(*key));
        let (these, others) = rest.split_at_checked(count).unwrap_or_default();
        rest = others;
        (digit, these)
    })
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
