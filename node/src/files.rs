//! Files that are replaced as a whole and durably.
//!
//! * The new bytes are written beside the target, in the same folder, under a name that nobody else
//!   has; they are fsynced, renamed over the target, and then the folder is fsynced. A crash leaves
//!   the old file or the new one, never a mixture; two writers at once leave the file of one of
//!   them.
//! * What fails before the rename leaves the old file alone and removes what was written beside it.
//! * A file that only its owner may read is so from its first byte on. Any other file keeps the
//!   permissions of the one that it replaces.
//! * A link to a file stays a link: the file that it leads to is replaced. A device, a pipe, a socket,
//!   a folder or a link that leads to none of these files is no target (RULINGS A51, A64).
//!
//! Absent on purpose: folders made on the way, and words for people. Callers know what the file
//! means; they get a [`WriteError`] that says which step failed.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone: mode 0600, whatever the replaced file had.
    Owner,
    /// Whoever may read the replaced file; for a new file everybody, less the umask (0644).
    Everybody,
}

impl Access {
    /// The mode of a new file.
    const fn mode(self) -> u32 {
        match self {
            Access::Owner => 0o600,
            Access::Everybody => 0o644,
        }
    }
}

/// The step at which a file could not be replaced. Shown as the system's reason alone, because the
/// caller names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// What has the target's name is no file: [`NoFile`], if it is not a folder.
    #[error("{0}")]
    Target(#[source] io::Error),
    /// No file could be made beside the target.
    #[error("{0}")]
    Beside(#[source] io::Error),
    /// The bytes could not be written.
    #[error("{0}")]
    Write(#[source] io::Error),
    /// The bytes could not be brought to the disk.
    #[error("{0}")]
    Sync(#[source] io::Error),
    /// The file could not take the target's name.
    #[error("{0}")]
    Rename(#[source] io::Error),
    /// The new file is in its place, but its folder could not be brought to the disk: after a crash
    /// the old file may be there again.
    #[error("{0}")]
    Folder(#[source] io::Error),
}

impl WriteError {
    /// The system's reason.
    pub fn reason(&self) -> &io::Error {
        match self {
            WriteError::Target(error)
            | WriteError::Beside(error)
            | WriteError::Write(error)
            | WriteError::Sync(error)
            | WriteError::Rename(error)
            | WriteError::Folder(error) => error,
        }
    }
}

/// What has a file's name and is neither a file nor a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoFile {
    /// A device, a pipe or a socket.
    #[error("it is a device, a pipe or a socket and no file")]
    Device,
    /// A link to nothing.
    #[error("it is a link that leads nowhere")]
    Link,
}

/// The file that a name leads to, which need not exist.
///
/// # Errors
///
/// [`io::ErrorKind::IsADirectory`], or an error around [`NoFile`].
pub fn target_of(name: &Path) -> io::Result<PathBuf> {
    let no_file = |what: NoFile| io::Error::new(io::ErrorKind::InvalidInput, what);
    let found = match std::fs::symlink_metadata(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(name.to_path_buf()),
        found => found?,
    };
    let (target, found) = if found.is_symlink() {
        let target = std::fs::canonicalize(name).map_err(|_| no_file(NoFile::Link))?;
        let found = std::fs::metadata(&target)?;
        (target, found)
    } else {
        (name.to_path_buf(), found)
    };
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Err(no_file(NoFile::Device));
    }
    Ok(target)
}

impl From<WriteError> for io::Error {
    /// The system's reason, without the step.
    fn from(error: WriteError) -> io::Error {
        match error {
            WriteError::Target(error)
            | WriteError::Beside(error)
            | WriteError::Write(error)
            | WriteError::Sync(error)
            | WriteError::Rename(error)
            | WriteError::Folder(error) => error,
        }
    }
}

/// Makes a folder, and those above it, that only its owner may enter (RULINGS A51); one that is there
/// already is closed to others if it is ours to close.
pub fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    if std::fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
        let _ = std::fs::set_permissions(folder, Permissions::from_mode(0o700));
    }
    Ok(())
}

/// A file that is being written beside its target. Dropped without [`Replacement::commit`] it is
/// removed, and the target stays as it was.
pub struct Replacement {
    file: NamedTempFile,
    folder: PathBuf,
    target: PathBuf,
}

impl Replacement {
    /// Begins to replace `target`, which need not exist.
    pub fn of(target: &Path, access: Access) -> Result<Replacement, WriteError> {
        let target = &target_of(target).map_err(WriteError::Target)?;
        let folder = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(access.mode());
        let file = tempfile::Builder::new()
            .prefix(".")
            .suffix(".new")
            // Made by hand, so that an error is the system's own and names no temporary path.
            .make_in(folder, |path| options.open(path))
            .map_err(WriteError::Beside)?;
        if access == Access::Everybody
            && let Ok(replaced) = std::fs::metadata(target)
        {
            let mode = replaced.permissions().mode() & 0o777;
            file.as_file()
                .set_permissions(Permissions::from_mode(mode))
                .map_err(WriteError::Beside)?;
        }
        Ok(Replacement {
            file,
            folder: folder.to_path_buf(),
            target: target.to_path_buf(),
        })
    }

    /// The file to write to.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Where it is until it has the target's name.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts the file in the target's place; durable when this returns.
    pub fn commit(self) -> Result<(), WriteError> {
        self.named(|file, target| file.persist(target))
    }

    /// Gives the file the target's name if nothing has it, in one step; durable when this returns.
    ///
    /// # Errors
    ///
    /// [`WriteError::Rename`] with [`io::ErrorKind::AlreadyExists`] if something has it.
    pub fn commit_new(self) -> Result<(), WriteError> {
        self.named(|file, target| file.persist_noclobber(target))
    }

    fn named(
        self,
        name: impl FnOnce(NamedTempFile, &Path) -> Result<File, tempfile::PersistError>,
    ) -> Result<(), WriteError> {
        self.file.as_file().sync_all().map_err(WriteError::Sync)?;
        name(self.file, &self.target).map_err(|error| WriteError::Rename(error.error))?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(WriteError::Folder)
    }
}

/// Makes the file `target`, which nothing has the name of; durable when this returns.
pub fn make(target: &Path, bytes: &[u8], access: Access) -> Result<(), WriteError> {
    filled(target, bytes, access)?.commit_new()
}

/// Replaces `target` by `bytes`; durable when this returns.
pub fn replace(target: &Path, bytes: &[u8], access: Access) -> Result<(), WriteError> {
    filled(target, bytes, access)?.commit()
}

fn filled(target: &Path, bytes: &[u8], access: Access) -> Result<Replacement, WriteError> {
    let mut replacement = Replacement::of(target, access)?;
    replacement
        .file()
        .write_all(bytes)
        .map_err(WriteError::Write)?;
    Ok(replacement)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn writers_at_once_leave_the_file_of_one_of_them_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("pending.json");
        let texts: Vec<Vec<u8>> = (b'a'..b'e').map(|c| vec![c; 100_000]).collect();
        replace(&target, &texts[0], Access::Everybody).unwrap();
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| {
                    for _ in 0..20 {
                        replace(&target, text, Access::Everybody).unwrap();
                        assert!(texts.contains(&std::fs::read(&target).unwrap()));
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["pending.json"]);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("kept");
        replace(&target, b"old", Access::Everybody).unwrap();

        // Whoever fills the file gives up half way.
        let mut replacement = Replacement::of(&target, Access::Everybody).unwrap();
        replacement.file().write_all(b"ne").unwrap();
        drop(replacement);
        assert_eq!(std::fs::read(&target).unwrap(), b"old");

        // A folder is in the target's place.
        let taken = folder.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        let error = replace(&taken, b"new", Access::Everybody).unwrap_err();
        assert!(matches!(error, WriteError::Target(_)), "{error:?}");
        assert_eq!(names(folder.path()), ["kept", "taken"]);
    }

    /// An officer signed a paper through a link to the shared folder: the link became a file, and the
    /// shared paper stayed unsigned.
    #[test]
    fn a_link_stays_and_the_file_behind_it_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (shared, link) = (folder.path().join("shared"), folder.path().join("link"));
        std::fs::create_dir(&shared).unwrap();
        let paper = shared.join("paper");
        replace(&paper, b"1", Access::Everybody).unwrap();
        std::os::unix::fs::symlink(&paper, &link).unwrap();
        replace(&link, b"2", Access::Everybody).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&paper).unwrap(), b"2");

        std::fs::remove_file(&paper).unwrap();
        let error = replace(&link, b"3", Access::Everybody).unwrap_err();
        assert_eq!(error.to_string(), NoFile::Link.to_string());
        assert_eq!(names(folder.path()), ["link", "shared"]);
    }

    /// An export into a pipe replaced the pipe by a file; as root it replaced /dev/stdout.
    #[test]
    fn a_device_is_never_replaced() {
        let error = replace(Path::new("/dev/null"), b"1", Access::Everybody).unwrap_err();
        assert_eq!(error.to_string(), NoFile::Device.to_string());
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_new_file_takes_no_name_that_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("proof");
        make(&target, b"1", Access::Owner).unwrap();
        assert_eq!(mode(&target), 0o600);
        let error = make(&target, b"2", Access::Everybody).unwrap_err();
        assert_eq!(error.reason().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&target).unwrap(), b"1");
        assert_eq!(names(folder.path()), ["proof"]);
    }

    /// A node's data were open to every user of the machine, ballots and dues included.
    #[test]
    fn a_private_folder_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("node").join("data");
        make_private(&data).unwrap();
        assert_eq!((mode(&data), mode(data.parent().unwrap())), (0o700, 0o700));
        std::fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
        make_private(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
    }

    #[test]
    fn an_error_is_the_reason_of_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("nowhere").join("file");
        let error = replace(&target, b"new", Access::Owner).unwrap_err();
        assert!(matches!(error, WriteError::Beside(_)), "{error:?}");
        let expected = std::fs::File::create(&target).unwrap_err().to_string();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.reason().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn secrets_are_for_their_owner_and_other_files_keep_their_mode() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        replace(&target, b"1", Access::Everybody).unwrap();
        assert_eq!(mode(&target) & 0o700, 0o600);
        std::fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
        replace(&target, b"2", Access::Everybody).unwrap();
        assert_eq!(mode(&target), 0o640);
        replace(&target, b"3", Access::Owner).unwrap();
        assert_eq!(mode(&target), 0o600);
    }
}
