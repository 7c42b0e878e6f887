//! Names and addresses of nodes: Ed25519 transport keys, their peer id text, and `bootstrap` lines
//! of a config.
//!
//! A peer is its key. An address is only where to look for it: a node that answers with another key
//! is not that peer.

use std::net::SocketAddr;

use libp2p::multiaddr::Protocol as Part;
use libp2p::{Multiaddr, PeerId, identity};

use super::limits::MAX_ADDRESSES_PER_PEER;

/// A peer's Ed25519 transport public key (RULINGS A21, kind `Transport`): its only name outside
/// this module.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub [u8; 32]);

impl std::fmt::Display for PeerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match peer_id_text(&self.0) {
            Ok(text) => f.write_str(&text),
            Err(_) => f.write_str(&hex::encode(self.0)),
        }
    }
}

impl std::fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PeerKey({})", hex::encode(&self.0[..4]))
    }
}

impl From<rollbook_proof::crypto::PublicKey> for PeerKey {
    fn from(key: rollbook_proof::crypto::PublicKey) -> PeerKey {
        PeerKey(*key.bytes())
    }
}

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeAddress {
    /// An IP address and TCP port.
    Ip(SocketAddr),
    /// A host name and TCP port; looked up anew before each dial.
    Name(String, u16),
}

/// A peer that may connect, as the ledger or the config names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedPeer {
    /// Its transport key.
    pub key: PeerKey,
    /// Where to dial it; empty if it only dials us. At most [`MAX_ADDRESSES_PER_PEER`].
    pub addresses: Vec<NodeAddress>,
    /// What it is to us.
    pub role: Role,
}

/// What a peer is to us. The order is the order of trust: when a key is listed twice, the greater
/// role stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Named in the config, for catch-up only (RULINGS A24): its gossip is dropped.
    Bootstrap,
    /// A registered member key without a seat.
    Member,
    /// Holds a validator seat.
    Validator,
}

/// Why a peer id, an address or a list of peers was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// 32 bytes that are no key.
    #[error(
        "the transport key {0} is not an Ed25519 key; copy it again from the member's node \
         registration"
    )]
    NotAKey(String),
    /// Text that is no peer id.
    #[error(
        "`{0}` is not a peer id: it should start with 12D3KooW and have 52 characters, as \
         `rollbook node init` prints it"
    )]
    NotAPeerId(String),
    /// A peer id of another kind of key.
    #[error(
        "the peer id `{0}` does not hold an Ed25519 key; only Ed25519 transport keys are accepted"
    )]
    NotEd25519(String),
    /// Text that is no address.
    #[error(
        "`{0}` is not an address: write /ip4/ADDRESS/tcp/PORT, /ip6/ADDRESS/tcp/PORT or \
         /dns4/NAME/tcp/PORT"
    )]
    NotAnAddress(String),
    /// An address that nobody can be dialled at.
    #[error(
        "`{0}` cannot be dialled: give the node's own address and its port, not a wildcard and \
         not port 0"
    )]
    NotDialable(String),
    /// A bootstrap line without a peer id.
    #[error(
        "`{0}` lacks the peer id: add /p2p/PEER-ID, because an address alone does not say whom to \
         trust"
    )]
    NoPeerId(String),
    /// More peers than [`super::limits::MAX_ALLOWED_PEERS`].
    #[error("{0} allowed peers are more than this version keeps; shorten the list")]
    TooManyPeers(usize),
    /// More addresses than [`MAX_ADDRESSES_PER_PEER`].
    #[error(
        "{0} addresses for one peer are more than {MAX_ADDRESSES_PER_PEER}; keep the ones that work"
    )]
    TooManyAddresses(usize),
}

/// The text form of a transport key in configs and messages (`12D3KooW...`).
///
/// Fails if the bytes are no Ed25519 key.
pub fn peer_id_text(key: &[u8; 32]) -> Result<String, AddressError> {
    Ok(peer_id(&PeerKey(*key))?.to_base58())
}

/// The transport key in a peer id text. The inverse of [`peer_id_text`].
pub fn parse_peer_id(text: &str) -> Result<PeerKey, AddressError> {
    let id: PeerId = text
        .trim()
        .parse()
        .map_err(|_| AddressError::NotAPeerId(shown(text)))?;
    peer_key(&id).ok_or_else(|| AddressError::NotEd25519(shown(text)))
}

/// An address without a peer id: `/ip4/.../tcp/...`, `/ip6/.../tcp/...`, `/dns4/.../tcp/...` (also
/// `/dns`, `/dns6`).
pub fn parse_address(text: &str) -> Result<NodeAddress, AddressError> {
    let (address, id) = split(text)?;
    match id {
        None => Ok(address),
        Some(_) => Err(AddressError::NotAnAddress(shown(text))),
    }
}

/// A `bootstrap` line of a config: an address followed by `/p2p/PEER-ID`.
pub fn parse_bootstrap(text: &str) -> Result<AllowedPeer, AddressError> {
    let (address, id) = split(text)?;
    let id = id.ok_or_else(|| AddressError::NoPeerId(shown(text)))?;
    let key = peer_key(&id).ok_or_else(|| AddressError::NotEd25519(id.to_base58()))?;
    Ok(AllowedPeer {
        key,
        addresses: vec![address],
        role: Role::Bootstrap,
    })
}

/// The text form of an address, as [`parse_address`] reads it.
impl std::fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NodeAddress::Ip(at @ SocketAddr::V4(_)) => {
                write!(f, "/ip4/{}/tcp/{}", at.ip(), at.port())
            }
            NodeAddress::Ip(at @ SocketAddr::V6(_)) => {
                write!(f, "/ip6/{}/tcp/{}", at.ip(), at.port())
            }
            NodeAddress::Name(name, port) => write!(f, "/dns/{name}/tcp/{port}"),
        }
    }
}

fn split(text: &str) -> Result<(NodeAddress, Option<PeerId>), AddressError> {
    let wrong = || AddressError::NotAnAddress(shown(text));
    let parsed: Multiaddr = text
        .trim()
        .parse()
        .map_err(|_| match text.rsplit_once("/p2p/") {
            // The commonest slip is a mistyped peer id behind a good address: say that.
            Some((before, id)) if before.parse::<Multiaddr>().is_ok() => {
                AddressError::NotAPeerId(shown(id))
            }
            _ => wrong(),
        })?;
    let mut parts = parsed.iter();
    let host = parts.next().ok_or_else(wrong)?;
    let Some(Part::Tcp(port)) = parts.next() else {
        return Err(wrong());
    };
    let id = match parts.next() {
        None => None,
        Some(Part::P2p(id)) => Some(id),
        Some(_) => return Err(wrong()),
    };
    if parts.next().is_some() {
        return Err(wrong());
    }
    let address = match host {
        Part::Ip4(ip) => NodeAddress::Ip((ip, port).into()),
        Part::Ip6(ip) => NodeAddress::Ip((ip, port).into()),
        Part::Dns(name) | Part::Dns4(name) | Part::Dns6(name) => {
            NodeAddress::Name(name.into_owned(), port)
        }
        _ => return Err(wrong()),
    };
    let dialable =
        port != 0 && !matches!(&address, NodeAddress::Ip(at) if at.ip().is_unspecified());
    if !dialable {
        return Err(AddressError::NotDialable(shown(text)));
    }
    Ok((address, id))
}

/// At most 120 characters of foreign text in a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

pub(super) fn peer_id(key: &PeerKey) -> Result<PeerId, AddressError> {
    let public = identity::ed25519::PublicKey::try_from_bytes(&key.0)
        .map_err(|_| AddressError::NotAKey(hex::encode(key.0)))?;
    Ok(identity::PublicKey::from(public).to_peer_id())
}

/// An Ed25519 peer id carries its key in full (identity multihash), so the key needs no look-up.
pub(super) fn peer_key(id: &PeerId) -> Option<PeerKey> {
    let hash = id.as_ref();
    if hash.code() != 0 {
        return None;
    }
    let public = identity::PublicKey::try_decode_protobuf(hash.digest()).ok()?;
    Some(PeerKey(public.try_into_ed25519().ok()?.to_bytes()))
}

pub(super) fn multiaddr(at: SocketAddr) -> Multiaddr {
    Multiaddr::empty()
        .with(at.ip().into())
        .with(Part::Tcp(at.port()))
}

/// The TCP address in a multiaddr, if it begins with one.
pub(super) fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Part::Ip4(ip) => ip.into(),
        Part::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Part::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> [u8; 32] {
        *rollbook_proof::crypto::Keypair::from_seed(&[7; 32])
            .public()
            .bytes()
    }

    #[test]
    fn peer_id_and_back() {
        let text = peer_id_text(&key()).unwrap();
        assert!(text.starts_with("12D3KooW") && text.len() == 52, "{text}");
        assert_eq!(parse_peer_id(&text).unwrap(), PeerKey(key()));
        // No point of the curve has the y coordinate 2.
        let mut no_key = [0; 32];
        no_key[0] = 2;
        assert!(matches!(
            peer_id_text(&no_key),
            Err(AddressError::NotAKey(_))
        ));
    }

    #[test]
    fn bootstrap_lines() {
        let id = peer_id_text(&key()).unwrap();
        let peer = parse_bootstrap(&format!("/ip4/10.1.2.3/tcp/7400/p2p/{id}")).unwrap();
        assert_eq!(peer.key, PeerKey(key()));
        assert_eq!(peer.role, Role::Bootstrap);
        assert_eq!(
            peer.addresses,
            vec![NodeAddress::Ip("10.1.2.3:7400".parse().unwrap())]
        );
        let named = parse_bootstrap(&format!("/dns4/node1.example.org/tcp/7400/p2p/{id}")).unwrap();
        assert_eq!(
            named.addresses,
            vec![NodeAddress::Name("node1.example.org".into(), 7400)]
        );
        assert_eq!(
            parse_address("/ip6/::1/tcp/9").unwrap().to_string(),
            "/ip6/::1/tcp/9"
        );
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let id = peer_id_text(&key()).unwrap();
        for (text, expected) in [
            ("10.0.0.1:7400", "is not an address"),
            (
                &format!("/ip4/10.0.0.1/udp/7400/p2p/{id}"),
                "is not an address",
            ),
            ("/ip4/10.0.0.1/tcp/7400", "lacks the peer id"),
            (
                "/ip4/10.0.0.1/tcp/7400/p2p/12D3KooWnonsense",
                "is not a peer id",
            ),
            (
                "/ip4/10.0.0.1/tcp/7400/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
                "does not hold an Ed25519 key",
            ),
            (
                &format!("/ip4/0.0.0.0/tcp/7400/p2p/{id}"),
                "cannot be dialled",
            ),
            (
                &format!("/ip4/10.0.0.1/tcp/0/p2p/{id}"),
                "cannot be dialled",
            ),
            (
                &format!("/ip4/10.0.0.1/tcp/7400/ws/p2p/{id}"),
                "is not an address",
            ),
            ("", "is not an address"),
        ] {
            let error = parse_bootstrap(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(
            parse_peer_id("hello")
                .unwrap_err()
                .to_string()
                .contains("12D3KooW")
        );
        assert!(parse_address(&format!("/ip4/10.0.0.1/tcp/7400/p2p/{id}")).is_err());
    }
}
