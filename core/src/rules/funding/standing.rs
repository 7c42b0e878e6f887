//! Whether a grantee may be paid (RULINGS R5; N10). The table of rights says it
//! ([`rights::allows`]); here it becomes a refusal.
//!
//! * While an agreement is suspended in its payments or wholly, or they are held until a measure is decided,
//!   nothing is certified or released (F24).
//! * Agreements outlive membership: who withdrew or ceased, or never was a member, is paid what was
//!   accepted.
//! * Arrears withhold payment: the release waits, and no clock of the fund's side runs. A
//!   suspension pauses it earlier: nothing is certified.
//! * Expulsion and termination for arrears pause everything until the board has decided on the
//!   agreement.
//!
//! Absent: calls that demand membership to the end; the board's decision on an agreement after an
//! expulsion (F25), so such an agreement stays paused here.

use crate::id::FundId;
use crate::lookup::rights;
use crate::lookup::rights::Flow;
use crate::object::agreement::Agreement;
use crate::object::measure::{Measure, MeasureStatus};
use crate::record::MeasureKind;
use crate::refusal::Refusal;
use crate::require;
use crate::rules::funding::fund;
use crate::tx::{DeadlineKind, Tx};

/// N10: the fund is open.
pub fn require_fund_open(tx: &Tx, number: FundId) -> Result<(), Refusal> {
    fund::open(tx, number).map(|_| ())
}

/// N10: the grantee is neither suspended nor expelled, nor was its membership ended for arrears.
pub fn require_standing(tx: &Tx, agreement: &Agreement) -> Result<(), Refusal> {
    require!(
        rights::flow(&tx.t, agreement.grantee) != Flow::Paused,
        "R5.payment-paused",
        organisation = agreement.grantee
    );
    Ok(())
}

/// The kind of suspension in force.
pub fn suspension(tx: &Tx, agreement: &Agreement) -> Option<MeasureKind> {
    let measure = tx.t.measures.get(&agreement.suspension?)?;
    Some(measure.notice.kind)
}

/// N10: the agreement is not suspended, and its payments are not held until a measure is decided.
pub fn require_not_stopped(tx: &Tx, agreement: &Agreement) -> Result<(), Refusal> {
    let number = agreement.number;
    if let Some(kind) = suspension(tx, agreement) {
        require!(
            !kind.stops_payments(),
            "N10.agreement-suspended",
            agreement = number,
            measure_kind = kind
        );
    }
    let waits = agreement
        .measure
        .and_then(|measure| tx.t.measures.get(&measure));
    if let Some(measure) = waits {
        require!(
            measure.held_by.is_none(),
            "N10.payments-held",
            agreement = number,
            measure = measure.number
        );
    }
    Ok(())
}

/// F24: the agreement is delivered under: in force, or suspended in its payments alone, which the final
/// report waits for.
pub fn require_delivers(tx: &Tx, agreement: &Agreement, is_final: bool) -> Result<(), Refusal> {
    let Some(kind) = suspension(tx, agreement) else {
        return Ok(());
    };
    require!(
        kind != MeasureKind::Whole && !is_final,
        "F24.suspended",
        agreement = agreement.number,
        measure_kind = kind
    );
    Ok(())
}

/// R5: no payment is withheld for arrears.
pub fn require_no_arrears(tx: &Tx, agreement: &Agreement) -> Result<(), Refusal> {
    require!(
        rights::flow(&tx.t, agreement.grantee) == Flow::Flows,
        "R5.payment-withheld",
        organisation = agreement.grantee
    );
    Ok(())
}

/// The measure came to nothing; the caller writes the agreement.
pub(super) fn drop_measure(
    tx: &mut Tx,
    measure: Measure,
    agreement: &mut Agreement,
    code: &'static str,
) -> Result<(), Refusal> {
    decided(tx, &measure);
    // The board's no is a decision; whatever else ends a hold leaves it undecided.
    if code != "R10" && !measure.holders.is_empty() {
        agreement.hold_lapsed = Some(tx.now);
    }
    agreement.measure = None;
    tx.advance(measure, code, MeasureStatus::Dropped)
}

/// No clock of a measure that waited runs any more.
pub(super) fn decided(tx: &mut Tx, measure: &Measure) {
    for kind in [
        DeadlineKind::MeasureHeard,
        DeadlineKind::MeasureAsked,
        DeadlineKind::MeasureLapse,
    ] {
        tx.cancel(kind, measure.number);
    }
}

/// F43: the agreement is completed; a measure that waits has no object any more.
pub(super) fn on_completed(tx: &mut Tx, agreement: &mut Agreement) -> Result<(), Refusal> {
    match agreement.measure {
        Some(number) => {
            let measure = tx.get::<Measure>(number)?;
            drop_measure(tx, measure, agreement, "F43")
        }
        None => Ok(()),
    }
}
