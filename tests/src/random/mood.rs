//! What a seed likes to do: weights of families, how careless it is, how fast its time goes. Drawn
//! once for a run, so that every corner is somebody's habit.

use crate::sim::random::Random;

/// The families of acts by which chances are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    People,
    Membership,
    Motions,
    Posts,
    Relations,
    Nodes,
    Funds,
    Calls,
    Reviews,
    Awards,
    Payments,
    Lives,
}

pub const FAMILIES: [Family; 12] = [
    Family::People,
    Family::Membership,
    Family::Motions,
    Family::Posts,
    Family::Relations,
    Family::Nodes,
    Family::Funds,
    Family::Calls,
    Family::Reviews,
    Family::Awards,
    Family::Payments,
    Family::Lives,
];

/// The habits of one seed.
#[derive(Debug, Clone)]
pub struct Mood {
    weights: [u32; FAMILIES.len()],
    /// Presses on with grants: what else there is to vote on waits.
    pub grants: bool,
    /// Presses on with what becomes of agreements: one company has several, and what was paid is asked
    /// back.
    pub aftermath: bool,
    /// Per cent of drafts that are made unfitting.
    pub twist: u64,
    /// Per cent of choices of persons that do not ask for conflicts.
    pub careless: u64,
    /// Per cent of motions that are meant to pass.
    pub agrees: u64,
    /// Per cent of objects that are left alone: nobody acts until the clock does.
    pub idle: u64,
    /// Per cent of blocks that let months pass.
    pub months: u64,
    /// Members with conflicts, and groups: relations are declared often and join voices.
    pub kin: bool,
    /// A member may vote again and again on one motion.
    pub restless: bool,
    /// One company declares relations with everybody.
    pub gregarious: bool,
}

impl Mood {
    pub fn of(random: &mut Random) -> Mood {
        let mut weights = [0; FAMILIES.len()];
        for weight in &mut weights {
            *weight = *random.pick(&[1, 2, 3]).unwrap();
        }
        // Grants lie deepest: most seeds press on there.
        let grants = random.percent(84);
        if grants {
            weights = [1; FAMILIES.len()];
            for family in [
                Family::Funds,
                Family::Calls,
                Family::Reviews,
                Family::Awards,
                Family::Payments,
                Family::Lives,
            ] {
                weights[family as usize] = 6;
            }
        }
        let aftermath = grants && random.percent(45);
        if aftermath {
            weights[Family::Lives as usize] = 16;
        }
        // Whoever does not vote gets nowhere.
        weights[Family::Motions as usize] = 4;
        Mood {
            weights,
            grants,
            aftermath,
            twist: random.between(8, 22),
            careless: random.between(5, 40),
            agrees: random.between(84, 98),
            idle: if aftermath { 0 } else { random.between(1, 6) },
            months: if aftermath {
                0
            } else {
                *random.pick(&[0, 0, 0, 1, 3]).unwrap()
            },
            kin: random.percent(30),
            restless: random.percent(20),
            gregarious: random.percent(12),
        }
    }

    pub fn weight(&self, family: Family) -> u32 {
        self.weights[family as usize]
    }
}
