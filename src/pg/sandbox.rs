//! A private throwaway PostgreSQL server from the local server binaries.
