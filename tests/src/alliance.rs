//! A sample alliance made from a seed: every key derived, every founder with two officers, the
//! first `validators` founders with nodes. For suites; people make theirs from files with `rollbook
//! genesis draft`.

use std::collections::BTreeMap;

use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::charter::{Charter, Preset};
use rollbook_core::genesis::{Genesis, GenesisItem, PostEntry, SeatEntry};
use rollbook_core::identity::identifier::{Identifier, uscc_check_character};
use rollbook_core::identity::{
    ActClass, ApprovalPolicy, Authorisation, GroupDeclaration, Name, OfficerEntry,
    OrganisationEntry, OrganisationKind, Role,
};
use rollbook_core::lookup::protocol::PROTOCOL;
use rollbook_core::object::direction::Direction;
use rollbook_core::record::{Body, Capacity, NodeKeys, OrganisationAct, Payload, Record};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, KeyKind, sha256_tagged};
use rollbook_proof::log::Clock;
use rollbook_sandbox::keys::{node_key, officer_key, officers_of};

/// 28 June 2023, 10:00 in Shanghai.
pub const OPENED_MS: u64 = 1_687_917_600_000;

/// An alliance with all its secrets.
pub struct Alliance {
    pub seed: Vec<u8>,
    pub genesis: Genesis,
    pub members: u32,
    sequences: BTreeMap<u32, u64>,
}

/// Number of the secretariat as an organisation, right after the members and the observer.
pub fn secretariat(members: u32) -> u32 {
    members + 2
}

fn text<const N: usize>(value: impl Into<String>) -> Text<N> {
    Text::new(value).unwrap()
}

fn commitment(label: &str) -> Hash {
    sha256_tagged("rollbook/sample-commitment", &[label.as_bytes()])
}

/// All four public keys of a node with their proofs.
pub fn node_keys(seed: &[u8], organisation: u32) -> NodeKeys {
    let proved = |kind| {
        let key = node_key(seed, organisation, kind);
        (key.public(), key.prove_possession(organisation, kind))
    };
    NodeKeys {
        consensus: proved(KeyKind::Consensus),
        cosigner: proved(KeyKind::Cosigner),
        log: proved(KeyKind::Log),
        transport: proved(KeyKind::Transport),
        url: text(format!("http://127.0.0.1:{}/", 7000 + organisation)),
        address: text(format!("127.0.0.1:{}", 8000 + organisation)),
    }
}

/// An officer of `owner` with one derived key.
pub fn officer(seed: &[u8], owner: u32, person: u32, roles: &[Role]) -> OfficerEntry {
    let key = officer_key(seed, person);
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

/// A made-up unified social credit code that passes its check and cannot be real (region 999999).
pub fn sample_uscc(organisation: u32) -> Identifier {
    let body = format!("91999999MA0DT{organisation:04}");
    let check = uscc_check_character(&body).unwrap();
    Identifier::uscc(&format!("{body}{check}")).unwrap()
}

pub fn organisation(
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
            vec![sample_uscc(number)]
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

impl Alliance {
    pub fn new(seed: &[u8], members: u32, validators: u32) -> Alliance {
        Self::with(seed, members, validators, Clock::Sample, |_| {})
    }

    /// `adjust` may change the charter before the genesis is closed.
    pub fn with(
        seed: &[u8],
        members: u32,
        validators: u32,
        clock: Clock,
        adjust: impl FnOnce(&mut Charter),
    ) -> Alliance {
        Self::related(seed, members, validators, clock, &[], adjust)
    }

    /// Founders in groups: of each pair the second declares the first.
    pub fn related(
        seed: &[u8],
        members: u32,
        validators: u32,
        clock: Clock,
        pairs: &[(u32, u32)],
        adjust: impl FnOnce(&mut Charter),
    ) -> Alliance {
        Self::under(PROTOCOL, seed, members, validators, clock, pairs, adjust)
    }

    /// The same under the rules of another version.
    #[allow(clippy::too_many_arguments)]
    pub fn under(
        protocol: u32,
        seed: &[u8],
        members: u32,
        validators: u32,
        clock: Clock,
        pairs: &[(u32, u32)],
        adjust: impl FnOnce(&mut Charter),
    ) -> Alliance {
        let mut charter = Charter::preset(Preset::Default, clock, commitment("charter text"));
        adjust(&mut charter);
        let mut items = vec![GenesisItem::Charter {
            name: Name {
                native: text("示例联盟"),
                latin: text("Sample alliance"),
            },
            charter,
            opened_ms: OPENED_MS,
            protocol,
        }];
        let staff = 2 * members + 3;
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
        let number = secretariat(members);
        let people: Vec<OfficerEntry> = (0..roles.len() as u32)
            .map(|i| officer(seed, number, staff + i, &[]))
            .collect();
        let until_ms = OPENED_MS + 730 * MS_PER_DAY;
        let posts = (0..)
            .zip(roles)
            .map(|(i, role)| PostEntry {
                role,
                holder: staff + i,
                deputy: None,
                until_ms,
            })
            .collect();
        items.push(GenesisItem::Office {
            entry: organisation(number, OrganisationKind::Office, "Secretariat", people),
            posts,
        });
        // The first founders; a group has one seat, so whoever declares another founder has none.
        let seats = (1..=members)
            .filter(|member| !pairs.iter().any(|(_, second)| second == member))
            .take(9)
            .map(|organisation| SeatEntry {
                organisation,
                until_ms,
            })
            .collect();
        items.push(GenesisItem::Board(seats));
        for (i, code) in (1..).zip([
            "content-production",
            "xr-terminals",
            "key-technologies",
            "computing-power-network",
        ]) {
            items.push(GenesisItem::Direction(Direction {
                number: i,
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
                officer(seed, member, first, &[Role::Primary, Role::NodeOperator]),
                officer(
                    seed,
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
            let others = pairs
                .iter()
                .filter(|(_, second)| *second == member)
                .map(|(first, _)| *first);
            entry.relations = others
                .map(|other| GroupDeclaration {
                    other,
                    evidence: commitment(&format!("relation/{other}/{member}")),
                })
                .collect();
            items.push(GenesisItem::Organisation(entry));
        }
        let observer = members + 1;
        let people = vec![officer(seed, observer, 2 * members + 1, &[Role::Primary])];
        items.push(GenesisItem::Observer(organisation(
            observer,
            OrganisationKind::Observer,
            "Standards body",
            people,
        )));
        for member in 1..=validators {
            items.push(GenesisItem::Validator {
                organisation: member,
                keys: node_keys(seed, member),
            });
        }
        let genesis = Genesis::assemble("rollbook.example/sample-1", items, None).unwrap();
        Alliance {
            seed: seed.to_vec(),
            genesis,
            members,
            sequences: BTreeMap::new(),
        }
    }

    /// An alliance made elsewhere whose keys are derived from `seed` as [`officer_key`] and
    /// [`node_key`] do.
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
