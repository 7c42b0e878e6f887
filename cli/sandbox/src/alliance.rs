//! The sample alliance of a testnet: every member with two officers, the first with nodes.

use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::charter::{Charter, Preset};
use rollbook_core::genesis::file::{GenesisFile, found_payload};
use rollbook_core::genesis::{Genesis, GenesisItem, PostEntry, SeatEntry};
use rollbook_core::identity::identifier::{Identifier, uscc_check_character};
use rollbook_core::identity::{
    ActClass, ApprovalPolicy, Authorisation, Name, OfficerEntry, OrganisationEntry,
    OrganisationKind, Role,
};
use rollbook_core::object::direction::Direction;
use rollbook_core::record::{
    Body, Capacity, NodeKeys, OrganisationAct, Payload, Record, Registration,
};
use rollbook_node::failure::Failure;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, sha256_tagged};
use rollbook_proof::log::Clock;

use crate::keys::{node_key, officer_key, officers_of};

/// Where a node can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlace {
    /// URL of its API.
    pub url: String,
    /// Host and port of its peers' listener.
    pub address: String,
}

/// What a sample alliance is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleAlliance {
    /// All keys come from it.
    pub seed: Vec<u8>,
    /// Founding members.
    pub members: u32,
    /// Real or stepped time.
    pub clock: Clock,
    /// Opening time, milliseconds since 1970.
    pub opened_ms: u64,
    /// Nodes of the first members, which hold the first seats.
    pub nodes: Vec<NodePlace>,
    /// The rule version it begins with.
    pub protocol: u32,
    /// Least blocks between two handovers, if not the preset's.
    pub handover_blocks: Option<u64>,
}

fn text<const N: usize>(value: impl Into<String>) -> Text<N> {
    Text::new(value).unwrap_or_default()
}

fn commitment(label: &str) -> Hash {
    sha256_tagged("rollbook/sample-commitment", &[label.as_bytes()])
}

/// A node's public keys with their proofs of possession.
pub fn node_keys(seed: &[u8], organisation: u32, place: &NodePlace) -> NodeKeys {
    let proved = |kind| {
        let key = node_key(seed, organisation, kind);
        (key.public(), key.prove_possession(organisation, kind))
    };
    NodeKeys {
        consensus: proved(KeyKind::Consensus),
        cosigner: proved(KeyKind::Cosigner),
        log: proved(KeyKind::Log),
        transport: proved(KeyKind::Transport),
        url: text(place.url.clone()),
        address: text(place.address.clone()),
    }
}

fn officer(key: &Keypair, owner: u32, person: u32, roles: &[Role]) -> OfficerEntry {
    let mut roles = roles.to_vec();
    roles.sort();
    OfficerEntry {
        person,
        commitment: commitment(&format!("person/{person}")),
        roles,
        keys: vec![(key.public(), key.prove_possession(owner, KeyKind::Officer))],
        authorisation: Authorisation {
            letter: commitment(&format!("letter/{person}")),
            signatory: commitment(&format!("signatory/{owner}")),
            date: 19_500,
        },
    }
}

/// A made-up social credit code of region 999999, which does not exist.
fn sample_identifier(number: u32) -> Vec<Identifier> {
    let body = format!("91999999{number:09}");
    let code =
        uscc_check_character(&body).and_then(|check| Identifier::uscc(&format!("{body}{check}")));
    code.into_iter().collect()
}

fn organisation(
    number: u32,
    kind: OrganisationKind,
    latin: &str,
    officers: Vec<OfficerEntry>,
) -> OrganisationEntry {
    OrganisationEntry {
        number,
        kind,
        name: Name {
            native: text(latin),
            latin: text(latin),
        },
        identifiers: if kind == OrganisationKind::Company {
            sample_identifier(number)
        } else {
            Vec::new()
        },
        country: text("CN"),
        extract: (commitment(&format!("extract/{number}")), 19_500),
        relations: Vec::new(),
        directions: Vec::new(),
        officers,
        policy: ApprovalPolicy::default(),
    }
}

impl SampleAlliance {
    fn items(&self) -> Vec<GenesisItem> {
        let (seed, members) = (&self.seed, self.members);
        let mut charter = Charter::preset(Preset::Default, self.clock, commitment("charter text"));
        charter.chain.handover_blocks = self
            .handover_blocks
            .unwrap_or(charter.chain.handover_blocks);
        let mut items = vec![GenesisItem::Charter {
            name: Name {
                native: text("示例联盟"),
                latin: text("Sample alliance"),
            },
            charter,
            opened_ms: self.opened_ms,
            protocol: self.protocol,
        }];
        let roles = [
            Role::Secretary,
            Role::Treasurer,
            Role::SecondOfficer,
            Role::SecondOfficer,
            Role::ProgrammeOfficer,
            Role::FinanceApprover,
            Role::FinanceApprover,
            Role::Auditor,
        ];
        let (office, staff) = (members + 2, 2 * members + 3);
        let people = (staff..)
            .take(roles.len())
            .map(|person| officer(&officer_key(seed, person), office, person, &[]))
            .collect();
        let until_ms = self.opened_ms + 730 * MS_PER_DAY;
        let posts = (staff..)
            .zip(roles)
            .map(|(holder, role)| PostEntry {
                role,
                holder,
                deputy: None,
                until_ms,
            })
            .collect();
        items.push(GenesisItem::Office {
            entry: organisation(office, OrganisationKind::Office, "Secretariat", people),
            posts,
        });
        items.push(GenesisItem::Board(
            (1..=members.min(9))
                .map(|organisation| SeatEntry {
                    organisation,
                    until_ms,
                })
                .collect(),
        ));
        for (number, code) in (1..).zip([
            "content-production",
            "xr-terminals",
            "key-technologies",
            "computing-power-network",
        ]) {
            items.push(GenesisItem::Direction(Direction {
                number,
                code: text(code),
                name: Name {
                    native: text(code),
                    latin: text(code),
                },
            }));
        }
        for member in 1..=members {
            let (first, second) = officers_of(member);
            let people = vec![
                officer(
                    &officer_key(seed, first),
                    member,
                    first,
                    &[Role::Primary, Role::NodeOperator],
                ),
                officer(
                    &officer_key(seed, second),
                    member,
                    second,
                    &[Role::Alternate, Role::Finance, Role::Technical],
                ),
            ];
            let mut entry = organisation(
                member,
                OrganisationKind::Company,
                &format!("Founding member {member:02}"),
                people,
            );
            entry.policy = ApprovalPolicy {
                thresholds: vec![(ActClass::Ballot, 2), (ActClass::Money, 2)],
            };
            items.push(GenesisItem::Organisation(entry));
        }
        let (observer, person) = (members + 1, 2 * members + 1);
        let people = vec![officer(
            &officer_key(seed, person),
            observer,
            person,
            &[Role::Primary],
        )];
        items.push(GenesisItem::Observer(organisation(
            observer,
            OrganisationKind::Observer,
            "Standards body",
            people,
        )));
        for (member, place) in (1..).zip(&self.nodes) {
            items.push(GenesisItem::Validator {
                organisation: member,
                keys: node_keys(seed, member, place),
            });
        }
        items
    }

    /// The genesis with every founder's record.
    pub fn genesis(&self) -> Result<GenesisFile, Failure> {
        let next = "report this as an error of the program";
        let failed = |error: String| Failure::new("the sample alliance was not made", error, next);
        let genesis = Genesis::assemble("rollbook.example/sample-1", self.items(), None)
            .map_err(|error| failed(error.to_string()))?;
        let found = (1..=self.members).map(|member| {
            let person = officers_of(member).0;
            let payload = found_payload(&genesis, member, person);
            let signature = payload.sign(
                person,
                Capacity::Own(Role::Primary),
                0,
                &officer_key(&self.seed, person),
            );
            Record {
                payload,
                signatures: vec![signature],
            }
        });
        let found = found.collect();
        GenesisFile::assemble(genesis, found).map_err(|error| failed(error.to_string()))
    }

    /// The `number`-th registration of a made-up company, introduced by `member`: a record for load
    /// and tests. Sequences of an officer begin at 2, after the founding record.
    pub fn registration(
        &self,
        chain: Hash,
        member: u32,
        sequence: u64,
        number: u32,
        now_ms: u64,
    ) -> Record {
        let key = Keypair::derive(&self.seed, &format!("company/{number}"));
        let other = Keypair::derive(&self.seed, &format!("company/{number}/2"));
        let people = vec![
            officer(&key, 0, 1, &[Role::Primary]),
            officer(&other, 0, 2, &[Role::Alternate]),
        ];
        let mut entry = organisation(
            0,
            OrganisationKind::Company,
            &format!("Made-up company {number}"),
            people,
        );
        entry.identifiers = sample_identifier(1_000_000 + number);
        let act = OrganisationAct::Register(Registration::sign(&chain, entry, &key));
        let person = officers_of(member).0;
        let payload = Payload {
            chain,
            principal: member,
            officer: person,
            sequence,
            valid_until_ms: now_ms + 7 * MS_PER_DAY,
            body: Body::Organisation(act),
        };
        let signature = payload.sign(
            person,
            Capacity::Own(Role::Primary),
            0,
            &officer_key(&self.seed, person),
        );
        Record {
            payload,
            signatures: vec![signature],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_alliance_stands_and_its_registrations_apply() {
        let place = |n: u32| NodePlace {
            url: format!("http://127.0.0.1:{}/", 7000 + n),
            address: format!("127.0.0.1:{}", 8000 + n),
        };
        let opened_ms = 1_687_917_600_000;
        let alliance = SampleAlliance {
            seed: b"sample".to_vec(),
            members: 5,
            clock: Clock::Wall,
            opened_ms,
            nodes: (1..=4).map(place).collect(),
            protocol: rollbook_core::lookup::protocol::PROTOCOL,
            handover_blocks: None,
        };
        let file = alliance.genesis().unwrap();
        let (mut ledger, _) = rollbook_core::ledger::Ledger::from_genesis(&file.genesis).unwrap();
        let mut verifier = rollbook_proof::crypto::VerifierCache::default();
        let mut records = file.found.clone();
        records.extend((0..3).map(|n| {
            alliance.registration(file.genesis.hash(), 5, 2 + u64::from(n), n, opened_ms)
        }));
        let built = ledger
            .build(opened_ms + 5, Default::default(), &records, &mut verifier)
            .unwrap();
        assert!(built.refused.is_empty(), "{:?}", built.refused);
        assert_eq!(built.execution.outcomes.len(), 8);
    }
}
