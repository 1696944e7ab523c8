//! `cargo xtask tools`: the programs that dbctl must get along with, for tests and benches, and
//! with `--peers` those that it is only compared with. refinery_cli comes twice: as released its
//! versions have 32 bits, dbctl's own have 64.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process::{cargo, perform, program, quoted, succeeds, target};
use crate::{packages, pg};

const REFINERY: &str = "0.10.0";
const VARIANTS: [(&str, &str); 2] = [("refinery32", "postgresql"), ("refinery64", "postgresql,int8-versions")];
const SQLX: &str = "0.9.0";
const PGEXTRAS: &str = "0.7.2";
const DBMATE: &str = "2.36.0";
const PARTSMITH: &str = "pg-partsmith[cli]==1.10.0";
/// migra asks for its driver and for pkg_resources without saying so; SQLAlchemy 2.1 prefers another driver.
const MIGRA: [&str; 4] =
    ["migra==3.0.1663481299", "sqlalchemy==2.0.44", "psycopg2-binary==2.9.13", "setuptools==79.0.1"];
/// pg_partman as Debian's server of the same major finds it.
const PARTMAN: &str = "/usr/share/postgresql/15/extension/pg_partman.control";
/// An S3 that runs on this machine.
const MOTO: &str = "5.2.5";
/// Azure's object store on this machine.
const AZURITE: &str = "3.35.0";

/// refinery_cli as released.
pub fn refinery() -> PathBuf {
    folder().join("refinery32/bin/refinery")
}

/// sqlx-cli.
pub fn sqlx() -> PathBuf {
    folder().join("sqlx/bin/sqlx")
}

/// dbmate itself, not the Node program in front of it.
pub fn dbmate() -> PathBuf {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let os = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    folder().join(format!("dbmate/node_modules/@dbmate/{os}-{arch}/bin/dbmate"))
}

/// pg-partsmith in a Python of its own.
pub fn partsmith() -> PathBuf {
    folder().join("partsmith/bin/pg-partsmith")
}

/// migra in a Python of its own.
pub fn migra() -> PathBuf {
    folder().join("migra/bin/migra")
}

/// check_postgres, of the system's packages.
pub const CHECK_POSTGRES: &str = "/usr/bin/check_postgres";

/// pg-extras, the one in Rust.
pub fn pgextras() -> PathBuf {
    folder().join("pgextras/bin/pgextras")
}

/// moto's S3 server.
fn moto() -> PathBuf {
    folder().join("moto/bin/moto_server")
}

fn folder() -> PathBuf {
    target().join("tools")
}

/// `tools [--peers]`: installs what is missing into `target/tools/<name>`.
pub fn run(arguments: &[&str]) -> Result<()> {
    let peers = match arguments {
        [] => false,
        ["--peers"] => true,
        _ => bail!("usage: cargo xtask tools [--peers]"),
    };
    // It knows no --version.
    if !succeeds(program(moto()).arg("--help")) {
        moto_install(&folder().join("moto"))?;
    }
    println!("moto  {}", moto().display());
    azurite();
    for (name, features) in VARIANTS {
        let place = folder().join(name);
        let install = || {
            need_openssl();
            cargo_install(&place, &format!("refinery_cli@{REFINERY}"), &["--bin", "refinery"], features)
        };
        have(name, &place.join("bin/refinery"), install)?;
    }
    if peers {
        let install = || cargo_install(&folder().join("sqlx"), &format!("sqlx-cli@{SQLX}"), &[], "postgres,rustls");
        have("sqlx", &sqlx(), install)?;
        let place = folder().join("pgextras");
        have("pg-extras", &pgextras(), || {
            let mut install = cargo();
            install.args(["install", "--quiet", "--locked", &format!("pg-extras@{PGEXTRAS}"), "--root"]).arg(&place);
            perform(install.arg("--target-dir").arg(folder().join("build")))
        })?;
        have("dbmate", &dbmate(), || npm_install(&folder().join("dbmate"), &format!("dbmate@{DBMATE}")))?;
        have("pg-partsmith", &partsmith(), || pip_install(&folder().join("partsmith"), &[PARTSMITH]))?;
        // It knows no --version.
        if !succeeds(program(migra()).arg("--help")) {
            pip_install(&folder().join("migra"), &MIGRA)?;
        }
        println!("migra  {}", migra().display());
        if !Path::new(CHECK_POSTGRES).exists()
            && let Err(error) = packages::install(&packages::CHECK_POSTGRES)
        {
            eprintln!("no check_postgres: {error:#}");
        }
        if !Path::new(PARTMAN).exists() {
            // Only one system has it; the others go without.
            if let Err(error) = packages::install(&packages::PARTMAN) {
                eprintln!("no pg_partman: {error:#}");
            }
        }
    }
    Ok(())
}

fn have(name: &str, binary: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    if !succeeds(program(binary).arg("--version")) {
        install()?;
    }
    println!("{name}  {}", binary.display());
    Ok(())
}

fn cargo_install(place: &Path, package: &str, which: &[&str], features: &str) -> Result<()> {
    let mut install = cargo();
    install.args(["install", "--quiet", package, "--locked"]).args(which);
    install.args(["--no-default-features", "--features", features]);
    install.arg("--root").arg(place).arg("--target-dir").arg(folder().join("build"));
    perform(&mut install)
}

/// Where Node's registry is out of reach, the reason is left beside: the tests that need it read it out and are skipped.
fn azurite() {
    let place = folder().join("azurite");
    let reason = folder().join("azurite.missing");
    let install = || {
        if !succeeds(program("npm").arg("--version")) {
            packages::install(&packages::NODE)?;
        }
        npm_install(&place, &format!("azurite@{AZURITE}"))
    };
    // What an earlier run left says nothing of this one.
    let _ = std::fs::remove_file(&reason);
    if let Err(error) = have("azurite", &place.join("node_modules/.bin/azurite-blob"), install) {
        println!("azurite  missing: {error:#}");
        if let Err(error) = std::fs::write(&reason, format!("{error:#}")) {
            println!("{}: {error}", reason.display());
        }
    }
}

/// Without the package's own scripts, which nobody has read.
fn npm_install(place: &Path, package: &str) -> Result<()> {
    std::fs::create_dir_all(place)?;
    let mut install = program("npm");
    install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(place).arg(package);
    perform(&mut install)
}

/// Into an environment of its own.
fn pip_install(place: &Path, packages: &[&str]) -> Result<()> {
    perform(program("python3").args(["-m", "venv"]).arg(place))?;
    let mut install = program(place.join("bin/pip"));
    perform(install.args(["--quiet", "--disable-pip-version-check", "install"]).args(packages))
}

/// Into a virtual environment; where Python came without the means, into a folder with a starter.
fn moto_install(place: &Path) -> Result<()> {
    // What an interrupted installation left is no ground to build on.
    let _ = std::fs::remove_dir_all(place);
    let package = format!("moto[server]=={MOTO}");
    let install = |python: &Path, to: &[&str]| {
        let mut pip = program(python);
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--only-binary=:all:"]);
        perform(pip.args(to).arg(&package))
    };
    if perform(program("python3").args(["-m", "venv"]).arg(place)).is_ok() {
        return install(&place.join("bin/python3"), &[]);
    }
    eprintln!("python3 makes no virtual environments here: trying a plain folder");
    let _ = std::fs::remove_dir_all(place);
    pg::need_pip()?;
    let packages = place.join("packages");
    install(Path::new("python3"), &["--target", &packages.to_string_lossy()])?;
    std::fs::create_dir_all(place.join("bin"))?;
    let starter = place.join("bin/moto_server");
    let path = quoted(&std::path::absolute(&packages)?.to_string_lossy());
    std::fs::write(&starter, format!("#!/bin/sh\nPYTHONPATH={path} exec python3 -m moto.server \"$@\"\n"))?;
    Ok(std::fs::set_permissions(&starter, std::fs::Permissions::from_mode(0o755))?)
}

fn need_openssl() {
    if cfg!(target_os = "linux") && !succeeds(program("pkg-config").args(["--exists", "openssl"])) {
        eprintln!("OpenSSL's headers are missing, which refinery_cli links to: installing them");
        if let Err(error) = packages::install(&packages::OPENSSL) {
            eprintln!("not possible ({error:#}): trying without");
        }
    }
}
