//! Joins the secretary's files and the officers' cards into genesis items, and says what does not
//! fit together.
//!
//! The rules of the ledger are checked again by [`Genesis::assemble`]; here they are checked for
//! the person who has to mend a file, so every reason names organisations by number and name and
//! stands at the line to change.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::TERM_DAYS_MIN;
use rollbook_core::genesis::{Genesis, GenesisItem, PostEntry};
use rollbook_core::identity::{
    GroupDeclaration, OrganisationEntry, OrganisationKind, RelationKind, Role,
};
use rollbook_proof::number::{LedgerTime, OrganisationId, ProtocolVersion};

use super::Inputs;
use super::cards::Cards;
use super::fields::OrganisationInput;
use super::names::warn_look_alikes;
use crate::input::problem::{Place, Report};
use crate::keystore::card::role_code;

/// A name as messages show it: the original script, if the two differ both.
pub fn shown(name: &rollbook_core::identity::Name) -> String {
    let chinese =
        rollbook_words::catalogue::language() == rollbook_words::catalogue::Language::Chinese;
    if chinese {
        name.native.to_string()
    } else {
        name.latin.to_string()
    }
}

/// Builds the genesis; errors are in the report.
pub fn genesis(inputs: &Inputs, cards: &Cards, report: &mut Report) -> Option<Genesis> {
    let alliance = &inputs.alliance;
    let all: Vec<&OrganisationInput> = inputs
        .members
        .iter()
        .chain(alliance.offices.iter().map(|(office, _)| office))
        .chain(alliance.observers.iter())
        .collect();
    let by_number = unique_numbers(&all, report);
    unique_identifiers(&all, report);
    warn_look_alikes(all.iter().copied(), report);
    let relations = relations(&all, &by_number, report);
    let groups = groups(&all, &relations);
    officers(&all, &by_number, cards, alliance.sample, report);
    posts(inputs, cards, &by_number, report);
    board(inputs, &by_number, &groups, report);
    validators(inputs, cards, &by_number, &groups, report);
    if inputs.members.is_empty() {
        report.error(&alliance.place, "no-members", &[]);
    }
    if !report.errors.is_empty() {
        return None;
    }
    let mut items = vec![GenesisItem::Charter {
        name: alliance.name.clone(),
        charter: alliance.charter.clone(),
        opened_ms: LedgerTime(alliance.opened_ms),
        protocol: ProtocolVersion(alliance.protocol),
    }];
    let entry = |input: &OrganisationInput| OrganisationEntry {
        number: OrganisationId(input.number),
        kind: input.kind,
        name: input.name.clone(),
        identifiers: input.identifiers.clone(),
        country: input.country.clone(),
        extract: input.extract,
        relations: relations.get(&input.number).cloned().unwrap_or_default(),
        directions: input.directions.clone(),
        officers: cards
            .officers
            .get(&input.number)
            .into_iter()
            .flatten()
            .map(|(_, card)| card.entry())
            .collect(),
        policy: input.policy.clone(),
    };
    let mut offices: Vec<_> = alliance.offices.iter().collect();
    offices.sort_by_key(|(office, _)| office.number);
    for (office, posts) in offices {
        let posts = posts.iter().map(|(_, post)| post.clone()).collect();
        items.push(GenesisItem::Office {
            entry: entry(office),
            posts,
        });
    }
    items.push(GenesisItem::Board(alliance.board.1.clone()));
    items.extend(
        alliance
            .directions
            .iter()
            .cloned()
            .map(GenesisItem::Direction),
    );
    let mut members: Vec<_> = inputs.members.iter().collect();
    members.sort_by_key(|member| member.number);
    items.extend(
        members
            .into_iter()
            .map(|member| GenesisItem::Organisation(entry(member))),
    );
    let mut observers: Vec<_> = alliance.observers.iter().collect();
    observers.sort_by_key(|observer| observer.number);
    items.extend(
        observers
            .into_iter()
            .map(|observer| GenesisItem::Observer(entry(observer))),
    );
    for number in &alliance.validators.1 {
        if let Some((_, card)) = cards.nodes.get(number) {
            items.push(GenesisItem::Validator {
                organisation: OrganisationId(*number),
                keys: card.keys.clone(),
            });
        }
    }
    // Shapes first, so that a reason has the line of its organisation.
    for item in &items {
        let checked = rollbook_proof::codec::Wire::check(item);
        if let (
            Err(error),
            GenesisItem::Office { entry, .. }
            | GenesisItem::Organisation(entry)
            | GenesisItem::Observer(entry),
        ) = (checked, item)
        {
            let place = by_number
                .get(&entry.number.0)
                .map_or(&alliance.place, |input| &input.place);
            report.error(place, "item", &[("why", error.to_string())]);
        }
    }
    if !report.errors.is_empty() {
        return None;
    }
    match Genesis::assemble(&alliance.origin, items, None) {
        Ok(genesis) => Some(genesis),
        Err(error) => {
            report.error(&alliance.place, "genesis", &[("why", error.to_string())]);
            None
        }
    }
}

/// What can be said of the members while the alliance file is wrong.
pub fn judge_members(members: &[OrganisationInput], cards: &Cards, report: &mut Report) {
    let all: Vec<&OrganisationInput> = members.iter().collect();
    unique_numbers(&all, report);
    unique_identifiers(&all, report);
    warn_look_alikes(all.iter().copied(), report);
    unique_cards(cards, report);
    enough_officers(&all, cards, report);
}

type ByNumber<'a> = BTreeMap<u32, &'a OrganisationInput>;

fn unique_numbers<'a>(all: &[&'a OrganisationInput], report: &mut Report) -> ByNumber<'a> {
    let mut by_number: ByNumber = BTreeMap::new();
    for input in all {
        match by_number.get(&input.number) {
            Some(other) => {
                let facts = [
                    ("number", input.number.to_string()),
                    ("other", other.place.to_string()),
                    ("name", shown(&other.name)),
                ];
                report.error(&input.place, "number-twice", &facts);
            }
            None => {
                by_number.insert(input.number, input);
            }
        }
    }
    by_number
}

fn unique_identifiers(all: &[&OrganisationInput], report: &mut Report) {
    let mut seen: BTreeMap<String, &OrganisationInput> = BTreeMap::new();
    for input in all {
        for identifier in &input.identifiers {
            match seen.get(&identifier.org_id()) {
                Some(other) => {
                    let facts = [
                        ("identifier", identifier.org_id()),
                        ("other", other.place.to_string()),
                        ("name", shown(&other.name)),
                    ];
                    report.error(&input.place, "identifier-twice", &facts);
                }
                None => {
                    seen.insert(identifier.org_id(), input);
                }
            }
        }
    }
}

/// Every relation stands once, at the organisation that the ledger writes later: it may name only
/// what is already there.
fn relations(
    all: &[&OrganisationInput],
    by_number: &ByNumber,
    report: &mut Report,
) -> BTreeMap<u32, Vec<GroupDeclaration>> {
    let rank = |number: u32| {
        let kind = by_number.get(&number).map(|input| input.kind);
        (
            matches!(kind, Some(OrganisationKind::Observer)) as u8
                + 2 * matches!(kind, Some(OrganisationKind::Office)) as u8,
            number,
        )
    };
    let mut edges: BTreeMap<(u32, u32), rollbook_proof::crypto::Hash> = BTreeMap::new();
    for input in all {
        for (other, evidence) in &input.relations {
            if *other == input.number {
                report.error(&input.place, "related-self", &[]);
            } else if !by_number.contains_key(other) {
                if !report.excuses(*other) {
                    report.error(
                        &input.place,
                        "related-unknown",
                        &[("other", other.to_string())],
                    );
                }
            } else {
                let pair = if rank(*other) < rank(input.number) {
                    (input.number, *other)
                } else {
                    (*other, input.number)
                };
                match edges.get(&pair) {
                    Some(known) if known != evidence => {
                        report.error(
                            &input.place,
                            "related-evidence",
                            &[("other", other.to_string())],
                        );
                    }
                    _ => {
                        edges.insert(pair, *evidence);
                    }
                }
            }
        }
    }
    let mut relations: BTreeMap<u32, Vec<GroupDeclaration>> = BTreeMap::new();
    for ((holder, other), evidence) in edges {
        relations.entry(holder).or_default().push(GroupDeclaration {
            other: OrganisationId(other),
            kind: RelationKind::Control,
            evidence,
        });
    }
    relations
}

/// Organisation to the smallest number of its group.
fn groups(
    all: &[&OrganisationInput],
    relations: &BTreeMap<u32, Vec<GroupDeclaration>>,
) -> BTreeMap<u32, u32> {
    let mut parent: BTreeMap<u32, u32> = all
        .iter()
        .map(|input| (input.number, input.number))
        .collect();
    fn root(parent: &BTreeMap<u32, u32>, mut number: u32) -> u32 {
        while let Some(up) = parent.get(&number).filter(|up| **up != number) {
            number = *up;
        }
        number
    }
    for (number, declared) in relations {
        for declaration in declared {
            let (a, b) = (root(&parent, *number), root(&parent, declaration.other.0));
            parent.insert(a.max(b), a.min(b));
        }
    }
    all.iter()
        .map(|input| (input.number, root(&parent, input.number)))
        .collect()
}

fn officers(
    all: &[&OrganisationInput],
    by_number: &ByNumber,
    cards: &Cards,
    sample: bool,
    report: &mut Report,
) {
    for (place, card) in cards.all() {
        if !by_number.contains_key(&card.organisation) && !report.excuses(card.organisation) {
            report.error(
                place,
                "card-organisation",
                &[("organisation", card.organisation.to_string())],
            );
        }
        if card.sample && !sample {
            report.error(place, "card-sample", &[]);
        }
    }
    unique_cards(cards, report);
    enough_officers(all, cards, report);
}

fn unique_cards(cards: &Cards, report: &mut Report) {
    let (mut persons, mut keys): (BTreeMap<u32, &Place>, BTreeMap<_, &Place>) =
        (BTreeMap::new(), BTreeMap::new());
    for (place, card) in cards.all() {
        if card.person == 0 {
            report.error(place, "card-person-zero", &[]);
        }
        if let Some(other) = persons.insert(card.person, place) {
            report.error(
                place,
                "card-person-twice",
                &[
                    ("person", card.person.to_string()),
                    ("other", other.to_string()),
                ],
            );
        }
        if let Some(other) = keys.insert(card.public_key, place) {
            report.error(place, "card-key-twice", &[("other", other.to_string())]);
        }
    }
}

/// RULINGS R23: two officers of a company, one of them primary, and no policy that they cannot
/// meet.
fn enough_officers(all: &[&OrganisationInput], cards: &Cards, report: &mut Report) {
    for input in all {
        let officers = cards
            .officers
            .get(&input.number)
            .map_or(&[][..], Vec::as_slice);
        let name = || ("name", shown(&input.name));
        let needed = match input.kind {
            OrganisationKind::Company => 2,
            OrganisationKind::Observer => 1,
            OrganisationKind::Office => 0,
        };
        if officers.len() < needed {
            let facts = [
                name(),
                ("number", input.number.to_string()),
                ("found", officers.len().to_string()),
                ("needed", needed.to_string()),
            ];
            report.error(&input.place, "officers-missing", &facts);
        } else if needed > 0
            && !officers
                .iter()
                .any(|(_, card)| card.roles.contains(&Role::Primary))
        {
            report.error(
                &input.place,
                "primary-missing",
                &[name(), ("number", input.number.to_string())],
            );
        }
        for (class, threshold) in &input.policy.thresholds {
            // Who may sign is who counts in the class.
            let signers = officers
                .iter()
                .filter(|(_, card)| card.roles.iter().any(|role| class.counts(*role)))
                .count();
            if officers.len() >= needed
                && *threshold as usize > signers
                && input.kind != OrganisationKind::Office
            {
                let class = super::fields::CLASSES
                    .iter()
                    .find(|(_, known)| known == class)
                    .map_or(String::new(), |(word, _)| (*word).to_owned());
                let facts = [
                    name(),
                    ("class", class),
                    ("threshold", threshold.to_string()),
                    ("officers", signers.to_string()),
                ];
                report.error(&input.place, "approval-officers", &facts);
            }
        }
    }
}

/// RULINGS R7: one person holds one of PO, FIN, TRE, OFF; the auditor holds nothing else and is of
/// no member's group.
fn posts(inputs: &Inputs, cards: &Cards, by_number: &ByNumber, report: &mut Report) {
    let homes: BTreeMap<u32, u32> = cards
        .all()
        .map(|(_, card)| (card.person, card.organisation))
        .collect();
    let mut held: BTreeMap<u32, Vec<(Role, &Place)>> = BTreeMap::new();
    for (place, post) in inputs.alliance.offices.iter().flat_map(|(_, posts)| posts) {
        let PostEntry {
            role,
            holder,
            deputy,
            until_ms,
        } = post;
        for person in std::iter::once(holder).chain(deputy) {
            if !homes.contains_key(&person.0) {
                report.error(
                    place,
                    "post-person",
                    &[("role", role_code(*role)), ("person", person.0.to_string())],
                );
            }
        }
        if deputy == &Some(*holder) {
            report.error(
                place,
                "post-deputy",
                &[("role", role_code(*role)), ("person", holder.0.to_string())],
            );
        }
        if *until_ms < least_end(inputs) {
            report.error(place, "post-until", &[("role", role_code(*role))]);
        }
        let days = inputs.alliance.charter.terms.post_days;
        if let Some(latest) = too_late(inputs, *until_ms, days) {
            let facts = [
                ("role", role_code(*role)),
                ("latest", latest),
                ("days", days.to_string()),
            ];
            report.error(place, "post-until-long", &facts);
        }
        if *role == Role::Auditor {
            let home = homes.get(&holder.0).and_then(|home| by_number.get(home));
            if let Some(home) = home.filter(|home| home.kind == OrganisationKind::Company) {
                report.error(
                    place,
                    "post-auditor-member",
                    &[
                        ("person", holder.0.to_string()),
                        ("name", shown(&home.name)),
                    ],
                );
            }
        }
        held.entry(holder.0).or_default().push((*role, place));
    }
    for (person, roles) in held {
        let separate = |role: &Role| {
            matches!(
                role,
                Role::ProgrammeOfficer
                    | Role::FinanceApprover
                    | Role::Treasurer
                    | Role::SecondOfficer
            )
        };
        let money = roles.iter().filter(|(role, _)| separate(role)).count();
        let auditor = roles.iter().any(|(role, _)| *role == Role::Auditor);
        if (money > 1 || (auditor && roles.len() > 1))
            && let Some((_, place)) = roles.last()
        {
            let words: Vec<String> = roles.iter().map(|(role, _)| role_code(*role)).collect();
            report.error(
                place,
                "post-duties",
                &[("person", person.to_string()), ("roles", words.join(", "))],
            );
        }
    }
}

/// A founder of this number, or an error at `place`.
fn founder<'a>(
    number: u32,
    place: &Place,
    code: &'static str,
    by_number: &ByNumber<'a>,
    report: &mut Report,
) -> Option<&'a OrganisationInput> {
    let found = by_number
        .get(&number)
        .filter(|input| input.kind == OrganisationKind::Company)
        .copied();
    if found.is_none() && !report.excuses(number) {
        report.error(place, code, &[("number", number.to_string())]);
    }
    found
}

fn one_per_group(
    numbers: impl Iterator<Item = u32>,
    place: &Place,
    codes: (&'static str, &'static str),
    by_number: &ByNumber,
    groups: &BTreeMap<u32, u32>,
    report: &mut Report,
) {
    let mut taken: BTreeMap<u32, &OrganisationInput> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for number in numbers {
        if !seen.insert(number) {
            report.error(place, "listed-twice", &[("number", number.to_string())]);
            continue;
        }
        let Some(input) = founder(number, place, codes.0, by_number, report) else {
            continue;
        };
        let group = groups.get(&number).copied().unwrap_or(number);
        if let Some(other) = taken.insert(group, input) {
            let facts = [
                ("a", other.number.to_string()),
                ("a_name", shown(&other.name)),
                ("b", number.to_string()),
                ("b_name", shown(&input.name)),
            ];
            report.error(place, codes.1, &facts);
        }
    }
}

/// The earliest end of a first term.
fn least_end(inputs: &Inputs) -> LedgerTime {
    let least = u64::from(TERM_DAYS_MIN) * MS_PER_DAY;
    LedgerTime(inputs.alliance.opened_ms).plus_ms(least)
}

/// The latest day on which a first term may end, if it ends later: the charter's term, up to the end
/// of a month.
fn too_late(inputs: &Inputs, until: LedgerTime, days: u32) -> Option<String> {
    let alliance = &inputs.alliance;
    let most = u64::from(days.saturating_add(31)).saturating_mul(MS_PER_DAY);
    let latest = LedgerTime(alliance.opened_ms).plus_ms(most);
    // The end of a day fits if the instant is not before it.
    let day = LocalDay(LocalDay::of(latest, alliance.charter.offset_minutes).0 - 1);
    (until > latest).then(|| day.date().to_string())
}

fn board(inputs: &Inputs, by_number: &ByNumber, groups: &BTreeMap<u32, u32>, report: &mut Report) {
    let (place, seats) = &inputs.alliance.board;
    let limit = inputs.alliance.charter.board_seats;
    if seats.len() > limit as usize {
        report.error(
            place,
            "board-limit",
            &[
                ("seats", seats.len().to_string()),
                ("limit", limit.to_string()),
            ],
        );
    }
    if seats.iter().any(|seat| seat.until_ms < least_end(inputs)) {
        report.error(place, "seat-until", &[]);
    }
    let days = inputs.alliance.charter.terms.seat_days;
    if let Some(latest) = seats
        .iter()
        .find_map(|seat| too_late(inputs, seat.until_ms, days))
    {
        let facts = [("latest", latest), ("days", days.to_string())];
        report.error(place, "seat-until-long", &facts);
    }
    let numbers = seats.iter().map(|seat| seat.organisation.0);
    one_per_group(
        numbers,
        place,
        ("board-founder", "board-group"),
        by_number,
        groups,
        report,
    );
}

fn validators(
    inputs: &Inputs,
    cards: &Cards,
    by_number: &ByNumber,
    groups: &BTreeMap<u32, u32>,
    report: &mut Report,
) {
    let (place, numbers) = &inputs.alliance.validators;
    let limit = inputs.alliance.charter.chain.validator_seats;
    if numbers.is_empty() || numbers.len() > limit as usize {
        report.error(
            place,
            "validators-limit",
            &[
                ("found", numbers.len().to_string()),
                ("limit", limit.to_string()),
            ],
        );
    }
    one_per_group(
        numbers.iter().copied(),
        place,
        ("validator-founder", "validator-group"),
        by_number,
        groups,
        report,
    );
    for number in numbers {
        match cards.nodes.get(number) {
            None => report.error(place, "validator-card", &[("number", number.to_string())]),
            Some((place, card)) if card.chain.is_some() => {
                let chain = card.chain.map(|chain| chain.to_hex()).unwrap_or_default();
                report.error(place, "card-chain", &[("chain", chain)]);
            }
            Some((place, card)) if card.sample && !inputs.alliance.sample => {
                report.error(place, "card-sample", &[])
            }
            Some(_) => {}
        }
    }
    for (number, (place, _)) in &cards.nodes {
        if !numbers.contains(number) {
            report.warn(
                place,
                "node-card-unused",
                &[("organisation", number.to_string())],
            );
        }
    }
}
