//! Somebody's desk for suites: a folder with its own home, so that no test sees another's profile,
//! and the real binary.

#![allow(clippy::unwrap_used, dead_code)]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

pub const PASSPHRASE: &str = "a long enough passphrase";

/// The words of a command: a line that is cut at spaces, or a list.
pub trait Words {
    fn words(&self) -> Vec<String>;
}

impl Words for str {
    fn words(&self) -> Vec<String> {
        self.split_whitespace().map(str::to_owned).collect()
    }
}

impl Words for String {
    fn words(&self) -> Vec<String> {
        self.as_str().words()
    }
}

impl Words for [&str] {
    fn words(&self) -> Vec<String> {
        self.iter().map(|word| (*word).to_owned()).collect()
    }
}

impl<const N: usize> Words for [&str; N] {
    fn words(&self) -> Vec<String> {
        self.as_slice().words()
    }
}

impl Words for Vec<&str> {
    fn words(&self) -> Vec<String> {
        self.as_slice().words()
    }
}

pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn run_as(&self, passphrase: &str, command: &(impl Words + ?Sized)) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rollbook"))
            // Nobody sits at a test's terminal; what is asked without this is a test of its own.
            .args((!command.words().iter().any(|word| word == "help")).then_some("--yes"))
            .args(command.words())
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("LC_ALL", "C")
            .env("ROLLBOOK_PASSPHRASE", passphrase)
            .output()
            .unwrap()
    }

    pub fn run(&self, command: &(impl Words + ?Sized)) -> Output {
        self.run_as(PASSPHRASE, command)
    }

    #[track_caller]
    pub fn ends(&self, code: i32, command: &(impl Words + ?Sized)) -> Output {
        let output = self.run(command);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{:?}\n{}",
            command.words(),
            all(&output)
        );
        output
    }

    #[track_caller]
    pub fn good(&self, command: &(impl Words + ?Sized)) -> String {
        String::from_utf8(self.ends(0, command).stdout).unwrap()
    }

    #[track_caller]
    pub fn json(&self, code: i32, command: &(impl Words + ?Sized)) -> Value {
        let mut words = vec!["--json".to_owned()];
        words.extend(command.words());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        serde_json::from_slice(&self.ends(code, words.as_slice()).stdout).unwrap()
    }
}

/// Everything that was said.
pub fn all(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
