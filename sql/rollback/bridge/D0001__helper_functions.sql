-- bridge D0001: undoes V0001, the helper functions.
-- Lock: none on any table; functions only.

DROP FUNCTION reject_change();
DROP FUNCTION set_updated_at();
DROP FUNCTION pin_search_path(REGPROCEDURE);
