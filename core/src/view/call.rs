//! The applications of a call: rank, score, reviews, verdict, award.

use std::collections::BTreeMap;

use rollbook_proof::codec::Text;
use rollbook_proof::number::LedgerTime;

use super::affairs::corrections;
use super::{CorrectionLine, Party, party};
use crate::account::{Amount, Unit};
use crate::id::{ApplicationId, AwardId, CallId, DrawId, Id, PersonId, ReviewId};
use crate::next::{award_of, unit_of_fund};
use crate::object::application::{Appeal, Application, ApplicationStatus, Score};
use crate::object::call::CallStatus;
use crate::object::review::ReviewStatus;
use crate::record::{Corrected, Criterion, Scores, Verdict};
use crate::state::StateTables;

/// A call with its applications.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CallView {
    /// The call.
    pub number: CallId,
    /// Where it stands.
    pub status: CallStatus,
    /// Unit of its amounts.
    pub unit: Option<Unit>,
    /// What is scored.
    pub criteria: Vec<Criterion>,
    /// Least mean total, in basis points times score; 0 for none.
    pub threshold: u64,
    /// Fewest final reviews of an application.
    pub reviewers: u32,
    /// Its applications: ranked ones by rank, then the others by number.
    pub entries: Vec<Entry>,
    /// What was corrected in it.
    pub corrections: Vec<CorrectionLine>,
}

/// One application.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// The application.
    pub application: ApplicationId,
    /// Who applied.
    pub applicant: Party,
    /// Where it stands.
    pub status: ApplicationStatus,
    /// Ledger time of submission.
    pub submitted_ms: LedgerTime,
    /// The ask in minor units; none before the opening.
    pub ask: Option<Amount>,
    /// The verdict on eligibility.
    pub verdict: Option<Verdict>,
    /// The appeal against it.
    pub appeal: Option<Appeal>,
    /// Why it is void.
    pub void: Option<Text<40>>,
    /// Rank from 1; none: not ranked, or below a threshold.
    pub rank: Option<u32>,
    /// The score, once ranked.
    pub score: Option<Score>,
    /// Its reviews.
    pub reviews: Vec<ReviewLine>,
    /// Its newest award.
    pub award: Option<AwardId>,
}

/// One review.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ReviewLine {
    /// The review.
    pub review: ReviewId,
    /// The reviewer.
    pub person: PersonId,
    /// The draw that named the reviewer.
    pub draw: DrawId,
    /// Where it stands.
    pub status: ReviewStatus,
    /// Scores that count so far, once revealed.
    pub scores: Option<Scores>,
    /// They were changed at the panel.
    pub is_revised: bool,
}

/// An application with its reviews.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ApplicationView {
    /// Its call.
    pub call: CallId,
    /// Unit of its amounts.
    pub unit: Option<Unit>,
    /// What is scored.
    pub criteria: Vec<Criterion>,
    /// Least mean total, in basis points times score; 0 for none.
    pub threshold: u64,
    /// The application.
    pub entry: Entry,
}

pub(super) fn of(tables: &StateTables, number: CallId) -> Option<CallView> {
    let call = tables.calls.get(&number)?;
    let all = (number, ApplicationId::MIN)..=(number, ApplicationId::MAX);
    // The newest of each application, in one walk.
    let awards: BTreeMap<ApplicationId, AwardId> = tables
        .awards
        .iter()
        .filter(|(_, award)| award.call == number)
        .map(|(id, award)| (award.application, *id))
        .collect();
    let mut entries: Vec<Entry> = tables
        .call_applications
        .range(all)
        .filter_map(|((_, application), _)| tables.applications.get(application))
        .map(|application| {
            let award = awards.get(&application.number).copied();
            entry(tables, application, award)
        })
        .collect();
    entries.sort_by_key(|entry| (entry.rank.unwrap_or(u32::MAX), entry.application));
    Some(CallView {
        number,
        status: call.status,
        unit: unit_of_fund(tables, call.terms.fund),
        criteria: call.terms.criteria.clone(),
        threshold: call.terms.threshold,
        reviewers: call.terms.reviewers,
        entries,
        corrections: corrections(tables, Corrected::Call(number)),
    })
}

pub(super) fn application(tables: &StateTables, number: ApplicationId) -> Option<ApplicationView> {
    let application = tables.applications.get(&number)?;
    let call = tables.calls.get(&application.call)?;
    Some(ApplicationView {
        call: call.number,
        unit: unit_of_fund(tables, call.terms.fund),
        criteria: call.terms.criteria.clone(),
        threshold: call.terms.threshold,
        entry: entry(tables, application, award_of(tables, number)),
    })
}

/// One application. Only one that was awarded has an award to show.
fn entry(tables: &StateTables, application: &Application, award: Option<AwardId>) -> Entry {
    let number = application.number;
    let reviews = tables
        .review_of
        .range((number, PersonId::MIN)..=(number, PersonId::MAX));
    let mut reviews: Vec<ReviewLine> = reviews
        .filter_map(|(_, review)| tables.reviews.get(review))
        .map(|review| ReviewLine {
            review: review.number,
            person: review.person,
            draw: review.draw,
            status: review.status,
            scores: review.counted().cloned(),
            is_revised: review.revision.is_some(),
        })
        .collect();
    reviews.sort_by_key(|review| review.review);
    let awarded = application.status == ApplicationStatus::Awarded
        || application.status == ApplicationStatus::Void;
    Entry {
        application: number,
        applicant: party(tables, application.applicant),
        status: application.status,
        submitted_ms: application.submitted_ms,
        ask: application.opened.as_ref().map(|opened| opened.content.ask),
        verdict: application.verdict.clone(),
        appeal: application.appeal,
        void: application.void.clone(),
        rank: application.rank,
        score: application.score.clone(),
        reviews,
        award: award.filter(|_| awarded),
    }
}
