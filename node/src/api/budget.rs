//! How often something may be asked for: buckets that fill again, one for each place and one for all
//! together (RULINGS A42).
//!
//! * A place that has used up its own takes nothing from the others'.
//! * Addresses are remembered in bounded memory: where there are too many, a new one takes the place of one
//!   of its own wider network ([`Whence::wider`]), and where there is none, those that are not known share
//!   one bucket.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::shares::Whence;

/// Places that are remembered at most.
const PLACES: usize = 4_096;
/// Parts of one: buckets fill by the millisecond.
const WHOLE: u64 = 1_000;

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// What comes in a second.
    pub per_second: u64,
    /// What is there at most.
    pub burst: u64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// In thousandths.
    level: u64,
    at: Instant,
}

impl Bucket {
    fn full(rate: Rate, now: Instant) -> Bucket {
        Bucket {
            level: rate.burst.saturating_mul(WHOLE),
            at: now,
        }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        if passed == 0 {
            return;
        }
        self.at = now;
        let most = rate.burst.saturating_mul(WHOLE);
        let more = passed.saturating_mul(rate.per_second);
        self.level = self.level.saturating_add(more).min(most);
    }

    fn has(&self, cost: u64) -> bool {
        self.level >= cost.saturating_mul(WHOLE)
    }

    fn is_full(&self, rate: Rate) -> bool {
        self.level >= rate.burst.saturating_mul(WHOLE)
    }
}

#[derive(Debug)]
struct Buckets {
    all: Bucket,
    each: BTreeMap<Whence, Bucket>,
    tidied: Instant,
}

/// What may be asked for.
#[derive(Debug)]
pub struct Budget {
    each: Rate,
    all: Rate,
    buckets: Mutex<Buckets>,
}

/// There is nothing left now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUp;

impl Budget {
    /// Full buckets.
    pub fn new(each: Rate, all: Rate) -> Budget {
        let now = Instant::now();
        Budget {
            each,
            all,
            buckets: Mutex::new(Buckets {
                all: Bucket::full(all, now),
                each: BTreeMap::new(),
                tidied: now,
            }),
        }
    }

    /// Takes `cost` from the bucket of a place and from that of all.
    pub fn take(&self, place: Whence, cost: u64) -> Result<(), UsedUp> {
        self.take_at(place, cost, Instant::now())
    }

    fn take_at(&self, place: Whence, cost: u64, now: Instant) -> Result<(), UsedUp> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = &mut *buckets;
        buckets.all.fill(self.all, now);
        let all_has = buckets.all.has(cost);
        let own = self.own(buckets, place, now);
        if !own.has(cost) || !all_has {
            return Err(UsedUp);
        }
        own.level -= cost.saturating_mul(WHOLE);
        buckets.all.level -= cost.saturating_mul(WHOLE);
        Ok(())
    }

    /// Takes `cost` from the bucket of a place alone, whatever all together have used up.
    pub fn take_own(&self, place: Whence, cost: u64) -> Result<(), UsedUp> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let own = self.own(&mut buckets, place, now);
        if !own.has(cost) {
            return Err(UsedUp);
        }
        own.level -= cost.saturating_mul(WHOLE);
        Ok(())
    }

    /// Whether the bucket of a place has anything left, whatever all together have used up. Who is not
    /// known has used up nothing.
    pub fn has_own(&self, place: Whence) -> bool {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.each.get_mut(&place).is_none_or(|own| {
            own.fill(self.each, now);
            own.has(1)
        })
    }

    /// Takes one from the bucket of a place even where all together have nothing left, and what there is
    /// from theirs; whether both had it.
    pub fn spend(&self, place: Whence) -> Result<(), UsedUp> {
        let now = Instant::now();
        if self.take_at(place, 1, now).is_ok() {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let own = self.own(&mut buckets, place, now);
        own.level = own.level.saturating_sub(WHOLE);
        Err(UsedUp)
    }

    /// Takes what there is, up to `cost`, from the bucket of a place and from that of all: of what was done
    /// already.
    pub fn drain(&self, place: Whence, cost: u64) {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = cost.saturating_mul(WHOLE);
        let own = self.own(&mut buckets, place, now);
        own.level = own.level.saturating_sub(cost);
        buckets.all.level = buckets.all.level.saturating_sub(cost);
    }

    /// The bucket of a place, filled up to now.
    fn own<'a>(&self, buckets: &'a mut Buckets, place: Whence, now: Instant) -> &'a mut Bucket {
        let place = self.known(buckets, place, now);
        let own = buckets
            .each
            .entry(place)
            .or_insert_with(|| Bucket::full(self.each, now));
        own.fill(self.each, now);
        own
    }

    /// The place itself, or the one that all share who are too many to be remembered.
    fn known(&self, buckets: &mut Buckets, place: Whence, now: Instant) -> Whence {
        if buckets.each.contains_key(&place) || buckets.each.len() < PLACES {
            return place;
        }
        if now.saturating_duration_since(buckets.tidied) >= Duration::from_secs(1) {
            buckets.tidied = now;
            let rate = self.each;
            buckets.each.retain(|_, bucket| {
                bucket.fill(rate, now);
                !bucket.is_full(rate)
            });
            if buckets.each.len() < PLACES {
                return place;
            }
        }
        // Whoever has many places of one network has them instead of each other.
        let mut neighbours = buckets.each.range(place.neighbours());
        if let Some((neighbour, _)) = neighbours.next() {
            let neighbour = *neighbour;
            buckets.each.remove(&neighbour);
            return place;
        }
        Whence::of(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(at: u32) -> Whence {
        Whence::of(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + at)))
    }

    fn budget(each: (u64, u64), all: (u64, u64)) -> Budget {
        let rate = |(per_second, burst)| Rate { per_second, burst };
        Budget::new(rate(each), rate(all))
    }

    #[test]
    fn a_place_uses_up_its_own_and_nobody_elses() {
        let budget = budget((10, 20), (1_000, 100));
        let now = Instant::now();
        let taken = (0..500)
            .filter(|_| budget.take_at(place(1), 1, now).is_ok())
            .count();
        assert_eq!(taken, 20);
        for other in 2..10 {
            assert_eq!(budget.take_at(place(other), 1, now), Ok(()));
        }
        let later = now + Duration::from_millis(500);
        assert_eq!(budget.take_at(place(1), 5, later), Ok(()));
        assert_eq!(budget.take_at(place(1), 1, later), Err(UsedUp));
    }

    #[test]
    fn many_places_have_a_sum() {
        let budget = budget((10, 20), (100, 50));
        let now = Instant::now();
        let taken = (0..1_000)
            .filter(|at| budget.take_at(place(*at), 1, now).is_ok())
            .count();
        assert_eq!(taken, 50);
    }

    #[test]
    fn a_million_addresses_take_no_memory() {
        let budget = budget((1, 2), (u64::MAX / 10_000, u64::MAX / 10_000));
        let now = Instant::now();
        let mut taken = 0;
        // No two of one network.
        for at in 0..20_000 {
            taken += u32::from(budget.take_at(place(at << 8), 2, now).is_ok());
        }
        let remembered = || budget.buckets.lock().unwrap().each.len();
        assert!(remembered() <= PLACES + 1, "{}", remembered());
        assert_eq!(taken, PLACES as u32 + 1, "the rest shares one bucket");
        // Once they have filled again they are forgotten.
        assert!(
            budget
                .take_at(place(1 << 23), 1, now + Duration::from_secs(9))
                .is_ok()
        );
        assert_eq!(remembered(), 1);
    }

    /// Strangers from many addresses used up the bucket that all share who are not known, and a member whose
    /// address was new was told that it had asked too often.
    #[test]
    fn who_is_new_has_used_up_nothing() {
        let budget = budget((1, 2), (u64::MAX / 10_000, u64::MAX / 10_000));
        let now = Instant::now();
        for at in 0..(PLACES as u32 + 9) {
            let _ = budget.take_at(place(at << 8), 2, now);
        }
        let member = Whence::of("203.0.113.9".parse().unwrap());
        assert_eq!(
            budget.take_at(member, 2, now),
            Err(UsedUp),
            "nothing is left of the shared one"
        );
        assert!(budget.has_own(member));
        assert!(
            !budget.has_own(place(1 << 8)),
            "who is known and has used up its own"
        );
    }

    /// The places of one network push out each other and nobody else.
    #[test]
    fn a_wide_network_keeps_itself_out() {
        let budget = budget((1, 2), (u64::MAX / 10_000, u64::MAX / 10_000));
        let now = Instant::now();
        let member = Whence::of("203.0.113.9".parse().unwrap());
        budget.take_at(member, 2, now).unwrap();
        let of_one = |at: u32| Whence::of(format!("2001:db8:1:{at:x}::1").parse().unwrap());
        for at in 0..20_000 {
            budget.take_at(of_one(at), 2, now).unwrap();
        }
        assert_eq!(budget.buckets.lock().unwrap().each.len(), PLACES);
        assert_eq!(
            budget.take_at(member, 1, now),
            Err(UsedUp),
            "it is still known"
        );
    }
}
