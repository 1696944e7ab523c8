-- Takes a partition out of {parent}, which is locked for a change of the catalog.
ALTER TABLE {parent} DETACH PARTITION {partition};
