//! Keys on an officer's own machine (RULINGS A21, R23).
//!
//! * One folder holds, per officer, `NNNN.age` (secret, encrypted with a passphrase) and
//!   `NNNN.card.toml` (public). The number is the person's number. The secret opens with the stock
//!   `age` tool as well, so no backup depends on this program.
//! * The secret keeps the clear name, document number and salts behind the card's commitments: they
//!   stand nowhere else.
//! * Files are written once and never overwritten; secrets are 0600, folders 0700. The secret comes
//!   first: who was stopped between the two has a secret without a card, from which `keys restore`
//!   makes it.
//! * Node keys are plain 0600 files, one per kind ([`node`]): a node starts without a person.

pub mod card;
pub mod node;
pub mod node_backup;
pub mod opened;
pub mod passphrase;
pub mod secret;
pub mod unused;

use std::path::{Path, PathBuf};

use rollbook_words::catalogue::t;

use crate::failure::{Failure, REFUSED};
use crate::files;
use crate::files::{make_folder, write_new};
use crate::output::say;
use card::OfficerCard;
use secret::Secret;

/// How often a passphrase may be typed.
const TRIES: usize = 3;

/// A folder of officers' keys.
#[derive(Clone)]
pub struct Keystore {
    folder: PathBuf,
}

/// One officer's place in the folder.
pub struct Entry {
    /// The person.
    pub card: OfficerCard,
    /// Whether the secret file is there.
    pub has_secret: bool,
}

impl Keystore {
    /// The folder given, else the profile's, else `rollbook/keys` under the XDG data folder.
    pub fn at(given: Option<&PathBuf>, profile: Option<&Path>) -> Keystore {
        let folder = given
            .cloned()
            .or_else(|| profile.map(Path::to_path_buf))
            .unwrap_or_else(|| {
                crate::profile::xdg("XDG_DATA_HOME", ".local/share")
                    .join("rollbook")
                    .join("keys")
            });
        Keystore { folder }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The secret file of a person.
    pub fn secret_path(&self, person: u32) -> PathBuf {
        self.folder.join(format!("{person:04}.age"))
    }

    /// The card file of a person.
    pub fn card_path(&self, person: u32) -> PathBuf {
        self.folder.join(format!("{person:04}.card.toml"))
    }

    /// The number that the ledger gives to the key of a person which is here: 0 until a later key took
    /// the first one's place and was told of.
    pub fn key_number(&self, person: u32) -> u32 {
        let text = std::fs::read_to_string(self.folder.join(format!("{person:04}.number")));
        text.ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0)
    }

    /// Keeps that number.
    pub fn keep_key_number(&self, person: u32, number: u32) -> Result<(), Failure> {
        let path = self.folder.join(format!("{person:04}.number"));
        crate::files::replace(&path, format!("{number}\n").as_bytes())
    }

    /// Everybody in the folder, ascending by person.
    pub fn list(&self) -> Result<Vec<Entry>, Failure> {
        let mut entries = Vec::new();
        for path in files::listed(&self.folder).unwrap_or_default() {
            if path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.ends_with(".card.toml"))
            {
                let card = OfficerCard::read(&path)?;
                let has_secret = self.secret_path(card.person).exists();
                entries.push(Entry { card, has_secret });
            }
        }
        entries.sort_by_key(|entry| entry.card.person);
        Ok(entries)
    }

    /// The card of a person.
    pub fn card(&self, person: u32) -> Result<OfficerCard, Failure> {
        let path = self.card_path(person);
        if !path.exists() {
            self.not_half_made(person)?;
            return Err(Failure::unusable(t(
                "keys.no-such-person",
                &[
                    ("person", person.to_string()),
                    ("folder", self.folder.display().to_string()),
                ],
            ))
            .next(t("keys.no-such-person-next", &[])));
        }
        OfficerCard::read(&path)
    }

    /// Secrets without a card, by their numbers.
    pub fn half_made(&self) -> Vec<u32> {
        let number = |path: &PathBuf| path.file_stem()?.to_str()?.parse().ok();
        let paths = files::listed(&self.folder).unwrap_or_default();
        let secrets = paths
            .iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "age"));
        let mut numbers: Vec<u32> = secrets.filter_map(number).collect();
        numbers.retain(|person| {
            self.secret_path(*person).exists() && !self.card_path(*person).exists()
        });
        numbers
    }

    /// Refuses a person whose secret is here and whose card is not.
    pub fn not_half_made(&self, person: u32) -> Result<(), Failure> {
        let secret = self.secret_path(person);
        if !secret.exists() || self.card_path(person).exists() {
            return Ok(());
        }
        Err(half_made(person, &secret))
    }

    /// Writes a new officer's two files; refuses to overwrite.
    pub fn add(
        &self,
        secret: &Secret,
        card: &OfficerCard,
        passphrase: &str,
    ) -> Result<(), Failure> {
        make_folder(&self.folder)?;
        write_whole(&self.secret_path(card.person), &secret.seal(passphrase)?)?;
        self.add_card(card).inspect_err(|_| {
            // Made just now and useless alone.
            let _ = std::fs::remove_file(self.secret_path(card.person));
        })
    }

    /// Writes the card beside a secret that is here; refuses to overwrite.
    pub fn add_card(&self, card: &OfficerCard) -> Result<(), Failure> {
        let text = card.render();
        write_new(&self.card_path(card.person), text.as_bytes(), false)
    }

    /// Opens a person's secret and checks that it belongs to the card beside it.
    pub fn open(&self, person: u32, passphrase: &str) -> Result<Secret, Failure> {
        let card = self.card(person)?;
        let path = self.secret_path(person);
        let secret = Secret::open(&path, passphrase)?;
        secret
            .matches(&card)
            .map_err(|what| mismatch(&path, what))?;
        Ok(secret)
    }

    /// Opens a person's secret: the card first, so that who has no key here is not asked, then the
    /// passphrase; at a terminal a wrong one may be typed again. `what` is shown at the prompt.
    pub fn unlock(
        &self,
        person: u32,
        passphrase_file: Option<&Path>,
        what: &str,
    ) -> Result<Secret, Failure> {
        let card = self.card(person)?;
        let path = self.secret_path(person);
        let tries = if passphrase::is_asked(passphrase_file) {
            TRIES
        } else {
            1
        };
        let mut last = None;
        for _ in 0..tries {
            let passphrase = passphrase::existing(passphrase_file, what)?;
            match Secret::open(&path, &passphrase) {
                Ok(secret) => {
                    secret
                        .matches(&card)
                        .map_err(|what| mismatch(&path, what))?;
                    return Ok(secret);
                }
                // Only a wrong passphrase is a refusal.
                Err(failure) if failure.exit == REFUSED && tries > 1 => {
                    say(format!("  {}", failure.what));
                    last = Some(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(last.unwrap_or_else(|| mismatch(&path, "keys.differs.key")))
    }
}

/// Writes a sealed secret into a new file and reads it back, now, while a mistake costs nothing: what
/// was sealed, or opened, under a passphrase opens from a file of the same bytes.
pub fn write_whole(path: &Path, sealed: &[u8]) -> Result<(), Failure> {
    write_new(path, sealed, true)?;
    if files::read(path)? == sealed {
        return Ok(());
    }
    let facts = [("file", path.display().to_string())];
    Err(Failure {
        exit: REFUSED,
        ..Failure::unusable(t("keys.backup-differs", &facts))
            .next(t("keys.backup-differs-next", &[]))
    })
}

/// A secret without its card, and what makes the card again.
pub fn half_made(person: u32, secret: &Path) -> Failure {
    let facts = [
        ("person", person.to_string()),
        ("file", secret.display().to_string()),
    ];
    Failure::unusable(t("keys.half-made", &facts)).next(t("keys.half-made-next", &facts))
}

/// A secret that does not belong to its card.
pub fn mismatch(path: &Path, what: &'static str) -> Failure {
    Failure::refused(t("keys.mismatch", &[("file", path.display().to_string())]))
        .because(t(what, &[]))
        .next(t("keys.mismatch-next", &[]))
}
