//! `rollbook node register`: a member's node operator registers the keys that `node init` or `keys
//! new --node` made (M40).

use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_core::record::{Body, NodeAct, NodeKeys};
use rollbook_node::config::{CONFIG_NAME, Config, NodeSecrets};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;

use crate::act::desk::{Desk, same_chain};
use crate::act::perform;
use crate::failure::Failure;
use crate::flags::{Acting, Global};
use crate::keystore::node::NodeCard;
use crate::output::say;

/// `node register`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Register {
    /// The node's configuration. Not "config": that is the folder of profiles.
    #[arg(id = "node-config", value_name = "CONFIG")]
    node_config: Option<PathBuf>,
    /// The node's card, if its configuration is elsewhere.
    #[arg(long, value_name = "FILE", conflicts_with = "node-config")]
    card: Option<PathBuf>,
    /// Where readers find it.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where peers find it.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    #[command(flatten)]
    acting: Acting,
}

/// Runs it.
pub fn run(global: &Global, flags: &Register) -> Result<u8, Failure> {
    let node = match &flags.card {
        Some(path) => Given::Card(path, Box::new(NodeCard::read(path)?)),
        None => Given::Folder(Box::new(from_config(flags)?)),
    };
    let organisation = match &node {
        Given::Card(_, card) => card.organisation,
        Given::Folder(folder) => folder.config.organisation.0,
    };
    let desk = Desk::of(global, &flags.acting, Some(organisation))?;
    if desk.principal != organisation {
        let facts = [
            ("organisation", organisation.to_string()),
            ("principal", desk.principal.to_string()),
        ];
        return Err(Failure::unusable(t("node.other-organisation", &facts))
            .next(t("node.other-organisation-next", &facts)));
    }
    // The keys prove that they are for this chain (RULINGS A21).
    let chain = desk.chain()?;
    let keys = match node {
        Given::Card(path, card) => of_card(*card, &chain, path)?,
        Given::Folder(folder) => folder.prove(&chain)?,
    };
    say(t(
        "node.registers",
        &[
            ("url", keys.url.to_string()),
            ("address", keys.address.to_string()),
        ],
    ));
    let reading = desk.reading();
    perform(
        &desk,
        "node register",
        Body::Node(NodeAct::Register(keys)),
        &reading,
    )
}

/// Where the keys come from.
enum Given<'a> {
    /// A card, which was made for a chain.
    Card(&'a Path, Box<NodeCard>),
    /// The node's own folder, whose keys can prove anything.
    Folder(Box<Folder>),
}

/// A node's folder, and the addresses that peers and readers shall use.
struct Folder {
    path: PathBuf,
    config: Config,
    secrets: NodeSecrets,
    url: Text<200>,
    address: Text<100>,
}

impl Folder {
    /// The public keys, proved for the chain; it must be the one that the node follows.
    fn prove(&self, chain: &Hash) -> Result<NodeKeys, Failure> {
        let follows = self.config.genesis_hash.as_deref().and_then(Hash::from_hex);
        if let Some(follows) = follows {
            same_chain(follows, *chain, &self.path)?;
        }
        let NodeSecrets {
            consensus,
            cosigner,
            log,
            transport,
        } = &self.secrets;
        let (url, address) = (self.url.clone(), self.address.clone());
        let keys = [consensus, cosigner, log, transport];
        let organisation = self.config.organisation;
        let proved = NodeKeys::proved(Some(chain), organisation, keys, url, address);
        proved.check().map_err(|_| bad_address())?;
        Ok(proved)
    }
}

fn bad_address() -> Failure {
    Failure::unusable(t("draft.card-address", &[])).next(t("node.no-address-next", &[]))
}

/// The keys of a card that was made for this chain.
fn of_card(card: NodeCard, chain: &Hash, path: &Path) -> Result<NodeKeys, Failure> {
    let facts = [
        ("file", path.display().to_string()),
        ("chain", chain.to_hex()),
    ];
    match card.chain {
        Some(of_card) => same_chain(of_card, *chain, path)
            .map_err(|failure| failure.next(t("node.card-chain-next", &facts)))?,
        None => {
            return Err(Failure::refused(t("node.card-founding", &facts))
                .because(t("node.card-founding-why", &[]))
                .next(t("node.card-chain-next", &facts)));
        }
    }
    Ok(card.keys)
}

/// Reads a node's folder.
fn from_config(flags: &Register) -> Result<Folder, Failure> {
    let path = flags
        .node_config
        .clone()
        .unwrap_or_else(|| CONFIG_NAME.into());
    let config = Config::read(&path, true)?;
    let secrets = NodeSecrets::read(&config.keys)?;
    // What a node listens on is often not where others find it; a wildcard is never.
    let given = |id: &str, given: &Option<String>, usual: Option<String>| {
        let missing = || {
            Failure::unusable(t("node.no-address", &[("flag", format!("--{id}"))]))
                .next(t("node.no-address-next", &[]))
        };
        given.clone().or(usual).ok_or_else(missing)
    };
    let plain = |at: std::net::SocketAddr| (!at.ip().is_unspecified()).then(|| at.to_string());
    let url = given(
        "url",
        &flags.url,
        plain(config.api).map(|at| format!("http://{at}")),
    )?;
    let address = given("address", &flags.address, plain(config.listen))?;
    let (url, address) = (
        Text::new(url).map_err(|_| bad_address())?,
        Text::new(address).map_err(|_| bad_address())?,
    );
    Ok(Folder {
        path,
        config,
        secrets,
        url,
        address,
    })
}
