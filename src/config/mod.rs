//! Where settings come from: flag > environment > file > default. Knows YAML, the environment and
//! files; does not know clap or the database.

pub mod connection;
pub mod env;
mod secret;

pub use secret::Secret;
