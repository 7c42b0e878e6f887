//! Agreements (F13) and payee accounts (F42).
//!
//! * A chain of records: drafted by the programme officer, signed by the grantee (primary and
//!   finance), signed by two of the fund's TRE, OFF, FIN, distinct persons unrelated to the
//!   grantee. Each names the record before it and the same digest of the terms. With the second
//!   signature of the fund the agreement is in force and the award's money is committed (W -> K).
//! * The award is accepted, its standstill over, no appeal open. Terms: the award's amount,
//!   milestones that sum to it (N5), an advance within the charter's cap, at least the charter's
//!   holdback, the digest of the call's terms, the charter version in force at drafting, under
//!   which the agreement runs to its end.
//! * A payee account is a salted commitment. The first is signed by both sides with the terms.
//!   Another is signed by the grantee's primary and finance officers, cools off, and is confirmed
//!   by a second officer by another channel; until both are done nothing is released (N11).
//!
//! What becomes of an agreement in force is the business of [`life`](super::life), measures
//! ([`measure`](super::measure)) and recoveries ([`recovery`](super::recovery)). Absent: changes (F23).

use rollbook_proof::crypto::Hash;

use crate::account::{Amount, Movement};
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{AgreementId, FundId, MilestoneId, PersonId};
use crate::identity::{Role, Scope};
use crate::object::Machine;
use crate::object::agreement::{AccountChange, Agreement, AgreementState as S};
use crate::object::award::Award;
use crate::object::call::Call;
use crate::object::fund::Fund;
use crate::object::milestone::{Milestone, MilestoneState, Paid, basis_points, large_enough};
use crate::record::{AgreementTerms, AwardAct};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold, require_unrelated, unrelated};
use crate::rules::bank::post;
use crate::rules::funding::award;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Applies an act on awards and agreements.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &AwardAct) -> Result<Outcome, Refusal> {
    match act {
        AwardAct::Accept { award } => award::accept(tx, actor, *award),
        AwardAct::Draft(terms) => draft(tx, actor, terms),
        AwardAct::Sign {
            agreement,
            draft,
            terms,
        } => sign(tx, actor, *agreement, draft, terms),
        AwardAct::Countersign {
            agreement,
            signed,
            terms,
        } => countersign(tx, actor, *agreement, signed, terms),
        AwardAct::ChangeAccount { agreement, account } => {
            change_account(tx, actor, *agreement, account)
        }
        AwardAct::ConfirmAccount {
            agreement,
            change,
            account,
            ..
        } => confirm_account(tx, actor, *agreement, change, account),
        _ => refuse!("A4.no-such-transition"),
    }
}

fn draft(tx: &mut Tx, actor: &Actor, terms: &AgreementTerms) -> Result<Outcome, Refusal> {
    let mut award = tx.get::<Award>(terms.award)?;
    must_hold(tx, actor, Role::ProgrammeOfficer, Scope::Fund(award.fund))?;
    require_unrelated(tx, actor, award.grantee)?;
    award::require_ready(tx, &award)?;
    let fund = tx.get::<Fund>(award.fund)?;
    let call = tx.get::<Call>(award.call)?;
    let in_force = tx.facts().charter;
    let rules = tx.charter()?.funding;
    require!(
        terms.grantee == award.grantee,
        "F13.other-grantee",
        grantee = award.grantee
    );
    require!(
        terms.instrument == award.instrument,
        "F13.other-instrument",
        instrument = award.instrument
    );
    require!(
        terms.partners == award.partners,
        "F13.other-partners",
        partners = award.partners.len()
    );
    require!(
        terms.total == award.amount,
        "F13.other-amount",
        amount = award.amount,
        total = terms.total
    );
    require!(
        terms.unit == fund.unit,
        "N14.other-unit",
        unit = fund.unit.code()
    );
    let sum = terms
        .milestones
        .iter()
        .fold(Amount::ZERO, |sum, plan| sum.saturating_add(plan.amount));
    require!(
        sum == terms.total,
        "N5.milestones-do-not-sum",
        sum = sum,
        total = terms.total
    );
    let cap = basis_points(terms.total, rules.advance_cap_bp);
    require!(
        terms.advance <= cap,
        "N9.advance-above-cap",
        advance = terms.advance,
        cap = cap
    );
    require!(
        terms.holdback_bp >= rules.holdback_bp,
        "N9.holdback-too-small",
        holdback = terms.holdback_bp,
        least = rules.holdback_bp
    );
    require!(large_enough(terms), "F13.milestone-too-small");
    require!(
        terms.milestones.iter().all(|plan| plan.due_ms > tx.now),
        "F13.due-in-the-past"
    );
    require!(
        terms.charter == in_force,
        "F13.other-charter",
        charter = in_force
    );
    require!(
        terms.call == call.terms_hash,
        "F13.other-call-terms",
        call = award.call
    );
    if let Some(earlier) = award.agreement {
        let mut earlier = tx.get::<Agreement>(earlier)?;
        tx.go(&mut earlier, "F13", S::Replaced)?;
        tx.put(earlier);
    }
    let number = tx.next_id::<AgreementId>();
    award.agreement = Some(number);
    let agreement = Agreement {
        number,
        award: award.number,
        fund: award.fund,
        call: award.call,
        application: award.application,
        grantee: award.grantee,
        terms: terms.clone(),
        digest: terms.digest(),
        state: tx.begin::<Agreement>(number, "F13", S::Drafted)?,
        since_ms: tx.now,
        drafted: tx.record,
        signed: None,
        officers: Vec::new(),
        in_force_ms: None,
        first_milestone: MilestoneId(0),
        accepted: Amount::ZERO,
        paid: Paid::default(),
        account: terms.account,
        change: None,
        advance_payment: None,
        holdback_payment: None,
        freed: Amount::ZERO,
        recovered: Amount::ZERO,
        written_off: Amount::ZERO,
        measure: None,
        hold_lapsed: None,
        suspension: None,
        closing: None,
    };
    tx.t.agreements_of().put((award.application, number), 0);
    tx.put(award);
    tx.put(agreement);
    Ok(Outcome::Applied)
}

/// Refuses unless the actor is the grantee and both its primary and its finance officer have
/// signed: two persons.
fn must_be_grantee(actor: &Actor, agreement: &Agreement) -> Result<(), Refusal> {
    require!(
        actor.number() == agreement.grantee,
        "F13.not-the-grantee",
        grantee = agreement.grantee
    );
    actor.must_sign(Role::Primary)?;
    actor.must_sign(Role::Finance)?;
    Ok(())
}

fn sign(
    tx: &mut Tx,
    actor: &Actor,
    number: AgreementId,
    draft: &Hash,
    terms: &Hash,
) -> Result<Outcome, Refusal> {
    let mut agreement = tx.get::<Agreement>(number)?;
    must_be_grantee(actor, &agreement)?;
    tx.go(&mut agreement, "F13", S::SignedByGrantee)?;
    require!(
        *draft == agreement.drafted,
        "F13.other-draft",
        draft = agreement.drafted
    );
    require!(
        *terms == agreement.digest,
        "F13.other-terms",
        terms = agreement.digest
    );
    award::require_ready(tx, &tx.get::<Award>(agreement.award)?)?;
    agreement.signed = Some(tx.record);
    tx.put(agreement);
    Ok(Outcome::Applied)
}

/// Posts of which two persons sign for the fund (RULINGS R7).
const SIGNING: [Role; 3] = [Role::Treasurer, Role::SecondOfficer, Role::FinanceApprover];

fn countersign(
    tx: &mut Tx,
    actor: &Actor,
    number: AgreementId,
    signed: &Hash,
    terms: &Hash,
) -> Result<Outcome, Refusal> {
    let mut agreement = tx.get::<Agreement>(number)?;
    // The legality of the step is judged at the first signature of the fund already.
    agreement.may("F13", S::InForce)?;
    require_unrelated(tx, actor, agreement.grantee)?;
    require!(
        Some(*signed) == agreement.signed,
        "F13.other-record",
        signed = agreement.signed.unwrap_or_default()
    );
    require!(
        *terms == agreement.digest,
        "F13.other-terms",
        terms = agreement.digest
    );
    let award = tx.get::<Award>(agreement.award)?;
    award::require_ready(tx, &award)?;
    // R30: who has signed and is tied to the grantee now has signed for nobody.
    let grantee = agreement.grantee;
    agreement
        .officers
        .retain(|person| unrelated(tx, *person, grantee));
    let before = agreement.officers.len();
    for signer in &actor.signers {
        if !SIGNING.contains(&signer.role) {
            continue;
        }
        must_hold_as(tx, actor, signer.role, signer.person, agreement.fund)?;
        if !agreement.officers.contains(&signer.person) && agreement.officers.len() < 2 {
            agreement.officers.push(signer.person);
        }
    }
    require!(
        agreement.officers.len() > before,
        "F13.no-new-officer",
        signed = before
    );
    if agreement.officers.len() >= 2 {
        enter_into_force(tx, &mut agreement)?;
    }
    tx.put(agreement);
    Ok(Outcome::Applied)
}

/// As `must_hold`, for one of several signers in the same role.
fn must_hold_as(
    tx: &Tx,
    actor: &Actor,
    role: Role,
    person: PersonId,
    fund: FundId,
) -> Result<(), Refusal> {
    let alone = Actor {
        organisation: actor.organisation.clone(),
        signers: actor
            .signers
            .iter()
            .filter(|signer| signer.person == person)
            .cloned()
            .collect(),
        officer: actor.officer,
        sequence: actor.sequence,
    };
    must_hold(tx, &alone, role, Scope::Fund(fund)).map(|_| ())
}

fn enter_into_force(tx: &mut Tx, agreement: &mut Agreement) -> Result<(), Refusal> {
    tx.go(agreement, "F13", S::InForce)?;
    agreement.in_force_ms = Some(tx.now);
    let movement = Movement::AgreementInForce {
        award: agreement.award,
        agreement: agreement.number,
        amount: agreement.terms.total,
    };
    post(tx, agreement.fund, &movement)?;
    let amounts: Vec<Amount> = agreement
        .terms
        .milestones
        .iter()
        .map(|plan| plan.amount)
        .collect();
    for (index, planned) in (0u32..).zip(amounts.into_iter().map(Some).chain([None])) {
        let number = tx.next_id::<MilestoneId>();
        if index == 0 {
            agreement.first_milestone = number;
        }
        let code = if planned.is_some() { "F13" } else { "F43" };
        let milestone = Milestone {
            number,
            agreement: agreement.number,
            index,
            is_final: planned.is_none(),
            planned: planned.unwrap_or(Amount::ZERO),
            moved_ms: 0,
            state: tx.begin::<Milestone>(number, code, MilestoneState::Planned)?,
            since_ms: tx.now,
            accepted: Amount::ZERO,
            reworks: 0,
            submitted: None,
            assessors: Vec::new(),
            replaced: Vec::new(),
            past: Vec::new(),
            payment: None,
        };
        tx.put(milestone);
    }
    Ok(())
}

fn change_account(
    tx: &mut Tx,
    actor: &Actor,
    number: AgreementId,
    account: &Hash,
) -> Result<Outcome, Refusal> {
    let mut agreement = tx.get::<Agreement>(number)?;
    must_be_grantee(actor, &agreement)?;
    let stands = agreement.state.is_payable();
    require!(
        stands,
        "F42.not-in-force",
        agreement = number,
        state = agreement.state
    );
    require!(*account != agreement.account, "F42.same-account");
    let days = tx
        .charter_of(agreement.terms.charter)?
        .funding
        .account_cooling_days;
    agreement.change = Some(AccountChange {
        account: *account,
        record: tx.record,
        confirmed: false,
        cooled: false,
    });
    tx.schedule(
        DeadlineKind::AccountCooled,
        number,
        tx.delay(Period::Days(days)),
    );
    tx.put(agreement);
    Ok(Outcome::Applied)
}

fn confirm_account(
    tx: &mut Tx,
    actor: &Actor,
    number: AgreementId,
    record: &Hash,
    account: &Hash,
) -> Result<Outcome, Refusal> {
    let mut agreement = tx.get::<Agreement>(number)?;
    must_hold(tx, actor, Role::SecondOfficer, Scope::Fund(agreement.fund))?;
    require_unrelated(tx, actor, agreement.grantee)?;
    let Some(mut change) = agreement.change.take() else {
        refuse!("F42.no-change", agreement = number)
    };
    require!(
        change.record == *record && change.account == *account,
        "F42.other-change",
        change = change.record
    );
    require!(!change.confirmed, "F42.confirmed-before");
    change.confirmed = true;
    if change.cooled {
        agreement.account = change.account;
    } else {
        agreement.change = Some(change);
    }
    tx.put(agreement);
    Ok(Outcome::Applied)
}

/// F42: the cooling-off of a new payee account is over.
pub(super) fn account_cooled(tx: &mut Tx, number: AgreementId, due: Due) -> Result<(), Refusal> {
    let mut agreement = tx.get::<Agreement>(number)?;
    let Some(mut change) = agreement.change.take() else {
        return Ok(());
    };
    let in_force = change.confirmed;
    tx.emit(
        due,
        EventBody::AccountCooled {
            agreement: number,
            account: change.account,
            in_force,
        },
    );
    if in_force {
        agreement.account = change.account;
    } else {
        change.cooled = true;
        agreement.change = Some(change);
    }
    tx.put(agreement);
    Ok(())
}
