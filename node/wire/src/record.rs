//! Records: handing in, and where one stands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollbook_core::record::Record;
use rollbook_proof::chain::ReadClass;
use rollbook_proof::number::{Height, LedgerTime};
use serde::{Deserialize, Serialize};

use crate::by_name::ByName;
use crate::problem::Problem;

/// What is handed in as JSON: one record or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// One signed envelope, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Several.
    #[serde(default)]
    pub records: Vec<String>,
}

/// Not generic, so that what a load does by the thousand is compiled here, and as fast code.
impl Submission {
    /// Several signed envelopes.
    pub fn several(envelopes: &[&[u8]]) -> Submission {
        Submission {
            record: None,
            records: envelopes
                .iter()
                .map(|bytes| STANDARD.encode(bytes))
                .collect(),
        }
    }

    /// The body of the request.
    pub fn body(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Told<T> {
    /// The answer.
    Answer(T),
    /// A problem document.
    Problem(Problem),
}

/// How many of the answers in this text of an API say "seen", without reading the rest of them: what
/// a program needs that hands in thousands of records a second.
pub fn seen_in(text: &[u8]) -> u64 {
    let word = br#""verdict":"seen""#;
    text.windows(word.len())
        .filter(|window| *window == word)
        .count() as u64
}

/// How far a record has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// Held in memory, not promised.
    Pool,
    /// In a block.
    Decided,
    /// Under a checkpoint with a quorum of cosignatures.
    Receipted,
    /// It was in the pool and has left it without being decided.
    Left,
}

impl Stands {
    /// As it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Stands::Pool => "pool",
            Stands::Decided => "decided",
            Stands::Receipted => "receipted",
            Stands::Left => "left",
        }
    }
}

/// Why a record that was handed in does not apply now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Aside {
    /// The rule.
    pub rule: String,
    /// Facts of the refusal, name and value; none for readers whom the record is not for.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<Vec<String>>))]
    pub facts: Vec<(String, String)>,
    /// Height that it was judged on.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub height: Height,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Place {
    /// Record id.
    pub id: String,
    /// `pool`, `decided`, `receipted` or `left`.
    pub stands: Stands,
    /// Height of its block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>))]
    pub height: Option<Height>,
    /// Position among the block's records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Index of its leaf in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<u64>,
    /// Ledger time of its block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<u64>))]
    pub time_ms: Option<LedgerTime>,
    /// The act by its number in the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `public` or `members`: who may read its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub read_class: Option<ReadClass>,
    /// The signed envelope, base64; left out for readers whom it is not for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The record in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub content: Option<ByName<Record>>,
    /// Why it has left the pool, or waits there without applying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Aside>,
    /// Whether this is a sample chain.
    pub sample: bool,
}

#[cfg(test)]
mod tests {
    use rollbook_core::id::PersonId;
    use rollbook_core::record::{Body, Nonce, OrganisationAct, Payload};
    use rollbook_proof::answer::{SignedAnswer, Verdict};
    use rollbook_proof::crypto::Hash;
    use rollbook_proof::number::OrganisationId;

    use super::*;
    use crate::problem::tests::signed;

    #[test]
    fn the_texts_are_as_they_were() {
        let mut place = Place {
            id: "cd".into(),
            stands: Stands::Pool,
            height: None,
            index: None,
            leaf: None,
            time_ms: None,
            code: None,
            read_class: None,
            record: None,
            content: None,
            aside: None,
            sample: true,
        };
        let text = serde_json::to_string(&place).unwrap();
        assert_eq!(text, r#"{"id":"cd","stands":"pool","sample":true}"#);
        place.stands = Stands::Receipted;
        place.height = Some(Height(1));
        place.index = Some(2);
        place.leaf = Some(20);
        place.time_ms = Some(LedgerTime(9));
        place.code = Some("A2".into());
        place.read_class = Some(ReadClass::Public);
        place.record = Some("AA==".into());
        place.content = Some(ByName(Record {
            payload: Payload {
                chain: Hash::ZERO,
                principal: OrganisationId(1),
                officer: PersonId(2),
                sequence: 3,
                valid_until_ms: LedgerTime(4),
                nonce: Nonce([7; 16]),
                body: Body::Organisation(OrganisationAct::Found),
            },
            signatures: Vec::new(),
        }));
        let (zero, nonce) = (Hash::ZERO.to_hex(), "07".repeat(16));
        let old = format!(
            "{{\"id\":\"cd\",\"stands\":\"receipted\",\"height\":1,\"index\":2,\"leaf\":20,\
             \"time_ms\":9,\"code\":\"A2\",\"read_class\":\"public\",\"record\":\"AA==\",\
             \"content\":{{\"payload\":{{\"body\":{{\"Organisation\":\"Found\"}},\
             \"chain\":\"{zero}\",\"nonce\":\"{nonce}\",\"officer\":2,\"principal\":1,\
             \"sequence\":3,\
             \"valid_until_ms\":4}},\"signatures\":[]}},\"sample\":true}}"
        );
        assert_eq!(serde_json::to_string(&place).unwrap(), old);
        assert_eq!(serde_json::from_str::<Place>(&old).unwrap(), place);
        for stands in [
            Stands::Pool,
            Stands::Decided,
            Stands::Receipted,
            Stands::Left,
        ] {
            assert_eq!(serde_json::to_value(stands).unwrap(), stands.word());
        }
        let several = Submission::several(&[&[0], &[1, 2]]);
        let body = several.body().unwrap();
        assert_eq!(body, br#"{"records":["AA==","AQI="]}"#);
    }

    #[test]
    fn a_problem_is_told_from_an_answer() {
        let text =
            r#"{"type":"about:blank","title":"","status":503,"code":"api.pool","detail":"x"}"#;
        let told: Told<SignedAnswer> = serde_json::from_str(text).unwrap();
        assert!(matches!(told, Told::Problem(problem) if problem.code == "api.pool"));
        assert!(serde_json::from_str::<Told<SignedAnswer>>("{}").is_err());
    }

    #[test]
    fn seen_answers_are_counted() {
        let refused = Verdict::Refused {
            rule: "A6.expired".into(),
            facts: Vec::new(),
        };
        let answers: Vec<ByName<Told<SignedAnswer>>> = [Verdict::Seen, refused, Verdict::Seen]
            .map(|verdict| ByName(Told::Answer(signed(verdict))))
            .into();
        assert_eq!(seen_in(&serde_json::to_vec(&answers).unwrap()), 2);
    }
}
