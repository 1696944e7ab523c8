//! Files that are not what they were, and rows that do not fit: nothing is stored.

use super::{ENDINGS, Folder, export, import, small};

#[test]
fn a_changed_or_cut_file_is_refused_in_every_form() {
    let db = small();
    for ending in ENDINGS {
        let folder = Folder::new();
        let file = folder.path(&format!("t.{ending}"));
        export(&db, &["--table", "public.t", "--to", &file]).expect_code(0);
        let whole = std::fs::read(&file).unwrap();
        let last_rows = |lines: usize| {
            // Cut where a row ends: what remains looks whole.
            let mut ends = whole.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
            ends.nth(lines).unwrap_or(whole.len() / 2)
        };
        let mut changed = whole.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        for bytes in [&whole[..whole.len() - 1], &whole[..last_rows(3)], &whole[..whole.len() / 3], &[], &changed] {
            std::fs::write(&file, bytes).unwrap();
            let told = import(&db, &["--from", &file, "--into", "public.copy"]);
            assert!([1, 4, 65].contains(&told.code), "{ending}: {} {}", told.code, told.stderr);
            assert!(told.stderr.contains(&file), "{}", told.stderr);
            assert_eq!(db.one("SELECT count(*) FROM public.copy"), "0");
        }
        // A swapped row of the same length is found by the sums as well; the sidecar has its own.
        std::fs::write(&file, &whole).unwrap();
        let sidecar = format!("{file}.json");
        let text = std::fs::read_to_string(&sidecar).unwrap();
        std::fs::write(&sidecar, text.replace("\"rows\": 5000", "\"rows\": 4999")).unwrap();
        let told = import(&db, &["--from", &file, "--into", "public.copy"]).expect_code(4);
        assert!(told.stderr.contains("is damaged") && told.stderr.contains("checksum"), "{}", told.stderr);
        // Without one, the rows are stored and that nothing was proven is said.
        std::fs::remove_file(&sidecar).unwrap();
        let told = import(&db, &["--from", &file, "--into", "public.copy"]).expect_code(0);
        assert!(told.stdout.contains("There is no sidecar"), "{}", told.stdout);
        db.sql("TRUNCATE public.copy");
    }
}

#[test]
fn a_wrong_value_is_named_with_file_line_and_column() {
    let db = small();
    db.sql("CREATE TABLE public.n (id int, amount numeric(5, 2), short varchar(3), ok bool)");
    let folder = Folder::new();
    let good: String = (1..=400).map(|n| format!("{{\"id\":{n},\"amount\":1.5}}\n")).collect();
    for (name, text, told) in [
        ("a.ndjson", format!("{good}{{\"id\":1,\"amount\":\"x\"}}\n{good}"), "a.ndjson, line 401, column amount"),
        ("b.ndjson", format!("{{\"id\":1,\"short\":\"long\"}}\n{good}"), "b.ndjson, line 1, column short"),
        ("c.ndjson", format!("{good}{{\"id\":99999999999}}"), "c.ndjson, line 401, column id"),
        (
            "d.ndjson",
            format!("{good}{{\"id\":1,\"colour\":\"red\"}}\n"),
            "d.ndjson, line 401, column 16: public.n has no column for the key \"colour\"",
        ),
        ("e.ndjson", format!("{good}{{\"id\":1,\n"), "e.ndjson, line 401"),
        ("f.csv", "id,amount,short,ok\n1,1.5,a,t\n2,x,b,f\n".to_owned(), "f.csv, line 3, column amount"),
        ("g.csv", "id,amount,short,ok\n1,1.5,a,t\n2,2,long,f\n".to_owned(), "g.csv, line 3"),
        ("h.csv", "id,amount,short,ok\n1,1.5\n".to_owned(), "h.csv, line 2"),
        ("i.copy", "1\t1.5\ta\tt\n2\t2\tb\tmaybe\n".to_owned(), "i.copy, line 2, column ok"),
        ("j.bin", "no binary form".to_owned(), "j.bin"),
    ] {
        let file = folder.write(name, &text);
        let run = import(&db, &["--from", &file, "--into", "public.n"]).expect_code(65);
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
        assert_eq!(db.one("SELECT count(*) FROM public.n"), "0");
    }
}

#[test]
fn the_binary_form_is_for_the_same_types_and_says_what_to_do() {
    let db = small();
    db.sql("CREATE TABLE public.other (id int, at timestamptz, note text)");
    let folder = Folder::new();
    let file = folder.path("t.bin");
    export(&db, &["--table", "public.t", "--to", &file]).expect_code(0);
    let told = import(&db, &["--from", &file, "--into", "public.other"]).expect_code(4).stderr;
    assert!(told.contains("column id of public.other is integer, in the file it is bigint"), "{told}");
    assert!(told.contains("export as ndjson, csv or copy"), "{told}");
    std::fs::remove_file(format!("{file}.json")).unwrap();
    let told = import(&db, &["--from", &file, "--into", "public.other"]).expect_code(65).stderr;
    assert!(told.contains("t.bin, row 1, column id") && told.contains("export as ndjson"), "{told}");
    // Its text is taken.
    let file = folder.path("t.csv");
    export(&db, &["--table", "public.t", "--to", &file]).expect_code(0);
    let told = import(&db, &["--from", &file, "--into", "public.other"]).expect_code(0).stdout;
    assert!(told.contains("of other types than the file's"), "{told}");
    assert_eq!(db.one("SELECT count(*) FROM public.other"), "5000");
}
