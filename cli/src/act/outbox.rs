//! The outbox of a profile: records that were signed here, and what became of them (RULINGS A64).
//!
//! * One file for each record, on disk before it is sent. It is open until the fate of the record is
//!   known: recorded, or refused. Whoever lost the line, the machine or the patience finds it there:
//!   the next command of the profile asks for it and tells it once, `rollbook submit --open` waits
//!   for it.
//! * While a command is at work on a record it holds a lock beside the file, so that no other command
//!   tells of it; a command that was killed holds nothing.
//! * What is known stays for a day of ledger time, so that an equal act is not made twice by mistake
//!   (RULINGS A60).
//!
//! Absent: acts of a run, which the run keeps itself ([`super::run`]).

use std::fs::File;
use std::path::PathBuf;

use rollbook_client::client::Client;
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::record::{Payload, Record};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{Height, LedgerTime};
use rollbook_wire::record::{Place, Stands};
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use super::{judge, next, run};
use crate::encoding::{base64_bytes, base64_text};
use crate::failure::Failure;
use crate::files::{lock_file, make_folder, replace_secret};
use crate::flags::{Asking, Global};
use crate::output::say;
use crate::profile::{Left, Profiles};
use crate::{asking, receipts};

const KIND: &str = "rollbook-outbox";
/// How the name of an entry's file ends.
const ENDING: &str = ".sent.json";

/// What is known of a record that was signed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// Nothing yet: it may have been sent.
    Open,
    /// It waits for signatures and was not handed in here.
    Paper,
    /// It is in the log.
    Recorded,
    /// It was refused, or is over.
    Refused,
}

/// A record in the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    kind: String,
    version: u32,
    /// Record id.
    pub id: Hash,
    /// Genesis hash.
    pub chain: Hash,
    /// What is equal for equal acts of one organisation.
    act: Hash,
    /// Ledger time when it was made, as told by a node.
    made_ms: LedgerTime,
    /// What became of it.
    pub known: Known,
    /// The block, if it is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Height>,
    /// The signed record, base64.
    record: String,
}

impl Entry {
    /// Ledger time when it was made, as told by a node.
    pub fn made(&self) -> LedgerTime {
        self.made_ms
    }

    /// The signed record.
    pub fn record(&self) -> Option<Record> {
        decode(&base64_bytes(&self.record).ok()?).ok()
    }
}

/// What is equal for equal acts of one organisation.
pub fn act_of(payload: &Payload) -> Hash {
    let mut bytes = payload.principal.0.to_le_bytes().to_vec();
    bytes.extend(encode(&payload.body));
    sha256(&bytes)
}

/// The outbox of the profile that applies; of the alliance where none does.
pub struct Outbox {
    folder: PathBuf,
}

/// An entry that this command is at work on.
pub struct Held<'a> {
    outbox: &'a Outbox,
    entry: Entry,
    lock: PathBuf,
    _locked: File,
}

impl Outbox {
    /// Where it is. Nothing is made.
    pub fn of(global: &Global, chain: &Hash) -> Result<Outbox, Failure> {
        let own = Left::Outbox.place(global)?;
        let folder = if own.as_os_str().is_empty() {
            Profiles::of(global).verified(chain).join("outbox")
        } else {
            own
        };
        Ok(Outbox { folder })
    }

    fn file(&self, id: &Hash) -> PathBuf {
        self.folder.join(format!("{id}{ENDING}"))
    }

    fn write(&self, entry: &Entry) -> Result<(), Failure> {
        let path = self.file(&entry.id);
        let text = serde_json::to_vec_pretty(entry)
            .map_err(|error| Failure::unusable(path.display().to_string()).because(error))?;
        replace_secret(&path, &text)
    }

    fn entry(record: &Record, made_ms: LedgerTime, known: Known) -> Entry {
        Entry {
            kind: KIND.to_owned(),
            version: 1,
            id: record.id(),
            chain: record.payload.chain,
            act: act_of(&record.payload),
            made_ms,
            known,
            height: None,
            record: base64_text(encode(record)),
        }
    }

    /// Puts a record in before it is sent, and holds it. What is returned is on disk.
    pub fn put(&self, record: &Record, made_ms: LedgerTime) -> Result<Held<'_>, Failure> {
        make_folder(&self.folder)?;
        let lock = self.lock(&record.id());
        let locked = lock_file(&lock)?;
        let entry = Outbox::entry(record, made_ms, Known::Open);
        self.write(&entry)?;
        Ok(Held {
            outbox: self,
            entry,
            lock,
            _locked: locked,
        })
    }

    /// Notes that a record waits for signatures, if that can be written: an equal act is asked about.
    pub fn waits(&self, record: &Record, made_ms: LedgerTime) {
        let noted = make_folder(&self.folder)
            .and_then(|()| self.write(&Outbox::entry(record, made_ms, Known::Paper)));
        // Nothing rests on it.
        drop(noted);
    }

    /// Forgets a record that is none any more.
    pub fn forget(&self, id: &Hash) {
        let _ = std::fs::remove_file(self.file(id));
    }

    fn lock(&self, id: &Hash) -> PathBuf {
        self.folder.join(format!("{id}.lock"))
    }

    /// Whether no command is at work on a record.
    fn is_free(&self, id: &Hash) -> bool {
        match File::open(self.lock(id)) {
            Ok(file) => file.try_lock().is_ok(),
            Err(_) => true,
        }
    }

    /// Everything that can be read here, by the time it was made.
    pub fn entries(&self) -> Vec<Entry> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten();
        let mut entries: Vec<Entry> = files
            .flatten()
            .map(|file| file.path())
            .filter(|path| path.to_string_lossy().ends_with(ENDING))
            .filter_map(|path| serde_json::from_slice(&std::fs::read(path).ok()?).ok())
            .filter(|entry: &Entry| entry.kind == KIND && entry.version == 1)
            .collect();
        entries.sort_by_key(|entry| (entry.made_ms, entry.id));
        entries
    }

    /// What is open and nobody is at work on.
    pub fn open(&self) -> Vec<Entry> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.known == Known::Open && self.is_free(&entry.id));
        entries
    }

    /// The one entry whose id begins so.
    pub fn find(&self, text: &str) -> Option<Entry> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.id.to_hex().starts_with(text));
        let found = entries.pop()?;
        entries.is_empty().then_some(found)
    }

    /// An equal act of the same organisation within a day of ledger time that was not refused.
    pub fn equal(&self, payload: &Payload, now: LedgerTime) -> Option<Entry> {
        let act = act_of(payload);
        let mut entries = self.entries();
        entries.retain(|entry| {
            entry.act == act
                && entry.chain == payload.chain
                && entry.known != Known::Refused
                && is_of_today(entry, now)
        });
        entries.pop()
    }

    /// Drops what is known for longer than a day.
    fn prune(&self, now: LedgerTime) {
        for entry in self.entries() {
            if entry.known != Known::Open && !is_of_today(&entry, now) {
                self.forget(&entry.id);
            }
        }
    }

    fn settle(&self, mut entry: Entry, known: Known, height: Option<Height>) {
        (entry.known, entry.height) = (known, height);
        // An entry that cannot be written stays open and is asked for again.
        let _ = self.write(&entry);
    }
}

fn is_of_today(entry: &Entry, now: LedgerTime) -> bool {
    now.0.saturating_sub(entry.made_ms.0) < MS_PER_DAY
}

impl Held<'_> {
    /// It is in the log.
    pub fn recorded(&mut self, height: Option<Height>) {
        self.outbox
            .settle(self.entry.clone(), Known::Recorded, height);
    }

    /// It was refused.
    pub fn refused(&mut self) {
        self.outbox.settle(self.entry.clone(), Known::Refused, None);
    }

    /// It needs more signatures and waits for them.
    pub fn waits(&mut self) {
        self.outbox.settle(self.entry.clone(), Known::Paper, None);
    }

    /// Nothing was sent.
    pub fn withdrawn(&mut self) {
        self.outbox.forget(&self.entry.id);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.lock);
    }
}

/// What nodes say of a record.
#[derive(Debug)]
pub enum Fate {
    /// It is in this block.
    Recorded(Place),
    /// A node holds it; why it does not apply, if it does not.
    Waits(Place),
    /// It has left the pool of a node, for this reason.
    Left(Place),
    /// The nodes that answered do not have it.
    Nowhere,
    /// No node answered.
    Unknown,
}

/// Asks every node for a record until one has decided it.
pub fn fate(client: &Client, id: &Hash) -> Fate {
    let mut best = Fate::Unknown;
    for node in client.nodes() {
        let told: Result<Place, _> = client.only(node).json(&format!("/v1/records/{id}"));
        match told {
            Ok(place) => match place.stands {
                Stands::Decided | Stands::Receipted => return Fate::Recorded(place),
                Stands::Pool => best = Fate::Waits(place),
                Stands::Left if !matches!(best, Fate::Waits(_)) => best = Fate::Left(place),
                Stands::Left => {}
            },
            Err(rollbook_client::client::Error::Refused { status: 404, .. }) => {
                if matches!(best, Fate::Unknown) {
                    best = Fate::Nowhere;
                }
            }
            Err(_) => {}
        }
    }
    best
}

/// Why a record does not apply, as a sentence.
pub fn why(place: &Place) -> Option<String> {
    let aside = place.aside.as_ref()?;
    let facts: Vec<(&str, String)> = aside
        .facts
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    Some(rollbook_words::catalogue::refusal_in(
        &aside.rule,
        &facts,
        None,
    ))
}

/// Why a record can never be recorded any more by a node's word, if that is so: it is over, or another
/// record in the log has its number.
pub fn is_over(client: &Client, record: &Record) -> Option<String> {
    let judged = judge::rehearse(client, record).ok().flatten()?;
    let decided = || {
        let mut facts = judged.facts.iter();
        facts.any(|(name, value)| name == "stands" && value == "decided")
    };
    let is_over = match judged.rule.as_deref()? {
        "A6.expired" => true,
        "A6.number-taken" => decided(),
        _ => false,
    };
    is_over.then(|| judge::refused(&judged)).flatten()
}

/// Asks for the fate of what is open in the profile's outbox and tells what is known, once. Silent
/// where no profile applies, where nothing is open, or where no node is known.
pub fn tell_open(global: &Global) {
    let Ok(Some((_, profile))) = Profiles::of(global).chosen(global) else {
        return;
    };
    let Some(chain) = profile.genesis_hash() else {
        return;
    };
    run::tell_unfinished(global);
    let Ok(outbox) = Outbox::of(global, &chain) else {
        return;
    };
    let open = outbox.open();
    if open.is_empty() {
        return;
    }
    let Ok(client) = asking::client(&Asking::default(), Some(&profile), "act.no-profile-next")
    else {
        return;
    };
    for entry in open {
        tell_one(global, &outbox, &client, entry);
    }
}

fn tell_one(global: &Global, outbox: &Outbox, client: &Client, entry: Entry) {
    let Some(record) = entry.record().filter(|record| record.id() == entry.id) else {
        return;
    };
    let what = next::done(&record.payload.body, None);
    let facts = [("record", entry.id.to_hex()), ("what", what)];
    match fate(client, &entry.id) {
        Fate::Recorded(place) => {
            let number = place.height.map_or(0, |height| height.0);
            let [record_fact, what] = facts;
            let height = ("height", number.to_string());
            match proved(global, &record, client) {
                Some(effect) => say(t(
                    "outbox.recorded-proved",
                    &[record_fact, what, height, ("effect", effect)],
                )),
                None => say(t("outbox.recorded", &[record_fact, what, height])),
            }
            outbox.settle(entry, Known::Recorded, place.height);
        }
        Fate::Left(place) => {
            let [record_fact, what] = facts;
            let why = ("why", why(&place).unwrap_or_default());
            say(t("outbox.left", &[record_fact, what, why]));
            outbox.settle(entry, Known::Refused, None);
        }
        Fate::Nowhere => match is_over(client, &record) {
            Some(sentence) => {
                let [record_fact, what] = facts;
                say(t("outbox.over", &[record_fact, what, ("why", sentence)]));
                outbox.settle(entry, Known::Refused, None);
            }
            None => say(t("outbox.nowhere", &facts)),
        },
        Fate::Waits(_) => say(t("outbox.waits", &facts)),
        Fate::Unknown => say(t("outbox.unknown", &facts)),
    }
}

/// What the record came to, if its receipt is there and verifies; it is written, too.
/// Nobody is asked for a passphrase for what a command tells beside its work.
fn proved(global: &Global, record: &Record, client: &Client) -> Option<String> {
    let mut trust = receipts::trust_for(global, record, client).ok()?;
    let file = receipts::place(None, record, global).ok()?;
    let receipt = receipts::receipt(&mut trust, record, &file).ok()?;
    Some(crate::objects::effect_text(receipt.without_effect))
}

/// Drops what is known for longer than a day, by a node's time.
pub fn prune(global: &Global, chain: &Hash, now: LedgerTime) {
    if let Ok(outbox) = Outbox::of(global, chain) {
        outbox.prune(now);
    }
}
