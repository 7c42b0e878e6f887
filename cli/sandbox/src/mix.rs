//! The records of a load: which acts, by whom, in what order, signed before any clock starts.
//!
//! * Nine of ten are ballots of board members on fifty open motions, signed by two officers; a
//!   member may vote again until the close, so they can be repeated without end. One of ten
//!   proposes a motion: of five, three are by the secretariat with one officer, one by it with
//!   three, one by a seat holder with two. 500 records write about 50 proved keys, one per
//!   proposal.
//! * Records of one officer go to one node, in order: a replay window holds 256 sequences.
//! * Everything follows from the seed, so two runs offer the same acts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;
use rollbook_core::id::{MotionId, PersonId};
use rollbook_core::identity::{Role, Scope};
use rollbook_core::record::{
    Appointment, Ballot, BallotVote, Body, Choice, Declaration, MotionAct, MotionEffect, Payload,
    Proposal, Record,
};
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::{Hash, Keypair, PublicKey, Signature, VerifierCache, sha256};
use rollbook_proof::number::OrganisationId;

use crate::alliance;
use crate::alliance::staff;
use crate::keys::{officer_key, officers_of};
use crate::sign::{Signer, signed};

/// Founding members of the load's alliance.
pub const MEMBERS: u32 = 24;
/// Of these have a seat on the board.
pub const SEATS: u32 = 9;
/// Motions on which ballots are cast.
pub const MOTIONS: u32 = 50;

/// One record, ready to be handed in.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The signed record.
    pub record: Record,
    /// Its id.
    pub id: Hash,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Number of the lane of its initiating officer: which node takes it.
    pub lane: usize,
}

/// Makes records; sequences go on from call to call.
#[derive(Debug)]
pub struct Mix {
    signer: Signer,
    now_ms: u64,
    keys: BTreeMap<u32, Keypair>,
    made: u32,
    proposed: u32,
    ballots: u32,
}

struct Plan {
    payload: Payload,
    signers: Vec<(u32, Role)>,
    lane: usize,
}

impl Mix {
    /// A mix for the sample alliance of `seed` with [`MEMBERS`] members; records are valid for a
    /// week from `now_ms`.
    pub fn new(seed: &[u8], chain: Hash, now_ms: u64) -> Mix {
        let (secretary, _) = secretariat();
        let keys = (1..=secretary + 2)
            .map(|person| (person, officer_key(seed, person)))
            .collect();
        Mix {
            signer: Signer::founded(chain, seed),
            now_ms,
            keys,
            made: 0,
            proposed: 0,
            ballots: 0,
        }
    }

    /// Proposals of the motions on which the ballots are cast. They must be decided first, in
    /// blocks of their own.
    pub fn opening(&mut self) -> Vec<Prepared> {
        let plans: Vec<Plan> = (0..MOTIONS).map(|_| self.by_secretariat(1)).collect();
        self.sign(plans)
    }

    /// The next `count` records of the mix.
    pub fn next(&mut self, count: usize) -> Vec<Prepared> {
        let plans: Vec<Plan> = (0..count).map(|_| self.plan()).collect();
        self.sign(plans)
    }

    fn plan(&mut self) -> Plan {
        let number = self.made;
        self.made = self.made.wrapping_add(1);
        match number % 50 {
            9 | 19 | 29 => self.by_secretariat(1),
            39 => self.by_secretariat(3),
            49 => self.by_seat(),
            _ => self.ballot(),
        }
    }

    fn ballot(&mut self) -> Plan {
        let number = self.ballots;
        self.ballots = self.ballots.wrapping_add(1);
        let lane = number % (2 * SEATS);
        let member = lane / 2 + 1;
        let (first, second) = officers_of(member);
        let choice = match (number + number / (2 * SEATS * MOTIONS)) % 3 {
            0 => Choice::Yes,
            1 => Choice::No,
            _ => Choice::Abstain,
        };
        // Each voice of a motion has one initiating officer, whose later ballot replaces the earlier.
        // After its sixteen ballots a voice goes on with the next motions, proposed meanwhile.
        let past = number / (16 * SEATS * MOTIONS) * MOTIONS;
        let motion = past + 1 + 2 * ((number / (2 * SEATS)) % (MOTIONS / 2)) + lane % 2;
        let ballot = Ballot {
            motion: MotionId(motion),
            round: 1,
            replaces: Vec::new(),
            vote: BallotVote::Choice(choice),
            criterion: None,
            declaration: Declaration::None,
            proxy_for: None,
        };
        let officer = if lane.is_multiple_of(2) {
            first
        } else {
            second
        };
        let signers = vec![(first, Role::Primary), (second, Role::Alternate)];
        self.finish(
            member,
            officer,
            signers,
            MotionAct::Vote(ballot),
            lane as usize,
        )
    }

    fn by_seat(&mut self) -> Plan {
        let member = self.proposed % SEATS + 1;
        let (first, second) = officers_of(member);
        let signers = vec![(first, Role::Primary), (second, Role::Alternate)];
        let act = self.proposal();
        self.finish(member, first, signers, act, 2 * (member as usize - 1))
    }

    fn by_secretariat(&mut self, officers: usize) -> Plan {
        let (secretary, office) = secretariat();
        let roles = [Role::Secretary, Role::Treasurer, Role::SecondOfficer];
        let signers = (secretary..).zip(roles).take(officers).collect();
        let act = self.proposal();
        self.finish(office, secretary, signers, act, 2 * SEATS as usize)
    }

    fn proposal(&mut self) -> MotionAct {
        self.proposed = self.proposed.wrapping_add(1);
        // The holder's home has no seat, so nobody is recused.
        let member = SEATS + 1 + self.proposed % (MEMBERS - SEATS);
        MotionAct::Propose(Proposal {
            effect: MotionEffect::Appoint(Appointment {
                office: OrganisationId(secretariat().1),
                role: Role::Registrar,
                scope: Scope::Alliance,
                holder: PersonId(officers_of(member).0),
                deputy: None,
                succeeds: None,
            }),
            ballot_days: 21,
            text: sha256(&self.proposed.to_le_bytes()),
        })
    }

    fn finish(
        &mut self,
        principal: u32,
        officer: u32,
        signers: Vec<(u32, Role)>,
        act: MotionAct,
        lane: usize,
    ) -> Plan {
        let body = Body::Motion(act);
        let payload = self.signer.payload(principal, officer, self.now_ms, body);
        Plan {
            payload,
            signers,
            lane,
        }
    }

    fn key(&self, person: u32) -> Cow<'_, Keypair> {
        let known = self.keys.get(&person).map(Cow::Borrowed);
        known.unwrap_or_else(|| Cow::Owned(officer_key(&self.signer.seed, person)))
    }

    fn sign(&self, plans: Vec<Plan>) -> Vec<Prepared> {
        let signed = plans.into_par_iter().map(
            |Plan {
                 payload,
                 signers,
                 lane,
             }| {
                let record = signed(payload, &signers, |person| self.key(person));
                Prepared {
                    id: record.id(),
                    bytes: encode(&record),
                    record,
                    lane,
                }
            },
        );
        signed.collect()
    }

    /// The signatures of records, as a verifier sees them: for the rate of verifying alone.
    pub fn signatures(&self, records: &[Prepared]) -> Vec<(PublicKey, Vec<u8>, Signature)> {
        let all = records.iter().flat_map(|prepared| {
            let message = prepared.record.payload.sign_bytes();
            let entry = |entry: &rollbook_core::record::SignatureEntry| {
                let key = self.key(entry.officer.0).public();
                (key, message.clone(), entry.signature)
            };
            prepared
                .record
                .signatures
                .iter()
                .map(entry)
                .collect::<Vec<_>>()
        });
        all.collect()
    }
}

/// The secretary's person number and the secretariat's organisation number in a sample alliance.
fn secretariat() -> (u32, u32) {
    (staff(MEMBERS), alliance::secretariat(MEMBERS))
}

/// Verifications per second of these signatures by the one strict rule, keys decoded before, on all
/// cores and nothing else: best of three.
pub fn verify_rate(signatures: &[(PublicKey, Vec<u8>, Signature)]) -> f64 {
    let mut keys = VerifierCache::default();
    signatures.iter().for_each(|(key, ..)| keys.learn(key));
    let mut best = 0f64;
    for _ in 0..3 {
        let started = std::time::Instant::now();
        let good = signatures
            .par_iter()
            .filter(|(key, message, signature)| keys.verify_shared(key, message, signature).is_ok())
            .count();
        best = best.max(good as f64 / started.elapsed().as_secs_f64().max(1e-9));
    }
    best
}

#[cfg(test)]
mod tests {
    use rollbook_core::ledger::Ledger;
    use rollbook_proof::log::Clock;
    use rollbook_proof::number::LedgerTime;

    use super::*;
    use crate::testnet::Plan;

    #[test]
    fn every_record_of_the_mix_applies() {
        let plan = Plan::new("mix", MEMBERS, 4, Clock::Wall).unwrap();
        let file = plan.alliance().founded().unwrap();
        let (mut ledger, _) = Ledger::from_genesis(&file.genesis).unwrap();
        let mut mix = Mix::new(b"mix", ledger.chain(), plan.opened_ms);
        let mut records = file.found.clone();
        records.extend(mix.opening().into_iter().map(|prepared| prepared.record));
        records.extend(mix.next(500).into_iter().map(|prepared| prepared.record));
        let built = ledger
            .build(
                LedgerTime(plan.opened_ms + 5),
                Default::default(),
                &records,
                &mut VerifierCache::default(),
            )
            .unwrap();
        assert!(built.refused.is_empty(), "{:?}", built.refused);
        assert_eq!(built.execution.outcomes.len(), records.len());
        let motions = built
            .execution
            .changes
            .rows
            .iter()
            .filter(|row| row.table == 5)
            .count();
        assert_eq!(
            motions,
            MOTIONS as usize + 50,
            "one proved key per proposal"
        );
    }
}
