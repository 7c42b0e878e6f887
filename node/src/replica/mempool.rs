//! Records that were admitted and wait for a block. Held in memory, promised to nobody (RULINGS
//! A11).
//!
//! * Bounded in number and bytes, in all and per organisation, so that one member's flood costs
//!   that member its own share.
//! * One entry per record id, and one per number of a person in a lane (RULINGS A59): the first one
//!   that came keeps it. Ids decided lately are remembered so that late gossip does not bring them
//!   back.
//! * Organisations have turns: of each one the records go in order of arrival, one a turn, and who
//!   found no place in a body is first in the next. All who are neither live members nor offices
//!   share one turn, so that companies which anybody may introduce gain no place by their number
//!   (RULINGS A39). Entries expire with their record.
//! * A record that is refused when its turn comes is parked: it leaves the queue, so that it keeps no
//!   place and wants no block, and is judged again seldom. Whoever has many parked may hand in no
//!   more until they are gone (RULINGS A39).
//! * Records handed in here are offered to the others again, less and less often, until decided:
//!   gossip may drop.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rollbook_core::block::{BODY_MAX_RECORDS, BODY_MAX_SIGNATURES};
use rollbook_core::id::PersonId;
use rollbook_core::record::{Number, Payload, Record};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{LedgerTime, OrganisationId};

use super::message::{BATCH_BYTES, BATCH_RECORDS, Envelope};

/// Bounds of the pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Records in all.
    pub records: usize,
    /// Bytes in all.
    pub bytes: usize,
    /// Records of one organisation.
    pub organisation_records: usize,
    /// Bytes of one organisation.
    pub organisation_bytes: usize,
    /// Decided ids remembered.
    pub remembered: usize,
    /// Parked records of one person, above which no new one is taken.
    pub person_parked: usize,
    /// Parked records of one organisation, above which no new one is taken.
    pub organisation_parked: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        PoolLimits {
            records: 20_000,
            bytes: 32 * 1024 * 1024,
            organisation_records: 4_000,
            organisation_bytes: 8 * 1024 * 1024,
            remembered: 50_000,
            person_parked: 64,
            organisation_parked: 256,
        }
    }
}

/// Why the pool did not take an admissible record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolRefusal {
    /// Already waiting: harmless.
    #[error("the record is already in the pool")]
    Known,
    /// Already decided: harmless.
    #[error("the record is already decided")]
    Decided,
    /// Another record that waits holds the number.
    #[error("record {0} waits in the pool with the same number of the same person")]
    NumberTaken(Hash),
    /// The organisation's share is used up.
    #[error(
        "the organisation has as much in the pool as one may; try again when some of it is decided"
    )]
    OrganisationFull,
    /// Too many records of the person or the organisation wait without applying.
    #[error(
        "{0} records of this person or organisation wait without applying; hand in more once they \
         apply or have expired"
    )]
    Parked(usize),
    /// The whole pool is.
    #[error("the pool is full; try again later")]
    Full,
}

#[derive(Debug)]
struct Entry {
    /// Place in the queue; of a parked record its place among those.
    order: u64,
    envelope: Envelope,
    /// When it is judged again, if it is parked.
    parked: Option<u64>,
}

impl Entry {
    fn size(&self) -> usize {
        self.envelope.bytes().len()
    }

    /// The principal, against whose share the record counts.
    fn organisation(&self) -> OrganisationId {
        self.envelope.record().payload.principal
    }

    /// Who began it.
    fn person(&self) -> PersonId {
        self.envelope.record().payload.officer
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Share {
    records: usize,
    bytes: usize,
    parked: usize,
}

/// Whose turn it is: an organisation's, or that of all who share one.
type Turn = Option<OrganisationId>;

/// A record to offer again.
#[derive(Debug, Clone, Copy)]
struct Offer {
    due_ms: u64,
    pause_ms: u64,
}

/// The pool.
#[derive(Debug)]
pub struct Mempool {
    limits: PoolLimits,
    /// Boxed: an entry is long, and a map moves its neighbours about.
    entries: BTreeMap<Hash, Box<Entry>>,
    numbers: BTreeMap<Number, Hash>,
    queue: BTreeMap<u64, Hash>,
    /// The queue of each organisation.
    lanes: BTreeMap<OrganisationId, BTreeMap<u64, Hash>>,
    /// Whose turn is first in the next body.
    first_turn: Turn,
    /// By the time they are judged again, then in order.
    parked: BTreeSet<(u64, u64, Hash)>,
    parked_of: BTreeMap<PersonId, usize>,
    shares: BTreeMap<OrganisationId, Share>,
    bytes: usize,
    next_order: u64,
    /// With the digest of the bytes that waited here, if they did.
    decided: BTreeMap<Hash, Option<Hash>>,
    decided_order: VecDeque<Hash>,
    outbox: VecDeque<Hash>,
    offers: BTreeMap<Hash, Offer>,
}

impl Mempool {
    /// First pause before a record handed in here is offered again.
    const OFFER_PAUSE_MS: u64 = 3_000;
    /// Longest pause.
    const OFFER_PAUSE_MAX_MS: u64 = 60_000;

    /// An empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Mempool {
            limits,
            entries: BTreeMap::new(),
            numbers: BTreeMap::new(),
            queue: BTreeMap::new(),
            lanes: BTreeMap::new(),
            first_turn: None,
            parked: BTreeSet::new(),
            parked_of: BTreeMap::new(),
            shares: BTreeMap::new(),
            bytes: 0,
            next_order: 0,
            decided: BTreeMap::new(),
            decided_order: VecDeque::new(),
            outbox: VecDeque::new(),
            offers: BTreeMap::new(),
        }
    }

    /// Records waiting.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes waiting.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether this record waits here, or did until it was decided, in these very bytes. An id does not
    /// cover the signatures.
    pub fn holds(&self, envelope: &Envelope) -> bool {
        match self.entries.get(&envelope.id()) {
            Some(entry) => entry.envelope.bytes() == envelope.bytes(),
            None => {
                let decided = self.decided.get(&envelope.id());
                decided.is_some_and(|bytes| *bytes == Some(sha256(envelope.bytes())))
            }
        }
    }

    /// Whether the id needs no second look: waiting or lately decided.
    pub fn knows(&self, id: &Hash) -> Option<PoolRefusal> {
        if self.entries.contains_key(id) {
            Some(PoolRefusal::Known)
        } else if self.decided.contains_key(id) {
            Some(PoolRefusal::Decided)
        } else {
            None
        }
    }

    /// The record that waits with this number.
    pub fn with_number(&self, number: &Number) -> Option<Hash> {
        self.numbers.get(number).copied()
    }

    /// The highest number of a person in a lane among the records that wait; 0 if there is none.
    pub fn highest(&self, person: PersonId, lane: ReadClass) -> u64 {
        let of_it = self
            .numbers
            .range((person, lane, 0)..=(person, lane, u64::MAX));
        of_it.last().map_or(0, |((_, _, number), _)| *number)
    }

    /// Takes an admitted record. `local` records go out to the others, now and again until decided.
    pub fn insert(
        &mut self,
        envelope: Envelope,
        local: bool,
        now_ms: u64,
    ) -> Result<(), PoolRefusal> {
        let entry = Box::new(Entry {
            order: self.next_order,
            envelope,
            parked: None,
        });
        let (id, size, organisation) = (entry.envelope.id(), entry.size(), entry.organisation());
        if let Some(refusal) = self.knows(&id) {
            return Err(refusal);
        }
        let number = entry.envelope.record().payload.number();
        if let Some(other) = self.numbers.get(&number) {
            return Err(PoolRefusal::NumberTaken(*other));
        }
        if self.entries.len() >= self.limits.records || self.bytes + size > self.limits.bytes {
            return Err(PoolRefusal::Full);
        }
        let of_person = self.parked_of.get(&entry.person()).copied().unwrap_or(0);
        let of_organisation = self.shares.get(&organisation).map_or(0, |s| s.parked);
        if of_person >= self.limits.person_parked {
            return Err(PoolRefusal::Parked(of_person));
        }
        if of_organisation >= self.limits.organisation_parked {
            return Err(PoolRefusal::Parked(of_organisation));
        }
        let share = self.shares.entry(organisation).or_default();
        if share.records >= self.limits.organisation_records
            || share.bytes + size > self.limits.organisation_bytes
        {
            return Err(PoolRefusal::OrganisationFull);
        }
        share.records += 1;
        share.bytes += size;
        self.bytes += size;
        self.next_order += 1;
        let order = entry.order;
        self.numbers.insert(number, id);
        self.entries.insert(id, entry);
        self.enqueue(organisation, order, id);
        if local {
            self.outbox.push_back(id);
            self.offers.insert(
                id,
                Offer {
                    due_ms: now_ms + Self::OFFER_PAUSE_MS,
                    pause_ms: Self::OFFER_PAUSE_MS,
                },
            );
        }
        Ok(())
    }

    /// Takes a record that does not apply out of the queue; it is judged again at `due_ms`.
    pub fn park(&mut self, id: &Hash, due_ms: u64) {
        self.unpark(id);
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.parked = Some(due_ms);
        let (order, organisation) = (entry.order, entry.organisation());
        self.parked.insert((due_ms, order, *id));
        *self.parked_of.entry(entry.person()).or_default() += 1;
        if let Some(share) = self.shares.get_mut(&organisation) {
            share.parked += 1;
        }
        self.dequeue(organisation, order);
    }

    fn enqueue(&mut self, organisation: OrganisationId, order: u64, id: Hash) {
        self.queue.insert(order, id);
        self.lanes
            .entry(organisation)
            .or_default()
            .insert(order, id);
    }

    fn dequeue(&mut self, organisation: OrganisationId, order: u64) {
        self.queue.remove(&order);
        if let Some(lane) = self.lanes.get_mut(&organisation) {
            lane.remove(&order);
            if lane.is_empty() {
                self.lanes.remove(&organisation);
            }
        }
    }

    /// Puts a parked record back into the queue, where it stood.
    pub fn unpark(&mut self, id: &Hash) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        let Some(due_ms) = entry.parked.take() else {
            return;
        };
        let (order, organisation, person) = (entry.order, entry.organisation(), entry.person());
        self.parked.remove(&(due_ms, order, *id));
        self.enqueue(organisation, order, *id);
        if let Some(share) = self.shares.get_mut(&organisation) {
            share.parked -= 1;
        }
        if let Some(count) = self.parked_of.get_mut(&person) {
            *count -= 1;
            if *count == 0 {
                self.parked_of.remove(&person);
            }
        }
    }

    /// Records that are parked.
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    /// The `n` parked records whose turn to be judged again comes first, of those due at `due_ms`.
    pub fn parked_until(&self, due_ms: u64, n: usize) -> Vec<Hash> {
        let due = self.parked.iter().take_while(|(at, ..)| *at <= due_ms);
        due.take(n).map(|(_, _, id)| *id).collect()
    }

    /// When the next parked record is to be judged again.
    pub fn next_parked(&self) -> Option<u64> {
        self.parked.first().map(|(at, ..)| *at)
    }

    /// Drops a record, if it waits.
    pub fn remove(&mut self, id: &Hash) {
        self.unpark(id);
        let Some(entry) = self.entries.remove(id) else {
            return;
        };
        self.dequeue(entry.organisation(), entry.order);
        self.offers.remove(id);
        self.numbers
            .remove(&entry.envelope.record().payload.number());
        let (size, organisation) = (entry.size(), entry.organisation());
        self.bytes -= size;
        if let Some(share) = self.shares.get_mut(&organisation) {
            share.records -= 1;
            share.bytes -= size;
            if share.records == 0 {
                self.shares.remove(&organisation);
            }
        }
    }

    /// Drops decided records and remembers their ids.
    pub fn decide(&mut self, ids: &[Hash]) {
        for id in ids {
            let entry = self.entries.get(id);
            let bytes = entry.map(|entry| sha256(entry.envelope.bytes()));
            self.remove(id);
            if self.decided.insert(*id, bytes).is_none() {
                self.decided_order.push_back(*id);
            }
        }
        while self.decided_order.len() > self.limits.remembered {
            if let Some(oldest) = self.decided_order.pop_front() {
                self.decided.remove(&oldest);
            }
        }
    }

    /// Drops records that may no longer apply at `ledger_ms`, and returns their ids with what they
    /// said of themselves.
    pub fn expire(&mut self, ledger_ms: LedgerTime) -> Vec<(Hash, Payload)> {
        let expired: Vec<(Hash, Payload)> = self
            .entries
            .iter()
            .map(|(id, entry)| (id, &entry.envelope.record().payload))
            .filter(|(_, payload)| payload.valid_until_ms < ledger_ms)
            .map(|(id, payload)| (*id, payload.clone()))
            .collect();
        expired.iter().for_each(|(id, _)| self.remove(id));
        expired
    }

    /// The next records, no more than fit into `room` bytes of a body: one of each turn, then the next
    /// of each. `has_turn` says which organisations have one of their own.
    pub fn candidates(
        &mut self,
        room: usize,
        has_turn: impl Fn(OrganisationId) -> bool,
    ) -> Vec<Record> {
        let mut turns: BTreeMap<Turn, Vec<(u64, Hash)>> = BTreeMap::new();
        for (organisation, lane) in &self.lanes {
            let turn = Some(*organisation).filter(|organisation| has_turn(*organisation));
            let most = lane.iter().take(BODY_MAX_RECORDS);
            let waiting = turns.entry(turn).or_default();
            waiting.extend(most.map(|(order, id)| (*order, *id)));
        }
        if let Some(shared) = turns.get_mut(&None) {
            shared.sort_unstable();
        }
        let mut turns: Vec<_> = turns
            .into_iter()
            .map(|(turn, waiting)| (turn, waiting.into_iter()))
            .collect();
        let first = turns.partition_point(|(turn, _)| *turn < self.first_turn);
        if first < turns.len() {
            turns.rotate_left(first);
        }
        let (mut bytes, mut signatures) = (0, 0);
        let mut records: Vec<Record> = Vec::new();
        let mut without_place: Option<Turn> = None;
        while !turns.is_empty() {
            turns.retain_mut(|(turn, waiting)| {
                let Some((_, id)) = waiting.next() else {
                    return false;
                };
                let Some(entry) = self.entries.get(&id) else {
                    return true;
                };
                let record = entry.envelope.record();
                if records.len() >= BODY_MAX_RECORDS
                    || bytes + entry.size() > room
                    || signatures + record.signatures.len() > BODY_MAX_SIGNATURES
                {
                    without_place.get_or_insert(*turn);
                    return false;
                }
                bytes += entry.size();
                signatures += record.signatures.len();
                records.push(record.clone());
                true
            });
        }
        if let Some(turn) = without_place {
            self.first_turn = turn;
        }
        records
    }

    /// The oldest `n` ids of the queue, to judge their records again on a new tip.
    pub fn oldest(&self, n: usize) -> Vec<Hash> {
        self.queue.values().take(n).copied().collect()
    }

    /// A record that waits.
    pub fn record(&self, id: &Hash) -> Option<&Record> {
        self.entries.get(id).map(|entry| entry.envelope.record())
    }

    /// When the next record is to be offered again.
    pub fn next_offer(&self) -> Option<u64> {
        self.offers.values().map(|offer| offer.due_ms).min()
    }

    /// Moves records whose pause is over to the outbox.
    pub fn offer_again(&mut self, now_ms: u64) {
        for (id, offer) in &mut self.offers {
            if offer.due_ms <= now_ms {
                offer.pause_ms = (offer.pause_ms * 2).min(Self::OFFER_PAUSE_MAX_MS);
                offer.due_ms = now_ms + offer.pause_ms;
                self.outbox.push_back(*id);
            }
        }
    }

    /// The next batch to gossip; empty when the outbox is.
    pub fn next_batch(&mut self) -> Vec<Vec<u8>> {
        let (mut bytes, mut batch) = (0, Vec::new());
        while let Some(id) = self.outbox.front().copied() {
            let Some(entry) = self.entries.get(&id) else {
                self.outbox.pop_front();
                continue;
            };
            if !batch.is_empty()
                && (batch.len() >= BATCH_RECORDS || bytes + entry.size() > BATCH_BYTES)
            {
                break;
            }
            bytes += entry.size();
            batch.push(entry.envelope.bytes().to_vec());
            self.outbox.pop_front();
        }
        batch
    }
}

#[cfg(test)]
#[path = "mempool_tests.rs"]
mod tests;
