-- recruitment D0005: undoes V0005; the rows of channel_api and channel_whatsapp are lost, with the keys and tokens.
-- Lock: ACCESS EXCLUSIVE on both tables and, for the foreign keys, on accounts, held for catalog changes only.

DROP TABLE channel_api;
DROP TABLE channel_whatsapp;
