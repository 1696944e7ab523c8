//! Days and dates over all the years that PostgreSQL knows, which are more than chrono knows. The
//! proleptic Gregorian calendar, with a year 0 that PostgreSQL writes as 1 BC. Pure.

/// 4714-11-24 BC, the first day that PostgreSQL has, in days since 1970-01-01.
pub(super) const FIRST_DAY: i64 = -2_440_588;

/// Days of the 400 years after which the calendar repeats.
const ERA: i64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01. Years that begin in March have their leap day at the end.
const MARCH_OF_YEAR_0: i64 = 719_468;

/// The day of a date, counted from 1970-01-01; nothing when there is no such date.
pub(super) fn day(year: i64, month: u32, day: u32) -> Option<i64> {
    if !(-10_000_000..=10_000_000).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if day < 1 || day > length(year, month) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = i64::from((month + 9) % 12);
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    Some(era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - MARCH_OF_YEAR_0)
}

/// Year, month and day.
pub(super) fn date(day: i64) -> (i64, i64, i64) {
    // Far beyond every server's calendar; keeps the sums below from overflowing.
    let day = day.clamp(i64::MIN / 4, i64::MAX / 4) + MARCH_OF_YEAR_0;
    let (era, of_era) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, of_month)
}

fn length(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};

    use super::*;

    #[test]
    fn days_agree_with_chrono_where_both_know_them() {
        for at in (-3_000_000..4_000_000).step_by(37).chain([0, FIRST_DAY]) {
            let (year, month, of_month) = date(at);
            let chrono = NaiveDate::from_epoch_days(i32::try_from(at).unwrap()).unwrap();
            let expected = (i64::from(chrono.year()), i64::from(chrono.month()), i64::from(chrono.day()));
            assert_eq!((year, month, of_month), expected, "{at}");
            assert_eq!(day(year, chrono.month(), chrono.day()), Some(at));
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_none() {
        for (year, month, of_month) in [(2023, 2, 29), (1900, 2, 29), (2025, 4, 31), (2025, 13, 1), (2025, 1, 0)] {
            assert_eq!(day(year, month, of_month), None);
        }
        assert!(day(2024, 2, 29).is_some() && day(2000, 2, 29).is_some() && day(0, 2, 29).is_some());
        assert_eq!(day(i64::MAX, 1, 1), None);
    }

    #[test]
    fn the_last_date_of_the_server_and_the_first() {
        assert_eq!(date(day(5_874_897, 12, 31).unwrap()), (5_874_897, 12, 31));
        assert_eq!(date(FIRST_DAY), (-4713, 11, 24));
        assert_eq!(date(i64::MAX).1 / 13, 0);
    }
}
