//! What the suites of awards and payments share: a fund, a call of 20 million with three ranked
//! applications, and short words for every act from the award to the acknowledgement. Two ways to
//! begin: [`Bench::on_tables`] puts fund and call into the tables and applies records one by one;
//! [`Bench::story`] makes everything by records and motions on a real ledger.

mod acts;
mod story;
mod tables;

use rollbook_core::account::{Account, AccountKind, Totals};
use rollbook_core::apply::{apply_record, next_deadline, run_due};
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::event::{Event, EventBody};
use rollbook_core::id::FundId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, PaymentAct};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::state::StateTables;
use rollbook_core::tx::BlockContext;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, VerifierCache, sha256_tagged};
use rollbook_proof::number::{Height, LedgerTime};
use rollbook_sandbox::alliance::{secretariat, staff};
use rollbook_sandbox::keys::officers_of;

use crate::alliance::Alliance;
use crate::writer::Writer;

pub use story::{ASSESSORS, REVIEWERS};

pub const MEMBERS: u32 = 20;
pub const GRANTEE: u32 = 12;
pub const OTHER: u32 = 13;
pub const FUND: u32 = 1;
pub const CALL: u32 = 1;

/// Minor units of a yuan, and of a million.
pub const YUAN: u64 = 100;
pub const MILLION: u64 = 1_000_000 * YUAN;

pub fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).unwrap()
}

pub fn hash(label: &str) -> Hash {
    sha256_tagged("test", &[label.as_bytes()])
}

/// Tables with a clock; records and deadlines go through the rules.
#[derive(Clone)]
pub struct World {
    pub tables: StateTables,
    pub chain: Hash,
    pub now: u64,
    pub height: u64,
    pub events: Vec<Event>,
}

impl World {
    /// The block in which the next thing applies.
    pub fn block(&self) -> BlockContext {
        BlockContext {
            chain: self.chain,
            height: Height(self.height),
            now: LedgerTime(self.now),
        }
    }
}

pub struct Bench {
    pub alliance: Alliance,
    pub verifier: VerifierCache,
    pub world: World,
    pub ids: u32,
    /// The real ledger; `world` is then a copy of its tables, to read from.
    pub ledger: Option<Box<Writer>>,
}

/// Posts of the secretariat, in the order of the sample alliance.
#[derive(Clone, Copy)]
pub enum Staff {
    Treasurer = 1,
    Officer = 2,
    Officer2 = 3,
    Programme = 4,
    Finance = 5,
    Finance2 = 6,
}

impl Staff {
    pub fn person(self) -> u32 {
        staff(MEMBERS) + self as u32
    }

    pub fn role(self) -> Role {
        match self {
            Staff::Treasurer => Role::Treasurer,
            Staff::Officer | Staff::Officer2 => Role::SecondOfficer,
            Staff::Programme => Role::ProgrammeOfficer,
            Staff::Finance | Staff::Finance2 => Role::FinanceApprover,
        }
    }
}

impl Bench {
    /// A record at the next second.
    pub fn act(
        &mut self,
        principal: u32,
        signers: &[(u32, Role)],
        body: Body,
    ) -> Result<Hash, Refusal> {
        if let Some(writer) = &mut self.ledger {
            let record = writer.sign(principal, signers, body);
            let block = writer.submit(std::slice::from_ref(&record));
            self.world.events.extend(block.events);
            self.mirror();
            return match block.refused.into_iter().next() {
                Some(refusal) => Err(refusal),
                None => {
                    assert_eq!(block.outcomes, [Outcome::Applied]);
                    Ok(record.id())
                }
            };
        }
        self.advance(self.world.now + 1_000);
        let record = self
            .alliance
            .signer
            .record(principal, signers, self.world.now, body);
        self.world.height += 1;
        let block = self.world.block();
        let outcome = apply_record(&mut self.world.tables, block, &record, &mut self.verifier)?;
        assert_eq!(outcome, Outcome::Applied);
        Ok(record.id())
    }

    /// Copies what the ledger holds.
    pub fn mirror(&mut self) {
        if let Some(writer) = &self.ledger {
            self.world.tables = writer.tables().clone();
            self.world.now = writer.ledger.tip().seal.time_ms.0;
        }
    }

    pub fn grantee(&mut self, body: Body) -> Result<Hash, Refusal> {
        self.company(GRANTEE, body)
    }

    pub fn company(&mut self, member: u32, body: Body) -> Result<Hash, Refusal> {
        let (first, second) = officers_of(member);
        let role = match &body {
            Body::Payment(PaymentAct::Submit { .. } | PaymentAct::Assess { .. }) => Role::Technical,
            Body::Call(_) => Role::Alternate,
            _ => Role::Finance,
        };
        if body.is_of_one_person() {
            return self.act(member, &[(second, role)], body);
        }
        self.act(member, &[(first, Role::Primary), (second, role)], body)
    }

    pub fn staff(&mut self, who: Staff, body: Body) -> Result<Hash, Refusal> {
        self.act(secretariat(MEMBERS), &[(who.person(), who.role())], body)
    }

    pub fn advance(&mut self, to: u64) -> Vec<EventBody> {
        let before = self.world.events.len();
        if let Some(writer) = &mut self.ledger {
            let events = writer.advance(to);
            self.world.events.extend(events);
            self.mirror();
            return self.world.events[before..]
                .iter()
                .map(|event| event.body.clone())
                .collect();
        }
        let world = &mut self.world;
        while let Some(due) = next_deadline(&world.tables).filter(|due| *due < LedgerTime(to)) {
            world.now = world.now.max(due.0 + 1);
            let block = world.block();
            let (events, more) = run_due(&mut world.tables, block, 1_000);
            assert!(!more);
            world.events.extend(events);
        }
        world.now = world.now.max(to);
        world.events[before..]
            .iter()
            .map(|event| event.body.clone())
            .collect()
    }

    pub fn days(&mut self, days: u64) -> Vec<EventBody> {
        self.advance(self.world.now + days * MS_PER_DAY)
    }

    pub fn of(&self, kind: AccountKind) -> i128 {
        let account = Account {
            fund: FundId(FUND),
            kind,
        };
        let balance = self.world.tables.accounts.get(&account);
        balance.map_or(0, |balance| balance.0)
    }

    pub fn totals(&self) -> Totals {
        Totals::of(
            FundId(FUND),
            self.world
                .tables
                .accounts
                .iter()
                .map(|(account, balance)| (*account, balance.0)),
        )
        .unwrap()
    }
}
