//! Nodes and validator seats (M40; RULINGS A3, A17).
//!
//! * A node is registered by a node operator of a live member, becomes a candidate by `Ready`, a
//!   validator by a handover.
//! * Seats: at most `validator_seats`, one per group of related companies, in the order of `Ready`.
//! * Membership changes at once; validator power changes only by a handover, at most one per
//!   `handover_blocks`, at most f seats each. A handover that would leave fewer than four seats, or
//!   fewer validators seen alive than the new quorum, is not made: the seat is marked leaving and
//!   goes with the next handover that can.
//! * Seen alive = signer in one of the last `alive_blocks` parent certificates in the chain.

use std::collections::BTreeSet;

use rollbook_proof::chain::{Certificate, quorum};
use rollbook_proof::number::{EpochId, Height, OrganisationId};

use crate::id::GroupId;
use crate::identity::Role;
use crate::identity::possession::Possession;
use crate::lookup::{groups, rights};
use crate::object::node::{NodeFacts, NodeStatus};
use crate::record::{NodeAct, NodeKeys};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::network::protocol;
use crate::rules::registration::claim_key;
use crate::state::StateTables;
use crate::tx::{Tx, Verify};
use crate::word::Fact;
use crate::{refuse, require};

/// Applies an act on nodes.
pub fn apply(
    tx: &mut Tx,
    actor: &Actor,
    act: &NodeAct,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::NodeOperator)?;
    let number = actor.number();
    match act {
        NodeAct::Register(keys) => {
            require!(
                rights::is_live(&tx.t, number),
                "M40.not-a-member",
                organisation = number
            );
            if let Some(node) = tx.t.nodes.get(&number) {
                require!(
                    node.status == NodeStatus::Gone,
                    "M40.already-registered",
                    organisation = number
                );
            }
            // What the node before this one knew says nothing of this one.
            tx.t.protocol_support().remove(number);
            let possession = keys.possession(Some(&tx.chain), number);
            enter(tx, number, keys, &possession, verifier)?;
        }
        NodeAct::Ready => {
            require!(
                rights::is_live(&tx.t, number),
                "M40.not-a-member",
                organisation = number
            );
            let mut node = node_of(tx, number)?;
            require!(
                node.status == NodeStatus::Registered,
                "M40.not-waiting",
                node = number,
                status = node.status
            );
            let mut facts = tx.facts();
            facts.ready_count = facts.ready_count.saturating_add(1);
            node.ready = facts.ready_count;
            tx.go(&mut node, "M40", NodeStatus::Candidate)?;
            tx.put_facts(facts);
            tx.t.nodes().put(number, node);
        }
        NodeAct::Support { protocol } => protocol::announce(tx, number, *protocol)?,
        NodeAct::Leave => {
            let mut node = node_of(tx, number)?;
            let to = match node.status {
                NodeStatus::Registered | NodeStatus::Candidate => NodeStatus::Gone,
                NodeStatus::Validator => NodeStatus::Leaving,
                NodeStatus::Leaving | NodeStatus::Gone => {
                    refuse!("M40.already-leaving", organisation = number)
                }
            };
            tx.go(&mut node, "M40", to)?;
            tx.t.nodes().put(number, node);
        }
    }
    Ok(Outcome::Applied)
}

fn node_of(tx: &Tx, organisation: OrganisationId) -> Result<NodeFacts, Refusal> {
    tx.t.nodes
        .get(&organisation)
        .cloned()
        .ok_or_else(|| Refusal::new("M40.no-node", vec![("organisation", organisation.fact())]))
}

/// Registers a node's four keys: as a validator in a genesis, which is height 0, else without a
/// seat. `possession` is what the keys have to prove.
pub(crate) fn enter(
    tx: &mut Tx,
    organisation: OrganisationId,
    keys: &NodeKeys,
    possession: &Possession,
    verifier: &mut dyn Verify,
) -> Result<(), Refusal> {
    for key in keys.kinds() {
        claim_key(tx, key, possession, organisation, verifier)?;
    }
    let status = match (tx.is_genesis(), tx.t.nodes.get(&organisation).cloned()) {
        (true, _) => tx.begin::<NodeFacts>(organisation, "A17", NodeStatus::Validator)?,
        (_, None) => tx.begin::<NodeFacts>(organisation, "M40", NodeStatus::Registered)?,
        (_, Some(mut before)) => {
            tx.go(&mut before, "M40", NodeStatus::Registered)?;
            before.status
        }
    };
    let node = NodeFacts {
        organisation,
        status,
        since_ms: tx.now,
        ready: 0,
        consensus: keys.consensus.0,
        cosigner: keys.cosigner.0,
        log: keys.log.0,
        transport: keys.transport.0,
        url: keys.url.clone(),
        address: keys.address.clone(),
    };
    tx.t.nodes().put(organisation, node);
    Ok(())
}

/// Notes who signed the parent's certificate.
pub(crate) fn note_alive(tx: &mut Tx, certificate: &Certificate) {
    for (validator, _) in &certificate.signatures {
        tx.t.alive().put(*validator, certificate.height);
    }
}

/// The validators of the epoch of the next block, ascending.
pub fn current(tables: &StateTables) -> Vec<OrganisationId> {
    let epoch = tables.chain.get(&0).map_or(EpochId(0), |facts| facts.epoch);
    tables
        .epochs
        .get(&epoch)
        .map(|facts| facts.validators.iter().map(|v| v.organisation).collect())
        .unwrap_or_default()
}

/// The validators of the next epoch, if the block at `height` must be a handover; computed on the
/// state before that block.
pub fn handover(tables: &StateTables, height: Height) -> Option<Vec<OrganisationId>> {
    let facts = tables.chain.get(&0)?;
    let charter = tables.parameters.get(&facts.charter)?;
    let since = height.0.checked_sub(facts.handover_height.0)?;
    if since < charter.chain.handover_blocks {
        return None;
    }
    let seats = current(tables);
    let mut budget = seats.len().saturating_sub(1) / 3;
    let alive = |organisation: &OrganisationId| {
        tables
            .alive
            .get(organisation)
            .is_some_and(|seen| seen.plus(charter.chain.alive_blocks) >= height)
    };
    // A seat must go when its node leaves or its organisation is no member any more.
    let mut next: BTreeSet<OrganisationId> = seats.iter().copied().collect();
    for seat in &seats {
        let stays = tables
            .nodes
            .get(seat)
            .is_some_and(|node| node.status == NodeStatus::Validator)
            && rights::is_live(tables, *seat);
        if stays || budget == 0 {
            continue;
        }
        let mut without = next.clone();
        without.remove(seat);
        let living = without
            .iter()
            .filter(|organisation| alive(organisation))
            .count();
        if without.len() >= 4 && living >= quorum(without.len()) {
            next = without;
            budget -= 1;
        }
    }
    let mut candidates: Vec<(u32, OrganisationId)> = tables
        .nodes
        .iter()
        .filter(|(organisation, node)| {
            node.status == NodeStatus::Candidate && rights::is_live(tables, **organisation)
        })
        .map(|(organisation, node)| (node.ready, *organisation))
        .collect();
    candidates.sort_unstable();
    let mut taken: BTreeSet<GroupId> = next
        .iter()
        .map(|organisation| groups::group_of(tables, *organisation))
        .collect();
    for (_, organisation) in candidates {
        if budget == 0 || next.len() >= charter.chain.validator_seats as usize {
            break;
        }
        let living = next.iter().filter(|seat| alive(seat)).count();
        let group = groups::group_of(tables, organisation);
        if taken.contains(&group) || living < quorum(next.len() + 1) {
            continue;
        }
        next.insert(organisation);
        taken.insert(group);
        budget -= 1;
    }
    let next: Vec<OrganisationId> = next.into_iter().collect();
    (next != seats).then_some(next)
}

/// Writes the statuses that a handover to `next` brings. Refused never: whom [`handover`] lets go
/// holds a seat, whom it takes is a candidate.
pub(crate) fn carry_out(tx: &mut Tx, next: &[OrganisationId]) -> Result<(), Refusal> {
    let before = current(&tx.t);
    let gone = before.iter().filter(|seat| !next.contains(seat));
    let new = next.iter().filter(|seat| !before.contains(seat));
    let moves = gone
        .map(|seat| (*seat, NodeStatus::Gone))
        .chain(new.map(|seat| (*seat, NodeStatus::Validator)));
    for (organisation, to) in moves.collect::<Vec<_>>() {
        let mut node = node_of(tx, organisation)?;
        tx.go(&mut node, "A17", to)?;
        tx.t.nodes().put(organisation, node);
    }
    Ok(())
}
