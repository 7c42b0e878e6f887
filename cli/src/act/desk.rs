//! The desk of whoever acts: for whom, in which alliance, with which keys, asking which nodes. From
//! the flags, else the profile.

use std::path::PathBuf;

use clap::ArgMatches;
use rollbook_core::charter::DAY_MS;
use rollbook_core::codec::encode;
use rollbook_core::crypto::Hash;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Payload, RECORD_MAX_BYTES, Record};
use rollbook_node::runtime::clock::real_ms;

use super::keys::Keys;
use crate::client::Client;
use crate::failure::Failure;
use crate::keystore::Keystore;
use crate::keystore::card::{parse_role, role_code};
use crate::messages::t;
use crate::profile::{Profile, Profiles};
use crate::verbs::opening::Reading;

/// How long a signed record may wait to be recorded.
const VALID_MS: u64 = 7 * DAY_MS;
/// Roles by which somebody signs.
const KNOWN_ROLES: [Role; 12] = [
    Role::Primary,
    Role::Alternate,
    Role::Finance,
    Role::Technical,
    Role::NodeOperator,
    Role::Secretary,
    Role::Registrar,
    Role::Treasurer,
    Role::SecondOfficer,
    Role::ProgrammeOfficer,
    Role::FinanceApprover,
    Role::Auditor,
];

/// Who acts, with what: from the flags, else the profile.
pub struct Desk<'a> {
    pub(super) matches: &'a ArgMatches,
    profile: Option<Profile>,
    /// The organisation or office that acts.
    pub principal: u32,
    /// The folder of keys.
    pub keystore: Keystore,
    signers: Vec<(u32, Role)>,
}

impl<'a> Desk<'a> {
    /// Reads flags and profile. Nothing is opened and nobody is asked yet.
    pub fn of(matches: &'a ArgMatches, usual: Option<u32>) -> Result<Desk<'a>, Failure> {
        let profile = Profiles::of(matches)
            .chosen(matches)?
            .map(|(_, profile)| profile);
        let given = matches.get_one::<u32>("as").copied().or(usual);
        let principal = given.or(profile.as_ref().and_then(|profile| profile.organisation));
        let principal = principal.ok_or_else(|| unknown("act.no-principal"))?;
        let keystore = keystore(matches, profile.as_ref());
        let dry = matches.get_flag("dry-run");
        let signers = match signers(matches, profile.as_ref(), &keystore) {
            Err(_) if dry => Vec::new(),
            signers => signers?,
        };
        Ok(Desk {
            matches,
            profile,
            principal,
            keystore,
            signers,
        })
    }

    /// Nodes to ask.
    pub fn client(&self) -> Result<Client, Failure> {
        client(self.matches, self.profile.as_ref())
    }

    /// The alliance's genesis hash.
    pub fn chain(&self) -> Result<Hash, Failure> {
        self.profile
            .as_ref()
            .and_then(Profile::genesis_hash)
            .ok_or_else(|| unknown("act.no-genesis"))
    }

    /// A fresh reading of arguments for this desk.
    pub fn reading(&self) -> Reading {
        let mut reading = Reading::of(
            self.principal,
            self.signers.first().map_or(0, |(person, _)| *person),
        );
        reading.opening = self
            .matches
            .try_get_one::<PathBuf>("opening")
            .ok()
            .flatten()
            .cloned();
        reading
    }

    /// The first signer's next free sequence and the ledger time, as told by a node.
    pub fn place(&self, client: &Client) -> Result<(u64, u64), Failure> {
        let (first, _) = self
            .signers
            .first()
            .ok_or_else(|| unknown("act.no-signer"))?;
        place(client, *first)
    }

    /// A record of `body`, signed by everybody given.
    pub fn record(
        &self,
        body: Body,
        sequence: u64,
        now: u64,
        keys: &mut Keys,
    ) -> Result<Record, Failure> {
        let (officer, _) = *self
            .signers
            .first()
            .ok_or_else(|| unknown("act.no-signer"))?;
        let valid_until_ms = now.saturating_add(VALID_MS);
        let payload = Payload {
            chain: self.chain()?,
            principal: self.principal,
            officer,
            sequence,
            valid_until_ms,
            body,
        };
        let mut record = Record {
            payload,
            signatures: Vec::new(),
        };
        for (person, role) in &self.signers {
            keys.sign(&mut record, *person, *role, &self.keystore, self.matches)?;
        }
        fits(&record)?;
        Ok(record)
    }
}

/// A failure for want of something that a profile would say.
pub fn unknown(key: &str) -> Failure {
    Failure::unusable(t(key, &[])).next(t("act.no-profile-next", &[]))
}

/// Refuses a record that no node would take (RULINGS A19).
pub fn fits(record: &Record) -> Result<(), Failure> {
    let size = encode(record).len();
    if size <= RECORD_MAX_BYTES {
        return Ok(());
    }
    let facts = [
        ("size", size.to_string()),
        ("max", RECORD_MAX_BYTES.to_string()),
    ];
    Err(Failure::unusable(t("act.too-large", &facts)).next(t("act.too-large-next", &[])))
}

/// The folder of keys: as given, else the profile's.
pub fn keystore(matches: &ArgMatches, profile: Option<&Profile>) -> Keystore {
    let of_profile = profile.and_then(|profile| profile.keystore.as_deref());
    Keystore::at(matches.get_one::<PathBuf>("keystore"), of_profile)
}

/// The nodes to ask: as given, else the profile's.
pub fn client(matches: &ArgMatches, profile: Option<&Profile>) -> Result<Client, Failure> {
    Client::of(matches, profile, "act.no-profile-next")
}

/// The signers with their roles: as given, else the profile's person.
pub fn signers(
    matches: &ArgMatches,
    profile: Option<&Profile>,
    keystore: &Keystore,
) -> Result<Vec<(u32, Role)>, Failure> {
    let mut given: Vec<String> = matches
        .get_many::<String>("signer")
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    if given.is_empty() {
        given.extend(
            profile
                .and_then(|profile| profile.person)
                .map(|person| person.to_string()),
        );
    }
    given.iter().map(|text| signer(text, keystore)).collect()
}

fn signer(text: &str, keystore: &Keystore) -> Result<(u32, Role), Failure> {
    let bad = || {
        let failure = Failure::unusable(t("act.bad-signer", &[("text", text.to_owned())]));
        let known: Vec<String> = KNOWN_ROLES.map(role_code).to_vec();
        failure
            .because(t("act.bad-signer-why", &[]))
            .next(t("act.bad-signer-next", &[("known", known.join(", "))]))
    };
    let (person, role) = match text.split_once(':') {
        Some((person, role)) => (person, Some(parse_role(role).ok_or_else(bad)?)),
        None => (text, None),
    };
    let person: u32 = person.parse().map_err(|_| bad())?;
    if let Some(role) = role {
        return Ok((person, role));
    }
    let roles = keystore.card(person)?.roles;
    match roles.as_slice() {
        [only] => Ok((person, *only)),
        // Who may bind the company signs as that unless something else is asked for.
        roles if roles.contains(&Role::Primary) => Ok((person, Role::Primary)),
        roles => {
            let roles: Vec<String> = roles.iter().map(|role| role_code(*role)).collect();
            let facts = [("person", person.to_string()), ("roles", roles.join(", "))];
            Err(Failure::unusable(t("act.no-role", &facts)).next(t("act.no-role-next", &facts)))
        }
    }
}

/// The next free sequence of a person, and the ledger time, as told by a node.
fn place(client: &Client, person: u32) -> Result<(u64, u64), Failure> {
    let answer = client.json(&format!("/v1/persons/{person}/sequence"))?;
    let unknown = || Failure::unreachable(t("act.no-frame", &[("person", person.to_string())]));
    let next = answer["next"].as_u64().ok_or_else(unknown)?;
    Ok((next, answer["now_ms"].as_u64().unwrap_or_else(real_ms)))
}
