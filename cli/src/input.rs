//! What people write in files and type, read so that every mistake is found in one go and has its
//! place: text in every encoding that people have ([`text`]), tables ([`table`]), the report of
//! problems with the nearest known word ([`problem`]), TOML files ([`toml_file`]), questions at the
//! terminal ([`prompt`]).

pub mod problem;
pub mod prompt;
pub mod table;
pub mod text;
pub mod toml_file;
