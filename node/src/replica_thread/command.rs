//! What reaches the replica's thread, and the channel it comes through: one, bounded.
//!
//! A question carries the sender of its answer. A sender that is dropped is an answer, too: there
//! was no room for the question, or the thread has ended.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use rollbook_core::account::Unit;
use rollbook_core::id::PersonId;
use rollbook_core::identity::Organisation;
use rollbook_core::pass::{Denied, SignedPass};
use rollbook_core::record::{Body, Record};
use rollbook_core::refusal::{Outcome, Refusal};
use rollbook_core::{known, next};
use rollbook_proof::chain::{ReadClass, Seal};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::{Height, OrganisationId};
use rollbook_wire::ledger::Item;
use tokio::sync::oneshot;

use crate::network::NetworkEvent;
use crate::replica::NotTaken;
use crate::store::view::StoredReceipt;

/// Commands waiting for the replica.
const COMMANDS: usize = 8_192;

/// The result of a submission.
#[derive(Debug)]
pub struct Submitted {
    /// Id of the record; zero if the bytes were no record.
    pub record: Hash,
    /// Whether it is in the pool.
    pub taken: Result<(), NotTaken>,
}

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
    /// A record handed in.
    Submit {
        /// The envelope.
        bytes: Vec<u8>,
        /// Takes the result.
        reply: oneshot::Sender<Submitted>,
    },
    /// A proved value, under the newest receipt.
    State {
        /// Path in the proved tables.
        path: Vec<u8>,
        /// Takes the answer; dropped when too many wait.
        reply: oneshot::Sender<Result<ProvedState, String>>,
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
        reply: oneshot::Sender<(Height, Option<Vec<Item>>)>,
    },
    /// The next sequence of a person.
    Sequence {
        /// Person number and lane.
        place: (PersonId, ReadClass),
        /// Who asks, if that is known.
        reader: Option<PersonId>,
        /// Takes one above the highest used; none: the reader may not know it.
        reply: oneshot::Sender<Option<u64>>,
    },
    /// Whether a reader may see what is for members.
    Reader {
        /// The reader's pass.
        pass: SignedPass,
        /// Organisation number of this node.
        node: OrganisationId,
        /// Takes the answer.
        reply: oneshot::Sender<Result<(), Denied>>,
    },
    /// What a record would meet, without handing it in; with everybody who may sign for its
    /// principal.
    Judge {
        /// The record.
        record: Box<Record>,
        /// What who asks may read.
        class: ReadClass,
        /// Takes the judgement.
        reply: oneshot::Sender<Rehearsal>,
    },
    /// Where an object stands and what follows.
    Next {
        /// Which.
        about: About,
        /// What who asks may read.
        class: ReadClass,
        /// Takes the answer; none: there is no such object.
        reply: oneshot::Sender<Option<next::Next>>,
    },
    /// What the ledger knows about an object and acts on it name.
    Known {
        /// Which.
        about: (known::About, u32),
        /// What who asks may read.
        class: ReadClass,
        /// Takes the answer; none: there is no such object.
        reply: oneshot::Sender<Option<known::Known>>,
    },
    /// The unit of an act's amounts.
    Unit {
        /// The act.
        body: Box<Body>,
        /// Takes the answer; none: it is about no money.
        reply: oneshot::Sender<Option<Unit>>,
    },
    /// Stop in order.
    Stop,
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
    /// The principal, if there is one of that number.
    pub principal: Option<Organisation>,
    /// Who may sign for it now.
    pub signers: Vec<next::MaySign>,
    /// Where the object of the act stands now, if the act names one.
    pub now: Option<next::Next>,
    /// The unit of the act's amounts, if it is about money.
    pub unit: Option<Unit>,
}

/// The sending side of the channel.
#[derive(Debug, Clone)]
pub struct Commands(SyncSender<Command>);

impl Commands {
    /// Sends if there is room.
    pub fn try_send(&self, command: Command) -> bool {
        self.0.try_send(command).is_ok()
    }

    /// Sends, waiting for room.
    pub async fn send(&self, command: Command) -> bool {
        let mut command = command;
        loop {
            match self.0.try_send(command) {
                Ok(()) => return true,
                Err(TrySendError::Full(back)) => command = back,
                Err(TrySendError::Disconnected(_)) => return false,
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The channel.
pub fn channel() -> (Commands, Receiver<Command>) {
    let (sender, receiver) = sync_channel(COMMANDS);
    (Commands(sender), receiver)
}
