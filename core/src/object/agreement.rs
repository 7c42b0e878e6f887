//! Grant agreements: what stands in the ledger of one, and its transitions (domain 2.4).

use AgreementState as S;
use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::id::{
    AgreementId, ApplicationId, AwardId, CallId, FundId, MeasureId, MilestoneId, PaymentId,
    PersonId,
};
use crate::identity::Role;
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
    /// Held up by the board, until it goes on or ends.
    Suspended,
    /// Ended by the board before it was completed.
    Terminated,
    /// Nothing is to come any more.
    Closed,
}

crate::words!(AgreementState, "state.agreement", {
    Drafted = "drafted",
    SignedByGrantee = "signed-by-grantee",
    InForce = "in-force",
    Replaced = "replaced",
    Completed = "completed",
    Suspended = "suspended",
    Terminated = "terminated",
    Closed = "closed",
});

impl AgreementState {
    /// Whether something may still be paid under it.
    pub fn is_payable(self) -> bool {
        match self {
            S::InForce | S::Completed | S::Suspended | S::Terminated => true,
            S::Drafted | S::SignedByGrantee | S::Replaced | S::Closed => false,
        }
    }

    /// Whether nothing more is delivered: what is owed is all that will be.
    pub fn is_over(self) -> bool {
        match self {
            S::Completed | S::Terminated | S::Closed => true,
            S::Drafted | S::SignedByGrantee | S::InForce | S::Replaced | S::Suspended => false,
        }
    }
}

/// Transitions of an agreement (domain 2.4).
pub const ROWS: [Row<AgreementState>; 14] = [
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
    row!("F24", Some(S::InForce) => S::Suspended, "BRD", "announced; observations considered"),
    row!("F24", Some(S::Suspended) => S::InForce, "PO, FIN", "two persons"),
    row!(
        "F25",
        Some(S::InForce) => S::Terminated,
        "BRD",
        "announced; observations considered; K that is not owed -> B or A"
    ),
    row!("F25", Some(S::Suspended) => S::Terminated, "BRD", "the same"),
    row!("F28", Some(S::Completed) => S::Completed, "PO, FIN", "first of two that close it"),
    row!("F28", Some(S::Terminated) => S::Terminated, "PO, FIN", "first of two that close it"),
    row!(
        "F28",
        Some(S::Completed) => S::Closed,
        "PO, FIN",
        "no payment under way, nothing owed, no recovery open; D -> S, K -> B or A"
    ),
    row!("F28", Some(S::Terminated) => S::Closed, "PO, FIN", "the same"),
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
    /// What was de-obligated, in minor units: returned to the call or the fund (N6).
    pub freed: Amount,
    /// What came back of paid money, by the bank and set off (N6).
    pub recovered: Amount,
    /// What was written off (N6).
    pub written_off: Amount,
    /// The measure that waits to be decided.
    pub measure: Option<MeasureId>,
    /// Since when payments were held for a measure that came to nothing without the board's vote.
    pub hold_lapsed: Option<LedgerTime>,
    /// The suspension in force.
    pub suspension: Option<MeasureId>,
    /// Who closes it: the first of two.
    pub closing: Option<(Role, PersonId)>,
}

impl Agreement {
    /// What has left its commitment for payments, when it holds `committed` minor units (N6).
    pub fn spent(&self, committed: Amount) -> Amount {
        self.terms
            .total
            .saturating_sub(self.freed)
            .saturating_sub(committed)
    }

    /// What was accepted and has not left the commitment.
    pub fn owed(&self, committed: Amount) -> Amount {
        self.accepted.saturating_sub(self.spent(committed))
    }

    /// What is committed and not owed: nothing accepted waits for it.
    pub fn residue(&self, committed: Amount) -> Amount {
        committed.saturating_sub(self.owed(committed))
    }

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
