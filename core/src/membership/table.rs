//! The transition table of memberships: the one place that says what leads where (domain 1.3, 1.4). The rules ask it for every
//! step and documents are printed from it, so that table and code cannot differ.

use super::{Membership, Standing};
use crate::apply::{Refusal, Tx};

/// Where a membership stands, without the facts of the case. A live membership is one state here; its three parts have their
/// own rows (RULINGS R5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Named in the genesis.
    Founding,
    /// Handed in.
    Applied,
    /// With the secretariat.
    Screening,
    /// Sent back.
    Returned,
    /// Looking for sponsors.
    Sponsoring,
    /// Before the board.
    Balloting,
    /// Admitted, not yet active.
    Admitted,
    /// A member.
    Active,
    /// Not admitted.
    Rejected,
    /// Run out of time.
    Lapsed,
    /// Taken back.
    ApplicationWithdrawn,
}

/// Who makes a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// Every founding organisation together.
    Founders,
    /// The secretariat.
    Secretariat,
    /// The applicant.
    Applicant,
    /// The clock.
    Clock,
    /// The clock, or the secretariat.
    ClockOrSecretariat,
    /// A ballot, at its close.
    Ballot,
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Transition {
    /// Number in the rules.
    pub code: &'static str,
    /// From; none creates the membership.
    pub from: Option<State>,
    /// To.
    pub to: State,
    /// Who.
    pub who: Who,
    /// The guards, as the second halves of their refusal codes.
    pub guards: &'static [&'static str],
}

const fn row(code: &'static str, from: Option<State>, to: State, who: Who, guards: &'static [&'static str]) -> Transition {
    Transition { code, from, to, who, guards }
}

/// Every transition of this build.
pub const TABLE: &[Transition] = {
    use State::*;
    use Who::*;
    &[
        row("M25", None, Founding, Founders, &["genesis"]),
        row("M25", Some(Founding), Active, Founders, &["not-a-founder", "already-signed"]),
        row(
            "M01",
            None,
            Applied,
            Applicant,
            &[
                "not-a-company",
                "identifier-invalid",
                "live-membership",
                "open-application",
                "class-not-open",
                "other-charter",
                "undertaking-missing",
                "group-declaration",
            ],
        ),
        row("M02", Some(Applied), Screening, Secretariat, &["screener-related"]),
        row("M03", Some(Screening), Returned, Secretariat, &["missing-items", "screener-related"]),
        row("M04", Some(Returned), Applied, Applicant, &["in-time"]),
        row("M04", Some(Returned), Lapsed, Clock, &["resubmit_days"]),
        row("M05", Some(Screening), Rejected, Secretariat, &["unknown-criterion", "screener-related"]),
        row("M06", Some(Screening), Sponsoring, Secretariat, &["screener-related"]),
        row(
            "M07",
            Some(Sponsoring),
            Balloting,
            ClockOrSecretariat,
            &["sponsors-required", "sponsor-not-in-good-standing", "sponsors-related", "sponsor-related-to-applicant"],
        ),
        row("M07", Some(Sponsoring), Lapsed, Clock, &["sponsor_days"]),
        row("M08", Some(Balloting), Admitted, Ballot, &["passed"]),
        row("M08", Some(Balloting), Rejected, Ballot, &["criterion-required", "unknown-criterion"]),
        row("M08", Some(Balloting), Lapsed, Ballot, &["no quorum twice", "void"]),
        row("R9", Some(Rejected), Balloting, Applicant, &["not-by-ballot", "asked-before", "in-time"]),
        row(
            "M09",
            Some(Admitted),
            Active,
            Secretariat,
            &["agreement-not-signed", "other-agreement", "dues-not-received", "too-few-officers", "no-primary-key"],
        ),
        row("M09", Some(Admitted), Lapsed, Clock, &["activate_days"]),
        row("M01w", Some(Applied), ApplicationWithdrawn, Applicant, &[]),
        row("M01w", Some(Screening), ApplicationWithdrawn, Applicant, &[]),
        row("M01w", Some(Returned), ApplicationWithdrawn, Applicant, &[]),
        row("M01w", Some(Sponsoring), ApplicationWithdrawn, Applicant, &[]),
        row("M01w", Some(Balloting), ApplicationWithdrawn, Applicant, &[]),
        row("M01w", Some(Admitted), ApplicationWithdrawn, Applicant, &[]),
    ]
};

/// The rows, for documents and audits.
pub fn table() -> Vec<Transition> {
    TABLE.to_vec()
}

/// The rows as a Markdown table.
pub fn markdown() -> String {
    let mut text = String::from("| id | from | to | who | guards |\n|---|---|---|---|---|\n");
    for row in TABLE {
        let from = row.from.map_or("–".into(), |state| format!("{state:?}"));
        text.push_str(&format!("| {} | {from} | {:?} | {:?} | {} |\n", row.code, row.to, row.who, row.guards.join(", ")));
    }
    text
}

/// Whether the table has this step.
pub fn is_declared(code: &str, from: Option<State>, to: State) -> bool {
    TABLE.iter().any(|row| row.code == code && row.from == from && row.to == to)
}

/// Moves a membership, if the table has the step, and writes it.
pub(super) fn step(tx: &mut Tx, mut membership: Membership, code: &'static str, to: Standing) -> Result<Membership, Refusal> {
    let from = membership.standing.state();
    if !is_declared(code, Some(from), to.state()) {
        return Err(wrong_state(code, &membership));
    }
    membership.standing = to;
    membership.since_ms = tx.now;
    tx.t.memberships.put(membership.number, membership.clone());
    Ok(membership)
}

/// Refuses unless `code` leads somewhere from where the membership stands: said before its guards are looked at.
pub(super) fn expect(membership: &Membership, code: &'static str) -> Result<(), Refusal> {
    let from = Some(membership.standing.state());
    if TABLE.iter().any(|row| row.code == code && row.from == from) { Ok(()) } else { Err(wrong_state(code, membership)) }
}

fn wrong_state(code: &'static str, membership: &Membership) -> Refusal {
    let code = match code {
        "M02" => "M02.wrong-state",
        "M03" => "M03.wrong-state",
        "M04" => "M04.wrong-state",
        "M05" => "M05.wrong-state",
        "M06" => "M06.wrong-state",
        "M07" => "M07.wrong-state",
        "M08" => "M08.wrong-state",
        "M09" => "M09.wrong-state",
        "M25" => "M25.wrong-state",
        "R9" => "R9.wrong-state",
        _ => "M01w.wrong-state",
    };
    let state = format!("{:?}", membership.standing.state());
    Refusal::new(code, vec![("membership", membership.number.to_string()), ("state", state)])
}
