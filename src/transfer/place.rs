//! Where a file lies, from what was typed: a path, a bucket, or the standard streams.

use std::path::Path;

use crate::archive::Store;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};

/// A file's place.
pub enum Place {
    /// Standard input or output.
    Stream,
    /// A file in a store.
    File {
        /// The store.
        store: Store,
        /// Its path there.
        path: String,
    },
}

impl Place {
    /// `-`, `s3://bucket/path`, `file:///path` or a path.
    ///
    /// # Errors
    /// Usage, when it names no file.
    pub fn of_file(text: &str, env: &Env) -> Result<Place> {
        if text == "-" {
            return Ok(Place::Stream);
        }
        let absolute = absolute(text)?;
        match absolute.rsplit_once('/') {
            Some((folder, name)) if !name.is_empty() => {
                let folder = if folder.is_empty() { "/" } else { folder };
                Ok(Place::File { store: Store::open(folder, env)?, path: name.to_owned() })
            }
            _ => Err(Failure::new(Kind::Usage, format!("'{text}' names no file"))),
        }
    }

    /// The place as messages name it.
    pub fn name(&self) -> String {
        match self {
            Place::Stream => "-".to_owned(),
            Place::File { store, path } => {
                let url = store.url_of(path);
                url.strip_prefix("file://").map_or_else(|| url.clone(), str::to_owned)
            }
        }
    }
}

/// The store of a folder, `s3://bucket/prefix/` among them.
///
/// # Errors
/// As [`Store::open`].
pub fn folder(text: &str, env: &Env) -> Result<Store> {
    let text = absolute(text)?;
    Store::open(text.trim_end_matches('/'), env)
}

/// Whether it is a folder that is meant: by its end, or because it is one.
pub fn is_folder(text: &str) -> bool {
    text != "-" && (text.ends_with('/') || (!text.starts_with("s3://") && Path::new(text).is_dir()))
}

fn absolute(text: &str) -> Result<String> {
    if text.starts_with("s3://") || text.starts_with("file://") || text.starts_with('/') {
        return Ok(text.to_owned());
    }
    if text.contains("://") {
        // The store says what it takes.
        return Ok(text.to_owned());
    }
    let here = std::env::current_dir()?;
    let text = text.strip_prefix("./").unwrap_or(text);
    Ok(format!("{}/{text}", here.display()))
}
