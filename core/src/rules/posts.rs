//! Posts by motion (M35; RULINGS R7, R28, R29): appointed, accepted or declined, given up, removed, and
//! ended with the holder's last key.
//!
//! * `may_hold` says whether a person may hold a post now: asked when it is proposed, when the
//!   motion takes effect, and when the person accepts. An offer is no post.
//! * The auditor is appointed and removed by the assembly alone, comes from no member's group and
//!   holds nothing else; nobody is auditor and something else.
//! * One person holds one of programme officer, finance approver, treasurer, second officer, per
//!   fund.
//! * An appointment names the post that it fills anew. A successor's acceptance ends that post; its
//!   sitting holder's begins the next term when the old one ends. Whose term ended goes on until a
//!   successor has accepted; who was removed or gave the post up does not.
//!
//! * An absence is recorded and ended; while it lasts the deputy acts ([`crate::rules::authority`]).
//!   Where holder and deputy cannot act, two persons of seat holders of distinct groups stand in,
//!   together, for the charter's days, once.
//!
//! Absent: the ends of a holder's membership other than M20 and M21.

use std::collections::BTreeSet;

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::calendar::Period;
use crate::event::EventBody;
use crate::id::{MotionId, PersonId, PostId};
use crate::identity::{OrganisationKind, Role, Scope};
use crate::lookup::{self, groups};
use crate::object::fund::Fund;
use crate::object::matter::Matter;
use crate::object::post::{Post, PostStatus};
use crate::object::stand_in::StandIn;
use crate::record::{Appointment, RemoveAuditor, RemoveHolder};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::effect::Effect;
use crate::rules::{chair, relations, seats};
use crate::tx::{DeadlineKind, Due, Tx};
use crate::{refuse, require};

/// Home organisations of these persons.
fn homes(tx: &Tx, persons: &[Option<PersonId>]) -> Vec<OrganisationId> {
    let homes: BTreeSet<OrganisationId> = persons
        .iter()
        .flatten()
        .filter_map(|person| tx.t.persons.get(person))
        .map(|person| person.home)
        .collect();
    homes.into_iter().collect()
}

fn overlap(a: Scope, b: Scope) -> bool {
    a == Scope::Alliance || b == Scope::Alliance || a == b
}

/// The post, or `R7.unknown-post`.
fn known(tx: &Tx, number: PostId) -> Result<Post, Refusal> {
    match tx.t.posts.get(&number) {
        Some(post) => Ok(post.clone()),
        None => refuse!("R7.unknown-post", post = number),
    }
}

/// Refuses unless the person may hold such a post now (RULINGS R29). `but` is the post that it would
/// fill anew, which does not stand in its way.
pub(crate) fn may_hold(
    tx: &Tx,
    person: PersonId,
    role: Role,
    scope: Scope,
    but: Option<PostId>,
) -> Result<(), Refusal> {
    let Some(facts) = tx.t.persons.get(&person) else {
        refuse!("R7.unknown-person", person = person)
    };
    require!(
        facts.in_force(tx.now),
        "N24.person-not-in-force",
        officer = person
    );
    let standing = || {
        tx.t.posts
            .iter()
            .filter(move |(number, post)| post.status.in_force() && Some(**number) != but)
            .map(|(_, post)| post)
    };
    let held = || standing().filter(|post| post.holder == person);
    if role == Role::Auditor {
        require!(
            !relations::belongs_to_a_member(tx, facts.home),
            "R7.auditor-of-a-member",
            person = person,
            organisation = facts.home
        );
        let deputises = standing().any(|post| post.deputy == Some(person));
        require!(
            held().next().is_none() && !deputises,
            "R7.auditor-holds-a-post",
            person = person
        );
    }
    require!(
        !held().any(|post| post.role == Role::Auditor),
        "R7.auditor-holds-a-post",
        person = person
    );
    // A post for the whole alliance covers its funds: the same role may stand beside it there.
    let clash = held().any(|post| {
        if post.role == role {
            post.scope == scope
        } else {
            role.is_of_the_chain() && post.role.is_of_the_chain() && overlap(post.scope, scope)
        }
    });
    require!(!clash, "R7.second-post", person = person, role = role);
    Ok(())
}

/// Whether there is such a place to fill: in an office, for the alliance or a fund that there is, and, if
/// a post is named that is filled anew, that one.
pub(crate) fn check_place(
    tx: &Tx,
    office: OrganisationId,
    role: Role,
    scope: Scope,
    succeeds: Option<PostId>,
) -> Result<(), Refusal> {
    require!(
        tx.organisation(office)?.kind == OrganisationKind::Office,
        "R7.no-office",
        organisation = office
    );
    if let Scope::Fund(fund) = scope {
        tx.get::<Fund>(fund)?;
    }
    let Some(number) = succeeds else {
        return Ok(());
    };
    let before = known(tx, number)?;
    let same = (before.office, before.role, before.scope) == (office, role, scope);
    let was_held = before.status.in_force() || before.has_ended();
    require!(same && was_held, "R28.not-a-successor", post = number);
    // The board takes back an offer or a coming term of any other post. Of the chair only another
    // election can: it displaces both.
    let next = before.successor.and_then(|next| tx.t.posts.get(&next));
    let elected_anew = |next: &Post| role == Role::Chair && next.status == PostStatus::Accepted;
    require!(
        next.is_none_or(elected_anew),
        "R28.already-filled",
        post = number
    );
    if role == Role::Chair {
        return Ok(());
    }
    let offered =
        tx.t.posts
            .iter()
            .any(|(_, post)| post.succeeds == Some(number) && post.status.is_coming());
    require!(!offered, "R28.offer-open", post = number);
    Ok(())
}

/// Whether the post may be given to these persons. Asked of every appointment and of the first
/// posts of a genesis.
pub(crate) fn check_appointment(tx: &Tx, appointment: &Appointment) -> Result<(), Refusal> {
    let Appointment {
        office,
        role,
        scope,
        holder,
        deputy,
        succeeds,
    } = *appointment;
    check_place(tx, office, role, scope, succeeds)?;
    if role == Role::Chair {
        require!(tx.is_genesis(), "R48.chair-is-elected");
        let is_chair = |post: &Post| post.role == Role::Chair && post.status.in_force();
        let one = !tx.t.posts.iter().any(|(_, post)| is_chair(post));
        require!(
            one && scope == Scope::Alliance && deputy.is_none(),
            "R48.one-chair"
        );
    }
    for person in std::iter::once(holder).chain(deputy) {
        may_hold(tx, person, role, scope, succeeds)?;
    }
    Ok(())
}

/// The end of a term that begins at `from`.
fn term_end(tx: &Tx, from: LedgerTime) -> Result<LedgerTime, Refusal> {
    let days = tx.charter()?.terms.post_days;
    Ok(tx.calendar().delay(from, Period::Days(days)))
}

/// Writes a post that is in force from now until the end of its term: one of a genesis, or that of a
/// fund's officer.
pub(crate) fn take_up(tx: &mut Tx, code: &'static str, post: Post) -> Result<(), Refusal> {
    let status = tx.begin::<Post>(post.number, code, PostStatus::Held)?;
    tx.schedule(DeadlineKind::PostTerm, post.number, post.until_ms);
    tx.put(Post { status, ..post });
    Ok(())
}

/// A fund's officer named by its motion takes the post up.
pub(crate) fn take_up_of_fund(
    tx: &mut Tx,
    office: OrganisationId,
    role: Role,
    scope: Scope,
    holder: PersonId,
) -> Result<(), Refusal> {
    may_hold(tx, holder, role, scope, None)?;
    let post = Post {
        number: tx.next_id::<PostId>(),
        office,
        role,
        scope,
        holder,
        deputy: None,
        from_ms: tx.now,
        until_ms: term_end(tx, tx.now)?,
        absent: false,
        succeeds: None,
        successor: None,
        status: PostStatus::Held,
        since_ms: tx.now,
    };
    take_up(tx, "F01", post)
}

/// Offers the post. Whether the holder may have it was asked.
pub(crate) fn offer(tx: &mut Tx, appointment: &Appointment) -> Result<(), Refusal> {
    let number = tx.next_id::<PostId>();
    let status = tx.begin::<Post>(number, "M35", PostStatus::Offered)?;
    let post = Post {
        number,
        office: appointment.office,
        role: appointment.role,
        scope: appointment.scope,
        holder: appointment.holder,
        deputy: appointment.deputy,
        from_ms: tx.now,
        until_ms: term_end(tx, tx.now)?,
        absent: false,
        succeeds: appointment.succeeds,
        successor: None,
        status,
        since_ms: tx.now,
    };
    tx.put(post);
    let due = tx.deadline(Period::Days(tx.charter()?.terms.offer_days));
    tx.schedule(DeadlineKind::PostOffer, number, due);
    Ok(())
}

/// Ends a post before its term does: nobody is held over, and the holder's next term is gone, too. A next
/// term that ends before it began leaves the post before it to another motion. An offer that is taken
/// back was no post: it lapses.
fn end(tx: &mut Tx, mut post: Post, code: &'static str) -> Result<(), Refusal> {
    if let (PostStatus::Accepted, Some(before)) = (post.status, post.succeeds) {
        let mut before = known(tx, before)?;
        before.successor = None;
        tx.put(before);
    }
    let next = post
        .successor
        .and_then(|next| tx.t.posts.get(&next).cloned());
    let (ended, auditor) = (post.number, post.role == Role::Auditor);
    let next = next.filter(|next| next.status == PostStatus::Accepted);
    if next.is_some() {
        post.successor = None;
    }
    let to = if post.status == PostStatus::Offered {
        PostStatus::Lapsed
    } else {
        PostStatus::Ended
    };
    tx.advance(post, code, to)?;
    tx.cancel(DeadlineKind::PostTerm, ended);
    tx.cancel(DeadlineKind::PostOffer, ended);
    if let Some(next) = next {
        tx.advance(next, code, PostStatus::Ended)?;
    }
    if auditor {
        relations::join_waiting(tx)?;
    }
    Ok(())
}

/// Ends every post of a person who left or has no key any more (`M32`), or whose company is a member no
/// longer (`M20`, `M21`), and every offer to them (RULINGS R7). Where the clock does it, an event tells of each.
pub(crate) fn end_all_of(
    tx: &mut Tx,
    person: PersonId,
    code: &'static str,
    due: Option<Due>,
) -> Result<(), Refusal> {
    let held: Vec<PostId> =
        tx.t.posts
            .iter()
            .filter(|(_, post)| {
                post.holder == person && (post.status.in_force() || post.status.is_coming())
            })
            .map(|(number, _)| *number)
            .collect();
    for number in held {
        let post = known(tx, number)?;
        // A term that had been accepted already went with the one before it.
        if !post.status.in_force() && !post.status.is_coming() {
            continue;
        }
        end(tx, post, code)?;
        if let Some(due) = due {
            let status = known(tx, number)?.status;
            tell(tx, due, number, status);
        }
    }
    Ok(())
}

/// With the end of a membership its people are no deputies any more, and stand in for nobody
/// (RULINGS R7). Who stood in before, for the days that they had, stays on record: it happens once.
pub(crate) fn end_standing_in(tx: &mut Tx, organisation: OrganisationId) {
    let of_it = |person: &PersonId| {
        let person = tx.t.persons.get(person);
        person.is_some_and(|person| person.home == organisation)
    };
    let deputised: Vec<Post> =
        tx.t.posts
            .iter()
            .filter(|(_, post)| {
                let acts = || {
                    post.status.in_force()
                        || post.status.is_coming()
                        || lookup::posts::is_vacant(&tx.t, post)
                };
                post.deputy.as_ref().is_some_and(of_it) && acts()
            })
            .map(|(_, post)| post.clone())
            .collect();
    let pairs: Vec<PostId> =
        tx.t.stand_ins
            .iter()
            .filter(|(_, pair)| {
                let ours = |(_, of): (PersonId, OrganisationId)| of == organisation;
                let waits = pair.second.is_none() || pair.in_force(tx.now);
                waits && (ours(pair.first) || pair.second.is_some_and(ours))
            })
            .map(|(number, _)| *number)
            .collect();
    for mut post in deputised {
        post.deputy = None;
        tx.put(post);
    }
    for number in pairs {
        tx.t.stand_ins().remove(number);
    }
}

/// M35: the holder is away, or back: said by the holder or the secretary; of the secretary by a seat
/// holder's primary, or the chair.
pub(crate) fn absence(
    tx: &mut Tx,
    actor: &Actor,
    number: PostId,
    absent: bool,
) -> Result<Outcome, Refusal> {
    let mut post = known(tx, number)?;
    require!(post.status.in_force(), "M35.not-held", post = number);
    let by_secretary = || must_hold(tx, actor, Role::Secretary, Scope::Alliance).is_ok();
    let by_seat = || chair::seat_holder_or_chair(tx, actor).is_ok();
    let may = by_holder(tx, actor, number).is_ok()
        || post.role != Role::Secretary && by_secretary()
        || post.role == Role::Secretary && by_seat();
    require!(may, "M35.not-yours-to-say", post = number);
    require!(post.absent != absent, "M35.said-already", post = number);
    post.absent = absent;
    tx.stay(&post, "M35")?;
    tx.put(post);
    Ok(Outcome::Applied)
}

/// R7: somebody of a seat holder stands in for a post whose holder and deputy cannot act; with a
/// second, of another group, both act together for the charter's days, once.
pub(crate) fn stand_in(tx: &mut Tx, actor: &Actor, number: PostId) -> Result<Outcome, Refusal> {
    let post = known(tx, number)?;
    let person = seats::must_hold_one(tx, actor)?.person;
    require!(
        post.role != Role::Auditor,
        "R29.auditor-by-assembly",
        post = number
    );
    let away = lookup::posts::holder_is_away(&tx.t, &post, tx.now)
        && lookup::posts::able_deputy(&tx.t, &post, tx.now).is_none();
    require!(away, "R7.somebody-acts", post = number);
    may_hold(tx, person, post.role, post.scope, Some(number))?;
    let days = tx.charter()?.people.stand_in_days;
    let until_ms = tx.delay(Period::Days(days));
    let here = (person, actor.number());
    let Some(mut pair) = tx.t.stand_ins.get(&number).cloned() else {
        let pair = StandIn {
            first: here,
            second: None,
            until_ms,
        };
        tx.t.stand_ins().put(number, pair);
        return Ok(Outcome::Applied);
    };
    require!(pair.second.is_none(), "R7.stood-in-once", post = number);
    require!(
        !groups::related(&tx.t, pair.first.1, here.1) && pair.first.0 != here.0,
        "R7.same-group",
        organisation = here.1,
        other = pair.first.1
    );
    pair.second = Some(here);
    pair.until_ms = until_ms;
    tx.t.stand_ins().put(number, pair);
    Ok(Outcome::Applied)
}

fn check_removal(tx: &Tx, number: PostId, auditor: bool) -> Result<(), Refusal> {
    let post = known(tx, number)?;
    require!(
        post.status.in_force() || post.status.is_coming(),
        "R7.post-ended",
        post = number
    );
    if auditor {
        require!(
            post.role == Role::Auditor,
            "R29.not-the-auditor",
            post = number
        );
    } else {
        require!(
            post.role != Role::Auditor,
            "R29.auditor-by-assembly",
            post = number
        );
        require!(post.role != Role::Chair, "R48.chair-is-elected");
    }
    Ok(())
}

fn remove(tx: &mut Tx, number: PostId) -> Result<(), Refusal> {
    let post = known(tx, number)?;
    end(tx, post, "M35")
}

/// The post, if its holder signs: as an officer of the home organisation, or for the office.
fn by_holder(tx: &Tx, actor: &Actor, number: PostId) -> Result<Post, Refusal> {
    let post = known(tx, number)?;
    let signs = actor.signers.iter().any(|signer| {
        signer.person == post.holder
            && (signer.home == actor.number() || post.office == actor.number())
    });
    require!(
        signs,
        "M35.holder-must-sign",
        post = number,
        person = post.holder
    );
    Ok(post)
}

fn offered(tx: &Tx, actor: &Actor, number: PostId) -> Result<Post, Refusal> {
    require!(
        known(tx, number)?.status == PostStatus::Offered,
        "M35.not-offered",
        post = number
    );
    by_holder(tx, actor, number)
}

/// The holder accepts.
pub(crate) fn accept(tx: &mut Tx, actor: &Actor, number: PostId) -> Result<Outcome, Refusal> {
    let mut post = offered(tx, actor, number)?;
    may_hold(tx, post.holder, post.role, post.scope, post.succeeds)?;
    // A deputy who may not hold it any more falls away; the holder need not wait for another.
    post.deputy = post
        .deputy
        .filter(|deputy| may_hold(tx, *deputy, post.role, post.scope, post.succeeds).is_ok());
    let (mut from, mut to, mut code) = (tx.now, PostStatus::Held, "M35");
    if let Some(before) = post.succeeds {
        let mut before = known(tx, before)?;
        if let Some(next) = before.successor {
            let next = known(tx, next)?;
            // Another election came after the one whose term was to follow.
            require!(
                post.role == Role::Chair && next.status == PostStatus::Accepted,
                "R28.already-filled",
                post = before.number
            );
            tx.advance(next, "R48", PostStatus::Ended)?;
        }
        before.successor = Some(number);
        match before.status {
            PostStatus::Held if before.holder == post.holder => {
                (from, to, code) = (before.until_ms, PostStatus::Accepted, "R28");
                tx.put(before);
            }
            PostStatus::Held | PostStatus::HeldOver => {
                tx.cancel(DeadlineKind::PostTerm, before.number);
                tx.advance(before, "R28", PostStatus::Ended)?;
            }
            _ => tx.put(before),
        }
    }
    post.from_ms = from;
    post.until_ms = term_end(tx, from)?;
    tx.cancel(DeadlineKind::PostOffer, number);
    if to == PostStatus::Held {
        tx.schedule(DeadlineKind::PostTerm, number, post.until_ms);
    }
    let auditor = post.role == Role::Auditor;
    tx.advance(post, code, to)?;
    if auditor {
        // Whom the new auditor displaced stands in nobody's way any more.
        relations::join_waiting(tx)?;
    }
    Ok(Outcome::Applied)
}

/// The person does not want the post.
pub(crate) fn decline(tx: &mut Tx, actor: &Actor, number: PostId) -> Result<Outcome, Refusal> {
    let post = offered(tx, actor, number)?;
    tx.cancel(DeadlineKind::PostOffer, number);
    tx.advance(post, "R29", PostStatus::Declined)?;
    Ok(Outcome::Applied)
}

/// The holder gives the post up, at once.
pub(crate) fn resign(tx: &mut Tx, actor: &Actor, number: PostId) -> Result<Outcome, Refusal> {
    let post = by_holder(tx, actor, number)?;
    require!(
        post.status.in_force() || post.status == PostStatus::Accepted,
        "M35.not-held",
        post = number
    );
    end(tx, post, "M35")?;
    Ok(Outcome::Applied)
}

/// Acts out a deadline of a post: the offer lapses, the term ends.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: PostId,
    due: Due,
) -> Result<(), Refusal> {
    let post = known(tx, number)?;
    let to = match (kind, post.status) {
        (DeadlineKind::PostOffer, PostStatus::Offered) => PostStatus::Lapsed,
        (DeadlineKind::PostTerm, PostStatus::Held) => {
            let next = post
                .successor
                .and_then(|next| tx.t.posts.get(&next).cloned());
            match next.filter(|next| next.status == PostStatus::Accepted) {
                Some(next) => {
                    tx.schedule(DeadlineKind::PostTerm, next.number, next.until_ms);
                    move_by_clock(tx, next, "R28", PostStatus::Held, due)?;
                    PostStatus::Ended
                }
                None => PostStatus::HeldOver,
            }
        }
        _ => return Ok(()),
    };
    move_by_clock(tx, post, "R28", to, due)
}

/// R48: another election has decided: what the one before it offered and nobody has accepted lapses.
pub(crate) fn lapse_offers_of_chair(tx: &mut Tx, due: Due) -> Result<(), Refusal> {
    let open: Vec<Post> =
        tx.t.posts
            .iter()
            .filter(|(_, post)| post.role == Role::Chair && post.status == PostStatus::Offered)
            .map(|(_, post)| post.clone())
            .collect();
    for post in open {
        tx.cancel(DeadlineKind::PostOffer, post.number);
        move_by_clock(tx, post, "R48", PostStatus::Lapsed, due)?;
    }
    Ok(())
}

fn move_by_clock(
    tx: &mut Tx,
    post: Post,
    code: &'static str,
    to: PostStatus,
    due: Due,
) -> Result<(), Refusal> {
    let number = post.number;
    tx.advance(post, code, to)?;
    tell(tx, due, number, to);
    Ok(())
}

fn tell(tx: &mut Tx, due: Due, post: PostId, status: PostStatus) {
    tx.emit(due, EventBody::PostMoved { post, status });
}

impl Effect for Appointment {
    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        homes(tx, &[Some(self.holder), self.deputy])
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_appointment(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        check_appointment(tx, self)?;
        offer(tx, self)
    }
}

impl Effect for RemoveHolder {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Post(self.post)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        homes(tx, &[tx.t.posts.get(&self.post).map(|post| post.holder)])
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_removal(tx, self.post, false)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        remove(tx, self.post)
    }
}

impl Effect for RemoveAuditor {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Post(self.post)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        homes(tx, &[tx.t.posts.get(&self.post).map(|post| post.holder)])
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_removal(tx, self.post, true)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: Due) -> Result<(), Refusal> {
        remove(tx, self.post)
    }
}
