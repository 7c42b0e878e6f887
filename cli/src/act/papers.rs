//! Papers that wait at a node: left, found and taken back (RULINGS A65). The paper and the file that
//! officers pass on by hand are the same bytes; whoever cannot log in uses the file.

use rollbook_client::client::{Client, Error};
use rollbook_core::record::Record;
use rollbook_proof::codec::encode;
use rollbook_wire::paper::{Paper, Papers};
use rollbook_wire::record::Told;

use crate::failure::Failure;

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
