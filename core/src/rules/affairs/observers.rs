//! Observers (M38; RULINGS R49): a standards body or regulator that watches and speaks, without vote and
//! money.
//!
//! * A body enters as one that observes, in the genesis or by a registration, which gives it nothing yet.
//!   The board admits it, and says how it reads; the observers of the genesis read as the public does.
//!   Another motion of the same kind changes that, and one ends it.
//! * An observer files statements: a title for everybody, the hash of the text, the motion that it is
//!   about, if any.
//! * What an observer reads with a pass is decided in [`crate::pass`].
//!
//! Absent: an observer as addressee of documents; documents come with their store.

use rollbook_proof::number::OrganisationId;

use crate::id::{MotionId, StatementId};
use crate::identity::OrganisationKind;
use crate::lookup::find;
use crate::object::motion::Motion;
use crate::object::observer::{Observer, ObserverStatus, Statement};
use crate::record::{AdmitObserver, EndObserver, ObserverReading, StatementEntry};
use crate::refusal::{Outcome, Refusal};
use crate::rules::authority::Actor;
use crate::rules::effect::Effect;
use crate::tx::{Due, Tx};
use crate::{refuse, require};

/// An observer of the genesis.
pub(crate) fn enter(tx: &mut Tx, number: OrganisationId) -> Result<(), Refusal> {
    let observer = Observer {
        number,
        reading: ObserverReading::Public,
        motion: None,
        status: tx.begin::<Observer>(number, "M38", ObserverStatus::Admitted)?,
        since_ms: tx.now,
    };
    tx.put(observer);
    Ok(())
}

/// The observer of this number, if it is admitted now.
fn admitted<'a>(tx: &'a Tx, number: OrganisationId) -> Option<&'a Observer> {
    let observer = tx.t.observers.get(&number)?;
    (observer.status == ObserverStatus::Admitted).then_some(observer)
}

/// An observer files a statement.
pub(crate) fn state(
    tx: &mut Tx,
    actor: &Actor,
    entry: &StatementEntry,
) -> Result<Outcome, Refusal> {
    require!(
        admitted(tx, actor.number()).is_some(),
        "M38.not-an-observer",
        organisation = actor.number()
    );
    if let Some(motion) = entry.motion {
        find::<Motion>(&tx.t, motion)?;
    }
    let statement = Statement {
        number: tx.next_id::<StatementId>(),
        organisation: actor.number(),
        entry: entry.clone(),
        record: tx.record,
        filed_ms: tx.now,
    };
    tx.put(statement);
    Ok(Outcome::Applied)
}

impl Effect for AdmitObserver {
    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        vec![self.organisation]
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let body = tx.organisation(self.organisation)?;
        require!(
            body.kind == OrganisationKind::Observer,
            "M38.does-not-observe",
            organisation = self.organisation
        );
        let stands = admitted(tx, self.organisation);
        require!(
            stands.is_none_or(|observer| observer.reading != self.reading),
            "M38.reads-so-already",
            organisation = self.organisation,
            reading = self.reading
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, _due: Due) -> Result<(), Refusal> {
        let to = ObserverStatus::Admitted;
        let Some(mut observer) = tx.t.observers.get(&self.organisation).cloned() else {
            let status = tx.begin::<Observer>(self.organisation, "M38", to)?;
            tx.put(Observer {
                number: self.organisation,
                reading: self.reading,
                motion: Some(motion),
                status,
                since_ms: tx.now,
            });
            return Ok(());
        };
        (observer.reading, observer.motion) = (self.reading, Some(motion));
        tx.advance(observer, "M38", to)
    }
}

impl Effect for EndObserver {
    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        vec![self.organisation]
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        tx.organisation(self.organisation)?;
        require!(
            admitted(tx, self.organisation).is_some(),
            "M38.not-an-observer",
            organisation = self.organisation
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, _due: Due) -> Result<(), Refusal> {
        let Some(mut observer) = tx.t.observers.get(&self.organisation).cloned() else {
            refuse!("M38.not-an-observer", organisation = self.organisation)
        };
        observer.motion = Some(motion);
        tx.advance(observer, "M38", ObserverStatus::Ended)
    }
}
