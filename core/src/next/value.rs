//! In what the amounts of an object are counted: the fund that it belongs to, and that fund's unit.

use crate::account::Unit;
use crate::id::{
    AgreementId, ApplicationId, AwardId, CallId, CorrectionId, DrawId, FundId, InstalmentId,
    MeasureId, MilestoneId, PaymentId, RecoveryId, ReviewId,
};
use crate::next::Object;
use crate::record::{Corrected, DrawFor};
use crate::state::StateTables;

/// The fund that an object belongs to.
pub fn fund_of(tables: &StateTables, object: Object, number: u32) -> Option<FundId> {
    let of_call = |call: CallId| tables.calls.get(&call).map(|call| call.terms.fund);
    let of_application = |application: ApplicationId| {
        let entry = tables.applications.get(&application)?;
        of_call(entry.call)
    };
    let of_agreement =
        |agreement: AgreementId| tables.agreements.get(&agreement).map(|entry| entry.fund);
    match object {
        Object::Fund => Some(FundId(number)),
        Object::Instalment => {
            let entry = tables.instalments.get(&InstalmentId(number))?;
            tables
                .contributions
                .get(&entry.contribution)
                .map(|pledge| pledge.fund)
        }
        Object::Call => of_call(CallId(number)),
        Object::Application => of_application(ApplicationId(number)),
        Object::Review => of_application(tables.reviews.get(&ReviewId(number))?.application),
        Object::Draw => match tables.draws.get(&DrawId(number))?.subject {
            DrawFor::Election(_) => None,
            DrawFor::Call(call) => of_call(call),
            DrawFor::Agreement(agreement) => of_agreement(agreement),
        },
        Object::Award => tables.awards.get(&AwardId(number)).map(|award| award.fund),
        Object::Agreement => of_agreement(AgreementId(number)),
        Object::Milestone => of_agreement(tables.milestones.get(&MilestoneId(number))?.agreement),
        Object::Payment => tables
            .payments
            .get(&PaymentId(number))
            .map(|payment| payment.fund),
        Object::Measure => of_agreement(tables.measures.get(&MeasureId(number))?.agreement()),
        Object::Recovery => tables
            .recoveries
            .get(&RecoveryId(number))
            .map(|entry| entry.fund),
        Object::Organisation
        | Object::Membership
        | Object::Invoice
        | Object::Motion
        | Object::Post
        | Object::Seat
        | Object::Draft
        | Object::Node
        | Object::Change
        | Object::Delegation
        | Object::Revocation
        | Object::KeyRecovery
        | Object::Direction
        | Object::Observer
        | Object::Statement
        | Object::Calendar
        | Object::Order
        | Object::Plan
        | Object::Notice
        | Object::Proceeding
        | Object::Relation => None,
        Object::Correction => match tables.corrections.get(&CorrectionId(number))?.entry.subject {
            Corrected::Call(call) => of_call(call),
            Corrected::Entry(record) => {
                let instalment = tables.receipts.get(&record)?.instalment;
                fund_of(tables, Object::Instalment, instalment.0)
            }
            Corrected::Order(_) | Corrected::Statement(_) | Corrected::Fund(_) => None,
        },
    }
}

/// The unit of a fund.
pub fn unit_of_fund(tables: &StateTables, fund: FundId) -> Option<Unit> {
    tables.funds.get(&fund).map(|fund| fund.unit.clone())
}

/// The unit of an object's amounts: that of its fund.
pub fn unit_of_object(tables: &StateTables, object: Object, number: u32) -> Option<Unit> {
    unit_of_fund(tables, fund_of(tables, object, number)?)
}

/// The charter's currency, in which dues are.
pub fn currency(tables: &StateTables) -> Option<Unit> {
    let facts = tables.chain.get(&0)?;
    let charter = tables.parameters.get(&facts.charter)?;
    Unit::currency(charter.currency.as_str()).ok()
}
