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

/// What a pending record says that it is.
const KIND: &str = "rollbook-pending-record";

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
        kind: KIND.to_owned(),
        version: 1,
        chain: record.payload.chain,
        id: record.id(),
        rule: record.payload.body.code().to_owned(),
        act: serde_json::to_value(&record.payload.body).unwrap_or_default(),
        record: base64_text(encode(record)),
    };
    let text = serde_json::to_vec_pretty(&pending)
        .map_err(|error| Failure::unusable(path.display().to_string()).because(error))?;
    // A pending record may carry the only signatures of people who have gone home. It may be a ballot:
    // nobody else on this machine reads it.
    files::replace_secret(path, &text)
}

/// What a file is that is no pending record, by what it says or begins with: the key of its words.
fn kind(path: &Path, bytes: &[u8]) -> Option<&'static str> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    if let Ok(said) = serde_json::from_slice::<Kind>(bytes) {
        return Some(match said.kind.as_str() {
            "rollbook-registration" => "registration",
            "rollbook-opening" => "opening",
            KIND => "pending",
            _ => "other",
        });
    }
    let name = path.to_string_lossy();
    if bytes.starts_with(rollbook_core::genesis::file::DRAFT_MAGIC) {
        Some("draft")
    } else if bytes.starts_with(rollbook_core::genesis::file::GENESIS_MAGIC) {
        Some("genesis")
    } else if decode::<Record>(bytes).is_ok() {
        Some("record")
    } else if bytes.starts_with(b"c2sp.org/tlog-proof") || name.ends_with(".tlog-proof") {
        Some("receipt")
    } else if name.ends_with(".card.toml") {
        Some("card")
    } else if name.ends_with(".age") {
        Some("key")
    } else {
        None
    }
}

/// Reads a pending record. Another kind of file is named, with what to do with it.
pub fn read(path: &Path) -> Result<Record, Failure> {
    let bytes = files::read(path)?;
    let facts = [("file", path.display().to_string())];
    match kind(path, &bytes) {
        None | Some("pending") => {}
        Some(other) => {
            return Err(Failure::unusable(t("sign.other-kind", &facts))
                .because(t(&format!("sign.kind-{other}"), &facts))
                .next(t(&format!("sign.kind-{other}-next"), &facts)));
        }
    }
    let none = |why: String| {
        Failure::unusable(t("act.no-pending", &facts))
            .because(why)
            .next(t("act.no-pending-next", &facts))
    };
    let pending: Pending =
        serde_json::from_slice(&bytes).map_err(|error| none(error.to_string()))?;
    if pending.kind != KIND || pending.version != 1 {
        return Err(none(format!("{} {}", pending.kind, pending.version)));
    }
    let bytes = base64_bytes(&pending.record).map_err(|error| none(error.to_string()))?;
    let record: Record = decode(&bytes).map_err(|error| none(error.to_string()))?;
    let act = serde_json::to_value(&record.payload.body).unwrap_or_default();
    // What a signer reads is what is signed.
    if record.id() != pending.id
        || act != pending.act
        || record.payload.body.code() != pending.rule
        || record.payload.chain != pending.chain
    {
        return Err(none(t("act.pending-differs", &[])));
    }
    Ok(record)
}
