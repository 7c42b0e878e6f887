//! Posts of an office: what stands in the ledger of one, and its transitions (M35; RULINGS R7, R28,
//! R29).

use bincode::{Decode, Encode};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{PersonId, PostId};
use crate::identity::{Role, Scope};
use crate::machine::Row;
use crate::row;

/// Where a post stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum PostStatus {
    /// A motion appointed the holder, who has not accepted yet. An offer is no post.
    Offered,
    /// The sitting holder accepted another term, which begins when the one before ends.
    Accepted,
    /// In force.
    Held,
    /// The term ended; the holder goes on until a successor has accepted.
    HeldOver,
    /// Over.
    Ended,
    /// The person did not want it.
    Declined,
    /// The offer was not accepted in time, or was taken back.
    Lapsed,
}

crate::words!(PostStatus, "state.post", {
    Offered = "offered",
    Accepted = "accepted",
    Held = "held",
    HeldOver = "held-over",
    Ended = "ended",
    Declined = "declined",
    Lapsed = "lapsed",
});

impl PostStatus {
    /// Whether the post gives its holder authority.
    pub fn in_force(self) -> bool {
        match self {
            PostStatus::Held | PostStatus::HeldOver => true,
            PostStatus::Offered
            | PostStatus::Accepted
            | PostStatus::Ended
            | PostStatus::Declined
            | PostStatus::Lapsed => false,
        }
    }

    /// Whether somebody may still come to hold the post by it, who does not yet.
    pub fn is_coming(self) -> bool {
        match self {
            PostStatus::Offered | PostStatus::Accepted => true,
            PostStatus::Held
            | PostStatus::HeldOver
            | PostStatus::Ended
            | PostStatus::Declined
            | PostStatus::Lapsed => false,
        }
    }
}

/// A post of an office (working; RULINGS R7): one term of one person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Post {
    /// Its number.
    pub number: PostId,
    /// The office.
    pub office: OrganisationId,
    /// What the holder may do.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// Person who holds it.
    pub holder: PersonId,
    /// Person who acts while the post is vacant, absence is recorded, or a step is past its limit.
    pub deputy: Option<PersonId>,
    /// The term begins at this ledger time; that of the offer until it is accepted.
    pub from_ms: LedgerTime,
    /// The term ends at this ledger time, inclusive.
    pub until_ms: LedgerTime,
    /// The holder is away: the deputy may act (RULINGS R7).
    pub absent: bool,
    /// The post that this one fills anew: its holder goes when this one is accepted, or stays for
    /// another term.
    pub succeeds: Option<PostId>,
    /// The post that filled this one anew.
    pub successor: Option<PostId>,
    /// Where it stands.
    pub status: PostStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Post {
    /// Whether it was held and is over: a next term that ended before it began never was.
    pub fn has_ended(&self) -> bool {
        self.status == PostStatus::Ended && self.from_ms <= self.since_ms
    }
}

/// Every transition.
pub static ROWS: [Row<PostStatus>; 40] = {
    use PostStatus::*;
    [
        row!("M25", None => Held, "genesis", "the first posts; the term ends in 180 days or later"),
        row!("M35", None => Offered, "BRD", "the auditor: GA; who may hold the post now"),
        row!(
            "M35",
            Some(Offered) => Held,
            "holder",
            "may hold the post now; whoever held it before goes"
        ),
        row!(
            "R28",
            Some(Offered) => Accepted,
            "holder",
            "holds it already, and may now; the new term begins when the old one ends"
        ),
        row!("R29", Some(Offered) => Declined, "holder", ""),
        row!("M35", Some(Offered) => Lapsed, "BRD", "the offer is taken back (the auditor: GA)"),
        row!("R28", Some(Offered) => Lapsed, "CLK", "not accepted in offer_days"),
        row!("R28", Some(Accepted) => Held, "CLK", "the term before has ended"),
        row!("M35", Some(Accepted) => Ended, "BRD", "the holder was removed or resigned before"),
        row!("R28", Some(Held) => HeldOver, "CLK", "the term ended, no successor has accepted"),
        row!("R28", Some(Held) => Ended, "CLK", "the term ended, the holder's next one begins"),
        row!("M35", Some(Held) => Ended, "BRD", "removed (the auditor: GA), or resigned by the holder"),
        row!("M35", Some(HeldOver) => Ended, "BRD", "the same"),
        row!("R28", Some(Held) => Ended, "successor", "has accepted"),
        row!("R28", Some(HeldOver) => Ended, "successor", "has accepted"),
        row!("F01", None => Held, "officer named for a fund", "may hold the post now"),
        row!("M35", Some(Held) => Held, "holder or SEC", "absence recorded, or over"),
        row!("M35", Some(HeldOver) => HeldOver, "holder or SEC", "absence recorded, or over"),
        row!("R48", Some(Offered) => Lapsed, "GA", "the assembly has elected another chair since"),
        row!("R48", Some(Accepted) => Ended, "successor", "elected chair since, has accepted"),
        row!("M21", Some(Offered) => Lapsed, "SEC", "the holder's company is none any more"),
        row!("M21", Some(Accepted) => Ended, "SEC", "the same"),
        row!("M21", Some(Held) => Ended, "SEC", "the same"),
        row!("M21", Some(HeldOver) => Ended, "SEC", "the same"),
        row!("M20", Some(Offered) => Lapsed, "CLK", "the holder's company is a member no longer"),
        row!("M20", Some(Accepted) => Ended, "CLK", "the same"),
        row!("M20", Some(Held) => Ended, "CLK", "the same"),
        row!("M20", Some(HeldOver) => Ended, "CLK", "the same"),
        row!("M13", Some(Offered) => Lapsed, "CLK", "the holder's company is a member no longer"),
        row!("M13", Some(Accepted) => Ended, "CLK", "the same"),
        row!("M13", Some(Held) => Ended, "CLK", "the same"),
        row!("M13", Some(HeldOver) => Ended, "CLK", "the same"),
        row!("M16", Some(Offered) => Lapsed, "CLK", "the same"),
        row!("M16", Some(Accepted) => Ended, "CLK", "the same"),
        row!("M16", Some(Held) => Ended, "CLK", "the same"),
        row!("M16", Some(HeldOver) => Ended, "CLK", "the same"),
        row!("M32", Some(Offered) => Lapsed, "a rule of the ledger", "the person left or has no key"),
        row!("M32", Some(Accepted) => Ended, "a rule of the ledger", "the person left or has no key"),
        row!("M32", Some(Held) => Ended, "a rule of the ledger", "the person left or has no key"),
        row!("M32", Some(HeldOver) => Ended, "a rule of the ledger", "the person left or has no key"),
    ]
};

crate::object::object!(Post, PostId, "post");
crate::object::machine!(Post, "post", PostStatus, status);
