//! What acts on officers, keys, delegations and particulars carry (M23, M31, M32, M33; RULINGS R23).
//!
//! Every new key proves possession for this chain, this organisation, and its officer's entry or its
//! person ([`possession`]), so nobody becomes an officer, or gets a key, without a signature of their
//! own. The proof does not rest on the rest of a change: whoever joins makes it once, and waits for
//! nobody.
//!
//! [`possession`]: crate::identity::possession

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, at_most, encode, strictly_ascending};
use rollbook_proof::crypto::{Hash, KeyKind, PublicKey, Signature, sha256_tagged};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::calendar::LocalDay;
use crate::id::{
    AgreementId, ApplicationId, KeyRecoveryId, MotionId, PaymentId, PersonId, RevocationId,
};
use crate::identity::identifier::Identifier;
use crate::identity::possession::{Possession, UNPROVED};
use crate::identity::{ActClass, ApprovalPolicy, Name, OFFICERS_MAX, OfficerEntry, Role};

/// Most persons that one change adds, and most further keys that it brings.
pub const CHANGE_MAX: usize = 16;

/// A further key of a person who is an officer already.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct NewKey {
    /// The person.
    pub person: PersonId,
    /// The key.
    pub key: PublicKey,
    /// The proof that somebody holds it.
    pub proof: Signature,
}

/// M32: what changes among an organisation's officers, and in its policy. All of it takes effect at
/// once, or nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct OfficersChange {
    /// Officers who come, numbered 1, 2, .. here; the ledger gives their numbers when they come.
    pub added: Vec<OfficerEntry>,
    /// New roles of officers who stay, all of them, strictly ascending by person.
    pub roles: Vec<(PersonId, Vec<Role>)>,
    /// Further keys of officers who stay, ascending by person. In a recovery they take the place of
    /// the person's other keys.
    pub keys: Vec<NewKey>,
    /// Officers who leave, strictly ascending. Their keys end, and so do their posts.
    pub ended: Vec<PersonId>,
    /// The policy that replaces the one in force.
    pub policy: Option<ApprovalPolicy>,
}

impl OfficersChange {
    /// Every new key with its proof and with what the proof has to be about.
    pub fn new_keys(
        &self,
        chain: &Hash,
        organisation: OrganisationId,
    ) -> Vec<(PublicKey, Signature, Possession)> {
        let mut all = Vec::new();
        for officer in &self.added {
            let possession = joining(officer, chain, organisation);
            all.extend(
                officer
                    .keys
                    .iter()
                    .map(|(key, proof)| (*key, *proof, possession)),
            );
        }
        for new in &self.keys {
            let possession = further_key(new.person, chain, organisation);
            all.push((new.key, new.proof, possession));
        }
        all
    }

    /// How many keys it brings.
    pub fn key_count(&self) -> usize {
        let added: usize = self.added.iter().map(|officer| officer.keys.len()).sum();
        added.saturating_add(self.keys.len())
    }

    /// The proofs with their keys and the bytes under them, for verifying ahead.
    pub fn signatures(
        &self,
        chain: &Hash,
        organisation: OrganisationId,
    ) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        self.new_keys(chain, organisation)
            .into_iter()
            .map(|(key, proof, possession)| {
                (key, possession.message(KeyKind::Officer, &key), proof)
            })
            .collect()
    }

    /// Shape; the persons, the keys and what is left are judged by `apply`.
    pub fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.added, CHANGE_MAX, "officers added")?;
        at_most(&self.keys, CHANGE_MAX, "keys added")?;
        at_most(&self.roles, OFFICERS_MAX, "roles changed")?;
        at_most(&self.ended, OFFICERS_MAX, "officers ended")?;
        self.added.iter().try_for_each(OfficerEntry::check)?;
        let local = self.added.iter().map(|officer| officer.person.0);
        if !local.eq(1..=self.added.len() as u32) {
            return Err(DecodeError::rule(
                "officers that come are numbered 1, 2, ..",
            ));
        }
        strictly_ascending(&self.roles, "roles changed", |(person, _)| *person)?;
        for (_, roles) in &self.roles {
            strictly_ascending(roles, "roles of an officer", |role| *role)?;
            if roles.iter().any(|role| role.is_post()) {
                return Err(DecodeError::rule(
                    "posts are held in offices, not inside a company",
                ));
            }
        }
        strictly_ascending(&self.ended, "officers ended", |person| *person)?;
        if !self.keys.is_sorted_by_key(|key| key.person) {
            return Err(DecodeError::rule("keys added are not ascending by person"));
        }
        let stays = |person: &PersonId| !self.ended.contains(person);
        let changed = self.roles.iter().map(|(person, _)| person);
        if !changed
            .chain(self.keys.iter().map(|key| &key.person))
            .all(stays)
        {
            return Err(DecodeError::rule(
                "who leaves gets no role and no key by the same change",
            ));
        }
        let nothing = self.added.is_empty()
            && self.roles.is_empty()
            && self.keys.is_empty()
            && self.ended.is_empty()
            && self.policy.is_none();
        if nothing {
            return Err(DecodeError::rule("a change that changes nothing"));
        }
        if let Some(policy) = &self.policy {
            policy.check(OFFICERS_MAX)?;
        }
        Ok(())
    }
}

/// What the keys of an officer who joins an organisation prove: for this chain, this organisation and
/// this entry, whichever place it has in a change.
pub fn joining(officer: &OfficerEntry, chain: &Hash, organisation: OrganisationId) -> Possession {
    let mut entry = officer.clone();
    entry.person = PersonId(0);
    for (_, proof) in &mut entry.keys {
        *proof = UNPROVED;
    }
    Possession {
        chain: *chain,
        owner: organisation.0,
        thing: sha256_tagged("rollbook/officer/v1", &[&encode(&entry)]),
    }
}

/// What a further key of an officer proves: for this chain, this organisation and this person.
pub fn further_key(person: PersonId, chain: &Hash, organisation: OrganisationId) -> Possession {
    Possession {
        chain: *chain,
        owner: organisation.0,
        thing: sha256_tagged("rollbook/further-key/v1", &[&encode(&person)]),
    }
}

/// M23: a new key in place of the one that signs the record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct KeyRotation {
    /// The person, who alone signs, with the key that goes.
    pub person: PersonId,
    /// The key that goes: its number, counted from 0.
    pub replaces: u32,
    /// The key that comes.
    pub key: PublicKey,
    /// The proof that somebody holds it.
    pub proof: Signature,
}

impl KeyRotation {
    /// What the new key proves.
    pub fn possession(&self, chain: &Hash, organisation: OrganisationId) -> Possession {
        let parts = encode(&(self.person, self.replaces));
        Possession {
            chain: *chain,
            owner: organisation.0,
            thing: sha256_tagged("rollbook/rotation/v1", &[&parts]),
        }
    }
}

/// M31: what an organisation asks to be told of it from now on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Particulars {
    /// Its names.
    pub name: Option<Name>,
    /// Its registered address.
    pub address: Option<Text<240>>,
    /// Its identifiers, all of them, strictly ascending.
    pub identifiers: Option<Vec<Identifier>>,
    /// SHA-256 of the registry extract that shows it, and the extract's date.
    pub extract: (Hash, LocalDay),
}

impl Particulars {
    /// Shape; whether the kind of organisation needs an identifier is judged by `apply`.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.name.is_none() && self.address.is_none() && self.identifiers.is_none() {
            return Err(DecodeError::rule("a change that changes nothing"));
        }
        if let Some(name) = &self.name
            && (name.native.is_empty() || name.latin.is_empty())
        {
            return Err(DecodeError::rule("a name is missing"));
        }
        if self.address.as_ref().is_some_and(|text| text.is_empty()) {
            return Err(DecodeError::rule("an address is empty"));
        }
        let identifiers = self.identifiers.as_deref().unwrap_or_default();
        strictly_ascending(identifiers, "identifiers", Clone::clone)?;
        at_most(identifiers, 4, "identifiers")?;
        for identifier in identifiers {
            identifier
                .check()
                .map_err(|error| DecodeError::rule(error.to_string()))?;
        }
        Ok(())
    }
}

/// The one thing to which a delegation is limited.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DelegatedObject {
    /// Everything in its classes.
    Everything,
    /// One motion: the ballot on it.
    Motion(MotionId),
    /// One agreement.
    Agreement(AgreementId),
    /// One payment.
    Payment(PaymentId),
    /// One application to a call.
    Application(ApplicationId),
}

/// M33: an officer lets another officer of the same organisation sign in a role, for some classes of
/// act, until a day.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct DelegationGrant {
    /// Who gives it and signs.
    pub giver: PersonId,
    /// The role that the giver holds.
    pub role: Role,
    /// Who may sign in it.
    pub to: PersonId,
    /// For these classes of act, strictly ascending; never [`ActClass::People`].
    pub classes: Vec<ActClass>,
    /// For one thing, or everything.
    pub object: DelegatedObject,
    /// Last ledger time at which it holds.
    pub until_ms: LedgerTime,
}

impl DelegationGrant {
    /// Shape.
    pub fn check(&self) -> Result<(), DecodeError> {
        strictly_ascending(&self.classes, "classes of a delegation", |class| *class)?;
        if self.classes.is_empty() || self.classes.contains(&ActClass::People) {
            return Err(DecodeError::rule(
                "a delegation names its classes, and officers, keys, policies and delegations are \
                 never among them",
            ));
        }
        if self.role.is_post() {
            return Err(DecodeError::rule(
                "a post is not delegated: its deputy acts when its holder cannot",
            ));
        }
        if self.giver == self.to {
            return Err(DecodeError::rule("nobody delegates to themselves"));
        }
        Ok(())
    }
}

/// R23: what the secretariat files for an organisation whose officers are lost or have departed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct RecoveryPlan {
    /// The organisation.
    pub organisation: OrganisationId,
    /// SHA-256 of the letter of its authorised signatory, with the company's seal.
    pub letter: Hash,
    /// What changes. New keys of officers who stay take the place of their other keys.
    pub change: OfficersChange,
}

/// M23: the board makes an emergency revocation last.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct RatifyRevocation {
    /// The revocation.
    pub revocation: RevocationId,
}

/// R23: the board agrees to a recovery of keys.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct RecoverKeys {
    /// The recovery.
    pub recovery: KeyRecoveryId,
}
