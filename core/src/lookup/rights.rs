//! What an organisation may do as a member (domain 1.4): derived from its newest membership, never
//! stored.

use rollbook_proof::number::OrganisationId;

use crate::charter::motions::MotionKind;
use crate::id::{CharterVersion, Id as _, MembershipId, PersonId};
use crate::identity::OrganisationKind;
use crate::object::invoice::Invoice;
use crate::object::membership::{Discipline, Dues, ExitState, Membership, Standing};
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

/// Whether an organisation's standing, whatever its class, lets it vote on this kind of motion
/// (RULINGS R32): who is about to leave will not vote on what binds those who stay.
pub fn standing_votes_on(
    tables: &StateTables,
    organisation: OrganisationId,
    kind: MotionKind,
) -> bool {
    let Some(membership) = of(tables, organisation) else {
        return false;
    };
    let binds_who_stays = || {
        matches!(
            kind,
            MotionKind::AmendCharter
                | MotionKind::CreateFund
                | MotionKind::Budget
                | MotionKind::DissolveAlliance
        )
    };
    match (&membership.standing, membership.exit.state()) {
        (Standing::Live(_), ExitState::None) => true,
        (Standing::Live(_), ExitState::WithdrawalPending) => !binds_who_stays(),
        _ => false,
    }
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
    let Standing::Live(live) = membership.standing else {
        return Rights::default();
    };
    // One row of domain 1.4 per part: (votes, may stand or sponsor, may apply for funds).
    let dues = match dues_of(tables, membership.number) {
        Some(Dues::Good) => (true, true, true),
        // Every membership has its dues part.
        None => (false, false, false),
    };
    let discipline = match live.discipline {
        Discipline::None => (true, true, true),
    };
    let exit = match membership.exit.state() {
        ExitState::None => (true, true, true),
        // What it may vote on, `standing_votes_on` says.
        ExitState::WithdrawalPending => (true, false, false),
    };
    let class = tables
        .parameters
        .get(&charter)
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
