//! Acts on directions, observers, working days, corrections, and the effects of motions about them.

use rollbook_core::id::{CalendarId, CorrectionId, OrderId, StatementId};

use super::*;

/// Acts of organisations.
pub fn organisations() -> Vec<OrganisationAct> {
    let direction = DirectionId(2);
    let statement = |motion| {
        OrganisationAct::FileStatement(StatementEntry {
            title: text("关于互通标准 On the interoperability standard"),
            document: hash("statement"),
            motion,
        })
    };
    vec![
        OrganisationAct::JoinDirection { direction },
        OrganisationAct::LeaveDirection { direction },
        OrganisationAct::GiveUpLead { direction },
        statement(None),
        statement(Some(MotionId(9))),
    ]
}

/// Effects of motions.
pub fn effects() -> Vec<MotionEffect> {
    let organisation = OrganisationId(25);
    let admit = |reading| {
        MotionEffect::AdmitObserver(AdmitObserver {
            organisation,
            reading,
        })
    };
    vec![
        MotionEffect::NameLead(NameLead {
            direction: DirectionId(2),
            organisation: OrganisationId(7),
        }),
        admit(ObserverReading::Public),
        admit(ObserverReading::Members),
        MotionEffect::EndObserver(EndObserver { organisation }),
        MotionEffect::ElectChair(ElectChair {
            office: OrganisationId(26),
            succeeds: Some(PostId(9)),
        }),
        MotionEffect::ScreenAgain(ScreenAgain {
            membership: MembershipId(26),
            evidence: hash("evidence"),
        }),
    ]
}

/// Acts on working days and corrections.
pub fn charter() -> Vec<CharterAct> {
    let correct = |subject, field| {
        let day = matches!(field, ClericalField::Issued | ClericalField::ValueDay);
        let (reads, should_read) = if day {
            ("2023-06-27", "2023-06-28")
        } else {
            ("Sample distrct court", "Sample district court")
        };
        CharterAct::Correct(CorrectionEntry {
            subject,
            field,
            reads: text(reads),
            should_read: text(should_read),
            evidence: hash("evidence"),
        })
    };
    let mut acts = vec![
        // The national holiday of 2023 with a Saturday that is worked for it.
        CharterAct::SetCalendar(CalendarYear {
            year: 2023,
            holidays: (19_631..=19_636).map(LocalDay).collect(),
            working_weekends: vec![LocalDay(19_637)],
        }),
        CharterAct::ConfirmCalendar {
            calendar: CalendarId(1),
        },
    ];
    acts.extend([
        correct(Corrected::Order(OrderId(1)), ClericalField::Authority),
        correct(Corrected::Order(OrderId(1)), ClericalField::Reference),
        correct(Corrected::Order(OrderId(1)), ClericalField::Issued),
        correct(Corrected::Statement(StatementId(1)), ClericalField::Title),
        correct(Corrected::Fund(FundId(1)), ClericalField::Name),
        correct(Corrected::Call(CallId(1)), ClericalField::Title),
        correct(Corrected::Entry(hash("a record")), ClericalField::ValueDay),
    ]);
    acts.extend([
        CharterAct::ConfirmCorrection {
            correction: CorrectionId(1),
        },
        CharterAct::DeclineCorrection {
            correction: CorrectionId(1),
            reasons: hash("reasons"),
        },
    ]);
    acts
}
