//! `rollbook genesis draft`: every problem of the secretary's files, or the draft and who signs it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use rollbook_core::genesis::Genesis;
use rollbook_core::genesis::file::{decode_draft, encode_draft};
use rollbook_core::identity::OrganisationEntry;
use rollbook_core::record::VALIDITY_MAX_MS;
use rollbook_node::clock::real_ms;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;
use rollbook_words::catalogue::t;

use super::{CARDS, SIGNATURES, deadline, founder_json, needed, primaries, show, typed, words};
use crate::drafting::Files;
use crate::drafting::build::shown;
use crate::failure::{Failure, UNUSABLE};
use crate::files;
use crate::flags::Global;
use crate::input::problem::{Problem, Report};
use crate::output::{print, print_json, say};

/// Founders listed after a draft; `genesis check` lists all.
const LISTED: usize = 40;

/// `genesis draft`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Draft {
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[arg(long, value_name = "FILE")]
    members: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    cards: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Members that are left out, with their cards, seats and nodes.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    without: Vec<u32>,
    /// Replaces a draft that nobody has signed.
    #[arg(long)]
    force: bool,
}

impl Draft {
    /// Where the draft goes: a draft without some founders stands beside the one with them, because
    /// that one may be signed.
    fn out(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| {
            let left_out: BTreeSet<u32> = self.without.iter().copied().collect();
            let numbers: String = left_out.iter().map(|number| format!("-{number}")).collect();
            let name = if numbers.is_empty() {
                "genesis.draft".to_owned()
            } else {
                format!("genesis-without{numbers}.draft")
            };
            self.folder.join(name)
        })
    }
}

/// Runs it.
pub fn run(global: &Global, flags: &Draft) -> Result<u8, Failure> {
    let folder = &flags.folder;
    let in_folder =
        |given: &Option<PathBuf>, name: &str| given.clone().unwrap_or_else(|| folder.join(name));
    let alliance = folder.join("alliance.toml");
    let (members, cards, out) = (
        in_folder(&flags.members, "members.csv"),
        in_folder(&flags.cards, CARDS),
        flags.out(),
    );
    let missing = |failure: Failure| failure.next(t("genesis.no-files-next", &[]));
    let (alliance_bytes, member_bytes) = (
        files::read(&alliance).map_err(missing)?,
        files::read(&members).map_err(missing)?,
    );
    let read = |name: &str| std::fs::read(folder.join(name));
    let mut report = Report::default();
    let (alliance_name, members_name) = (
        alliance.display().to_string(),
        members.display().to_string(),
    );
    let given = Files {
        alliance: (&alliance_name, &alliance_bytes),
        members: (&members_name, &member_bytes),
        cards: &cards,
        read: &read,
        without: &flags.without,
        now: LedgerTime(real_ms()),
    };
    let Some(genesis) = crate::drafting::draft(&given, &mut report) else {
        return Ok(not_drafted(global.json, &report));
    };
    write(&out, &genesis, flags.force)?;
    if global.json {
        let founders: Vec<_> = genesis.founders().map(founder_json).collect();
        print_json(&serde_json::json!({
            "ok": true, "draft": out, "genesis": genesis.hash(), "founders": founders,
            "warnings": report.warnings,
            "valid_until_ms": genesis.opened_ms().plus_ms(VALIDITY_MAX_MS),
        }));
        return Ok(0);
    }
    tell_warnings(&report.warnings);
    print(t("genesis.drafted", &[("file", out.display().to_string())]));
    show::head(&genesis);
    next(&genesis, &out);
    Ok(0)
}

fn tell_warnings(warnings: &[Problem]) {
    for problem in warnings {
        say(format!("{}: {problem}", t("word.warning", &[])));
    }
}

fn not_drafted(json: bool, report: &Report) -> u8 {
    if json {
        print_json(&serde_json::json!({
            "ok": false, "errors": report.errors, "warnings": report.warnings,
        }));
        return UNUSABLE;
    }
    for problem in &report.errors {
        print(problem.to_string());
    }
    tell_warnings(&report.warnings);
    let files: BTreeSet<&str> = report
        .errors
        .iter()
        .map(|problem| problem.file.as_str())
        .collect();
    say(t(
        "genesis.not-drafted",
        &[
            ("count", report.errors.len().to_string()),
            ("files", files.len().to_string()),
        ],
    ));
    UNUSABLE
}

/// Writes the draft. One that is there already is replaced if that is asked for and no signature for
/// it lies beside it.
fn write(out: &Path, genesis: &Genesis, force: bool) -> Result<(), Failure> {
    let bytes = encode_draft(genesis);
    let facts = [("file", out.display().to_string())];
    if !out.exists() {
        return files::write_new(out, &bytes, false);
    }
    let kept = |why: String| Failure::unusable(t("genesis.draft-kept", &facts)).because(why);
    if !force {
        return Err(kept(t("file.exists", &[])).next(t("genesis.draft-force-next", &[])));
    }
    let old = decode_draft(&files::read(out)?)
        .map_err(|_| kept(t("genesis.no-draft", &facts)).next(t("file.exists-next", &[])))?
        .0
        .hash();
    if old == genesis.hash() {
        return Ok(());
    }
    let signed = signatures_beside(out, old)?;
    if signed.is_empty() {
        return files::replace(out, &bytes);
    }
    let whose: Vec<String> = signed
        .iter()
        .map(|(number, path)| format!("{number} ({})", path.display()))
        .collect();
    let why = [("whose", whose.join(&t("word.list", &[])))];
    Err(Failure {
        exit: crate::failure::REFUSED,
        ..kept(t("genesis.draft-signed", &why)).next(t("genesis.draft-signed-next", &[]))
    })
}

/// The founders whose signatures for a draft lie in its folder or in the folder of signatures there.
fn signatures_beside(draft: &Path, hash: Hash) -> Result<Vec<(u32, PathBuf)>, Failure> {
    let folder = match draft.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut signed = Vec::new();
    for folder in [folder.clone(), folder.join(SIGNATURES)] {
        if !folder.is_dir() {
            continue;
        }
        for (path, record) in super::read_signatures(&folder)?.records {
            if record.payload.chain == hash {
                signed.push((record.payload.principal.0, path));
            }
        }
    }
    signed.sort();
    Ok(signed)
}

/// What the secretary does now: publish, send, collect.
fn next(genesis: &Genesis, out: &Path) {
    let until = deadline(genesis);
    let count = genesis.founders().count();
    let facts = [
        ("draft", typed(out)),
        ("count", count.to_string()),
        ("until", until),
        (
            "sign",
            typed(Path::new(out.file_name().unwrap_or_default())),
        ),
    ];
    say(format!("\n{}:", t("word.next", &[])));
    say(t("genesis.next-publish", &facts));
    say(t("genesis.next-sign", &facts));
    for entry in genesis.founders().take(LISTED) {
        let name = shown(&entry.name);
        say(format!(
            "     {} {name}: {}",
            entry.number.0,
            who_signs(entry)
        ));
    }
    if count > LISTED {
        let more = [("count", (count - LISTED).to_string())];
        say(t("genesis.and-more", &more));
    }
    say(t("genesis.next-check", &facts));
}

/// Who has to sign for a founder.
pub fn who_signs(entry: &OrganisationEntry) -> String {
    let primaries = primaries(entry);
    let needed = needed(entry);
    if needed > 1 {
        t(
            "genesis.who-more",
            &[
                ("primary", words(&primaries)),
                ("others", (needed - 1).to_string()),
            ],
        )
    } else {
        t("genesis.who", &[("primary", words(&primaries))])
    }
}
