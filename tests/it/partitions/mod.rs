//! Partitions on real servers: through the library, with policies made by hand.

mod adopt;
mod bounds;
mod default;
mod kit;
