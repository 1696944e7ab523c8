//! Roles, locks, standbys.
