//! A record that waits for signatures, as a file that goes from one officer to the next.
//!
//! What a signer reads in it is checked against the bytes that are signed; the bytes decide.

use std::path::Path;

use rollbook_core::record::Record;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::encoding::{base64_bytes, base64_text};
use crate::failure::Failure;
use crate::files;

/// A record that waits for more signatures, as a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pending {
    kind: String,
    version: u32,
    /// Genesis hash.
    chain: Hash,
    /// Record id.
    id: Hash,
    /// The rule, and the act in words, for those who are asked to sign. The bytes decide.
    rule: String,
    act: Value,
    /// Envelope with the signatures so far, base64.
    record: String,
}

/// Writes a pending record over the file that is there, if any.
pub fn write(path: &Path, record: &Record) -> Result<(), Failure> {
    let pending = Pending {
        kind: "rollbook-pending-record".to_owned(),
        version: 1,
        chain: record.payload.chain,
        id: record.id(),
        rule: record.payload.body.code().to_owned(),
        act: serde_json::to_value(&record.payload.body).unwrap_or_default(),
        record: base64_text(encode(record)),
    };
    let text = serde_json::to_vec_pretty(&pending)
        .map_err(|error| Failure::unusable(path.display().to_string()).because(error))?;
    // A pending record may carry the only signatures of people who have gone home.
    files::replace(path, &text)
}

/// Reads a pending record.
pub fn read(path: &Path) -> Result<Record, Failure> {
    let none = |why: String| {
        let facts = [("file", path.display().to_string())];
        Failure::unusable(t("act.no-pending", &facts))
            .because(why)
            .next(t("act.no-pending-next", &facts))
    };
    let bytes = files::read(path)?;
    let pending: Pending =
        serde_json::from_slice(&bytes).map_err(|error| none(error.to_string()))?;
    let bytes = base64_bytes(&pending.record).map_err(|error| none(error.to_string()))?;
    let record: Record = decode(&bytes).map_err(|error| none(error.to_string()))?;
    let act = serde_json::to_value(&record.payload.body).unwrap_or_default();
    // What a signer reads is what is signed.
    if record.id() != pending.id || act != pending.act || record.payload.chain != pending.chain {
        return Err(none(t("act.pending-differs", &[])));
    }
    Ok(record)
}
