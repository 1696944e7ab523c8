-- What of this server may differ from the one that was backed up: extensions, settings, the version of a locale, its disk?
-- Server: 14.
-- Rights: none; pg_read_all_settings sees the data directory.
SELECT
    ARRAY(
        SELECT e.name || ' ' || e.default_version
        FROM pg_catalog.pg_available_extensions AS e
        WHERE e.name = ANY($1::TEXT[])
        ORDER BY e.name
    ) AS extensions,
    ARRAY(
        SELECT v.name::TEXT
        FROM pg_catalog.pg_available_extension_versions AS v
        INNER JOIN pg_catalog.pg_available_extensions AS e ON e.name = v.name AND e.default_version = v.version
        WHERE v.name = ANY($1::TEXT[])
          AND v.superuser
          AND NOT v.trusted
          AND NOT pg_catalog.current_setting('is_superuser')::BOOL
        ORDER BY v.name
    ) AS for_superusers,
    -- Names with a dot are anybody's.
    ARRAY(
        SELECT s.name
        FROM pg_catalog.unnest($2::TEXT[]) AS s (name)
        WHERE s.name NOT LIKE '%.%'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_settings AS g WHERE g.name = s.name)
        ORDER BY s.name
    ) AS unknown_settings,
    (
        SELECT pg_catalog.max(pg_catalog.pg_collation_actual_version(c.oid))
        FROM pg_catalog.pg_collation AS c
        WHERE c.collprovider::TEXT = $3::TEXT
          AND pg_catalog.lower(pg_catalog.replace($4::TEXT, '-', '')) = pg_catalog.lower(pg_catalog.replace(
              COALESCE(pg_catalog.to_jsonb(c) ->> 'colllocale', pg_catalog.to_jsonb(c) ->> 'colliculocale', pg_catalog.to_jsonb(c) ->> 'collcollate'),
              '-', ''
          ))
    ) AS collation_version,
    CASE
        WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') THEN pg_catalog.current_setting('data_directory')
    END AS data_directory
