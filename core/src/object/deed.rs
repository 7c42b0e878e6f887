//! Deeds: who did which step of a payment's chain (domain 2.9).

use bincode::{Decode, Encode};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::PersonId;

/// The steps of one payment, from the vote on its award to the acknowledgement.
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
pub enum Step {
    /// A final review of the application.
    Review,
    /// A counted ballot on the award.
    Vote,
    /// The grantee requests.
    Request,
    /// An assessor's verdict on the milestone.
    Assess,
    /// The programme officer certifies.
    Certify,
    /// A finance approver approves.
    Approve,
    /// The treasurer releases.
    Release,
    /// A second officer confirms.
    Confirm,
    /// The grantee acknowledges.
    Acknowledge,
}

crate::words!(Step, "step", {
    Review = "review",
    Vote = "vote",
    Request = "request",
    Assess = "assess",
    Certify = "certify",
    Approve = "approve",
    Release = "release",
    Confirm = "confirm",
    Acknowledge = "acknowledge",
});

/// Every step, in the order of the table.
pub const STEPS: [Step; 9] = [
    Step::Review,
    Step::Vote,
    Step::Request,
    Step::Assess,
    Step::Certify,
    Step::Approve,
    Step::Release,
    Step::Confirm,
    Step::Acknowledge,
];

impl Step {
    /// Steps of the grantee; all others are on the fund's side.
    pub fn is_grantees(self) -> bool {
        matches!(self, Step::Request | Step::Acknowledge)
    }

    /// Steps before the request: they decide about the application or the milestone.
    pub fn is_before_request(self) -> bool {
        matches!(self, Step::Review | Step::Vote | Step::Assess)
    }

    /// Steps of the fund's own officers, to which `chain_distinct_groups` applies.
    pub fn is_officers(self) -> bool {
        matches!(
            self,
            Step::Certify | Step::Approve | Step::Release | Step::Confirm
        )
    }

    /// Whether one person may take both steps.
    pub fn both(self, other: Step) -> Both {
        let (row, column) = (self as usize, other as usize);
        MATRIX
            .get(row)
            .and_then(|cells| cells.get(column))
            .copied()
            .unwrap_or(Both::No)
    }
}

/// Who took a step.
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
pub struct Deed {
    /// The step.
    pub step: Step,
    /// Person number.
    pub person: PersonId,
    /// The organisation for which the person's conflicts are computed.
    pub home: OrganisationId,
    /// Ledger time at which it was taken, the newest one of a repeated step; the end of time for one
    /// that is still to be taken.
    pub at_ms: LedgerTime,
}

/// Whether one person may take two steps of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Both {
    /// Never.
    No,
    /// Yes.
    Yes,
    /// Yes, and the later act says so.
    Recorded,
}

pub(crate) const N: Both = Both::No;

pub(crate) const Y: Both = Both::Yes;

pub(crate) const R: Both = Both::Recorded;

/// May the same person do both? Symmetric; rows and columns in the order of [`STEPS`]. The diagonal
/// is the same step twice.
pub const MATRIX: [[Both; 9]; 9] = [
    // review vote request assess certify approve release confirm acknowledge
    [N, N, N, N, N, N, N, N, N], // review
    [N, Y, N, R, N, N, N, N, N], // vote: a ballot may be cast again
    [N, N, Y, N, N, N, N, N, Y], // request: the grantee's officer may also acknowledge
    [N, R, N, N, N, N, N, N, N], // assess
    [N, N, N, N, N, N, N, N, N], // certify
    [N, N, N, N, N, N, N, N, N], // approve: two approvers are two persons
    [N, N, N, N, N, N, Y, N, N], // release: again after a return
    [N, N, N, N, N, N, N, Y, N], // confirm: a return, then the settlement
    [N, N, Y, N, N, N, N, N, Y], // acknowledge
];
