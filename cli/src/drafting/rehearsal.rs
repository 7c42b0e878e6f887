//! A sample of a secretary's own files: the same members, offices, board and charter on a stepped
//! clock, with keys that anybody can make. What would go wrong in the real founding goes wrong here,
//! for nothing.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::calendar::LocalDay;
use rollbook_core::identity::Role;
use rollbook_proof::codec::Text;
use rollbook_proof::log::Clock;
use rollbook_proof::number::LedgerTime;
use rollbook_sandbox::alliance::NodePlace;

use super::Inputs;
use super::cards::Cards;
use super::fields::OrganisationInput;
use super::sample::{SampleAlliance, SampleKeys, found_with, officer};
use crate::failure::Failure;
use crate::keystore::node::{NodeCard, NodeSecrets};

/// How the origin of a rehearsal differs from that of the alliance.
const ORIGIN: &str = "/rehearsal";

/// Roles of the officers of a company of which no cards are there yet, one set each.
const ROLES: [&[Role]; 2] = [
    &[Role::Primary, Role::NodeOperator],
    &[Role::Alternate, Role::Finance, Role::Technical],
];

/// Makes the keys, drafts, signs for every founder. Persons are those of the cards; a company that
/// has not handed in cards yet gets officers with numbers as the template of `genesis new` says:
/// 11, 12 for company 1. Nodes are at the given places.
pub fn rehearse(
    mut inputs: Inputs,
    cards: &Cards,
    seed: &str,
    places: &BTreeMap<u32, NodePlace>,
) -> Result<SampleAlliance, Failure> {
    let alliance = &mut inputs.alliance;
    alliance.sample = true;
    alliance.origin += ORIGIN;
    alliance.charter.clock = Clock::Sample;
    // A sample's clock jumps: that is no outage (RULINGS A5).
    alliance.charter.chain.outage_gap_ms = None;
    let persons = persons(&inputs, cards);
    let opened = LocalDay::of(
        LedgerTime(inputs.alliance.opened_ms),
        inputs.alliance.charter.offset_minutes,
    );
    let mut keys = SampleKeys {
        officers: BTreeMap::new(),
        nodes: BTreeMap::new(),
    };
    for (person, (organisation, roles)) in persons {
        let made = officer(seed, organisation, person, &roles, opened.0 - 8);
        keys.officers.insert(person, made);
    }
    for (number, place) in places {
        let secrets = NodeSecrets::sample(seed, *number);
        let url = Text::new(place.url.clone()).unwrap_or_default();
        let address = Text::new(place.address.clone()).unwrap_or_default();
        let card = NodeCard {
            organisation: *number,
            chain: None,
            keys: secrets.public(None, *number, url, address),
            sample: true,
        };
        keys.nodes.insert(*number, (card, secrets));
    }
    found_with(&inputs, keys)
}

type Persons = BTreeMap<u32, (u32, Vec<Role>)>;

/// Everybody: of the cards, of companies without enough of them, of posts.
fn persons(inputs: &Inputs, cards: &Cards) -> Persons {
    let posts = || {
        inputs.alliance.offices.iter().flat_map(|(office, posts)| {
            let named = posts
                .iter()
                .flat_map(|(_, post)| std::iter::once(post.holder).chain(post.deputy));
            named.map(|person| (person.0, office.number))
        })
    };
    let mut persons = Persons::new();
    for (_, card) in cards.all() {
        persons.insert(card.person, (card.organisation, card.roles.clone()));
    }
    // A number that a post names is not given to a company's officer.
    let named: BTreeSet<u32> = posts().map(|(person, _)| person).collect();
    let mut fill = |organisation: &OrganisationInput, least: usize| {
        let own: Vec<Vec<Role>> = persons
            .values()
            .filter(|(of, _)| *of == organisation.number)
            .map(|(_, roles)| roles.clone())
            .collect();
        let mut missing = missing_roles(organisation, own, least);
        let first = organisation.number.saturating_mul(10).saturating_add(1);
        let mut free = (first..=u32::MAX).filter(|number| !named.contains(number));
        while let Some(roles) = missing.pop() {
            let number = free.find(|number| !persons.contains_key(number));
            if let Some(number) = number {
                persons.insert(number, (organisation.number, roles));
            }
        }
    };
    for member in &inputs.members {
        fill(member, 2);
    }
    for observer in &inputs.alliance.observers {
        fill(observer, 1);
    }
    for (person, office) in posts() {
        persons.entry(person).or_insert((office, Vec::new()));
    }
    persons
}

/// The officers that a company lacks: a primary, its least number, as many as its own policy asks
/// for; the first to be numbered last.
fn missing_roles(
    organisation: &OrganisationInput,
    mut own: Vec<Vec<Role>>,
    least: usize,
) -> Vec<Vec<Role>> {
    let mut missing: Vec<Vec<Role>> = Vec::new();
    let mut add = |own: &mut Vec<Vec<Role>>, roles: &[Role]| {
        own.push(roles.to_vec());
        missing.push(roles.to_vec());
    };
    if !own.iter().any(|roles| roles.contains(&Role::Primary)) {
        add(&mut own, ROLES[0]);
    }
    while own.len() < least {
        add(&mut own, ROLES[1]);
    }
    for (class, threshold) in &organisation.policy.thresholds {
        let counts = |roles: &Vec<Role>| roles.iter().any(|role| class.counts(*role));
        let everything: Vec<Role> = ROLES.concat();
        while own.iter().filter(|roles| counts(roles)).count() < *threshold as usize {
            if !counts(&everything) {
                break;
            }
            add(&mut own, &everything);
        }
    }
    missing.reverse();
    missing
}
