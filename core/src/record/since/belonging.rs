//! The same of acts of organisations and on memberships.

use rollbook_proof::number::ProtocolVersion;

use super::{Since, newest};
use crate::record::{
    AnnulRelation, Application, Cessation, ChangeClass, JoinRelation, MembershipAct,
    OrganisationAct, Receipt, Registration, RelationClaim, UndoRelation,
};

since! {
    // record/organisation.rs
    enum OrganisationAct {
        Found = 1,
        Register(it) = 1,
        Relate(it) = 1,
        ConfirmRelation { other, relation } = 1,
        ChangeOfficers(it) = 1,
        ObjectChange { change, reasons } = 1,
        AskUpdate(it) = 1,
        ConfirmUpdate { change, extract } = 1,
        DeclineUpdate { change, reasons } = 1,
        RotateKey(it) = 1,
        RevokeOwnKey { key, reason } = 1,
        RevokeKey { person, key, reason } = 1,
        AskRevocation { person, key, evidence } = 1,
        AgreeRevocation { revocation } = 1,
        FileRecovery(it) = 1,
        CancelRecovery { recovery } = 1,
        Delegate(it) = 1,
        RevokeDelegation { delegation } = 1,
        RevokeDelegations = 1,
        RecordAbsence { post } = 1,
        EndAbsence { post } = 1,
        StandIn { post } = 1,
        JoinDirection { direction } = 1,
        LeaveDirection { direction } = 1,
        GiveUpLead { direction } = 1,
        FileStatement(it) = 1,
        ClaimRelation(it) = 1,
        ReplyRelation { relation, reply } = 1,
        WithdrawClaim { relation } = 1,
        AskRelationEnd { relation, evidence } = 1,
        ConfirmRelationEnd { relation, extract } = 1,
        DeclineRelationEnd { relation, reasons } = 1,
        AppealRelation { relation, reasons } = 1,
    }
    struct Registration { entry, signature }
    struct RelationClaim { one, other, kind, evidence }
    struct JoinRelation { relation, since }
    struct AnnulRelation { relation }
    struct UndoRelation { relation }

    // record/membership.rs
    enum MembershipAct {
        Apply(it) = 1,
        Screen { membership } = 1,
        Return { membership, missing } = 1,
        Resubmit { membership, additions } = 1,
        Reject { membership, criterion, reasons } = 1,
        Complete { membership } = 1,
        Sponsor { membership } = 1,
        OpenBallot { membership, ballot_days } = 1,
        AskAgain { membership, reasons } = 1,
        WithdrawApplication { membership } = 1,
        Invoice { membership } = 1,
        CancelInvoice { invoice } = 1,
        Receive(it) = 1,
        ConfirmReceipt { invoice, receipt } = 1,
        DeclineReceipt { invoice, receipt } = 1,
        Agree { membership, agreement } = 1,
        Activate { membership, agreement } = 1,
        Cease { membership, cause, evidence } = 1,
        GiveNotice { membership, last_day, letter } = 1,
        RevokeNotice { membership } = 1,
        Succeed { membership, obligations } = 1,
        AskClass { membership, class, reasons } = 1,
        InvoiceYear { year } = 1,
        PayBack(it) = 1,
        ProposePlan(it) = 1,
        AgreePlan { plan } = 1,
        ServeNotice(it) = 1,
        AgreeNotice { notice } = 1,
        AcknowledgeNotice { notice } = 1,
        OpenProceeding(it) = 1,
        AgreeProceeding { proceeding } = 1,
        Reply { proceeding, document } = 1,
        Hear(it) = 1,
        WaiveHearing { proceeding } = 1,
        CloseProceeding { proceeding, reasons } = 1,
        AppealExpulsion { proceeding, grounds } = 1,
    }
    enum Cessation {
        Dissolved = 1,
        Insolvent = 1,
        MergedInto { successor } = 1,
    }
    struct Application { class, charter, antitrust, conflicts, relations }
    struct Receipt { invoice, amount, reference, value_date }
    struct ChangeClass { membership, class }
}
