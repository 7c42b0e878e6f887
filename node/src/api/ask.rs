//! How the API asks the thread that holds the ledger: through a lane that bounds what lies before that
//! thread, and with patience for the answer.

use std::time::Instant;

use tokio::sync::oneshot;

use super::limits::Lanes;
use super::reader::Reader;
use super::{Api, PATIENCE, Problem};
use crate::replica_thread::command::{Command, Commands, Effort, Reply};

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
    /// Asks the thread that holds the ledger; `command` makes the question from where its answer goes. A
    /// stranger's, if it is a dear one: see [`Api::ask_for`].
    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, Unanswered> {
        self.ask_for(Reader::Anybody, command).await
    }

    /// The same for this reader: of the places of dear questions some are for who has logged in.
    pub(super) async fn ask_for<T>(
        &self,
        reader: Reader,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, Unanswered> {
        let is_stranger = reader == Reader::Anybody;
        let lanes = &self.limits().lanes;
        ask(lanes, &self.parts().commands, is_stranger, command).await
    }
}

/// Asks through the lanes. The place goes with the question: it is free once the thread has answered or
/// passed over the question, though whoever asked may have hung up or lost patience long before.
async fn ask<T>(
    lanes: &Lanes,
    commands: &Commands,
    is_stranger: bool,
    command: impl FnOnce(Reply<T>) -> Command,
) -> Result<T, Unanswered> {
    let (to, answer) = oneshot::channel();
    let begun = Instant::now();
    let mut command = command(to.into());
    let lane = match command.effort() {
        Effort::Dear => Some(&lanes.dear),
        Effort::Quick => Some(&lanes.quick),
        // The thread keeps a bounded number of those itself.
        Effort::Waits => None,
    };
    if let Some(lane) = lane {
        let place = tokio::time::timeout(PATIENCE, lane.enter(is_stranger));
        let place = place.await.map_err(|_| Unanswered::Late)?;
        command = command.holding(place.ok_or(Unanswered::Busy)?);
    }
    if !commands.try_send(command) {
        return Err(Unanswered::Busy);
    }
    let left = PATIENCE.saturating_sub(begun.elapsed());
    match tokio::time::timeout(left, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(Unanswered::Busy),
        Err(_) => Err(Unanswered::Late),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rollbook_core::view::tasks::Whose;
    use rollbook_proof::chain::ReadClass;

    use super::*;
    use crate::replica_thread::command::{Queues, Waits, channel};

    fn tasks(reply: Reply<Waits>) -> Command {
        Command::Tasks {
            whose: Whose::All,
            class: ReadClass::Public,
            reply,
        }
    }

    /// What the thread takes up: the questions in its queue, and how many of them it would work on.
    fn taken_up(queues: &Queues) -> (usize, usize) {
        let taken = queues.take(Duration::ZERO, 10_000).unwrap();
        let lie = taken.len();
        let worked = taken.iter().filter(|command| !command.is_given_up());
        (lie, worked.count())
    }

    /// Whoever asked and hung up gave its place to the next at once, while its question stayed: thousands of
    /// dear ones lay before the thread, and all were worked on though nobody waited for any.
    #[tokio::test]
    async fn who_asks_and_hangs_up_keeps_its_place_and_costs_no_work() {
        let (lanes, (commands, queues)) = (Lanes::default(), channel());
        for _ in 0..1_000 {
            let asked = ask(&lanes, &commands, true, tasks);
            let hung_up = tokio::time::timeout(Duration::from_micros(50), asked).await;
            assert!(hung_up.is_err(), "nobody answers");
        }
        let (lie, worked) = taken_up(&queues);
        assert!(0 < lie && lie <= 4, "{lie} lie before the thread");
        assert_eq!(worked, 0, "nobody waits for them");
        // They are gone: the next one gets in.
        let next = tokio::spawn(async move { ask(&lanes, &commands, true, tasks).await.is_ok() });
        let answered = async {
            loop {
                let mut taken = queues.take(Duration::ZERO, 9).unwrap();
                if let Some(Command::Tasks { reply, .. }) = taken.pop() {
                    return drop(reply);
                }
                tokio::task::yield_now().await;
            }
        };
        answered.await;
        assert!(!next.await.unwrap(), "its question was dropped");
    }
}
