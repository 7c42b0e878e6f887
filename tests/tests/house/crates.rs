//! What the Cargo.toml files and the roots of crates must be: dependencies run downwards, and a
//! crate does not show another of ours as its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use super::modules::Sources;
use super::paths::{Shown, Way, facts};
use super::rooms::{Finding, House, Kind, floor_of};

/// The suites' crate: whoever tests may use it, so it does not count as a dependency of tests.
const SUITES: &str = "rollbook-tests";

/// The tables of a Cargo.toml that name other crates.
const TABLES: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

/// The crates that a build of `package` needs, as `name version`, itself included.
pub fn tree(top: &Path, package: &str, edges: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix", "none", "--package", package])
        .args(["--edges", edges, "--format", "{p}"])
        .current_dir(top)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(format!("{} {}", words.next()?, words.next()?))
        })
        .collect()
}

/// Judges the dependencies. `manifests` are the Cargo.toml files by their folder.
pub fn judge_manifests(house: &House, manifests: &BTreeMap<String, toml::Table>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, manifest) in manifests {
        let mut fault = |kind, text| {
            findings.push(Finding {
                folder: folder.clone(),
                kind,
                text,
            });
        };
        let Some(own) = house
            .crates
            .iter()
            .position(|floor| floor.folder == *folder)
        else {
            fault(
                Kind::Folder,
                format!("{folder}: a crate that the table does not name"),
            );
            continue;
        };
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"));
        if name.and_then(toml::Value::as_str) != Some(&house.crates[own].name) {
            let text = format!(
                "{folder}: the table calls this crate {}",
                house.crates[own].name
            );
            fault(Kind::Folder, text);
        }
        for (table, on) in dependencies(manifest) {
            let other = house.crates.iter().position(|floor| floor.name == on);
            let suites = table == "dev-dependencies" && on == SUITES;
            if other.is_some_and(|other| other >= own) && !suites {
                fault(
                    Kind::Dependency,
                    format!("{folder}/Cargo.toml: {table} look up into {on}"),
                );
            }
        }
    }
    findings
}

/// Every dependency with the table that names it, those of single targets too.
fn dependencies(manifest: &toml::Table) -> Vec<(&'static str, String)> {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let places = targets
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(|v| v.as_table());
    let mut found = Vec::new();
    for place in places.chain([manifest]) {
        for table in TABLES {
            let named = place.get(table).and_then(toml::Value::as_table);
            for (name, wanted) in named.into_iter().flatten() {
                let package = wanted.get("package").and_then(toml::Value::as_str);
                found.push((table, package.unwrap_or(name).to_string()));
            }
        }
    }
    found
}

/// One path for each thing: no `pub use` of another crate of ours, and in the root of a crate no
/// `pub(crate) use` of one either.
pub fn judge_reexports(house: &House, sources: &Sources) -> Vec<Finding> {
    let names: Vec<String> = house
        .crates
        .iter()
        .map(|floor| floor.name.replace('-', "_"))
        .collect();
    let mut findings = Vec::new();
    for (file, source) in sources.iter().filter(|(file, _)| file.contains("/src/")) {
        let root = file.ends_with("/src/lib.rs");
        for path in facts(source).written {
            let (Way::Named { shown, .. } | Way::Glob { shown }) = path.way else {
                continue;
            };
            let told = shown == Shown::Everybody || (shown == Shown::Crate && root);
            if told && names.contains(&path.segments[0]) {
                let folder = floor_of(house, file).map(|floor| floor.folder.clone());
                let text = format!(
                    "{file}:{}: `pub use {}` gives a thing a second path",
                    path.line,
                    path.segments.join("::")
                );
                let (folder, kind) = (folder.unwrap_or_default(), Kind::Reexport);
                findings.push(Finding { folder, kind, text });
            }
        }
    }
    findings
}
