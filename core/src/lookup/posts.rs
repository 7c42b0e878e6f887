//! Posts of an office and who holds them (RULINGS R7).

use rollbook_proof::number::LedgerTime;

use crate::object::post::Post;

/// Whether `post` gives its holder authority at `now`.
pub fn post_in_force(post: &Post, now: LedgerTime) -> bool {
    post.status.in_force() && post.from_ms <= now
}
