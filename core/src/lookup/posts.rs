//! Posts of an office and who holds them (RULINGS R7).

use rollbook_proof::number::LedgerTime;

use crate::identity::{Post, PostStatus};

/// Whether `post` gives its holder authority at `now`.
pub fn post_in_force(post: &Post, now: LedgerTime) -> bool {
    post.status == PostStatus::Held && post.from_ms <= now && now <= post.until_ms
}
