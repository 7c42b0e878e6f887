//! Applications to a call: what stands in the ledger of one, and its transitions (domain 2.3).

use ApplicationStatus as A;
use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::id::{ApplicationId, CallId, PersonId};
use crate::machine::Row;
use crate::record::{ApplicationContent, Verdict};
use crate::row;

/// Where an application stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationStatus {
    /// Sealed, in time.
    Submitted,
    /// The content matches the commitment; no verdict yet.
    Opened,
    /// May be reviewed.
    Eligible,
    /// Ineligible; see the appeal.
    Ineligible,
    /// Reviewers are assigned.
    UnderReview,
    /// Above every threshold, with a rank.
    Ranked,
    /// A positive decision.
    Awarded,
    /// Next if an award falls away.
    Reserve,
    /// No award.
    NotRecommended,
    /// Taken back by the applicant.
    Withdrawn,
    /// Not opened in time, one project of a group too many, or its call was cancelled.
    Void,
}

crate::words!(ApplicationStatus, "state.application", {
    Submitted = "submitted",
    Opened = "opened",
    Eligible = "eligible",
    Ineligible = "ineligible",
    UnderReview = "under-review",
    Ranked = "ranked",
    Awarded = "awarded",
    Reserve = "reserve",
    NotRecommended = "not-recommended",
    Withdrawn = "withdrawn",
    Void = "void",
});

/// An appeal against ineligibility (F40).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Appeal {
    /// May be filed; the deadline runs.
    Possible,
    /// Filed with grounds (salted commitment); the board decides.
    Filed(Hash),
    /// Granted: the application is eligible.
    Granted,
    /// Dismissed by the board.
    Dismissed,
    /// Not filed in time.
    Expired,
}

crate::words!(Appeal, "appeal", {
    Possible = "possible",
    Filed = "filed",
    Granted = "granted",
    Dismissed = "dismissed",
    Expired = "expired",
});

/// What was sealed, once opened.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Opened {
    /// The content.
    pub content: ApplicationContent,
    /// Ledger time.
    pub at_ms: LedgerTime,
    /// Organisation that opened it: the applicant, or the programme officer's office.
    pub by: OrganisationId,
}

/// The exact score: totals over all final reviews, to be divided by their number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// Sum of weight (basis points) times score over criteria and reviews.
    pub total: u64,
    /// Sum of scores by criterion.
    pub sums: Vec<u64>,
    /// Number of final reviews.
    pub reviews: u32,
    /// Whether every threshold is reached.
    pub reached: bool,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Application {
    /// Its number.
    pub number: ApplicationId,
    /// The call.
    pub call: CallId,
    /// The applicant.
    pub applicant: OrganisationId,
    /// Commitment to the content.
    pub commitment: Hash,
    /// The record that submitted it.
    pub record: Hash,
    /// Ledger time of submission; of the (f+1)-th seen receipt if it came late.
    pub submitted_ms: LedgerTime,
    /// Where it stands.
    pub status: ApplicationStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// The content, once opened.
    pub opened: Option<Opened>,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// Person who gave it.
    pub judged_by: Option<PersonId>,
    /// The appeal, if ineligible.
    pub appeal: Option<Appeal>,
    /// The score, once ranked.
    pub score: Option<Score>,
    /// Rank from 1; none below a threshold.
    pub rank: Option<u32>,
    /// An application of another group to the call has the same project (RULINGS R33).
    pub same_project: bool,
    /// Why it is void, where a rule made it so.
    pub void: Option<Text<40>>,
}

impl Application {
    /// Hash of the project; none before the opening.
    pub fn project(&self) -> Option<Hash> {
        self.opened.as_ref().map(|opened| opened.content.project)
    }

    /// The ask in minor units; 0 before the opening.
    pub fn ask(&self) -> Amount {
        self.opened
            .as_ref()
            .map_or(Amount::ZERO, |opened| opened.content.ask)
    }
}

/// The state machine.
pub const ROWS: [Row<ApplicationStatus>; 35] = [
    row!(
        "F06",
        None => A::Submitted,
        "applicant",
        "window open by ledger time; class and direction; room for the group"
    ),
    row!(
        "F07",
        Some(A::Submitted) => A::Opened,
        "applicant, PO",
        "content equals commitment; before the opening deadline"
    ),
    row!("F07", Some(A::Submitted) => A::Void, "CLK", "not opened in time"),
    row!(
        "R33",
        Some(A::Opened) => A::Void,
        "applicant, PO",
        "opened: an earlier one of the group has the project"
    ),
    row!("R33", Some(A::Eligible) => A::Void, "applicant, PO", "the same, before the ranking"),
    row!("R33", Some(A::Ineligible) => A::Void, "applicant, PO", "the same"),
    row!("R33", Some(A::UnderReview) => A::Void, "applicant, PO", "the same; its reviews end"),
    row!("R13", Some(A::Opened) => A::Opened, "CLK", "past judge_days: shown as overdue"),
    row!("F07", Some(A::Opened) => A::Eligible, "PO", "unrelated"),
    row!("F07", Some(A::Opened) => A::Ineligible, "PO", "unrelated; published code, reason"),
    row!("F40", Some(A::Ineligible) => A::Eligible, "BRD", "appeal within the limit, granted"),
    row!(
        "F40",
        Some(A::Ineligible) => A::Ineligible,
        "BRD, CLK",
        "appeal dismissed, or not filed in time"
    ),
    row!(
        "F08",
        Some(A::Eligible) => A::UnderReview,
        "CLK",
        "the call's draw; >= min reviewers, distinct groups, unrelated"
    ),
    row!(
        "F10",
        Some(A::UnderReview) => A::Ranked,
        "anyone",
        "all reviews final; every threshold reached"
    ),
    row!(
        "F10",
        Some(A::UnderReview) => A::NotRecommended,
        "anyone",
        "all reviews final; below a threshold"
    ),
    row!("F11", Some(A::Ranked) => A::Awarded, "IC, BRD, GA", "see award"),
    row!("F11", Some(A::Ranked) => A::Reserve, "IC, BRD, GA", "see award"),
    row!("F11", Some(A::Ranked) => A::NotRecommended, "IC, BRD, GA", "see award"),
    row!("F41", Some(A::Reserve) => A::Awarded, "IC, BRD, GA", "after F12"),
    row!("F39", Some(A::Submitted) => A::Withdrawn, "applicant", "before Decided"),
    row!("F39", Some(A::Opened) => A::Withdrawn, "applicant", "before Decided"),
    row!("F39", Some(A::Eligible) => A::Withdrawn, "applicant", "before Decided"),
    row!(
        "F39",
        Some(A::UnderReview) => A::Withdrawn,
        "applicant",
        "before Decided; its reviews end"
    ),
    row!("F39", Some(A::Ranked) => A::Withdrawn, "applicant", "before Decided"),
    row!("F39", Some(A::Reserve) => A::Withdrawn, "applicant", "before Decided"),
    row!("F39", Some(A::Ineligible) => A::Withdrawn, "applicant", "before Decided; an appeal ends"),
    row!("F29", Some(A::Reserve) => A::NotRecommended, "PO", "call closed"),
    row!("F38", Some(A::Submitted) => A::Void, "BRD", "call cancelled"),
    row!("F38", Some(A::Opened) => A::Void, "BRD", "call cancelled"),
    row!("F38", Some(A::Eligible) => A::Void, "BRD", "call cancelled"),
    row!("F38", Some(A::Ineligible) => A::Void, "BRD", "call cancelled"),
    row!("F38", Some(A::UnderReview) => A::Void, "BRD", "call cancelled"),
    row!("F38", Some(A::Ranked) => A::Void, "BRD", "call cancelled"),
    row!("F38", Some(A::Reserve) => A::Void, "BRD", "call cancelled"),
    row!("F38", Some(A::Awarded) => A::Void, "BRD", "call cancelled; its award lapsed or was revoked"),
];

crate::object::object!(Application, crate::id::ApplicationId, "application");
crate::object::machine!(Application, "application", ApplicationStatus, status);
