//! What must never ship, and what finds it: planted faults, and the way of an upgrade with a rule
//! version that changes one harmless thing (RULINGS A18, A27, A63).
//!
//! One program for all of it: each further one would link every crate again.

#![allow(clippy::unwrap_used)]

mod clock;
mod kernel;
mod keys;
mod raise;
mod simulation;
mod upgrade;

use std::path::Path;

use rollbook_core::lookup::protocol::PROTOCOL;
use rollbook_core::planted;
use rollbook_core::record::{Body, CharterAct, OfficialOrder};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::sha256;
use rollbook_proof::number::{LedgerTime, OrganisationId, ProtocolVersion};

/// The node of this package.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_rollbook-node-planted"))
}

/// An order of this authority, with this reference.
fn order(authority: &str, reference: &str) -> Body {
    Body::Charter(CharterAct::FileOrder(OfficialOrder {
        authority: Text::new(authority).unwrap(),
        reference: Text::new(reference).unwrap(),
        document: sha256(reference.as_bytes()),
        issued_ms: LedgerTime(1_687_900_000_000),
        about: Some(OrganisationId(3)),
    }))
}

/// The act that the version adds.
fn new_order(reference: &str) -> Body {
    order(planted::MARK, reference)
}

#[test]
fn this_build_knows_one_version_more() {
    assert_eq!(PROTOCOL, ProtocolVersion(2));
    assert_eq!(new_order("1").since(), PROTOCOL);
    assert_eq!(
        order("Sample district court", "1").since(),
        ProtocolVersion(1)
    );
}
