//! What a doctor finds on the machine: space and speed of the disk, open files, the certificate
//! (RULINGS A43). Nothing of the node is changed; a file of a few bytes comes and goes beside its
//! journal.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::doctor::{Finding, good, note, trouble};
use crate::api::door::OPEN_MAX;
use crate::config::Config;
use crate::failure::Failure;

/// A node stops when the disk is full: below this it is only a matter of time.
const SPACE_TROUBLE: u64 = 256 * 1024 * 1024;
/// Below this somebody should look.
const SPACE_NOTE: u64 = 2 * 1024 * 1024 * 1024;
/// A height takes four of these writes, one after the other.
const SYNC_NOTE: Duration = Duration::from_millis(100);
/// With these every round is late.
const SYNC_TROUBLE: Duration = Duration::from_millis(750);
/// Writes that are timed; the middle one counts.
const SYNCS: usize = 5;
/// Open files that a node may need: connections of readers and peers, and its own files.
const FILES: u64 = 2_048;
/// With fewer a node does not start: readers would be next to none.
const FILES_LEAST: u64 = 640;
/// As many as a node asks the system for.
const FILES_MOST: u64 = 65_536;
/// Files and sockets that are the node's own: store, journal, papers, the admin socket, threads.
const FILES_OWN: u64 = 256;
/// How long before its end a certificate is worth a word.
const CERTIFICATE_NOTE_S: i64 = 14 * 24 * 3_600;

/// Everything about the machine. `now_ms` is its clock.
pub(super) fn examine(config: &Config, now_ms: u64, findings: &mut Vec<Finding>) {
    space(&config.data, findings);
    speed(&config.data, findings);
    files(findings);
    if let Some(tls) = &config.tls {
        certificate(&tls.certificate, now_ms, findings);
    }
}

fn space(data: &Path, findings: &mut Vec<Finding>) {
    let Ok(disk) = rustix::fs::statvfs(data) else {
        // There is no folder yet: the start makes it, or says why it cannot.
        return;
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let mib = free / (1024 * 1024);
    let next = "make room, or move the data folder to a larger disk while the node is stopped; a full disk \
                stops the node, and nothing is lost";
    if free < SPACE_TROUBLE {
        findings.push(trouble(
            format!("the disk of the data folder has {mib} MiB left"),
            next,
        ));
    } else if free < SPACE_NOTE {
        findings.push(note(
            format!("the disk of the data folder has {mib} MiB left"),
            next,
        ));
    }
}

fn speed(data: &Path, findings: &mut Vec<Finding>) {
    let Ok(took) = sync_time(data) else { return };
    let ms = took.as_millis();
    let next = "give the data folder a disk of its own, without network storage; four such writes stand \
                before every block";
    if took >= SYNC_TROUBLE {
        findings.push(trouble(
            format!("the disk is slow: a small write takes {ms} ms to be durable"),
            next,
        ));
    } else if took >= SYNC_NOTE {
        findings.push(note(
            format!("the disk is slow: a small write takes {ms} ms to be durable"),
            next,
        ));
    }
}

/// The middle one of a few small durable writes.
fn sync_time(data: &Path) -> std::io::Result<Duration> {
    let mut file = tempfile::tempfile_in(data)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[0; 512])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[SYNCS / 2])
}

fn files(findings: &mut Vec<Finding>) {
    // The node raises its own limit as far as it may.
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    if limit < FILES {
        findings.push(trouble(
            format!("a process of this user may open {limit} files; a busy node needs {FILES}"),
            "raise the limit where the node is started: 'ulimit -n 65536', or LimitNOFILE=65536 in its \
             systemd unit",
        ));
    }
}

/// Connections of readers for which there is room under a limit of open files, so that however many come,
/// peers and the node's own files have theirs; none: too few to start with.
fn places(limit: u64, peers: u64) -> Option<u64> {
    let left = limit.saturating_sub(peers + FILES_OWN);
    (limit >= FILES_LEAST).then(|| left.min(OPEN_MAX))
}

/// Raises this process's limit of open files as far as it may, and says how many connections of readers
/// have room beside so many of peers. What takes the last file is never the node's own (RULINGS A43).
pub(super) fn room_for_readers(peers: u64) -> Result<u64, Failure> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(FILES_MOST);
    let mut limit = current.unwrap_or(u64::MAX);
    if limit < wanted {
        let raised = Rlimit {
            current: Some(wanted),
            maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = wanted;
        }
    }
    places(limit, peers).ok_or_else(|| {
        Failure::new(
            "the node does not start",
            format!("it may open {limit} files and needs {FILES_LEAST} at least, {FILES} if it is busy"),
            "raise the limit where the node is started: 'ulimit -n 65536', or LimitNOFILE=65536 in its \
             systemd unit",
        )
    })
}

fn certificate(path: &Path, now_ms: u64, findings: &mut Vec<Finding>) {
    let unreadable = |why: String| {
        trouble(
            format!("the certificate {} cannot be read: {why}", path.display()),
            "give a PEM certificate chain and its PEM key under [tls]",
        )
    };
    let first = CertificateDer::pem_file_iter(path).map(|mut chain| chain.next());
    let der = match first {
        Ok(Some(Ok(der))) => der,
        Ok(Some(Err(error))) | Err(error) => return findings.push(unreadable(error.to_string())),
        Ok(None) => return findings.push(unreadable("it holds no certificate".into())),
    };
    let until_s = match x509_parser::parse_x509_certificate(&der) {
        Ok((_, certificate)) => certificate.validity().not_after.timestamp(),
        Err(error) => return findings.push(unreadable(error.to_string())),
    };
    let left_s = until_s.saturating_sub(i64::try_from(now_ms / 1_000).unwrap_or(i64::MAX));
    let days = left_s / (24 * 3_600);
    let next = "put the renewed files in its place; the node reads them within half a minute";
    if left_s <= 0 {
        findings.push(trouble(
            format!("the certificate {} has expired", path.display()),
            next,
        ));
    } else if left_s < CERTIFICATE_NOTE_S {
        findings.push(note(
            format!("the certificate {} ends in {days} days", path.display()),
            next,
        ));
    } else {
        findings.push(good(format!(
            "the certificate {} is good for {days} days",
            path.display()
        )));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Connections of readers, those of peers and the node's own files were more than the usual limit: a
    /// thousand open connections, and the store could not be flushed, which ends the node.
    #[test]
    fn readers_leave_files_for_peers_and_for_the_node() {
        let peers = 272;
        for limit in [FILES_LEAST, 1_024, 1_536, FILES_MOST] {
            let readers = places(limit, peers).unwrap();
            assert!(
                readers + peers + FILES_OWN <= limit && readers > 64,
                "{limit}"
            );
        }
        assert_eq!(places(1_024, peers), Some(496));
        assert_eq!(places(FILES, peers), Some(OPEN_MAX));
        assert_eq!(places(512, peers), None);
    }
}
