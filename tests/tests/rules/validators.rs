//! Validators follow from membership (M40, A17, A53): a node moves and keeps its seat, a company ceases
//! and its seat goes with a handover (M21), two seats come into one group (R27).

use rollbook_core::id::MembershipId;
use rollbook_core::identity::{GroupDeclaration, RelationKind, Role};
use rollbook_core::lookup::{rights, seats};
use rollbook_core::object::membership::State;
use rollbook_core::object::node::{NodeFacts, NodeStatus};
use rollbook_core::record::{Body, Cessation, MembershipAct, NodeAct, NodeUpdate, OrganisationAct};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::rules::network::council::{Going, Hindrance};
use rollbook_core::view::validators::{self, Change};
use rollbook_proof::crypto::{KeyKind, Keypair, sha256};
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_sandbox::alliance::node_keys;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::alliance::{Alliance, place, sample};
use rollbook_tests::writer::{Writer, text};

const EVERY: u64 = 20;

/// An alliance whose handovers may come every twenty blocks.
fn writer(seed: &str, members: u32, validators: u32) -> Writer {
    let mut sample = sample(seed.as_bytes(), members, validators);
    sample.charter.chain.handover_blocks = EVERY;
    Writer::founded(Alliance::of(&sample))
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn operate(writer: &mut Writer, member: u32, act: NodeAct) -> Result<Outcome, Refusal> {
    let operator = (officers_of(member).0, Role::NodeOperator);
    writer.act_as(member, &[operator], Body::Node(act))
}

fn node(writer: &Writer, member: u32) -> NodeFacts {
    let nodes = &writer.tables().nodes;
    nodes.get(&OrganisationId(member)).unwrap().clone()
}

fn validators_of(writer: &Writer) -> Vec<u32> {
    let seats = writer.ledger.validators();
    seats.iter().map(|seat| seat.validator.0).collect()
}

/// Blocks without records until a handover has been followed by a block.
fn handover(writer: &mut Writer) {
    for _ in 0..=EVERY {
        writer.submit(&[]);
        if writer.ledger.needs_handover_checkpoint() {
            writer.submit(&[]);
            return;
        }
    }
    panic!("no handover");
}

/// New keys of these kinds, known to the writer.
fn update(
    writer: &mut Writer,
    member: u32,
    label: &str,
    kinds: &[KeyKind],
    address: Option<&str>,
) -> NodeUpdate {
    let all = [
        KeyKind::Consensus,
        KeyKind::Cosigner,
        KeyKind::Log,
        KeyKind::Transport,
    ];
    let keys = all.map(|kind| {
        let key = Keypair::derive(label.as_bytes(), &format!("{member}/{kind:?}"));
        kinds.contains(&kind).then_some(key)
    });
    writer.moved.extend(keys.iter().flatten().cloned());
    NodeUpdate::proved(
        &writer.alliance.chain(),
        OrganisationId(member),
        keys.each_ref().map(Option::as_ref),
        None,
        address.map(text),
    )
}

const SIGNING: [KeyKind; 3] = [KeyKind::Consensus, KeyKind::Cosigner, KeyKind::Log];
const ALL: [KeyKind; 4] = [
    KeyKind::Consensus,
    KeyKind::Cosigner,
    KeyKind::Log,
    KeyKind::Transport,
];

#[test]
fn a53_a_seat_moves_with_a_handover_and_nothing_is_signed_twice() {
    let mut writer = writer("a seat moves", 6, 4);
    let before = node(&writer, 2);
    assert_eq!(before.votes_from, Some(Height(1)));
    let change = update(&mut writer, 2, "moved", &ALL, Some("new.example:7400"));
    let transport = change.transport.unwrap().0;
    let consensus = change.consensus.unwrap().0;
    assert_eq!(
        operate(&mut writer, 2, NodeAct::Update(change.clone())),
        Ok(Outcome::Applied)
    );
    // Address and transport key are the node's at once; the keys that sign are the ones before, and
    // the node that has them is let in beside.
    let waits = node(&writer, 2);
    assert_eq!(waits.address.as_str(), "new.example:7400");
    assert_eq!(waits.transport, transport);
    assert_eq!((waits.consensus, waits.log), (before.consensus, before.log));
    assert_eq!(waits.coming.unwrap().consensus, consensus);
    assert_eq!(waits.signing(), (before.transport, &before.address));
    assert_eq!(waits.status, NodeStatus::Validator);
    // The keys are spent, also before they are in force.
    assert_eq!(
        code(operate(&mut writer, 2, NodeAct::Update(change))),
        "A21.key-in-use"
    );
    handover(&mut writer);
    let after = node(&writer, 2);
    assert_eq!(after.consensus, consensus);
    assert_eq!(after.coming, None);
    assert_eq!(validators_of(&writer), [1, 2, 3, 4]);
    let since = after.votes_from.unwrap();
    assert!(since > Height(1));
    assert_eq!(
        after.former.as_ref().unwrap().until,
        Some(Height(since.0 - 1))
    );
    assert_eq!(after.signing(), (transport, &after.address));
    // The epochs say which key was in force when.
    let epochs = &writer.tables().epochs;
    let keys: Vec<_> = epochs
        .iter()
        .map(|(_, epoch)| epoch.validators[1].consensus)
        .collect();
    assert_eq!(keys, [before.consensus, consensus]);
}

#[test]
fn a53_what_is_new_or_not_is_judged() {
    let mut writer = writer("what is new", 6, 4);
    let nothing = NodeUpdate {
        address: Some(node(&writer, 1).address),
        url: Some(node(&writer, 1).url),
        ..NodeUpdate::default()
    };
    assert_eq!(
        code(operate(&mut writer, 1, NodeAct::Update(nothing))),
        "A53.nothing-new"
    );
    let address = NodeUpdate {
        address: Some(text("other.example:1")),
        ..NodeUpdate::default()
    };
    assert_eq!(
        code(operate(&mut writer, 6, NodeAct::Update(address.clone()))),
        "M40.no-node"
    );
    // Addresses alone ask for no handover.
    operate(&mut writer, 1, NodeAct::Update(address)).unwrap();
    assert_eq!(node(&writer, 1).coming, None);
    // A proof for another member's move is none.
    let foreign = update(&mut writer, 3, "foreign", &SIGNING, None);
    assert_eq!(
        code(operate(&mut writer, 1, NodeAct::Update(foreign))),
        "A21.no-possession"
    );
    // A node without a seat has its keys at once, and keeps its place among the candidates.
    let chain = writer.alliance.chain();
    let keys = node_keys(Some(&chain), b"what is new", 5, &place(5));
    operate(&mut writer, 5, NodeAct::Register(keys)).unwrap();
    operate(&mut writer, 5, NodeAct::Ready).unwrap();
    let change = update(&mut writer, 5, "moved", &SIGNING, None);
    let consensus = change.consensus.unwrap().0;
    operate(&mut writer, 5, NodeAct::Update(change)).unwrap();
    let candidate = node(&writer, 5);
    assert_eq!(candidate.status, NodeStatus::Candidate);
    assert_eq!((candidate.consensus, candidate.ready), (consensus, 1));
    // Who has waited longer is first: with four seats one of both in a handover.
    let change = update(&mut writer, 4, "moved", &SIGNING, None);
    operate(&mut writer, 4, NodeAct::Update(change)).unwrap();
    let next = writer.ledger.height().next();
    let view = validators::of(writer.tables(), next, &[]).unwrap();
    assert_eq!(view.handovers[0].joined, [OrganisationId(5)]);
    assert_eq!(view.handovers[0].waiting[0].hindrance, Hindrance::Turn);
    assert_eq!(view.handovers[1].renewed, [OrganisationId(4)]);
    handover(&mut writer);
    assert_eq!(validators_of(&writer), [1, 2, 3, 4, 5]);
    assert!(node(&writer, 4).coming.is_some());
    handover(&mut writer);
    assert_eq!(node(&writer, 4).coming, None);
}

/// Whoever has new keys was not seen with them: another seat waits for its own until it was.
#[test]
fn a53_new_keys_are_not_seen_alive_by_what_the_old_ones_signed() {
    let mut writer = writer("seen anew", 4, 4);
    let change = update(&mut writer, 2, "moved", &SIGNING, None);
    operate(&mut writer, 2, NodeAct::Update(change)).unwrap();
    for _ in 0..=EVERY {
        writer.submit(&[]);
        if writer.ledger.needs_handover_checkpoint() {
            break;
        }
    }
    let alive = |writer: &Writer| writer.tables().alive.get(&OrganisationId(2)).copied();
    assert_eq!(alive(&writer), None);
    // The certificate of the handover itself has the old keys' signature.
    writer.submit(&[]);
    assert_eq!(alive(&writer), None);
    for _ in 0..4 {
        writer.submit(&[]);
    }
    assert!(alive(&writer) >= node(&writer, 2).votes_from);
}

fn cease(writer: &mut Writer, member: u32) -> Result<Outcome, Refusal> {
    let membership = rights::of(writer.tables(), OrganisationId(member))
        .unwrap()
        .number;
    let act = MembershipAct::Cease {
        membership,
        cause: Cessation::Dissolved,
        evidence: sha256(b"extract"),
    };
    writer.office(Role::Secretary, Body::Membership(act))
}

#[test]
fn m21_with_a_company_go_its_votes_its_seats_and_its_node() {
    let mut writer = writer("a company ceases", 9, 5);
    let gone = OrganisationId(2);
    assert!(seats::holds(writer.tables(), gone));
    // A candidate's place ends at once.
    let chain = writer.alliance.chain();
    let keys = node_keys(Some(&chain), b"a company ceases", 9, &place(9));
    operate(&mut writer, 9, NodeAct::Register(keys)).unwrap();
    operate(&mut writer, 9, NodeAct::Ready).unwrap();
    cease(&mut writer, 9).unwrap();
    assert_eq!(node(&writer, 9).status, NodeStatus::Gone);
    // A seat is marked leaving and goes with a handover.
    cease(&mut writer, 2).unwrap();
    let membership = rights::of(writer.tables(), gone).unwrap();
    assert_eq!(membership.standing.state(), State::Ceased);
    assert!(!rights::is_live(writer.tables(), gone));
    assert!(!seats::holders(writer.tables()).any(|holder| holder == gone));
    assert_eq!(node(&writer, 2).status, NodeStatus::Leaving);
    let next = writer.ledger.height().next();
    let view = validators::of(writer.tables(), next, &[]).unwrap();
    assert_eq!(view.seats[1].going, Some(Going::NoMember));
    assert_eq!(view.handovers[0].gone, [gone]);
    assert_eq!(code(cease(&mut writer, 2)), "M21.wrong-state");
    let moved = update(&mut writer, 2, "too late", &SIGNING, None);
    assert_eq!(
        code(operate(&mut writer, 2, NodeAct::Update(moved))),
        "M40.not-a-member"
    );
    // Nobody of it decides, and it owes what it owed: its record stays.
    assert!(writer.tables().memberships.get(&MembershipId(2)).is_some());
    handover(&mut writer);
    assert_eq!(validators_of(&writer), [1, 3, 4, 5]);
    assert_eq!(node(&writer, 2).status, NodeStatus::Gone);
    assert!(node(&writer, 2).votes_until.is_some());
    // With four seats left the next one stays, marked and shown, until another takes its place.
    cease(&mut writer, 3).unwrap();
    let next = writer.ledger.height().next();
    let view = validators::of(writer.tables(), next, &[Change::Join(OrganisationId(8))]).unwrap();
    assert_eq!(view.handovers[0].joined, [OrganisationId(8)]);
    assert_eq!(view.handovers[0].gone, [OrganisationId(3)]);
    assert_eq!(view.handovers[0].seats.len(), 4);
    // Whom the rules let be nothing cannot be thought of as ready.
    let no_member = Change::Join(OrganisationId(9));
    assert!(validators::of(writer.tables(), next, &[no_member]).is_err());
    let alone = validators::of(writer.tables(), next, &[]).unwrap();
    assert_eq!(alone.handovers, []);
    assert_eq!(alone.stuck[0].organisation, OrganisationId(3));
    assert_eq!(alone.stuck[0].hindrance, Hindrance::FewSeats);
}

#[test]
fn r27_of_two_seats_in_one_group_the_later_goes() {
    let mut writer = writer("one group", 7, 5);
    let relation = GroupDeclaration {
        other: OrganisationId(4),
        kind: RelationKind::Control,
        evidence: sha256(b"share register"),
    };
    let act = OrganisationAct::Relate(relation);
    writer.member(2, Body::Organisation(act)).unwrap();
    let confirm = OrganisationAct::ConfirmRelation {
        other: OrganisationId(2),
        relation: 1,
    };
    writer.member(4, Body::Organisation(confirm)).unwrap();
    assert_eq!(node(&writer, 2).status, NodeStatus::Validator);
    assert_eq!(node(&writer, 4).status, NodeStatus::Leaving);
    let next = writer.ledger.height().next();
    let view = validators::of(writer.tables(), next, &[]).unwrap();
    assert_eq!(view.seats[3].going, Some(Going::SameGroup));
    handover(&mut writer);
    assert_eq!(validators_of(&writer), [1, 2, 3, 5]);
}

/// Four seats, one company ceased with its node off: three were too few to be left, and three alive too
/// few for a fifth, so the council could never change again. A candidate takes the place of the one
/// that goes, in one handover.
#[test]
fn a17_of_four_seats_a_dead_one_is_changed_for_a_candidate() {
    let mut writer = writer("a dead seat", 9, 4);
    cease(&mut writer, 4).unwrap();
    let chain = writer.alliance.chain();
    for member in [5, 6] {
        let keys = node_keys(Some(&chain), b"a dead seat", member, &place(member));
        operate(&mut writer, member, NodeAct::Register(keys)).unwrap();
        operate(&mut writer, member, NodeAct::Ready).unwrap();
    }
    let next = writer.ledger.height().next();
    let dead = [Change::Away(OrganisationId(4))];
    let view = validators::of(writer.tables(), next, &dead).unwrap();
    let first = &view.handovers[0];
    assert_eq!(first.gone, [OrganisationId(4)]);
    assert_eq!(first.joined, [OrganisationId(5)]);
    assert_eq!((first.quorum, first.alive), (3, 3));
    assert_eq!(view.handovers[1].joined, [OrganisationId(6)]);
    // One more away and nothing changes: whoever stays could not decide.
    let two = [dead[0], Change::Away(OrganisationId(3))];
    let view = validators::of(writer.tables(), next, &two).unwrap();
    assert_eq!(view.handovers, []);
    assert_eq!(view.stuck[0].hindrance, Hindrance::FewAlive);
    handover(&mut writer);
    assert_eq!(validators_of(&writer), [1, 2, 3, 5]);
    assert_eq!(node(&writer, 4).status, NodeStatus::Gone);
}

/// A seat that asked for new keys once in each handover kept every candidate out.
#[test]
fn a53_asking_for_new_keys_again_and_again_keeps_nobody_out() {
    let mut writer = writer("again and again", 6, 4);
    let first = update(&mut writer, 2, "first", &SIGNING, None);
    operate(&mut writer, 2, NodeAct::Update(first)).unwrap();
    let chain = writer.alliance.chain();
    let keys = node_keys(Some(&chain), b"again and again", 5, &place(5));
    operate(&mut writer, 5, NodeAct::Register(keys)).unwrap();
    operate(&mut writer, 5, NodeAct::Ready).unwrap();
    handover(&mut writer);
    assert_eq!(node(&writer, 2).coming, None, "it asked first");
    let again = update(&mut writer, 2, "again", &SIGNING, None);
    operate(&mut writer, 2, NodeAct::Update(again)).unwrap();
    handover(&mut writer);
    assert_eq!(validators_of(&writer), [1, 2, 3, 4, 5]);
    assert!(node(&writer, 2).coming.is_some());
}
