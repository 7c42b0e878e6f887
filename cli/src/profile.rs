//! Profiles: which alliance, which genesis, which nodes, which keys, who one is, which language
//! (RULINGS R23).
//!
//! One file per profile, `profiles/NAME.toml` under the configuration folder (`--config`, else
//! `rollbook` under the XDG configuration folder); `current` names the one in use. Nothing in them
//! is secret.

use std::ffi::OsString;
use std::path::PathBuf;

use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::{Language, t};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files::{cannot_read, make_folder, replace};
use crate::flags::Global;

/// A profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name of the alliance, in both scripts.
    pub alliance: String,
    /// Genesis hash, 64 hexadecimal digits: what is trusted.
    pub genesis: String,
    /// The genesis file, if there is one on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genesis_file: Option<PathBuf>,
    /// Whether the alliance is a sample.
    #[serde(default)]
    pub sample: bool,
    /// Addresses of nodes, tried in order.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// PEM file of the certificates that nodes' certificates rest on; the usual roots of the web if
    /// not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Folder of keys; the default one if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keystore: Option<PathBuf>,
    /// The organisation one acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<u32>,
    /// The person one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<u32>,
    /// `en` or `zh`; the locale decides if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Profile {
    /// The genesis hash.
    pub fn genesis_hash(&self) -> Option<Hash> {
        Hash::from_hex(&self.genesis)
    }
}

/// An XDG folder: the variable, else the usual place under the home folder.
pub fn xdg(variable: &str, usual: &str) -> PathBuf {
    let given = std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    given.unwrap_or_else(|| {
        std::env::var_os("HOME")
            .map(PathBuf::from)
            .unwrap_or_default()
            .join(usual)
    })
}

/// The folder of profiles.
pub struct Profiles {
    folder: PathBuf,
    given: bool,
}

impl Profiles {
    /// `--config`, else the XDG place.
    pub fn of(global: &Global) -> Profiles {
        Profiles::at(global.config.clone())
    }

    /// A given folder, else the XDG place.
    pub fn at(given: Option<PathBuf>) -> Profiles {
        Profiles {
            given: given.is_some(),
            folder: given.unwrap_or_else(|| xdg("XDG_CONFIG_HOME", ".config").join("rollbook")),
        }
    }

    /// File of a profile.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join("profiles").join(format!("{name}.toml"))
    }

    /// The folder of what was verified of an alliance: beside the profiles if `--config` names
    /// their folder, else under the XDG state folder.
    pub fn verified(&self, genesis: &Hash) -> PathBuf {
        let state = if self.given {
            self.folder.clone()
        } else {
            xdg("XDG_STATE_HOME", ".local/state").join("rollbook")
        };
        state.join("verified").join(genesis.to_hex())
    }

    /// The folder of what the acts of a profile leave: receipts, openings, papers that wait. Beside
    /// the profiles if `--config` names their folder, else under the XDG data folder.
    pub fn work(&self, name: &str) -> PathBuf {
        let data = if self.given {
            self.folder.clone()
        } else {
            xdg("XDG_DATA_HOME", ".local/share").join("rollbook")
        };
        data.join("work").join(name)
    }

    /// All names, ascending.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.join("profiles"))
            .map(|files| {
                files
                    .flatten()
                    .filter_map(|file| {
                        Some(file.file_name().to_str()?.strip_suffix(".toml")?.to_owned())
                    })
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        names
    }

    /// Name of the profile in use.
    pub fn current(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.join("current")).ok()?;
        Some(text.trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// Reads a profile.
    pub fn read(&self, name: &str) -> Result<Profile, Failure> {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path).map_err(|error| cannot_read(&path, &error))?;
        let unreadable = || {
            Failure::unusable(t(
                "profile.unreadable",
                &[("file", path.display().to_string())],
            ))
        };
        let profile: Profile =
            toml::from_str(&text).map_err(|error| unreadable().because(error.message()))?;
        if profile.genesis_hash().is_none() {
            return Err(
                unreadable().because(t("audit.bad-hash", &[("hash", profile.genesis.clone())]))
            );
        }
        Ok(profile)
    }

    /// Writes a profile and puts it in use.
    pub fn write(&self, name: &str, profile: &Profile) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let text = toml::to_string(profile).map_err(|error| {
            Failure::unusable(t("profile.unreadable", &[("file", name.to_owned())])).because(error)
        })?;
        replace(&path, text.as_bytes())?;
        self.put_in_use(name)?;
        Ok(path)
    }

    /// Puts a profile in use.
    pub fn put_in_use(&self, name: &str) -> Result<(), Failure> {
        replace(&self.folder.join("current"), format!("{name}\n").as_bytes())
    }

    /// The profile that applies: `--profile`, else the one in use, else none.
    pub fn chosen(&self, global: &Global) -> Result<Option<(String, Profile)>, Failure> {
        let asked = global.profile.clone();
        let Some(name) = asked.or_else(|| self.current()) else {
            return Ok(None);
        };
        if !self.path(&name).exists() {
            return Err(unknown(self, &name));
        }
        Ok(Some((name.clone(), self.read(&name)?)))
    }
}

/// The profile that applies, if any.
pub fn in_use(global: &Global) -> Result<Option<Profile>, Failure> {
    let chosen = Profiles::of(global).chosen(global)?;
    Ok(chosen.map(|(_, profile)| profile))
}

/// What acts leave in the folder of the profile that applies: made if it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Receipts, each with its record.
    Receipts,
    /// Openings of what was sealed.
    Openings,
    /// Records that wait for signatures.
    Papers,
    /// Records that were signed, and what became of them.
    Outbox,
    /// Runs of many acts.
    Runs,
    /// What is kept of the bank accounts of funds: settings, statements.
    Bank,
}

impl Left {
    fn name(self) -> &'static str {
        match self {
            Left::Receipts => "receipts",
            Left::Openings => "openings",
            Left::Papers => "papers",
            Left::Outbox => "outbox",
            Left::Runs => "runs",
            Left::Bank => "bank",
        }
    }

    /// The folder, whether it is there or not; the current one where no profile applies.
    pub fn place(self, global: &Global) -> Result<PathBuf, Failure> {
        let profiles = Profiles::of(global);
        let chosen = profiles.chosen(global)?;
        Ok(chosen.map_or_else(PathBuf::new, |(name, _)| {
            profiles.work(&name).join(self.name())
        }))
    }

    /// The same, made if it is not there.
    pub fn folder(self, global: &Global) -> Result<PathBuf, Failure> {
        let folder = self.place(global)?;
        if !folder.as_os_str().is_empty() {
            make_folder(&folder)?;
        }
        Ok(folder)
    }
}

/// There is no such profile.
pub fn unknown(profiles: &Profiles, name: &str) -> Failure {
    let known = profiles.names();
    let failure = Failure::unusable(t("profile.unknown", &[("name", name.to_owned())]));
    if known.is_empty() {
        failure.next(t("profile.none-next", &[]))
    } else {
        failure.next(t("profile.unknown-next", &[("known", known.join(", "))]))
    }
}

/// The genesis hash given with `--genesis`, else the profile's.
pub fn genesis(given: Option<&str>, profile: Option<&Profile>) -> Result<Option<Hash>, Failure> {
    match given {
        None => Ok(profile.and_then(Profile::genesis_hash)),
        Some(text) => Hash::from_hex(text).map(Some).ok_or_else(|| {
            Failure::unusable(t("audit.bad-hash", &[("hash", text.to_owned())]))
                .next(t("audit.bad-hash-next", &[]))
        }),
    }
}

/// `--lang`, else the profile in use, else the locale, else English. Read before the command line
/// is parsed, because help is translated too.
pub fn choose_language(arguments: impl Iterator<Item = OsString>) -> Language {
    let arguments: Vec<String> = arguments
        .filter_map(|argument| argument.into_string().ok())
        .collect();
    let given = arguments
        .iter()
        .zip(arguments.iter().skip(1))
        .find(|(flag, _)| *flag == "--lang")
        .map(|(_, value)| value.clone())
        .or_else(|| {
            arguments
                .iter()
                .find_map(|argument| argument.strip_prefix("--lang=").map(str::to_owned))
        });
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let given = given.or_else(|| language_in_use(&arguments));
    match given.or(locale) {
        Some(value) if value.to_lowercase().starts_with("zh") => Language::Chinese,
        _ => Language::English,
    }
}

/// The language of the profile in use, read before the command line is parsed. Silent about
/// anything that is wrong.
fn language_in_use(arguments: &[String]) -> Option<String> {
    let value = |name: &str| {
        let glued = format!("{name}=");
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1).cloned())
            .or_else(|| {
                arguments
                    .iter()
                    .find_map(|argument| argument.strip_prefix(&glued).map(str::to_owned))
            })
    };
    let profiles = Profiles::at(value("--config").map(PathBuf::from));
    let name = value("--profile").or_else(|| profiles.current())?;
    profiles.read(&name).ok()?.language
}
