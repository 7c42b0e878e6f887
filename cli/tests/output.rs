//! What a command says to a script (RULINGS A34, A48, A52, A64): results on stdout, talk on stderr,
//! JSON and CSV of everything, errors as objects, output that cannot be written, files that are
//! never replaced unasked. The real binary on the kept history, without a node.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clap::Command as Tree;
use serde_json::Value;

mod desk;
use desk::{Desk, all};

/// The genesis hash of the kept history.
fn genesis() -> String {
    let facts = std::fs::read(history().with_extension("json")).unwrap();
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    facts["genesis"].as_str().unwrap().to_owned()
}

fn history() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/history/protocol-1.rollbook")
}

/// A desk with the kept history, `good`, and one with a changed byte, `damaged`.
fn desk() -> Desk {
    let desk = Desk::new();
    let mut bytes = std::fs::read(history()).unwrap();
    desk.write("good", &bytes);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    desk.write("damaged", &bytes);
    desk
}

/// Runs a line of the shell with `rollbook` on the path; `$G` is the genesis hash.
fn shell(desk: &Desk, line: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_rollbook")).parent().unwrap();
    Command::new("sh")
        .args(["-c", line])
        .current_dir(desk.path(""))
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .env("HOME", desk.path(""))
        .env("LC_ALL", "C")
        .env("G", genesis())
        .env_remove("LANG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The code that the shell wrote, for a command whose own stdout is elsewhere.
#[track_caller]
fn code(desk: &Desk, command: &str) -> String {
    let output = shell(
        desk,
        &format!("{{ {command}; echo $? >&3; }} 3>&1 >/dev/null"),
    );
    assert!(!all(&output).contains("panicked"), "{}", all(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// `audit DAMAGED >/dev/full` and `| true` ended with 0, the code of a sound history; `completions |
/// head` and a full stderr were panics.
#[test]
fn a_result_that_nobody_can_read_is_no_success() {
    let desk = desk();
    assert_eq!(code(&desk, "rollbook audit good --genesis $G"), "0");
    assert_eq!(code(&desk, "rollbook audit good"), "3");
    assert_eq!(code(&desk, "rollbook audit damaged --genesis $G"), "1");
    assert_eq!(code(&desk, "rollbook audit damaged"), "1");
    for command in [
        "audit damaged",
        "audit good",
        "man",
        "completions bash",
        "--help",
    ] {
        assert_eq!(
            code(&desk, &format!("rollbook {command} >/dev/full")),
            "5",
            "{command}"
        );
    }
    assert_eq!(code(&desk, "rollbook audit damaged 2>/dev/full"), "1");
    assert_eq!(code(&desk, "rollbook nosuch 2>/dev/full"), "2");
    assert_eq!(
        code(&desk, "rollbook audit damaged >/dev/full 2>/dev/full"),
        "5"
    );
    let output = shell(&desk, "rollbook audit damaged >/dev/full");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("the output could not be written") && said.contains("exit code 1"),
        "{said}"
    );

    // Who closed the pipe has read enough; what was found stays found.
    let ended = |command: &str| {
        // A shell without pipefail: the code goes through a file.
        let line = format!(
            "{{ rollbook {command}; echo $? >code; }} 2>/dev/null | true; sleep 0.1; cat code"
        );
        String::from_utf8(shell(&desk, &line).stdout)
            .unwrap()
            .trim()
            .to_owned()
    };
    assert_eq!(ended("completions bash"), "0");
    assert_eq!(ended("man"), "0");
    assert_eq!(ended("audit good --genesis $G"), "0");
    assert_eq!(ended("audit damaged --genesis $G"), "1");
}

/// `verify` and `audit` said 'SOUND' and 0 about a history of nobody knows whom.
#[test]
fn nobody_knows_whose_history_it_is_without_a_genesis_hash() {
    let desk = desk();
    let said = |output: &Output| String::from_utf8(output.stderr.clone()).unwrap();
    let first = said(&desk.ends(3, "audit good"));
    assert!(
        first.starts_with("nobody knows whose history this is"),
        "{first}"
    );
    let told = desk.json(3, "audit good");
    assert_eq!(
        (&told["sound"], &told["pinned"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    let told = desk.json(1, "audit damaged");
    assert_eq!(told["sound"], Value::Bool(false));
    // The profile's alliance is the one that is expected.
    let other = "ab".repeat(32);
    desk.good(&format!(
        "setup --name m --genesis {other} --alliance Other --node 127.0.0.1:1"
    ));
    desk.ends(1, "audit good");
    desk.ends(0, &format!("audit good --genesis {}", genesis()));
}

/// An export read from a pipe, a folder or an empty file was 'too short to hold a genesis'.
#[test]
fn an_export_is_read_from_a_pipe_and_a_folder_is_named() {
    let desk = desk();
    assert_eq!(
        code(&desk, "cat good | rollbook audit /dev/stdin --genesis $G"),
        "0"
    );
    assert_eq!(
        code(
            &desk,
            "cat damaged | rollbook audit /dev/stdin --genesis $G"
        ),
        "1"
    );
    desk.write("folder/file", "");
    desk.write("empty", "");
    desk.write("short", "x");
    for (file, why) in [
        ("folder", "it is a folder"),
        ("empty", "it is empty"),
        ("short", "too short"),
    ] {
        let said = all(&desk.ends(2, &format!("audit {file}")));
        assert!(said.contains(why), "{said}");
    }
    let output = shell(&desk, "true | rollbook audit /dev/stdin");
    assert!(all(&output).contains("it is empty"), "{}", all(&output));
}

/// The paths of every command without subcommands.
fn commands(tree: &Tree, path: &str, found: &mut Vec<(String, Tree)>) {
    for sub in tree.get_subcommands() {
        let path = format!("{path} {}", sub.get_name()).trim().to_owned();
        if sub.get_subcommands().next().is_some() {
            commands(sub, &path, found);
        } else {
            found.push((path, sub.clone()));
        }
    }
}

fn leaves() -> Vec<(String, Tree)> {
    let mut found = Vec::new();
    commands(&rollbook::tree::translated(), "", &mut found);
    assert!(found.len() > 100, "the tree was not read");
    found
}

/// Errors under `--json` were text, with nothing on stdout. A command of every noun is given
/// an argument that it does not have, and every list, show and status is asked without a node.
#[test]
fn every_error_is_one_object_under_json() {
    let desk = Desk::new();
    let judge = |words: &[&str]| {
        let output = desk.run(words);
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}\n{}", all(&output)));
        let error = &told["error"];
        assert_eq!(
            error["exit"].as_i64(),
            output.status.code().map(i64::from),
            "{words:?}"
        );
        for name in ["code", "what"] {
            assert!(
                !error[name].as_str().unwrap().is_empty(),
                "{words:?}: {error}"
            );
        }
        assert!(error["facts"].is_object(), "{words:?}");
        error.clone()
    };
    let mut nouns = BTreeSet::new();
    for (path, tree) in leaves() {
        let words: Vec<&str> = path.split(' ').collect();
        // Mistakes of typing are told in one place: one command of each noun is enough.
        if nouns.insert(words[0].to_owned()) {
            judge(&[&["--json"], words.as_slice(), &["--no-such-flag"]].concat());
        }
        let asks = tree
            .get_arguments()
            .any(|argument| argument.get_id() == "node");
        match words.as_slice() {
            [_, "list"] if asks => drop(judge(&[&["--json"], words.as_slice()].concat())),
            [noun, "show" | "status"] if asks && *noun != "node" => {
                judge(&[&["--json"], words.as_slice(), &["1"]].concat());
            }
            _ => {}
        }
    }
    let error = judge(&["--json", "member", "list"]);
    assert_eq!(error["code"], "act.no-node");
    let error = judge(&["--json", "audit", "nowhere"]);
    assert_eq!(
        (&error["code"], &error["facts"]["file"]),
        (&"audit.unreadable".into(), &"nowhere".into())
    );
    let error = judge(&["--json", "setup", "--genesis", "x"]);
    assert_eq!(error["code"], "file.cannot-read");
}

/// `--csv` of a list printed the padded table, with the SAMPLE line before it. Every list of the
/// ledger: its columns are the names of the JSON, its rows are those of the JSON, and nothing else
/// is on stdout.
#[test]
fn every_list_is_a_table_of_its_json() {
    let genesis = genesis();
    let desk = desk();
    let mut lists = 0;
    for (path, tree) in leaves() {
        let from_export = tree
            .get_arguments()
            .any(|argument| argument.get_id() == "from-export");
        if !path.ends_with(" list") || !from_export {
            continue;
        }
        lists += 1;
        let line = format!("{path} --from-export good --genesis {genesis}");
        let json = desk.json(0, &line);
        let output = desk.ends(0, &format!("{line} --csv"));
        let text = String::from_utf8(output.stdout).unwrap();
        let text = text
            .strip_prefix('\u{feff}')
            .unwrap_or_else(|| panic!("{path}: no mark"));
        assert!(!text.contains("SAMPLE"), "{path}");
        assert_eq!(
            text.matches('\n').count(),
            text.matches("\r\n").count(),
            "{path}"
        );
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let head: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let items = json["items"].as_array().unwrap();
        assert_eq!(rows.len(), items.len(), "{path}");
        if items.is_empty() {
            continue;
        }
        assert_eq!(head[0], "id", "{path}");
        let ids: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
        let wanted: Vec<&str> = items
            .iter()
            .map(|item| item["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, wanted, "{path}");
        let names: BTreeSet<&str> = items
            .iter()
            .filter_map(|item| item["value"].as_object())
            .flat_map(|value| value.keys().map(String::as_str))
            .collect();
        for name in names {
            let column = |head: &String| head == name || head.starts_with(&format!("{name}."));
            assert!(head.iter().any(column), "{path}: {name} of {head:?}");
        }
        for cell in rows.iter().flatten() {
            let number = cell
                .trim_start_matches('-')
                .starts_with(|c: char| c.is_ascii_digit());
            assert!(
                number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{path}: {cell}"
            );
        }
        // No instant and no day as a number.
        assert!(
            !head
                .iter()
                .any(|name| name.ends_with("since_ms") || name.ends_with("opened_ms")),
            "{head:?}"
        );
    }
    assert!(lists >= 10, "{lists}");
    let members = desk.json(
        0,
        &format!("member list --from-export good --genesis {genesis}"),
    );
    let since = members["items"][0]["value"]["since"].as_str().unwrap();
    assert!(
        since.starts_with("2023-") && since.ends_with("+08:00"),
        "{since}"
    );
    // Talk is on stderr.
    let output = desk.ends(
        0,
        &format!("member list --from-export good --genesis {genesis}"),
    );
    let (result, talk) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(
        !result.contains("SAMPLE") && talk.contains("SAMPLE"),
        "{result}{talk}"
    );
    for refused in ["completions bash", "man", "follow"] {
        let said = all(&desk.ends(2, &format!("{refused} --csv")));
        assert!(said.contains("has no table"), "{said}");
    }
}

/// `--pending`, `--print`, `--receipt-file`, `prove --out` and `export` overwrote silently: a signed
/// paper, a letter, the only copy of a proof. As root, an export replaced /dev/stdout.
#[test]
fn what_a_person_named_is_never_replaced_unasked() {
    let genesis = genesis();
    let desk = desk();
    desk.write("letter", "mine");
    std::fs::create_dir(desk.path("folder")).unwrap();
    symlink(desk.path("nowhere"), desk.path("dangling")).unwrap();
    let made = Command::new("mkfifo").arg(desk.path("pipe")).status();
    assert!(made.unwrap().success());
    let node = "--node 127.0.0.1:1";
    let refused = |line: &str, why: &str| {
        let said = all(&desk.ends(2, line));
        assert!(said.contains(why), "{line}: {said}");
    };
    let prove = format!("prove member 1 {node} --genesis {genesis}");
    for (name, why) in [
        ("letter", "--force"),
        ("folder", "it is a folder"),
        ("dangling", "leads nowhere"),
        ("pipe", "a pipe"),
        ("/dev/null", "a device"),
        ("missing/file", "its folder does not exist"),
    ] {
        refused(&format!("export {name} {node}"), why);
        refused(&format!("{prove} --out {name}"), why);
        for flag in ["--pending", "--print", "--receipt-file"] {
            let vote = format!("motion vote 1 yes --signer 1:primary --as 1 {flag} {name}");
            refused(&vote, why);
        }
    }
    // With --force the name is free; then nothing answers, and the letter is still there.
    desk.ends(4, &format!("export letter {node} --force"));
    assert_eq!(
        std::fs::read_to_string(desk.path("letter")).unwrap(),
        "mine"
    );
    let names = std::fs::read_dir(desk.path("")).unwrap();
    let half = names.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".new")
    });
    assert_eq!(half.count(), 0);
}

/// A full disk gave 'the answer broke off', 'cannot be written' and 'try again', by turns.
#[test]
fn a_full_disk_has_one_name_and_one_next_step() {
    let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let failure = rollbook::files::cannot_write(Path::new("x"), &error);
    assert_eq!(failure.exit, 5);
    assert!(failure.why.unwrap().contains("full"));
    assert!(failure.next.unwrap().contains("make space"));
}

/// The language of the day on which `setup` ran was frozen: LANG and LC_ALL did nothing afterwards.
#[test]
fn setup_keeps_only_a_language_that_was_asked_for() {
    let desk = Desk::new();
    let hash = "ab".repeat(32);
    let setup = format!("setup --name m --genesis {hash} --alliance A");
    desk.good(&setup);
    let line = |lang: &str| {
        let output = shell(
            &desk,
            &format!("LC_ALL={lang} XDG_CONFIG_HOME=$HOME/config rollbook whoami"),
        );
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        line("zh_CN.UTF-8").contains("联盟"),
        "{}",
        line("zh_CN.UTF-8")
    );
    assert!(line("C").contains("alliance"));
    desk.good(&format!("--lang zh {setup}"));
    assert!(line("C").contains("联盟"));
}

/// A node on this machine without its scheme was 'no node answered'.
#[test]
fn an_address_on_this_machine_needs_no_scheme() {
    let desk = Desk::new();
    let said = all(&desk.ends(4, "member list --node 127.0.0.1:1"));
    assert!(said.contains("http://127.0.0.1:1"), "{said}");
    let said = all(&desk.ends(2, "member list --node node.example.com:7500"));
    assert!(said.contains("https://"), "{said}");
}

/// A key file may ask for work that keeps a machine busy for days before the passphrase is judged.
#[test]
fn the_work_that_a_key_file_asks_for_is_judged_first() {
    let desk = Desk::new();
    let clear = b"kind = 'officer-secret'";
    let mut recipient = age::scrypt::Recipient::new(age::secrecy::SecretString::from("sample"));
    recipient.set_work_factor(1);
    let sealed = age::encrypt(&recipient, clear).unwrap();
    // The factor stands in the clear, in the third word of the stanza.
    let text = String::from_utf8_lossy(&sealed).into_owned();
    let line = text.lines().nth(1).unwrap();
    assert!(line.ends_with(" 1"), "{line}");
    let at = text.find(line).unwrap() + line.len() - 1;
    let mut heavy = sealed.clone();
    heavy.splice(at..=at, b"19".iter().copied());
    desk.write("heavy.age", &heavy);
    let said = all(&desk.ends(2, "keys check heavy.age"));
    assert!(said.contains("2^19"), "{said}");
}

/// `nosuch` was answered with 'did you mean bench?', `keys help --help` with 'no command --help'.
#[test]
fn help_guesses_only_what_is_near() {
    let desk = Desk::new();
    assert!(!all(&desk.ends(2, "nosuch")).contains("did you mean"));
    assert!(all(&desk.ends(2, "memebr list")).contains("did you mean member"));
    let keys = desk.good("keys help");
    assert_eq!(desk.good("keys help --help"), keys);
}

/// Exports hold ballots and dues: they are for their owner.
#[test]
fn what_members_may_read_is_not_for_everybody_on_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.export");
    let saved = rollbook::commands::export::save((&path, false), None, |out| {
        out.write_all(b"1").unwrap();
        Ok(1)
    });
    assert_eq!(saved.unwrap(), 0);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = rollbook::commands::export::save((&path, false), None, |_| Ok(0)).unwrap_err();
    assert_eq!(again.exit, 2);
}
