//! Draws and what they are for (RULINGS R22).

use crate::object::agreement::AgreementState;
use crate::object::call::CallStatus;
use crate::object::motion::MotionStatus;
use crate::record::DrawFor;
use crate::state::StateTables;

/// Whether what a draw is for still waits for it: a call under review, an agreement that is delivered
/// under or may be again, an election with equal voices at its last seat. Where it does not, the draw
/// stands still: nobody draws, nobody is replaced, and no clock of it means anything.
pub fn is_awaited(tables: &StateTables, subject: DrawFor) -> bool {
    match subject {
        DrawFor::Call(number) => tables.calls.get(&number).is_some_and(|call| {
            matches!(
                call.status,
                CallStatus::ClosedForSubmissions | CallStatus::Reviewing
            )
        }),
        DrawFor::Agreement(number) => tables.agreements.get(&number).is_some_and(|agreement| {
            matches!(
                agreement.state,
                AgreementState::InForce | AgreementState::Suspended
            )
        }),
        DrawFor::Election(number) => tables
            .motions
            .get(&number)
            .is_some_and(|motion| motion.status == MotionStatus::Drawing),
    }
}
