//! The rule version that never ships (RULINGS A27, A63): by it the way of an upgrade stays tested
//! while there is only one version.
//!
//! Only the package in `tests/planted`, outside the workspace, enables the feature `planted`. What
//! the version changes is harmless: it adds an order filed in the name of [`MARK`].
//!
//! One fault of the rules is here, too: the floors that an amendment is not asked for (RULINGS R37).
//!
//! Absent on purpose: faults of a node; those are in the node's own `planted`.

/// Stands in every program that was built with the feature `planted`, and in no other.
pub const MARK: &str = "This program has planted faults and a rule version that never ships.";

#[cfg(feature = "planted")]
use rollbook_proof::number::ProtocolVersion;

/// The version that never ships.
#[cfg(feature = "planted")]
pub const VERSION: ProtocolVersion = ProtocolVersion(2);

/// [`MARK`], read from the program's memory: no compiler takes it apart, so that whoever searches
/// the file finds it.
#[cfg(feature = "planted")]
pub fn mark() -> &'static str {
    std::hint::black_box(MARK)
}

#[cfg(feature = "planted")]
static FLOOR_UNASKED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Plants the fault that no amendment is asked for the floors, or takes it out again.
#[cfg(feature = "planted")]
pub fn plant_floor_unasked(planted: bool) {
    FLOOR_UNASKED.store(planted, std::sync::atomic::Ordering::SeqCst);
}

/// Whether no amendment is asked for the floors: a fault, planted by the suites.
#[cfg(feature = "planted")]
pub(crate) fn floor_unasked() -> bool {
    FLOOR_UNASKED.load(std::sync::atomic::Ordering::SeqCst)
}

/// Whether no amendment is asked for the floors: never.
#[cfg(not(feature = "planted"))]
pub(crate) const fn floor_unasked() -> bool {
    false
}

/// The first version that has an order of this authority.
#[cfg(feature = "planted")]
pub fn since(authority: &str) -> ProtocolVersion {
    if authority == mark() {
        VERSION
    } else {
        ProtocolVersion(1)
    }
}

/// Whether a key that was revoked goes on signing: a planted fault (RULINGS A62). Nothing without the
/// feature can switch it on.
#[cfg(not(feature = "planted"))]
pub(crate) fn revoked_key_signs() -> bool {
    false
}

#[cfg(feature = "planted")]
thread_local! {
    static REVOKED_KEY_SIGNS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[cfg(feature = "planted")]
pub(crate) fn revoked_key_signs() -> bool {
    REVOKED_KEY_SIGNS.get()
}

/// Switches that fault on or off, for the ledgers of this thread.
#[cfg(feature = "planted")]
pub fn let_revoked_keys_sign(on: bool) {
    REVOKED_KEY_SIGNS.set(on);
}
