//! The slim binary itself. This suite also makes cargo build the binary in the same run as every
//! other suite, so that the real-process suites never meet an old one.

#![allow(clippy::unwrap_used, missing_docs)]

use std::process::Command;

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rollbook-node"))
        .args(arguments)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), words)
}

#[test]
fn wrong_use_is_told_with_the_next_step() {
    assert_eq!(run(&["--version"]).0, Some(0));
    for arguments in [&[][..], &["--insecure"], &["a.toml", "b.toml"]] {
        let (code, words) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(words.contains("next: rollbook-node"), "{words}");
    }
    let (code, words) = run(&["/does/not/exist/node.toml"]);
    assert_eq!(code, Some(1));
    assert!(words.contains("why:") && words.contains("next:"), "{words}");
}
