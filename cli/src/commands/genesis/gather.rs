//! `rollbook genesis check` and `assemble`: the founders' signatures, judged and put beside the
//! genesis.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_core::genesis::file::{FounderProblem, GenesisFile, judge_founders};
use rollbook_core::genesis::{Genesis, Opened};
use rollbook_core::record::Record;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;

use super::draft::who_signs;
use super::{
    SIGNATURES, Signatures, deadline, problem_reason, read_draft, read_signatures, show, typed,
    warn,
};
use crate::drafting::build::shown;
use crate::failure::{Failure, REFUSED};
use crate::files;
use crate::flags::Global;
use crate::output::{print, print_json, say};

/// `genesis check`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Check {
    #[arg(value_name = "DRAFT")]
    draft: PathBuf,
    /// `signatures` beside the draft if not given.
    #[arg(value_name = "DIR")]
    signatures: Option<PathBuf>,
}

impl Check {
    fn signatures(&self) -> PathBuf {
        self.signatures
            .clone()
            .unwrap_or_else(|| self.draft.with_file_name(SIGNATURES))
    }
}

/// `genesis assemble`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Assemble {
    #[command(flatten)]
    signed: Check,
    #[arg(long, value_name = "FILE", default_value = "genesis.rollbook")]
    out: PathBuf,
}

/// Judges a folder of signatures; problems with the files they came from.
fn judge(
    genesis: &Genesis,
    opened: &Opened,
    signatures: &Signatures,
) -> (Vec<FounderProblem>, BTreeMap<OrganisationId, PathBuf>) {
    let records: Vec<Record> = signatures
        .records
        .iter()
        .map(|(_, record)| record.clone())
        .collect();
    let files = signatures
        .records
        .iter()
        .map(|(path, record)| (record.payload.principal, path.clone()))
        .collect();
    (judge_founders(genesis, opened, &records), files)
}

fn print_problems(
    genesis: &Genesis,
    signatures: &Signatures,
    problems: &[FounderProblem],
    files: &BTreeMap<OrganisationId, PathBuf>,
) {
    for (path, why) in &signatures.unreadable {
        print(t(
            "genesis.unreadable",
            &[("file", path.display().to_string()), ("why", why.clone())],
        ));
    }
    for problem in problems {
        let mut founders = genesis.founders();
        let entry = founders.find(|entry| entry.number == problem.organisation);
        let name = entry.map_or_else(|| t("genesis.not-named", &[]), |entry| shown(&entry.name));
        let mut why = problem_reason(problem);
        if let Some(entry) = entry.filter(|_| problem.refusal.is_none()) {
            let facts = [("why", why), ("who", who_signs(entry))];
            why = t("genesis.missing", &facts);
        }
        let file = match files.get(&problem.organisation) {
            Some(path) if problem.refusal.is_some() => format!("  [{}]", path.display()),
            _ => String::new(),
        };
        print(format!("{} {name}: {why}{file}", problem.organisation.0));
    }
}

fn problems_json(
    signatures: &Signatures,
    problems: &[FounderProblem],
    files: &BTreeMap<OrganisationId, PathBuf>,
) -> serde_json::Value {
    let founders: Vec<_> = problems
        .iter()
        .map(|problem| {
            serde_json::json!({
                "organisation": problem.organisation,
                "name": problem.name,
                "missing": problem.refusal.is_none(),
                "code": problem.refusal.as_ref().map(|refusal| refusal.code),
                "file": files.get(&problem.organisation),
            })
        })
        .collect();
    let unreadable: Vec<_> = signatures
        .unreadable
        .iter()
        .map(|(path, why)| serde_json::json!({ "file": path, "why": why }))
        .collect();
    serde_json::json!({ "founders": founders, "unreadable": unreadable })
}

/// Says what is missing, and the whole next command.
pub fn check(global: &Global, flags: &Check) -> Result<u8, Failure> {
    let (genesis, opened) = read_draft(&flags.draft)?;
    let folder = flags.signatures();
    let signatures = read_signatures(&folder)?;
    let (problems, files) = judge(&genesis, &opened, &signatures);
    let total = genesis.founders().count();
    let founders_with_problems = problems
        .iter()
        .filter(|problem| !problem.name.is_empty())
        .count();
    let complete = problems.is_empty() && signatures.unreadable.is_empty();
    let exit = if complete { 0 } else { REFUSED };
    if global.json {
        let mut value = problems_json(&signatures, &problems, &files);
        value["complete"] = complete.into();
        value["genesis"] = genesis.hash().to_hex().into();
        value["signed"] = (total - founders_with_problems).into();
        value["total"] = total.into();
        print_json(&value);
        return Ok(exit);
    }
    warn(&genesis);
    print_problems(&genesis, &signatures, &problems, &files);
    let facts = [
        ("signed", (total - founders_with_problems).to_string()),
        ("total", total.to_string()),
        ("hash", genesis.hash().to_hex()),
    ];
    print(t("genesis.count-signed", &facts));
    let paths = [
        ("draft", typed(&flags.draft)),
        ("signatures", typed(&folder)),
    ];
    if complete {
        say(format!(
            "{}: {}",
            t("word.next", &[]),
            t("genesis.next-assemble", &paths)
        ));
    } else {
        say(t("genesis.until", &[("until", deadline(&genesis))]));
        next(&genesis, &flags.draft, &problems);
    }
    Ok(exit)
}

/// How the founders sign, and the one command that goes on without them.
fn next(genesis: &Genesis, draft: &Path, problems: &[FounderProblem]) {
    let late: BTreeSet<OrganisationId> = problems
        .iter()
        .map(|problem| problem.organisation)
        .collect();
    let unsigned: Vec<_> = genesis
        .founders()
        .filter(|entry| late.contains(&entry.number))
        .collect();
    if unsigned.is_empty() {
        return;
    }
    let name = Path::new(draft.file_name().unwrap_or_default());
    say(format!("\n{}:", t("word.next", &[])));
    say(t("genesis.next-remind", &[("draft", typed(name))]));
    let folder = match draft.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if unsigned.len() < genesis.founders().count() && folder.join("alliance.toml").exists() {
        let without: String = unsigned
            .iter()
            .map(|entry| format!(" --without {}", entry.number.0))
            .collect();
        let command = format!("rollbook genesis draft {}{without}", typed(folder));
        say(t("genesis.next-without", &[("command", command)]));
    }
}

/// Writes the genesis file, if every founder has signed.
pub fn assemble(global: &Global, flags: &Assemble) -> Result<u8, Failure> {
    let (genesis, opened) = read_draft(&flags.signed.draft)?;
    let folder = flags.signed.signatures();
    let signatures = read_signatures(&folder)?;
    let (problems, files) = judge(&genesis, &opened, &signatures);
    if !problems.is_empty() || !signatures.unreadable.is_empty() {
        if global.json {
            print_json(&problems_json(&signatures, &problems, &files));
        } else {
            print_problems(&genesis, &signatures, &problems, &files);
        }
        let count = problems.len() + signatures.unreadable.len();
        return Err(
            Failure::refused(t("genesis.not-assembled", &[("count", count.to_string())])).next(t(
                "genesis.not-assembled-next",
                &[
                    ("draft", typed(&flags.signed.draft)),
                    ("signatures", typed(&folder)),
                ],
            )),
        );
    }
    // Of several files of one founder a good one stands: a spoilt or an older one may lie beside it.
    let mut by_founder: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
    for (_, record) in signatures.records {
        by_founder
            .entry(record.payload.principal.0)
            .or_default()
            .push(record);
    }
    let good = |records: Vec<Record>| {
        let only = records.len() == 1;
        records.into_iter().find(|record| {
            let own = record.payload.principal;
            let judged = || judge_founders(&genesis, &opened, std::slice::from_ref(record));
            only || judged().iter().all(|problem| problem.organisation != own)
        })
    };
    let found = by_founder.into_values().filter_map(good).collect();
    let file = GenesisFile::assemble(genesis, found).map_err(|error| {
        Failure::refused(t("genesis.not-assembled", &[("count", "1".to_owned())]))
            .because(error)
            .next(t("genesis.damaged-next", &[]))
    })?;
    let out = &flags.out;
    files::write_new(out, &file.encode(), false)?;
    if global.json {
        print_json(&serde_json::json!({
            "file": out, "genesis": file.genesis.hash(), "founders": file.found.len(),
        }));
        return Ok(0);
    }
    print(t(
        "genesis.assembled",
        &[
            ("file", out.display().to_string()),
            ("count", file.found.len().to_string()),
        ],
    ));
    show::head(&file.genesis);
    warn(&file.genesis);
    let facts = [
        ("until", deadline(&file.genesis)),
        (
            "file",
            typed(Path::new(out.file_name().unwrap_or_default())),
        ),
    ];
    say(format!("\n{}:", t("word.next", &[])));
    say(t("genesis.next-start", &facts));
    say(t("genesis.next-setup", &facts));
    Ok(0)
}
