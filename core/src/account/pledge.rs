//! Pledges: a memo ledger beside the accounts (domain 2.2, 2.7; RULINGS R4, R8). A pledge funds
//! nothing (N18).
//!
//! At every moment `pledged = uncalled + called_open + received + cancelled + defaulted +
//! written_off`: a move takes from one part exactly what it adds to another, so the sum is the
//! amount that was signed. Instalments and their due dates belong to the caller; default is per
//! instalment.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire};

use crate::account::unit::Amount;
use crate::word::Word as _;

/// The parts of one pledge, in minor units.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Pledge {
    /// Signed, not yet called.
    pub uncalled: Amount,
    /// Called in an instalment, not yet due or not yet defaulted.
    pub called_open: Amount,
    /// Arrived at the bank.
    pub received: Amount,
    /// Taken back before it was called.
    pub cancelled: Amount,
    /// Called and not paid in time.
    pub defaulted: Amount,
    /// Defaulted and given up by a motion.
    pub written_off: Amount,
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

crate::words!(PledgePart, "pledge-part", {
    Uncalled = "uncalled",
    CalledOpen = "called-open",
    Received = "received",
    Cancelled = "cancelled",
    Defaulted = "defaulted",
    WrittenOff = "written-off",
});

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
    #[error("an amount of {} minor units; 1 to 999999999999999999 are allowed", .0.0)]
    Amount(Amount),
    /// The part is smaller than the amount. An excess is a new pledge (F03).
    #[error("{number}: {} minor units, but only {} are {}", .amount.0, .available.0, .part.word())]
    Insufficient {
        /// The transition.
        number: &'static str,
        /// Asked for.
        amount: Amount,
        /// There.
        available: Amount,
        /// In which part.
        part: PledgePart,
    },
}

crate::words!(PledgeError, "why.pledge", {
    Amount = "amount",
    Insufficient = "insufficient",
});

impl Wire for Pledge {
    const MAX: usize = 6 * 8;

    fn check(&self) -> Result<(), DecodeError> {
        match self.pledged() {
            sum if (1..=u128::from(Amount::MAX)).contains(&sum) => Ok(()),
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
    pub fn new(amount: Amount) -> Result<Self, PledgeError> {
        check_amount(amount)?;
        Ok(Pledge {
            uncalled: amount,
            called_open: Amount::ZERO,
            received: Amount::ZERO,
            cancelled: Amount::ZERO,
            defaulted: Amount::ZERO,
            written_off: Amount::ZERO,
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
    pub fn part(&self, part: PledgePart) -> Amount {
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
    pub fn moved(&self, what: PledgeMove, amount: Amount) -> Result<Self, PledgeError> {
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

    fn part_mut(&mut self, part: PledgePart) -> &mut Amount {
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

fn check_amount(amount: Amount) -> Result<(), PledgeError> {
    if amount.is_payable() {
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
        let pledge = Pledge::new(Amount(10))
            .unwrap()
            .moved(PledgeMove::Call, Amount(6))
            .unwrap();
        let error = pledge.moved(PledgeMove::Receive, Amount(7)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "F03: 7 minor units, but only 6 are called-open"
        );
        assert_eq!(
            pledge.moved(PledgeMove::Receive, Amount(0)),
            Err(PledgeError::Amount(Amount::ZERO))
        );
        assert_eq!(
            Pledge::new(Amount(0)),
            Err(PledgeError::Amount(Amount::ZERO))
        );
        assert!(Pledge::new(Amount(Amount::MAX.0 + 1)).is_err());
        assert_eq!(decode::<Pledge>(&encode(&pledge)), Ok(pledge));
        assert!(decode::<Pledge>(&[0; 48]).is_err() && decode::<Pledge>(&[255; 48]).is_err());
        assert!(
            pledge.moved(PledgeMove::Cancel, Amount(5)).is_err(),
            "what was called cannot be cancelled"
        );
    }

    proptest! {
        /// Whatever happens, the parts sum to what was signed, and only the two parts of the row
        /// change.
        #[test]
        fn parts_sum_to_the_pledge(total in 1u64..=Amount::MAX.0, moves in prop::collection::vec((0usize..6, any::<u64>()), 0..40)) {
            let mut pledge = Pledge::new(Amount(total)).unwrap();
            for (index, raw) in moves {
                let what = PledgeMove::ALL[index];
                let (_, from, to) = what.row();
                // Mostly amounts that fit.
                let step = if raw % 8 == 0 { raw } else { raw % (pledge.part(from).0 / 2 + 2) };
                match pledge.moved(what, Amount(step)) {
                    Ok(next) => {
                        prop_assert_eq!(next.part(from).0 + step, pledge.part(from).0);
                        prop_assert_eq!(next.part(to).0, pledge.part(to).0 + step);
                        pledge = next;
                    }
                    Err(_) => prop_assert!(step == 0 || step > Amount::MAX.0 || step > pledge.part(from).0),
                }
                prop_assert_eq!(pledge.pledged(), u128::from(total));
            }
        }
    }
}
