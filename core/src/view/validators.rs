//! The validator seats as they stand, and what the next handovers make of them; with changes that
//! somebody thinks of, if asked (M40; RULINGS A17). By the computation that the rules use
//! ([`Council`]).
//!
//! What comes later is said under two assumptions: every validator that gets a seat or new keys signs
//! from then on, and nothing else changes.

use std::str::FromStr;

use rollbook_proof::chain::quorum;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

use crate::lookup::{groups, rights};
use crate::object::node::NodeStatus;
use crate::rules::network::council::{
    Candidate, Council, Decision, Going, Hindrance, Renewal, Sitting, Waiting, Wanting,
};
use crate::rules::network::validators;
use crate::state::StateTables;

/// Changes that are thought of at once at most.
pub const CHANGES_MAX: usize = 64;
/// Handovers that are looked ahead at most.
const AHEAD: usize = 32;

/// What somebody thinks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It gives its seat up.
    Leave(OrganisationId),
    /// Its membership ends.
    Cease(OrganisationId),
    /// It gets new keys; those that wait for it already, if some do.
    Move(OrganisationId),
    /// A member is ready for a seat.
    Join(OrganisationId),
    /// Its node is away and does not come back.
    Away(OrganisationId),
}

impl FromStr for Change {
    type Err = ();

    /// `leave=4`, `cease=4`, `move=4`, `join=5`, `away=3`.
    fn from_str(text: &str) -> Result<Change, ()> {
        let (word, number) = text.trim().split_once('=').ok_or(())?;
        let organisation = OrganisationId(number.parse().map_err(|_| ())?);
        Ok(match word {
            "leave" => Change::Leave(organisation),
            "cease" => Change::Cease(organisation),
            "move" => Change::Move(organisation),
            "join" => Change::Join(organisation),
            "away" => Change::Away(organisation),
            _ => return Err(()),
        })
    }
}

/// A change is of an organisation that is no member, or has neither seat nor place among those who
/// wait for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown(pub OrganisationId);

/// A seat as it stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SeatLine {
    /// Whose.
    pub organisation: OrganisationId,
    /// Where its node stands.
    pub status: NodeStatus,
    /// First height that its keys vote at.
    pub votes_from: Option<Height>,
    /// Seen alive (RULINGS A17).
    pub alive: bool,
    /// Why it must go, if it must.
    pub going: Option<Going>,
    /// Since when new keys wait for it.
    pub keys_wait_since: Option<LedgerTime>,
}

/// Somebody who waits for a later handover.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WaitingLine {
    /// Who.
    pub organisation: OrganisationId,
    /// For what.
    pub wanting: Wanting,
    /// Why it waits.
    pub hindrance: Hindrance,
}

impl From<&Waiting> for WaitingLine {
    fn from(waiting: &Waiting) -> Self {
        WaitingLine {
            organisation: waiting.organisation,
            wanting: waiting.wanting,
            hindrance: waiting.hindrance,
        }
    }
}

/// A handover that would be made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HandoverLine {
    /// The earliest height of its block.
    pub height: Height,
    /// Who holds the seats after it, ascending.
    pub seats: Vec<OrganisationId>,
    /// Validators that must agree after it.
    pub quorum: u32,
    /// Of those who hold the seats after it, how many were seen alive before it.
    pub alive: u32,
    /// Whose seats end.
    pub gone: Vec<OrganisationId>,
    /// Whose seats get new keys.
    pub renewed: Vec<OrganisationId>,
    /// Who gets a seat.
    pub joined: Vec<OrganisationId>,
    /// Who waits for a later one, and why.
    pub waiting: Vec<WaitingLine>,
}

/// The seats, and the handovers to come.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ValidatorsView {
    /// The height that this is said of.
    pub height: Height,
    /// The seats, ascending.
    pub seats: Vec<SeatLine>,
    /// Validators that must agree.
    pub quorum: u32,
    /// How many were seen alive.
    pub alive: u32,
    /// Who is ready for a seat, in their order.
    pub candidates: Vec<OrganisationId>,
    /// Seats at most.
    pub most: u32,
    /// Blocks between two handovers at least.
    pub handover_blocks: u64,
    /// Blocks for which somebody who signed counts as alive.
    pub alive_blocks: u64,
    /// Height of the last handover; 0 before the first.
    pub last_handover: Height,
    /// The handovers to come.
    pub handovers: Vec<HandoverLine>,
    /// Who waits when none is left to make, and why.
    pub stuck: Vec<WaitingLine>,
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The seats as they stand for the block at `height`, and what the handovers to come make of them and
/// of `changes`. Refused where a change names somebody that it cannot be of.
pub fn of(
    tables: &StateTables,
    height: Height,
    changes: &[Change],
) -> Result<ValidatorsView, Unknown> {
    let none = || Unknown(OrganisationId(0));
    let facts = tables.chain.get(&0).ok_or_else(none)?;
    let charter = tables.parameters.get(&facts.charter).ok_or_else(none)?;
    let seats = validators::current(tables);
    let mut council = Council::of(tables, &seats, height).ok_or_else(none)?;
    let lines = council.seats.iter().filter_map(|(organisation, seat)| {
        let node = tables.nodes.get(organisation)?;
        Some(SeatLine {
            organisation: *organisation,
            status: node.status,
            votes_from: node.votes_from,
            alive: seat.alive,
            going: seat.going,
            keys_wait_since: seat.renewal.map(|renewal| renewal.since_ms),
        })
    });
    let mut candidates = council.candidates.clone();
    candidates.sort_unstable_by_key(Candidate::turn);
    let mut view = ValidatorsView {
        height,
        seats: lines.collect(),
        quorum: count(quorum(seats.len())),
        alive: count(council.seats.values().filter(|seat| seat.alive).count()),
        candidates: candidates
            .iter()
            .map(|candidate| candidate.organisation)
            .collect(),
        most: charter.chain.validator_seats,
        handover_blocks: charter.chain.handover_blocks,
        alive_blocks: charter.chain.alive_blocks,
        last_handover: facts.handover_height,
        handovers: Vec::new(),
        stuck: Vec::new(),
    };
    let mut away = Vec::new();
    for (place, change) in (0..).zip(changes) {
        apply(tables, &mut council, &mut away, *change, place)?;
    }
    let (mut at, every) = (facts.handover_height, charter.chain.handover_blocks);
    while view.handovers.len() < AHEAD {
        let decision = council.decide();
        let waiting: Vec<WaitingLine> = decision.waiting.iter().map(Into::into).collect();
        if !decision.is_change() {
            view.stuck = waiting;
            break;
        }
        at = at.plus(every).max(height);
        view.handovers.push(HandoverLine {
            height: at,
            quorum: count(quorum(decision.seats.len())),
            alive: count(decision.alive),
            seats: decision.seats.clone(),
            gone: decision.gone.clone(),
            renewed: decision.renewed.clone(),
            joined: decision.joined.clone(),
            waiting,
        });
        follow(&mut council, &decision, &away);
    }
    Ok(view)
}

/// The council after a handover. Whoever got a seat or new keys signs from then on, but for those who
/// are `away`.
fn follow(council: &mut Council, decision: &Decision, away: &[OrganisationId]) {
    council
        .seats
        .retain(|organisation, _| !decision.gone.contains(organisation));
    for organisation in &decision.renewed {
        if let Some(seat) = council.seats.get_mut(organisation) {
            seat.renewal = None;
            seat.alive = !away.contains(organisation);
        }
    }
    let (joined, left): (Vec<_>, Vec<_>) = council
        .candidates
        .drain(..)
        .partition(|candidate| decision.joined.contains(&candidate.organisation));
    council.candidates = left;
    for candidate in joined {
        let seat = Sitting {
            going: None,
            renewal: None,
            alive: !away.contains(&candidate.organisation),
            group: candidate.group,
            ready: candidate.ready,
        };
        council.seats.insert(candidate.organisation, seat);
    }
}

/// Makes a change that somebody thinks of.
fn apply(
    tables: &StateTables,
    council: &mut Council,
    away: &mut Vec<OrganisationId>,
    change: Change,
    place: u32,
) -> Result<(), Unknown> {
    let (Change::Leave(organisation)
    | Change::Cease(organisation)
    | Change::Move(organisation)
    | Change::Join(organisation)
    | Change::Away(organisation)) = change;
    let waits = |council: &Council| {
        let mut candidates = council.candidates.iter();
        candidates.any(|candidate| candidate.organisation == organisation)
    };
    // After everybody who waits already.
    let since_ms = LedgerTime((u64::MAX - CHANGES_MAX as u64).saturating_add(u64::from(place)));
    if let Change::Join(_) = change {
        // The rules let nobody else be ready.
        if !rights::is_live(tables, organisation) {
            return Err(Unknown(organisation));
        }
        let sits = council.seats.contains_key(&organisation);
        if !sits && !waits(council) {
            council.candidates.push(Candidate {
                since_ms,
                ready: (u32::MAX - count(CHANGES_MAX)).saturating_add(place),
                organisation,
                group: groups::group_of(tables, organisation),
            });
        }
        return Ok(());
    }
    if let Change::Away(_) = change {
        away.push(organisation);
    }
    let Some(seat) = council.seats.get_mut(&organisation) else {
        if !waits(council) {
            return Err(Unknown(organisation));
        }
        if matches!(change, Change::Leave(_) | Change::Cease(_)) {
            council
                .candidates
                .retain(|candidate| candidate.organisation != organisation);
        }
        return Ok(());
    };
    match change {
        Change::Leave(_) => seat.going = seat.going.or(Some(Going::Asked)),
        Change::Cease(_) => seat.going = Some(Going::NoMember),
        Change::Move(_) => {
            let waiting = seat.renewal.filter(|renewal| renewal.signs_anew);
            seat.renewal = waiting.or(Some(Renewal {
                since_ms,
                signs_anew: true,
            }));
        }
        Change::Away(_) => seat.alive = false,
        Change::Join(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::GroupId;

    fn council(seats: u32, most: usize) -> Council {
        let seat = |number: u32| Sitting {
            going: None,
            renewal: None,
            alive: true,
            group: GroupId(OrganisationId(number)),
            ready: 0,
        };
        Council {
            seats: (1..=seats).map(|n| (OrganisationId(n), seat(n))).collect(),
            candidates: Vec::new(),
            most,
        }
    }

    /// docs/operating.md says how many handovers lie between four seats and thirteen.
    #[test]
    fn six_handovers_from_four_seats_to_thirteen() {
        let mut council = council(4, 13);
        council.candidates = (5..=14)
            .map(|n| Candidate {
                since_ms: LedgerTime(u64::from(n)),
                ready: n,
                organisation: OrganisationId(n),
                group: GroupId(OrganisationId(n)),
            })
            .collect();
        let mut sizes = vec![4];
        loop {
            let decision = council.decide();
            if !decision.is_change() {
                let full = |waiting: &Waiting| waiting.hindrance == Hindrance::Full;
                assert!(decision.waiting.iter().all(full), "{decision:?}");
                assert_eq!(decision.waiting.len(), 1);
                break;
            }
            follow(&mut council, &decision, &[]);
            sizes.push(decision.seats.len());
        }
        assert_eq!(sizes, [4, 5, 6, 7, 9, 11, 13]);
    }

    /// New keys wait while one of four is away: three must have been seen, and whoever gets new keys
    /// was not.
    #[test]
    fn new_keys_need_a_quorum_of_the_others() {
        let mut council = council(4, 13);
        let renewal = Some(Renewal {
            since_ms: LedgerTime(7),
            signs_anew: true,
        });
        council.seats.get_mut(&OrganisationId(2)).unwrap().renewal = renewal;
        assert_eq!(council.decide().renewed, [OrganisationId(2)]);
        assert_eq!(council.decide().alive, 3);
        council.seats.get_mut(&OrganisationId(4)).unwrap().alive = false;
        let decision = council.decide();
        assert!(!decision.is_change());
        assert_eq!(decision.waiting[0].hindrance, Hindrance::FewAlive);
        // Whoever is away itself may get new keys: this is how a seat comes back.
        council.seats.get_mut(&OrganisationId(2)).unwrap().renewal = None;
        council.seats.get_mut(&OrganisationId(4)).unwrap().renewal = renewal;
        assert_eq!(council.decide().renewed, [OrganisationId(4)]);
        // Two at once are one too many; who asked first is first.
        council.seats.get_mut(&OrganisationId(4)).unwrap().alive = true;
        let earlier = Renewal {
            since_ms: LedgerTime(5),
            signs_anew: true,
        };
        council.seats.get_mut(&OrganisationId(3)).unwrap().renewal = Some(earlier);
        let decision = council.decide();
        assert_eq!(decision.renewed, [OrganisationId(3)]);
        assert_eq!(decision.waiting[0].hindrance, Hindrance::Turn);
    }
}
