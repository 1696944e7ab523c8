//! Literals, read and written.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::super::super::key::EpochUnit;
use super::*;

fn axis(codec: Codec, zone: &str) -> Axis {
    Axis { codec, zone: zone.parse().unwrap() }
}

#[test]
fn what_the_server_prints_is_read() {
    let day = 86_400_000_000;
    for (codec, text, at) in [
        (Codec::Date, "1970-01-01", 0),
        (Codec::Date, "2024-02-29", 19_782),
        (Codec::Date, "10000-01-01", 2_932_897),
        (Codec::Date, "5874897-12-31", 2_145_042_905),
        (Codec::Date, "4714-11-24 BC", -2_440_588),
        (Codec::Date, "0001-12-31 BC", -719_163),
        (Codec::Date, "0001-01-01", -719_162),
        (Codec::Timestamp, "1970-01-02 00:00:00", day),
        (Codec::Timestamp, "1969-12-31 23:59:59.999999", -1),
        (Codec::Timestamp, "1970-01-01 01:02:03.5", 3_723_500_000),
        (Codec::Timestamp, "0001-12-31 23:59:59 BC", -719_162 * day - 1_000_000),
        (Codec::Timestamptz, "1970-01-01 00:00:00+00", 0),
        (Codec::Timestamptz, "1970-01-01 00:00:00-03", 3 * 3_600_000_000),
        (Codec::Timestamptz, "1970-01-01 00:00:00.000001+05:30", 1 - 19_800_000_000),
        (Codec::Timestamptz, "1970-01-01 00:00:00-03:06:28", 11_188_000_000),
        (Codec::Timestamptz, "0044-03-15 00:00:00+00 BC", -735_160 * day),
        (Codec::Timestamptz, "294276-12-31 23:59:59.999999+00", 9_224_318_015_999_999_999),
        (Codec::Number, "-5", -5),
        (Codec::Epoch(EpochUnit::Seconds), "1735689600", 1_735_689_600),
        (Codec::Snowflake { epoch_ms: 0 }, "9223372036854775807", i128::from(i64::MAX)),
        (Codec::UuidV7, "00000000-0000-0000-0000-000000000000", i128::MIN),
        (Codec::UuidV7, "80000000-0000-0000-0000-000000000000", 0),
        (Codec::UuidV7, "ffffffff-FFFF-ffff-ffff-ffffffffffff", i128::MAX),
    ] {
        assert_eq!(axis(codec, "UTC").parse(text), Ok(Edge::At(at)), "{codec:?} {text}");
    }
    for codec in [Codec::Date, Codec::Timestamp, Codec::Timestamptz] {
        assert_eq!(axis(codec, "UTC").parse("infinity"), Ok(Edge::Max));
        assert_eq!(axis(codec, "UTC").parse("-infinity"), Ok(Edge::Min));
    }
}

#[test]
fn what_the_server_does_not_print_is_refused() {
    for (codec, texts) in [
        (
            Codec::Date,
            &["", "2025-1-1", "2025-02-30", "0000-01-01", "01/01/2025", "2025-01-01 00:00:00", "+2025-01-01"][..],
        ),
        (
            Codec::Timestamp,
            &[
                "2025-01-01",
                "2025-01-01 00:00:00+00",
                "2025-01-01 24:00:00",
                "2025-01-01 00:00",
                "2025-01-01 00:00:00.1234567",
            ],
        ),
        (
            Codec::Timestamptz,
            &["2025-01-01 00:00:00", "2025-01-01 00:00:00+1", "2025-01-01 00:00:00+99", "2025-01-01 00:00:00.+00"],
        ),
        (Codec::Number, &["infinity", "1.5", "", "0x1f", "1 ", "999999999999999999999999999999999999999999"]),
        (
            Codec::UuidV7,
            &[
                "0",
                "00000000000000000000000000000000",
                "0000000g-0000-0000-0000-000000000000",
                "é0000000-0000-0000-0000-00000000000",
            ],
        ),
    ] {
        for text in texts {
            let message = axis(codec, "UTC").parse(text).unwrap_err();
            assert!(message.contains(&format!("'{text}' is not ")), "{message}");
        }
    }
}

#[test]
fn a_timestamptz_is_written_with_the_offset_of_the_zone() {
    for (zone, micros, text) in [
        ("UTC", 0, "1970-01-01 00:00:00+00"),
        ("America/Sao_Paulo", 1_735_700_400_000_000, "2025-01-01 00:00:00-03"),
        ("Asia/Kathmandu", 1_735_668_900_000_000, "2025-01-01 00:00:00+05:45"),
        ("America/Sao_Paulo", -2_208_977_612_000_000, "1900-01-01 00:00:00-03:06:28"),
        ("Europe/Berlin", 1_761_438_600_500_000, "2025-10-26 02:30:00.5+02"),
        ("Europe/Berlin", 1_761_442_200_500_000, "2025-10-26 02:30:00.5+01"),
        ("Europe/Berlin", -63_517_824_000_000_000, "0044-03-15 00:00:00+00 BC"),
        ("Europe/Berlin", 253_402_300_800_000_000, "10000-01-01 00:00:00+00"),
    ] {
        let axis = axis(Codec::Timestamptz, zone);
        assert_eq!(axis.literal(micros), text);
        assert_eq!(axis.parse(text), Ok(Edge::At(micros)));
    }
}

#[test]
fn other_keys_are_written_as_the_server_prints_them() {
    assert_eq!(axis(Codec::Date, "UTC").literal(-719_163), "0001-12-31 BC");
    assert_eq!(axis(Codec::Timestamp, "Asia/Tokyo").literal(1), "1970-01-01 00:00:00.000001");
    assert_eq!(axis(Codec::Number, "UTC").literal(-7), "-7");
    let uuid = axis(Codec::UuidV7, "UTC");
    let at = uuid.of_instant("2025-01-01T00:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(uuid.literal(at), "01941f29-7c00-0000-0000-000000000000");
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".*", shape in "[-+0-9: .BCinfty]{0,40}") {
        for codec in [Codec::Date, Codec::Timestamp, Codec::Timestamptz, Codec::Number, Codec::UuidV7] {
            let _ = axis(codec, "UTC").parse(&text);
            let _ = axis(codec, "UTC").parse(&shape);
        }
    }

    #[test]
    fn days_and_times_are_read_as_they_were_written(micros in -211_810_000_000_000_000i64..9_223_000_000_000_000_000, zone in 0..chrono_tz::TZ_VARIANTS.len()) {
        let zone: Tz = chrono_tz::TZ_VARIANTS[zone];
        for (codec, at) in [
            (Codec::Date, i128::from(micros / 86_400_000_000)),
            (Codec::Timestamp, i128::from(micros)),
            (Codec::Timestamptz, i128::from(micros)),
            // Most of what is out there.
            (Codec::Timestamptz, i128::from(micros / 100)),
        ] {
            let axis = Axis { codec, zone };
            prop_assert_eq!(axis.parse(&axis.literal(at)), Ok(Edge::At(at)));
        }
    }

    #[test]
    fn numbers_and_uuids_are_read_as_they_were_written(at: i128) {
        for codec in [Codec::Number, Codec::UuidV7, Codec::Epoch(EpochUnit::Nanoseconds), Codec::Snowflake { epoch_ms: 5 }] {
            prop_assert_eq!(axis(codec, "UTC").parse(&axis(codec, "UTC").literal(at)), Ok(Edge::At(at)));
        }
    }
}
