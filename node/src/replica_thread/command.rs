//! What reaches the replica's thread, and the two bounded queues it comes through: one for consensus
//! and for what other nodes ask and answer, one for everything else. The first is emptied first, so
//! nothing that HTTP or records of members bring keeps a vote from being read (RULINGS A40).
//!
//! A question carries the sender of its answer. A sender that is dropped is an answer, too: there
//! was no room for the question, or the thread has ended.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use rollbook_core::account::Unit;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Organisation;
use rollbook_core::pass::{Denied, Reach, SignedPass};
use rollbook_core::presume::Presumed;
use rollbook_core::record::{Body, Record};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::view::View;
use rollbook_core::view::tasks::{Task, Whose};
use rollbook_core::view::validators::{self, ValidatorsView};
use rollbook_core::{known, next};
use rollbook_proof::chain::{ReadClass, Seal};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, LedgerTime, OrganisationId};
use rollbook_wire::ledger::Item;
use tokio::sync::oneshot;

use super::keyring::Seen;
use crate::network::{NetworkEvent, Topic};
use crate::replica::NotTaken;
use crate::replica::message::Envelope;
use crate::store::view::StoredReceipt;

/// Commands waiting in each of the two queues.
const COMMANDS: usize = 8_192;

/// The result of a submission: whether the record is in the pool.
pub type Submitted = Result<(), NotTaken>;

/// A value of the state with its proof, and the seal it is proved under, which is receipted.
#[derive(Debug, Clone)]
pub struct ProvedState {
    /// The value; none: it was never written.
    pub value: Option<Vec<u8>>,
    /// ICS23 proof.
    pub proof: Vec<u8>,
    /// The seal.
    pub seal: Seal,
    /// The checkpoint that ends with this seal.
    pub receipt: StoredReceipt,
}

/// A place of whoever asked, held for as long as its question lies before the thread.
pub trait Place: Send + std::fmt::Debug {}
impl<T: Send + std::fmt::Debug> Place for T {}

/// Where an answer goes. It carries the place that the question takes before the thread: a place is free
/// again when the question is gone, not when whoever asked has gone (RULINGS A49).
#[derive(Debug)]
pub struct Reply<T> {
    to: oneshot::Sender<T>,
    place: Option<Box<dyn Place>>,
}

impl<T> Reply<T> {
    /// With the place that is given back when this is sent or dropped.
    pub fn holding(to: oneshot::Sender<T>, place: impl Place + 'static) -> Reply<T> {
        Reply {
            to,
            place: Some(Box::new(place)),
        }
    }

    /// Sends the answer. Whoever no longer waits for it is no fault.
    pub fn send(self, answer: T) {
        drop(self.to.send(answer));
        drop(self.place);
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_closed(&self) -> bool {
        self.to.is_closed()
    }
}

impl<T> From<oneshot::Sender<T>> for Reply<T> {
    fn from(to: oneshot::Sender<T>) -> Reply<T> {
        Reply { to, place: None }
    }
}

/// What reaches the replica's thread.
#[derive(Debug)]
pub enum Command {
    /// From the network.
    Network(NetworkEvent),
    /// The answer to a request of the replica.
    Response {
        /// Of the request.
        id: u64,
        /// The answer, or nothing.
        bytes: Option<Vec<u8>>,
    },
    /// A record handed in, of which a signature verifies.
    Submit {
        /// The envelope.
        envelope: Box<Envelope>,
        /// That signature.
        seen: Seen,
        /// Takes the result.
        reply: Reply<Submitted>,
    },
    /// A proved value, under the newest receipt.
    State {
        /// Path in the proved tables.
        path: Vec<u8>,
        /// Takes the answer; dropped when too many wait.
        reply: Reply<Result<ProvedState, String>>,
    },
    /// Entries of a proved table at the tip.
    List {
        /// First part of the paths.
        table: String,
        /// Key of the last entry seen.
        after: Option<String>,
        /// Entries at most.
        limit: usize,
        /// Takes the height and the entries; nothing for an unknown table or key.
        reply: Reply<(Height, Option<Vec<Item>>)>,
    },
    /// The next sequence of a person.
    Sequence {
        /// Person number and lane.
        place: (PersonId, ReadClass),
        /// Who asks, if that is known.
        reader: Option<PersonId>,
        /// Takes the answer; none: the reader may not know it.
        reply: Reply<Option<NextNumber>>,
    },
    /// Whether a reader may see what is for members.
    Reader {
        /// The reader's pass.
        pass: SignedPass,
        /// Organisation number of this node.
        node: OrganisationId,
        /// Takes the answer.
        reply: Reply<Result<Reach, Denied>>,
    },
    /// What a record would meet, without handing it in; with everybody who may sign for its
    /// principal.
    Judge {
        /// The record.
        record: Box<Record>,
        /// What who asks may read.
        class: ReadClass,
        /// Who asks, if that is known.
        reader: Option<PersonId>,
        /// Whether what would come of it is told to those who may learn that at all: not to who shows a
        /// record that everybody can show.
        may_presume: bool,
        /// Takes the judgement.
        reply: Reply<Rehearsal>,
    },
    /// For which of these principals a person may sign now.
    SignsFor {
        /// Person number.
        person: PersonId,
        /// Organisations and offices.
        principals: Vec<OrganisationId>,
        /// Takes those among them.
        reply: Reply<Vec<OrganisationId>>,
    },
    /// Where an object stands and what follows.
    Next {
        /// Which.
        about: About,
        /// What who asks may read.
        class: ReadClass,
        /// Takes the answer; none: there is no such object.
        reply: Reply<Option<next::Next>>,
    },
    /// What belongs to an object.
    View {
        /// Its kind and number.
        about: (next::Object, u32),
        /// What who asks may read.
        class: ReadClass,
        /// Takes the height and the answer; none: there is nothing to show.
        reply: Reply<(Height, Option<View>)>,
    },
    /// The validator seats, and what the next handovers make of them.
    Validators {
        /// What somebody thinks of.
        changes: Vec<validators::Change>,
        /// Takes the answer.
        reply: Reply<Result<ValidatorsView, validators::Unknown>>,
    },
    /// What waits for whom.
    Tasks {
        /// Whose tasks.
        whose: Whose,
        /// What who asks may read.
        class: ReadClass,
        /// Takes the answer.
        reply: Reply<Waits>,
    },
    /// What the ledger knows about an object and acts on it name.
    Known {
        /// Which.
        about: (known::About, u32),
        /// What who asks may read.
        class: ReadClass,
        /// Takes the answer; none: there is no such object.
        reply: Reply<Option<known::Known>>,
    },
    /// The unit of an act's amounts.
    Unit {
        /// The act.
        body: Box<Body>,
        /// Takes the answer; none: it is about no money.
        reply: Reply<Option<Unit>>,
    },
    /// Stop in order.
    Stop,
}

/// What waits for whom.
#[derive(Debug, Clone)]
pub struct Waits {
    /// Height of the tip that was read.
    pub height: Height,
    /// Its ledger time.
    pub time: LedgerTime,
    /// By deadline.
    pub tasks: Vec<Task>,
    /// How many there are beyond these.
    pub left_out: usize,
}

/// The next number of a person in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextNumber {
    /// One above the highest in the log and, for colleagues, in the pool.
    pub next: u64,
    /// Whether who asks is the person or a colleague of it.
    pub is_colleague: bool,
}

/// What is asked about.
#[derive(Debug)]
pub enum About {
    /// An object by its number.
    Object(next::Object, u32),
    /// The object of a record that is decided.
    Record(Box<Record>),
}

/// What a record would meet.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Height it was judged on.
    pub height: Height,
    /// The rule it breaks, with the facts of the case.
    pub refused: Option<Refusal>,
    /// What would come of it.
    pub outcome: Option<Outcome>,
}

/// Answer to [`Command::Judge`].
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The judgement.
    pub judged: Judged,
    /// What would come of it if everybody had signed who has to; none: who asks may not know it.
    pub presumed: Option<Presumed>,
    /// The principal, if there is one of that number.
    pub principal: Option<Organisation>,
    /// Who may sign for it now.
    pub signers: Vec<next::MaySign>,
    /// Where the object of the act stands now, if the act names one.
    pub now: Option<next::Next>,
    /// The unit of the act's amounts, if it is about money.
    pub unit: Option<Unit>,
    /// Whether its number can be used no more: in the log already, or too far below the highest,
    /// which is this one.
    pub number_spent: Option<u64>,
    /// Another record that waits in the pool with its number.
    pub waits_with_number: Option<Hash>,
}

/// How long a question takes the replica's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// A look.
    Quick,
    /// It runs a record, or walks over tables.
    Dear,
    /// It waits for a receipt, and costs a look then.
    Waits,
}

/// What is said of the reply of a question, whichever it is. What is no question comes from the network,
/// stops the thread, or is a record that stays handed in.
macro_rules! of_reply {
    ($command:expr, $reply:ident => $said:expr, else $none:expr) => {
        match $command {
            Command::Network(_)
            | Command::Response { .. }
            | Command::Submit { .. }
            | Command::Stop => $none,
            Command::State { reply: $reply, .. } => $said,
            Command::List { reply: $reply, .. } => $said,
            Command::Sequence { reply: $reply, .. } => $said,
            Command::Reader { reply: $reply, .. } => $said,
            Command::Judge { reply: $reply, .. } => $said,
            Command::SignsFor { reply: $reply, .. } => $said,
            Command::Next { reply: $reply, .. } => $said,
            Command::View { reply: $reply, .. } => $said,
            Command::Validators { reply: $reply, .. } => $said,
            Command::Tasks { reply: $reply, .. } => $said,
            Command::Known { reply: $reply, .. } => $said,
            Command::Unit { reply: $reply, .. } => $said,
        }
    };
}

impl Command {
    /// How long a question takes the thread.
    pub fn effort(&self) -> Effort {
        match self {
            Command::State { .. } => Effort::Waits,
            Command::List { .. }
            | Command::Judge { .. }
            | Command::View { .. }
            | Command::Validators { .. }
            | Command::Tasks { .. } => Effort::Dear,
            _ => Effort::Quick,
        }
    }

    /// Whether nobody waits for its answer any more: whoever asks and hangs up costs nothing more. A
    /// record that was handed in stays so.
    pub fn is_given_up(&self) -> bool {
        of_reply!(self, reply => reply.is_closed(), else false)
    }

    /// The question with the place that it takes before the thread.
    pub fn holding(mut self, place: impl Place + 'static) -> Command {
        let place: Box<dyn Place> = Box::new(place);
        of_reply!(&mut self, reply => reply.place = Some(place), else ());
        self
    }

    /// Whether consensus may wait for it.
    fn is_first(&self) -> bool {
        match self {
            Command::Network(NetworkEvent::Gossip { topic, .. }) => *topic == Topic::Consensus,
            Command::Network(_) | Command::Response { .. } | Command::Stop => true,
            _ => false,
        }
    }
}

/// The sending side of the queues.
#[derive(Debug, Clone)]
pub struct Commands {
    first: SyncSender<Command>,
    rest: SyncSender<Command>,
    /// The thread that reads, once it does.
    reader: Arc<OnceLock<Thread>>,
}

impl Commands {
    fn give(&self, command: Command) -> Result<(), TrySendError<Command>> {
        let queue = if command.is_first() {
            &self.first
        } else {
            &self.rest
        };
        queue.try_send(command)?;
        if let Some(reader) = self.reader.get() {
            reader.unpark();
        }
        Ok(())
    }

    /// Sends if there is room.
    pub fn try_send(&self, command: Command) -> bool {
        self.give(command).is_ok()
    }

    /// Sends, waiting for room.
    pub async fn send(&self, command: Command) -> bool {
        let mut command = command;
        loop {
            match self.give(command) {
                Ok(()) => return true,
                Err(TrySendError::Full(back)) => command = back,
                Err(TrySendError::Disconnected(_)) => return false,
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The reading side, for one thread.
#[derive(Debug)]
pub struct Queues {
    first: Receiver<Command>,
    rest: Receiver<Command>,
    reader: Arc<OnceLock<Thread>>,
}

impl Queues {
    /// Up to `most` commands, those of consensus before all others; none if none came in `wait`.
    /// `None` once all senders are gone and everything is read.
    pub fn take(&self, wait: Duration, most: usize) -> Option<Vec<Command>> {
        let until = Instant::now() + wait;
        // Known to the senders before the queues are looked at: none of them is missed.
        self.reader.get_or_init(std::thread::current);
        loop {
            let mut taken = Vec::new();
            let mut gone = true;
            for queue in [&self.first, &self.rest] {
                while taken.len() < most {
                    match queue.try_recv() {
                        Ok(command) => taken.push(command),
                        Err(error) => {
                            gone &= error == TryRecvError::Disconnected;
                            break;
                        }
                    }
                }
            }
            if !taken.is_empty() {
                return Some(taken);
            }
            if gone {
                return None;
            }
            let now = Instant::now();
            if now >= until {
                return Some(taken);
            }
            std::thread::park_timeout(until - now);
        }
    }
}

/// The queues.
pub fn channel() -> (Commands, Queues) {
    let ((first, first_out), (rest, rest_out)) = (sync_channel(COMMANDS), sync_channel(COMMANDS));
    let reader = Arc::new(OnceLock::new());
    let commands = Commands {
        first,
        rest,
        reader: reader.clone(),
    };
    let queues = Queues {
        first: first_out,
        rest: rest_out,
        reader,
    };
    (commands, queues)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Command {
        let (reply, _) = oneshot::channel();
        Command::SignsFor {
            person: PersonId(1),
            principals: Vec::new(),
            reply: reply.into(),
        }
    }

    fn response(id: u64) -> Command {
        Command::Response { id, bytes: None }
    }

    /// A full queue of records, and what consensus waits for still comes, and first.
    #[test]
    fn nothing_keeps_consensus_from_being_read() {
        let (commands, queues) = channel();
        let mut taken = 0;
        while commands.try_send(question()) {
            taken += 1;
        }
        assert_eq!(taken, COMMANDS);
        assert!(commands.try_send(response(1)));
        let first = queues.take(Duration::ZERO, 3).unwrap();
        assert!(matches!(first[0], Command::Response { id: 1, .. }));
        assert!(matches!(
            first[1..],
            [Command::SignsFor { .. }, Command::SignsFor { .. }]
        ));
    }

    #[test]
    fn a_command_wakes_the_reader_and_the_end_is_seen() {
        let (commands, queues) = channel();
        assert_eq!(queues.take(Duration::from_millis(1), 9).unwrap().len(), 0);
        let sender = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            commands.try_send(response(2))
        });
        let begun = Instant::now();
        assert_eq!(queues.take(Duration::from_secs(30), 9).unwrap().len(), 1);
        assert!(begun.elapsed() < Duration::from_secs(20));
        assert!(sender.join().unwrap());
        assert!(queues.take(Duration::from_secs(1), 9).is_none());
    }
}
