//! Organisations enter the ledger: at genesis (RULINGS A2) and by introduction (RULINGS R16).
//!
//! * An identifier belongs to one organisation, a public key to one owner and one kind, for ever.
//! * A key is registered only if it is canonical, not weak, torsion-free, and its holder proved
//!   possession for this chain and for this entry (RULINGS A21): nobody becomes an officer of a
//!   company without a signature of their own.
//! * Relations in a registration are what the company says of itself: they bind nobody else
//!   (RULINGS R27).
//! * A registered organisation may do what RULINGS R16 lists and nothing else; the transitions
//!   check it.

use rollbook_proof::crypto::{Hash, KeyKind, PublicKey, Signature, sha256};
use rollbook_proof::number::OrganisationId;

use crate::calendar::LocalDay;
use crate::id::PersonId;
use crate::identity::possession::Possession;
use crate::identity::{
    ApprovalPolicy, OfficerEntry, OfficerKey, Organisation, OrganisationEntry, OrganisationKind,
    Person, Role, Scope,
};
use crate::lookup::rights;
use crate::object::key::HeldKey;
use crate::record::Registration;
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::relations;
use crate::tx::{Tx, Verify};
use crate::{refuse, require};

/// R16: a company that is no member enters, introduced by the principal.
pub(crate) fn register(
    tx: &mut Tx,
    actor: &Actor,
    registration: &Registration,
    verifier: &mut dyn Verify,
) -> Result<Outcome, Refusal> {
    match actor.organisation.kind {
        OrganisationKind::Office => {
            must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
        }
        OrganisationKind::Company => {
            require!(
                rights::is_live(&tx.t, actor.number()),
                "R16.introducer-not-member",
                organisation = actor.number()
            );
        }
        OrganisationKind::Observer => {
            refuse!("R16.introducer-not-member", organisation = actor.number())
        }
    }
    let entry = &registration.entry;
    introduce(tx, actor, entry)?;
    require!(entry.kind != OrganisationKind::Office, "R16.companies-only");
    require!(
        entry.number == OrganisationId(0),
        "R16.number-is-assigned",
        number = entry.number
    );
    let local_numbers = entry
        .officers
        .iter()
        .map(|officer| officer.person.0)
        .eq(1..=entry.officers.len() as u32);
    require!(local_numbers, "R16.officer-numbers-are-local");
    let Some(first) = registration.first_key() else {
        refuse!("R16.no-officer")
    };
    let possession = entry.possession(&tx.chain);
    let signed = verifier.verify(
        &first,
        &Registration::sign_bytes(&tx.chain, &possession.thing),
        &registration.signature,
    );
    require!(signed, "R16.not-self-signed");
    let number = tx.next_id::<OrganisationId>();
    let mut entry = entry.clone();
    entry.number = number;
    for officer in &mut entry.officers {
        officer.person = tx.next_id::<PersonId>();
    }
    enter(tx, &entry, &possession, Some(actor.number()), verifier)?;
    Ok(Outcome::Applied)
}

/// RULINGS A50: a registration is of a bounded size, and so many come in a local day.
fn introduce(tx: &mut Tx, actor: &Actor, entry: &OrganisationEntry) -> Result<(), Refusal> {
    let growth = tx.charter()?.growth;
    let keys = entry
        .officers
        .iter()
        .map(|officer| officer.keys.len())
        .max();
    require!(
        entry.officers.len() <= growth.registration_officers as usize
            && keys.unwrap_or(0) <= growth.registration_keys as usize,
        "A50.registration-too-large",
        officers = growth.registration_officers,
        keys = growth.registration_keys
    );
    let limit = match actor.organisation.kind {
        OrganisationKind::Office => growth.introductions_by_office,
        OrganisationKind::Company | OrganisationKind::Observer => growth.introductions_by_member,
    };
    let today = LocalDay::of(tx.now, tx.charter()?.offset_minutes);
    let before = tx.t.introductions.get(&actor.number()).copied();
    let made = before
        .filter(|(day, _)| *day == today)
        .map_or(0, |(_, made)| made);
    require!(made < limit, "A50.too-many-introductions", limit = limit);
    tx.t.introductions()
        .put(actor.number(), (today, made.saturating_add(1)));
    Ok(())
}

/// Writes an organisation with its officers. `possession` is what their keys have to prove.
pub(crate) fn enter(
    tx: &mut Tx,
    entry: &OrganisationEntry,
    possession: &Possession,
    introduced_by: Option<OrganisationId>,
    verifier: &mut dyn Verify,
) -> Result<(), Refusal> {
    for identifier in &entry.identifiers {
        let key = sha256(&identifier.key());
        if let Some(owner) = tx.t.identifiers.get(&key) {
            refuse!(
                "M01.identifier-in-use",
                identifier = identifier.org_id(),
                organisation = owner
            );
        }
        tx.t.identifiers().put(key, entry.number);
    }
    for direction in &entry.directions {
        require!(
            tx.t.directions.contains(direction),
            "M37.unknown-direction",
            direction = direction
        );
    }
    // The posts of an office are filled after it has entered; a genesis asks then.
    if entry.kind != OrganisationKind::Office {
        let roles: Vec<_> = entry.officers.iter().map(|o| o.roles.clone()).collect();
        require_reach(&entry.policy, &roles)?;
    }
    for officer in &entry.officers {
        enter_person(tx, entry.number, possession, officer, verifier)?;
    }
    let organisation = Organisation {
        number: entry.number,
        kind: entry.kind,
        name: entry.name.clone(),
        identifiers: entry.identifiers.clone(),
        country: entry.country.clone(),
        extract: entry.extract,
        address: None,
        directions: entry.directions.clone(),
        officers: entry
            .officers
            .iter()
            .map(|officer| officer.person)
            .collect(),
        policy: entry.policy.clone(),
        registered_ms: tx.now,
        introduced_by,
        membership: None,
    };
    tx.put(organisation);
    for relation in &entry.relations {
        relations::enter(tx, entry.number, relation, introduced_by.is_none())?;
    }
    Ok(())
}

/// Refuses a policy that those who may sign cannot reach: nobody could act (RULINGS R30).
pub(crate) fn require_reach(policy: &ApprovalPolicy, roles: &[Vec<Role>]) -> Result<(), Refusal> {
    if let Some((class, needed)) = policy.out_of_reach(roles) {
        refuse!("R30.policy-out-of-reach", class = class, needed = needed);
    }
    Ok(())
}

fn enter_person(
    tx: &mut Tx,
    home: OrganisationId,
    possession: &Possession,
    officer: &OfficerEntry,
    verifier: &mut dyn Verify,
) -> Result<(), Refusal> {
    for (key, proof) in &officer.keys {
        check_key(tx, (key, proof, KeyKind::Officer), possession, verifier)?;
    }
    let code = if tx.is_genesis() { "M25" } else { "R16" };
    write_person(tx, home, officer, code)
}

/// Refuses a person whose commitment is somebody's already: two numbers of one human are attested, the
/// same commitment twice is one human for certain.
pub(crate) fn require_new_person(tx: &Tx, officer: &OfficerEntry) -> Result<(), Refusal> {
    if let Some(person) = tx.t.commitments.get(&officer.commitment) {
        refuse!("A16.commitment-in-use", person = person);
    }
    Ok(())
}

/// Writes a person whose keys were checked, under the number that the entry has. `code` is the rule by
/// which the keys come into force.
pub(crate) fn write_person(
    tx: &mut Tx,
    home: OrganisationId,
    officer: &OfficerEntry,
    code: &'static str,
) -> Result<(), Refusal> {
    require_new_person(tx, officer)?;
    tx.t.commitments().put(officer.commitment, officer.person);
    let mut keys = Vec::with_capacity(officer.keys.len());
    for (number, (key, _)) in (0..).zip(&officer.keys) {
        take_key(tx, key, home)?;
        let key = OfficerKey::new(*key, tx.height, tx.now);
        tx.begin::<HeldKey>((officer.person, number), code, key.state)?;
        keys.push(key);
    }
    if let Some(reader) = &officer.reader {
        let digest = sha256(&reader.0.0);
        require_new(tx, &digest)?;
        tx.t.keys().put(digest, home.0);
    }
    let person = Person {
        home,
        commitment: officer.commitment,
        roles: officer.roles.clone(),
        keys,
        reader: officer.reader,
        authorisation: officer.authorisation.clone(),
        ended: None,
    };
    tx.t.persons().put(officer.person, person);
    Ok(())
}

/// Registers a key of any kind for `owner`: strict form, possession proved, never used before.
pub(crate) fn claim_key(
    tx: &mut Tx,
    (key, proof, kind): (&PublicKey, &Signature, KeyKind),
    possession: &Possession,
    owner: OrganisationId,
    verifier: &mut dyn Verify,
) -> Result<(), Refusal> {
    check_key(tx, (key, proof, kind), possession, verifier)?;
    take_key(tx, key, owner)
}

/// Whether a key may be registered now: strict form, possession proved, never used before.
pub(crate) fn check_key(
    tx: &Tx,
    (key, proof, kind): (&PublicKey, &Signature, KeyKind),
    possession: &Possession,
    verifier: &mut dyn Verify,
) -> Result<(), Refusal> {
    if let Err(error) = verifier.check_registrable(key) {
        refuse!("A21.key-refused", why = error);
    }
    let proved = verifier.verify(key, &possession.message(kind, key), proof);
    require!(proved, "A21.no-possession", key_kind = kind);
    require_new(tx, &key.digest())
}

/// Refuses what is anybody's key already, by its digest.
pub(crate) fn require_new(tx: &Tx, digest: &Hash) -> Result<(), Refusal> {
    if let Some(holder) = tx.t.keys.get(digest) {
        refuse!("A21.key-in-use", organisation = holder);
    }
    Ok(())
}

/// Writes that a key which was checked belongs to `owner`, for ever.
pub(crate) fn take_key(tx: &mut Tx, key: &PublicKey, owner: OrganisationId) -> Result<(), Refusal> {
    let digest = key.digest();
    require_new(tx, &digest)?;
    tx.t.keys().put(digest, owner.0);
    Ok(())
}
