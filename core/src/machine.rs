//! The transition machine: a state machine is one table of [`Row`]s, and a state changes only by
//! [`step`], so that table and code are one.

use crate::refusal::Refusal;
use crate::word::Word;

/// One row of a state machine: what may happen to an object, who may do it, under which guards.
#[derive(Debug, Clone, Copy)]
pub struct Row<S: 'static> {
    /// The transition's number in the rules.
    pub code: &'static str,
    /// The refusal of any other state.
    pub wrong_state: &'static str,
    /// From; none for a new object.
    pub from: Option<S>,
    /// To.
    pub to: S,
    /// Who.
    pub who: &'static str,
    /// What must hold, in words.
    pub guards: &'static str,
}

/// A [`Row`] as text, for documents.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Transition {
    /// The kind of object.
    pub object: &'static str,
    /// The transition's number.
    pub code: &'static str,
    /// From; `–` for a new object.
    pub from: String,
    /// To.
    pub to: String,
    /// Who.
    pub who: &'static str,
    /// What must hold.
    pub guards: &'static str,
}

/// A row with the refusal code derived from its number.
#[macro_export]
macro_rules! row {
    ($code:literal, $from:expr => $to:expr, $who:literal, $guards:literal) => {
        $crate::machine::Row {
            code: $code,
            wrong_state: concat!($code, ".wrong-state"),
            from: $from,
            to: $to,
            who: $who,
            guards: $guards,
        }
    };
}

/// Moves a status by the table: refuses with `<code>.wrong-state` unless it has the row (code,
/// from, to).
pub fn step<S: Copy + PartialEq + Word>(
    rows: &[Row<S>],
    code: &'static str,
    from: Option<S>,
    to: S,
) -> Result<S, Refusal> {
    if rows
        .iter()
        .any(|row| row.code == code && row.from == from && row.to == to)
    {
        return Ok(to);
    }
    let wrong = rows
        .iter()
        .find(|row| row.code == code)
        .map_or("A4.no-such-transition", |row| row.wrong_state);
    let from = from.map_or("none", |from| from.word());
    Err(Refusal::new(
        wrong,
        vec![("from", from.to_owned()), ("to", to.word().to_owned())],
    ))
}

/// Rows as text.
pub fn describe<S: Word>(object: &'static str, rows: &[Row<S>]) -> Vec<Transition> {
    let line = |row: &Row<S>| Transition {
        object,
        code: row.code,
        from: row.from.as_ref().map_or("–", Word::word).to_owned(),
        to: row.to.word().to_owned(),
        who: row.who,
        guards: row.guards,
    };
    rows.iter().map(line).collect()
}

/// Transitions as a Markdown table, for docs/.
pub fn markdown(transitions: &[Transition]) -> String {
    let mut text =
        String::from("| object | id | from -> to | who | guards |\n|---|---|---|---|---|\n");
    for t in transitions {
        text.push_str(&format!(
            "| {} | {} | {} -> {} | {} | {} |\n",
            t.object, t.code, t.from, t.to, t.who, t.guards
        ));
    }
    text
}
