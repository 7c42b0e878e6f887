//! The command tree, and which command runs. Its help is translated by `translate`; mistakes are
//! told by [`mistake()`].

mod mistake;
#[cfg(test)]
mod named;
mod translate;

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command};
use rollbook_words::catalogue::t;

use crate::act::outbox;
use crate::commands::*;
use crate::failure::Failure;
use crate::flags::{Global, command, group_of, read, under};
use crate::{output, verbs};

pub use mistake::mistake;

/// `completions`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

/// What the arguments of this process say. The tree has hundreds of flags, and each process would
/// build and translate all of them to use one command; so the command that the first word names is
/// tried alone, and the whole tree, with its help and its mistakes, only if that does not do.
pub fn matches() -> Result<ArgMatches, clap::Error> {
    let arguments = without_help_of_help(std::env::args_os().collect());
    let alone = arguments
        .get(1)
        .and_then(|word| word.to_str())
        .and_then(|word| tree(Some(word)).try_get_matches_from(&arguments).ok());
    match alone {
        Some(matches) => Ok(matches),
        None => translated().try_get_matches_from(arguments),
    }
}

/// `help --help` and `keys help --help` are without the flag: nobody means anything else.
fn without_help_of_help(arguments: Vec<OsString>) -> Vec<OsString> {
    let at = arguments.iter().position(|word| word == "help");
    let Some(at) = at.filter(|at| *at <= 2) else {
        return arguments;
    };
    let flag = |word: &OsString| word == "--help" || word == "-h";
    let kept = arguments.into_iter().enumerate();
    kept.filter(|(place, word)| *place < at || !flag(word))
        .map(|(_, word)| word)
        .collect()
}

/// A failure whose next step is the status of an object, with the object of the command line: what
/// the rules say knows only that there is one.
pub fn with_object(mut failure: Failure) -> Failure {
    let words: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let known = |word: &String| status::OBJECTS.iter().any(|(known, _)| known == word);
    let command = words.iter().position(known).and_then(|at| {
        let number = words.get(at + 2)?;
        let is_number = number.ends_with(|c: char| c.is_ascii_digit());
        is_number.then(|| format!("rollbook {} status {number}", words[at]))
    });
    let command = command.unwrap_or_else(|| "rollbook show ID".to_owned());
    failure.next = failure
        .next
        .map(|next| next.replace("rollbook NOUN status N", &command));
    failure
}

/// The whole tree, translated.
pub fn translated() -> Command {
    translate::translated(tree(None))
}

/// A command by its name.
type Build = fn(&'static str) -> Command;

/// The commands that are no verbs, lists or objects.
const COMMANDS: [(&str, Build); 27] = [
    ("setup", command::<setup::Setup>),
    ("use", command::<setup::Use>),
    ("whoami", |name| Command::new(name)),
    ("keys", group_of::<keys::Command>),
    ("genesis", group_of::<genesis::Command>),
    ("audit", command::<audit::Audit>),
    ("export", command::<export::Export>),
    ("node", group_of::<node::Command>),
    ("validators", group_of::<validators::Command>),
    ("testnet", group_of::<testnet::Command>),
    ("completions", command::<Completions>),
    ("man", |name| Command::new(name)),
    ("demo", command::<demo::Demo>),
    ("bench", command::<bench::Bench>),
    ("show", |_| show::command()),
    ("prove", |_| prove::command()),
    ("verify", command::<verify::Verify>),
    ("follow", command::<follow::Follow>),
    ("pending", command::<pending::Pending>),
    ("tasks", command::<tasks::Mine>),
    ("history", command::<history::History>),
    ("bank", group_of::<bank::Command>),
    ("reconcile", command::<reconcile::Reconcile>),
    ("statement", group_of::<money::Statement>),
    ("trace", group_of::<money::Trace>),
    ("stats", command::<money::Stats>),
    ("publish", group_of::<money::Publish>),
];

/// Those that stand after the verbs in the help.
const AFTER_VERBS: [(&str, Build); 2] = [
    ("sign", command::<sign::Sign>),
    ("submit", command::<sign::Submit>),
];

/// Commands whose result is text or a stream: they refuse `--csv` (RULINGS A34).
const NO_TABLE: [(&str, &str); 6] = [
    ("completions", ""),
    ("man", ""),
    ("follow", ""),
    ("node", "run"),
    ("validators", "simulate"),
    ("publish", "360giving"),
];

/// The tree, or what of it begins with one word.
fn tree(only: Option<&str>) -> Command {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let root = Command::new("rollbook")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(120);
    let built = |commands: &'static [(&'static str, Build)]| {
        let wanted = commands.iter().filter(move |(name, _)| wanted(name));
        wanted.map(|(name, build)| build(name))
    };
    let tree = Global::augment_args(root).subcommands(built(&COMMANDS));
    let mut tree = act::add_verbs(tree, wanted).subcommands(built(&AFTER_VERBS));
    if wanted("org") {
        let own = group_of::<org::Org>("org");
        tree = under(tree, "org", own.get_subcommands().cloned());
    }
    if wanted("correct") {
        tree = tree.subcommand(act::correct());
    }
    if wanted("charter") {
        let own = [
            command::<charter::Parameters>("parameters"),
            command::<amended::Explain>("explain"),
            command::<amended::Diff>("diff"),
            command::<amended::Replay>("replay"),
        ];
        tree = under(tree, "charter", own);
    }
    list::add_nouns(tree, wanted)
}

/// Runs the chosen command; the exit code on success (an audit with findings is a success that
/// exits 1).
pub fn run(matches: &ArgMatches) -> Result<u8, Failure> {
    let global = Global::of(matches)?;
    let Some((noun, inner)) = matches.subcommand() else {
        return Err(Failure::unusable("no command"));
    };
    let word = inner.subcommand_name().unwrap_or_default();
    // What was sent and is not known is told before anybody does it again.
    let tells = !SILENT.contains(&noun) && (noun, word) != ("node", "run");
    if tells {
        outbox::tell_open(&global);
    }
    run_one(&global, (noun, word), inner)
}

/// Commands that ask no node of the profile, or begin one; `submit` knows itself what it is about.
const SILENT: [&str; 13] = [
    "setup",
    "use",
    "keys",
    "genesis",
    "audit",
    "verify",
    "testnet",
    "completions",
    "man",
    "demo",
    "bench",
    "submit",
    "whoami",
];

fn run_one(global: &Global, (noun, word): (&str, &str), inner: &ArgMatches) -> Result<u8, Failure> {
    if global.csv && NO_TABLE.contains(&(noun, word)) {
        let command = [("command", format!("{noun} {word}").trim().to_owned())];
        return Err(Failure::unusable(t("output.no-table", &command))
            .next(t("output.no-table-next", &command)));
    }
    // What hangs under a noun of several tables first: nouns such as `node` have commands of their
    // own too.
    if let Some((word, innermost)) = inner.subcommand() {
        if word == "status" && status::OBJECTS.iter().any(|(known, _)| *known == noun) {
            return status::run(noun, global, &read(innermost)?);
        }
        if (noun, word) == ("node", "register") {
            return node_register::run(global, &read(innermost)?);
        }
        if (noun, word) == ("node", "update") {
            return node_register::update(global, &read(innermost)?);
        }
        match (noun, word) {
            ("charter", "parameters") => return charter::run(global, &read(innermost)?),
            ("charter", "explain") => return amended::explain(global, &read(innermost)?),
            ("charter", "diff") => return amended::diff(global, &read(innermost)?),
            ("charter", "replay") => return amended::replay(global, &read(innermost)?),
            _ => {}
        }
        if let Some(verb) = verbs::find(noun, word) {
            return act::run(verb, global, innermost);
        }
    }
    if let Some(result) = list::run(noun, global, inner) {
        return result;
    }
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
        "validators" => validators::run(global, &read(inner)?),
        "testnet" => testnet::run(global, &read(inner)?),
        "demo" => demo::run(global, &read(inner)?),
        "bench" => bench::run(global, &read(inner)?),
        "show" => show::run(global, &read(inner)?),
        "correct" => act::run_correct(global, inner),
        "prove" => prove::run(global, inner),
        "verify" => verify::run(global, &read(inner)?),
        "follow" => follow::run(global, &read(inner)?),
        "pending" => pending::run(global, &read(inner)?),
        "tasks" => tasks::run(global, &read(inner)?),
        "history" => history::run(global, &read(inner)?),
        "bank" => bank::run(global, &read(inner)?),
        "reconcile" => reconcile::run(global, &read(inner)?),
        "statement" => money::statement(global, &read(inner)?),
        "trace" => money::trace(global, &read(inner)?),
        "stats" => money::stats(global, &read(inner)?),
        "publish" => money::publish(global, &read(inner)?),
        "sign" => sign::sign(global, &read(inner)?),
        "submit" => sign::submit(global, &read(inner)?),
        "completions" => completions(&read(inner)?),
        "man" => man(),
        _ => Err(Failure::unusable("no command")),
    }
}

fn completions(flags: &Completions) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(flags.shell, &mut translated(), "rollbook", &mut text);
    output::write(&text);
    Ok(0)
}

fn man() -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(translated())
        .render(&mut text)
        .map_err(|error| Failure::unusable("man").because(error))?;
    output::write(&text);
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
        walk(&tree(None), "rollbook");
        tree(None).debug_assert();
    }

    /// A command alone is the same command as in the whole tree.
    #[test]
    fn a_command_alone_is_the_same() {
        let whole = tree(None);
        for command in whole.get_subcommands() {
            let name = command.get_name();
            let alone = tree(Some(name));
            assert_eq!(alone.get_subcommands().count(), 1, "{name}");
            let alone = alone.find_subcommand(name).unwrap();
            // Its place among the others is all that differs.
            let told = |command: &Command| format!("{:?}", command.clone().display_order(0));
            assert_eq!(told(alone), told(command));
        }
        assert_eq!(tree(Some("--zh")).get_subcommands().count(), 0);
    }
}
