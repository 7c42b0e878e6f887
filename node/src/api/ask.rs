//! How the API asks the thread that holds the ledger: through a lane that bounds what lies before that
//! thread, and with patience for the answer.

use tokio::sync::oneshot;

use super::{Api, PATIENCE, Problem};
use crate::replica_thread::command::{Command, Effort};

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The thread has more to do than it can take, or has ended.
    Busy,
    /// No answer came within [`PATIENCE`].
    Late,
}

impl Unanswered {
    /// The problem without its next step.
    pub(super) fn problem(self) -> Problem {
        Problem::unavailable("api.busy", "too many questions wait")
    }
}

impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Problem {
        unanswered
            .problem()
            .next("ask again in a moment, or ask another node")
    }
}

impl Api {
    /// Asks the replica's thread; `command` makes the question from the sender of its answer.
    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let command = command(reply);
        let lanes = &self.limits().lanes;
        let lane = match command.effort() {
            Effort::Dear => Some(&lanes.dear),
            Effort::Quick => Some(&lanes.quick),
            // The thread keeps a bounded number of those itself.
            Effort::Waits => None,
        };
        let _place = match lane {
            Some(lane) => Some(lane.enter().await.ok_or(Unanswered::Busy)?),
            None => None,
        };
        if !self.parts().commands.try_send(command) {
            return Err(Unanswered::Busy);
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(Unanswered::Busy),
            Err(_) => Err(Unanswered::Late),
        }
    }
}
