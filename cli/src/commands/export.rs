//! `rollbook export`: the whole history from a node into one file, to be audited offline. It holds
//! ballots and dues, so a node gives it to members' people (RULINGS A15): the command logs in with
//! the profile's key, or as `--reader`. `--tiles DIR` writes what is for everybody instead ([`tiles`]).

use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rollbook_core::export::Header;
use rollbook_node::files::{Access, Replacement};
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::tiles;
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
    #[arg(value_name = "FILE", required_unless_present = "tiles")]
    out: Option<PathBuf>,
    /// Folder that gets the public log as tiles instead.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "force"])]
    tiles: Option<PathBuf>,
    /// Whether a file of that name may be replaced.
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub fn run(global: &Global, flags: &Export) -> Result<u8, Failure> {
    let out = match (&flags.out, &flags.tiles) {
        (_, Some(folder)) => return tiles::run(global, &flags.connection, folder),
        (Some(out), None) => out,
        // clap asks for one of them.
        (None, None) => return Ok(0),
    };
    free(out, Some(flags.force))?;
    let profile = in_use(global)?;
    let client = asking::reading(global, &flags.connection, profile.as_ref())?;
    let genesis = genesis(flags.connection.genesis.as_deref(), profile.as_ref())?;
    save((out, flags.force), genesis, |file| {
        let mut whole = Whole::of(file);
        let bytes = client.download("/v1/export", &mut whole)?;
        whole.must_end()?;
        Ok(bytes)
    })
}

/// Looks at what a node sends as an export: it begins as one and ends with the digest of all before, or
/// it is none, however much of it came.
struct Whole<'a> {
    out: &'a mut dyn Write,
    /// The beginning, until it was looked at.
    head: Vec<u8>,
    is_export: bool,
    hasher: Sha256,
    /// The last bytes, which may be the digest.
    tail: Vec<u8>,
}

/// Bytes of the digest at the end.
const DIGEST: usize = 32;

impl<'a> Whole<'a> {
    fn of(out: &'a mut dyn Write) -> Whole<'a> {
        Whole {
            out,
            head: Vec::new(),
            is_export: false,
            hasher: Sha256::new(),
            tail: Vec::new(),
        }
    }

    fn must_end(self) -> Result<(), Failure> {
        let computed: [u8; DIGEST] = self.hasher.finalize().into();
        if self.is_export && self.tail == computed {
            Ok(())
        } else {
            Err(Failure::unreachable(t("export.not-whole", &[]))
                .next(t("client.unreachable-next", &[])))
        }
    }
}

impl Write for Whole<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_export {
            self.head.extend_from_slice(bytes);
            if self.head.len() >= Header::BYTES {
                let head = self.head.get(..Header::BYTES).unwrap_or_default();
                let no = |error| io::Error::new(io::ErrorKind::InvalidData, error);
                Header::decode(head).map_err(no)?;
                (self.is_export, self.head) = (true, Vec::new());
            }
        }
        self.out.write_all(bytes)?;
        self.tail.extend_from_slice(bytes);
        let before = self.tail.len().saturating_sub(DIGEST);
        self.hasher
            .update(self.tail.get(..before).unwrap_or_default());
        self.tail.drain(..before);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
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

    /// A node that sent six hundred megabytes of 'A' had sent an export.
    #[test]
    fn what_is_no_export_is_not_kept_as_one() {
        let header = Header {
            genesis: Hash([7; 32]),
            height: rollbook_proof::number::Height(0),
        };
        let mut good = header.encode();
        good.extend_from_slice(&[1; 100]);
        let digest: [u8; 32] = Sha256::digest(&good).into();
        good.extend_from_slice(&digest);
        let send = |bytes: &[u8], part: usize| {
            let mut out = Vec::new();
            let mut whole = Whole::of(&mut out);
            let sent = bytes
                .chunks(part)
                .try_for_each(|part| whole.write_all(part));
            sent.is_ok() && whole.must_end().is_ok() && out == bytes
        };
        for part in [1, 7, 31, 32, 33, 1_000] {
            assert!(send(&good, part), "{part}");
        }
        let mut changed = good.clone();
        changed[80] ^= 1;
        for bad in [
            &good[..good.len() - 1],
            &changed,
            &[b'A'; 4_000],
            &[],
            &good[..20],
        ] {
            assert!(!send(bad, 64), "{} bytes", bad.len());
        }
    }

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
