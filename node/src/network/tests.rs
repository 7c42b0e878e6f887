//! Real sockets on 127.0.0.1. Deadlines here only end a hanging test; nothing is asserted about
//! speed.

use std::future::Future;
use std::time::Duration;

use rollbook_proof::crypto::{Hash, Keypair};

use super::*;

mod honest;
mod hostile;

/// Ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct TestNode {
    pub(super) handle: NetworkHandle,
    pub(super) events: NetworkEvents,
    pub(super) address: SocketAddr,
}

pub(super) fn key(seed: u8) -> PeerKey {
    Keypair::from_seed(&[seed; 32]).public().into()
}

pub(super) fn config(seed: u8) -> NetworkConfig {
    NetworkConfig {
        transport_seed: [seed; 32],
        chain: Hash([9; 32]),
        listen: vec![([127, 0, 0, 1], 0).into()],
        allowed: Vec::new(),
        agent: "rollbook/test".into(),
        limits: Limits::default(),
    }
}

pub(super) async fn launch(config: NetworkConfig) -> TestNode {
    let (handle, events) = start(config).await.unwrap();
    let address = handle.listen_addresses()[0];
    TestNode {
        handle,
        events,
        address,
    }
}

impl TestNode {
    pub(super) fn key(&self) -> PeerKey {
        self.handle.own_key()
    }

    pub(super) fn allowed(&self, role: Role) -> AllowedPeer {
        AllowedPeer {
            key: self.key(),
            addresses: vec![NodeAddress::Ip(self.address)],
            role,
        }
    }

    /// The same peer, but never dialled.
    pub(super) fn silent(&self, role: Role) -> AllowedPeer {
        AllowedPeer {
            addresses: Vec::new(),
            ..self.allowed(role)
        }
    }

    /// The next event that `wanted` picks; others are dropped.
    pub(super) async fn event<T>(&mut self, wanted: impl Fn(NetworkEvent) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.events.next().await.expect("the network stopped");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, search).await {
            Ok(found) => found,
            Err(_) => panic!(
                "no such event: {:?}, {:?}",
                self.handle.counters(),
                self.handle.peers().await
            ),
        }
    }

    pub(super) async fn connected(&mut self, peer: PeerKey) {
        let handle = self.handle.clone();
        until("a connection", || async {
            handle
                .peers()
                .await
                .iter()
                .any(|p| p.key == peer && p.connected)
        })
        .await;
    }

    pub(super) async fn disconnected(&mut self, peer: PeerKey) {
        self.event(|e| {
            matches!(e, NetworkEvent::PeerDisconnected { peer: p } if p == peer).then_some(())
        })
        .await;
    }

    /// Answers every request with `answer` of its data, and accepts all gossip, until the network
    /// stops.
    pub(super) fn serve(
        mut self,
        answer: impl Fn(Vec<u8>) -> Answer + Send + 'static,
    ) -> NetworkHandle {
        let handle = self.handle.clone();
        let reports = self.handle;
        tokio::spawn(async move {
            while let Some(event) = self.events.next().await {
                match event {
                    NetworkEvent::Request {
                        data, responder, ..
                    } => {
                        responder.send(answer(data));
                    }
                    NetworkEvent::Gossip { ticket, .. } => reports.report(ticket, Verdict::Accept),
                    _ => {}
                }
            }
        });
        handle
    }
}

pub(super) async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| panic!("waited too long for {what}"))
}

pub(super) async fn until<F: Future<Output = bool>>(what: &str, check: impl Fn() -> F) {
    patiently(what, async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Nodes that all know each other, connected in full.
pub(super) async fn mesh(count: u8, role: Role) -> Vec<TestNode> {
    let mut nodes = Vec::new();
    for seed in 1..=count {
        nodes.push(launch(config(seed)).await);
    }
    // Everyone lets everyone in before anyone dials.
    let silent: Vec<AllowedPeer> = nodes.iter().map(|n| n.silent(role)).collect();
    for node in &nodes {
        node.handle.set_allowed(silent.clone()).await.unwrap();
    }
    let all: Vec<AllowedPeer> = nodes.iter().map(|n| n.allowed(role)).collect();
    for node in &nodes {
        node.handle.set_allowed(all.clone()).await.unwrap();
    }
    let keys: Vec<PeerKey> = nodes.iter().map(TestNode::key).collect();
    for node in &mut nodes {
        for key in &keys {
            if *key != node.key() {
                node.connected(*key).await;
            }
        }
    }
    nodes
}

/// Repeats fresh messages from `from` until `to` has one: subscriptions travel after the connection
/// is up.
pub(super) async fn subscribed(from: &NetworkHandle, to: &mut TestNode) {
    let sender = from.clone();
    let source = sender.own_key();
    let publishing = async {
        for n in 0u32.. {
            let mut probe = source.0.to_vec();
            probe.extend_from_slice(&n.to_le_bytes());
            sender.publish(Topic::Records, probe).unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let receiving = to.event(|e| match e {
        NetworkEvent::Gossip { from, data, .. }
            if from == source && data.starts_with(&source.0) =>
        {
            Some(())
        }
        _ => None,
    });
    tokio::select! {
        () = publishing => {}
        () = receiving => {}
    }
}
