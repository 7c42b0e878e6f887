//! Who signs, by what right, and never twice (RULINGS A6).
//!
//! In order: the chain is this chain; the record is not expired and not valid for longer than 30
//! days; the principal exists; each signer is a person of the principal (home organisation, or
//! holder of a post in the office) in the capacity claimed, with a key in force; every signature
//! verifies; the class of the act has its number of distinct officers whose roles have a say in it,
//! and a step of the fund's side has exactly one (RULINGS R30); the sequence is unused in the lane of
//! the record's read class and not far above it.
//! Authority is judged at the block where the record applies.

use rollbook_proof::number::OrganisationId;

use crate::id::PersonId;
use crate::identity::{Organisation, OrganisationKind, Person, Role, Scope};
use crate::lookup::groups;
use crate::lookup::posts::post_in_force;
use crate::record::{Body, Capacity, FundAct, Record, VALIDITY_MAX_MS};
use crate::refusal::Refusal;
use crate::tx::{Tx, Verify};
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
    let held = tx.t.posts.iter().any(|(_, post)| {
        post.office == actor.number()
            && post.role == role
            && post.holder == signer.person
            && (post.scope == Scope::Alliance || post.scope == scope)
            && post_in_force(post, tx.now)
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
        let role = capacity(
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
            key.in_force(tx.now),
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
        });
    }
    let class = payload.body.class();
    let needed = payload.body.signatures_needed(&organisation.policy);
    let of_one = payload.body.is_of_one_person();
    require!(
        signers.len() == 1 || !of_one,
        "R30.one-signature",
        signed = signers.len()
    );
    // A step of the fund's side asks for its own role, and a post is its holder's own.
    let all = of_one || payload.body.own_post().is_some();
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

fn capacity(
    tx: &Tx,
    principal: &Organisation,
    number: PersonId,
    person: &Person,
    claimed: Capacity,
    body: &Body,
) -> Result<Role, Refusal> {
    let role = match claimed {
        Capacity::Own(role) => role,
        // Delegations (M33) are not part of this build; a record that claims one has no authority.
        Capacity::Delegation(delegation) => {
            refuse!("M33.unknown-delegation", delegation = delegation)
        }
    };
    let holds = if role.is_post() {
        tx.t.posts.iter().any(|(_, post)| {
            post.office == principal.number
                && post.role == role
                && post.holder == number
                && post_in_force(post, tx.now)
        }) || is_offered(tx, principal.number, number, role, body)
    } else {
        person.home == principal.number && person.roles.contains(&role)
    };
    require!(
        holds,
        "A6.role-not-held",
        officer = number,
        role = role,
        principal = principal.number
    );
    Ok(role)
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
