//! M01 to M09, M26, M27 on a one-writer ledger: the stories of domain 5.3, every guard, and random
//! sequences of acts.
//!
//! Here: short words for what applicants and the office do. The suites are below.

mod guards;
mod random;
mod stories;

use rollbook_core::account::Amount;
use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::Class;
use rollbook_core::event::EventBody;
use rollbook_core::id::{InvoiceId, MembershipId};
use rollbook_core::identity::Role;
use rollbook_core::lookup::rights;
use rollbook_core::object::membership::{Membership, Standing};
use rollbook_core::record::{Application, BankReference, Body, Choice, MembershipAct, Receipt};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::OrganisationId;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::{Writer, text};

const MEMBERS: u32 = 24;

/// 24 founders; 12 owns 13.
fn writer(seed: &str) -> Writer {
    let mut sample = sample(seed.as_bytes(), MEMBERS, 4);
    sample.pairs = vec![(12, 13)];
    Writer::founded(Alliance::of(&sample))
}

fn application(writer: &Writer) -> Application {
    Application {
        class: Class::Ordinary,
        charter: writer.alliance.genesis.charter().unwrap().text,
        antitrust: sha256(b"antitrust undertaking"),
        conflicts: sha256(b"conflict undertaking"),
        relations: Vec::new(),
    }
}

fn code(result: Result<Outcome, Refusal>) -> &'static str {
    result.unwrap_err().code
}

fn act(writer: &mut Writer, company: u32, act: MembershipAct) -> Result<Outcome, Refusal> {
    writer.member(company, Body::Membership(act))
}

fn office(writer: &mut Writer, role: Role, mut act: MembershipAct) -> Result<Outcome, Refusal> {
    if let MembershipAct::Receive(receipt) = &mut act
        && receipt.value_date == ENTERED
    {
        receipt.value_date = today(writer);
    }
    writer.office(role, Body::Membership(act))
}

fn secretary(writer: &mut Writer, act: MembershipAct) -> Result<Outcome, Refusal> {
    office(writer, Role::Secretary, act)
}

fn of(writer: &Writer, company: u32) -> Membership {
    rights::of(writer.tables(), OrganisationId(company))
        .unwrap()
        .clone()
}

fn invoice_of(writer: &Writer, company: u32) -> InvoiceId {
    let membership = of(writer, company).number;
    rights::first_invoice(writer.tables(), membership)
        .unwrap()
        .number
}

fn standing(writer: &Writer, company: u32) -> Standing {
    of(writer, company).standing
}

/// Registers a company and brings its application to the search for sponsors. Returns (company,
/// membership).
fn to_sponsoring(writer: &mut Writer, name: &str) -> (u32, u32) {
    let company = writer.register(11, name, &[]);
    let application = application(writer);
    act(writer, company, MembershipAct::Apply(application)).unwrap();
    let membership = of(writer, company).number;
    secretary(writer, MembershipAct::Screen { membership }).unwrap();
    secretary(writer, MembershipAct::Complete { membership }).unwrap();
    (company, membership.0)
}

/// The same up to the ballot, with sponsors 11 and 14. Returns (company, membership, motion).
fn to_ballot(writer: &mut Writer, name: &str) -> (u32, u32, u32) {
    let (company, membership) = to_sponsoring(writer, name);
    for sponsor in [11, 14] {
        act(
            writer,
            sponsor,
            MembershipAct::Sponsor {
                membership: MembershipId(membership),
            },
        )
        .unwrap();
    }
    let now = writer.now();
    writer.advance(now);
    (company, membership, of(writer, company).motion.unwrap().0)
}

fn close_with(
    writer: &mut Writer,
    motion: u32,
    yes: std::ops::Range<u32>,
    no: std::ops::Range<u32>,
) -> Vec<EventBody> {
    for member in yes {
        writer.vote(member, motion, Choice::Yes).unwrap();
    }
    for member in no {
        writer.vote(member, motion, Choice::No).unwrap();
    }
    writer.close(motion)
}

/// The day on which a receipt is entered: [`office`] puts it in.
const ENTERED: LocalDay = LocalDay(0);

fn today(writer: &Writer) -> LocalDay {
    LocalDay(i64::try_from((writer.now() + 8 * 3_600_000) / MS_PER_DAY).unwrap())
}

fn receipt(invoice: u32, amount: u64, reference: &str) -> MembershipAct {
    MembershipAct::Receive(Receipt {
        invoice: InvoiceId(invoice),
        amount: Amount(amount),
        reference: BankReference(text(reference)),
        value_date: ENTERED,
    })
}

/// Record id of the receipt that waits on an invoice.
fn pending(writer: &Writer, invoice: u32) -> Hash {
    writer
        .tables()
        .invoices
        .get(&InvoiceId(invoice))
        .unwrap()
        .pending
        .clone()
        .unwrap()
        .record
}
