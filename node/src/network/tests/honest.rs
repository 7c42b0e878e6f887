//! Members among themselves: gossip, requests, coming and going.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_gossip_to_all() {
    for role in [Role::Validator, Role::Member] {
        let mut nodes = mesh(4, role).await;
        for from in 0..4 {
            let sender = nodes[from].handle.clone();
            for (to, node) in nodes.iter_mut().enumerate() {
                if to != from {
                    subscribed(&sender, node).await;
                }
            }
        }
        for (topic, length) in [
            (Topic::Records, Topic::Records.max_bytes()),
            (Topic::Consensus, 200),
        ] {
            for from in 0..4usize {
                let mut data = vec![from as u8; length];
                data[1] = role as u8;
                nodes[from].handle.publish(topic, data.clone()).unwrap();
                for (to, node) in nodes.iter_mut().enumerate() {
                    if to != from {
                        let (id, ticket) = node
                            .event(|e| match e {
                                NetworkEvent::Gossip {
                                    topic: t,
                                    data: d,
                                    id,
                                    ticket,
                                    ..
                                } if t == topic && d == data => Some((id, ticket)),
                                _ => None,
                            })
                            .await;
                        let name = format!("rollbook/{}/{}", topic.name(), Hash([9; 32]).to_hex());
                        assert_eq!(
                            id,
                            rollbook_proof::crypto::sha256_parts(&[name.as_bytes(), &data]).0
                        );
                        node.handle.report(ticket, Verdict::Accept);
                    }
                }
            }
        }
        assert!(matches!(
            nodes[0]
                .handle
                .publish(Topic::Consensus, vec![0; Topic::Consensus.max_bytes() + 1]),
            Err(PublishError::TooLarge { .. })
        ));
        for node in &nodes {
            node.handle.stop().await;
        }
    }
}

/// A message reaches a peer that its author is not connected with, but only after the node between
/// them accepted it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gossip_is_relayed_only_when_accepted() {
    for verdict in [Verdict::Accept, Verdict::Reject] {
        let (mut a, mut b, mut c) = (
            launch(config(1)).await,
            launch(config(2)).await,
            launch(config(3)).await,
        );
        a.handle
            .set_allowed(vec![b.allowed(Role::Member)])
            .await
            .unwrap();
        b.handle
            .set_allowed(vec![a.allowed(Role::Member), c.allowed(Role::Member)])
            .await
            .unwrap();
        c.handle
            .set_allowed(vec![b.allowed(Role::Member)])
            .await
            .unwrap();
        a.connected(b.key()).await;
        c.connected(b.key()).await;
        subscribed(&a.handle, &mut b).await;
        subscribed(&b.handle, &mut c).await;
        let message = b"does it pass".to_vec();
        a.handle.publish(Topic::Consensus, message.clone()).unwrap();
        let ticket = b
            .event(|e| match e {
                NetworkEvent::Gossip { data, ticket, .. } if data == message => Some(ticket),
                _ => None,
            })
            .await;
        b.handle.report(ticket, verdict);
        // What B says itself comes after what it would have relayed.
        b.handle
            .publish(Topic::Consensus, b"last".to_vec())
            .unwrap();
        let relayed = std::cell::Cell::new(false);
        let from = c
            .event(|e| match e {
                NetworkEvent::Gossip { from, data, .. } => {
                    relayed.set(relayed.get() || data == message);
                    (data == b"last").then_some(from)
                }
                _ => None,
            })
            .await;
        assert_eq!(from, b.key());
        assert_eq!(relayed.get(), verdict == Verdict::Accept);
        assert_eq!(
            b.handle.counters().gossip_rejected,
            u64::from(verdict == Verdict::Reject)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_a_mebibyte_and_full_sync_answers() {
    let mut nodes = mesh(3, Role::Validator).await;
    let asker = nodes.remove(0);
    let servers: Vec<PeerKey> = nodes.iter().map(TestNode::key).collect();
    for node in nodes {
        node.serve(|data| {
            let length = u32::from_le_bytes(data[..4].try_into().unwrap()) as usize;
            Answer::Data(vec![data[4]; length])
        });
    }
    let ask = |peer: PeerKey, protocol: Protocol, length: usize, fill: u8| {
        let handle = asker.handle.clone();
        async move {
            let mut request = (length as u32).to_le_bytes().to_vec();
            request.push(fill);
            let answer = handle
                .request(peer, protocol, request, PATIENCE)
                .await
                .unwrap();
            assert!(answer.len() == length && answer.iter().all(|b| *b == fill));
        }
    };
    let bodies =
        (0..12u8).map(|n| ask(servers[usize::from(n % 2)], Protocol::Body, 1024 * 1024, n));
    futures::future::join_all(bodies).await;
    ask(servers[0], Protocol::Body, Protocol::Body.max_response(), 1).await;
    ask(servers[1], Protocol::Sync, Protocol::Sync.max_response(), 2).await;
    ask(servers[0], Protocol::Ask, Protocol::Ask.max_response(), 3).await;
    ask(servers[0], Protocol::Ask, 0, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_gets_one_answer() {
    let mut nodes = mesh(2, Role::Member).await;
    let mut server = nodes.pop().unwrap();
    let asker = nodes.pop().unwrap().handle;
    let peer = server.key();
    let ask = |data: &[u8]| {
        let (asker, data) = (asker.clone(), data.to_vec());
        tokio::spawn(async move { asker.request(peer, Protocol::Ask, data, PATIENCE).await })
    };
    async fn next(server: &mut TestNode) -> (PeerKey, Role, Responder) {
        server
            .event(|e| match e {
                NetworkEvent::Request {
                    peer,
                    role,
                    responder,
                    ..
                } => Some((peer, role, responder)),
                _ => None,
            })
            .await
    }
    let refused = ask(b"refuse");
    let (from, role, responder) = next(&mut server).await;
    assert_eq!((from, role), (asker.own_key(), Role::Member));
    assert!(server.handle.respond(responder, Answer::Refused));
    assert_eq!(refused.await.unwrap(), Err(RequestError::Refused));

    let dropped = ask(b"drop");
    drop(next(&mut server).await);
    assert_eq!(dropped.await.unwrap(), Err(RequestError::Busy));

    let too_long = ask(b"too long");
    assert!(
        !next(&mut server)
            .await
            .2
            .send(Answer::Data(vec![0; Protocol::Ask.max_response() + 1]))
    );
    assert_eq!(too_long.await.unwrap(), Err(RequestError::Busy));

    // The asker's own patience ends first; the late answer harms nobody.
    let short = asker
        .request(
            peer,
            Protocol::Ask,
            b"slow".to_vec(),
            Duration::from_millis(300),
        )
        .await;
    assert_eq!(short, Err(RequestError::Timeout));
    next(&mut server)
        .await
        .2
        .send(Answer::Data(b"late".to_vec()));

    assert!(matches!(
        asker
            .request(
                peer,
                Protocol::Body,
                vec![0; Protocol::Body.max_request() + 1],
                PATIENCE
            )
            .await,
        Err(RequestError::TooLarge { .. })
    ));
    assert_eq!(
        asker
            .request(key(99), Protocol::Ask, vec![], PATIENCE)
            .await,
        Err(RequestError::NotConnected(key(99)))
    );

    // No more than the cap is under way to one peer. The slow request above may still be one of
    // them.
    let cap = Protocol::Ask.max_unanswered();
    let many: Vec<_> = (0..40).map(|_| ask(b"wait")).collect();
    let all = tokio::spawn(futures::future::join_all(many));
    server.serve(|data| Answer::Data([&data[..], b" over"].concat()));
    let (mut answered, mut surplus) = (0, 0);
    for one in patiently("40 answers", all).await.unwrap() {
        match one.unwrap() {
            Ok(data) => {
                assert_eq!(data, b"wait over");
                answered += 1;
            }
            Err(error) => {
                assert_eq!(error, RequestError::TooManyUnderWay);
                surplus += 1;
            }
        }
    }
    assert!(
        answered >= cap - 1 && answered + surplus == 40,
        "{answered} answered, {surplus} surplus"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_peer_is_disconnected_and_may_return() {
    let mut nodes = mesh(2, Role::Member).await;
    let mut gone = nodes.pop().unwrap();
    let mut node = nodes.pop().unwrap();
    node.handle.set_allowed(Vec::new()).await.unwrap();
    node.disconnected(gone.key()).await;
    gone.disconnected(node.key()).await;
    assert!(node.handle.peers().await.is_empty());
    let answer = node
        .handle
        .request(gone.key(), Protocol::Ask, vec![], PATIENCE)
        .await;
    assert_eq!(answer, Err(RequestError::NotConnected(gone.key())));
    // It keeps dialling and keeps being refused.
    let handle = node.handle.clone();
    until("a refusal", || async {
        handle.counters().refused_strangers > 0
    })
    .await;
    assert!(node.events.try_next().is_none());
    node.handle
        .set_allowed(vec![gone.allowed(Role::Member)])
        .await
        .unwrap();
    node.connected(gone.key()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_peer_is_found_again() {
    let mut nodes = mesh(2, Role::Validator).await;
    let mut second = nodes.pop().unwrap();
    let mut first = nodes.pop().unwrap();
    second.connected(first.key()).await;
    second.handle.stop().await;
    assert!(second.handle.peers().await.is_empty());
    assert_eq!(
        second.handle.publish(Topic::Records, vec![1]),
        Err(PublishError::Stopped)
    );
    first.disconnected(second.key()).await;
    // The restarted node knows nobody's address: the other one must dial.
    let mut restarted = config(2);
    restarted.listen = vec![second.address];
    restarted.allowed = vec![first.silent(Role::Validator)];
    let restarted = launch(restarted).await.serve(Answer::Data);
    first.connected(restarted.own_key()).await;
    let answer = first
        .handle
        .request(
            restarted.own_key(),
            Protocol::Ask,
            b"back?".to_vec(),
            PATIENCE,
        )
        .await;
    assert_eq!(answer, Ok(b"back?".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialling_at_once_ends_in_one_good_pair() {
    for round in 0..5u8 {
        let (mut a, b) = (
            launch(config(10 + round)).await,
            launch(config(100 + round)).await,
        );
        let (to_a, to_b) = (
            vec![b.allowed(Role::Validator)],
            vec![a.allowed(Role::Validator)],
        );
        let (at_a, at_b) = tokio::join!(a.handle.set_allowed(to_a), b.handle.set_allowed(to_b));
        at_a.and(at_b).unwrap();
        let peer = b.key();
        a.connected(peer).await;
        let b = b.serve(Answer::Data);
        until("both to agree", || async { b.peers().await[0].connected }).await;
        for n in 0..10u8 {
            assert_eq!(
                a.handle
                    .request(peer, Protocol::Ask, vec![n], PATIENCE)
                    .await,
                Ok(vec![n])
            );
        }
        let counters = a.handle.counters();
        assert_eq!(
            counters.connections_opened - counters.connections_closed,
            1,
            "{counters:?}"
        );
        assert_eq!(counters.peers_connected, 1);
    }
}

#[tokio::test]
async fn a_port_in_use_is_said_clearly() {
    let first = launch(config(1)).await;
    let mut second = config(2);
    second.listen = vec![first.address];
    let error = start(second).await.err().unwrap();
    assert!(
        matches!(error, StartError::PortInUse { address } if address == first.address),
        "{error}"
    );
    let words = error.to_string();
    assert!(
        words.contains("port is in use")
            && words.contains("`listen` port")
            && words.contains(&first.address.to_string())
    );

    // Any other program counts as well, and an address of another machine is another error.
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut third = config(3);
    third.listen = vec![plain.local_addr().unwrap()];
    assert!(matches!(
        start(third).await.err().unwrap(),
        StartError::PortInUse { .. }
    ));
    let mut fourth = config(4);
    fourth.listen = vec!["192.0.2.1:7400".parse().unwrap()];
    assert!(matches!(
        start(fourth).await.err().unwrap(),
        StartError::CannotListen { .. }
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_looked_up_and_failures_are_told_in_words() {
    let (mut a, b) = (launch(config(1)).await, launch(config(2)).await);
    b.handle
        .set_allowed(vec![a.silent(Role::Member)])
        .await
        .unwrap();
    let named = AllowedPeer {
        addresses: vec![NodeAddress::Name("localhost".into(), b.address.port())],
        ..b.allowed(Role::Member)
    };
    a.handle.set_allowed(vec![named]).await.unwrap();
    a.connected(b.key()).await;

    // The address of B under the key of somebody else; and a port where nobody listens.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    a.handle
        .set_allowed(vec![
            AllowedPeer {
                key: key(50),
                ..b.allowed(Role::Member)
            },
            AllowedPeer {
                key: key(51),
                addresses: vec![NodeAddress::Ip(closed)],
                role: Role::Member,
            },
        ])
        .await
        .unwrap();
    for (peer, words) in [(key(50), "another key"), (key(51), "refused")] {
        let handle = a.handle.clone();
        until(words, || async {
            let peers = handle.peers().await;
            let peer = peers.iter().find(|p| p.key == peer).unwrap();
            peer.failed_dials > 0 && peer.last_error.as_ref().is_some_and(|e| e.contains(words))
        })
        .await;
    }
}

/// RULINGS A24: a bootstrap peer serves catch-up, whatever the state says, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bootstrap_peer_is_heard_on_request_only() {
    let (mut node, boot) = (launch(config(1)).await, launch(config(2)).await);
    boot.handle
        .set_allowed(vec![node.silent(Role::Member)])
        .await
        .unwrap();
    node.handle
        .set_allowed(vec![boot.allowed(Role::Bootstrap)])
        .await
        .unwrap();
    node.connected(boot.key()).await;
    let boot = boot.serve(Answer::Data);
    let handle = node.handle.clone();
    let n = std::cell::Cell::new(0u32);
    until("dropped gossip", || {
        n.set(n.get() + 1);
        boot.publish(Topic::Records, n.get().to_le_bytes().to_vec())
            .unwrap();
        async { handle.counters().gossip_dropped_limited > 0 }
    })
    .await;
    assert_eq!(node.handle.counters().gossip_received, 0);
    assert_eq!(
        node.handle
            .request(boot.own_key(), Protocol::Sync, vec![7], PATIENCE)
            .await,
        Ok(vec![7])
    );
    while let Some(event) = node.events.try_next() {
        assert!(
            matches!(
                event,
                NetworkEvent::PeerConnected {
                    role: Role::Bootstrap,
                    ..
                }
            ),
            "{event:?}"
        );
    }
}
