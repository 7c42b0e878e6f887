//! The command tree, and which command runs. Its help is translated by `translate`; mistakes are
//! told by [`mistake()`].

mod mistake;
mod translate;

use clap::{ArgMatches, Args, Command};

use crate::commands::*;
use crate::failure::Failure;
use crate::flags::{Global, command, group_of, read};
use crate::verbs;

pub use mistake::mistake;

/// `completions`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

/// The whole tree, translated.
pub fn translated() -> Command {
    translate::translated(tree())
}

fn tree() -> Command {
    let root = Command::new("rollbook")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(120);
    let tree = Global::augment_args(root)
        .subcommand(command::<setup::Setup>("setup"))
        .subcommand(command::<setup::Use>("use"))
        .subcommand(Command::new("whoami"))
        .subcommand(group_of::<keys::Command>("keys"))
        .subcommand(group_of::<genesis::Command>("genesis"))
        .subcommand(command::<audit::Audit>("audit"))
        .subcommand(command::<export::Export>("export"))
        .subcommand(group_of::<node::Command>("node"))
        .subcommand(group_of::<testnet::Command>("testnet"))
        .subcommand(command::<Completions>("completions"))
        .subcommand(Command::new("man"))
        .subcommand(command::<demo::Demo>("demo"))
        .subcommand(command::<bench::Bench>("bench"))
        .subcommand(show::command())
        .subcommand(prove::command())
        .subcommand(command::<verify::Verify>("verify"))
        .subcommand(command::<follow::Follow>("follow"))
        .subcommand(command::<pending::Pending>("pending"));
    list::add_nouns(act::add_verbs(tree))
}

/// Runs the chosen command; the exit code on success (an audit with findings is a success that
/// exits 1).
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    let global: Global = read(matches)?;
    let Some((noun, inner)) = matches.subcommand() else {
        return Err(Failure::unusable("no command"));
    };
    // What hangs under a noun of several tables first: nouns such as `node` have commands of their
    // own too.
    if let Some((word, innermost)) = inner.subcommand() {
        if word == "status" && status::OBJECTS.iter().any(|(known, _)| *known == noun) {
            return status::run(noun, &global, &read(innermost)?);
        }
        if (noun, word) == ("node", "register") {
            return node_register::run(&global, &read(innermost)?);
        }
        if let Some(verb) = verbs::find(noun, word) {
            return act::run(verb, &global, innermost);
        }
    }
    if let Some(result) = list::run(noun, &global, inner) {
        return result;
    }
    let global = &global;
    match noun {
        "setup" => setup::setup(global, &read(inner)?),
        "use" => setup::use_profile(global, &read(inner)?),
        "whoami" => setup::whoami(global),
        "keys" => keys::run(global, &read(inner)?),
        "genesis" => genesis::run(global, &read(inner)?),
        "org" => org::run(global, &read(inner)?),
        "audit" => audit::run(global, &read(inner)?),
        "export" => export::run(global, &read(inner)?),
        "node" => node::run(global, &read(inner)?),
        "testnet" => testnet::run(global, &read(inner)?),
        "demo" => demo::run(global, &read(inner)?),
        "bench" => bench::run(global, &read(inner)?),
        "show" => show::run(global, &read(inner)?),
        "prove" => prove::run(global, inner),
        "verify" => verify::run(global, &read(inner)?),
        "follow" => follow::run(global, &read(inner)?),
        "pending" => pending::run(global, &read(inner)?),
        "sign" => act::sign_file(global, &read(inner)?),
        "submit" => act::submit_file(global, &read(inner)?),
        "completions" => completions(&read(inner)?),
        "man" => man(),
        _ => Err(Failure::unusable("no command")),
    }
}

fn completions(flags: &Completions) -> Result<u8, Failure> {
    clap_complete::generate(
        flags.shell,
        &mut translated(),
        "rollbook",
        &mut std::io::stdout(),
    );
    Ok(0)
}

fn man() -> Result<u8, Failure> {
    clap_mangen::Man::new(translated())
        .render(&mut std::io::stdout())
        .map_err(|error| Failure::unusable("the man page could not be written").because(error))?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use rollbook_words::catalogue;

    use super::*;

    /// Every command and every argument has a sentence, so help is never empty in either language.
    #[test]
    fn everything_has_help() {
        fn walk(command: &Command, path: &str) {
            let key = format!("help.{path}.about");
            assert!(catalogue::find(&key, &[]).is_some(), "{key} is missing");
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                if id != "help" && id != "version" {
                    let key = format!("help.{path}.{id}");
                    let field = format!("help.field.{id}");
                    assert!(
                        catalogue::find(&key, &[])
                            .or(catalogue::find(&field, &[]))
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
