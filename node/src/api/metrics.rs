//! Totals for Prometheus, in its text format 0.0.4: readings of one moment, without labels.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::Api;
use crate::replica::Status;
use crate::replica_thread::snapshot::Counts;

/// One number and what it is.
#[derive(Debug)]
struct Reading {
    kind: MetricType,
    value: u64,
}

impl EncodeMetric for Reading {
    // A counter, too: what the library calls one gets `_total` after its name in the samples alone,
    // as OpenMetrics has it, while format 0.0.4 has one name throughout.
    fn encode(&self, mut encoder: MetricEncoder) -> Result<(), std::fmt::Error> {
        encoder.encode_gauge(&self.value)
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}

/// What is told.
struct Figures<'a> {
    status: &'a Status,
    counts: Counts,
    receipted: u64,
    stored: u64,
    log_size: u64,
    ledger_time_ms: u64,
    peers: usize,
}

fn render(figures: &Figures) -> String {
    use MetricType::{Counter, Gauge};
    let Figures { status, counts, .. } = figures;
    let mut registry = Registry::with_prefix("rollbook");
    // The library ends each help with a full stop.
    let mut put = |name: &str, kind, help: &str, value| {
        registry.register(name, help, Reading { kind, value });
    };
    put(
        "height",
        Gauge,
        "Height of the newest decided block",
        status.tip.0,
    );
    put(
        "receipted_height",
        Gauge,
        "Height of the newest receipted block",
        figures.receipted,
    );
    put(
        "stored_height",
        Gauge,
        "Height of the newest block in the store",
        figures.stored,
    );
    put("log_size", Gauge, "Leaves in the log", figures.log_size);
    put(
        "ledger_time_ms",
        Gauge,
        "Time of the newest block, milliseconds since 1970",
        figures.ledger_time_ms,
    );
    put(
        "round",
        Gauge,
        "Round of the height under way",
        u64::from(status.round.unwrap_or(0)),
    );
    put(
        "votes",
        Gauge,
        "1 if this node votes",
        u64::from(status.votes),
    );
    put("pool_records", Gauge, "Records waiting", status.pool as u64);
    put(
        "peers_connected",
        Gauge,
        "Peers connected",
        figures.peers as u64,
    );
    put(
        "blocks_total",
        Counter,
        "Blocks decided since the start",
        counts.blocks,
    );
    put(
        "records_total",
        Counter,
        "Records decided since the start",
        counts.records,
    );
    put(
        "admitted_total",
        Counter,
        "Submissions taken",
        counts.admitted,
    );
    put(
        "refused_total",
        Counter,
        "Submissions refused",
        counts.refused,
    );
    put(
        "unsent_total",
        Counter,
        "Messages the network's queue had no room for",
        counts.unsent,
    );
    put(
        "guard_refusals_total",
        Counter,
        "Statements the sign guard refused",
        status.guard_refusals,
    );
    put(
        "clock_off_ms",
        Gauge,
        "How far this machine's clock is off the times of the newest blocks, milliseconds; 0 within bounds",
        if status.out_of_bounds > 0 {
            status.clock_off_ms.unsigned_abs()
        } else {
            0
        },
    );
    put(
        "fork_alarm",
        Gauge,
        "1 if a validator cosigned another history",
        u64::from(status.fork_alarm.is_some()),
    );
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = encode_registry(&mut text, &registry);
    text
}

/// Totals for Prometheus.
#[utoipa::path(
    get,
    path = "/v1/metrics",
    responses((status = 200, description = "Prometheus text", content_type = "text/plain"))
)]
pub async fn metrics(State(api): State<Api>) -> Response {
    let parts = api.parts();
    let mut snapshot = parts.snapshot.borrow().clone();
    let refused = api.limits().all_refused();
    snapshot.counts.refused = snapshot.counts.refused.saturating_add(refused);
    let peers = api.peers().await;
    let text = render(&Figures {
        status: &snapshot.status,
        counts: snapshot.counts,
        receipted: parts.view.receipt().map_or(0, |receipt| receipt.height.0),
        stored: parts.view.height().0,
        log_size: snapshot.seal.checkpoint_size(),
        ledger_time_ms: snapshot.seal.time_ms.0,
        peers: peers.iter().filter(|peer| peer.connected).count(),
    });
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

#[cfg(test)]
mod tests {
    use rollbook_proof::number::{Height, OrganisationId};

    use super::*;
    use crate::replica::Phase;

    /// As it was written before a library wrote it.
    const TEXT: &str = "\
# HELP rollbook_height Height of the newest decided block.
# TYPE rollbook_height gauge
rollbook_height 7
# HELP rollbook_receipted_height Height of the newest receipted block.
# TYPE rollbook_receipted_height gauge
rollbook_receipted_height 6
# HELP rollbook_stored_height Height of the newest block in the store.
# TYPE rollbook_stored_height gauge
rollbook_stored_height 5
# HELP rollbook_log_size Leaves in the log.
# TYPE rollbook_log_size gauge
rollbook_log_size 40
# HELP rollbook_ledger_time_ms Time of the newest block, milliseconds since 1970.
# TYPE rollbook_ledger_time_ms gauge
rollbook_ledger_time_ms 1700000000000
# HELP rollbook_round Round of the height under way.
# TYPE rollbook_round gauge
rollbook_round 2
# HELP rollbook_votes 1 if this node votes.
# TYPE rollbook_votes gauge
rollbook_votes 1
# HELP rollbook_pool_records Records waiting.
# TYPE rollbook_pool_records gauge
rollbook_pool_records 3
# HELP rollbook_peers_connected Peers connected.
# TYPE rollbook_peers_connected gauge
rollbook_peers_connected 4
# HELP rollbook_blocks_total Blocks decided since the start.
# TYPE rollbook_blocks_total counter
rollbook_blocks_total 11
# HELP rollbook_records_total Records decided since the start.
# TYPE rollbook_records_total counter
rollbook_records_total 12
# HELP rollbook_admitted_total Submissions taken.
# TYPE rollbook_admitted_total counter
rollbook_admitted_total 13
# HELP rollbook_refused_total Submissions refused.
# TYPE rollbook_refused_total counter
rollbook_refused_total 14
# HELP rollbook_unsent_total Messages the network's queue had no room for.
# TYPE rollbook_unsent_total counter
rollbook_unsent_total 15
# HELP rollbook_guard_refusals_total Statements the sign guard refused.
# TYPE rollbook_guard_refusals_total counter
rollbook_guard_refusals_total 16
# HELP rollbook_clock_off_ms How far this machine's clock is off the times of the newest blocks, milliseconds; 0 within bounds.
# TYPE rollbook_clock_off_ms gauge
rollbook_clock_off_ms 0
# HELP rollbook_fork_alarm 1 if a validator cosigned another history.
# TYPE rollbook_fork_alarm gauge
rollbook_fork_alarm 1
";

    #[test]
    fn names_types_help_and_numbers_are_those_that_monitoring_knows() {
        let status = Status {
            tip: Height(7),
            phase: Phase::Running,
            round: Some(2),
            votes: true,
            votes_from: Height(0),
            body_missing: None,
            out_of_bounds: 0,
            clock_off_ms: 0,
            clock_seen_s: 0,
            guard_refusals: 16,
            fork_alarm: Some((OrganisationId(3), Height(4))),
            foreign_statement: None,
            parked: 0,
            wanted: false,
            turn: None,
            since: (0, None),
            restored: Default::default(),
            pool: 3,
            receipted: Height(6),
        };
        let text = render(&Figures {
            status: &status,
            counts: Counts {
                admitted: 13,
                refused: 14,
                records: 12,
                blocks: 11,
                unsent: 15,
            },
            receipted: 6,
            stored: 5,
            log_size: 40,
            ledger_time_ms: 1_700_000_000_000,
            peers: 4,
        });
        assert_eq!(text, TEXT);
    }
}
