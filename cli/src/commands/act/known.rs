//! What is checked against the ledger before it is sealed: asked of a node, whose wrong answer costs a
//! refusal, never a right.

use rollbook_core::object::call::Call;
use rollbook_core::record::Criterion;
use rollbook_words::catalogue::t;

use crate::act::desk::Desk;
use crate::act::next;
use crate::failure::Failure;
use crate::verbs::{Given, Verb};

/// Checks what can be told before an act is sealed.
pub fn check(verb: &Verb, desk: &Desk, given: &Given) -> Result<(), Failure> {
    match verb.path {
        ("review", "seal") => scores(desk, given),
        _ => Ok(()),
    }
}

/// The number of an object as it was typed, with or without its letter.
fn number(given: &Given, name: &str) -> Option<u32> {
    let text = given.text(name)?;
    text.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-')
        .parse()
        .ok()
}

/// Scores are compared with the criteria of the review's call before they are sealed: what is sealed
/// cannot be mended, and a score that is out of range can never be revealed.
fn scores(desk: &Desk, given: &Given) -> Result<(), Failure> {
    let (Some(text), Some(review)) = (given.text("scores"), number(given, "review")) else {
        return Ok(());
    };
    let scores: Result<Vec<u32>, _> = text.split(',').map(|score| score.trim().parse()).collect();
    let (Ok(scores), Ok(client)) = (scores, desk.client()) else {
        // What cannot be read is told where it is read; without a node nothing can be compared.
        return Ok(());
    };
    let call = match next::of(&client, "review", review) {
        Ok(next) => next.call,
        Err(_) => None,
    };
    let Some(criteria) = call.and_then(|call| criteria(&client, call.0)) else {
        return Ok(());
    };
    misfit(&scores, &criteria).map_or(Ok(()), |why| {
        let list: Vec<String> = criteria
            .iter()
            .map(|criterion| format!("{} 0-{}", criterion.code.as_str(), criterion.score_max))
            .collect();
        let facts = [("criteria", list.join(", "))];
        Err(Failure::unusable(t("sign.scores", &facts))
            .because(why)
            .next(t("sign.scores-next", &facts)))
    })
}

/// The criteria of a call, as a node lists it.
fn criteria(client: &rollbook_client::client::Client, call: u32) -> Option<Vec<Criterion>> {
    let after = match call.checked_sub(1) {
        Some(0) | None => String::new(),
        Some(before) => format!("&after={before}"),
    };
    let page: serde_json::Value = client
        .json(&format!("/v1/lists/call?limit=1{after}"))
        .ok()?;
    let call = page["items"].get(0)?.get("value")?;
    let call: Call = serde_json::from_value(call.clone()).ok()?;
    Some(call.terms.criteria)
}

/// What does not fit: how many scores, or one above its top.
fn misfit(scores: &[u32], criteria: &[Criterion]) -> Option<String> {
    if scores.len() != criteria.len() {
        let facts = [
            ("found", scores.len().to_string()),
            ("expected", criteria.len().to_string()),
        ];
        return Some(t("sign.scores-count", &facts));
    }
    let (score, criterion) = scores
        .iter()
        .zip(criteria)
        .find(|(score, criterion)| **score > criterion.score_max)?;
    let facts = [
        ("score", score.to_string()),
        ("criterion", criterion.code.to_string()),
        ("top", criterion.score_max.to_string()),
    ];
    Some(t("sign.scores-top", &facts))
}

#[cfg(test)]
mod tests {
    use rollbook_proof::codec::Text;

    use super::*;

    #[test]
    fn scores_fit_their_criteria() {
        let criterion = |code: &str, score_max: u32| Criterion {
            code: Text::new(code).unwrap(),
            weight_bp: 5_000,
            score_max,
            threshold: 0,
        };
        let criteria = [criterion("quality", 10), criterion("team", 100)];
        assert_eq!(misfit(&[10, 100], &criteria), None);
        assert!(misfit(&[80, 7], &criteria).unwrap().contains("quality"));
        assert!(misfit(&[8], &criteria).unwrap().contains('2'));
    }
}
