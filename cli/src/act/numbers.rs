//! Numbers of records (RULINGS A59): taken under a lock of the keystore, and written down before
//! anything is signed with them.
//!
//! * The next number is one more than the highest of what a node tells (its log, its pool, its papers)
//!   and of what this keystore gave out before. So two terminals never take one number, and neither
//!   does a record that waits for signatures and one that is handed in meanwhile.
//! * A number that was taken and not used is a gap; the ledger allows gaps.
//! * A keystore that cannot be written, on a read-only stick say, leaves its numbers beside what was
//!   verified of the alliance.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rollbook_proof::chain::ReadClass;
use rollbook_proof::crypto::Hash;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, UNWRITTEN};
use crate::files::{lock_file, make_folder, replace_secret};
use crate::flags::Global;
use crate::keystore::Keystore;
use crate::output::word;
use crate::profile::Profiles;

/// The highest numbers given out, by alliance and lane.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Given(BTreeMap<String, BTreeMap<String, u64>>);

/// How far a node's word may be above the highest number that was given out here before another node, or the
/// user, is asked (RULINGS A46).
pub const JUMP: u64 = 256;

/// The highest number that was given out here for a person in a lane; 0 if none was.
pub fn highest(
    global: &Global,
    keystore: &Keystore,
    chain: &Hash,
    (person, lane): (u32, ReadClass),
) -> u64 {
    let beside = Profiles::of(global).verified(chain);
    let folders = [keystore.folder(), beside.as_path()];
    let given = folders.map(|folder| {
        let given = read(&folder.join(format!("{person:04}.numbers.toml")));
        let lanes = given.0.get(&chain.to_hex());
        lanes.and_then(|lanes| lanes.get(&word(lane)).copied())
    });
    given.into_iter().flatten().max().unwrap_or(0)
}

/// Takes `count` numbers in a row of a person in a lane; the first of them. `told` is the next one by
/// a node's word.
pub fn take(
    global: &Global,
    keystore: &Keystore,
    chain: &Hash,
    (person, lane): (u32, ReadClass),
    (told, count): (u64, u64),
) -> Result<u64, Failure> {
    let take = |folder: &Path| taken(folder, chain, (person, lane), (told, count));
    match take(keystore.folder()) {
        Err(failure) if failure.exit == UNWRITTEN => take(&Profiles::of(global).verified(chain)),
        taken => taken,
    }
}

fn taken(
    folder: &Path,
    chain: &Hash,
    (person, lane): (u32, ReadClass),
    (told, count): (u64, u64),
) -> Result<u64, Failure> {
    make_folder(folder)?;
    let _lock = lock_file(&folder.join(format!("{person:04}.numbers.lock")))?;
    let file = folder.join(format!("{person:04}.numbers.toml"));
    let mut given = read(&file);
    let lanes = given.0.entry(chain.to_hex()).or_default();
    let highest = lanes.entry(word(lane)).or_default();
    let first = told.max(highest.saturating_add(1));
    *highest = first.saturating_add(count.saturating_sub(1));
    let text = toml::to_string(&given).unwrap_or_default();
    replace_secret(&file, text.as_bytes())?;
    Ok(first)
}

/// What was given out; a file that cannot be read is none: the node refuses a number that is taken.
fn read(file: &PathBuf) -> Given {
    let text = std::fs::read_to_string(file).ok();
    text.and_then(|text| toml::from_str(&text).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_given_out_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (path, chain) = (folder.path(), Hash::ZERO);
        let public = (7, ReadClass::Public);
        assert_eq!(taken(path, &chain, public, (2, 1)).unwrap(), 2);
        // The node knows of nothing: what was given out counts all the same.
        assert_eq!(taken(path, &chain, public, (2, 3)).unwrap(), 3);
        assert_eq!(taken(path, &chain, public, (2, 1)).unwrap(), 6);
        // Another desk of the same officer went on.
        assert_eq!(taken(path, &chain, public, (20, 1)).unwrap(), 20);
        // Lanes, persons and alliances number for themselves.
        assert_eq!(
            taken(path, &chain, (7, ReadClass::Members), (2, 1)).unwrap(),
            2
        );
        assert_eq!(
            taken(path, &chain, (8, ReadClass::Public), (1, 1)).unwrap(),
            1
        );
        assert_eq!(taken(path, &Hash([1; 32]), public, (5, 1)).unwrap(), 5);
        let given: std::collections::BTreeSet<u64> = std::thread::scope(|scope| {
            let one = || taken(path, &chain, public, (2, 1)).unwrap();
            let threads: Vec<_> = (0..40).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(given, (21..61).collect());
        // A file that is damaged stops nobody.
        std::fs::write(path.join("0007.numbers.toml"), "x").unwrap();
        assert_eq!(taken(path, &chain, public, (61, 1)).unwrap(), 61);
    }
}
