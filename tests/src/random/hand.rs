//! Who acts, and how an act becomes a record. A hand sees the tables at the tip and the secrets of
//! the run; it decides nothing that the ledger decides.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rollbook_core::account::{Account, AccountKind};
use rollbook_core::calendar::{Calendar, LocalDay};
use rollbook_core::charter::Charter;
use rollbook_core::id::{FundId, Id, MotionId, PersonId};
use rollbook_core::identity::{OrganisationKind, Role, Scope};
use rollbook_core::lookup::posts::post_in_force;
use rollbook_core::lookup::{groups, rights, seats};
use rollbook_core::object::post::Post;
use rollbook_core::record::{
    ApplicationContent, BallotVote, BankReference, Body, Capacity, Nonce, Payload, PaymentAct,
    Record, VALIDITY_MAX_MS,
};
use rollbook_core::state::{StateTables, TableValue};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, sha256};
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

use crate::random::keys::Keys;
use crate::random::mood::{Family, Mood};
use crate::sim::random::Random;

/// An act with those who are to sign it.
#[derive(Debug, Clone)]
pub struct Draft {
    pub principal: OrganisationId,
    /// The first begins the record.
    pub signers: Vec<(PersonId, Role)>,
    pub body: Body,
}

/// What the run keeps to itself: contents of sealed applications, sequences, what was done lately.
#[derive(Default)]
pub struct Memory {
    /// By commitment.
    pub contents: BTreeMap<Hash, (ApplicationContent, [u8; 32])>,
    sequences: BTreeMap<(PersonId, ReadClass), u64>,
    /// Drafts that applied, newest last.
    pub applied: Vec<Draft>,
    /// Records that applied, newest last.
    pub records: Vec<Record>,
    /// Counts up for names, codes and references.
    made: u32,
    /// How often in a row acts of a name were refused.
    pub vain: BTreeMap<String, u64>,
    /// The last record that certified a payment.
    pub certified: Option<Hash>,
    /// What a walk seals in a ballot, until it opens it: by motion, round and voice.
    pub said: BTreeMap<(MotionId, u32, OrganisationId), BallotVote>,
    /// What is to follow in the same block.
    then: VecDeque<Make>,
}

impl Memory {
    /// Keeps a little of what applied.
    pub fn remember(&mut self, draft: Draft, record: Record) {
        if self.applied.len() >= 64 {
            self.applied.remove(0);
            self.records.remove(0);
        }
        self.applied.push(draft);
        self.records.push(record);
    }

    pub fn number(&mut self) -> u32 {
        self.made += 1;
        self.made
    }
}

/// The view of one choice.
pub struct Hand<'a> {
    pub t: &'a StateTables,
    pub chain: Hash,
    /// Ledger time of the block to come.
    pub now: LedgerTime,
    /// Its height.
    pub height: Height,
    pub random: &'a mut Random,
    pub keys: &'a mut Keys,
    pub memory: &'a mut Memory,
    pub mood: &'a Mood,
}

/// Makes a draft, if the choice still fits.
pub type Make = Box<dyn FnOnce(&mut Hand) -> Option<Draft>>;

/// Chances: drafts that could be made now, each with its weight.
#[derive(Default)]
pub struct Deck {
    chances: Vec<(u32, Make)>,
    family: u32,
    /// How many of them lead an object one step on, and do not begin a new one.
    pub goals: usize,
    /// How many of those should not wait: others are in vain without them.
    pub urgent: usize,
}

impl Deck {
    /// What follows is of this family.
    pub fn of(&mut self, mood: &Mood, family: Family) {
        self.family = mood.weight(family);
    }

    /// A step that begins something, or turns aside: as likely in every family.
    pub fn aside(&mut self, weight: u32, make: impl FnOnce(&mut Hand) -> Option<Draft> + 'static) {
        self.chances.push((2 * weight, Box::new(make)));
    }

    /// A step that leads an object on.
    pub fn goal(&mut self, weight: u32, make: impl FnOnce(&mut Hand) -> Option<Draft> + 'static) {
        self.goals += 1;
        self.chances
            .push((6 * weight * self.family, Box::new(make)));
    }

    /// A goal that should not wait.
    pub fn urgent(&mut self, make: impl FnOnce(&mut Hand) -> Option<Draft> + 'static) {
        self.urgent += 1;
        self.goal(4, make);
    }

    /// Draws a chance, which is gone from the deck then.
    pub fn draw(&mut self, random: &mut Random) -> Option<Make> {
        let sum: u64 = self.chances.iter().map(|(w, _)| u64::from(*w)).sum();
        let mut at = random.below(sum);
        let index = self.chances.iter().position(|(weight, _)| {
            let here = at < u64::from(*weight);
            at = at.saturating_sub(u64::from(*weight));
            here
        })?;
        Some(self.chances.swap_remove(index).1)
    }
}

/// A text for a record.
pub fn text<const N: usize>(value: impl Into<String>) -> Text<N> {
    Text::new(value).unwrap()
}

impl Hand<'_> {
    pub fn charter(&self) -> &Charter {
        let version = self.t.chain.get(&0).unwrap().charter;
        self.t.parameters.get(&version).unwrap()
    }

    pub fn calendar(&self) -> Calendar {
        rollbook_core::lookup::calendar::now(self.t)
    }

    pub fn balance(&self, fund: FundId, kind: AccountKind) -> i128 {
        let balance = self.t.accounts.get(&Account { fund, kind });
        balance.map_or(0, |balance| balance.0)
    }

    pub fn today(&self) -> LocalDay {
        self.calendar().day_of(self.now)
    }

    /// A hash of which nothing else is known.
    pub fn hash(&mut self) -> Hash {
        sha256(&self.random.draw().to_le_bytes())
    }

    pub fn reference(&mut self) -> BankReference {
        let number = self.memory.number();
        BankReference(text(format!("BANK-{number:06}")))
    }

    /// Whether the run leaves an object alone: the same answer for as long as it stands.
    pub fn idles(&self, label: &str, number: u32) -> bool {
        self.fate(label, number) < self.mood.idle
    }

    /// 0 to 99, always the same for an object.
    pub fn fate(&self, label: &str, number: u32) -> u64 {
        let secret = self.keys.secret(&format!("fate/{label}/{number}"));
        u64::from(secret[0]) * 100 / 256
    }

    /// A key of a table, drawn.
    pub fn any<K: TableValue + Ord + Copy, V: TableValue>(
        &mut self,
        table: &rollbook_core::state::Table<K, V>,
    ) -> Option<K> {
        let nth = self.random.below(table.len() as u64) as usize;
        table.iter().nth(nth).map(|(key, _)| *key)
    }

    /// Mostly the id of an object; sometimes one that is not there.
    pub fn id<N: Id + TableValue, V: TableValue>(
        &mut self,
        table: &rollbook_core::state::Table<N, V>,
    ) -> Option<N> {
        match self.any(table) {
            Some(id) if !self.random.percent(4) => Some(id),
            // Where there is none at all, few ask for one.
            None if !self.random.percent(10) => None,
            _ => Some(N::of(self.random.below(1000) as u32)),
        }
    }

    pub fn companies(&self) -> Vec<OrganisationId> {
        let all = self.t.organisations.iter();
        all.filter(|(_, o)| o.kind == OrganisationKind::Company)
            .map(|(number, _)| *number)
            .collect()
    }

    pub fn live(&self) -> Vec<OrganisationId> {
        let companies = self.companies().into_iter();
        companies
            .filter(|organisation| rights::is_live(self.t, *organisation))
            .collect()
    }

    pub fn board(&self) -> Vec<OrganisationId> {
        seats::holders(self.t).collect()
    }

    pub fn company(&mut self) -> Option<OrganisationId> {
        let all = self.companies();
        self.random.pick(&all).copied()
    }

    pub fn member(&mut self) -> Option<OrganisationId> {
        let all = self.live();
        self.random.pick(&all).copied()
    }

    pub fn person(&mut self) -> Option<PersonId> {
        self.any(&self.t.persons)
    }

    pub fn technical(&self) -> Vec<PersonId> {
        let all = self.t.persons.iter();
        all.filter(|(_, person)| person.roles.contains(&Role::Technical))
            .map(|(number, _)| *number)
            .collect()
    }

    fn careful(&mut self) -> bool {
        !self.random.percent(self.mood.careless)
    }

    /// Has another record follow in the same block.
    pub fn then(&mut self, make: impl FnOnce(&mut Hand) -> Option<Draft> + 'static) {
        self.memory.then.push_back(Box::new(make));
    }

    /// Has this draft follow before everything else that is to follow.
    pub fn first(&mut self, draft: Draft) {
        self.memory.then.push_front(Box::new(move |_| Some(draft)));
    }

    /// What is to follow, if anything.
    pub fn follows(&mut self) -> Option<Make> {
        self.memory.then.pop_front()
    }

    /// Shuffles.
    pub fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        for at in (1..items.len()).rev() {
            items.swap(at, self.random.below(at as u64 + 1) as usize);
        }
        items
    }

    /// An act of a company, by officers in these roles and as many more as its policy asks for.
    pub fn by(&mut self, company: OrganisationId, must: &[Role], body: Body) -> Option<Draft> {
        let organisation = self.t.organisations.get(&company)?;
        let officers = self.shuffled(organisation.officers.clone());
        let roles = |person: &PersonId| {
            let person = self.t.persons.get(person);
            person
                .map(|person| person.roles.clone())
                .unwrap_or_default()
        };
        let mut signers: Vec<(PersonId, Role)> = Vec::new();
        for role in must {
            // Who holds few roles first, so that the others are left for theirs.
            let mut fitting: Vec<_> = officers
                .iter()
                .filter(|person| !signers.iter().any(|(other, _)| other == *person))
                .filter(|person| roles(person).contains(role))
                .collect();
            fitting.sort_by_key(|person| roles(person).len());
            signers.push((**fitting.first()?, *role));
        }
        let class = body.class();
        let needed = body.signatures_needed(&organisation.policy) as usize;
        let mut counted = signers
            .iter()
            .filter(|(_, role)| class.counts(*role))
            .count();
        for person in &officers {
            if counted >= needed {
                break;
            }
            if signers.iter().any(|(other, _)| other == person) {
                continue;
            }
            if let Some(role) = roles(person).into_iter().find(|role| class.counts(*role)) {
                signers.push((*person, role));
                counted += 1;
            }
        }
        Some(Draft {
            principal: company,
            signers,
            body,
        })
    }

    /// Posts in force of a role that cover a scope.
    fn posts(&self, role: Role, scope: Scope) -> Vec<&Post> {
        let all = self.t.posts.iter().map(|(_, post)| post);
        all.filter(|post| post.role == role && post_in_force(post, self.now))
            .filter(|post| post.scope == Scope::Alliance || post.scope == scope)
            .collect()
    }

    /// An act of an office, by whoever holds the post, mostly somebody without a tie to `apart`.
    pub fn office(
        &mut self,
        role: Role,
        scope: Scope,
        apart: Option<OrganisationId>,
        body: Body,
    ) -> Option<Draft> {
        self.office_but(role, scope, apart, &[], body)
    }

    /// The same, mostly not by one of these persons.
    pub fn office_but(
        &mut self,
        role: Role,
        scope: Scope,
        apart: Option<OrganisationId>,
        not: &[PersonId],
        body: Body,
    ) -> Option<Draft> {
        let mut posts: Vec<Post> = self.posts(role, scope).into_iter().cloned().collect();
        if self.careful() {
            let home = |person| self.t.persons.get(&person).map(|person| person.home);
            let free = |post: &Post| {
                !not.contains(&post.holder)
                    && apart.is_none_or(|apart| {
                        home(post.holder)
                            .is_some_and(|home| !groups::has_conflict(self.t, home, apart))
                    })
            };
            posts.retain(free);
        }
        let post = self.random.pick(&posts)?.clone();
        let mut signers = vec![(post.holder, role)];
        let policy = &self.t.organisations.get(&post.office)?.policy;
        let needed = body.signatures_needed(policy) as usize;
        let class = body.class();
        let others = self.t.posts.iter().map(|(_, other)| other);
        let others = others.filter(|other| {
            other.office == post.office
                && other.holder != post.holder
                && post_in_force(other, self.now)
                && class.counts(other.role)
        });
        let counted = usize::from(class.counts(role) || body.is_of_one_person());
        let mut seen = BTreeSet::new();
        let more = others.filter(|other| seen.insert(other.holder));
        signers.extend(
            more.take(needed.saturating_sub(counted))
                .map(|other| (other.holder, other.role)),
        );
        Some(Draft {
            principal: post.office,
            signers,
            body,
        })
    }

    /// An act of one person for their home organisation.
    pub fn alone(&mut self, person: PersonId, role: Role, body: Body) -> Option<Draft> {
        Some(Draft {
            principal: self.t.persons.get(&person)?.home,
            signers: vec![(person, role)],
            body,
        })
    }

    /// The next sequence of an officer in a lane; now and then it leaves a gap, or fills one.
    fn sequence(&mut self, officer: PersonId, class: ReadClass) -> u64 {
        let lane = self.t.lanes.get(&(officer, class));
        let highest = lane.map_or(0, |lane| lane.highest);
        let known = self.memory.sequences.entry((officer, class)).or_insert(0);
        let mut next = highest.max(*known) + 1;
        if self.random.percent(5) {
            next += self.random.between(1, 40);
        }
        *known = next;
        if self.random.percent(5)
            && let Some(lane) = lane
            && let Some(gap) = (lane.highest.saturating_sub(60)..lane.highest)
                .find(|sequence| lane.is_free(*sequence))
        {
            return gap;
        }
        next
    }

    /// The payload of a draft.
    pub fn payload(&mut self, draft: &Draft) -> Payload {
        let officer = draft
            .signers
            .first()
            .map_or(PersonId(0), |(person, _)| *person);
        let sequence = self.sequence(officer, draft.body.read_class());
        let ahead = self.random.below(VALIDITY_MAX_MS);
        Payload {
            chain: self.chain,
            principal: draft.principal,
            officer,
            sequence,
            valid_until_ms: self.now.plus_ms(ahead),
            nonce: Nonce::derive(&[&self.random.draw().to_le_bytes()]),
            body: draft.body.clone(),
        }
    }

    /// By what right a person signs in a role: a delegation where the role is not their own.
    fn capacity(&self, principal: OrganisationId, person: PersonId, role: Role) -> Capacity {
        let facts = self.t.persons.get(&person);
        let own = role.is_post() || facts.is_some_and(|facts| facts.roles.contains(&role));
        let mut delegations = self.t.delegations.iter().map(|(_, delegation)| delegation);
        let given = delegations.find(|delegation| {
            delegation.organisation == principal
                && delegation.grant.to == person
                && delegation.grant.role == role
        });
        match given {
            Some(delegation) if !own => Capacity::Delegation(delegation.number.0),
            _ => Capacity::Own(role),
        }
    }

    /// The key by which a person signs: one in force, now and then another.
    fn key_of(&mut self, person: PersonId) -> Option<u32> {
        let keys = &self.t.persons.get(&person)?.keys;
        let other = self.random.percent(1);
        let found = keys.iter().position(|key| key.in_force() != other);
        Some(found.unwrap_or(0) as u32)
    }

    /// A payload signed by these persons, each in a role and by a key in force.
    pub fn sign(&mut self, payload: Payload, signers: &[(PersonId, Role)]) -> Record {
        let mut signers = signers.to_vec();
        signers.sort_unstable();
        signers.dedup_by_key(|(person, _)| *person);
        let mut signatures = Vec::new();
        for (person, role) in &signers {
            let Some(number) = self.key_of(*person) else {
                continue;
            };
            let capacity = self.capacity(payload.principal, *person, *role);
            let keys = self.t.persons.get(person).map(|facts| &facts.keys);
            let key = keys.and_then(|keys| keys.get(number as usize));
            if let Some(key) = key.and_then(|key| self.keys.of(&key.key)) {
                signatures.push(payload.sign(*person, capacity, number, key));
            }
        }
        if let Body::Payment(PaymentAct::Certify { .. }) = &payload.body {
            self.memory.certified = Some(payload.id());
        }
        Record {
            payload,
            signatures,
        }
    }
}
