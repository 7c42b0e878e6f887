//! `apply`: the rules as one entry point. A record in, an outcome or a refusal out; a due deadline
//! in, an event out.
//!
//! * Two refusals (RULINGS A4): *inadmissible* ([`Refusal`]) is never in a block; *recorded without
//!   effect* ([`Outcome::NotCounted`]) is in the log and changes nothing but what its rule says.
//! * Every change by the clock is an [`Event`], derived here, a leaf of its own.
//! * Order of effect in a block: due clock events by (due time, kind, object), then evidence, then
//!   records (RULINGS A19).
//!
//! Absent on purpose: clocks, randomness, anything a node decides for itself.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{Wire, encode};
use rollbook_proof::crypto::{Hash, KeyError, PublicKey, Signature, VerifierCache};

use crate::calendar::{Calendar, Period};
use crate::charter::{Charter, DAY_MS};
use crate::identity::authority::Actor;
use crate::identity::{Organisation, authority};
use crate::ledger::chain::ChainFacts;
use crate::record::{Body, Record, SignedBytes};
use crate::state::StateTables;

mod deadlines;
mod event;

pub use deadlines::{DeadlineKind, EVENTS_MAX, lengthen, next_deadline, run_due};
pub use event::{Event, EventBody};

/// Why a record is inadmissible: a language-free code, such as `M01.live-membership`, and the facts
/// of the case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// Transition or ruling, a dot, and the guard.
    pub code: &'static str,
    /// Named facts, for the message in the reader's language.
    pub facts: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with its facts.
    pub fn new(code: &'static str, facts: Vec<(&'static str, String)>) -> Self {
        Refusal { code, facts }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        for (i, (name, value)) in self.facts.iter().enumerate() {
            write!(f, "{}{name} {value}", if i == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Returns a [`Refusal`] from the current function.
#[macro_export]
macro_rules! refuse {
    ($code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        return Err($crate::apply::Refusal::new($code, vec![$((stringify!($name), ($value).to_string())),*]))
    };
}

/// Refuses unless the condition holds.
#[macro_export]
macro_rules! require {
    ($condition:expr, $code:literal $(, $name:ident = $value:expr)* $(,)?) => {
        if !($condition) {
            $crate::refuse!($code $(, $name = $value)*)
        }
    };
}

/// What came of a record that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub enum Outcome {
    /// It took effect.
    Applied,
    /// It is recorded and was not counted.
    NotCounted(NotCounted),
}

/// The few reasons for which a record is in the log without effect (RULINGS A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub enum NotCounted {
    /// An application after its deadline.
    LateApplication,
    /// A second member of a group voted; the first ballot of the group stands.
    DuplicateGroup,
    /// The member is recused from the motion.
    Recused,
}

/// Judges signatures. A node passes one that remembers what its threads verified; the rule is
/// always [`PublicKey::verify`].
pub trait Verify {
    /// Whether `signature` over `message` verifies under `key`.
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;

    /// Whether a key may be put on the ledger. One that remembers signatures remembers these
    /// answers as well: the torsion check costs more than a signature.
    fn check_registrable(&mut self, key: &PublicKey) -> Result<(), KeyError> {
        key.check_registrable()
    }
}

impl Verify for VerifierCache {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        VerifierCache::verify(self, key, message, signature).is_ok()
    }
}

/// The view of one record or one deadline on the state while it applies.
pub struct Tx<'a> {
    /// The tables.
    pub t: &'a mut StateTables,
    /// Ledger time of the block, in milliseconds.
    pub now: u64,
    /// Height of the block.
    pub height: u64,
    /// Genesis hash.
    pub chain: Hash,
    /// Id of the record; zero for a deadline.
    pub record: Hash,
    /// Events derived so far in this deadline.
    pub events: Vec<Event>,
}

/// Kinds of objects that the ledger numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Counter {
    /// Organisations.
    Organisation = 1,
    /// Persons.
    Person = 2,
    /// Memberships.
    Membership = 3,
    /// Motions.
    Motion = 4,
    /// Posts.
    Post = 5,
    /// Funds.
    Fund = 6,
    /// Contributions.
    Contribution = 7,
    /// Calls.
    Call = 8,
    /// Applications.
    Application = 9,
    /// Awards.
    Award = 10,
    /// Agreements.
    Agreement = 11,
    /// Payments.
    Payment = 12,
    /// Invoices.
    Invoice = 13,
    /// Milestones.
    Milestone = 14,
    /// Reviews.
    Review = 15,
    /// Instalments of pledges.
    Instalment = 16,
    /// Draws of reviewers and assessors.
    Draw = 17,
    /// Orders of courts and regulators.
    Order = 18,
}

impl Tx<'_> {
    /// The chain's own facts.
    pub fn facts(&self) -> ChainFacts {
        self.t.chain.get(&0).cloned().unwrap_or_default()
    }

    /// Writes the chain's own facts.
    pub fn put_facts(&mut self, facts: ChainFacts) {
        self.t.chain.put(0, facts);
    }

    /// The rule version of this block (RULINGS A18).
    pub fn protocol(&self) -> u32 {
        crate::protocol::at(self.t, self.height)
    }

    /// The charter in force.
    pub fn charter(&self) -> Result<&Charter, Refusal> {
        self.charter_of(self.facts().charter)
    }

    /// A charter by version.
    pub fn charter_of(&self, version: u32) -> Result<&Charter, Refusal> {
        self.t
            .charters
            .get(&version)
            .ok_or_else(|| Refusal::new("A7.no-charter", vec![("version", version.to_string())]))
    }

    /// An organisation, or a refusal that names the number.
    pub fn organisation(&self, number: u32) -> Result<&Organisation, Refusal> {
        self.t.organisations.get(&number).ok_or_else(|| {
            Refusal::new(
                "A4.unknown-organisation",
                vec![("organisation", number.to_string())],
            )
        })
    }

    /// The next number of a kind of object.
    pub fn next_number(&mut self, counter: Counter) -> u32 {
        let next = self.peek_number(counter);
        self.t.counters.put(counter as u8, next);
        next
    }

    /// The number that [`Tx::next_number`] would give.
    pub fn peek_number(&self, counter: Counter) -> u32 {
        // Four thousand million objects are out of reach of a 32 KiB record at a thousand records a
        // second for a century.
        self.t
            .counters
            .get(&(counter as u8))
            .copied()
            .unwrap_or(0)
            .saturating_add(1)
    }

    /// The working calendar of the charter in force.
    pub fn calendar(&self) -> Calendar {
        let offset_minutes = self.charter().map_or(480, |charter| charter.offset_minutes);
        Calendar {
            offset_minutes,
            ..Calendar::default()
        }
    }

    /// The end of a deadline, ballot or offer of this length that begins now (RULINGS R12).
    pub fn deadline(&self, period: Period) -> u64 {
        self.calendar().deadline(self.now, period)
    }

    /// The end of a delay of this length that begins now: not moved to a working day.
    pub fn delay(&self, period: Period) -> u64 {
        self.calendar().delay(self.now, period)
    }

    /// `days` times 24 hours before now, not below zero.
    pub fn days_ago(&self, days: u64) -> u64 {
        self.now.saturating_sub(days.saturating_mul(DAY_MS))
    }
}

/// Applies one record at (height, now). On refusal the tables are as before.
pub fn apply_record(
    tables: &mut StateTables,
    chain: Hash,
    height: u64,
    now: u64,
    record: &Record,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    apply_signed(
        tables,
        chain,
        height,
        now,
        record,
        &SignedBytes::of(record),
        verifier,
    )
}

/// [`apply_record`] with the record's signed bytes at hand.
pub fn apply_signed(
    tables: &mut StateTables,
    chain: Hash,
    height: u64,
    now: u64,
    record: &Record,
    signed: &SignedBytes,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    let mut tx = Tx {
        t: tables,
        now,
        height,
        chain,
        record: signed.id,
        events: Vec::new(),
    };
    let outcome = match judge(&mut tx, record, &signed.message, verifier) {
        Ok(outcome) => outcome,
        Err(refusal) => {
            tables.drop_record();
            return Err(refusal);
        }
    };
    tables.keep_record();
    Ok(outcome)
}

fn judge(
    tx: &mut Tx,
    record: &Record,
    message: &[u8],
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    if let Err(error) = record.check() {
        refuse!("A6.malformed", why = error);
    }
    let actor = authority::admit(tx, record, message, verifier)?;
    let founding = tx.facts().founders_missing > 0;
    let is_found = matches!(
        record.payload.body,
        Body::Organisation(crate::record::OrganisationAct::Found)
    );
    require!(
        !founding || is_found,
        "A2.not-founded",
        missing = tx.facts().founders_missing
    );
    let (since, in_force) = (record.payload.body.since(), tx.protocol());
    require!(
        since <= in_force,
        "A18.not-in-force",
        since = since,
        in_force = in_force
    );
    dispatch(tx, &actor, &record.payload.body, verifier)
}

fn dispatch(
    tx: &mut Tx,
    actor: &Actor,
    body: &Body,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    match body {
        Body::Organisation(act) => crate::identity::registration::apply(tx, actor, act, verifier),
        Body::Membership(act) => crate::membership::apply(tx, actor, act),
        Body::Motion(act) => crate::motion::apply(tx, actor, act),
        Body::Fund(act) => crate::funding::apply_fund(tx, actor, act),
        Body::Call(act) => crate::funding::apply_call(tx, actor, act),
        Body::Award(act) => crate::funding::agreement::apply(tx, actor, act),
        Body::Payment(act) => crate::funding::payment::apply(tx, actor, act),
        Body::Node(act) => crate::validators::apply(tx, actor, act, verifier),
        Body::Charter(act) => crate::orders::apply(tx, actor, act),
    }
}

/// Bytes of the outcomes of a block's records, in order, as they enter the work digest.
pub fn outcome_bytes(outcomes: &[(Hash, Outcome)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(outcomes.len() * 40);
    for outcome in outcomes {
        bytes.extend_from_slice(&encode(outcome));
    }
    bytes
}
