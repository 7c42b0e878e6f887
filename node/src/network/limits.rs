//! Every number the network layer promises to keep, and the token bucket that keeps the rates.
//!
//! A bucket is given the time by its caller, so tests need no clock. Nothing here waits: a rate
//! that is used up is an answer.

use std::time::{Duration, Instant};

/// Peers in one allow-list at most. An alliance has tens of members; more is a mistake of the
/// caller.
pub const MAX_ALLOWED_PEERS: usize = 256;
/// Addresses kept for one peer at most.
pub const MAX_ADDRESSES_PER_PEER: usize = 8;

/// Rates granted to one peer. A peer that exceeds one is refused, and cut off when it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests per second, all protocols together.
    pub requests: Rate,
    /// Bytes of requests received per second.
    pub request_bytes: Rate,
    /// Bytes of responses served per second.
    pub served_bytes: Rate,
    /// Gossip messages and control entries received per second, duplicates included.
    pub gossip_messages: Rate,
    /// Bytes of gossip messages received per second, duplicates included.
    pub gossip_bytes: Rate,
    /// Refusals a peer may collect before it is cut off.
    pub strikes: Rate,
}

/// A sustained rate and how much may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tokens added per second.
    pub per_second: u32,
    /// Tokens held at most.
    pub burst: u32,
}

impl Rate {
    /// A rate of `per_second` with at most `burst` at once.
    pub const fn new(per_second: u32, burst: u32) -> Rate {
        Rate { per_second, burst }
    }
}

/// All limits of a node. The defaults fit an alliance of 24 members with 13 validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For peers of role `Validator`.
    pub validator: Rates,
    /// For peers of the other roles: registered members that catch up (RULINGS A24).
    pub other: Rates,
    /// Established connections, all peers together.
    pub connections: u32,
    /// Inbound handshakes under way, all addresses together.
    pub pending_inbound: u32,
    /// Time for a connection to pass its handshakes.
    pub handshake_timeout: Duration,
    /// Inbound handshakes begun per source address.
    pub handshakes_per_address: Rate,
    /// Inbound handshakes begun, all addresses outside the allow-list together.
    pub handshakes_from_strangers: Rate,
    /// Raw bytes read per second on one connection; above it the sender is held back, not refused.
    pub connection_bytes: Rate,
    /// How long a cut-off peer stays out.
    pub cooling: Duration,
    /// Events waiting for the shell.
    pub event_queue: usize,
    /// Bytes of gossip and requests waiting for the shell.
    pub event_bytes: usize,
    /// Commands waiting for the swarm.
    pub command_queue: usize,
    /// Bytes of published messages and requests waiting for the swarm.
    pub command_bytes: usize,
    /// Requests from peers that the shell has not answered yet, all peers together.
    pub unanswered: usize,
}

const KIB: u32 = 1024;
const MIB: u32 = 1024 * 1024;

impl Default for Limits {
    fn default() -> Limits {
        let validator = Rates {
            requests: Rate::new(200, 400),
            request_bytes: Rate::new(4 * MIB, 8 * MIB),
            served_bytes: Rate::new(32 * MIB, 64 * MIB),
            // Each of 13 validators may relay the votes of all others: 10 heights a second are 260
            // messages a second.
            gossip_messages: Rate::new(5_000, 10_000),
            // 20,000 records a second of 350 bytes are 7 MB.
            gossip_bytes: Rate::new(16 * MIB, 32 * MIB),
            strikes: Rate::new(5, 200),
        };
        let other = Rates {
            requests: Rate::new(50, 100),
            request_bytes: Rate::new(MIB, 2 * MIB),
            served_bytes: Rate::new(16 * MIB, 32 * MIB),
            ..validator
        };
        Limits {
            validator,
            other,
            connections: MAX_ALLOWED_PEERS as u32 + 16,
            pending_inbound: 64,
            handshake_timeout: Duration::from_secs(10),
            handshakes_per_address: Rate::new(10, 100),
            handshakes_from_strangers: Rate::new(20, 100),
            connection_bytes: Rate::new(64 * MIB, 32 * MIB),
            cooling: Duration::from_secs(30),
            event_queue: 2_048,
            event_bytes: 32 * 1024 * KIB as usize,
            command_queue: 1_024,
            command_bytes: 32 * 1024 * KIB as usize,
            unanswered: 256,
        }
    }
}

/// A token bucket. Counts millionths of a token, so that slow rates do not round to nothing.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    rate: Rate,
    millionths: i64,
    last: Instant,
}

const MILLION: i64 = 1_000_000;

impl TokenBucket {
    /// A full bucket.
    pub(super) fn new(rate: Rate, now: Instant) -> TokenBucket {
        TokenBucket {
            rate,
            millionths: i64::from(rate.burst) * MILLION,
            last: now,
        }
    }

    fn refill(&mut self, now: Instant) {
        // One token a second is one millionth a microsecond. A thousand seconds fill any bucket of
        // use and cannot overflow.
        let elapsed = now
            .saturating_duration_since(self.last)
            .as_micros()
            .min(1_000_000_000) as i64;
        if elapsed > 0 {
            self.last = now;
            let gained = elapsed.saturating_mul(i64::from(self.rate.per_second));
            self.millionths = self
                .millionths
                .saturating_add(gained)
                .min(i64::from(self.rate.burst) * MILLION);
        }
    }

    /// Takes `count` tokens, or nothing if there are fewer.
    pub(super) fn take(&mut self, count: usize, now: Instant) -> bool {
        self.refill(now);
        let cost = i64::try_from(count)
            .unwrap_or(i64::MAX)
            .saturating_mul(MILLION);
        if cost > self.millionths {
            return false;
        }
        self.millionths -= cost;
        true
    }

    /// Takes `count` tokens even if this leaves a debt: for sizes known only afterwards.
    pub(super) fn spend(&mut self, count: usize, now: Instant) {
        self.refill(now);
        let cost = i64::try_from(count)
            .unwrap_or(i64::MAX)
            .saturating_mul(MILLION);
        self.millionths = self.millionths.saturating_sub(cost);
    }

    /// Whether anything is left.
    pub(super) fn has_any(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.millionths > 0
    }

    /// Whether the bucket is as good as new, so that forgetting it changes nothing.
    pub(super) fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.millionths >= i64::from(self.rate.burst) * MILLION
    }

    /// How long until the debt is paid; zero if there is none.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        self.refill(now);
        if self.millionths > 0 {
            return Duration::ZERO;
        }
        let micros = self.millionths.unsigned_abs() / u64::from(self.rate.per_second.max(1));
        Duration::from_micros(micros.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn burst_then_rate_then_debt() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Rate::new(10, 20), start);
        assert!(bucket.take(20, start));
        assert!(!bucket.take(1, start));
        assert!(bucket.take(10, start + Duration::from_secs(1)));
        assert!(!bucket.take(1, start + Duration::from_secs(1)));
        bucket.spend(30, start + Duration::from_secs(2));
        assert!(!bucket.has_any(start + Duration::from_secs(2)));
        assert!(bucket.wait(start + Duration::from_secs(2)) > Duration::from_millis(1_999));
        assert!(bucket.has_any(start + Duration::from_secs(5)));
        assert!(bucket.is_full(start + Duration::from_secs(60)));
        // Time that runs backwards gives nothing and takes nothing.
        assert!(bucket.take(20, start));
        assert!(!bucket.take(1, start));
    }

    proptest! {
        /// Over any sequence of attempts a bucket never grants more than its burst plus its rate
        /// times the time.
        #[test]
        fn never_grants_more_than_promised(
            per_second in 1u32..1000, burst in 0u32..1000,
            steps in proptest::collection::vec((0u64..2_000_000, 0usize..300), 1..200),
        ) {
            let start = Instant::now();
            let mut bucket = TokenBucket::new(Rate::new(per_second, burst), start);
            let (mut now, mut granted) = (start, 0u64);
            for (micros, count) in steps {
                now += Duration::from_micros(micros);
                if bucket.take(count, now) {
                    granted += count as u64;
                }
            }
            let elapsed = now.duration_since(start).as_micros() as u64;
            let most = u64::from(burst) * 1_000_000 + elapsed * u64::from(per_second);
            prop_assert!(granted * 1_000_000 <= most);
        }
    }
}
