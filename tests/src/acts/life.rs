//! Acts of the life of an agreement, and the effects of motions about it.

use rollbook_core::id::{MeasureId, RecoveryId};

use super::*;

/// Acts of fund and grantee.
pub fn acts() -> Vec<AwardAct> {
    let (agreement, measure, recovery) = (AgreementId(1), MeasureId(1), RecoveryId(1));
    let (letter, dispatch) = (hash("letter"), hash("proof of dispatch"));
    let announce = |kind| {
        AwardAct::Announce(MeasureNotice {
            agreement,
            kind,
            letter,
            dispatch,
        })
    };
    vec![
        announce(MeasureKind::Deadline),
        announce(MeasureKind::Payment),
        announce(MeasureKind::Whole),
        announce(MeasureKind::Termination),
        AwardAct::ObserveMeasure {
            measure,
            observations: hash("observations"),
        },
        AwardAct::HoldPayments {
            measure,
            ground: hash("ground"),
        },
        AwardAct::DropMeasure {
            measure,
            reason: hash("reason"),
        },
        AwardAct::Resume { agreement },
        AwardAct::ProposeRecovery(RecoveryClaim {
            agreement,
            amount: Amount(120_000_000),
            code: text("not-delivered"),
            reason: hash("reason"),
        }),
        AwardAct::NotifyRecovery {
            recovery,
            letter,
            dispatch,
        },
        AwardAct::ObserveRecovery {
            recovery,
            observations: hash("observations"),
        },
        AwardAct::DropRecovery {
            recovery,
            reason: hash("reason"),
        },
        AwardAct::ReceiveRecovery(RecoveryEntry {
            recovery,
            amount: Amount(70_000_000),
            reference: BankReference(text("ICBC-2024/000077")),
            value_day: LocalDay(19_900),
        }),
        AwardAct::ConfirmRecovery {
            receipt: hash("a record"),
        },
        AwardAct::SetOff(SetOffEntry {
            recovery,
            payment: PaymentId(2),
            amount: Amount(50_000_000),
        }),
        AwardAct::AgreeSetOff {
            entry: hash("a record"),
        },
        AwardAct::Close { agreement },
    ]
}

/// Effects of motions.
pub fn effects() -> Vec<MotionEffect> {
    let (measure, recovery, reason) = (MeasureId(1), RecoveryId(1), hash("reason"));
    let part = |due_day, amount| InstalmentEntry {
        due_day: LocalDay(due_day),
        amount: Amount(amount),
    };
    vec![
        MotionEffect::SuspendAgreement(SuspendAgreement { measure, reason }),
        MotionEffect::TerminateAgreement(TerminateAgreement { measure, reason }),
        MotionEffect::OrderRecovery(OrderRecovery {
            recovery,
            instalments: vec![part(19_900, 70_000_000), part(19_930, 50_000_000)],
            reason,
        }),
        MotionEffect::WriteOffRecovery(WriteOffRecovery {
            recovery,
            attempts: hash("attempts"),
        }),
    ]
}
