//! The transaction: the view of one record, or of one deadline, on the state while it applies.
//!
//! Only a transaction writes to a table ([`crate::state::Tables`]); a rule that has none can read
//! and nothing else. What a transaction wrote joins the block with [`Tx::keep`] and vanishes with
//! [`Tx::drop_writes`]: a refused record leaves nothing.

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId, ProtocolVersion};

use crate::calendar::{Calendar, MS_PER_DAY, Period};
use crate::charter::Charter;
use crate::event::Event;
use crate::id::{
    AgreementId, ApplicationId, AwardId, CalendarId, CallId, ChangeId, CharterVersion,
    ContributionId, CorrectionId, DelegationId, DraftId, DrawId, FundId, Id, InstalmentId,
    InvoiceId, KeyRecoveryId, MeasureId, MembershipId, MilestoneId, MotionId, NoticeId, OrderId,
    PaymentId, PersonId, PlanId, PostId, ProceedingId, RecoveryId, RelationId, ReviewId,
    RevocationId, SeatId, StatementId,
};
use crate::identity::Organisation;
use crate::lookup;
use crate::lookup::find;
use crate::machine::step;
use crate::object::Machine;
use crate::object::chain::ChainFacts;
use crate::refusal::Refusal;
use crate::state::{StateTables, Stored, Tables};
use crate::step::{Moving, Step};
use crate::word::{Fact, Word};

mod deadline;
mod verify;

pub use deadline::{DeadlineKind, Due};
pub use verify::Verify;

/// The block in which something applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockContext {
    /// Genesis hash.
    pub chain: Hash,
    /// Height of the block.
    pub height: Height,
    /// Ledger time of the block, in milliseconds since 1970.
    pub now: LedgerTime,
}

/// The view of one record or one deadline on the state while it applies.
pub struct Tx<'a> {
    /// The tables.
    pub t: Tables<'a>,
    /// Ledger time of the block, in milliseconds.
    pub now: LedgerTime,
    /// Height of the block.
    pub height: Height,
    /// Genesis hash.
    pub chain: Hash,
    /// Id of the record; zero for a deadline.
    pub record: Hash,
    /// Events derived so far in this deadline.
    pub(crate) events: Vec<Event>,
}

/// Kinds of objects that the ledger numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Counter {
    /// Organisations.
    Organisation = 1,
    /// Persons.
    Person = 2,
    /// Memberships.
    Membership = 3,
    /// Motions.
    Motion = 4,
    /// Posts.
    Post = 5,
    /// Funds.
    Fund = 6,
    /// Contributions.
    Contribution = 7,
    /// Calls.
    Call = 8,
    /// Applications.
    Application = 9,
    /// Awards.
    Award = 10,
    /// Agreements.
    Agreement = 11,
    /// Payments.
    Payment = 12,
    /// Invoices.
    Invoice = 13,
    /// Milestones.
    Milestone = 14,
    /// Reviews.
    Review = 15,
    /// Instalments of pledges.
    Instalment = 16,
    /// Draws of reviewers and assessors.
    Draw = 17,
    /// Orders of courts and regulators.
    Order = 18,
    /// Seats of the board.
    Seat = 19,
    /// Deposited charters.
    Draft = 20,
    /// Changes of officers, policies and particulars.
    Change = 30,
    /// Delegations.
    Delegation = 31,
    /// Emergency revocations of keys.
    Revocation = 32,
    /// Recoveries of keys.
    KeyRecovery = 33,
    /// Working days of years, as filed.
    Calendar = 34,
    /// Statements of observers.
    Statement = 35,
    /// Corrections of clerical fields.
    Correction = 36,
    /// Notices to members.
    Notice = 40,
    /// Plans by which members pay their dues.
    Plan = 41,
    /// Proceedings against members.
    Proceeding = 42,
    /// Relations of companies.
    Relation = 45,
    /// Measures about agreements.
    Measure = 50,
    /// Recoveries of paid money.
    Recovery = 51,
}

/// An id that the ledger gives by a counter.
pub trait Numbered: Id {
    /// The counter.
    const COUNTER: Counter;
}

macro_rules! numbered {
    ($($id:ident: $counter:ident,)*) => { $(
        impl Numbered for $id {
            const COUNTER: Counter = Counter::$counter;
        }
    )* };
}

numbered! {
    OrganisationId: Organisation,
    PersonId: Person,
    MembershipId: Membership,
    MotionId: Motion,
    PostId: Post,
    FundId: Fund,
    ContributionId: Contribution,
    CallId: Call,
    ApplicationId: Application,
    AwardId: Award,
    AgreementId: Agreement,
    PaymentId: Payment,
    InvoiceId: Invoice,
    MilestoneId: Milestone,
    ReviewId: Review,
    InstalmentId: Instalment,
    DrawId: Draw,
    OrderId: Order,
    SeatId: Seat,
    DraftId: Draft,
    ChangeId: Change,
    DelegationId: Delegation,
    RevocationId: Revocation,
    KeyRecoveryId: KeyRecovery,
    CalendarId: Calendar,
    StatementId: Statement,
    CorrectionId: Correction,
    NoticeId: Notice,
    PlanId: Plan,
    ProceedingId: Proceeding,
    RelationId: Relation,
    MeasureId: Measure,
    RecoveryId: Recovery,
}

impl<'a> Tx<'a> {
    /// The transaction of a record, by its id.
    pub fn of_record(tables: &'a mut StateTables, block: BlockContext, record: Hash) -> Tx<'a> {
        Tx {
            t: Tables::of(tables),
            now: block.now,
            height: block.height,
            chain: block.chain,
            record,
            events: Vec::new(),
        }
    }

    /// The transaction of what no record causes: a deadline, the genesis, the system section of a
    /// block.
    pub fn of_block(tables: &'a mut StateTables, block: BlockContext) -> Tx<'a> {
        Tx::of_record(tables, block, Hash::ZERO)
    }

    /// The writes so far join the block's.
    pub fn keep(&mut self) {
        self.t.keep_record();
    }

    /// The writes since the last [`Tx::keep`] vanish.
    pub fn drop_writes(&mut self) {
        self.t.drop_record();
    }

    /// A copy of the object of this id; refused with [`crate::object::Object::UNKNOWN`] if the
    /// ledger has none.
    pub fn get<T: Stored>(&self, id: T::Id) -> Result<T, Refusal> {
        find::<T>(&self.t, id).cloned()
    }

    /// Writes an object under its number.
    pub fn put<T: Stored>(&mut self, object: T) {
        self.t.put(object);
    }

    /// The state of a new object, by its table of transitions. Refused with `<code>.wrong-state`.
    pub fn begin<M: Machine>(
        &mut self,
        key: M::Key,
        code: &'static str,
        to: M::State,
    ) -> Result<M::State, Refusal> {
        step(M::ROWS, code, None, to)?;
        self.take_step::<M>(key, code, None, to);
        Ok(to)
    }

    /// Moves an object by its table of transitions and does not write it yet. Refused with
    /// `<code>.wrong-state`.
    pub fn go<M: Machine>(
        &mut self,
        object: &mut M,
        code: &'static str,
        to: M::Entry,
    ) -> Result<(), Refusal> {
        let (from, state) = (object.state(), M::state_of(&to));
        object.may(code, state)?;
        let moving = self.take_step::<M>(object.key(), code, Some(from), state);
        object.enter(to, self.now, moving);
        Ok(())
    }

    /// Moves an object by its table of transitions and writes it, its other fields as given.
    /// Refused with `<code>.wrong-state`.
    pub fn advance<T: Stored + Machine>(
        &mut self,
        mut object: T,
        code: &'static str,
        to: T::Entry,
    ) -> Result<(), Refusal> {
        self.go(&mut object, code, to)?;
        self.put(object);
        Ok(())
    }

    /// A rule shows that a time has passed, and the object stays where it stands, since when it
    /// stands there: a step for who looks on. Refused with `<code>.wrong-state`.
    pub fn stay<M: Machine>(&mut self, object: &M, code: &'static str) -> Result<(), Refusal> {
        let state = object.state();
        object.may(code, state)?;
        self.take_step::<M>(object.key(), code, Some(state), state);
        Ok(())
    }

    fn take_step<M: Machine>(
        &mut self,
        key: M::Key,
        code: &'static str,
        from: Option<M::State>,
        to: M::State,
    ) -> Moving {
        self.t.take_step(Step {
            kind: M::KIND,
            subject: key.into(),
            code,
            from: from.map(|from| from.word()),
            to: to.word(),
        })
    }

    /// Whether the genesis applies, which alone says some things that nobody votes on.
    pub fn is_genesis(&self) -> bool {
        self.height == Height(0)
    }

    /// The chain's own facts.
    pub fn facts(&self) -> ChainFacts {
        self.t.chain.get(&0).cloned().unwrap_or_default()
    }

    /// Writes the chain's own facts.
    pub fn put_facts(&mut self, facts: ChainFacts) {
        self.t.chain().put(0, facts);
    }

    /// The rule version of this block (RULINGS A18).
    pub fn protocol(&self) -> ProtocolVersion {
        lookup::protocol::at(&self.t, self.height)
    }

    /// The charter in force. Refused with `A7.no-charter` before the genesis has written one.
    pub fn charter(&self) -> Result<&Charter, Refusal> {
        self.charter_of(self.facts().charter)
    }

    /// A charter by version. Refused with `A7.no-charter`.
    pub fn charter_of(&self, version: CharterVersion) -> Result<&Charter, Refusal> {
        self.t
            .parameters
            .get(&version)
            .ok_or_else(|| Refusal::new("A7.no-charter", vec![("version", version.fact())]))
    }

    /// An organisation by number. Refused with `A4.unknown-organisation`.
    pub fn organisation(&self, id: OrganisationId) -> Result<&Organisation, Refusal> {
        find::<Organisation>(&self.t, id)
    }

    /// The next id of a kind of object.
    pub fn next_id<N: Numbered>(&mut self) -> N {
        let next = self.peek_id::<N>();
        self.t.counters().put(N::COUNTER as u8, next.number());
        next
    }

    /// The id that [`Tx::next_id`] would give.
    pub fn peek_id<N: Numbered>(&self) -> N {
        // Four thousand million objects are out of reach of a 32 KiB record at a thousand records a
        // second for a century.
        let last = self.t.counters.get(&(N::COUNTER as u8));
        N::of(last.copied().unwrap_or(0).saturating_add(1))
    }

    /// The working days that count now (M39), by the offset of the charter in force.
    pub fn calendar(&self) -> Calendar {
        lookup::calendar::now(&self.t)
    }

    /// The end of a deadline, ballot or offer of this length that begins now (RULINGS R12).
    pub fn deadline(&self, period: Period) -> LedgerTime {
        self.calendar().deadline(self.now, period)
    }

    /// The end of a delay of this length that begins now: not moved to a working day.
    pub fn delay(&self, period: Period) -> LedgerTime {
        self.calendar().delay(self.now, period)
    }

    /// `days` times 24 hours before now, not below zero.
    pub fn days_ago(&self, days: u64) -> LedgerTime {
        self.now.minus_ms(days.saturating_mul(MS_PER_DAY))
    }
}
