//! Judges from outside: Python packages that read what we wrote, and were not written here.

use std::path::Path;
use std::process::Command;

/// Has a Python program judge files, given as its arguments; it fails by an exception. `packages` are
/// those that it imports, separated by commas. Where they are missing, the test says so and goes on;
/// under CI it fails, since `.ci/run` installs them. Returns whether it was judged.
///
/// # Panics
/// With what Python said, if the program fails.
pub fn judged(packages: &str, program: &str, arguments: &[&Path]) -> bool {
    let python = |program: &str| Command::new("python3").arg("-c").arg(program).output();
    let there = python(&format!("import {packages}"));
    if !there.is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var_os("CI").is_none(),
            "python3 has no '{packages}': .ci/run installs it"
        );
        eprintln!("SKIPPED: python3 has no '{packages}'");
        return false;
    }
    let output = Command::new("python3")
        .arg("-c")
        .arg(program)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    true
}
