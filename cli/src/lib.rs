//! `rollbook`: submit, show, verify, export, audit, run a node, run an alliance.
//!
//! * Results go to stdout, talk to stderr; colours only on a terminal; a progress bar on anything
//!   longer than a second.
//! * Every failure says what happened, why, and what to do next. Exit codes: 0 done, 1 refused or
//!   finding, 2 unusable input, 3 not final yet or stale, 4 node unreachable.
//! * A library, so that suites use its parts; the binary only calls [`main`].
//! * One file per command in `commands/`; every sentence in `messages/`, in two languages.

pub mod act;
pub mod bundle;
pub mod capital;
pub mod client;
pub mod commands;
pub mod dates;
pub mod drafting;
pub mod failure;
pub mod fetch;
pub mod files;
pub mod input;
pub mod keystore;
pub mod login;
pub mod messages;
pub mod node_words;
pub mod objects;
pub mod output;
pub mod pending_file;
pub mod profile;
pub mod receipts;
pub mod story;
pub mod tree;
pub mod trust;
pub mod verbs;

use std::process::ExitCode;

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let lang = profile::choose_language(std::env::args_os());
    messages::set_language(lang);
    let matches = match tree::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // clap prints help and version to stdout; mistakes are told in this program's own
            // words, on stderr.
            match tree::mistake(&error) {
                Some(failure) => failure.print(),
                None => drop(error.print()),
            }
            return ExitCode::from(if error.use_stderr() {
                failure::UNUSABLE
            } else {
                0
            });
        }
    };
    match tree::run(&matches) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.exit)
        }
    }
}
