//! Rules by example, and what no history may break.

use super::*;

const DAY: u64 = 86_400;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn good(id: &str, text: &str) -> Candidate {
    Candidate {
        id: id.to_owned(),
        database: "shop".to_owned(),
        group: "shop".to_owned(),
        whole: true,
        at: at(text),
        good: true,
        found_bad: false,
        proven: None,
        pinned: false,
    }
}

fn clock(now: &str) -> Clock {
    Clock { now: at(now), zone: Tz::UTC, min_age: Duration::ZERO }
}

fn words(reasons: &BTreeSet<Reason>) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.word()).collect()
}

#[test]
fn the_newest_of_each_period_stays() {
    let backups = [
        good("a", "2026-01-31T03:00:00Z"),
        good("b", "2026-02-01T03:00:00Z"),
        good("c", "2026-02-01T21:00:00Z"),
        good("d", "2026-02-02T03:00:00Z"),
    ];
    let keep = Keep { daily: 2, monthly: 2, ..Keep::default() };
    let decided = decide(&backups, &keep, &clock("2026-02-02T12:00:00Z"));
    let all: Vec<Vec<&str>> = decided.iter().map(words).collect();
    assert_eq!(all, [vec!["monthly"], vec![], vec!["daily"], vec!["newest", "daily", "monthly"]]);
}

#[test]
fn a_day_begins_where_the_zone_says() {
    let backups = [good("a", "2026-02-01T02:00:00Z"), good("b", "2026-02-01T04:00:00Z")];
    let keep = Keep { daily: 9, ..Keep::default() };
    let here = Clock { zone: "America/Sao_Paulo".parse().unwrap(), ..clock("2026-02-03T00:00:00Z") };
    assert!(decide(&backups, &keep, &here).iter().all(|reasons| !reasons.is_empty()));
    assert!(decide(&backups, &keep, &clock("2026-02-03T00:00:00Z"))[0].is_empty());
}

#[test]
fn what_is_pinned_young_damaged_or_the_last_proven_stays() {
    let mut backups: Vec<Candidate> =
        (1..=6).map(|day| good(&format!("{day}"), &format!("2026-02-0{day}T03:00:00Z"))).collect();
    backups[0].pinned = true;
    backups[1].proven = Some(4);
    backups[2].proven = Some(2);
    backups[3].good = false;
    let young = Clock { min_age: Duration::from_secs(2 * DAY), ..clock("2026-02-06T12:00:00Z") };
    let decided = decide(&backups, &Keep { last: 1, ..Keep::default() }, &young);
    let all: Vec<Vec<&str>> = decided.iter().map(words).collect();
    assert_eq!(
        all,
        [
            vec!["pinned"],
            vec!["newest restored"],
            vec!["newest proven"],
            vec!["damaged"],
            vec!["young"],
            vec!["newest", "young", "last"]
        ]
    );
}

#[test]
fn backups_that_stopped_are_noticed() {
    let backups: Vec<Candidate> =
        (1..=5).map(|day| good(&format!("{day}"), &format!("2026-02-0{day}T03:00:00Z"))).collect();
    assert_eq!(late(&backups, &[], None, at("2026-02-07T02:00:00Z")), []);
    let stopped = late(&backups, &[], None, at("2026-02-07T04:00:00Z"));
    assert_eq!((stopped.len(), stopped[0].limit), (1, Duration::from_secs(2 * DAY)));
    assert_eq!(late(&backups, &[], Some(Duration::from_secs(3600)), at("2026-02-05T03:30:00Z")), []);
    assert_eq!(late(&backups, &[], Some(Duration::from_secs(3600)), at("2026-02-05T05:00:00Z")).len(), 1);
    assert_eq!(late(&backups[..2], &[], None, at("2027-01-01T00:00:00Z")), []);
}

/// What pruning has left says little of how often backups are made; the word of the runs does.
#[test]
fn the_usual_time_is_that_of_the_runs() {
    let left = [good("a", "2026-02-10T03:00:00Z")];
    let runs: Vec<(String, DateTime<Utc>)> =
        (1..=10).map(|day| ("shop".to_owned(), at(&format!("2026-02-{day:02}T03:01:00Z")))).collect();
    assert_eq!(late(&left, &runs, None, at("2026-02-11T12:00:00Z")), []);
    assert_eq!(late(&left, &runs, None, at("2026-02-12T12:00:00Z")).len(), 1);
    // A clock that once was wrong hides nothing.
    let ahead = [left[0].clone(), good("b", "2027-01-01T00:00:00Z")];
    assert_eq!(late(&ahead, &runs, None, at("2026-02-12T12:00:00Z")).len(), 1);
}

/// A part of a database, and a database of the same name on another server, are counted by themselves.
#[test]
fn parts_and_namesakes_push_nothing_out() {
    let part = |id: &str, text: &str| Candidate { group: "shop, orders".to_owned(), whole: false, ..good(id, text) };
    let other = Candidate { group: "elsewhere".to_owned(), ..good("c", "2026-02-03T03:00:00Z") };
    let backups = [
        good("a", "2026-02-01T03:00:00Z"),
        part("b", "2026-02-02T03:00:00Z"),
        other,
        part("d", "2026-02-04T03:00:00Z"),
    ];
    let decided = decide(&backups, &Keep { last: 1, ..Keep::default() }, &clock("2026-02-05T00:00:00Z"));
    let stays: Vec<bool> = decided.iter().map(|reasons| !reasons.is_empty()).collect();
    assert_eq!(stays, [true, false, true, true]);
    assert_eq!(late(&backups, &[], Some(Duration::from_secs(DAY)), at("2026-02-05T00:00:00Z")).len(), 1);
}

/// Only what was found damaged, is old and not pinned, and only where another one of the same is proven.
#[test]
fn the_damaged_go_only_where_another_is_proven() {
    let bad = |id: &str, text: &str| Candidate { good: false, found_bad: true, ..good(id, text) };
    let decided = |backups: &[Candidate]| {
        let mut reasons = decide(backups, &Keep { last: 9, ..Keep::default() }, &clock("2026-02-05T00:00:00Z"));
        condemn(backups, &mut reasons);
        reasons.iter().map(words).collect::<Vec<_>>()
    };
    let proven = |level: u8| Candidate { proven: Some(level), ..good("z", "2026-02-01T03:00:00Z") };
    let one = bad("a", "2026-02-02T03:00:00Z");
    assert_eq!(decided(&[one.clone(), proven(2)])[0], Vec::<&str>::new());
    assert_eq!(decided(&[one.clone(), proven(1)])[0], ["damaged, and no other is proven"]);
    assert_eq!(decided(&[one.clone(), Candidate { good: false, ..proven(4) }])[0], ["damaged, and no other is proven"]);
    assert_eq!(
        decided(&[one.clone(), Candidate { group: "else".to_owned(), ..proven(4) }])[0],
        ["damaged, and no other is proven"]
    );
    assert_eq!(decided(&[Candidate { pinned: true, ..one.clone() }, proven(4)])[0], ["pinned"]);
    assert_eq!(decided(&[Candidate { found_bad: false, ..one.clone() }, proven(4)])[0], ["damaged"]);
    assert!(is_covered(&[one.clone(), proven(2)], "shop"));
    let part = Candidate { group: "shop, orders".to_owned(), whole: false, ..good("p", "2026-02-03T03:00:00Z") };
    assert!(!is_covered(&[one, proven(2), part], "shop"));
    assert!(!is_covered(&[proven(4)], "bridge"));
}

/// A history as it may come about: gaps of minutes to months, failures, damage, several databases, a clock that
/// jumps.
fn history(random: &mut fastrand::Rng) -> (Vec<Candidate>, Keep, Clock) {
    let mut now = at("2024-01-01T00:00:00Z");
    let mut backups = Vec::new();
    for number in 0..random.usize(0..30) {
        let step = [600, 3600, DAY, DAY, DAY, 7 * DAY, 40 * DAY][random.usize(0..7)];
        let jump = if random.u8(..) < 8 { -1 } else { 1 };
        now += chrono::Duration::seconds(jump * i64::try_from(random.u64(1..=step)).unwrap());
        backups.push(Candidate {
            id: format!("{number:04}"),
            database: String::new(),
            group: ["shop", "bridge"][random.usize(0..2)].to_owned(),
            whole: random.bool(),
            at: if random.u8(..) < 8 { now + chrono::Duration::days(400) } else { now },
            good: random.u8(..) >= 32,
            found_bad: random.u8(..) >= 64,
            proven: if random.u8(..) < 90 { Some(random.u8(0..5)) } else { None },
            pinned: random.u8(..) < 12,
        });
    }
    let count = |random: &mut fastrand::Rng| if random.bool() { 0 } else { random.usize(0..8) };
    let keep = Keep {
        last: count(random),
        daily: count(random),
        weekly: count(random),
        monthly: count(random),
        yearly: count(random),
        within: random.bool().then(|| Duration::from_secs(random.u64(0..60 * DAY))),
    };
    let later = chrono::Duration::seconds(i64::try_from(random.u64(0..90 * DAY)).unwrap());
    let zone = [Tz::UTC, Tz::America__Sao_Paulo, Tz::Pacific__Apia][random.usize(0..3)];
    (backups, keep, Clock { now: now + later, zone, min_age: Duration::from_secs(random.u64(0..3 * DAY)) })
}

#[test]
fn no_history_loses_what_the_rules_protect() {
    for seed in 0..100_000 {
        let (backups, keep, clock) = history(&mut fastrand::Rng::with_seed(seed));
        let decided = decide(&backups, &keep, &clock);
        let stays = |index: usize| !decided[index].is_empty();
        for database in ["shop", "bridge"] {
            let mut of_one: Vec<usize> =
                (0..backups.len()).filter(|&i| backups[i].group == database && backups[i].good).collect();
            of_one.sort_by_key(|&i| std::cmp::Reverse((backups[i].at, &backups[i].id)));
            let newest = |level: u8| of_one.iter().find(|&&i| backups[i].proven.is_some_and(|proven| proven >= level));
            for protected in [of_one.first(), newest(2), newest(3)].into_iter().flatten() {
                assert!(stays(*protected), "seed {seed}: {:?}", backups[*protected]);
            }
            let kept = of_one.iter().filter(|&&i| stays(i)).count();
            assert!(kept >= keep.last.max(1).min(of_one.len()), "seed {seed}: {kept} of {database} stay");
        }
        for (index, backup) in backups.iter().enumerate() {
            let young = (clock.now - backup.at).to_std().map_or(true, |age| age < clock.min_age);
            assert!(stays(index) || !(backup.pinned || young || !backup.good), "seed {seed}: {backup:?}");
        }
        let mut condemned = decided.clone();
        condemn(&backups, &mut condemned);
        for (index, backup) in backups.iter().enumerate().filter(|(index, _)| condemned[*index].is_empty()) {
            let proven = |i: usize| backups[i].good && backups[i].proven.is_some_and(|level| level >= 2);
            let covers = |i: usize| proven(i) && backups[i].group == backup.group && !condemned[i].is_empty();
            assert!(!stays(index) || !backup.good && (0..backups.len()).any(covers), "seed {seed}: {backup:?}");
        }
        // What stays once stays when it is asked again: removing changes no other verdict for the worse.
        let left: Vec<Candidate> = (0..backups.len()).filter(|&i| stays(i)).map(|i| backups[i].clone()).collect();
        let again = decide(&left, &keep, &clock);
        assert!(again.iter().all(|reasons| !reasons.is_empty()), "seed {seed}");
        // Failures never push a good one out.
        let only_good: Vec<Candidate> = backups.iter().filter(|backup| backup.good).cloned().collect();
        let without = decide(&only_good, &keep, &clock);
        let with: Vec<bool> = (0..backups.len()).filter(|&i| backups[i].good).map(stays).collect();
        assert_eq!(without.iter().map(|reasons| !reasons.is_empty()).collect::<Vec<_>>(), with, "seed {seed}");
    }
}

/// A clock that was wrong once costs no backup its place.
#[test]
fn what_is_of_a_later_moment_takes_no_place() {
    let backups =
        [good("a", "2026-02-01T03:00:00Z"), good("b", "2026-02-02T03:00:00Z"), good("future", "2027-02-02T03:00:00Z")];
    let reasons = decide(&backups, &Keep { last: 1, ..Keep::default() }, &clock("2026-02-03T00:00:00Z"));
    assert_eq!(words(&reasons[0]), [""; 0]);
    assert_eq!(words(&reasons[1]), ["newest", "last"]);
    assert_eq!(words(&reasons[2]), ["young"]);
}
