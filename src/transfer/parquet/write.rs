//! Rows become row groups, each written when it is large enough: no more than one lies in memory.

use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use parquet::basic::{Compression as Pages, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType, Int32Type,
    Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::kind::Kind;
use crate::error::{self, Failure, Result};
use crate::transfer::columns::Column;
use crate::transfer::format::Compression;
use crate::transfer::rows::{Fields, Tuples};

/// About how many bytes of values make a row group.
const GROUP: usize = 32 << 20;
/// What PostgreSQL counts from, the beginning of 2000, after what Parquet counts from, that of 1970.
const DAYS: i32 = 10_957;
const MICROSECONDS: i64 = 946_684_800_000_000;
/// Bytes of a DECIMAL.
const DECIMAL: i32 = 16;
/// Under which key a file says what its columns were.
const KEY: &str = "dbctl.columns";
/// The level of zstd.
const LEVEL: i32 = 3;

/// Whether it can be written and read.
///
/// # Errors
/// None.
#[expect(clippy::unnecessary_wraps, reason = "a program without Parquet has an error here")]
pub fn built_in() -> Result<()> {
    Ok(())
}

/// Rows on their way into a file.
pub struct Sheet {
    writer: SerializedFileWriter<Vec<u8>>,
    tuples: Tuples,
    columns: Vec<Chunk>,
    bytes: usize,
}

/// What a row group has of one column.
struct Chunk {
    kind: Kind,
    values: Values,
    /// Whether each value is there: 0 NULL; of a list, 1 an empty one.
    levels: Vec<i16>,
    /// Of a list: 0 where a row begins.
    repeats: Vec<i16>,
}

enum Values {
    Bool(Vec<bool>),
    Int(Vec<i32>),
    Big(Vec<i64>),
    Real(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Sheet {
    /// Begins a file; its pages are compressed, not the file.
    ///
    /// # Errors
    /// Refused, where there is no column.
    pub fn begin(columns: &[Column], kinds: &[Kind], compression: Compression) -> Result<Sheet> {
        if columns.is_empty() {
            return Err(Failure::new(error::Kind::Refused, "rows without columns cannot be written as Parquet"));
        }
        let fields: Vec<TypePtr> =
            columns.iter().zip(kinds).map(|(column, kind)| field(column.name.raw(), *kind)).collect::<Result<_>>()?;
        let schema = Type::group_type_builder("rows").with_fields(fields).build().map_err(odd)?;
        let pages = match compression {
            Compression::None => Pages::UNCOMPRESSED,
            Compression::Zstd => Pages::ZSTD(ZstdLevel::try_new(LEVEL).map_err(odd)?),
        };
        let told: Vec<_> = columns
            .iter()
            .map(|column| serde_json::json!({ "name": column.name.raw(), "type": column.kind, "not_null": column.not_null }))
            .collect();
        let properties = WriterProperties::builder()
            .set_compression(pages)
            .set_created_by(format!("dbctl version {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(vec![KeyValue::new(
                KEY.to_owned(),
                serde_json::Value::from(told).to_string(),
            )]))
            .build();
        let writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).map_err(odd)?;
        let columns = kinds.iter().map(|kind| Chunk::new(*kind)).collect();
        Ok(Sheet { writer, tuples: Tuples::default(), columns, bytes: 0 })
    }

    /// Takes a piece of COPY's binary form, cut anywhere; puts what is ready of the file into `out`.
    ///
    /// # Errors
    /// Failed, when it is not what the server sends.
    pub fn take(&mut self, piece: &[u8], out: &mut BytesMut) -> Result<()> {
        let (columns, bytes) = (&mut self.columns, &mut self.bytes);
        self.tuples.take(piece, |fields: &Fields<'_>| {
            if fields.count() != columns.len() {
                return Err(unknown());
            }
            for (at, column) in columns.iter_mut().enumerate() {
                let value = fields.get(at);
                *bytes += value.map_or(1, |value| value.len() + 8);
                column.add(value).ok_or_else(unknown)?;
            }
            Ok(())
        })?;
        if self.bytes >= GROUP {
            self.group()?;
            self.writer.flush()?;
            out.extend_from_slice(&std::mem::take(self.writer.inner_mut()));
        }
        Ok(())
    }

    /// Ends the file; how many rows it has.
    ///
    /// # Errors
    /// Failed, when the server ended in the middle of a row.
    pub fn finish(mut self, out: &mut BytesMut) -> Result<u64> {
        if !self.tuples.ended() {
            return Err(Failure::new(error::Kind::Failed, "the server ended in the middle of a row"));
        }
        if self.bytes > 0 {
            self.group()?;
        }
        out.extend_from_slice(&self.writer.into_inner().map_err(odd)?);
        Ok(self.tuples.count)
    }

    fn group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group().map_err(odd)?;
        for column in &mut self.columns {
            let mut writer = group.next_column().map_err(odd)?.ok_or_else(unknown)?;
            let repeats = (column.kind == Kind::Vector).then_some(&column.repeats[..]);
            let levels = Some(&column.levels[..]);
            match &mut column.values {
                Values::Bool(values) => writer.typed::<BoolType>().write_batch(values, levels, None),
                Values::Int(values) => writer.typed::<Int32Type>().write_batch(values, levels, None),
                Values::Big(values) => writer.typed::<Int64Type>().write_batch(values, levels, None),
                Values::Real(values) => writer.typed::<FloatType>().write_batch(values, levels, repeats),
                Values::Double(values) => writer.typed::<DoubleType>().write_batch(values, levels, None),
                Values::Bytes(values) => writer.typed::<ByteArrayType>().write_batch(values, levels, None),
                Values::Fixed(values) => writer.typed::<FixedLenByteArrayType>().write_batch(values, levels, None),
            }
            .map_err(odd)?;
            writer.close().map_err(odd)?;
            *column = Chunk::new(column.kind);
        }
        group.close().map_err(odd)?;
        self.bytes = 0;
        Ok(())
    }
}

impl Chunk {
    fn new(kind: Kind) -> Chunk {
        let values = match kind {
            Kind::Bool => Values::Bool(Vec::new()),
            Kind::Small | Kind::Int | Kind::Date => Values::Int(Vec::new()),
            Kind::Big | Kind::Timestamp(_) => Values::Big(Vec::new()),
            Kind::Real | Kind::Vector => Values::Real(Vec::new()),
            Kind::Double => Values::Double(Vec::new()),
            Kind::Text | Kind::Bytes | Kind::Json | Kind::Other => Values::Bytes(Vec::new()),
            Kind::Uuid | Kind::Decimal(..) => Values::Fixed(Vec::new()),
        };
        Chunk { kind, values, levels: Vec::new(), repeats: Vec::new() }
    }

    /// Takes a value as the server sends it; none, where it does not send such.
    fn add(&mut self, value: Option<&[u8]>) -> Option<()> {
        let Some(value) = value else {
            self.levels.push(0);
            self.repeats.push(0);
            return Some(());
        };
        match (&mut self.values, self.kind) {
            (Values::Real(values), Kind::Vector) => {
                let (size, mut numbers) = (number::<2>(value.get(..2)?)?, value.get(4..)?);
                if i64::try_from(numbers.len()).ok()? != size * 4 {
                    return None;
                }
                if size == 0 {
                    self.levels.push(1);
                    self.repeats.push(0);
                }
                for at in 0..size {
                    values.push(numbers.get_f32());
                    self.levels.push(2);
                    self.repeats.push(i16::from(at > 0));
                }
                return Some(());
            }
            (Values::Bool(values), _) => values.push(number::<1>(value)? != 0),
            (Values::Int(values), Kind::Small) => values.push(number::<2>(value)?.try_into().ok()?),
            (Values::Int(values), Kind::Date) => {
                values.push(i32::try_from(number::<4>(value)?).ok()?.checked_add(DAYS)?);
            }
            (Values::Int(values), _) => values.push(number::<4>(value)?.try_into().ok()?),
            (Values::Big(values), Kind::Timestamp(_)) => values.push(number::<8>(value)?.checked_add(MICROSECONDS)?),
            (Values::Big(values), _) => values.push(number::<8>(value)?),
            (Values::Real(values), _) => values.push(f32::from_be_bytes(value.try_into().ok()?)),
            (Values::Double(values), _) => values.push(f64::from_be_bytes(value.try_into().ok()?)),
            (Values::Bytes(values), _) => values.push(Bytes::copy_from_slice(value).into()),
            (Values::Fixed(values), Kind::Decimal(_, scale)) => {
                values.push(ByteArray::from(unscaled(value, scale)?.to_be_bytes().to_vec()).into());
            }
            (Values::Fixed(values), _) => values.push(ByteArray::from(value.to_vec()).into()),
        }
        self.levels.push(1);
        Some(())
    }
}

/// A whole number of so many bytes.
fn number<const N: usize>(value: &[u8]) -> Option<i64> {
    let bytes: &[u8; N] = value.try_into().ok()?;
    let first = i64::from(bytes.first()?.cast_signed());
    Some(bytes.iter().skip(1).fold(first, |number, byte| (number << 8) | i64::from(*byte)))
}

/// PostgreSQL's numeric, digits of ten thousand each, as a whole number of the last place of the scale.
fn unscaled(value: &[u8], scale: u8) -> Option<i128> {
    let short = |at: usize| number::<2>(value.get(at..at + 2)?);
    let (digits, weight, sign) = (short(0)?, short(2)?, short(4)?);
    if sign != 0 && sign != 0x4000 {
        return None;
    }
    let mut sum = 0_i128;
    for at in 0..digits {
        let digit = i128::from(short(8 + 2 * usize::try_from(at).ok()?)?);
        // The digit counts 10^(4 * (weight - at)); places below the scale are zeros.
        let places = 4 * (weight - at) + i64::from(scale);
        sum = sum.checked_add(match u32::try_from(places) {
            Ok(places) => digit.checked_mul(10_i128.checked_pow(places)?)?,
            Err(_) => {
                let divisor = 10_i128.checked_pow(u32::try_from(-places).ok()?)?;
                (digit % divisor == 0).then_some(digit / divisor)?
            }
        })?;
    }
    Some(if sign == 0 { sum } else { -sum })
}

fn field(name: &str, kind: Kind) -> Result<TypePtr> {
    let (physical, logical) = match kind {
        Kind::Bool => (Physical::BOOLEAN, None),
        Kind::Small => (Physical::INT32, Some(LogicalType::integer(16, true))),
        Kind::Int => (Physical::INT32, None),
        Kind::Big => (Physical::INT64, None),
        Kind::Real | Kind::Vector => (Physical::FLOAT, None),
        Kind::Double => (Physical::DOUBLE, None),
        Kind::Text | Kind::Other => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Kind::Bytes => (Physical::BYTE_ARRAY, None),
        Kind::Uuid => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid)),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
        Kind::Timestamp(utc) => (Physical::INT64, Some(LogicalType::timestamp(utc, TimeUnit::MICROS))),
        Kind::Decimal(precision, scale) => {
            let logical = LogicalType::decimal(i32::from(scale), i32::from(precision));
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(logical))
        }
    };
    let (precision, scale) = match kind {
        Kind::Decimal(precision, scale) => (i32::from(precision), i32::from(scale)),
        _ => (-1, -1),
    };
    let primitive = |name: &str, repetition| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical.clone())
            .with_length(DECIMAL)
            .with_precision(precision)
            .with_scale(scale)
            .build()
            .map(Arc::new)
            .map_err(odd)
    };
    if kind != Kind::Vector {
        return primitive(name, Repetition::OPTIONAL);
    }
    let element = primitive("element", Repetition::REQUIRED)?;
    let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]);
    let list = list.build().map(Arc::new).map_err(odd)?;
    let field = Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![list]);
    field.build().map(Arc::new).map_err(odd)
}

fn unknown() -> Failure {
    Failure::new(error::Kind::Failed, "the server sends rows in a form that dbctl does not know")
}

fn odd(error: ParquetError) -> Failure {
    Failure::new(error::Kind::Failed, format!("cannot write Parquet: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As numeric_send writes it.
    fn numeric(weight: i16, sign: u16, digits: &[i16]) -> Vec<u8> {
        let mut sent = Vec::new();
        sent.extend_from_slice(&i16::try_from(digits.len()).unwrap().to_be_bytes());
        sent.extend_from_slice(&weight.to_be_bytes());
        sent.extend_from_slice(&sign.to_be_bytes());
        sent.extend_from_slice(&2_i16.to_be_bytes());
        digits.iter().for_each(|digit| sent.extend_from_slice(&digit.to_be_bytes()));
        sent
    }

    #[test]
    fn numerics_are_whole_numbers_of_their_last_place() {
        assert_eq!(unscaled(&numeric(1, 0, &[1, 2345, 6700]), 2), Some(1_234_567));
        assert_eq!(unscaled(&numeric(1, 0x4000, &[1, 2345, 6700]), 2), Some(-1_234_567));
        assert_eq!(unscaled(&numeric(-1, 0, &[5]), 4), Some(5));
        assert_eq!(unscaled(&numeric(2, 0, &[1]), 0), Some(100_000_000));
        assert_eq!(unscaled(&numeric(0, 0, &[]), 3), Some(0));
        // Nothing is rounded, and NaN is no number.
        assert_eq!(unscaled(&numeric(-1, 0, &[5]), 3), None);
        assert_eq!(unscaled(&numeric(0, 0xC000, &[]), 2), None);
    }
}
