//! The ballots of a motion: who has voted, who is missing, who is recused and why, and the arithmetic
//! as it stands.

use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::LedgerTime;

use super::{Party, party};
use crate::id::{GroupId, MotionId};
use crate::next::{Object, by_motion};
use crate::object::motion::MotionStatus;
use crate::record::Choice;
use crate::rules::motion::{Ground, ballots_of, count, electorate_of, recusals, recused};
use crate::tally::{Tally, tally};
use crate::tx::{DeadlineKind, Tx};

/// A motion's ballots.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MotionView {
    /// The motion.
    pub number: MotionId,
    /// The round of ballots that is shown.
    pub round: u32,
    /// Where the motion stands.
    pub status: MotionStatus,
    /// Ledger time at which its ballots end; none: they are not open.
    pub closes_ms: Option<LedgerTime>,
    /// The arithmetic: as it was at the close, or as of now while ballots are open. None for readers
    /// who may not read ballots that are open, and before any opening.
    pub tally: Option<Tally>,
    /// Everybody in the electorate, ascending by voice; none for readers who may not read ballots.
    pub ballots: Option<Vec<BallotLine>>,
    /// What it made or changed, once carried out.
    pub made: Vec<(Object, u32)>,
}

/// One member of the electorate.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BallotLine {
    /// The member.
    pub member: Party,
    /// Its voice: the group that it belonged to when the motion opened.
    pub voice: GroupId,
    /// What its ballot says; none: it holds no ballot that counts.
    pub choice: Option<Choice>,
    /// The criterion of a "no" to an admission.
    pub criterion: Option<Text<40>>,
    /// Ledger time of the ballot.
    pub cast_ms: Option<LedgerTime>,
    /// Its record.
    pub record: Option<Hash>,
    /// Its voice is held by another member of the group, who voted first.
    pub held_by: Option<Party>,
    /// The voice is recused.
    pub recused: bool,
    /// Why, as of now; none: it is not recused, or not for a reason of this member.
    pub ground: Option<Ground>,
}

impl BallotLine {
    /// A ballot of this voice is still missing.
    pub fn is_missing(&self) -> bool {
        self.choice.is_none() && self.held_by.is_none() && !self.recused
    }
}

pub(super) fn of(tx: &Tx, number: MotionId, reader: ReadClass) -> Option<MotionView> {
    let motion = tx.t.motions.get(&number)?;
    let is_open = motion.status == MotionStatus::Open;
    let is_member = reader == ReadClass::Members;
    let ballots = (is_member && motion.round > 0).then(|| {
        let cast = ballots_of(&tx.t, number, motion.round);
        let grounds = recusals(tx, motion);
        let out: Vec<GroupId> = if is_open {
            recused(tx, motion).into_iter().collect()
        } else {
            let of = (number, motion.round, crate::id::Id::MIN)
                ..=(number, motion.round, crate::id::Id::MAX);
            let groups = tx.t.recused_at_close.range(of);
            groups.map(|((_, _, group), _)| *group).collect()
        };
        let mut lines: Vec<BallotLine> = electorate_of(&tx.t, number, motion.round)
            .into_iter()
            .map(|(organisation, voice)| {
                let held = cast.get(&voice);
                let own = held.filter(|cast| cast.organisation == organisation);
                let recused = out.contains(&voice);
                BallotLine {
                    member: party(&tx.t, organisation),
                    voice,
                    choice: own.and_then(|cast| cast.choice()),
                    criterion: own.and_then(|cast| cast.criterion.clone()),
                    cast_ms: own.map(|cast| cast.cast_ms),
                    record: own.map(|cast| cast.record),
                    held_by: held
                        .filter(|cast| cast.organisation != organisation)
                        .map(|cast| party(&tx.t, cast.organisation)),
                    recused,
                    ground: grounds.get(&organisation).copied().filter(|_| recused),
                }
            })
            .collect();
        lines.sort_by_key(|line| (line.voice, line.member.number));
        lines
    });
    let min_elig = || {
        let charter = tx.charter_of(motion.charter).ok()?;
        Some(charter.motions.min_elig)
    };
    let now = || Some(tally(count(tx, motion), &motion.rule, min_elig()?));
    Some(MotionView {
        number,
        round: motion.round,
        status: motion.status,
        closes_ms: tx
            .due(DeadlineKind::MotionClose, number)
            .filter(|_| is_open),
        tally: match (is_open, is_member) {
            (true, true) => now(),
            (true, false) => None,
            (false, _) => motion.tally.as_deref().cloned(),
        },
        ballots,
        made: by_motion(&tx.t, motion),
    })
}
