//! The demo's story as a script (domain 5.3 and 5.4 in the small; RULINGS A5, R24): production
//! rules and periods, a sample clock.
//!
//! * [`play`] runs over a [`Stage`]: one writer in a suite, four node processes in `rollbook demo`.
//!   The script is the same, the records are the same kind, and every expectation is checked, so a
//!   rule that changes breaks the story at its step.
//! * Roles are read from the ledger: board, posts, officers. Only the members' parts are fixed, by
//!   number; everybody is "Founding member NN" or a fictional applicant.
//! * Refusals are part of it: each names the rule that it must meet.
//! * Absent: what this build does not have (elections, arrears, changes of agreements, recoveries).

use std::collections::BTreeMap;

use rollbook_core::account::{Account, AccountKind};
use rollbook_core::calendar::{DEFAULT_OFFSET_MINUTES, LocalDay, MS_PER_DAY};
use rollbook_core::id::{
    AgreementId, AwardId, CallId, DirectionId, FundId, MotionId, PaymentId, PersonId,
};
use rollbook_core::identity::{ActClass, Name, Role, Scope, commitment};
use rollbook_core::lookup::seats;
use rollbook_core::record::{
    Ballot, BallotVote, Body, Choice, Declaration, MotionAct, MotionEffect, Payload, Proposal,
    Record,
};
use rollbook_core::refusal::{NotCounted, Outcome};
use rollbook_core::state::StateTables;
use rollbook_core::tx::DeadlineKind;
use rollbook_core::word::Word as _;
use rollbook_proof::codec::Text;
use rollbook_proof::crypto::{Hash, Keypair, sha256};
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_words::amount::money;

use crate::sign::{VALID_MS, sample_nonce, signed};

mod calls;
mod funds;
mod members;
pub mod network;
mod payments;

/// One yuan in minor units.
pub const YUAN: u64 = 100;

/// A record that is final.
#[derive(Debug, Clone)]
pub struct Settled {
    /// What came of it.
    pub outcome: Outcome,
    /// Height of its block.
    pub height: u64,
}

/// A record that is not in the log.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The rule.
    pub code: String,
    /// Facts of the case.
    pub facts: Vec<(String, String)>,
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        self.facts
            .iter()
            .try_for_each(|(name, value)| write!(f, ", {name} {value}"))
    }
}

/// The parts of the story, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chapter {
    /// One applicant is admitted, another is not.
    Members,
    /// A fund with its officers, contributions, pools.
    Fund,
    /// A call, applications, draw, reviews, ranking.
    Call,
    /// Awards by the right bodies.
    Award,
    /// Agreement, advance, milestone, payment.
    Payment,
}

/// All chapters.
pub const CHAPTERS: [Chapter; 5] = [
    Chapter::Members,
    Chapter::Fund,
    Chapter::Call,
    Chapter::Award,
    Chapter::Payment,
];

/// One line of the telling.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// Key of the sentence, `story.KEY`.
    pub key: &'a str,
    /// Its facts.
    pub facts: &'a [(&'a str, String)],
    /// The rule it follows or meets.
    pub rule: &'a str,
    /// Height of the last block it touched.
    pub height: u64,
    /// Whether the point is that the ledger said no.
    pub refused: bool,
}

/// Where the story is played.
pub trait Stage {
    /// Genesis hash.
    fn chain(&self) -> Hash;
    /// The key of a person; sample alliances derive them from a seed.
    fn key(&self, person: u32) -> Keypair;
    /// Ledger time at which the next record would be judged, about.
    fn now(&self) -> u64;
    /// The tables at a height that covers everything submitted so far, verified.
    fn tables(&self) -> &StateTables;
    /// Submits records that do not rest on one another and waits until each is final or refused;
    /// answers in their order.
    fn submit(&mut self, records: Vec<Record>) -> Result<Vec<Result<Settled, Rejected>>, String>;
    /// Moves ledger time to at least `to` and waits until everything due by then has happened.
    fn advance(&mut self, to: u64) -> Result<(), String>;
    /// A chapter begins.
    fn chapter(&mut self, chapter: Chapter) -> Result<(), String>;
    /// Tells a step.
    fn tell(&mut self, step: &Step<'_>);
}

/// Why the story stopped.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// The stage failed: network, disk, processes.
    #[error("{0}")]
    Stage(String),
    /// A record was refused that should not be.
    #[error("step '{step}' was refused: {refusal}")]
    Refused {
        /// The step.
        step: String,
        /// By which rule.
        refusal: Rejected,
    },
    /// The ledger's answer is not the one the story is about.
    #[error("step '{step}': expected {expected}, found {found}")]
    Unexpected {
        /// The step.
        step: String,
        /// What the story says.
        expected: String,
        /// What the ledger says.
        found: String,
    },
}

/// Result of a step.
pub type Told<T = ()> = Result<T, StoryError>;

/// What stands at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Balances in minor units that were checked, by account.
    pub accounts: Vec<(Account, i128)>,
    /// Refusals shown on purpose, with what was recorded without effect.
    pub refusals: Vec<String>,
}

/// The story while it is told.
pub struct Story<'a> {
    stage: &'a mut dyn Stage,
    sequences: BTreeMap<u32, u64>,
    refusals: Vec<String>,
    height: u64,
}

/// Plays the whole story. The alliance is founded before.
pub fn play(stage: &mut dyn Stage) -> Told<Ending> {
    let mut story = Story {
        stage,
        sequences: BTreeMap::new(),
        refusals: Vec::new(),
        height: 1,
    };
    for chapter in CHAPTERS {
        story.stage.chapter(chapter).map_err(StoryError::Stage)?;
        match chapter {
            Chapter::Members => story.members()?,
            Chapter::Fund => story.fund()?,
            Chapter::Call => story.call()?,
            Chapter::Award => story.awards()?,
            Chapter::Payment => story.payments()?,
        }
    }
    let accounts = story.balance_sheet()?;
    Ok(Ending {
        accounts,
        refusals: story.refusals,
    })
}

/// A short text; the story's own are all short enough.
fn text<const MAX: usize>(value: &str) -> Text<MAX> {
    Text::new(value).unwrap_or_default()
}

fn name(native: &str, latin: &str) -> Name {
    Name {
        native: text(native),
        latin: text(latin),
    }
}

/// The hash of a paper that exists only in the story.
/// Number of the fund's bank account, made up.
pub const FUND_ACCOUNT: &str = "6222 0000 0001 0001";
/// Number of the account that the grantee is paid to, made up.
pub const PAYEE_ACCOUNT: &str = "6217 0000 0020 0020";

/// The salt of the commitment to an account: what its owner would keep in an opening.
pub fn account_salt(account: &str) -> Hash {
    paper(&format!("salt of {account}"))
}

/// The commitment to an account, as it stands on the ledger.
pub fn sealed_account(account: &str) -> Hash {
    commitment::content(&account_salt(account).0, account.as_bytes())
}

fn paper(label: &str) -> Hash {
    sha256(format!("Fictional sample paper: {label}").as_bytes())
}

/// Yuan with grouping.
fn yuan(minor: u64) -> String {
    money(i128::from(minor), 2)
}

impl Story<'_> {
    fn tables(&self) -> &StateTables {
        self.stage.tables()
    }

    fn today(&self) -> i64 {
        let offset = self
            .tables()
            .parameters
            .iter()
            .last()
            .map_or(DEFAULT_OFFSET_MINUTES, |(_, charter)| {
                charter.offset_minutes
            });
        LocalDay::of(LedgerTime(self.stage.now()), offset).0
    }

    /// What the ledger should have and has not.
    fn missing(&self, step: &str, what: impl Into<String>) -> StoryError {
        StoryError::Unexpected {
            step: step.to_owned(),
            expected: what.into(),
            found: "nothing".to_owned(),
        }
    }

    fn expect<T: PartialEq + std::fmt::Debug>(&self, step: &str, expected: T, found: T) -> Told {
        if expected == found {
            Ok(())
        } else {
            let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
            Err(StoryError::Unexpected {
                step: step.to_owned(),
                expected,
                found,
            })
        }
    }

    fn tell(&mut self, key: &str, rule: &str, facts: &[(&str, String)]) {
        self.stage.tell(&Step {
            key,
            facts,
            rule,
            height: self.height,
            refused: false,
        });
    }

    /// A signed record. The first signer begins it.
    fn record(&mut self, principal: u32, signers: &[(u32, Role)], body: Body) -> Record {
        let officer = signers.first().map_or(0, |(person, _)| *person);
        let used = self
            .tables()
            .lanes
            .get(&(PersonId(officer), body.read_class()))
            .map_or(0, |lane| lane.highest);
        let sequence = self.sequences.get(&officer).copied().unwrap_or(0).max(used) + 1;
        self.sequences.insert(officer, sequence);
        let payload = Payload {
            chain: self.stage.chain(),
            principal: OrganisationId(principal),
            officer: PersonId(officer),
            sequence,
            valid_until_ms: LedgerTime(self.stage.now() + VALID_MS),
            nonce: sample_nonce(officer, sequence),
            body,
        };
        signed(payload, signers, |person| self.stage.key(person))
    }

    /// The two officers of a company: the primary, and finance where money is meant, else the
    /// alternate.
    fn officers(&self, company: u32, body: &Body) -> Vec<(u32, Role)> {
        let second = if body.class() == ActClass::Money {
            Role::Finance
        } else {
            Role::Alternate
        };
        self.pair(company, second)
    }

    fn pair(&self, company: u32, second: Role) -> Vec<(u32, Role)> {
        let officers = self
            .tables()
            .organisations
            .get(&OrganisationId(company))
            .map(|entry| entry.officers.clone())
            .unwrap_or_default();
        let officers = officers.into_iter().map(|person| person.0);
        officers.zip([Role::Primary, second]).collect()
    }

    /// Office and holder of the `nth` post of a role for the whole alliance.
    fn post(&self, role: Role, nth: usize) -> (u32, u32) {
        let mut posts = self
            .tables()
            .posts
            .iter()
            .filter(|(_, post)| post.role == role && post.scope == Scope::Alliance);
        posts
            .nth(nth)
            .map_or((0, 0), |(_, post)| (post.office.0, post.holder.0))
    }

    fn by_member(&mut self, company: u32, body: Body) -> Record {
        let signers = self.officers(company, &body);
        self.record(company, &signers, body)
    }

    fn by_post(&mut self, role: Role, nth: usize, body: Body) -> Record {
        let (office, holder) = self.post(role, nth);
        self.record(office, &[(holder, role)], body)
    }

    /// Submits records that must all take effect; their ids.
    fn settle(&mut self, step: &str, records: Vec<Record>) -> Told<Vec<Hash>> {
        let answers = self.answers(step, records)?;
        for (_, outcome) in &answers {
            self.expect(step, Outcome::Applied, *outcome)?;
        }
        Ok(answers.into_iter().map(|(id, _)| id).collect())
    }

    fn one(&mut self, step: &str, record: Record) -> Told<Hash> {
        let ids = self.settle(step, vec![record])?;
        ids.first()
            .copied()
            .ok_or_else(|| self.missing(step, "a record id"))
    }

    /// Submits records that must all be in the log; ids with outcomes.
    fn answers(&mut self, step: &str, records: Vec<Record>) -> Told<Vec<(Hash, Outcome)>> {
        let ids: Vec<Hash> = records.iter().map(|record| record.payload.id()).collect();
        let answers = self.stage.submit(records).map_err(StoryError::Stage)?;
        let mut outcomes = Vec::with_capacity(ids.len());
        for (id, answer) in ids.into_iter().zip(answers) {
            let settled = answer.map_err(|refusal| StoryError::Refused {
                step: step.to_owned(),
                refusal,
            })?;
            self.height = self.height.max(settled.height);
            outcomes.push((id, settled.outcome));
        }
        Ok(outcomes)
    }

    /// A record that must be refused by this rule, and is told.
    fn refused(
        &mut self,
        step: &str,
        rule: &str,
        facts: &[(&str, String)],
        record: Record,
    ) -> Told {
        let answers = self.stage.submit(vec![record]).map_err(StoryError::Stage)?;
        match answers.into_iter().next() {
            Some(Err(refusal)) if refusal.code == rule => {
                self.refusals.push(refusal.code);
                self.stage.tell(&Step {
                    key: step,
                    facts,
                    rule,
                    height: self.height,
                    refused: true,
                });
                Ok(())
            }
            other => {
                let found = match other.map(|answer| answer.map(|settled| settled.outcome)) {
                    None => "nothing".to_owned(),
                    Some(Ok(Outcome::Applied)) => "applied".to_owned(),
                    Some(Ok(Outcome::NotCounted(reason))) => reason.word().to_owned(),
                    Some(Err(refusal)) => refusal.to_string(),
                };
                Err(StoryError::Unexpected {
                    step: step.to_owned(),
                    expected: format!("a refusal by {rule}"),
                    found,
                })
            }
        }
    }

    /// A record that must be recorded without effect, and is told.
    fn without_effect(
        &mut self,
        step: &str,
        why: NotCounted,
        facts: &[(&str, String)],
        record: Record,
    ) -> Told {
        let answers = self.answers(step, vec![record])?;
        self.expect(
            step,
            vec![Outcome::NotCounted(why)],
            answers
                .iter()
                .map(|(_, outcome)| *outcome)
                .collect::<Vec<_>>(),
        )?;
        let rule = match why {
            NotCounted::LateApplication => "F06",
            NotCounted::DuplicateGroup | NotCounted::Recused => "R1",
        };
        self.refusals.push(format!("{rule} {}", why.word()));
        self.stage.tell(&Step {
            key: step,
            facts,
            rule,
            height: self.height,
            refused: true,
        });
        Ok(())
    }

    fn advance(&mut self, to: u64) -> Told {
        self.stage.advance(to).map_err(StoryError::Stage)
    }

    fn wait_days(&mut self, days: u64) -> Told {
        self.advance(self.stage.now() + days * MS_PER_DAY)
    }

    /// Moves time right past a deadline, if it runs.
    fn past(&mut self, kind: DeadlineKind, object: u32) -> Told {
        match self
            .tables()
            .deadline_of
            .get(&(kind as u16, object))
            .copied()
        {
            Some(due) => self.advance(due.0 + 1),
            None => Ok(()),
        }
    }

    /// Members of the board, by organisation.
    fn board(&self) -> Vec<u32> {
        seats::holders(self.tables())
            .map(|organisation| organisation.0)
            .collect()
    }

    /// A proposal with the shortest ballot that the charter allows for its kind and body.
    fn proposal(
        &self,
        effect: MotionEffect,
        body: rollbook_core::charter::motions::BodyKind,
        label: &str,
    ) -> Body {
        let rule = effect.kind().and_then(|kind| {
            self.tables()
                .parameters
                .iter()
                .last()?
                .1
                .rules
                .rule(kind, body)
        });
        let ballot_days = match rule.map(|rule| rule.ballot_min) {
            Some(
                rollbook_core::calendar::Period::Days(days)
                | rollbook_core::calendar::Period::WorkingDays(days),
            ) => days,
            _ => 7,
        };
        Body::Motion(MotionAct::Propose(Proposal {
            effect,
            ballot_days,
            text: paper(label),
        }))
    }

    fn newest_motion(&self) -> u32 {
        (self
            .tables()
            .motions
            .last_key()
            .copied()
            .unwrap_or(MotionId(0)))
        .0
    }

    fn ballot(
        &mut self,
        member: u32,
        motion: u32,
        choice: Choice,
        criterion: Option<&str>,
    ) -> Record {
        let criterion = criterion.map(text);
        self.by_member(
            member,
            Body::Motion(MotionAct::Vote(Ballot {
                motion: MotionId(motion),
                round: 1,
                replaces: Vec::new(),
                vote: BallotVote::Choice(choice),
                criterion,
                declaration: Declaration::None,
                proxy_for: None,
            })),
        )
    }

    /// These members vote yes on these motions.
    fn all_yes(&mut self, step: &str, members: &[u32], motions: &[u32]) -> Told {
        let mut records = Vec::new();
        for motion in motions {
            for member in members {
                records.push(self.ballot(*member, *motion, Choice::Yes, None));
            }
        }
        self.settle(step, records).map(|_| ())
    }

    /// Moves time past the close and the stay of these motions; each must have passed and taken
    /// effect.
    fn carry(&mut self, step: &str, motions: &[u32]) -> Told {
        for motion in motions {
            self.past(DeadlineKind::MotionClose, *motion)?;
        }
        for motion in motions {
            self.past(DeadlineKind::MotionEffect, *motion)?;
        }
        for motion in motions {
            let status = self
                .tables()
                .motions
                .get(&MotionId(*motion))
                .map(|motion| motion.status);
            self.expect(
                step,
                Some(rollbook_core::object::motion::MotionStatus::CarriedOut),
                status,
            )?;
        }
        Ok(())
    }

    /// Counts of a motion, as facts.
    fn counts(&self, motion: u32) -> Vec<(&'static str, String)> {
        let tally = self
            .tables()
            .motions
            .get(&MotionId(motion))
            .and_then(|motion| motion.tally.as_ref());
        let number = |which: fn(&rollbook_core::tally::Counts) -> u32| {
            tally.map_or_else(String::new, |tally| which(&tally.counts).to_string())
        };
        vec![
            ("motion", motion.to_string()),
            ("yes", number(|counts| counts.yes)),
            ("no", number(|counts| counts.no)),
            ("voices", number(|counts| counts.electorate)),
            ("recused", number(|counts| counts.recused)),
        ]
    }

    /// Checks the balances of the fund against the numbers of the story.
    fn balance_sheet(&mut self) -> Told<Vec<(Account, i128)>> {
        let million = 1_000_000 * i128::from(YUAN);
        let expected = [
            (AccountKind::Free, 23 * million),
            (AccountKind::Direction(DirectionId(1)), 0),
            (AccountKind::Call(CallId(1)), 57 * million / 10),
            (AccountKind::Award(AwardId(1)), 0),
            (AccountKind::Award(AwardId(2)), 3 * million / 10),
            (AccountKind::Committed(AgreementId(1)), 24 * million / 10),
            (AccountKind::InTransit(PaymentId(1)), 0),
            (AccountKind::InTransit(PaymentId(2)), 0),
            (AccountKind::Paid(AgreementId(1)), 36 * million / 10),
        ];
        let mut sheet = Vec::new();
        for (kind, amount) in expected {
            let account = Account {
                fund: FundId(1),
                kind,
            };
            let found = self
                .tables()
                .accounts
                .get(&account)
                .map_or(0, |balance| balance.0);
            self.expect(&format!("balance of {account}"), amount, found)?;
            sheet.push((account, found));
        }
        let total: i128 = self
            .tables()
            .accounts
            .iter()
            .map(|(_, balance)| balance.0)
            .sum();
        self.expect("all accounts of the fund", 0, total)?;
        let sum = |wanted: fn(&AccountKind) -> bool| -> i128 {
            sheet
                .iter()
                .filter(|(account, _)| wanted(&account.kind))
                .map(|(_, amount)| *amount)
                .sum()
        };
        let facts = [
            ("free", money(sum(|kind| *kind == AccountKind::Free), 2)),
            (
                "calls",
                money(sum(|kind| matches!(kind, AccountKind::Call(_))), 2),
            ),
            (
                "awards",
                money(sum(|kind| matches!(kind, AccountKind::Award(_))), 2),
            ),
            (
                "committed",
                money(sum(|kind| matches!(kind, AccountKind::Committed(_))), 2),
            ),
            (
                "paid",
                money(sum(|kind| matches!(kind, AccountKind::Paid(_))), 2),
            ),
        ];
        self.tell("balances", "N3", &facts);
        Ok(sheet)
    }
}
