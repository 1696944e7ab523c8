-- Takes a partition out of {parent}; nobody who reads or writes {parent} waits.
ALTER TABLE {parent} DETACH PARTITION {partition} CONCURRENTLY
