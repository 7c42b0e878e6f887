//! `rollbook keys offer|rotate`: keys that come later (M23, M32; RULINGS R23).
//!
//! * Who is to join a company, or to have a further key, makes a key as for a registration (`keys new
//!   --organisation 0`) and hands the company an offer: the public half with the proof that somebody
//!   holds it, for this chain and this company. The company puts it into `org officers` or a recovery.
//! * A rotation puts a new key in place of the one that signs it. The new one is on disk before the
//!   record is handed in, and takes the old one's place only when the ledger has it; the old files stay
//!   beside it.

use std::path::PathBuf;

use clap::{Args, value_parser};
use rollbook_core::id::PersonId;
use rollbook_core::identity::possession::{Possession, UNPROVED};
use rollbook_core::identity::{KeyState, OfficerEntry};
use rollbook_core::record::{Body, KeyRotation, NewKey, OrganisationAct, further_key, joining};
use rollbook_core::view::{KeyLine, View};
use rollbook_proof::crypto::{KeyKind, Keypair, PublicKey};
use rollbook_proof::number::OrganisationId;
use rollbook_wire::next::Beside;
use rollbook_words::catalogue::t;

use super::keystore_of;
use crate::act;
use crate::act::desk::{Desk, unknown};
use crate::failure::Failure;
use crate::files;
use crate::flags::{Acting, Global, KeyFlags};
use crate::keystore::card::OfficerCard;
use crate::keystore::{Keystore, mismatch, passphrase};
use crate::output::{print, print_json, say};
use crate::profile::{genesis, in_use};
use crate::verbs::people::Offer;

/// `keys offer`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Hand {
    #[arg(value_name = "PERSON", value_parser = value_parser!(u32).range(1..))]
    person: u32,
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    organisation: u32,
    /// A further key of an officer, and nobody who joins.
    #[arg(id = "for", long = "for", value_name = "PERSON", value_parser = value_parser!(u32).range(1..))]
    officer: Option<u32>,
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long, value_name = "HASH")]
    genesis: Option<String>,
    #[command(flatten)]
    keys: KeyFlags,
}

/// `keys rotate`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Rotate {
    #[command(flatten)]
    acting: Acting,
}

/// Writes an offer of a key that is here.
pub fn offer(global: &Global, flags: &Hand) -> Result<u8, Failure> {
    let profile = in_use(global)?;
    let chain = genesis(flags.genesis.as_deref(), profile.as_ref())?
        .ok_or_else(|| unknown("act.no-genesis"))?;
    files::free(&flags.out, None)?;
    let store = keystore_of(global, &flags.keys)?;
    let card = store.card(flags.person)?;
    let whose = t("keys.whose-number", &[("person", flags.person.to_string())]);
    let passphrase = passphrase::existing(flags.keys.passphrase_file.as_deref(), &whose)?;
    let secret = store.open(flags.person, &passphrase)?;
    let key = secret
        .key()
        .ok_or_else(|| mismatch(&store.secret_path(flags.person), "keys.differs.key"))?;
    let company = OrganisationId(flags.organisation);
    let offer = match flags.officer {
        Some(person) => {
            let person = PersonId(person);
            let possession = further_key(person, &chain, company);
            Offer::Key(NewKey {
                person,
                key: key.public(),
                proof: possession.prove(KeyKind::Officer, &key),
            })
        }
        None => {
            let mut entry = OfficerEntry {
                person: PersonId(0),
                commitment: card.commitment,
                roles: card.roles.clone(),
                keys: vec![(key.public(), UNPROVED)],
                reader: None,
                authorisation: card.authorisation.clone(),
            };
            let possession = joining(&entry, &chain, company);
            entry.keys = vec![(key.public(), possession.prove(KeyKind::Officer, &key))];
            Offer::Officer(Box::new(entry))
        }
    };
    let bytes = serde_json::to_vec_pretty(&offer).unwrap_or_default();
    files::write_new(&flags.out, &bytes, false)?;
    let facts = [
        ("file", flags.out.display().to_string()),
        ("organisation", flags.organisation.to_string()),
    ];
    if global.json {
        print_json(&serde_json::json!({ "file": flags.out, "organisation": flags.organisation }));
        return Ok(0);
    }
    print(t("keys.offered", &facts));
    let next = match flags.officer {
        Some(_) => "keys.offered-key-next",
        None => "keys.offered-next",
    };
    say(format!("{}: {}", t("word.next", &[]), t(next, &facts)));
    Ok(0)
}

/// The new pair of files until the ledger has the key.
struct Coming<'a> {
    store: &'a Keystore,
    person: u32,
}

impl Coming<'_> {
    fn secret(&self) -> PathBuf {
        self.store.folder().join(format!("{:04}.next", self.person))
    }

    fn card(&self) -> PathBuf {
        self.store
            .folder()
            .join(format!("{:04}.next.toml", self.person))
    }

    /// Puts the new pair in place of the old one, which keeps a name of its own.
    fn take_place(&self, old: u32) -> Result<(), Failure> {
        let folder = self.store.folder();
        let moves = [
            (
                self.store.secret_path(self.person),
                folder.join(format!("{:04}.key{old}", self.person)),
            ),
            (
                self.store.card_path(self.person),
                folder.join(format!("{:04}.key{old}.toml", self.person)),
            ),
            (self.secret(), self.store.secret_path(self.person)),
            (self.card(), self.store.card_path(self.person)),
        ];
        for (from, to) in moves {
            if from.exists() {
                std::fs::rename(&from, &to).map_err(|error| files::cannot_write(&to, &error))?;
            }
        }
        Ok(())
    }
}

/// The person's keys as a node tells them.
fn keys_of(desk: &Desk, person: u32) -> Result<Vec<KeyLine>, Failure> {
    let path = format!("/v1/views/organisation/{}", desk.principal);
    let beside: Beside = desk.client()?.json(&path)?;
    let View::Organisation(view) = beside.view else {
        return Ok(Vec::new());
    };
    let mut officers = view.officers.into_iter();
    let officer = officers.find(|officer| officer.person == PersonId(person));
    Ok(officer.map(|officer| officer.keys).unwrap_or_default())
}

/// The number of this key, if it may sign.
fn number(keys: &[KeyLine], key: &PublicKey) -> Option<u32> {
    let mut keys = keys.iter();
    let found = keys.find(|line| line.key == *key && line.state == KeyState::InForce);
    found.map(|line| line.number)
}

/// Puts a new key in place of the one that is here.
pub fn rotate(global: &Global, flags: &Rotate) -> Result<u8, Failure> {
    let desk = Desk::of(global, &flags.acting, None)?;
    let store = &desk.keystore;
    let [(person, _)] = desk.signers()[..] else {
        return Err(unknown("act.no-signer"));
    };
    let whose = t("keys.whose-number", &[("person", person.to_string())]);
    let passphrase_file = flags.acting.signing.keys.passphrase_file.as_deref();
    let passphrase = passphrase::existing(passphrase_file, &whose)?;
    let (card, secret) = (store.card(person)?, store.open(person, &passphrase)?);
    let wrong = || mismatch(&store.secret_path(person), "keys.differs.key");
    let old = secret.key().ok_or_else(wrong)?;
    let coming = Coming { store, person };
    let known = keys_of(&desk, person)?;
    let new = if coming.secret().exists() {
        // An earlier rotation whose fate was not known.
        let kept = crate::keystore::secret::Secret::open(&coming.secret(), &passphrase)?;
        kept.key().ok_or_else(wrong)?
    } else {
        let new = Keypair::from_seed(&files::random()?);
        if !flags.acting.dry_run {
            let renewed = secret.renewed(&new);
            let possession = Possession::founding(card.organisation);
            let card = OfficerCard {
                public_key: new.public(),
                possession: possession.prove(KeyKind::Officer, &new),
                ..card
            };
            files::write_new(&coming.secret(), &renewed.seal(&passphrase)?, true)?;
            files::write_new(&coming.card(), card.render().as_bytes(), false)?;
        }
        new
    };
    if number(&known, &new.public()).is_some() {
        coming.take_place(last(&known, &old.public()))?;
        print(t("keys.rotated", &[("person", person.to_string())]));
        return Ok(0);
    }
    let Some(replaces) = number(&known, &old.public()) else {
        let facts = [("person", person.to_string())];
        return Err(Failure::refused(t("keys.not-in-force", &facts))
            .next(t("keys.not-in-force-next", &facts)));
    };
    let mut rotation = KeyRotation {
        person: PersonId(person),
        replaces,
        key: new.public(),
        proof: UNPROVED,
    };
    let possession = rotation.possession(&desk.chain()?, OrganisationId(desk.principal));
    rotation.proof = possession.prove(KeyKind::Officer, &new);
    let body = Body::Organisation(OrganisationAct::RotateKey(rotation));
    let exit = act::perform(&desk, "keys rotate", body, &desk.reading())?;
    if !flags.acting.dry_run && number(&keys_of(&desk, person)?, &new.public()).is_some() {
        coming.take_place(replaces)?;
        print(t("keys.rotated", &[("person", person.to_string())]));
    }
    Ok(exit)
}

/// The number of a key, whatever became of it.
fn last(keys: &[KeyLine], key: &PublicKey) -> u32 {
    let mut keys = keys.iter();
    keys.find(|line| line.key == *key)
        .map_or(0, |line| line.number)
}
