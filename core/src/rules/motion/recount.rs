//! A motion is counted again, because companies turn out to have been one group when it opened (RULINGS R1,
//! R20, R27). Each recount is an event of its own.
//!
//! * Voices of members that were one group become one. Of their ballots the first stands, as it would have
//!   (R1). Members of the group of a party are recused.
//! * While ballots are taken, the electorate has fewer voices from then on. Once they have ended, the tally is
//!   made anew. Had it ended otherwise and its effect not come yet, the motion is void.
//! * Ballots are not deleted: their records stay in the log, and the event says what the recount came to.
//!
//! Absent: an election whose seats were offered is not held again; the event says that it differs when two
//! of the ballots were of one group.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::codec::Text;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::charter::motions::MotionRule;
use crate::event::EventBody;
use crate::id::{GroupId, MotionId};
use crate::lookup::{find, groups};
use crate::object::motion::{Cast, Motion, MotionStatus};
use crate::refusal::Refusal;
use crate::rules::effect::Planned as _;
use crate::rules::motion::clock::void;
use crate::rules::motion::election;
use crate::rules::motion::electorate::{
    ballots_of, count, digest, electorate_of, recused_at_close,
};
use crate::tally::{self, Tally};
use crate::tx::{Due, Tx};

/// The voice that each voice of the electorate becomes, by the groups of ledger time `at`.
fn merged(
    tx: &Tx,
    electorate: &BTreeMap<OrganisationId, GroupId>,
    at: LedgerTime,
) -> BTreeMap<GroupId, GroupId> {
    let mut name: BTreeMap<GroupId, GroupId> =
        electorate.values().map(|group| (*group, *group)).collect();
    let mut seen: BTreeSet<OrganisationId> = BTreeSet::new();
    for organisation in electorate.keys() {
        if seen.contains(organisation) {
            continue;
        }
        let group = groups::members_at(&tx.t, *organisation, at);
        let voices: BTreeSet<GroupId> = group
            .iter()
            .filter_map(|member| electorate.get(member))
            .filter_map(|voice| name.get(voice).copied())
            .collect();
        if let Some(first) = voices.first().copied() {
            for voice in name.values_mut().filter(|voice| voices.contains(voice)) {
                *voice = first;
            }
        }
        seen.extend(group);
    }
    name
}

/// Writes the electorate, the ballots and the recusals of the newest round under the voices' new names.
/// Returns whether two ballots were of one voice.
fn rename(
    tx: &mut Tx,
    motion: &Motion,
    electorate: &BTreeMap<OrganisationId, GroupId>,
    name: &BTreeMap<GroupId, GroupId>,
) -> bool {
    let (number, round) = (motion.number, motion.round);
    let of = |group: &GroupId| name.get(group).copied().unwrap_or(*group);
    for (organisation, group) in electorate {
        if of(group) != *group {
            tx.t.electorates()
                .put((number, round, *organisation), of(group));
        }
    }
    let mut first: BTreeMap<GroupId, Cast> = BTreeMap::new();
    let mut twice = false;
    for (group, cast) in ballots_of(&tx.t, number, round) {
        tx.t.ballots().remove((number, round, group));
        match first.get(&of(&group)) {
            Some(standing) => {
                twice = true;
                if (cast.cast_ms, cast.organisation) < (standing.cast_ms, standing.organisation) {
                    first.insert(of(&group), cast);
                }
            }
            None => {
                first.insert(of(&group), cast);
            }
        }
    }
    for (group, cast) in first {
        tx.t.ballots().put((number, round, group), cast);
    }
    for group in recused_at_close(&tx.t, motion) {
        if of(&group) != group {
            tx.t.recused_at_close().remove((number, round, group));
            tx.t.recused_at_close().put((number, round, of(&group)), 0);
        }
    }
    twice
}

/// Voices of the groups of the parties, by the groups of ledger time `at`, which were not recused when the
/// ballots ended.
fn recuse(
    tx: &mut Tx,
    motion: &Motion,
    electorate: &BTreeMap<OrganisationId, GroupId>,
    at: LedgerTime,
) -> bool {
    let before = recused_at_close(&tx.t, motion);
    let mut found = BTreeSet::new();
    for party in motion.effect.plan().interested(tx) {
        for member in groups::members_at(&tx.t, party, at) {
            found.extend(electorate.get(&member).copied());
        }
    }
    let new: Vec<GroupId> = found.difference(&before).copied().collect();
    for group in &new {
        tx.t.recused_at_close()
            .put((motion.number, motion.round, *group), 0);
    }
    !new.is_empty()
}

/// The tally of ballots that have ended, by who was recused then.
fn tally_again(tx: &Tx, motion: &Motion) -> Result<Tally, Refusal> {
    let min_elig = tx.charter_of(motion.charter)?.motions.min_elig;
    let ended = Motion {
        status: MotionStatus::Revealing,
        ..motion.clone()
    };
    let counts = count(tx, &ended);
    let rule = MotionRule {
        quorum: election::quorum(tx, motion, counts.elig(), min_elig),
        ..motion.rule
    };
    Ok(tally::tally(counts, &rule, min_elig))
}

/// The ballots of a motion are counted again.
pub(super) fn recount(tx: &mut Tx, number: MotionId, due: Due) -> Result<(), Refusal> {
    let mut motion = find::<Motion>(&tx.t, number)?.clone();
    let has_ballots = match motion.status {
        MotionStatus::Open
        | MotionStatus::Revealing
        | MotionStatus::Drawing
        | MotionStatus::Staying
        | MotionStatus::CarriedOut
        | MotionStatus::Rejected
        | MotionStatus::Lapsed => motion.round > 0,
        // It opens anew, or decides nothing any more.
        MotionStatus::Gathering
        | MotionStatus::Waiting
        | MotionStatus::Void
        | MotionStatus::Rescinded
        | MotionStatus::Withdrawn => false,
    };
    if !has_ballots {
        return Ok(());
    }
    let opened = motion.opened_ms;
    let electorate = electorate_of(&tx.t, number, motion.round);
    let name = merged(tx, &electorate, opened);
    let joins = name.iter().any(|(before, now)| before != now);
    let twice = joins && rename(tx, &motion, &electorate, &name);
    let electorate = electorate_of(&tx.t, number, motion.round);
    // Who is recused while ballots are taken is asked anew at every ballot.
    let recuses = motion.status != MotionStatus::Open && recuse(tx, &motion, &electorate, opened);
    if !joins && !recuses {
        return Ok(());
    }
    let voices: BTreeSet<GroupId> = electorate.values().copied().collect();
    motion.voices = u32::try_from(voices.len()).unwrap_or(u32::MAX);
    motion.electorate = digest(&electorate);
    let old = motion
        .tally
        .as_ref()
        .map(|tally| tally.outcome == tally::Outcome::Passed);
    let mut differs = false;
    if let Some(passed) = old {
        let tally = tally_again(tx, &motion)?;
        differs =
            passed != (tally.outcome == tally::Outcome::Passed) || twice && motion.poll.is_some();
        motion.tally = Some(Box::new(tally));
    }
    tx.emit(
        due,
        EventBody::MotionRecounted {
            motion: number,
            voices: motion.voices,
            electorate: motion.electorate,
            tally: motion.tally.clone(),
            differs,
        },
    );
    if differs && motion.status == MotionStatus::Staying {
        let code = Text::new("R20.recounted").unwrap_or_default();
        return void(tx, motion, due, code);
    }
    tx.put(motion);
    Ok(())
}
