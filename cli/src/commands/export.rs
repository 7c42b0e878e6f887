//! `rollbook export`: the whole history from a node into one file, to be audited offline.

use std::path::PathBuf;

use clap::ArgMatches;

use crate::client::Client;
use crate::failure::Failure;
use crate::messages::t;
use crate::output::{print, say};

/// Runs the command.
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(path) = matches.get_one::<PathBuf>("out") else { return Err(Failure::unusable("FILE")) };
    let nodes: Vec<String> = matches.get_many::<String>("node").into_iter().flatten().cloned().collect();
    let name = path.display().to_string();
    let failed = |error: std::io::Error| Failure::unusable(t("export.not-written", &[("file", name.clone())])).because(error);
    // A broken download must not look like an export: the name comes last.
    let mut partial = path.clone().into_os_string();
    partial.push(".part");
    let mut file = std::fs::File::create(&partial).map_err(failed)?;
    let bytes = Client::new(nodes).download("/v1/export", &mut file)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&partial, path).map_err(failed)?;
    print(t("export.done", &[("file", name.clone()), ("bytes", bytes.to_string())]));
    say(t("export.next", &[("file", name)]));
    Ok(0)
}
