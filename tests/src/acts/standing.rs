//! Acts on dues beyond the first, on notices and discipline, and the effects of motions about them.

use rollbook_core::id::{NoticeId, PlanId, ProceedingId};

use super::*;

/// Acts on memberships.
pub fn memberships() -> Vec<MembershipAct> {
    let (membership, proceeding) = (MembershipId(26), ProceedingId(1));
    let notice = |about, channel| {
        MembershipAct::ServeNotice(NoticeEntry {
            subject: about,
            text: hash("text of a notice"),
            channel,
            dispatched: LocalDay(19_600),
            proof: hash("proof of dispatch"),
        })
    };
    let part = |due_day, amount| PlanPart {
        due_day: LocalDay(due_day),
        amount: Amount(amount),
    };
    vec![
        MembershipAct::InvoiceYear { year: 2024 },
        MembershipAct::PayBack(Receipt {
            invoice: InvoiceId(4),
            amount: Amount(20_000_000),
            reference: BankReference(text("BANK-2023-000124")),
            value_date: LocalDay(19_600),
        }),
        MembershipAct::ProposePlan(PlanEntry {
            membership,
            parts: vec![part(19_700, 5_000_000), part(19_731, 15_000_000)],
        }),
        MembershipAct::AgreePlan { plan: PlanId(1) },
        notice(
            NoticeAbout::Dues(membership),
            NoticeChannel::RegisteredLetter,
        ),
        notice(NoticeAbout::DuesAgain(membership), NoticeChannel::Email),
        notice(NoticeAbout::Proceeding(proceeding), NoticeChannel::Hand),
        notice(NoticeAbout::Warning(membership), NoticeChannel::Email),
        MembershipAct::AgreeNotice {
            notice: NoticeId(1),
        },
        MembershipAct::AcknowledgeNotice {
            notice: NoticeId(1),
        },
        MembershipAct::OpenProceeding(ProceedingEntry {
            membership,
            ground: text("conduct"),
            reasons: hash("reasons"),
        }),
        MembershipAct::AgreeProceeding { proceeding },
        MembershipAct::Reply {
            proceeding,
            document: hash("reply"),
        },
        MembershipAct::Hear(HearingEntry {
            proceeding,
            day: LocalDay(19_620),
            attended: true,
            minutes: hash("minutes"),
        }),
        MembershipAct::WaiveHearing { proceeding },
        MembershipAct::CloseProceeding {
            proceeding,
            reasons: hash("reasons"),
        },
        MembershipAct::AppealExpulsion {
            proceeding,
            grounds: hash("grounds"),
        },
    ]
}

/// Effects of motions.
pub fn effects() -> Vec<MotionEffect> {
    let proceeding = ProceedingId(1);
    vec![
        MotionEffect::SuspendMember(SuspendMember {
            proceeding,
            days: 90,
        }),
        MotionEffect::LiftSuspension(LiftSuspension {
            membership: MembershipId(26),
        }),
        MotionEffect::ExpelMember(ExpelMember { proceeding }),
        MotionEffect::UpholdAppeal(UpholdAppeal { proceeding }),
        MotionEffect::AcceptPlan(AcceptPlan { plan: PlanId(1) }),
    ]
}
