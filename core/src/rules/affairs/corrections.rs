//! Clerical errors (M41; RULINGS R20): a correction names what is wrong, in which field, and the evidence.
//! Nothing is edited: the field stays as it was signed, and the correction stands beside it.
//!
//! * Only fields that decide nothing are corrected so: no right, no deadline, no amount. An order is known
//!   by its authority and reference, as corrected: so the order that the error named can be filed, and
//!   the right one not a second time (RULINGS R24). Whoever enters such a field says it; the second
//!   person of that act, or where it has none a seat holder or the chair, compares it with the evidence
//!   and confirms or declines.
//! * What the correction says that the field reads is what stands there, so that nobody corrects what is
//!   right, or what they have not read.
//!
//! A state reached by mistake is put right by motion ([`mistake`](crate::rules::membership)).

use rollbook_proof::crypto::Hash;

use crate::calendar::LocalDay;
use crate::id::{CorrectionId, FundId, Id as _, PersonId};
use crate::identity::{Name, Role, Scope};
use crate::lookup::find;
use crate::object::call::Call;
use crate::object::correction::{Correction, CorrectionStatus};
use crate::object::fund::Fund;
use crate::object::observer::Statement;
use crate::record::{ClericalField, Corrected, CorrectionEntry};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::rules::chair::seat_holder_or_chair;
use crate::rules::orders;
use crate::tx::Tx;
use crate::{refuse, require};

/// Whoever entered the field says what it should read.
pub(crate) fn file(
    tx: &mut Tx,
    actor: &Actor,
    entry: &CorrectionEntry,
) -> Result<Outcome, Refusal> {
    require!(
        entry.subject.has(entry.field),
        "M41.no-clerical-field",
        field = entry.field
    );
    let stands = stands(tx, entry.subject, entry.field)?;
    must_have_entered(tx, actor, entry.subject)?;
    require!(
        stands.iter().any(|text| text == entry.reads.as_str()),
        "M41.reads-otherwise",
        found = entry.reads,
        stands = stands.join(" / ")
    );
    if let Corrected::Order(order) = entry.subject {
        orders::renamed(tx, order, entry.field, entry.should_read.as_str())?;
    }
    let of = (entry.subject, CorrectionId::MIN)..=(entry.subject, CorrectionId::MAX);
    let open = tx.t.corrections_of.range(of).find_map(|((_, number), _)| {
        let known = tx.t.corrections.get(number)?;
        let is_open = known.status == CorrectionStatus::Filed && known.entry.field == entry.field;
        is_open.then_some(*number)
    });
    if let Some(open) = open {
        refuse!("M41.correction-open", correction = open);
    }
    let number = tx.next_id::<CorrectionId>();
    let signers: Vec<PersonId> = actor.signers.iter().map(|signer| signer.person).collect();
    let correction = Correction {
        number,
        entry: entry.clone(),
        record: tx.record,
        filed_by: (actor.number(), signers),
        judged_by: None,
        reasons: None,
        status: tx.begin::<Correction>(number, "M41", CorrectionStatus::Filed)?,
        since_ms: tx.now,
    };
    tx.put(correction);
    tx.t.corrections_of().put((entry.subject, number), 0);
    Ok(Outcome::Applied)
}

/// The second person has compared it with the evidence; `reasons` if they do not agree.
pub(crate) fn judge(
    tx: &mut Tx,
    actor: &Actor,
    number: CorrectionId,
    reasons: Option<Hash>,
) -> Result<Outcome, Refusal> {
    let mut correction = tx.get::<Correction>(number)?;
    require!(
        correction.status == CorrectionStatus::Filed,
        "M41.not-waiting",
        correction = number,
        status = correction.status
    );
    let person = must_confirm(tx, actor, correction.entry.subject)?;
    require!(
        !correction.filed_by.1.contains(&person),
        "M41.same-person",
        person = person
    );
    correction.judged_by = Some((person, actor.number()));
    correction.reasons = reasons;
    let to = match reasons {
        None => {
            let entry = &correction.entry;
            if let Corrected::Order(order) = entry.subject
                && let Some((before, after)) =
                    orders::renamed(tx, order, entry.field, entry.should_read.as_str())?
            {
                tx.t.order_names().remove(before);
                tx.t.order_names().put(after, order);
            }
            CorrectionStatus::Confirmed
        }
        Some(_) => CorrectionStatus::Declined,
    };
    tx.advance(correction, "M41", to)?;
    Ok(Outcome::Applied)
}

/// The spellings of what stands in the field.
fn stands(tx: &Tx, subject: Corrected, field: ClericalField) -> Result<Vec<String>, Refusal> {
    let both = |name: &Name| vec![name.native.to_string(), name.latin.to_string()];
    Ok(match subject {
        Corrected::Order(number) => {
            let order = match tx.t.orders.get(&number) {
                Some(filed) => &filed.order,
                None => refuse!("A4.unknown-order", order = number),
            };
            vec![match field {
                ClericalField::Reference => order.reference.to_string(),
                ClericalField::Issued => {
                    let offset = tx.calendar().offset_minutes;
                    LocalDay::of(order.issued_ms, offset).to_string()
                }
                _ => order.authority.to_string(),
            }]
        }
        Corrected::Statement(number) => {
            vec![find::<Statement>(&tx.t, number)?.entry.title.to_string()]
        }
        Corrected::Fund(number) => both(&find::<Fund>(&tx.t, number)?.name),
        Corrected::Call(number) => both(&find::<Call>(&tx.t, number)?.terms.title),
        Corrected::Entry(record) => match tx.t.receipts.get(&record) {
            Some(receipt) => vec![receipt.value_day.to_string()],
            None => refuse!("F03.unknown-receipt", record = record.short()),
        },
    })
}

/// The fund whose officers enter and confirm, where it is a matter of a fund.
fn fund_of(tx: &Tx, subject: Corrected) -> Option<FundId> {
    match subject {
        Corrected::Call(number) => tx.t.calls.get(&number).map(|call| call.terms.fund),
        Corrected::Entry(record) => {
            let receipt = tx.t.receipts.get(&record)?;
            let instalment = tx.t.instalments.get(&receipt.instalment)?;
            let pledge = tx.t.contributions.get(&instalment.contribution)?;
            Some(pledge.fund)
        }
        Corrected::Order(_) | Corrected::Statement(_) | Corrected::Fund(_) => None,
    }
}

fn scope_of(tx: &Tx, subject: Corrected) -> Scope {
    fund_of(tx, subject).map_or(Scope::Alliance, Scope::Fund)
}

/// Refuses unless the principal enters such fields.
fn must_have_entered(tx: &Tx, actor: &Actor, subject: Corrected) -> Result<(), Refusal> {
    let scope = scope_of(tx, subject);
    match subject {
        Corrected::Order(_) | Corrected::Fund(_) => {
            must_hold(tx, actor, Role::Secretary, scope)?;
        }
        Corrected::Call(_) => {
            must_hold(tx, actor, Role::ProgrammeOfficer, scope)?;
        }
        Corrected::Entry(_) => {
            must_hold(tx, actor, Role::Treasurer, scope)?;
        }
        Corrected::Statement(number) => {
            let of = find::<Statement>(&tx.t, number)?.organisation;
            require!(actor.number() == of, "M41.not-yours", organisation = of);
        }
    }
    Ok(())
}

/// The person who may confirm, if they sign.
fn must_confirm(tx: &Tx, actor: &Actor, subject: Corrected) -> Result<PersonId, Refusal> {
    let scope = scope_of(tx, subject);
    match subject {
        Corrected::Order(_) | Corrected::Fund(_) => seat_holder_or_chair(tx, actor),
        Corrected::Statement(_) => {
            must_hold(tx, actor, Role::Secretary, scope).map(|signer| signer.person)
        }
        Corrected::Call(_) | Corrected::Entry(_) => {
            must_hold(tx, actor, Role::SecondOfficer, scope).map(|signer| signer.person)
        }
    }
}
