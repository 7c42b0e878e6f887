//! A node that floods the others (RULINGS A40): votes that nobody signed, genuine messages over and over
//! under new trailers, records with forged signatures. The others go on, and stay connected with each
//! other.
//!
//! The normal run floods for twelve seconds; `ROLLBOOK_FLOOD=SECONDS` asks for more.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rollbook_core::record::Record;
use rollbook_node::config::NodeSecrets;
use rollbook_node::network::{
    self, AllowedPeer, Limits, NetworkConfig, NetworkEvent, NodeAddress, Role, Topic, Verdict,
};
use rollbook_node::replica::message::{Batch, Frame};
use rollbook_proof::chain::{SignedVote, Vote, VoteKind};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, Signature};
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_tests::load::{Load, must_be_in};
use rollbook_tests::testnet::Net;

const FLOODER: u32 = 5;
const HONEST: [u32; 4] = [1, 2, 3, 4];
/// Messages a second, of which each of the others gets a copy.
const RATE: u64 = 1_500;
/// Genuine messages that are kept to be sent again.
const KEPT: usize = 64;

/// A vote of somebody else for a height to come, under a signature of zeros.
fn forged_vote(height: u64, n: u64) -> Vec<u8> {
    let vote = Vote {
        kind: VoteKind::Prevote,
        height: Height(height + 1),
        round: (n % 8) as u32,
        block: Some(Hash([(n % 251) as u8; 32])),
        validator: OrganisationId(HONEST[n as usize % HONEST.len()]),
    };
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    encode(&Frame::Vote(SignedVote {
        vote,
        signature: Signature::Ed25519(bytes),
    }))
}

/// A record of a real officer, whose signature is another one each time.
fn forged_record(genuine: &Record, n: u64) -> Vec<u8> {
    let mut record = genuine.clone();
    let Signature::Ed25519(bytes) = &mut record.signatures[0].signature;
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    encode(&Batch {
        records: vec![encode(&record)],
    })
}

/// Floods until the time is over; how many messages went out.
async fn flood(config: NetworkConfig, genuine: Record, height: u64, time: Duration) -> u64 {
    let (handle, mut events) = network::start(config).await.unwrap();
    let begun = Instant::now();
    let (mut sent, mut n) = (0, 0u64);
    let heard: Arc<Mutex<Vec<(Topic, Vec<u8>)>>> = Arc::default();
    let (kept, reports) = (heard.clone(), handle.clone());
    let listening = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let NetworkEvent::Gossip {
                topic,
                data,
                ticket,
                ..
            } = event
            {
                reports.report(ticket, Verdict::Ignore);
                let mut kept = kept.lock().unwrap();
                if kept.len() >= KEPT {
                    kept.remove(0);
                }
                kept.push((topic, data));
            }
        }
    });
    while begun.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let heard = heard.lock().unwrap().clone();
        // Half of the time nothing but what is genuine, for which nobody is struck.
        let forges = begun.elapsed() > time / 2;
        for _ in 0..RATE / 100 {
            n += 1;
            let (topic, mut bytes) = match heard.get(n as usize % heard.len().max(1)) {
                Some((topic, data)) if !forges || n % 3 == 0 => {
                    (*topic, data[..data.len() - 4].to_vec())
                }
                _ if !forges => continue,
                _ if n % 3 == 1 => (Topic::Records, forged_record(&genuine, n)),
                _ => (Topic::Consensus, forged_vote(height + n / RATE, n)),
            };
            bytes.extend_from_slice(&(n as u32).to_le_bytes());
            sent += u64::from(handle.publish(topic, bytes).is_ok());
        }
    }
    handle.stop().await;
    listening.abort();
    sent
}

#[test]
fn a_flood_stops_nobody_and_parts_nobody() {
    let seconds = std::env::var("ROLLBOOK_FLOOD").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut net = Net::plan("flood", 5, 5, Clock::Wall);
    net.start();
    net.testnet.stop(FLOODER).unwrap();
    let load = Load::start(&net, &[1, 2, 3, 4, 5], &HONEST);
    load.goes_on(5, &net);

    let secrets = |node: u32| NodeSecrets::read(&net.testnet.config(node).unwrap().keys).unwrap();
    let peer = |node: u32| AllowedPeer {
        key: secrets(node).transport.public().into(),
        addresses: vec![NodeAddress::Ip(net.testnet.config(node).unwrap().listen)],
        role: Role::Validator,
    };
    let config = NetworkConfig {
        transport_seed: secrets(FLOODER).transport.seed(),
        chain: net.chain,
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        allowed: HONEST.iter().map(|node| peer(*node)).collect(),
        agent: "rollbook/flood".into(),
        limits: Limits::default(),
    };
    let genuine: Record = {
        let now = net.now_ms();
        net.source.lock().unwrap().record(1, now)
    };
    let height = |node: u32| net.status(node).unwrap()["height"].as_u64().unwrap();
    let (before, begun) = (height(1), Instant::now());
    let time = Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let flooding = runtime.spawn(flood(config, genuine, before, time));
    let (mut longest, mut last, mut parted) = (Duration::ZERO, (before, Instant::now()), 0);
    let mut cut_off = false;
    while !flooding.is_finished() {
        std::thread::sleep(Duration::from_millis(200));
        let now = height(2);
        longest = longest.max(last.1.elapsed());
        if now > last.0 {
            last = (now, Instant::now());
        }
        for node in HONEST {
            let status = net.status(node).unwrap();
            for peer in status["peers"].as_array().unwrap() {
                let flooder = peer["organisation"] == FLOODER;
                parted += u32::from(!flooder && peer["connected"] != true);
                let error = peer["last_error"].as_str().unwrap_or_default();
                cut_off |= flooder && error.contains("cut off");
            }
        }
    }
    let sent = runtime.block_on(flooding).unwrap();
    drop(runtime);
    println!(
        "{sent} messages in {:.0} s; {} blocks meanwhile, the longest pause {longest:?}; cut off: {cut_off}",
        begun.elapsed().as_secs_f64(),
        last.0 - before
    );
    assert!(sent > 1_000, "{sent} messages are no flood");
    assert!(
        longest < Duration::from_secs(10),
        "no block for {longest:?}"
    );
    assert_eq!(parted, 0, "honest nodes cut each other off\n{}", net.told());
    assert!(cut_off, "who forges is cut off\n{}", net.told());
    let acknowledged = load.finish(&net);
    let report = net.check(&HONEST);
    must_be_in(&acknowledged, &net.export(1, report.blocks - 1));
}
