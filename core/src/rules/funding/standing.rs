//! Whether a grantee may be paid (RULINGS R5; N10). The table of rights says it
//! ([`rights::allows`]); here it becomes a refusal.
//!
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
use crate::refusal::Refusal;
use crate::require;
use crate::rules::funding::fund;
use crate::tx::Tx;

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

/// R5: no payment is withheld for arrears.
pub fn require_no_arrears(tx: &Tx, agreement: &Agreement) -> Result<(), Refusal> {
    require!(
        rights::flow(&tx.t, agreement.grantee) == Flow::Flows,
        "R5.payment-withheld",
        organisation = agreement.grantee
    );
    Ok(())
}
