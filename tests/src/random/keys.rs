//! The keys of everybody in a run. Proofs of possession and registrations are made here and nowhere
//! else.

use std::collections::BTreeMap;

use rollbook_core::id::PersonId;
use rollbook_core::identity::possession::UNPROVED;
use rollbook_core::identity::{OfficerEntry, OrganisationEntry, Role};
use rollbook_core::record::{
    KeyRotation, NewKey, NodeKeys, NodeUpdate, Registration, further_key, joining,
};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, PublicKey, sha256_tagged};
use rollbook_proof::log::PolicyValidator;
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::alliance::{NodePlace, node_keys, officer};
use rollbook_sandbox::keys::node_key;

/// Every key that the run has made, by its public half.
pub struct Keys {
    seed: Vec<u8>,
    made: u32,
    pairs: BTreeMap<PublicKey, Keypair>,
}

impl Keys {
    pub fn new(seed: u64) -> Keys {
        Keys {
            seed: format!("random/{seed}").into_bytes(),
            made: 0,
            pairs: BTreeMap::new(),
        }
    }

    /// The secret half, if this run has made the key.
    pub fn of(&self, key: &PublicKey) -> Option<&Keypair> {
        self.pairs.get(key)
    }

    /// The key of a validator.
    pub fn validator(&self, validator: &PolicyValidator, kind: KeyKind) -> Keypair {
        let public = match kind {
            KeyKind::Cosigner => &validator.cosigner,
            KeyKind::Log => &validator.log,
            _ => &validator.consensus,
        };
        self.of(public).unwrap().clone()
    }

    /// Bytes that nobody else knows: salts, secrets of draws.
    pub fn secret(&self, label: &str) -> [u8; 32] {
        sha256_tagged("random/secret", &[&self.seed, label.as_bytes()]).0
    }

    fn fresh(&mut self) -> Keypair {
        self.made += 1;
        let key = Keypair::derive(&self.seed, &format!("key/{}", self.made));
        self.pairs.insert(key.public(), key.clone());
        key
    }

    /// An officer of an organisation that proves possession for `owner`.
    pub fn officer(&mut self, owner: u32, person: u32, roles: &[Role]) -> OfficerEntry {
        let key = self.fresh();
        officer(&key, owner, person, roles)
    }

    /// An officer who joins an organisation.
    pub fn joiner(
        &mut self,
        chain: &Hash,
        organisation: OrganisationId,
        person: u32,
        roles: &[Role],
    ) -> OfficerEntry {
        let key = self.fresh();
        let mut entry = officer(&key, organisation.0, person, roles);
        let possession = joining(&entry, chain, organisation);
        entry.keys = vec![(key.public(), possession.prove(KeyKind::Officer, &key))];
        entry
    }

    /// A further key of an officer.
    pub fn further(
        &mut self,
        chain: &Hash,
        organisation: OrganisationId,
        person: PersonId,
    ) -> NewKey {
        let key = self.fresh();
        let possession = further_key(person, chain, organisation);
        NewKey {
            person,
            key: key.public(),
            proof: possession.prove(KeyKind::Officer, &key),
        }
    }

    /// A key in place of another.
    pub fn rotation(
        &mut self,
        chain: &Hash,
        organisation: OrganisationId,
        person: PersonId,
        replaces: u32,
    ) -> KeyRotation {
        let key = self.fresh();
        let mut rotation = KeyRotation {
            person,
            replaces,
            key: key.public(),
            proof: UNPROVED,
        };
        let possession = rotation.possession(chain, organisation);
        rotation.proof = possession.prove(KeyKind::Officer, &key);
        rotation
    }

    /// New keys for a node of an organisation, proved for a chain; none: for a genesis.
    pub fn node(&mut self, chain: Option<&Hash>, organisation: u32) -> NodeKeys {
        self.made += 1;
        let seed = [self.seed.as_slice(), &self.made.to_le_bytes()].concat();
        for kind in [
            KeyKind::Consensus,
            KeyKind::Cosigner,
            KeyKind::Log,
            KeyKind::Transport,
        ] {
            let key = node_key(&seed, organisation, kind);
            self.pairs.insert(key.public(), key);
        }
        let port = u16::try_from(organisation % 1000).unwrap();
        node_keys(
            chain,
            &seed,
            organisation,
            &NodePlace::loopback(7000 + port, 8000 + port),
        )
    }

    /// What changes of a node, with new keys of the kinds that are to be new.
    pub fn update(
        &mut self,
        chain: &Hash,
        organisation: OrganisationId,
        new: [bool; 4],
        place: (Option<Text<200>>, Option<Text<100>>),
    ) -> NodeUpdate {
        let keys = new.map(|new| new.then(|| self.fresh()));
        let keys = keys.each_ref().map(Option::as_ref);
        NodeUpdate::proved(chain, organisation, keys, place.0, place.1)
    }

    /// An entry as its company registers itself.
    pub fn registration(&self, chain: &Hash, entry: OrganisationEntry) -> Option<Registration> {
        let keys = entry.officers.iter().flat_map(|officer| &officer.keys);
        let pairs: Vec<&Keypair> = keys.filter_map(|(key, _)| self.pairs.get(key)).collect();
        Some(Registration::signed(chain, &entry, &pairs))
    }
}
