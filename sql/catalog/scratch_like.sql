-- With which encoding and locale was this database made, and may this role make another?
-- Server: 14.
-- Rights: none.
SELECT
    pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
    d.datcollate::text AS lc_collate,
    d.datctype::text AS lc_ctype,
    -- Since 15, and since 17 under another name.
    COALESCE(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
    COALESCE(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') AS locale,
    pg_catalog.to_jsonb(d) ->> 'daticurules' AS icu_rules,
    r.rolcreatedb OR r.rolsuper AS may_create,
    r.rolname::text AS role,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::int8 AS now
FROM pg_catalog.pg_database AS d
CROSS JOIN pg_catalog.pg_roles AS r
WHERE d.datname = pg_catalog.current_database() AND r.rolname = current_user
