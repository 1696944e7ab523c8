-- Reads the partition once; stops neither reads nor writes.
ALTER TABLE {partition} VALIDATE CONSTRAINT dbctl_bounds;
