//! Posts of an office and who holds them (RULINGS R7).

use std::collections::BTreeSet;

use rollbook_proof::number::{LedgerTime, OrganisationId};

use crate::id::{PersonId, PostId};
use crate::identity::Role;
use crate::object::post::Post;
use crate::object::stand_in::StandIn;
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

/// Whether nobody holds the post now: it was held and ended, and nobody took it up since.
pub fn is_vacant(tables: &StateTables, post: &Post) -> bool {
    let followed = || {
        tables.posts.iter().any(|(_, other)| {
            (other.office, other.role, other.scope) == (post.office, post.role, post.scope)
                && other.status.in_force()
                && other.from_ms >= post.since_ms
        })
    };
    post.has_ended() && post.successor.is_none() && !followed()
}

/// Whether the holder cannot act: the post is vacant, an absence is recorded, or no key of the holder
/// is in force (RULINGS R7).
pub fn holder_is_away(tables: &StateTables, post: &Post, now: LedgerTime) -> bool {
    let holder = tables.persons.get(&post.holder);
    is_vacant(tables, post)
        || post.status.in_force()
            && (post.absent
                || !holder.is_some_and(|person| person.in_force(now) && person.has_key()))
}

/// The deputy, if there is one who can act: somebody in force, with a key.
pub fn able_deputy(tables: &StateTables, post: &Post, now: LedgerTime) -> Option<PersonId> {
    post.deputy.filter(|deputy| {
        let deputy = tables.persons.get(deputy);
        deputy.is_some_and(|person| person.in_force(now) && person.has_key())
    })
}

/// Who stands in for the post now, together: two persons of seat holders, while neither holder nor
/// deputy can act.
pub fn stand_in<'a>(tables: &'a StateTables, post: &Post, now: LedgerTime) -> Option<&'a StandIn> {
    let both_away = holder_is_away(tables, post, now) && able_deputy(tables, post, now).is_none();
    let stand_in = tables.stand_ins.get(&post.number)?;
    (both_away && stand_in.in_force(now)).then_some(stand_in)
}
