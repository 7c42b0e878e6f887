//! Orders of courts and regulators (RULINGS R24).
//!
//! * The secretary files an order as it came: authority, reference, hash of the document, date. The
//!   document stays beside the log.
//! * An order changes no right and no balance and overrides no rule silently: whoever must act on
//!   it acts by motion, and the motion can name the order's number.
//!
//! Absent on purpose: closing or judging an order; what came of it are the motions.

use rollbook_proof::codec::encode;
use rollbook_proof::crypto::sha256;

use crate::id::OrderId;
use crate::identity::{Role, Scope};
use crate::object::order::FiledOrder;
use crate::record::OfficialOrder;
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::{Actor, must_hold};
use crate::tx::Tx;
use crate::{refuse, require};

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
    let name = sha256(&encode(&(order.authority.clone(), order.reference.clone())));
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
