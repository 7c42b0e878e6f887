//! `node recover`: more sign guards were lost than the chain may have faulty validators (RULINGS
//! A41). What the files say and what follows from them is in [`crate::replica::kept`]; here are the
//! data folder of a stopped node and the file's outside.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rollbook_proof::chain::ValidatorKey;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, OrganisationId};
use serde::{Deserialize, Serialize};

use super::open;
use crate::config::{Config, NodeSecrets};
use crate::failure::Failure;
use crate::journal::{Journal, LostGuard};
use crate::replica::kept::{Place, SignedKept, Unfit, judge, read};
use crate::replica::{JournalStorage, Keys};

/// First field of a file.
const FORMAT: &str = "rollbook kept statements 1";
/// Longest file, in bytes.
const FILE_MAX: u64 = 256 * 1024;

/// A file as text: what people look at stands beside what counts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outside {
    format: String,
    organisation: u32,
    tip: u64,
    /// [`SignedKept`], in hexadecimal digits.
    signed: String,
}

/// The text of a file.
pub fn text(signed: &SignedKept) -> String {
    let outside = Outside {
        format: FORMAT.into(),
        organisation: signed.kept.validator.0,
        tip: signed.kept.tip.0,
        signed: hex::encode(encode(signed)),
    };
    let mut text = serde_json::to_string_pretty(&outside).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a file. Only what is signed in it counts, which is judged later.
pub fn parse(path: &Path) -> Result<SignedKept, Failure> {
    use std::io::Read as _;
    let wrong = |why: &dyn std::fmt::Display| {
        let next = "name a file that 'rollbook node recover --lost' made";
        Failure::file("what a validator kept cannot be read from", path, why, next)
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_MAX).read_to_string(&mut text))
        .map_err(|error| wrong(&error))?;
    let outside: Outside = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    if outside.format != FORMAT {
        return Err(wrong(&"it is of another kind"));
    }
    let bytes = hex::decode(&outside.signed).map_err(|error| wrong(&error))?;
    decode(&bytes).map_err(|error| wrong(&error))
}

/// A stopped node with its ledger.
struct Stopped {
    journal: Journal,
    recovered: crate::journal::Recovered,
    validators: Vec<ValidatorKey>,
    chain: Hash,
    tip: (Height, Hash),
}

fn open(config: &Config) -> Result<Stopped, Failure> {
    let genesis = Arc::new(config.read_genesis()?.genesis);
    let opened = open::open(config, &genesis, false)?;
    let validators = opened.ledger.policy().validators.iter();
    Ok(Stopped {
        validators: validators
            .map(|seat| ValidatorKey {
                validator: seat.org,
                key: seat.consensus,
            })
            .collect(),
        chain: genesis.hash(),
        tip: (opened.ledger.height(), opened.ledger.tip().seal.id()),
        journal: opened.journal,
        recovered: opened.recovered,
    })
}

/// What this stopped node, which kept its disk, knows of the validators that lost theirs, signed.
pub fn tell(config: &Config, lost: &BTreeSet<OrganisationId>) -> Result<SignedKept, Failure> {
    let secrets = NodeSecrets::read(&config.keys)?;
    let node = open(config)?;
    let me = config.organisation;
    let refused = |why: String, next: &str| {
        Err(Failure::new(
            "this node does not say what it kept",
            why,
            next,
        ))
    };
    if lost.contains(&me) {
        return refused(
            format!("organisation {me} is named among those that lost their disks"),
            "run this on the nodes that kept theirs, then recover this node with their files",
        );
    }
    let seats: Vec<OrganisationId> = node.validators.iter().map(|v| v.validator).collect();
    if let Some(unknown) = lost.iter().chain([&me]).find(|who| !seats.contains(who)) {
        return refused(
            format!(
                "organisation {unknown} has no validator seat at height {}",
                node.tip.0.next()
            ),
            "name validators of the height that does not come; 'rollbook node status' counts them",
        );
    }
    if node.journal.high_water().floor == Height(0) {
        return refused(
            "its own sign guard is new".into(),
            "name this organisation among the lost, too, and recover it with the files of the others",
        );
    }
    let mut storage = JournalStorage::new(node.journal, &node.recovered);
    // First the journal, then the file: what is said stays true.
    storage.journal_mut().note_lost_guard(&LostGuard {
        height: node.tip.0.next(),
        round: None,
        lock: None,
    })?;
    let kept = read(&storage, node.chain, me, node.tip, lost).map_err(|why| {
        Failure::new(
            "the consensus log cannot be read",
            why,
            "keep a copy of the data folder and report this",
        )
    })?;
    let keys = Keys::new(me, secrets.consensus, secrets.cosigner, secrets.log);
    let signature = keys.sign_kept(&kept.sign_bytes());
    storage.journal_mut().note_clean_stop()?;
    Ok(SignedKept { kept, signature })
}

/// A stopped node, and where it may sign again.
pub struct Recovery {
    journal: Journal,
    /// Where.
    pub lost: LostGuard,
}

impl Recovery {
    /// Writes it down; the node votes from there on.
    pub fn write(mut self) -> Result<(), Failure> {
        self.journal.note_lost_guard(&self.lost)?;
        Ok(self.journal.note_clean_stop()?)
    }
}

/// Judges the files of those who kept their disks, for this stopped node.
pub fn plan(
    config: &Config,
    files: &[SignedKept],
    without_proof: bool,
) -> Result<Recovery, Failure> {
    let node = open(config)?;
    let place = Place {
        chain: node.chain,
        me: config.organisation,
        tip: node.tip,
        validators: &node.validators,
        without_proof,
    };
    let lost = judge(&place, files).map_err(|unfit| {
        let next = match unfit {
            Unfit::Behind { .. } => {
                "start this node and let it follow: it fetches the blocks without voting; stop it at \
                 that height and try again"
            }
            Unfit::Ahead { .. } => {
                "start this node: the chain lives, and it votes again by itself"
            }
            Unfit::Missing(_) => {
                "ask that organisation to stop its node and run 'rollbook node recover --lost'; if it \
                 will never answer, --without-proof goes on at the alliance's own risk"
            }
            Unfit::Quorum { .. } => {
                "look for a disk or a copy that can still be read; --without-proof goes on at the \
                 alliance's own risk"
            }
            Unfit::OtherLost(_) | Unfit::NotNamed(_) | Unfit::FromLost(_) => {
                "agree on who lost a disk, and have every file made again with the same list"
            }
            Unfit::Fork(..) | Unfit::TwoLocks(_) => {
                "touch nothing more; compare exports of all nodes ('rollbook audit') and decide in the \
                 alliance"
            }
            Unfit::OtherChain(_)
            | Unfit::NoValidator(..)
            | Unfit::BadSignature(_)
            | Unfit::BadStatement(_)
            | Unfit::Twice(_)
            | Unfit::Round(..) => "have that file made again on its node, and send it again",
        };
        Failure::new("this node is not recovered", unfit, next)
    })?;
    Ok(Recovery {
        journal: node.journal,
        lost,
    })
}
