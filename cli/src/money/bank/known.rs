//! What the ledger knows of a fund's bank account, and what it awaits there.

use std::collections::BTreeMap;

use rollbook_bank::known::{Awaited, Debt, Ended, Entered, Instructed, Known, Standing, Used};
use rollbook_core::account::Amount;
use rollbook_core::id::{FundId, PaymentId};
use rollbook_core::object::contribution::InstalmentStatus;
use rollbook_core::record::{AwardAct, BankReference, Body, FundAct, Instruction, PaymentAct};
use rollbook_core::state::StateTables;
use rollbook_core::view::money::Entry;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::failure::Failure;
use crate::money::Book;

/// What an act says of the bank account.
pub(super) enum OfBank<'a> {
    /// An instruction to the bank.
    Release(PaymentId, &'a Instruction),
    /// The bank executed it.
    Settle(PaymentId, &'a BankReference, Amount),
    /// It came back.
    Return(PaymentId, &'a BankReference, Amount),
    /// Money came in for an instalment: the record that entered it.
    Receipt(Hash),
    /// Money that was asked back came in: the record that entered it.
    Recovery(Hash),
}

/// What an act says of the bank account. Whoever adds an act on money decides it here.
pub(super) fn of_bank(entry: &Entry) -> Option<OfBank<'_>> {
    let (_, record) = entry.record.as_ref()?;
    match &record.payload.body {
        Body::Payment(act) => of_payment(act),
        Body::Fund(act) => match act {
            FundAct::ConfirmReceipt { receipt } => Some(OfBank::Receipt(*receipt)),
            FundAct::Accept { .. }
            | FundAct::Pledge(_)
            | FundAct::CallInstalment { .. }
            | FundAct::ProposeCancel { .. }
            | FundAct::AgreeCancel { .. }
            | FundAct::RecordReceipt(_) => None,
        },
        Body::Award(act) => match act {
            AwardAct::ConfirmRecovery { receipt } => Some(OfBank::Recovery(*receipt)),
            AwardAct::Accept { .. }
            | AwardAct::Draft(_)
            | AwardAct::Sign { .. }
            | AwardAct::Countersign { .. }
            | AwardAct::ChangeAccount { .. }
            | AwardAct::ConfirmAccount { .. }
            | AwardAct::Announce(_)
            | AwardAct::ObserveMeasure { .. }
            | AwardAct::HoldPayments { .. }
            | AwardAct::DropMeasure { .. }
            | AwardAct::Resume { .. }
            | AwardAct::ProposeRecovery(_)
            | AwardAct::NotifyRecovery { .. }
            | AwardAct::ObserveRecovery { .. }
            | AwardAct::DropRecovery { .. }
            | AwardAct::ReceiveRecovery(_)
            | AwardAct::SetOff(_)
            | AwardAct::AgreeSetOff { .. }
            | AwardAct::Close { .. } => None,
        },
        Body::Organisation(_)
        | Body::Membership(_)
        | Body::Motion(_)
        | Body::Call(_)
        | Body::Node(_)
        | Body::Charter(_) => None,
    }
}

fn of_payment(act: &PaymentAct) -> Option<OfBank<'_>> {
    match act {
        PaymentAct::Release {
            payment,
            instruction,
        } => Some(OfBank::Release(*payment, instruction)),
        PaymentAct::Settle {
            payment,
            reference,
            amount,
        } => Some(OfBank::Settle(*payment, reference, *amount)),
        PaymentAct::Return {
            payment,
            reference,
            amount,
            ..
        } => Some(OfBank::Return(*payment, reference, *amount)),
        PaymentAct::Submit { .. }
        | PaymentAct::Assess { .. }
        | PaymentAct::Request { .. }
        | PaymentAct::Certify { .. }
        | PaymentAct::Approve { .. }
        | PaymentAct::Hold { .. }
        | PaymentAct::Acknowledge { .. }
        | PaymentAct::Dispute { .. } => None,
    }
}

/// The names of an organisation, as a bank may write them.
fn names(tables: &StateTables, organisation: OrganisationId) -> Vec<String> {
    let found = tables.organisations.get(&organisation);
    found
        .map(|found| vec![found.name.native.to_string(), found.name.latin.to_string()])
        .unwrap_or_default()
}

/// What the ledger knows of a fund's account and awaits there.
pub fn known(book: &Book, fund: FundId) -> Result<Known, Failure> {
    let mut known = Known::default();
    payments(book, fund, &mut known)?;
    income(book.tables()?, fund, &mut known);
    Ok(known)
}

/// Instructions, and what became of them.
fn payments(book: &Book, fund: FundId, known: &mut Known) -> Result<(), Failure> {
    let tables = book.tables()?;
    let mut newest: BTreeMap<PaymentId, usize> = BTreeMap::new();
    for entry in &book.entries {
        let (number, by) = match of_bank(entry) {
            Some(OfBank::Release(number, instruction)) => (number, Ok(instruction)),
            Some(OfBank::Settle(number, reference, amount)) => {
                (number, Err((Standing::Settled, reference, amount)))
            }
            Some(OfBank::Return(number, reference, amount)) => {
                (number, Err((Standing::Returned, reference, amount)))
            }
            Some(OfBank::Receipt(_) | OfBank::Recovery(_)) | None => continue,
        };
        let payment = tables.payments.get(&number);
        let Some(payment) = payment.filter(|found| found.fund == fund) else {
            continue;
        };
        match by {
            Ok(instruction) => {
                let agreement = tables.agreements.get(&payment.agreement);
                newest.insert(number, known.instructed.len());
                known.instructed.push(Instructed {
                    payment: number.0,
                    reference: instruction.reference.to_string(),
                    amount: instruction.amount,
                    day: book.day(entry)?,
                    standing: Standing::Released,
                    ended: None,
                    names: agreement
                        .map(|agreement| names(tables, agreement.grantee))
                        .unwrap_or_default(),
                });
            }
            Err((standing, reference, amount)) => {
                let reference = reference.0.to_string();
                let last = newest.get(&number).copied();
                if let Some(last) = last.and_then(|at| known.instructed.get_mut(at)) {
                    last.standing = standing;
                    last.ended = Some(Ended {
                        reference: reference.clone(),
                        day: book.day(entry)?,
                    });
                }
                known.used.push(Used {
                    reference,
                    amount,
                    credit: standing == Standing::Returned,
                    day: None,
                });
            }
        }
    }
    Ok(())
}

/// What came in, what was entered of it, and what is still to come.
fn income(tables: &StateTables, fund: FundId, known: &mut Known) {
    let debt_of = |instalment| {
        let found = tables.instalments.get(&instalment)?;
        let contribution = tables.contributions.get(&found.contribution)?;
        (contribution.fund == fund).then_some(Debt::Instalment {
            instalment: instalment.0,
            contribution: found.contribution.0,
        })
    };
    let receipts = tables.receipts.iter().filter_map(|(id, receipt)| {
        let debt = debt_of(receipt.instalment)?;
        let seen = (receipt.amount, receipt.value_day, &receipt.reference);
        Some((id, debt, seen, receipt.confirmed_by.is_some()))
    });
    let recovered = tables.recovery_receipts.iter().filter_map(|(id, receipt)| {
        let entry = &receipt.entry;
        let recovery = tables.recoveries.get(&entry.recovery)?;
        let debt = Debt::Recovery {
            recovery: entry.recovery.0,
        };
        let seen = (entry.amount, entry.value_day, &entry.reference);
        (recovery.fund == fund).then_some((id, debt, seen, receipt.confirmed_by.is_some()))
    });
    // What was entered and waits for its second signature is no longer awaited from anybody.
    let mut waits: BTreeMap<Debt, Amount> = BTreeMap::new();
    for (id, debt, (amount, day, reference), confirmed) in receipts.chain(recovered) {
        let reference = reference.0.to_string();
        if confirmed {
            known.used.push(Used {
                reference,
                amount,
                credit: true,
                day: Some(day),
            });
            continue;
        }
        let sum = waits.entry(debt).or_insert(Amount::ZERO);
        *sum = sum.saturating_add(amount);
        known.entered.push(Entered {
            record: id.to_hex(),
            debt,
            amount,
            value_day: day,
            reference,
        });
    }
    let rest =
        |debt, rest: Amount| rest.saturating_sub(waits.get(&debt).copied().unwrap_or(Amount::ZERO));
    for (number, instalment) in tables.instalments.iter() {
        let owed = match instalment.status {
            InstalmentStatus::Called
            | InstalmentStatus::PartlyReceived
            | InstalmentStatus::Defaulted => true,
            InstalmentStatus::Pledged
            | InstalmentStatus::Received
            | InstalmentStatus::Cancelled
            | InstalmentStatus::WrittenOff => false,
        };
        let contribution = tables.contributions.get(&instalment.contribution);
        if let (true, Some(debt), Some(contribution)) = (owed, debt_of(*number), contribution) {
            known.awaited.push(Awaited {
                debt,
                rest: rest(debt, instalment.rest()),
                due: instalment.due_day,
                names: names(tables, contribution.member),
            });
        }
    }
    for (number, recovery) in tables.recoveries.iter() {
        if recovery.fund != fund || !recovery.status.is_owed() {
            continue;
        }
        let debt = Debt::Recovery { recovery: number.0 };
        let last = recovery.instalments.last().map(|part| part.due_day);
        known.awaited.push(Awaited {
            debt,
            rest: rest(debt, recovery.rest()),
            due: recovery.next_due().or(last).unwrap_or_default(),
            names: names(tables, recovery.grantee),
        });
    }
}

#[cfg(test)]
mod tests {
    use rollbook_core::calendar::LocalDay;
    use rollbook_core::id::{AgreementId, MotionId};
    use rollbook_core::record::{
        InstalmentEntry, OrderRecovery, RecoveryClaim, RecoveryEntry, Tranche,
    };
    use rollbook_core::rules::effect::Effect as _;
    use rollbook_core::tx::Due;
    use rollbook_proof::number::LedgerTime;
    use rollbook_tests::grants::{Bench, GRANTEE, MILLION, Staff, hash, text};

    use super::*;

    /// Money that was asked back: awaited once it is ordered, waiting once it is entered, used once it is
    /// confirmed. None of it was known here, so its line was no act and its movement an item for ever.
    #[test]
    fn a_recovery_is_awaited_entered_and_used() {
        let mut bench = Bench::on_tables();
        let agreement = bench.agreement();
        bench.pay(agreement, Tranche::Advance, 24 * MILLION / 10);
        let claim = RecoveryClaim {
            agreement: AgreementId(agreement),
            amount: Amount(12 * MILLION / 10),
            code: text("not-delivered"),
            reason: hash("reason"),
        };
        let act = Body::Award(AwardAct::ProposeRecovery(claim));
        bench.staff(Staff::Programme, act).unwrap();
        let recovery = *bench.world.tables.recoveries.last_key().unwrap();
        let act = AwardAct::NotifyRecovery {
            recovery,
            letter: hash("letter"),
            dispatch: hash("dispatch"),
        };
        bench.staff(Staff::Programme, Body::Award(act)).unwrap();
        bench.days(34);
        let today = LocalDay::of(LedgerTime(bench.world.now), 480);
        let fund = bench.world.tables.recoveries.get(&recovery).unwrap().fund;
        let told = |bench: &Bench| {
            let mut known = Known::default();
            income(&bench.world.tables, fund, &mut known);
            let debt = Debt::Recovery {
                recovery: recovery.0,
            };
            let awaited = known.awaited.into_iter().filter(|one| one.debt == debt);
            let entered = known.entered.into_iter().filter(|one| one.debt == debt);
            let used = known.used.into_iter();
            let used = used.filter(|one| one.reference == "BACK-0001" && one.credit);
            (
                awaited.collect::<Vec<_>>(),
                entered.collect::<Vec<_>>(),
                used.collect::<Vec<_>>(),
            )
        };
        assert_eq!(told(&bench), (vec![], vec![], vec![]), "nothing is ordered");
        let plan = OrderRecovery {
            recovery,
            instalments: vec![InstalmentEntry {
                due_day: LocalDay(today.0 + 30),
                amount: Amount(12 * MILLION / 10),
            }],
            reason: hash("reason"),
        };
        bench
            .direct(|tx| plan.carry_out(tx, MotionId(0), Due::acting(LedgerTime(0))))
            .unwrap();
        let (awaited, ..) = told(&bench);
        assert_eq!(awaited[0].rest, Amount(12 * MILLION / 10));
        assert_eq!(awaited[0].due, LocalDay(today.0 + 30));
        assert_eq!(
            awaited[0].names,
            names(&bench.world.tables, OrganisationId(GRANTEE))
        );

        let act = AwardAct::ReceiveRecovery(RecoveryEntry {
            recovery,
            amount: Amount(7 * MILLION / 10),
            reference: BankReference(text("BACK-0001")),
            value_day: today,
        });
        let receipt = bench.staff(Staff::Treasurer, Body::Award(act)).unwrap();
        let (awaited, entered, used) = told(&bench);
        assert_eq!(awaited[0].rest, Amount(5 * MILLION / 10));
        assert_eq!(entered[0].record, receipt.to_hex());
        assert_eq!(entered[0].value_day, today);
        assert!(used.is_empty());

        let act = AwardAct::ConfirmRecovery { receipt };
        bench.staff(Staff::Officer, Body::Award(act)).unwrap();
        let (awaited, entered, used) = told(&bench);
        assert_eq!(awaited[0].rest, Amount(5 * MILLION / 10));
        assert!(entered.is_empty());
        assert_eq!(used[0].day, Some(today));
    }
}
