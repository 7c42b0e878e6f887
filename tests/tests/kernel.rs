//! What one bad validator, one bad member or a bad day must not be able to do to a chain
//! (RULINGS A37 to A41, A43). `docs/results/kernel.md` has the table of attacks; `tests/planted` takes
//! each mend back and sees the attack succeed.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use rollbook_node::config::Config;
use rollbook_node::disk::{Disk, DiskError, DiskFile, DiskLock, RealDisk};
use rollbook_node::journal::Journal;
use rollbook_node::runtime::open::open_on;
use rollbook_proof::log::Clock;
use rollbook_tests::sim::attacks;
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
