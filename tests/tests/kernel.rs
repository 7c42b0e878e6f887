//! What one bad validator, one bad member or a bad day must not be able to do to a chain
//! (RULINGS A37 to A41, A43). `docs/results/kernel.md` has the table of attacks; `tests/planted` takes
//! each mend back and sees the attack succeed.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollbook_node::config::Config;
use rollbook_node::disk::{Disk, DiskError, DiskFile, DiskLock, RealDisk};
use rollbook_node::journal::Journal;
use rollbook_node::runtime::doctor;
use rollbook_node::runtime::open::open_on;
use rollbook_proof::log::Clock;
use rollbook_tests::sim::{attacks, relay};
use rollbook_tests::testnet::Net;

fn fails(attack: Result<(), String>) {
    attack.unwrap_or_else(|what| panic!("{what}"));
}

#[test]
fn time_is_judged_by_the_message() {
    fails(attacks::time_is_judged_by_the_message(&|_| {}));
}

#[test]
fn a_lead_is_followed_and_never_added_to() {
    fails(attacks::a_lead_is_followed_and_never_added_to(&|_| {}));
}

#[test]
fn a_poisoned_cosignature() {
    fails(attacks::a_poisoned_cosignature(&|_| {}));
}

#[test]
fn records_that_do_not_apply() {
    fails(attacks::records_that_do_not_apply(&|_| {}));
}

#[test]
fn a_flood_of_one_member() {
    fails(attacks::a_flood_of_one_member(&|_| {}));
}

#[test]
fn lying_and_slow_peers() {
    fails(attacks::lying_and_slow_peers(&|_| {}));
}

#[test]
fn answers_across_handovers() {
    fails(attacks::answers_across_handovers(&|_| {}));
}

#[test]
fn few_validators_ask_all() {
    fails(attacks::few_validators_ask_all(&|_| {}));
}

#[test]
fn two_restores_on_a_quiet_chain() {
    fails(attacks::two_restores_on_a_quiet_chain(&|_| {}));
}

#[test]
fn height_zero() {
    fails(attacks::height_zero(&|_| {}));
}

#[test]
fn a_clone() {
    fails(attacks::a_clone(&|_| {}));
}

#[test]
fn invented_ids() {
    fails(attacks::invented_ids(&|_| {}));
}

#[test]
fn unsigned_frames_wake_nobody() {
    fails(attacks::unsigned_frames_wake_nobody(&|_| {}));
}

#[test]
fn a_polka_needs_a_quorum() {
    fails(attacks::a_polka_needs_a_quorum(&|_| {}));
}

#[test]
fn unproved_heights() {
    fails(attacks::unproved_heights(&|_| {}));
}

#[test]
fn a_cosignature_without_its_log_line() {
    fails(attacks::a_cosignature_without_its_log_line(&|_| {}));
}

#[test]
fn a_second_life_remembers_the_doubt() {
    fails(attacks::a_second_life_remembers_the_doubt(&|_| {}));
}

#[test]
fn what_others_signed_outlives_the_process() {
    fails(attacks::what_others_signed_outlives_the_process(&|_| {}));
}

#[test]
fn what_a_node_a_height_back_passes_on() {
    fails(relay::what_a_node_a_height_back_passes_on(&|_| {}));
}

#[test]
fn a_mixed_batch() {
    fails(relay::a_mixed_batch(&|_| {}));
}

#[test]
fn a_peer_that_comes_and_goes() {
    fails(relay::a_peer_that_comes_and_goes(&|_| {}));
}

/// The real disk in another boot of the machine.
struct Rebooted(RealDisk);

impl Disk for Rebooted {
    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.0.create_dir(dir)
    }
    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        self.0.list(dir)
    }
    fn create(&self, path: &Path) -> Result<Box<dyn DiskFile>, DiskError> {
        self.0.create(path)
    }
    fn open(&self, path: &Path) -> Result<Box<dyn DiskFile>, DiskError> {
        self.0.open(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        self.0.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.0.sync_dir(dir)
    }
    fn lock(&self, path: &Path) -> Result<Box<dyn DiskLock>, DiskError> {
        self.0.lock(path)
    }
    fn boot_id(&self) -> [u8; 16] {
        [7; 16]
    }
    fn fresh_id(&self) -> [u8; 16] {
        self.0.fresh_id()
    }
}

/// The machine went down without a clean stop: the store is made again from the journal, also by the
/// next start if this one dies before it is done, and once it is done no more.
#[test]
fn a_suspect_store_is_made_again() {
    let plan = rollbook_sandbox::testnet::Plan::new("suspect", 4, 4, Clock::Sample).unwrap();
    let net = Net::run_by(plan, Path::new("never started"));
    let config = Config::read(&net.testnet.config_path(1), true).unwrap();
    let genesis = Arc::new(config.read_genesis().unwrap().genesis);
    let made = |disk: Arc<dyn Disk>| {
        let opened = open_on(disk, &config, &genesis, false).unwrap();
        opened.rebuilt
    };
    let rebooted = || Arc::new(Rebooted(RealDisk));
    assert!(!made(Arc::new(RealDisk)), "there is no store yet");
    assert!(!made(Arc::new(RealDisk)), "the same boot vouches for it");
    // A start that dies between opening the journal and the end of the rebuild.
    drop(Journal::open(rebooted(), &config.journal(), genesis.hash()).unwrap());
    assert!(made(rebooted()), "lost writes may be in it");
    assert!(!made(rebooted()), "it is settled");
}

/// Every file in a folder, with its bytes.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            files.extend(content(&entry.path()));
            files.insert(entry.path(), Vec::new());
        } else {
            files.insert(entry.path(), std::fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// A doctor changes nothing, not a byte of the data folder: a clean stop stays one in the next boot of the
/// machine, a store that cannot be used is named, and the next start makes it again. While the store is
/// there and the journal is not, somebody has taken the journal away.
#[test]
fn a_doctor_changes_nothing() {
    let plan = rollbook_sandbox::testnet::Plan::new("doctor", 4, 4, Clock::Sample).unwrap();
    let net = Net::run_by(plan, Path::new("never started"));
    let path = net.testnet.config_path(1);
    let config = Config::read(&path, true).unwrap();
    let genesis = Arc::new(config.read_genesis().unwrap().genesis);
    let told = |words: &str| {
        let before = content(&config.data);
        let findings = doctor::examine(&path);
        let told = findings.iter().any(|finding| finding.what.contains(words));
        assert!(told, "'{words}' is not told: {findings:#?}");
        let after = content(&config.data);
        let names = after
            .keys()
            .filter(|name| after.get(*name) != before.get(*name));
        assert!(after == before, "changed: {:?}", names.collect::<Vec<_>>());
    };
    std::fs::create_dir_all(&config.data).unwrap();
    told("there is no journal yet");
    let mut opened = open_on(Arc::new(RealDisk), &config, &genesis, false).unwrap();
    opened.journal.note_clean_stop().unwrap();
    drop(opened);
    told("journal and store agree at block 0");
    told("journal and store agree at block 0");
    let mut opened = open_on(Arc::new(Rebooted(RealDisk)), &config, &genesis, false).unwrap();
    assert!(!opened.rebuilt, "the clean stop was forgotten");
    opened.journal.note_clean_stop().unwrap();
    drop(opened);

    // A store that is suspect: keys and clock are compared with it all the same.
    drop(open_on(Arc::new(Rebooted(RealDisk)), &config, &genesis, false).unwrap());
    told("the machine went down without a clean stop");
    told("journal and store agree at block 0");

    std::fs::write(config.store().join("conf"), b"nothing of the kind").unwrap();
    for _ in 0..2 {
        told("the next start makes the store again");
        told("keys and clock were not compared");
    }
    let opened = open_on(Arc::new(RealDisk), &config, &genesis, false).unwrap();
    assert!(opened.rebuilt);
    drop(opened);
    told("journal and store agree at block 0");
    std::fs::remove_dir_all(config.journal()).unwrap();
    told("the journal is gone");
    // An empty folder is no journal, and none is made of it: a restore would refuse it.
    std::fs::create_dir(config.journal()).unwrap();
    told("the journal is gone");
}

fn peer(organisation: u32) -> serde_json::Value {
    serde_json::json!({
        "address": "a", "connected": true, "last_error": null, "organisation": organisation,
        "peer": "p", "validator": true,
    })
}

/// What a node of four validators tells when all is well: at block 20, level and receipted.
fn well() -> serde_json::Value {
    const TEXT: &str = r#"{
        "behind": [], "block": "1a", "body_missing": null, "clock": "wall", "clock_off_ms": null,
        "clock_warning": null,
        "counts": {"admitted": 4, "blocks": 20, "records": 40, "refused": 0, "unsent": 0},
        "foreign_statement": null, "fork_alarm": null, "founders_missing": 0, "genesis": "03",
        "guard_refusals": 0, "height": 20, "keys_unknown": [], "listen": null, "log_size": 99,
        "node": "validator", "now_ms": 1000000, "organisation": 1, "out_of_bounds": 0, "parked": 0,
        "phase": "running", "pool": 0, "program": "0",
        "protocol": {"coming": null, "in_force": 1, "known": 1, "support": {}},
        "quorum": 3, "receipted": 20, "restored": [], "round": 0, "sample": false,
        "since_block_s": 1, "state_root": "53", "stored": 20, "time_ms": 999000, "turn": 2,
        "under_way_s": 0, "validator": true, "validators": [1, 2, 3, 4], "validators_connected": 4,
        "votes": true, "votes_from": 1, "wanted": false
    }"#;
    let mut status: serde_json::Value = serde_json::from_str(TEXT).unwrap();
    status["peers"] = [2, 3, 4].map(peer).to_vec().into();
    status
}

/// The halts of the fault campaign in which every doctor said good (RULINGS A43): each is trouble, and is
/// told in words that name it.
#[test]
fn a_doctor_never_says_good_of_a_halted_chain() {
    let found = |changes: serde_json::Value| {
        let mut status = well();
        for (name, value) in changes.as_object().unwrap() {
            status[name] = value.clone();
        }
        let status = serde_json::from_value(status).unwrap();
        let mut findings = Vec::new();
        doctor::running(&status, &mut findings);
        (findings, doctor::stands_still(&status))
    };
    let (findings, stands) = found(serde_json::json!({}));
    assert!(
        !stands && findings.iter().all(|finding| finding.weight == "good"),
        "{findings:?}"
    );

    let restored = |who: u32| serde_json::json!({"organisation": who, "votes_from": 23});
    let restored = vec![restored(3), restored(4)];
    let mut away = peer(2);
    away["connected"] = false.into();
    let halts = [
        (
            "records wait and no block comes",
            serde_json::json!({"wanted": true, "pool": 24, "since_block_s": 155, "round": 9}),
            "block 21 does not come",
        ),
        (
            "a height is under way for long",
            serde_json::json!({"under_way_s": 40, "round": 1}),
            "block 21 does not come",
        ),
        (
            "two were restored",
            serde_json::json!({"restored": restored}),
            "nobody can go on: 2 of the validators here vote",
        ),
        (
            "receipts stand still",
            serde_json::json!({"height": 352, "stored": 352, "receipted": 328}),
            "receipts stand at block 328",
        ),
        (
            "three are away, or this one is cut off",
            serde_json::json!({"validators_connected": 1, "peers": [away]}),
            "the chain stands still: 1 validators are here",
        ),
    ];
    for (what, changes, words) in halts {
        let (findings, stands) = found(changes);
        let trouble = findings.iter().find(|finding| finding.weight == "trouble");
        let told = trouble.is_some_and(|finding| finding.what.contains(words));
        assert!(stands && told, "{what}: {findings:#?}");
    }

    // What is wrong with this node alone.
    let own = [
        (
            serde_json::json!({"keys_unknown": ["cosigner"]}),
            "other keys for this node: cosigner",
        ),
        (
            serde_json::json!({"foreign_statement": 19}),
            "somebody signed with this node's key",
        ),
        (
            serde_json::json!({"clock_warning": "20 s ahead"}),
            "20 s ahead",
        ),
    ];
    for (changes, words) in own {
        let (findings, stands) = found(changes);
        let trouble = findings.iter().find(|finding| finding.weight == "trouble");
        let told = trouble.is_some_and(|finding| finding.what.contains(words));
        assert!(told && !stands, "{findings:#?}");
    }
    let late = serde_json::json!([
        {"missed": 1, "organisation": 1, "since": 18, "until": 25},
        {"missed": 3, "organisation": 4, "since": 19, "until": 50},
    ]);
    let (findings, stands) = found(serde_json::json!({ "behind": late }));
    assert!(!stands, "{findings:?}");
    for words in [
        "the others propose before this node from block 18 to block 25",
        "organisation O-0004 proposes after the others from block 19 to block 50: it missed 3 turns",
    ] {
        let told =
            |finding: &doctor::Finding| finding.weight == "note" && finding.what.contains(words);
        assert!(findings.iter().any(told), "{findings:#?}");
    }
}
