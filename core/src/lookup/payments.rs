//! The payments of an agreement and the agreements under an application, without the others.

use crate::id::{AgreementId, ApplicationId, Id as _, PaymentId};
use crate::object::agreement::Agreement;
use crate::object::payment::Payment;
use crate::state::StateTables;

/// The payments of an agreement, oldest first.
pub fn of_agreement(
    tables: &StateTables,
    agreement: AgreementId,
) -> impl Iterator<Item = &Payment> + '_ {
    let of = (agreement, PaymentId::MIN)..=(agreement, PaymentId::MAX);
    tables
        .payments_of
        .range(of)
        .filter_map(|((_, number), _)| tables.payments.get(number))
}

/// The agreements under an application, oldest first: those that others replaced, too.
pub fn under_application(
    tables: &StateTables,
    application: ApplicationId,
) -> impl Iterator<Item = &Agreement> + '_ {
    let of = (application, AgreementId::MIN)..=(application, AgreementId::MAX);
    tables
        .agreements_of
        .range(of)
        .filter_map(|((_, number), _)| tables.agreements.get(number))
}
