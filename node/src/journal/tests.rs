//! The calls of the journal, one by one.

use std::path::Path;

use rollbook_proof::crypto::{Hash, Keypair, sha256};
use rollbook_proof::number::Height;

use super::*;
use crate::disk::{DiskOp, Fault, FaultKind, RealDisk, SimDisk};

pub(super) const DIR: &str = "/node/journal";
pub(super) const CHAIN: Hash = Hash([7; 32]);

pub(super) fn small() -> Limits {
    Limits {
        segment_bytes: 3_000,
        votes_bytes: 1_500,
    }
}

pub(super) fn open(disk: &SimDisk) -> Result<(Journal, Recovered), Stop> {
    Journal::open_with(Arc::new(disk.clone()), Path::new(DIR), CHAIN, small())
}

/// A body of height `height` with some length of its own.
pub(super) fn body(height: u64, variant: u64) -> Vec<u8> {
    let length = 40 + (height * 37 + variant * 11) % 300;
    (0..length)
        .map(|at| (at ^ height ^ (variant << 3)) as u8)
        .collect()
}

pub(super) fn seal(height: u64) -> Vec<u8> {
    format!("seal of {height}").into_bytes()
}

pub(super) fn certificate(height: u64) -> Vec<u8> {
    format!("certificate of {height}").into_bytes()
}

pub(super) fn vote(height: u64, round: u32, step: Step, value: &str) -> Vec<u8> {
    format!("{height}/{round}/{step}/{value}").into_bytes()
}

/// A height as the replica runs it: body, prevote, precommit, decision.
fn decide(journal: &mut Journal, height: u64) {
    let BodyAnswer::Stored(digest) = journal
        .append_body(Height(height), &body(height, 0))
        .unwrap()
    else {
        panic!("stored")
    };
    journal.append_wal(Height(height), b"proposal").unwrap();
    journal.sync_blocks().unwrap();
    for step in [Step::Prevote, Step::Precommit] {
        journal
            .append_wal(Height(height), step.to_string().as_bytes())
            .unwrap();
        let verdict = journal
            .prepare(&CHAIN, Height(height), 0, step, &vote(height, 0, step, "a"))
            .unwrap();
        let durable = journal.sync().unwrap();
        let _ = verdict.prepared().unwrap().token(&durable).unwrap();
    }
    journal
        .append_wal(Height(height), b"precommit of another")
        .unwrap();
    journal
        .append_decision(Height(height), &seal(height), &certificate(height), digest)
        .unwrap();
    journal.sync().unwrap();
}

fn assert_blocks(journal: &Journal, tip: u64) {
    let blocks: Vec<DecidedBlock> = journal
        .iter_from(Height(1))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(blocks.len() as u64, tip);
    for (height, block) in (1..).zip(blocks) {
        let expected = DecidedBlock {
            height: Height(height),
            seal: seal(height),
            certificate: certificate(height),
            body: body(height, 0),
        };
        assert_eq!(block, expected);
    }
}

#[test]
fn a_height_costs_four_syncs_and_comes_back() {
    let disk = SimDisk::new();
    let (mut journal, recovered) = open(&disk).unwrap();
    assert!(
        recovered.guard_is_new
            && !recovered.clean_stop
            && recovered.tip == Height(0)
            && recovered.wal.is_empty()
    );
    journal.note_store_settled().unwrap();
    let before = disk.syncs();
    decide(&mut journal, 1);
    assert_eq!(disk.syncs() - before, 4);
    for height in 2..=40 {
        decide(&mut journal, height);
    }
    assert_eq!(
        (journal.tip(), journal.durable_tip()),
        (Height(40), Height(40))
    );
    assert_blocks(&journal, 40);
    assert_eq!(journal.read_block(Height(0)).unwrap(), None);
    assert_eq!(journal.read_block(Height(41)).unwrap(), None);
    assert_eq!(journal.iter_from(Height(38)).count(), 3);
    let names = disk.list(Path::new(DIR)).unwrap();
    assert!(
        names
            .iter()
            .filter(|name| name.starts_with("blocks-") && name.ends_with(".seg"))
            .count()
            > 3,
        "{names:?}"
    );
    assert_eq!(
        names
            .iter()
            .filter(|name| name.starts_with("votes-"))
            .count(),
        1,
        "older votes files are gone: {names:?}"
    );
    assert!(journal.verify().unwrap() > 9_000);

    journal.append_wal(Height(41), b"one").unwrap();
    journal.append_wal(Height(41), b"two").unwrap();
    journal.append_body(Height(41), &body(41, 3)).unwrap();
    journal.append_body(Height(41), &body(41, 5)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    disk.kill();

    let (journal, recovered) = open(&disk).unwrap();
    assert_eq!(
        (
            recovered.tip,
            recovered.guard_is_new,
            recovered.clean_stop,
            recovered.boot_id_changed
        ),
        (Height(40), false, false, false)
    );
    assert_eq!(recovered.wal, [b"one".to_vec(), b"two".to_vec()]);
    let mut bodies: Vec<Vec<u8>> = recovered
        .undecided
        .iter()
        .map(|(_, body)| body.clone())
        .collect();
    bodies.sort();
    let mut expected = vec![body(41, 3), body(41, 5)];
    expected.sort();
    assert_eq!(bodies, expected);
    assert_eq!(
        recovered.guard.slot,
        Some(Slot {
            height: Height(40),
            round: 0,
            step: Step::Precommit
        })
    );
    assert!(
        recovered.cuts.is_empty() && recovered.rebuilt.is_empty(),
        "{recovered:?}"
    );
    assert!(!recovered.store_is_suspect());
    assert_blocks(&journal, 40);
}

#[test]
fn a_real_disk_does_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let open = || Journal::open_with(Arc::new(RealDisk), &dir, CHAIN, small());
    let (mut journal, _) = open().unwrap();
    (1..=12).for_each(|height| decide(&mut journal, height));
    let second = open().unwrap_err();
    assert_eq!(second.kind, StopKind::Locked);
    assert!(
        second.to_string().contains("is in use")
            && second.to_string().contains("stop the other process"),
        "{second}"
    );
    journal.note_clean_stop().unwrap();
    assert_eq!(
        journal.append_wal(Height(13), b"late").unwrap_err().kind,
        StopKind::Closed
    );
    drop(journal);
    let (journal, recovered) = open().unwrap();
    assert!(recovered.clean_stop && recovered.tip == Height(12));
    assert_blocks(&journal, 12);
}

#[test]
fn a_clean_stop_and_a_new_boot_are_told_apart() {
    let disk = SimDisk::new();
    let (mut journal, recovered) = open(&disk).unwrap();
    assert!(
        recovered.store_is_suspect(),
        "with a new journal nothing vouches for a store"
    );
    decide(&mut journal, 1);
    journal.note_clean_stop().unwrap();
    disk.power_cut(1);
    let (_, recovered) = open(&disk).unwrap();
    assert!(recovered.clean_stop && recovered.boot_id_changed && !recovered.store_is_suspect());
    disk.power_cut(2);
    let (_, recovered) = open(&disk).unwrap();
    assert!(!recovered.clean_stop && recovered.boot_id_changed && recovered.store_is_suspect());
    // Killed before the store was made again: it is as suspect as before.
    disk.kill();
    let (mut journal, recovered) = open(&disk).unwrap();
    assert!(recovered.store_is_suspect());
    journal.note_store_settled().unwrap();
    disk.kill();
    let (_, recovered) = open(&disk).unwrap();
    assert!(!recovered.boot_id_changed && !recovered.store_is_suspect());
}

fn refusal(journal: &mut Journal, height: u64, round: u32, step: Step, value: &str) -> Refused {
    journal
        .prepare(
            &CHAIN,
            Height(height),
            round,
            step,
            &vote(height, round, step, value),
        )
        .unwrap()
        .prepared()
        .unwrap_err()
}

fn sign(journal: &mut Journal, height: u64, round: u32, step: Step, value: &str) {
    let key = Keypair::derive(b"test", "consensus");
    let bytes = vote(height, round, step, value);
    let prepared = journal
        .prepare(&CHAIN, Height(height), round, step, &bytes)
        .unwrap()
        .prepared()
        .unwrap();
    let durable = journal.sync().unwrap();
    let token = prepared.token(&durable).unwrap();
    assert_eq!(token.bytes(), bytes);
    key.public()
        .verify(&bytes, &sign_with(token, &key))
        .unwrap();
}

#[test]
fn the_guard_allows_the_same_bytes_and_nothing_else() {
    use Step::*;
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    for restarted in [false, true] {
        if restarted {
            disk.kill();
            journal = open(&disk).unwrap().0;
        }
        sign(&mut journal, 1, 0, Prevote, "a");
        sign(&mut journal, 1, 1, Proposal, "a");
        sign(&mut journal, 1, 1, Precommit, "a");
        sign(&mut journal, 1, 0, Prevote, "a");
        let slot = Slot {
            height: Height(1),
            round: 0,
            step: Prevote,
        };
        assert_eq!(
            refusal(&mut journal, 1, 0, Prevote, "b"),
            Refused::Conflict { slot }
        );
        let high = Slot {
            height: Height(1),
            round: 1,
            step: Precommit,
        };
        assert_eq!(
            refusal(&mut journal, 1, 1, Precommit, "b"),
            Refused::Conflict { slot: high }
        );
        let slot = Slot {
            height: Height(1),
            round: 1,
            step: Prevote,
        };
        assert_eq!(
            refusal(&mut journal, 1, 1, Prevote, "a"),
            Refused::BelowHighWater { slot, high }
        );
        assert_eq!(
            refusal(&mut journal, 2, 0, Prevote, "a"),
            Refused::AboveTip {
                height: Height(2),
                tip: Height(0)
            }
        );
        let other = journal
            .prepare(&Hash([8; 32]), Height(1), 2, Prevote, b"x")
            .unwrap()
            .prepared()
            .unwrap_err();
        assert!(matches!(other, Refused::OtherChain { .. }));
        let long = journal
            .prepare(&CHAIN, Height(1), 2, Prevote, &[0; MAX_STATEMENT + 1])
            .unwrap()
            .prepared()
            .unwrap_err();
        assert_eq!(long, Refused::TooLong(MAX_STATEMENT + 1));
    }
    let again = journal
        .prepare(&CHAIN, Height(1), 1, Precommit, &vote(1, 1, Precommit, "a"))
        .unwrap();
    assert!(matches!(again, Verdict::AlreadySigned(_)));
    let _ = again.prepared().unwrap().token(&journal.durable()).unwrap();

    journal.raise_guard(Height(3)).unwrap();
    assert_eq!(
        refusal(&mut journal, 1, 2, Prevote, "a"),
        Refused::BelowFloor {
            height: Height(1),
            floor: Height(3)
        }
    );
    journal.raise_guard(Height(2)).unwrap();
    journal.sync().unwrap();
    disk.power_cut(3);
    let (mut journal, recovered) = open(&disk).unwrap();
    assert_eq!(recovered.guard.floor, Height(3));
    assert_eq!(
        refusal(&mut journal, 1, 2, Prevote, "a"),
        Refused::BelowFloor {
            height: Height(1),
            floor: Height(3)
        }
    );
}

#[test]
fn checkpoints_only_grow() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    let (root, other) = (Hash([1; 32]), Hash([2; 32]));
    for _ in 0..2 {
        for (size, root, allowed) in [
            (10, root, true),
            (10, other, false),
            (9, root, false),
            (10, root, true),
        ] {
            let verdict = journal
                .prepare_checkpoint(&CHAIN, size, root, b"time 1")
                .unwrap();
            let durable = journal.sync().unwrap();
            match verdict.prepared() {
                Ok(prepared) => {
                    assert!(allowed && prepared.token(&durable).unwrap().bytes() == b"time 1")
                }
                Err(refused) => assert!(
                    !allowed && refused == Refused::CheckpointConflict { size, recorded: 10 }
                ),
            }
        }
        disk.power_cut(4);
        let recovered;
        (journal, recovered) = open(&disk).unwrap();
        assert_eq!(recovered.guard.checkpoint, Some((10, root)));
    }
    let later = journal
        .prepare_checkpoint(&CHAIN, 11, other, b"time 2")
        .unwrap();
    assert!(matches!(later, Verdict::Prepared(_)));
}

#[test]
fn a_token_needs_a_sync_of_the_same_journal_that_covers_it() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    let early = journal.sync().unwrap();
    let prepared = journal
        .prepare(&CHAIN, Height(1), 0, Step::Prevote, b"a")
        .unwrap()
        .prepared()
        .unwrap();
    let prepared = prepared.token(&early).unwrap_err();
    let prepared = prepared.token(&journal.sync_blocks().unwrap()).unwrap_err();
    let foreign = SimDisk::new();
    let (mut other, _) = Journal::open(Arc::new(foreign), Path::new("/other"), CHAIN).unwrap();
    let _ = other
        .prepare(&CHAIN, Height(1), 0, Step::Prevote, b"a")
        .unwrap();
    // Ids of two simulated disks are equal by construction; a real one draws them.
    other.session = [1; 16];
    let prepared = prepared.token(&other.sync().unwrap()).unwrap_err();
    let _ = prepared.token(&journal.sync().unwrap()).unwrap();
}

#[test]
fn a_restored_node_has_a_new_guard_and_goes_on() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    (1..=15).for_each(|height| decide(&mut journal, height));
    let first = journal.instance();
    disk.kill();
    for name in disk
        .list(Path::new(DIR))
        .unwrap()
        .iter()
        .filter(|name| name.starts_with("votes-"))
    {
        disk.lose(&Path::new(DIR).join(name));
    }
    let (mut journal, recovered) = open(&disk).unwrap();
    assert!(
        recovered.guard_is_new && recovered.tip == Height(15) && recovered.guard.slot.is_none()
    );
    assert_ne!(journal.instance(), first);
    assert!(matches!(
        refusal(&mut journal, 15, 9, Step::Prevote, "b"),
        Refused::BelowFloor { .. }
    ));
    (16..=30).for_each(|height| decide(&mut journal, height));
    for seed in 0..4 {
        disk.power_cut(seed);
        let (journal, recovered) = open(&disk).unwrap();
        assert!(!recovered.guard_is_new);
        assert_blocks(&journal, 30);
    }
}

#[test]
fn calls_out_of_order_are_refused_and_change_nothing() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    for stop in [
        journal.append_body(Height(2), b"x").unwrap_err(),
        journal.append_body(Height(0), b"x").unwrap_err(),
        journal
            .append_body(Height(1), &vec![0; MAX_BODY + 1])
            .unwrap_err(),
        journal.append_wal(Height(2), b"x").unwrap_err(),
        journal
            .append_wal(Height(1), &vec![0; MAX_ENTRY + 1])
            .unwrap_err(),
        journal
            .append_decision(Height(1), b"s", b"c", sha256(b"none"))
            .unwrap_err(),
    ] {
        assert_eq!(stop.kind, StopKind::Misuse);
    }
    for variant in 0..MAX_UNDECIDED as u64 {
        assert!(matches!(
            journal.append_body(Height(1), &body(1, variant)).unwrap(),
            BodyAnswer::Stored(_)
        ));
    }
    assert!(matches!(
        journal.append_body(Height(1), &body(1, 0)).unwrap(),
        BodyAnswer::Known(_)
    ));
    assert_eq!(
        journal.append_body(Height(1), &body(1, 99)).unwrap(),
        BodyAnswer::Full
    );
    journal
        .append_decision(Height(1), &seal(1), &certificate(1), sha256(&body(1, 0)))
        .unwrap();
    assert_eq!(
        journal.read_block(Height(1)).unwrap(),
        None,
        "not durable yet"
    );
    journal.sync().unwrap();
    assert_blocks(&journal, 1);
    let largest = vec![9; MAX_BODY];
    journal.append_body(Height(2), &largest).unwrap();
    journal
        .append_decision(Height(2), &seal(2), &certificate(2), sha256(&largest))
        .unwrap();
    journal.sync().unwrap();
    assert_eq!(
        journal.read_block(Height(2)).unwrap().unwrap().body,
        largest
    );
}

#[test]
fn other_folders_are_refused_by_name() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    decide(&mut journal, 1);
    assert_eq!(open(&disk).unwrap_err().kind, StopKind::Locked);
    disk.kill();
    let foreign = Journal::open(Arc::new(disk.clone()), Path::new(DIR), Hash([9; 32])).unwrap_err();
    assert_eq!(foreign.kind, StopKind::Foreign);
    assert!(
        foreign.to_string().contains("belongs to another chain"),
        "{foreign}"
    );
    disk.kill();

    // The guard of another node of the same chain.
    let other = SimDisk::new();
    let _ = other.fresh_id();
    let (mut elsewhere, _) = open(&other).unwrap();
    decide(&mut elsewhere, 1);
    let name = FileKind::Votes.name(1);
    let path = Path::new(DIR).join(&name);
    disk.put(&path, &other.bytes(&path).unwrap());
    let stop = open(&disk).unwrap_err();
    assert_eq!(stop.kind, StopKind::Foreign);
    assert!(
        stop.to_string().contains("sign guard of another node"),
        "{stop}"
    );
}

#[test]
fn lost_files_are_named() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    (1..=30).for_each(|height| decide(&mut journal, height));
    disk.kill();
    let names = disk.list(Path::new(DIR)).unwrap();
    for name in names.iter().filter(|name| name.ends_with(".seg")) {
        let image = disk.fork();
        image.lose(&Path::new(DIR).join(name));
        match open(&image) {
            Err(stop) => {
                assert_eq!(stop.kind, StopKind::Damage, "{name}");
                assert!(stop.next.contains("rollbook node restore"));
            }
            // The last segment may hold no frame yet; then nothing is lost with it, and it is made
            // again.
            Ok((journal, _)) => {
                assert_eq!(
                    disk.bytes(&Path::new(DIR).join(name)).unwrap().len() as u64,
                    frame::HEADER
                );
                assert_blocks(&journal, 30);
            }
        }
    }
    // Index files are derived: lost, cut or wrong, they are written again.
    for (at, name) in names
        .iter()
        .filter(|name| name.ends_with(".idx"))
        .enumerate()
    {
        let image = disk.fork();
        let path = Path::new(DIR).join(name);
        match at % 3 {
            0 => assert!(image.lose(&path)),
            1 => image.put(&path, &image.bytes(&path).unwrap()[..20]),
            _ => assert!(image.damage(&path, 150, 4)),
        }
        let (journal, recovered) = open(&image).unwrap();
        assert_eq!(recovered.rebuilt, std::slice::from_ref(&path));
        assert_blocks(&journal, 30);
        assert_eq!(image.bytes(&path), disk.bytes(&path));
    }
}

#[test]
fn a_failed_write_or_sync_stops_the_journal_for_good() {
    for (op, kind, expected) in [
        (DiskOp::Append, FaultKind::Full, StopKind::Full),
        (DiskOp::Append, FaultKind::Io, StopKind::Disk),
        (DiskOp::Sync, FaultKind::Io, StopKind::Disk),
    ] {
        let disk = SimDisk::new();
        let (mut journal, _) = open(&disk).unwrap();
        decide(&mut journal, 1);
        disk.inject(Fault {
            op: Some(op),
            after: 0,
            kind,
        });
        let prepared = journal
            .prepare(&CHAIN, Height(2), 0, Step::Prevote, b"a")
            .unwrap()
            .prepared()
            .unwrap();
        let stop = journal.sync().unwrap_err();
        assert_eq!(stop.kind, expected);
        assert!(
            stop.why.contains("votes-") && !stop.next.is_empty(),
            "{stop}"
        );
        disk.clear_faults();
        let syncs = disk.syncs();
        assert_eq!(journal.sync().unwrap_err(), stop);
        assert_eq!(journal.append_wal(Height(2), b"x").unwrap_err(), stop);
        assert_eq!(
            journal
                .prepare(&CHAIN, Height(2), 0, Step::Prevote, b"b")
                .unwrap_err(),
            stop
        );
        assert_eq!(disk.syncs(), syncs, "not tried again");
        assert!(
            prepared.token(&journal.durable()).is_err(),
            "no token after a failure"
        );
        assert_blocks(&journal, 1);
    }
}

/// The bytes of a file are a format: this digest changes only with the version.
#[test]
fn golden_files() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    decide(&mut journal, 1);
    journal.note_clean_stop().unwrap();
    let digest = |name: String| sha256(&disk.bytes(&Path::new(DIR).join(name)).unwrap()).short();
    let found = (
        digest(FileKind::Blocks.name(1)),
        digest(FileKind::Votes.name(1)),
    );
    assert_eq!(found, ("3ee70408".into(), "9fb1d969".into()));
}

/// Files that were taken away are missed, the guard's like the blocks'; a folder that cannot be read for
/// want of descriptors or by a fault says nothing (RULINGS A43).
#[test]
fn files_are_missed_where_a_folder_can_be_read_and_nowhere_else() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    decide(&mut journal, 1);
    assert!(journal.is_in_place());
    disk.inject(Fault {
        op: Some(DiskOp::List),
        after: 0,
        kind: FaultKind::Io,
    });
    assert!(journal.is_in_place(), "no file was taken away");
    disk.clear_faults();
    for kind in ["blocks", "votes"] {
        let disk = disk.fork();
        disk.kill();
        let (mut journal, _) = open(&disk).unwrap();
        decide(&mut journal, 2);
        let names = disk.list(Path::new(DIR)).unwrap();
        let name = |name: &&String| name.starts_with(kind) && !name.ends_with("idx");
        let newest = names.iter().rfind(name).unwrap();
        assert!(disk.lose(&Path::new(DIR).join(newest)));
        assert!(!journal.is_in_place(), "{newest}");
    }
}

/// A look finds what an opening would find, and makes not one call that changes the disk: a clean stop
/// stays one, an unfinished end stays where it is, a folder without a journal gets none.
#[test]
fn a_look_changes_nothing() {
    let disk = SimDisk::new();
    let look = |disk: &SimDisk| Journal::look(Arc::new(disk.clone()), Path::new(DIR), CHAIN);
    assert!(look(&disk).unwrap().is_none(), "there is no folder");
    disk.create_dir(Path::new(DIR)).unwrap();
    assert!(look(&disk).unwrap().is_none(), "there is no journal in it");

    let (mut journal, _) = open(&disk).unwrap();
    // Some segments are closed.
    (1..=30).for_each(|height| decide(&mut journal, height));
    let blocks: Vec<_> = (1..=30)
        .map(|n| journal.read_block(Height(n)).unwrap())
        .collect();
    journal.note_clean_stop().unwrap();
    drop(journal);
    disk.power_cut(1);
    let before = disk.operations();
    for _ in 0..2 {
        let seen = look(&disk).unwrap().unwrap();
        assert_eq!(seen.tip(), Height(30));
        assert!(!seen.store_is_suspect && seen.torn.is_empty());
        let found = (1..=30).map(|n| seen.read_block(Height(n)).unwrap());
        assert!(found.eq(blocks.iter().cloned()), "the same blocks");
        assert_eq!(seen.read_block(Height(0)).unwrap(), None);
        assert_eq!(seen.read_block(Height(31)).unwrap(), None);
    }
    assert_eq!(disk.operations(), before);
    let (journal, recovered) = open(&disk).unwrap();
    assert!(recovered.clean_stop && !recovered.store_is_suspect());
    drop(journal);

    // Without a clean stop, in another boot; and with an end that is not whole.
    disk.power_cut(2);
    assert!(look(&disk).unwrap().unwrap().store_is_suspect);
    let names = disk.list(Path::new(DIR)).unwrap();
    let last = names.iter().rfind(|name| name.ends_with("seg"));
    let last = Path::new(DIR).join(last.unwrap());
    let torn = [disk.bytes(&last).unwrap(), vec![9; 7]].concat();
    disk.put(&last, &torn);
    let before = disk.operations();
    let seen = look(&disk).unwrap().unwrap();
    assert_eq!((seen.torn[0].bytes, disk.operations()), (7, before));
    assert_eq!(disk.bytes(&last).unwrap(), torn);
    drop(seen);

    // One bit of a closed segment.
    let first = Path::new(DIR).join(FileKind::Blocks.name(1));
    assert!(disk.damage(&first, 300, 1));
    assert_eq!(look(&disk).err().unwrap().kind, StopKind::Damage);
}
