//! Milestones: evidence (F14), assessment (F15), the final report (F43), and the exact arithmetic
//! of what a milestone pays (RULINGS R4; domain 2.5).
//!
//! * Milestones sum to the agreement's total. A milestone pays what was accepted, less the holdback
//!   share, less the share that clears the advance; the holdback is its own last tranche. Shares
//!   are rounded down; the last milestone takes the residue of both (N15), so that everything paid
//!   in the end is exactly what was accepted.
//! * The final report is a milestone without an amount: the same evidence, the same two assessors.
//!   Its acceptance completes the agreement and makes the holdback payable.
//! * Two assessors of distinct groups, unrelated to the grantee, neither of them an officer of the
//!   payment chain. They agree, or the next one decides between their two findings. Who is late is
//!   replaced, and that is shown (RULINGS R13).
//! * The same evidence serves one milestone, unless each further use says that it is shared (N16).
//!
//! Absent: changes of milestones (F23) and their cancellation with a terminated agreement (F25).

use bincode::{Decode, Encode};
use rollbook_proof::crypto::{Hash, sha256_tagged};

use super::agreement::{Agreement, AgreementState};
use super::duties::{Chain, Deed};
use super::{Row, agreement, describe, draw, duties, step};
use crate::apply::{DeadlineKind, EventBody, Outcome, Refusal, Tx};
use crate::calendar::Period;
use crate::identity::authority::{Actor, holds_post};
use crate::identity::{Role, Scope, groups};
use crate::record::{AgreementTerms, DrawFor, Evidence, Finding};
use crate::{refuse, require, row};

/// Where a milestone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MilestoneState {
    /// Agreed.
    Planned,
    /// Evidence is in, assessors are not yet appointed.
    Submitted,
    /// Assessors are at work.
    Assessing,
    /// Accepted as planned.
    Accepted,
    /// Accepted with a lower amount.
    PartlyAccepted,
    /// To be submitted again.
    Rework,
    /// Rejected for good.
    Rejected,
}

use MilestoneState as S;

/// Transitions of a milestone (domain 2.5).
pub const ROWS: [Row<MilestoneState>; 15] = [
    row!("F13", None => S::Planned, "GRT, 2 OFF", "agreement in force"),
    row!("F14", Some(S::Planned) => S::Submitted, "GRT", "agreement in force; evidence new or flagged shared (N16)"),
    row!("F14", Some(S::Rework) => S::Submitted, "GRT", "agreement in force; evidence new or flagged shared (N16)"),
    row!("R22", Some(S::Submitted) => S::Assessing, "CLK", "two of the agreement's draw, distinct groups, unrelated, no officer of the chain"),
    row!("F15", Some(S::Assessing) => S::Assessing, "ASR", "appointed; nothing said before; amount <= planned; the third joins one of two"),
    row!("R13", Some(S::Assessing) => S::Assessing, "CLK", "past assess_days: replaced by the next of the draw"),
    row!("F15", Some(S::Assessing) => S::Accepted, "2 ASR", "two alike: the whole amount"),
    row!("F15", Some(S::Assessing) => S::PartlyAccepted, "2 ASR", "two alike: a lower amount"),
    row!("F15", Some(S::Assessing) => S::Rework, "2 ASR", "two alike; fewer reworks than rework_max"),
    row!("F15", Some(S::Assessing) => S::Rejected, "2 ASR", "two alike, or reworks used up"),
    row!("F43", None => S::Planned, "GRT, 2 OFF", "agreement in force: the final report"),
    row!("F43", Some(S::Planned) => S::Submitted, "GRT", "every milestone is terminal"),
    row!("F43", Some(S::Rework) => S::Submitted, "GRT", "every milestone is terminal"),
    row!("F43", Some(S::Assessing) => S::Accepted, "2 ASR", "two alike: the agreement is completed, the holdback payable"),
    row!("F43", Some(S::Assessing) => S::Rework, "2 ASR", "two alike: a final report is reworked until it is accepted"),
];

impl MilestoneState {
    /// Nothing more happens to it but payment.
    pub fn is_terminal(self) -> bool {
        matches!(self, S::Accepted | S::PartlyAccepted | S::Rejected)
    }

    /// Accepted in full or in part.
    pub fn is_accepted(self) -> bool {
        matches!(self, S::Accepted | S::PartlyAccepted)
    }
}

/// An assessor of a milestone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Assessor {
    /// Person number.
    pub person: u32,
    /// Employer.
    pub home: u32,
    /// The finding, once given.
    pub finding: Option<Finding>,
    /// SHA-256 of the report.
    pub report: Option<Hash>,
    /// The assessor has also cast a ballot on the award: allowed only because it is recorded
    /// (domain 2.9).
    pub voted_award: bool,
}

/// A milestone (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Milestone {
    /// Its number in the ledger.
    pub number: u32,
    /// Its agreement.
    pub agreement: u32,
    /// Place in the agreement's plan; the final report comes after the last.
    pub index: u32,
    /// It is the final report.
    pub is_final: bool,
    /// Worth as planned, holdback included; 0 for the final report.
    pub planned: u64,
    /// Where it stands.
    pub state: MilestoneState,
    /// Ledger time since which it stands there.
    pub since_ms: u64,
    /// What was accepted.
    pub accepted: u64,
    /// Times it went back.
    pub reworks: u32,
    /// Id of the record with the newest evidence.
    pub submitted: Option<Hash>,
    /// Assessors now at work or done, in order of appointment; the third decides.
    pub assessors: Vec<Assessor>,
    /// Persons who were replaced for being late; they are not appointed again.
    pub replaced: Vec<u32>,
    /// Third assessors of earlier submissions: they stay in the chain.
    pub past: Vec<Deed>,
    /// The payment that lives or was made for it.
    pub payment: Option<u32>,
}

impl Milestone {
    /// Assessors now and before, as deeds of the chain.
    pub fn deeds(&self) -> impl Iterator<Item = Deed> + '_ {
        let now = self.assessors.iter().map(|assessor| Deed {
            step: duties::Step::Assess,
            person: assessor.person,
            home: assessor.home,
        });
        self.past.iter().copied().chain(now)
    }

    /// The finding that the assessors agree on, if they do: two alike, or the third joining one.
    pub fn agreed(&self) -> Option<Finding> {
        let given: Vec<Finding> = self
            .assessors
            .iter()
            .filter_map(|assessor| assessor.finding)
            .collect();
        given
            .iter()
            .enumerate()
            .find(|(at, finding)| given.iter().take(*at).any(|v| v == *finding))
            .map(|(_, finding)| *finding)
    }

    /// Two findings differ and the third is not there yet.
    pub fn needs_third(&self) -> bool {
        self.assessors.len() == 2
            && self
                .assessors
                .iter()
                .all(|assessor| assessor.finding.is_some())
            && self.agreed().is_none()
    }
}

/// What has been fixed by payments of an agreement that live or were made (not refused), in minor
/// units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Paid {
    /// The advance.
    pub advance: u64,
    /// Accepted amounts of milestones requested.
    pub gross: u64,
    /// Held back from them.
    pub held_back: u64,
    /// Cleared of the advance by them.
    pub cleared: u64,
    /// Paid for them.
    pub net: u64,
    /// The holdback tranche.
    pub holdback: u64,
}

/// How the accepted amount of a milestone divides: gross = held_back + cleared + net.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Share {
    /// Accepted.
    pub gross: u64,
    /// Held back until final acceptance.
    pub held_back: u64,
    /// Clears the advance.
    pub cleared: u64,
    /// To be paid.
    pub net: u64,
}

/// `amount * part / whole` rounded down; `part <= whole` and `whole > 0` or the result is 0.
fn portion(amount: u64, part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    u64::try_from(u128::from(amount) * u128::from(part.min(whole)) / u128::from(whole)).unwrap_or(0)
}

/// A share of an amount in basis points, rounded down.
pub fn basis_points(amount: u64, bp: u32) -> u64 {
    portion(amount, u64::from(bp), 10_000)
}

impl Paid {
    /// Everything paid or about to be.
    pub fn total(&self) -> u64 {
        self.advance
            .saturating_add(self.net)
            .saturating_add(self.holdback)
    }

    /// Part of the advance that no milestone has cleared.
    pub fn outstanding(&self) -> u64 {
        self.advance.saturating_sub(self.cleared)
    }

    /// What a milestone planned at `planned` and accepted at `gross` pays next. `last`: every other
    /// milestone is terminal and every other accepted one is requested, so this one takes the
    /// residues.
    pub fn share(&self, terms: &AgreementTerms, planned: u64, gross: u64, last: bool) -> Share {
        let held_back = if last {
            basis_points(self.gross.saturating_add(gross), terms.holdback_bp)
                .saturating_sub(self.held_back)
        } else {
            basis_points(gross, terms.holdback_bp)
        };
        let held_back = held_back.min(gross);
        let rest = gross - held_back;
        let cleared = if last {
            u64::MAX
        } else {
            portion(terms.advance, planned, terms.total)
        };
        let cleared = cleared.min(self.outstanding()).min(rest);
        Share {
            gross,
            held_back,
            cleared,
            net: rest - cleared,
        }
    }

    /// Adds a milestone's share.
    pub fn add(&mut self, share: &Share) {
        self.gross = self.gross.saturating_add(share.gross);
        self.held_back = self.held_back.saturating_add(share.held_back);
        self.cleared = self.cleared.saturating_add(share.cleared);
        self.net = self.net.saturating_add(share.net);
    }

    /// Takes it back: the payment was refused.
    pub fn take_back(&mut self, share: &Share) {
        self.gross = self.gross.saturating_sub(share.gross);
        self.held_back = self.held_back.saturating_sub(share.held_back);
        self.cleared = self.cleared.saturating_sub(share.cleared);
        self.net = self.net.saturating_sub(share.net);
    }

    /// What the holdback tranche pays when `accepted` in all was accepted: exactly what is still
    /// owed.
    pub fn holdback_due(&self, accepted: u64) -> u64 {
        accepted.saturating_sub(self.total())
    }

    /// Most that may be paid before final acceptance (N9).
    pub fn cap(terms: &AgreementTerms) -> u64 {
        terms.total - basis_points(terms.total, terms.holdback_bp)
    }
}

/// Whether every planned milestone pays something after holdback and advance, with room for the
/// residues that the last takes.
pub fn large_enough(terms: &AgreementTerms) -> bool {
    let room = 2 * terms.milestones.len() as u64;
    terms.milestones.iter().all(|plan| {
        let kept = basis_points(plan.amount, terms.holdback_bp).saturating_add(portion(
            terms.advance,
            plan.amount,
            terms.total,
        ));
        plan.amount.saturating_sub(kept) >= room
    })
}

/// A milestone by number.
pub fn get(tx: &Tx, number: u32) -> Result<Milestone, Refusal> {
    tx.t.milestones.get(&number).cloned().ok_or_else(|| {
        Refusal::new(
            "A4.unknown-milestone",
            vec![("milestone", number.to_string())],
        )
    })
}

fn put(tx: &mut Tx, milestone: Milestone) {
    tx.t.milestones.put(milestone.number, milestone);
}

/// The transitions as words.
pub fn table() -> Vec<super::Transition> {
    describe("milestone", &ROWS)
}

impl Milestone {
    /// The number of its transitions: a final report has its own.
    fn code(&self, of_milestone: &'static str) -> &'static str {
        if self.is_final { "F43" } else { of_milestone }
    }

    fn go(&mut self, tx: &Tx, code: &'static str, to: MilestoneState) -> Result<(), Refusal> {
        self.state = step(&ROWS, code, Some(self.state), to)?;
        self.since_ms = tx.now;
        Ok(())
    }
}

/// F14, F43: the grantee submits evidence.
pub(super) fn submit(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    evidence: &[Evidence],
) -> Result<Outcome, Refusal> {
    let mut milestone = get(tx, number)?;
    let agreement = agreement::get(tx, milestone.agreement)?;
    require!(
        actor.number() == agreement.grantee,
        "F14.not-the-grantee",
        grantee = agreement.grantee
    );
    actor.must_sign(Role::Technical)?;
    require!(
        agreement.state == AgreementState::InForce,
        "F14.not-in-force",
        state = format!("{:?}", agreement.state)
    );
    milestone.go(tx, milestone.code("F14"), S::Submitted)?;
    if milestone.is_final {
        let open = agreement.milestones().find(|other| {
            *other != number
                && tx
                    .t
                    .milestones
                    .get(other)
                    .is_some_and(|other| !other.state.is_terminal())
        });
        if let Some(open) = open {
            refuse!("F43.milestones-open", milestone = open);
        }
    }
    for item in evidence {
        claim_evidence(tx, number, item)?;
    }
    milestone.submitted = Some(tx.record);
    // A reworked milestone goes back to the same two; a third who decided earlier stays in the
    // chain.
    while milestone.assessors.len() > 2 {
        if let Some(third) = milestone.assessors.pop() {
            milestone.past.push(Deed {
                step: duties::Step::Assess,
                person: third.person,
                home: third.home,
            });
        }
    }
    for assessor in &mut milestone.assessors {
        assessor.finding = None;
        assessor.report = None;
    }
    if fill(tx, &agreement, &mut milestone, 2)? {
        milestone.go(tx, "R22", S::Assessing)?;
    }
    schedule(tx, &agreement, number)?;
    put(tx, milestone);
    Ok(Outcome::Applied)
}

/// N16: evidence serves one milestone, unless a further use says that it is shared.
fn claim_evidence(tx: &mut Tx, milestone: u32, item: &Evidence) -> Result<(), Refusal> {
    let key = sha256_tagged(
        "rollbook/evidence/v1",
        &[&rollbook_proof::codec::encode(&item.kind), &item.hash.0],
    );
    match tx.t.evidence_used.get(&key) {
        Some(other) if *other == milestone => {}
        Some(other) => require!(
            item.shared,
            "N16.evidence-used",
            evidence = item.hash,
            milestone = other
        ),
        None => tx.t.evidence_used.put(key, milestone),
    }
    Ok(())
}

fn schedule(tx: &mut Tx, agreement: &Agreement, milestone: u32) -> Result<(), Refusal> {
    let days = tx.charter_of(agreement.terms.charter)?.funding.assess_days;
    let due = tx.deadline(Period::Days(days));
    tx.schedule(DeadlineKind::AssessDue, milestone, due);
    Ok(())
}

/// Posts whose holders assess nothing in the fund: they certify, approve, release, confirm; the
/// auditor does nothing else.
const EXCLUDED: [Role; 5] = [
    Role::ProgrammeOfficer,
    Role::FinanceApprover,
    Role::Treasurer,
    Role::SecondOfficer,
    Role::Auditor,
];

/// The next of the agreement's draw who may assess this milestone.
fn next_assessor(
    tx: &Tx,
    agreement: &Agreement,
    milestone: &Milestone,
) -> Result<Option<Assessor>, Refusal> {
    let mut deeds = super::award::deeds(tx, agreement)?;
    deeds.extend(milestone.deeds());
    let chain = Chain {
        grantee: agreement.grantee,
        deeds,
        distinct_groups: false,
    };
    for (person, _) in draw::order_for(tx, DrawFor::Agreement(agreement.number), milestone.number) {
        let Some(home) = tx.t.persons.get(&person).map(|known| known.home) else {
            continue;
        };
        let officer = EXCLUDED
            .iter()
            .any(|role| holds_post(tx, person, *role, Scope::Fund(agreement.fund)));
        if officer || milestone.replaced.contains(&person) {
            continue;
        }
        if let Ok(voted_award) = duties::judge(
            tx.t,
            &chain,
            Deed {
                step: duties::Step::Assess,
                person,
                home,
            },
        ) {
            return Ok(Some(Assessor {
                person,
                home,
                finding: None,
                report: None,
                voted_award,
            }));
        }
    }
    Ok(None)
}

/// Appoints from the draw until there are `wanted` assessors. False: the draw has too few.
fn fill(
    tx: &Tx,
    agreement: &Agreement,
    milestone: &mut Milestone,
    wanted: usize,
) -> Result<bool, Refusal> {
    let before = milestone.assessors.clone();
    while milestone.assessors.len() < wanted {
        match next_assessor(tx, agreement, milestone)? {
            Some(next) => milestone.assessors.push(next),
            None => {
                milestone.assessors = before;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// R22: the agreement's draw has an order, or a longer one: milestones that wait for assessors get
/// them.
pub(super) fn assessors_drawn(tx: &mut Tx, agreement: u32) -> Result<(), Refusal> {
    let agreement = agreement::get(tx, agreement)?;
    if agreement.first_milestone == 0 {
        return Ok(());
    }
    for number in agreement.milestones() {
        let mut milestone = get(tx, number)?;
        if milestone.state == S::Submitted && fill(tx, &agreement, &mut milestone, 2)? {
            milestone.go(tx, "R22", S::Assessing)?;
        } else if !(milestone.needs_third() && fill(tx, &agreement, &mut milestone, 3)?) {
            continue;
        }
        schedule(tx, &agreement, number)?;
        put(tx, milestone);
    }
    Ok(())
}

/// F15, F43: an assessor's finding.
pub(super) fn assess(
    tx: &mut Tx,
    actor: &Actor,
    number: u32,
    finding: Finding,
    report: &Hash,
) -> Result<Outcome, Refusal> {
    let mut milestone = get(tx, number)?;
    let mut agreement = agreement::get(tx, milestone.agreement)?;
    let Some(at) = milestone.assessors.iter().position(|known| {
        actor
            .signers
            .iter()
            .any(|signer| signer.person == known.person)
    }) else {
        refuse!("F15.not-assessor", milestone = number)
    };
    require!(
        milestone.state == S::Assessing,
        "F15.wrong-state",
        state = format!("{:?}", milestone.state)
    );
    let home = milestone.assessors[at].home;
    require!(
        !groups::related(tx.t, home, agreement.grantee),
        "N13.related-to-grantee",
        organisation = home
    );
    require!(
        milestone.assessors[at].finding.is_none(),
        "F15.assessed-before",
        milestone = number
    );
    if let Finding::Accept(amount) = finding {
        require!(
            amount <= milestone.planned,
            "F15.above-plan",
            amount = amount,
            planned = milestone.planned
        );
        require!(
            amount > 0 || milestone.is_final,
            "F15.nothing-accepted",
            milestone = number
        );
    }
    // A final report ends the agreement well or not yet; ending it badly is a termination (F25).
    require!(
        !(milestone.is_final && finding == Finding::Reject),
        "F43.rework-instead",
        milestone = number
    );
    let third = milestone.assessors.len() == 3;
    let joins = milestone
        .assessors
        .iter()
        .any(|other| other.finding == Some(finding));
    require!(!third || joins, "F15.third-joins-one", milestone = number);
    milestone.assessors[at].finding = Some(finding);
    milestone.assessors[at].report = Some(*report);
    match milestone.agreed() {
        Some(finding) => {
            tx.cancel(DeadlineKind::AssessDue, number);
            conclude(tx, &mut agreement, &mut milestone, finding)?;
            agreement::put(tx, agreement);
        }
        None if milestone.needs_third() && fill(tx, &agreement, &mut milestone, 3)? => {
            schedule(tx, &agreement, number)?
        }
        None => {}
    }
    put(tx, milestone);
    Ok(Outcome::Applied)
}

/// Two findings alike take effect.
fn conclude(
    tx: &Tx,
    agreement: &mut Agreement,
    milestone: &mut Milestone,
    finding: Finding,
) -> Result<(), Refusal> {
    let reworkable = tx.charter_of(agreement.terms.charter)?.funding.rework_max > milestone.reworks;
    let to = match finding {
        Finding::Accept(amount) if amount == milestone.planned => S::Accepted,
        Finding::Accept(_) => S::PartlyAccepted,
        Finding::Rework if reworkable || milestone.is_final => S::Rework,
        Finding::Rework | Finding::Reject => S::Rejected,
    };
    milestone.go(tx, milestone.code("F15"), to)?;
    match finding {
        Finding::Accept(amount) => {
            milestone.accepted = amount;
            agreement.accepted = agreement.accepted.saturating_add(amount);
        }
        Finding::Rework => milestone.reworks = milestone.reworks.saturating_add(1),
        Finding::Reject => {}
    }
    if milestone.is_final && to == S::Accepted {
        agreement::go(tx, agreement, "F43", AgreementState::Completed)?;
    }
    Ok(())
}

/// R13: assessors past the limit are replaced by the next of the draw; where there is none, that is
/// shown.
pub(super) fn on_deadline(tx: &mut Tx, number: u32, due: u64) -> Result<(), Refusal> {
    let mut milestone = get(tx, number)?;
    let agreement = agreement::get(tx, milestone.agreement)?;
    match milestone.state {
        S::Submitted => {
            if fill(tx, &agreement, &mut milestone, 2)? {
                milestone.go(tx, "R22", S::Assessing)?;
            } else {
                tx.emit(due, EventBody::AssessorsMissing { milestone: number });
            }
        }
        S::Assessing => {
            let late: Vec<Assessor> = milestone
                .assessors
                .iter()
                .filter(|known| known.finding.is_none())
                .cloned()
                .collect();
            for assessor in late {
                let person = assessor.person;
                milestone.assessors.retain(|known| known.person != person);
                milestone.replaced.push(person);
                let next = next_assessor(tx, &agreement, &milestone)?;
                tx.emit(
                    due,
                    EventBody::AssessorLate {
                        milestone: number,
                        person,
                        next: next.as_ref().map(|next| next.person),
                    },
                );
                // Without anybody to follow, the late one may still speak.
                if next.is_none() {
                    milestone.replaced.pop();
                }
                milestone.assessors.push(next.unwrap_or(assessor));
            }
            if milestone.needs_third() && !fill(tx, &agreement, &mut milestone, 3)? {
                tx.emit(due, EventBody::AssessorsMissing { milestone: number });
            }
            milestone.go(tx, "R13", S::Assessing)?;
        }
        _ => return Ok(()),
    }
    schedule(tx, &agreement, number)?;
    put(tx, milestone);
    Ok(())
}

#[cfg(test)]
#[path = "milestone_tests.rs"]
mod tests;
