//! The sample alliance: founders with two officers each, the first with nodes, one observer, and a
//! secretariat with eight posts.
//!
//! Organisations are numbered members, observer, secretariat; persons likewise: member `n` has the
//! persons `2n - 1` and `2n` ([`officers_of`]), then come the observer's and the secretariat's
//! ([`staff`]). Nothing in it is real: social credit codes are of a region that does not exist.

use rollbook_core::calendar::{LocalDay, MS_PER_DAY};
use rollbook_core::charter::{Charter, DayLimits, GrowthParameters, Preset};
use rollbook_core::genesis::file::{GenesisFile, found_payload};
use rollbook_core::genesis::{Genesis, GenesisItem, PostEntry, SeatEntry};
use rollbook_core::id::{DirectionId, PersonId};
use rollbook_core::identity::identifier::{Identifier, uscc_check_character};
use rollbook_core::identity::possession::Possession;
use rollbook_core::identity::{
    ActClass, ApprovalPolicy, Authorisation, GroupDeclaration, Name, OfficerEntry,
    OrganisationEntry, OrganisationKind, RelationKind, Role,
};
use rollbook_core::lookup::protocol::PROTOCOL;
use rollbook_core::object::direction::Direction;
use rollbook_core::record::{Body, NodeKeys, OrganisationAct, Payload, Record, Registration};
use rollbook_node::failure::Failure;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair, sha256_tagged};
use rollbook_proof::log::Clock;
use rollbook_proof::number::{LedgerTime, OrganisationId, ProtocolVersion};

use crate::keys::{node_key, officer_key, officers_of};
use crate::sign::{VALID_MS, sample_nonce, signed};

/// When an alliance of stepped time opens: 28 June 2023, 10:00 in Shanghai; milliseconds since 1970.
pub const OPENED_MS: u64 = 1_687_917_600_000;

/// The secretariat's posts, held by its officers in this order.
const POSTS: [Role; 8] = [
    Role::Secretary,
    Role::Treasurer,
    Role::SecondOfficer,
    Role::SecondOfficer,
    Role::ProgrammeOfficer,
    Role::FinanceApprover,
    Role::FinanceApprover,
    Role::Auditor,
];

/// Number of the secretariat as an organisation, right after the members and the observer.
pub fn secretariat(members: u32) -> u32 {
    members + 2
}

/// Person number of the secretary; the other officers of the secretariat follow in the order of
/// their posts.
pub fn staff(members: u32) -> u32 {
    2 * members + 3
}

/// Where a node can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePlace {
    /// URL of its API.
    pub url: String,
    /// Host and port of its peers' listener.
    pub address: String,
}

impl NodePlace {
    /// On this machine, by the ports of API and peers.
    pub fn loopback(api: u16, peer: u16) -> NodePlace {
        NodePlace {
            url: format!("http://127.0.0.1:{api}/"),
            address: format!("127.0.0.1:{peer}"),
        }
    }
}

/// The form of made-up unified social credit codes. Each passes its check, and none can be real:
/// there is no region 999999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codes {
    /// Digits only, for numbers of up to nine digits.
    Digits,
    /// With the letters that newer codes begin with, for numbers of up to four digits.
    Letters,
}

impl Codes {
    /// The code of an organisation as its only identifier; none for a number that is too long.
    pub fn of(self, number: u32) -> Vec<Identifier> {
        let body = match self {
            Codes::Digits => format!("91999999{number:09}"),
            Codes::Letters => format!("91999999MA0DT{number:04}"),
        };
        let code = uscc_check_character(&body)
            .and_then(|check| Identifier::uscc(&format!("{body}{check}")));
        code.into_iter().collect()
    }
}

/// What a sample alliance is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// All keys come from it.
    pub seed: Vec<u8>,
    /// Founding members.
    pub members: u32,
    /// The first charter, with the clock.
    pub charter: Charter,
    /// Opening time, milliseconds since 1970.
    pub opened_ms: u64,
    /// The rule version it begins with.
    pub protocol: u32,
    /// Places of the first members' nodes, which validate from genesis on.
    pub places: Vec<NodePlace>,
    /// Founders in groups: of each pair the second declares the first, and gets no seat.
    pub pairs: Vec<(u32, u32)>,
    /// The form of the founders' social credit codes.
    pub codes: Codes,
}

fn text<const N: usize>(value: impl Into<String>) -> Text<N> {
    Text::new(value).unwrap_or_default()
}

fn commitment(label: &str) -> Hash {
    sha256_tagged("rollbook/sample-commitment", &[label.as_bytes()])
}

/// A node's public keys with their proofs of possession: for a chain that it joins, or for a
/// genesis.
pub fn node_keys(
    chain: Option<&Hash>,
    seed: &[u8],
    organisation: u32,
    place: &NodePlace,
) -> NodeKeys {
    let keys = [
        KeyKind::Consensus,
        KeyKind::Cosigner,
        KeyKind::Log,
        KeyKind::Transport,
    ]
    .map(|kind| node_key(seed, organisation, kind));
    NodeKeys::proved(
        chain,
        OrganisationId(organisation),
        keys.each_ref(),
        text(place.url.clone()),
        text(place.address.clone()),
    )
}

/// A person who acts for `owner`, with one key, proved for a genesis; a registration has it proved
/// anew.
pub fn officer(key: &Keypair, owner: u32, person: u32, roles: &[Role]) -> OfficerEntry {
    let mut roles = roles.to_vec();
    roles.sort();
    OfficerEntry {
        person: PersonId(person),
        commitment: sha256_tagged("rollbook/sample-person", &[&key.public().digest().0]),
        roles,
        keys: vec![(
            key.public(),
            Possession::founding(owner).prove(KeyKind::Officer, key),
        )],
        reader: None,
        authorisation: Authorisation {
            letter: commitment(&format!("letter/{person}")),
            signatory: commitment(&format!("signatory/{owner}")),
            date: LocalDay(19_500),
        },
    }
}

/// An organisation without groups, directions and policy of its own.
pub fn organisation(
    number: u32,
    kind: OrganisationKind,
    latin: &str,
    officers: Vec<OfficerEntry>,
    identifiers: Vec<Identifier>,
) -> OrganisationEntry {
    OrganisationEntry {
        number: OrganisationId(number),
        kind,
        name: Name {
            native: text(latin),
            latin: text(latin),
        },
        identifiers,
        country: text("CN"),
        extract: (commitment(&format!("extract/{number}")), LocalDay(19_500)),
        relations: Vec::new(),
        directions: Vec::new(),
        officers,
        policy: ApprovalPolicy::default(),
    }
}

fn not_made(error: impl std::fmt::Display) -> Failure {
    let next = "report this as an error of the program";
    Failure::new("the sample alliance was not made", error, next)
}

impl Sample {
    /// An alliance under the default preset and the newest rules, opened at [`OPENED_MS`], with
    /// codes in digits, without nodes and groups.
    pub fn new(seed: &[u8], members: u32, clock: Clock) -> Sample {
        let mut charter = Charter::preset(Preset::Default, clock, commitment("charter text"));
        // Loads and benchmarks write in a minute what a real alliance writes in a year.
        let much = DayLimits {
            records: 100_000_000,
            bytes: u32::MAX,
            keys: 100_000_000,
        };
        charter.growth = GrowthParameters {
            introductions_by_member: 1_000_000,
            member: much,
            office: much,
            other: much,
            ..charter.growth
        };
        Sample {
            seed: seed.to_vec(),
            members,
            charter,
            opened_ms: OPENED_MS,
            protocol: PROTOCOL.0,
            places: Vec::new(),
            pairs: Vec::new(),
            codes: Codes::Digits,
        }
    }

    fn items(&self) -> Vec<GenesisItem> {
        let (seed, members) = (&self.seed, self.members);
        let mut items = vec![GenesisItem::Charter {
            name: Name {
                native: text("示例联盟"),
                latin: text("Sample alliance"),
            },
            charter: self.charter.clone(),
            opened_ms: LedgerTime(self.opened_ms),
            protocol: ProtocolVersion(self.protocol),
        }];
        let (office, first) = (secretariat(members), staff(members));
        let people = (first..)
            .take(POSTS.len())
            .map(|person| officer(&officer_key(seed, person), office, person, &[]))
            .collect();
        let until_ms = self.opened_ms + 730 * MS_PER_DAY;
        let posts = (first..)
            .zip(POSTS)
            .map(|(holder, role)| PostEntry {
                role,
                holder: PersonId(holder),
                deputy: None,
                until_ms: LedgerTime(until_ms),
            })
            .collect();
        items.push(GenesisItem::Office {
            entry: organisation(
                office,
                OrganisationKind::Office,
                "Secretariat",
                people,
                Vec::new(),
            ),
            posts,
        });
        let seats = (1..=members)
            .filter(|member| !self.pairs.iter().any(|(_, second)| second == member))
            .take(9)
            .map(|organisation| SeatEntry {
                organisation: OrganisationId(organisation),
                until_ms: LedgerTime(until_ms),
            })
            .collect();
        items.push(GenesisItem::Board(seats));
        for (number, code) in (1..).zip([
            "content-production",
            "xr-terminals",
            "key-technologies",
            "computing-power-network",
        ]) {
            items.push(GenesisItem::Direction(Direction {
                number: DirectionId(number),
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
                self.codes.of(member),
            );
            entry.policy = ApprovalPolicy {
                thresholds: vec![(ActClass::Ballot, 2), (ActClass::Money, 2)],
            };
            let others = self.pairs.iter().filter(|(_, second)| *second == member);
            entry.relations = others
                .map(|(other, _)| GroupDeclaration {
                    other: OrganisationId(*other),
                    kind: RelationKind::Control,
                    evidence: commitment(&format!("relation/{other}/{member}")),
                })
                .collect();
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
            Vec::new(),
        )));
        for (member, place) in (1..).zip(&self.places) {
            items.push(GenesisItem::Validator {
                organisation: OrganisationId(member),
                keys: node_keys(None, seed, member, place),
            });
        }
        items
    }

    /// The genesis; founders have not signed. Fails where the parts make no alliance, such as a
    /// pair of which both run nodes.
    pub fn genesis(&self) -> Result<Genesis, Failure> {
        Genesis::assemble("rollbook.example/sample-1", self.items(), None).map_err(not_made)
    }

    /// The genesis with every founder's record.
    pub fn founded(&self) -> Result<GenesisFile, Failure> {
        let genesis = self.genesis()?;
        let found = (1..=self.members).map(|member| {
            let person = officers_of(member).0;
            let payload = found_payload(&genesis, OrganisationId(member), PersonId(person));
            self.by_primary(person, payload)
        });
        let found = found.collect();
        GenesisFile::assemble(genesis, found).map_err(not_made)
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
        let entry = organisation(
            0,
            OrganisationKind::Company,
            &format!("Made-up company {number}"),
            people,
            Codes::Digits.of(1_000_000 + number),
        );
        let signed = Registration::signed(&chain, &entry, &[&key, &other]);
        let act = OrganisationAct::Register(signed);
        let person = officers_of(member).0;
        let payload = Payload {
            chain,
            principal: OrganisationId(member),
            officer: PersonId(person),
            sequence,
            valid_until_ms: LedgerTime(now_ms + VALID_MS),
            nonce: sample_nonce(person, sequence),
            body: Body::Organisation(act),
        };
        self.by_primary(person, payload)
    }

    fn by_primary(&self, person: u32, payload: Payload) -> Record {
        let key = |person| officer_key(&self.seed, person);
        signed(payload, &[(person, Role::Primary)], key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_alliance_stands_and_its_registrations_apply() {
        let place = |n: u16| NodePlace::loopback(7000 + n, 8000 + n);
        let opened_ms = OPENED_MS;
        let alliance = Sample {
            places: (1..=4).map(place).collect(),
            ..Sample::new(b"sample", 5, Clock::Wall)
        };
        let file = alliance.founded().unwrap();
        let (mut ledger, _) = rollbook_core::ledger::Ledger::from_genesis(&file.genesis).unwrap();
        let mut verifier = rollbook_proof::crypto::VerifierCache::default();
        let mut records = file.found.clone();
        records.extend((0..3).map(|n| {
            alliance.registration(file.genesis.hash(), 5, 2 + u64::from(n), n, opened_ms)
        }));
        let built = ledger
            .build(
                LedgerTime(opened_ms + 5),
                Default::default(),
                &records,
                &mut verifier,
            )
            .unwrap();
        assert!(built.refused.is_empty(), "{:?}", built.refused);
        assert_eq!(built.execution.outcomes.len(), 8);
    }
}
