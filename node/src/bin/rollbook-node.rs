//! A node and nothing else, for machines that only run one: `rollbook-node [--insecure-listen]
//! CONFIG`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut insecure = false;
    let mut config = None;
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--insecure-listen") => insecure = true,
            Some("--version") => {
                let version = format!("rollbook-node {}\n", env!("CARGO_PKG_VERSION"));
                return match std::io::stdout().write_all(version.as_bytes()) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(_) => ExitCode::from(5),
                };
            }
            Some(flag) if flag.starts_with("--") => return usage(&format!("{flag} is not known")),
            _ if config.is_none() => config = Some(PathBuf::from(argument)),
            _ => return usage("more than one config was given"),
        }
    }
    let Some(config) = config else {
        return usage("no config was given");
    };
    match rollbook_node::runtime::process::run(&config, insecure) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!(
                "error: {}\n  why: {}\n\nnext: {}\n",
                failure.what, failure.why, failure.next
            ));
            ExitCode::FAILURE
        }
    }
}

/// Writes to stderr; what cannot be written there is lost.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn usage(why: &str) -> ExitCode {
    say(&format!(
        "error: {why}\n\nnext: rollbook-node [--insecure-listen] CONFIG, where CONFIG is the \
         node.toml of 'rollbook node init'\n"
    ));
    ExitCode::from(2)
}
