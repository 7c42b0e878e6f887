//! `rollbook export`: the whole history from a node into one file, to be audited offline. It holds
//! ballots and dues, so a node gives it to members' people (RULINGS A15): the command logs in with
//! the profile's key, or as `--reader`.

use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_node::files::{Access, Replacement, WriteError};
use rollbook_words::catalogue::t;

use crate::asking;
use crate::failure::Failure;
use crate::flags::{Connection, Global};
use crate::output::{busy, print, say};
use crate::profile::in_use;

/// `export`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Export {
    #[command(flatten)]
    connection: Connection,
    /// Where it goes.
    #[arg(value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(global: &Global, flags: &Export) -> Result<u8, Failure> {
    let profile = in_use(global)?;
    let client = asking::reading(global, &flags.connection, profile.as_ref())?;
    let busy = busy("busy.export");
    save(&flags.out, |file| {
        Ok(client.download("/v1/export", &mut busy.counting(file))?)
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
