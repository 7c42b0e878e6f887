//! The node's clock: real time, or the stepped time of a sample chain (RULINGS A5).
//!
//! A sample clock is a stored distance from real time: it runs on while the node is down, so that
//! nodes that were stepped alike agree after any restart. A step is durable before it is used. Wall
//! chains have no such command.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rollbook_proof::log::Clock;
use rollbook_proof::number::LedgerTime;

use crate::failure::Failure;
use crate::files;
use crate::files::Access;

/// A step of a sample clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Forward by so many milliseconds.
    ByMs(u64),
    /// Forward to this instant, milliseconds since 1970.
    ToMs(u64),
}

/// The clock of one node.
#[derive(Debug)]
pub struct NodeClock {
    kind: Clock,
    file: PathBuf,
    /// Ledger time minus real time.
    distance_ms: AtomicI64,
    step: Mutex<()>,
}

/// Milliseconds since 1970 by the machine's clock.
pub fn real_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| {
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        })
}

impl NodeClock {
    /// Opens the clock of a chain; on a sample chain from its file, which is made at the opening
    /// time of the chain if missing.
    pub fn open(kind: Clock, folder: &Path, opened_ms: LedgerTime) -> Result<NodeClock, Failure> {
        let file = folder.join("clock");
        let clock = NodeClock {
            kind,
            file,
            distance_ms: AtomicI64::new(0),
            step: Mutex::new(()),
        };
        if kind == Clock::Wall {
            clock.distance_ms.store(wrong_by(), Ordering::Release);
            return Ok(clock);
        }
        match std::fs::read_to_string(&clock.file) {
            Ok(text) => {
                let distance = text.trim().parse::<i64>().map_err(|error| {
                    let next = "write the distance in milliseconds that the other nodes have, or \
                                copy their file";
                    Failure::file("the clock file is damaged:", &clock.file, error, next)
                })?;
                clock.distance_ms.store(distance, Ordering::Release);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let distance = signed(opened_ms.0) - signed(real_ms());
                clock.write(distance)?;
            }
            Err(error) => {
                return Err(Failure::file(
                    "cannot read the clock file",
                    &clock.file,
                    error,
                    "check its permissions",
                ));
            }
        }
        Ok(clock)
    }

    /// Writes the clock file of a new sample node, so that several start alike.
    pub fn prepare(folder: &Path, distance_ms: i64) -> std::io::Result<()> {
        files::replace(
            &folder.join("clock"),
            format!("{distance_ms}\n").as_bytes(),
            Access::Everybody,
        )
        .map_err(Into::into)
    }

    /// Wall or sample.
    pub fn kind(&self) -> Clock {
        self.kind
    }

    /// Now, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        real_ms().saturating_add_signed(self.distance_ms.load(Ordering::Acquire))
    }

    /// Steps a sample clock forward; returns its new time.
    pub fn step(&self, step: Step) -> Result<u64, Failure> {
        if self.kind == Clock::Wall {
            return Err(Failure::new(
                "the clock was not stepped",
                "this chain runs on real time",
                "use a sample chain for that",
            ));
        }
        let _one = self
            .step
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.now_ms();
        let by = match step {
            Step::ByMs(by) => by,
            Step::ToMs(to) => to.checked_sub(now).ok_or_else(|| {
                Failure::new(
                    "the clock was not stepped",
                    format!("{to} is before {now}"),
                    "name a later instant: clocks only go forward",
                )
            })?,
        };
        let distance = self
            .distance_ms
            .load(Ordering::Acquire)
            .checked_add(signed(by))
            .filter(|d| *d < 100 * 366 * 86_400_000);
        let distance = distance.ok_or_else(|| {
            Failure::new(
                "the clock was not stepped",
                "the step is longer than a century",
                "name a nearer instant",
            )
        })?;
        self.write(distance)?;
        Ok(self.now_ms())
    }

    fn write(&self, distance: i64) -> Result<(), Failure> {
        files::replace(
            &self.file,
            format!("{distance}\n").as_bytes(),
            Access::Everybody,
        )
        .map_err(|error| {
            Failure::file(
                "cannot write the clock file",
                &self.file,
                error,
                "check the disk",
            )
        })?;
        self.distance_ms.store(distance, Ordering::Release);
        Ok(())
    }
}

/// How wrong a real clock is on purpose: never, unless a fault is planted.
fn wrong_by() -> i64 {
    #[cfg(feature = "planted")]
    if let Some(crate::planted::Planted::WrongClock { by_ms }) = crate::planted::of_process() {
        return by_ms;
    }
    0
}

/// What is to be said if the newest block of a wall chain lies further ahead of `now_ms` than the
/// charter's bound: only a clock that is behind shows before other nodes have spoken.
pub fn behind_the_chain(ledger: &rollbook_core::ledger::Ledger, now_ms: u64) -> Option<String> {
    let charter = ledger
        .charter()
        .filter(|charter| charter.clock == Clock::Wall)?;
    let by = ledger
        .tip()
        .seal
        .time_ms
        .0
        .checked_sub(now_ms)
        .filter(|by| *by > charter.chain.ahead_ms)?;
    Some(format!(
        "this machine's clock is {} s behind the newest block",
        by / 1_000
    ))
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_kept_and_goes_forward_only() {
        let folder = tempfile::tempdir().unwrap();
        let opened = 1_687_917_600_000;
        let clock = NodeClock::open(Clock::Sample, folder.path(), LedgerTime(opened)).unwrap();
        let start = clock.now_ms();
        assert!(start >= opened && start < opened + 60_000);
        let after = clock.step(Step::ByMs(7 * 86_400_000)).unwrap();
        assert!(after >= start + 7 * 86_400_000);
        assert!(
            clock
                .step(Step::ToMs(start))
                .unwrap_err()
                .to_string()
                .contains("forward")
        );
        assert!(clock.step(Step::ByMs(u64::MAX)).is_err());
        let again = NodeClock::open(Clock::Sample, folder.path(), LedgerTime(opened)).unwrap();
        assert!(again.now_ms() >= after);
        let wall = NodeClock::open(Clock::Wall, folder.path(), LedgerTime(opened)).unwrap();
        assert!(wall.step(Step::ByMs(1)).is_err());
        std::fs::write(folder.path().join("clock"), "soon").unwrap();
        assert!(
            NodeClock::open(Clock::Sample, folder.path(), LedgerTime(opened))
                .unwrap_err()
                .to_string()
                .contains("damaged")
        );
    }
}
