//! Notices to members: what stands in the ledger of one, and its transitions (M29; RULINGS R17).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{MembershipId, NoticeId};
use crate::machine::Row;
use crate::record::NoticeEntry;
use crate::row;

/// Where a notice stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeStatus {
    /// Filed by one seat holder; another one has to agree.
    Filed,
    /// Served: the days run.
    Served,
    /// The member has acknowledged it.
    Acknowledged,
    /// Another notice took its place, or there is nothing left to give notice of.
    Dropped,
}

crate::words!(NoticeStatus, "state.notice", {
    Filed = "filed",
    Served = "served",
    Acknowledged = "acknowledged",
    Dropped = "dropped",
});

/// A notice (working; for members).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Notice {
    /// Its number.
    pub number: NoticeId,
    /// The membership.
    pub membership: MembershipId,
    /// The member.
    pub organisation: OrganisationId,
    /// What went out.
    pub entry: NoticeEntry,
    /// The record that filed or served it.
    pub record: Hash,
    /// Who filed or served it: an office, or a seat holder.
    pub by: OrganisationId,
    /// Ledger time since which the days run; none: it is not served.
    pub served_ms: Option<LedgerTime>,
    /// Where it stands.
    pub status: NoticeStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<NoticeStatus>; 5] = {
    use NoticeStatus::*;
    [
        row!(
            "M29",
            None => Served,
            "SEC",
            "due; with text, channel, day and proof of dispatch"
        ),
        row!(
            "M29",
            None => Filed,
            "seat holder",
            "due for five working days and not served; not the member's group"
        ),
        row!("M29", Some(Filed) => Served, "seat holder", "another one, of another group"),
        row!("M29", Some(Filed) => Dropped, "progress", "served by another, or nothing is left to tell"),
        row!("M29", Some(Served) => Acknowledged, "MEM", ""),
    ]
};

crate::object::object!(Notice, NoticeId, "notice");
crate::object::machine!(Notice, "notice", NoticeStatus, status);
