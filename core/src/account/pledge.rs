//! Pledges: a memo ledger beside the accounts (domain 2.2, 2.7; RULINGS R4, R8). A pledge funds
//! nothing (N18).
//!
//! At every moment `pledged = uncalled + called_open + received + cancelled + defaulted +
//! written_off`: a move takes from one part exactly what it adds to another, so the sum is the
//! amount that was signed. Instalments and their due dates belong to the caller; default is per
//! instalment.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire};

use crate::account::unit::AMOUNT_MAX;

/// The parts of one pledge, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Pledge {
    /// Signed, not yet called.
    pub uncalled: u64,
    /// Called in an instalment, not yet due or not yet defaulted.
    pub called_open: u64,
    /// Arrived at the bank.
    pub received: u64,
    /// Taken back before it was called.
    pub cancelled: u64,
    /// Called and not paid in time.
    pub defaulted: u64,
    /// Defaulted and given up by a motion.
    pub written_off: u64,
}

/// A part of a pledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PledgePart {
    Uncalled,
    CalledOpen,
    Received,
    Cancelled,
    Defaulted,
    WrittenOff,
}

/// What can happen to a pledge. The table is [`PledgeMove::row`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PledgeMove {
    /// An instalment is called.
    Call,
    /// The uncalled part is cancelled.
    Cancel,
    /// An instalment is received, wholly or in part.
    Receive,
    /// An instalment is not paid in time.
    Default,
    /// A defaulted part arrives after all.
    ReceiveLate,
    /// A defaulted part is given up.
    WriteOff,
}

/// Why a pledge did not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PledgeError {
    /// Zero, or more than 18 digits.
    #[error("an amount of {0} minor units; 1 to 999999999999999999 are allowed")]
    Amount(u64),
    /// The part is smaller than the amount. An excess is a new pledge (F03).
    #[error("{number}: {amount} minor units, but only {available} are {part:?}")]
    Insufficient {
        /// The transition.
        number: &'static str,
        /// Asked for.
        amount: u64,
        /// There.
        available: u64,
        /// In which part.
        part: PledgePart,
    },
}

impl Wire for Pledge {
    const MAX: usize = 6 * 8;

    fn check(&self) -> Result<(), DecodeError> {
        match self.pledged() {
            sum if (1..=u128::from(AMOUNT_MAX)).contains(&sum) => Ok(()),
            sum => Err(DecodeError::rule(format!("a pledge of {sum} minor units"))),
        }
    }
}

impl PledgeMove {
    /// All moves, in the order of the table.
    pub const ALL: [PledgeMove; 6] = [
        PledgeMove::Call,
        PledgeMove::Cancel,
        PledgeMove::Receive,
        PledgeMove::Default,
        PledgeMove::ReceiveLate,
        PledgeMove::WriteOff,
    ];

    /// The transition's number, from, to.
    pub fn row(self) -> (&'static str, PledgePart, PledgePart) {
        match self {
            PledgeMove::Call => ("F34", PledgePart::Uncalled, PledgePart::CalledOpen),
            PledgeMove::Cancel => ("F34", PledgePart::Uncalled, PledgePart::Cancelled),
            PledgeMove::Receive => ("F03", PledgePart::CalledOpen, PledgePart::Received),
            PledgeMove::Default => ("F04", PledgePart::CalledOpen, PledgePart::Defaulted),
            PledgeMove::ReceiveLate => ("F35", PledgePart::Defaulted, PledgePart::Received),
            PledgeMove::WriteOff => ("F35", PledgePart::Defaulted, PledgePart::WrittenOff),
        }
    }
}

impl Pledge {
    /// A pledge as signed (F02).
    pub fn new(amount: u64) -> Result<Self, PledgeError> {
        check_amount(amount)?;
        Ok(Pledge {
            uncalled: amount,
            called_open: 0,
            received: 0,
            cancelled: 0,
            defaulted: 0,
            written_off: 0,
        })
    }

    /// The amount that was signed: the sum of the parts.
    pub fn pledged(&self) -> u128 {
        [
            self.uncalled,
            self.called_open,
            self.received,
            self.cancelled,
            self.defaulted,
            self.written_off,
        ]
        .iter()
        .map(|part| u128::from(*part))
        .sum()
    }

    /// What may still be asked for: uncalled and called.
    pub fn open(&self) -> u128 {
        u128::from(self.uncalled) + u128::from(self.called_open)
    }

    /// One part.
    pub fn part(&self, part: PledgePart) -> u64 {
        match part {
            PledgePart::Uncalled => self.uncalled,
            PledgePart::CalledOpen => self.called_open,
            PledgePart::Received => self.received,
            PledgePart::Cancelled => self.cancelled,
            PledgePart::Defaulted => self.defaulted,
            PledgePart::WrittenOff => self.written_off,
        }
    }

    /// The pledge after a move; the one given is unchanged.
    pub fn moved(&self, what: PledgeMove, amount: u64) -> Result<Self, PledgeError> {
        check_amount(amount)?;
        let (number, from, to) = what.row();
        let available = self.part(from);
        let left = available
            .checked_sub(amount)
            .ok_or(PledgeError::Insufficient {
                number,
                amount,
                available,
                part: from,
            })?;
        // A pledge has at most 18 digits in all; only bytes that no pledge produced could overflow
        // here.
        let more = self
            .part(to)
            .checked_add(amount)
            .ok_or(PledgeError::Amount(amount))?;
        let mut next = *self;
        *next.part_mut(from) = left;
        *next.part_mut(to) = more;
        Ok(next)
    }

    fn part_mut(&mut self, part: PledgePart) -> &mut u64 {
        match part {
            PledgePart::Uncalled => &mut self.uncalled,
            PledgePart::CalledOpen => &mut self.called_open,
            PledgePart::Received => &mut self.received,
            PledgePart::Cancelled => &mut self.cancelled,
            PledgePart::Defaulted => &mut self.defaulted,
            PledgePart::WrittenOff => &mut self.written_off,
        }
    }
}

fn check_amount(amount: u64) -> Result<(), PledgeError> {
    if (1..=AMOUNT_MAX).contains(&amount) {
        Ok(())
    } else {
        Err(PledgeError::Amount(amount))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rollbook_proof::codec::{decode, encode};

    use super::*;

    #[test]
    fn an_excess_is_refused_and_named() {
        let pledge = Pledge::new(10).unwrap().moved(PledgeMove::Call, 6).unwrap();
        let error = pledge.moved(PledgeMove::Receive, 7).unwrap_err();
        assert_eq!(
            error.to_string(),
            "F03: 7 minor units, but only 6 are CalledOpen"
        );
        assert_eq!(
            pledge.moved(PledgeMove::Receive, 0),
            Err(PledgeError::Amount(0))
        );
        assert_eq!(Pledge::new(0), Err(PledgeError::Amount(0)));
        assert!(Pledge::new(AMOUNT_MAX + 1).is_err());
        assert_eq!(decode::<Pledge>(&encode(&pledge)), Ok(pledge));
        assert!(decode::<Pledge>(&[0; 48]).is_err() && decode::<Pledge>(&[255; 48]).is_err());
        assert!(
            pledge.moved(PledgeMove::Cancel, 5).is_err(),
            "what was called cannot be cancelled"
        );
    }

    proptest! {
        /// Whatever happens, the parts sum to what was signed, and only the two parts of the row
        /// change.
        #[test]
        fn parts_sum_to_the_pledge(total in 1u64..=AMOUNT_MAX, moves in prop::collection::vec((0usize..6, any::<u64>()), 0..40)) {
            let mut pledge = Pledge::new(total).unwrap();
            for (index, raw) in moves {
                let what = PledgeMove::ALL[index];
                let (_, from, to) = what.row();
                // Mostly amounts that fit.
                let step = if raw % 8 == 0 { raw } else { raw % (pledge.part(from) / 2 + 2) };
                match pledge.moved(what, step) {
                    Ok(next) => {
                        prop_assert_eq!(next.part(from) + step, pledge.part(from));
                        prop_assert_eq!(next.part(to), pledge.part(to) + step);
                        pledge = next;
                    }
                    Err(_) => prop_assert!(step == 0 || step > AMOUNT_MAX || step > pledge.part(from)),
                }
                prop_assert_eq!(pledge.pledged(), u128::from(total));
            }
        }
    }
}
