//! Who signs, by what right, and never twice (RULINGS A6).
//!
//! In order: the chain is this chain; the record is not expired and not valid for longer than 30
//! days; the principal exists; each signer is a person of the principal (home organisation, or
//! holder of a post in the office) in the capacity claimed, with a key in force; every signature
//! verifies; the class of the act has its number of distinct officers whose roles have a say in it,
//! and a step of the fund's side has exactly one (RULINGS R30); the sequence is unused in the lane of
//! the record's read class and not far above it.
//! Authority is judged at the block where the record applies: a key that was revoked in an earlier
//! block, or earlier in the same one, signs nothing.
//!
//! Beside the holder of a role may sign, in it: whom the holder delegated it to, in the delegation's
//! scope (M33); the deputy of a post while it is vacant, its holder absent or without a key, or the
//! step past its limit (RULINGS R7); and, where neither can act, two persons of seat holders
//! together.

use rollbook_proof::number::OrganisationId;

use crate::id::{DelegationId, PaymentId, PersonId, PostId};
use crate::identity::{OfficerKey, Organisation, OrganisationKind, Person, Role, Scope};
use crate::lookup::posts::{able_deputy, holder_is_away, post_in_force, stand_in};
use crate::lookup::{find, groups};
use crate::object::application::ApplicationStatus;
use crate::object::delegation::{Delegation, DelegationStatus};
use crate::object::membership::State;
use crate::object::payment::PaymentState;
use crate::record::{
    Body, CallAct, Capacity, FundAct, MembershipAct, PaymentAct, Record, VALIDITY_MAX_MS,
};
use crate::refusal::Refusal;
use crate::tx::{DeadlineKind, Tx, Verify};
use crate::word::Fact as _;
use crate::{refuse, require};

/// A signer whose signature and capacity were found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Person number.
    pub person: PersonId,
    /// The person's home organisation, from which conflicts are computed.
    pub home: OrganisationId,
    /// The role claimed and held.
    pub role: Role,
    /// Number of the key that signed.
    pub key: u32,
    /// By what right, where the role is not the signer's own.
    pub right: Right,
}

/// By what right somebody signs in a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// It is the signer's own.
    Own,
    /// By a delegation (M33).
    Delegated(DelegationId),
    /// As deputy of these posts.
    Deputy(Vec<PostId>),
    /// As one of two who stand in for these posts.
    StandIn(Vec<PostId>),
}

impl Right {
    /// Whether it lets the signer act in this post, whose holder is somebody else.
    fn is_for(&self, number: PostId) -> bool {
        match self {
            Right::Own | Right::Delegated(_) => false,
            Right::Deputy(posts) | Right::StandIn(posts) => posts.contains(&number),
        }
    }
}

/// Whose act a record is, after [`admit`].
#[derive(Debug, Clone)]
pub struct Actor {
    /// The principal.
    pub organisation: Organisation,
    /// The signers, ascending by person.
    pub signers: Vec<Signer>,
    /// The officer who began the record.
    pub officer: PersonId,
    /// That officer's sequence.
    pub sequence: u64,
}

impl Actor {
    /// The principal's number.
    pub fn number(&self) -> OrganisationId {
        self.organisation.number
    }

    /// The first signer in `role`.
    pub fn signer(&self, role: Role) -> Option<&Signer> {
        self.signers.iter().find(|signer| signer.role == role)
    }

    /// Refuses unless a signer signed as `role`.
    pub fn must_sign(&self, role: Role) -> Result<&Signer, Refusal> {
        self.signer(role)
            .ok_or_else(|| Refusal::new("A6.role-missing", vec![("role", role.fact())]))
    }
}

/// Whether `person` holds the post `role` for `scope` in any office at the time of `tx`. An
/// alliance-wide post covers every fund.
pub fn holds_post(tx: &Tx, person: PersonId, role: Role, scope: Scope) -> bool {
    tx.t.posts.iter().any(|(_, post)| {
        post.role == role
            && post.holder == person
            && (post.scope == Scope::Alliance || post.scope == scope)
            && post_in_force(post, tx.now)
    })
}

/// Refuses unless a signer signed as `role` and holds that post for `scope` in the principal's
/// office.
pub fn must_hold<'a>(
    tx: &Tx,
    actor: &'a Actor,
    role: Role,
    scope: Scope,
) -> Result<&'a Signer, Refusal> {
    require!(
        actor.organisation.kind == OrganisationKind::Office,
        "R7.no-office",
        organisation = actor.number()
    );
    let signer = actor.must_sign(role)?;
    let held = tx.t.posts.iter().any(|(number, post)| {
        let holds = post.holder == signer.person && post_in_force(post, tx.now);
        post.office == actor.number()
            && post.role == role
            && (post.scope == Scope::Alliance || post.scope == scope)
            && (holds || signer.right.is_for(*number))
    });
    require!(held, "R7.no-post", person = signer.person, role = role);
    Ok(signer)
}

/// The checks of the module head. Takes the sequence. `message` is
/// [`crate::record::Payload::sign_bytes`] of the record.
pub fn admit(
    tx: &mut Tx,
    record: &Record,
    message: &[u8],
    verifier: &mut dyn Verify,
) -> Result<Actor, Refusal> {
    let payload = &record.payload;
    require!(
        payload.chain == tx.chain,
        "A6.other-chain",
        chain = payload.chain,
        this = tx.chain
    );
    require!(
        tx.now <= payload.valid_until_ms,
        "A6.expired",
        valid_until = payload.valid_until_ms,
        now = tx.now
    );
    require!(
        payload.valid_until_ms <= tx.now.plus_ms(VALIDITY_MAX_MS),
        "A6.valid-too-long",
        valid_until = payload.valid_until_ms,
        now = tx.now
    );
    let organisation = tx.organisation(payload.principal)?.clone();
    let mut signers = Vec::with_capacity(record.signatures.len());
    for entry in &record.signatures {
        let Some(person) = tx.t.persons.get(&entry.officer) else {
            refuse!("A6.unknown-officer", officer = entry.officer)
        };
        let (role, right) = capacity(
            tx,
            &organisation,
            entry.officer,
            person,
            entry.capacity,
            &payload.body,
        )?;
        require!(
            person.in_force(tx.now),
            "N24.person-not-in-force",
            officer = entry.officer
        );
        let Some(key) = person.keys.get(entry.key as usize) else {
            refuse!("A6.unknown-key", officer = entry.officer, key = entry.key)
        };
        require!(
            signs(key),
            "N24.key-not-in-force",
            officer = entry.officer,
            key = entry.key
        );
        let public = key.key;
        let home = person.home;
        require!(
            verifier.verify(&public, message, &entry.signature),
            "A6.bad-signature",
            officer = entry.officer,
            key = entry.key
        );
        signers.push(Signer {
            person: entry.officer,
            home,
            role,
            key: entry.key,
            right,
        });
    }
    let together = stand_together(tx, &signers)?;
    let class = payload.body.class();
    let needed = payload.body.signatures_needed(&organisation.policy);
    let of_one = payload.body.is_of_one_person();
    require!(
        signers.len() == 1 || !of_one || together,
        "R30.one-signature",
        signed = signers.len()
    );
    // A step of the fund's side asks for its own role, and what is one's own needs none.
    let all = of_one || payload.body.is_own();
    let counted = signers
        .iter()
        .filter(|signer| all || class.counts(signer.role))
        .count();
    require!(
        counted >= needed as usize,
        "A6.too-few-officers",
        signed = counted,
        needed = needed,
        class = class
    );
    let place = (payload.officer, payload.body.read_class());
    let mut lane = tx.t.lanes.get(&place).cloned().unwrap_or_default();
    require!(
        lane.is_near(payload.sequence),
        "A6.sequence-too-high",
        officer = payload.officer,
        sequence = payload.sequence,
        highest = lane.highest
    );
    require!(
        lane.is_free(payload.sequence),
        "A6.replayed",
        officer = payload.officer,
        sequence = payload.sequence,
        highest = lane.highest
    );
    lane.take(payload.sequence);
    tx.t.lanes().put(place, lane);
    Ok(Actor {
        organisation,
        signers,
        officer: payload.officer,
        sequence: payload.sequence,
    })
}

/// Whether a key signs. A planted fault lets one that was revoked go on.
fn signs(key: &OfficerKey) -> bool {
    key.in_force() || crate::planted::revoked_key_signs()
}

/// Refuses unless two who stand in for a post sign together, and nobody signs beside a delegate of
/// theirs. Says whether the record is that of two who stand in.
fn stand_together(tx: &Tx, signers: &[Signer]) -> Result<bool, Refusal> {
    let mut together = false;
    for signer in signers {
        match &signer.right {
            Right::StandIn(posts) => {
                let both = |post: &PostId| {
                    signers.len() == 2 && signers.iter().all(|other| other.right.is_for(*post))
                };
                require!(
                    posts.iter().any(both),
                    "R7.both-stand-in",
                    person = signer.person
                );
                together = true;
            }
            Right::Delegated(number) => {
                let giver = find::<Delegation>(&tx.t, *number)?.grant.giver;
                require!(
                    !signers.iter().any(|other| other.person == giver),
                    "M33.giver-signs",
                    delegation = number,
                    person = giver
                );
            }
            Right::Own | Right::Deputy(_) => {}
        }
    }
    Ok(together)
}

fn capacity(
    tx: &Tx,
    principal: &Organisation,
    number: PersonId,
    person: &Person,
    claimed: Capacity,
    body: &Body,
) -> Result<(Role, Right), Refusal> {
    let role = match claimed {
        Capacity::Own(role) => role,
        Capacity::Delegation(delegation) => {
            let delegation = DelegationId(delegation);
            let role = delegated(tx, principal.number, number, delegation, body)?;
            return Ok((role, Right::Delegated(delegation)));
        }
    };
    let right = if role.is_post() {
        let holds = tx.t.posts.iter().any(|(_, post)| {
            post.office == principal.number
                && post.role == role
                && post.holder == number
                && post_in_force(post, tx.now)
        }) || is_offered(tx, principal.number, number, role, body);
        if holds {
            Some(Right::Own)
        } else {
            in_place_of_holder(tx, principal.number, number, role, body)
        }
    } else {
        let holds = person.home == principal.number && person.roles.contains(&role);
        holds.then_some(Right::Own)
    };
    match right {
        Some(right) => Ok((role, right)),
        None => refuse!(
            "A6.role-not-held",
            officer = number,
            role = role,
            principal = principal.number
        ),
    }
}

/// The role in which a delegate signs the act (M33).
fn delegated(
    tx: &Tx,
    principal: OrganisationId,
    person: PersonId,
    number: DelegationId,
    body: &Body,
) -> Result<Role, Refusal> {
    let delegation = find::<Delegation>(&tx.t, number)?;
    let grant = &delegation.grant;
    require!(
        delegation.organisation == principal && grant.to == person,
        "M33.not-the-delegate",
        delegation = number,
        officer = person
    );
    require!(
        delegation.status == DelegationStatus::Granted && tx.now <= grant.until_ms,
        "M33.not-in-force",
        delegation = number
    );
    let giver = tx.t.persons.get(&grant.giver);
    require!(
        giver.is_some_and(|giver| giver.in_force(tx.now)
            && giver.has_key()
            && giver.roles.contains(&grant.role)),
        "M33.giver-cannot-sign",
        delegation = number,
        person = grant.giver
    );
    require!(
        !body.is_own() && grant.classes.contains(&body.class()),
        "M33.other-class",
        delegation = number,
        class = body.class()
    );
    require!(
        body.is_about(grant.object),
        "M33.other-object",
        delegation = number
    );
    Ok(grant.role)
}

/// By what right somebody who does not hold the post acts in it (RULINGS R7).
fn in_place_of_holder(
    tx: &Tx,
    office: OrganisationId,
    person: PersonId,
    role: Role,
    body: &Body,
) -> Option<Right> {
    let posts = || {
        tx.t.posts
            .iter()
            .map(|(_, post)| post)
            .filter(|post| post.office == office && post.role == role)
    };
    let overdue = step_is_overdue(tx, body);
    let deputises: Vec<PostId> = posts()
        .filter(|post| {
            let late = overdue && post_in_force(post, tx.now);
            able_deputy(&tx.t, post, tx.now) == Some(person)
                && (late || holder_is_away(&tx.t, post, tx.now))
        })
        .map(|post| post.number)
        .collect();
    if !deputises.is_empty() {
        return Some(Right::Deputy(deputises));
    }
    let stands: Vec<PostId> = posts()
        .filter(|post| stand_in(&tx.t, post, tx.now).is_some_and(|pair| pair.has(person)))
        .map(|post| post.number)
        .collect();
    (!stands.is_empty()).then_some(Right::StandIn(stands))
}

/// Whether the step that the act takes is past its limit (RULINGS R13): its deadline has acted.
fn step_is_overdue(tx: &Tx, body: &Body) -> bool {
    use DeadlineKind as D;
    match body {
        Body::Payment(act) => {
            let (number, kinds): (_, &[DeadlineKind]) = match act {
                PaymentAct::Certify { payment, .. } => (payment, &[D::CertifyDue]),
                PaymentAct::Approve { payment, .. } => (payment, &[D::ApproveDue]),
                PaymentAct::Release { payment, .. } => (payment, &[D::ReleaseDue, D::PayoutDelay]),
                PaymentAct::Settle { payment, .. } | PaymentAct::Return { payment, .. } => {
                    (payment, &[D::ConfirmDue])
                }
                _ => return false,
            };
            let awaited = tx.t.payments.get(number).is_some_and(|payment| {
                matches!(
                    (payment.state, act),
                    (PaymentState::Requested, PaymentAct::Certify { .. })
                        | (PaymentState::Certified, PaymentAct::Approve { .. })
                        | (
                            PaymentState::Approved | PaymentState::Returned,
                            PaymentAct::Release { .. }
                        )
                        | (
                            PaymentState::Released,
                            PaymentAct::Settle { .. } | PaymentAct::Return { .. }
                        )
                )
            });
            awaited
                && kinds.iter().all(|kind| {
                    tx.due(*kind, *number).is_none() && !stands_still(tx, *kind, *number)
                })
        }
        Body::Call(CallAct::Judge { application, .. }) => {
            let entry = tx.t.applications.get(application);
            entry.is_some_and(|entry| entry.status == ApplicationStatus::Opened)
                && tx.due(D::JudgeDue, *application).is_none()
        }
        Body::Membership(MembershipAct::Screen { membership }) => {
            let entry = tx.t.memberships.get(membership);
            entry.is_some_and(|entry| entry.standing.state() == State::Applied)
                && tx.due(D::MembershipScreen, *membership).is_none()
        }
        _ => false,
    }
}

/// Whether the limit of a payment's step stands still while its agreement is suspended (F24).
fn stands_still(tx: &Tx, kind: DeadlineKind, number: PaymentId) -> bool {
    let agreement = tx.t.payments.get(&number).map(|payment| payment.agreement);
    let key = agreement.map(|agreement| (agreement, kind as u16, number.0));
    key.is_some_and(|key| tx.t.paused.contains(&key))
}

/// Whether the act is about this very post, which was offered to the person: who has no other role
/// accepts or declines it in the capacity that it gives.
fn is_offered(tx: &Tx, office: OrganisationId, person: PersonId, role: Role, body: &Body) -> bool {
    if let Body::Fund(FundAct::Accept { fund }) = body {
        return tx
            .t
            .funds
            .get(fund)
            .is_some_and(|fund| fund.office == office && fund.officers.contains(&(role, person)));
    }
    body.own_post()
        .and_then(|post| tx.t.posts.get(&post))
        .is_some_and(|post| {
            (post.office, post.holder, post.role) == (office, person, role)
                && post.status.is_coming()
        })
}

/// Whether a person's home organisation has a voice in matters of `organisation` (RULINGS R6, N13,
/// R27).
pub fn unrelated(tx: &Tx, person: PersonId, organisation: OrganisationId) -> bool {
    tx.t.persons
        .get(&person)
        .is_some_and(|person| !groups::has_conflict(&tx.t, person.home, organisation))
}

/// Refuses if any signer's home has no voice in matters of `organisation` (N13).
pub fn require_unrelated(
    tx: &Tx,
    actor: &Actor,
    organisation: OrganisationId,
) -> Result<(), Refusal> {
    for signer in &actor.signers {
        require!(
            unrelated(tx, signer.person, organisation),
            "N13.related",
            person = signer.person,
            organisation = organisation
        );
    }
    Ok(())
}
