//! How answers look. Knows comfy-table, indicatif and the serializers; does not know PostgreSQL.

mod document;

pub use document::{Column, Document, Fact, Section, Table, Value};
