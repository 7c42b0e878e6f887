//! The tally of a motion written a second time, from the published rule and not from the code that it judges.
//!
//! A voice is a group of related companies. A voice is recused as soon as one member of it has a conflict. The first member of a voice
//! whose ballot counts holds the voice; a later ballot of that member replaces its own, a ballot of another member of the voice
//! does not count. Every share is an exact fraction; no product of numerators stands for a comparison.
//!
//! * eligible = voices - recused; a vote needs at least `least` of them and, where a body stands above that could decide
//!   instead, at least half of all voices; else it goes to that body, or is void where there is none
//! * part = yes + no + abstain; cast = yes + no; all = voices
//! * quorum: part / eligible is at least the rule's share
//! * passed: somebody says yes, and yes / base is more than (or at least) the rule's share; nothing passes on an empty base
//! * an election: the most named are elected, if the rule asks it only those named by more than half of part; a tie at the
//!   last seat is left to a draw; seats that stay open go to one run-off
//!
//! Absent: what makes somebody entitled, recused or related, and every clock.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A share between two whole numbers, kept in lowest terms so that equal shares are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    over: u128,
    under: u128,
}

impl Share {
    /// `over / under`; None of a whole that is nothing.
    pub fn of(over: u128, under: u128) -> Option<Share> {
        if under == 0 {
            return None;
        }
        let common = greatest_common(over, under);
        Some(Share {
            over: over / common,
            under: under / common,
        })
    }
}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Share) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Share {
    /// By continued fractions: whole parts first, then the rests turned over. Nothing is multiplied.
    fn cmp(&self, other: &Share) -> Ordering {
        let (mine, theirs) = (self.over / self.under, other.over / other.under);
        if mine != theirs {
            return mine.cmp(&theirs);
        }
        match (self.over % self.under, other.over % other.under) {
            (0, 0) => Ordering::Equal,
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            (a, b) => Share {
                over: other.under,
                under: b,
            }
            .cmp(&Share {
                over: self.under,
                under: a,
            }),
        }
    }
}

fn greatest_common(a: u128, b: u128) -> u128 {
    if b == 0 {
        a.max(1)
    } else {
        greatest_common(b, a % b)
    }
}

/// What a threshold is a share of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whole {
    Cast,
    Part,
    Eligible,
    All,
}

/// One rule of a motion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Share of the eligible voices that has to take part.
    pub quorum: Share,
    /// Share of `whole` that has to say yes.
    pub pass: Share,
    /// Whether more than the share is needed; else the share is enough.
    pub more_than: bool,
    pub whole: Whole,
    /// Least number of eligible voices.
    pub least: u128,
    /// Whether a body stands above the one that decides.
    pub above: bool,
}

/// Mistakes that a tally can make. Each of them, made here, has to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// "At least" is taken for "more than".
    StrictForAtLeast,
    /// Who is recused counts in the base.
    RecusedInTheBase,
    /// Who abstains is among the votes cast.
    AbstentionAmongTheCast,
    /// Two members of a group both vote.
    TwoBallotsOfAGroup,
}

/// A member of the frozen electorate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    pub number: u32,
    /// Its group of related companies.
    pub group: u32,
    /// Whether it has a conflict in the matter.
    pub conflict: bool,
}

/// What a ballot says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Says {
    Yes,
    No,
    Abstain,
    /// The names of an election.
    Names(BTreeSet<u32>),
}

/// The counts, in voices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    pub voices: u128,
    pub recused: u128,
    pub yes: u128,
    pub no: u128,
    pub abstain: u128,
    /// Ballots that name somebody.
    pub named: u128,
}

impl Count {
    pub fn eligible(&self) -> u128 {
        self.voices - self.recused
    }

    pub fn part(&self) -> u128 {
        self.yes + self.no + self.abstain + self.named
    }

    fn whole(&self, whole: Whole, mistake: Option<Mistake>) -> u128 {
        match whole {
            Whole::Cast if mistake == Some(Mistake::AbstentionAmongTheCast) => self.part(),
            Whole::Cast => self.yes + self.no,
            Whole::Part => self.part(),
            Whole::Eligible if mistake == Some(Mistake::RecusedInTheBase) => self.voices,
            Whole::Eligible => self.eligible(),
            Whole::All => self.voices,
        }
    }
}

/// How a vote ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Passed,
    Rejected,
    NoQuorum,
    Void,
    Above,
}

/// The ballots that stand, by group, of all that were handed in, in their order.
pub fn standing(members: &[Member], ballots: &[(u32, Says)]) -> BTreeMap<u32, Says> {
    let recused = recused(members);
    let mut holders: BTreeMap<u32, u32> = BTreeMap::new();
    let mut stand = BTreeMap::new();
    for (who, says) in ballots {
        let Some(member) = members.iter().find(|member| member.number == *who) else {
            continue;
        };
        if recused.contains(&member.group) || *holders.entry(member.group).or_insert(*who) != *who {
            continue;
        }
        stand.insert(member.group, says.clone());
    }
    stand
}

/// The voices with a conflict.
fn recused(members: &[Member]) -> BTreeSet<u32> {
    members
        .iter()
        .filter(|member| member.conflict)
        .map(|member| member.group)
        .collect()
}

/// The counts of one round.
pub fn count(members: &[Member], ballots: &[(u32, Says)], mistake: Option<Mistake>) -> Count {
    let mut count = without_mistake(members, ballots);
    if mistake == Some(Mistake::TwoBallotsOfAGroup) {
        // The newest ballot of every member counts.
        (count.yes, count.no, count.abstain, count.named) = (0, 0, 0, 0);
        let recused = recused(members);
        for member in members
            .iter()
            .filter(|member| !recused.contains(&member.group))
        {
            let own = ballots.iter().rev().find(|(who, _)| *who == member.number);
            if let Some((_, says)) = own {
                add(&mut count, says);
            }
        }
    }
    count
}

fn add(count: &mut Count, says: &Says) {
    match says {
        Says::Yes => count.yes += 1,
        Says::No => count.no += 1,
        Says::Abstain => count.abstain += 1,
        Says::Names(_) => count.named += 1,
    }
}

fn without_mistake(members: &[Member], ballots: &[(u32, Says)]) -> Count {
    let groups: BTreeSet<u32> = members.iter().map(|member| member.group).collect();
    let mut count = Count {
        voices: groups.len() as u128,
        recused: recused(members).len() as u128,
        ..Count::default()
    };
    for says in standing(members, ballots).values() {
        add(&mut count, says);
    }
    count
}

/// Whether enough voices are left to decide: None, or how the vote ends without being counted.
fn unfit(rule: &Rule, count: &Count) -> Option<End> {
    let half = Share::of(1, 2);
    let few = count.eligible() == 0 || count.eligible() < rule.least;
    match (rule.above, few) {
        (false, true) => return Some(End::Void),
        (true, few) if few || Share::of(count.eligible(), count.voices) < half => {
            return Some(End::Above);
        }
        _ => {}
    }
    match Share::of(count.part(), count.eligible()) {
        Some(part) if part >= rule.quorum => None,
        _ => Some(End::NoQuorum),
    }
}

/// How a vote between yes and no ends.
pub fn end(rule: &Rule, count: &Count, mistake: Option<Mistake>) -> End {
    if let Some(end) = unfit(rule, count) {
        return end;
    }
    let Some(share) = Share::of(count.yes, count.whole(rule.whole, mistake)) else {
        return End::Rejected;
    };
    let more_than = rule.more_than || mistake == Some(Mistake::StrictForAtLeast);
    let enough = if more_than {
        share > rule.pass
    } else {
        share >= rule.pass
    };
    if count.yes > 0 && enough {
        End::Passed
    } else {
        End::Rejected
    }
}

/// How an election ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elected {
    /// Those elected without a draw.
    pub elected: BTreeSet<u32>,
    /// Those equal at the last seat, and for how many seats a draw is made among them.
    pub draw: Option<(BTreeSet<u32>, usize)>,
    /// Those who stand in a run-off, and for how many seats.
    pub run_off: Option<(BTreeSet<u32>, usize)>,
}

/// An election of `seats` from `names`; `majority` where the first round asks for more than half of those who took part.
pub fn elect(
    rule: &Rule,
    members: &[Member],
    ballots: &[(u32, Says)],
    names: &BTreeSet<u32>,
    seats: usize,
    majority: bool,
) -> Result<Elected, End> {
    let count = count(members, ballots, None);
    if let Some(end) = unfit(rule, &count) {
        return Err(end);
    }
    if count.named == 0 {
        return Err(End::Rejected);
    }
    let stand = standing(members, ballots);
    let voices_for = |name: u32| {
        stand
            .values()
            .filter(|says| matches!(says, Says::Names(named) if named.contains(&name)))
            .count() as u128
    };
    let qualifies = |name: u32| {
        let half = Share::of(1, 2);
        voices_for(name) > 0 && (!majority || Share::of(voices_for(name), count.part()) > half)
    };
    let able: BTreeSet<u32> = names
        .iter()
        .copied()
        .filter(|name| qualifies(*name))
        .collect();
    let mut elected = BTreeSet::new();
    let mut tied = BTreeSet::new();
    for name in &able {
        let before = able
            .iter()
            .filter(|other| voices_for(**other) > voices_for(*name))
            .count();
        let level = able
            .iter()
            .filter(|other| voices_for(**other) == voices_for(*name))
            .count();
        if before + level <= seats {
            elected.insert(*name);
        } else if before < seats {
            tied.insert(*name);
        }
    }
    let draw = (!tied.is_empty()).then(|| (tied.clone(), seats - elected.len()));
    let open = seats.saturating_sub(able.len());
    let rest: BTreeSet<u32> = names
        .difference(&able)
        .copied()
        .filter(|name| voices_for(*name) > 0)
        .collect();
    let run_off = (majority && open > 0 && !rest.is_empty()).then(|| {
        // Twice as many as there are seats, and whoever is equal to the last of them.
        let stands = |name: &u32| {
            rest.iter()
                .filter(|other| voices_for(**other) > voices_for(*name))
                .count()
                < 2 * open
        };
        (rest.iter().copied().filter(stands).collect(), open)
    });
    Ok(Elected {
        elected,
        draw,
        run_off,
    })
}
