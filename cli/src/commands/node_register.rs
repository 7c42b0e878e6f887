//! `rollbook node register`: a member's node operator registers the keys that `node init` or `keys
//! new --node` made (M40).

use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::Args;
use rollbook_core::record::{Body, NodeAct, NodeKeys};
use rollbook_node::config::{CONFIG_NAME, Config, NodeSecrets};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{KeyKind, Keypair};
use rollbook_words::catalogue::t;

use crate::act::desk::Desk;
use crate::act::perform;
use crate::failure::Failure;
use crate::flags::{Acting, Global};
use crate::input::problem::Report;
use crate::input::toml_file::TomlFile;
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
    let (organisation, keys) = match &flags.card {
        Some(path) => {
            let card = read_card(path)?;
            (card.organisation, card.keys)
        }
        None => from_config(flags)?,
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

fn read_card(path: &Path) -> Result<NodeCard, Failure> {
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

/// Keys of a node's folder, with the addresses that peers and readers shall use.
fn from_config(flags: &Register) -> Result<(u32, NodeKeys), Failure> {
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
    let bad =
        || Failure::unusable(t("draft.card-address", &[])).next(t("node.no-address-next", &[]));
    let (url, address) = (
        Text::new(url).map_err(|_| bad())?,
        Text::new(address).map_err(|_| bad())?,
    );
    let proved = |kind, key: &Keypair| {
        (
            key.public(),
            key.prove_possession(config.organisation.0, kind),
        )
    };
    let keys = NodeKeys {
        consensus: proved(KeyKind::Consensus, &secrets.consensus),
        cosigner: proved(KeyKind::Cosigner, &secrets.cosigner),
        log: proved(KeyKind::Log, &secrets.log),
        transport: proved(KeyKind::Transport, &secrets.transport),
        url,
        address,
    };
    keys.check().map_err(|_| bad())?;
    Ok((config.organisation.0, keys))
}
