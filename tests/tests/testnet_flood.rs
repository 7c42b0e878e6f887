//! Nodes that flood the others (RULINGS A40): genuine messages over and over under new trailers, then one
//! of them votes that nobody signed, another one records with forged signatures. The others go on, stay
//! connected with each other, and part from each that forges once it does.
//!
//! The normal run floods for twelve seconds; `ROLLBOOK_FLOOD=SECONDS` asks for more.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rollbook_core::record::Record;
use rollbook_node::config::NodeSecrets;
use rollbook_node::network::{
    self, AllowedPeer, Limits, NetworkConfig, NetworkEvent, NodeAddress, Role, Topic, Verdict,
};
use rollbook_node::replica::message::{Batch, Frame};
use rollbook_proof::chain::{SignedVote, Vote, VoteKind};
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::{Hash, Signature};
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_tests::load::{Load, must_be_in};
use rollbook_tests::testnet::Net;

/// Who floods, and what each of them forges. So many that the others are a quorum.
const FLOODERS: [(u32, Topic); 2] = [(6, Topic::Consensus), (7, Topic::Records)];
const HONEST: [u32; 5] = [1, 2, 3, 4, 5];
/// Messages a second of each, of which each of the others gets a copy.
const RATE: u64 = 750;
/// Genuine messages that are kept to be sent again.
const KEPT: usize = 64;

/// A frame of somebody, and its topic.
type Heard = (Topic, Vec<u8>);

/// A vote of somebody else for the height under way, or the next, under a signature of zeros.
fn forged_vote(height: u64, n: u64) -> Vec<u8> {
    let vote = Vote {
        kind: VoteKind::Prevote,
        height: Height(height + n % 2),
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

/// Floods until the time is over; how many genuine and forged messages went out.
async fn flood(
    config: NetworkConfig,
    genuine: Record,
    forged: Topic,
    time: Duration,
) -> (u64, u64) {
    let (handle, mut events) = network::start(config).await.unwrap();
    let begun = Instant::now();
    let (mut repeated, mut made, mut n) = (0, 0, 0u64);
    // The height under way, as the others' frames show it: what is older nobody judges.
    let newest: Arc<AtomicU64> = Arc::default();
    let seen = newest.clone();
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
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
                if topic == Topic::Consensus
                    && let Ok(frame) = decode::<Frame>(&data[..data.len() - 4])
                    && let Some(height) = frame.height()
                {
                    seen.fetch_max(height.0, Ordering::Relaxed);
                }
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
                Some((topic, data)) if !forges => (*topic, data[..data.len() - 4].to_vec()),
                None if !forges => continue,
                _ if forged == Topic::Records => (forged, forged_record(&genuine, n)),
                _ => (forged, forged_vote(newest.load(Ordering::Relaxed), n)),
            };
            bytes.extend_from_slice(&(n as u32).to_le_bytes());
            let sent = u64::from(handle.publish(topic, bytes).is_ok());
            *(if forges { &mut made } else { &mut repeated }) += sent;
        }
    }
    handle.stop().await;
    listening.abort();
    (repeated, made)
}

#[test]
fn a_flood_stops_nobody_and_parts_nobody() {
    let seconds = std::env::var("ROLLBOOK_FLOOD").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut net = Net::plan("flood", 7, 7, Clock::Wall);
    net.start();
    for (flooder, _) in FLOODERS {
        net.testnet.stop(flooder).unwrap();
    }
    let load = Load::start(&net, &HONEST, &HONEST);
    load.goes_on(5, &net);

    let secrets = |node: u32| NodeSecrets::read(&net.testnet.config(node).unwrap().keys).unwrap();
    let peer = |node: u32| AllowedPeer {
        key: secrets(node).transport.public().into(),
        addresses: vec![NodeAddress::Ip(net.testnet.config(node).unwrap().listen)],
        role: Role::Validator,
    };
    let config = |flooder: u32| NetworkConfig {
        transport_seed: secrets(flooder).transport.seed(),
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
    let flooding = FLOODERS.map(|(flooder, forged)| {
        runtime.spawn(flood(config(flooder), genuine.clone(), forged, time))
    });
    let (mut longest, mut last, mut parted) = (Duration::ZERO, (before, Instant::now()), 0);
    // Who was cut off, and when first.
    let mut cut_off: BTreeMap<u64, Duration> = BTreeMap::new();
    while !flooding.iter().all(|task| task.is_finished()) {
        std::thread::sleep(Duration::from_millis(200));
        let now = height(2);
        longest = longest.max(last.1.elapsed());
        if now > last.0 {
            last = (now, Instant::now());
        }
        for node in HONEST {
            let status = net.status(node).unwrap();
            for peer in status["peers"].as_array().unwrap() {
                let who = peer["organisation"].as_u64().unwrap();
                let flooder = FLOODERS.iter().any(|(of, _)| u64::from(*of) == who);
                parted += u32::from(!flooder && peer["connected"] != true);
                let error = peer["last_error"].as_str().unwrap_or_default();
                if flooder && error.contains("cut off") {
                    cut_off.entry(who).or_insert(begun.elapsed());
                }
            }
        }
    }
    let sent = flooding.map(|task| runtime.block_on(task).unwrap());
    drop(runtime);
    println!(
        "{sent:?} genuine and forged messages in {:.0} s; {} blocks meanwhile, the longest pause {longest:?}; \
         cut off: {cut_off:?}",
        begun.elapsed().as_secs_f64(),
        last.0 - before
    );
    for (repeated, forged) in sent {
        assert!(
            repeated > 500 && forged > 20,
            "{sent:?} messages are no flood"
        );
    }
    assert!(
        longest < Duration::from_secs(10),
        "no block for {longest:?}"
    );
    assert_eq!(parted, 0, "honest nodes cut each other off\n{}", net.told());
    for (flooder, forged) in FLOODERS {
        let at = cut_off.get(&u64::from(flooder));
        assert!(
            at.is_some_and(|at| *at > time / 2),
            "node {flooder}, which forges {forged:?} from {:?} on, is cut off at {at:?}\n{}",
            time / 2,
            net.told()
        );
    }
    let acknowledged = load.finish(&net);
    let report = net.check(&HONEST);
    must_be_in(&acknowledged, &net.export(1, report.blocks - 1));
}
