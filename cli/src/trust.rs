//! Trusting no node (RULINGS A12, A20): what is known of an alliance from its genesis hash alone,
//! kept between calls.
//!
//! One folder per alliance (`Profiles::verified`) holds
//!
//! * `policies.json`: the chain of policies with their handover proofs, verified again at every
//!   opening;
//! * `head.json`: the newest verified head, as the signed note;
//! * `receipts/`: what nodes signed about records handed in; `alarms/`: both statements of a fork.
//!
//! Every statement of a node comes with a checkpoint. It is judged by the policy of its size, it
//! must extend the known head (or the known head must extend it), and it is fresh if the (f+1)-th
//! newest cosignature is not older than `--max-age`. A node whose statement does not verify is
//! named and the next one is asked; a head that no node can join to the known one is an alarm and
//! the end.
//!
//! The clock of a sample chain is stepped, and cosignatures carry it. There "now" is the furthest
//! of what the node says and of the clock as it was last seen under a quorum, run on; so SAMPLE
//! ages are a matter of the story, not of proof.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rollbook_proof::crypto::Hash;
use rollbook_proof::file::{KeptPolicy, chain_of};
use rollbook_proof::log::tree::verify_consistency;
use rollbook_proof::log::{Clock, TlogProof};
use rollbook_proof::verify::{EpochChain, Head};
use rollbook_wire::proof::{Consistency, Policy};
use rollbook_wire::status::Status;
use rollbook_words::catalogue::t;
use rollbook_words::dates::{instant, length, length_ms};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::failure::{Failure, UNREACHABLE};
use crate::files::{cannot_write, make_folder, replace};
use crate::flags::{Global, Reading};
use crate::output::{print, say};
use crate::profile::{Profiles, genesis, in_use};

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
    /// Ledger time minus real time, as last seen under a quorum; means something on sample chains
    /// only.
    distance_s: i64,
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
    /// Whether times are those of a stepped clock.
    pub sample: bool,
}

/// Why one node's answer is not used.
pub enum Trouble {
    /// It does not verify: the node is named.
    Untrue(String),
    /// It has no answer; another node may have one.
    Next(Failure),
    /// No other node can help.
    Stop(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Next(failure)
    }
}

/// A statement of a node: JSON that is not the answer asked for is untrue.
pub fn told<T: DeserializeOwned>(node: &Client, path: &str) -> Result<T, Trouble> {
    let answer: Value = node.json(path)?;
    serde_json::from_value(answer).map_err(|error| Trouble::Untrue(error.to_string()))
}

/// What is known of an alliance, and the nodes that are asked.
pub struct Trust {
    folder: PathBuf,
    chain: EpochChain,
    policies: Vec<KeptPolicy>,
    head: Option<KeptHead>,
    client: Client,
    max_age_s: u64,
}

fn real_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Trust {
    /// Opens what is known of the alliance of the command line or the profile. Asks no node.
    pub fn open(global: &Global, flags: &Reading) -> Result<Trust, Failure> {
        let connection = &flags.connection;
        let profile = in_use(global)?;
        let nothing =
            |key: &str| Failure::unusable(t(key, &[])).next(t("trust.no-profile-next", &[]));
        let genesis = genesis(connection.genesis.as_deref(), profile.as_ref())?
            .ok_or_else(|| nothing("act.no-genesis"))?;
        let client = Client::reading(global, connection, profile.as_ref())?;
        Trust::at(
            &Profiles::of(global).verified(&genesis),
            genesis,
            client,
            max_age(&flags.max_age)?,
        )
    }

    /// Opens the folder of one alliance. Everything in it is verified again.
    pub fn at(
        folder: &Path,
        genesis: Hash,
        client: Client,
        max_age_s: u64,
    ) -> Result<Trust, Failure> {
        let damaged = |file: &Path, why: String| {
            Failure::unusable(t("trust.damaged", &[("file", file.display().to_string())]))
                .because(why)
                .next(t(
                    "trust.damaged-next",
                    &[("file", file.display().to_string())],
                ))
        };
        let read = |name: &str| -> Result<Option<Value>, Failure> {
            let path = folder.join(name);
            match std::fs::read(&path) {
                Ok(bytes) => serde_json::from_slice(&bytes)
                    .map(Some)
                    .map_err(|error| damaged(&path, error.to_string())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(crate::files::cannot_read(&path, &error)),
            }
        };
        let file = folder.join("policies.json");
        let policies: Vec<KeptPolicy> = match read("policies.json")? {
            Some(value) => {
                serde_json::from_value(value).map_err(|error| damaged(&file, error.to_string()))?
            }
            None => Vec::new(),
        };
        let chain = chain_of(genesis, &policies).map_err(|why| damaged(&file, why))?;
        let file = folder.join("head.json");
        let head: Option<KeptHead> = match read("head.json")? {
            Some(value) => Some(
                serde_json::from_value(value).map_err(|error| damaged(&file, error.to_string()))?,
            ),
            None => None,
        };
        if let Some(head) = &head {
            let verified = chain
                .verify_checkpoint(head.note.as_bytes())
                .map_err(|error| damaged(&file, error.to_string()))?;
            if (verified.checkpoint.size, verified.checkpoint.root) != (head.size, head.root) {
                return Err(damaged(&file, "size, root".to_owned()));
            }
        }
        Ok(Trust {
            folder: folder.to_path_buf(),
            chain,
            policies,
            head,
            client,
            max_age_s,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
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
        genesis.is_some_and(|facts| facts.clock == Clock::Sample)
    }

    /// Asks the nodes in order until one gives a fresh answer that verifies. If all that verify are
    /// stale, the freshest of them; the caller says so and exits with 3.
    pub fn ask<T>(
        &mut self,
        mut question: impl FnMut(&mut Trust, &Client) -> Result<(T, Grounds), Trouble>,
    ) -> Result<(T, Grounds), Failure> {
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
                Err(Trouble::Stop(failure)) => return Err(failure),
                Err(Trouble::Untrue(why)) => {
                    say(t(
                        "trust.untrue",
                        &[("node", node.clone()), ("why", why.clone())],
                    ));
                    untrue.push(format!("{node}: {why}"));
                }
                Err(Trouble::Next(failure)) if failure.exit == UNREACHABLE => {
                    silent.push(
                        failure
                            .why
                            .clone()
                            .unwrap_or_else(|| format!("{node}: {}", failure.what)),
                    );
                }
                Err(Trouble::Next(failure)) => refusal = Some(failure),
            }
        }
        if let Some(best) = best {
            return Ok(best);
        }
        if !untrue.is_empty() {
            let next = t("trust.nobody-next", &[]);
            return Err(Failure::refused(t("trust.nobody", &[]))
                .because(untrue.join("; "))
                .next(next));
        }
        Err(refusal.unwrap_or_else(|| {
            let next = t("client.unreachable-next", &[]);
            Failure::unreachable(t("client.unreachable", &[]))
                .because(silent.join("; "))
                .next(next)
        }))
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
            pushed.map_err(|error| Trouble::Untrue(format!("{}: {error}", error.code())))?;
        }
        if chain.policies().next().is_none() {
            return Err(Trouble::Untrue(t("trust.no-policies", &[])));
        }
        self.chain = chain;
        self.policies.extend(new);
        self.keep("policies.json", &self.policies)
            .map_err(Trouble::Stop)
    }

    /// The head under a receipt: verified, joined to the known one, kept if it is newer.
    pub fn head_of_proof(&mut self, node: &Client, proof: &TlogProof) -> Result<Grounds, Trouble> {
        let note = proof
            .note
            .render()
            .map_err(|error| Trouble::Untrue(error.to_string()))?;
        self.head(node, &note)
    }

    /// A signed checkpoint of a node: verified, joined to the known head, kept if it is newer.
    pub fn head(&mut self, node: &Client, note: &str) -> Result<Grounds, Trouble> {
        let head = self.chain.verify_checkpoint(note.as_bytes());
        let head = head.map_err(|error| Trouble::Untrue(format!("{}: {error}", error.code())))?;
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
            let distance_s = signed(head.attested_time_s).saturating_sub(signed(real_s()));
            let distance_s = self
                .head
                .as_ref()
                .map_or(distance_s, |known| known.distance_s.max(distance_s));
            let attested_time_s = head.attested_time_s;
            self.head = Some(KeptHead {
                size,
                root,
                attested_time_s,
                note: note.to_owned(),
                node: name.clone(),
                distance_s,
            });
            self.keep("head.json", &self.head).map_err(Trouble::Stop)?;
        }
        let sample = self.is_sample();
        let age_s = self.now_s(node).saturating_sub(head.attested_time_s);
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
            stale: age_s > self.max_age_s,
            sample,
        })
    }

    /// Now, in the time that cosignatures carry.
    fn now_s(&self, node: &Client) -> u64 {
        if !self.is_sample() {
            return real_s();
        }
        let told = node
            .json("/v1/status")
            .map_or(0, |status: Status| status.now_ms)
            / 1_000;
        let run_on = self
            .head
            .as_ref()
            .map_or(0, |head| real_s().saturating_add_signed(head.distance_s));
        told.max(run_on)
    }

    /// Shows that one of two verified heads extends the other: with a proof of this node, else of
    /// any other. Two different roots of one size, or proofs that all fail, are a fork.
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
        let mut failed = None;
        if old.0 < new.0 {
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
            if failed.is_none() {
                let facts = [("old", old.0.to_string()), ("new", new.0.to_string())];
                return Err(Trouble::Untrue(t("trust.not-joined", &facts)));
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
        let file = format!("alarms/fork-{}-{}.json", found.size, found.root.short());
        self.keep(&file, &alarm).map_err(Trouble::Stop)?;
        let facts = [
            ("node", name.to_owned()),
            ("size", found.size.to_string()),
            ("root", found.root.to_hex()),
            ("known-size", known.size.to_string()),
            ("known-root", known.root.to_hex()),
            ("file", self.folder.join(&file).display().to_string()),
        ];
        Err(Trouble::Stop(
            Failure::refused(t("trust.fork", &facts))
                .because(t("trust.fork-why", &facts))
                .next(t("trust.fork-next", &facts)),
        ))
    }

    /// Writes a file of the folder as JSON.
    pub fn keep(&self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let text = serde_json::to_string_pretty(value);
        let text = text.map_err(|error| cannot_write(&path, &std::io::Error::other(error)))?;
        replace(&path, format!("{text}\n").as_bytes())
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

impl Grounds {
    /// The line that says what verified a statement, after the caller's own words about place and
    /// time.
    pub fn line(&self) -> String {
        let named = |(name, organisation): &(String, Option<u32>)| match organisation {
            Some(organisation) => format!("{name} (O-{organisation:04})"),
            None => name.clone(),
        };
        let signers: Vec<String> = self.signers.iter().map(named).collect();
        t(
            "trust.grounds",
            &[
                ("epoch", self.epoch.to_string()),
                ("size", self.size.to_string()),
                ("signers", signers.join(", ")),
                ("time", instant(self.attested_time_s)),
                ("age", length(self.age_s)),
            ],
        )
    }

    /// Says STALE SINCE if so; the exit code.
    pub fn tell_age(&self) -> u8 {
        if self.stale {
            print(t(
                "trust.stale",
                &[
                    ("time", instant(self.attested_time_s)),
                    ("age", length(self.age_s)),
                ],
            ));
            return crate::failure::NOT_YET;
        }
        0
    }
}
