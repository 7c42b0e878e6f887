//! A node's config file and its keys.
//!
//! * Unknown settings are refused: a mistyped name must not silently mean the default.
//! * Relative paths are relative to the config file.
//! * Four secret keys, one file each (RULINGS A21): 64 hexadecimal digits, readable by their owner
//!   alone.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rollbook_core::genesis::file::GenesisFile;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair};
use rollbook_proof::number::OrganisationId;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files;
use crate::files::Access;

/// Name of the config file in a node's folder.
pub const CONFIG_NAME: &str = "node.toml";

/// A node's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Number of the organisation that runs the node.
    pub organisation: OrganisationId,
    /// The genesis file.
    pub genesis: PathBuf,
    /// The genesis hash that the file must have; printed in the alliance's agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis_hash: Option<String>,
    /// Folder of journal and store.
    #[serde(default = "default_data")]
    pub data: PathBuf,
    /// Folder of the four key files.
    #[serde(default = "default_keys")]
    pub keys: PathBuf,
    /// Where peers connect.
    pub listen: SocketAddr,
    /// Where HTTP is served.
    pub api: SocketAddr,
    /// Serve HTTP without TLS on an address other than loopback.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure_listen: bool,
    /// Certificate and key of the API; without them it speaks plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// Whether readers who have not logged in see what is public (RULINGS R18).
    #[serde(
        default = "default_public_reading",
        skip_serializing_if = "Clone::clone"
    )]
    pub public_reading: bool,
    /// Addresses of proxies: who stands behind one is counted by the last address of its
    /// `X-Forwarded-For` (RULINGS A42). From anybody else that header says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxies: Vec<IpAddr>,
    /// Peers that may be dialled for catch-up whatever the ledger says:
    /// `/ip4/ADDRESS/tcp/PORT/p2p/PEER-ID`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bootstrap: Vec<String>,
    /// What is logged: error, warn, info, debug.
    #[serde(default = "default_log")]
    pub log: String,
    /// How the log is written.
    #[serde(default, skip_serializing_if = "LogFormat::is_text")]
    pub log_format: LogFormat,
    /// How long others wait for a proposal in round 0, in milliseconds.
    #[serde(default = "default_propose")]
    pub propose_ms: u64,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    fn is_text(&self) -> bool {
        *self == LogFormat::Text
    }
}

/// The files of the API's certificate (RULINGS A20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and those it rests on, PEM, own first. Read again when the file changes.
    pub certificate: PathBuf,
    /// Its private key, PEM, readable by its owner alone.
    pub key: PathBuf,
}

fn default_public_reading() -> bool {
    true
}
fn default_data() -> PathBuf {
    "data".into()
}
fn default_keys() -> PathBuf {
    "keys".into()
}
fn default_log() -> String {
    "info".into()
}
fn default_propose() -> u64 {
    3_000
}

impl Config {
    /// Reads a config file; its relative paths are taken from its own folder. `insecure_listen` is
    /// the command line's word.
    pub fn read(path: &Path, insecure_listen: bool) -> Result<Config, Failure> {
        let next = "write it with 'rollbook node init', or correct the path";
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::file("cannot read the config", path, error, next))?;
        let mut config: Config = toml::from_str(&text).map_err(|error| {
            Failure::file(
                "the config is wrong:",
                path,
                error.to_string().trim(),
                "correct the setting named above, then start again",
            )
        })?;
        config.insecure_listen |= insecure_listen;
        let folder = path.parent().unwrap_or(Path::new(""));
        for path in [&mut config.genesis, &mut config.data, &mut config.keys] {
            *path = folder.join(&path);
        }
        if let Some(tls) = &mut config.tls {
            tls.certificate = folder.join(&tls.certificate);
            tls.key = folder.join(&tls.key);
        }
        if !config.api.ip().is_loopback() && config.tls.is_none() && !config.insecure_listen {
            return Err(Failure::new(
                format!("the API would be open at {} without TLS", config.api),
                "only loopback is served without TLS",
                "give a certificate under [tls], set `api` to 127.0.0.1 behind a TLS proxy, or \
                 start with --insecure-listen",
            ));
        }
        if config.propose_ms == 0 {
            return Err(Failure::file(
                "the config is wrong:",
                path,
                "propose_ms is 0",
                "set it to 1000 or more",
            ));
        }
        Ok(config)
    }

    /// The config as text.
    pub fn render(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads the genesis file, which is complete and right if it reads, and compares its hash.
    pub fn read_genesis(&self) -> Result<GenesisFile, Failure> {
        let path = &self.genesis;
        let bytes = std::fs::read(path).map_err(|error| {
            Failure::file(
                "cannot read the genesis file",
                path,
                error,
                "copy the genesis file of the alliance there",
            )
        })?;
        let file = GenesisFile::decode(&bytes).map_err(|error| {
            Failure::file(
                "the genesis file cannot be used:",
                path,
                error,
                "get the file again from a founding member",
            )
        })?;
        let hash = file.genesis.hash();
        match &self.genesis_hash {
            Some(expected) if Hash::from_hex(expected) != Some(hash) => Err(Failure::file(
                "the genesis file is of another alliance:",
                path,
                format!("its hash is {hash}, the config expects {expected}"),
                "compare both with the hash in the alliance's agreement",
            )),
            _ => Ok(file),
        }
    }

    /// Where the API is found.
    pub fn api_url(&self) -> String {
        format!(
            "{}://{}",
            if self.tls.is_some() { "https" } else { "http" },
            self.api
        )
    }

    /// The admin socket.
    pub fn admin_socket(&self) -> PathBuf {
        self.data.join("admin.sock")
    }

    /// The folder of the journal.
    pub fn journal(&self) -> PathBuf {
        self.data.join("journal")
    }

    /// The folder of the store.
    pub fn store(&self) -> PathBuf {
        self.data.join("store")
    }
}

/// The secret keys of a node.
#[derive(Debug, Clone)]
pub struct NodeSecrets {
    /// Signs votes.
    pub consensus: Keypair,
    /// Signs cosignatures.
    pub cosigner: Keypair,
    /// Signs served checkpoints and the receipts of submissions.
    pub log: Keypair,
    /// Identifies the node to its peers.
    pub transport: Keypair,
}

/// The kinds of a node's keys and their file names.
pub const KEY_FILES: [(KeyKind, &str); 4] = [
    (KeyKind::Consensus, "consensus.key"),
    (KeyKind::Cosigner, "cosigner.key"),
    (KeyKind::Log, "log.key"),
    (KeyKind::Transport, "transport.key"),
];

/// First word of a key file; the kind and the digits follow, so that no file is read for another
/// purpose (RULINGS A21).
const KEY_HEAD: &str = "rollbook-node-key/1";

/// The word of a kind: its file's name without the ending.
fn name_of(kind: KeyKind) -> &'static str {
    let file = KEY_FILES
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or("", |(_, file)| file);
    file.strip_suffix(".key").unwrap_or(file)
}

impl NodeSecrets {
    /// Keys made by `make`, one for each kind.
    pub fn make<E>(mut make: impl FnMut(KeyKind) -> Result<Keypair, E>) -> Result<NodeSecrets, E> {
        Ok(NodeSecrets {
            consensus: make(KeyKind::Consensus)?,
            cosigner: make(KeyKind::Cosigner)?,
            log: make(KeyKind::Log)?,
            transport: make(KeyKind::Transport)?,
        })
    }

    /// Fresh keys from the operating system's randomness.
    pub fn generate() -> Result<NodeSecrets, Failure> {
        NodeSecrets::make(|_| {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|error| {
                Failure::new(
                    "no keys were made",
                    error,
                    "check that this system has a source of randomness, then try again",
                )
            })?;
            Ok(Keypair::from_seed(&seed))
        })
    }

    /// Reads the four files of a folder; refuses files that others may read.
    pub fn read(folder: &Path) -> Result<NodeSecrets, Failure> {
        let names: BTreeMap<KeyKind, &str> = KEY_FILES.into();
        NodeSecrets::make(|kind| {
            let path = folder.join(names.get(&kind).copied().unwrap_or_default());
            let next = "put the node's key files there, or make new ones with 'rollbook node \
                        init' and register them";
            let failed = |error: std::io::Error| {
                Failure::file("cannot read the key file", &path, error, next)
            };
            let mode = std::fs::metadata(&path)
                .map_err(failed)?
                .permissions()
                .mode();
            if mode & 0o077 != 0 {
                return Err(Failure::file(
                    "the key file can be read by others:",
                    &path,
                    format!("its mode is {:o}", mode & 0o777),
                    format!(
                        "run chmod 600 {}, and think about who may have read it",
                        path.display()
                    ),
                ));
            }
            let text = std::fs::read_to_string(&path).map_err(failed)?;
            // As `keys new --node` writes it, with the kind in the file; or the digits alone.
            let mut words = text.split_whitespace();
            let digits = match words.next() {
                Some(KEY_HEAD) if words.next() == Some(name_of(kind)) => words.next(),
                Some(KEY_HEAD) => None,
                first => first,
            };
            let seed = digits
                .and_then(|digits| hex::decode(digits).ok())
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let seed = seed.ok_or_else(|| {
                Failure::file(
                    "the key file is damaged:",
                    &path,
                    format!(
                        "it does not hold a {} key: 64 hexadecimal digits",
                        name_of(kind)
                    ),
                    "restore it from your key backup",
                )
            })?;
            Ok(Keypair::from_seed(&seed))
        })
    }

    /// The key of a kind that a node has.
    pub fn of(&self, kind: KeyKind) -> Option<&Keypair> {
        match kind {
            KeyKind::Consensus => Some(&self.consensus),
            KeyKind::Cosigner => Some(&self.cosigner),
            KeyKind::Log => Some(&self.log),
            KeyKind::Transport => Some(&self.transport),
            KeyKind::Officer | KeyKind::Registrar | KeyKind::Witness => None,
        }
    }

    /// Writes the four files; refuses to replace any.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        let next = "check the folder and its permissions";
        files::make_private(folder)
            .map_err(|error| Failure::file("cannot make the folder", folder, error, next))?;
        for (kind, name) in KEY_FILES {
            let path = folder.join(name);
            if path.exists() {
                return Err(Failure::file(
                    "a key file is there already:",
                    &path,
                    "keys are never replaced in place",
                    "keep it, or move it away if it was never used",
                ));
            }
            let Some(key) = self.of(kind) else { continue };
            let text = format!("{KEY_HEAD} {} {}\n", name_of(kind), hex::encode(key.seed()));
            files::replace(&path, text.as_bytes(), Access::Owner)
                .map_err(|error| Failure::file("cannot write the key file", &path, error, next))?;
        }
        Ok(())
    }
}
