//! Applications (F06, F07, F39, F40; RULINGS A4, A15, R16).
//!
//! * Before the close an application is a commitment; its content is revealed by the applicant, or
//!   by the programme officer to whom it was encrypted, and judged by a programme officer unrelated
//!   to the applicant.
//! * Time is ledger time. What is sequenced after the close is recorded and not counted, unless it
//!   comes within 24 hours with seen receipts of f+1 validators of one epoch from before the close
//!   for an earlier record with the same submission.
//! * A verdict of ineligible cites a published code. The applicant may appeal; filing opens the
//!   board's motion, from which the officer's group is recused. An appeal that is undecided after 60
//!   days is dismissed by the clock (RULINGS R40).
//! * A group has at most so many applications in a call, waiting and in all, as its terms say. The
//!   project is sealed; of two opened applications of one group with one project the later submitted
//!   is void, those of different groups are marked and judged (RULINGS R33).
//! * An application that nobody judges is shown as overdue.
//!
//! Absent: debarment, which follows a recovery for misconduct and is not in this build.

use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::EpochPolicy;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{ApplicationId, Id, MotionId, PersonId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{groups, rights};
use crate::object::Machine;
use crate::object::application::{Appeal, Application, ApplicationStatus as A, Opened, Score};
use crate::object::call::{Call, CallStatus};
use crate::object::matter::Matter;
use crate::object::motion::{Failure, MotionStatus};
use crate::record::{ApplicationContent, CallAct, DecideAppeal, MotionEffect, Submission, Verdict};
use crate::refusal::{NotCounted, Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold, require_unrelated};
use crate::rules::effect::{Effect, Planned, motions_of};
use crate::rules::funding::{award, call, review};
use crate::rules::motion;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::word::Fact;
use crate::{refuse, require};

/// Days after which an appeal that nobody decided is dismissed (RULINGS R40).
pub const APPEAL_UNDECIDED_DAYS: u32 = 60;

/// Why the later of two applications with one project is void (RULINGS R33).
const SAME_PROJECT: &str = "R33.same-project";

/// Applies an act on applications.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &CallAct) -> Result<Outcome, Refusal> {
    match act {
        CallAct::Submit(submission) => return submit(tx, actor, submission),
        CallAct::Withdraw { application } => withdraw(tx, actor, *application)?,
        CallAct::Open {
            application,
            content,
            salt,
        } => open(tx, actor, *application, content, salt)?,
        CallAct::Judge {
            application,
            verdict,
        } => judge(tx, actor, *application, verdict)?,
        CallAct::Appeal {
            application,
            grounds,
        } => appeal(tx, actor, *application, *grounds)?,
        _ => refuse!("A4.no-such-transition"),
    }
    Ok(Outcome::Applied)
}

/// Why an organisation may not apply to a call.
#[derive(Clone, Copy)]
enum Unfit {
    NotACompany,
    NotAMember,
    Class,
    Standing,
    Direction,
}

crate::words!(Unfit, "unfit", {
    NotACompany = "not-a-company",
    NotAMember = "not-a-member",
    Class = "class",
    Standing = "standing",
    Direction = "direction",
});

/// Who may apply, now: at submission, and at every decision (N23). `code` is the refusal.
pub fn require_eligible(
    tx: &Tx,
    call: &Call,
    applicant: OrganisationId,
    code: &'static str,
) -> Result<(), Refusal> {
    let no = |unfit: Unfit| {
        Err(Refusal::new(
            code,
            vec![("organisation", applicant.fact()), ("unfit", unfit.fact())],
        ))
    };
    let organisation = tx.organisation(applicant)?;
    let eligibility = &call.terms.eligibility;
    if organisation.kind != OrganisationKind::Company {
        return no(Unfit::NotACompany);
    }
    match rights::of(&tx.t, applicant).filter(|_| rights::is_live(&tx.t, applicant)) {
        Some(membership) if !eligibility.classes.contains(&membership.class) => {
            return no(Unfit::Class);
        }
        Some(_) if !rights::rights(&tx.t, applicant).may_apply_for_funds => {
            return no(Unfit::Standing);
        }
        None if !eligibility.outsiders => return no(Unfit::NotAMember),
        _ => {}
    }
    match call.terms.direction {
        Some(direction)
            if eligibility.in_direction && !organisation.directions.contains(&direction) =>
        {
            no(Unfit::Direction)
        }
        _ => Ok(()),
    }
}

/// F06.
fn submit(tx: &mut Tx, actor: &Actor, submission: &Submission) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    let applicant = actor.number();
    let mut call = tx.get::<Call>(submission.call)?;
    require!(
        call.status != CallStatus::Published,
        "F06.not-open-yet",
        call = call.number
    );
    require!(
        call.status != CallStatus::Cancelled,
        "F06.call-cancelled",
        call = call.number
    );
    require_eligible(tx, &call, applicant, "F06.not-eligible")?;
    let submitted_ms = match call.closed_ms {
        None => tx.now,
        Some(closed) => match in_time(tx, applicant, submission, &call, closed) {
            Some(seen) => seen,
            None => return Ok(Outcome::NotCounted(NotCounted::LateApplication)),
        },
    };
    require_room(tx, &call, applicant, submission)?;
    require!(
        call.applications < call::APPLICATIONS_MAX,
        "F06.call-full",
        applications = call.applications
    );
    let number = tx.next_id::<ApplicationId>();
    let entry = Application {
        number,
        call: call.number,
        applicant,
        commitment: submission.commitment,
        record: tx.record,
        submitted_ms,
        status: tx.begin::<Application>(number, "F06", A::Submitted)?,
        since_ms: tx.now,
        opened: None,
        verdict: None,
        judged_by: None,
        appeal: None,
        score: None,
        rank: None,
        same_project: false,
        void: None,
    };
    tx.put(entry);
    tx.t.call_applications().put((call.number, number), 0);
    call.applications = call.applications.saturating_add(1);
    tx.put(call);
    Ok(Outcome::Applied)
}

/// R33: how many applications of one group a call takes, waiting and in all.
fn require_room(
    tx: &Tx,
    call: &Call,
    applicant: OrganisationId,
    submission: &Submission,
) -> Result<(), Refusal> {
    let group = groups::members(&tx.t, applicant);
    let entries: Vec<Application> = call::applications(tx, call.number)
        .iter()
        .filter_map(|number| tx.t.applications.get(number))
        .filter(|entry| group.contains(&entry.applicant))
        .cloned()
        .collect();
    let again = entries
        .iter()
        .find(|entry| entry.commitment == submission.commitment && entry.status != A::Withdrawn);
    if let Some(again) = again {
        refuse!("R33.handed-in-already", application = again.number);
    }
    let waiting = entries.iter().filter(|entry| waits(entry)).count();
    let limits = call.terms.per_group;
    require!(
        waiting < limits.waiting as usize,
        "R33.waiting-applications",
        waiting = waiting,
        most = limits.waiting
    );
    require!(
        entries.len() < limits.handed_in as usize,
        "R33.handed-in-applications",
        handed_in = entries.len(),
        most = limits.handed_in
    );
    Ok(())
}

/// Neither withdrawn nor void nor decided.
fn waits(entry: &Application) -> bool {
    match entry.status {
        A::Submitted | A::Opened | A::Eligible | A::UnderReview | A::Ranked | A::Reserve => true,
        A::Ineligible => appeal_open(entry),
        A::Awarded | A::NotRecommended | A::Withdrawn | A::Void => false,
    }
}

/// The time at which f+1 validators had seen an earlier record with this submission, if that was
/// before the close (RULINGS A4).
fn in_time(
    tx: &Tx,
    applicant: OrganisationId,
    submission: &Submission,
    call: &Call,
    closed: LedgerTime,
) -> Option<LedgerTime> {
    let running = matches!(
        call.status,
        CallStatus::ClosedForSubmissions | CallStatus::Reviewing
    );
    if !running || tx.now > closed.plus_ms(call::LATE_MS) {
        return None;
    }
    let seen = submission.seen.as_ref()?;
    let record = seen.record(tx.chain, applicant, submission);
    let epoch = tx.facts().epoch;
    // The receipts may come from just before a handover.
    [Some(epoch), epoch.before()]
        .into_iter()
        .flatten()
        .find_map(|epoch| {
            let policy = EpochPolicy::parse(tx.t.policies.get(&epoch)?).ok()?;
            let validators = &policy.validators;
            let good = seen.receipts.iter().filter(|receipt| {
                let key = validators
                    .iter()
                    .find(|v| v.org == receipt.validator)
                    .map(|v| v.log);
                receipt.time_ms <= closed
                    && key.is_some_and(|key| receipt.verify(&tx.chain, &record, &key))
            });
            let mut times: Vec<LedgerTime> = good.map(|receipt| receipt.time_ms).collect();
            times.sort_unstable();
            // The (f+1)-th: at least one honest validator had seen it by then.
            times.get(validators.len().saturating_sub(1) / 3).copied()
        })
}

/// F39.
fn withdraw(tx: &mut Tx, actor: &Actor, number: ApplicationId) -> Result<(), Refusal> {
    actor.must_sign(Role::Primary)?;
    let entry = tx.get::<Application>(number)?;
    require!(
        entry.applicant == actor.number(),
        "F39.not-the-applicant",
        organisation = actor.number()
    );
    let call = tx.get::<Call>(entry.call)?;
    require!(
        call.is_undecided(),
        "F39.decided",
        call = call.number,
        status = call.status
    );
    tx.advance(entry, "F39", A::Withdrawn)?;
    end_clocks(tx, number);
    review::drop_all(tx, number, "F39")?;
    call::progress(tx, call.number)
}

/// F07, first half: reveals the content.
fn open(
    tx: &mut Tx,
    actor: &Actor,
    number: ApplicationId,
    content: &ApplicationContent,
    salt: &[u8; 32],
) -> Result<(), Refusal> {
    let mut entry = tx.get::<Application>(number)?;
    let call = tx.get::<Call>(entry.call)?;
    if actor.number() == entry.applicant {
        actor.must_sign(Role::Primary)?;
    } else {
        // Another company learns whose it is, and not that it is no office.
        require!(
            actor.organisation.kind == OrganisationKind::Office,
            "F07.not-the-applicant",
            application = number,
            applicant = entry.applicant
        );
        must_hold(
            tx,
            actor,
            Role::ProgrammeOfficer,
            Scope::Fund(call.terms.fund),
        )?;
        require_unrelated(tx, actor, entry.applicant)?;
    }
    require!(
        call.closed_ms.is_some(),
        "F07.submissions-open",
        call = call.number
    );
    require!(
        tx.due(DeadlineKind::OpeningEnds, call.number).is_some(),
        "F07.too-late",
        call = call.number
    );
    let commitment = content.commitment(salt, entry.call, entry.applicant);
    require!(
        commitment == entry.commitment,
        "F07.other-content",
        application = number
    );
    // Joint applications (R46) have no acts in this build.
    require!(
        content.partners.is_empty(),
        "R46.no-joint-applications",
        partners = content.partners.len()
    );
    entry.opened = Some(Opened {
        content: content.clone(),
        at_ms: tx.now,
        by: actor.number(),
    });
    let days = tx.charter_of(call.charter)?.funding.judge_working_days;
    tx.schedule(
        DeadlineKind::JudgeDue,
        number,
        tx.deadline(Period::WorkingDays(days)),
    );
    tx.advance(entry, "F07", A::Opened)?;
    compare_projects(tx, number)
}

/// R33: compares the opened application with the others of the call that have its project. Of one
/// group the later submitted is void; of different groups both go on, marked.
fn compare_projects(tx: &mut Tx, number: ApplicationId) -> Result<(), Refusal> {
    let mut entry = tx.get::<Application>(number)?;
    let Some(project) = entry.project() else {
        return Ok(());
    };
    let key = |application| (entry.call, project, application);
    let others: Vec<ApplicationId> =
        tx.t.projects
            .range(key(ApplicationId::MIN)..=key(ApplicationId::MAX))
            .map(|((_, _, application), _)| *application)
            .collect();
    tx.t.projects().put(key(number), 0);
    for other in others {
        let mut other = tx.get::<Application>(other)?;
        if matches!(other.status, A::Withdrawn | A::Void) {
            continue;
        }
        if !groups::related(&tx.t, other.applicant, entry.applicant) {
            other.same_project = true;
            entry.same_project = true;
            tx.put(other);
            tx.put(entry.clone());
            continue;
        }
        let order = |entry: &Application| (entry.submitted_ms, entry.number);
        let this_is_later = order(&entry) > order(&other);
        void_project(tx, if this_is_later { entry.clone() } else { other })?;
        if this_is_later {
            break;
        }
    }
    Ok(())
}

/// R33: void, with the code that says why. One that the ranking has read stays.
fn void_project(tx: &mut Tx, mut entry: Application) -> Result<(), Refusal> {
    let number = entry.number;
    if entry.may("R33", A::Void).is_err() {
        return Ok(());
    }
    entry.void = Some(Text::new(SAME_PROJECT).unwrap_or_default());
    tx.advance(entry, "R33", A::Void)?;
    end_clocks(tx, number);
    review::drop_all(tx, number, "R33")
}

/// R33, by the clock: nobody has judged the application in time. It may still be judged.
pub(super) fn on_judge_due(tx: &mut Tx, number: ApplicationId, due: Due) -> Result<(), Refusal> {
    let entry = tx.get::<Application>(number)?;
    tx.stay(&entry, "R13")?;
    tx.emit(
        due,
        EventBody::VerdictOverdue {
            application: number,
            call: entry.call,
        },
    );
    Ok(())
}

/// F07, second half: the verdict.
fn judge(
    tx: &mut Tx,
    actor: &Actor,
    number: ApplicationId,
    verdict: &Verdict,
) -> Result<(), Refusal> {
    let mut entry = tx.get::<Application>(number)?;
    let call = tx.get::<Call>(entry.call)?;
    let officer = must_hold(
        tx,
        actor,
        Role::ProgrammeOfficer,
        Scope::Fund(call.terms.fund),
    )?
    .person;
    require_unrelated(tx, actor, entry.applicant)?;
    require!(
        entry.status == A::Opened,
        "F07.wrong-state",
        application = number,
        status = entry.status
    );
    tx.cancel(DeadlineKind::JudgeDue, number);
    entry.verdict = Some(verdict.clone());
    entry.judged_by = Some(officer);
    match verdict {
        Verdict::Eligible => {
            let ask = entry.ask();
            require!(
                ask > Amount::ZERO && ask <= call.terms.ask_max,
                "F07.ask-out-of-range",
                ask = ask,
                most = call.terms.ask_max
            );
            tx.advance(entry, "F07", A::Eligible)?;
            review::assign(tx, number)
        }
        Verdict::Ineligible { code, .. } => {
            require!(
                call.terms.codes.contains(code),
                "F07.code-not-published",
                code = code
            );
            entry.appeal = Some(Appeal::Possible);
            tx.advance(entry, "F07", A::Ineligible)?;
            let days = tx.charter_of(call.charter)?.funding.appeal_days;
            tx.schedule(
                DeadlineKind::AppealWindow,
                number,
                tx.deadline(Period::Days(days)),
            );
            Ok(())
        }
    }
}

/// Whether an appeal against the verdict is still possible or undecided.
pub fn appeal_open(entry: &Application) -> bool {
    entry.status == A::Ineligible
        && matches!(entry.appeal, Some(Appeal::Possible | Appeal::Filed(_)))
}

/// F40: files an appeal and opens the board's motion.
fn appeal(tx: &mut Tx, actor: &Actor, number: ApplicationId, grounds: Hash) -> Result<(), Refusal> {
    actor.must_sign(Role::Primary)?;
    let mut entry = tx.get::<Application>(number)?;
    require!(
        entry.applicant == actor.number(),
        "F40.not-the-applicant",
        organisation = actor.number()
    );
    require!(
        entry.status == A::Ineligible,
        "F40.wrong-state",
        application = number,
        status = entry.status
    );
    require!(
        entry.appeal == Some(Appeal::Possible),
        "F40.no-appeal",
        application = number,
        appeal = entry.appeal
    );
    entry.appeal = Some(Appeal::Filed(grounds));
    tx.put(entry);
    tx.cancel(DeadlineKind::AppealWindow, number);
    tx.schedule(
        DeadlineKind::AppealUndecided,
        number,
        tx.deadline(Period::Days(APPEAL_UNDECIDED_DAYS)),
    );
    let effect = MotionEffect::DecideAppeal(DecideAppeal {
        application: number,
    });
    let body = effect.plan().body(tx, effect.kind())?;
    motion::open(
        tx,
        motion::Opening {
            effect,
            proposer: None,
            body,
            text: grounds,
            ballot_days: None,
        },
    )?;
    Ok(())
}

/// The parties of an appeal: the applicant, and the home of the officer who judged.
fn interested(tx: &Tx, plan: &DecideAppeal) -> Vec<OrganisationId> {
    let Ok(entry) = tx.get::<Application>(plan.application) else {
        return Vec::new();
    };
    let officer = entry
        .judged_by
        .and_then(|person| tx.t.persons.get(&person))
        .map(|person| person.home);
    std::iter::once(entry.applicant).chain(officer).collect()
}

/// The guards of a decision on an appeal.
fn check_appeal(tx: &Tx, plan: &DecideAppeal) -> Result<(), Refusal> {
    let entry = tx.get::<Application>(plan.application)?;
    let filed = entry.status == A::Ineligible && matches!(entry.appeal, Some(Appeal::Filed(_)));
    require!(
        filed,
        "F40.no-appeal",
        application = plan.application,
        appeal = entry.appeal
    );
    Ok(())
}

/// F40: granted.
fn appeal_granted(tx: &mut Tx, plan: &DecideAppeal) -> Result<(), Refusal> {
    check_appeal(tx, plan)?;
    let mut entry = tx.get::<Application>(plan.application)?;
    let call = tx.get::<Call>(entry.call)?;
    require!(
        matches!(
            call.status,
            CallStatus::ClosedForSubmissions | CallStatus::Reviewing
        ),
        "F40.call-over",
        call = call.number
    );
    entry.appeal = Some(Appeal::Granted);
    tx.cancel(DeadlineKind::AppealUndecided, plan.application);
    tx.advance(entry, "F40", A::Eligible)?;
    review::assign(tx, plan.application)
}

/// F40: not granted. Rejected: dismissed. Undecided: it waits for the end of its days.
fn appeal_failed(tx: &mut Tx, plan: &DecideAppeal, failure: Failure) -> Result<(), Refusal> {
    let entry = tx.get::<Application>(plan.application)?;
    let decided = matches!(failure, Failure::Rejected | Failure::Rescinded);
    if !decided || !is_filed(&entry) {
        return Ok(());
    }
    dismiss(tx, entry)
}

/// Whether an appeal waits for the board.
fn is_filed(entry: &Application) -> bool {
    entry.status == A::Ineligible && matches!(entry.appeal, Some(Appeal::Filed(_)))
}

/// The verdict stands.
fn dismiss(tx: &mut Tx, mut entry: Application) -> Result<(), Refusal> {
    entry.appeal = Some(Appeal::Dismissed);
    tx.cancel(DeadlineKind::AppealUndecided, entry.number);
    tx.advance(entry, "F40", A::Ineligible)
}

/// R40, by the clock: the board has not decided in 60 days, so the appeal is dismissed. What the
/// board has passed and what only stays is decided.
pub(super) fn on_appeal_undecided(
    tx: &mut Tx,
    number: ApplicationId,
    due: Due,
) -> Result<(), Refusal> {
    let entry = tx.get::<Application>(number)?;
    let motions = motions_of(tx, Matter::Application(number));
    let mut open = motions.into_iter().filter(|motion| {
        matches!(motion.effect, MotionEffect::DecideAppeal(_)) && !motion.status.is_final()
    });
    let motion = open.next();
    let stays = motion
        .as_ref()
        .is_some_and(|motion| motion.status == MotionStatus::Staying);
    if !is_filed(&entry) || stays {
        return Ok(());
    }
    if let Some(motion) = motion {
        motion::drop_motion(tx, motion.number)?;
    }
    let call = entry.call;
    tx.emit(
        due,
        EventBody::AppealDismissed {
            application: number,
            call,
        },
    );
    dismiss(tx, entry)
}

/// F40, by the clock: no appeal in time.
pub fn on_appeal_window(tx: &mut Tx, number: ApplicationId, due: Due) -> Result<(), Refusal> {
    let mut entry = tx.get::<Application>(number)?;
    entry.appeal = Some(Appeal::Expired);
    let call = entry.call;
    tx.advance(entry, "F40", A::Ineligible)?;
    tx.emit(
        due,
        EventBody::AppealExpired {
            application: number,
            call,
        },
    );
    Ok(())
}

/// F07, by the clock: not opened in time.
pub(super) fn void_unopened(tx: &mut Tx, number: ApplicationId) -> Result<bool, Refusal> {
    let entry = tx.get::<Application>(number)?;
    if entry.status != A::Submitted {
        return Ok(false);
    }
    tx.advance(entry, "F07", A::Void)?;
    Ok(true)
}

/// F38: the call is cancelled. What ended before stays as it ended.
pub(super) fn void_cancelled(tx: &mut Tx, number: ApplicationId) -> Result<(), Refusal> {
    let entry = tx.get::<Application>(number)?;
    if matches!(entry.status, A::NotRecommended | A::Withdrawn | A::Void) {
        return Ok(());
    }
    tx.advance(entry, "F38", A::Void)?;
    end_clocks(tx, number);
    review::drop_all(tx, number, "F38")
}

/// Nothing is awaited of the application any more.
fn end_clocks(tx: &mut Tx, number: ApplicationId) {
    for kind in [
        DeadlineKind::JudgeDue,
        DeadlineKind::AppealWindow,
        DeadlineKind::AppealUndecided,
    ] {
        tx.cancel(kind, number);
    }
}

/// F10: the score stands, with a rank if every threshold is reached.
pub(super) fn ranked(
    tx: &mut Tx,
    number: ApplicationId,
    score: Score,
    rank: Option<u32>,
) -> Result<(), Refusal> {
    let mut entry = tx.get::<Application>(number)?;
    entry.score = Some(score);
    entry.rank = rank;
    tx.advance(
        entry,
        "F10",
        if rank.is_some() {
            A::Ranked
        } else {
            A::NotRecommended
        },
    )
}

impl Effect for DecideAppeal {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Application(self.application)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_appeal(tx, self)
    }

    fn check_voters(&self, tx: &Tx, persons: &[PersonId]) -> Result<(), Refusal> {
        award::check_voters(tx, self.application, persons)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        appeal_granted(tx, self)
    }

    fn failed(
        &self,
        tx: &mut Tx,
        _motion: MotionId,
        _due: Due,
        failure: Failure,
    ) -> Result<(), Refusal> {
        appeal_failed(tx, self, failure)
    }
}
