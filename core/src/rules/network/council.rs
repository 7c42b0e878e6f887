//! Who holds the validator seats after a handover, and why somebody does not (RULINGS A3, A17, A53):
//! one computation, asked by the rules and by whoever wants to know beforehand.
//!
//! * First the seats that must go, ascending; then, in one queue, new keys of seats that stay and
//!   candidates: who has waited longest is first, so that nobody who asks again and again keeps others
//!   out. Candidates among themselves come in the order of `Ready`. All together are at most f.
//! * A seat goes only if four are left and a quorum of those left was seen alive. Where fewer than four
//!   would be left, the first candidate of a free group takes its place in the same handover, which is
//!   one seat changed: else four seats of which one is gone for good could never change again. New keys
//!   come only if a quorum of the others was seen alive: nobody has seen them yet. A candidate comes
//!   only if a quorum of the set with it was seen alive without it.
//! * New keys for serving the log alone change no vote: they take no place among the f.

use std::collections::BTreeMap;

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
    /// Ledger time since which it waits.
    pub since_ms: LedgerTime,
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
                    since_ms: node.since_ms,
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
        let mut draft = Draft {
            council: self,
            decision: Decision::default(),
            budget: self.seats.len().saturating_sub(1) / 3,
            next: self
                .seats
                .iter()
                .map(|(organisation, seat)| (*organisation, seat.alive))
                .collect(),
        };
        let mut candidates: Vec<&Candidate> = self.candidates.iter().collect();
        candidates.sort_unstable_by_key(|candidate| candidate.turn());
        for (organisation, _) in self.seats.iter().filter(|(_, seat)| seat.going.is_some()) {
            draft.go(*organisation, &mut candidates);
        }
        let mut queue: Vec<(Turn, Wish)> = candidates
            .into_iter()
            .map(|candidate| (candidate.turn(), Wish::Join(candidate)))
            .collect();
        queue.extend(self.seats.iter().filter_map(|(organisation, seat)| {
            let renewal = seat.renewal?;
            let stays = draft.next.contains_key(organisation);
            // Of those who asked in one block, keys come before candidates.
            let turn = (renewal.since_ms, 0, *organisation);
            stays.then_some((turn, Wish::Renew(*organisation, renewal.signs_anew)))
        }));
        queue.sort_unstable_by_key(|(turn, wish)| (*turn, matches!(wish, Wish::Join(_))));
        for (_, wish) in queue {
            match wish {
                Wish::Renew(organisation, signs_anew) => draft.renew(organisation, signs_anew),
                Wish::Join(candidate) => draft.join(candidate),
            }
        }
        let Draft {
            mut decision, next, ..
        } = draft;
        decision.renewed.sort_unstable();
        decision.joined.sort_unstable();
        decision.alive = next.values().filter(|alive| **alive).count();
        decision.seats = next.into_keys().collect();
        decision
    }
}

/// Since when somebody waits, its place in the order of `Ready`, who.
pub(crate) type Turn = (LedgerTime, u32, OrganisationId);

impl Candidate {
    /// Its turn among those who wait.
    pub(crate) fn turn(&self) -> Turn {
        (self.since_ms, self.ready, self.organisation)
    }
}

/// What somebody in the queue waits for.
enum Wish<'a> {
    /// New keys; whether somebody else signs then.
    Renew(OrganisationId, bool),
    /// A seat.
    Join(&'a Candidate),
}

/// A handover that is being decided.
struct Draft<'a> {
    council: &'a Council,
    decision: Decision,
    /// Seats that may still change.
    budget: usize,
    /// Who holds a seat then, and whether that was seen alive.
    next: BTreeMap<OrganisationId, bool>,
}

impl Draft<'_> {
    /// Seats then that were seen alive, but for one.
    fn living(&self, without: Option<OrganisationId>) -> usize {
        let others = self.next.iter().filter(|(who, _)| Some(**who) != without);
        others.filter(|(_, alive)| **alive).count()
    }

    /// Whether a company of the group holds a seat then, but for one.
    fn taken(&self, group: GroupId, without: Option<OrganisationId>) -> bool {
        let others = self.next.keys().filter(|who| Some(**who) != without);
        let mut groups = others.filter_map(|who| self.group_of(*who));
        groups.any(|other| other == group)
    }

    fn group_of(&self, organisation: OrganisationId) -> Option<GroupId> {
        if let Some(seat) = self.council.seats.get(&organisation) {
            return Some(seat.group);
        }
        let mut candidates = self.council.candidates.iter();
        let candidate = candidates.find(|candidate| candidate.organisation == organisation)?;
        Some(candidate.group)
    }

    fn wait(&mut self, organisation: OrganisationId, wanting: Wanting, hindrance: Hindrance) {
        self.decision.waiting.push(Waiting {
            organisation,
            wanting,
            hindrance,
        });
    }

    /// A seat that must go. Where too few would be left the first of `candidates` that can takes its
    /// place, and is none of them any more.
    fn go(&mut self, organisation: OrganisationId, candidates: &mut Vec<&Candidate>) {
        let left = self.next.len().saturating_sub(1);
        let few = left < SEATS_LEAST;
        let free = |candidate: &&Candidate| !self.taken(candidate.group, Some(organisation));
        let in_place = candidates.iter().position(free).filter(|_| few);
        let then = left + usize::from(in_place.is_some());
        let hindrance = if then < SEATS_LEAST {
            Hindrance::FewSeats
        } else if self.budget == 0 {
            Hindrance::Turn
        } else if self.living(Some(organisation)) < quorum(then) {
            Hindrance::FewAlive
        } else {
            self.next.remove(&organisation);
            self.decision.gone.push(organisation);
            self.budget -= 1;
            if let Some(at) = in_place {
                let candidate = candidates.remove(at);
                self.next.insert(candidate.organisation, false);
                self.decision.joined.push(candidate.organisation);
            }
            return;
        };
        self.wait(organisation, Wanting::Go, hindrance);
    }

    fn renew(&mut self, organisation: OrganisationId, signs_anew: bool) {
        let hindrance = if !signs_anew {
            self.decision.renewed.push(organisation);
            return;
        } else if self.budget == 0 {
            Hindrance::Turn
        } else if self.living(Some(organisation)) < quorum(self.next.len()) {
            Hindrance::FewAlive
        } else {
            self.next.insert(organisation, false);
            self.decision.renewed.push(organisation);
            self.budget -= 1;
            return;
        };
        self.wait(organisation, Wanting::Renew, hindrance);
    }

    fn join(&mut self, candidate: &Candidate) {
        let hindrance = if self.taken(candidate.group, None) {
            Hindrance::SameGroup
        } else if self.next.len() >= self.council.most {
            Hindrance::Full
        } else if self.budget == 0 {
            Hindrance::Turn
        } else if self.living(None) < quorum(self.next.len() + 1) {
            Hindrance::FewAlive
        } else {
            self.next.insert(candidate.organisation, false);
            self.decision.joined.push(candidate.organisation);
            self.budget -= 1;
            return;
        };
        self.wait(candidate.organisation, Wanting::Join, hindrance);
    }
}
