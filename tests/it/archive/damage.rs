//! Whatever happens to a file or its manifest after they were written is found.

use dbctl::archive::store::Store;
use dbctl::archive::{Identities, Manifest, Options, Verified, read_back};
use dbctl::error::{Kind, Result};
use dbctl::ident::TableName;

use super::{back, encrypted, folder, key, on_disk, out, run, says, small, t};

const PATH: &str = "db/t.csv.zst";

/// As the next run of dbctl would: manifest and file from the store.
async fn verify(store: &Store, identities: &Identities) -> Result<Verified> {
    let manifest = Manifest::read(store, PATH).await?.expect("the manifest is there");
    read_back(store, &manifest, identities).await
}

#[test]
fn a_flipped_byte_anywhere_is_found() {
    let db = small();
    let (recipients, identities) = key();
    for (options, identities) in [
        (Options::default(), Identities::default()),
        (encrypted(&recipients), identities),
        (encrypted(&recipients), Identities::default()),
    ] {
        let (keep, store) = folder();
        run(async {
            out(&db, &t(), &store, &options).await.unwrap();
            let whole = verify(&store, &identities).await.unwrap();
            let opens = options.recipients.is_empty() || !identities.is_empty();
            assert_eq!((whole.rows, whole.plain_checked), (5000, opens));
            for name in [PATH.to_owned(), Manifest::path_of(PATH)] {
                let file = on_disk(&keep, &name);
                let good = std::fs::read(&file).unwrap();
                let mut places: Vec<usize> = (0..good.len()).step_by(good.len() / 40 + 1).collect();
                places.extend([1, 2, 3, 4, good.len() / 2, good.len() - 3, good.len() - 2]);
                for at in places {
                    let mut bad = good.clone();
                    bad[at] ^= 0x10;
                    std::fs::write(&file, &bad).unwrap();
                    let found = verify(&store, &identities).await.expect_err("a changed byte passed");
                    assert_eq!(found.what(), Kind::Refused, "{name}, byte {at}: {found}");
                }
                std::fs::write(&file, &good).unwrap();
            }
            assert_eq!(verify(&store, &identities).await.unwrap(), whole);
        });
    }
}

#[test]
fn what_is_cut_off_missing_or_exchanged_is_named() {
    let db = small();
    let (keep, store) = folder();
    run(async {
        let manifest = out(&db, &t(), &store, &Options::default()).await.unwrap().manifest;
        let file = on_disk(&keep, PATH);
        let good = std::fs::read(&file).unwrap();
        for cut in [0, 1, good.len() / 2, good.len() - 1] {
            std::fs::write(&file, &good[..cut]).unwrap();
            let found = read_back(&store, &manifest, &Identities::default()).await.unwrap_err();
            says(
                &found,
                Kind::Refused,
                &[&format!("bytes: {cut}, the manifest says {}", good.len()), "t.csv.zst", "sha256"],
            );
        }
        std::fs::write(&file, [&good[..], b"more"].concat()).unwrap();
        says(&read_back(&store, &manifest, &Identities::default()).await.unwrap_err(), Kind::Refused, &["bytes:"]);
        std::fs::remove_file(&file).unwrap();
        let gone = read_back(&store, &manifest, &Identities::default()).await.unwrap_err();
        says(&gone, Kind::Failed, &["cannot read", "t.csv.zst", "No such file"]);
    });
}

/// A file that was made by somebody who can compute sums: the inside is looked at as well.
#[test]
fn sums_inside_and_rows_are_compared_too() {
    let db = small();
    let (_keep, store) = folder();
    run(async {
        let manifest = out(&db, &t(), &store, &Options::default()).await.unwrap().manifest;
        let mut other = manifest.clone();
        other.rows += 1;
        let found = read_back(&store, &other, &Identities::default()).await.unwrap_err();
        says(&found, Kind::Refused, &["rows: 5000, the manifest says 5001"]);
        let mut other = manifest.clone();
        other.file.plain_sha256 = Some("0".repeat(64));
        says(&read_back(&store, &other, &Identities::default()).await.unwrap_err(), Kind::Refused, &["text within"]);
    });
}

#[test]
fn the_wrong_key_is_told_from_damage() {
    let db = small();
    let ((recipients, _), (_, strange)) = (key(), key());
    let (_keep, store) = folder();
    run(async {
        let manifest = out(&db, &t(), &store, &encrypted(&recipients)).await.unwrap().manifest;
        let text = manifest.to_json().unwrap();
        assert!(text.contains(&recipients.texts()[0]) && !text.contains("SECRET"), "{text}");
        let found = read_back(&store, &manifest, &strange).await.unwrap_err();
        says(&found, Kind::Refused, &["no identity at hand opens", &recipients.texts()[0], "DBCTL_ARCHIVE_IDENTITY"]);
        let copy = TableName::new("public", "copy");
        db.sql(&manifest.create_table_as(&copy));
        for identities in [strange, Identities::default()] {
            let found = back(&db, &store, &manifest, &copy, &identities).await.unwrap_err();
            says(&found, Kind::Refused, &["identity", "DBCTL_ARCHIVE_IDENTITY"]);
        }
        assert_eq!(db.one("SELECT count(*) FROM public.copy"), "0");
    });
}

#[test]
fn a_damaged_file_leaves_no_row_behind() {
    let db = small();
    let (keep, store) = folder();
    run(async {
        let manifest = out(&db, &t(), &store, &Options::default()).await.unwrap().manifest;
        let copy = TableName::new("public", "copy");
        db.sql(&manifest.create_table_as(&copy));
        let file = on_disk(&keep, PATH);
        let good = std::fs::read(&file).unwrap();
        for at in [20, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&file, &bad).unwrap();
            let found = back(&db, &store, &manifest, &copy, &Identities::default()).await.unwrap_err();
            assert!(found.to_string().contains("t.csv.zst"), "{found}");
            assert_eq!(db.one("SELECT count(*) FROM public.copy"), "0");
        }
        std::fs::write(&file, &good).unwrap();
        back(&db, &store, &manifest, &copy, &Identities::default()).await.unwrap();
        let again = back(&db, &store, &manifest, &copy, &Identities::default()).await.unwrap_err();
        says(&again, Kind::Refused, &["public.copy is not empty"]);
        // A trigger that changes rows on their way in is found by the content hash.
        db.sql(
            "TRUNCATE public.copy; \
             CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note := upper(new.note); RETURN new; END $$; \
             CREATE TRIGGER spoil BEFORE INSERT ON public.copy FOR EACH ROW EXECUTE FUNCTION public.spoil()",
        );
        let other = back(&db, &store, &manifest, &copy, &Identities::default()).await.unwrap_err();
        says(&other, Kind::Refused, &["not those of the manifest", "content hash"]);
        assert_eq!(db.one("SELECT count(*) FROM public.copy"), "0");
    });
}
