//! Which keys come onto the ledger: a proof of possession counts for one chain, one owner, one kind of
//! key and one whole thing that brings the key (A21).

use rollbook_core::genesis::{Genesis, GenesisItem};
use rollbook_core::identity::possession::{Possession, UNPROVED};
use rollbook_core::identity::{OrganisationEntry, Role};
use rollbook_core::record::{Body, NodeAct, NodeKeys, OrganisationAct, Registration};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::node_keys;
use rollbook_sandbox::keys::{node_key, officer_key, officers_of};
use rollbook_tests::alliance::{Alliance, place, sample};
use rollbook_tests::writer::{Writer, text};

const SEED: &[u8] = b"possession";

fn writer() -> Writer {
    Writer::founded(Alliance::of(&sample(SEED, 9, 4)))
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

/// The next registration, and its officers' keys.
fn registration(writer: &Writer) -> (Registration, [Keypair; 2]) {
    let persons = writer.tables().counters.get(&2).copied().unwrap();
    let Body::Organisation(OrganisationAct::Register(made)) = writer.registration("New", &[])
    else {
        unreachable!("a registration");
    };
    (made, [1, 2].map(|local| officer_key(SEED, persons + local)))
}

fn register(writer: &mut Writer, registration: Registration) -> Result<Outcome, Refusal> {
    let act = OrganisationAct::Register(registration);
    writer.member(1, Body::Organisation(act))
}

/// The second officer is the one to frame: the stranger has the first key, and a proof that the
/// second key made for something else.
#[test]
fn nobody_is_registered_by_a_proof_for_something_else() {
    let mut writer = writer();
    let chain = writer.alliance.chain();
    let (good, [first, second]) = registration(&writer);
    let right = good.entry.possession(&chain);
    assert_eq!(right.owner, 0);
    let other_entry = |change: fn(&mut OrganisationEntry)| {
        let mut entry = good.entry.clone();
        change(&mut entry);
        entry.possession(&chain)
    };
    let officer = KeyKind::Officer;
    let wrong = [
        ("nothing", UNPROVED),
        (
            "a card, or a genesis",
            Possession::founding(0).prove(officer, &second),
        ),
        (
            "another chain",
            good.entry
                .possession(&sha256(b"another"))
                .prove(officer, &second),
        ),
        (
            "no chain",
            good.entry.possession(&Hash::ZERO).prove(officer, &second),
        ),
        (
            "another name",
            other_entry(|entry| entry.name.latin = text("Old")).prove(officer, &second),
        ),
        (
            "another colleague",
            other_entry(|entry| {
                entry.officers.remove(0);
            })
            .prove(officer, &second),
        ),
        (
            "other roles",
            other_entry(|entry| entry.officers[1].roles = vec![Role::Primary])
                .prove(officer, &second),
        ),
        (
            "another owner",
            Possession { owner: 1, ..right }.prove(officer, &second),
        ),
        ("another kind", right.prove(KeyKind::Consensus, &second)),
        (
            "the registration's own signature",
            second.sign_tagged(&Registration::sign_bytes(&chain, &right.thing)),
        ),
        ("another key", right.prove(officer, &first)),
    ];
    for (what, proof) in wrong {
        let mut registration = good.clone();
        registration.entry.officers[1].keys[0].1 = proof;
        // The stranger signs what it likes, as often as it likes.
        registration.sign(&chain, &first);
        let refused = register(&mut writer, registration).unwrap_err();
        assert_eq!(refused.code, "A21.no-possession", "{what}");
    }
    // The company's own signature is of the first officer's key, for this entry.
    let mut unsigned = good.clone();
    unsigned.signature = good.entry.officers[0].keys[0].1;
    assert_eq!(code(register(&mut writer, unsigned)), "R16.not-self-signed");
    register(&mut writer, good).unwrap();
}

/// The order in which officers sign changes nothing, and each signs alone.
#[test]
fn officers_sign_in_any_order() {
    let mut writer = writer();
    let chain = writer.alliance.chain();
    let (good, [first, second]) = registration(&writer);
    let mut turned = Registration::draft(&good.entry);
    assert_ne!(turned, good);
    assert!(turned.sign(&chain, &second));
    assert!(turned.sign(&chain, &first));
    assert!(
        !turned.sign(&chain, &officer_key(SEED, 1)),
        "a founder's key"
    );
    assert_eq!(turned, good);
    assert_eq!(turned.signatures(&chain).len(), 3);
    for (key, message, signature) in turned.signatures(&chain) {
        assert!(key.verify(&message, &signature).is_ok());
    }
    register(&mut writer, turned).unwrap();
}

fn operate(writer: &mut Writer, member: u32, keys: NodeKeys) -> Result<Outcome, Refusal> {
    let operator = (officers_of(member).0, Role::NodeOperator);
    writer.act_as(member, &[operator], Body::Node(NodeAct::Register(keys)))
}

#[test]
fn a_node_is_registered_by_its_own_keys_for_this_chain_and_address_alone() {
    let mut writer = writer();
    let chain = writer.alliance.chain();
    let good = node_keys(Some(&chain), SEED, 5, &place(5));
    let log = node_key(SEED, 5, KeyKind::Log);
    let right = good.possession(Some(&chain), OrganisationId(5));
    let changed = |change: &dyn Fn(&mut NodeKeys)| {
        let mut keys = good.clone();
        change(&mut keys);
        keys
    };
    let wrong = [
        ("a genesis", node_keys(None, SEED, 5, &place(5))),
        (
            "another chain",
            node_keys(Some(&sha256(b"another")), SEED, 5, &place(5)),
        ),
        (
            "another organisation",
            node_keys(Some(&chain), SEED, 6, &place(5)),
        ),
        ("another URL", changed(&|keys| keys.url = text("http://x/"))),
        (
            "another address",
            changed(&|keys| keys.address = text("x:1")),
        ),
        (
            "other keys beside it",
            changed(&|keys| keys.consensus.0 = officer_key(SEED, 99).public()),
        ),
        (
            "another kind",
            changed(&|keys| keys.log.1 = right.prove(KeyKind::Cosigner, &log)),
        ),
        ("nothing", changed(&|keys| keys.log.1 = UNPROVED)),
    ];
    for (what, keys) in wrong {
        let refused = operate(&mut writer, 5, keys).unwrap_err();
        assert_eq!(refused.code, "A21.no-possession", "{what}");
    }
    operate(&mut writer, 5, good).unwrap();
}

/// A genesis takes proofs for a founding alone.
#[test]
fn a_genesis_takes_no_proof_for_a_chain() {
    let good = sample(SEED, 9, 4).genesis().unwrap();
    let chain = good.hash();
    let with = |change: &dyn Fn(&mut GenesisItem)| {
        let mut items = good.items.clone();
        items.iter_mut().for_each(change);
        Genesis::assemble("rollbook.example/changed", items, None)
            .map_err(|error| error.to_string())
    };
    with(&|_| {}).unwrap();
    let of_a_chain = with(&|item| {
        if let GenesisItem::Validator { organisation, keys } = item {
            *keys = node_keys(Some(&chain), SEED, organisation.0, &place(organisation.0));
        }
    });
    assert!(of_a_chain.unwrap_err().contains("A21.no-possession"));
    let of_an_entry = with(&|item| {
        if let GenesisItem::Organisation(entry) = item {
            let person = entry.officers[0].person.0;
            let possession = entry.possession(&Hash::ZERO);
            entry.officers[0].keys[0].1 =
                possession.prove(KeyKind::Officer, &officer_key(SEED, person));
        }
    });
    assert!(of_an_entry.unwrap_err().contains("A21.no-possession"));
}
