//! `cargo xtask tools`: the programs that dbctl must get along with, for tests and benches.
//! refinery_cli comes twice: as released its versions have 32 bits, dbctl's own have 64.

use anyhow::Result;

use crate::packages;
use crate::process::{cargo, perform, program, succeeds, target};

const REFINERY: &str = "0.10.0";
const VARIANTS: [(&str, &str); 2] = [("refinery32", "postgresql"), ("refinery64", "postgresql,int8-versions")];

/// Installs what is missing into `target/tools/<name>/bin`.
pub fn run() -> Result<()> {
    let tools = target().join("tools");
    for (name, features) in VARIANTS {
        let place = tools.join(name);
        let binary = place.join("bin/refinery");
        if succeeds(program(&binary).arg("--version")) {
            println!("{name}  {}", binary.display());
            continue;
        }
        need_openssl();
        let mut install = cargo();
        install.args(["install", "--quiet", "refinery_cli", "--version", REFINERY, "--locked", "--bin", "refinery"]);
        install.args(["--no-default-features", "--features", features]);
        install.arg("--root").arg(&place).arg("--target-dir").arg(tools.join("build"));
        perform(&mut install)?;
        println!("{name}  {}", binary.display());
    }
    Ok(())
}

fn need_openssl() {
    if cfg!(target_os = "linux") && !succeeds(program("pkg-config").args(["--exists", "openssl"])) {
        eprintln!("OpenSSL's headers are missing, which refinery_cli links to: installing them");
        if let Err(error) = packages::install(&packages::OPENSSL) {
            eprintln!("not possible ({error:#}): trying without");
        }
    }
}
