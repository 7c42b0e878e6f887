//! `verify X.opening.json`: whether what it holds makes the commitments it names, and with an export which
//! records of the ledger hold these.

use std::path::Path;

use rollbook_core::block::BlockBody;
use rollbook_core::ledger::Execution;
use rollbook_core::record::Record;
use rollbook_core::state::StateTables;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, LedgerTime};
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;
use serde_json::{Value, json};

use crate::act::next::deed;
use crate::commands::source::{Past, Source};
use crate::failure::{Failure, NOT_YET, REFUSED};
use crate::flags::{Connection, Global};
use crate::objects;
use crate::output::{print, print_json};
use crate::shown::Shown;
use crate::verbs::opening::Part;

/// A record that holds a commitment.
struct Holder {
    height: Height,
    time: LedgerTime,
    id: Hash,
    record: Record,
}

/// Judges an opening; `genesis` is the hash as it was given.
pub fn verify(
    global: &Global,
    file: &Path,
    parts: &[Part],
    genesis: Option<String>,
    past: &Past,
) -> Result<u8, Failure> {
    let mut holders: Vec<Option<Holder>> = parts.iter().map(|_| None).collect();
    let mut watch = |_: &StateTables, execution: &Execution| {
        let body: Option<BlockBody> = decode(&execution.body).ok();
        for record in body.into_iter().flat_map(|body| body.records) {
            let bytes = encode(&record.payload.body);
            for (part, holder) in parts.iter().zip(&mut holders) {
                let commitment = part.commitment().0;
                if holder.is_none() && bytes.windows(32).any(|window| window == commitment) {
                    *holder = Some(Holder {
                        height: execution.seal.height,
                        time: execution.seal.time_ms,
                        id: record.id(),
                        record: record.clone(),
                    });
                }
            }
        }
    };
    let source = match past.from_export {
        Some(_) => {
            let connection = Connection {
                genesis,
                ..Connection::default()
            };
            Some(Source::open_watched(global, &connection, past, &mut watch)?)
        }
        None => None,
    };
    let mut code = source.as_ref().map_or(NOT_YET, Source::code);
    let mut told: Vec<Value> = Vec::new();
    for (part, holder) in parts.iter().zip(&holders) {
        let fits = part.computed() == Some(part.commitment());
        let is_missing = source.is_some() && holder.is_none();
        if !fits || is_missing {
            code = REFUSED;
        }
        told.push(json!({
            "commitment": part.commitment(), "fits": fits,
            "record": holder.as_ref().map(|holder| holder.id),
            "height": holder.as_ref().map(|holder| holder.height),
        }));
        if global.json {
            continue;
        }
        let facts = [
            ("file", file.display().to_string()),
            ("commitment", part.commitment().to_hex()),
        ];
        print(t(
            if fits {
                "opened.fits"
            } else {
                "opened.differs"
            },
            &facts,
        ));
        // What does not make the commitment was not committed to: it is not shown as if it were.
        if fits {
            for (label, text) in objects::rows("", &Shown::of(part), None) {
                print(format!("  {label}: {text}"));
            }
        }
        match holder {
            Some(holder) => {
                let payload = &holder.record.payload;
                let principal = rollbook_core::id::Id::short(payload.principal);
                let facts = [
                    ("record", holder.id.to_hex()),
                    ("height", holder.height.to_string()),
                    ("time", time(holder.time)),
                    ("rule", payload.body.code().to_owned()),
                    ("act", deed(&holder.record)),
                    ("principal", principal.to_string()),
                ];
                print(t("opened.stands-in", &facts));
            }
            None if is_missing => print(t("opened.nowhere", &[])),
            None => {}
        }
    }
    if global.json {
        print_json(&json!({ "parts": told, "from": source.as_ref().map(Source::from) }));
        return Ok(code);
    }
    match &source {
        Some(source) => print(source.from()),
        None => print(t("opened.no-export", &[])),
    }
    Ok(code)
}
