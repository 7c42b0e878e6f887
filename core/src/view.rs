//! Views: what belongs to an object and stands beside it in the ledger, put together for readers. The
//! ballots of a motion with who is missing and who is recused, the ranking of a call, the reviews of an
//! application, the milestones of an agreement, the officers of an organisation, and what waits for whom.
//!
//! * Computed by the functions that the rules use; the same for a node at its tip and for whoever has
//!   executed an export again.
//! * What is for members alone is left out for other readers (RULINGS A44).
//!
//! Absent on purpose: words. Nothing here is read by a rule.

use rollbook_proof::chain::ReadClass;
use rollbook_proof::number::OrganisationId;

use crate::id::{
    AgreementId, ApplicationId, CallId, DirectionId, FundId, MotionId, OrderId, StatementId,
};
use crate::identity::Name;
use crate::next::Object;
use crate::record::Corrected;
use crate::state::StateTables;
use crate::tx::Tx;

mod affairs;
mod agreement;
mod call;
pub mod history;
pub mod money;
mod motion;
pub mod open;
mod organisation;
pub mod tasks;
pub mod validators;

pub use affairs::{CorrectionLine, DirectionView};
pub use agreement::{AgreementView, MilestoneLine};
pub use call::{ApplicationView, CallView, Entry, ReviewLine};
pub use motion::{BallotLine, MotionView, Needs, PollView, ProxyLine};
pub use organisation::{
    ChangeLine, DelegationLine, KeyLine, OfficerLine, OrganisationView, PolicyLine, PostLine,
    RecoveryLine, RelationLine, RevocationLine,
};

/// What belongs to an object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// Of a motion: its ballots and arithmetic.
    Motion(MotionView),
    /// Of a call: its applications, ranked.
    Call(CallView),
    /// Of an application: its reviews and score.
    Application(ApplicationView),
    /// Of an agreement: its milestones.
    Agreement(AgreementView),
    /// Of an organisation or office: its officers, keys and policy, and what is to change.
    Organisation(OrganisationView),
    /// Of a direction: who works in it, who leads it.
    Direction(DirectionView),
    /// Of a fund, a statement, an order: what was corrected in it.
    Corrected(Vec<CorrectionLine>),
}

/// What belongs to an object, for readers of a class; none: nothing is shown beside such objects, or
/// there is none with this number.
pub fn of(tx: &Tx, object: Object, number: u32, reader: ReadClass) -> Option<View> {
    Some(match object {
        Object::Motion => View::Motion(motion::of(tx, MotionId(number), reader)?),
        Object::Call => View::Call(call::of(&tx.t, CallId(number))?),
        Object::Application => View::Application(call::application(&tx.t, ApplicationId(number))?),
        Object::Agreement => View::Agreement(agreement::of(&tx.t, AgreementId(number))?),
        Object::Organisation => View::Organisation(organisation::of(tx, OrganisationId(number))?),
        Object::Direction => View::Direction(affairs::direction(&tx.t, DirectionId(number))?),
        Object::Fund => corrected(tx, Corrected::Fund(FundId(number)))?,
        Object::Statement => corrected(tx, Corrected::Statement(StatementId(number)))?,
        Object::Order => corrected(tx, Corrected::Order(OrderId(number)))?,
        _ => return None,
    })
}

/// What was corrected; none: nothing.
fn corrected(tx: &Tx, subject: Corrected) -> Option<View> {
    let lines = affairs::corrections(&tx.t, subject);
    (!lines.is_empty()).then_some(View::Corrected(lines))
}

/// A company or office, by number and names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Party {
    /// Its number.
    pub number: OrganisationId,
    /// Its names; none if there is no such organisation.
    pub name: Option<Name>,
}

fn party(tables: &StateTables, number: OrganisationId) -> Party {
    let name = tables
        .organisations
        .get(&number)
        .map(|entry| entry.name.clone());
    Party { number, name }
}
