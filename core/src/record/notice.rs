//! What acts on dues, notices and discipline carry, and the effects of motions about them (M10 to M17, M26
//! to M30; RULINGS R9, R17, R41).

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, at_most};
use rollbook_proof::crypto::Hash;

use crate::account::Amount;
use crate::calendar::LocalDay;
use crate::id::{MembershipId, PlanId, ProceedingId};

/// Most instalments of a plan.
pub const PLAN_PARTS_MAX: usize = 60;

/// What a notice is about.
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
pub enum NoticeAbout {
    /// M11: dues are unpaid, and the vote will be suspended.
    Dues(MembershipId),
    /// M13: they are still unpaid, and the membership will end.
    DuesAgain(MembershipId),
    /// M30: a proceeding was opened, with its reasons.
    Proceeding(ProceedingId),
    /// M16: a warning, without which nobody is expelled.
    Warning(MembershipId),
}

crate::words!(NoticeAbout, "notice-about", {
    Dues = "dues",
    DuesAgain = "dues-again",
    Proceeding = "proceeding",
    Warning = "warning",
});

/// How a notice went out (RULINGS R17).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeChannel {
    /// By registered letter.
    RegisteredLetter,
    /// By e-mail.
    Email,
    /// By hand.
    Hand,
}

crate::words!(NoticeChannel, "notice-channel", {
    RegisteredLetter = "registered-letter",
    Email = "email",
    Hand = "hand",
});

/// M29: a notice to a member. Text and proof stay beside the log.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct NoticeEntry {
    /// What it is about.
    pub subject: NoticeAbout,
    /// SHA-256 of its text.
    pub text: Hash,
    /// How it went out.
    pub channel: NoticeChannel,
    /// The local day on which it did.
    pub dispatched: LocalDay,
    /// SHA-256 of the proof of dispatch.
    pub proof: Hash,
}

/// One instalment of a plan.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct PlanPart {
    /// The local day by whose end it is received.
    pub due_day: LocalDay,
    /// Minor units of the charter's currency.
    pub amount: Amount,
}

/// M28: the plan by which a member offers to pay what is due.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct PlanEntry {
    /// The membership.
    pub membership: MembershipId,
    /// Its instalments, strictly ascending by day; they sum to what is due.
    pub parts: Vec<PlanPart>,
}

impl PlanEntry {
    /// Shape.
    pub fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.parts, PLAN_PARTS_MAX, "instalments of a plan")?;
        let ascending = self
            .parts
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.due_day < b.due_day));
        let empty = self.parts.iter().any(|part| part.amount == Amount::ZERO);
        if self.parts.is_empty() || !ascending || empty {
            return Err(DecodeError::rule(
                "a plan has instalments, each with an amount, in the order of their days",
            ));
        }
        Ok(())
    }
}

/// M30: what a member is held to have done.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct ProceedingEntry {
    /// The membership.
    pub membership: MembershipId,
    /// The ground, as a code without a language.
    pub ground: Text<40>,
    /// SHA-256 of the reasons, which the notice holds.
    pub reasons: Hash,
}

/// M30: a hearing that was held.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct HearingEntry {
    /// The proceeding.
    pub proceeding: ProceedingId,
    /// The local day.
    pub day: LocalDay,
    /// Whether the member came.
    pub attended: bool,
    /// SHA-256 of its minutes.
    pub minutes: Hash,
}

/// M14: a member is suspended for so many days.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct SuspendMember {
    /// The proceeding. It says who: before the decision only members read that.
    pub proceeding: ProceedingId,
    /// Days.
    pub days: u32,
}

/// M15: a suspension is lifted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct LiftSuspension {
    /// The membership.
    pub membership: MembershipId,
}

/// M16: a member is expelled, with time to appeal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ExpelMember {
    /// The proceeding.
    pub proceeding: ProceedingId,
}

/// M17: the appeal of an expelled member is upheld. Opened by the appeal, never by a proposal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct UpholdAppeal {
    /// The proceeding.
    pub proceeding: ProceedingId,
}

/// M28: a plan is accepted that is longer than treasurer and secretary may accept.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct AcceptPlan {
    /// The plan.
    pub plan: PlanId,
}
