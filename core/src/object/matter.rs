//! Matters: what conflicts, reviewers' exclusion and voters' deeds hang on (RULINGS R31).
//!
//! A matter is wider than one motion: an award, its rescission, its revocation, an appeal and the
//! lift of a hold are one matter, that of the application from which they grow. Which matter a
//! motion belongs to is said by its effect ([`Effect::matter`](crate::rules::effect::Effect::matter)).

use bincode::{Decode, Encode};

use crate::id::{
    ApplicationId, CallId, ContributionId, DraftId, FundId, MembershipId, MotionId, OrderId,
    PostId, RelationId,
};

/// A matter. Grows only at its end.
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
pub enum Matter {
    /// What a motion makes and nothing else knows yet: a fund, a call, a post, a pool, a rule
    /// version.
    Motion(MotionId),
    /// An application and all that grows from it: award, agreement, milestone, payment, change,
    /// recovery, appeal.
    Application(ApplicationId),
    /// A membership.
    Membership(MembershipId),
    /// A contribution.
    Contribution(ContributionId),
    /// A fund.
    Fund(FundId),
    /// A call.
    Call(CallId),
    /// A post.
    Post(PostId),
    /// An order of a court or a regulator.
    Order(OrderId),
    /// A deposited charter.
    Charter(DraftId),
    /// A relation of two companies.
    Relation(RelationId),
}
