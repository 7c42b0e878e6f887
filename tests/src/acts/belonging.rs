//! Acts on how members leave, on their classes and their relations.

use rollbook_core::id::RelationId;

use super::*;

/// Acts on memberships.
pub fn memberships() -> Vec<MembershipAct> {
    let membership = 26;
    vec![
        MembershipAct::Cease {
            membership: MembershipId(membership),
            cause: Cessation::Dissolved,
            evidence: hash("extract of the register"),
        },
        MembershipAct::Cease {
            membership: MembershipId(membership),
            cause: Cessation::Insolvent,
            evidence: hash("extract of the register"),
        },
        MembershipAct::Cease {
            membership: MembershipId(membership),
            cause: Cessation::MergedInto {
                successor: OrganisationId(7),
            },
            evidence: hash("extract of the register"),
        },
        MembershipAct::GiveNotice {
            membership: MembershipId(membership),
            last_day: LocalDay(20_000),
            letter: hash("letter"),
        },
        MembershipAct::RevokeNotice {
            membership: MembershipId(membership),
        },
        MembershipAct::Succeed {
            membership: MembershipId(membership),
            obligations: hash("deed"),
        },
        MembershipAct::AskClass {
            membership: MembershipId(membership),
            class: Class::Council,
            reasons: hash("reasons"),
        },
    ]
}

/// Acts on relations of others, and how relations end.
pub fn organisations() -> Vec<OrganisationAct> {
    let relation = RelationId(4);
    vec![
        OrganisationAct::ClaimRelation(RelationClaim {
            one: OrganisationId(3),
            other: OrganisationId(7),
            kind: RelationKind::CommonControl,
            evidence: hash("share register"),
        }),
        OrganisationAct::ReplyRelation {
            relation,
            reply: hash("answer"),
        },
        OrganisationAct::WithdrawClaim { relation },
        OrganisationAct::AskRelationEnd {
            relation,
            evidence: hash("evidence"),
        },
        OrganisationAct::ConfirmRelationEnd {
            relation,
            extract: hash("extract"),
        },
        OrganisationAct::DeclineRelationEnd {
            relation,
            reasons: hash("reasons"),
        },
        OrganisationAct::AppealRelation {
            relation,
            reasons: hash("reasons"),
        },
    ]
}

/// Effects of motions.
pub fn effects() -> Vec<MotionEffect> {
    let relation = RelationId(4);
    vec![
        MotionEffect::ChangeClass(ChangeClass {
            membership: MembershipId(26),
            class: Class::Associate,
        }),
        MotionEffect::JoinRelation(JoinRelation {
            relation,
            since: None,
        }),
        MotionEffect::JoinRelation(JoinRelation {
            relation,
            since: Some(LocalDay(19_600)),
        }),
        MotionEffect::AnnulRelation(AnnulRelation { relation }),
        MotionEffect::UndoRelation(UndoRelation { relation }),
    ]
}
