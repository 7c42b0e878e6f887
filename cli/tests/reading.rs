//! Reading what is for members with the real binary, over TLS, and the backup of a node's keys
//! (RULINGS A15, A20, A21, R21).

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rollbook_core::record::Record;
use rollbook_node::config::TlsFiles;
use rollbook_proof::codec::decode;
use rollbook_proof::log::Clock;
use rollbook_sandbox::http;
use rollbook_tests::testnet::{Net, PATIENCE};

mod desk;
use desk::{Desk, all};

/// A certificate for `name` that its own key signed, and the key: PEM.
fn certificate(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    (made.cert.pem(), made.key_pair.serialize_pem())
}

/// Gives node 1 a certificate, which `desk` holds too; the config's file.
fn with_tls(net: &Net, desk: &Desk) {
    let (pem, key) = certificate("localhost");
    let folder = net.testnet.folder(1);
    std::fs::write(folder.join("cert.pem"), &pem).unwrap();
    std::fs::write(folder.join("key.pem"), key).unwrap();
    std::fs::set_permissions(
        folder.join("key.pem"),
        std::fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    desk.write("ca.pem", pem);
    let mut config = net.testnet.config(1).unwrap();
    config.insecure_listen = false;
    config.tls = Some(TlsFiles {
        certificate: "cert.pem".into(),
        key: "key.pem".into(),
    });
    std::fs::write(net.testnet.config_path(1), config.render()).unwrap();
}

#[test]
fn an_officer_reads_over_tls_and_a_stranger_does_not() {
    // The harness speaks plain HTTP to nodes 2 to 4; node 1 is met by the binary alone.
    let mut net = Net::plan("tls", 5, 4, Clock::Wall);
    let desk = Desk::new();
    with_tls(&net, &desk);
    net.testnet.launch(1).unwrap();
    net.start_some(&[2, 3, 4]);
    let secure = format!("https://localhost:{}", net.testnet.api(1).port());
    let genesis = net.chain.to_hex();

    // Whom the certificate does not convince gets nothing; plain words are not answered.
    let told = all(&desk.ends(4, &format!("node status --node {secure}")));
    assert!(
        told.contains("certificate") || told.contains("tls"),
        "{told}"
    );
    desk.ends(
        4,
        &format!(
            "node status --node http://localhost:{} --ca ca.pem",
            net.testnet.api(1).port()
        ),
    );
    let (other, _) = certificate("localhost");
    desk.write("other.pem", other);
    desk.ends(4, &format!("node status --node {secure} --ca other.pem"));
    desk.write("none.pem", "no certificate");
    assert!(
        all(&desk.ends(2, &format!("node status --node {secure} --ca none.pem")))
            .contains("next: ")
    );
    let told = desk.good(&format!("node status --node {secure} --ca ca.pem"));
    assert!(told.contains("organisation 1"), "{told}");
    // Members are members once every founder's record is in the log of the node that is asked.
    let founded = || {
        desk.json(0, &format!("node status --node {secure} --ca ca.pem"))["founders_missing"] == 0
    };
    let begun = std::time::Instant::now();
    while !founded() {
        assert!(begun.elapsed() < PATIENCE, "node 1 does not follow");
        std::thread::sleep(Duration::from_millis(50));
    }

    // Without a key an export is refused with the way to get it; with one it comes, audits, and the
    // pass is kept for the next.
    let told = all(&desk.ends(
        1,
        &format!("export no.export --node {secure} --ca ca.pem --genesis {genesis}"),
    ));
    assert!(
        told.contains("A15.members-only") && told.contains("--reader"),
        "{told}"
    );
    assert!(!desk.path("no.export").exists() && !desk.path("no.export.part").exists());
    desk.good("keys sample --seed tls --out work");
    let asked = format!(
        "--node {secure} --ca ca.pem --genesis {genesis} --keystore work/keystore --reader 3"
    );
    assert!(
        all(&desk.ends(1, &format!("export no.export {asked}"))).contains("passphrase"),
        "the wrong passphrase"
    );
    let sample = |code: i32, line: &str| {
        let output = desk.run_as("sample", line);
        assert_eq!(output.status.code(), Some(code), "{line}\n{}", all(&output));
        all(&output)
    };
    sample(0, &format!("export history.export {asked}"));
    assert!(
        desk.good(&format!("audit history.export --genesis {genesis}"))
            .contains("SOUND")
    );
    let kept = desk.path(&format!("state/rollbook/verified/{genesis}/passes.toml"));
    assert_eq!(
        std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
        0o600
    );
    desk.good(&format!("export again.export {asked}"));
    // The observer's officer has a key and no right.
    let told = sample(
        1,
        &format!(
            "export no.export {}",
            asked.replace("--reader 3", "--reader 11")
        ),
    );
    assert!(told.contains("A15.no-member"), "{told}");

    // A ballot: shown and followed with its content by a member, without it by anybody else.
    let ballot = decode::<Record>(&net.ballot(&[2, 3, 4]))
        .unwrap()
        .id()
        .to_hex();
    let block = net_height(&net, &ballot);
    while desk.json(0, &format!("node status --node {secure} --ca ca.pem"))["receipted"].as_u64()
        < Some(block)
    {
        assert!(begun.elapsed() < PATIENCE, "node 1 does not follow");
        std::thread::sleep(Duration::from_millis(50));
    }
    let anybody = format!("--node {secure} --ca ca.pem --genesis {genesis} --keystore nowhere");
    let told = all(&desk.ends(1, &format!("show {ballot} {anybody}")));
    assert!(
        told.contains("for members") && told.contains("--reader"),
        "{told}"
    );
    assert!(all(&desk.ends(0, &format!("show block:{block} {anybody}"))).contains("for members"));
    assert!(
        desk.good(&format!("follow --from {block} --count 1 {anybody}"))
            .contains("for members")
    );
    assert!(sample(0, &format!("show {ballot} {asked}")).contains("verified"));
    assert!(sample(0, &format!("show block:{block} {asked}")).contains(&ballot));
    assert!(sample(0, &format!("follow --from {block} --count 1 {asked}")).contains("Motion.Vote"));
    // With a profile nothing needs to be said.
    let profile = format!(
        "setup --name m --genesis {genesis} --alliance T --node {secure} --ca ca.pem --keystore \
         work/keystore"
    );
    desk.good(&format!("{profile} --organisation 2 --person 3"));
    desk.good("export profile.export");
}

fn net_height(net: &Net, record: &str) -> u64 {
    let place = http::get(
        net.testnet.api(2),
        &format!("/v1/records/{record}"),
        Duration::from_secs(20),
    )
    .unwrap()
    .json();
    place["height"].as_u64().unwrap()
}

#[test]
fn keys_are_backed_up_apart_and_a_lost_machine_comes_back() {
    let mut net = Net::up("keys");
    let nodes = net.nodes();
    net.act(&nodes);
    let desk = Desk::new();
    let config = |node: u32| net.testnet.config_path(node).to_str().unwrap().to_owned();
    let (fourth, third) = (config(4), config(3));
    let told = all(&desk.ends(
        2,
        &format!("node backup {fourth} --to backup --keys backup/keys.age"),
    ));
    assert!(
        told.contains("next: ") && !desk.path("backup").exists(),
        "{told}"
    );
    desk.good(&format!("node backup {fourth} --to backup --keys keys.age"));
    assert_eq!(
        std::fs::metadata(desk.path("keys.age"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let held = std::fs::read_to_string(net.testnet.folder(4).join("keys/consensus.key")).unwrap();
    let seed = held.split_whitespace().last().unwrap();
    assert!(
        !String::from_utf8_lossy(&std::fs::read(desk.path("keys.age")).unwrap()).contains(seed),
        "in clear"
    );
    desk.ends(2, &format!("node backup {fourth} --keys keys.age"));

    // Where keys are, none are written; for another node, under another passphrase or from another
    // file, neither.
    assert!(
        all(&desk.ends(2, &format!("node restore {fourth} --keys keys.age"))).contains("already")
    );
    assert!(
        all(&desk.ends(1, &format!("node restore {third} --keys keys.age")))
            .contains("organisation 4")
    );
    let wrong = desk.run_as(
        "another passphrase",
        &format!("node restore {fourth} --keys keys.age"),
    );
    assert_eq!(wrong.status.code(), Some(1), "{}", all(&wrong));
    desk.write("text.age", "no keys");
    desk.ends(2, &format!("node restore {fourth} --keys text.age"));

    // The machine is lost with everything but the config and the genesis file.
    net.testnet.kill(4).unwrap();
    let folder = net.testnet.folder(4);
    std::fs::remove_dir_all(folder.join("data")).unwrap();
    std::fs::remove_dir_all(folder.join("keys")).unwrap();
    std::fs::create_dir_all(folder.join("data")).unwrap();
    desk.good(&format!(
        "node restore {fourth} --from backup --keys keys.age --dry-run"
    ));
    assert!(!folder.join("keys").exists(), "a dry run writes nothing");
    desk.good(&format!(
        "node restore {fourth} --from backup --keys keys.age"
    ));
    assert_eq!(
        std::fs::read_to_string(folder.join("keys/consensus.key")).unwrap(),
        held
    );
    net.testnet.start(4).unwrap();
    for _ in 0..4 {
        net.act(&nodes);
    }
    let status = net.until("node 4 votes again", 4, |status| status["votes"] == true);
    assert!(
        status["votes_from"].as_u64().unwrap() > 1,
        "it asked first: {status}"
    );
    net.check(&nodes);
}
