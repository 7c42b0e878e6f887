//! Acts on how members leave.

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

/// Effects of motions.
pub fn effects() -> Vec<MotionEffect> {
    vec![MotionEffect::ChangeClass(ChangeClass {
        membership: MembershipId(26),
        class: Class::Associate,
    })]
}
