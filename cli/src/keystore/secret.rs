//! An officer's secret: the key's seed and the clear data behind the card, as TOML inside an `age`
//! file (scrypt).
//!
//! Everything that the card says is in it too, so one such file is all that an empty machine needs:
//! the card is made from it again ([`Secret::card`]), and a copy of the file is a whole backup.

use std::path::Path;

use age::secrecy::SecretString;
use rollbook_core::calendar::LocalDay;
use rollbook_core::identity::possession::Possession;
use rollbook_core::identity::{Authorisation, Role, commitment};
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, KeyKind, Keypair};
use rollbook_words::catalogue::t;
use rollbook_words::dates::day;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::card::{OfficerCard, parse_role, role_code};
use crate::failure::Failure;

/// scrypt work factor of real keys, log2: about half a second and 128 MiB.
const WORK_FACTOR: u8 = 17;
/// Of sample keys, whose passphrase everybody knows.
const SAMPLE_WORK_FACTOR: u8 = 10;
/// Highest work factor that is accepted when opening (RULINGS A51): a second and 256 MiB. It is judged
/// before any work is done.
const WORK_FACTOR_MAX: u8 = 18;

/// The clear contents. Wiped from memory when dropped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    kind: String,
    version: u32,
    /// Organisation number.
    pub organisation: u32,
    /// Person number.
    pub person: u32,
    /// Full name as in the identity document.
    pub name: String,
    /// Identity document, kind and number.
    pub document: String,
    salt: String,
    /// Who signed the authorisation letter.
    pub signatory: String,
    signatory_salt: String,
    /// Roles in the home organisation, as codes.
    roles: Vec<String>,
    /// SHA-256 of the authorisation letter.
    letter: String,
    /// Its date, `2026-11-30`.
    letter_date: String,
    seed: String,
    /// Whether the key is derived from a public seed.
    #[serde(default)]
    pub sample: bool,
}

impl Drop for Secret {
    fn drop(&mut self) {
        for text in [
            &mut self.seed,
            &mut self.salt,
            &mut self.signatory_salt,
            &mut self.name,
            &mut self.document,
        ] {
            text.zeroize();
        }
    }
}

/// What a person states of himself or herself, and the random parts.
pub struct Fresh<'a> {
    /// Organisation number.
    pub organisation: u32,
    /// Person number.
    pub person: u32,
    /// Full name.
    pub name: &'a Text<160>,
    /// Identity document.
    pub document: &'a Text<160>,
    /// Who signed the letter.
    pub signatory: &'a Text<160>,
    /// Salt of the person's commitment.
    pub salt: [u8; 32],
    /// Salt of the signatory's commitment.
    pub signatory_salt: [u8; 32],
    /// The key.
    pub key: &'a Keypair,
    /// Whether this is a sample.
    pub sample: bool,
    /// Roles in the home organisation.
    pub roles: &'a [Role],
    /// SHA-256 of the authorisation letter.
    pub letter: Hash,
    /// Its date.
    pub date: LocalDay,
}

impl Fresh<'_> {
    /// The card that goes with it: what others may see, with the proof that the key is here, for a
    /// founding.
    pub fn card(&self) -> OfficerCard {
        OfficerCard {
            organisation: self.organisation,
            person: self.person,
            roles: self.roles.to_vec(),
            commitment: commitment::person(&self.salt, self.name, self.document),
            public_key: self.key.public(),
            possession: Possession::founding(self.organisation).prove(KeyKind::Officer, self.key),
            authorisation: Authorisation {
                letter: self.letter,
                signatory: commitment::signatory(&self.signatory_salt, self.signatory),
                date: self.date,
            },
            sample: self.sample,
        }
    }
}

/// A salt from its digits.
fn salt(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

impl Secret {
    /// A new secret.
    pub fn new(fresh: &Fresh) -> Secret {
        Secret {
            kind: "officer-secret".to_owned(),
            version: 1,
            organisation: fresh.organisation,
            person: fresh.person,
            name: fresh.name.to_string(),
            document: fresh.document.to_string(),
            salt: hex::encode(fresh.salt),
            signatory: fresh.signatory.to_string(),
            signatory_salt: hex::encode(fresh.signatory_salt),
            roles: fresh.roles.iter().map(|role| role_code(*role)).collect(),
            letter: fresh.letter.to_hex(),
            letter_date: fresh.date.date().to_string(),
            seed: hex::encode(fresh.key.seed()),
            sample: fresh.sample,
        }
    }

    /// The same person with another key.
    pub fn renewed(&self, key: &Keypair) -> Secret {
        Secret {
            kind: self.kind.clone(),
            name: self.name.clone(),
            document: self.document.clone(),
            salt: self.salt.clone(),
            signatory: self.signatory.clone(),
            signatory_salt: self.signatory_salt.clone(),
            roles: self.roles.clone(),
            letter: self.letter.clone(),
            letter_date: self.letter_date.clone(),
            seed: hex::encode(key.seed()),
            version: self.version,
            organisation: self.organisation,
            person: self.person,
            sample: self.sample,
        }
    }

    /// The key; nothing if the file's seed is no seed.
    pub fn key(&self) -> Option<Keypair> {
        let bytes = Zeroizing::new(hex::decode(&self.seed).ok()?);
        Some(Keypair::from_seed(bytes.as_slice().try_into().ok()?))
    }

    /// The card that goes with it: what others may see, with the proof that the key is here, for a
    /// founding. None if a part of the secret cannot be read.
    pub fn card(&self) -> Option<OfficerCard> {
        let text = |text: &str| Text::<160>::new(text.to_owned()).ok();
        let roles: Option<Vec<Role>> = self.roles.iter().map(|code| parse_role(code)).collect();
        let fresh = Fresh {
            organisation: self.organisation,
            person: self.person,
            name: &text(&self.name)?,
            document: &text(&self.document)?,
            signatory: &text(&self.signatory)?,
            salt: salt(&self.salt)?,
            signatory_salt: salt(&self.signatory_salt)?,
            key: &self.key()?,
            sample: self.sample,
            roles: &roles?,
            letter: Hash::from_hex(&self.letter)?,
            date: day(&self.letter_date)?,
        };
        Some(fresh.card())
    }

    /// Whether secret and card are of one person and one key; else the catalogue key of what
    /// differs.
    pub fn matches(&self, card: &OfficerCard) -> Result<(), &'static str> {
        if self.person != card.person || self.organisation != card.organisation {
            return Err("keys.differs.number");
        }
        if self.key().is_none_or(|key| key.public() != card.public_key) {
            return Err("keys.differs.key");
        }
        let Some(own) = self.card() else {
            return Err("keys.differs.key");
        };
        if own.commitment != card.commitment {
            return Err("keys.differs.person");
        }
        if own.authorisation.signatory != card.authorisation.signatory {
            return Err("keys.differs.signatory");
        }
        Ok(())
    }

    /// Encrypts it.
    pub fn seal(&self, passphrase: &str) -> Result<Vec<u8>, Failure> {
        let text = Zeroizing::new(
            toml::to_string(self)
                .map_err(|error| Failure::unusable(t("keys.no-encryption", &[])).because(error))?,
        );
        encrypt(text.as_bytes(), passphrase, self.sample)
    }

    /// Decrypts a file.
    pub fn open(path: &Path, passphrase: &str) -> Result<Secret, Failure> {
        let clear = decrypt(path, passphrase)?;
        let secret = std::str::from_utf8(&clear)
            .ok()
            .and_then(|text| toml::from_str::<Secret>(text).ok());
        match secret {
            Some(secret) if secret.kind == "officer-secret" && secret.version == 1 => Ok(secret),
            _ => Err(
                Failure::unusable(t("keys.damaged", &[("file", path.display().to_string())]))
                    .because(t("keys.not-a-secret", &[]))
                    .next(t("keys.damaged-next", &[])),
            ),
        }
    }
}

/// Encrypts under a passphrase; weakly if it is a sample whose passphrase everybody knows.
pub fn encrypt(clear: &[u8], passphrase: &str, sample: bool) -> Result<Vec<u8>, Failure> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(if sample {
        SAMPLE_WORK_FACTOR
    } else {
        WORK_FACTOR
    });
    age::encrypt(&recipient, clear)
        .map_err(|error| Failure::unusable(t("keys.no-encryption", &[])).because(error))
}

/// Decrypts a file; a wrong passphrase and a damaged file are told apart.
pub fn decrypt(path: &Path, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = crate::files::read(path)?;
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    identity.set_max_work_factor(WORK_FACTOR_MAX);
    let file = || ("file", path.display().to_string());
    let clear = age::decrypt(&identity, &bytes).map_err(|error| match error {
        age::DecryptError::DecryptionFailed
        | age::DecryptError::NoMatchingKeys
        | age::DecryptError::KeyDecryptionFailed => {
            Failure::refused(t("keys.wrong-passphrase", &[file()]))
                .next(t("keys.wrong-passphrase-next", &[]))
        }
        age::DecryptError::ExcessiveWork { required, .. } => {
            let facts = [
                file(),
                ("required", required.to_string()),
                ("most", WORK_FACTOR_MAX.to_string()),
            ];
            Failure::unusable(t("keys.too-much-work", &facts))
                .next(t("keys.too-much-work-next", &facts))
        }
        _ => Failure::unusable(t("keys.damaged", &[file()]))
            .because(error)
            .next(t("keys.damaged-next", &[])),
    })?;
    Ok(Zeroizing::new(clear))
}
