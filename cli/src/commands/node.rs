//! `rollbook node`: make, run, ask, examine, back up, restore and recover one node.

mod init;
mod recover;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use rollbook_node::config::{CONFIG_NAME, Config, NodeSecrets};
use rollbook_node::runtime::{admin, backup, doctor, open, process, storage};
use rollbook_wire::by_name::ByName;
use rollbook_wire::status as wire;
use rollbook_words::catalogue::{find, t};
use rollbook_words::node::words;

use crate::asking;
use crate::failure::{Failure, REFUSED};
use crate::flags::{Asking, Global};
use crate::keystore::{node_backup, passphrase};
use crate::output::{busy, print, print_json, result, say};
use crate::shown::Shown;

/// `node`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a node.
    Init(init::Init),
    /// Runs it.
    Run(Run),
    /// Asks it.
    Status(Status),
    /// Examines it.
    Doctor(ConfigFile),
    /// Backs it up.
    Backup(Backup),
    /// Restores it.
    Restore(Restore),
    /// Makes its store again.
    Rebuild(ConfigFile),
    /// Ends the doubt about what it signed, when too many disks were lost.
    Recover(recover::Recover),
}

/// Which node.
#[derive(Debug, Args)]
#[group(skip)]
pub struct ConfigFile {
    /// Its configuration.
    #[arg(value_name = "CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(CONFIG_NAME))
    }

    fn read(&self) -> Result<Config, Failure> {
        Config::read(self.path(), true).map_err(Failure::from)
    }
}

/// `node run`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Run {
    #[command(flatten)]
    config: ConfigFile,
    #[arg(id = "insecure-listen", long = "insecure-listen")]
    insecure_listen: bool,
}

/// `node status`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Status {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    asking: Asking,
}

/// `node backup`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Backup {
    #[command(flatten)]
    config: ConfigFile,
    #[arg(long, value_name = "DIR", required_unless_present = "keys")]
    to: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    #[arg(id = "passphrase-file", long = "passphrase-file", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// `node restore`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Restore {
    #[command(flatten)]
    config: ConfigFile,
    #[arg(long, value_name = "DIR", required_unless_present = "keys")]
    from: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    #[arg(id = "passphrase-file", long = "passphrase-file", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[arg(id = "dry-run", long = "dry-run")]
    dry_run: bool,
}

/// Runs the command.
pub fn run(global: &Global, command: &Command) -> Result<u8, Failure> {
    let json = global.json;
    match command {
        Command::Init(flags) => init::run(flags, json),
        Command::Run(flags) => process::run(flags.config.path(), flags.insecure_listen)
            .map(|()| 0)
            .map_err(Failure::from),
        Command::Status(flags) => status(flags, json),
        Command::Doctor(config) => examine(config, json),
        Command::Backup(flags) => back_up(flags, json),
        Command::Restore(flags) => restore(flags, json),
        Command::Rebuild(config) => rebuild(config, json),
        Command::Recover(flags) => recover::run(flags, global),
    }
}

/// A path that holds wherever the node is started.
fn absolute(flag: &str, given: Option<&PathBuf>) -> Result<Option<PathBuf>, Failure> {
    let path = given.map(std::path::absolute).transpose();
    path.map_err(|error| Failure::unusable(format!("--{flag}")).because(error))
}

fn status(flags: &Status, json: bool) -> Result<u8, Failure> {
    let status: wire::Status = if flags.asking.node.is_empty() {
        admin::ask(
            &flags.config.read()?.admin_socket(),
            &admin::Request::Status,
            Duration::from_secs(10),
        )
        .map_err(|failure| {
            Failure::unreachable(failure.what)
                .because(failure.why)
                .next(failure.next)
        })?
    } else {
        asking::client(&flags.asking, None, "act.no-node-next")?.json("/v1/status")?
    };
    let stands_still = status.validator && doctor::stands_still(&status);
    let code = if stands_still { REFUSED } else { 0 };
    if json {
        print_json(&Shown::of(&status).json());
        return Ok(code);
    }
    if status.sample {
        say(t("audit.sample", &[]));
    }
    print_status(&status);
    let mut findings = Vec::new();
    doctor::running(&status, &mut findings);
    show_findings(&findings[1..]);
    Ok(code)
}

/// The lines of one node's status.
pub fn print_status(status: &wire::Status) {
    let facts: Vec<(&str, String)> = [
        ("organisation", status.organisation.0.to_string()),
        ("height", status.height.to_string()),
        ("receipted", status.receipted.to_string()),
        ("stored", status.stored.to_string()),
        ("phase", status.phase.word().to_owned()),
        ("votes", status.votes.to_string()),
        ("pool", status.pool.to_string()),
        (
            "validators_connected",
            status.validators_connected.to_string(),
        ),
        ("quorum", status.quorum.to_string()),
        ("state_root", status.state_root.clone()),
    ]
    .into_iter()
    .map(|(name, value)| (name, words(&value)))
    .collect();
    print(t("node.status", &facts));
    if let Some(warning) = &status.clock_warning {
        let off = status.clock_off_ms.unwrap_or(0);
        let key = if off > 0 {
            "node.clock-ahead"
        } else {
            "node.clock-behind"
        };
        say(find(
            key,
            &[("seconds", (off.unsigned_abs() / 1_000).to_string())],
        )
        .unwrap_or_else(|| warning.clone()));
    }
}

fn show_findings(findings: &[doctor::Finding]) -> bool {
    for finding in findings {
        print(format!(
            "{}: {}",
            t(&format!("node.{}", finding.weight), &[]),
            words(&finding.what)
        ));
        if let Some(next) = &finding.next {
            print(format!("  {}: {}", t("word.next", &[]), words(next)));
        }
    }
    findings.iter().any(|finding| finding.weight == "trouble")
}

fn examine(config: &ConfigFile, json: bool) -> Result<u8, Failure> {
    let findings = doctor::examine(config.path());
    let bad = if json {
        print_json(&findings);
        findings.iter().any(|finding| finding.weight == "trouble")
    } else {
        show_findings(&findings)
    };
    Ok(if bad { REFUSED } else { 0 })
}

fn back_up(flags: &Backup, json: bool) -> Result<u8, Failure> {
    let config = flags.config.read()?;
    let (to, keys) = (
        absolute("to", flags.to.as_ref())?,
        absolute("keys", flags.keys.as_ref())?,
    );
    if let Some(keys) = keys {
        if to.as_ref().is_some_and(|to| keys.starts_with(to)) {
            return Err(Failure::unusable(t("node.keys-beside-data", &[]))
                .next(t("node.keys-beside-data-next", &[])));
        }
        let secrets = NodeSecrets::read(&config.keys)?;
        let genesis = config.read_genesis()?.genesis.hash();
        let passphrase = passphrase::new(
            flags.passphrase_file.as_deref(),
            &keys.display().to_string(),
        )?;
        node_backup::write(&keys, &secrets, config.organisation.0, genesis, &passphrase)?;
        let file = [("file", keys.display().to_string())];
        if !json || to.is_none() {
            result(
                t("node.keys-backed-up", &file),
                serde_json::json!({ "keys": keys }),
            );
        }
    }
    let Some(to) = to else { return Ok(0) };
    let request = admin::Request::Backup { to: to.clone() };
    let busy = busy("busy.backup");
    let list: backup::Backup =
        match admin::ask(&config.admin_socket(), &request, Duration::from_secs(3_600)) {
            Ok(value) => value,
            Err(failure)
                if config.admin_socket().exists()
                    && std::os::unix::net::UnixStream::connect(config.admin_socket()).is_ok() =>
            {
                return Err(failure.into());
            }
            // Not running: the same copy, made here.
            Err(_) => {
                let genesis = config.read_genesis()?.genesis.hash();
                backup::backup(&config.data, genesis, &to)?
            }
        };
    drop(busy);
    if json {
        print_json(&ByName(&list));
    } else {
        let files = list.files.len();
        print(t(
            "node.backed-up",
            &[
                ("dir", to.display().to_string()),
                ("files", files.to_string()),
            ],
        ));
        say(t(
            "node.backed-up-next",
            &[("dir", config.keys.display().to_string())],
        ));
    }
    Ok(0)
}

fn restore(flags: &Restore, json: bool) -> Result<u8, Failure> {
    let config = flags.config.read()?;
    let dry = flags.dry_run;
    if let Some(keys) = &flags.keys {
        let genesis = config.read_genesis()?.genesis.hash();
        let passphrase = passphrase::existing(
            flags.passphrase_file.as_deref(),
            &keys.display().to_string(),
        )?;
        let secrets = node_backup::read(keys, config.organisation.0, genesis, &passphrase)?;
        if !dry {
            secrets.write(&config.keys)?;
            // They may have signed elsewhere: the node asks its peers before it votes (RULINGS A8).
            let _ = std::fs::remove_file(config.data.join(storage::FRESH));
        }
        let facts = [("dir", config.keys.display().to_string())];
        let key = if dry {
            "node.would-restore-keys"
        } else {
            "node.restored-keys"
        };
        if !json || flags.from.is_none() {
            result(
                t(key, &facts),
                serde_json::json!({ "keys": config.keys, "dry_run": dry }),
            );
        }
    }
    if let Some(from) = &flags.from {
        let busy = busy("busy.restore");
        let list = backup::restore(from, &config, dry)?;
        drop(busy);
        if json {
            print_json(&list);
        } else {
            let facts = [
                ("files", list.files.len().to_string()),
                ("dir", config.data.display().to_string()),
            ];
            print(t(
                if dry {
                    "node.would-restore"
                } else {
                    "node.restored"
                },
                &facts,
            ));
        }
    }
    if dry && flags.keys.is_some() {
        return Ok(0);
    }
    let missing = NodeSecrets::read(&config.keys).err();
    if let Some(failure) = missing {
        return Err(failure.into());
    }
    Ok(0)
}

fn rebuild(config: &ConfigFile, json: bool) -> Result<u8, Failure> {
    let config = config.read()?;
    let genesis = Arc::new(config.read_genesis()?.genesis);
    let busy = busy("busy.rebuild");
    let opened = open::open(&config, &genesis, true)?;
    drop(busy);
    let facts = [
        ("height", opened.ledger.height().to_string()),
        ("blocks", opened.replayed.to_string()),
    ];
    if json {
        print_json(&serde_json::json!({
            "height": opened.ledger.height(), "replayed": opened.replayed,
            "notes": opened.notes,
        }));
    } else {
        print(t("node.rebuilt", &facts));
    }
    Ok(0)
}
