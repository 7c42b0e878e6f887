//! Every table there is, in one place. Numbers are part of the format: they enter the work digest
//! and the epoch dump.

use std::collections::BTreeMap;

use rollbook_proof::chain::{ReadClass, Slot};
use rollbook_proof::codec::DecodeError;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{EpochId, Height, LedgerTime, OrganisationId, ProtocolVersion};

use super::{Row, Table, TableValue};
use crate::account::{Account, Balance, Earmark};
use crate::calendar::{Calendar, LocalDay};
use crate::charter::Charter;
use crate::id::{
    AgreementId, ApplicationId, AwardId, CalendarId, CallId, ChangeId, CharterVersion,
    ContributionId, CorrectionId, DelegationId, DirectionId, DraftId, DrawId, FundId, GroupId,
    InstalmentId, InvoiceId, KeyRecoveryId, MeasureId, MembershipId, MilestoneId, MotionId,
    NoticeId, OrderId, PaymentId, PersonId, PlanId, PostId, ProceedingId, RecoveryId, RelationId,
    ReviewId, RevocationId, SeatId, StatementId,
};
use crate::identity::{Organisation, Person};
use crate::object::Object;
use crate::object::agreement::Agreement;
use crate::object::application::Application;
use crate::object::award::Award;
use crate::object::calendar::CalendarFiling;
use crate::object::call::Call;
use crate::object::chain::{ChainFacts, CharterFacts, EpochFacts};
use crate::object::change::Change;
use crate::object::contribution::{Cancellation, Contribution, Instalment, Receipt};
use crate::object::correction::Correction;
use crate::object::deed::Step;
use crate::object::delegation::Delegation;
use crate::object::direction::{Direction, Lead};
use crate::object::draft::Draft;
use crate::object::draw::{Draw, PoolMember};
use crate::object::fund::Fund;
use crate::object::growth::{Grower, Grown};
use crate::object::invoice::Invoice;
use crate::object::key_recovery::KeyRecovery;
use crate::object::lane::Lane;
use crate::object::matter::Matter;
use crate::object::measure::Measure;
use crate::object::membership::{DuesPart, Membership, Succession};
use crate::object::milestone::Milestone;
use crate::object::motion::{Cast, Minutes, Motion};
use crate::object::node::NodeFacts;
use crate::object::notice::Notice;
use crate::object::observer::{Observer, Statement};
use crate::object::order::FiledOrder;
use crate::object::payment::Payment;
use crate::object::plan::Plan;
use crate::object::post::Post;
use crate::object::proceeding::Proceeding;
use crate::object::protocol::ProtocolFacts;
use crate::object::recovery::{Recovery, RecoveryReceipt, SetOff};
use crate::object::relation::Edge;
use crate::object::review::Review;
use crate::object::revocation::Revocation;
use crate::object::seat::Seat;
use crate::object::stand_in::StandIn;
use crate::object::turn::{Missed, Turns};
use crate::record::{ConflictKind, Corrected, DrawFor, PoolKind, Share};
use crate::step::{Moving, Steps};

/// A table's number.
pub type TableId = u8;

macro_rules! tables {
    (
        proved { $( $(#[$pdoc:meta])* $pid:literal $pname:ident : $pk:ty => $pv:ty , $path:expr ; )* }
        working { $( $(#[$wdoc:meta])* $wid:literal $wname:ident : $wk:ty => $wv:ty ; )* }
    ) => {
        /// The typed tables of a state.
        #[derive(Debug, Clone, Default)]
        pub struct StateTables {
            $( $(#[$pdoc])* pub $pname: Table<$pk, $pv>, )*
            $( $(#[$wdoc])* pub $wname: Table<$wk, $wv>, )*
            /// What moved in the block that is being executed.
            steps: Steps,
        }

        impl StateTables {
            /// The record applied: its writes join the block's.
            pub(crate) fn keep_record(&mut self) {
                $( self.$pname.keep_record(); )*
                $( self.$wname.keep_record(); )*
                self.steps.keep_record();
            }

            /// The record was refused: its writes vanish.
            pub(crate) fn drop_record(&mut self) {
                $( self.$pname.drop_record(); )*
                $( self.$wname.drop_record(); )*
                self.steps.drop_record();
            }

            /// The block was not wanted: the tables are at the tip again.
            pub(crate) fn drop_block(&mut self) {
                $( self.$pname.drop_block(); )*
                $( self.$wname.drop_block(); )*
                self.steps.drop_block();
            }

            /// How many steps the block has taken.
            pub(crate) fn steps_taken(&self) -> usize {
                self.steps.taken()
            }

            /// How many postings the block has made.
            pub(crate) fn postings_made(&self) -> usize {
                self.steps.posted()
            }

            /// Moves the block's postings out, in the order in which they were made.
            pub(crate) fn take_postings(&mut self) -> Vec<crate::step::Posted> {
                self.steps.take_postings()
            }

            /// Moves the block's steps out, in the order in which they were taken.
            pub(crate) fn take_steps(&mut self) -> Vec<crate::step::Step> {
                self.steps.take()
            }

            /// Moves the block overlay out as rows, sorted by table and key.
            pub(super) fn take_rows(&mut self) -> Vec<Row> {
                let mut rows = Vec::new();
                $( self.$pname.take_rows($pid, &mut rows); )*
                $( self.$wname.take_rows($wid, &mut rows); )*
                rows.sort();
                rows
            }

            /// Writes a stored row into its table's base.
            pub(super) fn load(&mut self, row: &Row) -> Result<(), DecodeError> {
                match row.table {
                    $( $pid => self.$pname.load(row), )*
                    $( $wid => self.$wname.load(row), )*
                    other => Err(DecodeError::rule(format!("there is no table {other}"))),
                }
            }

            /// The tree path of a proved row; none for working rows.
            pub fn proved_path(&self, row: &Row) -> Option<Vec<u8>> {
                match row.table {
                    $( $pid => {
                        let path: fn(&$pk) -> String = $path;
                        Table::<$pk, $pv>::decode_key(&row.key).map(|key| path(&key).into_bytes())
                    } )*
                    _ => None,
                }
            }

            /// Path and value of a proved row as of the tip, by its table and encoded key.
            pub fn proved_entry(&self, table: TableId, key: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
                match table {
                    $( $pid => {
                        let path: fn(&$pk) -> String = $path;
                        let (key, value) = self.$pname.stored(key)?;
                        Some((path(&key).into_bytes(), value))
                    } )*
                    _ => None,
                }
            }

            /// Every entry of every table, sorted.
            pub fn all_rows(&self) -> Vec<Row> {
                let mut rows = Vec::new();
                $( self.$pname.all_rows($pid, &mut rows); )*
                $( self.$wname.all_rows($wid, &mut rows); )*
                rows.sort();
                rows
            }

            /// Names of the tables by number, for reports.
            pub fn names() -> BTreeMap<TableId, &'static str> {
                BTreeMap::from([ $( ($pid, stringify!($pname)), )* $( ($wid, stringify!($wname)), )* ])
            }
        }

        /// The tables as a transaction holds them: everybody reads, and each table has a writer of
        /// its own name. Nothing else in the program can write to a table.
        #[derive(Debug)]
        pub struct Tables<'a>(&'a mut StateTables);

        impl Tables<'_> {
            $( #[doc = concat!("Writes to the table `", stringify!($pname), "`.")]
            pub fn $pname(&mut self) -> Writer<'_, $pk, $pv> { Writer(&mut self.0.$pname) } )*
            $( #[doc = concat!("Writes to the table `", stringify!($wname), "`.")]
            pub fn $wname(&mut self) -> Writer<'_, $wk, $wv> { Writer(&mut self.0.$wname) } )*
        }

        /// The numbers of the tables, by name.
        pub mod number {
            #![allow(non_upper_case_globals)]
            use super::TableId;
            $( #[doc = concat!("The table `", stringify!($pname), "`.")]
            pub const $pname: TableId = $pid; )*
            $( #[doc = concat!("The table `", stringify!($wname), "`.")]
            pub const $wname: TableId = $wid; )*
        }
    };
}

/// Writes to one table.
pub struct Writer<'a, K, V>(&'a mut Table<K, V>);

impl<K: TableValue + Ord, V: TableValue> Writer<'_, K, V> {
    /// Writes an entry.
    pub fn put(self, key: K, value: V) {
        self.0.put(key, value);
    }

    /// Removes an entry (working tables only; proved entries carry statuses).
    pub fn remove(self, key: K) {
        self.0.remove(key);
    }
}

impl<'a> Tables<'a> {
    /// The tables of a transaction. Only [`crate::tx::Tx`] asks for it.
    pub(crate) fn of(tables: &'a mut StateTables) -> Tables<'a> {
        Tables(tables)
    }

    /// Writes an object under its id.
    pub fn put<T: Stored>(&mut self, object: T) {
        let id = object.id();
        T::table_mut(self.0).put(id, object);
    }

    /// Writes down what moves. Only [`crate::tx::Tx`] asks for it.
    pub(crate) fn take_step(&mut self, step: crate::step::Step) -> Moving {
        self.0.steps.push(step)
    }

    /// Writes down what a movement posted. Only [`crate::rules::bank::post`] asks for it.
    pub(crate) fn note_postings(
        &mut self,
        row: &'static str,
        postings: &[crate::account::Posting],
    ) {
        self.0.steps.post(row, postings);
    }

    /// The record applied: its writes join the block's.
    pub(crate) fn keep_record(&mut self) {
        self.0.keep_record();
    }

    /// The record was refused: its writes vanish.
    pub(crate) fn drop_record(&mut self) {
        self.0.drop_record();
    }
}

impl std::ops::Deref for Tables<'_> {
    type Target = StateTables;

    fn deref(&self) -> &StateTables {
        self.0
    }
}

/// An object with a table of its own.
pub trait Stored: Object + TableValue {
    /// Its table.
    fn table(tables: &StateTables) -> &Table<Self::Id, Self>;

    /// Its table, for the transaction.
    fn table_mut(tables: &mut StateTables) -> &mut Table<Self::Id, Self>;
}

macro_rules! stored {
    ($($type:ty : $table:ident),* $(,)?) => { $(
        impl Stored for $type {
            fn table(tables: &StateTables) -> &Table<Self::Id, Self> {
                &tables.$table
            }
            fn table_mut(tables: &mut StateTables) -> &mut Table<Self::Id, Self> {
                &mut tables.$table
            }
        }
    )* };
}

stored! {
    Organisation: organisations,
    Membership: memberships,
    Motion: motions,
    Fund: funds,
    Call: calls,
    Award: awards,
    Agreement: agreements,
    Payment: payments,
    Invoice: invoices,
    Contribution: contributions,
    Instalment: instalments,
    Application: applications,
    Review: reviews,
    Draw: draws,
    Milestone: milestones,
    Post: posts,
    Seat: seats,
    Draft: drafts,
    Change: changes,
    Delegation: delegations,
    Revocation: revocations,
    KeyRecovery: key_recoveries,
    Observer: observers,
    Statement: statements,
    CalendarFiling: calendars,
    Correction: corrections,
    Notice: notices,
    Plan: plans,
    Proceeding: proceedings,
    Measure: measures,
    Recovery: recoveries,
}

tables! {
    proved {
        /// Charters by version: what names each.
        1 charters: CharterVersion => CharterFacts, |k| format!("charter/{}", k.0);
        /// Epochs by number: the policy in force and where it began.
        2 epochs: EpochId => EpochFacts, |k| format!("policy/{}", k.0);
        /// Organisations by number.
        3 organisations: OrganisationId => Organisation, |k| format!("organisation/{}", k.0);
        /// Memberships by number.
        4 memberships: MembershipId => Membership, |k| format!("membership/{}", k.0);
        /// Motions by number.
        5 motions: MotionId => Motion, |k| format!("motion/{}", k.0);
        /// Funds by number.
        6 funds: FundId => Fund, |k| format!("fund/{}", k.0);
        /// Calls by number.
        7 calls: CallId => Call, |k| format!("call/{}", k.0);
        /// Awards by number.
        8 awards: AwardId => Award, |k| format!("award/{}", k.0);
        /// Agreements by number.
        9 agreements: AgreementId => Agreement, |k| format!("agreement/{}", k.0);
        /// Payments by number.
        10 payments: PaymentId => Payment, |k| format!("payment/{}", k.0);
        /// Balances in minor units of the fund's unit; an account never touched is not there and
        /// holds 0.
        11 accounts: Account => Balance, |k| format!("account/{k}");
        /// Rule versions of this chain (RULINGS A18).
        12 protocols: ProtocolVersion => ProtocolFacts, |k| format!("protocol/{}", k.0);
    }
    working {
        /// Facts of the chain itself; one row.
        32 chain: u8 => ChainFacts;
        /// Persons by number.
        33 persons: PersonId => Person;
        /// Replay windows by person and by who may read the records (RULINGS A61).
        34 lanes: (PersonId, ReadClass) => Lane;
        /// Identifiers in use: SHA-256 of the canonical identifier to organisation.
        35 identifiers: Hash => OrganisationId;
        /// Public keys in use, whoever registered them: SHA-256 of the key to owner.
        36 keys: Hash => u32;
        /// Relations between organisations: (a, b, number), a < b, counted per pair from 1.
        37 edges: (OrganisationId, OrganisationId, u32) => Edge;
        /// The same from the other end: (b, a, number).
        44 edges_back: (OrganisationId, OrganisationId, u32) => u8;
        /// Posts by number.
        38 posts: PostId => Post;
        /// The last number used, by kind of object.
        40 counters: u8 => u32;
        /// Running deadlines in the order they act: (due, kind, object).
        41 deadlines: (LedgerTime, u16, u32) => u8;
        /// The same by (kind, object).
        42 deadline_of: (u16, u32) => LedgerTime;
        /// Nodes by organisation.
        45 nodes: OrganisationId => NodeFacts;
        /// SHA-256 of the evidence in the log, by height, culprit and slot: one offence is recorded
        /// once, with whichever two of its statements came first.
        46 evidence: (Height, OrganisationId, Slot) => Hash;
        /// Founding organisations: 1 once their `Found` record is in the log.
        47 founders: OrganisationId => u8;
        /// Height of the newest parent certificate in the chain that a validator signed.
        48 alive: OrganisationId => Height;
        /// Who proposes in which order, by height, until the certificate of that height is counted
        /// (RULINGS A56).
        94 turns: Height => Turns;
        /// Seats whose newest turns passed without a block of theirs.
        95 missed: OrganisationId => Missed;
        /// Policy files by epoch, exact bytes.
        49 policies: EpochId => Vec<u8>;
        /// Seats of the board by number.
        39 seats: SeatId => Seat;
        /// Working directions by number.
        50 directions: DirectionId => Direction;
        /// Frozen electorates: (motion, round, organisation) to group.
        51 electorates: (MotionId, u32, OrganisationId) => GroupId;
        /// Ballots that hold a voice: (motion, round, group).
        52 ballots: (MotionId, u32, GroupId) => Cast;
        /// How many ballots an organisation has cast: (motion, round, organisation).
        43 ballots_cast: (MotionId, u32, OrganisationId) => u32;
        /// Declared conflicts: (matter, organisation) (RULINGS R31).
        53 conflicts: (Matter, OrganisationId) => ConflictKind;
        /// Support for motions of the assembly: (motion, organisation) to ledger time.
        54 supports: (MotionId, OrganisationId) => LedgerTime;
        /// Sponsors of applications: (membership, organisation) to ledger time.
        55 sponsors: (MembershipId, OrganisationId) => LedgerTime;
        /// Invoices of dues by number.
        56 invoices: InvoiceId => Invoice;
        /// Motions of a matter: (matter, motion) (RULINGS R31).
        65 matter_motions: (Matter, MotionId) => u8;
        /// Passed motions whose effect waits for another motion: (the one awaited, the one that
        /// waits) (RULINGS R34).
        66 motion_waits: (MotionId, MotionId) => u8;
        /// Voices that were recused when the ballots of a motion closed: (motion, round, group).
        67 recused_at_close: (MotionId, u32, GroupId) => u8;
        /// R38: who votes for a member on a motion: (motion, giver) to holder.
        100 proxies: (MotionId, OrganisationId) => OrganisationId;
        /// M36: who stands in the run-off of an election: (motion, round, organisation).
        101 poll_names: (MotionId, u32, OrganisationId) => u8;
        /// R15: papers of meetings: (motion, record).
        102 minutes: (MotionId, Hash) => Minutes;
        /// R37: deposited charters by number.
        103 drafts: DraftId => Draft;
        /// The same by digest.
        104 draft_of: Hash => DraftId;
        /// What they say.
        105 draft_charters: DraftId => Charter;
        /// The newest rule version that an organisation's node knows, as announced.
        57 protocol_support: OrganisationId => ProtocolVersion;
        /// Orders of courts and regulators by number.
        58 orders: OrderId => FiledOrder;
        /// The same by SHA-256 of authority and reference.
        59 order_names: Hash => OrderId;
        /// Parameters of the charters, by version (RULINGS A28).
        60 parameters: CharterVersion => Charter;
        /// The dues part of memberships, which members alone may read (RULINGS R39).
        61 dues: MembershipId => DuesPart;
        /// What was added to the ledger on the newest day, by whom and from which share (RULINGS
        /// A50).
        62 grown: (Grower, Share) => Grown;
        /// Commitments to names in use, by person (RULINGS A16).
        64 commitments: Hash => PersonId;
        /// How many companies an organisation has introduced on its newest day of introducing.
        68 introductions: OrganisationId => (LocalDay, u32);
        /// Earmarks: (fund, call) to what the call took from its direction's earmark and has not
        /// given back.
        70 earmarks: (FundId, CallId) => Earmark;
        /// Bank references in use: hash of the bank account and the reference's letters and digits
        /// to the record that used it (N8, R35).
        71 bank_references: Hash => Hash;
        /// Contributions by number.
        72 contributions: ContributionId => Contribution;
        /// Instalments by number.
        73 instalments: InstalmentId => Instalment;
        /// Receipts by the record that entered them.
        74 receipts: Hash => Receipt;
        /// Proposals to cancel instalments, by record.
        75 cancellations: Hash => Cancellation;
        /// Investment committees: (fund, organisation) to the ledger time until which it holds the
        /// seat.
        76 committee_seats: (FundId, OrganisationId) => LedgerTime;
        /// Applications by number.
        77 applications: ApplicationId => Application;
        /// Projects of opened applications: (call, project hash, application).
        78 projects: (CallId, Hash, ApplicationId) => u8;
        /// Applications by call: (call, application).
        79 call_applications: (CallId, ApplicationId) => u8;
        /// Reviews by number.
        80 reviews: ReviewId => Review;
        /// Reviews by application: (application, person) to review.
        81 review_of: (ApplicationId, PersonId) => ReviewId;
        /// Pools: (kind of pool, person).
        82 pools: (PoolKind, PersonId) => PoolMember;
        /// Draws by number.
        83 draws: DrawId => Draw;
        /// Draws of a subject: (subject, round) to draw.
        84 draw_of: (DrawFor, u32) => DrawId;
        /// Milestones by number.
        90 milestones: MilestoneId => Milestone;
        /// Evidence in use: SHA-256 of kind and hash to the first milestone (N16).
        91 evidence_used: Hash => MilestoneId;
        /// EndToEndIds and UETRs in use, whole ledger: SHA-256 to the payment (N8).
        92 instruction_ids: Hash => PaymentId;
        /// Tainted deeds that the board let stand when it lifted a hold: (application, step,
        /// person) to the payment (RULINGS R30).
        93 let_stand: (ApplicationId, Step, PersonId) => PaymentId;
        /// Changes of officers, policies and particulars by number.
        110 changes: ChangeId => Change;
        /// Of these the open ones: (organisation, change).
        111 changes_open: (OrganisationId, ChangeId) => u8;
        /// Delegations by number.
        112 delegations: DelegationId => Delegation;
        /// Of these those in force: (organisation, delegation).
        113 delegations_open: (OrganisationId, DelegationId) => u8;
        /// Emergency revocations by number.
        114 revocations: RevocationId => Revocation;
        /// The newest of a key: (person, number of the key).
        115 revocation_of: (PersonId, u32) => RevocationId;
        /// Recoveries of keys by number.
        116 key_recoveries: KeyRecoveryId => KeyRecovery;
        /// The one of an organisation that is open.
        117 recovery_of: OrganisationId => KeyRecoveryId;
        /// Who stands in for a post, once.
        118 stand_ins: PostId => StandIn;
        /// Who leads a direction.
        119 leads: DirectionId => Lead;
        /// Observers by organisation.
        120 observers: OrganisationId => Observer;
        /// Statements of observers by number.
        121 statements: StatementId => Statement;
        /// Working days of years as filed, by number.
        122 calendars: CalendarId => CalendarFiling;
        /// The filings of a year: the one that waits, and the one that counts.
        126 calendar_years: u32 => (Option<CalendarId>, Option<CalendarId>);
        /// The exceptions to Monday to Friday that count; one row, 0.
        123 working_days: u8 => Calendar;
        /// Relations between organisations by their numbers: to (a, b, number).
        131 relation_ids: RelationId => (OrganisationId, OrganisationId, u32);
        /// When a matter opened: a conflict that ended later holds in it (RULINGS R31).
        133 matters: Matter => LedgerTime;
        /// R27: claims about others that wait: (who claims, relation).
        132 claims: (OrganisationId, RelationId) => u8;
        /// M21: who has signed for what a member owes: (membership, successor).
        130 successions: (MembershipId, OrganisationId) => Succession;
        /// Corrections of clerical fields by number.
        124 corrections: CorrectionId => Correction;
        /// The same by what they correct: (subject, correction).
        125 corrections_of: (Corrected, CorrectionId) => u8;
        /// Invoices of a membership that wait for money: (membership, invoice).
        140 invoices_open: (MembershipId, InvoiceId) => u8;
        /// Invoices of a membership for the dues of a year: (membership, year).
        141 invoiced: (MembershipId, u32) => InvoiceId;
        /// Plans by which members pay their dues, by number.
        142 plans: PlanId => Plan;
        /// The one of a membership that waits or runs.
        143 plan_of: MembershipId => PlanId;
        /// Notices to members by number.
        144 notices: NoticeId => Notice;
        /// The same by member: (membership, notice).
        145 notices_of: (MembershipId, NoticeId) => u8;
        /// Proceedings against members by number.
        146 proceedings: ProceedingId => Proceeding;
        /// The one of a membership that is not over.
        147 proceeding_of: MembershipId => ProceedingId;
        /// Measures about agreements by number.
        150 measures: MeasureId => Measure;
        /// Deadlines that stand still while an agreement is suspended: (agreement, kind, object) to the
        /// milliseconds that were left.
        151 paused: (AgreementId, u16, u32) => u64;
        /// Recoveries of paid money by number.
        152 recoveries: RecoveryId => Recovery;
        /// Of these those of an agreement: (agreement, recovery).
        153 recoveries_of: (AgreementId, RecoveryId) => u8;
        /// Money that came back, by the record that entered it.
        154 recovery_receipts: Hash => RecoveryReceipt;
        /// Debts set off against payments, by the record that entered it.
        155 set_offs: Hash => SetOff;
        /// Payments of an agreement: (agreement, payment).
        156 payments_of: (AgreementId, PaymentId) => u8;
        /// Agreements under an application: (application, agreement).
        157 agreements_of: (ApplicationId, AgreementId) => u8;
    }
}
