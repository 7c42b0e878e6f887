//! Acts on awards, agreements and payee accounts (F11 to F13, F42).
//!
//! An agreement is a chain of records, each naming the one before (RULINGS A6): the programme
//! officer drafts the terms, the grantee signs the draft's id and the terms' digest, the fund's
//! officers sign the grantee's record id and the same digest. The award itself is no act of this
//! family: it is the effect of a motion. What becomes of an agreement in force stands in `life`.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, at_most, encode};
use rollbook_proof::crypto::{Hash, sha256_tagged};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::charter::motions::BodyKind;
use crate::id::{
    AgreementId, ApplicationId, AwardId, CharterVersion, MeasureId, PaymentId, RecoveryId,
};
use crate::identity::ActClass;
use crate::record::call::check_parts;
use crate::record::{Instrument, MeasureNotice, Part, RecoveryClaim, RecoveryEntry, SetOffEntry};

/// Most milestones of one agreement; keeps the proved agreement under its limit.
pub const MILESTONES_MAX: usize = 24;

/// One milestone as agreed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct MilestonePlan {
    /// What it is worth, holdback included, in minor units.
    pub amount: Amount,
    /// Ledger time until which it is due.
    pub due_ms: LedgerTime,
    /// SHA-256 of what counts as evidence.
    pub evidence: Hash,
}

/// What both sides sign (domain 2.4): its digest is the same in every signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct AgreementTerms {
    /// The award's number.
    pub award: AwardId,
    /// What is granted.
    pub instrument: Instrument,
    /// Organisation number of the grantee, the lead of a joint application.
    pub grantee: OrganisationId,
    /// Its partners with their parts, as awarded (RULINGS R46).
    pub partners: Vec<Part>,
    /// SHA-256 of the identifiers of both parties as they stand in the document.
    pub parties: Hash,
    /// SHA-256 of the document that people sign.
    pub document: Hash,
    /// The whole amount, in minor units: the award's, and the sum of the milestones (N5).
    pub total: Amount,
    /// Unit code of the fund: `CNY`, `GPU-HOUR`.
    pub unit: crate::account::Unit,
    /// Milestones in order, at least one.
    pub milestones: Vec<MilestonePlan>,
    /// Paid in advance, at most the charter's share of the total; 0 for none.
    pub advance: Amount,
    /// Held back until final acceptance, in basis points of what is accepted; at least the
    /// charter's share.
    pub holdback_bp: u32,
    /// Salted commitment to the payee's account.
    pub account: Hash,
    /// Charter version the agreement runs under to its end.
    pub charter: CharterVersion,
    /// Digest of the call's published terms.
    pub call: Hash,
    /// SHA-256 of the clawback clause.
    pub clawback: Hash,
    /// SHA-256 of the clause that says which duties survive the end.
    pub survival: Hash,
}

impl AgreementTerms {
    /// What every party signs.
    pub fn digest(&self) -> Hash {
        sha256_tagged("rollbook/agreement/v1", &[&encode(self)])
    }

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.milestones, MILESTONES_MAX, "milestones")?;
        if self.milestones.is_empty() {
            return Err(DecodeError::rule("an agreement has at least one milestone"));
        }
        if self.milestones.iter().any(|plan| !plan.amount.is_payable()) || self.total > Amount::MAX
        {
            return Err(DecodeError::rule(
                "an amount is 1 to 999999999999999999 minor units",
            ));
        }
        check_parts(&self.partners, self.total)?;
        if self.holdback_bp > 10_000 {
            return Err(DecodeError::rule("a holdback above 100 per cent"));
        }
        self.unit
            .check_code()
            .map_err(|error| DecodeError::rule(error.to_string()))
    }
}

/// How the second officer heard that a new payee account is right; never the channel by which the
/// change came.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A call to the number on file.
    Telephone,
    /// Sealed paper.
    RegisteredLetter,
    /// In person.
    InPerson,
    /// A transfer of a token amount that the payee named.
    TokenTransfer,
}

/// Acts on awards and agreements. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum AwardAct {
    /// F12: the grantee accepts the offer.
    Accept {
        /// The award.
        award: AwardId,
    },
    /// F13, first record: the programme officer drafts the agreement. Replaces a draft that is not
    /// in force.
    Draft(AgreementTerms),
    /// F13, second record: the grantee signs, primary and finance officer together.
    Sign {
        /// The agreement.
        agreement: AgreementId,
        /// Id of the record that drafted it.
        draft: Hash,
        /// [`AgreementTerms::digest`].
        terms: Hash,
    },
    /// F13, third record: officers of the fund sign; with the second of them the agreement is in
    /// force.
    Countersign {
        /// The agreement.
        agreement: AgreementId,
        /// Id of the grantee's record.
        signed: Hash,
        /// [`AgreementTerms::digest`].
        terms: Hash,
    },
    /// F42: the grantee names another account, primary and finance officer together.
    ChangeAccount {
        /// The agreement.
        agreement: AgreementId,
        /// Salted commitment to the new account.
        account: Hash,
    },
    /// F42: a second officer confirms the new account by another channel.
    ConfirmAccount {
        /// The agreement.
        agreement: AgreementId,
        /// Id of the record that named the account.
        change: Hash,
        /// The account confirmed.
        account: Hash,
        /// How.
        channel: Channel,
    },
    /// F24, F25: the programme officer tells the grantee what the fund means to do.
    Announce(MeasureNotice),
    /// F24, F25: the grantee observes on it.
    ObserveMeasure {
        /// The measure.
        measure: MeasureId,
        /// Salted commitment to the observations.
        observations: Hash,
    },
    /// F24: a finance approver holds the payments until the measure is decided.
    HoldPayments {
        /// The measure.
        measure: MeasureId,
        /// Salted commitment to the ground.
        ground: Hash,
    },
    /// F24, F25: the programme officer drops the measure before it is decided.
    DropMeasure {
        /// The measure.
        measure: MeasureId,
        /// Salted commitment to the reason.
        reason: Hash,
    },
    /// F24: the programme officer or a finance approver lets a suspended agreement go on; with the other
    /// of them it does.
    Resume {
        /// The agreement.
        agreement: AgreementId,
    },
    /// F44: the programme officer proposes that paid money comes back.
    ProposeRecovery(RecoveryClaim),
    /// F44: the programme officer notifies the grantee of it.
    NotifyRecovery {
        /// The recovery.
        recovery: RecoveryId,
        /// Salted commitment to the letter.
        letter: Hash,
        /// SHA-256 of the proof that it was sent.
        dispatch: Hash,
    },
    /// F44: the grantee observes on it.
    ObserveRecovery {
        /// The recovery.
        recovery: RecoveryId,
        /// Salted commitment to the observations.
        observations: Hash,
    },
    /// F44: the programme officer drops it before it is ordered.
    DropRecovery {
        /// The recovery.
        recovery: RecoveryId,
        /// Salted commitment to the reason.
        reason: Hash,
    },
    /// F26: the treasurer records money that came back.
    ReceiveRecovery(RecoveryEntry),
    /// F26: a second officer confirms it.
    ConfirmRecovery {
        /// Record id of the entry.
        receipt: Hash,
    },
    /// F45: a finance approver sets a debt off against a payment.
    SetOff(SetOffEntry),
    /// F45: the treasurer agrees.
    AgreeSetOff {
        /// Record id of the entry.
        entry: Hash,
    },
    /// F28: the programme officer or a finance approver closes an agreement; with the other of them it is
    /// closed.
    Close {
        /// The agreement.
        agreement: AgreementId,
    },
}

impl AwardAct {
    pub(super) fn class(&self) -> ActClass {
        ActClass::Money
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            AwardAct::Accept { .. } => "F12",
            AwardAct::Draft(_) | AwardAct::Sign { .. } | AwardAct::Countersign { .. } => "F13",
            AwardAct::ChangeAccount { .. } | AwardAct::ConfirmAccount { .. } => "F42",
            AwardAct::Announce(notice) => notice.kind.code(),
            AwardAct::ObserveMeasure { .. }
            | AwardAct::HoldPayments { .. }
            | AwardAct::DropMeasure { .. }
            | AwardAct::Resume { .. } => "F24",
            AwardAct::ProposeRecovery(_)
            | AwardAct::NotifyRecovery { .. }
            | AwardAct::ObserveRecovery { .. }
            | AwardAct::DropRecovery { .. } => "F44",
            AwardAct::ReceiveRecovery(_) | AwardAct::ConfirmRecovery { .. } => "F26",
            AwardAct::SetOff(_) | AwardAct::AgreeSetOff { .. } => "F45",
            AwardAct::Close { .. } => "F28",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            AwardAct::Draft(terms) => terms.check(),
            AwardAct::ProposeRecovery(claim) => claim.check(),
            AwardAct::ReceiveRecovery(entry) => entry.check(),
            AwardAct::SetOff(entry) => entry.check(),
            _ => Ok(()),
        }
    }

    /// Steps of the fund's side that one person takes: the second person takes the next.
    pub(super) fn is_of_the_fund(&self) -> bool {
        match self {
            AwardAct::Announce(_)
            | AwardAct::HoldPayments { .. }
            | AwardAct::DropMeasure { .. }
            | AwardAct::Resume { .. }
            | AwardAct::ProposeRecovery(_)
            | AwardAct::NotifyRecovery { .. }
            | AwardAct::DropRecovery { .. }
            | AwardAct::ReceiveRecovery(_)
            | AwardAct::ConfirmRecovery { .. }
            | AwardAct::SetOff(_)
            | AwardAct::AgreeSetOff { .. }
            | AwardAct::Close { .. } => true,
            AwardAct::Accept { .. }
            | AwardAct::Draft(_)
            | AwardAct::Sign { .. }
            | AwardAct::Countersign { .. }
            | AwardAct::ChangeAccount { .. }
            | AwardAct::ConfirmAccount { .. }
            | AwardAct::ObserveMeasure { .. }
            | AwardAct::ObserveRecovery { .. } => false,
        }
    }
}

/// F11, F41: an award, as the effect of a motion `award`, or `award-out-of-rank` if it passes over
/// a better rank.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct GrantAward {
    /// The application.
    pub application: ApplicationId,
    /// Minor units; at most the ask.
    pub amount: Amount,
    /// The body it is put to; at least the one that size and splitting test ask for.
    pub body: BodyKind,
    /// Why a better rank is passed over: salted commitment to the reasons.
    pub out_of_rank: Option<Hash>,
}

impl GrantAward {
    /// Shape: an amount.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.amount.is_payable() {
            Ok(())
        } else {
            Err(DecodeError::rule(
                "an award is 1 to 999999999999999999 minor units",
            ))
        }
    }
}

/// What becomes of a ranked application that gets no award now.
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
pub enum Placing {
    /// Next if an award falls away (F41).
    Reserve,
    /// No award.
    NotRecommended,
}

/// F11: places a ranked application without an award, as the effect of a motion `award`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct PlaceApplication {
    /// The application.
    pub application: ApplicationId,
    /// Where.
    pub placing: Placing,
    /// Salted commitment to the reasons.
    pub reason: Hash,
}

/// F12: revokes an award that is not under an agreement in force, as the effect of a motion
/// `terminate-agreement`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct RevokeAward {
    /// The award.
    pub award: AwardId,
    /// Salted commitment to the reasons.
    pub reason: Hash,
}

/// F19: releases a payment from hold, as the effect of a motion `lift-hold`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct LiftHold {
    /// The payment.
    pub payment: PaymentId,
    /// Salted commitment to the reasons.
    pub reason: Hash,
}
