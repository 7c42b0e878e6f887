//! Dues of years, plans, notices, proceedings.

use rollbook_core::account::Amount;
use rollbook_core::calendar::{LocalDay, Period};
use rollbook_core::id::{InvoiceId, MembershipId, NoticeId, PlanId, ProceedingId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::lookup::posts::post_in_force;
use rollbook_core::lookup::rights;
use rollbook_core::object::invoice::{Charge, Invoice};
use rollbook_core::object::membership::{Discipline, Membership, Standing};
use rollbook_core::object::notice::NoticeStatus;
use rollbook_core::object::plan::{Plan, PlanStatus};
use rollbook_core::object::proceeding::{Proceeding, ProceedingStatus};
use rollbook_core::record::{
    AcceptPlan, Body, ExpelMember, HearingEntry, LiftSuspension, MembershipAct, MotionEffect,
    NoticeAbout, NoticeChannel, NoticeEntry, PlanEntry, PlanPart, ProceedingEntry, Receipt,
    SuspendMember, UpholdAppeal,
};
use rollbook_core::rules::membership::{arrears, dues};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::random::acts::propose::{pending, propose};
use crate::random::hand::{Deck, Draft, Hand, text};
use crate::random::mood::Family;

pub fn chances(hand: &Hand, deck: &mut Deck) {
    deck.of(hand.mood, Family::Membership);
    years(hand, deck);
    for (number, invoice) in hand.t.invoices.iter() {
        if invoice.pending.is_none() && hand.fate("goes back", number.0) < 80 {
            pays_back(hand, deck, *number, invoice);
        }
    }
    for (number, membership) in hand.t.memberships.iter() {
        match &membership.standing {
            Standing::Live(_) => member(hand, deck, *number, membership),
            Standing::Admitted => changes_its_mind(hand, deck, *number),
            _ => {}
        }
    }
    for (number, plan) in hand.t.plans.iter() {
        if plan.is_open() {
            plan_steps(hand, deck, *number, plan);
        }
    }
    notices(hand, deck);
    for (number, proceeding) in hand.t.proceedings.iter() {
        if proceeding.status.is_open() && !hand.idles("proceeding", number.0) {
            proceeding_steps(hand, deck, *number, proceeding);
        }
    }
    strays(hand, deck);
}

fn office(
    hand: &mut Hand,
    role: Role,
    apart: Option<OrganisationId>,
    act: MembershipAct,
) -> Option<Draft> {
    hand.office(role, Scope::Alliance, apart, Body::Membership(act))
}

/// Half of the seeds bill their members for years, and some ask for other years.
fn years(hand: &Hand, deck: &mut Deck) {
    let year = hand.today().date().year as u32;
    let live = hand.t.memberships.iter().filter(|(_, membership)| {
        let pays = hand.charter().class(membership.class);
        matches!(membership.standing, Standing::Live(_))
            && pays.is_some_and(|class| class.dues.0 > 0)
    });
    let waits = live
        .filter(|(number, _)| !hand.t.invoiced.contains(&(**number, year)))
        .count();
    if waits > 2 && hand.fate("yearly dues", year) < 50 {
        deck.aside(2, move |hand| {
            office(
                hand,
                Role::Treasurer,
                None,
                MembershipAct::InvoiceYear { year },
            )
        });
    }
    if hand.fate("another year", hand.height.0 as u32 / 4) < 12 {
        deck.aside(1, |hand| {
            let this = hand.today().date().year as u32;
            let year = *hand
                .random
                .pick(&[this, this, this + 1, this + 2, this - 1])?;
            // The whole membership ahead of its time is for few seeds.
            if year == this + 1 && !hand.t.invoiced.iter().any(|((_, known), _)| *known == year) {
                return None;
            }
            office(
                hand,
                Role::Treasurer,
                None,
                MembershipAct::InvoiceYear { year },
            )
        });
    }
}

/// Some applicants pay their first dues and do not want to become members any more.
fn changes_its_mind(hand: &Hand, deck: &mut Deck, number: MembershipId) {
    let invoice = rights::first_invoice(hand.t, number);
    let paid = invoice.is_some_and(|invoice| invoice.received > Amount::ZERO);
    if paid && hand.fate("changes its mind", number.0) < 15 {
        deck.aside(6, move |hand| {
            let act = MembershipAct::WithdrawApplication { membership: number };
            own(hand, number, act)
        });
    }
}

fn pays_back(hand: &Hand, deck: &mut Deck, number: InvoiceId, invoice: &Invoice) {
    let membership = hand.t.memberships.get(&invoice.membership);
    let credit = hand.t.dues.get(&invoice.membership).map(|part| part.credit);
    let credit = credit.unwrap_or_default();
    let back = membership.and_then(|membership| dues::goes_back(membership, invoice, credit));
    if let Some(Amount(amount)) = back {
        deck.goal(2, move |hand| pay_back(hand, number, amount));
    }
}

fn pay_back(hand: &mut Hand, invoice: InvoiceId, amount: u64) -> Option<Draft> {
    let wrong = hand.random.percent(30);
    let act = MembershipAct::PayBack(Receipt {
        invoice,
        amount: Amount(amount + u64::from(wrong)),
        reference: hand.reference(),
        value_date: hand.today(),
    });
    office(hand, Role::Treasurer, None, act)
}

fn overdue(hand: &Hand, membership: MembershipId) -> Vec<Invoice> {
    let of = (membership, InvoiceId(0))..=(membership, InvoiceId(u32::MAX));
    let numbers = hand.t.invoices_open.range(of);
    let invoices = numbers.filter_map(|((_, number), _)| hand.t.invoices.get(number).cloned());
    invoices
        .filter(|invoice| invoice.charge != Charge::First && invoice.due_ms < hand.now)
        .collect()
}

fn member(hand: &Hand, deck: &mut Deck, number: MembershipId, membership: &Membership) {
    let due = overdue(hand, number);
    let planned = hand.t.plan_of.contains(&number);
    if !due.is_empty() && !planned && hand.fate("plans", number.0) < 55 {
        deck.aside(4, move |hand| plan(hand, number));
    }
    if let Some(part) = hand.t.dues.get(&number) {
        for (about, again) in [
            (NoticeAbout::Dues(number), false),
            (NoticeAbout::DuesAgain(number), true),
        ] {
            // Some secretariats are silent.
            if arrears::notice_due(part, again).is_some() {
                let silent = hand.fate("silent", number.0) < 40;
                if !silent {
                    deck.goal(1, move |hand| notice(hand, about, true));
                } else if !filed(hand, about) {
                    deck.goal(1, move |hand| notice(hand, about, false));
                }
            }
        }
    }
    let few = hand.live().len() < 9;
    let of = (number, NoticeId(0))..=(number, NoticeId(u32::MAX));
    let mut notices = hand.t.notices_of.range(of);
    let warned = notices.any(|((_, notice), _)| {
        let notice = hand.t.notices.get(notice);
        notice.is_some_and(|notice| matches!(notice.entry.subject, NoticeAbout::Warning(_)))
    });
    if !few && !warned && hand.fate("warned", number.0) < 14 {
        deck.aside(2, move |hand| {
            notice(hand, NoticeAbout::Warning(number), true)
        });
    }
    let open = hand.t.proceeding_of.contains(&number);
    let chosen = hand.fate("accused", number.0 + hand.height.0 as u32 / 40 * 100) < 6
        || (warned && hand.fate("accused once", number.0 + hand.height.0 as u32 / 80 * 100) < 40);
    let suspended = matches!(membership.standing, Standing::Live(live) if live.discipline == Discipline::Suspended);
    let chosen = chosen || (suspended && hand.fate("accused again", number.0) < 70);
    if !few && !open && chosen {
        deck.aside(3, move |hand| open_proceeding(hand, number));
    }
    if suspended && hand.fate("lifted", number.0) < 60 {
        let running = pending(
            hand,
            |effect| matches!(effect, MotionEffect::LiftSuspension(plan) if plan.membership == number),
        );
        if !running {
            deck.aside(4, move |hand| lift(hand, number));
        }
    }
}

fn lift(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    propose(
        hand,
        MotionEffect::LiftSuspension(LiftSuspension { membership }),
    )
}

fn own(hand: &mut Hand, membership: MembershipId, act: MembershipAct) -> Option<Draft> {
    let member = hand.t.memberships.get(&membership)?.organisation;
    let who = if hand.random.percent(94) {
        member
    } else {
        hand.company()?
    };
    hand.by(who, &[Role::Primary], Body::Membership(act))
}

fn plan(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    let total: u64 = overdue(hand, membership)
        .iter()
        .map(|invoice| invoice.open().0)
        .sum();
    let wrong = u64::from(hand.random.percent(8));
    let today = hand.today();
    let first = if hand.random.percent(8) {
        today
    } else {
        today.plus(hand.random.between(3, 30) as u32)
    };
    let part = |due_day, amount| PlanPart {
        due_day,
        amount: Amount(amount),
    };
    let last = if hand.random.percent(45) { 220 } else { 40 };
    let parts = if total < 4 || hand.random.percent(30) {
        vec![part(first, total.max(1) + wrong)]
    } else {
        vec![
            part(first, total / 2),
            part(first.plus(last), total - total / 2 + wrong),
        ]
    };
    own(
        hand,
        membership,
        MembershipAct::ProposePlan(PlanEntry { membership, parts }),
    )
}

fn plan_steps(hand: &Hand, deck: &mut Deck, number: PlanId, entry: &Plan) {
    let membership = entry.membership;
    let long = entry.parts.len() > 1 && entry.parts[1].due_day > hand.today().plus(184);
    let agree = MembershipAct::AgreePlan { plan: number };
    let role = match entry.status {
        PlanStatus::Proposed => Role::Treasurer,
        PlanStatus::Agreed => Role::Secretary,
        _ => {
            if hand.fate("plans again", number.0) < 60 {
                deck.aside(1, move |hand| plan(hand, membership));
            }
            return;
        }
    };
    if long {
        let running = pending(
            hand,
            |effect| matches!(effect, MotionEffect::AcceptPlan(plan) if plan.plan == number),
        );
        if !running {
            let effect = MotionEffect::AcceptPlan(AcceptPlan { plan: number });
            deck.aside(6, move |hand| propose(hand, effect));
        }
        if hand.fate("too long", number.0) < 40 {
            deck.aside(1, move |hand| office(hand, role, None, agree));
        }
        return;
    }
    deck.goal(2, move |hand| office(hand, role, None, agree));
    if hand.fate("offers again", number.0) < 20 {
        deck.aside(1, move |hand| plan(hand, membership));
    }
}

fn filed(hand: &Hand, about: NoticeAbout) -> bool {
    let mut all = hand.t.notices.iter();
    all.any(|(_, notice)| notice.status == NoticeStatus::Filed && notice.entry.subject == about)
}

fn addressee(hand: &Hand, about: NoticeAbout) -> Option<OrganisationId> {
    let membership = match about {
        NoticeAbout::Dues(number)
        | NoticeAbout::DuesAgain(number)
        | NoticeAbout::Warning(number) => number,
        NoticeAbout::Proceeding(number) => hand.t.proceedings.get(&number)?.membership,
    };
    Some(hand.t.memberships.get(&membership)?.organisation)
}

/// Whoever acts as one seat holder: a member of the board, or the chair.
fn seat_or_chair(hand: &mut Hand, act: MembershipAct) -> Option<Draft> {
    let body = Body::Membership(act);
    let mut posts = hand.t.posts.iter();
    let has_chair =
        posts.any(|(_, post)| post.role == Role::Chair && post_in_force(post, hand.now));
    if has_chair && hand.random.percent(30) {
        return hand.office(Role::Chair, Scope::Alliance, None, body);
    }
    let board = hand.board();
    let who = *hand.random.pick(&board)?;
    hand.by(who, &[Role::Primary], body)
}

fn notice(hand: &mut Hand, about: NoticeAbout, by_secretary: bool) -> Option<Draft> {
    let today = hand.today();
    let dispatched = match hand.random.below(14) {
        0 => today.plus(1),
        1 => LocalDay(today.0 - 200),
        _ => today,
    };
    let channel = *hand.random.pick(&[
        NoticeChannel::RegisteredLetter,
        NoticeChannel::Email,
        NoticeChannel::Hand,
    ])?;
    let proof = if hand.random.percent(6) {
        Hash::ZERO
    } else {
        hand.hash()
    };
    let act = MembershipAct::ServeNotice(NoticeEntry {
        subject: about,
        text: hand.hash(),
        channel,
        dispatched,
        proof,
    });
    if by_secretary {
        let apart = addressee(hand, about);
        return office(hand, Role::Secretary, apart, act);
    }
    seat_or_chair(hand, act)
}

fn notices(hand: &Hand, deck: &mut Deck) {
    for (number, entry) in hand.t.notices.iter() {
        let number = *number;
        match entry.status {
            NoticeStatus::Filed => deck.goal(1, move |hand| {
                seat_or_chair(hand, MembershipAct::AgreeNotice { notice: number })
            }),
            NoticeStatus::Served if hand.fate("acknowledges", number.0) < 50 => {
                let membership = entry.membership;
                deck.aside(1, move |hand| {
                    own(
                        hand,
                        membership,
                        MembershipAct::AcknowledgeNotice { notice: number },
                    )
                });
            }
            _ => {}
        }
    }
}

fn open_proceeding(hand: &mut Hand, membership: MembershipId) -> Option<Draft> {
    let accused = hand.t.memberships.get(&membership)?.organisation;
    let act = MembershipAct::OpenProceeding(ProceedingEntry {
        membership,
        ground: text("conduct"),
        reasons: hand.hash(),
    });
    if hand.random.percent(70) {
        return office(hand, Role::Secretary, Some(accused), act);
    }
    seat_or_chair(hand, act)
}

fn proceeding_steps(hand: &Hand, deck: &mut Deck, number: ProceedingId, entry: &Proceeding) {
    let membership = entry.membership;
    match entry.status {
        ProceedingStatus::Filed => deck.goal(1, move |hand| {
            seat_or_chair(hand, MembershipAct::AgreeProceeding { proceeding: number })
        }),
        ProceedingStatus::Open => opened(hand, deck, number, entry),
        ProceedingStatus::Expelled if hand.fate("appeals", number.0) < 70 => {
            deck.goal(2, move |hand| {
                let act = MembershipAct::AppealExpulsion {
                    proceeding: number,
                    grounds: hand.hash(),
                };
                own(hand, membership, act)
            });
        }
        _ => {}
    }
}

fn opened(hand: &Hand, deck: &mut Deck, number: ProceedingId, entry: &Proceeding) {
    let (membership, accused) = (entry.membership, entry.organisation);
    if entry.notice.is_none() {
        let about = NoticeAbout::Proceeding(number);
        if hand.fate("silent about", number.0) < 25 {
            if !filed(hand, about) {
                deck.goal(1, move |hand| notice(hand, about, false));
            }
        } else {
            deck.goal(2, move |hand| notice(hand, about, true));
        }
    }
    if entry.reply.is_none() && hand.fate("replies", number.0) < 60 {
        deck.aside(1, move |hand| {
            let act = MembershipAct::Reply {
                proceeding: number,
                document: hand.hash(),
            };
            own(hand, membership, act)
        });
    }
    let again = hand.fate("heard again", number.0) < 15;
    if entry.heard.is_none() || again {
        let waives = hand.fate("waives", number.0) < 35;
        let weight = if entry.heard.is_none() { 3 } else { 1 };
        if waives {
            deck.aside(weight, move |hand| {
                own(
                    hand,
                    membership,
                    MembershipAct::WaiveHearing { proceeding: number },
                )
            });
        } else {
            deck.aside(weight, move |hand| hearing(hand, number, accused));
        }
    }
    if hand.fate("closed", number.0) < 15 {
        deck.aside(1, move |hand| {
            let act = MembershipAct::CloseProceeding {
                proceeding: number,
                reasons: hand.hash(),
            };
            office(hand, Role::Secretary, Some(accused), act)
        });
    }
    let running = pending(hand, |effect| match effect {
        MotionEffect::SuspendMember(plan) => plan.proceeding == number,
        MotionEffect::ExpelMember(plan) => plan.proceeding == number,
        _ => false,
    });
    let ripe = |at: Option<LedgerTime>, days| {
        at.is_some_and(|at| hand.calendar().delay(at, Period::Days(days)) < hand.now)
    };
    // Some do not wait until the member had its time after the hearing.
    let soon = ripe(entry.noticed_ms, 15) && entry.heard_ms.is_some();
    if soon && !running && hand.fate("cannot wait", number.0) < 30 {
        deck.aside(2, move |hand| measure(hand, number));
    }
    let is_ripe = ripe(entry.noticed_ms, 15) && ripe(entry.heard_ms, 5);
    let hasty = hand.fate("hasty", number.0 + hand.height.0 as u32 / 8 * 100) < 8;
    if (is_ripe && !running) || hasty {
        let weight = if is_ripe && !running { 8 } else { 1 };
        deck.aside(weight, move |hand| measure(hand, number));
    }
}

fn measure(hand: &mut Hand, proceeding: ProceedingId) -> Option<Draft> {
    let entry = hand.t.proceedings.get(&proceeding)?;
    let warned = hand.t.notices.iter().any(|(_, notice)| {
        notice.membership == entry.membership
            && matches!(notice.entry.subject, NoticeAbout::Warning(_))
    });
    let expels = if warned { 75 } else { 10 };
    if hand.random.percent(expels) {
        return propose(hand, MotionEffect::ExpelMember(ExpelMember { proceeding }));
    }
    let days = if hand.random.percent(8) {
        181
    } else {
        hand.random.between(20, 180) as u32
    };
    propose(
        hand,
        MotionEffect::SuspendMember(SuspendMember { proceeding, days }),
    )
}

fn hearing(hand: &mut Hand, proceeding: ProceedingId, accused: OrganisationId) -> Option<Draft> {
    let mut day = hand.today();
    if hand.random.percent(6) {
        day = day.plus(1);
    }
    let act = MembershipAct::Hear(HearingEntry {
        proceeding,
        day,
        attended: hand.random.percent(70),
        minutes: hand.hash(),
    });
    office(hand, Role::Secretary, Some(accused), act)
}

/// What does not fit anything that waits.
fn strays(hand: &Hand, deck: &mut Deck) {
    if hand.fate("strays", hand.height.0 as u32 / 2) >= 50 {
        return;
    }
    deck.aside(3, |hand| {
        let membership = hand.id(&hand.t.memberships)?;
        match hand.random.below(10) {
            0 => plan(hand, membership),
            1 => notice(hand, NoticeAbout::Dues(membership), true),
            2 => notice(hand, NoticeAbout::Warning(membership), true),
            3 => open_proceeding(hand, membership),
            4 => lift(hand, membership),
            5 => {
                let plan = hand.id(&hand.t.plans)?;
                match hand.random.below(2) {
                    0 => office(
                        hand,
                        Role::Treasurer,
                        None,
                        MembershipAct::AgreePlan { plan },
                    ),
                    _ => propose(hand, MotionEffect::AcceptPlan(AcceptPlan { plan })),
                }
            }
            6 => {
                let notice = hand.id(&hand.t.notices)?;
                let membership = hand
                    .t
                    .notices
                    .get(&notice)
                    .map_or(membership, |it| it.membership);
                match hand.random.below(2) {
                    0 => seat_or_chair(hand, MembershipAct::AgreeNotice { notice }),
                    _ => own(
                        hand,
                        membership,
                        MembershipAct::AcknowledgeNotice { notice },
                    ),
                }
            }
            7 => {
                let proceeding = hand.id(&hand.t.proceedings)?;
                let membership = hand
                    .t
                    .proceedings
                    .get(&proceeding)
                    .map_or(membership, |it| it.membership);
                let grounds = hand.hash();
                match hand.random.below(5) {
                    0 => seat_or_chair(hand, MembershipAct::AgreeProceeding { proceeding }),
                    1 => own(
                        hand,
                        membership,
                        MembershipAct::AppealExpulsion {
                            proceeding,
                            grounds,
                        },
                    ),
                    2 => own(hand, membership, MembershipAct::WaiveHearing { proceeding }),
                    3 => measure(hand, proceeding),
                    _ => hearing(hand, proceeding, OrganisationId(0)),
                }
            }
            8 => {
                let invoice = hand.id(&hand.t.invoices)?;
                pay_back(hand, invoice, 1)
            }
            _ => {
                let proceeding = hand.id(&hand.t.proceedings)?;
                let effect = UpholdAppeal { proceeding };
                propose(hand, MotionEffect::UpholdAppeal(effect))
            }
        }
    });
}

/// The yearly invoices: most members pay, in one part or in more.
pub fn pays(hand: &Hand, number: InvoiceId, invoice: &Invoice) -> bool {
    invoice.charge == Charge::First || hand.fate("pays", number.0) < 78
}
