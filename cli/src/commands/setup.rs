//! `rollbook setup`, `whoami`, `use PROFILE` (RULINGS R23): who one is, and which alliance one
//! trusts.
//!
//! `setup` for a profile that is there changes what it names and nothing else. A profile of another
//! alliance is replaced only with `--force`, and then nothing of it is left.

use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use rollbook_core::genesis::file::GenesisFile;
use rollbook_core::genesis::{Genesis, GenesisItem};
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::Clock;
use rollbook_words::catalogue::t;

use super::keys::{ask, role_words};
use crate::asking::address;
use crate::failure::Failure;
use crate::files;
use crate::flags::{Asking, Global};
use crate::keystore::Keystore;
use crate::objects::both_names;
use crate::output::{print, print_json, say};
use crate::profile::{Profile, Profiles, unknown};

/// `setup`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Setup {
    #[arg(long, value_name = "PROFILE")]
    name: Option<String>,
    #[arg(long, value_name = "FILE|HASH")]
    genesis: Option<String>,
    #[arg(long, value_name = "NAME")]
    alliance: Option<String>,
    #[command(flatten)]
    asking: Asking,
    #[arg(long, value_name = "DIR")]
    keystore: Option<PathBuf>,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    organisation: Option<u32>,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    person: Option<u32>,
    /// Whether a profile of another alliance may be replaced.
    #[arg(long)]
    force: bool,
}

/// `use`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Use {
    /// The profile to put in use.
    #[arg(value_name = "PROFILE")]
    name: Option<String>,
}

/// Names of a genesis: (alliance, organisations by number).
fn facts(genesis: &Genesis) -> (String, Vec<(u32, String)>) {
    let mut name = String::new();
    let mut organisations = Vec::new();
    for item in &genesis.items {
        match item {
            GenesisItem::Charter { name: given, .. } => {
                name = both_names(&given.native.to_string(), &given.latin.to_string())
            }
            GenesisItem::Organisation(entry)
            | GenesisItem::Observer(entry)
            | GenesisItem::Office { entry, .. } => {
                organisations.push((
                    entry.number.0,
                    both_names(
                        &entry.name.native.to_string(),
                        &entry.name.latin.to_string(),
                    ),
                ));
            }
            _ => {}
        }
    }
    (name, organisations)
}

/// Asks what is not given, if there is somebody to ask.
fn or_ask(given: Option<String>, key: &str) -> Result<Option<String>, Failure> {
    match given {
        Some(given) => Ok(Some(given)),
        None => Ok(ask(&t(key, &[]))?.filter(|answer| !answer.is_empty())),
    }
}

/// What `--genesis` says: the hash, and the genesis with its file if it is one.
struct Given {
    hash: Hash,
    genesis: Option<(Genesis, PathBuf)>,
}

fn given_genesis(given: &str) -> Result<Given, Failure> {
    if let Some(hash) = Hash::from_hex(given) {
        return Ok(Given {
            hash,
            genesis: None,
        });
    }
    let path = PathBuf::from(given);
    let bytes =
        files::read(&path).map_err(|failure| failure.next(t("setup.no-genesis-next", &[])))?;
    let read = GenesisFile::decode(&bytes).map_err(|error| {
        Failure::unusable(t("setup.bad-genesis", &[("file", given.to_owned())]))
            .because(error)
            .next(t("setup.no-genesis-next", &[]))
    })?;
    Ok(Given {
        hash: read.genesis.hash(),
        genesis: Some((read.genesis, absolute(&path))),
    })
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The profile of this name as it is, if its alliance stays the same; another alliance takes nothing
/// over, and only if that is asked for.
fn known(
    profiles: &Profiles,
    name: &str,
    given: Option<Hash>,
    force: bool,
) -> Result<Option<Profile>, Failure> {
    if !profiles.path(name).exists() {
        return Ok(None);
    }
    let profile = match profiles.read(name) {
        Err(_) if force => return Ok(None),
        profile => profile?,
    };
    match given {
        Some(given) if profile.genesis_hash() != Some(given) => {
            if force {
                return Ok(None);
            }
            let facts = [
                ("name", name.to_owned()),
                ("alliance", profile.alliance),
                ("known", profile.genesis),
                ("given", given.to_hex()),
            ];
            Err(Failure::refused(t("setup.other-alliance", &facts))
                .because(t("setup.other-alliance-why", &facts))
                .next(t("setup.other-alliance-next", &facts)))
        }
        _ => Ok(Some(profile)),
    }
}

/// A number that was given, else the one that is known, else asked for.
fn number(given: Option<u32>, known: Option<u32>, key: &str) -> Result<Option<u32>, Failure> {
    if given.or(known).is_some() {
        return Ok(given.or(known));
    }
    match or_ask(None, key)? {
        None => Ok(None),
        Some(answer) => answer
            .parse()
            .map(Some)
            .map_err(|_| Failure::unusable(t("setup.no-number", &[("given", answer)]))),
    }
}

/// Runs `setup`: what is named is set, and everything else of a profile that is there stays.
pub fn setup(global: &Global, flags: &Setup) -> Result<u8, Failure> {
    let profiles = Profiles::of(global);
    if let Some(name) = &flags.name {
        is_name(name)?;
    }
    let is_there = |name: &String| profiles.path(name).exists();
    let given = match flags.genesis.clone() {
        None if flags.name.as_ref().is_some_and(is_there) => None,
        given => Some(or_ask(given, "setup.ask.genesis")?.ok_or_else(|| {
            Failure::unusable(t("setup.no-genesis", &[])).next(t("setup.no-genesis-next", &[]))
        })?),
    };
    let given = given.as_deref().map(given_genesis).transpose()?;
    let hash = given.as_ref().map(|given| given.hash);
    // The name comes last, unless it was given: whoever is asked says first what it is the name of.
    let mut before = match &flags.name {
        Some(name) => known(&profiles, name, hash, flags.force)?,
        None => None,
    };
    let genesis = given.and_then(|given| given.genesis);
    let (known_name, organisations) = genesis
        .as_ref()
        .map(|(genesis, _)| facts(genesis))
        .unwrap_or_default();
    let old = before.as_ref();
    let short = hash.map(|hash| hash.short()).unwrap_or_default();
    let alliance = match (flags.alliance.clone(), old) {
        (Some(name), _) => name,
        (None, Some(old)) => old.alliance.clone(),
        (None, None) if genesis.is_some() => known_name,
        (None, None) => or_ask(None, "setup.ask.alliance")?.unwrap_or(short),
    };
    let (own, own_person) = (
        old.and_then(|old| old.organisation),
        old.and_then(|old| old.person),
    );
    let organisation = number(flags.organisation, own, "setup.ask.organisation")?;
    if let Some(organisation) = organisation
        && genesis.is_some()
        && !organisations
            .iter()
            .any(|(number, _)| *number == organisation)
    {
        // Later members are not in the genesis, so this is a remark and no refusal.
        say(t(
            "setup.not-in-genesis",
            &[("number", organisation.to_string())],
        ));
    }
    let person = number(flags.person, own_person, "setup.ask.person")?;
    let mut nodes = flags.asking.node.clone();
    if nodes.is_empty() {
        match old {
            Some(old) => nodes.clone_from(&old.nodes),
            None => nodes.extend(
                or_ask(None, "setup.ask.node")?
                    .iter()
                    .flat_map(|answer| answer.split_whitespace())
                    .map(str::to_owned),
            ),
        }
    }
    let nodes: Vec<String> = nodes
        .iter()
        .map(|node| address(node))
        .collect::<Result<_, _>>()?;
    let name = match or_ask(flags.name.clone(), "setup.ask.name")? {
        Some(name) => name,
        None => "default".to_owned(),
    };
    is_name(&name)?;
    if flags.name.is_none() {
        before = known(&profiles, &name, hash, flags.force)?;
    }
    let alliance = match &before {
        Some(before) if flags.alliance.is_none() => before.alliance.clone(),
        _ => alliance,
    };
    let profile = Profile {
        alliance,
        genesis: hash.map(|hash| hash.to_hex()).unwrap_or_default(),
        genesis_file: genesis.as_ref().map(|(_, file)| file.clone()),
        sample: genesis
            .as_ref()
            .is_some_and(|(genesis, _)| genesis.clock() == Clock::Sample),
        nodes,
        ca: flags.asking.ca.as_deref().map(absolute),
        keystore: flags.keystore.as_deref().map(absolute),
        organisation,
        person,
        // Only a language that was asked for stays; else the locale of each day decides.
        language: global.lang.clone(),
    };
    let profile = match before {
        Some(before) => over(before, profile, genesis.is_some()),
        None => profile,
    };
    let path = profiles.write(&name, &profile)?;
    if !global.json {
        say(t("setup.written", &[("file", path.display().to_string())]));
    }
    show(global, &name, &profile)?;
    if !global.json && genesis.is_some() {
        say(format!(
            "\n{}: {}",
            t("word.next", &[]),
            t("setup.compare-hash", &[])
        ));
    }
    Ok(0)
}

/// A profile with what is new; what the new one leaves open stays. `with_file`: a genesis file was
/// named, which knows whether the chain is a sample.
fn over(before: Profile, new: Profile, with_file: bool) -> Profile {
    Profile {
        alliance: new.alliance,
        genesis: before.genesis,
        genesis_file: new.genesis_file.or(before.genesis_file),
        sample: if with_file { new.sample } else { before.sample },
        nodes: if new.nodes.is_empty() {
            before.nodes
        } else {
            new.nodes
        },
        ca: new.ca.or(before.ca),
        keystore: new.keystore.or(before.keystore),
        organisation: new.organisation.or(before.organisation),
        person: new.person.or(before.person),
        language: new.language.or(before.language),
    }
}

fn is_name(name: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(plain) {
        return Ok(());
    }
    Err(Failure::unusable(t(
        "setup.bad-name",
        &[("name", name.to_owned())],
    )))
}

/// Runs `whoami`.
pub fn whoami(global: &Global) -> Result<u8, Failure> {
    match Profiles::of(global).chosen(global)? {
        Some((name, profile)) => {
            show(global, &name, &profile)?;
            Ok(0)
        }
        None => Err(Failure::unusable(t("profile.none", &[])).next(t("profile.none-next", &[]))),
    }
}

/// Runs `use`.
pub fn use_profile(global: &Global, flags: &Use) -> Result<u8, Failure> {
    let profiles = Profiles::of(global);
    let Some(name) = &flags.name else {
        let current = profiles.current();
        if global.json {
            print_json(&serde_json::json!({ "current": current, "profiles": profiles.names() }));
            return Ok(0);
        }
        if profiles.names().is_empty() {
            return Err(Failure::unusable(t("profile.none", &[])).next(t("profile.none-next", &[])));
        }
        for name in profiles.names() {
            let mark = if current.as_deref() == Some(name.as_str()) {
                "*"
            } else {
                " "
            };
            let alliance = profiles
                .read(&name)
                .map(|profile| profile.alliance)
                .unwrap_or_default();
            print(format!("{mark} {name}  {alliance}"));
        }
        return Ok(0);
    };
    if !profiles.path(name).exists() {
        return Err(unknown(&profiles, name));
    }
    let profile = profiles.read(name)?;
    profiles.put_in_use(name)?;
    show(global, name, &profile)?;
    Ok(0)
}

fn show(global: &Global, name: &str, profile: &Profile) -> Result<(), Failure> {
    let store = Keystore::at(None, profile.keystore.as_deref());
    let card = match profile.person {
        Some(person) if store.card_path(person).exists() => Some(store.card(person)?),
        _ => None,
    };
    let secret = profile
        .person
        .is_some_and(|person| store.secret_path(person).exists());
    if global.json {
        print_json(&serde_json::json!({
            "name": name,
            "profile": profile,
            "keystore": store.folder(),
            "roles": card.as_ref().map(|card| card.roles.clone()),
            "secret_here": secret,
        }));
        return Ok(());
    }
    if profile.sample {
        say(t("audit.sample", &[]));
    }
    let line = |key: &str, value: String| print(t(&format!("whoami.{key}"), &[("value", value)]));
    let none = || t("whoami.none", &[]);
    line("profile", name.to_owned());
    line("alliance", profile.alliance.clone());
    line("genesis", profile.genesis.clone());
    line(
        "nodes",
        if profile.nodes.is_empty() {
            none()
        } else {
            profile.nodes.join(" ")
        },
    );
    let known = profile
        .genesis_file
        .as_ref()
        .and_then(|path| std::fs::read(path).ok())
        .and_then(|bytes| GenesisFile::decode(&bytes).ok())
        .map(|file| facts(&file.genesis).1)
        .unwrap_or_default();
    let organisation = profile.organisation.map(|number| {
        let name = known
            .iter()
            .find(|(known, _)| *known == number)
            .map(|(_, name)| format!("  {name}"))
            .unwrap_or_default();
        format!("{number}{name}")
    });
    line("organisation", organisation.unwrap_or_else(none));
    let person = profile.person.map(|person| match &card {
        Some(card) => format!("{person}  {}", role_words(&card.roles)),
        None => person.to_string(),
    });
    line("person", person.unwrap_or_else(none));
    let state = if secret {
        "keys.secret-here"
    } else {
        "keys.secret-away"
    };
    line(
        "keystore",
        format!("{}  ({})", store.folder().display(), t(state, &[])),
    );
    let language = profile.language.clone();
    line(
        "language",
        language.unwrap_or_else(|| t("whoami.locale", &[])),
    );
    Ok(())
}
