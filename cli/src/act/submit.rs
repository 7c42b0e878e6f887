//! Handing a record in and waiting for what becomes of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rollbook_client::client::Client;
use rollbook_core::record::Record;
use rollbook_proof::answer::Verdict;
use rollbook_proof::crypto::Hash;
use rollbook_wire::judgement::Judgement;
use rollbook_wire::problem::Problem;
use rollbook_wire::record::{Place, Stands};
use rollbook_words::catalogue::{refusal_in, t};

use super::{judge, next, papers};
use crate::failure::Failure;
use crate::flags::{Global, Submitting};
use crate::keystore::Keystore;
use crate::output::{busy, print_json, result, say};
use crate::profile::Left;
use crate::{pending_file, receipts};

/// How long a decision or a receipt is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is waited for after a record was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Nothing.
    None,
    /// That a node says that it is decided.
    Decided,
    /// Its receipt.
    Receipt,
}

impl Wait {
    /// `--wait`.
    pub fn of(flags: &Submitting) -> Wait {
        match flags.wait.as_str() {
            "none" => Wait::None,
            "decided" => Wait::Decided,
            _ => Wait::Receipt,
        }
    }

    /// Whether a place of a record, as told by a node, is what is waited for.
    fn is_met(self, place: &Place) -> bool {
        place.stands == Stands::Receipted
            || place.stands == Stands::Decided && self == Wait::Decided
    }
}

/// What came of waiting.
#[derive(Debug, Default)]
pub struct Waited {
    /// The place as last told, if it was told at all.
    pub place: Option<Place>,
    /// Whether it is what was waited for.
    pub met: bool,
}

/// Asks where a record is until that is what is waited for; `begun` is when the waiting began. If
/// the time is over, the place as last told. One node after the other is asked, so that none can
/// keep a record waiting.
pub fn wait_for(client: &Client, id: &Hash, wait: Wait, begun: Instant) -> Waited {
    let mut place = None;
    for node in client.nodes().iter().cycle() {
        let told = client.only(node).json(&format!("/v1/records/{id}"));
        place = told.ok().or(place);
        if place.as_ref().is_some_and(|place| wait.is_met(place)) {
            return Waited { place, met: true };
        }
        if begun.elapsed() > PATIENCE {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Waited { place, met: false }
}

/// Where a record waits for signatures or for its decision.
pub struct Waiting<'a> {
    /// The nodes.
    pub client: &'a Client,
    /// The keys of this machine, to say whose are here.
    pub keystore: &'a Keystore,
    /// The file that was asked for; none: a node's papers, else the profile's folder.
    pub file: Option<PathBuf>,
    /// What every command takes.
    pub global: &'a Global,
}

impl Waiting<'_> {
    /// The file of a record: as asked for, else in the profile's folder.
    fn file(&self, record: &Record) -> Result<PathBuf, Failure> {
        match &self.file {
            Some(file) => Ok(file.clone()),
            None => {
                let name = format!("{}.pending.json", record.id().short());
                Ok(Left::Papers.folder(self.global)?.join(name))
            }
        }
    }

    /// Leaves a record that waits for signatures at a node, unless a file was asked for or no node
    /// takes it; says who is missing.
    pub fn leave(&self, record: &Record, judged: &Judgement) -> Result<u8, Failure> {
        let left = match &self.file {
            Some(_) => None,
            None => papers::leave(self.client, record),
        };
        let short = record.id().short();
        let (target, place) = match &left {
            Some(found) => (short.clone(), found.node.clone()),
            None => {
                let file = self.file(record)?;
                pending_file::write(&file, record)?;
                let shown = file.display().to_string();
                (shown.clone(), shown)
            }
        };
        if self.global.json {
            print_json(&serde_json::json!({
                "pending": left.is_none().then(|| place.clone()),
                "waits_at": left.as_ref().map(|_| place.clone()),
                "record": record.id(), "rule": judged.rule,
                "class": judged.class,
                "needed": judged.principal.as_ref().map(|entry| entry.needed),
                "signed": judged.signed,
                "missing": judge::missing(judged),
            }));
            return Ok(crate::failure::NOT_YET);
        }
        let facts = [
            ("why", judge::refused(judged).unwrap_or_default()),
            ("file", target),
            ("node", place),
            ("record", short),
        ];
        say(t(
            if left.is_some() {
                "act.pending-at"
            } else {
                "act.pending"
            },
            &facts,
        ));
        judge::say_missing(judged, self.keystore);
        say(format!(
            "{}: {}",
            t("word.next", &[]),
            t("act.pending-next", &facts)
        ));
        Ok(crate::failure::NOT_YET)
    }
}

/// Submits, or leaves a pending file; then waits.
pub fn hand_in(
    waiting: &Waiting,
    record: &Record,
    flags: &Submitting,
    anyway: bool,
) -> Result<u8, Failure> {
    let Waiting { client, global, .. } = *waiting;
    let mut trust = receipts::trust_for(global, record, client)?;
    if let Some(problem) = rollbook_client::receipts::submit(&mut trust, record)? {
        // The refusal names amounts; in which unit, the judgement tells.
        let judged = judge::rehearse(client, record).unwrap_or_default();
        let unit = judged.and_then(|judged| judged.unit);
        let sentence = sentence_of(&problem, unit.as_ref());
        let code = problem.code.as_str();
        if matches!(code, "A6.too-few-officers" | "A6.role-missing") {
            let file = waiting.file(record)?;
            pending_file::write(&file, record)?;
            let facts = [("why", sentence), ("file", file.display().to_string())];
            say(t("act.pending", &facts));
            say(format!(
                "{}: {}",
                t("word.next", &[]),
                t("act.pending-next", &facts)
            ));
            return Ok(crate::failure::NOT_YET);
        }
        return Err(Failure::by_rule(code, sentence));
    }
    let id = record.id();
    let wait = Wait::of(flags);
    if wait == Wait::None {
        result(
            t("act.taken", &[("record", id.to_hex())]),
            serde_json::json!({ "record": id, "stands": Stands::Pool.word() }),
        );
        return Ok(0);
    }
    let busy = busy("busy.waiting");
    let Waited {
        place: Some(place),
        met: true,
    } = wait_for(client, &id, wait, Instant::now())
    else {
        let file = waiting.file(record)?;
        pending_file::write(&file, record)?;
        let facts = [
            ("record", id.to_hex()),
            ("file", file.display().to_string()),
        ];
        return Err(Failure::not_yet(t("act.not-yet", &facts)).next(t("act.not-yet-next", &facts)));
    };
    drop(busy);
    let receipt = match wait {
        Wait::Receipt => {
            let file = receipts::place(flags.receipt_file.as_ref(), record, global)?;
            Some(receipts::receipt(&mut trust, record, &file)?)
        }
        Wait::None | Wait::Decided => None,
    };
    next::told(
        client,
        record,
        &place,
        receipt.as_ref(),
        flags.print.as_deref(),
        (global.json, anyway),
    )
}

/// A node's refusal as a sentence: with the facts of the signed refusal, else the node's words. The
/// unit is that of the act's amounts.
pub fn sentence_of(problem: &Problem, unit: Option<&(String, u32)>) -> String {
    let signed = problem.receipt.as_ref().map(|receipt| &receipt.0.answer);
    let facts: Vec<(&str, String)> = match signed.map(|answer| &answer.verdict) {
        Some(Verdict::Refused { facts, .. }) if !facts.is_empty() => facts
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect(),
        _ => vec![("detail", problem.detail.clone())],
    };
    refusal_in(&problem.code, &facts, unit)
}
