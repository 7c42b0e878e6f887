//! C2SP tlog-policy: which logs and which cosigners make a checkpoint acceptable, and the judgement
//! of one checkpoint by it.
//!
//! * Any one of the log lines, and the quorum: a witness, or a group of witnesses and groups with a
//!   threshold.
//! * A name is defined before it is used, so groups cannot be circular; it is a member of at most
//!   one group, so nobody counts twice.
//! * Judging is stricter than the note format asks: exactly one signature of a known log key, no
//!   known key twice, and a bad signature of a known key refuses the whole note. Lines of unknown
//!   keys are ignored, as the format demands.
//!
//! An [`crate::log::EpochPolicy`] converts to this; a stricter local policy (witnesses required,
//! RULINGS A3) is a file of its own.

use std::collections::BTreeSet;

use crate::log::checkpoint::{Checkpoint, CheckpointError, decimal};
use crate::log::note::{KeyType, NoteError, SignedNote, VerifierKey};

/// Longest policy file read, in bytes.
pub const POLICY_MAX_BYTES: usize = 256 * 1024;
/// Most logs, most witnesses, most groups.
pub const ITEMS_MAX: usize = 256;

/// A `log` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedLog {
    /// Its name is the origin.
    pub vkey: VerifierKey,
    /// Where the log is served.
    pub url: Option<String>,
}

/// A `witness` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedWitness {
    /// Name inside the policy.
    pub name: String,
    /// Type 0x04.
    pub vkey: VerifierKey,
    /// Where it is reached.
    pub url: Option<String>,
}

/// Somebody whose word counts in a group or as the quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// Position in the list of witnesses.
    Witness(usize),
    /// Position in the list of groups.
    Group(usize),
}

/// A `group` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name inside the policy.
    pub name: String,
    /// How many members must have signed.
    pub threshold: usize,
    /// Defined before the group.
    pub members: Vec<Member>,
}

/// A rule for accepting checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptancePolicy {
    logs: Vec<AcceptedLog>,
    witnesses: Vec<AcceptedWitness>,
    groups: Vec<Group>,
    /// `None` is `quorum none`.
    quorum: Option<Member>,
}

/// Why a policy file is refused. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptanceError {
    /// Not UTF-8, a control character, no final line feed, or too long.
    #[error("the policy is not text of at most 262144 bytes in lines without control characters")]
    Text,
    /// Not one of the four kinds of line, or the wrong number of words.
    #[error("line {0} is no log, witness, group or quorum line")]
    Line(usize),
    /// A verifier key is not readable.
    #[error("line {0}: {1}")]
    Key(usize, NoteError),
    /// A log with a cosigner's key, or the reverse.
    #[error("line {0}: the key is of the wrong signature type")]
    KeyType(usize),
    /// A key that nobody should trust: weak or not canonical.
    #[error("line {0}: {1}")]
    WeakKey(usize, crate::crypto::KeyError),
    /// The public key, or name and key id, stand in the policy already.
    #[error("line {0}: the key is in the policy already")]
    DuplicateKey(usize),
    /// The name is taken or reserved.
    #[error("line {0}: the name '{1}' is taken")]
    DuplicateName(usize, String),
    /// The name is not defined on an earlier line.
    #[error("line {0}: '{1}' is not defined on an earlier line")]
    Unknown(usize, String),
    /// The name is a member of a group already.
    #[error("line {0}: '{1}' is a member of a group already")]
    MemberTwice(usize, String),
    /// Not 1 to the number of members.
    #[error("line {0}: the threshold does not fit the number of members")]
    Threshold(usize),
    /// None, or two.
    #[error("the policy has {0} quorum lines instead of one")]
    Quorum(usize),
    /// More than [`ITEMS_MAX`] of a kind.
    #[error("line {0}: too many lines of this kind")]
    TooMany(usize),
}

/// A cosigner whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Signer {
    /// Name inside the policy.
    pub name: String,
    /// Time of the cosignature by the signer's clock, seconds since 1970.
    pub time_s: u64,
}

/// An accepted checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Judged {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The log key that signed.
    pub log: VerifierKey,
    /// Everybody in the policy who cosigned, in the order of the policy.
    pub signers: Vec<Signer>,
}

/// Why a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointRefusal {
    /// The note's text is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The policy knows no log of this origin.
    #[error("the policy knows no log '{0}'")]
    Origin(String),
    /// The number of signatures by known log keys is not one.
    #[error("{0} log signatures of known keys instead of one")]
    LogSignatures(usize),
    /// A known key's signature does not verify.
    #[error("the signature of '{0}' does not verify")]
    BadSignature(String),
    /// A known cosigner appears twice.
    #[error("'{0}' has signed twice")]
    Repeated(String),
    /// Every signature is good, but they are not enough.
    #[error("the cosignatures of [{}] are no quorum under the policy", .0.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", "))]
    NoQuorum(Vec<Signer>),
}

impl AcceptancePolicy {
    /// Reads a policy file.
    pub fn parse(bytes: &[u8]) -> Result<Self, AcceptanceError> {
        let text = std::str::from_utf8(bytes).map_err(|_| AcceptanceError::Text)?;
        let allowed = |b: u8| b == b'\t' || b == b'\n' || (b >= 0x20 && b != 0x7f);
        if bytes.len() > POLICY_MAX_BYTES || !bytes.iter().copied().all(allowed) {
            return Err(AcceptanceError::Text);
        }
        let lines = text
            .strip_suffix('\n')
            .ok_or(AcceptanceError::Text)?
            .split('\n');
        let mut reader = PolicyReader::default();
        for (at, line) in lines.enumerate() {
            let words: Vec<&str> = line
                .split([' ', '\t'])
                .filter(|word| !word.is_empty())
                .collect();
            if words.first().is_some_and(|word| !word.starts_with('#')) {
                reader.line(at + 1, &words)?;
            }
        }
        match reader.quorums.as_slice() {
            [quorum] => Ok(AcceptancePolicy {
                quorum: *quorum,
                ..reader.policy
            }),
            other => Err(AcceptanceError::Quorum(other.len())),
        }
    }

    /// The logs.
    pub fn logs(&self) -> &[AcceptedLog] {
        &self.logs
    }

    /// The witnesses; validators are witnesses too.
    pub fn witnesses(&self) -> &[AcceptedWitness] {
        &self.witnesses
    }

    /// The groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Whether cosignatures of these witnesses (by name) are a quorum. Unknown names count for
    /// nothing.
    pub fn satisfied(&self, cosigners: &BTreeSet<&str>) -> bool {
        let signed: Vec<bool> = self
            .witnesses
            .iter()
            .map(|w| cosigners.contains(w.name.as_str()))
            .collect();
        let mut reached: Vec<bool> = Vec::with_capacity(self.groups.len());
        // Members come before their group, so one pass is enough; a member that is not there has
        // not signed.
        let holds = |member: &Member, reached: &[bool]| match member {
            Member::Witness(at) => signed.get(*at).copied().unwrap_or(false),
            Member::Group(at) => reached.get(*at).copied().unwrap_or(false),
        };
        for group in &self.groups {
            let count = group
                .members
                .iter()
                .filter(|member| holds(member, &reached))
                .count();
            reached.push(count >= group.threshold);
        }
        self.quorum
            .as_ref()
            .is_none_or(|quorum| holds(quorum, &reached))
    }

    /// Judges a checkpoint: origin, log signature, every known cosignature, quorum.
    pub fn judge(&self, note: &SignedNote) -> Result<Judged, CheckpointRefusal> {
        let (checkpoint, logs, signers) = self.signatures(note)?;
        let [log] = logs.as_slice() else {
            return Err(CheckpointRefusal::LogSignatures(logs.len()));
        };
        if !self.is_quorum(&signers) {
            return Err(CheckpointRefusal::NoQuorum(signers));
        }
        Ok(Judged {
            checkpoint,
            log: (*log).clone(),
            signers,
        })
    }

    fn is_quorum(&self, signers: &[Signer]) -> bool {
        self.satisfied(&signers.iter().map(|s| s.name.as_str()).collect())
    }

    /// The checkpoint, the known log keys that signed it, and the known cosigners in the order of
    /// the policy.
    fn signatures(
        &self,
        note: &SignedNote,
    ) -> Result<(Checkpoint, Vec<&VerifierKey>, Vec<Signer>), CheckpointRefusal> {
        let checkpoint = Checkpoint::parse(&note.text)?;
        let known: Vec<&VerifierKey> = self
            .logs
            .iter()
            .map(|l| &l.vkey)
            .filter(|k| k.name() == checkpoint.origin)
            .collect();
        if known.is_empty() {
            return Err(CheckpointRefusal::Origin(checkpoint.origin));
        }
        let verify = |key: &VerifierKey, line, name: &str| {
            key.verify(&note.text, line)
                .map_err(|_| CheckpointRefusal::BadSignature(name.to_owned()))
        };
        let mut logs = Vec::new();
        let mut signers: Vec<Option<Signer>> = vec![None; self.witnesses.len()];
        for line in &note.lines {
            if let Some(key) = known.iter().find(|key| line.is_of(key)) {
                verify(key, line, key.name())?;
                logs.push(*key);
            }
            if let Some((slot, witness)) = signers
                .iter_mut()
                .zip(&self.witnesses)
                .find(|(_, w)| line.is_of(&w.vkey))
            {
                let time_s = verify(&witness.vkey, line, &witness.name)?;
                if slot
                    .replace(Signer {
                        name: witness.name.clone(),
                        time_s,
                    })
                    .is_some()
                {
                    return Err(CheckpointRefusal::Repeated(witness.name.clone()));
                }
            }
        }
        Ok((checkpoint, logs, signers.into_iter().flatten().collect()))
    }
}

/// What is known while the lines are read.
struct PolicyReader {
    policy: AcceptancePolicy,
    quorums: Vec<Option<Member>>,
    names: BTreeSet<String>,
    members: BTreeSet<String>,
}

impl Default for PolicyReader {
    fn default() -> Self {
        let policy = AcceptancePolicy {
            logs: Vec::new(),
            witnesses: Vec::new(),
            groups: Vec::new(),
            quorum: None,
        };
        PolicyReader {
            policy,
            quorums: Vec::new(),
            names: BTreeSet::from(["none".to_owned()]),
            members: BTreeSet::new(),
        }
    }
}

impl PolicyReader {
    fn line(&mut self, at: usize, words: &[&str]) -> Result<(), AcceptanceError> {
        match words {
            ["log", vkey] => self.log(at, vkey, None),
            ["log", vkey, url] => self.log(at, vkey, Some(url)),
            ["witness", name, vkey] => self.witness(at, name, vkey, None),
            ["witness", name, vkey, url] => self.witness(at, name, vkey, Some(url)),
            ["group", name, threshold, members @ ..] => self.group(at, name, threshold, members),
            ["quorum", "none"] => {
                self.quorums.push(None);
                Ok(())
            }
            ["quorum", name] => {
                let member = self.find(at, name)?;
                self.quorums.push(Some(member));
                Ok(())
            }
            _ => Err(AcceptanceError::Line(at)),
        }
    }

    fn key(&self, at: usize, text: &str, kind: KeyType) -> Result<VerifierKey, AcceptanceError> {
        let key = VerifierKey::parse(text).map_err(|error| AcceptanceError::Key(at, error))?;
        if key.kind() != kind {
            return Err(AcceptanceError::KeyType(at));
        }
        key.key()
            .check_registrable()
            .map_err(|error| AcceptanceError::WeakKey(at, error))?;
        let known = self
            .policy
            .logs
            .iter()
            .map(|l| &l.vkey)
            .chain(self.policy.witnesses.iter().map(|w| &w.vkey));
        let clash = |other: &VerifierKey| {
            other.key() == key.key() || (other.name() == key.name() && other.id() == key.id())
        };
        if known.into_iter().any(clash) {
            return Err(AcceptanceError::DuplicateKey(at));
        }
        Ok(key)
    }

    fn define(&mut self, at: usize, name: &str) -> Result<(), AcceptanceError> {
        if self.names.insert(name.to_owned()) {
            Ok(())
        } else {
            Err(AcceptanceError::DuplicateName(at, name.to_owned()))
        }
    }

    fn find(&self, at: usize, name: &str) -> Result<Member, AcceptanceError> {
        let witness = self
            .policy
            .witnesses
            .iter()
            .position(|w| w.name == name)
            .map(Member::Witness);
        let group = || {
            self.policy
                .groups
                .iter()
                .position(|g| g.name == name)
                .map(Member::Group)
        };
        witness
            .or_else(group)
            .ok_or_else(|| AcceptanceError::Unknown(at, name.to_owned()))
    }

    fn log(&mut self, at: usize, vkey: &str, url: Option<&str>) -> Result<(), AcceptanceError> {
        let vkey = self.key(at, vkey, KeyType::Log)?;
        self.policy.logs.push(AcceptedLog {
            vkey,
            url: url.map(str::to_owned),
        });
        limit(at, self.policy.logs.len())
    }

    fn witness(
        &mut self,
        at: usize,
        name: &str,
        vkey: &str,
        url: Option<&str>,
    ) -> Result<(), AcceptanceError> {
        let vkey = self.key(at, vkey, KeyType::Cosigner)?;
        self.define(at, name)?;
        self.policy.witnesses.push(AcceptedWitness {
            name: name.to_owned(),
            vkey,
            url: url.map(str::to_owned),
        });
        limit(at, self.policy.witnesses.len())
    }

    fn group(
        &mut self,
        at: usize,
        name: &str,
        threshold: &str,
        members: &[&str],
    ) -> Result<(), AcceptanceError> {
        let threshold = match threshold {
            "any" => 1,
            "all" => members.len(),
            number => decimal(number)
                .and_then(|n| n.try_into().ok())
                .ok_or(AcceptanceError::Threshold(at))?,
        };
        if threshold < 1 || threshold > members.len() {
            return Err(AcceptanceError::Threshold(at));
        }
        let mut found = Vec::with_capacity(members.len());
        for member in members {
            found.push(self.find(at, member)?);
            if !self.members.insert((*member).to_owned()) {
                return Err(AcceptanceError::MemberTwice(at, (*member).to_owned()));
            }
        }
        self.define(at, name)?;
        self.policy.groups.push(Group {
            name: name.to_owned(),
            threshold,
            members: found,
        });
        limit(at, self.policy.groups.len())
    }
}

fn limit(at: usize, count: usize) -> Result<(), AcceptanceError> {
    if count <= ITEMS_MAX {
        Ok(())
    } else {
        Err(AcceptanceError::TooMany(at))
    }
}
