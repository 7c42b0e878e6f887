//! The files of a founding (RULINGS A2): the draft that founders sign, and the one genesis file
//! that nodes start from.
//!
//! Both have one layout, all integers little-endian:
//!
//! ```text
//! magic (16) | version u32 = 1
//! leaves: count u32, each length u32, bytes        leaf 0 is policy 0, then the items 1..N
//! found:  count u32, each length u32, bytes        `Found` records, ascending by founder; none in a draft
//! SHA-256 of everything before (32)
//! ```
//!
//! * The magic of a draft is `rollbook-draft` and two line feeds, that of a genesis file is
//!   `rollbook-genesis`.
//! * [`GenesisFile::decode`] gives back only a founding that is complete and right: digest, every
//!   item, the first state, and a `Found` record of every founding organisation that the rules
//!   accept. So a node that holds a [`GenesisFile`] may start.
//! * There is one file for one founding: what decodes encodes to the same bytes.
//! * Signing times: a `Found` record made by [`found_payload`] is valid from the opening for 30
//!   days, the longest there is.

use std::collections::BTreeMap;

use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{VerifierCache, sha256};
use rollbook_proof::number::{Height, OrganisationId};

use crate::apply::apply_record;
use crate::genesis::{Genesis, GenesisError, Opened};
use crate::id::PersonId;
use crate::record::{
    Body, Nonce, OrganisationAct, Payload, RECORD_MAX_BYTES, Record, VALIDITY_MAX_MS,
};
use crate::refusal::{Outcome, Refusal};
use crate::tx::BlockContext;

/// First bytes of a draft.
pub const DRAFT_MAGIC: &[u8; 16] = b"rollbook-draft\n\n";
/// First bytes of a genesis file.
pub const GENESIS_MAGIC: &[u8; 16] = b"rollbook-genesis";
/// Version of the layout.
pub const VERSION: u32 = 1;
/// Most leaves, and most `Found` records, in one file.
pub const COUNT_MAX: u32 = 65_536;

/// A complete founding: the genesis and every founder's signed acceptance, ascending by
/// organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisFile {
    /// Policy 0 and the items.
    pub genesis: Genesis,
    /// One `Found` record of every founding organisation.
    pub found: Vec<Record>,
}

/// Why bytes are no genesis file, or no draft.
#[derive(Debug, thiserror::Error)]
pub enum GenesisFileError {
    /// Another kind of file.
    #[error("the file is no {expected}")]
    Kind {
        /// What was expected.
        expected: &'static str,
    },
    /// A layout of another version.
    #[error("version {0} of the layout; this program reads version 1")]
    Version(u32),
    /// The file ends too early.
    #[error("the file ends inside {0}")]
    Truncated(&'static str),
    /// A count or length that cannot be.
    #[error("{what}: {found} cannot be")]
    Length {
        /// Of what.
        what: &'static str,
        /// The number found.
        found: u32,
    },
    /// Bytes follow the digest.
    #[error("{0} bytes follow the digest")]
    Surplus(usize),
    /// The file was damaged or changed after it was written.
    #[error("the digest at the end does not fit: the file was damaged or changed")]
    Digest,
    /// A record does not decode.
    #[error("founding record {index}: {why}")]
    Record {
        /// Counted from 1.
        index: usize,
        /// The reason.
        why: String,
    },
    /// A draft that holds signatures.
    #[error("a draft holds no founding records")]
    SignedDraft,
    /// The founding records are not one per founder, ascending.
    #[error("the founding records are not in ascending order by organisation")]
    Order,
    /// The genesis itself does not stand.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// Founders whose record is missing or wrong.
    #[error("founding records missing or wrong: {}", list(.0))]
    Founders(Vec<FounderProblem>),
}

fn list(problems: &[FounderProblem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// What is wrong with one founder's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FounderProblem {
    /// Organisation number.
    pub organisation: OrganisationId,
    /// Its Latin name; empty if it is no founder.
    pub name: String,
    /// The refusal, or nothing if there is no record at all.
    pub refusal: Option<Refusal>,
}

impl std::fmt::Display for FounderProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.refusal {
            None => write!(
                f,
                "organisation {} ({}) has not signed",
                self.organisation.0, self.name
            ),
            Some(refusal) => write!(
                f,
                "organisation {} ({}): {refusal}",
                self.organisation.0, self.name
            ),
        }
    }
}

/// The payload that the officers of a founding organisation sign; `officer` begins it. The same for
/// everybody who drafts it from the same genesis, so that signatures made apart belong to one
/// record.
pub fn found_payload(
    genesis: &Genesis,
    organisation: OrganisationId,
    officer: PersonId,
) -> Payload {
    Payload {
        chain: genesis.hash(),
        principal: organisation,
        officer,
        sequence: 1,
        valid_until_ms: genesis.opened_ms().plus_ms(VALIDITY_MAX_MS),
        // Everybody can read a founding record, and everybody who drafts it has the same bytes.
        nonce: Nonce::derive(&[&genesis.hash().0, &organisation.0.to_le_bytes()]),
        body: Body::Organisation(OrganisationAct::Found),
    }
}

/// Judges founding records by the rules that the first block applies: every problem, ascending by
/// organisation. Empty means that the founding is complete.
pub fn judge_founders(genesis: &Genesis, opened: &Opened, found: &[Record]) -> Vec<FounderProblem> {
    let names: BTreeMap<OrganisationId, String> = genesis
        .founders()
        .map(|entry| (entry.number, entry.name.latin.as_str().to_owned()))
        .collect();
    let problem = |organisation: OrganisationId, refusal: Option<Refusal>| FounderProblem {
        organisation,
        name: names.get(&organisation).cloned().unwrap_or_default(),
        refusal,
    };
    let mut tables = opened.state.tables.clone();
    let mut verifier = VerifierCache::default();
    let mut answers: BTreeMap<OrganisationId, Option<Refusal>> = BTreeMap::new();
    for record in found {
        let principal = record.payload.principal;
        let is_found = matches!(
            record.payload.body,
            Body::Organisation(OrganisationAct::Found)
        );
        let answer = if !names.contains_key(&principal) {
            Err(Refusal::new(
                "M25.not-a-founder",
                vec![("organisation", principal.0.to_string())],
            ))
        } else if !is_found {
            Err(Refusal::new(
                "A2.not-a-founding-record",
                vec![("code", record.payload.body.code().to_owned())],
            ))
        } else {
            let block = BlockContext {
                chain: genesis.hash(),
                height: Height(1),
                now: opened.seal.time_ms,
            };
            apply_record(&mut tables, block, record, &mut verifier)
        };
        match answer {
            Ok(Outcome::Applied) => {
                answers.insert(principal, None);
            }
            Ok(_) => {}
            Err(refusal) => {
                // A good record beside a bad one of the same founder is enough.
                answers.entry(principal).or_insert(Some(refusal));
            }
        }
    }
    let missing = names
        .keys()
        .filter(|number| !answers.contains_key(number))
        .map(|number| problem(*number, None));
    let mut problems: Vec<FounderProblem> = answers
        .iter()
        .filter_map(|(number, refusal)| {
            refusal
                .clone()
                .map(|refusal| problem(*number, Some(refusal)))
        })
        .chain(missing)
        .collect();
    problems.sort_by_key(|problem| problem.organisation);
    problems
}

impl GenesisFile {
    /// Puts the signed records beside the genesis; says whose is missing or wrong (RULINGS A2).
    pub fn assemble(
        genesis: Genesis,
        mut found: Vec<Record>,
    ) -> Result<GenesisFile, GenesisFileError> {
        found.sort_by_key(|record| record.payload.principal);
        let file = GenesisFile { genesis, found };
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<Opened, GenesisFileError> {
        if !self
            .found
            .windows(2)
            .all(|pair| pair[0].payload.principal < pair[1].payload.principal)
        {
            return Err(GenesisFileError::Order);
        }
        let opened = self.genesis.open()?;
        let problems = judge_founders(&self.genesis, &opened, &self.found);
        if problems.is_empty() {
            Ok(opened)
        } else {
            Err(GenesisFileError::Founders(problems))
        }
    }

    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        write(GENESIS_MAGIC, &self.genesis, &self.found)
    }

    /// Reads a genesis file; see the module head for what holds of the answer.
    pub fn decode(bytes: &[u8]) -> Result<GenesisFile, GenesisFileError> {
        let (genesis, found) = read(bytes, GENESIS_MAGIC, "genesis file")?;
        let file = GenesisFile { genesis, found };
        file.check()?;
        Ok(file)
    }
}

/// The bytes of a draft.
pub fn encode_draft(genesis: &Genesis) -> Vec<u8> {
    write(DRAFT_MAGIC, genesis, &[])
}

/// Reads a draft; its genesis stands.
pub fn decode_draft(bytes: &[u8]) -> Result<(Genesis, Opened), GenesisFileError> {
    let (genesis, found) = read(bytes, DRAFT_MAGIC, "draft of a genesis")?;
    if !found.is_empty() {
        return Err(GenesisFileError::SignedDraft);
    }
    let opened = genesis.open()?;
    Ok((genesis, opened))
}

fn write(magic: &[u8; 16], genesis: &Genesis, found: &[Record]) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    let leaves = std::iter::once(genesis.policy_text.clone().into_bytes())
        .chain(genesis.items.iter().map(super::GenesisItem::leaf));
    put_list(&mut bytes, leaves.collect());
    put_list(&mut bytes, found.iter().map(encode).collect());
    let digest = sha256(&bytes);
    bytes.extend_from_slice(&digest.0);
    bytes
}

fn put_list(bytes: &mut Vec<u8>, items: Vec<Vec<u8>>) {
    bytes.extend_from_slice(&(items.len() as u32).to_le_bytes());
    for item in items {
        bytes.extend_from_slice(&(item.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&item);
    }
}

fn read(
    bytes: &[u8],
    magic: &[u8; 16],
    expected: &'static str,
) -> Result<(Genesis, Vec<Record>), GenesisFileError> {
    let mut cursor = Cursor(bytes);
    if cursor
        .take(16, "the magic")
        .map_err(|_| GenesisFileError::Kind { expected })?
        != magic
    {
        return Err(GenesisFileError::Kind { expected });
    }
    let version = cursor.u32("the version")?;
    if version != VERSION {
        return Err(GenesisFileError::Version(version));
    }
    let leaves = cursor.list("the leaves", rollbook_proof::log::LEAF_MAX_BYTES)?;
    let found = cursor.list("the founding records", RECORD_MAX_BYTES)?;
    let before = bytes.len() - cursor.0.len();
    let digest = cursor.take(32, "the digest")?;
    if !cursor.0.is_empty() {
        return Err(GenesisFileError::Surplus(cursor.0.len()));
    }
    if bytes
        .get(..before)
        .is_none_or(|before| sha256(before).0 != digest)
    {
        return Err(GenesisFileError::Digest);
    }
    let genesis = Genesis::from_leaves(leaves)?;
    let records = found
        .iter()
        .enumerate()
        .map(|(i, bytes)| {
            decode::<Record>(bytes).map_err(|error| GenesisFileError::Record {
                index: i + 1,
                why: error.to_string(),
            })
        })
        .collect::<Result<_, _>>()?;
    Ok((genesis, records))
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], GenesisFileError> {
        let (head, rest) = self
            .0
            .split_at_checked(n)
            .ok_or(GenesisFileError::Truncated(what))?;
        self.0 = rest;
        Ok(head)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, GenesisFileError> {
        let mut array = [0; 4];
        array.copy_from_slice(self.take(4, what)?);
        Ok(u32::from_le_bytes(array))
    }

    fn list(&mut self, what: &'static str, max: usize) -> Result<Vec<&'a [u8]>, GenesisFileError> {
        let count = self.u32(what)?;
        // Every item has at least its length, so a hostile count is refused before anything is
        // allocated.
        if count > COUNT_MAX || count as usize > self.0.len() / 4 {
            return Err(GenesisFileError::Length { what, found: count });
        }
        (0..count)
            .map(|_| {
                let length = self.u32(what)?;
                if length as usize > max {
                    return Err(GenesisFileError::Length {
                        what,
                        found: length,
                    });
                }
                self.take(length as usize, what)
            })
            .collect()
    }
}
