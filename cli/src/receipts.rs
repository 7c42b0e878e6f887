//! What comes back for a record handed in (RULINGS A4, A11, A20), as files of this machine.
//!
//! * The nodes' signed answers are kept by `rollbook-client` in `receipts/` of the alliance's
//!   folder.
//! * 'Receipted' is said only after the `.tlog-proof` was verified from the genesis hash; it is
//!   written into the profile's folder with its record beside it.

use std::path::{Path, PathBuf};

use rollbook_client::client::Client;
use rollbook_client::receipts;
use rollbook_client::trust::{Grounds, Trust};
use rollbook_core::record::Record;
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::flags::{Global, MAX_AGE};
use crate::keystore::opened;
use crate::output::say;
use crate::profile::{Left, Profiles};
use crate::trust::max_age;
use crate::{files, objects, trust};

/// How the name of a receipt's file ends.
const ENDING: &str = "tlog-proof";

/// What is trusted when a record is handed in: the chain that the record names, and the nodes
/// asked.
pub fn trust_for(global: &Global, record: &Record, client: &Client) -> Result<Trust, Failure> {
    let chain = record.payload.chain;
    let trust = trust::at(
        &Profiles::of(global).verified(&chain),
        chain,
        client.clone().of_alliance(chain),
        max_age(MAX_AGE)?,
    )?;
    // What covers a record that was signed just now is as new as that.
    Ok(trust.covers(opened::signed_s(&record.id())))
}

/// A receipt that was verified and written.
pub struct Receipted {
    /// The `.tlog-proof`.
    pub file: PathBuf,
    /// What it rests on.
    pub grounds: Grounds,
    /// Height of the record's block.
    pub height: u64,
    /// Index of its leaf.
    pub leaf: u64,
    /// Why it had no effect, as a number; none: it took effect.
    pub without_effect: Option<u32>,
}

/// Where a receipt goes: `--receipt-file`, else the profile's folder.
pub fn place(
    given: Option<&PathBuf>,
    record: &Record,
    global: &Global,
) -> Result<PathBuf, Failure> {
    match given {
        Some(file) => Ok(file.clone()),
        None => {
            let name = format!("{}.{ENDING}", record.id().short());
            Ok(Left::Receipts.folder(global)?.join(name))
        }
    }
}

/// The file beside a receipt that holds its record, in canonical bytes: a receipt proves nothing
/// without it.
pub fn record_beside(receipt: &Path) -> PathBuf {
    receipt.with_extension("record")
}

/// Fetches the receipt of a record, verifies it from the genesis hash, and writes it.
pub fn receipt(trust: &mut Trust, record: &Record, file: &Path) -> Result<Receipted, Failure> {
    let receipt = receipts::receipt(trust, record)?;
    let written = files::replace(file, receipt.proof.as_bytes()).and_then(|()| {
        let beside = record_beside(file);
        match beside.exists() {
            true => Ok(()),
            // As it stands in the log: the copy that was handed in may have other signatures.
            false => files::replace(&beside, &receipt.record),
        }
    });
    if written.is_err() {
        say(objects::effect_text(receipt.without_effect));
    }
    // The act stands: whoever hears only that a file was not written does it again (RULINGS A64).
    written.map_err(|failure| {
        let facts = [
            ("record", record.id().to_hex()),
            ("height", receipt.height.to_string()),
            ("file", file.display().to_string()),
        ];
        Failure::unwritten(t("receipts.recorded-only", &facts))
            .because(failure)
            .next(t("receipts.recorded-only-next", &facts))
    })?;
    Ok(Receipted {
        file: file.to_path_buf(),
        grounds: receipt.grounds,
        height: receipt.height.0,
        leaf: receipt.leaf,
        without_effect: receipt.without_effect,
    })
}
