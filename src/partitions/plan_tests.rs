//! What a plan is for a policy, partitions and a time, as text: the ground that the tables of named
//! situations stand on.

use chrono::{DateTime, NaiveDate, Utc};

use super::*;
use crate::partitions::read::{Partition, Table, TableKind};
use crate::policy::bounds;
use crate::policy::{Policy, file};

#[path = "plan_creation_tests.rs"]
mod creation;
#[path = "plan_expiry_tests.rs"]
mod expiry;
#[path = "plan_keys_tests.rs"]
mod keys;
#[path = "plan_timelines_tests.rs"]
mod timelines;

/// Everything that a plan is made from.
pub(in crate::partitions) struct World {
    pub policy: Policy,
    pub table: Table,
    pub now: DateTime<Utc>,
    pub recorded: Option<Recorded>,
    pub holds: Vec<Hold>,
    pub wish: Wish,
    pub lock_slots: u64,
    pub unreadable: bool,
}

/// A table `public.t` with this entry, its key `at` a timestamptz, its zone UTC where none is said; its
/// partitions, one a line as `NAME LOWER .. UPPER`; and a day or a time. Its partitions have been let go
/// before, under the same policy.
pub(in crate::partitions) fn world(entry: &str, partitions: &str, now: &str) -> World {
    World::of("timestamp with time zone", entry, partitions, now)
}

impl World {
    pub fn of(key_type: &str, entry: &str, partitions: &str, now: &str) -> World {
        let text = format!(
            "version: 1\ndefaults: {{ timezone: UTC }}\narchives: {{ cold: {{ to: 'file:///srv/{{partition}}.csv.zst' }} }}\n\
             tables:\n  public.t: {{ key: at, {entry} }}\n"
        );
        let policy = file::of_text(&text).unwrap_or_else(|failure| panic!("{}\n{text}", failure.messages().join(": ")));
        let lines = partitions.lines().map(str::trim).filter(|line| !line.is_empty());
        let partitions: Vec<Partition> = (100..).zip(lines).map(|(oid, line)| partition(oid, line, key_type)).collect();
        let default = partitions.iter().find(|p| p.bound == Ok(bounds::Bound::Default)).map(|p| p.oid);
        let kind = TableKind::Range { key: "at".to_owned(), key_type: key_type.to_owned(), not_null: true };
        let name = TableName::new("public", "t");
        let table = Table { oid: 1, name, kind, indexes: 1, default, largest: None, partitions };
        let recorded = policy.tables[0].keep.map(|keep| super::recorded(&policy.tables[0], keep));
        World {
            policy,
            table,
            now: time(now),
            recorded,
            holds: Vec::new(),
            wish: Wish { create: true, expire: true, ..Wish::default() },
            lock_slots: 10_000,
            unreadable: false,
        }
    }

    /// Partitions last left under another keep and expire; or never did.
    pub fn recorded(mut self, recorded: Option<(&str, &str)>) -> World {
        self.recorded = recorded.map(|(keep, expire)| Recorded { keep: keep.to_owned(), expire: expire.to_owned() });
        self
    }

    pub fn hold(mut self, tables: &str, from: &str, to: &str) -> World {
        let day = |text: &str| (!text.is_empty()).then(|| text.parse::<NaiveDate>().unwrap());
        self.holds.push(Hold {
            id: "H1".to_owned(),
            tables: vec![tables.to_owned()],
            system: None,
            days: DayRange { from: day(from), to: day(to) },
            reason: "a request".to_owned(),
        });
        self
    }

    pub fn wish(mut self, change: impl FnOnce(&mut Wish)) -> World {
        change(&mut self.wish);
        self
    }

    pub fn set(&self) -> Set<'_> {
        Set::of(&self.policy, &self.policy.tables[0], &self.table, self.now)
            .unwrap_or_else(|failure| panic!("{}", failure.messages().join(": ")))
    }

    pub fn plan(&self) -> TablePlan {
        let ground = Ground {
            recorded: self.recorded.as_ref(),
            state_unreadable: self.unreadable,
            holds: &self.holds,
            lock_slots: self.lock_slots,
        };
        plan(&self.set(), &ground, &self.wish)
    }

    /// The plan, a line for each action; midnights in UTC as days.
    pub fn shown(&self) -> String {
        let (set, plan) = (self.set(), self.plan());
        let edge = |edge: Edge| set.bound_text(edge).replace(" 00:00:00+00", "");
        let range = |range: Range| format!("{} .. {}", edge(range.lower()), edge(range.upper()));
        let mut lines: Vec<String> = plan.finalize.iter().map(|p| format!("finish {}", p.name.name.raw())).collect();
        lines.extend(
            plan.create.iter().map(|c| format!("create {}{}", range(c.range), if c.short { " short" } else { "" })),
        );
        lines.extend(plan.make_default.then(|| "create DEFAULT".to_owned()));
        let expire = expire_words(&set.policy.expire);
        lines.extend(plan.expire.iter().map(|p| format!("{expire} {}", p.name.name.raw())));
        lines.extend(plan.kept.iter().map(|kept| {
            let by = plan.attentions.iter().find(|attention| attention.message == kept.why);
            format!("keep {}: {}", kept.partition.name.name.raw(), by.map_or(kept.why.as_str(), |by| by.id))
        }));
        lines.extend(plan.record.then(|| "record".to_owned()));
        lines.extend(plan.attentions.iter().map(|attention| format!("attention {}", attention.id)));
        lines.extend(plan.notes.iter().map(|note| format!("note {note}")));
        if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") }
    }

    /// Fails unless the plan is this, indentation aside.
    #[track_caller]
    pub fn plans(&self, expected: &str) {
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(self.shown(), expected.join("\n"));
    }

    /// The one thing that a person must look at.
    #[track_caller]
    pub fn attention(&self) -> Attention {
        let attentions = self.plan().attentions;
        let [one] = attentions.as_slice() else { panic!("{attentions:#?}") };
        one.clone()
    }
}

/// A day, or RFC 3339.
pub(in crate::partitions) fn time(text: &str) -> DateTime<Utc> {
    let day = text.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    day.unwrap_or_else(|_| DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

/// `NAME LOWER .. UPPER`, at the end `(pending)`, `(partitioned)` or `(foreign)`; or `NAME DEFAULT`. A
/// day is its midnight, in UTC.
fn partition(oid: u32, line: &str, key_type: &str) -> Partition {
    let (name, rest) = line.split_once(' ').unwrap();
    let (rest, flag) = match rest.split_once(" (") {
        Some((rest, flag)) => (rest, flag.trim_end_matches(')')),
        None => (rest, ""),
    };
    let literal = |text: &str| match (text.trim(), key_type) {
        (word @ ("MINVALUE" | "MAXVALUE"), _) => word.to_owned(),
        (day, "timestamp with time zone") if day.len() == 10 => format!("'{day} 00:00:00+00'"),
        (day, "timestamp without time zone") if day.len() == 10 => format!("'{day} 00:00:00'"),
        (text, _) => format!("'{text}'"),
    };
    let bound = match rest.split_once("..") {
        Some((lower, upper)) => format!("FOR VALUES FROM ({}) TO ({})", literal(lower), literal(upper)),
        None => rest.to_owned(),
    };
    Partition {
        oid,
        name: TableName::new("public", name),
        bound: bounds::parse(&bound),
        kind: match flag {
            "partitioned" => PartitionKind::Partitioned,
            "foreign" => PartitionKind::Foreign,
            _ => PartitionKind::Table,
        },
        pending: flag == "pending",
    }
}

/// Months of a year as partitions `m1`, `m2`, …, from the first to the last, over years where larger
/// than 12.
pub(super) fn months(year: i32, first: i32, last: i32) -> String {
    let day = |month: i32| format!("{}-{:02}-01", year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    (first..=last).map(|month| format!("m{month} {} .. {}\n", day(month), day(month + 1))).collect()
}
