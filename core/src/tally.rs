//! The tally: from counts to an outcome, with its arithmetic (domain 1.6, RULINGS R1, R7).
//!
//! * Every number counts voices: groups with at least one entitled member, as frozen at opening.
//!   Who is a voice, whose ballot counts and who is recused is settled before; this function sees
//!   numbers only, so anyone can do it again on paper.
//! * Integers only, 128 bits wide, no division. A tie fails. Silence is never a yes: it can only
//!   keep a motion from passing.
//! * Order of the questions: can the counts be; are there enough unrelated voices; quorum;
//!   majority.

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Wire};
use rollbook_proof::number::OrganisationId;

use crate::charter::motions::{Base, BodyKind, MotionRule, Pass, Threshold};

/// Default of the charter parameter `min_elig`: the least number of voices that may decide.
pub const DEFAULT_MIN_ELIG: u32 = 3;

/// What was counted, in voices.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Counts {
    /// Voices at opening (E).
    pub electorate: u32,
    /// Voices with a conflict.
    pub recused: u32,
    /// Yes; in an election, ballots that name at least one candidate.
    pub yes: u32,
    /// No; in an election 0.
    pub no: u32,
    /// Explicit abstentions.
    pub abstain: u32,
}

impl Counts {
    /// Voices that took part.
    pub fn part(&self) -> u64 {
        u64::from(self.yes) + u64::from(self.no) + u64::from(self.abstain)
    }

    /// Voices that may decide; 0 if the counts cannot be.
    pub fn elig(&self) -> u32 {
        self.electorate.saturating_sub(self.recused)
    }

    /// Whether every voice that may has taken part.
    pub fn all_voted(&self) -> bool {
        self.part() == u64::from(self.elig())
    }
}

/// Why a motion cannot be decided at all.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum VoidReason {
    /// More recused than voices, or more ballots than eligible voices: the counting was wrong.
    ImpossibleCounts,
    /// The assembly itself has too few unrelated voices.
    TooFewVoices,
}

/// Why a body passes a motion up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum EscalateReason {
    /// Fewer eligible voices than `min_elig`.
    TooFewVoices,
    /// More than half of the voices are recused.
    MostRecused,
}

/// What the counts come to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Passed; in an election: held, [`elect`] says who.
    Passed,
    /// Not passed.
    Rejected,
    /// Too few took part.
    NoQuorum,
    /// Cannot be decided.
    Void(VoidReason),
    /// Goes to the body above.
    Escalate {
        /// Which body.
        to: BodyKind,
        /// Why.
        reason: EscalateReason,
    },
}

/// Which question a line of the arithmetic answers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// recused <= E and part <= elig.
    PossibleRecused,
    /// part <= elig.
    PossiblePart,
    /// elig >= min_elig.
    EnoughVoices,
    /// 2 elig >= E.
    MostUnrelated,
    /// part qd >= qn elig.
    Quorum,
    /// yes > 0.
    SomeYes,
    /// yes > no.
    NoTie,
    /// yes td > tn base, or >=.
    Majority,
}

/// One inequality with its numbers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Line {
    /// What it answers.
    pub question: Question,
    /// Left side.
    pub left: u128,
    /// `>` (true) or `>=`.
    pub strict: bool,
    /// Right side.
    pub right: u128,
    /// Whether it holds.
    pub holds: bool,
}

/// A tally: what went in, what came out, and every step between.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// What was counted.
    pub counts: Counts,
    /// The rule it was judged by.
    pub rule: MotionRule,
    /// The charter's least number of voices.
    pub min_elig: u32,
    /// The inequalities in the order they were asked, up to the first that settled the outcome.
    pub lines: Vec<Line>,
    /// The result.
    pub outcome: Outcome,
}

impl Wire for Tally {
    /// Generous: counts, rule, at most eight lines.
    const MAX: usize = 1024;

    /// The arithmetic is the one of these counts: a tally that says anything else is not a tally.
    fn check(&self) -> Result<(), DecodeError> {
        if *self == tally(self.counts, &self.rule, self.min_elig) {
            Ok(())
        } else {
            Err(DecodeError::rule(
                "the tally does not follow from its own counts and rule",
            ))
        }
    }
}

/// Counts a motion. Pure: the same counts, rule and `min_elig` give the same tally, byte for byte.
pub fn tally(counts: Counts, rule: &MotionRule, min_elig: u32) -> Tally {
    let mut asked = Asked(Vec::new());
    let outcome = decide(&counts, rule, min_elig, &mut asked);
    Tally {
        counts,
        rule: *rule,
        min_elig,
        lines: asked.0,
        outcome,
    }
}

struct Asked(Vec<Line>);

impl Asked {
    fn ask(&mut self, question: Question, left: u128, strict: bool, right: u128) -> bool {
        let holds = if strict { left > right } else { left >= right };
        self.0.push(Line {
            question,
            left,
            strict,
            right,
            holds,
        });
        holds
    }
}

fn decide(counts: &Counts, rule: &MotionRule, min_elig: u32, asked: &mut Asked) -> Outcome {
    let (all, part, elig) = (
        u128::from(counts.electorate),
        u128::from(counts.part()),
        u128::from(counts.elig()),
    );
    let (yes, no) = (u128::from(counts.yes), u128::from(counts.no));
    if !asked.ask(
        Question::PossibleRecused,
        all,
        false,
        u128::from(counts.recused),
    ) || !asked.ask(Question::PossiblePart, elig, false, part)
    {
        return Outcome::Void(VoidReason::ImpossibleCounts);
    }
    let enough = asked.ask(Question::EnoughVoices, elig, false, u128::from(min_elig));
    match rule.body.above() {
        None if !enough => return Outcome::Void(VoidReason::TooFewVoices),
        Some(to) if !enough => {
            return Outcome::Escalate {
                to,
                reason: EscalateReason::TooFewVoices,
            };
        }
        // In the assembly only min_elig applies (RULINGS R7): there is nobody above to ask.
        Some(to) if !asked.ask(Question::MostUnrelated, 2 * elig, false, all) => {
            return Outcome::Escalate {
                to,
                reason: EscalateReason::MostRecused,
            };
        }
        _ => {}
    }
    let (qn, qd) = (u128::from(rule.quorum.n), u128::from(rule.quorum.d));
    if !asked.ask(Question::Quorum, part * qd, false, qn * elig) {
        return Outcome::NoQuorum;
    }
    let passed = asked.ask(Question::SomeYes, yes, true, 0)
        && match rule.pass {
            Pass::Plurality(_) => true,
            Pass::Threshold(threshold) => {
                // The floors make this follow from the majority; it is asked so that a tie fails
                // under any rule.
                asked.ask(Question::NoTie, yes, true, no)
                    && asked.ask(
                        Question::Majority,
                        yes * u128::from(threshold.fraction.d),
                        threshold.strict,
                        u128::from(threshold.fraction.n) * base(&threshold, counts),
                    )
            }
        };
    if passed {
        Outcome::Passed
    } else {
        Outcome::Rejected
    }
}

fn base(threshold: &Threshold, counts: &Counts) -> u128 {
    match threshold.base {
        Base::Cast => u128::from(counts.yes) + u128::from(counts.no),
        Base::Part => u128::from(counts.part()),
        Base::Elig => u128::from(counts.elig()),
        Base::All => u128::from(counts.electorate),
    }
}

impl Tally {
    /// The arithmetic for a certificate, one line a question: formula, numbers, verdict.
    /// Language-free.
    pub fn explain(&self) -> Vec<String> {
        let counts = &self.counts;
        let (elig, part) = (counts.elig(), counts.part());
        let mut text = vec![
            format!(
                "elig = E - recused = {} - {} = {elig}",
                counts.electorate, counts.recused
            ),
            format!(
                "part = yes + no + abstain = {} + {} + {} = {part}",
                counts.yes, counts.no, counts.abstain
            ),
        ];
        for line in &self.lines {
            let sign = if line.strict { ">" } else { ">=" };
            let (left, right) = self.formula(line.question);
            let holds = if line.holds { "holds" } else { "fails" };
            text.push(format!(
                "{left} {sign} {right}: {} {sign} {} {holds}",
                line.left, line.right
            ));
        }
        text
    }

    fn formula(&self, question: Question) -> (String, String) {
        let quorum = self.rule.quorum;
        match question {
            Question::PossibleRecused => ("E".into(), "recused".into()),
            Question::PossiblePart => ("elig".into(), "part".into()),
            Question::EnoughVoices => ("elig".into(), "min_elig".into()),
            Question::MostUnrelated => ("2 x elig".into(), "E".into()),
            Question::Quorum => (
                format!("part x {}", quorum.d),
                format!("{} x elig", quorum.n),
            ),
            Question::SomeYes => ("yes".into(), "0".into()),
            Question::NoTie => ("yes".into(), "no".into()),
            Question::Majority => match self.rule.pass {
                Pass::Threshold(t) => (
                    format!("yes x {}", t.fraction.d),
                    format!("{} x {}", t.fraction.n, t.base.name()),
                ),
                Pass::Plurality(_) => ("yes".into(), "0".into()),
            },
        }
    }
}

/// Who an election elects (RULINGS R10).
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Election {
    /// Elected, most votes first; equal votes in the order of the candidates' numbers.
    pub elected: Vec<OrganisationId>,
    /// Equal at the last seats: a recorded draw decides among these.
    pub tied: Vec<OrganisationId>,
    /// Seats the draw fills.
    pub by_draw: u32,
    /// Seats nobody reached; with a majority rule they go to one run-off after 7 days.
    pub open: u32,
}

/// The candidates with most votes for `seats`, from (candidate, votes) pairs; `tally` is the tally
/// of the same election, which must have passed. Nobody without a vote is elected; under a majority
/// rule nobody below it.
pub fn elect(tally: &Tally, votes: &[(OrganisationId, u32)], seats: u32) -> Election {
    if tally.outcome != Outcome::Passed {
        return Election {
            open: seats,
            ..Election::default()
        };
    }
    let reaches = |votes: u32| match tally.rule.pass {
        Pass::Plurality(Some(majority)) => {
            let (left, right) = (
                u128::from(votes) * u128::from(majority.fraction.d),
                u128::from(majority.fraction.n) * base(&majority, &tally.counts),
            );
            if majority.strict {
                left > right
            } else {
                left >= right
            }
        }
        _ => true,
    };
    let mut ranked: Vec<(OrganisationId, u32)> = votes
        .iter()
        .copied()
        .filter(|(_, votes)| *votes > 0 && reaches(*votes))
        .collect();
    ranked.sort_by(|(a, a_votes), (b, b_votes)| b_votes.cmp(a_votes).then(a.cmp(b)));
    let count =
        |candidates: &[(OrganisationId, u32)]| u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let numbers = |candidates: &[(OrganisationId, u32)]| {
        candidates
            .iter()
            .map(|(candidate, _)| *candidate)
            .collect::<Vec<OrganisationId>>()
    };
    if count(&ranked) <= seats {
        return Election {
            open: seats - count(&ranked),
            elected: numbers(&ranked),
            ..Election::default()
        };
    }
    // More than enough: `seats` is below the length, so both neighbours of the border exist unless
    // there are no seats.
    let border = ranked.get(seats as usize).map_or(0, |(_, votes)| *votes);
    let above = ranked.partition_point(|(_, votes)| *votes > border);
    let equal = ranked.partition_point(|(_, votes)| *votes >= border);
    let by_draw = seats - count(&ranked[..above]);
    let tied = if by_draw == 0 {
        Vec::new()
    } else {
        numbers(&ranked[above..equal])
    };
    Election {
        elected: numbers(&ranked[..above]),
        tied,
        by_draw,
        open: 0,
    }
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
