//! Event leaves (tag 3): what the clock did. Derived by `apply`, unsigned, checked byte for byte by everybody.

use bincode::{Decode, Encode};

use crate::codec::{Wire, encode};
use crate::crypto::Hash;
use crate::funding::payment::Awaited;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Event {
    /// The deadline that passed, or the block's time where no deadline is behind the event.
    pub due_ms: u64,
    /// What happened.
    pub body: EventBody,
}

impl Wire for Event {
    const MAX: usize = 65_531;
}

impl Event {
    /// The event's leaf bytes.
    pub fn leaf(&self) -> Vec<u8> {
        crate::ledger::LeafTag::Event.prefix(&encode(self))
    }
}

/// What happened. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub enum EventBody {
    /// An epoch ended: RFC 6962 root and number of rows of the sorted dump of all tables (RULINGS A7).
    EpochDump {
        /// The epoch that ends.
        epoch: u32,
        /// Rows in the dump.
        rows: u64,
        /// Root over the rows.
        root: Hash,
    },
    /// The chain stood still longer than `outage_gap`: every running deadline was lengthened (RULINGS R12).
    Outage {
        /// By how much.
        gap_ms: u64,
        /// How many deadlines.
        deadlines: u32,
    },
    /// F12: the standstill of an award is over; the applicant may accept.
    AwardOffered {
        /// The award.
        award: u32,
        /// The applicant.
        grantee: u32,
        /// Minor units.
        amount: u64,
        /// Last ledger time to accept.
        until_ms: u64,
    },
    /// F12: an offer was not accepted in time; its amount went back.
    AwardLapsed {
        /// The award.
        award: u32,
        /// The applicant.
        grantee: u32,
        /// Minor units.
        amount: u64,
    },
    /// F42: the cooling-off of a payee account is over.
    AccountCooled {
        /// The agreement.
        agreement: u32,
        /// Commitment to the account.
        account: Hash,
        /// In force now; else it waits for the second officer.
        in_force: bool,
    },
    /// R13: an assessor is past the limit.
    AssessorLate {
        /// The milestone.
        milestone: u32,
        /// Who is late.
        person: u32,
        /// Who follows; none: nobody is left in the draw, the late one stays.
        next: Option<u32>,
    },
    /// R22: the draw has too few assessors for a milestone.
    AssessorsMissing {
        /// The milestone.
        milestone: u32,
    },
    /// R13: a step of a payment is past its limit.
    StepOverdue {
        /// The payment.
        payment: u32,
        /// Which step.
        awaited: Awaited,
    },
    /// F20: the delay after the last approval is over.
    PayoutDelayOver {
        /// The payment.
        payment: u32,
        /// It is held.
        held: bool,
    },
    /// R13: a hold ended undecided.
    HoldEnded {
        /// The payment.
        payment: u32,
    },
    /// F22: the grantee neither acknowledged nor disputed in time.
    Unacknowledged {
        /// The payment.
        payment: u32,
        /// Minor units.
        amount: u64,
    },
}
