//! How old a statement is, by a clock that nobody checks (docs/decisions/0021).

use serde::Serialize;

use crate::client::CLOCK_S;

/// What is said of this machine's clock, where it differs by more than a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "clock", content = "seconds")]
pub enum Clock {
    /// A quorum signed that much later than this clock says that it is now.
    Behind(u64),
    /// A quorum signed something newer than a thing of this machine, and at least that much earlier
    /// by its clocks than by this one.
    Ahead(u64),
    /// The node's own clock, which proves nothing, is that much ahead of this one.
    NodeAhead(u64),
    /// The node's own clock, which proves nothing, is that much behind this one.
    NodeBehind(u64),
}

/// Age of a statement that a quorum stands for since `attested_s`, whether it is stale, and what
/// is said of this machine's clock: `now_s` is its time, `ahead_s` how far it is ahead of the node's.
/// `covers_s` is when that was signed here which the statement covers.
pub(super) fn judge(
    (max_age_s, covers_s): (u64, Option<u64>),
    attested_s: u64,
    now_s: u64,
    ahead_s: Option<i64>,
) -> (u64, bool, Option<Clock>) {
    let much = CLOCK_S.unsigned_abs();
    if attested_s > now_s.saturating_add(much) {
        return (0, false, Some(Clock::Behind(attested_s - now_s)));
    }
    if let Some(signed_s) = covers_s {
        let early = signed_s.saturating_sub(attested_s);
        // No older than what it covers.
        let age_s = now_s.saturating_sub(attested_s.max(signed_s));
        let clock = (early > much).then_some(Clock::Ahead(early));
        return (age_s, age_s > max_age_s, clock);
    }
    let age_s = now_s.saturating_sub(attested_s);
    match ahead_s {
        Some(ahead) if ahead > CLOCK_S => {
            let clock = Clock::NodeBehind(ahead.unsigned_abs());
            (age_s, age_s > max_age_s, Some(clock))
        }
        Some(ahead) if ahead < -CLOCK_S => {
            // The node itself says that it is so much older.
            let behind = ahead.unsigned_abs();
            let age_s = age_s.saturating_add(behind);
            (age_s, age_s > max_age_s, Some(Clock::NodeAhead(behind)))
        }
        _ => (age_s, age_s > max_age_s, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock 3 hours fast made a fresh receipt STALE; one 3 hours slow said '0 s ago'.
    #[test]
    fn a_wrong_clock_is_named_and_decides_nothing() {
        let signed = 1_000_000;
        let hours = |n: u64| 3_600 * n;
        let now = |n: i64| (signed + 5_u64).saturating_add_signed(3_600 * n);
        for (case, covers, hour, node, expected) in [
            ("right", None, 0, Some(0), (5, false, None)),
            (
                "right, no word of the node",
                None,
                0,
                None,
                (5, false, None),
            ),
            ("old", None, 3, Some(0), (hours(3) + 5, true, None)),
            (
                "slow",
                None,
                -3,
                None,
                (0, false, Some(Clock::Behind(10_795))),
            ),
            (
                "fast, and something of ours is in it",
                Some(3),
                3,
                None,
                (0, false, Some(Clock::Ahead(10_805))),
            ),
            (
                "fast, by the node's clock",
                None,
                3,
                Some(3 * 3_600),
                (hours(3) + 5, true, Some(Clock::NodeBehind(10_800))),
            ),
            (
                "an old head that looks new to a slow clock",
                None,
                0,
                Some(-3 * 3_600),
                (hours(3) + 5, true, Some(Clock::NodeAhead(10_800))),
            ),
            (
                "half a minute is nobody's fault",
                None,
                0,
                Some(30),
                (5, false, None),
            ),
        ] {
            let covers = covers.map(now);
            let found = judge((7_200, covers), signed, now(hour), node);
            assert_eq!(found, expected, "{case}");
        }
    }
}
