//! `rollbook audit FILE`: re-executes an export offline. The work is done in `rollbook-audit`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use rollbook_audit::Error;
use rollbook_core::audit::{Audited, Report};
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;
use rollbook_words::dates::time;
use rollbook_words::node::words;

use crate::failure::{Failure, NOT_YET, REFUSED};
use crate::flags::Global;
use crate::output::{bar, print, print_json, say};
use crate::profile::{genesis, in_use};
use crate::shown::Shown;

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
    let profile = in_use(global)?;
    let expected = genesis(flags.genesis.as_deref(), profile.as_ref())?;
    if let Some(threads) = flags.threads {
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
    }
    let started = Instant::now();
    let Audited { report, .. } = audit(&flags.file, expected)?;
    let seconds = started.elapsed().as_secs_f64();
    if expected.is_none() {
        say(t("audit.not-pinned", &[]));
    }
    if global.json {
        let mut shown = Shown::of(&report).json();
        shown["sound"] = report.is_sound().into();
        shown["pinned"] = expected.is_some().into();
        print_json(&shown);
    } else {
        show(&report, seconds);
    }
    // A finding goes before 'nobody knows whose history it is' (RULINGS A52).
    Ok(match (report.is_sound(), expected) {
        (false, _) => REFUSED,
        (true, None) => NOT_YET,
        (true, Some(_)) => 0,
    })
}

/// Audits one file, with a progress bar and the words of its failures.
pub fn audit(path: &Path, expected: Option<Hash>) -> Result<Audited, Failure> {
    watched(path, expected, &mut |_, _| {})
}

/// The same; `watch` sees every block that is executed.
pub fn watched(
    path: &Path,
    expected: Option<Hash>,
    watch: &mut rollbook_audit::Watch<'_>,
) -> Result<Audited, Failure> {
    let progress = bar(0, &t("audit.progress", &[]));
    let audited = rollbook_audit::audit_watched(path, expected, watch, &mut |height, last| {
        progress.set_length(last.0);
        progress.set_position(height.0);
    });
    progress.finish_and_clear();
    let file = || [("file", path.display().to_string())];
    let unusable = |why: String| {
        Failure::unusable(t("audit.no-export", &file()))
            .because(why)
            .next(t("audit.no-export-next", &[]))
    };
    audited.map_err(|error| match error {
        Error::Unreadable(error) => Failure::unusable(t("audit.unreadable", &file()))
            .because(error)
            .next(t("audit.unreadable-next", &[])),
        Error::Folder => unusable(t("file.is-folder", &[])),
        Error::Empty => unusable(t("audit.empty", &[])),
        Error::TooShort => unusable(t("audit.too-short", &[])),
        Error::NoExport(why) => unusable(why),
    })
}

fn show(report: &Report, seconds: f64) {
    let genesis = report.genesis.map_or_else(|| "?".to_owned(), Hash::to_hex);
    if report.sample {
        say(t("audit.sample", &[]));
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
            words(&finding.text)
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
