//! What an organisation may do as a member (domain 1.4): derived from its newest membership, never
//! stored.

use rollbook_proof::number::OrganisationId;

use crate::charter::motions::MotionKind;
use crate::id::{CharterVersion, Id as _, MembershipId, PersonId};
use crate::identity::OrganisationKind;
use crate::object::invoice::Invoice;
use crate::object::membership::{Discipline, Dues, ExitState, Live, Membership, Standing};
use crate::state::StateTables;

/// The newest membership of an organisation.
pub fn of(tables: &StateTables, organisation: OrganisationId) -> Option<&Membership> {
    let number = tables.organisations.get(&organisation)?.membership?;
    tables.memberships.get(&number)
}

/// Whether the organisation is a member now, in whatever standing.
pub fn is_live(tables: &StateTables, organisation: OrganisationId) -> bool {
    of(tables, organisation)
        .is_some_and(|membership| matches!(membership.standing, Standing::Live(_)))
}

/// Whether records of the organisation have a turn of their own among those that wait for a block: those
/// of live members and of offices do, all others share one (RULINGS A39).
pub fn has_turn(tables: &StateTables, organisation: OrganisationId) -> bool {
    let of = tables.organisations.get(&organisation);
    of.is_some_and(|of| of.kind == OrganisationKind::Office) || is_live(tables, organisation)
}

/// Whether two persons are the same, at home in one organisation, or holders of posts in one office.
pub fn are_colleagues(tables: &StateTables, a: PersonId, b: PersonId) -> bool {
    let home = |person| tables.persons.get(&person).map(|person| person.home);
    let offices = |person| {
        tables
            .posts
            .iter()
            .filter(move |(_, post)| post.holder == person && post.status.in_force())
            .map(|(_, post)| post.office)
    };
    a == b
        || home(a).is_some_and(|one| home(b) == Some(one))
        || offices(a).any(|one| offices(b).any(|other| one == other))
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

/// The rights of an organisation under the charter in force: the intersection of its class and the
/// three parts of its membership.
pub fn rights(tables: &StateTables, organisation: OrganisationId) -> Rights {
    let charter = tables.chain.get(&0).map(|facts| facts.charter);
    rights_under(tables, organisation, charter.unwrap_or(CharterVersion(0)))
}

/// On which kinds of motion a standing lets vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Votes {
    /// On none.
    None,
    /// Not on what binds those who stay: charter, dues, new funds (RULINGS R32).
    NotOnWhatStays,
    /// On all.
    All,
}

impl Votes {
    /// Whether this kind is among them.
    pub fn on(self, kind: MotionKind) -> bool {
        match self {
            Votes::None => false,
            Votes::All => true,
            Votes::NotOnWhatStays => !matches!(
                kind,
                MotionKind::AmendCharter
                    | MotionKind::CreateFund
                    | MotionKind::Budget
                    | MotionKind::DissolveAlliance
            ),
        }
    }
}

/// How money under agreements flows to a member or to who was one (RULINGS R5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Flow {
    /// It does.
    Flows,
    /// Its release waits, and no clock of the fund's side runs.
    Withheld,
    /// Nothing is certified any more.
    Paused,
}

/// One row of the table of rights (domain 1.4): what a standing allows, whatever the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Allows {
    /// Counts as a member.
    pub member: bool,
    /// Votes.
    pub votes: Votes,
    /// Stands for seats and posts, and sponsors applicants.
    pub stands: bool,
    /// Applies for funds as a member.
    pub applies: bool,
    /// How money under its agreements flows.
    pub flow: Flow,
}

impl Allows {
    const EVERYTHING: Allows = Allows {
        member: true,
        votes: Votes::All,
        stands: true,
        applies: true,
        flow: Flow::Flows,
    };

    /// What both allow.
    fn and(self, other: Allows) -> Allows {
        Allows {
            member: self.member && other.member,
            votes: self.votes.min(other.votes),
            stands: self.stands && other.stands,
            applies: self.applies && other.applies,
            flow: self.flow.max(other.flow),
        }
    }

    fn of_dues(dues: Dues) -> Allows {
        let all = Allows::EVERYTHING;
        match dues {
            Dues::Good => all,
            Dues::Arrears => Allows {
                stands: false,
                flow: Flow::Withheld,
                ..all
            },
            Dues::VotingSuspended => Allows {
                votes: Votes::None,
                stands: false,
                applies: false,
                flow: Flow::Withheld,
                ..all
            },
        }
    }

    fn of_discipline(discipline: Discipline) -> Allows {
        match discipline {
            Discipline::None => Allows::EVERYTHING,
            Discipline::Suspended | Discipline::ExpulsionPending => Allows {
                votes: Votes::None,
                stands: false,
                applies: false,
                flow: Flow::Paused,
                ..Allows::EVERYTHING
            },
        }
    }

    fn of_exit(exit: ExitState) -> Allows {
        match exit {
            ExitState::None => Allows::EVERYTHING,
            ExitState::WithdrawalPending => Allows {
                votes: Votes::NotOnWhatStays,
                stands: false,
                applies: false,
                ..Allows::EVERYTHING
            },
        }
    }
}

/// The table of rights (domain 1.4; RULINGS R5): what a standing allows, whatever the class. That of a
/// live membership is the intersection of its three parts. Every rule that asks what a member may do
/// asks here.
pub fn allows(standing: &Standing, dues: Dues, exit: ExitState) -> Allows {
    let nothing = |flow| Allows {
        member: false,
        votes: Votes::None,
        stands: false,
        applies: false,
        flow,
    };
    match standing {
        Standing::Live(Live { discipline }) => Allows::of_dues(dues)
            .and(Allows::of_discipline(*discipline))
            .and(Allows::of_exit(exit)),
        // What is paid there waits for the board's decision on the agreement.
        Standing::TerminatedForArrears | Standing::Expelled => nothing(Flow::Paused),
        // Never a member, on the way, or gone by itself: accepted milestones are paid all the same.
        Standing::Founding
        | Standing::Applied
        | Standing::Screening
        | Standing::Returned { .. }
        | Standing::Sponsoring
        | Standing::Balloting
        | Standing::Admitted
        | Standing::Rejected(_)
        | Standing::Lapsed(_)
        | Standing::ApplicationWithdrawn
        | Standing::Ceased(_)
        | Standing::Withdrawn(_) => nothing(Flow::Flows),
    }
}

/// What the newest membership of an organisation allows; none: it never applied.
pub fn allows_now(tables: &StateTables, organisation: OrganisationId) -> Option<Allows> {
    let membership = of(tables, organisation)?;
    // Every membership has its dues part.
    let dues = dues_of(tables, membership.number).unwrap_or(Dues::VotingSuspended);
    Some(allows(&membership.standing, dues, membership.exit.state()))
}

/// Whether an organisation's standing, whatever its class, lets it vote on this kind of motion
/// (RULINGS R32): who is about to leave will not vote on what binds those who stay.
pub fn standing_votes_on(
    tables: &StateTables,
    organisation: OrganisationId,
    kind: MotionKind,
) -> bool {
    allows_now(tables, organisation).is_some_and(|allows| allows.votes.on(kind))
}

/// How money under agreements flows to a grantee (RULINGS R5).
pub fn flow(tables: &StateTables, organisation: OrganisationId) -> Flow {
    allows_now(tables, organisation).map_or(Flow::Flows, |allows| allows.flow)
}

/// Whether a company has signed for what a member owes that is to be merged into it (M21), and the
/// membership has not ended.
pub fn has_successor(tables: &StateTables, membership: MembershipId) -> bool {
    let of = (membership, OrganisationId::MIN)..=(membership, OrganisationId::MAX);
    let live = tables
        .memberships
        .get(&membership)
        .is_some_and(|entry| matches!(entry.standing, Standing::Live(_)));
    live && tables.successions.range(of).next().is_some()
}

/// Where the dues of a membership stand.
pub fn dues_of(tables: &StateTables, membership: MembershipId) -> Option<Dues> {
    tables.dues.get(&membership).map(|part| part.dues)
}

/// The newest invoice of a membership's first dues (M26).
pub fn first_invoice(tables: &StateTables, membership: MembershipId) -> Option<&Invoice> {
    let invoice = tables.dues.get(&membership)?.invoice?;
    tables.invoices.get(&invoice)
}

/// The rights that the classes of one charter version give.
pub fn rights_under(
    tables: &StateTables,
    organisation: OrganisationId,
    charter: CharterVersion,
) -> Rights {
    let Some(membership) = of(tables, organisation) else {
        return Rights::default();
    };
    let Some(allows) = allows_now(tables, organisation).filter(|allows| allows.member) else {
        return Rights::default();
    };
    let class = tables
        .parameters
        .get(&charter)
        .and_then(|charter| charter.class(membership.class));
    let votes = allows.votes != Votes::None;
    Rights {
        member: true,
        votes,
        assembly_vote: votes && class.is_some_and(|class| class.assembly_vote),
        board_vote: votes && class.is_some_and(|class| class.seat_eligible),
        may_sponsor: allows.stands,
        may_apply_for_funds: allows.applies,
    }
}
