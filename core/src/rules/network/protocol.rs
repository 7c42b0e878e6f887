//! Rule versions (RULINGS A18): which rules a block is under, who knows the next ones, when they
//! begin.
//!
//! * The seal's `protocol` selects the rules. The versions in force stand in state, so what a seal
//!   must say is never a matter of opinion: [`at`](crate::lookup::protocol::at) a height there is one answer.
//! * A version is raised one at a time, by a passed amendment of the charter
//!   ([`MotionEffect::RaiseProtocol`]) that names version, height and release. It is refused unless
//!   a quorum of the validators has announced by record ([`NodeAct::Support`]) that their nodes
//!   know the version; asked at opening, at the close and at the effect.
//! * The rules begin at the named height, or right after the amendment took effect if the chain is
//!   past that height by then.
//! * A build that does not know the version stops before that height and names the release.
//! * Acts that a version adds are refused before it ([`Body::since`]); what a version changes asks
//!   [`Tx::protocol`]. Shipped rules are never edited: a change is a new branch beside the old, and
//!   audits carry all of them.
//!
//! Versions: 1 is the only one, edited in place until v1.0.0 (RULINGS A27). So that this way stays
//! tested, [`planted`](crate::planted) has a version 2 that never ships.
//!
//! Absent on purpose: lowering a version, skipping one, raising two at once.
//!
//! [`MotionEffect::RaiseProtocol`]: crate::record::MotionEffect::RaiseProtocol
//! [`NodeAct::Support`]: crate::record::NodeAct::Support
//! [`Body::since`]: crate::record::Body::since

use rollbook_proof::chain::quorum;
use rollbook_proof::number::{Height, OrganisationId, ProtocolVersion};

use crate::event::EventBody;
use crate::id::MotionId;
use crate::object::node::NodeStatus;
use crate::object::protocol::ProtocolFacts;
use crate::record::RaiseProtocol;
use crate::refusal::Refusal;
use crate::rules::effect::Effect;
use crate::rules::network::validators;
use crate::state::StateTables;
use crate::tx::{Due, Tx};
use crate::{refuse, require};

/// The version that is decided and has not begun at `height`, with its facts.
pub fn coming(tables: &StateTables, height: Height) -> Option<(ProtocolVersion, &ProtocolFacts)> {
    tables
        .protocols
        .iter()
        .find(|(_, facts)| facts.from_height > height)
        .map(|(version, facts)| (*version, facts))
}

/// Of the validators of the next block, those that announced support of `version`, ascending.
pub fn supporters(tables: &StateTables, version: ProtocolVersion) -> Vec<OrganisationId> {
    let announced = |organisation: &OrganisationId| {
        tables
            .protocol_support
            .get(organisation)
            .is_some_and(|known| *known >= version)
    };
    validators::current(tables)
        .into_iter()
        .filter(announced)
        .collect()
}

/// The node of `organisation` knows the rules up to `version`. A lower number than before takes an
/// announcement back.
pub(crate) fn announce(
    tx: &mut Tx,
    organisation: OrganisationId,
    version: ProtocolVersion,
) -> Result<(), Refusal> {
    let runs =
        tx.t.nodes
            .get(&organisation)
            .is_some_and(|node| node.status != NodeStatus::Gone);
    require!(runs, "M40.no-node", organisation = organisation);
    let in_force = tx.protocol();
    require!(
        version >= in_force,
        "A18.in-force-already",
        protocol = version,
        in_force = in_force
    );
    let before = tx.t.protocol_support.get(&organisation).copied();
    require!(
        before != Some(version),
        "A18.announced-already",
        protocol = version,
        organisation = organisation
    );
    tx.t.protocol_support().put(organisation, version);
    Ok(())
}

/// Whether the version can be raised now.
fn check_raise(tx: &Tx, plan: &RaiseProtocol) -> Result<(), Refusal> {
    if let Some((waiting, facts)) = coming(&tx.t, tx.height) {
        refuse!(
            "A18.raise-waiting",
            protocol = waiting,
            from_height = facts.from_height
        );
    }
    let in_force = tx.protocol();
    require!(
        plan.protocol == in_force.next(),
        "A18.not-next",
        protocol = plan.protocol,
        in_force = in_force
    );
    let (support, needed) = (
        supporters(&tx.t, plan.protocol).len(),
        quorum(validators::current(&tx.t).len()),
    );
    require!(
        support >= needed,
        "A18.too-little-support",
        protocol = plan.protocol,
        support = support,
        needed = needed
    );
    Ok(())
}

/// Fixes the height from which the version is in force.
fn raise(tx: &mut Tx, motion: MotionId, due: Due, plan: &RaiseProtocol) -> Result<(), Refusal> {
    check_raise(tx, plan)?;
    // The block that carries the amendment out is under the old rules to its end.
    let from_height = plan.from_height.max(tx.height.next());
    tx.t.protocols().put(
        plan.protocol,
        ProtocolFacts {
            from_height,
            motion,
            release: plan.release.clone(),
        },
    );
    tx.emit(
        due,
        EventBody::ProtocolRaised {
            protocol: plan.protocol,
            from_height,
            motion,
            release: plan.release.clone(),
        },
    );
    Ok(())
}

impl Effect for RaiseProtocol {
    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        // The rules are for everybody.
        Vec::new()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_raise(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        raise(tx, motion, due, self)
    }
}
