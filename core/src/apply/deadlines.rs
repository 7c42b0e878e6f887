//! Deadlines (RULINGS A4, A19, R12): scheduled by rules, acting as events at the first block whose
//! time has passed them.
//!
//! A deadline at time t still counts at t: it acts in a block with `time > t`. The table is the
//! only place where a running deadline stands, so an outage that lengthens it changes one place.

use bincode::{Decode, Encode};

use super::event::{Event, EventBody};
use super::{Refusal, Tx};
use crate::state::StateTables;

/// What a deadline is about. The number is its rank among deadlines of one instant, and part of the
/// format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
#[repr(u16)]
pub enum DeadlineKind {
    /// Reserved for tests of the table.
    Test = 0,
    /// Ballots of a motion end.
    MotionClose = 10,
    /// They end early: every voice has voted.
    MotionEarly = 11,
    /// The stay of a passed motion ends; it takes effect.
    MotionEffect = 12,
    /// The same instant: a motion that could not take effect is void.
    MotionStuck = 13,
    /// A motion without quorum is put again.
    MotionRetable = 14,
    /// A motion of the assembly has not found its support.
    MotionSupport = 15,
    /// M02: screening is overdue.
    MembershipScreen = 20,
    /// M04: the applicant has not resubmitted.
    MembershipResubmit = 21,
    /// M07: enough sponsors, the ballot opens.
    MembershipBallot = 22,
    /// M07: time to find sponsors ends.
    MembershipSponsors = 23,
    /// M09: time to activate ends.
    MembershipActivate = 24,
    /// R9: time to ask the board again ends.
    MembershipAskAgain = 25,
    /// F04: due day and grace of an instalment have passed.
    InstalmentDefault = 30,
    /// F37: submissions of a call open.
    CallOpens = 31,
    /// F37: submissions of a call close.
    CallCloses = 32,
    /// F07: time to open the applications of a call ends.
    OpeningEnds = 33,
    /// F40: time to appeal against ineligibility ends (application).
    AppealWindow = 34,
    /// R22: time for the commitments or reveals of a draw ends.
    DrawStep = 35,
    /// R13: time to seal a review ends.
    ReviewSeal = 36,
    /// R13: time to reveal a review ends.
    ReviewReveal = 37,
    /// F12: the standstill of an award ends.
    StandstillEnd = 60,
    /// F12: the offer of an award ends.
    OfferEnd = 61,
    /// F42: the cooling-off of a payee account ends (agreement).
    AccountCooled = 62,
    /// R13: assessors of a milestone are due.
    AssessDue = 63,
    /// R13: a payment is due to be certified.
    CertifyDue = 64,
    /// R13: a payment is due to be approved.
    ApproveDue = 65,
    /// F20: the delay after the last approval of a payment ends.
    PayoutDelay = 66,
    /// R13: an undecided hold of a payment ends.
    HoldEnd = 67,
    /// R13: a payment is due to be released.
    ReleaseDue = 68,
    /// R13: a payment is due to be confirmed.
    ConfirmDue = 69,
    /// F22: the days to acknowledge a payment end.
    AcknowledgeEnd = 70,
}

impl DeadlineKind {
    /// A kind by its number.
    pub fn from_number(number: u16) -> Option<DeadlineKind> {
        match number {
            0 => Some(DeadlineKind::Test),
            10 => Some(DeadlineKind::MotionClose),
            11 => Some(DeadlineKind::MotionEarly),
            12 => Some(DeadlineKind::MotionEffect),
            13 => Some(DeadlineKind::MotionStuck),
            14 => Some(DeadlineKind::MotionRetable),
            15 => Some(DeadlineKind::MotionSupport),
            20 => Some(DeadlineKind::MembershipScreen),
            21 => Some(DeadlineKind::MembershipResubmit),
            22 => Some(DeadlineKind::MembershipBallot),
            23 => Some(DeadlineKind::MembershipSponsors),
            24 => Some(DeadlineKind::MembershipActivate),
            25 => Some(DeadlineKind::MembershipAskAgain),
            30 => Some(DeadlineKind::InstalmentDefault),
            31 => Some(DeadlineKind::CallOpens),
            32 => Some(DeadlineKind::CallCloses),
            33 => Some(DeadlineKind::OpeningEnds),
            34 => Some(DeadlineKind::AppealWindow),
            35 => Some(DeadlineKind::DrawStep),
            36 => Some(DeadlineKind::ReviewSeal),
            37 => Some(DeadlineKind::ReviewReveal),
            60 => Some(DeadlineKind::StandstillEnd),
            61 => Some(DeadlineKind::OfferEnd),
            62 => Some(DeadlineKind::AccountCooled),
            63 => Some(DeadlineKind::AssessDue),
            64 => Some(DeadlineKind::CertifyDue),
            65 => Some(DeadlineKind::ApproveDue),
            66 => Some(DeadlineKind::PayoutDelay),
            67 => Some(DeadlineKind::HoldEnd),
            68 => Some(DeadlineKind::ReleaseDue),
            69 => Some(DeadlineKind::ConfirmDue),
            70 => Some(DeadlineKind::AcknowledgeEnd),
            _ => None,
        }
    }
}

/// Most events of one block (RULINGS A19).
pub const EVENTS_MAX: usize = 1_000;

impl Tx<'_> {
    /// Sets the deadline of (kind, object), replacing an earlier one.
    pub fn schedule(&mut self, kind: DeadlineKind, object: u32, due_ms: u64) {
        self.cancel(kind, object);
        self.t.deadlines.put((due_ms, kind as u16, object), 0);
        self.t.deadline_of.put((kind as u16, object), due_ms);
    }

    /// Removes the deadline of (kind, object), if there is one.
    pub fn cancel(&mut self, kind: DeadlineKind, object: u32) {
        if let Some(due) = self.due(kind, object) {
            self.t.deadlines.remove((due, kind as u16, object));
            self.t.deadline_of.remove((kind as u16, object));
        }
    }

    /// When the deadline of (kind, object) passes, if it runs.
    pub fn due(&self, kind: DeadlineKind, object: u32) -> Option<u64> {
        self.t.deadline_of.get(&(kind as u16, object)).copied()
    }

    /// Adds an event of the deadline that is acting.
    pub fn emit(&mut self, due_ms: u64, body: EventBody) {
        self.events.push(Event { due_ms, body });
    }
}

/// The earliest running deadline.
pub fn next_deadline(tables: &StateTables) -> Option<u64> {
    tables.deadlines.first().map(|((due, _, _), _)| *due)
}

/// Lengthens every running deadline by `gap_ms` after an outage (RULINGS R12) and says so.
pub fn lengthen(tables: &mut StateTables, now: u64, gap_ms: u64) -> Event {
    let running: Vec<(u64, u16, u32)> = tables.deadlines.iter().map(|(key, _)| *key).collect();
    for (due, kind, object) in &running {
        tables.deadlines.remove((*due, *kind, *object));
    }
    for (due, kind, object) in &running {
        let later = due.saturating_add(gap_ms);
        tables.deadlines.put((later, *kind, *object), 0);
        tables.deadline_of.put((*kind, *object), later);
    }
    let deadlines = u32::try_from(running.len()).unwrap_or(u32::MAX);
    Event {
        due_ms: now,
        body: EventBody::Outage { gap_ms, deadlines },
    }
}

/// Acts out due deadlines in order, at most `limit` events. Returns the events and whether due
/// deadlines remain.
pub fn run_due(
    tables: &mut StateTables,
    chain: rollbook_proof::crypto::Hash,
    height: u64,
    now: u64,
    limit: usize,
) -> (Vec<Event>, bool) {
    let mut events = Vec::new();
    loop {
        let Some(&(due, kind, object)) = tables.deadlines.first().map(|(key, _)| key) else {
            return (events, false);
        };
        if due >= now {
            return (events, false);
        }
        if events.len() >= limit {
            return (events, true);
        }
        let mut tx = Tx {
            t: tables,
            now,
            height,
            chain,
            record: rollbook_proof::crypto::Hash::ZERO,
            events: Vec::new(),
        };
        tx.t.deadlines.remove((due, kind, object));
        tx.t.deadline_of.remove((kind, object));
        let result = match DeadlineKind::from_number(kind) {
            Some(kind) => act(&mut tx, kind, object, due),
            None => Ok(()),
        };
        let mut derived = std::mem::take(&mut tx.events);
        match result {
            Ok(()) => tables.keep_record(),
            // A deadline whose object is gone has nothing to do; it must not come back either.
            Err(_) => {
                tables.drop_record();
                tables.deadlines.remove((due, kind, object));
                tables.deadline_of.remove((kind, object));
                tables.keep_record();
                derived.clear();
            }
        }
        events.append(&mut derived);
    }
}

fn act(tx: &mut Tx, kind: DeadlineKind, object: u32, due: u64) -> Result<(), Refusal> {
    match kind {
        DeadlineKind::Test => Ok(()),
        DeadlineKind::MotionClose
        | DeadlineKind::MotionEarly
        | DeadlineKind::MotionEffect
        | DeadlineKind::MotionStuck
        | DeadlineKind::MotionRetable
        | DeadlineKind::MotionSupport => crate::motion::on_deadline(tx, kind, object, due),
        DeadlineKind::MembershipScreen
        | DeadlineKind::MembershipResubmit
        | DeadlineKind::MembershipBallot
        | DeadlineKind::MembershipSponsors
        | DeadlineKind::MembershipActivate
        | DeadlineKind::MembershipAskAgain => crate::membership::on_deadline(tx, kind, object, due),
        DeadlineKind::InstalmentDefault
        | DeadlineKind::CallOpens
        | DeadlineKind::CallCloses
        | DeadlineKind::OpeningEnds
        | DeadlineKind::AppealWindow
        | DeadlineKind::DrawStep
        | DeadlineKind::ReviewSeal
        | DeadlineKind::ReviewReveal => crate::funding::on_deadline(tx, kind, object, due),
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
        | DeadlineKind::AcknowledgeEnd => crate::funding::award_deadline(tx, kind, object, due),
    }
}
