//! Grant agreements: what stands in the ledger of one, and its transitions (domain 2.4).

use AgreementState as S;
use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::id::{
    AgreementId, ApplicationId, AwardId, CallId, FundId, MilestoneId, PaymentId, PersonId,
};
use crate::machine::Row;
use crate::object::milestone::Paid;
use crate::record::AgreementTerms;
use crate::row;

/// Where an agreement stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum AgreementState {
    /// Terms are on the table.
    Drafted,
    /// The grantee has signed.
    SignedByGrantee,
    /// Signed by all.
    InForce,
    /// Another draft took its place before it was in force.
    Replaced,
    /// The final report is accepted.
    Completed,
}

crate::words!(AgreementState, "state.agreement", {
    Drafted = "drafted",
    SignedByGrantee = "signed-by-grantee",
    InForce = "in-force",
    Replaced = "replaced",
    Completed = "completed",
});

/// Transitions of an agreement (domain 2.4).
pub const ROWS: [Row<AgreementState>; 6] = [
    row!(
        "F13",
        None => S::Drafted,
        "PO",
        "award accepted, no open appeal; sum, cap, holdback, call, charter; PO unrelated"
    ),
    row!("F13", Some(S::Drafted) => S::Replaced, "PO", "a new draft of the same award"),
    row!("F13", Some(S::SignedByGrantee) => S::Replaced, "PO", "a new draft of the same award"),
    row!(
        "F13",
        Some(S::Drafted) => S::SignedByGrantee,
        "GRT primary + finance",
        "names the draft; same digest"
    ),
    row!(
        "F13",
        Some(S::SignedByGrantee) => S::InForce,
        "2 of TRE, OFF, FIN",
        "names the grantee's record; same digest; distinct persons, unrelated; W -> K"
    ),
    row!("F43", Some(S::InForce) => S::Completed, "2 ASR", "final report accepted"),
];

/// A payee account on its way into force (F42).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct AccountChange {
    /// Commitment to the new account.
    pub account: Hash,
    /// Record that named it.
    pub record: Hash,
    /// A second officer has confirmed it.
    pub confirmed: bool,
    /// The cooling-off is over.
    pub cooled: bool,
}

/// An agreement (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Agreement {
    /// Its number.
    pub number: AgreementId,
    /// Its award.
    pub award: AwardId,
    /// The fund.
    pub fund: FundId,
    /// The call.
    pub call: CallId,
    /// The application.
    pub application: ApplicationId,
    /// The grantee.
    pub grantee: OrganisationId,
    /// What was signed.
    pub terms: AgreementTerms,
    /// Its digest.
    pub digest: Hash,
    /// Where it stands.
    pub state: AgreementState,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// Record that drafted it.
    pub drafted: Hash,
    /// Record by which the grantee signed.
    pub signed: Option<Hash>,
    /// Persons who signed for the fund.
    pub officers: Vec<PersonId>,
    /// Ledger time from which it is in force.
    pub in_force_ms: Option<LedgerTime>,
    /// Number of the first milestone; they count up, the final report comes last. 0 before the
    /// agreement is in force.
    pub first_milestone: MilestoneId,
    /// Sum of accepted amounts.
    pub accepted: Amount,
    /// What payments have fixed.
    pub paid: Paid,
    /// The payee account in force.
    pub account: Hash,
    /// The one that is to follow.
    pub change: Option<AccountChange>,
    /// The live or made payment of the advance.
    pub advance_payment: Option<PaymentId>,
    /// The live or made payment of the holdback.
    pub holdback_payment: Option<PaymentId>,
}

impl Agreement {
    /// The milestones, the final report last.
    pub fn milestones(&self) -> impl Iterator<Item = MilestoneId> + use<> {
        (self.first_milestone.0..=self.final_report().0).map(MilestoneId)
    }

    /// The final report.
    pub fn final_report(&self) -> MilestoneId {
        let planned = self.terms.milestones.len() as u32;
        MilestoneId(self.first_milestone.0.saturating_add(planned))
    }
}

crate::object::object!(Agreement, crate::id::AgreementId, "agreement");
crate::object::machine!(Agreement, "agreement", AgreementState, state);
