//! Node keys that no node has used yet.
//!
//! A node that signs with new keys may vote at once; one whose keys may have signed elsewhere has to
//! ask its peers first (RULINGS A8, A41). `keys new --node` leaves a mark beside the keys, `node init`
//! takes it away. The mark names the key file by its inode: a copy of the folder, a backup, or keys
//! carried to another machine have no mark that holds, and their node asks, which is always safe.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::files;

/// The mark's file.
const MARK: &str = "unused";

/// What the mark holds: which file the consensus key is.
fn identity(folder: &Path) -> std::io::Result<String> {
    let key = std::fs::metadata(folder.join("consensus.key"))?;
    Ok(format!("inode {}\n", key.ino()))
}

fn path(folder: &Path) -> PathBuf {
    folder.join(MARK)
}

/// Leaves the mark beside keys that were made just now.
pub fn mark(folder: &Path) -> Result<(), Failure> {
    let text = identity(folder).map_err(|error| files::cannot_read(folder, &error))?;
    files::write_new(&path(folder), text.as_bytes(), true)
}

/// Takes the mark away, durably; true if it held. Only then may what it allowed be done.
pub fn take(folder: &Path) -> Result<bool, Failure> {
    let path = path(folder);
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Ok(false);
    };
    let held = identity(folder).is_ok_and(|identity| identity == text);
    std::fs::remove_file(&path)
        .and_then(|()| std::fs::File::open(folder)?.sync_all())
        .map_err(|error| files::cannot_write(&path, &error))?;
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys may vote at once where they were made, once; a copy of their folder never.
    #[test]
    fn the_mark_holds_once_and_in_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let [made, copy] = ["made", "copy"].map(|name| folder.path().join(name));
        for folder in [&made, &copy] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("consensus.key"), "key").unwrap();
        }
        mark(&made).unwrap();
        std::fs::copy(path(&made), path(&copy)).unwrap();
        assert!(!take(&copy).unwrap());
        assert!(take(&made).unwrap());
        assert!(!take(&made).unwrap());
    }
}
