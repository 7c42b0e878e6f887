//! The act flow of every business verb: who acts, with which keys, what is signed, what is missing,
//! what became of it.
//!
//! * The envelope of RULINGS A6: principal, the first signer's next sequence, 7 days of validity.
//!   The next sequence is what the node says is used, plus one; a wrong answer of a node costs a
//!   refusal, never a right.
//! * Which signatures an act needs, the ledger says: if it refuses for want of officers or a role,
//!   the record is written to a file for the others (`rollbook sign FILE`, `rollbook submit FILE`).
//!   Everybody signs identical bytes.
//! * Before it is handed in, a record is judged by a node (`/v1/records/dry-run`): signatures that
//!   are missing are listed by person and role, and what was sealed is on disk before anything
//!   leaves the machine.
//! * What a node signed about a record is checked and kept, and a receipt is verified before it is
//!   called one (`receipts`). `--wait decided` is as told by the node, and says so.
//!
//! `--dry-run` stops after the judgement; `--from FILE.csv` does many ([`batch`]); `--print FILE`
//! writes a page ([`page`]).

use std::path::PathBuf;

use rollbook_core::record::Body;
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::output::say;
use crate::verbs::opening::Reading;
use desk::Desk;

pub mod asked;
pub mod batch;
pub mod desk;
pub mod judge;
pub mod next;
pub mod page;
pub mod submit;

/// The whole way of one act: told, signed, judged, what was sealed kept, handed in.
pub fn perform(desk: &Desk, name: &str, body: Body, reading: &Reading) -> Result<u8, Failure> {
    for (file, hash) in &reading.documents {
        say(t(
            "act.document",
            &[("file", file.clone()), ("hash", hash.to_hex())],
        ));
    }
    for (what, text) in &reading.words {
        say(t(
            "known.said",
            &[("what", what.clone()), ("text", text.clone())],
        ));
    }
    if desk.flags.dry_run {
        return judge::dry(desk, body);
    }
    let client = desk.client()?;
    // Before the passphrase is asked for: what cannot work anyway.
    desk.chain()?;
    let (sequence, now) = desk.place(&client, &body)?;
    let record = desk.record(body, sequence, now)?;
    let judged = judge::rehearse(&client, &record)?;
    let refused = judged.as_ref().and_then(judge::refused);
    let rule = judged.as_ref().and_then(|judged| judged.rule.as_deref());
    let pending = judged
        .as_ref()
        .filter(|judged| judge::wants_signatures(judged));
    if let (Some(sentence), Some(rule), None) = (refused, rule, pending)
        && !reading.parts.is_empty()
    {
        // Not handed in: what it seals is not on disk, and it would be refused.
        return Err(Failure::by_rule(rule, sentence));
    }
    if let Some(file) = reading.keep(name)? {
        say(t("opening.kept", &[("file", file.display().to_string())]));
    }
    let file = desk
        .flags
        .pending
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.pending.json", record.id().short())));
    if let Some(judged) = pending {
        return submit::wait_for_others(&record, judged, &file, &desk.keystore, desk.global);
    }
    submit::hand_in(&client, &record, desk.global, &desk.flags.submitting, &file)
}
