//! Who counts when a policy asks for several officers, who is one human, and how many events a block
//! holds (A16, A19, R30, R35).

use rollbook_core::apply::run_due;
use rollbook_core::genesis::{Genesis, GenesisItem};
use rollbook_core::id::{MotionId, PostId};
use rollbook_core::identity::identifier::Identifier;
use rollbook_core::identity::{ActClass, ApprovalPolicy, OrganisationEntry, Role};
use rollbook_core::record::{
    Body, Choice, ConflictKind, MotionAct, MotionEffect, OrganisationAct, Proposal, RemoveHolder,
};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::tx::{BlockContext, DeadlineKind};
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::LedgerTime;
use rollbook_sandbox::alliance::{secretariat, staff};
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

const MEMBERS: u32 = 24;

fn writer(seed: &str) -> Writer {
    Writer::founded(Alliance::of(&sample(seed.as_bytes(), MEMBERS, 4)))
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn proposal() -> Body {
    Body::Motion(MotionAct::Propose(Proposal {
        effect: MotionEffect::Remove(RemoveHolder { post: PostId(2) }),
        ballot_days: 7,
        text: sha256(b"text"),
    }))
}

/// A genesis of the sample with something changed.
fn changed(seed: &str, change: impl Fn(&mut GenesisItem)) -> Result<Genesis, String> {
    let good = sample(seed.as_bytes(), MEMBERS, 4).genesis().unwrap();
    let mut items = good.items.clone();
    items.iter_mut().for_each(change);
    Genesis::assemble("rollbook.example/changed", items, None).map_err(|error| error.to_string())
}

/// A policy of two officers was met by one and whoever keeps the node, or by one and the auditor.
#[test]
fn neither_node_operator_nor_auditor_counts_towards_a_policy() {
    let office = secretariat(MEMBERS);
    let two = |item: &mut GenesisItem| {
        if let GenesisItem::Office { entry, .. } = item {
            entry.policy = ApprovalPolicy {
                thresholds: vec![(ActClass::Ballot, 2)],
            };
        }
    };
    let genesis = changed("counts", two).unwrap();
    let mut writer = Writer::founded(Alliance::adopt(b"counts", genesis));
    let (secretary, treasurer, auditor) = (staff(MEMBERS), staff(MEMBERS) + 1, staff(MEMBERS) + 7);
    let with = |other, role| [(secretary, Role::Secretary), (other, role)];
    assert_eq!(
        code(writer.act_as(office, &with(auditor, Role::Auditor), proposal())),
        "A6.too-few-officers"
    );
    writer
        .act_as(office, &with(treasurer, Role::Treasurer), proposal())
        .unwrap();
    // A member's ballot needs two as well: its node operator is the primary's second role, and a
    // technical officer votes for nobody.
    let motion = writer.newest_motion();
    let (first, second) = officers_of(1);
    let vote = |writer: &mut Writer, signers: &[(u32, Role)]| {
        let ballot = rollbook_core::record::Ballot {
            motion: MotionId(motion),
            round: 1,
            replaces: Vec::new(),
            vote: rollbook_core::record::BallotVote::Choice(Choice::Yes),
            criterion: None,
            declaration: rollbook_core::record::Declaration::None,
            proxy_for: None,
        };
        writer.act_as(1, signers, Body::Motion(MotionAct::Vote(ballot)))
    };
    let technical = [(first, Role::Primary), (second, Role::Technical)];
    assert_eq!(code(vote(&mut writer, &technical)), "A6.too-few-officers");
    let alternate = [(first, Role::Primary), (second, Role::Alternate)];
    vote(&mut writer, &alternate).unwrap();
}

/// A company whose policy asks for more than hold the roles that count could never act.
#[test]
fn a_policy_that_nobody_can_reach_is_refused_where_it_is_set() {
    let policy = |class, needed| ApprovalPolicy {
        thresholds: vec![(class, needed)],
    };
    let of_members = |class, needed| {
        changed("reach", move |item| {
            if let GenesisItem::Organisation(entry) = item {
                entry.policy = policy(class, needed);
            }
        })
    };
    of_members(ActClass::Money, 2).unwrap();
    let refused = of_members(ActClass::Node, 2).unwrap_err();
    assert!(refused.contains("R30.policy-out-of-reach"), "{refused}");
    let of_office = |class, needed| {
        changed("reach", move |item| {
            if let GenesisItem::Office { entry, .. } = item {
                entry.policy = policy(class, needed);
            }
        })
    };
    of_office(ActClass::Money, 6).unwrap();
    for (class, needed) in [(ActClass::Money, 7), (ActClass::Node, 1)] {
        let refused = of_office(class, needed).unwrap_err();
        assert!(refused.contains("R30.policy-out-of-reach"), "{refused}");
    }
    // The same in a registration.
    let mut writer = writer("reach too");
    let act = registration(&writer, |entry| entry.policy = policy(ActClass::People, 2));
    assert_eq!(code(writer.member(11, act)), "R30.policy-out-of-reach");
}

/// A registration with something changed, signed again.
fn registration(writer: &Writer, change: impl Fn(&mut OrganisationEntry)) -> Body {
    let Body::Organisation(OrganisationAct::Register(made)) = writer.registration("Changed", &[])
    else {
        unreachable!("a registration");
    };
    let mut entry = made.entry;
    change(&mut entry);
    writer.sign_registration(&entry)
}

/// One human could have two numbers with the very same commitment to name and document.
#[test]
fn one_commitment_is_one_person() {
    let mut writer = writer("twice");
    let twice = registration(&writer, |entry| {
        entry.officers[1].commitment = entry.officers[0].commitment;
    });
    assert_eq!(code(writer.member(11, twice)), "A16.commitment-in-use");
    let known = {
        let persons = &writer.tables().persons;
        persons.iter().next().unwrap().1.commitment
    };
    let of_a_founder = registration(&writer, |entry| entry.officers[1].commitment = known);
    assert_eq!(
        code(writer.member(11, of_a_founder)),
        "A16.commitment-in-use"
    );
}

/// A member's own code, dressed as a national number, made a second company of it, with a voice of its
/// own if the board did not notice.
#[test]
fn a_code_does_not_come_back_as_a_national_number() {
    let mut writer = writer("dressed");
    let code_of_1 = {
        let entry = writer.tables().organisations.iter().next().unwrap().1;
        entry.identifiers[0].clone()
    };
    let Identifier::Uscc(uscc) = &code_of_1 else {
        unreachable!("a social credit code")
    };
    assert!(Identifier::national("CN", &format!("USCC-{uscc}")).is_err());
    // A company of mainland China has its code; a foreign one has a number, in whatever spelling.
    let number = |number| Identifier::national("HK", number).unwrap();
    let of_china = registration(&writer, |entry| entry.identifiers = vec![number("CR-123")]);
    assert_eq!(code(writer.member(11, of_china)), "A6.malformed");
    let foreign = |writer: &Writer, spelling: &'static str| {
        registration(writer, |entry| {
            entry.country = text("HK");
            entry.identifiers = vec![number(spelling)];
        })
    };
    let first = foreign(&writer, "CR-0123");
    writer.member(11, first).unwrap();
    let again = foreign(&writer, "CR-12-3");
    assert_eq!(code(writer.member(11, again)), "M01.identifier-in-use");
}

/// A block held up to 1,002 events: the bound was asked before a deadline that makes several. A
/// deadline whose events do not fit waits now, whole.
#[test]
fn a_block_never_holds_more_events_than_its_bound() {
    let mut writer = writer("bound");
    let motion = {
        writer.office(Role::Secretary, proposal()).unwrap();
        writer.newest_motion()
    };
    for member in 1..=5 {
        let declare = MotionAct::DeclareConflict {
            motion: MotionId(motion),
            kind: ConflictKind::Other,
        };
        writer.member(member, Body::Motion(declare)).unwrap();
    }
    // The close passes the motion up to the assembly: closed and opened, two events.
    let due = writer.due(DeadlineKind::MotionClose, motion).unwrap();
    let block = BlockContext {
        chain: writer.alliance.chain(),
        height: writer.ledger.height().next(),
        now: LedgerTime(due + 1),
    };
    let mut tables = writer.tables().clone();
    let (events, left) = run_due(&mut tables, block, 1);
    assert_eq!((events.len(), left), (0, true));
    assert!(tables.deadlines.first().unwrap().0.0 <= LedgerTime(due));
    let (events, left) = run_due(&mut tables, block, 2);
    assert_eq!((events.len(), left), (2, false));
}
