//! Recoveries of paid money (F26, F27, F44, F45): what stands in the ledger of one, and its transitions.
//!
//! A recovery is proposed, notified to the grantee, who may observe, and ordered by the board. What is ordered
//! comes back in instalments, by the bank or set off against a payment; what never comes is written off.

use bincode::{Decode, Encode};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::account::Amount;
use crate::calendar::LocalDay;
use crate::id::{AgreementId, CallId, FundId, PaymentId, PersonId, RecoveryId};
use crate::machine::Row;
use crate::record::{InstalmentEntry, RecoveryClaim, RecoveryEntry, SetOffEntry};
use crate::row;

/// Where a recovery stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum GrantRecoveryStatus {
    /// The grantee is not told yet.
    Proposed,
    /// The grantee may observe.
    Notified,
    /// The days to observe are over; the board may order it.
    Heard,
    /// Nothing has come back yet.
    Ordered,
    /// A part has come back.
    PartlyRecovered,
    /// All of it has.
    Recovered,
    /// The rest is given up.
    WrittenOff,
    /// It came to nothing.
    Dropped,
}

crate::words!(GrantRecoveryStatus, "state.recovery", {
    Proposed = "proposed",
    Notified = "notified",
    Heard = "heard",
    Ordered = "ordered",
    PartlyRecovered = "partly-recovered",
    Recovered = "recovered",
    WrittenOff = "written-off",
    Dropped = "dropped",
});

impl GrantRecoveryStatus {
    /// Whether something is still to come: a decision, or money.
    pub fn is_open(self) -> bool {
        match self {
            GrantRecoveryStatus::Proposed
            | GrantRecoveryStatus::Notified
            | GrantRecoveryStatus::Heard
            | GrantRecoveryStatus::Ordered
            | GrantRecoveryStatus::PartlyRecovered => true,
            GrantRecoveryStatus::Recovered
            | GrantRecoveryStatus::WrittenOff
            | GrantRecoveryStatus::Dropped => false,
        }
    }

    /// Whether money is owed.
    pub fn is_owed(self) -> bool {
        matches!(
            self,
            GrantRecoveryStatus::Ordered | GrantRecoveryStatus::PartlyRecovered
        )
    }
}

/// A recovery (working).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Recovery {
    /// Its number.
    pub number: RecoveryId,
    /// The fund.
    pub fund: FundId,
    /// The call of the agreement.
    pub call: CallId,
    /// The grantee who owes.
    pub grantee: OrganisationId,
    /// What was proposed, and why.
    pub claim: RecoveryClaim,
    /// The record that proposed it.
    pub record: Hash,
    /// Who proposed it.
    pub proposed_by: PersonId,
    /// Salted commitment to the letter, and SHA-256 of the proof that it was sent.
    pub notified: Option<(Hash, Hash)>,
    /// Salted commitment to the newest observations.
    pub observations: Option<Hash>,
    /// In what parts it is due; none before it is ordered.
    pub instalments: Vec<InstalmentEntry>,
    /// What is ordered, in minor units.
    pub ordered: Amount,
    /// What came back by the bank.
    pub received: Amount,
    /// What was set off against payments.
    pub set_off: Amount,
    /// What was given up.
    pub written_off: Amount,
    /// Officers who entered, confirmed or agreed to what came back or was set off.
    pub handled_by: Vec<PersonId>,
    /// What the treasurer saw come back and nobody has confirmed: the record, and until when it is waited for.
    pub waiting: Vec<(Hash, LedgerTime)>,
    /// Where it stands.
    pub status: GrantRecoveryStatus,
    /// Ledger time since which it stands there.
    pub since_ms: LedgerTime,
}

impl Recovery {
    /// The agreement.
    pub fn agreement(&self) -> AgreementId {
        self.claim.agreement
    }

    /// Notes an officer who handled what comes back.
    pub fn handled(&mut self, person: PersonId) {
        if !self.handled_by.contains(&person) {
            self.handled_by.push(person);
        }
    }

    /// What may still come back: of what is ordered, or of what is asked and not decided yet.
    pub fn receivable(&self) -> Amount {
        match self.status {
            GrantRecoveryStatus::Notified | GrantRecoveryStatus::Heard => {
                self.claim.amount.saturating_sub(self.received)
            }
            _ => self.rest(),
        }
    }

    /// What is open of what was ordered.
    pub fn rest(&self) -> Amount {
        self.ordered
            .saturating_sub(self.received)
            .saturating_sub(self.set_off)
            .saturating_sub(self.written_off)
    }

    /// What was due by the end of a day and has not come.
    pub fn overdue(&self, today: LocalDay) -> Amount {
        let due = self.instalments.iter().filter(|part| part.due_day < today);
        let due = due.fold(Amount::ZERO, |sum, part| sum.saturating_add(part.amount));
        due.saturating_sub(self.received)
            .saturating_sub(self.set_off)
            .min(self.rest())
    }

    /// The first day on which a part is due that has not come.
    pub fn next_due(&self) -> Option<LocalDay> {
        let mut due = Amount::ZERO;
        let come = self.received.saturating_add(self.set_off);
        let open = self.instalments.iter().find(|part| {
            due = due.saturating_add(part.amount);
            due > come
        });
        open.filter(|_| self.status.is_owed())
            .map(|part| part.due_day)
    }
}

/// Money that the treasurer saw come back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct RecoveryReceipt {
    /// What was entered.
    pub entry: RecoveryEntry,
    /// The treasurer.
    pub recorded_by: PersonId,
    /// The second officer, once confirmed.
    pub confirmed_by: Option<PersonId>,
}

/// A debt that a finance approver set off against a payment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct SetOff {
    /// What was entered.
    pub entry: SetOffEntry,
    /// The finance approver.
    pub entered_by: PersonId,
    /// The treasurer, once agreed.
    pub agreed_by: Option<PersonId>,
}

impl SetOff {
    /// The payment.
    pub fn payment(&self) -> PaymentId {
        self.entry.payment
    }
}

/// Every transition.
pub static ROWS: [Row<GrantRecoveryStatus>; 25] = {
    use GrantRecoveryStatus::*;
    [
        row!(
            "F44",
            None => Proposed,
            "PO",
            "paid and not asked back (N21); published code, reason; PO unrelated"
        ),
        row!("F44", Some(Proposed) => Notified, "PO", "proof of dispatch; PO unrelated"),
        row!("F44", Some(Notified) => Notified, "GRT", "observations"),
        row!("F44", Some(Notified) => Heard, "CLK", "observation_days passed"),
        row!("F44", Some(Proposed) => Dropped, "PO", "reasons"),
        row!("F44", Some(Notified) => Dropped, "PO", "reasons"),
        row!("F44", Some(Heard) => Dropped, "PO", "reasons"),
        row!("F26", Some(Heard) => Ordered, "BRD", "<= proposed, <= D; instalments; reasons"),
        row!("F26", Some(Heard) => PartlyRecovered, "BRD", "the same, of which a part came before"),
        row!("F26", Some(Heard) => Recovered, "BRD", "the same, all of which came before"),
        row!(
            "F26",
            Some(Notified) => Notified,
            "TRE, OFF",
            "money before the order; two persons; <= proposed; bank reference unused; D -> A"
        ),
        row!("F26", Some(Heard) => Heard, "TRE, OFF", "the same"),
        row!("R36", Some(Proposed) => Dropped, "CLK", "not notified in observation_days"),
        row!("R36", Some(Notified) => Dropped, "CLK", "measure_days passed undecided"),
        row!("R36", Some(Heard) => Dropped, "CLK", "measure_days passed undecided"),
        row!(
            "F26",
            Some(Ordered) => PartlyRecovered,
            "TRE, OFF",
            "two persons; <= open; bank reference unused; D -> A"
        ),
        row!("F26", Some(Ordered) => Recovered, "TRE, OFF", "the same, all of it"),
        row!("F26", Some(PartlyRecovered) => PartlyRecovered, "TRE, OFF", "the same"),
        row!("F26", Some(PartlyRecovered) => Recovered, "TRE, OFF", "the same, the rest"),
        row!(
            "F45",
            Some(Ordered) => PartlyRecovered,
            "FIN, TRE",
            "payment of another agreement of the grantee, approved; K -> A, D -> D"
        ),
        row!("F45", Some(Ordered) => Recovered, "FIN, TRE", "the same, all of it"),
        row!("F45", Some(PartlyRecovered) => PartlyRecovered, "FIN, TRE", "the same"),
        row!("F45", Some(PartlyRecovered) => Recovered, "FIN, TRE", "the same, the rest"),
        row!("F27", Some(Ordered) => WrittenOff, "BRD", "attempts listed; D -> L"),
        row!("F27", Some(PartlyRecovered) => WrittenOff, "BRD", "attempts listed; D -> L"),
    ]
};

crate::object::object!(Recovery, RecoveryId, "recovery");
crate::object::machine!(Recovery, "recovery", GrantRecoveryStatus, status);
