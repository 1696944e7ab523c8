//! Keys of every kind: the same plans, written as each kind writes its values.

use super::World;

#[test]
fn date_keys() {
    let entry = "every: month, ahead: 1, keep: 1 month, expire: drop";
    World::of("date", entry, "a 2025-03-01 .. 2025-04-01\nb 2025-04-01 .. 2025-05-01", "2025-05-15").plans(
        "create 2025-05-01 .. 2025-06-01
         create 2025-06-01 .. 2025-07-01
         drop a",
    );
}

#[test]
fn date_keys_follow_the_zone_of_the_policy() {
    // At 01:00 in UTC it is still April in Sao Paulo.
    World::of("date", "every: month, ahead: 0, timezone: America/Sao_Paulo", "", "2025-05-01T01:00:00Z")
        .plans("create 2025-04-01 .. 2025-05-01");
    // A day that a span reaches in part is there.
    World::of("date", "every: day, ahead: 36h", "", "2025-05-15T13:00:00Z").plans(
        "create 2025-05-15 .. 2025-05-16
         create 2025-05-16 .. 2025-05-17
         create 2025-05-17 .. 2025-05-18",
    );
}

#[test]
fn timestamp_keys_in_a_zone() {
    let entry = "every: day, ahead: 0, keep: 1 day, expire: drop, timezone: America/Sao_Paulo";
    World::of(
        "timestamp without time zone",
        entry,
        "a 2025-04-28 .. 2025-04-29\nb 2025-04-29 .. 2025-04-30",
        "2025-05-01T01:00:00Z",
    )
    .plans("create 2025-04-30 00:00:00 .. 2025-05-01 00:00:00\ndrop a");
}

#[test]
fn hours_of_a_wall_clock_have_no_gap() {
    World::of(
        "timestamp without time zone",
        "every: hour, ahead: 2, timezone: Europe/Berlin",
        "",
        "2025-03-30T00:30:00Z",
    )
    .plans(
        "create 2025-03-30 01:00:00 .. 2025-03-30 02:00:00
             create 2025-03-30 02:00:00 .. 2025-03-30 03:00:00
             create 2025-03-30 03:00:00 .. 2025-03-30 04:00:00",
    );
}

#[test]
fn epochs_in_every_unit() {
    for (codec, zeros) in [("epoch_s", ""), ("epoch_ms", "000"), ("epoch_us", "000000"), ("epoch_ns", "000000000")] {
        let at = |seconds: u64| format!("{seconds}{zeros}");
        let (april, may, june) = (at(1_743_465_600), at(1_746_057_600), at(1_748_736_000));
        let entry = format!("codec: {codec}, every: month, ahead: 0, keep: 1 day, expire: drop");
        World::of("bigint", &entry, &format!("a {april} .. {may}"), "2025-05-15")
            .plans(&format!("create {may} .. {june}\ndrop a"));
    }
}

#[test]
fn uuids_of_version_7() {
    let (april, may, june) = (
        "0195eea5-d400-0000-0000-000000000000",
        "01968924-9c00-0000-0000-000000000000",
        "019728c9-c000-0000-0000-000000000000",
    );
    let entry = "codec: uuidv7, every: month, ahead: 0, keep: 1 day, expire: drop";
    World::of("uuid", entry, &format!("a {april} .. {may}"), "2025-05-15")
        .plans(&format!("create {may} .. {june}\ndrop a"));
    // The halves of the range of all uuids are in their order too.
    World::of(
        "uuid",
        entry,
        &format!("a 00000000-0000-0000-0000-000000000000 .. {may}\nb {may} .. ffffffff-ffff-ffff-ffff-ffffffffffff"),
        "2025-05-15",
    )
    .plans("drop a");
}

#[test]
fn snowflakes() {
    let entry = "codec: snowflake(2015-01-01), every: month, ahead: 0";
    World::of("bigint", entry, "", "2025-05-15").plans("create 1367289416908800000 .. 1378523440742400000");
    let entry = "codec: snowflake, every: year, ahead: 0, timezone: UTC";
    World::of("numeric", entry, "", "2025-05-15").plans(&format!("create {}", snowflake_year()));
}

/// 2025 in milliseconds since the first snowflakes, above 22 bits.
fn snowflake_year() -> String {
    let at = |seconds: i64| (seconds * 1000 - 1_288_834_974_657) << 22;
    format!("{} .. {}", at(1_735_689_600), at(1_767_225_600))
}

#[test]
fn number_keys_follow_the_largest() {
    let entry = "every: 1000, ahead: 1, keep: 1000, expire: drop";
    let numbers = |largest: Option<&str>, parts: &str| {
        let mut world = World::of("bigint", entry, parts, "2025-05-15");
        world.table.largest = largest.map(str::to_owned);
        world
    };
    let three = "a 0 .. 1000\nb 1000 .. 2000\nc 2000 .. 3000";
    numbers(Some("2500"), three).plans("create 3000 .. 4000\ndrop a");
    numbers(Some("1999"), three).plans("nothing");
    // An empty table begins where its first partition does.
    numbers(None, three).plans("nothing");
    numbers(None, "").plans("create 0 .. 1000\ncreate 1000 .. 2000");
    numbers(Some("-1"), "z -1000 .. 0").plans("create 0 .. 1000");
}

#[test]
fn number_keys_are_under_holds_of_any_day() {
    let mut world = World::of(
        "bigint",
        "every: 1000, ahead: 0, keep: 1000, expire: drop",
        "a 0 .. 1000\nb 1000 .. 3000",
        "2025-05-15",
    );
    world.table.largest = Some("2500".to_owned());
    world.plans("drop a");
    world.hold("public.t", "1999-01-01", "1999-01-02").plans("keep a: hold\nattention hold");
}
