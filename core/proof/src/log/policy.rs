//! The epoch policy: a C2SP tlog-policy file that is itself a leaf of the log (RULINGS A2, A3).
//!
//! * Policy 0 is leaf 0 and its SHA-256 is the genesis hash. Policy k is the leaf before the seal
//!   of a handover block and is signed, as part of that block's checkpoint, by a quorum under
//!   policy k-1. So one hash on paper leads to every later set.
//! * Facts that the policy format has no words for stand in comment lines of fixed form: epoch,
//!   chain, previous policy, valid-from-size, genesis facts, consensus keys. A stock verifier skips
//!   them; certificates are judged by them.
//! * There is one text per policy: [`EpochPolicy::parse`] accepts only what [`EpochPolicy::render`]
//!   writes.
//! * The quorum is the validators' group alone, recomputed from their number. Witnesses are listed.
//! * No key stands twice in a policy, whatever its kind; every key would be registrable; key ids
//!   are distinct.
//! * The cosigner of organisation 17 signs under the name `<origin>/17`; every log key signs under
//!   the origin.
//!
//! The text starts with `#` (0x23), which no leaf tag does: a policy leaf can never be read as a
//! record, nor the reverse.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bincode::{Decode, Encode};

use crate::chain::{CheckpointSignature, HandoverCheckpoint, LogSignature, ValidatorKey, quorum};
use crate::crypto::{Hash, KeyError, PublicKey, sha256};
use crate::log::acceptance::AcceptancePolicy;
use crate::log::checkpoint::{Checkpoint, decimal};
use crate::log::note::{KeyType, LINES_WRITTEN, NoteError, NoteLine, SignedNote, VerifierKey};
use crate::number::{EpochId, OrganisationId};

/// Most validators: their quorum and one log line must fit the 16 signature lines that every
/// verifier accepts.
pub const POLICY_MAX_VALIDATORS: usize = 22;
/// Most witnesses outside the alliance.
pub const POLICY_MAX_WITNESSES: usize = 8;
/// Longest policy, in bytes; a leaf of the log holds at most 65,535.
pub const EPOCH_POLICY_MAX_BYTES: usize = 32 * 1024;
/// Longest origin, in bytes.
pub const ORIGIN_MAX_BYTES: usize = 128;
/// Longest address, in bytes.
pub const URL_MAX_BYTES: usize = 200;

/// The tlog-tiles prefix of a node: what its `log` line in a policy names, so that an ordinary client
/// reads the log from that line alone (RULINGS A57).
pub fn log_prefix(url: &str) -> String {
    format!("{}/v1/log/", url.trim_end_matches('/'))
}

/// Whether ledger time is real or stepped (RULINGS A5); for ever.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// A real alliance.
    Wall,
    /// A sample: every view of it says so.
    Sample,
}

/// The ledger that this one continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Continues {
    /// Its genesis hash.
    pub genesis: Hash,
    /// Its last size.
    pub size: u64,
    /// Its last root.
    pub root: Hash,
}

/// What only policy 0 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct GenesisFacts {
    /// Number of genesis leaves: leaves 1 to N.
    pub leaves: u64,
    /// RFC 6962 root over leaves 1 to N alone.
    pub root: Hash,
    /// Real or sample.
    pub clock: Clock,
    /// The ledger before this one.
    pub continues: Option<Continues>,
}

/// A validator's seat in an epoch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct PolicyValidator {
    /// `V1`, `V2`, ... by position; see [`EpochPolicy::name_validators`].
    pub name: String,
    /// Organisation number.
    pub org: OrganisationId,
    /// Signs proposals and votes.
    pub consensus: PublicKey,
    /// Signs checkpoint cosignatures, type 0x04.
    pub cosigner: PublicKey,
    /// Signs checkpoints that this node serves, type 0x01.
    pub log: PublicKey,
    /// Where the node serves the log.
    pub url: String,
}

/// A witness outside the alliance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct PolicyWitness {
    /// Name inside the policy, such as `W1`.
    pub name: String,
    /// Type 0x04, under the witness's own name.
    pub vkey: VerifierKey,
    /// Where it is reached.
    pub url: String,
}

/// The validators of an epoch, and how its checkpoints and certificates are judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct EpochPolicy {
    /// Counted from 0.
    pub epoch: EpochId,
    /// Identity of the log: the first line of its checkpoints.
    pub origin: String,
    /// SHA-256 of the policy before; none in epoch 0.
    pub previous: Option<Hash>,
    /// 0 in epoch 0, else index of this leaf + 2: sizes above it belong to this epoch (RULINGS A3).
    pub valid_from_size: u64,
    /// Exactly in epoch 0.
    pub genesis: Option<GenesisFacts>,
    /// Strictly ascending by organisation number.
    pub validators: Vec<PolicyValidator>,
    /// In the order they are listed.
    pub witnesses: Vec<PolicyWitness>,
}

/// Why a policy is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Too long, not printable ASCII in lines, or no final line feed.
    #[error("the policy is not at most 32768 bytes of printable ASCII in lines")]
    Text,
    /// A line is not what stands there in a policy.
    #[error("line {line} of the policy is not '{expected}'")]
    Line {
        /// Counted from 1.
        line: usize,
        /// The form it should have.
        expected: &'static str,
    },
    /// Another text of the same policy.
    #[error("the policy is not written in its one form")]
    NotCanonical,
    /// The origin is no name of a log.
    #[error("'{0}' cannot be the origin of a log")]
    Origin(String),
    /// The address is not http(s), or too long, or has a space or `#`.
    #[error("'{0}' cannot be an address in a policy")]
    Url(String),
    /// The name is reserved, taken or not a word.
    #[error("'{0}' cannot be a name in the policy")]
    Name(String),
    /// None, too many, out of order, or not named by position.
    #[error("the validators are not 1 to 22, ascending by organisation, named V1, V2, ...")]
    Validators,
    /// Too many witnesses.
    #[error("{0} witnesses, at most 8 are allowed")]
    Witnesses(usize),
    /// Genesis facts, previous policy and valid-from-size do not fit the epoch number.
    #[error("the genesis facts, previous policy or valid-from-size do not fit epoch {0}")]
    Epoch(EpochId),
    /// A key stands twice, whatever its kind.
    #[error("key {0} stands twice in the policy")]
    DuplicateKey(String),
    /// Two verifier keys share a key id.
    #[error("key id {0} stands twice in the policy")]
    DuplicateKeyId(String),
    /// A key that could not be registered.
    #[error("key {0}: {1}")]
    Key(String, KeyError),
    /// A verifier key cannot be read.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The group line does not hold the quorum of so many validators.
    #[error("the group line says {found}, the quorum is {needed}")]
    Quorum {
        /// In the line.
        found: u64,
        /// By the number of validators.
        needed: u64,
    },
}

/// Why cosignatures do not carry a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The checkpoint is of another log.
    #[error("the checkpoint is of log '{0}'")]
    OtherOrigin(String),
    /// Not strictly ascending by validator.
    #[error("the cosignatures are not in strictly ascending order of validator")]
    Order,
    /// The signer is no validator of the policy.
    #[error("organisation {} is no validator under this policy", .0.0)]
    Foreign(OrganisationId),
    /// A signature does not verify.
    #[error("the signature of organisation {} does not verify", .0.0)]
    BadSignature(OrganisationId),
    /// Fewer than a quorum.
    #[error("{signers} validators cosigned, {needed} are needed")]
    NoQuorum {
        /// Valid signers.
        signers: usize,
        /// The quorum.
        needed: usize,
    },
}

/// Whether a leaf is a policy leaf: text that starts with `#`.
pub fn is_policy_leaf(leaf: &[u8]) -> bool {
    leaf.first() == Some(&b'#')
}

fn visible(text: &str) -> bool {
    text.bytes()
        .all(|b| (0x21..=0x7e).contains(&b) && b != b'#')
}

impl PolicyValidator {
    /// The cosigner key under the name it signs with.
    pub fn cosigner_key(&self, origin: &str) -> Result<VerifierKey, NoteError> {
        VerifierKey::new(
            &format!("{origin}/{}", self.org.0),
            KeyType::Cosigner,
            self.cosigner,
        )
    }

    /// The log key under the name it signs with: the origin.
    pub fn log_key(&self, origin: &str) -> Result<VerifierKey, NoteError> {
        VerifierKey::new(origin, KeyType::Log, self.log)
    }
}

impl EpochPolicy {
    /// Sorts the validators by organisation number and names them V1, V2, ... by position.
    pub fn name_validators(&mut self) {
        self.validators.sort_by_key(|validator| validator.org);
        for (at, validator) in self.validators.iter_mut().enumerate() {
            validator.name = format!("V{}", at + 1);
        }
    }

    /// Votes or cosignatures needed.
    pub fn quorum(&self) -> usize {
        quorum(self.validators.len())
    }

    /// Most validators that may fail or lie: one less than a third.
    pub fn faults(&self) -> usize {
        self.validators.len().saturating_sub(1) / 3
    }

    /// The validators as certificates are judged, ascending by organisation.
    pub fn validators(&self) -> Vec<ValidatorKey> {
        self.validators
            .iter()
            .map(|v| ValidatorKey {
                validator: v.org,
                key: v.consensus,
            })
            .collect()
    }

    /// The validator of an organisation.
    pub fn validator(&self, org: OrganisationId) -> Option<&PolicyValidator> {
        self.validators
            .iter()
            .find(|validator| validator.org == org)
    }

    /// SHA-256 of the text; of policy 0 it is the genesis hash.
    pub fn digest(&self) -> Hash {
        sha256(self.render().as_bytes())
    }

    /// The rules of the module head. `render` of a policy that passes is accepted by `parse`.
    pub fn check(&self) -> Result<(), PolicyError> {
        let origin = &self.origin;
        if origin.is_empty()
            || origin.len() > ORIGIN_MAX_BYTES
            || !visible(origin)
            || origin.contains('+')
        {
            return Err(PolicyError::Origin(
                origin.chars().take(ORIGIN_MAX_BYTES).collect(),
            ));
        }
        let first = self.epoch == EpochId(0);
        if self.genesis.is_some() != first
            || self.previous.is_none() != first
            || (self.valid_from_size == 0) != first
        {
            return Err(PolicyError::Epoch(self.epoch));
        }
        let ascending = self
            .validators
            .windows(2)
            .all(|pair| pair[0].org < pair[1].org);
        let named = self
            .validators
            .iter()
            .enumerate()
            .all(|(at, v)| v.name == format!("V{}", at + 1));
        if self.validators.is_empty()
            || self.validators.len() > POLICY_MAX_VALIDATORS
            || !ascending
            || !named
        {
            return Err(PolicyError::Validators);
        }
        if self.witnesses.len() > POLICY_MAX_WITNESSES {
            return Err(PolicyError::Witnesses(self.witnesses.len()));
        }
        self.check_words()?;
        self.check_keys()
    }

    fn check_words(&self) -> Result<(), PolicyError> {
        let urls = self
            .validators
            .iter()
            .map(|v| &v.url)
            .chain(self.witnesses.iter().map(|w| &w.url));
        for url in urls {
            let web = url.starts_with("https://") || url.starts_with("http://");
            if !web || url.len() > URL_MAX_BYTES || !visible(url) {
                return Err(PolicyError::Url(url.chars().take(URL_MAX_BYTES).collect()));
            }
        }
        let mut names: BTreeSet<&str> = self.validators.iter().map(|v| v.name.as_str()).collect();
        names.extend([
            "none",
            "any",
            "all",
            "log",
            "witness",
            "group",
            "quorum",
            "validators",
        ]);
        for witness in &self.witnesses {
            let name = witness.name.as_str();
            if name.is_empty() || name.len() > 32 || !visible(name) || !names.insert(name) {
                return Err(PolicyError::Name(name.chars().take(32).collect()));
            }
            if !visible(witness.vkey.name()) || witness.vkey.kind() != KeyType::Cosigner {
                return Err(PolicyError::Name(witness.vkey.name().to_owned()));
            }
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), PolicyError> {
        let (mut keys, mut ids) = (BTreeSet::new(), BTreeSet::new());
        let mut one = |key: &PublicKey, id: Option<[u8; 4]>| {
            let hex_key = || hex::encode(key.bytes());
            if !keys.insert(*key) {
                return Err(PolicyError::DuplicateKey(hex_key()));
            }
            key.check_registrable()
                .map_err(|error| PolicyError::Key(hex_key(), error))?;
            match id {
                Some(id) if !ids.insert(id) => Err(PolicyError::DuplicateKeyId(hex::encode(id))),
                _ => Ok(()),
            }
        };
        for validator in &self.validators {
            one(&validator.consensus, None)?;
            one(
                &validator.cosigner,
                Some(validator.cosigner_key(&self.origin)?.id()),
            )?;
            one(&validator.log, Some(validator.log_key(&self.origin)?.id()))?;
        }
        self.witnesses
            .iter()
            .try_for_each(|witness| one(witness.vkey.key(), Some(witness.vkey.id())))
    }

    /// The text, which is the leaf. Deterministic; call [`EpochPolicy::check`] first on a policy
    /// made by hand.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _ = writeln!(out, "{text}");
        };
        line(format_args!("# rollbook-epoch {}", self.epoch));
        line(format_args!("# chain {}", self.origin));
        match &self.previous {
            Some(hash) => line(format_args!("# previous-policy sha256:{hash}")),
            None => line(format_args!("# previous-policy none")),
        }
        line(format_args!("# valid-from-size {}", self.valid_from_size));
        if let Some(genesis) = &self.genesis {
            line(format_args!(
                "# genesis-leaves {} {}",
                genesis.leaves, genesis.root
            ));
            match genesis.clock {
                Clock::Wall => line(format_args!("# clock wall")),
                Clock::Sample => line(format_args!("# clock sample")),
            }
            match &genesis.continues {
                Some(c) => line(format_args!(
                    "# continues {} {} {}",
                    c.genesis, c.size, c.root
                )),
                None => line(format_args!("# continues none")),
            }
        }
        for v in &self.validators {
            line(format_args!(
                "# validator {} org {} consensus {}",
                v.name,
                v.org.0,
                hex::encode(v.consensus.bytes())
            ));
        }
        for v in &self.validators {
            match v.log_key(&self.origin) {
                Ok(key) => line(format_args!("log {key} {}", log_prefix(&v.url))),
                // Only with an origin that `check` refuses; the text then does not parse.
                Err(error) => line(format_args!("log {error}")),
            }
        }
        for v in &self.validators {
            match v.cosigner_key(&self.origin) {
                Ok(key) => line(format_args!("witness {} {key} {}", v.name, v.url)),
                Err(error) => line(format_args!("witness {error}")),
            }
        }
        let names: Vec<&str> = self.validators.iter().map(|v| v.name.as_str()).collect();
        line(format_args!(
            "group validators {} {}",
            self.quorum(),
            names.join(" ")
        ));
        for w in &self.witnesses {
            line(format_args!("witness {} {} {}", w.name, w.vkey, w.url));
        }
        line(format_args!("quorum validators"));
        out
    }

    /// Reads a policy leaf. Accepts exactly what [`EpochPolicy::render`] writes for a policy that
    /// passes [`EpochPolicy::check`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let printable = |b: &u8| *b == b'\n' || (0x20..=0x7e).contains(b);
        if bytes.len() > EPOCH_POLICY_MAX_BYTES || !bytes.iter().all(printable) {
            return Err(PolicyError::Text);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PolicyError::Text)?;
        let body = text.strip_suffix('\n').ok_or(PolicyError::Text)?;
        let policy = Lines {
            lines: body.split('\n').collect(),
            at: 0,
        }
        .policy()?;
        policy.check()?;
        if policy.render() == text {
            Ok(policy)
        } else {
            Err(PolicyError::NotCanonical)
        }
    }

    /// The same rule in the general form, for judging receipts.
    pub fn acceptance(&self) -> Result<AcceptancePolicy, PolicyError> {
        AcceptancePolicy::parse(self.render().as_bytes()).map_err(|_| PolicyError::NotCanonical)
    }

    /// Checks cosignatures of a checkpoint: ascending, of validators of this policy, all valid, at
    /// least a quorum.
    pub fn verify_cosignatures(
        &self,
        checkpoint: &Checkpoint,
        signatures: &[CheckpointSignature],
    ) -> Result<(), CosignatureError> {
        if checkpoint.origin != self.origin {
            return Err(CosignatureError::OtherOrigin(checkpoint.origin.clone()));
        }
        if !signatures
            .windows(2)
            .all(|pair| pair[0].validator < pair[1].validator)
        {
            return Err(CosignatureError::Order);
        }
        signatures
            .iter()
            .try_for_each(|signature| self.verify_cosignature(checkpoint, signature))?;
        let needed = self.quorum();
        if signatures.len() < needed {
            return Err(CosignatureError::NoQuorum {
                signers: signatures.len(),
                needed,
            });
        }
        Ok(())
    }

    /// Checks one validator's cosignature of a checkpoint.
    pub fn verify_cosignature(
        &self,
        checkpoint: &Checkpoint,
        signature: &CheckpointSignature,
    ) -> Result<(), CosignatureError> {
        let org = signature.validator;
        let validator = self.validator(org).ok_or(CosignatureError::Foreign(org))?;
        checkpoint
            .verify_cosignature(&validator.cosigner, signature.time_s, &signature.signature)
            .map_err(|_| CosignatureError::BadSignature(org))
    }

    /// Checks the checkpoint that ends this epoch, as the first block of the next one carries it
    /// (RULINGS A3): its log line and its cosignatures. That its size and root are those of the log is for the caller, who has the
    /// log.
    pub fn verify_handover(&self, handover: &HandoverCheckpoint) -> Result<(), CosignatureError> {
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: handover.size,
            root: handover.root,
        };
        let org = handover.log.validator;
        let validator = self.validator(org).ok_or(CosignatureError::Foreign(org))?;
        checkpoint
            .verify_log(&validator.log, &handover.log.signature)
            .map_err(|_| CosignatureError::BadSignature(org))?;
        self.verify_cosignatures(&checkpoint, &handover.cosignatures)
    }

    /// A validator's cosignature as a note line; `None` if it is no validator of this policy.
    pub fn cosignature_line(&self, signature: &CheckpointSignature) -> Option<NoteLine> {
        let key = self
            .validator(signature.validator)?
            .cosigner_key(&self.origin)
            .ok()?;
        NoteLine::cosignature(&key, signature.time_s, &signature.signature)
    }

    /// A note line as the cosignature of a validator of this policy; `None` if it is none's.
    /// Nothing is verified.
    pub fn cosignature_of(&self, line: &NoteLine) -> Option<CheckpointSignature> {
        let is_of = |v: &&PolicyValidator| {
            v.cosigner_key(&self.origin)
                .is_ok_and(|key| line.is_of(&key))
        };
        let validator = self.validators.iter().find(is_of)?.org;
        let (time_s, signature) = line.signature(KeyType::Cosigner)?;
        Some(CheckpointSignature {
            validator,
            time_s,
            signature,
        })
    }

    /// The checkpoint as a signed note: the log line of a validator, exactly a quorum of the
    /// cosignatures in the order of the policy, then lines of witnesses as long as there is room.
    /// Every signature that goes in is verified; cosignatures that do not verify are passed over.
    pub fn checkpoint_note(
        &self,
        checkpoint: &Checkpoint,
        log: &LogSignature,
        cosignatures: &[CheckpointSignature],
        witness_lines: &[NoteLine],
    ) -> Result<SignedNote, CosignatureError> {
        if checkpoint.origin != self.origin {
            return Err(CosignatureError::OtherOrigin(checkpoint.origin.clone()));
        }
        let org = log.validator;
        let server = self.validator(org).ok_or(CosignatureError::Foreign(org))?;
        let bad = || CosignatureError::BadSignature(org);
        checkpoint
            .verify_log(&server.log, &log.signature)
            .map_err(|_| bad())?;
        let log = server
            .log_key(&self.origin)
            .ok()
            .and_then(|key| NoteLine::log(&key, &log.signature))
            .ok_or_else(bad)?;
        let quorum = self.quorum_lines(checkpoint, cosignatures)?;
        let text = checkpoint.text();
        let outside = |w: &PolicyWitness| {
            witness_lines
                .iter()
                .find(|line| w.vkey.verify(&text, line).is_ok())
                .cloned()
        };
        let outside: Vec<NoteLine> = self.witnesses.iter().filter_map(outside).collect();
        let lines = std::iter::once(log)
            .chain(quorum)
            .chain(outside)
            .take(LINES_WRITTEN)
            .collect();
        Ok(SignedNote { text, lines })
    }

    fn quorum_lines(
        &self,
        checkpoint: &Checkpoint,
        cosignatures: &[CheckpointSignature],
    ) -> Result<Vec<NoteLine>, CosignatureError> {
        let needed = self.quorum();
        let of = |v: &PolicyValidator| {
            let mut own = cosignatures.iter().filter(|s| s.validator == v.org);
            own.find(|s| self.verify_cosignature(checkpoint, s).is_ok())
                .and_then(|s| self.cosignature_line(s))
        };
        let quorum: Vec<NoteLine> = self.validators.iter().filter_map(of).take(needed).collect();
        if quorum.len() < needed {
            return Err(CosignatureError::NoQuorum {
                signers: quorum.len(),
                needed,
            });
        }
        Ok(quorum)
    }
}

/// A cursor over the lines of a policy.
struct Lines<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    /// The rest of the next line after `prefix`.
    fn after(&mut self, prefix: &'static str) -> Result<&'a str, PolicyError> {
        let rest = self
            .lines
            .get(self.at)
            .and_then(|line| line.strip_prefix(prefix));
        self.at += 1;
        rest.ok_or(PolicyError::Line {
            line: self.at,
            expected: prefix,
        })
    }

    /// The words of the next line after `prefix`, as many as the form has.
    fn words<const N: usize>(&mut self, prefix: &'static str) -> Result<[&'a str; N], PolicyError> {
        let words: Vec<&str> = self.after(prefix)?.split(' ').collect();
        words.try_into().map_err(|_| self.wrong(prefix))
    }

    fn next_is(&self, prefix: &str) -> bool {
        self.lines
            .get(self.at)
            .is_some_and(|line| line.starts_with(prefix))
    }

    /// The line just read is not of this form.
    fn wrong(&self, expected: &'static str) -> PolicyError {
        PolicyError::Line {
            line: self.at,
            expected,
        }
    }

    fn number(&self, word: &str) -> Result<u64, PolicyError> {
        decimal(word).ok_or(self.wrong("a decimal number"))
    }

    fn hash(&self, word: &str) -> Result<Hash, PolicyError> {
        Hash::from_hex(word).ok_or(self.wrong("64 hexadecimal digits"))
    }

    fn policy(mut self) -> Result<EpochPolicy, PolicyError> {
        let [epoch] = self.words("# rollbook-epoch ")?;
        let epoch =
            u32::try_from(self.number(epoch)?).map_err(|_| self.wrong("an epoch number"))?;
        let origin = self.after("# chain ")?.to_owned();
        let previous = match self.after("# previous-policy ")? {
            "none" => None,
            other => Some(
                self.hash(
                    other
                        .strip_prefix("sha256:")
                        .ok_or(self.wrong("none or sha256:..."))?,
                )?,
            ),
        };
        let [size] = self.words("# valid-from-size ")?;
        let valid_from_size = self.number(size)?;
        let genesis = if epoch == 0 {
            Some(self.genesis()?)
        } else {
            None
        };

        let mut seats: Vec<(String, u32, PublicKey)> = Vec::new();
        while self.next_is("# validator ") {
            let [name, org_word, org, consensus_word, key] = self.words("# validator ")?;
            if (org_word, consensus_word) != ("org", "consensus") {
                return Err(self.wrong("# validator V1 org N consensus <key>"));
            }
            let org = u32::try_from(self.number(org)?)
                .map_err(|_| self.wrong("an organisation number"))?;
            seats.push((name.to_owned(), org, PublicKey::Ed25519(self.hash(key)?.0)));
        }
        let mut logs = Vec::with_capacity(seats.len());
        for _ in &seats {
            let [vkey, _url] = self.words("log ")?;
            logs.push(*VerifierKey::parse(vkey)?.key());
        }
        let mut validators = Vec::with_capacity(seats.len());
        for ((name, org, consensus), log) in seats.into_iter().zip(logs) {
            let [_name, vkey, url] = self.words("witness ")?;
            let cosigner = *VerifierKey::parse(vkey)?.key();
            validators.push(PolicyValidator {
                name,
                org: OrganisationId(org),
                consensus,
                cosigner,
                log,
                url: url.to_owned(),
            });
        }
        let threshold = self
            .after("group validators ")?
            .split(' ')
            .next()
            .unwrap_or_default();
        let (found, needed) = (self.number(threshold)?, quorum(validators.len()) as u64);
        if found != needed {
            return Err(PolicyError::Quorum { found, needed });
        }
        let mut witnesses = Vec::new();
        while self.next_is("witness ") {
            let [name, vkey, url] = self.words("witness ")?;
            witnesses.push(PolicyWitness {
                name: name.to_owned(),
                vkey: VerifierKey::parse(vkey)?,
                url: url.to_owned(),
            });
        }
        if self.after("quorum ")? != "validators" || self.at != self.lines.len() {
            return Err(self.wrong("quorum validators"));
        }
        Ok(EpochPolicy {
            epoch: EpochId(epoch),
            origin,
            previous,
            valid_from_size,
            genesis,
            validators,
            witnesses,
        })
    }

    fn genesis(&mut self) -> Result<GenesisFacts, PolicyError> {
        let [leaves, root] = self.words("# genesis-leaves ")?;
        let (leaves, root) = (self.number(leaves)?, self.hash(root)?);
        let clock = match self.after("# clock ")? {
            "wall" => Clock::Wall,
            "sample" => Clock::Sample,
            _ => return Err(self.wrong("# clock wall|sample")),
        };
        let continues = if self.next_is("# continues none") {
            self.after("# continues none")?;
            None
        } else {
            let [genesis, size, root] = self.words("# continues ")?;
            Some(Continues {
                genesis: self.hash(genesis)?,
                size: self.number(size)?,
                root: self.hash(root)?,
            })
        };
        Ok(GenesisFacts {
            leaves,
            root,
            clock,
            continues,
        })
    }
}
