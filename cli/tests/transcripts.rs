//! What people see, word for word: the sessions in `cli/tests/transcripts/*.txt` are run again by
//! the real binary and compared, standard output, standard error and exit code. A session is read
//! from top to bottom like a terminal:
//!
//! * `$ COMMAND` is given to `sh` in the session's own empty folder, with `rollbook` on its path
//!   and a home of its own. What follows is what it said: output as it is, lines of standard error
//!   after `! `, and `? CODE` if that is not 0.
//! * `# TEXT` is a remark. `#mask WORD ..`: the number after such a word is not compared. `#hide
//!   TEXT`: nor is a line with it.
//! * Hashes, ports, names of pending files and the session's folder are masked everywhere.
//!
//! What is said now is written down with everything else that is kept (`rollbook_tests::kept`); the
//! diff of the files is then what a reviewer reads.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rollbook_tests::kept;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// Replaces every run of at least `least` characters that satisfy `of` and stand alone.
fn runs(text: &str, least: usize, of: fn(char) -> bool, with: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(std::iter::once('\0')) {
        if of(c) {
            run.push(c);
            continue;
        }
        out.push_str(if run.chars().count() >= least {
            with
        } else {
            &run
        });
        run.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

/// Masks the names of pending files, which begin with eight digits of the record's id.
fn pending(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split(".pending.json").peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            out.push_str(part);
            break;
        }
        let name = part.trim_end_matches(|c: char| c.is_ascii_hexdigit());
        out.push_str(name);
        out.push_str("ID.pending.json");
    }
    out
}

/// Masks the number that follows each occurrence of `word`.
fn number_after(text: &str, word: &str) -> String {
    let mut parts = text.split(word);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len()
            - part
                .trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | '.'))
                .len();
        out.push_str(word);
        let rest = &part[digits..];
        // A comma or a full stop that ends a number is no part of it.
        let number = part[..digits].trim_end_matches([',', '.']);
        out.push_str(if number.is_empty() { "" } else { "N" });
        out.push_str(&part[number.len()..digits]);
        out.push_str(rest);
    }
    out
}

struct Session {
    folder: tempfile::TempDir,
    masks: Vec<String>,
    hidden: Vec<String>,
}

impl Session {
    fn masked(&self, text: &str) -> String {
        let text = text.replace(self.folder.path().to_str().unwrap(), "DIR");
        let text = runs(&text, 64, |c| c.is_ascii_hexdigit(), "HASH");
        let text = pending(&text);
        let mut text = number_after(&text, "127.0.0.1:");
        for word in &self.masks {
            text = number_after(&text, &format!("{word} "));
        }
        let line = |line: &str| {
            let hidden = self.hidden.iter().find(|text| line.contains(text.as_str()));
            hidden.map_or_else(|| line.trim_end().to_owned(), |text| format!("<{text}>"))
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    fn run(&self, command: &str) -> String {
        let home = self.folder.path();
        let program = Path::new(env!("CARGO_BIN_EXE_rollbook")).parent().unwrap();
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/history");
        // A session that waits in vain ends.
        let output = Command::new("timeout")
            .args(["120", "sh", "-c", command])
            .current_dir(home)
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", program.display()),
            )
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_DATA_HOME", home.join(".data"))
            .env("LC_ALL", "C")
            .env("ROLLBOOK_PASSPHRASE", "sample")
            .env(
                "SAMPLES",
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples"),
            )
            .env("KEPT", &kept)
            .output()
            .unwrap();
        let mut said = String::new();
        let out = self.masked(&String::from_utf8_lossy(&output.stdout));
        if !out.is_empty() {
            writeln!(said, "{out}").unwrap();
        }
        for line in self
            .masked(&String::from_utf8_lossy(&output.stderr))
            .lines()
        {
            writeln!(said, "{}", format!("! {line}").trim_end()).unwrap();
        }
        if let Some(code) = output.status.code().filter(|code| *code != 0) {
            writeln!(said, "? {code}").unwrap();
        }
        said
    }
}

/// Plays a session again; what it says now, in the form of the file.
fn play(script: &str) -> String {
    let mut session = Session {
        folder: tempfile::tempdir().unwrap(),
        masks: Vec::new(),
        hidden: Vec::new(),
    };
    let mut now = String::new();
    for line in script.lines() {
        if let Some(words) = line.strip_prefix("#mask ") {
            session.masks.extend(words.split(' ').map(str::to_owned));
        }
        if let Some(text) = line.strip_prefix("#hide ") {
            session.hidden.push(text.to_owned());
        }
        let command = line.strip_prefix("$ ");
        if command.is_none() && !line.starts_with('#') {
            continue;
        }
        // A blank line before each step, which begins with its remark.
        if !now.is_empty() && !now.lines().last().unwrap_or_default().starts_with('#') {
            now.push('\n');
        }
        writeln!(now, "{line}").unwrap();
        if let Some(command) = command {
            now.push_str(&session.run(command));
        }
    }
    now
}

fn compare(name: &str) {
    let file = folder().join(name);
    let written = std::fs::read_to_string(&file).unwrap();
    let now = play(&written);
    if kept::is_made_anew() {
        return std::fs::write(&file, now).unwrap();
    }
    let differ = written
        .lines()
        .zip(now.lines())
        .position(|(written, now)| written != now);
    let at = differ.unwrap_or_else(|| written.lines().count().min(now.lines().count()));
    let around = |text: &str| {
        text.lines()
            .skip(at.saturating_sub(3))
            .take(8)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(
        written == now,
        "{name}, line {}: written\n{}\n-- said now\n{}\n\
         -- `{}` takes it over",
        at + 1,
        around(&written),
        around(&now),
        kept::COMMAND
    );
}

#[test]
fn kept_transcript_of_help_of_the_main_nouns() {
    compare("help.txt");
}

#[test]
fn kept_transcript_of_setup() {
    compare("setup.txt");
}

#[test]
fn kept_transcript_of_genesis_from_files() {
    compare("genesis.txt");
}

#[test]
fn kept_transcript_of_audit_of_a_sound_a_damaged_a_foreign_and_a_cut_file() {
    compare("audit.txt");
}

/// The whole demo on four real processes, its report, then an act of a member on the running
/// alliance: pending, signed, submitted.
#[test]
fn kept_transcript_of_the_demo_and_an_act_after_it() {
    compare("act.txt");
}

/// A company that is no member: two officers in two folders sign one registration.
#[test]
fn kept_transcript_of_a_registration_that_two_officers_sign() {
    compare("register.txt");
}

#[test]
fn kept_transcript_of_a_testnet_from_up_to_down() {
    compare("testnet.txt");
}

/// Every file is played by a test above.
#[test]
fn no_session_is_forgotten() {
    let source = include_str!("transcripts.rs");
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            source.contains(&format!("\"{name}\"")),
            "{name} is not played"
        );
    }
}

#[test]
fn masks() {
    let session = Session {
        folder: tempfile::tempdir().unwrap(),
        masks: vec!["height".into()],
        hidden: vec!["took".into()],
    };
    let text = format!(
        "height 12, port 127.0.0.1:8080 {}\nit took 3 s\n{}/x",
        "ab".repeat(32),
        session.folder.path().display()
    );
    assert_eq!(
        session.masked(&text),
        "height N, port 127.0.0.1:N HASH\n<took>\nDIR/x"
    );
}
