//! Orders of courts and regulators (RULINGS R24).
//!
//! * The secretary files an order as it came: authority, reference, hash of the document, date. The
//!   document stays beside the log.
//! * An order changes no right and no balance and overrides no rule silently: whoever must act on
//!   it acts by motion, and the motion can name the order's number.
//!
//! Absent on purpose: closing or judging an order; what came of it are the motions.

use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, sha256};

use crate::id::{CorrectionId, Id as _, OrderId};
use crate::identity::{Role, Scope};
use crate::object::correction::CorrectionStatus;
use crate::object::order::FiledOrder;
use crate::record::{ClericalField, Corrected, OfficialOrder};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::tx::Tx;
use crate::{refuse, require};

/// By what an order is known: its authority and reference, as they were filed or corrected since (M41).
fn name(authority: &str, reference: &str) -> Hash {
    sha256(&encode(&(authority.to_owned(), reference.to_owned())))
}

/// What an order is known by, and what by if its authority or reference read so: a correction must not
/// make it another that is on file (`R24.filed-already`). None: the field is neither.
pub(crate) fn renamed(
    tx: &Tx,
    number: OrderId,
    field: ClericalField,
    should_read: &str,
) -> Result<Option<(Hash, Hash)>, Refusal> {
    if !matches!(field, ClericalField::Authority | ClericalField::Reference) {
        return Ok(None);
    }
    let Some(filed) = tx.t.orders.get(&number) else {
        refuse!("A4.unknown-order", order = number)
    };
    let subject = Corrected::Order(number);
    let reads = |field: ClericalField, as_filed: &str| -> String {
        let of = (subject, CorrectionId::MIN)..=(subject, CorrectionId::MAX);
        let confirmed =
            tx.t.corrections_of
                .range(of)
                .filter_map(|((_, number), _)| {
                    let known = tx.t.corrections.get(number)?;
                    let counts =
                        known.status == CorrectionStatus::Confirmed && known.entry.field == field;
                    counts.then(|| known.entry.should_read.to_string())
                });
        confirmed.last().unwrap_or_else(|| as_filed.to_owned())
    };
    let authority = reads(ClericalField::Authority, filed.order.authority.as_str());
    let reference = reads(ClericalField::Reference, filed.order.reference.as_str());
    let before = name(&authority, &reference);
    let after = if field == ClericalField::Authority {
        name(should_read, &reference)
    } else {
        name(&authority, should_read)
    };
    match tx.t.order_names.get(&after) {
        Some(known) if *known != number => refuse!("R24.filed-already", order = known),
        _ => Ok(Some((before, after))),
    }
}

/// The secretary files an order.
pub fn file(tx: &mut Tx, actor: &Actor, order: &OfficialOrder) -> Result<Outcome, Refusal> {
    must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    require!(
        order.issued_ms <= tx.now,
        "R24.issued-in-future",
        issued = order.issued_ms,
        now = tx.now
    );
    if let Some(about) = order.about {
        tx.organisation(about)?;
    }
    let name = name(order.authority.as_str(), order.reference.as_str());
    if let Some(known) = tx.t.order_names.get(&name) {
        refuse!("R24.filed-already", order = known);
    }
    let number = tx.next_id::<OrderId>();
    tx.t.order_names().put(name, number);
    tx.t.orders().put(
        number,
        FiledOrder {
            order: order.clone(),
            record: tx.record,
            filed_ms: tx.now,
        },
    );
    Ok(Outcome::Applied)
}
