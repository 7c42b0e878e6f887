//! The command tree. Words of help come from the catalogue: `help.<path>` for a command, `help.<path>.<argument>` for an argument.

use clap::{Arg, ArgAction, Command, value_parser};

use crate::{commands, messages};

/// The whole tree, translated.
pub fn command() -> Command {
    translate(tree(), "rollbook")
}

fn tree() -> Command {
    Command::new("rollbook")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(120)
        .arg(Arg::new("lang").long("lang").global(true).value_parser(["en", "zh"]).value_name("LANG"))
        .arg(Arg::new("json").long("json").global(true).action(ArgAction::SetTrue))
        .arg(Arg::new("config").long("config").global(true).value_name("DIR").value_parser(value_parser!(std::path::PathBuf)))
        .arg(Arg::new("profile").long("profile").global(true).value_name("PROFILE"))
        .subcommand(commands::setup::setup_command())
        .subcommand(commands::setup::use_command())
        .subcommand(commands::setup::whoami_command())
        .subcommand(commands::keys::command())
        .subcommand(commands::genesis::command())
        .subcommand(
            Command::new("audit")
                .arg(Arg::new("file").required(true).value_name("FILE").value_parser(value_parser!(std::path::PathBuf)))
                .arg(Arg::new("genesis").long("genesis").value_name("HASH"))
                .arg(Arg::new("threads").long("threads").value_name("N").value_parser(value_parser!(usize))),
        )
        .subcommand(
            Command::new("completions")
                .arg(Arg::new("shell").required(true).value_parser(value_parser!(clap_complete::Shell)).value_name("SHELL")),
        )
        .subcommand(Command::new("man"))
}

/// Sets help texts from the catalogue, all the way down.
fn translate(command: Command, path: &str) -> Command {
    let name_of = |part: &str| format!("{path}.{part}");
    let mut command = match messages::find(&format!("help.{path}.about"), &[]) {
        Some(about) => command.about(about),
        None => command,
    };
    let arguments: Vec<String> = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
    for id in arguments {
        let key = format!("help.{}", name_of(&id));
        if let Some(help) = messages::find(&key, &[]) {
            command = command.mut_arg(&id, |argument| argument.help(help));
        }
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let path = name_of(&name);
        command = command.mut_subcommand(&name, |sub| translate(sub, &path));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

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
                    assert!(messages::find(&key, &[]).is_some(), "{key} is missing");
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
