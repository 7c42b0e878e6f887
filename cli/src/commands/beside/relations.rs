//! The relations of an organisation in words: who said what and when, what the board found, with whom it has
//! one voice, and who has none in its matters.

use rollbook_core::id::Id as _;
use rollbook_core::view::{OrganisationView, RelationLine};
use rollbook_core::word::Word as _;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::{in_words, t};
use rollbook_words::dates::time;

use super::{joined, party};
use crate::output::print;

/// Prints the relations, if there are any.
pub fn show(view: &OrganisationView) {
    if view.relations.is_empty() {
        return;
    }
    print(t(
        "relation.group",
        &[("group", joined(view.group.iter().map(party)))],
    ));
    let others = joined(view.without_voice.iter().map(party));
    print(t("relation.without-voice", &[("others", others)]));
    view.relations.iter().for_each(line);
}

fn line(line: &RelationLine) {
    let edge = &line.relation;
    let short = |number: OrganisationId| number.short().to_string();
    print(t(
        "relation.line",
        &[
            ("relation", edge.id.short().to_string()),
            ("kind", in_words("relation-kind", edge.kind.word())),
            ("other", party(&line.other)),
            ("state", in_words("state.relation", edge.status.word())),
            ("by", short(edge.claimed_by)),
            ("claimed", time(edge.claimed_ms)),
        ],
    ));
    let mut facts: Vec<String> = Vec::new();
    let mut fact = |key: &str, facts_of: &[(&str, String)]| facts.push(t(key, facts_of));
    match edge.said_ms {
        (Some(one), Some(other)) => {
            fact("relation.said", &[("since", time(one.max(other)))]);
        }
        (Some(since), None) => fact(
            "relation.said-by-one",
            &[("by", short(edge.ends.0)), ("since", time(since))],
        ),
        (None, Some(since)) => fact(
            "relation.said-by-one",
            &[("by", short(edge.ends.1)), ("since", time(since))],
        ),
        (None, None) => {}
    }
    if let Some((motion, since)) = edge.decided {
        fact(
            "relation.found",
            &[
                ("motion", motion.short().to_string()),
                ("since", time(since)),
            ],
        );
    }
    if let Some(since) = edge.effective_ms {
        fact("relation.one-voice", &[("since", time(since))]);
    }
    if let Some(since) = edge.ended_ms {
        fact("relation.over", &[("since", time(since))]);
    }
    fact("relation.evidence", &[("evidence", edge.evidence.to_hex())]);
    for reply in &edge.replies {
        fact(
            "relation.answer",
            &[
                ("by", short(reply.by)),
                ("document", reply.document.to_hex()),
            ],
        );
    }
    if let Some(asked) = &edge.end_asked {
        fact(
            "relation.end-asked",
            &[
                ("by", short(asked.by)),
                ("evidence", asked.evidence.to_hex()),
            ],
        );
    }
    for fact in facts {
        print(format!("    {fact}"));
    }
}
