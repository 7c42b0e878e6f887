//! Files that are kept in the repository and made by code: vectors, histories, the sample's genesis
//! hash in the README, transcripts. A test that holds one is named `kept_...`; it makes the file
//! and compares, or, with `KEPT=anew`, writes it. So one command makes all of them anew, and a stale
//! one fails a test that names the command.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

/// Makes everything anew that is kept.
pub const COMMAND: &str = "KEPT=anew cargo test --release --workspace kept_";

/// Whether this run writes what it makes.
pub fn is_made_anew() -> bool {
    std::env::var_os("KEPT").is_some_and(|word| word == "anew")
}

/// Holds the file at `path`, from the root of the repository, to what was made. Panics, with the first
/// place that differs, if it is another.
pub fn hold(path: &str, made: &[u8]) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path);
    let there = std::fs::read(&file).unwrap_or_default();
    if there == made {
        return;
    }
    if is_made_anew() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, made).unwrap();
        return;
    }
    let place = there.iter().zip(made).take_while(|(a, b)| a == b).count();
    panic!(
        "{path} is stale: it differs from what the code makes at byte {place} of {}; `{COMMAND}` makes it anew",
        made.len()
    );
}

/// Holds a JSON file.
pub fn hold_json(path: &str, made: &impl serde::Serialize) {
    hold(
        path,
        (serde_json::to_string_pretty(made).unwrap() + "\n").as_bytes(),
    );
}
