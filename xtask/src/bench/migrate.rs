//! `cargo xtask bench migrate`: start-up, a run that finds nothing to do, and applying to an empty
//! database, beside psql, the least possible client and other migration programs.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::Options;
use super::files::Set;
use super::measure::{Case, Gauge, Series, compare};
use super::peers::Peers;
use super::report::{Aim, Comparison};
use super::scene::Scene;

const OWN: &str = "dbctl migrate";
const FLOOR: &str = "connect, select 1";
const PSQL_ONE: &str = "psql -c 'select 1'";
const PSQL_SESSION: &str = "one psql session";
const REFINERY: &str = "refinery_cli";

/// Prints one table after the other as they are done.
pub fn run(options: &Options) -> Result<()> {
    let peers = Peers::ready()?;
    let scene = Scene::start()?;
    let bench = Bench { peers, scene };
    let (many, few) = (options.runs * 5, options.runs);
    println!("{}\n", bench.head()?);
    let mut all = vec![bench.show(bench.start_up(many))];
    let counts: &[usize] = if options.quick { &[200] } else { &[200, 1000] };
    for count in counts {
        let set = Set::write(bench.scene.scratch(), *count)?;
        all.push(bench.show(bench.no_op(&set, many)?));
        all.push(bench.show(bench.apply(&set, few)));
    }
    if options.quick {
        println!("--quick: 1,000 migrations were left out");
    }
    if let Some(file) = &options.json {
        let tables: Vec<_> = all.iter().map(Comparison::json).collect();
        let text = json!({ "version": 1, "head": bench.head()?, "tables": tables }).to_string();
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

struct Bench {
    peers: Peers,
    scene: Scene,
}

impl Bench {
    fn head(&self) -> Result<String> {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().map_or(String::new(), |load| format!(", load {load}"));
        let mut lines = vec![
            format!("{}; {cores} cores{load}", self.scene.describe()?),
            "Rounds in turn; medians (least-most). 'dbctl takes': the median of the ratios of".to_owned(),
            "each round. CPU and peak are the client's, never the server's.".to_owned(),
        ];
        lines.extend(self.peers.missing.iter().map(|what| format!("missing: {what}")));
        if Gauge::find(self.scene.scratch()).is_none() {
            lines.push("missing: peak memory, which needs GNU time: apt-get install time".to_owned());
        }
        Ok(lines.join("\n"))
    }

    fn show(&self, comparison: Comparison) -> Comparison {
        println!("{}", comparison.table());
        comparison
    }

    fn compare(&self, cases: &[Case<'_>], rounds: usize) -> Vec<Series> {
        compare(cases, rounds, self.scene.scratch())
    }

    fn dbctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.scene.bare(&self.peers.dbctl);
        command.args(arguments);
        command
    }

    fn start_up(&self, rounds: usize) -> Comparison {
        let psql = || {
            let mut psql = self.scene.psql("postgres");
            psql.arg("--version");
            psql
        };
        let mut cases = vec![
            Case::new("dbctl --version", || self.dbctl(&["--version"])),
            Case::new("dbctl migrate systems", || self.dbctl(&["migrate", "systems"])),
            Case::new("psql --version", psql),
        ];
        for peer in &self.peers.migrators {
            cases.push(Case::new(format!("{} --version", peer.name), || peer.version(&self.scene)));
        }
        let all = self.compare(&cases, rounds);
        let aims = all.iter().take(2).map(|own| Aim {
            promise: format!("{} under 5 ms", own.name),
            found: own.wall().map(|wall| format!("{:.1} ms", wall.median)),
            met: own.wall().is_some_and(|wall| wall.median < 5.0),
        });
        Comparison { title: "Start-up without a server".to_owned(), rounds, aims: aims.collect(), all }
    }

    fn no_op(&self, set: &Set, rounds: usize) -> Result<Comparison> {
        let mut cases = vec![Case::new(OWN, || self.migrate(set, "b_dbctl"))];
        self.scene.fresh("b_dbctl")?;
        self.scene.perform(self.migrate(set, "b_dbctl"))?;
        self.scene.expect_tables("b_dbctl", set.count)?;
        cases.push(Case::new(FLOOR, || {
            let mut floor = self.scene.bare(&self.peers.floor);
            floor.arg(self.scene.url_with_socket_as_host("postgres"));
            floor
        }));
        cases.push(Case::new(PSQL_ONE, || {
            let mut psql = self.scene.psql("postgres");
            psql.args(["-c", "select 1"]);
            psql
        }));
        for peer in &self.peers.migrators {
            let dbname = database_of(peer.name);
            self.scene.fresh(&dbname)?;
            self.scene.perform(peer.migrate(&self.scene, set, &dbname))?;
            self.scene.expect_tables(&dbname, set.count)?;
            cases.push(Case::new(peer.name, move || peer.migrate(&self.scene, set, &dbname)));
        }
        let all = self.compare(&cases, rounds);
        let mut aims = vec![no_op_aim(&all)];
        let peak = all.first().and_then(|own| own.peak);
        aims.push(Aim {
            promise: "peak under 12 MiB".to_owned(),
            found: peak.map(|peak| format!("{peak:.1} MiB")),
            met: peak.is_some_and(|peak| peak < 12.0),
        });
        Ok(Comparison { title: format!("Nothing to do, {} applied", thousands(set.count)), rounds, all, aims })
    }

    fn apply(&self, set: &Set, rounds: usize) -> Comparison {
        let session = |dbname: &str| {
            let mut psql = self.scene.psql(dbname);
            psql.arg("-f").arg(set.psql());
            psql
        };
        let mut cases = vec![
            self.applying(OWN, set, "b_dbctl".to_owned(), |dbname| self.migrate(set, dbname)),
            self.applying(PSQL_SESSION, set, "b_psql".to_owned(), session),
        ];
        for peer in &self.peers.migrators {
            let migrate = |dbname: &str| peer.migrate(&self.scene, set, dbname);
            cases.push(self.applying(peer.name, set, database_of(peer.name), migrate));
        }
        let all = self.compare(&cases, rounds);
        let aims = vec![Aim::at_most(1.15, PSQL_SESSION, &all)];
        let title = format!("Apply {} to an empty database", thousands(set.count));
        Comparison { title, rounds, all, aims }
    }

    /// Each run meets an empty database, and counts only if all tables are there afterwards.
    fn applying<'a>(
        &'a self,
        name: &str,
        set: &'a Set,
        dbname: String,
        command: impl Fn(&str) -> Command + 'a,
    ) -> Case<'a> {
        let (before, check) = (dbname.clone(), dbname.clone());
        Case {
            name: name.to_owned(),
            command: Box::new(move || command(&dbname)),
            before: Box::new(move || self.scene.fresh(&before)),
            check: Box::new(move || self.scene.expect_tables(&check, set.count)),
        }
    }

    fn migrate(&self, set: &Set, dbname: &str) -> Command {
        let mut command = self.dbctl(&["migrate", "--yes", "--dir"]);
        command.arg(set.refinery()).arg("--database-url").arg(self.scene.url(dbname));
        command
    }
}

/// One of two promises is enough.
fn no_op_aim(all: &[Series]) -> Aim {
    let either = [Aim::at_most(1.3, REFINERY, all), Aim::at_most(3.0, FLOOR, all)];
    let found: Vec<&str> = either.iter().filter_map(|aim| aim.found.as_deref()).collect();
    Aim {
        promise: "at most 1.3 x refinery_cli or 3 x the floor".to_owned(),
        found: (!found.is_empty()).then(|| found.join(", ")),
        met: either.iter().any(|aim| aim.met),
    }
}

fn database_of(name: &str) -> String {
    format!("b_{}", name.replace('-', "_"))
}

fn thousands(count: usize) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) }
}
