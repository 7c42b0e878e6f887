//! Officers, keys and delegations: who comes and goes, whose key is lost or stolen, who signs for whom.

use rollbook_core::calendar::MS_PER_HOUR;
use rollbook_core::id::{DelegationId, PersonId};
use rollbook_core::identity::{ActClass, ApprovalPolicy, EndReason, Name, Role, Scope};
use rollbook_core::lookup::{groups, seats};
use rollbook_core::object::change::ChangeStatus;
use rollbook_core::object::delegation::DelegationStatus;
use rollbook_core::object::key_recovery::RecoveryStatus;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::object::revocation::RevocationStatus;
use rollbook_core::record::{
    Body, ConflictKind, DelegatedObject, DelegationGrant, MotionAct, MotionEffect, OfficersChange,
    OrganisationAct, Particulars, RatifyRevocation, RecoverKeys, RecoveryPlan,
};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::random::acts::propose::{pending, propose};
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

/// Roles of a company, each of which somebody has who comes.
const COMPANY: [Role; 5] = [
    Role::Primary,
    Role::Alternate,
    Role::Finance,
    Role::Technical,
    Role::NodeOperator,
];

fn body(act: OrganisationAct) -> Body {
    Body::Organisation(act)
}

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::People);
    // Companies seldom change; a few runs see much of it.
    let often = hand.fate("people", 0) < 30;
    let weight = if often { 3 } else { 1 };
    deck.aside(2 * weight, change);
    deck.aside(weight, rotate);
    deck.aside(weight, revoke);
    deck.aside(weight, ask_revocation);
    deck.aside(weight, file_recovery);
    deck.aside(weight, delegate);
    deck.aside(weight, update);
    deck.aside(weight, absence);
    deck.aside(weight, stand_in);
    deck.aside(weight, by_delegate);
    deck.aside(weight, late);
    for (number, entry) in hand.t.changes.iter() {
        let (number, company) = (*number, entry.organisation);
        match entry.status {
            ChangeStatus::Waiting if hand.fate("objects", number.0) < 20 => {
                deck.goal(1, move |hand| {
                    let reasons = hand.hash();
                    let act = OrganisationAct::ObjectChange {
                        change: number,
                        reasons,
                    };
                    somebody(hand, company, body(act))
                });
            }
            ChangeStatus::Asked if !hand.idles("update", number.0) => {
                let plan = entry.plan.clone();
                deck.goal(1, move |hand| {
                    let rollbook_core::object::change::ChangePlan::Particulars(plan) = plan else {
                        return None;
                    };
                    let act = match hand.random.below(10) {
                        0..=1 => OrganisationAct::DeclineUpdate {
                            change: number,
                            reasons: hand.hash(),
                        },
                        2 => OrganisationAct::ConfirmUpdate {
                            change: number,
                            extract: hand.hash(),
                        },
                        _ => OrganisationAct::ConfirmUpdate {
                            change: number,
                            extract: plan.extract.0,
                        },
                    };
                    hand.office(Role::Secretary, Scope::Alliance, Some(company), body(act))
                });
            }
            _ => {}
        }
    }
    for (number, entry) in hand.t.revocations.iter() {
        let revocation = *number;
        match entry.status {
            RevocationStatus::Asked if hand.fate("agrees", number.0) < 85 => {
                deck.goal(3, move |hand| {
                    emergency(hand, OrganisationAct::AgreeRevocation { revocation })
                });
            }
            RevocationStatus::InForce if hand.fate("ratifies", number.0) < 70 => {
                let plan = RatifyRevocation { revocation };
                let effect = MotionEffect::RatifyRevocation(plan);
                if !pending(hand, |other| *other == effect) {
                    deck.goal(3, move |hand| propose(hand, effect));
                }
            }
            _ => {}
        }
    }
    for (number, entry) in hand.t.key_recoveries.iter() {
        let (recovery, company) = (*number, entry.plan.organisation);
        let cancelled = hand.fate("cancels", number.0) < 20;
        match entry.status {
            RecoveryStatus::Filed | RecoveryStatus::Waiting if cancelled => {
                deck.goal(1, move |hand| {
                    let act = OrganisationAct::CancelRecovery { recovery };
                    somebody(hand, company, body(act))
                });
            }
            RecoveryStatus::Filed if hand.fate("decides", number.0) < 85 => {
                let effect = MotionEffect::RecoverKeys(RecoverKeys { recovery });
                if !pending(hand, |other| *other == effect) {
                    deck.goal(3, move |hand| propose(hand, effect));
                }
            }
            _ => {}
        }
    }
    for (number, entry) in hand.t.delegations.iter() {
        let taken = hand.fate("takes back", number.0) < 40;
        if entry.status == DelegationStatus::Granted && taken {
            let (number, giver) = (*number, entry.grant.giver);
            let role = entry.grant.role;
            deck.goal(1, move |hand| {
                let act = OrganisationAct::RevokeDelegation { delegation: number };
                hand.alone(giver, role, body(act))
            });
        }
    }
}

/// An act of one officer of a company, now and then of another's.
fn somebody(hand: &mut Hand, company: OrganisationId, body: Body) -> Option<Draft> {
    let company = match hand.random.percent(6) {
        true => hand.company()?,
        false => company,
    };
    let officers = hand.t.organisations.get(&company)?.officers.clone();
    let person = *hand.random.pick(&officers)?;
    let role = *hand.t.persons.get(&person)?.roles.first()?;
    Some(Draft {
        principal: company,
        signers: vec![(person, role)],
        body,
    })
}

fn roles(hand: &mut Hand) -> Vec<Role> {
    let mut roles: Vec<Role> = COMPANY
        .into_iter()
        .filter(|_| hand.random.percent(55))
        .collect();
    if roles.is_empty() {
        roles.push(Role::Primary);
    }
    roles
}

/// What is to change among the officers of a company.
fn plan(hand: &mut Hand, company: OrganisationId) -> Option<OfficersChange> {
    let mut officers = hand.t.organisations.get(&company)?.officers.clone();
    if hand.random.percent(4) {
        officers.push(hand.person()?);
        officers.sort();
        officers.dedup();
    }
    let chain = hand.chain;
    let mut plan = OfficersChange {
        added: Vec::new(),
        roles: Vec::new(),
        keys: Vec::new(),
        ended: Vec::new(),
        policy: None,
    };
    let more = match hand.random.below(20) {
        0 => hand.charter().growth.registration_officers.min(15) + 1,
        1..=11 => 1,
        _ => 0,
    };
    for place in 1..=more {
        let roles = match hand.random.percent(70) {
            true => COMPANY.to_vec(),
            false => roles(hand),
        };
        plan.added
            .push(hand.keys.joiner(&chain, company, place, &roles));
    }
    for person in officers {
        match hand.random.below(20) {
            0..=2 if more > 0 || hand.random.percent(20) => plan.ended.push(person),
            3 => {
                let roles = roles(hand);
                plan.roles.push((person, roles));
            }
            4..=5 => plan.keys.push(hand.keys.further(&chain, company, person)),
            _ => {}
        }
    }
    if hand.random.percent(6) {
        let twice = plan.keys.last().cloned();
        plan.keys.extend(twice);
    }
    if hand.random.percent(20) {
        let needed = hand.random.between(1, 3) as u32;
        let class = *hand.random.pick(&[
            ActClass::General,
            ActClass::Ballot,
            ActClass::Money,
            ActClass::People,
        ])?;
        // Whoever asks for more than two is stopped, or in the way of everything else.
        let needed = if needed == 3 { 9 } else { 1 };
        plan.policy = Some(ApprovalPolicy {
            thresholds: vec![(class, needed)],
        });
    }
    let nothing = plan.added.is_empty()
        && plan.keys.is_empty()
        && plan.roles.is_empty()
        && plan.ended.is_empty()
        && plan.policy.is_none();
    (!nothing).then_some(plan)
}

fn change(hand: &mut Hand) -> Option<Draft> {
    let company = hand.company()?;
    let plan = plan(hand, company)?;
    let act = OrganisationAct::ChangeOfficers(plan);
    hand.by(company, &[Role::Primary], body(act))
}

/// A person with a key, and its number; now and then one that has ended.
fn keyed(hand: &mut Hand) -> Option<(PersonId, u32)> {
    let person = hand.person()?;
    let keys = &hand.t.persons.get(&person)?.keys;
    let ended = hand.random.percent(10);
    let key = keys.iter().position(|key| key.in_force() != ended)?;
    Some((person, key as u32))
}

fn rotate(hand: &mut Hand) -> Option<Draft> {
    let (person, mut key) = keyed(hand)?;
    let facts = hand.t.persons.get(&person)?;
    let home = facts.home;
    let role = *facts.roles.first()?;
    if hand.random.percent(10) {
        key += 1;
    }
    let chain = hand.chain;
    let rotation = hand.keys.rotation(&chain, home, person, key);
    let act = OrganisationAct::RotateKey(rotation);
    // The holder of a post may try it for the office.
    let post = hand
        .t
        .posts
        .iter()
        .map(|(_, post)| post)
        .find(|post| post.holder == person && post.status.in_force());
    if let Some(post) = post.filter(|_| hand.fate("for the office", person.0) < 50) {
        let (office, role) = (post.office, post.role);
        return Some(Draft {
            principal: office,
            signers: vec![(person, role)],
            body: body(act),
        });
    }
    hand.alone(person, role, body(act))
}

fn revoke(hand: &mut Hand) -> Option<Draft> {
    let (person, key) = keyed(hand)?;
    let facts = hand.t.persons.get(&person)?;
    let home = facts.home;
    let role = facts.roles.first().copied();
    let reason = EndReason::Lost;
    if hand.random.percent(50) {
        let act = OrganisationAct::RevokeOwnKey { key, reason };
        return hand.alone(person, role?, body(act));
    }
    let act = OrganisationAct::RevokeKey {
        person,
        key,
        reason,
    };
    hand.by(home, &[Role::Primary], body(act))
}

/// A seat holder, mostly, or the secretary.
fn emergency(hand: &mut Hand, act: OrganisationAct) -> Option<Draft> {
    if hand.random.percent(40) {
        return hand.office(Role::Secretary, Scope::Alliance, None, body(act));
    }
    let board = hand.board();
    let company = match hand.random.percent(8) {
        true => hand.company()?,
        false => *hand.random.pick(&board)?,
    };
    hand.by(company, &[Role::Primary], body(act))
}

fn ask_revocation(hand: &mut Hand) -> Option<Draft> {
    let (mut person, mut key) = keyed(hand)?;
    let before = hand.t.revocation_of.iter().map(|(key, _)| *key);
    let before: Vec<_> = before.collect();
    if hand.random.percent(20)
        && let Some(again) = hand.random.pick(&before)
    {
        (person, key) = *again;
    }
    let evidence = hand.hash();
    emergency(
        hand,
        OrganisationAct::AskRevocation {
            person,
            key,
            evidence,
        },
    )
}

fn file_recovery(hand: &mut Hand) -> Option<Draft> {
    let company = hand.company()?;
    let change = plan(hand, company)?;
    let act = OrganisationAct::FileRecovery(RecoveryPlan {
        organisation: company,
        letter: hand.hash(),
        change,
    });
    hand.office(Role::Secretary, Scope::Alliance, Some(company), body(act))
}

fn delegate(hand: &mut Hand) -> Option<Draft> {
    let company = hand.member()?;
    let officers = hand.t.organisations.get(&company)?.officers.clone();
    let officers = hand.shuffled(officers);
    let [giver, to, ..] = officers[..] else {
        return None;
    };
    let facts = hand.t.persons.get(&giver)?.roles.clone();
    let role = match hand.random.percent(6) {
        true => *hand.random.pick(&COMPANY)?,
        false => *facts.first()?,
    };
    let motions = hand.t.motions.iter();
    let open = motions.filter(|(_, motion)| motion.status == MotionStatus::Open);
    let open: Vec<_> = open.map(|(number, _)| *number).collect();
    let motion = hand.random.pick(&open).copied();
    let object = match (motion, hand.random.percent(50)) {
        (Some(motion), true) => DelegatedObject::Motion(motion),
        _ => DelegatedObject::Everything,
    };
    let hours = match hand.random.below(12) {
        0 => 24 * 120,
        1 => 1,
        _ => hand.random.between(24, 24 * 60),
    };
    let act = OrganisationAct::Delegate(DelegationGrant {
        giver,
        role,
        to,
        classes: vec![ActClass::General, ActClass::Ballot],
        object,
        until_ms: LedgerTime(hand.now.0 + hours * MS_PER_HOUR),
    });
    let mut draft = hand.by(company, &[Role::Primary], body(act))?;
    // The giver signs, too; seldom not.
    let signs = draft.signers.iter().any(|(person, _)| *person == giver);
    if !signs && hand.random.percent(94) {
        draft.signers.push((giver, *facts.first()?));
    }
    Some(draft)
}

/// Somebody signs by a delegation.
fn by_delegate(hand: &mut Hand) -> Option<Draft> {
    let number: DelegationId = hand.any(&hand.t.delegations)?;
    let entry = hand.t.delegations.get(&number)?.clone();
    if hand.random.percent(10) {
        let act = OrganisationAct::RevokeDelegations;
        return match hand.random.percent(50) {
            true => hand.by(entry.organisation, &[Role::Primary], body(act)),
            false => {
                let company = hand.member()?;
                hand.by(company, &[Role::Primary], body(act))
            }
        };
    }
    let motion = hand.id(&hand.t.motions)?;
    let kind = ConflictKind::Other;
    let act = match hand.random.below(10) {
        0 => body(OrganisationAct::RevokeDelegations),
        1 => body(OrganisationAct::AskUpdate(Particulars {
            name: None,
            address: Some(text("by a delegate")),
            identifiers: None,
            extract: (hand.hash(), hand.today()),
        })),
        _ => match entry.grant.object {
            DelegatedObject::Motion(motion) if hand.random.percent(70) => {
                Body::Motion(MotionAct::DeclareConflict { motion, kind })
            }
            _ => Body::Motion(MotionAct::DeclareConflict { motion, kind }),
        },
    };
    let mut signers = vec![(entry.grant.to, entry.grant.role)];
    if hand.random.percent(15) {
        signers.push((entry.grant.giver, entry.grant.role));
    }
    Some(Draft {
        principal: entry.organisation,
        signers,
        body: act,
    })
}

fn update(hand: &mut Hand) -> Option<Draft> {
    let company = match hand.random.percent(4) {
        true => hand.any(&hand.t.organisations)?,
        false => hand.company()?,
    };
    let facts = hand.t.organisations.get(&company)?;
    let (name, mut identifiers) = (facts.name.clone(), facts.identifiers.clone());
    let number = hand.memory.number();
    let other = hand.company()?;
    match hand.random.below(12) {
        0 => identifiers.clear(),
        1 => identifiers.retain(|identifier| {
            !matches!(
                identifier,
                rollbook_core::identity::identifier::Identifier::Uscc(_)
            )
        }),
        2 => identifiers = hand.t.organisations.get(&other)?.identifiers.clone(),
        _ => {}
    }
    let act = OrganisationAct::AskUpdate(Particulars {
        name: Some(Name {
            native: name.native,
            latin: text(format!("Renamed {number}")),
        }),
        address: Some(text(format!("Street {number}"))),
        identifiers: Some(identifiers),
        extract: (hand.hash(), hand.today()),
    });
    match hand.by(company, &[Role::Primary], body(act.clone())) {
        Some(draft) => Some(draft),
        // An office has posts instead.
        None => {
            let post = hand.t.posts.iter().map(|(_, post)| post);
            let post = post.filter(|post| post.office == company).last()?;
            Some(Draft {
                principal: company,
                signers: vec![(post.holder, post.role)],
                body: body(act),
            })
        }
    }
}

fn absence(hand: &mut Hand) -> Option<Draft> {
    let number = hand.id(&hand.t.posts)?;
    let post = hand.t.posts.get(&number)?.clone();
    let said = post.absent != hand.random.percent(10);
    let act = match said {
        true => OrganisationAct::EndAbsence { post: number },
        false => OrganisationAct::RecordAbsence { post: number },
    };
    match hand.random.below(10) {
        0..=4 => Some(Draft {
            principal: post.office,
            signers: vec![(post.holder, post.role)],
            body: body(act),
        }),
        5..=7 => hand.office(Role::Secretary, Scope::Alliance, None, body(act)),
        _ => {
            let board = hand.board();
            let company = *hand.random.pick(&board)?;
            hand.by(company, &[Role::Primary], body(act))
        }
    }
}

/// Somebody acts for a post that they do not hold: a stand-in comes, or acts alone or together.
fn stand_in(hand: &mut Hand) -> Option<Draft> {
    let away =
        hand.t.posts.iter().filter(|(_, post)| {
            rollbook_core::lookup::posts::holder_is_away(hand.t, post, hand.now)
        });
    let away: Vec<_> = away.map(|(number, _)| *number).collect();
    let number = match hand.random.percent(85) {
        true => *hand.random.pick(&away)?,
        false => hand.id(&hand.t.posts)?,
    };
    let post = hand.t.posts.get(&number)?.clone();
    let pair = hand.t.stand_ins.get(&number).cloned();
    let second = pair.as_ref().and_then(|pair| pair.second);
    if let (Some(pair), Some((second, _))) = (&pair, second)
        && hand.random.percent(70)
    {
        let mut signers = vec![(pair.first.0, post.role)];
        if hand.random.percent(70) {
            signers.push((second, post.role));
        }
        let other = hand.id(&hand.t.posts)?;
        return Some(Draft {
            principal: post.office,
            signers,
            body: body(OrganisationAct::RecordAbsence { post: other }),
        });
    }
    let mut board = hand.board();
    // Most come who are not tied to whoever came first.
    if let Some(pair) = pair
        && hand.random.percent(80)
    {
        board.retain(|member| !groups::related(hand.t, *member, pair.first.1));
    }
    let company = match hand.random.percent(8) {
        true => hand.member()?,
        false => *hand.random.pick(&board)?,
    };
    let _ = seats::holds(hand.t, company);
    let act = OrganisationAct::StandIn { post: number };
    hand.by(company, &[Role::Primary], body(act))
}

/// What comes too late, or to somebody else's.
fn late(hand: &mut Hand) -> Option<Draft> {
    let company = hand.member()?;
    let act = match hand.random.below(6) {
        0 => OrganisationAct::ObjectChange {
            change: hand.id(&hand.t.changes)?,
            reasons: hand.hash(),
        },
        1 => OrganisationAct::CancelRecovery {
            recovery: hand.id(&hand.t.key_recoveries)?,
        },
        2 => {
            let delegation = hand.id(&hand.t.delegations)?;
            OrganisationAct::RevokeDelegation { delegation }
        }
        3 => {
            let revocation = hand.id(&hand.t.revocations)?;
            return emergency(hand, OrganisationAct::AgreeRevocation { revocation });
        }
        4 => {
            let revocation = hand.id(&hand.t.revocations)?;
            let plan = RatifyRevocation { revocation };
            return propose(hand, MotionEffect::RatifyRevocation(plan));
        }
        _ => {
            let recovery = hand.id(&hand.t.key_recoveries)?;
            let plan = RecoverKeys { recovery };
            return propose(hand, MotionEffect::RecoverKeys(plan));
        }
    };
    let own = match &act {
        OrganisationAct::ObjectChange { change, .. } => {
            hand.t.changes.get(change).map(|entry| entry.organisation)
        }
        OrganisationAct::CancelRecovery { recovery } => {
            let entry = hand.t.key_recoveries.get(recovery);
            entry.map(|entry| entry.plan.organisation)
        }
        OrganisationAct::RevokeDelegation { delegation } => {
            let entry = hand.t.delegations.get(delegation);
            entry.map(|entry| entry.organisation)
        }
        _ => None,
    };
    let company = match hand.random.percent(75) {
        true => own.unwrap_or(company),
        false => company,
    };
    somebody(hand, company, body(act))
}
