//! Ten thousand random tables, policies and courses of days, each run's plan applied to a model that
//! knows nothing but rows and ranges. What must hold after every run is reckoned row by row, by a
//! calendar of its own.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use fastrand::Rng;

use super::World;
use crate::ident::TableName;
use crate::partitions::plan::{self, TablePlan};
use crate::partitions::read::{Partition, PartitionKind, Recorded};
use crate::policy::bounds::{Bound, Datum};
use crate::policy::calendar::Axis;
use crate::policy::key::{Codec, Edge, EpochUnit};

#[path = "plan_calendar_tests.rs"]
mod calendar;

use calendar::{Clock, Cut};

/// Timelines of one test; four tests run beside each other.
const TIMELINES: u64 = 2_500;

#[test]
fn nothing_is_lost_in_the_first_quarter_of_the_timelines() {
    (0..TIMELINES).for_each(live);
}

#[test]
fn nothing_is_lost_in_the_second_quarter_of_the_timelines() {
    (TIMELINES..2 * TIMELINES).for_each(live);
}

#[test]
fn nothing_is_lost_in_the_third_quarter_of_the_timelines() {
    (2 * TIMELINES..3 * TIMELINES).for_each(live);
}

#[test]
fn nothing_is_lost_in_the_last_quarter_of_the_timelines() {
    (3 * TIMELINES..4 * TIMELINES).for_each(live);
}

const ZONES: [Tz; 9] = [
    Tz::UTC,
    Tz::America__Sao_Paulo,
    Tz::Europe__Berlin,
    Tz::Asia__Beirut,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Apia,
    Tz::America__St_Johns,
    Tz::Africa__Cairo,
    Tz::Asia__Kathmandu,
];

/// A kind of key: how it is called, how the policy says what it means, and that.
const KEYS: [(&str, &str, Codec); 8] = [
    ("timestamp with time zone", "", Codec::Timestamptz),
    ("timestamp with time zone", "", Codec::Timestamptz),
    ("timestamp with time zone", "", Codec::Timestamptz),
    ("timestamp without time zone", "", Codec::Timestamp),
    ("date", "", Codec::Date),
    ("bigint", "codec: epoch_ms, ", Codec::Epoch(EpochUnit::Milliseconds)),
    ("bigint", "codec: snowflake(2010-01-01), ", Codec::Snowflake { epoch_ms: 1_262_304_000_000 }),
    ("uuid", "codec: uuidv7, ", Codec::UuidV7),
];

/// What the policy says, in parts, so that some of it can change on the way.
#[derive(Clone)]
struct Terms {
    key: usize,
    zone: Tz,
    cut: Cut,
    origin: Option<NaiveDate>,
    ahead: Lead,
    keep: Option<(u32, u32, u32)>,
    exact: bool,
    bridge: bool,
    max_drops: u32,
    percent: u32,
    from: Option<NaiveDate>,
    protect: Vec<(Option<NaiveDate>, Option<NaiveDate>)>,
    expire: &'static str,
}

#[derive(Clone, Copy)]
enum Lead {
    Never,
    Periods(u32),
    Days(u32),
}

impl Terms {
    fn random(rng: &mut Rng) -> Terms {
        let key = rng.usize(..KEYS.len());
        let cut = Cut::random(rng, KEYS[key].2 != Codec::Date);
        let periods = rng.u32(0..6);
        Terms {
            key,
            zone: ZONES[rng.usize(..ZONES.len())],
            cut,
            origin: (rng.u8(..4) == 0 && !cut.is_hours()).then(|| day(rng, 2000, 1)),
            ahead: match rng.u8(..8) {
                0 => Lead::Never,
                1..=5 => Lead::Periods(rng.u32(0..5)),
                _ => Lead::Days(rng.u32(0..=cut.about_days() * 4)),
            },
            keep: (rng.u8(..12) != 0).then(|| Terms::keep(rng, cut, periods)),
            exact: rng.u8(..3) == 0,
            bridge: rng.bool(),
            max_drops: rng.u32(1..12),
            percent: [0, 25, 50, 100, 100][rng.usize(..5)],
            from: (rng.u8(..6) == 0).then(|| day(rng, 2018, 2) - Days::new(rng.u64(..u64::from(cut.about_days()) * 9))),
            protect: (0..rng.u8(..6).saturating_sub(4)).map(|_| days(rng)).collect(),
            expire: ["drop", "drop", "detach", "{ move: old }"][rng.usize(..4)],
        }
    }

    /// Months, days, hours: about so many periods.
    fn keep(rng: &mut Rng, cut: Cut, periods: u32) -> (u32, u32, u32) {
        let days = cut.about_days() * periods;
        match rng.u8(..4) {
            0 => (days.div_ceil(30).max(1), 0, 0),
            1 => (0, days.max(1), 0),
            2 => (days / 45, rng.u32(1..40), rng.u32(0..30)),
            _ => (0, 0, days * 24 + rng.u32(1..50)),
        }
    }

    /// As an entry of a policy file.
    fn entry(&self) -> String {
        let (_, codec, _) = KEYS[self.key];
        let mut entry = format!("{codec}every: {}, timezone: {}", self.cut.words(), self.zone.name());
        if let Some(origin) = self.origin {
            entry.push_str(&format!(", origin: {origin}"));
        }
        entry.push_str(&match self.ahead {
            Lead::Never => ", ahead: never".to_owned(),
            Lead::Periods(count) => format!(", ahead: {count}"),
            Lead::Days(days) => format!(", ahead: {days} days"),
        });
        if let Some((months, days, hours)) = self.keep {
            entry.push_str(&format!(", keep: {months} months {days} days {hours} hours, expire: {}", self.expire));
            entry.push_str(&format!(", exact: {}", self.exact));
        }
        if let Some(from) = self.from {
            entry.push_str(&format!(", from: {from}"));
        }
        let days = |(from, to): &(Option<NaiveDate>, Option<NaiveDate>)| match (from, to) {
            (Some(from), Some(to)) => format!("{{ from: {from}, to: {to} }}"),
            (Some(from), None) => format!("{{ from: {from} }}"),
            (None, Some(to)) => format!("{{ to: {to} }}"),
            (None, None) => "saved*".to_owned(),
        };
        let protect: Vec<String> =
            std::iter::once("'saved*'".to_owned()).chain(self.protect.iter().map(days)).collect();
        entry.push_str(&format!(
            ", on_misaligned: {}, rails: {{ max_drops: {}, max_drop_fraction: {}%, protect: [{}] }}",
            if self.bridge { "bridge" } else { "error" },
            self.max_drops,
            self.percent,
            protect.join(", ")
        ));
        entry
    }
}

fn day(rng: &mut Rng, year: i32, years: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(rng.i32(year..year + years), rng.u32(1..=12), rng.u32(1..=28)).unwrap()
}

fn days(rng: &mut Rng) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let from = day(rng, 2017, 3);
    let to = from + Days::new(rng.u64(1..60));
    match rng.u8(..4) {
        0 => (Some(from + Days::new(600)), None),
        1 => (None, Some(to)),
        _ => (Some(from), Some(to)),
    }
}

/// The table of a timeline.
struct Model {
    seed: u64,
    terms: Terms,
    axis: Axis,
    clock: Clock,
    world: World,
    /// Partitions: name, lower and upper position; nothing is open.
    parts: Vec<Part>,
    /// Positions of rows that were put into partitions.
    rows: Vec<i128>,
    next_oid: u32,
}

#[derive(Clone)]
struct Part {
    oid: u32,
    name: String,
    lower: Option<i128>,
    upper: Option<i128>,
    kind: PartitionKind,
    pending: bool,
}

impl Part {
    fn contains(&self, at: i128) -> bool {
        self.lower.is_none_or(|lower| lower <= at) && self.upper.is_none_or(|upper| at < upper)
    }
}

fn live(seed: u64) {
    let rng = &mut Rng::with_seed(seed);
    let terms = Terms::random(rng);
    let mut now = day(rng, 2018, 2).and_time(NaiveTime::MIN).and_utc() + TimeDelta::seconds(rng.i64(0..86_400));
    let mut model = Model::new(seed, terms, now);
    model.furnish(rng, now);
    let mut armed = rng.u8(..5) != 0;
    for _ in 0..rng.u8(3..9) {
        let width = i64::from(model.terms.cut.about_days());
        // Mostly the next cron, at times a missed month, at times twice at the same time.
        let hours = match rng.u8(..10) {
            0 => 0,
            1 => width * 24 * rng.i64(2..7),
            _ => rng.i64(1..=width * 30),
        };
        now += TimeDelta::hours(hours) + TimeDelta::seconds(rng.i64(0..3600));
        // Onto a line, from time to time: that is where mistakes live.
        if rng.u8(..4) == 0 {
            now = model.clock.line_before(model.axis, now, &model.terms.cut, model.terms.origin).unwrap_or(now);
        }
        model.insert(rng, now);
        model.change(rng);
        let arm = !armed && rng.u8(..3) == 0;
        armed |= arm;
        model.run(rng, now, arm);
    }
}

impl Model {
    fn new(seed: u64, terms: Terms, now: DateTime<Utc>) -> Model {
        let (key_type, _, codec) = KEYS[terms.key];
        let mut world = World::of(key_type, &terms.entry(), "", &now.to_rfc3339());
        world.recorded = None;
        world.lock_slots = 10_000_000;
        let axis = Axis { codec, zone: terms.zone };
        let clock = Clock { zone: terms.zone };
        Model { seed, terms, axis, clock, world, parts: Vec::new(), rows: Vec::new(), next_oid: 100 }
    }

    /// What was there before dbctl came.
    fn furnish(&mut self, rng: &mut Rng, now: DateTime<Utc>) {
        let (mut at, width) = (now, self.terms.cut.about_days());
        at -= TimeDelta::days(i64::from(width * rng.u32(0..9)));
        if rng.u8(..4) != 0 {
            at = self.clock.line_before(self.axis, at, &self.terms.cut, self.terms.origin).unwrap_or(at);
        }
        let mut lower = self.axis.of_instant(at);
        let mut first = rng.u8(..5) == 0;
        for _ in 0..rng.u8(..10) {
            let mut next = match rng.u8(..8) {
                // Of any width.
                0 => at + TimeDelta::minutes(rng.i64(1..=i64::from(width) * 4000)),
                // Wide.
                1 => self.clock.line_after(self.axis, at, &self.terms.cut, self.terms.origin, rng.u32(2..5)),
                _ => self.clock.line_after(self.axis, at, &self.terms.cut, self.terms.origin, 1),
            };
            if self.axis.codec == Codec::Date {
                next = next.max(at + TimeDelta::days(1));
            }
            let upper = self.axis.of_instant(next);
            let open = rng.u8(..30) == 0;
            // A hole, sometimes.
            if rng.u8(..8) != 0 && (first || lower < upper) {
                let kind = match rng.u8(..20) {
                    0 => PartitionKind::Foreign,
                    1 => PartitionKind::Partitioned,
                    _ => PartitionKind::Table,
                };
                let name = format!("{}{}", if rng.u8(..15) == 0 { "saved" } else { "p" }, self.next_oid);
                self.push(name, if first { None } else { lower }, if open { None } else { upper }, kind);
                first = false;
                if open {
                    break;
                }
            }
            (at, lower) = (next, upper);
        }
    }

    fn push(&mut self, name: String, lower: Option<i128>, upper: Option<i128>, kind: PartitionKind) {
        self.parts.push(Part { oid: self.next_oid, name, lower, upper, kind, pending: false });
        self.next_oid += 1;
    }

    /// Rows of now, rows that are late, rows ahead of their time, rows on the very edges.
    fn insert(&mut self, rng: &mut Rng, now: DateTime<Utc>) {
        let width = i64::from(self.terms.cut.about_days());
        let mut rows: Vec<i128> = self.axis.of_instant(now).into_iter().collect();
        for _ in 0..5 {
            let late = TimeDelta::seconds(rng.i64(-86_400 * width..86_400 * width * 5));
            rows.extend(self.axis.of_instant(now - late));
        }
        for _ in 0..self.parts.len().min(4) {
            let part = &self.parts[rng.usize(..self.parts.len())];
            rows.extend(part.lower);
            rows.extend(part.upper.map(|upper| upper - 1));
        }
        rows.retain(|row| self.parts.iter().any(|part| !part.pending && part.contains(*row)));
        self.rows.append(&mut rows);
    }

    /// People change their minds.
    fn change(&mut self, rng: &mut Rng) {
        match rng.u8(..12) {
            0 if self.terms.keep.is_some() => {
                let periods = rng.u32(0..8);
                self.terms.keep = Some(Terms::keep(rng, self.terms.cut, periods));
            }
            1 => self.terms.bridge = !self.terms.bridge,
            2 => (self.terms.max_drops, self.terms.percent) = (rng.u32(1..20), 100),
            3 => {
                let (from, to) = days(rng);
                let id = format!("H{}", self.world.holds.len());
                let days = super::DayRange { from, to };
                let tables = vec!["public.*".to_owned()];
                self.world.holds.push(super::Hold { id, tables, system: None, days, reason: "a case".to_owned() });
            }
            4 => drop(self.world.holds.pop()),
            _ => return,
        }
        let (key_type, ..) = KEYS[self.terms.key];
        let fresh = World::of(key_type, &self.terms.entry(), "", "2020-01-01");
        self.world.policy = fresh.policy;
    }

    /// One run of cron.
    fn run(&mut self, rng: &mut Rng, now: DateTime<Utc>, arm: bool) {
        self.world.now = now;
        self.world.wish.arm = arm;
        self.world.wish.accept = None;
        self.publish();
        let mut plan = self.plan();
        // Whoever reads what is asked may say yes to it, or to something else.
        if let Some(asked) = plan.attentions.iter().find(|a| a.id == "policy_change")
            && rng.bool()
        {
            let hash = asked.hint.as_ref().and_then(|hint| hint.rsplit(' ').next()).map(str::to_owned);
            self.world.wish.accept = if rng.bool() { hash } else { Some("0badc0de".to_owned()) };
            plan = self.plan();
        }
        self.check_departures(&plan);
        let crashed = rng.u8(..20) == 0;
        self.apply(&plan, crashed);
        self.publish();
        self.check_ranges();
        if crashed {
            return;
        }
        self.check_what_stays(&plan);
        if plan.attentions.is_empty() {
            self.check_runway();
        }
        // What was finished has left a range behind, which the next run may fill.
        if plan.attentions.is_empty() && plan.finalize.is_empty() {
            self.world.wish.arm = false;
            self.world.wish.accept = None;
            let again = self.plan();
            let quiet = again.create.is_empty() && again.finalize.is_empty() && again.expire.is_empty();
            assert!(
                quiet && !again.record && !again.make_default,
                "{}\nthe next run is not quiet\n{again:#?}",
                self.told()
            );
        }
    }

    fn plan(&self) -> TablePlan {
        let set = self.world.set();
        let ground = plan::Ground {
            recorded: self.world.recorded.as_ref(),
            state_unreadable: false,
            holds: &self.world.holds,
            lock_slots: self.world.lock_slots,
        };
        plan::plan(&set, &ground, &self.world.wish)
    }

    /// The partitions as the catalog shows them.
    fn publish(&mut self) {
        let datum = |at: Option<i128>, open: Datum| vec![at.map_or(open, |at| Datum::Literal(self.printed(at)))];
        self.world.table.partitions = self
            .parts
            .iter()
            .map(|part| Partition {
                oid: part.oid,
                name: TableName::new("public", part.name.as_str()),
                bound: Ok(Bound::Range { lower: datum(part.lower, Datum::Min), upper: datum(part.upper, Datum::Max) }),
                kind: part.kind,
                pending: part.pending,
            })
            .collect();
    }

    /// As the server prints it with TimeZone UTC.
    fn printed(&self, at: i128) -> String {
        Axis { zone: Tz::UTC, ..self.axis }.literal(at)
    }

    fn apply(&mut self, plan: &TablePlan, crashed: bool) {
        self.parts.retain(|part| !plan.finalize.iter().any(|p| p.oid == part.oid));
        for creation in &plan.create {
            let at = |edge| match edge {
                Edge::At(at) => at,
                open => panic!("{}\nmade with an open end: {open:?}", self.told()),
            };
            let (lower, upper) = (at(creation.range.lower()), at(creation.range.upper()));
            self.push(format!("p{}", self.next_oid), Some(lower), Some(upper), PartitionKind::Table);
        }
        if plan.record {
            let entry = &self.world.policy.tables[0];
            self.world.recorded = entry.keep.map(|keep| plan::recorded(entry, keep));
        }
        for (n, leaving) in plan.expire.iter().enumerate() {
            if crashed && n > 0 {
                return;
            }
            let gone = self.parts.iter_mut().find(|part| part.oid == leaving.oid).unwrap();
            gone.pending = true;
            let part = gone.clone();
            self.rows.retain(|row| !part.contains(*row));
            if !crashed {
                self.parts.retain(|part| part.oid != leaving.oid);
            }
        }
    }

    fn told(&self) -> String {
        let parts: Vec<String> = self
            .parts
            .iter()
            .take(40)
            .map(|p| {
                format!(
                    "{} {:?} .. {:?}",
                    p.name,
                    p.lower.map(|at| self.axis.literal(at)),
                    p.upper.map(|at| self.axis.literal(at))
                )
            })
            .collect();
        format!(
            "seed {}, now {} ({:?})\n{}\nholds {:?}\nrecorded {:?}\n{}",
            self.seed,
            self.world.now,
            self.clock.wall(self.axis, self.axis.of_instant(self.world.now).unwrap()),
            self.terms.entry(),
            self.world.holds,
            self.world.recorded,
            parts.join("\n")
        )
    }

    fn wall(&self, at: i128) -> NaiveDateTime {
        self.clock.wall(self.axis, at).unwrap()
    }

    /// What the wall clock showed when rows began to be kept.
    fn kept_since(&self) -> Option<NaiveDateTime> {
        let (months, days, hours) = self.terms.keep?;
        Some(calendar::before(self.clock.now(self.axis, self.world.now), months, days, hours))
    }

    fn is_held(&self, wall: NaiveDateTime) -> bool {
        let within = |from: Option<NaiveDate>, to: Option<NaiveDate>| {
            from.is_none_or(|from| wall.date() >= from) && to.is_none_or(|to| wall.date() < to)
        };
        self.world.holds.iter().any(|hold| within(hold.days.from, hold.days.to))
            || self.terms.protect.iter().any(|(from, to)| within(*from, *to))
    }

    /// Of those that leave: none holds a row that is young, held, or now; nobody leaves unasked.
    fn check_departures(&self, plan: &TablePlan) {
        if plan.expire.is_empty() {
            return;
        }
        let told = || format!("{}\n{plan:#?}", self.told());
        let since = self.kept_since().unwrap_or_else(|| panic!("{}\nnothing is ever let go", told()));
        let leaving: Vec<&Part> =
            plan.expire.iter().map(|p| self.parts.iter().find(|part| part.oid == p.oid).unwrap()).collect();
        for part in &leaving {
            for row in self.rows.iter().filter(|row| part.contains(**row)) {
                let wall = self.wall(*row);
                assert!(wall < since, "{}\nyoung row {wall} in {}, kept since {since}", told(), part.name);
                assert!(!self.is_held(wall), "{}\nheld row {wall} in {}", told(), part.name);
            }
            let upper = part.upper.unwrap_or_else(|| panic!("{}\nno end: {}", told(), part.name));
            assert!(self.wall(upper - 1) < since, "{}\n{} has not expired", told(), part.name);
            assert!(!part.contains(self.axis.of_instant(self.world.now).unwrap()), "{}\nholds now", told());
            assert!(part.kind == PartitionKind::Table && !part.pending, "{}\nno table", told());
            assert!(!part.name.starts_with("saved"), "{}\nprotected", told());
        }
        let count = leaving.len();
        let all = self.parts.iter().filter(|part| !part.pending).count();
        assert!(count <= self.terms.max_drops as usize, "{}\ntoo many", told());
        assert!(count == 1 || count * 100 <= all * self.terms.percent as usize, "{}\ntoo large a share", told());
        assert!(self.world.recorded.is_some() || self.world.wish.arm, "{}\nnot armed", told());
        if let Some(Recorded { keep, expire }) = &self.world.recorded
            && self.world.wish.accept.as_deref().is_none_or(|hash| hash == "0badc0de")
        {
            let known = crate::policy::span::Span::parse(keep).unwrap();
            let before = calendar::before(
                self.clock.now(self.axis, self.world.now),
                known.months,
                known.days,
                u32::try_from(known.micros / 3_600_000_000).unwrap(),
            );
            let floor = |wall| if self.terms.exact { wall } else { self.terms.cut.floor(wall, self.terms.origin) };
            assert!(floor(since) <= floor(before), "{}\nshorter, and nobody said yes", told());
            assert!(expire == "drop" || self.terms.expire != "drop", "{}\nharsher, and nobody said yes", told());
        }
        let rest = self.parts.iter().filter(|part| !plan.expire.iter().any(|p| p.oid == part.oid)).count();
        assert!(rest + plan.create.len() > 0, "{}\nnothing is left", told());
    }

    fn check_ranges(&self) {
        let mut ranges: Vec<(Option<i128>, Option<i128>)> = self.parts.iter().map(|p| (p.lower, p.upper)).collect();
        ranges.sort_by_key(|(lower, _)| lower.unwrap_or(i128::MIN));
        for pair in ranges.windows(2) {
            let (upper, lower) = (pair[0].1.unwrap_or(i128::MAX), pair[1].0.unwrap_or(i128::MIN));
            assert!(upper <= lower, "{}\nranges overlap", self.told());
        }
        assert!(ranges.iter().all(|(lower, upper)| lower.unwrap_or(i128::MIN) < upper.unwrap_or(i128::MAX)));
    }

    /// What has expired and still is there has something that keeps it.
    fn check_what_stays(&self, plan: &TablePlan) {
        let stopped = ["unarmed", "policy_change", "max_drops", "max_drop_fraction", "last_partition"];
        let (Some(since), false) = (self.kept_since(), plan.attentions.iter().any(|a| stopped.contains(&a.id))) else {
            return;
        };
        let since = if self.terms.exact { since } else { self.terms.cut.floor(since, self.terms.origin) };
        for part in self.parts.iter().filter(|part| part.kind == PartitionKind::Table && !part.pending) {
            let Some(upper) = part.upper else { continue };
            // On a clock that was put back the same hour comes twice: of those, none is asked for.
            let expired = self.wall(upper) <= since && self.wall(upper - 1) < since - TimeDelta::hours(3);
            let kept = plan.kept.iter().any(|kept| kept.partition.oid == part.oid);
            assert!(!expired || kept, "{}\n{} has expired, before {since}", self.told(), part.name);
        }
        for kept in &plan.kept {
            let Some(part) = self.parts.iter().find(|part| part.oid == kept.partition.oid) else { continue };
            let touched = part.name.starts_with("saved")
                || part.kind != PartitionKind::Table
                || !self.world.holds.is_empty()
                || !self.terms.protect.is_empty();
            assert!(touched, "{}\n{} is kept for nothing: {}", self.told(), part.name, kept.why);
        }
    }

    /// From now to what is ahead there is a partition for every moment.
    fn check_runway(&self) {
        let wall = self.world.now.with_timezone(&self.terms.zone).naive_local();
        let cut = &self.terms.cut;
        let until = match self.terms.ahead {
            Lead::Never => return,
            Lead::Periods(count) => cut.line(wall, self.terms.origin, i64::from(count) + 1),
            Lead::Days(days) => wall + Days::new(u64::from(days)),
        };
        let mut at = self.axis.of_instant(self.world.now).unwrap();
        while self.wall(at) < until {
            let part = self.parts.iter().find(|part| !part.pending && part.contains(at));
            let part = part.unwrap_or_else(|| panic!("{}\nno partition at {}", self.told(), self.axis.literal(at)));
            match part.upper {
                Some(upper) => at = upper,
                None => return,
            }
        }
    }
}
