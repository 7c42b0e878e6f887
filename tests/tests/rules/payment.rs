//! Awards, agreements, milestones and payments (F11 to F22, F41 to F43): every guard and every
//! clock. Records go through `apply_record`; what comes before the award stands in the tables at
//! the start, so that each guard can be met alone. The same rules on a real ledger: [`random`].

mod agreements;
mod asked;
mod awards;
mod duties;
mod endings;
mod life;
mod limits;
mod matters;
mod milestones;
mod own_case;
mod payments;
mod random;
mod ranks;
mod recoveries;
mod set_offs;
mod ties;

use rollbook_core::refusal::Refusal;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>, code: &str) {
    match result {
        Err(refusal) => assert_eq!(refusal.code, code, "{refusal}"),
        Ok(value) => panic!("not refused ({code}): {value:?}"),
    }
}
