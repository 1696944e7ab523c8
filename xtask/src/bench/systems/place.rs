//! A system in a database of its own, filled: by dbctl as a user would, and with the many rows of
//! tests/fixtures/rows, so that a time means something.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use dbctl::migrate::embedded::System;
use tokio_postgres::{Client, Config, NoTls};

use crate::bench::scene::Scene;
use crate::process::{cargo, perform, target};

/// dbctl, and the server that a system is measured on.
pub struct Place {
    /// The server.
    pub scene: Scene,
    dbctl: PathBuf,
    /// Of the database, which is also the system's.
    pub name: &'static str,
}

/// How much there is in it.
pub struct Filling {
    /// `--without`.
    pub without: &'static [&'static str],
    /// `dbctl demo-data --scale`.
    pub demo_scale: u32,
    /// The script of the many rows.
    pub rows: &'static str,
    /// Its size.
    pub rows_scale: u32,
}

/// Builds dbctl: it only fills, so that any profile will do.
pub fn build() -> Result<PathBuf> {
    perform(cargo().args(["build", "--quiet", "--package", "dbctl", "--bin", "dbctl"]))?;
    Ok(target().join("debug/dbctl"))
}

impl Place {
    /// Migrates and fills the system on a server.
    pub async fn fill(scene: Scene, dbctl: PathBuf, name: &'static str, filling: &Filling) -> Result<Place> {
        if System::named(name).is_err() {
            bail!("system {name} is not embedded in this dbctl");
        }
        let place = Place { scene, dbctl, name };
        place.scene.fresh(name)?;
        place.dbctl(&["migrate", "up"], filling, &[])?;
        let scale = filling.demo_scale.to_string();
        place.dbctl(&["demo-data"], filling, &["--scale", &scale])?;
        let client = place.connect().await?;
        let script = format!("BEGIN; SET LOCAL rows.scale = {};\n{}\nCOMMIT", filling.rows_scale, filling.rows);
        client.batch_execute(&script).await.with_context(|| format!("rows of {name}"))?;
        Ok(place)
    }

    fn dbctl(&self, words: &[&str], filling: &Filling, more: &[&str]) -> Result<()> {
        let mut command = self.scene.bare(&self.dbctl);
        command.args(words).args(["--system", self.name, "--yes", "--quiet"]);
        command.args(filling.without.iter().flat_map(|part| ["--without", part])).args(more);
        command.arg("--database-url").arg(self.scene.url(self.name));
        self.scene.perform(command)
    }

    /// Statistics for the planner, and nothing left to write: what is measured next is not disturbed by it.
    pub async fn settle(&self) -> Result<()> {
        let client = self.connect().await?;
        client.simple_query("VACUUM ANALYZE").await?;
        client.simple_query("CHECKPOINT").await?;
        Ok(())
    }

    /// A session at the server itself.
    pub async fn connect(&self) -> Result<Client> {
        connect(&self.config()).await
    }

    /// How the server itself is reached.
    pub fn config(&self) -> Config {
        self.scene.config(self.name)
    }
}

/// A session; its connection is driven by a task of this runtime.
pub async fn connect(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
