//! A node and nothing else, for machines that only run one: `rollbook-node [--insecure-listen]
//! CONFIG`.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut insecure = false;
    let mut config = None;
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--insecure-listen") => insecure = true,
            Some("--version") => {
                println!("rollbook-node {}", env!("CARGO_PKG_VERSION"));
                return ExitCode::SUCCESS;
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
            eprintln!(
                "error: {}\n  why: {}\n\nnext: {}",
                failure.what, failure.why, failure.next
            );
            ExitCode::FAILURE
        }
    }
}

fn usage(why: &str) -> ExitCode {
    eprintln!(
        "error: {why}\n\nnext: rollbook-node [--insecure-listen] CONFIG, where CONFIG is the \
         node.toml of 'rollbook node init'"
    );
    ExitCode::from(2)
}
