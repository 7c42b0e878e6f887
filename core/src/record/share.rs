//! Which share of a day's growth an act takes from (RULINGS A50).

use bincode::{Decode, Encode};

use crate::record::{
    Body, CallAct, MembershipAct, MotionAct, NodeAct, OrganisationAct, PaymentAct,
};

/// A share of what one may add to the ledger in a local day. Each has the whole limit for itself.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// Every act that is not reserved.
    Common,
    /// What one must be able to do however much one has done: ballots, reveals, applications,
    /// objections, replies, appeals, acknowledgements and revocations.
    Reserved,
}

impl Body {
    /// The share that the act takes from.
    pub fn share(&self) -> Share {
        let reserved = match self {
            Body::Membership(act) => matches!(
                act,
                MembershipAct::Apply(_)
                    | MembershipAct::Resubmit { .. }
                    | MembershipAct::AskAgain { .. }
            ),
            Body::Motion(act) => {
                matches!(act, MotionAct::Vote(_) | MotionAct::DeclareConflict { .. })
            }
            Body::Call(act) => matches!(
                act,
                CallAct::Submit(_)
                    | CallAct::Appeal { .. }
                    | CallAct::RevealDraw { .. }
                    | CallAct::Reveal { .. }
            ),
            Body::Payment(act) => matches!(
                act,
                PaymentAct::Hold { .. }
                    | PaymentAct::Acknowledge { .. }
                    | PaymentAct::Dispute { .. }
            ),
            // A stolen key is revoked however much the thief has done with it.
            Body::Organisation(act) => matches!(
                act,
                OrganisationAct::ObjectChange { .. }
                    | OrganisationAct::RotateKey(_)
                    | OrganisationAct::RevokeOwnKey { .. }
                    | OrganisationAct::RevokeKey { .. }
                    | OrganisationAct::AskRevocation { .. }
                    | OrganisationAct::AgreeRevocation { .. }
                    | OrganisationAct::CancelRecovery { .. }
                    | OrganisationAct::RevokeDelegation { .. }
                    | OrganisationAct::RevokeDelegations
            ),
            Body::Fund(_) | Body::Award(_) | Body::Node(_) | Body::Charter(_) => false,
        };
        if reserved {
            Share::Reserved
        } else {
            Share::Common
        }
    }

    /// How many keys the act brings into the ledger.
    pub fn new_keys(&self) -> usize {
        match self {
            Body::Organisation(act) => act.new_keys(),
            Body::Node(NodeAct::Register(keys)) => keys.kinds().len(),
            Body::Node(NodeAct::Update(update)) => update.kinds().count(),
            _ => 0,
        }
    }
}
