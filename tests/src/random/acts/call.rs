//! Applications from the submission to the verdict, pools, draws, the ranking, the close.

use rollbook_core::account::Amount;
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::id::{ApplicationId, CallId, DrawId, PersonId};
use rollbook_core::identity::{OrganisationKind, Role, Scope};
use rollbook_core::lookup::groups;
use rollbook_core::object::agreement::AgreementState;
use rollbook_core::object::application::{Appeal, Application, ApplicationStatus};
use rollbook_core::object::call::{Call, CallStatus};
use rollbook_core::object::draw::{Draw, DrawStatus};
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::record::{
    ApplicationContent, Body, CallAct, DrawFor, Nonce, Part, Payload, PoolKind, SeenEarlier,
    SeenReceipt, Submission, Verdict, draw_commitment,
};
use rollbook_proof::answer::{Answer, SignedAnswer, Verdict as AnswerVerdict};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::log::EpochPolicy;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Calls);
    for (number, call) in hand.t.calls.iter() {
        of_call(hand, deck, *number, call);
    }
    for (number, entry) in hand.t.applications.iter() {
        of_application(hand, deck, *number, entry);
    }
    deck.of(hand.mood, Family::Reviews);
    pools(hand, deck);
    draws(hand, deck);
}

fn of_call(hand: &Hand, deck: &mut Deck, number: CallId, call: &Call) {
    match call.status {
        CallStatus::Published => deck.aside(1, move |hand| submit(hand, number)),
        CallStatus::Open if call.applications < 5 => {
            deck.goal(2, move |hand| submit(hand, number));
        }
        CallStatus::Open => deck.aside(2, move |hand| submit(hand, number)),
        CallStatus::ClosedForSubmissions | CallStatus::Reviewing => {
            deck.aside(1, move |hand| submit(hand, number));
            let closed = call.closed_ms.unwrap_or(LedgerTime(0));
            if hand.now <= closed.plus_ms(MS_PER_DAY) {
                deck.aside(10, move |hand| submit_late(hand, number, closed));
            }
            let waits = hand.t.call_applications.iter().any(|((of, entry), _)| {
                let entry = hand.t.applications.get(entry);
                *of == number
                    && entry.is_some_and(|entry| {
                        matches!(
                            entry.status,
                            ApplicationStatus::Submitted
                                | ApplicationStatus::Opened
                                | ApplicationStatus::Eligible
                        )
                    })
            });
            let reviews = hand.t.reviews.iter().any(|(_, review)| {
                let entry = hand.t.applications.get(&review.application);
                entry.is_some_and(|entry| entry.call == number) && review.status.is_running()
            });
            let rank = move |hand: &mut Hand| {
                let company = hand.company()?;
                let act = CallAct::Rank { call: number };
                hand.by(company, &[], Body::Call(act))
            };
            if waits || reviews || hand.now <= closed.plus_ms(MS_PER_DAY) {
                deck.aside(1, rank);
            } else {
                deck.goal(3, rank);
            }
        }
        CallStatus::Cancelled if hand.fate("to a cancelled call", number.0) < 60 => {
            deck.aside(1, move |hand| submit(hand, number));
        }
        _ => {}
    }
    let close = move |hand: &mut Hand| {
        let fund = hand.t.calls.get(&number)?.terms.fund;
        let act = CallAct::Close { call: number };
        let scope = Scope::Fund(fund);
        hand.office(Role::ProgrammeOfficer, scope, None, Body::Call(act))
    };
    if call.status == CallStatus::Decided {
        deck.aside(2, close);
    } else if hand.fate("close", number.0) < 10 {
        deck.aside(1, close);
    }
}

/// Who applies: fewer members than others, so that somebody is left who may decide.
fn applicant(hand: &mut Hand, call: &Call) -> Option<OrganisationId> {
    let companies = hand.companies();
    let board = hand.board();
    let others: Vec<OrganisationId> = companies
        .iter()
        .filter(|company| !board.contains(company))
        .copied()
        .collect();
    let applying: Vec<OrganisationId> = hand
        .t
        .memberships
        .iter()
        .filter(|(_, membership)| membership.standing.is_open_application())
        .map(|(_, membership)| membership.organisation)
        .collect();
    let narrow = call.terms.eligibility.classes.len() == 1;
    if hand.random.percent(if narrow { 70 } else { 20 }) && !applying.is_empty() {
        return hand.random.pick(&applying).copied();
    }
    // One company has an agreement of every call.
    if hand.mood.aftermath
        && hand.random.percent(40)
        && let Some(first) = others.first()
    {
        return Some(*first);
    }
    // Once more the one before.
    if hand.random.percent(28)
        && let Some((_, entry)) = hand.t.applications.iter().last()
    {
        return Some(entry.applicant);
    }
    if hand.random.percent(65) && !others.is_empty() {
        return hand.random.pick(&others).copied();
    }
    if hand.random.percent(3) {
        return hand.id(&hand.t.organisations);
    }
    hand.random.pick(&companies).copied()
}

fn content(hand: &mut Hand, call: &Call) -> ApplicationContent {
    let most = call.terms.ask_max.0;
    let ask = match hand.random.below(12) {
        0 => most,
        1 => most + 1,
        2 => hand.random.between(1, 500),
        _ => hand.random.between(most / 4 + 1, most),
    };
    // Some projects are somebody else's, too.
    let project = match hand.memory.contents.values().last() {
        Some((other, _)) if hand.random.percent(15) => other.project,
        _ => hand.hash(),
    };
    let partners = match hand.company() {
        Some(organisation) if hand.random.percent(3) && ask > 1 => vec![Part {
            organisation,
            amount: Amount(ask / 2),
        }],
        _ => Vec::new(),
    };
    ApplicationContent {
        project,
        title: text("A project"),
        ask: Amount(ask),
        partners,
        document: hand.hash(),
    }
}

fn submit(hand: &mut Hand, number: CallId) -> Option<Draft> {
    let call = hand.t.calls.get(&number)?.clone();
    let applicant = applicant(hand, &call)?;
    let content = content(hand, &call);
    let salt = hand.hash().0;
    let mut commitment = content.commitment(&salt, number, applicant);
    hand.memory.contents.insert(commitment, (content, salt));
    if hand.random.percent(5)
        && let Some((_, earlier)) = hand.t.applications.iter().last()
    {
        commitment = earlier.commitment;
    }
    let submission = Submission {
        call: number,
        commitment,
        seen: None,
    };
    submitted(hand, applicant, submission)
}

fn submitted(hand: &mut Hand, applicant: OrganisationId, submission: Submission) -> Option<Draft> {
    let body = Body::Call(CallAct::Submit(submission));
    if hand.t.organisations.get(&applicant)?.kind == OrganisationKind::Office {
        return hand.office(Role::Secretary, Scope::Alliance, None, body);
    }
    hand.by(applicant, &[Role::Primary], body)
}

/// After the close, with the word of validators that they had seen it before.
fn submit_late(hand: &mut Hand, number: CallId, closed: LedgerTime) -> Option<Draft> {
    let call = hand.t.calls.get(&number)?.clone();
    let applicant = applicant(hand, &call)?;
    let officer = *hand.t.organisations.get(&applicant)?.officers.first()?;
    let content = content(hand, &call);
    let salt = hand.hash().0;
    let commitment = content.commitment(&salt, number, applicant);
    hand.memory.contents.insert(commitment, (content, salt));
    let mut submission = Submission {
        call: number,
        commitment,
        seen: None,
    };
    let payload = Payload {
        chain: hand.chain,
        principal: applicant,
        officer,
        sequence: 7,
        valid_until_ms: hand.now,
        nonce: Nonce([7; 16]),
        body: Body::Call(CallAct::Submit(submission.clone())),
    };
    let record = payload.id();
    let epoch = hand.t.chain.get(&0)?.epoch;
    let policy = EpochPolicy::parse(hand.t.policies.get(&epoch)?).ok()?;
    let late = hand.random.percent(20);
    let time_ms = if late {
        closed.plus_ms(1)
    } else {
        closed.minus_ms(hand.random.below(9_000))
    };
    let few = usize::from(hand.random.percent(15));
    let receipts = policy.validators.iter().skip(few).filter_map(|validator| {
        let answer = Answer {
            chain: hand.chain,
            bytes: sha256(b"bytes of the earlier record"),
            record,
            height: hand.height,
            time_ms,
            node: validator.org,
            verdict: AnswerVerdict::Seen,
        };
        let signed = SignedAnswer::sign(answer.clone(), hand.keys.of(&validator.log)?);
        SeenReceipt::of(&answer, signed.signature)
    });
    let receipts = receipts.collect();
    submission.seen = Some(SeenEarlier {
        officer,
        sequence: payload.sequence,
        valid_until_ms: payload.valid_until_ms,
        nonce: payload.nonce,
        receipts,
    });
    submitted(hand, applicant, submission)
}

fn by_applicant(hand: &mut Hand, number: ApplicationId, act: CallAct) -> Option<Draft> {
    let applicant = hand.t.applications.get(&number)?.applicant;
    let applicant = if hand.random.percent(97) {
        applicant
    } else {
        hand.company()?
    };
    hand.by(applicant, &[Role::Primary], Body::Call(act))
}

fn by_programme(hand: &mut Hand, number: ApplicationId, act: CallAct) -> Option<Draft> {
    let entry = hand.t.applications.get(&number)?;
    let (call, applicant) = (entry.call, entry.applicant);
    let scope = Scope::Fund(hand.t.calls.get(&call)?.terms.fund);
    let role = Role::ProgrammeOfficer;
    hand.office(role, scope, Some(applicant), Body::Call(act))
}

fn of_application(hand: &Hand, deck: &mut Deck, number: ApplicationId, entry: &Application) {
    let Some(call) = hand.t.calls.get(&entry.call) else {
        return;
    };
    let over = matches!(
        entry.status,
        ApplicationStatus::Void | ApplicationStatus::Withdrawn
    );
    let most = if over { 8 } else { 22 };
    if hand.fate("application withdrawn", number.0) < most {
        deck.aside(1, move |hand| {
            let act = CallAct::Withdraw {
                application: number,
            };
            by_applicant(hand, number, act)
        });
    }
    let open = move |hand: &mut Hand| {
        let commitment = hand.t.applications.get(&number)?.commitment;
        let (mut content, salt) = hand.memory.contents.get(&commitment)?.clone();
        if hand.random.percent(3) {
            content.ask.0 += 1;
        }
        let act = CallAct::Open {
            application: number,
            content,
            salt,
        };
        if hand.random.percent(30) {
            by_programme(hand, number, act)
        } else {
            by_applicant(hand, number, act)
        }
    };
    let judge = move |hand: &mut Hand| {
        let verdict = match hand.random.below(20) {
            0 => Verdict::Ineligible {
                code: text("not-published"),
                reason: hand.hash(),
            },
            1..4 => Verdict::Ineligible {
                code: text("late"),
                reason: hand.hash(),
            },
            _ => Verdict::Eligible,
        };
        let act = CallAct::Judge {
            application: number,
            verdict,
        };
        by_programme(hand, number, act)
    };
    let appeal = move |hand: &mut Hand| {
        let act = CallAct::Appeal {
            application: number,
            grounds: hand.hash(),
        };
        by_applicant(hand, number, act)
    };
    let running = matches!(
        call.status,
        CallStatus::ClosedForSubmissions | CallStatus::Reviewing
    );
    match entry.status {
        ApplicationStatus::Submitted if running && hand.fate("opened", number.0) >= 8 => {
            deck.urgent(open);
        }
        ApplicationStatus::Submitted if hand.fate("too early", number.0) < 15 => {
            deck.aside(1, open);
        }
        ApplicationStatus::Opened if running => deck.goal(2, judge),
        ApplicationStatus::Ineligible
            if entry.appeal == Some(Appeal::Possible) && hand.fate("appeal", number.0) < 70 =>
        {
            deck.goal(1, appeal);
        }
        _ if hand.fate("once more", number.0) < 8 => {
            deck.aside(1, judge);
            deck.aside(1, open);
            deck.aside(1, appeal);
        }
        _ => {}
    }
}

fn pools(hand: &Hand, deck: &mut Deck) {
    if hand
        .t
        .chain
        .get(&0)
        .is_some_and(|facts| facts.founders_missing > 0)
    {
        return;
    }
    for pool in [PoolKind::Reviewers, PoolKind::Assessors] {
        let missing: Vec<PersonId> = hand
            .technical()
            .into_iter()
            .filter(|person| !hand.t.pools.contains(&(pool, *person)))
            .collect();
        let enter = move |hand: &mut Hand| {
            let mut persons = hand.shuffled(missing);
            let most = hand.random.between(6, 16) as usize;
            persons.truncate(most);
            if hand.random.percent(5) {
                persons.push(hand.id(&hand.t.persons)?);
            }
            persons.sort_unstable();
            persons.dedup();
            if persons.is_empty() {
                return None;
            }
            let act = Body::Call(CallAct::EnterPool { pool, persons });
            hand.office(Role::ProgrammeOfficer, Scope::Alliance, None, act)
        };
        let known = hand.t.pools.iter().filter(|((kind, _), _)| *kind == pool);
        if known.count() < 6 {
            deck.goal(2, enter);
        } else if hand.fate("pool", hand.height.0 as u32) < 8 {
            deck.aside(1, enter);
        }
    }
}

fn draws(hand: &Hand, deck: &mut Deck) {
    let mut subjects = Vec::new();
    for (number, call) in hand.t.calls.iter() {
        let running = matches!(
            call.status,
            CallStatus::ClosedForSubmissions | CallStatus::Reviewing
        );
        subjects.push((DrawFor::Call(*number), running));
    }
    for (number, agreement) in hand.t.agreements.iter() {
        let runs = agreement.state == AgreementState::InForce;
        subjects.push((DrawFor::Agreement(*number), runs));
    }
    for (number, motion) in hand.t.motions.iter() {
        // Nobody freezes the pool of an election; now and then somebody tries.
        let draws = motion.status == MotionStatus::Drawing;
        if draws || (motion.poll.is_some() && hand.fate("freeze election", number.0) < 20) {
            let subject = DrawFor::Election(*number);
            deck.aside(if draws { 6 } else { 1 }, move |hand| freeze(hand, subject));
        }
    }
    for (subject, running) in subjects {
        let freeze = move |hand: &mut Hand| freeze(hand, subject);
        let rounds = hand.t.draw_of.range((subject, 0)..=(subject, u32::MAX));
        match (running, rounds.count()) {
            (true, 0) => deck.goal(3, freeze),
            (true, _) => deck.aside(1, freeze),
            (false, _) => {
                let label = format!("{subject:?}");
                if hand.fate(&label, 0) < 30 {
                    deck.aside(1, freeze);
                }
            }
        }
    }
    for (number, draw) in hand.t.draws.iter() {
        of_draw(hand, deck, *number, draw);
    }
}

fn fund_of(hand: &Hand, subject: DrawFor) -> Option<Scope> {
    Some(Scope::Fund(match subject {
        DrawFor::Call(number) => hand.t.calls.get(&number)?.terms.fund,
        DrawFor::Agreement(number) => hand.t.agreements.get(&number)?.fund,
        // A programme officer is one of a fund.
        DrawFor::Election(_) => *hand.t.funds.iter().next()?.0,
    }))
}

fn freeze(hand: &mut Hand, subject: DrawFor) -> Option<Draft> {
    let scope = fund_of(hand, subject)?;
    let act = CallAct::FreezePool { subject };
    hand.office(Role::ProgrammeOfficer, scope, None, Body::Call(act))
}

fn secret(hand: &Hand, draw: &Draw, person: PersonId) -> [u8; 32] {
    let (number, attempt) = (draw.number.0, draw.attempt);
    hand.keys
        .secret(&format!("draw/{number}/{attempt}/{}", person.0))
}

fn of_draw(hand: &Hand, deck: &mut Deck, number: DrawId, draw: &Draw) {
    let slow = hand.idles("draw", number.0 * 10 + draw.attempt);
    match draw.status {
        DrawStatus::Committing => {
            for (index, slot) in draw.slots.iter().enumerate() {
                if slot.commitment.is_some() || (slow && index == 2) {
                    continue;
                }
                deck.urgent(move |hand| commit(hand, number, index));
            }
        }
        DrawStatus::Revealing => {
            for slot in &draw.slots {
                let Some(person) = slot.person.filter(|_| slot.secret.is_none() && !slow) else {
                    continue;
                };
                deck.urgent(move |hand| reveal(hand, number, person));
            }
        }
        DrawStatus::Drawn => {}
    }
    deck.aside(1, move |hand| {
        let index = hand.random.below(3) as usize;
        if hand.random.percent(50) {
            commit(hand, number, index)
        } else {
            let person = hand.t.draws.get(&number)?.slots[index].person?;
            reveal(hand, number, person)
        }
    });
}

fn commit(hand: &mut Hand, number: DrawId, index: usize) -> Option<Draft> {
    let draw = hand.t.draws.get(&number)?.clone();
    let scope = fund_of(hand, draw.subject)?;
    let dummy = Body::Call(CallAct::CommitDraw {
        draw: number,
        commitment: Hash::ZERO,
    });
    let slot = draw.slots.get(index)?;
    let mut draft = match (slot.seat, index) {
        (Some(seat), _) => hand.by(seat, &[Role::Primary], dummy)?,
        (None, 0) => hand.office(Role::ProgrammeOfficer, scope, None, dummy)?,
        (None, 1) => hand.office(Role::SecondOfficer, scope, None, dummy)?,
        (None, _) => {
            let homes: Vec<OrganisationId> = draw
                .slots
                .iter()
                .filter_map(|slot| Some(hand.t.persons.get(&slot.person?)?.home))
                .collect();
            let mut board = hand.board();
            if hand.random.percent(90) {
                board.retain(|seat| {
                    !homes
                        .iter()
                        .any(|home| groups::related(hand.t, *home, *seat))
                });
            }
            let seat = *hand.random.pick(&board)?;
            hand.by(seat, &[Role::Primary], dummy)?
        }
    };
    let signer = match (slot.seat, index) {
        (None, 0 | 1) => draft.signers.first(),
        _ => draft
            .signers
            .iter()
            .find(|(_, role)| *role == Role::Primary),
    };
    let (person, _) = *signer?;
    let secret = secret(hand, &draw, person);
    draft.body = Body::Call(CallAct::CommitDraw {
        draw: number,
        commitment: draw_commitment(number, draw.attempt, person, &secret),
    });
    Some(draft)
}

fn reveal(hand: &mut Hand, number: DrawId, person: PersonId) -> Option<Draft> {
    let draw = hand.t.draws.get(&number)?.clone();
    let mut bytes = secret(hand, &draw, person);
    if hand.random.percent(4) {
        bytes[0] ^= 1;
    }
    let body = Body::Call(CallAct::RevealDraw {
        draw: number,
        secret: bytes,
    });
    let scope = fund_of(hand, draw.subject)?;
    // The same person in the capacity in which they committed.
    let posts = [Role::ProgrammeOfficer, Role::SecondOfficer];
    let post = hand.t.posts.iter().map(|(_, post)| post).find(|post| {
        post.holder == person
            && posts.contains(&post.role)
            && post.status.in_force()
            && (post.scope == Scope::Alliance || post.scope == scope)
    });
    if let Some(post) = post {
        let mut draft = Draft {
            principal: post.office,
            signers: vec![(person, post.role)],
            body: body.clone(),
        };
        let office = hand.office(post.role, scope, None, body);
        if let Some(office) = office
            && office.signers.first().map(|(first, _)| *first) == Some(person)
        {
            draft = office;
        }
        return Some(draft);
    }
    let home = hand.t.persons.get(&person)?.home;
    let mut draft = hand.by(home, &[], body)?;
    if !draft.signers.iter().any(|(signer, _)| *signer == person) {
        draft.signers.insert(0, (person, Role::Primary));
    }
    Some(draft)
}
