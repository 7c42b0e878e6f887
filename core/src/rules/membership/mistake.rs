//! M41: a state reached by mistake is put right (RULINGS R20): an application whose screening the
//! secretariat ended, as complete or to be returned, though it should not have, is screened again.
//!
//! * The board decides, since the step had no body of its own. It is effective from its own height: the
//!   timeline shows the step and that it was put right. Who vouched has vouched.
//! * The applicant and its sponsors have no voice in it.
//!
//! Absent: other states. What has ended stays ended (domain 1.7), and a verdict on an application for money
//! has its appeal.

use rollbook_proof::number::OrganisationId;

use super::admission::{interested, moved, schedule_days, step};
use crate::calendar::Period;
use crate::id::MotionId;
use crate::lookup::find;
use crate::object::matter::Matter;
use crate::object::membership::{Membership, Standing};
use crate::record::ScreenAgain;
use crate::refusal::Refusal;
use crate::require;
use crate::rules::effect::Effect;
use crate::tx::{DeadlineKind, Due, Tx};

impl Effect for ScreenAgain {
    fn matter(&self, _tx: &Tx, _motion: MotionId) -> Matter {
        Matter::Membership(self.membership)
    }

    fn interested(&self, tx: &Tx) -> Vec<OrganisationId> {
        interested(tx, self.membership)
    }

    fn possible(&self, tx: &Tx) -> Result<(), Refusal> {
        let membership = find::<Membership>(&tx.t, self.membership)?;
        require!(
            matches!(
                membership.standing,
                Standing::Sponsoring | Standing::Returned { .. }
            ),
            "M41.not-put-right",
            membership = self.membership,
            state = membership.standing.state()
        );
        Ok(())
    }

    fn carry_out(&self, tx: &mut Tx, motion: MotionId, due: Due) -> Result<(), Refusal> {
        let number = self.membership;
        let membership = find::<Membership>(&tx.t, number)?.clone();
        let membership = step(tx, membership, "M41", Standing::Screening)?;
        for kind in [
            DeadlineKind::MembershipSponsors,
            DeadlineKind::MembershipBallot,
            DeadlineKind::MembershipResubmit,
        ] {
            tx.cancel(kind, number);
        }
        let days = tx.charter()?.membership.screen_working_days;
        let period = Period::WorkingDays(days);
        schedule_days(tx, DeadlineKind::MembershipScreen, number, period);
        moved(tx, due, &membership, "M41", Some(motion));
        Ok(())
    }
}
