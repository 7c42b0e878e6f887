//! What members do while ballots are taken: vote, declare a conflict, take a motion back (RULINGS
//! R1, R10).

use crate::calendar::Period;
use crate::charter::motions::MotionKind;
use crate::id::{GroupId, Id, MotionId, PersonId};
use crate::identity::{OrganisationKind, Role};
use crate::lookup::find;
use crate::object::motion::{Cast, Failure, Motion, MotionStatus};
use crate::record::{Ballot, Choice, ConflictKind, Declaration};
use crate::refusal::{NotCounted, Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::effect::{Planned, matter_of};
use crate::rules::motion::clock::finish;
use crate::rules::motion::electorate::is_recused;
use crate::rules::motion::{EARLY_HOURS, count, entitled};
use crate::tx::{DeadlineKind, Tx};
use crate::{refuse, require};

pub(super) fn vote(tx: &mut Tx, actor: &Actor, ballot: &Ballot) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let (motion, group) = voice(tx, actor, ballot.motion)?;
    let (number, organisation) = (motion.number, actor.number());
    let cites = motion.kind == MotionKind::Admit
        && ballot.choice == Choice::No
        && motion.effect.plan().undoes().is_none();
    match &ballot.criterion {
        None => require!(!cites, "M08.criterion-required", motion = number),
        Some(criterion) => {
            require!(cites, "M08.criterion-unexpected", motion = number);
            let published = tx.charter_of(motion.charter)?.criteria.contains(criterion);
            require!(published, "M08.unknown-criterion", criterion = criterion);
        }
    }
    if let Declaration::Conflict(kind) = ballot.declaration {
        let matter = matter_of(tx, &motion);
        tx.t.conflicts().put((matter, organisation), kind);
    }
    if is_recused(tx, &motion, group) {
        return Ok(Outcome::NotCounted(NotCounted::Recused));
    }
    if tx
        .t
        .ballots
        .get(&(number, group))
        .is_some_and(|cast| cast.organisation != organisation)
    {
        return Ok(Outcome::NotCounted(NotCounted::DuplicateGroup));
    }
    let persons: Vec<PersonId> = actor.signers.iter().map(|signer| signer.person).collect();
    motion.effect.plan().check_voters(tx, &persons)?;
    let cast = Cast {
        organisation,
        choice: ballot.choice,
        criterion: ballot.criterion.clone(),
        persons,
        cast_ms: tx.now,
        record: tx.record,
    };
    tx.t.ballots().put((number, group), cast);
    if tx.charter_of(motion.charter)?.motions.early_close && count(tx, &motion).all_voted() {
        // RULINGS R10, R34: a day without a new ballot, and never before the shortest ballot of the
        // rule (domain 1.5). Every ballot moves it; where a day is no longer left, the motion closes
        // with its period, so an early close that runs already ends.
        let calendar = tx.calendar();
        let shortest = calendar.deadline(motion.opened_ms, motion.rule.ballot_min);
        let early = tx.delay(Period::Hours(EARLY_HOURS)).max(shortest);
        if tx
            .due(DeadlineKind::MotionClose, number)
            .is_some_and(|close| early < close)
        {
            tx.schedule(DeadlineKind::MotionEarly, number, early);
        } else {
            tx.cancel(DeadlineKind::MotionEarly, number);
        }
    }
    Ok(Outcome::Applied)
}

pub(super) fn declare(
    tx: &mut Tx,
    actor: &Actor,
    number: MotionId,
    kind: ConflictKind,
) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let (motion, _) = voice(tx, actor, number)?;
    let matter = matter_of(tx, &motion);
    tx.t.conflicts().put((matter, actor.number()), kind);
    Ok(Outcome::Applied)
}

/// The open motion and the actor's frozen voice in it, or why the actor has none.
pub(super) fn voice(
    tx: &Tx,
    actor: &Actor,
    number: MotionId,
) -> Result<(Motion, GroupId), Refusal> {
    let motion = find::<Motion>(&tx.t, number)?.clone();
    require!(
        motion.status == MotionStatus::Open,
        "R10.not-open",
        motion = number,
        status = format!("{:?}", motion.status)
    );
    let organisation = actor.number();
    let Some(group) = tx.t.electorates.get(&(number, organisation)).copied() else {
        refuse!(
            "R1.not-in-electorate",
            motion = number,
            organisation = organisation
        )
    };
    require!(
        entitled(&tx.t, motion.body, organisation),
        "R1.no-longer-entitled",
        organisation = organisation
    );
    Ok((motion, group))
}

pub(super) fn withdraw(tx: &mut Tx, actor: &Actor, number: MotionId) -> Result<Outcome, Refusal> {
    let motion = find::<Motion>(&tx.t, number)?.clone();
    let by_proposer = motion
        .proposer
        .is_some_and(|(organisation, _)| organisation == actor.number());
    require!(
        by_proposer,
        "R10.not-the-proposer",
        motion = number,
        organisation = actor.number()
    );
    if actor.organisation.kind == OrganisationKind::Company {
        actor.must_sign(Role::Primary)?;
    }
    let open = matches!(
        motion.status,
        MotionStatus::Gathering | MotionStatus::Open | MotionStatus::Waiting
    );
    require!(
        open,
        "R10.not-open",
        motion = number,
        status = format!("{:?}", motion.status)
    );
    let voted =
        tx.t.ballots
            .range((number, Id::MIN)..=(number, Id::MAX))
            .next()
            .is_some();
    require!(
        !voted && motion.tally.is_none(),
        "R10.ballots-cast",
        motion = number
    );
    let now = tx.now;
    finish(tx, motion, now, Failure::Withdrawn)?;
    Ok(Outcome::Applied)
}
