//! What concerns the alliance as a whole and no money: who works in a direction and leads it, who observes,
//! on which days the alliance works, and how a clerical error is corrected (M37, M38, M39, M41).

pub(crate) mod calendar;
pub(crate) mod corrections;
pub(crate) mod directions;
pub(crate) mod observers;
