//! The same migrations in each program's own layout: a table and an index each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A set of `count` migrations on disk.
pub struct Set {
    /// How many.
    pub count: usize,
    folder: PathBuf,
}

fn up(number: usize) -> String {
    format!(
        "CREATE TABLE t{number:04} (\n    id bigserial PRIMARY KEY,\n    a integer NOT NULL,\n    b text,\n    \
         created_at timestamptz NOT NULL DEFAULT now()\n);\nCREATE INDEX t{number:04}_a_idx ON t{number:04} (a);\n"
    )
}

impl Set {
    /// Writes them below `scratch`.
    pub fn write(scratch: &Path, count: usize) -> Result<Set> {
        let set = Set { count, folder: scratch.join(format!("set-{count}")) };
        let mut script = String::from(
            "\\set ON_ERROR_STOP 1\nSET client_min_messages = warning;\nCREATE TABLE history (version bigint PRIMARY KEY, \
             name text, applied_at timestamptz DEFAULT now(), checksum text);\n",
        );
        for folder in [set.refinery(), set.sqlx(), set.dbmate()] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        for number in 1..=count {
            let sql = up(number);
            let own = set.refinery().join(format!("V{number}__t{number:04}.sql"));
            fs::write(&own, &sql)?;
            let stamp = format!("20240101{number:06}_t{number:04}.sql");
            fs::write(set.sqlx().join(&stamp), &sql)?;
            let down = format!("DROP TABLE t{number:04};");
            fs::write(set.dbmate().join(&stamp), format!("-- migrate:up\n{sql}\n-- migrate:down\n{down}\n"))?;
            script.push_str(&format!(
                "BEGIN;\n\\i '{}'\nINSERT INTO history VALUES ({number}, 't{number:04}', now(), 'x');\nCOMMIT;\n",
                own.display()
            ));
        }
        fs::write(set.psql(), script)?;
        Ok(set)
    }

    /// V1__t0001.sql: dbctl's layout too.
    pub fn refinery(&self) -> PathBuf {
        self.folder.join("refinery")
    }

    /// 20240101000001_t0001.sql.
    pub fn sqlx(&self) -> PathBuf {
        self.folder.join("sqlx")
    }

    /// The same with its way back in the same file.
    pub fn dbmate(&self) -> PathBuf {
        self.folder.join("dbmate")
    }

    /// One psql script that runs refinery's files, a transaction with a history row each.
    pub fn psql(&self) -> PathBuf {
        self.folder.join("all.psql")
    }
}
