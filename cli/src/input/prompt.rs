//! Questions to the person at the terminal. A wrong answer is told with its reason, and that one
//! question is asked again; what was answered before stands.

use std::io::{BufRead, ErrorKind, IsTerminal};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::interrupt::INTERRUPTED;
use crate::output;
use crate::output::say;

/// Who answers: a person at a terminal, or a test.
pub trait Person {
    /// One line; none if there is nobody to ask.
    fn line(&mut self, question: &str) -> Result<Option<String>, Failure>;
    /// One line that is not shown while it is typed; none if there is nobody to ask.
    fn hidden(&mut self, question: &str) -> Option<Zeroizing<String>>;
    /// Tells why an answer does not do.
    fn tell(&mut self, text: &str);
}

/// The terminal of this process, if it has one.
pub struct Terminal;

impl Terminal {
    fn is_there() -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }
}

impl Person for Terminal {
    fn line(&mut self, question: &str) -> Result<Option<String>, Failure> {
        if !Terminal::is_there() {
            return Ok(None);
        }
        output::prompt(question);
        let mut line = String::new();
        let read = std::io::stdin()
            .read_line(&mut line)
            .map_err(|error| Failure::unusable(question).because(error))?;
        Ok((read > 0).then(|| line.trim().to_owned()))
    }

    fn hidden(&mut self, question: &str) -> Option<Zeroizing<String>> {
        if !Terminal::is_there() {
            return None;
        }
        unseen(question)
    }

    fn tell(&mut self, text: &str) {
        say(text);
    }
}

/// Ctrl-C and Ctrl-\ as a terminal sends them.
const BREAKS: [u8; 2] = [0x03, 0x1c];

/// A line of the terminal that is not shown while it is typed; nothing is, from the question on.
///
/// Whoever stops the program at a prompt has a terminal that shows again what is typed: while nothing is
/// shown, Ctrl-C and Ctrl-\ end the line and are no signals; they become one when the terminal is as it
/// was.
fn unseen(question: &str) -> Option<Zeroizing<String>> {
    let stdin = std::io::stdin();
    let shown = tcgetattr(&stdin).ok()?;
    let mut hidden = shown.clone();
    hidden
        .local_modes
        .remove(LocalModes::ECHO | LocalModes::ISIG);
    let [interrupt, quit] = BREAKS;
    hidden.special_codes[SpecialCodeIndex::VEOL] = interrupt;
    hidden.special_codes[SpecialCodeIndex::VEOL2] = quit;
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).ok()?;
    output::prompt(question);
    let line = line_of(stdin.lock());
    let restored = tcsetattr(&stdin, OptionalActions::Flush, &shown);
    say("");
    let line = line.ok().filter(|_| restored.is_ok())?;
    if line.last().is_some_and(|byte| BREAKS.contains(byte)) {
        kill_process(getpid(), Signal::INT).ok()?;
        // Whoever listens for it ends the process; else it has ended already, or ignores the signal.
        std::thread::sleep(Duration::from_secs(1));
        std::process::exit(i32::from(INTERRUPTED));
    }
    let text = std::str::from_utf8(&line).ok()?;
    Some(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

/// Bytes up to the end of a line, or to what breaks it off.
fn line_of(mut input: impl BufRead) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    loop {
        let read = match input.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        let ends = |byte: &u8| *byte == b'\n' || BREAKS.contains(byte);
        let end = read.iter().position(ends);
        let taken = end.map_or(read.len(), |at| at + 1);
        line.extend(read.iter().take(taken));
        input.consume(taken);
        if end.is_some() || taken == 0 {
            return Ok(line);
        }
    }
}

/// Asks until the answer can be read; none if there is nobody to ask.
pub fn until_read<T>(
    person: &mut dyn Person,
    question: &str,
    read: impl Fn(&str) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    while let Some(line) = person.line(question)? {
        match read(&line) {
            Ok(value) => return Ok(Some(value)),
            Err(failure) => person.tell(&format!("  {}", told(&failure))),
        }
    }
    Ok(None)
}

/// A failure in one line: what, why, what to do.
pub fn told(failure: &Failure) -> String {
    match &failure.next {
        Some(next) => format!("{failure}; {next}"),
        None => failure.to_string(),
    }
}

/// A person who answers from a list; for tests.
#[cfg(test)]
pub struct Script {
    /// What is answered, in order.
    pub answers: std::collections::VecDeque<&'static str>,
    /// What was asked and told.
    pub heard: Vec<String>,
}

#[cfg(test)]
impl Script {
    /// Answers in order, then nothing.
    pub fn of(answers: &[&'static str]) -> Script {
        Script {
            answers: answers.iter().copied().collect(),
            heard: Vec::new(),
        }
    }
}

#[cfg(test)]
impl Person for Script {
    fn line(&mut self, question: &str) -> Result<Option<String>, Failure> {
        self.heard.push(question.to_owned());
        Ok(self.answers.pop_front().map(str::to_owned))
    }

    fn hidden(&mut self, question: &str) -> Option<Zeroizing<String>> {
        self.heard.push(question.to_owned());
        self.answers
            .pop_front()
            .map(|answer| Zeroizing::new(answer.to_owned()))
    }

    fn tell(&mut self, text: &str) {
        self.heard.push(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wrong answer repeats its own question, with the reason; nobody to ask ends it.
    #[test]
    fn a_wrong_answer_is_asked_again() {
        let number = |text: &str| {
            text.parse::<u32>().map_err(|_| {
                Failure::unusable(format!("'{text}' is no number")).next("type digits")
            })
        };
        let mut person = Script::of(&["x", "7", "8"]);
        assert_eq!(
            until_read(&mut person, "how many", number).unwrap(),
            Some(7)
        );
        assert_eq!(
            person.heard,
            ["how many", "  'x' is no number; type digits", "how many"]
        );
        let mut nobody = Script::of(&[]);
        assert_eq!(until_read(&mut nobody, "how many", number).unwrap(), None);
    }
}
