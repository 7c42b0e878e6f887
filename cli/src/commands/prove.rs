//! `rollbook prove`: a proof file that a stranger verifies offline (`rollbook verify FILE --genesis
//! HASH`).

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Args, Command};
use rollbook_client::fetch::{Target, fetch};
use rollbook_proof::file::Content;
use rollbook_words::catalogue::t;

use crate::commands::show::told;
use crate::failure::Failure;
use crate::flags::{Global, Reading};
use crate::objects::KINDS;
use crate::output::{print, print_json, say};
use crate::{files, flags, objects, trust};

/// `prove KIND`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Prove {
    /// What is proved.
    id: String,
    #[command(flatten)]
    reading: Reading,
    /// Where the proof goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Whether a file of that name may be replaced.
    #[arg(long)]
    force: bool,
}

/// `prove absence`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Absence {
    /// Kind of the object that is not there.
    #[arg(
        value_name = "KIND",
        value_parser = PossibleValuesParser::new(proved())
    )]
    kind: String,
    #[command(flatten)]
    prove: Prove,
}

/// Nouns of what the state proves.
fn proved() -> Vec<&'static str> {
    let proved = KINDS.iter().filter(|kind| kind.is_proved);
    proved.map(|kind| kind.noun).collect()
}

/// The command.
pub fn command() -> Command {
    let of = |name: &'static str, value: &'static str| {
        flags::command::<Prove>(name).mut_arg("id", |id| id.value_name(value))
    };
    let mut prove = flags::group("prove")
        .subcommand(of("record", "ID"))
        .subcommand(of("block", "HEIGHT"));
    for noun in proved() {
        prove = prove.subcommand(of(noun, "N"));
    }
    prove.subcommand(flags::command::<Absence>("absence").mut_arg("id", |id| id.value_name("N")))
}

/// Runs `prove`.
pub fn run(global: &Global, matches: &ArgMatches) -> Result<u8, Failure> {
    let Some((word, matches)) = matches.subcommand() else {
        return Err(Failure::unusable("prove"));
    };
    if word == "absence" {
        let absence: Absence = flags::read(matches)?;
        prove(global, &absence.kind, true, &absence.prove)
    } else {
        prove(global, word, false, &flags::read(matches)?)
    }
}

/// Proves an object of a kind, or its absence.
fn prove(global: &Global, kind: &str, absence: bool, flags: &Prove) -> Result<u8, Failure> {
    let id = &flags.id;
    let bad = || {
        Failure::unusable(t("show.bad-id", &[("id", id.clone())])).next(t("show.bad-id-next", &[]))
    };
    let target = match kind {
        "record" => objects::parse(id)?,
        "block" => Target::Block(id.parse().map_err(|_| bad())?),
        noun => {
            let kind = objects::kind_of(noun).ok_or_else(bad)?;
            if let Some(other) = objects::of_another_kind(kind, id) {
                return Err(objects::no_number("N", kind.table, id, Some(other)));
            }
            let typed = objects::parse(id)
                .ok()
                .filter(|target| matches!(target, Target::State(_)));
            let table = format!("{}/", kind.table);
            let own =
                |target: &Target| matches!(target, Target::State(path) if path.starts_with(&table));
            typed
                .filter(own)
                .or_else(|| objects::path_of(kind, id).map(Target::State))
                .ok_or_else(bad)?
        }
    };
    files::free(&flags.out, Some(flags.force))?;
    let mut trust = trust::open(global, &flags.reading)?;
    let (fetched, grounds) = fetch(&mut trust, &target)?;
    let absent = matches!(&fetched.proved.content, Content::State { value: None, .. });
    if matches!(fetched.proved.content, Content::State { .. }) && absent != absence {
        let Target::State(path) = &target else {
            return Err(bad());
        };
        let facts = [
            ("id", objects::short(path)),
            ("kind", kind.to_owned()),
            ("number", id.clone()),
        ];
        let failure = Failure::refused(t(
            if absent {
                "prove.absent"
            } else {
                "prove.present"
            },
            &facts,
        ));
        return Err(failure.next(t(
            if absent {
                "prove.absent-next"
            } else {
                "prove.present-next"
            },
            &facts,
        )));
    }
    let out = &flags.out;
    let text = fetched.bundle(&trust).render();
    files::save(out, text.as_bytes(), Some(flags.force))?;
    let facts = [
        ("file", out.display().to_string()),
        ("bytes", text.len().to_string()),
        ("genesis", trust.chain().genesis().to_hex()),
    ];
    if global.json {
        print_json(&serde_json::json!({
            "file": out, "bytes": text.len(), "genesis": trust.chain().genesis(),
            "height": fetched.proved.seal.height, "by": grounds,
        }));
        return Ok(if grounds.stale {
            crate::failure::NOT_YET
        } else {
            0
        });
    }
    if grounds.sample {
        say(t("audit.sample", &[]));
    }
    print(t("prove.done", &facts));
    say(told(&fetched, &grounds, &trust));
    say(format!(
        "{}: {}",
        t("word.next", &[]),
        t("prove.next", &facts)
    ));
    Ok(trust::tell_age(&grounds))
}
