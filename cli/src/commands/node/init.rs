//! `rollbook node init`: the configuration of a node, around the keys that it has.
//!
//! * A founder's node has its keys since before the genesis: they are taken where they lie, compared
//!   with the genesis, and never copied. New keys are made for a node that joins later alone.
//! * The card beside the keys, or the genesis, says organisation, URL and address: nobody types them
//!   again.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_core::genesis::{Genesis, GenesisItem};
use rollbook_core::record::NodeKeys;
use rollbook_node::api::door;
use rollbook_node::config::{CONFIG_NAME, Config, NodeSecrets, TlsFiles};
use rollbook_node::files;
use rollbook_node::files::Access;
use rollbook_node::network::peer_id_text;
use rollbook_node::runtime::storage;
use rollbook_proof::crypto::{Hash, PublicKey};
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;

use super::absolute;
use crate::failure::Failure;
use crate::keystore::node::{NodeCard, card_in};
use crate::keystore::unused;
use crate::output::{print, print_json, say};

/// Where other nodes connect, if nothing says it.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7400);
/// Where HTTP is served, if nothing says it.
const API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7500);
/// The folder of keys inside the node's own.
const KEYS: &str = "keys";

/// `node init`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Init {
    /// The card's, if not given.
    #[arg(long, value_name = "N")]
    organisation: Option<u32>,
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    #[arg(long, value_name = None::<&'static str>, default_value = ".")]
    dir: PathBuf,
    /// The folder of the keys that `keys new --node` made.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The card beside them.
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    #[arg(long, value_name = "ADDRESS:PORT")]
    api: Option<SocketAddr>,
    #[arg(
        id = "tls-certificate",
        long = "tls-certificate",
        value_name = "FILE",
        requires = "tls-key"
    )]
    tls_certificate: Option<PathBuf>,
    #[arg(
        id = "tls-key",
        long = "tls-key",
        value_name = "FILE",
        requires = "tls-certificate"
    )]
    tls_key: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS")]
    bootstrap: Vec<String>,
    /// It takes the place of the node that the organisation has.
    #[arg(long)]
    moves: bool,
}

/// Keys that are there, with what says whose they are.
struct Keys {
    folder: PathBuf,
    secrets: NodeSecrets,
    card: Option<(PathBuf, NodeCard)>,
}

/// What the node is to the genesis.
enum Standing {
    /// Its keys stand in it.
    Founder(Box<NodeKeys>),
    /// A member that registers its node when the alliance lives.
    Later,
    /// In place of the node that the organisation has (RULINGS A53).
    Moves,
    /// The genesis does not know the organisation: a member of a later day.
    Unknown,
}

/// Runs it. Nothing is written before everything has been compared.
pub fn run(flags: &Init, json: bool) -> Result<u8, Failure> {
    let dir = &flags.dir;
    let path = dir.join(CONFIG_NAME);
    if path.exists() {
        return Err(
            Failure::unusable(t("node.exists", &[("file", path.display().to_string())]))
                .next(t("node.exists-next", &[])),
        );
    }
    let written = |error: std::io::Error| {
        Failure::unusable(t("node.not-written", &[("dir", dir.display().to_string())]))
            .because(error)
    };
    let mut config = Config {
        organisation: OrganisationId(flags.organisation.unwrap_or_default()),
        genesis: std::path::absolute(&flags.genesis).map_err(written)?,
        genesis_hash: None,
        data: "data".into(),
        keys: KEYS.into(),
        listen: LISTEN,
        api: API,
        tls: tls_files(flags)?,
        insecure_listen: false,
        public_reading: true,
        bootstrap: flags.bootstrap.clone(),
        log: "info".into(),
        log_format: Default::default(),
        proxies: Vec::new(),
        propose_ms: 3_000,
    };
    let genesis = config.read_genesis()?.genesis;
    let hash = genesis.hash();
    config.genesis_hash = Some(hash.to_hex());
    let keys = given_keys(flags)?;
    let number = organisation(flags, keys.as_ref(), &genesis)?;
    config.organisation = OrganisationId(number);
    let standing = match standing(&genesis, number)? {
        _ if flags.moves => Standing::Moves,
        standing => standing,
    };
    compare(&genesis, number, &standing, keys.as_ref())?;
    let known = match (&standing, &keys) {
        (Standing::Founder(known), _) => Some((**known).clone()),
        (_, Some(keys)) => keys.card.as_ref().map(|(_, card)| card.keys.clone()),
        _ => None,
    };
    let known = known.as_ref();
    let listen = known.and_then(|keys| listen_at(keys.address.as_str()));
    config.listen = flags.listen.or(listen).unwrap_or(LISTEN);
    let api = known.and_then(|keys| api_at(keys.url.as_str(), config.tls.is_some()));
    config.api = flags.api.or(api).unwrap_or(API);

    let data = dir.join("data");
    files::make_private(&data).map_err(written)?;
    let made = keys.is_none();
    let (secrets, fresh) = match keys {
        Some(keys) => {
            config.keys = kept_in(dir, &keys.folder).map_err(written)?;
            let fresh = unused::take(&keys.folder)?;
            (keys.secrets, fresh)
        }
        None => {
            let secrets = NodeSecrets::generate()?;
            secrets.write(&dir.join(KEYS))?;
            (secrets, true)
        }
    };
    if fresh {
        // Only keys that no node has used cannot have signed anything elsewhere (RULINGS A8).
        files::replace(&data.join(storage::FRESH), b"", Access::Everybody)
            .map_err(|error| written(error.into()))?;
    }
    files::replace(&path, config.render().as_bytes(), Access::Everybody)
        .map_err(|error| written(error.into()))?;
    let peer = peer_id_text(secrets.transport.public().bytes()).unwrap_or_default();
    if json {
        print_json(&serde_json::json!({
            "config": path, "genesis": hash, "peer": peer, "organisation": number,
            "keys": config.keys, "new_keys": made, "fresh": fresh,
            "founder": matches!(standing, Standing::Founder(_)),
            "listen": config.listen, "api": config.api,
            "consensus": secrets.consensus.public(), "cosigner": secrets.cosigner.public(),
            "log": secrets.log.public(), "transport": secrets.transport.public(),
        }));
        return Ok(0);
    }
    print(t(
        "node.made",
        &[
            ("file", path.display().to_string()),
            ("genesis", hash.to_hex()),
            ("peer", peer),
        ],
    ));
    print(t(
        "node.made-where",
        &[
            ("organisation", number.to_string()),
            ("listen", config.listen.to_string()),
            ("api", config.api.to_string()),
            ("keys", dir.join(&config.keys).display().to_string()),
        ],
    ));
    if let Some(keys) = known
        && flags.api.is_none()
        && config.tls.is_none()
        && api.is_none()
    {
        let facts = [
            ("url", keys.url.to_string()),
            ("api", config.api.to_string()),
        ];
        say(t("node.made-proxy", &facts));
    }
    tell(&genesis, &standing, made, fresh, &path);
    Ok(0)
}

/// What the node is now, and what comes next.
fn tell(genesis: &Genesis, standing: &Standing, made: bool, fresh: bool, path: &Path) {
    let facts = [
        ("file", path.display().to_string()),
        ("nodes", genesis.policy.validators.len().to_string()),
        ("quorum", genesis.policy.quorum().to_string()),
    ];
    let next = match standing {
        Standing::Founder(_) => {
            say(t("node.made-founder", &facts));
            if !fresh {
                say(t("node.made-asks", &facts));
            }
            "node.made-founder-next"
        }
        Standing::Moves => {
            say(t("node.made-moves", &facts));
            "node.made-moves-next"
        }
        Standing::Later | Standing::Unknown => {
            let unknown = matches!(standing, Standing::Unknown);
            let key = match unknown {
                true => "node.made-unknown",
                false => "node.made-later",
            };
            say(t(key, &facts));
            if made {
                say(t("node.made-new-keys", &facts));
            }
            "node.made-later-next"
        }
    };
    say(t(next, &facts));
}

fn tls_files(flags: &Init) -> Result<Option<TlsFiles>, Failure> {
    let files = absolute("tls-certificate", flags.tls_certificate.as_ref())?
        .zip(absolute("tls-key", flags.tls_key.as_ref())?)
        .map(|(certificate, key)| TlsFiles { certificate, key });
    if let Some(files) = &files {
        door::read_tls(files)?;
    }
    Ok(files)
}

/// The keys that the flags name, else those that lie in the node's folder already.
fn given_keys(flags: &Init) -> Result<Option<Keys>, Failure> {
    let beside = |card: &PathBuf| match card.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let there = |folder: PathBuf| folder.join("consensus.key").exists().then_some(folder);
    let folder = flags
        .keys
        .clone()
        .or_else(|| flags.card.as_ref().map(beside))
        .or_else(|| there(flags.dir.join(KEYS)))
        // `keys new --node --out DIR` and then `node init --dir DIR`.
        .or_else(|| there(flags.dir.clone()));
    let Some(folder) = folder else {
        return Ok(None);
    };
    if !folder.join("consensus.key").exists() {
        let facts = [("folder", folder.display().to_string())];
        return Err(Failure::unusable(t("node.no-keys", &facts)).next(t("node.no-keys-next", &[])));
    }
    let secrets = NodeSecrets::read(&folder)?;
    let card = match &flags.card {
        Some(path) => Some(path.clone()),
        None => card_in(&folder)?,
    };
    let card = match card {
        Some(path) => {
            let card = NodeCard::read(&path)?;
            if public(&secrets) != publics(&card.keys) {
                let facts = [
                    ("card", path.display().to_string()),
                    ("folder", folder.display().to_string()),
                ];
                return Err(Failure::refused(t("node.card-of-other-keys", &facts))
                    .next(t("node.card-of-other-keys-next", &[])));
            }
            Some((path, card))
        }
        None => None,
    };
    Ok(Some(Keys {
        folder,
        secrets,
        card,
    }))
}

fn public(secrets: &NodeSecrets) -> [PublicKey; 4] {
    [
        secrets.consensus.public(),
        secrets.cosigner.public(),
        secrets.log.public(),
        secrets.transport.public(),
    ]
}

fn publics(keys: &NodeKeys) -> [PublicKey; 4] {
    [
        keys.consensus.0,
        keys.cosigner.0,
        keys.log.0,
        keys.transport.0,
    ]
}

/// Whose node it is: as the flag says, as the card says, as the genesis says of the keys.
fn organisation(flags: &Init, keys: Option<&Keys>, genesis: &Genesis) -> Result<u32, Failure> {
    let by_card = keys.and_then(|keys| keys.card.as_ref());
    let by_genesis = keys.and_then(|keys| {
        let own = public(&keys.secrets);
        genesis.items.iter().find_map(|item| match item {
            GenesisItem::Validator { organisation, keys } if publics(keys) == own => {
                Some(organisation.0)
            }
            _ => None,
        })
    });
    match (flags.organisation, by_card) {
        (Some(given), Some((path, card))) if given != card.organisation => {
            let facts = [
                ("given", given.to_string()),
                ("card", path.display().to_string()),
                ("organisation", card.organisation.to_string()),
            ];
            Err(Failure::refused(t("node.card-of-other", &facts))
                .next(t("node.card-of-other-next", &facts)))
        }
        (Some(given), _) => Ok(given),
        (None, Some((_, card))) => Ok(card.organisation),
        (None, None) => by_genesis
            .ok_or_else(|| Failure::unusable(t("node.whose", &[])).next(t("node.whose-next", &[]))),
    }
}

/// What the genesis says of an organisation; only members run nodes (M40).
fn standing(genesis: &Genesis, number: u32) -> Result<Standing, Failure> {
    let refused = |key: &str| {
        let facts = [("number", number.to_string())];
        Failure::refused(t(key, &facts)).next(t("node.no-member-next", &[]))
    };
    if number == 0 {
        return Err(refused("node.zero"));
    }
    let mut member = false;
    for item in &genesis.items {
        match item {
            GenesisItem::Validator { organisation, keys } if organisation.0 == number => {
                return Ok(Standing::Founder(Box::new(keys.clone())));
            }
            GenesisItem::Office { entry, .. } if entry.number.0 == number => {
                return Err(refused("node.office"));
            }
            GenesisItem::Observer(entry) if entry.number.0 == number => {
                return Err(refused("node.observer"));
            }
            GenesisItem::Organisation(entry) => member |= entry.number.0 == number,
            _ => {}
        }
    }
    Ok(if member {
        Standing::Later
    } else {
        Standing::Unknown
    })
}

/// Refuses keys with which the node would wait for ever: others than the ledger's, and a founding's
/// that the genesis does not hold.
fn compare(
    genesis: &Genesis,
    number: u32,
    standing: &Standing,
    keys: Option<&Keys>,
) -> Result<(), Failure> {
    let number_fact = ("number", number.to_string());
    let Some(keys) = keys else {
        return match standing {
            Standing::Founder(_) => Err(Failure::refused(t("node.keys-wanted", &[number_fact]))
                .next(t("node.keys-wanted-next", &[]))),
            _ => Ok(()),
        };
    };
    let facts = [number_fact, ("folder", keys.folder.display().to_string())];
    if let Standing::Founder(known) = standing {
        if publics(known) == public(&keys.secrets) {
            return Ok(());
        }
        return Err(
            Failure::refused(t("node.other-keys", &facts)).next(t("node.other-keys-next", &facts))
        );
    }
    let chain: Option<Option<Hash>> = keys.card.as_ref().map(|(_, card)| card.chain);
    match chain {
        Some(None) => Err(Failure::refused(t("node.founding-keys", &facts)).next(t(
            "node.founding-keys-next",
            &[("genesis", genesis.hash().to_hex())],
        ))),
        Some(Some(chain)) if chain != genesis.hash() => {
            let facts = [
                ("chain", chain.to_hex()),
                ("genesis", genesis.hash().to_hex()),
            ];
            Err(Failure::refused(t("node.keys-of-other-chain", &facts))
                .next(t("node.card-chain-next", &facts)))
        }
        _ => Ok(()),
    }
}

/// The folder of keys as the configuration names it: inside the node's folder by its name there.
fn kept_in(dir: &Path, keys: &Path) -> std::io::Result<PathBuf> {
    let (dir, keys) = (std::path::absolute(dir)?, std::path::absolute(keys)?);
    Ok(match keys.strip_prefix(&dir) {
        Ok(inside) if inside.as_os_str().is_empty() => PathBuf::from("."),
        Ok(inside) => inside.to_path_buf(),
        Err(_) => keys,
    })
}

/// Where to listen, from the address that other nodes dial: this machine alone if it is a loopback
/// address, else the port on every address, because a public one is often another machine's.
fn listen_at(address: &str) -> Option<SocketAddr> {
    let (host, port) = address.rsplit_once(':')?;
    Some(at(host, port.parse().ok()?))
}

/// Where to serve HTTP, from the URL that others ask. Behind a proxy nothing can be known: none.
fn api_at(url: &str, tls: bool) -> Option<SocketAddr> {
    let (scheme, rest) = url.split_once("://")?;
    let place = rest.split('/').next()?;
    let usual = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (place, usual),
    };
    let at = at(host, port);
    (at.ip().is_loopback() || (tls && scheme == "https")).then_some(at)
}

fn at(host: &str, port: u16) -> SocketAddr {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip = match host {
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        host => host.parse::<IpAddr>().ok().filter(IpAddr::is_loopback),
    };
    SocketAddr::new(ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_says_where_to_listen() {
        let text = |at: Option<SocketAddr>| at.map(|at| at.to_string());
        let listen = |address| text(listen_at(address));
        assert_eq!(
            listen("127.0.0.1:21001").as_deref(),
            Some("127.0.0.1:21001")
        );
        assert_eq!(listen("[::1]:7").as_deref(), Some("[::1]:7"));
        assert_eq!(
            listen("node.example.org:7400").as_deref(),
            Some("0.0.0.0:7400")
        );
        assert_eq!(listen("203.0.113.5:7400").as_deref(), Some("0.0.0.0:7400"));
        assert_eq!(listen("nonsense"), None);
        let api = |url, tls| text(api_at(url, tls));
        assert_eq!(
            api("http://127.0.0.1:7001/", false).as_deref(),
            Some("127.0.0.1:7001")
        );
        assert_eq!(
            api("https://node.example.org/", true).as_deref(),
            Some("0.0.0.0:443")
        );
        assert_eq!(
            api("https://node.example.org:7500/", true).as_deref(),
            Some("0.0.0.0:7500")
        );
        assert_eq!(
            api("https://node.example.org/", false),
            None,
            "behind a proxy"
        );
        assert_eq!(api("http://[::1]:80/x", false).as_deref(), Some("[::1]:80"));
    }

    #[test]
    fn keys_inside_the_folder_keep_their_name_there() {
        let kept = |dir: &str, keys: &str| kept_in(Path::new(dir), Path::new(keys)).unwrap();
        assert_eq!(kept("/srv/n", "/srv/n/keys"), Path::new("keys"));
        assert_eq!(kept("/srv/n", "/srv/n"), Path::new("."));
        assert_eq!(kept("/srv/n", "/safe/keys"), Path::new("/safe/keys"));
    }
}
