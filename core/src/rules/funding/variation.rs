//! Changes of an agreement (F23, N17).
//!
//! * The grantee asks with the milestones as they are to be, primary and finance officer together: that is its
//!   signature under the changed agreement. As many milestones as before; one that was submitted or decided stays
//!   as it is; the amounts sum to the new total (N5).
//! * Minor is what moves no more than `minor_change_bp` of the total between milestones and puts no day off by more
//!   than `minor_extension_days`, all minor changes of the agreement together, with the total and what counts as
//!   evidence as they were. The programme officer alone agrees to it. Everything else is major: the body that
//!   granted the award decides it by motion, or a higher one if the new total asks for it.
//! * An increase takes its amount from the call (B -> K, so B holds it, N4), a decrease returns it by RULINGS R3
//!   (K -> B or A), and never what is spent or owed.
//! * What nobody decides in `measure_days` lapses.
//!
//! Absent: a change of the parties (R46) and of the number of milestones.

use rollbook_proof::number::OrganisationId;

use crate::account::{AccountKind, Amount, Movement};
use crate::calendar::{MS_PER_DAY, Period};
use crate::charter::motions::{BodyKind, DecidingBody, MotionKind};
use crate::event::EventBody;
use crate::id::{MotionId, PersonId, VariationId};
use crate::identity::{Role, Scope};
use crate::object::Machine;
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::award::Award;
use crate::object::matter::Matter;
use crate::object::milestone::{Milestone, MilestoneState, Paid, basis_points, large_enough};
use crate::object::motion::Failure;
use crate::object::variation::{Variation, VariationStatus as S};
use crate::record::{AwardAct, ChangeAgreement, ChangeRequest, Decision};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::bank::post;
use crate::rules::effect::{Effect, scope_of};
use crate::rules::funding::life::{free, held};
use crate::rules::funding::standing::settle_change as over;
use crate::rules::funding::{award, fund};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Applies an act on a change.
pub(super) fn apply(tx: &mut Tx, actor: &Actor, act: &AwardAct) -> Result<(), Refusal> {
    match act {
        AwardAct::RequestChange(request) => ask(tx, actor, request),
        AwardAct::JudgeChange {
            variation,
            decision,
        } => judge(tx, actor, *variation, decision),
        AwardAct::WithdrawChange { variation } => withdraw(tx, actor, *variation),
        _ => refuse!("A4.no-such-transition"),
    }
}

/// What a change comes to.
struct Change {
    /// The new total.
    total: Amount,
    /// What moves to milestones that become larger.
    moved: Amount,
    /// By how much a day is put off at most.
    later_ms: u64,
    /// What counts as evidence is another.
    evidence: bool,
}

impl Change {
    fn of(agreement: &Agreement, request: &ChangeRequest) -> Change {
        let pairs = || agreement.terms.milestones.iter().zip(&request.milestones);
        let amounts = request.milestones.iter().map(|plan| plan.amount);
        Change {
            total: amounts.fold(Amount::ZERO, Amount::saturating_add),
            moved: pairs()
                .map(|(old, new)| new.amount.saturating_sub(old.amount))
                .fold(Amount::ZERO, Amount::saturating_add),
            later_ms: pairs()
                .map(|(old, new)| new.due_ms.0.saturating_sub(old.due_ms.0))
                .max()
                .unwrap_or(0),
            evidence: pairs().any(|(old, new)| old.evidence != new.evidence),
        }
    }
}

/// Whether the programme officer alone may agree to it: what all minor changes come to is judged (N17).
fn is_minor(tx: &Tx, agreement: &Agreement, change: &Change) -> Result<bool, Refusal> {
    let funding = tx.charter_of(agreement.terms.charter)?.funding;
    let most = basis_points(agreement.terms.total, funding.minor_change_bp);
    let latest = u64::from(funding.minor_extension_days).saturating_mul(MS_PER_DAY);
    Ok(change.total == agreement.terms.total
        && !change.evidence
        && agreement.moved.saturating_add(change.moved) <= most
        && agreement.later_ms.saturating_add(change.later_ms) <= latest)
}

/// The guards of a change, when it is asked for and when it takes effect.
fn check(tx: &Tx, agreement: &Agreement, request: &ChangeRequest) -> Result<Change, Refusal> {
    require!(
        agreement.state == AgreementState::InForce,
        "F23.not-in-force",
        agreement = agreement.number,
        state = agreement.state
    );
    let plans = &agreement.terms.milestones;
    require!(
        request.milestones.len() == plans.len(),
        "F23.other-count",
        agreement = agreement.number,
        milestones = plans.len()
    );
    require!(
        request.milestones != *plans,
        "F23.nothing-changes",
        agreement = agreement.number
    );
    for ((number, old), new) in agreement.milestones().zip(plans).zip(&request.milestones) {
        if old == new {
            continue;
        }
        let state = tx.get::<Milestone>(number)?.state;
        require!(
            matches!(state, MilestoneState::Planned | MilestoneState::Rework),
            "F23.milestone-decided",
            milestone = number,
            state = state
        );
        require!(
            new.due_ms > tx.now,
            "F23.due-in-the-past",
            milestone = number
        );
    }
    let change = Change::of(agreement, request);
    let mut terms = agreement.terms.clone();
    terms.milestones = request.milestones.clone();
    terms.total = change.total;
    require!(
        large_enough(&terms),
        "F23.milestone-too-small",
        agreement = agreement.number
    );
    let (paid, cap) = (agreement.paid.total(), Paid::cap(&terms));
    require!(paid <= cap, "N9.above-cap", paid = paid, cap = cap);
    Ok(change)
}

fn ask(tx: &mut Tx, actor: &Actor, request: &ChangeRequest) -> Result<(), Refusal> {
    let mut agreement = tx.get::<Agreement>(request.agreement)?;
    require!(
        actor.number() == agreement.grantee,
        "F23.not-the-grantee",
        grantee = agreement.grantee
    );
    actor.must_sign(Role::Primary)?;
    actor.must_sign(Role::Finance)?;
    if let Some(other) = agreement.variation {
        refuse!("F23.change-waits", variation = other);
    }
    check(tx, &agreement, request)?;
    let number = tx.next_id::<VariationId>();
    let days = tx.charter_of(agreement.terms.charter)?.funding.measure_days;
    let lapse = tx.deadline(Period::Days(days));
    tx.schedule(DeadlineKind::VariationLapse, number, lapse);
    let variation = Variation {
        number,
        request: request.clone(),
        record: tx.record,
        judged_by: None,
        refused: None,
        status: tx.begin::<Variation>(number, "F23", S::Requested)?,
        since_ms: tx.now,
    };
    agreement.variation = Some(number);
    tx.put(variation);
    tx.put(agreement);
    Ok(())
}

fn withdraw(tx: &mut Tx, actor: &Actor, number: VariationId) -> Result<(), Refusal> {
    let variation = tx.get::<Variation>(number)?;
    let mut agreement = tx.get::<Agreement>(variation.agreement())?;
    require!(
        actor.number() == agreement.grantee,
        "F23.not-the-grantee",
        grantee = agreement.grantee
    );
    actor.must_sign(Role::Primary)?;
    over(tx, variation, &mut agreement, "F23", S::Withdrawn)?;
    tx.put(agreement);
    Ok(())
}

fn judge(
    tx: &mut Tx,
    actor: &Actor,
    number: VariationId,
    decision: &Decision,
) -> Result<(), Refusal> {
    let mut variation = tx.get::<Variation>(number)?;
    let mut agreement = tx.get::<Agreement>(variation.agreement())?;
    let scope = Scope::Fund(agreement.fund);
    let person = must_hold(tx, actor, Role::ProgrammeOfficer, scope)?.person;
    require_unrelated(tx, actor, agreement.grantee)?;
    variation.judged_by = Some(person);
    if let Decision::Refuse { code, .. } = decision {
        variation.refused = Some(code.clone());
        over(tx, variation, &mut agreement, "F23", S::Refused)?;
        tx.put(agreement);
        return Ok(());
    }
    variation.may("F23", S::Effective)?;
    let change = check(tx, &agreement, &variation.request)?;
    require!(
        is_minor(tx, &agreement, &change)?,
        "N17.not-minor",
        variation = number
    );
    agreement.moved = agreement.moved.saturating_add(change.moved);
    agreement.later_ms = agreement.later_ms.saturating_add(change.later_ms);
    take_effect(tx, variation, agreement, &change)
}

/// The agreement says what was asked for; value moves by what the total changes.
fn take_effect(
    tx: &mut Tx,
    variation: Variation,
    mut agreement: Agreement,
    change: &Change,
) -> Result<(), Refusal> {
    let (old, new) = (agreement.terms.total, change.total);
    let number = agreement.number;
    if new > old {
        let movement = Movement::AgreementIncreased {
            call: agreement.call,
            agreement: number,
            amount: new.saturating_sub(old),
        };
        post(tx, agreement.fund, &movement)?;
    }
    if new < old {
        // It is no part of the total any more, so it is not counted as de-obligated besides.
        let freed = agreement.freed;
        free(tx, &mut agreement, old.saturating_sub(new))?;
        agreement.freed = freed;
    }
    for (number, plan) in agreement.milestones().zip(&variation.request.milestones) {
        let mut milestone = tx.get::<Milestone>(number)?;
        if milestone.planned != plan.amount {
            milestone.planned = plan.amount;
            tx.put(milestone);
        }
    }
    agreement.terms.milestones = variation.request.milestones.clone();
    agreement.terms.total = new;
    over(tx, variation, &mut agreement, "F23", S::Effective)?;
    tx.put(agreement);
    Ok(())
}

/// R36: nobody decided it in time.
pub(super) fn on_deadline(tx: &mut Tx, number: VariationId, due: Due) -> Result<(), Refusal> {
    let variation = tx.get::<Variation>(number)?;
    let mut agreement = tx.get::<Agreement>(variation.agreement())?;
    over(tx, variation, &mut agreement, "R36", S::Lapsed)?;
    tx.emit(
        due,
        EventBody::ChangeLapsed {
            variation: number,
            agreement: agreement.number,
        },
    );
    tx.put(agreement);
    Ok(())
}

/// The lowest body that may decide the change: the one that granted the award, or that of what is added.
fn needed_body(tx: &Tx, agreement: &Agreement, change: &Change) -> Result<BodyKind, Refusal> {
    let granted = tx.get::<Award>(agreement.award)?.body;
    let more = change.total.saturating_sub(agreement.terms.total);
    if more == Amount::ZERO {
        return Ok(granted);
    }
    let limits = fund::limits(tx, agreement.terms.charter, agreement.fund)?;
    let tested = award::tested_amount(tx, agreement.fund, agreement.grantee, more);
    let by_size = if tested <= limits.committee_limit {
        BodyKind::Committee
    } else if tested <= limits.board_limit {
        BodyKind::Board
    } else {
        BodyKind::Assembly
    };
    Ok(granted.or_above(by_size))
}

/// The guards of a decision by a body, at proposal and at effect.
fn check_plan(tx: &Tx, plan: &ChangeAgreement) -> Result<(Variation, Agreement, Change), Refusal> {
    let variation = tx.get::<Variation>(plan.variation)?;
    variation.may("F23", S::Effective)?;
    let agreement = tx.get::<Agreement>(variation.agreement())?;
    let change = check(tx, &agreement, &variation.request)?;
    let needed = needed_body(tx, &agreement, &change)?;
    require!(
        plan.body.is_at_least(needed),
        "F23.body-too-low",
        body = plan.body,
        needed_body = needed
    );
    let more = change.total.saturating_sub(agreement.terms.total);
    let left = held(tx, agreement.fund, AccountKind::Call(agreement.call));
    require!(more <= left, "N4.above-budget", amount = more, left = left);
    Ok((variation, agreement, change))
}

/// The agreement of a change.
fn agreement_of<'a>(tx: &'a Tx<'_>, number: VariationId) -> Option<&'a Agreement> {
    let variation = tx.t.variations.get(&number)?;
    tx.t.agreements.get(&variation.agreement())
}

impl Effect for ChangeAgreement {
    fn body(&self, tx: &Tx, _kind: Option<MotionKind>) -> Result<DecidingBody, Refusal> {
        let fund = tx
            .get::<Agreement>(tx.get::<Variation>(self.variation)?.agreement())?
            .fund;
        Ok(match self.body {
            BodyKind::Committee => DecidingBody::Committee(fund),
            BodyKind::Board => DecidingBody::Board,
            BodyKind::Assembly => DecidingBody::Assembly,
            BodyKind::WorkingGroup => refuse!(
                "F23.body-too-low",
                body = self.body,
                needed_body = BodyKind::Committee
            ),
        })
    }

    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        agreement_of(tx, self.variation).map_or(Matter::Motion(motion), |agreement| {
            Matter::Application(agreement.application)
        })
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(agreement_of(tx, self.variation).map(|agreement| agreement.fund))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        agreement_of(tx, self.variation)
            .map(|agreement| agreement.grantee)
            .into_iter()
            .collect()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_plan(tx, self).map(|_| ())
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        match agreement_of(tx, self.variation) {
            Some(agreement) => award::check_voters(tx, agreement.application, persons),
            None => Ok(()),
        }
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        let (variation, agreement, change) = check_plan(tx, self)?;
        take_effect(tx, variation, agreement, &change)
    }

    fn failed(
        &self,
        tx: &mut Tx,
        _motion: MotionId,
        _due: Due,
        _failure: Failure,
    ) -> Result<(), Refusal> {
        let variation = tx.get::<Variation>(self.variation)?;
        if variation.status != S::Requested {
            return Ok(());
        }
        let mut agreement = tx.get::<Agreement>(variation.agreement())?;
        over(tx, variation, &mut agreement, "F23", S::Refused)?;
        tx.put(agreement);
        Ok(())
    }
}
