//! What is judged before it stands in a block: as the next block would judge it, and as if all had
//! signed.

use rollbook_core::id::{MotionId, PersonId, PostId};
use rollbook_core::identity::Role;
use rollbook_core::presume;
use rollbook_core::presume::UNSIGNED;
use rollbook_core::record::{
    Ballot, BallotVote, Body, Choice, ConflictKind, Declaration, MotionAct, MotionEffect, Record,
    RemoveHolder,
};
use rollbook_core::refusal::{NotCounted, Outcome};
use rollbook_core::tx::DeadlineKind;
use rollbook_proof::number::LedgerTime;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::Writer;

/// An open motion of the board.
fn open() -> (Writer, u32) {
    let mut writer = Writer::founded(Alliance::of(&sample(b"beforehand", 24, 4)));
    let effect = MotionEffect::Remove(RemoveHolder { post: PostId(2) });
    let motion = writer.propose(effect, 7).unwrap();
    (writer, motion)
}

fn ballot(motion: u32, choice: Choice, declaration: Declaration) -> Body {
    Body::Motion(MotionAct::Vote(Ballot {
        motion: MotionId(motion),
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(choice),
        criterion: None,
        declaration,
        proxy_for: None,
    }))
}

fn signed(writer: &mut Writer, member: u32, body: Body) -> Record {
    let signers = writer.officers(member, &body);
    writer.sign(member, &signers, body)
}

fn judged(writer: &mut Writer, record: &Record, now: u64) -> Result<Outcome, &'static str> {
    let (ledger, verifier) = (&mut writer.ledger, &mut writer.verifier);
    let admitted = ledger.admit_decoded(record.clone(), LedgerTime(now), verifier);
    admitted
        .map(|admitted| admitted.outcome)
        .map_err(|refusal| refusal.code)
}

/// On a quiet chain the newest block may be hours old. A record is judged as the next block will: a
/// ballot after the close is refused at once and does not wait in the pool for ever, and what a delay
/// held up is taken once the delay is over (a payment's release was refused for days).
#[test]
fn what_is_due_is_done_before_a_record_is_judged() {
    let (mut writer, motion) = open();
    let close = writer.due(DeadlineKind::MotionClose, motion).unwrap();
    // Signed shortly before the close, so that it is valid beyond it.
    let body = ballot(motion, Choice::Yes, Declaration::None);
    let signers = writer.officers(3, &body);
    let signer = &mut writer.alliance.signer;
    let vote = signer.record(3, &signers, close - 60_000, body);
    let tip = writer.ledger.tip().clone();
    assert_eq!(judged(&mut writer, &vote, close), Ok(Outcome::Applied));
    assert_eq!(judged(&mut writer, &vote, close + 1), Err("R10.not-open"));
    // Nothing of it is kept: the ledger stands where it stood and builds the same block.
    assert_eq!(*writer.ledger.tip(), tip);
    assert_eq!(judged(&mut writer, &vote, close), Ok(Outcome::Applied));
    let block = writer.block(close, &[vote]);
    assert_eq!(block.outcomes, [Outcome::Applied]);
    assert!(block.events.is_empty(), "the close is not due yet");
}

#[test]
fn what_would_come_of_it_is_known_before_anybody_signs() {
    let (mut writer, motion) = open();
    let now = LedgerTime(writer.now());
    let presume = |writer: &mut Writer, record: &Record| {
        presume::presume(&mut writer.ledger, record, now, &mut writer.verifier)
    };
    // An empty place for one of two signatures; the other is named.
    let unsigned = |writer: &mut Writer, member: u32, body: Body| {
        let (person, role) = writer.officers(member, &body)[0];
        let mut record = writer.sign(member, &[(person, role)], body);
        record.signatures[0].signature = UNSIGNED;
        record
    };
    let yes = ballot(motion, Choice::Yes, Declaration::None);
    let record = unsigned(&mut writer, 3, yes.clone());
    assert_eq!(judged(&mut writer, &record, now.0), Err("A6.bad-signature"));
    let presumed = presume(&mut writer, &record);
    assert_eq!(presumed.result, Ok(Outcome::Applied));
    assert_eq!(presumed.with, [PersonId(6)], "the alternate of member 3");
    assert_eq!(presumed.standing, None);

    // In vain, whoever signs: no such motion, no voice, a conflict of one's own.
    let body = ballot(99, Choice::Yes, Declaration::None);
    let record = unsigned(&mut writer, 3, body);
    let code = |result: Result<Outcome, rollbook_core::refusal::Refusal>| result.unwrap_err().code;
    assert_eq!(
        code(presume(&mut writer, &record).result),
        "A4.unknown-motion"
    );
    let record = unsigned(&mut writer, 20, yes.clone());
    assert_eq!(
        code(presume(&mut writer, &record).result),
        "R1.not-in-electorate"
    );
    let conflict = Declaration::Conflict(ConflictKind::Competitor);
    let record = unsigned(&mut writer, 3, ballot(motion, Choice::Yes, conflict));
    assert_eq!(
        presume(&mut writer, &record).result,
        Ok(Outcome::NotCounted(NotCounted::Recused))
    );
    // A role that is not held is not taken for granted.
    let mut record = unsigned(&mut writer, 3, yes.clone());
    record.signatures[0].capacity = rollbook_core::record::Capacity::Own(Role::Treasurer);
    assert_eq!(
        code(presume(&mut writer, &record).result),
        "A6.role-not-held"
    );

    // A ballot that stands is named before another replaces it.
    let first = signed(&mut writer, 3, yes.clone());
    writer.submit(std::slice::from_ref(&first));
    let no = ballot(motion, Choice::No, Declaration::None);
    let again = unsigned(&mut writer, 3, no.clone());
    let presumed = presume(&mut writer, &again);
    assert_eq!(presumed.result, Ok(Outcome::Applied));
    let standing = presumed.standing.unwrap();
    assert_eq!(
        (standing.record, standing.choice),
        (first.id(), Some(Choice::Yes))
    );
    // Another officer's must name it.
    let person = writer.officers(3, &no)[1];
    let mut other = writer.sign(3, &[person], no);
    other.signatures[0].signature = UNSIGNED;
    let presumed = presume(&mut writer, &other);
    assert_eq!(code(presumed.result), "A47.other-ballot-stands");
    assert_eq!(presumed.standing.unwrap().record, first.id());
}

/// What nobody could learn without signing is told to nobody else: not to a stranger, not to an
/// officer of another company, not for a signature that is none.
#[test]
fn only_who_may_sign_is_told() {
    let (mut writer, motion) = open();
    let body = ballot(motion, Choice::Yes, Declaration::None);
    let good = signed(&mut writer, 3, body);
    let mut empty = good.clone();
    for entry in &mut empty.signatures {
        entry.signature = UNSIGNED;
    }
    let now = LedgerTime(writer.now());
    let mut may = |record: &Record, reader: Option<u32>| {
        let reader = reader.map(PersonId);
        presume::may_learn(&writer.ledger, record, now, reader, &mut writer.verifier)
    };
    assert!(may(&good, None), "a signature shows who asks");
    assert!(!may(&empty, None), "a stranger");
    assert!(!may(&empty, Some(9)), "an officer of another company");
    assert!(may(&empty, Some(5)) && may(&empty, Some(6)));
}
