//! Motions: frozen electorate, recusal, tally.
pub mod rules;
