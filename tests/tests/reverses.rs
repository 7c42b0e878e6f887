//! Every mend can be taken back, and its test then fails (RULINGS A62, A63).
//!
//! `tests/reverses.toml` holds the reverses. In every run it is checked that each still fits its place and
//! names a test that is there, and that the tables that rest on them name them all. What they show is the
//! long tier:
//!
//! ```text
//! ROLLBOOK_REVERSES=1 cargo test --release --workspace --test reverses -- --nocapture
//! ```
//!
//! * It copies the tracked files of the tree, with all reverses in it, builds the copy once, and runs each
//!   named test: without a reverse it holds, with its own, named in `ROLLBOOK_REVERSE`, it fails by an
//!   assertion.
//! * `ROLLBOOK_REVERSES=NAME,NAME` runs only these. `ROLLBOOK_REVERSES_IN=FOLDER` keeps copy and build for
//!   the next run.
//! * The copy and its programs lie in a temporary folder and are run from there, so nothing of it ships.
//!   Other people's compiled crates are shared, as with `tests/planted`; our own are not optimised.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rollbook_tests::cargo;
use serde::Deserialize;
use serde_json::Value;

/// How long one test may take before it counts as neither green nor red.
const PATIENCE: Duration = Duration::from_secs(900);
/// Names the reverse that applies in a process of the copy.
const VARIABLE: &str = "ROLLBOOK_REVERSE";
/// The tables that rest on reverses, by their group.
const TABLES: [(&str, &str); 2] = [
    ("hands", "docs/results/hands.md"),
    ("door", "docs/results/door.md"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    reverse: Vec<Reverse>,
}

/// What takes one mend back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reverse {
    /// Words with dashes.
    name: String,
    /// Which table names it.
    group: String,
    /// What went wrong once.
    fault: String,
    /// The place of the mend: as in [`Place`].
    file: String,
    old: String,
    new: String,
    /// Places that belong to the same mend.
    #[serde(default)]
    also: Vec<Place>,
    /// The suite of the test that fails: a test target.
    suite: String,
    /// Its name in the suite.
    test: String,
}

/// A place of the sources and what stands there instead.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// From the root of the repository.
    file: String,
    /// An expression, or whole statements none of whose names is used later. Once in the file.
    old: String,
    /// The same without the mend.
    new: String,
}

impl Reverse {
    fn places(&self) -> impl Iterator<Item = Place> {
        let first = Place {
            file: self.file.clone(),
            old: self.old.clone(),
            new: self.new.clone(),
        };
        std::iter::once(first).chain(self.also.iter().cloned())
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn book() -> Vec<Reverse> {
    let text = std::fs::read_to_string(top().join("tests/reverses.toml")).unwrap();
    let book: Book = toml::from_str(&text).unwrap();
    book.reverse
}

/// The packages of the workspace: name and folder.
fn packages() -> Vec<(String, PathBuf)> {
    let manifest = |folder: &Path| -> toml::Table {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        text.parse().unwrap()
    };
    let workspace = manifest(&top());
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let folders = members.iter().map(|member| member.as_str().unwrap());
    folders
        .map(|folder| {
            let package = manifest(&top().join(folder));
            let name = package["package"]["name"].as_str().unwrap().to_owned();
            (name, folder.into())
        })
        .collect()
}

/// A suite: the package that has it, and its sources.
struct Suite {
    package: PathBuf,
    sources: Vec<PathBuf>,
}

impl Suite {
    fn of(name: &str) -> Option<Suite> {
        packages().into_iter().find_map(|(_, package)| {
            let tests = top().join(&package).join("tests");
            let places = [tests.join(format!("{name}.rs")), tests.join(name)];
            let sources: Vec<PathBuf> = places.iter().flat_map(|place| rust_in(place)).collect();
            (!sources.is_empty()).then_some(Suite { package, sources })
        })
    }

    /// Whether a test of this name stands in the sources.
    fn has(&self, test: &str) -> bool {
        let (_, name) = test.rsplit_once("::").unwrap_or(("", test));
        let head = format!("fn {name}()");
        self.sources.iter().any(|source| {
            let text = std::fs::read_to_string(source).unwrap();
            text.find(&head).is_some_and(|at| {
                let before = text[..at].trim_end();
                before.ends_with("#[test]")
            })
        })
    }
}

/// A file, or the sources in a folder and those below it.
fn rust_in(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_path_buf()];
    }
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .flat_map(|path| match path.is_dir() {
            true => rust_in(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect();
    found.sort();
    found
}

#[test]
fn every_reverse_fits_its_place_and_names_a_test() {
    let (mut names, mut wrong) = (BTreeSet::new(), Vec::new());
    for reverse in book() {
        let name = reverse.name.as_str();
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.chars().all(is_plain) || !names.insert(name.to_owned()) {
            wrong.push(format!("{name}: no name of its own, of words with dashes"));
        }
        if reverse.fault.is_empty() || !TABLES.iter().any(|(group, _)| *group == reverse.group) {
            wrong.push(format!("{name}: no fault, or the group of no table"));
        }
        match Suite::of(&reverse.suite) {
            Some(suite) if suite.has(&reverse.test) => {}
            _ => wrong.push(format!(
                "{name}: no test {} in {}",
                reverse.test, reverse.suite
            )),
        }
    }
    wrong.extend(planted(&book()).err().into_iter().flatten());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A row of a table: its first cell, the cell that names the test, the cell that names reverses.
fn rows(table: &str) -> Vec<[String; 3]> {
    let head = |line: &&str| !line.trim_end().ends_with("| Reverse |");
    let lines = table
        .lines()
        .skip_while(head)
        .take_while(|line| line.starts_with('|'));
    let cells = lines.map(|line| -> Vec<String> {
        let inner = line.trim_matches('|');
        inner
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    });
    cells
        .skip(2)
        .map(|cells| {
            let [first, .., test, reverse] = cells.as_slice() else {
                panic!("{cells:?}");
            };
            [first.clone(), test.clone(), reverse.clone()]
        })
        .collect()
}

/// What stands between the marks of code in a cell.
fn marked(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Every fault of a table has its reverse, with the test that is named beside it, or says what other one
/// there is; and nothing is reversed that no table names.
#[test]
fn every_row_of_a_table_has_its_reverse() {
    let book = book();
    let of_name: BTreeMap<&str, &Reverse> = book.iter().map(|r| (r.name.as_str(), r)).collect();
    for (group, file) in TABLES {
        let table = std::fs::read_to_string(top().join(file)).unwrap();
        let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
        for [fault, test, reverses] in rows(&table) {
            let tests = marked(&test);
            let named = marked(&reverses);
            if named.is_empty() && !reverses.starts_with("other: ") {
                wrong.push(format!("{fault}: no reverse"));
            }
            for name in named {
                let known = of_name.get(name).filter(|reverse| reverse.group == group);
                match known {
                    Some(reverse) if tests.contains(&reverse.test.as_str()) => {
                        seen.insert(name.to_owned());
                    }
                    Some(reverse) => {
                        wrong.push(format!("{fault}: {name} is shown by {}", reverse.test));
                    }
                    None => wrong.push(format!("{fault}: there is no reverse {name}")),
                }
            }
        }
        let all = book.iter().filter(|reverse| reverse.group == group);
        let unnamed = all.filter(|reverse| !seen.contains(&reverse.name));
        wrong.extend(unnamed.map(|reverse| format!("{file} does not name {}", reverse.name)));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The sources with all reverses in them, by file; or what does not fit.
fn planted(book: &[Reverse]) -> Result<BTreeMap<String, String>, Vec<String>> {
    let mut by_file: BTreeMap<String, Vec<(&str, Place)>> = BTreeMap::new();
    for reverse in book {
        for place in reverse.places() {
            let places = by_file.entry(place.file.clone()).or_default();
            places.push((&reverse.name, place));
        }
    }
    let (mut planted, mut wrong) = (BTreeMap::new(), Vec::new());
    for (file, places) in by_file {
        let Ok(mut text) = std::fs::read_to_string(top().join(&file)) else {
            wrong.push(format!("{file} cannot be read"));
            continue;
        };
        let mut at: Vec<(usize, &str, Place)> = Vec::new();
        for (name, place) in places {
            let mut found = text.match_indices(&place.old).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (Some(only), None) => at.push((only, name, place)),
                _ => wrong.push(format!(
                    "{name}: what it replaces does not stand once in {file}"
                )),
            }
        }
        at.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let mut end = text.len();
        for (at, name, place) in at {
            let until = at + place.old.len();
            if until > end {
                wrong.push(format!("{name}: another reverse stands there in {file}"));
                continue;
            }
            end = at;
            let chosen = format!(
                "if std::env::var_os(\"{VARIABLE}\").is_some_and(|name| name == \"{name}\") {{ {} }} \
                 else {{ {} }}",
                place.new, place.old
            );
            text.replace_range(at..until, &chosen);
        }
        planted.insert(file, text);
    }
    if wrong.is_empty() {
        Ok(planted)
    } else {
        Err(wrong)
    }
}

/// Copies the tracked files; what has not changed keeps its time, so that it is not built again.
fn copy(tree: &Path, planted: &BTreeMap<String, String>) {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(top())
        .output()
        .unwrap();
    assert!(listed.status.success());
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files: BTreeSet<&str> = listed.split('\0').filter(|file| !file.is_empty()).collect();
    for file in rust_in(tree) {
        let name = file.strip_prefix(tree).unwrap();
        if !files.contains(name.to_str().unwrap()) {
            std::fs::remove_file(&file).unwrap();
        }
    }
    for file in files {
        let Ok(mut bytes) = std::fs::read(top().join(file)) else {
            // Removed, and not committed yet.
            continue;
        };
        if let Some(text) = planted.get(file) {
            bytes = text.clone().into_bytes();
        }
        let to = tree.join(file);
        if std::fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
}

/// The folder `target` of this run.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_path_buf()
}

/// Cargo in the copy.
fn cargo(folder: &Path, what: &[&str]) -> Command {
    let mut cargo = cargo::command();
    cargo
        .current_dir(folder.join("tree"))
        .env("CARGO_BUILD_BUILD_DIR", target())
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .args(what)
        .args(["--release", "--locked", "--workspace"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit());
    for (name, _) in packages() {
        // It is built for one run of a few tests.
        for setting in ["opt-level=0", "codegen-units=16"] {
            let setting = format!("profile.release.package.{name}.{setting}");
            cargo.args(["--config", &setting]);
        }
    }
    cargo
}

/// Builds the copy; the program of each suite.
fn build(folder: &Path, suites: &BTreeMap<&str, Suite>) -> BTreeMap<String, PathBuf> {
    // Suites of a package bring its programs with them; this one, that of the node.
    let mut tests = cargo(folder, &["test", "--no-run", "--test", "program"]);
    for name in suites.keys() {
        tests.args(["--test", name]);
    }
    let built = tests.output().unwrap();
    assert!(built.status.success(), "the copy does not build");
    let messages = String::from_utf8(built.stdout).unwrap();
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter_map(|message: Value| {
            let kind = message["target"]["kind"][0].as_str()?;
            let program = message["executable"].as_str()?;
            let is_test = message["profile"]["test"] == true && kind == "test";
            let name = message["target"]["name"].as_str()?;
            is_test.then(|| (name.to_owned(), PathBuf::from(program)))
        })
        .collect()
}

/// What came of a test.
enum Ran {
    Green,
    /// By an assertion of the suite; where, and what it said.
    Red(String),
    /// It is not known: it did not end in time, or ended as no test does.
    Neither(String),
}

/// The copy and its programs.
struct Copy {
    folder: PathBuf,
    suites: BTreeMap<String, (PathBuf, PathBuf)>,
}

impl Copy {
    fn run(&self, suite: &str, test: &str, reverse: Option<&str>) -> (Ran, Duration) {
        let (program, package) = &self.suites[suite];
        let name = reverse.unwrap_or("none");
        let log = self
            .folder
            .join(format!("{suite}.{}.{name}", test.replace("::", ".")));
        let output = File::create(&log).unwrap();
        let mut command = Command::new(program);
        command
            .args([test, "--exact"])
            .current_dir(self.folder.join("tree").join(package))
            .env(
                "ROLLBOOK_NODE",
                self.folder.join("target/release/rollbook-node"),
            )
            .env("RUST_BACKTRACE", "0")
            .env_remove(VARIABLE)
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .process_group(0);
        if let Some(name) = reverse {
            command.env(VARIABLE, name);
        }
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if begun.elapsed() > PATIENCE {
                let group = format!("-{}", child.id());
                let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let told = std::fs::read(&log).unwrap();
        let told = String::from_utf8_lossy(&told).into_owned();
        let ran = match status {
            None => Ran::Neither("it did not end".to_owned()),
            Some(status) if status.success() && told.contains("1 passed") => Ran::Green,
            Some(status) if status.code() == Some(101) && told.contains("0 passed; 1 failed") => {
                let place = panic_of(&told);
                // What helps the suites fails where something else is wrong.
                if Path::new(&place).starts_with(package.join("tests")) {
                    Ran::Red(place)
                } else {
                    Ran::Neither(place)
                }
            }
            Some(status) => Ran::Neither(format!("{status}: {told}")),
        };
        (ran, begun.elapsed())
    }
}

/// Where the first panic of a suite or of a source was, and its first words.
fn panic_of(told: &str) -> String {
    let mut lines = told.lines();
    let place = lines
        .by_ref()
        .find_map(|line| Some(line.split_once("panicked at ")?.1));
    let words: Vec<&str> = lines.take(3).map(str::trim).collect();
    let words: String = words.join(" ").chars().take(100).collect();
    format!("{} {words}", place.unwrap_or_default())
}

/// Which reverses are run: all of them, or those that are named.
fn wanted(book: Vec<Reverse>, asked: &str) -> Vec<Reverse> {
    if asked == "1" {
        return book;
    }
    let names: Vec<&str> = asked.split(',').collect();
    let wanted: Vec<Reverse> = book
        .into_iter()
        .filter(|reverse| names.contains(&reverse.name.as_str()))
        .collect();
    assert_eq!(wanted.len(), names.len(), "there is no such reverse");
    wanted
}

#[test]
fn every_mend_taken_back_turns_its_test_red() {
    let Some(asked) = std::env::var("ROLLBOOK_REVERSES").ok() else {
        return;
    };
    let kept = std::env::var_os("ROLLBOOK_REVERSES_IN").map(PathBuf::from);
    let temporary = tempfile::tempdir().unwrap();
    let folder = kept.unwrap_or_else(|| temporary.path().to_path_buf());
    let planted = planted(&book()).unwrap();
    copy(&folder.join("tree"), &planted);
    // All of them are built, so that the next run with others builds nothing.
    let all = book();
    let suites: BTreeMap<&str, Suite> = all
        .iter()
        .map(|reverse| (reverse.suite.as_str(), Suite::of(&reverse.suite).unwrap()))
        .collect();
    let programs = build(&folder, &suites);
    let copy = Copy {
        suites: suites
            .iter()
            .map(|(name, suite)| {
                let program = programs[*name].clone();
                ((*name).to_owned(), (program, suite.package.clone()))
            })
            .collect(),
        folder,
    };
    let wanted = wanted(book(), &asked);
    let tests: BTreeSet<(&str, &str)> = wanted
        .iter()
        .map(|reverse| (reverse.suite.as_str(), reverse.test.as_str()))
        .collect();
    let held = at_once(tests.into_iter().collect(), |(suite, test)| {
        let (ran, took) = copy.run(suite, test, None);
        ((*suite, *test), (ran, took))
    });
    let (held, mut wrong): (BTreeMap<_, _>, _) = (held.into_iter().collect(), Vec::new());
    for ((suite, test), (ran, _)) in &held {
        if let Ran::Red(why) | Ran::Neither(why) = ran {
            wrong.push(format!("{suite} {test} fails without a reverse: {why}"));
        }
    }
    println!("| Reverse | Test | Holds, s | Fails, s | Where |\n|---|---|---|---|---|");
    let failed = at_once(wanted.iter().collect(), |reverse| {
        let Reverse {
            suite, test, name, ..
        } = *reverse;
        let (ran, took) = copy.run(suite, test, Some(name));
        let (told, wrong) = match ran {
            Ran::Red(place) => (place, None),
            Ran::Green => (
                "HOLDS".to_owned(),
                Some(format!("{test} holds all the same")),
            ),
            Ran::Neither(why) => ("NEITHER".to_owned(), Some(why)),
        };
        let (of_green, green) = &held[&(suite.as_str(), test.as_str())];
        let not = if matches!(of_green, Ran::Green) {
            ""
        } else {
            "NOT "
        };
        println!(
            "| {name} | {suite} {test} | {not}{} | {} | {told} |",
            green.as_secs(),
            took.as_secs()
        );
        wrong.map(|wrong| format!("{name}: {wrong}"))
    });
    wrong.extend(failed.into_iter().flatten());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Does something for each, as many at once as there are processors; in order.
fn at_once<T: Send + Sync, R: Send>(all: Vec<T>, what: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = all.get(at) else { return };
                    let result = what(one);
                    done.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
