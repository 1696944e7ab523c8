-- Gives the indexes of a partition that came back the names they had, as far as those are free.
DO $$
DECLARE
    v_index oid;
BEGIN
    FOR v_index IN
        SELECT c.oid
        FROM pg_catalog.pg_index AS x
        INNER JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid
        WHERE
            x.indrelid = {literal}::pg_catalog.regclass
            AND c.relname ~ ('^p' || c.oid || '_')
            AND NOT EXISTS (
                SELECT
                FROM pg_catalog.pg_class AS o
                WHERE
                    o.relnamespace = c.relnamespace
                    AND o.relname = pg_catalog.regexp_replace(c.relname, '^p[0-9]+_', '')
            )
    LOOP
        EXECUTE (
            SELECT
                pg_catalog.format(
                    'ALTER INDEX %s RENAME TO %I',
                    v_index::pg_catalog.regclass,
                    pg_catalog.regexp_replace(c.relname, '^p[0-9]+_', '')
                )
            FROM pg_catalog.pg_class AS c
            WHERE c.oid = v_index
        );
    END LOOP;
END;
$$;
