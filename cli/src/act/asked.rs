//! What the ledger knows, asked while an act is spelt: proved where the state is proved, else as
//! told by a node.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rollbook_client::client::Client;
use rollbook_client::fetch::{Fetched, Target, fetch};
use rollbook_client::trust::Trust;
use rollbook_core::charter::Charter;
use rollbook_core::record::Record;
use rollbook_proof::file::Content;
use rollbook_wire::known::Known;
use rollbook_wire::ledger::List;
use rollbook_words::catalogue::t;

use crate::failure::Failure;
use crate::objects;
use crate::verbs::known::Ledger;

/// Most pages of a list that are read: a node cannot keep a reader for ever.
const PAGES_MAX: usize = 100;

/// A ledger that nodes are asked about; what was proved is not asked again.
pub struct Asked {
    client: Client,
    trust: RefCell<Trust>,
    seen: RefCell<BTreeMap<String, Option<Vec<u8>>>>,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

impl Asked {
    /// Asks these nodes; nothing is asked yet.
    pub fn new(client: Client, trust: Trust) -> Asked {
        Asked {
            client,
            trust: RefCell::new(trust),
            seen: RefCell::default(),
        }
    }

    fn fetch(&self, target: &Target) -> Result<Fetched, Failure> {
        Ok(fetch(&mut self.trust.borrow_mut(), target)?.0)
    }
}

impl Ledger for Asked {
    fn state(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(known) = self.seen.borrow().get(path) {
            return Ok(known.clone());
        }
        let fetched = self.fetch(&Target::State(path.to_owned()))?;
        let value = match fetched.proved.content {
            Content::State { value, .. } => value,
            _ => None,
        };
        self.seen
            .borrow_mut()
            .insert(path.to_owned(), value.clone());
        Ok(value)
    }

    fn charter(&self) -> Result<Charter, Failure> {
        // The newest version is that in force; which it is, the node tells.
        let mut newest = 1;
        let mut list: List = self.client.json("/v1/lists/charter")?;
        for _ in 0..PAGES_MAX {
            let numbers = list
                .items
                .iter()
                .filter_map(|item| item.path.rsplit('/').next()?.parse::<u32>().ok());
            newest = numbers.max().unwrap_or(newest).max(newest);
            match list.next {
                Some(after) => {
                    list = self
                        .client
                        .json(&format!("/v1/lists/charter?after={after}"))?;
                }
                None => break,
            }
        }
        let fetched = self.fetch(&Target::State(format!("charter/{newest}")))?;
        let facts = [("path", format!("charter/{newest}"))];
        fetched.charter.ok_or_else(|| {
            Failure::unusable(t("show.unreadable", &facts)).next(t("show.unreadable-next", &[]))
        })
    }

    fn told(&self, object: &str, number: u32) -> Result<Known, Failure> {
        Ok(self.client.json(&format!("/v1/known/{object}/{number}"))?)
    }

    fn record(&self, id: &str) -> Result<Record, Failure> {
        let fetched = self.fetch(&Target::Record(id.to_owned()))?;
        match fetched.proved.content {
            Content::Record { bytes, .. } => objects::record(&bytes),
            _ => Err(Failure::unusable(t("verify.no-such-record", &[]))),
        }
    }
}
