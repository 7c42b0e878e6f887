//! Problem documents (RFC 9457): what happened, a language-free code, the next step.

use rollbook_proof::answer::SignedAnswer;
use serde::{Deserialize, Serialize};

use crate::by_name::ByName;

/// Code of the answer to a reader who must log in.
pub const MEMBERS_ONLY: &str = "A15.members-only";

/// A refusal or failure as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `about:blank`: the code says more than a page would.
    #[serde(rename = "type")]
    pub kind: String,
    /// Words of the status.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Language-free code: a rule, or `api.*`.
    pub code: String,
    /// What happened here.
    pub detail: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// A signed refusal of a record (RULINGS A4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub receipt: Option<ByName<SignedAnswer>>,
}

#[cfg(test)]
pub(crate) mod tests {
    use rollbook_proof::answer::{Answer, Verdict};
    use rollbook_proof::crypto::{Hash, Keypair};
    use rollbook_proof::number::{Height, LedgerTime, OrganisationId};

    use super::*;

    /// An answer with this verdict, signed.
    pub(crate) fn signed(verdict: Verdict) -> SignedAnswer {
        let answer = Answer {
            chain: Hash::ZERO,
            bytes: Hash::ZERO,
            record: Hash::ZERO,
            height: Height(7),
            time_ms: LedgerTime(9),
            node: OrganisationId(1),
            verdict,
        };
        SignedAnswer::sign(answer, &Keypair::derive(b"wire", "log"))
    }

    #[test]
    fn the_text_is_as_it_was() {
        let mut problem = Problem {
            kind: "about:blank".into(),
            title: "Not Found".into(),
            status: 404,
            code: "api.not-found".into(),
            detail: "there is no x here".into(),
            next: None,
            receipt: None,
        };
        let head = r#"{"type":"about:blank","title":"Not Found","status":404,"code":"api.not-found","detail":"there is no x here""#;
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            format!("{head}}}")
        );
        let signed = signed(Verdict::Refused {
            rule: "A6.expired".into(),
            facts: vec![("now".into(), "3".into())],
        });
        problem.next = Some("again".into());
        problem.receipt = Some(ByName(signed.clone()));
        let zero = Hash::ZERO.to_hex();
        let (public, signature) = (
            serde_json::to_string(&signed.key).unwrap(),
            serde_json::to_string(&signed.signature).unwrap(),
        );
        let receipt = format!(
            "{{\"answer\":{{\"bytes\":\"{zero}\",\"chain\":\"{zero}\",\"height\":7,\"node\":1,\
             \"record\":\"{zero}\",\"time_ms\":9,\"verdict\":{{\"refused\":{{\"facts\":[[\"now\",\
             \"3\"]],\"rule\":\"A6.expired\"}}}}}},\"key\":{public},\"signature\":{signature},\
             \"statement\":\"{}\"}}",
            signed.statement
        );
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(
            text,
            format!("{head},\"next\":\"again\",\"receipt\":{receipt}}}")
        );
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    }
}
