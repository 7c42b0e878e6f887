//! The act flow of every business verb: who acts, with which keys, what is signed, what is missing,
//! what became of it.
//!
//! * The envelope of RULINGS A6: principal, the first signer's next number ([`numbers`]), 7 days of
//!   validity. A number that another record took meanwhile is replaced by the next one.
//! * Which signatures an act needs, the ledger says: if it refuses for want of officers or a role,
//!   the record waits for the others (`rollbook sign FILE|ID`, `rollbook submit FILE|ID`).
//!   Everybody signs identical bytes.
//! * Before anything is signed, a node judges what would come of it (`/v1/records/dry-run`): what is
//!   in vain is refused, one [`screen`] says in words what is signed, for whom and with which effect,
//!   and asks (`--yes` for scripts). What was sealed is on disk before anything leaves the machine.
//! * Signatures that are missing are listed by person and role; the record waits at the company's own
//!   node if that takes it ([`papers`]), else in a file.
//! * What a node signed about a record is checked and kept, and a receipt is verified before it is
//!   called one (`receipts`). `--wait decided` is as told by the node, and says so.
//!
//! `--dry-run` stops after the judgement; `--from FILE.csv` does many ([`batch`]); `--print FILE`
//! writes a page ([`page`]).

use rollbook_client::client::Client;
use rollbook_core::account::Unit;
use rollbook_core::record::{Ballot, Body, MotionAct, Payload};
use rollbook_proof::number::LedgerTime;
use rollbook_wire::judgement::Judgement;
use rollbook_words::catalogue::t;

use crate::consent;
use crate::failure::Failure;
use crate::output::say;
use crate::profile::Left;
use crate::verbs::opening::Reading;
use desk::Desk;
use outbox::Outbox;
use screen::Screen;
use submit::{Ended, Waiting};

pub mod asked;
pub mod batch;
pub mod desk;
pub mod judge;
pub mod next;
pub mod numbers;
pub mod outbox;
pub mod page;
pub mod papers;
pub mod run;
pub mod screen;
pub mod signers;
pub mod submit;

/// The whole way of one act: judged, shown, agreed to, signed, what was sealed kept, handed in.
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
    let now = desk.now(&client)?;
    // A number is taken when it is signed.
    let (payload, judged) = judged(desk, &client, desk.payload(body, 0, now)?)?;
    desk.must_hold(&payload, judged.as_ref())?;
    judge::not_in_vain(judged.as_ref(), desk.flags.anyway)?;
    let now = LedgerTime(now);
    let outbox = not_again(desk, &payload, now)?;
    Screen {
        payload: &payload,
        signed: &[],
        signers: &desk.signers(),
        judged: judged.as_ref(),
        unit: unit_of(judged.as_ref()),
        profile: desk.profile(),
    }
    .show();
    consent::ask(desk.global, "consent.sign")?;
    let waiting = Waiting {
        client: &client,
        keystore: &desk.keystore,
        file: desk.flags.pending.clone(),
        global: desk.global,
    };
    let mut is_kept = false;
    let mut opening = None;
    let mut taken = None;
    for _ in 0..NUMBERS {
        let mut payload = payload.clone();
        payload.sequence = desk.numbers(&client, &payload.body, 1)?;
        let record = desk.sign(payload)?;
        let judged = judge::rehearse(&client, &record)?;
        if let Some(failure) = number_taken(judged.as_ref()) {
            taken = Some(failure);
            continue;
        }
        // Who had no pass is told now, before others are asked to sign.
        judge::not_in_vain(judged.as_ref(), desk.flags.anyway)?;
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
        if !is_kept {
            if let Some(file) = reading.keep(name, &Left::Openings.place(desk.global)?)? {
                say(t("opening.kept", &[("file", file.display().to_string())]));
                opening = Some(file);
            }
            is_kept = true;
        }
        if let Some(judged) = pending {
            let code = waiting.leave(&record, judged)?;
            outbox.waits(&record, now);
            return Ok(code);
        }
        let how = (&desk.flags.submitting, desk.flags.anyway);
        let ended = submit::hand_in(&waiting, &record, how, (now, false));
        if let (Err(_), Some(file)) = (&ended, &opening)
            && outbox.equal(&record.payload, now).is_none()
        {
            // The act was given up, and with it what it sealed: made again it has another salt.
            let _ = std::fs::remove_file(file);
            say(t(
                "opening.removed",
                &[("file", file.display().to_string())],
            ));
        }
        match ended? {
            Ended::Done(code) => return Ok(code),
            Ended::NumberTaken(failure) => {
                say(t("act.number-again", &[("why", failure.what.clone())]));
                taken = Some(failure);
            }
        }
    }
    Err(taken.unwrap_or_else(|| Failure::refused(t("run.numbers", &[]))))
}

/// How often a number is taken anew for one record.
const NUMBERS: usize = 8;

/// The refusal, if a node says that another record has the number.
fn number_taken(judged: Option<&Judgement>) -> Option<Failure> {
    let judged = judged?;
    let (rule, sentence) = judge::broken(judged)
        .or_else(|| Some((judged.rule.clone()?, judge::refused(judged)?)))
        .filter(|(rule, _)| submit::SPENT.contains(&rule.as_str()))?;
    Some(Failure::by_rule(&rule, sentence))
}

/// The outbox, unless an equal act of the same organisation was made within a day and nobody says that
/// it is meant again (RULINGS A60).
fn not_again(desk: &Desk, payload: &Payload, now: LedgerTime) -> Result<Outbox, Failure> {
    outbox::prune(desk.global, &payload.chain, now);
    let outbox = Outbox::of(desk.global, &payload.chain)?;
    let equal = outbox.equal(payload, now);
    if let Some(entry) = equal.filter(|_| !desk.flags.again) {
        let height = entry.height.map(|height| height.0.to_string());
        let facts = [
            ("record", entry.id.to_hex()),
            ("height", height.unwrap_or_default()),
        ];
        let key = match entry.known {
            outbox::Known::Recorded => "outbox.equal-recorded",
            outbox::Known::Paper => "outbox.equal-paper",
            _ => "outbox.equal-open",
        };
        consent::again(&t(key, &facts))?;
    }
    Ok(outbox)
}

/// What is to be signed with a node's judgement of it. A ballot that another officer's ballot of the
/// same voice stands against names it, and so replaces it (RULINGS A47): the screen says so.
pub fn judged(
    desk: &Desk,
    client: &Client,
    mut payload: Payload,
) -> Result<(Payload, Option<Judgement>), Failure> {
    let judged = desk.rehearse(client, &payload)?;
    let presumed = judged.as_ref().and_then(|judged| judged.presumed.as_ref());
    let standing = presumed
        .filter(|presumed| presumed.rule.as_deref() == Some("A47.other-ballot-stands"))
        .and_then(|presumed| presumed.replaces.as_ref());
    let (Some(standing), Body::Motion(MotionAct::Vote(Ballot { replaces, .. }))) =
        (standing, &mut payload.body)
    else {
        return Ok((payload, judged));
    };
    replaces.push(standing.record);
    replaces.sort_unstable();
    replaces.dedup();
    let judged = desk.rehearse(client, &payload)?;
    Ok((payload, judged))
}

/// The unit of an act's amounts, as a node that judged it tells it.
pub fn unit_of(judged: Option<&Judgement>) -> Option<Unit> {
    crate::objects::unit_coded(judged?.unit.as_ref())
}
