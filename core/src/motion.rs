//! Motions: frozen electorate, recusal, tally.
