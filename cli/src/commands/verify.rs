//! `rollbook verify FILE`: judges proof files, receipts, signed answers, fork alarms and pending
//! records. No network code is involved: this file, `bundle`, `KeptAnswer` and core; what a
//! profile has kept is read from its folder.

use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_client::receipts::{ANSWER, KeptAnswer};
use rollbook_client::trust::{FORK_ALARM, ForkAlarm};
use rollbook_core::record::Record;
use rollbook_proof::answer::Verdict;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::file;
use rollbook_proof::file::{
    Bundle, Content, Flaw, KeptPolicy, MAX_BYTES, Proved, chain_of, parse_canonical,
};
use rollbook_proof::log::proof::PROOF_HEADER;
use rollbook_proof::verify::{EpochChain, Receipt};
use rollbook_words::catalogue::{refusal, t};
use rollbook_words::dates::{instant, time};
use serde_json::{Value, json};

use crate::commands::opening;
use crate::commands::source::Past;
use crate::failure::{Failure, NOT_YET, REFUSED};
use crate::flags::Global;
use crate::objects;
use crate::output::{print, print_json, say};
use crate::profile::{Profiles, genesis, in_use};
use crate::shown::Shown;

/// `verify`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Verify {
    /// What is judged.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Genesis hash of the alliance.
    #[arg(long, value_name = "HASH")]
    genesis: Option<String>,
    /// The record that a receipt is of.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    past: Past,
}

/// Runs `verify`.
pub fn run(global: &Global, flags: &Verify) -> Result<u8, Failure> {
    let (file, json) = (&flags.file, global.json);
    let bytes = read(file)?;
    let profile = in_use(global)?;
    let pinned = genesis(flags.genesis.as_deref(), profile.as_ref())?;
    let unknown = || {
        let facts = [("file", file.display().to_string())];
        Failure::unusable(t("verify.unknown", &facts)).next(t("verify.unknown-next", &facts))
    };
    if bytes.starts_with(PROOF_HEADER.as_bytes()) {
        return tlog_proof(&bytes, pinned, global, flags);
    }
    if let Some(parts) = crate::verbs::opening::parts(&bytes) {
        return opening::verify(global, file, &parts, flags.genesis.clone(), &flags.past);
    }
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| unknown())?;
    match value["kind"].as_str() {
        Some("rollbook-pending-record") => pending(file, pinned, json),
        Some(ANSWER) => answer(&bytes, pinned, json, file),
        Some(FORK_ALARM) => alarm(&bytes, pinned, json, file),
        // A changed kind is a changed byte.
        Some(_) if value["claim"].is_object() => proof_file(&bytes, pinned, json, file),
        _ => Err(unknown()),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = crate::files::read(file)?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::unusable(t(
            "verify.too-long",
            &[("file", file.display().to_string())],
        )));
    }
    Ok(bytes)
}

/// What was found wrong, as the result.
fn flawed(flaw: &Flaw, file: &Path, json: bool) -> u8 {
    if json {
        print_json(&json!({ "verified": false, "code": flaw.code, "why": flaw.why }));
    } else {
        print(t(
            "verify.flaw",
            &[
                ("file", file.display().to_string()),
                ("code", flaw.code.clone()),
                ("why", flaw.why.clone()),
            ],
        ));
    }
    REFUSED
}

/// The file's genesis is the expected one. Without an expected one a result says only that the file
/// agrees with itself.
fn compare(found: Hash, pinned: Option<Hash>) -> Result<(), Flaw> {
    match pinned {
        Some(pinned) if pinned != found => Err(Flaw::new(
            "A2.other-alliance",
            format!("the file is about alliance {found}, not {pinned}"),
        )),
        _ => Ok(()),
    }
}

/// Says first that nobody knows whose history it is, if so; the code of what is true (RULINGS A52).
fn anchored(pinned: Option<Hash>, found: Hash) -> u8 {
    if pinned.is_some() {
        return 0;
    }
    say(t("verify.not-pinned", &[("genesis", found.to_hex())]));
    NOT_YET
}

fn signers(receipt: &Receipt) -> String {
    let names: Vec<&str> = receipt
        .verified
        .signers
        .iter()
        .map(|signer| signer.name.as_str())
        .collect();
    names.join(", ")
}

fn receipt_line(receipt: &Receipt, genesis: Hash) -> String {
    t(
        "verify.receipt",
        &[
            ("leaf", receipt.verified.index.to_string()),
            ("size", receipt.verified.size.to_string()),
            ("epoch", receipt.epoch.to_string()),
            ("signers", signers(receipt)),
            ("time", instant(receipt.attested_time_s)),
            ("genesis", genesis.to_hex()),
        ],
    )
}

fn proof_file(bytes: &[u8], pinned: Option<Hash>, json: bool, file: &Path) -> Result<u8, Failure> {
    let verified = Bundle::parse(bytes).and_then(|bundle| {
        compare(bundle.genesis, pinned)?;
        Ok((bundle.verify()?, bundle))
    });
    let (proved, bundle) = match verified {
        Ok(verified) => verified,
        Err(flaw) => return Ok(flawed(&flaw, file, json)),
    };
    let Proved {
        seal,
        receipt,
        content,
    } = &proved;
    let mut shown = Shown::Nothing;
    let body = match content {
        Content::Block => json!({ "block": seal.id() }),
        Content::Record {
            id,
            bytes,
            without_effect,
        } => match decode::<Record>(bytes) {
            Ok(record) => {
                shown = Shown::of(&record.payload);
                json!({
                    "record": id, "rule": record.payload.body.code(),
                    "payload": shown.json(), "effect": objects::effect(*without_effect),
                })
            }
            Err(error) => return Ok(flawed(&Flaw::new("proof.record", error), file, json)),
        },
        Content::State { path, value } => {
            let value = match value {
                None => Value::Null,
                Some(bytes) => match objects::decode(path, bytes) {
                    Some(entry) => {
                        shown = entry.shown;
                        entry.json
                    }
                    None => {
                        return Ok(flawed(
                            &Flaw::new("proof.value", "the value is none of this table"),
                            file,
                            json,
                        ));
                    }
                },
            };
            json!({ "id": objects::short(path), "path": path, "value": value })
        }
    };
    let code = anchored(pinned, bundle.genesis);
    if json {
        print_json(&json!({
            "verified": true, "pinned": pinned.is_some(), "genesis": bundle.genesis,
            "height": seal.height, "time": time(seal.time_ms),
            "content": body, "receipt": receipt,
        }));
        return Ok(code);
    }
    let chain = chain_of(bundle.genesis, &bundle.policies);
    if is_sample(chain.as_ref().ok()) {
        say(t("audit.sample", &[]));
    }
    let facts = [
        ("height", seal.height.to_string()),
        ("time", time(seal.time_ms)),
        ("id", body["id"].as_str().unwrap_or_default().to_owned()),
        (
            "record",
            body["record"].as_str().unwrap_or_default().to_owned(),
        ),
        ("rule", body["rule"].as_str().unwrap_or_default().to_owned()),
    ];
    let key = match content {
        Content::Block => "verify.block",
        Content::Record { .. } => "verify.record",
        Content::State { value: None, .. } => "verify.absent",
        Content::State { .. } => "verify.state",
    };
    print(t(key, &facts));
    for (label, text) in objects::rows(body["path"].as_str().unwrap_or_default(), &shown, None) {
        print(format!("  {label}: {text}"));
    }
    if let Content::Record { without_effect, .. } = content {
        print(objects::effect_text(*without_effect));
    }
    print(receipt_line(receipt, bundle.genesis));
    Ok(code)
}

fn is_sample(chain: Option<&EpochChain>) -> bool {
    let genesis = chain.and_then(|chain| chain.policies().next()?.genesis);
    genesis.is_some_and(|facts| facts.clock == rollbook_proof::log::Clock::Sample)
}

/// The policies that the profile's folder holds, verified again.
fn kept_chain(global: &Global, pinned: Option<Hash>) -> Result<(Hash, EpochChain), Failure> {
    let none =
        || Failure::unusable(t("verify.no-policies", &[])).next(t("verify.no-policies-next", &[]));
    let genesis = pinned.ok_or_else(none)?;
    let file = Profiles::of(global)
        .verified(&genesis)
        .join("policies.json");
    let bytes = std::fs::read(&file).map_err(|_| none())?;
    let kept: Vec<KeptPolicy> =
        serde_json::from_slice(&bytes).map_err(|error| none().because(error))?;
    let chain = chain_of(genesis, &kept).map_err(|why| none().because(why))?;
    Ok((genesis, chain))
}

/// A `.tlog-proof` with the record it is of, under the policies of the profile's folder.
fn tlog_proof(
    bytes: &[u8],
    pinned: Option<Hash>,
    global: &Global,
    flags: &Verify,
) -> Result<u8, Failure> {
    let (file, json) = (&flags.file, global.json);
    // A receipt of one's own act has its record beside it.
    let beside = crate::receipts::record_beside(file);
    let beside = beside.exists().then_some(beside);
    let Some(of) = flags.record.clone().or(beside) else {
        return Err(
            Failure::unusable(t("verify.no-record", &[])).next(t("verify.no-record-next", &[]))
        );
    };
    let leaf = leaf_of(&of)?;
    let (genesis, chain) = kept_chain(global, pinned)?;
    match chain.verify_receipt(&leaf, bytes) {
        Ok(receipt) => {
            if json {
                print_json(&json!({
                    "verified": true, "pinned": true, "genesis": genesis, "receipt": receipt,
                }));
            } else {
                if is_sample(Some(&chain)) {
                    say(t("audit.sample", &[]));
                }
                print(receipt_line(&receipt, genesis));
            }
            Ok(0)
        }
        Err(error) => Ok(flawed(&Flaw::new(error.code(), error), file, json)),
    }
}

/// The leaf of a record: from a pending file, a proof file, or the bytes of an envelope.
fn leaf_of(file: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read(file)?;
    if let Ok(record) = decode::<Record>(&bytes) {
        return Ok(record.leaf().clear);
    }
    if let Ok(Ok(proved)) = Bundle::parse(&bytes).map(|bundle| bundle.verify())
        && let Content::Record { bytes, .. } = proved.content
    {
        return Ok(objects::record(&bytes)?.leaf().clear);
    }
    crate::pending_file::read(file).map(|record| record.leaf().clear)
}

/// A node's signed answer to a record.
fn answer(bytes: &[u8], pinned: Option<Hash>, json: bool, file: &Path) -> Result<u8, Failure> {
    let verified = parse_canonical::<KeptAnswer>(bytes).and_then(|kept| {
        compare(kept.genesis, pinned)?;
        file::complete_handovers(&kept.policies)?;
        kept.verify()
    });
    let answer = match verified {
        Ok(answer) => answer,
        Err(flaw) => return Ok(flawed(&flaw, file, json)),
    };
    let code = anchored(pinned, answer.chain);
    if json {
        print_json(&json!({
            "verified": true, "pinned": pinned.is_some(), "answer": Shown::of(&answer).json(),
        }));
    } else {
        let mut facts = vec![
            ("record", answer.record.to_hex()),
            ("height", answer.height.to_string()),
            ("time", time(answer.time_ms)),
            ("node", answer.node.0.to_string()),
        ];
        match &answer.verdict {
            Verdict::Seen => print(t("verify.seen", &facts)),
            Verdict::Refused { rule, facts: named } => {
                let named: Vec<(&str, String)> = named
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.clone()))
                    .collect();
                facts.push(("refusal", refusal(rule, &named)));
                print(t("verify.refused", &facts));
            }
        }
    }
    Ok(code)
}

/// Two heads of which neither extends the other. Proved if both are of one size; for two sizes only
/// the heads are proved.
fn alarm(bytes: &[u8], pinned: Option<Hash>, json: bool, file: &Path) -> Result<u8, Failure> {
    let verified = parse_canonical::<ForkAlarm>(bytes).and_then(|alarm| {
        compare(alarm.genesis, pinned)?;
        let chain = chain_of(alarm.genesis, &alarm.policies)
            .map_err(|why| Flaw::new("proof.policies", why))?;
        let head = |note: &str| {
            chain
                .verify_checkpoint(note.as_bytes())
                .map_err(|error| Flaw::new(error.code(), error))
        };
        Ok((head(&alarm.known.note)?, head(&alarm.found.note)?, alarm))
    });
    let (known, found, alarm) = match verified {
        Ok(verified) => verified,
        Err(flaw) => return Ok(flawed(&flaw, file, json)),
    };
    let fork = known.checkpoint.size == found.checkpoint.size
        && known.checkpoint.root != found.checkpoint.root;
    // Whoever's history it is, two heads are a finding.
    anchored(pinned, alarm.genesis);
    if json {
        print_json(&json!({ "verified": true, "fork": fork, "known": known, "found": found }));
    } else {
        let facts = [
            ("known-size", known.checkpoint.size.to_string()),
            ("known-root", known.checkpoint.root.to_hex()),
            ("size", found.checkpoint.size.to_string()),
            ("root", found.checkpoint.root.to_hex()),
        ];
        print(t(
            if fork {
                "verify.fork"
            } else {
                "verify.two-heads"
            },
            &facts,
        ));
    }
    Ok(REFUSED)
}

/// A pending record: its form and its id. Keys of officers stand in working tables, which carry no
/// proofs.
fn pending(file: &Path, pinned: Option<Hash>, json: bool) -> Result<u8, Failure> {
    let record = match crate::pending_file::read(file) {
        Ok(record) => record,
        Err(failure) => {
            return Ok(flawed(
                &Flaw::new("pending.form", failure.why.unwrap_or(failure.what)),
                file,
                json,
            ));
        }
    };
    if let Err(flaw) = compare(record.payload.chain, pinned) {
        return Ok(flawed(&flaw, file, json));
    }
    let officers: Vec<String> = record
        .signatures
        .iter()
        .map(|entry| entry.officer.0.to_string())
        .collect();
    let code = anchored(pinned, record.payload.chain);
    if json {
        print_json(&json!({
            "verified": true, "pinned": pinned.is_some(), "signatures_checked": false, "record": record.id(),
            "signed_by": officers,
        }));
    } else {
        let facts = [
            ("record", record.id().to_hex()),
            ("rule", record.payload.body.code().to_owned()),
            ("until", time(record.payload.valid_until_ms)),
            ("officers", officers.join(", ")),
        ];
        print(t("verify.pending", &facts));
    }
    say(t("verify.pending-unchecked", &[]));
    Ok(code)
}
