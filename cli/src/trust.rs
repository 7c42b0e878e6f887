//! Trusting no node, for the commands: what `rollbook-client` knows of an alliance, kept in a folder
//! of this machine, and its errors in the reader's words.
//!
//! One folder per alliance (`Profiles::verified`) holds `policies.json`, `head.json`, `receipts/`
//! and `alarms/` as the client names them. `--max-age` says how old a statement may be.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rollbook_client::client;
use rollbook_client::client::{Cause, Client};
use rollbook_client::keep::Keep;
use rollbook_client::trust::{Clock, Doubt, Error, Fork, Grounds, NoBody, Notice, Trust, Untrue};
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;
use rollbook_words::dates::{instant, length, length_ms};

use crate::asking;
use crate::failure::Failure;
use crate::files::{cannot_read, make_folder, replace};
use crate::flags::{Global, Reading};
use crate::output::say;
use crate::profile::{Profiles, genesis, in_use};

/// A folder of this machine; what is stored is durable. What cannot be stored is said, once, and
/// hinders no answer: it was verified all the same.
struct Folder {
    path: PathBuf,
    told: AtomicBool,
}

impl Folder {
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        replace(&path, bytes)
    }
}

impl Keep for Folder {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause> {
        let path = self.path.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            // Where no folder can be, nothing was kept; that nothing can be is said when it is tried.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(cannot_read(&path, &error).into()),
        }
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<(), Cause> {
        if let Err(failure) = self.write(name, bytes)
            && !self.told.swap(true, Ordering::Relaxed)
        {
            say(t("trust.not-kept", &[("why", failure.to_string())]));
        }
        Ok(())
    }

    fn place(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}

/// Opens what is known of the alliance of the command line or the profile. Asks no node.
pub fn open(global: &Global, flags: &Reading) -> Result<Trust, Failure> {
    let connection = &flags.connection;
    let profile = in_use(global)?;
    let nothing = |key: &str| Failure::unusable(t(key, &[])).next(t("trust.no-profile-next", &[]));
    let genesis = genesis(connection.genesis.as_deref(), profile.as_ref())?
        .ok_or_else(|| nothing("act.no-genesis"))?;
    let client = asking::reading(global, connection, profile.as_ref())?;
    at(
        &Profiles::of(global).verified(&genesis),
        genesis,
        client,
        max_age(&flags.max_age)?,
    )
}

/// Opens the folder of one alliance. Everything in it is verified again.
pub fn at(folder: &Path, genesis: Hash, client: Client, max_age_s: u64) -> Result<Trust, Failure> {
    let keep = Arc::new(Folder {
        path: folder.to_path_buf(),
        told: AtomicBool::new(false),
    });
    Ok(Trust::open(genesis, client, keep, max_age_s)?.telling(tell))
}

/// Says on stderr what happens on the way.
fn tell(notice: &Notice<'_>) {
    match notice {
        Notice::Untrue { node, why } => say(not_believed(node, sentence(why))),
        Notice::NoSeat { node } => say(t("receipts.no-seat", &[("node", (*node).to_owned())])),
        _ => {}
    }
}

/// Why a node is not believed, in the reader's words where the catalogue has them.
fn sentence(why: &Untrue) -> String {
    match why {
        Untrue::NoPolicies => t("trust.no-policies", &[]),
        Untrue::NotJoined { old, new } => t(
            "trust.not-joined",
            &[("old", old.to_string()), ("new", new.to_string())],
        ),
        Untrue::Lacks(field) => t("trust.lacks", &[("field", (*field).to_owned())]),
        Untrue::AnotherRecord { asked, found } => t(
            "trust.another-record",
            &[("asked", asked.clone()), ("found", found.clone())],
        ),
        Untrue::AnotherBlock { asked, found } => t(
            "trust.another-block",
            &[("asked", asked.to_string()), ("found", found.to_string())],
        ),
        Untrue::AnotherCharter { version } => t(
            "trust.another-charter",
            &[("version", version.0.to_string())],
        ),
        Untrue::OldState { height, size } => t(
            "trust.old-state",
            &[("height", height.to_string()), ("size", size.to_string())],
        ),
        other => other.to_string(),
    }
}

fn not_believed(node: &str, why: String) -> String {
    t("trust.untrue", &[("node", node.to_owned()), ("why", why)])
}

/// The facts of two heads.
fn two_heads(heads: &Fork) -> [(&'static str, String); 6] {
    [
        ("node", heads.node.clone()),
        ("size", heads.size.to_string()),
        ("root", heads.root.to_hex()),
        ("known-size", heads.known_size.to_string()),
        ("known-root", heads.known_root.to_hex()),
        ("file", heads.place.clone()),
    ]
}

/// No node is believed: each with its reason, and what to do next.
fn nobody(doubts: &[Doubt], next: &str) -> Failure {
    let doubts: Vec<String> = doubts
        .iter()
        .map(|doubt| format!("{}: {}", doubt.node, sentence(&doubt.why)))
        .collect();
    Failure::refused(t("trust.nobody", &[]))
        .because(doubts.join("; "))
        .next(t(next, &[]))
}

/// No node answered: what each did instead.
fn silence(silent: impl IntoIterator<Item = client::Error>) -> Failure {
    let (foreign, silent): (Vec<client::Error>, Vec<client::Error>) = silent
        .into_iter()
        .partition(|error| matches!(error, client::Error::AnotherAlliance { .. }));
    // Who answers and is a stranger is the reason, whoever else is away.
    if let Some(foreign) = foreign.into_iter().next() {
        return foreign.into();
    }
    let silent: Vec<String> = silent.into_iter().map(reason).collect();
    Failure::unreachable(t("client.unreachable", &[]))
        .because(silent.join("; "))
        .next(t("client.unreachable-next", &[]))
}

fn reason(error: client::Error) -> String {
    let failure = Failure::from(error);
    failure.why.unwrap_or(failure.what)
}

/// What this program's own keep said.
fn kept(cause: Cause) -> Failure {
    match cause.downcast::<Failure>() {
        Ok(failure) => *failure,
        Err(cause) => Failure::unusable(cause.to_string()),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Client(error) => error.into(),
            Error::Unreachable(silent) => silence(silent),
            Error::Nobody(doubts) => nobody(&doubts, "trust.nobody-next"),
            Error::NotTaken(doubts) => nobody(&doubts, "receipts.nobody-next"),
            Error::Fork(fork) => {
                let facts = two_heads(&fork);
                Failure::refused(t("trust.fork", &facts))
                    .because(t("trust.fork-why", &facts))
                    .next(t("trust.fork-next", &facts))
            }
            Error::Unjoined(heads) => {
                let facts = two_heads(&heads);
                Failure::not_yet(t("trust.unjoined", &facts))
                    .because(t("trust.fork-why", &facts))
                    .next(t("trust.unjoined-next", &facts))
            }
            Error::Damaged { place, why } => {
                let facts = [("file", place)];
                Failure::unusable(t("trust.damaged", &facts))
                    .because(why)
                    .next(t("trust.damaged-next", &facts))
            }
            Error::Keep(cause) => kept(cause),
            Error::InPool { record } => Failure::not_yet(t("show.in-pool", &[("record", record)]))
                .next(t("show.in-pool-next", &[])),
            Error::ForMembers { record } => {
                Failure::refused(t("show.for-members", &[("record", record)]))
                    .next(t("show.for-members-next", &[]))
            }
            Error::NoBody { height, told } => {
                let told: Vec<String> = told
                    .into_iter()
                    .map(|told| match told {
                        NoBody::Another { node } => {
                            not_believed(&node, "A1.body-digest".to_owned())
                        }
                        NoBody::Form { node, why } => format!("{node}: {why}"),
                        NoBody::Nothing { node, error } => format!("{node}: {}", reason(error)),
                    })
                    .collect();
                Failure::unreachable(t("show.no-body", &[("height", height.to_string())]))
                    .because(told.join("; "))
            }
            // A later version's.
            other => Failure::refused(other.to_string()),
        }
    }
}

/// `--max-age` in seconds.
pub fn max_age(text: &str) -> Result<u64, Failure> {
    let ms = length_ms(text);
    ms.map(|ms| ms / 1_000).ok_or_else(|| {
        Failure::unusable(t("testnet.bad-step", &[("text", text.to_owned())]))
            .next(t("trust.bad-age-next", &[]))
    })
}

/// The line that says what verified a statement, after the caller's own words about place and time.
pub fn line(grounds: &Grounds) -> String {
    let named = |(name, organisation): &(String, Option<u32>)| match organisation {
        Some(organisation) => format!("{name} (O-{organisation:04})"),
        None => name.clone(),
    };
    let signers: Vec<String> = grounds.signers.iter().map(named).collect();
    // How long ago that was, a clock that a quorum contradicts does not know.
    let key = match grounds.clock {
        Some(Clock::Behind(_) | Clock::Ahead(_)) => "trust.grounds-no-age",
        _ => "trust.grounds",
    };
    t(
        key,
        &[
            ("epoch", grounds.epoch.to_string()),
            ("size", grounds.size.to_string()),
            ("signers", signers.join(", ")),
            ("time", instant(grounds.attested_time_s)),
            ("age", length(grounds.age_s)),
        ],
    )
}

/// Says STALE SINCE if so, and what speaks against this machine's clock; the exit code.
pub fn tell_age(grounds: &Grounds) -> u8 {
    let (key, by) = match grounds.clock {
        Some(Clock::Behind(by)) => ("trust.clock-behind", by),
        Some(Clock::Ahead(by)) => ("trust.clock-ahead", by),
        Some(Clock::NodeAhead(by)) => ("trust.clock-node-ahead", by),
        Some(Clock::NodeBehind(by)) => ("trust.clock-node-behind", by),
        None => ("", 0),
    };
    let facts = [
        ("time", instant(grounds.attested_time_s)),
        ("age", length(grounds.age_s)),
        ("node", grounds.node.clone()),
        ("by", length(by)),
    ];
    if grounds.stale {
        say(t("trust.stale", &facts));
    }
    if !key.is_empty() {
        say(t(key, &facts));
    }
    if grounds.stale {
        crate::failure::NOT_YET
    } else {
        0
    }
}
