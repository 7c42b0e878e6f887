//! `rollbook keys new|list|show|check|backup|assign|sample`: officers' and nodes' keys on one's own
//! machine (RULINGS A21, R23, R24).

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, value_parser};
use rollbook_core::calendar::LocalDay;
use rollbook_core::identity::identifier::did_key;
use rollbook_core::identity::possession::Possession;
use rollbook_core::identity::{Authorisation, Role, commitment};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair};
use rollbook_sandbox::keys::{officer_key, salt};
use rollbook_words::catalogue::t;
use rollbook_words::dates::day;

use crate::drafting::alliance::short_text;
use crate::drafting::{Inputs, read_inputs, sample};
use crate::failure::{Failure, REFUSED};
use crate::flags::{Global, KeyFlags};
use crate::input::problem::Report;
use crate::keystore::card::{OfficerCard, key_text, parse_role, role_code};
use crate::keystore::node::{CARD, NodeCard, NodeSecrets};
use crate::keystore::secret::{Fresh, Secret};
use crate::keystore::{Keystore, passphrase};
use crate::output::{print, print_json, say};
use crate::profile::{genesis, in_use};
use crate::{files, keystore};

/// `keys`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// New keys of an officer or a node.
    New(New),
    /// Everybody in the keystore.
    List(List),
    /// One person's card.
    Show(Show),
    /// Opens a kept secret.
    Check(Check),
    /// Copies a secret.
    Backup(Backup),
    /// Numbers a key after the registration.
    Assign(Assign),
    /// Keys of a sample alliance.
    Sample(Sample),
}

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
    node: bool,
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

/// `keys list`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct List {
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys show`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Show {
    #[arg(value_name = "PERSON", value_parser = value_parser!(u32).range(1..))]
    person: u32,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys check`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Check {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys backup`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Backup {
    #[arg(value_name = "PERSON", value_parser = value_parser!(u32).range(1..))]
    person: u32,
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys assign`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Assign {
    #[arg(value_name = "PERSON", value_parser = value_parser!(u32).range(1..))]
    person: u32,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    organisation: u32,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    to: u32,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys sample`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Sample {
    #[arg(long, value_name = "SEED")]
    seed: String,
    #[arg(long, value_name = "FILE")]
    members: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    alliance: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs it.
pub fn run(global: &Global, command: &Command) -> Result<u8, Failure> {
    match command {
        Command::New(flags) if flags.node => new_node(global, flags),
        Command::New(flags) => new_officer(global, flags),
        Command::List(flags) => list(global, flags),
        Command::Show(flags) => show(global, flags),
        Command::Check(flags) => check(global, flags),
        Command::Backup(flags) => backup(global, flags),
        Command::Assign(flags) => assign(global, flags),
        Command::Sample(flags) => samples(global, flags),
    }
}

/// The keystore that applies here.
pub fn keystore_of(global: &Global, flags: &KeyFlags) -> Result<Keystore, Failure> {
    let given = flags.keystore.as_ref();
    let profile = match given {
        Some(_) => None,
        None => in_use(global)?.and_then(|profile| profile.keystore),
    };
    Ok(Keystore::at(given, profile.as_deref()))
}

fn new_officer(global: &Global, flags: &New) -> Result<u8, Failure> {
    let organisation = flags.organisation;
    let person = flags.person.ok_or_else(|| missing("person"))?;
    let roles = roles(&flags.role)?;
    let seed = sample_seed(flags)?;
    let store = keystore_of(global, &flags.keys)?;
    if store.secret_path(person).exists() {
        let facts = [
            ("person", person.to_string()),
            ("folder", store.folder().display().to_string()),
        ];
        return Err(Failure::unusable(t("keys.exists", &facts)).next(t("keys.exists-next", &[])));
    }
    let name = asked("name", &flags.name)?;
    let document = asked("document", &flags.document)?;
    let signatory = asked("signatory", &flags.signatory)?;
    let letter = letter(&flags.letter)?;
    let date = letter_date(&flags.letter_date)?;
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
    let card = OfficerCard {
        organisation,
        person,
        roles,
        commitment: commitment::person(&salt, &name, &document),
        public_key: key.public(),
        possession: Possession::founding(organisation).prove(KeyKind::Officer, &key),
        authorisation: Authorisation {
            letter,
            signatory: commitment::signatory(&signatory_salt, &signatory),
            date,
        },
        sample: seed.is_some(),
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
    };
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
    say(t(
        "keys.next-card",
        &[("file", card_path.display().to_string())],
    ));
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

/// A text of the command line, or asked for on a terminal.
fn asked(id: &'static str, given: &Option<String>) -> Result<Text<160>, Failure> {
    let given = match given {
        Some(given) => given.clone(),
        None => ask(&t(&format!("keys.ask.{id}"), &[]))?.ok_or_else(|| missing(id))?,
    };
    short_text(&given)
        .ok_or_else(|| Failure::unusable(t("keys.bad-text", &[("what", format!("--{id}"))])))
}

fn missing(id: &str) -> Failure {
    Failure::unusable(t("keys.missing", &[("what", format!("--{id}"))]))
        .next(t("keys.missing-next", &[]))
}

/// Asks on a terminal; nothing if there is none.
pub fn ask(prompt: &str) -> Result<Option<String>, Failure> {
    use std::io::IsTerminal;
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    crate::output::prompt(prompt);
    let mut line = String::new();
    let read = std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| Failure::unusable(prompt).because(error))?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

fn letter(given: &Option<String>) -> Result<Hash, Failure> {
    let given = match given {
        Some(given) => given.clone(),
        None => ask(&t("keys.ask.letter", &[]))?.ok_or_else(|| missing("letter"))?,
    };
    files::hash_or_file(&given, Path::new("")).map_err(|error| {
        Failure::unusable(t("keys.no-letter", &[("given", given.clone())]))
            .because(error)
            .next(t("keys.no-letter-next", &[]))
    })
}

fn letter_date(given: &Option<String>) -> Result<LocalDay, Failure> {
    let given = match given {
        Some(given) => given.clone(),
        None => ask(&t("keys.ask.letter-date", &[]))?.ok_or_else(|| missing("letter-date"))?,
    };
    day(&given).ok_or_else(|| Failure::unusable(t("keys.no-date", &[("given", given)])))
}

fn new_node(global: &Global, flags: &New) -> Result<u8, Failure> {
    let organisation = flags.organisation;
    let needed = |id: &str, given: &Option<String>| given.clone().ok_or_else(|| missing(id));
    let (url, address) = (
        needed("url", &flags.url)?,
        needed("address", &flags.address)?,
    );
    let folder = flags.out.as_ref().ok_or_else(|| missing("out"))?;
    let seed = sample_seed(flags)?;
    let secrets = match &seed {
        Some(seed) => NodeSecrets::sample(seed, organisation),
        None => NodeSecrets::random()?,
    };
    let chain = match flags.founding {
        true => None,
        false => genesis(flags.genesis.as_deref(), in_use(global)?.as_ref())?,
    };
    let bad = || Failure::unusable(t("draft.card-address", &[]));
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
    let card_path = flags.card.clone().unwrap_or_else(|| folder.join(CARD));
    files::write_new(&card_path, card.render().as_bytes(), false)?;
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
    let next = if chain.is_some() {
        "keys.next-node-card"
    } else {
        "keys.next-card"
    };
    say(t(next, &[("file", card_path.display().to_string())]));
    say(t("keys.next-node", &[]));
    Ok(0)
}

fn card_json(card: &OfficerCard, store: &Keystore) -> serde_json::Value {
    serde_json::json!({
        "organisation": card.organisation,
        "person": card.person,
        "roles": card.roles,
        "public_key": card.public_key,
        "did": did_key(&card.public_key),
        "commitment": card.commitment,
        "letter": card.authorisation.letter,
        "letter_date": LocalDay(card.authorisation.date.0).date().to_string(),
        "sample": card.sample,
        "secret": store.secret_path(card.person).exists().then(|| store.secret_path(card.person)),
        "card": store.card_path(card.person),
    })
}

/// Roles as people read them.
pub fn role_words(roles: &[Role]) -> String {
    if roles.is_empty() {
        return t("role.none", &[]);
    }
    let separator = t("word.list", &[]);
    roles
        .iter()
        .map(|role| t(&format!("role.{}", role_code(*role)), &[]))
        .collect::<Vec<_>>()
        .join(&separator)
}

fn list(global: &Global, flags: &List) -> Result<u8, Failure> {
    let store = keystore_of(global, &flags.keys)?;
    let entries = store.list()?;
    if global.json {
        print_json(
            &entries
                .iter()
                .map(|entry| card_json(&entry.card, &store))
                .collect::<Vec<_>>(),
        );
        return Ok(0);
    }
    if entries.is_empty() {
        say(t(
            "keys.none",
            &[("folder", store.folder().display().to_string())],
        ));
        say(format!(
            "{}: {}",
            t("word.next", &[]),
            t("keys.none-next", &[])
        ));
        return Ok(0);
    }
    let mut table = crate::output::table(&[
        "keys.column.person",
        "keys.column.organisation",
        "keys.column.roles",
        "keys.column.key",
        "keys.column.secret",
    ]);
    for entry in &entries {
        let mut key = key_text(&entry.card.public_key);
        key.truncate(24);
        let state = if entry.has_secret {
            "keys.secret-here"
        } else {
            "keys.secret-away"
        };
        table.add_row([
            entry.card.person.to_string(),
            entry.card.organisation.to_string(),
            role_words(&entry.card.roles),
            key,
            t(state, &[]),
        ]);
    }
    print(table.trim_fmt());
    Ok(0)
}

fn show(global: &Global, flags: &Show) -> Result<u8, Failure> {
    let store = keystore_of(global, &flags.keys)?;
    let person = flags.person;
    let card = store.card(person)?;
    if global.json {
        print_json(&card_json(&card, &store));
        return Ok(0);
    }
    if card.sample {
        print(t("keys.sample-warning", &[]));
    }
    print(t(
        "keys.show.person",
        &[
            ("person", person.to_string()),
            ("organisation", card.organisation.to_string()),
        ],
    ));
    print(t("keys.show.roles", &[("roles", role_words(&card.roles))]));
    print(t("keys.show.key", &[("key", key_text(&card.public_key))]));
    print(t("keys.show.did", &[("did", did_key(&card.public_key))]));
    print(t(
        "keys.show.commitment",
        &[("hash", card.commitment.to_hex())],
    ));
    let date = LocalDay(card.authorisation.date.0).date().to_string();
    print(t(
        "keys.show.letter",
        &[("hash", card.authorisation.letter.to_hex()), ("date", date)],
    ));
    let state = if store.secret_path(person).exists() {
        "keys.secret-here"
    } else {
        "keys.secret-away"
    };
    print(t(
        "keys.show.secret",
        &[
            ("state", t(state, &[])),
            ("folder", store.folder().display().to_string()),
        ],
    ));
    Ok(0)
}

/// Opens a kept file and compares it with the card: the one beside it, the one given, or the
/// keystore's.
fn check(global: &Global, flags: &Check) -> Result<u8, Failure> {
    let file = &flags.file;
    let passphrase = passphrase::existing(
        flags.keys.passphrase_file.as_deref(),
        &file.display().to_string(),
    )?;
    let secret = Secret::open(file, &passphrase)?;
    let card = match &flags.card {
        Some(path) => OfficerCard::read(path)?,
        None => keystore_of(global, &flags.keys)?.card(secret.person)?,
    };
    secret
        .matches(&card)
        .map_err(|what| keystore::mismatch(file, what))?;
    if global.json {
        print_json(&serde_json::json!({
            "file": file, "person": secret.person, "opens": true, "belongs": true,
        }));
    } else {
        let facts = [
            ("file", file.display().to_string()),
            ("person", secret.person.to_string()),
            ("name", secret.name.clone()),
        ];
        print(t("keys.check-good", &facts));
    }
    Ok(0)
}

fn backup(global: &Global, flags: &Backup) -> Result<u8, Failure> {
    let store = keystore_of(global, &flags.keys)?;
    let (person, to) = (flags.person, &flags.to);
    store.card(person)?;
    let bytes = files::read(&store.secret_path(person))?;
    files::write_new(to, &bytes, true)?;
    if files::read(to)? != bytes {
        return Err(Failure {
            exit: REFUSED,
            ..Failure::unusable(t(
                "keys.backup-differs",
                &[("file", to.display().to_string())],
            ))
        });
    }
    if global.json {
        print_json(&serde_json::json!({ "person": person, "file": to }));
        return Ok(0);
    }
    print(t(
        "keys.backup-made",
        &[
            ("person", person.to_string()),
            ("file", to.display().to_string()),
        ],
    ));
    say(format!("\n{}:", t("word.next", &[])));
    say(t("keys.next-check", &[("file", to.display().to_string())]));
    Ok(0)
}

/// Gives a key made before the registration the numbers that the ledger gave: the same key, a new
/// pair of files (RULINGS R16).
fn assign(global: &Global, flags: &Assign) -> Result<u8, Failure> {
    let Assign {
        person,
        organisation,
        to,
        ..
    } = *flags;
    let store = keystore_of(global, &flags.keys)?;
    let card = store.card(person)?;
    if card.organisation != 0 {
        let facts = [
            ("person", person.to_string()),
            ("organisation", card.organisation.to_string()),
        ];
        return Err(Failure::unusable(t("keys.assigned-already", &facts)));
    }
    let passphrase =
        passphrase::existing(flags.keys.passphrase_file.as_deref(), &person.to_string())?;
    let mut secret = store.open(person, &passphrase)?;
    let key = secret
        .key()
        .ok_or_else(|| keystore::mismatch(&store.secret_path(person), "keys.differs.key"))?;
    (secret.organisation, secret.person) = (organisation, to);
    let possession = Possession::founding(organisation).prove(KeyKind::Officer, &key);
    store.add(
        &secret,
        &OfficerCard {
            organisation,
            person: to,
            possession,
            ..card
        },
        &passphrase,
    )?;
    store.open(to, &passphrase)?;
    if global.json {
        print_json(&serde_json::json!({
            "person": to, "organisation": organisation, "secret": store.secret_path(to),
        }));
        return Ok(0);
    }
    let facts = [
        ("person", to.to_string()),
        ("organisation", organisation.to_string()),
    ];
    print(t(
        "keys.assigned",
        &[
            ("file", store.secret_path(to).display().to_string()),
            facts[0].clone(),
            facts[1].clone(),
        ],
    ));
    say(format!(
        "{}: {}",
        t("word.next", &[]),
        t("keys.assigned-next", &facts)
    ));
    Ok(0)
}

/// Cards, keystore, node keys and the founded genesis of a whole sample alliance: the shipped one,
/// or that of given files.
fn samples(global: &Global, flags: &Sample) -> Result<u8, Failure> {
    let (seed, out) = (&flags.seed, &flags.out);
    let alliance = match &flags.members {
        None => sample::metaverse(seed)?,
        Some(members) => sample::found(&inputs(&flags.alliance, members)?, seed)?,
    };
    let keys = &alliance.keys;
    let (cards, store) = (
        out.join("cards"),
        Keystore::at(Some(&out.join("keystore")), None),
    );
    files::make_folder(&cards)?;
    for officer in keys.officers.values() {
        store.add(&officer.secret, &officer.card, sample::PASSPHRASE)?;
        let path = cards.join(format!("{:04}.card.toml", officer.card.person));
        files::write_new(&path, officer.card.render().as_bytes(), false)?;
    }
    for (number, (card, secrets)) in &keys.nodes {
        secrets.write(&out.join("nodes").join(format!("{number:04}")))?;
        files::write_new(
            &cards.join(format!("node-{number:04}.card.toml")),
            card.render().as_bytes(),
            false,
        )?;
    }
    let genesis = out.join("genesis.rollbook");
    files::write_new(&genesis, &alliance.file.encode(), false)?;
    if global.json {
        let persons: Vec<u32> = keys.officers.keys().copied().collect();
        let nodes: Vec<u32> = keys.nodes.keys().copied().collect();
        print_json(&serde_json::json!({
            "out": out, "persons": persons, "nodes": nodes, "passphrase": sample::PASSPHRASE,
            "genesis": alliance.file.genesis.hash(), "file": genesis,
        }));
        return Ok(0);
    }
    let facts = [
        ("officers", keys.officers.len().to_string()),
        ("nodes", keys.nodes.len().to_string()),
        ("out", out.display().to_string()),
        ("passphrase", sample::PASSPHRASE.to_owned()),
    ];
    print(t("keys.samples-made", &facts));
    print(t(
        "genesis.head.hash",
        &[("hash", alliance.file.genesis.hash().to_hex())],
    ));
    say(t("keys.sample-warning", &[]));
    Ok(0)
}

fn inputs(alliance: &Option<PathBuf>, members: &Path) -> Result<Inputs, Failure> {
    let alliance = alliance
        .clone()
        .unwrap_or_else(|| members.with_file_name("alliance.toml"));
    let base = alliance.parent().map(Path::to_path_buf).unwrap_or_default();
    let read = |name: &str| std::fs::read(base.join(name));
    let mut report = Report::default();
    let (alliance_name, members_name) = (
        alliance.display().to_string(),
        members.display().to_string(),
    );
    let inputs = read_inputs(
        (&alliance_name, &files::read(&alliance)?),
        (&members_name, &files::read(members)?),
        &read,
        &mut report,
    );
    inputs
        .filter(|_| report.errors.is_empty())
        .ok_or_else(|| sample::unusable(&report))
}
