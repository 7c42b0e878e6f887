//! Reading without trust, as a member meets it: the real binary against four real nodes, and
//! against a proxy that lies.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollbook::encoding::{base64_bytes, base64_text};
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Capacity, Record};
use rollbook_node::clock::Step;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::file::Bundle;
use rollbook_proof::log::Clock;
use rollbook_proof::number::LedgerTime;
use rollbook_sandbox::http;
use rollbook_sandbox::keys::officer_key;
use rollbook_tests::liar::Proxy;
use rollbook_tests::testnet::Net;
use serde_json::{Value, json};

mod liar;
use liar::{Desk, another_history, spoil, with_json};

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn ends(output: &Output, code: i32) -> String {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}\n{}",
        out(output),
        said(output)
    );
    out(output)
}

fn url(net: &Net, node: u32) -> String {
    format!("http://{}", net.testnet.api(node))
}

#[test]
fn nothing_is_printed_that_was_not_verified() {
    let mut net = Net::plan("read", 5, 4, Clock::Sample);
    net.start();
    let desk = Desk {
        folder: tempfile::tempdir().unwrap(),
        chain: net.chain,
    };
    let record = receipts(&mut net, &desk);
    objects(&net, &desk, &record);
    proofs(&net, &desk, &record);
    in_tray(&mut net, &desk);
    lists(&net, &desk);
    stream(&net, &desk);
    old_heads(&mut net, &desk, &record);
    forked_heads(&net, &desk, &record);
}

/// `submit`: a node that signs nonsense is passed over, what nodes signed is kept, the receipt is
/// verified before it is written.
fn receipts(net: &mut Net, desk: &Desk) -> Record {
    let (file, record) = desk.pending(&net.record(1));
    let file = file.to_str().unwrap();
    let forger = Proxy::start(net.testnet.api(1), |path, answer| match path {
        "/v1/records?signed=true" => with_json(answer, |value| spoil(&mut value["signature"], 1)),
        _ => answer,
    });
    let output = desk.run("submit", &[&forger.url], &["submit", file]);
    ends(&output, 1);
    assert!(
        said(&output).contains(&format!("{} is not believed: answer.signature", forger.url)),
        "{}",
        said(&output)
    );

    let receipt_forger = Proxy::start(net.testnet.api(2), |path, mut answer| {
        if path.ends_with("/proof") && path.starts_with("/v1/records") {
            let text = String::from_utf8(answer.body).unwrap();
            answer.body = text.replacen("index ", "index 1", 1).into_bytes();
        }
        answer
    });
    let output = desk.run(
        "submit",
        &[&receipt_forger.url, &url(net, 3)],
        &["submit", file],
    );
    let told = ends(&output, 0);
    assert!(told.starts_with(&record.id().to_hex()), "{told}");
    assert!(
        said(&output).contains(&format!(
            "{} is not believed: inclusion.",
            receipt_forger.url
        )),
        "{}",
        said(&output)
    );
    assert!(
        said(&output).contains("receipted and verified: epoch 0"),
        "{}",
        said(&output)
    );
    let proof = desk.path(&format!("{}.tlog-proof", record.id().short()));
    let verify = |proof: &Path| {
        desk.read(
            "submit",
            &[],
            &["verify", proof.to_str().unwrap(), "--record", file],
        )
    };
    assert!(ends(&verify(&proof), 0).contains("PROVED: leaf "));
    let mut spoilt = std::fs::read(&proof).unwrap();
    let at = spoilt.len() - 20;
    spoilt[at] ^= 1;
    let other = desk.path("spoilt.tlog-proof");
    std::fs::write(&other, spoilt).unwrap();
    assert!(ends(&verify(&other), 1).contains("NOT PROVED"));

    // The seen receipt, kept and judged offline; handed in again is harmless; a refusal is kept
    // too.
    let (fresh, _) = desk.pending(&net.record(1));
    let fresh = fresh.to_str().unwrap();
    ends(
        &desk.run(
            "submit",
            &[&url(net, 2)],
            &["submit", fresh, "--wait", "none"],
        ),
        0,
    );
    let kept = desk.files("submit", "receipts");
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(
        kept[0].to_str().unwrap().ends_with(".2.seen.json"),
        "{kept:?}"
    );
    let seen = desk.read("nobody", &[], &["verify", kept[0].to_str().unwrap()]);
    assert!(
        ends(&seen, 0).starts_with("SEEN: node 2 signed that it held record"),
        "{}",
        out(&seen)
    );
    ends(
        &desk.run(
            "submit",
            &[&url(net, 4)],
            &["submit", file, "--wait", "none"],
        ),
        0,
    );
    let mut replay = record.clone();
    replay.payload.sequence = 1;
    let (file, replay) = desk.pending(&rollbook_proof::codec::encode(&replay));
    ends(
        &desk.run(
            "submit",
            &[&url(net, 3)],
            &["submit", file.to_str().unwrap()],
        ),
        1,
    );
    let kept: Vec<PathBuf> = desk
        .files("submit", "receipts")
        .into_iter()
        .filter(|f| f.to_str().unwrap().contains("refused"))
        .collect();
    assert!(
        kept.len() == 1 && kept[0].to_str().unwrap().contains(&replay.id().to_hex()),
        "{kept:?}"
    );
    let refused = desk.read("nobody", &[], &["verify", kept[0].to_str().unwrap()]);
    assert!(
        ends(&refused, 0).starts_with("REFUSED: node 3 signed"),
        "{}",
        out(&refused)
    );
    let bytes = std::fs::read(&kept[0]).unwrap();
    let changed = desk.path("changed.json");
    for at in (0..bytes.len()).step_by(97) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        std::fs::write(&changed, bytes).unwrap();
        let output = desk.read("nobody", &[], &["verify", changed.to_str().unwrap()]);
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "byte {at}: {}",
            out(&output)
        );
    }
    std::fs::remove_file(file).unwrap();
    record
}

/// `show`: what verifies is printed with what verified it; what does not is not printed, and the
/// next node is asked.
fn objects(net: &Net, desk: &Desk, record: &Record) {
    let real = url(net, 1);
    let liar = Proxy::start(net.testnet.api(1), |path, answer| {
        if path.starts_with("/v1/state/") {
            return with_json(answer, |value| {
                if value["value"].is_string() {
                    spoil(&mut value["value"], 9);
                }
            });
        }
        if path.starts_with("/v1/records/")
            && !path.ends_with("/proof")
            && !path.ends_with("/effect")
            && !path.ends_with("/next")
        {
            return with_json(answer, |value| {
                let mut record = base64_bytes(value["record"].as_str().unwrap()).unwrap();
                let last = record.len() - 1;
                record[last] ^= 1;
                value["record"] = base64_text(record).into();
            });
        }
        answer
    });
    let id = record.id().to_hex();
    for (what, words) in [
        (id.as_str(), "verified  recorded in block "),
        (&id[..17], "verified  recorded in block "),
        ("O-2", "Founding member 02"),
        ("M-0002", "Founding member 02"),
        ("charter:1", "verified  state after block "),
        ("E-0", "first height"),
        ("0", "verified  block 0 "),
    ] {
        let output = desk.read("show", &[&real], &["show", what]);
        // The result is on stdout, what verified it on stderr.
        let shown = ends(&output, 0);
        assert!(!shown.contains("SAMPLE chain") && !shown.contains("verified  "));
        let shown = format!("{}{shown}", said(&output));
        let csv = ends(&desk.read("show", &[&real], &["show", what, "--csv"]), 0);
        assert!(
            csv.starts_with('\u{feff}') && csv.matches("\r\n").count() == 2,
            "{what}: {csv}"
        );
        assert!(
            shown.starts_with("SAMPLE chain")
                && shown.contains(words)
                && shown.contains("cosigned by V"),
            "{what}: {shown}"
        );
        if matches!(what.chars().next(), Some('O' | 'M')) || what.len() > 8 && what != "charter:1" {
            let lied = desk.read("show", &[&liar.url], &["show", what]);
            assert_eq!(ends(&lied, 1), "", "{what}");
            assert!(
                said(&lied).contains(&format!("{} is not believed", liar.url)),
                "{}",
                said(&lied)
            );
            let both = desk.read("show", &[&liar.url, &real], &["show", what]);
            let told = format!("{}{}", ends(&both, 0), said(&both));
            assert!(told.contains(words), "{told}");
            assert!(
                said(&both).contains(&format!("{} is not believed", liar.url)),
                "{}",
                said(&both)
            );
        }
    }
    let block = desk.read("show", &[&real], &["show", "block:1", "--json"]);
    let block: Value = serde_json::from_str(&ends(&block, 0)).unwrap();
    assert_eq!(block["verified"]["height"], 1);
    assert!(!block["records"].as_array().unwrap().is_empty(), "{block}");
    let absent = desk.read("show", &[&real], &["show", "M-4242"]);
    assert!(ends(&absent, 1).contains("M-4242: there is none, and that is proved"));
    let organisation = desk.read("show", &[&real], &["org", "show", "2", "--json"]);
    let organisation: Value = serde_json::from_str(&ends(&organisation, 0)).unwrap();
    assert_eq!(
        (
            &organisation["value"]["number"],
            &organisation["verified"]["by"]["stale"]
        ),
        (&json!(2), &json!(false))
    );
    // Another genesis hash: the node says that it is not of that alliance, and one that claims to be
    // cannot show its policies.
    let other = Hash([7; 32]).to_hex();
    let claimed = other.clone();
    let liar = Proxy::start(net.testnet.api(1), move |path, answer| match path {
        "/v1/status" => with_json(answer, |value| value["genesis"] = json!(claimed)),
        _ => answer,
    });
    for (node, why) in [
        (&real, "is a node of another alliance"),
        (&liar.url, "epoch.genesis"),
    ] {
        let output = desk.run("other", &[node], &["show", "O-2", "--genesis", &other]);
        assert_eq!(ends(&output, 1), "");
        assert!(said(&output).contains(why), "{}", said(&output));
    }
    ends(
        &desk.read("show", &["http://127.0.0.1:9"], &["show", "O-2"]),
        4,
    );
    ends(&desk.read("show", &[&real], &["show", "Q-2"]), 2);
}

/// `prove` and `verify`: every kind, offline, and every changed byte is found.
fn proofs(net: &Net, desk: &Desk, record: &Record) {
    let real = url(net, 2);
    let id = record.id().to_hex();
    for (at, what) in [
        vec!["record", id.as_str()],
        vec!["block", "1"],
        vec!["org", "2"],
        vec!["member", "M-0003"],
        vec!["account", "1/A:free"],
        vec!["absence", "motion", "77"],
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{at}.json");
        let arguments = [vec!["prove"], what.clone(), vec!["--out", &name]].concat();
        let output = desk.read("prove", &[&real], &arguments);
        if what[0] == "account" {
            // There is no fund yet; that is proved by `absence` only.
            ends(&output, 1);
            assert!(!desk.path(&name).exists());
            continue;
        }
        ends(&output, 0);
        let told = ends(&desk.read("nobody", &[], &["verify", &name]), 0);
        assert!(
            told.contains("PROVED: leaf ") && told.contains(&net.chain.to_hex()),
            "{told}"
        );
        let unpinned = desk.run("nobody", &[], &["verify", &name]);
        ends(&unpinned, 3);
        assert!(
            said(&unpinned).starts_with("nobody knows whose history"),
            "{}",
            said(&unpinned)
        );
        let other = desk.run(
            "nobody",
            &[],
            &["verify", &name, "--genesis", &Hash([7; 32]).to_hex()],
        );
        assert!(ends(&other, 1).contains("A2.other-alliance"));

        let bytes = std::fs::read(desk.path(&name)).unwrap();
        Bundle::parse(&bytes).unwrap().verify().unwrap();
        for byte in 0..bytes.len() {
            // Of a letter the bit that makes it a capital: hexadecimal would be read all the same.
            let bit = if bytes[byte].is_ascii_lowercase() {
                5
            } else {
                byte % 5
            };
            let mut changed = bytes.clone();
            changed[byte] ^= 1 << bit;
            let judged =
                Bundle::parse(&changed).and_then(|bundle| Ok((bundle.genesis, bundle.verify()?)));
            let found = judged.is_err() || judged.is_ok_and(|(genesis, _)| genesis != net.chain);
            assert!(found, "{name}: byte {byte}, bit {bit}");
        }
    }
    let present = desk.read(
        "prove",
        &[&real],
        &["prove", "absence", "org", "2", "--out", "none.json"],
    );
    ends(&present, 1);
    assert!(
        !desk.path("none.json").exists() && said(&present).contains("its absence cannot be proved")
    );
    std::fs::write(desk.path("junk.json"), "{}").unwrap();
    ends(&desk.read("nobody", &[], &["verify", "junk.json"]), 2);
}

/// `pending`: what waits, for whom, until when.
fn in_tray(net: &mut Net, desk: &Desk) {
    let mut record: Record = decode(&net.record(2)).unwrap();
    let body = json!({ "Motion": { "Vote": {
        "motion": 1, "round": 1, "replaces": [], "vote": { "choice": "yes" },
        "declaration": "none",
    } } });
    record.payload.body = serde_json::from_value(body).unwrap();
    record.signatures = vec![record.payload.sign(
        PersonId(3),
        Capacity::Own(Role::Primary),
        0,
        &officer_key(&net.alliance.seed, 3),
    )];
    let (file, record) = desk.pending(&rollbook_proof::codec::encode(&record));
    let tray = desk.path("tray");
    std::fs::create_dir(&tray).unwrap();
    std::fs::rename(file, tray.join("a.pending.json")).unwrap();
    let output = desk.read("tray", &[&url(net, 1)], &["pending", "tray"]);
    let told = ends(&output, 0);
    assert!(told.contains("for O-0002 Founding member 02"), "{told}");
    assert!(told.contains("signed   3 (primary)"), "{told}");
    // There is no such motion: nobody is asked to sign for it.
    assert!(told.contains("in vain  A4.unknown-motion"), "{told}");
    assert!(!told.contains("may sign"), "{told}");
    let json: Value = serde_json::from_str(&ends(
        &desk.read("tray", &[&url(net, 1)], &["pending", "tray", "--json"]),
        0,
    ))
    .unwrap();
    assert_eq!(
        (&json[0]["expired"], &json[0]["record"]),
        (&json!(false), &json!(record.id()))
    );
    // Without a node only the file speaks; after its time it is marked.
    let offline = desk.read("tray", &["http://127.0.0.1:9"], &["pending", "tray"]);
    assert!(ends(&offline, 0).contains("EXPIRED"), "{}", out(&offline));
    let verified = desk.read("tray", &[], &["verify", "tray/a.pending.json"]);
    ends(&verified, 0);
    assert!(
        said(&verified).contains("NOT checked"),
        "{}",
        said(&verified)
    );
    assert!(
        ends(&desk.read("tray", &[&url(net, 1)], &["pending", "."]), 0).contains(".pending.json")
    );
    signed_into_a_closed_pipe(net, desk, record);
}

/// `sign FILE | true` printed first, found the pipe closed, and ended with 0 without the signature.
fn signed_into_a_closed_pipe(net: &Net, desk: &Desk, mut record: Record) {
    // No node is asked here, so the clock of this machine says what is over.
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    record.payload.valid_until_ms = LedgerTime(now + 3_600_000);
    record.signatures = vec![record.payload.sign(
        PersonId(3),
        Capacity::Own(Role::Primary),
        0,
        &officer_key(&net.alliance.seed, 3),
    )];
    let (file, _) = desk.pending(&rollbook_proof::codec::encode(&record));
    std::fs::rename(file, desk.path("tray/b.pending.json")).unwrap();
    let seed = String::from_utf8(net.alliance.seed.clone()).unwrap();
    ends(
        &desk.run(
            "tray",
            &[],
            &["keys", "sample", "--seed", &seed, "--out", "work"],
        ),
        0,
    );
    let program = env!("CARGO_BIN_EXE_rollbook");
    let line = format!(
        "{program} sign tray/b.pending.json --signer 4:alternate --yes --json --keystore work/keystore --config \
         tray 2>&1 >/dev/full | cat; {program} verify tray/b.pending.json --json"
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &line])
        .current_dir(desk.folder.path())
        .env("ROLLBOOK_PASSPHRASE", "sample")
        .output()
        .unwrap();
    let told = out(&output);
    assert!(told.contains("could not be written"), "{told}");
    let json = told.get(told.find('{').unwrap()..).unwrap();
    let verified: Value = serde_json::from_str(json).unwrap();
    assert_eq!(verified["signed_by"], json!(["3", "4"]), "{told}");
}

/// Lists are marked as told, and the same comes out of the export.
fn lists(net: &Net, desk: &Desk) {
    let real = url(net, 1);
    let output = desk.read("list", &[&real], &["member", "list"]);
    let told = format!("{}{}", ends(&output, 0), said(&output));
    assert!(
        told.contains("as told by node") && told.matches("M-000").count() == 5,
        "{told}"
    );
    let height = net.status(1).unwrap()["receipted"].as_u64().unwrap();
    std::fs::write(desk.path("history.export"), net.export(1, height)).unwrap();
    for noun in [
        "member", "org", "charter", "motion", "account", "policy", "office", "review",
    ] {
        let items = |nodes: &[&str], more: &[&str]| {
            let output = desk.read("list", nodes, &[&[noun, "list", "--json"], more].concat());
            serde_json::from_str::<Value>(&ends(&output, 0)).unwrap()["items"].clone()
        };
        assert_eq!(
            items(&[&real], &[]),
            items(&[], &["--from-export", "history.export"]),
            "{noun}"
        );
    }
    // What waits, too: a node keeps the open objects from block to block, an export finds them anew.
    let tasks = |nodes: &[&str], more: &[&str]| {
        let words = [&["tasks", "--all", "--json"], more].concat();
        let output = desk.read("list", nodes, &words);
        serde_json::from_str::<Value>(&ends(&output, 0)).unwrap()["tasks"].clone()
    };
    assert_eq!(
        tasks(&[&real], &[]),
        tasks(&[], &["--from-export", "history.export"])
    );
    // Dues are for members.
    let dues = http::get(
        net.testnet.api(1),
        "/v1/lists/invoice",
        Duration::from_secs(20),
    );
    assert_eq!(dues.unwrap().status, 401);
    // Pages join without a gap, and an unknown table is no table.
    let all = http::get(
        net.testnet.api(1),
        "/v1/lists/organisation",
        Duration::from_secs(20),
    )
    .unwrap()
    .json();
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/lists/organisation?limit=2{after}");
        let page = http::get(net.testnet.api(1), &path, Duration::from_secs(20))
            .unwrap()
            .json();
        pages.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(&pages, all["items"].as_array().unwrap());
    assert_eq!(
        http::get(
            net.testnet.api(1),
            "/v1/lists/persons",
            Duration::from_secs(20)
        )
        .unwrap()
        .status,
        404
    );
}

/// `follow`: every leaf once, resumed where it ended, with the next node when one is gone.
fn stream(net: &Net, desk: &Desk) {
    let real = url(net, 1);
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let output = desk.run(
            "follow",
            &["http://127.0.0.1:9", &real],
            &[&["follow", "--json"], arguments].concat(),
        );
        ends(&output, 0)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let all = lines(&["--from", "0", "--count", "12"]);
    assert_eq!(all.len(), 12);
    assert_eq!(
        (&all[0]["event"], &all[0]["id"]),
        (&json!("policy"), &json!("0:0"))
    );
    let rest = lines(&["--after", all[4]["id"].as_str().unwrap(), "--count", "7"]);
    assert_eq!(rest, all[5..]);
    let output = desk.run(
        "follow",
        &[&real],
        &["follow", "--from", "1", "--count", "2"],
    );
    assert_eq!(ends(&output, 0).lines().count(), 2);
    assert!(
        said(&output).contains("as told by node"),
        "{}",
        said(&output)
    );
}

/// A node that shows yesterday: marked, refused as fresh, and passed over when another one is
/// fresh.
fn old_heads(net: &mut Net, desk: &Desk, record: &Record) {
    let kept: Arc<Mutex<BTreeMap<String, http::Answer>>> = Arc::default();
    let yesterday = Arc::clone(&kept);
    // The first answer to each question is the answer for ever, except for what the node says about
    // itself.
    let frozen = Proxy::start(net.testnet.api(1), move |path, answer| {
        if path.starts_with("/v1/status") || path.starts_with("/v1/consistency") {
            return answer;
        }
        yesterday
            .lock()
            .unwrap()
            .entry(path.to_owned())
            .or_insert(answer)
            .clone()
    });
    let id = record.id().to_hex();
    ends(&desk.read("old", &[&frozen.url], &["show", &id]), 0);
    ends(&desk.read("old", &[&frozen.url], &["show", "O-2"]), 0);
    let old_state = http::get(
        net.testnet.api(1),
        "/v1/state/organisation/2",
        Duration::from_secs(20),
    )
    .unwrap()
    .json();
    let nodes = net.nodes();
    net.testnet.advance(Step::ByMs(5 * 3_600_000)).unwrap();
    net.act(&nodes);
    for config in ["old", "new"] {
        for what in [id.as_str(), "O-2"] {
            let stale = desk.read(config, &[&frozen.url], &["show", what]);
            ends(&stale, 3);
            assert!(said(&stale).contains("STALE SINCE "), "{}", said(&stale));
            ends(
                &desk.read(config, &[&frozen.url], &["show", what, "--max-age", "1d"]),
                0,
            );
            let fresh = desk.read(config, &[&frozen.url, &url(net, 2)], &["show", what]);
            ends(&fresh, 0);
            assert!(!said(&fresh).contains("STALE"), "{}", said(&fresh));
            // Also after a newer head is known: the old one is part of it.
            let again = desk.read(config, &[&frozen.url], &["show", what]);
            ends(&again, 3);
            assert!(said(&again).contains("STALE SINCE "));
        }
    }
    old_state_under_a_new_head(net, desk, &old_state);
}

/// An old value under a fresh head: the old seal is in the log for ever, but it is not today's
/// state.
fn old_state_under_a_new_head(net: &Net, desk: &Desk, old: &Value) {
    let path = format!("/v1/blocks/{}/proof", old["height"]);
    let proof = http::get(net.testnet.api(1), &path, Duration::from_secs(20))
        .unwrap()
        .json()["proof"]
        .clone();
    let mut renewed = old.clone();
    renewed["seal_proof"] = proof;
    let liar = Proxy::start(net.testnet.api(1), move |path, answer| match path {
        "/v1/state/organisation/2" => with_json(answer, |value| *value = renewed.clone()),
        _ => answer,
    });
    let output = desk.read("renewed", &[&liar.url], &["show", "O-2"]);
    assert_eq!(ends(&output, 1), "");
    assert!(
        said(&output).contains("not the state at the head"),
        "{}",
        said(&output)
    );
}

/// A quorum that signs two histories: both statements are kept and named.
fn forked_heads(net: &Net, desk: &Desk, record: &Record) {
    let id = record.id().to_hex();
    let real = url(net, 1);
    ends(&desk.read("fork", &[&real], &["show", &id]), 0);
    let head: Value =
        serde_json::from_slice(&std::fs::read(desk.verified("fork", "head.json")).unwrap())
            .unwrap();
    let size = head["size"].as_u64().unwrap();
    for (config, size) in [("fork", size), ("fork-longer", size + 3)] {
        ends(&desk.read(config, &[&real], &["show", &id]), 0);
        let (forked, root) = another_history(net, record, size);
        let output = desk.read(config, &[&forked.url, &real], &["show", &id]);
        // Heads of two sizes that nobody joins accuse nobody: whoever withholds a proof can show them.
        let (code, told) = match config {
            "fork" => (1, "FORK ALARM"),
            _ => (3, "nobody who was asked can show"),
        };
        assert_eq!(ends(&output, code), "");
        let words = said(&output);
        assert!(
            words.contains(told) && words.contains(&forked.url) && words.contains(&root.to_hex()),
            "{words}"
        );
        let alarms = desk.files(config, "alarms");
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        let judged = ends(
            &desk.read("nobody", &[], &["verify", alarms[0].to_str().unwrap()]),
            1,
        );
        let expected = if config == "fork" {
            "FORK: two roots at size"
        } else {
            "two heads under quorums"
        };
        assert!(judged.starts_with(expected), "{judged}");
        // The known head stays known.
        let after: Value =
            serde_json::from_slice(&std::fs::read(desk.verified(config, "head.json")).unwrap())
                .unwrap();
        assert_ne!(after["root"], json!(root));
        ends(&desk.read(config, &[&real], &["show", &id]), 0);
    }
}
