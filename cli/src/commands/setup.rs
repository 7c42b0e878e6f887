//! `rollbook setup`, `whoami`, `use PROFILE` (RULINGS R23): who one is, and which alliance one
//! trusts.

use std::path::PathBuf;

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

/// Runs `setup`.
pub fn setup(global: &Global, flags: &Setup) -> Result<u8, Failure> {
    let profiles = Profiles::of(global);
    let Some(given) = or_ask(flags.genesis.clone(), "setup.ask.genesis")? else {
        return Err(
            Failure::unusable(t("setup.no-genesis", &[])).next(t("setup.no-genesis-next", &[]))
        );
    };
    let (hash, genesis, file) = match Hash::from_hex(&given) {
        Some(hash) => (hash, None, None),
        None => {
            let path = PathBuf::from(&given);
            let bytes = files::read(&path)
                .map_err(|failure| failure.next(t("setup.no-genesis-next", &[])))?;
            let read = GenesisFile::decode(&bytes).map_err(|error| {
                Failure::unusable(t("setup.bad-genesis", &[("file", given.clone())]))
                    .because(error)
                    .next(t("setup.no-genesis-next", &[]))
            })?;
            let absolute = std::path::absolute(&path).unwrap_or(path);
            (read.genesis.hash(), Some(read.genesis), Some(absolute))
        }
    };
    let (known_name, organisations) = genesis.as_ref().map(facts).unwrap_or_default();
    let alliance = match flags.alliance.clone() {
        Some(name) => name,
        None if genesis.is_some() => known_name,
        None => or_ask(None, "setup.ask.alliance")?.unwrap_or_else(|| hash.short()),
    };
    let number = |given: Option<u32>, key: &str| -> Result<Option<u32>, Failure> {
        match given {
            Some(number) => Ok(Some(number)),
            None => match or_ask(None, key)? {
                None => Ok(None),
                Some(answer) => answer
                    .parse()
                    .map(Some)
                    .map_err(|_| Failure::unusable(t("setup.no-number", &[("given", answer)]))),
            },
        }
    };
    let organisation = number(flags.organisation, "setup.ask.organisation")?;
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
    let person = number(flags.person, "setup.ask.person")?;
    let mut nodes = flags.asking.node.clone();
    if nodes.is_empty()
        && let Some(answer) = or_ask(None, "setup.ask.node")?
    {
        nodes.extend(answer.split_whitespace().map(str::to_owned));
    }
    let nodes: Vec<String> = nodes
        .iter()
        .map(|node| address(node))
        .collect::<Result<_, _>>()?;
    let name = match or_ask(flags.name.clone(), "setup.ask.name")? {
        Some(name) => name,
        None => "default".to_owned(),
    };
    if name.is_empty()
        || !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    {
        return Err(Failure::unusable(t("setup.bad-name", &[("name", name)])));
    }
    let absolute = |given: &Option<PathBuf>| {
        let given = given.as_ref();
        given.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()))
    };
    let (keystore, ca) = (absolute(&flags.keystore), absolute(&flags.asking.ca));
    let profile = Profile {
        alliance,
        genesis: hash.to_hex(),
        genesis_file: file,
        sample: genesis
            .as_ref()
            .is_some_and(|genesis| genesis.clock() == Clock::Sample),
        nodes,
        ca,
        keystore,
        organisation,
        person,
        // Only a language that was asked for stays; else the locale of each day decides.
        language: global.lang.clone(),
    };
    let path = profiles.write(&name, &profile)?;
    if !global.json {
        say(t("setup.written", &[("file", path.display().to_string())]));
    }
    show(global, &name, &profile)?;
    if !global.json && profile.genesis_file.is_some() {
        say(format!(
            "\n{}: {}",
            t("word.next", &[]),
            t("setup.compare-hash", &[])
        ));
    }
    Ok(0)
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
