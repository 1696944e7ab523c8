//! Plans as tables of (job, snapshot, holds, now).
