//! THE list of what may stand in a policy file: keys, words and what they mean. The reader takes its
//! keys from here and the JSON Schema is made of it, so that the two cannot part ways. Pure.

/// The keys that a map may have.
pub struct Shape {
    /// What it is called in the schema.
    pub name: &'static str,
    /// Its keys, in the order in which people are told of them.
    pub keys: &'static [Key],
}

/// One key.
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What an editor says about it.
    pub about: &'static str,
    /// What stands behind it.
    pub form: Form,
    /// Whether it must be there.
    pub needed: bool,
}

/// What a value looks like.
pub enum Form {
    /// Text of any kind.
    Text,
    /// Text that looks like this regular expression.
    Like(&'static str),
    /// `true` or `false`.
    Yes,
    /// A whole number.
    Whole,
    /// Nothing, `null` or `~`.
    Null,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A map with known keys.
    Map(&'static Shape),
    /// A map with keys of the user's choice.
    Named(&'static Form),
    /// A list.
    List(&'static Form),
    /// One of these.
    Any(&'static [Form]),
}

impl Shape {
    /// The names of its keys.
    pub fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

const fn may(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, about, form, needed: false }
}

const fn must(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, about, form, needed: true }
}

pub const UNITS: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];
pub const CODECS: [&str; 6] = ["epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "uuidv7", "snowflake"];
pub const EXPIRES: [&str; 2] = ["drop", "detach"];
pub const DEFAULT_RULES: [&str; 3] = ["forbid", "allow", "require"];
pub const MISALIGNED: [&str; 2] = ["error", "bridge"];
pub const CLONES: [&str; 6] = ["owner", "grants", "replica_identity", "reloptions", "tablespace", "row_security"];
pub const ACTIONS: [&str; 3] = ["delete", "anonymise", "keep"];
pub const FORMATS: [&str; 1] = ["csv"];
pub const VERIFIES: [&str; 1] = ["readback+rehash"];
pub const UNTIL: [&str; 1] = ["lifted"];
pub const ON_BLOCKED: [&str; 1] = ["report"];

/// A number in front and a unit behind it, ISO 8601, or 0; the reader says what exactly is wrong.
const SPAN: Form = Form::Any(&[Form::Like(r"^\s*([0-9].*|[Pp].+)$"), Form::Whole]);
const DURATION: Form = Form::Any(&[Form::Like(r"^\s*[0-9]"), Form::Whole]);
const SHARE: Form = Form::Like(r"^[0-9]+(\.[0-9]+)?%$");
const DAY: Form = Form::Like("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
const TABLE: Form = Form::Like(r"^.+\..+$");
const GLOBS: Form = Form::List(&TABLE);
const LIST_OF_TEXT: Form = Form::List(&Form::Text);

const ZONE: &str = "time zone by its IANA name, such as UTC or America/Sao_Paulo: grid and cutoff are computed in it";
const AHEAD_ABOUT: &str =
    "how far ahead partitions are made: whole periods after the current one, or a span of time, or never";
const AHEAD: Form = Form::Any(&[Form::Whole, Form::Words(&["never"]), Form::Like(r"^\s*([0-9].*|[Pp].+)$")]);
const DEFAULT_ABOUT: &str = "whether there may be a DEFAULT partition: rows in it keep new partitions from being made";
const MISALIGNED_ABOUT: &str =
    "what to do about a hole that is not a whole period: ask a person, or bridge it by a short partition";
const CLONE_ABOUT: &str = "what a new partition takes over from its table; all of it where the key is left out";

/// The whole file.
pub const TOP: Shape = Shape {
    name: "policy",
    keys: &[
        may("version", Form::Whole, "of this file's shape: 1"),
        may("defaults", Form::Map(&DEFAULTS), "for all tables and row jobs that do not say otherwise"),
        may("archives", Form::Named(&Form::Map(&ARCHIVE)), "cold stores by name"),
        may(
            "holds",
            Form::List(&Form::Map(&HOLD)),
            "legal holds: nothing that overlaps one is archived away, changed or dropped",
        ),
        may("floors", Form::List(&Form::Map(&FLOOR)), "what may not be kept for less, online and archive together"),
        may("tables", Form::Named(&Form::Map(&TABLE_KEYS)), "partitioned tables, as schema.table"),
        may("rows", Form::Named(&Form::Map(&ROW)), "jobs on rows of tables, by a name of your choice"),
        may("systems", Form::Named(&Form::Map(&SYSTEM)), "entries for databases that hold this embedded system only"),
    ],
};

/// Under `systems`.
pub const SYSTEM: Shape = Shape {
    name: "system",
    keys: &[
        may("tables", Form::Named(&Form::Map(&TABLE_KEYS)), "partitioned tables of this system, as schema.table"),
        may("rows", Form::Named(&Form::Map(&ROW)), "jobs on rows of tables of this system"),
        may("holds", Form::List(&Form::Map(&HOLD)), "legal holds in databases with this system"),
        may("floors", Form::List(&Form::Map(&FLOOR)), "floors in databases with this system"),
    ],
};

/// `defaults`.
pub const DEFAULTS: Shape = Shape {
    name: "defaults",
    keys: &[
        may("timezone", Form::Text, ZONE),
        may("ahead", AHEAD, AHEAD_ABOUT),
        may("default_partition", Form::Words(&DEFAULT_RULES), DEFAULT_ABOUT),
        may("on_misaligned", Form::Words(&MISALIGNED), MISALIGNED_ABOUT),
        may("lock", Form::Map(&LOCK), "how locks are taken"),
        may("rails", Form::Map(&RAILS), "what stops an expiry"),
        may("runway", Form::Map(&RUNWAY), "shares of `ahead` that are left when check speaks"),
        may("clone", Form::List(&Form::Words(&CLONES)), CLONE_ABOUT),
    ],
};

/// One partitioned table.
pub const TABLE_KEYS: Shape = Shape {
    name: "table",
    keys: &[
        must("key", Form::Text, "the column that the table is partitioned by, by range"),
        may(
            "codec",
            Form::Any(&[Form::Words(&CODECS), Form::Like(r"^snowflake\(.+\)$")]),
            "how integers or uuids stand for time; columns of dates and times need none",
        ),
        must(
            "every",
            Form::Any(&[Form::Words(&UNITS), Form::Like(r"^[0-9]+ *[a-z]+$"), Form::Whole]),
            "the width of a partition: month, 3 months, 15 days; a plain number counts values of the key",
        ),
        may("origin", DAY, "a day on which a period begins, for grids such as 15 days"),
        may("timezone", Form::Text, ZONE),
        may("ahead", AHEAD, AHEAD_ABOUT),
        may("from", DAY, "back-fill: partitions are made from this day on"),
        may(
            "keep",
            SPAN,
            "how long rows are kept, such as 24 months; left out: for ever; a plain number counts values",
        ),
        may("exact", Form::Yes, "true: the cutoff is not rounded down to the grid"),
        may(
            "expire",
            Form::Any(&[Form::Words(&EXPIRES), Form::Map(&EXPIRE)]),
            "what happens to a partition that has expired",
        ),
        may("name", Form::Text, "what partitions are called, such as {table}_{from:%Y_%m}; bounds decide all else"),
        may("default_partition", Form::Words(&DEFAULT_RULES), DEFAULT_ABOUT),
        may("on_misaligned", Form::Words(&MISALIGNED), MISALIGNED_ABOUT),
        may("lock", Form::Map(&LOCK), "how locks are taken"),
        may("rails", Form::Map(&RAILS), "what stops an expiry"),
        may("runway", Form::Map(&RUNWAY), "shares of `ahead` that are left when check speaks"),
        may("clone", Form::List(&Form::Words(&CLONES)), CLONE_ABOUT),
        may(
            "storage",
            Form::Named(&Form::Any(&[Form::Text, Form::Whole, Form::Yes])),
            "storage parameters of new partitions: a partitioned table cannot carry them itself",
        ),
        may(
            "child_unique",
            Form::List(&LIST_OF_TEXT),
            "columns that shall be unique within each partition: [[a], [b, c]]",
        ),
        may(
            "after_expire",
            LIST_OF_TEXT,
            "SQL that is run after partitions have left, again and again until it returns 0; {cutoff} is the cutoff",
        ),
    ],
};

/// `expire` where a word is not enough.
pub const EXPIRE: Shape = Shape {
    name: "expire",
    keys: &[
        may("move", Form::Text, "the schema that detached partitions are moved to; it must exist"),
        may("attach", TABLE, "the partitioned table that takes the partition over"),
        may(
            "archive",
            Form::Text,
            "the archive, of those under archives, that partitions are exported to and proven in",
        ),
        may("then", Form::Words(&EXPIRES), "what follows the archive"),
    ],
};

/// `lock`.
pub const LOCK: Shape = Shape {
    name: "lock",
    keys: &[
        may("timeout", DURATION, "one attempt; nobody waits behind dbctl for longer (50ms)"),
        may("patience", DURATION, "all attempts together, then the table is deferred (10min)"),
        may("backoff", Form::Like(r"^.+\.\..+$"), "the pause between attempts, first..longest (200ms..5s)"),
        may("detach_wait", DURATION, "how long DETACH CONCURRENTLY may wait for old transactions (60s)"),
        may("on_blocked", Form::Words(&ON_BLOCKED), "report: whoever is in the way is named"),
    ],
};

/// `rails`.
pub const RAILS: Shape = Shape {
    name: "rails",
    keys: &[
        may("max_drops", Form::Whole, "more expired partitions of a table than this in one run: none is touched (3)"),
        may("max_drop_fraction", SHARE, "a larger share of a table's partitions than this: none is touched (25%)"),
        may("grace", SPAN, "how long a detached partition is kept before it is dropped (7 days)"),
        may(
            "protect",
            Form::List(&Form::Any(&[Form::Text, Form::Map(&DAYS)])),
            "partitions that never leave: names with * and ?, or days",
        ),
    ],
};

/// An item of `protect` that is not a name.
pub const DAYS: Shape =
    Shape { name: "days", keys: &[may("from", DAY, "the first day"), may("to", DAY, "the first day behind them")] };

/// `runway`.
pub const RUNWAY: Shape = Shape {
    name: "runway",
    keys: &[
        may("warn", SHARE, "check warns when no more is left (50%)"),
        may("crit", SHARE, "check is critical when no more is left (20%)"),
    ],
};

/// One cold store.
pub const ARCHIVE: Shape = Shape {
    name: "archive",
    keys: &[
        must(
            "to",
            Form::Text,
            "file:///... or s3://BUCKET/...; {db} {schema} {table} {partition} {from:%Y} {to:%Y} stand for what they say",
        ),
        may("format", Form::Words(&FORMATS), "csv: portable over many years"),
        may("compress", Form::Like("^zstd-[0-9]{1,2}$"), "zstd-1 (fast) to zstd-19 (small); zstd-3"),
        may(
            "verify",
            Form::Words(&VERIFIES),
            "each file is read back, and the table hashed again before it is dropped",
        ),
        may("keep", SPAN, "how long files are kept there: counts towards floors; dbctl deletes none"),
        may(
            "mode",
            Form::Any(&[Form::Like("^0?[0-7]{3}$"), Form::Whole]),
            "permissions of the files, in quotes (\"0600\")",
        ),
        may("encrypt", LIST_OF_TEXT, "age recipients (age1...): each of them can read the files, nobody else"),
    ],
};

/// One legal hold.
pub const HOLD: Shape = Shape {
    name: "hold",
    keys: &[
        must("id", Form::Text, "its name, such as a case number"),
        must("tables", GLOBS, "schema.table, with * and ?"),
        may("from", DAY, "the first day it covers; left out: all before"),
        may("to", DAY, "the first day it does not cover any more; left out: all after"),
        may("until", Form::Words(&UNTIL), "lifted: it ends when it is taken out of the file"),
        must("reason", Form::Text, "why, for those who read the plan"),
    ],
};

/// One floor.
pub const FLOOR: Shape = Shape {
    name: "floor",
    keys: &[
        must("tables", GLOBS, "schema.table, with * and ?"),
        must("at_least", SPAN, "rows are kept at least this long, online and archive together"),
    ],
};

/// One job on rows.
pub const ROW: Shape = Shape {
    name: "row_job",
    keys: &[
        must("table", TABLE, "schema.table, plain or partitioned"),
        may("age", Form::Map(&AGE), "which rows are old enough"),
        may("where", Form::Text, "an SQL condition on the row; it is trusted and sent as it stands"),
        must("action", Form::Any(&[Form::Words(&ACTIONS), Form::Map(&MOVE)]), "what is done with the rows"),
        may(
            "set",
            Form::Named(&Form::Any(&[Form::Text, Form::Null])),
            "for anonymise: column and how: ip_prefix(24, 48), null, hash(VARIABLE) or text('...')",
        ),
        may("floor", SPAN, "for keep: rows are kept at least this long"),
        may("batch", Form::Map(&BATCH), "how much at once"),
        may("pace", Form::Map(&PACE), "when to pause or stop"),
        may("vacuum", SHARE, "VACUUM after this share of the rows was deleted or changed"),
        may("once_per_partition", Form::Yes, "true: closed partitions are visited once and remembered"),
        may("timezone", Form::Text, ZONE),
        may("lock", Form::Map(&LOCK), "how locks are taken"),
    ],
};

/// `action` where a word is not enough.
pub const MOVE: Shape = Shape { name: "move", keys: &[must("move", TABLE, "the table that rows are moved to")] };

/// `age`.
pub const AGE: Shape = Shape {
    name: "age",
    keys: &[
        must("column", Form::Text, "a date or time column"),
        must("over", SPAN, "rows are taken when it is longer ago than this"),
    ],
};

/// `batch`.
pub const BATCH: Shape = Shape {
    name: "batch",
    keys: &[
        may("target", DURATION, "how long a transaction should take (30ms)"),
        may("max_rows", Form::Whole, "never more rows than this in one (5000)"),
    ],
};

/// `pace`.
pub const PACE: Shape = Shape {
    name: "pace",
    keys: &[
        may("max_replica_lag", DURATION, "pause while a standby replays later than this"),
        may(
            "max_slot_wal",
            Form::Like("^[0-9]+ *([kMGT]?B)$"),
            "pause while a slot retains more WAL than this, such as 2GB",
        ),
        may(
            "window",
            Form::Like("^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$"),
            "work only between these times of day: 01:00-05:00",
        ),
        may("budget", DURATION, "stop after this long; the next run goes on"),
    ],
};
