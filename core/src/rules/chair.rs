//! The chair of the alliance (RULINGS R48): a post of an office, named in the genesis, then elected by the
//! assembly like a seat.
//!
//! * The ballots name members. The first primary, by number, of the member that is elected is offered the
//!   post, and accepts or declines it like any other. There is one chair, without a deputy.
//! * The chair may do what any one seat holder may, except vote: propose what the board decides, say that
//!   the secretary is away, agree to working days, confirm a correction. Where several seat holders act
//!   together the chair is none of them.
//! * Whoever was elected by the assembly is removed by nobody else: a successor displaces the chair, and
//!   with the chair a next term that was accepted. An offer that waits keeps no election from being
//!   held: the newer one displaces it.

use rollbook_proof::number::OrganisationId;

use crate::id::{MotionId, PersonId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{find, rights};
use crate::object::motion::Motion;
use crate::object::post::{Post, PostStatus};
use crate::record::{Appointment, ElectChair};
use crate::refusal::Refusal;
use crate::rules::authority::{Actor, must_hold};
use crate::rules::{posts, seats};
use crate::tx::{Due, Tx};
use crate::{refuse, require};

/// Whoever acts here as one seat holder may: the primary of a member with a seat, or the chair. Refused
/// with `R7.no-seat`.
pub(crate) fn seat_holder_or_chair(tx: &Tx, actor: &Actor) -> Result<PersonId, Refusal> {
    if actor.organisation.kind == OrganisationKind::Office {
        let chair = must_hold(tx, actor, Role::Chair, Scope::Alliance)?;
        return Ok(chair.person);
    }
    Ok(seats::must_hold_one(tx, actor)?.person)
}

/// Who is offered the post if this member is elected: its first primary with a key. Refused unless the
/// member may stand and that person may be chair.
pub(crate) fn may_stand(
    tx: &Tx,
    organisation: OrganisationId,
    plan: &ElectChair,
) -> Result<PersonId, Refusal> {
    let rights = rights::rights(&tx.t, organisation);
    require!(
        rights.may_sponsor && rights.assembly_vote,
        "R48.may-not-stand",
        organisation = organisation
    );
    let officers = tx.organisation(organisation)?.officers.iter();
    let primary = officers
        .filter(|person| {
            tx.t.persons.get(person).is_some_and(|facts| {
                facts.in_force(tx.now) && facts.has_key() && facts.roles.contains(&Role::Primary)
            })
        })
        .min();
    let Some(person) = primary else {
        refuse!("R48.no-primary", organisation = organisation)
    };
    posts::may_hold(tx, *person, Role::Chair, Scope::Alliance, plan.succeeds)?;
    Ok(*person)
}

/// Whether the election can give the alliance a chair now.
pub(crate) fn check(tx: &Tx, plan: &ElectChair) -> Result<(), Refusal> {
    posts::check_place(tx, plan.office, Role::Chair, Scope::Alliance, plan.succeeds)?;
    let another = |(number, post): (&crate::id::PostId, &Post)| {
        post.role == Role::Chair && Some(*number) != plan.succeeds && post.status.in_force()
    };
    require!(!tx.t.posts.iter().any(another), "R48.one-chair");
    Ok(())
}

/// Whether the chair whom the election follows is held over (RULINGS R28).
pub(crate) fn is_held_over(tx: &Tx, plan: &ElectChair) -> bool {
    let post = plan.succeeds.and_then(|number| tx.t.posts.get(&number));
    post.is_some_and(|post| post.status == PostStatus::HeldOver)
}

/// The post is offered to whom the assembly elected. Who may not hold it any more is offered nothing.
pub(crate) fn offer(
    tx: &mut Tx,
    plan: &ElectChair,
    motion: MotionId,
    due: Due,
) -> Result<(), Refusal> {
    let poll = find::<Motion>(&tx.t, motion)?.poll.clone();
    let elected = poll.and_then(|poll| poll.elected.first().copied());
    let able = elected.and_then(|elected| may_stand(tx, elected, plan).ok());
    let Some(holder) = able else {
        return Ok(());
    };
    posts::lapse_offers_of_chair(tx, due)?;
    posts::offer(
        tx,
        &Appointment {
            office: plan.office,
            role: Role::Chair,
            scope: Scope::Alliance,
            holder,
            deputy: None,
            succeeds: plan.succeeds,
        },
    )
}
