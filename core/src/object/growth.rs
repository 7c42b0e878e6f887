//! What somebody has added to the ledger in a local day (RULINGS A50).

use bincode::{Decode, Encode};
use rollbook_proof::number::OrganisationId;

use crate::calendar::LocalDay;
use crate::id::PersonId;

/// Whose growth is counted.
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
pub enum Grower {
    /// A principal.
    Organisation(OrganisationId),
    /// The officer who began the records, whomever they were for.
    Person(PersonId),
}

crate::words!(Grower, "grower", {
    Organisation = "organisation",
    Person = "person",
});

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// Records.
    Records,
    /// Bytes of leaves.
    Bytes,
    /// Keys.
    Keys,
}

crate::words!(Growth, "growth", {
    Records = "records",
    Bytes = "bytes",
    Keys = "keys",
});

/// What was added on the newest day on which anything was (working).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Grown {
    /// The local day.
    pub day: LocalDay,
    /// Records.
    pub records: u32,
    /// Bytes of their leaves in clear.
    pub bytes: u32,
    /// Keys.
    pub keys: u32,
}
