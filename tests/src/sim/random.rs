//! Random numbers from a seed: small, fast, and the same everywhere. The generator is the one of
//! the simulated disk; here are the draws that plans and worlds need.

use rollbook_node::disk::SplitMix;

/// A generator. Equal seeds give equal sequences.
#[derive(Debug, Clone)]
pub struct Random(SplitMix);

impl Random {
    /// A generator for a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random(SplitMix(seed ^ 0x5DEE_CE66_D1CE_4E5B));
        random.draw();
        random
    }

    /// A generator that shares nothing with this one.
    pub fn fork(&mut self, label: u64) -> Self {
        Random::new(self.draw() ^ label.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0.draw()
    }

    /// Below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `percent` of 100.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// True in `permille` of 1,000.
    pub fn permille(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }
}
