//! Where a view comes from: a node, which says what it says, or an export that is run again, to its end
//! or to the end of a day (RULINGS A20, A52).

use std::path::PathBuf;

use clap::Args;
use rollbook_client::client::{Client, Error};
use rollbook_core::audit::Audited;
use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, LocalDay, end_of_local_day};
use rollbook_core::ledger::Execution;
use rollbook_core::next::Object;
use rollbook_core::state::StateTables;
use rollbook_core::tx::{BlockContext, Tx};
use rollbook_core::view;
use rollbook_core::view::View;
use rollbook_node::replica_thread::questions;
use rollbook_proof::chain::ReadClass;
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, LedgerTime};
use rollbook_wire::ledger::List as Page;
use rollbook_wire::next::Beside;
use rollbook_wire::status::Status;
use rollbook_words::catalogue::t;
use rollbook_words::dates::{day, time};
use serde_json::Value;

use crate::asking;
use crate::commands::audit;
use crate::failure::{Failure, NOT_YET};
use crate::flags::{Connection, Global};
use crate::profile::{genesis, in_use};

/// Pages read at most: a million entries.
const PAGES: usize = 10_000;

/// What every command takes that can look at an export instead of asking a node.
#[derive(Debug, Default, Args)]
#[group(skip)]
pub struct Past {
    /// An export that is executed again instead of asking a node.
    #[arg(id = "from-export", long = "from-export", value_name = "FILE")]
    pub from_export: Option<PathBuf>,
    /// The day at whose end things are shown.
    #[arg(long, value_name = "DATE", requires = "from-export")]
    pub on: Option<String>,
    /// The day whose knowledge is used: nothing that was recorded later.
    #[arg(long, value_name = "DATE", requires = "from-export")]
    pub known: Option<String>,
}

impl Past {
    /// The last day whose blocks count. What the ledger holds is in force from the block that holds
    /// it, so both dates end the history, and the earlier one decides.
    fn last_day(&self) -> Result<Option<LocalDay>, Failure> {
        let read = |text: &String| {
            day(text).ok_or_else(|| {
                Failure::unusable(t("source.bad-day", &[("text", text.clone())]))
                    .next(t("source.bad-day-next", &[]))
            })
        };
        let days = [&self.on, &self.known].into_iter().flatten();
        let days: Vec<LocalDay> = days.map(read).collect::<Result<_, _>>()?;
        Ok(days.into_iter().min())
    }
}

/// An export as it was run again.
pub struct Export {
    tables: Box<StateTables>,
    chain: Hash,
    /// Height and ledger time of the last block that counts.
    pub tip: (Height, LedgerTime),
    is_anchored: bool,
    from: String,
}

/// Where a view comes from.
pub enum Source {
    /// A node.
    Node {
        /// Asks it alone.
        client: Client,
        /// Its address.
        node: String,
        /// Whether its chain is a sample.
        sample: bool,
        /// The hash of its chain's genesis, as it says.
        chain: String,
    },
    /// An export.
    Export(Export),
}

impl Source {
    /// As the flags ask.
    pub fn open(global: &Global, flags: &Connection, past: &Past) -> Result<Source, Failure> {
        Source::open_watched(global, flags, past, &mut |_, _| {})
    }

    /// The same; `watch` sees every block of an export up to the last one that counts.
    pub fn open_watched(
        global: &Global,
        flags: &Connection,
        past: &Past,
        watch: &mut (dyn FnMut(&StateTables, &Execution) + Send),
    ) -> Result<Source, Failure> {
        let profile = in_use(global)?;
        let Some(file) = &past.from_export else {
            let client = asking::reading(global, flags, profile.as_ref())?;
            return answering(&client);
        };
        let expected = genesis(flags.genesis.as_deref(), profile.as_ref())?;
        let last_day = past.last_day()?;
        let mut kept: Option<(StateTables, (Height, LedgerTime))> = None;
        let mut newest = (Height(0), LedgerTime(0));
        let mut see = |before: &StateTables, execution: &Execution| {
            let tip = (execution.seal.height, execution.seal.time_ms);
            let ends = last_day.map(|day| end_of_local_day(day, offset(before)));
            if kept.is_none() && ends.is_some_and(|ends| tip.1 > ends) {
                kept = Some((before.clone(), newest));
            }
            if kept.is_none() {
                watch(before, execution);
            }
            newest = tip;
        };
        let Audited { report, tables } = audit::watched(file, expected, &mut see)?;
        let facts = [
            ("file", file.display().to_string()),
            ("height", report.executed.to_string()),
        ];
        let (Some(tables), Some(chain), true) = (tables, report.genesis, report.is_sound()) else {
            return Err(
                Failure::refused(t("list.unsound", &facts)).next(t("list.unsound-next", &facts))
            );
        };
        let (tables, tip, is_past) = match kept {
            Some((tables, tip)) => (tables, tip, true),
            None => (tables, newest, false),
        };
        let from = if is_past {
            let facts = [
                ("file", file.display().to_string()),
                ("height", tip.0.to_string()),
                ("time", time(tip.1)),
            ];
            t("source.past", &facts)
        } else if expected.is_some() {
            t("list.from-export", &facts)
        } else {
            t("list.from-export-unpinned", &facts)
        };
        Ok(Source::Export(Export {
            tables: Box::new(tables),
            chain,
            tip,
            is_anchored: expected.is_some(),
            from,
        }))
    }

    /// The sentence that says where it comes from and what that is worth.
    pub fn from(&self) -> String {
        match self {
            Source::Node { node, .. } => t("list.as-told", &[("node", node.clone())]),
            Source::Export(export) if export.is_anchored => export.from.clone(),
            Source::Export(export) => {
                format!("{}; {}", export.from, t("source.not-anchored", &[]))
            }
        }
    }

    /// The exit code of a view that could be made: 3 if nobody says whose history it is (RULINGS
    /// A52).
    pub fn code(&self) -> u8 {
        match self {
            Source::Export(export) if !export.is_anchored => NOT_YET,
            _ => 0,
        }
    }

    /// Whether the chain is a sample.
    pub fn is_sample(&self) -> bool {
        match self {
            Source::Export(export) => export
                .tables
                .parameters
                .first()
                .is_some_and(|(_, charter)| charter.clock == Clock::Sample),
            Source::Node { sample, .. } => *sample,
        }
    }

    /// The hash of the chain's genesis, in hexadecimal digits.
    pub fn chain(&self) -> String {
        match self {
            Source::Export(export) => export.chain.to_hex(),
            Source::Node { chain, .. } => chain.clone(),
        }
    }

    /// Every entry of a table: key, value.
    pub fn entries(&self, table: &str) -> Result<Vec<(String, Value)>, Failure> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        let key = |path: &str| path.split_once('/').map_or(path, |(_, key)| key).to_owned();
        match self {
            Source::Export(export) => {
                let items =
                    questions::page(&export.tables, table, None, usize::MAX).unwrap_or_default();
                entries.extend(items.into_iter().map(|item| (key(&item.path), item.value)));
            }
            Source::Node { client, .. } => {
                let mut after = String::new();
                for _ in 0..PAGES {
                    let page: Page = client.json(&format!("/v1/lists/{table}{after}"))?;
                    let items = page.items.into_iter();
                    entries.extend(items.map(|item| (key(&item.path), item.value)));
                    match page.next {
                        Some(next) => after = format!("?after={next}"),
                        None => break,
                    }
                }
            }
        }
        Ok(entries)
    }

    /// One entry of a table by its key; none: there is no such.
    pub fn entry(&self, table: &str, key: &str) -> Result<Option<Value>, Failure> {
        // A numbered one comes right after the number before it.
        let before = key
            .parse::<u32>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        let path = format!("{table}/{key}");
        let (Source::Node { client, .. }, Some(before)) = (self, before) else {
            let entries = self.entries(table)?;
            return Ok(entries
                .into_iter()
                .find(|(known, _)| known == key)
                .map(|(_, value)| value));
        };
        let page: Page = client.json(&format!("/v1/lists/{table}?after={before}&limit=1"))?;
        let found = page.items.into_iter().find(|item| item.path == path);
        Ok(found.map(|item| item.value))
    }

    /// What belongs to an object; none: nothing does, or there is no such object.
    pub fn view(&mut self, object: Object, number: u32) -> Result<Option<View>, Failure> {
        match self {
            Source::Export(export) => {
                Ok(export.look(|tx| view::of(tx, object, number, ReadClass::Members)))
            }
            Source::Node { client, .. } => view_from(client, object, number),
        }
    }
}

impl Export {
    /// Lets somebody look at the tables as a rule does.
    pub fn look<R>(&mut self, look: impl FnOnce(&Tx) -> R) -> R {
        let block = BlockContext {
            chain: self.chain,
            height: self.tip.0.next(),
            now: self.tip.1,
        };
        look(&Tx::of_block(&mut self.tables, block))
    }

    /// The tables.
    pub fn tables(&self) -> &StateTables {
        &self.tables
    }
}

/// What belongs to an object, as a node tells it.
pub fn view_from(client: &Client, object: Object, number: u32) -> Result<Option<View>, Failure> {
    // Of the second kind only those have one that were corrected.
    let may_lack_it = match object {
        Object::Organisation
        | Object::Motion
        | Object::Call
        | Object::Application
        | Object::Agreement
        | Object::Direction => false,
        Object::Fund | Object::Statement | Object::Order => true,
        _ => return Ok(None),
    };
    // Ballots are for members, and a node does not ask who reads a motion.
    if object == Object::Motion {
        read_as_member(client);
    }
    let object = crate::output::word(object);
    let path = format!("/v1/views/{object}/{number}");
    match client.json::<Beside>(&path) {
        Ok(beside) => Ok(Some(beside.view)),
        Err(Error::Refused { status: 404, .. }) if may_lack_it => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Logs in where a key is here: an answer then holds what is for members, too. Who cannot log in is
/// told what is public.
pub fn read_as_member(client: &Client) {
    if client.may_log_in() {
        let _ = client.log_in_now();
    }
}

/// The offset of local days in minutes.
fn offset(tables: &StateTables) -> i32 {
    let facts = tables.chain.get(&0);
    let charter = facts.and_then(|facts| tables.parameters.get(&facts.charter));
    charter.map_or(DEFAULT_OFFSET_MINUTES, |charter| charter.offset_minutes)
}

/// The first node that answers: one view comes from one node.
fn answering(client: &Client) -> Result<Source, Failure> {
    let mut last = None;
    for node in client.nodes() {
        let client = client.only(node);
        match client.json::<Status>("/v1/status") {
            Ok(Status {
                sample, genesis, ..
            }) => {
                let node = node.clone();
                return Ok(Source::Node {
                    client,
                    node,
                    sample,
                    chain: genesis,
                });
            }
            Err(error) => last = Some(Failure::from(error)),
        }
    }
    Err(last.unwrap_or_else(|| Failure::unreachable(t("client.unreachable", &[]))))
}
