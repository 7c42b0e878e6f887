//! How a motion begins: proposals, openings by a rule of the ledger, and support for motions of the
//! assembly (RULINGS R10, R12).

use std::collections::BTreeSet;

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::calendar::Period;
use crate::charter::motions::{BodyKind, DecidingBody, MotionKind, MotionRule};
use crate::event::EventBody;
use crate::id::{GroupId, Id, MotionId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{find, groups};
use crate::machine::step;
use crate::object::motion::{Motion, MotionStatus, ROWS};
use crate::record::{MotionEffect, Proposal};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::{Planned, matter_of};
use crate::rules::motion::electorate::{digest, seat};
use crate::rules::motion::{ballots, electorate_now, entitled};
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
        // A ballot of hours has no length in days to choose.
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
    begin(tx, motion, None, None)?;
    Ok(number)
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
    let rules = &tx.charter_of(charter)?.rules;
    let rule = match rules.rule(kind, body.kind()) {
        Some(rule) => *rule,
        None => refuse!(
            "R10.no-rule",
            kind = format!("{kind:?}"),
            body = body.kind().code()
        ),
    };
    let period = ballot_period(&rule, ballot_days)?;
    let number = tx.next_id::<MotionId>();
    let matter = effect.plan().matter(tx, number);
    tx.t.matter_motions().put((matter, number), 0);
    Ok(Motion {
        number,
        effect,
        kind,
        body,
        rule,
        charter,
        proposer,
        text,
        ballot_days: days_of(period),
        status: MotionStatus::Gathering,
        opened_ms: tx.now,
        retabled: 0,
        members: 0,
        voices: 0,
        electorate: Hash::ZERO,
        tally: None,
        void: None,
    })
}

/// Freezes the electorate and opens the ballots, at first and again. `closes_ms` fixes the close
/// where it is not a period.
pub(super) fn begin(
    tx: &mut Tx,
    mut motion: Motion,
    from: Option<MotionStatus>,
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
    let old: Vec<OrganisationId> = crate::rules::motion::electorate(&tx.t, number)
        .into_keys()
        .collect();
    for organisation in old {
        tx.t.electorates().remove((number, organisation));
    }
    let recused: Vec<(MotionId, GroupId)> =
        tx.t.recused_at_close
            .range((number, Id::MIN)..=(number, Id::MAX))
            .map(|(key, _)| *key)
            .collect();
    for key in recused {
        tx.t.recused_at_close().remove(key);
    }
    let cast: Vec<GroupId> = ballots(&tx.t, number).into_keys().collect();
    for group in cast {
        tx.t.ballots().remove((number, group));
    }
    motion.members = u32::try_from(electorate.len()).unwrap_or(u32::MAX);
    motion.voices =
        u32::try_from(electorate.values().collect::<BTreeSet<_>>().len()).unwrap_or(u32::MAX);
    motion.electorate = digest(&electorate);
    for (organisation, group) in electorate {
        tx.t.electorates().put((number, organisation), group);
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
    motion.status = step(&ROWS, "R10", from, MotionStatus::Open)?;
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
    let gathers = may_propose(tx, actor, kind, body, proposal.effect.plan().scope(tx))?;
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
    if gathers {
        // It waits for support before ballots are taken, and freezes its electorate then.
        let number = motion.number;
        motion.status = step(&ROWS, "R10", None, MotionStatus::Gathering)?;
        tx.put(motion);
        let due = tx.deadline(Period::Days(SUPPORT_DAYS));
        tx.schedule(DeadlineKind::MotionSupport, number, due);
        return support(tx, actor, number);
    }
    begin(tx, motion, None, None)?;
    Ok(Outcome::Applied)
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
    let by_rule = matches!(kind, MotionKind::Admit | MotionKind::DecideAppeal);
    require!(!by_rule, "R10.opened-by-rule", kind = format!("{kind:?}"));
    let by_size = matches!(kind, MotionKind::Award | MotionKind::AwardOutOfRank);
    if actor.organisation.kind == OrganisationKind::Office {
        let program =
            by_size || matches!(kind, MotionKind::OpenCall | MotionKind::TerminateAgreement);
        let money = matches!(kind, MotionKind::Budget | MotionKind::WriteOff);
        if program && actor.signer(Role::ProgrammeOfficer).is_some() {
            must_hold(tx, actor, Role::ProgrammeOfficer, scope)?;
            return Ok(false);
        }
        if money && actor.signer(Role::Treasurer).is_some() {
            must_hold(tx, actor, Role::Treasurer, scope)?;
            return Ok(false);
        }
        require!(
            body.kind() == BodyKind::Board || by_size && body.kind() == BodyKind::Assembly,
            "R10.may-not-propose",
            organisation = actor.number(),
            body = body.kind().code()
        );
        must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
        return Ok(false);
    }
    actor.must_sign(Role::Primary)?;
    let seated = entitled(&tx.t, tx.now, DecidingBody::Board, actor.number());
    match body.kind() {
        BodyKind::Board if seated => Ok(false),
        BodyKind::Assembly if by_size && seated => Ok(false),
        BodyKind::Assembly if entitled(&tx.t, tx.now, DecidingBody::Assembly, actor.number()) => {
            Ok(true)
        }
        _ => refuse!(
            "R10.may-not-propose",
            organisation = actor.number(),
            body = body.kind().code()
        ),
    }
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
    // "The same body": any of its voices, or the secretary, may ask it.
    if actor.organisation.kind == OrganisationKind::Office {
        must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    } else {
        actor.must_sign(Role::Primary)?;
        let may = entitled(&tx.t, tx.now, target.body, actor.number());
        require!(
            may,
            "R10.may-not-propose",
            organisation = actor.number(),
            body = target.body.kind().code()
        );
    }
    require_not_own_case(tx, actor, &proposal.effect)?;
    let number = tx.next_id::<MotionId>();
    let motion = Motion {
        number,
        effect: proposal.effect.clone(),
        rule: MotionRule {
            stay: None,
            ..target.rule
        },
        proposer,
        text: proposal.text,
        ballot_days: 0,
        retabled: 0,
        tally: None,
        void: None,
        ..target
    };
    let matter = matter_of(tx, &motion);
    tx.t.matter_motions().put((matter, number), 0);
    begin(tx, motion, None, Some(closes))?;
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
    require!(
        entitled(&tx.t, tx.now, DecidingBody::Assembly, organisation),
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
        let electorate = electorate_now(&tx.t, tx.now, body);
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
        tx.cancel(DeadlineKind::MotionSupport, number);
        begin(tx, motion, Some(MotionStatus::Gathering), None)?;
    }
    Ok(Outcome::Applied)
}
