//! The officers of an organisation with their keys, how many sign what, and what is to change, in
//! words: who may object or cancel until when.

use rollbook_core::id::{Id as _, PersonId};
use rollbook_core::identity::{ActClass, OrganisationKind};
use rollbook_core::object::change::ChangePlan;
use rollbook_core::record::{DelegatedObject, OfficersChange, Particulars};
use rollbook_core::view::{
    ChangeLine, DelegationLine, OfficerLine, OrganisationView, PolicyLine, PostLine, RecoveryLine,
    RevocationLine,
};
use rollbook_core::word::Word as _;
use rollbook_words::catalogue::{in_words, t};
use rollbook_words::dates::time;

use super::{joined, lines, relations};
use crate::commands::keys::role_words;
use crate::keystore::card::key_text;
use crate::output;
use crate::output::print;

/// Prints what belongs to an organisation.
pub fn show(view: &OrganisationView) {
    if let Some(address) = &view.address {
        print(t(
            "people.address",
            &[("address", address.as_str().to_owned())],
        ));
    }
    officers(&view.officers);
    if !view.posts.is_empty() {
        posts(&view.posts);
    }
    if view.kind != OrganisationKind::Observer {
        print(t("people.policy", &[]));
        for line in &view.policy {
            if line.class != ActClass::Node || line.can > 0 {
                print(format!("  {}", policy(line)));
            }
        }
    }
    view.changes.iter().for_each(change);
    if let Some(line) = &view.recovery {
        recovery(line);
    }
    view.revocations.iter().for_each(revocation);
    view.delegations.iter().for_each(delegation);
    relations::show(view);
}

fn officers(all: &[OfficerLine]) {
    if all.is_empty() {
        return;
    }
    let mut table = output::table(&[
        "people.column.person",
        "people.column.roles",
        "people.column.key",
        "people.column.state",
        "people.column.since",
    ]);
    for officer in all {
        let roles = match officer.ended {
            None => role_words(&officer.roles),
            Some((since, _)) => t("people.left", &[("time", time(since))]),
        };
        for (place, key) in officer.keys.iter().enumerate() {
            let mut text = key_text(&key.key);
            text.truncate(24);
            let state = in_words("state.key", key.state.word());
            let state = match key.ended {
                Some(why) => format!("{state} ({})", in_words("why.ended", why.word())),
                None => state,
            };
            let first = place == 0;
            table.add_row([
                if first {
                    officer.person.to_string()
                } else {
                    String::new()
                },
                if first { roles.clone() } else { String::new() },
                format!("{} {text}", key.number),
                state,
                t(
                    "people.since",
                    &[
                        ("height", key.since_height.to_string()),
                        ("time", time(key.since_ms)),
                    ],
                ),
            ]);
        }
    }
    print(t("people.officers", &[]));
    lines(&table);
}

fn posts(all: &[PostLine]) {
    print(t("people.posts", &[]));
    for post in all {
        let mut facts = vec![
            ("post", post.number.short().to_string()),
            ("role", in_words("role", post.role.word())),
            ("person", post.holder.to_string()),
            ("state", in_words("state.post", post.status.word())),
            ("until", time(post.until_ms)),
        ];
        print(format!("  {}", t("people.post", &facts)));
        if !post.away {
            continue;
        }
        let key = match (&post.stand_in, post.deputy_can, post.deputy) {
            (_, true, Some(deputy)) => {
                facts.push(("deputy", deputy.to_string()));
                "people.deputy-acts"
            }
            (Some((first, Some(second), until)), ..) => {
                facts.push(("first", first.to_string()));
                facts.push(("second", second.to_string()));
                facts.push(("end", time(*until)));
                "people.stand-ins"
            }
            _ => "people.nobody-acts",
        };
        print(format!("    {}", t(key, &facts)));
    }
}

fn policy(line: &PolicyLine) -> String {
    let facts = [
        ("class", in_words("class", line.class.word())),
        ("needed", line.needed.to_string()),
        ("can", line.can.to_string()),
    ];
    t("people.policy-line", &facts)
}

fn persons(all: &[PersonId]) -> String {
    joined(all.iter().map(PersonId::to_string))
}

/// What a change of officers does, a line each.
fn officers_change(change: &OfficersChange) -> Vec<String> {
    let mut told = Vec::new();
    for officer in &change.added {
        let keys = officer.keys.iter().map(|(key, _)| key_text(key));
        let facts = [
            ("roles", role_words(&officer.roles)),
            ("keys", joined(keys)),
        ];
        told.push(t("people.comes", &facts));
    }
    for (person, roles) in &change.roles {
        let facts = [("person", person.to_string()), ("roles", role_words(roles))];
        told.push(t("people.gets-roles", &facts));
    }
    for key in &change.keys {
        let facts = [
            ("person", key.person.to_string()),
            ("key", key_text(&key.key)),
        ];
        told.push(t("people.gets-key", &facts));
    }
    if !change.ended.is_empty() {
        told.push(t("people.leave", &[("persons", persons(&change.ended))]));
    }
    if let Some(policy) = &change.policy {
        let one = |(class, needed): &(ActClass, u32)| {
            format!("{} {needed}", in_words("class", class.word()))
        };
        let all = joined(policy.thresholds.iter().map(one));
        told.push(t("people.new-policy", &[("policy", all)]));
    }
    told
}

fn particulars(plan: &Particulars) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(name) = &plan.name {
        let facts = [
            ("native", name.native.to_string()),
            ("latin", name.latin.to_string()),
        ];
        told.push(t("people.new-name", &facts));
    }
    if let Some(address) = &plan.address {
        told.push(t("people.new-address", &[("address", address.to_string())]));
    }
    if let Some(identifiers) = &plan.identifiers {
        let all = joined(identifiers.iter().map(|identifier| identifier.org_id()));
        told.push(t("people.new-identifiers", &[("identifiers", all)]));
    }
    told
}

fn change(line: &ChangeLine) {
    let mut facts = vec![
        ("change", line.number.to_string()),
        ("persons", persons(&line.signed_by)),
    ];
    let (key, told) = match (&line.plan, line.until_ms) {
        (ChangePlan::Officers(plan), Some(until)) => {
            facts.push(("until", time(until)));
            ("people.change", officers_change(plan))
        }
        (ChangePlan::Officers(plan), None) => ("people.change-asked", officers_change(plan)),
        (ChangePlan::Particulars(plan), _) => {
            facts.push(("extract", plan.extract.0.to_hex()));
            ("people.update", particulars(plan))
        }
    };
    print(t(key, &facts));
    for told in told {
        print(format!("  {told}"));
    }
}

fn recovery(line: &RecoveryLine) {
    use rollbook_core::object::key_recovery::RecoveryStatus;
    let facts = [
        ("recovery", line.number.to_string()),
        ("letter", line.plan.letter.to_hex()),
        ("until", line.until_ms.map(time).unwrap_or_default()),
    ];
    let key = match line.status {
        RecoveryStatus::Waiting => "people.recovery-waits",
        _ => "people.recovery-filed",
    };
    print(t(key, &facts));
    for told in officers_change(&line.plan.change) {
        print(format!("  {told}"));
    }
}

fn revocation(line: &RevocationLine) {
    use rollbook_core::object::revocation::RevocationStatus;
    let facts = [
        ("revocation", line.number.to_string()),
        ("person", line.person.to_string()),
        ("key", line.key.to_string()),
        ("until", line.until_ms.map(time).unwrap_or_default()),
    ];
    let key = match line.status {
        RevocationStatus::InForce => "people.revocation-in-force",
        _ => "people.revocation-asked",
    };
    print(t(key, &facts));
}

fn delegation(line: &DelegationLine) {
    let grant = &line.grant;
    let classes = grant.classes.iter();
    let object = match grant.object {
        DelegatedObject::Everything => t("people.everything", &[]),
        DelegatedObject::Motion(number) => number.to_string(),
        DelegatedObject::Agreement(number) => number.to_string(),
        DelegatedObject::Payment(number) => number.to_string(),
        DelegatedObject::Application(number) => number.to_string(),
    };
    let facts = [
        ("delegation", line.number.to_string()),
        ("giver", grant.giver.to_string()),
        ("to", grant.to.to_string()),
        ("role", in_words("role", grant.role.word())),
        (
            "classes",
            joined(classes.map(|class| in_words("class", class.word()))),
        ),
        ("object", object),
        ("until", time(grant.until_ms)),
    ];
    print(t("people.delegation", &facts));
}
