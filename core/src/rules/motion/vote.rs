//! What members do while ballots are taken: vote, declare a conflict, take a motion back (RULINGS
//! R1, R10).

use rollbook_proof::codec::Text;
use rollbook_proof::number::OrganisationId;

use crate::calendar::Period;
use crate::id::{GroupId, Id, MotionId, PersonId};
use crate::identity::Role;
use crate::lookup::find;
use crate::object::motion::{Cast, Motion, MotionStatus};
use crate::record::{Ballot, BallotVote, ConflictKind, Declaration};
use crate::refusal::{NotCounted, Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::effect::{Planned, matter_of};
use crate::rules::motion::clock::take_back;
use crate::rules::motion::election::check_vote;
use crate::rules::motion::electorate::is_recused;
use crate::rules::motion::propose::must_propose_as;
use crate::rules::motion::proxy;
use crate::rules::motion::sealed::{cites, is_sealed};
use crate::rules::motion::{EARLY_HOURS, count, entitled};
use crate::tx::{DeadlineKind, Tx};
use crate::{refuse, require};

/// Most ballots of an organisation in a round (RULINGS A47).
const BALLOTS_MAX: u32 = 16;

pub(super) fn vote(tx: &mut Tx, actor: &Actor, ballot: &Ballot) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    // Whose voice it is: the company's own, or that of the member whose proxy it holds.
    let organisation = ballot.proxy_for.unwrap_or(actor.number());
    let (motion, group) = voice(tx, organisation, ballot.motion)?;
    let number = motion.number;
    if ballot.proxy_for.is_some() {
        proxy::check(tx, number, organisation, actor.number())?;
    }
    require!(
        ballot.round == motion.round,
        "A47.other-round",
        round = motion.round,
        named = ballot.round
    );
    if is_sealed(tx, &motion)? {
        let sealed = matches!(ballot.vote, BallotVote::Sealed(_));
        require!(sealed, "R31.must-be-sealed", motion = number);
    } else {
        check_vote(tx, &motion, &ballot.vote, true)?;
    }
    check_criterion(tx, &motion, &ballot.vote, ballot.criterion.as_ref())?;
    let key = (number, motion.round, organisation);
    let cast = tx.t.ballots_cast.get(&key).copied().unwrap_or(0);
    require!(
        cast < BALLOTS_MAX,
        "A47.too-many-ballots",
        motion = number,
        limit = BALLOTS_MAX
    );
    tx.t.ballots_cast().put(key, cast + 1);
    if let Declaration::Conflict(kind) = ballot.declaration {
        let matter = matter_of(tx, &motion);
        tx.t.conflicts().put((matter, actor.number()), kind);
    }
    let own = match ballot.proxy_for {
        Some(_) => voice(tx, actor.number(), number)?.1,
        None => group,
    };
    // The holder's conflict stops the ballot by proxy, not the giver's own (RULINGS R38).
    if is_recused(tx, &motion, group) || is_recused(tx, &motion, own) {
        return Ok(Outcome::NotCounted(NotCounted::Recused));
    }
    let standing = tx.t.ballots.get(&(number, motion.round, group)).cloned();
    if let Some(standing) = standing {
        if standing.organisation != organisation {
            return Ok(Outcome::NotCounted(NotCounted::DuplicateGroup));
        }
        // Ballots may arrive in another order than they were signed in: a later one of the same
        // officer counts, another one only if it names what stands (RULINGS A47).
        let later = standing.officer == actor.officer && standing.sequence < actor.sequence;
        let is_own = ballot.proxy_for.is_none();
        require!(
            is_own || standing.proxy.is_some(),
            "R38.own-ballot-stands",
            motion = number,
            giver = organisation
        );
        let replaces_proxy = is_own && standing.proxy.is_some();
        require!(
            later || replaces_proxy || ballot.replaces.contains(&standing.record),
            "A47.other-ballot-stands",
            record = standing.record
        );
    }
    let persons: Vec<PersonId> = actor.signers.iter().map(|signer| signer.person).collect();
    motion.effect.plan().check_voters(tx, &persons)?;
    let cast = Cast {
        organisation,
        vote: ballot.vote.clone(),
        criterion: ballot.criterion.clone(),
        persons,
        officer: actor.officer,
        sequence: actor.sequence,
        cast_ms: tx.now,
        record: tx.record,
        proxy: ballot.proxy_for.map(|_| actor.number()),
        revealed: None,
    };
    tx.t.ballots().put((number, motion.round, group), cast);
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
    let (motion, _) = voice(tx, actor.number(), number)?;
    let matter = matter_of(tx, &motion);
    tx.t.conflicts().put((matter, actor.number()), kind);
    Ok(Outcome::Applied)
}

/// The published criterion that a vote cites, where it has to (M08).
pub(super) fn check_criterion(
    tx: &Tx,
    motion: &Motion,
    vote: &BallotVote,
    criterion: Option<&Text<40>>,
) -> Result<(), Refusal> {
    let (number, cites) = (motion.number, cites(motion, vote));
    match criterion {
        None => require!(!cites, "M08.criterion-required", motion = number),
        Some(criterion) => {
            require!(cites, "M08.criterion-unexpected", motion = number);
            let published = tx.charter_of(motion.charter)?.criteria.contains(criterion);
            require!(published, "M08.unknown-criterion", criterion = criterion);
        }
    }
    Ok(())
}

/// The open motion and an organisation's frozen voice in it, or why it has none.
pub(super) fn voice(
    tx: &Tx,
    organisation: OrganisationId,
    number: MotionId,
) -> Result<(Motion, GroupId), Refusal> {
    let motion = find::<Motion>(&tx.t, number)?.clone();
    require!(
        motion.status == MotionStatus::Open,
        "R10.not-open",
        motion = number,
        status = motion.status
    );
    let Some(group) =
        tx.t.electorates
            .get(&(number, motion.round, organisation))
            .copied()
    else {
        refuse!(
            "R1.not-in-electorate",
            motion = number,
            organisation = organisation
        )
    };
    require!(
        entitled(&tx.t, motion.question(), organisation),
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
    // The post that proposed it takes it back, not every officer of the office.
    if let Some(role) = motion.proposed_as {
        must_propose_as(tx, actor, role, motion.effect.plan().scope(tx))?;
    } else {
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
        status = motion.status
    );
    let voted =
        tx.t.ballots
            .range((number, 0, Id::MIN)..=(number, u32::MAX, Id::MAX))
            .next()
            .is_some();
    require!(
        !voted && motion.tally.is_none(),
        "R10.ballots-cast",
        motion = number
    );
    take_back(tx, motion)?;
    Ok(Outcome::Applied)
}
