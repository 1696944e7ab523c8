-- Makes a table like {parent} and attaches it. LIKE and ATTACH instead of CREATE ... PARTITION OF: nobody who reads or
-- writes {parent} waits. No identity of its own: ids come from the parent. Foreign keys arrive at ATTACH.
CREATE TABLE {partition} (LIKE {parent} INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS){storage};
{properties}ALTER TABLE {parent} ATTACH PARTITION {partition} {bound};
