//! What people write in files and type, read so that every mistake is found in one go and has its
//! place: the report of problems with the nearest known word ([`problem`]), TOML files
//! ([`toml_file`]), questions at the terminal ([`prompt`]).

pub mod problem;
pub mod prompt;
pub mod toml_file;
