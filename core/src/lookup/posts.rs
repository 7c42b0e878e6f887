//! Posts of an office and who holds them (RULINGS R7).

use std::collections::BTreeSet;

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::PostId;
use crate::identity::Role;
use crate::object::post::Post;
use crate::state::StateTables;

/// Whether `post` gives its holder authority at `now`.
pub fn post_in_force(post: &Post, now: LedgerTime) -> bool {
    post.status.in_force() && post.from_ms <= now
}

/// The post of an auditor who is at home in one of these organisations, while there is one (RULINGS
/// R29).
pub fn auditor_at_home_in(
    tables: &StateTables,
    organisations: &BTreeSet<OrganisationId>,
) -> Option<PostId> {
    let home = |post: &Post| tables.persons.get(&post.holder).map(|person| person.home);
    let post = tables.posts.iter().find(|(_, post)| {
        post.role == Role::Auditor
            && post.status.in_force()
            && home(post).is_some_and(|home| organisations.contains(&home))
    });
    post.map(|(number, _)| *number)
}
