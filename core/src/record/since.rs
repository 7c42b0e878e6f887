//! Since which rule version each thing exists that an envelope can carry (RULINGS A18, A28).
//!
//! * An enum grows at its end, and a variant says here since which version it is there. A record is
//!   judged by the newest thing inside it, however deep that stands.
//! * Nothing is left out silently: variants are matched in full and structs are taken apart field by
//!   field, so a new variant or field does not compile without its line here. The suite `formats`
//!   holds that every enum a record can carry has its lines, and that what is called plain below
//!   holds no enum.

use rollbook_proof::crypto::{Hash, PublicKey, Signature};
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId, ProtocolVersion};

use super::{
    AcceptPlan, AdmitMember, AdmitObserver, AgreementTerms, AmendCharter, ApplicationContent,
    AppointCommittee, Appointment, AwardAct, Ballot, BallotVote, BankReference, Body, CalendarYear,
    CallAct, CallTerms, CancelCall, Capacity, Channel, CharterAct, CharterDraft, Choice,
    ClericalField, ConfirmPool, ConflictKind, Corrected, CorrectionEntry, CreateFund, Criterion,
    DecideAppeal, Decision, Declaration, DelegatedObject, DelegationGrant, DrawFor, ElectChair,
    ElectSeat, Eligibility, EndObserver, Evidence, EvidenceKind, ExpelMember, Finding, FundAct,
    GrantAward, HearingEntry, InstalmentEntry, Instruction, Instrument, KeyRotation, LiftHold,
    LiftSuspension, MeasureKind, MeasureNotice, MilestonePlan, MotionAct, MotionEffect,
    MotionMinutes, NameLead, NewKey, NodeAct, NodeKeys, NodeUpdate, Nonce, NoticeAbout,
    NoticeChannel, NoticeEntry, ObserverReading, OfficersChange, OfficialOrder, OrderRecovery,
    Part, Particulars, Payload, PaymentAct, PerGroup, PlaceApplication, Placing, PlanEntry,
    PlanPart, PledgeEntry, PoolKind, ProceedingEntry, Proposal, RaiseProtocol, RatifyRevocation,
    ReceiptEntry, Record, RecoverKeys, RecoveryClaim, RecoveryEntry, RecoveryPlan, RemoveAuditor,
    RemoveHolder, RescindMotion, RevealBallot, ReviewDeclaration, Revision, RevokeAward, Scheme,
    Scores, ScreenAgain, SeenEarlier, SeenReceipt, SetOffEntry, SignatureEntry, StatementEntry,
    Submission, SuspendAgreement, SuspendMember, TerminateAgreement, TieBreak, Tranche,
    UpholdAppeal, Verdict, WriteOffInstalment, WriteOffRecovery,
};
use crate::account::{Amount, Pot, Unit};
use crate::calendar::LocalDay;
use crate::calendar::Period;
use crate::charter::motions::{BodyKind, Fraction, MotionKind};
use crate::charter::{
    ChainParameters, DayLimits, FundingParameters, GrowthParameters, MembershipParameters,
    PeopleParameters, StandingParameters, TermParameters,
};
use crate::id::{
    AgreementId, ApplicationId, AwardId, CalendarId, CallId, ChangeId, CharterVersion,
    ContributionId, CorrectionId, DelegationId, DirectionId, DrawId, FundId, InstalmentId,
    InvoiceId, KeyRecoveryId, MeasureId, MembershipId, MilestoneId, MotionId, NoticeId, OrderId,
    PaymentId, PersonId, PlanId, PostId, ProceedingId, RecoveryId, RelationId, ReviewId,
    RevocationId, SeatId, StatementId,
};
use crate::identity::identifier::Identifier;
use crate::identity::{
    ActClass, ApprovalPolicy, Authorisation, EndReason, GroupDeclaration, Name, OfficerEntry,
    OrganisationEntry, OrganisationKind, ReaderKey, RelationKind, Role, Scope,
};

#[macro_use]
mod table;

use table::{FIRST, Since, newest};

impl Record {
    /// The first rule version that has everything in the record: its act, and by what right its
    /// signers sign (RULINGS A28).
    pub fn since(&self) -> ProtocolVersion {
        Since::since(self)
    }
}

impl Body {
    /// The first rule version that has this act and everything in it (RULINGS A18, A28).
    pub fn since(&self) -> ProtocolVersion {
        Since::since(self)
    }
}

plain!(
    bool,
    u32,
    u64,
    Hash,
    Nonce,
    ReaderKey,
    BankReference,
    Scores,
    ProtocolVersion,
    Height,
    LedgerTime,
    LocalDay,
    Amount,
    AgreementId,
    ApplicationId,
    AwardId,
    CalendarId,
    CallId,
    ChangeId,
    CharterVersion,
    ContributionId,
    CorrectionId,
    DelegationId,
    DirectionId,
    DrawId,
    FundId,
    InstalmentId,
    InvoiceId,
    KeyRecoveryId,
    MeasureId,
    MembershipId,
    MilestoneId,
    MotionId,
    NoticeId,
    OrderId,
    OrganisationId,
    PaymentId,
    PersonId,
    PlanId,
    PostId,
    ProceedingId,
    RelationId,
    RecoveryId,
    RevocationId,
    ReviewId,
    SeatId,
    StatementId,
    i32,
    Fraction,
    MembershipParameters,
    StandingParameters,
    PeopleParameters,
    TermParameters,
    GrowthParameters,
    DayLimits,
    FundingParameters,
    ChainParameters,
);

mod belonging;
/// An order. With the version that never ships, one of its authority is as new as that version.
impl Since for OfficialOrder {
    fn since(&self) -> ProtocolVersion {
        let OfficialOrder {
            authority,
            reference,
            document,
            issued_ms,
            about,
        } = self;
        newest([
            authority.since(),
            reference.since(),
            document.since(),
            issued_ms.since(),
            about.since(),
            #[cfg(feature = "planted")]
            crate::planted::since(authority.as_str()),
        ])
    }
}

/// A motion is as new as what it does and as the kind by whose rule it is decided.
impl Since for Proposal {
    fn since(&self) -> ProtocolVersion {
        let Proposal {
            effect,
            ballot_days,
            text,
        } = self;
        let kind = effect.kind().map_or(FIRST, MotionKind::since);
        newest([effect.since(), kind, ballot_days.since(), text.since()])
    }
}

since! {
    struct Record { payload, signatures }
    struct Payload { chain, principal, officer, sequence, valid_until_ms, nonce, body }
    struct SignatureEntry { officer, capacity, key, signature }
    enum Body {
        Organisation(it) = 1,
        Membership(it) = 1,
        Motion(it) = 1,
        Fund(it) = 1,
        Call(it) = 1,
        Award(it) = 1,
        Payment(it) = 1,
        Node(it) = 1,
        Charter(it) = 1,
    }
    enum Capacity {
        Own(it) = 1,
        Delegation(it) = 1,
    }

    // record/people.rs
    struct NewKey { person, key, proof }
    struct OfficersChange { added, roles, keys, ended, policy }
    struct KeyRotation { person, replaces, key, proof }
    struct Particulars { name, address, identifiers, extract }
    enum DelegatedObject {
        Everything = 1,
        Motion(it) = 1,
        Agreement(it) = 1,
        Payment(it) = 1,
        Application(it) = 1,
    }
    struct DelegationGrant { giver, role, to, classes, object, until_ms }
    struct RecoveryPlan { organisation, letter, change }
    struct RatifyRevocation { revocation }
    struct RecoverKeys { recovery }

    // record/notice.rs
    enum NoticeAbout {
        Dues(it) = 1,
        DuesAgain(it) = 1,
        Proceeding(it) = 1,
        Warning(it) = 1,
    }
    enum NoticeChannel {
        RegisteredLetter = 1,
        Email = 1,
        Hand = 1,
    }
    struct NoticeEntry { subject, text, channel, dispatched, proof }
    struct PlanPart { due_day, amount }
    struct PlanEntry { membership, parts }
    struct ProceedingEntry { membership, ground, reasons }
    struct HearingEntry { proceeding, day, attended, minutes }
    struct SuspendMember { proceeding, days }
    struct LiftSuspension { membership }
    struct ExpelMember { proceeding }
    struct UpholdAppeal { proceeding }
    struct AcceptPlan { plan }

    // record/motion.rs
    enum MotionAct {
        Propose(it) = 1,
        Support { motion } = 1,
        Vote(it) = 1,
        DeclareConflict { motion, kind } = 1,
        Withdraw { motion } = 1,
        AcceptPost { post } = 1,
        DeclinePost { post } = 1,
        ResignPost { post } = 1,
        AcceptSeat { seat } = 1,
        DeclineSeat { seat } = 1,
        ResignSeat { seat } = 1,
        Reveal(it) = 1,
        Minutes(it) = 1,
        GiveProxy { motion, holder } = 1,
        TakeBackProxy { motion } = 1,
    }
    struct Ballot { motion, round, replaces, vote, criterion, declaration, proxy_for }
    struct RevealBallot { motion, round, proxy_for, vote, salt, criterion }
    struct MotionMinutes { motion, agenda, attendance, minutes }
    enum ConflictKind {
        Competitor = 1,
        Investor = 1,
        EmploymentOrPaid = 1,
        FamilyOrPersonal = 1,
        Other = 1,
    }
    enum MotionEffect {
        Admit(it) = 1,
        Rescind(it) = 1,
        Appoint(it) = 1,
        Remove(it) = 1,
        CreateFund(it) = 1,
        AppointCommittee(it) = 1,
        WriteOffInstalment(it) = 1,
        PublishCall(it) = 1,
        CancelCall(it) = 1,
        ConfirmPool(it) = 1,
        DecideAppeal(it) = 1,
        GrantAward(it) = 1,
        PlaceApplication(it) = 1,
        RevokeAward(it) = 1,
        LiftHold(it) = 1,
        RaiseProtocol(it) = 1,
        RemoveAuditor(it) = 1,
        ElectSeat(it) = 1,
        AmendCharter(it) = 1,
        RatifyRevocation(it) = 1,
        RecoverKeys(it) = 1,
        NameLead(it) = 1,
        AdmitObserver(it) = 1,
        EndObserver(it) = 1,
        ElectChair(it) = 1,
        ScreenAgain(it) = 1,
        SuspendMember(it) = 1,
        LiftSuspension(it) = 1,
        ExpelMember(it) = 1,
        UpholdAppeal(it) = 1,
        AcceptPlan(it) = 1,
        ChangeClass(it) = 1,
        JoinRelation(it) = 1,
        AnnulRelation(it) = 1,
        UndoRelation(it) = 1,
        SuspendAgreement(it) = 1,
        TerminateAgreement(it) = 1,
        OrderRecovery(it) = 1,
        WriteOffRecovery(it) = 1,
    }
    struct NameLead { direction, organisation }
    struct AdmitObserver { organisation, reading }
    struct EndObserver { organisation }
    struct ElectChair { office, succeeds }
    struct ScreenAgain { membership, evidence }
    enum ObserverReading {
        Public = 1,
        Members = 1,
    }
    enum BallotVote {
        Choice(it) = 1,
        Names(it) = 1,
        Sealed(it) = 1,
    }
    enum Declaration {
        None = 1,
        Conflict(it) = 1,
    }
    struct AdmitMember { membership }
    struct RescindMotion { motion }
    struct Appointment { office, role, scope, holder, deputy, succeeds }
    struct RemoveHolder { post }
    struct RaiseProtocol { protocol, from_height, release }
    struct RemoveAuditor { post }
    struct ElectSeat { seats, further }
    struct AmendCharter { digest, replaces }
    enum Choice {
        Yes = 1,
        No = 1,
        Abstain = 1,
    }

    // record/fund.rs
    enum FundAct {
        Accept { fund } = 1,
        Pledge(it) = 1,
        CallInstalment { instalment } = 1,
        ProposeCancel { contribution, instalments } = 1,
        AgreeCancel { proposal } = 1,
        RecordReceipt(it) = 1,
        ConfirmReceipt { receipt } = 1,
    }
    struct PledgeEntry { fund, pot, instalments }
    struct ReceiptEntry { instalment, amount, reference, value_day }
    struct InstalmentEntry { due_day, amount }
    struct CreateFund { name, holder, unit, bank_account, office, officers }
    struct AppointCommittee { fund, members }
    struct WriteOffInstalment { instalment, attempts }

    // record/call.rs
    enum CallAct {
        Submit(it) = 1,
        Withdraw { application } = 1,
        Open { application, content, salt } = 1,
        Judge { application, verdict } = 1,
        Appeal { application, grounds } = 1,
        EnterPool { pool, persons } = 1,
        FreezePool { subject } = 1,
        CommitDraw { draw, commitment } = 1,
        RevealDraw { draw, secret } = 1,
        Declare { review, declaration } = 1,
        Seal { review, seal } = 1,
        Reveal { review, scores, comment, salt } = 1,
        Finalise { review, revision } = 1,
        Rank { call } = 1,
        Close { call } = 1,
    }
    struct Submission { call, commitment, seen }
    struct ApplicationContent { project, title, ask, partners, document }
    enum Verdict {
        Eligible = 1,
        Ineligible { code, reason } = 1,
    }
    enum PoolKind {
        Reviewers = 1,
        Assessors = 1,
    }
    enum DrawFor {
        Call(it) = 1,
        Agreement(it) = 1,
        Election(it) = 1,
    }
    enum ReviewDeclaration {
        Clear = 1,
        Recused(it) = 1,
        Declined = 1,
    }
    struct Revision { scores, reason }
    struct SeenEarlier { officer, sequence, valid_until_ms, nonce, receipts }
    struct Part { organisation, amount }
    enum Instrument {
        Grant = 1,
    }
    struct CallTerms {
        fund, instrument, title, direction, budget, ask_max, criteria, threshold, reviewers,
        concentration_bp, tie_breaks, eligibility, per_group, codes, opens_day, closes_day,
        document
    }
    struct CancelCall { call, reason }
    struct ConfirmPool { pool, persons }
    struct DecideAppeal { application }
    struct SeenReceipt { validator, bytes, time_ms, height, signature }
    struct Criterion { code, weight_bp, score_max, threshold }
    enum TieBreak {
        Criterion(it) = 1,
        SmallerAsk = 1,
        Earlier = 1,
    }
    struct Eligibility { classes, outsiders, in_direction }
    struct PerGroup { waiting, handed_in }

    // record/award.rs
    enum AwardAct {
        Accept { award } = 1,
        Draft(it) = 1,
        Sign { agreement, draft, terms } = 1,
        Countersign { agreement, signed, terms } = 1,
        ChangeAccount { agreement, account } = 1,
        ConfirmAccount { agreement, change, account, channel } = 1,
        Announce(it) = 1,
        ObserveMeasure { measure, observations } = 1,
        HoldPayments { measure, ground } = 1,
        DropMeasure { measure, reason } = 1,
        Resume { agreement } = 1,
        ProposeRecovery(it) = 1,
        NotifyRecovery { recovery, letter, dispatch } = 1,
        ObserveRecovery { recovery, observations } = 1,
        DropRecovery { recovery, reason } = 1,
        ReceiveRecovery(it) = 1,
        ConfirmRecovery { receipt } = 1,
        SetOff(it) = 1,
        AgreeSetOff { entry } = 1,
        Close { agreement } = 1,
    }
    struct AgreementTerms {
        award, instrument, grantee, partners, parties, document, total, unit, milestones,
        advance, holdback_bp, account, charter, call, clawback, survival
    }
    enum Channel {
        Telephone = 1,
        RegisteredLetter = 1,
        InPerson = 1,
        TokenTransfer = 1,
    }
    struct MilestonePlan { amount, due_ms, evidence }
    struct GrantAward { application, amount, body, out_of_rank }
    struct PlaceApplication { application, placing, reason }
    struct RevokeAward { award, reason }
    struct LiftHold { payment, reason }
    enum Placing {
        Reserve = 1,
        NotRecommended = 1,
    }

    // record/life.rs
    enum MeasureKind {
        Deadline = 1,
        Payment = 1,
        Whole = 1,
        Termination = 1,
    }
    struct MeasureNotice { agreement, kind, letter, dispatch }
    struct RecoveryClaim { agreement, amount, code, reason }
    struct RecoveryEntry { recovery, amount, reference, value_day }
    struct SetOffEntry { recovery, payment, amount }
    struct SuspendAgreement { measure, reason }
    struct TerminateAgreement { measure, reason }
    struct OrderRecovery { recovery, instalments, reason }
    struct WriteOffRecovery { recovery, attempts }

    // record/payment.rs
    enum PaymentAct {
        Submit { milestone, evidence } = 1,
        Assess { milestone, finding, report } = 1,
        Request { agreement, tranche, amount } = 1,
        Certify { payment, decision } = 1,
        Approve { payment, certified, amount, decision } = 1,
        Hold { payment, ground } = 1,
        Release { payment, instruction } = 1,
        Settle { payment, reference, amount } = 1,
        Return { payment, reference, amount, reason } = 1,
        Acknowledge { payment, amount } = 1,
        Dispute { payment, ground } = 1,
    }
    struct Evidence { kind, hash, shared }
    enum Finding {
        Accept(it) = 1,
        Rework = 1,
        Reject = 1,
    }
    enum Tranche {
        Advance = 1,
        Milestone(it) = 1,
        Holdback = 1,
    }
    enum Decision {
        Pass = 1,
        Refuse { code, reason } = 1,
    }
    struct Instruction { scheme, reference, uetr, account, amount }
    enum EvidenceKind {
        Document = 1,
        Doi = 1,
        Patent = 1,
    }
    enum Scheme {
        Book = 1,
        Hvps = 1,
        Beps = 1,
        Ibps = 1,
        Cips = 1,
        Swift = 1,
        Other = 1,
    }

    // record/node.rs
    enum NodeAct {
        Register(it) = 1,
        Ready = 1,
        Leave = 1,
        Support { protocol } = 1,
        Update(it) = 1,
    }
    struct NodeUpdate { consensus, cosigner, log, transport, url, address }
    struct NodeKeys { consensus, cosigner, log, transport, url, address }

    // record/charter.rs
    enum CharterAct {
        FileOrder(it) = 1,
        Deposit(it) = 1,
        SetCalendar(it) = 1,
        ConfirmCalendar { calendar } = 1,
        Correct(it) = 1,
        ConfirmCorrection { correction } = 1,
        DeclineCorrection { correction, reasons } = 1,
    }
    struct CalendarYear { year, holidays, working_weekends }
    struct StatementEntry { title, document, motion }
    struct CorrectionEntry { subject, field, reads, should_read, evidence }
    enum Corrected {
        Order(it) = 1,
        Statement(it) = 1,
        Fund(it) = 1,
        Call(it) = 1,
        Entry(it) = 1,
    }
    enum ClericalField {
        Authority = 1,
        Reference = 1,
        Issued = 1,
        Title = 1,
        Name = 1,
        ValueDay = 1,
    }
    struct CharterDraft { replaces, charter }

    // identity.rs
    enum Role {
        Primary = 1,
        Alternate = 1,
        Finance = 1,
        Technical = 1,
        NodeOperator = 1,
        Secretary = 1,
        Registrar = 1,
        Treasurer = 1,
        SecondOfficer = 1,
        ProgrammeOfficer = 1,
        FinanceApprover = 1,
        Auditor = 1,
        Chair = 1,
    }
    struct GroupDeclaration { other, kind, evidence }
    struct OrganisationEntry {
        number, kind, name, identifiers, country, extract, relations, directions, officers,
        policy
    }
    enum RelationKind {
        Control = 1,
        CommonControl = 1,
        Investor = 1,
        Contract = 1,
        Family = 1,
        Other = 1,
    }
    enum OrganisationKind {
        Company = 1,
        Office = 1,
        Observer = 1,
    }
    struct Name { native, latin }
    struct OfficerEntry { person, commitment, roles, keys, reader, authorisation }
    struct ApprovalPolicy { thresholds }
    struct Authorisation { letter, signatory, date }
    enum ActClass {
        General = 1,
        Ballot = 1,
        Money = 1,
        People = 1,
        Node = 1,
    }
    enum EndReason {
        Left = 1,
        Rotated = 1,
        Lost = 1,
        Compromised = 1,
    }
    enum Scope {
        Alliance = 1,
        Fund(it) = 1,
    }

    // identity/identifier.rs
    enum Identifier {
        Uscc(it) = 1,
        Lei(it) = 1,
        National { country, number } = 1,
    }

    // calendar.rs
    enum Period {
        Hours(it) = 1,
        Days(it) = 1,
        WorkingDays(it) = 1,
    }

    // log/policy.rs
    enum Clock {
        Wall = 1,
        Sample = 1,
    }

    enum BodyKind {
        WorkingGroup = 1,
        Committee = 1,
        Board = 1,
        Assembly = 1,
    }

    // account/unit.rs
    enum Unit {
        Currency(it) = 1,
        Resource(it) = 1,
    }

    // account/movement.rs
    enum Pot {
        Free = 1,
        Direction(it) = 1,
    }

    // crypto/keys.rs
    enum Signature {
        Ed25519(it) = 1,
    }
    enum PublicKey {
        Ed25519(it) = 1,
    }
}

mod charter;

#[cfg(test)]
#[path = "since_tests.rs"]
mod tests;
