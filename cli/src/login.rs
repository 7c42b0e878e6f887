//! Logging in to read what is for members (RULINGS A15, R18): a pass signed with the officer's key,
//! for one node, for a few hours.
//!
//! A pass is made when `--reader` asks for it, or when a node says that the answer is for members
//! and the profile names a person whose key is here. It is kept (0600) beside what was verified of
//! the alliance, so that a passphrase is asked for once in eight hours, not at every question.
//! Whoever takes the file reads as that person until it ends, and signs nothing.
//!
//! * A pass names a node, and the node itself says which it is: whoever lies about that would get a pass for
//!   another one. So beyond this machine a pass is made for a node whose address the profile names, or a
//!   verified policy names as that organisation's, and goes over TLS alone (RULINGS A45).
//! * Several persons may share one folder: a pass is kept for a person at a node, and what another
//!   command kept meanwhile stays.
//! * A pass that cannot be kept is used all the same.
//! * The node judges until when a pass holds, by its clock. A clock of this machine that differs from
//!   it makes no pass that is over before it is used.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rollbook_client::client::{Cause, Passes};
use rollbook_core::calendar::MS_PER_HOUR;
use rollbook_core::id::PersonId;
use rollbook_core::pass::Pass;
use rollbook_node::api::reader::header_of;
use rollbook_node::clock::real_ms;
use rollbook_proof::crypto::Hash;
use rollbook_proof::file::KeptPolicy;
use rollbook_proof::log::EpochPolicy;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files;
use crate::files::{make_folder, replace_secret};
use crate::flags::{Connection, Global};
use crate::keystore::Keystore;
use crate::keystore::opened::Keys;
use crate::output::say;
use crate::profile::{Profile, Profiles, genesis, in_use};

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
    /// When it ends, by this machine's clock.
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
    /// Addresses of nodes that the profile names.
    pinned: Vec<String>,
    passes: Mutex<BTreeMap<String, Kept>>,
}

/// Why no pass is made for a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfit {
    /// Others could read it on the way.
    Plain,
    /// Nothing says that the node is the one it says.
    Unknown,
}

/// Whether an address is one of this machine.
fn is_here(node: &str) -> bool {
    let host = node.split_once("://").map_or(node, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a pass may be made for the node at an address, which says that `organisation` runs it. `pinned`
/// are addresses of the profile, `seats` those of verified policies.
fn fits(
    node: &str,
    organisation: u32,
    pinned: &[String],
    seats: &[(u32, String)],
) -> Result<(), Unfit> {
    let same = |url: &str| url.trim_end_matches('/') == node.trim_end_matches('/');
    let mut own = seats.iter().filter(|(_, url)| same(url)).peekable();
    // A validator's address is that validator's and nobody else's.
    if own.peek().is_some() && !own.any(|(seat, _)| *seat == organisation) {
        return Err(Unfit::Unknown);
    }
    if is_here(node) {
        return Ok(());
    }
    if !node.starts_with("https://") {
        return Err(Unfit::Plain);
    }
    let is_known = pinned.iter().any(|url| same(url)) || seats.iter().any(|(_, url)| same(url));
    if is_known {
        Ok(())
    } else {
        Err(Unfit::Unknown)
    }
}

/// Validators and their addresses in the policies of a folder, which were verified before they were kept.
fn seats_in(folder: &Path) -> Vec<(u32, String)> {
    let bytes = std::fs::read(folder.join("policies.json")).ok();
    let kept: Option<Vec<KeptPolicy>> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let policies = kept.into_iter().flatten();
    let policies = policies.filter_map(|kept| EpochPolicy::parse(kept.policy.as_bytes()).ok());
    let seats = policies.flat_map(|policy| policy.validators);
    seats.map(|seat| (seat.org.0, seat.url)).collect()
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
        let passes = Mutex::new(kept_in(&folder));
        let profile = in_use(global).ok().flatten();
        Login {
            pinned: profile.map(|profile| profile.nodes).unwrap_or_default(),
            passphrase_file,
            person,
            given: false,
            chain,
            keystore: keystore.clone(),
            keys: keys.clone(),
            folder,
            passes,
        }
    }

    /// What a pass for a node is kept under.
    fn place(&self, node: &str) -> String {
        format!("{} {node}", self.person)
    }

    /// Signs a pass for a node, which says that it is run by `organisation`, and keeps it; this
    /// machine's clock is `ahead_s` seconds ahead of the node's.
    fn pass(&self, node: &str, organisation: u32, ahead_s: i64) -> Result<String, Failure> {
        if let Err(unfit) = fits(node, organisation, &self.pinned, &seats_in(&self.folder)) {
            let facts = [
                ("node", node.to_owned()),
                ("organisation", organisation.to_string()),
            ];
            let (what, next) = match unfit {
                Unfit::Plain => ("login.plain", "login.plain-next"),
                Unfit::Unknown => ("login.unknown", "login.unknown-next"),
            };
            return Err(Failure::unusable(t(what, &facts)).next(t(next, &facts)));
        }
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
            until_ms: LedgerTime(until_ms.saturating_add_signed(-ahead_s.saturating_mul(1_000))),
        };
        let header = header_of(&pass.sign(&key));
        let kept = Kept {
            until_ms,
            header: header.clone(),
        };
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        passes.insert(self.place(node), kept);
        if let Err(failure) = self.keep(&mut passes) {
            say(t("login.not-kept", &[("why", failure.to_string())]));
        }
        Ok(header)
    }

    /// Puts the passes beside those that others kept meanwhile.
    fn keep(&self, passes: &mut BTreeMap<String, Kept>) -> Result<(), Failure> {
        make_folder(&self.folder)?;
        let path = self.folder.join(FILE);
        let _lock = files::lock(&path)?;
        let mut all = kept_in(&self.folder);
        all.append(passes);
        all.retain(|_, kept| kept.until_ms > real_ms());
        let text = toml::to_string(&all).unwrap_or_default();
        *passes = all;
        replace_secret(&path, text.as_bytes())
    }
}

/// The passes of a folder; none if there is no such file or it is another's.
fn kept_in(folder: &Path) -> BTreeMap<String, Kept> {
    let text = std::fs::read_to_string(folder.join(FILE)).ok();
    text.and_then(|text| toml::from_str(&text).ok())
        .unwrap_or_default()
}

impl Passes for Login {
    fn is_asked_for(&self) -> bool {
        self.given
    }

    fn header(&self, node: &str) -> Option<String> {
        let passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let now = real_ms();
        // One that would hold longer than a pass does is from a clock that was put back since.
        let holds = |kept: &&Kept| {
            kept.until_ms > now.saturating_add(NEARLY_MS)
                && kept.until_ms <= now.saturating_add(PASS_MS)
        };
        passes
            .get(&self.place(node))
            .filter(holds)
            .map(|kept| kept.header.clone())
    }

    fn sign(&self, node: &str, organisation: u32, ahead_s: i64) -> Result<String, Cause> {
        Ok(self.pass(node, organisation, ahead_s)?)
    }

    fn has_key(&self) -> bool {
        self.keystore.secret_path(self.person).exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node that said it was another got a pass for that one, and read there what is for members.
    #[test]
    fn no_pass_for_whoever_says_it_is_another() {
        let seats = [
            (1, "https://one.example".to_owned()),
            (2, "https://two.example:7500/".to_owned()),
        ];
        let pinned = ["https://full.example".to_owned()];
        let fits = |node: &str, organisation| fits(node, organisation, &pinned, &seats);
        assert_eq!(fits("https://one.example", 1), Ok(()));
        assert_eq!(fits("https://two.example:7500", 2), Ok(()));
        assert_eq!(
            fits("https://full.example", 30),
            Ok(()),
            "the profile names it"
        );
        assert_eq!(fits("https://one.example", 2), Err(Unfit::Unknown));
        assert_eq!(fits("https://liar.example", 2), Err(Unfit::Unknown));
        assert_eq!(
            fits("https://two.example", 2),
            Err(Unfit::Unknown),
            "another port"
        );
        assert_eq!(fits("http://one.example.org", 1), Err(Unfit::Plain));
        for here in [
            "http://127.0.0.1:7500",
            "http://localhost:1",
            "http://[::1]:7500",
        ] {
            assert_eq!(fits(here, 1), Ok(()), "{here}");
        }
        for there in [
            "http://127.0.0.1.example",
            "http://10.0.0.1",
            "http://localhost.example:1",
        ] {
            assert_eq!(fits(there, 1), Err(Unfit::Plain), "{there}");
        }
    }
}
