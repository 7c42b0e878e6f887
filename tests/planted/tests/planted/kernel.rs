//! Each mend of the kernel taken back: the attack that it was made for succeeds.

use rollbook_node::planted::Planted;
use rollbook_node::replica::ReplicaConfig;
use rollbook_tests::sim::attacks;
use rollbook_tests::sim::attacks::Adjust;
use rollbook_tests::sim::relay;

/// The attack succeeds with this fault, in these words, and fails without it.
fn succeeds(planted: Planted, attack: impl Fn(Adjust<'_>) -> Result<(), String>, words: &str) {
    attack(&|_| {}).unwrap_or_else(|what| panic!("without a fault: {what}"));
    let adjust = |config: &mut ReplicaConfig| config.planted.push(planted);
    match attack(&adjust) {
        Err(what) if what.contains(words) => println!("{planted:?} caught: {what}"),
        Err(what) => panic!("{planted:?} was caught by another thing: {what}"),
        Ok(()) => panic!("{planted:?} was not caught"),
    }
}

#[test]
fn any_time() {
    let voted = "voted before the propose timeout";
    succeeds(
        Planted::AnyTime,
        attacks::time_is_judged_by_the_message,
        voted,
    );
}

#[test]
fn any_time_and_a_lead() {
    succeeds(
        Planted::AnyTime,
        attacks::a_lead_is_followed_and_never_added_to,
        "2 ms: [",
    );
    succeeds(
        Planted::AnyTime,
        attacks::a_lead_never_grows,
        "ahead of every honest clock",
    );
}

#[test]
fn cosignature_unjudged() {
    succeeds(
        Planted::CosignatureUnjudged,
        attacks::a_poisoned_cosignature,
        "RECEIPT of",
    );
}

#[test]
fn nothing_parked() {
    let blocks = "in which nothing applied";
    succeeds(
        Planted::NothingParked,
        attacks::records_that_do_not_apply,
        blocks,
    );
}

#[test]
fn turns_forgotten() {
    succeeds(
        Planted::TurnsForgotten,
        attacks::a_flood_of_one_member,
        "is not in the block",
    );
}

#[test]
fn any_answer() {
    let stands = "after ten seconds it stands at";
    succeeds(Planted::AnyAnswer, attacks::lying_and_slow_peers, stands);
}

#[test]
fn answers_kept() {
    succeeds(
        Planted::AnswersKept,
        attacks::answers_across_handovers,
        "it votes from",
    );
}

#[test]
fn nobody_asked() {
    succeeds(
        Planted::NobodyAsked,
        attacks::few_validators_ask_all,
        "did not answer",
    );
}

#[test]
fn statement_ignored() {
    succeeds(
        Planted::StatementIgnored,
        attacks::height_zero,
        "it votes from 1",
    );
}

#[test]
fn clone_unnoticed() {
    succeeds(
        Planted::CloneUnnoticed,
        attacks::a_clone,
        "beside its clone",
    );
}

#[test]
fn any_want_forgotten() {
    succeeds(
        Planted::AnyWantForgotten,
        attacks::invented_ids,
        "was forgotten",
    );
}

#[test]
fn forged_too() {
    succeeds(
        Planted::ForgedToo,
        relay::what_a_node_a_height_back_passes_on,
        "out of turn: Forged at its height",
    );
}

#[test]
fn any_copy_known() {
    succeeds(
        Planted::AnyCopyKnown,
        relay::a_mixed_batch,
        "a copy under another signature",
    );
}

#[test]
fn again_put_off() {
    succeeds(
        Planted::AgainPutOff,
        relay::a_peer_that_comes_and_goes,
        "is not repeated",
    );
}

#[test]
fn never_woken() {
    succeeds(
        Planted::NeverWoken,
        attacks::two_restores_on_a_quiet_chain,
        "is not decided",
    );
}
