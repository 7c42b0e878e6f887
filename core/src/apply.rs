//! `apply`: the rules as one entry point. A record in, an outcome or a refusal out; a due deadline
//! in, an event out.
//!
//! * Two refusals (RULINGS A4): *inadmissible* ([`Refusal`]) is never in a block; *recorded without
//!   effect* ([`Outcome::NotCounted`]) is in the log and changes nothing but what its rule says.
//! * Every change by the clock is an [`Event`](crate::event::Event), derived here, a leaf of its own.
//! * Order of effect in a block: due clock events by (due time, kind, object), then evidence, then
//!   records (RULINGS A19).
//!
//! Absent on purpose: clocks, randomness, anything a node decides for itself.

use rollbook_proof::codec::{Wire, encode};
use rollbook_proof::crypto::Hash;

use crate::record::{Body, CharterAct, OrganisationAct, Record, SignedBytes};
use crate::refusal::{Outcome, Refusal};
use crate::rules::affairs::{calendar, corrections};
use crate::rules::authority::Actor;
use crate::rules::{
    amendment, authority, funding, growth, membership, motion, network, orders, people,
};
use crate::state::StateTables;
use crate::tx::{BlockContext, Tx, Verify};
use crate::{refuse, require};

mod deadlines;
mod effects;

pub use deadlines::{EVENTS_MAX, lengthen, next_deadline, run_due};

/// Applies one record in a block. On refusal the tables are as before.
pub fn apply_record(
    tables: &mut StateTables,
    block: BlockContext,
    record: &Record,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    apply_signed(tables, block, record, &SignedBytes::of(record), verifier)
}

/// [`apply_record`] with the record's signed bytes at hand.
pub fn apply_signed(
    tables: &mut StateTables,
    block: BlockContext,
    record: &Record,
    signed: &SignedBytes,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    let mut tx = Tx::of_record(tables, block, signed.id);
    let outcome = judge(&mut tx, record, signed, verifier);
    match outcome {
        Ok(_) => tx.keep(),
        Err(_) => tx.drop_writes(),
    }
    outcome
}

fn judge(
    tx: &mut Tx,
    record: &Record,
    signed: &SignedBytes,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    if let Err(error) = record.check() {
        refuse!("A6.malformed", why = error);
    }
    let actor = authority::admit(tx, record, &signed.message, verifier)?;
    let founding = tx.facts().founders_missing > 0;
    let is_found = matches!(
        record.payload.body,
        Body::Organisation(OrganisationAct::Found)
    );
    require!(
        !founding || is_found,
        "A2.not-founded",
        missing = tx.facts().founders_missing
    );
    let (since, in_force) = (record.since(), tx.protocol());
    require!(
        since <= in_force,
        "A18.not-in-force",
        since = since,
        in_force = in_force
    );
    growth::count(tx, &actor, record, signed.leaf_length(record))?;
    dispatch(tx, &actor, &record.payload.body, verifier)
}

fn dispatch(
    tx: &mut Tx,
    actor: &Actor,
    body: &Body,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    match body {
        Body::Organisation(act) => people::apply(tx, actor, act, verifier),
        Body::Membership(act) => membership::apply(tx, actor, act),
        Body::Motion(act) => motion::apply(tx, actor, act),
        Body::Fund(act) => funding::apply_fund(tx, actor, act),
        Body::Call(act) => funding::apply_call(tx, actor, act),
        Body::Award(act) => funding::apply_award(tx, actor, act),
        Body::Payment(act) => funding::payment::apply(tx, actor, act),
        Body::Node(act) => network::validators::apply(tx, actor, act, verifier),
        Body::Charter(CharterAct::FileOrder(order)) => orders::file(tx, actor, order),
        Body::Charter(CharterAct::Deposit(draft)) => amendment::deposit(tx, actor, draft),
        Body::Charter(CharterAct::SetCalendar(plan)) => calendar::file(tx, actor, plan),
        Body::Charter(CharterAct::ConfirmCalendar { calendar: number }) => {
            calendar::confirm(tx, actor, *number)
        }
        Body::Charter(CharterAct::Correct(entry)) => corrections::file(tx, actor, entry),
        Body::Charter(CharterAct::ConfirmCorrection { correction }) => {
            corrections::judge(tx, actor, *correction, None)
        }
        Body::Charter(CharterAct::DeclineCorrection {
            correction,
            reasons,
        }) => corrections::judge(tx, actor, *correction, Some(*reasons)),
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
