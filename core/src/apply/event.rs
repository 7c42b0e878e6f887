//! Event leaves (tag 3): what the clock did. Derived by `apply`, unsigned, checked byte for byte by everybody.

use bincode::{Decode, Encode};

use crate::codec::{Wire, encode};
use crate::crypto::Hash;

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
}
