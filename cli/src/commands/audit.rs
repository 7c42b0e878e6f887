//! `rollbook audit FILE`: re-executes an export offline. No network code is involved: this file
//! uses core and a file.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use rayon::prelude::*;
use rollbook_core::audit::{Auditor, Report};
use rollbook_core::export::{BlockFrame, FRAME_MAX_BYTES, Header, Tail, frame_length};
use rollbook_core::state::StateTables;
use rollbook_core::tx::Verify;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, PublicKey, Signature, VerifierCache, sha256_parts};
use rollbook_proof::number::Height;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;
use sha2::{Digest, Sha256};

use crate::failure::{Failure, REFUSED};
use crate::flags::Global;
use crate::output::{bar, print, print_json, say};
use crate::profile::genesis;

/// Blocks are taken in batches of at least so many records, so that the threads have work.
const BATCH_RECORDS: usize = 2_048;

/// `audit`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Audit {
    /// The export.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Genesis hash of the alliance.
    #[arg(long, value_name = "HASH")]
    genesis: Option<String>,
    /// How many threads verify signatures.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// Runs the command.
pub fn run(global: &Global, flags: &Audit) -> Result<u8, Failure> {
    let expected = genesis(flags.genesis.as_deref(), None)?;
    if let Some(threads) = flags.threads {
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
    }
    let started = Instant::now();
    let report = audit(&flags.file, expected)?;
    let seconds = started.elapsed().as_secs_f64();
    if global.json {
        print_json(&report);
    } else {
        show(&report, expected, seconds);
    }
    Ok(if report.is_sound() { 0 } else { REFUSED })
}

/// Reads through a file and keeps the digest of what was read.
struct Source {
    reader: BufReader<File>,
    hasher: Sha256,
    left: u64,
}

enum ReadFailure {
    End,
    Io(std::io::Error),
}

impl Source {
    fn open(path: &Path) -> Result<Source, Failure> {
        let unreadable = |error: std::io::Error| {
            Failure::unusable(t(
                "audit.unreadable",
                &[("file", path.display().to_string())],
            ))
            .because(error)
        };
        let file = File::open(path).map_err(unreadable)?;
        let left = file.metadata().map_err(unreadable)?.len();
        Ok(Source {
            reader: BufReader::with_capacity(1 << 20, file),
            hasher: Sha256::new(),
            left,
        })
    }

    fn take(&mut self, n: usize) -> Result<Vec<u8>, ReadFailure> {
        if n as u64 > self.left {
            return Err(ReadFailure::End);
        }
        let mut bytes = vec![0; n];
        self.reader
            .read_exact(&mut bytes)
            .map_err(ReadFailure::Io)?;
        self.left -= n as u64;
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    fn framed(&mut self, max: usize) -> Result<Vec<u8>, ReadFailure> {
        let head = self.take(4)?;
        let length = frame_length([head[0], head[1], head[2], head[3]], max)
            .map_err(|_| ReadFailure::End)?;
        self.take(length)
    }
}

/// Signatures that the threads found good.
#[derive(Default)]
struct Verified {
    good: BTreeSet<[u8; 32]>,
    fallback: VerifierCache,
}

/// Blocks to apply, or why there is none, and the signatures in them that are good.
type Batch = (Vec<Result<BlockFrame, String>>, BTreeSet<[u8; 32]>);

fn memo(key: &PublicKey, message: &[u8], signature: &Signature) -> [u8; 32] {
    let Signature::Ed25519(bytes) = signature;
    sha256_parts(&[key.bytes(), bytes, message]).0
}

impl Verify for Verified {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        self.good.contains(&memo(key, message, signature))
            || self.fallback.verify(key, message, signature).is_ok()
    }
}

/// Audits one file. An error means that the file cannot be used at all; everything else is in the
/// report.
pub fn audit(path: &Path, expected: Option<Hash>) -> Result<Report, Failure> {
    execute(path, expected, false).map(|(report, _)| report)
}

/// The same, with the tables that came out.
pub fn replay(
    path: &Path,
    expected: Option<Hash>,
) -> Result<(Report, Option<StateTables>), Failure> {
    execute(path, expected, true)
}

fn execute(
    path: &Path,
    expected: Option<Hash>,
    keep: bool,
) -> Result<(Report, Option<StateTables>), Failure> {
    let mut source = Source::open(path)?;
    let name = path.display().to_string();
    let unusable = |why: String| {
        Failure::unusable(t("audit.no-export", &[("file", name.clone())]))
            .because(why)
            .next(t("audit.no-export-next", &[]))
    };
    let head = source
        .take(Header::BYTES)
        .map_err(|_| unusable(t("audit.too-short", &[])))?;
    let header = Header::decode(&head).map_err(|error| unusable(error.to_string()))?;
    let first = match source.framed(FRAME_MAX_BYTES) {
        Ok(bytes) => BlockFrame::decode(&bytes).map_err(|error| unusable(error.to_string()))?,
        Err(_) => return Err(unusable(t("audit.too-short", &[]))),
    };
    let mut auditor = Auditor::new(&header, &first, expected);
    let progress = bar(header.height.0, &t("audit.progress", &[]));
    let mut verified = Verified::default();
    let mut keys = VerifierCache::default();
    let mut ready: Option<Batch> = None;
    let mut height = Height(0);
    let mut broken = false;
    loop {
        // Read ahead; while one batch is applied in order, the other threads verify the next.
        let (mut batch, mut records) = (Vec::new(), 0);
        while height < header.height && !broken && records < BATCH_RECORDS && batch.len() < 1_024 {
            let frame = match source.framed(FRAME_MAX_BYTES) {
                Ok(bytes) => BlockFrame::decode(&bytes).map_err(|error| error.to_string()),
                Err(ReadFailure::End) => Err(t(
                    "audit.ends-early",
                    &[("height", height.next().to_string())],
                )),
                Err(ReadFailure::Io(error)) => {
                    return Err(Failure::unusable(t(
                        "audit.unreadable",
                        &[("file", name.clone())],
                    ))
                    .because(error));
                }
            };
            match &frame {
                Ok(frame) => {
                    height = height.next();
                    records += frame.records.len();
                }
                Err(_) => broken = true,
            }
            batch.push(frame);
        }
        let known = &auditor;
        let signatures: Vec<_> = batch
            .par_iter()
            .flatten()
            .flat_map_iter(|frame| known.signatures_ahead(frame))
            .collect();
        for (key, ..) in &signatures {
            keys.learn(key);
        }
        let (frames, good) = ready.take().unwrap_or_default();
        verified.good = good;
        let (keys, auditor, verified) = (&keys, &mut auditor, &mut verified);
        let apply = || {
            for frame in frames {
                match frame {
                    Ok(frame) => auditor.block(&frame, verified),
                    Err(why) => auditor.find_in_file("A14.framing", why),
                }
            }
        };
        let verify = || {
            let good = |(key, message, signature): &&(PublicKey, Vec<u8>, Signature)| {
                keys.verify_shared(key, message, signature).is_ok()
            };
            signatures
                .par_iter()
                .filter(good)
                .map(|(key, message, signature)| memo(key, message, signature))
                .collect()
        };
        let ((), good) = rayon::join(apply, verify);
        progress.set_position(height.0);
        if batch.is_empty() {
            break;
        }
        ready = Some((batch, good));
    }
    progress.finish_and_clear();
    if broken {
        let empty = Tail {
            certificate: None,
            checkpoint: None,
        };
        return Ok((auditor.finish(&header, &empty, false), None));
    }
    let tail = match source.framed(64 * 1024) {
        Ok(bytes) => decode::<Tail>(&bytes).map_err(|error| error.to_string()),
        Err(_) => Err(t("audit.no-tail", &[])),
    };
    let tail = match tail {
        Ok(tail) => tail,
        Err(why) => {
            auditor.find_in_file("A14.tail", why);
            Tail {
                certificate: None,
                checkpoint: None,
            }
        }
    };
    let computed: [u8; 32] = source.hasher.clone().finalize().into();
    let digest = source.take(32).ok();
    if source.left > 0 {
        auditor.find_in_file(
            "A14.surplus",
            t("audit.surplus", &[("bytes", source.left.to_string())]),
        );
    }
    let tables = auditor.tables().filter(|_| keep).cloned();
    Ok((
        auditor.finish(
            &header,
            &tail,
            digest.as_deref() == Some(computed.as_slice()),
        ),
        tables,
    ))
}

fn show(report: &Report, expected: Option<Hash>, seconds: f64) {
    let genesis = report.genesis.map_or_else(|| "?".to_owned(), Hash::to_hex);
    if report.sample {
        print(t("audit.sample", &[]));
    }
    print(t("audit.genesis", &[("hash", genesis)]));
    print(t(
        "audit.counts",
        &[
            ("blocks", report.blocks.to_string()),
            ("leaves", report.leaves.to_string()),
            ("records", report.records.to_string()),
            ("signatures", report.signatures.to_string()),
            (
                "validator_signatures",
                report.validator_signatures.to_string(),
            ),
        ],
    ));
    print(t(
        "audit.last",
        &[
            ("time", time(report.time_ms)),
            ("cosigned", report.cosigned.to_string()),
        ],
    ));
    if let Some(root) = report.root {
        print(t("audit.root", &[("root", root.to_hex())]));
    }
    for finding in &report.findings {
        let mut place = Vec::new();
        if let Some(height) = finding.height {
            place.push(t("audit.place-block", &[("height", height.to_string())]));
        }
        if let Some(leaf) = finding.leaf {
            place.push(t("audit.place-leaf", &[("leaf", leaf.to_string())]));
        }
        if let Some(record) = finding.record {
            place.push(t("audit.place-record", &[("record", record.to_hex())]));
        }
        print(format!(
            "{} {} [{}] {}",
            t("word.finding", &[]),
            finding.code,
            place.join(", "),
            finding.text
        ));
    }
    if report.is_sound() {
        print(t("audit.sound", &[]));
    } else {
        print(t(
            "audit.findings",
            &[("count", report.findings.len().to_string())],
        ));
    }
    if expected.is_none() {
        say(t("audit.not-pinned", &[]));
    }
    let rate = if seconds > 0.0 {
        (report.signatures as f64 / seconds).round()
    } else {
        0.0
    };
    say(t(
        "audit.speed",
        &[
            ("seconds", format!("{seconds:.2}")),
            ("rate", format!("{rate:.0}")),
        ],
    ));
}
