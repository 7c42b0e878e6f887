//! `rollbook`: submit, show, verify, export, audit, run a node, run an alliance.
//!
//! * Results go to stdout, talk to stderr; colours only on a terminal; a progress bar on anything
//!   longer than a second.
//! * Every failure says what happened, why, and what to do next. Exit codes: 0 done, 1 refused or
//!   finding, 2 unusable input, 3 not final yet or stale, 4 node unreachable, 5 output not written.
//! * A library, so that suites use its parts; the binary only calls [`main`].
//! * One file per command in `commands/`; every sentence in the crate `rollbook-words`. Flags are
//!   structs; only the business verbs build theirs from a table.
//!
//! The rooms, from the bottom up. A room imports only what stands above it in this table; inside a
//! room modules may know one another.
//!
//! | room | modules | holds |
//! |---|---|---|
//! | texts | `encoding` | bytes as text |
//! | words | `failure` | a failure as a person reads it |
//! | flags | `flags` | flags that many commands share |
//! | output | `output`, `consent` | results, talk, tables, progress; the question before a signature |
//! | machine | `files`, `profile` | files of this machine; which alliance, nodes, keys |
//! | input | `input` | what people write in files: mistakes with their places |
//! | keystore | `keystore` | keys, cards, passphrases |
//! | drafting | `drafting` | from a secretary's files to a genesis |
//! | reading | `{login, asking, trust, objects, receipts}` | asking without trust |
//! | verbs | `verbs` | from words to acts |
//! | act | `act`, `pending_file` | an act signed, judged, handed in, waited for |
//! | founding | `commands::{charter, genesis, keys}` | keys, and an alliance from files |
//! | seeing | `commands::{audit, export, source, units, beside, tasks, history, opening}` | what is seen of a ledger: from a node, or from an export run again |
//! | money | `money` | statements, traces, the bank: what a history says of money |
//! | commands | `commands`, without the rooms beside it | one file per command |
//! | waiting | `commands::{pending, sign}` | what waits for signatures |
//! | sandbox | `commands::{testnet, demo, bench}` | alliances on this machine |
//! | tree | `tree` | the command tree, its help, which command runs |

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod act;
pub mod asking;
pub mod commands;
pub mod consent;
pub mod drafting;
pub mod encoding;
pub mod failure;
pub mod files;
pub mod flags;
pub mod input;
pub mod interrupt;
pub mod keystore;
pub mod login;
pub mod money;
pub mod objects;
pub mod output;
pub mod pending_file;
pub mod profile;
pub mod receipts;
pub mod registration_file;
pub mod shown;
pub mod tree;
pub mod trust;
pub mod verbs;

use std::process::ExitCode;

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let lang = profile::choose_language(std::env::args_os());
    rollbook_words::catalogue::set_language(lang);
    // Before the arguments are parsed: a mistake in them is told in the form that was asked for.
    output::set_form(output::form_asked(std::env::args_os()));
    ExitCode::from(output::ending(run()))
}

/// The exit code of the command, its failure told.
fn run() -> u8 {
    let matches = match tree::matches() {
        Ok(matches) => matches,
        Err(error) => {
            // clap makes help and version; mistakes are told in this program's own words.
            let text = error.render().to_string();
            match tree::mistake(&error) {
                Some(failure) => output::tell(&failure),
                None if error.use_stderr() => output::say(text.trim_end()),
                None => output::write(text.as_bytes()),
            }
            return if error.use_stderr() {
                failure::UNUSABLE
            } else {
                0
            };
        }
    };
    match tree::run(&matches) {
        Ok(code) => code,
        Err(failure) => {
            let failure = tree::with_object(failure);
            output::tell(&failure);
            failure.exit
        }
    }
}
