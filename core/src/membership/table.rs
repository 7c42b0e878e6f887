//! The transition table of memberships: the one place that says what leads where (domain 1.3, 1.4).
//! The rules ask it for every step and documents are printed from it, so that table and code cannot
//! differ.

use super::{Membership, Standing};
use crate::apply::{Refusal, Tx};
use crate::funding::{Row, Transition, describe};
use crate::row;

/// Where a membership stands, without the facts of the case. A live membership is one state here;
/// its three parts have their own rows (RULINGS R5).
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

/// Every transition of this build. M25 and M01 create the membership.
pub static ROWS: [Row<State>; 23] = {
    use State::*;
    [
        row!("M25", None => Founding, "genesis", "every founder is named in the genesis"),
        row!("M25", Some(Founding) => Active, "every founder", "a founder, signs once; with the last signature all are members"),
        row!(
            "M01",
            None => Applied,
            "applicant",
            "company with valid identifier; no live membership, no open application; class open; charter in force, antitrust and \
             conflict undertakings signed; group declaration as recorded"
        ),
        row!("M02", Some(Applied) => Screening, "SEC", "within screen_days, else published as overdue; screener unrelated"),
        row!("M03", Some(Screening) => Returned, "SEC", "missing items listed; screener unrelated"),
        row!("M04", Some(Returned) => Applied, "applicant", "within resubmit_days"),
        row!("M04", Some(Returned) => Lapsed, "CLK", "resubmit_days passed"),
        row!("M05", Some(Screening) => Rejected, "SEC", "published criterion; reasons committed; screener unrelated"),
        row!("M06", Some(Screening) => Sponsoring, "SEC", "complete; screener unrelated"),
        row!(
            "M07",
            Some(Sponsoring) => Balloting,
            "CLK or SEC",
            "sponsors_required members in good standing, of distinct groups, none related to the applicant"
        ),
        row!("M07", Some(Sponsoring) => Lapsed, "CLK", "sponsor_days passed"),
        row!("M08", Some(Balloting) => Admitted, "ballot", "passed"),
        row!("M08", Some(Balloting) => Rejected, "ballot", "every counted no cites a published criterion, or support was insufficient"),
        row!("M08", Some(Balloting) => Lapsed, "ballot", "no quorum too often, or void"),
        row!("R9", Some(Rejected) => Balloting, "applicant", "rejected by ballot; not asked before; within 30 days"),
        row!(
            "M09",
            Some(Admitted) => Active,
            "SEC",
            "agreement signed by both; first dues received; two officers with keys, one the primary; within activate_days"
        ),
        row!("M09", Some(Admitted) => Lapsed, "CLK", "activate_days passed"),
        row!("M01w", Some(Applied) => ApplicationWithdrawn, "applicant", ""),
        row!("M01w", Some(Screening) => ApplicationWithdrawn, "applicant", ""),
        row!("M01w", Some(Returned) => ApplicationWithdrawn, "applicant", ""),
        row!("M01w", Some(Sponsoring) => ApplicationWithdrawn, "applicant", ""),
        row!("M01w", Some(Balloting) => ApplicationWithdrawn, "applicant", "its motion ends with it"),
        row!("M01w", Some(Admitted) => ApplicationWithdrawn, "applicant", ""),
    ]
};

/// The rows, for documents and audits.
pub fn table() -> Vec<Transition> {
    describe("membership", &ROWS)
}

/// Moves a membership, if the table has the step, and writes it.
pub(super) fn step(
    tx: &mut Tx,
    mut membership: Membership,
    code: &'static str,
    to: Standing,
) -> Result<Membership, Refusal> {
    crate::funding::step(&ROWS, code, Some(membership.standing.state()), to.state())?;
    membership.standing = to;
    membership.since_ms = tx.now;
    tx.t.memberships.put(membership.number, membership.clone());
    Ok(membership)
}

/// Refuses unless `code` leads somewhere from where the membership stands: said before its guards
/// are looked at.
pub(super) fn expect(membership: &Membership, code: &'static str) -> Result<(), Refusal> {
    let from = membership.standing.state();
    match ROWS
        .iter()
        .find(|row| row.code == code && row.from == Some(from))
    {
        Some(row) => crate::funding::step(&ROWS, code, Some(from), row.to).map(|_| ()),
        // Never in the table: the refusal of the table.
        None => crate::funding::step(&ROWS, code, Some(from), State::Founding).map(|_| ()),
    }
}
