//! Where a passphrase comes from: `--passphrase-file`, else `ROLLBOOK_PASSPHRASE`, else a prompt
//! without echo.

use std::path::Path;

use rollbook_words::catalogue::t;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input::prompt::{Person, Terminal, told};
use crate::input::text::text;

/// Fewest characters of a new passphrase.
pub const MIN_CHARACTERS: usize = 10;
/// The environment variable.
pub const VARIABLE: &str = "ROLLBOOK_PASSPHRASE";

/// The passphrase of an existing key, from a file if one is given; `whose` is shown at the prompt.
pub fn existing(file: Option<&Path>, whose: &str) -> Result<Zeroizing<String>, Failure> {
    match given(file)? {
        Some(passphrase) => Ok(passphrase),
        None => Terminal
            .hidden(&t("passphrase.ask", &[("whose", whose.to_owned())]))
            .ok_or_else(nobody),
    }
}

/// Whether a passphrase would be asked for at the terminal: then a wrong one can be typed again.
pub fn is_asked(file: Option<&Path>) -> bool {
    file.is_none() && std::env::var_os(VARIABLE).is_none()
}

/// The passphrase of a new key, asked twice.
pub fn new(file: Option<&Path>, whose: &str) -> Result<Zeroizing<String>, Failure> {
    match given(file)? {
        Some(passphrase) => long_enough(&passphrase).map(|()| passphrase),
        None => ask_new(&mut Terminal, whose),
    }
}

fn long_enough(passphrase: &str) -> Result<(), Failure> {
    if passphrase.chars().count() < MIN_CHARACTERS {
        return Err(Failure::unusable(t(
            "passphrase.short",
            &[("least", MIN_CHARACTERS.to_string())],
        ))
        .next(t("passphrase.short-next", &[])));
    }
    Ok(())
}

/// Judged before it is typed a second time; asked again until both entries are equal.
fn ask_new(person: &mut dyn Person, whose: &str) -> Result<Zeroizing<String>, Failure> {
    loop {
        let first = person
            .hidden(&t("passphrase.ask-new", &[("whose", whose.to_owned())]))
            .ok_or_else(nobody)?;
        if let Err(failure) = long_enough(&first) {
            person.tell(&format!("  {}", told(&failure)));
            continue;
        }
        let again = person.hidden(&t("passphrase.ask-again", &[]));
        if *again.ok_or_else(nobody)? == *first {
            return Ok(first);
        }
        person.tell(&format!("  {}", t("passphrase.differ", &[])));
    }
}

fn nobody() -> Failure {
    Failure::unusable(t("passphrase.nobody", &[])).next(t("passphrase.nobody-next", &[]))
}

fn given(file: Option<&Path>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(path) = file {
        let bytes = Zeroizing::new(crate::files::read(path)?);
        let text = text(&bytes).map_err(|_| {
            let facts = [("file", path.display().to_string())];
            Failure::unusable(t("passphrase.no-text", &facts))
                .next(t("passphrase.no-text-next", &facts))
        })?;
        let text = Zeroizing::new(text.into_owned());
        return Ok(Some(Zeroizing::new(
            text.lines().next().unwrap_or_default().to_owned(),
        )));
    }
    Ok(std::env::var(VARIABLE).ok().map(Zeroizing::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::prompt::Script;

    /// Too short is said before the second entry; entries that differ are asked for again.
    #[test]
    fn a_new_passphrase_is_judged_before_it_is_typed_twice() {
        let long = "a long enough passphrase";
        let mut person = Script::of(&["short", long, "another one, as long", long, long]);
        assert_eq!(*ask_new(&mut person, "person 11").unwrap(), long);
        let heard = person.heard;
        assert!(heard[1].contains("shorter than 10"), "{heard:?}");
        assert!(heard[4].contains("differ"), "{heard:?}");
        assert_eq!(heard.len(), 7, "{heard:?}");
        assert!(ask_new(&mut Script::of(&[long]), "person 11").is_err());
    }
}
