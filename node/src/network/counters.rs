//! What the network counts. Totals since start; the shell turns a snapshot into metrics.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        /// A snapshot of the network's counters. Totals since start, except the gauges, which say
        /// so.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[$meta])* pub $name: u64,)* }

        /// The live counters.
        #[derive(Debug, Default)]
        pub(super) struct Live { $(pub(super) $name: Count,)* }

        impl Live {
            pub(super) fn snapshot(&self) -> Counters {
                Counters { $($name: self.$name.get(),)* }
            }
        }
    };
}

counters! {
    /// Gauge: peers connected now.
    peers_connected,
    /// Connections accepted or made.
    connections_opened,
    /// Connections ended.
    connections_closed,
    /// Inbound connections refused because the key is not in the allow-list.
    refused_strangers,
    /// Inbound connections refused before any handshake: too many from one address or in all.
    refused_handshakes,
    /// Inbound connections refused or lost for another reason during the handshake.
    failed_handshakes,
    /// Dials begun.
    dials,
    /// Dials that failed.
    dials_failed,
    /// Messages handed to gossip.
    published,
    /// Messages not published: the same bytes went out or came in a moment ago.
    published_duplicate,
    /// Messages not published: no peer is subscribed.
    published_to_nobody,
    /// Messages not published: every peer's queue is full.
    published_queue_full,
    /// Gossip messages given to the shell.
    gossip_received,
    /// Bytes of gossip messages given to the shell.
    gossip_bytes,
    /// Gossip messages dropped because the shell lags behind.
    gossip_dropped_lagging,
    /// Gossip messages dropped because their sender is over its rates or not entitled.
    gossip_dropped_limited,
    /// Gossip messages that the shell rejected.
    gossip_rejected,
    /// Gossip messages of a wrong form (signed, oversized for their topic).
    gossip_malformed,
    /// Verdicts dropped because the command queue was full.
    verdicts_dropped,
    /// Requests received and given to the shell.
    requests_received,
    /// Requests answered busy: the shell lags, or too many are unanswered.
    requests_busy,
    /// Requests refused: the sender is over its rates.
    requests_limited,
    /// Requests that were oversized, cut short or timed out while being read or answered.
    requests_failed,
    /// Responses handed to the wire.
    responses_sent,
    /// Bytes of those responses.
    response_bytes,
    /// Requests sent to peers.
    requests_sent,
    /// Requests sent that were not answered with data, for whatever reason.
    requests_unanswered,
    /// Peers cut off for exceeding their limits.
    peers_cut_off,
}

/// One counter.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn one(&self) {
        self.add(1);
    }

    pub(super) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
