//! What is next: where an object stands, who acts, until when, and what the clock does otherwise
//! (RULINGS R16).
//!
//! * Read from the transition tables that the rules consult and from the running deadlines, so an
//!   answer cannot differ from what `apply` will do. Where a table's first row does not name who is
//!   waited for (ballots, reviews, draws), the few cases say so.
//! * States and actors are given as the tables' own words; a person reads them through a message
//!   catalogue.
//!
//! Absent on purpose: rights of one reader, prose. Nothing here is read by a rule.

use rollbook_proof::chain::ReadClass;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Unit;
use crate::id::{
    ApplicationId, AwardId, CallId, ChangeId, DraftId, DrawId, FundId, Id, InstalmentId, InvoiceId,
    MotionId, PersonId, PostId, ReviewId, SeatId,
};
use crate::identity::OrganisationKind;
use crate::lookup;
use crate::machine::Row;
use crate::object::application::ApplicationStatus;
use crate::object::contribution::InstalmentStatus;
use crate::object::motion::MotionStatus;
use crate::object::post::PostStatus;
use crate::object::seat::SeatStatus;
use crate::object::{
    application, award, call, contribution, draft, draw, fund, motion, post, review, seat,
};
use crate::state::StateTables;
use crate::tx::DeadlineKind;
use crate::word::Word;

mod affairs;
mod belonging;
mod draws;
mod grants;
mod made;
mod people;
mod signers;
mod standing;
mod subject;
mod value;

pub(crate) use belonging::is_cured;
pub(crate) use made::award_of;
pub use made::by_motion;
pub use signers::{MaySign, signers};
pub use subject::subject;
pub use value::{currency, fund_of, unit_of_fund, unit_of_object};

/// Kinds of object that one asks about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Object {
    /// A company, office or observer.
    Organisation,
    /// A membership, its application included.
    Membership,
    /// An invoice of dues.
    Invoice,
    /// A motion.
    Motion,
    /// A post of an office.
    Post,
    /// A fund.
    Fund,
    /// An instalment of a pledge.
    Instalment,
    /// A call.
    Call,
    /// An application to a call.
    Application,
    /// A draw of reviewers or assessors.
    Draw,
    /// A review.
    Review,
    /// An award.
    Award,
    /// An agreement.
    Agreement,
    /// A milestone.
    Milestone,
    /// A payment.
    Payment,
    /// A node, by its organisation.
    Node,
    /// A seat of the board.
    Seat,
    /// A deposited charter.
    Draft,
    /// A change of an organisation's officers, policy or particulars.
    Change,
    /// A delegation.
    Delegation,
    /// An emergency revocation of a key.
    Revocation,
    /// A recovery of an organisation's keys.
    KeyRecovery,
    /// A working direction.
    Direction,
    /// An observer, by its organisation.
    Observer,
    /// A statement of an observer.
    Statement,
    /// The working days of a year, as filed.
    Calendar,
    /// A correction of a clerical field.
    Correction,
    /// An order of a court or regulator.
    Order,
    /// A plan by which a member pays its dues; for members.
    Plan,
    /// A notice to a member; for members.
    Notice,
    /// A proceeding against a member; for members.
    Proceeding,
    /// A relation of two companies.
    Relation,
    /// A measure of a fund about an agreement.
    Measure,
    /// A recovery of paid money.
    Recovery,
}

impl Object {
    /// The word of the kind, as steps name it.
    pub fn word(self) -> &'static str {
        match self {
            Object::Organisation => "organisation",
            Object::Membership => "membership",
            Object::Invoice => "invoice",
            Object::Motion => "motion",
            Object::Post => "post",
            Object::Fund => "fund",
            Object::Instalment => "instalment",
            Object::Call => "call",
            Object::Application => "application",
            Object::Draw => "draw",
            Object::Review => "review",
            Object::Award => "award",
            Object::Agreement => "agreement",
            Object::Milestone => "milestone",
            Object::Payment => "payment",
            Object::Node => "node",
            Object::Seat => "seat",
            Object::Draft => "draft",
            Object::Change => "change",
            Object::Delegation => "delegation",
            Object::Revocation => "revocation",
            Object::KeyRecovery => "key-recovery",
            Object::Direction => "direction",
            Object::Observer => "observer",
            Object::Statement => "statement",
            Object::Calendar => "calendar",
            Object::Correction => "correction",
            Object::Order => "order",
            Object::Plan => "plan",
            Object::Notice => "notice",
            Object::Proceeding => "proceeding",
            Object::Relation => "relation",
            Object::Measure => "measure",
            Object::Recovery => "recovery",
        }
    }

    /// Reads the word of a kind.
    pub fn parse(word: &str) -> Option<Object> {
        serde::Deserialize::deserialize(
            serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word),
        )
        .ok()
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Next {
    /// What was asked about.
    pub object: Object,
    /// Its number.
    pub number: u32,
    /// Where it stands, by the fixed word: `under-review`.
    pub state: &'static str,
    /// Who acts next, as the table writes it; `CLK` if only the clock does, empty if nothing
    /// follows.
    pub who: &'static str,
    /// The organisation that the object is about or that has to act, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationId>,
    /// The person who has to act, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Who acts after that on the usual way, as the table writes it; none: nobody, or it depends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<&'static str>,
    /// The organisations of which one has to act, where the ledger has named some: the seat holders
    /// of a draw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<OrganisationId>,
    /// Objects that belong to the answer: what a motion made, the award of an application, the
    /// milestone that is awaited.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub see: Vec<(Object, u32)>,
    /// What whoever acts must wait for: which, by its fixed word, and its ledger time in
    /// milliseconds. Before it the act is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<(&'static str, LedgerTime)>,
    /// The earliest running deadline: which, by its fixed word, and its ledger time in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<(&'static str, LedgerTime)>,
    /// Where the clock takes it otherwise; the same state means that it is shown as overdue.
    pub otherwise: Vec<&'static str>,
    /// Code of the unit of its amounts, and digits after the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<(String, u32)>,
    /// R22: the attempt of a draw, which a commitment names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Numbers that the ledger gave to the officers of an organisation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub officers: Vec<PersonId>,
}

/// Steps that lead out of the usual way, by their rule: withdrawals, cancellations, holds, refusals,
/// what is shown as overdue, what a tie or a lost cover brings.
const ASIDE: [&str; 14] = [
    "F38", "F39", "M01w", "F19", "M05", "M20", "M21", "R13", "R30", "R33", "R35", "F24", "F25",
    "F45",
];
/// Of these the clock does what nobody who is late has to fear: it is no consequence of waiting.
const NO_CONSEQUENCE: [&str; 3] = ["R30", "R33", "R35"];

struct Found {
    next: Next,
}

impl Found {
    fn new(object: Object, number: u32, state: &'static str) -> Found {
        Found {
            next: Next {
                object,
                number,
                state,
                who: "",
                then: None,
                named: Vec::new(),
                see: Vec::new(),
                organisation: None,
                person: None,
                from: None,
                due: None,
                otherwise: Vec::new(),
                unit: None,
                attempt: None,
                officers: Vec::new(),
            },
        }
    }

    /// From a transition table: the first row on the usual way, and where the clock leads. `out` are
    /// the states that no usual way leads to: what is replaced, refused, revoked, cancelled or
    /// withdrawn.
    fn table<S: Copy + PartialEq + Word>(
        object: Object,
        number: u32,
        state: S,
        rows: &'static [Row<S>],
        out: &[S],
    ) -> Found {
        let mut found = Found::new(object, number, state.word());
        let here = || rows.iter().filter(|row| row.from == Some(state));
        let usual = |row: &&Row<S>| !ASIDE.contains(&row.code) && !out.contains(&row.to);
        found.next.who = here().find(usual).map_or("", |row| row.who);
        let leaving = here().filter(usual).find(|row| row.to != state);
        let after = leaving.and_then(|step| {
            rows.iter()
                .filter(usual)
                .find(|row| row.from == Some(step.to) && row.to != step.to)
        });
        found.next.then = after.map(|row| row.who).filter(|who| *who != "CLK");
        let by_clock = |row: &&Row<S>| row.who == "CLK" && !NO_CONSEQUENCE.contains(&row.code);
        for row in here().filter(by_clock) {
            let to = row.to.word();
            if !found.next.otherwise.contains(&to) {
                found.next.otherwise.push(to);
            }
        }
        found
    }

    fn due(mut self, tables: &StateTables, kinds: &[(DeadlineKind, u32)]) -> Found {
        let running = kinds.iter().filter_map(|(kind, object)| {
            let due = tables.deadline_of.get(&(*kind as u16, *object))?;
            Some((*due, *kind))
        });
        self.next.due = running.min().map(|(due, kind)| (kind.word(), due));
        self
    }

    /// Until when whoever acts has to wait, if that runs.
    fn not_before(mut self, tables: &StateTables, kind: DeadlineKind, object: u32) -> Found {
        let running = tables.deadline_of.get(&(kind as u16, object));
        self.next.from = running.map(|due| (kind.word(), *due));
        self
    }

    fn see(mut self, object: Object, number: Option<u32>) -> Found {
        self.next.see.extend(number.map(|number| (object, number)));
        self
    }

    fn then(mut self, who: &'static str) -> Found {
        self.next.then = Some(who);
        self
    }

    fn of(mut self, organisation: Option<OrganisationId>) -> Found {
        self.next.organisation = organisation;
        self
    }

    fn who(mut self, who: &'static str) -> Found {
        self.next.who = who;
        if who.is_empty() {
            self.next.then = None;
        }
        self
    }

    fn fund(self, tables: &StateTables, fund: Option<FundId>) -> Found {
        self.unit(fund.and_then(|fund| unit_of_fund(tables, fund)))
    }

    fn unit(mut self, unit: Option<Unit>) -> Found {
        self.next.unit = unit.map(|unit| (unit.code().to_owned(), unit.exponent()));
        self
    }
}

/// Where an object stands and what follows, for readers of a class; none if there is no such object,
/// or none for them. Who reads only what is public learns nothing of dues, and not that the last
/// ballot of a motion has come (RULINGS A44, R39).
pub fn of(tables: &StateTables, object: Object, number: u32, reader: ReadClass) -> Option<Next> {
    use DeadlineKind as D;
    let is_member = reader == ReadClass::Members;
    let on = |kinds: &[DeadlineKind]| kinds.iter().map(|kind| (*kind, number)).collect::<Vec<_>>();
    let found = match object {
        Object::Organisation => {
            let entry = tables.organisations.get(&OrganisationId(number))?;
            let mut found =
                Found::new(object, number, "registered").of(Some(OrganisationId(number)));
            found.next.officers = entry.officers.clone();
            let of = (entry.number, ChangeId::MIN)..=(entry.number, ChangeId::MAX);
            let open = tables.changes_open.range(of);
            let changes = open.map(|((_, change), _)| (Object::Change, change.0));
            found.next.see.extend(changes);
            let recovery = tables.recovery_of.get(&entry.number);
            found = found.see(Object::KeyRecovery, recovery.map(|recovery| recovery.0));
            match entry.kind {
                OrganisationKind::Company if entry.membership.is_none() => found.who("applicant"),
                _ => found,
            }
        }
        Object::Membership => belonging::membership(tables, number, is_member)?,
        Object::Invoice if !is_member => return None,
        Object::Invoice => {
            let entry = tables.invoices.get(&InvoiceId(number))?;
            standing::of_invoice(tables, entry)
        }
        Object::Motion => {
            let entry = tables.motions.get(&MotionId(number))?;
            let mut kinds = on(&[
                D::MotionClose,
                D::MotionEffect,
                D::MotionRetable,
                D::MotionSupport,
            ]);
            if is_member {
                // It moves with the last ballot, and with the last one that is opened.
                kinds.push((D::MotionEarly, number));
                kinds.push((D::MotionReveal, number));
            }
            let found = Found::table(
                object,
                number,
                entry.status,
                &motion::ROWS,
                &[MotionStatus::Withdrawn],
            )
            .due(tables, &kinds)
            .of(entry.proposer.map(|(organisation, _)| organisation));
            if entry.status == MotionStatus::Open {
                // The clock closes every ballot; only a missed quorum is a consequence of not
                // voting.
                let mut found = found.who("electorate");
                found.next.otherwise =
                    vec![MotionStatus::Waiting.word(), MotionStatus::Lapsed.word()];
                found
            } else if entry.status == MotionStatus::Revealing {
                // Who does not open the own ballot abstains; nothing is lost with it.
                let mut found = found.who("unopened");
                found.next.otherwise.clear();
                found
            } else if entry.status == MotionStatus::Drawing {
                let draw = entry.poll.as_ref().and_then(|poll| poll.draw);
                found.see(Object::Draw, draw.map(|draw| draw.0))
            } else {
                let mut found = found;
                found.next.see = made::by_motion(tables, entry);
                found
            }
        }
        Object::Post => {
            let entry = tables.posts.get(&PostId(number))?;
            let mut found = Found::table(object, number, entry.status, &post::ROWS, &[])
                .due(tables, &on(&[D::PostOffer, D::PostTerm]))
                .of(Some(entry.office));
            if entry.status == PostStatus::Offered {
                found = found.who("holder");
                found.next.person = Some(entry.holder);
            }
            found
        }
        Object::Seat => {
            let entry = tables.seats.get(&SeatId(number))?;
            let found = Found::table(object, number, entry.status, &seat::ROWS, &[])
                .due(tables, &on(&[D::SeatCure, D::SeatOffer, D::SeatTerm]))
                .of(Some(entry.organisation));
            match entry.status {
                SeatStatus::Offered => found,
                _ if is_cured(tables, entry.number) => belonging::cured(found),
                SeatStatus::HeldOver => found.who("members"),
                _ => found.who(""),
            }
        }
        Object::Draft => {
            let entry = tables.drafts.get(&DraftId(number))?;
            Found::table(object, number, entry.status, &draft::ROWS, &[])
                .due(tables, &on(&[D::DraftDropped]))
                .of(Some(entry.organisation))
        }
        Object::Fund => {
            let entry = tables.funds.get(&FundId(number))?;
            Found::table(object, number, entry.status, &fund::ROWS, &[])
                .of(Some(entry.holder))
                .fund(tables, Some(FundId(number)))
        }
        Object::Instalment => {
            // An entry of the treasurer waits for the second person.
            let entered = tables.receipts.iter().any(|(_, receipt)| {
                receipt.instalment.0 == number && receipt.confirmed_by.is_none()
            });
            return instalment(tables, InstalmentId(number), entered);
        }
        Object::Call => {
            let entry = tables.calls.get(&CallId(number))?;
            let found = Found::table(
                object,
                number,
                entry.status,
                &call::ROWS,
                &[call::CallStatus::Cancelled],
            )
            .due(tables, &on(&[D::CallOpens, D::CallCloses, D::OpeningEnds]))
            .fund(tables, Some(entry.terms.fund));
            match entry.status {
                call::CallStatus::Published => found.then("applicants"),
                call::CallStatus::Open => found.who("applicants").then("applicant, PO"),
                call::CallStatus::ClosedForSubmissions => found.who("applicant, PO").then("REV"),
                call::CallStatus::Reviewing => match unsettled(tables, entry.number) {
                    Some(who) => found.who(who).then("anyone"),
                    None => found,
                },
                call::CallStatus::Ranked => found.who("IC, BRD, GA"),
                _ => found,
            }
        }
        Object::Application => {
            let entry = tables.applications.get(&ApplicationId(number))?;
            let kinds: &[(DeadlineKind, u32)] = match entry.status {
                ApplicationStatus::Submitted => &[(D::OpeningEnds, entry.call.0)],
                ApplicationStatus::Opened => &[(D::JudgeDue, number)],
                ApplicationStatus::Ineligible => {
                    &[(D::AppealWindow, number), (D::AppealUndecided, number)]
                }
                _ => &[],
            };
            let fund = tables.calls.get(&entry.call).map(|call| call.terms.fund);
            let found = Found::table(
                object,
                number,
                entry.status,
                &application::ROWS,
                &[ApplicationStatus::Withdrawn],
            )
            .due(tables, kinds)
            .of(Some(entry.applicant))
            .fund(tables, fund);
            match entry.status {
                ApplicationStatus::Submitted => {
                    found.not_before(tables, D::CallCloses, entry.call.0)
                }
                ApplicationStatus::Ineligible => match entry.appeal {
                    Some(application::Appeal::Possible) => found.who("applicant").then("BRD"),
                    Some(application::Appeal::Filed(_)) => found.who("BRD"),
                    _ => found.who(""),
                },
                ApplicationStatus::Eligible => found.who("PO, OFF, seat holder").then("REV"),
                ApplicationStatus::UnderReview => match running_reviews(tables, entry.number) {
                    running if running.is_empty() => found,
                    running => {
                        let kinds: Vec<_> = running
                            .iter()
                            .flat_map(|r| [(D::ReviewSeal, r.0), (D::ReviewReveal, r.0)])
                            .collect();
                        found.who("REV").then("anyone").due(tables, &kinds)
                    }
                },
                ApplicationStatus::Awarded => {
                    let award = made::award_of(tables, entry.number);
                    found.see(Object::Award, award.map(|award| award.0))
                }
                _ => found,
            }
        }
        Object::Draw => {
            let entry = tables.draws.get(&DrawId(number))?;
            let found = Found::table(object, number, entry.status, &draw::ROWS, &[]);
            if lookup::draws::is_awaited(tables, entry.subject) {
                let (who, holder) = draws::drawing(entry);
                let mut found = found.due(tables, &on(&[D::DrawStep])).who(who);
                found.next.named = holder.into_iter().collect();
                found.next.attempt = Some(entry.attempt);
                found
            } else {
                found.who("")
            }
        }
        Object::Review => {
            let entry = tables.reviews.get(&ReviewId(number))?;
            let mut found = Found::table(
                object,
                number,
                entry.status,
                &review::ROWS,
                &[review::ReviewStatus::Replaced],
            )
            .due(tables, &on(&[D::ReviewSeal, D::ReviewReveal]))
            .of(tables.persons.get(&entry.person).map(|person| person.home));
            found.next.person = Some(entry.person);
            found
        }
        Object::Award => {
            let entry = tables.awards.get(&AwardId(number))?;
            let found = Found::table(
                object,
                number,
                entry.state,
                &award::ROWS,
                &[award::AwardState::Revoked],
            )
            .due(tables, &on(&[D::StandstillEnd, D::OfferEnd]))
            .of(Some(entry.grantee))
            .fund(tables, Some(entry.fund));
            match entry.state {
                award::AwardState::Accepted if entry.agreement.is_none() => {
                    found.who("PO").then("GRT")
                }
                award::AwardState::Accepted => found.see(
                    Object::Agreement,
                    entry.agreement.map(|agreement| agreement.0),
                ),
                award::AwardState::Standstill => found.who("CLK").then("GRT"),
                award::AwardState::Offered => found.then("PO"),
                _ => found,
            }
        }
        Object::Agreement
        | Object::Milestone
        | Object::Payment
        | Object::Measure
        | Object::Recovery => grants::of(tables, object, number)?,
        Object::Change | Object::Delegation | Object::Revocation | Object::KeyRecovery => {
            people::of(tables, object, number)?
        }
        Object::Direction
        | Object::Observer
        | Object::Statement
        | Object::Calendar
        | Object::Correction
        | Object::Order => affairs::of(tables, object, number)?,
        Object::Plan | Object::Notice | Object::Proceeding if !is_member => return None,
        Object::Plan | Object::Notice | Object::Proceeding => standing::of(tables, object, number)?,
        Object::Relation => belonging::relation(tables, number)?,
        Object::Node => {
            let node = tables.nodes.get(&OrganisationId(number))?;
            let who = match node.status {
                crate::object::node::NodeStatus::Registered => "node operator",
                crate::object::node::NodeStatus::Candidate
                | crate::object::node::NodeStatus::Leaving => "CLK",
                _ => "",
            };
            Found::new(object, number, node.status.word())
                .who(who)
                .of(Some(OrganisationId(number)))
        }
    };
    Some(found.next)
}

/// The same of an instalment, by whether money that arrived for it is entered and not confirmed.
pub(crate) fn instalment(
    tables: &StateTables,
    number: InstalmentId,
    entered: bool,
) -> Option<Next> {
    use InstalmentStatus as I;
    let entry = tables.instalments.get(&number)?;
    let pledge = tables.contributions.get(&entry.contribution)?;
    let found = Found::table(
        Object::Instalment,
        number.0,
        entry.status,
        &contribution::ROWS,
        &[I::Cancelled],
    )
    .due(tables, &[(DeadlineKind::InstalmentDefault, number.0)])
    .of(Some(pledge.member))
    .fund(tables, Some(pledge.fund));
    let mut found = match entry.status {
        I::Called | I::PartlyReceived | I::Defaulted if entered => found.who("OFF"),
        I::Called | I::PartlyReceived | I::Defaulted => found.who("TRE").then("OFF"),
        I::Pledged => found.then("MEM"),
        I::Received | I::Cancelled | I::WrittenOff => found.who(""),
    };
    if entered {
        found.next.then = None;
    }
    Some(found.next)
}

/// Reviews of an application from which something is still expected.
pub(crate) fn running_reviews(tables: &StateTables, application: ApplicationId) -> Vec<ReviewId> {
    let of = tables
        .review_of
        .range((application, Id::MIN)..=(application, Id::MAX));
    of.map(|(_, review)| *review)
        .filter(|review| {
            let review = tables.reviews.get(review);
            review.is_some_and(|review| review.status.is_running())
        })
        .collect()
}

/// Who must act before a call under review can be ranked; none: anybody may ask for the ranking.
fn unsettled(tables: &StateTables, call: CallId) -> Option<&'static str> {
    let of = tables
        .call_applications
        .range((call, Id::MIN)..=(call, Id::MAX));
    let entries = of.filter_map(|((_, number), _)| tables.applications.get(number));
    let mut waits = None;
    for entry in entries {
        match entry.status {
            ApplicationStatus::Submitted => return Some("applicant, PO"),
            ApplicationStatus::Opened => return Some("PO"),
            ApplicationStatus::Eligible => waits = Some("PO, OFF, seat holder"),
            ApplicationStatus::Ineligible => match entry.appeal {
                Some(application::Appeal::Possible) => waits = waits.or(Some("applicant")),
                Some(application::Appeal::Filed(_)) => waits = waits.or(Some("BRD")),
                _ => {}
            },
            ApplicationStatus::UnderReview if !running_reviews(tables, entry.number).is_empty() => {
                waits = waits.or(Some("REV"));
            }
            _ => {}
        }
    }
    waits
}
