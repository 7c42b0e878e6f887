//! The first paid award, by hand: from a fund to money that the grantee acknowledges, typed command
//! by command on a running alliance of seven companies. What is typed is counted, and nobody has to
//! copy a hash (RULINGS A33).

#![allow(clippy::unwrap_used)]

mod desk;
use desk::{Down, all};
mod hand;
use hand::{
    APPLICANT, APPROVER, COMMITTEE, Hand, OFFICE, PROGRAMME, SECOND, TREASURER, applied, called,
    drawn, funded, hand,
};

/// Fewer commands than this lead from nothing to a paid award.
const COMMANDS: usize = 60;
/// Hexadecimal digits in a row that a person may have to copy.
const DIGITS: usize = 8;

/// The reviewers seal and reveal, and the call is ranked.
fn reviewed(hand: &Hand) {
    let persons = drawn(hand);
    for (verb, more) in [
        ("seal", "--scores 9,8 --comment @comment.txt --opening"),
        ("reveal", "--opening"),
    ] {
        for (review, person) in (1..).zip(&persons) {
            let file = format!("{more} review-{review}.json");
            hand.reviewer(&format!("review {verb} {review} {file}"), *person);
        }
    }
    // Who says nothing more stands by the scores.
    for review in 1..=3 {
        hand.until(&format!("review status {review}"), "final");
    }
    hand.office("call rank C-1", &[PROGRAMME]);
}

fn paid(hand: &Hand) {
    hand.office(
        "award propose 1 --amount 200,000.00 --body committee --text @award.txt",
        &[PROGRAMME],
    );
    let told = hand.desk.good("show V-5");
    assert!(told.contains("200,000.00 CNY"), "{told}");
    hand.carried(&[5], &COMMITTEE);
    hand.until("award status W-1", "offered");
    hand.member("award accept W-1", APPLICANT, "finance");
    hand.office(
        "agreement draft W-1 --parties @parties.txt --document @agreement.txt --milestones \
         2025-06-30:200,000.00:@evidence.txt --advance 60,000.00 --account @account.txt --clawback \
         @clause.txt --survival @clause.txt --opening account.json",
        &[PROGRAMME],
    );
    let told = hand.member("agreement sign A-1", APPLICANT, "finance");
    assert!(
        told.contains("total: 200,000.00 CNY") && told.contains("advance: 60,000.00 CNY"),
        "what a digest stands for is said in words: {told}"
    );
    hand.office("agreement countersign A-1", &[TREASURER, SECOND]);

    let request = "payment request A-1 --tranche advance";
    let signers = "--as 4 --signer 7:primary --signer 8:finance";
    let told = all(&hand
        .desk
        .ends(1, &format!("{request} --amount 90,000.00 {signers}")));
    assert!(
        told.contains("--amount: given is 90,000.00 CNY, the ledger has 60,000.00 CNY"),
        "{told}"
    );
    hand.member(request, APPLICANT, "finance");
    hand.office("payment certify P-1", &[PROGRAMME]);
    let told = all(&hand.desk.ends(
        1,
        &format!(
            "payment approve P-1 --certified {} --as {OFFICE} --signer {APPROVER}",
            "cd".repeat(32)
        ),
    ));
    assert!(told.contains("--certified: given is cdcd"), "{told}");
    let told = hand.office("payment approve P-1", &[APPROVER]);
    assert!(told.contains("amount: 60,000.00 CNY"), "{told}");
    hand.past("payment status P-1");
    let release = "payment release P-1 --end-to-end PAY-2024-0001 --opening";
    let told = all(&hand.desk.ends(
        2,
        &format!("{release} application.json --as {OFFICE} --signer {TREASURER}"),
    ));
    assert!(told.contains("application.json"), "no account: {told}");
    let told = hand.office(&format!("{release} account.json"), &[TREASURER]);
    assert!(
        told.contains("account: what account.txt says"),
        "the treasurer sees the account: {told}"
    );
    hand.office("payment confirm P-1 --reference OUT-0001", &[SECOND]);
    hand.member("payment acknowledge P-1", APPLICANT, "finance");
    let told = hand.desk.good("payment status P-1");
    assert!(told.starts_with("payment 1: acknowledged"), "{told}");
}

#[test]
fn a_first_award_is_paid_by_hand_in_fewer_than_sixty_commands() {
    let hand = hand();
    let _down = Down(&hand.desk);
    funded(&hand);
    called(&hand, "");
    applied(&hand);
    reviewed(&hand);
    paid(&hand);
    let typed = hand.typed.borrow();
    for line in typed.iter() {
        let longest = line
            .split(|c: char| !c.is_ascii_hexdigit())
            .map(str::len)
            .max();
        assert!(
            longest.unwrap_or_default() <= DIGITS,
            "a hash to copy: {line}"
        );
        assert!(!line.contains("--from"), "by hand: {line}");
    }
    assert!(typed.len() < COMMANDS, "{} commands", typed.len());
    println!("{} commands", typed.len());
}
