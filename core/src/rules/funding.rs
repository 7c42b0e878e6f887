//! Funding: funds, contributions, calls, applications, draws, reviews (domain 2.2, 2.3, 2.5a;
//! RULINGS R2 to R4, R8, R22).
//!
//! * Every movement of value goes through [`bank::post`](super::bank::post), and a bank reference is
//!   used once in the whole ledger (N8).
//! * What each object is, and its transition table, stands in [`crate::object`]; a status changes only
//!   by that table.
//! * Separation of duties is on persons ([`duties`]) and on groups (RULINGS R6). A recorded tie has
//!   what is under way judged again (RULINGS R30).
//!
//! Absent: debarment (R44), freezing and winding down of funds (F33), fees (F36), closing of a fund
//! (F32).

use crate::id::{
    AgreementId, ApplicationId, AwardId, CallId, DrawId, InstalmentId, MeasureId, MilestoneId,
    PaymentId, RecoveryId, ReviewId,
};
use crate::machine::Transition;
use crate::object::agreement::Agreement;
use crate::object::application::Application;
use crate::object::award::Award;
use crate::object::call::Call;
use crate::object::contribution::Instalment;
use crate::object::draw::Draw;
use crate::object::fund::Fund;
use crate::object::measure::Measure;
use crate::object::milestone::Milestone;
use crate::object::payment::Payment;
use crate::object::recovery::Recovery;
use crate::object::review::Review;
use crate::object::transitions;
use crate::record::{AwardAct, CallAct, FundAct};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::tx::{DeadlineKind, Due, Tx};

pub mod agreement;
pub mod application;
pub mod award;
pub mod call;
pub mod contribution;
pub mod draw;
pub mod duties;
pub mod fund;
pub mod life;
pub mod measure;
pub mod milestone;
pub mod payment;
pub mod recovery;
pub mod review;
mod standing;

/// Every transition of every object of funding.
pub fn table() -> Vec<Transition> {
    [
        transitions::<Fund>(),
        transitions::<Instalment>(),
        transitions::<Call>(),
        transitions::<Application>(),
        transitions::<Draw>(),
        transitions::<Review>(),
        transitions::<Award>(),
        transitions::<Agreement>(),
        transitions::<Milestone>(),
        transitions::<Payment>(),
        transitions::<Measure>(),
        transitions::<Recovery>(),
    ]
    .concat()
}

/// Applies an act on funds and contributions.
pub fn apply_fund(tx: &mut Tx, actor: &Actor, act: &FundAct) -> Result<Outcome, Refusal> {
    match act {
        FundAct::Accept { fund } => fund::accept(tx, actor, *fund),
        _ => contribution::apply(tx, actor, act),
    }
}

/// Applies an act on awards and agreements, and on what becomes of those.
pub fn apply_award(tx: &mut Tx, actor: &Actor, act: &AwardAct) -> Result<Outcome, Refusal> {
    match act {
        AwardAct::Accept { .. }
        | AwardAct::Draft(_)
        | AwardAct::Sign { .. }
        | AwardAct::Countersign { .. }
        | AwardAct::ChangeAccount { .. }
        | AwardAct::ConfirmAccount { .. } => agreement::apply(tx, actor, act),
        _ => life::apply(tx, actor, act),
    }
}

/// Applies an act on calls, applications, pools, draws and reviews.
pub fn apply_call(tx: &mut Tx, actor: &Actor, act: &CallAct) -> Result<Outcome, Refusal> {
    match act {
        CallAct::Submit(_)
        | CallAct::Withdraw { .. }
        | CallAct::Open { .. }
        | CallAct::Judge { .. }
        | CallAct::Appeal { .. } => application::apply(tx, actor, act),
        CallAct::EnterPool { .. }
        | CallAct::FreezePool { .. }
        | CallAct::CommitDraw { .. }
        | CallAct::RevealDraw { .. } => draw::apply(tx, actor, act),
        CallAct::Declare { .. }
        | CallAct::Seal { .. }
        | CallAct::Reveal { .. }
        | CallAct::Finalise { .. } => review::apply(tx, actor, act),
        CallAct::Rank { call } => call::rank(tx, *call),
        CallAct::Close { call } => call::close(tx, actor, *call),
    }
}

/// Acts out a deadline of a contribution, call, application, draw or review.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    object: u32,
    due: Due,
) -> Result<(), Refusal> {
    match kind {
        DeadlineKind::InstalmentDefault => contribution::on_default(tx, InstalmentId(object), due),
        DeadlineKind::AppealWindow => application::on_appeal_window(tx, ApplicationId(object), due),
        DeadlineKind::AppealUndecided => {
            application::on_appeal_undecided(tx, ApplicationId(object), due)
        }
        DeadlineKind::JudgeDue => application::on_judge_due(tx, ApplicationId(object), due),
        DeadlineKind::DrawStep => draw::on_deadline(tx, DrawId(object), due),
        DeadlineKind::ReviewSeal | DeadlineKind::ReviewReveal => {
            review::on_deadline(tx, ReviewId(object), due)
        }
        _ => call::on_deadline(tx, kind, CallId(object), due),
    }
}

/// R30: a tie was recorded. What it taints is looked for at once, then each review, milestone and
/// payment acts for itself.
pub(crate) fn on_tie(
    tx: &mut Tx,
    kind: DeadlineKind,
    object: u32,
    due: Due,
) -> Result<(), Refusal> {
    match kind {
        DeadlineKind::TieReview => review::on_tie(tx, ReviewId(object), due),
        DeadlineKind::TieMilestone => milestone::on_tie(tx, MilestoneId(object), due),
        DeadlineKind::TiePayment => payment::on_tie(tx, PaymentId(object), due),
        _ => {
            for review in review::all_tainted(tx) {
                tx.schedule(DeadlineKind::TieReview, review, due.at());
            }
            for milestone in milestone::all_tainted(tx) {
                tx.schedule(DeadlineKind::TieMilestone, milestone, due.at());
            }
            for payment in payment::all_tainted(tx) {
                tx.schedule(DeadlineKind::TiePayment, payment, due.at());
            }
            Ok(())
        }
    }
}

/// Acts out a deadline of an award, an agreement, a milestone or a payment.
pub(crate) fn award_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    object: u32,
    due: Due,
) -> Result<(), Refusal> {
    match kind {
        DeadlineKind::StandstillEnd | DeadlineKind::OfferEnd => {
            award::on_deadline(tx, kind, AwardId(object), due)
        }
        DeadlineKind::AccountCooled => agreement::account_cooled(tx, AgreementId(object), due),
        DeadlineKind::AssessDue => milestone::on_deadline(tx, MilestoneId(object), due),
        DeadlineKind::MeasureHeard | DeadlineKind::MeasureAsked | DeadlineKind::MeasureLapse => {
            measure::on_deadline(tx, kind, MeasureId(object), due)
        }
        DeadlineKind::GrantRecoveryHeard
        | DeadlineKind::GrantRecoveryLapse
        | DeadlineKind::GrantRecoveryDue => {
            recovery::on_deadline(tx, kind, RecoveryId(object), due)
        }
        _ => payment::on_deadline(tx, kind, PaymentId(object), due),
    }
}
