//! One file per command.

pub mod act;
pub mod audit;
pub mod bench;
pub mod demo;
pub mod export;
pub mod follow;
pub mod genesis;
pub mod keys;
pub mod list;
pub mod node;
pub mod pending;
pub mod prove;
pub mod setup;
pub mod show;
pub mod testnet;
pub mod verify;

use clap::ArgMatches;

use crate::failure::Failure;

/// Runs the chosen command; the exit code on success (an audit with findings is a success that
/// exits 1).
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    match matches.subcommand() {
        Some(("org", inner)) => match inner.subcommand() {
            Some(("register", inner)) => return act::org::register(inner),
            Some(("introduce", inner)) => return act::org::introduce(inner),
            _ => {}
        },
        Some(("node", inner)) if inner.subcommand_name() == Some("register") => {
            return inner
                .subcommand_matches("register")
                .map_or(Err(Failure::unusable("node register")), act::node::run);
        }
        Some((noun, inner)) if act::next::OBJECTS.iter().any(|(known, _)| *known == noun) => {
            if let Some(inner) = inner.subcommand_matches("status") {
                return act::next::run(noun, inner);
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
        clap_complete::generate(
            *shell,
            &mut crate::args::command(),
            "rollbook",
            &mut std::io::stdout(),
        );
    }
    Ok(0)
}

fn man() -> Result<u8, Failure> {
    clap_mangen::Man::new(crate::args::command())
        .render(&mut std::io::stdout())
        .map_err(|error| Failure::unusable("the man page could not be written").because(error))?;
    Ok(0)
}
