//! Papers of the meeting that took a motion up: agenda, attendance, minutes, each by its hash (RULINGS
//! R15). The documents stay beside the log. What they say decides nothing: the ballots do.

use rollbook_proof::crypto::Hash;

use crate::identity::{Role, Scope};
use crate::lookup::find;
use crate::object::motion::{Minutes, Motion};
use crate::record::MotionMinutes;
use crate::refusal::{Outcome, Refusal};
use crate::require;
use crate::rules::authority::{Actor, must_hold};
use crate::tx::Tx;

/// Most papers of meetings on one motion.
pub const MINUTES_MAX: usize = 16;

/// The secretary attaches papers, while a motion is decided and after.
pub(super) fn attach(
    tx: &mut Tx,
    actor: &Actor,
    papers: &MotionMinutes,
) -> Result<Outcome, Refusal> {
    must_hold(tx, actor, Role::Secretary, Scope::Alliance)?;
    let motion = find::<Motion>(&tx.t, papers.motion)?;
    let number = motion.number;
    require!(
        motion.round > 0,
        "R15.not-opened",
        motion = number,
        status = motion.status
    );
    let (first, last) = (Hash([0; 32]), Hash([0xff; 32]));
    let before: Vec<MotionMinutes> =
        tx.t.minutes
            .range((number, first)..=(number, last))
            .map(|(_, entry)| entry.papers)
            .collect();
    require!(
        before.len() < MINUTES_MAX,
        "R15.enough-minutes",
        motion = number,
        limit = MINUTES_MAX
    );
    require!(
        !before.contains(papers),
        "R15.attached-already",
        motion = number
    );
    let entry = Minutes {
        papers: *papers,
        at_ms: tx.now,
    };
    tx.t.minutes().put((number, tx.record), entry);
    Ok(Outcome::Applied)
}
