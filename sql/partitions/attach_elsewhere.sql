-- Makes a detached partition one of {parent}.
ALTER TABLE {parent} ATTACH PARTITION {partition} {bound};
ALTER TABLE {partition} DROP CONSTRAINT IF EXISTS dbctl_bounds;
