//! Due deadlines act here, in order, as events of a block (RULINGS A4, A19, R12).

use rollbook_proof::number::LedgerTime;

use crate::event::{Event, EventBody};
use crate::id::{DraftId, MotionId, PostId, RelationId, SeatId};
use crate::refusal::Refusal;
use crate::rules::{amendment, funding, membership, motion, people, posts, relations, seats};
use crate::state::StateTables;
use crate::tx::{BlockContext, DeadlineKind, Due, Tx};

/// Most events of one block (RULINGS A19).
pub const EVENTS_MAX: usize = 1_000;

/// The earliest running deadline.
pub fn next_deadline(tables: &StateTables) -> Option<LedgerTime> {
    tables.deadlines.first().map(|((due, _, _), _)| *due)
}

/// Lengthens every running deadline by `gap_ms` after an outage (RULINGS R12) and says so.
pub fn lengthen(tx: &mut Tx, gap_ms: u64) -> Event {
    let running: Vec<(LedgerTime, u16, u32)> = tx.t.deadlines.iter().map(|(key, _)| *key).collect();
    for (due, kind, object) in &running {
        tx.t.deadlines().remove((*due, *kind, *object));
    }
    for (due, kind, object) in &running {
        let later = due.plus_ms(gap_ms);
        tx.t.deadlines().put((later, *kind, *object), 0);
        tx.t.deadline_of().put((*kind, *object), later);
    }
    let deadlines = u32::try_from(running.len()).unwrap_or(u32::MAX);
    Event {
        due_ms: tx.now,
        body: EventBody::Outage { gap_ms, deadlines },
    }
}

/// Acts out due deadlines in order, never more than `limit` events, which is more than one deadline
/// ever makes. Returns the events and whether due
/// deadlines remain.
pub fn run_due(tables: &mut StateTables, block: BlockContext, limit: usize) -> (Vec<Event>, bool) {
    let mut events = Vec::new();
    loop {
        let Some(&(due, kind, object)) = tables.deadlines.first().map(|(key, _)| key) else {
            return (events, false);
        };
        if due >= block.now {
            return (events, false);
        }
        let mut tx = Tx::of_block(tables, block);
        tx.t.deadlines().remove((due, kind, object));
        tx.t.deadline_of().remove((kind, object));
        let result = match DeadlineKind::from_number(kind) {
            Some(kind) => act(&mut tx, kind, object, Due::acting(due)),
            None => Ok(()),
        };
        let mut derived = std::mem::take(&mut tx.events);
        // What would pass the limit waits, whole, for the next block.
        if events.len() + derived.len() > limit {
            tx.drop_writes();
            return (events, true);
        }
        match result {
            Ok(()) => tx.keep(),
            // A deadline whose object is gone has nothing to do; it must not come back either.
            Err(_) => {
                tx.drop_writes();
                tx.t.deadlines().remove((due, kind, object));
                tx.t.deadline_of().remove((kind, object));
                tx.keep();
                derived.clear();
            }
        }
        events.append(&mut derived);
    }
}

fn act(tx: &mut Tx, kind: DeadlineKind, object: u32, due: Due) -> Result<(), Refusal> {
    match kind {
        DeadlineKind::Test => Ok(()),
        DeadlineKind::MotionClose
        | DeadlineKind::MotionEarly
        | DeadlineKind::MotionEffect
        | DeadlineKind::MotionStuck
        | DeadlineKind::MotionRetable
        | DeadlineKind::MotionSupport
        | DeadlineKind::MotionReveal
        | DeadlineKind::MotionRecount => motion::on_deadline(tx, kind, MotionId(object), due),
        DeadlineKind::MembershipScreen
        | DeadlineKind::MembershipResubmit
        | DeadlineKind::MembershipBallot
        | DeadlineKind::MembershipSponsors
        | DeadlineKind::MembershipActivate
        | DeadlineKind::MembershipAskAgain
        | DeadlineKind::InvoiceDue
        | DeadlineKind::DuesNotice
        | DeadlineKind::DuesSuspend
        | DeadlineKind::DuesNoticeAgain
        | DeadlineKind::DuesEnd
        | DeadlineKind::DuesRestored
        | DeadlineKind::PlanInstalment
        | DeadlineKind::SuspensionEnd
        | DeadlineKind::ExpulsionFinal
        | DeadlineKind::ProceedingLapse
        | DeadlineKind::ReceiptStands
        | DeadlineKind::MembershipEnd => membership::on_deadline(tx, kind, object, due),
        DeadlineKind::PostOffer | DeadlineKind::PostTerm => {
            posts::on_deadline(tx, kind, PostId(object), due)
        }
        DeadlineKind::RelationLapse | DeadlineKind::RelationEnd => {
            relations::on_deadline(tx, kind, RelationId(object), due)
        }
        DeadlineKind::SeatOffer | DeadlineKind::SeatTerm | DeadlineKind::SeatCure => {
            seats::on_deadline(tx, kind, SeatId(object), due)
        }
        DeadlineKind::DraftDropped => amendment::on_deadline(tx, DraftId(object), due),
        DeadlineKind::ChangeEffect
        | DeadlineKind::RevocationEnd
        | DeadlineKind::RecoveryLapse
        | DeadlineKind::RecoveryEffect
        | DeadlineKind::DelegationEnd => people::on_deadline(tx, kind, object, due),
        DeadlineKind::TieRecorded
        | DeadlineKind::TieReview
        | DeadlineKind::TieMilestone
        | DeadlineKind::TiePayment => funding::on_tie(tx, kind, object, due),
        DeadlineKind::InstalmentDefault
        | DeadlineKind::CallOpens
        | DeadlineKind::CallCloses
        | DeadlineKind::OpeningEnds
        | DeadlineKind::AppealWindow
        | DeadlineKind::AppealUndecided
        | DeadlineKind::JudgeDue
        | DeadlineKind::DrawStep
        | DeadlineKind::ReviewSeal
        | DeadlineKind::ReviewReveal => funding::on_deadline(tx, kind, object, due),
        DeadlineKind::StandstillEnd
        | DeadlineKind::OfferEnd
        | DeadlineKind::AccountCooled
        | DeadlineKind::AssessDue
        | DeadlineKind::CertifyDue
        | DeadlineKind::ApproveDue
        | DeadlineKind::PayoutDelay
        | DeadlineKind::HoldEnd
        | DeadlineKind::ReleaseDue
        | DeadlineKind::ConfirmDue
        | DeadlineKind::AcknowledgeEnd
        | DeadlineKind::AdvanceUncovered
        | DeadlineKind::MeasureHeard
        | DeadlineKind::MeasureAsked
        | DeadlineKind::MeasureLapse
        | DeadlineKind::GrantRecoveryHeard
        | DeadlineKind::GrantRecoveryLapse
        | DeadlineKind::GrantRecoveryDue => funding::award_deadline(tx, kind, object, due),
    }
}
