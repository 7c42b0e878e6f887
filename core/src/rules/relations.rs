//! Relations between organisations (M24; RULINGS R27, R29).
//!
//! * An organisation declares a relation of its own; the other end confirms it. What others claim,
//!   the secretariat included, does nothing by itself: it is a notice to both ends (`claims`), and the board
//!   may find that it is so (`board`).
//! * Who declares or confirms is recused at once, with its group, from the other's matters. Voices
//!   join when both ends have, from that block on, where the kind joins voices.
//! * While somebody of the joined group would be auditor of one of its members, the joining waits.
//! * Offices are related to nobody; their officers' homes carry conflicts.
//!
//! * It ends with evidence that the secretariat has checked (`ending`). A conflict in a matter that was
//!   open before stays (R31).
//! * Of two seats of the board, or of validators, that come into one group the later goes: the first after
//!   the charter's days ([`seats`]), the other with a handover.

use std::collections::BTreeSet;

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::id::RelationId;
use crate::identity::{GroupDeclaration, OrganisationKind, RelationKind, Role};
use crate::lookup::posts::auditor_at_home_in;
use crate::lookup::{groups, rights};
use crate::object::matter::Matter;
use crate::object::membership::Standing;
use crate::object::node::{NodeFacts, NodeStatus};
use crate::object::relation::{Edge, RelationStatus};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::seats;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

mod board;
mod claims;
mod ending;

pub(crate) use board::{appeal, note_appeal};
pub(crate) use claims::{claim, reply, withdraw};
pub(crate) use ending::{ask_end, confirm_end, decline_end};

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
pub fn write(tx: &mut Tx, mut edge: Edge) {
    let ((a, b), number) = (edge.ends, edge.number);
    edge.id = tx.next_id::<RelationId>();
    let (id, now) = (edge.id, tx.now);
    tx.t.relation_ids().put(id, (a, b, number));
    tx.t.matters().put(Matter::Relation(id), now);
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
        .find(|(end, edge)| *end == other && edge.kind == relation.kind && is_open(edge));
    if let Some((_, edge)) = same {
        require!(
            edge.said_by(declarer),
            "R27.confirm-instead",
            organisation = other
        );
        refuse!("R27.declared-already", organisation = other);
    }
    let declared = groups::relations(&tx.t, declarer)
        .filter(|(_, edge)| edge.claimed_by == declarer && is_open(edge))
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
    let key = (ends.0, ends.1, next_number(tx, ends));
    let status = tx.begin::<Edge>(key, "M24", to)?;
    let (kind, evidence) = (relation.kind, relation.evidence);
    let mut edge = Edge::begun(ends, kind, evidence, declarer, tx.now, status);
    edge.number = key.2;
    if genesis {
        edge.said_ms = (Some(tx.now), Some(tx.now));
    }
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
    let waits = matches!(
        edge.status,
        RelationStatus::Declared | RelationStatus::Claimed
    );
    require!(
        waits && !says(&edge, actor.number()),
        "R27.nothing-to-confirm",
        organisation = other,
        number = number
    );
    let now = Some(tx.now);
    if actor.number() == a {
        edge.said_ms.0 = now;
    } else {
        edge.said_ms.1 = now;
    }
    if edge.status == RelationStatus::Claimed {
        claims::settled(tx, &edge);
    }
    let to = if edge.said_ms.0.is_none() || edge.said_ms.1.is_none() {
        RelationStatus::Declared
    } else {
        agreed(tx, &edge)
    };
    settle(tx, key, edge, "R27", to)?;
    Ok(Outcome::Applied)
}

/// Whether an end has said it.
fn says(edge: &Edge, end: OrganisationId) -> bool {
    end == edge.ends.0 && edge.said_ms.0.is_some() || end == edge.ends.1 && edge.said_ms.1.is_some()
}

/// Whether it is in force, or may still come to be.
fn is_open(edge: &Edge) -> bool {
    edge.is_in_force() || edge.status == RelationStatus::Claimed
}

/// Where a relation stands that both ends have said, or the board.
fn agreed(tx: &Tx, edge: &Edge) -> RelationStatus {
    if !edge.kind.joins_voices() {
        RelationStatus::Confirmed
    } else if must_wait(tx, edge.ends.0, edge.ends.1) {
        RelationStatus::Waiting
    } else {
        RelationStatus::Joined
    }
}

/// The relation of this number. Refused with `R27.no-such-relation`.
fn known(tx: &Tx, relation: RelationId) -> Result<Edge, Refusal> {
    let key = tx.t.relation_ids.get(&relation);
    match key.and_then(|key| tx.t.edges.get(key)) {
        Some(edge) => Ok(edge.clone()),
        None => refuse!("R27.no-such-relation", relation = relation),
    }
}

fn put(tx: &mut Tx, edge: Edge) {
    let key = (edge.ends.0, edge.ends.1, edge.number);
    tx.t.edges().put(key, edge);
}

fn settle(
    tx: &mut Tx,
    key: (OrganisationId, OrganisationId, u32),
    mut edge: Edge,
    code: &'static str,
    to: RelationStatus,
) -> Result<(), Refusal> {
    tx.go(&mut edge, code, to)?;
    let joins = to == RelationStatus::Joined;
    if joins && edge.effective_ms.is_none() {
        edge.effective_ms = Some(tx.now);
    }
    if joins {
        board::set_earlier(tx, &mut edge);
    }
    tx.t.edges().put(key, edge);
    judge_again(tx, key.0);
    if joins {
        joined(tx, key.0)?;
    }
    Ok(())
}

/// A group has grown: of two seats in it the later goes.
fn joined(tx: &mut Tx, organisation: OrganisationId) -> Result<(), Refusal> {
    seats::begin_cure(tx, organisation)?;
    later_validator_leaves(tx, organisation)
}

/// Acts out a deadline of a relation.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    relation: RelationId,
    due: Due,
) -> Result<(), Refusal> {
    let edge = known(tx, relation)?;
    match (kind, edge.status) {
        (DeadlineKind::RelationLapse, RelationStatus::Claimed) => claims::lapse(tx, edge, due),
        (DeadlineKind::RelationEnd, RelationStatus::Ending) => ending::over(tx, edge, due),
        _ => Ok(()),
    }
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
    let status = tx.begin::<Edge>(key, "M21", to)?;
    let kind = RelationKind::Control;
    let mut edge = Edge::begun(ends, kind, evidence, successor, tx.now, status);
    edge.number = key.2;
    write(tx, edge);
    match to {
        RelationStatus::Joined => joined(tx, merged),
        _ => Ok(()),
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
            .filter(|(_, edge)| edge.kind.joins_voices() && edge.said_by(*end));
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
            settle(tx, key, edge, "R27", RelationStatus::Joined)?;
        }
    }
    Ok(())
}
