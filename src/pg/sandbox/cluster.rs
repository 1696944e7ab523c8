//! A fresh data folder in a tenth of a second: initdb runs once per server version, its result
//! lies in a cache and is copied. Knows initdb and the server's settings; starts no server.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::fcntl::OFlag;
use sha2::{Digest, Sha256};

use super::account::{Account, complete};
use super::binaries::Installation;
use super::{Options, SUPERUSER};
use crate::config::env::Env;
use crate::error::{Explain, Failure, Kind, Result};

/// The variable that names the folder of the templates.
pub const CACHE_VARIABLE: &str = "DBCTL_CACHE_DIR";
/// Raised when [`make_template`] changes what it makes.
const FORMAT: u32 = 1;

/// What only protects against a crash of the machine is off; a killed server still loses nothing
/// that it confirmed (fault tests kill it), so synchronous_commit stays on.
const SETTINGS: [(&str, &str); 9] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("wal_init_zero", "off"),
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
    ("log_line_prefix", "%m [%p] %u@%d %a "),
    ("unix_socket_permissions", "0700"),
];

/// Puts a new data folder at `data`, made for this sandbox.
pub(super) fn lay(
    data: &Path,
    socket_dir: &Path,
    port: u16,
    options: &Options,
    installation: &Installation,
    account: &Account,
    env: &Env,
) -> Result<()> {
    let template = template(installation, account, env)?;
    let settings = settings(socket_dir, port, options, installation);
    let hba = hba(options);
    // As the account, so that everything belongs to it and root writes through nobody's symlink.
    let mut copy = account.script(
        r#"set -e; cp -a -- "$1" "$2"; cat >>"$2/postgresql.conf"; printf '%s\n' "$3" >"$2/pg_hba.conf""#,
        &[template.as_os_str(), data.as_os_str(), OsStr::new(&hba)],
    );
    let mut child = copy
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .explain(Kind::Failed, "cannot copy the template cluster")?;
    if let Some(mut input) = child.stdin.take() {
        // A copy that failed has closed its end; what it said says more than this error.
        let _ = input.write_all(settings.as_bytes());
    }
    let output = child.wait_with_output().explain(Kind::Failed, "cannot copy the template cluster")?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(Kind::Failed, String::from_utf8_lossy(&output.stderr).trim())
        .context("cannot copy the template cluster"))
}

fn settings(socket_dir: &Path, port: u16, options: &Options, installation: &Installation) -> String {
    let listen = if options.port.is_some() { "127.0.0.1" } else { "" };
    let socket_dir = socket_dir.to_string_lossy();
    let port = port.to_string();
    let mut lines: Vec<(&str, &str)> = SETTINGS.to_vec();
    lines.extend([
        ("listen_addresses", listen),
        ("unix_socket_directories", socket_dir.as_ref()),
        ("port", port.as_str()),
    ]);
    if installation.has_library("pg_stat_statements") {
        lines.push(("shared_preload_libraries", "pg_stat_statements"));
    }
    // Last wins, so that the caller may override any of ours.
    lines.extend(options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let lines: Vec<String> =
        lines.into_iter().map(|(name, value)| format!("{name} = '{}'", value.replace('\'', "''"))).collect();
    format!("\n# dbctl sandbox\n{}\n", lines.join("\n"))
}

/// Who may come in: over the socket, whose folder only the account may enter, everyone; over TCP,
/// which every local user can reach, only with the password.
fn hba(options: &Options) -> String {
    let mut lines = options.hba.clone();
    for what in ["all", "replication"] {
        lines.push(format!("local {what} all trust"));
    }
    if options.port.is_some() {
        for what in ["all", "replication"] {
            lines.push(format!("host {what} all 127.0.0.1/32 scram-sha-256"));
        }
    }
    lines.join("\n")
}

/// The cached cluster of this installation, made now when there is none.
fn template(installation: &Installation, account: &Account, env: &Env) -> Result<PathBuf> {
    let cache = cache_dir(account, env)?;
    let name = template_name(installation);
    let path = cache.join(&name);
    let whole = || path.join("PG_VERSION").is_file();
    if whole() {
        return Ok(path);
    }
    let lock = lock_file(&cache.join(format!("{name}.lock")))?;
    lock.lock().explain(Kind::Failed, format!("cannot lock {}", path.display()))?;
    if !whole() {
        make_template(&path, installation, account)?;
    }
    Ok(path)
}

/// initdb beside the final place, then a rename: a template is whole or absent.
fn make_template(path: &Path, installation: &Installation, account: &Account) -> Result<()> {
    let building = path.with_file_name(format!(
        "building-{}-{}",
        std::process::id(),
        path.file_name().unwrap_or_default().to_string_lossy()
    ));
    let made = complete(
        account.command(installation.bin_dir.join("initdb")).arg("-D").arg(&building).args([
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]),
        &format!("initialise a PostgreSQL {} cluster as user {}", installation.version, account.name()),
    );
    let renamed = made.and_then(|_| {
        std::fs::rename(&building, path)
            .explain(Kind::Failed, format!("cannot put the template cluster at {}", path.display()))
    });
    renamed.map_err(|failure| {
        let _ = std::fs::remove_dir_all(&building);
        let unreachable = account.drops_root() && failure.to_string().to_lowercase().contains("permission denied");
        if unreachable {
            failure.hint(format!(
                "user {} must be able to reach {}; copy the installation to a folder that everyone may enter and set DBCTL_PG_BIN",
                account.name(),
                installation.bin_dir.display()
            ))
        } else {
            failure
        }
    })
}

/// Another build of the same version, or the same at another place, may differ in what it was
/// compiled with: both are part of the name.
fn template_name(installation: &Installation) -> String {
    let version: String = installation.version.chars().take_while(|c| !c.is_whitespace()).collect();
    let identity = format!("{}\0{}", installation.version, installation.bin_dir.display());
    let hash: String = Sha256::digest(identity.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("pg-{version}-{hash}-f{FORMAT}")
}

/// A folder of the account's own that outlives sandboxes: `~/.cache/dbctl`; as root, whose home
/// no other account may enter, `/var/cache/dbctl-<account>`.
fn cache_dir(account: &Account, env: &Env) -> Result<PathBuf> {
    let private = format!("dbctl-{}", account.name());
    let chosen = env.get(CACHE_VARIABLE).map(|folder| PathBuf::from(folder).join("clusters"));
    let places: Vec<PathBuf> = if account.drops_root() {
        [chosen, Some(Path::new("/var/cache").join(&private)), Some(Path::new("/var/tmp").join(&private))]
            .into_iter()
            .flatten()
            .collect()
    } else {
        let xdg = env.get("XDG_CACHE_HOME").map(|folder| PathBuf::from(folder).join("dbctl"));
        let home = env.home().map(|home| home.join(".cache/dbctl"));
        [chosen, xdg, home, Some(std::env::temp_dir().join(&private))].into_iter().flatten().collect()
    };
    let mut refused = None;
    for place in places {
        match own_folder(&place, account) {
            Ok(()) => return Ok(place),
            Err(failure) => refused = refused.or(Some(failure)),
        }
    }
    let refused = refused.unwrap_or_else(|| Failure::new(Kind::Failed, "no place for the template cluster"));
    Err(refused.hint(format!("name a folder that user {} may write to: {CACHE_VARIABLE}=/path", account.name())))
}

/// Makes the folder where it is missing; one that exists must already be the account's.
fn own_folder(folder: &Path, account: &Account) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).explain(Kind::Failed, format!("cannot make {}", parent.display()))?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => account.give(folder)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let meta =
                folder.symlink_metadata().explain(Kind::Failed, format!("cannot look at {}", folder.display()))?;
            if !meta.is_dir() || meta.uid() != account.uid() {
                // A root process may have made it a moment ago and be about to give it away.
                std::thread::sleep(std::time::Duration::from_millis(50));
                let again = folder.symlink_metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == account.uid());
                if !again {
                    return Err(Failure::new(
                        Kind::NotPermitted,
                        format!("{} does not belong to user {}", folder.display(), account.name()),
                    ));
                }
            }
        }
        Err(error) => return Err(error).explain(Kind::Failed, format!("cannot make {}", folder.display())),
    }
    complete(
        account.script(r#"test -w "$1" && test -x "$1""#, &[folder.as_os_str()]).stdin(Stdio::null()),
        &format!("use {} as user {}", folder.display(), account.name()),
    )
    .map(drop)
}

fn lock_file(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path);
    file.explain(Kind::Failed, format!("cannot open {}", path.display()))
}
