//! `dbctl check`: every target, one answer, the worst of them as exit code.

use chrono::Utc;

use super::Run;
use crate::check::{self, CHECKS, Request, Settings};
use crate::cli::check::Wish;
use crate::error::Result;
use crate::outcome::Outcome;
use crate::output::{self, Column, Document, Style, Table, Value, prometheus};

impl Run {
    pub(super) fn check(&self, wish: &Wish) -> Result<Outcome> {
        let mut settings = self.settings.file.as_ref().map_or_else(Settings::default, |file| file.checks.clone());
        settings.profile = wish.profile.or(settings.profile);
        if wish.list {
            return self.answer((Outcome::Done, list(&settings)));
        }
        let has = |names: &[String], id: &str| names.iter().any(|name| name == id);
        let checks = CHECKS.iter().filter(|check| {
            (has(&wish.only, check.id) || wish.only.is_empty() && !settings.off.contains(&check.id))
                && !has(&wish.skip, check.id)
        });
        let request = Request {
            checks: checks.collect(),
            state: wish.state.clone().or_else(|| self.state_folder().map(|folder| folder.join("check.json"))),
            settings,
        };
        let reports = self.block_on(async |interrupt| {
            let mut reports = Vec::new();
            for target in &self.settings.targets()? {
                let mut report = check::check(&self.connection(target)?, &request, interrupt).await?;
                report.target.clone_from(&target.name);
                reports.push(report);
            }
            Ok(reports)
        })?;
        let (level, document) = check::view(&reports, Utc::now());
        match &wish.out {
            Some(path) => {
                let style = Style { color: false, width: Style::PLAIN_WIDTH };
                let mut text = Vec::new();
                output::render(&document, self.settings.format.value, &style, &mut text)?;
                prometheus::write(path, &String::from_utf8_lossy(&text))?;
                Ok(level.outcome())
            }
            None => self.answer((level.outcome(), document)),
        }
    }
}

/// Every check with its thresholds as they are in force.
fn list(settings: &Settings) -> Document {
    let columns = vec![
        Column::new("check", "check"),
        Column::new("metric", "metric"),
        Column::new("unit", "unit"),
        Column::new("warn", "warn"),
        Column::new("crit", "crit"),
        Column::machine("summary"),
    ];
    let mut table = Table::new("checks", "", columns);
    for check in CHECKS {
        for metric in check.metrics {
            let limits = settings.limits(check, metric, "", None);
            let limit = |limit: Option<f64>| limit.map_or(Value::None, |limit| metric.unit.value(limit));
            table.push(vec![
                check.id.into(),
                metric.name.into(),
                metric.unit.name().into(),
                limit(limits.warn),
                limit(limits.crit),
                check.summary.into(),
            ]);
        }
    }
    Document::new("check.list", 1).table(table)
}
