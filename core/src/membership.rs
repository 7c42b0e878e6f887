//! Membership: the member state machine in three parts (domain 1.3, RULINGS R5).
//!
//! A live membership has three independent parts: dues, discipline, exit. Rights are the intersection of the rows of domain
//! 1.4; the state shown is the strictest part. A membership is a record of its own on every admission, never reopened.

use bincode::{Decode, Encode};

use crate::apply::{Counter, Outcome, Refusal, Tx};
use crate::charter::Class;
use crate::identity::Role;
use crate::identity::authority::Actor;
use crate::state::StateTables;
use crate::{refuse, require};

/// Where a membership stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub enum Standing {
    /// Named in the genesis; waits for every founder's `Found`.
    Founding,
    /// A member, in three parts.
    Live(Live),
}

/// The three parts of a live membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Live {
    /// Dues.
    pub dues: Dues,
    /// Discipline.
    pub discipline: Discipline,
    /// Exit.
    pub exit: Exit,
}

/// M10 to M13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub enum Dues {
    /// Nothing due.
    Good,
}

/// M14 to M17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub enum Discipline {
    /// Nothing.
    None,
}

/// M18 to M20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub enum Exit {
    /// Nothing.
    None,
}

impl Live {
    /// A member in good standing.
    pub const GOOD: Live = Live { dues: Dues::Good, discipline: Discipline::None, exit: Exit::None };
}

/// A membership (proved).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Membership {
    /// Its number.
    pub number: u32,
    /// The organisation.
    pub organisation: u32,
    /// Class applied for or held.
    pub class: Class,
    /// Where it stands.
    pub standing: Standing,
    /// Ledger time since which it stands there.
    pub since_ms: u64,
    /// Ledger time of activation.
    pub active_ms: Option<u64>,
}

/// The newest membership of an organisation.
pub fn of(tables: &StateTables, organisation: u32) -> Option<&Membership> {
    let number = tables.organisations.get(&organisation)?.membership?;
    tables.memberships.get(&number)
}

/// Whether the organisation is a member now, in whatever standing.
pub fn is_live(tables: &StateTables, organisation: u32) -> bool {
    of(tables, organisation).is_some_and(|membership| matches!(membership.standing, Standing::Live(_)))
}

/// Creates the membership of a founding organisation at genesis.
pub(crate) fn enter_founder(tx: &mut Tx, organisation: u32) -> Result<(), Refusal> {
    let number = tx.next_number(Counter::Membership);
    let membership = Membership {
        number,
        organisation,
        class: Class::Founding,
        standing: Standing::Founding,
        since_ms: tx.now,
        active_ms: None,
    };
    tx.t.memberships.put(number, membership);
    let mut entry = tx.organisation(organisation)?.clone();
    entry.membership = Some(number);
    tx.t.organisations.put(organisation, entry);
    let mut facts = tx.facts();
    facts.founders_missing += 1;
    tx.put_facts(facts);
    tx.t.founders.put(organisation, 0);
    Ok(())
}

/// M25: a founding organisation signs. With the last signature every founder is a member.
pub(crate) fn found(tx: &mut Tx, actor: &Actor) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    match tx.t.founders.get(&actor.number()) {
        None => refuse!("M25.not-a-founder", organisation = actor.number()),
        Some(signed) => require!(*signed == 0, "M25.already-signed", organisation = actor.number()),
    }
    tx.t.founders.put(actor.number(), 1);
    let mut facts = tx.facts();
    facts.founders_missing = facts.founders_missing.saturating_sub(1);
    let complete = facts.founders_missing == 0;
    tx.put_facts(facts);
    if complete {
        let waiting: Vec<Membership> =
            tx.t.memberships.iter().filter(|(_, m)| m.standing == Standing::Founding).map(|(_, m)| m.clone()).collect();
        for mut membership in waiting {
            membership.standing = Standing::Live(Live::GOOD);
            membership.since_ms = tx.now;
            membership.active_ms = Some(tx.now);
            tx.t.memberships.put(membership.number, membership);
        }
    }
    Ok(Outcome::Applied)
}
