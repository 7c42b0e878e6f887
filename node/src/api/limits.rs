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
//! * What costs by its size is charged by the bytes that are read for it ([`Limits::work`]).
//! * Of answers that are not taken, of streams and of dear questions a part is kept for whoever has logged in
//!   ([`STRANGERS`]): strangers never use up what members need.
//! * The doors of dear questions to the replica's thread are few ([`Lanes`]), so what waits in its queue is
//!   bounded whoever asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use rollbook_proof::number::OrganisationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::budget::{Budget, Rate};
use super::door::{OPEN_FROM_ONE, OPEN_MAX};
use super::problem::Problem;
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
/// Records that lie before the replica's thread, and those of officers of one organisation: two batches.
const SUBMITTED: (u64, u64) = (4_096, 1_024);
/// Exports that are being read.
const EXPORTS: (u64, u64) = (16, 4);
/// What strangers may have of what is for everybody, in quarters: the rest is for who has logged in.
const STRANGERS: u64 = 3;
/// Bytes that are read for the price of one dear question.
const WORK: u64 = 256 * 1024;
/// A body or answer up to so many bytes counts for nothing: there are no more of them than connections.
pub(super) const SMALL: usize = 64 * 1024;

/// Dear questions that the replica's thread is asked at once, and those that wait for it.
const DEAR: (usize, usize) = (4, 512);
/// The same of all other questions.
const QUICK: (usize, usize) = (64, 2_048);

/// A door for so many at once, with room for so many to wait.
#[derive(Debug)]
pub struct Lane {
    places: Arc<Semaphore>,
    line: Semaphore,
    /// Of the places, those that strangers may have.
    strangers: Option<Box<Lane>>,
}

/// A place in a lane. It goes with the question and is free when that is answered or forgotten: whoever
/// hangs up frees nothing that still lies before the thread.
#[derive(Debug)]
pub struct InLane {
    _permits: [Option<OwnedSemaphorePermit>; 2],
}

impl Lane {
    pub(super) fn new((at_once, wait): (usize, usize)) -> Lane {
        Lane {
            places: Arc::new(Semaphore::new(at_once)),
            line: Semaphore::new(wait),
            strangers: None,
        }
    }

    /// The same with a part of places and of the line that strangers never have.
    pub(super) fn with_strangers((at_once, wait): (usize, usize)) -> Lane {
        let part = |all: usize| all * STRANGERS as usize / 4;
        Lane {
            strangers: Some(Box::new(Lane::new((part(at_once), part(wait))))),
            ..Lane::new((at_once, wait))
        }
    }

    /// Waits for a place; none if too many wait already.
    pub async fn enter(&self, is_stranger: bool) -> Option<InLane> {
        let first = match &self.strangers {
            Some(lane) if is_stranger => Some(lane.wait().await?),
            _ => None,
        };
        let own = self.wait().await?;
        Some(InLane {
            _permits: [first, Some(own)],
        })
    }

    async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        let _waits = self.line.try_acquire().ok()?;
        self.places.clone().acquire_owned().await.ok()
    }
}

/// Something of which strangers never have all.
#[derive(Debug)]
struct Twofold {
    all: Arc<Shares>,
    strangers: Arc<Shares>,
}

/// A share of it.
pub type Held = (Share, Option<Share>);

impl Twofold {
    fn new((most, of_one): (u64, u64)) -> Twofold {
        Twofold {
            all: Shares::new(most, of_one),
            strangers: Shares::new(most / 4 * STRANGERS, of_one),
        }
    }

    fn take(&self, is_stranger: bool, place: Whence, amount: u64) -> Option<Held> {
        let first = if is_stranger {
            Some(self.strangers.take(place, amount)?)
        } else {
            None
        };
        Some((self.all.take(place, amount)?, first))
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

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes {
            dear: Lane::with_strangers(DEAR),
            quick: Lane::new(QUICK),
        }
    }
}

/// All limits of one API.
#[derive(Debug)]
pub struct Limits {
    quick: Budget,
    dear: Budget,
    unproved: Budget,
    bodies: Arc<Shares>,
    answers: Twofold,
    streams: Twofold,
    exports: Arc<Shares>,
    submitted: Arc<Shares<OrganisationId>>,
    under_way: Arc<Shares>,
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
            answers: Twofold::new(ANSWERS),
            streams: Twofold::new(STREAMS),
            exports: shares(EXPORTS),
            under_way: shares((OPEN_MAX, OPEN_FROM_ONE)),
            submitted: Shares::new(SUBMITTED.0, SUBMITTED.1),
            refused: AtomicU64::new(0),
            lanes: Lanes::default(),
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

    /// Charges a place from its own alone, whatever all together have used up.
    pub fn charge_own(&self, place: Whence, cost: Cost) -> Result<(), Problem> {
        self.budget(cost).take_own(place, 1).map_err(|_| too_many())
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
    pub fn answer(&self, is_stranger: bool, place: Whence, bytes: u64) -> Result<Held, Problem> {
        let held = self.answers.take(is_stranger, place, bytes);
        held.ok_or_else(no_room)
    }

    /// A place for a stream of events.
    pub fn stream(&self, is_stranger: bool, place: Whence) -> Result<Held, Problem> {
        let held = self.streams.take(is_stranger, place, 1);
        held.ok_or_else(no_room)
    }

    /// Charges a place for bytes that were read for it.
    pub fn work(&self, place: Whence, bytes: u64) {
        self.dear.drain(place, bytes / WORK);
    }

    /// Whether a place may have more read: the streams of strangers go on when there is something left.
    pub fn may_read(&self, place: Whence) -> bool {
        self.dear.take(place, 1).is_ok()
    }

    /// A place before the replica's thread for a record that an officer of this organisation has signed:
    /// whatever one of them hands in, there is room for the others.
    pub fn submit(&self, home: OrganisationId) -> Option<Share<OrganisationId>> {
        self.submitted.take(home, 1)
    }

    /// A place for a request of somebody behind a named proxy, as connections have one.
    pub fn under_way(&self, place: Whence) -> Result<Share, Problem> {
        self.under_way.take(place, 1).ok_or_else(no_room)
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
        let first = lane.enter(true).await.unwrap();
        {
            let second = lane.enter(false);
            tokio::pin!(second);
            assert!(futures::poll!(&mut second).is_pending(), "it waits");
            assert!(
                lane.enter(false).await.is_none(),
                "and another one finds no room"
            );
        }
        drop(first);
        drop(lane.enter(true).await.unwrap());
        assert_eq!(
            (
                lane.places.available_permits(),
                lane.line.available_permits()
            ),
            (1, 1)
        );
    }
    /// Strangers had all places of dear questions, all streams and all room for answers, and members waited
    /// with them.
    #[tokio::test]
    async fn strangers_leave_a_part_to_members() {
        let lane = Lane::with_strangers((4, 4));
        let mut strangers = Vec::new();
        for _ in 0..3 {
            strangers.push(lane.enter(true).await.unwrap());
        }
        let fourth = lane.enter(true);
        tokio::pin!(fourth);
        assert!(futures::poll!(&mut fourth).is_pending());
        drop(lane.enter(false).await.unwrap());
        strangers.clear();
        assert!(fourth.await.is_some());

        let streams = Twofold::new((8, 2));
        let place = |at: u8| Whence::of([192, 0, 2, at].into());
        let taken = |is_stranger: bool, from: u8| {
            let places = (from..from + 9).flat_map(|at| [place(at), place(at)]);
            places
                .map_while(|place| streams.take(is_stranger, place, 1))
                .collect::<Vec<_>>()
        };
        let (strangers, members) = (taken(true, 0), taken(false, 100));
        assert_eq!((strangers.len(), members.len()), (6, 2));
    }
}
