//! What acts on working directions, observers, the chair, working days and corrections carry (M37, M38,
//! M39, M41; RULINGS R20, R48, R49).

use bincode::{Decode, Encode};
use rollbook_proof::codec::{DecodeError, Text, at_most, strictly_ascending};
use rollbook_proof::crypto::Hash;
use rollbook_proof::number::OrganisationId;

use crate::calendar::{CivilDate, LocalDay};
use crate::id::{
    CallId, DirectionId, FundId, MembershipId, MotionId, OrderId, PostId, StatementId,
};

/// Most holidays of a year, and most weekends that are worked.
pub const YEAR_DAYS_MAX: usize = 128;

/// M37: a member leads a direction. Whoever led it before does no longer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct NameLead {
    /// The direction.
    pub direction: DirectionId,
    /// The member, which works in it.
    pub organisation: OrganisationId,
}

/// What an observer reads (RULINGS R49).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ObserverReading {
    /// As the public does.
    Public,
    /// As members do, without ballots, dues and proceedings, by pass.
    Members,
}

crate::words!(ObserverReading, "reading", {
    Public = "public",
    Members = "members",
});

/// M38: a body is admitted as an observer, or reads in another way from now on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct AdmitObserver {
    /// The body, which is registered as one that observes.
    pub organisation: OrganisationId,
    /// How it reads.
    pub reading: ObserverReading,
}

/// M38: an observer is one no longer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct EndObserver {
    /// The observer.
    pub organisation: OrganisationId,
}

/// M38: what an observer states. The text stays beside the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct StatementEntry {
    /// What it is about, in the observer's words.
    pub title: Text<160>,
    /// SHA-256 of the text.
    pub document: Hash,
    /// The motion that it is about, if it is about one.
    pub motion: Option<MotionId>,
}

impl StatementEntry {
    /// Shape.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.title.is_empty() {
            return Err(DecodeError::rule("a statement has a title"));
        }
        Ok(())
    }
}

/// R48: the chair of the alliance is elected by the assembly. The ballots name members; the first
/// primary of the one that is elected is offered the post.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ElectChair {
    /// The office in which the chair has the post.
    pub office: OrganisationId,
    /// The chair that is followed; none: there is none.
    pub succeeds: Option<PostId>,
}

/// M39: on which days of a year the alliance works that are no Monday to Friday, and does not that are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct CalendarYear {
    /// The year.
    pub year: u32,
    /// Days of the year on which nobody works, strictly ascending; weekends may be among them.
    pub holidays: Vec<LocalDay>,
    /// Saturdays and Sundays of the year that are worked, strictly ascending.
    pub working_weekends: Vec<LocalDay>,
}

impl CalendarYear {
    /// The first and the last day of the year; none if it is not in 1970 to 9999.
    pub fn span(&self) -> Option<(LocalDay, LocalDay)> {
        let year = i64::from(self.year);
        let first = CivilDate::new(year, 1, 1)?;
        let last = CivilDate::new(year, 12, 31)?;
        (self.year >= 1970).then(|| (first.day_number(), last.day_number()))
    }

    /// Shape.
    pub fn check(&self) -> Result<(), DecodeError> {
        let Some((first, last)) = self.span() else {
            return Err(DecodeError::rule(
                "a calendar is of a year from 1970 to 9999",
            ));
        };
        for (days, what) in [
            (&self.holidays, "holidays"),
            (&self.working_weekends, "working weekends"),
        ] {
            at_most(days, YEAR_DAYS_MAX, what)?;
            strictly_ascending(days, what, |day| *day)?;
            if let Some(day) = days.iter().find(|day| !(first..=last).contains(*day)) {
                return Err(DecodeError::rule(format!(
                    "{day} is no day of {}",
                    self.year
                )));
            }
        }
        let is_wrong =
            |day: &&LocalDay| !day.is_weekend() || self.holidays.binary_search(day).is_ok();
        match self.working_weekends.iter().find(is_wrong) {
            Some(day) => Err(DecodeError::rule(format!(
                "{day} is to be worked: that is said of Saturdays and Sundays that are no holidays"
            ))),
            None => Ok(()),
        }
    }
}

/// M41: an application for membership whose screening ended by mistake goes back to it (RULINGS R20).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct ScreenAgain {
    /// Membership number.
    pub membership: MembershipId,
    /// SHA-256 of what shows the mistake.
    pub evidence: Hash,
}

/// What has clerical fields: fields that decide nothing.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Corrected {
    /// An order on file: authority, reference, day of issue.
    Order(OrderId),
    /// A statement of an observer: its title.
    Statement(StatementId),
    /// A fund: its name.
    Fund(FundId),
    /// A call: its title.
    Call(CallId),
    /// Money that was entered and confirmed, by the record that entered it: its value day.
    Entry(Hash),
}

/// Which field is corrected.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ClericalField {
    /// The authority that issued an order.
    Authority,
    /// The authority's reference.
    Reference,
    /// When it was issued.
    Issued,
    /// A title.
    Title,
    /// A name.
    Name,
    /// The day on which money arrived.
    ValueDay,
}

crate::words!(ClericalField, "clerical", {
    Authority = "authority",
    Reference = "reference",
    Issued = "issued",
    Title = "title",
    Name = "name",
    ValueDay = "value-day",
});

impl Corrected {
    /// Whether it has this clerical field.
    pub fn has(self, field: ClericalField) -> bool {
        use ClericalField as F;
        match self {
            Corrected::Order(_) => matches!(field, F::Authority | F::Reference | F::Issued),
            Corrected::Statement(_) | Corrected::Call(_) => field == F::Title,
            Corrected::Fund(_) => field == F::Name,
            Corrected::Entry(_) => field == F::ValueDay,
        }
    }
}

/// M41: a clerical field, the error in it and the evidence (RULINGS R20). Nothing is edited: the field
/// stays as it was signed, and the correction stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct CorrectionEntry {
    /// In what the error stands.
    pub subject: Corrected,
    /// In which field.
    pub field: ClericalField,
    /// What stands there.
    pub reads: Text<240>,
    /// What should stand there.
    pub should_read: Text<240>,
    /// SHA-256 of what shows it.
    pub evidence: Hash,
}

impl CorrectionEntry {
    /// Shape.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.should_read.is_empty() || self.reads == self.should_read {
            return Err(DecodeError::rule(
                "a correction says what should stand instead",
            ));
        }
        let text = self.should_read.as_str();
        let length = text.len();
        let fits = match self.field {
            ClericalField::Issued | ClericalField::ValueDay => CivilDate::parse(text).is_ok(),
            ClericalField::Authority => length <= 120,
            ClericalField::Reference => length <= 80,
            ClericalField::Title | ClericalField::Name => length <= 160,
        };
        if !fits {
            return Err(DecodeError::rule(
                "what should stand there is a day as YYYY-MM-DD, or as short as its field",
            ));
        }
        Ok(())
    }
}
