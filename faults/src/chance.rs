//! Chance that a seed repeats: a small generator (splitmix64).

/// A stream of numbers that its seed decides.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// As many of `0..end` as are asked for, in order; some may be the same.
    pub fn moments(&mut self, count: u64, end: u64) -> Vec<u64> {
        let mut moments: Vec<u64> = (0..count).map(|_| self.below(end)).collect();
        moments.sort_unstable();
        moments
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = usize::try_from(self.next()).unwrap_or(0) % (last + 1);
            list.swap(last, other);
        }
    }
}
