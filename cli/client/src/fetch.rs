//! Statements of nodes, fetched and verified: records, blocks, objects of the state, each with
//! everything that proves it. Nothing leaves here unverified.
//!
//! Absent: what a value of the state means. Its bytes are proved; whoever knows the tables reads
//! them (`rollbook_core::state::decode_value`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollbook_core::charter::Charter;
use rollbook_core::export::BlockFrame;
use rollbook_core::object::chain::CharterFacts;
use rollbook_core::record::Record;
use rollbook_core::state::decode_value;
use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::sha256;
use rollbook_proof::file::{Bundle, Claim, Content, Proved, Sealed, judge, record_claim};
use rollbook_proof::log::TlogProof;
use rollbook_proof::number::{EpochId, Height};
use rollbook_wire::ledger::List;
use rollbook_wire::problem::MEMBERS_ONLY;
use rollbook_wire::proof::{LeafProof, StateProof};
use rollbook_wire::record::{Place, Stands};
use serde::Deserialize as _;

use crate::client;
use crate::client::Client;
use crate::trust::{Error, Grounds, NoBody, Trouble, Trust, Untrue, flawed, told, unread};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A record, by its id or the beginning of it, lower case.
    Record(String),
    /// A block.
    Block(u64),
    /// A path in the proved tables.
    State(String),
}

/// A verified statement with everything that proves it.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// What is claimed.
    pub claim: Claim,
    /// The seal of its block.
    pub seal: Sealed,
    /// What was proved.
    pub proved: Proved,
    /// The parameters of the charter that was asked for: the proved state names their digest.
    pub charter: Option<Charter>,
}

impl Fetched {
    /// As a proof file.
    pub fn bundle(&self, trust: &Trust) -> Bundle {
        // Later epochs have nothing to do with these receipts.
        let epochs = self
            .proved
            .receipt
            .epoch
            .max(EpochId(epoch_of(trust, &self.seal.proof)));
        let policies = trust
            .policies()
            .iter()
            .filter(|kept| kept.epoch <= epochs)
            .cloned()
            .collect();
        Bundle::new(
            trust.chain().genesis(),
            policies,
            self.claim.clone(),
            self.seal.clone(),
        )
    }
}

fn epoch_of(trust: &Trust, proof: &str) -> u32 {
    let size = TlogProof::parse(proof.as_bytes())
        .ok()
        .and_then(|proof| rollbook_proof::log::Checkpoint::parse(&proof.note.text).ok())
        .map_or(0, |checkpoint| checkpoint.size);
    trust
        .chain()
        .policy_at(size)
        .map_or(0, |(policy, _)| policy.epoch.0)
}

/// Asks the nodes for a target, one after the other, until one of them gives a fresh answer that
/// verifies.
pub fn fetch(trust: &mut Trust, target: &Target) -> Result<(Fetched, Grounds), Error> {
    trust.ask(|trust, node| match target {
        Target::Record(id) => record(trust, node, id),
        Target::Block(height) => block(trust, node, *height),
        Target::State(path) => state(trust, node, path),
    })
}

fn note_of(proof: &str) -> Result<TlogProof, Trouble> {
    TlogProof::parse(proof.as_bytes()).map_err(unread)
}

fn done(
    trust: &mut Trust,
    node: &Client,
    claim: Claim,
    seal: Sealed,
) -> Result<(Fetched, Grounds), Trouble> {
    let proved = judge(trust.chain(), &claim, &seal).map_err(flawed)?;
    if let Claim::Record { proof, effect, .. } = &claim {
        trust.head_of_proof(node, &note_of(proof)?)?;
        trust.head_of_proof(node, &note_of(&effect.proof)?)?;
    }
    let grounds = trust.head_of_proof(node, &note_of(&seal.proof)?)?;
    Ok((
        Fetched {
            claim,
            seal,
            proved,
            charter: None,
        },
        grounds,
    ))
}

fn seal_of(node: &Client, height: u64) -> Result<Sealed, Trouble> {
    let answer: LeafProof = told(node, &format!("/v1/blocks/{height}/proof"))?;
    Ok(answer.into())
}

fn record(trust: &mut Trust, node: &Client, id: &str) -> Result<(Fetched, Grounds), Trouble> {
    let place: Place = told(node, &format!("/v1/records/{id}"))?;
    if matches!(place.stands, Stands::Pool | Stands::Left) {
        let record = id.to_owned();
        return Err(Trouble::Next(Error::InPool { record }));
    }
    let for_members = place.record.is_none() && place.read_class == Some(ReadClass::Members);
    if for_members && !node.may_log_in() {
        let record = id.to_owned();
        return Err(Trouble::Next(Error::ForMembers { record }));
    }
    let place = if for_members {
        node.log_in_now()
            .map_err(|error| Trouble::Stop(error.into()))?;
        told(node, &format!("/v1/records/{id}"))?
    } else {
        place
    };
    let envelope = place
        .record
        .ok_or_else(|| Trouble::Untrue(Untrue::Lacks("record")))?;
    let bytes = BASE64.decode(&envelope).map_err(unread)?;
    let record: Record = decode(&bytes).map_err(unread)?;
    let found = record.id().to_hex();
    if !found.starts_with(id) {
        return Err(Trouble::Untrue(Untrue::AnotherRecord {
            asked: id.to_owned(),
            found,
        }));
    }
    let height = place.height.ok_or_else(|| unread("height"))?;
    let proof = node.bytes(&format!("/v1/records/{found}/proof"))?;
    let proof = String::from_utf8(proof).map_err(unread)?;
    let effect: LeafProof = told(node, &format!("/v1/records/{found}/effect"))?;
    let seal = seal_of(node, height.0)?;
    done(
        trust,
        node,
        record_claim(record.id(), &record.leaf().clear, proof, effect.into()),
        seal,
    )
}

fn block(trust: &mut Trust, node: &Client, height: u64) -> Result<(Fetched, Grounds), Trouble> {
    let seal = seal_of(node, height)?;
    let answer = done(trust, node, Claim::Block {}, seal)?;
    let found = answer.0.proved.seal.height;
    if found != Height(height) {
        return Err(Trouble::Untrue(Untrue::AnotherBlock {
            asked: height,
            found,
        }));
    }
    Ok(answer)
}

fn state(trust: &mut Trust, node: &Client, path: &str) -> Result<(Fetched, Grounds), Trouble> {
    let answer: StateProof = told(node, &format!("/v1/state/{path}"))?;
    let claim = Claim::State {
        path: path.to_owned(),
        value: answer.value,
        proof: answer.proof,
    };
    let seal = Sealed {
        leaf: answer.seal_leaf,
        proof: answer.seal_proof,
    };
    let mut answer = done(trust, node, claim, seal)?;
    // A quorum that signed today stands for every old seal, too; only the seal that ends its log is
    // today's state.
    let verified = &answer.0.proved.receipt.verified;
    if verified.index.saturating_add(1) != verified.size {
        return Err(Trouble::Untrue(Untrue::OldState {
            height: answer.0.proved.seal.height,
            size: verified.size,
        }));
    }
    if let Content::State {
        value: Some(bytes), ..
    } = &answer.0.proved.content
        && path.starts_with("charter/")
    {
        let facts: CharterFacts = decode_value(bytes).map_err(unread)?;
        answer.0.charter = Some(parameters(node, &facts)?);
    }
    Ok(answer)
}

/// The parameters of a charter as a node lists them, compared with the proved digest.
fn parameters(node: &Client, facts: &CharterFacts) -> Result<Charter, Trouble> {
    let after = match facts.version.0.saturating_sub(1) {
        0 => String::new(),
        before => format!("&after={before}"),
    };
    let list: List = told(node, &format!("/v1/lists/charter?limit=1{after}"))?;
    let item = list.items.into_iter().next();
    let value = item.ok_or(Trouble::Untrue(Untrue::Lacks("items")))?.value;
    let charter = Charter::deserialize(value).map_err(unread)?;
    if charter.digest() != facts.digest {
        return Err(Trouble::Untrue(Untrue::AnotherCharter {
            version: facts.version,
        }));
    }
    Ok(charter)
}

/// Ids and rules of a proved block's records: its body hashes to the digest in the seal. None if
/// the body is for members and nobody can log in here.
pub fn records_of(
    trust: &mut Trust,
    proved: &Proved,
) -> Result<Option<Vec<(String, String)>>, Error> {
    let seal = proved.seal.clone();
    if seal.height == Height(0) {
        return Ok(Some(Vec::new()));
    }
    let path = format!("/v1/blocks/{}/frame", seal.height);
    let mut told = Vec::new();
    for node in trust.client().nodes().to_vec() {
        let bytes = match trust.client().only(&node).bytes(&path) {
            Ok(bytes) => bytes,
            Err(client::Error::Refused { problem, .. }) if problem.code == MEMBERS_ONLY => {
                return Ok(None);
            }
            Err(error) => {
                told.push(NoBody::Nothing { node, error });
                continue;
            }
        };
        match BlockFrame::decode(&bytes) {
            Ok(frame) if sha256(&frame.body()) == seal.body => {
                let record = |bytes: &Vec<u8>| decode::<Record>(bytes).ok();
                let records = frame.records.iter().filter_map(record);
                return Ok(Some(
                    records
                        .map(|record| (record.id().to_hex(), record.payload.body.code().to_owned()))
                        .collect(),
                ));
            }
            Ok(_) => told.push(NoBody::Another { node }),
            Err(error) => told.push(NoBody::Form {
                node,
                why: error.to_string(),
            }),
        }
    }
    Err(Error::NoBody {
        height: seal.height,
        told,
    })
}
