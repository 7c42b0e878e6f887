//! Reviews (F08, F09; RULINGS R6, R13, R22).
//!
//! * Reviewers follow from the call's draw: for each eligible application the first persons of its
//!   order who are unrelated to the applicant, of groups that have no other review of it, hold no post
//!   of the fund, and have not voted in its matter (an appeal). Nobody chooses them.
//! * A reviewer declares before sealing. Who is recused, declines, or is past a limit is replaced
//!   by the next of the order, and the clock's event says so. Nobody left: the programme officer
//!   adds experts, and a new round draws among them.
//! * Scores are sealed first; the reveal opens when every review of the application is sealed. A
//!   review is final when its reviewer confirms it, with a reasoned change if there is one (the old
//!   scores stay visible), or by the clock.
//! * A reviewer acts for the home organisation in the technical role; the person drawn signs,
//!   nobody else can.

use std::collections::BTreeSet;

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{ApplicationId, CallId, DrawId, FundId, GroupId, Id, PersonId, ReviewId};
use crate::identity::{Role, Scope};
use crate::lookup::groups;
use crate::lookup::posts::post_in_force;
use crate::object::application::{Application, ApplicationStatus};
use crate::object::call::Call;
use crate::object::deed::{Deed, Step};
use crate::object::review::{Review, ReviewStatus as R};
use crate::record::{CallAct, DrawFor, ReviewDeclaration, Revision, Scores};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, unrelated};
use crate::rules::funding::duties::Chain;
use crate::rules::funding::{award, call, draw, duties, fund};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Every review of an application, whatever became of it, by person.
pub fn of(tx: &Tx, application: ApplicationId) -> Vec<Review> {
    let numbers =
        tx.t.review_of
            .range((application, Id::MIN)..=(application, Id::MAX))
            .map(|(_, number)| *number);
    numbers
        .filter_map(|number| tx.t.reviews.get(&number).cloned())
        .collect()
}

/// Persons with a standing review of an application of the call: they do not vote on its awards
/// (R7).
pub fn reviewers(tx: &Tx, call: CallId) -> BTreeSet<PersonId> {
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
    let limits = fund::limits(tx, call.charter, call.terms.fund)?;
    let large = if entry.ask() > limits.large_ask {
        funding.reviewers_large
    } else {
        0
    };
    Ok(call.terms.reviewers.max(large))
}

/// Whether the person holds a post that the payment chain of the fund needs, or audits (domain
/// 2.9).
fn is_officer(tx: &Tx, person: PersonId, fund: FundId) -> bool {
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
fn next(tx: &Tx, call: &Call, entry: &Application, count: usize) -> Vec<(PersonId, DrawId)> {
    let before = of(tx, entry.number);
    let group = |person: PersonId| {
        tx.t.persons
            .get(&person)
            .map(|person| groups::group_of(&tx.t, person.home))
    };
    let mut taken: BTreeSet<Option<GroupId>> = before
        .iter()
        .filter(|r| r.status.stands())
        .map(|r| group(r.person))
        .collect();
    let voted = award::votes(tx, entry.number);
    let mut found = Vec::new();
    for (person, draw) in draw::order_for(tx, DrawFor::Call(call.number), entry.number.0) {
        if found.len() == count {
            break;
        }
        let asked = before.iter().any(|review| review.person == person);
        if asked
            || !unrelated(tx, person, entry.applicant)
            || is_officer(tx, person, call.terms.fund)
            || voted.iter().any(|vote| vote.person == person)
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
fn fill(tx: &mut Tx, number: ApplicationId) -> Result<Vec<ReviewId>, Refusal> {
    let entry = tx.get::<Application>(number)?;
    let call = tx.get::<Call>(entry.call)?;
    let standing = of(tx, number)
        .iter()
        .filter(|review| review.status.stands())
        .count();
    let missing = (needed(tx, &call, &entry)? as usize).saturating_sub(standing);
    let days = tx.charter_of(call.charter)?.funding.review_days;
    let mut assigned = Vec::new();
    for (person, draw) in next(tx, &call, &entry, missing) {
        let of_review = tx.next_id::<ReviewId>();
        let review = Review {
            number: of_review,
            application: number,
            person,
            draw,
            status: tx.begin::<Review>(of_review, "F08", R::Assigned)?,
            since_ms: tx.now,
            declaration: None,
            seal: None,
            scores: None,
            comment: None,
            revision: None,
        };
        tx.t.review_of().put((number, person), review.number);
        tx.schedule(
            DeadlineKind::ReviewSeal,
            review.number,
            tx.deadline(Period::Days(days)),
        );
        assigned.push(review.number);
        tx.put(review);
    }
    Ok(assigned)
}

/// F08: assigns reviewers to an eligible application once the draw stands and names enough of them.
/// Otherwise it waits.
pub(super) fn assign(tx: &mut Tx, number: ApplicationId) -> Result<(), Refusal> {
    let entry = tx.get::<Application>(number)?;
    if entry.status == ApplicationStatus::Eligible {
        let call = tx.get::<Call>(entry.call)?;
        let needed = needed(tx, &call, &entry)? as usize;
        if next(tx, &call, &entry, needed).len() < needed {
            return Ok(());
        }
        tx.advance(entry, "F08", ApplicationStatus::UnderReview)?;
        fill(tx, number)?;
        return call::reviewing(tx, call.number);
    }
    if entry.status == ApplicationStatus::UnderReview {
        fill(tx, number)?;
    }
    Ok(())
}

/// F08 for every application of a call: a draw stands.
pub(super) fn assign_all(tx: &mut Tx, call: CallId) -> Result<(), Refusal> {
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
        CallAct::Seal { review, seal } => {
            crate::rules::funding::review::seal(tx, mine(tx, actor, *review)?, *seal)?
        }
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
fn mine(tx: &Tx, actor: &Actor, number: ReviewId) -> Result<Review, Refusal> {
    let review = tx.get::<Review>(number)?;
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
    tx.advance(review, "F09", to)?;
    if to != R::Clear {
        tx.cancel(DeadlineKind::ReviewSeal, number);
        fill(tx, application)?;
    }
    Ok(())
}

/// A review as a deed of the chain.
pub(super) fn deed(tx: &Tx, review: &Review) -> Option<Deed> {
    tx.t.persons.get(&review.person).map(|known| Deed {
        step: Step::Review,
        person: review.person,
        home: known.home,
        at_ms: if review.status == R::Final {
            review.since_ms
        } else {
            LedgerTime::MAX
        },
    })
}

/// Standing reviews of an application that a tie taints (RULINGS R30), each with the refusal that it
/// would meet: the reviewer is of the applicant's group, or of that of an earlier review.
fn tainted(tx: &Tx, application: ApplicationId) -> Vec<(ReviewId, Refusal)> {
    let Some(applicant) = tx.t.applications.get(&application).map(|a| a.applicant) else {
        return Vec::new();
    };
    let mut standing = of(tx, application);
    standing.retain(|review| review.status.stands());
    standing.sort_by_key(|review| review.number);
    let chain = Chain {
        grantee: applicant,
        deeds: Vec::new(),
        distinct_groups: false,
    };
    let deeds: Vec<Deed> = standing.iter().filter_map(|r| deed(tx, r)).collect();
    let of_person = |person: PersonId| {
        standing
            .iter()
            .find(|review| review.person == person)
            .map(|review| review.number)
    };
    duties::tainted(&tx.t, chain, deeds)
        .into_iter()
        .filter_map(|(deed, refusal)| Some((of_person(deed.person)?, refusal)))
        .collect()
}

/// Every review that a tie taints and that the ranking has not read yet.
pub(super) fn all_tainted(tx: &Tx) -> Vec<ReviewId> {
    tx.t.applications
        .iter()
        .filter(|(_, entry)| entry.status == ApplicationStatus::UnderReview)
        .flat_map(|(number, _)| tainted(tx, *number))
        .map(|(review, _)| review)
        .collect()
}

/// Refuses the ranking while a review of the application is tainted.
pub(super) fn require_untainted(tx: &Tx, application: ApplicationId) -> Result<(), Refusal> {
    if let Some((review, _)) = tainted(tx, application).first() {
        refuse!(
            "R30.tainted-review",
            application = application,
            review = review
        );
    }
    Ok(())
}

/// R30, by the clock: a tainted review falls, and the next of the draw follows.
pub(super) fn on_tie(tx: &mut Tx, number: ReviewId, due: Due) -> Result<(), Refusal> {
    let review = tx.get::<Review>(number)?;
    let (application, person) = (review.application, review.person);
    let under_review = tx.get::<Application>(application)?.status == ApplicationStatus::UnderReview;
    let falls = tainted(tx, application)
        .iter()
        .any(|(review, _)| *review == number);
    if !(under_review && falls) {
        return Ok(());
    }
    replace(tx, review, "R30", due, person)
}

/// A review ends, and the next of the draw takes its place.
fn replace(
    tx: &mut Tx,
    review: Review,
    code: &'static str,
    due: Due,
    person: PersonId,
) -> Result<(), Refusal> {
    let (number, application) = (review.number, review.application);
    tx.cancel(DeadlineKind::ReviewSeal, number);
    tx.cancel(DeadlineKind::ReviewReveal, number);
    tx.advance(review, code, R::Replaced)?;
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

/// A tie recorded after the draw stops the reviewer (domain 1.8, RULINGS R30): recused, or replaced
/// by the clock.
fn require_no_tie(tx: &Tx, review: &Review) -> Result<(), Refusal> {
    let number = review.number;
    match tainted(tx, review.application)
        .into_iter()
        .find(|(review, _)| *review == number)
    {
        Some((_, refusal)) => Err(refusal),
        None => Ok(()),
    }
}

/// F09: the seal. When every review of the application is sealed, the reveal opens.
fn seal(tx: &mut Tx, mut review: Review, seal: Hash) -> Result<(), Refusal> {
    require_no_tie(tx, &review)?;
    let (number, application) = (review.number, review.application);
    review.seal = Some(seal);
    tx.advance(review, "F09", R::Sealed)?;
    tx.cancel(DeadlineKind::ReviewSeal, number);
    let entry = tx.get::<Application>(application)?;
    let call = tx.get::<Call>(entry.call)?;
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
    let call = tx.get::<Call>(tx.get::<Application>(review.application)?.call)?;
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
        status = review.status
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
    tx.advance(review, "F09", R::Revealed)
}

/// F09: the reviewer confirms, or changes with a reason.
fn finalise(tx: &mut Tx, mut review: Review, revision: Option<&Revision>) -> Result<(), Refusal> {
    let number = review.number;
    require_no_tie(tx, &review)?;
    if let Some(revision) = revision {
        check_scores(tx, &review, &revision.scores)?;
        review.revision = Some(revision.clone());
    }
    tx.advance(review, "F09", R::Final)?;
    tx.cancel(DeadlineKind::ReviewReveal, number);
    Ok(())
}

/// R13, by the clock: past the limit of the seal or the reveal the next of the draw follows; a
/// revealed review is final.
pub fn on_deadline(tx: &mut Tx, number: ReviewId, due: Due) -> Result<(), Refusal> {
    let review = tx.get::<Review>(number)?;
    let (application, person) = (review.application, review.person);
    if review.status == R::Revealed {
        tx.advance(review, "F09", R::Final)?;
        tx.emit(
            due,
            EventBody::ReviewFinal {
                review: number,
                application,
            },
        );
        return Ok(());
    }
    replace(tx, review, "R13", due, person)
}

/// The application went away: its running reviews end.
pub(super) fn drop_all(
    tx: &mut Tx,
    application: ApplicationId,
    code: &'static str,
) -> Result<(), Refusal> {
    for review in of(tx, application) {
        if review.status.is_running() {
            tx.cancel(DeadlineKind::ReviewSeal, review.number);
            tx.cancel(DeadlineKind::ReviewReveal, review.number);
            tx.advance(review, code, R::Dropped)?;
        }
    }
    Ok(())
}
