//! Trusting no node (RULINGS A12, A20): what is known of an alliance from its genesis hash alone,
//! kept between calls.
//!
//! One [`Keep`] per alliance holds
//!
//! * `policies.json`: the chain of policies with their handover proofs, verified again at every
//!   opening;
//! * `head.json`: the newest verified head, as the signed note;
//! * `receipts/`: what nodes signed about records handed in; `alarms/`: both statements of a fork, or
//!   of two heads that nobody joined.
//!
//! Every statement of a node comes with a checkpoint. It is judged by the policy of its size, it
//! must extend the known head (or the known head must extend it), and it is fresh if the (f+1)-th
//! newest cosignature is not older than the greatest age asked for. A node whose statement does not
//! verify is named ([`Notice`]) and the next one is asked. Two roots of one size are an alarm and the end.
//! A head of another size that nobody joins to the known one is kept beside it and is the end, too, but
//! accuses nobody: whoever withholds a proof can show it (RULINGS A46).
//!
//! This machine's clock decides nothing where a quorum shows that it is wrong ([`Clock`] of
//! [`Grounds`]): a statement signed later than it says is no older than nothing, and one that covers
//! what was signed here just now ([`Trust::covers`]) is fresh, however old its signatures look. Where
//! only the node's own clock speaks against it, the statement stays stale and the doubt is told.
//!
//! The clock of a sample chain is stepped, and cosignatures carry it. There "now" is what the node
//! says, and never before the newest known head; so SAMPLE ages are a matter of the story, not of
//! proof.
//!
//! Absent: sentences for people, files.

use std::sync::Arc;

use rollbook_core::id::CharterVersion;
use rollbook_proof::crypto::Hash;
use rollbook_proof::file::{Flaw, KeptPolicy, chain_of, complete_handovers};
use rollbook_proof::log::tree::verify_consistency;
use rollbook_proof::log::{Clock as ClockKind, TlogProof};
use rollbook_proof::number::Height;
use rollbook_proof::verify::{EpochChain, Head};
use rollbook_wire::proof::{Consistency, Policy};
use rollbook_wire::status::Status;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client;
use crate::client::{Cause, Client, real_s};
use crate::keep::Keep;

mod clock;

pub use clock::Clock;
use clock::judge;

const POLICIES: &str = "policies.json";
const HEAD: &str = "head.json";

/// The newest verified head.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptHead {
    size: u64,
    root: Hash,
    attested_time_s: u64,
    /// The signed checkpoint.
    note: String,
    /// Who served it.
    node: String,
}

/// What a verified statement rests on.
#[derive(Debug, Clone, Serialize)]
pub struct Grounds {
    /// The node that served it.
    pub node: String,
    /// The epoch that judged.
    pub epoch: u32,
    /// Size of the log that the quorum stands for.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// Validators and witnesses that cosigned: name in the policy, organisation.
    pub signers: Vec<(String, Option<u32>)>,
    /// The (f+1)-th newest time of a cosignature, seconds since 1970.
    pub attested_time_s: u64,
    /// Now minus that, seconds.
    pub age_s: u64,
    /// Older than asked for.
    pub stale: bool,
    /// Why this machine's clock is in doubt; none: nothing speaks against it.
    pub clock: Option<Clock>,
    /// Whether times are those of a stepped clock.
    pub sample: bool,
}

/// Why a node's statement is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Untrue {
    /// It cannot be read as what was asked for; what the reader said.
    #[error("{0}")]
    Form(String),
    /// It was read and does not verify.
    #[error("{0}")]
    Flaw(Flaw),
    /// It shows no policy at all.
    #[error("it shows no policies")]
    NoPolicies,
    /// No node can show that one log begins with the other.
    #[error("no node can show that the log of size {new} begins with the one of size {old}")]
    NotJoined {
        /// Size of the shorter log.
        old: u64,
        /// Size of the longer one.
        new: u64,
    },
    /// A field that must be there is not.
    #[error("it lacks {0}")]
    Lacks(&'static str),
    /// It is about another record.
    #[error("it is about record {found}, not {asked}")]
    AnotherRecord {
        /// The id asked for, or its beginning.
        asked: String,
        /// The id of what came.
        found: String,
    },
    /// It is about another block.
    #[error("it is about block {found}, not {asked}")]
    AnotherBlock {
        /// The height asked for.
        asked: u64,
        /// The height of what came.
        found: Height,
    },
    /// The parameters of a charter are not those that the proved digest names.
    #[error("the parameters of charter {} are not those that the state names", version.0)]
    AnotherCharter {
        /// The version asked for.
        version: CharterVersion,
    },
    /// The state is proved, but of a block that is not the last one of its log.
    #[error("it shows the state of block {height}, which does not end the log of size {size}")]
    OldState {
        /// Height of the block.
        height: Height,
        /// Size of the log.
        size: u64,
    },
}

/// A node and why it is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Its base address.
    pub node: String,
    /// What is wrong with its statement.
    pub why: Untrue,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.node, self.why)
    }
}

fn listed(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join("; ")
}

/// Two verified heads of which neither is shown to extend the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// Who served the second one.
    pub node: String,
    /// Size of its log.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// Size of the log known before.
    pub known_size: u64,
    /// Its root.
    pub known_root: Hash,
    /// Where the [`ForkAlarm`] was kept, as [`Keep::place`] says it.
    pub place: String,
}

/// Why there is no verified answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A node refused, or a pass could not be made.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// No node answered; what each did instead, in the order asked.
    #[error("no node answered: {}", listed(.0))]
    Unreachable(Vec<client::Error>),
    /// Nodes answered, and no answer verifies.
    #[error("no node is believed: {}", listed(.0))]
    Nobody(Vec<Doubt>),
    /// Nodes answered to a record handed in, and no answer verifies.
    #[error("no node is believed to have taken the record: {}", listed(.0))]
    NotTaken(Vec<Doubt>),
    /// Two heads that do not go together, both under quorums: proof that the log was forked.
    #[error("the log is forked: {} serves {} with root {}, known is {} with root {}; see {}",
        .0.node, .0.size, .0.root, .0.known_size, .0.known_root, .0.place)]
    Fork(Box<Fork>),
    /// Two heads under quorums of which no node that was asked can show that one extends the other. Whoever
    /// withholds a proof can do this, so it accuses nobody (RULINGS A46): both statements are kept, and
    /// the head known before stays.
    #[error("nobody joins the head of {} with size {} to the known one of size {}; see {}",
        .0.node, .0.size, .0.known_size, .0.place)]
    Unjoined(Box<Fork>),
    /// What was kept does not verify any more.
    #[error("{place} is damaged: {why}")]
    Damaged {
        /// Where it is, as [`Keep::place`] says it.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// Loading or storing failed; what the [`Keep`] said.
    #[error("keeping failed: {0}")]
    Keep(Cause),
    /// The record waits to be taken into a block.
    #[error("record {record} is not in a block yet")]
    InPool {
        /// Its id, or the beginning of it.
        record: String,
    },
    /// The record is for members, and no pass can be made here.
    #[error("record {record} is for members")]
    ForMembers {
        /// Its id, or the beginning of it.
        record: String,
    },
    /// No node has the body of a block that goes with its seal.
    #[error("no node has the body of block {height}")]
    NoBody {
        /// Height of the block.
        height: Height,
        /// What each node did instead, in the order asked.
        told: Vec<NoBody>,
    },
}

/// Why a node's answer is not the body of a block.
#[derive(Debug)]
pub enum NoBody {
    /// The body is another one than the seal's.
    Another {
        /// Base address of the node.
        node: String,
    },
    /// What came is no body.
    Form {
        /// Base address of the node.
        node: String,
        /// What the reader said.
        why: String,
    },
    /// Nothing came.
    Nothing {
        /// Base address of the node.
        node: String,
        /// What happened.
        error: client::Error,
    },
}

/// What happens on the way and ends nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A node is not believed; the next one is asked.
    Untrue {
        /// Base address of the node.
        node: &'a str,
        /// What is wrong with its statement.
        why: &'a Untrue,
    },
    /// The node that took a record has no seat in any policy: its word proves nothing.
    NoSeat {
        /// Base address of the node.
        node: &'a str,
    },
}

impl std::fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Notice::Untrue { node, why } => write!(f, "{node} is not believed: {why}"),
            Notice::NoSeat { node } => write!(f, "{node} has no seat; its word proves nothing"),
        }
    }
}

/// Why one node's answer is not used.
#[derive(Debug)]
pub enum Trouble {
    /// It does not verify: the node is named.
    Untrue(Untrue),
    /// It has no answer; another node may have one.
    Next(Error),
    /// No other node can help.
    Stop(Error),
}

impl From<client::Error> for Trouble {
    fn from(error: client::Error) -> Trouble {
        Trouble::Next(error.into())
    }
}

/// What a reader said about bytes that are not what was asked for.
pub(crate) fn unread(error: impl std::fmt::Display) -> Trouble {
    Trouble::Untrue(Untrue::Form(error.to_string()))
}

/// A statement that was read and does not verify.
pub(crate) fn flawed(flaw: Flaw) -> Trouble {
    Trouble::Untrue(Untrue::Flaw(flaw))
}

/// A statement of a node: JSON that is not the answer asked for is untrue.
pub(crate) fn told<T: DeserializeOwned>(node: &Client, path: &str) -> Result<T, Trouble> {
    let answer: Value = node.json(path)?;
    serde_json::from_value(answer).map_err(unread)
}

type Telling = dyn Fn(&Notice<'_>) + Send + Sync;

/// What is known of an alliance, and the nodes that are asked.
pub struct Trust {
    keep: Arc<dyn Keep>,
    chain: EpochChain,
    policies: Vec<KeptPolicy>,
    head: Option<KeptHead>,
    client: Client,
    max_age_s: u64,
    telling: Box<Telling>,
    /// When, by this machine's clock, that was signed which every statement from now on covers.
    covers_s: Option<u64>,
}

impl Trust {
    /// Opens what is kept of the alliance with this genesis hash. Everything kept is verified again;
    /// no node is asked. A statement older than `max_age_s` seconds is stale.
    pub fn open(
        genesis: Hash,
        client: Client,
        keep: Arc<dyn Keep>,
        max_age_s: u64,
    ) -> Result<Trust, Error> {
        let damaged = |name: &str, why: String| Error::Damaged {
            place: keep.place(name),
            why,
        };
        let read = |name: &str| -> Result<Option<Value>, Error> {
            let bytes = keep.load(name).map_err(Error::Keep)?;
            bytes
                .map(|bytes| serde_json::from_slice(&bytes))
                .transpose()
                .map_err(|error| damaged(name, error.to_string()))
        };
        let policies: Vec<KeptPolicy> = match read(POLICIES)? {
            Some(value) => serde_json::from_value(value)
                .map_err(|error| damaged(POLICIES, error.to_string()))?,
            None => Vec::new(),
        };
        let chain = chain_of(genesis, &policies).map_err(|why| damaged(POLICIES, why))?;
        let head: Option<KeptHead> = match read(HEAD)? {
            Some(value) => Some(
                serde_json::from_value(value).map_err(|error| damaged(HEAD, error.to_string()))?,
            ),
            None => None,
        };
        if let Some(head) = &head {
            let verified = chain
                .verify_checkpoint(head.note.as_bytes())
                .map_err(|error| damaged(HEAD, error.to_string()))?;
            if (verified.checkpoint.size, verified.checkpoint.root) != (head.size, head.root) {
                return Err(damaged(HEAD, "size, root".to_owned()));
            }
        }
        Ok(Trust {
            keep,
            chain,
            policies,
            head,
            client,
            max_age_s,
            telling: Box::new(|_| ()),
            covers_s: None,
        })
    }

    /// The same, telling what happens on the way.
    pub fn telling(self, telling: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Trust {
        Trust {
            telling: Box::new(telling),
            ..self
        }
    }

    /// From now on statements are asked for that cover something which was signed on this machine at
    /// `signed_s` by its clock, such as the receipt of a new record: they cannot be older than it.
    pub fn covers(self, signed_s: Option<u64>) -> Trust {
        Trust {
            covers_s: signed_s,
            ..self
        }
    }

    pub(crate) fn tell(&self, notice: &Notice<'_>) {
        (self.telling)(notice);
    }

    /// The chain of policies, as far as it is known.
    pub fn chain(&self) -> &EpochChain {
        &self.chain
    }

    /// The same with their proofs.
    pub fn policies(&self) -> &[KeptPolicy] {
        &self.policies
    }

    /// The nodes asked.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the alliance is a sample, as its policy 0 says; false as long as that is not known.
    pub fn is_sample(&self) -> bool {
        let genesis = self
            .chain
            .policies()
            .next()
            .and_then(|policy| policy.genesis.as_ref());
        genesis.is_some_and(|facts| facts.clock == ClockKind::Sample)
    }

    /// Asks the nodes in order until one gives a fresh answer that verifies. If all that verify are
    /// stale, the freshest of them, and the caller says so.
    pub fn ask<T>(
        &mut self,
        mut question: impl FnMut(&mut Trust, &Client) -> Result<(T, Grounds), Trouble>,
    ) -> Result<(T, Grounds), Error> {
        let mut best: Option<(T, Grounds)> = None;
        let mut refusal = None;
        let (mut silent, mut untrue) = (Vec::new(), Vec::new());
        for node in self.client.nodes().to_vec() {
            let one = self.client.only(&node);
            match self
                .learn_policies(&one)
                .and_then(|()| question(self, &one))
            {
                Ok(answer) if !answer.1.stale => return Ok(answer),
                Ok(answer) => {
                    if best
                        .as_ref()
                        .is_none_or(|(_, known)| known.attested_time_s < answer.1.attested_time_s)
                    {
                        best = Some(answer);
                    }
                }
                Err(Trouble::Stop(error)) => return Err(error),
                Err(Trouble::Untrue(why)) => {
                    self.tell(&Notice::Untrue {
                        node: &node,
                        why: &why,
                    });
                    untrue.push(Doubt { node, why });
                }
                Err(Trouble::Next(Error::Client(error))) if error.is_silence() => {
                    silent.push(error);
                }
                Err(Trouble::Next(error)) => refusal = Some(error),
            }
        }
        if let Some(best) = best {
            return Ok(best);
        }
        if !untrue.is_empty() {
            return Err(Error::Nobody(untrue));
        }
        Err(refusal.unwrap_or(Error::Unreachable(silent)))
    }

    /// Fetches the policies that are not known yet, each proved under the one before.
    pub fn learn_policies(&mut self, node: &Client) -> Result<(), Trouble> {
        let from = self.policies.len();
        let new: Vec<Policy> = told(node, &format!("/v1/policies?from={from}"))?;
        let new: Vec<KeptPolicy> = new.into_iter().map(KeptPolicy::from).collect();
        if new.is_empty() && from > 0 {
            return Ok(());
        }
        let mut chain = self.chain.clone();
        for kept in &new {
            let pushed = chain.push(
                kept.policy.as_bytes(),
                kept.proof.as_deref().map(str::as_bytes),
            );
            let pushed = pushed.map_err(|error| flawed(Flaw::new(error.code(), error)))?;
            // What is kept is verified as a whole: a number that is told beside the policy, too.
            if pushed.epoch != kept.epoch {
                return Err(unread(format!(
                    "a policy of epoch {} is told as that of epoch {}",
                    pushed.epoch, kept.epoch
                )));
            }
        }
        if chain.policies().next().is_none() {
            return Err(Trouble::Untrue(Untrue::NoPolicies));
        }
        let policies: Vec<KeptPolicy> = self.policies.iter().cloned().chain(new).collect();
        complete_handovers(&policies).map_err(flawed)?;
        self.chain = chain;
        self.policies = policies;
        self.keep(POLICIES, &self.policies).map_err(Trouble::Stop)
    }

    /// The head under a receipt: verified, joined to the known one, kept if it is newer.
    pub fn head_of_proof(&mut self, node: &Client, proof: &TlogProof) -> Result<Grounds, Trouble> {
        let note = proof.note.render().map_err(unread)?;
        self.head(node, &note)
    }

    /// A signed checkpoint of a node: verified, joined to the known head, kept if it is newer.
    pub fn head(&mut self, node: &Client, note: &str) -> Result<Grounds, Trouble> {
        let head = self.chain.verify_checkpoint(note.as_bytes());
        let head = head.map_err(|error| flawed(Flaw::new(error.code(), error)))?;
        let name = node.nodes().first().cloned().unwrap_or_default();
        let (size, root) = (head.checkpoint.size, head.checkpoint.root);
        let newer = match &self.head {
            None => true,
            Some(known) if known.size == size && known.root == root => {
                known.attested_time_s < head.attested_time_s
            }
            Some(known) => {
                let known = known.clone();
                self.join(node, &known, &head, note, &name)?;
                known.size < size
            }
        };
        if newer {
            let attested_time_s = head.attested_time_s;
            self.head = Some(KeptHead {
                size,
                root,
                attested_time_s,
                note: note.to_owned(),
                node: name.clone(),
            });
            self.keep(HEAD, &self.head).map_err(Trouble::Stop)?;
        }
        let sample = self.is_sample();
        let (age_s, stale, clock) = if sample {
            let age_s = self.sample_s(node).saturating_sub(head.attested_time_s);
            (age_s, age_s > self.max_age_s, None)
        } else {
            let ahead_s = node.ahead_s(&name);
            judge(
                (self.max_age_s, self.covers_s),
                head.attested_time_s,
                real_s(),
                ahead_s,
            )
        };
        let policy = self
            .chain
            .policies()
            .find(|policy| policy.epoch == head.epoch);
        let organisation = |name: &str| {
            policy
                .and_then(|p| p.validators.iter().find(|v| v.name == name))
                .map(|v| v.org.0)
        };
        let signers = head
            .signers
            .iter()
            .map(|signer| (signer.name.clone(), organisation(&signer.name)))
            .collect();
        Ok(Grounds {
            node: name,
            epoch: head.epoch.0,
            size,
            root,
            signers,
            attested_time_s: head.attested_time_s,
            age_s,
            stale,
            clock,
            sample,
        })
    }

    /// Now on a sample chain: as the node says, not before the newest known head.
    fn sample_s(&self, node: &Client) -> u64 {
        let told = node
            .json("/v1/status")
            .map_or(0, |status: Status| status.now_ms)
            / 1_000;
        let known = self.head.as_ref().map_or(0, |head| head.attested_time_s);
        told.max(known)
    }

    /// Shows that one of two verified heads extends the other: with a proof of this node, else of
    /// any other. Two different roots of one size are a fork; heads of two sizes that nobody joins are
    /// neither one log nor a fork.
    fn join(
        &self,
        node: &Client,
        known: &KeptHead,
        found: &Head,
        note: &str,
        name: &str,
    ) -> Result<(), Trouble> {
        let found = &found.checkpoint;
        let (old, new) = if known.size <= found.size {
            ((known.size, known.root), (found.size, found.root))
        } else {
            ((found.size, found.root), (known.size, known.root))
        };
        let is_fork = old.0 == new.0;
        let mut failed = None;
        if !is_fork {
            let others = self
                .client
                .nodes()
                .iter()
                .filter(|other| *other != name)
                .map(|other| self.client.only(other));
            for asked in std::iter::once(node.clone()).chain(others) {
                let Ok(answer) =
                    asked.json::<Value>(&format!("/v1/consistency?old={}&new={}", old.0, new.0))
                else {
                    continue;
                };
                // What is no proof is a proof that fails.
                let path = serde_json::from_value(answer)
                    .map(|answer: Consistency| answer.path)
                    .unwrap_or_default();
                if verify_consistency(old.0, &old.1, new.0, &new.1, &path).is_ok() {
                    return Ok(());
                }
                failed = Some(path);
            }
        }
        let alarm = ForkAlarm {
            kind: FORK_ALARM.to_owned(),
            version: 1,
            genesis: self.chain.genesis(),
            policies: self.policies.clone(),
            known: Statement {
                note: known.note.clone(),
                node: known.node.clone(),
            },
            found: Statement {
                note: note.to_owned(),
                node: name.to_owned(),
            },
            consistency: failed,
        };
        let kind = if is_fork { "fork" } else { "unjoined" };
        let file = format!("alarms/{kind}-{}-{}.json", found.size, found.root.short());
        self.keep(&file, &alarm).map_err(Trouble::Stop)?;
        let error = if is_fork {
            Error::Fork
        } else {
            Error::Unjoined
        };
        Err(Trouble::Stop(error(Box::new(Fork {
            node: name.to_owned(),
            size: found.size,
            root: found.root,
            known_size: known.size,
            known_root: known.root,
            place: self.keep.place(&file),
        }))))
    }

    /// Keeps a value as JSON.
    pub(crate) fn keep(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(value);
        let text = text.map_err(|error| Error::Keep(error.into()))?;
        let stored = self.keep.store(name, format!("{text}\n").as_bytes());
        stored.map_err(Error::Keep)
    }
}

/// Kind of a fork alarm's file.
pub const FORK_ALARM: &str = "rollbook-fork-alarm";

/// A signed checkpoint and who served it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The note.
    pub note: String,
    /// The node's address.
    pub node: String,
}

/// Two heads, both under quorums, of which neither extends the other. With its policies it can be
/// judged anywhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForkAlarm {
    /// [`FORK_ALARM`].
    pub kind: String,
    /// 1.
    pub version: u32,
    /// Genesis hash.
    pub genesis: Hash,
    /// Policies since genesis.
    pub policies: Vec<KeptPolicy>,
    /// The head known before.
    pub known: Statement,
    /// The head that does not go with it.
    pub found: Statement,
    /// The consistency path that failed, for different sizes; two roots of one size need none.
    pub consistency: Option<Vec<Hash>>,
}
