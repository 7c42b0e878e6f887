//! Questions about the ledger at its tip, answered by the thread that holds it.
//!
//! * Nothing is kept and nothing is changed: a record that is judged here is not handed in.
//! * Only state is proved, and only under a receipt (`StateQuestions`). The rest is what this
//!   node says: a wrong answer costs a question, never a right.

use std::collections::VecDeque;
use std::ops::Bound;

use rollbook_core::account::Balance;
use rollbook_core::id::{Id, PersonId, RelationId};
use rollbook_core::ledger::Ledger;
use rollbook_core::lookup::rights;
use rollbook_core::next::Next;
use rollbook_core::object::contribution::Receipt;
use rollbook_core::pass::{Denied, Reach, SignedPass};
use rollbook_core::record::Record;
use rollbook_core::state::{StateTables, Table, TableValue};
use rollbook_core::view::View;
use rollbook_core::view::open::Open;
use rollbook_core::view::tasks::Whose;
use rollbook_core::view::{self, tasks};
use rollbook_core::{known, next, pass};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_wire::ledger::Item;
use serde::Serialize;
use serde_json::Value;

use super::app::NodeApp;
use super::command::{About, Judged, NextNumber, ProvedState, Rehearsal, Reply, Waits};
use crate::clock::real_ms;
use crate::store::view::StoredReceipt;

/// State questions that wait for a receipt at most.
const QUESTIONS: usize = 256;
/// The tables, by the first part of their paths: the proved ones, then those that a node alone tells.
pub const TABLES: &[&str] = &[
    "organisation",
    "membership",
    "motion",
    "fund",
    "call",
    "award",
    "agreement",
    "payment",
    "account",
    "charter",
    "policy",
    "post",
    "invoice",
    "pledge",
    "instalment",
    "entry",
    "application",
    "draw",
    "review",
    "milestone",
    "relation",
    "seat",
    "draft",
    "draft-charter",
    "change",
    "delegation",
    "revocation",
    "key-recovery",
    "direction",
    "observer",
    "statement",
    "calendar",
    "correction",
    "order",
    "plan",
    "notice",
    "proceeding",
    "node",
    "measure",
    "recovery",
];

/// Who may read a table.
pub fn class_of(table: &str) -> ReadClass {
    match table {
        // Dues, notices and proceedings are for members (RULINGS R39).
        "invoice" | "plan" | "notice" | "proceeding" => ReadClass::Members,
        _ => ReadClass::Public,
    }
}

/// Entries of a table after `after`, at most `limit`; `None` if there is no such table or no such
/// key.
pub fn page(
    tables: &StateTables,
    table: &str,
    after: Option<&str>,
    limit: usize,
) -> Option<Vec<Item>> {
    fn numbered<I: Id, V: TableValue + Serialize>(
        of: &Table<I, V>,
        table: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Option<Vec<Item>> {
        let begin = match after {
            None => Bound::Unbounded,
            Some(after) => Bound::Excluded(I::of(after.parse().ok()?)),
        };
        let item = |(id, value): (&I, &V)| {
            Some(Item {
                path: format!("{table}/{}", id.number()),
                value: serde_json::to_value(value).ok()?,
            })
        };
        of.range((begin, Bound::Unbounded))
            .take(limit)
            .map(item)
            .collect()
    }
    match table {
        "organisation" => numbered(&tables.organisations, table, after, limit),
        "membership" => numbered(&tables.memberships, table, after, limit),
        "motion" => numbered(&tables.motions, table, after, limit),
        "fund" => numbered(&tables.funds, table, after, limit),
        "call" => numbered(&tables.calls, table, after, limit),
        "award" => numbered(&tables.awards, table, after, limit),
        "agreement" => numbered(&tables.agreements, table, after, limit),
        "payment" => numbered(&tables.payments, table, after, limit),
        // With their parameters, which the proved digest names.
        "charter" => numbered(&tables.parameters, table, after, limit),
        "policy" => numbered(&tables.epochs, table, after, limit),
        "post" => numbered(&tables.posts, table, after, limit),
        "invoice" => numbered(&tables.invoices, table, after, limit),
        "pledge" => numbered(&tables.contributions, table, after, limit),
        "instalment" => numbered(&tables.instalments, table, after, limit),
        "application" => numbered(&tables.applications, table, after, limit),
        "draw" => numbered(&tables.draws, table, after, limit),
        "review" => numbered(&tables.reviews, table, after, limit),
        "milestone" => numbered(&tables.milestones, table, after, limit),
        "seat" => numbered(&tables.seats, table, after, limit),
        "draft" => numbered(&tables.drafts, table, after, limit),
        "draft-charter" => numbered(&tables.draft_charters, table, after, limit),
        "change" => numbered(&tables.changes, table, after, limit),
        "delegation" => numbered(&tables.delegations, table, after, limit),
        "revocation" => numbered(&tables.revocations, table, after, limit),
        "key-recovery" => numbered(&tables.key_recoveries, table, after, limit),
        "direction" => numbered(&tables.directions, table, after, limit),
        "observer" => numbered(&tables.observers, table, after, limit),
        "statement" => numbered(&tables.statements, table, after, limit),
        "calendar" => numbered(&tables.calendars, table, after, limit),
        "correction" => numbered(&tables.corrections, table, after, limit),
        "order" => numbered(&tables.orders, table, after, limit),
        "plan" => numbered(&tables.plans, table, after, limit),
        "notice" => numbered(&tables.notices, table, after, limit),
        "proceeding" => numbered(&tables.proceedings, table, after, limit),
        "measure" => numbered(&tables.measures, table, after, limit),
        "recovery" => numbered(&tables.recoveries, table, after, limit),
        "node" => numbered(&tables.nodes, table, after, limit),
        // Money that was entered for an instalment, by the record that entered it.
        "entry" => {
            let begin = match after {
                None => Bound::Unbounded,
                Some(after) => Bound::Excluded(Hash::from_hex(after)?),
            };
            let item = |(record, entry): (&Hash, &Receipt)| {
                Some(Item {
                    path: format!("entry/{record}"),
                    value: serde_json::to_value(entry).ok()?,
                })
            };
            let entries = tables.receipts.range((begin, Bound::Unbounded));
            entries.take(limit).map(item).collect()
        }
        "relation" => {
            let begin = match after {
                None => Bound::Unbounded,
                Some(after) => Bound::Excluded(RelationId(after.parse().ok()?)),
            };
            let ids = tables.relation_ids.range((begin, Bound::Unbounded));
            let item = |(id, key): (&RelationId, &(OrganisationId, OrganisationId, u32))| {
                Some(Item {
                    path: format!("relation/{}", id.0),
                    value: serde_json::to_value(tables.edges.get(key)?).ok()?,
                })
            };
            ids.take(limit).map(item).collect()
        }
        "account" => {
            let begin = match after {
                None => Bound::Unbounded,
                Some(after) => Bound::Excluded(
                    *tables
                        .accounts
                        .iter()
                        .map(|(account, _)| account)
                        .find(|known| known.to_string() == after)?,
                ),
            };
            // An i128 is no JSON number.
            let item = |(account, balance): (&rollbook_core::account::Account, &Balance)| Item {
                path: format!("account/{account}"),
                value: Value::String(balance.0.to_string()),
            };
            Some(
                tables
                    .accounts
                    .range((begin, Bound::Unbounded))
                    .take(limit)
                    .map(item)
                    .collect(),
            )
        }
        _ => None,
    }
}

/// Tasks told at most; who has more asks for those of one organisation.
const TASKS: usize = 1_000;

/// What waits, with the number of what was left out.
pub(super) fn tasks(app: &mut NodeApp, open: &Open, whose: Whose, class: ReadClass) -> Waits {
    let tip = app.ledger().tip().seal.clone();
    let mut tasks = app.look(|tx| tasks::tasks(tx, open, whose, class));
    let left_out = tasks.len().saturating_sub(TASKS);
    tasks.truncate(TASKS);
    Waits {
        height: tip.height,
        time: tip.time_ms,
        tasks,
        left_out,
    }
}

/// What belongs to an object.
pub(super) fn view(
    app: &mut NodeApp,
    object: next::Object,
    number: u32,
    class: ReadClass,
) -> (Height, Option<View>) {
    let height = app.ledger().height();
    (height, app.look(|tx| view::of(tx, object, number, class)))
}

/// The next sequence of a person in a lane: one above the highest in the log. None: `reader` may not
/// know the number, which counts acts that only members may read (RULINGS A59, A61).
pub(super) fn sequence(
    ledger: &Ledger,
    (person, lane): (PersonId, ReadClass),
    reader: Option<PersonId>,
) -> Option<NextNumber> {
    let tables = ledger.tables();
    let is_colleague = reader.is_some_and(|reader| rights::are_colleagues(tables, reader, person));
    let may_know = lane == ReadClass::Public || is_colleague;
    let used = tables
        .lanes
        .get(&(person, lane))
        .map_or(0, |lane| lane.highest);
    may_know.then(|| NextNumber {
        next: used.saturating_add(1),
        is_colleague,
    })
}

/// Whether a reader may see what is for members; `node` is the organisation of this node.
pub(super) fn reader(
    ledger: &Ledger,
    node: OrganisationId,
    pass: &SignedPass,
) -> Result<Reach, Denied> {
    let (ledger_ms, real_ms) = (ledger.tip().seal.time_ms, real_ms());
    pass::admit(
        ledger.tables(),
        (ledger.chain(), node),
        pass,
        ledger_ms,
        LedgerTime(real_ms),
    )
}

/// Where an object stands and what follows; none: there is no such object.
pub(super) fn next(ledger: &Ledger, about: About, class: ReadClass) -> Option<Next> {
    let tables = ledger.tables();
    let (object, number) = match about {
        About::Object(object, number) => (object, number),
        About::Record(record) => next::subject(
            tables,
            record.payload.principal,
            &record.id(),
            &record.payload.body,
        )?,
    };
    next::of(tables, object, number, class)
}

/// Who asks what a record would meet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asks {
    /// What it may read.
    pub class: ReadClass,
    /// The person, if one has logged in.
    pub reader: Option<PersonId>,
    /// Whether it may learn what would come of the record if the rules say so.
    pub may_presume: bool,
}

/// What a record would meet on the tip at ledger time `now_ms`.
pub(super) fn rehearse(app: &mut NodeApp, record: &Record, asks: Asks, now_ms: u64) -> Rehearsal {
    let class = asks.class;
    let presumed = if asks.may_presume {
        app.presume(record, now_ms, asks.reader)
    } else {
        None
    };
    let result = app.judge(record.clone(), now_ms);
    let (ledger, principal) = (app.ledger(), record.payload.principal);
    let tables = ledger.tables();
    let object = next::subject(tables, principal, &record.id(), &record.payload.body);
    let payload = &record.payload;
    let lane = tables
        .lanes
        .get(&(payload.officer, payload.body.read_class()));
    // What is only judged before it is signed has no number yet.
    let number_spent = lane
        .filter(|lane| payload.sequence > 0 && !lane.is_free(payload.sequence))
        .map(|lane| lane.highest);
    Rehearsal {
        number_spent,
        waits_with_number: None,
        judged: Judged {
            height: ledger.height(),
            outcome: result.as_ref().ok().copied(),
            refused: result.err(),
        },
        presumed,
        principal: tables.organisations.get(&principal).cloned(),
        signers: next::signers(tables, principal, LedgerTime(now_ms)),
        now: object.and_then(|(object, number)| next::of(tables, object, number, class)),
        unit: known::unit(tables, &record.payload.body),
    }
}

/// Those of the principals for which a person may sign at ledger time `now_ms`.
pub(super) fn signs_for(
    tables: &StateTables,
    person: PersonId,
    mut principals: Vec<OrganisationId>,
    now_ms: u64,
) -> Vec<OrganisationId> {
    principals.retain(|principal| {
        next::signers(tables, *principal, LedgerTime(now_ms))
            .iter()
            .any(|entry| entry.person == person)
    });
    principals
}

struct Question {
    path: Vec<u8>,
    reply: Reply<Result<ProvedState, String>>,
}

/// Questions about proved state. State is proved at the tip, so a question waits until the tip is
/// receipted: at most a few blocks, since every checkpoint of a quiet moment is cosigned.
#[derive(Default)]
pub(super) struct StateQuestions {
    waiting: VecDeque<Question>,
    receipt: Option<StoredReceipt>,
}

impl StateQuestions {
    /// Takes a question; drops it if too many wait. Whoever has hung up keeps no place.
    pub(super) fn ask(&mut self, path: Vec<u8>, reply: Reply<Result<ProvedState, String>>) {
        if self.waiting.len() >= QUESTIONS {
            self.waiting.retain(|question| !question.reply.is_closed());
        }
        if self.waiting.len() < QUESTIONS {
            self.waiting.push_back(Question { path, reply });
        }
    }

    /// A checkpoint is receipted.
    pub(super) fn receipted(&mut self, receipt: &StoredReceipt) {
        let known = self.receipt.as_ref();
        if known.is_none_or(|known| known.height <= receipt.height) {
            self.receipt = Some(receipt.clone());
        }
    }

    /// Answers what can be answered now.
    pub(super) fn answer(&mut self, ledger: &Ledger) {
        let Some(receipt) = self
            .receipt
            .as_ref()
            .filter(|receipt| receipt.height == ledger.height())
        else {
            return;
        };
        while let Some(Question { path, reply }) = self.waiting.pop_front() {
            if reply.is_closed() {
                continue;
            }
            let answer = ledger
                .state()
                .prove(&path)
                .map_err(|error| error.to_string());
            reply.send(answer.map(|(value, proof)| ProvedState {
                value,
                proof,
                seal: ledger.tip().seal.clone(),
                receipt: receipt.clone(),
            }));
        }
    }
}
