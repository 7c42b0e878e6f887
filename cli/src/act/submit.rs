//! Handing a record in and waiting for what becomes of it (RULINGS A64).
//!
//! * The signed record is on disk in the outbox, and its id was said, before it is sent. From then on
//!   every way out names the id and what is known of it.
//! * An act that is recorded ends with 0, or with 5 and 'recorded' first where a receipt or a page could
//!   not be written. What is not known is 3. Where nothing was sent the record is forgotten, and the
//!   act may be made again.
//! * A node that has forgotten the record, because it was started again, gets the same bytes again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rollbook_client::client::Client;
use rollbook_client::receipts::{Handed, NoAnswer};
use rollbook_client::trust::{Error, Trust};
use rollbook_core::record::Record;
use rollbook_proof::answer::Verdict;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;
use rollbook_wire::judgement::Judgement;
use rollbook_wire::problem::Problem;
use rollbook_wire::record::{Place, Stands};
use rollbook_words::catalogue::{refusal_in, t};

use super::outbox::{Fate, Held, Outbox, fate, is_over, why};
use super::{judge, next, papers};
use crate::failure::{Failure, NOT_YET, REFUSED, UNREACHABLE, UNWRITTEN};
use crate::flags::{Global, Submitting};
use crate::interrupt::{not_known, watch};
use crate::keystore::Keystore;
use crate::output::{busy, print_json, result, say};
use crate::profile::Left;
use crate::receipts::Receipted;
use crate::{pending_file, receipts};

/// How long a decision or a receipt is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it is waited for where no node answers any more.
const SILENCE: Duration = Duration::from_secs(12);
/// How long a record that does not apply is waited for: the next block may make it apply.
const ASIDE: Duration = Duration::from_secs(3);
/// Pause before a node that does not have the record gets it again.
const AGAIN: Duration = Duration::from_secs(2);

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
#[derive(Debug)]
pub enum Waited {
    /// It is what was waited for.
    Met(Place),
    /// It is decided, as told by a node, and not what was waited for.
    Decided(Place),
    /// It was refused after it was taken: it has left the pool, or can be recorded no more.
    Refused(String),
    /// Nothing is known; why, if a node says something.
    Unknown(Option<String>),
}

/// Asks where a record is until that is what is waited for; `begun` is when the waiting began. A node
/// that does not have it gets it again.
pub fn wait_for(client: &Client, record: &Record, wait: Wait, begun: Instant) -> Waited {
    let id = record.id();
    let (mut silent, mut aside, mut handed) = (None, None::<Instant>, Instant::now());
    let mut told = None;
    let mut decided = None;
    loop {
        let answer = fate(client, &id);
        if !matches!(answer, Fate::Unknown) {
            silent = None;
        }
        match answer {
            Fate::Recorded(place) if wait.is_met(&place) => return Waited::Met(place),
            Fate::Recorded(place) => decided = Some(place),
            Fate::Waits(place) => match why(&place) {
                None => (aside, told) = (None, None),
                Some(sentence) => {
                    told = Some(sentence);
                    let since = aside.get_or_insert_with(Instant::now);
                    if since.elapsed() > ASIDE {
                        break;
                    }
                }
            },
            Fate::Left(place) => return Waited::Refused(why(&place).unwrap_or_default()),
            Fate::Nowhere if decided.is_none() && handed.elapsed() > AGAIN => {
                if let Some(sentence) = is_over(client, record) {
                    return Waited::Refused(sentence);
                }
                // The same bytes are harmless; what a node answers is asked for in the next turn.
                let bytes = rollbook_proof::codec::encode(record);
                drop(client.post::<serde_json::Value>("/v1/records", &bytes));
                handed = Instant::now();
            }
            Fate::Nowhere => {}
            Fate::Unknown => {
                let since = silent.get_or_insert_with(Instant::now);
                if since.elapsed() > SILENCE {
                    break;
                }
            }
        }
        if begun.elapsed() > PATIENCE {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    match decided {
        Some(place) => Waited::Decided(place),
        None => Waited::Unknown(told),
    }
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
            return Ok(NOT_YET);
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
        Ok(NOT_YET)
    }
}

/// What came of handing in.
pub enum Ended {
    /// The command ends with this code.
    Done(u8),
    /// Another record has the number: with the next one it may be made again, if all signers are here.
    NumberTaken(Failure),
}

/// Codes for a number that cannot be used any more.
pub const SPENT: [&str; 2] = ["A6.number-taken", "A6.replayed"];

/// Hands a record in and waits. `made` is the ledger time, as told by a node. A record that was `sent`
/// before may be in a pool whatever this node answers.
pub fn hand_in(
    waiting: &Waiting,
    record: &Record,
    (flags, anyway): (&Submitting, bool),
    (made, sent): (LedgerTime, bool),
) -> Result<Ended, Failure> {
    let Waiting { client, global, .. } = *waiting;
    let id = record.id();
    // What cannot be written is known before anything is sent.
    let file = receipts::place(flags.receipt_file.as_ref(), record, global)?;
    let mut trust = receipts::trust_for(global, record, client)?;
    let outbox = Outbox::of(global, &record.payload.chain)?;
    let mut held = outbox.put(record, made).map_err(|failure| {
        failure.next(t(
            if sent {
                "outbox.not-sent-again"
            } else {
                "outbox.not-sent"
            },
            &[],
        ))
    })?;
    say(t("outbox.signed", &[("record", id.to_hex())]));
    let watching = watch(not_known(&id.to_hex()));
    let wait = Wait::of(flags);
    let mut unkept = None;
    match rollbook_client::receipts::submit(&mut trust, record) {
        Ok(Handed {
            refused: Some(problem),
            ..
        }) if !(sent && is_open_still(client, &id)) => {
            return refused(waiting, record, &problem, &mut held);
        }
        Ok(Handed { unkept: kept, .. }) => unkept = kept,
        Err(NoAnswer {
            error,
            may_have_arrived: false,
        }) if !sent => {
            held.withdrawn();
            return Err(Failure::from(error).next(t("outbox.nothing-sent", &[])));
        }
        // A node that lies under a quorum's signatures is a finding.
        Err(NoAnswer {
            error: error @ (Error::NotTaken(_) | Error::Fork(_)),
            ..
        }) => {
            say(not_known(&id.to_hex()).what);
            return Err(error.into());
        }
        Err(NoAnswer { error, .. }) if wait == Wait::None => {
            return Err(not_known(&id.to_hex()).because(Failure::from(error)));
        }
        Err(_) => {}
    }
    if wait == Wait::None {
        drop(watching);
        result(
            t("act.taken", &[("record", id.to_hex())]),
            serde_json::json!({ "record": id, "stands": Stands::Pool.word() }),
        );
        return Ok(Ended::Done(unwritten(unkept)));
    }
    let file = (wait == Wait::Receipt).then_some(file);
    let ended = ended(
        waiting,
        record,
        (flags, anyway),
        (held, &mut trust),
        file.as_deref(),
    );
    drop(watching);
    ended.map(|code| Ended::Done(code.max(unwritten(unkept))))
}

/// What became of a record that was handed in at some time: nothing is sent but to a node that has
/// forgotten it.
pub fn ask_again(
    waiting: &Waiting,
    record: &Record,
    (flags, anyway): (&Submitting, bool),
    made: LedgerTime,
) -> Result<u8, Failure> {
    let Waiting { client, global, .. } = *waiting;
    let file = receipts::place(flags.receipt_file.as_ref(), record, global)?;
    let mut trust = receipts::trust_for(global, record, client)?;
    let outbox = Outbox::of(global, &record.payload.chain)?;
    let held = outbox.put(record, made)?;
    let _watching = watch(not_known(&record.id().to_hex()));
    ended(
        waiting,
        record,
        (flags, anyway),
        (held, &mut trust),
        Some(&file),
    )
}

/// Waits for the fate of a record and tells it.
fn ended(
    waiting: &Waiting,
    record: &Record,
    (flags, anyway): (&Submitting, bool),
    (mut held, trust): (Held, &mut Trust),
    file: Option<&Path>,
) -> Result<u8, Failure> {
    let Waiting { client, global, .. } = *waiting;
    let id = record.id();
    let wait = match file {
        Some(_) => Wait::Receipt,
        None => Wait::Decided,
    };
    let busy = busy("busy.waiting");
    let waited = wait_for(client, record, wait, Instant::now());
    drop(busy);
    let place = match waited {
        Waited::Met(place) => place,
        Waited::Decided(place) => {
            let facts = [("record", id.to_hex()), ("height", height_of(&place))];
            return Err(Failure::not_yet(t("outbox.unreceipted", &facts))
                .next(t("outbox.unreceipted-next", &facts)));
        }
        Waited::Refused(sentence) => {
            held.refused();
            let facts = [("record", id.to_hex()), ("why", sentence)];
            return Err(Failure::refused(t("outbox.refused-later", &facts))
                .next(t("outbox.refused-next", &[])));
        }
        Waited::Unknown(why) => {
            let failure = not_known(&id.to_hex());
            return Err(match why {
                Some(why) => failure.because(why),
                None => failure,
            });
        }
    };
    held.recorded(place.height);
    drop(held);
    let ended = (flags, global, anyway);
    finish((client, trust), record, &place, file, ended)
}

/// Whether a record that was sent before may still come into a block.
fn is_open_still(client: &Client, id: &Hash) -> bool {
    matches!(fate(client, id), Fate::Recorded(_) | Fate::Waits(_))
}

/// 5, and a word of what is missing, where a node's signed answer could not be kept.
fn unwritten(unkept: Option<Error>) -> u8 {
    unkept.map_or(0, |error| {
        let why = Failure::from(error).to_string();
        say(t("outbox.answer-unkept", &[("why", why)]));
        UNWRITTEN
    })
}

fn height_of(place: &Place) -> String {
    place
        .height
        .map_or_else(|| "null".to_owned(), |height| height.0.to_string())
}

/// A node has refused the record: nothing of it is in the ledger.
fn refused(
    waiting: &Waiting,
    record: &Record,
    problem: &Problem,
    held: &mut Held,
) -> Result<Ended, Failure> {
    // The refusal names amounts; in which unit, the judgement tells.
    let judged = judge::rehearse(waiting.client, record).unwrap_or_default();
    let unit = judged.and_then(|judged| judged.unit);
    let sentence = sentence_of(problem, unit.as_ref());
    let code = problem.code.as_str();
    if matches!(code, "A6.too-few-officers" | "A6.role-missing") {
        let file = waiting.file(record)?;
        pending_file::write(&file, record)?;
        held.waits();
        let facts = [("why", sentence), ("file", file.display().to_string())];
        say(t("act.pending", &facts));
        say(format!(
            "{}: {}",
            t("word.next", &[]),
            t("act.pending-next", &facts)
        ));
        return Ok(Ended::Done(NOT_YET));
    }
    held.refused();
    let facts = [("record", record.id().to_hex())];
    let failure = Failure::by_rule(code, sentence).because(t("outbox.refused", &facts));
    if SPENT.contains(&code) {
        Ok(Ended::NumberTaken(failure))
    } else {
        Err(failure)
    }
}

/// What follows once a record is decided: the receipt where a file is given, the page, the line. It
/// stands whatever fails from here on.
fn finish(
    (client, trust): (&Client, &mut Trust),
    record: &Record,
    place: &Place,
    file: Option<&Path>,
    (flags, global, anyway): (&Submitting, &Global, bool),
) -> Result<u8, Failure> {
    let receipt: Option<Receipted> = match file {
        Some(file) => {
            let receipt = receipts::receipt(trust, record, file);
            Some(receipt.map_err(|failure| stands_all_the_same(failure, record, place))?)
        }
        None => None,
    };
    next::told(
        client,
        record,
        place,
        receipt.as_ref(),
        flags.print.as_deref(),
        (global.json, anyway),
    )
}

/// A failure after the decision: the record and its block first.
fn stands_all_the_same(failure: Failure, record: &Record, place: &Place) -> Failure {
    let facts = [
        ("record", record.id().to_hex()),
        ("height", height_of(place)),
    ];
    match failure.exit {
        // Says itself that the act is recorded.
        UNWRITTEN if failure.code == "receipts.recorded-only" => failure,
        // What nodes say does not verify: a finding, and the block is their word only.
        REFUSED => {
            say(t("outbox.unreceipted", &facts));
            failure
        }
        UNREACHABLE | NOT_YET => Failure::not_yet(t("outbox.unreceipted", &facts))
            .because(failure)
            .next(t("outbox.unreceipted-next", &facts)),
        _ => Failure::unwritten(t("outbox.recorded-only", &facts))
            .because(failure)
            .next(t("outbox.recorded-only-next", &facts)),
    }
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
