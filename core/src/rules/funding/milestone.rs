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
//! Absent: changes of milestones (F23).

use rollbook_proof::crypto::{Hash, sha256_tagged};
use rollbook_proof::number::LedgerTime;

use crate::account::Amount;
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{AgreementId, MilestoneId};
use crate::identity::{Role, Scope};
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::deed;
use crate::object::deed::Deed;
use crate::object::milestone::{Assessor, Milestone, MilestoneState as S};
use crate::record::{DrawFor, Evidence, Finding, MeasureKind};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, holds_post};
use crate::rules::funding::duties::Chain;
use crate::rules::funding::{draw, duties, payment, standing};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

impl Milestone {
    /// The number of its transitions: a final report has its own.
    fn code(&self, of_milestone: &'static str) -> &'static str {
        if self.is_final { "F43" } else { of_milestone }
    }
}

/// F14, F43: the grantee submits evidence.
pub(super) fn submit(
    tx: &mut Tx,
    actor: &Actor,
    number: MilestoneId,
    evidence: &[Evidence],
) -> Result<Outcome, Refusal> {
    let mut milestone = tx.get::<Milestone>(number)?;
    let agreement = tx.get::<Agreement>(milestone.agreement)?;
    require!(
        actor.number() == agreement.grantee,
        "F14.not-the-grantee",
        grantee = agreement.grantee
    );
    actor.must_sign(Role::Technical)?;
    let stands = matches!(
        agreement.state,
        AgreementState::InForce | AgreementState::Suspended
    );
    require!(
        stands,
        "F14.not-in-force",
        agreement = agreement.number,
        state = agreement.state
    );
    standing::require_delivers(tx, &agreement, milestone.is_final)?;
    let code = milestone.code("F14");
    tx.go(&mut milestone, code, S::Submitted)?;
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
                step: deed::Step::Assess,
                person: third.person,
                home: third.home,
                at_ms: third.found_ms.unwrap_or(LedgerTime::MAX),
            });
        }
    }
    for assessor in &mut milestone.assessors {
        assessor.finding = None;
        assessor.report = None;
        assessor.found_ms = None;
    }
    if fill(tx, &agreement, &mut milestone, 2)? {
        tx.go(&mut milestone, "R22", S::Assessing)?;
    }
    schedule(tx, &agreement, number)?;
    tx.put(milestone);
    Ok(Outcome::Applied)
}

/// N16: evidence serves one milestone, unless a further use says that it is shared.
fn claim_evidence(tx: &mut Tx, milestone: MilestoneId, item: &Evidence) -> Result<(), Refusal> {
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
        None => tx.t.evidence_used().put(key, milestone),
    }
    Ok(())
}

fn schedule(tx: &mut Tx, agreement: &Agreement, milestone: MilestoneId) -> Result<(), Refusal> {
    let days = tx.charter_of(agreement.terms.charter)?.funding.assess_days;
    let due = tx.deadline(Period::Days(days));
    if standing::suspension(tx, agreement) == Some(MeasureKind::Whole) {
        // F24: nobody may speak, so nobody is late. The days begin when the agreement goes on.
        let left = due.0.saturating_sub(tx.now.0);
        let key = (
            agreement.number,
            DeadlineKind::AssessDue as u16,
            milestone.0,
        );
        tx.t.paused().put(key, left);
        return Ok(());
    }
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
    let mut deeds = crate::rules::funding::award::deeds(tx, agreement.application);
    deeds.extend(milestone.deeds());
    let chain = Chain {
        grantee: agreement.grantee,
        deeds,
        distinct_groups: false,
    };
    for (person, _) in draw::order_for(tx, DrawFor::Agreement(agreement.number), milestone.number.0)
    {
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
            &tx.t,
            &chain,
            Deed {
                step: deed::Step::Assess,
                person,
                home,
                at_ms: tx.now,
            },
        ) {
            return Ok(Some(Assessor {
                person,
                home,
                finding: None,
                report: None,
                found_ms: None,
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

/// Appoints those whom a milestone under assessment lacks: one of the two, or the third. False: it
/// lacks nobody, or the draw has nobody.
fn refill(tx: &Tx, agreement: &Agreement, milestone: &mut Milestone) -> Result<bool, Refusal> {
    let wanted = match milestone.state {
        S::Assessing if milestone.assessors.len() < 2 => 2,
        S::Assessing if milestone.needs_third() => 3,
        _ => return Ok(false),
    };
    fill(tx, agreement, milestone, wanted)
}

/// Assessors of a milestone that a tie taints (RULINGS R30), each with the refusal that they would
/// meet: of the grantee's group, or of that of an earlier assessor.
fn tainted(tx: &Tx, agreement: &Agreement, milestone: &Milestone) -> Vec<(Deed, Refusal)> {
    let chain = Chain {
        grantee: agreement.grantee,
        deeds: Vec::new(),
        distinct_groups: false,
    };
    duties::tainted(&tx.t, chain, milestone.deeds())
}

/// Every milestone under assessment with an assessor whom a tie taints.
pub(super) fn all_tainted(tx: &Tx) -> Vec<MilestoneId> {
    let assessing =
        tx.t.milestones
            .iter()
            .filter(|(_, milestone)| milestone.state == S::Assessing);
    assessing
        .filter(|(_, milestone)| {
            tx.t.agreements
                .get(&milestone.agreement)
                .is_some_and(|agreement| !tainted(tx, agreement, milestone).is_empty())
        })
        .map(|(number, _)| *number)
        .collect()
}

/// R30, by the clock: tainted assessors are replaced by the next of the draw, their findings fall.
pub(super) fn on_tie(tx: &mut Tx, number: MilestoneId, due: Due) -> Result<(), Refusal> {
    let mut milestone = tx.get::<Milestone>(number)?;
    let agreement = tx.get::<Agreement>(milestone.agreement)?;
    if milestone.state != S::Assessing {
        return Ok(());
    }
    for (deed, _) in tainted(tx, &agreement, &milestone) {
        let before = milestone.assessors.len();
        milestone
            .assessors
            .retain(|known| known.person != deed.person);
        if milestone.assessors.len() == before {
            continue;
        }
        milestone.replaced.push(deed.person);
        let next = if refill(tx, &agreement, &mut milestone)? {
            milestone.assessors.last().map(|next| next.person)
        } else {
            None
        };
        tx.emit(
            due,
            EventBody::AssessorTainted {
                milestone: number,
                person: deed.person,
                next,
            },
        );
    }
    tx.go(&mut milestone, "R30", S::Assessing)?;
    schedule(tx, &agreement, number)?;
    tx.put(milestone);
    Ok(())
}

/// R22: the agreement's draw has an order, or a longer one: milestones that wait for assessors get
/// them.
pub(super) fn assessors_drawn(tx: &mut Tx, agreement: AgreementId) -> Result<(), Refusal> {
    let agreement = tx.get::<Agreement>(agreement)?;
    if agreement.first_milestone == MilestoneId(0) {
        return Ok(());
    }
    for number in agreement.milestones() {
        let mut milestone = tx.get::<Milestone>(number)?;
        if milestone.state == S::Submitted && fill(tx, &agreement, &mut milestone, 2)? {
            tx.go(&mut milestone, "R22", S::Assessing)?;
        } else if !refill(tx, &agreement, &mut milestone)? {
            continue;
        }
        schedule(tx, &agreement, number)?;
        tx.put(milestone);
    }
    Ok(())
}

/// F15, F43: an assessor's finding.
pub(super) fn assess(
    tx: &mut Tx,
    actor: &Actor,
    number: MilestoneId,
    finding: Finding,
    report: &Hash,
) -> Result<Outcome, Refusal> {
    let mut milestone = tx.get::<Milestone>(number)?;
    let mut agreement = tx.get::<Agreement>(milestone.agreement)?;
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
        milestone = number,
        state = milestone.state
    );
    standing::require_delivers(tx, &agreement, milestone.is_final)?;
    let person = milestone.assessors[at].person;
    if let Some((_, refusal)) = tainted(tx, &agreement, &milestone)
        .into_iter()
        .find(|(deed, _)| deed.person == person)
    {
        return Err(refusal);
    }
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
            amount > Amount::ZERO || milestone.is_final,
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
    milestone.assessors[at].found_ms = Some(tx.now);
    match milestone.agreed() {
        Some(finding) => {
            tx.cancel(DeadlineKind::AssessDue, number);
            conclude(tx, &mut agreement, &mut milestone, finding)?;
            tx.put(milestone.clone());
            payment::watch_advance(tx, &agreement);
            tx.put(agreement);
        }
        None if milestone.needs_third() && fill(tx, &agreement, &mut milestone, 3)? => {
            schedule(tx, &agreement, number)?
        }
        None => {}
    }
    tx.put(milestone);
    Ok(Outcome::Applied)
}

/// Two findings alike take effect.
fn conclude(
    tx: &mut Tx,
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
    let code = milestone.code("F15");
    tx.go(milestone, code, to)?;
    match finding {
        Finding::Accept(amount) => {
            milestone.accepted = amount;
            agreement.accepted = agreement.accepted.saturating_add(amount);
        }
        Finding::Rework => milestone.reworks = milestone.reworks.saturating_add(1),
        Finding::Reject => {}
    }
    if milestone.is_final && to == S::Accepted {
        tx.go(agreement, "F43", AgreementState::Completed)?;
        standing::on_completed(tx, agreement)?;
    }
    Ok(())
}

/// R13: assessors past the limit are replaced by the next of the draw; where there is none, that is
/// shown.
pub(super) fn on_deadline(tx: &mut Tx, number: MilestoneId, due: Due) -> Result<(), Refusal> {
    let mut milestone = tx.get::<Milestone>(number)?;
    let agreement = tx.get::<Agreement>(milestone.agreement)?;
    match milestone.state {
        S::Submitted => {
            if fill(tx, &agreement, &mut milestone, 2)? {
                tx.go(&mut milestone, "R22", S::Assessing)?;
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
            let wants = milestone.needs_third() || milestone.assessors.len() < 2;
            if wants && !refill(tx, &agreement, &mut milestone)? {
                tx.emit(due, EventBody::AssessorsMissing { milestone: number });
            }
            tx.go(&mut milestone, "R13", S::Assessing)?;
        }
        _ => return Ok(()),
    }
    schedule(tx, &agreement, number)?;
    tx.put(milestone);
    Ok(())
}
