//! Acts of the life of an agreement after it is in force: measures of the fund (F24, F25), the recovery of
//! money (F26, F27, F44, F45), and what motions decide about them.
//!
//! What is said to the grantee and by the grantee stays beside the log: records hold salted commitments and
//! hashes (RULINGS A15); amounts, published codes and bank references are in clear.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, at_most, strictly_ascending};
use rollbook_proof::crypto::Hash;

use crate::account::Amount;
use crate::calendar::LocalDay;
use crate::id::{AgreementId, MeasureId, PaymentId, RecoveryId};
use crate::record::{BankReference, InstalmentEntry};

/// Most instalments in which a recovery is paid back.
pub const RECOVERY_INSTALMENTS_MAX: usize = 24;

/// What the fund may do about an agreement. Grows only at its end.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureKind {
    /// F24: the time limits of its payments stop.
    Deadline,
    /// F24: nothing is certified or released.
    Payment,
    /// F24: nothing is delivered, assessed, certified or released.
    Whole,
    /// F25: it ends.
    Termination,
}

crate::words!(MeasureKind, "measure-kind", {
    Deadline = "deadline",
    Payment = "payment",
    Whole = "whole",
    Termination = "termination",
});

impl MeasureKind {
    /// The transition's number in the rules.
    pub fn code(self) -> &'static str {
        match self {
            MeasureKind::Termination => "F25",
            MeasureKind::Deadline | MeasureKind::Payment | MeasureKind::Whole => "F24",
        }
    }

    /// Whether payments wait while a measure of this kind is in force.
    pub fn stops_payments(self) -> bool {
        match self {
            MeasureKind::Payment | MeasureKind::Whole => true,
            MeasureKind::Deadline | MeasureKind::Termination => false,
        }
    }
}

/// F24, F25: the grantee is told what the fund means to do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct MeasureNotice {
    /// The agreement.
    pub agreement: AgreementId,
    /// What is meant.
    pub kind: MeasureKind,
    /// Salted commitment to the letter: what is meant and why.
    pub letter: Hash,
    /// SHA-256 of the proof that it was sent.
    pub dispatch: Hash,
}

/// F44: the programme officer proposes that paid money comes back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct RecoveryClaim {
    /// The agreement under which it was paid.
    pub agreement: AgreementId,
    /// Minor units; at most what is paid and not asked back yet (N21).
    pub amount: Amount,
    /// Language-free code of the reason, `not-delivered`.
    pub code: Text<40>,
    /// Salted commitment to the reason.
    pub reason: Hash,
}

impl RecoveryClaim {
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        if self.code.is_empty() {
            return Err(DecodeError::rule("a recovery names its reason"));
        }
        payable(self.amount)
    }
}

/// F26: what the treasurer saw at the bank.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct RecoveryEntry {
    /// The recovery that it pays.
    pub recovery: RecoveryId,
    /// Minor units.
    pub amount: Amount,
    /// The bank's reference.
    pub reference: BankReference,
    /// Value date, days since 1970-01-01.
    pub value_day: LocalDay,
}

impl RecoveryEntry {
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        self.reference.check()?;
        payable(self.amount)
    }
}

/// F45: a debt is set off against a payment that is approved and not released.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct SetOffEntry {
    /// The debt.
    pub recovery: RecoveryId,
    /// The payment of another agreement of the same grantee.
    pub payment: PaymentId,
    /// Minor units: at most what is open of the debt, and of the payment.
    pub amount: Amount,
}

impl SetOffEntry {
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        payable(self.amount)
    }
}

fn payable(amount: Amount) -> Result<(), DecodeError> {
    if amount.is_payable() {
        Ok(())
    } else {
        Err(DecodeError::rule(
            "an amount is 1 to 999999999999999999 minor units",
        ))
    }
}

/// F24: an announced suspension comes into force, as the effect of a motion `terminate-agreement`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct SuspendAgreement {
    /// The measure as it was announced.
    pub measure: MeasureId,
    /// Salted commitment to the reasons, which answer the observations.
    pub reason: Hash,
}

/// F25: an agreement ends as it was announced, as the effect of a motion `terminate-agreement`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct TerminateAgreement {
    /// The measure as it was announced.
    pub measure: MeasureId,
    /// Salted commitment to the reasons, which answer the observations.
    pub reason: Hash,
}

/// F26: a proposed recovery is ordered, as the effect of a motion `terminate-agreement`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct OrderRecovery {
    /// The recovery as it was proposed and notified.
    pub recovery: RecoveryId,
    /// In what parts it is due, ascending by day. Their sum is what is ordered, at most what was proposed.
    pub instalments: Vec<InstalmentEntry>,
    /// Salted commitment to the reasons, which answer the observations.
    pub reason: Hash,
}

impl OrderRecovery {
    /// What is ordered; none if it has more than 18 digits.
    pub fn amount(&self) -> Option<Amount> {
        let parts = self.instalments.iter().map(|part| u128::from(part.amount));
        u64::try_from(parts.sum::<u128>())
            .ok()
            .filter(|sum| *sum <= Amount::MAX.0)
            .map(Amount)
    }

    /// Shape: instalments in order, none of them nothing.
    pub fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.instalments, RECOVERY_INSTALMENTS_MAX, "instalments")?;
        strictly_ascending(&self.instalments, "due days of instalments", |part| {
            part.due_day
        })?;
        let late = |part: &InstalmentEntry| part.due_day > LocalDay::LAST;
        if self.instalments.is_empty()
            || self
                .instalments
                .iter()
                .any(|part| part.amount == Amount::ZERO)
        {
            return Err(DecodeError::rule(
                "a recovery has instalments, none of them zero",
            ));
        }
        if self.instalments.iter().any(late) {
            return Err(DecodeError::rule(
                "an instalment is due before the year 10000",
            ));
        }
        match self.amount() {
            Some(_) => Ok(()),
            None => Err(DecodeError::rule("a recovery has at most 18 digits")),
        }
    }
}

/// F27: what is open of an ordered recovery is given up, as the effect of a motion `write-off`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct WriteOffRecovery {
    /// The recovery.
    pub recovery: RecoveryId,
    /// SHA-256 of the list of attempts to collect it.
    pub attempts: Hash,
}
