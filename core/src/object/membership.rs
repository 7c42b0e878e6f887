//! Memberships: what stands in the ledger of one, and its transitions, the one place that says what
//! leads where (domain 1.3, 1.4). The rules ask the table for every step and documents are printed
//! from it, so that table and code cannot differ.

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::Machine;
use crate::account::Amount;
use crate::calendar::LocalDay;
use crate::charter::Class;
use crate::id::{InvoiceId, MembershipId, MotionId, NoticeId};
use crate::machine::Row;
use crate::record::Cessation;
use crate::row;
use crate::step::Moving;

/// Where a membership stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Named in the genesis; waits for every founder's `Found`.
    Founding,
    /// A member, in three parts.
    Live(Live),
    /// M01, M04: handed in; the secretariat takes it up.
    Applied,
    /// M02: the secretariat checks it.
    Screening,
    /// M03: sent back; the applicant hands in what is missing.
    Returned {
        /// What is missing, as codes.
        missing: Vec<Text<40>>,
    },
    /// M06: looking for sponsors.
    Sponsoring,
    /// M07: before the board.
    Balloting,
    /// M08: admitted; waits for agreement, dues and activation.
    Admitted,
    /// M05, M08: not admitted.
    Rejected(Grounds),
    /// Out of time, without prejudice.
    Lapsed(Lapse),
    /// Taken back by the applicant.
    ApplicationWithdrawn,
    /// M21: the company is none any more.
    Ceased(Ceased),
    /// M13: the membership ended for unpaid dues.
    TerminatedForArrears,
    /// M16: the member was expelled, and the decision is final.
    Expelled,
    /// M20: the member has left, with the notice that it gave.
    Withdrawn(Notice),
}

/// M18: the notice by which a member leaves.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Notice {
    /// SHA-256 of the letter.
    pub letter: Hash,
    /// Ledger time at which it was given.
    pub given_ms: LedgerTime,
    /// The last day of membership that it names. An outage lengthens the time, so the deadline says
    /// when it ends.
    pub last_day: LocalDay,
}

/// M21: what became of a company that was a member.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Ceased {
    /// What became of it.
    pub cause: Cessation,
    /// SHA-256 of the extract of the register.
    pub evidence: Hash,
}

/// M21: a company has signed for what a member owes that is to be merged into it (working).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Succession {
    /// SHA-256 of the deed.
    pub obligations: Hash,
    /// The record by which it signed.
    pub record: Hash,
    /// Ledger time at which it did.
    pub signed_ms: LedgerTime,
}

/// Why an applicant was not admitted; the stated grounds (RULINGS R9).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grounds {
    /// M05: the secretariat found a published criterion not met; with a commitment to the reasons.
    Ineligible {
        /// The criterion.
        criterion: Text<40>,
        /// Commitment to the reasons.
        reasons: Hash,
    },
    /// M08: the criteria that the "no" ballots cite, ascending.
    Criteria(Vec<Text<40>>),
    /// M08: no "no" ballot, yet too little support.
    InsufficientSupport,
}

/// Why an application lapsed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Lapse {
    /// M04: nothing was handed in again.
    NotResubmitted,
    /// M07: too few sponsors.
    TooFewSponsors,
    /// M08: no quorum, twice.
    NoQuorum,
    /// M08: the motion was void.
    MotionVoid,
    /// M09: not activated in time.
    NotActivated,
}

/// What is in the standing of a live membership. Of its three parts (RULINGS R5) this is the
/// discipline; its dues are a [`DuesPart`], and whether it leaves is [`Membership::exit`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Live {
    /// Discipline.
    pub discipline: Discipline,
}

/// M10 to M13.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Dues {
    /// Nothing due, or a plan for it is accepted.
    Good,
    /// M10: an invoice is unpaid after its due day.
    Arrears,
    /// M11: it still is, after notice: no vote.
    VotingSuspended,
}

crate::words!(Dues, "state.dues", {
    Good = "good",
    Arrears = "arrears",
    VotingSuspended = "voting-suspended",
});

/// The clock of unpaid dues (M10 to M13; RULINGS R9). Its deadlines run, or what was left of them waits
/// here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Arrears {
    /// The invoice with which it began.
    pub invoice: InvoiceId,
    /// The record that issued it.
    pub record: Hash,
    /// Ledger time since which the first notice is due.
    pub first_due_ms: Option<LedgerTime>,
    /// The first notice.
    pub first: Option<NoticeId>,
    /// The day to suspend the vote has passed without its notice.
    pub suspend_waits: bool,
    /// Ledger time since which the second notice is due.
    pub second_due_ms: Option<LedgerTime>,
    /// The second notice.
    pub second: Option<NoticeId>,
    /// The day to end the membership has passed without its notice.
    pub end_waits: bool,
    /// While it stands still: the kinds of its deadlines, and what was left of each in milliseconds.
    pub stopped: Option<Vec<(u16, u64)>>,
    /// Where the dues stood when a plan was accepted.
    pub before_plan: Option<Dues>,
}

/// The dues part of a membership (working): for members, unlike the membership itself (RULINGS
/// R39).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct DuesPart {
    /// The membership.
    pub membership: MembershipId,
    /// Where its dues stand.
    pub dues: Dues,
    /// Ledger time since which they stand there.
    pub since_ms: LedgerTime,
    /// M26: the invoice of the first dues, the newest.
    pub invoice: Option<InvoiceId>,
    /// What was paid too much, or is to be credited after a change of class, in minor units.
    pub credit: Amount,
    /// The clock, while dues are unpaid.
    pub arrears: Option<Box<Arrears>>,
}

/// M14 to M17.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Discipline {
    /// Nothing.
    None,
    /// M14: suspended for cause.
    Suspended,
    /// M16: expelled; may appeal.
    ExpulsionPending,
}

crate::words!(Discipline, "state.discipline", {
    None = "none",
    Suspended = "suspended",
    ExpulsionPending = "expulsion-pending",
});

/// The discipline part of a membership while it is moved: it stands in the membership itself, which is
/// public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisciplinePart {
    /// The membership.
    pub membership: MembershipId,
    /// Where its discipline stands.
    pub discipline: Discipline,
}

/// M18 to M20.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub enum Exit {
    /// It stays.
    None,
    /// M18: it leaves at the end of a day.
    WithdrawalPending(Notice),
}

/// The exit part without the facts of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExitState {
    /// It stays.
    None,
    /// It leaves at the end of a day.
    WithdrawalPending,
}

crate::words!(ExitState, "state.exit", {
    None = "none",
    WithdrawalPending = "withdrawal-pending",
});

impl Exit {
    /// The state without the facts of the case.
    pub fn state(&self) -> ExitState {
        match self {
            Exit::None => ExitState::None,
            Exit::WithdrawalPending(_) => ExitState::WithdrawalPending,
        }
    }
}

impl Live {
    /// A member in good standing.
    pub const GOOD: Live = Live {
        discipline: Discipline::None,
    };
}

impl Standing {
    /// The state without the facts of the case.
    pub fn state(&self) -> State {
        match self {
            Standing::Founding => State::Founding,
            Standing::Live(_) => State::Active,
            Standing::Applied => State::Applied,
            Standing::Screening => State::Screening,
            Standing::Returned { .. } => State::Returned,
            Standing::Sponsoring => State::Sponsoring,
            Standing::Balloting => State::Balloting,
            Standing::Admitted => State::Admitted,
            Standing::Rejected(_) => State::Rejected,
            Standing::Lapsed(_) => State::Lapsed,
            Standing::ApplicationWithdrawn => State::ApplicationWithdrawn,
            Standing::Ceased(_) => State::Ceased,
            Standing::TerminatedForArrears => State::TerminatedForArrears,
            Standing::Expelled => State::Expelled,
            Standing::Withdrawn(_) => State::Withdrawn,
        }
    }

    /// Whether an application is under way.
    pub fn is_open_application(&self) -> bool {
        match self.state() {
            State::Applied
            | State::Screening
            | State::Returned
            | State::Sponsoring
            | State::Balloting
            | State::Admitted
            | State::Founding => true,
            State::Active
            | State::Rejected
            | State::Lapsed
            | State::ApplicationWithdrawn
            | State::Ceased
            | State::TerminatedForArrears
            | State::Expelled
            | State::Withdrawn => false,
        }
    }
}

/// A membership (proved). Its due times stand in the table of deadlines.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Membership {
    /// Its number.
    pub number: MembershipId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// Class applied for or held.
    pub class: Class,
    /// Where it stands.
    pub standing: Standing,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
    /// Ledger time of activation.
    pub active_ms: Option<LedgerTime>,
    /// Record id of the application; none for founders.
    pub application: Option<Hash>,
    /// The motion that decides or decided it, the newest.
    pub motion: Option<MotionId>,
    /// R9: whether the applicant has asked the board to vote again.
    pub asked_again: bool,
    /// M09: the agreement that the applicant signed.
    pub agreement: Option<Hash>,
    /// Whether the member leaves. What stood here when the membership ended stays.
    pub exit: Exit,
}

/// Where a membership stands, without the facts of the case. A live membership is one state here;
/// its three parts have their own rows (RULINGS R5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Named in the genesis.
    Founding,
    /// Handed in.
    Applied,
    /// With the secretariat.
    Screening,
    /// Sent back.
    Returned,
    /// Looking for sponsors.
    Sponsoring,
    /// Before the board.
    Balloting,
    /// Admitted, not yet active.
    Admitted,
    /// A member.
    Active,
    /// Not admitted.
    Rejected,
    /// Run out of time.
    Lapsed,
    /// Taken back.
    ApplicationWithdrawn,
    /// The company is none any more.
    Ceased,
    /// Ended for unpaid dues.
    TerminatedForArrears,
    /// Expelled.
    Expelled,
    /// It has left.
    Withdrawn,
}

crate::words!(State, "state.membership", {
    Founding = "founding",
    Applied = "applied",
    Screening = "screening",
    Returned = "returned",
    Sponsoring = "sponsoring",
    Balloting = "balloting",
    Admitted = "admitted",
    Active = "active",
    Rejected = "rejected",
    Lapsed = "lapsed",
    ApplicationWithdrawn = "application-withdrawn",
    Ceased = "ceased",
    TerminatedForArrears = "terminated-for-arrears",
    Expelled = "expelled",
    Withdrawn = "withdrawn",
});

/// Every transition of this build. M25 and M01 create the membership.
pub static ROWS: [Row<State>; 29] = {
    use State::*;
    [
        row!("M25", None => Founding, "genesis", "every founder is named in the genesis"),
        row!(
            "M25",
            Some(Founding) => Active,
            "every founder",
            "a founder, signs once; with the last signature all are members"
        ),
        row!(
            "M01",
            None => Applied,
            "applicant",
            "company with valid identifier; no live membership, no open application; class open; charter in force, antitrust and \
             conflict undertakings signed; group declaration as recorded"
        ),
        row!(
            "M02",
            Some(Applied) => Screening,
            "SEC",
            "within screen_days, else published as overdue; screener unrelated"
        ),
        row!("M03", Some(Screening) => Returned, "SEC", "missing items listed; screener unrelated"),
        row!("M04", Some(Returned) => Applied, "applicant", "within resubmit_days"),
        row!("M04", Some(Returned) => Lapsed, "CLK", "resubmit_days passed"),
        row!(
            "M05",
            Some(Screening) => Rejected,
            "SEC",
            "published criterion; reasons committed; screener unrelated"
        ),
        row!("M06", Some(Screening) => Sponsoring, "SEC", "complete; screener unrelated"),
        row!(
            "M07",
            Some(Sponsoring) => Balloting,
            "CLK or SEC",
            "sponsors_required members in good standing, of distinct groups, none related to the \
             applicant"
        ),
        row!("M07", Some(Sponsoring) => Lapsed, "CLK", "sponsor_days passed"),
        row!("M08", Some(Balloting) => Admitted, "ballot", "passed"),
        row!(
            "M08",
            Some(Balloting) => Rejected,
            "ballot",
            "every counted no cites a published criterion, or support was insufficient"
        ),
        row!("M08", Some(Balloting) => Lapsed, "ballot", "no quorum too often, or void"),
        row!(
            "R9",
            Some(Rejected) => Balloting,
            "applicant",
            "rejected by ballot; not asked before; within 30 days"
        ),
        row!(
            "M09",
            Some(Admitted) => Active,
            "SEC",
            "agreement signed by both; first dues received; two officers with keys, one the \
             primary; within activate_days"
        ),
        row!("M09", Some(Admitted) => Lapsed, "CLK", "activate_days passed"),
        row!(
            "M41",
            Some(Sponsoring) => Screening,
            "BRD",
            "complete by mistake; its sponsors stay, its time for screening begins anew"
        ),
        row!("M41", Some(Returned) => Screening, "BRD", "returned by mistake"),
        row!("M01w", Some(Applied) => ApplicationWithdrawn, "applicant", ""),
        row!("M01w", Some(Screening) => ApplicationWithdrawn, "applicant", ""),
        row!("M01w", Some(Returned) => ApplicationWithdrawn, "applicant", ""),
        row!("M01w", Some(Sponsoring) => ApplicationWithdrawn, "applicant", ""),
        row!(
            "M01w",
            Some(Balloting) => ApplicationWithdrawn,
            "applicant",
            "its motion ends with it"
        ),
        row!("M01w", Some(Admitted) => ApplicationWithdrawn, "applicant", ""),
        row!(
            "M21",
            Some(Active) => Ceased,
            "SEC",
            "evidence; the officer unrelated; a successor has signed for what it owes; posts, seats and a node's place go \
             with it, what it owes does not"
        ),
        row!(
            "M20",
            Some(Active) => Withdrawn,
            "CLK",
            "the last day of the notice is over; posts, seats and a node's place go with it, what it owes does not"
        ),
        row!(
            "M13",
            Some(Active) => TerminatedForArrears,
            "CLK",
            "the vote is suspended; end_days, and the second notice long enough before; what it owes stays"
        ),
        row!("M16", Some(Active) => Expelled, "CLK", "expelled, and no appeal in time or none upheld"),
    ]
};

crate::object::object!(Membership, crate::id::MembershipId, "membership");

impl Machine for Membership {
    type State = State;
    type Entry = Standing;
    type Key = MembershipId;
    const KIND: &'static str = "membership";
    const ROWS: &'static [Row<State>] = &ROWS;

    fn key(&self) -> MembershipId {
        self.number
    }
    fn state(&self) -> State {
        self.standing.state()
    }
    fn state_of(entry: &Standing) -> State {
        entry.state()
    }
    fn enter(&mut self, entry: Standing, now: LedgerTime, _: Moving) {
        self.standing = entry;
        self.since_ms = now;
    }
}

/// Every transition of the dues part of this build.
pub static DUES_ROWS: [Row<Dues>; 8] = {
    use Dues::*;
    [
        row!("M25", None => Good, "genesis", "nothing is due"),
        row!("M01", None => Good, "applicant", "nothing is due"),
        row!("M10", Some(Good) => Arrears, "CLK", "an invoice is unpaid at its due day; rights unchanged"),
        row!(
            "M11",
            Some(Arrears) => VotingSuspended,
            "CLK",
            "suspend_days, and the first notice long enough before; no plan, no receipt that waits"
        ),
        row!("M12", Some(Arrears) => Good, "TRE, then another OFF", "everything due is paid, or a plan is accepted"),
        row!(
            "M12",
            Some(VotingSuspended) => Good,
            "TRE, then another OFF",
            "everything due is paid, or a plan is accepted; by the clock, at the next block"
        ),
        row!("M28", Some(Good) => Arrears, "CLK", "an instalment of the plan was missed"),
        row!("M28", Some(Good) => VotingSuspended, "CLK", "an instalment of the plan was missed"),
    ]
};

impl Machine for DuesPart {
    type State = Dues;
    type Entry = Dues;
    type Key = MembershipId;
    const KIND: &'static str = "dues";
    const ROWS: &'static [Row<Dues>] = &DUES_ROWS;

    fn key(&self) -> MembershipId {
        self.membership
    }
    fn state(&self) -> Dues {
        self.dues
    }
    fn state_of(entry: &Dues) -> Dues {
        *entry
    }
    fn enter(&mut self, entry: Dues, now: LedgerTime, _: Moving) {
        self.dues = entry;
        self.since_ms = now;
    }
}

/// Every transition of the discipline part of this build.
pub static DISCIPLINE_ROWS: [Row<Discipline>; 8] = {
    use Discipline::{ExpulsionPending, None as Free, Suspended};
    [
        row!("M25", None => Free, "genesis", ""),
        row!("M09", None => Free, "SEC", ""),
        row!("M14", Some(Free) => Suspended, "BRD", "a proceeding with notice and hearing; for suspend_max_days at most"),
        row!("M15", Some(Suspended) => Free, "BRD", "lifted, or the days are over"),
        row!("M16", Some(Free) => ExpulsionPending, "GA", "a proceeding with warning, notice and hearing"),
        row!("M16", Some(Suspended) => ExpulsionPending, "GA", "the same"),
        row!("M17", Some(ExpulsionPending) => Free, "GA", "the appeal is upheld"),
        row!("M17", Some(ExpulsionPending) => Suspended, "GA", "the appeal is upheld; what was left of the suspension runs on"),
    ]
};

impl Machine for DisciplinePart {
    type State = Discipline;
    type Entry = Discipline;
    type Key = MembershipId;
    const KIND: &'static str = "discipline";
    const ROWS: &'static [Row<Discipline>] = &DISCIPLINE_ROWS;

    fn key(&self) -> MembershipId {
        self.membership
    }
    fn state(&self) -> Discipline {
        self.discipline
    }
    fn state_of(entry: &Discipline) -> Discipline {
        *entry
    }
    fn enter(&mut self, entry: Discipline, _: LedgerTime, _: Moving) {
        self.discipline = entry;
    }
}

/// The exit part of a membership, as the one that moves it holds it.
#[derive(Debug, Clone)]
pub struct ExitPart(pub Membership);

/// Every transition of the exit part of this build.
pub static EXIT_ROWS: [Row<ExitState>; 4] = {
    use ExitState::*;
    [
        row!("M25", Option::None => None, "genesis", "nobody leaves"),
        row!("M01", Option::None => None, "applicant", "nobody leaves"),
        row!(
            "M18",
            Some(None) => WithdrawalPending,
            "MEM",
            "a live membership; withdraw_notice_days from now at the least"
        ),
        row!("M19", Some(WithdrawalPending) => None, "MEM", "before the last day is over"),
    ]
};

impl Machine for ExitPart {
    type State = ExitState;
    type Entry = Exit;
    type Key = MembershipId;
    const KIND: &'static str = "exit";
    const ROWS: &'static [Row<ExitState>] = &EXIT_ROWS;

    fn key(&self) -> MembershipId {
        self.0.number
    }
    fn state(&self) -> ExitState {
        self.0.exit.state()
    }
    fn state_of(entry: &Exit) -> ExitState {
        entry.state()
    }
    fn enter(&mut self, entry: Exit, _: LedgerTime, _: Moving) {
        self.0.exit = entry;
    }
}
