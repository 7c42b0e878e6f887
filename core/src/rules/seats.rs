//! Seats of the board (M36; RULINGS R7, R28): numbered terms of members, filled by election.
//!
//! * `may_sit` says whether a member may hold a seat now: asked of a name on a ballot, of whoever was
//!   elected, and again when it accepts. One seat for a group of related companies.
//! * An election names the seats that it fills anew. A successor's acceptance displaces the holder; a
//!   sitting holder's begins the next term when the old one ends. Whose term ended goes on until a
//!   successor has accepted; who resigned does not. It also gives way once another member of its group
//!   accepts a seat.
//! * A class that loses its seats or its vote by an amendment loses the seats that it holds (RULINGS R32).
//!
//! * With the holder's membership its seats end, and offers of one.
//! * Of two seats that come into one group the later ends once the charter's days are over (`seat_cure_days`,
//!   M24), unless one of them was given up, or the two are one group no longer.

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{MotionId, SeatId};
use crate::identity::Role;
use crate::lookup::{groups, rights, seats};
use crate::object::seat::{Seat, SeatStatus};
use crate::record::ElectSeat;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::authority::{Actor, Signer};
use crate::tx::{DeadlineKind, Due, Tx};

/// A first seat, from now until the end of its term.
pub(crate) fn take(
    tx: &mut Tx,
    organisation: OrganisationId,
    until_ms: LedgerTime,
) -> Result<(), Refusal> {
    let number = tx.next_id::<SeatId>();
    let seat = Seat {
        number,
        organisation,
        from_ms: tx.now,
        until_ms,
        succeeds: None,
        successor: None,
        motion: None,
        status: tx.begin::<Seat>(number, "M25", SeatStatus::Held)?,
        since_ms: tx.now,
    };
    tx.put(seat);
    tx.schedule(DeadlineKind::SeatTerm, number, until_ms);
    Ok(())
}

/// Refuses unless the organisation may sit on the board now: a member that may stand, of a class with
/// seats and a vote, and nobody of its group sits there but in `filled`, the seats that are filled
/// anew.
pub(crate) fn may_sit(
    tx: &Tx,
    organisation: OrganisationId,
    filled: &[SeatId],
) -> Result<(), Refusal> {
    let rights = rights::rights(&tx.t, organisation);
    require!(
        rights.may_sponsor && rights.board_vote,
        "M36.may-not-sit",
        organisation = organisation
    );
    let others = seats::in_force(&tx.t)
        .filter(|seat| !filled.contains(&seat.number))
        .map(|seat| seat.organisation);
    require!(
        !groups::has_seat(&tx.t, organisation, others),
        "R7.group-has-seat",
        organisation = organisation
    );
    Ok(())
}

/// Whoever signs as primary for a member with a seat. Refused with `R7.no-seat`.
pub(crate) fn must_hold_one<'a>(tx: &Tx, actor: &'a Actor) -> Result<&'a Signer, Refusal> {
    let primary = actor.must_sign(Role::Primary)?;
    require!(
        seats::holds(&tx.t, actor.number()),
        "R7.no-seat",
        organisation = actor.number()
    );
    Ok(primary)
}

/// The end of a term that begins at `from`.
fn term_end(tx: &Tx, from: LedgerTime) -> Result<LedgerTime, Refusal> {
    let days = tx.charter()?.terms.seat_days;
    Ok(tx.calendar().delay(from, Period::Days(days)))
}

/// Whether the seats of an election can be filled now.
pub(crate) fn check_election(tx: &Tx, plan: &ElectSeat) -> Result<(), Refusal> {
    for number in &plan.seats {
        let seat = tx.get::<Seat>(*number)?;
        let was_held = seat.status.in_force() || seat.status == SeatStatus::Ended;
        require!(was_held, "R28.no-seat", seat = number);
        require!(seat.successor.is_none(), "R28.seat-filled", seat = number);
        let offered =
            tx.t.seats
                .iter()
                .any(|(_, seat)| seat.succeeds == Some(*number) && seat.status.is_coming());
        require!(!offered, "R28.seat-offered", seat = number);
    }
    // Seats that are held or offered besides those that are filled.
    let besides = tx.t.seats.iter().filter(|(number, seat)| {
        let comes = seat.status.is_coming()
            && !seat
                .succeeds
                .and_then(|before| tx.t.seats.get(&before))
                .is_some_and(|before| before.status.in_force());
        !plan.seats.contains(number) && (seat.status.in_force() || comes)
    });
    let (others, limit) = (besides.count(), tx.charter()?.board_seats as usize);
    require!(
        others.saturating_add(plan.places() as usize) <= limit,
        "M36.too-many-seats",
        places = plan.places(),
        others = others,
        limit = limit
    );
    Ok(())
}

/// Offers the seats to who was elected: who holds one of them keeps its number's row, the others follow
/// in the order of voices. Who may not sit on the board any more is passed over.
pub(crate) fn offer(
    tx: &mut Tx,
    motion: MotionId,
    plan: &ElectSeat,
    elected: &[OrganisationId],
    due: Due,
) -> Result<(), Refusal> {
    let able: Vec<OrganisationId> = elected
        .iter()
        .copied()
        .filter(|organisation| may_sit(tx, *organisation, &plan.seats).is_ok())
        .collect();
    let mut free: Vec<SeatId> = plan.seats.clone();
    let mut offers: Vec<(OrganisationId, Option<SeatId>)> = Vec::new();
    for organisation in &able {
        let own = free.iter().position(|number| {
            let seat = tx.t.seats.get(number);
            seat.is_some_and(|seat| seat.organisation == *organisation && seat.status.in_force())
        });
        if let Some(at) = own {
            offers.push((*organisation, Some(free.remove(at))));
        }
    }
    let new = |organisation: &&OrganisationId| !offers.iter().any(|(has, _)| has == *organisation);
    let new: Vec<OrganisationId> = able.iter().filter(new).copied().collect();
    let mut free = free.into_iter();
    offers.extend(
        new.into_iter()
            .map(|organisation| (organisation, free.next())),
    );
    let days = tx.charter()?.terms.offer_days;
    let lapses = tx.deadline(Period::Days(days));
    for (organisation, succeeds) in offers {
        let number = tx.next_id::<SeatId>();
        let seat = Seat {
            number,
            organisation,
            from_ms: tx.now,
            until_ms: term_end(tx, tx.now)?,
            succeeds,
            successor: None,
            motion: Some(motion),
            status: tx.begin::<Seat>(number, "M36", SeatStatus::Offered)?,
            since_ms: tx.now,
        };
        tx.put(seat);
        tx.schedule(DeadlineKind::SeatOffer, number, lapses);
        tell(tx, due, number, organisation, SeatStatus::Offered);
    }
    Ok(())
}

fn tell(tx: &mut Tx, due: Due, seat: SeatId, organisation: OrganisationId, status: SeatStatus) {
    tx.emit(
        due,
        EventBody::SeatMoved {
            seat,
            organisation,
            status,
        },
    );
}

/// The seat, if the member that it is about signs.
fn of_holder(tx: &Tx, actor: &Actor, number: SeatId) -> Result<Seat, Refusal> {
    let seat = tx.get::<Seat>(number)?;
    require!(
        seat.organisation == actor.number(),
        "M36.not-the-holder",
        seat = number,
        organisation = seat.organisation
    );
    actor.must_sign(Role::Primary)?;
    Ok(seat)
}

fn offered(tx: &Tx, actor: &Actor, number: SeatId) -> Result<Seat, Refusal> {
    let seat = of_holder(tx, actor, number)?;
    require!(
        seat.status == SeatStatus::Offered,
        "M36.not-offered",
        seat = number,
        status = seat.status
    );
    Ok(seat)
}

/// The member takes the seat to which it was elected.
pub(crate) fn accept(tx: &mut Tx, actor: &Actor, number: SeatId) -> Result<Outcome, Refusal> {
    let mut seat = offered(tx, actor, number)?;
    // Somebody of its group who holds over gives way: two elected to each other's relatives' seats would
    // otherwise wait for each other for ever.
    let gives_way = |other: &&Seat| {
        other.status == SeatStatus::HeldOver
            && Some(other.number) != seat.succeeds
            && groups::related(&tx.t, other.organisation, seat.organisation)
    };
    let over: Vec<Seat> = seats::in_force(&tx.t).filter(gives_way).cloned().collect();
    let mut filled: Vec<SeatId> = over.iter().map(|other| other.number).collect();
    filled.extend(seat.succeeds);
    may_sit(tx, seat.organisation, &filled)?;
    for other in over {
        tx.advance(other, "R28", SeatStatus::Ended)?;
    }
    let (mut from, mut to, mut code) = (tx.now, SeatStatus::Held, "M36");
    if let Some(before) = seat.succeeds {
        let mut before = tx.get::<Seat>(before)?;
        require!(
            before.successor.is_none(),
            "R28.seat-filled",
            seat = before.number
        );
        before.successor = Some(number);
        match before.status {
            SeatStatus::Held if before.organisation == seat.organisation => {
                (from, to, code) = (before.until_ms, SeatStatus::Accepted, "R28");
                tx.put(before);
            }
            SeatStatus::Held | SeatStatus::HeldOver => {
                tx.cancel(DeadlineKind::SeatTerm, before.number);
                tx.advance(before, "R28", SeatStatus::Ended)?;
            }
            _ => tx.put(before),
        }
    }
    seat.from_ms = from;
    seat.until_ms = term_end(tx, from)?;
    tx.cancel(DeadlineKind::SeatOffer, number);
    if to == SeatStatus::Held {
        tx.schedule(DeadlineKind::SeatTerm, number, seat.until_ms);
    }
    tx.advance(seat, code, to)?;
    Ok(Outcome::Applied)
}

/// The member does not want the seat.
pub(crate) fn decline(tx: &mut Tx, actor: &Actor, number: SeatId) -> Result<Outcome, Refusal> {
    let seat = offered(tx, actor, number)?;
    tx.cancel(DeadlineKind::SeatOffer, number);
    tx.advance(seat, "M36", SeatStatus::Declined)?;
    Ok(Outcome::Applied)
}

/// The member gives its seat up, at once; or the next term, which has not begun.
pub(crate) fn resign(tx: &mut Tx, actor: &Actor, number: SeatId) -> Result<Outcome, Refusal> {
    let seat = of_holder(tx, actor, number)?;
    require!(
        seat.status.in_force() || seat.status == SeatStatus::Accepted,
        "M36.not-held",
        seat = number,
        status = seat.status
    );
    end(tx, seat, "M36")?;
    Ok(Outcome::Applied)
}

/// The term that begins when that of a seat ends, if it was accepted.
fn next_term(tx: &Tx, seat: &Seat) -> Option<Seat> {
    let next = tx.t.seats.get(&seat.successor?)?;
    (next.status == SeatStatus::Accepted).then(|| next.clone())
}

/// Ends a seat before its term does: nobody is held over, and the holder's next term is gone, too. A next
/// term that ends before it began leaves the seat before it to another election.
fn end(tx: &mut Tx, seat: Seat, code: &'static str) -> Result<Vec<SeatId>, Refusal> {
    let mut ended = vec![seat.number];
    let next = next_term(tx, &seat);
    if let (SeatStatus::Accepted, Some(before)) = (seat.status, seat.succeeds) {
        let mut before = tx.get::<Seat>(before)?;
        before.successor = None;
        tx.put(before);
    }
    tx.cancel(DeadlineKind::SeatTerm, seat.number);
    let mut seat = seat;
    if let Some(next) = next {
        ended.push(next.number);
        seat.successor = None;
        tx.advance(next, code, SeatStatus::Ended)?;
    }
    tx.advance(seat, code, SeatStatus::Ended)?;
    Ok(ended)
}

/// With the end of a membership (`M20`, `M21`) its seats and its offers of one end. Where the clock does
/// it, an event tells of each.
pub(crate) fn end_all_of(
    tx: &mut Tx,
    organisation: OrganisationId,
    code: &'static str,
    due: Option<Due>,
) -> Result<(), Refusal> {
    let own: Vec<SeatId> =
        tx.t.seats
            .iter()
            .filter(|(_, seat)| seat.organisation == organisation)
            .map(|(number, _)| *number)
            .collect();
    for number in own {
        let seat = tx.get::<Seat>(number)?;
        let mut moved = Vec::new();
        if seat.status == SeatStatus::Offered {
            tx.cancel(DeadlineKind::SeatOffer, number);
            tx.advance(seat, code, SeatStatus::Lapsed)?;
            moved.push((number, SeatStatus::Lapsed));
        } else if seat.status.in_force() || seat.status == SeatStatus::Accepted {
            let ended = end(tx, seat, code)?;
            moved.extend(ended.into_iter().map(|number| (number, SeatStatus::Ended)));
        }
        if let Some(due) = due {
            for (number, status) in moved {
                tell(tx, due, number, organisation, status);
            }
        }
    }
    Ok(())
}

/// After an amendment: whose class has no seat or no vote any more loses the seats that it holds (RULINGS
/// R32).
pub(crate) fn vacate(tx: &mut Tx, due: Due) -> Result<(), Refusal> {
    let held: Vec<Seat> = seats::in_force(&tx.t).cloned().collect();
    for seat in held {
        let class = rights::of(&tx.t, seat.organisation).map(|membership| membership.class);
        let rule = class.and_then(|class| tx.charter().ok()?.class(class).copied());
        if rule.is_some_and(|rule| rule.seat_eligible && rule.assembly_vote) {
            continue;
        }
        let organisation = seat.organisation;
        for number in end(tx, seat, "R32")? {
            tell(tx, due, number, organisation, SeatStatus::Ended);
        }
    }
    Ok(())
}

/// The seats of an organisation's group, the earliest first.
fn of_group(tx: &Tx, organisation: OrganisationId) -> Vec<Seat> {
    let group = groups::members(&tx.t, organisation);
    let held = seats::in_force(&tx.t).filter(|seat| group.contains(&seat.organisation));
    let mut held: Vec<Seat> = held.cloned().collect();
    held.sort_by_key(|seat| (seat.from_ms, seat.number));
    held
}

/// M24: a group has grown. Each of its seats but the earliest has the charter's days.
pub(crate) fn begin_cure(tx: &mut Tx, organisation: OrganisationId) -> Result<(), Refusal> {
    let later: Vec<Seat> = of_group(tx, organisation).into_iter().skip(1).collect();
    let days = tx.charter()?.membership.seat_cure_days;
    for seat in later {
        if tx.due(DeadlineKind::SeatCure, seat.number).is_none() {
            let due = tx.deadline(Period::Days(days));
            tx.schedule(DeadlineKind::SeatCure, seat.number, due);
        }
    }
    Ok(())
}

/// M24: the days are over. The seat ends if its group has an earlier one still.
fn cure(tx: &mut Tx, seat: Seat, due: Due) -> Result<(), Refusal> {
    let earliest = of_group(tx, seat.organisation).into_iter().next();
    if !seat.status.in_force() || earliest.is_none_or(|first| first.number == seat.number) {
        return Ok(());
    }
    let organisation = seat.organisation;
    for number in end(tx, seat, "M24")? {
        tell(tx, due, number, organisation, SeatStatus::Ended);
    }
    Ok(())
}

/// Acts out a deadline of a seat: the offer lapses, the term ends, a group has given none up.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: SeatId,
    due: Due,
) -> Result<(), Refusal> {
    let seat = tx.get::<Seat>(number)?;
    let organisation = seat.organisation;
    match (kind, seat.status) {
        (DeadlineKind::SeatOffer, SeatStatus::Offered) => {
            tx.advance(seat, "R28", SeatStatus::Lapsed)?;
            tell(tx, due, number, organisation, SeatStatus::Lapsed);
        }
        (DeadlineKind::SeatCure, _) => cure(tx, seat, due)?,
        (DeadlineKind::SeatTerm, SeatStatus::Held) => {
            let Some(next) = next_term(tx, &seat) else {
                tx.advance(seat, "R28", SeatStatus::HeldOver)?;
                tx.emit(
                    due,
                    EventBody::SeatHeldOver {
                        seat: number,
                        organisation,
                    },
                );
                return Ok(());
            };
            let follows = next.number;
            tx.schedule(DeadlineKind::SeatTerm, follows, next.until_ms);
            tx.advance(next, "R28", SeatStatus::Held)?;
            tell(tx, due, follows, organisation, SeatStatus::Held);
            tx.advance(seat, "R28", SeatStatus::Ended)?;
            tell(tx, due, number, organisation, SeatStatus::Ended);
        }
        _ => {}
    }
    Ok(())
}
