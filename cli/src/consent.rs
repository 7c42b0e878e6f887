//! The question before something is signed: shown in words first, then asked (RULINGS A65).
//!
//! On a terminal a person answers. A script says `--yes`. Without either, nothing is signed: whoever
//! pipes a command has not read what it shows.

use std::io::IsTerminal as _;

use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::flags::Global;
use crate::output;

/// Longest answer that is looked at, in bytes.
const ANSWER_MAX: u64 = 256;

/// Asks on the terminal unless `--yes` was given. `question` is a key of the catalogue. A no is a
/// refusal; where nobody can be asked, the command cannot be used so.
pub fn ask(global: &Global, question: &str) -> Result<(), Failure> {
    if global.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::unusable(t("consent.nobody", &[])).next(t("consent.nobody-next", &[])));
    }
    if answer(&t(question, &[])) {
        return Ok(());
    }
    Err(Failure::refused(t("consent.no", &[])))
}

/// Asks on the terminal whether something that was done already is meant again; `said` says what was
/// done. `--yes` is no answer to that (RULINGS A60): where nobody can be asked, `--again` is.
pub fn again(said: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::unusable(said).next(t("consent.again-next", &[])));
    }
    output::say(said);
    if answer(&t("consent.again", &[])) {
        return Ok(());
    }
    Err(Failure::refused(t("consent.no", &[])))
}

/// Whether the answer to a question is a yes.
fn answer(question: &str) -> bool {
    output::prompt(question);
    let mut answer = String::new();
    let stdin = std::io::Read::take(std::io::stdin(), ANSWER_MAX);
    let read = std::io::BufRead::read_line(&mut std::io::BufReader::new(stdin), &mut answer);
    read.is_ok() && is_yes(&answer)
}

/// Whether an answer is a yes, in either language. Everything else is a no.
fn is_yes(answer: &str) -> bool {
    matches!(
        answer.trim().to_lowercase().as_str(),
        "y" | "yes" | "是" | "是的" | "好" | "同意"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for yes in ["y\n", " YES \n", "是\n"] {
            assert!(is_yes(yes), "{yes}");
        }
        for no in ["", "\n", "n", "no", "yes?", "否", "yess"] {
            assert!(!is_yes(no), "{no}");
        }
    }

    /// Tests have no terminal.
    #[test]
    fn nobody_is_no_consent() {
        let mut global = Global::default();
        assert_eq!(ask(&global, "consent.sign").unwrap_err().exit, 2);
        global.yes = true;
        assert!(ask(&global, "consent.sign").is_ok());
    }
}
