//! What a profile keeps of the bank accounts of funds, what the ledger knows of them, and the two side
//! by side.
//!
//! * In the profile's folder, 0600: for each fund the settings (number of the account, holder, bank,
//!   columns of its files), the statements that were taken, and which payments were handed to the bank
//!   in which message.
//! * `known` is what the ledger knows and awaits, `reconciled` the two side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rollbook_bank::map::ColumnMap;
use rollbook_bank::taken::Taken;
use rollbook_core::account::Unit;
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::{FundId, Id as _};
use rollbook_core::object::fund::Fund;
use rollbook_core::object::payment::{Payment, PaymentState};
use rollbook_core::word::Word as _;
use rollbook_proof::crypto::Hash;
use rollbook_words::catalogue::t;
use serde::{Deserialize, Serialize};

use crate::act::next::state;
use crate::failure::Failure;
use crate::flags::Global;
use crate::profile::Left;
use crate::{files, output};

mod known;
mod reconciled;

pub use known::known;
pub use reconciled::{About, Item, Reconciled, Side, reconcile};

/// What is known of a fund's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Number of the account.
    pub account: String,
    /// Its holder, as the bank knows it.
    pub holder: String,
    /// Its currency.
    pub currency: String,
    /// The bank: BIC, or twelve digits of CNAPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank: Option<String>,
    /// What the ledger has for the account: the commitment, if its opening was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Hash>,
    /// References of payments that the bank executed before the first statement and that were
    /// confirmed after it: they are in its opening balance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Columns of the bank's files.
    #[serde(default)]
    pub map: ColumnMap,
}

/// A payment that was handed to the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    /// Number of the message that it was in.
    pub message: String,
    /// The day on which the message was made.
    pub day: LocalDay,
}

/// What a profile keeps of one account.
pub struct Kept {
    folder: PathBuf,
    name: String,
    /// The settings.
    pub settings: Settings,
    /// The statements.
    pub taken: Taken,
    /// What was handed to the bank, by the payer's reference.
    pub handed: BTreeMap<String, Handed>,
}

fn paths(global: &Global, fund: FundId) -> Result<(PathBuf, String), Failure> {
    Ok((Left::Bank.folder(global)?, fund.short().to_string()))
}

/// The settings of a fund's account; none: nothing was set.
pub fn settings(global: &Global, fund: FundId) -> Result<Option<Settings>, Failure> {
    let (folder, name) = paths(global, fund)?;
    let path = folder.join(format!("{name}.toml"));
    if !path.exists() {
        return Ok(None);
    }
    let bytes = files::read(&path)?;
    let text = String::from_utf8_lossy(&bytes);
    let settings: Settings = toml::from_str(&text).map_err(|error| {
        let facts = [("file", path.display().to_string())];
        Failure::unusable(t("bank.settings-unreadable", &facts)).because(error.message())
    })?;
    Ok(Some(settings))
}

/// Writes the settings.
pub fn set(global: &Global, fund: FundId, settings: &Settings) -> Result<(), Failure> {
    let (folder, name) = paths(global, fund)?;
    let text = toml::to_string(settings).map_err(|error| Failure::unusable(error.to_string()))?;
    files::replace_secret(&folder.join(format!("{name}.toml")), text.as_bytes())
}

/// What a file of the profile holds; nothing where there is none.
fn held<T: Default + serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    if !path.exists() {
        return Ok(T::default());
    }
    serde_json::from_slice(&files::read(path)?).map_err(|error| {
        let facts = [("file", path.display().to_string())];
        Failure::unusable(t("bank.settings-unreadable", &facts)).because(error)
    })
}

/// The statements that were taken of a fund's account, whatever the settings say.
pub fn taken(global: &Global, fund: FundId) -> Result<Taken, Failure> {
    let (folder, name) = paths(global, fund)?;
    held(&folder.join(format!("{name}.json")))
}

impl Kept {
    /// What is kept of a fund's account. Fails where nothing was set, or where the statements are of
    /// another account than the settings.
    pub fn open(global: &Global, fund: FundId) -> Result<Kept, Failure> {
        let facts = [("fund", fund.short().to_string())];
        let settings = settings(global, fund)?.ok_or_else(|| {
            Failure::unusable(t("bank.not-set", &facts)).next(t("bank.not-set-next", &facts))
        })?;
        let taken = taken(global, fund)?;
        if let Some(of) = &taken.of
            && !of.is(&settings.account, &settings.currency)
        {
            return Err(Failure::refused(t("bank.lines-of-another", &facts))
                .next(t("bank.lines-of-another-next", &facts)));
        }
        let (folder, name) = paths(global, fund)?;
        let handed = held(&folder.join(format!("{name}.handed.json")))?;
        Ok(Kept {
            folder,
            name,
            settings,
            taken,
            handed,
        })
    }

    /// A lock on everything that is kept of an account until what is returned is dropped.
    pub fn lock(global: &Global, fund: FundId) -> Result<std::fs::File, Failure> {
        let (folder, name) = paths(global, fund)?;
        files::lock_file(&folder.join(format!(".{name}.lock")))
    }

    /// Writes the statements.
    pub fn keep(&self) -> Result<(), Failure> {
        self.hold("json", &self.taken)
    }

    /// Writes what was handed to the bank.
    pub fn keep_handed(&self) -> Result<(), Failure> {
        self.hold("handed.json", &self.handed)
    }

    fn hold(&self, ending: &str, value: &impl Serialize) -> Result<(), Failure> {
        let bytes =
            serde_json::to_vec(value).map_err(|error| Failure::unusable(error.to_string()))?;
        files::replace_secret(&self.folder.join(format!("{}.{ending}", self.name)), &bytes)
    }

    /// The currency.
    pub fn unit(&self) -> Result<Unit, Failure> {
        Unit::currency(&self.settings.currency)
            .map_err(|error| Failure::unusable(error.to_string()))
    }

    /// The account is the fund's, as far as somebody can say.
    pub fn is_of(&self, fund: &Fund) -> Result<(), Failure> {
        let facts = [
            ("fund", fund.number.short().to_string()),
            ("unit", fund.unit.code().to_owned()),
            ("currency", self.settings.currency.clone()),
        ];
        if fund.unit.code() != self.settings.currency {
            return Err(Failure::unusable(t("bank.other-unit", &facts))
                .next(t("bank.not-set-next", &facts)));
        }
        match self.settings.commitment {
            Some(commitment) if commitment != fund.bank_account => {
                Err(Failure::refused(t("bank.other-commitment", &facts))
                    .next(t("bank.other-commitment-next", &facts)))
            }
            Some(_) => Ok(()),
            None => {
                output::say(t("bank.not-compared", &facts));
                Ok(())
            }
        }
    }
}

/// Why a payment cannot be given to the bank; none: it can.
pub fn not_released(payment: &Payment) -> Option<Failure> {
    if payment.state == PaymentState::Released && payment.instruction.is_some() {
        return None;
    }
    let facts = [
        ("payment", payment.number.short().to_string()),
        ("state", state("payment", payment.state.word())),
    ];
    Some(Failure::refused(t("bank.not-released", &facts)).next(t("bank.not-released-next", &facts)))
}
