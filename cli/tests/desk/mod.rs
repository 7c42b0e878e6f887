//! Somebody's desk for suites: a folder with its own home, so that no test sees another's profile,
//! and the real binary.

#![allow(clippy::unwrap_used, dead_code)]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

pub const PASSPHRASE: &str = "a long enough passphrase";

/// Hash of a document that nobody reads.
pub const TEXT: &str = "abababababababababababababababababababababababababababababababab";

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

    /// A program at this desk: in its folder, with its homes, and with nobody at the terminal.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("LC_ALL", "C")
            .env("ROLLBOOK_PASSPHRASE", PASSPHRASE)
            .stdin(Stdio::null());
        command
    }

    /// `rollbook` at this desk.
    pub fn command(&self) -> Command {
        self.program(env!("CARGO_BIN_EXE_rollbook"))
    }

    /// The same after what a shell does first. What finds its disk full, a limit to the size of files,
    /// is told so instead of killed.
    pub fn after(&self, first: &str) -> Command {
        let mut shell = self.program("sh");
        shell
            .arg("-c")
            .arg(format!("trap '' XFSZ; {first}; exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_rollbook"));
        shell
    }

    pub fn run_as(&self, passphrase: &str, command: &(impl Words + ?Sized)) -> Output {
        self.command()
            // Nobody sits at a test's terminal; what is asked without this is a test of its own.
            .args((!command.words().iter().any(|word| word == "help")).then_some("--yes"))
            .args(command.words())
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

    /// Makes the key of a person from the seed of a sample; its card is `PERSON.card.toml`. Without a
    /// role the card names the one that the program takes.
    #[track_caller]
    pub fn key(&self, seed: &str, organisation: u32, person: u32, role: &str) {
        let role = match role {
            "" => String::new(),
            role => format!("--role {role}"),
        };
        self.good(&format!(
            "keys new --organisation {organisation} --person {person} {role} --sample \
             --seed {seed} --name Sample --document none --letter {TEXT} --letter-date 2023-06-01 \
             --signatory Sample --card {person}.card.toml"
        ));
    }

    /// Starts a testnet in `net` of a number of nodes and of members; the address of a node.
    #[track_caller]
    pub fn testnet(&self, nodes: u32, members: u32, seed: &str) -> String {
        let up = self.good(&format!(
            "testnet up --dir net --nodes {nodes} --members {members} --seed {seed}"
        ));
        up.split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap()
            .to_owned()
    }

    /// Makes the profile `own` for the alliance whose testnet stands at another desk.
    #[track_caller]
    pub fn settle(&self, net: &Desk, url: &str, organisation: u32, person: u32) {
        let genesis = net.path("net/genesis.rollbook").display().to_string();
        self.good(&format!(
            "setup --name own --genesis {genesis} --node {url} --organisation {organisation} \
             --person {person} --alliance Sample"
        ));
    }

    /// The receipt of what was signed here, if it was one record.
    #[track_caller]
    pub fn receipt(&self) -> String {
        std::fs::read_dir(self.path("data/rollbook/work/own/receipts"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| {
                path.extension()
                    .is_some_and(|ending| ending == "tlog-proof")
            })
            .unwrap()
            .display()
            .to_string()
    }
}

/// Takes the testnet of a desk down, whatever happens.
pub struct Down<'a>(pub &'a Desk);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        self.0.run(&["testnet", "down", "--dir", "net"]);
    }
}

/// Expects every part in what was said.
#[track_caller]
pub fn tells(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "'{part}' is not in\n{told}");
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
