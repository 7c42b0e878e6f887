//! Keys of a node: four plain files, 0600, one per kind (RULINGS A21), and the node's card.
//!
//! A key file is one line: `rollbook-node-key/1 <kind> <64 hex digits>`. The kind stands in the
//! file, so that a file under the wrong name is refused and no key is ever used for another
//! purpose.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use rollbook_core::record::NodeKeys;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair};
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::keys::node_key;
use rollbook_words::catalogue::t;
use zeroize::Zeroizing;

use super::card::{SAMPLE_NOTICE, key_text, read_key, signature_text};
use crate::failure::Failure;
use crate::input::problem::Report;
use crate::input::toml_file::{Section, TomlFile};

/// The kinds of a node, in the order of their files.
pub const KINDS: [KeyKind; 4] = [
    KeyKind::Consensus,
    KeyKind::Cosigner,
    KeyKind::Log,
    KeyKind::Transport,
];
/// How the name of a card beside the keys begins and ends.
const CARD: (&str, &str) = ("node-", ".card.toml");

/// Name of the card beside the keys: every organisation's is another, because a secretary puts all
/// of them into one folder.
pub fn card_name(organisation: u32) -> String {
    format!("{}{organisation:04}{}", CARD.0, CARD.1)
}

/// The card beside the keys of a folder, if there is one; an error if there are several.
pub fn card_in(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let Ok(files) = crate::files::listed(folder) else {
        return Ok(None);
    };
    let mut cards: Vec<PathBuf> = files
        .into_iter()
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(CARD.0) && name.ends_with(CARD.1))
        })
        .collect();
    if cards.len() > 1 {
        let facts = [("folder", folder.display().to_string())];
        return Err(Failure::unusable(t("keys.several-cards", &facts))
            .next(t("keys.several-cards-next", &[])));
    }
    Ok(cards.pop())
}

/// The word of a kind.
pub fn word(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Officer => "officer",
        KeyKind::Registrar => "registrar",
        KeyKind::Consensus => "consensus",
        KeyKind::Cosigner => "cosigner",
        KeyKind::Log => "log",
        KeyKind::Transport => "transport",
        KeyKind::Witness => "witness",
    }
}

/// The secrets of a node.
pub struct NodeSecrets {
    /// In the order of [`KINDS`].
    pub keys: [Keypair; 4],
}

impl NodeSecrets {
    /// New keys.
    pub fn random() -> Result<NodeSecrets, Failure> {
        let key = || crate::files::random().map(|seed| Keypair::from_seed(&seed));
        Ok(NodeSecrets {
            keys: [key()?, key()?, key()?, key()?],
        })
    }

    /// Reproducible sample keys.
    pub fn sample(seed: &str, organisation: u32) -> NodeSecrets {
        NodeSecrets {
            keys: KINDS.map(|kind| node_key(seed.as_bytes(), organisation, kind)),
        }
    }

    /// Writes the four files, or none of them.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        crate::files::make_folder(folder)?;
        let mut made = Vec::new();
        self.each(folder, &mut made).inspect_err(|_| {
            // Made just now and useless alone.
            for path in &made {
                let _ = std::fs::remove_file(path);
            }
        })
    }

    fn each(&self, folder: &Path, made: &mut Vec<PathBuf>) -> Result<(), Failure> {
        for (kind, key) in KINDS.iter().zip(&self.keys) {
            let line = Zeroizing::new(format!(
                "rollbook-node-key/1 {} {}\n",
                word(*kind),
                hex::encode(key.seed())
            ));
            let path = folder.join(format!("{}.key", word(*kind)));
            crate::files::write_new(&path, line.as_bytes(), true)?;
            made.push(path);
        }
        Ok(())
    }

    /// Refuses a folder in which a command was stopped that made keys: the card, which comes last, is
    /// missing, so no node has used them.
    pub fn not_half_made(folder: &Path, organisation: u32) -> Result<(), Failure> {
        let has_keys = KINDS
            .iter()
            .any(|kind| folder.join(format!("{}.key", word(*kind))).exists());
        if !has_keys || folder.join(card_name(organisation)).exists() {
            return Ok(());
        }
        let facts = [("folder", folder.display().to_string())];
        Err(Failure::unusable(t("keys.node-half-made", &facts))
            .next(t("keys.node-half-made-next", &facts)))
    }

    /// Reads the four files; refuses files that others may read.
    pub fn read(folder: &Path) -> Result<NodeSecrets, Failure> {
        let mut keys = Vec::with_capacity(KINDS.len());
        for kind in KINDS {
            let path = folder.join(format!("{}.key", word(kind)));
            keys.push(read_key_file(&path, kind)?);
        }
        let keys = keys.try_into().map_err(|_| {
            Failure::unusable(t(
                "keys.node-file",
                &[("file", folder.display().to_string())],
            ))
        })?;
        Ok(NodeSecrets { keys })
    }

    /// The public halves with proofs for the organisation: on a chain that runs, or in a founding.
    pub fn public(
        &self,
        chain: Option<&Hash>,
        organisation: u32,
        url: Text<200>,
        address: Text<100>,
    ) -> NodeKeys {
        let organisation = OrganisationId(organisation);
        NodeKeys::proved(chain, organisation, self.keys.each_ref(), url, address)
    }
}

/// Reads one key file of a kind.
pub fn read_key_file(path: &Path, kind: KeyKind) -> Result<Keypair, Failure> {
    let bytes = Zeroizing::new(crate::files::read(path)?);
    #[cfg(unix)]
    {
        let mode = std::fs::metadata(path)
            .map(|data| std::os::unix::fs::PermissionsExt::mode(&data.permissions()));
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            return Err(Failure::unusable(t(
                "keys.node-file-open",
                &[("file", path.display().to_string())],
            ))
            .next(format!("chmod 600 {}", path.display())));
        }
    }
    let bad = || {
        Failure::unusable(t("keys.node-file", &[("file", path.display().to_string())]))
            .because(t("keys.node-file-form", &[("kind", word(kind).to_owned())]))
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| bad())?;
    let mut words = text.split_whitespace();
    if words.next() != Some("rollbook-node-key/1") || words.next() != Some(word(kind)) {
        return Err(bad());
    }
    let seed = words
        .next()
        .and_then(|text| hex::decode(text).ok())
        .map(Zeroizing::new)
        .ok_or_else(bad)?;
    let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| bad())?;
    Ok(Keypair::from_seed(seed))
}

/// A node's card.
#[derive(Debug, Clone)]
pub struct NodeCard {
    /// The organisation that runs it.
    pub organisation: u32,
    /// Genesis hash of the chain that it joins; none in a founding.
    pub chain: Option<Hash>,
    /// Its public keys with proofs, url and address.
    pub keys: NodeKeys,
    /// Whether the keys are samples.
    pub sample: bool,
}

impl NodeCard {
    fn pairs(
        &self,
    ) -> [&(
        rollbook_proof::crypto::PublicKey,
        rollbook_proof::crypto::Signature,
    ); 4] {
        [
            &self.keys.consensus,
            &self.keys.cosigner,
            &self.keys.log,
            &self.keys.transport,
        ]
    }

    /// The card as a file.
    pub fn render(&self) -> String {
        let sample = if self.sample {
            format!("sample = true\nnotice = \"{SAMPLE_NOTICE}\"\n")
        } else {
            String::new()
        };
        let chain = self.chain.map_or_else(String::new, |chain| {
            format!(
                "# The alliance that the node joins, by its genesis hash.\nchain = \"{chain}\"\n"
            )
        });
        let mut text = format!(
            "# Public card of a node. Nothing in it is secret: send it to {}.\n\
             kind = \"node\"\nversion = 1\n{sample}{chain}organisation = {}\nurl = \"{}\"\n\
             address = \"{}\"\n",
            self.chain
                .map_or("the secretary", |_| "your organisation's node operator"),
            self.organisation,
            self.keys.url,
            self.keys.address
        );
        for (kind, (key, proof)) in KINDS.iter().zip(self.pairs()) {
            text += &format!(
                "\n[{}]\npublic_key = \"{}\"\npossession = \"{}\"\n",
                word(*kind),
                key_text(key),
                signature_text(proof)
            );
        }
        text
    }

    /// Reads a card file, alone.
    pub fn read(path: &Path) -> Result<NodeCard, Failure> {
        let bytes = crate::files::read(path)?;
        let text = String::from_utf8_lossy(&bytes);
        let name: Rc<str> = path.display().to_string().into();
        let mut report = Report::default();
        let card = TomlFile::parse(name, &text, &mut report)
            .and_then(|file| NodeCard::parse(&mut file.root(), &mut report));
        match (card, report.errors.first()) {
            (Some(card), None) => Ok(card),
            (_, problem) => Err(Failure::unusable(t(
                "keys.no-card",
                &[("file", path.display().to_string())],
            ))
            .because(problem.map(ToString::to_string).unwrap_or_default())
            .next(t("node.card-next", &[]))),
        }
    }

    /// Reads a card from its section.
    pub fn parse(section: &mut Section, report: &mut Report) -> Option<NodeCard> {
        section.expect_string("kind", "node", report)?;
        section.expect_number("version", 1, report)?;
        let sample = section.flag("sample", report).unwrap_or(false);
        let _ = section.optional_string("notice", report);
        let chain = match section.optional_string("chain", report) {
            Some(_) => Some(section.hash("chain", report)?),
            None => None,
        };
        let organisation = section.number("organisation", report)?;
        let (place, url) = section.placed_string("url", report)?;
        let (_, address) = section.placed_string("address", report)?;
        let mut pair = |kind| {
            let mut part = section.required_section(word(kind), report)?;
            let pair = read_key(&mut part, report);
            part.finish(report);
            pair
        };
        let (consensus, cosigner) = (pair(KeyKind::Consensus), pair(KeyKind::Cosigner));
        let (log, transport) = (pair(KeyKind::Log), pair(KeyKind::Transport));
        let (Ok(url), Ok(address)) = (Text::new(url), Text::new(address)) else {
            report.error(&place, "card-address", &[]);
            return None;
        };
        let keys = NodeKeys {
            consensus: consensus?,
            cosigner: cosigner?,
            log: log?,
            transport: transport?,
            url,
            address,
        };
        if keys.check().is_err() {
            report.error(&place, "card-address", &[]);
            return None;
        }
        let possession = keys.possession(chain.as_ref(), OrganisationId(organisation));
        let is_proved = keys
            .kinds()
            .iter()
            .all(|(key, proof, kind)| possession.is_proved(*kind, &(**key, **proof)));
        if !is_proved {
            let facts = [("organisation", organisation.to_string())];
            report.error(&place, "node-card-possession", &facts);
            return None;
        }
        Some(NodeCard {
            organisation,
            chain,
            keys,
            sample,
        })
    }
}
