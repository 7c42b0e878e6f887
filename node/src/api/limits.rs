//! What whoever has not logged in may ask for, and how much lies here for one and for all at once
//! (RULINGS A42, A49).
//!
//! | cost | what it is | one place a second (at once) | all together |
//! |---|---|---|---|
//! | [`Cost::Quick`] | one value read from memory or by its key | 1,000 (5,000) | 4,000 (16,000) |
//! | [`Cost::Dear`] | proofs, lists, views, pages, bundles, streams | 100 (600) | 400 (3,000) |
//! | [`Limits::unproved`] | a record or pass of which no signature verifies, or that is in the log already | 50 (500) | 200 (2,000) |
//!
//! * Status and health cost nothing. A record of which a signature verifies costs nothing, and neither
//!   does a question with a pass that holds: members' ballots pass whatever strangers do.
//! * The doors of dear questions to the replica's thread are few ([`Lanes`]), so what waits in its queue is
//!   bounded whoever asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use axum::http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Problem;
use super::budget::{Budget, Rate};
use super::shares::{Share, Shares, Whence};

/// What a question costs whoever has not logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// One value.
    Quick,
    /// More than that.
    Dear,
}

/// Bytes of large bodies that are being read, in all and from one place.
const BODIES: (u64, u64) = (32 << 20, 4 << 20);
/// Bytes of large answers that are not taken yet.
const ANSWERS: (u64, u64) = (128 << 20, 16 << 20);
/// Event streams.
const STREAMS: (u64, u64) = (256, 4);
/// Exports that are being read.
const EXPORTS: (u64, u64) = (16, 4);
/// A body or answer up to so many bytes counts for nothing: there are no more of them than connections.
pub(super) const SMALL: usize = 64 * 1024;

/// Dear questions that the replica's thread is asked at once, and those that wait for it.
const DEAR: (usize, usize) = (4, 512);
/// The same of all other questions.
const QUICK: (usize, usize) = (64, 2_048);

/// A door for so many at once, with room for so many to wait.
#[derive(Debug)]
pub struct Lane {
    places: Semaphore,
    most: usize,
    inside: AtomicUsize,
}

/// A place in a lane.
#[derive(Debug)]
pub struct InLane<'a> {
    _inside: Inside<'a>,
    _permit: SemaphorePermit<'a>,
}

/// One who is in a lane or waits before it; counted until dropped.
#[derive(Debug)]
struct Inside<'a>(&'a AtomicUsize);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lane {
    fn new((at_once, wait): (usize, usize)) -> Lane {
        Lane {
            places: Semaphore::new(at_once),
            most: at_once.saturating_add(wait),
            inside: AtomicUsize::new(0),
        }
    }

    /// Waits for a place; none if too many wait already.
    pub async fn enter(&self) -> Option<InLane<'_>> {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        let inside = Inside(&self.inside);
        if before >= self.most {
            return None;
        }
        let permit = self.places.acquire().await.ok()?;
        Some(InLane {
            _inside: inside,
            _permit: permit,
        })
    }
}

/// All lanes to the replica's thread.
#[derive(Debug)]
pub struct Lanes {
    /// Of questions that take it more than a moment.
    pub dear: Lane,
    /// Of all others.
    pub quick: Lane,
}

/// All limits of one API.
#[derive(Debug)]
pub struct Limits {
    quick: Budget,
    dear: Budget,
    unproved: Budget,
    bodies: Arc<Shares>,
    answers: Arc<Shares>,
    streams: Arc<Shares>,
    exports: Arc<Shares>,
    /// Records that went no further than the API.
    refused: AtomicU64,
    /// To the replica's thread.
    pub lanes: Lanes,
}

fn rate(per_second: u64, burst: u64) -> Rate {
    Rate { per_second, burst }
}

impl Default for Limits {
    fn default() -> Limits {
        let shares = |(most, of_one)| Shares::new(most, of_one);
        Limits {
            quick: Budget::new(rate(1_000, 5_000), rate(4_000, 16_000)),
            dear: Budget::new(rate(100, 600), rate(400, 3_000)),
            unproved: Budget::new(rate(50, 500), rate(200, 2_000)),
            bodies: shares(BODIES),
            answers: shares(ANSWERS),
            streams: shares(STREAMS),
            exports: shares(EXPORTS),
            refused: AtomicU64::new(0),
            lanes: Lanes {
                dear: Lane::new(DEAR),
                quick: Lane::new(QUICK),
            },
        }
    }
}

impl Limits {
    fn budget(&self, cost: Cost) -> &Budget {
        match cost {
            Cost::Quick => &self.quick,
            Cost::Dear => &self.dear,
        }
    }

    /// Charges a place that nobody has answered for.
    pub fn charge(&self, place: Whence, cost: Cost) -> Result<(), Problem> {
        let budget = self.budget(cost);
        budget.take(place, 1).map_err(|_| too_many())
    }

    /// Whether a place may still show something whose signature has not verified. What others have used
    /// up does not count: a ballot passes whatever strangers do.
    pub fn may_show(&self, place: Whence) -> Result<(), Problem> {
        if self.unproved.has_own(place) {
            Ok(())
        } else {
            Err(too_many())
        }
    }

    /// Charges a place for what it showed: nobody stands behind it.
    pub fn unproved(&self, place: Whence) -> Result<(), Problem> {
        self.unproved.spend(place).map_err(|_| too_many())
    }

    /// Notes a record that goes no further than the API.
    pub fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn all_refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Room for a large body.
    pub fn body(&self, place: Whence, bytes: u64) -> Result<Share, Problem> {
        self.bodies.take(place, bytes).ok_or_else(no_room)
    }

    /// Room for a large answer.
    pub fn answer(&self, place: Whence, bytes: u64) -> Result<Share, Problem> {
        self.answers.take(place, bytes).ok_or_else(no_room)
    }

    /// A place for a stream of events.
    pub fn stream(&self, place: Whence) -> Result<Share, Problem> {
        self.streams.take(place, 1).ok_or_else(no_room)
    }

    /// A place for an export.
    pub fn export(&self, place: Whence) -> Result<Share, Problem> {
        self.exports.take(place, 1).ok_or_else(no_room)
    }
}

/// Whoever asks too often.
fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "api.too-many",
        "too many questions without a pass came from here or in all",
    )
    .next("ask again in a moment, log in, or ask another node")
}

/// What has no room now.
pub(super) fn no_room() -> Problem {
    Problem::unavailable("api.no-room", "too much of this kind is under way")
        .next("close what is open, or ask again in a moment, or ask another node")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lane_has_an_end_and_is_left() {
        let lane = Lane::new((1, 1));
        let first = lane.enter().await.unwrap();
        {
            let second = lane.enter();
            tokio::pin!(second);
            assert!(futures::poll!(&mut second).is_pending(), "it waits");
            assert!(
                lane.enter().await.is_none(),
                "and another one finds no room"
            );
        }
        drop(first);
        drop(lane.enter().await.unwrap());
        assert_eq!(lane.inside.load(Ordering::Relaxed), 0);
    }
}
