//! Ctrl-C, a closed terminal, a stop: whoever ends a command that has sent a record hears its id and
//! that its fate is not known, and a file that is half made is removed (RULINGS A64).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

use rollbook_words::catalogue::t;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::output;

/// Exit code of a command that was interrupted when nothing of it was under way.
pub const INTERRUPTED: u8 = 130;

/// What is under way.
struct UnderWay {
    /// What is told of it.
    told: Failure,
    /// The file that is half made, under a name of its own.
    half: Option<PathBuf>,
}

static UNDER_WAY: Mutex<Option<UnderWay>> = Mutex::new(None);
static LISTENING: Once = Once::new();

/// Until it is dropped, an interruption tells of what is under way.
pub struct Watch(());

/// From now on an interruption ends the command with this: something was sent, and its fate is not
/// known.
pub fn watch(told: Failure) -> Watch {
    begin(UnderWay { told, half: None })
}

/// From now on an interruption removes what is half made of a file.
pub fn watch_file(half: &Path, file: &Path) -> Watch {
    let facts = [("file", file.display().to_string())];
    begin(UnderWay {
        told: Failure::of(INTERRUPTED, t("interrupted.file", &facts))
            .next(t("interrupted.file-next", &[])),
        half: Some(half.to_path_buf()),
    })
}

fn begin(what: UnderWay) -> Watch {
    set(Some(what));
    LISTENING.call_once(|| drop(std::thread::spawn(listen)));
    Watch(())
}

impl Drop for Watch {
    fn drop(&mut self) {
        set(None);
    }
}

fn set(what: Option<UnderWay>) {
    *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) = what;
}

/// A record of which nothing is known but that it may have been sent.
pub fn not_known(record: &str) -> Failure {
    let facts = [("record", record.to_owned())];
    Failure::not_yet(t("outbox.not-known", &facts)).next(t("outbox.not-known-next", &facts))
}

/// Waits for a signal and ends the process. Without a runtime the signals end it as they always do.
fn listen() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let Ok(runtime) = runtime.enable_io().build() else {
        return;
    };
    let heard = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok::<(), std::io::Error>(())
    });
    if heard.is_err() {
        return;
    }
    let what = UNDER_WAY
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let exit = what.map_or(INTERRUPTED, |what| {
        // What cannot be removed has the name of the finished file by now.
        let is_finished = what
            .half
            .is_some_and(|half| std::fs::remove_file(half).is_err());
        if !is_finished {
            output::tell(&what.told);
        }
        what.told.exit
    });
    std::process::exit(i32::from(exit));
}
