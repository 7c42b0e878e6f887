//! A node with what is planted: `rollbook-node-planted CONFIG`. For the suites of this package only.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(config) = std::env::args_os().nth(1) else {
        eprintln!("error: no config was given");
        return ExitCode::from(2);
    };
    match rollbook_node::runtime::process::run(config.as_ref(), false) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
