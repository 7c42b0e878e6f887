//! Logging in to read what is for members (RULINGS A15, R18): a pass signed with the officer's key,
//! for one node, for a few hours.
//!
//! A pass is made when `--reader` asks for it, or when a node says that the answer is for members
//! and the profile names a person whose key is here. It is kept (0600) beside what was verified of
//! the alliance, so that a passphrase is asked for once in eight hours, not at every question.
//! Whoever takes the file reads as that person until it ends, and signs nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rollbook_client::client::{Cause, Passes};
use rollbook_core::calendar::MS_PER_HOUR;
use rollbook_core::id::PersonId;
use rollbook_core::pass::Pass;
use rollbook_node::api::reader::header_of;
use rollbook_node::clock::real_ms;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files::{make_folder, replace_secret};
use crate::flags::{Connection, Global};
use crate::keystore::Keystore;
use crate::keystore::opened::Keys;
use crate::profile::{Profile, Profiles, genesis};

/// Life of a pass.
const PASS_MS: u64 = 8 * MS_PER_HOUR;
/// A pass that ends so soon is not used any more.
const NEARLY_MS: u64 = 60_000;
/// Name of the file of passes.
const FILE: &str = "passes.toml";

/// A pass as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    person: u32,
    until_ms: u64,
    /// The header's value.
    header: String,
}

/// Who reads, with which keys.
pub struct Login {
    passphrase_file: Option<PathBuf>,
    person: u32,
    given: bool,
    chain: Hash,
    keystore: Keystore,
    keys: Keys,
    folder: PathBuf,
    passes: Mutex<BTreeMap<String, Kept>>,
}

impl Login {
    /// From the flags and the profile; none if nobody is named or the alliance is not known. Opens
    /// no key.
    pub fn of(
        global: &Global,
        flags: &Connection,
        profile: Option<&Profile>,
    ) -> Result<Option<Login>, Failure> {
        let given = flags.reader;
        let person = given.or(profile.and_then(|profile| profile.person));
        let chain = genesis(flags.genesis.as_deref(), profile)?;
        let (Some(person), Some(chain)) = (person, chain) else {
            return match given {
                Some(_) => Err(Failure::unusable(t("act.no-genesis", &[]))
                    .next(t("trust.no-profile-next", &[]))),
                None => Ok(None),
            };
        };
        let keystore = Keystore::at(
            flags.keys.keystore.as_ref(),
            profile.and_then(|profile| profile.keystore.as_deref()),
        );
        let keys = (
            &keystore,
            flags.keys.passphrase_file.clone(),
            &Keys::default(),
        );
        Ok(Some(Login {
            given: given.is_some(),
            ..Login::signer(global, chain, person, keys)
        }))
    }

    /// Of a person who acts, with the keys that the act opens anyway: asked only where a node wants
    /// to know who asks.
    pub fn signer(
        global: &Global,
        chain: Hash,
        person: u32,
        (keystore, passphrase_file, keys): (&Keystore, Option<PathBuf>, &Keys),
    ) -> Login {
        let folder = Profiles::of(global).verified(&chain);
        let kept = std::fs::read_to_string(folder.join(FILE))
            .ok()
            .and_then(|text| toml::from_str(&text).ok());
        Login {
            passphrase_file,
            person,
            given: false,
            chain,
            keystore: keystore.clone(),
            keys: keys.clone(),
            folder,
            passes: Mutex::new(kept.unwrap_or_default()),
        }
    }

    /// Signs a pass for a node, which says that it is run by `organisation`, and keeps it.
    fn pass(&self, node: &str, organisation: u32) -> Result<String, Failure> {
        let passphrase_file = self.passphrase_file.as_deref();
        let key = self
            .keys
            .open(self.person, &self.keystore, passphrase_file)?;
        let until_ms = real_ms().saturating_add(PASS_MS);
        let pass = Pass {
            chain: self.chain,
            node: OrganisationId(organisation),
            person: PersonId(self.person),
            key: self.keystore.key_number(self.person),
            until_ms: LedgerTime(until_ms),
        };
        let header = header_of(&pass.sign(&key));
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        passes.retain(|_, kept| kept.until_ms > real_ms());
        passes.insert(
            node.to_owned(),
            Kept {
                person: self.person,
                until_ms,
                header: header.clone(),
            },
        );
        make_folder(&self.folder)?;
        replace_secret(
            &self.folder.join(FILE),
            toml::to_string(&*passes).unwrap_or_default().as_bytes(),
        )?;
        Ok(header)
    }
}

impl Passes for Login {
    fn is_asked_for(&self) -> bool {
        self.given
    }

    fn header(&self, node: &str) -> Option<String> {
        let passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |kept: &&Kept| {
            kept.person == self.person && kept.until_ms > real_ms().saturating_add(NEARLY_MS)
        };
        passes
            .get(node)
            .filter(holds)
            .map(|kept| kept.header.clone())
    }

    fn sign(&self, node: &str, organisation: u32) -> Result<String, Cause> {
        Ok(self.pass(node, organisation)?)
    }

    fn has_key(&self) -> bool {
        self.keystore.secret_path(self.person).exists()
    }
}
