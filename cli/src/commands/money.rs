//! `rollbook statement`, `rollbook trace`, `rollbook stats`, `rollbook publish`: reading money, from a
//! history that is run again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use rollbook_core::account::{AccountKind, Unit};
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::{AgreementId, AwardId, ContributionId, FundId, Id as _};
use rollbook_core::object::fund::Fund;
use rollbook_proof::number::OrganisationId;
use rollbook_words::catalogue::t;
use serde_json::{Value, json};

use crate::commands::source::Past;
use crate::failure::Failure;
use crate::flags::{Connection, Global};
use crate::money::flow::{Line, Of, Part, Statement as Lines, parts, postings, statements};
use crate::money::giving::{Publisher, package};
use crate::money::page::{Page, amount as in_full, both};
use crate::money::sums::{Counted, Sums, counted};
use crate::money::{Book, absent, account, day, movement, number, tranche};
use crate::output::{Rows, print, print_json, say};
use crate::{files, objects};

/// What every command about a span of days takes.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Span {
    /// Number of the object; it may carry its letter.
    #[arg(value_name = "N")]
    number: String,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
    /// From this day on.
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// To the end of this day.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Every posting with debit and credit.
    #[arg(long)]
    postings: bool,
    /// Where a page goes.
    #[arg(long, value_name = "FILE")]
    print: Option<PathBuf>,
    /// Whether a file of that name may be replaced.
    #[arg(long)]
    force: bool,
}

/// `statement`.
#[derive(Debug, Subcommand)]
pub enum Statement {
    /// The cash of a fund.
    Fund(Span),
    /// What a member paid in.
    Member(Span),
    /// What a grantee received.
    Grantee(Span),
    /// What an agreement still has to get.
    Agreement(Span),
}

/// Runs `statement`.
pub fn statement(global: &Global, command: &Statement) -> Result<u8, Failure> {
    let (span, of) = match command {
        Statement::Fund(span) => (span, Of::Fund(FundId(number("fund", &span.number)?))),
        Statement::Member(span) => {
            let number = number("organisation", &span.number)?;
            (span, Of::Member(OrganisationId(number)))
        }
        Statement::Grantee(span) => {
            let number = number("organisation", &span.number)?;
            (span, Of::Grantee(OrganisationId(number)))
        }
        Statement::Agreement(span) => {
            let number = number("agreement", &span.number)?;
            (span, Of::Agreement(AgreementId(number)))
        }
    };
    let parse = |name: &str, text: &Option<String>| -> Result<Option<LocalDay>, Failure> {
        text.as_deref().map(|text| day(name, text)).transpose()
    };
    let days = (
        parse("--since", &span.since)?,
        parse("--until", &span.until)?,
    );
    if let (Some(since), Some(until)) = days
        && since > until
    {
        let facts = [("since", since.to_string()), ("until", until.to_string())];
        return Err(Failure::unusable(t("money.span", &facts)).next(t("money.span-next", &facts)));
    }
    if span.postings && !matches!(of, Of::Fund(_)) {
        return Err(Failure::unusable(t("money.postings-of-a-fund", &[]))
            .next(t("money.postings-of-a-fund-next", &[])));
    }
    if span.postings && span.print.is_some() {
        return Err(Failure::unusable(t("money.postings-on-no-page", &[]))
            .next(t("money.postings-on-no-page-next", &[])));
    }
    if let Some(file) = &span.print {
        files::free(file, Some(span.force))?;
    }
    let book = Book::open(global, &span.connection, &span.past)?;
    let tables = book.tables()?;
    let who = match of {
        Of::Fund(fund) => tables
            .funds
            .get(&fund)
            .map(|fund| objects::both_names(fund.name.native.as_str(), fund.name.latin.as_str())),
        Of::Member(member) | Of::Grantee(member) => {
            tables.organisations.get(&member).map(|found| {
                objects::both_names(found.name.native.as_str(), found.name.latin.as_str())
            })
        }
        Of::Agreement(agreement) => match tables.agreements.get(&agreement) {
            Some(agreement) => Some(book.name(agreement.grantee)?),
            None => None,
        },
    };
    let (object, short, n) = match of {
        Of::Fund(n) => ("fund", n.short().to_string(), n.0),
        Of::Member(n) => ("organisation", n.short().to_string(), n.0),
        Of::Grantee(n) => ("grantee", n.short().to_string(), n.0),
        Of::Agreement(n) => ("agreement", n.short().to_string(), n.0),
    };
    let who = who.ok_or_else(|| {
        absent(
            if object == "grantee" {
                "organisation"
            } else {
                object
            },
            n,
        )
    })?;
    if let Of::Fund(fund) = of
        && span.postings
    {
        return tell_postings(global, &book, fund, days);
    }
    let found = statements(&book, of, days)?;
    let told = Told {
        of: object,
        short,
        who,
        days,
    };
    told.tell(global, &book, &found)?;
    if let Some(file) = &span.print {
        let page = told.page(&book, &found)?;
        files::save_private(file, page.html(&book).as_bytes(), span.force)?;
        say(t("money.printed", &[("file", file.display().to_string())]));
    }
    Ok(book.code())
}

/// Whose statement of which days.
struct Told {
    of: &'static str,
    short: String,
    who: String,
    days: (Option<LocalDay>, Option<LocalDay>),
}

fn fund(book: &Book, number: FundId) -> Result<Fund, Failure> {
    let found = book.tables()?.funds.get(&number).cloned();
    found.ok_or_else(|| absent("fund", number.0))
}

impl Told {
    fn span(&self, book: &Book) -> Result<(String, String), Failure> {
        let (since, until) = self.days;
        let first = book
            .entries
            .first()
            .map(|entry| book.day(entry))
            .transpose()?;
        let last = book.calendar()?.day_of(book.now()?);
        let since = since.or(first).unwrap_or(last);
        Ok((since.to_string(), until.unwrap_or(last).to_string()))
    }

    fn tell(
        &self,
        global: &Global,
        book: &Book,
        found: &BTreeMap<FundId, Lines>,
    ) -> Result<(), Failure> {
        let (since, until) = self.span(book)?;
        if global.json {
            let mut items = Vec::new();
            for (number, statement) in found {
                let unit = fund(book, *number)?.unit;
                items.extend(statement.lines.iter().map(|line| {
                    let mut json = row(line, &unit);
                    json["fund"] = json!(number.short().to_string());
                    json
                }));
            }
            let mut funds = Vec::new();
            for (number, statement) in found {
                let unit = fund(book, *number)?.unit;
                funds.push(json!({
                    "fund": number.short().to_string(), "unit": unit.code(),
                    "opening": unit.plain(statement.opening),
                    "closing": unit.plain(statement.closing),
                }));
            }
            print_json(&json!({
                "of": self.of, "id": self.short, "name": self.who, "since": since, "until": until,
                "funds": funds, "items": items, "from": book.from(), "sample": book.is_sample(),
            }));
            return Ok(());
        }
        if book.is_sample() {
            say(t("audit.sample", &[]));
        }
        let facts = [
            ("id", self.short.clone()),
            ("name", self.who.clone()),
            ("since", since),
            ("until", until),
        ];
        print(t(&format!("money.statement.{}", self.of), &facts));
        if found.is_empty() {
            print(t("money.nothing-moved", &[]));
        }
        for (number, statement) in found {
            let fund = fund(book, *number)?;
            let unit = &fund.unit;
            print(self.balance(&fund, "opening", statement.opening));
            let mut rows = Rows::new(&COLUMNS);
            for line in &statement.lines {
                rows.add(cells(line, unit));
            }
            if !statement.lines.is_empty() {
                rows.print(global);
            }
            print(self.balance(&fund, "closing", statement.closing));
        }
        say(book.from());
        Ok(())
    }

    fn balance(&self, fund: &Fund, which: &str, minor: i128) -> String {
        let facts = [
            ("fund", fund.number.short().to_string()),
            ("amount", fund.unit.money(minor).to_string()),
        ];
        t(&format!("money.{which}"), &facts)
    }

    fn page(&self, book: &Book, found: &BTreeMap<FundId, Lines>) -> Result<Page, Failure> {
        let (since, until) = self.span(book)?;
        let facts = [
            ("id", self.short.clone()),
            ("name", self.who.clone()),
            ("since", since),
            ("until", until),
        ];
        let mut page = Page::new(both(&format!("money.statement.{}", self.of), &facts));
        for (number, statement) in found {
            let fund = fund(book, *number)?;
            let names = objects::both_names(fund.name.native.as_str(), fund.name.latin.as_str());
            page.heading(&format!("{}  {names}", number.short()));
            let unit = &fund.unit;
            let label = |key: &str| both(&format!("money.label.{key}"), &[]);
            page.facts(&[(label("opening"), in_full(unit, statement.opening))]);
            let rows: Vec<Vec<String>> = statement
                .lines
                .iter()
                .map(|line| cells(line, unit).to_vec())
                .collect();
            page.table(&COLUMNS, &rows);
            page.facts(&[(label("closing"), in_full(unit, statement.closing))]);
        }
        Ok(page)
    }
}

const COLUMNS: [&str; 8] = [
    "day", "movement", "source", "to", "in", "out", "balance", "record",
];

fn short(line: &Line) -> String {
    line.record.map(|record| record.short()).unwrap_or_default()
}

fn cells(line: &Line, unit: &Unit) -> [String; 8] {
    let amount = |minor: i128| unit.grouped(minor);
    let (income, out) = match line.change {
        0 => (format!("({})", amount(line.moved)), String::new()),
        change if change > 0 => (amount(change), String::new()),
        change => (String::new(), amount(-change)),
    };
    [
        line.day.to_string(),
        movement(line.row),
        account(line.from),
        account(line.to),
        income,
        out,
        amount(line.balance),
        short(line),
    ]
}

fn row(line: &Line, unit: &Unit) -> Value {
    json!({
        "day": line.day.to_string(), "height": line.height, "rule": line.rule,
        "movement": line.row, "from": line.from.to_string(), "to": line.to.to_string(),
        "amount": unit.plain(line.moved), "change": unit.plain(line.change),
        "balance": unit.plain(line.balance), "unit": unit.code(), "record": line.record,
    })
}

/// What accountants import: one row for each posting, debit is what gains.
fn tell_postings(
    global: &Global,
    book: &Book,
    number: FundId,
    days: (Option<LocalDay>, Option<LocalDay>),
) -> Result<u8, Failure> {
    let unit = fund(book, number)?.unit;
    let mut rows = Rows::new(&[
        "day", "block", "rule", "movement", "debit", "credit", "amount", "unit", "record",
    ]);
    for line in postings(book, number, days)? {
        rows.add([
            line.day.to_string(),
            line.height.to_string(),
            line.rule.to_owned(),
            line.row.to_owned(),
            line.to.to_string(),
            line.from.to_string(),
            unit.plain(line.moved),
            unit.code().to_owned(),
            line.record
                .map(|record| record.to_hex())
                .unwrap_or_default(),
        ]);
    }
    rows.print(global);
    say(book.from());
    Ok(book.code())
}

/// What every trace takes.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Follow {
    /// Number of the object; it may carry its letter.
    #[arg(value_name = "N")]
    number: String,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
}

/// `trace`.
#[derive(Debug, Subcommand)]
pub enum Trace {
    /// Where a contribution is now, and what it went through.
    Contribution(Follow),
    /// Which contributions an award was made of, and where it is now.
    Award(Follow),
}

/// Which parts of the money are followed.
type Wanted = Box<dyn Fn(&Part) -> bool>;

/// Runs `trace`.
pub fn trace(global: &Global, command: &Trace) -> Result<u8, Failure> {
    let (follow, wanted): (&Follow, Wanted) = match command {
        Trace::Contribution(follow) => {
            let number = ContributionId(number("pledge", &follow.number)?);
            (
                follow,
                Box::new(move |part| part.contribution == Some(number)),
            )
        }
        Trace::Award(follow) => {
            let number = AwardId(number("award", &follow.number)?);
            (follow, Box::new(move |part| part.award == Some(number)))
        }
    };
    let book = Book::open(global, &follow.connection, &follow.past)?;
    let tables = book.tables()?;
    let fund_of = match command {
        Trace::Contribution(follow) => {
            let number = number("pledge", &follow.number)?;
            let found = tables.contributions.get(&ContributionId(number));
            found
                .map(|found| found.fund)
                .ok_or_else(|| absent("pledge", number))?
        }
        Trace::Award(follow) => {
            let number = number("award", &follow.number)?;
            let found = tables.awards.get(&AwardId(number));
            found
                .map(|found| found.fund)
                .ok_or_else(|| absent("award", number))?
        }
    };
    let unit = fund(&book, fund_of)?.unit;
    let mut sums: BTreeMap<(Part, AccountKind), i128> = BTreeMap::new();
    for (place, held) in parts(&book.entries, tables) {
        for (part, minor) in held.iter().filter(|(part, _)| wanted(part)) {
            if place.fund == fund_of {
                *sums.entry((*part, place.kind)).or_default() += minor;
            }
        }
    }
    let mut rows = Rows::new(&[
        "contribution",
        "member",
        "call",
        "award",
        "agreement",
        "payment",
        "tranche",
        "stands",
        "amount",
    ]);
    let mut total: i128 = 0;
    for ((part, kind), minor) in &sums {
        total = total.saturating_add(*minor);
        let pledged = part
            .contribution
            .and_then(|number| tables.contributions.get(&number));
        let member = pledged
            .map(|pledged| book.name(pledged.member))
            .transpose()?;
        let payment = part.payment.and_then(|number| tables.payments.get(&number));
        rows.add([
            part.contribution
                .map(|id| id.short().to_string())
                .unwrap_or_default(),
            member.unwrap_or_default(),
            part.call
                .map(|id| id.short().to_string())
                .unwrap_or_default(),
            part.award
                .map(|id| id.short().to_string())
                .unwrap_or_default(),
            part.agreement
                .map(|id| id.short().to_string())
                .unwrap_or_default(),
            part.payment
                .map(|id| id.short().to_string())
                .unwrap_or_default(),
            payment.map(tranche).unwrap_or_default(),
            account(*kind),
            unit.money(*minor).to_string(),
        ]);
    }
    if book.is_sample() {
        say(t("audit.sample", &[]));
    }
    rows.print(global);
    let facts = [("amount", unit.money(total).to_string())];
    say(t("money.traced", &facts));
    say(t("money.first-in", &[]));
    say(book.from());
    Ok(book.code())
}

/// `stats`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Stats {
    /// What the sums are of.
    #[arg(long, value_name = None::<&'static str>, value_parser = ["direction", "year", "member", "call"], default_value = "call")]
    by: String,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
}

/// Runs `stats`.
pub fn stats(global: &Global, flags: &Stats) -> Result<u8, Failure> {
    let book = Book::open(global, &flags.connection, &flags.past)?;
    let tables = book.tables()?;
    let mut sums: BTreeMap<(String, FundId), Sums> = BTreeMap::new();
    let direction = |call| {
        let direction = tables
            .calls
            .get(&call)
            .and_then(|call| call.terms.direction)
            .and_then(|number| tables.directions.get(&number));
        direction.map_or_else(|| "–".to_owned(), |direction| direction.code.to_string())
    };
    for entry in &book.entries {
        let year = book.day(entry)?.date().year.to_string();
        for posted in &entry.postings {
            let posting = &posted.posting;
            for counted in counted(posted, tables) {
                let Counted { call, member, .. } = counted;
                let key = match flags.by.as_str() {
                    "year" => Some(year.clone()),
                    "member" => member
                        .map(|member| {
                            book.name(member)
                                .map(|name| format!("{} {name}", member.short()))
                        })
                        .transpose()?,
                    "direction" => match (call, posting.to.kind) {
                        (Some(call), _) => Some(direction(call)),
                        (None, AccountKind::Direction(number)) => tables
                            .directions
                            .get(&number)
                            .map(|direction| direction.code.to_string()),
                        (None, _) => Some("–".to_owned()),
                    },
                    _ => call.map(|call| call.short().to_string()),
                };
                if let Some(key) = key {
                    sums.entry((key, posting.from.fund))
                        .or_default()
                        .add(&counted);
                }
            }
        }
    }
    let mut rows = Rows::new(&["by", "fund", "unit", "received", "awarded", "paid"]);
    for ((key, number), sums) in &sums {
        let unit = fund(&book, *number)?.unit;
        rows.add([
            key.clone(),
            number.short().to_string(),
            unit.code().to_owned(),
            // What comes in is given to no call.
            if flags.by == "call" {
                "–".to_owned()
            } else {
                unit.grouped(sums.received)
            },
            unit.grouped(sums.awarded),
            unit.grouped(sums.paid),
        ]);
    }
    rows.print(global);
    say(book.from());
    Ok(book.code())
}

/// `publish`.
#[derive(Debug, Subcommand)]
pub enum Publish {
    /// Awards by the 360Giving data standard.
    #[command(name = "360giving")]
    Giving(Giving),
}

/// `publish 360giving`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Giving {
    /// Where the package goes.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// What the ids of grants begin with.
    #[arg(long, value_name = "WORD", default_value = "rollbook")]
    prefix: String,
    /// Where the data will be found.
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Whether a file of that name may be replaced.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    past: Past,
}

/// Runs `publish`.
pub fn publish(global: &Global, Publish::Giving(flags): &Publish) -> Result<u8, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if flags.prefix.is_empty() || !flags.prefix.chars().all(plain) {
        let facts = [
            ("argument", "--prefix".to_owned()),
            ("value", flags.prefix.clone()),
        ];
        return Err(Failure::unusable(t("verb.bad", &facts)).next(t("giving.prefix-next", &facts)));
    }
    files::free(&flags.out, Some(flags.force))?;
    let book = Book::open(global, &flags.connection, &flags.past)?;
    let publisher = Publisher {
        prefix: &flags.prefix,
        source: flags.source.as_deref(),
    };
    let Some(text) = package(&book, &publisher)? else {
        return Err(Failure::refused(t("giving.none", &[])).next(t("giving.none-next", &[])));
    };
    files::save(&flags.out, text.as_bytes(), Some(flags.force))?;
    if book.is_sample() {
        say(t("audit.sample", &[]));
    }
    if flags.prefix == "rollbook" {
        say(t("giving.placeholder", &[]));
    }
    say(book.from());
    Ok(book.code())
}
