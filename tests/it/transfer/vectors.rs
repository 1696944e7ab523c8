//! The documents of the recruitment system: their embeddings come back bit by bit, and all of them.

use dbctl::pg::sandbox::Options;

use super::{ENDINGS, Folder, export, import, json};
use crate::harness::{Database, dbctl, majors, private_server, run, vector_installation};

#[test]
fn documents_with_embeddings_come_back_in_every_form() {
    let mut installed: Vec<_> = [18, 16].into_iter().filter_map(vector_installation).collect();
    installed.truncate(majors().len());
    for installation in installed {
        let sandbox = private_server(&Options { bin_dir: Some(installation.bin_dir), ..Options::default() });
        let db = Database::at(&sandbox);
        run(&mut dbctl(&["migrate", "up", "--system", "recruitment", "--database-url", &db.url(), "--yes"]))
            .expect_code(0);
        // More than the page of 1,000 rows after which the seeds' own export ended in silence.
        db.sql(
            "SELECT setseed(0.5); INSERT INTO documents (id, content, title, category, metadata, embedding) \
             SELECT 1000000 + n, E'What \"it\" says\\n\\\\ ' || n, 'Document ' || n, 'faq', jsonb_build_object('number', n, 'x', 1.50), \
             CASE WHEN n % 10 > 0 THEN (SELECT array_agg(random() - 0.5) FROM generate_series(1, 1536) WHERE n >= 0)::vector END \
             FROM generate_series(0, 1499) AS n",
        );
        let sum = "SELECT count(*) || ' ' || count(embedding) || ' ' || \
                   md5(string_agg(md5(vector_send(embedding)) || content || metadata::text || created_at::text, '' ORDER BY id)) FROM ";
        let before = db.one(&format!("{sum} documents"));
        let number: i64 = db.one("SELECT count(*) FROM documents").parse().unwrap();
        for ending in ENDINGS {
            let folder = Folder::new();
            let file = folder.path(&format!("documents.{ending}"));
            let told = export(&db, &["--table", "public.documents", "--to", &file]).expect_code(0);
            assert_eq!(json(&told)["files"][0]["rows"], number);
            let sidecar: serde_json::Value =
                serde_json::from_slice(&std::fs::read(format!("{file}.json")).unwrap()).unwrap();
            assert_eq!(
                sidecar["vector_version"],
                db.one("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
            );
            let told = import(&db, &["--from", &file, "--into", "public.again", "--create"]).expect_code(0);
            assert_eq!((&json(&told)["stored"], &json(&told)["proven"]), (&number.into(), &true.into()));
            assert_eq!(db.one(&format!("{sum} again")), before, "{ending}");
            db.sql("DROP TABLE public.again");
        }
        let out = export(&db, &["--query", "SELECT '[1,0.1]'::vector AS v", "--to", "-"]).expect_code(0).stdout;
        assert_eq!(out, "{\"v\":[1,0.1]}\n");
    }
}
