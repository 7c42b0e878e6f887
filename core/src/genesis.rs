//! Genesis (RULINGS A2): the first leaves, the first policy, the first state, and the genesis hash.
//!
//! * Leaf 0 is policy 0; it commits to the RFC 6962 root of leaves 1..N. G = SHA-256(leaf 0).
//! * Leaves 1..N are items, one per leaf, in a fixed order of kinds: charter, offices, board,
//!   directions, organisations, observers, validating nodes. Within a kind: ascending by number.
//! * Leaf N+1 is seal 0: derived, without a certificate.
//! * Founders' signatures are ordinary `Found` records; nothing else is accepted before the last of
//!   them (M25).

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use rollbook_proof::chain::{LeafTag, Seal};
use rollbook_proof::codec::{DecodeError, Text, Wire, encode, strictly_ascending};
use rollbook_proof::crypto::{Hash, VerifierCache, sha256};
use rollbook_proof::log::{
    Clock, Continues, EpochPolicy, Frontier, GenesisFacts, PolicyValidator, leaf_hash,
};
use rollbook_proof::number::{EpochId, Height, LedgerTime, OrganisationId, ProtocolVersion};

use crate::calendar::{DEFAULT_OFFSET_MINUTES, LocalDay, MS_PER_DAY};
use crate::charter::{Charter, TERM_DAYS_MIN};
use crate::id::{CharterVersion, MotionId, PersonId, PostId};
use crate::identity::possession::Possession;
use crate::identity::{Name, OrganisationEntry, OrganisationKind, Role, Scope};
use crate::lookup;
use crate::lookup::groups;
use crate::lookup::protocol::PROTOCOL;
use crate::object::chain::{ChainFacts, CharterFacts, EpochFacts, EpochValidator};
use crate::object::direction::Direction;
use crate::object::post::{Post, PostStatus};
use crate::object::protocol::ProtocolFacts;
use crate::record::{Appointment, NodeKeys};
use crate::refusal::Refusal;
use crate::rules::affairs::observers;
use crate::rules::network::{turns, validators};
use crate::rules::{membership, posts, registration, seats};
use crate::state::State;
use crate::tx::{BlockContext, Counter, Tx};
use crate::{refuse, require};

pub mod file;

/// A first post.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct PostEntry {
    /// What the holder may do.
    pub role: Role,
    /// Person number of the holder.
    pub holder: PersonId,
    /// Person number of the deputy.
    pub deputy: Option<PersonId>,
    /// Until this ledger time.
    pub until_ms: LedgerTime,
}

/// A seat on the first board.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct SeatEntry {
    /// Organisation number.
    pub organisation: OrganisationId,
    /// Until this ledger time.
    pub until_ms: LedgerTime,
}

/// One item of the genesis, one leaf.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub enum GenesisItem {
    /// The charter and the instant at which the chain begins.
    Charter {
        /// Name of the alliance.
        name: Name,
        /// The charter.
        charter: Charter,
        /// Time of seal 0.
        opened_ms: LedgerTime,
        /// The rule version that the chain begins with (RULINGS A18).
        protocol: ProtocolVersion,
    },
    /// An office with its own staff and its first posts. Holders may be officers of other
    /// organisations of this genesis.
    Office {
        /// The office as an organisation.
        entry: OrganisationEntry,
        /// Its posts, in order.
        posts: Vec<PostEntry>,
    },
    /// The first board, ascending by organisation.
    Board(Vec<SeatEntry>),
    /// A working direction.
    Direction(Direction),
    /// A founding organisation.
    Organisation(OrganisationEntry),
    /// A body that watches.
    Observer(OrganisationEntry),
    /// A validating node of a founding organisation.
    Validator {
        /// Organisation number.
        organisation: OrganisationId,
        /// Its keys.
        keys: NodeKeys,
    },
}

impl Wire for GenesisItem {
    const MAX: usize = 65_531;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            GenesisItem::Charter {
                charter, protocol, ..
            } => {
                if !(ProtocolVersion(1)..=PROTOCOL).contains(protocol) {
                    return Err(DecodeError::rule(format!(
                        "protocol {protocol}: this build knows protocols from 1 up to {PROTOCOL}"
                    )));
                }
                if encode(charter).len() > Charter::MAX {
                    return Err(DecodeError::rule(format!(
                        "the charter is longer than {} bytes",
                        Charter::MAX
                    )));
                }
                if charter.made_under > *protocol {
                    return Err(DecodeError::rule(
                        "the charter was made under a later rule version than the chain's first",
                    ));
                }
                charter.check()
            }
            GenesisItem::Office { entry, .. } => {
                if entry.kind != OrganisationKind::Office {
                    return Err(DecodeError::rule("an office item holds an office"));
                }
                entry.check()
            }
            GenesisItem::Board(seats) => {
                strictly_ascending(seats, "seats", |seat| seat.organisation)
            }
            GenesisItem::Direction(_) => Ok(()),
            GenesisItem::Organisation(entry) => {
                if entry.kind != OrganisationKind::Company {
                    return Err(DecodeError::rule("a founding organisation is a company"));
                }
                entry.check()
            }
            GenesisItem::Observer(entry) => {
                if entry.kind != OrganisationKind::Observer {
                    return Err(DecodeError::rule("an observer item holds an observer"));
                }
                entry.check()
            }
            GenesisItem::Validator { keys, .. } => keys.check(),
        }
    }
}

impl GenesisItem {
    /// (rank of the kind, number) : the fixed order.
    fn order(&self) -> (u8, u32) {
        match self {
            GenesisItem::Charter { .. } => (0, 0),
            GenesisItem::Office { entry, .. } => (1, entry.number.0),
            GenesisItem::Board(_) => (2, 0),
            GenesisItem::Direction(direction) => (3, direction.number.0),
            GenesisItem::Organisation(entry) => (4, entry.number.0),
            GenesisItem::Observer(entry) => (5, entry.number.0),
            GenesisItem::Validator { organisation, .. } => (6, organisation.0),
        }
    }

    /// The item's leaf bytes.
    pub fn leaf(&self) -> Vec<u8> {
        LeafTag::Genesis.prefix(&encode(self))
    }
}

/// A complete genesis: policy 0 and the items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// Policy 0, typed.
    pub policy: EpochPolicy,
    /// Its exact bytes.
    pub policy_text: String,
    /// Leaves 1..N.
    pub items: Vec<GenesisItem>,
}

/// Why a genesis does not stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// An item breaks its own rules.
    #[error("genesis item {index}: {why}")]
    Item {
        /// Counted from 1, as its leaf.
        index: usize,
        /// The rule.
        why: String,
    },
    /// Order, numbers or references among the items.
    #[error("genesis: {0}")]
    Structure(String),
    /// The policy file and the items do not belong together.
    #[error("policy 0 does not fit the items: {0}")]
    Policy(String),
}

/// The state and the log right after seal 0.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The state.
    pub state: State,
    /// The log up to and including seal 0.
    pub frontier: Frontier,
    /// Seal 0.
    pub seal: Seal,
    /// Every leaf, in order: policy 0, items, seal 0.
    pub leaves: Vec<Vec<u8>>,
    /// Rows of the whole state, for a store.
    pub changes: crate::state::Changes,
}

impl Genesis {
    /// Builds policy 0 from the items. `origin` is the log's name, such as
    /// `rollbook.example/alliance-1`; `continues` names the genesis hash, size and root of an older
    /// chain that this one follows.
    pub fn assemble(
        origin: &str,
        items: Vec<GenesisItem>,
        continues: Option<Continues>,
    ) -> Result<Genesis, GenesisError> {
        let clock = items
            .iter()
            .find_map(|item| {
                if let GenesisItem::Charter { charter, .. } = item {
                    Some(charter.clock)
                } else {
                    None
                }
            })
            .ok_or_else(|| GenesisError::Structure("there is no charter".into()))?;
        let validators: Vec<(OrganisationId, &NodeKeys)> = items
            .iter()
            .filter_map(|item| {
                if let GenesisItem::Validator { organisation, keys } = item {
                    Some((*organisation, keys))
                } else {
                    None
                }
            })
            .collect();
        let policy = EpochPolicy {
            epoch: EpochId(0),
            origin: origin.to_owned(),
            previous: None,
            valid_from_size: 0,
            genesis: Some(GenesisFacts {
                leaves: items.len() as u64,
                root: items_root(&items),
                clock,
                continues,
            }),
            validators: validators
                .iter()
                .enumerate()
                .map(|(i, (organisation, keys))| PolicyValidator {
                    name: format!("V{}", i + 1),
                    org: *organisation,
                    consensus: keys.consensus.0,
                    cosigner: keys.cosigner.0,
                    log: keys.log.0,
                    url: keys.url.as_str().to_owned(),
                })
                .collect(),
            witnesses: Vec::new(),
        };
        let genesis = Genesis {
            policy_text: policy.render(),
            policy,
            items,
        };
        genesis.open()?;
        Ok(genesis)
    }

    /// Reads a genesis from its leaves 0..N as bytes.
    pub fn from_leaves<'a>(
        leaves: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Genesis, GenesisError> {
        let mut leaves = leaves.into_iter();
        let policy_bytes = leaves
            .next()
            .ok_or_else(|| GenesisError::Structure("there is no leaf 0".into()))?;
        let policy_text = std::str::from_utf8(policy_bytes)
            .map_err(|_| GenesisError::Policy("leaf 0 is not text".into()))?
            .to_owned();
        let policy = EpochPolicy::parse(policy_bytes)
            .map_err(|error| GenesisError::Policy(error.to_string()))?;
        let mut items = Vec::new();
        for (i, leaf) in leaves.enumerate() {
            let index = i + 1;
            let Some((LeafTag::Genesis, bytes)) = LeafTag::split(leaf) else {
                return Err(GenesisError::Item {
                    index,
                    why: "the leaf is no genesis item".into(),
                });
            };
            let item =
                rollbook_proof::codec::decode(bytes).map_err(|error| GenesisError::Item {
                    index,
                    why: error.to_string(),
                })?;
            items.push(item);
        }
        Ok(Genesis {
            policy,
            policy_text,
            items,
        })
    }

    /// The genesis hash G = SHA-256(policy 0).
    pub fn hash(&self) -> Hash {
        sha256(self.policy_text.as_bytes())
    }

    /// The charter.
    pub fn charter(&self) -> Option<&Charter> {
        self.items.iter().find_map(|item| {
            if let GenesisItem::Charter { charter, .. } = item {
                Some(charter)
            } else {
                None
            }
        })
    }

    /// The clock of the chain.
    pub fn clock(&self) -> Clock {
        self.charter().map_or(Clock::Wall, |charter| charter.clock)
    }

    /// Ledger time of seal 0.
    pub fn opened_ms(&self) -> LedgerTime {
        self.items
            .iter()
            .find_map(|item| {
                if let GenesisItem::Charter { opened_ms, .. } = item {
                    Some(*opened_ms)
                } else {
                    None
                }
            })
            .unwrap_or(LedgerTime(0))
    }

    /// Whether every first post and seat ends on one day, after which everything is held over: worth
    /// a warning (RULINGS R28).
    pub fn ends_on_one_day(&self) -> Option<LocalDay> {
        let offset = self
            .charter()
            .map_or(DEFAULT_OFFSET_MINUTES, |charter| charter.offset_minutes);
        let ends = self.items.iter().flat_map(|item| match item {
            GenesisItem::Office { posts, .. } => posts.iter().map(|post| post.until_ms).collect(),
            GenesisItem::Board(seats) => seats.iter().map(|seat| seat.until_ms).collect(),
            _ => Vec::new(),
        });
        let mut days = ends.map(|until| LocalDay::of(until, offset));
        let first = days.next()?;
        let (same, more) = days.fold((true, false), |(same, _), day| (same && day == first, true));
        (same && more).then_some(first)
    }

    /// The founding organisations, in order.
    pub fn founders(&self) -> impl Iterator<Item = &OrganisationEntry> {
        self.items.iter().filter_map(|item| {
            if let GenesisItem::Organisation(entry) = item {
                Some(entry)
            } else {
                None
            }
        })
    }

    /// Checks everything and computes the first state, the first log, seal 0.
    pub fn open(&self) -> Result<Opened, GenesisError> {
        self.check_policy()?;
        let (mut opened_ms, mut begins_with) = (LedgerTime::ZERO, ProtocolVersion(1));
        for (i, item) in self.items.iter().enumerate() {
            item.check().map_err(|error| GenesisError::Item {
                index: i + 1,
                why: error.to_string(),
            })?;
            match item {
                GenesisItem::Charter {
                    opened_ms: time,
                    protocol,
                    ..
                } => (opened_ms, begins_with) = (*time, *protocol),
                _ if i == 0 => {
                    return Err(GenesisError::Structure(
                        "the first item is not the charter".into(),
                    ));
                }
                _ => {}
            }
        }
        if !self
            .items
            .windows(2)
            .all(|pair| pair[0].order() < pair[1].order())
        {
            return Err(GenesisError::Structure(
                "the items are not in their fixed order".into(),
            ));
        }
        let mut state = State::default();
        {
            let block = BlockContext {
                chain: self.hash(),
                height: Height(0),
                now: opened_ms,
            };
            let mut tx = Tx::of_block(&mut state.tables, block);
            self.write(&mut tx)
                .map_err(|(index, refusal)| GenesisError::Item {
                    index,
                    why: refusal.to_string(),
                })?;
            tx.keep();
        }
        let changes = state.take_changes(&[], &[]);
        state
            .adopt(&changes)
            .map_err(|error| GenesisError::Structure(error.to_string()))?;
        let mut leaves = vec![self.policy_text.clone().into_bytes()];
        leaves.extend(self.items.iter().map(GenesisItem::leaf));
        if let Some(index) = leaves
            .iter()
            .position(|leaf| leaf.len() > rollbook_proof::log::LEAF_MAX_BYTES)
        {
            return Err(GenesisError::Item {
                index,
                why: "the leaf is longer than 65,535 bytes".into(),
            });
        }
        let mut frontier = Frontier::new();
        for leaf in &leaves {
            frontier.append(leaf_hash(leaf));
        }
        let seal = Seal {
            protocol: begins_with,
            height: Height(0),
            time_ms: opened_ms,
            parent: Hash::ZERO,
            first_leaf: 0,
            leaf_count: u32::try_from(leaves.len())
                .map_err(|_| GenesisError::Structure("too many items".into()))?,
            body: Hash::ZERO,
            log_root: frontier.root(),
            state_root: changes.state_root,
            work_digest: changes.work_digest,
            policy: self.hash(),
            parent_certificate: Hash::ZERO,
        };
        let leaf = seal.leaf();
        frontier.append(leaf_hash(&leaf));
        leaves.push(leaf);
        Ok(Opened {
            state,
            frontier,
            seal,
            leaves,
            changes,
        })
    }

    fn check_policy(&self) -> Result<(), GenesisError> {
        let wrong = |why: &str| Err(GenesisError::Policy(why.into()));
        if self.policy.render() != self.policy_text {
            return wrong("its bytes are not its canonical form");
        }
        let Some(facts) = &self.policy.genesis else {
            return wrong("it has no genesis lines");
        };
        if self.policy.epoch != EpochId(0)
            || self.policy.previous.is_some()
            || self.policy.valid_from_size != 0
        {
            return wrong("it is not the policy of epoch 0");
        }
        if facts.leaves != self.items.len() as u64 || facts.root != items_root(&self.items) {
            return wrong("it commits to other items");
        }
        if facts.clock != self.clock() {
            return wrong("its clock is not the charter's");
        }
        let validators: Vec<(OrganisationId, &NodeKeys)> = self
            .items
            .iter()
            .filter_map(|item| {
                if let GenesisItem::Validator { organisation, keys } = item {
                    Some((*organisation, keys))
                } else {
                    None
                }
            })
            .collect();
        let same = validators.len() == self.policy.validators.len()
            && validators.iter().zip(&self.policy.validators).all(
                |((organisation, keys), validator)| {
                    *organisation == validator.org
                        && keys.consensus.0 == validator.consensus
                        && keys.cosigner.0 == validator.cosigner
                        && keys.log.0 == validator.log
                },
            );
        if !same {
            return wrong("its validators are not the items' nodes");
        }
        if validators.is_empty() {
            return wrong("there is no validating node");
        }
        Ok(())
    }

    /// Writes the items; on refusal returns the item's leaf index.
    fn write(&self, tx: &mut Tx) -> Result<(), (usize, Refusal)> {
        // Directions and organisations first, so that offices may name holders at home in any
        // organisation.
        let rank = |item: &GenesisItem| match item {
            GenesisItem::Charter { .. } => 0,
            GenesisItem::Direction(_) => 1,
            GenesisItem::Organisation(_) => 2,
            GenesisItem::Observer(_) => 3,
            GenesisItem::Office { .. } => 4,
            GenesisItem::Board(_) => 5,
            GenesisItem::Validator { .. } => 6,
        };
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by_key(|i| (self.items.get(*i).map_or(0, rank), *i));
        for i in order {
            let Some(item) = self.items.get(i) else {
                continue;
            };
            self.write_item(tx, item)
                .map_err(|refusal| (i + 1, refusal))?;
        }
        let convenor = tx.charter().ok().and_then(|charter| charter.convenor);
        if let Some(convenor) = convenor {
            // Leaf 1 is the charter.
            tx.organisation(convenor).map_err(|refusal| (1, refusal))?;
        }
        let facts = tx.facts();
        let validators = self
            .policy
            .validators
            .iter()
            .map(|validator| EpochValidator {
                organisation: validator.org,
                consensus: validator.consensus,
            })
            .collect();
        tx.t.epochs().put(
            EpochId(0),
            EpochFacts {
                policy: self.hash(),
                first_height: Height(0),
                valid_from_size: 0,
                validators,
            },
        );
        tx.t.policies()
            .put(EpochId(0), self.policy_text.clone().into_bytes());
        tx.put_facts(facts);
        turns::settle(tx);
        Ok(())
    }

    fn write_item(&self, tx: &mut Tx, item: &GenesisItem) -> Result<(), Refusal> {
        match item {
            GenesisItem::Charter {
                charter, protocol, ..
            } => {
                require!(
                    charter.version == CharterVersion(1),
                    "A2.charter-version",
                    version = charter.version
                );
                let facts = ProtocolFacts {
                    from_height: Height(0),
                    motion: MotionId(0),
                    release: Text::default(),
                };
                tx.t.protocols().put(*protocol, facts);
                tx.t.charters()
                    .put(CharterVersion(1), CharterFacts::of(charter, tx.height));
                tx.t.parameters().put(CharterVersion(1), charter.clone());
                tx.put_facts(ChainFacts {
                    charter: CharterVersion(1),
                    ..ChainFacts::default()
                });
            }
            GenesisItem::Direction(direction) => {
                tx.t.directions().put(direction.number, direction.clone());
            }
            GenesisItem::Organisation(entry) => {
                self.enter(tx, entry)?;
                membership::enter_founder(tx, entry.number)?;
            }
            GenesisItem::Observer(entry) => {
                self.enter(tx, entry)?;
                observers::enter(tx, entry.number)?;
            }
            GenesisItem::Office { entry, posts } => {
                self.enter(tx, entry)?;
                for post in posts {
                    require!(post.role.is_post(), "R7.no-post-role", role = post.role);
                    let PostEntry {
                        role,
                        holder,
                        deputy,
                        ..
                    } = *post;
                    let appointment = Appointment {
                        office: entry.number,
                        role,
                        scope: Scope::Alliance,
                        holder,
                        deputy,
                        succeeds: None,
                    };
                    posts::check_appointment(tx, &appointment)?;
                    check_term(tx, post.until_ms, tx.charter()?.terms.post_days)?;
                    let first = Post {
                        number: tx.next_id::<PostId>(),
                        office: entry.number,
                        role: post.role,
                        scope: Scope::Alliance,
                        holder: post.holder,
                        deputy: post.deputy,
                        from_ms: tx.now,
                        until_ms: post.until_ms,
                        absent: false,
                        succeeds: None,
                        successor: None,
                        status: PostStatus::Held,
                        since_ms: tx.now,
                    };
                    posts::take_up(tx, "M25", first)?;
                }
                let mut signers: BTreeMap<PersonId, Vec<Role>> = entry
                    .officers
                    .iter()
                    .map(|officer| (officer.person, officer.roles.clone()))
                    .collect();
                for post in posts {
                    signers.entry(post.holder).or_default().push(post.role);
                }
                let signers: Vec<Vec<Role>> = signers.into_values().collect();
                registration::require_reach(&entry.policy, &signers)?;
            }
            GenesisItem::Board(board) => {
                for seat in board {
                    require!(
                        tx.t.founders.contains(&seat.organisation),
                        "R7.seat-not-a-founder",
                        organisation = seat.organisation
                    );
                    let taken =
                        groups::has_seat(&tx.t, seat.organisation, lookup::seats::holders(&tx.t));
                    require!(
                        !taken,
                        "R7.group-has-seat",
                        organisation = seat.organisation
                    );
                    check_term(tx, seat.until_ms, tx.charter()?.terms.seat_days)?;
                    seats::take(tx, seat.organisation, seat.until_ms)?;
                }
                let limit = tx.charter()?.board_seats as usize;
                require!(
                    board.len() <= limit,
                    "R7.too-many-seats",
                    seats = board.len(),
                    limit = limit
                );
            }
            GenesisItem::Validator { organisation, keys } => {
                require!(
                    tx.t.founders.contains(organisation),
                    "A17.not-a-founder",
                    organisation = organisation
                );
                let taken = groups::has_seat(
                    &tx.t,
                    *organisation,
                    tx.t.nodes.iter().map(|(holder, _)| *holder),
                );
                require!(!taken, "A17.group-has-seat", organisation = organisation);
                validators::enter(
                    tx,
                    *organisation,
                    keys,
                    &keys.possession(None, *organisation),
                    &mut VerifierCache::default(),
                )?;
            }
        }
        Ok(())
    }

    /// Enters an organisation under the numbers that the genesis gives; numbers are used once.
    fn enter(&self, tx: &mut Tx, entry: &OrganisationEntry) -> Result<(), Refusal> {
        require!(entry.number > OrganisationId(0), "A2.number-zero");
        require!(
            !tx.t.organisations.contains(&entry.number),
            "A2.number-twice",
            organisation = entry.number
        );
        for officer in &entry.officers {
            if officer.person == PersonId(0) || tx.t.persons.contains(&officer.person) {
                refuse!("A2.person-number-twice", person = officer.person);
            }
        }
        registration::enter(
            tx,
            entry,
            &Possession::founding(entry.number.0),
            None,
            &mut VerifierCache::default(),
        )?;
        // Later numbers continue above the highest one that the genesis used.
        let highest =
            tx.t.counters
                .get(&(Counter::Organisation as u8))
                .copied()
                .unwrap_or(0)
                .max(entry.number.0);
        tx.t.counters().put(Counter::Organisation as u8, highest);
        let persons = entry.officers.last().map_or(0, |officer| officer.person.0);
        let highest =
            tx.t.counters
                .get(&(Counter::Person as u8))
                .copied()
                .unwrap_or(0)
                .max(persons);
        tx.t.counters().put(Counter::Person as u8, highest);
        Ok(())
    }
}

/// The first term of a post or seat is not so short that nobody could be chosen in time, nor longer
/// than the charter's term up to the end of a month (RULINGS R28).
fn check_term(tx: &Tx, until: LedgerTime, days: u32) -> Result<(), Refusal> {
    let after = |days: u32| tx.now.plus_ms(u64::from(days).saturating_mul(MS_PER_DAY));
    require!(
        after(TERM_DAYS_MIN) <= until,
        "R28.term-too-short",
        until = until,
        least = TERM_DAYS_MIN
    );
    require!(
        until <= after(days.saturating_add(31)),
        "R28.term-too-long",
        until = until,
        days = days
    );
    Ok(())
}

/// RFC 6962 root over the leaves 1..N.
pub fn items_root(items: &[GenesisItem]) -> Hash {
    let mut frontier = Frontier::new();
    for item in items {
        frontier.append(leaf_hash(&item.leaf()));
    }
    frontier.root()
}
