//! Whom a request is counted under, and what may be held at once in all and by one of them: places of
//! connections, event streams, bytes of large bodies and answers (RULINGS A49).
//!
//! * A [`Whence`] is an address; of IPv6 the /64, because whoever has one address of it has all.
//! * What is held is given back when it is dropped. Nothing is remembered of who holds nothing.
//!
//! Absent: rates ([`super::budget`]).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

/// Bits of an IPv6 address that say whose it is.
const WHOSE: u128 = !(u64::MAX as u128);
/// Bits of the network around it.
const WIDER_V6: u128 = u128::MAX << 80;
const WIDER_V4: u32 = u32::MAX << 8;

/// Whom a request is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whence(IpAddr);

impl Whence {
    /// Of an address.
    pub fn of(address: IpAddr) -> Whence {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                Whence(IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & WHOSE)))
            }
            address => Whence(address),
        }
    }

    /// The network around it, which one guest may well have as a whole: of IPv6 the /48, of IPv4 the /24.
    pub fn wider(self) -> Whence {
        let Whence(address) = self;
        Whence(match address {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & WIDER_V6).into(),
            IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & WIDER_V4).into(),
        })
    }

    /// From the first to the last place of [`Whence::wider`].
    pub(super) fn neighbours(self) -> RangeInclusive<Whence> {
        let Whence(first) = self.wider();
        let last = match first {
            IpAddr::V6(first) => Ipv6Addr::from_bits(first.to_bits() | !WIDER_V6).into(),
            IpAddr::V4(first) => Ipv4Addr::from_bits(first.to_bits() | !WIDER_V4).into(),
        };
        Whence(first)..=Whence(last)
    }
}

/// Something of which there is so much in all, and so much for one place.
#[derive(Debug)]
pub struct Shares<K: Copy + Ord = Whence> {
    most: u64,
    of_one: u64,
    held: Mutex<(u64, BTreeMap<K, u64>)>,
}

/// A share; given back when dropped.
#[derive(Debug)]
pub struct Share<K: Copy + Ord = Whence> {
    shares: Arc<Shares<K>>,
    place: K,
    amount: u64,
    of_one: u64,
}

impl<K: Copy + Ord> Shares<K> {
    /// So much in all, so much for one place.
    pub fn new(most: u64, of_one: u64) -> Arc<Shares<K>> {
        Arc::new(Shares {
            most,
            of_one,
            held: Mutex::new((0, BTreeMap::new())),
        })
    }

    /// Takes a share, if there is one left.
    pub fn take(self: &Arc<Shares<K>>, place: K, amount: u64) -> Option<Share<K>> {
        self.take_of(place, amount, self.of_one)
    }

    /// The same for a place that may have all of it, such as a proxy that many stand behind.
    pub fn take_any(self: &Arc<Shares<K>>, place: K, amount: u64) -> Option<Share<K>> {
        self.take_of(place, amount, self.most)
    }

    fn take_of(self: &Arc<Shares<K>>, place: K, amount: u64, of_one: u64) -> Option<Share<K>> {
        self.add(place, amount, of_one).then(|| Share {
            shares: self.clone(),
            place,
            amount,
            of_one,
        })
    }

    fn add(&self, place: K, amount: u64, of_one: u64) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, by_place) = &mut *held;
        let here = by_place.get(&place).copied().unwrap_or(0);
        let (Some(new_all), Some(new_here)) = (all.checked_add(amount), here.checked_add(amount))
        else {
            return false;
        };
        if new_all > self.most || new_here > of_one {
            return false;
        }
        *all = new_all;
        by_place.insert(place, new_here);
        true
    }

    fn give_back(&self, place: K, amount: u64) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, by_place) = &mut *held;
        *all = all.saturating_sub(amount);
        match by_place.get_mut(&place) {
            Some(here) if *here > amount => *here -= amount,
            _ => drop(by_place.remove(&place)),
        }
    }
}

impl<K: Copy + Ord> Share<K> {
    /// Takes so much more of the same; false if there is not so much left.
    pub fn grow(&mut self, amount: u64) -> bool {
        let added = self.shares.add(self.place, amount, self.of_one);
        if added {
            self.amount = self.amount.saturating_add(amount);
        }
        added
    }
}

impl<K: Copy + Ord> Drop for Share<K> {
    fn drop(&mut self) {
        self.shares.give_back(self.place, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Whence {
        Whence::of(text.parse().unwrap())
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let shares = Shares::new(10, 4);
        let far = place("192.0.2.7");
        let mut held: Vec<Share> = (0..4).map(|_| shares.take(far, 1).unwrap()).collect();
        assert!(shares.take(far, 1).is_none(), "one address has its share");
        let proxy = place("127.0.0.1");
        held.extend((4..10).map(|_| shares.take_any(proxy, 1).unwrap()));
        assert!(shares.take_any(proxy, 1).is_none(), "the house is full");
        held.clear();
        assert!(shares.take(far, 4).is_some());
        assert!(shares.held.lock().unwrap().1.is_empty());
    }

    #[test]
    fn a_share_grows_and_is_given_back_as_a_whole() {
        let shares = Shares::new(10, 6);
        let here = place("::1");
        let mut share = shares.take(here, 2).unwrap();
        assert!(share.grow(4));
        assert!(!share.grow(1));
        drop(share);
        assert_eq!(shares.held.lock().unwrap().0, 0);
        assert!(shares.take(here, 6).is_some());
    }

    /// Whoever had one address of IPv6 had 2^64 of them, each with places of its own.
    #[test]
    fn addresses_of_one_network_are_one_place() {
        let shares = Shares::new(1_024, 64);
        let held: Vec<Option<Share>> = (0..200)
            .map(|at| shares.take(place(&format!("2001:db8:1:2::{at:x}")), 1))
            .collect();
        assert_eq!(held.iter().flatten().count(), 64);
        assert!(shares.take(place("2001:db8:1:3::1"), 1).is_some());
        assert_eq!(place("::ffff:192.0.2.7"), place("192.0.2.7"));
        assert_ne!(place("::ffff:192.0.2.7"), place("::ffff:192.0.2.8"));
    }
}
