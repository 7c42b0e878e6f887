//! Companies, relations, nodes, orders: who enters, who is tied to whom.

use rollbook_core::calendar::LocalDay;
use rollbook_core::id::{DirectionId, RelationId};
use rollbook_core::identity::{
    GroupDeclaration, OrganisationEntry, OrganisationKind, RelationKind, Role, Scope,
};
use rollbook_core::lookup::protocol::{PROTOCOL, at};
use rollbook_core::object::node::NodeStatus;
use rollbook_core::object::relation::{Edge, RelationStatus};
use rollbook_core::record::{
    AnnulRelation, Body, CharterAct, JoinRelation, MotionEffect, NodeAct, NodeUpdate,
    OfficialOrder, OrganisationAct, RaiseProtocol, RelationClaim,
};
use rollbook_core::rules::network::validators;
use rollbook_proof::chain::quorum;
use rollbook_proof::crypto::PublicKey;
use rollbook_proof::number::{Height, OrganisationId, ProtocolVersion};
use rollbook_sandbox::alliance::{Codes, organisation};

use crate::random::acts::propose::{pending, propose};
use crate::random::genesis::{officers, policy, relation_kind};
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::People);
    let companies = hand.companies();
    let few = companies.len() < 11;
    deck.aside(if few { 8 } else { 2 }, register);
    deck.aside(1, file_order);
    if hand.fate("founds", hand.height.0 as u32) < 4 {
        deck.aside(2, |hand| {
            let company = hand.company()?;
            let act = OrganisationAct::Found;
            hand.by(company, &[Role::Primary], Body::Organisation(act))
        });
    }
    if hand.fate("observer acts", companies.len() as u32) < 10 {
        deck.aside(1, by_an_observer);
    }
    deck.of(hand.mood, Family::Relations);
    let most = if hand.mood.kin { 16 } else { 6 };
    if hand.t.edges.len() < most {
        deck.aside(if hand.mood.kin { 3 } else { 1 }, relate);
    }
    if hand.mood.gregarious {
        deck.aside(100, relate_with_everybody);
    }
    relation_acts(hand, deck);
    for ((a, b, number), edge) in hand.t.edges.iter() {
        if edge.claimed_by != *a && edge.claimed_by != *b {
            continue;
        }
        if edge.status != RelationStatus::Declared || hand.idles("edge", a.0 * 1000 + b.0) {
            continue;
        }
        let (other, relation) = (edge.claimed_by, *number);
        let own = if other == *a { *b } else { *a };
        // A group that is the whole alliance decides nothing.
        let pair = a.0 * 1000 + b.0;
        let seldom = match (hand.mood.gregarious, edge.kind.joins_voices()) {
            (true, _) => 8,
            (false, true) => 25,
            (false, false) => 60,
        };
        if hand.fate("confirmed", pair) >= seldom {
            continue;
        }
        deck.aside(4, move |hand| {
            let act = OrganisationAct::ConfirmRelation { other, relation };
            hand.by(own, &[Role::Primary], Body::Organisation(act))
        });
    }
    deck.of(hand.mood, Family::Nodes);
    nodes(hand, deck);
}

/// What others claim, answers, ends, and what the board finds.
fn relation_acts(hand: &Hand, deck: &mut Deck) {
    if hand.fate("claims", hand.height.0 as u32) < 70 {
        return;
    }
    let waiting = |edge: &Edge| edge.status == RelationStatus::Claimed;
    let waiting = hand
        .t
        .edges
        .iter()
        .filter(|(_, edge)| waiting(edge))
        .count();
    if waiting < 4 {
        deck.aside(2, claim);
    }
    for (_, edge) in hand.t.edges.iter() {
        let edge = edge.clone();
        let fate = hand.fate("relation", edge.id.0);
        let acts: &[fn(&mut Hand, &Edge) -> Option<Draft>] = match edge.status {
            RelationStatus::Claimed => &[find, find, find, answer, confirm, take_back, appeal],
            RelationStatus::Declared => &[find, answer, ask_end, appeal],
            RelationStatus::Joined if fate < 60 => &[ask_end, find, annul, appeal],
            RelationStatus::Confirmed if fate < 60 => &[ask_end, annul],
            RelationStatus::Ending => &[find, annul, ask_end],
            RelationStatus::Waiting => &[ask_end, answer],
            _ if fate < 20 => &[find, annul, ask_end, take_back, answer],
            _ => &[],
        };
        for act in acts {
            let (act, edge) = (*act, edge.clone());
            deck.aside(2, move |hand| act(hand, &edge));
        }
        if edge.end_asked.is_some() || fate < 3 {
            deck.aside(4, move |hand| end(hand, &edge));
        }
    }
}

fn by_end(hand: &mut Hand, edge: &Edge, act: OrganisationAct) -> Option<Draft> {
    let mut by = *hand.random.pick(&[edge.ends.0, edge.ends.1])?;
    if hand.random.percent(6) {
        by = hand.company()?;
    }
    hand.by(by, &[Role::Primary], Body::Organisation(act))
}

fn claim(hand: &mut Hand) -> Option<Draft> {
    let kinds = [
        RelationKind::Control,
        RelationKind::CommonControl,
        RelationKind::Investor,
    ];
    let mut one = hand.company()?;
    if hand.random.percent(3) {
        one = OrganisationId(60_000);
    }
    let by = hand.company()?;
    let mut other = hand.company()?;
    if hand.random.percent(4) {
        other = hand.id(&hand.t.organisations)?;
    }
    let act = Body::Organisation(OrganisationAct::ClaimRelation(RelationClaim {
        one,
        other,
        kind: *hand.random.pick(&kinds)?,
        evidence: hand.hash(),
    }));
    if hand.random.percent(50) {
        return hand.office(Role::Secretary, Scope::Alliance, None, act);
    }
    hand.by(by, &[Role::Primary], act)
}

fn answer(hand: &mut Hand, edge: &Edge) -> Option<Draft> {
    let mut relation = edge.id;
    if hand.random.percent(5) {
        relation = RelationId(60_000);
    }
    let act = OrganisationAct::ReplyRelation {
        relation,
        reply: hand.hash(),
    };
    by_end(hand, edge, act)
}

fn confirm(hand: &mut Hand, edge: &Edge) -> Option<Draft> {
    if !hand.random.percent(15) {
        return None;
    }
    let act = OrganisationAct::ConfirmRelation {
        other: edge.ends.0,
        relation: edge.number,
    };
    hand.by(edge.ends.1, &[Role::Primary], Body::Organisation(act))
}

fn take_back(hand: &mut Hand, edge: &Edge) -> Option<Draft> {
    if !hand.random.percent(20) {
        return None;
    }
    let act = Body::Organisation(OrganisationAct::WithdrawClaim { relation: edge.id });
    let by_office = hand.t.organisations.get(&edge.claimed_by)?.kind == OrganisationKind::Office;
    if by_office || hand.random.percent(10) {
        return hand.office(Role::Secretary, Scope::Alliance, None, act);
    }
    hand.by(edge.claimed_by, &[Role::Primary], act)
}

fn ask_end(hand: &mut Hand, edge: &Edge) -> Option<Draft> {
    let act = OrganisationAct::AskRelationEnd {
        relation: edge.id,
        evidence: hand.hash(),
    };
    by_end(hand, edge, act)
}

fn end(hand: &mut Hand, edge: &Edge) -> Option<Draft> {
    let act = if hand.random.percent(70) {
        OrganisationAct::ConfirmRelationEnd {
            relation: edge.id,
            extract: hand.hash(),
        }
    } else {
        OrganisationAct::DeclineRelationEnd {
            relation: edge.id,
            reasons: hand.hash(),
        }
    };
    let act = Body::Organisation(act);
    hand.office(Role::Secretary, Scope::Alliance, Some(edge.ends.0), act)
}

fn find(hand: &mut Hand, edge: &Edge) -> Option<Draft> {
    let today = hand.today();
    let since = match hand.random.below(10) {
        0..=5 => None,
        6 => Some(LocalDay(today.0 - 400)),
        7 => Some(LocalDay(today.0 + 2)),
        _ => Some(LocalDay(today.0 - hand.random.between(0, 200) as i64)),
    };
    let plan = JoinRelation {
        relation: edge.id,
        since,
    };
    propose(hand, MotionEffect::JoinRelation(plan))
}

fn annul(hand: &mut Hand, edge: &Edge) -> Option<Draft> {
    if !hand.random.percent(25) {
        return None;
    }
    let plan = AnnulRelation { relation: edge.id };
    propose(hand, MotionEffect::AnnulRelation(plan))
}

fn appeal(hand: &mut Hand, edge: &Edge) -> Option<Draft> {
    let act = OrganisationAct::AppealRelation {
        relation: edge.id,
        reasons: hand.hash(),
    };
    by_end(hand, edge, act)
}

fn nodes(hand: &Hand, deck: &mut Deck) {
    if hand.fate("nodes", hand.height.0 as u32) < 60 {
        return;
    }
    let act = |deck: &mut Deck, weight, company, act: NodeAct| {
        deck.aside(weight, move |hand: &mut Hand| {
            hand.by(company, &[Role::NodeOperator], Body::Node(act))
        });
    };
    deck.aside(1, |hand| {
        let company = hand.company()?;
        let chain = hand.chain;
        let keys = hand.keys.node(Some(&chain), company.0);
        hand.by(
            company,
            &[Role::NodeOperator],
            Body::Node(NodeAct::Register(keys)),
        )
    });
    deck.aside(1, |hand| {
        let company = hand.company()?;
        let act = hand.random.pick(&[NodeAct::Ready, NodeAct::Leave])?.clone();
        hand.by(company, &[Role::NodeOperator], Body::Node(act))
    });
    for (company, node) in hand.t.nodes.iter() {
        let company = *company;
        match node.status {
            NodeStatus::Registered => act(deck, 6, company, NodeAct::Ready),
            NodeStatus::Validator if hand.t.nodes.len() > 4 => {
                act(deck, 1, company, NodeAct::Leave);
            }
            NodeStatus::Gone => deck.aside(2, move |hand| {
                let chain = hand.chain;
                let keys = hand.keys.node(Some(&chain), company.0);
                let act = NodeAct::Register(keys);
                hand.by(company, &[Role::NodeOperator], Body::Node(act))
            }),
            _ => {}
        }
        deck.aside(2, move |hand| {
            let act = NodeAct::Update(update(hand, company));
            hand.by(company, &[Role::NodeOperator], Body::Node(act))
        });
        deck.aside(2, move |hand| {
            let protocol = support(hand, company);
            let act = NodeAct::Support { protocol };
            hand.by(company, &[Role::NodeOperator], Body::Node(act))
        });
    }
}

/// A node moves, gets new keys, or says again what everybody knows.
fn update(hand: &mut Hand, company: OrganisationId) -> NodeUpdate {
    let (chain, new) = (hand.chain, [50, 40, 20, 40]);
    let kinds = if hand.random.percent(70) {
        new.map(|likely| hand.random.percent(likely))
    } else {
        [false; 4]
    };
    let known = hand.t.nodes.get(&company);
    let moved = format!("node-{}.example.org:7400", hand.random.between(1, 9_999));
    let url = known.map(|node| node.url.clone());
    let address = if hand.random.percent(50) {
        Some(text(moved))
    } else {
        known.map(|node| node.address.clone())
    };
    hand.keys.update(&chain, company, kinds, (url, address))
}

/// Whether the next rule version is raised in this run, for a height that it does not reach: a build
/// stops before rules that it does not have.
pub fn raises(hand: &Hand) -> bool {
    hand.fate("raises", 0) < 35
}

/// A version to announce: one that this build has, or the next, which is announced by as many as
/// could raise it only in a run that raises it.
fn support(hand: &mut Hand, company: OrganisationId) -> ProtocolVersion {
    let next = ProtocolVersion(PROTOCOL.0 + 1);
    let others = hand.t.protocol_support.iter();
    let ahead = others
        .filter(|(other, known)| **other != company && **known > PROTOCOL)
        .count();
    let needed = quorum(validators::current(hand.t).len());
    if raises(hand) || (ahead + 1 < needed && hand.random.percent(30)) {
        next
    } else {
        ProtocolVersion(hand.random.between(1, u64::from(PROTOCOL.0)) as u32)
    }
}

/// The amendment that puts the next rule version in force.
pub fn protocol(hand: &Hand, deck: &mut Deck) {
    let height = hand.height;
    let in_force = at(hand.t, height);
    let coming = pending(hand, |effect| {
        matches!(effect, MotionEffect::RaiseProtocol(_))
    });
    let raise = move |hand: &mut Hand| {
        let protocol = match hand.random.below(10) {
            0 => ProtocolVersion(in_force.0 + 2),
            1 => in_force,
            _ => in_force.next(),
        };
        let ahead = if raises(hand) {
            100_000
        } else {
            hand.random.between(0, 40)
        };
        let effect = MotionEffect::RaiseProtocol(RaiseProtocol {
            protocol,
            from_height: Height(height.0 + ahead),
            release: text("0.9"),
        });
        propose(hand, effect)
    };
    let supported = hand.t.protocol_support.iter();
    let supported = supported.filter(|(_, known)| **known > in_force).count();
    let needed = quorum(validators::current(hand.t).len());
    if raises(hand) && supported >= needed && !coming {
        deck.goal(1, raise);
    } else {
        deck.aside(1, raise);
    }
}

/// A company as it registers itself.
fn entry(hand: &mut Hand) -> OrganisationEntry {
    let people = officers(hand.random);
    let entries = (1..)
        .zip(&people)
        .map(|(local, roles)| hand.keys.officer(0, local, roles))
        .collect();
    let number = hand.memory.number() + 1000;
    let mut entry = organisation(
        number,
        OrganisationKind::Company,
        &format!("Company {number}"),
        entries,
        Codes::Digits.of(number),
    );
    entry.number = OrganisationId(0);
    entry.policy = policy(hand.random, &people);
    for direction in 1..=4 {
        let direction = DirectionId(direction);
        if hand.t.directions.contains(&direction) && hand.random.percent(60) {
            entry.directions.push(direction);
        }
    }
    if hand.random.percent(15)
        && let Some(other) = hand.company()
    {
        entry.relations = vec![GroupDeclaration {
            other,
            kind: relation_kind(hand.random, 20),
            evidence: hand.hash(),
        }];
    }
    entry
}

fn register(hand: &mut Hand) -> Option<Draft> {
    let mut entry = entry(hand);
    if hand.random.percent(12) {
        spoil(hand, &mut entry);
    }
    let mut registration = hand.keys.registration(&hand.chain, entry)?;
    if hand.random.percent(2) {
        registration.entry.extract.0 = hand.hash();
    }
    let body = Body::Organisation(OrganisationAct::Register(registration));
    if hand.random.percent(25) {
        return hand.office(Role::Secretary, Scope::Alliance, None, body);
    }
    let company = if hand.random.percent(90) {
        hand.member()?
    } else {
        hand.company()?
    };
    hand.by(company, &[Role::Primary], body)
}

/// What a registration may get wrong.
fn spoil(hand: &mut Hand, entry: &mut OrganisationEntry) {
    match hand.random.below(12) {
        0 => entry.number = OrganisationId(hand.random.between(1, 30) as u32),
        1 => entry.officers.last_mut().unwrap().person.0 += 7,
        2 => entry.directions.push(DirectionId(900)),
        3 => {
            let other = hand.company();
            let other = other.and_then(|other| hand.t.organisations.get(&other));
            if let Some(other) = other {
                entry.identifiers = other.identifiers.clone();
            }
        }
        4 => {
            // A key that somebody has already.
            let own = entry.officers[0].clone();
            entry.officers[1].keys = own.keys;
        }
        5 => entry.officers[1].commitment = entry.officers[0].commitment,
        6 => {
            for local in 0..12 {
                let officer = hand.keys.officer(0, 20 + local, &[Role::Technical]);
                entry.officers.push(officer);
            }
        }
        7 => {
            entry.relations = vec![GroupDeclaration {
                other: OrganisationId(900),
                kind: relation_kind(hand.random, 50),
                evidence: hand.hash(),
            }]
        }
        8 => {
            // More than hold a role that counts.
            let class = rollbook_core::identity::ActClass::Node;
            entry.policy.thresholds = vec![(class, 2)];
        }
        10 => {
            // A point of small order, under which everybody signs.
            entry.officers[1].keys[0].0 = PublicKey::Ed25519([0; 32]);
        }
        9 if hand.random.percent(50) => entry.kind = OrganisationKind::Office,
        9 => entry.kind = OrganisationKind::Observer,
        _ => {
            // Possession of a key of somebody else.
            let stranger = hand.keys.officer(7, 1, &[Role::Technical]);
            entry.officers[1].keys = stranger.keys;
        }
    }
}

fn by_an_observer(hand: &mut Hand) -> Option<Draft> {
    let mut all = hand.t.organisations.iter();
    let (number, _) = all.find(|(_, o)| o.kind == OrganisationKind::Observer)?;
    let number = *number;
    let body = if hand.random.percent(50) {
        let entry = entry(hand);
        let registration = hand.keys.registration(&hand.chain, entry)?;
        Body::Organisation(OrganisationAct::Register(registration))
    } else {
        hand.memory.applied.last()?.body.clone()
    };
    hand.by(number, &[Role::Primary], body)
}

fn relate(hand: &mut Hand) -> Option<Draft> {
    let own = hand.company()?;
    let other = hand.id(&hand.t.organisations)?;
    let joins = if hand.mood.kin { 35 } else { 8 };
    // The other way round, what the other has declared already.
    let declared: Vec<_> = hand
        .t
        .edges
        .iter()
        .filter(|(_, edge)| edge.status == RelationStatus::Declared)
        .map(|((a, b, _), edge)| (*a, *b, edge.claimed_by, edge.kind))
        .collect();
    if let Some((a, b, by, kind)) = hand.random.pick(&declared).copied()
        && hand.random.percent(12)
    {
        let act = OrganisationAct::Relate(GroupDeclaration {
            other: by,
            kind,
            evidence: hand.hash(),
        });
        let own = if by == a { b } else { a };
        return hand.by(own, &[Role::Primary], Body::Organisation(act));
    }
    let act = OrganisationAct::Relate(GroupDeclaration {
        other,
        kind: relation_kind(hand.random, joins),
        evidence: hand.hash(),
    });
    if hand.random.percent(6) {
        let role = Role::Secretary;
        return hand.office(role, Scope::Alliance, None, Body::Organisation(act));
    }
    hand.by(own, &[Role::Primary], Body::Organisation(act))
}

/// The last company of the ledger has something to do with everybody.
fn relate_with_everybody(hand: &mut Hand) -> Option<Draft> {
    let companies = hand.companies();
    // An outsider: its ties recuse nobody who votes.
    let own = *companies.get(9).or(companies.last())?;
    let other = *hand.random.pick(&companies)?;
    let act = OrganisationAct::Relate(GroupDeclaration {
        other,
        kind: relation_kind(hand.random, 33),
        evidence: hand.hash(),
    });
    hand.by(own, &[Role::Primary], Body::Organisation(act))
}

fn file_order(hand: &mut Hand) -> Option<Draft> {
    let number = hand.memory.number() % 9;
    let ahead = hand.random.percent(10);
    let issued_ms = if ahead {
        hand.now.plus_ms(90_000_000)
    } else {
        hand.now.minus_ms(hand.random.below(9_000_000))
    };
    let about = if hand.random.percent(50) {
        hand.id(&hand.t.organisations)
    } else {
        None
    };
    let act = CharterAct::FileOrder(OfficialOrder {
        authority: text("A district court"),
        reference: text(format!("({number})")),
        document: hand.hash(),
        issued_ms,
        about,
    });
    hand.office(Role::Secretary, Scope::Alliance, None, Body::Charter(act))
}
