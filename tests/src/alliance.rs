//! The sample alliance of suites with one writer, with the sequences of its signers: every node has
//! a place by its number, and codes have letters, as the kept vectors have them. People make theirs
//! from files with `rollbook genesis draft`.

use std::collections::BTreeMap;

use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::genesis::Genesis;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Capacity, OrganisationAct, Payload, Record};
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::Clock;
use rollbook_sandbox::alliance::{Codes, NodePlace, Sample};
use rollbook_sandbox::keys::{officer_key, officers_of};

/// An alliance with all its secrets.
pub struct Alliance {
    pub seed: Vec<u8>,
    pub genesis: Genesis,
    pub members: u32,
    sequences: BTreeMap<u32, u64>,
}

/// Where the node of an organisation would be.
pub fn place(organisation: u32) -> NodePlace {
    let number = u16::try_from(organisation).unwrap();
    NodePlace::loopback(7000 + number, 8000 + number)
}

/// A sample alliance of stepped time whose first `validators` members have nodes.
pub fn sample(seed: &[u8], members: u32, validators: u32) -> Sample {
    Sample {
        places: (1..=validators).map(place).collect(),
        codes: Codes::Letters,
        ..Sample::new(seed, members, Clock::Sample)
    }
}

impl Alliance {
    /// The [`sample`] as it is.
    pub fn new(seed: &[u8], members: u32, validators: u32) -> Alliance {
        Self::of(&sample(seed, members, validators))
    }

    /// A sample with its secrets.
    pub fn of(sample: &Sample) -> Alliance {
        Self::adopt(&sample.seed, sample.genesis().unwrap())
    }

    /// An alliance made elsewhere whose keys are derived from `seed` as in
    /// [`rollbook_sandbox::keys`].
    pub fn adopt(seed: &[u8], genesis: Genesis) -> Alliance {
        let members = genesis.founders().count() as u32;
        Alliance {
            seed: seed.to_vec(),
            genesis,
            members,
            sequences: BTreeMap::new(),
        }
    }

    pub fn chain(&self) -> Hash {
        self.genesis.hash()
    }

    /// Signs a record of `principal` by persons in roles; the first begins it. Sequences count up
    /// per person.
    pub fn record(
        &mut self,
        principal: u32,
        signers: &[(u32, Role)],
        now: u64,
        body: Body,
    ) -> Record {
        let officer = signers[0].0;
        let sequence = self.sequences.entry(officer).or_default();
        *sequence += 1;
        let payload = Payload {
            chain: self.genesis.hash(),
            principal,
            officer,
            sequence: *sequence,
            valid_until_ms: now + 7 * MS_PER_DAY,
            body,
        };
        let mut signers = signers.to_vec();
        signers.sort();
        let signatures = signers
            .iter()
            .map(|(person, role)| {
                payload.sign(
                    *person,
                    Capacity::Own(*role),
                    0,
                    &officer_key(&self.seed, *person),
                )
            })
            .collect();
        Record {
            payload,
            signatures,
        }
    }

    /// The `Found` records of all founders.
    pub fn found(&mut self, now: u64) -> Vec<Record> {
        (1..=self.members)
            .map(|member| {
                let primary = officers_of(member).0;
                self.record(
                    member,
                    &[(primary, Role::Primary)],
                    now,
                    Body::Organisation(OrganisationAct::Found),
                )
            })
            .collect()
    }
}
