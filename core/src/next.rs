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
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{
    AgreementId, ApplicationId, AwardId, CallId, DrawId, FundId, Id, InstalmentId, InvoiceId,
    MembershipId, MilestoneId, MotionId, PaymentId, PersonId, PostId, ReviewId,
};
use crate::identity::{OrganisationKind, Role};
use crate::lookup::posts::post_in_force;
use crate::lookup::rights;
use crate::machine::Row;
use crate::object::application::ApplicationStatus;
use crate::object::contribution::InstalmentStatus;
use crate::object::invoice::InvoiceStatus;
use crate::object::motion::MotionStatus;
use crate::object::post::PostStatus;
use crate::object::{
    agreement, application, award, call, contribution, draw, fund, membership, milestone, motion,
    payment, post, review,
};
use crate::record::{
    AwardAct, Body, CallAct, DrawFor, FundAct, MembershipAct, MotionAct, OrganisationAct,
    PaymentAct, Tranche,
};
use crate::state::StateTables;
use crate::tx::DeadlineKind;
use crate::word::Word;

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
}

impl Object {
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
    /// The call of an application or a review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// The present round of a motion, which a ballot names (RULINGS A47).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// Numbers that the ledger gave to the officers of an organisation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub officers: Vec<PersonId>,
}

/// Steps that lead out of the usual way, by their rule: withdrawals, cancellations, holds, refusals.
const ASIDE: [&str; 5] = ["F38", "F39", "M01w", "F19", "M05"];

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
                organisation: None,
                person: None,
                due: None,
                otherwise: Vec::new(),
                unit: None,
                attempt: None,
                call: None,
                round: None,
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
        for row in here().filter(|row| row.who == "CLK") {
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

    fn of(mut self, organisation: Option<OrganisationId>) -> Found {
        self.next.organisation = organisation;
        self
    }

    fn round(mut self, round: u32) -> Found {
        self.next.round = Some(round);
        self
    }

    fn call(mut self, call: Option<CallId>) -> Found {
        self.next.call = call;
        self
    }

    fn who(mut self, who: &'static str) -> Found {
        self.next.who = who;
        self
    }

    fn fund(mut self, tables: &StateTables, fund: Option<FundId>) -> Found {
        let unit = fund
            .and_then(|fund| tables.funds.get(&fund))
            .map(|fund| &fund.unit);
        self.next.unit = unit.map(|unit| (unit.code().to_owned(), unit.exponent()));
        self
    }

    fn currency(mut self, tables: &StateTables) -> Found {
        let charter = tables
            .chain
            .get(&0)
            .and_then(|facts| tables.parameters.get(&facts.charter));
        let unit = charter
            .and_then(|charter| crate::account::Unit::currency(charter.currency.as_str()).ok());
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
            match entry.kind {
                OrganisationKind::Company if entry.membership.is_none() => found.who("applicant"),
                _ => found,
            }
        }
        Object::Membership => {
            let entry = tables.memberships.get(&MembershipId(number))?;
            let state = entry.standing.state();
            let mut kinds = on(&[
                D::MembershipScreen,
                D::MembershipResubmit,
                D::MembershipBallot,
                D::MembershipSponsors,
                D::MembershipActivate,
                D::MembershipAskAgain,
            ]);
            kinds.extend(entry.motion.map(|motion| (D::MotionClose, motion.0)));
            let found = Found::table(object, number, state, &membership::ROWS, &[])
                .due(tables, &kinds)
                .of(Some(entry.organisation))
                .currency(tables);
            let invoice = rights::first_invoice(tables, entry.number);
            match state {
                membership::State::Sponsoring => found.who("sponsors"),
                membership::State::Admitted if entry.agreement.is_none() => found.who("applicant"),
                membership::State::Admitted if is_member && invoice.is_none() => found.who("TRE"),
                membership::State::Admitted
                    if is_member && invoice.is_some_and(|i| i.status == InvoiceStatus::Open) =>
                {
                    found.who("TRE, confirmed OFF")
                }
                membership::State::Rejected if found.next.due.is_none() => found.who(""),
                _ => found,
            }
        }
        Object::Invoice if !is_member => return None,
        Object::Invoice => {
            let entry = tables.invoices.get(&InvoiceId(number))?;
            let who = match (entry.status, entry.pending.is_some()) {
                (InvoiceStatus::Open, false) => "TRE",
                (InvoiceStatus::Open, true) => "OFF",
                _ => "",
            };
            let payer = tables
                .memberships
                .get(&entry.membership)
                .map(|membership| membership.organisation);
            let kinds = [(D::MembershipActivate, entry.membership.0)];
            Found::new(object, number, entry.status.word())
                .who(who)
                .due(tables, &kinds)
                .of(payer)
                .currency(tables)
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
                kinds.push((D::MotionEarly, number));
            }
            let found = Found::table(
                object,
                number,
                entry.status,
                &motion::ROWS,
                &[MotionStatus::Withdrawn],
            )
            .due(tables, &kinds)
            .of(entry.proposer.map(|(organisation, _)| organisation))
            .round(entry.round);
            if entry.status == MotionStatus::Open {
                // The clock closes every ballot; only a missed quorum is a consequence of not
                // voting.
                let mut found = found.who("electorate");
                found.next.otherwise =
                    vec![MotionStatus::Waiting.word(), MotionStatus::Lapsed.word()];
                found
            } else {
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
        Object::Fund => {
            let entry = tables.funds.get(&FundId(number))?;
            Found::table(object, number, entry.status, &fund::ROWS, &[])
                .of(Some(entry.holder))
                .fund(tables, Some(FundId(number)))
        }
        Object::Instalment => {
            let entry = tables.instalments.get(&InstalmentId(number))?;
            let pledge = tables.contributions.get(&entry.contribution)?;
            Found::table(
                object,
                number,
                entry.status,
                &contribution::ROWS,
                &[InstalmentStatus::Cancelled],
            )
            .due(tables, &on(&[D::InstalmentDefault]))
            .of(Some(pledge.member))
            .fund(tables, Some(pledge.fund))
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
                call::CallStatus::Open => found.who("applicants"),
                call::CallStatus::ClosedForSubmissions => found.who("applicant, PO"),
                call::CallStatus::Ranked => found.who("IC, BRD, GA"),
                _ => found,
            }
        }
        Object::Application => {
            let entry = tables.applications.get(&ApplicationId(number))?;
            let kinds = [
                (D::AppealWindow, number),
                (D::AppealUndecided, number),
                (D::JudgeDue, number),
                (D::CallCloses, entry.call.0),
                (D::OpeningEnds, entry.call.0),
            ];
            let fund = tables.calls.get(&entry.call).map(|call| call.terms.fund);
            let found = Found::table(
                object,
                number,
                entry.status,
                &application::ROWS,
                &[ApplicationStatus::Withdrawn],
            )
            .due(tables, &kinds)
            .of(Some(entry.applicant))
            .call(Some(entry.call))
            .fund(tables, fund);
            match entry.status {
                ApplicationStatus::Ineligible
                    if entry.appeal == Some(application::Appeal::Possible) =>
                {
                    found.who("applicant")
                }
                ApplicationStatus::Eligible => found.who("PO, OFF, seat holder"),
                ApplicationStatus::UnderReview => {
                    let limits = tables
                        .review_of
                        .range((entry.number, Id::MIN)..=(entry.number, Id::MAX))
                        .map(|(_, review)| *review);
                    let running: Vec<ReviewId> = limits
                        .filter(|review| {
                            tables
                                .reviews
                                .get(review)
                                .is_some_and(|review| review.status.is_running())
                        })
                        .collect();
                    let kinds: Vec<_> = running
                        .iter()
                        .flat_map(|r| [(D::ReviewSeal, r.0), (D::ReviewReveal, r.0)])
                        .collect();
                    if running.is_empty() {
                        found
                    } else {
                        found.who("REV").due(tables, &kinds)
                    }
                }
                _ => found,
            }
        }
        Object::Draw => {
            let entry = tables.draws.get(&DrawId(number))?;
            let mut found = Found::table(object, number, entry.status, &draw::ROWS, &[])
                .due(tables, &on(&[D::DrawStep]));
            found.next.attempt = Some(entry.attempt);
            found
        }
        Object::Review => {
            let entry = tables.reviews.get(&ReviewId(number))?;
            let application = tables.applications.get(&entry.application);
            let call = application.map(|application| application.call);
            let mut found = Found::table(
                object,
                number,
                entry.status,
                &review::ROWS,
                &[review::ReviewStatus::Replaced],
            )
            .due(tables, &on(&[D::ReviewSeal, D::ReviewReveal]))
            .of(tables.persons.get(&entry.person).map(|person| person.home))
            .call(call);
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
                award::AwardState::Accepted if entry.agreement.is_none() => found.who("PO"),
                award::AwardState::Standstill => found.who("CLK"),
                _ => found,
            }
        }
        Object::Agreement => {
            let entry = tables.agreements.get(&AgreementId(number))?;
            let found = Found::table(
                object,
                number,
                entry.state,
                &agreement::ROWS,
                &[agreement::AgreementState::Replaced],
            )
            .due(tables, &on(&[D::AccountCooled]))
            .of(Some(entry.grantee))
            .fund(tables, Some(entry.fund));
            match (&entry.change, entry.state) {
                (Some(change), _) if !change.confirmed => found.who("OFF"),
                (_, agreement::AgreementState::InForce) => found.who("GRT"),
                _ => found,
            }
        }
        Object::Milestone => {
            let entry = tables.milestones.get(&MilestoneId(number))?;
            let agreement = tables.agreements.get(&entry.agreement)?;
            Found::table(object, number, entry.state, &milestone::ROWS, &[])
                .due(tables, &on(&[D::AssessDue]))
                .of(Some(agreement.grantee))
                .fund(tables, Some(agreement.fund))
        }
        Object::Payment => {
            let entry = tables.payments.get(&PaymentId(number))?;
            let kinds = on(&[
                D::CertifyDue,
                D::ApproveDue,
                D::PayoutDelay,
                D::HoldEnd,
                D::ReleaseDue,
                D::ConfirmDue,
                D::AcknowledgeEnd,
            ]);
            let grantee = tables
                .agreements
                .get(&entry.agreement)
                .map(|agreement| agreement.grantee);
            Found::table(
                object,
                number,
                entry.state,
                &payment::ROWS,
                &[payment::PaymentState::Refused],
            )
            .due(tables, &kinds)
            .of(grantee)
            .fund(tables, Some(entry.fund))
        }
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

/// The object that an act of `principal` is about: the one it names, else the one it made. `record`
/// is the act's id.
pub fn subject(
    tables: &StateTables,
    principal: OrganisationId,
    record: &Hash,
    body: &Body,
) -> Option<(Object, u32)> {
    let newest = |object: Object, last: Option<u32>| last.map(|number| (object, number));
    let invoice_of = |membership: &MembershipId| {
        rights::first_invoice(tables, *membership).map(|invoice| invoice.number)
    };
    match body {
        Body::Organisation(OrganisationAct::Found) => {
            newest(Object::Organisation, Some(principal.0))
        }
        Body::Organisation(OrganisationAct::Register(registration)) => {
            let identifier = registration.entry.identifiers.first()?;
            newest(
                Object::Organisation,
                tables
                    .identifiers
                    .get(&sha256(&identifier.key()))
                    .copied()
                    .map(|id| id.0),
            )
        }
        Body::Organisation(
            OrganisationAct::Relate(_) | OrganisationAct::ConfirmRelation { .. },
        ) => Some((Object::Organisation, principal.0)),
        Body::Membership(act) => match act {
            MembershipAct::Apply(_) => newest(
                Object::Membership,
                tables
                    .organisations
                    .get(&principal)
                    .and_then(|entry| entry.membership)
                    .map(|id| id.0),
            ),
            MembershipAct::Screen { membership }
            | MembershipAct::Return { membership, .. }
            | MembershipAct::Resubmit { membership, .. }
            | MembershipAct::Reject { membership, .. }
            | MembershipAct::Complete { membership }
            | MembershipAct::Sponsor { membership }
            | MembershipAct::OpenBallot { membership, .. }
            | MembershipAct::AskAgain { membership, .. }
            | MembershipAct::WithdrawApplication { membership }
            | MembershipAct::Agree { membership, .. }
            | MembershipAct::Activate { membership, .. } => {
                Some((Object::Membership, membership.0))
            }
            MembershipAct::Invoice { membership } => {
                newest(Object::Invoice, invoice_of(membership).map(|id| id.0))
            }
            MembershipAct::CancelInvoice { invoice }
            | MembershipAct::ConfirmReceipt { invoice, .. }
            | MembershipAct::DeclineReceipt { invoice, .. } => Some((Object::Invoice, invoice.0)),
            MembershipAct::Receive(receipt) => Some((Object::Invoice, receipt.invoice.0)),
        },
        Body::Motion(act) => match act {
            MotionAct::Propose(proposal) => {
                let made = among(tables.motions.last_key(), |number| {
                    tables.motions.get(&number).is_some_and(|motion| {
                        motion.text == proposal.text
                            && motion.effect == proposal.effect
                            && motion
                                .proposer
                                .is_some_and(|(organisation, _)| organisation == principal)
                    })
                });
                newest(Object::Motion, made.map(|id| id.0))
            }
            MotionAct::Support { motion }
            | MotionAct::DeclareConflict { motion, .. }
            | MotionAct::Withdraw { motion } => Some((Object::Motion, motion.0)),
            MotionAct::Vote(ballot) => Some((Object::Motion, ballot.motion.0)),
            MotionAct::AcceptPost { post }
            | MotionAct::DeclinePost { post }
            | MotionAct::ResignPost { post } => Some((Object::Post, post.0)),
        },
        Body::Fund(act) => match act {
            FundAct::Accept { fund } => Some((Object::Fund, fund.0)),
            FundAct::Pledge(_) => {
                let made = among(tables.contributions.last_key(), |number| {
                    tables
                        .contributions
                        .get(&number)
                        .is_some_and(|pledge| pledge.record == *record)
                });
                let pledge = made.and_then(|number| tables.contributions.get(&number));
                newest(
                    Object::Instalment,
                    pledge
                        .and_then(|pledge| pledge.instalments.first().copied())
                        .map(|id| id.0),
                )
            }
            FundAct::CallInstalment { instalment } => Some((Object::Instalment, instalment.0)),
            FundAct::ProposeCancel { instalments, .. } => newest(
                Object::Instalment,
                instalments.first().copied().map(|id| id.0),
            ),
            FundAct::AgreeCancel { proposal } => newest(
                Object::Instalment,
                tables
                    .cancellations
                    .get(proposal)
                    .and_then(|entry| entry.instalments.first().copied())
                    .map(|id| id.0),
            ),
            FundAct::RecordReceipt(entry) => Some((Object::Instalment, entry.instalment.0)),
            FundAct::ConfirmReceipt { receipt } => newest(
                Object::Instalment,
                tables
                    .receipts
                    .get(receipt)
                    .map(|entry| entry.instalment)
                    .map(|id| id.0),
            ),
        },
        Body::Call(act) => match act {
            CallAct::Submit(_) => newest(
                Object::Application,
                among(tables.applications.last_key(), |number| {
                    tables
                        .applications
                        .get(&number)
                        .is_some_and(|entry| entry.record == *record)
                })
                .map(|id| id.0),
            ),
            CallAct::Withdraw { application }
            | CallAct::Open { application, .. }
            | CallAct::Judge { application, .. }
            | CallAct::Appeal { application, .. } => Some((Object::Application, application.0)),
            CallAct::FreezePool { subject } => {
                newest(Object::Draw, newest_draw(tables, *subject).map(|id| id.0))
            }
            CallAct::CommitDraw { draw, .. } | CallAct::RevealDraw { draw, .. } => {
                Some((Object::Draw, draw.0))
            }
            CallAct::Declare { review, .. }
            | CallAct::Seal { review, .. }
            | CallAct::Reveal { review, .. }
            | CallAct::Finalise { review, .. } => Some((Object::Review, review.0)),
            CallAct::Rank { call } | CallAct::Close { call } => Some((Object::Call, call.0)),
            CallAct::EnterPool { .. } => None,
        },
        Body::Award(act) => match act {
            AwardAct::Accept { award } => Some((Object::Award, award.0)),
            AwardAct::Draft(terms) => newest(
                Object::Agreement,
                tables
                    .awards
                    .get(&terms.award)
                    .and_then(|award| award.agreement)
                    .map(|id| id.0),
            ),
            AwardAct::Sign { agreement, .. }
            | AwardAct::Countersign { agreement, .. }
            | AwardAct::ChangeAccount { agreement, .. }
            | AwardAct::ConfirmAccount { agreement, .. } => Some((Object::Agreement, agreement.0)),
        },
        Body::Payment(act) => match act {
            PaymentAct::Submit { milestone, .. } | PaymentAct::Assess { milestone, .. } => {
                Some((Object::Milestone, milestone.0))
            }
            PaymentAct::Request {
                agreement, tranche, ..
            } => {
                let entry = tables.agreements.get(agreement)?;
                let payment = match tranche {
                    Tranche::Advance => entry.advance_payment,
                    Tranche::Holdback => entry.holdback_payment,
                    Tranche::Milestone(milestone) => tables.milestones.get(milestone)?.payment,
                };
                newest(Object::Payment, payment.map(|id| id.0))
            }
            PaymentAct::Certify { payment, .. }
            | PaymentAct::Approve { payment, .. }
            | PaymentAct::Hold { payment, .. }
            | PaymentAct::Release { payment, .. }
            | PaymentAct::Settle { payment, .. }
            | PaymentAct::Return { payment, .. }
            | PaymentAct::Acknowledge { payment, .. }
            | PaymentAct::Dispute { payment, .. } => Some((Object::Payment, payment.0)),
        },
        // An order on file waits for nobody: whoever must act on it acts by motion.
        Body::Charter(_) => None,
        Body::Node(_) => Some((Object::Node, principal.0)),
    }
}

/// Objects looked at, newest first, to find the one that an act made.
const LOOK_BACK: u32 = 512;

fn among<I: Id>(last: Option<&I>, is_it: impl Fn(I) -> bool) -> Option<I> {
    let last = last?.number();
    (last.saturating_sub(LOOK_BACK)..=last)
        .rev()
        .map(I::of)
        .find(|id| is_it(*id))
}

fn newest_draw(tables: &StateTables, subject: DrawFor) -> Option<DrawId> {
    tables
        .draw_of
        .range((subject, 0)..=(subject, u32::MAX))
        .map(|(_, draw)| *draw)
        .last()
}

/// Somebody who may sign for a principal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MaySign {
    /// Person number.
    pub person: PersonId,
    /// Roles in which the person may sign for this principal.
    pub roles: Vec<Role>,
}

/// Everybody who may sign for an organisation or office now, ascending by person.
pub fn signers(tables: &StateTables, principal: OrganisationId, now: LedgerTime) -> Vec<MaySign> {
    let Some(organisation) = tables.organisations.get(&principal) else {
        return Vec::new();
    };
    let mut found: Vec<MaySign> = Vec::new();
    for number in &organisation.officers {
        if let Some(person) = tables.persons.get(number) {
            found.push(MaySign {
                person: *number,
                roles: person.roles.clone(),
            });
        }
    }
    for (_, post) in tables
        .posts
        .iter()
        .filter(|(_, post)| post.office == principal && post_in_force(post, now))
    {
        match found.iter_mut().find(|entry| entry.person == post.holder) {
            Some(entry) if entry.roles.contains(&post.role) => {}
            Some(entry) => entry.roles.push(post.role),
            None => found.push(MaySign {
                person: post.holder,
                roles: vec![post.role],
            }),
        }
    }
    found.retain(|entry| !entry.roles.is_empty());
    found.sort_by_key(|entry| entry.person);
    found
}
