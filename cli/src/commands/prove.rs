//! `rollbook prove`: a proof file that a stranger verifies offline (`rollbook verify FILE --genesis
//! HASH`).

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::bundle::Content;
use crate::commands::show::told;
use crate::failure::Failure;
use crate::fetch::fetch;
use crate::files::cannot_write;
use crate::messages::t;
use crate::objects::{self, KINDS, Target};
use crate::output::{print, print_json, say};
use crate::trust::{Trust, reading};

/// `prove`.
pub fn command() -> Command {
    let out = || {
        Arg::new("out")
            .long("out")
            .required(true)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
    };
    let of = |name: &'static str, value: &'static str| {
        reading(Command::new(name).arg(Arg::new("id").required(true).value_name(value))).arg(out())
    };
    let mut prove = Command::new("prove")
        .subcommand_required(true)
        .arg_required_else_help(true);
    prove = prove
        .subcommand(of("record", "ID"))
        .subcommand(of("block", "HEIGHT"));
    for kind in &KINDS {
        prove = prove.subcommand(of(kind.noun, "N"));
    }
    let kind = Arg::new("kind")
        .required(true)
        .value_name("KIND")
        .value_parser(KINDS.map(|kind| kind.noun));
    prove.subcommand(
        reading(
            Command::new("absence")
                .arg(kind)
                .arg(Arg::new("id").required(true).value_name("N")),
        )
        .arg(out()),
    )
}

/// Runs `prove`.
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some((word, matches)) = matches.subcommand() else {
        return Err(Failure::unusable("prove"));
    };
    let id = matches.get_one::<String>("id").cloned().unwrap_or_default();
    let bad = || {
        Failure::unusable(t("show.bad-id", &[("id", id.clone())])).next(t("show.bad-id-next", &[]))
    };
    let kind = if word == "absence" {
        matches.get_one::<String>("kind").map_or("", String::as_str)
    } else {
        word
    };
    let target = match kind {
        "record" => objects::parse(&id)?,
        "block" => Target::Block(id.parse().map_err(|_| bad())?),
        noun => {
            let kind = objects::kind_of(noun).ok_or_else(bad)?;
            let typed = objects::parse(&id)
                .ok()
                .filter(|target| matches!(target, Target::State(_)));
            let own = |target: &Target| matches!(target, Target::State(path) if path.starts_with(&format!("{}/", kind.table)));
            typed
                .filter(own)
                .or_else(|| objects::path_of(kind, &id).map(Target::State))
                .ok_or_else(bad)?
        }
    };
    let mut trust = Trust::open(matches)?;
    let (fetched, grounds) = fetch(&mut trust, &target)?;
    let absent = matches!(&fetched.proved.content, Content::State { value: None, .. });
    if matches!(fetched.proved.content, Content::State { .. }) && absent != (word == "absence") {
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
    let Some(out) = matches.get_one::<PathBuf>("out") else {
        return Err(Failure::unusable("--out FILE"));
    };
    let text = fetched.bundle(&trust).render();
    std::fs::write(out, &text).map_err(|error| cannot_write(out, &error))?;
    let facts = [
        ("file", out.display().to_string()),
        ("bytes", text.len().to_string()),
        ("genesis", trust.chain().genesis().to_hex()),
    ];
    if matches.get_flag("json") {
        print_json(&serde_json::json!({
            "file": out, "bytes": text.len(), "genesis": trust.chain().genesis(), "height": fetched.proved.seal.height, "by": grounds,
        }));
        return Ok(if grounds.stale {
            crate::failure::NOT_YET
        } else {
            0
        });
    }
    if grounds.sample {
        print(t("audit.sample", &[]));
    }
    print(t("prove.done", &facts));
    print(told(&fetched, &grounds, &trust));
    say(format!(
        "{}: {}",
        t("word.next", &[]),
        t("prove.next", &facts)
    ));
    Ok(grounds.tell_age())
}
