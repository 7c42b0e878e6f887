//! A disk in memory that loses what was not synced.
//!
//! Model: a file is a numbered body of bytes; names are a separate table. Syncing a file makes its
//! bytes durable, syncing a folder makes its names durable, and neither does the other's work. At a
//! power cut, for every file, the bytes since its last sync are lost, kept, cut at any byte, or
//! kept in some sectors with zeros or old garbage in the others; each unsynced name change is kept
//! or lost on its own. A failed sync drops its bytes for good, whatever a later sync says, as
//! kernels do.
//!
//! A [`SimDisk`] is a handle: clones share the disk, so a simulated process can die and another can
//! open the same disk. Everything follows from the seeds given; there is no other source of chance.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskError, DiskErrorKind, DiskFile, DiskLock, DiskOp};

/// Bytes that reach a simulated disk together or not at all.
const SECTOR: usize = 64;

/// SplitMix64: a small generator for simulations. Never for keys.
#[derive(Debug, Clone)]
pub struct SplitMix(pub u64);

impl SplitMix {
    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 for bound 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.draw() % bound }
    }

    /// A coin.
    pub fn coin(&mut self) -> bool {
        self.draw() & 1 == 1
    }
}

/// What an injected fault answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Input/output error; a failing append writes a part first, a failing sync drops the unsynced
    /// bytes.
    Io,
    /// Disk full; a failing append writes a part first.
    Full,
}

/// A fault to inject: the operation that fails and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Only this operation counts; `None` counts every one that changes the disk.
    pub op: Option<DiskOp>,
    /// How many of them still succeed.
    pub after: u64,
    /// What the next one answers.
    pub kind: FaultKind,
}

#[derive(Debug, Clone, Default)]
struct Body {
    /// What a running process reads.
    current: Vec<u8>,
    /// Bytes of `current` that are durable, if nothing durable was cut off since.
    durable_len: usize,
    /// The durable bytes, kept apart while an unsynced truncation has cut into them.
    durable: Option<Vec<u8>>,
    /// Ranges whose sync failed: no later sync makes them durable.
    doomed: Vec<(usize, usize)>,
}

impl Body {
    fn sync(&mut self) {
        self.durable = None;
        self.durable_len = self.current.len();
    }

    /// The bytes after a power cut.
    fn after_cut(&self, chance: &mut SplitMix) -> Vec<u8> {
        let mut base = match &self.durable {
            // The truncation itself may be lost, and with it everything after it.
            Some(durable) if chance.coin() => return durable.clone(),
            _ => self.current[..self.durable_len].to_vec(),
        };
        let unsynced = &self.current[self.durable_len..];
        match chance.below(5) {
            0 => {}
            1 => base.extend_from_slice(unsynced),
            2 => {
                let keep = chance.below(unsynced.len() as u64 + 1) as usize;
                base.extend_from_slice(&unsynced[..keep]);
            }
            mode => {
                let keep = chance.below(unsynced.len() as u64 + 1) as usize;
                let keep = if chance.coin() { unsynced.len() } else { keep };
                for sector in unsynced[..keep].chunks(SECTOR) {
                    if chance.coin() {
                        base.extend_from_slice(sector);
                    } else if mode == 3 {
                        base.resize(base.len() + sector.len(), 0);
                    } else {
                        base.extend(sector.iter().map(|_| chance.draw() as u8));
                    }
                }
            }
        }
        for &(start, end) in &self.doomed {
            let end = end.min(base.len());
            if start < end && chance.coin() {
                base[start..end].fill(0);
            }
        }
        base
    }
}

#[derive(Debug, Clone)]
enum NameChange {
    Link(PathBuf, u64),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, u64),
}

impl NameChange {
    fn dir(&self) -> Option<&Path> {
        match self {
            NameChange::Link(path, _)
            | NameChange::Unlink(path)
            | NameChange::Rename(path, _, _) => path.parent(),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            NameChange::Link(path, file) => {
                names.insert(path.clone(), *file);
            }
            NameChange::Unlink(path) => {
                names.remove(path);
            }
            NameChange::Rename(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
        }
    }
}

#[derive(Debug, Clone, Default)]
struct State {
    dirs: BTreeSet<PathBuf>,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    changes: Vec<NameChange>,
    bodies: BTreeMap<u64, Body>,
    next_file: u64,
    locks: BTreeSet<PathBuf>,
    /// Raised when the process using the disk dies: handles of an older life are useless.
    life: u64,
    boot: u64,
    ids: u64,
    /// Operations so far that change the disk, syncs included.
    operations: u64,
    syncs: u64,
    halt_after: Option<u64>,
    halted: bool,
    faults: Vec<Fault>,
    space: Option<u64>,
    lying: bool,
}

impl State {
    /// Counts a changing operation and applies power loss and injected faults.
    fn admit(&mut self, op: DiskOp, path: &Path) -> Result<(), DiskError> {
        self.alive(op, path)?;
        if self
            .halt_after
            .is_some_and(|limit| self.operations >= limit)
        {
            self.halted = true;
            return self.alive(op, path);
        }
        self.operations += 1;
        self.fault(op, path, true)
    }

    fn alive(&self, op: DiskOp, path: &Path) -> Result<(), DiskError> {
        if self.halted {
            Err(DiskError::new(
                op,
                path,
                DiskErrorKind::Gone,
                "the power is off",
            ))
        } else {
            Ok(())
        }
    }

    fn fault(&mut self, op: DiskOp, path: &Path, changes: bool) -> Result<(), DiskError> {
        for fault in &mut self.faults {
            if fault.op.map_or(changes, |wanted| wanted == op) {
                if fault.after == 0 {
                    return Err(match fault.kind {
                        FaultKind::Io => {
                            DiskError::new(op, path, DiskErrorKind::Io, "input/output error")
                        }
                        FaultKind::Full => {
                            DiskError::new(op, path, DiskErrorKind::Full, "no space left on device")
                        }
                    });
                }
                fault.after -= 1;
            }
        }
        Ok(())
    }

    fn die(&mut self) {
        self.life += 1;
        self.locks.clear();
        self.halted = false;
        self.halt_after = None;
        self.faults.clear();
        self.space = None;
    }

    /// Forgets bodies that no name leads to any more and no power cut can bring back.
    fn drop_nameless(&mut self) {
        let pending = self.changes.iter().filter_map(|change| match change {
            NameChange::Link(_, file) | NameChange::Rename(_, _, file) => Some(*file),
            NameChange::Unlink(_) => None,
        });
        let kept: BTreeSet<u64> = self
            .names
            .values()
            .chain(self.durable_names.values())
            .copied()
            .chain(pending)
            .collect();
        self.bodies.retain(|file, _| kept.contains(file));
    }

    fn file_of(&self, op: DiskOp, path: &Path) -> Result<u64, DiskError> {
        let none = || DiskError::new(op, path, DiskErrorKind::NotFound, "no such file");
        self.names.get(path).copied().ok_or_else(none)
    }

    fn in_folder(&self, op: DiskOp, path: &Path) -> Result<(), DiskError> {
        match path.parent() {
            Some(dir) if self.dirs.contains(dir) => Ok(()),
            _ => Err(DiskError::new(
                op,
                path,
                DiskErrorKind::NotFound,
                "no such folder",
            )),
        }
    }
}

/// A simulated disk; clones are handles on the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not hide the disk from the test that looks for its cause.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the disk as it is, with its own future.
    pub fn fork(&self) -> SimDisk {
        SimDisk {
            state: Arc::new(Mutex::new(self.state().clone())),
        }
    }

    /// The process dies: open handles and locks are gone, everything written stays. Faults and
    /// limits end.
    pub fn kill(&self) {
        self.state().die();
    }

    /// The power goes: what was not synced is lost, torn or reordered as `seed` says. Implies
    /// [`SimDisk::kill`].
    pub fn power_cut(&self, seed: u64) {
        let mut chance = SplitMix(seed);
        let mut state = self.state();
        state.die();
        state.boot += 1;
        let mut names = std::mem::take(&mut state.durable_names);
        for change in std::mem::take(&mut state.changes) {
            if chance.coin() {
                change.apply(&mut names);
            }
        }
        state.durable_names = names.clone();
        state.names = names;
        state.drop_nameless();
        for body in state.bodies.values_mut() {
            let current = body.after_cut(&mut chance);
            *body = Body {
                durable_len: current.len(),
                current,
                durable: None,
                doomed: Vec::new(),
            };
        }
    }

    /// Operations so far that change the disk (append, sync, create, rename, remove, truncate, sync
    /// of a folder).
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// File syncs so far.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// The power goes after `operations` more changing operations: everything then fails with
    /// [`DiskErrorKind::Gone`] until [`SimDisk::power_cut`] or [`SimDisk::kill`].
    pub fn halt_after(&self, operations: u64) {
        let mut state = self.state();
        state.halt_after = Some(state.operations + operations);
    }

    /// True once the limit of [`SimDisk::halt_after`] was reached by an operation.
    pub fn halted(&self) -> bool {
        self.state().halted
    }

    /// Injects a fault; it lasts until the process dies.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Ends all injected faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Leaves room for `bytes` more bytes; `None` lifts the limit.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.state().space = bytes;
    }

    /// From now on syncs of files answer well and do nothing: a canary, by which a harness shows
    /// that it can fail.
    #[cfg(test)]
    pub fn set_lying(&self, lying: bool) {
        self.state().lying = lying;
    }

    /// Inverts bits of one byte of a file, durable copy included: damage. False if there is no such
    /// byte.
    pub fn damage(&self, path: &Path, offset: u64, mask: u8) -> bool {
        let mut state = self.state();
        let Some(file) = state.names.get(path).copied() else {
            return false;
        };
        let Some(body) = state.bodies.get_mut(&file) else {
            return false;
        };
        match body.current.get_mut(offset as usize) {
            Some(byte) => {
                *byte ^= mask;
                true
            }
            None => false,
        }
    }

    /// The bytes of a file as a running process reads them.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        Some(state.bodies.get(state.names.get(path)?)?.current.clone())
    }

    /// Replaces a file by these bytes, durably: a restored or swapped file.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state();
        state.next_file += 1;
        let file = state.next_file;
        state.bodies.insert(
            file,
            Body {
                current: bytes.to_vec(),
                durable_len: bytes.len(),
                durable: None,
                doomed: Vec::new(),
            },
        );
        state.names.insert(path.to_path_buf(), file);
        state.durable_names.insert(path.to_path_buf(), file);
    }

    /// Removes a file durably: a lost file. False if there was none.
    pub fn lose(&self, path: &Path) -> bool {
        let mut state = self.state();
        state.durable_names.remove(path);
        state.names.remove(path).is_some()
    }

    fn handle(&self, file: u64, path: &Path, life: u64) -> Box<dyn DiskFile> {
        Box::new(SimFile {
            disk: self.clone(),
            file,
            path: path.to_path_buf(),
            life,
        })
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let mut state = self.state();
        state.alive(DiskOp::CreateDir, dir)?;
        // Folders are durable at once: losing one is losing the disk, which is another test.
        state.dirs.extend(dir.ancestors().map(Path::to_path_buf));
        Ok(())
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        let mut state = self.state();
        state.alive(DiskOp::List, dir)?;
        state.fault(DiskOp::List, dir, false)?;
        if !state.dirs.contains(dir) {
            return Err(DiskError::new(
                DiskOp::List,
                dir,
                DiskErrorKind::NotFound,
                "no such folder",
            ));
        }
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside
            .filter_map(|path| path.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect())
    }

    fn create(&self, path: &Path) -> Result<Box<dyn DiskFile>, DiskError> {
        let mut state = self.state();
        state.admit(DiskOp::Create, path)?;
        state.in_folder(DiskOp::Create, path)?;
        if state.names.contains_key(path) {
            return Err(DiskError::new(
                DiskOp::Create,
                path,
                DiskErrorKind::Exists,
                "file exists",
            ));
        }
        state.next_file += 1;
        let (file, life) = (state.next_file, state.life);
        state.bodies.insert(file, Body::default());
        state.names.insert(path.to_path_buf(), file);
        state
            .changes
            .push(NameChange::Link(path.to_path_buf(), file));
        drop(state);
        Ok(self.handle(file, path, life))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn DiskFile>, DiskError> {
        let mut state = self.state();
        state.alive(DiskOp::Open, path)?;
        state.fault(DiskOp::Open, path, false)?;
        let (file, life) = (state.file_of(DiskOp::Open, path)?, state.life);
        drop(state);
        Ok(self.handle(file, path, life))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let mut state = self.state();
        state.admit(DiskOp::Rename, from)?;
        let file = state.file_of(DiskOp::Rename, from)?;
        let change = NameChange::Rename(from.to_path_buf(), to.to_path_buf(), file);
        change.apply(&mut state.names);
        state.changes.push(change);
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        let mut state = self.state();
        state.admit(DiskOp::Remove, path)?;
        state.file_of(DiskOp::Remove, path)?;
        let change = NameChange::Unlink(path.to_path_buf());
        change.apply(&mut state.names);
        state.changes.push(change);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let mut state = self.state();
        state.admit(DiskOp::SyncDir, dir)?;
        let (durable, pending): (Vec<_>, Vec<_>) = std::mem::take(&mut state.changes)
            .into_iter()
            .partition(|change| change.dir() == Some(dir));
        for change in durable {
            change.apply(&mut state.durable_names);
        }
        state.changes = pending;
        state.drop_nameless();
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DiskLock>, DiskError> {
        let mut state = self.state();
        state.alive(DiskOp::Lock, path)?;
        state.in_folder(DiskOp::Lock, path)?;
        if !state.locks.insert(path.to_path_buf()) {
            return Err(DiskError::new(
                DiskOp::Lock,
                path,
                DiskErrorKind::Locked,
                "another process holds it",
            ));
        }
        Ok(Box::new(SimLock {
            disk: self.clone(),
            path: path.to_path_buf(),
            life: state.life,
        }))
    }

    fn boot_id(&self) -> [u8; 16] {
        u128::from(self.state().boot).to_be_bytes()
    }

    fn fresh_id(&self) -> [u8; 16] {
        let mut state = self.state();
        state.ids += 1;
        let mut mix = SplitMix(state.ids);
        ((u128::from(mix.draw()) << 64) | u128::from(mix.draw())).to_be_bytes()
    }
}

struct SimFile {
    disk: SimDisk,
    file: u64,
    path: PathBuf,
    life: u64,
}

impl SimFile {
    /// Runs `work` on the file if this handle is of the living process.
    fn with<T>(
        &self,
        op: DiskOp,
        work: impl FnOnce(&mut State, u64) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mut state = self.disk.state();
        if state.life != self.life {
            return Err(DiskError::new(
                op,
                &self.path,
                DiskErrorKind::Gone,
                "the process that opened it is dead",
            ));
        }
        state.alive(op, &self.path)?;
        work(&mut state, self.file)
    }

    fn gone(&self, op: DiskOp) -> DiskError {
        DiskError::new(
            op,
            &self.path,
            DiskErrorKind::NotFound,
            "the file was removed",
        )
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> Result<u64, DiskError> {
        self.with(DiskOp::Length, |state, file| {
            let body = state
                .bodies
                .get(&file)
                .ok_or_else(|| self.gone(DiskOp::Length))?;
            Ok(body.current.len() as u64)
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.with(DiskOp::Append, |state, file| {
            let mut outcome = state.admit(DiskOp::Append, &self.path);
            if matches!(&outcome, Err(error) if error.kind == DiskErrorKind::Gone) {
                return outcome;
            }
            let mut fits = if outcome.is_ok() {
                bytes.len()
            } else {
                bytes.len() / 2
            };
            if let Some(space) = &mut state.space {
                if (*space as usize) < fits {
                    fits = *space as usize;
                    outcome = Err(DiskError::new(
                        DiskOp::Append,
                        &self.path,
                        DiskErrorKind::Full,
                        "no space left on device",
                    ));
                }
                *space -= fits as u64;
            }
            let body = state
                .bodies
                .get_mut(&file)
                .ok_or_else(|| self.gone(DiskOp::Append))?;
            body.current.extend_from_slice(&bytes[..fits]);
            outcome
        })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), DiskError> {
        self.with(DiskOp::Read, |state, file| {
            state.fault(DiskOp::Read, &self.path, false)?;
            let body = state
                .bodies
                .get(&file)
                .ok_or_else(|| self.gone(DiskOp::Read))?;
            let short = || {
                DiskError::new(
                    DiskOp::Read,
                    &self.path,
                    DiskErrorKind::Short,
                    "the file ends before",
                )
            };
            let start = usize::try_from(offset).map_err(|_| short())?;
            let end = start.checked_add(buffer.len()).ok_or_else(short)?;
            buffer.copy_from_slice(body.current.get(start..end).ok_or_else(short)?);
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        self.with(DiskOp::Sync, |state, file| {
            let outcome = state.admit(DiskOp::Sync, &self.path);
            state.syncs += 1;
            let lying = state.lying;
            let body = state
                .bodies
                .get_mut(&file)
                .ok_or_else(|| self.gone(DiskOp::Sync))?;
            match &outcome {
                Ok(()) if lying => {}
                Ok(()) => body.sync(),
                Err(error) if error.kind == DiskErrorKind::Gone => {}
                Err(_) => body.doomed.push((body.durable_len, body.current.len())),
            }
            outcome
        })
    }

    fn truncate(&mut self, len: u64) -> Result<(), DiskError> {
        self.with(DiskOp::Truncate, |state, file| {
            state.admit(DiskOp::Truncate, &self.path)?;
            let body = state
                .bodies
                .get_mut(&file)
                .ok_or_else(|| self.gone(DiskOp::Truncate))?;
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            if len < body.durable_len {
                if body.durable.is_none() {
                    body.durable = Some(body.current[..body.durable_len].to_vec());
                }
                body.durable_len = len;
            }
            body.current.truncate(len);
            Ok(())
        })
    }
}

struct SimLock {
    disk: SimDisk,
    path: PathBuf,
    life: u64,
}

impl DiskLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.life == self.life {
            state.locks.remove(&self.path);
        }
    }
}
