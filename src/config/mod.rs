//! Where settings come from: flag > environment > file > default. Knows YAML, the environment and
//! files; does not know clap or the database.

pub mod connection;
pub mod cron;
mod duration;
pub mod env;
pub mod file;
pub mod init;
mod mask;
mod nearest;
mod secret;
pub mod settings;
pub mod show;
pub mod target;
pub mod variables;
pub mod yaml;

pub use cron::{Cron, CronField};
pub use duration::{parse_age, parse_duration, show_duration};
pub use file::{FileBackup, Job, parse_zone};
pub use mask::mask_conninfo;
pub use nearest::nearest;
pub use secret::Secret;
pub use settings::{Origin, Overrides, Setting, Settings};
pub use target::{Role, Target, Wanted};
