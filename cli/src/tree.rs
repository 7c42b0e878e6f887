//! The command tree, and which command runs. Its help is translated by [`translate`]; mistakes are
//! told by [`mistake`].

mod mistake;
mod translate;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::client::asking;
use crate::commands::{self, *};
use crate::failure::Failure;

pub use mistake::mistake;

/// The whole tree, translated.
pub fn command() -> Command {
    translate::translated(tree())
}

fn tree() -> Command {
    let tree = Command::new("rollbook")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(120)
        .arg(
            Arg::new("lang")
                .long("lang")
                .global(true)
                .value_parser(["en", "zh"])
                .value_name("LANG"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .global(true)
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("csv")
                .long("csv")
                .global(true)
                .action(ArgAction::SetTrue)
                .conflicts_with("json"),
        )
        .arg(
            Arg::new("config")
                .long("config")
                .global(true)
                .value_name("DIR")
                .value_parser(value_parser!(std::path::PathBuf)),
        )
        .arg(
            Arg::new("profile")
                .long("profile")
                .global(true)
                .value_name("PROFILE"),
        )
        .subcommand(commands::setup::setup_command())
        .subcommand(commands::setup::use_command())
        .subcommand(commands::setup::whoami_command())
        .subcommand(commands::keys::command())
        .subcommand(commands::genesis::command())
        .subcommand(
            Command::new("audit")
                .arg(
                    Arg::new("file")
                        .required(true)
                        .value_name("FILE")
                        .value_parser(value_parser!(std::path::PathBuf)),
                )
                .arg(Arg::new("genesis").long("genesis").value_name("HASH"))
                .arg(
                    Arg::new("threads")
                        .long("threads")
                        .value_name("N")
                        .value_parser(value_parser!(usize)),
                ),
        )
        .subcommand(commands::export::command())
        .subcommand(node())
        .subcommand(testnet())
        .subcommand(
            Command::new("completions").arg(
                Arg::new("shell")
                    .required(true)
                    .value_parser(value_parser!(clap_complete::Shell))
                    .value_name("SHELL"),
            ),
        )
        .subcommand(Command::new("man"))
        .subcommand(commands::demo::command())
        .subcommand(commands::bench::command())
        .subcommand(commands::show::command())
        .subcommand(commands::prove::command())
        .subcommand(commands::verify::command())
        .subcommand(commands::follow::command())
        .subcommand(commands::pending::command());
    commands::list::add_nouns(commands::act::add_verbs(tree))
}

/// An argument that is a path.
fn path(name: &'static str) -> Arg {
    Arg::new(name).value_parser(value_parser!(std::path::PathBuf))
}

fn group(name: &'static str) -> Command {
    Command::new(name)
        .subcommand_required(true)
        .arg_required_else_help(true)
}

fn node() -> Command {
    let config = || path("config").value_name("CONFIG");
    let address = |name: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("ADDRESS:PORT")
            .value_parser(value_parser!(std::net::SocketAddr))
    };
    group("node")
        .subcommand(
            Command::new("init")
                .arg(
                    Arg::new("organisation")
                        .long("organisation")
                        .required(true)
                        .value_name("N")
                        .value_parser(value_parser!(u32)),
                )
                .arg(
                    path("genesis")
                        .long("genesis")
                        .required(true)
                        .value_name("FILE"),
                )
                .arg(path("dir").long("dir").default_value("."))
                .arg(address("listen").default_value("0.0.0.0:7400"))
                .arg(address("api").default_value("127.0.0.1:7500"))
                .arg(
                    path("tls-certificate")
                        .long("tls-certificate")
                        .value_name("FILE")
                        .requires("tls-key"),
                )
                .arg(
                    path("tls-key")
                        .long("tls-key")
                        .value_name("FILE")
                        .requires("tls-certificate"),
                )
                .arg(
                    Arg::new("bootstrap")
                        .long("bootstrap")
                        .value_name("ADDRESS")
                        .action(ArgAction::Append),
                ),
        )
        .subcommand(
            Command::new("run").arg(config()).arg(
                Arg::new("insecure-listen")
                    .long("insecure-listen")
                    .action(ArgAction::SetTrue),
            ),
        )
        .subcommand(asking(Command::new("status").arg(config())))
        .subcommand(Command::new("doctor").arg(config()))
        .subcommand(
            Command::new("backup")
                .arg(config())
                .arg(
                    path("to")
                        .long("to")
                        .required_unless_present("keys")
                        .value_name("DIR"),
                )
                .arg(path("keys").long("keys").value_name("FILE"))
                .arg(
                    path("passphrase-file")
                        .long("passphrase-file")
                        .value_name("FILE"),
                ),
        )
        .subcommand(
            Command::new("restore")
                .arg(config())
                .arg(
                    path("from")
                        .long("from")
                        .required_unless_present("keys")
                        .value_name("DIR"),
                )
                .arg(path("keys").long("keys").value_name("FILE"))
                .arg(
                    path("passphrase-file")
                        .long("passphrase-file")
                        .value_name("FILE"),
                )
                .arg(
                    Arg::new("dry-run")
                        .long("dry-run")
                        .action(ArgAction::SetTrue),
                ),
        )
        .subcommand(Command::new("rebuild").arg(config()))
}

fn testnet() -> Command {
    let dir = || {
        path("dir")
            .long("dir")
            .default_value("testnet")
            .value_name("DIR")
    };
    let number = |name: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("N")
            .value_parser(value_parser!(u32))
    };
    let some = |name: &'static str| {
        let nodes = Arg::new("nodes")
            .value_name("NODE")
            .action(ArgAction::Append)
            .value_parser(value_parser!(u32));
        Command::new(name).arg(nodes).arg(dir())
    };
    group("testnet")
        .subcommand(
            Command::new("up")
                .arg(number("nodes"))
                .arg(number("members"))
                .arg(
                    Arg::new("clock")
                        .long("clock")
                        .value_parser(["sample", "wall"])
                        .default_value("sample"),
                )
                .arg(Arg::new("seed").long("seed").value_name("TEXT"))
                .arg(dir()),
        )
        .subcommand(Command::new("status").arg(dir()))
        .subcommand(some("start"))
        .subcommand(some("stop"))
        .subcommand(some("kill"))
        .subcommand(Command::new("down").arg(dir()))
        .subcommand(
            Command::new("export")
                .arg(path("out").required(true).value_name("FILE"))
                .arg(dir()),
        )
        .subcommand(
            group("clock").subcommand(
                Command::new("advance")
                    .arg(Arg::new("by").value_name("LENGTH"))
                    .arg(
                        Arg::new("to-ms")
                            .long("to-ms")
                            .value_name("MS")
                            .value_parser(value_parser!(u64))
                            .conflicts_with("by"),
                    )
                    .arg(dir()),
            ),
        )
}

/// Runs the chosen command; the exit code on success (an audit with findings is a success that
/// exits 1).
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("org", inner)) => match inner.subcommand() {
            Some(("register", inner)) => return org::register(inner),
            Some(("introduce", inner)) => return org::introduce(inner),
            _ => {}
        },
        Some(("node", inner)) if inner.subcommand_name() == Some("register") => {
            return inner
                .subcommand_matches("register")
                .map_or(Err(Failure::unusable("node register")), node_register::run);
        }
        Some((noun, inner)) if status::OBJECTS.iter().any(|(known, _)| *known == noun) => {
            if let Some(inner) = inner.subcommand_matches("status") {
                return status::run(noun, inner);
            }
        }
        _ => {}
    }
    // A verb of the business table first: nouns such as `node` have commands of both kinds.
    if let Some((noun, inner)) = matches.subcommand()
        && let Some((word, inner)) = inner.subcommand()
        && let Some(verb) = crate::verbs::find(noun, word)
    {
        return act::run(verb, inner);
    }
    if let Some((noun, inner)) = matches.subcommand()
        && let Some(result) = list::run(noun, inner)
    {
        return result;
    }
    match matches.subcommand() {
        Some(("setup", matches)) => setup::setup(matches),
        Some(("use", matches)) => setup::use_profile(matches),
        Some(("whoami", matches)) => setup::whoami(matches),
        Some(("keys", matches)) => keys::run(matches),
        Some(("genesis", matches)) => genesis::run(matches),
        Some(("audit", matches)) => audit::run(matches),
        Some(("export", matches)) => export::run(matches),
        Some(("node", matches)) => node::run(matches),
        Some(("testnet", matches)) => testnet::run(matches),
        Some(("demo", matches)) => demo::run(matches),
        Some(("bench", matches)) => bench::run(matches),
        Some(("show", matches)) => show::run(matches),
        Some(("prove", matches)) => prove::run(matches),
        Some(("verify", matches)) => verify::run(matches),
        Some(("follow", matches)) => follow::run(matches),
        Some(("pending", matches)) => pending::run(matches),
        Some(("sign", matches)) => act::sign_file(matches),
        Some(("submit", matches)) => act::submit_file(matches),
        Some(("completions", matches)) => completions(matches),
        Some(("man", _)) => man(),
        _ => Err(Failure::unusable("no command")),
    }
}

fn completions(matches: &ArgMatches) -> Result<u8, Failure> {
    if let Some(shell) = matches.get_one::<clap_complete::Shell>("shell") {
        clap_complete::generate(*shell, &mut command(), "rollbook", &mut std::io::stdout());
    }
    Ok(0)
}

fn man() -> Result<u8, Failure> {
    clap_mangen::Man::new(command())
        .render(&mut std::io::stdout())
        .map_err(|error| Failure::unusable("the man page could not be written").because(error))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages;

    /// Every command and every argument has a sentence, so help is never empty in either language.
    #[test]
    fn everything_has_help() {
        fn walk(command: &Command, path: &str) {
            let key = format!("help.{path}.about");
            assert!(messages::find(&key, &[]).is_some(), "{key} is missing");
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                if id != "help" && id != "version" {
                    let key = format!("help.{path}.{id}");
                    let field = format!("help.field.{id}");
                    assert!(
                        messages::find(&key, &[])
                            .or(messages::find(&field, &[]))
                            .is_some(),
                        "{key} is missing"
                    );
                }
            }
            for sub in command.get_subcommands() {
                walk(sub, &format!("{path}.{}", sub.get_name()));
            }
        }
        walk(&tree(), "rollbook");
        tree().debug_assert();
    }
}
