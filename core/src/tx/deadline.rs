//! Deadlines (RULINGS A4, A19, R12): scheduled by rules, acting as events at the first block whose
//! time has passed them.
//!
//! A deadline at time t still counts at t: it acts in a block with `time > t`. The table is the
//! only place where a running deadline stands, so an outage that lengthens it changes one place.

use bincode::{Decode, Encode};
use rollbook_proof::number::LedgerTime;

use super::Tx;
use crate::event::{Event, EventBody};
use crate::id::Id;

/// Declares the kinds with their numbers and how a number is read back.
macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident = $number:tt, )*) => {
        /// What a deadline is about. The number is its rank among deadlines of one instant, and
        /// part of the format.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize,
        )]
        #[repr(u16)]
        pub enum DeadlineKind {
            $( $(#[$doc])* $name = $number, )*
        }

        impl DeadlineKind {
            /// A kind by its number.
            pub fn from_number(number: u16) -> Option<DeadlineKind> {
                match number {
                    $( $number => Some(DeadlineKind::$name), )*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
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
    /// R31: the time to open sealed ballots ends.
    MotionReveal = 16,
    /// R28: an offer of a seat was not accepted.
    SeatOffer = 17,
    /// R37: a deposited charter was not taken up.
    DraftDropped = 18,
    /// R27, R20: a motion is counted again.
    MotionRecount = 19,
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
    /// R28: an offer of a post was not accepted.
    PostOffer = 26,
    /// R28: the term of a post ends.
    PostTerm = 27,
    /// R28: the term of a seat ends.
    SeatTerm = 28,
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
    /// R40: an appeal is undecided (application).
    AppealUndecided = 38,
    /// R33: an opened application is due to be judged.
    JudgeDue = 39,
    /// M20: the last day of a member that leaves is over.
    MembershipEnd = 45,
    /// M24: the days in which a group gives up one of its seats end (seat).
    SeatCure = 46,
    /// R27: nobody took up what was claimed of others (relation).
    RelationLapse = 47,
    /// R27: the days after a relation's end was shown are over (relation).
    RelationEnd = 48,
    /// M32: the hours to object to a change of officers or policy end.
    ChangeEffect = 50,
    /// M23: the hours of an emergency revocation end.
    RevocationEnd = 51,
    /// R23: nobody has decided a recovery of keys.
    RecoveryLapse = 52,
    /// R23: the hours in which an old key may cancel a recovery end.
    RecoveryEffect = 53,
    /// M33: a delegation ends.
    DelegationEnd = 54,
    /// M10: the due day of an invoice of dues is over.
    InvoiceDue = 110,
    /// M29: the first notice of unpaid dues falls due (membership, here and below).
    DuesNotice = 111,
    /// M11: the vote is suspended unless the notice is missing.
    DuesSuspend = 112,
    /// M29: the second notice falls due.
    DuesNoticeAgain = 113,
    /// M13: the membership ends unless the notice is missing.
    DuesEnd = 114,
    /// M12: everything due is paid, the vote is back.
    DuesRestored = 115,
    /// M28: an instalment of a plan is due (plan).
    PlanInstalment = 116,
    /// M15: a suspension ends.
    SuspensionEnd = 117,
    /// M16: the time to appeal against an expulsion ends.
    ExpulsionFinal = 118,
    /// M30: a proceeding has come to nothing (proceeding).
    ProceedingLapse = 119,
    /// M27: the clock of the dues waits for a receipt's confirmation no longer (invoice).
    ReceiptStands = 120,
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
    /// R35: the milestones left no longer cover an advance that was never released (payment).
    AdvanceUncovered = 71,
    /// F24, F25: the days to observe on a measure end (measure).
    MeasureHeard = 72,
    /// R13: nobody has asked the board to decide a measure (measure).
    MeasureAsked = 73,
    /// R13: a measure is undecided (measure).
    MeasureLapse = 74,
    /// F44: the days to observe on a recovery end (recovery).
    GrantRecoveryHeard = 75,
    /// R36: a recovery is neither ordered nor dropped (recovery).
    GrantRecoveryLapse = 76,
    /// F26: an instalment of a recovery is due (recovery).
    GrantRecoveryDue = 77,
    /// R30: a tie was recorded (organisation): what is under way is judged again.
    TieRecorded = 80,
    /// R30: a review is judged again.
    TieReview = 81,
    /// R30: the assessors of a milestone are judged again.
    TieMilestone = 82,
    /// R30: the chain of a payment is judged again.
    TiePayment = 83,
}

crate::words!(DeadlineKind, "deadline", {
    Test = "test",
    MotionClose = "motion-close",
    MotionEarly = "motion-early",
    MotionEffect = "motion-effect",
    MotionStuck = "motion-stuck",
    MotionRetable = "motion-retable",
    MotionSupport = "motion-support",
    MotionReveal = "motion-reveal",
    SeatOffer = "seat-offer",
    DraftDropped = "draft-dropped",
    MembershipScreen = "membership-screen",
    MembershipResubmit = "membership-resubmit",
    MembershipBallot = "membership-ballot",
    MembershipSponsors = "membership-sponsors",
    MembershipActivate = "membership-activate",
    MembershipAskAgain = "membership-ask-again",
    PostOffer = "post-offer",
    PostTerm = "post-term",
    SeatTerm = "seat-term",
    InstalmentDefault = "instalment-default",
    CallOpens = "call-opens",
    CallCloses = "call-closes",
    OpeningEnds = "opening-ends",
    AppealWindow = "appeal-window",
    DrawStep = "draw-step",
    ReviewSeal = "review-seal",
    ReviewReveal = "review-reveal",
    AppealUndecided = "appeal-undecided",
    JudgeDue = "judge-due",
    MotionRecount = "motion-recount",
    MembershipEnd = "membership-end",
    SeatCure = "seat-cure",
    RelationLapse = "relation-lapse",
    RelationEnd = "relation-end",
    ChangeEffect = "change-effect",
    RevocationEnd = "revocation-end",
    RecoveryLapse = "recovery-lapse",
    RecoveryEffect = "recovery-effect",
    DelegationEnd = "delegation-end",
    InvoiceDue = "invoice-due",
    DuesNotice = "dues-notice",
    DuesSuspend = "dues-suspend",
    DuesNoticeAgain = "dues-notice-again",
    DuesEnd = "dues-end",
    DuesRestored = "dues-restored",
    PlanInstalment = "plan-instalment",
    SuspensionEnd = "suspension-end",
    ExpulsionFinal = "expulsion-final",
    ProceedingLapse = "proceeding-lapse",
    ReceiptStands = "receipt-stands",
    StandstillEnd = "standstill-end",
    OfferEnd = "offer-end",
    AccountCooled = "account-cooled",
    AssessDue = "assess-due",
    CertifyDue = "certify-due",
    ApproveDue = "approve-due",
    PayoutDelay = "payout-delay",
    HoldEnd = "hold-end",
    ReleaseDue = "release-due",
    ConfirmDue = "confirm-due",
    AcknowledgeEnd = "acknowledge-end",
    AdvanceUncovered = "advance-uncovered",
    MeasureHeard = "measure-heard",
    MeasureAsked = "measure-asked",
    MeasureLapse = "measure-lapse",
    GrantRecoveryHeard = "grant-recovery-heard",
    GrantRecoveryLapse = "grant-recovery-lapse",
    GrantRecoveryDue = "grant-recovery-due",
    TieRecorded = "tie-recorded",
    TieReview = "tie-review",
    TieMilestone = "tie-milestone",
    TiePayment = "tie-payment",
});

/// The deadline that is acting, by the time at which it was due. [`crate::apply`] makes it: what
/// applies a record is given none, so a record that would emit an event does not compile (RULINGS
/// A28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due(LedgerTime);

impl Due {
    /// The deadline that acts. Outside [`crate::apply`] only tests of a motion's effect need one.
    pub fn acting(at: LedgerTime) -> Due {
        Due(at)
    }

    /// When it was due, in milliseconds.
    pub fn at(self) -> LedgerTime {
        self.0
    }
}

impl Tx<'_> {
    /// Sets the deadline of (kind, object), replacing an earlier one.
    pub fn schedule(&mut self, kind: DeadlineKind, object: impl Id, due_ms: LedgerTime) {
        self.cancel(kind, object);
        let object = object.number();
        self.t.deadlines().put((due_ms, kind as u16, object), 0);
        self.t.deadline_of().put((kind as u16, object), due_ms);
    }

    /// Removes the deadline of (kind, object), if there is one.
    pub fn cancel(&mut self, kind: DeadlineKind, object: impl Id) {
        let due = self.due(kind, object);
        let object = object.number();
        if let Some(due) = due {
            self.t.deadlines().remove((due, kind as u16, object));
            self.t.deadline_of().remove((kind as u16, object));
        }
    }

    /// When the deadline of (kind, object) passes, if it runs.
    pub fn due(&self, kind: DeadlineKind, object: impl Id) -> Option<LedgerTime> {
        self.t
            .deadline_of
            .get(&(kind as u16, object.number()))
            .copied()
    }

    /// Adds an event of the deadline that is acting.
    pub fn emit(&mut self, due: Due, body: EventBody) {
        self.events.push(Event {
            due_ms: due.at(),
            body,
        });
    }
}
