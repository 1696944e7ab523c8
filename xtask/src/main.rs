//! `cargo xtask`: what a checkout of dbctl can do by itself. Each command is a file; this one only
//! chooses.

mod bench;
mod ci;
mod demo;
mod packages;
mod pg;
mod process;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask demo [--system S]           run dbctl's main job on a throwaway server, with its real output
cargo xtask test [--matrix] [FILTER]    install what the tests need where it is missing, and run them all;
                                        --matrix: on PostgreSQL 14-18
cargo xtask ci                          what the CI runs: format, lints, licences, build, test --matrix
cargo xtask pg [MAJOR...|--all|--vector]
                                        list the PostgreSQL servers that are found; fetch 14-18,
                                        or builds with pgvector, into target/pg
cargo xtask tools [--peers]             install the programs that dbctl must get along with, into
                                        target/tools; --peers: also those it is only compared with
cargo xtask bench migrate [--runs N] [--quick] [--json FILE]
                                        dbctl beside other programs: ratios, CPU, memory; asserts nothing
cargo xtask bench systems [--system S] [--runs N] [--quick] [--json FILE]
                                        what the systems' documents promise beside what is measured
cargo xtask bench partitions [SCENE...] [--runs N] [--hold SECONDS] [--quick] [--json FILE]
                                        what upkeep of partitions does to writers, and what it takes,
                                        beside pg_partman, pg-partsmith and plain SQL";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["demo", rest @ ..] => demo::run(rest),
        ["test", rest @ ..] => test::run(rest),
        ["ci"] => ci::run(),
        ["pg", rest @ ..] => pg::run(rest),
        ["tools", rest @ ..] => tools::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(anyhow::anyhow!("unknown: cargo xtask {}\n{HELP}", other.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
