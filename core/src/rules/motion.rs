//! Motions: frozen electorate, recusal, tally (domain 1.6, 1.8; RULINGS R1, R7, R10, R12). One
//! implementation for every vote.
//!
//! * Every number counts voices. The voices of a motion are the groups with an entitled member when
//!   it opens; members and groups are frozen then, as rows under a digest that the proved
//!   [`Motion`](crate::object::motion::Motion) carries.
//! * The first member of a group to vote holds the group's voice; only that member may vote again,
//!   until the close, and the last ballot counts. A ballot of another member of the group and one
//!   of a recused member are recorded and not counted.
//! * Conflicts are computed from the relations of the moment, until the close; a declared conflict
//!   is not taken back.
//! * The close, the effect, the putting again and the lapse are deadlines; each leaves an event
//!   with its facts.
//! * What passed waits for its stay; the body may rescind it meanwhile by the same rule.
//!   [`Effect::possible`](super::effect::Effect::possible) is asked at opening, at the close and at
//!   the effect: where it fails later, the motion is void and the reason stands in it.
//! * A body with too few unrelated voices passes the motion up, at opening or at the close (IC,
//!   board, assembly).
//! * A motion runs to its end under the charter version it opened under; put again after a missed
//!   quorum, likewise. Rights to vote on it are judged with that version and with its kind.
//! * Every opening is a round: its electorate and its ballots are kept.
//! * Motions of the assembly gather support first: 1/5 of its voices (1/3 to dissolve), or more
//!   than half of the board's.
//!
//! * Elections, sealed ballots and proxies each have a file of their own, which states their rules.
//!
//! Absent: working groups; the alternate's ballot, which needs a delegation (M33); recounts after the
//! close (R20).

use crate::record::MotionAct;
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::{posts, seats};
use crate::tx::Tx;

mod clock;
pub mod election;
mod electorate;
mod minutes;
mod propose;
mod proxy;
mod recount;
mod sealed;
mod vote;

pub use clock::EARLY_HOURS;
pub(crate) use clock::{drop_motion, on_deadline};
pub use electorate::{
    Ground, ballots, ballots_of, count, electorate, electorate_now, electorate_of, entitled,
    recusals, recused, recused_at_close,
};
pub use minutes::MINUTES_MAX;
pub(crate) use propose::opened_event;
pub use propose::{Opening, SUPPORT_DAYS, open};
pub(crate) use proxy::end_unused_of as end_unused_proxies_of;
pub use sealed::{REVEAL_HOURS, is_sealed, unopened};

/// Applies an act on motions.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &MotionAct) -> Result<Outcome, Refusal> {
    match act {
        MotionAct::Propose(proposal) => propose::propose(tx, actor, proposal),
        MotionAct::Support { motion } => propose::support(tx, actor, *motion),
        MotionAct::Vote(ballot) => vote::vote(tx, actor, ballot),
        MotionAct::DeclareConflict { motion, kind } => vote::declare(tx, actor, *motion, *kind),
        MotionAct::Withdraw { motion } => vote::withdraw(tx, actor, *motion),
        MotionAct::AcceptPost { post } => posts::accept(tx, actor, *post),
        MotionAct::DeclinePost { post } => posts::decline(tx, actor, *post),
        MotionAct::ResignPost { post } => posts::resign(tx, actor, *post),
        MotionAct::AcceptSeat { seat } => seats::accept(tx, actor, *seat),
        MotionAct::DeclineSeat { seat } => seats::decline(tx, actor, *seat),
        MotionAct::ResignSeat { seat } => seats::resign(tx, actor, *seat),
        MotionAct::Reveal(opened) => sealed::reveal(tx, actor, opened),
        MotionAct::Minutes(papers) => minutes::attach(tx, actor, papers),
        MotionAct::GiveProxy { motion, holder } => proxy::give(tx, actor, *motion, *holder),
        MotionAct::TakeBackProxy { motion } => proxy::take_back(tx, actor, *motion),
    }
}
