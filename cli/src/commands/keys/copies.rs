//! `rollbook keys check|backup|restore`: copies of an officer's secret.
//!
//! * A copy is the `age` file itself. It holds the card too, so it alone brings a key back on an empty
//!   machine.
//! * What a command calls good was opened with its passphrase just now, or has the same bytes, and would
//!   be restored.
//! * A copy that was made before the ledger gave the key its numbers (RULINGS R16) is restored under
//!   them with `--organisation` and `--to`.

use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use rollbook_words::catalogue::t;

use super::{kept, keystore_of};
use crate::failure::Failure;
use crate::flags::{Global, KeyFlags};
use crate::keystore::card::OfficerCard;
use crate::keystore::secret::Secret;
use crate::keystore::{Keystore, passphrase};
use crate::output::{print, print_json, say};
use crate::{files, keystore};

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

/// `keys restore`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Restore {
    /// A copy of a secret; or the secret in the keystore, whose card is missing.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The organisation that the ledger numbered after the copy was made.
    #[arg(long, value_name = "N", requires = "to", value_parser = value_parser!(u32).range(1..))]
    organisation: Option<u32>,
    /// The person's number on the ledger.
    #[arg(long, value_name = "N", requires = "organisation", value_parser = value_parser!(u32).range(1..))]
    to: Option<u32>,
    #[command(flatten)]
    keys: KeyFlags,
}

/// The secret of a file and the card that it makes: what can be opened and is whole.
fn whole(file: &Path, passphrase: &str) -> Result<(Secret, OfficerCard), Failure> {
    let secret = Secret::open(file, passphrase)?;
    let card = secret.card().ok_or_else(|| {
        let facts = [("file", file.display().to_string())];
        Failure::unusable(t("keys.damaged", &facts))
            .because(t("keys.not-whole", &[]))
            .next(t("keys.damaged-next", &[]))
    })?;
    Ok((secret, card))
}

/// The card that a kept file must belong to: the one given, else the keystore's of that key, else
/// none.
fn known(
    global: &Global,
    flags: &Check,
    own: &OfficerCard,
) -> Result<Option<OfficerCard>, Failure> {
    if let Some(path) = &flags.card {
        return OfficerCard::read(path).map(Some);
    }
    let store = keystore_of(global, &flags.keys)?;
    let cards = store.list()?.into_iter().map(|entry| entry.card);
    let cards: Vec<OfficerCard> = cards.collect();
    // A key that got its number later is known by the key.
    let numbered = cards.iter().find(|card| {
        own.organisation == 0 && card.organisation != 0 && card.public_key == own.public_key
    });
    let same = cards.iter().find(|card| card.person == own.person);
    Ok(numbered.or(same).cloned())
}

/// Opens a kept file and compares it with the card of its key, if there is one.
pub fn check(global: &Global, flags: &Check) -> Result<u8, Failure> {
    let file = &flags.file;
    let shown = file.display().to_string();
    let passphrase = passphrase::existing(flags.keys.passphrase_file.as_deref(), &shown)?;
    let (secret, own) = whole(file, &passphrase)?;
    let card = known(global, flags, &own)?;
    // A copy from before the registration is the same key under its first number.
    let numbered_later = card.as_ref().filter(|card| {
        own.organisation == 0 && card.organisation != 0 && card.public_key == own.public_key
    });
    if let (Some(card), None) = (&card, numbered_later) {
        secret
            .matches(card)
            .map_err(|what| keystore::mismatch(file, what))?;
    }
    if global.json {
        print_json(&serde_json::json!({
            "file": file, "person": secret.person, "organisation": secret.organisation,
            "opens": true, "belongs": card.is_some(),
            "numbered_later": numbered_later.map(|card| (card.organisation, card.person)),
        }));
        return Ok(0);
    }
    let facts = [
        ("file", shown),
        ("person", secret.person.to_string()),
        ("name", secret.name.clone()),
    ];
    print(t(
        match card {
            Some(_) => "keys.check-good",
            None => "keys.check-alone",
        },
        &facts,
    ));
    if let Some(card) = numbered_later {
        say(t(
            "keys.check-number",
            &[
                facts[0].clone(),
                ("organisation", card.organisation.to_string()),
                ("to", card.person.to_string()),
            ],
        ));
    }
    Ok(0)
}

/// Copies a secret that opens, and reads the copy back.
pub fn backup(global: &Global, flags: &Backup) -> Result<u8, Failure> {
    let store = keystore_of(global, &flags.keys)?;
    let (person, to) = (flags.person, &flags.to);
    store.card(person)?;
    files::free(to, None)?;
    let bytes = files::read(&store.secret_path(person))?;
    // An empty or damaged file is no key, and a copy of it no backup.
    let whose = t("keys.backup-for", &[("person", person.to_string())]);
    let passphrase = passphrase::existing(flags.keys.passphrase_file.as_deref(), &whose)?;
    let secret = store.open(person, &passphrase)?;
    // The openings first: a copy without them is half a backup.
    kept::back_up(global, to, &passphrase, secret.sample)?;
    keystore::write_whole(to, &bytes)?;
    if global.json {
        print_json(&serde_json::json!({ "person": person, "file": to }));
        return Ok(0);
    }
    let facts = [
        ("person", person.to_string()),
        ("file", to.display().to_string()),
    ];
    print(t("keys.backup-made", &facts));
    say(format!("\n{}:", t("word.next", &[])));
    say(t("keys.next-check", &facts));
    say(t("keys.next-restore", &facts));
    Ok(0)
}

/// Puts a key back from one file: the secret, unless it is the keystore's own, and the card.
pub fn restore(global: &Global, flags: &Restore) -> Result<u8, Failure> {
    let file = &flags.file;
    let store = keystore_of(global, &flags.keys)?;
    let shown = file.display().to_string();
    let passphrase = passphrase::existing(flags.keys.passphrase_file.as_deref(), &shown)?;
    let (mut secret, mut card) = whole(file, &passphrase)?;
    if let (Some(organisation), Some(to)) = (flags.organisation, flags.to) {
        if secret.organisation != 0 {
            return Err(super::has_number(&card));
        }
        kept::is_of(global, organisation, to)?;
        (secret.organisation, secret.person) = (organisation, to);
        card = secret
            .card()
            .ok_or_else(|| keystore::mismatch(file, "keys.differs.key"))?;
    }
    let sealed = match flags.to {
        Some(_) => secret.seal(&passphrase)?,
        // A copy stays what it was, byte for byte.
        None => files::read(file)?,
    };
    put_back(&store, file, (&secret, &sealed), &card, &passphrase)?;
    let path = store.secret_path(card.person);
    if global.json {
        print_json(&serde_json::json!({
            "person": card.person, "organisation": card.organisation, "secret": path,
            "card": store.card_path(card.person),
        }));
        return Ok(0);
    }
    let facts = [
        ("person", card.person.to_string()),
        ("organisation", card.organisation.to_string()),
        ("file", path.display().to_string()),
        ("openings", kept::beside(file).display().to_string()),
    ];
    print(t("keys.restored", &facts));
    let mut next = Vec::new();
    if kept::beside(file).exists() {
        next.push(t("keys.restored-openings", &facts));
    }
    if card.organisation == 0 {
        next.push(t("keys.restored-number", &facts));
    }
    for line in next {
        say(format!("{}: {line}", t("word.next", &[])));
    }
    Ok(0)
}

/// Writes what of a key is not in the keystore. Another key under this number stays, and is named.
fn put_back(
    store: &Keystore,
    file: &Path,
    (secret, sealed): (&Secret, &[u8]),
    card: &OfficerCard,
    passphrase: &str,
) -> Result<(), Failure> {
    let (own, shown) = (store.secret_path(card.person), store.card_path(card.person));
    if shown.exists() {
        let here = OfficerCard::read(&shown)?;
        secret
            .matches(&here)
            .map_err(|what| keystore::mismatch(file, what))?;
    }
    if own.exists() {
        // Whose card alone is missing, or a copy of what is here already.
        let here = Secret::open(&own, passphrase).map_err(|failure| {
            let facts = [("file", own.display().to_string())];
            failure.next(t("keys.in-the-way-next", &facts))
        })?;
        here.matches(card)
            .map_err(|what| keystore::mismatch(&own, what))?;
    } else {
        files::make_folder(store.folder())?;
        keystore::write_whole(&own, sealed)?;
    }
    if shown.exists() {
        return Ok(());
    }
    store.add_card(card)
}
