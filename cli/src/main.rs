//! `rollbook`, the command line. Everything is in the library beside it.

fn main() -> std::process::ExitCode {
    rollbook::main()
}
