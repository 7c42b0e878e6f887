//! Outsiders, flooders, liars, and a shell that sleeps.

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::ProtocolSupport;
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, Swarm, SwarmBuilder, identity, noise, request_response, tcp, yamux};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outsider_is_refused_at_set_up() {
    let mut guarded = config(1);
    // Less room for handshakes than attempts: a refused one must give its place back.
    guarded.limits.pending_inbound = 4;
    let mut node = launch(guarded).await;
    let mut outsiders = Vec::new();
    for seed in 30..50 {
        let mut intruder = config(seed);
        intruder.allowed = vec![node.allowed(Role::Validator)];
        outsiders.push(launch(intruder).await);
    }
    let handle = node.handle.clone();
    until("refusals", || async {
        handle.counters().refused_strangers >= 20
    })
    .await;
    for outsider in &outsiders {
        assert!(
            outsider
                .handle
                .publish(Topic::Records, vec![1, 2, 3])
                .is_ok()
        );
        assert!(
            outsider
                .handle
                .request(node.key(), Protocol::Ask, vec![1], Duration::from_secs(1))
                .await
                .is_err()
        );
    }
    let mut member = launch(config(2)).await;
    node.handle
        .set_allowed(vec![member.silent(Role::Member)])
        .await
        .unwrap();
    member
        .handle
        .set_allowed(vec![node.allowed(Role::Member)])
        .await
        .unwrap();
    member.connected(node.key()).await;
    let connected = node.events.next().await.unwrap();
    assert!(
        matches!(connected, NetworkEvent::PeerConnected { peer, .. } if peer == member.key()),
        "{connected:?}"
    );
    assert!(node.events.try_next().is_none());
    let counters = node.handle.counters();
    assert_eq!(
        (
            counters.requests_received,
            counters.gossip_received,
            counters.connections_opened
        ),
        (0, 0, 1),
        "{counters:?}"
    );
    assert_eq!(node.handle.peers().await.len(), 1);
}

/// Strangers that connect and say nothing, or nonsense, cannot keep the places for handshakes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_and_garbled_handshakes_give_their_places_back() {
    use tokio::io::AsyncWriteExt as _;
    let mut guarded = config(1);
    guarded.limits.pending_inbound = 4;
    guarded.limits.handshake_timeout = Duration::from_millis(500);
    let node = launch(guarded).await;
    let mut open = Vec::new();
    for n in 0..20u8 {
        let mut stranger = tokio::net::TcpStream::connect(node.address).await.unwrap();
        if n % 2 == 0 {
            let _ = stranger.write_all(&vec![n; 5_000]).await;
        }
        open.push(stranger);
    }
    let handle = node.handle.clone();
    until("all to be refused", || async {
        let counters = handle.counters();
        counters.refused_handshakes > 0
            && counters.refused_handshakes + counters.failed_handshakes == 20
    })
    .await;
    let mut member = launch(config(2)).await;
    node.handle
        .set_allowed(vec![member.silent(Role::Member)])
        .await
        .unwrap();
    member
        .handle
        .set_allowed(vec![node.allowed(Role::Bootstrap)])
        .await
        .unwrap();
    member.connected(node.key()).await;
}

fn strict() -> Limits {
    let mut limits = Limits::default();
    limits.other.requests = Rate::new(20, 20);
    limits.other.gossip_messages = Rate::new(20, 50);
    limits.other.strikes = Rate::new(1, 30);
    limits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_flooder_is_limited_then_cut_off_while_others_are_served() {
    let mut victim = config(1);
    victim.limits = strict();
    let victim = launch(victim).await;
    let (mut flooder, mut good) = (launch(config(2)).await, launch(config(3)).await);
    let allowed = vec![flooder.silent(Role::Member), good.silent(Role::Validator)];
    victim.handle.set_allowed(allowed).await.unwrap();
    for node in [&mut flooder, &mut good] {
        node.handle
            .set_allowed(vec![victim.allowed(Role::Validator)])
            .await
            .unwrap();
        node.connected(victim.key()).await;
    }
    let peer = victim.key();
    let victim = victim.serve(Answer::Data);
    let flood = {
        let handle = flooder.handle.clone();
        tokio::spawn(async move {
            let (mut served, mut limited) = (0u32, 0u32);
            loop {
                let wave =
                    (0..8u8).map(|n| handle.request(peer, Protocol::Ask, vec![n; 1_000], PATIENCE));
                for answer in futures::future::join_all(wave).await {
                    match answer {
                        Ok(_) => served += 1,
                        Err(RequestError::Limited) => limited += 1,
                        Err(RequestError::NotConnected(_)) => return (served, limited),
                        Err(_) => {}
                    }
                }
            }
        })
    };
    for n in 0..100u8 {
        assert_eq!(
            good.handle
                .request(peer, Protocol::Ask, vec![n], PATIENCE)
                .await,
            Ok(vec![n]),
            "request {n}"
        );
    }
    let (served, limited) = patiently("the cut-off", flood).await.unwrap();
    assert!(
        served >= 20 && limited > 0,
        "served {served}, limited {limited}"
    );
    let counters = victim.counters();
    assert_eq!(counters.peers_cut_off, 1);
    assert!(counters.requests_limited > 30);
    let peers = victim.peers().await;
    assert!(
        peers
            .iter()
            .any(|p| p.key == flooder.key() && p.cooling && !p.connected)
    );
    assert!(
        peers
            .iter()
            .any(|p| p.key == good.key() && !p.cooling && p.connected)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gossip_flooder_is_dropped_before_the_shell_and_stays() {
    let mut victim = config(1);
    victim.limits = strict();
    let mut victim = launch(victim).await;
    let flooder = launch(config(2)).await;
    victim
        .handle
        .set_allowed(vec![flooder.allowed(Role::Member)])
        .await
        .unwrap();
    flooder
        .handle
        .set_allowed(vec![victim.allowed(Role::Member)])
        .await
        .unwrap();
    victim.connected(flooder.key()).await;
    subscribed(&flooder.handle, &mut victim).await;
    let sender = flooder.handle.clone();
    let flood = tokio::spawn(async move {
        for n in 0u64..400 {
            let _ = sender.publish(Topic::Consensus, n.to_le_bytes().to_vec());
            if n % 20 == 19 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    flood.await.unwrap();
    // Whoever relays what others say is not cut off for how much they say: what is too much is lost.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let counters = victim.handle.counters();
    assert!(
        counters.gossip_dropped_limited > 0 && counters.peers_cut_off == 0,
        "{counters:?}"
    );
    assert!(counters.gossip_received < 300, "{counters:?}");
    let peers = victim.handle.peers().await;
    assert!(peers.iter().all(|peer| peer.connected), "{peers:?}");
}

/// Writes whatever bytes it is told, at once, and then more; reads nothing.
#[derive(Clone)]
struct Liar {
    request: Vec<u8>,
    response: Vec<u8>,
}

impl request_response::Codec for Liar {
    type Protocol = &'static str;
    type Request = ();
    type Response = ();

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &&'static str,
        _: &mut T,
    ) -> std::io::Result<()> {
        Ok(())
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &&'static str,
        io: &mut T,
    ) -> std::io::Result<()> {
        let mut sink = Vec::new();
        io.read_to_end(&mut sink).await.map(|_| ())
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &&'static str,
        io: &mut T,
        _: (),
    ) -> std::io::Result<()> {
        io.write_all(&self.request).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &&'static str,
        io: &mut T,
        _: (),
    ) -> std::io::Result<()> {
        io.write_all(&self.response).await
    }
}

fn liar(seed: u8, protocol: Protocol, liar: Liar) -> Swarm<request_response::Behaviour<Liar>> {
    SwarmBuilder::with_existing_identity(identity::Keypair::ed25519_from_bytes([seed; 32]).unwrap())
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .unwrap()
        .with_behaviour(|_| {
            let protocols = [(protocol.name(), ProtocolSupport::Full)];
            // It does not wait for the room that nobody makes for its surplus.
            let settings = request_response::Config::default()
                .with_request_timeout(Duration::from_millis(200));
            request_response::Behaviour::with_codec(liar, protocols, settings)
        })
        .unwrap()
        .with_swarm_config(|c| c.with_idle_connection_timeout(PATIENCE))
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oversized_requests_and_responses_are_refused_and_punished() {
    // Claims of 4 GiB with two MiB behind them, a claim one byte above the cap, an answer with a
    // status nobody knows.
    let mut huge = vec![0xff; 4];
    huge.extend_from_slice(&vec![7; 2 * 1024 * 1024]);
    let mut answer = vec![0];
    answer.extend_from_slice(&huge);
    let one_above = (Protocol::Body.max_request() as u32 + 1)
        .to_le_bytes()
        .to_vec();
    for (seed, request, response) in [(60, huge, answer), (61, one_above, vec![9, 0, 0, 0, 0])] {
        let mut node = launch(config(1)).await;
        let mut evil = liar(seed, Protocol::Body, Liar { request, response });
        let peer = key(seed);
        node.handle
            .set_allowed(vec![AllowedPeer {
                key: peer,
                addresses: vec![],
                role: Role::Member,
            }])
            .await
            .unwrap();
        evil.dial(super::super::address::multiaddr(node.address))
            .unwrap();
        let node_id: PeerId = super::super::address::peer_id(&node.key()).unwrap();
        let driver = tokio::spawn(async move {
            loop {
                match evil.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => {
                        evil.behaviour_mut().send_request(&node_id, ());
                    }
                    SwarmEvent::Behaviour(request_response::Event::Message {
                        message: request_response::Message::Request { channel, .. },
                        ..
                    }) => {
                        let _ = evil.behaviour_mut().send_response(channel, ());
                    }
                    // Keeps at it, whether it saw the stream end or break.
                    SwarmEvent::Behaviour(
                        request_response::Event::OutboundFailure { .. }
                        | request_response::Event::Message {
                            message: request_response::Message::Response { .. },
                            ..
                        },
                    ) => {
                        evil.behaviour_mut().send_request(&node_id, ());
                    }
                    SwarmEvent::ConnectionClosed { .. } => return,
                    _ => {}
                }
            }
        });
        node.event(|e| matches!(e, NetworkEvent::PeerConnected { .. }).then_some(()))
            .await;
        let lost = node
            .handle
            .request(peer, Protocol::Body, vec![1], PATIENCE)
            .await;
        assert!(
            matches!(
                lost,
                Err(RequestError::Lost(_) | RequestError::NotConnected(_))
            ),
            "{lost:?}"
        );
        patiently("the cut-off", driver).await.unwrap();
        let counters = node.handle.counters();
        assert!(
            counters.requests_failed > 0
                && counters.requests_received == 0
                && counters.peers_cut_off == 1,
            "{counters:?}"
        );
        while let Some(event) = node.events.try_next() {
            assert!(!matches!(event, NetworkEvent::Request { .. }), "{event:?}");
        }
    }
}

/// While the shell sleeps: gossip is dropped and counted, requests are told busy, and news of peers
/// is not lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sleeping_shell_costs_gossip_but_no_memory() {
    let mut sleepy = config(1);
    sleepy.limits.event_queue = 128;
    sleepy.limits.event_bytes = 10_000;
    let mut sleepy = launch(sleepy).await;
    let mut other = launch(config(2)).await;
    sleepy
        .handle
        .set_allowed(vec![other.silent(Role::Member)])
        .await
        .unwrap();
    other
        .handle
        .set_allowed(vec![sleepy.allowed(Role::Member)])
        .await
        .unwrap();
    other.connected(sleepy.key()).await;
    subscribed(&other.handle, &mut sleepy).await;

    // Four messages of 2,000 bytes fit into the budget, a fifth request of 3,000 does not.
    let handle = sleepy.handle.clone();
    let n = std::cell::Cell::new(0u64);
    until("dropped gossip", || {
        n.set(n.get() + 1);
        let mut data = vec![1; 2_000];
        data[..8].copy_from_slice(&n.get().to_le_bytes());
        other.handle.publish(Topic::Records, data).unwrap();
        async { handle.counters().gossip_dropped_lagging >= 3 }
    })
    .await;
    let answer = other
        .handle
        .request(sleepy.key(), Protocol::Ask, vec![0; 3_000], PATIENCE)
        .await;
    assert_eq!(answer, Err(RequestError::Busy));
    assert!(sleepy.handle.counters().requests_busy == 1);

    // The peer goes, comes and goes while nobody looks.
    for _ in 0..3 {
        other.handle.set_allowed(Vec::new()).await.unwrap();
        until("a disconnect", || async {
            handle.counters().peers_connected == 0
        })
        .await;
        other
            .handle
            .set_allowed(vec![sleepy.allowed(Role::Member)])
            .await
            .unwrap();
        until("a connect", || async {
            handle.counters().peers_connected == 1
        })
        .await;
    }
    other.handle.stop().await;
    let mut bytes = 0;
    let key = other.key();
    let mut connected = true;
    patiently("the last news", async {
        loop {
            match sleepy.events.next().await.unwrap() {
                NetworkEvent::Gossip { data, .. } => bytes += data.len(),
                NetworkEvent::PeerConnected { peer, .. } if peer == key => connected = true,
                NetworkEvent::PeerDisconnected { peer } if peer == key => {
                    connected = false;
                    if handle.counters().peers_connected == 0 && sleepy.events.events.is_empty() {
                        return;
                    }
                }
                _ => {}
            }
        }
    })
    .await;
    assert!(bytes <= 10_000, "{bytes} bytes were waiting");
    assert!(!connected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_chain_is_reported_and_dropped() {
    let mut foreign = config(2);
    foreign.chain = Hash([8; 32]);
    let (mut node, foreign) = (launch(config(1)).await, launch(foreign).await);
    foreign
        .handle
        .set_allowed(vec![node.silent(Role::Member)])
        .await
        .unwrap();
    node.handle
        .set_allowed(vec![foreign.allowed(Role::Bootstrap)])
        .await
        .unwrap();
    let (peer, theirs) = node
        .event(|e| match e {
            NetworkEvent::WrongChain { peer, theirs } => Some((peer, theirs)),
            _ => None,
        })
        .await;
    assert_eq!(peer, foreign.key());
    assert!(theirs.contains(&Hash([8; 32]).to_hex()), "{theirs}");
    node.disconnected(peer).await;
    let handle = node.handle.clone();
    until("the words", || async {
        let info = handle.peers().await.remove(0);
        info.cooling && info.last_error.is_some_and(|e| e.contains("another chain"))
    })
    .await;
}
