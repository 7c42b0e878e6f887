//! Which objects are open: something is still expected of somebody. Kept by a node from block to block,
//! so that asking what waits does not look at what is over.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::id::{
    AgreementId, ApplicationId, AwardId, CalendarId, CallId, ChangeId, CorrectionId, DrawId,
    FundId, Id, InstalmentId, InvoiceId, KeyRecoveryId, MeasureId, MembershipId, MilestoneId,
    MotionId, PaymentId, PostId, RecoveryId, ReviewId, RevocationId, SeatId, VariationId,
};
use crate::next::Object;
use crate::object::agreement::AgreementState;
use crate::object::application::ApplicationStatus;
use crate::object::award::AwardState;
use crate::object::calendar::CalendarStatus;
use crate::object::call::CallStatus;
use crate::object::contribution::InstalmentStatus;
use crate::object::correction::CorrectionStatus;
use crate::object::draw::DrawStatus;
use crate::object::fund::FundStatus;
use crate::object::invoice::InvoiceStatus;
use crate::object::membership::State;
use crate::object::node::NodeStatus;
use crate::object::payment::PaymentState;
use crate::object::post::PostStatus;
use crate::object::seat::SeatStatus;
use crate::object::variation::VariationStatus;
use crate::state::{Row, StateTables, TableId, decode_value, number};

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
const KINDS: [(TableId, Object); 24] = [
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
    (number::measures, Object::Measure),
    (number::recoveries, Object::Recovery),
    (number::variations, Object::Variation),
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
            key_recoveries: KeyRecovery, calendars: Calendar, corrections: Correction, measures: Measure,
            recoveries: Recovery, variations: Variation
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
            let kind = KINDS.iter().find(|(table, _)| *table == row.table);
            if let (Some((_, object)), Ok(number)) = (kind, decode_value::<u32>(&row.key)) {
                self.look(tables, *object, number);
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
                )
            }),
        Object::Invoice => tables
            .invoices
            .get(&InvoiceId(number))
            .is_some_and(|entry| entry.status == InvoiceStatus::Open),
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
        Object::Measure => tables
            .measures
            .get(&MeasureId(number))
            .is_some_and(|entry| entry.status.is_pending()),
        Object::Recovery => tables
            .recoveries
            .get(&RecoveryId(number))
            .is_some_and(|entry| entry.status.is_open()),
        Object::Variation => tables
            .variations
            .get(&VariationId(number))
            .is_some_and(|entry| entry.status == VariationStatus::Requested),
        Object::Direction | Object::Observer | Object::Statement | Object::Order => false,
    }
}
