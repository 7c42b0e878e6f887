//! Where a reader keeps what it verified of an alliance, so that the next reading begins there.
//!
//! * A name is a relative path with `/`, such as `head.json` or `alarms/fork-12-ab34.json`.
//! * What is kept is verified again when it is read; a keep need not be trusted, but it must not
//!   forget: with an empty keep a fork of yesterday is not seen.
//! * Absent: files. A program that outlives its process brings its own [`Keep`].

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::client::Cause;

/// A place for bytes by name.
pub trait Keep: Send + Sync {
    /// The bytes under a name, if there are any.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause>;

    /// Puts bytes under a name, in place of what was there. They are kept when this returns.
    fn store(&self, name: &str, bytes: &[u8]) -> Result<(), Cause>;

    /// Where a person finds the bytes under a name: for messages.
    fn place(&self, name: &str) -> String {
        name.to_owned()
    }
}

/// Keeps in memory, as long as the process runs.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Memory {
    /// Nothing kept yet.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Names under which something is kept, in order.
    pub fn names(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keys().cloned().collect()
    }
}

impl Keep for Memory {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Cause> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.get(name).cloned())
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<(), Cause> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}
