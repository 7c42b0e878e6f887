//! The ballots of a motion: who has voted, who is missing, who is recused and why, and the arithmetic
//! as it stands.

use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::{Party, party};
use crate::id::{DrawId, GroupId, Id as _, MotionId};
use crate::next::{Object, by_motion};
use crate::object::motion::{Cast, Minutes, Motion, MotionStatus};
use crate::record::{BallotVote, Choice};
use crate::rules::motion::{
    Ground, ballots_of, count, election, electorate_of, is_sealed, recusals, recused,
    recused_at_close, unopened,
};
use crate::tally::{Counts, Outcome, Tally, tally};
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
    /// Ballots are sealed until they are over.
    pub sealed: bool,
    /// Sealed ballots that count and are not opened; none for readers who may not read ballots.
    pub unopened: Option<u32>,
    /// What is needed, while ballots are open; none otherwise, and for readers who may not read them.
    pub needs: Option<Needs>,
    /// The election; none: a motion between yes and no.
    pub poll: Option<PollView>,
    /// Who votes for whom on it; none for readers who may not read ballots.
    pub proxies: Option<Vec<ProxyLine>>,
    /// Papers of the meetings that took it up, each with its record.
    pub minutes: Vec<(Hash, Minutes)>,
}

/// What is needed for a motion to pass, beside what is there: voices of the frozen electorate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Needs {
    /// Voices that have taken part.
    pub part: u32,
    /// Voices that have to take part.
    pub quorum: u32,
    /// Voices for it.
    pub yes: u32,
    /// Fewest voices for it with which it passes if nobody else votes against it or abstains; none: it
    /// cannot pass any more, or it is an election.
    pub passes_with: Option<u32>,
    /// Voices that may still vote.
    pub left: u32,
}

/// An election.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PollView {
    /// Seats that this round fills.
    pub places: u32,
    /// Whether it is the run-off.
    pub run_off: bool,
    /// Who stands in the run-off; empty: whoever may sit on the board.
    pub candidates: Vec<Party>,
    /// Voices for each name; none while ballots are open for readers who may not read them.
    pub votes: Option<Vec<(Party, u32)>>,
    /// Who is elected.
    pub elected: Vec<Party>,
    /// The draw at the last seat.
    pub draw: Option<DrawId>,
    /// Seats to which nobody is elected.
    pub open: u32,
}

/// One proxy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProxyLine {
    /// Whose voice it is.
    pub giver: Party,
    /// Who casts it.
    pub holder: Party,
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
    /// Whom it names, in an election.
    pub names: Vec<Party>,
    /// It is sealed and not opened.
    pub sealed: bool,
    /// The member that cast it as proxy.
    pub proxy: Option<Party>,
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
        self.record.is_none() && self.held_by.is_none() && !self.recused
    }
}

pub(super) fn of(tx: &Tx, number: MotionId, reader: ReadClass) -> Option<MotionView> {
    let motion = tx.t.motions.get(&number)?;
    let is_open = motion.status == MotionStatus::Open;
    let is_member = reader == ReadClass::Members;
    // Ballots are taken, or opened.
    let runs = is_open || motion.status == MotionStatus::Revealing;
    let ballots = (is_member && motion.round > 0).then(|| {
        let cast = ballots_of(&tx.t, number, motion.round);
        let grounds = recusals(tx, motion);
        let out: Vec<GroupId> = if is_open {
            recused(tx, motion).into_iter().collect()
        } else {
            recused_at_close(&tx.t, motion).into_iter().collect()
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
                    names: own.map(|cast| names_of(tx, cast)).unwrap_or_default(),
                    sealed: own.is_some_and(|cast| matches!(cast.vote, BallotVote::Sealed(_))),
                    proxy: own
                        .and_then(|cast| cast.proxy)
                        .map(|holder| party(&tx.t, holder)),
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
            .filter(|_| is_open)
            .or_else(|| {
                tx.due(DeadlineKind::MotionReveal, number)
                    .filter(|_| is_member)
            }),
        tally: match (runs, is_member) {
            (true, true) => now(),
            (true, false) => None,
            (false, _) => motion.tally.as_deref().cloned(),
        },
        ballots,
        made: by_motion(&tx.t, motion),
        sealed: is_sealed(tx, motion).unwrap_or(false),
        unopened: is_member.then(|| u32::try_from(unopened(tx, motion).len()).unwrap_or(u32::MAX)),
        needs: (is_open && is_member)
            .then(|| needs(tx, motion, min_elig()?))
            .flatten(),
        poll: poll(tx, motion, is_member || !runs),
        proxies: is_member.then(|| proxies(tx, motion)),
        minutes: minutes(tx, number),
    })
}

/// Whom a ballot names.
fn names_of(tx: &Tx, cast: &Cast) -> Vec<Party> {
    match &cast.vote {
        BallotVote::Names(names) => names.iter().map(|name| party(&tx.t, *name)).collect(),
        BallotVote::Choice(_) | BallotVote::Sealed(_) => Vec::new(),
    }
}

/// What is needed, by the frozen electorate.
fn needs(tx: &Tx, motion: &Motion, min_elig: u32) -> Option<Needs> {
    let counts = count(tx, motion);
    let elig = counts.elig();
    let quorum = motion.rule.quorum;
    let least = (u64::from(quorum.n) * u64::from(elig)).div_ceil(u64::from(quorum.d).max(1));
    let part = u32::try_from(counts.part()).ok()?;
    let free = elig.saturating_sub(part);
    let with = |yes: u32| Counts { yes, ..counts };
    let passes = |yes: &u32| tally(with(*yes), &motion.rule, min_elig).outcome == Outcome::Passed;
    // More yes never makes it fail, so the first that passes is found by halving.
    let passes_with = motion.poll.is_none().then(|| {
        let (mut low, mut high) = (0, counts.yes.saturating_add(free));
        if !passes(&high) {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if passes(&middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(low)
    });
    Some(Needs {
        part,
        quorum: u32::try_from(least).ok()?,
        yes: counts.yes,
        passes_with: passes_with.flatten(),
        left: free,
    })
}

fn poll(tx: &Tx, motion: &Motion, with_votes: bool) -> Option<PollView> {
    let poll = motion.poll.as_deref()?;
    let parties = |names: &[OrganisationId]| names.iter().map(|name| party(&tx.t, *name)).collect();
    let stands: Vec<_> = (tx.t.poll_names)
        .range(
            (motion.number, motion.round, OrganisationId::MIN)
                ..=(motion.number, motion.round, OrganisationId::MAX),
        )
        .map(|((_, _, name), _)| *name)
        .collect();
    let votes = (with_votes && motion.round > 0).then(|| {
        let votes = election::votes(tx, motion).into_iter();
        votes
            .map(|(name, votes)| (party(&tx.t, name), votes))
            .collect()
    });
    Some(PollView {
        places: poll.places,
        run_off: poll.run_off,
        candidates: parties(&stands),
        votes,
        elected: parties(&poll.elected),
        draw: poll.draw,
        open: poll.open,
    })
}

fn proxies(tx: &Tx, motion: &Motion) -> Vec<ProxyLine> {
    let of = (motion.number, OrganisationId::MIN)..=(motion.number, OrganisationId::MAX);
    let given = tx.t.proxies.range(of);
    given
        .map(|((_, giver), holder)| ProxyLine {
            giver: party(&tx.t, *giver),
            holder: party(&tx.t, *holder),
        })
        .collect()
}

fn minutes(tx: &Tx, motion: MotionId) -> Vec<(Hash, Minutes)> {
    let (first, last) = (Hash([0; 32]), Hash([0xff; 32]));
    let mut all: Vec<(Hash, Minutes)> = (tx.t.minutes)
        .range((motion, first)..=(motion, last))
        .map(|((_, record), entry)| (*record, *entry))
        .collect();
    all.sort_by_key(|(record, entry)| (entry.at_ms, *record));
    all
}
