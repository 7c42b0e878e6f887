//! Measures of a fund about an agreement: suspension of time limits, of payments or of the whole (F24), and
//! termination (F25; RULINGS R13).
//!
//! * The programme officer announces a measure to the grantee, with proof of dispatch. The grantee observes in
//!   `observation_days`; then the board decides by motion, asked within five working days, at the latest
//!   `measure_days` after the announcement. Else the measure is dropped: by the clock, by the board's no, by the
//!   programme officer before the board is asked, or because the agreement was completed. A board that is asked
//!   and has not decided then goes on: only the hold ends.
//! * Until then a finance approver, another person, may hold the payments: the hold goes with the measure. Went
//!   it without the board's vote, no payments of the agreement are held for a year.
//! * Suspended time limits stop and go on with the time that they had left. Of a suspended whole nothing is
//!   delivered or assessed either, and the days of its milestones move by the time that it stood. Programme
//!   officer and finance approver let it go on, each by a record.
//! * A terminated agreement keeps what it owes for what was accepted; every open milestone is cancelled, an
//!   advance that was not released is refused, and with it every payment above what is still owed; what is
//!   owed to nobody returns (K -> B or A, R3).
//!
//! Absent: what R5 has the board decide after an expulsion (it announces a measure like any other).

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::AccountKind;
use crate::calendar::{MS_PER_DAY, Period};
use crate::event::EventBody;
use crate::id::{AgreementId, Id, MeasureId, MilestoneId, MotionId, PaymentId, PersonId};
use crate::identity::{Role, Scope};
use crate::lookup::payments::of_agreement;
use crate::object::Machine;
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::matter::Matter;
use crate::object::measure::{Measure, MeasureStatus as S};
use crate::object::milestone::{Milestone, MilestoneState};
use crate::object::motion::Failure;
use crate::object::payment::PaymentState;
use crate::record::{
    AwardAct, MeasureKind, MeasureNotice, MotionEffect, SuspendAgreement, TerminateAgreement,
};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::bank::held;
use crate::rules::effect::{Effect, motions_of, scope_of};
use crate::rules::funding::life::{free, one_of_two, require_other};
use crate::rules::funding::standing::{decided, drop_measure};
use crate::rules::funding::{award, payment};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// R13: working days in which the board is asked, once the grantee was heard.
const ASKED_WORKING_DAYS: u32 = 5;

/// Days for which payments are not held again, once a measure for which they were held came to nothing and the
/// board had not voted on it.
const HELD_AGAIN_DAYS: u64 = 365;

/// The time limits of a payment that a suspension stops.
const LIMITS: [DeadlineKind; 3] = [
    DeadlineKind::CertifyDue,
    DeadlineKind::ApproveDue,
    DeadlineKind::ReleaseDue,
];

/// Applies an act on a measure.
pub(super) fn apply(tx: &mut Tx, actor: &Actor, act: &AwardAct) -> Result<(), Refusal> {
    match act {
        AwardAct::Announce(notice) => announce(tx, actor, notice),
        AwardAct::ObserveMeasure {
            measure,
            observations,
        } => observe(tx, actor, *measure, observations),
        AwardAct::HoldPayments { measure, .. } => hold(tx, actor, *measure),
        AwardAct::DropMeasure { measure, .. } => drop_by_officer(tx, actor, *measure),
        AwardAct::Resume { agreement } => resume(tx, actor, *agreement),
        _ => refuse!("A4.no-such-transition"),
    }
}

/// Where a measure of this kind leads the agreement.
fn leads_to(kind: MeasureKind) -> AgreementState {
    match kind {
        MeasureKind::Termination => AgreementState::Terminated,
        MeasureKind::Deadline | MeasureKind::Payment | MeasureKind::Whole => {
            AgreementState::Suspended
        }
    }
}

fn announce(tx: &mut Tx, actor: &Actor, notice: &MeasureNotice) -> Result<(), Refusal> {
    let mut agreement = tx.get::<Agreement>(notice.agreement)?;
    let scope = Scope::Fund(agreement.fund);
    let announced_by = must_hold(tx, actor, Role::ProgrammeOfficer, scope)?.person;
    require_unrelated(tx, actor, agreement.grantee)?;
    agreement.may(notice.kind.code(), leads_to(notice.kind))?;
    if let Some(other) = agreement.measure {
        refuse!("F24.measure-waits", measure = other);
    }
    let number = tx.next_id::<MeasureId>();
    let funding = tx.charter_of(agreement.terms.charter)?.funding;
    for (kind, days) in [
        (DeadlineKind::MeasureHeard, funding.observation_days),
        (DeadlineKind::MeasureLapse, funding.measure_days),
    ] {
        let due = tx.deadline(Period::Days(days));
        tx.schedule(kind, number, due);
    }
    let measure = Measure {
        number,
        notice: *notice,
        record: tx.record,
        announced_by,
        observations: None,
        held_by: None,
        holders: Vec::new(),
        resumed_by: None,
        status: tx.begin::<Measure>(number, notice.kind.code(), S::Announced)?,
        since_ms: tx.now,
    };
    agreement.measure = Some(number);
    tx.put(measure);
    tx.put(agreement);
    Ok(())
}

fn observe(
    tx: &mut Tx,
    actor: &Actor,
    number: MeasureId,
    observations: &Hash,
) -> Result<(), Refusal> {
    let mut measure = tx.get::<Measure>(number)?;
    let grantee = tx.get::<Agreement>(measure.agreement())?.grantee;
    require!(
        actor.number() == grantee,
        "F24.not-the-grantee",
        grantee = grantee
    );
    actor.must_sign(Role::Primary)?;
    require!(
        measure.status == S::Announced,
        "F24.observations-over",
        measure = number,
        status = measure.status
    );
    measure.observations = Some(*observations);
    stays(tx, measure)
}

/// Writes a measure that stands where it stood.
fn stays(tx: &mut Tx, measure: Measure) -> Result<(), Refusal> {
    tx.stay(&measure, measure.notice.kind.code())?;
    tx.put(measure);
    Ok(())
}

fn hold(tx: &mut Tx, actor: &Actor, number: MeasureId) -> Result<(), Refusal> {
    let mut measure = tx.get::<Measure>(number)?;
    let agreement = tx.get::<Agreement>(measure.agreement())?;
    let scope = Scope::Fund(agreement.fund);
    let person = must_hold(tx, actor, Role::FinanceApprover, scope)?.person;
    require_unrelated(tx, actor, agreement.grantee)?;
    require!(
        measure.status.is_pending(),
        "F24.not-pending",
        measure = number,
        status = measure.status
    );
    require!(
        person != measure.announced_by,
        "N12.same-person",
        person = person
    );
    require!(
        measure.held_by.is_none(),
        "F24.held-already",
        measure = number
    );
    // R13: the fund does not hold payments again and again past the board.
    if let Some(lapsed) = agreement.hold_lapsed {
        let until = lapsed.plus_ms(HELD_AGAIN_DAYS.saturating_mul(MS_PER_DAY));
        require!(
            tx.now > until,
            "F24.held-before",
            agreement = agreement.number,
            until = until
        );
    }
    measure.held_by = Some(person);
    measure.holders.push(person);
    stays(tx, measure)
}

fn drop_by_officer(tx: &mut Tx, actor: &Actor, number: MeasureId) -> Result<(), Refusal> {
    let measure = tx.get::<Measure>(number)?;
    let mut agreement = tx.get::<Agreement>(measure.agreement())?;
    let scope = Scope::Fund(agreement.fund);
    must_hold(tx, actor, Role::ProgrammeOfficer, scope)?;
    require_unrelated(tx, actor, agreement.grantee)?;
    // What is before the board, or passed and not in effect yet, is the board's.
    require!(
        !is_asked(tx, &agreement, number),
        "F24.board-asked",
        measure = number
    );
    let code = measure.notice.kind.code();
    drop_measure(tx, measure, &mut agreement, code)?;
    tx.put(agreement);
    Ok(())
}

/// Acts out a deadline of a measure.
pub(super) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: MeasureId,
    due: Due,
) -> Result<(), Refusal> {
    let mut measure = tx.get::<Measure>(number)?;
    let mut agreement = tx.get::<Agreement>(measure.agreement())?;
    let status = if kind == DeadlineKind::MeasureHeard {
        let code = measure.notice.kind.code();
        tx.go(&mut measure, code, S::Heard)?;
        let asked = tx.deadline(Period::WorkingDays(ASKED_WORKING_DAYS));
        tx.schedule(DeadlineKind::MeasureAsked, number, asked);
        tx.put(measure);
        S::Heard
    } else {
        let lapsed = kind == DeadlineKind::MeasureLapse;
        if !measure.status.is_pending() {
            return Ok(());
        }
        if is_asked(tx, &agreement, number) {
            return if lapsed {
                outlast(tx, measure, due)
            } else {
                Ok(())
            };
        }
        drop_measure(tx, measure, &mut agreement, "R13")?;
        S::Dropped
    };
    tx.emit(
        due,
        EventBody::MeasureMoved {
            measure: number,
            agreement: agreement.number,
            status,
        },
    );
    tx.put(agreement);
    Ok(())
}

/// R13: the board is asked and has not decided in time. Nothing is held any longer; the motion runs to its end.
fn outlast(tx: &mut Tx, mut measure: Measure, due: Due) -> Result<(), Refusal> {
    let later = tx.deadline(Period::WorkingDays(ASKED_WORKING_DAYS));
    tx.schedule(DeadlineKind::MeasureLapse, measure.number, later);
    if measure.held_by.take().is_none() {
        return Ok(());
    }
    tx.stay(&measure, "R13")?;
    tx.emit(
        due,
        EventBody::MeasureMoved {
            measure: measure.number,
            agreement: measure.agreement(),
            status: measure.status,
        },
    );
    tx.put(measure);
    Ok(())
}

/// Whether a motion on the measure is before the board, or passed and not in effect yet.
fn is_asked(tx: &Tx, agreement: &Agreement, number: MeasureId) -> bool {
    motions_of(tx, Matter::Application(agreement.application))
        .iter()
        .filter(|motion| !motion.status.is_final())
        .any(|motion| match &motion.effect {
            MotionEffect::SuspendAgreement(plan) => plan.measure == number,
            MotionEffect::TerminateAgreement(plan) => plan.measure == number,
            _ => false,
        })
}

/// The guards of a decision, at proposal and at effect.
fn check(tx: &Tx, number: MeasureId, termination: bool) -> Result<(), Refusal> {
    let measure = tx.get::<Measure>(number)?;
    let kind = measure.notice.kind;
    require!(
        (kind == MeasureKind::Termination) == termination,
        "F24.other-measure",
        measure = number,
        measure_kind = kind
    );
    require!(
        measure.status == S::Heard,
        "F24.not-heard",
        measure = number,
        status = measure.status
    );
    tx.get::<Agreement>(measure.agreement())?
        .may(kind.code(), leads_to(kind))
}

/// Takes a measure that was heard: it is in force.
fn take(tx: &mut Tx, number: MeasureId) -> Result<(Measure, Agreement), Refusal> {
    let mut measure = tx.get::<Measure>(number)?;
    let mut agreement = tx.get::<Agreement>(measure.agreement())?;
    let kind = measure.notice.kind;
    decided(tx, &measure);
    tx.go(&mut measure, kind.code(), S::InForce)?;
    tx.go(&mut agreement, kind.code(), leads_to(kind))?;
    agreement.measure = None;
    tx.put(measure.clone());
    Ok((measure, agreement))
}

/// F24: the board suspends.
fn suspend(tx: &mut Tx, number: MeasureId) -> Result<(), Refusal> {
    check(tx, number, false)?;
    let (measure, mut agreement) = take(tx, number)?;
    agreement.suspension = Some(number);
    let payments = of_agreement(&tx.t, agreement.number).map(|payment| payment.number);
    for payment in payments.collect::<Vec<_>>() {
        for kind in LIMITS {
            pause(tx, agreement.number, kind, payment);
        }
    }
    if measure.notice.kind == MeasureKind::Whole {
        for milestone in agreement.milestones() {
            pause(tx, agreement.number, DeadlineKind::AssessDue, milestone);
        }
    }
    tx.put(agreement);
    Ok(())
}

/// Stops a running time limit, which keeps what was left of it.
fn pause(tx: &mut Tx, agreement: AgreementId, kind: DeadlineKind, object: impl Id) {
    if let Some(due) = tx.due(kind, object) {
        tx.cancel(kind, object);
        let left = due.0.saturating_sub(tx.now.0);
        let key = (agreement, kind as u16, object.number());
        tx.t.paused().put(key, left);
    }
}

/// What stood still of an agreement, taken out of the table: kind, object, milliseconds left.
fn take_paused(tx: &mut Tx, agreement: AgreementId) -> Vec<(DeadlineKind, u32, u64)> {
    let of = (agreement, u16::MIN, u32::MIN)..=(agreement, u16::MAX, u32::MAX);
    let found: Vec<((AgreementId, u16, u32), u64)> =
        tx.t.paused
            .range(of)
            .map(|(key, left)| (*key, *left))
            .collect();
    for (key, _) in &found {
        tx.t.paused().remove(*key);
    }
    let known = |((_, kind, object), left): ((AgreementId, u16, u32), u64)| {
        DeadlineKind::from_number(kind).map(|kind| (kind, object, left))
    };
    found.into_iter().filter_map(known).collect()
}

fn resume(tx: &mut Tx, actor: &Actor, number: AgreementId) -> Result<(), Refusal> {
    let mut agreement = tx.get::<Agreement>(number)?;
    agreement.may("F24", AgreementState::InForce)?;
    let signer = one_of_two(tx, actor, &agreement)?;
    let Some(suspension) = agreement.suspension else {
        refuse!("F24.not-suspended", agreement = number)
    };
    let mut measure = tx.get::<Measure>(suspension)?;
    let Some(first) = measure.resumed_by else {
        measure.resumed_by = Some(signer);
        return stays(tx, measure);
    };
    require_other(first, signer)?;
    let stood = tx.now.0.saturating_sub(agreement.since_ms.0);
    if measure.notice.kind == MeasureKind::Whole {
        // The terms stay what everybody signed; the days that moved stand beside them.
        for milestone in agreement.milestones() {
            let mut milestone = tx.get::<Milestone>(milestone)?;
            if !milestone.state.is_terminal() {
                milestone.moved_ms = milestone.moved_ms.saturating_add(stood);
                tx.put(milestone);
            }
        }
    }
    let paused = take_paused(tx, number);
    run_again(tx, paused);
    agreement.suspension = None;
    tx.go(&mut agreement, "F24", AgreementState::InForce)?;
    tx.put(agreement);
    tx.advance(measure, "F24", S::Ended)
}

/// Lets the time limits run again whose step is still awaited. One that was taken meanwhile is not late.
fn run_again(tx: &mut Tx, paused: Vec<(DeadlineKind, u32, u64)>) {
    use DeadlineKind::{ApproveDue, AssessDue, CertifyDue, ReleaseDue};
    use PaymentState::{Approved, Certified, Requested, Returned};
    for (kind, object, left) in paused {
        let due = tx.now.plus_ms(left);
        if kind == AssessDue {
            let number = MilestoneId(object);
            let state =
                tx.t.milestones
                    .get(&number)
                    .map(|milestone| milestone.state);
            if let Some(MilestoneState::Submitted | MilestoneState::Assessing) = state {
                go_on(tx, kind, number, due);
            }
            continue;
        }
        let number = PaymentId(object);
        let state = tx.t.payments.get(&number).map(|payment| payment.state);
        if let (CertifyDue, Some(Requested))
        | (ApproveDue, Some(Certified))
        | (ReleaseDue, Some(Approved | Returned)) = (kind, state)
        {
            go_on(tx, kind, number, due);
        }
    }
}

/// Lets a time limit run again, unless a new one runs already.
fn go_on(tx: &mut Tx, kind: DeadlineKind, object: impl Id, due: LedgerTime) {
    if tx.due(kind, object).is_none() {
        tx.schedule(kind, object, due);
    }
}

/// F25: the board ends the agreement.
fn terminate(tx: &mut Tx, number: MeasureId) -> Result<(), Refusal> {
    check(tx, number, true)?;
    let (_, mut agreement) = take(tx, number)?;
    if let Some(suspension) = agreement.suspension.take() {
        let measure = tx.get::<Measure>(suspension)?;
        tx.advance(measure, "F25", S::Ended)?;
    }
    let paused = take_paused(tx, agreement.number);
    for milestone in agreement.milestones() {
        let mut milestone = tx.get::<Milestone>(milestone)?;
        if !milestone.state.is_terminal() {
            tx.go(&mut milestone, "F25", MilestoneState::Cancelled)?;
            tx.cancel(DeadlineKind::AssessDue, milestone.number);
            tx.put(milestone);
        }
    }
    let agreement_number = agreement.number;
    tx.put(agreement);
    payment::end_what_is_not_owed(tx, agreement_number)?;
    // What is still owed is paid in time.
    run_again(tx, paused);
    let mut agreement = tx.get::<Agreement>(agreement_number)?;
    let committed = held(tx, agreement.fund, AccountKind::Committed(agreement_number));
    let residue = agreement.residue(committed);
    free(tx, &mut agreement, residue)?;
    tx.put(agreement);
    Ok(())
}

/// The board did not pass the measure.
fn failed(tx: &mut Tx, number: MeasureId, failure: Failure) -> Result<(), Refusal> {
    let measure = tx.get::<Measure>(number)?;
    if measure.status != S::Heard {
        return Ok(());
    }
    let mut agreement = tx.get::<Agreement>(measure.agreement())?;
    // Another motion may still pass: nobody kills a measure by a motion that is made to fail.
    if is_asked(tx, &agreement, number) {
        return Ok(());
    }
    let voted = failure == Failure::Rejected;
    if !voted && !measure.holders.is_empty() {
        agreement.hold_lapsed = Some(tx.now);
    }
    drop_measure(tx, measure, &mut agreement, "R10")?;
    tx.put(agreement);
    Ok(())
}

/// The agreement of a measure.
fn agreement_of<'a>(tx: &'a Tx<'_>, number: MeasureId) -> Option<&'a Agreement> {
    let measure = tx.t.measures.get(&number)?;
    tx.t.agreements.get(&measure.agreement())
}

/// Who acted in the matter does not vote on it, and neither does who announced the measure or holds for it.
fn check_voters(tx: &Tx, number: MeasureId, persons: &[PersonId]) -> Result<(), Refusal> {
    let Some(agreement) = agreement_of(tx, number) else {
        return Ok(());
    };
    award::check_voters(tx, agreement.application, persons)?;
    let measure = tx.get::<Measure>(number)?;
    let own =
        |person: &&PersonId| **person == measure.announced_by || measure.holders.contains(*person);
    if let Some(person) = persons.iter().find(own) {
        refuse!("N12.same-person", person = person);
    }
    Ok(())
}

/// Implements the effect of a decision on a measure: they differ in what they carry out.
macro_rules! decision {
    ($type:ty, $termination:literal, $carry_out:ident) => {
        impl Effect for $type {
            fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
                agreement_of(tx, self.measure).map_or(Matter::Motion(motion), |agreement| {
                    Matter::Application(agreement.application)
                })
            }

            fn scope(&self, tx: &Tx) -> Scope {
                scope_of(agreement_of(tx, self.measure).map(|agreement| agreement.fund))
            }

            fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
                agreement_of(tx, self.measure)
                    .map(|agreement| agreement.grantee)
                    .into_iter()
                    .collect()
            }

            fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
                check(tx, self.measure, $termination)
            }

            fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
                check_voters(tx, self.measure, persons)
            }

            fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
                $carry_out(tx, self.measure)
            }

            fn failed(
                &self,
                tx: &mut Tx,
                _motion: MotionId,
                _due: Due,
                failure: Failure,
            ) -> Result<(), Refusal> {
                failed(tx, self.measure, failure)
            }
        }
    };
}

decision!(SuspendAgreement, false, suspend);
decision!(TerminateAgreement, true, terminate);
