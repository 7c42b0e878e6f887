//! `rollbook node`: make, run, ask, examine, back up and restore one node.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use rollbook_node::api::door;
use rollbook_node::files::{self, Access};
use rollbook_node::network::peer_id_text;
use rollbook_node::runtime::config::{CONFIG_NAME, Config, NodeSecrets, TlsFiles};
use rollbook_node::runtime::{admin, backup, doctor, open, process, storage};

use crate::client::Client;
use crate::failure::{Failure, REFUSED};
use crate::keystore::{node_backup, passphrase};
use crate::messages::{find, t};
use crate::node_words::words;
use crate::output::{busy, print, print_json, say};

/// Runs the command.
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("init", matches)) => init(matches),
        Some(("run", matches)) => {
            process::run(config_path(matches), matches.get_flag("insecure-listen"))
                .map(|()| 0)
                .map_err(Failure::from)
        }
        Some(("status", matches)) => status(matches),
        Some(("doctor", matches)) => examine(matches),
        Some(("backup", matches)) => back_up(matches),
        Some(("restore", matches)) => restore(matches),
        Some(("rebuild", matches)) => rebuild(matches),
        _ => Err(Failure::unusable("node")),
    }
}

fn config_path(matches: &ArgMatches) -> &Path {
    matches
        .get_one::<PathBuf>("config")
        .map_or(Path::new(CONFIG_NAME), PathBuf::as_path)
}

fn config(matches: &ArgMatches) -> Result<Config, Failure> {
    Config::read(config_path(matches), true).map_err(Failure::from)
}

fn tls_files(matches: &ArgMatches) -> Result<Option<TlsFiles>, Failure> {
    let path = |name: &str| {
        let given = matches
            .get_one::<PathBuf>(name)
            .map(std::path::absolute)
            .transpose();
        given.map_err(|error| Failure::unusable(format!("--{name}")).because(error))
    };
    let files = path("tls-certificate")?
        .zip(path("tls-key")?)
        .map(|(certificate, key)| TlsFiles { certificate, key });
    if let Some(files) = &files {
        door::read_tls(files)?;
    }
    Ok(files)
}

fn init(matches: &ArgMatches) -> Result<u8, Failure> {
    let dir = matches
        .get_one::<PathBuf>("dir")
        .cloned()
        .unwrap_or_default();
    let (Some(organisation), Some(genesis), Some(listen), Some(api)) = (
        matches.get_one::<u32>("organisation"),
        matches.get_one::<PathBuf>("genesis"),
        matches.get_one::<SocketAddr>("listen"),
        matches.get_one::<SocketAddr>("api"),
    ) else {
        return Err(Failure::unusable("node init"));
    };
    let path = dir.join(CONFIG_NAME);
    if path.exists() {
        return Err(
            Failure::unusable(t("node.exists", &[("file", path.display().to_string())]))
                .next(t("node.exists-next", &[])),
        );
    }
    let written = |error: std::io::Error| {
        Failure::unusable(t("node.not-written", &[("dir", dir.display().to_string())]))
            .because(error)
    };
    let mut config = Config {
        organisation: *organisation,
        genesis: std::path::absolute(genesis).map_err(written)?,
        genesis_hash: None,
        data: "data".into(),
        keys: "keys".into(),
        listen: *listen,
        api: *api,
        tls: tls_files(matches)?,
        insecure_listen: false,
        public_reading: true,
        bootstrap: matches
            .get_many::<String>("bootstrap")
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        log: "info".into(),
        propose_ms: 3_000,
    };
    let hash = config.read_genesis()?.genesis.hash();
    config.genesis_hash = Some(hash.to_hex());
    let (keys, data) = (dir.join("keys"), dir.join("data"));
    std::fs::create_dir_all(&data).map_err(written)?;
    let secrets = if keys.exists() {
        NodeSecrets::read(&keys)?
    } else {
        let secrets = NodeSecrets::generate()?;
        secrets.write(&keys)?;
        // Only keys that were made just now cannot have signed anything elsewhere (RULINGS A8).
        files::replace(&data.join(storage::FRESH), b"", Access::Everybody)
            .map_err(|error| written(error.into()))?;
        secrets
    };
    files::replace(&path, config.render().as_bytes(), Access::Everybody)
        .map_err(|error| written(error.into()))?;
    let peer = peer_id_text(secrets.transport.public().bytes()).unwrap_or_default();
    if matches.get_flag("json") {
        print_json(&serde_json::json!({
            "config": path, "genesis": hash, "peer": peer,
            "consensus": secrets.consensus.public(), "cosigner": secrets.cosigner.public(),
            "log": secrets.log.public(), "transport": secrets.transport.public(),
        }));
    } else {
        print(t(
            "node.made",
            &[
                ("file", path.display().to_string()),
                ("genesis", hash.to_hex()),
                ("peer", peer),
            ],
        ));
        say(t("node.made-next", &[("file", path.display().to_string())]));
    }
    Ok(0)
}

fn status(matches: &ArgMatches) -> Result<u8, Failure> {
    let status = if !matches.contains_id("node") {
        admin::ask(
            &config(matches)?.admin_socket(),
            &admin::Request::Status,
            Duration::from_secs(10),
        )
        .map_err(|failure| {
            Failure::unreachable(failure.what)
                .because(failure.why)
                .next(failure.next)
        })?
    } else {
        Client::of(matches, None, "act.no-profile-next")?.json("/v1/status")?
    };
    if matches.get_flag("json") {
        print_json(&status);
        return Ok(0);
    }
    print_status(&status);
    let mut findings = Vec::new();
    doctor::running(&status, &mut findings);
    show_findings(&findings[1..]);
    Ok(0)
}

/// The lines of one node's status.
pub fn print_status(status: &serde_json::Value) {
    if status["sample"] == true {
        print(t("audit.sample", &[]));
    }
    let word = |name: &str| match &status[name] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let facts: Vec<(&str, String)> = [
        "organisation",
        "height",
        "receipted",
        "stored",
        "phase",
        "votes",
        "pool",
        "validators_connected",
        "quorum",
        "state_root",
    ]
    .into_iter()
    .map(|name| (name, words(&word(name))))
    .collect();
    print(t("node.status", &facts));
    if let Some(warning) = status["clock_warning"].as_str() {
        let off = status["clock_off_ms"].as_i64().unwrap_or(0);
        let key = if off > 0 {
            "node.clock-ahead"
        } else {
            "node.clock-behind"
        };
        say(find(
            key,
            &[("seconds", (off.unsigned_abs() / 1_000).to_string())],
        )
        .unwrap_or_else(|| warning.to_owned()));
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

fn examine(matches: &ArgMatches) -> Result<u8, Failure> {
    let findings = doctor::examine(config_path(matches));
    let bad = if matches.get_flag("json") {
        print_json(&findings);
        findings.iter().any(|finding| finding.weight == "trouble")
    } else {
        show_findings(&findings)
    };
    Ok(if bad { REFUSED } else { 0 })
}

fn back_up(matches: &ArgMatches) -> Result<u8, Failure> {
    let config = config(matches)?;
    let absolute = |name: &str| {
        let path = matches
            .get_one::<PathBuf>(name)
            .map(std::path::absolute)
            .transpose();
        path.map_err(|error| Failure::unusable(format!("--{name}")).because(error))
    };
    let (to, keys) = (absolute("to")?, absolute("keys")?);
    if let Some(keys) = keys {
        if to.as_ref().is_some_and(|to| keys.starts_with(to)) {
            return Err(Failure::unusable(t("node.keys-beside-data", &[]))
                .next(t("node.keys-beside-data-next", &[])));
        }
        let secrets = NodeSecrets::read(&config.keys)?;
        let genesis = config.read_genesis()?.genesis.hash();
        let passphrase = passphrase::new(matches, &keys.display().to_string())?;
        node_backup::write(&keys, &secrets, config.organisation, genesis, &passphrase)?;
        print(t(
            "node.keys-backed-up",
            &[("file", keys.display().to_string())],
        ));
    }
    let Some(to) = to else { return Ok(0) };
    let request = admin::Request::Backup { to: to.clone() };
    let busy = busy("busy.backup");
    let list = match admin::ask(&config.admin_socket(), &request, Duration::from_secs(3_600)) {
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
            let list = backup::backup(&config.data, genesis, &to)?;
            serde_json::to_value(list)
                .map_err(|error| Failure::unusable("backup").because(error))?
        }
    };
    drop(busy);
    if matches.get_flag("json") {
        print_json(&list);
    } else {
        let files = list["files"].as_array().map_or(0, Vec::len);
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

fn restore(matches: &ArgMatches) -> Result<u8, Failure> {
    let config = config(matches)?;
    let dry = matches.get_flag("dry-run");
    if let Some(keys) = matches.get_one::<PathBuf>("keys") {
        let genesis = config.read_genesis()?.genesis.hash();
        let passphrase = passphrase::existing(matches, &keys.display().to_string())?;
        let secrets = node_backup::read(keys, config.organisation, genesis, &passphrase)?;
        if !dry {
            secrets.write(&config.keys)?;
            // They may have signed elsewhere: the node asks its peers before it votes (RULINGS A8).
            let _ = std::fs::remove_file(config.data.join(storage::FRESH));
        }
        let facts = [("dir", config.keys.display().to_string())];
        print(t(
            if dry {
                "node.would-restore-keys"
            } else {
                "node.restored-keys"
            },
            &facts,
        ));
    }
    if let Some(from) = matches.get_one::<PathBuf>("from") {
        let busy = busy("busy.restore");
        let list = backup::restore(from, &config, dry)?;
        drop(busy);
        if matches.get_flag("json") {
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
    if dry && matches.contains_id("keys") {
        return Ok(0);
    }
    let missing = NodeSecrets::read(&config.keys).err();
    if let Some(failure) = missing {
        return Err(failure.into());
    }
    Ok(0)
}

fn rebuild(matches: &ArgMatches) -> Result<u8, Failure> {
    let config = config(matches)?;
    let genesis = Arc::new(config.read_genesis()?.genesis);
    let busy = busy("busy.rebuild");
    let opened = open::open(&config, &genesis, true)?;
    drop(busy);
    let facts = [
        ("height", opened.ledger.height().to_string()),
        ("blocks", opened.replayed.to_string()),
    ];
    if matches.get_flag("json") {
        print_json(
            &serde_json::json!({ "height": opened.ledger.height(), "replayed": opened.replayed, "notes": opened.notes }),
        );
    } else {
        print(t("node.rebuilt", &facts));
    }
    Ok(0)
}
