//! SQL that makes partitioned tables and their partitions, for each program in its own way. The
//! server itself computes the bounds: a month is its month. Knows no server.

use super::policy::Table;

/// Partitions of a table, counted in periods from the current one.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// The first: at most 0.
    pub first: i32,
    /// The last.
    pub last: i32,
}

impl Reach {
    /// How many.
    pub fn count(self) -> usize {
        usize::try_from(self.last - self.first + 1).unwrap_or(0)
    }
}

/// How partitions come to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One statement, which locks the table against everybody.
    PartitionOf,
    /// Made beside it and attached.
    Attach,
}

/// `count` tables, named t001 and so on: every second one by day, the others by month.
pub fn mixed(count: usize, ahead: u32, keep: Option<u32>) -> Vec<Table> {
    let table = |n: usize| Table {
        name: format!("t{n:03}"),
        every: if n.is_multiple_of(2) { "day" } else { "month" },
        ahead,
        keep,
    };
    (1..=count).map(table).collect()
}

/// The partitioned tables, with a primary key and an index.
pub fn parents(tables: &[Table]) -> String {
    let parent = |table: &Table| {
        let name = &table.name;
        format!(
            "CREATE TABLE {name} (id bigint NOT NULL, created_at timestamptz NOT NULL, v text, PRIMARY KEY (id, \
             created_at)) PARTITION BY RANGE (created_at);\nCREATE INDEX ON {name} (created_at);\n"
        )
    };
    tables.iter().map(parent).collect()
}

/// A query that answers with the statements which make a table's partitions. `mark` stands between
/// the table's name and the period's.
pub fn statements(table: &Table, reach: Reach, way: Way, mark: &str) -> String {
    let (name, every) = (&table.name, table.every);
    let format = if every == "day" { "YYYY_MM_DD" } else { "YYYY_MM" };
    let template = match way {
        Way::PartitionOf => "CREATE TABLE %1$I PARTITION OF %2$I FOR VALUES FROM (%3$L) TO (%4$L);",
        Way::Attach => {
            "CREATE TABLE %1$I (LIKE %2$I INCLUDING ALL); ALTER TABLE %2$I ATTACH PARTITION %1$I FOR VALUES FROM \
             (%3$L) TO (%4$L);"
        }
    };
    format!(
        "SELECT pg_catalog.format('{template}', '{name}{mark}' || pg_catalog.to_char(d, '{format}'), '{name}', d, d + \
         interval '1 {every}') FROM (SELECT pg_catalog.date_trunc('{every}', pg_catalog.now()) + n * interval \
         '1 {every}' AS d FROM pg_catalog.generate_series({}, {}) AS n) AS periods",
        reach.first, reach.last
    )
}

/// The same, run at once by psql.
pub fn fill(tables: &[Table], reach: Reach, mark: &str) -> String {
    let one = |table: &Table| {
        let statements = statements(table, reach, Way::PartitionOf, mark);
        format!("BEGIN;\n{statements} \\gexec\nCOMMIT;\n")
    };
    tables.iter().map(one).collect()
}

/// pg_partman with these tables; it makes the partitions itself. Its DEFAULT partitions go again,
/// as none of the others has one.
pub fn partman(tables: &[Table], reach: Reach) -> String {
    let mut text = "CREATE SCHEMA partman;\nCREATE EXTENSION pg_partman SCHEMA partman;\n".to_owned();
    text.push_str(&create_parents(tables, reach));
    for table in tables {
        text.push_str(&format!("DROP TABLE {}_default;\n", table.name));
    }
    text
}

/// pg_partman's calls alone.
pub fn create_parents(tables: &[Table], reach: Reach) -> String {
    let call = |table: &Table| {
        let (name, every, interval) = (&table.name, table.every, partman_interval(table.every));
        format!(
            "SELECT partman.create_parent('public.{name}', 'created_at', 'native', '{interval}', p_premake => {}, \
             p_start_partition => (pg_catalog.date_trunc('{every}', pg_catalog.now()) + {} * interval \
             '1 {every}')::text);\n",
            reach.last.max(1),
            reach.first
        )
    };
    tables.iter().map(call).collect()
}

/// What pg_partman is to do from now on.
pub fn partman_policy(tables: &[Table]) -> String {
    let set = |table: &Table| {
        let keep = table.keep.map_or("NULL".to_owned(), |keep| format!("'{keep} {}s'", table.every));
        format!(
            "UPDATE partman.part_config SET premake = {}, retention = {keep}, retention_keep_table = false WHERE \
             parent_table = 'public.{}';\n",
            table.ahead, table.name
        )
    };
    tables.iter().map(set).collect()
}

fn partman_interval(every: &str) -> &'static str {
    if every == "day" { "daily" } else { "monthly" }
}

/// One row in each table's current partition: pg_partman goes by what is there.
pub fn one_row_each(tables: &[Table]) -> String {
    tables.iter().map(|table| format!("INSERT INTO {} VALUES (1, pg_catalog.now(), 'x');\n", table.name)).collect()
}

/// How many range partitions are attached to tables of schema public.
pub const COUNT: &str = "SELECT count(*) FROM pg_catalog.pg_inherits AS i \
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid \
    JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent \
    WHERE p.relkind = 'p' AND p.relnamespace = 'public'::regnamespace \
    AND pg_catalog.pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'";

/// What has to be read at the least: every partition's bounds.
pub const CATALOG: &str = "SELECT p.oid, p.relname, c.oid, c.relname, pg_catalog.pg_get_expr(c.relpartbound, c.oid) \
    FROM pg_catalog.pg_inherits AS i \
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid \
    JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent WHERE p.relkind = 'p'";
