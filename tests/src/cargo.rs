//! Cargo, as suites run it that build something themselves.

use std::process::Command;

/// The cargo of this run. What it says of this test's own package would be told to the build scripts of
/// other people's crates: some are made anew when it changes, here and in the next run again.
pub fn command() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        let own = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        if own.iter().any(|own| told.starts_with(own)) || told == "OUT_DIR" {
            cargo.env_remove(&name);
        }
    }
    cargo
}
