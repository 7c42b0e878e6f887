//! What goes wrong in an operator's hands: each is refused with words and a next step, and a
//! restored node comes back safely.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use rollbook_node::config::NodeSecrets;
use rollbook_node::runtime::{admin, backup};
use rollbook_proof::number::OrganisationId;
use rollbook_tests::testnet::{Net, program};

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
