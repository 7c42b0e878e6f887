//! Event leaves (tag 3): what the clock did. Derived by `apply`, unsigned, checked byte for byte by everybody.

use bincode::{Decode, Encode};

use crate::codec::{Text, Wire, encode};
use crate::crypto::Hash;
use crate::membership::Standing;
use crate::motion::rules::{DecidingBody, MotionKind};
use crate::motion::tally::Tally;

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
    /// Ballots of a motion were opened by the clock: by a rule, put again, or passed up to another body.
    MotionOpened {
        /// Its number.
        motion: u32,
        /// Its kind.
        kind: MotionKind,
        /// Who decides.
        body: DecidingBody,
        /// How often it was put again.
        retabled: u32,
        /// Voices in the frozen electorate.
        voices: u32,
        /// Root over the electorate's rows.
        electorate: Hash,
        /// When the ballots end.
        closes_ms: u64,
    },
    /// The ballots of a motion ended: counts, rule, arithmetic and outcome.
    MotionClosed {
        /// Its number.
        motion: u32,
        /// Who decided.
        body: DecidingBody,
        /// How often it had been put again.
        retabled: u32,
        /// The whole tally.
        tally: Tally,
    },
    /// A passed motion took effect.
    MotionCarriedOut {
        /// Its number.
        motion: u32,
    },
    /// A motion is void.
    MotionVoid {
        /// Its number.
        motion: u32,
        /// Why: the code of the rule its effect would have broken, or of the tally.
        code: Text<64>,
    },
    /// A motion of the assembly found too little support in time.
    MotionUnsupported {
        /// Its number.
        motion: u32,
    },
    /// M02: an application waits longer than the charter allows for screening. It may still be screened.
    ScreeningOverdue {
        /// Membership number.
        membership: u32,
        /// The applicant.
        organisation: u32,
    },
    /// A membership came to stand elsewhere by the clock.
    MembershipMoved {
        /// Membership number.
        membership: u32,
        /// The organisation.
        organisation: u32,
        /// The transition, such as `M08`.
        transition: Text<8>,
        /// Where it stands now.
        standing: Standing,
        /// The motion that decided, if one did.
        motion: Option<u32>,
    },
    /// R9: a rejected applicant has not asked the board to vote again; the rejection stands.
    RejectionFinal {
        /// Membership number.
        membership: u32,
    },
}
