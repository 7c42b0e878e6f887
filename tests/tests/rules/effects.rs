//! What had no effect is a leaf of its own (RULINGS A35), and what is for members stands in the log
//! as a commitment (RULINGS A58). That every effect leaf agrees with the outcomes of its block is
//! checked by [`Writer`] at each block of each test here.

use rollbook_core::id::{MotionId, PostId};
use rollbook_core::record::{
    Ballot, BallotVote, Body, Choice, Declaration, MotionAct, MotionEffect, RemoveAuditor,
};
use rollbook_core::refusal::{NotCounted, Outcome};
use rollbook_proof::chain::{Effects, Leaf, LeafTag, ReadClass};
use rollbook_proof::crypto::sha256;
use rollbook_tests::alliance::{Alliance, sample};
use rollbook_tests::writer::Writer;

fn ballot(writer: &mut Writer, member: u32, motion: u32) -> rollbook_core::record::Record {
    let body = Body::Motion(MotionAct::Vote(Ballot {
        motion: MotionId(motion),
        round: 1,
        replaces: Vec::new(),
        vote: BallotVote::Choice(Choice::Yes),
        criterion: None,
        declaration: Declaration::None,
        proxy_for: None,
    }));
    let signers = writer.officers(member, &body);
    writer.sign(member, &signers, body)
}

#[test]
fn a_block_tells_of_public_and_of_members_records_in_two_leaves() {
    let mut sample = sample(b"effects", 24, 4);
    sample.pairs = vec![(12, 13)];
    let mut writer = Writer::founded(Alliance::of(&sample));
    // 12 and 13 are one group: the second of them has no voice left.
    let remove = MotionEffect::RemoveAuditor(RemoveAuditor { post: PostId(8) });
    let motion = writer.before_the_assembly(remove, 10).unwrap();
    let public = writer.registration("Public", &[]);
    let signers = writer.officers(1, &public);
    let public = writer.sign(1, &signers, public);
    let (first, second) = (
        ballot(&mut writer, 12, motion),
        ballot(&mut writer, 13, motion),
    );
    let records = [first, public, second];
    let block = writer.submit(&records);
    assert_eq!(
        block.outcomes,
        [
            Outcome::Applied,
            Outcome::Applied,
            Outcome::NotCounted(NotCounted::DuplicateGroup)
        ]
    );
    let effects: Vec<Effects> = block
        .leaves
        .iter()
        .filter_map(|leaf| Effects::read(&leaf.clear).ok())
        .collect();
    let told: Vec<_> = effects
        .iter()
        .map(|effects| (effects.class, effects.records, effects.without.as_slice()))
        .collect();
    let duplicate = NotCounted::DuplicateGroup.number();
    assert_eq!(
        told,
        [
            (ReadClass::Public, 1, [].as_slice()),
            (ReadClass::Members, 2, [(2, duplicate)].as_slice())
        ]
    );

    // In the log the ballots and their effect leaf are 36 bytes each, of which 32 tell nothing.
    let logged: Vec<Vec<u8>> = block
        .leaves
        .iter()
        .map(|leaf| leaf.logged().into_owned())
        .collect();
    let tags: Vec<Option<LeafTag>> = logged
        .iter()
        .map(|leaf| LeafTag::split(leaf).map(|(tag, _)| tag))
        .collect();
    use LeafTag::{Commitment, Effect, Record, Seal};
    let expected = [Commitment, Record, Commitment, Effect, Commitment, Seal].map(Some);
    assert_eq!(tags, expected);
    for (leaf, logged) in block.leaves.iter().zip(&logged) {
        let committed = leaf.class == ReadClass::Members;
        let digest = sha256(&leaf.clear).0;
        assert_eq!(logged.ends_with(&digest) && logged.len() == 36, committed);
    }
    // The same ballot with another nonce has another leaf: nobody finds it by trying.
    let mut guess = records[0].clone();
    guess.payload.nonce.0[0] ^= 1;
    assert_ne!(Leaf::logged(&guess.leaf()), logged[0]);
}
