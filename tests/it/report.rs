//! `dbctl report --html`: the page as a browser shows it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Database, chromium, dbctl, eventually, run};

/// What a page may be large at most.
const LARGEST: u64 = 500_000;

/// A database of bridge with partitions ahead.
fn bridge() -> Database {
    let db = Database::new();
    for args in
        [&["migrate", "--system", "bridge"][..], &["demo-data", "--system", "bridge"], &["partitions", "create"]]
    {
        let mut command = dbctl(args);
        run(command.env("DATABASE_URL", db.url()).current_dir(env!("CARGO_MANIFEST_DIR"))).expect_code(0);
    }
    db
}

/// The page of a database.
fn page(db: &Database, folder: &Path, args: &[&str]) -> PathBuf {
    let file = folder.join("page.html");
    let mut report = dbctl(&["report", "--html"]);
    report.arg(&file).args(args).env("DATABASE_URL", db.url()).current_dir(env!("CARGO_MANIFEST_DIR"));
    let told = run(&mut report).expect_code(0);
    assert!(told.stdout.contains("page.html"), "{}", told.stdout);
    file
}

/// A repository with a backup of it.
fn backed_up(db: &Database, folder: &Path) -> String {
    let repository = folder.join("repository").display().to_string();
    let mut create = dbctl(&["backup", "create", "--to", &repository]);
    run(create.env("DATABASE_URL", db.url())).expect_code(0);
    repository
}

#[test]
fn the_page_is_whole_small_private_and_nothing_in_it_is_markup_of_others() {
    let db = bridge();
    let folder = tempfile::tempdir().unwrap();
    let repository = backed_up(&db, folder.path());
    let holder = db.session();
    db.sql("CREATE TABLE \"<b>\" (a int)");
    holder.sql("BEGIN; SELECT 'hunter2'; LOCK TABLE \"<b>\" IN ACCESS EXCLUSIVE MODE");
    let reader = db.session();
    let waiting = reader.start("SELECT a FROM \"<b>\"");
    let is_waiting = format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = {}", reader.pid());
    eventually("it waits", || db.one(&is_waiting) == "1");
    let file = page(&db, folder.path(), &["--redact", "--backups", &repository]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(std::fs::metadata(&file).unwrap().len() < LARGEST);
    assert!(!text.contains("<b>") && text.contains("&lt;b&gt;"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("<script") && !text.contains("http://"), "{text}");
    for part in [
        "id=\"health\"",
        "id=\"locks\"",
        "id=\"activity\"",
        "id=\"partitions\"",
        "id=\"backups\"",
        "class=\"timeline\"",
        "class=\"treemap\"",
    ] {
        assert!(text.contains(part), "{part} is missing");
    }
    assert!(!text.contains("--state"), "rates need two runs and are left to check: {text}");
    let open = std::fs::read_to_string(page(&db, folder.path(), &[])).unwrap();
    assert!(open.contains("hunter2"));
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "queries may hold values");
    holder.rollback();
    waiting.wait().unwrap();
}

/// On a desk and on a phone: no complaint of the browser, nothing wider than the window; what it looks
/// like is kept beside the build.
#[test]
fn a_browser_shows_it_without_a_complaint_on_a_desk_and_on_a_phone() {
    let Some(browser) = chromium() else { return };
    let db = bridge();
    let folder = tempfile::tempdir().unwrap();
    let file = page(&db, folder.path(), &["--backups", &backed_up(&db, folder.path())]);
    // The page has no scripts, and no window is as narrow as a phone: a frame around it, and what measures.
    let text = std::fs::read_to_string(&file).unwrap().replace('&', "&amp;").replace('"', "&quot;");
    let around = |width: u32| {
        let measure = "document.title='wide:'+this.contentDocument.documentElement.scrollWidth";
        let frame =
            format!("<iframe style='width:{width}px;height:3000px;border:0' onload=\"{measure}\" srcdoc=\"{text}\">");
        let twin = folder.path().join("around.html");
        std::fs::write(&twin, format!("<!DOCTYPE html><title></title>{frame}</iframe>")).unwrap();
        twin
    };
    for (name, width, scheme) in [("desk", 1280, ""), ("phone", 390, ""), ("desk-dark", 1280, "--force-dark-mode")] {
        let show = |file: &Path, what: &[&str]| {
            let mut command = Command::new(&browser);
            command.args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--enable-logging=stderr",
            ]);
            command.arg(format!("--user-data-dir={}", folder.path().join(name).display()));
            command.arg(format!("--window-size={width},1600")).args(what).args(Some(scheme).filter(|s| !s.is_empty()));
            let shown = command.arg(format!("file://{}", file.display())).output().unwrap();
            let said = String::from_utf8_lossy(&shown.stderr).into_owned();
            assert!(shown.status.success(), "{said}");
            assert!(!said.contains("CONSOLE"), "{said}");
            String::from_utf8_lossy(&shown.stdout).into_owned()
        };
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}.png"));
        show(&file, &[&format!("--screenshot={}", kept.display())]);
        assert!(std::fs::metadata(&kept).unwrap().len() > 10_000, "{}", kept.display());
        let measured = show(&around(width), &["--dump-dom"]);
        assert!(measured.contains(&format!("<title>wide:{width}</title>")), "{measured}");
    }
}
