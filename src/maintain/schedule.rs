//! The jobs of dbctl.yaml as lines for those who keep the time: cron, systemd, pg_cron. Pure.

use std::path::Path;

use crate::config::{Cron, Job};
use crate::ident::Literal;

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// crontab(5).
    Cron,
    /// A service and a timer for each job.
    Systemd,
    /// SQL for the extension pg_cron.
    PgCron,
}

/// What the lines refer to, absolute.
#[derive(Debug, Clone, Copy)]
pub struct Paths<'a> {
    /// The program.
    pub program: &'a Path,
    /// The config file.
    pub config: &'a Path,
}

/// The lines of all jobs that have a schedule.
pub fn lines(jobs: &[Job], keeper: Keeper, paths: Paths<'_>) -> String {
    let due = jobs.iter().filter_map(|job| Some((job, job.schedule.as_ref()?)));
    let parts: Vec<String> = due
        .map(|(job, schedule)| match keeper {
            // In crontab an unescaped % ends the command.
            Keeper::Cron => format!("{schedule} {}", command(job, paths).replace('%', "\\%")),
            Keeper::Systemd => units(job, schedule, paths),
            Keeper::PgCron => statements(job, schedule),
        })
        .collect();
    parts.join(if keeper == Keeper::Systemd { "\n\n" } else { "\n" })
}

fn command(job: &Job, paths: Paths<'_>) -> String {
    let words = [&paths.program.display().to_string(), "--config", &paths.config.display().to_string(), "--quiet"]
        .map(quoted)
        .join(" ");
    format!("{words} maintain run {}", job.name)
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.=:@+,".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// As systemd takes it for one word: % begins a specifier, $ a variable.
fn quoted_for_systemd(word: &str) -> String {
    let word = word.replace('\\', r"\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!("\"{word}\"")
}

fn units(job: &Job, schedule: &Cron, paths: Paths<'_>) -> String {
    let name = &job.name;
    let (program, config) =
        [paths.program, paths.config].map(|path| quoted_for_systemd(&path.display().to_string())).into();
    let calendars: String = calendars(schedule).iter().map(|when| format!("OnCalendar={when}\n")).collect();
    format!(
        "# /etc/systemd/system/dbctl-{name}.service\n[Unit]\nDescription=dbctl maintain run {name}\n\n[Service]\nType=oneshot\n\
         ExecStart={program} --config {config} --quiet maintain run {name}\n# deferred, another run: the next time does it\n\
         SuccessExitStatus=3 6\n\n# /etc/systemd/system/dbctl-{name}.timer\n[Unit]\nDescription=when dbctl maintain run {name} is due\n\n\
         [Timer]\n{calendars}Persistent=true\n\n[Install]\nWantedBy=timers.target"
    )
}

/// cron takes a day that either of its two day fields names; systemd one that both name.
fn calendars(schedule: &Cron) -> Vec<String> {
    let [minute, hour, day, month, weekday] = &schedule.fields;
    let list = |field: &crate::config::CronField| {
        if field.text == "*" {
            "*".to_owned()
        } else {
            field.values.iter().map(|value| format!("{value:02}")).collect::<Vec<_>>().join(",")
        }
    };
    let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let days: Vec<&str> = weekday.values.iter().filter_map(|day| names.get(*day as usize).copied()).collect();
    let weekdays = if weekday.text == "*" { String::new() } else { format!("{} ", days.join(",")) };
    let time = format!("{}:{}:00", list(hour), list(minute));
    let date = |day: &str| format!("*-{}-{day}", list(month));
    if day.any || weekday.any {
        return vec![format!("{weekdays}{} {time}", date(&list(day)))];
    }
    vec![format!("{} {time}", date(&list(day))), format!("{weekdays}{} {time}", date("*"))]
}

/// pg_cron runs SQL: what names its tables can be said in it, without choice, budget and report.
fn statements(job: &Job, schedule: &Cron) -> String {
    let sql = sql(&job.run);
    if sql.is_empty() {
        return format!("-- {}: pg_cron runs SQL, which this job is not: dbctl {}", job.name, job.run.join(" "));
    }
    let target = job
        .target
        .as_ref()
        .map_or(String::new(), |target| format!("-- {}: in the database of target {target}\n", job.name));
    let one = sql.len() == 1;
    let lines = sql.iter().enumerate().map(|(index, sql)| {
        let name = if one { job.name.clone() } else { format!("{}-{}", job.name, index + 1) };
        let (name, when, sql) = (Literal(&name).to_string(), schedule.to_string(), Literal(sql).to_string());
        format!("SELECT cron.schedule({}, {}, {});", name.trim_start(), Literal(&when), sql.trim_start())
    });
    target + &lines.collect::<Vec<_>>().join("\n")
}

fn sql(run: &[String]) -> Vec<String> {
    let Some((command, rest)) = run.split_first() else { return Vec::new() };
    let (mut tables, mut indexes, mut views, mut analyze) = (Vec::new(), Vec::new(), Vec::new(), false);
    let mut words = rest.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (flag, mut value) = word.split_once('=').map_or((word, None), |(flag, value)| (flag, Some(value)));
        match flag {
            "--analyze" => analyze = true,
            "--table" | "--index" | "--budget" | "--jobs" => {
                value = value.or_else(|| words.next());
                match flag {
                    "--table" => tables.extend(value),
                    "--index" => indexes.extend(value),
                    _ => {}
                }
            }
            // What is not known here may change what is meant.
            flag if flag.starts_with('-') => return Vec::new(),
            view => views.push(view),
        }
    }
    match command.as_str() {
        "vacuum" => {
            let options = if analyze { "(ANALYZE) " } else { "" };
            tables.iter().map(|table| format!("VACUUM {options}{table}")).collect()
        }
        "reindex" => {
            let tables = tables.iter().map(|table| format!("REINDEX TABLE CONCURRENTLY {table}"));
            tables.chain(indexes.iter().map(|index| format!("REINDEX INDEX CONCURRENTLY {index}"))).collect()
        }
        "refresh" => views.iter().map(|view| format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {view}")).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str, run: &str, schedule: &str) -> Job {
        Job {
            name: name.to_owned(),
            run: run.split(' ').map(str::to_owned).collect(),
            schedule: Some(Cron::parse(schedule).unwrap()),
            target: None,
        }
    }

    fn lines_of(job: &Job, keeper: Keeper) -> String {
        let paths = Paths { program: Path::new("/usr/bin/dbctl"), config: Path::new("/etc/my 100%/dbctl.yaml") };
        lines(std::slice::from_ref(job), keeper, paths)
    }

    #[test]
    fn a_line_of_crontab_escapes_what_cron_and_the_shell_would_take() {
        let line = lines_of(&job("week", "vacuum --budget 45m", "0 3 * * 0"), Keeper::Cron);
        assert_eq!(line, r"0 3 * * 0 /usr/bin/dbctl --config '/etc/my 100\%/dbctl.yaml' --quiet maintain run week");
    }

    #[test]
    fn a_timer_is_due_when_cron_would_be() {
        for (cron, calendar) in [
            ("0 3 * * 0", &["Sun *-*-* 03:00:00"][..]),
            ("*/20 * * * *", &["*-*-* *:00,20,40:00"]),
            ("0 4 1 * *", &["*-*-01 04:00:00"]),
            ("30 2 1 jan 1-5", &["*-01-01 02:30:00", "Mon,Tue,Wed,Thu,Fri *-01-* 02:30:00"]),
        ] {
            assert_eq!(calendars(&Cron::parse(cron).unwrap()), calendar);
        }
        let units = lines_of(&job("week", "vacuum", "0 3 * * 0"), Keeper::Systemd);
        assert!(units.contains(r#"ExecStart="/usr/bin/dbctl" --config "/etc/my 100%%/dbctl.yaml" --quiet"#), "{units}");
    }

    #[test]
    fn pg_cron_gets_a_statement_a_table_and_nothing_that_sql_cannot_say() {
        let sql = |run: &str| lines_of(&job("j", run, "0 3 * * 0"), Keeper::PgCron);
        assert_eq!(
            sql("vacuum --table a --table=b.c --analyze --budget 45m"),
            "SELECT cron.schedule('j-1', '0 3 * * 0', 'VACUUM (ANALYZE) a');\n\
             SELECT cron.schedule('j-2', '0 3 * * 0', 'VACUUM (ANALYZE) b.c');"
        );
        assert!(sql("refresh v").contains("'REFRESH MATERIALIZED VIEW CONCURRENTLY v'"));
        assert!(sql("vacuum --budget 45m").starts_with("-- j: pg_cron runs SQL"));
        assert!(sql("vacuum --full --table a").starts_with("-- j:"));
    }
}
