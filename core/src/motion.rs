//! Motions: frozen electorate, recusal, tally. One implementation for every vote of every kind.

pub mod rules;
pub mod tally;
