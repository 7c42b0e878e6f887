//! Where a passphrase comes from: `--passphrase-file`, else `ROLLBOOK_PASSPHRASE`, else a prompt
//! without echo.

use std::path::Path;

use rollbook_words::catalogue::t;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input::text::text;

/// Fewest characters of a new passphrase.
pub const MIN_CHARACTERS: usize = 10;
/// The environment variable.
pub const VARIABLE: &str = "ROLLBOOK_PASSPHRASE";

/// The passphrase of an existing key, from a file if one is given; `whose` is shown at the prompt.
pub fn existing(file: Option<&Path>, whose: &str) -> Result<Zeroizing<String>, Failure> {
    match given(file)? {
        Some(passphrase) => Ok(passphrase),
        None => ask(&t("passphrase.ask", &[("whose", whose.to_owned())])),
    }
}

/// The passphrase of a new key, asked twice.
pub fn new(file: Option<&Path>, whose: &str) -> Result<Zeroizing<String>, Failure> {
    let passphrase = match given(file)? {
        Some(passphrase) => passphrase,
        None => {
            let first = ask(&t("passphrase.ask-new", &[("whose", whose.to_owned())]))?;
            if *ask(&t("passphrase.ask-again", &[]))? != *first {
                return Err(Failure::unusable(t("passphrase.differ", &[])));
            }
            first
        }
    };
    if passphrase.chars().count() < MIN_CHARACTERS {
        return Err(Failure::unusable(t(
            "passphrase.short",
            &[("least", MIN_CHARACTERS.to_string())],
        ))
        .next(t("passphrase.short-next", &[])));
    }
    Ok(passphrase)
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

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let terminal = console::Term::stderr();
    let nobody =
        || Failure::unusable(t("passphrase.nobody", &[])).next(t("passphrase.nobody-next", &[]));
    if !terminal.is_term() || !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return Err(nobody());
    }
    crate::output::prompt(prompt);
    terminal
        .read_secure_line()
        .map(Zeroizing::new)
        .map_err(|_| nobody())
}
