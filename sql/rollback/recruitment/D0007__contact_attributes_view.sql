-- recruitment D0007: undoes V0007, the view, and the rights that were given on it. No row is lost.
-- Lock: ACCESS EXCLUSIVE on the view, held for catalog changes only.

DROP VIEW contact_attributes_view;
