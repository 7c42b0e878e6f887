//! What else a key's owner may not lose, and what the ledger knows of a key's number.
//!
//! * Who loses an opening loses an application or a review, so a backup of a key takes the profile's
//!   openings along: one file under the same passphrase, which the stock `age` tool opens, too.
//! * A key gets the number that the ledger gave to an officer of that organisation and no other, if a
//!   node can be asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_core::id::PersonId;
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use crate::act::next;
use crate::asking;
use crate::failure::Failure;
use crate::files;
use crate::flags::{Asking, Global, KeyFlags};
use crate::keystore::{passphrase, secret};
use crate::output::{print, print_json, say};
use crate::profile::{Left, in_use};
use crate::verbs::opening;

const KIND: &str = "rollbook-openings";

/// `keys openings`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Openings {
    /// The file that `keys backup` made beside the key.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    keys: KeyFlags,
}

/// The openings of a profile in one file, before it is encrypted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bundle {
    kind: String,
    version: u32,
    /// Texts by the names of their files.
    openings: BTreeMap<String, String>,
}

/// Where the openings of a backup lie: `FILE.openings.age`.
pub fn beside(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(".openings.age");
    PathBuf::from(name)
}

/// Writes the profile's openings beside the backup of a key, if there are some, under the key's
/// passphrase.
pub fn back_up(global: &Global, to: &Path, passphrase: &str, sample: bool) -> Result<(), Failure> {
    let mut openings = BTreeMap::new();
    for file in opening::kept(&Left::Openings.place(global)?) {
        let name = file.file_name().and_then(|name| name.to_str());
        let text = String::from_utf8(files::read(&file)?);
        if let (Some(name), Ok(text)) = (name, text) {
            openings.insert(name.to_owned(), text);
        }
    }
    if openings.is_empty() {
        return Ok(());
    }
    let count = openings.len();
    let bundle = Bundle {
        kind: KIND.to_owned(),
        version: 1,
        openings,
    };
    let text =
        serde_json::to_vec(&bundle).map_err(|error| Failure::unusable(KIND).because(error))?;
    let file = beside(to);
    files::write_new(&file, &secret::encrypt(&text, passphrase, sample)?, true)?;
    let facts = [
        ("count", count.to_string()),
        ("file", file.display().to_string()),
    ];
    say(t("keys.openings-made", &facts));
    Ok(())
}

/// Runs `keys openings FILE`: what is not in the profile's folder is put back there.
pub fn restore(global: &Global, flags: &Openings) -> Result<u8, Failure> {
    let file = &flags.file;
    let facts = [("file", file.display().to_string())];
    let passphrase = passphrase::existing(flags.keys.passphrase_file.as_deref(), &facts[0].1)?;
    let clear = secret::decrypt(file, &passphrase)?;
    let none = || {
        Failure::unusable(t("keys.no-openings", &facts)).next(t("keys.no-openings-next", &facts))
    };
    let bundle: Bundle = serde_json::from_slice(&clear).map_err(|_| none())?;
    if bundle.kind != KIND || bundle.version != 1 {
        return Err(none());
    }
    let folder = Left::Openings.folder(global)?;
    let (mut back, mut there) = (0_usize, 0_usize);
    for (name, text) in &bundle.openings {
        // A name is that of a file in this folder and nothing else.
        if Path::new(name)
            .file_name()
            .is_none_or(|own| own != name.as_str())
        {
            return Err(none());
        }
        let path = folder.join(name);
        if path.exists() {
            there += 1;
        } else {
            files::write_new(&path, text.as_bytes(), true)?;
            back += 1;
        }
    }
    if global.json {
        print_json(&serde_json::json!({ "folder": folder, "back": back, "there": there }));
        return Ok(0);
    }
    let facts = [
        ("back", back.to_string()),
        ("there", there.to_string()),
        ("folder", folder.display().to_string()),
    ];
    print(t("keys.openings-back", &facts));
    Ok(0)
}

/// Refuses a number that the ledger did not give to an officer of the organisation, if a node of the
/// profile can be asked.
pub fn is_of(global: &Global, organisation: u32, person: u32) -> Result<(), Failure> {
    let profile = in_use(global)?;
    let Ok(client) = asking::client(&Asking::default(), profile.as_ref(), "act.no-profile-next")
    else {
        return Ok(());
    };
    let officers = match next::of(&client, "organisation", organisation) {
        Ok(told) => told.officers,
        // Nobody answers: the ledger says so when the key signs.
        Err(failure) if failure.exit == crate::failure::UNREACHABLE => return Ok(()),
        Err(failure) => return Err(failure),
    };
    if officers.contains(&PersonId(person)) {
        return Ok(());
    }
    let known: Vec<String> = officers.iter().map(|known| known.0.to_string()).collect();
    let facts = [
        ("person", person.to_string()),
        ("organisation", organisation.to_string()),
        ("officers", known.join(&t("word.list", &[]))),
    ];
    Err(Failure::refused(t("keys.not-of", &facts)).next(t("keys.not-of-next", &facts)))
}
