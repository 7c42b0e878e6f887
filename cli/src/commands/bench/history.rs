//! `rollbook bench --history N`: what N records of history cost one node.
//!
//! * One writer in this process drives the parts of a real node (ledger, memo of signatures,
//!   journal, store) block by block, without a network: it holds every validator's key and
//!   certifies each block itself.
//! * The time of each stage is compared between the blocks around record 10,000 and the newest.
//!   Signing the records is not counted.
//! * Then a real node process opens the same folder: after a clean stop, after SIGKILL, and serves
//!   the export, which the audit of this same program reads in a process of its own. Memory is what
//!   the system says of those processes.
//! * A reader asks that node; the same commands are timed against a node with a short history.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use rollbook_core::block::SystemSection;
use rollbook_core::id::MotionId;
use rollbook_core::record::Record;
use rollbook_node::clock::real_ms;
use rollbook_node::replica::message::Envelope;
use rollbook_node::replica::storage::Storage;
use rollbook_node::replica::{App, JournalStorage};
use rollbook_node::replica_thread::app::{Delivery, NodeApp, node_app};
use rollbook_node::runtime::open::open;
use rollbook_node::store::view::{StoredReceipt, View};
use rollbook_node::store::writer;
use rollbook_node::store::writer::Job;
use rollbook_proof::chain::{
    Certificate, CheckpointSignature, HandoverCheckpoint, LogSignature, Vote, VoteKind, quorum,
};
use rollbook_proof::crypto::KeyKind;
use rollbook_proof::log::Clock;
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_sandbox::alliance::Sample;
use rollbook_sandbox::keys::node_key;
use rollbook_sandbox::mix::{MEMBERS, Mix, verify_rate};
use rollbook_sandbox::testnet::{Plan, Testnet};
use rollbook_words::catalogue::t;
use serde::Serialize;

use super::machine::{Machine, Usage, usage};
use super::reads::{self, Reads};
use super::{NODES, SAMPLE};
use crate::failure::Failure;
use crate::output::{bar, print, say};

/// Records a block.
const BLOCK: usize = 500;
/// Blocks over which the time of a stage is taken.
const WINDOW: usize = 16;
/// Records at which the first times are taken.
const EARLY: usize = 10_000;

/// Medians over [`WINDOW`] blocks, in microseconds a record.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Stages {
    /// Records in the ledger.
    records: usize,
    /// Verifying signatures, all cores.
    verify: f64,
    /// Trying each record on the tip.
    admit: f64,
    /// Applying, encoding, roots, seal.
    build: f64,
    /// Two fsyncs of the journal.
    journal: f64,
    /// Making it the tip.
    commit: f64,
    /// The store's transaction.
    store: f64,
    /// All of it.
    all: f64,
    /// Resident memory of this process, bytes.
    rss: u64,
}

/// How long a node takes to answer, and its memory then.
#[derive(Debug, Clone, Copy, Serialize)]
struct Opening {
    seconds: f64,
    memory: Usage,
}

/// The result.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    machine: Machine,
    records: usize,
    blocks: u64,
    motions: u64,
    verify_alone_per_second: f64,
    early: Stages,
    late: Stages,
    records_per_second: f64,
    signatures_per_second: f64,
    disk_bytes: u64,
    store_bytes: u64,
    after_clean_stop: Opening,
    after_kill: Opening,
    export_bytes: u64,
    node_after_export: Usage,
    audit_seconds: f64,
    audit_peak: u64,
    /// Reading commands while the ledger is small, and at the end.
    reads: [Reads; 2],
}

/// Records of the small ledger that reading is compared with: a hundred motions.
const SMALL: usize = 1_000;

pub(super) fn run(dir: &Path, records: usize, keep: bool) -> Result<Report, Failure> {
    let [_, small] = measure(&dir.join("small"), SMALL, keep)?.reads;
    let mut report = measure(&dir.join("long"), records, keep)?;
    report.reads[0] = small;
    if !keep {
        let _ = std::fs::remove_dir(dir);
    }
    Ok(report)
}

fn measure(dir: &Path, records: usize, keep: bool) -> Result<Report, Failure> {
    let machine = Machine::here();
    let plan = Plan::new("bench", MEMBERS, NODES, Clock::Wall)?;
    let alliance = plan.alliance();
    let program =
        std::env::current_exe().map_err(|error| Failure::unusable("rollbook").because(error))?;
    let mut testnet = Testnet::create(dir, plan, &program, &super::super::testnet::RUN)?;
    let outcome = write(&testnet, &alliance, records).and_then(|mut report| {
        report.machine = machine;
        examine(&mut testnet, &program, &mut report)?;
        Ok(report)
    });
    let _ = testnet.kill(1);
    if keep {
        say(t("bench.kept", &[("dir", dir.display().to_string())]));
    } else {
        testnet.down()?;
    }
    outcome
}

struct Writer {
    app: NodeApp,
    storage: JournalStorage,
    view: View,
    delivery: Delivery,
    alliance: Sample,
    certificate: Option<Certificate>,
    thread: std::thread::JoinHandle<Result<(), rollbook_node::failure::Failure>>,
}

pub(super) fn fault(what: &str, why: impl std::fmt::Display) -> Failure {
    Failure::refused(t("bench.stopped", &[])).because(format!("{what}: {why}"))
}

fn write(testnet: &Testnet, alliance: &Sample, records: usize) -> Result<Report, Failure> {
    let config = testnet.config(1)?;
    let file = config.read_genesis()?;
    let genesis = Arc::new(file.genesis.clone());
    let opened = open(&config, &genesis, false)?;
    let (jobs, queue) = sync_channel(4);
    let delivery = Delivery::new(&opened.ledger, jobs, Arc::default());
    let app = node_app(opened.ledger);
    let view = opened.view.clone();
    let thread = std::thread::spawn(move || writer::run(&opened.view, &queue));
    let storage = JournalStorage::new(opened.journal, &opened.recovered);
    let mut writer = Writer {
        app,
        storage,
        view,
        delivery,
        alliance: alliance.clone(),
        certificate: None,
        thread,
    };

    let mut mix = Mix::new(&alliance.seed, genesis.hash(), real_ms());
    let opening = mix.opening().into_iter().map(|prepared| prepared.record);
    writer.block(&file.found, None)?;
    writer.block(&opening.collect::<Vec<_>>(), None)?;
    let progress = bar(records as u64, &t("bench.writing", &[]));
    let (mut early, mut window) = (Stages::default(), Vec::new());
    let (mut made, mut busy, mut signatures) = (0, 0.0, 0usize);
    let mut verify_alone = 0.0;
    while made < records {
        let prepared = mix.next(BLOCK.min(records - made));
        if made == 0 {
            verify_alone = verify_rate(&mix.signatures(&mix_sample(&prepared)));
        }
        signatures += prepared
            .iter()
            .map(|p| p.record.signatures.len())
            .sum::<usize>();
        let bytes: Vec<Vec<u8>> = prepared.iter().map(|p| p.bytes.clone()).collect();
        let records_of: Vec<Record> = prepared.into_iter().map(|p| p.record).collect();
        let stages = writer.block(&records_of, Some(&bytes))?;
        made += records_of.len();
        busy += stages.all * records_of.len() as f64 / 1e6;
        window.push(stages);
        if window.len() > WINDOW {
            window.remove(0);
        }
        if made >= EARLY && early.records == 0 {
            early = median(&window, made);
        }
        progress.set_position(made as u64);
    }
    progress.finish_and_clear();
    let late = median(&window, made);
    let motions = writer
        .app
        .ledger()
        .tables()
        .motions
        .last_key()
        .copied()
        .unwrap_or(MotionId(0));
    let blocks = writer.app.ledger().height();
    writer.end()?;
    Ok(Report {
        machine: Machine::here(),
        records: made,
        blocks: blocks.0,
        motions: u64::from(motions.0),
        verify_alone_per_second: verify_alone,
        early,
        late,
        records_per_second: made as f64 / busy.max(1e-9),
        signatures_per_second: signatures as f64 / busy.max(1e-9),
        disk_bytes: 0,
        store_bytes: 0,
        after_clean_stop: Opening {
            seconds: 0.0,
            memory: Usage::default(),
        },
        after_kill: Opening {
            seconds: 0.0,
            memory: Usage::default(),
        },
        export_bytes: 0,
        node_after_export: Usage::default(),
        audit_seconds: 0.0,
        audit_peak: 0,
        reads: Default::default(),
    })
}

fn mix_sample(prepared: &[super::Prepared]) -> Vec<super::Prepared> {
    prepared.iter().cycle().take(SAMPLE).cloned().collect()
}

impl Writer {
    /// One block, decided and stored. With `bytes`, each record is tried on the tip before, as a
    /// node does.
    fn block(&mut self, records: &[Record], bytes: Option<&[Vec<u8>]>) -> Result<Stages, Failure> {
        let tip = self.app.tip();
        let time_ms = tip.seal.time_ms.plus_ms(10);
        let mut clock = Instant::now();
        let per_record = 1e6 / records.len().max(1) as f64;
        let mut lap = || {
            let seconds = clock.elapsed().as_secs_f64();
            clock = Instant::now();
            seconds * per_record
        };
        let mut stages = Stages::default();
        self.app.verify_ahead(&records.iter().collect::<Vec<_>>());
        stages.verify = lap();
        for bytes in bytes.into_iter().flatten() {
            Envelope::decode(bytes.clone())
                .map_err(|error| fault("a record was refused", error))
                .and_then(|envelope| {
                    self.app
                        .admit(envelope.record(), time_ms.0)
                        .map_err(|refused| fault("a record was refused", refused))
                })?;
        }
        stages.admit = lap();
        let system = SystemSection {
            parent_certificate: self.certificate.clone(),
            ..SystemSection::default()
        };
        let built = self
            .app
            .build(time_ms, system, records)
            .map_err(|error| fault("no block was built", error))?;
        if let Some((_, refusal)) = built.left_out.first() {
            return Err(fault("a record was left out", refusal));
        }
        stages.build = lap();
        let journal = |fault_of: rollbook_node::replica::Fault| fault("journal", fault_of);
        self.storage
            .append_body(&built.seal, &built.body)
            .map_err(journal)?;
        self.storage.sync_bodies().map_err(journal)?;
        stages.journal = lap();
        // What the other validators would have signed meanwhile is not this node's time.
        let certificate = self.certify(built.seal.height.0, built.seal.id());
        let _ = lap();
        self.storage
            .append_decision(&built.seal, &certificate)
            .map_err(journal)?;
        self.storage.sync().map_err(journal)?;
        stages.journal += lap();
        self.app
            .commit(&built.seal.id(), &certificate)
            .map_err(|error| fault("commit", error))?;
        self.delivery
            .deliver(self.app.take_outbox())
            .map_err(|_| fault("store", "its thread has ended"))?;
        stages.commit = lap();
        let mut heights = self.view.heights();
        while *heights.borrow_and_update() < built.seal.height {
            if self.thread.is_finished() {
                return Err(fault("store", "its thread has ended"));
            }
            std::thread::sleep(Duration::from_micros(50));
        }
        stages.store = lap();
        stages.all = stages.verify
            + stages.admit
            + stages.build
            + stages.journal
            + stages.commit
            + stages.store;
        self.certificate = Some(certificate);
        Ok(stages)
    }

    fn certify(&self, height: u64, block: rollbook_proof::crypto::Hash) -> Certificate {
        let (chain, validators) = (self.app.chain(), self.app.validators());
        let signatures = validators
            .iter()
            .take(quorum(validators.len()))
            .map(|validator| {
                let organisation = validator.organisation;
                let vote = Vote {
                    kind: VoteKind::Precommit,
                    height: Height(height),
                    round: 0,
                    block: Some(block),
                    validator: organisation,
                };
                (
                    organisation,
                    vote.sign(
                        &chain,
                        &node_key(&self.alliance.seed, organisation.0, KeyKind::Consensus),
                    ),
                )
            });
        Certificate {
            height: Height(height),
            round: 0,
            block,
            signatures: signatures.collect(),
        }
    }

    /// The receipt of the tip, and the end in order.
    fn end(self) -> Result<(), Failure> {
        let checkpoint = self.app.ledger().checkpoint();
        let validators = self.app.validators();
        let cosignatures = validators
            .iter()
            .take(quorum(validators.len()))
            .map(|validator| CheckpointSignature {
                validator: validator.organisation,
                time_s: 1,
                signature: checkpoint.cosign(
                    &node_key(
                        &self.alliance.seed,
                        validator.organisation.0,
                        KeyKind::Cosigner,
                    ),
                    1,
                ),
            });
        let first = validators
            .first()
            .map_or(OrganisationId(0), |first| first.organisation);
        let log = LogSignature {
            validator: first,
            signature: checkpoint.sign_log(&node_key(&self.alliance.seed, first.0, KeyKind::Log)),
        };
        let receipt = StoredReceipt {
            height: self.app.ledger().height(),
            checkpoint: HandoverCheckpoint {
                size: checkpoint.size,
                root: checkpoint.root,
                log,
                cosignatures: cosignatures.collect(),
            },
        };
        let _ = self.delivery.jobs().send(Job::Receipt(receipt));
        let Writer {
            app,
            mut storage,
            delivery,
            thread,
            view,
            ..
        } = self;
        drop((app, delivery));
        thread
            .join()
            .map_err(|_| fault("store", "its thread panicked"))??;
        drop(view);
        storage
            .journal_mut()
            .note_clean_stop()
            .map_err(|stop| fault("journal", stop))
    }
}

fn median(window: &[Stages], records: usize) -> Stages {
    let of = |field: fn(&Stages) -> f64| {
        let mut all: Vec<f64> = window.iter().map(field).collect();
        all.sort_unstable_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    };
    Stages {
        records,
        verify: of(|s| s.verify),
        admit: of(|s| s.admit),
        build: of(|s| s.build),
        journal: of(|s| s.journal),
        commit: of(|s| s.commit),
        store: of(|s| s.store),
        all: of(|s| s.all),
        rss: usage("self").map_or(0, |usage| usage.rss),
    }
}

/// The folder as real processes see it.
fn examine(testnet: &mut Testnet, program: &Path, report: &mut Report) -> Result<(), Failure> {
    say(t("bench.opening", &[]));
    let folder = testnet.folder(1);
    report.disk_bytes = size_of(&folder);
    report.store_bytes = size_of(&testnet.config(1)?.store());
    report.after_clean_stop = timed_start(testnet)?;
    testnet.kill(1)?;
    report.after_kill = timed_start(testnet)?;
    let export = testnet.dir.join("history.export");
    let unusable =
        |error: std::io::Error| Failure::unusable(export.display().to_string()).because(error);
    let url = format!(
        "http://{}/v1/export?height={}",
        testnet.api(1),
        report.blocks
    );
    let pass = testnet.pass(1)?;
    let mut answer = ureq::get(&url)
        .header("authorization", pass)
        .call()
        .map_err(|error| fault("export", error))?;
    let mut file = std::fs::File::create(&export).map_err(unusable)?;
    report.export_bytes =
        std::io::copy(&mut answer.body_mut().as_reader(), &mut file).map_err(unusable)?;
    report.node_after_export = memory_of(testnet)?;
    report.reads[1] = reads::time(testnet, program, report.motions)?;
    testnet.stop(1)?;

    let genesis = testnet.config(1)?.read_genesis()?.genesis.hash().to_hex();
    let started = Instant::now();
    let mut audit = Command::new(program)
        .arg("audit")
        .arg(&export)
        .arg("--genesis")
        .arg(genesis)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| fault("audit", error))?;
    let pid = audit.id().to_string();
    let status = loop {
        report.audit_peak = usage(&pid)
            .map_or(0, |usage| usage.rss_peak)
            .max(report.audit_peak);
        match audit.try_wait().map_err(|error| fault("audit", error))? {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    report.audit_seconds = started.elapsed().as_secs_f64();
    if status.success() {
        Ok(())
    } else {
        Err(fault("audit", "the history is not sound"))
    }
}

fn memory_of(testnet: &Testnet) -> Result<Usage, Failure> {
    let pid = testnet
        .pid(1)
        .ok_or_else(|| fault("node 1", "it does not run"))?;
    Ok(usage(&pid.to_string()).unwrap_or_default())
}

fn timed_start(testnet: &mut Testnet) -> Result<Opening, Failure> {
    let started = Instant::now();
    testnet.start(1)?;
    Ok(Opening {
        seconds: started.elapsed().as_secs_f64(),
        memory: memory_of(testnet)?,
    })
}

fn size_of(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return std::fs::metadata(path).map_or(0, |facts| facts.len());
    };
    entries
        .filter_map(|entry| Some(size_of(&entry.ok()?.path())))
        .sum()
}

pub(super) fn show(report: &Report) {
    let tenth = |value: f64| format!("{value:.1}");
    let mib = |bytes: u64| (bytes / (1024 * 1024)).to_string();
    let line = |key: &str, facts: &[(&str, String)]| print(t(key, facts));
    super::show_machine(&report.machine);
    line(
        "bench.limit",
        &[("rate", format!("{:.0}", report.verify_alone_per_second))],
    );
    line(
        "bench.ingest",
        &[
            ("records", format!("{:.0}", report.records_per_second)),
            ("signatures", format!("{:.0}", report.signatures_per_second)),
            (
                "ratio",
                format!(
                    "{:.0}",
                    100.0 * report.signatures_per_second / report.verify_alone_per_second.max(1.0)
                ),
            ),
        ],
    );
    line(
        "bench.history",
        &[
            ("records", report.records.to_string()),
            ("blocks", report.blocks.to_string()),
            ("motions", report.motions.to_string()),
            ("disk", mib(report.disk_bytes)),
            ("store", mib(report.store_bytes)),
        ],
    );
    for stages in [&report.early, &report.late] {
        line(
            "bench.stages",
            &[
                ("at", stages.records.to_string()),
                ("verify", tenth(stages.verify)),
                ("admit", tenth(stages.admit)),
                ("build", tenth(stages.build)),
                ("journal", tenth(stages.journal)),
                ("commit", tenth(stages.commit)),
                ("store", tenth(stages.store)),
                ("all", tenth(stages.all)),
                ("rss", mib(stages.rss)),
            ],
        );
    }
    line(
        "bench.growth",
        &[(
            "ratio",
            format!("{:.2}", report.late.all / report.early.all.max(1e-9)),
        )],
    );
    for (word, opening) in [
        ("bench.clean", &report.after_clean_stop),
        ("bench.killed", &report.after_kill),
    ] {
        line(
            "bench.opened",
            &[
                ("word", t(word, &[])),
                ("seconds", tenth(opening.seconds)),
                ("rss", mib(opening.memory.rss)),
                ("peak", mib(opening.memory.rss_peak)),
            ],
        );
    }
    line(
        "bench.exported",
        &[
            ("size", mib(report.export_bytes)),
            ("peak", mib(report.node_after_export.rss_peak)),
            ("seconds", tenth(report.audit_seconds)),
            (
                "rate",
                format!(
                    "{:.0}",
                    report.records as f64 / report.audit_seconds.max(1e-9)
                ),
            ),
            ("audit", mib(report.audit_peak)),
        ],
    );
    let [small, long] = &report.reads;
    for ((command, before), (_, after)) in small.commands.iter().zip(&long.commands) {
        line(
            "bench.read",
            &[
                ("command", command.clone()),
                ("few", small.motions.to_string()),
                ("before", tenth(*before)),
                ("many", long.motions.to_string()),
                ("after", tenth(*after)),
                ("ratio", format!("{:.2}", after / before.max(1e-9))),
            ],
        );
    }
}
