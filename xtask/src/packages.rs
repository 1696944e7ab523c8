//! The system's package manager, used as root or through a sudo that asks nothing.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{output, perform, program, succeeds};

/// What can be asked for, and what it is called where.
pub struct Package {
    apt: &'static [&'static str],
    dnf: &'static [&'static str],
    brew: &'static [&'static str],
    /// Whether Debian's package makes a database cluster when it is installed.
    makes_cluster: bool,
    /// A system service that comes along and that nobody asked for.
    service: Option<&'static str>,
}

/// The server with its clients and contrib modules.
pub const POSTGRESQL: Package = Package {
    apt: &["postgresql", "postgresql-contrib"],
    dnf: &["postgresql-server", "postgresql-contrib"],
    brew: &["postgresql@18"],
    makes_cluster: true,
    service: None,
};
/// The pooler that the tests put in between.
pub const PGBOUNCER: Package = Package {
    apt: &["pgbouncer"],
    dnf: &["pgbouncer"],
    brew: &["pgbouncer"],
    makes_cluster: false,
    service: Some("pgbouncer"),
};
/// The browser that looks at the report's page.
pub const CHROMIUM: Package = Package {
    apt: &["chromium", "fonts-dejavu-core"],
    dnf: &["chromium"],
    brew: &["chromium"],
    makes_cluster: false,
    service: None,
};
/// By which a backup is restored without dbctl.
pub const ZSTD: Package =
    Package { apt: &["zstd"], dnf: &["zstd"], brew: &["zstd"], makes_cluster: false, service: None };
/// By which an encrypted one is opened.
pub const AGE: Package = Package { apt: &["age"], dnf: &["age"], brew: &["age"], makes_cluster: false, service: None };
/// What runs Azurite, and what installs it.
pub const NODE: Package =
    Package { apt: &["nodejs", "npm"], dnf: &["nodejs", "npm"], brew: &["node"], makes_cluster: false, service: None };
/// For a Python that came without it.
pub const PIP: Package =
    Package { apt: &["python3-pip"], dnf: &["python3-pip"], brew: &["python"], makes_cluster: false, service: None };
/// The server that Debian makes pg_partman for, and pg_partman.
pub const PARTMAN: Package = Package {
    apt: &["postgresql-15", "postgresql-15-partman"],
    dnf: &["postgresql-server", "pg_partman_15"],
    brew: &[],
    makes_cluster: true,
    service: None,
};
/// The server that Debian makes pg_repack for, and pg_repack.
pub const REPACK: Package = Package {
    apt: &["postgresql-15", "postgresql-15-repack"],
    dnf: &["postgresql-server", "pg_repack_15"],
    brew: &[],
    makes_cluster: true,
    service: None,
};
/// check_postgres, which is only compared with.
pub const CHECK_POSTGRES: Package = Package {
    apt: &["check-postgres"],
    dnf: &["check_postgres"],
    brew: &["check_postgres"],
    makes_cluster: false,
    service: None,
};
/// What uuid-ossp of the fetched servers links to.
pub const OSSP_UUID: Package =
    Package { apt: &["libossp-uuid16"], dnf: &["uuid"], brew: &["ossp-uuid"], makes_cluster: false, service: None };
/// What refinery_cli's TLS links to.
pub const OPENSSL: Package = Package {
    apt: &["libssl-dev", "pkg-config"],
    dnf: &["openssl-devel", "pkgconf-pkg-config"],
    brew: &["openssl@3", "pkgconf"],
    makes_cluster: false,
    service: None,
};

/// Installs, saying what is run. Fails where there is no known package manager or no right to use it.
pub fn install(package: &Package) -> Result<()> {
    if has("apt-get") {
        // Debian's server package makes and starts a cluster of its own, which no test needs.
        let no_cluster = if package.makes_cluster { Some(NoMainCluster::ask_for()?) } else { None };
        let done = apt(package.apt);
        no_cluster.map_or(Ok(()), |asked| asked.restore())?;
        done?;
    } else if has("dnf") {
        perform(as_root("dnf")?.args(["install", "-y"]).args(package.dnf))?;
    } else if has("brew") {
        perform(program("brew").arg("install").args(package.brew))?;
    } else {
        bail!("no package manager that is known here (apt-get, dnf, brew)");
    }
    if let Some(service) = package.service
        && Path::new("/run/systemd/system").exists()
    {
        perform(as_root("systemctl")?.args(["disable", "--now", service]))?;
    }
    Ok(())
}

/// Whether a program is on PATH.
pub fn has(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

/// A machine that was never updated knows no packages: one update, then a second try.
fn apt(names: &[&str]) -> Result<()> {
    let install = || -> Result<()> {
        let mut command = as_root("env")?;
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"]);
        perform(command.args(["-o", "Dpkg::Options::=--force-confold"]).args(names))
    };
    install().or_else(|_| {
        perform(as_root("env")?.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "update"]))?;
        install()
    })
}

/// The configuration by which Debian's server package makes no cluster, there for the installation only.
struct NoMainCluster {
    ours: bool,
}

impl NoMainCluster {
    const FILE: &'static str = "/etc/postgresql-common/createcluster.conf";

    fn ask_for() -> Result<NoMainCluster> {
        if Path::new(Self::FILE).exists() {
            return Ok(NoMainCluster { ours: false });
        }
        let script = format!("mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >{}", Self::FILE);
        perform(as_root("sh")?.args(["-c", &script]))?;
        Ok(NoMainCluster { ours: true })
    }

    /// Puts the package's own file in place of ours, where it brought one.
    fn restore(&self) -> Result<()> {
        if !self.ours {
            return Ok(());
        }
        let (file, original) = (Self::FILE, "/usr/share/postgresql-common/createcluster.conf");
        let script = format!("rm -f {file} {file}.ucf-dist; if [ -e {original} ]; then cp {original} {file}; fi");
        perform(as_root("sh")?.args(["-c", &script]))
    }
}

/// A program that will run as root: directly, or through sudo where that asks for no password.
fn as_root(name: &str) -> Result<Command> {
    if is_root() {
        return Ok(program(name));
    }
    if succeeds(program("sudo").args(["-n", "true"])) {
        let mut command = program("sudo");
        command.args(["-n", name]);
        return Ok(command);
    }
    bail!("not root, and sudo would ask for a password")
}

/// Whether this process is root.
pub fn is_root() -> bool {
    output(program("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}
