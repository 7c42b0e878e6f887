//! The command tree. Words of help come from the catalogue: `help.<path>` for a command,
//! `help.<path>.<argument>` for an argument, or `help.field.<argument>` for those that mean the
//! same everywhere.

use clap::{Arg, ArgAction, Command, value_parser};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::client::asking;
use crate::failure::Failure;
use crate::messages::t;
use crate::{commands, messages};

/// The whole tree, translated.
pub fn command() -> Command {
    let mut command = translate(tree(), "rollbook");
    if messages::language() == messages::Language::Chinese {
        command.build();
        command = chinese_usage(command);
    }
    command
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

/// A mistake on the command line in this program's words: what was typed, why it is not known, what
/// to type. None for help, for the version, and for a command without its verb, which clap answers
/// with help.
pub fn mistake(error: &clap::Error) -> Option<Failure> {
    let texts = |kind: ContextKind| -> Vec<String> {
        match error.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    };
    let first = |kind| texts(kind).first().cloned().unwrap_or_default();
    let or = |texts: &[String]| texts.join(&t("word.or", &[]));
    let help = || t("mistake.help", &[]);
    // Of several words that clap finds near, the nearest.
    let suggested = |typed: &str, kind| {
        let near = texts(kind);
        let nearest = crate::drafting::problem::nearest(typed, near.iter().map(String::as_str));
        match nearest.or(near.first().map(String::as_str)) {
            Some(near) => t("mistake.near", &[("near", near.to_owned())]),
            None => help(),
        }
    };
    // `--amount <MINOR-UNITS>` is the argument and its hint.
    let argument = first(ContextKind::InvalidArg);
    let argument = (
        "argument",
        argument
            .split(' ')
            .next()
            .unwrap_or_default()
            .trim_matches(['<', '>', '[', ']'])
            .to_owned(),
    );
    let value = ("value", first(ContextKind::InvalidValue));
    let failure = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = first(ContextKind::InvalidSubcommand);
            let next = suggested(&typed, ContextKind::SuggestedSubcommand);
            Failure::unusable(t("mistake.command", &[("command", typed)])).next(next)
        }
        ErrorKind::UnknownArgument => {
            let next = suggested(&argument.1, ContextKind::SuggestedArg);
            Failure::unusable(t("mistake.argument", &[argument])).next(next)
        }
        ErrorKind::InvalidValue if value.1.is_empty() => {
            Failure::unusable(t("mistake.no-value", &[argument])).next(help())
        }
        ErrorKind::InvalidValue => {
            let known = texts(ContextKind::ValidValue).join(", ");
            let next = suggested(&value.1, ContextKind::SuggestedValue);
            let failure = Failure::unusable(t("mistake.value", &[argument, value]));
            failure
                .because(t("mistake.known", &[("known", known)]))
                .next(next)
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            Failure::unusable(t("mistake.value", &[argument, value]))
                .because(why)
                .next(help())
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = texts(ContextKind::InvalidArg).join(", ");
            Failure::unusable(t("mistake.missing", &[("arguments", missing)])).next(help())
        }
        ErrorKind::ArgumentConflict => {
            let other = or(&texts(ContextKind::PriorArg));
            Failure::unusable(t("mistake.conflict", &[argument, ("other", other)])).next(help())
        }
        ErrorKind::TooManyValues
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues
        | ErrorKind::NoEquals => Failure::unusable(t("mistake.no-value", &[argument])).next(help()),
        ErrorKind::InvalidUtf8 => Failure::unusable(t("mistake.utf8", &[])).next(help()),
        _ => return None,
    };
    Some(failure)
}

/// clap's own words in Chinese: heads, the help and version flags, what it adds to an argument's
/// help.
fn in_chinese(command: Command) -> Command {
    let has_version = command.get_version().is_some();
    let mut command = command
        .help_template("{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}")
        .subcommand_help_heading("命令")
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help)
                .help("显示帮助"),
        );
    if has_version {
        let version = Arg::new("version")
            .short('V')
            .long("version")
            .action(ArgAction::Version)
            .help("显示版本");
        command = command.disable_version_flag(true).arg(version);
    }
    command.mut_args(|argument| {
        let heading = if argument.is_positional() {
            "参数"
        } else {
            "选项"
        };
        argument
            .help_heading(heading)
            .hide_default_value(true)
            .hide_possible_values(true)
    })
}

/// What clap would add to an argument's help in English: its default and the values that it takes.
fn chinese_values(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let list = |values: Vec<String>, word: &str| {
        if values.is_empty() {
            String::new()
        } else {
            format!(" [{word}：{}]", values.join("、"))
        }
    };
    let default = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    let possible = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    list(default, "默认") + &list(possible, "可选")
}

/// clap's words in the usage lines of a tree that is built, because only then clap knows them.
fn chinese_usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let words = [
        ("[OPTIONS]", "[选项]"),
        ("[COMMAND]", "[命令]"),
        ("<COMMAND>", "<命令>"),
    ];
    let usage = words
        .iter()
        .fold(usage.to_owned(), |usage, (english, chinese)| {
            usage.replace(english, chinese)
        });
    command.override_usage(usage).mut_subcommands(chinese_usage)
}

/// Sets help texts from the catalogue, all the way down; in Chinese clap's own words as well.
fn translate(command: Command, path: &str) -> Command {
    let chinese = messages::language() == messages::Language::Chinese;
    let command = if chinese {
        in_chinese(command)
    } else {
        command
    };
    let name_of = |part: &str| format!("{path}.{part}");
    let mut command = match messages::find(&format!("help.{path}.about"), &[]) {
        Some(about) => command.about(about),
        None => command,
    };
    let arguments: Vec<String> = command
        .get_arguments()
        .map(|argument| argument.get_id().to_string())
        .collect();
    for id in arguments {
        let key = format!("help.{}", name_of(&id));
        if let Some(help) =
            messages::find(&key, &[]).or_else(|| messages::find(&format!("help.field.{id}"), &[]))
        {
            command = command.mut_arg(&id, |argument| {
                let values = if chinese {
                    chinese_values(&argument)
                } else {
                    String::new()
                };
                argument.help(help + &values)
            });
        }
    }
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
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
