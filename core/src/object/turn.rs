//! Whose turn it is to propose, and who missed theirs (RULINGS A56). Two kinds of working rows: the
//! order of a height, and the misses of a seat.

use bincode::{Decode, Encode};
use rollbook_proof::number::{Height, OrganisationId};

/// Longest time behind, in heights.
const BEHIND_MAX: u64 = 256;

/// A seat whose newest turns passed without a block of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Missed {
    /// Turns missed in sequence, at least 1.
    pub turns: u32,
    /// Height of the block that counted the newest.
    pub counted: Height,
}

impl Missed {
    /// One more, counted by the block at `height`.
    pub fn once_more(before: Option<Missed>, height: Height) -> Missed {
        Missed {
            turns: before.map_or(0, |missed| missed.turns).saturating_add(1),
            counted: height,
        }
    }

    /// First and last height at which the seat stands behind: 8 heights after the first miss, twice
    /// as many after each further one, at most 256.
    pub fn behind(&self) -> (Height, Height) {
        let doubled = 1u64
            .checked_shl(self.turns.saturating_sub(1).min(32))
            .unwrap_or(BEHIND_MAX);
        let heights = doubled.saturating_mul(8).min(BEHIND_MAX);
        (self.counted.next(), self.counted.plus(heights))
    }

    /// Whether it stands behind at `height`.
    pub fn is_behind(&self, height: Height) -> bool {
        let (first, last) = self.behind();
        first <= height && height <= last
    }
}

/// In which order the seats of one height propose: round r is the (r mod n)-th's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Turns(Vec<OrganisationId>);

impl Turns {
    /// The order of `height`: the seats, ascending, begun at height mod n; those that stand behind
    /// moved to the end in the same order. At most f stand behind, those with most misses first,
    /// then the higher number.
    pub fn of(
        seats: &[OrganisationId],
        height: Height,
        missed: impl Fn(OrganisationId) -> Option<Missed>,
    ) -> Turns {
        let mut order = seats.to_vec();
        if let Some(first) = height.0.checked_rem(order.len() as u64) {
            order.rotate_left(first as usize);
        }
        let late = Turns::behind(seats, height, missed);
        let stands_behind = |seat: &OrganisationId| late.iter().any(|(behind, _)| behind == seat);
        let (behind, ahead): (Vec<_>, Vec<_>) = order.into_iter().partition(stands_behind);
        Turns([ahead, behind].concat())
    }

    /// Which seats stand behind at `height`, and what they missed, ascending.
    pub fn behind(
        seats: &[OrganisationId],
        height: Height,
        missed: impl Fn(OrganisationId) -> Option<Missed>,
    ) -> Vec<(OrganisationId, Missed)> {
        let of = |seat: &OrganisationId| {
            let missed = missed(*seat).filter(|missed| missed.is_behind(height))?;
            Some((*seat, missed))
        };
        let mut late: Vec<(OrganisationId, Missed)> = seats.iter().filter_map(of).collect();
        late.sort_unstable_by_key(|(seat, missed)| (missed.turns, *seat));
        let most = seats.len().saturating_sub(1) / 3;
        let mut late = late.split_off(late.len().saturating_sub(most));
        late.sort_unstable_by_key(|(seat, _)| *seat);
        late
    }

    /// The seats in order.
    pub fn seats(&self) -> &[OrganisationId] {
        &self.0
    }

    /// Whose turn a round is; none only without seats.
    pub fn of_round(&self, round: u32) -> Option<OrganisationId> {
        let place = (round as usize).checked_rem(self.0.len())?;
        self.0.get(place).copied()
    }

    /// Whose turn came and passed before the round in which the height was decided, each once.
    pub fn passed(&self, round: u32) -> &[OrganisationId] {
        self.0.get(..round as usize).unwrap_or(&self.0)
    }
}

/// An order that was made elsewhere: that of a ledger that is written a second time.
impl From<Vec<OrganisationId>> for Turns {
    fn from(seats: Vec<OrganisationId>) -> Turns {
        Turns(seats)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn seats(n: u32) -> Vec<OrganisationId> {
        (1..=n).map(|k| OrganisationId(k * 10)).collect()
    }

    #[test]
    fn without_misses_seats_take_turns_one_further_each_height_and_each_round() {
        let seats = seats(4);
        for height in 0..9 {
            let turns = Turns::of(&seats, Height(height), |_| None);
            for round in 0..9u32 {
                let place = (height + u64::from(round)) % 4;
                assert_eq!(turns.of_round(round), Some(seats[place as usize]));
            }
        }
        assert_eq!(Turns::of(&[], Height(1), |_| None).of_round(0), None);
    }

    #[test]
    fn each_miss_doubles_the_time_behind_up_to_256_heights() {
        let mut missed = None;
        let mut lengths = Vec::new();
        for _ in 0..40 {
            let now = Missed::once_more(missed, Height(100));
            let (first, last) = now.behind();
            assert_eq!(first, Height(101));
            lengths.push(last.0 - 100);
            missed = Some(now);
        }
        assert_eq!(lengths[..7], [8, 16, 32, 64, 128, 256, 256]);
        assert_eq!(lengths[39], 256);
        let most = Missed {
            turns: u32::MAX,
            counted: Height(u64::MAX - 3),
        };
        assert_eq!(Missed::once_more(Some(most), Height(7)).turns, u32::MAX);
        assert_eq!(most.behind().1, Height(u64::MAX));
    }

    proptest! {
        /// Every seat has a turn within n rounds, at most f stand behind, and nobody who missed
        /// nothing goes after one who stands behind.
        #[test]
        fn at_most_f_stand_behind_and_every_seat_has_a_turn(
            n in 1u32..14,
            height in 0u64..1_000,
            misses in proptest::collection::btree_map(0u32..14, (1u32..9, 0u64..1_000), 0..14),
        ) {
            let seats = seats(n);
            let rows: BTreeMap<OrganisationId, Missed> = misses
                .iter()
                .map(|(k, (turns, counted))| {
                    let row = Missed { turns: *turns, counted: Height(*counted) };
                    (OrganisationId((k + 1) * 10), row)
                })
                .collect();
            let height = Height(height);
            let turns = Turns::of(&seats, height, |seat| rows.get(&seat).copied());
            let mut all = turns.seats().to_vec();
            all.sort_unstable();
            prop_assert_eq!(&all, &seats);
            // Written a second time, from its meaning: one seat after another is named.
            let late = |seat: &OrganisationId| rows.get(seat).filter(|row| row.is_behind(height));
            let mut named: Vec<OrganisationId> = Vec::new();
            for _ in 0..(n - 1) / 3 {
                let next = seats
                    .iter()
                    .filter(|seat| !named.contains(seat))
                    .filter_map(|seat| late(seat).map(|row| (row.turns, *seat)))
                    .max();
                named.extend(next.map(|(_, seat)| seat));
            }
            let rotation: Vec<OrganisationId> = (0..n as usize)
                .map(|k| seats[(height.0 as usize + k) % n as usize])
                .collect();
            let expected: Vec<OrganisationId> = rotation
                .iter()
                .filter(|seat| !named.contains(seat))
                .chain(rotation.iter().filter(|seat| named.contains(seat)))
                .copied()
                .collect();
            prop_assert_eq!(turns.seats(), &expected[..]);
        }
    }
}
