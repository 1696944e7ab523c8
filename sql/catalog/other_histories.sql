-- Has another migration tool kept a history in this database?
-- Server: 14.
-- Rights: none.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
FROM pg_catalog.pg_class AS c
INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind = 'r'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND c.relname IN (
        '_sqlx_migrations', 'schema_migrations', 'flyway_schema_history', 'databasechangelog', 'atlas_schema_revisions',
        'goose_db_version', 'alembic_version', '__diesel_schema_migrations', '_prisma_migrations', 'pgmigrations',
        'knex_migrations', '_yoyo_migration', 'waypoint_schema_history'
    )
ORDER BY 1
LIMIT 1
