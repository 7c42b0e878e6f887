//! Acts on memberships: application to activation, dues, notices, discipline (domain 1.4 M01 to M17, M21;
//! RULINGS R9 M26 to M30).

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, at_most, strictly_ascending};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::account::Amount;
use crate::calendar::LocalDay;
use crate::charter::Class;
use crate::id::{InvoiceId, MembershipId, NoticeId, PlanId, ProceedingId};
use crate::identity::{ActClass, GroupDeclaration};
use crate::record::{BankReference, HearingEntry, NoticeEntry, PlanEntry, ProceedingEntry};

/// Most missing items that a returned application lists.
pub const MISSING_MAX: usize = 16;

/// M01: what an applicant signs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Application {
    /// The class applied for.
    pub class: Class,
    /// SHA-256 of the charter's text, which must be the charter in force.
    pub charter: Hash,
    /// SHA-256 of the signed antitrust undertaking.
    pub antitrust: Hash,
    /// SHA-256 of the signed conflict-of-interest undertaking.
    pub conflicts: Hash,
    /// The group declaration: every relation that the applicant has declared or confirmed, strictly
    /// ascending by organisation and kind; empty is a signed "none".
    pub relations: Vec<GroupDeclaration>,
}

/// M27: dues as the treasurer saw them arrive.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Receipt {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Minor units of the charter's currency.
    pub amount: Amount,
    /// The bank's reference; used once in the whole ledger.
    pub reference: BankReference,
    /// Value date, days since 1970-01-01.
    pub value_date: LocalDay,
}

/// Why a company is none any more (M21). Grows only at its end.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cessation {
    /// It was dissolved.
    Dissolved,
    /// It is insolvent.
    Insolvent,
    /// It was merged into another company, which has signed for what it owes.
    MergedInto {
        /// The successor.
        successor: OrganisationId,
    },
}

crate::words!(Cessation, "cessation", {
    Dissolved = "dissolved",
    Insolvent = "insolvent",
    MergedInto = "merged-into",
});

/// M22: a member has another class.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ChangeClass {
    /// Membership.
    pub membership: MembershipId,
    /// The class.
    pub class: Class,
}

/// Acts on memberships. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum MembershipAct {
    /// M01: a registered company applies.
    Apply(Application),
    /// M02: the secretariat takes the application up.
    Screen {
        /// Membership number, here and below.
        membership: MembershipId,
    },
    /// M03: the secretariat sends it back.
    Return {
        /// Membership.
        membership: MembershipId,
        /// What is missing, as language-free codes; strictly ascending, at least one.
        missing: Vec<Text<40>>,
    },
    /// M04: the applicant hands it in again.
    Resubmit {
        /// Membership.
        membership: MembershipId,
        /// SHA-256 of what was added.
        additions: Hash,
    },
    /// M05: the secretariat finds the applicant ineligible.
    Reject {
        /// Membership.
        membership: MembershipId,
        /// The published criterion.
        criterion: Text<40>,
        /// Salted commitment to the reasons.
        reasons: Hash,
    },
    /// M06: the application is complete.
    Complete {
        /// Membership.
        membership: MembershipId,
    },
    /// M07: a member vouches for the applicant.
    Sponsor {
        /// Membership.
        membership: MembershipId,
    },
    /// M07: the secretariat opens the ballot, where the clock has not.
    OpenBallot {
        /// Membership.
        membership: MembershipId,
        /// Days the ballot is open.
        ballot_days: u32,
    },
    /// R9: the rejected applicant asks the board to vote once more.
    AskAgain {
        /// Membership.
        membership: MembershipId,
        /// SHA-256 of what the applicant brings forward.
        reasons: Hash,
    },
    /// The applicant takes the application back.
    WithdrawApplication {
        /// Membership.
        membership: MembershipId,
    },
    /// M26: the treasurer invoices the first dues.
    Invoice {
        /// Membership.
        membership: MembershipId,
    },
    /// M26: the treasurer cancels an invoice on which nothing was received.
    CancelInvoice {
        /// Invoice number.
        invoice: InvoiceId,
    },
    /// M27: the treasurer enters dues received.
    Receive(Receipt),
    /// M27: a second officer confirms them.
    ConfirmReceipt {
        /// Invoice number.
        invoice: InvoiceId,
        /// Record that entered them.
        receipt: Hash,
    },
    /// M27: a second officer finds that the entry is not so; it is as if not made, and its
    /// reference is free.
    DeclineReceipt {
        /// Invoice number.
        invoice: InvoiceId,
        /// Record that entered them.
        receipt: Hash,
    },
    /// M09: the applicant signs the participation agreement.
    Agree {
        /// Membership.
        membership: MembershipId,
        /// SHA-256 of the agreement.
        agreement: Hash,
    },
    /// M09: the secretariat signs the same agreement; the applicant is a member.
    Activate {
        /// Membership.
        membership: MembershipId,
        /// SHA-256 of the agreement.
        agreement: Hash,
    },
    /// M21: the secretariat finds that the company is none any more. What it owes stays owed.
    Cease {
        /// Membership.
        membership: MembershipId,
        /// What became of it.
        cause: Cessation,
        /// SHA-256 of the extract of the register.
        evidence: Hash,
    },
    /// M26: the treasurer invoices the dues of a year to every member that has no invoice for it.
    InvoiceYear {
        /// This local year or the next.
        year: u32,
    },
    /// R41: the treasurer enters that the first dues of somebody who never became a member went back.
    /// The second officer confirms or declines it like a receipt.
    PayBack(Receipt),
    /// M28: a member offers a plan to pay what is due.
    ProposePlan(PlanEntry),
    /// M28: treasurer, then secretary, accept a plan.
    AgreePlan {
        /// The plan.
        plan: PlanId,
    },
    /// M29: the secretary serves a notice; after five working days of silence a seat holder files one.
    ServeNotice(NoticeEntry),
    /// M29: another seat holder agrees to a notice that one has filed; it is served.
    AgreeNotice {
        /// The notice.
        notice: NoticeId,
    },
    /// M29: the member acknowledges a notice.
    AcknowledgeNotice {
        /// The notice.
        notice: NoticeId,
    },
    /// M30: the secretary opens a proceeding, or a seat holder files one.
    OpenProceeding(ProceedingEntry),
    /// M30: another seat holder agrees to open it.
    AgreeProceeding {
        /// The proceeding.
        proceeding: ProceedingId,
    },
    /// M30: the member replies.
    Reply {
        /// The proceeding.
        proceeding: ProceedingId,
        /// SHA-256 of the reply.
        document: Hash,
    },
    /// M30: the secretary records a hearing.
    Hear(HearingEntry),
    /// M30: the member does not want a hearing.
    WaiveHearing {
        /// The proceeding.
        proceeding: ProceedingId,
    },
    /// M30: the secretary closes a proceeding without a measure.
    CloseProceeding {
        /// The proceeding.
        proceeding: ProceedingId,
        /// SHA-256 of the reasons.
        reasons: Hash,
    },
    /// M17: the expelled member appeals to the body that expels.
    AppealExpulsion {
        /// The proceeding.
        proceeding: ProceedingId,
        /// SHA-256 of the grounds.
        grounds: Hash,
    },
    /// M18: a member gives notice that it leaves.
    GiveNotice {
        /// Membership.
        membership: MembershipId,
        /// Its last day as a member.
        last_day: LocalDay,
        /// SHA-256 of the letter.
        letter: Hash,
    },
    /// M19: a member takes its notice back.
    RevokeNotice {
        /// Membership.
        membership: MembershipId,
    },
    /// M21: a company signs that it takes over what a member owes that is merged into it.
    Succeed {
        /// Membership of the member that is merged into it.
        membership: MembershipId,
        /// SHA-256 of the deed by which it does.
        obligations: Hash,
    },
    /// M22: a member asks the board for another class.
    AskClass {
        /// Membership.
        membership: MembershipId,
        /// The class.
        class: Class,
        /// SHA-256 of the reasons.
        reasons: Hash,
    },
}

impl MembershipAct {
    pub(super) fn class(&self) -> ActClass {
        if self.is_money() {
            ActClass::Money
        } else {
            ActClass::General
        }
    }

    pub(super) fn is_money(&self) -> bool {
        matches!(
            self,
            MembershipAct::Invoice { .. }
                | MembershipAct::CancelInvoice { .. }
                | MembershipAct::Receive(_)
                | MembershipAct::ConfirmReceipt { .. }
                | MembershipAct::DeclineReceipt { .. }
                | MembershipAct::InvoiceYear { .. }
                | MembershipAct::PayBack(_)
        )
    }

    /// Whether members alone may read it (RULINGS R18, R39): dues, plans, notices, and proceedings.
    pub(super) fn is_for_members(&self) -> bool {
        self.is_money()
            || matches!(
                self,
                MembershipAct::ProposePlan(_)
                    | MembershipAct::AgreePlan { .. }
                    | MembershipAct::ServeNotice(_)
                    | MembershipAct::AgreeNotice { .. }
                    | MembershipAct::AcknowledgeNotice { .. }
                    | MembershipAct::OpenProceeding(_)
                    | MembershipAct::AgreeProceeding { .. }
                    | MembershipAct::Reply { .. }
                    | MembershipAct::Hear(_)
                    | MembershipAct::WaiveHearing { .. }
                    | MembershipAct::CloseProceeding { .. }
            )
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            MembershipAct::Apply(_) => "M01",
            MembershipAct::Screen { .. } => "M02",
            MembershipAct::Return { .. } => "M03",
            MembershipAct::Resubmit { .. } => "M04",
            MembershipAct::Reject { .. } => "M05",
            MembershipAct::Complete { .. } => "M06",
            MembershipAct::Sponsor { .. } | MembershipAct::OpenBallot { .. } => "M07",
            MembershipAct::AskAgain { .. } => "R9",
            MembershipAct::WithdrawApplication { .. } => "M01w",
            MembershipAct::Invoice { .. }
            | MembershipAct::CancelInvoice { .. }
            | MembershipAct::InvoiceYear { .. } => "M26",
            MembershipAct::PayBack(_) => "R41",
            MembershipAct::ProposePlan(_) | MembershipAct::AgreePlan { .. } => "M28",
            MembershipAct::ServeNotice(_)
            | MembershipAct::AgreeNotice { .. }
            | MembershipAct::AcknowledgeNotice { .. } => "M29",
            MembershipAct::OpenProceeding(_)
            | MembershipAct::AgreeProceeding { .. }
            | MembershipAct::Reply { .. }
            | MembershipAct::Hear(_)
            | MembershipAct::WaiveHearing { .. }
            | MembershipAct::CloseProceeding { .. } => "M30",
            MembershipAct::AppealExpulsion { .. } => "M17",
            MembershipAct::Receive(_)
            | MembershipAct::ConfirmReceipt { .. }
            | MembershipAct::DeclineReceipt { .. } => "M27",
            MembershipAct::Agree { .. } | MembershipAct::Activate { .. } => "M09",
            MembershipAct::Cease { .. } | MembershipAct::Succeed { .. } => "M21",
            MembershipAct::GiveNotice { .. } => "M18",
            MembershipAct::AskClass { .. } => "M22",
            MembershipAct::RevokeNotice { .. } => "M19",
        }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            MembershipAct::Apply(application) => {
                strictly_ascending(&application.relations, "relations", |relation| {
                    (relation.other, relation.kind)
                })?;
                at_most(&application.relations, 64, "relations")
            }
            MembershipAct::Return { missing, .. } => {
                strictly_ascending(missing, "missing items", Clone::clone)?;
                at_most(missing, MISSING_MAX, "missing items")?;
                if missing.is_empty() || missing.iter().any(Text::is_empty) {
                    return Err(DecodeError::rule(
                        "a returned application lists what is missing",
                    ));
                }
                Ok(())
            }
            MembershipAct::Receive(receipt) | MembershipAct::PayBack(receipt)
                if receipt.amount == Amount::ZERO =>
            {
                Err(DecodeError::rule("a receipt has an amount"))
            }
            MembershipAct::Receive(receipt) | MembershipAct::PayBack(receipt) => {
                receipt.reference.check()
            }
            MembershipAct::ProposePlan(entry) => entry.check(),
            MembershipAct::OpenProceeding(entry) if entry.ground.is_empty() => {
                Err(DecodeError::rule("a proceeding names its ground"))
            }
            _ => Ok(()),
        }
    }
}
