//! One act of every kind there is, with fixed values: what the golden vectors of records are made
//! of. New acts are added where their family ends; the suite counts the variants of every family
//! and finds what is missing here.

use rollbook_core::account::{Amount, Pot, Unit};
use rollbook_core::calendar::LocalDay;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::charter::{Charter, Class, Preset};
use rollbook_core::id::{
    AgreementId, ApplicationId, AwardId, CallId, ChangeId, CharterVersion, ContributionId,
    DelegationId, DirectionId, DrawId, FundId, InstalmentId, InvoiceId, KeyRecoveryId,
    MembershipId, MilestoneId, MotionId, PaymentId, PersonId, PostId, ReviewId, RevocationId,
    SeatId,
};
use rollbook_core::identity::possession::UNPROVED;
use rollbook_core::identity::{
    ActClass, ApprovalPolicy, EndReason, GroupDeclaration, Name, OrganisationKind, RelationKind,
    Role, Scope,
};
use rollbook_core::record::{
    AdmitMember, Instrument, PerGroup, RemoveAuditor, RemoveHolder, RescindMotion, Scheme, *,
};
use rollbook_proof::answer::{Answer, SignedAnswer, Verdict as AnswerVerdict};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, sha256};
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId, ProtocolVersion};
use rollbook_sandbox::alliance::{Codes, node_keys, officer, organisation};
use rollbook_sandbox::keys::{node_key, officer_key};

mod affairs;
mod belonging;
mod life;
mod people;
mod standing;

use crate::alliance::place;

/// Seed of every key in the vectors.
pub const SEED: &[u8] = b"record vectors";

fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).unwrap()
}

fn hash(label: &str) -> Hash {
    sha256(label.as_bytes())
}

fn name(native: &str, latin: &str) -> Name {
    Name {
        native: text(native),
        latin: text(latin),
    }
}

/// The chain of the vectors.
pub fn chain() -> Hash {
    hash("chain of the record vectors")
}

/// Every act, in the order of families and variants; where a nested choice matters, both sides.
pub fn all() -> Vec<Body> {
    let mut acts: Vec<Body> = vec![
        Body::Organisation(OrganisationAct::Found),
        Body::Organisation(register()),
        Body::Organisation(OrganisationAct::Relate(GroupDeclaration {
            other: OrganisationId(7),
            kind: RelationKind::Investor,
            evidence: hash("share register"),
        })),
        Body::Organisation(OrganisationAct::ConfirmRelation {
            other: OrganisationId(7),
            relation: 1,
        }),
    ];
    acts.extend(people::people().into_iter().map(Body::Organisation));
    acts.extend(affairs::organisations().into_iter().map(Body::Organisation));
    acts.extend(
        belonging::organisations()
            .into_iter()
            .map(Body::Organisation),
    );
    acts.extend(membership().into_iter().map(Body::Membership));
    acts.extend(belonging::memberships().into_iter().map(Body::Membership));
    let effects = effects()
        .into_iter()
        .chain(affairs::effects())
        .chain(standing::effects())
        .chain(belonging::effects())
        .chain(life::effects());
    acts.extend(effects.map(|effect| {
        let ballot_days = if matches!(effect, MotionEffect::Rescind(_)) {
            0
        } else {
            14
        };
        Body::Motion(MotionAct::Propose(Proposal {
            effect,
            ballot_days,
            text: hash("text of a motion"),
        }))
    }));
    acts.extend(motions().into_iter().map(Body::Motion));
    acts.extend(funds().into_iter().map(Body::Fund));
    acts.extend(calls().into_iter().map(Body::Call));
    acts.extend(awards().into_iter().chain(life::acts()).map(Body::Award));
    acts.extend(payments().into_iter().map(Body::Payment));
    let keys = node_keys(Some(&chain()), SEED, 5, &place(5));
    acts.extend(
        [
            NodeAct::Register(keys),
            NodeAct::Ready,
            NodeAct::Leave,
            NodeAct::Support {
                protocol: ProtocolVersion(2),
            },
            NodeAct::Update(moved()),
        ]
        .map(Body::Node),
    );
    let order = |about| OfficialOrder {
        authority: text("示例区人民法院 Sample district court"),
        reference: text("(2024) 12"),
        document: hash("order"),
        issued_ms: LedgerTime(1_687_900_000_000),
        about,
    };
    acts.extend(
        [None, Some(3)]
            .map(|about| Body::Charter(CharterAct::FileOrder(order(about.map(OrganisationId))))),
    );
    let mut charter = Charter::preset(Preset::Default, Clock::Sample, hash("text"));
    charter.version = CharterVersion(2);
    acts.push(Body::Charter(CharterAct::Deposit(Box::new(CharterDraft {
        replaces: CharterVersion(1),
        charter,
    }))));
    acts.extend(affairs::charter().into_iter().map(Body::Charter));
    acts
}

/// A node that moves, with all its keys new.
fn moved() -> NodeUpdate {
    let keys = [
        KeyKind::Consensus,
        KeyKind::Cosigner,
        KeyKind::Log,
        KeyKind::Transport,
    ]
    .map(|kind| node_key(b"moved", 5, kind));
    let keys = keys.each_ref().map(Some);
    let (url, address) = (text("https://new.example/"), text("new.example:7400"));
    NodeUpdate::proved(&chain(), OrganisationId(5), keys, Some(url), Some(address))
}

fn register() -> OrganisationAct {
    let key = Keypair::derive(SEED, "company");
    let second = officer_key(SEED, 2);
    let officers = vec![
        officer(&key, 0, 1, &[Role::Primary]),
        officer(&second, 0, 2, &[Role::Alternate, Role::Finance]),
    ];
    let mut entry = organisation(
        7,
        OrganisationKind::Company,
        "Company Seven",
        officers,
        Codes::Letters.of(7),
    );
    entry.number = OrganisationId(0);
    entry.name = name("第七公司", "Company Seven");
    entry.relations = vec![GroupDeclaration {
        other: OrganisationId(3),
        kind: RelationKind::Control,
        evidence: hash("extract of the group"),
    }];
    OrganisationAct::Register(Registration::signed(&chain(), &entry, &[&key, &second]))
}

fn membership() -> Vec<MembershipAct> {
    let (membership, invoice) = (26, 4);
    let apply = Application {
        class: Class::Ordinary,
        charter: hash("charter"),
        antitrust: hash("antitrust undertaking"),
        conflicts: hash("conflict undertaking"),
        relations: vec![GroupDeclaration {
            other: OrganisationId(3),
            kind: RelationKind::Control,
            evidence: hash("extract of the group"),
        }],
    };
    let receipt = Receipt {
        invoice: InvoiceId(invoice),
        amount: Amount(20_000_000),
        reference: BankReference(text("BANK-2023-000123")),
        value_date: LocalDay(19_600),
    };
    vec![
        MembershipAct::Apply(apply),
        MembershipAct::Screen {
            membership: MembershipId(membership),
        },
        MembershipAct::Return {
            membership: MembershipId(membership),
            missing: vec![text("extract"), text("letter")],
        },
        MembershipAct::Resubmit {
            membership: MembershipId(membership),
            additions: hash("additions"),
        },
        MembershipAct::Reject {
            membership: MembershipId(membership),
            criterion: text("field-of-work"),
            reasons: hash("reasons"),
        },
        MembershipAct::Complete {
            membership: MembershipId(membership),
        },
        MembershipAct::Sponsor {
            membership: MembershipId(membership),
        },
        MembershipAct::OpenBallot {
            membership: MembershipId(membership),
            ballot_days: 14,
        },
        MembershipAct::AskAgain {
            membership: MembershipId(membership),
            reasons: hash("what the applicant brings forward"),
        },
        MembershipAct::WithdrawApplication {
            membership: MembershipId(membership),
        },
        MembershipAct::Invoice {
            membership: MembershipId(membership),
        },
        MembershipAct::CancelInvoice {
            invoice: InvoiceId(invoice),
        },
        MembershipAct::Receive(receipt),
        MembershipAct::ConfirmReceipt {
            invoice: InvoiceId(invoice),
            receipt: hash("a record"),
        },
        MembershipAct::DeclineReceipt {
            invoice: InvoiceId(invoice),
            receipt: hash("a record"),
        },
        MembershipAct::Agree {
            membership: MembershipId(membership),
            agreement: hash("participation agreement"),
        },
        MembershipAct::Activate {
            membership: MembershipId(membership),
            agreement: hash("participation agreement"),
        },
    ]
    .into_iter()
    .chain(standing::memberships())
    .collect()
}

/// Effects of motions, each proposed by a motion of its own.
fn effects() -> Vec<MotionEffect> {
    let unit = Unit::currency("CNY").unwrap();
    let office = 26;
    let appointment = Appointment {
        office: OrganisationId(office),
        role: Role::Treasurer,
        scope: Scope::Fund(FundId(1)),
        holder: PersonId(51),
        deputy: Some(PersonId(52)),
        succeeds: Some(PostId(3)),
    };
    let fund = CreateFund {
        name: name("元宇宙基金", "Metaverse Fund"),
        holder: OrganisationId(office),
        unit,
        bank_account: hash("bank account"),
        office: OrganisationId(office),
        officers: vec![
            (Role::Treasurer, PersonId(51)),
            (Role::SecondOfficer, PersonId(52)),
        ],
    };
    let grant = |out_of_rank| GrantAward {
        application: ApplicationId(3),
        amount: Amount(800_000_000),
        body: BodyKind::Assembly,
        out_of_rank,
    };
    vec![
        MotionEffect::Admit(AdmitMember {
            membership: MembershipId(26),
        }),
        MotionEffect::Rescind(RescindMotion {
            motion: MotionId(9),
        }),
        MotionEffect::Appoint(appointment),
        MotionEffect::Appoint(Appointment {
            role: Role::Auditor,
            scope: Scope::Alliance,
            deputy: None,
            ..appointment
        }),
        MotionEffect::Remove(RemoveHolder { post: PostId(3) }),
        MotionEffect::RemoveAuditor(RemoveAuditor { post: PostId(8) }),
        MotionEffect::ElectSeat(ElectSeat {
            seats: vec![SeatId(1), SeatId(2)],
            further: 1,
        }),
        MotionEffect::AmendCharter(AmendCharter {
            digest: hash("charter"),
            replaces: CharterVersion(1),
        }),
        MotionEffect::RatifyRevocation(RatifyRevocation {
            revocation: RevocationId(2),
        }),
        MotionEffect::RecoverKeys(RecoverKeys {
            recovery: KeyRecoveryId(1),
        }),
        MotionEffect::CreateFund(fund.into()),
        MotionEffect::AppointCommittee(AppointCommittee {
            fund: FundId(1),
            members: vec![
                OrganisationId(1),
                OrganisationId(2),
                OrganisationId(3),
                OrganisationId(4),
                OrganisationId(5),
            ],
        }),
        MotionEffect::WriteOffInstalment(WriteOffInstalment {
            instalment: InstalmentId(4),
            attempts: hash("attempts"),
        }),
        MotionEffect::PublishCall(terms().into()),
        MotionEffect::CancelCall(CancelCall {
            call: CallId(1),
            reason: hash("reason"),
        }),
        MotionEffect::ConfirmPool(ConfirmPool {
            pool: PoolKind::Reviewers,
            persons: vec![PersonId(30), PersonId(32), PersonId(34)],
        }),
        MotionEffect::DecideAppeal(DecideAppeal {
            application: ApplicationId(3),
        }),
        MotionEffect::GrantAward(grant(None)),
        MotionEffect::GrantAward(grant(Some(hash("reason")))),
        MotionEffect::PlaceApplication(PlaceApplication {
            application: ApplicationId(4),
            placing: Placing::Reserve,
            reason: hash("reason"),
        }),
        MotionEffect::RevokeAward(RevokeAward {
            award: AwardId(1),
            reason: hash("reason"),
        }),
        MotionEffect::LiftHold(LiftHold {
            payment: PaymentId(2),
            reason: hash("reason"),
        }),
        MotionEffect::RaiseProtocol(RaiseProtocol {
            protocol: ProtocolVersion(2),
            from_height: Height(5_000),
            release: text("0.2"),
        }),
    ]
}

fn terms() -> CallTerms {
    let criterion = |code, weight_bp| Criterion {
        code: text(code),
        weight_bp,
        score_max: 10,
        threshold: 5,
    };
    CallTerms {
        fund: FundId(1),
        instrument: Instrument::Grant,
        title: name("内容制作征集", "Call for content"),
        direction: Some(DirectionId(1)),
        budget: Amount(2_000_000_000),
        ask_max: Amount(800_000_000),
        criteria: vec![criterion("quality", 6_000), criterion("impact", 4_000)],
        threshold: 60_000,
        reviewers: 3,
        concentration_bp: Some(7_000),
        tie_breaks: vec![
            TieBreak::Criterion(0),
            TieBreak::SmallerAsk,
            TieBreak::Earlier,
        ],
        eligibility: Eligibility {
            classes: vec![Class::Founding, Class::Council],
            outsiders: true,
            in_direction: true,
        },
        per_group: PerGroup::default(),
        codes: vec![text("incomplete"), text("out-of-scope")],
        opens_day: LocalDay(19_600),
        closes_day: LocalDay(19_630),
        document: hash("call document"),
    }
}

fn motions() -> Vec<MotionAct> {
    let ballot = |choice, criterion: Option<&str>, declaration| {
        MotionAct::Vote(Ballot {
            motion: MotionId(9),
            round: 1,
            replaces: Vec::new(),
            vote: BallotVote::Choice(choice),
            criterion: criterion.map(text),
            declaration,
            proxy_for: None,
        })
    };
    vec![
        MotionAct::Support {
            motion: MotionId(9),
        },
        ballot(Choice::Yes, None, Declaration::None),
        ballot(Choice::No, Some("field-of-work"), Declaration::None),
        ballot(
            Choice::Abstain,
            None,
            Declaration::Conflict(ConflictKind::Investor),
        ),
        MotionAct::DeclareConflict {
            motion: MotionId(9),
            kind: ConflictKind::FamilyOrPersonal,
        },
        MotionAct::Withdraw {
            motion: MotionId(9),
        },
        MotionAct::AcceptPost { post: PostId(3) },
        MotionAct::DeclinePost { post: PostId(3) },
        MotionAct::ResignPost { post: PostId(3) },
        MotionAct::AcceptSeat { seat: SeatId(10) },
        MotionAct::DeclineSeat { seat: SeatId(10) },
        MotionAct::ResignSeat { seat: SeatId(3) },
        MotionAct::Reveal(RevealBallot {
            motion: MotionId(9),
            round: 1,
            proxy_for: None,
            vote: BallotVote::Names(vec![OrganisationId(4), OrganisationId(7)]),
            salt: [7; 32],
            criterion: None,
        }),
        MotionAct::Minutes(MotionMinutes {
            motion: MotionId(9),
            agenda: hash("agenda"),
            attendance: hash("attendance"),
            minutes: hash("minutes"),
        }),
        MotionAct::GiveProxy {
            motion: MotionId(9),
            holder: OrganisationId(5),
        },
        MotionAct::TakeBackProxy {
            motion: MotionId(9),
        },
    ]
}

fn funds() -> Vec<FundAct> {
    let instalment = |due_day, amount| InstalmentEntry {
        due_day: LocalDay(due_day),
        amount: Amount(amount),
    };
    let instalments = vec![
        instalment(19_700, 500_000_000),
        instalment(19_800, 500_000_000),
    ];
    let receipt = ReceiptEntry {
        instalment: InstalmentId(4),
        amount: Amount(500_000_000),
        reference: BankReference(text("ICBC-2023/000777")),
        value_day: LocalDay(19_701),
    };
    vec![
        FundAct::Accept { fund: FundId(1) },
        FundAct::Pledge(PledgeEntry {
            fund: FundId(1),
            pot: Pot::Direction(DirectionId(2)),
            instalments: instalments.clone(),
        }),
        FundAct::Pledge(PledgeEntry {
            fund: FundId(1),
            pot: Pot::Free,
            instalments,
        }),
        FundAct::CallInstalment {
            instalment: InstalmentId(4),
        },
        FundAct::ProposeCancel {
            contribution: ContributionId(2),
            instalments: vec![InstalmentId(4), InstalmentId(5)],
        },
        FundAct::AgreeCancel {
            proposal: hash("a record"),
        },
        FundAct::RecordReceipt(receipt),
        FundAct::ConfirmReceipt {
            receipt: hash("a record"),
        },
    ]
}

fn calls() -> Vec<CallAct> {
    let (application, draw, review, salt) = (3, 2, 6, [7; 32]);
    let content = ApplicationContent {
        project: hash("project"),
        title: text("数字人 Digital people"),
        ask: Amount(800_000_000),
        partners: Vec::new(),
        document: hash("application"),
    };
    let submission = Submission {
        call: CallId(1),
        commitment: content.commitment(&salt, CallId(1), OrganisationId(12)),
        seen: None,
    };
    let key = Keypair::derive(SEED, "validator");
    let earlier = |validator| {
        let answer = Answer {
            chain: chain(),
            bytes: hash("bytes of a record"),
            record: hash("a record"),
            height: Height(120),
            time_ms: LedgerTime(1_693_500_000_000),
            node: validator,
            verdict: AnswerVerdict::Seen,
        };
        let signature = SignedAnswer::sign(answer.clone(), &key).signature;
        SeenReceipt::of(&answer, signature).unwrap()
    };
    let late = Submission {
        seen: Some(SeenEarlier {
            officer: PersonId(1),
            sequence: 40,
            valid_until_ms: LedgerTime(1_694_000_000_000),
            nonce: Nonce([7; 16]),
            receipts: vec![earlier(OrganisationId(1)), earlier(OrganisationId(3))],
        }),
        ..submission.clone()
    };
    let scores = Scores(vec![8, 6]);
    vec![
        CallAct::Submit(submission),
        CallAct::Submit(late),
        CallAct::Withdraw {
            application: ApplicationId(application),
        },
        CallAct::Open {
            application: ApplicationId(application),
            content,
            salt,
        },
        CallAct::Judge {
            application: ApplicationId(application),
            verdict: Verdict::Eligible,
        },
        CallAct::Judge {
            application: ApplicationId(application),
            verdict: Verdict::Ineligible {
                code: text("out-of-scope"),
                reason: hash("reason"),
            },
        },
        CallAct::Appeal {
            application: ApplicationId(application),
            grounds: hash("grounds"),
        },
        CallAct::EnterPool {
            pool: PoolKind::Assessors,
            persons: vec![PersonId(10), PersonId(12)],
        },
        CallAct::FreezePool {
            subject: DrawFor::Call(CallId(1)),
        },
        CallAct::FreezePool {
            subject: DrawFor::Agreement(AgreementId(1)),
        },
        CallAct::FreezePool {
            subject: DrawFor::Election(MotionId(9)),
        },
        CallAct::CommitDraw {
            draw: DrawId(draw),
            commitment: draw_commitment(DrawId(draw), 1, PersonId(1), &[3; 32]),
        },
        CallAct::RevealDraw {
            draw: DrawId(draw),
            secret: [3; 32],
        },
        CallAct::Declare {
            review: ReviewId(review),
            declaration: ReviewDeclaration::Clear,
        },
        CallAct::Declare {
            review: ReviewId(review),
            declaration: ReviewDeclaration::Recused(ConflictKind::Competitor),
        },
        CallAct::Declare {
            review: ReviewId(review),
            declaration: ReviewDeclaration::Declined,
        },
        CallAct::Seal {
            review: ReviewId(review),
            seal: scores.seal(&salt, ReviewId(review), &hash("comment")),
        },
        CallAct::Reveal {
            review: ReviewId(review),
            scores: scores.clone(),
            comment: hash("comment"),
            salt,
        },
        CallAct::Finalise {
            review: ReviewId(review),
            revision: None,
        },
        CallAct::Finalise {
            review: ReviewId(review),
            revision: Some(Revision {
                scores,
                reason: hash("reason"),
            }),
        },
        CallAct::Rank { call: CallId(1) },
        CallAct::Close { call: CallId(1) },
    ]
}

fn awards() -> Vec<AwardAct> {
    let (agreement, account) = (1, hash("payee account"));
    let plan = |due_ms| MilestonePlan {
        amount: Amount(400_000_000),
        due_ms,
        evidence: hash("evidence asked for"),
    };
    let terms = AgreementTerms {
        award: AwardId(1),
        instrument: Instrument::Grant,
        grantee: OrganisationId(12),
        partners: Vec::new(),
        parties: hash("parties"),
        document: hash("agreement"),
        total: Amount(800_000_000),
        unit: Unit::currency("CNY").unwrap(),
        milestones: vec![
            plan(LedgerTime(1_710_000_000_000)),
            plan(LedgerTime(1_720_000_000_000)),
        ],
        advance: Amount(240_000_000),
        holdback_bp: 1_000,
        account,
        charter: CharterVersion(1),
        call: terms().hash(),
        clawback: hash("clawback"),
        survival: hash("survival"),
    };
    let digest = terms.digest();
    vec![
        AwardAct::Accept { award: AwardId(1) },
        AwardAct::Draft(terms),
        AwardAct::Sign {
            agreement: AgreementId(agreement),
            draft: hash("a record"),
            terms: digest,
        },
        AwardAct::Countersign {
            agreement: AgreementId(agreement),
            signed: hash("a record"),
            terms: digest,
        },
        AwardAct::ChangeAccount {
            agreement: AgreementId(agreement),
            account,
        },
        AwardAct::ConfirmAccount {
            agreement: AgreementId(agreement),
            change: hash("a record"),
            account,
            channel: Channel::InPerson,
        },
    ]
}

fn payments() -> Vec<PaymentAct> {
    let (milestone, payment, amount) = (1, 2, 240_000_000);
    let report = hash("report");
    let evidence = |kind, label, shared| Evidence {
        kind,
        hash: hash(label),
        shared,
    };
    let refused = Decision::Refuse {
        code: text("documents-missing"),
        reason: hash("reason"),
    };
    let instruction = Instruction {
        scheme: Scheme::Swift,
        reference: text("AG1-M1-2024-0001"),
        uetr: Some(text("7a1f0c3e-5b7d-4e2a-9c44-0123456789ab")),
        account: hash("payee account"),
        amount: Amount(amount),
    };
    let reference = BankReference(text("ICBC-2024/000042"));
    vec![
        PaymentAct::Submit {
            milestone: MilestoneId(milestone),
            evidence: vec![
                evidence(EvidenceKind::Document, "evidence", false),
                evidence(EvidenceKind::Patent, "patent", true),
            ],
        },
        PaymentAct::Assess {
            milestone: MilestoneId(milestone),
            finding: Finding::Accept(Amount(400_000_000)),
            report,
        },
        PaymentAct::Assess {
            milestone: MilestoneId(milestone),
            finding: Finding::Rework,
            report,
        },
        PaymentAct::Assess {
            milestone: MilestoneId(milestone),
            finding: Finding::Reject,
            report,
        },
        PaymentAct::Request {
            agreement: AgreementId(1),
            tranche: Tranche::Advance,
            amount: Amount(amount),
        },
        PaymentAct::Request {
            agreement: AgreementId(1),
            tranche: Tranche::Milestone(MilestoneId(milestone)),
            amount: Amount(amount),
        },
        PaymentAct::Request {
            agreement: AgreementId(1),
            tranche: Tranche::Holdback,
            amount: Amount(amount),
        },
        PaymentAct::Certify {
            payment: PaymentId(payment),
            decision: Decision::Pass,
        },
        PaymentAct::Certify {
            payment: PaymentId(payment),
            decision: refused.clone(),
        },
        PaymentAct::Approve {
            payment: PaymentId(payment),
            certified: hash("a record"),
            amount: Amount(amount),
            decision: Decision::Pass,
        },
        PaymentAct::Approve {
            payment: PaymentId(payment),
            certified: hash("a record"),
            amount: Amount(amount),
            decision: refused,
        },
        PaymentAct::Hold {
            payment: PaymentId(payment),
            ground: hash("ground"),
        },
        PaymentAct::Release {
            payment: PaymentId(payment),
            instruction,
        },
        PaymentAct::Settle {
            payment: PaymentId(payment),
            reference: reference.clone(),
            amount: Amount(amount),
        },
        PaymentAct::Return {
            payment: PaymentId(payment),
            reference,
            amount: Amount(amount),
            reason: text("AC04"),
        },
        PaymentAct::Acknowledge {
            payment: PaymentId(payment),
            amount: Amount(amount),
        },
        PaymentAct::Dispute {
            payment: PaymentId(payment),
            ground: hash("ground"),
        },
    ]
}
