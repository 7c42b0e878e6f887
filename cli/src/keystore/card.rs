//! The card: the public half of an officer's key, which goes to the secretary. TOML that a person
//! can read.
//!
//! * A card holds nothing that must stay secret: person and signatory are salted commitments, the
//!   letter is a hash.
//! * Its proof of possession is one for a founding: it counts in the genesis to which the card goes,
//!   and shows everybody else that the card is whole. A registration takes the key alone and has it
//!   sign that registration (RULINGS A21).

use std::path::Path;
use std::rc::Rc;

use rollbook_core::calendar::LocalDay;
use rollbook_core::id::PersonId;
use rollbook_core::identity::possession::Possession;
use rollbook_core::identity::{Authorisation, OfficerEntry, Role};
use rollbook_proof::crypto::{Hash, KeyKind, PublicKey, Signature};
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::input::problem::Report;
use crate::input::toml_file::{Section, TomlFile};
use crate::output::word;

/// The sentence that every sample file carries (domain 5.2.3).
pub const SAMPLE_NOTICE: &str =
    "Fictional sample data. Amounts, projects, votes and persons are invented.";

/// An officer's card.
#[derive(Debug, Clone)]
pub struct OfficerCard {
    /// Home organisation.
    pub organisation: u32,
    /// Person number.
    pub person: u32,
    /// Roles in the home organisation, ascending.
    pub roles: Vec<Role>,
    /// Salted commitment to name and document.
    pub commitment: Hash,
    /// The key.
    pub public_key: PublicKey,
    /// Proof of possession for the organisation number, in a founding.
    pub possession: Signature,
    /// The letter.
    pub authorisation: Authorisation,
    /// Whether the key is a sample.
    pub sample: bool,
}

/// The code of a role, as files and the command line write it.
pub fn role_code(role: Role) -> String {
    word(role)
}

/// Reads a role's code.
pub fn parse_role(code: &str) -> Option<Role> {
    serde_json::from_value(serde_json::Value::String(code.to_owned())).ok()
}

/// A public key as files write it: `ed25519:<64 hex>`.
pub fn key_text(key: &PublicKey) -> String {
    format!("ed25519:{}", hex::encode(key.bytes()))
}

/// A signature as files write it.
pub fn signature_text(signature: &Signature) -> String {
    let Signature::Ed25519(bytes) = signature;
    format!("ed25519:{}", hex::encode(bytes))
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text.strip_prefix("ed25519:")?)
        .ok()?
        .try_into()
        .ok()
}

/// Reads a pair of key and proof from a section. The proof is not checked, except for its form.
pub fn read_key(section: &mut Section, report: &mut Report) -> Option<(PublicKey, Signature)> {
    let (place, text) = section.placed_string("public_key", report)?;
    let (proof_place, proof) = section.placed_string("possession", report)?;
    let Some(key) = bytes(&text).map(PublicKey::Ed25519) else {
        report.error(&place, "card-key-form", &[("found", text)]);
        return None;
    };
    if let Err(error) = key.check_registrable() {
        report.error(&place, "card-key-refused", &[("why", error.to_string())]);
        return None;
    }
    let Some(proof) = bytes(&proof).map(Signature::Ed25519) else {
        report.error(&proof_place, "card-proof-form", &[("found", proof)]);
        return None;
    };
    Some((key, proof))
}

impl OfficerCard {
    /// The card as a file.
    pub fn render(&self) -> String {
        let roles: Vec<String> = self
            .roles
            .iter()
            .map(|role| format!("\"{}\"", role_code(*role)))
            .collect();
        let sample = if self.sample {
            format!("sample = true\nnotice = \"{SAMPLE_NOTICE}\"\n")
        } else {
            String::new()
        };
        format!(
            "# Public card of an officer's key. Nothing in it is secret: send it to the \
             secretary.\n\
             kind = \"officer\"\nversion = 1\n{sample}\
             organisation = {}\nperson = {}\nroles = [{}]\n\
             # Salted commitment to name and identity document; salt and clear text are in the \
             keystore.\n\
             commitment = \"{}\"\n\
             public_key = \"{}\"\npossession = \"{}\"\n\n\
             # The authorisation letter on which the key rests: its SHA-256, a commitment to its \
             signatory, its date.\n\
             [letter]\nsha256 = \"{}\"\nsignatory = \"{}\"\ndate = \"{}\"\n",
            self.organisation,
            self.person,
            roles.join(", "),
            self.commitment,
            key_text(&self.public_key),
            signature_text(&self.possession),
            self.authorisation.letter,
            self.authorisation.signatory,
            LocalDay(self.authorisation.date.0).date(),
        )
    }

    /// Reads a card file, alone.
    pub fn read(path: &Path) -> Result<OfficerCard, Failure> {
        let text = String::from_utf8_lossy(&crate::files::read(path)?).into_owned();
        let name: Rc<str> = path.display().to_string().into();
        let mut report = Report::default();
        let card = TomlFile::parse(name, &text, &mut report).and_then(|file| {
            let mut section = file.root();
            let card = OfficerCard::parse(&mut section, &mut report);
            section.finish(&mut report);
            card
        });
        match (card, report.errors.first()) {
            (Some(card), None) => Ok(card),
            (_, problem) => Err(Failure::unusable(t(
                "keys.no-card",
                &[("file", path.display().to_string())],
            ))
            .because(problem.map(ToString::to_string).unwrap_or_default())),
        }
    }

    /// Reads a card from its section.
    pub fn parse(section: &mut Section, report: &mut Report) -> Option<OfficerCard> {
        section.expect_string("kind", "officer", report)?;
        section.expect_number("version", 1, report)?;
        let sample = section.flag("sample", report).unwrap_or(false);
        let _ = section.optional_string("notice", report);
        let organisation = section.number("organisation", report);
        let person = section.number("person", report);
        let roles = section.strings("roles", report).map(|(place, codes)| {
            let mut roles = Vec::new();
            for code in codes {
                match parse_role(&code).filter(|role| !role.is_post()) {
                    Some(role) => roles.push(role),
                    None => report.error(&place, "card-role", &[("found", code)]),
                }
            }
            roles.sort();
            roles.dedup();
            roles
        });
        let commitment = section.hash("commitment", report);
        let key = read_key(section, report);
        if let (Some(organisation), Some(pair)) = (organisation, &key)
            && !Possession::founding(organisation).is_proved(KeyKind::Officer, pair)
        {
            let facts = [("organisation", organisation.to_string())];
            report.error(&section.place(), "card-possession", &facts);
            return None;
        }
        let authorisation = section
            .required_section("letter", report)
            .and_then(|mut letter| {
                let hash = letter.hash("sha256", report);
                let signatory = letter.hash("signatory", report);
                let date = letter.date("date", report);
                letter.finish(report);
                Some(Authorisation {
                    letter: hash?,
                    signatory: signatory?,
                    date: date?,
                })
            });
        let (public_key, possession) = key?;
        Some(OfficerCard {
            organisation: organisation?,
            person: person?,
            roles: roles?,
            commitment: commitment?,
            public_key,
            possession,
            authorisation: authorisation?,
            sample,
        })
    }

    /// The officer as a genesis takes it; a registration takes it with another proof.
    pub fn entry(&self) -> OfficerEntry {
        OfficerEntry {
            person: PersonId(self.person),
            commitment: self.commitment,
            roles: self.roles.clone(),
            keys: vec![(self.public_key, self.possession)],
            reader: None,
            authorisation: self.authorisation.clone(),
        }
    }
}
