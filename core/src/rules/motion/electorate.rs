//! Who votes on a motion: the frozen electorate, its voices, and who is recused (domain 1.6, 1.8;
//! RULINGS R1, R7).

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::{Frontier, leaf_hash};
use rollbook_proof::number::OrganisationId;

use crate::charter::motions::{DecidingBody, MotionKind, MotionRule};
use crate::id::{CharterVersion, GroupId, Id, MotionId};
use crate::lookup::{groups, rights, seats};
use crate::object::motion::{Cast, Motion, MotionStatus, Question};
use crate::record::{BallotVote, Choice, ConflictKind, MotionEffect};
use crate::refusal::Refusal;
use crate::rules::effect::Planned;
use crate::state::StateTables;
use crate::tally::Counts;
use crate::tx::Tx;

/// Whether the organisation may vote on such a motion now: a live membership of a class with a vote,
/// whose standing lets it vote on the kind, and the seat.
pub fn entitled(tables: &StateTables, question: Question, organisation: OrganisationId) -> bool {
    let rights = rights::rights_under(tables, organisation, question.charter);
    if !rights::standing_votes_on(tables, organisation, question.kind) {
        return false;
    }
    match question.body {
        DecidingBody::Assembly => rights.assembly_vote,
        DecidingBody::Board => {
            rights.board_vote && seats::holders(tables).any(|holder| holder == organisation)
        }
        DecidingBody::Committee(fund) => {
            // A class without votes sits on no committee (R32).
            rights.assembly_vote
                // Whose term ended goes on until the board has named the next committee (R28).
                && tables.committee_seats.contains(&(fund, organisation))
        }
        // Working groups are not part of this build.
        DecidingBody::WorkingGroup(_) => false,
    }
}

/// Every organisation that may vote in a body now, with its group; ascending by organisation.
pub fn electorate_now(
    tables: &StateTables,
    question: Question,
) -> BTreeMap<OrganisationId, GroupId> {
    let candidates: Vec<OrganisationId> = match question.body {
        DecidingBody::Assembly => tables
            .memberships
            .iter()
            .map(|(_, membership)| membership.organisation)
            .collect(),
        DecidingBody::Board => seats::holders(tables).collect(),
        DecidingBody::Committee(fund) => tables
            .committee_seats
            .range((fund, Id::MIN)..=(fund, Id::MAX))
            .map(|((_, organisation), _)| *organisation)
            .collect(),
        DecidingBody::WorkingGroup(_) => Vec::new(),
    };
    let members: BTreeSet<OrganisationId> = candidates
        .into_iter()
        .filter(|o| entitled(tables, question, *o))
        .collect();
    let group = groups::partition(tables, members.iter().copied());
    members
        .into_iter()
        .map(|organisation| {
            (
                organisation,
                group
                    .get(&organisation)
                    .copied()
                    .unwrap_or(GroupId(organisation)),
            )
        })
        .collect()
}

/// The newest round of ballots on a motion.
fn round(tables: &StateTables, motion: MotionId) -> u32 {
    tables.motions.get(&motion).map_or(0, |motion| motion.round)
}

/// The frozen electorate of a motion's newest round: organisation to group.
pub fn electorate(tables: &StateTables, motion: MotionId) -> BTreeMap<OrganisationId, GroupId> {
    electorate_of(tables, motion, round(tables, motion))
}

/// The frozen electorate of a round.
pub fn electorate_of(
    tables: &StateTables,
    motion: MotionId,
    round: u32,
) -> BTreeMap<OrganisationId, GroupId> {
    tables
        .electorates
        .range((motion, round, Id::MIN)..=(motion, round, Id::MAX))
        .map(|((_, _, o), group)| (*o, *group))
        .collect()
}

/// The counted ballots of a motion's newest round so far, by group. Which of them are recused is
/// settled by [`recused`].
pub fn ballots(tables: &StateTables, motion: MotionId) -> BTreeMap<GroupId, Cast> {
    ballots_of(tables, motion, round(tables, motion))
}

/// The counted ballots of a round.
pub fn ballots_of(tables: &StateTables, motion: MotionId, round: u32) -> BTreeMap<GroupId, Cast> {
    tables
        .ballots
        .range((motion, round, Id::MIN)..=(motion, round, Id::MAX))
        .map(|((_, _, group), cast)| (*group, cast.clone()))
        .collect()
}

/// Why an organisation has no voice in a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// It, or another of its group, is the party.
    Party {
        /// The party.
        party: OrganisationId,
    },
    /// It, or another of its group, has declared or confirmed a relation with the party (RULINGS R27).
    Related {
        /// The party.
        party: OrganisationId,
    },
    /// It, or another of its group, has declared a conflict in the matter (RULINGS R31).
    Declared {
        /// Who declared it.
        by: OrganisationId,
        /// Which.
        kind: ConflictKind,
    },
}

/// Organisations that have a conflict in the matter now, and why: the groups of the parties and of
/// those that declared a relation with them, and of those who declared one on whichever motion of the
/// matter (RULINGS R31). One ground stands for several.
fn grounds(tx: &Tx, motion: MotionId, effect: &MotionEffect) -> BTreeMap<OrganisationId, Ground> {
    let mut found = BTreeMap::new();
    let matter = effect.plan().matter(tx, motion);
    // A conflict that ended since the matter opened holds in it.
    let since = tx.t.matters.get(&matter).copied().unwrap_or(tx.now);
    for party in effect.plan().interested(tx) {
        let own = groups::members_since(&tx.t, party, since);
        for organisation in groups::recused_since(&tx.t, party, since) {
            let ground = if own.contains(&organisation) {
                Ground::Party { party }
            } else {
                Ground::Related { party }
            };
            found.entry(organisation).or_insert(ground);
        }
    }
    let declared = tx.t.conflicts.range((matter, Id::MIN)..=(matter, Id::MAX));
    for ((_, by), kind) in declared {
        for organisation in groups::members_since(&tx.t, *by, since) {
            let ground = Ground::Declared {
                by: *by,
                kind: *kind,
            };
            found.entry(organisation).or_insert(ground);
        }
    }
    found
}

/// Why organisations have no voice in the matter of a motion, as of now.
pub fn recusals(tx: &Tx, motion: &Motion) -> BTreeMap<OrganisationId, Ground> {
    grounds(tx, motion.number, &motion.effect)
}

/// Organisations that have a conflict in the matter now.
pub(super) fn conflicted(
    tx: &Tx,
    motion: MotionId,
    effect: &MotionEffect,
) -> BTreeSet<OrganisationId> {
    grounds(tx, motion, effect).into_keys().collect()
}

/// The voices of `electorate` that may not decide this matter now.
pub(super) fn recused_of(
    tx: &Tx,
    motion: MotionId,
    effect: &MotionEffect,
    electorate: &BTreeMap<OrganisationId, GroupId>,
) -> BTreeSet<GroupId> {
    let conflicted = conflicted(tx, motion, effect);
    electorate
        .iter()
        .filter(|(organisation, _)| conflicted.contains(organisation))
        .map(|(_, group)| *group)
        .collect()
}

/// The recused voices (groups) of a motion: as of now (RULINGS R1: recomputed until the close); as they
/// were at the close while what was sealed is opened.
pub fn recused(tx: &Tx, motion: &Motion) -> BTreeSet<GroupId> {
    if motion.status == MotionStatus::Revealing {
        return recused_at_close(&tx.t, motion);
    }
    recused_of(
        tx,
        motion.number,
        &motion.effect,
        &electorate_of(&tx.t, motion.number, motion.round),
    )
}

/// The voices that were recused when the ballots of the newest round ended.
pub fn recused_at_close(tables: &StateTables, motion: &Motion) -> BTreeSet<GroupId> {
    tables
        .recused_at_close
        .range((motion.number, motion.round, Id::MIN)..=(motion.number, motion.round, Id::MAX))
        .map(|((_, _, group), _)| *group)
        .collect()
}

/// Whether one voice is among [`recused`], without the others.
pub(super) fn is_recused(tx: &Tx, motion: &Motion, group: GroupId) -> bool {
    let of_group = |organisation: &OrganisationId| {
        let key = (motion.number, motion.round, *organisation);
        tx.t.electorates.get(&key) == Some(&group)
    };
    conflicted(tx, motion.number, &motion.effect)
        .iter()
        .any(of_group)
}

/// What the ballots come to as of now.
pub fn count(tx: &Tx, motion: &Motion) -> Counts {
    let voices: BTreeSet<GroupId> = electorate_of(&tx.t, motion.number, motion.round)
        .into_values()
        .collect();
    let recused = recused(tx, motion);
    let size = |set: &BTreeSet<GroupId>| u32::try_from(set.len()).unwrap_or(u32::MAX);
    let mut counts = Counts {
        electorate: size(&voices),
        recused: size(&recused),
        ..Counts::default()
    };
    for (group, cast) in ballots_of(&tx.t, motion.number, motion.round) {
        if !voices.contains(&group) || recused.contains(&group) {
            continue;
        }
        match cast.vote {
            BallotVote::Choice(Choice::Yes) | BallotVote::Names(_) => counts.yes += 1,
            BallotVote::Choice(Choice::No) => counts.no += 1,
            // What is not opened took part and decides nothing (RULINGS R31).
            BallotVote::Choice(Choice::Abstain) | BallotVote::Sealed(_) => counts.abstain += 1,
        }
    }
    counts
}

pub(super) fn digest(electorate: &BTreeMap<OrganisationId, GroupId>) -> Hash {
    let mut tree = Frontier::new();
    for (organisation, group) in electorate {
        tree.append(leaf_hash(&encode(&(*organisation, *group))));
    }
    tree.root()
}

/// The lowest body, from `body` upwards, with enough unrelated voices (RULINGS R7), its rule and
/// its electorate.
pub(super) fn seat(
    tx: &Tx,
    number: MotionId,
    kind: MotionKind,
    effect: &MotionEffect,
    version: CharterVersion,
    mut body: DecidingBody,
    mut rule: MotionRule,
) -> Result<(DecidingBody, MotionRule, BTreeMap<OrganisationId, GroupId>), Refusal> {
    let (rules, min_elig) = {
        let charter = tx.charter_of(version)?;
        (&charter.rules, charter.motions.min_elig)
    };
    // A rescission is for the same body, whoever is left of it.
    let fixed = effect.plan().undoes().is_some();
    loop {
        let question = Question {
            body,
            kind,
            charter: version,
        };
        let electorate = electorate_now(&tx.t, question);
        let voices: BTreeSet<GroupId> = electorate.values().copied().collect();
        let elig = voices.len() - recused_of(tx, number, effect, &electorate).len();
        let enough = elig >= min_elig as usize && 2 * elig >= voices.len();
        match (body.above(), rules.escalated(kind, &rule)) {
            (Some(above), Some(higher)) if !enough && !fixed => (body, rule) = (above, higher),
            _ => return Ok((body, rule, electorate)),
        }
    }
}
