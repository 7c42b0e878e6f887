//! Which unit an amount has: that of its fund, found through the objects that lead to it; dues are in the
//! charter's currency.

use std::collections::BTreeMap;

use rollbook_core::account::Unit;
use rollbook_core::id::{FundId, Id};
use serde_json::Value;

use crate::commands::source::Source;
use crate::failure::Failure;
use crate::objects;
use crate::objects::Kind;
use crate::shown::Shown;

/// Links from the objects of one table to their funds.
pub struct Units {
    funds: BTreeMap<u32, Unit>,
    /// By the table whose numbers lead on, and the field that holds such a number.
    links: Vec<(&'static str, BTreeMap<u32, u32>)>,
    currency: Option<Unit>,
}

/// The fields that lead from a table to a fund, one after the other.
fn way(table: &str) -> &'static [(&'static str, &'static str)] {
    match table {
        "application" => &[("call", "call")],
        "instalment" => &[("contribution", "pledge")],
        "entry" => &[("instalment", "instalment"), ("contribution", "pledge")],
        "milestone" => &[("agreement", "agreement")],
        _ => &[],
    }
}

impl Units {
    /// What the amounts of a kind need.
    pub fn of(kind: &Kind, source: &Source) -> Result<Units, Failure> {
        let mut units = Units {
            funds: BTreeMap::new(),
            links: Vec::new(),
            currency: None,
        };
        let with_amounts = [
            "award",
            "agreement",
            "payment",
            "account",
            "application",
            "instalment",
            "entry",
            "milestone",
            "pledge",
            "call",
            "motion",
        ];
        if kind.table == "invoice" {
            let charters = source.entries("charter")?;
            let newest = charters
                .last()
                .and_then(|(_, value)| value["currency"].as_str());
            units.currency = newest.and_then(|code| Unit::currency(code).ok());
        }
        if !with_amounts.contains(&kind.table) {
            return Ok(units);
        }
        for (key, value) in source.entries("fund")? {
            if let (Ok(number), Some(unit)) = (key.parse(), objects::unit_of(&value)) {
                units.funds.insert(number, unit);
            }
        }
        let steps = way(kind.table);
        for (place, (field, table)) in steps.iter().enumerate() {
            let next = steps.get(place + 1).map(|(field, _)| *field);
            let link = |(key, value): (String, Value)| {
                let shown = objects::listed(table, &value)?.shown;
                let to = match next {
                    Some(next) => shown.field(next)?.id(),
                    None => objects::find(&shown, FundId::LETTER),
                };
                Some((key.parse().ok()?, to?))
            };
            let map = source
                .entries(table)?
                .into_iter()
                .filter_map(link)
                .collect();
            units.links.push((field, map));
        }
        Ok(units)
    }

    /// The unit of an entry's amounts.
    pub fn unit(&self, kind: &Kind, key: &str, value: &Shown) -> Option<&Unit> {
        if kind.table == "invoice" {
            return self.currency.as_ref();
        }
        if kind.table == "account" {
            return self.funds.get(&key.split_once('/')?.0.parse().ok()?);
        }
        let mut number = match self.links.first() {
            Some((field, _)) => value.field(field)?.id()?,
            None => objects::find(value, FundId::LETTER)?,
        };
        for (_, map) in &self.links {
            number = *map.get(&number)?;
        }
        self.funds.get(&number)
    }
}
