//! Which objects are open: something is still expected of somebody. Kept by a node from block to block,
//! so that asking what waits does not look at what is over.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::id::{
    AgreementId, ApplicationId, AwardId, CalendarId, CallId, ChangeId, CorrectionId, DrawId,
    FundId, Id, InstalmentId, InvoiceId, KeyRecoveryId, MeasureId, MembershipId, MilestoneId,
    MotionId, NoticeId, PaymentId, PlanId, PostId, ProceedingId, RecoveryId, RelationId, ReviewId,
    RevocationId, SeatId,
};
use crate::lookup::rights;
use crate::next::{Object, is_cured};
use crate::object::agreement::AgreementState;
use crate::object::application::ApplicationStatus;
use crate::object::award::AwardState;
use crate::object::calendar::CalendarStatus;
use crate::object::call::CallStatus;
use crate::object::contribution::InstalmentStatus;
use crate::object::correction::CorrectionStatus;
use crate::object::draw::DrawStatus;
use crate::object::fund::FundStatus;
use crate::object::invoice::{Invoice, InvoiceStatus};
use crate::object::membership::{ExitState, State};
use crate::object::node::NodeStatus;
use crate::object::notice::NoticeStatus;
use crate::object::payment::PaymentState;
use crate::object::plan::Plan;
use crate::object::post::PostStatus;
use crate::object::relation::RelationStatus;
use crate::object::seat::SeatStatus;
use crate::rules::membership::{arrears, dues};
use crate::state::{Row, StateTables, TableId, decode_value, number};
use crate::tx::DeadlineKind;

/// The open objects of a ledger at a height.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    objects: BTreeSet<(Object, u32)>,
    /// Posts in force.
    posts: BTreeSet<PostId>,
    /// Money that was entered for an instalment and is not confirmed, by the record that entered it.
    entered: BTreeMap<Hash, InstalmentId>,
}

/// The table of each kind of object that can be open.
const KINDS: [(TableId, Object); 26] = [
    (number::memberships, Object::Membership),
    (number::invoices, Object::Invoice),
    (number::motions, Object::Motion),
    (number::posts, Object::Post),
    (number::funds, Object::Fund),
    (number::instalments, Object::Instalment),
    (number::calls, Object::Call),
    (number::applications, Object::Application),
    (number::draws, Object::Draw),
    (number::reviews, Object::Review),
    (number::awards, Object::Award),
    (number::agreements, Object::Agreement),
    (number::milestones, Object::Milestone),
    (number::payments, Object::Payment),
    (number::nodes, Object::Node),
    (number::seats, Object::Seat),
    (number::changes, Object::Change),
    (number::revocations, Object::Revocation),
    (number::key_recoveries, Object::KeyRecovery),
    (number::calendars, Object::Calendar),
    (number::corrections, Object::Correction),
    (number::plans, Object::Plan),
    (number::notices, Object::Notice),
    (number::proceedings, Object::Proceeding),
    (number::measures, Object::Measure),
    (number::recoveries, Object::Recovery),
];

impl Open {
    /// The open objects of these tables; looks at every object once.
    pub fn of(tables: &StateTables) -> Open {
        let mut open = Open::default();
        macro_rules! all {
            ($($table:ident: $object:ident),*) => { $(
                for (id, _) in tables.$table.iter() {
                    open.look(tables, Object::$object, id.number());
                }
            )* };
        }
        all!(
            memberships: Membership, invoices: Invoice, motions: Motion, posts: Post, funds: Fund,
            instalments: Instalment, calls: Call, applications: Application, draws: Draw,
            reviews: Review, awards: Award, agreements: Agreement, milestones: Milestone,
            payments: Payment, nodes: Node, seats: Seat, changes: Change, revocations: Revocation,
            key_recoveries: KeyRecovery, calendars: Calendar, corrections: Correction,
            plans: Plan, notices: Notice, proceedings: Proceeding, relation_ids: Relation,
            measures: Measure, recoveries: Recovery
        );
        let records: Vec<Hash> = tables.receipts.iter().map(|(record, _)| *record).collect();
        for record in records {
            open.look_at_receipt(tables, record);
        }
        open
    }

    /// Follows a block: `rows` are what it changed, `tables` the state after it.
    pub fn follow(&mut self, tables: &StateTables, rows: &[Row]) {
        for row in rows {
            if row.table == number::receipts {
                if let Ok(record) = decode_value::<Hash>(&row.key) {
                    self.look_at_receipt(tables, record);
                }
                continue;
            }
            // Whether a notice is due stands in the dues of a membership; whether its first dues go back,
            // in the membership.
            if row.table == number::dues
                && let Ok(membership) = decode_value::<u32>(&row.key)
            {
                self.look(tables, Object::Membership, membership);
            }
            if row.table == number::memberships
                && let Ok(membership) = decode_value::<u32>(&row.key)
                && let Some(invoice) = rights::first_invoice(tables, MembershipId(membership))
            {
                self.look(tables, Object::Invoice, invoice.number.0);
            }
            let kind = KINDS.iter().find(|(table, _)| *table == row.table);
            if let (Some((_, object)), Ok(number)) = (kind, decode_value::<u32>(&row.key)) {
                self.look(tables, *object, number);
            }
            // A relation stands in its pair's row.
            let pair = decode_value::<(OrganisationId, OrganisationId, u32)>(&row.key);
            if let (true, Ok(key)) = (row.table == number::edges, pair)
                && let Some(edge) = tables.edges.get(&key)
            {
                self.look(tables, Object::Relation, edge.id.0);
            }
            // The days of a seat that its group has to give up begin or end.
            let of = row.table == number::deadline_of;
            if let (true, Ok((kind, seat))) = (of, decode_value::<(u16, u32)>(&row.key))
                && kind == DeadlineKind::SeatCure as u16
            {
                self.look(tables, Object::Seat, seat);
            }
            // A company has signed as a member's successor.
            let of = row.table == number::successions;
            if let (true, Ok((membership, _))) = (of, decode_value::<(u32, u32)>(&row.key)) {
                self.look(tables, Object::Membership, membership);
            }
        }
    }

    /// The open objects, by kind and number.
    pub fn objects(&self) -> impl Iterator<Item = (Object, u32)> + '_ {
        self.objects.iter().copied()
    }

    /// The posts in force.
    pub fn posts(&self) -> impl Iterator<Item = PostId> + '_ {
        self.posts.iter().copied()
    }

    /// The instalments for which money was entered and is not confirmed.
    pub fn entered(&self) -> BTreeSet<InstalmentId> {
        self.entered.values().copied().collect()
    }

    fn look_at_receipt(&mut self, tables: &StateTables, record: Hash) {
        match tables.receipts.get(&record) {
            Some(receipt) if receipt.confirmed_by.is_none() => {
                self.entered.insert(record, receipt.instalment);
            }
            _ => {
                self.entered.remove(&record);
            }
        }
    }

    fn look(&mut self, tables: &StateTables, object: Object, number: u32) {
        if is_open(tables, object, number) {
            self.objects.insert((object, number));
        } else {
            self.objects.remove(&(object, number));
        }
        if object == Object::Post {
            let post = PostId(number);
            match tables.posts.get(&post) {
                Some(entry) if entry.status.in_force() => self.posts.insert(post),
                _ => self.posts.remove(&post),
            };
        }
    }
}

/// Whether something is expected of somebody for it to go on.
fn is_open(tables: &StateTables, object: Object, number: u32) -> bool {
    match object {
        Object::Organisation => false,
        // A deposited charter waits for nobody: who wants it proposes the motion.
        Object::Draft => false,
        Object::Seat => tables
            .seats
            .get(&SeatId(number))
            .is_some_and(|entry| match entry.status {
                _ if is_cured(tables, entry.number) => true,
                SeatStatus::Offered | SeatStatus::HeldOver => true,
                SeatStatus::Held
                | SeatStatus::Accepted
                | SeatStatus::Ended
                | SeatStatus::Declined
                | SeatStatus::Lapsed => false,
            }),
        Object::Membership => tables
            .memberships
            .get(&MembershipId(number))
            .is_some_and(|entry| {
                matches!(
                    entry.standing.state(),
                    State::Founding
                        | State::Applied
                        | State::Screening
                        | State::Returned
                        | State::Sponsoring
                        | State::Balloting
                        | State::Admitted
                        | State::Rejected
                ) || (entry.standing.state() == State::Active
                    && (notice_is_due(tables, entry.number)
                        || entry.exit.state() == ExitState::WithdrawalPending
                        || rights::has_successor(tables, entry.number)))
            }),
        Object::Invoice => tables
            .invoices
            .get(&InvoiceId(number))
            .is_some_and(|entry| entry.status == InvoiceStatus::Open || goes_back(tables, entry)),
        Object::Motion => tables
            .motions
            .get(&MotionId(number))
            .is_some_and(|entry| !entry.status.is_final()),
        Object::Post => tables
            .posts
            .get(&PostId(number))
            .is_some_and(|entry| entry.status == PostStatus::Offered),
        Object::Fund => tables
            .funds
            .get(&FundId(number))
            .is_some_and(|entry| entry.status == FundStatus::Approved),
        Object::Instalment => tables
            .instalments
            .get(&InstalmentId(number))
            .is_some_and(|entry| match entry.status {
                InstalmentStatus::Pledged
                | InstalmentStatus::Called
                | InstalmentStatus::PartlyReceived
                | InstalmentStatus::Defaulted => true,
                InstalmentStatus::Received
                | InstalmentStatus::Cancelled
                | InstalmentStatus::WrittenOff => false,
            }),
        Object::Call => tables.calls.get(&CallId(number)).is_some_and(|entry| {
            !matches!(entry.status, CallStatus::Closed | CallStatus::Cancelled)
        }),
        Object::Application => {
            tables
                .applications
                .get(&ApplicationId(number))
                .is_some_and(|entry| match entry.status {
                    ApplicationStatus::Submitted
                    | ApplicationStatus::Opened
                    | ApplicationStatus::Eligible
                    | ApplicationStatus::Ineligible
                    | ApplicationStatus::UnderReview
                    | ApplicationStatus::Ranked => true,
                    ApplicationStatus::Awarded
                    | ApplicationStatus::Reserve
                    | ApplicationStatus::NotRecommended
                    | ApplicationStatus::Withdrawn
                    | ApplicationStatus::Void => false,
                })
        }
        Object::Draw => tables
            .draws
            .get(&DrawId(number))
            .is_some_and(|entry| entry.status != DrawStatus::Drawn),
        Object::Review => tables
            .reviews
            .get(&ReviewId(number))
            .is_some_and(|entry| entry.status.is_running()),
        Object::Award => {
            tables
                .awards
                .get(&AwardId(number))
                .is_some_and(|entry| match entry.state {
                    AwardState::Standstill | AwardState::Offered => true,
                    AwardState::Accepted => entry.agreement.is_none(),
                    AwardState::Lapsed | AwardState::Revoked => false,
                })
        }
        Object::Agreement => tables
            .agreements
            .get(&AgreementId(number))
            .is_some_and(|entry| {
                !matches!(
                    entry.state,
                    AgreementState::Replaced | AgreementState::Closed
                )
            }),
        // An accepted one waits for the request of its payment.
        Object::Milestone => tables
            .milestones
            .get(&MilestoneId(number))
            .is_some_and(|entry| {
                !entry.state.is_terminal()
                    || (entry.state.is_accepted() && !entry.is_final && entry.payment.is_none())
            }),
        Object::Payment => tables
            .payments
            .get(&PaymentId(number))
            .is_some_and(|entry| {
                !matches!(
                    entry.state,
                    PaymentState::Acknowledged | PaymentState::Refused | PaymentState::SetOff
                )
            }),
        Object::Node => tables
            .nodes
            .get(&OrganisationId(number))
            .is_some_and(|entry| entry.status == NodeStatus::Registered),
        Object::Change => tables
            .changes
            .get(&ChangeId(number))
            .is_some_and(|entry| entry.status.is_open()),
        Object::Delegation => false,
        Object::Revocation => tables
            .revocations
            .get(&RevocationId(number))
            .is_some_and(|entry| entry.status.is_open()),
        Object::KeyRecovery => tables
            .key_recoveries
            .get(&KeyRecoveryId(number))
            .is_some_and(|entry| entry.status.is_open()),
        Object::Calendar => tables
            .calendars
            .get(&CalendarId(number))
            .is_some_and(|entry| entry.status == CalendarStatus::Filed),
        Object::Correction => tables
            .corrections
            .get(&CorrectionId(number))
            .is_some_and(|entry| entry.status == CorrectionStatus::Filed),
        Object::Plan => tables.plans.get(&PlanId(number)).is_some_and(Plan::is_open),
        Object::Notice => {
            tables
                .notices
                .get(&NoticeId(number))
                .is_some_and(|entry| match entry.status {
                    NoticeStatus::Filed | NoticeStatus::Served => true,
                    NoticeStatus::Acknowledged | NoticeStatus::Dropped => false,
                })
        }
        Object::Proceeding => tables
            .proceedings
            .get(&ProceedingId(number))
            .is_some_and(|entry| entry.status.is_open()),
        Object::Relation => {
            let key = tables.relation_ids.get(&RelationId(number));
            let edge = key.and_then(|key| tables.edges.get(key));
            edge.is_some_and(|edge| {
                edge.end_asked.is_some()
                    || matches!(
                        edge.status,
                        RelationStatus::Claimed | RelationStatus::Declared | RelationStatus::Ending
                    )
            })
        }
        Object::Measure => tables
            .measures
            .get(&MeasureId(number))
            .is_some_and(|entry| entry.status.is_pending()),
        Object::Recovery => tables
            .recoveries
            .get(&RecoveryId(number))
            .is_some_and(|entry| entry.status.is_open()),
        Object::Direction | Object::Observer | Object::Statement | Object::Order => false,
    }
}

fn notice_is_due(tables: &StateTables, membership: MembershipId) -> bool {
    tables.dues.get(&membership).is_some_and(|part| {
        arrears::notice_due(part, false).is_some() || arrears::notice_due(part, true).is_some()
    })
}

fn goes_back(tables: &StateTables, invoice: &Invoice) -> bool {
    let credit = tables.dues.get(&invoice.membership).map(|part| part.credit);
    let membership = tables.memberships.get(&invoice.membership);
    membership.is_some_and(|membership| {
        dues::goes_back(membership, invoice, credit.unwrap_or_default()).is_some()
    })
}
