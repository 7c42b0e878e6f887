//! Nodes and validator seats (M40; RULINGS A3, A17).
//!
//! * A node is registered by a node operator of a live member, becomes a candidate by `Ready`, a
//!   validator by a handover.
//! * Seats: at most `validator_seats`, one per group of related companies, in the order of `Ready`.
//! * Membership changes at once; validator power changes only by a handover, at most one per
//!   `handover_blocks`, at most f seats each. A handover that would leave fewer than four seats, or
//!   fewer validators seen alive than the new quorum, is not made: the seat is marked leaving and
//!   goes with the next handover that can.
//! * Seen alive = signer in one of the last `alive_blocks` parent certificates in the chain, with the
//!   keys that vote now.
//! * A node moves, or gets new keys, and keeps its seat (RULINGS A53): what a policy names of it
//!   changes with a handover.
//! * When a membership ends, or two companies with seats come into one group, the seat is marked
//!   leaving.

use rollbook_proof::chain::Certificate;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{PublicKey, Signature};
use rollbook_proof::number::{EpochId, Height, OrganisationId};

use crate::identity::Role;
use crate::identity::possession::Possession;
use crate::lookup::rights;
use crate::object::node::{ComingKeys, FormerNode, NodeFacts, NodeStatus};
use crate::record::{NodeAct, NodeKeys, NodeUpdate};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::network::council::{Council, Decision};
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
            must_be_member(tx, number)?;
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
            must_be_member(tx, number)?;
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
        NodeAct::Update(change) => update(tx, number, change, verifier)?,
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

/// Moves a node or changes its keys (RULINGS A53). Address, URL and transport key are the node's at
/// once. What a policy names of a seat, its keys for votes, cosignatures and the served log, waits for
/// a handover: until then the keys before sign, and the node that has them is still let in.
fn update(
    tx: &mut Tx,
    number: OrganisationId,
    change: &NodeUpdate,
    verifier: &mut dyn Verify,
) -> Result<(), Refusal> {
    must_be_member(tx, number)?;
    let mut node = node_of(tx, number)?;
    require!(
        node.status != NodeStatus::Gone,
        "M40.no-node",
        organisation = number
    );
    let same = |new: &Option<Text<200>>| new.as_ref().is_none_or(|url| *url == node.url);
    let stays = change.kinds().next().is_none()
        && same(&change.url)
        && change
            .address
            .as_ref()
            .is_none_or(|address| *address == node.address);
    require!(!stays, "A53.nothing-new", organisation = number);
    let possession = change.possession(&tx.chain, number);
    for key in change.kinds() {
        claim_key(tx, key, &possession, number, verifier)?;
    }
    let new = |key: &Option<(PublicKey, Signature)>| key.map(|(key, _)| key);
    let signing = [&change.consensus, &change.cosigner, &change.log].map(new);
    let seated = match node.status {
        NodeStatus::Validator | NodeStatus::Leaving => true,
        NodeStatus::Registered | NodeStatus::Candidate | NodeStatus::Gone => false,
    };
    let [consensus, cosigner, log] = signing;
    if seated {
        if signing.iter().any(Option::is_some) {
            let before = node.coming;
            let or = |key: Option<PublicKey>, waiting: Option<PublicKey>, own: PublicKey| {
                key.or(waiting).unwrap_or(own)
            };
            node.coming = Some(ComingKeys {
                consensus: or(consensus, before.map(|b| b.consensus), node.consensus),
                cosigner: or(cosigner, before.map(|b| b.cosigner), node.cosigner),
                log: or(log, before.map(|b| b.log), node.log),
                since_ms: tx.now,
            });
        }
    } else {
        node.consensus = consensus.unwrap_or(node.consensus);
        node.cosigner = cosigner.unwrap_or(node.cosigner);
        node.log = log.unwrap_or(node.log);
    }
    if let Some(transport) = new(&change.transport) {
        let signs = node
            .former
            .as_ref()
            .is_some_and(|former| former.until.is_none());
        if node.coming.is_some() && !signs {
            node.former = Some(FormerNode {
                transport: node.transport,
                address: node.address.clone(),
                until: None,
            });
        }
        node.transport = transport;
    }
    if let Some(url) = &change.url {
        node.url = url.clone();
    }
    if let Some(address) = &change.address {
        node.address = address.clone();
    }
    tx.t.nodes().put(number, node);
    Ok(())
}

/// Only a member's node is registered, ready or moved.
fn must_be_member(tx: &Tx, organisation: OrganisationId) -> Result<(), Refusal> {
    require!(
        rights::is_live(&tx.t, organisation),
        "M40.not-a-member",
        organisation = organisation
    );
    Ok(())
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
        votes_from: tx.is_genesis().then_some(Height(1)),
        votes_until: None,
        coming: None,
        former: None,
    };
    tx.t.nodes().put(organisation, node);
    Ok(())
}

/// Notes who signed the parent's certificate. What was signed with keys that are over says nothing
/// of those that took over.
pub(crate) fn note_alive(tx: &mut Tx, certificate: &Certificate) {
    for (validator, _) in &certificate.signatures {
        let voted = tx.t.nodes.get(validator).is_some_and(|node| {
            let since = node.votes_from;
            node.votes_until.is_none() && since.is_some_and(|since| since <= certificate.height)
        });
        if voted {
            tx.t.alive().put(*validator, certificate.height);
        }
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

/// What the block at `height` hands over to, if it must be a handover; computed on the state before
/// that block.
pub fn handover(tables: &StateTables, height: Height) -> Option<Decision> {
    let facts = tables.chain.get(&0)?;
    let charter = tables.parameters.get(&facts.charter)?;
    let since = height.0.checked_sub(facts.handover_height.0)?;
    if since < charter.chain.handover_blocks {
        return None;
    }
    let decision = Council::of(tables, &current(tables), height)?.decide();
    decision.is_change().then_some(decision)
}

/// Writes what a handover brings. Refused never: who goes or gets new keys holds a seat, who comes is
/// a candidate.
pub(crate) fn carry_out(tx: &mut Tx, decision: &Decision) -> Result<(), Refusal> {
    let Decision {
        gone,
        renewed,
        joined,
        ..
    } = decision;
    let (last, first) = (tx.height, tx.height.next());
    for organisation in gone {
        let mut node = node_of(tx, *organisation)?;
        tx.go(&mut node, "A17", NodeStatus::Gone)?;
        node.votes_until = Some(last);
        node.coming = None;
        over(&mut node, last);
        tx.t.alive().remove(*organisation);
        tx.t.nodes().put(*organisation, node);
    }
    for organisation in renewed {
        let mut node = node_of(tx, *organisation)?;
        tx.stay(&node, "A53")?;
        if let Some(coming) = node.coming.take() {
            if coming.signs_anew(&node) {
                // Whoever signs with the new keys has not been seen yet.
                tx.t.alive().remove(*organisation);
                node.votes_from = Some(first);
            }
            node.consensus = coming.consensus;
            node.cosigner = coming.cosigner;
            node.log = coming.log;
        }
        over(&mut node, last);
        tx.t.nodes().put(*organisation, node);
    }
    for organisation in joined {
        let mut node = node_of(tx, *organisation)?;
        tx.go(&mut node, "A17", NodeStatus::Validator)?;
        node.votes_from = Some(first);
        node.votes_until = None;
        tx.t.nodes().put(*organisation, node);
    }
    Ok(())
}

/// The keys of the node before this one are over with the block at `last`.
fn over(node: &mut NodeFacts, last: Height) {
    if let Some(former) = &mut node.former
        && former.until.is_none()
    {
        former.until = Some(last);
    }
}
