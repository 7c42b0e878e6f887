//! A whole founded sample alliance from three things: `alliance.toml`, `members.csv`, a seed. For
//! the demo, the testnet and tests.
//!
//! * Member i of the register has the persons 2i-1 (primary, node operator) and 2i (alternate,
//!   finance, technical); an observer has the next number; the persons that posts name and nobody
//!   else has are staff of that office.
//! * Every key and salt is derived from the seed, so the genesis hash is the same on every machine.
//!   Only a file that says `sample = true` can be used.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::calendar::LocalDay;
use rollbook_core::genesis::Genesis;
use rollbook_core::genesis::file::{GenesisFile, found_payload};
use rollbook_core::id::PersonId;
use rollbook_core::identity::{OrganisationKind, Role};
use rollbook_core::record::{Capacity, Record};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Keypair, sha256};
use rollbook_proof::number::LedgerTime;
use rollbook_sandbox::alliance::NodePlace;
use rollbook_sandbox::keys::{officer_key, salt};
use rollbook_words::catalogue::t;

use super::cards::Cards;
use super::{Inputs, build, read_inputs};
use crate::failure::Failure;
use crate::input::problem::{Place as FilePlace, Report};
use crate::keystore::card::OfficerCard;
use crate::keystore::node::{NodeCard, NodeSecrets};
use crate::keystore::secret::{Fresh, Secret};

/// The passphrase of every sample key file.
pub const PASSPHRASE: &str = "sample";

/// The shipped sample: `samples/metaverse-alliance/`.
const ALLIANCE: &[u8] = include_bytes!("../../../samples/metaverse-alliance/alliance.toml");
const MEMBERS: &[u8] = include_bytes!("../../../samples/metaverse-alliance/members.csv");
const CHARTER: &[u8] = include_bytes!("../../../samples/metaverse-alliance/charter.md");
/// What is publicly reported, for `--real-names` views.
pub const REPORTED_NAMES: &[u8] =
    include_bytes!("../../../samples/metaverse-alliance/reported-names.csv");

/// An officer of a sample alliance.
pub struct SampleOfficer {
    /// The card.
    pub card: OfficerCard,
    /// The secret, as a keystore file would hold it.
    pub secret: Secret,
    /// The key.
    pub key: Keypair,
}

/// Officers' and nodes' keys of a sample.
pub struct SampleKeys {
    /// By person.
    pub officers: BTreeMap<u32, SampleOfficer>,
    /// By organisation.
    pub nodes: BTreeMap<u32, (NodeCard, NodeSecrets)>,
}

/// A founded sample alliance with all its secrets.
pub struct SampleAlliance {
    /// The genesis with every founder's signature.
    pub file: GenesisFile,
    /// The keys.
    pub keys: SampleKeys,
}

/// The shipped sample alliance.
pub fn metaverse(seed: &str) -> Result<SampleAlliance, Failure> {
    found(&shipped()?, seed)
}

/// The shipped sample alliance with these organisations' nodes at these places.
pub fn metaverse_at(
    seed: &str,
    places: &BTreeMap<u32, NodePlace>,
) -> Result<SampleAlliance, Failure> {
    let mut inputs = shipped()?;
    inputs.alliance.validators.1 = places.keys().copied().collect();
    let mut keys = keys(&inputs, seed)?;
    for (organisation, (card, secrets)) in &mut keys.nodes {
        let Some(place) = places.get(organisation) else {
            continue;
        };
        let url = Text::new(place.url.clone()).unwrap_or_default();
        card.keys = secrets.public(
            None,
            *organisation,
            url,
            Text::new(place.address.clone()).unwrap_or_default(),
        );
    }
    found_with(&inputs, keys)
}

/// What the shipped sample alliance is made from.
pub fn shipped() -> Result<Inputs, Failure> {
    let read = |name: &str| {
        if name == "charter.md" {
            Ok(CHARTER.to_vec())
        } else {
            Err(std::io::ErrorKind::NotFound.into())
        }
    };
    let mut report = Report::default();
    let inputs = read_inputs(
        ("alliance.toml", ALLIANCE),
        ("members.csv", MEMBERS),
        &read,
        &mut report,
    );
    inputs
        .filter(|_| report.errors.is_empty())
        .ok_or_else(|| unusable(&report))
}

/// Why the files make no sample.
pub fn unusable(report: &Report) -> Failure {
    let why: Vec<String> = report.errors.iter().map(ToString::to_string).collect();
    Failure::unusable(t("sample.unusable", &[])).because(why.join("\n       "))
}

/// Makes the keys, drafts, signs for every founder, assembles.
pub fn found(inputs: &Inputs, seed: &str) -> Result<SampleAlliance, Failure> {
    let keys = keys(inputs, seed)?;
    found_with(inputs, keys)
}

/// Drafts with these keys, signs for every founder, assembles.
pub(super) fn found_with(inputs: &Inputs, keys: SampleKeys) -> Result<SampleAlliance, Failure> {
    let mut report = Report::default();
    let mut cards = Cards::default();
    let place = |name: String| FilePlace {
        file: name.into(),
        line: None,
    };
    for officer in keys.officers.values() {
        cards.add_officer(
            place(format!("{:04}.card.toml", officer.card.person)),
            officer.card.clone(),
        );
    }
    for (number, (card, _)) in &keys.nodes {
        cards.add_node(
            place(format!("node-{number:04}.card.toml")),
            card.clone(),
            &mut report,
        );
    }
    let Some(genesis) = build::genesis(inputs, &cards, &mut report) else {
        return Err(unusable(&report));
    };
    let records = found_records(&genesis, &keys);
    let file = GenesisFile::assemble(genesis, records)
        .map_err(|error| Failure::unusable(t("sample.unusable", &[])).because(error))?;
    Ok(SampleAlliance { file, keys })
}

/// Every founder's `Found` record, signed by as many officers as its policy asks, the primary
/// first.
fn found_records(genesis: &Genesis, keys: &SampleKeys) -> Vec<Record> {
    genesis
        .founders()
        .filter_map(|entry| {
            let primary = entry
                .officers
                .iter()
                .find(|officer| officer.roles.contains(&Role::Primary))?;
            let payload = found_payload(genesis, entry.number, primary.person);
            let needed = entry.policy.needed(payload.body.class()) as usize;
            let others = entry
                .officers
                .iter()
                .filter(|officer| officer.person != primary.person);
            let mut signatures: Vec<_> = std::iter::once(primary)
                .chain(others)
                .take(needed.max(1))
                .filter_map(|officer| {
                    let role = if officer.person == primary.person {
                        Role::Primary
                    } else {
                        *officer.roles.first()?
                    };
                    let key = &keys.officers.get(&officer.person.0)?.key;
                    Some(payload.sign(officer.person, Capacity::Own(role), 0, key))
                })
                .collect();
            signatures.sort_by_key(|entry| entry.officer);
            Some(Record {
                payload,
                signatures,
            })
        })
        .collect()
}

/// The keys of everybody that the files name.
pub fn keys(inputs: &Inputs, seed: &str) -> Result<SampleKeys, Failure> {
    if !inputs.alliance.sample {
        return Err(Failure::refused(t("sample.not-a-sample", &[]))
            .next(t("sample.not-a-sample-next", &[])));
    }
    let mut keys = SampleKeys {
        officers: BTreeMap::new(),
        nodes: BTreeMap::new(),
    };
    let day = rollbook_core::calendar::LocalDay::of(
        LedgerTime(inputs.alliance.opened_ms),
        inputs.alliance.charter.offset_minutes,
    )
    .0 - 8;
    let mut add = |organisation: u32, person: u32, roles: &[Role]| {
        keys.officers
            .insert(person, officer(seed, organisation, person, roles, day));
    };
    let mut next = 1;
    for member in &inputs.members {
        add(member.number, next, &[Role::Primary, Role::NodeOperator]);
        add(
            member.number,
            next + 1,
            &[Role::Alternate, Role::Finance, Role::Technical],
        );
        next += 2;
    }
    for observer in &inputs.alliance.observers {
        add(observer.number, next, &[Role::Primary]);
        next += 1;
    }
    let mut staff = BTreeSet::new();
    for (office, posts) in &inputs.alliance.offices {
        debug_assert_eq!(office.kind, OrganisationKind::Office);
        let named = posts
            .iter()
            .flat_map(|(_, post)| std::iter::once(post.holder).chain(post.deputy));
        for person in named {
            if person >= PersonId(next) && staff.insert(person) {
                add(office.number, person.0, &[]);
            }
        }
    }
    for number in &inputs.alliance.validators.1 {
        let secrets = NodeSecrets::sample(seed, *number);
        let port = |base: u32| u16::try_from(base.saturating_add(*number)).unwrap_or(u16::MAX);
        let place = NodePlace::loopback(port(7000), port(8000));
        let keys_of = secrets.public(
            None,
            *number,
            Text::new(place.url).unwrap_or_default(),
            Text::new(place.address).unwrap_or_default(),
        );
        keys.nodes.insert(
            *number,
            (
                NodeCard {
                    organisation: *number,
                    chain: None,
                    keys: keys_of,
                    sample: true,
                },
                secrets,
            ),
        );
    }
    Ok(keys)
}

/// A made-up person with the key that the seed gives it.
pub(super) fn officer(
    seed: &str,
    organisation: u32,
    person: u32,
    roles: &[Role],
    day: i64,
) -> SampleOfficer {
    let mut roles = roles.to_vec();
    roles.sort();
    let key = officer_key(seed.as_bytes(), person);
    let short = |text: String| Text::<160>::new(text).unwrap_or_default();
    let (name, document) = (
        short(format!("Sample person {person:04}")),
        short(format!("SAMPLE-{person:04}")),
    );
    let signatory = short(format!("Sample signatory {organisation:04}"));
    let salt_of = |what: &str| salt(seed.as_bytes(), &format!("{what}/{person}"));
    let (salt, signatory_salt) = (salt_of("person"), salt_of("signatory"));
    let letter = format!("Sample authorisation letter for person {person:04}");
    let fresh = Fresh {
        organisation,
        person,
        name: &name,
        document: &document,
        signatory: &signatory,
        salt,
        signatory_salt,
        key: &key,
        sample: true,
        roles: &roles,
        letter: sha256(letter.as_bytes()),
        date: LocalDay(day),
    };
    let card = fresh.card();
    let secret = Secret::new(&fresh);
    SampleOfficer { card, secret, key }
}

#[cfg(test)]
mod tests {
    use rollbook_core::genesis::file::GenesisFileError;
    use rollbook_proof::number::OrganisationId;

    use super::*;

    /// The shipped sample stands, is founded, and is the same every time.
    #[test]
    fn the_shipped_sample_is_founded_and_reproducible() {
        let alliance = metaverse("demo").unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(alliance.file.genesis.founders().count(), 24);
        assert_eq!(alliance.file.found.len(), 24);
        assert_eq!(alliance.file.genesis.policy.validators.len(), 4);
        let again = metaverse("demo").unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(alliance.file.encode(), again.file.encode());
        let other = metaverse("another").unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_ne!(alliance.file.genesis.hash(), other.file.genesis.hash());
        let read =
            GenesisFile::decode(&alliance.file.encode()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read, alliance.file);
        for officer in alliance.keys.officers.values() {
            assert_eq!(officer.secret.matches(&officer.card), Ok(()));
        }
    }
    /// A complete file is refused with the founder's number when a record is missing, foreign or
    /// spoilt, even under a fresh digest.
    #[test]
    fn a_founding_with_a_bad_record_is_never_read() {
        let alliance = metaverse("demo").unwrap_or_else(|failure| panic!("{failure:?}"));
        let other = metaverse("another").unwrap_or_else(|failure| panic!("{failure:?}"));
        let refused = |file: &GenesisFile| match GenesisFile::decode(&file.encode()) {
            Err(GenesisFileError::Founders(problems)) => problems
                .iter()
                .map(|problem| {
                    (
                        problem.organisation,
                        problem.refusal.as_ref().map(|r| r.code),
                    )
                })
                .collect::<Vec<_>>(),
            answer => panic!("{answer:?}"),
        };
        let mut missing = alliance.file.clone();
        missing.found.remove(4);
        assert_eq!(refused(&missing), [(OrganisationId(5), None)]);
        let mut foreign = alliance.file.clone();
        foreign.found[6] = other.file.found[6].clone();
        assert_eq!(
            refused(&foreign),
            [(OrganisationId(7), Some("A6.other-chain"))]
        );
        let mut spoilt = alliance.file.clone();
        spoilt.found[8].signatures[0].signature = spoilt.found[9].signatures[0].signature;
        assert_eq!(
            refused(&spoilt),
            [(OrganisationId(9), Some("A6.bad-signature"))]
        );
        let mut turned = alliance.file.clone();
        turned.found.swap(0, 1);
        assert!(matches!(
            GenesisFile::decode(&turned.encode()),
            Err(GenesisFileError::Order)
        ));
        let mut twice = alliance.file.clone();
        twice.found.insert(0, twice.found[0].clone());
        assert!(matches!(
            GenesisFile::decode(&twice.encode()),
            Err(GenesisFileError::Order)
        ));
    }
}
