//! The backup of a node's keys: one `age` file under a passphrase, apart from every backup of data
//! (RULINGS A8, A21, R21).
//!
//! It says whose keys they are and of which alliance, so that they are restored nowhere else. The
//! sign guard is never in it: a node with restored keys asks its peers what it may have signed
//! before it votes.

use std::path::Path;

use rollbook_node::config::NodeSecrets;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair};
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::secret::{decrypt, encrypt};
use crate::failure::Failure;

const KIND: &str = "rollbook-node-keys";

/// The clear contents. Wiped from memory when dropped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clear {
    kind: String,
    version: u32,
    genesis: String,
    organisation: u32,
    consensus: String,
    cosigner: String,
    log: String,
    transport: String,
}

impl Clear {
    fn of(&self, kind: KeyKind) -> &str {
        match kind {
            KeyKind::Consensus => &self.consensus,
            KeyKind::Cosigner => &self.cosigner,
            KeyKind::Log => &self.log,
            _ => &self.transport,
        }
    }
}

impl Drop for Clear {
    fn drop(&mut self) {
        for text in [
            &mut self.consensus,
            &mut self.cosigner,
            &mut self.log,
            &mut self.transport,
        ] {
            text.zeroize();
        }
    }
}

/// Writes the keys into a new file, encrypted.
pub fn write(
    path: &Path,
    secrets: &NodeSecrets,
    organisation: u32,
    genesis: Hash,
    passphrase: &str,
) -> Result<(), Failure> {
    let digits = |kind| {
        secrets
            .of(kind)
            .map(|key| hex::encode(key.seed()))
            .unwrap_or_default()
    };
    let clear = Clear {
        kind: KIND.to_owned(),
        version: 1,
        genesis: genesis.to_hex(),
        organisation,
        consensus: digits(KeyKind::Consensus),
        cosigner: digits(KeyKind::Cosigner),
        log: digits(KeyKind::Log),
        transport: digits(KeyKind::Transport),
    };
    let text = Zeroizing::new(
        toml::to_string(&clear)
            .map_err(|error| Failure::unusable(t("keys.no-encryption", &[])).because(error))?,
    );
    crate::files::write_new(path, &encrypt(text.as_bytes(), passphrase, false)?, true)
}

/// Reads the keys of a node of `organisation` in this alliance.
pub fn read(
    path: &Path,
    organisation: u32,
    genesis: Hash,
    passphrase: &str,
) -> Result<NodeSecrets, Failure> {
    let clear = decrypt(path, passphrase)?;
    let damaged = |why: String| {
        let facts = [("file", path.display().to_string())];
        Failure::unusable(t("keys.damaged", &facts))
            .because(why)
            .next(t("keys.damaged-next", &[]))
    };
    let text = std::str::from_utf8(&clear).map_err(|error| damaged(error.to_string()))?;
    // The parser's own message would quote the line.
    let kept: Clear = toml::from_str(text).map_err(|_| damaged(t("node.no-key-backup", &[])))?;
    if kept.kind != KIND || kept.version != 1 {
        return Err(damaged(t("node.no-key-backup", &[])));
    }
    if kept.genesis != genesis.to_hex() || kept.organisation != organisation {
        let facts = [
            ("organisation", kept.organisation.to_string()),
            ("genesis", kept.genesis.clone()),
        ];
        return Err(Failure::refused(t("node.keys-of-another", &facts))
            .next(t("node.keys-of-another-next", &[])));
    }
    NodeSecrets::make(|kind| {
        let bytes = hex::decode(kept.of(kind)).ok().map(Zeroizing::new);
        let seed: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
        seed.map(|seed| Keypair::from_seed(&seed))
            .ok_or_else(|| damaged(t("node.no-key-backup", &[])))
    })
}
