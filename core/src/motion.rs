//! Motions: frozen electorate, recusal, tally (domain 1.6, 1.8; RULINGS R1, R7, R10, R12). One
//! implementation for every vote.
//!
//! * Every number counts voices. The voices of a motion are the groups with an entitled member when
//!   it opens; members and groups are frozen then, as rows under a digest that the proved
//!   [`Motion`] carries.
//! * The first member of a group to vote holds the group's voice; only that member may vote again,
//!   until the close, and the last ballot counts. A ballot of another member of the group and one
//!   of a recused member are recorded and not counted.
//! * Conflicts are computed from the relations of the moment, until the close; a declared conflict
//!   is not taken back.
//! * The close, the effect, the putting again and the lapse are deadlines; each leaves an event
//!   with its facts.
//! * What passed waits for its stay; the body may rescind it meanwhile by the same rule.
//!   [`effects::check`] is asked at opening, at the close and at the effect: where it fails later,
//!   the motion is void and the reason stands in it.
//! * A body with too few unrelated voices passes the motion up, at opening or at the close (IC,
//!   board, assembly).
//! * A motion runs to its end under the charter version it opened under; put again after a missed
//!   quorum, likewise.
//! * Motions of the assembly gather support first: 1/5 of its voices (1/3 to dissolve), or more
//!   than half of the board's.
//!
//! Absent: sealed ballots, and with them elections and discipline (RULINGS R15); working groups;
//! the alternate's ballot, which needs a delegation (M33); recounts after the close (R20); meeting
//! minutes.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode};
use rollbook_proof::codec::{Text, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::{Frontier, leaf_hash};

use crate::apply::{Counter, DeadlineKind, EventBody, NotCounted, Outcome, Refusal, Tx};
use crate::calendar::Period;
use crate::identity::authority::{Actor, must_hold};
use crate::identity::{OrganisationKind, Role, Scope, groups};
use crate::record::{Ballot, Choice, ConflictKind, Declaration, MotionAct, MotionEffect, Proposal};
use crate::state::StateTables;
use crate::{membership, refuse, require};

pub mod effects;
pub(crate) mod posts;
pub mod rules;
pub mod table;
pub mod tally;

use rules::{BodyKind, DecidingBody, MotionKind, MotionRule};
use tally::{Counts, Tally};

/// Days in which a motion of the assembly must find its support.
pub const SUPPORT_DAYS: u32 = 30;
/// Hours without a new ballot before an early close (RULINGS R10).
pub const EARLY_HOURS: u32 = 24;

/// Where a motion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MotionStatus {
    /// Gathers support for the assembly.
    Gathering,
    /// Ballots are taken.
    Open,
    /// No quorum; it is put again after a wait.
    Waiting,
    /// Passed; its effect waits for the stay.
    Staying,
    /// Passed and carried out.
    CarriedOut,
    /// Not passed.
    Rejected,
    /// No quorum too often, or no support. Without prejudice.
    Lapsed,
    /// Not decidable, or its effect was not possible any more.
    Void,
    /// Undone by its body during the stay.
    Rescinded,
    /// Taken back before the first ballot, or its object is gone.
    Withdrawn,
}

impl MotionStatus {
    /// Whether nothing follows any more.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            MotionStatus::Gathering
                | MotionStatus::Open
                | MotionStatus::Waiting
                | MotionStatus::Staying
        )
    }
}

/// Why a motion failed, for [`effects::failed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The ballots said no.
    Rejected,
    /// No quorum too often, or no support.
    Lapsed,
    /// Not decidable, or the effect was not possible.
    Void,
    /// The body undid it during the stay.
    Rescinded,
    /// The proposer took it back.
    Withdrawn,
}

/// A motion (proved). Its due times stand in the table of deadlines.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Motion {
    /// Its number.
    pub number: u32,
    /// What it does.
    pub effect: MotionEffect,
    /// The kind whose rule decides; for a rescission, that of the motion it undoes.
    pub kind: MotionKind,
    /// Who decides.
    pub body: DecidingBody,
    /// The rule it is judged by, from the charter version it opened under.
    pub rule: MotionRule,
    /// That charter version.
    pub charter: u32,
    /// Organisation and group that proposed it; none where a rule of the ledger opened it.
    pub proposer: Option<(u32, u32)>,
    /// SHA-256 of the text.
    pub text: Hash,
    /// Days each ballot is open; 0 for a rescission.
    pub ballot_days: u32,
    /// Where it stands.
    pub status: MotionStatus,
    /// Ledger time of the newest opening, or of the proposal while it gathers support.
    pub opened_ms: u64,
    /// How often it was put again after a missed quorum.
    pub retabled: u32,
    /// Members in the electorate of the newest opening.
    pub members: u32,
    /// Voices in it.
    pub voices: u32,
    /// RFC 6962 root over its rows (organisation, group), ascending by organisation.
    pub electorate: Hash,
    /// The newest tally, once closed.
    pub tally: Option<Box<Tally>>,
    /// Why it is void, as a refusal code.
    pub void: Option<Text<64>>,
}

/// A ballot that holds its group's voice (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Cast {
    /// The member that holds the voice.
    pub organisation: u32,
    /// Its newest choice.
    pub choice: Choice,
    /// The criterion of a "no" to an admission.
    pub criterion: Option<Text<40>>,
    /// Persons who signed it (domain 2.9: who votes an award takes no later step of its payments).
    pub persons: Vec<u32>,
    /// Ledger time.
    pub cast_ms: u64,
    /// Record id.
    pub record: Hash,
}

/// A motion to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What it does.
    pub effect: MotionEffect,
    /// Organisation and group that proposed it; none where a rule opens it.
    pub proposer: Option<(u32, u32)>,
    /// Who decides; [`effects::body`] says who does by default.
    pub body: DecidingBody,
    /// SHA-256 of the text.
    pub text: Hash,
    /// Days the ballot is open; none for the shortest of the rule.
    pub ballot_days: Option<u32>,
}

/// Applies an act on motions.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &MotionAct) -> Result<Outcome, Refusal> {
    match act {
        MotionAct::Propose(proposal) => propose(tx, actor, proposal),
        MotionAct::Support { motion } => support(tx, actor, *motion),
        MotionAct::Vote(ballot) => vote(tx, actor, ballot),
        MotionAct::DeclareConflict { motion, kind } => declare(tx, actor, *motion, *kind),
        MotionAct::Withdraw { motion } => withdraw(tx, actor, *motion),
        MotionAct::AcceptPost { post } => posts::accept(tx, actor, *post),
    }
}

/// A motion by number, or a refusal that names it.
pub fn get(tables: &StateTables, number: u32) -> Result<&Motion, Refusal> {
    tables
        .motions
        .get(&number)
        .ok_or_else(|| Refusal::new("A4.unknown-motion", vec![("motion", number.to_string())]))
}

/// Whether the organisation may vote in a body now: a live membership with a vote, and the seat.
pub fn entitled(tables: &StateTables, now: u64, body: DecidingBody, organisation: u32) -> bool {
    let rights = membership::rights(tables, organisation);
    match body {
        DecidingBody::Assembly => rights.assembly_vote,
        DecidingBody::Board => {
            rights.board_vote
                && tables
                    .seats
                    .get(&organisation)
                    .is_some_and(|until| now <= *until)
        }
        DecidingBody::Committee(fund) => {
            rights.votes
                && tables
                    .committee_seats
                    .get(&(fund, organisation))
                    .is_some_and(|until| now <= *until)
        }
        // Working groups are not part of this build.
        DecidingBody::WorkingGroup(_) => false,
    }
}

/// Every organisation that may vote in a body now, with its group; ascending by organisation.
pub fn electorate_now(tables: &StateTables, now: u64, body: DecidingBody) -> BTreeMap<u32, u32> {
    let candidates: Vec<u32> = match body {
        DecidingBody::Assembly => tables
            .memberships
            .iter()
            .map(|(_, membership)| membership.organisation)
            .collect(),
        DecidingBody::Board => tables
            .seats
            .iter()
            .map(|(organisation, _)| *organisation)
            .collect(),
        DecidingBody::Committee(fund) => tables
            .committee_seats
            .range((fund, 0)..=(fund, u32::MAX))
            .map(|((_, organisation), _)| *organisation)
            .collect(),
        DecidingBody::WorkingGroup(_) => Vec::new(),
    };
    let members: BTreeSet<u32> = candidates
        .into_iter()
        .filter(|o| entitled(tables, now, body, *o))
        .collect();
    let group = groups::partition(tables, members.iter().copied());
    members
        .into_iter()
        .map(|organisation| {
            (
                organisation,
                group.get(&organisation).copied().unwrap_or(organisation),
            )
        })
        .collect()
}

/// The frozen electorate of a motion: organisation to group.
pub fn electorate(tables: &StateTables, motion: u32) -> BTreeMap<u32, u32> {
    tables
        .electorates
        .range((motion, 0)..=(motion, u32::MAX))
        .map(|((_, o), group)| (*o, *group))
        .collect()
}

/// The counted ballots of a motion so far, by group. Which of them are recused is settled by
/// [`recused`].
pub fn ballots(tables: &StateTables, motion: u32) -> BTreeMap<u32, Cast> {
    tables
        .ballots
        .range((motion, 0)..=(motion, u32::MAX))
        .map(|((_, group), cast)| (*group, cast.clone()))
        .collect()
}

/// Organisations that have a conflict in the matter now: the groups of the parties and of those who
/// declared one.
fn conflicted(tx: &Tx, motion: u32, effect: &MotionEffect) -> BTreeSet<u32> {
    let declared =
        tx.t.conflicts
            .range((motion, 0)..=(motion, u32::MAX))
            .map(|((_, organisation), _)| *organisation);
    let parties: BTreeSet<u32> = effects::interested(tx, effect)
        .into_iter()
        .chain(declared)
        .collect();
    parties
        .into_iter()
        .flat_map(|party| groups::members(tx.t, party))
        .collect()
}

/// The voices of `electorate` that may not decide this matter now.
fn recused_of(
    tx: &Tx,
    motion: u32,
    effect: &MotionEffect,
    electorate: &BTreeMap<u32, u32>,
) -> BTreeSet<u32> {
    let conflicted = conflicted(tx, motion, effect);
    electorate
        .iter()
        .filter(|(organisation, _)| conflicted.contains(organisation))
        .map(|(_, group)| *group)
        .collect()
}

/// The recused voices (groups) of a motion as of now (RULINGS R1: recomputed until the close).
pub fn recused(tx: &Tx, motion: &Motion) -> BTreeSet<u32> {
    recused_of(
        tx,
        motion.number,
        &motion.effect,
        &electorate(tx.t, motion.number),
    )
}

/// Whether one voice is among [`recused`], without the others.
fn is_recused(tx: &Tx, motion: &Motion, group: u32) -> bool {
    let of_group =
        |organisation: &u32| tx.t.electorates.get(&(motion.number, *organisation)) == Some(&group);
    conflicted(tx, motion.number, &motion.effect)
        .iter()
        .any(of_group)
}

/// What the ballots come to as of now.
pub fn count(tx: &Tx, motion: &Motion) -> Counts {
    let voices: BTreeSet<u32> = electorate(tx.t, motion.number).into_values().collect();
    let recused = recused(tx, motion);
    let size = |set: &BTreeSet<u32>| u32::try_from(set.len()).unwrap_or(u32::MAX);
    let mut counts = Counts {
        electorate: size(&voices),
        recused: size(&recused),
        ..Counts::default()
    };
    for (group, cast) in ballots(tx.t, motion.number) {
        if !voices.contains(&group) || recused.contains(&group) {
            continue;
        }
        match cast.choice {
            Choice::Yes => counts.yes += 1,
            Choice::No => counts.no += 1,
            Choice::Abstain => counts.abstain += 1,
        }
    }
    counts
}

fn digest(electorate: &BTreeMap<u32, u32>) -> Hash {
    let mut tree = Frontier::new();
    for (organisation, group) in electorate {
        tree.append(leaf_hash(&encode(&(*organisation, *group))));
    }
    tree.root()
}

/// Days of a ballot under a rule, or why not.
fn ballot_period(rule: &MotionRule, days: Option<u32>) -> Result<Period, Refusal> {
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

fn days_of(period: Period) -> u32 {
    match period {
        Period::Days(n) | Period::WorkingDays(n) => n,
        Period::Hours(_) => 0,
    }
}

/// The lowest body, from `body` upwards, with enough unrelated voices (RULINGS R7), its rule and
/// its electorate.
fn seat(
    tx: &Tx,
    number: u32,
    kind: MotionKind,
    effect: &MotionEffect,
    charter: u32,
    mut body: DecidingBody,
    mut rule: MotionRule,
) -> Result<(DecidingBody, MotionRule, BTreeMap<u32, u32>), Refusal> {
    let (rules, min_elig) = {
        let charter = tx.charter_of(charter)?;
        (&charter.rules, charter.motions.min_elig)
    };
    // A rescission is for the same body, whoever is left of it.
    let fixed = matches!(effect, MotionEffect::Rescind { .. });
    loop {
        let electorate = electorate_now(tx.t, tx.now, body);
        let voices: BTreeSet<u32> = electorate.values().copied().collect();
        let elig = voices.len() - recused_of(tx, number, effect, &electorate).len();
        let enough = elig >= min_elig as usize && 2 * elig >= voices.len();
        match (body.above(), rules.escalated(kind, &rule)) {
            (Some(above), Some(higher)) if !enough && !fixed => (body, rule) = (above, higher),
            _ => return Ok((body, rule, electorate)),
        }
    }
}

/// Opens a motion: the effect is possible, the electorate frozen, the close scheduled. Returns its
/// number. For rules of the ledger as well as for proposals; who may propose is not asked here.
pub fn open(tx: &mut Tx, opening: Opening) -> Result<u32, Refusal> {
    let motion = prepare(tx, opening)?;
    let number = motion.number;
    begin(tx, motion, None, None)?;
    Ok(number)
}

/// A motion with every check made, not written yet. Its status says nothing before it is.
fn prepare(tx: &mut Tx, opening: Opening) -> Result<Motion, Refusal> {
    let Opening {
        effect,
        proposer,
        body,
        text,
        ballot_days,
    } = opening;
    effects::check(tx, &effect)?;
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
    let number = tx.next_number(Counter::Motion);
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

/// Moves a motion by the table and writes it.
fn set(tx: &mut Tx, mut motion: Motion, to: MotionStatus) -> Result<(), Refusal> {
    motion.status = crate::funding::step(&table::ROWS, "R10", Some(motion.status), to)?;
    tx.t.motions.put(motion.number, motion);
    Ok(())
}

/// Freezes the electorate and opens the ballots, at first and again. `closes_ms` fixes the close
/// where it is not a period.
fn begin(
    tx: &mut Tx,
    mut motion: Motion,
    from: Option<MotionStatus>,
    closes_ms: Option<u64>,
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
    let old: Vec<u32> = self::electorate(tx.t, number).into_keys().collect();
    for organisation in old {
        tx.t.electorates.remove((number, organisation));
    }
    let cast: Vec<u32> = ballots(tx.t, number).into_keys().collect();
    for group in cast {
        tx.t.ballots.remove((number, group));
    }
    motion.members = u32::try_from(electorate.len()).unwrap_or(u32::MAX);
    motion.voices =
        u32::try_from(electorate.values().collect::<BTreeSet<_>>().len()).unwrap_or(u32::MAX);
    motion.electorate = digest(&electorate);
    for (organisation, group) in electorate {
        tx.t.electorates.put((number, organisation), group);
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
    motion.status = crate::funding::step(&table::ROWS, "R10", from, MotionStatus::Open)?;
    motion.opened_ms = tx.now;
    tx.t.motions.put(number, motion);
    Ok(())
}

/// The event of an opening by the clock.
pub(crate) fn opened_event(tables: &StateTables, number: u32) -> Option<EventBody> {
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
            .get(&(DeadlineKind::MotionClose as u16, number))
            .copied()
            .unwrap_or(0),
    })
}

fn propose(tx: &mut Tx, actor: &Actor, proposal: &Proposal) -> Result<Outcome, Refusal> {
    let group = groups::group_of(tx.t, actor.number());
    let proposer = Some((actor.number(), group));
    if let MotionEffect::Rescind { motion } = proposal.effect {
        return propose_rescission(tx, actor, proposal, motion, proposer);
    }
    let Some(kind) = proposal.effect.kind() else {
        refuse!("R10.not-opened-alone")
    };
    let body = effects::body(tx, &proposal.effect)?;
    let gathers = may_propose(tx, actor, kind, body, effects::scope(tx, &proposal.effect))?;
    let opening = Opening {
        effect: proposal.effect.clone(),
        proposer,
        body,
        text: proposal.text,
        ballot_days: Some(proposal.ballot_days),
    };
    let mut motion = prepare(tx, opening)?;
    if gathers {
        // It waits for support before ballots are taken, and freezes its electorate then.
        let number = motion.number;
        motion.status = crate::funding::step(&table::ROWS, "R10", None, MotionStatus::Gathering)?;
        tx.t.motions.put(number, motion);
        let due = tx.deadline(Period::Days(SUPPORT_DAYS));
        tx.schedule(DeadlineKind::MotionSupport, number, due);
        return support(tx, actor, number);
    }
    begin(tx, motion, None, None)?;
    Ok(Outcome::Applied)
}

/// RULINGS R10: who may propose. Returns whether the motion must first gather support.
fn may_propose(
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
    let seated = entitled(tx.t, tx.now, DecidingBody::Board, actor.number());
    match body.kind() {
        BodyKind::Board if seated => Ok(false),
        BodyKind::Assembly if by_size && seated => Ok(false),
        BodyKind::Assembly if entitled(tx.t, tx.now, DecidingBody::Assembly, actor.number()) => {
            Ok(true)
        }
        _ => refuse!(
            "R10.may-not-propose",
            organisation = actor.number(),
            body = body.kind().code()
        ),
    }
}

fn propose_rescission(
    tx: &mut Tx,
    actor: &Actor,
    proposal: &Proposal,
    target: u32,
    proposer: Option<(u32, u32)>,
) -> Result<Outcome, Refusal> {
    effects::check(tx, &proposal.effect)?;
    require!(
        proposal.ballot_days == 0,
        "R10.ballot-ends-with-stay",
        days = proposal.ballot_days
    );
    let target = get(tx.t, target)?.clone();
    let Some(closes) = tx.due(DeadlineKind::MotionEffect, target.number) else {
        refuse!("R10.not-staying", motion = target.number)
    };
    // "The same body": any of its voices, or the secretary, may ask it.
    if actor.organisation.kind == OrganisationKind::Office {
        must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    } else {
        actor.must_sign(Role::Primary)?;
        let may = entitled(tx.t, tx.now, target.body, actor.number());
        require!(
            may,
            "R10.may-not-propose",
            organisation = actor.number(),
            body = target.body.kind().code()
        );
    }
    let number = tx.next_number(Counter::Motion);
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
    begin(tx, motion, None, Some(closes))?;
    Ok(Outcome::Applied)
}

fn support(tx: &mut Tx, actor: &Actor, number: u32) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let motion = get(tx.t, number)?.clone();
    require!(
        motion.status == MotionStatus::Gathering,
        "R10.not-gathering",
        motion = number
    );
    let organisation = actor.number();
    require!(
        entitled(tx.t, tx.now, DecidingBody::Assembly, organisation),
        "R10.not-entitled",
        organisation = organisation
    );
    require!(
        !tx.t.supports.contains(&(number, organisation)),
        "R10.already-supports",
        organisation = organisation
    );
    tx.t.supports.put((number, organisation), tx.now);
    let supporters: Vec<u32> =
        tx.t.supports
            .range((number, 0)..=(number, u32::MAX))
            .map(|((_, organisation), _)| *organisation)
            .collect();
    // Voices of those who support it and are still entitled, in both bodies.
    let voices = |body| {
        let electorate = electorate_now(tx.t, tx.now, body);
        let all: BTreeSet<u32> = electorate.values().copied().collect();
        let with: BTreeSet<u32> = supporters
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

fn vote(tx: &mut Tx, actor: &Actor, ballot: &Ballot) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let (motion, group) = voice(tx, actor, ballot.motion)?;
    let (number, organisation) = (motion.number, actor.number());
    let cites = motion.kind == MotionKind::Admit
        && ballot.choice == Choice::No
        && !matches!(motion.effect, MotionEffect::Rescind { .. });
    match &ballot.criterion {
        None => require!(!cites, "M08.criterion-required", motion = number),
        Some(criterion) => {
            require!(cites, "M08.criterion-unexpected", motion = number);
            let published = tx.charter_of(motion.charter)?.criteria.contains(criterion);
            require!(published, "M08.unknown-criterion", criterion = criterion);
        }
    }
    if let Declaration::Conflict(kind) = ballot.declaration {
        tx.t.conflicts.put((number, organisation), kind);
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
    let persons: Vec<u32> = actor.signers.iter().map(|signer| signer.person).collect();
    effects::check_voters(tx, &motion.effect, &persons)?;
    let cast = Cast {
        organisation,
        choice: ballot.choice,
        criterion: ballot.criterion.clone(),
        persons,
        cast_ms: tx.now,
        record: tx.record,
    };
    tx.t.ballots.put((number, group), cast);
    if tx.charter_of(motion.charter)?.motions.early_close && count(tx, &motion).all_voted() {
        // RULINGS R10: a day without a new ballot, and never before the shortest ballot of the rule
        // (domain 1.5).
        let calendar = tx.calendar();
        let shortest = calendar.deadline(motion.opened_ms, motion.rule.ballot_min);
        let early = tx.delay(Period::Hours(EARLY_HOURS)).max(shortest);
        if tx
            .due(DeadlineKind::MotionClose, number)
            .is_some_and(|close| early < close)
        {
            tx.schedule(DeadlineKind::MotionEarly, number, early);
        }
    }
    Ok(Outcome::Applied)
}

fn declare(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    kind: ConflictKind,
) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let (motion, _) = voice(tx, actor, number)?;
    tx.t.conflicts.put((motion.number, actor.number()), kind);
    Ok(Outcome::Applied)
}

/// The open motion and the actor's frozen voice in it, or why the actor has none.
fn voice(tx: &Tx, actor: &Actor, number: u32) -> Result<(Motion, u32), Refusal> {
    let motion = get(tx.t, number)?.clone();
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
        entitled(tx.t, tx.now, motion.body, organisation),
        "R1.no-longer-entitled",
        organisation = organisation
    );
    Ok((motion, group))
}

fn withdraw(tx: &mut Tx, actor: &Actor, number: u32) -> Result<Outcome, Refusal> {
    let motion = get(tx.t, number)?.clone();
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
            .range((number, 0)..=(number, u32::MAX))
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

/// Ends a motion whose object is gone (an applicant withdrew): no effect, no [`effects::failed`].
pub(crate) fn drop_motion(tx: &mut Tx, number: u32) -> Result<(), Refusal> {
    let motion = get(tx.t, number)?.clone();
    if motion.status.is_final() {
        return Ok(());
    }
    cancel_all(tx, number);
    set(tx, motion, MotionStatus::Withdrawn)
}

fn cancel_all(tx: &mut Tx, number: u32) {
    use DeadlineKind::{
        MotionClose, MotionEarly, MotionEffect, MotionRetable, MotionStuck, MotionSupport,
    };
    for kind in [
        MotionClose,
        MotionEarly,
        MotionEffect,
        MotionStuck,
        MotionRetable,
        MotionSupport,
    ] {
        tx.cancel(kind, number);
    }
}

/// Writes a failure and tells the effect's owner.
fn finish(tx: &mut Tx, motion: Motion, due: u64, failure: Failure) -> Result<(), Refusal> {
    let status = match failure {
        Failure::Rejected => MotionStatus::Rejected,
        Failure::Lapsed => MotionStatus::Lapsed,
        Failure::Void => MotionStatus::Void,
        Failure::Rescinded => MotionStatus::Rescinded,
        Failure::Withdrawn => MotionStatus::Withdrawn,
    };
    cancel_all(tx, motion.number);
    let (number, effect) = (motion.number, motion.effect.clone());
    set(tx, motion, status)?;
    effects::failed(tx, number, due, &effect, failure)
}

/// Acts out a deadline of a motion.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: u32,
    due: u64,
) -> Result<(), Refusal> {
    let motion = get(tx.t, number)?.clone();
    match kind {
        DeadlineKind::MotionClose => close(tx, motion, due),
        DeadlineKind::MotionEarly if count(tx, &motion).all_voted() => close(tx, motion, due),
        DeadlineKind::MotionEffect => take_effect(tx, motion, due),
        DeadlineKind::MotionStuck => {
            let code = Text::new("R10.effect-failed").unwrap_or_default();
            void(tx, motion, due, code)
        }
        DeadlineKind::MotionRetable => {
            let mut motion = motion;
            if let Err(refusal) = effects::check(tx, &motion.effect) {
                return void(tx, motion, due, Text::new(refusal.code).unwrap_or_default());
            }
            motion.retabled += 1;
            begin(tx, motion, Some(MotionStatus::Waiting), None)?;
            if let Some(event) = opened_event(tx.t, number) {
                tx.emit(due, event);
            }
            Ok(())
        }
        DeadlineKind::MotionSupport => {
            tx.emit(due, EventBody::MotionUnsupported { motion: number });
            finish(tx, motion, due, Failure::Lapsed)
        }
        _ => Ok(()),
    }
}

fn void(tx: &mut Tx, mut motion: Motion, due: u64, code: Text<64>) -> Result<(), Refusal> {
    tx.emit(
        due,
        EventBody::MotionVoid {
            motion: motion.number,
            code: code.clone(),
        },
    );
    motion.void = Some(code);
    finish(tx, motion, due, Failure::Void)
}

fn close(tx: &mut Tx, mut motion: Motion, due: u64) -> Result<(), Refusal> {
    let number = motion.number;
    tx.cancel(DeadlineKind::MotionClose, number);
    tx.cancel(DeadlineKind::MotionEarly, number);
    let (min_elig, retable_limit, retable_wait) = {
        let parameters = &tx.charter_of(motion.charter)?.motions;
        (
            parameters.min_elig,
            parameters.retable_limit,
            parameters.retable_wait_days,
        )
    };
    let tally = tally::tally(count(tx, &motion), &motion.rule, min_elig);
    motion.tally = Some(Box::new(tally.clone()));
    let outcome = tally.outcome;
    tx.emit(
        due,
        EventBody::MotionClosed {
            motion: number,
            body: motion.body,
            retabled: motion.retabled,
            tally,
        },
    );
    if let Err(refusal) = effects::check(tx, &motion.effect) {
        return void(tx, motion, due, Text::new(refusal.code).unwrap_or_default());
    }
    match outcome {
        // It must come before the effect that it undoes, which is due at this same instant.
        tally::Outcome::Passed if matches!(motion.effect, MotionEffect::Rescind { .. }) => {
            let effect = motion.effect.clone();
            set(tx, motion, MotionStatus::CarriedOut)?;
            tx.emit(due, EventBody::MotionCarriedOut { motion: number });
            effects::carry_out(tx, number, due, &effect)
        }
        tally::Outcome::Passed => {
            // Without a stay the effect is due at once: this block still acts it out, in an overlay
            // of its own.
            let effect_due = motion.rule.stay.map_or(due, |stay| tx.delay(stay));
            set(tx, motion, MotionStatus::Staying)?;
            tx.schedule(DeadlineKind::MotionEffect, number, effect_due);
            tx.schedule(DeadlineKind::MotionStuck, number, effect_due);
            Ok(())
        }
        tally::Outcome::Rejected => finish(tx, motion, due, Failure::Rejected),
        tally::Outcome::NoQuorum
            if motion.retabled < retable_limit
                && !matches!(motion.effect, MotionEffect::Rescind { .. }) =>
        {
            set(tx, motion, MotionStatus::Waiting)?;
            let again = tx.deadline(Period::Days(retable_wait));
            tx.schedule(DeadlineKind::MotionRetable, number, again);
            Ok(())
        }
        tally::Outcome::NoQuorum => finish(tx, motion, due, Failure::Lapsed),
        // A rescission is for the same body only.
        tally::Outcome::Escalate { .. }
            if matches!(motion.effect, MotionEffect::Rescind { .. }) =>
        {
            void(
                tx,
                motion,
                due,
                Text::new("R7.too-few-voices").unwrap_or_default(),
            )
        }
        tally::Outcome::Escalate { .. } => {
            begin(tx, motion, Some(MotionStatus::Open), None)?;
            if let Some(event) = opened_event(tx.t, number) {
                tx.emit(due, event);
            }
            Ok(())
        }
        tally::Outcome::Void(reason) => {
            let code = match reason {
                tally::VoidReason::ImpossibleCounts => "R1.impossible-counts",
                tally::VoidReason::TooFewVoices => "R7.too-few-voices",
            };
            void(tx, motion, due, Text::new(code).unwrap_or_default())
        }
    }
}

fn take_effect(tx: &mut Tx, motion: Motion, due: u64) -> Result<(), Refusal> {
    let number = motion.number;
    if let Err(refusal) = effects::check(tx, &motion.effect) {
        return void(tx, motion, due, Text::new(refusal.code).unwrap_or_default());
    }
    // If carrying out fails, everything of this deadline is dropped and `MotionStuck`, due at the
    // same instant, voids the motion.
    tx.cancel(DeadlineKind::MotionStuck, number);
    let effect = motion.effect.clone();
    set(tx, motion, MotionStatus::CarriedOut)?;
    tx.emit(due, EventBody::MotionCarriedOut { motion: number });
    effects::carry_out(tx, number, due, &effect)
}

/// Undoes a motion that stays; its effect never comes.
fn rescind(tx: &mut Tx, number: u32, due: u64) -> Result<(), Refusal> {
    let motion = get(tx.t, number)?.clone();
    require!(
        motion.status == MotionStatus::Staying,
        "R10.not-staying",
        motion = number
    );
    finish(tx, motion, due, Failure::Rescinded)
}
