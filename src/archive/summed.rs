//! JSON that carries a sum of itself, so that a changed byte is known: manifests and what lies beside
//! them. People can read it in seven years.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::seal::hex;
use crate::error::{Explain, Failure, Kind, Result};

/// The field with the sum.
const CHECKSUM: &str = "checksum";

/// Pretty JSON of an object, its own sum at the end.
///
/// # Errors
/// None in practice.
pub fn to_json<T: Serialize>(what: &T) -> Result<String> {
    let mut value = serde_json::to_value(what)?;
    let sum = sum(&value)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert(CHECKSUM.to_owned(), sum.into());
    }
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

/// Reads what [`to_json`] wrote, up to version `newest` in the field `version`. `name` is for messages:
/// `the manifest file:///srv/…`.
///
/// # Errors
/// Refused, when anything in it was changed; invalid, when it is of a later version.
pub fn parse<T: DeserializeOwned>(text: &[u8], name: &str, newest: u32) -> Result<T> {
    let damaged = format!("{name} is damaged");
    let mut value: serde_json::Value = serde_json::from_slice(text).explain(Kind::Refused, &damaged)?;
    let version = value.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
    if version > u64::from(newest) {
        let message = format!("{name} has version {version}; this dbctl reads {newest}");
        return Err(Failure::new(Kind::Invalid, message).hint("use a newer dbctl"));
    }
    let told = value.as_object_mut().and_then(|fields| fields.remove(CHECKSUM));
    if told != Some(sum(&value)?.into()) {
        return Err(Failure::new(Kind::Refused, damaged)
            .note("its checksum does not fit its text: it was changed after it was written"));
    }
    serde_json::from_value(value).explain(Kind::Refused, damaged)
}

fn sum(value: &serde_json::Value) -> Result<String> {
    Ok(format!("sha256:{}", hex(&Sha256::digest(serde_json::to_string_pretty(value)?))))
}
