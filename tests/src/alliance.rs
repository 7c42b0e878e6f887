//! The sample alliance of suites with one writer, with the sequences of its signers: every node has
//! a place by its number, and codes have letters, as the kept vectors have them. People make theirs
//! from files with `rollbook genesis draft`.

use rollbook_core::genesis::Genesis;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, OrganisationAct, Record};
use rollbook_proof::crypto::Hash;
use rollbook_proof::log::Clock;
use rollbook_sandbox::alliance::{Codes, NodePlace, Sample};
use rollbook_sandbox::keys::officers_of;
use rollbook_sandbox::sign::Signer;

/// An alliance with all its secrets.
pub struct Alliance {
    pub genesis: Genesis,
    pub members: u32,
    pub signer: Signer,
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
        Alliance {
            members: genesis.founders().count() as u32,
            signer: Signer::new(genesis.hash(), seed),
            genesis,
        }
    }

    pub fn chain(&self) -> Hash {
        self.signer.chain
    }

    /// The `Found` records of all founders.
    pub fn found(&mut self, now: u64) -> Vec<Record> {
        (1..=self.members)
            .map(|member| {
                let primary = officers_of(member).0;
                self.signer.record(
                    member,
                    &[(primary, Role::Primary)],
                    now,
                    Body::Organisation(OrganisationAct::Found),
                )
            })
            .collect()
    }
}
