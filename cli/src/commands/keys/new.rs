//! `rollbook keys new`: the key of an officer, or the four keys of a node.

use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use rollbook_core::calendar::LocalDay;
use rollbook_core::identity::Role;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, Keypair};
use rollbook_sandbox::keys::{officer_key, salt};
use rollbook_words::catalogue::t;
use rollbook_words::dates::day;

use super::{card_json, keystore_of};
use crate::drafting::alliance::short_text;
use crate::failure::Failure;
use crate::files;
use crate::flags::{Global, KeyFlags};
use crate::input::prompt::{Person, Terminal, until_read};
use crate::keystore::card::{parse_role, role_code};
use crate::keystore::node::{NodeCard, NodeSecrets, card_name};
use crate::keystore::secret::{Fresh, Secret};
use crate::keystore::{passphrase, unused};
use crate::output::{print, print_json, say};
use crate::profile::{genesis, in_use};

/// `keys new`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct New {
    /// 0: a company that is not on the ledger yet (RULINGS R16).
    #[arg(long, value_name = "N")]
    organisation: u32,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..),
        required_unless_present = "node")]
    person: Option<u32>,
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[arg(long, value_name = "DOCUMENT")]
    document: Option<String>,
    #[arg(long, value_name = "FILE|HASH")]
    letter: Option<String>,
    #[arg(id = "letter-date", long = "letter-date", value_name = "DATE")]
    letter_date: Option<String>,
    #[arg(long, value_name = "NAME")]
    signatory: Option<String>,
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    #[arg(long, conflicts_with = "person")]
    pub(super) node: bool,
    #[arg(long, value_name = "URL", requires = "node")]
    url: Option<String>,
    #[arg(long, value_name = "HOST:PORT", requires = "node")]
    address: Option<String>,
    #[arg(long, value_name = "DIR", requires = "node")]
    out: Option<PathBuf>,
    /// The chain that the node joins.
    #[arg(long, value_name = "HASH", requires = "node")]
    genesis: Option<String>,
    /// There is no chain yet, whatever the profile says.
    #[arg(long, requires = "node", conflicts_with = "genesis")]
    founding: bool,
    #[arg(long)]
    sample: bool,
    #[arg(long, value_name = "SEED", requires = "sample")]
    seed: Option<String>,
    #[command(flatten)]
    keys: KeyFlags,
}

/// Makes keys. Where a copy of the card cannot go is known before there are any.
pub fn run(global: &Global, flags: &New) -> Result<u8, Failure> {
    if let Some(copy) = &flags.card {
        files::free(copy, None)?;
    }
    if flags.node {
        new_node(global, flags)
    } else {
        new_officer(global, flags)
    }
}

/// An officer's key and card.
fn new_officer(global: &Global, flags: &New) -> Result<u8, Failure> {
    let organisation = flags.organisation;
    let person = flags.person.ok_or_else(|| missing("person"))?;
    let given_roles = roles(&flags.role)?;
    let seed = sample_seed(flags)?;
    let store = keystore_of(global, &flags.keys)?;
    store.not_half_made(person)?;
    if store.secret_path(person).exists() {
        let facts = [
            ("person", person.to_string()),
            ("folder", store.folder().display().to_string()),
        ];
        return Err(Failure::unusable(t("keys.exists", &facts)).next(t("keys.exists-next", &facts)));
    }
    let person_asked = &mut Terminal;
    let roles = match given_roles.is_empty() {
        true => until_read(person_asked, &role_question(), one_or_more_roles)?.unwrap_or_default(),
        false => given_roles,
    };
    let name = asked(person_asked, "name", &flags.name, short("name"))?;
    let document = asked(person_asked, "document", &flags.document, short("document"))?;
    let signatory = asked(
        person_asked,
        "signatory",
        &flags.signatory,
        short("signatory"),
    )?;
    let letter = asked(person_asked, "letter", &flags.letter, letter)?;
    let date = asked(person_asked, "letter-date", &flags.letter_date, letter_date)?;
    let whose = t(
        "keys.whose",
        &[("person", person.to_string()), ("name", name.to_string())],
    );
    let passphrase = passphrase::new(flags.keys.passphrase_file.as_deref(), &whose)?;
    let (key, salt, signatory_salt) = match &seed {
        Some(seed) => (
            officer_key(seed.as_bytes(), person),
            salt(seed.as_bytes(), &format!("person/{person}")),
            salt(seed.as_bytes(), &format!("signatory/{person}")),
        ),
        None => (
            Keypair::from_seed(&files::random()?),
            files::random()?,
            files::random()?,
        ),
    };
    let fresh = Fresh {
        organisation,
        person,
        name: &name,
        document: &document,
        signatory: &signatory,
        salt,
        signatory_salt,
        key: &key,
        sample: seed.is_some(),
        roles: &roles,
        letter,
        date,
    };
    let card = fresh.card();
    store.add(&Secret::new(&fresh), &card, &passphrase)?;
    let mut card_path = store.card_path(person);
    if let Some(copy) = &flags.card {
        files::write_new(copy, card.render().as_bytes(), false)?;
        card_path = copy.clone();
    }
    if global.json {
        print_json(&card_json(&card, &store));
        return Ok(0);
    }
    print(t(
        "keys.made-secret",
        &[("file", store.secret_path(person).display().to_string())],
    ));
    print(t(
        "keys.made-card",
        &[("file", card_path.display().to_string())],
    ));
    if card.roles.is_empty() {
        say(t("keys.no-role", &[]));
    }
    if card.sample {
        say(t("keys.sample-warning", &[]));
    }
    say(format!("\n{}:", t("word.next", &[])));
    // Organisation 0 is a company that is not on the ledger yet: its card goes into the registration.
    let next = match organisation {
        0 => "keys.next-registration",
        _ => "keys.next-card",
    };
    say(t(next, &[("file", card_path.display().to_string())]));
    say(t("keys.next-backup", &[("person", person.to_string())]));
    Ok(0)
}

fn roles(given: &[String]) -> Result<Vec<Role>, Failure> {
    let mut roles = Vec::new();
    for code in given.iter().flat_map(|text| text.split(',')) {
        match parse_role(code.trim()).filter(|role| !role.is_post()) {
            Some(role) => roles.push(role),
            None => {
                let known = COMPANY_ROLES.map(role_code).join(", ");
                return Err(Failure::unusable(t(
                    "keys.no-such-role",
                    &[("role", code.to_owned())],
                ))
                .next(t("keys.no-such-role-next", &[("known", known)])));
            }
        }
    }
    roles.sort();
    roles.dedup();
    Ok(roles)
}

const COMPANY_ROLES: [Role; 5] = [
    Role::Primary,
    Role::Alternate,
    Role::Finance,
    Role::Technical,
    Role::NodeOperator,
];

/// The seed, only with `--sample`, and the other way round.
fn sample_seed(flags: &New) -> Result<Option<String>, Failure> {
    match (flags.sample, &flags.seed) {
        (false, _) => Ok(None),
        (true, Some(seed)) => Ok(Some(seed.clone())),
        (true, None) => Err(Failure::unusable(t("keys.sample-needs-seed", &[]))),
    }
}

/// What is given on the command line, or asked for at the terminal until it can be read.
fn asked<T>(
    person: &mut dyn Person,
    id: &'static str,
    given: &Option<String>,
    read: impl Fn(&str) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match given {
        Some(given) => read(given),
        None => {
            until_read(person, &t(&format!("keys.ask.{id}"), &[]), read)?.ok_or_else(|| missing(id))
        }
    }
}

fn missing(id: &str) -> Failure {
    Failure::unusable(t("keys.missing", &[("what", format!("--{id}"))]))
        .next(t("keys.missing-next", &[]))
}

/// A text of at most 160 bytes.
fn short(id: &'static str) -> impl Fn(&str) -> Result<Text<160>, Failure> {
    move |given| {
        short_text(given).ok_or_else(|| {
            Failure::unusable(t("keys.bad-text", &[("what", format!("--{id}"))]))
                .next(t("keys.bad-text-next", &[]))
        })
    }
}

fn letter(given: &str) -> Result<Hash, Failure> {
    files::hash_or_file(given, Path::new("")).map_err(|error| {
        Failure::unusable(t("keys.no-letter", &[("given", given.to_owned())]))
            .because(error)
            .next(t("keys.no-letter-next", &[]))
    })
}

fn letter_date(given: &str) -> Result<LocalDay, Failure> {
    day(given).ok_or_else(|| {
        Failure::unusable(t("keys.no-date", &[("given", given.to_owned())]))
            .next(t("keys.no-date-next", &[]))
    })
}

/// The question for roles, with a word about each.
fn role_question() -> String {
    let mut text = t("keys.ask.role", &[]);
    for role in COMPANY_ROLES.map(role_code) {
        let about = t(&format!("keys.role.{role}"), &[]);
        text += &format!("\n  {role:<14} {about}");
    }
    format!("{text}\n{}", t("keys.ask.role-end", &[]))
}

/// Roles as they are typed, none for staff of an office.
fn one_or_more_roles(line: &str) -> Result<Vec<Role>, Failure> {
    let codes: Vec<String> = line
        .split([',', '，', '、', ' ', ';'])
        .filter(|code| !code.is_empty())
        .map(str::to_owned)
        .collect();
    roles(&codes)
}

/// A node's keys and card.
fn new_node(global: &Global, flags: &New) -> Result<u8, Failure> {
    let organisation = flags.organisation;
    let needed = |id: &str, given: &Option<String>| given.clone().ok_or_else(|| missing(id));
    let (url, address) = (
        needed("url", &flags.url)?,
        needed("address", &flags.address)?,
    );
    let folder = flags.out.as_ref().ok_or_else(|| missing("out"))?;
    if organisation == 0 {
        return Err(Failure::unusable(t("keys.node-zero", &[])).next(t("keys.node-zero-next", &[])));
    }
    NodeSecrets::not_half_made(folder, organisation)?;
    let seed = sample_seed(flags)?;
    let secrets = match &seed {
        Some(seed) => NodeSecrets::sample(seed, organisation),
        None => NodeSecrets::random()?,
    };
    let chain = match flags.founding {
        true => None,
        false => genesis(flags.genesis.as_deref(), in_use(global)?.as_ref())?,
    };
    let bad =
        || Failure::unusable(t("draft.card-address", &[])).next(t("node.no-address-next", &[]));
    let keys = secrets.public(
        chain.as_ref(),
        organisation,
        Text::new(url).map_err(|_| bad())?,
        Text::new(address).map_err(|_| bad())?,
    );
    if keys.check().is_err() {
        return Err(bad());
    }
    let card = NodeCard {
        organisation,
        chain,
        keys,
        sample: seed.is_some(),
    };
    secrets.write(folder)?;
    if !card.sample {
        unused::mark(folder)?;
    }
    // `node init` reads the card beside the keys; a copy goes wherever it is wanted.
    let beside = folder.join(card_name(organisation));
    files::write_new(&beside, card.render().as_bytes(), false)?;
    let card_path = match &flags.card {
        Some(copy) => {
            files::write_new(copy, card.render().as_bytes(), false)?;
            copy.clone()
        }
        None => beside,
    };
    // Read back what a node will read, now, while a mistake costs nothing.
    NodeSecrets::read(folder)?;
    if global.json {
        print_json(&serde_json::json!({
            "organisation": organisation, "chain": chain, "folder": folder, "card": card_path,
            "keys": card.keys,
        }));
        return Ok(0);
    }
    print(t(
        "keys.made-node",
        &[("folder", folder.display().to_string())],
    ));
    print(t(
        "keys.made-card",
        &[("file", card_path.display().to_string())],
    ));
    print(match &chain {
        Some(chain) => t("keys.card-chain", &[("chain", chain.to_hex())]),
        None => t("keys.card-founding", &[]),
    });
    if card.sample {
        say(t("keys.sample-warning", &[]));
    }
    say(format!("\n{}:", t("word.next", &[])));
    let facts = [
        ("file", card_path.display().to_string()),
        ("folder", folder.display().to_string()),
    ];
    let next = match chain {
        Some(_) => "keys.next-node-card",
        None => "keys.next-card",
    };
    say(t(next, &facts));
    say(t("keys.next-node", &facts));
    say(t("keys.next-node-init", &facts));
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::prompt::Script;

    /// A date in another form repeats the question for the date alone.
    #[test]
    fn a_mistake_repeats_one_question() {
        let mut person = Script::of(&["20.11.2026", "2026-11-20"]);
        let date = asked(&mut person, "letter-date", &None, letter_date).unwrap();
        assert_eq!(Some(date), day("2026-11-20"));
        assert_eq!(person.heard.len(), 3);
        assert!(person.heard[1].contains("20.11.2026"), "{:?}", person.heard);
    }

    /// Roles are asked for with a word about each; a wrong one is told with those that there are.
    #[test]
    fn roles_are_asked_for() {
        let mut person = Script::of(&["primery", "primary, finance"]);
        let roles = until_read(&mut person, &role_question(), one_or_more_roles).unwrap();
        assert_eq!(roles, Some(vec![Role::Primary, Role::Finance]));
        assert!(person.heard[0].contains("node-operator"));
        assert!(person.heard[1].contains("primary"), "{:?}", person.heard);
        let none = until_read(&mut Script::of(&[""]), "", one_or_more_roles).unwrap();
        assert_eq!(none, Some(Vec::new()), "staff of an office");
    }
}
