//! `rollbook node recover`: what a validator kept of those that lost their disks, and how one of
//! those votes again (RULINGS A41).

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use rollbook_node::replica::kept::Kept;
use rollbook_node::runtime::recover;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;

use super::ConfigFile;
use crate::consent;
use crate::failure::Failure;
use crate::files;
use crate::flags::Global;
use crate::output::{print, result, say};

/// `node recover`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Recover {
    #[command(flatten)]
    config: ConfigFile,
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', requires = "to")]
    lost: Vec<u32>,
    #[arg(long, value_name = "FILE", requires = "lost")]
    to: Option<PathBuf>,
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "lost",
        conflicts_with = "lost"
    )]
    from: Vec<PathBuf>,
    #[arg(id = "without-proof", long = "without-proof", requires = "from")]
    without_proof: bool,
    #[arg(id = "dry-run", long = "dry-run", requires = "from")]
    dry_run: bool,
}

/// Runs the command.
pub fn run(flags: &Recover, global: &Global) -> Result<u8, Failure> {
    let config = flags.config.read()?;
    if let Some(to) = &flags.to {
        files::free(to, None)?;
        let lost: BTreeSet<OrganisationId> =
            flags.lost.iter().copied().map(OrganisationId).collect();
        let signed = recover::tell(&config, &lost)?;
        files::save(to, recover::text(&signed).as_bytes(), None)?;
        let mut facts = facts(&signed.kept);
        facts.push(("file", to.display().to_string()));
        result(
            t("node.kept", &facts),
            serde_json::json!({
                "file": to, "organisation": signed.kept.validator, "tip": signed.kept.tip,
                "round": signed.kept.round, "lost": signed.kept.lost,
            }),
        );
        if !global.json {
            say(t("node.kept-next", &facts));
        }
        return Ok(0);
    }
    let read: Result<Vec<_>, _> = flags.from.iter().map(|path| recover::parse(path)).collect();
    let read = read?;
    let plan = recover::plan(&config, &read, flags.without_proof)?;
    if !global.json {
        for signed in &read {
            print(t("node.kept-line", &facts(&signed.kept)));
        }
    }
    let lost = plan.lost.clone();
    let mut facts = vec![
        ("height", lost.height.to_string()),
        ("round", lost.round.unwrap_or(0).to_string()),
    ];
    let key = match lost.lock {
        Some((block, _)) => {
            facts.push(("block", block.to_string()));
            "node.recovers-locked"
        }
        None => "node.recovers",
    };
    if flags.without_proof {
        say(t("node.without-proof", &facts));
    }
    if !flags.dry_run {
        if !global.json {
            print(t(key, &facts));
        }
        consent::ask(global, "consent.recover")?;
        plan.write()?;
    }
    let done = if flags.dry_run { key } else { "node.recovered" };
    result(
        t(done, &facts),
        serde_json::json!({
            "height": lost.height, "round": lost.round, "block": lost.lock.map(|(block, _)| block),
            "written": !flags.dry_run,
        }),
    );
    Ok(0)
}

fn facts(kept: &Kept) -> Vec<(&'static str, String)> {
    let lost: Vec<String> = kept.lost.iter().map(ToString::to_string).collect();
    vec![
        ("organisation", kept.validator.to_string()),
        ("tip", kept.tip.to_string()),
        (
            "round",
            kept.round
                .map_or_else(|| "–".into(), |round| round.to_string()),
        ),
        ("lost", lost.join(", ")),
        ("statements", kept.newest.len().to_string()),
    ]
}
