//! Proceedings against members: what stands in the ledger of one, and its transitions (M14 to M17, M30).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{MembershipId, MotionId, NoticeId, ProceedingId};
use crate::machine::Row;
use crate::record::{HearingEntry, ProceedingEntry};
use crate::row;

/// Where a proceeding stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ProceedingStatus {
    /// Filed by one seat holder; another one has to agree.
    Filed,
    /// Open: notice, reply, hearing, decision.
    Open,
    /// Closed without a measure.
    Closed,
    /// It came to nothing in its time.
    Lapsed,
    /// The membership ended while it was open.
    Ended,
    /// The member was suspended.
    Suspended,
    /// The member was expelled, and may appeal.
    Expelled,
    /// The member has appealed.
    Appealed,
    /// The appeal was upheld.
    Upheld,
    /// The expulsion is final.
    Final,
}

crate::words!(ProceedingStatus, "state.proceeding", {
    Filed = "filed",
    Open = "open",
    Closed = "closed",
    Lapsed = "lapsed",
    Ended = "ended",
    Suspended = "suspended",
    Expelled = "expelled",
    Appealed = "appealed",
    Upheld = "upheld",
    Final = "final",
});

impl ProceedingStatus {
    /// Whether something follows.
    pub fn is_open(self) -> bool {
        match self {
            ProceedingStatus::Filed
            | ProceedingStatus::Open
            | ProceedingStatus::Expelled
            | ProceedingStatus::Appealed => true,
            ProceedingStatus::Closed
            | ProceedingStatus::Lapsed
            | ProceedingStatus::Ended
            | ProceedingStatus::Suspended
            | ProceedingStatus::Upheld
            | ProceedingStatus::Final => false,
        }
    }
}

/// How the member was heard.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heard {
    /// A hearing was held.
    Held(HearingEntry),
    /// The member does not want one.
    Waived,
}

/// A proceeding (working; for members).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Proceeding {
    /// Its number.
    pub number: ProceedingId,
    /// The membership.
    pub membership: MembershipId,
    /// The member.
    pub organisation: OrganisationId,
    /// What the member is held to have done.
    pub entry: ProceedingEntry,
    /// The record that opened or filed it.
    pub record: Hash,
    /// Who did: an office, or a seat holder.
    pub by: OrganisationId,
    /// Ledger time at which it was opened, or filed.
    pub opened_ms: LedgerTime,
    /// The notice of it, once served.
    pub notice: Option<NoticeId>,
    /// Ledger time of that notice.
    pub noticed_ms: Option<LedgerTime>,
    /// SHA-256 of the member's reply.
    pub reply: Option<Hash>,
    /// How the member was heard.
    pub heard: Option<Heard>,
    /// Ledger time from which the days after the hearing count: the end of its day, or the waiver.
    pub heard_ms: Option<LedgerTime>,
    /// The motion that decides or decided the appeal.
    pub appeal: Option<MotionId>,
    /// SHA-256 of the reasons for which it was closed.
    pub closed: Option<Hash>,
    /// What was left of a suspension when the member was expelled, in milliseconds.
    pub suspension_rest_ms: Option<u64>,
    /// Where it stands.
    pub status: ProceedingStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

/// Every transition.
pub static ROWS: [Row<ProceedingStatus>; 16] = {
    use ProceedingStatus::*;
    [
        row!("M30", None => Open, "SEC", "a live member, no other proceeding open; not the own group"),
        row!("M30", None => Filed, "seat holder", "the same"),
        row!("M30", Some(Filed) => Open, "seat holder", "another one, of another group"),
        row!("M30", Some(Filed) => Lapsed, "CLK", "nobody agreed in time"),
        row!("M30", Some(Filed) => Ended, "progress", "the membership ended"),
        row!("M30", Some(Open) => Closed, "SEC", "no motion under way; reasons"),
        row!(
            "M30",
            Some(Open) => Suspended,
            "BRD",
            "notice and hearing, or its waiver, long enough before; the member has no voice"
        ),
        row!(
            "M30",
            Some(Open) => Expelled,
            "GA",
            "the same, and a warning before the proceeding"
        ),
        row!("M30", Some(Open) => Lapsed, "CLK", "no motion under way when its time is over"),
        row!("M30", Some(Open) => Ended, "progress", "the membership ended"),
        row!("M30", Some(Expelled) => Appealed, "MEM", "within appeal_days"),
        row!("M30", Some(Appealed) => Upheld, "GA", ""),
        row!("M30", Some(Appealed) => Final, "CLK", "the appeal failed"),
        row!("M30", Some(Expelled) => Final, "CLK", "appeal_days passed without an appeal"),
        row!("M30", Some(Expelled) => Ended, "progress", "the membership ended"),
        row!("M30", Some(Appealed) => Ended, "progress", "the membership ended"),
    ]
};

crate::object::object!(Proceeding, ProceedingId, "proceeding");
crate::object::machine!(Proceeding, "proceeding", ProceedingStatus, status);
