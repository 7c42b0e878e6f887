//! Motions and their ballots: what stands in the ledger, and the transitions of a motion (domain
//! 1.6, RULINGS R10).

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::charter::motions::{DecidingBody, MotionKind, MotionRule};
use crate::id::{CharterVersion, DrawId, GroupId, MotionId, PersonId};
use crate::identity::Role;
use crate::machine::Row;
use crate::object::Machine;
use crate::record::{BallotVote, Choice, MotionEffect, MotionMinutes};
use crate::row;
use crate::step::Moving;
use crate::tally::Tally;

/// Where a motion stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum MotionStatus {
    /// Gathers support for the assembly.
    Gathering,
    /// Ballots are taken.
    Open,
    /// No quorum; it is put again after a wait.
    Waiting,
    /// Passed; its effect waits for the stay.
    Staying,
    /// Passed and carried out.
    CarriedOut,
    /// Not passed.
    Rejected,
    /// No quorum too often, or no support. Without prejudice.
    Lapsed,
    /// Not decidable, or its effect was not possible any more.
    Void,
    /// Undone by its body during the stay.
    Rescinded,
    /// Taken back before the first ballot, or its object is gone.
    Withdrawn,
    /// Ballots are over; sealed ones are opened.
    Revealing,
    /// A draw decides the last seats of an election.
    Drawing,
}

crate::words!(MotionStatus, "state.motion", {
    Gathering = "gathering",
    Open = "open",
    Waiting = "waiting",
    Staying = "staying",
    CarriedOut = "carried-out",
    Rejected = "rejected",
    Lapsed = "lapsed",
    Void = "void",
    Rescinded = "rescinded",
    Withdrawn = "withdrawn",
    Revealing = "revealing",
    Drawing = "drawing",
});

impl MotionStatus {
    /// Whether nothing follows any more.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            MotionStatus::Gathering
                | MotionStatus::Open
                | MotionStatus::Waiting
                | MotionStatus::Staying
                | MotionStatus::Revealing
                | MotionStatus::Drawing
        )
    }
}

/// Why a motion ended without effect, as its effect is told.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The ballots said no.
    Rejected,
    /// No quorum too often, or no support.
    Lapsed,
    /// Not decidable, or the effect was not possible.
    Void,
    /// The body undid it during the stay.
    Rescinded,
}

/// A motion (proved). Its due times stand in the table of deadlines.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Motion {
    /// Its number.
    pub number: MotionId,
    /// What it does.
    pub effect: MotionEffect,
    /// The kind whose rule decides; for a rescission, that of the motion it undoes.
    pub kind: MotionKind,
    /// Who decides.
    pub body: DecidingBody,
    /// The rule it is judged by, from the charter version it opened under.
    pub rule: MotionRule,
    /// That charter version.
    pub charter: CharterVersion,
    /// Organisation and group that proposed it; none where a rule of the ledger opened it.
    pub proposer: Option<(OrganisationId, GroupId)>,
    /// Where an office proposed it, the post in which: the same takes it back.
    pub proposed_as: Option<Role>,
    /// SHA-256 of the text.
    pub text: Hash,
    /// Days each ballot is open; 0 for a rescission.
    pub ballot_days: u32,
    /// Where it stands.
    pub status: MotionStatus,
    /// Ledger time of the newest opening, or of the proposal while it gathers support.
    pub opened_ms: LedgerTime,
    /// How often it was put again after a missed quorum.
    pub retabled: u32,
    /// The newest round of ballots, from 1; 0 while it gathers support. It begins anew when the
    /// motion is put again and when another body decides.
    pub round: u32,
    /// Members in the electorate of the newest opening.
    pub members: u32,
    /// Voices in it.
    pub voices: u32,
    /// RFC 6962 root over its rows (organisation, group), ascending by organisation.
    pub electorate: Hash,
    /// The newest tally, once closed.
    pub tally: Option<Box<Tally>>,
    /// Why it is void, as a refusal code.
    pub void: Option<Text<64>>,
    /// M36: the election; none: a motion between yes and no.
    pub poll: Option<Box<Poll>>,
}

/// An election under way, or held (M36; RULINGS R10).
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Poll {
    /// Seats that this round fills.
    pub places: u32,
    /// Whether it is the run-off.
    pub run_off: bool,
    /// Who is elected so far, most named first; what a draw decided comes last.
    pub elected: Vec<OrganisationId>,
    /// The draw among those equal at the last seat.
    pub draw: Option<DrawId>,
    /// Seats to which nobody is elected, once it is over.
    pub open: u32,
}

/// The papers of a meeting that took a motion up (working; RULINGS R15).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Minutes {
    /// What was attached.
    pub papers: MotionMinutes,
    /// Ledger time.
    pub at_ms: LedgerTime,
}

/// A ballot that holds its group's voice (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Cast {
    /// The member that holds the voice.
    pub organisation: OrganisationId,
    /// What its newest ballot says; a commitment until it is revealed.
    pub vote: BallotVote,
    /// The criterion of a "no" to an admission.
    pub criterion: Option<Text<40>>,
    /// Persons who signed it (domain 2.9: who votes an award takes no later step of its payments).
    pub persons: Vec<PersonId>,
    /// The officer who began it, and the sequence: a later one of the same officer replaces it
    /// (RULINGS A47).
    pub officer: PersonId,
    /// That sequence.
    pub sequence: u64,
    /// Ledger time.
    pub cast_ms: LedgerTime,
    /// Record id.
    pub record: Hash,
    /// R38: the member that cast it as proxy; none: the member itself.
    pub proxy: Option<OrganisationId>,
    /// R31: the record that revealed it, if it was sealed and is opened.
    pub revealed: Option<Hash>,
}

impl Cast {
    /// The choice, if it is one.
    pub fn choice(&self) -> Option<Choice> {
        match self.vote {
            BallotVote::Choice(choice) => Some(choice),
            BallotVote::Names(_) | BallotVote::Sealed(_) => None,
        }
    }
}

/// What a right to vote is asked for: it hangs on the body, on the kind of motion, and on the
/// charter version that the motion opened under (RULINGS R32).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Who decides.
    pub body: DecidingBody,
    /// What about.
    pub kind: MotionKind,
    /// Under which charter.
    pub charter: CharterVersion,
}

impl Motion {
    /// What a right to vote on it is asked for.
    pub fn question(&self) -> Question {
        Question {
            body: self.body,
            kind: self.kind,
            charter: self.charter,
        }
    }
}

/// Every transition. Proposals and openings by a rule create the motion.
pub static ROWS: [Row<MotionStatus>; 32] = {
    use MotionStatus::*;
    [
        row!(
            "R10",
            None => Gathering,
            "member with a vote in the assembly",
            "a kind of the assembly; effect possible"
        ),
        row!(
            "R10",
            None => Open,
            "who may propose the kind, or a rule of the ledger",
            "effect possible; ballot length in the rule"
        ),
        row!(
            "R10",
            Some(Gathering) => Open,
            "members",
            "1/5 of the assembly's voices (1/3 to dissolve) or over half of the board's"
        ),
        row!("R10", Some(Gathering) => Lapsed, "CLK", "no such support in 30 days"),
        row!("R10", Some(Gathering) => Withdrawn, "proposer", ""),
        row!("R10", Some(Open) => Staying, "CLK", "passed"),
        row!(
            "R10",
            Some(Open) => CarriedOut,
            "CLK",
            "a rescission passed; the motion it undoes still stays"
        ),
        row!("R10", Some(Open) => Rejected, "CLK", "not passed"),
        row!("R10", Some(Open) => Waiting, "CLK", "no quorum, or a run-off of an election"),
        row!("R10", Some(Open) => Lapsed, "CLK", "no quorum, retable_limit reached"),
        row!("R10", Some(Open) => Open, "CLK", "too few unrelated voices: the body above decides"),
        row!(
            "R10",
            Some(Open) => Void,
            "CLK",
            "not decidable, or the effect is not possible any more"
        ),
        row!(
            "R10",
            Some(Open) => Withdrawn,
            "proposer",
            "before the first ballot; or the object of the motion is gone"
        ),
        row!("R10", Some(Waiting) => Open, "CLK", "retable_wait passed"),
        row!("R10", Some(Waiting) => Void, "CLK", "the effect is not possible any more"),
        row!(
            "R10",
            Some(Waiting) => Withdrawn,
            "a rule of the ledger",
            "the object of the motion is gone"
        ),
        row!("R10", Some(Staying) => CarriedOut, "CLK", "the stay ended; effect possible"),
        row!("R10", Some(Staying) => Void, "CLK", "the effect is not possible any more"),
        row!(
            "R10",
            Some(Staying) => Rescinded,
            "the same body",
            "a rescission passed during the stay"
        ),
        row!(
            "R10",
            Some(Staying) => Withdrawn,
            "a rule of the ledger",
            "the object of the motion is gone"
        ),
        row!("R31", Some(Open) => Revealing, "CLK", "sealed ballots were cast"),
        row!("R10", Some(Revealing) => Staying, "CLK", "passed"),
        row!("R10", Some(Revealing) => Rejected, "CLK", "not passed"),
        row!("R10", Some(Revealing) => Waiting, "CLK", "no quorum, or a run-off of an election"),
        row!("R10", Some(Revealing) => Lapsed, "CLK", "no quorum, retable_limit reached"),
        row!(
            "R10",
            Some(Revealing) => Open,
            "CLK",
            "too few unrelated voices: the body above decides"
        ),
        row!(
            "R10",
            Some(Revealing) => Void,
            "CLK",
            "not decidable, or the effect is not possible any more"
        ),
        row!(
            "R10",
            Some(Revealing) => Withdrawn,
            "a rule of the ledger",
            "the object of the motion is gone"
        ),
        row!("R22", Some(Open) => Drawing, "CLK", "names equal at the last seat"),
        row!("R22", Some(Revealing) => Drawing, "CLK", "names equal at the last seat"),
        row!("R22", Some(Drawing) => Staying, "PO, OFF, seat holder", "drawn"),
        row!("R10", Some(Drawing) => Void, "CLK", "the effect is not possible any more"),
    ]
};

crate::object::object!(Motion, crate::id::MotionId, "motion");

impl Machine for Motion {
    type State = MotionStatus;
    type Entry = MotionStatus;
    type Key = crate::id::MotionId;
    const KIND: &'static str = "motion";
    const ROWS: &'static [Row<MotionStatus>] = &ROWS;

    fn key(&self) -> crate::id::MotionId {
        self.number
    }
    fn state(&self) -> MotionStatus {
        self.status
    }
    fn state_of(entry: &MotionStatus) -> MotionStatus {
        *entry
    }
    fn enter(&mut self, entry: MotionStatus, _now: LedgerTime, _: Moving) {
        self.status = entry;
    }
}
