//! Awards as other grant makers publish theirs: the 360Giving data standard, one grant for each award,
//! with an id that never changes; an award that changed is stated anew with the day of its change.
//!
//! * Only here are amounts JSON numbers, written from whole minor units with the decimals of the
//!   currency; no float is involved.
//! * The prefix of the ids is the publisher's. A real one is registered with 360Giving; without one
//!   the ids carry the name of the alliance's chain and say so in the data's description.
//! * What is not public on the ledger is not published: no content of an application beyond its title
//!   and what it asked for.

use std::collections::BTreeMap;

use rollbook_core::account::table::OFFSET;
use rollbook_core::account::{Account, AccountKind, Posting, Unit};
use rollbook_core::calendar::LocalDay;
use rollbook_core::id::{AgreementId, AwardId, Id as _};
use rollbook_core::identity::Organisation;
use rollbook_core::identity::identifier::Identifier;
use rollbook_core::object::agreement::Agreement;
use rollbook_core::object::award::Award;
use rollbook_core::state::StateTables;
use rollbook_core::view::money::Entry;
use rollbook_core::word::Word as _;
use rollbook_proof::number::{LedgerTime, OrganisationId};
use rollbook_words::catalogue::{Language, speaking, t_in};
use serde_json::{Map, Value, json};

use super::Book;
use crate::act::next::state;
use crate::failure::Failure;
use crate::output::visible;

/// What marks an amount until the text is written; texts that hold it lose it.
const MARK: char = '\u{e000}';
/// Version of the standard.
const VERSION: &str = "1.4";

/// How the publisher is named.
pub struct Publisher<'a> {
    /// What ids begin with, behind `360G-`.
    pub prefix: &'a str,
    /// Where the data will be found.
    pub source: Option<&'a str>,
}

/// Every award as a package of grants, as text; none: there is no award in a currency.
pub fn package(book: &Book, publisher: &Publisher<'_>) -> Result<Option<String>, Failure> {
    let tables = book.tables()?;
    let calendar = book.calendar()?;
    let all = moved(&book.entries, tables, |entry| calendar.day_of(entry.time));
    let none = Moved::default();
    let mut grants = Vec::new();
    for (number, award) in tables.awards.iter() {
        let moved = all.get(number).unwrap_or(&none);
        grants.extend(grant(book, tables, award, moved, publisher)?);
    }
    if grants.is_empty() {
        return Ok(None);
    }
    let now = instant(book, book.now()?)?;
    let package = json!({
        "version": VERSION,
        "identifier": format!("360G-{}", publisher.prefix),
        "title": format!("Awards of {}", publisher.prefix),
        "description": t_in(Language::English, "giving.description", &[]),
        "issued": now, "modified": now, "downloadURL": publisher.source, "grants": grants,
    });
    let text = serde_json::to_string_pretty(&without_nothing(package))
        .map_err(|error| Failure::unusable(error.to_string()))?;
    Ok(Some(format!("{}\n", numbers(&text))))
}

/// Takes the marks and the quotation marks off amounts.
fn numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let begin = format!("\"{MARK}");
    while let Some(at) = rest.find(&begin) {
        out.push_str(&rest[..at]);
        rest = &rest[at + begin.len()..];
        let end = rest.find('"').unwrap_or(rest.len());
        out.push_str(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Fields without a value are not there.
fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            let kept = kept.map(|(name, value)| (name, without_nothing(value)));
            Value::Object(kept.collect::<Map<String, Value>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nothing).collect()),
        value => value,
    }
}

fn text(text: &str) -> String {
    visible(text).replace(MARK, "")
}

fn amount(unit: &Unit, minor: i128) -> String {
    format!("{MARK}{}", unit.plain(minor))
}

fn instant(book: &Book, at: LedgerTime) -> Result<String, Failure> {
    let offset = book.calendar()?.offset_minutes;
    Ok(rollbook_core::calendar::format_instant(at, offset))
}

/// An organisation by the register that it stands in.
pub fn identifier(publisher: &Publisher<'_>, organisation: &Organisation) -> String {
    let mut all = organisation.identifiers.iter();
    let of = |found: &Identifier| match found {
        Identifier::Uscc(code) => format!("CN-USCI-{code}"),
        Identifier::Lei(code) => format!("XI-LEI-{code}"),
        Identifier::National { country, number } => format!("{country}-{number}"),
    };
    match all.next() {
        Some(first) => of(first).replace('/', "-"),
        // An office stands in no register.
        None => format!("360G-{}-{}", publisher.prefix, organisation.number.short()),
    }
}

fn organisation(tables: &StateTables, publisher: &Publisher<'_>, number: OrganisationId) -> Value {
    let Some(found) = tables.organisations.get(&number) else {
        return json!({ "id": number.short().to_string(), "name": number.short().to_string() });
    };
    let (native, latin) = (found.name.native.as_str(), found.name.latin.as_str());
    let name = if native.is_empty() { latin } else { native };
    json!({
        "id": identifier(publisher, found), "name": text(name),
        "alternateName": (latin != name).then(|| text(latin)),
        "addressCountry": found.country.as_str(),
    })
}

/// The id of an award's grant.
pub fn id(publisher: &Publisher<'_>, award: AwardId) -> String {
    format!("360G-{}-{}", publisher.prefix, award.short())
}

fn grant(
    book: &Book,
    tables: &StateTables,
    award: &Award,
    moved: &Moved,
    publisher: &Publisher<'_>,
) -> Result<Option<Value>, Failure> {
    let (Some(fund), Some(call)) = (tables.funds.get(&award.fund), tables.calls.get(&award.call))
    else {
        return Ok(None);
    };
    // A currency of the standard; what a fund of resources grants has none.
    if !matches!(fund.unit, Unit::Currency(_)) {
        return Ok(None);
    }
    let unit = &fund.unit;
    let calendar = book.calendar()?;
    let application = tables.applications.get(&award.application);
    let opened = application.and_then(|application| application.opened.as_ref());
    let agreement = award
        .agreement
        .and_then(|number| tables.agreements.get(&number));
    let short = award.number.short().to_string();
    let title = opened.map_or_else(
        || short.clone(),
        |opened| text(opened.content.title.as_str()),
    );
    let facts = [
        ("award", short.clone()),
        ("call", text(call.terms.title.latin.as_str())),
        (
            "state",
            speaking(Language::English, || state("award", award.state.word())),
        ),
        (
            "document",
            opened
                .map(|opened| opened.content.document.to_hex())
                .unwrap_or_default(),
        ),
    ];
    let description = t_in(Language::English, "giving.grant", &facts);
    let paid = paid(tables, award, agreement);
    let changed = agreement.map(|agreement| agreement.since_ms);
    let changed = [award.since_ms, award.decided_ms, moved.last]
        .into_iter()
        .chain(changed)
        .max();
    let mut grant = json!({
        "id": id(publisher, award.number), "title": title, "description": description,
        "currency": unit.code(), "amountAwarded": amount(unit, awarded(award, agreement)),
        "amountAppliedFor": opened.map(|opened| amount(unit, i128::from(opened.content.ask))),
        "amountDisbursed": agreement.map(|_| amount(unit, paid)),
        "awardDate": calendar.day_of(award.decided_ms).to_string(),
        "recipientOrganization": [organisation(tables, publisher, award.grantee)],
        "fundingOrganization": [organisation(tables, publisher, fund.holder)],
        "grantProgramme": [{
            "code": award.call.short().to_string(), "title": text(call.terms.title.latin.as_str()),
        }],
        "fromOpenCall": "Yes", "dataSource": publisher.source,
        "dateModified": instant(book, changed.unwrap_or_default())?,
    });
    if let Some(direction) = call.terms.direction
        && let Some(direction) = tables.directions.get(&direction)
    {
        grant["classifications"] = json!([{
            "vocabulary": "alliance-direction", "code": direction.code.as_str(),
            "title": text(direction.name.latin.as_str()),
        }]);
    }
    if let Some(agreement) = agreement {
        dates(&mut grant, agreement, |at| calendar.day_of(at));
    }
    let (provider, recipient) = (
        grant["fundingOrganization"][0]["id"].clone(),
        grant["recipientOrganization"][0]["id"].clone(),
    );
    for (field, transactions) in [
        ("commitmentTransaction", &moved.committed),
        ("disbursementTransaction", &moved.paid),
    ] {
        let all = transactions.iter().map(|(id, day, minor)| {
            json!({
                "id": id, "transactionDate": day.to_string(), "currency": unit.code(),
                "value": amount(unit, *minor), "provider": provider, "recipient": recipient,
            })
        });
        let all: Vec<Value> = all.collect();
        if !all.is_empty() {
            grant[field] = Value::Array(all);
        }
    }
    Ok(Some(grant))
}

fn dates(grant: &mut Value, agreement: &Agreement, day: impl Fn(LedgerTime) -> LocalDay) {
    let Some(begun) = agreement.in_force_ms else {
        return;
    };
    let last = agreement
        .terms
        .milestones
        .iter()
        .map(|milestone| milestone.due_ms)
        .max();
    let begun = day(begun).to_string();
    grant["plannedDates"] = json!([{
        "startDate": begun, "endDate": last.map(|last| day(last).to_string()),
    }]);
    grant["actualDates"] = json!([{ "startDate": begun }]);
}

/// What the award still is: nothing once it lapsed or was revoked, else without what was freed of its
/// agreement.
fn awarded(award: &Award, agreement: Option<&Agreement>) -> i128 {
    if !award.counts() {
        return 0;
    }
    let Some(agreement) = agreement.filter(|agreement| agreement.in_force_ms.is_some()) else {
        return i128::from(award.amount);
    };
    let total = i128::from(agreement.terms.total);
    total.saturating_sub(i128::from(agreement.freed))
}

/// What was paid and not taken back: `D`, `S` and `L` of the agreement.
fn paid(tables: &StateTables, award: &Award, agreement: Option<&Agreement>) -> i128 {
    let Some(agreement) = agreement else {
        return 0;
    };
    let kinds = [
        AccountKind::Paid(agreement.number),
        AccountKind::Accepted(agreement.number),
        AccountKind::Lost(agreement.number),
    ];
    let balances = kinds.iter().filter_map(|kind| {
        tables.accounts.get(&Account {
            fund: award.fund,
            kind: *kind,
        })
    });
    balances.map(|balance| balance.0).sum()
}

/// Transactions of an award: id, day, amount.
type Transactions = Vec<(String, LocalDay, i128)>;

/// What moved of an award.
#[derive(Default)]
struct Moved {
    /// What was bound by an agreement, and with a minus what was freed of it.
    committed: Transactions,
    /// What was paid, and with a minus what came back.
    paid: Transactions,
    /// The newest of everything.
    last: LedgerTime,
}

/// What moved of every award, in one pass.
fn moved(
    entries: &[Entry],
    tables: &StateTables,
    day: impl Fn(&Entry) -> LocalDay,
) -> BTreeMap<AwardId, Moved> {
    let of_agreement = |number: AgreementId| Some(tables.agreements.get(&number)?.award);
    let award_of = |kind: AccountKind| match kind {
        AccountKind::Award(award) => Some(award),
        AccountKind::Committed(n)
        | AccountKind::Paid(n)
        | AccountKind::Accepted(n)
        | AccountKind::Lost(n) => of_agreement(n),
        AccountKind::InTransit(payment) => tables
            .payments
            .get(&payment)
            .map(|found| found.agreement)
            .and_then(of_agreement),
        _ => None,
    };
    let mut all: BTreeMap<AwardId, Moved> = BTreeMap::new();
    for entry in entries {
        for (place, posted) in entry.postings.iter().enumerate() {
            let Posting {
                from, to, amount, ..
            } = posted.posting;
            let (left, came) = (award_of(from.kind), award_of(to.kind));
            let offset = posted.row == OFFSET.name;
            let minor = i128::from(amount);
            for (award, minor) in [(left, -minor), (came, minor)] {
                let Some(award) = award else { continue };
                let moved = all.entry(award).or_default();
                moved.last = moved.last.max(entry.time);
                // Within one award only the way into `K` and into `D` counts; between awards, or to the
                // fund and back, every way does.
                let kind = if minor < 0 { from.kind } else { to.kind };
                let other = if minor < 0 { to.kind } else { from.kind };
                let transactions = match (kind, other) {
                    // What pays a debt is not freed.
                    (AccountKind::Committed(_), _) if offset => continue,
                    (AccountKind::Committed(_), AccountKind::InTransit(_)) => continue,
                    (AccountKind::Committed(_), AccountKind::Paid(_)) => continue,
                    (AccountKind::Committed(_), _) => &mut moved.committed,
                    (AccountKind::Paid(_), AccountKind::Accepted(_) | AccountKind::Lost(_)) => {
                        continue;
                    }
                    (AccountKind::Paid(_), _) => &mut moved.paid,
                    _ => continue,
                };
                let record = entry.record.as_ref().map(|(id, _)| id.to_hex());
                let id = record.unwrap_or_else(|| format!("{}-{}", entry.height.0, posted.row));
                let taken = transactions.iter().any(|(before, ..)| *before == id);
                // One act may move two parts of one award.
                let id = if taken { format!("{id}-{place}") } else { id };
                transactions.push((id, day(entry), minor));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_numbers_with_all_their_digits() {
        let yuan = Unit::default();
        let value =
            json!({ "value": amount(&yuan, 999_999_999_999_999_999), "title": text("a\u{e000}1") });
        let told = numbers(&serde_json::to_string(&value).unwrap());
        assert_eq!(told, "{\"title\":\"a1\",\"value\":9999999999999999.99}");
    }

    /// An award that lapsed went out with its whole amount, and money that came back was in no
    /// transaction.
    #[test]
    fn what_lapsed_is_nothing_and_what_came_back_is_told() {
        use rollbook_core::account::Amount;
        use rollbook_core::id::FundId;
        use rollbook_core::object::award::AwardState;
        use rollbook_core::step::Posted;
        use rollbook_proof::number::Height;
        use rollbook_tests::grants::{Bench, MILLION};

        let mut bench = Bench::on_tables();
        let number = AgreementId(bench.agreement());
        let tables = &bench.world.tables;
        let agreement = tables.agreements.get(&number).unwrap();
        let award = tables.awards.get(&agreement.award).unwrap();
        let whole = i128::from(8 * MILLION);
        assert_eq!(awarded(award, Some(agreement)), whole);
        let mut freed = agreement.clone();
        freed.freed = Amount(MILLION);
        assert_eq!(awarded(award, Some(&freed)), whole - i128::from(MILLION));
        let mut lapsed = award.clone();
        lapsed.state = AwardState::Lapsed;
        assert_eq!(awarded(&lapsed, None), 0);

        let fund = FundId(1);
        let account = |kind| Account { fund, kind };
        let entry = |time: u64, row, from, to, amount| Entry {
            height: Height(time),
            time: LedgerTime(time),
            record: None,
            postings: vec![Posted {
                row,
                posting: Posting {
                    from: account(from),
                    to: account(to),
                    amount: Amount(amount),
                    earmark_of: None,
                },
            }],
            steps: Vec::new(),
        };
        use AccountKind as K;
        let (won, paid) = (agreement.award, K::Paid(number));
        let entries = [
            entry(
                1,
                "agreement-in-force",
                K::Award(won),
                K::Committed(number),
                800,
            ),
            entry(
                2,
                "payment-settled",
                K::InTransit(Default::default()),
                paid,
                300,
            ),
            entry(3, "recovered", paid, K::Free, 100),
            entry(
                4,
                "agreement-reduced-to-fund",
                K::Committed(number),
                K::Free,
                50,
            ),
            entry(5, "finally-accepted", paid, K::Accepted(number), 200),
        ];
        let all = moved(&entries, tables, |entry| LocalDay(entry.time.0 as i64));
        assert_eq!(all.len(), 1);
        let moved = &all[&won];
        let amounts = |all: &Transactions| all.iter().map(|one| one.2).collect::<Vec<_>>();
        assert_eq!(amounts(&moved.committed), [800, -50]);
        assert_eq!(amounts(&moved.paid), [300, -100]);
        assert_eq!(moved.last, LedgerTime(5));
    }
}
