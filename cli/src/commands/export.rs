//! `rollbook export`: the whole history from a node into one file, to be audited offline. It holds
//! ballots and dues, so a node gives it to members' people (RULINGS A15): the command logs in with
//! the profile's key, or as `--reader`.

use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_node::files::{Access, Replacement};
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;
use serde_json::json;

use crate::failure::Failure;
use crate::files::{cannot_write, free, is_stdout};
use crate::flags::{Connection, Global};
use crate::interrupt::watch_file;
use crate::output::{Busy, busy, result, say};
use crate::profile::{genesis, in_use};
use crate::{asking, output};

/// `export`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Export {
    #[command(flatten)]
    connection: Connection,
    /// Where it goes; `-` is standard output.
    #[arg(value_name = "FILE")]
    out: PathBuf,
    /// Whether a file of that name may be replaced.
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub fn run(global: &Global, flags: &Export) -> Result<u8, Failure> {
    free(&flags.out, Some(flags.force))?;
    let profile = in_use(global)?;
    let client = asking::reading(global, &flags.connection, profile.as_ref())?;
    let genesis = genesis(flags.connection.genesis.as_deref(), profile.as_ref())?;
    save((&flags.out, flags.force), genesis, |mut file| {
        Ok(client.download("/v1/export", &mut file)?)
    })
}

/// Where an export is written, with the first reason why it could not be: the one who fetches it
/// tells a failed write as a broken answer.
struct Kept<'a> {
    out: Box<dyn Write + 'a>,
    failed: Option<io::Error>,
}

impl Write for Kept<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                // The system's reason as it is; an error cannot be copied.
                self.failed = Some(
                    error
                        .raw_os_error()
                        .map_or_else(|| error.kind().into(), io::Error::from_raw_os_error),
                );
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Standard output as this program writes it.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        output::write(bytes);
        if output::is_lost() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes an export that `fill` fetches, and says what to do with it: whoever takes the file elsewhere
/// needs the genesis hash too. A file that is there already is replaced only with `force`.
pub fn save(
    (path, force): (&Path, bool),
    genesis: Option<Hash>,
    fill: impl FnOnce(&mut dyn Write) -> Result<u64, Failure>,
) -> Result<u8, Failure> {
    free(path, Some(force))?;
    if is_stdout(path) {
        let working = busy("busy.export");
        let filled = fill(&mut Stdout);
        drop(working);
        // What keeps stdout from being written is told when the program ends.
        return match filled {
            Err(_) if output::is_lost() => Ok(0),
            filled => filled.map(|_| 0),
        };
    }
    let bytes = to_file(path, force, fill)?;
    let file = ("file", path.display().to_string());
    let facts = [file.clone(), ("bytes", bytes.to_string())];
    result(
        t("export.done", &facts),
        json!({ "file": path, "bytes": bytes }),
    );
    match genesis {
        Some(genesis) => say(t("export.next", &[file, ("genesis", genesis.to_hex())])),
        None => say(t("export.next-unpinned", &[file])),
    }
    Ok(0)
}

/// Writes what `fill` fetches into a file of its owner; how many bytes. A broken download must not
/// look like an export: the name comes last.
pub fn to_file(
    path: &Path,
    force: bool,
    fill: impl FnOnce(&mut dyn Write) -> Result<u64, Failure>,
) -> Result<u64, Failure> {
    let working = busy("busy.export");
    let mut export =
        Replacement::of(path, Access::Owner).map_err(|error| cannot_write(path, error.reason()))?;
    let watched = watch_file(export.path(), path);
    let bytes = filled(path, export.file(), &working, fill)?;
    let named = if force {
        export.commit()
    } else {
        export.commit_new()
    };
    drop(watched);
    named.map_err(|error| cannot_write(path, error.reason()))?;
    Ok(bytes)
}

fn filled(
    path: &Path,
    file: &mut std::fs::File,
    working: &Busy,
    fill: impl FnOnce(&mut dyn Write) -> Result<u64, Failure>,
) -> Result<u64, Failure> {
    let mut kept = Kept {
        out: Box::new(working.counting(file)),
        failed: None,
    };
    let filled = fill(&mut kept);
    match kept.failed {
        Some(error) => Err(cannot_write(path, &error)),
        None => filled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full disk was told as 'the answer of the node broke off', exit 4, 'try again'.
    #[test]
    fn a_full_disk_is_no_broken_answer() {
        let mut full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let failure = filled(Path::new("x"), &mut full, &busy("busy.export"), |out| {
            out.write_all(&[0; 100])
                .map(|()| 100)
                .map_err(|error| Failure::unreachable("broke off").because(error))
        })
        .unwrap_err();
        assert_eq!(
            (failure.exit, failure.code.as_str()),
            (5, "file.cannot-write")
        );
    }
}
