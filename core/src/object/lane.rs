//! Replay windows: which sequence numbers an officer has used (RULINGS A6).
//!
//! A person has two: one for public records and one for those of members, so that gaps between
//! public numbers count no hidden acts (RULINGS A61).

use bincode::{Decode, Encode};

/// Replay window of one officer: the highest sequence used and 256 bits for those just below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Lane {
    /// Highest sequence used; 0 before the first.
    pub highest: u64,
    /// Bit i of the window: sequence `highest - 1 - i` was used.
    pub below: [u64; 4],
}

impl Lane {
    /// Sequences below `highest` that can still be told apart.
    pub const WINDOW: u64 = 256;

    /// How far above the highest one a sequence may be: one record cannot use up all numbers
    /// (RULINGS A46).
    pub const LEAP_MAX: u64 = 1 << 20;

    /// Whether `sequence` is not more than [`Lane::LEAP_MAX`] above the highest.
    pub fn is_near(&self, sequence: u64) -> bool {
        sequence <= self.highest.saturating_add(Self::LEAP_MAX)
    }

    /// Whether `sequence` may be used now.
    pub fn is_free(&self, sequence: u64) -> bool {
        if sequence > self.highest {
            return true;
        }
        let Some(back) = self
            .highest
            .checked_sub(sequence)
            .and_then(|d| d.checked_sub(1))
        else {
            return false;
        };
        back < Self::WINDOW && sequence > 0 && !self.bit(back)
    }

    fn bit(&self, back: u64) -> bool {
        self.below
            .get((back / 64) as usize)
            .is_some_and(|word| word >> (back % 64) & 1 == 1)
    }

    /// Marks `sequence` as used.
    pub fn take(&mut self, sequence: u64) {
        if sequence > self.highest {
            let shift = sequence - self.highest;
            let mut bits = [0u64; 4];
            if shift <= Self::WINDOW {
                // The old highest becomes a used sequence at distance `shift - 1`; older bits move
                // up by `shift`.
                for back in 0..Self::WINDOW {
                    let used = if back + 1 == shift {
                        self.highest > 0
                    } else {
                        back >= shift && self.bit(back - shift)
                    };
                    if used {
                        bits[(back / 64) as usize] |= 1 << (back % 64);
                    }
                }
            }
            *self = Lane {
                highest: sequence,
                below: bits,
            };
        } else if let Some(back) = self
            .highest
            .checked_sub(sequence)
            .and_then(|d| d.checked_sub(1))
            && let Some(word) = self.below.get_mut((back / 64) as usize)
        {
            *word |= 1 << (back % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A member that spends the highest number there is would mute its officer for ever.
    #[test]
    fn no_sequence_leaps_out_of_reach() {
        let mut lane = Lane::default();
        assert!(lane.is_near(Lane::LEAP_MAX) && !lane.is_near(Lane::LEAP_MAX + 1));
        assert!(!lane.is_near(u64::MAX));
        lane.take(u64::MAX - 1);
        assert!(lane.is_near(u64::MAX));
    }

    proptest! {
        /// No sequence is ever accepted twice, and everything within the window that was not used
        /// is accepted.
        #[test]
        fn window_never_accepts_twice(sequences in proptest::collection::vec(1u64..700, 1..200)) {
            let (mut lane, mut used) = (Lane::default(), BTreeSet::new());
            for sequence in sequences {
                let free = lane.is_free(sequence);
                let expected = !used.contains(&sequence) && (sequence > lane.highest || lane.highest - sequence <= Lane::WINDOW);
                prop_assert_eq!(free, expected, "sequence {} under {}", sequence, lane.highest);
                if free {
                    lane.take(sequence);
                    used.insert(sequence);
                }
            }
        }
    }
}
