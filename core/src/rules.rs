//! What acts do. Each module head states its rules and what is absent.
//!
//! * [`authority`], [`bank`], [`effect`]: what every family needs.
//! * How delegations end, [`posts`] of offices and the [`chair`], [`seats`] of the board, [`relations`] of companies, and [`motion`], which knows no family above it: what a motion does is an
//!   [`effect::Effect`] of the family that owns the plan.
//! * [`amendment`] of the charter, [`election`] of board and chair; [`affairs`]: directions, observers, working
//!   days, corrections.
//! * [`membership`], [`registration`], [`people`], [`network`], [`funding`], [`orders`]: the families, in the
//!   order in which they may know one another.

use crate::machine::Transition;
use crate::object::calendar::CalendarFiling;
use crate::object::change::Change;
use crate::object::correction::Correction;
use crate::object::delegation::Delegation;
use crate::object::draft::Draft;
use crate::object::invoice::Invoice;
use crate::object::key::HeldKey;
use crate::object::key_recovery::KeyRecovery;
use crate::object::membership::{DisciplinePart, DuesPart, ExitPart, Membership};
use crate::object::motion::Motion;
use crate::object::node::NodeFacts;
use crate::object::notice::Notice;
use crate::object::observer::Observer;
use crate::object::plan::Plan;
use crate::object::post::Post;
use crate::object::proceeding::Proceeding;
use crate::object::relation::Edge;
use crate::object::revocation::Revocation;
use crate::object::seat::Seat;
use crate::object::transitions;

pub mod affairs;
pub mod amendment;
pub mod authority;
pub mod bank;
pub mod chair;
mod delegations;
pub mod effect;
pub mod election;
pub mod funding;
pub mod growth;
pub mod membership;
pub mod motion;
pub mod network;
pub mod orders;
pub mod people;
pub mod posts;
pub mod registration;
pub mod relations;
pub mod seats;

/// Every transition of every kind of object that has a table.
pub fn table() -> Vec<Transition> {
    let mut rows = [
        transitions::<Membership>(),
        transitions::<DuesPart>(),
        transitions::<DisciplinePart>(),
        transitions::<ExitPart>(),
        transitions::<Invoice>(),
        transitions::<Motion>(),
        transitions::<Post>(),
        transitions::<Seat>(),
        transitions::<Draft>(),
        transitions::<Edge>(),
        transitions::<NodeFacts>(),
        transitions::<HeldKey>(),
        transitions::<Change>(),
        transitions::<Revocation>(),
        transitions::<KeyRecovery>(),
        transitions::<Delegation>(),
        transitions::<Observer>(),
        transitions::<CalendarFiling>(),
        transitions::<Correction>(),
        transitions::<Plan>(),
        transitions::<Notice>(),
        transitions::<Proceeding>(),
    ]
    .concat();
    rows.extend(funding::table());
    rows
}
