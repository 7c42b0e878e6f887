//! Membership: from application to activation, and the rights of members (domain 1.3, 1.4; RULINGS
//! R5, R9, R16).
//!
//! * Every step is a row of [`table`]; the rules ask that table.
//! * A live membership has three independent parts: dues, discipline, exit. Rights are the
//!   intersection of what each part allows and are derived, never stored. A membership is a record
//!   of its own on every admission, never reopened.
//! * Until it is active, an application waits for somebody named by its state, and a deadline says
//!   until when.
//!
//! Absent: arrears, discipline, exit, class change (M10 to M24, M28 to M31), and with them the
//! waits before a new application after withdrawal or expulsion, which no membership of this build
//! can need; the yearly invoices of live members, whose due dates M10 would read.

use bincode::{Decode, Encode};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::Hash;

use crate::apply::{Counter, DeadlineKind, Outcome, Refusal, Tx};
use crate::charter::Class;
use crate::identity::Role;
use crate::identity::authority::Actor;
use crate::record::MembershipAct;
use crate::state::StateTables;
use crate::{refuse, require};

pub mod admission;
pub mod dues;
pub mod table;

pub use dues::{Invoice, InvoiceStatus, PendingReceipt};
pub use table::State;

/// Where a membership stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
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
}

/// Why an applicant was not admitted; the stated grounds (RULINGS R9).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
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

/// The three parts of a live membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Live {
    /// Dues.
    pub dues: Dues,
    /// Discipline.
    pub discipline: Discipline,
    /// Exit.
    pub exit: Exit,
}

/// M10 to M13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub enum Dues {
    /// Nothing due.
    Good,
}

/// M14 to M17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub enum Discipline {
    /// Nothing.
    None,
}

/// M18 to M20.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize)]
pub enum Exit {
    /// Nothing.
    None,
}

impl Live {
    /// A member in good standing.
    pub const GOOD: Live = Live {
        dues: Dues::Good,
        discipline: Discipline::None,
        exit: Exit::None,
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
            State::Active | State::Rejected | State::Lapsed | State::ApplicationWithdrawn => false,
        }
    }
}

/// A membership (proved). Its due times stand in the table of deadlines.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
pub struct Membership {
    /// Its number.
    pub number: u32,
    /// The organisation.
    pub organisation: u32,
    /// Class applied for or held.
    pub class: Class,
    /// Where it stands.
    pub standing: Standing,
    /// Ledger time since which it stands there.
    pub since_ms: u64,
    /// Ledger time of activation.
    pub active_ms: Option<u64>,
    /// Record id of the application; none for founders.
    pub application: Option<Hash>,
    /// The motion that decides or decided it, the newest.
    pub motion: Option<u32>,
    /// R9: whether the applicant has asked the board to vote again.
    pub asked_again: bool,
    /// M26: the invoice of the first dues, the newest.
    pub invoice: Option<u32>,
    /// M09: the agreement that the applicant signed.
    pub agreement: Option<Hash>,
}

/// The newest membership of an organisation.
pub fn of(tables: &StateTables, organisation: u32) -> Option<&Membership> {
    let number = tables.organisations.get(&organisation)?.membership?;
    tables.memberships.get(&number)
}

/// A membership by number, or a refusal that names it.
pub fn get(tables: &StateTables, number: u32) -> Result<&Membership, Refusal> {
    tables.memberships.get(&number).ok_or_else(|| {
        Refusal::new(
            "A4.unknown-membership",
            vec![("membership", number.to_string())],
        )
    })
}

/// Whether the organisation is a member now, in whatever standing.
pub fn is_live(tables: &StateTables, organisation: u32) -> bool {
    of(tables, organisation)
        .is_some_and(|membership| matches!(membership.standing, Standing::Live(_)))
}

/// What an organisation may do as a member (domain 1.4, effects of states). Derived, never stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Rights {
    /// Counts as a member.
    pub member: bool,
    /// Its standing lets it vote where its class or seat gives it a vote.
    pub votes: bool,
    /// Votes in the assembly.
    pub assembly_vote: bool,
    /// May hold a seat on the board and vote there.
    pub board_vote: bool,
    /// May stand for seats and sponsor applicants.
    pub may_sponsor: bool,
    /// May apply for funds as a member. A registered organisation that is no member applies under
    /// RULINGS R16.
    pub may_apply_for_funds: bool,
}

/// The rights of an organisation: the intersection of its class and the three parts of its
/// membership.
pub fn rights(tables: &StateTables, organisation: u32) -> Rights {
    let Some(membership) = of(tables, organisation) else {
        return Rights::default();
    };
    let Standing::Live(live) = membership.standing else {
        return Rights::default();
    };
    // One row of domain 1.4 per part: (votes, may stand or sponsor, may apply for funds).
    let dues = match live.dues {
        Dues::Good => (true, true, true),
    };
    let discipline = match live.discipline {
        Discipline::None => (true, true, true),
    };
    let exit = match live.exit {
        Exit::None => (true, true, true),
    };
    let class = tables
        .chain
        .get(&0)
        .and_then(|facts| tables.charters.get(&facts.charter))
        .and_then(|charter| charter.class(membership.class));
    let votes = dues.0 && discipline.0 && exit.0;
    Rights {
        member: true,
        votes,
        assembly_vote: votes && class.is_some_and(|class| class.assembly_vote),
        board_vote: votes && class.is_some_and(|class| class.seat_eligible),
        may_sponsor: dues.1 && discipline.1 && exit.1,
        may_apply_for_funds: dues.2 && discipline.2 && exit.2,
    }
}

/// Applies an act on memberships.
pub fn apply(tx: &mut Tx, actor: &Actor, act: &MembershipAct) -> Result<Outcome, Refusal> {
    match act {
        MembershipAct::Apply(application) => admission::apply_for(tx, actor, application)?,
        MembershipAct::Screen { membership } => admission::screen(tx, actor, *membership)?,
        MembershipAct::Return {
            membership,
            missing,
        } => admission::send_back(tx, actor, *membership, missing)?,
        MembershipAct::Resubmit { membership, .. } => admission::resubmit(tx, actor, *membership)?,
        MembershipAct::Reject {
            membership,
            criterion,
            reasons,
        } => admission::reject(tx, actor, *membership, criterion, reasons)?,
        MembershipAct::Complete { membership } => admission::complete(tx, actor, *membership)?,
        MembershipAct::Sponsor { membership } => admission::sponsor(tx, actor, *membership)?,
        MembershipAct::OpenBallot {
            membership,
            ballot_days,
        } => admission::open_ballot_by_secretary(tx, actor, *membership, *ballot_days)?,
        MembershipAct::AskAgain { membership, .. } => admission::ask_again(tx, actor, *membership)?,
        MembershipAct::WithdrawApplication { membership } => {
            admission::withdraw(tx, actor, *membership)?
        }
        MembershipAct::Invoice { membership } => dues::invoice(tx, actor, *membership)?,
        MembershipAct::CancelInvoice { invoice } => dues::cancel(tx, actor, *invoice)?,
        MembershipAct::Receive(receipt) => dues::receive(tx, actor, receipt)?,
        MembershipAct::ConfirmReceipt { invoice, receipt } => {
            dues::confirm(tx, actor, *invoice, receipt)?
        }
        MembershipAct::DeclineReceipt { invoice, receipt } => {
            dues::decline(tx, actor, *invoice, receipt)?
        }
        MembershipAct::Agree {
            membership,
            agreement,
        } => admission::agree(tx, actor, *membership, agreement)?,
        MembershipAct::Activate {
            membership,
            agreement,
        } => admission::activate(tx, actor, *membership, agreement)?,
    }
    Ok(Outcome::Applied)
}

/// Acts out a deadline of a membership.
pub(crate) fn on_deadline(
    tx: &mut Tx,
    kind: DeadlineKind,
    number: u32,
    due: u64,
) -> Result<(), Refusal> {
    admission::on_deadline(tx, kind, number, due)
}

/// Creates the membership of a founding organisation at genesis.
pub(crate) fn enter_founder(tx: &mut Tx, organisation: u32) -> Result<(), Refusal> {
    let number = tx.next_number(Counter::Membership);
    let membership = Membership {
        number,
        organisation,
        class: Class::Founding,
        standing: Standing::Founding,
        since_ms: tx.now,
        active_ms: None,
        application: None,
        motion: None,
        asked_again: false,
        invoice: None,
        agreement: None,
    };
    tx.t.memberships.put(number, membership);
    let mut entry = tx.organisation(organisation)?.clone();
    entry.membership = Some(number);
    tx.t.organisations.put(organisation, entry);
    let mut facts = tx.facts();
    facts.founders_missing += 1;
    tx.put_facts(facts);
    tx.t.founders.put(organisation, 0);
    Ok(())
}

/// M25: a founding organisation signs. With the last signature every founder is a member.
pub(crate) fn found(tx: &mut Tx, actor: &Actor) -> Result<Outcome, Refusal> {
    actor.must_sign(Role::Primary)?;
    match tx.t.founders.get(&actor.number()) {
        None => refuse!("M25.not-a-founder", organisation = actor.number()),
        Some(signed) => require!(
            *signed == 0,
            "M25.already-signed",
            organisation = actor.number()
        ),
    }
    tx.t.founders.put(actor.number(), 1);
    let mut facts = tx.facts();
    facts.founders_missing = facts.founders_missing.saturating_sub(1);
    let complete = facts.founders_missing == 0;
    tx.put_facts(facts);
    if complete {
        let waiting: Vec<Membership> =
            tx.t.memberships
                .iter()
                .filter(|(_, m)| m.standing == Standing::Founding)
                .map(|(_, m)| m.clone())
                .collect();
        for mut membership in waiting {
            membership.active_ms = Some(tx.now);
            table::step(tx, membership, "M25", Standing::Live(Live::GOOD))?;
        }
    }
    Ok(Outcome::Applied)
}
