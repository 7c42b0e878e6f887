//! Filling seats, and the post of chair, by election: the effect of such a motion, and the draw at its
//! last seat (M36; RULINGS R10, R22). What the ballots of an election are is in
//! [`motion::election`](crate::rules::motion::election).

use rollbook_proof::number::OrganisationId;

use crate::id::{DrawId, MotionId};
use crate::lookup::find;
use crate::object::motion::Motion;
use crate::record::{ElectChair, ElectSeat};
use crate::refusal::Refusal;
use crate::rules::effect::Effect;
use crate::rules::funding::draw;
use crate::rules::{chair, seats};
use crate::tx::{Due, Tx};

impl Effect for ElectSeat {
    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        // Whoever may sit on the board may be named: then nobody would be left to elect.
        Vec::new()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        seats::check_election(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        let poll = find::<Motion>(&tx.t, motion)?.poll.clone();
        let elected = poll.map(|poll| poll.elected).unwrap_or_default();
        seats::offer(tx, motion, self, &elected, due)
    }

    fn break_tie(
        &self,
        tx: &mut Tx,
        motion: &Motion,
        names: Vec<OrganisationId>,
    ) -> Result<DrawId, Refusal> {
        draw::among_elected(tx, motion.number, names)
    }
}

impl Effect for ElectChair {
    fn interested(&self, _tx: &Tx) -> Vec<OrganisationId> {
        // Whoever has a vote may be named.
        Vec::new()
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        chair::check(tx, self)
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        chair::offer(tx, self, motion, due)
    }

    fn break_tie(
        &self,
        tx: &mut Tx,
        motion: &Motion,
        names: Vec<OrganisationId>,
    ) -> Result<DrawId, Refusal> {
        draw::among_elected(tx, motion.number, names)
    }
}
