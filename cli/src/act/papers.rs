//! What waits for signatures (RULINGS A65): papers at a node, left, found and taken back, and files in
//! a folder. The paper and the file that officers pass on by hand are the same bytes; whoever cannot
//! log in uses the file.

use std::path::{Path, PathBuf};

use rollbook_client::client::{Client, Error};
use rollbook_core::record::Record;
use rollbook_proof::codec::encode;
use rollbook_wire::paper::{Paper, Papers};
use rollbook_wire::record::Told;
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::flags::Global;
use crate::output::say;
use crate::pending_file;
use crate::profile::Left;
use crate::registration_file;
use crate::registration_file::Signed;

/// A record that waits: in a file, or at a node.
pub struct Item {
    /// How `sign` and `submit` name it.
    pub target: String,
    /// The node, if it waits there.
    pub node: Option<String>,
    /// The record with the signatures so far.
    pub record: Record,
}

/// Everything that waits.
pub struct Waiting {
    /// The folders that were looked at.
    pub folders: Vec<PathBuf>,
    /// Records.
    pub records: Vec<Item>,
    /// Registrations of companies, by file.
    pub registrations: Vec<(PathBuf, Signed)>,
}

/// What waits in a folder; without one, in the profile's and the current one and at the nodes of
/// `client`. A file that cannot be read is told and passed over.
pub fn waiting(
    global: &Global,
    folder: Option<&Path>,
    client: Option<&Client>,
) -> Result<Waiting, Failure> {
    let folders: Vec<PathBuf> = match folder {
        Some(folder) => vec![folder.to_path_buf()],
        None => {
            let own = Some(Left::Papers.place(global)?).filter(|own| own.is_dir());
            own.into_iter().chain([PathBuf::from(".")]).collect()
        }
    };
    let (mut records, mut registrations) = (Vec::new(), Vec::new());
    for folder in &folders {
        for file in files(folder)? {
            if registration_file::is_one(&file).unwrap_or(false) {
                match registration_file::read(&file) {
                    Ok(signed) => registrations.push((file, signed)),
                    Err(failure) => warn(failure),
                }
            } else if is_pending(&file) {
                match pending_file::read(&file) {
                    Ok(record) => records.push(Item {
                        target: file.display().to_string(),
                        node: None,
                        record,
                    }),
                    Err(failure) => warn(failure),
                }
            }
        }
    }
    if let (None, Some(client)) = (folder, client) {
        records.extend(list(client).into_iter().map(|found| Item {
            target: found.record.id().short(),
            node: Some(found.node),
            record: found.record,
        }));
    }
    Ok(Waiting {
        folders,
        records,
        registrations,
    })
}

fn warn(failure: Failure) {
    say(format!(
        "{}: {} {}",
        t("word.warning", &[]),
        failure.what,
        failure.why.unwrap_or_default()
    ));
}

/// A paper and the node where it waits.
pub struct Found {
    /// Its address.
    pub node: String,
    /// The record with the signatures so far.
    pub record: Record,
}

/// Leaves a record at the first node that takes it; which, and the record with all signatures that
/// are there. None: no node takes it from this person.
pub fn leave(client: &Client, record: &Record) -> Option<Found> {
    client.nodes().iter().find_map(|node| {
        let one = client.only(node);
        one.be_known().ok()?;
        match one.post::<Paper>("/v1/papers", &encode(record)) {
            Ok(Ok(Told::Answer(paper))) => Some(Found {
                node: node.clone(),
                record: same(&paper, record)?,
            }),
            _ => None,
        }
    })
}

/// What a node gives back for a record, if it is that record.
fn same(paper: &Paper, record: &Record) -> Option<Record> {
    let kept = paper.decode().ok()?;
    (kept.payload == record.payload).then_some(kept)
}

/// What waits for the person at the nodes that are asked: each record once, by its id. A node that
/// has no papers for this person, or does not know what papers are, has none.
pub fn list(client: &Client) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for node in client.nodes() {
        let one = client.only(node);
        let Ok(papers) = one.json::<Papers>("/v1/papers") else {
            continue;
        };
        for paper in papers.papers {
            // A node's word for the id is not looked at.
            let Ok(record) = paper.decode() else { continue };
            if found.iter().all(|known| known.record.id() != record.id()) {
                found.push(Found {
                    node: node.clone(),
                    record,
                });
            }
        }
    }
    found.sort_by_key(|found| found.record.id());
    found
}

/// The paper whose id begins so, from the first node that has it.
pub fn find(client: &Client, id: &str) -> Result<Option<Found>, Failure> {
    for node in client.nodes() {
        match client.only(node).json::<Paper>(&format!("/v1/papers/{id}")) {
            Ok(paper) => {
                let begins = |record: &Record| record.id().to_hex().starts_with(id);
                if let Some(record) = paper.decode().ok().filter(begins) {
                    return Ok(Some(Found {
                        node: node.clone(),
                        record,
                    }));
                }
            }
            // Not there, not for this person, not at all: the next node may know it.
            Err(Error::Refused { .. }) => {}
            Err(error) if error.is_silence() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Takes the person's own signature out of a paper; what is left, none for nothing.
pub fn take_back(client: &Client, found: &Found) -> Result<bool, Failure> {
    let one = client.only(&found.node);
    let path = format!("/v1/papers/{}/take-back", found.record.id());
    Ok(matches!(
        one.post::<Paper>(&path, &[])?,
        Ok(Told::Answer(_))
    ))
}

/// Whether a text may be the id of a paper: 8 or more hexadecimal digits, all in lower case.
pub fn is_id(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// The JSON files of a folder that may be what waits: none of them is large.
fn files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    const LARGEST: u64 = 1024 * 1024;
    let listed = crate::files::listed(dir);
    let mut files = listed.map_err(|error| crate::files::cannot_read(dir, &error))?;
    let may_wait = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "json")
            && std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST)
    };
    files.retain(may_wait);
    Ok(files)
}

fn is_pending(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.ends_with(".pending.json"))
}
