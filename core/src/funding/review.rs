//! Reviews (F08, F09; RULINGS R6, R13, R22).
//!
//! * Reviewers follow from the call's draw: for each eligible application the first persons of its
//!   order who are unrelated to the applicant, of groups that have no other review of it, and hold
//!   no post of the fund. Nobody chooses them.
//! * A reviewer declares before sealing. Who is recused, declines, or is past a limit is replaced
//!   by the next of the order, and the clock's event says so. Nobody left: the programme officer
//!   adds experts, and a new round draws among them.
//! * Scores are sealed first; the reveal opens when every review of the application is sealed. A
//!   review is final when its reviewer confirms it, with a reasoned change if there is one (the old
//!   scores stay visible), or by the clock.
//! * A reviewer acts for the home organisation in the technical role; the person drawn signs,
//!   nobody else can.

use std::collections::BTreeSet;

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;

use super::{Application, ApplicationStatus, Call, Row, application, call, draw, step, unrelated};
use crate::apply::{Counter, DeadlineKind, EventBody, Outcome, Refusal, Tx};
use crate::calendar::Period;
use crate::identity::authority::{Actor, post_in_force};
use crate::identity::{Role, Scope, groups};
use crate::record::{CallAct, DrawFor, ReviewDeclaration, Revision, Scores};
use crate::{refuse, require, row};

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewStatus {
    /// Drawn.
    Assigned,
    /// Declared to have no conflict.
    Clear,
    /// Declared a conflict.
    Recused,
    /// Did not want to.
    Declined,
    /// Scores committed.
    Sealed,
    /// Scores visible.
    Revealed,
    /// Counts.
    Final,
    /// Past a limit; the next of the draw took over.
    Replaced,
    /// The application went away.
    Dropped,
}

impl ReviewStatus {
    /// Something is still expected of the reviewer.
    pub fn is_running(self) -> bool {
        matches!(
            self,
            ReviewStatus::Assigned
                | ReviewStatus::Clear
                | ReviewStatus::Sealed
                | ReviewStatus::Revealed
        )
    }

    /// It counts towards the number of reviews that an application needs.
    pub fn stands(self) -> bool {
        self.is_running() || self == ReviewStatus::Final
    }
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Review {
    /// Its number.
    pub number: u32,
    /// The application.
    pub application: u32,
    /// The reviewer.
    pub person: u32,
    /// The draw whose order named the reviewer.
    pub draw: u32,
    /// Where it stands.
    pub status: ReviewStatus,
    /// Ledger time since which it stands there.
    pub since_ms: u64,
    /// What was declared.
    pub declaration: Option<ReviewDeclaration>,
    /// The seal.
    pub seal: Option<Hash>,
    /// Scores as revealed.
    pub scores: Option<Scores>,
    /// Salted commitment to the written comment.
    pub comment: Option<Hash>,
    /// The change at the panel.
    pub revision: Option<Revision>,
}

impl Review {
    /// The scores that count: as changed at the panel, else as revealed.
    pub fn counted(&self) -> Option<&Scores> {
        self.revision
            .as_ref()
            .map(|revision| &revision.scores)
            .or(self.scores.as_ref())
    }

    /// The scores, if the review is final.
    pub fn final_scores(&self) -> Option<&Scores> {
        if self.status == ReviewStatus::Final {
            self.counted()
        } else {
            None
        }
    }
}

use ReviewStatus as R;

/// The state machine.
pub const ROWS: [Row<ReviewStatus>; 19] = [
    row!("F08", None => R::Assigned, "CLK", "next of the draw; unrelated; a group without a review of this application"),
    row!("F09", Some(R::Assigned) => R::Clear, "REV", "signed by the person drawn"),
    row!("F09", Some(R::Assigned) => R::Recused, "REV", "signed by the person drawn; the next of the draw follows"),
    row!("F09", Some(R::Assigned) => R::Declined, "REV", "signed by the person drawn; the next of the draw follows"),
    row!("F09", Some(R::Clear) => R::Recused, "REV", "a conflict seen before the seal"),
    row!("F09", Some(R::Clear) => R::Sealed, "REV", "declaration precedes seal"),
    row!("F09", Some(R::Sealed) => R::Revealed, "REV", "all reviews of the application sealed; matches the seal; in range"),
    row!("F09", Some(R::Revealed) => R::Final, "REV, CLK", "confirmed or changed with a reason; by the clock at the limit"),
    row!("R13", Some(R::Assigned) => R::Replaced, "CLK", "past the limit of the seal"),
    row!("R13", Some(R::Clear) => R::Replaced, "CLK", "past the limit of the seal"),
    row!("R13", Some(R::Sealed) => R::Replaced, "CLK", "past the limit of the reveal"),
    row!("F39", Some(R::Assigned) => R::Dropped, "applicant", "application withdrawn"),
    row!("F39", Some(R::Clear) => R::Dropped, "applicant", "application withdrawn"),
    row!("F39", Some(R::Sealed) => R::Dropped, "applicant", "application withdrawn"),
    row!("F39", Some(R::Revealed) => R::Dropped, "applicant", "application withdrawn"),
    row!("F38", Some(R::Assigned) => R::Dropped, "BRD", "call cancelled"),
    row!("F38", Some(R::Clear) => R::Dropped, "BRD", "call cancelled"),
    row!("F38", Some(R::Sealed) => R::Dropped, "BRD", "call cancelled"),
    row!("F38", Some(R::Revealed) => R::Dropped, "BRD", "call cancelled"),
];

/// A review, or a refusal that names the number.
pub fn get(tx: &Tx, number: u32) -> Result<Review, Refusal> {
    tx.t.reviews
        .get(&number)
        .cloned()
        .ok_or_else(|| Refusal::new("A4.unknown-review", vec![("review", number.to_string())]))
}

/// Every review of an application, whatever became of it, by person.
pub fn of(tx: &Tx, application: u32) -> Vec<Review> {
    let numbers =
        tx.t.review_of
            .range((application, 0)..=(application, u32::MAX))
            .map(|(_, number)| *number);
    numbers
        .filter_map(|number| tx.t.reviews.get(&number).cloned())
        .collect()
}

/// Persons with a standing review of an application of the call: they do not vote on its awards
/// (R7).
pub fn reviewers(tx: &Tx, call: u32) -> BTreeSet<u32> {
    let reviews = call::applications(tx, call)
        .into_iter()
        .flat_map(|application| of(tx, application));
    reviews
        .filter(|review| review.status.stands())
        .map(|review| review.person)
        .collect()
}

/// Fewest final reviews of an application: the call's, or the charter's for a large ask.
pub fn needed(tx: &Tx, call: &Call, entry: &Application) -> Result<u32, Refusal> {
    let funding = &tx.charter_of(call.charter)?.funding;
    let large = if entry.ask() > funding.large_ask {
        funding.reviewers_large
    } else {
        0
    };
    Ok(call.terms.reviewers.max(large))
}

fn put(
    tx: &mut Tx,
    mut review: Review,
    code: &'static str,
    to: ReviewStatus,
) -> Result<(), Refusal> {
    review.status = step(&ROWS, code, Some(review.status), to)?;
    review.since_ms = tx.now;
    tx.t.reviews.put(review.number, review);
    Ok(())
}

/// Whether the person holds a post that the payment chain of the fund needs, or audits (domain
/// 2.9).
fn is_officer(tx: &Tx, person: u32, fund: u32) -> bool {
    let barred = [
        Role::Treasurer,
        Role::SecondOfficer,
        Role::ProgrammeOfficer,
        Role::FinanceApprover,
        Role::Auditor,
    ];
    tx.t.posts.iter().any(|(_, post)| {
        post.holder == person
            && barred.contains(&post.role)
            && (post.scope == Scope::Alliance || post.scope == Scope::Fund(fund))
            && post_in_force(post, tx.now)
    })
}

/// The next persons of the order who may review the application, `count` at most, with the draw.
fn next(tx: &Tx, call: &Call, entry: &Application, count: usize) -> Vec<(u32, u32)> {
    let before = of(tx, entry.number);
    let group = |person: u32| {
        tx.t.persons
            .get(&person)
            .map(|person| groups::group_of(tx.t, person.home))
    };
    let mut taken: BTreeSet<Option<u32>> = before
        .iter()
        .filter(|r| r.status.stands())
        .map(|r| group(r.person))
        .collect();
    let mut found = Vec::new();
    for (person, draw) in draw::order_for(tx, DrawFor::Call(call.number), entry.number) {
        if found.len() == count {
            break;
        }
        let asked = before.iter().any(|review| review.person == person);
        if asked
            || !unrelated(tx, person, entry.applicant)
            || is_officer(tx, person, call.terms.fund)
        {
            continue;
        }
        if taken.insert(group(person)) {
            found.push((person, draw));
        }
    }
    found
}

/// Assigns the next of the order until the application has enough standing reviews; what can be
/// found is assigned.
fn fill(tx: &mut Tx, number: u32) -> Result<Vec<u32>, Refusal> {
    let entry = application::get(tx, number)?;
    let call = call::get(tx, entry.call)?;
    let standing = of(tx, number)
        .iter()
        .filter(|review| review.status.stands())
        .count();
    let missing = (needed(tx, &call, &entry)? as usize).saturating_sub(standing);
    let days = tx.charter_of(call.charter)?.funding.review_days;
    let mut assigned = Vec::new();
    for (person, draw) in next(tx, &call, &entry, missing) {
        let review = Review {
            number: tx.next_number(Counter::Review),
            application: number,
            person,
            draw,
            status: step(&ROWS, "F08", None, R::Assigned)?,
            since_ms: tx.now,
            declaration: None,
            seal: None,
            scores: None,
            comment: None,
            revision: None,
        };
        tx.t.review_of.put((number, person), review.number);
        tx.schedule(
            DeadlineKind::ReviewSeal,
            review.number,
            tx.deadline(Period::Days(days)),
        );
        assigned.push(review.number);
        tx.t.reviews.put(review.number, review);
    }
    Ok(assigned)
}

/// F08: assigns reviewers to an eligible application once the draw stands and names enough of them.
/// Otherwise it waits.
pub(super) fn assign(tx: &mut Tx, number: u32) -> Result<(), Refusal> {
    let entry = application::get(tx, number)?;
    if entry.status == ApplicationStatus::Eligible {
        let call = call::get(tx, entry.call)?;
        let needed = needed(tx, &call, &entry)? as usize;
        if next(tx, &call, &entry, needed).len() < needed {
            return Ok(());
        }
        application::put(tx, entry, "F08", ApplicationStatus::UnderReview)?;
        fill(tx, number)?;
        return call::reviewing(tx, call.number);
    }
    if entry.status == ApplicationStatus::UnderReview {
        fill(tx, number)?;
    }
    Ok(())
}

/// F08 for every application of a call: a draw stands.
pub(super) fn assign_all(tx: &mut Tx, call: u32) -> Result<(), Refusal> {
    for application in call::applications(tx, call) {
        assign(tx, application)?;
    }
    Ok(())
}

/// Applies an act on reviews.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &CallAct) -> Result<Outcome, Refusal> {
    match act {
        CallAct::Declare {
            review,
            declaration,
        } => declare(tx, mine(tx, actor, *review)?, *declaration)?,
        CallAct::Seal { review, seal } => self::seal(tx, mine(tx, actor, *review)?, *seal)?,
        CallAct::Reveal {
            review,
            scores,
            comment,
            salt,
        } => reveal(tx, mine(tx, actor, *review)?, scores, comment, salt)?,
        CallAct::Finalise { review, revision } => {
            finalise(tx, mine(tx, actor, *review)?, revision.as_ref())?
        }
        _ => refuse!("A4.no-such-transition"),
    }
    Ok(Outcome::Applied)
}

/// The review, if the person drawn signs in the technical role.
fn mine(tx: &Tx, actor: &Actor, number: u32) -> Result<Review, Refusal> {
    let review = get(tx, number)?;
    let signs = actor
        .signers
        .iter()
        .any(|signer| signer.person == review.person && signer.role == Role::Technical);
    require!(signs, "F09.not-the-reviewer", review = number);
    Ok(review)
}

/// F09: the declaration, before anything else.
fn declare(tx: &mut Tx, mut review: Review, declaration: ReviewDeclaration) -> Result<(), Refusal> {
    let (number, application) = (review.number, review.application);
    let to = match declaration {
        ReviewDeclaration::Clear => R::Clear,
        ReviewDeclaration::Recused(_) => R::Recused,
        ReviewDeclaration::Declined => R::Declined,
    };
    if to == R::Clear {
        require_no_tie(tx, &review)?;
    }
    review.declaration = Some(declaration);
    put(tx, review, "F09", to)?;
    if to != R::Clear {
        tx.cancel(DeadlineKind::ReviewSeal, number);
        fill(tx, application)?;
    }
    Ok(())
}

/// A tie recorded after the draw stops the reviewer (domain 1.8): recused, or replaced by the
/// clock.
fn require_no_tie(tx: &Tx, review: &Review) -> Result<(), Refusal> {
    let applicant = application::get(tx, review.application)?.applicant;
    require!(
        unrelated(tx, review.person, applicant),
        "N13.related",
        person = review.person,
        organisation = applicant
    );
    Ok(())
}

/// F09: the seal. When every review of the application is sealed, the reveal opens.
fn seal(tx: &mut Tx, mut review: Review, seal: Hash) -> Result<(), Refusal> {
    require_no_tie(tx, &review)?;
    let (number, application) = (review.number, review.application);
    review.seal = Some(seal);
    put(tx, review, "F09", R::Sealed)?;
    tx.cancel(DeadlineKind::ReviewSeal, number);
    let entry = application::get(tx, application)?;
    let call = call::get(tx, entry.call)?;
    let standing: Vec<Review> = of(tx, application)
        .into_iter()
        .filter(|review| review.status.stands())
        .collect();
    let sealed = standing
        .iter()
        .filter(|review| !matches!(review.status, R::Assigned | R::Clear))
        .count();
    if sealed == standing.len() && sealed >= needed(tx, &call, &entry)? as usize {
        let days = tx.charter_of(call.charter)?.funding.reveal_days;
        for review in standing.iter().filter(|review| review.status == R::Sealed) {
            tx.schedule(
                DeadlineKind::ReviewReveal,
                review.number,
                tx.deadline(Period::Days(days)),
            );
        }
    }
    Ok(())
}

fn check_scores(tx: &Tx, review: &Review, scores: &Scores) -> Result<(), Refusal> {
    let call = call::get(tx, application::get(tx, review.application)?.call)?;
    let criteria = &call.terms.criteria;
    require!(
        scores.0.len() == criteria.len(),
        "F09.score-per-criterion",
        scores = scores.0.len(),
        criteria = criteria.len()
    );
    for (criterion, score) in criteria.iter().zip(&scores.0) {
        let most = criterion.score_max;
        require!(
            *score <= most,
            "F09.score-out-of-range",
            criterion = criterion.code,
            score = score,
            most = most
        );
    }
    Ok(())
}

/// F09: the reveal.
fn reveal(
    tx: &mut Tx,
    mut review: Review,
    scores: &Scores,
    comment: &Hash,
    salt: &[u8; 32],
) -> Result<(), Refusal> {
    let number = review.number;
    require!(
        review.status == R::Sealed,
        "F09.wrong-state",
        review = number,
        status = format!("{:?}", review.status)
    );
    require!(
        tx.due(DeadlineKind::ReviewReveal, number).is_some(),
        "F09.others-not-sealed",
        review = number
    );
    require_no_tie(tx, &review)?;
    check_scores(tx, &review, scores)?;
    require!(
        review.seal == Some(scores.seal(salt, number, comment)),
        "F09.other-scores",
        review = number
    );
    review.scores = Some(scores.clone());
    review.comment = Some(*comment);
    put(tx, review, "F09", R::Revealed)
}

/// F09: the reviewer confirms, or changes with a reason.
fn finalise(tx: &mut Tx, mut review: Review, revision: Option<&Revision>) -> Result<(), Refusal> {
    let number = review.number;
    if let Some(revision) = revision {
        check_scores(tx, &review, &revision.scores)?;
        review.revision = Some(revision.clone());
    }
    put(tx, review, "F09", R::Final)?;
    tx.cancel(DeadlineKind::ReviewReveal, number);
    Ok(())
}

/// R13, by the clock: past the limit of the seal or the reveal the next of the draw follows; a
/// revealed review is final.
pub fn on_deadline(tx: &mut Tx, number: u32, due: u64) -> Result<(), Refusal> {
    let review = get(tx, number)?;
    let (application, person) = (review.application, review.person);
    if review.status == R::Revealed {
        put(tx, review, "F09", R::Final)?;
        tx.emit(
            due,
            EventBody::ReviewFinal {
                review: number,
                application,
            },
        );
        return Ok(());
    }
    put(tx, review, "R13", R::Replaced)?;
    let next = fill(tx, application)?.first().copied();
    tx.emit(
        due,
        EventBody::ReviewerReplaced {
            review: number,
            application,
            person,
            next,
        },
    );
    Ok(())
}

/// The application went away: its running reviews end.
pub(super) fn drop_all(tx: &mut Tx, application: u32, code: &'static str) -> Result<(), Refusal> {
    for review in of(tx, application) {
        if review.status.is_running() {
            tx.cancel(DeadlineKind::ReviewSeal, review.number);
            tx.cancel(DeadlineKind::ReviewReveal, review.number);
            put(tx, review, code, R::Dropped)?;
        }
    }
    Ok(())
}
