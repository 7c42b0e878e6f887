//! Posts by motion (M35; RULINGS R7): appointed, accepted, removed. Term two years from the
//! acceptance.
//!
//! * The auditor is appointed by the assembly, comes from no member's group and holds nothing else;
//!   nobody is auditor and something else.
//! * One person holds one of programme officer, finance approver, treasurer, second officer, per
//!   fund.
//!
//! Absent: resignation, the end of a holder's membership (it comes with M18 to M21), deputies
//! acting, the emergency use of seats.

use std::collections::BTreeSet;

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::calendar::Period;
use crate::id::{MotionId, PersonId, PostId};
use crate::identity::{OrganisationKind, Post, PostStatus, Role, Scope};
use crate::lookup::{groups, rights};
use crate::object::fund::Fund;
use crate::object::matter::Matter;
use crate::record::{Appointment, RemoveHolder};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::effect::Effect;
use crate::tx::Tx;
use crate::{refuse, require};

/// Term of a post in days.
pub const TERM_DAYS: u32 = 730;

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

fn is_money_post(role: Role) -> bool {
    matches!(
        role,
        Role::ProgrammeOfficer | Role::FinanceApprover | Role::Treasurer | Role::SecondOfficer
    )
}

fn overlap(a: Scope, b: Scope) -> bool {
    a == Scope::Alliance || b == Scope::Alliance || a == b
}

/// Whether the post may be given to these persons. Asked of every appointment and of the first
/// posts of a genesis.
pub(crate) fn check_appointment(tx: &Tx, appointment: &Appointment) -> Result<(), Refusal> {
    let office = tx.organisation(appointment.office)?;
    require!(
        office.kind == OrganisationKind::Office,
        "R7.no-office",
        organisation = appointment.office
    );
    if let Scope::Fund(fund) = appointment.scope {
        tx.get::<Fund>(fund)?;
    }
    for person in std::iter::once(appointment.holder).chain(appointment.deputy) {
        let Some(facts) = tx.t.persons.get(&person) else {
            refuse!("R7.unknown-person", person = person)
        };
        let standing: Vec<&Post> = tx
            .t
            .posts
            .iter()
            .map(|(_, post)| post)
            .filter(|post| {
                post.holder == person && post.status != PostStatus::Ended && tx.now <= post.until_ms
            })
            .collect();
        let auditor = appointment.role == Role::Auditor;
        if auditor {
            let member = groups::members(&tx.t, facts.home)
                .into_iter()
                .any(|home| rights::is_live(&tx.t, home) || tx.t.founders.contains(&home));
            require!(
                !member,
                "R7.auditor-of-a-member",
                person = person,
                organisation = facts.home
            );
        }
        require!(
            !auditor || standing.is_empty(),
            "R7.auditor-holds-a-post",
            person = person
        );
        require!(
            !standing.iter().any(|post| post.role == Role::Auditor),
            "R7.auditor-holds-a-post",
            person = person
        );
        let clash = is_money_post(appointment.role)
            && standing
                .iter()
                .any(|post| is_money_post(post.role) && overlap(post.scope, appointment.scope));
        require!(
            !clash,
            "R7.second-post",
            person = person,
            role = format!("{:?}", appointment.role)
        );
    }
    Ok(())
}

fn check_removal(tx: &Tx, post: PostId) -> Result<(), Refusal> {
    let Some(facts) = tx.t.posts.get(&post) else {
        refuse!("R7.unknown-post", post = post)
    };
    require!(
        facts.status != PostStatus::Ended,
        "R7.post-ended",
        post = post
    );
    Ok(())
}

fn appoint(tx: &mut Tx, appointment: &Appointment) -> Result<(), Refusal> {
    let number = tx.next_id::<PostId>();
    let post = Post {
        office: appointment.office,
        role: appointment.role,
        scope: appointment.scope,
        holder: appointment.holder,
        deputy: appointment.deputy,
        from_ms: tx.now,
        until_ms: tx.delay(Period::Days(TERM_DAYS)),
        status: PostStatus::Offered,
    };
    tx.t.posts().put(number, post);
    Ok(())
}

fn remove(tx: &mut Tx, number: PostId) -> Result<(), Refusal> {
    check_removal(tx, number)?;
    if let Some(mut post) = tx.t.posts.get(&number).cloned() {
        post.status = PostStatus::Ended;
        tx.t.posts().put(number, post);
    }
    Ok(())
}

/// The holder accepts, as an officer of the home organisation.
pub(crate) fn accept(tx: &mut Tx, actor: &Actor, number: PostId) -> Result<Outcome, Refusal> {
    let Some(mut post) = tx.t.posts.get(&number).cloned() else {
        refuse!("R7.unknown-post", post = number)
    };
    require!(
        post.status == PostStatus::Offered,
        "M35.not-offered",
        post = number
    );
    let signs = actor
        .signers
        .iter()
        .any(|signer| signer.person == post.holder && signer.home == actor.number());
    require!(
        signs,
        "M35.holder-must-sign",
        post = number,
        person = post.holder
    );
    post.status = PostStatus::Held;
    post.from_ms = tx.now;
    post.until_ms = tx.delay(Period::Days(TERM_DAYS));
    tx.t.posts().put(number, post);
    Ok(Outcome::Applied)
}

impl Effect for Appointment {
    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        homes(tx, &[Some(self.holder), self.deputy])
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        check_appointment(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: LedgerTime) -> Result<(), Refusal> {
        appoint(tx, self)
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
        check_removal(tx, self.post)
    }

    fn carry_out(&self, tx: &mut Tx, _motion: MotionId, _due: LedgerTime) -> Result<(), Refusal> {
        remove(tx, self.post)
    }
}
