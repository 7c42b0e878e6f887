//! Crash images. A random workload runs on a simulated disk; the power goes at every single
//! operation; from each such moment several legal disks are made (lost, torn, reordered), opened
//! and judged against a model that knows what was acknowledged. The judges return what is wrong
//! instead of panicking, so that canaries can show that the harness can fail.

use std::collections::BTreeMap;
use std::path::Path;

use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::Height;

use super::tests::{CHAIN, DIR, body, certificate, open, seal, vote};
use super::*;
use crate::disk::{DiskOp, Fault, FaultKind, SimDisk, SplitMix};

/// What a perfect memory knows about the journal.
#[derive(Debug, Clone, Default)]
struct Model {
    /// Bodies of the decided blocks, appended or acknowledged, by height - 1.
    blocks: Vec<Vec<u8>>,
    durable_tip: u64,
    /// Bodies of tip + 1: acknowledged?
    bodies: BTreeMap<Hash, (Vec<u8>, bool)>,
    /// Log of tip + 1, and how much of it is acknowledged.
    wal: Vec<Vec<u8>>,
    durable_wal: usize,
    /// Everything that was ever signed, through all lives.
    signed: BTreeMap<Slot, Vec<u8>>,
    checkpoint: Option<(u64, Hash)>,
    /// Heights below this must not be signed.
    floor: u64,
    /// Canary: signs without waiting for the sync.
    hasty: bool,
}

impl Model {
    fn tip(&self) -> u64 {
        self.blocks.len() as u64
    }

    fn decided(&self, height: u64) -> DecidedBlock {
        let body = self.blocks[height as usize - 1].clone();
        DecidedBlock {
            height: Height(height),
            seal: seal(height),
            certificate: certificate(height),
            body,
        }
    }

    fn sign(
        &mut self,
        prepared: Prepared,
        slot: Option<Slot>,
        checkpoint: Option<(u64, Hash)>,
        journal: &Journal,
    ) -> Result<(), String> {
        let bytes = if self.hasty {
            prepared.bytes().to_vec()
        } else {
            prepared
                .token(&journal.durable())
                .map_err(|_| "no token after the sync")?
                .bytes()
                .to_vec()
        };
        if let Some(slot) = slot {
            let before = self.signed.insert(slot, bytes.clone());
            if before.is_some_and(|before| before != bytes) {
                return Err(format!("two statements signed for the {slot}"));
            }
        }
        if let Some((size, root)) = checkpoint {
            if self
                .checkpoint
                .is_some_and(|(known, other)| known > size || (known == size && other != root))
            {
                return Err(format!(
                    "checkpoint {size} signed after {:?}",
                    self.checkpoint
                ));
            }
            self.checkpoint = Some((size, root));
        }
        Ok(())
    }

    fn acknowledge(&mut self, journal: &Journal) {
        self.acknowledge_blocks();
        self.durable_wal = self.wal.len();
        assert_eq!(journal.durable_tip(), Height(self.tip()));
    }

    fn acknowledge_blocks(&mut self) {
        self.durable_tip = self.tip();
        self.bodies
            .values_mut()
            .for_each(|(_, acknowledged)| *acknowledged = true);
    }

    /// One random step of a validator. `Ok(false)`: the disk failed, and the journal said so.
    fn step(&mut self, journal: &mut Journal, chance: &mut SplitMix) -> Result<bool, String> {
        match self.try_step(journal, chance) {
            Ok(done) => done.map(|()| true),
            Err(stop) if matches!(stop.kind, StopKind::Disk | StopKind::Full) => Ok(false),
            Err(stop) => Err(stop.to_string()),
        }
    }

    fn try_step(
        &mut self,
        journal: &mut Journal,
        chance: &mut SplitMix,
    ) -> Result<Result<(), String>, Stop> {
        let height = self.tip() + 1;
        match chance.below(10) {
            0 | 1 => {
                let body = body(height, chance.below(20));
                if let BodyAnswer::Stored(digest) = journal.append_body(Height(height), &body)? {
                    self.bodies.insert(digest, (body, false));
                }
                if chance.coin() {
                    journal.sync_blocks()?;
                    self.acknowledge_blocks();
                }
            }
            2 | 3 => {
                let entry = chance.draw().to_le_bytes()[..chance.below(9) as usize].to_vec();
                journal.append_wal(Height(height), &entry)?;
                self.wal.push(entry);
            }
            4..=6 => {
                let step =
                    [Step::Proposal, Step::Prevote, Step::Precommit][chance.below(3) as usize];
                let slot = Slot {
                    height: Height(height),
                    round: chance.below(4) as u32,
                    step,
                };
                let bytes = vote(
                    height,
                    slot.round,
                    step,
                    if chance.coin() { "a" } else { "b" },
                );
                if let Ok(prepared) = journal
                    .prepare(&CHAIN, Height(height), slot.round, step, &bytes)?
                    .prepared()
                {
                    if !self.hasty {
                        journal.sync()?;
                        self.acknowledge(journal);
                    }
                    return Ok(self.sign(prepared, Some(slot), None, journal));
                }
            }
            7 => {
                let (size, root) = (
                    1 + chance.below(3 * height),
                    Hash([chance.below(2) as u8; 32]),
                );
                if let Ok(prepared) = journal
                    .prepare_checkpoint(&CHAIN, size, root, b"checkpoint")?
                    .prepared()
                {
                    journal.sync()?;
                    self.acknowledge(journal);
                    return Ok(self.sign(prepared, None, Some((size, root)), journal));
                }
            }
            8 if chance.below(20) == 0 => {
                journal.raise_guard(Height(height + 1))?;
                journal.sync()?;
                self.acknowledge(journal);
                self.floor = height + 1;
            }
            8 => {
                if let Some((digest, (body, _))) = self
                    .bodies
                    .iter()
                    .next()
                    .map(|(digest, kept)| (*digest, kept.clone()))
                {
                    journal.append_decision(
                        Height(height),
                        &seal(height),
                        &certificate(height),
                        digest,
                    )?;
                    self.blocks.push(body);
                    self.bodies.clear();
                    self.wal.clear();
                    self.durable_wal = 0;
                }
            }
            _ => {
                journal.sync()?;
                self.acknowledge(journal);
            }
        }
        Ok(Ok(()))
    }

    /// Judges a reopened journal: everything acknowledged is there, nothing is invented, the guard
    /// has forgotten nothing.
    fn judge(&self, journal: &mut Journal, recovered: &Recovered) -> Result<(), String> {
        let tip = recovered.tip;
        if tip < Height(self.durable_tip) || tip > Height(self.tip()) {
            return Err(format!(
                "tip {tip}, acknowledged {}, appended {}",
                self.durable_tip,
                self.tip()
            ));
        }
        for height in 1..=tip.0 {
            match journal.read_block(Height(height)) {
                Ok(Some(block)) if block == self.decided(height) => {}
                other => return Err(format!("block {height}: {other:?}")),
            }
        }
        if tip == Height(self.tip()) {
            let (kept, all) = (&self.wal[..self.durable_wal], &self.wal[..]);
            if !recovered.wal.starts_with(kept) || !all.starts_with(&recovered.wal) {
                return Err(format!(
                    "log {:?}, acknowledged {kept:?}, appended {all:?}",
                    recovered.wal
                ));
            }
            for (digest, bytes) in &recovered.undecided {
                if sha256(bytes) != *digest || !self.bodies.contains_key(digest) {
                    return Err(format!("the body {digest} is invented"));
                }
            }
            let known: BTreeMap<_, _> = recovered.undecided.iter().cloned().collect();
            if let Some((digest, _)) = self
                .bodies
                .iter()
                .find(|(digest, (_, kept))| *kept && !known.contains_key(*digest))
            {
                return Err(format!("the body {digest} is lost"));
            }
        }
        let high = recovered.guard;
        if high.slot < self.signed.keys().next_back().copied()
            || high.checkpoint < self.checkpoint
            || high.floor < Height(self.floor)
        {
            return Err(format!("the guard forgot: {high:?}"));
        }
        for (slot, bytes) in &self.signed {
            let mut other = bytes.clone();
            other.push(b'!');
            let verdict = journal
                .prepare(&CHAIN, slot.height, slot.round, slot.step, &other)
                .map_err(|stop| stop.to_string())?;
            if !matches!(verdict, Verdict::Refused(_)) {
                return Err(format!("the guard allows a second {slot}"));
            }
            let again = journal
                .prepare(&CHAIN, slot.height, slot.round, slot.step, bytes)
                .map_err(|stop| stop.to_string())?;
            let allowed = match again {
                Verdict::AlreadySigned(prepared) => prepared.token(&journal.durable()).is_ok(),
                Verdict::Refused(_) => slot.height <= tip,
                Verdict::Prepared(_) => false,
            };
            if !allowed {
                return Err(format!("signing the {slot} again"));
            }
        }
        Ok(())
    }

    /// The model after a restart: what was found is durable now, what was not found never happened.
    fn adopt(&mut self, recovered: &Recovered) {
        if recovered.tip < Height(self.tip()) {
            self.bodies.clear();
            self.wal.clear();
        }
        self.blocks.truncate(recovered.tip.0 as usize);
        self.durable_tip = recovered.tip.0;
        self.bodies = recovered
            .undecided
            .iter()
            .map(|(digest, body)| (*digest, (body.clone(), true)))
            .collect();
        self.wal = recovered.wal.clone();
        self.durable_wal = self.wal.len();
    }
}

/// Runs `steps` of the workload of `seed`; stops early if the disk does.
fn run(journal: &mut Journal, model: &mut Model, seed: u64, steps: u64) -> Result<(), String> {
    let mut chance = SplitMix(seed);
    for _ in 0..steps {
        if !model.step(journal, &mut chance)? {
            break;
        }
    }
    Ok(())
}

/// Opens and judges. A journal that cannot be opened is an error as well.
fn reopen(disk: &SimDisk, model: &Model) -> Result<(Journal, Recovered), String> {
    let (mut journal, recovered) = open(disk).map_err(|stop| stop.to_string())?;
    model.judge(&mut journal, &recovered)?;
    Ok((journal, recovered))
}

const STEPS: u64 = 120;

/// Every operation boundary of the workload of `seed`, `images` legal disks each; crashes while
/// reopening, and a second life. Returns how many disks were judged and how many ends were cut.
fn campaign(seed: u64, images: u64, hasty: bool, lying: bool) -> Result<(u64, u64), String> {
    let (mut judged, mut cuts) = (0, 0);
    for at in 0.. {
        let disk = SimDisk::new();
        let mut model = Model {
            hasty,
            ..Model::default()
        };
        disk.set_lying(lying);
        disk.halt_after(at);
        if let Ok((mut journal, _)) = open(&disk) {
            run(&mut journal, &mut model, seed, STEPS)?;
        }
        if !disk.halted() {
            return Ok((judged, cuts));
        }
        for image in 0..images {
            let chance = &mut SplitMix(seed ^ (at << 20) ^ (image << 50));
            let place = |text: String| {
                format!("seed {seed}, power cut at operation {at}, image {image}: {text}")
            };
            let (disk, mut model) = (disk.fork(), model.clone());
            // Every third image is the death of the process alone, after which unsynced bytes and
            // names are still visible.
            if image % 3 == 2 {
                disk.kill()
            } else {
                disk.power_cut(chance.draw())
            }
            if chance.coin() {
                // The power goes again while the journal is being opened.
                disk.halt_after(chance.below(10));
                let _ = open(&disk);
                disk.power_cut(chance.draw());
            }
            let (mut journal, recovered) = reopen(&disk, &model).map_err(place)?;
            judged += 1;
            cuts += recovered.cuts.len() as u64;
            if image % 2 == 0 {
                model.adopt(&recovered);
                disk.halt_after(chance.below(60));
                run(&mut journal, &mut model, chance.draw(), 40).map_err(place)?;
                disk.power_cut(chance.draw());
                reopen(&disk, &model).map_err(|text| place(format!("second life: {text}")))?;
                judged += 1;
            }
        }
    }
    Ok((judged, cuts))
}

#[test]
fn nothing_acknowledged_is_lost_at_any_operation() {
    let (mut judged, mut cuts) = (0, 0);
    for seed in 1..=8 {
        let (more, torn) = campaign(seed, 6, false, false).unwrap();
        judged += more;
        cuts += torn;
    }
    assert!(
        judged > 4_000 && cuts > 500,
        "the campaign reached too little: {judged} disks, {cuts} torn ends"
    );
}

#[test]
fn canaries_are_caught() {
    let found = |hasty, lying| (1..=8).find_map(|seed| campaign(seed, 6, hasty, lying).err());
    let hasty = found(true, false).expect("signing before the sync is found");
    assert!(
        hasty.contains("guard") || hasty.contains("two statements") || hasty.contains("signing"),
        "{hasty}"
    );
    assert!(
        found(false, true).is_some(),
        "a sync that does nothing is found"
    );
}

#[test]
fn full_and_failing_disks_stop_the_journal_and_lose_nothing() {
    let mut stopped = 0;
    let ops = [
        None,
        Some(DiskOp::Append),
        Some(DiskOp::Sync),
        Some(DiskOp::Create),
        Some(DiskOp::Rename),
        Some(DiskOp::SyncDir),
    ];
    for (seed, op, kind) in (1..=3).flat_map(|seed| {
        ops.iter()
            .flat_map(move |op| [(seed, *op, FaultKind::Io), (seed, *op, FaultKind::Full)])
    }) {
        for after in 0.. {
            let disk = SimDisk::new();
            let mut model = Model::default();
            disk.inject(Fault { op, after, kind });
            let started = open(&disk).map(|(mut journal, _)| {
                run(&mut journal, &mut model, seed, STEPS).unwrap();
                if let Some(stop) = journal.stopped().cloned() {
                    let expected = if kind == FaultKind::Io {
                        StopKind::Disk
                    } else {
                        StopKind::Full
                    };
                    assert_eq!(stop.kind, expected);
                    assert_eq!(
                        journal
                            .append_wal(Height(model.tip() + 1), b"x")
                            .unwrap_err(),
                        stop
                    );
                }
                journal.stopped().is_some()
            });
            if started == Ok(false) {
                break;
            }
            stopped += 1;
            // The process dies and comes back, or the machine does.
            let place = |text: String| {
                format!("seed {seed}, {op:?} fails after {after} with {kind:?}: {text}")
            };
            let revived = disk.fork();
            revived.kill();
            let (mut journal, recovered) = reopen(&revived, &model).map_err(place).unwrap();
            let mut second = model.clone();
            second.adopt(&recovered);
            run(&mut journal, &mut second, seed + 100, 20).unwrap();
            revived.power_cut(after);
            // Bytes of the failed sync were readable and may be gone now: reported then, at the
            // start or on reading, and never forgotten.
            let outcome = reopen(&revived, &second).map(|_| ());
            let told = ["is damaged at byte", "kind: Damage"];
            let reported =
                matches!(&outcome, Err(text) if told.iter().any(|words| text.contains(words)));
            assert!(
                outcome.is_ok() || reported,
                "{}",
                place(format!("{outcome:?}"))
            );
            disk.power_cut(after + 7);
            reopen(&disk, &model).map_err(place).unwrap();
        }
    }
    assert!(stopped > 500, "{stopped}");
}

#[test]
fn running_out_of_space_at_any_byte_is_harmless() {
    for space in (0..6_000).step_by(41) {
        let disk = SimDisk::new();
        let mut model = Model::default();
        disk.set_space(Some(space));
        if let Ok((mut journal, _)) = open(&disk) {
            run(&mut journal, &mut model, 5, STEPS).unwrap();
        }
        disk.kill();
        let (_, recovered) =
            reopen(&disk, &model).unwrap_or_else(|text| panic!("{space} bytes: {text}"));
        model.adopt(&recovered);
        disk.power_cut(space);
        reopen(&disk, &model)
            .unwrap_or_else(|text| panic!("{space} bytes, then a power cut: {text}"));
    }
}

/// A workload that ends in order, so that every byte but the last frame is vouched for by another.
fn stopped_in_order(seed: u64) -> (SimDisk, Model) {
    let disk = SimDisk::new();
    let mut model = Model::default();
    let (mut journal, _) = open(&disk).unwrap();
    run(&mut journal, &mut model, seed, 600).unwrap();
    // The last decision vouches for the votes before it.
    let (height, last) = (model.tip() + 1, vec![5; 50]);
    journal.append_body(Height(height), &last).unwrap();
    journal.sync().unwrap();
    journal
        .append_decision(
            Height(height),
            &seal(height),
            &certificate(height),
            sha256(&last),
        )
        .unwrap();
    model.blocks.push(last);
    model.bodies.clear();
    model.wal.clear();
    journal.note_clean_stop().unwrap();
    model.acknowledge(&journal);
    disk.kill();
    (disk, model)
}

#[test]
fn damage_is_reported_and_never_skipped() {
    let (disk, model) = stopped_in_order(11);
    let names: Vec<String> = disk
        .list(Path::new(DIR))
        .unwrap()
        .into_iter()
        .filter(|name| name != "lock")
        .collect();
    let last_segment = names.iter().rfind(|name| name.ends_with(".seg")).unwrap();
    let (mut at_open, mut at_read, mut harmless) = (0, 0, 0);
    for name in &names {
        let path = Path::new(DIR).join(name);
        let length = disk.bytes(&path).unwrap().len() as u64;
        // The clean-stop frame is the last of its file: damage there looks like a torn end, which
        // costs only the note.
        let last_frame = frame::HEAD + 16 + frame::CHECK;
        for offset in (0..length).step_by(3) {
            let image = disk.fork();
            assert!(image.damage(&path, offset, 1 << (offset % 8)));
            match open(&image) {
                Err(stop) => {
                    assert_eq!(stop.kind, StopKind::Damage, "{name} byte {offset}");
                    assert!(
                        stop.what.contains(name.as_str()) && stop.what.contains("at byte"),
                        "{name} byte {offset}: {stop}"
                    );
                    at_open += 1;
                }
                Ok((mut journal, recovered)) if name.ends_with(".idx") => {
                    assert_eq!(recovered.rebuilt, std::slice::from_ref(&path));
                    model.judge(&mut journal, &recovered).unwrap();
                    harmless += 1;
                }
                Ok((mut journal, recovered)) if name.ends_with(".log") => {
                    assert!(
                        offset >= length - last_frame,
                        "{name} byte {offset} was skipped"
                    );
                    assert!(!recovered.clean_stop && recovered.cuts.len() == 1);
                    model.judge(&mut journal, &recovered).unwrap();
                    harmless += 1;
                }
                Ok((journal, _)) => {
                    assert_ne!(name, last_segment, "byte {offset} was skipped");
                    let check = Journal::check(Arc::new(image.clone()), Path::new(DIR), CHAIN);
                    for stop in [journal.verify().unwrap_err(), check.unwrap_err()] {
                        assert!(
                            stop.kind == StopKind::Damage && stop.what.contains(name.as_str()),
                            "{stop}"
                        );
                    }
                    for height in 1..=model.tip() {
                        match journal.read_block(Height(height)) {
                            Ok(block) => assert_eq!(block, Some(model.decided(height))),
                            Err(stop) => assert_eq!(stop.kind, StopKind::Damage),
                        }
                    }
                    at_read += 1;
                }
            }
        }
    }
    assert!(
        at_open > 300 && at_read > 300 && harmless > 100,
        "{at_open} {at_read} {harmless}"
    );
}

#[test]
fn files_cut_or_mixed_up_are_reported() {
    let (disk, model) = stopped_in_order(12);
    let names = disk.list(Path::new(DIR)).unwrap();
    for name in names
        .iter()
        .filter(|name| name.ends_with(".seg") || name.ends_with(".log"))
    {
        let path = Path::new(DIR).join(name);
        let bytes = disk.bytes(&path).unwrap();
        for length in (0..bytes.len()).step_by(29) {
            let image = disk.fork();
            image.put(&path, &bytes[..length]);
            match open(&image) {
                Err(stop) => assert_eq!(stop.kind, StopKind::Damage, "{name} cut to {length}"),
                Ok((mut journal, recovered)) if name.ends_with(".log") => {
                    // Only the note of the clean stop may go unnoticed.
                    assert!(!recovered.clean_stop);
                    model
                        .judge(&mut journal, &recovered)
                        .unwrap_or_else(|text| panic!("{name} cut to {length}: {text}"));
                }
                Ok((journal, _)) => assert_eq!(
                    journal.verify().unwrap_err().kind,
                    StopKind::Damage,
                    "{name} cut to {length}"
                ),
            }
        }
        // The file of another number: a misdirected write of a whole file.
        for other in names
            .iter()
            .filter(|other| *other != name && other.ends_with(".seg"))
        {
            let image = disk.fork();
            image.put(&path, &disk.bytes(&Path::new(DIR).join(other)).unwrap());
            assert_eq!(
                open(&image).unwrap_err().kind,
                StopKind::Damage,
                "{other} in place of {name}"
            );
        }
    }
}
