//! Opening a data folder: what was written becomes a ledger again.
//!
//! Order: genesis, journal (and with it the lock of the folder), store. The ledger is loaded from
//! the rows of the store at its tip, its root compared with the seal, and the rest of the journal
//! applied to it. The store is wiped and made again from the journal when it is suspect (the
//! machine went down without a clean stop), cannot be opened, contradicts its seal or the journal,
//! or is asked for; the journal is read from end to end before. A store of another chain is not wiped:
//! then the configured folder is wrong. Neither is one that the machine keeps this program from
//! opening.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rollbook_core::genesis::Genesis;
use rollbook_core::ledger::Ledger;
use rollbook_core::state::{Row, StateLoader};
use rollbook_proof::chain::Seal;
use rollbook_proof::codec::decode;
use rollbook_proof::crypto::{Hash, VerifierCache};
use rollbook_proof::log::{EpochPolicy, Frontier};
use rollbook_proof::number::Height;

use super::storage::settle_guard;
use crate::config::Config;
use crate::disk::{Disk, RealDisk};
use crate::failure::Failure;
use crate::journal::{DecidedBlock, Journal, Recovered, Seen, Stop};
use crate::store::view::View;
use crate::store::writer::{block_write, genesis_write};
use crate::store::{SledStore, Store, StoreError};

/// An opened node.
pub struct Opened {
    /// At the journal's tip.
    pub ledger: Ledger,
    /// Locked as long as it lives.
    pub journal: Journal,
    /// What opening it found.
    pub recovered: Recovered,
    /// Whether the guard may be used at once (RULINGS A8).
    pub trusted: bool,
    /// For readers.
    pub view: View,
    /// What an operator should know about this opening.
    pub notes: Vec<String>,
    /// Blocks applied from the journal.
    pub replayed: u64,
    /// Whether the store was made again.
    pub rebuilt: bool,
}

struct LogOf<'a>(&'a dyn Store);

impl rollbook_proof::log::NodeReader for LogOf<'_> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.log_node(level, index).ok().flatten()
    }
}

/// Opens everything. `rebuild` makes the store again whatever its state.
pub fn open(config: &Config, genesis: &Arc<Genesis>, rebuild: bool) -> Result<Opened, Failure> {
    open_on(Arc::new(RealDisk), config, genesis, rebuild)
}

/// [`open`] with the journal on another disk; the store is where the config says.
pub fn open_on(
    disk: Arc<dyn Disk>,
    config: &Config,
    genesis: &Arc<Genesis>,
    rebuild: bool,
) -> Result<Opened, Failure> {
    let mut notes = Vec::new();
    let (mut journal, recovered) = Journal::open(disk, &config.journal(), genesis.hash())?;
    for cut in &recovered.cuts {
        notes.push(format!(
            "cut {} unfinished bytes from {}",
            cut.bytes,
            cut.file.display()
        ));
    }
    let trusted = settle_guard(&config.data, &mut journal)?;
    if !trusted {
        notes.push(
            "the sign guard is new: this node votes again once its peers have proved what it may \
             have signed"
                .into(),
        );
    }
    if let Some(lost) = journal.lost_guard().filter(|lost| lost.waits(lost.height)) {
        notes.push(format!(
            "this node has said what it kept: it signs nothing at height {} before 'rollbook node \
             recover --from'",
            lost.height
        ));
    }
    let folder = config.store();
    let wanted = if rebuild {
        Some("it was asked for".to_owned())
    } else if recovered.store_is_suspect() && folder.exists() {
        Some("the machine went down without a clean stop".to_owned())
    } else {
        None
    };
    let mut rebuilt = wanted.is_some();
    let loaded = match wanted {
        Some(why) => Found::Unusable(why),
        None => {
            let known = Known::of(&journal);
            load(&folder, genesis, &known, &mut notes)?
        }
    };
    let (store, ledger) = match loaded {
        Found::Usable(loaded) => loaded,
        Found::Unusable(why) => {
            // A rotten block would be found after the good store is gone.
            journal.verify()?;
            rebuilt = true;
            notes.push(format!("the store is made again from the journal: {why}"));
            SledStore::wipe(&folder).map_err(|error| store_failure(&error))?;
            let store = match open_store(&folder, genesis)? {
                Found::Usable((store, _)) => store,
                Found::Unusable(why) => {
                    return Err(Failure::new(
                        "the store cannot be made",
                        why,
                        "check the disk and the permissions of the data folder",
                    ));
                }
            };
            let ledger = begin(&store, genesis)?;
            (store, ledger)
        }
    };
    let (ledger, replayed) = replay(ledger, &store, &journal)?;
    // Not before: who dies while a suspect store is made again finds it suspect again.
    journal.note_store_settled()?;
    let policies = policies_of(&ledger)?;
    let view = View::new(Arc::new(store), genesis.clone(), policies)
        .map_err(|error| store_failure(&error))?;
    Ok(Opened {
        ledger,
        journal,
        recovered,
        trusted,
        view,
        notes,
        replayed,
        rebuilt,
    })
}

fn store_failure(error: &StoreError) -> Failure {
    Failure::new(
        "the store cannot be used",
        error,
        "correct what is named above; the store itself can always be made again",
    )
}

/// What a stopped node's folder holds.
pub struct Looked {
    /// The newest block of the journal.
    pub tip: Height,
    /// The ledger at the store's newest block, if the store can be used.
    pub ledger: Option<Ledger>,
    /// What the next start will do, and what this look left out.
    pub notes: Vec<String>,
}

/// Longest store that a look copies, in bytes.
const COPIED: u64 = 1 << 30;

/// A copy of the store in a folder of its own, which goes with it: no open of sled leaves its files as
/// they were. Nothing, and why, if it is too long or there is no place for it.
fn copied(store: &Path) -> Result<tempfile::TempDir, String> {
    fn length(folder: &Path) -> std::io::Result<u64> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            bytes += match entry.file_type()?.is_dir() {
                true => length(&entry.path())?,
                false => entry.metadata()?.len(),
            };
        }
        Ok(bytes)
    }
    fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            let to = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                std::fs::create_dir(&to)?;
                copy(&entry.path(), &to)?;
            } else {
                std::fs::copy(entry.path(), to)?;
            }
        }
        Ok(())
    }
    let bytes = length(store).map_err(|error| error.to_string())?;
    if bytes > COPIED {
        return Err(format!("it has {bytes} bytes, more than a look copies"));
    }
    // Only this user may read it: it holds members' ballots and dues.
    let folder = tempfile::tempdir().map_err(|error| format!("no place for a copy: {error}"))?;
    copy(store, folder.path()).map_err(|error| format!("it cannot be copied: {error}"))?;
    Ok(folder)
}

/// Looks at the folder of a stopped node and changes nothing: the journal is read, and of the store a
/// copy (RULINGS A43). `None` if there is no journal.
pub fn look(config: &Config, genesis: &Arc<Genesis>) -> Result<Option<Looked>, Failure> {
    let seen = Journal::look(Arc::new(RealDisk), &config.journal(), genesis.hash())?;
    let Some(seen) = seen else {
        return Ok(None);
    };
    let ends = seen.torn.iter().map(|cut| {
        format!(
            "the next start cuts {} unfinished bytes from {}",
            cut.bytes,
            cut.file.display()
        )
    });
    let mut notes: Vec<String> = ends.collect();
    let folder = config.store();
    let again = |why: &str| format!("the next start makes the store again from the journal: {why}");
    let mut ledger = None;
    if folder.exists() {
        if seen.store_is_suspect {
            notes.push(again("the machine went down without a clean stop"));
        }
        match copied(&folder) {
            Ok(copy) => {
                let (mut told, known) = (Vec::new(), Known::seen(&seen));
                match load(copy.path(), genesis, &known, &mut told)? {
                    Found::Usable((_, found)) => ledger = Some(found),
                    Found::Unusable(why) if !seen.store_is_suspect => notes.push(again(&why)),
                    Found::Unusable(_) => {}
                }
                notes.extend(told.iter().map(|what| format!("the next start: {what}")));
            }
            Err(why) => notes.push(format!("the store was not looked at: {why}")),
        }
    } else if seen.tip() > Height(0) {
        notes.push(again("there is none"));
    }
    if ledger.is_none() {
        notes.push("keys and clock were not compared with the ledger; the next start does".into());
    }
    Ok(Some(Looked {
        tip: seen.tip(),
        ledger,
        notes,
    }))
}

/// What the journal knows, opened or looked at.
struct Known<'a> {
    tip: Height,
    block: Box<dyn Fn(Height) -> Result<Option<DecidedBlock>, Stop> + 'a>,
}

impl<'a> Known<'a> {
    fn of(journal: &'a Journal) -> Known<'a> {
        Known {
            tip: journal.tip(),
            block: Box::new(|height| journal.read_block(height)),
        }
    }

    fn seen(seen: &'a Seen) -> Known<'a> {
        Known {
            tip: seen.tip(),
            block: Box::new(|height| seen.read_block(height)),
        }
    }
}

/// What is in the folder of the store.
enum Found<T> {
    /// It can be used.
    Usable(T),
    /// Why it has to be made again.
    Unusable(String),
}

/// Opens sled.
fn open_store(
    folder: &Path,
    genesis: &Genesis,
) -> Result<Found<(SledStore, Vec<String>)>, Failure> {
    // sled panics on some damage that it finds while it opens.
    match catch_unwind(AssertUnwindSafe(|| {
        SledStore::open(folder, &genesis.hash())
    })) {
        Ok(Ok((store, opened))) => {
            let notes = opened
                .set_aside
                .iter()
                .filter_map(|path| path.file_name())
                .map(|name| format!("set aside a half-written snapshot: {}", name.display()));
            Ok(Found::Usable((store, notes.collect())))
        }
        Ok(Err(error @ (StoreError::Foreign { .. } | StoreError::Machine { .. }))) => {
            Err(store_failure(&error))
        }
        Ok(Err(error)) => Ok(Found::Unusable(error.to_string())),
        Err(_) => Ok(Found::Unusable("sled panicked while it opened it".into())),
    }
}

/// The ledger at the store's tip.
fn load(
    folder: &Path,
    genesis: &Genesis,
    journal: &Known<'_>,
    notes: &mut Vec<String>,
) -> Result<Found<(SledStore, Ledger)>, Failure> {
    let (store, told) = match open_store(folder, genesis)? {
        Found::Usable(opened) => opened,
        Found::Unusable(why) => return Ok(Found::Unusable(why)),
    };
    notes.extend(told);
    let tip = match store.tip() {
        Ok(Some(tip)) => tip,
        Ok(None) => {
            if journal.tip > Height(0) {
                notes.push(
                    "the store is empty or was deleted; it is filled from the journal".into(),
                );
            }
            let ledger = begin(&store, genesis)?;
            return Ok(Found::Usable((store, ledger)));
        }
        Err(error) => return Ok(Found::Unusable(error.to_string())),
    };
    if tip.height > journal.tip {
        return Ok(Found::Unusable(format!(
            "it holds block {} and the journal ends at {}",
            tip.height, journal.tip
        )));
    }
    let loaded = catch_unwind(AssertUnwindSafe(|| {
        from_store(&store, genesis, journal, tip.height)
    }));
    Ok(match loaded {
        Ok(Ok(ledger)) => Found::Usable((store, ledger)),
        Ok(Err(why)) => Found::Unusable(why),
        Err(_) => Found::Unusable("it cannot be read".into()),
    })
}

fn from_store(
    store: &SledStore,
    genesis: &Genesis,
    journal: &Known<'_>,
    height: Height,
) -> Result<Ledger, String> {
    let stored = store
        .seal(height)
        .map_err(|error| error.to_string())?
        .ok_or("its newest seal is missing")?;
    let seal: Seal = decode(&stored.seal).map_err(|error| error.to_string())?;
    if height > Height(0) {
        let decided = (journal.block)(height)
            .map_err(|stop| stop.to_string())?
            .ok_or("the journal lacks its tip")?;
        if decided.seal != stored.seal {
            return Err(format!("its block {height} is not the journal's"));
        }
    }
    let (mut state, mut broken) = (StateLoader::default(), None);
    let visit = &mut |table, key: &[u8], value: Option<&[u8]>| {
        broken = state
            .row(&Row {
                table,
                key: key.to_vec(),
                value: value.map(<[u8]>::to_vec),
            })
            .err();
        broken.is_none()
    };
    store.rows(visit).map_err(|error| error.to_string())?;
    if let Some(error) = broken {
        return Err(error.to_string());
    }
    let frontier = Frontier::from_reader(&LogOf(store), seal.checkpoint_size())
        .map_err(|error| error.to_string())?;
    Ledger::from_state(genesis.hash(), state, frontier, seal).map_err(|error| error.to_string())
}

/// The genesis in an empty store.
fn begin(store: &SledStore, genesis: &Genesis) -> Result<Ledger, Failure> {
    let next = "get the genesis file again from a founding member";
    let wrong = |error: rollbook_core::genesis::GenesisError| {
        Failure::new("the genesis does not stand", error, next)
    };
    store
        .commit(&genesis_write(genesis).map_err(wrong)?)
        .map_err(|error| store_failure(&error))?;
    Ok(Ledger::from_genesis(genesis).map_err(wrong)?.0)
}

/// Applies the journal's blocks above the ledger's tip, and stores them.
fn replay(
    mut ledger: Ledger,
    store: &SledStore,
    journal: &Journal,
) -> Result<(Ledger, u64), Failure> {
    let (started, mut told) = (Instant::now(), Instant::now());
    let (first, last) = (ledger.height().next(), journal.tip());
    let mut verifier = VerifierCache::default();
    for height in (first.0..=last.0).map(Height) {
        let broken = |why: String| {
            Failure::new(
                format!("block {height} of the journal cannot be applied"),
                why,
                "keep a copy of the data folder; if this program is older than the chain's rules, \
                 install the newer release, else restore from a backup or start again from the \
                 peers (rollbook node restore)",
            )
        };
        let block = journal
            .read_block(height)?
            .ok_or_else(|| broken("it is missing".into()))?;
        let DecidedBlock {
            seal,
            certificate,
            body,
            ..
        } = block;
        let seal: Seal = decode(&seal).map_err(|error| broken(error.to_string()))?;
        let id = ledger
            .execute(&body, &seal, &mut verifier)
            .map_err(|error| broken(error.to_string()))?;
        let epoch = ledger.policy().epoch;
        let committed = ledger
            .commit(&id)
            .map_err(|error| broken(error.to_string()))?;
        let write = block_write(&committed.execution, certificate, epoch);
        store
            .commit(&write)
            .map_err(|error| store_failure(&error))?;
        if told.elapsed().as_secs() >= 2 {
            told = Instant::now();
            tracing::info!(height = height.0, of = last.0, "applying the journal");
        }
    }
    let replayed = (last.0 + 1).saturating_sub(first.0);
    if replayed > 0 {
        store.flush().map_err(|error| store_failure(&error))?;
        tracing::info!(
            blocks = replayed,
            milliseconds = started.elapsed().as_millis(),
            "applied the journal to the store"
        );
    }
    Ok((ledger, replayed))
}

fn policies_of(ledger: &Ledger) -> Result<Vec<EpochPolicy>, Failure> {
    let all = ledger
        .tables()
        .policies
        .iter()
        .map(|(_, bytes)| EpochPolicy::parse(bytes));
    all.collect::<Result<_, _>>().map_err(|error| {
        Failure::new(
            "a policy in the state cannot be read",
            error,
            "run 'rollbook node rebuild', and report this if it stays",
        )
    })
}
