//! `rollbook node register`: a member's node operator registers the keys that `node init` or `keys
//! new --node` made (M40). `rollbook node update`: the node moves to the machine that has this folder
//! or card, and keeps its seat (RULINGS A53); of a folder only what differs from the ledger is named.

use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_core::object::node::NodeFacts;
use rollbook_core::record::{Body, NodeAct, NodeKeys, NodeUpdate};
use rollbook_core::word::Fact as _;
use rollbook_node::config::{CONFIG_NAME, Config, NodeSecrets};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, Keypair, PublicKey};
use rollbook_wire::ledger::List;
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

/// `node update`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Update {
    #[command(flatten)]
    register: Register,
}

impl Register {
    fn given(&self) -> Result<Given<'_>, Failure> {
        Ok(match &self.card {
            Some(path) => Given::Card(path, Box::new(NodeCard::read(path)?)),
            None => Given::Folder(Box::new(from_config(self)?)),
        })
    }
}

/// Runs it.
pub fn run(global: &Global, flags: &Register) -> Result<u8, Failure> {
    let node = flags.given()?;
    let organisation = node.organisation();
    let desk = Desk::of(global, &flags.acting, Some(organisation))?;
    same_organisation(&desk, organisation)?;
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

/// Runs `node update`.
pub fn update(global: &Global, flags: &Update) -> Result<u8, Failure> {
    let node = flags.register.given()?;
    let organisation = node.organisation();
    let desk = Desk::of(global, &flags.register.acting, Some(organisation))?;
    same_organisation(&desk, organisation)?;
    let chain = desk.chain()?;
    let update = match node {
        Given::Card(path, card) => NodeUpdate::whole(of_card(*card, &chain, path)?),
        Given::Folder(folder) => {
            let before = organisation.saturating_sub(1);
            let path = format!("/v1/lists/node?after={before}&limit=1");
            let page: List = desk.client()?.json(&path)?;
            let own = format!("node/{organisation}");
            let entry = page.items.into_iter().find(|item| item.path == own);
            let known = entry.and_then(|item| serde_json::from_value::<NodeFacts>(item.value).ok());
            let known = known.ok_or_else(|| crate::verbs::known::absent("node", organisation))?;
            folder.changes(&known, &chain)?
        }
    };
    let keys = update.kinds().map(|(_, _, kind)| kind.fact());
    let keys = keys.collect::<Vec<_>>().join(", ");
    let dash = || "-".to_owned();
    let of = |text: Option<String>| text.unwrap_or_else(dash);
    say(t(
        "node.updates",
        &[
            ("keys", if keys.is_empty() { dash() } else { keys }),
            ("url", of(update.url.as_ref().map(ToString::to_string))),
            (
                "address",
                of(update.address.as_ref().map(ToString::to_string)),
            ),
        ],
    ));
    let reading = desk.reading();
    perform(
        &desk,
        "node update",
        Body::Node(NodeAct::Update(update)),
        &reading,
    )
}

/// Refuses where the node is another organisation's.
fn same_organisation(desk: &Desk, organisation: u32) -> Result<(), Failure> {
    if desk.principal == organisation {
        return Ok(());
    }
    let facts = [
        ("organisation", organisation.to_string()),
        ("principal", desk.principal.to_string()),
    ];
    Err(Failure::unusable(t("node.other-organisation", &facts))
        .next(t("node.other-organisation-next", &facts)))
}

/// Where the keys come from.
enum Given<'a> {
    /// A card, which was made for a chain.
    Card(&'a Path, Box<NodeCard>),
    /// The node's own folder, whose keys can prove anything.
    Folder(Box<Folder>),
}

impl Given<'_> {
    fn organisation(&self) -> u32 {
        match self {
            Given::Card(_, card) => card.organisation,
            Given::Folder(folder) => folder.config.organisation.0,
        }
    }
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
    /// Refuses where the node follows another chain.
    fn must_follow(&self, chain: &Hash) -> Result<(), Failure> {
        let follows = self.config.genesis_hash.as_deref().and_then(Hash::from_hex);
        follows.map_or(Ok(()), |follows| same_chain(follows, *chain, &self.path))
    }

    /// The public keys, proved for the chain; it must be the one that the node follows.
    fn prove(&self, chain: &Hash) -> Result<NodeKeys, Failure> {
        self.must_follow(chain)?;
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

    /// What of it is not as the ledger has the node; of keys that wait for a handover, those.
    fn changes(&self, known: &NodeFacts, chain: &Hash) -> Result<NodeUpdate, Failure> {
        self.must_follow(chain)?;
        let NodeSecrets {
            consensus,
            cosigner,
            log,
            transport,
        } = &self.secrets;
        let now = (known.consensus, known.cosigner, known.log);
        let (of_votes, of_checkpoints, of_log) = known.coming.map_or(now, |coming| {
            (coming.consensus, coming.cosigner, coming.log)
        });
        let new = |key: &'_ Keypair, known: PublicKey| key.public() != known;
        let keys = [
            Some(consensus).filter(|key| new(key, of_votes)),
            Some(cosigner).filter(|key| new(key, of_checkpoints)),
            Some(log).filter(|key| new(key, of_log)),
            Some(transport).filter(|key| new(key, known.transport)),
        ];
        let url = Some(self.url.clone()).filter(|url| *url != known.url);
        let address = Some(self.address.clone()).filter(|address| *address != known.address);
        if keys.iter().all(Option::is_none) && url.is_none() && address.is_none() {
            return Err(
                Failure::refused(t("node.nothing-new", &[])).next(t("node.nothing-new-next", &[]))
            );
        }
        let update = NodeUpdate::proved(chain, self.config.organisation, keys, url, address);
        update.check().map_err(|_| bad_address())?;
        Ok(update)
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
