//! The desk of whoever acts: for whom, in which alliance, with which keys, asking which nodes. From
//! the flags, else the profile.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rollbook_client::client::Client;
use rollbook_core::calendar::MS_PER_DAY;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Role;
use rollbook_core::record::{Body, Nonce, Payload, RECORD_MAX_BYTES, Record};
use rollbook_proof::chain::ReadClass;
use rollbook_proof::codec::encode;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_wire::judgement::Judgement;
use rollbook_wire::ledger::Sequence;
use rollbook_words::catalogue::t;

use super::asked::Asked;
use super::numbers;
use super::signers;
use super::signers::Signer;
use crate::failure::Failure;
use crate::files;
use crate::flags::{Acting, Asking, Global, KeyFlags, MAX_AGE, Signing, Submitting};
use crate::input::text::narrow;
use crate::keystore::Keystore;
use crate::keystore::card::{parse_role, role_code};
use crate::keystore::opened::Keys;
use crate::login::Login;
use crate::output::{say, word};
use crate::profile::{Left, Profile, Profiles, in_use};
use crate::verbs::known::Ledger;
use crate::verbs::opening::Reading;
use crate::{asking, consent, trust};

/// How long a signed record may wait to be recorded.
const VALID_MS: u64 = 7 * MS_PER_DAY;
/// Roles by which somebody signs.
const KNOWN_ROLES: [Role; 12] = [
    Role::Primary,
    Role::Alternate,
    Role::Finance,
    Role::Technical,
    Role::NodeOperator,
    Role::Secretary,
    Role::Registrar,
    Role::Treasurer,
    Role::SecondOfficer,
    Role::ProgrammeOfficer,
    Role::FinanceApprover,
    Role::Auditor,
];

/// Who acts, with what: from the flags, else the profile.
pub struct Desk<'a> {
    /// What every command takes.
    pub global: &'a Global,
    /// How the act is signed and handed in.
    pub flags: &'a Acting,
    profile: Option<Profile>,
    /// The organisation or office that acts.
    pub principal: u32,
    /// The folder of keys.
    pub keystore: Keystore,
    signers: RefCell<Vec<Signer>>,
    keys: Keys,
}

impl<'a> Desk<'a> {
    /// Reads flags and profile. Nothing is opened and nobody is asked yet.
    pub fn of(
        global: &'a Global,
        flags: &'a Acting,
        usual: Option<u32>,
    ) -> Result<Desk<'a>, Failure> {
        outputs_free(&flags.submitting, flags.pending.as_deref())?;
        let profile = in_use(global)?;
        let given = flags.principal.or(usual);
        let principal = given.or(profile.as_ref().and_then(|profile| profile.organisation));
        let principal = principal.ok_or_else(|| unknown("act.no-principal"))?;
        let keystore = keystore(&flags.signing.keys, profile.as_ref());
        // A judgement needs no key, but what was typed for one has to be read.
        for text in &flags.signing.signer {
            typed(text)?;
        }
        let signers = match signers(&flags.signing, profile.as_ref(), &keystore, principal) {
            Err(_) if flags.dry_run => Vec::new(),
            signers => signers?,
        };
        Ok(Desk {
            global,
            flags,
            profile,
            principal,
            keystore,
            signers: RefCell::new(signers),
            keys: Keys::default(),
        })
    }

    /// Nodes to ask; where one wants to know who asks, the first signer does.
    pub fn client(&self) -> Result<Client, Failure> {
        let client = client(&self.flags.submitting.asking, self.profile.as_ref())?;
        let chain = self.profile.as_ref().and_then(Profile::genesis_hash);
        let (Some(person), Some(chain)) = (self.first(), chain) else {
            return Ok(client);
        };
        let passphrase_file = self.flags.signing.keys.passphrase_file.clone();
        let login = Login::signer(
            self.global,
            chain,
            person,
            (&self.keystore, passphrase_file, &self.keys),
        );
        Ok(client.with_passes(Arc::new(login)))
    }

    /// The alliance's genesis hash.
    pub fn chain(&self) -> Result<Hash, Failure> {
        self.profile
            .as_ref()
            .and_then(Profile::genesis_hash)
            .ok_or_else(|| unknown("act.no-genesis"))
    }

    /// A fresh reading of arguments for this desk. What the ledger knows is asked of its nodes, if it
    /// has any.
    pub fn reading(&self) -> Reading {
        Reading {
            folder: Left::Openings.place(self.global).unwrap_or_default(),
            ledger: self.ledger().ok(),
            ..Reading::of(self.principal, self.first().unwrap_or(0))
        }
    }

    /// The profile that applies.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// The first signer, who begins the record.
    fn first(&self) -> Option<u32> {
        self.signers.borrow().first().map(|(person, _)| *person)
    }

    /// The first signer, or why nobody can sign.
    fn must_have_first(&self) -> Result<u32, Failure> {
        self.first().ok_or_else(|| unknown("act.no-signer"))
    }

    /// Who signs.
    pub fn signers(&self) -> Vec<Signer> {
        self.signers.borrow().clone()
    }

    /// Ledger time, as told by a node.
    pub fn now(&self, client: &Client) -> Result<u64, Failure> {
        let (_, now) = place(client, self.must_have_first()?, ReadClass::Public)?;
        Ok(now)
    }

    fn ledger(&self) -> Result<Rc<dyn Ledger>, Failure> {
        let (client, chain) = (self.client()?, self.chain()?);
        let folder = Profiles::of(self.global).verified(&chain);
        let trust = trust::at(&folder, chain, client.clone(), trust::max_age(MAX_AGE)?)?;
        Ok(Rc::new(Asked::new(client, trust)))
    }

    /// Takes `count` numbers in a row of the first signer for such acts; the first of them (RULINGS
    /// A59).
    pub fn numbers(&self, client: &Client, body: &Body, count: u64) -> Result<u64, Failure> {
        let (person, lane) = (self.must_have_first()?, body.read_class());
        let (told, _) = place(client, person, lane)?;
        let whose = (person, lane);
        let told = self.plausible(client, whose, told)?;
        numbers::take(
            self.global,
            &self.keystore,
            &self.chain()?,
            whose,
            (told, count),
        )
    }

    /// A number that a node tells, if it is near what was given out here; else if another node tells one
    /// like it, or the user goes on all the same. A wrong one would be a gap that nobody can close.
    fn plausible(
        &self,
        client: &Client,
        (person, lane): (u32, ReadClass),
        told: u64,
    ) -> Result<u64, Failure> {
        let highest = numbers::highest(self.global, &self.keystore, &self.chain()?, (person, lane));
        let near = highest.saturating_add(numbers::JUMP);
        if told <= near {
            return Ok(told);
        }
        // Whichever of two nodes tells less: the ledger refuses what is too low, and nothing is lost.
        let others = client.nodes().iter().skip(1);
        let second = others
            .filter_map(|node| place(&client.only(node), person, lane).ok())
            .map(|(second, _)| second)
            .next();
        if let Some(second) = second {
            return Ok(told.min(second));
        }
        let facts = [
            ("person", person.to_string()),
            ("told", told.to_string()),
            ("highest", highest.to_string()),
        ];
        say(t("act.jump", &facts));
        consent::ask(self.global, "consent.jump")?;
        Ok(told)
    }

    /// What is to be signed.
    pub fn payload(&self, body: Body, sequence: u64, now: u64) -> Result<Payload, Failure> {
        Ok(Payload {
            chain: self.chain()?,
            principal: OrganisationId(self.principal),
            officer: PersonId(self.must_have_first()?),
            sequence,
            valid_until_ms: LedgerTime(now.saturating_add(VALID_MS)),
            nonce: Nonce(files::random()?),
            body,
        })
    }

    /// A node's judgement of what is to be signed; the roles of signers that were left to the ledger
    /// are known afterwards.
    pub fn rehearse(
        &self,
        client: &Client,
        payload: &Payload,
    ) -> Result<Option<Judgement>, Failure> {
        self.keys.used_for(&super::next::deed_of(&payload.body));
        let mut signers = self.signers.borrow_mut();
        let judged = signers::rehearse(client, payload, &[], &mut signers)?;
        if let Some(judged) = &judged {
            self.keys.known(&judged.signers);
        }
        Ok(judged)
    }

    /// Refuses signers who are none, by a node's word or by their cards.
    pub fn must_hold(&self, payload: &Payload, judged: Option<&Judgement>) -> Result<(), Failure> {
        let signers = self.signers.borrow();
        signers::must_hold(payload, &signers, judged, &self.keystore)
    }

    /// The record with the signatures of everybody given.
    pub fn sign(&self, payload: Payload) -> Result<Record, Failure> {
        self.keys.used_for(&super::next::deed_of(&payload.body));
        let mut record = Record {
            payload,
            signatures: Vec::new(),
        };
        for (person, role) in signers::settled(&self.signers.borrow())? {
            self.keys.sign(
                &mut record,
                person,
                role,
                &self.keystore,
                self.flags.signing.keys.passphrase_file.as_deref(),
            )?;
        }
        fits(&record)?;
        Ok(record)
    }
}

/// What an act would leave can be written where it is to go: known before anybody signs.
pub fn outputs_free(flags: &Submitting, pending: Option<&Path>) -> Result<(), Failure> {
    let named = [
        pending,
        flags.receipt_file.as_deref(),
        flags.print.as_deref(),
    ];
    named
        .into_iter()
        .flatten()
        .try_for_each(|file| files::free(file, Some(flags.force)))
}

/// A failure for want of something that a profile would say.
pub fn unknown(key: &str) -> Failure {
    Failure::unusable(t(key, &[])).next(t("act.no-profile-next", &[]))
}

/// Refuses a record that no node would take (RULINGS A19).
pub fn fits(record: &Record) -> Result<(), Failure> {
    let size = encode(record).len();
    if size <= RECORD_MAX_BYTES {
        return Ok(());
    }
    let facts = [
        ("size", size.to_string()),
        ("max", RECORD_MAX_BYTES.to_string()),
    ];
    Err(Failure::unusable(t("act.too-large", &facts)).next(t("act.too-large-next", &[])))
}

/// The folder of keys: as given, else the profile's.
pub fn keystore(flags: &KeyFlags, profile: Option<&Profile>) -> Keystore {
    let of_profile = profile.and_then(|profile| profile.keystore.as_deref());
    Keystore::at(flags.keystore.as_ref(), of_profile)
}

/// The nodes to ask: as given, else the profile's.
pub fn client(flags: &Asking, profile: Option<&Profile>) -> Result<Client, Failure> {
    asking::client(flags, profile, "act.no-profile-next")
}

/// The signers with their roles where these are known: as given, else the profile's person.
pub fn signers(
    flags: &Signing,
    profile: Option<&Profile>,
    keystore: &Keystore,
    principal: u32,
) -> Result<Vec<Signer>, Failure> {
    let mut given = flags.signer.clone();
    if given.is_empty() {
        given.extend(
            profile
                .and_then(|profile| profile.person)
                .map(|person| person.to_string()),
        );
    }
    let one = |text: &String| signer(text, keystore, principal);
    given.iter().map(one).collect()
}

/// Refuses a file of another alliance than one's own.
pub fn same_chain(found: Hash, own: Hash, file: &Path) -> Result<(), Failure> {
    if found == own {
        return Ok(());
    }
    let facts = [
        ("file", file.display().to_string()),
        ("chain", found.to_hex()),
        ("own", own.to_hex()),
    ];
    Err(Failure::refused(t("act.other-chain", &facts)).next(t("act.other-chain-next", &facts)))
}

/// A signer as typed: `11`, `11:primary`, and the same with the wide characters of a Chinese keyboard.
pub fn typed(text: &str) -> Result<Signer, Failure> {
    let bad = || {
        let failure = Failure::unusable(t("act.bad-signer", &[("text", text.to_owned())]));
        let known: Vec<String> = KNOWN_ROLES.map(role_code).to_vec();
        failure
            .because(t("act.bad-signer-why", &[]))
            .next(t("act.bad-signer-next", &[("known", known.join(", "))]))
    };
    let text = narrow(text);
    let (person, role) = match text.split_once(':') {
        Some((person, role)) => (person, Some(parse_role(role).ok_or_else(bad)?)),
        None => (text.as_str(), None),
    };
    let person: u32 = person.parse().map_err(|_| bad())?;
    Ok((person, role))
}

fn signer(text: &str, keystore: &Keystore, principal: u32) -> Result<Signer, Failure> {
    let (person, role) = typed(text)?;
    if role.is_some() {
        return Ok((person, role));
    }
    let card = keystore.card(person)?;
    // Whose home is elsewhere holds a post there, which the ledger knows.
    let own: &[Role] = if card.organisation == principal {
        &card.roles
    } else {
        &[]
    };
    Ok(match own {
        [only] => (person, Some(*only)),
        // Who may bind the company signs as that unless something else is asked for.
        roles if roles.contains(&Role::Primary) => (person, Some(Role::Primary)),
        _ => (person, None),
    })
}

/// Ledger time as told by a node, else this machine's: for what is only kept by it.
pub fn told_now(client: &Client, person: PersonId) -> LedgerTime {
    let told = place(client, person.0, ReadClass::Public);
    LedgerTime(told.map_or_else(|_| rollbook_node::clock::real_ms(), |(_, now)| now))
}

/// The next free sequence of a person in a lane, and the ledger time, as told by a node.
fn place(client: &Client, person: u32, lane: ReadClass) -> Result<(u64, u64), Failure> {
    let lane = word(lane);
    let told: Sequence = client.json(&format!("/v1/persons/{person}/sequence?lane={lane}"))?;
    Ok((told.next, told.now_ms))
}
