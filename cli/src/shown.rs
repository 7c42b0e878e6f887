//! A value of the ledger as a view needs it: with what each number means. serde names the type of
//! every id, time, day and amount ([`rollbook_core::id`], RULINGS A33), so a view never guesses from
//! a field's name.
//!
//! Absent on purpose: words and layout ([`crate::objects`]).

use rollbook_core::calendar::LocalDay;
use rollbook_proof::number::LedgerTime;
use rollbook_words::dates::time;
use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Value;

/// A value with the meaning of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// Nothing.
    Nothing,
    /// Yes or no.
    Bool(bool),
    /// A text, and the name of a variant without content.
    Text(String),
    /// A number that is none of the kinds below.
    Number(i128),
    /// An id: the letters of its short form, the number.
    Id(Option<&'static str>, u32),
    /// Ledger time in milliseconds.
    Time(u64),
    /// A local day, as its number.
    Day(i64),
    /// Minor units of the unit of its fund.
    Amount(i128),
    /// Several values.
    List(Vec<Shown>),
    /// Fields by name, ordered by it; also a variant with content, as its one field.
    Fields(Vec<(String, Shown)>),
}

impl Shown {
    /// A value of the ledger. One that has a form no value of the ledger has is shown as the reason:
    /// a view never leaves a value out without a word.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Shown {
        value
            .serialize(Viewer)
            .unwrap_or_else(|fault| Shown::Text(fault.to_string()))
    }

    /// The value as JSON for scripts (docs/json.md): in the form that serde gives it, with an instant
    /// as RFC 3339 text and a day as a date. A field of such a time does not say `_ms`, because it
    /// holds none.
    pub fn json(&self) -> Value {
        let number = |number: i128| {
            i64::try_from(number)
                .map(Value::from)
                .or_else(|_| u64::try_from(number).map(Value::from))
                // Beyond what a JSON number holds.
                .unwrap_or_else(|_| number.to_string().into())
        };
        match self {
            Shown::Nothing => Value::Null,
            Shown::Bool(yes) => (*yes).into(),
            Shown::Text(text) => text.clone().into(),
            Shown::Number(value) | Shown::Amount(value) => number(*value),
            Shown::Id(_, value) => (*value).into(),
            Shown::Time(ms) => time(LedgerTime(*ms)).into(),
            // Beyond the years that a date has, the number of the day.
            Shown::Day(day) if (-1_000_000..4_000_000).contains(day) => {
                LocalDay(*day).to_string().into()
            }
            Shown::Day(day) => (*day).into(),
            Shown::List(items) => items.iter().map(Shown::json).collect(),
            Shown::Fields(fields) => {
                let named = |(name, value): &(String, Shown)| {
                    let short = name.strip_suffix("_ms").filter(|short| {
                        matches!(value, Shown::Time(_)) && self.field(short).is_none()
                    });
                    (short.unwrap_or(name).to_owned(), value.json())
                };
                Value::Object(fields.iter().map(named).collect())
            }
        }
    }

    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&Shown> {
        match self {
            Shown::Fields(fields) => fields
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The number of an id.
    pub fn id(&self) -> Option<u32> {
        match self {
            Shown::Id(_, number) => Some(*number),
            _ => None,
        }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        match self {
            Shown::Nothing => true,
            Shown::List(items) => items.is_empty(),
            _ => false,
        }
    }
}

fn by_name(mut fields: Vec<(String, Shown)>) -> Shown {
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    Shown::Fields(fields)
}

type Fault = serde::de::value::Error;

struct Viewer;

impl Serializer for Viewer {
    type Ok = Shown;
    type Error = Fault;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Named;
    type SerializeStruct = Named;
    type SerializeStructVariant = Named;

    fn serialize_bool(self, value: bool) -> Result<Shown, Fault> {
        Ok(Shown::Bool(value))
    }
    fn serialize_i8(self, value: i8) -> Result<Shown, Fault> {
        self.serialize_i128(value.into())
    }
    fn serialize_i16(self, value: i16) -> Result<Shown, Fault> {
        self.serialize_i128(value.into())
    }
    fn serialize_i32(self, value: i32) -> Result<Shown, Fault> {
        self.serialize_i128(value.into())
    }
    fn serialize_i64(self, value: i64) -> Result<Shown, Fault> {
        self.serialize_i128(value.into())
    }
    fn serialize_i128(self, value: i128) -> Result<Shown, Fault> {
        Ok(Shown::Number(value))
    }
    fn serialize_u8(self, value: u8) -> Result<Shown, Fault> {
        self.serialize_i128(value.into())
    }
    fn serialize_u16(self, value: u16) -> Result<Shown, Fault> {
        self.serialize_i128(value.into())
    }
    fn serialize_u32(self, value: u32) -> Result<Shown, Fault> {
        self.serialize_i128(value.into())
    }
    fn serialize_u64(self, value: u64) -> Result<Shown, Fault> {
        self.serialize_i128(value.into())
    }
    fn serialize_u128(self, value: u128) -> Result<Shown, Fault> {
        Ok(i128::try_from(value).map_or_else(|_| Shown::Text(value.to_string()), Shown::Number))
    }
    fn serialize_f32(self, _: f32) -> Result<Shown, Fault> {
        Err(Fault::custom("the ledger holds no fractions"))
    }
    fn serialize_f64(self, _: f64) -> Result<Shown, Fault> {
        Err(Fault::custom("the ledger holds no fractions"))
    }
    fn serialize_char(self, value: char) -> Result<Shown, Fault> {
        Ok(Shown::Text(value.to_string()))
    }
    fn serialize_str(self, value: &str) -> Result<Shown, Fault> {
        Ok(Shown::Text(value.to_owned()))
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Shown, Fault> {
        Ok(Shown::Text(hex::encode(value)))
    }
    fn serialize_none(self) -> Result<Shown, Fault> {
        Ok(Shown::Nothing)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Shown, Fault> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Shown, Fault> {
        Ok(Shown::Nothing)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Shown, Fault> {
        Ok(Shown::Nothing)
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Shown, Fault> {
        self.serialize_str(variant)
    }

    /// Where a number says what it is.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Shown, Fault> {
        let inner = value.serialize(Viewer)?;
        let Shown::Number(number) = inner else {
            return Ok(inner);
        };
        let fits = || Fault::custom("a number outside its type");
        Ok(match name {
            "LedgerTime" => Shown::Time(number.try_into().map_err(|_| fits())?),
            "LocalDay" => Shown::Day(number.try_into().map_err(|_| fits())?),
            "Amount" | "Balance" => Shown::Amount(number),
            name => match rollbook_core::id::letter_of(name) {
                Some(letter) => Shown::Id(letter, number.try_into().map_err(|_| fits())?),
                None => inner,
            },
        })
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Shown, Fault> {
        let value = value.serialize(Viewer)?;
        Ok(Shown::Fields(vec![(variant.to_owned(), value)]))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Items, Fault> {
        Ok(Items::default())
    }
    fn serialize_tuple(self, _: usize) -> Result<Items, Fault> {
        Ok(Items::default())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items, Fault> {
        Ok(Items::default())
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items, Fault> {
        Ok(Items {
            variant: Some(variant),
            ..Items::default()
        })
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Named, Fault> {
        Ok(Named::default())
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Named, Fault> {
        Ok(Named::default())
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Named, Fault> {
        Ok(Named {
            variant: Some(variant),
            ..Named::default()
        })
    }
}

/// Values in a row.
#[derive(Default)]
struct Items {
    variant: Option<&'static str>,
    items: Vec<Shown>,
}

impl Items {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.items.push(value.serialize(Viewer)?);
        Ok(())
    }

    fn close(self) -> Result<Shown, Fault> {
        let list = Shown::List(self.items);
        Ok(match self.variant {
            Some(variant) => Shown::Fields(vec![(variant.to_owned(), list)]),
            None => list,
        })
    }
}

macro_rules! rows {
    ($($trait:ident :: $method:ident),*) => { $(
        impl $trait for Items {
            type Ok = Shown;
            type Error = Fault;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.add(value)
            }
            fn end(self) -> Result<Shown, Fault> {
                self.close()
            }
        }
    )* };
}

rows!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// Values by name.
#[derive(Default)]
struct Named {
    variant: Option<&'static str>,
    fields: Vec<(String, Shown)>,
    key: Option<String>,
}

impl Named {
    fn close(self) -> Result<Shown, Fault> {
        let fields = by_name(self.fields);
        Ok(match self.variant {
            Some(variant) => Shown::Fields(vec![(variant.to_owned(), fields)]),
            None => fields,
        })
    }
}

macro_rules! named {
    ($($trait:ident),*) => { $(
        impl $trait for Named {
            type Ok = Shown;
            type Error = Fault;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Fault> {
                self.fields.push((name.to_owned(), value.serialize(Viewer)?));
                Ok(())
            }
            fn end(self) -> Result<Shown, Fault> {
                self.close()
            }
        }
    )* };
}

named!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Named {
    type Ok = Shown;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key = Some(match key.serialize(Viewer)? {
            Shown::Text(text) => text,
            Shown::Number(number) => number.to_string(),
            Shown::Id(_, number) => number.to_string(),
            _ => return Err(Fault::custom("a key that is neither text nor number")),
        });
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = self.key.take().unwrap_or_default();
        self.fields.push((key, value.serialize(Viewer)?));
        Ok(())
    }
    fn end(self) -> Result<Shown, Fault> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use rollbook_core::account::Amount;
    use rollbook_core::charter::motions::{MotionKind, Preset, RuleSet};
    use rollbook_core::id::FundId;
    use rollbook_core::tally::{Counts, tally};

    use super::*;

    #[test]
    fn numbers_keep_their_meaning() {
        assert_eq!(Shown::of(&FundId(3)), Shown::Id(Some("F"), 3));
        assert_eq!(Shown::of(&LedgerTime(5)), Shown::Time(5));
        assert_eq!(Shown::of(&Some(Amount(7))), Shown::Amount(7));
        assert_eq!(
            Shown::of(&u128::from(u64::MAX)),
            Shown::Number(u64::MAX.into())
        );
        assert_eq!(Shown::of(&u128::MAX), Shown::Text(u128::MAX.to_string()));
        assert_ne!(
            Shown::of(&0.5),
            Shown::Nothing,
            "nothing is left out silently"
        );
    }

    /// Scripts read day 20777 and 1796659199999; nobody could tell a length of time from a time.
    #[test]
    fn times_and_days_are_such_in_json() {
        #[derive(serde::Serialize)]
        struct Sample {
            until_ms: LedgerTime,
            heartbeat_ms: u64,
            extract: LocalDay,
            fund: FundId,
            amount: Amount,
            none: Option<u32>,
        }
        let sample = Sample {
            until_ms: LedgerTime(1_697_644_997_001),
            heartbeat_ms: 3_600_000,
            extract: LocalDay(19_523),
            fund: FundId(3),
            amount: Amount(9_000_000),
            none: None,
        };
        let expected = serde_json::json!({
            "until": "2023-10-19T00:03:17.001+08:00", "heartbeat_ms": 3_600_000,
            "extract": "2023-06-15", "fund": 3, "amount": 9_000_000, "none": null,
        });
        assert_eq!(Shown::of(&sample).json(), expected);
        assert_eq!(
            Shown::of(&i128::MAX).json(),
            serde_json::json!(i128::MAX.to_string())
        );
    }

    /// A closed motion was shown as nothing at all, because its tally compares numbers of 128 bits.
    #[test]
    fn the_tally_of_a_motion_is_shown() {
        let rule = *RuleSet::preset(Preset::Default)
            .first(MotionKind::ElectSeat)
            .unwrap();
        let counts = Counts {
            electorate: 24,
            yes: 17,
            ..Counts::default()
        };
        let shown = Shown::of(&tally(counts, &rule, 3));
        let yes = shown.field("counts").and_then(|counts| counts.field("yes"));
        assert_eq!(yes, Some(&Shown::Number(17)), "{shown:?}");
    }
}
