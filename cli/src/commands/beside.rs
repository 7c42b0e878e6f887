//! What belongs to an object, in words: the ballots of a motion and its arithmetic, the ranking of a
//! call, the reviews of an application, the milestones of an agreement, the officers of an organisation.

mod affairs;
mod organisation;
mod relations;

use comfy_table::Table;
use rollbook_core::account::{Amount, Unit};
use rollbook_core::charter::motions::{Base, Pass};
use rollbook_core::id::Id;
use rollbook_core::object::application::Score;
use rollbook_core::record::{Criterion, Verdict};
use rollbook_core::rules::motion::Ground;
use rollbook_core::tally::{Line, Outcome, Question, Tally};
use rollbook_core::view::{
    AgreementView, ApplicationView, BallotLine, CallView, Entry, MotionView, Needs, Party,
    PollView, View,
};
use rollbook_core::word::Word;
use rollbook_words::catalogue::{in_words, t};
use rollbook_words::dates::time;

use crate::act::next::state;
use crate::objects::both_names;
use crate::output;
use crate::output::{print, word};

/// Prints a view.
pub fn show(view: &View) {
    match view {
        View::Motion(view) => motion(view),
        View::Call(view) => call(view),
        View::Application(view) => application(view),
        View::Agreement(view) => agreement(view),
        View::Organisation(view) => organisation::show(view),
        View::Direction(view) => affairs::direction(view),
        View::Corrected(lines) => affairs::corrections(lines),
    }
}

fn lines(table: &Table) {
    for line in table.to_string().lines() {
        print(line.trim_end());
    }
}

/// A company or office, by number and name.
pub fn party(party: &Party) -> String {
    let name = party
        .name
        .as_ref()
        .map(|name| both_names(name.native.as_str(), name.latin.as_str()));
    format!("{} {}", party.number.short(), name.unwrap_or_default())
        .trim_end()
        .to_owned()
}

fn joined(parties: impl Iterator<Item = String>) -> String {
    let parties: Vec<String> = parties.collect();
    if parties.is_empty() {
        t("beside.nobody", &[])
    } else {
        parties.join(", ")
    }
}

fn motion(view: &MotionView) {
    for (object, number) in &view.made {
        let kind = word(object);
        let facts = [
            ("object", t(&format!("object.{kind}"), &[])),
            ("number", number.to_string()),
        ];
        print(t("beside.made", &facts));
    }
    if view.round == 0 {
        return print(t("beside.no-ballots-yet", &[]));
    }
    let round = ("round", view.round.to_string());
    print(match view.closes_ms {
        Some(closes) => t("beside.ballots-open", &[round, ("until", time(closes))]),
        None => t("beside.ballots", &[round]),
    });
    if let Some(poll) = &view.poll {
        election(poll);
    }
    match &view.ballots {
        Some(ballots) => ballot_table(ballots),
        None => print(t("beside.ballots-for-members", &[])),
    }
    if let Some(count) = view.unopened.filter(|_| view.sealed) {
        print(t("beside.sealed", &[("count", count.to_string())]));
    }
    for line in view.proxies.iter().flatten() {
        let facts = [
            ("holder", party(&line.holder)),
            ("giver", party(&line.giver)),
        ];
        print(t("beside.proxy", &facts));
    }
    if let Some(needs) = &view.needs {
        needed(needs, view.poll.is_some());
    }
    for (_, entry) in &view.minutes {
        let facts = [
            ("at", time(entry.at_ms)),
            ("agenda", entry.papers.agenda.to_hex()),
            ("attendance", entry.papers.attendance.to_hex()),
            ("minutes", entry.papers.minutes.to_hex()),
        ];
        print(t("beside.minutes", &facts));
    }
    if let Some(tally) = &view.tally {
        let key = match view.closes_ms {
            Some(_) => "beside.arithmetic-now",
            None => "beside.arithmetic",
        };
        print(t(key, &[]));
        for line in arithmetic(tally) {
            print(format!("  {line}"));
        }
    }
}

/// An election: how many seats, who stands, the voices for each name, who is elected.
fn election(poll: &PollView) {
    let names = |of: &[Party]| joined(of.iter().map(party));
    let facts = [
        ("places", poll.places.to_string()),
        ("names", names(&poll.candidates)),
    ];
    let key = if poll.run_off {
        "beside.run-off"
    } else {
        "beside.places"
    };
    print(t(key, &facts));
    for (name, votes) in poll.votes.iter().flatten() {
        let facts = [("name", party(name)), ("votes", votes.to_string())];
        print(format!("  {}", t("beside.votes", &facts)));
    }
    if !poll.elected.is_empty() {
        print(t("beside.elected", &[("names", names(&poll.elected))]));
    }
    if let Some(draw) = poll.draw {
        print(t("beside.draw", &[("draw", draw.short().to_string())]));
    }
    if poll.open > 0 {
        print(t("beside.open-seats", &[("count", poll.open.to_string())]));
    }
}

/// What is needed besides what is there.
fn needed(needs: &Needs, is_election: bool) {
    let facts = [
        ("quorum", needs.quorum.to_string()),
        ("part", needs.part.to_string()),
        ("left", needs.left.to_string()),
        ("yes", needs.yes.to_string()),
        ("needed", needs.passes_with.unwrap_or_default().to_string()),
    ];
    print(t("beside.need-quorum", &facts));
    match needs.passes_with {
        _ if is_election => {}
        Some(_) => print(t("beside.need-yes", &facts)),
        None => print(t("beside.need-none", &facts)),
    }
}

fn ballot_table(ballots: &[BallotLine]) {
    let mut table = output::table(&[
        "beside.member",
        "beside.voice",
        "beside.ballot",
        "beside.cast",
        "beside.remark",
    ]);
    for line in ballots {
        let ballot = match (line.choice, &line.held_by, line.recused) {
            (_, _, true) => t("beside.recused", &[]),
            (Some(choice), ..) => in_words("choice", &word(choice)),
            _ if line.sealed => t("beside.a-sealed", &[]),
            _ if !line.names.is_empty() => {
                let names = joined(line.names.iter().map(party));
                t("beside.names-voted", &[("names", names)])
            }
            (None, Some(_), _) => "-".to_owned(),
            (None, None, _) => t("beside.missing", &[]),
        };
        let remark = match (&line.ground, &line.held_by, &line.criterion) {
            (Some(ground), ..) => why_recused(ground),
            (None, Some(holder), _) => t("beside.held-by", &[("holder", party(holder))]),
            (None, None, Some(criterion)) => {
                t("beside.criterion", &[("criterion", criterion.to_string())])
            }
            (None, None, None) => match &line.proxy {
                Some(holder) => t("beside.by-proxy", &[("holder", party(holder))]),
                None => String::new(),
            },
        };
        table.add_row([
            party(&line.member),
            line.voice.short().to_string(),
            ballot,
            line.cast_ms.map(time).unwrap_or_default(),
            remark,
        ]);
    }
    lines(&table);
    let missing = ballots.iter().filter(|line| line.is_missing());
    let missing = joined(missing.map(|line| party(&line.member)));
    print(t("beside.who-is-missing", &[("who", missing)]));
}

fn why_recused(ground: &Ground) -> String {
    match ground {
        Ground::Party { party } => t("ground.party", &[("party", party.short().to_string())]),
        Ground::Related { party } => t("ground.related", &[("party", party.short().to_string())]),
        Ground::Declared { by, kind } => t(
            "ground.declared",
            &[
                ("by", by.short().to_string()),
                ("kind", in_words("conflict", &word(kind))),
            ],
        ),
    }
}

/// The arithmetic of a vote, line by line, in words and numbers.
pub fn arithmetic(tally: &Tally) -> Vec<String> {
    let counts = &tally.counts;
    let facts = [
        ("electorate", counts.electorate.to_string()),
        ("recused", counts.recused.to_string()),
        ("elig", counts.elig().to_string()),
        ("yes", counts.yes.to_string()),
        ("no", counts.no.to_string()),
        ("abstain", counts.abstain.to_string()),
        ("part", counts.part().to_string()),
    ];
    let mut text = vec![t("tally.elig", &facts), t("tally.part", &facts)];
    for line in &tally.lines {
        text.push(question(tally, line));
    }
    let outcome = match &tally.outcome {
        Outcome::Passed => t("tally.passed", &[]),
        Outcome::Rejected => t("tally.rejected", &[]),
        Outcome::NoQuorum => t("tally.no-quorum", &[]),
        Outcome::Void(_) => t("tally.void", &[]),
        Outcome::Escalate { to, .. } => {
            t("tally.escalate", &[("body", in_words("body", to.word()))])
        }
    };
    text.push(outcome);
    text
}

fn question(tally: &Tally, line: &Line) -> String {
    let quorum = tally.rule.quorum;
    let sign = if line.strict { ">" } else { ">=" };
    let mut facts = vec![
        ("left", line.left.to_string()),
        ("sign", sign.to_owned()),
        ("right", line.right.to_string()),
        (
            "holds",
            t(
                if line.holds {
                    "tally.holds"
                } else {
                    "tally.fails"
                },
                &[],
            ),
        ),
    ];
    let key = match line.question {
        Question::PossibleRecused => "tally.possible-recused",
        Question::PossiblePart => "tally.possible-part",
        Question::EnoughVoices => "tally.enough-voices",
        Question::MostUnrelated => "tally.most-unrelated",
        Question::Quorum => {
            facts.push(("n", quorum.n.to_string()));
            facts.push(("d", quorum.d.to_string()));
            "tally.quorum"
        }
        Question::SomeYes => "tally.some-yes",
        Question::NoTie => "tally.no-tie",
        Question::Majority => match tally.rule.pass {
            Pass::Threshold(threshold) => {
                facts.push(("n", threshold.fraction.n.to_string()));
                facts.push(("d", threshold.fraction.d.to_string()));
                let base = match threshold.base {
                    Base::Cast => "tally.base-cast",
                    Base::Part => "tally.base-part",
                    Base::Elig => "tally.base-elig",
                    Base::All => "tally.base-all",
                };
                facts.push(("base", t(base, &[])));
                let more = if threshold.strict {
                    "tally.more-than"
                } else {
                    "tally.at-least"
                };
                facts.push(("more", t(more, &[])));
                "tally.majority"
            }
            Pass::Plurality(_) => "tally.some-yes",
        },
    };
    t(key, &facts)
}

fn money(amount: Option<Amount>, unit: Option<&Unit>) -> String {
    match (amount, unit) {
        (Some(amount), Some(unit)) => unit.money(amount).to_string(),
        (Some(amount), None) => amount.0.to_string(),
        (None, _) => "-".to_owned(),
    }
}

/// A mean of several reviews, with two digits after the point, rounded down.
fn mean(sum: u64, reviews: u32) -> String {
    let hundredths = sum.saturating_mul(100) / u64::from(reviews.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Mean total in points: the ledger counts it in basis points times score.
fn total(score: &Score) -> String {
    mean(score.total / 10_000, score.reviews)
}

fn standing(entry: &Entry) -> String {
    let mut text = state("application", entry.status.word());
    let mut add = |more: String| {
        text = format!("{text}; {more}");
    };
    if let Some(Verdict::Ineligible { code, .. }) = &entry.verdict {
        add(t("beside.code", &[("code", code.to_string())]));
    }
    if let Some(appeal) = &entry.appeal {
        add(t(
            "beside.appeal",
            &[("appeal", in_words("appeal", appeal.word()))],
        ));
    }
    if let Some(code) = &entry.void {
        add(t("beside.code", &[("code", code.to_string())]));
    }
    if let Some(award) = entry.award {
        add(award.to_string());
    }
    text
}

fn call(view: &CallView) {
    for line in wanted(&view.criteria, view.threshold) {
        print(line);
    }
    print(t(
        "beside.reviewers",
        &[("count", view.reviewers.to_string())],
    ));
    let mut table = output::table(&[
        "beside.rank",
        "beside.application",
        "beside.applicant",
        "beside.ask",
        "beside.total",
        "beside.means",
        "beside.reviews",
        "beside.standing",
    ]);
    for entry in &view.entries {
        let reviews: Vec<String> = entry
            .reviews
            .iter()
            .map(|line| line.review.short().to_string())
            .collect();
        table.add_row([
            entry
                .rank
                .map_or_else(|| "-".to_owned(), |rank| rank.to_string()),
            entry.application.short().to_string(),
            party(&entry.applicant),
            money(entry.ask, view.unit.as_ref()),
            entry.score.as_ref().map_or_else(|| "-".to_owned(), total),
            entry.score.as_ref().map_or_else(|| "-".to_owned(), means),
            reviews.join(" "),
            standing(entry),
        ]);
    }
    lines(&table);
    affairs::corrections(&view.corrections);
}

fn means(score: &Score) -> String {
    let means: Vec<String> = score
        .sums
        .iter()
        .map(|sum| mean(*sum, score.reviews))
        .collect();
    means.join(" ")
}

/// What is scored, with weights and thresholds.
fn wanted(criteria: &[Criterion], threshold: u64) -> Vec<String> {
    let mut text = vec![t("beside.criteria", &[])];
    for criterion in criteria {
        let facts = [
            ("code", criterion.code.to_string()),
            ("weight", percent(criterion.weight_bp)),
            ("max", criterion.score_max.to_string()),
            ("threshold", criterion.threshold.to_string()),
        ];
        text.push(format!("  {}", t("beside.one-criterion", &facts)));
    }
    if threshold > 0 {
        let facts = [("threshold", mean(threshold / 10_000, 1))];
        text.push(format!("  {}", t("beside.total-threshold", &facts)));
    }
    text
}

/// Basis points as per cent.
fn percent(bp: u32) -> String {
    if bp.is_multiple_of(100) {
        format!("{} %", bp / 100)
    } else {
        format!("{}.{:02} %", bp / 100, bp % 100)
    }
}

fn application(view: &ApplicationView) {
    let entry = &view.entry;
    print(t(
        "beside.stands",
        &[
            ("applicant", party(&entry.applicant)),
            ("ask", money(entry.ask, view.unit.as_ref())),
            ("standing", standing(entry)),
        ],
    ));
    for line in wanted(&view.criteria, view.threshold) {
        print(line);
    }
    if let Some(score) = &entry.score {
        let facts = [
            ("total", total(score)),
            ("means", means(score)),
            (
                "rank",
                entry
                    .rank
                    .map_or_else(|| "-".to_owned(), |rank| rank.to_string()),
            ),
            (
                "reached",
                t(
                    if score.reached {
                        "beside.reached"
                    } else {
                        "beside.below"
                    },
                    &[],
                ),
            ),
        ];
        print(t("beside.score", &facts));
    }
    let mut table = output::table(&[
        "beside.review",
        "beside.reviewer",
        "beside.standing",
        "beside.scores",
    ]);
    for review in &entry.reviews {
        let scores = review.scores.as_ref().map(|scores| {
            let numbers: Vec<String> = scores.0.iter().map(u32::to_string).collect();
            let revised = if review.is_revised {
                t("beside.revised", &[])
            } else {
                String::new()
            };
            format!("{}{revised}", numbers.join(" "))
        });
        table.add_row([
            review.review.short().to_string(),
            review.person.to_string(),
            state("review", review.status.word()),
            scores.unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    lines(&table);
}

fn agreement(view: &AgreementView) {
    let mut table = output::table(&[
        "beside.milestone",
        "beside.place",
        "beside.worth",
        "beside.due",
        "beside.standing",
        "beside.accepted",
        "beside.payment",
    ]);
    let unit = view.unit.as_ref();
    for line in &view.milestones {
        let place = if line.is_final {
            t("beside.final-report", &[])
        } else {
            line.place.to_string()
        };
        table.add_row([
            line.milestone
                .map_or_else(|| "-".to_owned(), |id| id.short().to_string()),
            place,
            money((!line.is_final).then_some(line.planned), unit),
            line.due_ms.map(time).unwrap_or_default(),
            line.state
                .map(|at| state("milestone", at.word()))
                .unwrap_or_default(),
            money(
                (line.accepted != Amount::ZERO).then_some(line.accepted),
                unit,
            ),
            line.payment
                .map(|payment| payment.to_string())
                .unwrap_or_default(),
        ]);
    }
    lines(&table);
}
