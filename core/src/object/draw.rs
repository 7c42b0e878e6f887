//! Draws of reviewers and assessors, and the pools they draw from; draws of seats (RULINGS R10, R22).

use DrawStatus as D;
use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{DrawId, MotionId, PersonId};
use crate::machine::Row;
use crate::record::DrawFor;
use crate::row;

/// A person of a pool.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct PoolMember {
    /// Ledger time at which the programme officer entered the person.
    pub entered_ms: LedgerTime,
    /// The motion that confirmed it.
    pub confirmed: Option<MotionId>,
}

/// Where a draw stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DrawStatus {
    /// The pool is frozen; commitments are missing.
    Committing,
    /// All committed; reveals are missing.
    Revealing,
    /// The seed stands.
    Drawn,
}

crate::words!(DrawStatus, "state.draw", {
    Committing = "committing",
    Revealing = "revealing",
    Drawn = "drawn",
});

/// One of the three who draw.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Slot {
    /// The board's seat holder (organisation) who takes the place of the one before; none for the
    /// first holder.
    pub seat: Option<OrganisationId>,
    /// Person who committed.
    pub person: Option<PersonId>,
    /// Commitment.
    pub commitment: Option<Hash>,
    /// Bytes revealed.
    pub secret: Option<Hash>,
}

/// A draw.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Draw {
    /// Its number.
    pub number: DrawId,
    /// What for.
    pub subject: DrawFor,
    /// 1 for the first; a later round draws among persons added since.
    pub round: u32,
    /// Counts from 1; one more whenever somebody was replaced.
    pub attempt: u32,
    /// Persons of the frozen pool, ascending; none where members are drawn.
    pub pool: Vec<PersonId>,
    /// Members among whom an election draws, ascending; none where persons are drawn.
    pub names: Vec<OrganisationId>,
    /// Hash of the frozen pool.
    pub pool_hash: Hash,
    /// PO, OFF, seat holder.
    pub slots: Vec<Slot>,
    /// Seat holders who were named as replacements so far, in order.
    pub named: Vec<OrganisationId>,
    /// The seed.
    pub seed: Option<Hash>,
    /// Where it stands.
    pub status: DrawStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// The state machine.
pub const ROWS: [Row<DrawStatus>; 6] = [
    row!("R22", None => D::Committing, "PO", "pool of confirmed persons not drawn before"),
    row!("M36", None => D::Committing, "CLK", "names equal at the last seat of an election"),
    row!(
        "R22",
        Some(D::Committing) => D::Revealing,
        "PO, OFF, seat holder",
        "three commitments; three groups"
    ),
    row!("R22", Some(D::Revealing) => D::Drawn, "PO, OFF, seat holder", "reveals match"),
    row!(
        "R22",
        Some(D::Committing) => D::Committing,
        "CLK",
        "a missing commitment passes to the board's next holder"
    ),
    row!(
        "R22",
        Some(D::Revealing) => D::Committing,
        "CLK",
        "a missing reveal passes to the board's next holder; all commit again"
    ),
];

crate::object::object!(Draw, crate::id::DrawId, "draw");
crate::object::machine!(Draw, "draw", DrawStatus, status);
