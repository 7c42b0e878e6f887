//! Conflicts, reviewers' exclusion and voters' deeds hang on the matter, not on one motion (R31).

use rollbook_core::account::Amount;
use rollbook_core::charter::motions::BodyKind;
use rollbook_core::id::{ApplicationId, AwardId, CallId, FundId, MotionId, PersonId};
use rollbook_core::identity::Role;
use rollbook_core::object::fund::Fund;
use rollbook_core::object::motion::MotionStatus;
use rollbook_core::record::{
    Ballot, BallotVote, Body, CancelCall, Choice, ConflictKind, CreateFund, Declaration,
    GrantAward, LiftHold, MotionAct, MotionEffect, Proposal, RescindMotion, RevokeAward, Tranche,
};
use rollbook_core::refusal::{NotCounted, Outcome};
use rollbook_core::rules::effect::Effect;
use rollbook_core::rules::motion::electorate;
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;
use rollbook_sandbox::keys::officers_of;
use rollbook_tests::grants::{
    Bench, CALL, FUND, GRANTEE, MEMBERS, MILLION, OTHER, REVIEWERS, Staff, hash,
};

use super::refused;

fn grant(application: u32, amount: u64) -> MotionEffect {
    MotionEffect::GrantAward(GrantAward {
        application: ApplicationId(application),
        amount: Amount(amount),
        body: BodyKind::Assembly,
        out_of_rank: None,
    })
}

/// A member declares on the award that it has invested in the applicant; a reviewer may not vote on
/// it. On the rescission of the same award both used to count.
#[test]
fn r31_a_conflict_declared_on_the_award_holds_on_its_rescission_and_so_does_a_reviewers_exclusion()
{
    let mut bench = Bench::story();
    let motion = bench.propose(grant(1, 8 * MILLION)).unwrap();
    let writer = bench.ledger.as_mut().unwrap();
    let conflict = Ballot {
        motion: MotionId(motion),
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(Choice::No),
        criterion: None,
        declaration: Declaration::Conflict(ConflictKind::Investor),
        proxy_for: None,
    };
    assert_eq!(
        writer.member(6, Body::Motion(MotionAct::Vote(conflict))),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    for member in electorate(writer.tables(), MotionId(motion)).into_keys() {
        if member.0 != 6 {
            let _ = writer.vote(member.0, motion, Choice::Yes);
        }
    }
    writer.close(motion);
    let rescind = MotionEffect::Rescind(RescindMotion {
        motion: MotionId(motion),
    });
    // In the assembly it finds support first.
    let rescission = writer.propose_as(1, rescind, 0).unwrap();
    for member in 2..=MEMBERS {
        let _ = writer.support(member, rescission);
    }
    assert_eq!(
        writer
            .vote(REVIEWERS[0], rescission, Choice::Yes)
            .unwrap_err()
            .code,
        "N12.same-person"
    );
    assert_eq!(
        writer.vote(6, rescission, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    // The same on the revocation that follows.
    let due = writer.due(DeadlineKind::MotionEffect, motion).unwrap();
    writer.advance(due + 1);
    bench.mirror();
    let status = bench
        .world
        .tables
        .motions
        .get(&MotionId(motion))
        .unwrap()
        .status;
    assert_eq!(status, MotionStatus::CarriedOut);
    let revoke = MotionEffect::RevokeAward(RevokeAward {
        award: AwardId(1),
        reason: Hash::ZERO,
    });
    let revocation = bench.propose(revoke).unwrap();
    let writer = bench.ledger.as_mut().unwrap();
    assert_eq!(
        writer.vote(6, revocation, Choice::Yes),
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    let reviewer = PersonId(officers_of(REVIEWERS[0]).1);
    bench.ledger = None;
    let plan = RevokeAward {
        award: AwardId(1),
        reason: Hash::ZERO,
    };
    refused(
        bench.direct(|tx| plan.check_voters(tx, &[reviewer])),
        "N12.same-person",
    );
}

/// Whoever certified a payment does not vote on lifting its hold, and a voter of the award's
/// revocation takes no later step.
#[test]
fn r31_who_acted_in_a_payment_does_not_vote_in_its_matter() {
    let mut bench = Bench::on_tables();
    let agreement = bench.agreement();
    let payment = bench
        .request(agreement, Tranche::Advance, 24 * MILLION / 10)
        .unwrap();
    bench.certify(payment).unwrap();
    let lift = LiftHold {
        payment: bench.payment(payment).number,
        reason: Hash::ZERO,
    };
    let certifier = PersonId(Staff::Programme.person());
    refused(
        bench.direct(|tx| lift.check_voters(tx, &[certifier])),
        "N12.same-person",
    );
    let other = PersonId(officers_of(3).0);
    assert_eq!(bench.direct(|tx| lift.check_voters(tx, &[other])), Ok(()));
}

/// Employers of the officers whom a fund names have no voice on it; who applied to a call has none
/// on its cancellation; and nobody proposes an award for their own group.
#[test]
fn r31_employers_and_applicants_are_parties_and_nobody_proposes_in_their_own_case() {
    let mut bench = Bench::on_tables();
    let Fund {
        name,
        holder,
        unit,
        office,
        ..
    } = bench.world.tables.funds.get(&FundId(FUND)).unwrap().clone();
    let plan = CreateFund {
        name,
        holder,
        unit,
        bank_account: hash("another"),
        office,
        officers: vec![(Role::Treasurer, PersonId(officers_of(4).1))],
    };
    let parties = bench.direct(|tx| Ok(plan.interested(tx))).unwrap();
    assert_eq!(parties, [holder, OrganisationId(4)]);
    let cancel = CancelCall {
        call: CallId(CALL),
        reason: Hash::ZERO,
    };
    let parties = bench.direct(|tx| Ok(cancel.interested(tx))).unwrap();
    assert_eq!(parties, [GRANTEE, OTHER, 14].map(OrganisationId));

    let mut bench = Bench::story();
    let proposal = Proposal {
        effect: grant(1, 8 * MILLION),
        ballot_days: 10,
        text: hash("text"),
    };
    let propose = Body::Motion(MotionAct::Propose(proposal));
    let writer = bench.ledger.as_mut().unwrap();
    assert_eq!(
        writer.member(GRANTEE, propose.clone()).unwrap_err().code,
        "R31.own-case"
    );
    writer.member(11, propose).unwrap();
}
