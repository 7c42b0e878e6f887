//! What a reader waits for: commands as they are typed, each in a process of its own, against one node.
//!
//! A stranger reads, who has set up a profile and keeps what `rollbook` keeps. Of each command the
//! median of [`TIMES`] runs counts; the first run, which fetches what is kept, does not.
//!
//! Absent: commands that wait for blocks, and whatever a network between machines adds.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use rollbook_sandbox::testnet::Testnet;
use serde::Serialize;

use super::history::fault;
use crate::failure::Failure;

/// Runs of a command that are timed.
const TIMES: usize = 11;

/// Milliseconds of each command, in the order of [`lines`].
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Reads {
    /// Motions in the ledger.
    pub motions: u64,
    /// Each command with its median, in milliseconds.
    pub commands: Vec<(String, f64)>,
}

/// The commands: the newest motion, the first page of all, and what waits for a member. `history` is none
/// of them: a node gives the export that it reads to members only. The history was made in one go, and its
/// cosignatures bear the first seconds of 1970: that they are old is not what is measured.
fn lines(motions: u64) -> [String; 3] {
    [
        format!("motion show {motions} --max-age 40000d"),
        "motion list".into(),
        "tasks --of 3".into(),
    ]
}

/// A command of a stranger, whose files are in a folder of the testnet.
fn run(testnet: &Testnet, program: &Path, line: &[&str]) -> Result<(), Failure> {
    let home = testnet.dir.join("reader");
    let output = Command::new(program)
        .args(line)
        .env("HOME", &home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_STATE_HOME", home.join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|error| fault("a reader", error))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(fault(&line.join(" "), why.trim()))
}

/// Times the commands against node 1, which runs.
pub(super) fn time(testnet: &Testnet, program: &Path, motions: u64) -> Result<Reads, Failure> {
    let genesis = testnet.dir.join("genesis.rollbook").display().to_string();
    let node = format!("http://{}", testnet.api(1));
    let mut setup = vec!["--yes", "setup", "--name", "reader", "--genesis", &genesis];
    setup.extend(["--node", &node, "--alliance", "bench"]);
    run(testnet, program, &setup)?;
    let mut reads = Reads {
        motions,
        commands: Vec::new(),
    };
    for line in lines(motions) {
        let words: Vec<&str> = line.split(' ').collect();
        run(testnet, program, &words)?;
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let begun = Instant::now();
            run(testnet, program, &words)?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_unstable_by(f64::total_cmp);
        let median = times.get(TIMES / 2).copied().unwrap_or(0.0);
        reads.commands.push((line, median));
    }
    Ok(reads)
}
