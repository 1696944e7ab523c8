//! Arguments -> [`dbctl::run`] -> exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dbctl::run(std::env::args_os()).code())
}
