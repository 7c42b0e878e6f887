//! Acts on officers, keys, delegations and posts.

use super::*;

/// Acts on officers, keys, delegations and posts.
pub fn people() -> Vec<OrganisationAct> {
    use OrganisationAct as A;
    let company = OrganisationId(7);
    let key = Keypair::derive(SEED, "officer who joins");
    let mut joins = officer(&key, 7, 1, &[Role::Finance]);
    let possession = joining(&joins, &chain(), company);
    joins.keys = vec![(key.public(), possession.prove(KeyKind::Officer, &key))];
    let further = Keypair::derive(SEED, "further key");
    let possession = further_key(PersonId(13), &chain(), company);
    let change = OfficersChange {
        added: vec![joins],
        roles: vec![(PersonId(13), vec![Role::Primary, Role::Technical])],
        keys: vec![NewKey {
            person: PersonId(13),
            key: further.public(),
            proof: possession.prove(KeyKind::Officer, &further),
        }],
        ended: vec![PersonId(14)],
        policy: Some(ApprovalPolicy {
            thresholds: vec![(ActClass::Ballot, 2)],
        }),
    };
    let mut rotation = KeyRotation {
        person: PersonId(13),
        replaces: 0,
        key: Keypair::derive(SEED, "rotated").public(),
        proof: UNPROVED,
    };
    let possession = rotation.possession(&chain(), company);
    let rotated = Keypair::derive(SEED, "rotated");
    rotation.proof = possession.prove(KeyKind::Officer, &rotated);
    let grant = |object| {
        A::Delegate(DelegationGrant {
            giver: PersonId(13),
            role: Role::Primary,
            to: PersonId(14),
            classes: vec![ActClass::General, ActClass::Ballot],
            object,
            until_ms: LedgerTime(1_690_000_000_000),
        })
    };
    vec![
        A::ChangeOfficers(change.clone()),
        A::ObjectChange {
            change: ChangeId(3),
            reasons: hash("reasons"),
        },
        A::AskUpdate(Particulars {
            name: Some(name("示例七号", "Company Seven Renamed")),
            address: Some(text("示例路 7 号")),
            identifiers: Some(Codes::Letters.of(7)),
            extract: (hash("extract"), LocalDay(19_600)),
        }),
        A::ConfirmUpdate {
            change: ChangeId(4),
            extract: hash("extract"),
        },
        A::DeclineUpdate {
            change: ChangeId(4),
            reasons: hash("reasons"),
        },
        A::RotateKey(rotation),
        A::RevokeOwnKey {
            key: 0,
            reason: EndReason::Lost,
        },
        A::RevokeKey {
            person: PersonId(14),
            key: 1,
            reason: EndReason::Compromised,
        },
        A::AskRevocation {
            person: PersonId(14),
            key: 0,
            evidence: hash("evidence"),
        },
        A::AgreeRevocation {
            revocation: RevocationId(2),
        },
        A::FileRecovery(RecoveryPlan {
            organisation: company,
            letter: hash("letter"),
            change,
        }),
        A::CancelRecovery {
            recovery: KeyRecoveryId(1),
        },
        grant(DelegatedObject::Everything),
        grant(DelegatedObject::Motion(MotionId(9))),
        grant(DelegatedObject::Agreement(AgreementId(2))),
        grant(DelegatedObject::Payment(PaymentId(5))),
        grant(DelegatedObject::Application(ApplicationId(4))),
        A::RevokeDelegation {
            delegation: DelegationId(6),
        },
        A::RevokeDelegations,
        A::RecordAbsence { post: PostId(3) },
        A::EndAbsence { post: PostId(3) },
        A::StandIn { post: PostId(3) },
    ]
}
