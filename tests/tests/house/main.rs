//! The house: which rooms the crates have, and that nobody looks up.
//!
//! Rules, held for every crate below `core`, `node` and `cli`:
//!
//! * Every module belongs to one room of the table `tests/house.toml`, and every entry of the table
//!   names something.
//! * A path of a crate into itself (`crate::`, `$crate::`, `super::`, `self::`, or a name that was
//!   imported), in a `use` or anywhere else, leads into its own room or into a room below it. Rooms
//!   form no circle.
//! * Test code is read like all code: a `mod tests` and a `*_tests.rs` may look wherever they like
//!   in their own room and below it, and no higher. Suites (`tests/`), benches and examples of a
//!   crate stand outside it and see only what is public; of them only the length counts.
//! * A crate depends only on crates that stand before it in the table, and shows none of them as
//!   its own.
//! * A build needs no more crates of other people than the table allows, and never those that it
//!   forbids; who adds one raises the number on purpose.
//! * No file is longer than 800 lines, here too. No room is larger than 6,000. Core has at least
//!   15 rooms.
//!
//! A crate whose table says `strict = false` is still being moved: what is found in it is printed
//! (`cargo test --release -p rollbook-tests --test house -- --nocapture`) and fails nothing.
//!
//! Absent on purpose: rooms of other people's crates, and ways that are no path (methods, fields).
//! No code is imported from the crates that are read.

#![allow(clippy::unwrap_used)]

mod crates;
mod lexer;
mod modules;
mod paths;
mod planted;
mod rooms;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use modules::Sources;
use rooms::{Finding, House, Kind};

/// The folders of our crates, from the top of the repository.
const FOLDERS: [&str; 4] = ["core", "node", "cli", "tests"];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn house() -> House {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("house.toml");
    toml::from_str(&fs::read_to_string(table).unwrap()).unwrap()
}

/// Calls `take` with every file below a folder, and its path from the top. Folders of builds and
/// hidden ones are left out.
fn walk(folder: &str, take: &mut impl FnMut(&str, &Path)) {
    for entry in fs::read_dir(top().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        if entry.file_type().unwrap().is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(&path, take);
            }
        } else {
            take(&path, &entry.path());
        }
    }
}

fn sources() -> Sources {
    let mut found = Sources::new();
    for folder in FOLDERS {
        walk(folder, &mut |path, place| {
            if path.ends_with(".rs") {
                found.insert(path.to_string(), fs::read_to_string(place).unwrap());
            }
        });
    }
    found
}

fn manifests() -> BTreeMap<String, toml::Table> {
    let mut found = BTreeMap::new();
    for folder in FOLDERS {
        walk(folder, &mut |path, place| {
            // Below `tests/` there are fixtures and fuzz targets, which may use everything.
            let crates = path.strip_suffix("/Cargo.toml");
            if let Some(crates) = crates.filter(|found| !found.starts_with("tests/")) {
                let manifest = toml::from_str(&fs::read_to_string(place).unwrap()).unwrap();
                found.insert(crates.to_string(), manifest);
            }
        });
    }
    found
}

/// Prints the findings of crates that are still being moved, and fails on any other.
fn must_be_none(house: &House, findings: Vec<Finding>) {
    let strict = |finding: &&Finding| {
        rooms::floor_of(house, &finding.folder).is_none_or(|floor| floor.strict)
    };
    let (failing, moving): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(strict);
    for finding in &moving {
        println!("not yet: {:?}: {}", finding.kind, finding.text);
    }
    println!(
        "{} findings in crates that are still being moved",
        moving.len()
    );
    let failing: Vec<String> = failing
        .iter()
        .map(|finding| format!("{:?}: {}", finding.kind, finding.text))
        .collect();
    assert!(
        failing.is_empty(),
        "{} findings:\n{}",
        failing.len(),
        failing.join("\n")
    );
}

#[test]
fn no_room_looks_up() {
    let house = house();
    must_be_none(&house, rooms::judge(&house, &sources()));
}

#[test]
fn no_crate_depends_upwards() {
    let house = house();
    let findings = crates::judge_manifests(&house, &manifests());
    assert_eq!(findings, [], "dependencies run downwards");
}

#[test]
fn no_build_grows_unseen() {
    for weight in house().weight {
        let tree = crates::tree(&top(), &weight.name, &weight.edges);
        println!(
            "{}: {} crates, {} allowed",
            weight.name,
            tree.len(),
            weight.crates
        );
        assert!(
            tree.len() <= weight.crates,
            "{} needs {} crates ({}), {} are allowed by tests/house.toml",
            weight.name,
            tree.len(),
            weight.edges,
            weight.crates
        );
        let heavy: Vec<&String> = weight
            .never
            .iter()
            .filter(|name| {
                tree.iter()
                    .any(|line| line.starts_with(&format!("{name} ")))
            })
            .collect();
        assert!(heavy.is_empty(), "{} needs {heavy:?}", weight.name);
        if let Some(most) = weight.lines {
            let floor = house()
                .crates
                .into_iter()
                .find(|floor| floor.name == weight.name);
            let folder = format!("{}/src/", floor.unwrap().folder);
            let lines: usize = sources()
                .iter()
                .filter(|(path, _)| path.starts_with(&folder))
                .map(|(_, text)| text.lines().count())
                .sum();
            assert!(
                lines <= most,
                "{}: {lines} lines, {most} are allowed",
                weight.name
            );
        }
    }
}

#[test]
fn each_thing_has_one_path() {
    let house = house();
    let findings = crates::judge_reexports(&house, &sources());
    assert_eq!(findings, [], "no crate shows another of ours as its own");
}

/// Whoever plants a path upwards into the sources as they are is found.
#[test]
fn a_path_planted_into_the_house_is_found() {
    let (house, sources) = (house(), sources());
    for floor in house.crates.iter().filter(|floor| floor.rooms.len() > 1) {
        let upward = |sources: &Sources| {
            let findings = rooms::judge(&house, sources);
            let ours =
                |finding: &&Finding| finding.folder == floor.folder && finding.kind == Kind::Upward;
            findings.iter().filter(ours).count()
        };
        let before = upward(&sources);
        let Some((low, high)) = planted::lowest_and_highest(floor, &sources) else {
            continue;
        };
        let mut planted = sources.clone();
        planted
            .get_mut(&low)
            .unwrap()
            .push_str(&format!("\nfn planted() {{ crate::{high}::x(); }}\n"));
        assert_eq!(upward(&planted), before + 1, "{low} -> {high}");
    }
}
