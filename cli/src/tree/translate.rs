//! Help in both languages. Its words come from the catalogue: `help.<path>` for a command,
//! `help.<path>.<argument>` for an argument, or `help.field.<argument>` for those that mean the
//! same everywhere. In Chinese clap's own words are translated as well.

use clap::{Arg, ArgAction, Args, Command};
use rollbook_words::catalogue;

use crate::flags::{Acting, Global};
use crate::verbs;

/// A tree with help in the language of this process.
pub fn translated(tree: Command) -> Command {
    let global: Vec<String> = Global::augment_args(Command::new("rollbook"))
        .get_arguments()
        .map(|argument| argument.get_id().to_string())
        .collect();
    let mut command = translate(tree, "rollbook");
    let heading = catalogue::t("help.global", &[]);
    for id in global {
        command = command.mut_arg(&id, |argument| argument.help_heading(heading.clone()));
    }
    if catalogue::language() == catalogue::Language::Chinese {
        command.build();
        command = chinese_usage(command);
    }
    command
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
        // A flag has neither, and clap refuses to hide what is not there.
        let takes = argument.get_action().takes_values();
        argument
            .help_heading(heading)
            .hide_default_value(takes)
            .hide_possible_values(takes)
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

/// The verb at a path of the tree, `rollbook.motion.vote`.
fn verb_at(path: &str) -> Option<&'static verbs::Verb> {
    let mut words = path.split('.').skip(1);
    let (noun, word) = (words.next()?, words.next()?);
    words.next().is_none().then(|| verbs::find(noun, word))?
}

/// Whether an argument of a verb is read from the ledger if it is left out.
fn is_known(path: &str, id: &str) -> bool {
    verb_at(path).is_some_and(|verb| {
        verb.fields
            .iter()
            .any(|field| field.known && field.name == id)
    })
}

/// Sets help texts from the catalogue, all the way down; in Chinese clap's own words as well.
fn translate(command: Command, path: &str) -> Command {
    let chinese = catalogue::language() == catalogue::Language::Chinese;
    let command = if chinese {
        in_chinese(command)
    } else {
        command
    };
    let name_of = |part: &str| format!("{path}.{part}");
    let mut command = match catalogue::find(&format!("help.{path}.about"), &[]) {
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
            catalogue::find(&key, &[]).or_else(|| catalogue::find(&format!("help.field.{id}"), &[]))
        {
            let known = if is_known(path, &id) {
                catalogue::t("help.known", &[])
            } else {
                String::new()
            };
            command = command.mut_arg(&id, |argument| {
                let values = if chinese {
                    chinese_values(&argument)
                } else {
                    String::new()
                };
                argument.help(help + &known + &values)
            });
        }
    }
    if verb_at(path).is_some() {
        let heading = catalogue::t("help.acting", &[]);
        let acting = Acting::augment_args(Command::new("act"));
        for argument in acting.get_arguments() {
            command = command.mut_arg(argument.get_id(), |argument| {
                argument.help_heading(heading.clone())
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
