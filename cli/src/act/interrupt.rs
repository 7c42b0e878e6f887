//! Ctrl-C, a closed terminal, a stop: whoever ends a command that has sent a record hears its id and
//! that its fate is not known (RULINGS A64).

use std::sync::{Mutex, Once, PoisonError};

use rollbook_words::catalogue::t;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::output;

/// Exit code of a command that was interrupted when nothing of it was under way.
const INTERRUPTED: i32 = 130;

/// What is told of what was sent and whose fate is not known.
static SENT: Mutex<Option<Failure>> = Mutex::new(None);
static LISTENING: Once = Once::new();

/// Until it is dropped, an interruption tells of what was sent.
pub struct Watch(());

/// From now on an interruption ends the command with this.
pub fn watch(told: Failure) -> Watch {
    set(Some(told));
    LISTENING.call_once(|| drop(std::thread::spawn(listen)));
    Watch(())
}

impl Drop for Watch {
    fn drop(&mut self) {
        set(None);
    }
}

fn set(sent: Option<Failure>) {
    *SENT.lock().unwrap_or_else(PoisonError::into_inner) = sent;
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
    let sent = SENT.lock().unwrap_or_else(PoisonError::into_inner).take();
    match sent {
        Some(failure) => {
            output::tell(&failure);
            std::process::exit(i32::from(failure.exit));
        }
        None => std::process::exit(INTERRUPTED),
    }
}
