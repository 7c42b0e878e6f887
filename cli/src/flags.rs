//! Flags that many commands share, as structs. A command's own flags are a struct beside the
//! command; the business verbs build theirs from their table.
//!
//! Help comes from the catalogue and is set by a walk over the tree, which finds an argument by
//! its id; the ids here are the long names. Nothing here decides anything.

use std::path::PathBuf;

use clap::{Args, Command, FromArgMatches, Subcommand};

use crate::failure::Failure;

/// How old a head may be, if nothing else is asked for.
pub const MAX_AGE: &str = "2h";

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Global {
    /// `en` or `zh`; read before the command line is parsed.
    #[arg(long, global = true, value_name = "LANG", value_parser = ["en", "zh"])]
    pub lang: Option<String>,
    /// Results as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Results with columns as CSV.
    #[arg(long, global = true, conflicts_with = "json")]
    pub csv: bool,
    /// Yes to the question before something is signed.
    #[arg(long, global = true)]
    pub yes: bool,
    /// The folder of profiles.
    #[arg(long, global = true, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// The profile to use.
    #[arg(long, global = true, value_name = "PROFILE")]
    pub profile: Option<String>,
}

/// What every command takes that asks nodes.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Asking {
    /// Addresses of nodes, in order.
    #[arg(long, value_name = "URL")]
    pub node: Vec<String>,
    /// PEM file of the certificates that nodes' certificates rest on.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

impl Global {
    /// The flags of a command line. Results as CSV are results for a program, as JSON is: a command
    /// makes one value for both.
    pub fn of(matches: &clap::ArgMatches) -> Result<Global, Failure> {
        let mut global: Global = read(matches)?;
        global.json |= global.csv;
        Ok(global)
    }
}

/// Where keys are, and the passphrase that opens them.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct KeyFlags {
    /// Folder of keys.
    #[arg(long, value_name = "DIR")]
    pub keystore: Option<PathBuf>,
    /// File whose first line is the passphrase.
    #[arg(id = "passphrase-file", long = "passphrase-file", value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// What every command takes that may ask for what is for members.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Connection {
    /// The nodes.
    #[command(flatten)]
    pub asking: Asking,
    /// The person to log in as.
    #[arg(long, value_name = "PERSON")]
    pub reader: Option<u32>,
    /// The reader's keys.
    #[command(flatten)]
    pub keys: KeyFlags,
    /// Genesis hash of the alliance.
    #[arg(long, value_name = "HASH")]
    pub genesis: Option<String>,
}

/// What every command takes that reads without trusting a node.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Reading {
    /// Nodes, reader, alliance.
    #[command(flatten)]
    pub connection: Connection,
    /// How old a head may be, such as `2h`.
    #[arg(id = "max-age", long = "max-age", value_name = "LENGTH", default_value = MAX_AGE)]
    pub max_age: String,
}

/// What every command takes that hands records in.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Submitting {
    /// The nodes.
    #[command(flatten)]
    pub asking: Asking,
    /// What is waited for: `none`, `decided`, `receipt`.
    #[arg(
        long,
        value_name = None::<&'static str>,
        value_parser = ["none", "decided", "receipt"],
        default_value = "receipt"
    )]
    pub wait: String,
    /// Where the receipt goes.
    #[arg(id = "receipt-file", long = "receipt-file", value_name = "FILE")]
    pub receipt_file: Option<PathBuf>,
    /// Where a page of the act goes.
    #[arg(long, value_name = "FILE")]
    pub print: Option<PathBuf>,
    /// Whether files of those names may be replaced.
    #[arg(long)]
    pub force: bool,
}

/// What every command takes that signs records.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Signing {
    /// Who signs: `PERSON` or `PERSON:ROLE`.
    #[arg(long, value_name = "PERSON:ROLE")]
    pub signer: Vec<String>,
    /// The signers' keys.
    #[command(flatten)]
    pub keys: KeyFlags,
}

/// What every command takes that makes an act: signs it and hands it in.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct Acting {
    /// Where and how it is handed in.
    #[command(flatten)]
    pub submitting: Submitting,
    /// Who signs it.
    #[command(flatten)]
    pub signing: Signing,
    /// The organisation that acts.
    #[arg(id = "as", long = "as", value_name = "N")]
    pub principal: Option<u32>,
    /// Whether it is only judged.
    #[arg(id = "dry-run", long = "dry-run")]
    pub dry_run: bool,
    /// Whether it is handed in though it will not count.
    #[arg(long)]
    pub anyway: bool,
    /// Whether it is made again though an equal act was made within a day.
    #[arg(long)]
    pub again: bool,
    /// Where the record goes while signatures are missing.
    #[arg(long, value_name = "FILE")]
    pub pending: Option<PathBuf>,
}

/// A command with flags.
pub fn command<F: Args>(name: &'static str) -> Command {
    F::augment_args(Command::new(name))
}

/// A command that is nothing without one of its subcommands.
pub fn group(name: &'static str) -> Command {
    Command::new(name)
        .subcommand_required(true)
        .arg_required_else_help(true)
}

/// The same with the subcommands of an enum.
pub fn group_of<S: Subcommand>(name: &'static str) -> Command {
    S::augment_subcommands(group(name))
}

/// A tree with more subcommands under a noun, which may be there already.
pub fn under(
    tree: Command,
    noun: &'static str,
    commands: impl IntoIterator<Item = Command>,
) -> Command {
    if tree.find_subcommand(noun).is_some() {
        tree.mut_subcommand(noun, |known| known.subcommands(commands))
    } else {
        tree.subcommand(group(noun).subcommands(commands))
    }
}

/// Flags as clap read them. The tree is built from the same struct, so nothing can be missing.
pub fn read<F: FromArgMatches>(matches: &clap::ArgMatches) -> Result<F, Failure> {
    F::from_arg_matches(matches).map_err(|error| Failure::unusable(error.to_string()))
}
