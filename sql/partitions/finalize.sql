-- Ends a concurrent detach that was begun.
ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE;
