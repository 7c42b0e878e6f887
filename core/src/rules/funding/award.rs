//! Awards (F11, F12, F41): what a motion must fulfil to grant one, and what becomes of it until its
//! agreement.
//!
//! * The body follows from the size, and the size is the splitting test (domain 2.9, RULINGS R4):
//!   this award and all awards granted to the applicant's group in this fund in the 365 days
//!   before, less lapsed and revoked ones, as groups and awards stand at the decision. The guards
//!   hold when the motion is proposed and again when it takes effect.
//! * Limits and days are those of the charter version under which the call opened.
//! * Concentration (R2): with this award one group has at most the charter's share of the fund's
//!   receipts net of refunds, and at most the call's share of its budget; lapsed and revoked awards
//!   do not count.
//! * At most the ask and at most what the call still holds (N4). The applicant is eligible on the
//!   day of decision (N23).
//! * Awards of a call are motions side by side (RULINGS R34). In rank order: at proposal every better
//!   rank is decided or before its body; the effect waits until those are decided, and passes over a
//!   better rank whose motion failed. Or out of rank, with reasons, in a motion of that kind.
//! * The applicant's group is recused in the tally (`interested`); whoever reviewed an application
//!   of the call does not vote on it, nor whoever acted in its payments (RULINGS R31).
//! * Granted: B -> W, then standstill, offer, acceptance. Lapsed or revoked: W -> B until the call
//!   is closed, then W -> A (R3).
//!
//! Absent: appeals against decisions (F40 here knows appeals against ineligibility), guarantees,
//! loans, equity (F30, F47), calls that demand membership to the end.

use rollbook_proof::number::OrganisationId;

use crate::account::{Account, AccountKind, Amount, Balances, Movement};
use crate::calendar::Period;
use crate::charter::motions::{BodyKind, DecidingBody, MotionKind};
use crate::event::EventBody;
use crate::id::{ApplicationId, AwardId, CallId, FundId, Id, MotionId, PersonId};
use crate::identity::{Role, Scope};
use crate::lookup::groups;
use crate::object::Machine;
use crate::object::agreement::{Agreement, AgreementState};
use crate::object::application::{Application, ApplicationStatus};
use crate::object::award::{Award, AwardState as S};
use crate::object::call::{Call, CallStatus};
use crate::object::deed;
use crate::object::deed::Deed;
use crate::object::matter::Matter;
use crate::object::milestone::basis_points;
use crate::object::motion::{Motion, MotionStatus};
use crate::record::{GrantAward, MotionEffect, PlaceApplication, Placing, RevokeAward};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::bank::{net_receipts, post};
use crate::rules::effect::{Effect, motions_of, scope_of};
use crate::rules::funding::{application, call, fund, payment, review};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Days over which awards to one group are added up (domain 2.9: 12 months).
pub const SPLITTING_DAYS: u64 = 365;

/// Sum of the counted awards to the applicant's group that `which` selects.
fn granted(tx: &Tx, applicant: OrganisationId, which: impl Fn(&Award) -> bool) -> Amount {
    let group = groups::members(&tx.t, applicant);
    let counted =
        tx.t.awards
            .iter()
            .map(|(_, award)| award)
            .filter(|award| award.counts() && group.contains(&award.grantee));
    counted
        .filter(|award| which(award))
        .fold(Amount::ZERO, |sum, award| sum.saturating_add(award.amount))
}

/// The splitting test: this amount and what the group was awarded in the fund in the 365 days
/// before now.
pub fn tested_amount(tx: &Tx, fund: FundId, applicant: OrganisationId, amount: Amount) -> Amount {
    let since = tx.days_ago(SPLITTING_DAYS);
    granted(tx, applicant, |award| {
        award.fund == fund && award.decided_ms >= since
    })
    .saturating_add(amount)
}

/// The lowest body that may decide the award now, by size, splitting test and rank (domain 2.9).
pub fn required_body(tx: &Tx, grant: &GrantAward) -> Result<BodyKind, Refusal> {
    let application = tx.get::<Application>(grant.application)?;
    let call = tx.get::<Call>(application.call)?;
    let fund = call.terms.fund;
    let limits = fund::limits(tx, call.charter, fund)?;
    let tested = tested_amount(tx, fund, application.applicant, grant.amount);
    let by_size = if tested <= limits.committee_limit {
        BodyKind::Committee
    } else if tested <= limits.board_limit {
        BodyKind::Board
    } else {
        BodyKind::Assembly
    };
    Ok(if grant.out_of_rank.is_some() {
        by_size.or_above(BodyKind::Board)
    } else {
        by_size
    })
}

/// The organisation with an interest in an award or a placing: the applicant. Its whole group is
/// recused in the tally.
fn interested(tx: &Tx, application: ApplicationId) -> Vec<OrganisationId> {
    tx.get::<Application>(application)
        .map(|application| application.applicant)
        .into_iter()
        .collect()
}

/// The body to which the motion of an award is put, as proposed.
fn deciding_body(
    tx: &Tx,
    application: ApplicationId,
    body: BodyKind,
) -> Result<DecidingBody, Refusal> {
    let call = tx.get::<Application>(application)?.call;
    Ok(match body {
        BodyKind::Committee => DecidingBody::Committee(tx.get::<Call>(call)?.terms.fund),
        BodyKind::Board => DecidingBody::Board,
        BodyKind::Assembly => DecidingBody::Assembly,
        BodyKind::WorkingGroup => refuse!(
            "F11.body-too-low",
            body = body,
            needed_body = BodyKind::Committee
        ),
    })
}

/// The fund from which an application is paid, for the scope of posts.
fn fund_of(tx: &Tx, application: ApplicationId) -> Option<FundId> {
    let call = tx.t.applications.get(&application)?.call;
    tx.t.calls.get(&call).map(|call| call.terms.fund)
}

/// How a better rank of the call stands in the way of a worse one (RULINGS R34).
enum Better {
    /// The body has not decided its motion yet.
    Undecided(MotionId),
    /// Nobody has asked for its award, or the motion was taken back before a ballot.
    NotAsked(ApplicationId),
}

/// The best rank above `rank` that waits for its award and stands in the way of motion `before`: of
/// two motions the later one waits, and a rank whose motion failed is passed over.
fn better_rank(tx: &Tx, call: CallId, rank: u32, before: MotionId) -> Option<Better> {
    let mut waiting: Vec<(u32, ApplicationId)> = call::applications(tx, call)
        .into_iter()
        .filter_map(|number| {
            let entry = tx.t.applications.get(&number)?;
            let better = entry.rank.filter(|better| *better < rank)?;
            waits(entry).then_some((better, number))
        })
        .collect();
    waiting.sort_unstable();
    waiting
        .into_iter()
        .find_map(|(_, number)| stands(tx, number, before))
}

/// Whether an application waits for a decision on its award.
fn waits(application: &Application) -> bool {
    matches!(
        application.status,
        ApplicationStatus::Ranked | ApplicationStatus::Reserve
    )
}

/// How one better rank stands in the way of motion `before`, if it does.
fn stands(tx: &Tx, application: ApplicationId, before: MotionId) -> Option<Better> {
    let motions: Vec<Motion> = motions_of(tx, Matter::Application(application))
        .into_iter()
        .filter(|motion| {
            matches!(
                motion.effect,
                MotionEffect::GrantAward(_) | MotionEffect::PlaceApplication(_)
            )
        })
        .collect();
    // One that gathers support is not before its body yet.
    let undecided =
        |motion: &&Motion| !motion.status.is_final() && motion.status != MotionStatus::Gathering;
    let mut open = motions.iter().filter(undecided);
    if let Some(earlier) = open.clone().find(|motion| motion.number < before) {
        return Some(Better::Undecided(earlier.number));
    }
    // Ballots were closed on it, and it came to nothing.
    let failed = motions.iter().any(|motion| {
        motion.status.is_final()
            && motion.status != MotionStatus::CarriedOut
            && motion.tally.is_some()
    });
    if failed {
        return None;
    }
    Some(match open.next() {
        Some(later) => Better::Undecided(later.number),
        None => Better::NotAsked(application),
    })
}

/// R34: what must hold of the ranks when an award is proposed. In rank order every better rank is
/// decided, passed over, or before its body; an award out of rank order passes somebody over.
fn check_rank(tx: &Tx, grant: &GrantAward) -> Result<(), Refusal> {
    let application = tx.get::<Application>(grant.application)?;
    let Some(rank) = application.rank else {
        refuse!("F11.no-rank", application = grant.application)
    };
    match (
        better_rank(tx, application.call, rank, MotionId::MAX),
        grant.out_of_rank,
    ) {
        (Some(Better::NotAsked(better)), None) => refuse!(
            "R34.better-rank-open",
            application = grant.application,
            better = better
        ),
        (None, Some(_)) => refuse!("F11.in-rank", application = grant.application),
        _ => Ok(()),
    }
}

/// The guards of F11 and F41, when the motion is proposed and again when it takes effect. The ranks
/// are asked apart: [`check_rank`] at proposal, [`Effect::waits_for`] at the effect.
fn check(tx: &Tx, grant: &GrantAward) -> Result<(), Refusal> {
    let application = tx.get::<Application>(grant.application)?;
    let call = tx.get::<Call>(application.call)?;
    let number = call.number;
    let fund = fund::open(tx, call.terms.fund)?.number;
    let decides = matches!(call.status, CallStatus::Ranked | CallStatus::Decided);
    require!(
        decides,
        "F11.call-not-ranked",
        call = number,
        status = call.status
    );
    require!(
        waits(&application),
        "F11.application-not-ranked",
        application = application.number,
        status = application.status
    );
    if application.status == ApplicationStatus::Reserve {
        let fell_away =
            tx.t.awards
                .iter()
                .any(|(_, award)| award.call == number && !award.counts());
        require!(fell_away, "F41.no-award-fell-away", call = number);
    }
    let needed = required_body(tx, grant)?;
    require!(
        grant.body.is_at_least(needed),
        "F11.body-too-low",
        body = grant.body,
        needed_body = needed
    );
    require!(
        grant.amount <= application.ask(),
        "F11.above-ask",
        amount = grant.amount,
        ask = application.ask()
    );
    let left = tx.t.balance(Account {
        fund,
        kind: AccountKind::Call(number),
    });
    require!(
        i128::from(grant.amount) <= left,
        "N4.above-budget",
        amount = grant.amount,
        left = left
    );
    let limits = tx.charter_of(call.charter)?.funding;
    let in_fund = u128::from(granted(tx, application.applicant, |award| {
        award.fund == fund
    })) + u128::from(grant.amount);
    let receipts = u128::try_from(net_receipts(&tx.t, fund)).unwrap_or(0);
    let most = receipts * u128::from(limits.fund_concentration_bp);
    require!(
        in_fund * 10_000 <= most,
        "R2.fund-concentration",
        group = in_fund,
        receipts = receipts
    );
    let in_call = granted(tx, application.applicant, |award| award.call == number)
        .saturating_add(grant.amount);
    let most = basis_points(call.terms.budget, call.concentration_bp);
    require!(
        in_call <= most,
        "R2.call-concentration",
        group = in_call,
        most = most
    );
    application::require_eligible(tx, &call, application.applicant, "N23.not-eligible")
}

/// F11, F41: the motion takes effect. Returns the award's number.
pub fn grant(tx: &mut Tx, motion: MotionId, grant: &GrantAward) -> Result<AwardId, Refusal> {
    check(tx, grant)?;
    // A body with too few unrelated voices passed the motion up.
    let body =
        tx.t.motions
            .get(&motion)
            .map_or(grant.body, |motion| motion.body.kind());
    let application = tx.get::<Application>(grant.application)?;
    let call = tx.get::<Call>(application.call)?;
    let (fund, charter) = (call.terms.fund, call.charter);
    let code = if application.status == ApplicationStatus::Reserve {
        "F41"
    } else {
        "F11"
    };
    let number = tx.next_id::<AwardId>();
    let award = Award {
        number,
        fund,
        call: application.call,
        application: grant.application,
        grantee: application.applicant,
        partners: Vec::new(),
        instrument: call.terms.instrument,
        amount: grant.amount,
        motion,
        body,
        tested: tested_amount(tx, fund, application.applicant, grant.amount),
        out_of_rank: grant.out_of_rank,
        charter,
        state: tx.begin::<Award>(number, code, S::Standstill)?,
        since_ms: tx.now,
        decided_ms: tx.now,
        agreement: None,
    };
    let movement = Movement::Awarded {
        call: award.call,
        award: number,
        amount: grant.amount,
    };
    post(tx, fund, &movement)?;
    tx.advance(application, code, ApplicationStatus::Awarded)?;
    let days = tx.charter_of(charter)?.funding.standstill_days;
    tx.schedule(
        DeadlineKind::StandstillEnd,
        number,
        tx.deadline(Period::Days(days)),
    );
    let call = award.call;
    tx.put(award);
    call::progress(tx, call)?;
    Ok(number)
}

/// F11: the guards of a placing, at proposal and at effect.
fn check_place(tx: &Tx, place: &PlaceApplication) -> Result<(), Refusal> {
    let application = tx.get::<Application>(place.application)?;
    let ranked = application.status == ApplicationStatus::Ranked;
    require!(
        ranked,
        "F11.application-not-ranked",
        application = application.number,
        status = application.status
    );
    Ok(())
}

/// F11: an application is placed without an award.
fn place(tx: &mut Tx, place: &PlaceApplication) -> Result<(), Refusal> {
    let application = tx.get::<Application>(place.application)?;
    let to = match place.placing {
        Placing::Reserve => ApplicationStatus::Reserve,
        Placing::NotRecommended => ApplicationStatus::NotRecommended,
    };
    let call = application.call;
    tx.advance(application, "F11", to)?;
    call::progress(tx, call)
}

/// F12: the guards of a revocation, at proposal and at effect.
fn check_revoke(tx: &Tx, revoke: &RevokeAward) -> Result<(), Refusal> {
    let award = tx.get::<Award>(revoke.award)?;
    award.may("F12", S::Revoked)?;
    if let Some(number) = award.agreement {
        let state = tx.get::<Agreement>(number)?.state;
        let bound = state.is_payable() || state.is_over();
        require!(!bound, "F12.agreement-in-force", agreement = number);
    }
    Ok(())
}

/// F12: the board revokes.
fn revoke(tx: &mut Tx, revoke: &RevokeAward) -> Result<(), Refusal> {
    check_revoke(tx, revoke)?;
    let mut award = tx.get::<Award>(revoke.award)?;
    if let Some(number) = award.agreement {
        let mut draft = tx.get::<Agreement>(number)?;
        tx.go(&mut draft, "F13", AgreementState::Replaced)?;
        tx.put(draft);
    }
    tx.cancel(DeadlineKind::StandstillEnd, award.number);
    tx.cancel(DeadlineKind::OfferEnd, award.number);
    tx.go(&mut award, "F12", S::Revoked)?;
    give_back(tx, &award)?;
    tx.put(award);
    Ok(())
}

/// W -> B while the call is open, else W -> A (RULINGS R3).
fn give_back(tx: &mut Tx, award: &Award) -> Result<(), Refusal> {
    let phase = tx.get::<Call>(award.call)?.phase();
    let movement = Movement::AwardReturned {
        call: award.call,
        award: award.number,
        phase,
        amount: award.amount,
    };
    post(tx, award.fund, &movement).map(|_| ())
}

/// F12: the applicant accepts the offer.
pub(super) fn accept(tx: &mut Tx, actor: &Actor, number: AwardId) -> Result<Outcome, Refusal> {
    let mut award = tx.get::<Award>(number)?;
    require!(
        actor.number() == award.grantee,
        "F12.not-the-grantee",
        grantee = award.grantee
    );
    actor.must_sign(Role::Primary)?;
    require_no_appeal(tx, &award)?;
    tx.go(&mut award, "F12", S::Accepted)?;
    tx.cancel(DeadlineKind::OfferEnd, number);
    tx.put(award);
    Ok(Outcome::Applied)
}

/// Refuses while an appeal in the award's call waits for the board.
fn require_no_appeal(tx: &Tx, award: &Award) -> Result<(), Refusal> {
    for number in call::applications(tx, award.call) {
        let open =
            tx.t.applications
                .get(&number)
                .is_some_and(application::appeal_open);
        require!(!open, "F13.appeal-open", application = number);
    }
    Ok(())
}

/// F13: the award is accepted, its standstill over, no appeal open.
pub(super) fn require_ready(tx: &Tx, award: &Award) -> Result<(), Refusal> {
    require!(
        award.state == S::Accepted,
        "F13.award-not-accepted",
        award = award.number,
        state = award.state
    );
    require_no_appeal(tx, award)
}

/// Acts out a deadline of an award.
pub(super) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: AwardId,
    due: Due,
) -> Result<(), Refusal> {
    let mut award = tx.get::<Award>(number)?;
    match kind {
        DeadlineKind::StandstillEnd => {
            tx.go(&mut award, "F12", S::Offered)?;
            let days = tx.charter_of(award.charter)?.funding.offer_days;
            let until_ms = tx.deadline(Period::Days(days));
            tx.schedule(DeadlineKind::OfferEnd, number, until_ms);
            tx.emit(
                due,
                EventBody::AwardOffered {
                    award: number,
                    grantee: award.grantee,
                    amount: award.amount,
                    until_ms,
                },
            );
        }
        DeadlineKind::OfferEnd => {
            tx.go(&mut award, "F12", S::Lapsed)?;
            give_back(tx, &award)?;
            tx.emit(
                due,
                EventBody::AwardLapsed {
                    award: number,
                    grantee: award.grantee,
                    amount: award.amount,
                },
            );
        }
        _ => return Ok(()),
    }
    tx.put(award);
    Ok(())
}

/// Reviewers of the application and voters in its matter (RULINGS R31), as deeds of the chain: of
/// the award, its placing, rescission and revocation, an appeal, a lifted hold.
pub(super) fn deeds(tx: &Tx, application: ApplicationId) -> Vec<Deed> {
    let mut deeds = reviewers(tx, application);
    deeds.extend(votes(tx, application));
    deeds
}

/// Votes in the matter of an application.
pub(super) fn votes(tx: &Tx, application: ApplicationId) -> Vec<Deed> {
    motions_of(tx, Matter::Application(application))
        .iter()
        .flat_map(|motion| voters(tx, motion.number))
        .collect()
}

/// Persons whose review of the application stands: who declined, was recused or replaced has not
/// reviewed.
fn reviewers(tx: &Tx, application: ApplicationId) -> Vec<Deed> {
    let standing = review::of(tx, application)
        .into_iter()
        .filter(|review| review.status.stands());
    standing
        .filter_map(|review| review::deed(tx, &review))
        .collect()
}

/// Persons who signed a counted ballot: it holds its group's voice, and that was not recused.
fn voters(tx: &Tx, motion: MotionId) -> Vec<Deed> {
    let mut deeds = Vec::new();
    let round = tx.t.motions.get(&motion).map_or(0, |motion| motion.round);
    for (group, cast) in crate::rules::motion::ballots(&tx.t, motion) {
        if tx.t.recused_at_close.contains(&(motion, round, group)) {
            continue;
        }
        for person in cast.persons {
            if let Some(known) = tx.t.persons.get(&person) {
                deeds.push(Deed {
                    step: deed::Step::Vote,
                    person,
                    home: known.home,
                    at_ms: cast.cast_ms,
                });
            }
        }
    }
    deeds
}

/// R7: nobody who reviewed an application of the call votes on its awards, their placing, rescission
/// or revocation.
fn check_award_voters(
    tx: &Tx,
    application: ApplicationId,
    persons: &[PersonId],
) -> Result<(), Refusal> {
    let call = tx.get::<Application>(application)?.call;
    let reviewed = call::applications(tx, call);
    exclude(tx, application, &reviewed, persons)
}

/// R31, domain 2.9: nobody who reviewed the application votes in its matter, nor whoever took a step
/// that excludes the vote in what grew from it.
pub(super) fn check_voters(
    tx: &Tx,
    application: ApplicationId,
    persons: &[PersonId],
) -> Result<(), Refusal> {
    exclude(tx, application, &[application], persons)
}

fn exclude(
    tx: &Tx,
    application: ApplicationId,
    reviewed: &[ApplicationId],
    persons: &[PersonId],
) -> Result<(), Refusal> {
    let mut done: Vec<Deed> = reviewed
        .iter()
        .flat_map(|other| reviewers(tx, *other))
        .collect();
    done.extend(payment::deeds(tx, application));
    for person in persons {
        let mut earlier = done.iter().filter(|deed| deed.person == *person);
        let excludes = |deed: &&Deed| deed::Step::Vote.both(deed.step) == deed::Both::No;
        if let Some(earlier) = earlier.find(excludes) {
            refuse!(
                "N12.same-person",
                person = person,
                step = deed::Step::Vote,
                earlier = earlier.step
            );
        }
    }
    Ok(())
}

impl Effect for GrantAward {
    fn body(&self, tx: &Tx, _kind: Option<MotionKind>) -> Result<DecidingBody, Refusal> {
        deciding_body(tx, self.application, self.body)
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(fund_of(tx, self.application))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self.application)
    }

    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Application(self.application)
    }

    fn proposable(&self, tx: &Tx) -> Result<(), Refusal> {
        check_rank(tx, self)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check(tx, self)
    }

    fn waits_for(&self, tx: &Tx, motion: MotionId) -> Result<Option<MotionId>, Refusal> {
        let application = tx.get::<Application>(self.application)?;
        let (None, Some(rank)) = (self.out_of_rank, application.rank) else {
            return Ok(None);
        };
        match better_rank(tx, application.call, rank, motion) {
            None => Ok(None),
            Some(Better::Undecided(awaited)) => Ok(Some(awaited)),
            Some(Better::NotAsked(better)) => refuse!(
                "F11.out-of-rank",
                application = self.application,
                better = better
            ),
        }
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        check_award_voters(tx, self.application, persons)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, _due: Due) -> Result<(), Refusal> {
        grant(tx, motion, self).map(|_| ())
    }
}

impl Effect for PlaceApplication {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Application(self.application)
    }

    fn body(&self, tx: &Tx, _kind: Option<MotionKind>) -> Result<DecidingBody, Refusal> {
        deciding_body(tx, self.application, BodyKind::Committee)
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(fund_of(tx, self.application))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self.application)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_place(tx, self)
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        check_award_voters(tx, self.application, persons)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        place(tx, self)
    }
}

impl Effect for RevokeAward {
    fn matter(&self, tx: &Tx, motion: MotionId) -> Matter {
        let award = tx.t.awards.get(&self.award);
        award.map_or(Matter::Motion(motion), |award| {
            Matter::Application(award.application)
        })
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(tx.t.awards.get(&self.award).map(|award| award.fund))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        let award = tx.t.awards.get(&self.award);
        award.map(|award| award.grantee).into_iter().collect()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_revoke(tx, self)
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        check_award_voters(tx, tx.get::<Award>(self.award)?.application, persons)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        revoke(tx, self)
    }
}
