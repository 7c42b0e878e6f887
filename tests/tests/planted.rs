//! What must never ship stays where it belongs (RULINGS A63): the package in `tests/planted`, outside
//! the workspace, is run from here with every test run, and nothing of it is in a program that the
//! workspace builds.
//!
//! The package shares the folder of compiled crates with the workspace, so other people's crates are
//! not compiled twice; its programs lie in `target/planted`. Cargo holds no lock any more when a test
//! runs.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use rollbook_core::planted::MARK;
use rollbook_tests::cargo;
use rollbook_tests::kept::{COMMAND, is_made_anew};
use rollbook_tests::testnet::program;

/// The root of the repository.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the package.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("planted")
}

/// Cargo in the folder of the package.
fn cargo() -> Command {
    let mut cargo = cargo::command();
    cargo.current_dir(folder());
    cargo
}

fn table(path: &Path) -> toml::Table {
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn is_marked(program: &Path) -> bool {
    let bytes = std::fs::read(program).unwrap();
    bytes
        .windows(MARK.len())
        .any(|part| part == MARK.as_bytes())
}

/// The folder `target` of this run, and the programs' folder in it.
fn built() -> (PathBuf, PathBuf) {
    let test = std::env::current_exe().unwrap();
    let programs = test.parent().unwrap().parent().unwrap();
    (programs.parent().unwrap().into(), programs.into())
}

#[test]
fn the_planted_suites_hold_and_only_their_program_has_the_mark() {
    let (target, programs) = built();
    let released = program();
    let apart = target.join("planted");
    let output = cargo()
        .args(["test", "--release", "--locked"])
        .env("CARGO_BUILD_BUILD_DIR", &target)
        .env("CARGO_TARGET_DIR", &apart)
        .env("ROLLBOOK_NODE", &released)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "tests/planted fails; if its Cargo.lock is out of date, `{COMMAND}` makes it anew\n{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(is_marked(&apart.join("release/rollbook-node-planted")));

    // Every program that the workspace leaves behind; that of the command line is looked for again
    // by the suite that builds it (`cli/tests/genesis_files.rs`).
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(programs).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_file() && name.starts_with("rollbook") && path.extension().is_none() {
            assert!(!is_marked(&path), "{} has planted faults", path.display());
            seen.insert(name);
        }
    }
    assert!(seen.contains("rollbook-node"), "{seen:?}");
}

/// The packages of a lock file that come from elsewhere: name and version, source and checksum.
fn locked(path: &Path) -> BTreeMap<(String, String), (String, String)> {
    let lock = table(path);
    let text = |package: &toml::Value, key| {
        let text = package.get(key).and_then(toml::Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let packages = lock["package"].as_array().unwrap().iter();
    packages
        .filter(|package| package.get("source").is_some())
        .map(|package| {
            (
                (text(package, "name"), text(package, "version")),
                (text(package, "source"), text(package, "checksum")),
            )
        })
        .collect()
}

#[test]
fn kept_lock() {
    let lock = folder().join("Cargo.lock");
    if is_made_anew() {
        std::fs::copy(top().join("Cargo.lock"), &lock).unwrap();
        let update = ["update", "--workspace", "--offline", "--quiet"];
        assert!(cargo().args(update).status().unwrap().success());
    }
    let all = locked(&top().join("Cargo.lock"));
    let own = locked(&lock);
    assert!(own.len() > 100, "{}", own.len());
    for (name, source) in &own {
        assert_eq!(
            all.get(name),
            Some(source),
            "tests/planted/Cargo.lock has {name:?} from elsewhere; `{COMMAND}` makes it anew"
        );
    }
}

/// Compiled crates serve both only if they are compiled alike, and a finding here must be one there.
#[test]
fn profile_and_lints_are_those_of_the_workspace() {
    let (ours, theirs) = (
        table(&top().join("Cargo.toml")),
        table(&folder().join("Cargo.toml")),
    );
    assert_eq!(ours["workspace"]["lints"], theirs["lints"]);
    let part = |manifest: &toml::Table| {
        let mut profile = manifest["profile"]["release"].as_table().unwrap().clone();
        let packages = profile.remove("package").unwrap();
        (profile, packages.as_table().unwrap().clone())
    };
    let ((ours, mut wanted), (theirs, mut found)) = (part(&ours), part(&theirs));
    assert_eq!(ours, theirs);
    let foreign: BTreeSet<String> = locked(&folder().join("Cargo.lock"))
        .into_keys()
        .map(|(name, _)| name)
        .collect();
    wanted.retain(|name, _| name == "*" || foreign.contains(name));
    found.retain(|name, _| !name.starts_with("rollbook"));
    assert_eq!(wanted, found);
}
