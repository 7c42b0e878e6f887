//! Event leaves (tag 3): what the clock did. Derived by `apply`, unsigned, checked byte for byte by
//! everybody.

use bincode::{Decode, Encode};
use rollbook_proof::chain::{Leaf, LeafTag, ReadClass};
use rollbook_proof::codec::{Text, Wire, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{EpochId, Height, LedgerTime, OrganisationId, ProtocolVersion};

use crate::account::Amount;
use crate::charter::motions::{DecidingBody, MotionKind};
use crate::id::{
    AgreementId, ApplicationId, AwardId, CallId, ChangeId, CharterVersion, ContributionId,
    DelegationId, DraftId, DrawId, FundId, InstalmentId, KeyRecoveryId, MeasureId, MembershipId,
    MilestoneId, MotionId, PaymentId, PersonId, PostId, RecoveryId, RelationId, ReviewId,
    RevocationId, SeatId,
};
use crate::object::change::ChangeStatus;
use crate::object::deed::Step;
use crate::object::key_recovery::RecoveryStatus;
use crate::object::measure::MeasureStatus;
use crate::object::membership::{Dues, Standing};
use crate::object::payment::{Awaited, PaymentState};
use crate::object::post::PostStatus;
use crate::object::recovery::GrantRecoveryStatus;
use crate::object::relation::RelationStatus;
use crate::object::revocation::RevocationStatus;
use crate::object::seat::SeatStatus;
use crate::tally::Tally;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Event {
    /// The deadline that passed, or the block's time where no deadline is behind the event.
    pub due_ms: LedgerTime,
    /// What happened.
    pub body: EventBody,
}

impl Wire for Event {
    const MAX: usize = 65_531;
}

impl Event {
    /// The event's leaf.
    pub fn leaf(&self) -> Leaf {
        Leaf {
            clear: LeafTag::Event.prefix(&encode(self)),
            class: self.body.read_class(),
        }
    }
}

/// What happened to the dues of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuesMark {
    /// M10: an invoice is unpaid after its due day.
    Unpaid,
    /// M29: the first notice is due.
    NoticeDue,
    /// M11: the vote is not suspended before that notice is served.
    WaitsForNotice,
    /// M29: the second notice is due.
    NoticeAgainDue,
    /// M13: the membership does not end before that notice is served.
    WaitsForNoticeAgain,
    /// M12: the vote is back.
    Restored,
    /// M28: an instalment of the plan was missed.
    PlanMissed,
}

crate::words!(DuesMark, "dues-mark", {
    Unpaid = "unpaid",
    NoticeDue = "notice-due",
    WaitsForNotice = "waits-for-notice",
    NoticeAgainDue = "notice-again-due",
    WaitsForNoticeAgain = "waits-for-notice-again",
    Restored = "restored",
    PlanMissed = "plan-missed",
});

/// What happened. Grows only at its end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub enum EventBody {
    /// An epoch ended: RFC 6962 root and number of rows of the sorted dump of all tables (RULINGS
    /// A7).
    EpochDump {
        /// The epoch that ends.
        epoch: EpochId,
        /// Rows in the dump.
        rows: u64,
        /// Root over the rows.
        root: Hash,
    },
    /// The chain stood still longer than `outage_gap`: every running deadline was lengthened
    /// (RULINGS R12).
    Outage {
        /// By how much.
        gap_ms: u64,
        /// How many deadlines.
        deadlines: u32,
    },
    /// Ballots of a motion were opened by the clock: by a rule, put again, or passed up to another
    /// body.
    MotionOpened {
        /// Its number.
        motion: MotionId,
        /// Its kind.
        kind: MotionKind,
        /// Who decides.
        body: DecidingBody,
        /// How often it was put again.
        retabled: u32,
        /// Voices in the frozen electorate.
        voices: u32,
        /// Root over the electorate's rows.
        electorate: Hash,
        /// When the ballots end.
        closes_ms: LedgerTime,
    },
    /// The ballots of a motion ended: counts, rule, arithmetic and outcome.
    MotionClosed {
        /// Its number.
        motion: MotionId,
        /// Who decided.
        body: DecidingBody,
        /// How often it had been put again.
        retabled: u32,
        /// The whole tally.
        tally: Tally,
    },
    /// A passed motion took effect.
    MotionCarriedOut {
        /// Its number.
        motion: MotionId,
    },
    /// A motion is void.
    MotionVoid {
        /// Its number.
        motion: MotionId,
        /// Why: the code of the rule its effect would have broken, or of the tally.
        code: Text<64>,
    },
    /// A motion of the assembly found too little support in time.
    MotionUnsupported {
        /// Its number.
        motion: MotionId,
    },
    /// M02: an application waits longer than the charter allows for screening. It may still be
    /// screened.
    ScreeningOverdue {
        /// Membership number.
        membership: MembershipId,
        /// The applicant.
        organisation: OrganisationId,
    },
    /// A membership came to stand elsewhere by the clock.
    MembershipMoved {
        /// Membership number.
        membership: MembershipId,
        /// The organisation.
        organisation: OrganisationId,
        /// The transition, such as `M08`.
        transition: Text<8>,
        /// Where it stands now.
        standing: Standing,
        /// The motion that decided, if one did.
        motion: Option<MotionId>,
    },
    /// R9: a rejected applicant has not asked the board to vote again; the rejection stands.
    RejectionFinal {
        /// Membership number.
        membership: MembershipId,
    },
    /// F04: what was open on an instalment is defaulted.
    InstalmentDefaulted {
        /// The fund.
        fund: FundId,
        /// The contribution.
        contribution: ContributionId,
        /// The instalment.
        instalment: InstalmentId,
        /// The member.
        member: OrganisationId,
        /// Minor units.
        amount: Amount,
    },
    /// F37: a call takes applications.
    CallOpened {
        /// The call.
        call: CallId,
    },
    /// F37: it takes none any more.
    CallClosedForSubmissions {
        /// The call.
        call: CallId,
        /// How many came.
        applications: u32,
    },
    /// F07: time to open applications is over; these were not opened and are void.
    ApplicationsVoid {
        /// The call.
        call: CallId,
        /// Their numbers.
        applications: Vec<ApplicationId>,
    },
    /// F40: nobody appealed in time; the application stays ineligible.
    AppealExpired {
        /// The application.
        application: ApplicationId,
        /// Its call.
        call: CallId,
    },
    /// R22: somebody did not commit or reveal in time.
    DrawPassed {
        /// The draw.
        draw: DrawId,
        /// The attempt that begins or goes on.
        attempt: u32,
        /// Places that were missing (0 PO, 1 OFF, 2 seat holder) and the organisation that takes
        /// each; none: its first kind of holder again, since no seat holder of another group is
        /// left.
        places: Vec<(u32, Option<OrganisationId>)>,
    },
    /// R13: a reviewer is past the limit.
    ReviewerReplaced {
        /// The review that ended.
        review: ReviewId,
        /// Its application.
        application: ApplicationId,
        /// Who was late.
        person: PersonId,
        /// The review that takes its place; none: nobody is left in the draw.
        next: Option<ReviewId>,
    },
    /// F09: a revealed review was neither confirmed nor changed and is final.
    ReviewFinal {
        /// The review.
        review: ReviewId,
        /// Its application.
        application: ApplicationId,
    },
    /// F12: the standstill of an award is over; the applicant may accept.
    AwardOffered {
        /// The award.
        award: AwardId,
        /// The applicant.
        grantee: OrganisationId,
        /// Minor units.
        amount: Amount,
        /// Last ledger time to accept.
        until_ms: LedgerTime,
    },
    /// F12: an offer was not accepted in time; its amount went back.
    AwardLapsed {
        /// The award.
        award: AwardId,
        /// The applicant.
        grantee: OrganisationId,
        /// Minor units.
        amount: Amount,
    },
    /// F42: the cooling-off of a payee account is over.
    AccountCooled {
        /// The agreement.
        agreement: AgreementId,
        /// Commitment to the account.
        account: Hash,
        /// In force now; else it waits for the second officer.
        in_force: bool,
    },
    /// R13: an assessor is past the limit.
    AssessorLate {
        /// The milestone.
        milestone: MilestoneId,
        /// Who is late.
        person: PersonId,
        /// Who follows; none: nobody is left in the draw, the late one stays.
        next: Option<PersonId>,
    },
    /// R22: the draw has too few assessors for a milestone.
    AssessorsMissing {
        /// The milestone.
        milestone: MilestoneId,
    },
    /// R13: a step of a payment is past its limit.
    StepOverdue {
        /// The payment.
        payment: PaymentId,
        /// Which step.
        awaited: Awaited,
    },
    /// F20: the delay after the last approval is over.
    PayoutDelayOver {
        /// The payment.
        payment: PaymentId,
        /// It is held.
        held: bool,
    },
    /// R13: a hold ended undecided.
    HoldEnded {
        /// The payment.
        payment: PaymentId,
    },
    /// F22: the grantee neither acknowledged nor disputed in time.
    Unacknowledged {
        /// The payment.
        payment: PaymentId,
        /// Minor units.
        amount: Amount,
    },
    /// A18: the next rule version is decided and begins at a height.
    ProtocolRaised {
        /// The version.
        protocol: ProtocolVersion,
        /// The first height under it.
        from_height: Height,
        /// The amendment.
        motion: MotionId,
        /// The first release that knows it.
        release: Text<40>,
    },
    /// R34: the stay of a passed motion is over, and its effect waits until another motion is
    /// decided.
    MotionWaits {
        /// The motion that waits.
        motion: MotionId,
        /// The one for which it waits.
        awaited: MotionId,
    },
    /// R28: an offer of a post lapsed, its term ended or the next one began.
    PostMoved {
        /// The post.
        post: PostId,
        /// Where it stands now.
        status: PostStatus,
    },
    /// R28: the term of a seat ended; its holder goes on until a successor has accepted.
    SeatHeldOver {
        /// The seat.
        seat: SeatId,
        /// The member that holds it.
        organisation: OrganisationId,
    },
    /// R29: an applicant cannot become a member while somebody of its group is auditor; its time
    /// begins again.
    ActivationWaits {
        /// Membership number.
        membership: MembershipId,
        /// The auditor's post.
        post: PostId,
    },
    /// R30: ties taint deeds in the chain of a payment. It stands before the first of its own steps
    /// among them, or is held until the board decides.
    ChainTainted {
        /// The payment.
        payment: PaymentId,
        /// What is tainted, and by whom it was done.
        deeds: Vec<(Step, PersonId)>,
        /// Where the payment stands now.
        state: PaymentState,
    },
    /// R30: a tie taints an assessor, who is replaced.
    AssessorTainted {
        /// The milestone.
        milestone: MilestoneId,
        /// Who is tied.
        person: PersonId,
        /// Who follows; none: nobody is left in the draw.
        next: Option<PersonId>,
    },
    /// R35: the milestones left no longer cover an advance that was never released; it is refused,
    /// and the milestones are paid without it.
    AdvanceRefused {
        /// The payment.
        payment: PaymentId,
        /// Minor units.
        amount: Amount,
        /// Why, as the payment says it.
        code: Text<40>,
    },
    /// R35: a receipt that was entered in time and is not confirmed yet delays the default of its
    /// amount, once.
    DefaultDelayed {
        /// The instalment.
        instalment: InstalmentId,
        /// Minor units that are not defaulted yet.
        amount: Amount,
        /// Until when the receipt may be confirmed.
        until_ms: LedgerTime,
    },
    /// R40: the board has not decided an appeal in its days; it is dismissed.
    AppealDismissed {
        /// The application.
        application: ApplicationId,
        /// Its call.
        call: CallId,
    },
    /// R33: an opened application waits longer than the charter allows for its verdict. It may still
    /// be judged.
    VerdictOverdue {
        /// The application.
        application: ApplicationId,
        /// Its call.
        call: CallId,
    },
    /// R31: the ballots of a motion ended, and sealed ones among them are to be opened.
    BallotsSealed {
        /// The motion.
        motion: MotionId,
        /// How many sealed ballots count.
        ballots: u32,
        /// Last ledger time to open them.
        until_ms: LedgerTime,
    },
    /// M36: an election came to this.
    ElectionHeld {
        /// The motion.
        motion: MotionId,
        /// The round.
        round: u32,
        /// Names with most voices, the most named first, at most 256.
        votes: Vec<(OrganisationId, u32)>,
        /// Elected in this round and before.
        elected: Vec<OrganisationId>,
        /// The draw that decides the last seats, and for how many.
        draw: Option<(DrawId, u32)>,
        /// Seats for which there is a run-off.
        run_off: u32,
        /// Seats that stay open.
        open: u32,
    },
    /// M36, R28: a seat was offered, an offer of one lapsed, its term ended or the next one began, or its
    /// holder's class has none any more.
    SeatMoved {
        /// The seat.
        seat: SeatId,
        /// The member.
        organisation: OrganisationId,
        /// Where it stands now.
        status: SeatStatus,
    },
    /// R37: a charter came into force.
    CharterAmended {
        /// Its version.
        version: CharterVersion,
        /// SHA-256 of its encoded parameters.
        digest: Hash,
        /// The motion.
        motion: MotionId,
    },
    /// R37: a deposited charter is dropped.
    CharterDropped {
        /// Its number.
        draft: DraftId,
        /// SHA-256 of it.
        digest: Hash,
    },
    /// M32: the hours to object to a change of officers or policy are over.
    ChangeMoved {
        /// The change.
        change: ChangeId,
        /// The organisation.
        organisation: OrganisationId,
        /// In force, or failed.
        status: ChangeStatus,
        /// The rule that stood against it.
        failure: Option<Text<64>>,
    },
    /// M23: an emergency revocation was ratified, or its hours are over.
    RevocationMoved {
        /// The revocation.
        revocation: RevocationId,
        /// Whose key.
        person: PersonId,
        /// Which.
        key: u32,
        /// Where it stands now.
        status: RevocationStatus,
    },
    /// R23: a recovery of keys was decided, took effect, failed or lapsed.
    RecoveryMoved {
        /// The recovery.
        recovery: KeyRecoveryId,
        /// Whose keys.
        organisation: OrganisationId,
        /// Where it stands now.
        status: RecoveryStatus,
        /// The rule that stood against it.
        failure: Option<Text<64>>,
    },
    /// M33: a delegation ended with its day, or because its giver or delegate left.
    DelegationEnded {
        /// The delegation.
        delegation: DelegationId,
        /// The organisation.
        organisation: OrganisationId,
    },
    /// M10, M12, M28, M29: something happened to the dues of a member, for members. It names the record
    /// that issued the invoice with which it began.
    DuesMoved {
        /// Membership number.
        membership: MembershipId,
        /// The record that issued the invoice.
        record: Hash,
        /// What happened.
        what: DuesMark,
        /// Where the dues stand now.
        dues: Dues,
    },
    /// M11, M12, M28: a member may not vote any more for unpaid dues, or may again.
    VoteMoved {
        /// Membership number.
        membership: MembershipId,
        /// The member.
        organisation: OrganisationId,
        /// Whether it is suspended now.
        suspended: bool,
    },
    /// M30: a proceeding against a member came to nothing in its time; for members.
    ProceedingLapsed {
        /// The record that opened it.
        record: Hash,
    },
    /// R27: a relation came to stand elsewhere by the clock.
    RelationMoved {
        /// The relation.
        relation: RelationId,
        /// The two, the smaller number first.
        ends: (OrganisationId, OrganisationId),
        /// Where it stands now.
        status: RelationStatus,
        /// The ledger time from which their voices are one, if they are.
        effective_ms: Option<LedgerTime>,
    },
    /// R1, R20: the ballots of a motion were counted again, since companies were one group when it
    /// opened.
    MotionRecounted {
        /// The motion.
        motion: MotionId,
        /// Voices in its electorate now.
        voices: u32,
        /// Root over the electorate's rows.
        electorate: Hash,
        /// The new tally, if the ballots had ended.
        tally: Option<Box<Tally>>,
        /// Whether it would have ended otherwise.
        differs: bool,
    },
    /// F24, F25: the days to observe on a measure are over, or it ended undecided.
    MeasureMoved {
        /// The measure.
        measure: MeasureId,
        /// The agreement.
        agreement: AgreementId,
        /// Where it stands now.
        status: MeasureStatus,
    },
    /// F44: the days to observe on a recovery are over, or it ended undecided.
    GrantRecoveryMoved {
        /// The recovery.
        recovery: RecoveryId,
        /// The agreement.
        agreement: AgreementId,
        /// Where it stands now.
        status: GrantRecoveryStatus,
    },
    /// F26: an instalment of a recovery was due and has not come in full.
    GrantRecoveryLate {
        /// The recovery.
        recovery: RecoveryId,
        /// The grantee.
        grantee: OrganisationId,
        /// What is overdue in all, in minor units.
        amount: Amount,
    },
}

impl EventBody {
    /// Who may read it (RULINGS A44, R39). What tells of a members' record, of dues, or of a
    /// proceeding before its decision is for members, and names the id of the record that made its
    /// object, so that its leaf cannot be guessed. Results of motions, standing, and money of funds are
    /// public.
    pub fn read_class(&self) -> ReadClass {
        match self {
            EventBody::DuesMoved { .. } | EventBody::ProceedingLapsed { .. } => ReadClass::Members,
            EventBody::EpochDump { .. }
            | EventBody::VoteMoved { .. }
            | EventBody::Outage { .. }
            | EventBody::MotionOpened { .. }
            | EventBody::MotionClosed { .. }
            | EventBody::MotionCarriedOut { .. }
            | EventBody::MotionVoid { .. }
            | EventBody::MotionUnsupported { .. }
            | EventBody::ScreeningOverdue { .. }
            | EventBody::MembershipMoved { .. }
            | EventBody::RejectionFinal { .. }
            | EventBody::InstalmentDefaulted { .. }
            | EventBody::CallOpened { .. }
            | EventBody::CallClosedForSubmissions { .. }
            | EventBody::ApplicationsVoid { .. }
            | EventBody::AppealExpired { .. }
            | EventBody::DrawPassed { .. }
            | EventBody::ReviewerReplaced { .. }
            | EventBody::ReviewFinal { .. }
            | EventBody::AwardOffered { .. }
            | EventBody::AwardLapsed { .. }
            | EventBody::AccountCooled { .. }
            | EventBody::AssessorLate { .. }
            | EventBody::AssessorsMissing { .. }
            | EventBody::StepOverdue { .. }
            | EventBody::PayoutDelayOver { .. }
            | EventBody::HoldEnded { .. }
            | EventBody::Unacknowledged { .. }
            | EventBody::ProtocolRaised { .. }
            | EventBody::MotionWaits { .. }
            | EventBody::PostMoved { .. }
            | EventBody::SeatHeldOver { .. }
            | EventBody::ActivationWaits { .. }
            | EventBody::ChainTainted { .. }
            | EventBody::AssessorTainted { .. }
            | EventBody::AdvanceRefused { .. }
            | EventBody::DefaultDelayed { .. }
            | EventBody::AppealDismissed { .. }
            | EventBody::VerdictOverdue { .. }
            | EventBody::BallotsSealed { .. }
            | EventBody::ElectionHeld { .. }
            | EventBody::SeatMoved { .. }
            | EventBody::CharterAmended { .. }
            | EventBody::CharterDropped { .. }
            | EventBody::ChangeMoved { .. }
            | EventBody::RevocationMoved { .. }
            | EventBody::RecoveryMoved { .. }
            | EventBody::DelegationEnded { .. }
            | EventBody::RelationMoved { .. }
            | EventBody::MotionRecounted { .. }
            | EventBody::MeasureMoved { .. }
            | EventBody::GrantRecoveryMoved { .. }
            | EventBody::GrantRecoveryLate { .. } => ReadClass::Public,
        }
    }
}
