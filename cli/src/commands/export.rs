//! `rollbook export`: the whole history from a node into one file, to be audited offline. It holds
//! ballots and dues, so a node gives it to members' people (RULINGS A15): the command logs in with
//! the profile's key, or as `--reader`.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use rollbook_node::files::{Access, Replacement, WriteError};

use crate::client::{Client, asking};
use crate::failure::Failure;
use crate::login;
use crate::messages::t;
use crate::output::{busy, print, say};
use crate::profile::Profiles;

/// `export`.
pub fn command() -> Command {
    login::arguments(asking(Command::new("export")))
        .arg(
            Arg::new("out")
                .required(true)
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(Arg::new("genesis").long("genesis").value_name("HASH"))
}

/// Runs the command.
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(path) = matches.get_one::<PathBuf>("out") else {
        return Err(Failure::unusable("FILE"));
    };
    let profile = Profiles::of(matches)
        .chosen(matches)?
        .map(|(_, profile)| profile);
    let client = Client::of(matches, profile.as_ref(), "trust.no-profile-next")?;
    let busy = busy("busy.export");
    save(path, |file| {
        client.download("/v1/export", &mut busy.counting(file))
    })
}

/// Writes an export that `fill` fetches, and says what to do with it.
pub fn save(
    path: &Path,
    fill: impl FnOnce(&mut std::fs::File) -> Result<u64, Failure>,
) -> Result<u8, Failure> {
    let name = path.display().to_string();
    let failed = |error: WriteError| {
        Failure::unusable(t("export.not-written", &[("file", name.clone())])).because(error)
    };
    // A broken download must not look like an export: the name comes last.
    let mut export = Replacement::of(path, Access::Everybody).map_err(failed)?;
    let bytes = fill(export.file())?;
    export.commit().map_err(failed)?;
    print(t(
        "export.done",
        &[("file", name.clone()), ("bytes", bytes.to_string())],
    ));
    say(t("export.next", &[("file", name)]));
    Ok(0)
}
