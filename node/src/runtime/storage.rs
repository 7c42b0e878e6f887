//! Whether a new sign guard may be used at once (RULINGS A8).
//!
//! The guard says it itself: its floor is 0 until somebody has raised it. A folder whose keys were
//! made together with it holds a marker; its first guard is raised to 1 before anything is signed,
//! and the marker goes. Every other new guard stays at 0 until the replica's peers have proved what
//! may have been signed.

use std::path::Path;

use rollbook_proof::number::Height;

use crate::failure::Failure;
use crate::journal::Journal;

/// Marker: the keys of this folder were made together with it.
pub const FRESH: &str = "fresh";

/// Settles the guard of an opened journal; true if it may be used at once.
pub fn settle_guard(data: &Path, journal: &mut Journal) -> Result<bool, Failure> {
    let fresh = data.join(FRESH);
    let failed = |error: std::io::Error| {
        Failure::file("cannot remove the marker", &fresh, error, "check the disk")
    };
    if fresh.exists() {
        // First the guard, then the marker: a crash between the two leaves a marker beside a guard
        // that is used already, and raising to 1 again changes nothing.
        if journal.tip() == Height(0) && journal.high_water().slot.is_none() {
            journal.raise_guard(Height(1))?;
            journal.sync()?;
        }
        std::fs::remove_file(&fresh).map_err(failed)?;
        std::fs::File::open(data)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
    }
    Ok(journal.high_water().floor > Height(0))
}
