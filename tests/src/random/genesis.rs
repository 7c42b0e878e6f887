//! The first leaves, drawn: 4 to 9 founders with groups and relations, one or two offices with their
//! posts, a board, validators, and a charter whose numbers lie within the floors. And drafts that
//! must not stand.

use rollbook_core::account::{Amount, Unit};
use rollbook_core::calendar::{MS_PER_DAY, Period};
use rollbook_core::charter::motions::{Base, BodyKind, Fraction, MotionKind, Pass, Threshold};
use rollbook_core::charter::{BallotVisibility, Charter, Class, Preset, TERM_DAYS_MIN, UnitLimits};
use rollbook_core::genesis::{Genesis, GenesisItem, PostEntry, SeatEntry};
use rollbook_core::id::{CharterVersion, DirectionId, PersonId};
use rollbook_core::identity::{
    ActClass, ApprovalPolicy, GroupDeclaration, Name, OrganisationEntry, OrganisationKind,
    RelationKind, Role,
};
use rollbook_core::lookup::protocol::PROTOCOL;
use rollbook_core::object::direction::Direction;
use rollbook_proof::crypto::sha256;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{LedgerTime, OrganisationId, ProtocolVersion};
use rollbook_sandbox::alliance::{Codes, OPENED_MS, organisation};

use crate::random::hand::text;
use crate::random::keys::Keys;
use crate::random::mood::Mood;
use crate::sim::random::Random;

const KINDS: [RelationKind; 6] = [
    RelationKind::Control,
    RelationKind::CommonControl,
    RelationKind::Investor,
    RelationKind::Contract,
    RelationKind::Family,
    RelationKind::Other,
];

/// A kind of relation: mostly one that does not join voices.
pub fn relation_kind(random: &mut Random, joins: u64) -> RelationKind {
    let kinds = if random.percent(joins) {
        &KINDS[..2]
    } else {
        &KINDS[2..]
    };
    *random.pick(kinds).unwrap()
}

fn charter(random: &mut Random, mood: &Mood) -> Charter {
    let preset = *random
        .pick(&[Preset::Default, Preset::Foundation, Preset::CnAssociation])
        .unwrap();
    let mut charter = Charter::preset(preset, Clock::Sample, sha256(b"charter text"));
    let mut up_to = |most: u64| random.between(1, most) as u32;
    let membership = &mut charter.membership;
    membership.screen_working_days = up_to(5);
    membership.resubmit_days = up_to(20);
    membership.sponsor_days = 5 + up_to(20);
    membership.activate_days = 10 + up_to(20);
    membership.sponsors_required = up_to(2);
    membership.readmission_wait_days = up_to(40);
    membership.withdraw_notice_days = 1 + up_to(30);
    membership.relation_end_days = 1 + up_to(30);
    membership.seat_cure_days = 1 + up_to(30);
    let terms = &mut charter.terms;
    terms.offer_days = up_to(20);
    terms.holdover_days = up_to(60);
    let funding = &mut charter.funding;
    funding.fund_concentration_bp = 500 + 500 * up_to(13);
    funding.call_concentration_bp = 2_000 + 1_000 * up_to(8);
    funding.advance_cap_bp = 1_000 * up_to(6);
    funding.holdback_bp = 500 * up_to(4);
    funding.reviewers = up_to(2);
    funding.reviewers_large = funding.reviewers + up_to(2) - 1;
    funding.standstill_days = up_to(6);
    funding.appeal_days = 2 + up_to(8);
    funding.offer_days = 5 + up_to(20);
    funding.payout_delay_hours = 6 * up_to(12);
    funding.hold_days = up_to(20);
    funding.account_cooling_days = up_to(4);
    funding.pledge_grace_days = up_to(8);
    funding.acknowledgement_days = 2 + up_to(10);
    funding.opening_working_days = 2 + up_to(4);
    funding.judge_working_days = 2 + up_to(8);
    funding.review_days = 3 + up_to(12);
    funding.reveal_days = 1 + up_to(5);
    funding.draw_reveal_hours = 24 + up_to(72);
    funding.assess_days = 2 + up_to(12);
    funding.certify_days = up_to(8);
    funding.step_days = up_to(5);
    funding.rework_max = up_to(3) - 1;
    funding.observation_days = up_to(8);
    funding.measure_days = funding.observation_days + 8 + up_to(40);
    funding.claim_days = 10 + up_to(60);
    charter.motions.retable_limit = up_to(3) - 1;
    charter.motions.retable_wait_days = up_to(10);
    charter.growth.introductions_by_member = up_to(6);
    charter.growth.introductions_by_office = 2 + up_to(6);
    charter.growth.registration_officers = 3 + up_to(4);
    charter.growth.registration_keys = up_to(2);
    charter.growth.member.records = 24 + 4 * up_to(60);
    charter.growth.other.records = 8 + up_to(20);
    charter.chain.validator_seats = 3 + up_to(4);
    charter.chain.handover_blocks = 2 + u64::from(up_to(40));
    charter.chain.alive_blocks = 4 + u64::from(up_to(60));
    for entry in &mut charter.rules.entries {
        let days = up_to(5);
        entry.rule.ballot_min = Period::Days(days);
        entry.rule.ballot_max = Period::Days(days + up_to(8));
        if entry.rule.stay.is_some() {
            entry.rule.stay = Some(Period::Hours(24 * up_to(4)));
        }
    }
    // Mostly long terms: a board that is held over opens nothing.
    let long = random.percent(80);
    let terms = &mut charter.terms;
    for days in [&mut terms.seat_days, &mut terms.post_days] {
        let (least, most) = if long { (1_500, 1_800) } else { (180, 500) };
        *days = random.between(least, most) as u32;
    }
    charter.funding.chain_distinct_groups = random.percent(16);
    charter.motions.early_close = random.percent(40);
    charter.motions.ballot_visibility = match random.below(10) {
        0..4 => BallotVisibility::Sensitive,
        4..6 => BallotVisibility::Sealed,
        _ => BallotVisibility::Open,
    };
    charter.motions.proxies_per_holder = random.below(3) as u32;
    // In some alliances more than half elects.
    for entry in &mut charter.rules.entries {
        if entry.kind == MotionKind::ElectSeat && random.percent(40) {
            entry.rule.pass = Pass::Plurality(Some(Threshold {
                base: Base::Part,
                strict: true,
                fraction: Fraction { n: 1, d: 2 },
            }));
        }
    }
    charter.motions.min_elig = if random.percent(85) { 3 } else { 4 };
    if random.percent(12) {
        charter.chain.outage_gap_ms = Some(40 * MS_PER_DAY);
    }
    // Ballots in hours and in working days.
    for (percent, kinds) in [
        (30, [MotionKind::Remove, MotionKind::WriteOff]),
        (10, [MotionKind::LiftHold, MotionKind::Appoint]),
    ] {
        for entry in &mut charter.rules.entries {
            if kinds.contains(&entry.kind) && random.percent(percent) {
                let hours = random.between(12, 96) as u32;
                (entry.rule.ballot_min, entry.rule.ballot_max) = if random.percent(50) {
                    (Period::Hours(hours), Period::Hours(hours + 24))
                } else {
                    (Period::WorkingDays(1), Period::WorkingDays(6))
                };
            }
        }
    }
    // An appointment by the assembly alone, and an effect at once.
    let by_assembly: Vec<MotionKind> = charter
        .rules
        .entries
        .iter()
        .filter(|entry| entry.rule.body == BodyKind::Assembly)
        .map(|entry| entry.kind)
        .collect();
    for entry in &mut charter.rules.entries {
        if entry.rule.body == BodyKind::Board && random.percent(4) {
            let kind = entry.kind;
            let alone = !matches!(kind, MotionKind::Award | MotionKind::AwardOutOfRank);
            if alone && !by_assembly.contains(&kind) {
                entry.rule.body = BodyKind::Assembly;
            }
        }
        if random.percent(10) {
            entry.rule.stay = None;
        }
    }
    charter
        .rules
        .entries
        .sort_by_key(|entry| (entry.kind, entry.rule.body));
    for class in &mut charter.classes {
        if class.class == Class::Associate && random.percent(50) {
            class.dues = Amount(0);
        }
    }
    if random.percent(30) {
        charter.classes.retain(|rule| rule.class != Class::Council);
    }
    // Hard money, a currency without limits, and a resource.
    charter.currencies = vec![text("CNY"), text("USD")];
    for limits in &mut charter.limits {
        limits.committee_limit = Amount(random.between(1, 60) * 1_000_000);
        limits.board_limit = Amount(limits.committee_limit.0 * random.between(1, 8));
        limits.two_approvers_above = Amount(random.between(1, 20) * 1_000_000);
        limits.large_ask = Amount(random.between(10, 80) * 1_000_000);
    }
    charter.limits.push(UnitLimits {
        unit: Unit::resource("GPU-HOUR").unwrap(),
        ..charter.limits[0].clone()
    });
    if mood.gregarious {
        charter.growth.introductions_by_member = 8;
    }
    charter
}

/// Officers of a company: always a primary, a finance and a technical officer, in one to four
/// persons.
pub fn officers(random: &mut Random) -> Vec<Vec<Role>> {
    let mut people = match random.below(4) {
        0 => vec![
            vec![Role::Primary, Role::NodeOperator],
            vec![Role::Alternate, Role::Finance, Role::Technical],
        ],
        1 => vec![
            vec![Role::Primary],
            vec![Role::Finance, Role::NodeOperator],
            vec![Role::Technical],
        ],
        2 => vec![
            vec![Role::Primary],
            vec![Role::Primary, Role::Finance],
            vec![Role::Technical, Role::NodeOperator],
            vec![Role::Alternate, Role::Technical],
        ],
        _ => vec![
            vec![Role::Primary, Role::NodeOperator],
            vec![Role::Finance, Role::Alternate],
            vec![Role::Technical],
            vec![Role::Technical],
        ],
    };
    for roles in &mut people {
        roles.sort();
    }
    people
}

/// A policy that these officers reach.
pub fn policy(random: &mut Random, people: &[Vec<Role>]) -> ApprovalPolicy {
    let mut thresholds = Vec::new();
    for class in [ActClass::General, ActClass::Ballot, ActClass::Money] {
        let able = people
            .iter()
            .filter(|roles| roles.iter().any(|role| class.counts(*role)))
            .count();
        if random.percent(25) && able > 1 {
            thresholds.push((class, 2));
        }
    }
    ApprovalPolicy { thresholds }
}

/// Who enters when, while the items are made.
struct Numbers {
    organisation: u32,
    person: u32,
}

impl Numbers {
    fn organisation(&mut self) -> u32 {
        self.organisation += 1;
        self.organisation
    }

    fn person(&mut self) -> u32 {
        self.person += 1;
        self.person
    }
}

/// What a genesis is made of.
pub struct Parts {
    pub items: Vec<GenesisItem>,
}

/// A genesis that stands.
pub fn draw(random: &mut Random, keys: &mut Keys, mood: &Mood) -> Parts {
    let charter = charter(random, mood);
    let mut numbers = Numbers {
        organisation: 0,
        person: 0,
    };
    let founders = *random.pick(&[4, 5, 6, 7, 7, 8, 8, 9, 9]).unwrap();
    let directions = random.between(1, 4) as u32;
    let mut companies = Vec::new();
    // Founders that are of the group of an earlier one have no seat and no node.
    let mut joined = vec![false; founders as usize];
    for at in 0..founders {
        let entry = company(
            random,
            keys,
            &mut numbers,
            at,
            directions,
            &mut joined,
            mood,
        );
        companies.push(entry);
    }
    let observer = random.percent(60).then(|| {
        let number = numbers.organisation();
        let person = keys.officer(number, numbers.person(), &[Role::Primary]);
        organisation(
            number,
            OrganisationKind::Observer,
            "Standards body",
            vec![person],
            Vec::new(),
        )
    });
    let free: Vec<u32> = (1..=founders)
        .filter(|number| !joined[*number as usize - 1])
        .collect();
    let offices = offices(random, keys, &mut numbers, &charter);
    let until_ms = |days: u32, random: &mut Random| {
        let days = first_term(random, days);
        LedgerTime(OPENED_MS + days * MS_PER_DAY)
    };
    // A board of a few leaves others to apply; a board of all has more to recuse.
    let most = if mood.grants {
        random.between(5, 6)
    } else {
        random.between(3, 9)
    };
    let seats: Vec<SeatEntry> = free
        .iter()
        .take(most as usize)
        .map(|number| SeatEntry {
            organisation: OrganisationId(*number),
            until_ms: until_ms(charter.terms.seat_days, random),
        })
        .collect();
    let protocol = ProtocolVersion(random.between(1, u64::from(PROTOCOL.0)) as u32);
    let mut items = vec![GenesisItem::Charter {
        name: name("Drawn alliance"),
        charter,
        opened_ms: LedgerTime(OPENED_MS),
        protocol,
    }];
    items.extend(offices);
    items.push(GenesisItem::Board(seats));
    items.extend((1..=directions).map(|number| {
        GenesisItem::Direction(Direction {
            number: DirectionId(number),
            code: text(format!("direction-{number}")),
            name: name("A direction"),
        })
    }));
    items.extend(companies.into_iter().map(GenesisItem::Organisation));
    items.extend(observer.map(GenesisItem::Observer));
    let validators = random.between(1, 5).min(free.len() as u64) as usize;
    for number in &free[..validators] {
        items.push(GenesisItem::Validator {
            organisation: OrganisationId(*number),
            keys: keys.node(None, *number),
        });
    }
    Parts { items }
}

pub fn name(latin: &str) -> Name {
    Name {
        native: text(latin),
        latin: text(latin),
    }
}

fn company(
    random: &mut Random,
    keys: &mut Keys,
    numbers: &mut Numbers,
    at: u32,
    directions: u32,
    joined: &mut [bool],
    mood: &Mood,
) -> OrganisationEntry {
    let number = numbers.organisation();
    let people = officers(random);
    let entries = people
        .iter()
        .map(|roles| keys.officer(number, numbers.person(), roles))
        .collect();
    let mut entry = organisation(
        number,
        OrganisationKind::Company,
        &format!("Founder {number}"),
        entries,
        Codes::Letters.of(number),
    );
    entry.policy = policy(random, &people);
    entry.directions = (1..=directions)
        .filter(|_| random.percent(60))
        .map(DirectionId)
        .collect();
    if at >= 3 && random.percent(if mood.kin { 40 } else { 15 }) {
        let other = random.between(1, u64::from(at)) as u32;
        let kind = relation_kind(random, if mood.kin && at >= 5 { 50 } else { 10 });
        joined[at as usize] = kind.joins_voices();
        entry.relations = vec![GroupDeclaration {
            other: OrganisationId(other),
            kind,
            evidence: sha256(b"extract of the group"),
        }];
    }
    entry
}

/// The posts of an alliance, each at least as often as somebody must act in it.
const POSTS: [(Role, u64); 10] = [
    (Role::Secretary, 100),
    (Role::Treasurer, 100),
    (Role::SecondOfficer, 100),
    (Role::SecondOfficer, 60),
    (Role::ProgrammeOfficer, 100),
    (Role::ProgrammeOfficer, 50),
    (Role::FinanceApprover, 100),
    (Role::FinanceApprover, 90),
    (Role::Auditor, 60),
    (Role::Registrar, 30),
];

/// One office or two; posts in the first and perhaps the second. Staff is at home in the office,
/// some posts are held by officers of founders.
fn offices(
    random: &mut Random,
    keys: &mut Keys,
    numbers: &mut Numbers,
    charter: &Charter,
) -> Vec<GenesisItem> {
    let count = if random.percent(80) { 1 } else { 2 };
    let companies_end = numbers.person;
    let mut offices: Vec<(OrganisationEntry, Vec<PostEntry>)> = Vec::new();
    for _ in 0..count {
        let number = numbers.organisation();
        let people = (0..13).map(|_| keys.officer(number, numbers.person(), &[]));
        let people = people.collect();
        let latin = format!("Office {number}");
        let entry = organisation(number, OrganisationKind::Office, &latin, people, Vec::new());
        offices.push((entry, Vec::new()));
    }
    let mut taken = Vec::new();
    for (role, percent) in POSTS {
        if !random.percent(percent) {
            continue;
        }
        let at = random.below(count) as usize;
        let (entry, posts) = &mut offices[at];
        let outside = if charter.funding.chain_distinct_groups {
            85
        } else {
            12
        };
        let officer_of_a_company = role != Role::Auditor && random.percent(outside);
        let holder = if officer_of_a_company {
            PersonId(random.between(1, u64::from(companies_end)) as u32)
        } else {
            let staff = &entry.officers;
            staff[random.below(10) as usize].person
        };
        if taken.contains(&holder) {
            // Another of the staff, always there.
            let staff = entry.officers.iter().map(|officer| officer.person);
            let Some(other) = staff.clone().find(|person| !taken.contains(person)) else {
                continue;
            };
            posts.push(post(random, charter, role, other));
            taken.push(other);
            continue;
        }
        posts.push(post(random, charter, role, holder));
        taken.push(holder);
    }
    // The secretary chairs, too: nobody else is asked for what one person may not do alone.
    if random.percent(15) {
        let has = |posts: &Vec<PostEntry>| {
            posts
                .iter()
                .find(|post| post.role == Role::Secretary)
                .cloned()
        };
        if let Some((at, first)) = (0..)
            .zip(&offices)
            .find_map(|(at, (_, posts))| Some((at, has(posts)?)))
        {
            let chair = PostEntry {
                role: Role::Chair,
                deputy: None,
                ..first
            };
            offices[at].1.push(chair);
        }
    }
    for (entry, posts) in &mut offices {
        // An office asks for two where it has enough.
        let money = posts
            .iter()
            .filter(|post| ActClass::Money.counts(post.role))
            .count();
        if money > 2 && random.percent(15) {
            entry.policy = ApprovalPolicy {
                thresholds: vec![(ActClass::Money, 2)],
            };
        }
    }
    let items = offices.into_iter();
    items
        .map(|(entry, posts)| GenesisItem::Office { entry, posts })
        .collect()
}

/// The days of a first term: most of a whole one.
fn first_term(random: &mut Random, days: u32) -> u64 {
    let days = u64::from(days);
    random.between((days * 2 / 3).max(u64::from(TERM_DAYS_MIN)), days)
}

fn post(random: &mut Random, charter: &Charter, role: Role, holder: PersonId) -> PostEntry {
    let days = first_term(random, charter.terms.post_days);
    PostEntry {
        role,
        holder,
        deputy: None,
        until_ms: LedgerTime(OPENED_MS + days * MS_PER_DAY),
    }
}

/// Founds the alliance.
pub fn assemble(seed: u64, parts: &Parts) -> Genesis {
    let origin = format!("rollbook.example/random-{seed}");
    Genesis::assemble(&origin, parts.items.clone(), None)
        .unwrap_or_else(|error| panic!("the drawn genesis does not stand: {error}"))
}

/// Spoils a draft in one way; the code by which it is refused, or none if it stands all the same.
pub fn refused(random: &mut Random, keys: &mut Keys, parts: &Parts) -> Option<String> {
    let mut items = parts.items.clone();
    let which = random.below(14);
    let far = |days: u64| LedgerTime(OPENED_MS + days * MS_PER_DAY);
    let companies: Vec<u32> = items
        .iter()
        .filter_map(|item| match item {
            GenesisItem::Organisation(entry) => Some(entry.number.0),
            _ => None,
        })
        .collect();
    let validating = items.iter().any(|item| {
        matches!(item, GenesisItem::Validator { organisation, .. }
            if organisation.0 == companies[companies.len() - 1])
    });
    for item in &mut items {
        match (which, item) {
            (0, GenesisItem::Charter { charter, .. }) => charter.version = CharterVersion(2),
            (1, GenesisItem::Office { posts, .. }) => {
                posts.iter_mut().for_each(|post| post.until_ms = far(9));
            }
            (2, GenesisItem::Office { posts, .. }) => {
                posts.iter_mut().for_each(|post| post.until_ms = far(4_000));
            }
            (13, GenesisItem::Office { posts, .. }) if !posts.is_empty() => {
                let chair = PostEntry {
                    role: Role::Chair,
                    deputy: None,
                    ..posts[0].clone()
                };
                posts.extend([chair.clone(), chair]);
            }
            (3, GenesisItem::Office { posts, .. }) => {
                posts.iter_mut().for_each(|post| post.role = Role::Finance);
            }
            (4, GenesisItem::Board(seats)) => {
                let last = seats.last().unwrap().clone();
                seats.push(SeatEntry {
                    organisation: OrganisationId(last.organisation.0 + 900),
                    ..last
                });
            }
            (5, GenesisItem::Charter { charter, .. }) => charter.board_seats = 1,
            // A related founder gets a seat, or a node.
            (6 | 7, GenesisItem::Organisation(entry)) if entry.number.0 == companies[1] => {
                entry.relations = vec![GroupDeclaration {
                    other: OrganisationId(companies[0]),
                    kind: RelationKind::Control,
                    evidence: sha256(b"extract of the group"),
                }];
            }
            (7, GenesisItem::Board(seats)) => seats.truncate(1),
            (8, GenesisItem::Organisation(entry)) if entry.number.0 == companies[0] => {
                entry.number = OrganisationId(0);
            }
            (9, GenesisItem::Organisation(entry)) if entry.number.0 == companies[1] => {
                entry.officers[0].person = PersonId(1);
            }
            (10, GenesisItem::Office { entry, .. }) => {
                entry.number = OrganisationId(companies[0]);
            }
            _ => {}
        }
    }
    match which {
        7 => {
            let has = |number: u32| {
                items.iter().any(|item| {
                    matches!(item, GenesisItem::Validator { organisation, .. }
                        if organisation.0 == number)
                })
            };
            if !has(companies[1]) {
                let at = items.len()
                    - items
                        .iter()
                        .rev()
                        .take_while(|item| {
                            matches!(item, GenesisItem::Validator { organisation, .. }
                        if organisation.0 > companies[1])
                        })
                        .count();
                items.insert(
                    at,
                    GenesisItem::Validator {
                        organisation: OrganisationId(companies[1]),
                        keys: keys.node(None, companies[1]),
                    },
                );
            }
        }
        11 if !validating => {
            let stranger = companies[companies.len() - 1] + 1;
            items.push(GenesisItem::Validator {
                organisation: OrganisationId(stranger),
                keys: keys.node(None, stranger),
            });
        }
        12 => {
            let at = random.below(items.len() as u64) as usize;
            items.remove(at);
        }
        _ => {}
    }
    let error = Genesis::assemble("rollbook.example/wrong", items, None).err()?;
    let text = error.to_string();
    let code = text
        .split([' ', ':'])
        .find(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_uppercase()));
    Some(code.unwrap_or("structure").to_owned())
}
