//! How a motion begins: proposals, openings by a rule of the ledger, and support for motions of the
//! assembly (RULINGS R10, R12).

use std::collections::BTreeSet;

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::calendar::Period;
use crate::charter::motions::{BodyKind, DecidingBody, MotionKind, MotionRule};
use crate::event::EventBody;
use crate::id::{CharterVersion, GroupId, Id, MotionId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{find, groups, seats};
use crate::object::motion::{Motion, MotionStatus, Question};
use crate::record::{MotionEffect, Proposal};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::{Planned, matter_of};
use crate::rules::motion::election;
use crate::rules::motion::electorate::{digest, seat};
use crate::rules::motion::{electorate_now, entitled};
use crate::state::StateTables;
use crate::tx::{DeadlineKind, Tx};
use crate::{refuse, require};

/// Days in which a motion of the assembly must find its support.
pub const SUPPORT_DAYS: u32 = 30;

/// A motion to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What it does.
    pub effect: MotionEffect,
    /// Organisation and group that proposed it; none where a rule opens it.
    pub proposer: Option<(OrganisationId, GroupId)>,
    /// Who decides; [`Effect::body`](crate::rules::effect::Effect::body) says who does by default.
    pub body: DecidingBody,
    /// SHA-256 of the text.
    pub text: Hash,
    /// Days the ballot is open; none for the shortest of the rule.
    pub ballot_days: Option<u32>,
}

/// Days of a ballot under a rule, or why not.
pub(super) fn ballot_period(rule: &MotionRule, days: Option<u32>) -> Result<Period, Refusal> {
    let Some(days) = days else {
        return Ok(rule.ballot_min);
    };
    let (asked, min, max) = match (rule.ballot_min, rule.ballot_max) {
        (Period::Days(min), Period::Days(max)) => (Period::Days(days), min, max),
        (Period::WorkingDays(min), Period::WorkingDays(max)) => {
            (Period::WorkingDays(days), min, max)
        }
        // A ballot of hours has no length in days to choose: who proposes leaves it at none.
        (Period::Hours(_), _) if days == 0 => return Ok(rule.ballot_max),
        _ => refuse!("R10.ballot-length-is-fixed", rule = rule.ballot_min),
    };
    require!(
        (min..=max).contains(&days),
        "R10.ballot-length",
        days = days,
        min = min,
        max = max
    );
    Ok(asked)
}

pub(super) fn days_of(period: Period) -> u32 {
    match period {
        Period::Days(n) | Period::WorkingDays(n) => n,
        Period::Hours(_) => 0,
    }
}

/// Opens a motion: the effect is possible, the electorate frozen, the close scheduled. Returns its
/// number. For rules of the ledger as well as for proposals; who may propose is not asked here.
pub fn open(tx: &mut Tx, opening: Opening) -> Result<MotionId, Refusal> {
    let motion = prepare(tx, opening)?;
    let number = motion.number;
    begin(tx, motion, Age::New, None)?;
    Ok(number)
}

/// The rule that a charter has for a kind in a body. Refused with `R10.no-rule`.
fn rule_of(
    tx: &Tx,
    charter: CharterVersion,
    kind: MotionKind,
    body: DecidingBody,
) -> Result<MotionRule, Refusal> {
    match tx.charter_of(charter)?.rules.rule(kind, body.kind()) {
        Some(rule) => Ok(*rule),
        None => refuse!("R10.no-rule", motion_kind = kind, body = body.kind()),
    }
}

/// A motion with every check made, not written yet. Its status says nothing before it is.
pub(super) fn prepare(tx: &mut Tx, opening: Opening) -> Result<Motion, Refusal> {
    let Opening {
        effect,
        proposer,
        body,
        text,
        ballot_days,
    } = opening;
    effect.plan().possible(tx)?;
    let charter = tx.facts().charter;
    let Some(kind) = effect.kind() else {
        refuse!("R10.not-opened-alone")
    };
    let rule = rule_of(tx, charter, kind, body)?;
    let period = ballot_period(&rule, ballot_days)?;
    let poll = election::poll_of(&effect);
    let number = tx.next_id::<MotionId>();
    let matter = effect.plan().matter(tx, number);
    tx.t.matter_motions().put((matter, number), 0);
    if !tx.t.matters.contains(&matter) {
        let now = tx.now;
        tx.t.matters().put(matter, now);
    }
    Ok(Motion {
        number,
        effect,
        kind,
        body,
        rule,
        charter,
        proposer,
        proposed_as: None,
        text,
        ballot_days: days_of(period),
        status: MotionStatus::Gathering,
        opened_ms: tx.now,
        retabled: 0,
        round: 0,
        members: 0,
        voices: 0,
        electorate: Hash::ZERO,
        tally: None,
        void: None,
        poll,
    })
}

/// Whether the ledger has the motion already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It is being proposed.
    New,
    /// It stands in the ledger.
    Known,
}

/// Freezes the electorate and opens the ballots, of a new motion or of one that waited.
/// `closes_ms` fixes the close where it is not a period.
pub(super) fn begin(
    tx: &mut Tx,
    mut motion: Motion,
    age: Age,
    closes_ms: Option<LedgerTime>,
) -> Result<(), Refusal> {
    let number = motion.number;
    let (body, rule, electorate) = seat(
        tx,
        number,
        motion.kind,
        &motion.effect,
        motion.charter,
        motion.body,
        motion.rule,
    )?;
    let escalated = body != motion.body;
    (motion.body, motion.rule) = (body, rule);
    motion.round = motion.round.saturating_add(1);
    motion.members = u32::try_from(electorate.len()).unwrap_or(u32::MAX);
    motion.voices =
        u32::try_from(electorate.values().collect::<BTreeSet<_>>().len()).unwrap_or(u32::MAX);
    motion.electorate = digest(&electorate);
    for (organisation, group) in electorate {
        tx.t.electorates()
            .put((number, motion.round, organisation), group);
    }
    let closes = match (closes_ms, motion.rule.ballot_min) {
        (Some(closes), _) => closes,
        (None, Period::Hours(_)) => tx.deadline(motion.rule.ballot_max),
        // A higher body has longer ballots (RULINGS R7, domain 1.5).
        (None, Period::Days(min)) => tx.deadline(Period::Days(if escalated {
            motion.ballot_days.max(min)
        } else {
            motion.ballot_days
        })),
        (None, Period::WorkingDays(min)) => tx.deadline(Period::WorkingDays(if escalated {
            motion.ballot_days.max(min)
        } else {
            motion.ballot_days
        })),
    };
    tx.schedule(DeadlineKind::MotionClose, number, closes);
    match age {
        Age::New => motion.status = tx.begin::<Motion>(number, "R10", MotionStatus::Open)?,
        Age::Known => tx.go(&mut motion, "R10", MotionStatus::Open)?,
    }
    motion.opened_ms = tx.now;
    tx.put(motion);
    Ok(())
}

/// The event of an opening by the clock.
pub(crate) fn opened_event(tables: &StateTables, number: MotionId) -> Option<EventBody> {
    let motion = tables.motions.get(&number)?;
    Some(EventBody::MotionOpened {
        motion: number,
        kind: motion.kind,
        body: motion.body,
        retabled: motion.retabled,
        voices: motion.voices,
        electorate: motion.electorate,
        closes_ms: tables
            .deadline_of
            .get(&(DeadlineKind::MotionClose as u16, number.0))
            .copied()
            .unwrap_or(LedgerTime(0)),
    })
}

pub(super) fn propose(tx: &mut Tx, actor: &Actor, proposal: &Proposal) -> Result<Outcome, Refusal> {
    let group = groups::group_of(&tx.t, actor.number());
    let proposer = Some((actor.number(), group));
    if let Some(motion) = proposal.effect.plan().undoes() {
        return propose_rescission(tx, actor, proposal, motion, proposer);
    }
    let Some(kind) = proposal.effect.kind() else {
        refuse!("R10.not-opened-alone")
    };
    let body = proposal.effect.plan().body(tx, proposal.effect.kind())?;
    let held_over = election::fills_held_over(tx, &proposal.effect);
    let role = (actor.organisation.kind == OrganisationKind::Office).then(|| {
        // That election is for the secretary and the members to propose (R28).
        if held_over {
            Role::Secretary
        } else {
            proposing_post(actor, kind)
        }
    });
    let gathers = if held_over {
        election::may_propose(tx, actor)?;
        false
    } else {
        may_propose(tx, actor, kind, body, proposal.effect.plan().scope(tx))?
    };
    check_hold_over(tx, kind, body, &proposal.effect)?;
    let opening = Opening {
        effect: proposal.effect.clone(),
        proposer,
        body,
        text: proposal.text,
        ballot_days: Some(proposal.ballot_days),
    };
    require_not_own_case(tx, actor, &proposal.effect)?;
    proposal.effect.plan().proposable(tx)?;
    let mut motion = prepare(tx, opening)?;
    motion.proposed_as = role;
    if gathers {
        let due = tx.deadline(Period::Days(SUPPORT_DAYS));
        return gather(tx, actor, motion, due);
    }
    let closes = proposal.effect.plan().closes(tx);
    begin(tx, motion, Age::New, closes)?;
    Ok(Outcome::Applied)
}

/// A motion of the assembly waits for support until `due` before ballots are taken; its proposer is
/// the first to give it. The electorate is frozen when it opens.
fn gather(
    tx: &mut Tx,
    actor: &Actor,
    mut motion: Motion,
    due: LedgerTime,
) -> Result<Outcome, Refusal> {
    let number = motion.number;
    motion.status = tx.begin::<Motion>(number, "R10", MotionStatus::Gathering)?;
    (motion.opened_ms, motion.members, motion.voices) = (tx.now, 0, 0);
    motion.electorate = Hash::ZERO;
    tx.put(motion);
    tx.schedule(DeadlineKind::MotionSupport, number, due);
    support(tx, actor, number)
}

/// R31: nobody proposes for their own group: not the company that proposes, nor the home of an
/// officer who signs for an office. An office has no case of its own (R27).
fn require_not_own_case(tx: &Tx, actor: &Actor, effect: &MotionEffect) -> Result<(), Refusal> {
    let parties: Vec<OrganisationId> = effect
        .plan()
        .interested(tx)
        .into_iter()
        .filter(|party| {
            tx.t.organisations
                .get(party)
                .is_some_and(|party| party.kind == OrganisationKind::Company)
        })
        .collect();
    let homes = actor.signers.iter().map(|signer| signer.home);
    for own in homes.chain([actor.number()]) {
        for party in &parties {
            require!(
                !groups::related(&tx.t, own, *party),
                "R31.own-case",
                organisation = own,
                party = party
            );
        }
    }
    Ok(())
}

/// RULINGS R10: who may propose. Returns whether the motion must first gather support.
pub(super) fn may_propose(
    tx: &Tx,
    actor: &Actor,
    kind: MotionKind,
    body: DecidingBody,
    scope: Scope,
) -> Result<bool, Refusal> {
    let by_rule = matches!(
        kind,
        MotionKind::Admit | MotionKind::DecideAppeal | MotionKind::Appeal | MotionKind::ClassChange
    );
    require!(!by_rule, "R10.opened-by-rule", motion_kind = kind);
    let by_size = matches!(kind, MotionKind::Award | MotionKind::AwardOutOfRank);
    if actor.organisation.kind == OrganisationKind::Office {
        let role = proposing_post(actor, kind);
        if matches!(role, Role::Secretary | Role::Chair) {
            require!(
                body.kind() == BodyKind::Board || by_size && body.kind() == BodyKind::Assembly,
                "R10.may-not-propose",
                organisation = actor.number(),
                body = body.kind()
            );
        }
        must_propose_as(tx, actor, role, scope)?;
        return Ok(false);
    }
    actor.must_sign(Role::Primary)?;
    let may_vote = |body| {
        let question = Question {
            body,
            kind,
            charter: tx.facts().charter,
        };
        entitled(&tx.t, question, actor.number())
    };
    let seated = may_vote(DecidingBody::Board);
    match body.kind() {
        BodyKind::Board if seated => Ok(false),
        BodyKind::Assembly if by_size && seated => Ok(false),
        BodyKind::Assembly if may_vote(DecidingBody::Assembly) => Ok(true),
        _ => refuse!(
            "R10.may-not-propose",
            organisation = actor.number(),
            body = body.kind()
        ),
    }
}

/// The post in which an office proposes a motion of this kind: programme officer and treasurer where
/// they may and sign, the chair who signs without the secretary, else the secretary.
fn proposing_post(actor: &Actor, kind: MotionKind) -> Role {
    let of =
        |role: Role, kinds: &[MotionKind]| kinds.contains(&kind) && actor.signer(role).is_some();
    if of(
        Role::ProgrammeOfficer,
        &[
            MotionKind::Award,
            MotionKind::AwardOutOfRank,
            MotionKind::OpenCall,
            MotionKind::TerminateAgreement,
        ],
    ) {
        Role::ProgrammeOfficer
    } else if of(Role::Treasurer, &[MotionKind::Budget, MotionKind::WriteOff]) {
        Role::Treasurer
    } else if actor.signer(Role::Secretary).is_none() && actor.signer(Role::Chair).is_some() {
        // R48: what any one seat holder may propose.
        Role::Chair
    } else {
        Role::Secretary
    }
}

/// Refuses unless the office's signer holds this post; the secretary's is for the whole alliance.
pub(super) fn must_propose_as(
    tx: &Tx,
    actor: &Actor,
    role: Role,
    scope: Scope,
) -> Result<(), Refusal> {
    let scope = if role == Role::Secretary {
        Scope::Alliance
    } else {
        scope
    };
    must_hold(tx, actor, role, scope).map(|_| ())
}

/// RULINGS R28: what a board whose terms have ended still decides. The assembly is free.
fn check_hold_over(
    tx: &Tx,
    kind: MotionKind,
    body: DecidingBody,
    effect: &MotionEffect,
) -> Result<(), Refusal> {
    let Some(over) = seats::held_over(&tx.t) else {
        return Ok(());
    };
    if body == DecidingBody::Assembly {
        return Ok(());
    }
    let opens = matches!(
        effect,
        MotionEffect::CreateFund(_) | MotionEffect::PublishCall(_)
    ) || kind == MotionKind::Budget;
    require!(!opens, "R28.held-over-board", seats = over.len());
    let days = tx.charter()?.terms.holdover_days;
    let since = over.iter().map(|seat| seat.since_ms).min();
    let too_long =
        since.is_some_and(|since| tx.now > tx.calendar().delay(since, Period::Days(days)));
    let still = matches!(
        kind,
        MotionKind::ElectSeat
            | MotionKind::Appoint
            | MotionKind::Remove
            | MotionKind::LiftHold
            | MotionKind::TerminateAgreement
    );
    // Who leads a direction is decided as about a post, and is none.
    let still = still && !matches!(effect, MotionEffect::NameLead(_));
    require!(still || !too_long, "R28.hold-over-ended", days = days);
    Ok(())
}

pub(super) fn propose_rescission(
    tx: &mut Tx,
    actor: &Actor,
    proposal: &Proposal,
    target: MotionId,
    proposer: Option<(OrganisationId, GroupId)>,
) -> Result<Outcome, Refusal> {
    proposal.effect.plan().possible(tx)?;
    require!(
        proposal.ballot_days == 0,
        "R10.ballot-ends-with-stay",
        days = proposal.ballot_days
    );
    let target = find::<Motion>(&tx.t, target)?.clone();
    let Some(closes) = tx.due(DeadlineKind::MotionEffect, target.number) else {
        refuse!("R10.not-staying", motion = target.number)
    };
    // "The same body": any of its voices, or the secretary, may ask it; in the assembly any of its
    // members, who then find support like others.
    let gathers = target.body == DecidingBody::Assembly;
    let by_secretary = actor.organisation.kind == OrganisationKind::Office && !gathers;
    if by_secretary {
        must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    } else {
        let may = entitled(&tx.t, target.question(), actor.number());
        require!(
            may,
            "R10.may-not-propose",
            organisation = actor.number(),
            body = target.body.kind()
        );
        actor.must_sign(Role::Primary)?;
    }
    require_not_own_case(tx, actor, &proposal.effect)?;
    let number = tx.next_id::<MotionId>();
    let motion = Motion {
        number,
        effect: proposal.effect.clone(),
        rule: MotionRule {
            stay: None,
            // An election is held by most voices; taking it back is between yes and no.
            pass: if election::is_election(target.kind) {
                election::UNDOING
            } else {
                target.rule.pass
            },
            ..target.rule
        },
        proposer,
        proposed_as: by_secretary.then_some(Role::Secretary),
        text: proposal.text,
        ballot_days: 0,
        retabled: 0,
        round: 0,
        tally: None,
        void: None,
        poll: None,
        ..target
    };
    let matter = matter_of(tx, &motion);
    tx.t.matter_motions().put((matter, number), 0);
    if gathers {
        return gather(tx, actor, motion, closes);
    }
    begin(tx, motion, Age::New, Some(closes))?;
    Ok(Outcome::Applied)
}

pub(super) fn support(tx: &mut Tx, actor: &Actor, number: MotionId) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let motion = find::<Motion>(&tx.t, number)?.clone();
    require!(
        motion.status == MotionStatus::Gathering,
        "R10.not-gathering",
        motion = number
    );
    let organisation = actor.number();
    // It opens under the charter of that moment (RULINGS R10).
    let (kind, charter) = (motion.kind, tx.facts().charter);
    let question = |body| Question {
        body,
        kind,
        charter,
    };
    require!(
        entitled(&tx.t, question(DecidingBody::Assembly), organisation),
        "R10.not-entitled",
        organisation = organisation
    );
    require!(
        !tx.t.supports.contains(&(number, organisation)),
        "R10.already-supports",
        organisation = organisation
    );
    tx.t.supports().put((number, organisation), tx.now);
    let supporters: Vec<OrganisationId> =
        tx.t.supports
            .range((number, Id::MIN)..=(number, Id::MAX))
            .map(|((_, organisation), _)| *organisation)
            .collect();
    // Voices of those who support it and are still entitled, in both bodies.
    let voices = |body| {
        let electorate = electorate_now(&tx.t, question(body));
        let all: BTreeSet<GroupId> = electorate.values().copied().collect();
        let with: BTreeSet<GroupId> = supporters
            .iter()
            .filter_map(|o| electorate.get(o).copied())
            .collect();
        (with.len(), all.len())
    };
    let parts = if motion.kind == MotionKind::DissolveAlliance {
        3
    } else {
        5
    };
    let (assembly, board) = (voices(DecidingBody::Assembly), voices(DecidingBody::Board));
    if assembly.0 * parts >= assembly.1 || 2 * board.0 > board.1 {
        open_gathered(tx, motion)?;
    }
    Ok(Outcome::Applied)
}

/// Opens a motion that has found its support: under the charter in force now, if its effect is
/// possible now.
fn open_gathered(tx: &mut Tx, mut motion: Motion) -> Result<(), Refusal> {
    let number = motion.number;
    motion.effect.plan().possible(tx)?;
    let closes = match motion.effect.plan().undoes() {
        // The rule of what it undoes; its ballot ends with the stay.
        Some(target) => tx.due(DeadlineKind::MotionEffect, target),
        None => {
            motion.charter = tx.facts().charter;
            motion.rule = rule_of(tx, motion.charter, motion.kind, motion.body)?;
            ballot_period(&motion.rule, Some(motion.ballot_days))?;
            None
        }
    };
    tx.cancel(DeadlineKind::MotionSupport, number);
    begin(tx, motion, Age::Known, closes)
}
