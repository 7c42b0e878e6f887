//! The door of real nodes: what strangers may cost, what a closed node tells, and that an ordinary client
//! reads the log from a URL and a key (RULINGS A42, A49, A57).
//!
//! `ROLLBOOK_FLOOD=60` makes each flood so many seconds long.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use rollbook_core::record::Record;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::log::tiles::{entry_bundles, hash_tiles, read_entry_bundle};
use rollbook_proof::log::{Checkpoint, Clock, EpochPolicy, SignedNote};
use rollbook_sandbox::testnet::Plan;
use rollbook_tests::load::{Load, must_be_in};
use rollbook_tests::stranger::{
    Flood, answered, ask, cost, from_elsewhere, garbage, get, longest_pause, post, posted, raw,
    rss_mib, until_too_many,
};
use rollbook_tests::testnet::Net;
use serde_json::json;
use sha2::Sha256;

/// How long each flood is.
fn flood_time() -> Duration {
    let seconds = std::env::var("ROLLBOOK_FLOOD").ok();
    Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(8))
}

/// What four hundred forged records may cost against a question for the status: one signature, and the
/// reading of a body of half a megabyte, which programs that are not optimised take long for.
const FORGED: f64 = if cfg!(debug_assertions) { 60.0 } else { 8.0 };

/// How long no block may come. Programs that are not optimised take their time anyway.
const PAUSE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 40 } else { 10 });

fn apis(net: &Net) -> Vec<SocketAddr> {
    net.nodes()
        .iter()
        .map(|node| net.testnet.api(*node))
        .collect()
}

/// A record of a member of which no signature verifies.
fn forged(net: &Net) -> Vec<u8> {
    let now = net.now_ms();
    let mut record: Record = net.source.lock().unwrap().record(1, now);
    record.payload.sequence += 1;
    encode(&record)
}

/// Twenty-seven requests a second of 3.6 KB each stopped the chain, and so did others; readers were shut
/// out for ever by connections that sent a header byte by byte. Now a block comes all the while, members'
/// records are taken, and each request costs about as much as a question for the status.
#[test]
fn strangers_stop_nothing_and_cost_little() {
    let net = Net::up("strangers");
    let (nodes, apis) = (net.nodes(), apis(&net));
    let pids: Vec<u32> = nodes
        .iter()
        .map(|node| net.testnet.pid(*node).unwrap())
        .collect();

    // What one request costs, against a question for the status.
    let (pid, at) = (pids[0], apis[0]);
    let question = format!("GET /v1/status HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    let status = cost(pid, at, 200, question.as_bytes()).max(0.5);
    let forged = vec![BASE64.encode(forged(&net)); 400];
    let forged = json!({ "records": forged }).to_string();
    let signed = posted(at, "/v1/records", "application/json", forged.as_bytes());
    for (what, request, most) in [
        ("five hundred records that are none", garbage(at), 3.0),
        (
            "four hundred under a wrong signature",
            signed.clone(),
            FORGED,
        ),
    ] {
        let one = cost(pid, at, 100, &request);
        println!("{what}: {one:.2} ms, a status {status:.2} ms");
        assert!(
            one < most * status,
            "{what}: {one:.2} ms, a status {status:.2} ms"
        );
    }
    let answer = raw(at, &signed, Duration::from_secs(5)).unwrap();
    let answers = answer.json();
    assert_eq!(
        answers.as_array().map(Vec::len),
        Some(1),
        "the first forged one ends it: {}",
        answer.text()
    );
    assert_eq!(answers[0]["code"], "A6.bad-signature");
    let answer = raw(at, &garbage(at), Duration::from_secs(5)).unwrap();
    let answers = answer.json();
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(
        answers.as_array().map(Vec::len),
        Some(1),
        "the first malformed one ends it"
    );
    assert_eq!(answers[0]["code"], "A6.malformed");
    assert!(
        answers[0]["receipt"].is_null(),
        "nobody asked for a signature"
    );

    let load = Load::start(&net, &nodes, &nodes);
    load.goes_on(5, &net);
    let before: Vec<u64> = pids.iter().map(|pid| rss_mib(*pid)).collect();
    let height = || {
        net.status(1)
            .map_or(0, |status| status["height"].as_u64().unwrap())
    };
    type Start = fn(&[SocketAddr]) -> Flood;
    let floods: [(&str, Start); 3] = [
        ("garbage", |nodes| Flood::of(nodes, 32, garbage)),
        ("pages", |nodes| {
            Flood::of(nodes, 16, |at| {
                format!(
                    "GET /v1/blocks?from=0&limit=100 HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n"
                )
                .into_bytes()
            })
        }),
        ("slow headers", |nodes| Flood::slowly(nodes, 500)),
    ];
    for (what, start) in floods {
        let acknowledged = load.acknowledged();
        let flood = start(&apis);
        let end = Instant::now() + flood_time();
        // Programs that are not optimised, on a machine that does other things, get a while longer.
        let late = end + Duration::from_secs(60);
        let pause = longest_pause(height, || {
            let now = Instant::now();
            now > late || now > end && load.acknowledged() > acknowledged
        });
        // Another address has its places; the flood's own is in
        // `who_finds_no_place_sees_what_is_the_matter`.
        let kept = get(at, "/v1/health").status;
        let (sent, answered) = flood.end();
        let taken = load.acknowledged() - acknowledged;
        let grown: Vec<u64> = pids
            .iter()
            .zip(&before)
            .map(|(pid, b)| rss_mib(*pid).saturating_sub(*b))
            .collect();
        println!(
            "{what}: {sent} sent, {answered} answered, longest pause {pause:?}, {taken} records taken, MiB more {grown:?}"
        );
        assert!(sent > 200, "{what}: {sent} requests are no flood");
        assert!(
            pause < PAUSE,
            "{what}: no block for {pause:?}\n{}",
            net.told()
        );
        assert_eq!(kept, 200, "{what}");
        assert!(taken > 0, "{what}: no record of a member was taken");
        assert!(
            grown.iter().all(|more| *more < 200),
            "{what}: {grown:?} MiB more"
        );
    }
    let acknowledged = load.finish(&net);
    let report = net.check(&nodes);
    must_be_in(&acknowledged, &net.export(1, report.blocks - 1));
}

/// A body that comes too slowly, one that is too long, paths and queries that cannot be read: each is a
/// problem document, and none keeps a place.
#[test]
fn every_error_is_a_problem_document_and_headers_have_an_end() {
    let mut net = Net::plan("forms", 5, 1, Clock::Wall);
    net.start();
    let at = net.testnet.api(1);
    for (path, status, code) in [
        ("/v1/state/%ff", 400, "api.request"),
        ("/v1/log/%ff", 400, "api.request"),
        ("/v1/blocks?limit=x", 400, "api.query"),
        ("/v1/nothing", 404, "api.not-found"),
        ("/v1/export", 401, "A15.members-only"),
    ] {
        let answer = get(at, path);
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (status, Some(code)),
            "{path}: {}",
            answer.text()
        );
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{path}");
        let wanted = (status == 401).then_some("Bearer realm=\"rollbook\"");
        assert_eq!(answer.header("www-authenticate"), wanted, "{path}");
    }
    // A batch that cannot be read to its end keeps the answers of what was taken.
    let good = BASE64.encode(net.record(1));
    let batch = json!({ "records": [good, "no base64", good] }).to_string();
    let answer = post(at, "/v1/records", "application/json", batch.as_bytes());
    let answers = answer.json();
    assert_eq!(
        answers.as_array().map(Vec::len),
        Some(2),
        "{}",
        answer.text()
    );
    assert!(answers[0]["statement"].is_string(), "{}", answer.text());
    assert_eq!(answers[1]["code"], "api.base64");
    // What is no record is never signed for.
    let none = post(
        at,
        "/v1/records?signed=true",
        "application/octet-stream",
        b"x",
    );
    assert_eq!(none.json()["code"], "A6.malformed");
    assert!(none.json()["receipt"].is_null(), "{}", none.text());
    let refused = ask(at, "GET", "/v1/export", &[("Authorization", "Bearer x")]);
    let wanted = refused.header("www-authenticate").unwrap();
    assert!(wanted.contains("invalid_token"), "{wanted}");
    let method = ask(at, "DELETE", "/v1/status", &[]);
    assert_eq!(method.json()["code"], "api.method");
    for path in ["/v1/records/dry-run", "/v1/papers", "/v1/records"] {
        let answer = post(at, path, "application/octet-stream", &vec![0; 2 << 20]);
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (413, Some("api.too-large")),
            "{path}"
        );
    }
    // A header that does not end is hung up on after ten seconds, though bytes come all the while.
    let begun = Instant::now();
    let flood = Flood::slowly(&[at], 3);
    std::thread::sleep(Duration::from_secs(14));
    let (_, closed) = flood.end();
    assert!(closed >= 3, "{closed} were closed in {:?}", begun.elapsed());
    // A body too.
    let begun = Instant::now();
    let head = format!(
        "POST /v1/records HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Length: 9000\r\n\r\nx"
    );
    let slow = raw(at, head.as_bytes(), Duration::from_secs(30)).unwrap();
    assert_eq!(
        (slow.status, slow.json()["code"].as_str()),
        (408, Some("api.too-slow"))
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    // Streams that nobody reads: four from one address.
    let stream = format!("GET /v1/events?from=0 HTTP/1.1\r\nHost: {at}\r\n\r\n");
    let open: Vec<_> = (0..4)
        .map(|_| {
            let mut open = std::net::TcpStream::connect(at).unwrap();
            std::io::Write::write_all(&mut open, stream.as_bytes()).unwrap();
            let mut first = [0; 12];
            std::io::Read::read_exact(&mut open, &mut first).unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            open
        })
        .collect();
    let fifth = get(at, "/v1/events?from=0");
    assert_eq!(
        (fifth.status, fifth.json()["code"].as_str()),
        (503, Some("api.no-room"))
    );
    drop(open);
}

/// `public_reading = false` told whose officers sign for whom, the content of public records by the
/// beginning of their id, and how much each person signs.
#[test]
fn a_closed_node_tells_strangers_nothing() {
    let mut net = Net::of(Plan::new("closed", 5, 1, Clock::Wall).unwrap());
    let path = net.testnet.config_path(1);
    let closed = std::fs::read_to_string(&path).unwrap().replace(
        "organisation = 1\n",
        "organisation = 1\npublic_reading = false\nproxies = [\"127.0.0.1\"]\n",
    );
    let closed = closed.replace("public_reading = true\n", "");
    std::fs::write(&path, closed).unwrap();
    net.start();
    let at = net.testnet.api(1);
    let record = net.act(&[1]);
    let id = decode::<Record>(&record).unwrap().id().to_hex();
    let out = |answer: rollbook_tests::stranger::Answer, what: &str| {
        let code = answer.json()["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(
            (answer.status, code.as_str()),
            (401, "R18.log-in"),
            "{what}"
        );
    };
    out(
        get(at, &format!("/v1/records/{}", &id[..16])),
        "the beginning of an id",
    );
    out(get(at, "/v1/persons/1/sequence"), "a sequence");
    out(get(at, "/v1/log/tile/0/000.p/1"), "a tile");
    let dry = "/v1/records/dry-run";
    out(
        post(at, dry, "application/octet-stream", &forged(&net)),
        "a dry run",
    );
    let place = get(at, &format!("/v1/records/{id}")).json();
    assert_eq!(place["stands"], "receipted", "{place}");
    for field in ["record", "content", "code"] {
        assert!(place[field].is_null(), "{place}");
    }
    // A copy of a record that is in the log is no signature of who shows it.
    out(
        post(at, dry, "application/octet-stream", &record),
        "a dry run of a copy",
    );
    // Whose signature verifies learns what would come of the record, and that its number is used.
    let mine = net.record(1);
    let own = post(at, dry, "application/octet-stream", &mine);
    assert_eq!(own.status, 200, "{}", own.text());
    assert!(own.json()["presumed"].is_object(), "{}", own.text());
    out(
        get(at, &format!("/v1/records/{}/proof", &id[..16])),
        "a receipt by the beginning of an id",
    );
    assert_eq!(get(at, &format!("/v1/records/{id}/proof")).status, 200);
    // All routes that there are: open is what is named here, and nothing that comes later by itself.
    let document = get(at, "/v1/openapi.json").json();
    let open = [
        "/metrics",
        "/v1/checkpoint",
        "/v1/consistency",
        "/v1/genesis",
        "/v1/health",
        "/v1/log/checkpoint",
        "/v1/metrics",
        "/v1/openapi.json",
        "/v1/policies",
        "/v1/records/{id}",
        "/v1/records/{id}/proof",
        "/v1/status",
    ];
    let mut walked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if methods["get"].is_null() || open.contains(&path.as_str()) {
            continue;
        }
        let asked = path
            .replace("{id}", &id)
            .replace("{object}", "motion")
            .replace("{table}", "membership")
            .replace("{path}", "tile/0/000.p/1")
            .replace("{person}", "1")
            .replace("{number}", "1")
            .replace("{height}", "1");
        assert!(!asked.contains('{'), "{path}");
        let answer = get(at, &asked);
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
        walked += 1;
    }
    assert!(walked > 15, "{walked}");
    // A page from elsewhere asks first, without a pass, and reads why it is kept out.
    let asked = ask(at, "OPTIONS", "/v1/log/tile/0/000.p/1", &[]);
    assert_eq!(asked.status, 204, "{}", asked.text());
    let tile = get(at, "/v1/log/tile/0/000.p/1");
    assert_eq!(tile.header("access-control-allow-origin"), Some("*"));
    // Behind the named proxy each stranger has a budget of his own: the last address that it adds.
    let many = |from: &str, times: usize| {
        let request = format!(
            "GET /v1/consistency?old=1&new=1 HTTP/1.1\r\nHost: {at}\r\nX-Forwarded-For: {from}\r\n\r\n"
        );
        until_too_many(at, request.as_bytes(), times)
    };
    let first = many("203.0.113.1", 8_000);
    assert!(first.is_some_and(|answered| answered >= 500), "{first:?}");
    assert_eq!(many("203.0.113.2", 20), None, "another one has his own");
    let answered = ask(
        at,
        "GET",
        "/v1/health",
        &[("X-Forwarded-For", "203.0.113.1")],
    );
    assert_eq!(
        answered.status, 200,
        "what costs nothing is told to everybody"
    );
}

/// Whoever found all places taken was hung up on, the operator, too. One address has its share of places;
/// above it there are a few for status and health, each for one question.
#[test]
fn who_finds_no_place_sees_what_is_the_matter() {
    let mut net = Net::plan("full", 5, 1, Clock::Wall);
    net.start();
    let at = net.testnet.api(1);
    let wait = Duration::from_secs(20);
    let held: Vec<_> = (0..64).map(|_| from_elsewhere(at).unwrap()).collect();
    // Accepted one after the other: they are in when a later one is.
    std::thread::sleep(Duration::from_millis(500));
    let asked = |path: &str| {
        // It does not ask to be hung up on.
        let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\n\r\n");
        answered(from_elsewhere(at).unwrap(), request.as_bytes(), wait).unwrap()
    };
    let begun = Instant::now();
    let full = asked("/v1/genesis");
    assert_eq!(
        (full.status, full.json()["code"].as_str()),
        (503, Some("api.full"))
    );
    for path in ["/v1/health", "/v1/status"] {
        let answer = asked(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("connection"), Some("close"), "{path}");
    }
    assert!(begun.elapsed() < wait, "the node hung up after each");
    assert_eq!(get(at, "/v1/genesis").status, 200, "another address");
    drop(held);
}

/// A crate that nobody here wrote gives the root of the bundles' leaves.
fn root_of(leaves: &[Vec<u8>]) -> [u8; 32] {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for leaf in leaves {
        tree.push(leaf.clone());
    }
    let root: RootHash<Sha256> = tree.root();
    root.as_bytes().as_slice().try_into().unwrap()
}

/// From the prefix and one verifier key of the policy alone: checkpoint, tiles and bundles of every node,
/// with the headers that ordinary clients want; and the same from a folder.
#[test]
fn an_ordinary_client_reads_the_log() {
    let mut net = Net::up("ordinary");
    let nodes = net.nodes();
    for _ in 0..3 {
        net.act(&nodes);
    }
    net.ballot(&nodes);
    let policy = net.alliance.genesis().unwrap().policy_text;
    let policy = EpochPolicy::parse(policy.as_bytes()).unwrap();
    for node in &nodes {
        let at = net.testnet.api(*node);
        let answer = get(at, "/v1/log/checkpoint");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            answer.header("rollbook-signed-by"),
            Some(node.to_string().as_str())
        );
        let note = SignedNote::parse(&answer.body).unwrap();
        // One key per node works over time: its own line, and no other's.
        let lines = |key: &rollbook_proof::log::VerifierKey| {
            note.lines
                .iter()
                .filter(|line| key.verify(&note.text, line).is_ok())
                .count()
        };
        for seat in &policy.validators {
            let key = seat.log_key(&policy.origin).unwrap();
            assert_eq!(
                lines(&key),
                usize::from(seat.org.0 == *node),
                "node {node}, {}",
                seat.name
            );
        }
        assert_eq!(note.lines.len(), 4, "a log line and a quorum of three");
        let checkpoint = Checkpoint::parse(&note.text).unwrap();

        let mut leaves: Vec<Vec<u8>> = Vec::new();
        for tile in entry_bundles(0, checkpoint.size) {
            let path = format!("/v1/log/{}", tile.path());
            let bundle = get(at, &path);
            assert_eq!(bundle.status, 200, "{path}");
            let cache = bundle.header("cache-control");
            assert_eq!(cache, Some("public, max-age=31536000, immutable"), "{path}");
            assert_eq!(bundle.header("access-control-allow-origin"), Some("*"));
            leaves.extend(
                read_entry_bundle(&bundle.body)
                    .unwrap()
                    .into_iter()
                    .map(<[u8]>::to_vec),
            );
            let zipped = ask(at, "GET", &path, &[("Accept-Encoding", "gzip")]);
            assert_eq!(zipped.header("content-encoding"), Some("gzip"));
            let mut plain = Vec::new();
            let mut reader = flate2::read::GzDecoder::new(zipped.body.as_slice());
            std::io::Read::read_to_end(&mut reader, &mut plain).unwrap();
            assert_eq!(plain, bundle.body);
        }
        for tile in hash_tiles(0, checkpoint.size) {
            assert_eq!(get(at, &format!("/v1/log/{}", tile.path())).status, 200);
        }
        assert_eq!(leaves.len() as u64, checkpoint.size);
        assert_eq!(root_of(&leaves), checkpoint.root.0, "node {node}");
        let asked = ask(
            at,
            "OPTIONS",
            "/v1/log/checkpoint",
            &[("Origin", "https://x.example")],
        );
        assert_eq!(asked.status, 204);
        assert_eq!(
            asked.header("access-control-allow-headers"),
            Some("authorization")
        );
    }

    // The same as a folder, made by the command, served by anything.
    let folder = tempfile::tempdir().unwrap();
    let tiles = folder.path().join("log");
    let (chain, second) = (net.chain.to_hex(), format!("http://{}", net.testnet.api(2)));
    let run = || {
        std::process::Command::new(rollbook_tests::testnet::command_line())
            .args(["--lang", "en", "--json", "--config"])
            .arg(folder.path().join("config"))
            .args(["export", "--genesis", &chain, "--node", &second, "--tiles"])
            .arg(&tiles)
            .output()
            .unwrap()
    };
    let export = |what: &str| {
        let output = run();
        assert!(output.status.success(), "{what}: {output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let told = export("first");
    let read = |name: &str| std::fs::read(tiles.join(name)).unwrap();
    let checkpoint =
        Checkpoint::parse(&SignedNote::parse(&read("checkpoint")).unwrap().text).unwrap();
    assert_eq!(told["size"], checkpoint.size);
    let mut leaves: Vec<Vec<u8>> = Vec::new();
    for tile in entry_bundles(0, checkpoint.size) {
        let bytes = read(&tile.path());
        leaves.extend(
            read_entry_bundle(&bytes)
                .unwrap()
                .into_iter()
                .map(<[u8]>::to_vec),
        );
    }
    assert_eq!(root_of(&leaves), checkpoint.root.0);
    for tile in hash_tiles(0, checkpoint.size) {
        let served = get(net.testnet.api(1), &format!("/v1/log/{}", tile.path()));
        assert_eq!(served.body, read(&tile.path()), "{}", tile.path());
    }
    // Brought up to date.
    net.act(&nodes);
    let later = export("again");
    assert!(later["size"].as_u64() > told["size"].as_u64());
    // It never goes back: what lies there was verified at its size.
    let newest = read("checkpoint");
    let size = later["size"].as_u64().unwrap();
    let text = String::from_utf8(newest.clone()).unwrap();
    let larger = text.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 1_000), 1);
    std::fs::write(tiles.join("checkpoint"), &larger).unwrap();
    let refused = run();
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    assert_eq!(read("checkpoint"), larger.as_bytes());
    std::fs::write(tiles.join("checkpoint"), newest).unwrap();

    // A validator is stopped: the others are read under their own keys as before.
    net.testnet.stop(1).unwrap();
    net.act(&nodes[1..]);
    let note = SignedNote::parse(&get(net.testnet.api(3), "/v1/log/checkpoint").body).unwrap();
    let key = policy.validators[2].log_key(&policy.origin).unwrap();
    assert!(
        note.lines
            .iter()
            .any(|line| key.verify(&note.text, line).is_ok())
    );
}
