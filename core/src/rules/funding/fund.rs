//! Funds (F01; RULINGS R4, R7): one unit, one bank account, officers with posts scoped to the fund,
//! a committee of five.
//!
//! * A board motion `fund` makes it Approved. It is Open once the holder and every named officer
//!   signed their acceptance; an officer's post begins with the acceptance and lasts a term.
//! * One person holds one of TRE, OFF, PO, FIN per fund, posts for the whole alliance included; the
//!   auditor none.
//! * The committee is named by a board motion, five members of distinct groups, two years.
//!
//! Absent: election of the committee by ballot over names (it is appointed), freezing (F33),
//! closing (F32).

use std::collections::BTreeSet;

use rollbook_proof::number::OrganisationId;

use crate::calendar::Period;
use crate::charter::UnitLimits;
use crate::id::{CharterVersion, FundId, Id, MotionId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{find, groups, rights};
use crate::object::fund::{Fund, FundStatus};
use crate::object::matter::Matter;
use crate::record::{AppointCommittee, CreateFund};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::effect::Effect;
use crate::rules::posts;
use crate::tx::{Due, Tx};
use crate::{refuse, require};

/// Fewest officers by role (RULINGS R7).
const OFFICERS_LEAST: [(Role, usize); 4] = [
    (Role::Treasurer, 1),
    (Role::SecondOfficer, 2),
    (Role::ProgrammeOfficer, 1),
    (Role::FinanceApprover, 2),
];

/// Posts of which two persons bind an office that holds a fund.
const BINDING: [Role; 4] = [
    Role::Secretary,
    Role::Treasurer,
    Role::SecondOfficer,
    Role::FinanceApprover,
];

/// A fund that is open.
pub fn open(tx: &Tx, number: FundId) -> Result<Fund, Refusal> {
    let fund = tx.get::<Fund>(number)?;
    require!(
        fund.status == FundStatus::Open,
        "F01.fund-not-open",
        fund = number,
        status = fund.status
    );
    Ok(fund)
}

/// The limits in money that a charter has for a fund's unit.
pub(crate) fn limits(
    tx: &Tx,
    charter: CharterVersion,
    fund: FundId,
) -> Result<UnitLimits, Refusal> {
    let unit = &find::<Fund>(&tx.t, fund)?.unit;
    match tx.charter_of(charter)?.limits(unit) {
        Some(limits) => Ok(limits.clone()),
        None => refuse!("F01.no-limits", unit = unit.code()),
    }
}

/// The guards of F01: when the motion is proposed, and again when it takes effect.
fn check_create(tx: &Tx, plan: &CreateFund) -> Result<(), Refusal> {
    let holder = tx.organisation(plan.holder)?;
    require!(
        holder.kind != OrganisationKind::Observer,
        "F01.holder-is-observer",
        organisation = plan.holder
    );
    let office = tx.organisation(plan.office)?;
    require!(
        office.kind == OrganisationKind::Office,
        "F01.no-office",
        organisation = plan.office
    );
    let charter = tx.charter()?;
    if let Err(error) = plan.unit.check_allowed(&charter.currencies) {
        refuse!("F01.unit-not-allowed", why = error);
    }
    require!(
        charter.limits(&plan.unit).is_some(),
        "F01.no-limits",
        unit = plan.unit.code()
    );
    let used =
        tx.t.funds
            .iter()
            .find(|(_, fund)| fund.bank_account == plan.bank_account);
    if let Some((fund, _)) = used {
        refuse!("F01.bank-account-used", fund = fund);
    }
    let mut seen = BTreeSet::new();
    for (role, person) in &plan.officers {
        require!(seen.insert(*person), "F01.two-chain-roles", person = person);
        posts::may_hold(
            tx,
            *person,
            *role,
            Scope::Fund(tx.peek_id::<FundId>()),
            None,
        )?;
    }
    for (role, least) in OFFICERS_LEAST {
        let named = plan
            .officers
            .iter()
            .filter(|(named, _)| *named == role)
            .count();
        require!(
            named >= least,
            "F01.officers-missing",
            role = role,
            named = named,
            least = least
        );
    }
    Ok(())
}

/// The holder, and the employers of the officers named (RULINGS R31): their groups have no voice on
/// who holds the money.
fn interested(tx: &Tx, plan: &CreateFund) -> Vec<OrganisationId> {
    let employers = plan
        .officers
        .iter()
        .filter_map(|(_, person)| tx.t.persons.get(person))
        .map(|person| person.home);
    std::iter::once(plan.holder).chain(employers).collect()
}

/// F01: makes the fund Approved. Returns its number.
fn create(tx: &mut Tx, motion: MotionId, plan: &CreateFund) -> Result<FundId, Refusal> {
    check_create(tx, plan)?;
    let number = tx.next_id::<FundId>();
    let fund = Fund {
        number,
        name: plan.name.clone(),
        holder: plan.holder,
        unit: plan.unit.clone(),
        bank_account: plan.bank_account,
        office: plan.office,
        officers: plan.officers.clone(),
        accepted: Vec::new(),
        holder_accepted: false,
        status: tx.begin::<Fund>(number, "F01", FundStatus::Approved)?,
        since_ms: tx.now,
        motion,
        charter: tx.facts().charter,
    };
    tx.put(fund);
    Ok(number)
}

/// F01: the holder and the officers accept. The last acceptance opens the fund.
pub fn accept(tx: &mut Tx, actor: &Actor, number: FundId) -> Result<Outcome, Refusal> {
    let mut fund = tx.get::<Fund>(number)?;
    require!(
        fund.status == FundStatus::Approved,
        "F01.wrong-state",
        fund = number,
        status = fund.status
    );
    let mut anything = false;
    if actor.number() == fund.holder && !fund.holder_accepted {
        // A company is bound by primary and finance; an office by two of those who answer for it
        // and its money, whose posts authority has judged.
        let bound = match actor.organisation.kind {
            OrganisationKind::Company => {
                actor.signer(Role::Primary).is_some() && actor.signer(Role::Finance).is_some()
            }
            OrganisationKind::Office => {
                let binding = actor.signers.iter().filter(|s| BINDING.contains(&s.role));
                binding.count() >= 2
            }
            OrganisationKind::Observer => false,
        };
        fund.holder_accepted = bound;
        anything |= bound;
    }
    for signer in &actor.signers {
        let named = fund
            .officers
            .iter()
            .find(|(_, person)| *person == signer.person)
            .copied();
        let Some((role, person)) = named.filter(|(_, person)| !fund.accepted.contains(person))
        else {
            continue;
        };
        posts::take_up_of_fund(tx, fund.office, role, Scope::Fund(number), person)?;
        fund.accepted.push(person);
        anything = true;
    }
    fund.accepted.sort_unstable();
    require!(
        anything,
        "F01.nothing-to-accept",
        fund = number,
        organisation = actor.number()
    );
    if fund.holder_accepted && fund.accepted.len() == fund.officers.len() {
        tx.go(&mut fund, "F01", FundStatus::Open)?;
    }
    tx.put(fund);
    Ok(Outcome::Applied)
}

/// The guards of a committee.
fn check_committee(tx: &Tx, plan: &AppointCommittee) -> Result<(), Refusal> {
    tx.get::<Fund>(plan.fund)?;
    let mut taken = BTreeSet::new();
    for member in &plan.members {
        require!(
            rights::is_live(&tx.t, *member),
            "R7.not-a-member",
            organisation = member
        );
        require!(
            rights::rights(&tx.t, *member).assembly_vote,
            "R32.class-without-vote",
            organisation = member
        );
        require!(
            taken.insert(groups::group_of(&tx.t, *member)),
            "R7.group-has-seat",
            organisation = member
        );
    }
    Ok(())
}

/// R7: seats the committee; the one before ends.
fn appoint_committee(tx: &mut Tx, plan: &AppointCommittee) -> Result<(), Refusal> {
    check_committee(tx, plan)?;
    let before: Vec<(FundId, OrganisationId)> =
        tx.t.committee_seats
            .range((plan.fund, Id::MIN)..=(plan.fund, Id::MAX))
            .map(|(key, _)| *key)
            .collect();
    for key in before {
        tx.t.committee_seats().remove(key);
    }
    let until = tx.delay(Period::Days(tx.charter()?.terms.post_days));
    for member in &plan.members {
        tx.t.committee_seats().put((plan.fund, *member), until);
    }
    Ok(())
}

impl Effect for CreateFund {
    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_create(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, _due: Due) -> Result<(), Refusal> {
        create(tx, motion, self).map(|_| ())
    }
}

impl Effect for AppointCommittee {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Fund(self.fund)
    }

    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        // It is for everybody; who later applies is judged then.
        Vec::new()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_committee(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        appoint_committee(tx, self)
    }
}
