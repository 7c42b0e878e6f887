//! Who holds the validator seats after a handover, and why somebody does not (RULINGS A3, A17, A53):
//! one computation, asked by the rules and by whoever wants to know beforehand.
//!
//! * First the seats that must go, ascending; then new keys of seats that stay, who asked first
//!   first; then candidates, in the order of `Ready`. All together are at most f.
//! * A seat goes only if four are left and a quorum of those left was seen alive. New keys come only
//!   if a quorum of the others was seen alive: nobody has seen them yet. A candidate comes only if a
//!   quorum of the grown set was seen alive without it.
//! * New keys for serving the log alone change no vote: they take no place among the f.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_proof::chain::quorum;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

use crate::id::GroupId;
use crate::lookup::{groups, rights};
use crate::object::node::{NodeFacts, NodeStatus};
use crate::state::StateTables;

/// Seats that a handover leaves at least (RULINGS A17).
pub const SEATS_LEAST: usize = 4;

/// Why a seat must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Going {
    /// Its operator gave it up.
    Asked,
    /// Its company is no member any more.
    NoMember,
    /// A company of its group has a seat since earlier.
    SameGroup,
}

crate::words!(Going, "validator.going", {
    Asked = "asked",
    NoMember = "no-member",
    SameGroup = "same-group",
});

/// New keys of a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Who asked first is served first.
    pub since_ms: LedgerTime,
    /// Whether somebody else signs then.
    pub signs_anew: bool,
}

/// A seat of this epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sitting {
    /// Why it must go, if it must.
    pub going: Option<Going>,
    /// Its new keys, if it gets some.
    pub renewal: Option<Renewal>,
    /// Seen alive (RULINGS A17).
    pub alive: bool,
    /// Its group.
    pub group: GroupId,
    /// Its place in the order of `Ready`; 0 for seats of the genesis.
    pub ready: u32,
}

/// A candidate for a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its place in the order of `Ready`.
    pub ready: u32,
    /// Who it is.
    pub organisation: OrganisationId,
    /// Its group.
    pub group: GroupId,
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanting {
    /// Its seat's end.
    Go,
    /// New keys for its seat.
    Renew,
    /// A seat.
    Join,
}

crate::words!(Wanting, "validator.wanting", {
    Go = "go",
    Renew = "renew",
    Join = "join",
});

/// Why somebody waits for a later handover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hindrance {
    /// As many places as one handover may change are taken.
    Turn,
    /// Fewer than four seats would be left.
    FewSeats,
    /// Fewer than the quorum were seen alive.
    FewAlive,
    /// Every seat is taken.
    Full,
    /// A company of its group has a seat.
    SameGroup,
}

crate::words!(Hindrance, "validator.hindrance", {
    Turn = "turn",
    FewSeats = "few-seats",
    FewAlive = "few-alive",
    Full = "full",
    SameGroup = "same-group",
});

/// Somebody who waits for a later handover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub organisation: OrganisationId,
    /// For what.
    pub wanting: Wanting,
    /// Why.
    pub hindrance: Hindrance,
}

/// What a handover comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Who holds the seats then, ascending.
    pub seats: Vec<OrganisationId>,
    /// Whose seats end.
    pub gone: Vec<OrganisationId>,
    /// Whose seats get new keys.
    pub renewed: Vec<OrganisationId>,
    /// Who gets a seat.
    pub joined: Vec<OrganisationId>,
    /// Who waits.
    pub waiting: Vec<Waiting>,
    /// How many of the seats then were seen alive: those with new keys and new ones were not.
    pub alive: usize,
}

impl Decision {
    /// Whether anything changes.
    pub fn is_change(&self) -> bool {
        !(self.gone.is_empty() && self.renewed.is_empty() && self.joined.is_empty())
    }
}

/// Seats and candidates as they stand before a handover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Council {
    /// The seats of this epoch.
    pub seats: BTreeMap<OrganisationId, Sitting>,
    /// Who waits for one.
    pub candidates: Vec<Candidate>,
    /// Seats at most.
    pub most: usize,
}

/// Why a seat must go, as its company stands.
pub fn going(
    tables: &StateTables,
    organisation: OrganisationId,
    node: &NodeFacts,
) -> Option<Going> {
    if node.status != NodeStatus::Leaving {
        return None;
    }
    if !rights::is_live(tables, organisation) {
        return Some(Going::NoMember);
    }
    let group = groups::group_of(tables, organisation);
    let earlier = tables.nodes.iter().any(|(other, entry)| {
        entry.status == NodeStatus::Validator
            && (entry.ready, *other) < (node.ready, organisation)
            && groups::group_of(tables, *other) == group
    });
    Some(if earlier {
        Going::SameGroup
    } else {
        Going::Asked
    })
}

impl Council {
    /// As the tables have it for the block at `height`, whose charter counts somebody as alive for
    /// `alive_blocks`.
    pub fn of(tables: &StateTables, seats: &[OrganisationId], height: Height) -> Option<Council> {
        let facts = tables.chain.get(&0)?;
        let charter = tables.parameters.get(&facts.charter)?;
        let alive = |organisation: &OrganisationId| {
            let seen = tables.alive.get(organisation);
            seen.is_some_and(|seen| seen.plus(charter.chain.alive_blocks) >= height)
        };
        let seat = |organisation: &OrganisationId| {
            let node = tables.nodes.get(organisation)?;
            let renewal = node.coming.map(|coming| Renewal {
                since_ms: coming.since_ms,
                signs_anew: coming.signs_anew(node),
            });
            let sitting = Sitting {
                going: going(tables, *organisation, node),
                renewal,
                alive: alive(organisation),
                group: groups::group_of(tables, *organisation),
                ready: node.ready,
            };
            Some((*organisation, sitting))
        };
        let candidates = tables.nodes.iter().filter(|(organisation, node)| {
            node.status == NodeStatus::Candidate && rights::is_live(tables, **organisation)
        });
        Some(Council {
            seats: seats.iter().filter_map(seat).collect(),
            candidates: candidates
                .map(|(organisation, node)| Candidate {
                    ready: node.ready,
                    organisation: *organisation,
                    group: groups::group_of(tables, *organisation),
                })
                .collect(),
            most: charter.chain.validator_seats as usize,
        })
    }

    /// What a handover makes of it.
    pub fn decide(&self) -> Decision {
        let mut decision = Decision::default();
        let mut budget = self.seats.len().saturating_sub(1) / 3;
        // Who holds a seat, and whether that was seen alive.
        let mut next: BTreeMap<OrganisationId, bool> = self
            .seats
            .iter()
            .map(|(organisation, seat)| (*organisation, seat.alive))
            .collect();
        let living = |next: &BTreeMap<OrganisationId, bool>, without: Option<OrganisationId>| {
            let others = next.iter().filter(|(who, _)| Some(**who) != without);
            others.filter(|(_, alive)| **alive).count()
        };
        let wait = |decision: &mut Decision, organisation, wanting, hindrance| {
            decision.waiting.push(Waiting {
                organisation,
                wanting,
                hindrance,
            });
        };
        for (organisation, _) in self.seats.iter().filter(|(_, seat)| seat.going.is_some()) {
            let left = next.len().saturating_sub(1);
            let hindrance = if left < SEATS_LEAST {
                Hindrance::FewSeats
            } else if budget == 0 {
                Hindrance::Turn
            } else if living(&next, Some(*organisation)) < quorum(left) {
                Hindrance::FewAlive
            } else {
                next.remove(organisation);
                decision.gone.push(*organisation);
                budget -= 1;
                continue;
            };
            wait(&mut decision, *organisation, Wanting::Go, hindrance);
        }
        let mut renewals: Vec<(LedgerTime, OrganisationId, bool)> = self
            .seats
            .iter()
            .filter(|(organisation, _)| next.contains_key(organisation))
            .filter_map(|(organisation, seat)| {
                let renewal = seat.renewal?;
                Some((renewal.since_ms, *organisation, renewal.signs_anew))
            })
            .collect();
        renewals.sort_unstable();
        for (_, organisation, signs_anew) in renewals {
            let hindrance = if !signs_anew {
                decision.renewed.push(organisation);
                continue;
            } else if budget == 0 {
                Hindrance::Turn
            } else if living(&next, Some(organisation)) < quorum(next.len()) {
                Hindrance::FewAlive
            } else {
                next.insert(organisation, false);
                decision.renewed.push(organisation);
                budget -= 1;
                continue;
            };
            wait(&mut decision, organisation, Wanting::Renew, hindrance);
        }
        decision.renewed.sort_unstable();
        let mut candidates = self.candidates.clone();
        candidates.sort_unstable_by_key(|candidate| (candidate.ready, candidate.organisation));
        let mut taken: BTreeSet<GroupId> = next
            .keys()
            .filter_map(|organisation| self.seats.get(organisation))
            .map(|seat| seat.group)
            .collect();
        for candidate in candidates {
            let hindrance = if taken.contains(&candidate.group) {
                Hindrance::SameGroup
            } else if next.len() >= self.most {
                Hindrance::Full
            } else if budget == 0 {
                Hindrance::Turn
            } else if living(&next, None) < quorum(next.len() + 1) {
                Hindrance::FewAlive
            } else {
                next.insert(candidate.organisation, false);
                taken.insert(candidate.group);
                decision.joined.push(candidate.organisation);
                budget -= 1;
                continue;
            };
            wait(
                &mut decision,
                candidate.organisation,
                Wanting::Join,
                hindrance,
            );
        }
        decision.joined.sort_unstable();
        decision.alive = living(&next, None);
        decision.seats = next.into_keys().collect();
        decision
    }
}
