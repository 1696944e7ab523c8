//! A real PgBouncer in transaction mode in front of the server, as the documents configure it: on a
//! Unix socket beside the server's own, under the server's account, gone when it is dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio_postgres::{Config, SimpleQueryMessage};

use super::place::{Place, connect};

/// Beside the server's socket, so no other program can have it.
const PORT: u16 = 6432;

/// A document's pool.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// `default_pool_size`.
    pub size: u32,
    /// `min_pool_size`.
    pub least: u32,
    /// `reserve_pool_size`, after 3 s.
    pub reserve: u32,
    /// `max_client_conn`.
    pub clients: u32,
}

/// A running PgBouncer.
pub struct Pooler {
    process: Child,
    config: Config,
    console: Config,
    pool: Pool,
}

impl Pooler {
    /// Starts it, or says what is missing.
    pub async fn start(place: &Place, pool: Pool) -> Result<Pooler> {
        let program = find().context("PgBouncer is not installed: cargo xtask test installs it")?;
        allow_files(u64::from(pool.clients) * 2 + 500)?;
        let folder = place.scene.socket_dir();
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings(folder, place.scene.port(), pool))?;
        let mut command = place.scene.command_as_server(&program);
        command.arg("--quiet").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let config = |dbname: &str| {
            let mut config = place.config();
            config.dbname(dbname).connect_timeout(Duration::from_secs(20));
            config_with_port(&config, folder, dbname)
        };
        let mut pooler = Pooler { process, config: config(place.name), console: config("pgbouncer"), pool };
        pooler.wait(&folder.join("pgbouncer.log")).await?;
        Ok(pooler)
    }

    /// How the database is reached through it.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How many of a hundred of the pool's connections work at this moment.
    pub async fn saturation(console: &tokio_postgres::Client, pool: Pool) -> Result<f64> {
        let rows = console.simple_query("SHOW POOLS").await?;
        let busy = rows.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) if row.get("database") != Some("pgbouncer") => {
                row.get("sv_active").and_then(|count| count.parse::<f64>().ok())
            }
            _ => None,
        });
        Ok(busy.sum::<f64>() / f64::from(pool.size) * 100.0)
    }

    /// A session at its console.
    pub async fn console(&self) -> Result<tokio_postgres::Client> {
        connect(&self.console).await
    }

    /// What it was configured with.
    pub fn pool(&self) -> Pool {
        self.pool
    }

    async fn wait(&mut self, log: &Path) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while connect(&self.config).await.is_err() {
            let ended = self.process.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                bail!("PgBouncer does not answer: {}", said.lines().last().unwrap_or("no word in its log"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn config_with_port(base: &Config, folder: &Path, dbname: &str) -> Config {
    let mut config = Config::new();
    config.host_path(folder).port(PORT).dbname(dbname).connect_timeout(Duration::from_secs(20));
    if let Some(user) = base.get_user() {
        config.user(user);
    }
    config
}

fn settings(folder: &Path, port: u16, pool: Pool) -> String {
    let folder = folder.display();
    let Pool { size, least, reserve, clients } = pool;
    // auth_type any takes everybody for one user, whom the database line names; only the socket's folder lets in.
    format!(
        "[databases]\n* = host={folder} port={port} user=postgres\n\
         [pgbouncer]\nlisten_port = {PORT}\nunix_socket_dir = {folder}\nlogfile = {folder}/pgbouncer.log\nauth_type = any\n\
         pool_mode = transaction\nmax_client_conn = {clients}\ndefault_pool_size = {size}\nmin_pool_size = {least}\n\
         reserve_pool_size = {reserve}\nreserve_pool_timeout = 3\nmax_db_connections = 100\nmax_user_connections = 100\n\
         server_idle_timeout = 600\nserver_lifetime = 3600\nserver_connect_timeout = 15\n\
         log_connections = 0\nlog_disconnections = 0\nignore_startup_parameters = extra_float_digits\n"
    )
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|folder| folder.join("pgbouncer")).find(|file| file.is_file())
}

/// Each client is an open file, here and there.
fn allow_files(wanted: u64) -> Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard)?;
    }
    if hard < wanted {
        bail!("{wanted} open files are needed, {hard} are allowed: ulimit -n");
    }
    Ok(())
}
