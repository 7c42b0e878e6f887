//! Relations between organisations (M24; RULINGS R27, R29).
//!
//! * An organisation declares a relation of its own; the other end confirms it. What others claim,
//!   the secretariat included, has no effect here.
//! * Who declares or confirms is recused at once, with its group, from the other's matters. Voices
//!   join when both ends have, from that block on, where the kind joins voices.
//! * While somebody of the joined group would be auditor of one of its members, the joining waits.
//! * Offices are related to nobody; their officers' homes carry conflicts.
//!
//! Absent: the end of a relation, the motion by which the board says that one exists, an effective
//! day before the record, and the cure of two seats that come into one group.

use std::collections::BTreeSet;

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::identity::{GroupDeclaration, OrganisationKind, RelationKind, Role};
use crate::lookup::posts::auditor_at_home_in;
use crate::lookup::{groups, rights};
use crate::object::membership::Standing;
use crate::object::node::{NodeFacts, NodeStatus};
use crate::object::relation::{Edge, RelationStatus};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::tx::{DeadlineKind, Tx};
use crate::{refuse, require};

/// Most relations that an organisation declares.
pub const RELATIONS_MAX: usize = 64;

fn pair(one: OrganisationId, other: OrganisationId) -> (OrganisationId, OrganisationId) {
    if one < other {
        (one, other)
    } else {
        (other, one)
    }
}

/// The next number of a relation of this pair.
fn next_number(tx: &Tx, (a, b): (OrganisationId, OrganisationId)) -> u32 {
    let last = tx.t.edges.range((a, b, 0)..=(a, b, u32::MAX)).last();
    last.map_or(0, |((_, _, number), _)| *number)
        .saturating_add(1)
}

/// Writes a relation, past every rule.
pub fn write(tx: &mut Tx, edge: Edge) {
    let ((a, b), number) = (edge.ends, edge.number);
    tx.t.edges().put((a, b, number), edge);
    tx.t.edges_back().put((b, a, number), 0);
    judge_again(tx, a);
}

/// Reviews, assessments and payments under way are judged again by the clock with the new tie
/// (RULINGS R30).
fn judge_again(tx: &mut Tx, end: OrganisationId) {
    if tx.t.calls.last_key().is_some() {
        let now = tx.now;
        tx.schedule(DeadlineKind::TieRecorded, end, now);
    }
}

/// A relation as its declarer enters it. In a genesis, which every founder signs, both ends have
/// declared it.
pub(crate) fn enter(
    tx: &mut Tx,
    declarer: OrganisationId,
    relation: &GroupDeclaration,
    genesis: bool,
) -> Result<(), Refusal> {
    let other = relation.other;
    let Some(facts) = tx.t.organisations.get(&other) else {
        refuse!("M24.unknown-organisation", organisation = other)
    };
    require!(
        facts.kind != OrganisationKind::Office,
        "R27.office",
        organisation = other
    );
    require!(
        other != declarer,
        "R27.same-organisation",
        organisation = other
    );
    let same = groups::relations(&tx.t, declarer)
        .find(|(end, edge)| *end == other && edge.kind == relation.kind && edge.ended_ms.is_none());
    if let Some((_, edge)) = same {
        require!(
            edge.declared_by(declarer),
            "R27.confirm-instead",
            organisation = other
        );
        refuse!("R27.declared-already", organisation = other);
    }
    let declared = groups::relations(&tx.t, declarer)
        .filter(|(_, edge)| edge.claimed_by == declarer)
        .count();
    require!(
        declared < RELATIONS_MAX,
        "R27.too-many",
        organisation = declarer,
        limit = RELATIONS_MAX
    );
    let joined = genesis && relation.kind.joins_voices();
    let to = match (genesis, joined) {
        (false, _) => RelationStatus::Declared,
        (true, false) => RelationStatus::Confirmed,
        (true, true) => RelationStatus::Joined,
    };
    let ends = pair(declarer, other);
    let number = next_number(tx, ends);
    let key = (ends.0, ends.1, number);
    let edge = Edge {
        ends,
        number,
        kind: relation.kind,
        evidence: relation.evidence,
        claimed_ms: tx.now,
        claimed_by: declarer,
        confirmed_by: genesis.then_some(other),
        effective_ms: joined.then_some(tx.now),
        ended_ms: None,
        status: tx.begin::<Edge>(key, "M24", to)?,
        since_ms: tx.now,
    };
    write(tx, edge);
    Ok(())
}

fn by_primary(actor: &Actor) -> Result<(), Refusal> {
    require!(
        actor.organisation.kind != OrganisationKind::Office,
        "R27.office",
        organisation = actor.number()
    );
    actor.must_sign(Role::Primary).map(|_| ())
}

/// M24: an organisation declares a relation of its own.
pub(crate) fn declare(
    tx: &mut Tx,
    actor: &Actor,
    relation: &GroupDeclaration,
) -> Result<Outcome, Refusal> {
    by_primary(actor)?;
    enter(tx, actor.number(), relation, false)?;
    Ok(Outcome::Applied)
}

/// R27: the other end confirms.
pub(crate) fn confirm(
    tx: &mut Tx,
    actor: &Actor,
    other: OrganisationId,
    number: u32,
) -> Result<Outcome, Refusal> {
    by_primary(actor)?;
    let (a, b) = pair(actor.number(), other);
    let key = (a, b, number);
    let Some(mut edge) = tx.t.edges.get(&key).cloned() else {
        refuse!(
            "R27.unknown-relation",
            organisation = other,
            number = number
        )
    };
    require!(
        edge.status == RelationStatus::Declared && edge.claimed_by == other,
        "R27.nothing-to-confirm",
        organisation = other,
        number = number
    );
    edge.confirmed_by = Some(actor.number());
    let to = if !edge.kind.joins_voices() {
        RelationStatus::Confirmed
    } else if must_wait(tx, a, b) {
        RelationStatus::Waiting
    } else {
        RelationStatus::Joined
    };
    settle(tx, key, edge, to)?;
    Ok(Outcome::Applied)
}

fn settle(
    tx: &mut Tx,
    key: (OrganisationId, OrganisationId, u32),
    mut edge: Edge,
    to: RelationStatus,
) -> Result<(), Refusal> {
    tx.go(&mut edge, "R27", to)?;
    if to == RelationStatus::Joined {
        edge.effective_ms = Some(tx.now);
    }
    tx.t.edges().put(key, edge);
    judge_again(tx, key.0);
    if to == RelationStatus::Joined {
        later_validator_leaves(tx, key.0)?;
    }
    Ok(())
}

/// M21: a company was merged into another; the two are one group. The extract of the register is the
/// evidence.
pub(crate) fn merge(
    tx: &mut Tx,
    merged: OrganisationId,
    successor: OrganisationId,
    evidence: Hash,
) -> Result<(), Refusal> {
    if groups::related(&tx.t, merged, successor) {
        return Ok(());
    }
    let ends = pair(merged, successor);
    let key = (ends.0, ends.1, next_number(tx, ends));
    let to = match must_wait(tx, ends.0, ends.1) {
        true => RelationStatus::Waiting,
        false => RelationStatus::Joined,
    };
    let joined = to == RelationStatus::Joined;
    let edge = Edge {
        ends,
        number: key.2,
        kind: RelationKind::Control,
        evidence,
        claimed_ms: tx.now,
        claimed_by: successor,
        confirmed_by: None,
        effective_ms: joined.then_some(tx.now),
        ended_ms: None,
        status: tx.begin::<Edge>(key, "M21", to)?,
        since_ms: tx.now,
    };
    write(tx, edge);
    match joined {
        true => later_validator_leaves(tx, merged),
        false => Ok(()),
    }
}

/// Of the validator seats of a group that has grown the earliest stays; the others are marked leaving
/// (RULINGS R27, A17).
fn later_validator_leaves(tx: &mut Tx, organisation: OrganisationId) -> Result<(), Refusal> {
    let group = groups::members(&tx.t, organisation);
    let mut seats: Vec<(u32, NodeFacts)> = group
        .iter()
        .filter_map(|member| tx.t.nodes.get(member))
        .filter(|node| node.status == NodeStatus::Validator)
        .map(|node| (node.ready, node.clone()))
        .collect();
    seats.sort_by_key(|(ready, node)| (*ready, node.organisation));
    for (_, mut node) in seats.into_iter().skip(1) {
        tx.go(&mut node, "R27", NodeStatus::Leaving)?;
        tx.t.nodes().put(node.organisation, node);
    }
    Ok(())
}

/// Whether the auditor would come from the group of a member (RULINGS R29).
fn must_wait(tx: &Tx, a: OrganisationId, b: OrganisationId) -> bool {
    let mut group = groups::members(&tx.t, a);
    group.extend(groups::members(&tx.t, b));
    auditor_at_home_in(&tx.t, &group).is_some() && group.iter().any(|end| is_member(tx, *end))
}

fn is_member(tx: &Tx, organisation: OrganisationId) -> bool {
    rights::of(&tx.t, organisation).is_some_and(|membership| {
        matches!(membership.standing, Standing::Founding | Standing::Live(_))
    })
}

/// Whether somebody at home in `home` is of a member's group, or would be by what that home says of
/// itself.
pub(crate) fn belongs_to_a_member(tx: &Tx, home: OrganisationId) -> bool {
    let group = groups::members(&tx.t, home);
    let mut said = group.clone();
    for end in &group {
        let own = groups::relations(&tx.t, *end)
            .filter(|(_, edge)| edge.kind.joins_voices() && edge.declared_by(*end));
        said.extend(own.map(|(other, _)| other).collect::<BTreeSet<_>>());
    }
    said.into_iter().any(|end| is_member(tx, end))
}

/// An auditor's post has ended: what waited for it joins.
pub(crate) fn join_waiting(tx: &mut Tx) -> Result<(), Refusal> {
    let waiting: Vec<_> =
        tx.t.edges
            .iter()
            .filter(|(_, edge)| edge.status == RelationStatus::Waiting)
            .map(|(key, edge)| (*key, edge.clone()))
            .collect();
    for (key, edge) in waiting {
        if !must_wait(tx, key.0, key.1) {
            settle(tx, key, edge, RelationStatus::Joined)?;
        }
    }
    Ok(())
}
