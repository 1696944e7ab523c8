-- Says as a constraint what the bounds say, so that attaching it elsewhere scans nothing under a lock.
ALTER TABLE {partition} DROP CONSTRAINT IF EXISTS dbctl_bounds;
ALTER TABLE {partition} ADD CONSTRAINT dbctl_bounds CHECK ({condition}) NOT VALID;
