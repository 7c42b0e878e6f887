//! Pools and draws (RULINGS R7, R22).
//!
//! * A programme officer enters persons, a board motion confirms them. Freezing takes every
//!   confirmed person whom no earlier round of the same subject took, so that experts added later
//!   are drawn among themselves.
//! * PO, OFF and a seat holder of another group commit to 32 random bytes, then reveal. Seed =
//!   SHA-256 over subject and round, pool hash, and the three reveals in that order. The order of
//!   the whole pool follows from the seed ([`order`]).
//! * Each step takes 72 hours. Who is missing is replaced by the board's next holder, and the
//!   clock's event says so. After a missing reveal all three commit again, to fresh bytes: a
//!   replacement who had seen the other reveals could choose the seed.
//! * Of members equal at the last seat of an election one is drawn likewise (RULINGS R10): nobody freezes
//!   a pool, the close of the ballots begins it; those among whom it draws, and their groups, take no
//!   place unless nobody else is left.
//! * [`pool_hash`], [`seed`] and [`order`] are pure, so anybody recomputes a draw.
//!
//! Absent: that a person is alive, willing, competent; the ledger knows numbers and homes only
//! (RULINGS A16).

use std::collections::BTreeSet;

use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, sha256_tagged};
use rollbook_proof::number::OrganisationId;

use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{CallId, DrawId, GroupId, Id, MotionId, PersonId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::draws::is_awaited;
use crate::lookup::{groups, rights, seats};
use crate::object::agreement::Agreement;
use crate::object::call::Call;
use crate::object::draw::{Draw, DrawStatus as D, PoolMember, Slot};
use crate::object::motion::Motion;
use crate::record::{CallAct, ConfirmPool, DrawFor, PoolKind, draw_commitment};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::Effect;
use crate::rules::funding::review;
use crate::rules::motion::election;
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Most persons of one pool.
pub const POOL_MAX: usize = 2_048;

/// The first holders of the three places; the third is any seat holder of the board.
const PLACES: [Option<Role>; 3] = [
    Some(Role::ProgrammeOfficer),
    Some(Role::SecondOfficer),
    None,
];

/// Hash of a frozen pool: 'rollbook/draw-pool/v1' 0x00 || subject, round || persons ascending.
pub fn pool_hash<T: Id>(subject: DrawFor, round: u32, pool: &[T]) -> Hash {
    sha256_tagged(
        "rollbook/draw-pool/v1",
        &[&encode(&(subject, round)), &encode(&pool.to_vec())],
    )
}

/// The seed: 'rollbook/draw-seed/v1' 0x00 || chain || subject, round || pool hash || reveals of PO,
/// OFF, seat holder.
pub fn seed(chain: &Hash, subject: DrawFor, round: u32, pool: &Hash, reveals: &[Hash]) -> Hash {
    let head = encode(&(subject, round));
    let mut parts: Vec<&[u8]> = vec![&chain.0, &head, &pool.0];
    parts.extend(reveals.iter().map(|reveal| reveal.0.as_slice()));
    sha256_tagged("rollbook/draw-seed/v1", &parts)
}

/// The order of a pool for one object (application, milestone) of the subject, first first:
/// ascending by 'rollbook/draw-order/v1' 0x00 || seed || object || person. One seed, one order per
/// object: nobody gets all the work.
pub fn order<T: Id>(seed: &Hash, object: u32, pool: &[T]) -> Vec<T> {
    let key = |person: &T| {
        sha256_tagged(
            "rollbook/draw-order/v1",
            &[&seed.0, &encode(&(object, *person))],
        )
    };
    let mut keyed: Vec<(Hash, T)> = pool.iter().map(|person| (key(person), *person)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, person)| person).collect()
}

/// Numbers of a subject's draws, in the order of rounds.
pub fn draws(tx: &Tx, subject: DrawFor) -> Vec<DrawId> {
    tx.t.draw_of
        .range((subject, 0)..=(subject, u32::MAX))
        .map(|(_, draw)| *draw)
        .collect()
}

/// Everybody drawn for an object of a subject, in order, round after round, each with the draw.
pub fn order_for(tx: &Tx, subject: DrawFor, object: u32) -> Vec<(PersonId, DrawId)> {
    let mut all = Vec::new();
    for number in draws(tx, subject) {
        if let Some(draw) = tx.t.draws.get(&number)
            && let Some(seed) = &draw.seed
        {
            all.extend(
                order(seed, object, &draw.pool)
                    .into_iter()
                    .map(|person| (person, number)),
            );
        }
    }
    all
}

/// Whose officers draw for a subject, and from which pool persons come; refuses if it is not time.
fn subject_facts(tx: &Tx, subject: DrawFor) -> Result<(Scope, Option<PoolKind>), Refusal> {
    let awaited = is_awaited(&tx.t, subject);
    match subject {
        DrawFor::Call(number) => {
            let call = tx.get::<Call>(number)?;
            require!(
                awaited,
                "R22.call-not-closed",
                call = number,
                status = call.status
            );
            Ok((Scope::Fund(call.terms.fund), Some(PoolKind::Reviewers)))
        }
        DrawFor::Agreement(number) => {
            let agreement = tx.get::<Agreement>(number)?;
            require!(
                awaited,
                "R22.agreement-not-in-force",
                agreement = number,
                state = agreement.state
            );
            Ok((Scope::Fund(agreement.fund), Some(PoolKind::Assessors)))
        }
        DrawFor::Election(number) => {
            let motion = tx.get::<Motion>(number)?;
            require!(
                awaited,
                "R22.nothing-to-draw",
                motion = number,
                status = motion.status
            );
            Ok((Scope::Alliance, None))
        }
    }
}

/// The seed of a draw stands: what follows.
fn drawn(tx: &mut Tx, draw: &Draw) -> Result<(), Refusal> {
    match draw.subject {
        DrawFor::Election(number) => {
            let seed = draw.seed.unwrap_or_default();
            election::drawn(tx, number, &order(&seed, number.0, &draw.names))
        }
        DrawFor::Call(number) => review::assign_all(tx, number),
        DrawFor::Agreement(number) => crate::rules::funding::milestone::assessors_drawn(tx, number),
    }
}

/// Applies an act on pools and draws.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &CallAct) -> Result<Outcome, Refusal> {
    match act {
        CallAct::EnterPool { pool, persons } => enter_pool(tx, actor, *pool, persons)?,
        CallAct::FreezePool { subject } => freeze(tx, actor, *subject)?,
        CallAct::CommitDraw { draw, commitment } => commit(tx, actor, *draw, commitment)?,
        CallAct::RevealDraw { draw, secret } => reveal(tx, actor, *draw, secret)?,
        _ => refuse!("A4.no-such-transition"),
    }
    Ok(Outcome::Applied)
}

/// R7: the programme officer enters persons with a technical role, at home in any organisation of
/// the ledger.
fn enter_pool(
    tx: &mut Tx,
    actor: &Actor,
    pool: PoolKind,
    persons: &[PersonId],
) -> Result<(), Refusal> {
    must_hold(tx, actor, Role::ProgrammeOfficer, Scope::Alliance)?;
    for number in persons {
        let Some(person) = tx.t.persons.get(number) else {
            refuse!("R7.unknown-person", person = number)
        };
        require!(
            person.roles.contains(&Role::Technical),
            "R7.not-technical",
            person = number
        );
        require!(
            !tx.t.pools.contains(&(pool, *number)),
            "R7.already-in-pool",
            person = number
        );
        let entered_ms = tx.now;
        tx.t.pools().put(
            (pool, *number),
            PoolMember {
                entered_ms,
                confirmed: None,
            },
        );
    }
    Ok(())
}

/// The guards of motion `pool`.
fn check_confirm(tx: &Tx, plan: &ConfirmPool) -> Result<(), Refusal> {
    for person in &plan.persons {
        match tx.t.pools.get(&(plan.pool, *person)) {
            None => refuse!("R7.not-entered", person = person),
            Some(member) => require!(
                member.confirmed.is_none(),
                "R7.already-confirmed",
                person = person
            ),
        }
    }
    Ok(())
}

/// Motion `pool`: the persons may be drawn.
fn confirm(tx: &mut Tx, motion: MotionId, plan: &ConfirmPool) -> Result<(), Refusal> {
    check_confirm(tx, plan)?;
    for person in &plan.persons {
        if let Some(member) = tx.t.pools.get(&(plan.pool, *person)).copied() {
            tx.t.pools().put(
                (plan.pool, *person),
                PoolMember {
                    confirmed: Some(motion),
                    ..member
                },
            );
        }
    }
    Ok(())
}

/// R22: the programme officer freezes the pool.
fn freeze(tx: &mut Tx, actor: &Actor, subject: DrawFor) -> Result<(), Refusal> {
    let (scope, kind) = subject_facts(tx, subject)?;
    let Some(kind) = kind else {
        refuse!("R22.opened-by-election")
    };
    must_hold(tx, actor, Role::ProgrammeOfficer, scope)?;
    let mut before = BTreeSet::new();
    let earlier = draws(tx, subject);
    for number in &earlier {
        let draw = tx.get::<Draw>(*number)?;
        require!(draw.status == D::Drawn, "R22.draw-running", draw = number);
        before.extend(draw.pool);
    }
    let confirmed =
        tx.t.pools
            .range((kind, Id::MIN)..=(kind, Id::MAX))
            .filter(|(_, member)| member.confirmed.is_some());
    let pool: Vec<PersonId> = confirmed
        .map(|((_, person), _)| *person)
        .filter(|person| !before.contains(person))
        .collect();
    require!(!pool.is_empty(), "R22.pool-empty", pool = kind);
    require!(
        pool.len() <= POOL_MAX,
        "R22.pool-too-large",
        persons = pool.len(),
        most = POOL_MAX
    );
    let round = next_round(&earlier);
    let pool_hash = pool_hash(subject, round, &pool);
    begin(tx, "R22", (subject, round, pool_hash), pool, Vec::new()).map(drop)
}

/// The round after these draws on one subject.
fn next_round(earlier: &[DrawId]) -> u32 {
    let count = u32::try_from(earlier.len()).unwrap_or(u32::MAX);
    count.saturating_add(1)
}

/// Begins a draw among persons of a pool, or among names.
fn begin(
    tx: &mut Tx,
    code: &'static str,
    (subject, round, pool_hash): (DrawFor, u32, Hash),
    pool: Vec<PersonId>,
    names: Vec<OrganisationId>,
) -> Result<DrawId, Refusal> {
    let number = tx.next_id::<DrawId>();
    let draw = Draw {
        number,
        subject,
        round,
        attempt: 1,
        pool_hash,
        pool,
        names,
        slots: empty_places(),
        named: Vec::new(),
        seed: None,
        status: tx.begin::<Draw>(number, code, D::Committing)?,
        since_ms: tx.now,
    };
    tx.t.draw_of().put((subject, round), number);
    tx.put(draw);
    restart_clock(tx, number)?;
    Ok(number)
}

/// The three places, none taken.
fn empty_places() -> Vec<Slot> {
    let empty = Slot {
        seat: None,
        person: None,
        commitment: None,
        secret: None,
    };
    vec![empty; PLACES.len()]
}

/// R10: the draw among members equal at the last seat of an election begins with its close.
pub(crate) fn among_elected(
    tx: &mut Tx,
    motion: MotionId,
    mut names: Vec<OrganisationId>,
) -> Result<DrawId, Refusal> {
    names.sort_unstable();
    let subject = DrawFor::Election(motion);
    let round = next_round(&draws(tx, subject));
    let pool_hash = pool_hash(subject, round, &names);
    begin(tx, "M36", (subject, round, pool_hash), Vec::new(), names)
}

/// Groups of the members among whom a draw is made: they do not draw.
fn drawn_among(tx: &Tx, draw: &Draw) -> BTreeSet<GroupId> {
    let names = draw.names.iter();
    names.map(|name| groups::group_of(&tx.t, *name)).collect()
}

fn restart_clock(tx: &mut Tx, number: DrawId) -> Result<(), Refusal> {
    let hours = tx.charter()?.funding.draw_reveal_hours;
    tx.schedule(
        DeadlineKind::DrawStep,
        number,
        tx.delay(Period::Hours(hours)),
    );
    Ok(())
}

/// The person who would take place `index` of the draw in this record.
fn taker(tx: &Tx, actor: &Actor, scope: Scope, index: usize, slot: &Slot) -> Option<PersonId> {
    match (slot.seat, PLACES.get(index).copied().flatten()) {
        (Some(seat), _) => (actor.number() == seat)
            .then(|| actor.signer(Role::Primary))
            .flatten()
            .map(|s| s.person),
        (None, Some(role)) if actor.organisation.kind == OrganisationKind::Office => {
            must_hold(tx, actor, role, scope)
                .ok()
                .map(|signer| signer.person)
        }
        (None, None) if seats::holds(&tx.t, actor.number()) => {
            actor.signer(Role::Primary).map(|signer| signer.person)
        }
        _ => None,
    }
}

fn home_group(tx: &Tx, person: PersonId) -> GroupId {
    tx.t.persons
        .get(&person)
        .map_or(GroupId::default(), |person| {
            groups::group_of(&tx.t, person.home)
        })
}

fn is_seat(index: usize, slot: &Slot) -> bool {
    slot.seat.is_some() || PLACES.get(index).copied().flatten().is_none()
}

/// R22: one of the three commits.
fn commit(tx: &mut Tx, actor: &Actor, number: DrawId, commitment: &Hash) -> Result<(), Refusal> {
    let mut draw = tx.get::<Draw>(number)?;
    require!(
        draw.status == D::Committing,
        "R22.wrong-state",
        draw = number,
        status = draw.status
    );
    let (scope, _) = subject_facts(tx, draw.subject)?;
    let free = draw
        .slots
        .iter()
        .enumerate()
        .filter(|(_, slot)| slot.commitment.is_none());
    let found = free
        .filter_map(|(index, slot)| {
            taker(tx, actor, scope, index, slot).map(|person| (index, person))
        })
        .next();
    let Some((index, person)) = found else {
        refuse!(
            "R22.no-free-place",
            draw = number,
            organisation = actor.number()
        )
    };
    let seat = draw
        .slots
        .get(index)
        .is_some_and(|slot| is_seat(index, slot));
    // Whoever was named for the place in person was so because nobody else is left.
    let by_name = (draw.slots.get(index)).is_some_and(|slot| slot.seat.is_some());
    require!(
        by_name || !drawn_among(tx, &draw).contains(&home_group(tx, person)),
        "M36.drawn-among",
        person = person
    );
    for (other_index, other) in draw.slots.iter().enumerate().filter(|(i, _)| *i != index) {
        let Some(other_person) = other.person else {
            continue;
        };
        require!(other_person != person, "N12.same-person", person = person);
        // Officers of one fund may share an employer (RULINGS R6); a seat holder comes from another
        // group.
        let apart = !(seat || is_seat(other_index, other))
            || home_group(tx, person) != home_group(tx, other_person);
        require!(
            apart,
            "R22.same-group",
            person = person,
            other = other_person
        );
    }
    if let Some(slot) = draw.slots.get_mut(index) {
        slot.person = Some(person);
        slot.commitment = Some(*commitment);
    }
    if draw.slots.iter().all(|slot| slot.commitment.is_some()) {
        tx.go(&mut draw, "R22", D::Revealing)?;
        restart_clock(tx, number)?;
    }
    tx.put(draw);
    Ok(())
}

/// R22: one of the three reveals. The last reveal draws.
fn reveal(tx: &mut Tx, actor: &Actor, number: DrawId, secret: &[u8; 32]) -> Result<(), Refusal> {
    let mut draw = tx.get::<Draw>(number)?;
    require!(
        draw.status == D::Revealing,
        "R22.wrong-state",
        draw = number,
        status = draw.status
    );
    let attempt = draw.attempt;
    let signs = |slot: &Slot| {
        slot.secret.is_none()
            && actor
                .signers
                .iter()
                .any(|signer| slot.person == Some(signer.person))
    };
    let Some(slot) = draw.slots.iter_mut().find(|slot| signs(slot)) else {
        refuse!(
            "R22.nothing-to-reveal",
            draw = number,
            organisation = actor.number()
        )
    };
    let matches = slot
        .person
        .is_some_and(|p| slot.commitment == Some(draw_commitment(number, attempt, p, secret)));
    require!(matches, "R22.other-bytes", draw = number);
    slot.secret = Some(Hash(*secret));
    let reveals: Option<Vec<Hash>> = draw.slots.iter().map(|slot| slot.secret).collect();
    let complete = reveals.is_some();
    if let Some(reveals) = reveals {
        draw.seed = Some(seed(
            &tx.chain,
            draw.subject,
            draw.round,
            &draw.pool_hash,
            &reveals,
        ));
        tx.go(&mut draw, "R22", D::Drawn)?;
        tx.cancel(DeadlineKind::DrawStep, number);
    }
    tx.put(draw.clone());
    if complete { drawn(tx, &draw) } else { Ok(()) }
}

/// R22, by the clock: who is missing is replaced by the board's next holder; after a missing reveal
/// all commit again.
pub fn on_deadline(tx: &mut Tx, number: DrawId, due: Due) -> Result<(), Refusal> {
    let mut draw = tx.get::<Draw>(number)?;
    if !is_awaited(&tx.t, draw.subject) {
        // The subject has gone on without this draw: nobody waits for it, nobody is replaced.
        return Ok(());
    }
    let revealing = draw.status == D::Revealing;
    let missing: Vec<usize> = (draw.slots.iter().enumerate())
        .filter(|(_, slot)| {
            if revealing {
                slot.secret.is_none()
            } else {
                slot.commitment.is_none()
            }
        })
        .map(|(index, _)| index)
        .collect();
    for index in &missing {
        let taken: BTreeSet<GroupId> = (draw.slots.iter().enumerate())
            .filter(|(i, _)| i != index)
            .flat_map(|(_, slot)| {
                let person = slot.person.map(|person| home_group(tx, person));
                [person, slot.seat.map(|seat| groups::group_of(&tx.t, seat))]
            })
            .flatten()
            .collect();
        // The one who is missing is passed over as well, for this draw.
        let before = draw
            .slots
            .get(*index)
            .and_then(|slot| slot.person)
            .map(|person| home_group(tx, person));
        let may = |organisation: &OrganisationId| {
            let group = groups::group_of(&tx.t, *organisation);
            !taken.contains(&group) && before != Some(group)
        };
        let next = replacements(tx, &draw).into_iter().find(may);
        if next.is_none() && !draw.names.is_empty() {
            // An election must not wait for ever: everybody is asked again.
            draw.named.clear();
        }
        draw.named.extend(next);
        if let Some(slot) = draw.slots.get_mut(*index) {
            *slot = Slot {
                seat: next,
                person: None,
                commitment: None,
                secret: None,
            };
        }
    }
    tx.go(&mut draw, "R22", D::Committing)?;
    if revealing {
        draw.attempt = draw.attempt.saturating_add(1);
        for slot in &mut draw.slots {
            *slot = Slot {
                seat: slot.seat,
                person: None,
                commitment: None,
                secret: None,
            };
        }
    }
    draw.since_ms = tx.now;
    let places = missing
        .iter()
        .filter_map(|index| Some((u32::try_from(*index).ok()?, draw.slots.get(*index)?.seat)))
        .collect();
    tx.emit(
        due,
        EventBody::DrawPassed {
            draw: number,
            attempt: draw.attempt,
            places,
        },
    );
    tx.put(draw);
    restart_clock(tx, number)
}

/// Who takes a place that was missed, in order: the board's holders; for an election, whose board may be
/// gone, then the members by number (RULINGS R28), and those among whom it draws last.
fn replacements(tx: &Tx, draw: &Draw) -> Vec<OrganisationId> {
    let mut all: Vec<OrganisationId> = seats::holders(&tx.t)
        .filter(|organisation| seats::holds(&tx.t, *organisation))
        .collect();
    if let DrawFor::Election(_) = draw.subject {
        let among = drawn_among(tx, draw);
        let members: BTreeSet<OrganisationId> = (tx.t.memberships.iter())
            .map(|(_, membership)| membership.organisation)
            .filter(|organisation| rights::is_live(&tx.t, *organisation))
            .collect();
        all.extend(members);
        let (last, first): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|organisation| among.contains(&groups::group_of(&tx.t, *organisation)));
        all = first.into_iter().chain(last).collect();
    }
    all.retain(|organisation| !draw.named.contains(organisation));
    all
}

/// The subject is gone: its running draw stops where it stands.
pub(super) fn abandon(tx: &mut Tx, call: CallId) -> Result<(), Refusal> {
    for number in draws(tx, DrawFor::Call(call)) {
        tx.cancel(DeadlineKind::DrawStep, number);
    }
    Ok(())
}

impl Effect for ConfirmPool {
    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        // It is for everybody; who later applies is judged then.
        Vec::new()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_confirm(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, _due: Due) -> Result<(), Refusal> {
        confirm(tx, motion, self)
    }
}
