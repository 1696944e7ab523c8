//! Rows of a file, as text that COPY takes, by a thread of its own: the server's input functions read every value, so
//! that the table's types need not be the file's.

use std::fmt::Write as _;
use std::fs::File;

use bytes::Bytes;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::Decimal;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use tokio::sync::mpsc;

use crate::error::{self, Failure, Result};

/// What is handed over at once.
const PIECE: usize = 128 << 10;
/// How many pieces wait.
const AHEAD: usize = 4;
/// The day that NaiveDate counts 1970 from.
const DAYS: i32 = 719_163;

/// A file that is read.
pub struct Opened {
    reader: SerializedFileReader<File>,
    columns: Vec<Shape>,
    file: String,
}

/// What the schema says of a column beyond its values.
#[derive(Debug, Clone)]
struct Shape {
    name: String,
    utc: bool,
    nanoseconds: bool,
    uuid: bool,
}

impl Opened {
    /// Reads the end of the file, which says what is in it.
    ///
    /// # Errors
    /// Refused, when it is no Parquet; naming the first column that dbctl cannot read.
    pub fn open(file: File, name: &str) -> Result<Opened> {
        let reader = SerializedFileReader::new(file)
            .map_err(|error| Failure::new(error::Kind::Refused, format!("{name} is no whole Parquet file: {error}")))?;
        let schema = reader.metadata().file_metadata().schema();
        let columns = schema.get_fields().iter().map(|field| shape(field, name)).collect::<Result<_>>()?;
        Ok(Opened { reader, columns, file: name.to_owned() })
    }

    /// The names of its columns, in their order.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The rows, of these columns: which, and whether a list is to be one of pgvector.
    pub fn rows(self, wanted: &[(usize, bool)]) -> mpsc::Receiver<Result<Bytes>> {
        let (send, receive) = mpsc::channel(AHEAD);
        let wanted = wanted.to_vec();
        std::thread::spawn(move || {
            let file = self.file.clone();
            // The library panics at some that is damaged.
            let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.send(&wanted, &send)));
            let failure = match read {
                Ok(Ok(())) => return,
                Ok(Err(failure)) => failure,
                Err(_) => Failure::new(error::Kind::Refused, format!("{file} is damaged")),
            };
            // Nobody listens any more: then nobody wants to know.
            let _ = send.blocking_send(Err(failure.note("nothing was stored")));
        });
        receive
    }

    fn send(&self, wanted: &[(usize, bool)], send: &mpsc::Sender<Result<Bytes>>) -> Result<()> {
        let damaged = |error| Failure::new(error::Kind::Refused, format!("{} is damaged: {error}", self.file));
        let mut piece = String::new();
        for (at, row) in self.reader.get_row_iter(None).map_err(damaged)?.enumerate() {
            let row = row.map_err(damaged)?;
            self.line(&row, wanted, &mut piece).map_err(|column| {
                let message =
                    format!("{}, row {}, column {column}: no type holds this value exactly", self.file, at + 1);
                Failure::new(error::Kind::Invalid, message)
            })?;
            if piece.len() >= PIECE && send.blocking_send(Ok(std::mem::take(&mut piece).into())).is_err() {
                return Ok(());
            }
        }
        let _ = send.blocking_send(Ok(piece.into()));
        Ok(())
    }

    /// A row as a line of COPY; the column that cannot be written.
    fn line<'a>(&'a self, row: &Row, wanted: &[(usize, bool)], out: &mut String) -> Result<(), &'a str> {
        let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
        for (number, (at, vector)) in wanted.iter().enumerate() {
            if number > 0 {
                out.push('\t');
            }
            let Some((field, shape)) = fields.get(*at).zip(self.columns.get(*at)) else { continue };
            match field {
                Field::Null => out.push_str("\\N"),
                field => {
                    let mut text = String::new();
                    value(field, shape, *vector, &mut text).ok_or(shape.name.as_str())?;
                    escape(&text, out);
                }
            }
        }
        out.push('\n');
        Ok(())
    }
}

/// As COPY reads it.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
}

/// What the server's input function takes; none, where something would be lost.
fn value(field: &Field, shape: &Shape, vector: bool, out: &mut String) -> Option<()> {
    let zone = if shape.utc { "+00" } else { "" };
    match field {
        Field::Bool(value) => out.push(if *value { 't' } else { 'f' }),
        Field::Byte(value) => write!(out, "{value}").ok()?,
        Field::Short(value) => write!(out, "{value}").ok()?,
        Field::Int(value) => write!(out, "{value}").ok()?,
        Field::Long(value) if shape.nanoseconds => {
            let exact = value % 1000 == 0;
            timestamp(exact.then_some(value / 1000)?, zone, out)?;
        }
        Field::Long(value) => write!(out, "{value}").ok()?,
        Field::UByte(value) => write!(out, "{value}").ok()?,
        Field::UShort(value) => write!(out, "{value}").ok()?,
        Field::UInt(value) => write!(out, "{value}").ok()?,
        Field::ULong(value) => write!(out, "{value}").ok()?,
        Field::Float16(value) => float(f64::from(*value), format!("{:e}", f32::from(*value)), out),
        Field::Float(value) => float(f64::from(*value), format!("{value:e}"), out),
        Field::Double(value) => float(*value, format!("{value:e}"), out),
        Field::Decimal(value) => decimal(value, out)?,
        Field::Str(text) => out.push_str(text),
        Field::Bytes(bytes) => {
            if !shape.uuid {
                out.push_str("\\x");
            }
            bytes.data().iter().try_for_each(|byte| write!(out, "{byte:02x}")).ok()?;
        }
        Field::Date(days) => date(NaiveDate::from_num_days_from_ce_opt(days.checked_add(DAYS)?)?, out, ""),
        Field::TimestampMillis(value) => timestamp(value.checked_mul(1000)?, zone, out)?,
        Field::TimestampMicros(value) => timestamp(*value, zone, out)?,
        Field::TimeMillis(value) => time(i64::from(*value) * 1000, out)?,
        Field::TimeMicros(value) => time(*value, out)?,
        Field::ListInternal(list) => {
            out.push(if vector { '[' } else { '{' });
            for (at, element) in list.elements().iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                match element {
                    Field::Null => out.push_str("NULL"),
                    Field::Float(_) | Field::Double(_) if vector => value(element, shape, vector, out)?,
                    Field::ListInternal(_) => value(element, shape, vector, out)?,
                    element => {
                        let mut text = String::new();
                        value(element, shape, vector, &mut text)?;
                        write!(out, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")).ok()?;
                    }
                }
            }
            out.push(if vector { ']' } else { '}' });
        }
        Field::Null | Field::Group(_) | Field::MapInternal(_) => return None,
    }
    Some(())
}

/// The shortest digits that are read as the same number.
fn float(value: f64, shortest: String, out: &mut String) {
    out.push_str(match value {
        value if value.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => &shortest,
    });
}

fn decimal(value: &Decimal, out: &mut String) -> Option<()> {
    let bytes = value.data();
    // Two's complement of any length: more than 16 bytes are not read.
    let (first, scale) = (*bytes.first()?, usize::try_from(value.scale()).ok()?);
    if bytes.len() > 16 {
        return None;
    }
    let mut wide = [if first >= 0x80 { 0xff } else { 0 }; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    let number = i128::from_be_bytes(wide);
    let digits = format!("{:0>1$}", number.unsigned_abs(), scale + 1);
    let (whole, places) = digits.split_at(digits.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    let dot = if scale > 0 { "." } else { "" };
    write!(out, "{sign}{whole}{dot}{places}").ok()
}

fn timestamp(microseconds: i64, zone: &str, out: &mut String) -> Option<()> {
    let at: NaiveDateTime = DateTime::from_timestamp_micros(microseconds)?.naive_utc();
    date(at.date(), out, &format!(" {}{zone}", at.time().format("%H:%M:%S%.6f")));
    Some(())
}

fn time(microseconds: i64, out: &mut String) -> Option<()> {
    let (seconds, rest) = (microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000));
    (0..=86_400).contains(&seconds).then_some(())?;
    write!(out, "{:02}:{:02}:{:02}.{rest:06}", seconds / 3600, seconds / 60 % 60, seconds % 60).ok()
}

/// A day, the time of it, and whether it is before Christ, which the server wants last.
fn date(day: NaiveDate, out: &mut String, time: &str) {
    let (year, era) = if day.year() > 0 { (day.year(), "") } else { (1 - day.year(), " BC") };
    out.push_str(&format!("{year:04}-{:02}-{:02}{time}{era}", day.month(), day.day()));
}

/// What is to be known of a column; refuses what cannot be read exactly.
fn shape(field: &Type, file: &str) -> Result<Shape> {
    let refused = |what: &str| {
        let message = format!("{file}: column {} is {what}, which dbctl cannot store", field.name());
        Err(Failure::new(error::Kind::Refused, message))
    };
    let info = field.get_basic_info();
    let logical = info.logical_type_ref().cloned();
    let mut shape = Shape { name: field.name().to_owned(), utc: false, nanoseconds: false, uuid: false };
    if field.is_group() {
        return match info.converted_type() {
            ConvertedType::LIST => Ok(shape),
            _ => refused("a group"),
        };
    }
    match logical {
        Some(LogicalType::Timestamp(of)) => {
            shape.utc = of.is_adjusted_to_u_t_c;
            shape.nanoseconds = of.unit == TimeUnit::NANOS;
        }
        Some(LogicalType::Uuid) => shape.uuid = true,
        Some(LogicalType::Time(of)) if of.unit == TimeUnit::NANOS => return refused("a time in nanoseconds"),
        None
        | Some(
            LogicalType::String
            | LogicalType::Enum
            | LogicalType::Decimal(_)
            | LogicalType::Date
            | LogicalType::Time(_)
            | LogicalType::Integer(_)
            | LogicalType::Json
            | LogicalType::Float16,
        ) => {}
        Some(_) => return refused("of a type"),
    }
    match (field.get_physical_type(), info.converted_type()) {
        (Physical::INT96, _) => return refused("INT96"),
        (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) if info.logical_type_ref().is_none() => {
            shape.utc = true;
        }
        (_, ConvertedType::INTERVAL | ConvertedType::BSON) => return refused("of a type"),
        _ => {}
    }
    Ok(shape)
}
