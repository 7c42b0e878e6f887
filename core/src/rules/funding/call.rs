//! Calls (F05, F10, F37, F38; RULINGS R2, R3, R4).
//!
//! * A board motion publishes the terms, frozen by hash, and moves the budget `A -> B:call`, the
//!   direction's earmark first.
//! * Submissions open and close by the clock; what was not opened within the limit after the close
//!   is void.
//! * The ranking is computed by `apply`, whoever asks for it: integers only, means compared as
//!   exact fractions, thresholds per criterion and overall, ties by the published order and at last
//!   by the number of the application.
//! * Decided follows from the decisions on the ranked applications ([`progress`]). A cancelled call
//!   gives its budget back.
//!
//! * A decided call is closed by the programme officer once no award of it waits for its agreement;
//!   reserves end, and what was not awarded goes back, the earmark first (F29, N19). Agreements in
//!   force outlive their call: what they give back goes to the fund (RULINGS R3).

use std::cmp::Ordering;

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::{Account, AccountKind, Amount, Balances, Movement};
use crate::calendar::{MS_PER_DAY, Period, start_of_local_day};
use crate::event::EventBody;
use crate::id::{ApplicationId, AwardId, CallId, Id, MotionId};
use crate::identity::{Role, Scope};
use crate::object::Machine;
use crate::object::application::{Application, ApplicationStatus, Score};
use crate::object::call::{Call, CallStatus as C};
use crate::object::matter::Matter;
use crate::object::review::Review;
use crate::record::{CallTerms, CancelCall, Scores, TieBreak};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::bank::post;
use crate::rules::effect::{Effect, scope_of};
use crate::rules::funding::{application, draw, fund, review};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Most applications of one call: what one event can name.
pub const APPLICATIONS_MAX: u32 = 8_192;

/// How long after the close an application still counts with seen receipts from before it (RULINGS
/// A4).
pub const LATE_MS: u64 = MS_PER_DAY;

/// Numbers of a call's applications, ascending.
pub fn applications(tx: &Tx, call: CallId) -> Vec<ApplicationId> {
    tx.t.call_applications
        .range((call, Id::MIN)..=(call, Id::MAX))
        .map(|((_, application), _)| *application)
        .collect()
}

/// The guards of F05.
fn check_publish(tx: &Tx, terms: &CallTerms) -> Result<(), Refusal> {
    fund::open(tx, terms.fund)?;
    let charter = tx.charter()?;
    let least = charter.funding.reviewers;
    require!(
        terms.reviewers >= least,
        "F05.too-few-reviewers",
        reviewers = terms.reviewers,
        least = least
    );
    for class in &terms.eligibility.classes {
        require!(
            charter.class(*class).is_some(),
            "F05.unknown-class",
            class = class
        );
    }
    if let Some(direction) = terms.direction {
        require!(
            tx.t.directions.contains(&direction),
            "F05.unknown-direction",
            direction = direction
        );
    }
    let closes = tx.calendar().end_of_day(terms.closes_day);
    require!(
        closes > tx.now,
        "F05.closes-in-the-past",
        closes = terms.closes_day
    );
    let at = |kind| {
        tx.t.balance(Account {
            fund: terms.fund,
            kind,
        })
    };
    let earmarked = terms
        .direction
        .map_or(0, |direction| at(AccountKind::Direction(direction)));
    let available = earmarked.saturating_add(at(AccountKind::Free));
    require!(
        i128::from(terms.budget) <= available,
        "F05.budget-above-available",
        budget = terms.budget,
        available = available
    );
    Ok(())
}

/// F05: publishes. Returns the call's number.
fn publish(tx: &mut Tx, motion: MotionId, terms: &CallTerms) -> Result<CallId, Refusal> {
    check_publish(tx, terms)?;
    let number = tx.next_id::<CallId>();
    let call = Call {
        number,
        terms: terms.clone(),
        terms_hash: terms.hash(),
        concentration_bp: match terms.concentration_bp {
            Some(limit) => limit,
            None => tx.charter()?.funding.call_concentration_bp,
        },
        status: tx.begin::<Call>(number, "F05", C::Published)?,
        since_ms: tx.now,
        closed_ms: None,
        applications: 0,
        motion,
        charter: tx.facts().charter,
    };
    tx.put(call);
    post(
        tx,
        terms.fund,
        &Movement::CallFunded {
            call: number,
            direction: terms.direction,
            amount: terms.budget,
        },
    )?;
    let calendar = tx.calendar();
    // The first millisecond of the opening day is in the window already.
    let opens = start_of_local_day(terms.opens_day, calendar.offset_minutes).minus_ms(1);
    tx.schedule(DeadlineKind::CallOpens, number, opens.max(tx.now));
    let closes = calendar.next_working_day_end(calendar.end_of_day(terms.closes_day));
    tx.schedule(DeadlineKind::CallCloses, number, closes);
    Ok(number)
}

/// F37, by the clock.
pub fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: CallId,
    due: Due,
) -> Result<(), Refusal> {
    let mut call = tx.get::<Call>(number)?;
    match kind {
        DeadlineKind::CallOpens => {
            tx.advance(call, "F37", C::Open)?;
            tx.emit(due, EventBody::CallOpened { call: number });
        }
        DeadlineKind::CallCloses => {
            call.closed_ms = Some(due.at());
            let days = tx.charter_of(call.charter)?.funding.opening_working_days;
            tx.schedule(
                DeadlineKind::OpeningEnds,
                number,
                tx.calendar().deadline(due.at(), Period::WorkingDays(days)),
            );
            let applications = call.applications;
            tx.advance(call, "F37", C::ClosedForSubmissions)?;
            tx.emit(
                due,
                EventBody::CallClosedForSubmissions {
                    call: number,
                    applications,
                },
            );
        }
        _ => {
            let mut void = Vec::new();
            for application in applications(tx, number) {
                if application::void_unopened(tx, application)? {
                    void.push(application);
                }
            }
            tx.emit(
                due,
                EventBody::ApplicationsVoid {
                    call: number,
                    applications: void,
                },
            );
        }
    }
    Ok(())
}

/// F37: the call is under review once reviewers of an application are assigned.
pub(super) fn reviewing(tx: &mut Tx, number: CallId) -> Result<(), Refusal> {
    let call = tx.get::<Call>(number)?;
    if call.status == C::ClosedForSubmissions {
        tx.advance(call, "F37", C::Reviewing)
    } else {
        Ok(())
    }
}

/// F37: a ranked call is Decided once no application is left without decision. Whoever decides one
/// calls this.
pub fn progress(tx: &mut Tx, number: CallId) -> Result<(), Refusal> {
    let call = tx.get::<Call>(number)?;
    let open = |application: ApplicationId| {
        tx.t.applications
            .get(&application)
            .is_some_and(|a| a.status == ApplicationStatus::Ranked)
    };
    if call.status == C::Ranked && !applications(tx, number).into_iter().any(open) {
        tx.advance(call, "F37", C::Decided)?;
    }
    Ok(())
}

/// The exact score of an application from its final reviews, in whatever order; none without a
/// review.
pub fn score<'a>(
    terms: &CallTerms,
    reviews: impl IntoIterator<Item = &'a Scores>,
) -> Option<Score> {
    let mut score = Score {
        total: 0,
        sums: vec![0; terms.criteria.len()],
        reviews: 0,
        reached: true,
    };
    for scores in reviews {
        for ((criterion, sum), given) in terms.criteria.iter().zip(&mut score.sums).zip(&scores.0) {
            // Scores are at most 1,000, weights sum to 10,000, reviews are a handful: far from 64
            // bits.
            *sum = sum.saturating_add(u64::from(*given));
            score.total = score
                .total
                .saturating_add(u64::from(criterion.weight_bp) * u64::from(*given));
        }
        score.reviews = score.reviews.saturating_add(1);
    }
    let n = u64::from(score.reviews);
    let above = |(criterion, sum): (&crate::record::Criterion, &u64)| {
        *sum >= u64::from(criterion.threshold).saturating_mul(n)
    };
    score.reached = terms.criteria.iter().zip(&score.sums).all(above)
        && score.total >= terms.threshold.saturating_mul(n);
    (n > 0).then_some(score)
}

/// What the ranking reads of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contestant {
    /// Number of the application.
    pub application: ApplicationId,
    /// Its ask.
    pub ask: Amount,
    /// When it was submitted.
    pub submitted_ms: LedgerTime,
    /// Its score.
    pub score: Score,
}

/// Mean against mean as exact fractions.
fn means(a: u64, a_of: u32, b: u64, b_of: u32) -> Ordering {
    (u128::from(a) * u128::from(b_of)).cmp(&(u128::from(b) * u128::from(a_of)))
}

/// Best first: total, then the published tie-breaks, then the number. A total order: no two compare
/// equal.
pub fn better(terms: &CallTerms, a: &Contestant, b: &Contestant) -> Ordering {
    let (m, n) = (a.score.reviews, b.score.reviews);
    let mut order = means(a.score.total, m, b.score.total, n).reverse();
    for tie_break in &terms.tie_breaks {
        order = order.then_with(|| match tie_break {
            TieBreak::Criterion(i) => {
                let sum = |c: &Contestant| c.score.sums.get(*i as usize).copied().unwrap_or(0);
                means(sum(a), m, sum(b), n).reverse()
            }
            TieBreak::SmallerAsk => a.ask.cmp(&b.ask),
            TieBreak::Earlier => a.submitted_ms.cmp(&b.submitted_ms),
        });
    }
    order.then(a.application.cmp(&b.application))
}

/// F10: anyone asks, `apply` computes.
pub fn rank(tx: &mut Tx, number: CallId) -> Result<Outcome, Refusal> {
    let call = tx.get::<Call>(number)?;
    require!(
        matches!(call.status, C::ClosedForSubmissions | C::Reviewing),
        "F10.wrong-state",
        call = number,
        status = call.status
    );
    let closed = call.closed_ms.unwrap_or(LedgerTime::MAX);
    require!(
        tx.now > closed.plus_ms(LATE_MS),
        "F10.late-window-open",
        closed = closed
    );
    let mut contestants = Vec::new();
    for number in applications(tx, number) {
        let entry = tx.get::<Application>(number)?;
        match entry.status {
            ApplicationStatus::UnderReview => {}
            ApplicationStatus::Submitted
            | ApplicationStatus::Opened
            | ApplicationStatus::Eligible => {
                refuse!("F10.unsettled", application = number, status = entry.status)
            }
            ApplicationStatus::Ineligible => {
                require!(
                    !application::appeal_open(&entry),
                    "F10.appeal-open",
                    application = number
                );
                continue;
            }
            _ => continue,
        }
        review::require_untainted(tx, number)?;
        let reviews = review::of(tx, number);
        if let Some(open) = reviews.iter().find(|review| review.status.is_running()) {
            refuse!(
                "F10.review-not-final",
                application = number,
                review = open.number,
                status = open.status
            );
        }
        let last: Vec<&Scores> = reviews.iter().filter_map(Review::final_scores).collect();
        let needed = review::needed(tx, &call, &entry)?;
        require!(
            last.len() >= needed as usize,
            "F10.too-few-reviews",
            application = number,
            done = last.len(),
            needed = needed
        );
        let Some(score) = score(&call.terms, last) else {
            refuse!("F10.too-few-reviews", application = number)
        };
        let (ask, submitted_ms) = (entry.ask(), entry.submitted_ms);
        contestants.push(Contestant {
            application: number,
            ask,
            submitted_ms,
            score,
        });
    }
    contestants.sort_by(|a, b| better(&call.terms, a, b));
    let mut rank = 0;
    for contestant in contestants {
        let reached = contestant.score.reached;
        rank += u32::from(reached);
        application::ranked(
            tx,
            contestant.application,
            contestant.score,
            reached.then_some(rank),
        )?;
    }
    tx.advance(call, "F10", C::Ranked)?;
    progress(tx, number)?;
    Ok(Outcome::Applied)
}

/// F29: closes.
pub fn close(tx: &mut Tx, actor: &Actor, number: CallId) -> Result<Outcome, Refusal> {
    let call = tx.get::<Call>(number)?;
    let fund = call.terms.fund;
    must_hold(tx, actor, Role::ProgrammeOfficer, Scope::Fund(fund))?;
    call.may("F29", C::Closed)?;
    let at = |kind| tx.t.balance(Account { fund, kind });
    let waiting = |award: AwardId| at(AccountKind::Award(award)) != 0;
    if let Some((award, _)) =
        tx.t.awards
            .iter()
            .find(|(award, entry)| entry.call == number && waiting(**award))
    {
        refuse!("F29.open-child", call = number, award = award);
    }
    // A balance of the call is never negative (N1) and never above its budget.
    let rest = u64::try_from(at(AccountKind::Call(number))).unwrap_or(0);
    for application in applications(tx, number) {
        let entry = tx.get::<Application>(application)?;
        if entry.status == ApplicationStatus::Reserve {
            tx.advance(entry, "F29", ApplicationStatus::NotRecommended)?;
        }
    }
    if rest > 0 {
        post(
            tx,
            fund,
            &Movement::CallReleased {
                call: number,
                amount: Amount(rest),
            },
        )?;
    }
    tx.advance(call, "F29", C::Closed)?;
    Ok(Outcome::Applied)
}

/// The guards of F38: the table, and nothing granted, which the balance of the call shows.
fn check_cancel(tx: &Tx, plan: &CancelCall) -> Result<(), Refusal> {
    let call = tx.get::<Call>(plan.call)?;
    call.may("F38", C::Cancelled)?;
    let balance = tx.t.balance(Account {
        fund: call.terms.fund,
        kind: AccountKind::Call(call.number),
    });
    require!(
        balance == i128::from(call.terms.budget),
        "F38.granted",
        call = call.number,
        balance = balance
    );
    Ok(())
}

/// F38: cancels; applications are void, reviews end, the budget goes back.
fn cancel(tx: &mut Tx, plan: &CancelCall) -> Result<(), Refusal> {
    check_cancel(tx, plan)?;
    let call = tx.get::<Call>(plan.call)?;
    for application in applications(tx, plan.call) {
        application::void_cancelled(tx, application)?;
    }
    draw::abandon(tx, call.number)?;
    for kind in [
        DeadlineKind::CallOpens,
        DeadlineKind::CallCloses,
        DeadlineKind::OpeningEnds,
    ] {
        tx.cancel(kind, call.number);
    }
    post(
        tx,
        call.terms.fund,
        &Movement::CallReleased {
            call: call.number,
            amount: call.terms.budget,
        },
    )?;
    tx.advance(call, "F38", C::Cancelled)
}

impl Effect for CallTerms {
    fn scope(&self, _tx: &Tx) -> Scope {
        Scope::Fund(self.fund)
    }

    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        // It is for everybody; who later applies is judged then.
        Vec::new()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_publish(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, _due: Due) -> Result<(), Refusal> {
        publish(tx, motion, self).map(|_| ())
    }
}

impl Effect for CancelCall {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Call(self.call)
    }

    fn scope(&self, tx: &Tx) -> Scope {
        scope_of(tx.t.calls.get(&self.call).map(|call| call.terms.fund))
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        // R31: whoever applied, and has not taken it back.
        let entries = applications(tx, self.call);
        let entries = entries.iter().filter_map(|a| tx.t.applications.get(a));
        entries
            .filter(|entry| entry.status != ApplicationStatus::Withdrawn)
            .map(|entry| entry.applicant)
            .collect()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_cancel(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        cancel(tx, self)
    }
}
