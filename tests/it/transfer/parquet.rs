//! Files of columns: what their types hold, what goes as text, and files that are none. Every type and form is in the
//! tests beside this one, where Parquet was built in.

use super::{Folder, export, import, small};

#[cfg(not(feature = "parquet"))]
#[test]
fn a_program_without_it_says_how_to_build_one_and_touches_nothing() {
    let (db, folder) = (small(), Folder::new());
    let to = folder.path("t.parquet");
    let run = export(&db, &["--table", "public.t", "--to", &to]).expect_code(64);
    assert!(run.stderr.contains("--features parquet"), "{}", run.stderr);
    assert!(folder.names().is_empty());
    folder.write("t.parquet", "PAR1");
    let run = import(&db, &["--from", &to, "--into", "public.copy"]).expect_code(64);
    assert!(run.stderr.contains("--features parquet"), "{}", run.stderr);
}

#[cfg(feature = "parquet")]
mod built_in {
    use dbctl::error::Result;
    use parquet::basic::Type;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::super::json;
    use super::*;
    use crate::harness::Database;

    fn open(path: &str) -> SerializedFileReader<std::fs::File> {
        SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap()
    }

    /// The physical type of each column, by its name.
    fn types(path: &str) -> Vec<(String, Type)> {
        let reader = open(path);
        let columns = reader.metadata().file_metadata().schema_descr().columns().to_vec();
        columns.iter().map(|column| (column.path().string(), column.physical_type())).collect()
    }

    #[test]
    fn columns_have_their_own_types_and_are_text_where_a_value_does_not_fit() {
        let (db, folder) = (Database::new(), Folder::new());
        db.sql(
            "CREATE TABLE public.n (id int, day date, later date, at timestamptz, wall timestamp(3), price numeric(12,2), odd numeric(12,2), free numeric, \
             code char(4), ok bool, key uuid, raw bytea); \
             INSERT INTO public.n VALUES \
             (1, '0044-03-15 BC', 'infinity', '2026-11-27 12:00:00.123456+01', '1969-12-31 23:59:59.999', -1234567890.12, 'NaN', 1e50, 'a', true, gen_random_uuid(), '\\x00ff'), \
             (2, '9999-12-31', '2026-01-01', '0001-01-01 00:00 BC', NULL, 0.00, 1.00, 0.10, 'a  b', false, NULL, ''), \
             (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        );
        let file = folder.path("n.parquet");
        export(&db, &["--table", "public.n", "--to", &file]).expect_code(0);
        let (bytes, fixed) = (Type::BYTE_ARRAY, Type::FIXED_LEN_BYTE_ARRAY);
        let wanted = [
            ("id", Type::INT32),
            ("day", Type::INT32),
            ("later", bytes),
            ("at", Type::INT64),
            ("wall", Type::INT64),
            ("price", fixed),
            ("odd", bytes),
            ("free", bytes),
            ("code", bytes),
            ("ok", Type::BOOLEAN),
            ("key", fixed),
            ("raw", bytes),
        ];
        assert_eq!(types(&file), wanted.map(|(name, kind)| (name.to_owned(), kind)));
        let told = import(&db, &["--from", &file, "--into", "public.again", "--create"]).expect_code(0);
        assert_eq!(json(&told)["proven"], true);
        let differ = "SELECT count(*) FROM (TABLE public.n EXCEPT ALL TABLE public.again) AS d";
        assert_eq!((db.one(differ), db.one("SELECT count(*) FROM public.again")), ("0".to_owned(), "3".to_owned()));
        // Without its sidecar the file still names its columns; the table's types need not be the file's.
        std::fs::remove_file(format!("{file}.json")).unwrap();
        db.sql("CREATE TABLE public.wide (at text, id bigint, more int DEFAULT 7)");
        import(&db, &["--from", &file, "--into", "public.wide", "--columns", "id,at"]).expect_code(0);
        assert_eq!(
            db.one("SELECT string_agg(concat_ws('/', id, at, more), ' ' ORDER BY id) FROM public.wide"),
            "1/2026-11-27 11:00:00.123456+00/7 2/0001-01-01 00:00:00.000000+00 BC/7 7"
        );
        let missing = import(&db, &["--from", &file, "--into", "public.wide", "--columns", "id,more"]).expect_code(64);
        assert!(missing.stderr.contains("no column more"), "{}", missing.stderr);
    }

    #[test]
    fn many_rows_are_several_groups_and_damage_is_refused() -> Result<()> {
        let (db, folder) = (Database::new(), Folder::new());
        db.sql(
            "CREATE TABLE public.m AS SELECT i, repeat(md5(i::text), 40) AS note FROM generate_series(1, 60000) AS i",
        );
        let file = folder.path("m.parquet");
        export(&db, &["--table", "public.m", "--to", &file]).expect_code(0);
        let groups = open(&file).metadata().num_row_groups();
        assert!(groups > 1, "{groups} groups");
        import(&db, &["--from", &file, "--into", "public.again", "--create"]).expect_code(0);
        let differ = "SELECT count(*) FROM (TABLE public.m EXCEPT ALL TABLE public.again) AS d";
        assert_eq!((db.one(differ), db.one("SELECT count(*) FROM public.again")), ("0".to_owned(), "60000".to_owned()));
        // With its sidecar a changed file is known before it is looked into; without, by what cannot be read.
        let whole = std::fs::read(&file)?;
        db.sql("CREATE TABLE public.none (LIKE public.m)");
        let mut told = Vec::new();
        for at in [4, whole.len() / 2, whole.len() - 20] {
            let mut changed = whole.clone();
            changed[at..at + 8].fill(0xa5);
            std::fs::write(&file, &changed)?;
            let run = import(&db, &["--from", &file, "--into", "public.none"]).expect_code(4);
            assert!(run.stderr.contains("sidecar"), "{}", run.stderr);
        }
        std::fs::remove_file(format!("{file}.json"))?;
        for kept in [0, 3, 100, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&file, &whole[..kept])?;
            let run = import(&db, &["--from", &file, "--into", "public.none"]).expect_code(4);
            told.push(run.stderr.contains("no whole Parquet file"));
        }
        assert_eq!(told, [true; 5]);
        assert_eq!(db.one("SELECT count(*) FROM public.none"), "0");
        Ok(())
    }

    #[test]
    fn pages_are_compressed_and_not_the_file() {
        let (db, folder) = (small(), Folder::new());
        let wrong = export(&db, &["--table", "public.t", "--to", &folder.path("t.parquet.zst")]).expect_code(64);
        assert!(wrong.stderr.contains("without .zst"), "{}", wrong.stderr);
        let sizes = ["zstd", "none"].map(|how| {
            let file = folder.path(&format!("{how}.parquet"));
            export(&db, &["--table", "public.t", "--to", &file, "--compress", how]).expect_code(0);
            std::fs::metadata(&file).unwrap().len()
        });
        assert!(sizes[0] * 2 < sizes[1], "{sizes:?}");
        let to = format!("{}/", folder.path("all"));
        std::fs::create_dir(&to).unwrap();
        export(&db, &["--table", "public.t", "--table", "public.copy", "--as", "parquet", "--to", &to]).expect_code(0);
        assert!(std::fs::exists(format!("{to}public.t.parquet")).unwrap());
        // Of no row, and yet a file.
        import(&db, &["--from", &format!("{to}public.copy.parquet"), "--into", "public.copy"]).expect_code(0);
    }
}
