//! Whether a grantee may be paid (RULINGS R5; N10).
//!
//! * Agreements outlive membership: who withdrew or ceased, or never was a member, is paid what was
//!   accepted.
//! * Arrears withhold payment: the release waits, and no clock of the fund's side runs. A
//!   suspension pauses it earlier: nothing is certified.
//! * Expulsion and termination for arrears pause everything until the board has decided on the
//!   agreement.
//!
//! Absent: arrears, suspension and expulsion themselves (M10 to M17 are not in this build); calls
//! that demand membership to the end; the board's decision on an agreement after an expulsion
//! (F25), so such an agreement stays paused here.

use crate::id::FundId;
use crate::lookup::rights;
use crate::object::agreement::Agreement;
use crate::object::membership::{Discipline, Dues, Live, Standing};
use crate::refusal::Refusal;
use crate::rules::funding::fund;
use crate::tx::Tx;

/// N10: the fund is open.
pub fn require_fund_open(tx: &Tx, number: FundId) -> Result<(), Refusal> {
    fund::open(tx, number).map(|_| ())
}

/// The grantee's live membership; none for who is no member now.
fn live(tx: &Tx, agreement: &Agreement) -> Option<Live> {
    match rights::of(&tx.t, agreement.grantee).map(|membership| &membership.standing) {
        Some(Standing::Live(live)) => Some(*live),
        // Never a member, on the way, or no longer: accepted milestones are paid all the same.
        _ => None,
    }
}

/// N10: the grantee is neither suspended nor before expulsion. The matches name every state of this
/// build, so a new state of membership does not compile until it is decided here.
pub fn require_standing(tx: &Tx, agreement: &Agreement) -> Result<(), Refusal> {
    match live(tx, agreement).map(|live| live.discipline) {
        None | Some(Discipline::None) => Ok(()),
    }
}

/// R5: no payment is withheld for arrears.
pub fn require_no_arrears(tx: &Tx, agreement: &Agreement) -> Result<(), Refusal> {
    let membership = rights::of(&tx.t, agreement.grantee);
    match membership.and_then(|membership| rights::dues_of(&tx.t, membership.number)) {
        None | Some(Dues::Good) => Ok(()),
    }
}
