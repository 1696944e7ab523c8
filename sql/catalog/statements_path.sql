-- Under which search_path does a role ($1) run its statements in a database ($2)?
-- Server: 14.
-- Rights: none.
-- What a session itself sets cannot be known.
SELECT
    COALESCE(
        (
            SELECT pg_catalog.substr(c.setting, pg_catalog.length('search_path=') + 1)
            FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.unnest(s.setconfig) AS c (setting)
            WHERE s.setdatabase IN ($2, 0) AND s.setrole IN ($1, 0) AND pg_catalog.starts_with(c.setting, 'search_path=')
            ORDER BY s.setrole = 0, s.setdatabase = 0
            LIMIT 1
        ),
        (
            SELECT
                CASE
                    -- What this session began with is its own role's, and not that of others.
                    WHEN EXISTS (
                        SELECT
                        FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.unnest(s.setconfig) AS c (setting)
                        WHERE
                            s.setdatabase IN ($2, 0)
                            AND s.setrole = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = SESSION_USER)
                            AND pg_catalog.starts_with(c.setting, 'search_path=')
                    ) THEN g.boot_val
                    ELSE g.reset_val
                END
            FROM pg_catalog.pg_settings AS g
            WHERE g.name = 'search_path'
        )
    ) AS path,
    pg_catalog.quote_ident(pg_catalog.pg_get_userbyid($1)::text) AS role,
    -- Planning runs code of the statement with the rights of whoever plans it.
    EXISTS (
        SELECT FROM pg_catalog.pg_roles AS r WHERE r.oid = $1 AND (r.rolsuper OR r.rolname IN (SESSION_USER, CURRENT_USER))
    ) AS is_trusted
