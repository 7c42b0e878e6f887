//! What goes wrong in an operator's hands: each is refused with words and a next step, and a
//! restored node comes back safely.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_node::config::NodeSecrets;
use rollbook_node::disk::RealDisk;
use rollbook_node::journal::{Journal, Limits};
use rollbook_node::runtime::{admin, backup, doctor, open};
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::OrganisationId;
use rollbook_tests::testnet::{Net, PATIENCE, program};

fn run(config: &std::path::Path) -> Output {
    Command::new(program()).arg(config).output().unwrap()
}

fn words(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("next: "), "no next step: {text}");
    text
}

/// Copies a folder with everything in it, as an operator would who has no backup but an old disk.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// An old copy of the whole data folder, sign guard included: the node has forgotten what it signed
/// since (RULINGS A8).
#[test]
fn a_stale_disk_rejoins_without_signing_twice() {
    let mut net = Net::up("stale");
    let nodes = net.nodes();
    net.act(&nodes);
    net.testnet.stop(4).unwrap();
    let (data, old) = (
        net.testnet.config(4).unwrap().data,
        net.testnet.dir.join("old-disk"),
    );
    copy(&data, &old);
    net.testnet.start(4).unwrap();
    // Node 3 is away, so that node 4 signs everything that it will have forgotten.
    net.testnet.stop(3).unwrap();
    for _ in 0..5 {
        net.act(&[1, 2, 4]);
    }
    let height = net.status(4).unwrap()["height"].as_u64().unwrap();
    net.testnet.kill(4).unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    copy(&old, &data);
    net.testnet.start(3).unwrap();
    net.testnet.start(4).unwrap();
    for _ in 0..5 {
        net.act(&nodes);
    }
    let status = net.until("node 4 votes again", 4, |status| status["votes"] == true);
    assert!(
        status["votes_from"].as_u64().unwrap() > height,
        "it votes only above what it had signed: {status}"
    );
    // And it is needed again.
    net.testnet.stop(1).unwrap();
    net.act(&[2, 3, 4]);
    net.testnet.start(1).unwrap();
    net.act(&nodes);
    net.check(&nodes);
}

#[test]
fn mistakes_are_told_and_a_restored_node_rejoins() {
    let mut net = Net::up("operator");
    let nodes = net.nodes();
    net.act(&nodes);

    // A process that hangs is told from one that does not run.
    let hung = net.testnet.pid(4).unwrap().to_string();
    let signal = |name: &str| Command::new("kill").args([name, &hung]).status().unwrap();
    assert!(signal("-STOP").success());
    let findings = doctor::examine(&net.testnet.config_path(4));
    assert!(signal("-CONT").success());
    let told = |words: &str| findings.iter().any(|finding| finding.what.contains(words));
    assert!(
        told("the node's process is there and does not answer") && !told("does not run"),
        "{findings:#?}"
    );

    // The folder is in use by the running node.
    assert!(words(&run(&net.testnet.config_path(1))).contains("in use"));

    // A mistyped setting.
    let folder = net.testnet.folder(4);
    let text = std::fs::read_to_string(net.testnet.config_path(4)).unwrap();
    let typo = folder.join("typo.toml");
    std::fs::write(&typo, text.replace("listen =", "lisen =")).unwrap();
    let told = words(&run(&typo));
    assert!(
        told.contains("lisen") && told.contains("typo.toml"),
        "{told}"
    );

    // An outsider: the right genesis, keys that nobody registered. It starts, and nobody lets it
    // in.
    let outside = net.testnet.dir.join("outsider");
    std::fs::create_dir_all(&outside).unwrap();
    NodeSecrets::generate()
        .unwrap()
        .write(&outside.join("keys"))
        .unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut config = net.testnet.config(1).unwrap();
    config.organisation = OrganisationId(5);
    config.genesis = std::path::absolute(net.testnet.dir.join("genesis.rollbook")).unwrap();
    (config.data, config.keys) = ("data".into(), "keys".into());
    config.listen.set_port(0);
    config.api.set_port(free);
    let path = outside.join("node.toml");
    std::fs::write(&path, config.render()).unwrap();
    let mut outsider = Command::new(program())
        .arg(&path)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    net.act(&nodes);
    std::thread::sleep(Duration::from_secs(2));
    let status = rollbook_sandbox::http::get(config.api, "/v1/status", Duration::from_secs(5))
        .map(|a| a.json());
    outsider.kill().unwrap();
    outsider.wait().unwrap();
    let status = status.unwrap();
    assert_eq!(status["height"], 0, "{status}");
    assert_eq!(status["votes"], false);

    // A port that another program has.
    net.testnet.stop(4).unwrap();
    let taken = std::net::TcpListener::bind(net.testnet.config(4).unwrap().listen).unwrap();
    assert!(words(&run(&net.testnet.config_path(4))).contains("port is in use"));
    drop(taken);
    let taken = std::net::TcpListener::bind(net.testnet.api(4)).unwrap();
    assert!(words(&run(&net.testnet.config_path(4))).contains("HTTP"));
    drop(taken);
    net.testnet.start(4).unwrap();

    // A backup of a running node, more blocks, the folder lost, the backup restored: the guard is
    // new, so the node asks before it votes, and then it votes again.
    let to = net.testnet.dir.join("backup");
    let config = net.testnet.config(3).unwrap();
    admin::ask::<rollbook_node::runtime::backup::Backup>(
        &config.admin_socket(),
        &admin::Request::Backup { to: to.clone() },
        Duration::from_secs(30),
    )
    .unwrap();
    net.act(&nodes);
    net.testnet.kill(3).unwrap();
    assert!(
        backup::restore(&to, &config, false)
            .unwrap_err()
            .to_string()
            .contains("already")
    );
    std::fs::remove_dir_all(&config.data).unwrap();
    std::fs::create_dir_all(&config.data).unwrap();
    backup::restore(&to, &config, true).unwrap();
    backup::restore(&to, &config, false).unwrap();
    let votes = std::fs::read_dir(config.journal())
        .unwrap()
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().starts_with("votes"));
    assert_eq!(votes.count(), 0, "a guard is never restored");
    net.testnet.start(3).unwrap();
    for _ in 0..4 {
        net.act(&nodes);
    }
    net.check(&nodes);
    let status = net.status(3).unwrap();
    assert_eq!(status["votes"], true, "{status}");
    assert!(status["votes_from"].as_u64().unwrap() > 1, "{status}");
}

/// The journal of a running node is deleted: the node stops and says so, and comes back from its peers.
#[test]
fn a_journal_that_is_taken_away_stops_the_node() {
    let mut net = Net::up("taken");
    let nodes = net.nodes();
    net.act(&nodes);
    std::fs::remove_dir_all(net.testnet.config(4).unwrap().journal()).unwrap();
    let begun = Instant::now();
    while net.testnet.pid(4).is_some() {
        assert!(begun.elapsed() < PATIENCE, "node 4 runs\n{}", net.told());
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = net.testnet.log(4);
    assert!(
        log.contains("deleted or moved away under the running node"),
        "{log}"
    );
    net.testnet.start(4).unwrap();
    for _ in 0..4 {
        net.act(&nodes);
    }
    net.until("node 4 votes again", 4, |status| status["votes"] == true);
    net.check(&nodes);
}

/// A bit of a block flips on the disk while the node is stopped, in a segment that no start reads. No
/// backup is made of it, none that was made of it is restored, a doctor names it, and a good store is not
/// thrown away for it.
#[test]
fn a_rotten_block_is_found_before_anything_is_touched() {
    let mut net = Net::up("rotten");
    let nodes = net.nodes();
    net.act(&nodes);
    net.testnet.stop(4).unwrap();
    let config = net.testnet.config(4).unwrap();
    let genesis = Arc::new(config.read_genesis().unwrap().genesis);
    // The segment is closed, as it would be after 64 MiB: a start reads no more than its index.
    let limits = Limits {
        segment_bytes: 1_000,
        ..Limits::default()
    };
    let disk = || Arc::new(RealDisk);
    let folder = config.journal();
    let (mut journal, _) = Journal::open_with(disk(), &folder, genesis.hash(), limits).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let good = net.testnet.dir.join("good");
    backup::backup(&config.data, genesis.hash(), &good).unwrap();
    // A backup can be looked at where a journal is, too.
    backup::restore(&good, &config, true).unwrap();
    let name = "blocks-0000000001.seg";
    let rot = |segment: &Path| {
        let mut bytes = std::fs::read(segment).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(segment, bytes).unwrap();
    };
    rot(&config.journal().join(name));
    drop(Journal::open(disk(), &folder, genesis.hash()).unwrap());
    let findings = doctor::examine(&net.testnet.config_path(4));
    let told = |finding: &doctor::Finding| {
        finding.weight == "trouble" && finding.what.contains("damaged at byte")
    };
    assert!(findings.iter().any(told), "{findings:#?}");
    // A backup whose list was made after the bit had flipped.
    let bad = net.testnet.dir.join("bad");
    copy(&good, &bad);
    rot(&bad.join("journal").join(name));
    let list = bad.join(backup::LIST);
    let mut files: backup::Backup =
        toml::from_str(&std::fs::read_to_string(&list).unwrap()).unwrap();
    for file in &mut files.files {
        file.sha256 = sha256(&std::fs::read(bad.join(&file.path)).unwrap()).to_hex();
    }
    std::fs::write(&list, toml::to_string(&files).unwrap()).unwrap();
    let told = backup::restore(&bad, &config, true).unwrap_err();
    assert!(told.to_string().contains("damaged at byte"), "{told}");
    let to = net.testnet.dir.join("rotten");
    let told = backup::backup(&config.data, genesis.hash(), &to).unwrap_err();
    assert!(told.to_string().contains("damaged at byte"), "{told}");
    assert!(!to.exists());
    let told = open::open(&config, &genesis, true).err().unwrap();
    assert!(told.to_string().contains("damaged at byte"), "{told}");
    assert!(
        config.store().join("db").exists(),
        "the store was thrown away"
    );

    // A restore that was cut off leaves no journal behind, and is done again.
    std::fs::remove_dir_all(&config.data).unwrap();
    let part = config.data.join("journal.part");
    std::fs::create_dir_all(&part).unwrap();
    std::fs::write(part.join("blocks-000001.seg"), b"a part").unwrap();
    backup::restore(&good, &config, false).unwrap();
    net.testnet.start(4).unwrap();
    for _ in 0..4 {
        net.act(&nodes);
    }
    net.check(&nodes);
}
